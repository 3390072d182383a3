#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # expanded by eval; bats sets status; each test runs in its own subshell
# xensplit serve: the files that it reads, and what it tells systemd, Prometheus and people.

load common

schema=$BATS_TEST_DIRNAME/../../data/xensplit.schema.json
FE=/local/domain/5/device/mydevice

setup()
{
	sandbox_start
	dir=$BATS_TEST_TMPDIR/domains log=$BATS_TEST_TMPDIR/log
	metrics=$BATS_TEST_TMPDIR/metrics.prom state=$BATS_TEST_TMPDIR/state.json
	mkdir "$dir"
	seen=0
}

# Whatever has happened to it, SIGTERM ends it well.
teardown()
{
	local status=0

	if [[ -n ${pid:-} ]]; then
		kill "$pid" || true
		kill -CONT "$pid" || true
		eventually eval '! kill -0 "$pid" 2>/dev/null' || kill -KILL "$pid"
		wait "$pid" || status=$?
	fi
	sandbox_stop
	cat "$log" 2>/dev/null || true
	return $status
}

# file NAME DOMAIN DEVICE...: a configuration that appears whole
file()
{
	local path=$dir/$1 name=$2

	shift 2
	{
		printf 'name = "%s"\nxensplit = [' "$name"
		printf " '%s'," "$@"
		echo ' ]'
	} >"$dir/.new"
	mv "$dir/.new" "$path"
}

# serve OPTION...: starts it in the background, as $pid
serve()
{
	: >>"$log"
	"$XENSPLIT" serve "$dir" --status-file "$state" --metrics "$metrics" "$@" 2>>"$log" 3>&- &
	pid=$!
}

# Lines of the log from now on are those that said and says look for.
mark()
{
	seen=$(wc -l <"$log")
}

# says TEXT: that line is there; said TEXT: it comes
says()
{
	tail -n "+$((seen + 1))" "$log" | grep -qxE "xensplit: serve: ($1)"
}
said()
{
	eventually says "$1"
}

# connected [DOMAIN] DEVICE: was seen to connect
connected()
{
	said "${1% *} ${1#* }: connected( after .*)?"
}

# ends STATUS: it ends soon, with this status
ends()
{
	local status=0

	eventually eval '! kill -0 "$pid" 2>/dev/null'
	wait "$pid" || status=$?
	pid=
	[[ $status -eq $1 ]]
}

# stop: ends it by SIGTERM
stop()
{
	kill "$pid"
	ends 0
}

# status JQ-FILTER: the status file says so soon
status()
{
	eventually jq -e "$1" "$state" >/dev/null 2>&1
}

# metric LINE: the metrics have that line soon
metric()
{
	eventually grep -qxF -- "xensplit_$1" "$metrics"
}

