#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Compares myecho on real Xen, with the driver and with the program as its backend, with Linux's disk
# (blkfront, blkback, a RAM disk) and with libxenvchan. Run by `tests/xen/run --story` in dom0. The
# processor is emulated: only the ratios within one run say something.

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh

depth=32
rounds=3
ms=3000
ways=(driver program write read vchan)
declare -A what=(
	[driver]="myecho, the driver as backend"
	[program]="myecho, echo-backend as backend"
	[write]="disk, write"
	[read]="disk, read"
	[vchan]="libxenvchan"
)

modprobe myechoback
modprobe xen-blkback
modprobe brd rd_nr=1 rd_size=16384
guest_use g1
d=$(guest_domid g1)
guest_cmd g1 'modprobe myechofront; modprobe xen-blkfront; modprobe xen-evtchn; modprobe xen-gntalloc; modprobe xen-gntdev'
/tests/echo-backend >$work/program.log 2>&1 &
program=$!
xensplit -q attach g1 myecho/0 -t 120
xensplit -q attach g1 myecho/1 --backend-type myechod -t 120
device=$(stat -c %t:%T /dev/ram0)
xensplit -q attach g1 vbd/51712 --reserved -B "physical-device=$device" -B mode=w -B type=phy \
	-B params=/dev/ram0 -B dev=xvda -F virtual-device=51712 -F device-type=disk -t 120
until guest_cmd g1 'test -b /dev/xvda && test -c /dev/myecho0 && test -c /dev/myecho1'; do
	sleep 0.3
done

# measure WAY SIZE: prints requests per second
measure()
{
	local echoing

	case $1 in
	driver) guest_cmd g1 "/tests/speed file /dev/myecho0 $2 $depth $ms" ;;
	program) guest_cmd g1 "/tests/speed file /dev/myecho1 $2 $depth $ms" ;;
	read|write) guest_cmd g1 "/tests/speed $1 /dev/xvda $2 $depth $ms" ;;
	vchan)
		/tests/speed vchan-echo "$d" "/local/domain/$d/data/speed" &
		echoing=$!
		guest_cmd g1 "/tests/speed vchan data/speed $2 $depth $ms"
		wait $echoing
		guest_cmd g1 'xenstore-rm data/speed'
		;;
	esac
}

# Each way once, then each again: a machine that gets slower does that to all.
for ((round = 0; round < rounds; round++)); do
	for size in 512 4096; do
		for way in "${ways[@]}"; do
			measure "$way" $size | tee -a "$work/$way.$size" | sed "s/^/$((round + 1)) of $rounds, $size bytes, $way: /"
		done
	done
done

median() # FILE
{
	sort -n "$1" | sed -n "$((rounds / 2 + 1))p"
}

base_small=$(median $work/driver.512)
base_large=$(median $work/driver.4096)
echo "$depth requests under way, medians of $rounds rounds; Linux $(uname -r), $(nproc) emulated processors in dom0, 1 in the guest"
printf '\n%-32s %15s %6s %18s %6s\n' '' 'requests/s' ratio 'MB/s each way' ratio
printf '%-32s %15s %6s %18s %6s\n' '' '(512 bytes)' '' '(4096 bytes)' ''
for way in "${ways[@]}"; do
	small=$(median "$work/$way.512")
	large=$(median "$work/$way.4096")
	awk -v what="${what[$way]}" -v s="$small" -v bs="$base_small" -v l="$large" -v bl="$base_large" 'BEGIN {
		printf "%-32s %15d %6.2f %18.1f %6.2f\n", what, s, s / bs, l * 4096 / 1e6, l / bl }'
done
printf '\n%s\n' "A request of myecho and of libxenvchan goes to dom0 and comes back with its data; one of the
disk has data in one direction only."

xensplit -q detach g1 --all -t 120 || :
kill $program
