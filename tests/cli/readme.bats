#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2154,SC2016 # bats sets status; Markdown has backquotes
# What README.md says, runs: each block of code, and each name of a target, verb or file.

load common
load blocks

setup()
{
	top=$(realpath "$BATS_TEST_DIRNAME/../..")
	readme=$top/README.md
	here=$BATS_TEST_TMPDIR/here
	blocks=$BATS_TEST_TMPDIR/blocks
	mkdir -p "$here" "$blocks" "$BATS_TEST_TMPDIR"/{bin,pc}
}

# As the text assumes: built and installed, with drivers in dom0 and guest5, and a reader who
# waits until a driver has done what it does.
world()
{
	local O pid

	O=$(dirname "$(realpath "$XENSPLIT")")
	ln -s "$O" "$here/build"
	sed -e "s|@PREFIX@|$top|" -e 's|@VERSION@|0|' -e "s|@LIBDIR@|$O|" -e "s|@INCLUDEDIR@|$top/include|" \
		-e 's|@REQUIRES@|xenstore xentoollog xentoolcore|' \
		"$top/lib/libxensplit.pc.in" >"$BATS_TEST_TMPDIR/pc/libxensplit.pc"
	export PATH=$BATS_TEST_TMPDIR/bin:$O:$PATH LD_LIBRARY_PATH=$O PKG_CONFIG_PATH=$BATS_TEST_TMPDIR/pc
	targets >"$BATS_TEST_TMPDIR/targets"
	# Not built from here: make may be what runs this test. check-fresh runs the demo and all
	# tests, tests/install/install.bats make install. Here a target has to exist.
	program make <<-END
		#!/bin/bash
		for target; do
			grep -qxF "\$target" "$BATS_TEST_TMPDIR/targets" || { echo "no target: \$target"; exit 1; }
		done
	END
	program sudo <<<'exec "$@"'
	sandbox_start
	drivers
	{
		echo '#!/bin/bash'
		for pid in "${!driving[@]}"; do
			printf ": >%q; kill -USR1 %d; until grep -qx 'caught up' %q; do sleep 0.01; done\n" \
				"${driving[$pid]}" "$pid" "${driving[$pid]}"
		done
	} | program settle
}

# The targets of make help.
targets()
{
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$top" help | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p'
}

@test "each block of README.md runs, and prints what it says" {
	world
	split "$readme"
	for block in "$blocks"/*; do
		case $block in
		*.console)
			head -n 1 "$block" | grep '^[#$] '
			diff <(masked <"$block") <(play <"$block" | masked)
			;;
		*.sh | *.c) # a file, named in its first line, that other blocks use
			name=$(head -n 1 "$block" | grep -oE "[a-z]+\.${block##*.}\>")
			grep -hE "\<$name\>" "$blocks"/*.console
			cp "$block" "$here/$name"
			;;
		*)
			echo "a block that is not console, sh or c:"
			cat "$block"
			return 1
			;;
		esac
	done
}

@test "the program of README.md compiles without a warning" {
	split "$readme"
	cc -std=c99 -Wall -Wextra -pedantic -Werror -I"$top/include" -fsyntax-only "$blocks"/*.c
}

@test "the targets, files, verbs and options of README.md exist" {
	grep -oE '`make [a-z-]+' "$readme" | cut -c 7- | sort -u >"$BATS_TEST_TMPDIR/named"
	[[ -s $BATS_TEST_TMPDIR/named ]]
	run ! grep -vxFf <(targets) "$BATS_TEST_TMPDIR/named"
	# files in backquotes, and pictures; what is built is not in the tree
	{
		grep -oE '`[a-z]+/[A-Za-z./-]*`|`[A-Z]+(\.md|/)?`' "$readme" | tr -d '`'
		grep -oE '(src|srcset)="[^"]*"' "$readme" | cut -d '"' -f 2
	} | grep -vxE 'build/|TYPE|DOMAIN' >"$BATS_TEST_TMPDIR/named"
	[[ $(wc -l <"$BATS_TEST_TMPDIR/named") -gt 10 ]]
	while IFS= read -r name; do
		echo "$name"
		[[ -e $top/$name ]]
	done <"$BATS_TEST_TMPDIR/named"
	grep -oE '`[^`]*`' "$readme" | grep -oE '(^| |`)--[a-z-]+' | tr -d ' `' >"$BATS_TEST_TMPDIR/named"
	[[ $(wc -l <"$BATS_TEST_TMPDIR/named") -gt 10 ]]
	run ! grep -vxFf <(for verb in $("$XENSPLIT" --list-verbs); do
		"$XENSPLIT" "$verb" --help
	done | grep -oE -- '--[a-z-]+') "$BATS_TEST_TMPDIR/named"
	diff <("$XENSPLIT" --list-verbs) <(sed -nE '/^\| verb /,/^$/s/^\| `([a-z]+)` .*/\1/p' "$readme")
}

@test "README.md and xensplit(7) agree on the releases that were tested" {
	for name in Xen Linux; do
		man=$(sed -nE "s/^\.It ${name}.* Ta ([0-9.]+) Ta ([0-9.]+)\$/\1 \2/p" "$top/man/xensplit.7")
		[[ $man == *.*\ *.* ]]
		[[ $(sed -nE "s/^\| ${name}[^|]* \| ([0-9.]+) \| ([0-9.]+) \|\$/\1 \2/p" "$readme") == "$man" ]]
	done
}
