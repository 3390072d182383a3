#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: a PVH guest's device connects beside a PV guest's

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
need_tool

modprobe mydeviceback
guest_config pvh
# QEMU emulates a TSC without scaling.
cat >>/run/guest-pvh.cfg <<-CFG
	type = "pvh"
	tsc_mode = "native"
CFG
guest_boot pvh &
pid=$!
guest_use g1
wait $pid || exit 1
d=$(guest_domid pvh)
expect_is "the guest is PVH" "$(xl list -l pvh | jq -r '.[0].config.c_info.type')" pvh
expect "attach to the PVH guest" xensplit attach pvh -t 120
expect "attach to the PV guest" xensplit attach g1 -t 120
expect_is "both ends of the PVH guest's are Connected" "$(states "$d")" 4/4
expect_has "its frontend's probe ran" "$(guest_cmd pvh dmesg)" 'mydevicefront: Probe called'
run xensplit list
note "$output"
expect_is "list has both" "$(grep -c ' Connected .* Connected ' $work/output)" 2
expect "detach the one" xensplit detach pvh -t 120
expect_is "the other stays" "$(states "$(guest_domid g1)")" 4/4
expect "detach the other" xensplit detach g1 -t 120
expect_is "no node of a device is left" "$(devices_left)" ''
