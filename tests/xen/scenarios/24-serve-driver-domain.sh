#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: with serve running, a device connects again when its driver domain has been restarted

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
need_tool

driver_domain()
{
	guest_boot dd
	expect "the driver domain loads the backend" guest_cmd dd modprobe mydeviceback
	begun=${EPOCHREALTIME/.}
}

# both: prints the states of the device between the domains that have these names now
both()
{
	local d b

	d=$(guest_domid user) && b=$(guest_domid dd) || return
	echo "$(xenstore-read "/local/domain/$d/device/mydevice/0/state" 2>&1)/$(
		xenstore-read "/local/domain/$b/backend/mydevice/$d/0/state" 2>&1
	)"
}
both_connected() { both; [[ $(both) == 4/4 ]]; }

guest_config dd nofront
echo 'driver_domain = 1' >>/run/guest-dd.cfg
guest_config user
serve_guest user '"mydevice/0,backend=dd"'
serve_start

guest_boot user
run xensplit serve --status
note "$output"
expect_is "without its driver domain, it has no device" "$(devices_left)" ''
driver_domain
expect_soon "when that is there, both ends are Connected" both_connected

for how in destroyed rebooted; do
	old=$(guest_domid dd)
	guest_log_from_here dd
	if [[ $how == destroyed ]]; then
		xl destroy dd
		expect_soon "the driver domain is $how: the device is gone" gone "$(guest_domid user)"
		driver_domain
	else
		tty=$(xenstore-read "/local/domain/$old/console/tty")
		echo 'mark reboot -f' >"$tty"
		rebooted() { b=$(guest_domid dd 2>/dev/null) && [[ $b != "$old" ]]; }
		expect_soon "the driver domain is $how" rebooted
		expect "it boots" guest_prints dd '@@ ready'
		expect "it loads the backend" guest_cmd dd modprobe mydeviceback
		begun=${EPOCHREALTIME/.}
	fi
	expect_soon "both ends are Connected again" both_connected
	note "$(((${EPOCHREALTIME/.} - begun) / 1000)) ms after the backend's driver was loaded"
	expect "the new driver domain has the device" \
		guest_cmd dd "test -e /sys/bus/xen-backend/devices/mydevice-$(guest_domid user)-0/driver"
done
run xensplit serve --status
note "$output"
xl destroy user
xl destroy dd
none_left() { devices_left; [[ -z $(devices_left) ]]; }
expect_soon "both destroyed, no node of a device is left" none_left
note "$(<$work/serve.log)"
