# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Sourced by the scripts of this folder, and by readers of the list of packages.

setup_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Downloads and unpacked packages. Builds within a build share one folder.
debian_dir=$(realpath -m "${DEBIAN_DIR:-${O:-$setup_dir/../../build}/debian}")

own_release()
{
	sed -n 's/^VERSION_CODENAME=//p' /etc/os-release
}

# group NAME...: prints the packages of these groups, one per line
group()
{
	local name

	for name; do
		sed -n "/^# $name\>/,/^\$/ { /^[^#]/p }" "${PACKAGES:-$setup_dir/packages}"
	done | sort -u
}

# apt_in FOLDER COMMAND...: runs a command of apt with its own sources, lists and downloads in that
# folder and no installed packages. Needs no root.
apt_in()
{
	local option
	local -a options=()

	for option in Acquire::Retries=3 Acquire::http::Timeout=30 APT::Sandbox::User= \
		APT::Default-Release= Dir::Etc::SourceList="$1/sources.list" \
		Dir::Etc::SourceParts=/dev/null Dir::Etc::Preferences=/dev/null \
		Dir::Etc::PreferencesParts=/dev/null Dir::State="$1" Dir::State::Lists="$1/lists" \
		Dir::State::Status="$1/status" Dir::Cache="$1" Dir::Cache::pkgcache=pkgcache.bin \
		Dir::Cache::srcpkgcache=srcpkgcache.bin; do
		options+=(-o "$option")
	done
	"$2" "${options[@]}" "${@:3}"
}

# apt_folder FOLDER TYPE LINE...: creates a folder for apt_in; TYPE is deb or deb-src, a LINE is one
# from tests/setup/sources
apt_folder()
{
	local line

	mkdir -p "$1"/{lists,archives}/partial
	[[ -e $1/status ]] || : >"$1/status"
	for line in "${@:3}"; do
		echo "$2 [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $line"
	done >"$1/sources.list.new"
	# A file newer than apt's cache makes it read all lists again.
	if ! cmp -s "$1/sources.list"{.new,}; then
		cp "$1/sources.list"{.new,}
	fi
}

# apt_release SUITE: prints the folder of a Debian release for apt_in. Fetches its lists if there are
# none; `apt_in FOLDER apt-get update` gets newer ones.
apt_release()
{
	local folder=$debian_dir/$1/apt
	local -a lines

	mapfile -t lines < <("$setup_dir/sources" "$1")
	if [[ -z ${lines[*]} ]]; then
		echo "apt of this machine has no mirror of Debian" >&2
		return 1
	fi
	apt_folder "$folder" deb "${lines[@]}"
	if ! compgen -G "$folder/lists/*_Packages*" >/dev/null; then
		# Use this machine's lists instead of fetching them again.
		cp -n /var/lib/apt/lists/*_dists_"$1"* "$folder/lists/" 2>/dev/null || :
		apt_in "$folder" apt-get -qq update >&2 || :
	fi
	echo "$folder"
}

# closure FOLDER PACKAGE...: prints what apt would install on an empty machine, one per line:
# name, version, architecture
closure()
{
	apt_in "$1" apt-get -qq -s install --no-install-recommends "${@:2}" |
		sed -n 's/^Inst \([^ ]*\) (\([^ ]*\) [^)]*\[\([a-z0-9]*\)\]).*/\1 \2 \3/p' | sort
}

# deb_file NAME VERSION ARCHITECTURE: prints apt's name of the file
deb_file()
{
	echo "$1_${2//:/%3a}_$3.deb"
}
