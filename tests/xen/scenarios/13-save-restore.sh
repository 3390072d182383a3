#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: a device does not survive save and restore; one attached before the guest runs connects

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
need_tool

modprobe mydeviceback
guest_start saved
old=$(guest_domid saved)
expect "attach" xensplit attach saved -t 120
guest_cmd saved 'echo still here >/tmp/memory'
expect "save" xl save saved /run/saved
not_in_dom0() { ! device_in_dom0 "$old"; }
expect_soon "dom0's kernel has given the device up" not_in_dom0
run xensplit list
note "$output"
expect_has "list calls the device stale" "$output" "^ *$old +- +mydevice/0 +0 +absent +Closed +stale$"
run xensplit reap
expect_has "reap removes it" "$output" "^mydevice/0 of domain $old removed$"
expect_is "no node of a device is left" "$(devices_left)" ''

# A device with the same name, attached before the guest runs again.
guest_log_from_here saved
expect "restore, paused" xl restore -p /run/saved
d=$(guest_domid saved)
run xensplit list
expect_is "it has no device: list" "$(grep -c mydevice $work/output)" 0
expect "attach" xensplit attach saved --no-wait
xl unpause saved
expect "it connects" xensplit wait saved -t 120
expect_is "it is the guest that was saved" "$(guest_cmd saved cat /tmp/memory)" 'still here'
expect_is "both ends are Connected" "$(states "$d")" 4/4
expect "detach" xensplit detach saved -t 120
gone() { ! device_in_guest saved; }
expect_soon "the guest has no device" gone

# The same VM, with the domid it had, is still another domain.
export LIBXL_DOMID_REUSE_TIMEOUT=0
expect "attach" xensplit attach saved -t 120
expect "save with the domid" xl save -D saved /run/saved
sleep 2 # libxl counts whole seconds, and 0 of them count as one
guest_log_from_here saved
expect "restore, paused" xl restore -p /run/saved
expect_is "it has the domid it had" "$(guest_domid saved)" "$d"
run xensplit list saved
note "$output"
expect_has "list calls the device stale" "$output" "^ *$d +saved +mydevice/0 +0 +absent +Closed +stale$"
run xensplit doctor saved mydevice/0
note "$output"
expect_is "doctor finds something: exit status" $status 1
expect_has "that it is an earlier domain's" "$output" '\[stale\]'
expect_has "and what removes it" "$output" 'fix: xensplit reap$'
run xensplit attach saved
note "$errors"
expect_is "attach refuses the old device: exit status" $status 5
run xensplit reap
expect_has "reap removes it" "$output" "^mydevice/0 of (saved \()?domain $d\)? removed$"
expect "attach" xensplit attach saved --no-wait
xl unpause saved
expect "it connects" xensplit wait saved -t 120
expect "detach" xensplit detach saved -t 120
expect_soon "the guest has no device" gone

# Attached when the guest already runs.
expect "attach" xensplit attach saved -t 120
expect "save" xl save saved /run/saved
run xensplit reap
guest_log_from_here saved
expect "restore" xl restore /run/saved
rm /run/saved
d=$(guest_domid saved)
patience=300 run guest_cmd saved 'dmesg | grep -i xenbus | tail -n 5; ls /sys/bus/xen/devices'
note "$output"
run xensplit doctor saved
expect_is "doctor finds nothing wrong without a device" "$status $output" '0 nothing is wrong'
run timeout 100 xensplit attach saved -t 10
note "$errors"
expect_is "its kernel holds on to the old device: exit status" $status 6
expect_has "attach says what dom0 can see" "$errors" "^  try: in saved: modprobe xen:mydevice$"
# The module is loaded. For this case, the manual has --replace.
run timeout 200 xensplit attach saved --replace -t 60
note "$output$errors"
expect_is "as it is loaded, --replace helps: exit status" $status 0
expect_is "both ends are Connected" "$(states "$d")" 4/4
expect "as does another device id" xensplit attach saved mydevice/1 -t 60
expect_is "both ends are Connected" "$(states "$d" 1)" 4/4
expect "detach both" xensplit detach saved --all -t 120
expect_is "no node of a device is left" "$(devices_left)" ''
