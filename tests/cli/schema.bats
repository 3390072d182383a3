#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2154 # bats sets stderr
# The output of each verb with --json is exactly what data/xensplit.schema.json describes.

load common

schema=$BATS_TEST_DIRNAME/../../data/xensplit.schema.json

# prints STATUS VERB ARGUMENT...: prints JSON, for valid() to check
prints()
{
	local want=$1

	shift
	tool "$@" --json
	[[ $status -eq $want && -n $output ]] || return 1
	printf '%s\t%s\n' "$1" "$output" >>"$BATS_TEST_TMPDIR/printed"
}

valid()
{
	"$BATS_TEST_DIRNAME/json-valid" "$schema" <"$BATS_TEST_TMPDIR/printed"
}

# invalid JQ-FILTER...: the last output, changed by each of them, is not valid
invalid()
{
	local verb text filter

	IFS=$'\t' read -r verb text < <(tail -n 1 "$BATS_TEST_TMPDIR/printed")
	for filter; do
		printf '%s\t' "$verb"
		jq -c "$filter" <<<"$text"
	done >"$BATS_TEST_TMPDIR/changed"
	run -1 "$BATS_TEST_DIRNAME/json-valid" "$schema" <"$BATS_TEST_TMPDIR/changed"
	echo "$output"
	[[ $(grep -c "^$verb: " <<<"$output") -eq $# ]]
}

@test "every verb has its definition" {
	for verb in $("$XENSPLIT" --list-verbs); do
		jq -e --arg verb "$verb" '."$defs"[$verb] and
			(.anyOf | any(."$ref" == "#/$defs/" + $verb))' "$schema"
	done
}

@test "attach, list, show, wait and detach" {
	drivers
	prints 0 list
	prints 0 attach 5 -n -F key=value
	prints 0 attach 5 mydevice/auto -F ring-pages=4 -F $'x=a\e\xff' -B mode=fast
	prints 0 attach 6 mydevice/1 --no-wait -b 5
	prints 0 attach 5 --replace -n
	prints 0 attach 6 mydevice/1 --no-wait -b 5 --ensure
	invalid 'del(.changed)' '.changed = 1'
	prints 5 attach 6 mydevice/1 --ensure
	prints 0 attach 6 mydevice/1 --no-wait -b 5 --ensure -n
	prints 0 list
	prints 0 list 5 --all
	prints 0 show 5
	prints 0 wait 5
	prints 0 detach 5 -n
	prints 0 detach 5
	prints 0 wait 5 --until gone
	prints 0 detach 5 --all
	valid
}

@test "devices that are foreign, half, damaged, stale or being replaced" {
	does attach 5 --no-wait
	does attach 5 mydevice/1 --no-wait
	does attach 5 mydevice/2 --no-wait
	does attach 6 --no-wait
	xenstore-write /xensplit/5/mydevice/0 nonsense
	xenstore-write /xensplit/5/mydevice/1 \
		"$(xenstore-read -R /xensplit/5/mydevice/1)"$'\nphase=replace\n'
	xenstore-rm /local/domain/0/backend/mydevice/5/2
	xenstore-write /local/domain/5/device/mydevice/2/state nonsense
	xenstore-write /local/domain/5/device/vif/0/state 4
	"$SANDBOX" kill 6
	prints 0 list --all
	json '.devices | length == 5'
	prints 0 show 5 vif/0
	valid
}

@test "a verb that fails" {
	drive back 0 mydevice
	prints 6 attach 5 -t 0.1
	prints 6 wait 5 -t 0.1
	for args in "list 77" "attach 77" "attach 5" "detach 5 other" "show 6" "wait 6 -t 0" \
		"watch nobody" "doctor 77" "reap nobody" "detach 77 --all" "show 5 a b" "list -o x"; do
		# shellcheck disable=SC2086 # words
		tool $args --json
		[[ $status -ne 0 && ${#lines[@]} -eq 1 ]] && json '.error.code'
		printf '%s\t%s\n' "${args%% *}" "$output" >>"$BATS_TEST_TMPDIR/printed"
	done
	valid
}

@test "an error has the fields it needs, and no others" {
	printf 'attach\t%s\n' '{"schema":1,"devices":[],"error":{"code":"not-connected",
		"message":"not connected after 10.0 s","device":{"domid":5,"type":"mydevice","devid":0},
		"states":{"frontend":"Initialising","backend":null},"try":"in guest5: modprobe"}}' |
		tr -d '\n' >"$BATS_TEST_TMPDIR/printed"
	echo >>"$BATS_TEST_TMPDIR/printed"
	valid
	invalid '.error.code = "Not connected"' '.error.more = 1' 'del(.error.try)' \
		'.error.states.frontend = "absent"'
}

@test "adopt" {
	drivers
	does attach 5 -F a=b
	xenstore-rm /xensplit
	prints 0 adopt 5 -n
	json '.changes[-1].path == "/xensplit/5/mydevice/0"'
	prints 0 adopt 5
	json '.devices[0].unique_id'
	prints 5 adopt 5
	json '.error.code == "already-attached" and .error.try == null'
	prints 3 adopt 5 mydevice/1
	invalid '.new = 1' '.devices = {}'
	does attach 6 --no-wait
	xenstore-rm /xensplit/6
	xenstore-chmod /local/domain/6/device/mydevice/0/backend n6
	prints 4 adopt 6
	json '.error.code == "not-repairable" and .error.try == "xensplit doctor 6 mydevice/0"'
	valid
}

@test "apply" {
	drivers
	cd "$BATS_TEST_TMPDIR"
	does attach 5 mydevice/1 -F mode=slow
	printf '%s\n' 'name = "guest5"; xensplit = [ "mydevice/auto",' '"mydevice/1,front.mode=fast",' \
		'"mydevice/2,backend=guest9" ]' >g.cfg
	prints 5 apply g.cfg -n
	json '.devices[0].devid == null and .devices[2].backend_domid == null'
	prints 5 apply g.cfg
	json '[.devices[].error.code] == [null, "differs", "no-such-domain"]'
	invalid '.new = 1' '.devices[0].new = 1' '.devices[0].error = "no"' '.devices[0].line = 0' \
		'.devices[1].error.new = 1' '.devices[0].action = "do"'
	echo 'name = "guest5"; xensplit = [ "mydevice/1,front.mode=fast" ]' >g.cfg
	prints 0 apply g.cfg --replace --prune -n
	prints 0 apply g.cfg --replace --prune
	json '[.devices[] | .action, .frontend_state] == ["renew", "Connected", "detach", null]'
	invalid 'del(.changed)' 'del(.devices)'
	echo 'xensplit = []' >g.cfg
	prints 0 apply g.cfg --domain 5
	prints 2 apply g.cfg
	prints 2 apply none.cfg
	prints 3 apply g.cfg --domain 9
	prints 2 apply g.cfg -t 0
	valid
}

@test "doctor and reap" {
	prints 0 doctor
	does attach 5 --no-wait
	xenstore-chmod /local/domain/5/device/mydevice/0 n0
	prints 1 doctor
	prints 0 doctor --fix -n
	json '.changes[0].op == "permissions"'
	does attach 6 --no-wait
	"$SANDBOX" kill 6
	prints 0 reap -n
	json '.changes[0].op == "remove"'
	prints 0 reap
	json '.devices[0].removed'
	prints 0 reap
	valid
}

@test "watch, each event" {
	does attach 5 mydevice/1 --no-wait
	"$XENSPLIT" watch --json --banner >"$BATS_TEST_TMPDIR/events" 2>/dev/null 3>&- &
	pid=$!
	eventually grep -q appeared "$BATS_TEST_TMPDIR/events"
	as 5 xenstore-write error/device/mydevice/1/error $'a\e\xff'
	drivers
	does attach 5 mydevice/2
	does detach 5 mydevice/2
	does attach 6 --no-wait
	"$SANDBOX" kill 6
	eventually grep -q domain-gone "$BATS_TEST_TMPDIR/events"
	kill "$pid"
	wait "$pid" || [[ $? -eq 143 ]]
	tool watch nobody --wait-domain --json --idle-timeout 0.1
	head -1 <<<"$output" >>"$BATS_TEST_TMPDIR/events"
	sed "s/^/watch\t/" "$BATS_TEST_TMPDIR/events" >"$BATS_TEST_TMPDIR/printed"
	for event in armed appeared state error vanished domain-gone domain; do
		grep -F "\"event\":\"$event\"" "$BATS_TEST_TMPDIR/events"
	done
	valid
}

@test "an unknown or missing member is noticed" {
	does attach 5 --no-wait -F a=b
	prints 0 list
	invalid '.new = 1' '.devices[0].new = 1' '.devices[0].keys.new = {}' '.schema = 2' \
		'.devices[0].keys.front.a = 1' 'del(.devices[0].created)' 'del(.devices)' \
		'.devices[0].backend_state = "absent"' '.nodes = []' '.devices = {}'
	prints 1 doctor
	invalid '.findings[0].new = 1'
	prints 0 show 5
	invalid '.nodes[0].new = 1'
	: >"$BATS_TEST_TMPDIR/printed"
	run ! valid
}
