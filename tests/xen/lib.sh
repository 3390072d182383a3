# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Sourced by the scenarios, which run in dom0. A function whose name begins with expect prints one
# line, and the first that fails ends the scenario; so do not call one in a subshell or a pipeline.
# Nothing here measures time, because the machine may be slow; what never happens fails anyway. For
# the same reason, limits are many times what an idle machine needs.
set -euo pipefail
trap 'echo "    # line $LINENO failed: $BASH_COMMAND"' ERR

work=/run/work
console=/var/log/xen/console
trace=/run/xenstored.trace
mkdir -p $work
# TYPES has the devices that drivers are there for.
# shellcheck source=/dev/null
. /tests/env

# ---- expectations

met() # WORDS
{
	printf '    ok - %s\n' "$1"
}

note() # TEXT: for the reader only
{
	[[ -z $1 ]] || printf '    # %s\n' "${1//$'\n'/$'\n    # '}"
}

not_met() # WORDS [TEXT]
{
	printf '    not ok - %s\n' "$1"
	note "${2-}"
	exit 1
}

# expect WORDS COMMAND...: the command succeeds
expect()
{
	local said

	said=$("${@:2}" 2>&1) || not_met "$1" "${*:2} says: $said"
	met "$1"
}

# expect_is WORDS GOT WANT: the texts are equal
expect_is()
{
	[[ $2 == "$3" ]] || not_met "$1" "expected: $3"$'\n'"got: $2"
	met "$1"
}

# expect_has WORDS TEXT REGEX: a line of the text matches
expect_has()
{
	grep -qE -e "$3" <<< "$2" || not_met "$1" "no line matches $3:"$'\n'"$2"
	met "$1"
}

# expect_same WORDS FILE FILE: the files are equal
expect_same()
{
	local said

	said=$(diff "$2" "$3") || not_met "$1" "$said"
	met "$1"
}

# expect_soon WORDS COMMAND...: the command succeeds, now or in a while
expect_soon()
{
	local said tries=1000

	until said=$("${@:2}" 2>&1); do
		((--tries > 0)) || not_met "$1" "${*:2} still says: $said"
		sleep 0.3
	done
	met "$1"
}

# shellcheck disable=SC2034 # they are for the scenarios
# run COMMAND...: sets status, output and errors, and continues whatever they are
run()
{
	status=0
	"$@" >$work/output 2>$work/errors || status=$?
	output=$(<$work/output)
	errors=$(<$work/errors)
}

# need_tool: for a scenario about xensplit; skips it if that is not installed
need_tool()
{
	command -v xensplit >/dev/null || exit 77
}

# ---- guests

# Else libxl gives up when xenconsoled has not answered for 10 s, as on a busy machine.
xl()
{
	LD_PRELOAD=/tests/preload-slow-clock.so${LD_PRELOAD:+:$LD_PRELOAD} command xl "$@"
}

guests() # prints the names of running guests
{
	xl list | awk 'NR > 1 && $1 != "Domain-0" { print $1 }'
}

guest_domid() # NAME
{
	xl domid "$1"
}

file_size()
{
	if [[ -e $1 ]]; then
		stat -c %s "$1"
	else
		echo 0
	fi
}

# guest_log NAME: prints the guest's output since it was started
guest_log()
{
	local text=''

	if [[ -e $console/guest-$1.log ]]; then
		IFS= read -rd '' text <"$console/guest-$1.log" || :
	fi
	text=${text:$(<"/run/guest-$1.from")}
	printf '%s' "${text//$'\r'/}"
}

# guest_prints NAME TEXT: waits for a line that begins like this
patience=3000
guest_prints()
{
	local tries=$patience

	until [[ $'\n'$(guest_log "$1") == *$'\n'"$2"* ]]; do
		((--tries > 0)) || return 1
		sleep 0.2
	done
}

# guest_config NAME [WORD...]: writes the configuration of a new guest, for "xl create" or
# guest_boot; WORDs are kernel arguments. A scenario may append lines; the last of a name counts.
guest_config()
{
	cat >"/run/guest-$1.cfg" <<-CFG
		name = "$1"
		type = "pv"
		kernel = "/tests/vmlinux"
		ramdisk = "/tests/guest.cpio"
		memory = 192
		vcpus = 1
		extra = "console=hvc0 slub_debug=FZP,kmalloc-* ${*:2}"
		on_crash = "destroy"
	CFG
	guest_log_from_here "$1"
}

# guest_log_from_here NAME: discards its output so far
guest_log_from_here()
{
	file_size "$console/guest-$1.log" >"/run/guest-$1.from"
}

# guest_boot NAME: returns when it accepts guest_cmd
guest_boot()
{
	local said

	said=$(xl create "/run/guest-$1.cfg" 2>&1) || not_met "guest $1 is created" "$said"
	guest_prints "$1" '@@ ready' ||
		not_met "guest $1 boots" "$(guest_log "$1" | tail -n 30)"
}

