#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2154 # bats sets stderr

load common

setup()
{
	sandbox_start
	dump >"$BATS_TEST_TMPDIR/empty"
}

# The store is the same as before the first attach.
is_empty()
{
	dump | diff "$BATS_TEST_TMPDIR/empty" -
}

@test "detach closes both ends and leaves no node (pitfalls 11, 12)" {
	drivers
	does attach 5
	does detach 5
	[[ $output =~ ^mydevice/0\ detached\ from\ guest5\ \(domain\ 5\)\ after\ ([0-9]+\ ms|[0-9]+\.[0-9]\ s)$ ]]
	is_empty
	grep "front 5 mydevice/0: 4 -> 6" "$BATS_TEST_TMPDIR/drive-front-5"
	grep "back 0 mydevice/5/0: 4 -> 6" "$BATS_TEST_TMPDIR/drive-back-0"
	does attach 5
	does detach guest5 mydevice/0
	is_empty
}

@test "a device that is not attached: exit 3 and a message" {
	refused 3 "detach 5 mydevice/0: not attached" detach 5
	refused 3 "detach guest5 other/7: not attached" detach guest5 other/7
	refused 3 "detach 99 mydevice/0: not attached" detach 99
	does attach 5 --no-wait
	does detach 5
	refused 3 "not attached" detach 5
	refused 3 "not attached" detach 5 --force
	refused 3 "not attached" detach 5 -n
	refused 3 "not attached" detach 5 --json
}

@test "a device that no driver has claimed is not waited for" {
	does attach 5 --no-wait
	start=$SECONDS
	does detach 5 -t 20
	((SECONDS - start < 15))
	is_empty
}

@test "a driver that never closes: exit 6, nothing removed; --force removes it (pitfall 13)" {
	drive front 5 mydevice --never-close
	drive back 0 mydevice --never-close
	does attach 5
	fails 6 "detach 5 mydevice/0: not closed" detach 5 -t 0.3
	tries "xensplit detach 5 mydevice/0 --force"
	[[ $stderr == *" s (frontend Connected, backend Closing)"* ]]
	[[ $(store /local/domain/5/device/mydevice/0/state) == 4 ]]
	[[ $(store /local/domain/0/backend/mydevice/5/0/online) == 0 ]]
	[[ $(record backend-id) == 0 ]]
	start=${EPOCHREALTIME/./}
	tool detach 5 -t 0.3 --force
	[[ $status -eq 0 && $output == "mydevice/0 detached from guest5"* ]]
	[[ $stderr == "xensplit: warning: domain 5 mydevice/0: "*"removed anyway" ]]
	((${EPOCHREALTIME/./} - start >= 300000))
	is_empty
}

@test "--force -t 0 does not wait" {
	drive front 5 mydevice --never-close
	drive back 0 mydevice --never-close
	does attach 5
	does detach 5 --force -t 0 -q
	is_empty
}

@test "a backend that disappears during the wait has closed (pitfall 14)" {
	drive front 5 mydevice --never-close
	drive back 0 mydevice --never-close
	does attach 5
	offline() { [[ $(store /local/domain/0/backend/mydevice/5/0/online) == 0 ]]; }
	"$XENSPLIT" detach 5 -t 20 3>&- &
	pid=$!
	eventually offline
	xenstore-rm /local/domain/0/backend/mydevice/5/0
	wait "$pid"
	is_empty
}

