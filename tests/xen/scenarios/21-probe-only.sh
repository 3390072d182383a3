#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: doctor says of drivers whose probes only print that they must change their states

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
need_tool

guest_use g1
d=$(guest_domid g1)
sysfs=/sys/bus/xen-backend/devices/mydevice-$d-0
codes() { { xensplit doctor g1 mydevice/0 --json || :; } | jq -r '[.findings[].code] | join(" ")'; }
doctor() { run xensplit doctor g1 mydevice/0 && note "$output"; }
kernel() { echo "$(basename "$(readlink "$sysfs/driver")") $(<"$sysfs/state")"; }
dom0_probed() { dom0_log | grep "$1: Probe called"; }
bound() { kernel; [[ $(kernel) == "$1" ]]; }

# ---- the backend's prints, the frontend's goes on
modprobe -r mydeviceback
modprobe printback
run xensplit attach g1 -t 5
note "$errors"
expect_is "attach with a backend that only prints: exit status" $status 6
expect_soon "the backend has printed" dom0_probed printback
expect_soon "what the kernel has of it" bound 'printback Initialising'
expect_is "the states" "$(states "$d")" 1/1
doctor
expect_is "doctor finds that and nothing else" "$(codes)" driver-idle
expect_has "with the driver's name" "$output" "driver printback is bound to $sysfs"
expect_has "and what its probe has to do" "$output" 'call xenbus_switch_state'
expect "detach" xensplit detach g1 -t 120

# ---- both print, and then one after the other is what it should be
guest_cmd g1 'rmmod mydevicefront; modprobe printfront'
run xensplit attach g1 -t 5
note "$errors"
expect_is "attach with two that only print: exit status" $status 6
expect_soon "the frontend has printed" guest_cmd g1 'dmesg | grep "printfront: Probe called"'
expect_soon "the backend has the device" bound 'printback Initialising'
expect_is "the states" "$(states "$d")" 1/1
doctor
expect_is "doctor begins with the backend" "$(codes)" driver-idle
echo "mydevice-$d-0" >/sys/bus/xen-backend/drivers/printback/unbind
rmmod printback
modprobe mydeviceback
expect_soon "a backend that goes on waits" states_are 1/2 "$d"
run xensplit wait g1 -t 5
note "$errors"
expect_is "the frontend does not: exit status of wait" $status 6
expect_is "the states" "$(states "$d")" 1/2
doctor
expect_is "doctor finds the frontend" "$(codes)" no-frontend-driver
expect_has "and says that its probe may be the reason" "$output" 'or its probe.*xenbus_switch_state'
guest_cmd g1 'echo mydevice-0 >/sys/bus/xen/drivers/printfront/unbind && rmmod printfront'
expect "a frontend that goes on is loaded" guest_cmd g1 modprobe mydevicefront
expect "with a frontend that goes on it connects" xensplit wait g1 -t 120
expect_is "the states" "$(states "$d")" 4/4
expect "detach" xensplit detach g1 -t 120

# ---- An earlier device looks the same in the store, where the kernel did not see that it went.
# Linux before 7.0.
guest_cmd g1 rmmod mydevicefront
expect "attach without a frontend" xensplit attach g1 --no-wait
expect_soon "the backend waits" states_are 1/2 "$d"
expect "it is removed and made again in one commit" /tests/replace-at-once "$d"
run xensplit wait g1 -t 5
note "$errors"
expect_is "the states" "$(states "$d")" 1/1
expect_is "what the kernel has of it" "$(kernel)" 'mydeviceback InitWait'
doctor
expect_is "doctor finds the earlier device and nothing else" "$(codes)" old-backend-device
fix=$(sed -n 's/^ *fix: //p' $work/output)
# It has nobody in the guest, so that only the backend goes on.
# shellcheck disable=SC2086 # words
run $fix --no-wait
note "$output$errors"
expect_soon "what doctor names helps" states_are 1/2 "$d"
guest_cmd g1 modprobe mydevicefront
expect "and the device connects" xensplit wait g1 -t 120
expect "detach" xensplit detach g1 -t 120
