# shellcheck shell=bash disable=SC2154 # the tests set $here and $blocks
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs the blocks of code in a text. $here is where they run, $blocks where they are kept.

# split FILE: each block of code into a file $blocks/NUMBER.KIND, without its fences. Fails on code
# that Markdown allows elsewhere.
split()
{
	awk -v to="$blocks" '
		!file && /^(    |\t| *~~~| +```)/ { print FNR ": " $0; exit 1 }
		/^```/ && file { close(file); file = ""; next }
		/^```/ { file = sprintf("%s/%03d.%s", to, ++n, substr($0, 4)); printf "" >file; next }
		file { print >file }
		END { if (file != "" || !n) exit 1 }' "$1"
}

# program NAME, with its text on stdin: for the commands of the blocks
program()
{
	cat >"$BATS_TEST_TMPDIR/bin/$1"
	chmod +x "$BATS_TEST_TMPDIR/bin/$1"
}

# play: runs the commands of a block, from stdin, and prints them with what they print. A shell
# that one of them starts runs the rest.
play()
{
	local line

	while IFS= read -r line; do
		[[ $line == [#\$]' '* ]] || continue
		printf "settle; printf '%%s\\\\n' %q\n%s\n" "$line" "${line:2}"
	done | (cd "$here" && timeout 60 bash 2>&1 3>&-)
}

# Times differ, and have another unit from one second on.
masked()
{
	sed -E 's/\<[0-9]+ ms\>|\<[0-9]+\.[0-9] s\>/TIME/g'
}
