#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later

load common

@test "where nothing is stale" {
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

@test "what a dead domain left is removed, and living devices stay (pitfall 22)" {
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
	[[ $output == "mydevice/0 of domain 7: removed
mydevice/4 of domain 7: removed
other/0 of domain 7: removed" ]]
	dump | grep -v -e /vm/ | diff "$BATS_TEST_TMPDIR/before" -
	does reap
	[[ $output == "nothing is stale" ]]
}

@test "the cursor of a dead domain's ids goes with it" {
	"$SANDBOX" create 7
	does attach 7 mydevice/auto --no-wait
	does detach 7 mydevice/0
	does attach 7 mydevice/auto --no-wait
	"$SANDBOX" kill 7
	does reap
	run ! xenstore-exists /xensplit/7
}

@test "a domid that another domain has now: refused, then reaped, then free (pitfall 8)" {
	does attach 5 --no-wait
	"$SANDBOX" kill 5
	"$SANDBOX" create 5 --name another
	does list --json
	json '.devices[0].stale and .devices[0].domain == "another"'
	refused 5 "xensplit reap" attach 5
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
	[[ $output == "mydevice/0 of domain 5: removed" ]]
	run ! xenstore-exists /local/domain/5/device/mydevice/0
	xenstore-exists /local/domain/5/device/mydevice/1
}

@test "two at once do not get in each other's way" {
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
