#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The commits of the tool are those of the model that Spin checks: tests/model.

load common

setup()
{
	sandbox_start
}

# of_model VERB: prints its commits
of_model()
{
	spin -T -DONLY="$1" "$BATS_TEST_DIRNAME/../model/device.pml" | grep -E 'record|front|back|close' |
		grep -v '='
}

# of_tool ARGUMENT...: prints its commits; of the requests on one part of the device, the first
of_tool()
{
	"$SANDBOX" proxy --trace -- "$XENSPLIT" -q "$@" 2>&1 >/dev/null | awk '
		function say(what) {
			if (!(what in said))
				line = line (line == "" ? "" : " ") what
			said[what]
		}
		BEGIN {
			record = "^/xensplit/[0-9]+/mydevice/0$"
			front = "^/local/domain/[0-9]+/device/mydevice/0$"
			back = "^/local/domain/0/backend/mydevice/[0-9]+/0$"
		}
		$2 == "TRANSACTION_START" { line = ""; delete said }
		$2 == "WRITE" && $3 ~ record { say("record") }
		$2 == "MKDIR" && $3 ~ front { say("front") }
		$2 == "MKDIR" && $3 ~ back { say("back") }
		$2 == "RM" && $3 ~ record { say("-record") }
		$2 == "RM" && $3 ~ front { say("-front") }
		$2 == "RM" && $3 ~ back { say("-back") }
		$2 == "WRITE" && $3 ~ "/backend/mydevice/[0-9]+/0/state$" && !("back" in said) { say("close") }
		$2 == "TRANSACTION_END" && line != "" { print line }'
}

# same VERB ARGUMENT...
same()
{
	of_tool "${@:2}" >"$BATS_TEST_TMPDIR/tool"
	of_model "$1" | diff -U9 - "$BATS_TEST_TMPDIR/tool"
	[[ -s $BATS_TEST_TMPDIR/tool ]]
}

@test "attach" {
	same ATTACH attach 5 --no-wait
}

@test "attach --replace" {
	drivers
	does attach 5
	same REPLACE attach 5 --replace
}

@test "detach" {
	drivers
	does attach 5
	same DETACH detach 5
}

@test "detach of a device that no driver has taken" {
	does attach 5 --no-wait
	same FORCE detach 5 --force
}

@test "reap" {
	does attach 5 --no-wait
	"$SANDBOX" kill 5
	same REAP reap
}
