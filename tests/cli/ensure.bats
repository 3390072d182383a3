#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# attach --ensure: as often as one likes.
# Words for a shell; bats sets stderr, and each test runs in its own subshell:
# shellcheck disable=SC1003,SC2016,SC2030,SC2031,SC2154

load common

# unchanged ARGUMENT...: attach succeeds and writes nothing, not even once more
unchanged()
{
	dump >"$BATS_TEST_TMPDIR/before"
	does attach "$@" || return 1
	dump | diff "$BATS_TEST_TMPDIR/before" -
}

@test "absent: attached; there and equal: nothing is changed" {
	drivers
	does attach guest5 --ensure -F mode=fast -B params=/dev/x
	[[ $output == "mydevice/0 attached to guest5 (domain 5), connected after "* ]]
	unchanged guest5 --ensure -F mode=fast -B params=/dev/x
	[[ $output == "mydevice/0 of guest5 (domain 5) is attached already, connected" ]]
	unchanged 5 mydevice/0 --ensure --replace -B params=/dev/x -F mode=fast
	[[ $output == *"is attached already, connected" ]]
	unchanged 5 --ensure -q -F mode=fast -B params=/dev/x
	[[ -z $output ]]
}

@test "--json says whether anything changed" {
	drivers
	does attach 5 --json --ensure
	json '.changed == true and .devices[0].frontend_state == "Connected"'
	unchanged 5 --json --ensure
	json '.changed == false and .devices[0].frontend_state == "Connected" and .devices[0].unique_id'
	does attach 5 --json --ensure --replace -F a=b
	json '.changed == true and .devices[0].keys.front == {a: "b"}'
	does attach 5 mydevice/1 --json
	json '.changed == true'
	does attach 5 --json --replace
	json '.changed == true and .devices[0].keys.front == {a: "b"}'
	tool attach 5 other -t 0.1 --json
	[[ $status -eq 6 ]]
	json '.changed == true and .error.code == "not-connected"'
	tool attach 5 more -t 0.1 --json --rollback
	[[ $status -eq 6 ]]
	json '.changed == false and .devices == []'
}

@test "it waits until Connected, within its time" {
	does attach 5 --no-wait
	unchanged 5 --ensure --no-wait
	[[ $output == "mydevice/0 of guest5 (domain 5) is attached already" ]]
	refused 6 "attach 5 mydevice/0: not connected after 0." attach 5 --ensure -t 0.3
	tool attach 5 --ensure -t 0.1 --json
	[[ $status -eq 6 ]]
	json '.changed == false and .devices[0].backend_state == "Initialising"'
	"$XENSPLIT" attach 5 --ensure -t 60 >"$BATS_TEST_TMPDIR/out" 3>&- &
	pid=$!
	drivers
	wait "$pid"
	[[ $(<"$BATS_TEST_TMPDIR/out") == *"is attached already, connected" ]]
	# Not its device: it stays.
	unchanged 5 --ensure --rollback
}

@test "what differs is named: exit 5, nothing changed, and the command that renews it" {
	drivers
	does attach 5 -F mode=fast -F x=1
	refused 5 "attach guest5 mydevice/0: already attached, but differs: front.mode is 'fast', not 'slow'; front.x is extra" \
		attach guest5 --ensure -F mode=slow
	tries "xensplit attach --replace guest5 --ensure -F mode=slow"
	refused 5 "differs: backend 0, not 6" attach 5 --ensure -b guest6 -F mode=fast -F x=1
	refused 5 "differs: backend type mydevice, not back" attach 5 --ensure --backend-type back -F mode=fast -F x=1
	refused 5 "differs: back.y is missing" attach 5 --ensure -F mode=fast -F x=1 -B y=2
	fails 5 "differs" attach 5 --ensure --json
	json '.error.code == "differs" and .error.try == "xensplit attach --replace 5 --ensure --json" and
		.error.states.frontend == "Connected"'
	json 'has("changed") | not'
	does attach 5 --ensure --replace -F mode=slow
	[[ $output == "mydevice/0 attached to guest5 (domain 5), connected after "* ]]
	unchanged 5 --ensure -F mode=slow
}

@test "the command is quoted: a shell reads it as it was given" {
	does attach guest5 --no-wait
	for value in "two words" '$HOME `id` "x" \ *' "it's" $'\e[31m\n' ''; do
		fails 5 "differs" attach guest5 --ensure --no-wait -F "key=$value" mydevice/0
		[[ $stderr != *$'\e'* ]]
		command=$(sed -n 's/^  try: xensplit //p' <<<"$stderr")
		eval "does $command"
		unchanged guest5 mydevice/0 --ensure --no-wait -F "key=$value"
	done
}

@test "foreign, stale and interrupted have codes of their own" {
	does attach 6 --no-wait
	"$SANDBOX" kill 6
	"$SANDBOX" create 6
	activate /local/domain/5/device/mydevice/0 /local/domain/0/backend/mydevice/5/0
	does attach 5 mydevice/1 --no-wait
	xenstore-write /xensplit/5/mydevice/1 "$(xenstore-read -R /xensplit/5/mydevice/1)"$'\nphase=replace\n'
	for row in "5 mydevice/0=foreign" "6 mydevice/0=stale" "5 mydevice/1=interrupted"; do
		# shellcheck disable=SC2086 # words
		refused 5 "" attach ${row%=*} --ensure --json
		json ".error.code == \"${row#*=}\""
	done
	does attach 5 mydevice/2 --no-wait
	refused 5 "" attach 5 mydevice/2 --json
	json '.error.code == "already-attached"'
}

@test "--dry-run shows nothing to do, or what would be written" {
	does attach 5 --ensure -n -F a=b
	[[ $output == *"write /xensplit/5/mydevice/0 "* ]]
	does attach 5 --no-wait -F a=b
	unchanged 5 --ensure -n -F a=b
	[[ $output == "nothing to do" ]]
	unchanged 5 --ensure -n -F a=b --json
	[[ $output == '{"schema":1,"changes":[]}' ]]
	refused 5 "differs: front.a is 'b', not 'c'" attach 5 --ensure -n -F a=c
	unchanged 5 --ensure -n -F a=c --replace
	[[ $output == *"write /local/domain/5/device/mydevice/0/a = \"c\""* ]]
}

@test "bad input" {
	refused 2 "--ensure needs a DEVID: auto is a new device each time" attach 5 mydevice/auto --ensure
	refused 3 "no such domain: 'nobody'" attach nobody --ensure
	refused 2 "" attach 5 --ensure -F state=4
	refused 2 "--no-keep-keys needs --replace" attach 5 --ensure --no-keep-keys
	refused 2 "is not a device" attach 5 mydevice/x --ensure
}

@test "a guest can't make a device differ, or seem equal" {
	does attach 5 --no-wait -F a=b
	as 5 xenstore-write device/mydevice/0/a c
	unchanged 5 --ensure --no-wait -F a=b
	refused 5 "front.a is 'b', not 'c'" attach 5 --ensure --no-wait -F a=c
}

@test "with --wait-domain: one command for a guest that is not there yet" {
	"$XENSPLIT" attach guest7 --ensure --wait-domain --no-wait -t 60 -v >"$BATS_TEST_TMPDIR/out" \
		2>"$BATS_TEST_TMPDIR/err" 3>&- &
	pid=$!
	eventually grep -q "waiting for domain" "$BATS_TEST_TMPDIR/err"
	"$SANDBOX" create 7
	wait "$pid"
	unchanged guest7 --ensure --wait-domain --no-wait
	[[ $output == "mydevice/0 of guest7 (domain 7) is attached already" ]]
}
