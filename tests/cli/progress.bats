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
	[[ $(shown | grep -oE "^.?[0-2] of 3 s: waiting for mydevice/0 of domain 5" | sort -u | wc -l) -ge 2 ]]
	[[ $(left | wc -l) -eq 1 && $(left) == "xensplit: attach: mydevice/0 of domain 5 (guest5) is not Connected after "* ]]
	[[ ! -s $BATS_TEST_TMPDIR/stdout ]]
}

@test "no line is longer than the terminal" {
	terminal attach 5 averylongdevice/0 -t 1.2
	[[ $(shown | grep -c ' of 2 s: ') -ge 2 ]]
	shown | grep ' of 2 s: ' | awk '{ sub(/\n/, "") } length($0) > 59 { exit 1 }'
}

@test "nothing is left of it on success" {
	drive front 5 mydevice --delay 300
	drive back 0 mydevice --delay 300
	for verb in attach wait detach; do
		terminal $verb 5
		[[ $status -eq 0 && $(left) == "" ]]
		[[ $(wc -l <"$BATS_TEST_TMPDIR/stdout") -eq 1 ]]
		[[ $verb == wait ]] || shown | grep -qF "0 of 10 s: waiting for mydevice/0 of domain 5 to "
	done
}

@test "detach and wait show it, too" {
	drive back 0 mydevice
	drive front 5 mydevice --never-close
	does attach 5
	terminal wait 5 --until gone -t 2.2
	[[ $status -eq 6 ]]
	shown | grep -q "[12] of 3 s: "
	[[ $(left | wc -l) -eq 1 ]]
	terminal detach 5 -t 2.2
	[[ $status -eq 6 ]]
	shown | grep -q "[12] of 3 s: "
	[[ $(left | wc -l) -eq 1 ]]
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
	[[ $status -eq 6 && ${#stderr_lines[@]} -eq 1 && $stderr != *$'\r'* && $stderr != *"of 2 s"* ]]
	tool wait 5 -t 1.1 --until gone -v
	[[ $stderr != *$'\r'* && $stderr != *"of 2 s"* ]]
}
