#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2030,SC2031,SC2154 # output and stderr are of the run before
# What modules/new-driver makes, and what it refuses. tests/lint/check-modules builds it for more kernels
# and with sparse.

bats_require_minimum_version 1.5.0

setup_file() {
  # Where the builds for a Debian release can see it.
  : "${XENSPLIT:?}"
  export made=${XENSPLIT%/*}/new-driver
  rm -rf "$made"
  mkdir -p "$made"
}

setup() {
  new_driver=$PWD/modules/new-driver
  # 11 characters, and one that is no part of a symbol.
  names=(acme long-gizmo2)
  example=(myecho mydevice)
}

# makes both projects, unless a test has done so
projects() {
  local i

  for i in 0 1; do
    [[ -e $made/${names[i]} ]] || "$new_driver" "${names[i]}" "$made/${names[i]}" --from "${example[i]}"
  done
}

# build PROJECT: into $made/PROJECT-build, for this machine's Debian release, or a kernel whose headers
# are installed. Downloads nothing.
build() {
  local suite kdir

  suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
  if compgen -G "${DEBIAN_DIR:-${XENSPLIT%/*}/debian}/$suite/root-*" >/dev/null; then
    O=${XENSPLIT%/*} tests/xen/modules "$suite" "$made/build" "$made/$1" W=1 C=1
  else
    kdir=$(compgen -G '/usr/src/linux-headers-*-amd64' | sort -V | tail -n 1) || skip "no kernel headers"
    env -u MAKEFLAGS -u MFLAGS make -C "$made/$1" KDIR="$kdir" M="$made/build/$1" W=1 2>&1
  fi
}

modinfo_of() { # MODULE FIELD
  readelf -p .modinfo "$1" | sed -n "s/^ *\[[^]]*\]  $2=//p"
}

# empty FOLDER: also of hidden files
empty() {
  ls -A "$1"
  [[ -z $(ls -A "$1") ]]
}

@test "no trace of the example's name, and nothing left to fill in" {
  projects
  for n in 0 1; do
    run -1 grep -rniE 'mydevice|myecho|@[A-Z]+@' "$made/${names[n]}"
    run -1 grep -E 'mydevice|myecho' <(find "$made/${names[n]}")
  done
}

@test "all files of both are there" {
  projects
  [[ $(cd "$made/acme" && find . -type f | sort) == \
    "$(printf '%s\n' ./{LICENSES/{GPL-2.0-only,LGPL-2.1-or-later}.txt,Makefile,README.md,acme.cfg} \
      ./back/{back.h,main.c,ring.c} ./dkms.conf ./front/{chunk.c,file.c,front.h,main.c,ring.c} \
      ./include/{acme,compat}.h ./scenarios/acme.sh)" ]]
  [[ $(cd "$made/long-gizmo2" && find . -type f | sort) == \
    "$(printf '%s\n' ./{LICENSES/GPL-2.0-only.txt,Makefile,README.md,dkms.conf,long-gizmo2.cfg} \
      ./long_gizmo2{back,front}.c ./scenarios/long-gizmo2.sh)" ]]
}

@test "every file says its licence" {
  projects
  while IFS= read -r file; do
    echo "$file"
    head -n 3 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0-only'
  done < <(find "$made/acme" "$made/long-gizmo2" -type f ! -path '*/LICENSES/*')
}

@test "the code stays aligned" {
  command -v clang-format >/dev/null || skip "no clang-format"
  # Of the same length, so that no line can be broken elsewhere.
  for name in mygizm:myecho my-gizmo:mydevice; do
    "$new_driver" "${name%:*}" "$BATS_TEST_TMPDIR/${name%:*}" --from "${name#*:}"
  done
  # Of another: only what is aligned with a parenthesis or another line.
  projects
  grep -P '^\t{3} {5}enum xenbus_state' "$made/acme/back/main.c"
  expand "$made/acme/include/acme.h" | grep '^#define ACME_BAD       (-1)'
  find "$BATS_TEST_TMPDIR" -name '*.[ch]' -exec clang-format --style=file:.clang-format --dry-run --Werror {} +
}

@test "the scenarios pass shellcheck" {
  command -v shellcheck >/dev/null || skip "no shellcheck"
  projects
  shellcheck "$made"/*/scenarios/*.sh
}

@test "both build without a warning, with the right names and aliases" {
  projects
  for n in 0 1; do
    run -0 build "${names[n]}"
    echo "$output"
    [[ $output != *warning:* && $output != *error:* ]]
    for side in front back; do
      module=$made/build/${names[n]}/${names[n]//-/_}$side.ko
      [[ $(modinfo_of "$module" name) == "${names[n]//-/_}$side" ]]
      bus=xen
      [[ $side == front ]] || bus=xen-backend
      [[ $(modinfo_of "$module" alias) == "$bus:${names[n]}" ]]
    done
  done
  # A build elsewhere leaves the source as it is.
  run -1 grep -q . <(find "$made/acme" "$made/long-gizmo2" -name '*.o' -o -name '*.ko')
}

@test "dkms.conf names what the Makefile builds" {
  projects
  for name in "${names[@]}"; do
    # shellcheck disable=SC2034 # for dkms.conf
    kernel_source_dir=/kernel
    # shellcheck source=/dev/null
    . "$made/$name/dkms.conf"
    # shellcheck disable=SC2154
    for module in "${BUILT_MODULE_NAME[@]}"; do
      grep "^obj-m :=.* $module.o" "$made/$name/Makefile"
    done
    [[ ${#BUILT_MODULE_NAME[@]} -eq 2 && $PACKAGE_NAME == "$name" && $PACKAGE_VERSION == 0.1.0 ]]
    run -0 env -u MAKEFLAGS -u MFLAGS bash -c "cd '$made/$name' && ${MAKE[0]/ / -n }"
    [[ $output == *"make -C /kernel"*"modules"* ]]
  done
}

@test "apply understands the guest's file" {
  projects
  for name in "${names[@]}"; do
    sed 's/^name = .*/name = "guest5"/' "$made/$name/$name.cfg" >"$BATS_TEST_TMPDIR/guest.cfg"
    run -0 --separate-stderr "$SANDBOX" --guests 5 -- "$XENSPLIT" apply "$BATS_TEST_TMPDIR/guest.cfg" --dry-run
    echo "$output"
    [[ $output == *"$name/0"* ]]
  done
}

# refused WANTED-STATUS WANTED-PART ARGUMENT...: one line, and no file
refused() {
  local status output parent=$BATS_TEST_TMPDIR/parent

  mkdir -p "$parent"
  run "-$1" --separate-stderr "$new_driver" "${@:3}"
  echo "${*:3}: $stderr"
  [[ -z $output && $stderr == "new-driver: "*"$2"* && $stderr != *$'\n'* ]]
  empty "$parent"
}

@test "names that are none" {
  to=$BATS_TEST_TMPDIR/parent/project
  # shellcheck disable=SC2016
  for name in 5 0x 5gizmo _gizmo gizmo- gizmo_ Gizmo 'a b' a/b a.b $'gizmo\n' $'a\nb' ../x 'x$y' é ''; do
    refused 2 " is no name: use a-z" "$name" "$to"
  done
  refused 2 'unknown option' -x "$to"
}

@test "names that are too long" {
  # 11 + 1 + 5 + 1 + 1 = 19
  refused 2 "too long: abcdefghijkl-32751-0 has 20 characters, and the kernel ignores devices with more than 19" \
    abcdefghijkl "$BATS_TEST_TMPDIR/parent/project"
  "$new_driver" abcdefghijk "$BATS_TEST_TMPDIR/parent/project"
}

@test "names that xensplit reserves, all of them" {
  # shellcheck disable=SC2016 # for the inner shell
  mapfile -t kinds < <(sed -n '/^\.Ss Reserved types/,/^They are refused/p' man/xensplit.7 | tr -s ' ,.\n' '\n' |
    "$SANDBOX" --guests 5 -- bash -c 'while read -r word; do
      "$0" attach 5 "$word" --dry-run --json </dev/null 2>/dev/null | grep -q reserved-type && echo "$word"
    done; true' "$XENSPLIT")
  echo "${kinds[*]}"
  ((${#kinds[@]} >= 20))
  for name in "${kinds[@]}"; do
    if [[ $name == [a-z]* ]]; then
      refused 2 "libxl manages devices of type '$name'" "$name" "$BATS_TEST_TMPDIR/parent/project"
    fi
  done
}

@test "names that clash" {
  to=$BATS_TEST_TMPDIR/parent/project
  for name in ring front back compat chunk file dev page xenbus; do
    refused 2 "'$name' begins names that the code of myecho uses" "$name" "$to"
  done
  for name in xen-net xen_blk; do
    refused 2 "'$name' begins like the kernel's own drivers" "$name" "$to"
  done
  for name in mydevice myecho; do
    refused 2 "'$name' is the example itself" "$name" "$to" --from mydevice
  done
}

@test "wrong usage" {
  to=$BATS_TEST_TMPDIR/parent/project
  refused 2 'usage:'
  refused 2 'usage:' acme
  refused 2 'usage:' acme ''
  refused 2 'usage:' acme "$to" more
  refused 2 "'other' is no example" acme "$to" --from other
  refused 2 '--from needs' acme "$to" --from
  refused 1 'is no folder' acme "$to/deeper/still"
  run -0 "$new_driver" --help
  [[ $output == 'new-driver NAME DIR'* ]]
}

@test "nothing is overwritten; an empty folder is filled" {
  parent=$BATS_TEST_TMPDIR/parent
  mkdir -p "$parent/full" "$parent/empty"
  touch "$parent/full/.hidden" "$parent/file"
  run -1 "$new_driver" acme "$parent/full"
  [[ $output == "new-driver: $parent/full exists, and is not empty" ]]
  run -1 "$new_driver" acme "$parent/file"
  cd "$parent/empty"
  run -1 "$new_driver" acme .
  [[ $output == *"is the current folder"* ]]
  cd "$parent"
  [[ $(find . | sort | tr '\n' ' ') == '. ./empty ./file ./full ./full/.hidden ' ]]
  "$new_driver" acme empty
  "$new_driver" acme other
  diff -r empty other
  [[ $(stat -c %a empty) == $(stat -c %a full) ]]
}

@test "killed at any step: all of it or nothing" {
  projects
  export STEPS=$BATS_TEST_TMPDIR/steps SIGNAL AT=1000
  parent=$BATS_TEST_TMPDIR/parent
  mkdir "$BATS_TEST_TMPDIR/bin"
  # Each of these, when it is the one to be run as number AT, sends the signal first.
  for program in sed grep mkdir cp mv sort mktemp; do
    cat >"$BATS_TEST_TMPDIR/bin/$program" <<END
#!/bin/bash
echo >>"\$STEPS"
if ((\$(wc -l <"\$STEPS") >= AT)) && (set -C; : >"\$STEPS.sent") 2>/dev/null; then
  kill -\$SIGNAL "\$(<"\$STEPS.pid")"
fi
exec $(type -P $program) "\$@"
END
    chmod +x "$BATS_TEST_TMPDIR/bin/$program"
  done

  make_one() {
    rm -rf "$parent" "$STEPS" "$STEPS.sent"
    mkdir "$parent"
    # shellcheck disable=SC2016 # for the inner shell
    PATH=$BATS_TEST_TMPDIR/bin:$PATH run bash -c 'echo $$ >"$STEPS.pid"; exec "$@"' - \
      "$new_driver" acme "$parent/project"
  }
  make_one
  [[ $status == 0 ]]
  steps=$(wc -l <"$STEPS")
  ((steps > 30))
  for SIGNAL in TERM KILL; do
    for ((AT = 1; AT <= steps; AT += 4)); do
      make_one
      echo "$SIGNAL at $AT of $steps: $status"
      [[ $status != 0 ]]
      if [[ -e $parent/project ]]; then
        diff -r "$parent/project" "$made/acme"
      elif [[ $SIGNAL == TERM ]]; then
        empty "$parent"
      fi
    done
  done
}
