#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later

# Expanded by eval, and each test runs in its own subshell:
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load common
load watching

FE=/local/domain/5/device/mydevice/0
BE=/local/domain/0/backend/mydevice/5/0

# ends STATUS: the watch ends soon, with this status
ends()
{
	local status=0

	eventually eval '! kill -0 "$pid" 2>/dev/null'
	wait "$pid" || status=$?
	[[ $status -eq $1 ]]
}

# events FILTER: runs jq on all JSON lines as an array
events()
{
	jq -es "$1" "$out"
}

# $out has no byte that a terminal would interpret.
is_plain()
{
	! LC_ALL=C grep -q '[^ -~]' "$out"
}

# peak memory of $pid in kilobytes
memory()
{
	awk '/VmHWM/ { print $2 }' "/proc/$pid/status"
}

# With a sanitizer, freed memory counts, too.
memory_counts()
{
	! grep -q libasan "/proc/$pid/maps"
}

# Detaches a device slowly, so that each of its states is seen; $1 is the backend's domain.
detach_slowly()
{
	local backend=/local/domain/${1:-0}/backend/mydevice/5/0

	xenstore-write "$backend/online" 0 "$backend/state" 5
	eventually eval "[[ \$(store $backend/state) == 6 ]]"
	sleep 0.2
	does detach 5
	# A driver that has not seen it go takes the next device for the same one.
	caught_up
}

# Slow drivers, so that each state is seen.
slow_drivers()
{
	drive front 5 mydevice --delay 150
	drive back 0 mydevice --delay 150
}

is_state()
{
	[[ $(store "$FE/state") == "$1" && $(store "$BE/state") == "$1" ]]
}

activate()
{
	xenstore-write "$FE/backend-id" 0 "$FE/backend" "$BE" "$BE/frontend-id" 5 "$BE/frontend" "$FE"
	xenstore-chmod -r "$FE" n5 r0
	xenstore-chmod -r "$BE" n0 r5
	xenstore-write "$FE/state" 1 "$BE/state" 1
}

@test "the life of a device, one line per change" {
	slow_drivers
	watch 5 mydevice
	does attach 5
	detach_slowly
	eventually has "mydevice/0 of domain 5: vanished"
	head -1 "$out" | grep -qx watching
	[[ $(sed 1d "$out" | grep -cE '^([01][0-9]|2[0-3])(:[0-5][0-9]){2}\.[0-9]{3} mydevice/0 of domain 5: ') -eq 8 ]]
	diff - <(told) <<-'END'
		mydevice/0 of domain 5: appeared Initialising/Initialising
		mydevice/0 of domain 5: backend  Initialising -> InitWait
		mydevice/0 of domain 5: frontend Initialising -> Connected
		mydevice/0 of domain 5: backend  InitWait -> Connected
		mydevice/0 of domain 5: backend  Connected -> Closing
		mydevice/0 of domain 5: frontend Connected -> Closed
		mydevice/0 of domain 5: backend  Closing -> Closed
		mydevice/0 of domain 5: vanished
	END
}

@test "--json: one object per line, each with every field" {
	slow_drivers
	before=$EPOCHREALTIME
	watch --json
	[[ $(cat "$out") == '{"schema":1,"event":"armed"}' ]]
	does attach 5
	detach_slowly
	eventually grep -q vanished "$out"
	sed -i 1d "$out"
	events 'length == 8 and all(.schema == 1)'
	events 'map(keys_unsorted) | unique == [["schema","event","time","domid","type","devid",
		"backend_domid","end","from","to","frontend_state","backend_state","text","missed","unique_id"]]'
	events 'all(.domid == 5 and .type == "mydevice" and .devid == 0 and .backend_domid == 0)'
	events 'map(.event) == ["appeared","state","state","state","state","state","state","vanished"]'
	events '.[0] | .frontend_state == "Initialising" and .backend_state == "Initialising"'
	events 'map([.end, .from, .to]) == [[null,null,null],
		["backend","Initialising","InitWait"], ["frontend","Initialising","Connected"],
		["backend","InitWait","Connected"], ["backend","Connected","Closing"],
		["frontend","Connected","Closed"], ["backend","Closing","Closed"], [null,null,null]]'
	events 'all(.missed == 0 and .text == null)'
	events 'map(.unique_id) | unique | length == 1 and (.[0] | test("^[0-9a-f]{32}$"))'
	events '.[1:] | all(.frontend_state == null and .backend_state == null)'
	events "map(.time) | . == sort and .[0] > $before and .[-1] < $EPOCHREALTIME"
}

