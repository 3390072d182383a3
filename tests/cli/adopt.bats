#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2154 # bats sets stderr

load common

FE=/local/domain/5/device/mydevice/0
BE=/local/domain/0/backend/mydevice/5/0

@test "a script's device is adopted, connects, and is detached clean" {
	dump >"$BATS_TEST_TMPDIR/empty"
	activate
	does adopt 5
	[[ $output == "mydevice/0 of guest5 (domain 5) adopted" ]]
	drivers
	does wait 5
	does list --json
	json '.devices | length == 1 and .[0].origin == "xensplit" and .[0].frontend_state == "Connected"'
	json '.devices[0] | (.unique_id | length) == 32 and .keys == {"front":{},"back":{}}'
	does doctor 5
	[[ $output == "nothing is wrong" ]]
	does list
	[[ $output != *foreign* ]]
	does detach guest5
	caught_up
	run ! xenstore-exists "$FE"
	dump | diff "$BATS_TEST_TMPDIR/empty" -
}

# Its frontend could not write its state, and looks again.
@test "one that both drivers wait for connects, and is detached clean" {
	dump >"$BATS_TEST_TMPDIR/empty"
	drivers
	activate
	eventually xenstore-exists /local/domain/5/error/device/mydevice/0/error
	does adopt 5 mydevice
	does wait 5
	# what the driver wrote stays, since doctor --fix goes by it if it does not look again
	tool doctor 5 --json
	json '[.findings[] | [.severity, .code]] == [["warning", "frontend-error"]]'
	does detach 5
	caught_up
	dump | diff "$BATS_TEST_TMPDIR/empty" -
}

# Like Linux: a frontend that could not write its state never tries again.
@test "doctor --fix makes one again whose driver has failed" {
	activate
	does adopt 5
	first=$(record unique-id)
	xenstore-write /local/domain/5/error/device/mydevice/0/error "13 writing new state"
	xenstore-chmod "$FE/state" n0
	(
		while [[ $(record unique-id) == "$first" ]]; do sleep 0.1; done
		drivers
	) 3>&- &
	does doctor 5 mydevice --fix -t 20
	[[ ${lines[-1]} == "nothing is wrong" ]]
}

@test "one that is connected stays so" {
	drivers
	does attach 5
	xenstore-rm /xensplit
	does adopt guest5 mydevice/0
	does doctor 5
	[[ $output == "nothing is wrong" ]]
	caught_up
	is "$FE/state" 4
	is "$BE/state" 4
}

@test "it gets what an attach writes, and nothing else changes" {
	activate
	does adopt 5 -q
	[[ -z $output ]]
	dump | grep -v ^/xensplit >"$BATS_TEST_TMPDIR/adopted"
	xenstore-rm "$FE" "$BE" /xensplit
	does attach 5 --no-wait
	dump | grep -v ^/xensplit | sort | diff <(sort "$BATS_TEST_TMPDIR/adopted") -
}

@test "--dry-run prints the changes, and makes none" {
	activate
	dump >"$BATS_TEST_TMPDIR/before"
	does adopt 5 --dry-run
	[[ $output == *'write /xensplit/5/mydevice/0 = "schema=1'* ]]
	[[ $output == *"permissions $FE/state (n5,r0)"* ]]
	[[ $output == *"write $BE/online = \"1\" (n0,r5)"* ]]
	does adopt 5 -n --json
	json '[.changes[].path] | index("/xensplit/5/mydevice/0")'
	dump | diff "$BATS_TEST_TMPDIR/before" -
	refused 3 "no such device" adopt 5 mydevice/1 -n
}

@test "a device that is ours, or is not there" {
	does attach 5 --no-wait
	refused 5 "already attached (frontend Initialising, backend Initialising)" adopt 5
	run ! grep try: <<<"$stderr"
	refused 3 "adopt guest5 other/0: no such device" adopt guest5 other
	tries "xensplit list 5 --all"
	refused 3 "no such domain: 77" adopt 77
	refused 3 "no such domain: 'none'" adopt none
	xenstore-write /xensplit/5/mydevice/0 "$(xenstore-read -R /xensplit/5/mydevice/0)"$'\nphase=replace\n'
	refused 5 "was interrupted" adopt 5
	tries "xensplit doctor --fix 5 mydevice/0"
}

@test "a device that can't be trusted: exit 4, and doctor says more" {
	activate
	xenstore-chmod "$FE/backend" n5
	refused 4 "can't trust it: $FE/backend can be written by a guest" adopt 5
	tries "xensplit doctor 5 mydevice/0"
	tool doctor 5 mydevice
	[[ $output == *"--backend=DOMAIN --replace"* && $output != *"xensplit adopt"* ]]
	fails 3 "xensplit did not make it" detach 5
	tries "take it over first: xensplit attach 5 mydevice/0 --backend=DOMAIN --replace"
	xenstore-chmod "$FE/backend" n0 r5
	xenstore-write "$FE/backend-id" 6
	refused 4 "$FE/backend-id does not name the other half" adopt 5
	xenstore-rm "$BE"
	refused 3 "the device has no backend" adopt 5
	tries "xensplit doctor 5 mydevice/0"
}

@test "several domains claim it: --backend names the right one" {
	activate
	xenstore-write /local/domain/6/backend/mydevice/5/0/frontend "$FE" \
		/local/domain/6/backend/mydevice/5/0/state 1
	refused 4 "has more than one backend" adopt 5
	refused 4 "does not name the other half" adopt 5 -b guest6
	refused 3 "no such domain: 'none'" adopt 5 -b none
	does adopt 5 --backend=0
	does list --json
	json '.devices | length == 1 and .[0].backend_domid == 0'
}

@test "a type of libxl's, and a backend of another type" {
	activate /local/domain/5/device/9pfs/0 /local/domain/0/backend/xen_9pfs/5/0
	refused 2 "libxl manages devices of type" adopt 5 9pfs --backend-type xen_9pfs
	tries "add --reserved, if xl did not make it"
	refused 3 "no backend" adopt 5 9pfs --reserved
	does adopt 5 9pfs --backend-type xen_9pfs --reserved
	does list --json
	json '.devices[0] | [.type, .backend_type] == ["9pfs", "xen_9pfs"]'
}

@test "doctor and detach say how to take it over" {
	activate
	tool doctor 5 --json
	json '.findings[] | select(.code == "foreign") | .fix == "xensplit adopt 5 mydevice/0"'
	fails 3 "$FE exists, and xensplit did not make it" detach 5
	tries "take it over first: xensplit adopt 5 mydevice/0"
	[[ $stderr != *why:* ]]
	# shellcheck disable=SC2046 # words
	does $(jq -r '.findings[] | select(.code == "foreign") | .fix | ltrimstr("xensplit ")' <<<"$(
		"$XENSPLIT" doctor 5 --json
	)")
	does detach 5
}

@test "arguments that are wrong: exit 2" {
	activate
	refused 2 "the arguments are DOMAIN [TYPE[/DEVID]]" adopt
	refused 2 "the arguments are" adopt 5 mydevice more
	refused 2 "is not a device" adopt 5 mydevice/auto
	refused 2 "characters: Linux's xenbus ignores" adopt 5 mydevice/999999999
	refused 2 "'a/b' is not a device type" adopt 5 mydevice --backend-type a/b
	refused 2 "--backend" adopt 5 --backend
	refused 2 "--timeout" adopt 5 --timeout=1
}
