#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later

load common

@test "if nothing is stale" {
	does attach 5 --no-wait
	dump >"$BATS_TEST_TMPDIR/before"
	does reap
	[[ $output == "nothing is stale" ]]
	does reap --json
	[[ $output == '{"schema":1,"devices":[]}' ]]
	does reap -n
	[[ -z $output ]]
	does reap -n --json
	[[ $output == '{"schema":1,"changes":[]}' ]]
	does reap -q
	[[ -z $output ]]
	dump | diff "$BATS_TEST_TMPDIR/before" -
}

@test "devices of a dead domain are removed, others stay (pitfall 22)" {
	does attach 6 --no-wait
	"$SANDBOX" create 7 --name gone
	dump | grep -v -e /local/domain/7 -e /vm/ -e /libxl/7 >"$BATS_TEST_TMPDIR/before"
	does attach 7 --no-wait
	does attach 7 mydevice/4 --no-wait
	does attach 7 other -b 6 --no-wait
	"$SANDBOX" kill 7
	dump >"$BATS_TEST_TMPDIR/stale"

	does reap --dry-run
	[[ $output == *"remove /local/domain/0/backend/mydevice/7/0"* ]]
	[[ $output == *"remove /local/domain/6/backend/other/7/0"* ]]
	[[ $output == *"remove /xensplit/7/mydevice/4"* ]]
	[[ $output != *"/6/mydevice"* && $output != *write* ]]
	dump | diff "$BATS_TEST_TMPDIR/stale" -

	does reap
	[[ $output == "mydevice/0 of domain 7 removed
mydevice/4 of domain 7 removed
other/0 of domain 7 removed" ]]
	dump | grep -v -e /vm/ | diff "$BATS_TEST_TMPDIR/before" -
	does reap
	[[ $output == "nothing is stale" ]]
}

@test "the cursor for a dead domain's ids is removed, too" {
	"$SANDBOX" create 7
	does attach 7 mydevice/auto --no-wait
	does detach 7 mydevice/0
	does attach 7 mydevice/auto --no-wait
	"$SANDBOX" kill 7
	does reap
	run ! xenstore-exists /xensplit/7
}

@test "a domid of another domain now: refused, then reaped, then free (pitfall 8)" {
	does attach 5 --no-wait
	"$SANDBOX" kill 5
	"$SANDBOX" create 5 --name another
	does list --json
	json '.devices[0].stale and .devices[0].domain == "another"'
	refused 5 "an earlier domain 5 left a device of that name" attach 5
	does reap --json
	json '.schema == 1 and (.devices | length) == 1 and .devices[0].removed and .devices[0].error == null'
	does attach 5 --no-wait
	does list --json
	json '.devices | length == 1 and (.[0].stale | not)'
}

@test "a driver domain that is gone makes its devices stale, too (pitfall 8)" {
	does attach 5 -b 6 --no-wait
	does attach 5 mydevice/1 --no-wait
	"$SANDBOX" kill 6
	does list --json
	json '[.devices[].stale] == [true, false]'
	does reap
	[[ $output == "mydevice/0 of guest5 (domain 5) removed" ]]
	run ! xenstore-exists /local/domain/5/device/mydevice/0
	xenstore-exists /local/domain/5/device/mydevice/1
}

@test "two at once do not disturb each other" {
	for domid in 7 8 9; do
		"$SANDBOX" create "$domid"
		does attach "$domid" --no-wait
		"$SANDBOX" kill "$domid"
	done
	for _ in 1 2 3 4; do
		"$XENSPLIT" reap 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	does list --json
	json '.devices == []'
}

# A driver domain that keeps writing, and another client that attaches and detaches.
@test "everything is reaped while others keep writing" {
	local i

	for i in 0 1 2 3 4; do
		does attach 5 "mydevice/$i" -b 6 --no-wait
	done
	"$SANDBOX" kill 5
	# shellcheck disable=SC2016 # expanded by the guest's shell
	as 6 timeout 60 bash -c 'while :; do for i in 0 1 2 3 4; do
		xenstore-write backend/mydevice/5/$i/state 4; done; done' >/dev/null 2>&1 3>&- &
	noise=$!
	"$SANDBOX" create 7
	# shellcheck disable=SC2016 # expanded by that shell
	timeout 60 bash -c 'while :; do "$XENSPLIT" -q attach 7 --no-wait; "$XENSPLIT" -q detach 7; done' \
		>/dev/null 2>&1 3>&- &
	other=$!
	does reap --json
	kill "$noise" "$other"
	json '[.devices[] | select(.domid == 5) | .removed] == [true, true, true, true, true]'
	run ! xenstore-exists /xensplit/5
}

@test "reap of one domain" {
	for domid in 7 8; do
		"$SANDBOX" create "$domid"
		does attach "$domid" --no-wait
		"$SANDBOX" kill "$domid"
	done
	does reap 7
	[[ $output == "mydevice/0 of domain 7 removed" ]]
	run ! xenstore-exists /xensplit/7
	xenstore-exists /xensplit/8/mydevice/0
}

@test "a record that can't be parsed: shown, removed by force, or with its dead domain" {
	does attach 5 --no-wait
	"$SANDBOX" create 7
	does attach 7 --no-wait
	xenstore-write /xensplit/5/mydevice/0 gibberish /xensplit/7/mydevice/0 'schema=9'
	does list --json
	json '[.devices[] | .damaged] == [true, true]'
	tool doctor 5 mydevice/0
	[[ $status -eq 1 && $output == *"[record-damaged]"*"xensplit detach 5 mydevice/0 --force"* ]]
	refused 1 "is damaged" detach 5
	does detach 5 mydevice/0 --force
	run ! xenstore-exists /xensplit/5
	run ! xenstore-exists /local/domain/5/device/mydevice
	run ! xenstore-exists /local/domain/0/backend/mydevice/5
	"$SANDBOX" kill 7
	does reap
	run ! xenstore-exists /xensplit
	run ! xenstore-exists /local/domain/0/backend
}
