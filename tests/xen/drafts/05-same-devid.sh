#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: the same device attached and detached 50 times connects each time

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
need_tool

modprobe mydeviceback
guest_use g1
d=$(guest_domid g1)
guest_cmd g1 'dmesg -c >/dev/null'
store_dump >$work/before
none_in_guest() { guest_cmd g1 '! ls -d /sys/bus/xen/devices/mydevice-*'; }
none_in_dom0() { ! ls -d /sys/bus/xen-backend/devices/mydevice-*; }
probes() { guest_cmd g1 dmesg | grep -c 'mydevicefront: Probe called'; }

connected='"frontend_state": *"Connected",[^a-z]*"backend_state": *"Connected"'

count=0
for ((i = 1; i <= 50; i++)); do
	run xensplit attach g1 --json -t 60
	[[ $status == 0 && $output =~ $connected ]] || break
	run xensplit detach g1 -t 60
	[[ $status == 0 ]] || break
	count=$i
done
[[ $count == 50 ]] || note "$output $errors ($(states "$d"))"
expect_is "attached, Connected and detached, that often" $count 50
store_dump >$work/after
expect_same "the store is as it was" $work/before $work/after
expect_soon "no device is left in the guest" none_in_guest
expect_soon "no device is left in dom0" none_in_dom0

# A guest may look only after the next device is there, and Linux before 7.0 then goes on with
# the device it has: no probe, and a driver that can't begin anew would be stuck. This one can.
seen=$(probes)
note "$seen of 50 were probed; the others came before the guest had seen the last one go"
expect_is "a device is probed at most once" "$((seen >= 1 && seen <= 50))" 1
