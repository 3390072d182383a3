#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: detach waits for both drivers, removes nothing at its deadline, and --force removes all

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
need_tool

guest_use g1
d=$(guest_domid g1)
back=/local/domain/0/backend/mydevice/$d/0
not_in_guest() { ! device_in_guest g1; }
not_in_dom0() { ! device_in_dom0 "$d"; }
names() { store_dump | grep -E "/mydevice|^/xensplit" | sed 's/ = .*//'; }

# No driver has taken it up, so there is nothing to wait for.
guest_cmd g1 rmmod mydevicefront
modprobe -r mydeviceback
expect "attach without a driver" xensplit attach g1 --no-wait
expect "detach a device without drivers" xensplit detach g1 -t 120
expect_is "no node of a device is left" "$(devices_left)" ''
expect_soon "the guest has no device" not_in_guest
expect_soon "dom0 has no device" not_in_dom0

# Only the backend has taken it up.
modprobe mydeviceback
expect "attach without a frontend driver" xensplit attach g1 --no-wait
expect_soon "the backend waits" states_are 1/2 "$d"
expect "detach a device that the guest never took up" xensplit detach g1 -t 120
expect_is "dom0 has no device" "$(device_in_dom0 "$d" || echo none)" none
expect_is "no node of a device is left" "$(devices_left)" ''
guest_cmd g1 modprobe mydevicefront

# Both are Connected.
expect "attach" xensplit attach g1 -t 120
expect "detach while connected" xensplit detach g1 -t 120
expect "the frontend was Closed" written "\(device/mydevice/0/state" 6
expect "the backend was Closed" written "\(backend/mydevice/$d/0/state" 6
expect_is "dom0 has no device" "$(device_in_dom0 "$d" || echo none)" none
expect_is "no node of a device is left" "$(devices_left)" ''
run xensplit detach g1
expect_is "detach again: exit status" $status 3

# A guest that does not answer.
expect "attach" xensplit attach g1 -t 120
xl pause g1
names >$work/connected
run timeout 120 xensplit detach g1 -t 10
note "$errors"
expect_is "detach from a paused guest: exit status" $status 6
expect_has "it names the device" "$errors" \
	"^xensplit: detach g1 mydevice/0: not closed after [0-9.]+ s \(frontend Connected, backend Closing\)$"
expect_has "it says why" "$errors" "^  why: domain $d is paused: "
expect_has "and what to do" "$errors" "^  try: xl unpause $d$"
names >$work/after
expect_same "every node stays in place" $work/connected $work/after
expect_is "asked to close" "$(states "$d") $(xenstore-read "$back/online")" '4/5 0'
run timeout 120 xensplit doctor g1
expect_is "doctor finds something: exit status" $status 1
expect_has "first of all that the guest is paused" "$(head -n 1 $work/output)" '\[domain-paused\]'
run xensplit attach g1
expect_is "attach refuses: exit status" $status 5
run timeout 120 xensplit detach g1 -t 1
expect_is "detach again: exit status" $status 6
run timeout 120 xensplit detach g1 -t 10 --force
note "$errors"
expect_is "detach --force: exit status" $status 0
expect_is "no node of a device is left" "$(devices_left)" ''

xl unpause g1
expect_soon "unpaused, the guest has no device" not_in_guest
expect_soon "and dom0 has none" not_in_dom0
expect "attach again" xensplit attach g1 -t 120
expect_is "both ends are Connected" "$(states "$d")" 4/4
run xensplit doctor g1
expect_is "doctor finds nothing" "$status $output" '0 nothing is wrong'
expect "detach" xensplit detach g1 -t 120
