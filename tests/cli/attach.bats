#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2154 # bats sets stderr

load common

# The nodes of mydevice/0 of domain 5, as in the schema, in the order of xenstore-ls, without
# what differs from run to run.
schema()
{
	dump | grep -E '^(/xensplit|/local/domain/5/device/mydevice|/local/domain/0/backend)' |
		sed -E 's/(unique-id|created|frontend-mark)=[0-9a-f]+/\1=.../g' | LC_ALL=C sort
}

@test "attach DOMAIN does what activate.sh did, with the right owners (pitfalls 3, 5)" {
	does attach 5 --no-wait
	[[ $output == "mydevice/0 attached to guest5 (domain 5), not waiting for the drivers" ]]
	diff - <(schema) <<-'END'
		/local/domain/0/backend = ""   (n0)
		/local/domain/0/backend/mydevice = ""   (n0)
		/local/domain/0/backend/mydevice/5 = ""   (n0)
		/local/domain/0/backend/mydevice/5/0 = ""   (n0,r5)
		/local/domain/0/backend/mydevice/5/0/frontend = "/local/domain/5/device/mydevice/0"   (n0,r5)
		/local/domain/0/backend/mydevice/5/0/frontend-id = "5"   (n0,r5)
		/local/domain/0/backend/mydevice/5/0/online = "1"   (n0,r5)
		/local/domain/0/backend/mydevice/5/0/state = "1"   (n0,r5)
		/local/domain/5/device/mydevice = ""   (n0,r5)
		/local/domain/5/device/mydevice/0 = ""   (n5,r0)
		/local/domain/5/device/mydevice/0/backend = "/local/domain/0/backend/mydevice/5/0"   (n0,r5,r0)
		/local/domain/5/device/mydevice/0/backend-id = "0"   (n0,r5,r0)
		/local/domain/5/device/mydevice/0/state = "1"   (n5,r0)
		/xensplit = ""   (n0)
		/xensplit/5 = ""   (n0)
		/xensplit/5/mydevice = ""   (n0)
		/xensplit/5/mydevice/0 = "schema=1\nbackend-id=0\nfrontend-mark=...\nunique-id=...\ncreated=...\n"   (n0)
	END
	[[ $(record frontend-mark) == "$(store /local/domain/5/xensplit)" ]]
	run as 5 xenstore-read xensplit
	[[ $status -ne 0 ]]
}

@test "the guest can write its state and no other node of the device (pitfall 3)" {
	does attach 5 --no-wait
	as 5 xenstore-write device/mydevice/0/state 3
	[[ $(store /local/domain/5/device/mydevice/0/state) == 3 ]]
	as 5 xenstore-read device/mydevice/0/backend
	as 5 xenstore-read /local/domain/0/backend/mydevice/5/0/state
	dump >"$BATS_TEST_TMPDIR/before"
	run ! as 5 xenstore-write device/mydevice/0/backend /local/domain/0/backend/vbd/6/0
	run ! as 5 xenstore-write device/mydevice/0/backend-id 6
	for node in state online frontend frontend-id new; do
		run ! as 5 xenstore-write "/local/domain/0/backend/mydevice/5/0/$node" 4
	done
	run ! as 5 xenstore-rm /local/domain/0/backend/mydevice/5/0
	run ! as 5 xenstore-read /xensplit/5/mydevice/0/backend
	run ! as 6 xenstore-read /local/domain/5/device/mydevice/0/state
	run ! as 6 xenstore-read /local/domain/0/backend/mydevice/5/0/state
	dump | diff "$BATS_TEST_TMPDIR/before" -
}

@test "attach returns when both ends are Connected, and says so" {
	drivers
	does attach 5
	[[ $output =~ ^mydevice/0\ attached\ to\ guest5\ \(domain\ 5\),\ connected\ after\ ([0-9]+\ ms|[0-9]+\.[0-9]\ s)$ ]]
	[[ $(store /local/domain/5/device/mydevice/0/state) == 4 ]]
	[[ $(store /local/domain/0/backend/mydevice/5/0/state) == 4 ]]
}

@test "the domain can be a name, type and devid can be given" {
	drivers
	does attach guest5 mydevice
	[[ $output == "mydevice/0 attached to guest5 (domain 5), connected after "* ]]
	does attach guest5 mydevice/3
	[[ $output == "mydevice/3 attached to guest5 (domain 5), connected after "* ]]
	does attach 5 mydevice/07
	[[ $output == "mydevice/7 attached to guest5 (domain 5), connected after "* ]]
	does attach 5 other --no-wait
	[[ $output == "other/0 attached to guest5"* ]]
}

