#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later

# shellcheck disable=SC2030,SC2031 # each test is a subshell of its own
load common

@test "every node of record, frontend and backend, with owner and permissions" {
	does attach 5 mydevice/2 -F key=value -B 'other=two words' --no-wait
	does show 5 mydevice/2
	[[ ${lines[0]} =~ ^PERMISSIONS\ +NODE$ ]]
	diff <(whole | LC_ALL=C sort) <(dump | grep -E '/mydevice/(5/)?2[/ ]' | LC_ALL=C sort)
}

# whole: the output of show, in the format of xenstore-ls -fp
whole()
{
	awk 'function flush() { if (path != "") printf "%s = \"%s\"   (%s)\n", path, value, perms; path = "" }
		NR == 1 { next }
		/^ / { sub(/^ +/, ""); sub(/ \([-0-9: ]+\)$/, ""); value = value $0 "\\n"; next }
		{ flush(); perms = $1; child = /^[^ ]+ +  [^ \/]/; sub(/^[^ ]+ +/, "") }
		!child { path = root = $0; value = "" }
		child { path = root "/" $1; sub(/^[^"]+"/, ""); sub(/"( \([A-Za-z]+\))?$/, ""); value = $0 }
		END { flush() }' <<<"$output"
}

@test "the default TYPE is mydevice/0" {
	does attach 5 --no-wait
	does show guest5
	[[ $output == *"/local/domain/5/device/mydevice/0"*" state = "* ]]
	want=$output
	does show 5 mydevice
	[[ $output == "$want" ]]
	does show 5 mydevice/0
	[[ $output == "$want" ]]
}

@test "--json prints the device and its nodes" {
	does attach 5 -B 'mode=a b' --no-wait
	does show 5 --json
	json '.schema == 1 and (.devices | length) == 1 and .devices[0].frontend_state == "Initialising"'
	json '.nodes | all((.path | type) == "string" and (.value | type) == "string" and
		(.permissions | type) == "string" and (has("op") | not))'
	json '.nodes | any(. == {"path": "/local/domain/0/backend/mydevice/5/0/mode", "value": "a b",
		"permissions": "n0,r5"})'
	count=$(jq '.nodes | length' <<<"$output")
	does show 5
	[[ $(whole | wc -l) -eq $count ]]
}

@test "what a guest wrote is escaped, including NULs (pitfall 17)" {
	does attach 5 --no-wait
	as 5 xenstore-write device/mydevice/0/evil $'a\e[31m\\\\b\tc\r\n/local/domain/0 n0 1\xff"'
	want='a\x1b[31m\\b\x09c\x0d\x0a/local/domain/0 n0 1\xff"'
	does show 5
	[[ $output == *"  evil = \"$want\""* ]]
	run ! grep -P '[^\x20-\x7e]' <<<"$output"
	does show 5 --json
	[[ $(jq -r '.nodes[] | select(.path | endswith("/evil")).value' <<<"$output") == "$want" ]]

	drive front 5 other --garbage '4\x00\x07'
	does attach 5 other --no-wait
	nul() { "$XENSPLIT" show 5 other | grep -E '^n5,r0 +state = "4\\x00\\x07" \(invalid\)$'; }
	eventually nul
}

@test "error nodes of both drivers are shown" {
	drive back 0 mydevice --error "out of rings"
	tool attach 5
	[[ $status -eq 1 ]]
	does show 5
	[[ $output == *"/local/domain/0/error/backend/mydevice/5/0"*"error = "*"out of rings"* ]]
}

@test "a long value comes last and is whole on a pipe" {
	value=$(printf 'x%.0s' {1..2048})
	does attach 5 -B "long=$value" --no-wait
	does show 5
	[[ $output == *"n0,r5         long = \"$value\""* ]]
	run ! grep -E '^.{80}' <(grep -v xxx <<<"$output")
}

@test "a guest's thousand nodes are shown, or a warning says how many are not" {
	does attach 5 --no-wait
	# shellcheck disable=SC2016 # the guest's shell expands it
	as 5 bash -c 'for i in {1..300}; do echo "device/mydevice/0/n$i" x; done |
		xargs xenstore-write'
	does show 5
	[[ ${#lines[@]} -gt 300 ]]
}

@test "a device that is not attached: exit 3" {
	refused 3 "show 5 mydevice/0: no such device" show 5
	refused 3 "show 5 mydevice/0: no such device" show 5 --json
	refused 3 "show 99 mydevice/0: no such device" show 99
}

@test "a device of another tool is shown, too" {
	xenstore-write /local/domain/5/device/vif/0/backend-id 0
	xenstore-write /local/domain/5/device/vif/0/backend /local/domain/0/backend/vif/5/0
	xenstore-write /local/domain/5/device/vif/0/state 4
	xenstore-write /local/domain/0/backend/vif/5/0/state 4
	does show 5 vif
	[[ $output == *"/local/domain/5/device/vif/0"*" state = "*"/local/domain/0/backend/vif/5/0"*" state = "* ]]
	does show 5 vif/0 --json
	json '.devices[0].origin == "foreign"'
}

@test "states have names, the time of the attach is a date, and a guest can't make lines" {
	does attach 5 --no-wait
	does show 5
	grep -qx 'n5,r0  *state = "1" (Initialising)' <<<"$output"
	grep -qx " *created=$(record created) ($(date -d "@$(record created)" '+%F %T'))" <<<"$output"
	for row in "4 Connected" "08 Reconfigured" "9 invalid" "x invalid" " invalid" \
		"4294967300 invalid" "99999999999999999999 invalid"; do
		as 5 xenstore-write device/mydevice/0/state "${row% *}"
		does show 5
		grep -qx "n5,r0  *state = \"${row% *}\" (${row##* })" <<<"$output"
	done
	as 5 xenstore-write device/mydevice/0/evil $'x\n  created=1'
	does show 5
	[[ $output == *'evil = "x\x0a  created=1"'* && $(grep -c created= <<<"$output") -eq 2 ]]
}

@test "a time that no calendar has stays a number" {
	does attach 5 --no-wait
	xenstore-write /xensplit/5/mydevice/0 "$(xenstore-read -R /xensplit/5/mydevice/0 |
		sed 's/^created=.*/created=99999999999999999/')"$'\n'
	does show 5
	grep -qx " *created=99999999999999999" <<<"$output"
	does list -o DEVICE,CREATED
	grep -qx "mydevice/0 -" <<<"$output"
}

@test "the column of permissions is as wide as they are, if they are not very long" {
	does attach 5 --no-wait
	xenstore-chmod /local/domain/5/device/mydevice/0/state n5 r0 r1 r2 r3
	does show 5
	[[ ${lines[0]} == "PERMISSIONS    NODE" ]]
	xenstore-chmod /local/domain/5/device/mydevice/0/state n5 r0 r1 r2 r3 r4 r6 r7 r8
	does show 5
	[[ ${lines[0]} == "PERMISSIONS NODE" ]]
	grep -qx 'n5,r0,r1,r2,r3,r4,r6,r7,r8   state = "1" (Initialising)' <<<"$output"
}
