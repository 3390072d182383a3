#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: no device is mistaken for that of another guest which gets the same domid

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
need_tool

modprobe mydeviceback
guest_start first
d=$(guest_domid first)
uuid=$(xl list -v first | grep -oE '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}' | head -n 1)
expect "attach" xensplit attach first -t 120
xensplit attach first mydevice/auto -t 120 >/dev/null

# xl can give a saved guest its domid back. With another UUID of the same length in the file, it is
# another guest for Xen and its tools.
expect "save with the domid" xl save -D first /run/first
other=00000000${uuid:8}
at=$(head -c 65536 /run/first | strings -t d | awk -v uuid="$uuid" 'index($0, uuid) && !found++ {
	offset = $1; sub(/^ *[0-9]+ /, ""); print offset + index($0, uuid) - 1 }')
expect_is "the UUID is in the file" "$(dd if=/run/first bs=1 skip="$at" count=36 2>/dev/null)" "$uuid"
printf %s "$other" | dd of=/run/first bs=1 seek="$at" conv=notrunc 2>/dev/null
export LIBXL_DOMID_REUSE_TIMEOUT=0
sleep 2 # libxl counts whole seconds, and 0 of them count as one
guest_log_from_here first
expect "restore as another guest" xl restore -p /run/first
rm /run/first
expect_is "it has the domid" "$(guest_domid first)" "$d"
expect_has "and another UUID" "$(xl list -v first)" "$other"

note "$(store_dump | grep -E 'mydevice|^/xensplit')"
run xensplit list
note "$output"
expect_has "list calls the device stale" "$output" "^ *$d +.* mydevice/0 +0 +absent .* stale$"
run xensplit doctor first
note "$output"
expect_has "so does doctor" "$(head -n 1 $work/output)" '\[stale\]'
run xensplit attach first
note "$errors"
expect_is "attach refuses: exit status" $status 5
expect_has "and names the fix" "$errors" '^  try: xensplit reap$'
run xensplit detach first -t 60
note "$errors"
expect_is "detach does not touch it: exit status" $status 5
run xensplit reap
expect_has "reap removes it" "$output" "^mydevice/0 of .*domain $d\)? removed$"
expect_is "no node of a device is left" "$(devices_left)" ''
expect "attach to the guest that has the domid now" xensplit attach first --no-wait
xl unpause first
expect "it connects" xensplit wait first -t 120
expect_is "both ends are Connected" "$(states "$d")" 4/4
expect "detach" xensplit detach first -t 120
