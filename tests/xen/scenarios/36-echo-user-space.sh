#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: a program is the backend of myecho, beside the driver, in dom0 and in a driver domain

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
# shellcheck source=tests/xen/echo.sh
. /tests/echo.sh
need_tool

modprobe myechoback
guest_config dd nofront
echo 'driver_domain = 1' >>/run/guest-dd.cfg
guest_boot dd &
pid=$!
guest_use g1 g2
wait $pid || exit 1
d=$(guest_domid g1)
front=/local/domain/$d/device/myecho/0
guest_cmd g1 'modprobe myechofront; dmesg -c >/dev/null'
guest_cmd g2 'modprobe myechofront; dmesg -c >/dev/null'
grants=$(active_grants "$d")
store_dump >$work/before
program=
program_begins()
{
	/tests/echo-backend >>$work/program.log 2>&1 &
	program=$!
}
program_ends()
{
	kill "-$1" $program
	wait $program 2>/dev/null || :
}

# ---- beside the driver
: >$work/program.log
program_begins
expect "attach to the program" \
	xensplit attach g1 myecho --backend-type myechod --back features=upper --front ring-pages=4 -t 120
expect "attach another guest to the driver" xensplit attach g2 myecho -t 120
expect_is "both ends are Connected" "$(echo_states "$d" myechod)" 4/4
run xensplit list
note "$output"
expect_is "the program offers and gets the same" \
	"$(xenstore-read "$front/num-ring-pages" "$front/features-used")" $'4\nupper'
check_begin g2 1000000 2
run guest_cmd g1 '/tests/echo check /dev/myecho0 1000000 4 upper'
note "$output"
expect_is "the program echoes for four processes: exit status" $status 0
expect_soon "the driver echoes at the same time" check_ended g2
expect_is "each byte once, and in order" "$(check_ended g2 | uniq)" $'1000000 bytes came back, none wrong\nexit 0'
expect "detach" xensplit detach g1 myecho -t 120
expect "detach the other" xensplit detach g2 myecho -t 120
store_dump >$work/after
expect_same "the store is as it was" $work/before $work/after
expect_is "no grant is mapped" "$(active_grants "$d")" "$grants"

# ---- the program ends and begins, the hard way as well
for signal in TERM KILL; do
	expect "attach" xensplit attach g1 myecho --backend-type myechod -t 120
	before=$(front_has g1 requests)
	flow_begin g1 2
	expect_soon "data flows" front_above g1 requests $((before + 100))
	program_ends $signal
	expect "the program got SIG$signal in the middle, the guest's processes wait" \
		guest_cmd g1 '! grep . /tmp/check.log'
	program_begins
	expect_soon "it is run again, both ends are Connected" echo_states_are 4/4 "$d" myechod
	before=$(front_has g1 requests)
	expect_soon "data flows again" front_above g1 requests $((before + 100))
	flow_end g1
	expect_soon "the processes get everything" check_ended g1
	expect "each byte once, and in order" all_back g1 2
	expect "detach" xensplit detach g1 myecho -t 120
done

# ---- a frontend that breaks the rules
guest_cmd g1 'modprobe evilfront'
expect "attach" xensplit attach g1 myecho --backend-type myechod -t 120

# attack NAME: until it is over; sets said to what it printed
attack()
{
	: >$work/program.log
	said=$(front_attack g1 "$1") || not_met "$1: ends" "$said"
}

for name in requests changes storm; do
	attack $name
	expect_has "$name: the program still answers" "$said" "^$name: id 77 status 0 length 100"
done
for name in prod-far ref-other; do
	attack $name
	expect "$name: the program ends the connection" grep 'more requests than the ring' $work/program.log
done
for name in pages-many pages-text pages-missing ref-none port-none; do
	attack $name
	expect "$name: the program does not connect" grep 'shares no ring' $work/program.log
done

# ---- The frontend is another before the program sees that the last one has gone.
attack prod-far
kill -STOP $program
front_driver g1 myechofront
kill -CONT $program
expect_soon "a good frontend that comes at once connects" echo_states_are 4/4 "$d" myechod
expect "and is served" guest_cmd g1 '/tests/echo check /dev/myecho0 100000 2'
expect "detach" xensplit detach g1 myecho -t 120
program_ends TERM
note "$(sort $work/program.log | uniq -c)"
expect_is "no grant is mapped" "$(active_grants "$d")" "$grants"

# ---- in a driver domain
b=$(guest_domid dd)
expect "the driver domain has what a program needs" guest_cmd dd 'modprobe xen-evtchn && modprobe xen-gntdev'
guest_cmd dd '(/tests/echo-backend & echo $! >/tmp/pid; wait $!; echo "exit $?") >/tmp/program.log 2>&1 &'
expect "attach to it" xensplit attach g1 myecho -b dd --backend-type myechod -t 120
expect_is "both ends are Connected" "$(echo_states "$d" myechod "$b")" 4/4
expect "it echoes" guest_cmd g1 '/tests/echo check /dev/myecho0 1000000 4'
expect "detach" xensplit detach g1 myecho -t 120
guest_cmd dd 'xargs kill </tmp/pid'
program_said() { guest_cmd dd 'cat /tmp/program.log; grep -qx "exit 0" /tmp/program.log'; }
expect_soon "the program ends as it should" program_said
note "$(program_said)"
expect_is "g1's kernel has nothing to say" "$(calm_in_guest g1)" ''
expect_is "nor has dd's" "$(calm_in_guest dd)" ''
unload_echo g1
unload_echo g1 evilfront
unload_echo g2
expect "the driver's module can be removed" rmmod myechoback