# guest_start NAME [WORD...]: both. Several may start at the same time, each in the background.
guest_start()
{
	guest_config "$@"
	guest_boot "$1"
}

# guest_use NAME...: running guests with the frontend loaded and without a device. g1 and g2 are
# kept for the next scenario, to avoid booting them again; others end with the scenario.
guest_use()
{
	local name pid
	local -a pids=()

	for name; do
		if ! guest_domid "$name" >/dev/null 2>&1; then
			guest_start "$name" &
			pids+=($!)
		fi
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || exit 1
	done
}

# guest_cmd NAME COMMAND: runs a line of shell in the guest, prints its output, returns its status;
# 125 if there is no answer.
guest_cmd()
{
	local mark tty text said

	mark=$$.$RANDOM$RANDOM
	tty=$(xenstore-read "/local/domain/$(guest_domid "$1")/console/tty") || return 125
	printf '%s %s\n' "$mark" "${*:2}" >"$tty"
	if ! guest_prints "$1" "@@ $mark end "; then
		echo "guest $1 does not answer: ${*:2}" >&2
		return 125
	fi
	text=$(guest_log "$1")
	text=${text##*"@@ $mark begin"$'\n'}
	said=${text%%$'\n'"@@ $mark end "*}
	[[ -z $said ]] || printf '%s\n' "$said"
	text=${text##*"@@ $mark end "}
	return "${text%%$'\n'*}"
}

# ---- the store

# store_dump: prints every node with value and permissions, except the marks of domains, which stay
store_dump()
{
	xenstore-ls -fp | grep -vE '^/local/domain/[0-9]+/xensplit = '
}

# states DOMID [DEVID]: prints "frontend/backend" of a mydevice with its backend in dom0
states()
{
	local front back

	front=$(xenstore-read "/local/domain/$1/device/mydevice/${2:-0}/state" 2>/dev/null) || :
	back=$(xenstore-read "/local/domain/0/backend/mydevice/$1/${2:-0}/state" 2>/dev/null) || :
	echo "${front:--}/${back:--}"
}

states_are() # WANT DOMID [DEVID]
{
	local now

	now=$(states "${@:2}")
	echo "$now"
	[[ $now == "$1" ]]
}

# devices_left: prints every node of a device, of either end. The cursor for "auto" is not counted
# and stays as long as its domain.
devices_left()
{
	xenstore-ls -f |
		grep -E "^/local/domain/[0-9]+/(device|backend)/(${TYPES// /|})|^/xensplit/[0-9]+/[^/]+/[0-9]" || :
}

# traced REGEX: prints matching requests to the store since the scenario began
traced()
{
	tail -c "+$(($(<$work/trace-mark) + 1))" $trace | grep -E "$1"
}

# written PATH VALUE: was that ever written? For states too short to be seen.
written()
{
	traced " WRITE .*$1 $2\b"
}

# ---- serve

# serve_start: with the files in /etc/xensplit/domains. run-one ends it with the scenario.
serve_start()
{
	xensplit serve >>$work/serve.log 2>&1 &
	echo $! >$work/serve.pid
	expect_soon "serve is ready" xensplit serve --status
}

# serve_guest NAME ENTRIES: puts the entries into the guest's configuration, and tells serve of it
serve_guest()
{
	mkdir -p /etc/xensplit/domains
	echo "xensplit = [ $2 ]" >>"/run/guest-$1.cfg"
	ln -sf "/run/guest-$1.cfg" "/etc/xensplit/domains/$1.cfg"
}

# connected NAME [DEVID]: a mydevice of the domain that has this name now
connected()
{
	local domid

	domid=$(guest_domid "$1") && states_are 4/4 "$domid" "${2-}"
}

# gone DOMID: nothing of a domain's devices is left
gone()
{
	xenstore-ls -f | grep -E "^/xensplit/$1\b|^/local/domain/[0-9]+/backend/mydevice/$1\b" && return 1
	! xenstore-exists "/local/domain/$1/device/mydevice"
}

# ---- dom0

# device_in_dom0 DOMID [DEVID]: does its kernel have a backend for that mydevice?
device_in_dom0()
{
	[[ -e /sys/bus/xen-backend/devices/mydevice-$1-${2:-0} ]]
}

# device_in_guest NAME [DEVID]
device_in_guest()
{
	guest_cmd "$1" "test -e /sys/bus/xen/devices/mydevice-${2:-0}"
}

# unload_back DOMID: unbinds the backend's driver from its device and unloads it
unload_back()
{
	echo "mydevice-$1-0" >/sys/bus/xen-backend/drivers/mydeviceback/unbind
	rmmod mydeviceback
}

# unload_front NAME
unload_front()
{
	guest_cmd "$1" 'echo mydevice-0 >/sys/bus/xen/drivers/mydevicefront/unbind && rmmod mydevicefront'
}

# dom0_log: prints the messages of dom0's kernel since the scenario began
dom0_log()
{
	dmesg | tail -n "+$(($(<$work/dmesg-mark) + 1))"
}
