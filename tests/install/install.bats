#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What `make install` installs can be used, and `make uninstall` removes it.
# shellcheck disable=SC2030,SC2031 # each test runs in its own process
# O is the build folder. The order matters: the last test removes what the first installed.

bats_require_minimum_version 1.5.0

setup_file() {
  export root=$BATS_FILE_TMPDIR/root
  export prefix=$root/opt/xensplit
  export lib=$prefix/lib/some-arch
  version=$(sed -n 's/^#define XENSPLIT_VERSION_[A-Z]* \([0-9]*\)$/\1/p' include/xensplit.h | paste -sd.)
  export version
  staged install
}

staged() { # not a sub-make of the make that may have started this
  env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make O="$O" DESTDIR="$root" \
    PREFIX=/opt/xensplit LIBDIR=/opt/xensplit/lib/some-arch "$@"
}

pkg_config() { # Xen's files are in the system, ours below the staging folder
  PKG_CONFIG_PATH=$lib/pkgconfig pkg-config --define-variable=prefix="$prefix" "$@" libxensplit
}

program() { # PKG-CONFIG-OPTION...
  local -a flags

  echo '#include <stdio.h>
    #include <xensplit.h>
    int main(void) { return puts(xensplit_version()) < 0; }' >"$BATS_TEST_TMPDIR/program.c"
  read -ra flags < <(pkg_config --cflags --libs "$@")
  "${CC:-cc}" -Wall -Wextra -Werror -o "$BATS_TEST_TMPDIR/program" "$BATS_TEST_TMPDIR/program.c" \
    "${flags[@]}"
}

@test "all files are there, and no others" {
  {
    echo include/xensplit.h
    echo lib/some-arch/libxensplit.{a,so,"so.${version%%.*}","so.$version"}
    echo lib/some-arch/pkgconfig/libxensplit.pc
    echo lib/some-arch/xensplit/{domctl,json,table,xlcfg}.so
    echo sbin/xensplit
    echo share/bash-completion/completions/xensplit share/zsh/site-functions/_xensplit
    echo share/fish/vendor_completions.d/xensplit.fish
    echo share/xensplit/xensplit.schema.json
    echo lib/systemd/system/xensplit.service lib/tmpfiles.d/xensplit.conf
    for page in man/*.[1-8]; do
      [[ ! -f $page ]] || echo "share/man/man${page##*.}/${page##*/}"
    done
  } | tr ' ' '\n' | sort >"$BATS_TEST_TMPDIR/wanted"
  find "$root" ! -type d -printf '%P\n' | sed 's|^opt/xensplit/||' | sort |
    diff "$BATS_TEST_TMPDIR/wanted" -
}

@test "the library is found by its soname, through links" {
  readelf -d "$lib/libxensplit.so" | grep -F "soname: [libxensplit.so.${version%%.*}]"
  [ "$(readlink "$lib/libxensplit.so")" = "libxensplit.so.${version%%.*}" ]
  [ "$(readlink "$lib/libxensplit.so.${version%%.*}")" = "libxensplit.so.$version" ]
}

