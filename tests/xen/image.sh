# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Sourced by run: initramfs images, named by a hash of their contents, so that an image is only built
# if something has changed. An image is a list of "path in the image" = "file here". Needs no root,
# because the kernels create /dev/console and devtmpfs.

declare -A image # path in the image -> file here

image_new()
{
	image=()
}

add() # FILE PATH
{
	[[ -r $1 ]] || die "$1 can't be read, and the image needs it"
	image[$2]=$1
}

# The image has all libraries in this folder, where the loader finds them without an ld.so.cache.
LIB_DIR=/usr/lib/x86_64-linux-gnu

find_library() # NAME [FOLDER...]: prints the path of the file
{
	local name=$1 dir
	shift

	for dir in "$@" "$SYSROOT"{/usr,}/lib{/x86_64-linux-gnu,}; do
		if [[ -e $dir/$name ]]; then
			echo "$dir/$name"
			return
		fi
	done
	die "library $name not found"
}

# add_elf FILE PATH [FOLDER...]: adds a program or library and all its libraries; FOLDERs have
# libraries from outside the suite.
add_elf()
{
	local name lib
	local -a needed

	add "$1" "$2"
	mapfile -t needed < <(readelf -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p')
	for name in "${needed[@]}"; do
		if [[ -z ${image[$LIB_DIR/$name]-} ]]; then
			lib=$(find_library "$name" "${@:3}")
			add_elf "$lib" "$LIB_DIR/$name" "${@:3}"
		fi
	done
}

add_program() # PATH: adds a program of the suite under the same path
{
	add_elf "$SYSROOT$1" "$1"
}

# Contents of every image: the loader, bash, busybox for other commands, the XenStore clients.
add_base()
{
	local verb

	# The end of a thread needs this library, which nothing links.
	add_elf "$(find_library libgcc_s.so.1)" "$LIB_DIR/libgcc_s.so.1"
	add_program /usr/bin/bash
	add "$SYSROOT/bin/busybox" /usr/bin/busybox
	add "$SYSROOT/lib64/ld-linux-x86-64.so.2" /usr/lib64/ld-linux-x86-64.so.2
	for verb in chmod exists list ls read rm watch write; do
		add_program "/usr/bin/xenstore-$verb"
	done
}

# add_modules IMAGE MODULE...: adds kernel modules, of the suite by name, others by path, and the
# lists for modprobe.
add_modules()
{
	local root=$DIR/modules-$1 dir module file
	local -a files=() found
	shift

	rm -rf "$root"
	dir=$root/lib/modules/$KVER
	mkdir -p "$dir"
	for module; do
		if [[ $module == */* ]]; then
			found=("$module")
		else
			mapfile -t found < <(in_suite modprobe -S "$KVER" --show-depends "$module" |
				sed -n "s|^insmod \([^ ]*\).*|$SYSROOT\1|p")
		fi
		((${#found[@]})) || die "kernel $KVER has no module $module"
		files+=("${found[@]}")
	done
	for file in "${files[@]}"; do
		case $file in
		*.xz) xz -dc "$file" > "$dir/$(basename "$file" .xz)" ;;
		*.zst) zstd -qdc "$file" > "$dir/$(basename "$file" .zst)" ;;
		*) cp "$file" "$dir/" ;;
		esac
	done
	touch "$dir"/modules.{order,builtin,builtin.modinfo}
	in_suite depmod -b "$root" "$KVER"
	for file in "$dir"/*.ko "$dir"/modules.{dep,alias,symbols}; do
		add "$file" "/usr/lib/modules/$KVER/$(basename "$file")"
	done
}

# Adds the tool and its plugins from `make install DESTDIR=`, with their library, like those of the
# suite.
add_installed() # DESTDIR
{
	local file
	local -a libs

	mapfile -t libs < <(find "$1" -name 'libxensplit.so*' -printf '%h\n' | sort -u)
	while IFS= read -r file; do
		add_elf "$file" "${file#"$1"}" "${libs[@]}"
	done < <(find "$1" -type f \( -path '*bin/*' -o -path '*/xensplit/*.so' \) | sort)
}

# image_list: prints the contents of the image, one file per line
image_list()
{
	local path

	for path in "${!image[@]}"; do
		printf '%s %s\n' "$path" "${image[$path]}"
	done | sort | while read -r path file; do
		printf '%s %s %s\n' "$path" "$(stat -Lc %a "$file")" "$(sha256sum < "$file")"
	done
}

# image_build NAME: builds the image and prints its path. Removes other images of that name.
image_build()
{
	local file stage path

	file=$DIR/$1-$( { cat "$HERE/image.sh"; image_list; } | sha256sum | cut -c 1-16).cpio
	if [[ ! -e $file ]]; then
		stage=$(mktemp -d "$DIR/stage.XXXXXX")
		mkdir -p "$stage"/{dev,proc,sys,tmp,run,root,etc/xen} "$stage"/usr/{bin,sbin,lib,lib64} \
			"$stage"/var/{lib/xen,lib/xenstored,log/xen/console}
		: > "$stage/etc/xen/xl.conf"
		ln -s usr/bin usr/sbin usr/lib usr/lib64 "$stage"
		ln -s ../run "$stage/var/run"
		for path in "${!image[@]}"; do
			mkdir -p "$stage${path%/*}"
			cp -L "${image[$path]}" "$stage$path"
		done
		ln -s bash "$stage/usr/bin/sh"
		rm -f "$DIR/$1"-*.cpio
		(cd "$stage" && find . | sort | cpio --quiet -o -H newc -R 0:0) > "$file.new"
		mv "$file.new" "$file"
		rm -rf "$stage"
	fi
	echo "$file"
}

# vmlinux_of BZIMAGE: unpacks the kernel, for both Xen and xl, and prints the path. This saves the
# time to unpack it at each boot, which is long if every instruction is emulated. If the format is
# unknown, uses the kernel as it is.
vmlinux_of()
{
	local file unpack magic offset

	file=$DIR/vmlinux-$(sha256sum < "$1" | cut -c 1-16)
	if [[ ! -e $file ]]; then
		while read -r unpack magic; do
			while IFS=: read -r offset _; do
				tail -c "+$((offset + 1))" "$1" | "$unpack" -dcq > "$file.new" 2>/dev/null || :
				if readelf -h "$file.new" >/dev/null 2>&1; then
					rm -f "$DIR"/vmlinux-????????????????
					mv "$file.new" "$file"
					break 2
				fi
			done < <(LC_ALL=C grep -aboP "$magic" "$1")
		done <<-'EOT'
			xz \xfd7zXZ\x00
			zstd \x28\xb5\x2f\xfd
			gzip \x1f\x8b\x08\x00
			lz4 \x02\x21\x4c\x18
		EOT
		rm -f "$file.new"
		[[ -e $file ]] || file=$1
	fi
	echo "$file"
}
