#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: a backend in another guest connects, and what is left when that guest goes is reaped

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
need_tool

guest_config dd nofront
echo 'driver_domain = 1' >>/run/guest-dd.cfg
guest_boot dd &
pid=$!
guest_use g1
wait $pid || exit 1
expect "the driver domain loads the backend" guest_cmd dd modprobe mydeviceback
d=$(guest_domid g1)
b=$(guest_domid dd)
front=/local/domain/$d/device/mydevice/0
back=/local/domain/$b/backend/mydevice/$d/0
store_dump >$work/before
both() { echo "$(xenstore-read "$front/state" 2>&1)/$(xenstore-read "$back/state" 2>&1)"; }
not_in_guest() { ! device_in_guest g1; }

expect "attach with a backend in the driver domain" xensplit attach g1 -b dd -t 120
expect_is "both ends are Connected" "$(both)" 4/4
expect "the driver domain has the device" \
	guest_cmd dd "test -e /sys/bus/xen-backend/devices/mydevice-$d-0/driver"
expect_is "dom0 has none" "$(device_in_dom0 "$d" || echo none)" none
run xensplit list
expect_has "list names the backend's domain" "$output" "^ *$d +g1 +mydevice/0 +$b +Connected +Connected +-$"
run xensplit show g1
note "$output"
expect_has "the backend is the driver domain's" "$output" "^n$b,r$d +$back$"
expect_has "so is its state" "$output" "^n$b,r$d +state = \"4\" \(Connected\)$"
expect "dom0's node says where the backend is" guest_cmd g1 "! xenstore-write $front/backend-id 0"
expect "the driver domain can't write the frontend" guest_cmd dd "! xenstore-write $front/state 1"
run xensplit doctor g1
expect_is "doctor finds nothing" "$status $output" '0 nothing is wrong'
expect "detach" xensplit detach g1 -t 120
expect_soon "the driver domain has no device" \
	guest_cmd dd "[ ! -e /sys/bus/xen-backend/devices/mydevice-$d-0 ]"
store_dump >$work/after
expect_same "the store is as it was" $work/before $work/after

expect_soon "the guest has no device" not_in_guest
expect "attach once more" xensplit attach g1 -b "$b" -t 120
xl destroy dd
run xensplit list
note "$output"
expect_has "without its driver domain, list calls it stale" "$output" \
	"^ *$d +g1 +mydevice/0 +$b +Connected +absent +stale$"
run xensplit doctor g1
note "$output"
expect_is "doctor finds something: exit status" $status 1
expect_has "that the backend's domain is gone" "$output" "domain $b does not exist \[leftover\]"
expect_has "and what removes it" "$output" 'fix: xensplit reap$'
run timeout 120 xensplit detach g1 -t 60
note "$errors"
expect_is "detach leaves it to reap: exit status" $status 5
run xensplit attach g1 -b "$b"
expect_is "attach to a backend domain that is gone: exit status" $status 3
run xensplit reap
expect_has "reap removes it" "$output" "^mydevice/0 of g1 \(domain $d\) removed$"
expect_is "no node of a device is left" "$(devices_left)" ''
expect_soon "the guest has no device" not_in_guest
modprobe mydeviceback
expect "attach with a backend in dom0" xensplit attach g1 -t 120
expect_is "both ends are Connected" "$(states "$d")" 4/4
expect "detach" xensplit detach g1 -t 120