@test "library, tool and plugins have no search path" {
  run ! grep -E 'RPATH|RUNPATH' <(readelf -d "$lib/libxensplit.so" "$prefix/sbin/xensplit" \
    "$lib"/xensplit/*.so)
}

@test "pkg-config knows the version" {
  pkg_config --exact-version="$version"
}

@test "a program builds with the output of pkg-config, and runs" {
  program
  readelf -d "$BATS_TEST_TMPDIR/program" | grep -F "[libxensplit.so.${version%%.*}]"
  [ "$(LD_LIBRARY_PATH=$lib "$BATS_TEST_TMPDIR/program")" = "$version" ]
}

@test "a program builds with only the static library, and runs" {
  mv "$lib/libxensplit.so" "$lib/aside"
  program --static
  mv "$lib/aside" "$lib/libxensplit.so"
  [ "$("$BATS_TEST_TMPDIR/program")" = "$version" ]
}

@test "the installed tool runs" {
  [ "$(LD_LIBRARY_PATH=$lib "$prefix/sbin/xensplit" --version)" = "xensplit $version" ]
}

tool() { # OPTION...: status 1, since there is no XenStore, or no plugin
  run -1 env LD_LIBRARY_PATH="$lib" XENSTORED_PATH=/none "$BATS_TEST_TMPDIR/moved/sbin/xensplit" list "$@"
  echo "$output"
  [ "$(grep -c ^xensplit: <<<"$output")" -eq 1 ]
}

@test "the installed tool finds its plugins, even if everything was moved" {
  cp -r "$prefix" "$BATS_TEST_TMPDIR/moved"
  tool --json
  [[ $output == "xensplit: list: can't connect to XenStore at /"* ]]
}

unit=lib/systemd/system/xensplit.service

@test "the unit starts the installed tool, and is hardened" {
  grep -qx "ExecStart=/opt/xensplit/sbin/xensplit serve" "$prefix/$unit"
  run ! grep -F @ <(grep -v '^SystemCallFilter=' "$prefix/$unit")
  type systemd-analyze || skip "no systemd-analyze"
  sed "s|=/opt/|=$root/opt/|" "$prefix/$unit" >"$BATS_TEST_TMPDIR/xensplit.service"
  run -0 systemd-analyze security --offline=true --threshold=20 "$BATS_TEST_TMPDIR/xensplit.service"
  run -1 systemd-analyze security --offline=true --threshold=1 "$BATS_TEST_TMPDIR/xensplit.service"
  # what systemd does not know, it ignores with a warning that names the line
  run systemd-analyze verify --man=no "$BATS_TEST_TMPDIR/xensplit.service"
  echo "$output"
  [[ $output != *"xensplit.service:"[0-9]* && $output != *"not executable"* ]]
}

@test "folders of the unit and of tmpfiles can be set; install makes nothing in /etc" {
  root=$BATS_TEST_TMPDIR/root staged SYSTEMDUNITDIR=/units TMPFILESDIR=/tmpfiles install
  [[ -f $BATS_TEST_TMPDIR/root/units/xensplit.service && -f $BATS_TEST_TMPDIR/root/tmpfiles/xensplit.conf ]]
  [[ ! -e $BATS_TEST_TMPDIR/root/etc && ! -e $BATS_TEST_TMPDIR/root/opt/$unit ]]
  type systemd-tmpfiles || skip "no systemd-tmpfiles"
  systemd-tmpfiles --root="$BATS_TEST_TMPDIR/root" --create "$BATS_TEST_TMPDIR/root/tmpfiles/xensplit.conf"
  [[ -d $BATS_TEST_TMPDIR/root/etc/xensplit/domains && -d $BATS_TEST_TMPDIR/root/run/xensplit ]]
}

@test "without a plugin, verbs that need it say so" {
  cp -r "$prefix" "$BATS_TEST_TMPDIR/moved"
  rm "$BATS_TEST_TMPDIR/moved/lib/some-arch/xensplit/json.so"
  tool --json
  [[ $output == "xensplit: list: can't load the plugin json: "*"/lib/some-arch/xensplit/json.so"* ]]
  tool
  [[ $output == "xensplit: list: can't connect to XenStore at /"* ]]
}

@test "a plugin of another version is not used" {
  cp -r "$prefix" "$BATS_TEST_TMPDIR/moved"
  echo 'const char *const xensplit_plugin[] = { "0.0.9" };' >"$BATS_TEST_TMPDIR/plugin.c"
  "${CC:-cc}" -shared -fPIC -o "$BATS_TEST_TMPDIR/moved/lib/some-arch/xensplit/json.so" \
    "$BATS_TEST_TMPDIR/plugin.c"
  tool --json
  [[ $output == "xensplit: list: can't load the plugin json: it is of another version" ]]
}

@test "folders without a common prefix are found by their absolute path" {
  root=$BATS_TEST_TMPDIR/root staged SBINDIR=/elsewhere/sbin install
  grep -qF /opt/xensplit/lib/some-arch/xensplit "$BATS_TEST_TMPDIR/root/elsewhere/sbin/xensplit"
  run ! grep -qF /opt/xensplit/lib/some-arch/xensplit "$prefix/sbin/xensplit"
  staged all
}

@test "make uninstall leaves no file" {
  staged uninstall
  run -0 find "$root" ! -type d
  [ -z "$output" ]
}