# valid_metrics: each line is as Prometheus reads it, each name has one type before its values
valid_metrics()
{
	awk '
	/^# HELP [a-z_]+ [^\\]+\.$/ { next }
	/^# TYPE [a-z_]+ (counter|gauge|histogram)$/ && !($3 in type) { type[$3] = $4; next }
	/^[a-z_]+({[a-z]+="([^"\\]|\\[\\"n])*"(,[a-z]+="([^"\\]|\\[\\"n])*")*})? [0-9]+(\.[0-9]+)?$/ {
		name = $0; sub(/[{ ].*/, "", name); base = name
		if (!(base in type)) sub(/_(bucket|sum|count)$/, "", base)
		if (base in type && (base == name || type[base] == "histogram") &&
			(type[base] != "counter" || name ~ /_total$/) && !($1 in line)) { line[$1]; next }
	}
	{ print "bad: " $0; bad = 1 }
	END { exit bad || !NR }' "$1"
}

valid_json() # TEXT
{
	printf 'serve\t%s\n' "$1" | "$BATS_TEST_DIRNAME/json-valid" "$schema"
}

# listen ADDRESS: a service manager at $NOTIFY_SOCKET, its messages in $told
listen()
{
	told=$BATS_TEST_TMPDIR/told
	: >"$told" # not the one of the last listener
	setpriv --pdeathsig TERM "$BATS_TEST_DIRNAME/serve-listen" "$1" >"$told" 3>&- &
	eventually grep -qx listening "$told"
	export NOTIFY_SOCKET=$1
}

# is_told LINE [COUNT]: the service manager got this message so often
is_told()
{
	eventually was_told "$1" "${2:-1}"
}
was_told()
{
	(($(grep -cxE "$1" "$told") >= $2))
}

@test "what a file lists is attached, also when its domain appears later; SIGTERM ends it" {
	drivers
	file guest5.cfg guest5 mydevice/0 mydevice/1
	file guest7.cfg guest7 mydevice/0
	serve
	connected "guest5 mydevice/0"
	connected "guest5 mydevice/1"
	says "$dir/guest5.cfg: 2 devices for guest5"
	says "guest5: domain 5 is there"
	"$SANDBOX" create 7
	drive front 7 mydevice
	connected "guest7 mydevice/0"
	status '.ok and (.devices | length == 3) and .xenstored'
	stop
	[[ ! -e $state && ! -e $metrics ]]
	is $FE/0/state 4
	tool serve --status --status-file "$state"
	[[ $status -eq 3 ]] && is_error "serve is not running"
}

@test "a file appears, changes, breaks, is repaired and goes" {
	drivers
	serve
	said "connected to xenstored"
	file a.cfg guest5 mydevice/0
	connected "guest5 mydevice/0"
	file a.cfg guest5 mydevice/0 mydevice/1
	connected "guest5 mydevice/1"
	# its last good list stays in force, also for a device that is lost
	mark
	printf 'name = "guest5"\n\nxensplit = [ 5\n' >"$dir/a.cfg"
	said "$dir/a.cfg:[0-9]+: .*"
	file b.cfg guest6 mydevice/0
	said "guest6 mydevice/0: attached"
	does detach 5
	connected "guest5 mydevice/0"
	status '.ok == false and (.files[0] | .domain == "guest5" and .devices == 2 and .error)'
	metric "last_reload_success 0"
	metric "bad_files 1"
	mark
	file a.cfg guest5 mydevice/1
	said "$dir/a.cfg: 1 device for guest5"
	metric "last_reload_success 1"
	# without a list, nothing is attached and nothing is detached
	mark
	rm "$dir/a.cfg"
	status '.files | length == 1'
	does detach 5 mydevice/1
	is $FE/0/state 4
	file b.cfg guest6 mydevice/0 mydevice/1
	said "guest6 mydevice/1: attached"
	run ! says "guest5 mydevice/1: attached"
}

@test "a file that is written while serve looks on is read when it is whole" {
	serve
	said "connected to xenstored"
	exec 4>"$dir/a.cfg"
	printf 'name = "guest5"\nxensplit = [ "mydevice/0",' >&4
	file b.cfg guest6 mydevice/0
	said "guest6 mydevice/0: attached"
	printf ' "mydevice/1" ]\n' >&4
	exec 4>&-
	said "guest5 mydevice/1: attached"
	says "$dir/a.cfg: 2 devices for guest5"
}

@test "links are followed, also to what replaces their target" {
	mkdir "$BATS_TEST_TMPDIR"/{xl,more}
	ln -s ../xl/guest5 "$dir/five.cfg"
	ln -s "$BATS_TEST_TMPDIR/more/guest5" "$BATS_TEST_TMPDIR/xl/guest5"
	serve
	said "$dir/five.cfg: No such file or directory"
	file .cfg guest5 mydevice/0
	mv "$dir/.cfg" "$BATS_TEST_TMPDIR/more/guest5"
	said "guest5 mydevice/0: attached"
	file .cfg guest5 mydevice/0 mydevice/1
	mv "$dir/.cfg" "$BATS_TEST_TMPDIR/more/guest5"
	said "guest5 mydevice/1: attached"
}

@test "two files with one name: both are refused and named, the rest is served" {
	file a.cfg guest5 mydevice/0
	file b.cfg guest5 mydevice/1
	file c.cfg guest6 mydevice/0
	serve
	said "$dir/a.cfg:1: the name 'guest5' is also that of $dir/b.cfg"
	said "$dir/b.cfg:1: the name 'guest5' is also that of $dir/a.cfg"
	said "guest6 mydevice/0: attached"
	run ! says "guest5.*"
	status '.files | map(.error != null) == [true, true, false]'
	rm "$dir/a.cfg"
	said "guest5 mydevice/1: attached"
	run ! says "guest5 mydevice/0: attached"
	# what is in force stays
	mark
	file a.cfg guest5 mydevice/0
	said "$dir/b.cfg:1: the name 'guest5' is also that of $dir/a.cfg"
	does detach 5 mydevice/1
	said "guest5 mydevice/1: attached"
	run ! says "guest5 mydevice/0: attached"
	# a file that only xl reads is not in the way
	mark
	printf 'name = "guest5"\nmemory = 256\n' >"$dir/a.cfg"
	said "$dir/b.cfg: 1 device for guest5"
	status '.ok == false and (.files | all(.error == null))'
}

@test "bad files, and bad entries: one line each, and the others apply" {
	touch "$dir/.hidden.cfg" "$dir/a.cfg~" "$dir/README"
	printf 'name = "a"\nxensplit = [ "mydevice/0" ' >"$dir/open.cfg"
	printf 'xensplit = [ "mydevice/0" ]\n' >"$dir/noname.cfg"
	printf 'name = "b"\nxensplit = [ "mydevice/0", "mydevice/0" ]\n' >"$dir/twice.cfg"
	printf 'name = "c"\n\nxensplit = [ "mydevice/0,colour=red" ]\n' >"$dir/key.cfg"
	printf 'name = "d"\0\nxensplit = [ "mydevice/0" ]\n' >"$dir/nul.cfg"
	head -c 10000000 /dev/zero | tr '\0' '#' >"$dir/big.cfg"
	mkdir "$dir/folder.cfg"
	mkfifo "$dir/fifo.cfg"
	ln -s loop.cfg "$dir/loop.cfg"
	file good.cfg guest5 mydevice/0 'my"dev\\ice/0' 'mydevice/1'
	file wait.cfg guest6 'mydevice/0,wait=no' 'mydevice/1,backend=none'
	serve
	said "guest5 mydevice/1: attached"
	for line in "open.cfg:[0-9]+: .*" "noname.cfg: .*name.*" "twice.cfg:2: .*" "key.cfg:3: .*" "nul.cfg:1: .*" \
		"big.cfg: .*" "folder.cfg: .*" "fifo.cfg: .*" "loop.cfg: .*"; do
		echo "$line"
		[[ $(grep -cxE "xensplit: serve: $dir/$line" "$log") -eq 1 ]]
	done
	says "$dir/README is ignored: its name does not end in .cfg"
	run ! grep -E 'hidden|a\.cfg~' "$log"
	said 'guest6 mydevice/1: .*none.*'
	said 'guest5 my.*dev.*: .*good.cfg:2: .*'
	metric "bad_files 9"
	valid_metrics "$metrics"
	eventually grep -F 'type="my\"dev\\\\ice"' "$metrics"
	status '.files | length == 11'
	valid_json "$(cat "$state")"
}

@test "a directory that goes and comes back: the lists stay in force" {
	drivers
	file a.cfg guest5 mydevice/0
	serve
	connected "guest5 mydevice/0"
	mark
	mv "$dir" "$dir.old"
	said "can't read $dir: No such file or directory"
	does detach 5
	connected "guest5 mydevice/0"
	status '.ok == false'
	[[ $(grep -c "can't read" "$log") -eq 1 ]]
	mv "$dir.old" "$dir"
	status '.ok'
	file b.cfg guest6 mydevice/0
	said "guest6 mydevice/0: attached"
}

@test "SIGHUP: everything is read again, and systemd knows" {
	listen "$BATS_TEST_TMPDIR/notify"
	file a.cfg guest5 mydevice/0
	echo junk >"$dir/b.cfg"
	serve
	is_told READY=1
	run ! grep RELOADING "$told"
	mark
	kill -HUP "$pid"
	said "reading all files again"
	said "$dir/a.cfg: 1 device for guest5"
	said "$dir/b.cfg:.*"
	is_told 'RELOADING=1\|MONOTONIC_USEC=[0-9]+'
	is_told READY=1 2
	[[ $(grep -nx READY=1 "$told" | tail -n 1 | cut -d : -f 1) -gt $(grep -n RELOADING "$told" | cut -d : -f 1) ]]
}

@test "sd_notify: ready, status, signs of life, and the end; by path and abstract" {
	drivers
	file a.cfg guest5 mydevice/0
	for address in "$BATS_TEST_TMPDIR/notify" "@xensplit-test-$$-$RANDOM"; do
		listen "$address"
		WATCHDOG_USEC=1000000 serve
		is_told READY=1
		is_told "STATUS=1 of 1 devices connected, in 1 of 1 domains"
		is_told WATCHDOG=1 3
		kill -INT "$pid"
		ends 0
		is_told STOPPING=1
		[[ $(tail -n 1 "$told") == STOPPING=1 ]]
	done
	# not for this process, or nowhere: goes on without
	listen "$BATS_TEST_TMPDIR/notify2"
	WATCHDOG_USEC=100000 WATCHDOG_PID=1 serve
	is_told "STATUS=1 of 1.*"
	stop
	run ! grep WATCHDOG "$told"
	for NOTIFY_SOCKET in relative /nonexistent @ ""; do
		mark
		serve
		said "guest5 mydevice/0: connected"
		stop
	done
}

@test "no xenstored yet: it waits, and says so; it connects when it is there" {
	local real=$XENSTORED_PATH

	listen "$BATS_TEST_TMPDIR/notify"
	export XENSTORED_PATH=$BATS_TEST_TMPDIR/store
	file a.cfg guest5 mydevice/0
	serve
	is_told READY=1
	is_told "STATUS=waiting for xenstored"
	says "can't connect to XenStore at $XENSTORED_PATH: No such file or directory"
	status '.ok == false and .xenstored == false and .devices == []'
	metric "xenstored_connected 0"
	valid_metrics "$metrics"
	valid_json "$(cat "$state")"
	tool serve --status --status-file "$state"
	[[ $status -eq 1 && $output == *"without a connection to xenstored"* ]]
	ln -s "$real" "$XENSTORED_PATH"
	said "guest5 mydevice/0: attached"
	[[ $(grep -c "can't connect" "$log") -eq 1 ]]
	metric "xenstored_connected 1"
}

@test "xenstored is restarted: it connects again, and sets all lists" {
	local first=$sandbox_pid

	ln -s "$XENSTORED_PATH" "$BATS_TEST_TMPDIR/store"
	file a.cfg guest5 mydevice/0
	XENSTORED_PATH=$BATS_TEST_TMPDIR/store serve
	said "guest5 mydevice/0: attached"
	mark
	"$SANDBOX" stop-daemon
	said "the connection to xenstored is lost: .*"
	# while it is away, files still change
	file b.cfg guest6 mydevice/1
	said "$dir/b.cfg: 1 device for guest6"
	rm "$BATS_TEST_TMPDIR/ready"
	sandbox_start
	ln -sfn "$XENSTORED_PATH" "$BATS_TEST_TMPDIR/store"
	said "connected to xenstored"
	said "guest5 mydevice/0: attached"
	said "guest6 mydevice/1: attached"
	metric "xenstored_lost_total 1"
	kill "$first"
}

@test "a frozen xenstored: it says so, gives no sign of life, and goes on" {
	listen "$BATS_TEST_TMPDIR/notify"
	drivers
	file a.cfg guest5 mydevice/0
	WATCHDOG_USEC=400000 serve
	connected "guest5 mydevice/0"
	is_told WATCHDOG=1 2
	mark
	"$SANDBOX" stop-daemon --freeze
	file b.cfg guest6 mydevice/0
	said "xenstored does not answer"
	is_told "STATUS=xenstored does not answer"
	[[ $(tail -n 1 "$told") == STATUS=* ]]
	alive=$(grep -c WATCHDOG=1 "$told")
	"$SANDBOX" stop-daemon --thaw
	said "xenstored answers again"
	said "guest6 mydevice/0: attached"
	is_told WATCHDOG=1 "$((alive + 2))"
	is_told "STATUS=1 of 2.*"
}

@test "a frozen xenstored: SIGTERM still ends it" {
	drivers
	file a.cfg guest5 mydevice/0
	serve
	connected "guest5 mydevice/0"
	mark
	"$SANDBOX" stop-daemon --freeze
	file b.cfg guest6 mydevice/0
	said "xenstored does not answer"
	stop
	[[ ! -e $state && ! -e $metrics ]]
	"$SANDBOX" stop-daemon --thaw
}

@test "kill -9, and start again: nothing changes in the store" {
	drivers
	file a.cfg guest5 mydevice/0
	serve
	connected "guest5 mydevice/0"
	caught_up
	dump >"$BATS_TEST_TMPDIR/before"
	kill -KILL "$pid"
	ends 137
	tool serve --status --status-file "$state"
	[[ $status -eq 3 ]]
	mark
	serve
	said "guest5 mydevice/0: connected"
	status '.ok'
	dump | diff "$BATS_TEST_TMPDIR/before" -
}

@test "a second one with the same status file is refused" {
	serve
	said "connected to xenstored"
	fails 5 "serve: another serve is running" serve "$dir" --status-file "$state"
	fails 5 "serve: another serve is running" serve "$dir" --status-file "$state" --once --json
	json '.error.code == "already-running"'
	valid_json "$output"
	kill -0 "$pid"
	stop
	does serve "$dir" --status-file "$state" --once
}

@test "--status: lines and JSON, and its exit status" {
	drivers
	tool serve --status --status-file "$state"
	[[ $status -eq 3 ]]
	file a.cfg guest5 mydevice/0
	serve
	status '.devices[0].state == "connected"'
	does serve --status --status-file "$state"
	[[ ${lines[0]} == "serve runs since "*" as process $pid, connected to xenstored" ]]
	[[ ${lines[1]} == "1 file in $dir, last read "* ]]
	[[ ${lines[3]} =~ ^guest5\ +5\ mydevice/0\ +0\ connected\ -$ ]]
	does serve --status --status-file "$state" --json
	valid_json "$output"
	json '.ok and .pid == '"$pid"' and .devices[0].line == 2'
	does serve --status --status-file "$state" --quiet
	[[ -z $output ]]
	file b.cfg guest6 mydevice/0 mydevice/1,wait=no
	status '.devices | length == 3'
	tool serve --status --status-file "$state"
	[[ $status -eq 1 && -z $stderr && ${lines[4]} =~ ^guest6\ +6\ mydevice/0 ]]
	tool serve --status --status-file "$state" --json
	[[ $status -eq 1 ]] && valid_json "$output" && json '.devices | map(.ok) == [true, false, true]'
	# a reader that sees no new one for a minute
	kill -STOP "$pid"
	touch -d '2 minutes ago' "$state"
	tool serve --status --status-file "$state"
	[[ $status -eq 1 ]] && is_error "serve has not written its status for 12"
	kill -CONT "$pid"
	stop
	fails 3 "serve is not running" serve --status --status-file "$state" --json
	json '.error.code == "not-running"'
	valid_json "$output"
}

@test "--status: a file that cannot be read, or makes no sense" {
	# it writes none
	file a.cfg guest5 mydevice/0
	serve --once --timeout 600
	eventually fails 1 "serve is running, but there is no $state" serve --status --status-file "$state"
	kill "$pid"
	ends 143
	serve
	status '.pid == '"$pid"
	kill -STOP "$pid"
	echo '{ "ok": tr' >"$state"
	fails 1 "the status file is damaged" serve --status --status-file "$state"
	rm "$state"
	fails 1 "serve is running, but there is no $state" serve --status --status-file "$state"
	mkdir "$state"
	fails 1 "can't read $state: Input/output error" serve --status --status-file "$state"
	rmdir "$state"
	# a link is no lock
	mv "$state.lock" "$state.other"
	ln -s "$state.other" "$state.lock"
	fails 1 "can't read $state.lock: Too many levels of symbolic links" \
		serve --status --status-file "$state"
	kill -CONT "$pid"
}

@test "--once: 0 when all is connected, 1 when something failed, 6 when the time is over" {
	drivers
	once=(serve "$dir" --status-file "$state" --once)
	file a.cfg guest5 mydevice/0
	file b.cfg nobody mydevice/0
	tool "${once[@]}" --metrics "$metrics"
	[[ $status -eq 0 && -z $output && $stderr == "xensplit: serve: guest5 mydevice/0: connected after "* ]]
	# what cron would mail
	does "${once[@]}" --metrics "$metrics"
	[[ -z $output && -z $stderr && ! -e $state ]]
	valid_metrics "$metrics"
	metric "connected_devices 1"
	file c.cfg guest6 mydevice/0,wait=no mydevice/1,wait=no,backend=none
	tool "${once[@]}" --metrics "$metrics"
	metric "wanted_devices 3"
	metric "ok_devices 2"
	rm "$dir/c.cfg"
	does "${once[@]}" --json
	valid_json "$output"
	json '.ok and .devices[0].state == "connected"'
	file c.cfg guest6 mydevice/0,wait=no mydevice/1,backend=none
	tool "${once[@]}"
	[[ $status -eq 1 ]] && is_error "guest6 mydevice/1: "
	file c.cfg guest5x mydevice/0
	echo junk >"$dir/d.cfg"
	tool "${once[@]}"
	[[ $status -eq 1 ]] && is_error "$dir/d.cfg:"
	rm "$dir/d.cfg"
	file c.cfg guest6 mydevice/0
	fails 6 "serve: 1 of 2 devices connected after 0.5 s" "${once[@]}" -t 0.5 --json
	valid_json "$output"
	json '.error.code == "not-connected" and (.devices | length == 2)'
	XENSTORED_PATH=/none fails 1 "can't connect to XenStore at /none" "${once[@]}"
	"$SANDBOX" stop-daemon --freeze
	fails 6 "serve: xenstored has not answered for" "${once[@]}" -t 1
	"$SANDBOX" stop-daemon --thaw
}

@test "--once --prune: a device that is not on the list, and a driver that does not close it" {
	local back once=(serve "$dir" --status-file "$state" --once --prune)

	drive front 5 mydevice
	drive back 0 mydevice
	back=$!
	file a.cfg guest5 mydevice/0
	tool "${once[@]}"
	[[ $status -eq 0 ]]
	printf 'name = "guest5"\nxensplit = [ ]\n' >"$dir/a.cfg"
	kill -STOP "$back"
	fails 6 "serve: not all is done after 0.5 s" "${once[@]}" -t 0.5
	kill -CONT "$back"
	tool "${once[@]}"
	[[ $status -eq 0 && $stderr == "xensplit: serve: guest5 mydevice/0: detached, it is not on the list" ]]
	run -1 xenstore-exists "$FE/0"
}

@test "a store without space for a device: one line, nothing half, tried again" {
	local number path proxy

	file g5.cfg guest5 mydevice/0
	drive back 0 mydevice
	drive front 5 mydevice
	does attach 5 # the domain has its mark now
	does detach 5
	run -0 "$SANDBOX" proxy --count "$BATS_TEST_TMPDIR/requests" -- "$XENSPLIT" serve "$dir" --once --status-file "$state"
	for path in "/xensplit/5/mydevice/0" "$FE/0/state" "/local/domain/0/backend/mydevice/5/0/state"; do
		does detach 5
		number=$(awk -v path="$path" '$2 == "WRITE" && $3 == path { print $1; exit }' "$BATS_TEST_TMPDIR/requests")
		run "$SANDBOX" proxy --fail-at "$number" --with ENOSPC -- \
			"$XENSPLIT" serve "$dir" --once --status-file "$state"
		[[ $status -eq 1 && $output == *"serve: guest5 mydevice/0: can't "*": No space left on device; next try in "* ]]
		run -1 xenstore-exists /xensplit/5/mydevice/0
		run -1 xenstore-exists "$FE/0"
		: >>"$log"
		mark
		"$SANDBOX" proxy --fail-at "$number" --with ENOSPC -- \
			"$XENSPLIT" serve "$dir" --status-file "$state" 2>>"$log" 3>&- &
		proxy=$!
		connected "guest5 mydevice/0"
		says "guest5 mydevice/0: can't .*: No space left on device; next try in .*"
		kill "$(<"/proc/$proxy/task/$proxy/children")"
		wait "$proxy"
	done
}

@test "the journal gets priorities" {
	drivers
	file a.cfg guest5 mydevice/0
	echo junk >"$dir/b.cfg"
	: >"$log"
	JOURNAL_STREAM=$(stat -c %d:%i "$log") serve
	eventually grep -qE '^<5>guest5 mydevice/0: connected after ' "$log"
	grep -qE "^<3>$dir/b.cfg:" "$log"
	grep -qx '<6>connected to xenstored' "$log"
	run ! grep -v '^<[3-6]>' "$log"
	stop
	JOURNAL_STREAM=1:1 serve
	said "connected to xenstored"
}

@test "--quiet: warnings and errors only" {
	drivers
	file a.cfg guest5 mydevice/0
	echo junk >"$dir/b.cfg"
	serve --quiet
	status '.devices[0].state == "connected"'
	does detach 5
	said "guest5 mydevice/0: no longer connected"
	status '.devices[0] | .state == "connected" and .connects == 2'
	metric "reconnected_total 1"
	metric "lost_total 1"
	valid_metrics "$metrics"
	stop
	run ! grep -vE "$dir/b.cfg:|no longer" "$log"
}

@test "files that cannot be written: said once, and it goes on" {
	drivers
	file a.cfg guest5 mydevice/0
	metrics=$BATS_TEST_TMPDIR/none/metrics.prom serve
	said "can't write .*/none/metrics.prom: No such file or directory"
	connected "guest5 mydevice/0"
	status '.devices[0].state == "connected"'
	[[ $(grep -c "can't write" "$log") -eq 1 ]]
	mkdir "$BATS_TEST_TMPDIR/none"
	file a.cfg guest5 mydevice/0 mydevice/1
	eventually test -s "$BATS_TEST_TMPDIR/none/metrics.prom"
	stop
	fails 2 "can't write $BATS_TEST_TMPDIR/no/state: No such file or directory" \
		serve "$dir" --status-file "$BATS_TEST_TMPDIR/no/state"
}

@test "a driver domain: one line, exit 4" {
	file a.cfg guest5 mydevice/0
	for once in "" --once; do
		# shellcheck disable=SC2086 # no option
		run -4 --separate-stderr as 6 "$XENSPLIT" serve "$dir" --status-file "$state" $once
		[[ ${stderr_lines[-1]} == "xensplit: serve: only a privileged domain can keep devices: no permission to "* ]]
		[[ $(grep -c permission <<<"$stderr") -eq 1 ]]
	done
}

@test "wrong usage" {
	fails 2 "serve: can't read /none: No such file or directory" serve /none
	fails 2 "serve: can't read /dev/null: Not a directory" serve /dev/null
	fails 2 "serve: --timeout goes only with --once" serve "$dir" -t 5
	fails 2 "serve: --json goes only with --once and --status" serve "$dir" --json
	fails 2 "serve: --status goes only with" serve "$dir" --status
	for option in --once --replace --prune --metrics=m; do
		fails 2 "serve: --status goes only with" serve --status $option
	done
	fails 2 "serve: the arguments are [DIR]" serve "$dir" b
}
