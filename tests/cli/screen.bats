#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# On a terminal of 80 columns each line fits, with domain names of 16 characters. Output to a pipe is
# complete and as wide as necessary.

# shellcheck disable=SC2154 # what run sets
load common

setup()
{
	sandbox_start
	"$SANDBOX" create 1234 --name database-prod-01
}

# screen ARGUMENT...: sets $output to what a terminal of 80 columns shows, without colours, and
# $colored with them
screen()
{
	run timeout 30 script -qec "stty cols 80; $(printf '%q ' "$XENSPLIT" "$@")" /dev/null
	colored=${output//$'\r'/}
	output=$(sed -E 's/\x1b\[[0-9]*m//g' <<<"$colored")
	printf '$ xensplit %s\n%s\n[%s]\n' "$*" "$output" "$status"
}

# fits: no line is longer
fits()
{
	[[ -n $output && $(wc -L <<<"$output") -le 80 ]]
}

# overflows: on a pipe there is a longer line, so that something had to be made to fit
overflows()
{
	does "$@" || [[ -z $stderr ]]
	[[ $(wc -L <<<"$output") -gt 80 ]]
}

# A device with each status that list knows.
devices()
{
	drive back 0 mydevice
	drive front 1234 mydevice
	does attach 1234
	does attach 1234 mydevice/10
	does attach 5 --no-wait
	does attach 6 --no-wait
	does attach 1234 mydevice/2
	xenstore-write /xensplit/5/mydevice/0 nonsense
	"$SANDBOX" kill 6
	xenstore-write /local/domain/1234/device/mydevice/11/backend-id 0
	xenstore-write /local/domain/1234/device/mydevice/11/state 7
	xenstore-write /local/domain/0/backend/mydevice/1234/11/frontend-id 1234
	xenstore-write /local/domain/0/backend/mydevice/1234/11/state 7
	xenstore-write /xensplit/1234/mydevice/2 \
		"$(xenstore-read -R /xensplit/1234/mydevice/2)"$'\nphase=replace\n'
}

@test "list: each status, the longest states" {
	devices
	screen list --all
	fits
	for status in damaged stale partial foreign -; do
		grep -q " $status\$" <<<"$output"
	done
	grep -q " database-prod-01 mydevice/11 .* Reconfiguring  Reconfiguring " <<<"$output"
	does list --all --noheadings
	[[ $(wc -l <<<"$output") -eq 6 ]]
}

@test "list: a longer domain name is wrapped, on a terminal only" {
	name=database-prod-01.of.somebody.else
	"$SANDBOX" create 1235 --name $name
	does attach 1235 --no-wait
	overflows list
	[[ $output == *" $name "* ]]
	screen list
	fits
	[[ $(awk 'NR > 1 { printf "%s", /^ +[0-9]/ ? $2 : $1 }' <<<"$output") == "$name" ]]
}

@test "list and doctor: colours on a terminal, like watch" {
	devices
	screen list
	[[ $colored == *$'\e[32mConnected'* && $colored == *$'\e[31mdamaged\e[0m'* ]]
	[[ $colored == *$'\e[33mstale\e[0m'* && $colored == *$'\e[33mpartial\e[0m'* ]]
	screen doctor
	[[ $colored == *$': \e[31merror\e[0m: '* ]]
	xenstore-write /local/domain/0/backend/mydevice/1234/0/online ""
	xenstore-rm /local/domain/0/backend/mydevice/1234/0/online
	screen doctor 1234 mydevice
	[[ $colored == *$': \e[33mwarning\e[0m: '* ]]
	for verb in list doctor "watch --num-events 2" show\ 1234; do
		# shellcheck disable=SC2086 # words
		NO_COLOR=1 screen $verb
		[[ $output == *mydevice/0* && $colored != *$'\e'* ]]
		# shellcheck disable=SC2086
		TERM=dumb screen $verb
		[[ $output == *mydevice/0* && $colored != *$'\e'* ]]
		# shellcheck disable=SC2086
		tool $verb
		[[ $output == *mydevice/0* && $output != *$'\e'* ]]
	done
}

@test "show: long values are truncated, with a mark" {
	long=$(printf 'x%.0s' {1..100})
	does attach 1234 -F "long=$long" --no-wait
	overflows show 1234
	[[ $output == *"long = \"$long\""* ]]
	screen show 1234
	fits
	[[ $(grep -c 'xxx\.\.\.$' <<<"$output") -eq 2 && $(grep -c '\.\.\.$' <<<"$output") -eq 2 ]]
	grep -q 'state = "1" (Initialising)$' <<<"$output"
}

@test "watch: the longest events, and a driver's error is truncated" {
	does attach 1234 --no-wait
	"$XENSPLIT" watch --num-events 1 | grep "mydevice/0 of domain 1234: appeared Initialising/Initialising"
	as 1234 xenstore-write device/mydevice/0/state 7
	xenstore-write /local/domain/0/backend/mydevice/1234/0/state 7
	as 1234 xenstore-write error/device/mydevice/0/error "$(printf 'y%.0s' {1..2000})"
	overflows watch 1234 mydevice --num-events 2
	screen watch 1234 mydevice --num-events 2
	fits
	grep -q ': appeared Reconfiguring/Reconfiguring$' <<<"$output"
	grep -q ': frontend error: "yyy*\.\.\.$' <<<"$output"
}

@test "doctor: lines are broken between words" {
	devices
	overflows doctor
	whole=$(tr -s ' ' '\n' <<<"$output")
	screen doctor
	fits
	[[ $(tr -s ' \n' '\n' <<<"$output") == "$whole" ]]
	grep -q "^         [^ ]" <<<"$output"
}
