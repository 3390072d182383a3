#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: a file that changed is applied to a running guest, and what it no longer lists is detached

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
need_tool

# lists ENTRIES: the line of the guest's file
lists()
{
	sed -i '/^xensplit/d' /run/guest-changing.cfg
	echo "xensplit = [ $1 ]" >>/run/guest-changing.cfg
}

modprobe mydeviceback
guest_config changing
lists '"mydevice/0", "mydevice/auto"'
run timeout 60 xensplit apply /run/guest-changing.cfg
note "$errors"
expect_is "there is no such guest yet: exit status" $status 3
guest_boot changing
d=$(guest_domid changing)
expect "apply" timeout 300 xensplit apply /run/guest-changing.cfg -t 200
expect_is "both devices are Connected" "$(states "$d") $(states "$d" 1)" '4/4 4/4'

lists '"mydevice/0,front.ring-pages=4"'
store_dump >$work/before
run timeout 120 xensplit apply /run/guest-changing.cfg
note "$output$errors"
expect_is "a device that differs: exit status" $status 5
store_dump >$work/after
expect_same "nothing was written" $work/before $work/after
run timeout 400 xensplit apply /run/guest-changing.cfg --replace --prune -t 200 --json
note "$errors"
expect_is "with --replace and --prune: exit status" $status 0
expect "it says what it did" jq -e '.changed and ([.devices[].changed] == [true, true])' $work/output
expect_is "both ends are Connected" "$(states "$d")" 4/4
expect_is "it has the key" "$(xenstore-read "/local/domain/$d/device/mydevice/0/ring-pages")" 4
expect_is "the other is gone" "$(xensplit list --json | jq -c '[.devices[].devid]')" '[0]'
expect "detach" xensplit detach changing -t 120
expect_is "no node of a device is left" "$(devices_left)" ''
