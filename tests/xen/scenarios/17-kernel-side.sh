#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: doctor sees in dom0's kernel why a backend is stuck, and its command fixes it

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
need_tool

guest_use g1
d=$(guest_domid g1)
back=/local/domain/0/backend/mydevice/$d/0
modprobe -r mydeviceback
aliases=/lib/modules/$(uname -r)/modules.alias
first() { { xensplit doctor g1 mydevice/0 --json || :; } | jq -r '.findings[0].code'; }

expect "attach without a backend driver" xensplit attach g1 --no-wait
expect_soon "the kernel has the device" device_in_dom0 "$d"
expect_is "doctor: no driver" "$(first)" no-backend-driver
run xensplit doctor g1
note "$output"
expect_has "but this module would" "$output" \
	"/sys/bus/xen-backend/devices/mydevice-$d-0 has no driver; module mydeviceback fits it"
mv "$aliases" "$aliases.away"
said=$(first)
run xensplit doctor g1
mv "$aliases.away" "$aliases"
note "$output"
expect_is "where no module has the alias: doctor" "$said" no-backend-module

run xensplit doctor g1
fix=$(sed -n 's/^ *fix: in dom0: //p' $work/output | head -n 1)
expect_is "the fix" "$fix" 'modprobe xen-backend:mydevice'
expect "the fix works" eval "$fix"
expect "the device connects" xensplit wait g1 -t 120
expect_is "both ends are Connected" "$(states "$d")" 4/4
run xensplit doctor g1
expect_is "doctor finds nothing" "$status $output" '0 nothing is wrong'
expect "detach" xensplit detach g1 -t 120

# The kernel ignores a device that did not begin in Initialising.
xenstore-write "$back/frontend" "/local/domain/$d/device/mydevice/0" "$back/frontend-id" "$d" \
	"$back/online" 1
xenstore-chmod -r "$back" n0 "r$d"
xenstore-write "/local/domain/$d/device/mydevice/0/backend" "$back" \
	"/local/domain/$d/device/mydevice/0/backend-id" 0
xenstore-chmod -r "/local/domain/$d/device/mydevice/0" "n$d" r0
xenstore-write "$back/state" 2 "/local/domain/$d/device/mydevice/0/state" 1
xenstore-chmod "$back/state" n0 "r$d"
sleep 1
run xensplit doctor g1
note "$output"
expect_is "doctor: the kernel has no such device" "$(first)" no-backend-device
# Nobody closes it, so the first half of the time passes.
run xensplit attach g1 --replace -t 40
note "$output$errors"
expect_is "the fix works" "$status $(states "$d")" '0 4/4'
expect "detach" xensplit detach g1 -t 120
