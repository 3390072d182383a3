#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: serve goes on when xenstored is replaced by a live update

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
need_tool

modprobe mydeviceback
guest_config first
guest_config second
serve_guest first '"mydevice/0"'
serve_guest second '"mydevice/0"'
serve_start
serve=$(<$work/serve.pid)
guest_boot first
expect_soon "the first guest's device is Connected" connected first
d=$(guest_domid first)
unique() { xenstore-read -R "/xensplit/$d/mydevice/0" | sed -n 's/^unique-id=//p'; }
made=$(unique)

# "Once more": state that came from a live update survives another.
for time in once "once more"; do
	run timeout 300 xenstore-control live-update "$(command -v xenstored)"
	note "$output$errors"
	expect_is "live update, $time: exit status" $status 0
	expect_is "xenstored has the first guest's device" "$(states "$d")" 4/4
	expect "serve goes on" kill -0 "$serve"
done
expect_has "xenstored was started with its state" "$(tr '\0' ' ' <"/proc/$(</run/xenstored.pid)/cmdline")" \
	' (-U|--live-update)'
guest_boot second
expect_soon "a second guest's device is Connected" connected second
expect_is "the first guest's device is the same" "$(unique)" "$made"
expect_is "and Connected" "$(states "$d")" 4/4
xl destroy first
expect_soon "destroyed, nothing is left of the first" gone "$d"
d=$(guest_domid second)
xl destroy second
expect_soon "nor of the second" gone "$d"
expect "serve goes on" kill -0 "$serve"
note "$(<$work/serve.log)"
