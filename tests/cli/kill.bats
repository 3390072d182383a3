#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Killed by SIGKILL at any request it makes of the store, the tool leaves a whole device or none
# (pitfall 1).

load common

# The nodes of the device, by name: states and times may differ.
nodes()
{
	dump | sed -nE 's/ = .*//; /\/mydevice\/(5\/)?0(\/|$)/p' | LC_ALL=C sort
}

# at_every_request STEP COMMAND...: before, $before; afterwards, the device is whole or not there.
# (After the answer to a request the store is as it is before the next one.) $kills is how many
# times the command died.
at_every_request()
{
	local ended=137 number step=$1

	shift
	kills=0
	for ((number = 1; ended == 137; number += step)); do
		((number < 300))
		$before
		ended=0
		"$SANDBOX" proxy --kill-at $number -- "$@" >/dev/null || ended=$?
		nodes >"$BATS_TEST_TMPDIR/left"
		echo "$number: status $ended, $(wc -l <"$BATS_TEST_TMPDIR/left") nodes"
		[[ ! -s $BATS_TEST_TMPDIR/left ]] || "${completed:-false}" ||
			diff "$BATS_TEST_TMPDIR/whole" "$BATS_TEST_TMPDIR/left"
		((ended == 0)) || ((++kills))
	done
	((ended == 0 && kills > ${least:-20}))
}

attached()
{
	[[ -n $(nodes) ]] || "$XENSPLIT" -q attach 5
}

detached()
{
	[[ -z $(nodes) ]] || "$XENSPLIT" -q detach 5
}

# A record with a phase says that a replace was interrupted: the next one completes it.
interrupted()
{
	record phase >/dev/null || return 1
	tool doctor 5
	[[ $output == *"[interrupted]"* ]] || return 1
	fails 5 interrupted attach 5 || return 1
	does attach 5 --replace
	nodes | diff "$BATS_TEST_TMPDIR/whole" -
}

setup()
{
	sandbox_start
	drivers
	"$XENSPLIT" -q attach 5
	nodes >"$BATS_TEST_TMPDIR/whole"
	[[ $(wc -l <"$BATS_TEST_TMPDIR/whole") -eq 10 ]]
}

@test "killed at every request of attach" {
	before=detached
	at_every_request 1 "$XENSPLIT" attach 5
}

@test "killed in attach --replace of a connected device, at every fifth request" {
	before=attached completed=interrupted least=5
	at_every_request 5 "$XENSPLIT" attach 5 --replace
}

@test "killed at every request of detach" {
	before=attached
	at_every_request 1 "$XENSPLIT" detach 5
}

@test "after a kill the device can be attached and detached" {
	"$XENSPLIT" -q detach 5
	for number in 5 15 25 35; do
		"$SANDBOX" proxy --kill-at $number -- "$XENSPLIT" attach 5 >/dev/null || true
		does detach 5 || [[ $status -eq 3 ]]
		does attach 5
		"$SANDBOX" proxy --kill-at $number -- "$XENSPLIT" detach 5 >/dev/null || true
		does detach 5 || [[ $status -eq 3 ]]
		[[ -z $(nodes) ]]
	done
}
