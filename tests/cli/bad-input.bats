#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Bad input gets one clear line and the right exit status, and does not change the store.

load common

@test "an invalid device: exit 2" {
	for device in "" / mydevice/ /0 //0 mydevice/3x mydevice/x a/b/c mydevice/0/ mydevice//0 \
		mydevice/-1 mydevice/+1 'mydevice/ 1' mydevice/4294967295 mydevice/99999999999999999999 \
		mydevice/1.0 mydevice/0x1 mydevice/AUTO; do
		refused 2 "'$device' is not a device: use TYPE or TYPE/DEVID" attach 5 "$device"
	done
	for verb in detach show wait; do
		refused 2 "'mydevice/3x' is not a device" "$verb" 5 mydevice/3x
	done
	refused 2 '\x0a' attach 5 $'mydevice/\n'
	for verb in detach show wait; do
		refused 2 "'mydevice/auto' is not a device: use TYPE or TYPE/DEVID" "$verb" 5 mydevice/auto
	done
}

@test "a type that is not one path element: exit 2 (pitfall 23)" {
	for type in "my device" my.device mydevice: 'my@device' '..' $'my\ndevice' 'mÿ'; do
		refused 2 "is not a device type" attach 5 "$type"
	done
	for verb in detach show wait; do
		refused 2 " type" "$verb" 5 "my device"
	done
}

@test "a bus id of 20 or more characters: exit 2 with the calculation (pitfall 10)" {
	refused 2 "20 characters" attach 5 mydevice01234567/0 -n
	refused 2 "'mydevice01234567-5-0' has 16 + 1 + 1 + 1 + 1 = 20 characters" \
		attach 5 mydevice01234567/0 --no-wait
	refused 2 "= 20 characters" attach 5 mydevice/123456789
	refused 2 "= 27 characters" attach 5 thisisaveryverylongtype
	does attach 5 mydevice0123456/0 --no-wait # 19
	does attach 5 mydevice/12345678 --no-wait
}

@test "a type that libxl manages: exit 2 (pitfall 21)" {
	for type in vif vbd qdisk tap pci vfb vkbd console vtpm vusb qusb 9pfs vdispl vuart pvcalls \
		vsnd vinput virtio virtio_disk vbd3 xen_9pfs; do
		refused 2 "libxl manages devices of type '$type'" attach 5 "$type" --no-wait
	done
}

@test "an invalid or unknown domain: exit 2 or 3 (pitfalls 6, 19)" {
	for verb in attach detach show wait list; do
		refused 2 "$verb: the name of the domain is empty" "$verb" ""
		refused 2 "'5x' is neither a domid nor a domain name" "$verb" 5x
		refused 3 "no such domain: 32752" "$verb" 32752
	done
	refused 3 "no such domain: '-'" attach -
	refused 3 "no such domain: ' 5'" attach " 5"
	refused 3 "no such domain: '\x1b[31m'" attach $'\e[31m'
	refused 3 "no such domain: 99999999999999999999" attach 99999999999999999999
	refused 3 "no such domain: 99" attach 99
	refused 3 "no such domain: 99" attach 99 --no-wait
	refused 3 "no such domain: 99" attach 5 -b 99
	refused 3 "no such domain: 'guest9'" attach 5 -b guest9
	refused 2 "empty" attach 5 -b ""
}

@test "a name that two domains share: exit 2" {
	"$SANDBOX" create 7 --name guest6
	refused 2 "2 domains have the name 'guest6'" attach guest6
	does attach 7 --no-wait
}

@test "a dead domain gets no device (pitfalls 6, 19)" {
	"$SANDBOX" kill 6
	refused 3 "no such domain: 6" attach 6
	refused 3 "no such domain: 6" attach 5 -b 6
	refused 3 "no such domain: 'guest6'" attach guest6
}

@test "keys of the schema, or that are not a path element: exit 2 (pitfall 23)" {
	for key in backend backend-id state; do
		refused 2 "'$key' is written by xensplit itself" attach 5 --no-wait -F "$key=1"
	done
	for key in frontend frontend-id online state; do
		refused 2 "'$key' is written by xensplit itself" attach 5 --no-wait -B "$key=1"
	done
	for key in a/b a.b 'a b' ../state $'a\nb'; do
		refused 2 "key" attach 5 --no-wait -F "$key=1"
		refused 2 "key" attach 5 --no-wait -B "$key=1"
	done
	refused 2 "twice" attach 5 --no-wait -F a=1 -F a=2
	refused 2 "KEY=VALUE" attach 5 --no-wait -F =1
	refused 2 "KEY=VALUE" attach 5 --no-wait -F key
	refused 2 "KEY=VALUE" attach 5 --no-wait -F ""
	refused 2 "key" attach 5 --no-wait -F "$(printf 'k%.0s' {1..300})=1"
}

@test "a value of more than 2048 bytes: exit 2 (pitfall 23)" {
	refused 2 "2048" attach 5 --no-wait -B "long=$(printf 'x%.0s' {1..2049})"
	refused 2 "2048" attach 5 --no-wait -F "long=$(printf 'x%.0s' {1..70000})"
}

@test "attached already: exit 5" {
	does attach 5 --no-wait
	refused 5 "attach 5 mydevice/0: already attached (frontend Initialising, backend Initialising)" \
		attach 5
	refused 5 "already attached" attach guest5 mydevice/0 --no-wait --json
	refused 5 "already attached" attach 5 -b 6
}

@test "a device made by a script is in the way: exit 5" {
	xenstore-write /local/domain/0/backend/mydevice/5/0/state 2
	refused 5 "/local/domain/0/backend/mydevice/5/0 exists, and xensplit did not make it" attach 5
	refused 5 "did not make it" attach 5 --no-wait
	tries "add --replace, which removes it first"
}

@test "options refuse invalid values" {
	refused 2 "--timeout '5x'" attach 5 --timeout 5x
	refused 2 "--until 'x'" wait 5 --until x
	refused 2 "--until 'a\\x1bb'" wait 5 --until $'a\033b'
	refused 2 "--front 'a\\x1bb'" attach 5 --front $'a\033b'
	refused 2 "--json and --raw exclude each other" list --json --raw
	refused 2 "the columns are" list -o x
	refused 2 "unrecognized option '--bogus'" attach 5 --bogus
	refused 2 "the arguments are DOMAIN [TYPE[/DEVID]]" attach
	refused 2 "the arguments are DOMAIN [TYPE[/DEVID]]" attach 5 mydevice 0
}

@test "a number where the type belongs: exit 2, with a hint" {
	for type in 1 07 1/0 1/auto; do
		refused 2 "'${type%%/*}' is not a device type" attach 5 "$type"
		tries "TYPE/DEVID, such as mydevice/1"
	done
}

@test "a domain where the type belongs: exit 2, with a hint" {
	refused 2 "'guest6' is a domain, not a device type" attach guest5 guest6
	tries "--backend=guest6, if its backend is there"
	refused 2 "'guest5' is a domain, not a device type" attach 5 guest5 --no-wait
	# with a DEVID it is meant as a type
	does attach 5 guest6/0 --no-wait
	does detach 5 guest6/0
}
