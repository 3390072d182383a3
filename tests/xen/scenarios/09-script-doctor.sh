#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: doctor explains why the original script's device stalls, and doctor --fix connects it

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
need_tool

modprobe mydeviceback
guest_use g2
d=$(guest_domid g2)
front=/local/domain/$d/device/mydevice/0
back=/local/domain/0/backend/mydevice/$d/0

xenstore-write "$front/backend-id" 0
xenstore-write "$front/backend" "$back"
xenstore-write "$back/frontend-id" "$d"
xenstore-write "$back/frontend" "$front"
xenstore-chmod "$back" r
xenstore-write "$front/state" 1
xenstore-write "$back/state" 1
stuck() { guest_cmd g2 dmesg | grep 'mydevice.*13 writing new state'; }
expect_soon "the script's device stalls" stuck
expect_is "frontend Initialising, backend InitWait" "$(states "$d")" 1/2

run timeout 60 xensplit list
expect_is "it is nothing that xensplit attached" "$(grep -c mydevice $work/output)" 0
expect_has "list mentions it" "$errors" '^ +note: xensplit did not make 1 more device: see --all$'
run timeout 60 xensplit list --all
expect_has "list --all has it" "$output" "^ *$d +g2 +mydevice/0 +0 +Initialising +InitWait +foreign$"
run timeout 60 xensplit doctor g2
note "$output"
expect_is "doctor finds something: exit status" $status 1
expect_has "first of all the permissions" "$(head -n 1 $work/output)" \
	"$front.* is \(n0.*\): domain $d may not write it \[frontend-permissions\]"
expect_has "why they stop it" "$output" '13 writing new state'
expect_has "doctor names the fix" "$output" "^ +fix: xensplit doctor --fix $d mydevice/0$"
run timeout 60 xensplit wait g2 -t 10
expect_has "wait says the same" "$errors" "^  why: $front/state is .*: domain $d may not write it: "
expect_has "and the same to do" "$errors" "^  try: xensplit doctor --fix $d mydevice/0$"
store_dump >$work/before
run timeout 60 xensplit doctor --fix --dry-run g2
note "$output"
expect_is "what it would do: exit status" $status 0
expect_has "the owner of the state" "$output" "$front/state.*n$d,r0"
store_dump >$work/after
expect_same "nothing was written" $work/before $work/after

# Linux records the new state of a frontend although it could not write it (xenbus_switch_state).
# Its driver considers itself Connected, and only a new device helps. A foreign device is never
# made again without being asked: doctor says how.
run timeout 400 xensplit doctor --fix g2 mydevice/0 -t 20
note "$output$errors"
expect_is "doctor --fix: exit status" $status 1
expect_has "what is left to do" "$output" "fix: xensplit attach $d mydevice/0 --backend=0 --replace$"
expect_has "the guest has its state" "$(xenstore-ls -fp "$front")" "state = .* +\(n$d,r0\)"
run timeout 400 xensplit attach "$d" mydevice/0 --backend=0 --replace -t 120
note "$output$errors"
expect_is "attach --replace: exit status" $status 0
expect_is "both ends are Connected" "$(states "$d")" 4/4
expect_has "the guest has its state" "$(xenstore-ls -fp "$front")" "state = .* +\(n$d,r0\)"
expect_has "no other domain may read the backend" "$(xenstore-ls -fp "$back")" \
	"state = .* +\(n0,r$d\)"
run xensplit doctor g2
expect_is "doctor finds nothing" "$status $output" '0 nothing is wrong'
expect "detach" xensplit detach g2 -t 120
expect_is "no node of a device is left" "$(devices_left)" ''
