#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: a program is the backend of myecho, beside the driver

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
# shellcheck source=tests/xen/echo.sh
. /tests/echo.sh
need_tool

modprobe myechoback
guest_use g1 g2
d=$(guest_domid g1)
front=/local/domain/$d/device/myecho/0
guest_cmd g1 'modprobe myechofront; dmesg -c >/dev/null'
guest_cmd g2 'modprobe myechofront; dmesg -c >/dev/null'
grants=$(active_grants "$d")
store_dump >$work/before

/tests/echo-backend >$work/program.log 2>&1 &
program=$!
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

kill $program
wait $program || :
expect_is "g1's kernel has nothing to say" "$(calm_in_guest g1)" ''
unload_echo g1
unload_echo g2
expect "the driver's module can be removed" rmmod myechoback
