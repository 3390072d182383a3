#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The attacks themselves: `make check-attack MUTATE=1` takes long, but each of its patches has to apply.

bats_require_minimum_version 1.5.0

attack=$BATS_TEST_DIRNAME/../attack

@test "each patch that takes out a defence applies, and names its attacks" {
	run "$attack/mutate" --apply
	echo "$output"
	[[ $status -eq 0 ]]
	(($(grep -c '^ok .* applies$' <<<"$output") >= 30))
}

@test "a patch that does not apply is a failure" {
	local top=$BATS_TEST_TMPDIR

	mkdir "$top/tests"
	cp -r "$attack" "$top/tests/"
	cp -r "$attack/../../lib" "$top/"
	"$top/tests/attack/mutate" --apply few-losses-make-events
	sed -i 's/^\(-\t.*\)return/\1go back/' "$top/tests/attack/without/few-losses-make-events.patch"
	run "$top/tests/attack/mutate" --apply few-losses-make-events
	echo "$output"
	[[ $status -eq 1 && $output == *"few-losses-make-events no longer applies"* ]]
}

@test "a patch must name attacks that there are" {
	cp -r "$attack" "$BATS_TEST_TMPDIR/attack"
	sed -i 's/^Attacks: .*/Attacks: none-such/' "$BATS_TEST_TMPDIR"/attack/without/few-losses-make-events.patch
	run "$BATS_TEST_TMPDIR/attack/mutate" --apply few-losses-make-events
	[[ $status -eq 1 && $output == *"there is no attack 'none-such'"* ]]
}

@test "every attack says what the attacker tries, or its name does, and has a command" {
	local file

	for file in "$attack"/attacks/*; do
		grep -q '^verb [a-z]' "$file" || { echo "${file##*/} has no verb"; return 1; }
		grep -qE '^(first|while|at|given) ' "$file" || { echo "${file##*/} is no attack"; return 1; }
	done
	(($(find "$attack/attacks" -type f | wc -l) >= 60))
}

@test "SECURITY.md names attacks that there are" {
	local name names count=0

	# shellcheck disable=SC2016 # for grep
	names=$(sed -n 's/^| .*| \(`.*\) |$/\1/p' "$attack/../../SECURITY.md" | grep -o '`[a-z*]*-[a-z*-]*`')
	for name in ${names//\`/}; do
		compgen -G "$attack/attacks/$name" >/dev/null || { echo "no $name"; return 1; }
		count=$((count + 1))
	done
	((count >= 30))
}
