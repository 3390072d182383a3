# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Sourced by run: where the files of a Debian suite are. Everything else looks them up through
# these variables and knows no release by name.
#
#   SYSROOT   folder the suite is installed in; empty for the machine's own
#   KVER      kernel release
#   KERNEL    its bzImage
#   KDIR      its build tree, for modules, as a path inside the suite
#   XEN       the hypervisor, compressed as packaged
#   XEN_BIN   folder of Xen's own programs, as a path inside the suite

host_suite()
{
	sed -n 's/^VERSION_CODENAME=//p' /etc/os-release
}

# newest PATTERN: the file of the highest version that matches
newest()
{
	compgen -G "$1" | sort -V | tail -n 1
}

# suite_packages: what a folder of another release needs, of the one list
suite_packages()
{
	sed -n -e '/^# \(build\|xen\)\>/,/^$/ { /^[^#]/p }' "$TOP/tests/setup/packages"
}

# suite_make NAME: an installed Debian in a folder, named by what makes it so
suite_make()
{
	local -a packages

	mapfile -t packages < <(suite_packages)
	SYSROOT=$O/xen/debian-$1-$( { cat "$TOP"/tests/setup/{debian,sources,inside}; echo "${packages[@]}"; } |
		sha256sum | cut -c 1-16)
	if [[ ! -d $SYSROOT ]]; then
		rm -rf "$O/xen/debian-$1-"*
		echo "# Debian $1 with ${packages[*]}"
		"$TOP/tests/setup/debian" "$1" "$SYSROOT" "${packages[@]}"
	fi
}

# in_suite COMMAND...: runs it where the compiler and the headers of the suite are
in_suite()
{
	if [[ -n $SYSROOT ]]; then
		"$TOP/tests/setup/inside" --bind "$TOP" --bind "$O" "$SYSROOT" "$@"
	else
		"$@"
	fi
}

suite_find() # NAME
{
	local build

	SYSROOT=
	[[ $1 == "$(host_suite)" ]] || suite_make "$1"

	# The newest kernel whose headers are there too; its "build" may lead out of a folder.
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
}
