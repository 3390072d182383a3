#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later

load common

FE=/local/domain/5/device/mydevice/0
BE=/local/domain/0/backend/mydevice/5/0

# Doctor finds an error; the first finding has this code.
finds()
{
	tool doctor "${@:2}" --json
	[[ $status -eq 1 && -z $stderr ]] && json ".findings[0].code == \"$1\""
}

# first FIELD: prints a field of the first finding
first()
{
	jq -r ".findings[0].$1" <<<"$output"
}

# the last output has no byte that a terminal would interpret
is_plain()
{
	! LC_ALL=C grep -q '[^ -~]' <<<"$output$stderr"
}

@test "the first finding is the cause, for each of the faults" {
	run --separate-stderr "$BATS_TEST_DIRNAME/doctor-table"
	echo "$output"
	sed -E 's/ +\|/ |/' <<<"$output" | diff - <(sed 's/^\t*//' <<-'END'
		made by activate.sh's seven commands | frontend-permissions
		made by the later script (r0 b5, r5 b0), Connected | other-end-may-write
		bus id of 20 characters, made by hand | bus-id-too-long
		frontend's directory without a state | frontend-missing
		backend's directory without a state | backend-missing
		Connected, but without online | online-missing
		made by the guest alone, its device/ guest-owned as XAPI has it | backend-missing
		made by hand for a driver domain, device/ guest-owned as XAPI has it | frontend-permissions
		backend's directory unreadable for the guest | backend-permissions
		frontend's directory unreadable for a driver domain | frontend-permissions
		frontend's state unwritable for the guest | frontend-permissions
		backend's state unwritable for its driver domain | backend-permissions
		Connected, but readable for every domain | open-to-all
		backend's driver not loaded, frontend's is | no-backend-driver
		frontend's driver not loaded, backend's is | no-frontend-driver
		neither driver loaded | no-backend-driver
		frontend stuck in Initialising | no-frontend-driver
		frontend stuck in Unknown | frontend-unknown
		frontend stuck in InitWait | both-wait
		frontend stuck in Initialised, the backend waits on | backend-does-not-answer
		frontend stuck in Connected while the backend closes | frontend-does-not-close
		frontend stuck in Closing | closing
		frontend's driver unloaded | closed
		backend stuck in InitWait | backend-does-not-answer
		backend stuck in Initialised | backend-does-not-answer
		backend stuck in Connected, the frontend's driver unloaded | frontend-closed
		backend stuck in Closing | backend-closing
		backend's driver unloaded, the frontend's does not notice | backend-closed
		frontend's driver failed, its error node has escape sequences | frontend-error
		backend's driver failed | backend-error
		frontend's state is no number | frontend-state-invalid
		frontend's state has NULs in it | frontend-state-invalid
		frontend's state has 2 KB | frontend-state-invalid
		backend's state is no number, in a driver domain | backend-state-invalid
		guest rewrote where its backend is, in a device made by hand | frontend-pointer
		backend's frontend is another device | backend-pointer
		guest removed its half | frontend-missing
		guest removed its half and made one of its own | frontend-pointer
		backend's directory removed by hand | backend-missing
		guest died, its toolstack has not cleaned up | leftover
		driver domain died | leftover
		guest died, its device made by activate.sh | leftover
		guest died, another one got its domid | stale
		its record was overwritten | record-damaged
		a driver domain claims it, too, made by hand | several-backends
		a driver domain claims it, made by hand for dom0 | frontend-pointer
		backend's driver wrote an error and went on | backend-error
		backend's driver wrote an error and went on, the guest has no driver | no-frontend-driver
	END
	)
}

@test "a device that is connected: nothing is wrong" {
	drivers
	does attach 5
	for target in "5 mydevice/0" 5 ""; do
		# shellcheck disable=SC2086
		does doctor $target
		[[ $output == "nothing is wrong" ]]
		# shellcheck disable=SC2086
		does doctor $target --json
		[[ $output == '{"schema":1,"findings":[]}' ]]
	done
	does doctor 5 -q
	[[ -z $output ]]
}

# requests ARGUMENT...: prints the number of requests; the command must succeed
requests()
{
	"$SANDBOX" proxy --count "$BATS_TEST_TMPDIR/count" -- "$XENSPLIT" "$@" >/dev/null
	sed -n 's/^total \([0-9]*\)$/\1/p' "$BATS_TEST_TMPDIR/count"
}

