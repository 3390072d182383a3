#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What the completions of bash, zsh and fish offer where domains, devices and values go. That they
# offer the tool's verbs and options is for tests/lint/check-options.
# shellcheck disable=SC2016 # the inner shells expand it

bats_require_minimum_version 1.5.0

# Here, as what it downloads is not to be among what a shell prints.
setup_file() {
  FISH=$(tests/setup/fish)
  export FISH
}

# in_sandbox COMMAND...: with guests 5 and 6, and a device of guest 5
in_sandbox() {
  PATH=$(dirname "$XENSPLIT"):$PATH run -0 "$SANDBOX" --guests 5,6 -- bash -euc \
    'xensplit attach 5 mydevice/3 --no-wait --quiet; "$@"' bash "$@"
}

by_bash() { # LINE
  local -a words

  read -ra words <<<"${1//=/ = }" # as readline cuts it
  [[ $1 != *[\ =] ]] || words+=("")
  bash -c '. completions/xensplit.bash
    COMP_WORDS=(xensplit "$@") COMP_CWORD=$#
    _xensplit xensplit
    printf "%s\n" "${COMPREPLY[@]}"' bash "${words[@]}"
}

by_zsh() { # LINE
  # the text between the line and its next copy
  timeout 60 tests/lint/zsh-lists "xensplit $1" | sed '1,/\[?2004h/d; /echo :e/,$d; /:end:/d' | tr -s ' ' '\n'
}

by_fish() { # LINE
  "$FISH" -N -c 'source completions/xensplit.fish; complete -C $argv' "xensplit $1"
}

export -f by_bash by_zsh by_fish

# offers LINE WORD...: in each shell, in any order; of a word alone what follows the last + , or =
offers() {
  local shell

  for shell in bash zsh fish; do
    in_sandbox bash -c '"by_$0" "$1" 2>&1' "$shell" "$1"
    echo "$shell: $output"
    diff <(printf '%s\n' "${lines[@]##*[+,=]}" | grep . | sort) <(printf '%s\n' "${@:2}" | grep . | sort)
  done
}

@test "domains, by domid and name" {
  local domains=(0 Domain-0 5 guest5 6 guest6)

  offers 'attach ' "${domains[@]}"
  offers 'attach --backend ' "${domains[@]}"
  offers '-J detach --timeout 3 gu' guest5 guest6
}

@test "devices of the domain" {
  offers 'detach 5 ' mydevice/3
  offers 'show 6 '
  in_sandbox bash -c 'by_bash "list 5 "; by_fish "list 5 "' # there zsh offers options
  [ -z "$(xargs <<<"$output")" ]
}

@test "values that an option takes, and no others" {
  offers 'wait --until ' connected initwait closed gone
  offers 'wait 5 --until=c' connected closed
  for value in connected initwait closed gone; do
    in_sandbox bash -c 'xensplit wait 5 mydevice/3 -t 0 --until "$0" || (($? == 6))' "$value"
  done
}

@test "files, and their domain" {
  cd "$BATS_TEST_TMPDIR"
  mkdir dir
  touch dir/{a,b}.cfg
  ln -s "$OLDPWD/completions" "$OLDPWD/tests" .
  in_sandbox bash -c 'by_bash "apply dir/"; by_fish "apply dir/"'
  [ "$(grep -o '[ab].cfg' <<<"$output" | sort | xargs)" = "a.cfg a.cfg b.cfg b.cfg" ]
  in_sandbox bash -c 'by_zsh "apply dir/"'
  [ "$(grep -o '[ab].cfg' <<<"$output" | sort -u | xargs)" = "a.cfg b.cfg" ]
  offers 'apply --domain gu' guest5 guest6
}

@test "folders and files of serve" {
  cd "$BATS_TEST_TMPDIR"
  mkdir -p dir/{one,two}
  touch dir/file
  ln -s "$OLDPWD/completions" "$OLDPWD/tests" .
  in_sandbox bash -c 'by_bash "serve dir/"; by_fish "serve dir/"'
  [ "$(grep -oE 'one|two|file' <<<"$output" | sort | xargs)" = "one one two two" ]
  in_sandbox bash -c 'by_zsh "serve dir/"'
  [ "$(grep -oE 'one|two|file' <<<"$output" | sort -u | xargs)" = "one two" ]
  in_sandbox bash -c 'by_bash "serve --metrics dir/f"; by_fish "serve --metrics dir/f"'
  [ "$(grep -c dir/file <<<"$output")" -eq 2 ]
  in_sandbox bash -c 'by_zsh "serve --metrics dir/f"'
  [[ $output == *file* ]]
}

@test "columns, also behind others" {
  # shellcheck disable=SC2046 # words
  offers 'list -o ' $("$XENSPLIT" list --help | sed -n '/^Columns:/,/^$/p' | grep -oE '[A-Z-]{4,}')
  offers 'list -o +FRONTEND-P' FRONTEND-PATH
  offers 'list --output=DOMID,phase,cr' CREATED
}

@test "behind an option with an argument come the usual words" {
  offers 'attach --front=key=value gu' guest5 guest6
  offers 'attach -F key=value gu' guest5 guest6
}

@test "bash and fish: columns keep what is typed before them" {
  in_sandbox bash -c 'by_bash "list -o +KEYS,PH"; by_fish "list -o +KEYS,PH"; by_fish "list --output=+PH"'
  [ "$(xargs <<<"$output")" = "+KEYS,PHASE +KEYS,PHASE --output=+PHASE" ]
}

# with_tools SCRIPT: xl, xenstore-list and xensplit are this shell script
with_tools() {
  mkdir -p "$BATS_TEST_TMPDIR/bin"
  printf '#!/bin/sh\n%s\n' "$1" >"$BATS_TEST_TMPDIR/bin/xl"
  chmod +x "$BATS_TEST_TMPDIR/bin/xl"
  PATH=$BATS_TEST_TMPDIR/bin:$(dirname "$XENSPLIT"):$PATH
}

@test "a name is a word and nothing more" {
  with_tools 'printf "Name ID\n%s 7\ngood 8\n" "\$(touch\${IFS}evil)"'
  for shell in bash fish; do
    run -0 "by_$shell" 'attach '
    [ "$(sort <<<"$output" | xargs)" = "7 8 good" ]
    [ ! -e evil ]
  done
}

@test "without xenstored there is nothing to offer, and no message" {
  export XENSTORED_PATH=/none
  with_tools 'echo "xl: no Xen" >&2; exit 1'
  for shell in bash zsh fish; do
    for line in 'attach ' 'show 5 '; do
      run -0 --separate-stderr "by_$shell" "$line"
      echo "$shell: $output$stderr"
      [ -z "$(xargs <<<"$output")$stderr" ]
    done
  done
}

@test "a store that does not answer does not hold the shell up" {
  with_tools 'sleep 60'
  cp "$BATS_TEST_TMPDIR/bin/xl" "$BATS_TEST_TMPDIR/bin/xenstore-list"
  cp "$BATS_TEST_TMPDIR/bin/xl" "$BATS_TEST_TMPDIR/bin/xenstore-read"
  for shell in bash zsh fish; do
    SECONDS=0
    run "by_$shell" 'attach '
    ((SECONDS < 20))
  done
}
