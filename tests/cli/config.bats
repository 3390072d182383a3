#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2154 # bats sets stderr and its lines
# Files that list devices: what is read from them, and one line for what is wrong, with file and line.

load common

setup()
{
	sandbox_start
	cd "$BATS_TEST_TMPDIR" || return
	# libxlutil does not free a list that ends in an error
	echo leak:libxlutil >suppressions
	export LSAN_OPTIONS=suppressions=$PWD/suppressions:print_suppressions=0
}

# lists LINE...: what a dry run says about the file, one device a line
lists()
{
	does apply --dry-run "$1"
	shift
	diff <(printf '%s\n' "$@") <(cat <<<"$output")
}

# wrong TEXT MESSAGE: a file with this text, as printf's %b prints it, is refused; nothing is written
wrong()
{
	printf %b "$1" >bad.cfg
	refused 2 "apply: bad.cfg:$2" apply bad.cfg || return 1
	[[ $stderr == "xensplit: apply: bad.cfg:$2"* && ${#stderr_lines[@]} -eq 1 ]]
}

@test "what xl.cfg allows: comments, several lines, both quotes, +=, other keys" {
	cat >g.cfg <<-'EOF'
		# a guest
		builder = "generic"; memory = 256
		name = 'guest5'   # its name
		disk = [ 'phy:/dev/vg/a,xvda,w' ]
		xensplit = [ "mydevice/0", # the first
		   'b-x',

		   # another
		   " c , backend = 6 ", [ "d/3", "front.a=1,2" ],
		]
		xensplit += [ "e/auto",
		   'f/5' ]
		on_crash = "preserve"
	EOF
	lists g.cfg "attach mydevice/0 to guest5 (domain 5)" "attach b-x/0 to guest5 (domain 5)" \
		"attach c/0 to guest5 (domain 5)" "attach d/3 to guest5 (domain 5)" \
		"attach e/auto to guest5 (domain 5)" "attach f/5 to guest5 (domain 5)"
	tool apply --dry-run --json g.cfg
	json '[.devices[].line] == [5, 6, 9, 9, 11, 12] and all(.devices[]; .file == "g.cfg")'
	json '[.devices[].backend_domid] == [0, 0, 6, 0, 0, 0]'
}

@test "as in xl, the last of two lists counts" {
	printf '%s\n' 'name="guest5"' 'xensplit=["a/1"]' 'xensplit=["b/2"]' >g.cfg
	lists g.cfg "attach b/2 to guest5 (domain 5)"
}

@test "keys with commas, quotes, blanks and any byte arrive unchanged" {
	cat >g.cfg <<-'EOF'
		name = "guest5"
		xensplit = [ [ "mydevice/0", "front.list= one, two ", "back.eq=a=b" ],
		   'mydevice/1,front.label=the "fast" one,back.path= /dev/x y ',
		   "mydevice/2,front.q=\"b\" \\ 'c'" ]
	EOF
	does apply g.cfg --no-wait
	local fe=/local/domain/5/device/mydevice be=/local/domain/0/backend/mydevice/5
	is $fe/0/list " one, two "
	is $be/0/eq a=b
	is $fe/1/label 'the "fast" one'
	is $be/1/path '/dev/x y'
	[[ $(xenstore-read -R $fe/2/q) == "\"b\" \\ 'c'" ]]
	does apply g.cfg --no-wait
	[[ $output == "nothing to do: 3 devices as wanted" ]]
}

@test "an entry that is wrong: its line" {
	local head='name = "guest5"\nxensplit = [\n "mydevice/0",\n\n # comment\n'
	local keys="use backend, backend-type, front.KEY, back.KEY, wait or reserved"
	local use="use TYPE, TYPE/DEVID or TYPE/auto"

	wrong "$head"'"a,colour=red" ]\n' "6: 'colour' is not a key: $keys"
	wrong "$head"'"a",\n"b,front=1"]\n' "7: 'front' is not a key: $keys"
	wrong "$head"'"a,backend" ]' "6: 'backend' is not KEY=VALUE"
	wrong "$head"'"a,backend=" ]' "6: 'backend' has no value"
	wrong "$head"'"a,wait=maybe" ]' "6: 'wait' is yes or no"
	wrong "$head"'"a,reserved=1" ]' "6: 'reserved' is yes or no"
	wrong "$head"'"a,backend=1,backend=2" ]' "6: 'backend' is there twice"
	wrong "$head"'"a,front.x=1,front.x=2" ]' "6: 'front.x' is there twice"
	wrong "$head"'"a,,wait=no" ]' "6: '' is not KEY=VALUE"
	wrong "$head"'"/0" ]' "6: '/0' is not a device: $use"
	wrong "$head"'"" ]' "6: '' is not a device: $use"
	wrong "$head"'"a/x" ]' "6: 'a/x' is not a device: $use"
	wrong "$head"'"a/4294967295" ]' "6: 'a/4294967295' is not a device: $use"
	wrong "$head"'7 ]' "6: '7' is not a device: $use"
	wrong "$head"'["a", "colour=red"] ]' "6: 'colour' is not a key: $keys"
	wrong "$head"'[] ]' "6: '[]' names no device"
	wrong "$head"'[["a"]] ]' "6: a device is a string or a list of strings"
	wrong "$head"'"mydevice" ]' "6: mydevice/0 is there already, in line 3"
	wrong "$head"']\nxensplit += [\n\n"mydevice/0" ]' "9: mydevice/0 is there already, in line 3"
	wrong "$head"'"\033[1m/0", "\033[1m/0" ]' '6: \x1b[1m/0 is there already, in line 6'
}

@test "an entry that the library refuses: its line, also if the domain is not there" {
	# each with a part of the message
	while IFS='|' read -r entry message; do
		for name in guest5 guest9; do
			printf 'name="%s"\nxensplit=[\n"mydevice/0",\n"%s"]\n' "$name" "$entry" >bad.cfg
			refused 2 "bad.cfg:4: $message" apply bad.cfg
			refused 2 "bad.cfg:4: $message" apply bad.cfg --dry-run
		done
	done <<-'EOF'
		my device|'my device' is not a device type
		vif|libxl manages devices of type 'vif'
		a,backend-type=vbd|libxl manages devices of type 'vbd'
		a,backend-type=a.b|'a.b' is not a device type
		mydevice01234567/0|
		a,front.state=1|frontend key 'state' is written by xensplit itself
		a,back.online=1|backend key 'online' is written by xensplit itself
		a,front.=1|frontend key '' is not a node name
		a,back.a/b=1|backend key 'a/b' is not a node name
	EOF
	printf 'name="guest5"\nxensplit=["vif/1,reserved=yes"]' >good.cfg
	does apply good.cfg --no-wait
}

@test "a list or a name that is wrong" {
	wrong 'name = "guest5"\n\nxensplit = "mydevice/0"\n' "3: xensplit is not a list: use [ ]"
	wrong '\nname = ["guest5"]\nxensplit = []\n' "2: name is not a string"
	wrong '\nname = ""\nxensplit = []\n' "2: name is empty"
	wrong 'xensplit = []\nname = 5\n' "2: name is a number"
	wrong 'xensplit = [ "a" ]\n' " it has no name of a domain"
	does apply bad.cfg --domain guest5 --no-wait
}

@test "bad syntax: the line, and what libxlutil says" {
	wrong 'name = "guest5"\nxensplit = [ "a"\n "b" ]\n' \
		"3: config parsing error near \`\"b\"': syntax error, unexpected STRING, expecting ']'"
	wrong 'name = "guest5"\nxensplit = [ "a\n' "2: config parsing error near \`\"a': lexical error"
	wrong 'name = "guest5"\nxensplit = [ "a",\n' "2: config parsing error near "
	wrong 'print "\e[2J\x9b"\n' \
		"1: config parsing error near \`\"\\x1b[2J\\x9b\"': syntax error, unexpected STRING, expecting += or '='"
	wrong 'name = "guest5"\r\nxensplit = []\r\n' \
		"1: config parsing error near \`\\x0d': lexical error (lines must end in LF, not CR LF)"
	wrong 'name = "guest5"\n\nxensplit = [ "a\0b" ]\n' "3: a NUL byte"
	wrong "$(printf '[%.0s' {1..20000})" "1: config parsing error near "
	wrong "name = $(printf 'x%.0s' {1..5000})!" "1: config parsing error near "
	[[ ${#stderr} -lt 400 ]]
}

@test "a file that can't be read, or is none" {
	mkfifo fifo
	mkdir dir
	head -c 262145 /dev/zero | tr '\0' '\n' >big.cfg
	head -c 10000000 /dev/zero >huge.cfg
	refused 2 "apply: missing.cfg: No such file or directory" apply missing.cfg
	refused 2 "apply: dir: it is a directory" apply dir
	refused 2 "apply: fifo: it is not a regular file" apply fifo
	refused 2 "apply: /dev/zero: it is not a regular file" apply /dev/zero
	refused 2 "apply: big.cfg: it has more than 256 KiB" apply big.cfg
	refused 2 "apply: huge.cfg: it has more than 256 KiB" apply huge.cfg
	refused 2 'apply: \x1b[2J: No such file or directory' apply $'\e[2J'
	refused 2 "the arguments are CONFIG..." apply
}

@test "as many bytes as are allowed, and a link" {
	{
		printf 'name="guest5"\nxensplit=["a"]\n'
		head -c 262144 /dev/zero | tr '\0' '\n'
	} | head -c 262144 >big.cfg
	ln -s big.cfg link.cfg
	lists link.cfg "attach a/0 to guest5 (domain 5)"
}

@test "every wrong file is reported, and none is applied" {
	printf 'name="guest5"\nxensplit=["a"]\n' >good.cfg
	printf 'name="guest6"\nxensplit=["a,b"]\n' >bad.cfg
	dump >before
	tool apply good.cfg bad.cfg missing.cfg
	[[ $status -eq 2 ]]
	diff - <(cat <<<"$stderr") <<-'EOF'
		xensplit: apply: bad.cfg:2: 'b' is not KEY=VALUE
		xensplit: apply: missing.cfg: No such file or directory
	EOF
	dump | diff before -
	tool apply --json good.cfg bad.cfg missing.cfg
	json '.error.code == "bad-config" and .error.message == "bad.cfg:2: '"'b'"' is not KEY=VALUE"'
}
