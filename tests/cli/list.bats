#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2154 # bats sets stderr

load common

headings="DOMID DOMAIN DEVICE BACKEND FRONTEND-STATE BACKEND-STATE STATUS"
more="TYPE DEVID ONLINE ORIGIN STALE DAMAGED PHASE LISTED CREATED UNIQUE-ID KEYS BACKEND-TYPE FRONTEND-PATH BACKEND-PATH"

# words: the tool's output, with single spaces
words()
{
	sed -E 's/ +/ /g; s/^ //; s/ $//' <<<"$output"
}

@test "no devices" {
	does list
	[[ -z $output ]]
	does list --json
	[[ $output == '{"schema":1,"devices":[]}' ]]
	does list 5 --json
	[[ $output == '{"schema":1,"devices":[]}' ]]
	does list --all
	[[ -z $output ]]
}

@test "one line per device, in order of domid, type and devid" {
	drivers
	does attach 6 mydevice/1 --no-wait
	does attach 5 mydevice/10 -b 6 --no-wait
	does attach 5 mydevice/2
	does attach 5 a-type/7 --no-wait
	does list
	diff - <(words) <<-END
		$headings
		5 guest5 a-type/7 0 Initialising Initialising -
		5 guest5 mydevice/2 0 Connected Connected -
		5 guest5 mydevice/10 6 $(state 5 10) Initialising -
		6 guest6 mydevice/1 0 Initialising $(xenstore-read /local/domain/0/backend/mydevice/6/1/state |
			sed 's/1/Initialising/; s/2/InitWait/') -
	END
	does list --noheadings
	[[ ${#lines[@]} -eq 4 && $output != *DOMID* ]]
}

# state DOMID DEVID: prints the state of a frontend
state()
{
	case $(store "/local/domain/$1/device/mydevice/$2/state") in
	1) echo Initialising ;;
	4) echo Connected ;;
	esac
}

@test "the devices of one domain, by domid or name" {
	does attach 5 --no-wait
	does attach 6 --no-wait
	for domain in 6 guest6; do
		does list "$domain" --noheadings
		[[ ${#lines[@]} -eq 1 && $(words) == "6 guest6 mydevice/0 0 "* ]]
		does list "$domain" --json
		json '[.devices[].domid] == [6]'
	done
	does list 0 --json
	json '.devices == []'
}

@test "an unknown domain: exit 3, not an empty list" {
	refused 3 "no such domain: 99" list 99
	refused 3 "no such domain: 99" list 99 --json
	refused 3 "no such domain: 'nobody'" list nobody
	refused 2 "empty" list ""
}

@test "JSON has every field of the contract, and so has the table" {
	drivers
	does attach 5
	does attach 5 mydevice/1
	does list --json
	json '.devices | length == 2 and all(keys_unsorted == ["domid", "domain", "type", "devid",
		"backend_domid", "frontend_state", "backend_state", "online", "origin", "stale",
		"backend_type", "frontend", "backend", "damaged", "phase", "listed", "created",
		"unique_id", "keys"])'
	json '.devices | all((.domid | type) == "number" and (.devid | type) == "number" and
		(.backend_domid | type) == "number" and (.online | type) == "boolean" and
		(.stale | type) == "boolean" and (.domain | type) == "string")'
	from_json=$(jq -r 'def flag: if . then "yes" else "no" end;
		.devices[] | [.domid, .domain, "\(.type)/\(.devid)", .backend_domid, .frontend_state,
		.backend_state, "-", .type, .devid, (.online | flag), .origin, (.stale | flag),
		(.damaged | flag), (.phase // "-"), (.listed // "-"), .unique_id, .backend_type, .frontend, .backend] | join(" ")' <<<"$output")
	columns="$headings ${more/ CREATED/}"
	columns=${columns/ KEYS/}
	does list --noheadings -o "${columns// /,}"
	diff <(echo "$from_json") <(words)
}

@test "-o takes columns in any order, and in lower case" {
	does attach 5 mydevice/3 --no-wait
	does list -o devid,Type,backend-path
	diff <(printf 'DEVID TYPE BACKEND-PATH\n3 mydevice /local/domain/0/backend/mydevice/5/3\n') <(words)
	does list --output=FRONTEND-PATH --noheadings
	[[ $output == /local/domain/5/device/mydevice/3 ]]
	does list -o devid,devid --noheadings
	[[ $(words) == "3 3" ]]
}

@test "-o +COLUMNS adds to the default columns" {
	does attach 5 --no-wait
	does list -o +phase,DEVID
	[[ $(words) == "$headings PHASE DEVID"$'\n'"5 guest5 mydevice/0 "*" - - 0" ]]
}

@test "--raw has a word for each cell, and single spaces" {
	"$SANDBOX" create 7 --name $' a\t\\x\e "'
	xenstore-write /local/domain/6/name ""
	does attach 7 --no-wait -F 'text=a b' -F other=1 -B more=2
	does attach 6 --no-wait
	does list -r -o DOMID,DOMAIN,KEYS
	diff - <(echo "$output") <<-'END'
		DOMID DOMAIN KEYS
		6 - -
		7 \x20a\x09\x5cx\x1b\x20" front:text=a\x20b\x20front:other=1\x20back:more=2
	END
	does list --raw -n -o DEVID,PHASE
	[[ $output == $'0 -\n0 -' ]]
}

@test "data of the record: creation time, unique id, keys" {
	before=$(date +%s)
	does attach 5 --no-wait -F ring-pages=4 -F $'x=a\xffb' -B mode=fast
	does attach 6 --no-wait
	does list -J
	json ".devices[0].created | . >= $before and . <= $(date +%s)"
	json ".devices[0].unique_id == \"$(record unique-id)\""
	json '.devices | map(.keys) == [{ front: { "ring-pages": "4", x: "a\\xffb" }, back: { mode: "fast" } },
		{ front: {}, back: {} }]'
	TZ=XXX-1 does list -n -o CREATED,UNIQUE-ID,KEYS 5
	[[ $output == *"+0100 $(record unique-id) front:ring-pages=4 front:x=a\xffb back:mode=fast" ]]
	[[ $(date -d "${output%% *}" +%s) -eq $(record created) ]]
}

@test "every column in the help exists" {
	does attach 5 --no-wait
	columns=$("$XENSPLIT" list --help | sed -n '/^Columns:/,/^$/p' | grep -oE '[A-Z]+[A-Z-]*[A-Z]' |
		sort -u)
	[[ $columns == "$(tr ' ' '\n' <<<"$headings $more" | sort)" ]]
	for column in $columns; do
		does list -o "$column"
		[[ ${lines[0]// /} == "$column" ]]
	done
}

@test "no column given by name is truncated if lines are short" {
	does attach 5 --no-wait
	run script -qec "stty cols 40; '$XENSPLIT' list -o DOMID,FRONTEND-PATH,BACKEND-PATH" /dev/null
	[[ $output == *"/local/domain/5/device/mydevice/0"*"/local/domain/0/backend/mydevice/5/0"* ]]
	COLUMNS=20 does list --noheadings -o FRONTEND-PATH
	[[ $output == "/local/domain/5/device/mydevice/0" ]]
}

@test "--all lists devices of other tools, too" {
	xenstore-write /local/domain/5/device/vif/0/backend-id 0
	xenstore-write /local/domain/5/device/vif/0/backend /local/domain/0/backend/vif/5/0
	xenstore-write /local/domain/5/device/vif/0/state 4
	xenstore-write /local/domain/0/backend/vif/5/0/frontend-id 5
	xenstore-write /local/domain/0/backend/vif/5/0/state 2
	does attach 5 --no-wait
	does list --json
	json '[.devices[].type] == ["mydevice"]'
	does list --all --json
	json '[.devices[] | [.type, .origin]] == [["mydevice", "xensplit"], ["vif", "foreign"]]'
	json '.devices[1] | .created == null and .unique_id == null and .keys == null'
	json '.devices[1] | .frontend_state == "Connected" and .backend_state == "InitWait" and
		.backend == "/local/domain/0/backend/vif/5/0" and .online == false and .stale == false'
	does list 6 --all --json
	json '.devices == []'
	does list --all --noheadings
	[[ ${#lines[@]} -eq 2 && ${lines[0]} == *" -" && ${lines[1]} == *" foreign" ]]
}

@test "half a device, and one whose domain is gone, are listed (pitfalls 8, 22)" {
	does attach 5 --no-wait
	does attach 6 mydevice/1 --no-wait
	xenstore-rm /local/domain/0/backend/mydevice/5/0
	"$SANDBOX" kill 6
	does list --json
	json '.devices[0] | .domid == 5 and .frontend_state == "Initialising" and .backend_state == null and
		.stale == false and .backend == "/local/domain/0/backend/mydevice/5/0"'
	json '.devices[1] | .domid == 6 and .domain == null and .frontend_state == null and .stale == true'
	does list --noheadings
	words | grep -x "5 guest5 mydevice/0 0 Initialising absent -"
	words | grep -x "6 - mydevice/1 0 absent Initialising stale"
	does list 6 --json
	json '.devices | length == 1'
}

@test "an invalid state (pitfall 17)" {
	count=0
	for garbage in 9 -1 4x ' 4' 0x4 '4\x00' '\x1b[2J' '' "$(printf '1%.0s' {1..2000})"; do
		does attach 5 "mydevice/$count" --no-wait
		as 5 xenstore-write -- "device/mydevice/$count/state" "$garbage"
		((++count))
	done
	drive front 5 other --garbage '4\x004'
	does attach 5 other --no-wait
	other() { dump | grep -F '/local/domain/5/device/other/0/state = "4\000'; }
	eventually other
	does list --json
	json ".devices | length == $count + 1 and all(.frontend_state == \"invalid\")"
	does list --noheadings -o FRONTEND-STATE
	[[ $(sort -u <<<"$output") == invalid ]]
}

@test "a domain's name is escaped, in the table and in JSON (pitfall 17)" {
	"$SANDBOX" create 7 --name $'a\e[31m\\b\xff\xc3\xa9 "c"'
	does attach 7 --no-wait
	[[ $output == 'mydevice/0 attached to a\x1b[31m\\b\xff\xc3\xa9 "c" (domain 7)'* ]]
	does list -o DOMAIN --noheadings
	[[ $output == 'a\x1b[31m\\b\xff\xc3\xa9 "c"' ]]
	does list --json
	[[ $(jq -r '.devices[0].domain' <<<"$output") == 'a\x1b[31m\\b\xff\xc3\xa9 "c"' ]]
}

@test "a record that can't be parsed, or of a device that is being replaced, is listed" {
	does attach 5 --no-wait
	does attach 5 mydevice/1 --no-wait
	xenstore-write /xensplit/5/mydevice/0 nonsense
	xenstore-write /xensplit/5/mydevice/1 "$(xenstore-read -R /xensplit/5/mydevice/1)"$'\nphase=replace\n'
	does list --json
	json '.devices | length == 2'
	json '.devices[0] | .damaged and .phase == null and .keys == null and .backend_domid == 0 and .frontend_state == "Initialising"'
	json '.devices[1] | .damaged == false and .phase == "replace"'
	does list --noheadings -o DEVID,DAMAGED,PHASE
	[[ $(words) == $'0 yes -\n1 no replace' ]]
	does list --noheadings -o DEVICE,STATUS
	[[ $(words) == $'mydevice/0 damaged\nmydevice/1 partial' ]]
}

@test "requests: 10 for the first device, 4 for each further one of its domain and type" {
	for id in 0 1 2 3; do
		does attach 5 mydevice/$id --no-wait
		"$SANDBOX" proxy --count "$BATS_TEST_TMPDIR/count" -- "$XENSPLIT" list
		[[ $(sed -n 's/^total \([0-9]*\)$/\1/p' "$BATS_TEST_TMPDIR/count") -le $((10 + 4 * id)) ]]
	done
}

@test "options may come before the verb and after the domain" {
	does attach 5 --no-wait
	does list 5 --json
	json '.devices | length == 1'
	want=$output
	for args in "--json list 5" "list --json 5" "--json -v list 5 -q"; do
		# shellcheck disable=SC2086 # words
		does $args
		[[ $output == "$want" ]]
	done
}

@test "a guest has no permission to list: exit 4 and a message" {
	does attach 5 --no-wait
	for args in list "show 5" "detach 5" "wait 5" "attach 5 mydevice/1" reap; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr as 5 "$XENSPLIT" $args
		echo "$args: $status $stderr"
		[[ $status -eq 4 && -z $output && $stderr == "xensplit: "*"permission"* ]]
	done
}

@test "a full disk is an error" {
	does attach 5 --no-wait
	for args in "list" "list --json" "show 5" "attach 5 mydevice/1 --no-wait"; do
		# shellcheck disable=SC2086,SC2016 # words, and what the shell expands
		run --separate-stderr bash -c '"$0" "$@" >/dev/full' "$XENSPLIT" $args
		[[ $status -eq 1 && $stderr == "xensplit: "*": can't write to stdout" ]]
	done
}

@test "devices of other tools are mentioned where they may be missed" {
	xenstore-write /local/domain/5/device/vif/0/state 1
	does list
	xenstore-write /local/domain/5/device/mydevice/0/state 1 /local/domain/6/device/mydevice/0/state 1
	tool list
	[[ $status -eq 0 && $stderr == *"note: xensplit did not make 2 more devices: see --all" ]]
	tool list 6
	[[ $stderr == *"note: xensplit did not make 1 more device: see --all" ]]
	for args in "--all" "--json" "-q" "--raw"; do
		does list "$args"
	done
	# not in a script that lists what it has attached
	does attach 5 other --no-wait
	does list
	run script -qec "'$XENSPLIT' list" /dev/null
	[[ $output == *"did not make 2 more devices"* ]]
}