@test "--json prints the device with every field of the contract" {
	drivers
	does --json attach 5
	json '.schema == 1 and .devices == [.devices[0] | {domid: 5, domain: "guest5", type: "mydevice",
		devid: 0, backend_domid: 0, frontend_state: "Connected", backend_state: "Connected",
		online: true, origin: "xensplit", stale: false, backend_type: "mydevice",
		frontend: "/local/domain/5/device/mydevice/0",
		backend: "/local/domain/0/backend/mydevice/5/0", damaged: false, phase: null,
		listed: null, created, unique_id, keys}]'
	does attach 5 mydevice/1 --no-wait --json
	json '.schema == 1 and (.devices | length) == 1 and .devices[0].devid == 1'
}

@test "auto picks an id, prints it, and does not reuse it soon (pitfall 9)" {
	drivers
	for id in 0 1; do
		does attach 5 mydevice/auto
		[[ $output == "mydevice/$id attached to guest5 (domain 5), connected after "* ]]
		does detach 5 "mydevice/$id"
	done
	does attach 5 mydevice/auto --json
	json '.devices[0].devid == 2'
	does attach 5 mydevice/3 --no-wait
	does attach 5 mydevice/auto --no-wait
	[[ $output == "mydevice/4 attached to guest5"* ]]
}

@test "a device without drivers: exit 6, states and cause, and it stays (pitfall 26)" {
	fails 6 "attach 5 mydevice/0: not connected after " attach 5 -t 0.2
	[[ $stderr == *" s (frontend Initialising, backend Initialising)"* ]]
	tries "in dom0: modprobe xen-backend:mydevice"
	[[ $stderr == *"note: no TYPE was given"* ]]
	[[ $(record backend-id) == 0 ]]
	tool attach 5 mydevice/1 -t 0.2 --json
	[[ $status -eq 6 && $stderr == "xensplit: attach 5 mydevice/1: "* ]]
	[[ $stderr != *"no TYPE was given"* ]]
	json '.schema == 1 and .devices[0].devid == 1 and .devices[0].frontend_state == "Initialising"
		and .error.code == "not-connected" and .error.device.devid == 1
		and .error.states.backend == "Initialising"
		and .error.try == "in dom0: modprobe xen-backend:mydevice"'
}

@test "-t sets the time limit, 0.3 or 1 second" {
	for seconds in 0.3 1; do
		start=${EPOCHREALTIME/./}
		fails 6 "" attach 5 "mydevice/${seconds/./}" --timeout "$seconds"
		took=$(((${EPOCHREALTIME/./} - start) / 1000))
		want=$(jq -n "$seconds * 1000")
		((took >= want && took < want + 5000))
	done
}

@test "a device connects when its drivers are loaded later" {
	"$XENSPLIT" attach 5 >"$BATS_TEST_TMPDIR/out" 3>&- &
	pid=$!
	eventually xenstore-exists /xensplit/5/mydevice/0
	sleep 0.2
	drivers
	wait "$pid"
	grep -E "connected after ([2-9][0-9][0-9] ms|[0-9]+\.[0-9] s)" "$BATS_TEST_TMPDIR/out"
}

@test "a driver that gives up ends the wait with its error, escaped (pitfalls 15, 17)" {
	drive front 5 mydevice
	drive back 0 mydevice --error $'no \x1b[31mring\n\\'
	start=$SECONDS
	fails 1 "no \x1b[31mring\x0a\\\\" attach 5 -t 20
	((SECONDS - start < 15))
	[[ $stderr == "xensplit: attach 5 mydevice/0: "* ]]
	does list --noheadings
	[[ $output == *"5 guest5 mydevice"* ]]
	tool attach 5 mydevice/1 -t 20 --json
	[[ $status -eq 1 ]]
	json '.devices[0].devid == 1'
}

@test "a backend that skips InitWait connects (pitfall 15)" {
	"$XENSPLIT" attach 5 >"$BATS_TEST_TMPDIR/out" 3>&- &
	pid=$!
	eventually xenstore-exists /xensplit/5/mydevice/0
	xenstore-write /local/domain/0/backend/mydevice/5/0/state 7
	as 5 xenstore-write device/mydevice/0/state 4
	wait "$pid"
	grep ", connected after" "$BATS_TEST_TMPDIR/out"
}

