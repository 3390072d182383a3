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
	local status=137 number step=$1

	shift
	kills=0
	for ((number = 1; status == 137; number += step)); do
		((number < 300))
		$before
		status=0
		"$SANDBOX" proxy --kill-at $number -- "$@" >/dev/null || status=$?
		nodes >"$BATS_TEST_TMPDIR/left"
		echo "$number: status $status, $(wc -l <"$BATS_TEST_TMPDIR/left") nodes"
		[[ ! -s $BATS_TEST_TMPDIR/left ]] ||
			diff "$BATS_TEST_TMPDIR/whole" "$BATS_TEST_TMPDIR/left"
		((status == 0)) || ((++kills))
	done
	((status == 0 && kills > 20))
}

attached()
{
	[[ -n $(nodes) ]] || "$XENSPLIT" -q attach 5
}

detached()
{
	[[ -z $(nodes) ]] || "$XENSPLIT" -q detach 5
}

setup()
{
	sandbox_start
	drivers
	"$XENSPLIT" -q attach 5
	nodes >"$BATS_TEST_TMPDIR/whole"
	[[ $(wc -l <"$BATS_TEST_TMPDIR/whole") -eq 18 ]]
}

@test "killed at every request of attach" {
	before=detached
	at_every_request 1 "$XENSPLIT" attach 5
}

@test "killed in attach --replace of a connected device, at every fifth request" {
	before=attached
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
