#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: of several tools that attach or detach the same device at once exactly one wins

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
need_tool

modprobe mydeviceback
guest_use g1 g2
d=$(guest_domid g1)

# at_once COMMAND...: runs four of it at the same time, with @ replaced by 0 to 3; prints their exit
# statuses, sorted
at_once()
{
	local i pid status
	local -a pids=() statuses=()

	for i in 0 1 2 3; do
		timeout 400 "${@//@/$i}" >"$work/out-$i" 2>&1 &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		status=0
		wait "$pid" || status=$?
		statuses+=("$status")
	done
	printf '%s\n' "${statuses[@]}" | sort -n | xargs
}

for i in 1 2 3; do
	said=$(at_once xensplit attach g1 -t 120)
	[[ $said == '0 5 5 5' ]] || note "$(cat $work/out-*)"
	expect_is "attach the same device: exit statuses" "$said" '0 5 5 5'
	expect_is "both ends are Connected" "$(states "$d")" 4/4
	said=$(at_once xensplit detach g1 -t 120)
	[[ $said =~ ^0\ [03]\ [03]\ [03]$ ]] || note "$(cat $work/out-*)"
	expect_has "detach the same device: exit statuses" "$said" '^0( [03]){3}$'
	expect_is "no node of a device is left" "$(devices_left)" ''
done
expect_is "attach different devices: exit statuses" \
	"$(at_once xensplit attach g1 mydevice/@ -t 120)" '0 0 0 0'
for i in 0 1 2 3; do
	expect_is "both ends of $i are Connected" "$(states "$d" $i)" 4/4
done
expect_is "attach with auto: exit statuses" \
	"$(at_once xensplit attach g2 mydevice/auto -t 120)" '0 0 0 0'
expect_is "four devices: list" "$(xensplit list g2 --json |
	jq '[.devices[].devid] | unique | length')" 4
expect_is "detach different devices: exit statuses" \
	"$(at_once xensplit detach g1 mydevice/@ -t 120)" '0 0 0 0'
expect_is "detach all of them: exit statuses" \
	"$(at_once xensplit detach g2 --all -t 120)" '0 0 0 0'
expect_is "no node of a device is left" "$(devices_left)" ''

# For a minute, in random order.
mayhem() # NUMBER
{
	local end=$((SECONDS + 60)) verb status count=0

	while ((SECONDS < end)); do
		case $((RANDOM % 5)) in
		0) verb="attach g1 mydevice/0 -t 120" ;;
		1) verb="detach g1 mydevice/0 -t 120" ;;
		2) verb="attach g1 mydevice/$1$1 -t 120" ;;
		3) verb="detach g1 mydevice/$1$1 -t 120" ;;
		4) verb="attach g1 mydevice/0 -t 120 --replace" ;;
		esac
		status=0
		# shellcheck disable=SC2086 # words
		timeout 400 xensplit $verb >"$work/mayhem-$1.out" 2>&1 || status=$?
		echo "$verb: $status $(tr '\n' ' ' <"$work/mayhem-$1.out")" >>"$work/mayhem-$1"
		((++count))
	done
}
rm -f $work/mayhem-*
for i in 1 2 3 4; do
	mayhem $i &
	pids+=($!)
done
for pid in "${pids[@]}"; do
	wait "$pid" || :
done
note "$(cat $work/mayhem-[1-4] | sed -E 's/^([a-z]+) [^:]* 120( --replace)?: ([0-9]+) .*/\1\2 \3/' |
	sort | uniq -c)"
bad=$(cat $work/mayhem-[1-4] | grep -vE '^[^:]*: [0135] ' || :)
expect_is "done, too late, taken already: nothing else" "$bad" ''
# Each device belongs to one tool, which still works on it.
bad=$(grep -hE "mydevice/[1-4]{2} " $work/mayhem-[1-4] | grep -vE '^[^:]*: [035] ' || :)
expect_is "no tool disturbs a device of another" "$bad" ''
for path in $(xenstore-list "/xensplit/$d/mydevice" 2>/dev/null | grep -v next-devid); do
	expect_is "a device that is left has both ends: $path" "$(states "$d" "$path" | tr -d 0-9)" /
done
expect "detach what is left" xensplit detach g1 --all -t 120 --force
expect_is "no node of a device is left" "$(devices_left)" ''
none_in_dom0() { ! ls -d /sys/bus/xen-backend/devices/mydevice-*; }
expect_soon "no device is left in dom0" none_in_dom0
none_in_guest() { guest_cmd g1 '! ls -d /sys/bus/xen/devices/mydevice-*'; }
expect_soon "no device is left in the guest" none_in_guest
expect "attach" xensplit attach g1 -t 120
expect "detach" xensplit detach g1 -t 120
