# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=ash
#
# What scenarios are written with; they run in dom0, under busybox's sh -eu. The functions whose
# names begin with expect print one line each, and the first that is not met ends the scenario,
# so don't call them in a subshell or a pipeline.

work=/run/work
mkdir -p $work

# ---- expectations

# met WORDS / not_met WORDS [TEXT]
met()
{
	printf '    ok - %s\n' "$1"
}

not_met()
{
	printf '    not ok - %s\n' "$1"
	[ -z "${2-}" ] || printf '%s\n' "$2" | sed 's/^/    # /'
	exit 1
}

# expect WORDS COMMAND...: the command succeeds
expect()
{
	_words=$1
	shift
	if _out=$("$@" 2>&1); then
		met "$_words"
	else
		not_met "$_words" "$* says:
$_out"
	fi
}

# expect_is WORDS GOT WANT: the texts are equal
expect_is()
{
	[ "$2" = "$3" ] || not_met "$1" "expected: $3
got:      $2"
	met "$1"
}

# expect_has WORDS TEXT REGEX: a line of the text matches
expect_has()
{
	printf '%s\n' "$2" | grep -qE -e "$3" || not_met "$1" "no line matches $3:
$2"
	met "$1"
}

# expect_same WORDS FILE FILE: the files are equal
expect_same()
{
	_out=$(diff "$2" "$3") || not_met "$1" "$_out"
	met "$1"
}

# expect_soon WORDS COMMAND...: the command succeeds now or within two minutes. No time is
# measured with this: the machine may be busy, and whatever never happens fails all the same.
expect_soon()
{
	_words=$1
	shift
	_tries=400
	until _out=$("$@" 2>&1); do
		_tries=$((_tries - 1))
		[ $_tries -gt 0 ] || not_met "$_words" "$* still says:
$_out"
		sleep 0.3
	done
	met "$_words"
}

# run COMMAND...: sets status, output and errors, and goes on whatever they are
run()
{
	status=0
	"$@" >$work/output 2>$work/errors || status=$?
	output=$(cat $work/output)
	# shellcheck disable=SC2034 # for scenarios
	errors=$(cat $work/errors)
}

# need_tool: for scenarios that can't do without xensplit
need_tool()
{
	command -v xensplit >/dev/null || exit 77
}

# expects SCRIPT: what a scenario says of itself
expects()
{
	sed -n 's/^# Expects: //p' "$1"
}

# note TEXT: printed for the reader, means nothing
note()
{
	printf '%s\n' "$1" | sed 's/^/    # /'
}

# ---- guests

file_size()
{
	stat -c %s "$1" 2>/dev/null || echo 0
}

guests()
{
	xl list | awk 'NR > 1 && $1 != "Domain-0" { print $1 }'
}

guest_domid() # NAME
{
	xl domid "$1"
}

# guest_log NAME: the console of the guest since it was started
guest_log()
{
	tail -c "+$(($(cat "/run/guest-$1.from") + 1))" "/var/log/xen/console/guest-$1.log" \
		2>/dev/null | tr -d '\r'
}

guest_is_ready() # NAME
{
	guest_log "$1" | grep -q '^@@ ready'
}

# guest_start NAME [WORD...]: a new guest; words go to its kernel's command line. Returns when
# it obeys commands. Several may be started at the same time.
guest_start()
{
	_name=$1
	shift
	cat >"/run/guest-$_name.cfg" <<-CFG
		name = "$_name"
		type = "pv"
		kernel = "/tests/vmlinux"
		ramdisk = "/tests/guest.cpio"
		memory = ${memory:-192}
		vcpus = 1
		extra = "console=hvc0 $*"
		on_crash = "destroy"
	CFG
	file_size "/var/log/xen/console/guest-$_name.log" >"/run/guest-$_name.from"
	if ! _out=$(xl create "/run/guest-$_name.cfg" 2>&1); then
		not_met "guest $_name is created" "$_out"
	fi
	_tries=1000
	until guest_is_ready "$_name"; do
		_tries=$((_tries - 1))
		[ $_tries -gt 0 ] || not_met "guest $_name boots" "$(guest_log "$_name" | tail -n 30)"
		sleep 0.3
	done
}