@test "-n prints both phases and changes nothing" {
	drivers
	does attach 5
	dump >"$BATS_TEST_TMPDIR/before"
	does detach 5 -n
	[[ $output == *'write /local/domain/0/backend/mydevice/5/0/state = "5" (n0,r5)'* ]]
	[[ $output == *'write /local/domain/0/backend/mydevice/5/0/online = "0" (n0,r5)'* ]]
	[[ $output == *$'remove /local/domain/5/device/mydevice/0\n'* ]]
	[[ $output == *$'remove /xensplit/5/mydevice/0\n'* ]]
	count=${#lines[@]}
	does detach 5 --dry-run --json
	json ".schema == 1 and (.changes | length) == $count"
	dump | diff "$BATS_TEST_TMPDIR/before" -
}

@test "--json prints the device as it was before" {
	drivers
	does attach 5
	does detach 5 --json
	json '.schema == 1 and (.devices | length) == 1 and .devices[0].devid == 0
		and .devices[0].frontend_state == "Connected"'
	is_empty
	drive front 5 other --never-close
	drive back 0 other --never-close
	does attach 5 other
	tool detach 5 other -t 0.2 --json
	[[ $status -eq 6 ]]
	json '.devices == [] and .error.code == "not-closed"
		and .error.device == {domid: 5, type: "other", devid: 0}
		and .error.states == {frontend: "Connected", backend: "Closing"}
		and .error.try == "xensplit detach 5 other/0 --force"'
}

@test "--all detaches every device of the domain, and no others" {
	drivers
	drive front 6 mydevice
	for device in mydevice/0 mydevice/5 mydevice/11; do
		does attach 5 "$device"
	done
	does attach 5 other --no-wait
	does attach 6
	does detach --all 5
	# in the order in which they ended
	[[ $(cut -d" " -f1-6 <<<"$output" | sort -V) == "mydevice/0 detached from guest5 (domain 5)
mydevice/5 detached from guest5 (domain 5)
mydevice/11 detached from guest5 (domain 5)
other/0 detached from guest5 (domain 5)" ]]
	does list --noheadings -o DOMID,TYPE,DEVID
	[[ $(tr -s ' ' <<<"$output") =~ ^\ ?6\ mydevice\ 0$ ]]
	does detach --all 6
	is_empty
}

# took COMMAND...: prints milliseconds
took()
{
	local start=${EPOCHREALTIME/./}

	"$@" >/dev/null
	echo $(((${EPOCHREALTIME/./} - start) / 1000))
}

@test "--all closes all devices at the same time" {
	for type in a b c; do
		drive front 5 $type --delay 1500
		drive back 0 $type --delay 1500
		does attach 5 $type
	done
	all=$(took "$XENSPLIT" detach --all 5)
	is_empty
	# Each takes both delays, and three after each other 9000 ms.
	echo "three: $all ms"
	((all >= 3000 && all < 9000))
}

@test "--all has one deadline for all devices" {
	drive front 5 mydevice --never-close
	drive back 0 mydevice --never-close
	for i in 0 1 2; do
		does attach 5 mydevice/$i
	done
	all=$(took "$XENSPLIT" detach --all 5 -t 3 --force -q)
	((all >= 3000 && all < 9000))
	is_empty
}

@test "--all continues after a failure, and returns the status of the first" {
	drivers
	drive front 5 stubborn --never-close
	drive back 0 stubborn --never-close
	does attach 5 stubborn
	does attach 5 zzz --no-wait
	does attach 5
	tool detach 5 --all -t 0.3
	[[ $status -eq 6 ]] && is_error "stubborn/0: not closed"
	[[ $stderr == "xensplit: detach 5 stubborn/0: not closed"* ]]
	[[ ${#lines[@]} -eq 2 && $output == *mydevice/0* && $output == *zzz/0* ]]
	does list --json
	json '.devices | length == 1 and .[0].type == "stubborn"'
	tool detach 5 --all -t 0.1 --json
	[[ $status -eq 6 ]] && json '.devices == [] and .error.device.type == "stubborn"'
	does attach 5 again -b 6 --no-wait
	"$SANDBOX" kill 6
	tool detach 5 --all -t 0.1
	[[ $status -eq 5 && $(grep -c ^xensplit: <<<"$stderr") -eq 2 && -z $output ]]
}

@test "--all if there is nothing to do" {
	does detach --all 5
	[[ $output == "domain 5 has no device to detach" ]]
	does detach --all guest5 -q
	[[ -z $output ]]
	does detach --all 5 --json
	[[ $output == '{"schema":1,"devices":[]}' ]]
	does detach --all 5 -n --json
	[[ $output == '{"schema":1,"changes":[]}' ]]
	refused 3 "no such domain: 99" detach --all 99
	is_empty
}

@test "--all -n prints the changes for all devices" {
	does attach 5 --no-wait
	does attach 5 mydevice/1 --no-wait
	dump >"$BATS_TEST_TMPDIR/before"
	does detach --all 5 -n
	[[ $output == *"remove /xensplit/5/mydevice/0"* && $output == *"remove /xensplit/5/mydevice/1"* ]]
	[[ $(grep -cx 'remove /xensplit' <<<"$output") -eq 1 ]]
	dump | diff "$BATS_TEST_TMPDIR/before" -
}

@test "a device that another tool made is refused" {
	xenstore-write /local/domain/5/device/mydevice/0/backend /local/domain/0/backend/mydevice/5/0
	xenstore-write /local/domain/5/device/mydevice/0/backend-id 0
	xenstore-write /local/domain/5/device/mydevice/0/state 1
	refused 3 "exists, and xensplit did not make it" detach 5
	does detach --all 5
	[[ $output == "domain 5 has no device to detach" ]]
}

@test "a device of a former domain with that domid is refused (pitfall 8)" {
	does attach 5 --no-wait
	does attach 5 mydevice/1 --no-wait
	"$SANDBOX" kill 5
	"$SANDBOX" create 5 --name another
	refused 5 "belongs to a domain that is gone" detach 5
	tries "xensplit reap"
	refused 5 "belongs to a domain that is gone" detach 5 --force
	refused 5 "belongs to a domain that is gone" detach 5 -n
	tool detach --all 5
	[[ $status -eq 5 && $(grep -c ^xensplit: <<<"$stderr") -eq 2 && -z $output ]]
}

@test "-q prints nothing on success" {
	does attach 5 --no-wait -q
	does detach 5 -q
	[[ -z $output ]]
	is_empty
}

@test "a device that another tool attaches meanwhile is not another tool's" {
	local counts=$BATS_TEST_TMPDIR/counts

	run -3 "$SANDBOX" proxy --count "$counts" -- "$XENSPLIT" detach 5
	run -0 "$SANDBOX" proxy --run-at "$(awk '$3 ~ "/device/mydevice/0$" { print $1; exit }' "$counts")" \
		--run "'$XENSPLIT' -q attach 5 --no-wait" -- "$XENSPLIT" detach 5
	[[ $output == "mydevice/0 detached from "* ]]
}
