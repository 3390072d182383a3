#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: a program that links the library attaches in its own transaction, and connects

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
need_tool

modprobe mydeviceback
guest_use g1
d=$(guest_domid g1)
store_dump >$work/before
run timeout 200 /tests/toolstack g1
note "$output$errors"
expect_is "the example toolstack: exit status" $status 0
expect_has "it attaches, with a note of its own" "$output" \
	'^both ends are Connected; /toolstack-example: attached$'
expect_has "it closes, and changes its note" "$output" \
	'^the backend is Closed; /toolstack-example: closing$'
expect_has "it removes both" "$output" '^the device is gone; /toolstack-example: \(gone\)$'
expect "the frontend was Connected" written "\(device/mydevice/0/state" 4
expect "the backend was Connected" written "\(backend/mydevice/$d/0/state" 4
store_dump >$work/after
expect_same "the store is as it was" $work/before $work/after
run timeout 60 /tests/toolstack nobody
expect_is "a domain that is none: exit status" $status 1
