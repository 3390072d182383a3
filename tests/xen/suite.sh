# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Sourced by run: where the files of a Debian suite are. Everything else looks them up through
# these variables and knows no release by name.
#
#   SYSROOT   folder the packages of the suite are unpacked in; empty for the machine's own
#   KVER      kernel release
#   KERNEL    its bzImage
#   KDIR      its build tree, for modules
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

suite_find() # NAME
{
	local modules

	if [[ $1 != "$(host_suite)" ]]; then
		die "no packages of $1 here; this machine has $(host_suite)"
	fi
	SYSROOT=

	# The newest kernel whose headers are there too.
	modules=$(newest "$SYSROOT/lib/modules/*/build")
	[[ -n $modules ]] || die "no kernel with headers in $SYSROOT/lib/modules"
	# shellcheck disable=SC2034 # for image.sh
	KDIR=$modules
	KVER=$(basename "$(dirname "$modules")")
	KERNEL=$SYSROOT/boot/vmlinuz-$KVER
	XEN=$(newest "$SYSROOT/boot/xen-*.gz")
	XEN_BIN=$(newest "$SYSROOT/usr/lib/xen-[0-9]*/bin")
	XEN_BIN=${XEN_BIN#"$SYSROOT"}

	[[ -r $KERNEL ]] || die "$KERNEL is missing"
	[[ -n $XEN ]] || die "no hypervisor in $SYSROOT/boot"
	[[ -n $XEN_BIN ]] || die "no Xen tools in $SYSROOT/usr/lib"
}
