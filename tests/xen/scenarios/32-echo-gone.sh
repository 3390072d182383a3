#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: a guest or a driver domain ends while myecho is in use, and the other side lives on

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
# shellcheck source=tests/xen/echo.sh
. /tests/echo.sh
need_tool

modprobe myechoback
guest_config dd nofront
echo 'driver_domain = 1' >>/run/guest-dd.cfg
guest_boot dd &
pids=($!)
guest_start victim &
pids+=($!)
guest_use g1
for pid in "${pids[@]}"; do
	wait "$pid" || exit 1
done

# ---- a guest is destroyed
v=$(guest_domid victim)
guest_cmd victim 'modprobe myechofront'
expect "attach" xensplit attach victim myecho -t 120
flow_begin victim 4
expect_flow "data flows" "$v"
xl destroy victim
not_in_dom0() { ! echo_in_dom0 "$v"; }
expect_soon "the guest is destroyed in the middle, dom0's kernel has given the device up" not_in_dom0
run xensplit reap
expect_has "reap removes it" "$output" "^myecho/0 of .*domain $v\)? removed$"

# ---- a driver domain is destroyed, and started again
d=$(guest_domid g1)
guest_cmd g1 'modprobe myechofront; dmesg -c >/dev/null'
b=$(guest_domid dd)
expect "the driver domain loads the backend" guest_cmd dd 'modprobe myechoback'
expect "attach with a backend in the driver domain" xensplit attach g1 myecho -b dd -t 120
expect "it echoes" guest_cmd g1 '/tests/echo check /dev/myecho0 1000000 2'
expect_is "in the driver domain" \
	"$(guest_cmd dd "cat /sys/bus/xen-backend/devices/myecho-$d-0/statistics/bytes")" 2000000
before=$(front_has g1 requests)
flow_begin g1 2
expect_soon "data flows" front_above g1 requests $((before + 100))
xl destroy dd
expect_is "the driver domain is destroyed in the middle: the states" \
	"$(echo_states "$d" myecho "$b")" '4/-'
expect "the guest's processes wait" guest_cmd g1 '! grep . /tmp/check.log'
run xensplit reap
expect_has "reap removes the device" "$output" "^myecho/0 of g1 \(domain $d\) removed$"
expect_soon "the processes end" check_ended g1
expect_is "as there is no device" "$(check_ended g1 | grep -c 'none wrong; then .*: No such device')" 2

guest_log_from_here dd
guest_boot dd
expect "the new driver domain loads the backend" guest_cmd dd 'modprobe myechoback'
expect "attach with a backend there" xensplit attach g1 myecho -b dd -t 120
expect "it echoes" guest_cmd g1 '/tests/echo check /dev/myecho0 1000000 2'
expect "detach" xensplit detach g1 myecho -t 120
expect_is "g1's kernel has nothing to say" "$(calm_in_guest g1)" ''
expect "the module can be removed" guest_cmd g1 'rmmod myechofront'
expect "and in dom0" rmmod myechoback
