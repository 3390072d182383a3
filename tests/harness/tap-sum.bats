#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The summary at the end of `make check` must not look like success after a failure.

bats_require_minimum_version 1.5.0

sum() {
  run "$BATS_TEST_DIRNAME/../tap-sum" "$@"
  last=${lines[-1]}
}

@test "passed, failed and skipped are counted over all suites" {
  sum 'a=printf "1..2\nok 1 - x\nok 2 # skip no such thing\n"' \
    'b=printf "1..3\nnot ok 1 - y\nok 2\nnot ok 3 # SKIP z\n"'
  [ "$last" = "2 passed, 1 failed, 2 skipped" ]
  [ "$status" -eq 1 ]
}

@test "all passed is success" {
  sum 'a=echo ok 1; echo ok 2; echo 1..2'
  [ "$last" = "2 passed, 0 failed, 0 skipped" ]
  [ "$status" -eq 0 ]
}

@test "a name with ok inside, or a line that only looks like a result, counts once" {
  sum 'a=echo 1..1; echo "    ok 1 - inner"; echo "# ok 2"; echo okay; echo "ok 1 - not ok 2"'
  [ "$last" = "1 passed, 0 failed, 0 skipped" ]
}

@test "a suite that is skipped as a whole is one skip" {
  sum 'a=echo "1..0 # SKIP no qemu"'
  [ "$last" = "0 passed, 0 failed, 1 skipped" ]
  [ "$status" -eq 0 ]
}

@test "a suite that ends early fails for each missing test" {
  sum 'a=echo 1..5; echo ok 1'
  [ "$last" = "1 passed, 4 failed, 0 skipped" ]
  [ "$status" -eq 1 ]
}

@test "more tests than planned fail" {
  sum 'a=echo 1..1; echo ok 1; echo ok 2'
  [ "$last" = "2 passed, 1 failed, 0 skipped" ]
}

@test "an empty plan without a reason fails" {
  sum 'a=echo 1..0'
  [ "$last" = "0 passed, 1 failed, 0 skipped" ]
}

@test "a suite without a plan fails" {
  sum 'a=echo ok 1'
  [ "$last" = "1 passed, 1 failed, 0 skipped" ]
}

@test "a suite that prints nothing, or does not exist, fails" {
  sum 'a=true'
  [ "$last" = "0 passed, 1 failed, 0 skipped" ]
  sum 'a=/no/such/program'
  [ "$status" -eq 1 ]
}

@test "a bad exit status is a failure even if every test passed" {
  sum 'a=echo 1..1; echo ok 1; exit 99'
  [ "$last" = "1 passed, 1 failed, 0 skipped" ]
}

@test "bail out fails" {
  sum 'a=echo 1..1; echo ok 1; echo "Bail out! no more"'
  [ "$last" = "1 passed, 1 failed, 0 skipped" ]
}

@test "a suite that hangs is stopped and fails" {
  TAP_SECONDS=1 sum 'a=echo 1..1; echo ok 1; exec sleep 60'
  [ "$last" = "1 passed, 1 failed, 0 skipped" ]
  [[ "$output" == *"stopped after 1 s"* ]]
}

@test "a process that keeps the output open is a failure, and the summary still comes" {
  pid=$BATS_TEST_TMPDIR/pid
  sum "a=echo 1..1; echo ok 1; sleep 30 2>/dev/null 3>&- & echo \$! > $pid"
  [ "$last" = "1 passed, 1 failed, 0 skipped" ]
  [[ "$output" == *"still holds its output"* ]]
  run -1 grep '^State:.[SR]' <(cat "/proc/$(cat "$pid")/status" 2>/dev/null) # a zombie will do
}

@test "a line that comes in two pieces is one line" {
  sum 'a=echo 1..1; printf "not "; sleep 3; echo "ok 1"'
  [ "$last" = "0 passed, 1 failed, 0 skipped" ]
}

@test "a last line without newline counts" {
  sum 'a=echo 1..1; printf "not ok 1"'
  [ "$last" = "0 passed, 1 failed, 0 skipped" ]
}

@test "no suites at all is a failure" {
  sum
  [ "$last" = "0 passed, 1 failed, 0 skipped" ]
  [ "$status" -eq 1 ]
}

