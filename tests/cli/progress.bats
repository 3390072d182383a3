#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# While a verb waits, it shows on a terminal, and only there, what it waits for and how long.

# shellcheck disable=SC2154 # what tool sets
load common

# terminal ARGUMENT...: like tool, with stderr on a terminal of 60 columns; stdout and the status
# go to files
terminal()
{
	local command

	command="$(printf '%q ' "$XENSPLIT" "$@") >$BATS_TEST_TMPDIR/stdout"
	run timeout 30 script -qec "stty cols 60; $command" /dev/null
	printf '$ xensplit %s\n%q\n[%s]\n' "$*" "$output" "$status"
}

# shown: the last line of the terminal over time, one per line
shown()
{
	tr '\r' '\n' <<<"$output" | grep -v '^ *$'
}

# left: what is still visible on the terminal
left()
{
	awk -v RS='\n' '{
		count = split($0, parts, "\r"); row = ""
		for (i = 1; i <= count; i++)
			row = parts[i] substr(row, length(parts[i]) + 1)
		sub(/ +$/, "", row)
		if (row != "") print row
	}' <<<"$output"
}

@test "attach shows what it waits for, and erases the line" {
	drive back 0 mydevice
	terminal attach 5 -t 2.2
	[[ $status -eq 6 ]]
	# A busy machine may leave out one of the three.
	[[ $(shown | grep -oE "^guest5 mydevice/0: Initialising/InitWait, [0-2] of 3 s" | sort -u | wc -l) -ge 2 ]]
	[[ $(left | grep -c ^xensplit:) -eq 1 && $(left) == "xensplit: attach 5 mydevice/0: not connected after "* ]]
	[[ ! -s $BATS_TEST_TMPDIR/stdout ]]
}

@test "no line is longer than the terminal" {
	terminal attach 5 averylongdevice/0 -t 1.2
	[[ $(shown | grep -c ', [01] of 2 s$') -ge 2 ]]
	shown | grep ' of 2 s$' | awk 'length($0) > 57 { exit 1 }'
}

@test "a long name of a domain does not hide the time" {
	"$SANDBOX" create 7 --name "$(printf 'x%.0s' {1..60})"
	terminal attach 7 -t 1.2
	[[ $(shown | grep -cE '^x{47}, [01] of 2 s$') -ge 2 ]]
}

@test "a device of a domain without a name, and many devices" {
	xenstore-rm /local/domain/6/name
	does attach 6 --no-wait
	terminal wait 6 -t 1.2
	shown | grep -qxE "domain 6 mydevice/0: Initialising/Initialising, [01] of 2 s"
	drive back 0 mydevice
	does attach 5 --no-wait
	does attach 5 mydevice/1 --no-wait
	initwait() { [[ $(store /local/domain/0/backend/mydevice/5/1/state) == 2 ]]; }
	eventually initwait
	drive front 5 mydevice --never-close
	does wait 5
	does wait 5 mydevice/1
	terminal detach 5 --all -t 3.2
	shown | grep -qxE "detaching: [01] of 2 devices, [0-3] of 4 s"
}

# interrupt ARGUMENT...: a user waits for the line of progress and presses Ctrl-C; $output is what
# the terminal got
interrupt()
{
	local screen=$BATS_TEST_TMPDIR/screen keys=$BATS_TEST_TMPDIR/keys pid

	rm -f "$keys"
	mkfifo "$keys"
	: >"$screen"
	# a background job of a shell ignores SIGINT unless told
	env --default-signal=INT script -qefc "stty cols 60; exec $(printf '%q ' "$XENSPLIT" "$@")" "$screen" <"$keys" >/dev/null 3>&- &
	pid=$!
	exec 4>"$keys"
	eventually grep -q ' of 10 s' "$screen"
	printf '\003' >&4
	status=0
	wait $pid || status=$?
	exec 4>&-
	output=$(sed '1d; /^Script done/d; $d' "$screen")
	printf '$ xensplit %s\n%q\n[%s]\n' "$*" "$output" "$status"
}

@test "Ctrl-C leaves a clean line, and ends it as usual" {
	does attach 5 --no-wait
	for line in "wait 5" "attach 5 mydevice/1"; do
		# shellcheck disable=SC2086 # words
		interrupt $line
		[[ $status -eq 130 && $output == *" of 10 s^C"* && $(left) == "" ]]
	done
	interrupt attach 5 averylongdevice/0
	[[ $status -eq 130 && $output == *" of 10 s^C"* && $(left) == "" ]]
	interrupt attach 5 mydevice/2 --rollback
	[[ $status -eq 130 && $(left | wc -l) -eq 1 && $(left) == "xensplit: "* ]]
}

@test "nothing is left of it on success" {
	drive front 5 mydevice --delay 300
	drive back 0 mydevice --delay 300
	for verb in attach wait detach; do
		terminal $verb 5
		[[ $status -eq 0 && $(left) == "" ]]
		[[ $(wc -l <"$BATS_TEST_TMPDIR/stdout") -eq 1 ]]
		[[ $verb == wait ]] || shown | grep -qE "^guest5 mydevice/0: [A-Za-z]*/[A-Za-z]*, 0 of 10 s$"
	done
}

@test "detach and wait show it, too" {
	drive back 0 mydevice
	drive front 5 mydevice --never-close
	does attach 5
	terminal wait 5 --until gone -t 2.2
	[[ $status -eq 6 ]]
	shown | grep -q ", [12] of 3 s$"
	[[ $(left | grep -c ^xensplit:) -eq 1 && $(left) == xensplit:* ]]
	terminal detach 5 -t 2.2
	[[ $status -eq 6 ]]
	shown | grep -q ", [12] of 3 s$"
	[[ $(left | grep -c ^xensplit:) -eq 1 && $(left) == xensplit:* ]]
}

@test "--quiet: no progress, even on a terminal" {
	does attach 5 --no-wait
	for verb in wait "detach" "attach"; do
		terminal $verb 5 -t 1.1 --quiet
		[[ $output != *"of 2 s"* && $output != *$'\r '* ]]
	done
}

@test "no progress on a pipe" {
	does attach 5 --no-wait
	tool wait 5 -t 1.1
	[[ $status -eq 6 && $(grep -c ^xensplit: <<<"$stderr") -eq 1 && $stderr != *$'\r'* && $stderr != *"of 2 s"* ]]
	tool wait 5 -t 1.1 --until gone -v
	[[ $stderr != *$'\r'* && $stderr != *"of 2 s"* ]]
}

# said: the lines of stderr, with the times left out
said()
{
	sed -E 's/^xensplit: domain 5 mydevice\/0: //; s/, up to [0-9.]+ s$//' <<<"$stderr"
}

@test "-v prints each commit and each wait, -vv each request, too" {
	drivers
	tool attach 5 -v
	diff - <(said) <<<$'written\nwaiting until Connected'
	[[ $stderr =~ ", up to "(10\.0|[5-9]\.[0-9])" s"$ ]]
	tool attach 5 -v --replace
	diff - <(said) <<-'END'
		old device asked to close
		waiting until Closed
		old device removed
		written
		waiting until Connected
	END
	tool wait 5 -v
	diff - <(said) <<<"waiting until Connected"
	tool detach 5 -v
	diff - <(said) <<<$'asked to close\nwaiting until Closed\nremoved'
	does attach 5 --no-wait
	"$SANDBOX" kill 5
	tool reap -v
	diff - <(said) <<<"removed"
	tool reap 6 -vv
	[[ $stderr == *"xensplit: list /xensplit/6"* ]]
}
