# shellcheck shell=bash disable=SC2154 # bats sets status, output, stderr and their lines
# SPDX-License-Identifier: GPL-2.0-or-later
# Shared by the tests of the tool. Each test has its own sandbox: an xenstored with the guests 5
# and 6, called guest5 and guest6.
bats_require_minimum_version 1.5.0

# test_limit SECONDS: for each test. bats can't end one without pkill or ps, which an empty Debian
# does not have; there, tap-sum ends the suite.
test_limit()
{
	if command -v pkill >/dev/null || command -v ps >/dev/null; then
		export BATS_TEST_TIMEOUT=$1
	fi
}
test_limit 120

build=$(realpath "$BATS_TEST_DIRNAME/../../build")
export XENSPLIT=${XENSPLIT:-$build/xensplit} SANDBOX=${SANDBOX:-$build/sandbox/xensplit-sandbox}
# The terminal of script(1) has colours, whatever started the tests.
export TERM=xterm
unset NO_COLOR

sandbox_start()
{
	local ready=$BATS_TEST_TMPDIR/ready

	mkfifo "$ready"
	# shellcheck disable=SC2016 # expanded in the sandbox
	"$SANDBOX" --guests 5,6 -- bash -c \
		'echo "$XENSTORED_PATH $XENSPLIT_SANDBOX" >"$0"; exec sleep 600' "$ready" 3>&- &
	sandbox_pid=$!
	read -r XENSTORED_PATH XENSPLIT_SANDBOX < <(timeout 10 cat "$ready")
	[[ -S $XENSTORED_PATH ]]
	export XENSTORED_PATH XENSPLIT_SANDBOX
}

sandbox_stop()
{
	# Drivers end when the store does.
	[[ -z ${sandbox_pid:-} ]] || kill "$sandbox_pid" || return 0
	wait "${sandbox_pid:-}" || true
}

setup()
{
	sandbox_start
}

teardown()
{
	sandbox_stop
}

# tool ARGUMENT...: runs the tool; sets $status, $output and $stderr
tool()
{
	run --separate-stderr timeout 30 "$XENSPLIT" "$@"
	# bats shows this if the test fails
	printf '$ xensplit %s\n%s\n' "$*" "${output:-}"
	printf '%s\n[%s]\n' "${stderr:-}" "$status"
}

# does ARGUMENT...: the tool succeeds, with nothing on stderr
does()
{
	tool "$@"
	[[ $status -eq 0 && -z $stderr ]]
}

# is_error TEXT: stderr is one line that has this text, and hints below it
is_error()
{
	[[ ${stderr_lines[0]} == "xensplit: "*"$1"* ]] || return 1
	! sed 1d <<<"$stderr" | grep -vE '^  (why|try|note): '
}

# tries REMEDY: the last error suggests it
tries()
{
	grep -qxF "  try: $1" <<<"$stderr"
}

# fails STATUS TEXT ARGUMENT...: the tool fails, with an error that has this text; stdout is
# empty, or has the error as JSON
fails()
{
	local want=$1 text=$2

	shift 2
	tool "$@"
	[[ $status -eq $want ]] && is_error "$text" || return 1
	[[ -z $output || " $* " == *\ --json\ * || " $* " == *\ -J\ * ]] || return 1
	[[ -z $output ]] || json '.error.message'
}

# refused STATUS TEXT ARGUMENT...: like fails, and the store has not changed
refused()
{
	dump >"$BATS_TEST_TMPDIR/before"
	fails "$@" || return 1
	dump | diff "$BATS_TEST_TMPDIR/before" -
}

# The whole store, with owners and permissions, except the marks of domains, which stay.
dump()
{
	xenstore-ls -fp / | grep -vE '^/local/domain/[0-9]+/xensplit = '
}

# json FILTER: runs jq on the tool's output; fails on false, null and empty output
json()
{
	local result

	result=$(jq -e "$1" <<<"$output") || return 1
	[[ -n $result ]]
}

# drive END DOMID TYPE [OPTION...]: a driver, which listens when this returns
drive()
{
	local said=$BATS_TEST_TMPDIR/drive-$1-$2

	: >"$said"
	"$SANDBOX" drive "$@" >>"$said" 2>&1 3>&- &
	driving[$!]=$said
	eventually grep -qx ready "$said"
}
driving=()

# caught_up: each driver that runs has handled all that happened before
caught_up()
{
	local pid

	for pid in "${!driving[@]}"; do
		: >"${driving[$pid]}"
		kill -USR1 "$pid" 2>/dev/null || continue
		eventually grep -qx 'caught up' "${driving[$pid]}"
	done
}

# The two drivers of mydevice, front in guest 5 and back in domain 0.
drivers()
{
	drive front 5 mydevice
	drive back 0 mydevice
}

# as DOMID COMMAND...: runs a client in that domain
as()
{
	"$SANDBOX" as "$@"
}

# store PATH: prints a value
store()
{
	xenstore-read "$1"
}

# activate [FRONTEND BACKEND]: a device as made by the example's activate.sh; $FE and $BE if not given
activate()
{
	local FE=${1:-$FE} BE=${2:-$BE}

	xenstore-write "$FE/backend-id" 0
	xenstore-write "$FE/backend" "$BE"
	xenstore-write "$BE/frontend-id" 5
	xenstore-write "$BE/frontend" "$FE"
	xenstore-chmod "$BE" r
	xenstore-write "$FE/state" 1
	xenstore-write "$BE/state" 1
}

# is PATH VALUE
is()
{
	[[ $(store "$1") == "$2" ]]
}

# record FIELD: prints a field of the record of mydevice/0 of domain 5
record()
{
	xenstore-read -R /xensplit/5/mydevice/0 | sed -n "s/^$1=//p" | grep .
}

# eventually COMMAND...: waits until it succeeds
eventually()
{
	local i

	for ((i = 0; i < 3000; i++)); do
		if "$@"; then return 0; fi
		sleep 0.02
	done
	return 1
}
