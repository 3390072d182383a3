#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: what is written to /dev/myecho0 comes back, from several processes and with each feature

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
# shellcheck source=tests/xen/echo.sh
. /tests/echo.sh
need_tool

modprobe myechoback
guest_use g1
d=$(guest_domid g1)
front=/local/domain/$d/device/myecho/0
guest_cmd g1 'modprobe myechofront; dmesg -c >/dev/null'
store_dump >$work/before

# check WORDS BYTES PROCESSES [upper]
check()
{
	run guest_cmd g1 "/tests/echo check /dev/myecho0 ${*:2}"
	note "$output"
	expect_is "$1: exit status" $status 0
	expect_is "$1: what came back" "$(sort -u $work/output)" "$2 bytes came back, none wrong"
	expect_is "$1: processes" "$(wc -l <$work/output)" "$3"
}

# ---- 64 MiB, from four processes
expect "attach" xensplit attach g1 myecho -t 120
expect_is "both ends are Connected" "$(echo_states "$d")" 4/4
run xensplit list g1
note "$output"
expect_has "list has it" "$output" "^ *$d +g1 +myecho/0 +0 +Connected +Connected +-$"
check "one process" 1000001 1
size=$((16 << 20))
check "four processes" $size 4
expect_is "all bytes went through the backend" "$(back_has "$d" bytes)" $((4 * size + 1000001))
expect_is "and the frontend" "$(front_has g1 bytes)" $((4 * size + 1000001))
expect_is "without an error of the backend" "$(back_has "$d" errors)" 0
expect_is "or the frontend" "$(front_has g1 errors)" 0
note "requests $(back_has "$d" requests), events: backend $(back_has "$d" events) ($(
	back_has "$d" spurious) spurious), frontend $(front_has g1 events) ($(
	front_has g1 spurious) spurious)"

# The shell is enough for small things.
expect_is "text comes back as it was" \
	"$(guest_cmd g1 'exec 3<>/dev/myecho0; echo "Hello, you." >&3; head -n 1 <&3')" 'Hello, you.'

run guest_cmd g1 '/tests/echo poll /dev/myecho0'
expect_is "poll, and files that do not wait" "$output" 'open: out
read: Resource temporarily unavailable
full after 262144 bytes: Resource temporarily unavailable
full and answered: in
another file: out
another file'"'"'s read: Resource temporarily unavailable
all read: out
a read that waited: late'
expect "detach" xensplit detach g1 myecho -t 120
store_dump >$work/after
expect_same "the store is as it was" $work/before $work/after
expect_soon "the device file is gone" guest_cmd g1 '[ ! -e /dev/myecho0 ]'

# ---- features
expect "attach with upper" xensplit attach g1 myecho --back features=upper -t 120
expect_is "the frontend takes it" "$(xenstore-read "$front/features-used")" upper
expect_is "the backend has had it in its hands" \
	"$(guest_cmd g1 'exec 3<>/dev/myecho0; echo "Hello, you." >&3; head -n 1 <&3')" 'HELLO, YOU.'
check "upper case" 1000001 2 upper
expect "detach" xensplit detach g1 myecho -t 120

expect "attach with words that nobody knows" \
	xensplit attach g1 myecho --back 'features=lower uppers' -t 120
expect_is "the frontend takes none" "$(xenstore-read "$front/features-used")" ''
check "as it was" 10000 1
expect "detach" xensplit detach g1 myecho -t 120

expect "attach with a frontend that may not" \
	xensplit attach g1 myecho --back features=upper --front features=none -t 120
expect_is "the frontend takes none" "$(xenstore-read "$front/features-used")" ''
check "as it was" 10000 1
expect "detach" xensplit detach g1 myecho -t 120

# ---- rings of several pages
for pages in 4 16; do
	expect "attach with a ring of $pages pages" \
		xensplit attach g1 myecho --front ring-pages=$pages -t 120
	expect_is "it has them" "$(xenstore-read "$front/num-ring-pages")" $pages
	expect "the last has a grant" xenstore-read "$front/ring-ref$((pages - 1))"
	check "$pages pages, four processes" $((1 << 20)) 4
	expect "detach" xensplit detach g1 myecho -t 120
done
expect "attach with more pages than there may be" \
	xensplit attach g1 myecho --front ring-pages=1000 -t 120
expect_is "it has what the backend can map" "$(xenstore-read "$front/num-ring-pages")" 16
check "16 pages" 100000 1
expect "detach" xensplit detach g1 myecho -t 120

# ---- No grant is lost: the numbers of free ones are used again.
expect "attach" xensplit attach g1 myecho -t 120
ref=$(xenstore-read "$front/ring-ref0")
note "the ring's grant is $ref"
expect "of the 33,000 grants so far, nearly all can be used again" test "$ref" -lt 1000
expect "detach" xensplit detach g1 myecho -t 120
expect_is "g1's kernel has nothing to say" "$(calm_in_guest g1)" ''
expect_is "the module can be removed" "$(guest_cmd g1 'rmmod myechofront && echo removed')" removed
expect "and in dom0" rmmod myechoback
