#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2154,SC2016 # bats sets status; Markdown has backquotes
# What modules/GUIDE.md says about the tool is so: its table of states, its commands and what they
# print. tests/lint/check-guide compares its code.

load common

setup()
{
	top=$(realpath "$BATS_TEST_DIRNAME/../..")
	guide=$top/modules/GUIDE.md
}

# The rows of its tables of states: FRONTEND BACKEND CODE, with "-" for no finding.
pairs()
{
	sed -nE 's/^\| ([0-8x])[^|]*\| ([0-8x])[^|]*\|[^|]*\|[^|]*\| ([a-z-]+) \|$/\1 \2 \3/p' "$guide"
}

@test "doctor says about each pair of states what the guide says" {
	sandbox_start
	does attach 5 myecho --no-wait
	[[ $(pairs | wc -l) -gt 20 ]]
	while read -r front back code; do
		xenstore-write /local/domain/5/device/myecho/0/state "$front" \
			/local/domain/0/backend/myecho/5/0/state "$back"
		tool doctor 5 myecho --json
		said=$(jq -r '[.findings[].code] | join(" ")' <<<"$output")
		echo "$front/$back: guide: $code, doctor: ${said:--}"
		[[ ${said:--} == "$code" ]]
	done < <(pairs)
}

@test "no pair of states is explained twice, and every code of xensplit-doctor(8) for one is there" {
	run ! grep . <(pairs | cut -d ' ' -f 1,2 | sort | uniq -d)
	sed -nE '/^\.Ss Errors: the states/,/^\.Pp/s/^\.It ([a-z-]+) Ta .*/\1/p' "$top/man/xensplit-doctor.8" |
		sort -u >"$BATS_TEST_TMPDIR/codes"
	[[ $(wc -l <"$BATS_TEST_TMPDIR/codes") -gt 10 ]]
	missing=$(comm -23 "$BATS_TEST_TMPDIR/codes" <(pairs | cut -d ' ' -f 3 | sort -u))
	echo "$missing"
	[[ -z $missing ]]
}

# Every command of the tool in the guide, one on a line: of blocks, and between backquotes.
commands()
{
	{
		sed -nE '/^```console/,/^```/s/^([a-z0-9]*# +)(xensplit .*)/\2/p' "$guide"
		tr '\n' ' ' <"$guide" | grep -oE '`xensplit [^`]*`' | tr -d '`'
	} | sort -u
}

@test "each command is one that the tool accepts" {
	# Without a store, all that it can find is an error of usage.
	export XENSTORED_PATH=$BATS_TEST_TMPDIR/none
	[[ $(commands | wc -l) -gt 15 ]]
	while read -r line; do
		read -ra words <<<"$line"
		# The verb alone names it.
		[[ ${#words[@]} -gt 2 ]] || words+=(--help)
		tool "${words[@]:1}"
		[[ $status -ne 2 ]]
	done < <(commands)
}

@test "each target and each scenario exists" {
	targets=$(env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$top" help)
	grep -oE '`make [a-z-]+' "$guide" | cut -c 7- | sort -u >"$BATS_TEST_TMPDIR/named"
	[[ -s $BATS_TEST_TMPDIR/named ]]
	while read -r name; do
		echo "$name"
		grep -q "^  $name " <<<"$targets"
	done <"$BATS_TEST_TMPDIR/named"
	while read -r name; do
		echo "$name"
		[[ -f $top/tests/xen/scenarios/$name.sh ]]
	done < <(grep -oE 'SCENARIO=[a-z0-9-]+' "$guide" | cut -d = -f 2)
}

# What a block of the guide says, and prints, is so. Times differ.
masked()
{
	sed -E 's/\<[0-9]+ ms\>|\<[0-9]+\.[0-9] s\>/TIME/g; s/^[0-9:.]{12} /TIME /'
}

@test "the session in which only the backend's driver is loaded" {
	sandbox_start
	"$SANDBOX" drive back 0 mydevice >"$BATS_TEST_TMPDIR/back" 3>&- &
	until grep -q ready "$BATS_TEST_TMPDIR/back"; do
		sleep 0.01
	done
	sed -n '/^```console/,/^```/p' "$guide" | sed -n '/^# /,/^```/p' | sed '/^```/d' >"$BATS_TEST_TMPDIR/says"
	[[ $(grep -c '^# ' "$BATS_TEST_TMPDIR/says") -ge 3 ]]
	export PATH=${XENSPLIT%/*}:$PATH
	grep '^# ' "$BATS_TEST_TMPDIR/says" | while IFS= read -r line; do
		printf '%s\n' "$line"
		timeout 60 bash -c "${line:2}" 2>&1 3>&- || [[ $line == *doctor* ]]
	done | masked >"$BATS_TEST_TMPDIR/prints"
	diff <(masked <"$BATS_TEST_TMPDIR/says") "$BATS_TEST_TMPDIR/prints"
}