@test "--rollback leaves nothing of a device that did not connect" {
	dump >"$BATS_TEST_TMPDIR/before"
	fails 6 "removed again" attach 5 -t 0.2 --rollback
	dump | diff "$BATS_TEST_TMPDIR/before" -
	drive back 0 other --error 'no ring'
	tool attach 5 other --rollback --json
	[[ $status -eq 1 && $stderr == *"no ring"* ]]
	json '.devices == [] and .error.code == "driver-gave-up"'
	dump | diff "$BATS_TEST_TMPDIR/before" -
	drivers
	does attach 5 --rollback
	[[ $(record backend-id) == 0 ]]
}

@test "--replace replaces a device of ours, in use or not" {
	does attach 5 --no-wait
	first=$(record unique-id)
	does attach 5 --replace --no-wait
	second=$(record unique-id)
	[[ $first != "$second" ]]
	drivers
	does wait 5
	does attach 5 --replace
	[[ $output == *", connected after"* ]]
	[[ $second != "$(record unique-id)" ]]
}

@test "--replace replaces what a script or a guest left (pitfalls 7, 20)" {
	xenstore-write /local/domain/0/backend/mydevice/5/0/leftover 1
	xenstore-write /local/domain/5/device/mydevice/0/leftover 1
	xenstore-chmod -r /local/domain/5/device/mydevice n5
	as 5 xenstore-write device/mydevice/0/state 4
	refused 5 "/local/domain/5/device/mydevice/0 exists" attach 5 --no-wait
	does attach 5 --no-wait --replace
	run ! grep leftover <(dump)
	dump | grep -F '/local/domain/5/device/mydevice/0 = ""   (n5,r0)'
	dump | grep -F '/local/domain/5/device/mydevice/0/backend-id = "0"   (n0,r5,r0)'
	dump | grep -F '/local/domain/5/device/mydevice/0/state = "1"   (n5,r0)'
}

@test "--reserved allows a type that libxl manages (pitfall 21)" {
	refused 2 "libxl manages devices of type 'vbd'" attach 5 vbd/9 --no-wait
	does attach 5 vbd/9 --no-wait --reserved
	[[ $(store /local/domain/5/device/vbd/9/state) == 1 ]]
}

@test "-b puts the backend into a driver domain (pitfalls 4, 18)" {
	drive front 5 mydevice
	drive back 6 mydevice
	dump >"$BATS_TEST_TMPDIR/before"
	for backend in 6 guest6; do
		does attach 5 -b "$backend" --json
		json '.devices[0].backend_domid == 6 and .devices[0].backend_state == "Connected"
			and .devices[0].backend == "/local/domain/6/backend/mydevice/5/0"'
		dump | grep -F '/local/domain/6/backend/mydevice/5/0 = ""   (n6,r5)'
		dump | grep -F '/local/domain/5/device/mydevice/0 = ""   (n5,r6)'
		does detach 5
	done
	dump | diff "$BATS_TEST_TMPDIR/before" -
}

@test "-F and -B add nodes, with the owner of their side and a copy in the record" {
	does attach 5 --no-wait -F ring-page-order=2 --front 'empty=' -F 'eq=a=b' \
		-B "text=two words, \$HOME" --back 'mode=rw'
	[[ $(store /local/domain/5/device/mydevice/0/ring-page-order) == 2 ]]
	[[ $(store /local/domain/5/device/mydevice/0/empty) == "" ]]
	[[ $(store /local/domain/5/device/mydevice/0/eq) == a=b ]]
	[[ $(store /local/domain/0/backend/mydevice/5/0/text) == "two words, \$HOME" ]]
	dump | grep -F '/device/mydevice/0/eq = "a=b"   (n5,r0)'
	dump | grep -F '/backend/mydevice/5/0/mode = "rw"   (n0,r5)'
	[[ $(record front.eq) == a=b && $(record back.mode) == rw ]]
	[[ $(record back.text) == "two words, \$HOME" ]]
	value=$(printf 'x%.0s' {1..2048})
	does attach 5 mydevice/1 --no-wait -B "long=$value"
	[[ $(store /local/domain/0/backend/mydevice/5/1/long) == "$value" ]]
}

