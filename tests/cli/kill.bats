#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The tool is killed by SIGKILL at any request to the store. It leaves a whole device, or none, or a
# record from which the next attach --replace or doctor --fix completes it, including keys
# (pitfall 1). KILL_STEP=1 kills at every request.

load common

step=${KILL_STEP:-15}
# For commands with few requests.
small_step=$(((step + 2) / 3))
keys=(-F mode=fast -B 'size=two words')
# Each test has hundreds of runs, which take long under a sanitizer.
test_limit 900

# The names of the device's nodes: states and times may differ.
nodes()
{
	dump | sed -nE 's/ = .*//; /^\/local\/domain\/[0-9]+\/error/d; /\/mydevice\/(5\/)?0(\/|$)/p' | LC_ALL=C sort
}

# A whole device has its keys.
is_whole()
{
	nodes | diff "$BATS_TEST_TMPDIR/whole" - || return 1
	[[ $(store /local/domain/5/device/mydevice/0/mode) == fast ]] || return 1
	[[ $(store /local/domain/0/backend/mydevice/5/0/size) == "two words" ]] || return 1
	! record phase
}

# at_each STEP COMMAND...: runs $before and then the command, killed at each STEPth request;
# afterwards the device is whole or gone, or $completed makes it so. (After an answer the store is
# as before the next request.) Sets $kills to the number of kills, which is at least $least, and
# $interrupted to how many left a phase.
at_each()
{
	local ended=137 number step=$1

	shift
	kills=0 interrupted=0
	for ((number = 1; ended == 137; number += step)); do
		((number < 400))
		$before
		ended=0
		"$SANDBOX" proxy --kill-at $number -- "$@" >/dev/null || ended=$?
		nodes >"$BATS_TEST_TMPDIR/left"
		echo "$number: status $ended, $(wc -l <"$BATS_TEST_TMPDIR/left") nodes"
		if [[ -s $BATS_TEST_TMPDIR/left ]] && record phase; then
			((++interrupted))
			${completed:-false}
		fi
		[[ ! -s $BATS_TEST_TMPDIR/left ]] || is_whole
		((ended == 0)) || ((++kills))
	done
	echo "# $*: killed at $kills points, $interrupted times a record with a phase" >&3
	((ended == 0 && kills >= least))
}

# A driver that has not noticed the removal of the last device mistakes the next one for it.
attach()
{
	caught_up
	"$XENSPLIT" -q attach 5 "${keys[@]}"
}

attached()
{
	[[ -n $(nodes) ]] || attach
}

detached()
{
	[[ -z $(nodes) ]] || "$XENSPLIT" -q detach 5
	caught_up
}

# Doctor reports it, a plain attach refuses it, and the next replace completes it.
by_replace()
{
	tool doctor 5
	[[ $output == *"[interrupted]"* ]] || return 1
	fails 5 interrupted attach 5 || return 1
	does attach 5 --replace
}

by_doctor()
{
	does doctor 5 --fix -t 20
}

setup()
{
	sandbox_start
	drivers
	attach
	nodes >"$BATS_TEST_TMPDIR/whole"
	[[ $(wc -l <"$BATS_TEST_TMPDIR/whole") -eq 12 ]]
	is_whole
}

@test "killed in attach" {
	before=detached least=$((20 / small_step))
	at_each "$small_step" "$XENSPLIT" attach 5 "${keys[@]}"
}

@test "killed in attach --replace of a connected device: the next --replace completes it" {
	before=attached completed=by_replace least=$((50 / step))
	at_each "$step" "$XENSPLIT" attach 5 --replace
	((interrupted))
}

@test "killed in attach --replace of a connected device: doctor --fix completes it" {
	before=attached completed=by_doctor least=$((50 / step))
	at_each "$step" "$XENSPLIT" attach 5 --replace --no-wait
	((interrupted))
}

# As in Linux, a driver that could not write its state never does: the device is made again.
refused()
{
	attached
	xenstore-write /local/domain/5/error/device/mydevice/0/error "13 writing new state"
	xenstore-chmod /local/domain/5/device/mydevice/0/state n0
	xenstore-write /local/domain/5/device/mydevice/0/state 3
}

@test "killed in doctor --fix of a device that must be made again" {
	before=refused completed=by_doctor least=$((60 / step))
	at_each "$step" "$XENSPLIT" doctor 5 --fix -t 20
	((interrupted))
}

@test "killed in detach" {
	before=attached least=$((20 / small_step))
	at_each "$small_step" "$XENSPLIT" detach 5
}

@test "after a kill the device can be attached and detached" {
	"$XENSPLIT" -q detach 5
	for number in 5 15 25 30; do
		caught_up
		"$SANDBOX" proxy --kill-at $number -- "$XENSPLIT" attach 5 >/dev/null || true
		does detach 5 || [[ $status -eq 3 ]]
		caught_up
		does attach 5
		"$SANDBOX" proxy --kill-at $number -- "$XENSPLIT" detach 5 >/dev/null || true
		does detach 5 || [[ $status -eq 3 ]]
		[[ -z $(nodes) ]]
	done
}
