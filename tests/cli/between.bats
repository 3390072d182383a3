#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Another tool runs between any two requests of the first: a transaction of xenstored 4.17 does not
# read a snapshot, and without a transaction there is none anyway. BETWEEN_STEP=1 tries every
# request.

# shellcheck disable=SC2016 # what another tool does is expanded when it does it
load common

step=${BETWEEN_STEP:-12}
# For commands with few requests.
small_step=$(((step + 2) / 3))
# Each test runs the tool hundreds of times, which takes long under a sanitizer.
test_limit 900

# between STEP 'OTHER' COMMAND...: runs COMMAND, and OTHER before one of its requests: each STEPth
# in turn, until there are no more. $allowed are COMMAND's exit statuses, $before prepares the
# device, $after checks the result.
between()
{
	local number step=$1 other=$2 did=$BATS_TEST_TMPDIR/did

	shift 2
	touch "$did"
	for ((number = 1; ; number += step)); do
		((number < 300))
		$before
		[[ -e $did ]] || break
		rm "$did"
		status=0
		"$SANDBOX" proxy --run-at $number --run "touch $did; $other" -- "$@" \
			>"$BATS_TEST_TMPDIR/out" 2>&1 || status=$?
		echo "$number: status $status, $(tail -n 1 "$BATS_TEST_TMPDIR/out")"
		[[ $status =~ ^($allowed)$ ]]
		$after
	done
	((number > 5))
}

# A driver that has not seen the last device go takes the next one for the same.
attached()
{
	caught_up
	"$XENSPLIT" -q attach 5 -F mode=fast || [[ $? -eq 5 ]]
}

detached()
{
	"$XENSPLIT" -q detach 5 || [[ $? -eq 3 ]]
	caught_up
}

nothing_is_left()
{
	! dump | grep mydevice
}

is_connected()
{
	[[ $(store /local/domain/5/device/mydevice/0/state) == 4 &&
	   $(store /local/domain/0/backend/mydevice/5/0/state) == 4 ]] || return 1
	! record phase
}

keeps_its_keys()
{
	is_connected && [[ $(store /local/domain/5/device/mydevice/0/mode) == fast ]]
}

setup()
{
	sandbox_start
	drivers
	after=:
}

@test "a detach within a detach: one of them does it, the other finds nothing or waits" {
	before=attached after=nothing_is_left allowed='0|3'
	between "$small_step" '$XENSPLIT -q detach 5' "$XENSPLIT" detach 5
	before=attached
	between "$step" '$XENSPLIT -q detach 5' "$XENSPLIT" detach 5 --force
}

two_attached()
{
	caught_up
	"$XENSPLIT" -q attach 5 && "$XENSPLIT" -q attach 5 mydevice/1
}

@test "a detach within detach --all: a device that is gone already is no failure" {
	before=two_attached after=nothing_is_left allowed=0
	between "$small_step" '$XENSPLIT -q detach 5 --all' "$XENSPLIT" detach 5 --all
}

@test "an attach within an attach: one wins, the other says that the device exists" {
	before=detached after=is_connected allowed='0|5'
	between "$small_step" '$XENSPLIT -q attach 5 || [ $? -eq 5 ]' "$XENSPLIT" attach 5
}

@test "a detach within an attach: it is attached, or attach says that it was removed" {
	before=detached allowed='0|3|6'
	between "$step" '$XENSPLIT -q detach 5 || [ $? -eq 3 ]' "$XENSPLIT" attach 5 -t 2
}

@test "a detach within attach --replace: it is attached" {
	before=attached after=is_connected allowed=0
	# Once the new device is there, the detach removes that one.
	after=:
	allowed='0|3'
	between "$step" '$XENSPLIT -q detach 5 || [ $? -eq 3 ]' "$XENSPLIT" attach 5 --replace
	grep -q ", connected after" "$BATS_TEST_TMPDIR/out"
}

@test "an attach --replace within attach --replace: one device, with its keys" {
	before=attached after=keeps_its_keys allowed='0|3|5'
	between "$step" '$XENSPLIT -q attach 5 --replace' "$XENSPLIT" attach 5 --replace
}

@test "an attach --replace within a detach: detach does not mistake the new device for the old" {
	before=attached after=: allowed='0|3'
	between "$step" '$XENSPLIT -q attach 5 --replace' "$XENSPLIT" detach 5
}

@test "a detach within wait, show and doctor: they report the device, or that there is none" {
	before=attached allowed='0|3'
	between "$small_step" '$XENSPLIT -q detach 5' "$XENSPLIT" show 5
	# The detach may be over before that point.
	allowed='0|6'
	between "$small_step" '$XENSPLIT -q detach 5' "$XENSPLIT" wait 5 --until gone -t 0.2
	allowed='0|3'
	between "$small_step" '$XENSPLIT -q detach 5' "$XENSPLIT" wait 5
	between "$small_step" '$XENSPLIT -q detach 5' "$XENSPLIT" doctor 5
	between "$small_step" '$XENSPLIT -q detach 5' "$XENSPLIT" doctor 5 --fix -t 20
}

# A domain that had a device is gone, and another domain has its domid.
stale()
{
	"$SANDBOX" kill 6 2>/dev/null || true
	"$SANDBOX" create 6
	"$XENSPLIT" -q attach 6 --no-wait
	"$SANDBOX" kill 6
}

no_record_of_6()
{
	! xenstore-exists /xensplit/6
}

@test "a reap within a reap: everything is removed" {
	before=stale after=no_record_of_6 allowed=0
	between "$small_step" '$XENSPLIT -q reap' "$XENSPLIT" reap
}

@test "another device comes and goes within a reap: everything is removed" {
	before=stale after=no_record_of_6 allowed=0
	between "$small_step" '$XENSPLIT -q attach 5 other --no-wait && $XENSPLIT -q detach 5 other' "$XENSPLIT" reap
}

whole_or_none()
{
	echo "$(<"$BATS_TEST_TMPDIR/out")"
	[[ $(<"$BATS_TEST_TMPDIR/out") =~ \"devices\":\ *\[\ *\] ||
	   $(<"$BATS_TEST_TMPDIR/out") == *'"Connected"'*'"Connected"'* ||
	   $(<"$BATS_TEST_TMPDIR/out") == *'"frontend_state":'*null* ]]
	[[ $(<"$BATS_TEST_TMPDIR/out") != *"is damaged"* ]]
}

@test "a detach within list: a device or none, and never half a record" {
	before=attached after=whole_or_none allowed=0
	between "$small_step" '$XENSPLIT -q detach 5' "$XENSPLIT" list --json
}
