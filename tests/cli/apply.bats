#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2154 # what xl does is expanded there; bats sets stderr
# apply: devices as files list them. What is wrong with files is for config.bats.

load common

setup()
{
	sandbox_start
	cd "$BATS_TEST_TMPDIR" || return
}

FE=/local/domain/5/device/mydevice
BE=/local/domain/0/backend/mydevice/5

# file NAME DOMAIN ENTRY...: writes NAME.cfg, with an entry in each line from the third on
file()
{
	printf 'name = "%s"\nxensplit = [\n' "$2" >"$1.cfg"
	printf '"%s",\n' "${@:3}" >>"$1.cfg"
	echo ']' >>"$1.cfg"
}

# says LINE...: what the tool printed, apart from times
says()
{
	diff <(printf '%s\n' "$@") <(sed -E 's/ after [0-9.]+ m?s$//' <<<"$output")
}

# unique: what tells each device of domain 5 from one that is made again
unique()
{
	"$XENSPLIT" list 5 --json | jq -c '[.devices[] | [.type, .devid, .unique_id]]'
}

@test "what is missing is attached and connects; a second run changes nothing" {
	drivers
	file g guest5 mydevice/0 "mydevice/1,front.mode=fast"
	does apply g.cfg
	[[ $(sort <<<"$output" | sed -E 's/ after .*//') == \
		"mydevice/0 attached to guest5 (domain 5), connected"$'\n'"mydevice/1 attached to guest5 (domain 5), connected" ]]
	is $FE/1/mode fast
	dump >before
	before=$(unique)
	does apply g.cfg
	says "nothing to do: 2 devices as wanted"
	[[ $(unique) == "$before" ]]
	dump | diff before -
	file g guest5 mydevice/0 mydevice/2 "mydevice/1,front.mode=fast"
	does apply g.cfg
	says "mydevice/2 attached to guest5 (domain 5), connected"
}

@test "with --json: changed, and each device" {
	drivers
	file g guest5 mydevice/0 mydevice/1
	does attach 5 mydevice/1
	does apply g.cfg --json
	json '.changed == true and (.devices | length) == 2'
	json '.devices[0] == {"domid":5,"domain":"guest5","type":"mydevice","devid":0,"backend_domid":0,
		"frontend_state":"Connected","backend_state":"Connected","action":"attach","changed":true,
		"reason":null,"file":"g.cfg","line":3,"error":null}'
	json '.devices[1] | .action == "keep" and .changed == false and .line == 4'
	does apply g.cfg --json
	json '[.changed, .devices[].changed] == [false, false, false]'
	json '[.devices[].action] == ["keep", "keep"]'
}

@test "-q prints nothing" {
	drivers
	file g guest5 mydevice/0
	does apply -q g.cfg
	[[ -z $output ]]
	does apply -q g.cfg
	[[ -z $output ]]
}

@test "a dry run says what would be done, and writes nothing" {
	does attach 5 mydevice/1 --no-wait -F mode=slow
	file g guest5 mydevice/2 mydevice/3
	does apply g.cfg --no-wait
	file g guest5 mydevice/auto "mydevice/1,front.mode=fast" mydevice/2
	dump >before
	does apply -n --replace --prune g.cfg
	diff <(sed 's/: .*//' <(cat <<<"$output")) - <<-'EOF'
		attach mydevice/auto to guest5 (domain 5)
		renew mydevice/1 of guest5 (domain 5)
		keep mydevice/2 of guest5 (domain 5)
		detach mydevice/3 from guest5 (domain 5)
	EOF
	[[ ${lines[1]} == *": "*mode* ]]
	does apply -n --replace --prune g.cfg --json
	json '.changed and [.devices[] | [.action, .devid, .changed, .line]] == [["attach", null, true, 3],
		["renew", 1, true, 4], ["keep", 2, false, 5], ["detach", 3, true, null]]'
	json '.devices[1].reason | test("mode")'
	dump | diff before -
}

@test "a device that differs is refused, the others are done; --replace renews it" {
	drivers
	file g guest5 "mydevice/0,front.mode=fast" mydevice/1
	does attach 5 -F mode=slow
	first=$(record unique-id)
	tool apply g.cfg
	[[ $status -eq 5 ]]
	is_error "apply guest5 mydevice/0: g.cfg:3: "
	tries "add --replace, which makes it again as the file says"
	says "mydevice/1 attached to guest5 (domain 5), connected"
	[[ $(record unique-id) == "$first" ]]
	tool apply g.cfg --json
	[[ $status -eq 5 ]]
	json '.error.code == "differs" and .devices[0].error.code == "differs" and .devices[0].action == "refuse"'
	json '.devices[1].action == "keep" and [.changed] == [false]'
	does apply g.cfg --replace
	says "mydevice/0 renewed in guest5 (domain 5), connected"
	is $FE/0/mode fast
	[[ $(record unique-id) != "$first" ]]
	does apply g.cfg --replace
	says "nothing to do: 2 devices as wanted"
}

