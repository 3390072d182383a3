#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later

load common

@test "every node of record, frontend and backend, with owner and permissions" {
	does attach 5 mydevice/2 -F key=value -B 'other=two words' --no-wait
	does show 5 mydevice/2
	[[ ${lines[0]} =~ ^PATH\ +PERMISSIONS\ +VALUE$ ]]
	diff <(sed -nE '2,$s/^([^ ]+) +([^ ]+) *(.*)$/\1 = "\3"   (\2)/p' <<<"$output" | LC_ALL=C sort) \
		<(dump | grep -E '/mydevice/(5/)?2[/ ]' | sed 's/\\n/\\x0a/g' | LC_ALL=C sort)
}

@test "the default TYPE is mydevice/0" {
	does attach 5 --no-wait
	does show guest5
	[[ $output == *"/local/domain/5/device/mydevice/0/state "* ]]
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
	[[ ${#lines[@]} -eq $((count + 1)) ]]
}

@test "what a guest wrote is escaped, including NULs (pitfall 17)" {
	does attach 5 --no-wait
	as 5 xenstore-write device/mydevice/0/evil $'a\e[31m\\\\b\tc\r\n/local/domain/0 n0 1\xff"'
	want='a\x1b[31m\\b\x09c\x0d\x0a/local/domain/0 n0 1\xff"'
	does show 5
	[[ $output == *"/device/mydevice/0/evil "*" $want"* ]]
	run ! grep -P '[^\x20-\x7e]' <<<"$output"
	does show 5 --json
	[[ $(jq -r '.nodes[] | select(.path | endswith("/evil")).value' <<<"$output") == "$want" ]]

	drive front 5 other --garbage '4\x00\x07'
	does attach 5 other --no-wait
	nul() { "$XENSPLIT" show 5 other | grep -E 'device/other/0/state +n5,r0 +4\\x00\\x07$'; }
	eventually nul
}

@test "error nodes of both drivers are shown" {
	drive back 0 mydevice --error "out of rings"
	tool attach 5
	[[ $status -eq 1 ]]
	does show 5
	[[ $output == *"/local/domain/0/error/backend/mydevice/5/0/error "*"out of rings"* ]]
}

@test "a long value does not move the other columns" {
	value=$(printf 'x%.0s' {1..2048})
	does attach 5 -B "long=$value" --no-wait
	does show 5
	[[ $output == *"/long "*" n0,r5 "*" $value"* ]]
	run ! grep -E '^.{200}' <(grep -v xxx <<<"$output")
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
	refused 3 "mydevice/0 of domain 5" show 5
	refused 3 "mydevice/0 of domain 5" show 5 --json
	refused 3 "of domain 99" show 99
}

@test "a device of another tool is shown, too" {
	xenstore-write /local/domain/5/device/vif/0/backend-id 0
	xenstore-write /local/domain/5/device/vif/0/backend /local/domain/0/backend/vif/5/0
	xenstore-write /local/domain/5/device/vif/0/state 4
	xenstore-write /local/domain/0/backend/vif/5/0/state 4
	does show 5 vif
	[[ $output == *"/local/domain/5/device/vif/0/state "*"/local/domain/0/backend/vif/5/0/state "* ]]
	does show 5 vif/0 --json
	json '.devices[0].origin == "foreign"'
}
