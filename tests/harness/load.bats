#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What `make soak` says of its samples: flat is accepted, and growth is not.

setup()
{
	flat=$BATS_TEST_DIRNAME/../load/flat
	samples=$BATS_TEST_TMPDIR/samples
}

# rounds COUNT KB-EXPRESSION FDS-EXPRESSION: of the round i
rounds()
{
	awk -v count="$1" "BEGIN { for (i = 1; i <= count; i++) {
		print i, i, i * 200, \"serve\", $2, $3
		print i, i, i * 200, \"watch\", 2000, 11
	} }" >"$samples"
}

refuses() # TEXT
{
	run "$flat" "$samples"
	echo "$output"
	[[ $status -eq 1 && $output == *"not ok 1 - serve: $1"* && $output == *"ok 2 - watch: +0 kB"* ]]
}

accepts()
{
	run "$flat" "$samples"
	echo "$output"
	[[ $status -eq 0 && $output != *"not ok"* ]]
}

@test "flat, with what a process needs at first" {
	rounds 100 '3000 + (i < 8 ? i * 100 : 800) + i % 5 * 20' 21
	accepts
}

@test "memory that grows a little" {
	rounds 1000 '3000 + int(i / 2)' 21
	refuses '+225 kB, +0 descriptors'
}

@test "memory that grows within a few rounds" {
	rounds 12 '3000 + i * 30' 21
	refuses '+150 kB'
}

@test "a descriptor that stays open" {
	rounds 100 3000 '21 + (i > 90)'
	refuses '+0 kB, +1 descriptors'
}

@test "descriptors that come and go" {
	rounds 100 3000 '21 + i % 2'
	accepts
}

@test "too few rounds to tell" {
	rounds 3 3000 21
	run "$flat" "$samples"
	[[ $status -eq 1 && $output == *"not ok 1"* && $output == *"not ok 2"* ]]
}

@test "the table: at most twelve rounds of many, the last among them" {
	rounds 100 3000 21
	accepts
	[[ $(grep -c ' fds' <<<"$output") -eq 12 && $output == *"    100      20000"* ]]
}
