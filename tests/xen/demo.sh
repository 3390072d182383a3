#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Attaches a device on real Xen and explains it: what attach writes, what both kernels do, the
# states over time, and what is left after detach. Run by `tests/xen/run --story` in dom0. The
# explanations are checked: fails if a step does not do what the text says.

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh

say() # LINE...
{
	echo
	printf '%s\n' "$@"
}

show() # COMMAND...: prints the command, then runs it
{
	printf '\n  # %s\n' "$*"
	"$@" 2>&1 | sed 's/^/  /'
}

refused() # STATUS COMMAND...: it must fail with that status
{
	local want=$1 status=0

	shift
	show "$@" || status=$?
	printf '  exit status %d\n' "$status"
	((status == want))
}

indent()
{
	sed 's/^/  /'
}

say "This is dom0 of a real Xen, emulated by QEMU. Two guests start and load the example modules..."
modprobe mydeviceback
guest_use g1 g2
d=$(guest_domid g1)
show xl list
printf '\n  dom0:\n'
dom0_log | grep mydeviceback: | indent
printf '  g1:\n'
guest_cmd g1 'dmesg | grep mydevicefront:' | indent
store_dump >$work/before

say "Both drivers are loaded and wait, as there is no device yet. Attach one to guest g1; a watch" \
	"in the background records each change."
xensplit watch g1 --banner >$work/watch 2>&1 &
watch=$!
until grep -qx watching $work/watch; do sleep 0.3; done
show xensplit attach "$d" -t 120
[[ $(states "$d") == 4/4 ]]

say "What was written, and who owns it (n$d: domain $d owns it and others have no access; r0: domain 0" \
	"may read it). The guest can write its own state; dom0 owns everything else."
show xensplit show g1

say "The messages of the two kernels:"
printf '  dom0:\n'
dom0_log | grep mydeviceback: | indent
printf '  g1:\n'
guest_cmd g1 'dmesg | grep mydevicefront:' | indent
dom0_log | grep -q 'mydeviceback: Probe called'
guest_cmd g1 'dmesg | grep -q "mydevicefront: Probe called"'

say "A second guest by name, and another device in it with an automatic id:"
show xensplit attach g2 -t 120
show xensplit attach g2 mydevice/auto -t 120
show xensplit list
show xensplit list g1 --json

say "Invalid requests are refused, and nothing is written."
store_dump >$work/connected
refused 5 xensplit attach g1
refused 3 xensplit attach 7777
store_dump >$work/after
cmp $work/connected $work/after

say "Detach: both drivers close, then the nodes are removed."
show xensplit detach g1 -t 120
show xensplit detach g2 --all -t 120
show xensplit list
kill $watch
wait $watch || :
say "The states of g1's device over time:"
grep -vx watching $work/watch | indent
say "What is left of all devices in the store, and of g1's in its kernel:"
[[ -z $(devices_left) ]]
guest_cmd g1 '[ ! -e /sys/bus/xen/devices/mydevice-0 ]'
echo "  nothing"

say "The same guest and the same drivers, with the seven writes of the original script:"
front=/local/domain/$d/device/mydevice/0
back=/local/domain/0/backend/mydevice/$d/0
show xenstore-write "$front/backend-id" 0
show xenstore-write "$front/backend" "$back"
show xenstore-write "$back/frontend-id" "$d"
show xenstore-write "$back/frontend" "$front"
show xenstore-chmod "$back" r
show xenstore-write "$front/state" 1
show xenstore-write "$back/state" 1
guest_prints_error() { guest_cmd g1 'dmesg | grep "13 writing new state"'; }
until guest_prints_error >/dev/null; do sleep 0.3; done
say "The drivers were probed and stay at $(states "$d") (1 Initialising, 2 InitWait):" \
	"dom0 owns the node, so the frontend can't write its state."
guest_prints_error | indent
for path in "$front" "${front%/0}" "${back%/0}" "${back%/*/0}"; do
	xenstore-rm "$path"
done
