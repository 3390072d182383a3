#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Compares the reserved types with libxl's own list, from the newest Xen in the tested Debian
# releases. The downloaded list is used for a week.

bats_require_minimum_version 1.5.0

suites="$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release) trixie sid"
idl=tools/libs/light/libxl_types_internal.idl

# Writes $cache: "kinds", one per line, in the order of Xen's list, and "versions", the versions of
# Xen's source in Debian, newest first.
look_up() {
  local dir=$BATS_TEST_TMPDIR/source patch

  # shellcheck disable=SC2086 # words
  tests/setup/source xen "$dir" $suites >"$dir.versions" || return 1
  tar -xf "$dir"/xen_*.orig.tar.xz -C "$dir" --strip-components=1 --wildcards "*/$idl" &&
    tar -xf "$dir"/xen_*.debian.tar.xz -C "$dir" || return 1
  while read -r patch; do
    ! grep -q "$idl" "$dir/debian/patches/$patch" ||
      GIT_CEILING_DIRECTORIES=$BATS_TEST_TMPDIR git -C "$dir" apply --include="$idl" \
        "debian/patches/$patch" || return 1
  done < <(grep -v '^#' "$dir/debian/patches/series")
  sed -n '/^libxl__device_kind = /,/\])/s/^ *([0-9]*, "\(.*\)"),$/\1/p' "$dir/$idl" |
    grep -vx NONE | tr '[:upper:]' '[:lower:]' >"$dir.kinds"
  mkdir -p "$cache"
  mv "$dir.kinds" "$cache/kinds"
  mv "$dir.versions" "$cache/versions"
}

setup() {
  cache=$(dirname "${XENSPLIT:?}")/xen/kinds
  if [[ -z $(find "$cache/kinds" -mtime -7 2>/dev/null) ]]; then
    look_up || [[ -e $cache/kinds ]] || skip "the source of Xen can't be had from Debian"
  fi
  mapfile -t kinds <"$cache/kinds"
  echo "Xen $(sed -n 's/^here //p' "$cache/versions"): ${kinds[*]}"
  grep -qx vif "$cache/kinds"
}

@test "each kind in libxl's own list is refused without --reserved" {
  # shellcheck disable=SC2016 # for the inner shell
  run "$SANDBOX" --guests 5 -- bash -c 'for kind; do
    "$0" attach 5 "$kind" --dry-run --quiet >/dev/null 2>&1 && echo "not reserved: $kind"
    "$0" attach 5 "$kind" --dry-run --quiet --reserved >/dev/null || echo "not with --reserved: $kind"
  done; true' "$XENSPLIT" "${kinds[@]}"
  echo "$output"
  [[ $status -eq 0 && -z $output ]]
}

@test "the manual lists each of them" {
  text=$(sed -n '/^\.Ss Reserved types/,/^They are refused/p' man/xensplit.7 | tr -s ' ,.\n' '\n')
  missing=$(grep -vxF -f - "$cache/kinds" <<<"$text") || true
  echo "not in xensplit(7): $missing"
  [[ -z $missing ]]
}

@test "that is the newest list in Debian" {
  ! grep -q '^none' "$cache/versions" || skip "no mirror has $(sed -n '1s/^none/Xen/p' \
    "$cache/versions"): this was $(sed -n 's/^here //p' "$cache/versions")"
}
