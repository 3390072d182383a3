#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: what a guest leaves after shutdown, destroy, crash or reboot is reported, and reaped

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
need_tool

modprobe mydeviceback
guest_config k1
guest_config k2
echo 'on_crash = "preserve"' >>/run/guest-k2.cfg
for guest in k1 k2; do
	guest_boot $guest &
	pids+=($!)
done
guest_use g2
for pid in "${pids[@]}"; do
	wait "$pid" || exit 1
done
for guest in k1 k2 g2; do
	expect "attach to $guest" xensplit attach $guest -t 120
done

gone() { ! xl domid "$1" || { xl list; false; }; }
not_in_dom0() { ! device_in_dom0 "$1"; }

# left_by DOMID: checks the reports about a device whose domain is gone
left_by()
{
	expect_soon "dom0's kernel has given the device up" not_in_dom0 "$1"
	run xensplit list
	note "$output"
	expect_has "list calls it stale" "$output" "^ *$1 +- +mydevice/0 +0 +absent +Closed +stale$"
	run xensplit list --json
	# shellcheck disable=SC2016 # jq
	expect "so does list --json" jq -e --argjson d "$1" '[.devices[] | select(.domid == $d) |
		[.domain, .frontend_state, .backend_state, .stale]] ==
		[[null, null, "Closed", true]]' $work/output
	run xensplit show "$1"
	expect_is "show shows it: exit status" $status 0
	expect_has "with what is left" "$output" " /local/domain/0/backend/mydevice/$1/0$"
	expect_has "and its state" "$output" ' state = "6" \(Closed\)$'
	run xensplit doctor "$1" mydevice/0
	note "$output"
	expect_is "doctor finds something: exit status" $status 1
	expect_has "that it is left over" "$output" "domain $1 does not exist \[leftover\]"
	expect_has "and what removes it" "$output" 'fix: xensplit reap$'
	run xensplit attach "$1"
	expect_is "nothing attaches to a domain that is gone: exit status" $status 3
	run timeout 120 xensplit detach "$1" -t 60
	note "$errors"
	expect_is "detach leaves it to reap: exit status" $status 5
}

reap() # DOMID
{
	run xensplit reap
	expect_has "reap removes it" "$output" "^mydevice/0 of domain $1 removed$"
	expect_is "no node of it is left" "$(devices_left | grep "/$1/" || :)" ''
}

d=$(guest_domid g2)
note "g2, domain $d, shuts down"
tty=$(xenstore-read "/local/domain/$d/console/tty")
echo 'mark poweroff -f' >"$tty"
expect_soon "shut down, it is gone" gone g2
left_by "$d"
reap "$d"

d=$(guest_domid k1)
note "k1, domain $d, is destroyed"
xl destroy k1
left_by "$d"
reap "$d"

old=$(guest_domid k2)
note "k2, domain $old, reboots"
guest_log_from_here k2
tty=$(xenstore-read "/local/domain/$old/console/tty")
echo 'mark reboot -f' >"$tty"
rebooted() { d=$(guest_domid k2 2>/dev/null) && [[ $d != "$old" ]]; }
expect_soon "rebooted, it has a new domid" rebooted
d=$(guest_domid k2)
expect "it boots" guest_prints k2 '@@ ready'
left_by "$old"
run xensplit doctor k2
expect_is "nothing is said of the new domain" "$status $output" '0 nothing is wrong'
expect "attach to the new one" xensplit attach k2 -t 120
expect_is "both ends are Connected" "$(states "$d")" 4/4
reap "$old"
expect_is "the new one's device stays" "$(states "$d")" 4/4

note "k2, domain $d, crashes"
tty=$(xenstore-read "/local/domain/$d/console/tty")
echo 'mark echo c >/proc/sysrq-trigger' >"$tty"
crashed() { xl list k2 | tail -n 1; xl list k2 | grep -q -- '---sc-\|---.c.'; }
expect_soon "Xen calls it crashed" crashed
run xensplit list k2
note "$output"
expect_has "list still has it" "$output" "^ *$d +k2 +mydevice/0 +0 +Connected +Connected "
run xensplit doctor k2
note "$output"
expect_has "doctor's first finding is the crash" "$(head -n 1 $work/output)" '\[domain-crashed\]'
expect_has "with what to do" "$output" "fix: xl destroy $d$"
run timeout 120 xensplit detach k2 -t 10
note "$errors"
expect_is "detach reaches its deadline: exit status" $status 6
expect_has "and says why" "$errors" "^  why: domain $d has crashed: "
expect_has "and what to do" "$errors" "^  try: xl destroy $d$"
run timeout 120 xensplit attach k2 mydevice/1 -t 2
note "$errors"
xl destroy k2
expect_soon "dom0's kernel has given the device up" not_in_dom0 "$d"
run xensplit reap
expect_is "reap: exit status" $status 0
expect_is "no node of a device is left" "$(devices_left)" ''
