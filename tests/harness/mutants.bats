#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What makes the mutations: `make mutants` takes hours, but its lists have to be right.

bats_require_minimum_version 1.5.0

setup()
{
	top=$BATS_TEST_TMPDIR/top
	mkdir -p "$top/tests/mutants/lib" "$top/tests/mutants/src" "$top/lib" "$top/tests/unit"
	cp "$BATS_TEST_DIRNAME"/../mutants/{run,one,list.sh} "$top/tests/mutants/"
	printf '%s\n' 'static int a(int b)' '{' $'\tif (b)' $'\t\treturn 1;' '' $'\treturn b ||' $'\t       b > 2;' '}' \
		>"$top/lib/a.c"
}

list() # LINE...
{
	printf '%s\n' 'try unit/a' "$@" >"$top/tests/mutants/lib/a"
}

apply()
{
	O=$BATS_TEST_TMPDIR/build run "$top/tests/mutants/run" --apply "$@"
	echo "$output"
}

@test "each mutation applies to one place, and there are enough" {
	run "$BATS_TEST_DIRNAME/../mutants/run" --apply
	grep '^not ok' <<<"$output" || :
	[[ $status -eq 0 ]]
	(($(grep -c '^ok .* applies$' <<<"$output") >= 150))
}

@test "a statement may have several lines, and the new text may be empty" {
	list 'one: if (b) return 1; =>' 'two: 1; return b || b > 2; => 2;'
	apply
	[[ $status -eq 0 && $output == *'ok lib/a/one applies'*'ok lib/a/two applies'* ]]
}

@test "a mutation that applies nowhere, twice, or changes nothing is a failure" {
	list 'none: if (c) => if (1)' 'twice: return => go' 'same: if (b) => if (b)'
	apply
	[[ $status -eq 1 && $output == *'not ok lib/a/none applies to 0 places'* ]]
	[[ $output == *'not ok lib/a/twice applies to 2 places'* && $output == *'not ok lib/a/same '* ]]
}

@test "a file or one of its mutations can be chosen, but not one that there isn't" {
	list 'one: if (b) => if (1)' 'two: return 1; => return 2;'
	apply lib/a/two
	[[ $status -eq 0 && $output == $'1..1\nok lib/a/two applies' ]]
	apply lib/a.c
	[[ $status -eq 0 && $output == '1..2'* ]]
	apply lib/a/three
	[[ $status -eq 2 && $output == 'there is no mutation lib/a/three' ]]
}

@test "a line that is no mutation is an error" {
	list 'if (b) return'
	apply
	[[ $status -ne 0 && $output == *'tests/mutants/lib/a:2: '* ]]
}

# Without a compiler: "make" says whether the text was changed, the suite whether it notices.
@test "a mutation is killed, survives, or changes nothing" {
	cp "$BATS_TEST_DIRNAME/../copy-source" "$top/tests/"
	mkdir "$top/include" "$top/src" "$BATS_TEST_TMPDIR/bin"
	touch "$top/Makefile" "$top/tests/unit/test-a.c"
	cat >"$BATS_TEST_TMPDIR/bin/make" <<-'EOF'
		#!/bin/bash
		cd "$3"
		mkdir -p build/tests/unit
		printf '#!/bin/bash\necho 1..1\n! grep -q "return 2" "%s/lib/a.c" && echo ok 1 || echo not ok 1\n' \
			"$PWD" >build/tests/unit/test-a
		chmod +x build/tests/unit/test-a
		touch build/xensplit build/libxensplit.so
	EOF
	chmod +x "$BATS_TEST_TMPDIR/bin/make"
	list 'one: if (b) => if (1)' 'two: return 1; => return 2;' 'three: b > 2 => b > 3' '  same: b is 1'
	O=$BATS_TEST_TMPDIR/build PATH=$BATS_TEST_TMPDIR/bin:$PATH run "$top/tests/mutants/run"
	echo "$output"
	[[ $status -eq 1 && $output == *'not ok lib/a/one survives unit/a ('* ]]
	[[ $output == *'ok lib/a/two killed by unit/a '* && $output == *'ok lib/a/three # SKIP changes nothing: b is 1'* ]]
	[[ $output == *'# 2 mutations: killed by unit 1, store 0, cli 0, did not build 0; 1 left; 1 change nothing'* ]]
	[[ $output == *'# left: lib/a/one' ]]
}
