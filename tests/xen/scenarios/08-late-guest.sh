#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: attach to a guest that can't answer yet says so, and the device connects when it can

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
need_tool

modprobe mydeviceback
guest_use g1
d=$(guest_domid g1)

# A guest without the frontend, as before its initramfs has loaded it.
guest_cmd g1 rmmod mydevicefront
run timeout 120 xensplit attach g1 -t 10
note "$errors"
expect_is "the deadline passes: exit status" $status 6
expect_has "attach says which states it reached" "$errors" \
	"^xensplit: attach g1 mydevice/0: not connected after [0-9.]+ s \(frontend Initialising, backend InitWait\)$"
expect_has "why" "$errors" "^  why: no frontend driver has taken the device"
expect_has "and what to do" "$errors" "^  try: in g1: modprobe xen:mydevice$"
run xensplit doctor g1
expect_has "doctor says the same" "$output" '\[no-frontend-driver\]'
run timeout 60 xensplit wait g1 -t 1
expect_is "it is still waited for: exit status" $status 6
xensplit wait g1 -t 300 >$work/wait 2>&1 &
pid=$!
expect "the guest loads its driver" guest_cmd g1 modprobe mydevicefront
status=0
wait $pid || status=$?
expect_is "the wait ends: exit status" $status 0
expect_is "both ends are Connected" "$(states "$d")" 4/4
expect "detach" xensplit detach g1 -t 120

# A guest that is paused.
xl pause g1
run timeout 120 xensplit attach g1 -t 10
note "$errors"
expect_is "the deadline passes: exit status" $status 6
expect_has "attach says why" "$errors" "^  why: domain $d is paused: "
expect_has "and what to do" "$errors" "^  try: xl unpause $d$"
run xensplit doctor g1
expect_has "so does doctor" "$(head -n 1 $work/output)" '\[domain-paused\]'
xl unpause g1
expect "unpaused, it connects" xensplit wait g1 -t 120
expect "detach" xensplit detach g1 -t 120
xl pause g1
run timeout 120 xensplit attach g1 -t 10 --rollback
note "$errors"
expect_is "with --rollback: exit status" $status 6
expect_is "nothing is left of it" "$(devices_left)" ''
xl unpause g1

# A guest that has not run its first instruction.
guest_config late
expect "a guest is created, paused" xl create -q -p /run/guest-late.cfg
d=$(guest_domid late)
run xensplit attach late --no-wait --json
expect_is "attach --no-wait returns: exit status" $status 0
expect "with what is there" jq -e '[.devices[0].frontend_state, .devices[0].devid] ==
	["Initialising", 0]' $work/output
xl unpause late
expect "when the guest gets there, it connects" xensplit wait late -t 600
expect_is "both ends are Connected" "$(states "$d")" 4/4
expect "the guest boots" guest_prints late '@@ ready'
expect "detach" xensplit detach late -t 120
