#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: attach alone makes both kernels load the drivers, by the aliases of the modules

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
need_tool

guest_use g1
d=$(guest_domid g1)
guest_cmd g1 rmmod mydevicefront
modprobe -r mydeviceback
loaded() { grep -q "^$1 " /proc/modules; }
expect "the backend is not loaded" eval '! loaded mydeviceback'
expect "the frontend is not loaded" guest_cmd g1 '! grep mydevice /proc/modules'

# Does what udev does where it exists. Debian's kernels have no uevent helper.
# shellcheck disable=SC2016 # for the shell that runs at each event
rule='[ "$ACTION" != add ] || [ -z "$MODALIAS" ] || modprobe "$MODALIAS"'
echo "$rule" >/run/rule
uevent sh /run/rule >/run/uevent.log 2>&1 &
pid=$!
guest_cmd g1 "echo '$rule' >/tmp/rule; uevent sh /tmp/rule >/dev/null 2>&1 & echo \$! >/tmp/pid"
# A socket of NETLINK_KOBJECT_UEVENT, 15, that is not the kernel's
listens='grep -E "^[0-9a-f]+ +15 +[1-9]" /proc/net/netlink'
expect_soon "dom0 waits for events" eval "$listens"
expect_soon "so does the guest" guest_cmd g1 "$listens"
run timeout 200 xensplit attach g1 -t 120
note "$output$errors"
kill $pid
expect_is "attach: exit status" $status 0
expect_is "both ends are Connected" "$(states "$d")" 4/4
expect "dom0 has loaded the backend" loaded mydeviceback
expect "the guest has loaded the frontend" guest_cmd g1 'grep mydevicefront /proc/modules'
expect_is "by this alias" "$(cat "/sys/bus/xen-backend/devices/mydevice-$d-0/modalias")" \
	xen-backend:mydevice
# shellcheck disable=SC2016
guest_cmd g1 'kill $(cat /tmp/pid)'
expect "detach" xensplit detach g1 -t 120