@test "-n prints the changes that attach would make, and makes none" {
	dump >"$BATS_TEST_TMPDIR/before"
	dir=/local/domain/5/device/mydevice/2
	does attach 5 mydevice/2 -F key=value -n
	dump | diff "$BATS_TEST_TMPDIR/before" -
	preview=$output
	[[ $preview == *'write /local/domain/5/device/mydevice/2/key = "value" (n5,r0)'* ]]

	# unique-id and time differ; everything else is equal, including parents
	pattern='^(/xensplit/5/mydevice/2 =|/local/domain/5/xensplit =|permissions )'
	# the permissions of these are set twice
	[[ $preview == *"write $dir = \"\" (n0,r5,r0)"*"permissions $dir (n5,r0)"* ]]
	pattern+="|^$dir ="

	does attach 5 mydevice/2 -F key=value --no-wait
	diff <(sed -E 's/^write (.*) = "(.*)" \((.*)\)$/\1 = "\2"   (\3)/' <<<"$preview" |
		grep -vE "$pattern" | LC_ALL=C sort) \
		<(dump | diff "$BATS_TEST_TMPDIR/before" - | sed -n 's/^> //p' |
			grep -vE "$pattern" | LC_ALL=C sort)
}

@test "-n --json prints the same changes" {
	does attach 5 -n
	count=${#lines[@]}
	does attach 5 --dry-run --json
	json ".schema == 1 and (.changes | length) == $count"
	json '[.changes[] | (.op == "permissions" or (.value | type) == "string") and (.permissions | type) == "string"] | all'
	json '.changes | any(.path == "/local/domain/5/device/mydevice/0/state" and .value == "1" and .permissions == "n5,r0")'
	does attach 5 --no-wait
	does attach 5 -n --replace --rollback
	[[ $output == "remove "* || $output == *$'\n'"remove "* ]]
	does attach 5 -n --replace --json
	json '.changes | any(.op == "remove" and (has("value") or has("permissions") | not))'
}

@test "-n finds the errors that attach would find" {
	dump >"$BATS_TEST_TMPDIR/before"
	fails 3 "no such domain: 99" attach 99 -n
	fails 2 "bus id" attach 5 thisisatoolongtype -n
	fails 2 "libxl manages" attach 5 vif -n
	dump | diff "$BATS_TEST_TMPDIR/before" -
	does attach 5 mydevice/auto -n
	[[ $output == *"/mydevice/0/state"* ]]
	does attach 5 --no-wait
	fails 5 "already attached" attach 5 -n
}

@test "-q prints nothing on success, and errors on failure" {
	does -q attach 5 --no-wait
	[[ -z $output ]]
	fails 6 "not connected" attach 5 mydevice/1 -q -t 0.1
	does attach 5 mydevice/2 -q --no-wait --json
	json '.devices[0].devid == 2'
}

@test "-v -v says that XenStore is asked if Xen can't be (pitfall 24)" {
	[[ ! -e /dev/xen/privcmd ]] || skip "this machine runs Xen"
	tool -vv attach 5 --no-wait
	[[ $status -eq 0 && $(grep -c "^xensplit: Xen can't be asked about domains" <<<"$stderr") -eq 1 ]]
	tool -v attach 5 mydevice/1 --no-wait
	[[ $status -eq 0 && $stderr == "xensplit: domain 5 mydevice/1: written" ]]
}

@test "progress is shown on a terminal, not on a pipe" {
	fails 6 "not connected" attach 5 -t 0.3
	run script -qec "'$XENSPLIT' attach 5 mydevice/1 -t 1" /dev/null
	[[ $output == *"guest5 mydevice/1: Initialising/Initialising, "[01]" of 1 s"* ]]
	run script -qec "'$XENSPLIT' -q attach 5 mydevice/2 -t 1" /dev/null
	[[ $output != *" of 1 s"* ]]
	# a line that wraps can't be erased
	run script -qec "stty cols 40; '$XENSPLIT' attach 5 mydevice/3 -t 1" /dev/null
	[[ $output == *", "[01]" of 1 s"* ]]
	run ! grep -E "^.{40}.*of 1 s" < <(tr "\r" "\n" <<<"$output")
}

@test "of several at once one wins, the others find that the device exists" {
	for i in {1..8}; do
		"$XENSPLIT" attach 5 --no-wait >"$BATS_TEST_TMPDIR/$i" 2>&1 3>&- &
		pids[i]=$!
	done
	won=0
	for i in {1..8}; do
		status=0
		wait "${pids[i]}" || status=$?
		cat "$BATS_TEST_TMPDIR/$i"
		case $status in
		0) ((++won)) ;;
		5) grep -qE 'already attached|kept' "$BATS_TEST_TMPDIR/$i" ;;
		*) false ;;
		esac
	done
	[[ $won -eq 1 ]]
	[[ $(schema | wc -l) -eq 17 ]]
}

