#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: a VM that is created again with its UUID and domid is recognized as a new domain

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
need_tool

modprobe mydeviceback
guest_config twin
uuid=4f6b1c3e-0d52-4c5a-9a77-1c1d7ab7a5ee
echo "uuid = \"$uuid\"" >>/run/guest-twin.cfg
guest_boot twin
d=$(guest_domid twin)
mark=/local/domain/$d/xensplit
record=/xensplit/$d/mydevice/0
uuid_now() { xl list -v twin | grep -oE '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}' | head -n 1; }
# field NAME: of the record; -R, since otherwise the lines of a value are shown as \n
field() { xenstore-read -R "$record" | sed -n "s/^$1=//p"; }
not_in_dom0() { ! device_in_dom0 "$d"; }
stale() { xensplit list --json | jq -c '[.devices[] | [.devid, .stale]] | sort'; }

expect "attach" xensplit attach twin -t 120
expect_is "both ends are Connected" "$(states "$d")" 4/4
first=$(xenstore-read "$mark")
expect_has "the domain has a mark" "$first" '^[0-9a-f]{16}$'
expect_has "which is dom0's alone" "$(xenstore-ls -fp "/local/domain/$d" | grep '/xensplit = ')" '\(n0\)$'
expect "the guest can't read it" guest_cmd twin '! xenstore-read xensplit'
expect_is "the record has it" "$(field frontend-mark)" "$first"
expect_is "and the UUID" "$(field frontend-uuid)" $uuid
expect_is "nothing is stale" "$(stale)" '[[0,false]]'

xl destroy twin
expect_soon "dom0's kernel has given the device up" not_in_dom0
export LIBXL_DOMID_REUSE_TIMEOUT=0
sleep 2 # libxl counts whole seconds, and 0 of them count as one
guest_log_from_here twin
with_domid() { LD_PRELOAD=/tests/preload-domid.so DOMID=$d xl "$@"; }
expect "the VM is created again, paused" with_domid create -q -p /run/guest-twin.cfg
expect_is "it has the domid it had" "$(guest_domid twin)" "$d"
expect_is "and the UUID it had" "$(uuid_now)" $uuid
expect_is "which is that of the record" "$(field frontend-uuid)" $uuid
expect_is "the record still has the mark" "$(field frontend-mark)" "$first"
expect "the new domain has none" eval "! xenstore-exists $mark"

run xensplit list
note "$output"
expect_has "list calls the device stale" "$output" "^ *$d +twin +mydevice/0 +0 +absent +Closed +stale$"
store_dump >$work/before
run xensplit doctor twin
note "$output"
expect_has "so does doctor" "$(head -n 1 $work/output)" '\[stale\]'
expect_has "with what removes it" "$output" 'fix: xensplit reap$'
run xensplit attach twin -t 60
note "$errors"
expect_is "attach refuses: exit status" $status 5
expect_has "and says which domain it belongs to" "$errors" \
	"^xensplit: attach twin mydevice/0: an earlier domain $d left a device of that name$"
expect_has "and what removes it" "$errors" "^  try: xensplit reap$"
run xensplit detach twin -t 60
note "$errors"
expect_is "detach does not touch it: exit status" $status 5
store_dump >$work/after
expect_same "nothing was written" $work/before $work/after

# Only the mark differs: with its old mark, the new domain would look like the old one.
xenstore-write "$mark" "$first"
xenstore-chmod "$mark" n0
expect_is "with the old mark it is not stale" "$(stale)" '[[0,false]]'
xenstore-rm "$mark"
expect_is "without, it is" "$(stale)" '[[0,true]]'

expect "attach another device" xensplit attach twin mydevice/1 --no-wait
second=$(xenstore-read "$mark")
expect_has "now the domain has a mark" "$second" '^[0-9a-f]{16}$'
expect_is "another than before" "$([[ $second != "$first" ]] && echo another)" another
expect_is "the one is stale, the other is not" "$(stale)" '[[0,true],[1,false]]'
run xensplit reap
note "$output"
expect_is "reap: exit status" $status 0
expect_has "it removes the one" "$output" "^mydevice/0 of (twin \()?domain $d\)? removed$"
expect_is "and leaves the other" "$(stale)" '[[1,false]]'
expect "attach" xensplit attach twin --no-wait
expect_is "the record has the new mark" "$(field frontend-mark)" "$second"
xl unpause twin
expect "it connects" xensplit wait twin -t 300
expect "so does the other" xensplit wait twin mydevice/1 -t 120
expect_is "both ends are Connected" "$(states "$d") $(states "$d" 1)" '4/4 4/4'
expect_is "nothing is stale" "$(stale)" '[[0,false],[1,false]]'
expect "the guest boots" guest_prints twin '@@ ready'
expect "detach both" xensplit detach twin --all -t 120
expect_is "no node of a device is left" "$(devices_left)" ''