@test "each node is read once: 12 requests for a device, fewer for each further one" {
	drivers
	does attach 5
	[[ $(requests doctor 5 mydevice) -le 12 ]]
	one=$(requests doctor 5)
	for id in 1 2 3 4; do
		does attach 5 mydevice/$id
	done
	five=$(requests doctor 5)
	echo "$one, then $five"
	((five - one <= 4 * 8))
	# all nodes, if it is not connected
	for id in 1 2 3 4; do
		does attach 6 mydevice/$id --no-wait
	done
	five=$(requests doctor 6 || true)
	does detach 6 mydevice/1
	four=$(requests doctor 6 || true)
	echo "$five, $four"
	((five - four <= 12))
}

@test "an empty host and a domain without devices are healthy" {
	does doctor
	[[ $output == "nothing is wrong" ]]
	does doctor guest6
}

@test "a finding in JSON has every field" {
	activate
	finds frontend-permissions 5 mydevice
	[[ $(jq -c '.findings[0] | keys_unsorted' <<<"$output") == \
		'["severity","code","domid","type","devid","backend_domid","what","why","fix","repairable"]' ]]
	json '.findings[0] == {severity: "error", code: "frontend-permissions", domid: 5,
		type: "mydevice", devid: 0, backend_domid: 0, repairable: true,
		what: "/local/domain/5/device/mydevice/0/state is (n0,r5): domain 5 may not write it",
		why: "its driver fails with \"13 writing new state\" and stops",
		fix: "xensplit doctor --fix 5 mydevice/0"}'
	json '[.findings[].severity] | unique == ["error", "note", "warning"]'
	json '[.findings[].code] == ["frontend-permissions", "open-to-all", "no-backend-driver", "online-missing", "foreign"]'
}

@test "a finding as text has the device, its severity, and the same words" {
	activate
	xenstore-rm "$FE/backend"
	finds frontend-pointer 5 mydevice
	what=$(first what) why=$(first why) fix=$(first fix)
	tool doctor 5 mydevice
	[[ $status -eq 1 && -z $stderr ]]
	[[ ${lines[0]} == "mydevice/0 of domain 5: error: $what [frontend-pointer]" ]]
	[[ ${lines[1]} == "    why: $why" && ${lines[2]} == "    fix: $fix" ]]
	tool doctor 5 mydevice -q
	[[ $status -eq 1 && -z $output ]]
}

@test "findings for a domain and for the host name their devices, libxl's own are skipped" {
	activate
	does attach 6 other/3 --no-wait
	xenstore-write /local/domain/5/device/vif/0/state 1 /local/domain/0/backend/vif/5/0/state 1
	tool doctor --json
	[[ $status -eq 1 ]]
	json '[.findings[] | "\(.domid) \(.type)/\(.devid)"] | unique == ["5 mydevice/0", "6 other/3"]'
	tool doctor 6 --json
	json '[.findings[] | "\(.domid) \(.type)/\(.devid)"] | unique == ["6 other/3"]'
	# no one else removes devices of a domain that is gone
	xenstore-write /local/domain/0/backend/vif/77/0/state 6
	finds leftover 77 vif/0
	[[ $(first fix) == "xenstore-rm /local/domain/0/backend/vif/77/0" ]]
	tool doctor --json
	json '[.findings[] | select(.code == "leftover") | .domid] == [77]'
}

@test "half a device of a domain that is gone: the command names what exists" {
	xenstore-write /local/domain/77/device/mydevice/0/state 1
	finds leftover 77 mydevice
	[[ $(first fix) == "xenstore-rm /local/domain/77/device/mydevice/0" ]]
}

@test "exit status: 3 no such domain or device, 2 wrong usage" {
	activate
	refused 3 "no such domain: 77" doctor 77
	refused 3 "doctor 77 mydevice/0: no such device" doctor 77 mydevice
	refused 3 "no such domain: 'none'" doctor none
	refused 3 "doctor 5 mydevice/1: no such device" doctor 5 mydevice/1
	refused 3 "doctor 5 mydevice/1: no such device" doctor 5 mydevice/1 --fix
	refused 2 "--dry-run needs --fix" doctor 5 --dry-run
	refused 2 "is not a device" doctor 5 mydevice/x
	refused 2 "doctor: the arguments are [DOMAIN [TYPE[/DEVID]]]" doctor 5 mydevice more
	refused 2 "--timeout" doctor 5 --fix --timeout=-1
	refused 2 "frobnicate" doctor --frobnicate
}

