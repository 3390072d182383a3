#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Expects: @NAME@ echoes, also after a reload of either driver

# shellcheck source=/dev/null
. /tests/lib.sh
need_tool

modprobe @SYMBOL@back
guest_use g1
d=$(guest_domid g1)
guest_cmd g1 modprobe @SYMBOL@front

# hello WORDS [ANSWER]: what is written to the device can be read from it
hello()
{
	expect_is "$1" "$(guest_cmd g1 \
		'exec 3<>/dev/@NAME@0; echo "Hello, you." >&3; head -n 1 <&3')" "${2:-Hello, you.}"
}

expect "attach" xensplit attach g1 @NAME@ -t 120
hello "it echoes"

expect "reload the frontend" \
	guest_cmd g1 'echo @NAME@-0 >/sys/bus/xen/drivers/@SYMBOL@front/unbind && rmmod @SYMBOL@front && modprobe @SYMBOL@front'
expect_soon "it connects" xensplit wait g1 @NAME@ -t 1
hello "it echoes again"
echo "@NAME@-$d-0" >/sys/bus/xen-backend/drivers/@SYMBOL@back/unbind
expect "unload the backend" rmmod @SYMBOL@back
expect "load it again" modprobe @SYMBOL@back
expect_soon "it connects" xensplit wait g1 @NAME@ -t 1
hello "it echoes again"

expect "detach" xensplit detach g1 @NAME@ -t 120
expect "attach with upper case" xensplit attach g1 @NAME@ --back features=upper -t 120
hello "the backend has it in its hands" 'HELLO, YOU.'
expect "detach" xensplit detach g1 @NAME@ -t 120
expect_is "g1 has no device" "$(xensplit list g1 --noheadings)" ''
expect "unload both" guest_cmd g1 rmmod @SYMBOL@front
expect "in dom0, too" rmmod @SYMBOL@back
