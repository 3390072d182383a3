#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: a device removed and made again at once is mistaken for the old one; --replace is not

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
need_tool

modprobe mydeviceback
guest_use g1
d=$(guest_domid g1)
probes() { guest_cmd g1 dmesg | grep -c 'mydevicefront: Probe called'; }

expect "attach" xensplit attach g1 -t 120
before=$(probes)
expect "it is removed and made again in one commit" /tests/replace-at-once "$d"

# Linux before 7.0. Later versions see that the state was reset, and the device connects.
run timeout 60 xensplit wait g1 -t 5
note "$errors"
expect_is "the guest mistakes the new device for the old: exit status" $status 6
expect_is "its driver was not probed again" "$(probes)" "$before"
run xensplit doctor g1
note "$output"
expect_has "doctor says what dom0 can see" "$output" "^ +fix: in g1: modprobe xen:mydevice$"
# The module is loaded. For this case, the manual has --replace.
run xensplit attach g1 --replace -t 60
note "$output$errors"
expect_is "as it is loaded, --replace helps: exit status" $status 0
expect_is "both ends are Connected" "$(states "$d")" 4/4
expect_is "the driver was probed" "$(probes)" $((before + 1))

# shellcheck disable=SC2034 # twice
for i in 1 2; do
	expect "attach --replace of a device in use" xensplit attach g1 --replace -t 60
	expect_is "both ends are Connected" "$(states "$d")" 4/4
done
expect_is "each of them was probed" "$(probes)" $((before + 3))
expect "detach" xensplit detach g1 -t 120
