#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: a script's device is adopted before its drivers are there, or while it is in use

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
need_tool

modprobe mydeviceback
guest_use g1 g2
store_dump >$work/before
not_in_guest() { ! device_in_guest "$1"; }

# script GUEST [let]: the seven commands of the original; "let": the guest may write its state
script()
{
	local d front back

	d=$(guest_domid "$1")
	front=/local/domain/$d/device/mydevice/0
	back=/local/domain/0/backend/mydevice/$d/0
	xenstore-write "$front/backend-id" 0
	xenstore-write "$front/backend" "$back"
	xenstore-write "$back/frontend-id" "$d"
	xenstore-write "$back/frontend" "$front"
	xenstore-chmod "$back" r
	if [[ ${2-} == let ]]; then
		xenstore-write "$front/state" 0
		xenstore-chmod "$front/state" "n$d" r0
	fi
	xenstore-write "$front/state" 1
	xenstore-write "$back/state" 1
}

# ours GUEST: list has its device, connected, and calls it neither foreign nor stale
ours()
{
	run timeout 60 xensplit list
	note "$output$errors"
	expect_has "list has it as ours" "$output" \
		"^ *$(guest_domid "$1") +$1 +mydevice/0 +0 +Connected +Connected +-$"
	expect_is "list mentions no device of others" "$(grep -c 'did not make' <<<"$errors")" 0
}

# The original's device, which its driver could not use.
d=$(guest_domid g2)
expect "g2 has no frontend driver" guest_cmd g2 rmmod mydevicefront
script g2
run timeout 60 xensplit detach g2
note "$errors"
expect_is "detach refuses a script's device: exit status" $status 3
expect_has "and says what to do" "$errors" "^  try: take it over first: xensplit adopt $d mydevice/0$"
run timeout 60 xensplit adopt g2
note "$output$errors"
expect_is "adopt: exit status" $status 0
expect_is "it says which" "$output" "mydevice/0 of g2 (domain $d) adopted"
expect "the frontend's driver is loaded" guest_cmd g2 modprobe mydevicefront
expect "it connects" xensplit wait g2 -t 120
ours g2
run timeout 60 xensplit doctor g2
expect_is "doctor finds nothing" "$status $output" '0 nothing is wrong'
expect "detach" xensplit detach g2 -t 120
expect_soon "the guest has no device" not_in_guest g2

# One in use.
d=$(guest_domid g1)
probes() { guest_cmd g1 dmesg | grep -c 'mydevicefront: Probe called'; }
before=$(probes || :)
script g1 let
expect_soon "a script that lets the guest write its state: both ends are Connected" states_are 4/4 "$d"
expect_is "the frontend was probed once" "$(probes)" $((before + 1))
expect "every domain may read the backend" \
	guest_cmd g2 "xenstore-read /local/domain/0/backend/mydevice/$d/0/state"
run timeout 60 xensplit adopt g1 mydevice/0
note "$output$errors"
expect_is "adopt: exit status" $status 0
expect "no other domain may read it any more" \
	guest_cmd g2 "! xenstore-read /local/domain/0/backend/mydevice/$d/0/state"
ours g1
run timeout 60 xensplit doctor g1
expect_is "doctor finds nothing" "$status $output" '0 nothing is wrong'
expect_is "both ends are Connected" "$(states "$d")" 4/4
expect_is "the frontend was not probed again" "$(probes)" $((before + 1))
expect "detach" xensplit detach g1 -t 120
expect_soon "the guest has no device" not_in_guest g1
expect_is "dom0 has none" "$(device_in_dom0 "$d" || echo none)" none
store_dump >$work/after
expect_same "the store is as it was" $work/before $work/after
