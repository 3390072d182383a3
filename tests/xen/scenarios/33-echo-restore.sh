#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: processes that use myecho go on after save and restore, and after a checkpoint

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
# shellcheck source=tests/xen/echo.sh
. /tests/echo.sh
need_tool

modprobe myechoback
guest_start saved
old=$(guest_domid saved)
guest_cmd saved 'modprobe myechofront; dmesg -c >/dev/null'
not_in_dom0() { ! echo_in_dom0 "$old"; }

expect "attach" xensplit attach saved myecho --front ring-pages=2 -t 120
flow_begin saved 2
expect_flow "data flows" "$old"
expect "save in the middle" xl save saved /run/saved
expect_soon "dom0's kernel has given the device up" not_in_dom0
run xensplit reap
expect_has "reap removes it" "$output" "^myecho/0 of domain $old removed$"
guest_log_from_here saved
expect "restore, paused" xl restore -p /run/saved
rm /run/saved
d=$(guest_domid saved)
expect "attach" xensplit attach saved myecho --back features=upper --front features=none --no-wait
xl unpause saved
expect "it connects" xensplit wait saved myecho -t 120
expect_flow "data flows again" "$d"
flow_end saved
expect_soon "the processes get everything" check_ended saved
expect "each byte once, and in order" all_back saved 2

# The guest is frozen, and goes on as the same domain.
flow_begin saved 2
expect_flow "data flows" "$d"
expect "checkpoint in the middle" xl save -c saved /run/saved
rm /run/saved
expect_is "both ends are Connected" "$(echo_states "$d")" 4/4
expect_flow "data flows again" "$d"
flow_end saved
expect_soon "the processes get everything" check_ended saved
expect "each byte once, and in order" all_back saved 2
expect "detach" xensplit detach saved myecho -t 120
expect_is "the guest's kernel has nothing to say" "$(calm_in_guest saved)" ''
expect "the module can be removed" guest_cmd saved 'rmmod myechofront'
xl destroy saved
expect "and in dom0" rmmod myechoback
