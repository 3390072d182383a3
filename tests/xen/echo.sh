# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Sourced by the scenarios about myecho, after lib.sh.

# echo_states DOMID [BACKEND-TYPE [BACKEND-DOMID]]: prints "frontend/backend" of myecho/0
echo_states()
{
	local front back

	front=$(xenstore-read "/local/domain/$1/device/myecho/0/state" 2>/dev/null) || :
	back=$(xenstore-read "/local/domain/${3:-0}/backend/${2:-myecho}/$1/0/state" 2>/dev/null) || :
	echo "${front:--}/${back:--}"
}

echo_states_are() # WANT DOMID [BACKEND-TYPE [BACKEND-DOMID]]
{
	local now

	now=$(echo_states "${@:2}")
	echo "$now"
	[[ $now == "$1" ]]
}

# echo_in_dom0 DOMID: does its kernel have a backend for that myecho?
echo_in_dom0()
{
	[[ -e /sys/bus/xen-backend/devices/myecho-$1-0 ]]
}

# front_has NAME STATISTIC: prints it
front_has()
{
	guest_cmd "$1" "cat /sys/bus/xen/devices/myecho-0/statistics/$2"
}

# back_has DOMID STATISTIC: prints it
back_has()
{
	cat "/sys/bus/xen-backend/devices/myecho-$1-0/statistics/$2"
}

# back_above DOMID STATISTIC NUMBER
back_above()
{
	local now

	now=$(back_has "$1" "$2")
	echo "$now"
	((now > $3))
}

# front_above NAME STATISTIC NUMBER
front_above()
{
	local now

	now=$(front_has "$1" "$2")
	echo "$now"
	((now > $3))
}

# check_begin NAME BYTES PROCESSES [upper]: in the background; see tests/xen/guest/echo.c
check_begin()
{
	guest_cmd "$1" "(/tests/echo check /dev/myecho0 ${*:2}; echo \"exit \$?\") >/tmp/check.log 2>&1 &"
}

# flow_begin NAME PROCESSES: the same, until flow_end NAME
flow_begin()
{
	guest_cmd "$1" "rm -f /tmp/enough; (/tests/echo until /tmp/enough /dev/myecho0 $2; echo \"exit \$?\") >/tmp/check.log 2>&1 &"
}

flow_end()
{
	guest_cmd "$1" 'touch /tmp/enough'
}

# expect_flow WORDS DOMID: its backend answers more requests than until now
expect_flow()
{
	expect_soon "$1" back_above "$2" requests $(($(back_has "$2" requests) + 100))
}

# all_back NAME PROCESSES: did each byte come back once, and in order?
all_back()
{
	local said

	said=$(check_ended "$1")
	echo "$said"
	[[ $(grep -c 'bytes came back, none wrong$' <<<"$said") == "$2" && $said == *$'\nexit 0' ]]
}

# check_ended NAME: prints what all processes said, and the exit status
check_ended()
{
	guest_cmd "$1" "sort /tmp/check.log; grep -q ^exit /tmp/check.log"
}

# unload_echo NAME [DRIVER]: unbinds the frontend, if it is bound, and removes the module
unload_echo()
{
	guest_cmd "$1" "cd /sys/bus/xen/drivers/${2:-myechofront}; [ ! -e myecho-0 ] || echo myecho-0 >unbind; cd /; rmmod ${2:-myechofront}"
}

# unload_echo_back DOMID [DRIVER]: the same for the backend in dom0
unload_echo_back()
{
	local driver=/sys/bus/xen-backend/drivers/${2:-myechoback}

	[[ ! -e $driver/myecho-$1-0 ]] || echo "myecho-$1-0" >"$driver/unbind"
	rmmod "${2:-myechoback}"
}

kernel_upset='segfault|general protection|BUG:|BUG kmalloc|Oops|WARNING:|Call Trace|leaking|hung'

# calm_in_guest NAME: prints what a kernel should not say, since it was asked the last time
calm_in_guest()
{
	guest_cmd "$1" "dmesg -c | grep -E '$kernel_upset' || :"
}

# front_attack NAME ATTACK [LINE]: gives the guest's device to evilfront, and prints what that printed until
# it was over, or printed that line. One command, because each takes its time.
front_attack()
{
	guest_cmd "$1" "cd /sys/bus/xen; \
		echo myecho-0 >devices/myecho-0/driver/unbind; \
		dmesg -c >/dev/null; \
		printf $2 >/sys/module/evilfront/parameters/attack; \
		echo myecho-0 >drivers/evilfront/bind; \
		until dmesg | grep -q 'evilfront: $2: ${3:-over}'; do sleep 0.3; done; \
		dmesg" |
		sed -n 's/.*evilfront: //p'
}

# front_driver NAME DRIVER: gives the guest's device to it; both drivers are loaded
front_driver()
{
	guest_cmd "$1" "cd /sys/bus/xen; echo myecho-0 >devices/myecho-0/driver/unbind; echo myecho-0 >drivers/$2/bind"
}

# back_driver DOMID DRIVER: the same in dom0
back_driver()
{
	local bus=/sys/bus/xen-backend

	echo "myecho-$1-0" >"$bus/devices/myecho-$1-0/driver/unbind"
	echo "myecho-$1-0" >"$bus/drivers/$2/bind"
}

# active_grants DOMID: prints how many of its grants another domain has mapped, as Xen counts them
active_grants()
{
	xl dmesg -c >/dev/null
	xl debug-keys g
	xl dmesg | awk -v domain="d$1" '
		/grant-table for remote/ { ours = $0 ~ "remote (dom" substr(domain, 2) "|" domain ")[^0-9]" }
		ours && /\[0x[0-9a-f]+\]/ { count++ }
		END { print count + 0 }'
}
