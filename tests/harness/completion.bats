#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What both completions offer for domains and devices. For verbs and options see
# tests/lint/check-options.

bats_require_minimum_version 1.5.0

# in_sandbox COMMAND...: with guests 5 and 6, and a device of guest 5
in_sandbox() {
  PATH=$(dirname "$XENSPLIT"):$PATH run -0 "$SANDBOX" --guests 5,6 -- bash -euc \
    'xensplit attach 5 mydevice/3 --no-wait --quiet; "$@"' bash "$@"
}

bash_offers() { # WORD... the last one is being typed
  # shellcheck disable=SC2016 # for the inner shell
  in_sandbox bash -c '. completions/xensplit.bash
    COMP_WORDS=(xensplit "$@") COMP_CWORD=$#
    _xensplit xensplit
    echo "${COMPREPLY[*]}"' bash "$@"
  echo "$output"
}

zsh_offers() { # LINE
  in_sandbox timeout 60 tests/lint/zsh-lists "xensplit $1"
  # the text between the prompt's end and the next copy of the line
  echo "$output"
  output=$(tr -s ' \n' '\n' <<<"$output" | grep -xE '[0-9]+|mydevice.*' | sort -u | xargs)
}

@test "bash: domains" {
  bash_offers attach ''
  [[ " $output " == *" 5 "* && " $output " == *" 6 "* ]]
  bash_offers detach --timeout 3 5
  [ "$output" = 5 ]
  bash_offers attach --backend ''
  [[ " $output " == *" 5 "* ]]
}

@test "bash: devices of the domain" {
  bash_offers detach 5 ''
  [ "$output" = mydevice/3 ]
  bash_offers show 6 ''
  [ -z "$output" ]
  bash_offers list 5 ''
  [ -z "$output" ]
}

@test "bash: after an option with an argument come the usual words" {
  bash_offers attach --front = key=value ''
  [[ " $output " == *" 5 "* ]]
  bash_offers wait --until = con
  [ "$output" = connected ]
}

@test "bash: a name is a word and nothing more" {
  PATH=$BATS_TEST_TMPDIR:$PATH
  # shellcheck disable=SC2016 # it must not be expanded
  printf '#!/bin/sh\ncat <<"END"\nName ID\n%s 7\ngood 8\nEND\n' '$(touch${IFS}evil)' >"$BATS_TEST_TMPDIR/xl"
  chmod +x "$BATS_TEST_TMPDIR/xl"
  bash_offers attach ''
  [ "$output" = "7 good 8" ]
  [ ! -e evil ]
}

@test "zsh: domains and devices" {
  zsh_offers 'attach '
  [[ " $output " == *" 5 "* && " $output " == *" 6 "* ]]
  zsh_offers 'detach 5 '
  [[ " $output " == *" mydevice/3 "* ]]
}
