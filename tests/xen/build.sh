# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Sourced by run and shell: builds what a machine boots, in $DIR, and boots it. They have set HERE, TOP
# and O, and called suite_find.

# Other builds wait: a scenario and a shell use the same tool and the same modules.
build_lock()
{
	exec {lock}>"$DIR/lock"
	flock "$lock"
}

build_unlock()
{
	exec {lock}>&-
}

# ---- modules

# Builds the modules of a folder below $O whose Makefile is written for the kernel.
kernel_build() # FOLDER [VARIABLE=VALUE...]
{
	in_suite make -C "$KDIR" M="$1" CONFIG_DEBUG_INFO_BTF_MODULES= "${@:2}" modules
}

# Drivers for scenarios only.
build_probe_only()
{
	local dir=$DIR/probe-only

	mkdir -p "$dir"
	cp -u "$HERE"/probe-only/* "$dir/"
	if ! kernel_build "$dir" W=1 >"$dir.log" 2>&1; then
		cat "$dir.log" >&2
		die "probe-only does not build"
	fi
}

# Drivers as their authors begin them, from both examples.
build_new_drivers()
{
	rm -rf "$DIR/new"
	mkdir "$DIR/new"
	"$TOP/modules/new-driver" acme "$DIR/new/acme" >/dev/null
	"$TOP/modules/new-driver" my-gizmo "$DIR/new/my-gizmo" --from mydevice >/dev/null
	driver_build "$DIR/new/acme" "$DIR" W=1
	driver_build "$DIR/new/my-gizmo" "$DIR" W=1
}

# user_build FOLDER: builds a copy of somebody's driver in $DIR/user, whatever its Makefile does when
# it is called otherwise than by the kernel. The modules can be in subfolders. What make prints is in
# $DIR/user.log.
user_build()
{
	local dir=$DIR/user file
	local -a folders=()

	grep -qsxF -e "$1" "$dir.from" || rm -rf "$dir"
	mkdir -p "$dir"
	echo "$1" >"$dir.from"
	# Modification times are kept, so that only what has changed is built again.
	tar -C "$1" --exclude-vcs --exclude='*.o' --exclude='*.ko' --exclude='*.mod' --exclude='*.mod.c' \
		--exclude='.*.cmd' --exclude=Module.symvers --exclude=modules.order -c . | tar -C "$dir" -x
	find "$dir" -name '*.ko' -delete
	: >"$dir.log"
	if [[ -e $1/Makefile || -e $1/Kbuild ]]; then
		folders=("$dir")
	else
		for file in "$1"/*/Makefile; do
			[[ ! -e $file ]] || folders+=("$dir/$(basename "${file%/Makefile}")")
		done
	fi
	((${#folders[@]})) || { echo "no Makefile in $1" >"$dir.log"; return 1; }
	for file in "${folders[@]}"; do
		kernel_build "$file" >>"$dir.log" 2>&1 || return 1
	done
	[[ -n $(find "$dir" -name '*.ko') ]] || { echo "no module was built in $1" >>"$dir.log"; return 1; }
}

# modinfo_of MODULE.ko FIELD
modinfo_of()
{
	readelf -p .modinfo "$1" | sed -n "s/^ *\[[^]]*\]  $2=//p"
}

# types_of MODULE.ko...: prints the types of devices that these are drivers of
types_of()
{
	local file

	for file; do
		modinfo_of "$file" alias | sed -nE 's/^xen(-backend)?://p'
	done | sort -u
}

# end_of MODULE.ko: prints front, back or other: by its alias, and if it has none, by its name
end_of()
{
	case $(modinfo_of "$1" alias)$(basename "$1" .ko) in
	*xen-backend:*) echo back ;;
	*xen:*) echo front ;;
	*front*) echo front ;;
	*back*) echo back ;;
	*) echo other ;;
	esac
}

# ---- programs

# The tool built in that release, with its compiler and libraries, and installed like a user's.
build_tool()
{
	INSTALLED=$DIR/root
	rm -rf "$INSTALLED"
	if ! in_suite make -C "$TOP" O="$DIR/build" DESTDIR="$INSTALLED" PREFIX=/usr install \
		>"$DIR/tool.log" 2>&1; then
		cat "$DIR/tool.log" >&2
		die "xensplit does not build"
	fi
}

# Prints the libraries, as pkg-config knows them, that a line of a source names.
needs_of() # SOURCE
{
	sed -n 's|^/\* needs: \(.*\) \*/$|\1|p' "$1"
}

# A program built like a user's: with what pkg-config prints for the installed library.
add_user_of_library() # SOURCE
{
	local name pc flags needs

	name=$(basename "$1" .c)
	needs=$(needs_of "$1")
	pc=$(find "$INSTALLED" -name libxensplit.pc -print -quit)
	[[ -n $pc ]] || die "no libxensplit.pc in $INSTALLED"
	# shellcheck disable=SC2086 # words
	flags=$(in_suite env "PKG_CONFIG_PATH=$(dirname "$pc")" \
		"PKG_CONFIG_SYSROOT_DIR=$INSTALLED" pkg-config --cflags --libs libxensplit xenstore $needs)
	# shellcheck disable=SC2086 # words
	in_suite cc -D_GNU_SOURCE -o "$DIR/$name" "$1" $flags
	add_elf "$DIR/$name" "/tests/$name" "$(dirname "$(dirname "$pc")")"
}