@test "eight at once with auto get eight ids" {
	for i in {1..8}; do
		"$XENSPLIT" attach 5 mydevice/auto --no-wait >"$BATS_TEST_TMPDIR/$i" 2>&1 3>&- &
		pids[i]=$!
	done
	for i in {1..8}; do
		wait "${pids[i]}"
	done
	[[ $(cat "$BATS_TEST_TMPDIR"/[1-8] | cut -d' ' -f1 | LC_ALL=C sort) == \
		"$(printf 'mydevice/%d\n' {0..7})" ]]
}

@test "Ctrl-C during the wait leaves a whole device" {
	# bash makes its background jobs ignore SIGINT
	env --default-signal=INT "$XENSPLIT" attach 5 -t 20 2>/dev/null 3>&- &
	eventually xenstore-exists /xensplit/5/mydevice/0
	kill -INT $!
	status=0
	wait $! || status=$?
	[[ $status -eq 130 ]]
	[[ $(schema | wc -l) -eq 17 ]]
}

@test "--rollback also rolls back on SIGINT and SIGTERM" {
	dump >"$BATS_TEST_TMPDIR/before"
	for signal in INT TERM; do
		env --default-signal=INT "$XENSPLIT" attach 5 -t 60 --rollback \
			2>"$BATS_TEST_TMPDIR/err" 3>&- &
		pid=$!
		eventually xenstore-exists /xensplit/5/mydevice/0
		kill -$signal "$pid"
		status=0
		wait "$pid" || status=$?
		[[ $status -eq $((128 + $(kill -l $signal))) ]]
		grep "cancelled; it was removed again" "$BATS_TEST_TMPDIR/err"
		dump | diff "$BATS_TEST_TMPDIR/before" -
	done
}

@test "--replace while a guest keeps writing" {
	drivers
	does attach 5
	# shellcheck disable=SC2016 # expanded by the guest's shell
	as 5 timeout 60 bash -c 'while :; do xenstore-write device/mydevice/0/state 4; done' \
		>/dev/null 2>&1 3>&- &
	noise=$!
	first=$(record unique-id)
	tool attach 5 --replace -t 10
	kill "$noise"
	[[ $status -eq 0 && $first != "$(record unique-id)" ]]
}

@test "-t is the limit for the whole of --replace" {
	drive front 5 mydevice --never-close
	drive back 0 mydevice --never-close
	does attach 5
	start=${EPOCHREALTIME/./}
	tool attach 5 --replace -t 2
	took=$(((${EPOCHREALTIME/./} - start) / 1000))
	[[ $status -eq 6 || $status -eq 0 ]]
	((took < 8000))
}

@test "xenstored dies during the wait: attach says so, long before the deadline (pitfall 16)" {
	"$XENSPLIT" attach 5 -t 20 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	pid=$!
	eventually xenstore-exists /xensplit/5/mydevice/0
	sleep 0.2
	start=$SECONDS
	"$SANDBOX" stop-daemon
	status=0
	wait "$pid" || status=$?
	[[ $status -eq 1 ]]
	((SECONDS - start < 10))
	grep "^xensplit: attach.*xenstored" "$BATS_TEST_TMPDIR/err"
}

@test "XENSPLIT_TYPE is the type if none is given" {
	XENSPLIT_TYPE=other does attach 5 --no-wait
	[[ $output == "other/0 attached to guest5"* ]]
	XENSPLIT_TYPE='' does attach 5 --no-wait
	[[ $output == "mydevice/0 attached to guest5"* ]]
	XENSPLIT_TYPE=other does attach 5 third --no-wait
	[[ $output == "third/0 attached to guest5"* ]]
	XENSPLIT_TYPE='a b' fails 2 "'a b' is not a device type" attach 5
	XENSPLIT_TYPE=other does detach 5
	[[ $output == "other/0 detached from guest5"* ]]
}