@test "--prune detaches what a file listed, and nothing else" {
	drivers
	does attach 5 mydevice/7
	file g guest5 mydevice/0 mydevice/1
	does apply g.cfg
	file g guest5 mydevice/1
	does apply g.cfg
	says "nothing to do: 1 device as wanted"
	does apply g.cfg --prune
	says "mydevice/0 detached from guest5 (domain 5)"
	echo 'name = "guest5"' >g.cfg
	does apply g.cfg --prune
	says "nothing to do: no file has a list called xensplit"
	echo 'name = "guest5"; xensplit = []' >g.cfg
	does apply g.cfg --prune
	says "mydevice/1 detached from guest5 (domain 5)"
	does list 5 -n -o DEVICE
	[[ $output == mydevice/7 ]]
}

@test "automatic ids stay from run to run" {
	drivers
	file g guest5 mydevice/auto mydevice/0 "mydevice/auto,front.mode=fast"
	does apply g.cfg
	before=$(unique)
	does apply g.cfg
	says "nothing to do: 3 devices as wanted"
	file g guest5 "mydevice/auto,front.mode=fast" mydevice/auto mydevice/0
	does apply g.cfg --replace --prune
	says "nothing to do: 3 devices as wanted"
	[[ $(unique) == "$before" ]]
}