# guest_use NAME...: the guests run, with the frontend loaded and no device. g1 and g2 are kept
# from one scenario to the next, to save their boots; leave them as you found them.
guest_use()
{
	for _guest; do
		if xl domid "$_guest" >/dev/null 2>&1; then
			continue
		fi
		(guest_start "$_guest") &
		eval "_start_$_guest=\$!"
	done
	for _guest; do
		eval "_pid=\${_start_$_guest-}; _start_$_guest="
		[ -z "$_pid" ] || wait "$_pid" || exit 1
	done
}

guest_destroy() # NAME
{
	xl destroy "$1"
}

guest_tty() # NAME
{
	xenstore-read "/local/domain/$(guest_domid "$1")/console/tty"
}

# guest_cmd NAME COMMAND: runs a line of shell in the guest, prints what it prints and returns
# what it returns; 125 if no answer comes.
guest_cmd()
{
	_guest=$1
	_mark=$(cut -d' ' -f1 /proc/uptime)-$$
	shift
	printf '%s %s\n' "$_mark" "$*" >"$(guest_tty "$_guest")" || return 125
	_tries=400
	until guest_log "$_guest" | grep -q "^@@ $_mark end"; do
		_tries=$((_tries - 1))
		if [ $_tries -le 0 ]; then
			echo "guest $_guest does not answer: $*" >&2
			return 125
		fi
		sleep 0.2
	done
	guest_log "$_guest" | awk -v mark="$_mark" '
		$1 == "@@" && $2 == mark && $3 == "end" { exit }
		show { print }
		$1 == "@@" && $2 == mark && $3 == "begin" { show = 1 }'
	return "$(guest_log "$_guest" | sed -n "s/^@@ $_mark end //p")"
}

# ---- the store

# store_dump: every node with its value and permissions
store_dump()
{
	xenstore-ls -fp
}

store_state() # PATH: the state below it, or - if there is none
{
	xenstore-read "$1/state" 2>/dev/null || echo -
}

# states DOMID [DEVID]: "frontend/backend" of a mydevice with its backend in dom0
states()
{
	echo "$(store_state "/local/domain/$1/device/mydevice/${2:-0}")/$(
		store_state "/local/domain/0/backend/mydevice/$1/${2:-0}")"
}

states_are() # WANT DOMID [DEVID]
{
	_states=$(states "$2" "${3:-0}")
	echo "$_states"
	[ "$_states" = "$1" ]
}

devices_left()
{
	xenstore-ls -f | grep -E '/mydevice|^/xensplit/' || :
}

# ---- kernels' words

# What our modules said in dom0 from now on: log_mark, then log_since.
log_mark()
{
	dmesg | wc -l >$work/dmesg-mark
}

log_since()
{
	dmesg | tail -n "+$(($(cat $work/dmesg-mark) + 1))"
}

# ---- until the tool is there

attach_by_hand() # DOMID
{
	_fe=/local/domain/$1/device/mydevice/0
	_be=/local/domain/0/backend/mydevice/$1/0
	xenstore-write "$_fe" ''
	xenstore-chmod "$_fe" "n$1" r0
	xenstore-write "$_be" ''
	xenstore-chmod "$_be" n0 "r$1"
	xenstore-write "$_fe/backend" "$_be" "$_fe/backend-id" 0
	xenstore-chmod "$_fe/backend" n0 "r$1"
	xenstore-chmod "$_fe/backend-id" n0 "r$1"
	xenstore-write "$_be/frontend" "$_fe" "$_be/frontend-id" "$1" "$_be/online" 1
	xenstore-write "$_fe/state" 1
	xenstore-write "$_be/state" 1
}

remove_by_hand() # DOMID
{
	xenstore-rm "/local/domain/$1/device/mydevice/0"
	xenstore-rm "/local/domain/$1/device/mydevice"
	xenstore-rm "/local/domain/0/backend/mydevice/$1"
	xenstore-rm "/local/domain/0/backend/mydevice"
}
