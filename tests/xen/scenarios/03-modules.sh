#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: drivers loaded after the attach connect, and those unloaded and loaded again reconnect

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
need_tool

guest_use g1
d=$(guest_domid g1)
guest_cmd g1 rmmod mydevicefront
modprobe -r mydeviceback

expect "attach without a driver" xensplit attach g1 --no-wait
expect_is "the states stay as they were written" "$(states "$d")" 1/1
modprobe mydeviceback
expect_soon "the backend loaded first waits" states_are 1/2 "$d"
guest_cmd g1 modprobe mydevicefront
expect_soon "the frontend loaded second connects" states_are 4/4 "$d"

expect "a module in use stays" guest_cmd g1 '! rmmod mydevicefront'
expect "unload the frontend" unload_front g1
expect_soon "both ends are Closed" states_are 6/6 "$d"
run xensplit doctor g1
note "$output"
expect_is "doctor finds the frontend's driver gone" "$(head -n 1 $work/output | grep -o '\[.*')" '[closed]'
expect_has "and names the fix" "$output" "fix: in g1: modprobe xen:mydevice$"
expect "load it again" guest_cmd g1 modprobe mydevicefront
expect_soon "both ends are Connected" states_are 4/4 "$d"
expect "unload the backend" unload_back "$d"
expect_soon "both ends are Closed" states_are 6/6 "$d"
run xensplit list g1
expect_has "list has it as it is" "$output" "^ *$d +g1 +mydevice/0 +0 +Closed +Closed +-$"
run xensplit doctor g1
note "$output"
expect_is "doctor finds the backend's driver gone" "$(head -n 1 $work/output | grep -o '\[.*')" '[no-backend-driver]'
fix=$(sed -n 's/^ *fix: in dom0: //p' $work/output | head -n 1)
expect_is "and names the fix" "$fix" 'modprobe xen-backend:mydevice'
# shellcheck disable=SC2086 # words
expect "do that" $fix
expect_soon "both ends are Connected" states_are 4/4 "$d"

# Both at the same time, in the other order.
unload_front g1
unload_back "$d"
expect_soon "both unloaded, both ends are Closed" states_are 6/6 "$d"
guest_cmd g1 modprobe mydevicefront
expect_soon "the frontend, loaded first, starts again" states_are 1/6 "$d"
modprobe mydeviceback
expect_soon "with the backend both ends are Connected" states_are 4/4 "$d"

expect "detach" xensplit detach g1 -t 120
log=$(dom0_log)
expect_has "the backend said hello" "$log" 'mydeviceback: Hello World!'
expect_has "the backend said goodbye" "$log" 'mydeviceback: Goodbye world.'
log=$(guest_cmd g1 dmesg)
expect_has "the frontend said hello" "$log" 'mydevicefront: Hello World!'
expect_has "the frontend said goodbye" "$log" 'mydevicefront: Goodbye world.'
