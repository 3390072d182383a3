# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: nodes with the right owners connect, close, and survive a reload of either module

. /tests/lib.sh

modprobe mydeviceback
guest_use g1
d=$(guest_domid g1)
log_mark
store_dump >$work/before

attach_by_hand "$d"
expect_soon "both ends are Connected" states_are 4/4 "$d"
expect_has "the backend's probe ran" "$(log_since)" "mydeviceback: Probe called"
run guest_cmd g1 "dmesg | grep mydevice"
note "$output"
expect_has "the frontend's probe ran" "$output" "mydevicefront: Probe called"

run guest_cmd g1 "rmmod mydevicefront"
note "rmmod while bound: $status $output"
guest_cmd g1 "echo mydevice-0 >/sys/bus/xen/drivers/mydevicefront/unbind && rmmod mydevicefront"
expect_soon "unloading the frontend closes both ends" states_are 6/6 "$d"
guest_cmd g1 "time modprobe mydevicefront"
expect_soon "loading it again connects both ends" states_are 4/4 "$d"

echo "mydevice-$d-0" >/sys/bus/xen-backend/drivers/mydeviceback/unbind
rmmod mydeviceback
expect_soon "unloading the backend closes both ends" states_are 6/6 "$d"
modprobe mydeviceback
expect_soon "loading it again connects both ends" states_are 4/4 "$d"

xenstore-write "/local/domain/0/backend/mydevice/$d/0/online" 0 "/local/domain/0/backend/mydevice/$d/0/state" 5
expect_soon "closing it ends with both ends Closed" states_are 6/6 "$d"
backend_gone() { [ ! -e "/sys/bus/xen-backend/devices/mydevice-$d-0" ]; }
expect_soon "the backend gave the device up" backend_gone
remove_by_hand "$d"
store_dump >$work/after
expect_same "the store is as it was" $work/before $work/after
note "$(log_since)"
expect "the guest has no device left" guest_cmd g1 "! ls -d /sys/bus/xen/devices/mydevice-0"
