#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: drivers of myecho go and come while processes use it; a detach ends them, and nothing is lost

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
# shellcheck source=tests/xen/echo.sh
. /tests/echo.sh
need_tool

modprobe myechoback
guest_use g1
d=$(guest_domid g1)
sysfs=/sys/bus/xen-backend/drivers/myechoback
guest_cmd g1 'modprobe myechofront; dmesg -c >/dev/null'
store_dump >$work/before
not_in_dom0() { ! echo_in_dom0 "$d"; }

# ---- the backend goes and comes
expect "attach" xensplit attach g1 myecho -t 120
flow_begin g1 2
expect_flow "data flows" "$d"
echo "myecho-$d-0" >$sysfs/unbind
expect "the backend is removed in the middle" rmmod myechoback
expect_soon "both ends are Closed" echo_states_are 6/6 "$d"
expect "the processes wait" guest_cmd g1 '! grep . /tmp/check.log'
modprobe myechoback
expect_soon "the backend is back, both ends are Connected" echo_states_are 4/4 "$d"
expect_flow "data flows again" "$d"
flow_end g1
expect_soon "the processes get everything" check_ended g1
expect "each byte once, and in order" all_back g1 2

# Faster than the guest may see.
flow_begin g1 2
expect_flow "data flows" "$d"
for _ in 1 2 3 4 5; do
	echo "myecho-$d-0" >$sysfs/unbind
	echo "myecho-$d-0" >$sysfs/bind
done
expect_soon "bound five times at once, both ends are Connected" echo_states_are 4/4 "$d"
expect_flow "data flows again" "$d"
flow_end g1
expect_soon "the processes get everything" check_ended g1
expect "each byte once, and in order" all_back g1 2

# ---- the frontend goes and comes
# shellcheck disable=SC2016 # for the guest's shell
guest_cmd g1 'mkfifo /tmp/fifo; sleep 100000 >/tmp/fifo 2>/dev/null & echo $! >/tmp/pid;'" /tests/echo hold /dev/myecho0 81920 </tmp/fifo >/tmp/hold.log 2>&1 &"
expect_soon "a process holds a file" guest_cmd g1 'grep held /tmp/hold.log'
flow_begin g1 2
expect_flow "data flows" "$d"
expect "the frontend is unbound in the middle" \
	guest_cmd g1 'echo myecho-0 >/sys/bus/xen/drivers/myechofront/unbind'
expect_soon "both ends are Closed" echo_states_are 6/6 "$d"
expect_soon "the processes end" check_ended g1
said=$(check_ended g1)
note "$said"
expect_is "as there is no device" "$(grep -cE 'none wrong; then (read|write): No such device' <<<"$said")" 2
expect "the module of an open file can't be removed" guest_cmd g1 '! rmmod myechofront'
expect "the frontend is bound again" \
	guest_cmd g1 'echo myecho-0 >/sys/bus/xen/drivers/myechofront/bind'
expect_soon "both ends are Connected" echo_states_are 4/4 "$d"
expect "another file works" guest_cmd g1 '/tests/echo check /dev/myecho0 100000 2'
expect_is "the file that is held has no device" \
	"$(guest_cmd g1 'ls -l /proc/[0-9]*/fd 2>/dev/null | grep -o "/dev/myecho0.*"')" \
	'/dev/myecho0 (deleted)'
expect "it is closed" guest_cmd g1 'xargs kill </tmp/pid; rm /tmp/fifo'
expect_soon "then the module can be removed" unload_echo g1
expect "and loaded" guest_cmd g1 'modprobe myechofront'
expect_soon "both ends are Connected" echo_states_are 4/4 "$d"
expect "it works" guest_cmd g1 '/tests/echo check /dev/myecho0 100000 2'

# ---- detach
flow_begin g1 4
expect_flow "data flows" "$d"
expect "detach in the middle" xensplit detach g1 myecho -t 120
expect_soon "the processes end" check_ended g1
said=$(check_ended g1)
note "$said"
expect_is "as there is no device" "$(grep -cE 'none wrong; then (read|write): No such device' <<<"$said")" 4
expect_soon "dom0 has no device" not_in_dom0
store_dump >$work/after
expect_same "the store is as it was" $work/before $work/after

# While nobody answers.
expect "attach" xensplit attach g1 myecho -t 120
echo "myecho-$d-0" >$sysfs/unbind
expect_soon "both ends are Closed" echo_states_are 6/6 "$d"
check_begin g1 $((1 << 20)) 2
expect "detach while requests wait for a backend" xensplit detach g1 myecho -t 120
expect_soon "the processes end" check_ended g1
expect_is "as there is no device" "$(check_ended g1 | grep -c ': No such device')" 2
expect_soon "dom0 has no device" not_in_dom0

# ---- No grant is lost in any of that.
expect "attach" xensplit attach g1 myecho -t 120
ref=$(xenstore-read "/local/domain/$d/device/myecho/0/ring-ref0")
note "the ring's grant is $ref"
expect "nearly all grants can be used again" test "$ref" -lt 1000
expect "detach" xensplit detach g1 myecho -t 120
expect_is "g1's kernel has nothing to say" "$(calm_in_guest g1)" ''
expect "the module can be removed" guest_cmd g1 'rmmod myechofront'
expect "and in dom0" rmmod myechoback
