#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# An xenstored that stops answering: each verb ends at most a second after its deadline, says so,
# and leaves a whole device or none. Other delays end nothing.

# shellcheck disable=SC2016,SC2154 # bats sets stderr; what happens in between is expanded when it happens
load common

# Half of them take ten seconds, so everything runs at the same time.
setup_file()
{
	local where

	cd "$BATS_FILE_TMPDIR" || return
	echo 'name = "guest5"; xensplit = [ "mydevice/0" ]' >g.cfg
	for where in first mute; do
		"$SANDBOX" --guests 5,6 -- "$BATS_TEST_DIRNAME/frozen-case" "$PWD" $where &
	done
	for where in middle commit; do
		"$BATS_TEST_DIRNAME/frozen-case" "$PWD" $where &
	done
	for where in unread stopped; do
		"$SANDBOX" --guests 5,6 -- bash -c "set -e; $(declare -f $where); $where" &
	done
	wait
} >"$BATS_FILE_TMPDIR/said" 2>&1 3>&-

# Tests that need a sandbox start it.
setup() { :; }

teardown()
{
	[[ -z ${sandbox_pid:-} ]] || sandbox_stop
}

# More than fits in a pipe, for a reader that starts after eleven seconds.
unread()
{
	local many value status=0
	local -a keys=()

	value=$(printf '%02000d' 0)
	for many in {1..40}; do
		keys+=(-F "key$many=$value")
	done
	"$XENSPLIT" -q attach 5 --no-wait "${keys[@]}"
	{
		"$XENSPLIT" show 5 2>unread.err || status=$?
		echo "status $status"
	} | {
		sleep 11
		cat
	} >unread.out
}

# The tool is stopped while the answer arrives.
stopped()
{
	local status=0

	"$SANDBOX" proxy --run-at 10 --run \
		'read -r pid <pid; kill -STOP $pid; (sleep 10.5; kill -CONT $pid) >/dev/null 2>&1 &' -- \
		bash -c 'echo $$ >pid; exec "$XENSPLIT" attach 5 --no-wait' >stopped.out 2>stopped.err ||
		status=$?
	echo "$status" >stopped.status
}

# promise_kept FILE LIMIT MS: the time limit (plus one second, and some for a busy machine, by how
# late it was with the same time beside it), one line on stderr, nothing on stdout
promise_kept()
{
	(($3 >= $2 && $3 < $2 + 3000 + 10 * $(<"$1.late"))) && [[ ! -s $1.out && $(wc -l <"$1.err") -eq 1 ]] &&
		grep -qxE 'xensplit: [a-z]+: xenstored has not answered for [0-9]+\.[0-9] s' "$1.err"
}

# ended WHERE COUNT [LEFT]: COUNT verbs ended as they must, and left LEFT in the store
ended()
{
	local file name limit status ms left count=0 bad=0

	cat "$BATS_FILE_TMPDIR/said"
	for file in "$BATS_FILE_TMPDIR/$1 "*.result; do
		read -r limit status ms left <"$file"
		name=$(basename "$file" .result)
		printf '# %-34s status %d after %5d ms of %5d, left: %s\n' "$name" "$status" "$ms" "$limit" \
			"$left" | tee -a /dev/fd/3
		((++count))
		if [[ $status -ne 6 || ! $left =~ ^(${3:-none})$ ]] ||
			! promise_kept "${file%.result}" "$limit" "$ms"; then
			echo "$name:"
			cat "${file%.result}.err" "${file%.result}.out"
			bad=1
		fi
	done
	((count == $2 && !bad))
}

@test "frozen before the first request: every verb ends" {
	ended first 16
}

@test "the process at the socket never answers: every verb ends" {
	ended mute 16
}

@test "frozen in the middle: every verb ends, and leaves a whole device or none" {
	ended middle 16 'whole|none|phase'
}

@test "frozen at the commit: the same" {
	ended commit 10 'whole|none|phase'
}

@test "a slow reader does not count as a silent xenstored" {
	[[ ! -s $BATS_FILE_TMPDIR/unread.err ]]
	[[ $(tail -n 1 "$BATS_FILE_TMPDIR/unread.out") == "status 0" ]]
	[[ $(grep -cE "[/ ]key[0-9]+ " "$BATS_FILE_TMPDIR/unread.out") -ge 40 ]]
}

@test "nor does a tool that was stopped itself" {
	[[ ! -s $BATS_FILE_TMPDIR/stopped.err ]]
	[[ $(<"$BATS_FILE_TMPDIR/stopped.status") -eq 0 ]]
	[[ $(<"$BATS_FILE_TMPDIR/stopped.out") == *", not waiting for the drivers" ]]
}

@test "an answer in time is waited for" {
	sandbox_start
	run -0 --separate-stderr "$SANDBOX" proxy --run-at 10 --run 'sleep 2' -- \
		"$XENSPLIT" attach 5 -t 5 --no-wait
	[[ -z $stderr ]]
	does wait 5 --until closed -t 0 || [[ $status -eq 6 ]]
	[[ $stderr == *"not closed after 0."* ]]
}

@test "the line of progress is erased first; the message comes even with --quiet" {
	sandbox_start
	does attach 5 --no-wait
	run -0 script -qec "stty cols 60; '$SANDBOX' proxy --run-at 8 --run \
		'$SANDBOX stop-daemon --freeze' -- '$XENSPLIT' wait 5 -t 5; echo \"[\$?]\"" /dev/null
	printf '%q\n' "$output"
	[[ $output == *"guest5 mydevice/0: "*$'\r\e[Kxensplit: wait: xenstored has not answered for '*"[6]"* ]]
	fails 6 "wait: xenstored has not answered for" wait 5 -t 0 --quiet
	"$SANDBOX" stop-daemon --thaw
}
