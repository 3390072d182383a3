#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What make rebuilds, and what it does not.

bats_require_minimum_version 1.5.0

object=lib/shared/state.o

# builds [VARIABLE=VALUE...]: make compiles the object
builds() {
  made "$@"
  [[ $output == *"$object"* ]]
}

leaves() {
  made "$@"
  [[ $output != *"$object"* ]]
}

made() { # not a sub-make of the make that may have started this
  run -0 env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u CFLAGS -u CC make O="$O" "$@" "$O/$object"
  output=$(grep -v 'is up to date' <<<"$output") || true
  echo "$output"
}

setup() {
  O=$BATS_TEST_TMPDIR/build
}

@test "a change of options, macros or compiler rebuilds" {
  builds
  leaves
  leaves V=1
  builds CFLAGS=-O1
  leaves CFLAGS=-O1 V=1
  builds CFLAGS=-O1 CPPFLAGS="-DTEXT='\"a b\"'"
  leaves CFLAGS=-O1 CPPFLAGS="-DTEXT='\"a b\"'"
  builds CC=gcc
  leaves CC=gcc
}

@test "another release of the compiler rebuilds" {
  # shellcheck disable=SC2016 # expanded by that script
  printf '#!/bin/sh\n[ "$1" != --version ] || { cat "$0.version"; exit; }\nexec gcc "$@"\n' >"$BATS_TEST_TMPDIR/cc"
  chmod +x "$BATS_TEST_TMPDIR/cc"
  echo 12.1 >"$BATS_TEST_TMPDIR/cc.version"
  builds CC="$BATS_TEST_TMPDIR/cc"
  leaves CC="$BATS_TEST_TMPDIR/cc"
  echo 12.2 >"$BATS_TEST_TMPDIR/cc.version"
  builds CC="$BATS_TEST_TMPDIR/cc"
}