@test "more devices than run side by side: each once, and connected" {
	drivers
	mapfile -t entries < <(yes mydevice/auto | head -n 100) # a guest may have 128 watches
	file g guest5 "${entries[@]}"
	does apply g.cfg -t 25
	[[ ${#lines[@]} -eq 100 ]]
	does list 5 --json
	json '[.devices[] | select(.frontend_state == "Connected" and .backend_state == "Connected")] | length == 100'
	does apply g.cfg --json
	json '[.changed, (.devices | length)] == [false, 100]'
}

@test "what does not connect: one deadline for all, each with its line" {
	drive front 5 mydevice
	drive back 0 mydevice --stop-at 2
	file g guest5 mydevice/{0..9}
	SECONDS=0
	tool apply g.cfg -t 1
	[[ $status -eq 6 && -z $output ]]
	[[ $(grep -c '^xensplit: apply guest5 mydevice/[0-9]: g.cfg:[0-9]*: not connected' <<<"$stderr") -eq 10 ]]
	((SECONDS < 8)) # not ten times 1 s
	tool apply g.cfg -t 0.2 --json
	[[ $status -eq 6 ]]
	json '[.changed] == [false] and all(.devices[]; .action == "keep" and .error.code == "not-connected")'
	json '.error.message | test("^g.cfg:[0-9]+: not connected")'
}

@test "--no-wait and wait=no do not wait" {
	file g guest5 "mydevice/0,wait=no"
	does apply g.cfg
	says "mydevice/0 attached to guest5 (domain 5), not waiting for the drivers"
	does apply g.cfg
	file g guest5 mydevice/1 "mydevice/0,wait=no"
	does apply g.cfg --no-wait
	says "mydevice/1 attached to guest5 (domain 5), not waiting for the drivers"
	does apply g.cfg --no-wait
	says "nothing to do: 2 devices as wanted"
	tool apply g.cfg -t 0.1
	[[ $status -eq 6 ]]
	is_error "mydevice/1"
}

@test "a backend by name and of another type; a backend's domain that is missing" {
	file g guest5 "a,backend=guest6,backend-type=b" "mydevice/0,backend=guest9" mydevice/1
	tool apply g.cfg --no-wait
	[[ $status -eq 3 ]]
	is_error "apply guest5 mydevice/0: g.cfg:4: no such domain: 'guest9'"
	[[ ${#lines[@]} -eq 2 ]]
	xenstore-exists /local/domain/6/backend/b/5/0
	xenstore-exists $FE/1
	run ! xenstore-exists $FE/0
}

@test "a domain that is missing does not stop other files" {
	drivers
	file a guest9 mydevice/0
	file b guest5 mydevice/0
	tool apply a.cfg b.cfg
	[[ $status -eq 3 ]]
	is_error "apply guest9: a.cfg:1: no such domain: 'guest9'"
	says "mydevice/0 attached to guest5 (domain 5), connected"
	tool apply a.cfg b.cfg --json
	json '.error.code == "no-such-domain" and [.devices[].file] == ["b.cfg"]'
}

@test "two domains at once; two files for one are refused" {
	file a guest5 mydevice/0
	file b guest6 mydevice/0
	does apply a.cfg b.cfg --no-wait
	[[ ${#lines[@]} -eq 2 ]]
	xenstore-exists /local/domain/6/device/mydevice/0
	file b guest5 mydevice/1
	refused 2 "apply: b.cfg:1: the same domain as in: a.cfg" apply a.cfg b.cfg --no-wait
}

@test "--domain goes before the file's name" {
	file a guest9 mydevice/0
	does apply a.cfg --domain guest5 --no-wait
	says "mydevice/0 attached to guest5 (domain 5), not waiting for the drivers"
	does apply a.cfg --domain 6 --no-wait
	says "mydevice/0 attached to guest6 (domain 6), not waiting for the drivers"
	refused 2 "--domain takes a single file" apply a.cfg a.cfg --domain 6
}

@test "another tool's device is refused, and stays as it is" {
	activate $FE/0 $BE/0
	file g guest5 mydevice/0 mydevice/1
	xenstore-ls -fp $FE/0 >before
	tool apply g.cfg --no-wait
	[[ $status -eq 5 ]]
	is_error "apply guest5 mydevice/0: g.cfg:3: "
	tries "take it over first: xensplit adopt 5 mydevice/0"
	xenstore-ls -fp $FE/0 | diff before -
	xenstore-exists $FE/1
	tool apply g.cfg --no-wait --json
	json '.error.code == "foreign"'
}

@test "options that make no sense" {
	file g guest5 mydevice/0
	refused 2 "--timeout 0 is not possible: use --no-wait" apply g.cfg -t 0
	refused 2 "--create takes a single file" apply --create g.cfg g.cfg
	for option in "--domain 5" --replace --prune -n; do
		# shellcheck disable=SC2086 # words
		refused 2 "--create excludes --domain, --replace, --prune and --dry-run" apply --create g.cfg $option
	done
}

@test "killed at any request: each device is whole, or not there; the next run completes" {
	file g guest5 mydevice/0 "mydevice/1,front.mode=fast"
	for ((n = 1;; n += 3)); do
		run "$SANDBOX" proxy --kill-at $n -- "$XENSPLIT" apply g.cfg --no-wait
		[[ $status -eq 137 ]] || break
		tool doctor 5 --json
		json '[.findings[] | select(.severity == "error") | .code] - ["no-frontend-driver", "no-backend-driver"] == []'
		does apply g.cfg --no-wait
		does list 5 --json
		json '[.devices[].devid] == [0, 1]'
		does detach 5 --all --force
	done
	[[ $status -eq 0 && $n -gt 20 ]]
}

# --- --create ---

# fake_xl SCRIPT: what `xl` does; $1 is its verb. Its calls are in the file "calls".
fake_xl()
{
	mkdir -p bin
	{
		printf '#!/bin/bash\necho "$*" >>%q\n' "$PWD/calls"
		printf 'create() { "$SANDBOX" create 7 --name guest7; }\n%s\n' "$1"
	} >bin/xl
	chmod +x bin/xl
	PATH=$PWD/bin:$PATH
	: >calls
}

# The guest's driver starts when the guest runs.
good_xl='case $1 in
create) create; echo "Parsing config" ;;
unpause)
	xenstore-exists /local/domain/7/device/mydevice/0 /local/domain/7/device/mydevice/1 && echo there >>calls
	"$SANDBOX" drive front 7 mydevice >/dev/null 2>&1 3>&- &
	;;
esac'

@test "--create: the devices are there before the guest runs, and connect" {
	drive back 0 mydevice
	fake_xl "$good_xl"
	file g guest7 mydevice/0 mydevice/1
	tool apply --create g.cfg
	[[ $status -eq 0 && $stderr == "Parsing config" ]]
	diff calls - <<-'EOF'
		create -p g.cfg
		unpause 7
		there
	EOF
	[[ ${lines[0]} == "guest7 (domain 7) created" && ${#lines[@]} -eq 3 ]]
	[[ ${lines[1]} == "mydevice/"[01]" attached to guest7 (domain 7), connected after "* ]]
	does list guest7 --json
	json 'all(.devices[]; .frontend_state == "Connected")'
}

@test "--create --json prints one object, whatever xl prints" {
	drive back 0 mydevice
	fake_xl "$good_xl"
	file g guest7 mydevice/0
	tool apply --create g.cfg --json
	[[ $status -eq 0 ]]
	json '.changed and .devices[0].domid == 7 and .devices[0].frontend_state == "Connected"'
}

@test "--create leaves no descriptor to xl" {
	fake_xl '[[ $1 != create ]] || { ls /proc/self/fd >fds; create; }'
	file g guest7 mydevice/0
	does apply --create g.cfg --no-wait
	# 3 is that of ls
	[[ $(xargs <fds) == "0 1 2 3" ]]
}

@test "--create: nothing is created if the file is wrong, or can't work" {
	fake_xl "$good_xl"
	file g guest7 mydevice/0 "mydevice/1,colour=red"
	refused 2 "apply: g.cfg:4: 'colour'" apply --create g.cfg
	file g guest7 mydevice/0 vif/0
	refused 2 "apply guest7 vif/0: g.cfg:4: libxl manages" apply --create g.cfg
	file g guest7 "mydevice/0,backend=guest9"
	refused 3 "apply guest7 mydevice/0: g.cfg:3: no such domain: 'guest9'" apply --create g.cfg
	file g guest7 "mydevice/0,backend=9"
	refused 3 "apply guest7 mydevice/0: g.cfg:3: no such domain: 9" apply --create g.cfg
	file g guest5 mydevice/0
	refused 5 "apply guest5: g.cfg:1: there is a domain of this name already: domain 5" apply --create g.cfg
	tries "leave --create out"
	echo 'name = "guest7"' >g.cfg
	refused 2 "apply guest7: g.cfg:1: it has no list called xensplit" apply --create g.cfg
	[[ ! -s calls ]]
}

@test "--create: xl create fails, or there is no xl" {
	fake_xl 'echo "xl: no memory" >&2; exit 3'
	file g guest7 mydevice/0
	dump >before
	tool apply --create g.cfg
	[[ $status -eq 1 ]]
	diff - <(cat <<<"$stderr") <<-'EOF'
		xl: no memory
		xensplit: apply guest7: g.cfg:1: xl create exited with status 3; no device was attached
	EOF
	dump | diff before -
	run -1 --separate-stderr env PATH=/none "$XENSPLIT" apply --create g.cfg --json
	json '.error.code == "xl-failed"'
	[[ ${stderr_lines[0]} == *"xl create could not be run: is it in PATH?; no device was attached" ]]
}

paused="  note: guest7 (domain 7) stays paused. Then: xensplit apply g.cfg --no-wait && xl unpause 7, or: xl destroy 7"

@test "--create: xl is killed when the domain is there already" {
	fake_xl '[[ $1 != create ]] || { create; kill -9 $$; }'
	file g guest7 mydevice/0
	fails 1 "g.cfg:1: xl create was killed by signal 9; no device was attached" apply --create g.cfg || :
	[[ $status -eq 1 && ${stderr_lines[1]} == "$paused" ]]
	run ! xenstore-exists /local/domain/7/device/mydevice/0
}

@test "--create: a device that fails leaves the domain paused" {
	# another client is faster
	fake_xl '[[ $1 != create ]] || { create; xensplit attach 7 mydevice/1 --no-wait -q -F mode=slow; }'
	PATH=$(dirname "$XENSPLIT"):$PATH
	file g guest7 mydevice/0 mydevice/1
	tool apply --create g.cfg --no-wait
	[[ $status -eq 5 && ${stderr_lines[0]} == "xensplit: apply guest7 mydevice/1: g.cfg:4: "* ]]
	[[ ${stderr_lines[-1]} == "$paused" && $(cat calls) == "create -p g.cfg" ]]
}

@test "--create: xl unpause fails" {
	fake_xl 'case $1 in create) create ;; unpause) exit 1 ;; esac'
	file g guest7 mydevice/0
	tool apply --create g.cfg
	[[ $status -eq 1 && ${stderr_lines[0]} == *": its devices are attached, but xl unpause exited with status 1" ]]
	[[ ${stderr_lines[1]} == "$paused" ]]
	xenstore-exists /local/domain/7/device/mydevice/0
}

@test "--create: a device that does not connect in time; the guest runs on" {
	fake_xl "$good_xl"
	file g guest7 mydevice/0
	tool apply --create g.cfg -t 0.3
	[[ $status -eq 6 && $(grep -c unpause calls) -eq 1 ]]
	[[ ${stderr_lines[1]} == "xensplit: apply guest7 mydevice/0: g.cfg:3: not connected after"* ]]
	[[ $stderr != *"stays paused"* ]]
}

@test "--create: a signal while xl works takes effect after it" {
	fake_xl '[[ $1 != create ]] || { trap "echo passed on >>calls" TERM; kill $PPID
		until grep -q passed calls; do sleep 0.02; done; create; }'
	file g guest7 mydevice/0
	tool apply --create g.cfg
	[[ $status -eq 143 && ${stderr_lines[0]} == *"g.cfg:1: interrupted by signal 15" && ${stderr_lines[1]} == "$paused" ]]
	[[ $(xargs <calls) == "create -p g.cfg passed on" ]]
}
