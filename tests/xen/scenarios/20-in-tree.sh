#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: disk and network interface of the kernel's own drivers are attached, used, detached

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
need_tool

modprobe loop
modprobe xen-blkback
modprobe xen-netback
guest_use g1
d=$(guest_domid g1)
guest_cmd g1 'modprobe xen-blkfront; modprobe xen-netfront'
store_dump >$work/before
in_dom0() { [[ -e /sys/bus/xen-backend/devices/$1 ]]; }
not_in_dom0() { ! in_dom0 "$1"; }
served() { grep "^$d\.xvdb" <<<"$(ps -o comm)"; } # by a thread of blkback
both() # TYPE DEVID
{
	echo "$(xenstore-read "/local/domain/$d/device/$1/$2/state")/$(
		xenstore-read "/local/domain/0/backend/$1/$d/$2/state")"
}

# ---- a disk: a file on a loop device, 51728 is xvdb
dd if=/dev/urandom of=/run/disk bs=1M count=8 2>/dev/null
losetup /dev/loop0 /run/disk
device=$(stat -c %t:%T /dev/loop0)
disk=(vbd/51728 --reserved -B "physical-device=$device" -B mode=r -B type=phy -B params=/dev/loop0
	-F virtual-device=51728 -F device-type=disk)

run xensplit attach g1 "${disk[0]}" "${disk[@]:2}"
note "$errors"
expect_is "without --reserved it is refused: exit status" $status 2
run xensplit attach g1 "${disk[@]}" -B dev=xvdb -t 120
note "$output$errors"
expect_is "attach a disk: exit status" $status 0
expect_is "both ends are Connected" "$(both vbd 51728)" 4/4
run xensplit list g1
note "$output"
expect_has "list has it" "$output" "^ *$d +g1 +vbd/51728 +0 +Connected +Connected +-$"
run xensplit doctor g1
expect_is "doctor finds nothing" "$status $output" '0 nothing is wrong'
expect_soon "the guest has a disk" guest_cmd g1 'test -b /dev/xvdb'
expect_is "it reads what dom0's file holds" \
	"$(guest_cmd g1 'dd if=/dev/xvdb bs=64k 2>/dev/null | sha256sum')" "$(sha256sum </run/disk)"
expect "it can't write, because the disk is read-only" \
	guest_cmd g1 '! dd if=/dev/zero of=/dev/xvdb bs=4k count=1 conv=fsync'
expect "a thread of blkback serves it" served
expect "detach the disk" xensplit detach g1 vbd/51728 -t 120
expect "dom0's kernel has no such backend" not_in_dom0 "vbd-$d-51728"
expect_soon "the guest has no disk" guest_cmd g1 '[ ! -e /dev/xvdb ]'
store_dump >$work/after
expect_same "the store is as it was" $work/before $work/after

# ---- a network interface without a bridge and without a script
mac=00:16:3e:00:00:14
run xensplit attach g1 vif/0 --reserved -B handle=0 -B mac=$mac -B script= -B hotplug-status=connected \
	-F handle=0 -F mac=$mac -t 120
note "$output$errors"
expect_is "attach a network interface: exit status" $status 0
expect_is "both ends are Connected" "$(both vif 0)" 4/4
run xensplit list g1
expect_has "list has it" "$output" "^ *$d +g1 +vif/0 +0 +Connected +Connected +-$"
run xensplit doctor g1
expect_is "doctor finds nothing" "$status $output" '0 nothing is wrong'
ip addr add 192.0.2.1/24 dev "vif$d.0"
ip link set "vif$d.0" up
name=$(guest_cmd g1 'ls /sys/bus/xen/devices/vif-0/net')
guest_cmd g1 "ip addr add 192.0.2.2/24 dev $name; ip link set $name up"
expect_is "the guest's has the address that it was given" \
	"$(guest_cmd g1 "cat /sys/class/net/$name/address")" $mac
expect_soon "dom0's link is up" grep -qx 1 "/sys/class/net/vif$d.0/carrier"
expect_soon "so is the guest's" guest_cmd g1 "grep -qx 1 /sys/class/net/$name/carrier"
expect "dom0 reaches the guest" ping -c 3 -W 20 192.0.2.2
expect "the guest reaches dom0" guest_cmd g1 'ping -c 3 -W 20 192.0.2.1'
expect "detach the interface" xensplit detach g1 vif/0 -t 120
expect "dom0's kernel has no such backend" not_in_dom0 "vif-$d-0"
expect "and no interface" eval "[[ ! -e /sys/class/net/vif$d.0 ]]"
expect_soon "the guest has no interface" guest_cmd g1 "[ ! -e /sys/class/net/$name ]"
store_dump >$work/after
expect_same "the store is as it was" $work/before $work/after

# ---- An error node alone is no failure: blkback misses "dev", says so, and continues to Connected.
# It deserves a warning: as in Linux, blkback then serves no request, and a guest that waits for its
# first one can't close.
run xensplit attach g1 "${disk[@]}" -t 120
note "$output$errors"
expect_is "attach a disk without dev: exit status" $status 0
expect_is "both ends are Connected" "$(both vbd 51728)" 4/4
expect_is "blkback has complained" \
	"$(xenstore-read "/local/domain/0/error/backend/vbd/$d/51728/error")" '2 get blkback dev name'
run xensplit list g1
note "$output"
expect_has "list has it" "$output" "^ *$d +g1 +vbd/51728 +0 +Connected +Connected +-$"
run xensplit doctor g1
note "$output"
expect_has "doctor shows the error of blkback" "$output" 'warning: .*"2 get blkback dev name"'
expect_is "as a warning only" "$(grep -c ': error: ' $work/output)" 0
note "$(served || echo 'no thread of blkback serves it')"
run timeout 100 xensplit detach g1 vbd/51728 -t 20 --force
note "$output$errors"
expect_is "detach --force: exit status" $status 0
expect_soon "dom0's kernel has no such backend" not_in_dom0 "vbd-$d-51728"
store_dump >$work/after
expect_same "the store is as it was" $work/before $work/after
losetup -d /dev/loop0
rm /run/disk
# It may wait for its disk forever.
xl destroy g1