# To /tests/preload-NAME.so.
add_preload() # SOURCE
{
	local name

	name=preload-$(basename "$1" .c).so
	in_suite cc -shared -fPIC -D_GNU_SOURCE -o "$DIR/$name" "$1"
	add_elf "$DIR/$name" "/tests/$name"
}

# A program for guests, to /tests/NAME.
add_guest_program() # SOURCE
{
	local name needs flags=

	name=$(basename "$1" .c)
	needs=$(needs_of "$1")
	# shellcheck disable=SC2086 # words
	[[ -z $needs ]] || flags=$(in_suite pkg-config --cflags --libs $needs)
	# shellcheck disable=SC2086 # words
	in_suite cc -O2 -D_GNU_SOURCE -o "$DIR/guest-$name" "$1" $flags
	add_elf "$DIR/guest-$name" "/tests/$name"
}

# ---- images

# guest_image NAME MODULE...: prints the path
guest_image()
{
	local file

	image_new
	add_base
	add_modules "$1" xen-blkfront xen-netfront xen-evtchn xen-gntdev xen-gntalloc "${@:2}"
	for file in "$HERE"/guest/*.c; do
		add_guest_program "$file"
	done
	add_user_of_library "$TOP/examples/echo-backend.c"
	add "$HERE/guest-init" /init
	add "$HERE/unload" /tests/unload
	image_build "$1"
}

# dom0_image NAME GUEST-IMAGE MODULE...: prints the path. more_files has what else is in it, as
# "path in the image" = "file here".
declare -A more_files=()
dom0_image()
{
	local file

	image_new
	add_base
	add_modules "$1" xen-privcmd xenfs xen-evtchn xen-gntdev xen-gntalloc \
		xen-blkback xen-netback loop brd "${@:3}"
	for file in xl xenstored xenstore-control xenconsoled xenconsole xen-init-dom0 libxl-save-helper; do
		add_program "$XEN_BIN/$file"
	done
	add_program /usr/bin/jq
	add_installed "$INSTALLED"
	add_user_of_library "$TOP/examples/toolstack.c"
	add_user_of_library "$TOP/examples/echo-backend.c"
	for file in "$HERE"/*.c; do
		add_user_of_library "$file"
	done
	add_guest_program "$HERE/guest/speed.c"
	for file in "$HERE"/preload/*.c; do
		add_preload "$file"
	done
	add "$VMLINUX" /tests/vmlinux
	add "$2" /tests/guest.cpio
	add "$HERE/dom0-init" /init
	for file in lib.sh echo.sh run-one unload; do
		add "$HERE/$file" "/tests/$file"
	done
	for file in "${!more_files[@]}"; do
		add "${more_files[$file]}" "$file"
	done
	printf '%s=%q\n' XEN_BIN "$XEN_BIN" TYPES "$(types_of "${@:3}" | paste -sd ' ')" >"$DIR/env"
	add "$DIR/env" /tests/env
	image_build "$1"
}

# build_images NAME MODULE...: sets DOM0 and VMLINUX, and unpacks the hypervisor. Images of different
# NAMEs can exist at the same time. Guests have all modules, as they may be driver domains; dom0 has no
# frontends.
build_images()
{
	local name=$1 file guest
	local -a back=()

	for file in "${@:2}"; do
		[[ $(end_of "$file") == front ]] || back+=("$file")
	done
	VMLINUX=$(vmlinux_of "$KERNEL")
	guest=$(guest_image "${name}guest" "${@:2}")
	# shellcheck disable=SC2034 # for those who boot it
	DOM0=$(dom0_image "${name}dom0" "$guest" "${back[@]}")
	[[ $DIR/xen -nt $XEN ]] || gunzip -c "$XEN" >"$DIR/xen"
}

# ---- the machine

# boot MEMORY PROCESSORS WORDS OPTION...: becomes QEMU. WORDS are arguments of dom0's kernel.
#
# The processor has no XSAVE, because with QEMU 7.2's emulation programs crash at random once Xen
# switches between domains. It has no SMAP, because dom0 would not boot. A comma in the arguments
# of a module has to be doubled. The kernel checks what lies around memory that drivers allocate, and
# freed memory, and says "BUG kmalloc-..."; the same in guests (guest_config).
boot()
{
	exec qemu-system-x86_64 -accel tcg,thread=multi -cpu qemu64,+svm,+npt \
		-smp "$2" -m "$1" -display none -no-reboot -nic none \
		-kernel "$DIR/xen" -append "console=com1 com1=115200,8n1 dom0_mem=1024M,max:1024M" \
		-initrd "$VMLINUX console=hvc0 slub_debug=FZP,,kmalloc-* $3,$DOM0" "${@:4}"
}
