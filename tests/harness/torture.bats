#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The checker of the torture: it accepts a store that is as expected, and no other.

setup()
{
	check=$BATS_TEST_DIRNAME/../torture/check
	expected=$BATS_TEST_TMPDIR/expected
	store=$BATS_TEST_TMPDIR/store
	cat >"$expected" <<-'EOT'
		domain 0 dom0 good
		domain 5 vm0 good
		domain 9 drv0 good
		device 5 mydevice 0 0
		device 5 accel auto 9 mode=1
	EOT
	{
		echo '/local/domain/0/name = "Domain-0"   (n0,r0)'
		echo '/local/domain/5/device/suspend/event-channel = ""   (n5)'
		device 5 mydevice 0 0 fixed
		device 5 accel 3 9 auto 'front.mode=1\n'
		echo '/xensplit/5/accel/next-devid = "4"   (n0)'
	} >"$store"
}

device() # DOMID TYPE DEVID BACKEND listed [KEYS]
{
	local front=/local/domain/$1/device/$2/$3 back=/local/domain/$4/backend/$2/$1/$3

	cat <<-EOT
		/xensplit/$1/$2/$3 = "schema=1\nbackend-id=$4\nlisted=$5\nunique-id=1f\n${6-}"   (n0)
		/local/domain/$1/device/$2 = ""   (n0,r$1)
		$front = ""   (n$1,r$4)
		$front/backend = "$back"   (n0,r$1,r$4)
		$front/backend-id = "$4"   (n0,r$1,r$4)
		$front/state = "4"   (n$1,r$4)
		/local/domain/$4/backend = ""   (n0)
		/local/domain/$4/backend/$2/$1 = ""   (n0)
		$back = ""   (n$4,r$1)
		$back/frontend = "$front"   (n$4,r$1)
		$back/online = "1"   (n$4,r$1)
		$back/state = "4"   (n$4,r$1)
	EOT
}

# finds TEXT: the checker prints this
finds()
{
	run "$check" "$expected" "$store"
	[[ $status -eq 1 ]] || return 1
	grep -qF -e "$1" <<<"$output" || {
		echo "$output"
		return 1
	}
}

accepts()
{
	run "$check" "$expected" "$store"
	echo "$output"
	[[ $status -eq 0 && -z $output ]]
}

change() # SED-COMMAND: in the store
{
	sed -i "$1" "$store"
}

@test "a store as expected" {
	accepts
}

@test "no store at all" {
	: >"$store"
	finds "is not a store"
	finds "5 mydevice/0: there is none"
	finds "5 accel/auto: there is none"
}

@test "a device that is missing, or too many" {
	echo 'device 5 mydevice 1 0' >>"$expected"
	finds "5 mydevice/1: there is none"
	sed -i '/ mydevice /d' "$expected"
	finds "5 mydevice/0: no file names it"
}

@test "half a device" {
	change '\|^/xensplit/5/mydevice|d'
	finds "5 mydevice/0: there is none"
	finds "/local/domain/5/device/mydevice/0: belongs to no device"
	finds "/local/domain/0/backend/mydevice/5/0: belongs to no device"
}

@test "another backend, other keys, another kind of entry" {
	sed -i 's/accel auto 9/accel auto 0/' "$expected"
	finds "5 accel/auto: there is none"
	sed -i 's/accel auto 0 mode=1/accel 3 9 mode=2/' "$expected"
	finds "5 accel/3: listed is auto"
	change 's/listed=auto/listed=fixed/'
	finds "5 accel/3: its keys are front.mode=1"
	sed -i 's/mydevice 0 0/mydevice 0 9/' "$expected"
	finds "5 mydevice/0: its backend's domain is 0"
	finds "5 mydevice/0: its backend is not in /local/domain/9/backend/mydevice/5/0"
}

@test "extra keys that the file does not have" {
	sed -i 's/ mode=1//' "$expected"
	finds "5 accel/auto: there is none"
}

@test "an interrupted replacement, of good drivers only" {
	change '/^.xensplit.5.mydevice/s/listed/phase=replace\\nlisted/'
	finds "5 mydevice/0: its phase is replace"
	sed -i 's/vm0 good/vm0 bad/' "$expected"
	accepts
}

@test "states: those of good drivers only" {
	change '\|/backend/mydevice/5/0/state|s/"4"/"2"/'
	finds "5 mydevice/0: its states are 4/2"
	sed -i 's/vm0 good/vm0 bad/' "$expected"
	accepts
	change '\|^/xensplit/5/mydevice|d'
	finds "5 mydevice/0: there is none"
}

@test "owners, and a frontend that points elsewhere" {
	change '\|device/mydevice/0 = |s/n5,/n0,/'
	finds "5 mydevice/0: its frontend belongs to n0"
	change '\|device/mydevice/0/backend-id|s/"0"/"9"/'
	finds "5 mydevice/0: its frontend has another backend"
}

@test "what dead domains left" {
	echo '/xensplit/7/mydevice/next-devid = "1"   (n0)' >>"$store"
	finds "/xensplit/7/mydevice/next-devid: domain 7 does not exist"
	change '\|^/xensplit/7|d'
	echo '/local/domain/0/backend/mydevice/7 = ""   (n0)' >>"$store"
	finds "/local/domain/0/backend/mydevice/7: domain 7 does not exist"
	change '\|backend/mydevice/7 |d'
	echo '/local/domain/0/error/backend/mydevice/7 = ""   (n0)' >>"$store"
	finds "/local/domain/0/error/backend/mydevice/7: domain 7 does not exist"
	change '\|error|d'
	echo '/local/domain/7/device/accel = ""   (n0,r7)' >>"$store"
	finds "/local/domain/7/device/accel: domain 7 does not exist"
	change '\|^/local/domain/7|d'
	sed -i '/drv0/d' "$expected"
	finds "/local/domain/9/backend: domain 9 does not exist"
}

@test "a bad domain's device that is closing, and one that is not" {
	device 5 mydevice 8 0 fixed >>"$store"
	change '\|mydevice/5/8/online|s/1/0/'
	finds "5 mydevice/8: no file names it"
	sed -i 's/vm0 good/vm0 bad/' "$expected"
	accepts
	device 5 mydevice 9 9 fixed >>"$store"
	finds "5 mydevice/9: no file names it"
	change '\|mydevice/5/9/online|s/1/0/'
	accepts
	sed -i '/drv0/d' "$expected"
	finds "5 mydevice/9: no file names it"
}
