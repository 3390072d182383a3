# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Sourced by run: finds the files of a Debian suite. Everything else uses these variables and does
# not know the names of releases.
#
#   SYSROOT   folder the suite is unpacked in
#   KVER      kernel release
#   KERNEL    its bzImage
#   KDIR      its build tree, for modules, as a path inside the suite
#   XEN       the hypervisor, compressed as packaged
#   XEN_BIN   folder of Xen's own programs, as a path inside the suite

# newest PATTERN: prints the matching file with the highest version
newest()
{
	compgen -G "$1" | sort -V | tail -n 1
}

# in_suite COMMAND...: runs it with the compiler and the headers of the suite
in_suite()
{
	"$TOP/tests/setup/inside" --bind "$TOP" --bind "$O" "$SYSROOT" "$@"
}

suite_find() # NAME
{
	local build

	SYSROOT=$("$TOP/tests/setup/release" "$1")

	# The newest kernel with headers; its "build" may be a link that leads out of a folder.
	build=$(newest "$SYSROOT/usr/src/linux-headers-*-amd64")
	[[ -n $build ]] || die "no kernel with headers in $SYSROOT/usr/src"
	KVER=${build##*/linux-headers-}
	# shellcheck disable=SC2034 # for run
	KDIR=/lib/modules/$KVER/build
	KERNEL=$SYSROOT/boot/vmlinuz-$KVER
	XEN=$(newest "$SYSROOT/boot/xen-*.gz")
	XEN_BIN=$(newest "$SYSROOT/usr/lib/xen-[0-9]*/bin")
	XEN_BIN=${XEN_BIN#"$SYSROOT"}

	[[ -r $KERNEL ]] || die "$KERNEL is missing"
	[[ -n $XEN ]] || die "no hypervisor in $SYSROOT/boot"
	[[ -n $XEN_BIN ]] || die "no Xen tools in $SYSROOT/usr/lib"
	[[ -e $SYSROOT/lib/modules/$KVER/modules.dep ]] || in_suite depmod "$KVER"
}

# modules_build FOLDER [VARIABLE=VALUE...]: builds the example modules for the suite's kernel. The
# output of make for each is in FOLDER/NAME.log.
modules_build()
{
	local name

	mkdir -p "$1"
	for name in mydevicefront mydeviceback; do
		if ! in_suite make -C "$TOP/modules/$name" KDIR="$KDIR" M="$1/$name" "${@:2}" \
			>"$1/$name.log" 2>&1; then
			cat "$1/$name.log" >&2
			die "$name does not build"
		fi
	done
}
