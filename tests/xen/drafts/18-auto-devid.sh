#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: a device with an id of the tool's choice connects, 50 times, each with another id

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
need_tool

modprobe mydeviceback
guest_use g1
guest_cmd g1 'dmesg -c >/dev/null'
none_in_guest() { guest_cmd g1 '! ls -d /sys/bus/xen/devices/mydevice-*'; }
none_in_dom0() { ! ls -d /sys/bus/xen-backend/devices/mydevice-*; }
probes() { guest_cmd g1 dmesg | grep -c 'mydevicefront: Probe called'; }

connected='"frontend_state": *"Connected",[^a-z]*"backend_state": *"Connected"'

count=0
last=-1
for ((i = 1; i <= 50; i++)); do
	run xensplit attach g1 mydevice/auto --json -t 60
	[[ $status == 0 ]] || break
	[[ $output =~ $connected && $output =~ \"devid\":\ ?([0-9]+) ]] || break
	devid=${BASH_REMATCH[1]}
	[[ $devid != "$last" ]] || break
	last=$devid
	run xensplit detach g1 "mydevice/$devid" -t 60
	[[ $status == 0 ]] || break
	count=$i
done
[[ $count == 50 ]] || note "$output $errors"
expect_is "attached, Connected and detached, that often" $count 50
expect_is "each of them was probed" "$(probes)" 50
expect_is "no node of a device is left" "$(devices_left)" ''
expect_soon "no device is left in the guest" none_in_guest
expect_soon "no device is left in dom0" none_in_dom0
