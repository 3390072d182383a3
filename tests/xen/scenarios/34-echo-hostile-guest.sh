#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: a frontend of myecho that breaks the rules harms nobody, and dom0 serves the next one

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
# shellcheck source=tests/xen/echo.sh
. /tests/echo.sh
need_tool

modprobe myechoback
guest_start evil &
pid=$!
guest_use g1
wait $pid || exit 1
d=$(guest_domid evil)
back=/local/domain/0/backend/myecho/$d/0
error=/local/domain/0/error/backend/myecho/$d/0/error
grants=$(active_grants "$d")
guest_cmd evil 'modprobe myechofront; modprobe evilfront'
guest_cmd g1 'modprobe myechofront; dmesg -c >/dev/null'
expect "attach" xensplit attach evil myecho -t 120
expect "attach a guest that keeps the rules" xensplit attach g1 myecho -t 120

# attack NAME [LINE]: until it is over, or prints the line; sets said to what it printed
attack()
{
	name=$1
	xenstore-rm "$error" 2>/dev/null || :
	said=$(front_attack evil "$@") || not_met "$1: ends" "$said"
	dom0_is_calm
}

dom0_is_calm()
{
	local said

	said=$(dom0_log | grep -E "$kernel_upset" || :)
	[[ -z $said ]] || not_met "$name: dom0's kernel is calm" "$said"
}

# closed_by WORDS: the backend has ended the connection, and said why
closed_by()
{
	expect_has "$name: the backend says why" "$(xenstore-read "$error")" "^-?[0-9]+ $1"
	expect_is "$name: it has closed" "$(xenstore-read "$back/state")" 5
}

# policies: of the threads that serve guests; see sched(7)
policies()
{
	grep -l '^irq/.*-myecho' /proc/[0-9]*/comm | while read -r comm; do
		cut -d ' ' -f 41 "${comm%comm}stat"
	done | sort -u
}

still_good='id 77 status 0 length 100'
served() { guest_cmd "$1" '/tests/echo check /dev/myecho0 100000 2'; }

# ---- Requests that are wrong: each gets an answer, and so does one that is in order.
attack requests
expect_is "requests: the answers" "$said" "length-zero
requests: id 1 status -1 length 0
length-beyond
requests: id 2 status -1 length 0
length-wraps
requests: id 3 status -1 length 0
not-zero
requests: id 4 status -1 length 0
out-no-grant
requests: id 5 status -2 length 0
out-free-grant
requests: id 6 status -2 length 0
in-no-grant
requests: id 7 status -2 length 0
in-read-only
requests: id 8 status -2 length 0
id-beyond
requests: id 65535 status 0 length 100
id-again
requests: id 65535 status 0 length 100
requests: $still_good
requests: over"
expect_is "requests: the backend stays" "$(xenstore-read "$back/state")" 4

# ---- Requests that change while they are served, from another processor.
attack changes
expect_is "changes: each request is answered" "$said" "changes: 38400 answers
changes: $still_good
changes: over"
bytes=$(back_has "$d" bytes)
requests=$(back_has "$d" requests)
note "requests $requests, errors $(back_has "$d" errors), bytes $bytes"
expect "changes: no answer is longer than a page" test "$bytes" -le $((4096 * requests))

# ---- events without requests
before=$(back_has "$d" events)
attack storm
expect_is "storm: the backend still answers" "$said" "storm: 300000 events
storm: $still_good
storm: over"
events=$(($(back_has "$d" events) - before))
note "events $events, spurious $(back_has "$d" spurious)"
expect "storm: they are held back" test $events -lt 1000
expect "storm: the other guest is served" served g1

# ---- indices
for name in prod-jumps prod-far prod-back ref-other in-is-ring; do
	before=$(back_has "$d" breaches)
	attack $name
	closed_by 'the frontend sent more requests than the ring holds'
	expect_is "$name: it looked once" "$(back_has "$d" breaches)" $((before + 1))
done

# ---- nodes
for name in no-nodes pages-none pages-beyond pages-many pages-text pages-missing ref-none ref-read-only \
	port-none port-other; do
	attack $name
	closed_by 'connecting to what the frontend shares'
done
for name in ref-twice features-long; do
	attack $name
	expect_is "$name: it is served" "$said" "$name: $still_good
$name: over"
done

# ---- states, and after all that a frontend that keeps the rules
attack states
front_driver evil myechofront
expect_soon "a good frontend connects" echo_states_are 4/4 "$d"
expect "it is served" served evil

# force_detach SECONDS: xenstored can be silent for the second that a command may be late here: then again.
force_detach()
{
	local tries

	for tries in {1..10}; do
		run timeout 300 xensplit detach evil myecho -t "$1" --force
		note "$errors"
		[[ $status == 6 && $errors == *"xenstored has not answered"* ]] || break
	done
	# the silent one had already removed it
	[[ $tries == 1 || $status != 3 ]] || status=0
}

# ---- A frontend that keeps the ring full, and does not close.
attack endless begins
expect_soon "endless: it is served" back_above "$d" requests $(($(back_has "$d" requests) + 500))
expect "endless: so is the other guest" served g1
expect_is "endless: the threads that serve them go before no process" "$(policies)" 0
expect "endless: the backend's driver can be unbound, and bound" back_driver "$d" myechoback
attack endless begins
expect_soon "endless: both ends are Connected" echo_states_are 4/4 "$d"
run timeout 300 xensplit detach evil myecho -t 5
note "$errors"
expect_is "endless: it does not close for a detach: exit status" $status 6
force_detach 20
expect_is "endless: detach --force: exit status" $status 0
not_in_dom0() { ! echo_in_dom0 "$d"; }
expect_soon "endless: dom0 has no device" not_in_dom0
dom0_is_calm

# ---- A state that is none: it only loses its own device.
name=state-text
expect "attach" xensplit attach evil myecho -t 120
guest_cmd evil "xenstore-write device/myecho/0/state '%s%n'"
expect_soon "state-text: dom0's kernel gives the device up" not_in_dom0
force_detach 5
expect_is "state-text: detach --force: exit status" $status 0
dom0_is_calm

# Whatever it did, dom0 has let go of its pages.
expect_is "no grant of its device is mapped" "$(active_grants "$d")" "$grants"
expect "the other guest is served" served g1
expect "detach it" xensplit detach g1 myecho -t 120
unload_echo g1
expect_is "its kernel has nothing to say" "$(calm_in_guest g1)" ''
xl destroy evil
expect "the module can be removed" rmmod myechoback
