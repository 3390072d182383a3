#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2154 # bats sets stderr

load common

@test "until connected, which is the default" {
	does attach 5 --no-wait
	"$XENSPLIT" wait 5 >"$BATS_TEST_TMPDIR/out" 3>&- &
	pid=$!
	sleep 0.2
	drivers
	wait "$pid"
	grep -E '^mydevice/0 of guest5 \(domain 5\) is connected after ([2-9][0-9][0-9] ms|[0-9]+\.[0-9] s)$' \
		"$BATS_TEST_TMPDIR/out"
	does wait guest5 mydevice/0 --until=connected -t 0
	[[ $output == "mydevice/0 of guest5 (domain 5) is connected after "*s ]]
}

@test "until closed, and until gone (pitfall 14)" {
	drivers
	does attach 5
	for until in closed gone; do
		"$XENSPLIT" wait 5 --until=$until >"$BATS_TEST_TMPDIR/$until" 3>&- &
		pids+=($!)
	done
	sleep 0.2
	does detach 5
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	grep "^mydevice/0 of .*domain 5)* is closed" "$BATS_TEST_TMPDIR/closed"
	grep -E '^mydevice/0 of domain 5 is gone after ([0-9]+ ms|[0-9.]+ s)$' "$BATS_TEST_TMPDIR/gone"
	does wait 5 --until gone -t 0
	[[ $output == "mydevice/0 of domain 5 is gone after "* ]]
	does wait 5 --until gone --json
	[[ $output == '{"schema":1,"devices":[]}' ]]
}

@test "at the deadline: exit 6 with the states" {
	does attach 5 --no-wait
	refused 6 "wait 5 mydevice/0: not connected after " wait 5 -t 0.2
	[[ $stderr == *" s (frontend Initialising, backend Initialising)"* ]]
	refused 6 "not connected" wait 5 -t 0
	refused 6 "not closed" wait 5 -t 0.1 --until=closed
	refused 6 "still there" wait 5 -t 0.1 --until=gone
}

@test "--json prints the device, even at the deadline" {
	does attach 5 --no-wait
	tool wait 5 -t 0 --json
	[[ $status -eq 6 ]]
	json '.schema == 1 and .devices[0].backend_state == "Initialising"'
	drivers
	does wait 5 --json
	json '.schema == 1 and .devices[0].backend_state == "Connected"'
}

@test "a driver that gave up: exit 1 with its error (pitfall 15)" {
	does attach 5 --no-wait
	"$XENSPLIT" wait 5 -t 20 --json >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	pid=$!
	sleep 0.2
	drive back 0 mydevice --error "out of rings"
	status=0
	wait "$pid" || status=$?
	[[ $status -eq 1 ]]
	grep '^xensplit: wait.*out of rings' "$BATS_TEST_TMPDIR/err"
	output=$(<"$BATS_TEST_TMPDIR/out")
	json '.devices[0].devid == 0'
}

@test "a device that does not exist: exit 3" {
	refused 3 "wait 5 mydevice/0: no such device" wait 5
	refused 3 "wait 5 mydevice/0: no such device" wait 5 --json
	refused 3 "wait 99 mydevice/0: no such device" wait 99
	does attach 5 --no-wait
	"$XENSPLIT" wait 5 -t 20 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	pid=$!
	sleep 0.2
	does detach 5
	status=0
	wait "$pid" || status=$?
	[[ $status -eq 3 ]]
	grep "^xensplit: wait" "$BATS_TEST_TMPDIR/err"
}

@test "wait works for a device of another tool" {
	xenstore-write /local/domain/5/device/vif/0/backend-id 0
	xenstore-write /local/domain/5/device/vif/0/backend /local/domain/0/backend/vif/5/0
	xenstore-write /local/domain/0/backend/vif/5/0/frontend-id 5
	xenstore-write /local/domain/0/backend/vif/5/0/frontend /local/domain/5/device/vif/0
	xenstore-write /local/domain/5/device/vif/0/state 4
	xenstore-write /local/domain/0/backend/vif/5/0/state 4
	does wait 5 vif -t 1
	[[ $output == "vif/0 of guest5 (domain 5) is connected after "*s ]]
}

@test "a guest that toggles its state does not delay the deadline (pitfalls 2, 15)" {
	does attach 5 --no-wait
	as 5 bash -c 'while xenstore-write device/mydevice/0/state 3 device/mydevice/0/state 1; do :; done' \
		2>/dev/null 3>&- &
	flood=$!
	start=${EPOCHREALTIME/./}
	fails 6 "not connected" wait 5 -t 1
	took=$(((${EPOCHREALTIME/./} - start) / 1000))
	kill "$flood"
	((took >= 1000 && took < 10000))
}

@test "-q prints nothing on success" {
	drivers
	does attach 5 -q
	does wait 5 -q
	[[ -z $output ]]
}