@test "--fix on what activate.sh made, both drivers waiting: Connected" {
	drivers
	sleep 0.2
	activate
	eventually is "$BE/state" 2
	tool doctor 5 mydevice
	[[ $status -eq 1 ]]
	does doctor 5 mydevice --fix
	[[ ${lines[-1]} == "nothing is wrong" ]]
	is "$FE/state" 4
	is "$BE/state" 4
	does doctor 5 mydevice
}

@test "--fix makes a driver try again whose write was refused" {
	does attach 5 --no-wait
	xenstore-chmod "$FE/state" n0 r5
	drivers
	eventually xenstore-exists /local/domain/5/error/device/mydevice/0/error
	does doctor 5 --fix
	[[ ${lines[-1]} == "nothing is wrong" ]]
	is "$FE/state" 4
}

# Like Linux: a frontend that could not write its state never tries again.
@test "--fix remakes a device with a record whose driver has failed, with its keys" {
	does attach 5 --no-wait -F mode=fast
	first=$(record unique-id)
	xenstore-write /local/domain/5/error/device/mydevice/0/error "13 writing new state"
	xenstore-chmod "$FE/state" n0
	(
		while [[ $(record unique-id) == "$first" ]]; do sleep 0.1; done
		drivers
	) 3>&- &
	does doctor 5 mydevice --fix -t 20
	[[ ${lines[-1]} == "nothing is wrong" ]]
	is "$FE/state" 4
	is "$FE/mode" fast
}

@test "--fix never remakes a foreign device" {
	activate
	xenstore-write /local/domain/5/error/device/mydevice/0/error "13 writing new state"
	xenstore-write "$FE/ring-ref" 8
	drive back 0 mydevice
	eventually is "$BE/state" 2
	tool doctor 5 mydevice --fix -t 0.5
	[[ $status -eq 1 && $output == *"--replace"* ]]
	does list --all --json
	json '.devices[0].origin == "foreign"'
	is "$FE/ring-ref" 8
}

@test "--fix sets the guest's permissions as an attach does, and no others" {
	activate
	tool doctor 5 --fix -t 0
	dump | grep -E '^/local/domain/(5/device|0/backend)/mydevice/' | sort >"$BATS_TEST_TMPDIR/repaired"
	xenstore-rm "$FE"
	xenstore-rm "$BE"
	does attach 5 --no-wait
	dump | grep -E '^/local/domain/(5/device|0/backend)/mydevice/' | sort |
		diff "$BATS_TEST_TMPDIR/repaired" -
	# even for a foreign key
	xenstore-write "$BE/secret" s "$FE/ring" 8
	xenstore-chmod "$BE/secret" n0 b5
	xenstore-chmod "$BE" n0 b5
	finds other-end-may-write 5
	tool doctor 5 --fix -t 0
	run ! as 5 xenstore-write "$BE/secret" mine
	run ! as 5 xenstore-write "$BE/new" mine
	run ! as 5 xenstore-write "$BE/state" 4
	run ! as 5 xenstore-write device/mydevice/0/backend /local/domain/0/backend/vbd/6/0
	run ! as 6 xenstore-read "$FE/state"
	run ! as 6 xenstore-read "$BE/state"
}

@test "--fix repairs each permission, also of a foreign device" {
	does attach 5 --no-wait
	for damage in "chmod $FE n0" "chmod $FE/state n0 r5" "chmod $BE n0" "chmod $BE/state b0" \
		"chmod $BE/state n0 b5" "chmod $FE/state r5 r0" "rm $BE/online"; do
		# shellcheck disable=SC2086
		xenstore-$damage
		tool doctor 5 --json
		[[ $(jq '.findings | length' <<<"$output") -ge 2 ]]
		json '.findings[] | select(.repairable) | .fix == "xensplit doctor --fix 5 mydevice/0"'
		tool doctor 5 --fix -t 0
		finds no-backend-driver 5
		json '.findings | length == 1'
	done
}

