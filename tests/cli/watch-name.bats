#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# watch by name: it follows the name to the next domain that has it.
# Expanded by eval; bats sets output, and each test runs in its own subshell:
# shellcheck disable=SC1003,SC2016,SC2030,SC2031,SC2154

load common
load watching

# count TEXT: how many lines have it
count()
{
	grep -cF -e "$1" "$out" || true
}

@test "the domain dies, and the next one of that name is watched" {
	does attach guest5 --no-wait
	watch guest5
	eventually has "mydevice/0 of domain 5: appeared Initialising/Initialising"
	"$SANDBOX" kill 5
	eventually has "no domain is called guest5"
	eventually has "mydevice/0 of domain 5: frontend domain gone"
	"$SANDBOX" create 7 --name guest5
	does attach guest5 --no-wait
	eventually has "guest5 is now domain 7"
	eventually has "mydevice/0 of domain 7: appeared Initialising/Initialising"
	kill -0 "$pid"
	[[ ! -s $err ]]
}

@test "a domid stays what it is" {
	does attach 5 --no-wait
	watch 5
	xenstore-write /local/domain/5/name other
	as 5 xenstore-write device/mydevice/0/state 3
	eventually has "mydevice/0 of domain 5: frontend Initialising -> Initialised"
	[[ $(count "other") -eq 0 && $(count "guest5") -eq 0 ]]
}

@test "a name that moves while the old domain lives; one device" {
	does attach 5 --no-wait
	does attach 6 --no-wait
	does attach 6 mydevice/1 --no-wait
	watch guest5 mydevice/0
	xenstore-write /local/domain/5/name guest5--migratedaway /local/domain/6/name guest5
	eventually has "guest5 is now domain 6"
	eventually has "mydevice/0 of domain 6: appeared Initialising/Initialising"
	as 5 xenstore-write device/mydevice/0/state 3
	as 6 xenstore-write device/mydevice/0/state 3
	eventually has "mydevice/0 of domain 6: frontend Initialising -> Initialised"
	[[ $(count "mydevice/1") -eq 0 && $(count "domain 5: frontend") -eq 0 ]]
}

@test "--json: events of the kind domain" {
	watch guest7 --wait-domain --json
	before=$EPOCHREALTIME
	"$SANDBOX" create 7
	eventually grep -q '"domid":7' "$out"
	"$SANDBOX" kill 7
	eventually eval '(($(count "\"domid\":null") == 2))'
	jq -es '.[1:] | map([.event, .domid, .domain]) ==
		[["domain",null,"guest7"],["domain",7,"guest7"],["domain",null,"guest7"]]' "$out"
	jq -es "map(.time // 0) | . == sort and .[2] > $before" "$out"
	jq -es '.[1:] | all(keys_unsorted == ["schema","event","time","domid","domain"] and .schema == 1)' "$out"
}

@test "--wait-domain: a name that no domain has yet; without it, exit 3" {
	fails 3 "watch guest7: no such domain: 'guest7'" watch guest7
	fails 2 "neither a domid nor a domain name" watch 7x
	watch 7x --wait-domain
	eventually has "no domain is called 7x"
	"$SANDBOX" create 7 --name 7x
	does attach 7x --no-wait
	eventually has "7x is now domain 7"
	eventually has "mydevice/0 of domain 7: appeared Initialising/Initialising"
	kill "$pid"
	watch guest5 --wait-domain
	does attach 5 --no-wait
	eventually has "mydevice/0 of domain 5: appeared Initialising/Initialising"
	[[ $(count called) -eq 0 && $(count "is now") -eq 0 ]]
	# A domid needs no waiting.
	kill "$pid"
	watch 9 --wait-domain
	"$SANDBOX" create 9
	does attach 9 --no-wait
	eventually has "mydevice/0 of domain 9: appeared Initialising/Initialising"
}

@test "--idle-timeout counts while it waits; events of domains do not count for --num-events" {
	tool watch guest7 --wait-domain --idle-timeout 0.4
	[[ $status -eq 6 && $output == *" no domain is called guest7" ]]
	is_error "watch guest7: nothing happened for 0.4 s"
	watch guest7 --wait-domain --num-events 1
	"$SANDBOX" create 7
	eventually has "guest7 is now domain 7"
	kill -0 "$pid"
	does attach 7 --no-wait
	wait "$pid"
	has "mydevice/0 of domain 7: appeared Initialising/Initialising"
}

@test "a name with strange bytes" {
	watch $'a\e"\\' --wait-domain
	eventually has 'no domain is called a\x1b"\\'
	kill "$pid"
	watch $'a\e"\\' --wait-domain --json
	eventually eval '(($(wc -l <"$out") == 2))'
	jq -es '.[1].domain == "a\\x1b\"\\\\"' "$out"
}

@test "requests while nothing happens: as many as for a domid" {
	for domain in 5 guest5; do
		run -6 --separate-stderr "$SANDBOX" proxy --count "$BATS_TEST_TMPDIR/count" -- \
			"$XENSPLIT" watch $domain --idle-timeout 4.5
		sed -n 's/^total \([0-9]*\)$/\1/p' "$BATS_TEST_TMPDIR/count" >"$out.$domain"
		cat "$BATS_TEST_TMPDIR/count"
	done
	# Three domains to compare, who may write the name, one watch more, and what is read when that fires.
	(($(<"$out.guest5") - $(<"$out.5") <= 18))
}

@test "SIGINT ends it quietly while it waits" {
	: >"$out"
	env --default-signal=INT "$XENSPLIT" watch late --wait-domain >"$out" 2>"$err" 3>&- &
	pid=$!
	eventually has "no domain is called late"
	kill -INT "$pid"
	status=0
	wait "$pid" || status=$?
	[[ $status -eq 130 && ! -s $err && $(wc -l <"$out") -eq 1 ]]
}

@test "xenstored dies while it waits: exit 1" {
	watch late --wait-domain
	"$SANDBOX" stop-daemon
	status=0
	wait "$pid" || status=$?
	[[ $status -eq 1 && $(grep -c ^xensplit: "$err") -eq 1 ]]
	grep "^xensplit: watch late: xenstored" "$err"
}
