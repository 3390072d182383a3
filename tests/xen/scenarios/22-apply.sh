#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: a guest gets the devices that its xl.cfg lists before it boots, by one command

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
need_tool

# The xl that xensplit finds must be as patient as the others.
mkdir -p $work/bin
cat >$work/bin/xl <<EOF
#!/bin/bash
LD_PRELOAD=/tests/preload-slow-clock.so exec $(type -P xl) "\$@"
EOF
chmod +x $work/bin/xl

modprobe mydeviceback
guest_config listed
echo 'xensplit = [ "mydevice/0", "mydevice/auto,front.mode=fast" ]' >>/run/guest-listed.cfg
PATH=$work/bin:$PATH run timeout 900 xensplit apply --create /run/guest-listed.cfg -t 600
note "$output$errors"
expect_is "apply --create: exit status" $status 0
d=$(guest_domid listed)
expect_has "it says which domain" "$output" "^listed \(domain $d\) created$"
expect_is "both ends of the first are Connected" "$(states "$d" 0)" 4/4
expect_is "both ends of the second, too" "$(states "$d" 1)" 4/4
expect "the guest boots" guest_prints listed '@@ ready'
expect_is "its driver found both at once" "$(guest_cmd listed dmesg | grep -c 'mydevicefront: Probe called')" 2
expect_is "the guest reads the extra key" "$(guest_cmd listed xenstore-read device/mydevice/1/mode)" fast

store_dump >$work/connected
run xensplit apply /run/guest-listed.cfg -t 120
expect_is "again: exit status" $status 0
expect_is "there is nothing to do" "$output" "nothing to do: 2 devices as wanted"
store_dump >$work/after
expect_same "nothing was written" $work/connected $work/after

PATH=$work/bin:$PATH run xensplit apply --create /run/guest-listed.cfg
expect_is "a guest that runs is not created again: exit status" $status 5
sed 's/mode=fast/mode=fast,colour=red/; s/listed/other/' /run/guest-listed.cfg >/run/guest-other.cfg
PATH=$work/bin:$PATH run xensplit apply --create /run/guest-other.cfg
expect_is "a wrong file: exit status" $status 2
expect_is "creates no guest" "$(xl domid other 2>/dev/null || echo none)" none

# A plain create forgets the devices; apply brings them back.
expect "the guest is destroyed" xl destroy listed
expect "what is left of it is removed" xensplit reap
guest_log_from_here listed
guest_boot listed
d=$(guest_domid listed)
expect_is "the guest has no device" "$(states "$d")" -/-
expect "apply attaches them" xensplit apply /run/guest-listed.cfg -t 120
expect_is "both ends are Connected" "$(states "$d" 0) $(states "$d" 1)" "4/4 4/4"
expect "detach both" xensplit detach listed --all -t 120
expect_is "no node of a device is left" "$(devices_left)" ''
