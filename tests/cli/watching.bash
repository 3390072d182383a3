# shellcheck shell=bash disable=SC2034,SC2154 # the tests use and set these variables
# SPDX-License-Identifier: GPL-2.0-or-later
# Shared by the tests of watch: what it prints goes to $out and $err.

setup()
{
	sandbox_start
	out=$BATS_TEST_TMPDIR/out err=$BATS_TEST_TMPDIR/err
}

# watch ARGUMENT...: starts it in the background, as $pid, and returns when it is armed
watch()
{
	: >"$out"
	"$XENSPLIT" watch --banner "$@" >>"$out" 2>"$err" 3>&- &
	pid=$!
	eventually grep -qE '^watching$|"armed"' "$out"
}

# The lines so far, without banner and time.
told()
{
	sed -E '/^watching$/d; s/^[0-9:]{8}\.[0-9]{3} //' "$out"
}

# has TEXT: is that line among them?
has()
{
	told | grep -qxF -e "$1"
}