# Each touches its file, then waits for that of the other.
# shellcheck disable=SC2016 # for the inner shell
meet='touch "$0.$1"; until [ -e "$0.$2" ]; do sleep 0.05; done; echo 1..1; echo ok 1'

@test "-j: suites run at the same time" {
  at=$BATS_TEST_TMPDIR/at
  TAP_SECONDS=20 sum -j 2 "a=bash -c '$meet' $at a b" "b=bash -c '$meet' $at b a"
  [ "$last" = "2 passed, 0 failed, 0 skipped" ]
  [ "$status" -eq 0 ]
}

@test "-j: many suites that end at once" {
  suites=()
  for i in {1..60}; do
    suites+=("s$i=echo 1..1; echo ok 1")
  done
  for _ in 1 2 3 4; do
    sum -j 2 "${suites[@]}"
    [ "$last" = "60 passed, 0 failed, 0 skipped" ]
  done
}

@test "-j: no more than that many" {
  busy=$BATS_TEST_TMPDIR/busy
  alone="mkdir $busy || exit; sleep 0.2; rmdir $busy; echo 1..1; echo ok 1"
  sum -j 1 "a=$alone" "b=$alone" "c=$alone"
  [ "$last" = "3 passed, 0 failed, 0 skipped" ]
}

@test "-j: each suite is one line when it ends, with a count" {
  sum -j 2 'a=sleep 0.5; echo 1..2; echo ok 1; echo "# aside"; echo "ok 2 # skip no qemu"' \
    'b=echo 1..1; echo ok 1'
  [[ ${lines[0]} =~ ^'[1 of 2, 0 min] b: 1 passed ('[0-9]+' s)'$ ]]
  [[ ${lines[1]} = '# a: ok 2 # skip no qemu' ]]
  [[ ${lines[2]} =~ ^'[2 of 2, 0 min] a: 1 passed, 1 skipped ('[0-9]+' s)'$ ]]
  [ "${#lines[@]}" -eq 4 ]
}

@test "-j: a failed suite is shown with its whole output, in one piece" {
  sum -j 2 'a=echo 1..1; echo "# why"; sleep 0.5; echo oops >&2; sleep 0.5; echo "not ok 1 - x"' \
    'b=echo 1..1; sleep 0.2; echo ok 1'
  [[ $output == *$'\n# a\n1..1\n# why\noops\nnot ok 1 - x\n[2 of 2, 0 min] a: 0 passed, 1 failed ('* ]]
  [[ $output == *$'\n# FAILED a: not ok 1 - x\n1 passed, 1 failed, 0 skipped' ]]
  [ "$status" -eq 1 ]
}

@test "-j: a runner that is killed is a failure" {
  # shellcheck disable=SC2016 # the suite's parent is timeout, and that one's the runner
  sum -j 2 'a=kill -KILL $(sed -n s/^PPid://p /proc/$PPID/status); echo 1..1; echo ok 1' 'b=echo 1..1; echo ok 1'
  [ "$last" = "1 passed, 1 failed, 0 skipped" ]
  [[ "$output" == *"# FAILED a: its runner was killed"* ]]
}

@test "-j takes a number of jobs" {
  for bad in 0 two ''; do
    sum -j "$bad" 'a=echo 1..1; echo ok 1'
    [ "$status" -eq 2 ]
  done
}

@test "a signal ends all suites and their children" {
  pids=$BATS_TEST_TMPDIR/pids
  suite="echo \$\$ >>$pids; sleep 60 & echo \$! >>$pids; wait"
  for jobs in 1 3; do
    : >"$pids"
    env --default-signal=INT "$BATS_TEST_DIRNAME/../tap-sum" -j $jobs "a=$suite" "b=$suite" "c=$suite" \
      >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
    pid=$!
    until (($(wc -l <"$pids") == 2 * jobs)); do sleep 0.05; done
    kill -INT "$pid"
    status=0
    wait "$pid" || status=$?
    [ "$status" -eq 130 ]
    while read -r pid; do
      run ! grep '^State:[[:space:]]*[SR]' "/proc/$pid/status"
    done <"$pids"
  done
}
