#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: the original's seven writes let both drivers probe and never connect; xensplit does

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh

modprobe mydeviceback
guest_use g2
d=$(guest_domid g2)
front=/local/domain/$d/device/mydevice/0
back=/local/domain/0/backend/mydevice/$d/0
guest_cmd g2 'dmesg -c >/dev/null'

expect "write the frontend's backend-id" xenstore-write "$front/backend-id" 0
expect "write the frontend's backend" xenstore-write "$front/backend" "$back"
expect "write the backend's frontend-id" xenstore-write "$back/frontend-id" "$d"
expect "write the backend's frontend" xenstore-write "$back/frontend" "$front"
expect "let everyone read the backend" xenstore-chmod "$back" r
expect "write the frontend's state" xenstore-write "$front/state" 1
expect "write the backend's state" xenstore-write "$back/state" 1

stuck() { guest_cmd g2 dmesg | grep 'mydevice.*13 writing new state'; }
expect_soon "the frontend may not write its state: the node is dom0's" stuck
expect_has "the frontend was probed" "$(guest_cmd g2 dmesg)" 'mydevicefront: Probe called'
expect_has "the backend was probed" "$(dom0_log)" 'mydeviceback: Probe called'
expect_is "the frontend stays Initialising, the backend InitWait" "$(states "$d")" 1/2
note "$(xenstore-ls -fp | grep mydevice)"
note "$(stuck)"

# A script that detaches is not part of the original.
for path in "$front" "${front%/0}" "${back%/0}" "${back%/*/0}"; do
	xenstore-rm "$path"
done
not_in_guest() { ! device_in_guest g2; }
not_in_dom0() { ! device_in_dom0 "$d"; }
expect_soon "with the nodes the frontend is gone" not_in_guest
expect_soon "with the nodes the backend is gone" not_in_dom0

if command -v xensplit >/dev/null; then
	expect "xensplit attaches a device to the same guest" xensplit attach g2 -t 120
	expect_is "the same drivers are Connected" "$(states "$d")" 4/4
	expect "xensplit detaches it" xensplit detach g2 -t 120
fi