@test "--fix --dry-run writes nothing, and prints exactly what --fix then does" {
	activate
	dump >"$BATS_TEST_TMPDIR/before"
	does doctor 5 --fix --dry-run
	dump | diff "$BATS_TEST_TMPDIR/before" -
	dry=$output
	[[ $dry == *"permissions $FE/state (n5,r0)"* && $dry == *"write $BE/online = \"1\" (n0,r5)"* ]]
	does doctor 5 --fix -n --json
	dump | diff "$BATS_TEST_TMPDIR/before" -
	json '.schema == 1 and ([.changes[].op] | unique == ["permissions", "write"])'
	json "[.changes[].path] | index(\"$BE/online\") != null"
	count=$(jq '.changes | length' <<<"$output")
	((count == $(wc -l <<<"$dry")))

	tool doctor 5 --fix -t 0
	[[ ${output:0:${#dry}} == "$dry" ]]
	# each change as printed, and no others
	dump | diff "$BATS_TEST_TMPDIR/before" - | sed -n 's/^> //p' | sort >"$BATS_TEST_TMPDIR/changed"
	sed -E 's/^(permissions|write) ([^ ]+).*(\(.*\))$/\2 \3/' <<<"$dry" | sort -u >"$BATS_TEST_TMPDIR/told"
	sed -E 's/^([^ ]+) = ".*" +(\(.*\))$/\1 \2/' "$BATS_TEST_TMPDIR/changed" |
		diff "$BATS_TEST_TMPDIR/told" -
}

@test "--fix on a healthy device, or one that it can't repair, changes nothing" {
	drivers
	does attach 5
	dump >"$BATS_TEST_TMPDIR/before"
	does doctor 5 --fix
	[[ $output == "nothing is wrong" ]]
	does doctor --fix --dry-run
	[[ -z $output ]]
	does doctor --fix -n --json
	[[ $output == '{"schema":1,"changes":[]}' ]]
	dump | diff "$BATS_TEST_TMPDIR/before" -

	"$SANDBOX" kill 5
	driver_noticed() { [[ $(store "$BE/state") == 6 ]]; }
	eventually driver_noticed
	"$SANDBOX" create 5 --name other
	dump >"$BATS_TEST_TMPDIR/before"
	tool doctor --fix -t 0
	[[ $status -eq 1 && $output == *"[stale]"* ]]
	dump | diff "$BATS_TEST_TMPDIR/before" -
}

@test "the command of a finding fixes it: half a device, a redirected one" {
	drivers
	does attach 5
	for damage in "rm $FE/state" "rm $BE" "write $BE/frontend /elsewhere" "rm $FE"; do
		# shellcheck disable=SC2086
		xenstore-$damage
		tool doctor 5 mydevice --json
		[[ $status -eq 1 ]]
		fix=$(first fix)
		[[ $fix == "xensplit "* ]]
		# shellcheck disable=SC2086
		does ${fix#xensplit }
		does doctor 5
	done
}

@test "the command of a finding fixes it: leftovers, with a record and without" {
	activate
	does attach 5 mydevice/1 --no-wait
	"$SANDBOX" kill 5
	finds leftover
	# a device made by a script, then one by xensplit
	fix=$(jq -r '.findings[] | select(.devid == 0) | .fix' <<<"$output")
	[[ $fix == "xenstore-rm $BE" ]]
	$fix
	fix=$(jq -r '.findings[] | select(.devid == 1) | .fix' <<<"$output")
	# shellcheck disable=SC2086
	does ${fix#xensplit }
	does doctor
	[[ $output == "nothing is wrong" ]]
}

@test "the command of a finding fixes it: a guest that does not close" {
	drive back 0 mydevice
	drive front 5 mydevice --never-close
	does attach 5
	xenstore-write "$BE/state" 5
	finds frontend-does-not-close 5
	[[ $(first fix) == "xensplit detach 5 mydevice/0 --force" ]]
	tool detach 5 mydevice/0 --force -t 0.1
	[[ $status -eq 0 ]]
}

@test "the command of a finding fixes it: a script's device that does not close" {
	activate
	tool doctor 5 --fix -t 0
	xenstore-write "$FE/state" 5 "$BE/state" 5
	finds closing 5
	fix=$(first fix)
	drivers
	# shellcheck disable=SC2086
	does ${fix#xensplit } --no-wait
	does wait 5
	does doctor 5
}

@test "a guest that floods: doctor and --fix end within seconds" {
	drive back 0 mydevice
	drive front 5 mydevice --flood 1000000000
	does attach 5 --no-wait
	eventually is "$FE/state" 3
	for args in "5" "" "5 mydevice --fix -t 1"; do
		start=$SECONDS
		# shellcheck disable=SC2086
		tool doctor $args
		[[ $status -eq 1 ]]
		((SECONDS - start < 15))
	done
	xenstore-rm "$BE/online"
	start=$SECONDS
	tool doctor 5 --fix -t 5
	((SECONDS - start < 20))
	xenstore-exists "$BE/online"
}

@test "bytes that a guest wrote are escaped" {
	drive back 0 mydevice
	drive front 5 mydevice --error $'\e]0;title\a\e[2J\r\xff\xc3\xa9\\'
	does attach 5 --no-wait
	eventually xenstore-exists /local/domain/5/error/device/mydevice/0/error
	finds frontend-error 5
	is_plain
	json '.findings[0].what | contains("\\x1b]0;title\\x07\\x1b[2J\\x0d\\xff\\xc3\\xa9\\\\")'
	tool doctor 5
	is_plain
	[[ $output == *'\x1b]0;title\x07'* ]]

	as 5 xenstore-write device/mydevice/0/state $'4\e[31m\n'
	finds frontend-state-invalid 5 || finds frontend-error 5
	is_plain
	activate
	xenstore-rm "$FE"
	as 5 xenstore-write error/device/mydevice/0/error "$(printf 'x%.0s' {1..2000})"
	tool doctor 5
	is_plain
	((${#output} < 4000))
}

@test "--fix does nothing for a driver domain that claims another's device" {
	activate
	claim=/local/domain/6/backend/mydevice/5/0
	xenstore-write "$claim/frontend" "$FE" "$claim/frontend-id" 5 "$claim/state" 1
	xenstore-chmod -r "$claim" n6
	for claims in "0 and 6" 6; do
		dump >"$BATS_TEST_TMPDIR/before"
		tool doctor 5 mydevice --json
		json '.findings | length > 1 and all(.repairable == false)'
		json 'all(.findings[].fix // ""; test("doctor --fix|--backend=[0-9]") | not)'
		tool doctor --fix -t 0
		[[ $status -eq 1 ]]
		dump | diff "$BATS_TEST_TMPDIR/before" -
		echo "$claims"
		[[ $claims == 6 ]] || xenstore-rm "$BE"
	done
}

@test "attach and wait report, at their deadline, the cause that doctor finds first" {
	activate
	tool doctor 5 mydevice --json
	why=$(first why)
	tool wait 5 mydevice -t 0.1
	[[ $status -eq 6 && $stderr == *"$why"*"  try: xensplit doctor --fix 5 mydevice/0" ]]
	drive back 0 mydevice
	tool attach 5 mydevice/1 -t 0.5
	[[ $status -eq 6 ]]
	[[ $stderr == *"  try: in domain 5: modprobe xen:mydevice"* ]]
}

@test "the manual lists every code of a finding, and no others" {
	cd "$BATS_TEST_DIRNAME/../.."
	diff <(sed -n '/^[.]Ss Errors/,/^[.]Sh/s/^[.]It \([a-z-]*\) Ta .*/\1/p' man/xensplit-doctor.8 | sort -u) \
		<(cat lib/checks*.c lib/kernel.c | tr '\n' ' ' | tr -s ' \t' ' ' |
			grep -oE '((ERROR|WARNING), |XENSPLIT_DOMAIN_[A-Z]+, |\{ [-0-9ANY]+, [-0-9ANY]+, |"(front|back)end", |wanted, )"[a-z]+(-[a-z]+)*"|[?:] "[a-z]+(-[a-z]+)+"' |
			grep -oE '[a-z-]+"$' | tr -d '"' | sort -u)
}

@test "a device of another tool that works gets a note on how to take it over" {
	drivers
	does attach 5 --no-wait
	does wait 5
	xenstore-rm /xensplit
	tool doctor 5 mydevice
	[[ $status -eq 0 && $output == *"note: there is no /xensplit/5/mydevice/0 [foreign]"* ]]
	[[ $output == *"fix: xensplit adopt 5 mydevice/0"*"nothing is wrong" ]]
	does adopt 5 mydevice/0
	tool doctor 5 mydevice
	[[ $status -eq 0 && $output == "nothing is wrong" ]]
}

@test "a device that another tool replaces meanwhile" {
	local counts=$BATS_TEST_TMPDIR/counts number

	# the halves are gone, and the new ones not there yet
	does attach 5 --no-wait
	"$SANDBOX" proxy --count "$counts" -- "$XENSPLIT" -q attach 5 --replace --no-wait
	number=$(awk '$2 == "TRANSACTION_END" && ++n == 2 { print $1 + 1 }' "$counts")
	"$SANDBOX" proxy --count "$counts" -- "$XENSPLIT" doctor 5 mydevice/0 || [[ $? -eq 1 ]]
	run -1 "$SANDBOX" proxy --run-at "$(awk '$2 == "GET_PERMS" { print $1; exit }' "$counts")" \
		--run "'$SANDBOX' proxy --kill-at $number -- '$XENSPLIT' attach 5 --replace --no-wait" -- \
		"$XENSPLIT" doctor 5 mydevice/0
	[[ $output == *"[interrupted]"* ]]
}
