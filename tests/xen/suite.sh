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
	# Where Linux 7 has it.
	[[ -e $KERNEL ]] || KERNEL=$SYSROOT/usr/lib/modules/$KVER/vmlinuz
	XEN=$(newest "$SYSROOT/boot/xen-*.gz")
	XEN_BIN=$(newest "$SYSROOT/usr/lib/xen-[0-9]*/bin")
	XEN_BIN=${XEN_BIN#"$SYSROOT"}

	[[ -r $KERNEL ]] || die "$KERNEL is missing"
	[[ -n $XEN ]] || die "no hypervisor in $SYSROOT/boot"
	[[ -n $XEN_BIN ]] || die "no Xen tools in $SYSROOT/usr/lib"
	[[ -e $SYSROOT/lib/modules/$KVER/modules.dep ]] || in_suite depmod "$KVER"
}

# From 7.2 on, the kernel asks a script whether sparse can read its headers, and does without if not. In
# Debian's packages of the headers that script is missing.
sparse_is_new()
{
	# shellcheck disable=SC2016 # for the inner shell
	[[ -z $(in_suite sh -c 'echo "static __typeof_unqual__(1) x;" | sparse -' 2>&1) ]]
}

# driver_build SOURCE FOLDER [VARIABLE=VALUE...]: builds a driver for the suite's kernel. The output
# of make is in FOLDER/NAME.log. The folder must be in $O, the source can be anywhere.
driver_build()
{
	local name=${1##*/}
	local -a check=()

	[[ " ${*:3} " != *' C=1 '* ]] || ! sparse_is_new || check=(KBUILD_CHECKSRC=1)
	mkdir -p "$2"
	if ! "$TOP/tests/setup/inside" --bind "$TOP" --bind "$O" --bind "$1" "$SYSROOT" \
		make -C "$1" KDIR="$KDIR" M="$2/$name" "${@:3}" "${check[@]}" >"$2/$name.log" 2>&1; then
		cat "$2/$name.log" >&2
		die "$name does not build"
	fi
}

# modules_build FOLDER [VARIABLE=VALUE...]: builds the example modules
modules_build()
{
	local file

	for file in "$TOP"/modules/*/Makefile; do
		driver_build "${file%/Makefile}" "$@"
	done
}
