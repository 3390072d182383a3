#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: 50 times the same device, and 50 times one with an automatic id, connects

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
need_tool

modprobe mydeviceback
guest_use g1 g2
for guest in g1 g2; do
	guest_cmd $guest 'dmesg -c >/dev/null'
done

# In parallel, since each mostly waits.
/tests/again "$(guest_domid g1)" 0 50 >$work/same 2>&1 &
pid=$!
run /tests/again "$(guest_domid g2)" auto 50
note "$errors"
wait $pid || note "$(tail -n 1 $work/same)"
cp $work/output $work/auto
expect_is "the same device each time" "$(sort $work/same | uniq -c | xargs)" '50 0'
first=$(head -n 1 $work/auto)
expect_is "another id each time" "$(xargs <$work/auto)" "$(seq "$first" $((first + 49)) | xargs)"
expect_is "no node of a device is left" "$(devices_left)" ''
none_in_guest() { guest_cmd "$1" '! ls -d /sys/bus/xen/devices/mydevice-*'; }
none_in_dom0() { ! ls -d /sys/bus/xen-backend/devices/mydevice-*; }
expect_soon "no device is left in the one guest" none_in_guest g1
expect_soon "none is left in the other" none_in_guest g2
expect_soon "none is left in dom0" none_in_dom0

probes() { guest_cmd "$1" dmesg | grep -c 'mydevicefront: Probe called'; }
expect_is "each of those with another id was probed" "$(probes g2)" 50
# A guest may read the store only after the next device is there, and Linux before 7.0 then keeps
# its old device: no probe, and a driver that can't start again would be stuck. This one can.
seen=$(probes g1)
note "$seen of 50 with the same id were probed; the others came before the guest had looked"
expect_is "one with the same id is probed at most once" "$((seen >= 1 && seen <= 50))" 1
said=$(written '\(device/mydevice/0/state' 4 | wc -l)
of_auto=$(grep -cx 0 $work/auto || :)
expect_is "each time it was the guest's driver that connected" "$((said >= 50 + of_auto))" 1
