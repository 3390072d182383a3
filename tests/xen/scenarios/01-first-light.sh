#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: attach connects both drivers, list and show report it, detach leaves no node behind

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
need_tool

modprobe mydeviceback
guest_use g1 g2
d1=$(guest_domid g1)
d2=$(guest_domid g2)
front=/local/domain/$d1/device/mydevice/0
back=/local/domain/0/backend/mydevice/$d1/0
store_dump >$work/before

# By domid, and by name.
expect "attach by domid" xensplit attach "$d1" -t 120
expect "attach by name" xensplit attach g2 -t 120
expect_is "both ends of the first are Connected" "$(states "$d1")" 4/4
expect_is "both ends of the second are Connected" "$(states "$d2")" 4/4
for guest in g1 g2; do
	expect_has "the frontend's probe ran in $guest" "$(guest_cmd $guest dmesg)" \
		'mydevicefront: Probe called. We are good to go.'
done
expect_is "the backend's probe ran for each" \
	"$(dom0_log | grep -c 'mydeviceback: Probe called. We are good to go.')" 2

# While connected.
run xensplit list
expect_has "list has the first" "$output" "^ *$d1 +g1 +mydevice/0 +0 +Connected +Connected +-$"
expect_has "list has the second" "$output" "^ *$d2 +g2 +mydevice/0 +0 +Connected +Connected +-$"
run xensplit list --json
# shellcheck disable=SC2016 # jq's variables
expect "list --json has the same" jq -e --argjson a "$d1" --argjson b "$d2" '
	.schema == 1 and ([.devices[] | [.domid, .domain, .type, .devid, .backend_domid,
		.frontend_state, .backend_state, .online, .stale]] | sort_by(.[1])) ==
	[[$a, "g1", "mydevice", 0, 0, "Connected", "Connected", true, false],
	 [$b, "g2", "mydevice", 0, 0, "Connected", "Connected", true, false]]' $work/output
run xensplit show g1
expect_has "show has the frontend, which is the guest's own" "$output" "^n$d1,r0 +$front$"
expect_has "with its state" "$output" "^n$d1,r0 +state = \"4\" \(Connected\)$"
expect_has "and its backend's path, which is dom0's" "$output" "^n0,r$d1,r0 +backend = \"$back\"$"
expect_has "show has the backend" "$output" "^n0,r$d1 +$back$"
expect_has "with its state" "$output" "^n0,r$d1 +state = \"4\" \(Connected\)$"
expect_has "show has the record, dom0's alone" "$output" "^n0 +/xensplit/$d1/mydevice/0$"
expect_has "with the backend's domain" "$output" "^ +backend-id=0$"
note "$(store_dump | grep -E 'mydevice|^/xensplit')"

# The same, seen as the guest.
expect_is "the guest reads where its backend is" \
	"$(guest_cmd g1 xenstore-read device/mydevice/0/backend)" "$back"
expect "the guest may write its state" guest_cmd g1 xenstore-write device/mydevice/0/state 4
for path in device/mydevice/0/backend device/mydevice/0/backend-id "$back/state" "$back/online"; do
	expect "the guest can't write $path" guest_cmd g1 "! xenstore-write $path 1"
done
expect "the guest can't read the record" \
	guest_cmd g1 "! xenstore-read /xensplit/$d1/mydevice/0"
expect "another guest can't read the device" guest_cmd g2 "! xenstore-read $front/state"

# A refused command writes nothing.
store_dump >$work/connected
run xensplit attach g1
expect_is "a device that is there: exit status" $status 5
run xensplit attach 7777
expect_is "no such domid: exit status" $status 3
run xensplit attach nobody
expect_is "no such name: exit status" $status 3
run xensplit detach g1 mydevice/1
expect_is "no such device: exit status" $status 3
store_dump >$work/after
expect_same "nothing was written" $work/connected $work/after

expect "detach by name" xensplit detach g1 -t 120
expect "detach by domid" xensplit detach "$d2" -t 120
# Both kernels write below their own domain's directory, and their names start there.
expect "the frontend was Closed" written '\(device/mydevice/0/state' 6
expect "the backend was Closed" written "\(backend/mydevice/$d1/0/state" 6
expect_is "dom0 has no device" "$(device_in_dom0 "$d1" || echo none)" none
expect_soon "the guest has no device" guest_cmd g1 '[ ! -e /sys/bus/xen/devices/mydevice-0 ]'
store_dump >$work/after
expect_same "the store is as it was" $work/before $work/after

# Once more, and then one with an id that the tool picks.
expect "attach again" xensplit attach g1 -t 120
run xensplit attach g1 mydevice/auto -t 120 --json
expect_is "attach a second one with auto: exit status" $status 0
devid=$(jq .devices[0].devid $work/output)
expect_is "both ends of the first are Connected" "$(states "$d1")" 4/4
expect_is "both ends of the second, $devid, are Connected" "$(states "$d1" "$devid")" 4/4
expect "detach both" xensplit detach g1 --all -t 120
expect_is "no node of a device is left" "$(devices_left)" ''
