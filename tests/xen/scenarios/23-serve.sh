#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: with serve running, a line in a guest's configuration is enough, whatever the guest does

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
need_tool

modprobe mydeviceback
guest_config kept
serve_guest kept '"mydevice/0", "mydevice/auto,front.ring-pages=4"'
serve_start

guest_boot kept
d=$(guest_domid kept)
expect_soon "created, its device is Connected" connected kept
expect_soon "so is the one with an automatic id" connected kept 1
run xensplit list
note "$output"
expect_is "that has its key" \
	"$(xenstore-read "/local/domain/$d/device/mydevice/1/ring-pages")" 4
run xensplit serve --status
note "$output"
run xensplit apply "/etc/xensplit/domains/kept.cfg" --json
expect_is "apply has nothing to do: exit status" $status 0
expect "it says so" jq -e '.changed == false' $work/output

old=$d
guest_log_from_here kept
tty=$(xenstore-read "/local/domain/$old/console/tty")
echo 'mark reboot -f' >"$tty"
rebooted() { d=$(guest_domid kept 2>/dev/null) && [[ $d != "$old" ]]; }
expect_soon "rebooted, it has a new domid" rebooted
expect "it boots" guest_prints kept '@@ ready'
expect_soon "its device is Connected" connected kept
expect_soon "so is the other" connected kept 1
expect_soon "nothing is left of its old domid" gone "$old"

old=$(guest_domid kept)
guest_cmd kept 'echo still here >/tmp/memory'
expect "save" xl save kept /run/saved
expect_soon "saved, nothing is left of its domid" gone "$old"
guest_log_from_here kept
expect "restore" xl restore /run/saved
rm /run/saved
expect_soon "restored, its device is Connected" connected kept
expect_soon "so is the other" connected kept 1
expect_is "it is the guest that was saved" "$(guest_cmd kept cat /tmp/memory)" 'still here'

d=$(guest_domid kept)
serve=$(<$work/serve.pid)
kill -KILL "$serve"
wait "$serve" 2>/dev/null || :
expect "serve is killed, and the guest destroyed" xl destroy kept
serve_start
expect_soon "serve, started again, leaves nothing of it" gone "$d"
expect_is "no node of a device is left" "$(devices_left)" ''
serve=$(<$work/serve.pid)
kill "$serve"
status=0
wait "$serve" || status=$?
expect_is "serve ends when it is asked to: exit status" $status 0
note "$(<$work/serve.log)"
