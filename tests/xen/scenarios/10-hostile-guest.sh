#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: a guest that rewrites, floods and removes all it may write only harms its own device

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
need_tool

modprobe mydeviceback
guest_use g1 g2
d=$(guest_domid g1)
other=$(guest_domid g2)
front=/local/domain/$d/device/mydevice/0

# calm COMMAND...: runs it, and checks that it ends and that its output is clean
calm()
{
	local escapes=$'\e\a\b\r'

	run timeout 100 "$@"
	[[ $status != 124 ]] || not_met "${*:1:3} returns" "$errors"
	((status < 126)) || not_met "${*:1:3} does not crash" "$status $errors"
	[[ $output$errors != *[$escapes]* ]] || not_met "${*:1:3} prints nothing raw" \
		"$(od -c $work/output $work/errors | grep -E '033|\\a|\\b|\\r' | head -n 3)"
}

# The store except for what is the guest's or its device's own.
others()
{
	store_dump | grep -vE "^/local/domain/$d/|^/local/domain/0/backend/mydevice/$d|^/xensplit/$d|/serial|^/tool"
}

# most_verbs WORDS: runs them while the guest does what the words say
most_verbs()
{
	calm xensplit list --all --json
	expect "list --json, while it $1" jq -e '.schema == 1' $work/output
	calm xensplit show g1
	expect_is "show, while it $1: exit status" $status 0
	calm xensplit doctor
	note "doctor, while it $1: $status, $(head -n 1 $work/output)"
	calm xensplit wait g1 -t 1
	note "wait, while it $1: $status, $errors"
	calm xensplit attach g1 mydevice/7 -t 60
	expect_is "attach of another device, while it $1: exit status" $status 0
	calm xensplit detach g1 mydevice/7 -t 60
	expect_is "detach of another device, while it $1: exit status" $status 0
}

# all_verbs WORDS
all_verbs()
{
	calm xensplit list
	expect_is "list, while it $1: exit status" $status 0
	calm xensplit show g1 --json
	expect "show --json, while it $1" jq -e '.schema == 1' $work/output
	calm xensplit watch g1 --num-events 50 --idle-timeout 2
	calm xensplit wait g2 -t 30
	expect_is "another guest's device, while it $1: exit status" $status 0
	most_verbs "$1"
}

# What the guest does, again and again until it is stopped.
cat >$work/hostile <<'SCRIPT'
long=$(head -c 2040 /dev/zero | tr '\0' x)
odd=$(printf '\033]0;owned\a\033[2J\r\n\b')
D=device/mydevice/0
until [ -e /tmp/stop ]; do
	case $1 in
	states)
		xenstore-write $(for i in 1 2 3 4 5 6 7 8 0 9 99 -1 4x 4; do echo $D/state $i; done)
		;;
	garbage)
		xenstore-write $D/state "$odd" $D/state "$long" $D/state ''
		xenstore-rm $D/state
		;;
	nodes)
		xenstore-write $(for i in 1 2 3 4 5 6 7 8 9; do echo $D/n$RANDOM $long; done)
		xenstore-write "$D/x$RANDOM" "$odd" $D/state 4 error/$D/error "$odd"
		;;
	permissions)
		xenstore-chmod $D n0
		xenstore-chmod -r $D b0 b1 b2
		xenstore-write $D/a/b/c/d/e/f x
		xenstore-rm $D/a
		;;
	esac
done
SCRIPT

begin() # WHAT
{
	guest_cmd g1 "rm -f /tmp/stop; bash /tmp/hostile $1 >/tmp/hostile.log 2>&1 & echo \$! >/tmp/pid"
}

stop()
{
	# shellcheck disable=SC2016 # for the guest's shell
	guest_cmd g1 'touch /tmp/stop; while [ -d /proc/$(cat /tmp/pid) ]; do sleep 0.2; done'
}

expect "attach" xensplit attach g1 -t 120
expect "attach to another guest" xensplit attach g2 -t 120
expect "the guest is ready" guest_cmd g1 "echo $(base64 -w 0 $work/hostile) | base64 -d >/tmp/hostile"
others >$work/before

# Nodes that it may not write.
for path in "$front/backend" "$front/backend-id" "/local/domain/0/backend/mydevice/$d/0/state" \
	"/local/domain/$other/device/mydevice/0/state" "/xensplit/$d/mydevice/0" "/local/domain/$d/xensplit" \
	"device/mydevice/1/state" "/local/domain/$d/device/vbd/0/state"; do
	expect "the guest can't write $path" guest_cmd g1 "! xenstore-write $path x"
	expect "the guest can't remove it" guest_cmd g1 "! xenstore-exists $path || ! xenstore-rm $path"
done

begin states
most_verbs "floods its state"
stop
begin garbage
all_verbs "writes what is no state, and removes it"
stop
begin nodes
guest_cmd g1 'sleep 5'
all_verbs "writes all the nodes it may, and errors"
stop
note "the guest has $(guest_cmd g1 'xenstore-ls -f device/mydevice/0 | wc -l') nodes in its device"
begin permissions
most_verbs "changes permissions"
stop

# Last, its own half, which it can't make again.
expect "the guest removes its half" guest_cmd g1 "xenstore-rm device/mydevice/0"
most_verbs "has removed its half"
others >$work/after
expect_same "nothing but its own has changed" $work/before $work/after

calm xensplit detach g1 -t 20 --force
note "$errors"
expect_is "detach --force: exit status" $status 0
expect "detach the other guest's" xensplit detach g2 -t 120
expect_is "no node of a device is left" "$(devices_left)" ''
# Its kernel has been through a lot: do not use it again.
xl destroy g1
