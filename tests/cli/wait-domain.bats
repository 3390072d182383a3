#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# --wait-domain: attach, wait and watch of a domain that is not there yet.
# Expanded by eval; bats sets stderr, and each test runs in its own subshell:
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load common

setup()
{
	sandbox_start
	out=$BATS_TEST_TMPDIR/out err=$BATS_TEST_TMPDIR/err
}

# begins ARGUMENT...: starts the tool, as $pid, and returns when it waits for a domain
begins()
{
	: >"$err"
	"$XENSPLIT" "$@" -v >"$out" 2>"$err" 3>&- &
	pid=$!
	eventually grep -q "waiting for domain" "$err"
}

# ends STATUS
ends()
{
	local status=0

	wait "$pid" || status=$?
	cat "$out" "$err"
	[[ $status -eq $1 ]]
}

@test "attach by domid and by name, and the domain of the backend" {
	begins attach 7 --wait-domain --no-wait -t 60
	"$SANDBOX" create 7
	ends 0
	[[ $(<"$out") == "mydevice/0 attached to guest7 (domain 7), not waiting for the drivers" ]]
	begins attach guest8 --wait-domain -b driver -t 60
	"$SANDBOX" create 8
	eventually eval '(($(grep -c "waiting for domain" "$err") == 2))'
	run ! xenstore-exists /xensplit/8
	"$SANDBOX" create 9 --name driver
	drive back 9 mydevice
	drive front 8 mydevice
	ends 0
	[[ $(<"$out") == "mydevice/0 attached to guest8 (domain 8), connected after "* ]]
	is /local/domain/8/device/mydevice/0/backend-id 9
}

@test "a domain that gets its name later, as after a migration" {
	begins attach moved --wait-domain --no-wait -t 60
	xenstore-write /local/domain/6/name moved
	ends 0
	[[ $(<"$out") == "mydevice/0 attached to moved (domain 6)"* ]]
}

@test "one that is there already is not waited for" {
	tool attach guest5 --wait-domain --no-wait -v
	[[ $status -eq 0 && $stderr != *"waiting for domain"* ]]
	tool wait guest5 --wait-domain -t 0.1
	[[ $status -eq 6 && $stderr == *"not connected after "* ]]
	does attach guest6 --wait-domain -n
	[[ $output == *"write /xensplit/6/mydevice/0 "* ]]
}

@test "the domain does not come: exit 6, and nothing is written" {
	refused 6 "attach guest7: no such domain: 'guest7', after 0." attach guest7 --wait-domain -t 0.3
	tries "xl list"
	refused 6 "attach 7: no such domain: 7, after 0." attach 7 --wait-domain -t 0.3 --no-wait
	refused 6 "attach guest5: no such domain: 'driver', after 0." attach guest5 --wait-domain -b driver -t 0.3
	refused 6 "wait 7x: no such domain: '7x', after 0." wait 7x --wait-domain -t 0.3
	refused 6 "wait guest7: no such domain: 'guest7', after 0.0 s" wait guest7 --wait-domain -t 0
	fails 6 "no such domain" wait guest7 --wait-domain -t 0.1 --json
	json '.error.code == "domain-not-there" and .error.try == "xl list"'
}

@test "-t is for the whole command" {
	start=${EPOCHREALTIME/./}
	begins attach guest7 --wait-domain -t 4
	sleep 2
	"$SANDBOX" create 7
	ends 6
	took=$(((${EPOCHREALTIME/./} - start) / 1000))
	grep "not connected after [0-3]\.[0-9] s" "$err"
	((took >= 4000 && took < 14000))
}

@test "wait waits for the device of such a domain, too" {
	begins wait guest7 --wait-domain -t 60
	"$SANDBOX" create 7
	drive back 0 mydevice
	does attach 7 --no-wait
	drive front 7 mydevice
	ends 0
	[[ $(<"$out") == "mydevice/0 of guest7 (domain 7) is connected after "* ]]
	# Not if it is to be gone: it is.
	does wait guest5 --wait-domain --until gone
	xenstore-write /local/domain/5/error/device/mydevice/0/error "of an earlier device"
	refused 6 "wait guest5 mydevice/0: no such device, after " wait guest5 --wait-domain -t 0.3
	fails 6 "no such device" wait guest5 --wait-domain -t 0 --json
	json '.error.code == "device-not-there" and .error.device.domid == 5'
}

@test "bad input" {
	refused 2 "the name of the domain is empty" attach "" --wait-domain
	refused 3 "domids are below 32752" attach 32752 --wait-domain
	refused 3 "domids are below 32752" wait 99999999999999999999 --wait-domain
	xenstore-write /local/domain/6/name guest5
	refused 2 "2 domains have the name 'guest5'" attach guest5 --wait-domain
	refused 2 "2 domains have the name 'guest5'" watch guest5 --wait-domain
	refused 2 "--wait-domain needs a DOMAIN" watch --wait-domain
	fails 2 "unrecognized option '--wait-domain'" detach 5 --wait-domain
	refused 6 "no such domain: 'a\\x1b\\\\b', after" attach $'a\e\\b' --wait-domain -t 0.1
}

@test "progress on a terminal says what is waited for" {
	for row in "attach late=waiting for domain late" "wait late=waiting for domain late" \
		"wait 5=waiting for mydevice/0 of domain 5"; do
		# shellcheck disable=SC2086 # words
		run script -qec "stty cols 60; '$XENSPLIT' ${row%=*} --wait-domain -t 1.2" /dev/null
		printf '%q\n' "$output"
		tr '\r' '\n' <<<"$output" | grep -qxE "${row#*=}, [01] of 2 s"
		[[ $(grep -c "^xensplit: \|xensplit: ${row%% *}" <<<"$output") -eq 1 ]]
	done
}

@test "Ctrl-C ends it as usual, with nothing written" {
	for verb in attach wait "attach --rollback"; do
		: >"$err"
		# by default, background jobs of a shell ignore SIGINT
		# shellcheck disable=SC2086 # words
		env --default-signal=INT "$XENSPLIT" $verb late --wait-domain -v -t 60 >"$out" 2>"$err" 3>&- &
		pid=$!
		eventually grep -q "waiting for domain" "$err"
		kill -INT "$pid"
		ends 130
		[[ ! -s $out && $(wc -l <"$err") -eq 1 ]]
	done
	run ! xenstore-exists /xensplit
}

@test "xenstored stops answering, or dies, while it waits" {
	for verb in "attach late --no-wait" "attach late" "wait late"; do
		# shellcheck disable=SC2086 # words
		run -6 --separate-stderr "$SANDBOX" proxy --run-at 8 --run "'$SANDBOX' stop-daemon --freeze" -- \
			"$XENSPLIT" $verb --wait-domain -t 2
		echo "$stderr"
		[[ $stderr == "xensplit: ${verb%% *}: xenstored has not answered for "* ]]
		"$SANDBOX" stop-daemon --thaw
	done
	begins attach late --wait-domain -t 60
	"$SANDBOX" stop-daemon
	ends 1
	grep "^xensplit: attach late: xenstored" "$err"
}