@test "existing devices come first, and --num-events ends it" {
	does attach 5 mydevice/1 --no-wait
	does attach 5 mydevice/2 --no-wait
	does watch --num-events 2
	[[ ${#lines[@]} -eq 2 && ${lines[1]} == *"mydevice/2 of domain 5: appeared Initialising/Initialising" ]]
	does watch --num-events=1 --json
	json '.event == "appeared" and .devid == 1'
	[[ ${#lines[@]} -eq 1 ]]
	does watch 5 mydevice/2 --num-events 1
	[[ $output == *"mydevice/2 of domain 5: appeared"* ]]
}

# Fails, too, if an event came so late that it could not.
events_keep_it_alive()
{
	local last=${EPOCHREALTIME/./} late=0 count=0 start now

	watch --idle-timeout "$1"
	start=${EPOCHREALTIME/./}
	while ((last - start < $1 * 1200000)); do
		sleep "$(($1 / 4)).$(($1 % 4 * 25))"
		does attach 5 "mydevice/$((++id))" --no-wait
		((++count))
		now=${EPOCHREALTIME/./}
		((now - last < $1 * 900000)) || late=1
		last=$now
	done
	kill -0 "$pid" && ends 6 && [[ $late -eq 0 && $(told | wc -l) -ge $count ]]
}

@test "--idle-timeout: exit 6 and one line, and each event restarts it" {
	start=$EPOCHREALTIME
	fails 6 "watch: nothing happened for 0.4 s" watch --idle-timeout 0.4
	awk -v now="$EPOCHREALTIME" -v start="$start" \
		'BEGIN { exit !(now - start >= 0.4 && now - start < 10) }'
	# On a machine that is too slow between two events, begin again with more time.
	kept=no
	for seconds in 2 6 18; do
		[[ $kept == yes ]] || ! events_keep_it_alive $seconds || kept=yes
	done
	[[ $kept == yes ]]
}

@test "the reader of a pipe gets each line at once" {
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	"$XENSPLIT" watch >"$BATS_TEST_TMPDIR/pipe" 2>"$err" 3>&- &
	pid=$!
	exec 4<"$BATS_TEST_TMPDIR/pipe"
	for id in 1 2; do
		does attach 5 "mydevice/$id" --no-wait
		read -r -t 2 -u 4 line
		[[ $line == *"mydevice/$id of domain 5: appeared"* ]]
	done
	kill -0 "$pid"
}

@test "no message if the reader closes the pipe" {
	does attach 5 mydevice/1 --no-wait
	"$XENSPLIT" watch 2>"$err" 3>&- | head -1 >"$out" &
	eventually has "mydevice/1 of domain 5: appeared Initialising/Initialising"
	does attach 5 mydevice/2 --no-wait
	does attach 5 mydevice/3 --no-wait
	wait $!
	[[ ! -s $err ]]
}

@test "a full disk ends it" {
	does attach 5 --no-wait
	# The last is about what it prints before it waits for a first device.
	for args in -q --banner "--banner 6"; do
		# shellcheck disable=SC2016 # what the shell expands
		run -1 --separate-stderr timeout 30 bash -c '"$0" watch $1 >/dev/full' "$XENSPLIT" "$args"
		[[ ${stderr_lines[0]} == "xensplit: watch"*": No space left on device" ]]
	done
}

@test "colours on a terminal, unless NO_COLOR is set; none on a pipe" {
	drivers
	does attach 5
	command="'$XENSPLIT' watch 5 mydevice --num-events 1"
	run script -qec "$command" /dev/null
	[[ $status -eq 0 && $output == *$'appeared \e[32mConnected\e[0m/\e[32mConnected\e[0m'* ]]
	NO_COLOR='' run script -qec "$command" /dev/null
	[[ $output == *$'\e[32m'* ]]
	NO_COLOR=1 run script -qec "$command" /dev/null
	[[ $output == *"appeared Connected/Connected"* && $output != *$'\e'* ]]
	does watch 5 mydevice --num-events 1
	[[ $output != *$'\e'* ]]
	run script -qec "$command --json" /dev/null
	[[ $output == *'"frontend_state":"Connected"'* && $output != *$'\e'* ]]
	# A device without drivers, which would answer.
	does attach 5 quiet --no-wait
	command="'$XENSPLIT' watch 5 quiet --num-events 1"
	as 5 xenstore-write device/quiet/0/state 6
	run script -qec "$command" /dev/null
	[[ $output == *$'appeared \e[33mClosed\e[0m/'* ]]
	as 5 xenstore-write device/quiet/0/state junk
	run script -qec "$command" /dev/null
	[[ $output == *$'appeared \e[31minvalid\e[0m/'* ]]
}

@test "SIGINT and SIGTERM end it, quietly, with whole lines" {
	for signal in INT TERM; do
		# by default, background jobs of a shell ignore SIGINT
		env --default-signal=INT "$XENSPLIT" watch --banner >"$out" 2>"$err" 3>&- &
		pid=$!
		eventually grep -q watching "$out"
		does attach 5 --no-wait
		eventually has "mydevice/0 of domain 5: appeared Initialising/Initialising"
		does detach 5
		kill -"$signal" "$pid"
		ends $((128 + $(kill -l $signal)))
		[[ ! -s $err && $(tail -c 1 "$out") == "" ]]
	done
}

@test "an error node is an event, its text escaped" {
	drive back 0 mydevice
	watch --json
	drive front 5 mydevice --error $'\e[2Jno ring\n'
	does attach 5 --no-wait
	eventually grep -q '"error"' "$out"
	events 'map(select(.event == "error")) | length > 0 and all(.end == "frontend" and .domid == 5
		and .type == "mydevice" and .text == "\\x1b[2Jno ring\\x0a")'
	is_plain
	kill "$pid"
	# as text, for an existing error node
	watch 5 mydevice
	eventually has 'mydevice/0 of domain 5: frontend error: "\x1b[2Jno ring\x0a"'
	is_plain
	kill "$pid"
	watch 5 mydevice
	as 5 xenstore-write error/device/mydevice/0/error "$(printf 'y%.0s' {1..2000})"
	eventually grep -q yyyy "$out"
	is_plain
}

@test "invalid states, and back" {
	does attach 5 --no-wait
	watch 5 mydevice
	for value in $'4\e[2J' "" "$(printf '4%.0s' {1..2000})"; do
		as 5 xenstore-write device/mydevice/0/state "$value"
		eventually has "mydevice/0 of domain 5: frontend Initialising -> invalid"
		as 5 xenstore-write device/mydevice/0/state 1
		eventually has "mydevice/0 of domain 5: frontend invalid -> Initialising"
		is_plain
		: >"$out"
	done
}

@test "a domain that dies" {
	drivers
	does attach 5 --backend 0
	does attach 5 mydevice/1 --backend 6 --no-wait
	watch --json
	"$SANDBOX" kill 6 --crash
	eventually grep -q domain-gone "$out"
	"$SANDBOX" kill 5
	eventually eval '(($(grep -c domain-gone "$out") == 3))'
	events 'map(select(.event == "domain-gone") | [.devid, .end]) | sort == [[0,"frontend"],[1,"backend"],[1,"frontend"]]'
	does reap
	eventually eval '(($(grep -c vanished "$out") == 2))'
}

@test "xenstored dies: watch notices within seconds and says so" {
	watch
	start=$SECONDS
	"$SANDBOX" stop-daemon
	ends 1
	((SECONDS - start <= 10))
	[[ $(cat "$err") == "xensplit: watch: "* && $(grep -c ^xensplit: "$err") -eq 1 ]]
}

@test "no xenstored, or no permission to watch: one line" {
	XENSTORED_PATH=/nonexistent fails 1 "watch: can't connect to XenStore at /nonexistent" watch
	XENSTORED_PATH=$XENSPLIT_SANDBOX/dom5.sock fails 4 "watch" watch
	fails 2 "--num-events" watch --num-events=-1
	fails 2 "--idle-timeout" watch --idle-timeout x
	fails 3 "no such domain: 'none'" watch none
	fails 2 "is not a device" watch 5 /3
}

@test "a guest that changes its state 10,000 times a second: the last state, a resync, little memory" {
	drive back 0 mydevice
	does attach 5 --no-wait
	watch 5 mydevice --json
	drive front 5 mydevice --flood 6000
	eventually grep -q flooded "$BATS_TEST_TMPDIR/drive-front-5"
	does wait 5 --timeout 25
	eventually eval 'tail -n 3 "$out" | grep -q "\"Connected\""'
	sleep 0.3
	sed -i 1d "$out"
	events 'map(select(.event == "resync")) | length > 0'
	# xenstored itself drops some
	events '((map(.missed) | add) + (map(select(.event == "state" and .end == "frontend")) | length)) as $n |
		$n > 2000 and $n <= 6010'
	events '(map(select(.event == "state" and .end == "frontend")) | last | .to) == "Connected"'
	events '(map(select(.event == "state" and .end == "backend")) | last | .to) == "Connected"'
	# each line continues from the one before
	events 'map(select(.event == "state" and .end == "frontend")) as $s |
		[range(1; $s | length) | $s[.].from == $s[. - 1].to] | all'
	! memory_counts || (($(memory) < 20000))
}

@test "memory does not grow while the reader is stopped" {
	drive back 0 mydevice
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	"$XENSPLIT" watch 5 mydevice --json >"$BATS_TEST_TMPDIR/pipe" 2>"$err" 3>&- &
	pid=$!
	exec 4<"$BATS_TEST_TMPDIR/pipe"
	does attach 5 --no-wait
	read -r -t 2 -u 4 line
	memory_counts || skip "memory can't be measured with a sanitizer"
	before=$(memory)
	drive front 5 mydevice --flood 12000
	eventually grep -q flooded "$BATS_TEST_TMPDIR/drive-front-5"
	eventually is_state 4
	printf '%d kB, then %d\n' "$before" "$(memory)"
	(($(memory) - before < 4500))
	kill -0 "$pid"
	timeout 2 cat <&4 >"$out" || true
	events 'map(.missed) | add > 1500'
	events '(map(select(.event == "state" and .end == "frontend")) | last | .to) == "Connected"'
}

@test "two ends change at the same time: a resync only if a change is missing" {
	drivers
	watch --json
	for ((n = 0; n < 30; n++)); do
		does attach 5 "mydevice/$n" -q
		# A device that is gone before watch has run again has no event.
		eventually grep -q "\"appeared\".*\"devid\":$n," "$out"
		does detach 5 "mydevice/$n" -q
	done
	eventually eval '(($(grep -c vanished "$out") == 30))'
	states=$(grep -c '"state"' "$out") resyncs=$(grep -c '"resync"' "$out") || true
	echo "$states of 180 changes, $resyncs resyncs"
	((resyncs <= 180 - states + 2))
}

@test "one device, one domain, or all: no other events" {
	does attach 5 mydevice/1 --no-wait
	does attach 5 mydevice/2 --no-wait
	does attach 5 other --no-wait
	does attach 6 mydevice/1 --no-wait
	for row in "5 mydevice/1 = 5/mydevice/1" "5 other = 5/other/0" \
		"5 = 5/mydevice/1 5/mydevice/2 5/other/0" "guest6 = 6/mydevice/1" \
		" = 5/mydevice/1 5/mydevice/2 5/other/0 6/mydevice/1"; do
		# shellcheck disable=SC2086
		watch ${row%=*} --json
		for id in 5/device/mydevice/1 5/device/mydevice/2 5/device/other/0 6/device/mydevice/1; do
			xenstore-write "/local/domain/$id/state" 6
		done
		sleep 0.3
		got=$(jq -r 'select(.event == "state") | "\(.domid)/\(.type)/\(.devid)"' "$out" | sort | xargs)
		echo "${row%=*}: $got"
		[[ $got == "${row#*= }" ]]
		kill "$pid"
		for id in 5/device/mydevice/1 5/device/mydevice/2 5/device/other/0 6/device/mydevice/1; do
			xenstore-write "/local/domain/$id/state" 1
		done
	done
}

@test "a device that a script made is followed if it is named" {
	slow_drivers
	watch --json
	all=$pid
	cp "$out" "$out.all"
	out=$out.one
	watch 5 mydevice
	activate
	eventually has "mydevice/0 of domain 5: backend  InitWait -> Connected"
	xenstore-rm "$FE"
	xenstore-rm "$BE"
	eventually has "mydevice/0 of domain 5: vanished"
	kill -0 "$all"
	out=${out%.one}
	[[ $(wc -l <"$out") -eq 1 ]]
}

@test "a device that is attached again with its backend in another domain" {
	slow_drivers
	drive back 6 mydevice --delay 150
	for who in "" "5 mydevice"; do
		# shellcheck disable=SC2086
		watch $who --json
		for backend in 6 0; do
			does attach 5 --backend $backend
			detach_slowly $backend
		done
		eventually eval '(($(grep -c vanished "$out") == 2))'
		sed -i 1d "$out"
		events 'map(select(.end == "backend") | [.backend_domid, .to]) == [
			[6,"InitWait"],[6,"Connected"],[6,"Closing"],[6,"Closed"],
			[0,"InitWait"],[0,"Connected"],[0,"Closing"],[0,"Closed"]]'
		kill "$pid"
	done
}
