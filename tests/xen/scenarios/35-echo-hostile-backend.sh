#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: a backend of myecho that breaks the rules harms no guest, and the next one takes over

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
# shellcheck source=tests/xen/echo.sh
. /tests/echo.sh
need_tool

modprobe myechoback
modprobe evilback
guest_use g1
d=$(guest_domid g1)
front=/local/domain/$d/device/myecho/0
error=/local/domain/$d/error/device/myecho/0/error
bus=/sys/bus/xen-backend
grants=$(active_grants "$d")
guest_cmd g1 'modprobe myechofront; dmesg -c >/dev/null'
name=start
expect "attach" xensplit attach g1 myecho --front ring-pages=64 -t 120

front_is_closed() { [[ $(xenstore-read "$front/state") == 6 ]]; }
front_waits() { [[ $(echo_states "$d") == [16]/6 ]]; }

# next_backend DRIVER [ATTACK]: it gets the device, when the frontend has seen that the last one is gone
next_backend()
{
	echo "myecho-$d-0" >"$bus/devices/myecho-$d-0/driver/unbind"
	expect_soon "$name: the frontend waits for another backend" front_waits
	name=${2-$name}
	printf '%s' "$name" >/sys/module/evilback/parameters/attack
	echo "myecho-$d-0" >"$bus/drivers/$1/bind"
}

# attack NAME: as soon as there is a request
attack()
{
	next_backend evilback "$1"
	[[ $name == states ]] || expect_soon "$name: both ends are Connected" echo_states_are 4/4 "$d"
}

has_done() { dom0_log | grep "evilback: $name: done"; }

# breach WORDS: the frontend ends the connection, says why, and the process gets an error
breach()
{
	run guest_cmd g1 '/tests/echo check /dev/myecho0 100000 1'
	# What was echoed before the breach may have been the wrong thing.
	expect_has "$name: the process gets an error" "$output" '(Input/output error|wrong data)'
	# shellcheck disable=SC2053 # it is a pattern
	error_like() { [[ $(xenstore-read "$error" 2>&1) == $1 ]]; }
	expect_soon "$name: the frontend says: $1" error_like "71 the backend sent $1"
	expect_soon "$name: it has closed" front_is_closed
	xenstore-rm "$error"
}

# stays: it has done it, and the frontend has nothing to complain about
stays()
{
	expect_soon "$name: it is done" has_done
	expect_is "$name: both ends are Connected" "$(echo_states "$d")" 4/4
}

# over: a backend that keeps the rules takes over
over()
{
	next_backend myechoback
	expect_soon "after $name, a good backend connects" echo_states_are 4/4 "$d"
	run guest_cmd g1 '/tests/echo check /dev/myecho0 30000 2'
	expect_is "and echoes" "$output" $'30000 bytes came back, none wrong\n30000 bytes came back, none wrong'
	expect_is "the guest's kernel is calm" "$(calm_in_guest g1)" ''
}

# waited: the process got everything, from the last backend
waited()
{
	expect_soon "the process that waited ends" check_ended g1
	expect_is "it got everything" "$(check_ended g1)" $'100000 bytes came back, none wrong\nexit 0'
}

# ---- indices, ids, lengths
for name in prod-jumps prod-far prod-back; do
	attack $name
	breach 'more responses than requests'
done
# It depends on how many requests there are.
for name in twice endless; do
	attack $name
	breach '@(more responses than requests|a response to no request)'
done
attack id-beyond
breach 'a response with an id beyond the ring'
attack id-of-none
breach 'a response to no request'
for name in length-beyond length-short; do
	attack $name
	breach 'an answer of another length than the request'
done
attack changes
breach '@(more responses|a response|an answer)*'

# ---- The next backend is there before the frontend sees that the last one has gone.
attack id-of-none
breach 'a response to no request'
xl pause g1
back_driver "$d" myechoback
xl unpause g1
expect_soon "a good backend that comes at once connects" echo_states_are 4/4 "$d"

# ---- A page that it keeps is not used again, and it gets no other.
attack keeps-page
breach 'an answer and kept the pages'
expect "keeps-page: it still has it" test "$(active_grants "$d")" -gt $((grants + 16))

# ---- The same with the ring.
attack keeps-ring
check_begin g1 100000 1
stays
over
expect_is "keeps-ring: it still has that one" "$(active_grants "$d")" $((grants + 32))
waited

# ---- A status that nobody knows is an error of one request.
attack status-odd
check_begin g1 100000 1
stays
expect_soon "$name: the process ends" check_ended g1
expect_has "$name: it says" "$(check_ended g1)" 'read: Input/output error'

# ---- events without responses, while a process waits
attack storm
before=$(front_has g1 events)
check_begin g1 100000 1
stays
events=$(($(front_has g1 events) - before))
note "events $events, spurious $(front_has g1 spurious)"
expect "storm: they are held back" test $events -lt 10000

# ---- nodes that lie, and no answer, while it waits
for name in pages-none pages-many pages-text features-long; do
	attack $name
	stays
	pages=$(xenstore-read "$front/num-ring-pages")
	case $name in
	pages-none | pages-text) expect_is "$name: pages of the ring" "$pages" 1 ;;
	*) expect_is "$name: pages of the ring" "$pages" 16 ;;
	esac
	expect_is "$name: features" "$(xenstore-read "$front/features-used")" ''
done
over
waited

# ---- states
attack states
expect_soon "states: all are written" has_done
over
expect "detach" xensplit detach g1 myecho -t 120
expect_is "no grant of its device is mapped" "$(active_grants "$d")" "$grants"

# ---- Nothing is lost: the numbers of free grants are used again.
expect "attach" xensplit attach g1 myecho -t 120
ref=$(xenstore-read "$front/ring-ref0")
note "the ring's grant is $ref"
expect "nearly all grants can be used again" test "$ref" -lt 1000
expect "detach" xensplit detach g1 myecho -t 120
expect "the module can be removed" unload_echo g1
expect "and in dom0" rmmod myechoback
rmmod evilback
