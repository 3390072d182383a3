#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Tests of the sandbox itself, with the distribution's own xenstore clients.
#
# Quoted scripts are expanded inside the sandbox, and each test runs in its own subshell:
# shellcheck disable=SC2016,SC2030,SC2031

bats_require_minimum_version 1.5.0

setup_file() {
  SANDBOX=${SANDBOX:-$BATS_TEST_DIRNAME/../../build/sandbox/xensplit-sandbox}
  SANDBOX=$(realpath "$SANDBOX")
  FE=/local/domain/5/device/mydevice/0
  BE=/local/domain/0/backend/mydevice/5/0
  export SANDBOX FE BE
  # Functions for the scripts inside a sandbox.
  export -f processes_with fails wait_for state_is says make_front make_back make_device drive
}

# Runs the script on stdin in a sandbox with guests 5 and 6.
in_sandbox() {
  local script
  script=$(cat)
  timeout 20 "$SANDBOX" --guests 5,6 -- bash -euo pipefail -c "$script" 3>&-
}

fails() {
  if "$@" 2>/dev/null; then
    echo "succeeded, and should not have: $*" >&2
    return 1
  fi
}

# wait_for COMMAND...: waits up to 5 s until it succeeds
wait_for() {
  for ((i = 0; i < 250; i++)); do
    if "$@" 2>/dev/null; then
      return
    fi
    sleep 0.02
  done
  echo "never came true: $*" >&2
  if [[ -v XENSPLIT_SANDBOX ]]; then
    xenstore-ls -fp >&2
    tail -n +1 "$XENSPLIT_SANDBOX"/*.out >&2
  fi
  return 1
}

state_is() {
  [[ $(xenstore-read "$1/state") == "$2" ]]
}

# says front|back LINE: the driver has printed that line
says() {
  grep -qxF -e "$2" "$XENSPLIT_SANDBOX/$1.out"
}

# drive front|back DOMID [OPTION...]: starts the driver, waits until it listens
drive() {
  rm -f "$XENSPLIT_SANDBOX/$1.out"
  "$SANDBOX" drive "$1" "$2" mydevice "${@:3}" >"$XENSPLIT_SANDBOX/$1.out" 2>&1 &
  wait_for says "$1" ready
}

make_front() {
  xenstore-write "$FE" ''
  xenstore-chmod "$FE" n5 "r${1:-0}"
  xenstore-write "$FE/backend" "$BE" "$FE/backend-id" "${1:-0}" "$FE/state" 1
}

make_back() {
  xenstore-write "$BE" ''
  xenstore-chmod "$BE" "n${1:-0}" r5
  xenstore-write "$BE/frontend" "$FE" "$BE/frontend-id" 5 "$BE/online" 1 "$BE/state" 1
}

# A device like libxl's, but written in several transactions: the states come last, when each end
# can read the other.
make_device() {
  xenstore-write "$FE" '' "$BE" ''
  xenstore-chmod "$FE" n5 "r${1:-0}"
  xenstore-chmod "$BE" "n${1:-0}" r5
  make_front "$@"
  make_back "$@"
}

# Guests

@test "a guest has the nodes that libxl gives it" {
  in_sandbox <<'END'
    xenstore-ls -fp >"$XENSPLIT_SANDBOX/tree"
    uuid=$(xenstore-read /local/domain/5/vm)
    uuid=${uuid#/vm/}
    while read -r line; do
      grep -qxF -e "$line" "$XENSPLIT_SANDBOX/tree" || { echo "missing: $line"; exit 1; }
    done <<LINES
/local/domain/5 = ""   (n0,r5)
/local/domain/5/name = "guest5"   (n0,r5)
/local/domain/5/domid = "5"   (n0,r5)
/local/domain/5/vm = "/vm/$uuid"   (n0,r5)
/local/domain/5/device = ""   (n0,r5)
/local/domain/5/error = ""   (n5)
/local/domain/5/control/shutdown = ""   (n5)
/vm/$uuid/uuid = "$uuid"   (n0,r5)
/vm/$uuid/name = "guest5"   (n0,r5)
/libxl/5 = ""   (n0)
/local/domain/0/name = "Domain-0"   (n0)
/local/domain/0/domid = "0"   (n0)
LINES
    fails "$SANDBOX" create 7 --name "$(printf '%5000s' long)"
    "$SANDBOX" create 7 --name seven --uuid 01234567-89ab-cdef-0123-456789abcdef
    [[ $("$SANDBOX" as 7 xenstore-read name) == seven ]]
    [[ $(xenstore-read /local/domain/7/vm) == /vm/01234567-89ab-cdef-0123-456789abcdef ]]
    fails "$SANDBOX" create 7
    [[ $("$SANDBOX" as 7 xenstore-read name) == seven ]]
END
}

@test "a guest may not access a foreign node" {
  in_sandbox <<'END'
    as5=("$SANDBOX" as 5)
    for node in /local/domain/6 /libxl; do
      error=$("${as5[@]}" xenstore-ls $node 2>&1) || true
      [[ $error == *'Permission denied' ]]
    done
    fails "${as5[@]}" xenstore-read /local/domain/6/name
    fails "${as5[@]}" xenstore-write /local/domain/6/data/x 1
    fails "${as5[@]}" xenstore-write device/x 1
    fails "${as5[@]}" xenstore-chmod device n5
    xenstore-read /local/domain/6/name
    fails xenstore-read /local/domain/6/data/x /local/domain/5/device/x
END
}

@test "a guest writes its own nodes, and relative paths are its own" {
  in_sandbox <<'END'
    "$SANDBOX" as 5 xenstore-write data/x mine /local/domain/5/data/y too
    [[ $(xenstore-read /local/domain/5/data/x) == mine ]]
    [[ $(xenstore-read /local/domain/5/data/y) == too ]]
    [[ $("$SANDBOX" as 5 xenstore-read domid) == 5 ]]
    [[ $("$SANDBOX" as 6 xenstore-read domid) == 6 ]]
    [[ $("$SANDBOX" as 0 xenstore-read domid) == 0 ]]
END
}

@test "values larger than the ring pass, values over the quota do not" {
  in_sandbox <<'END'
    big=$(printf '%2000s' x)
    "$SANDBOX" as 5 xenstore-write data/big "$big"
    [[ $("$SANDBOX" as 5 xenstore-read data/big) == "$big" ]]
    fails "$SANDBOX" as 5 xenstore-write data/big "$big$big"
END
}

@test "a dead guest loses the nodes it owned and fires @releaseDomain" {
  in_sandbox <<'END'
    xenstore-write /mine x /its x
    xenstore-chmod /its n5
    xenstore-watch -n 2 @releaseDomain >"$XENSPLIT_SANDBOX/watch.out" &
    wait_for grep -q releaseDomain "$XENSPLIT_SANDBOX/watch.out"
    "$SANDBOX" kill 5
    wait $!
    fails xenstore-read /its
    [[ $(xenstore-list /local/domain) == $'0\n6' ]]
    fails xenstore-ls /libxl/5
    [[ $(xenstore-list /vm | wc -l) == 1 ]]
    xenstore-read /mine
    fails "$SANDBOX" as 5 true
    fails "$SANDBOX" kill 5
END
}

@test "a crashed guest leaves what dom0 owns" {
  in_sandbox <<'END'
    vm=$(xenstore-read /local/domain/5/vm)
    make_device
    "$SANDBOX" kill 5 --crash
    [[ $(xenstore-read "$vm/name") == guest5 ]]
    [[ $(xenstore-read /local/domain/5/name) == guest5 ]]
    [[ $(xenstore-read "$BE/state") == 1 ]]
    fails xenstore-list "$FE"
    fails xenstore-ls /local/domain/5/error
END
}

@test "a backend of dom0 survives its guest" {
  in_sandbox <<'END'
    make_device
    "$SANDBOX" kill 5
    fails xenstore-list "$FE"
    [[ $(xenstore-read "$BE/online") == 1 ]]
END
}

@test "a reused domid has a new UUID, and old permissions do not apply to it" {
  in_sandbox <<'END'
    vm=$(xenstore-read /local/domain/5/vm)
    xenstore-write /shared secret
    xenstore-chmod /shared n0 r5
    [[ $("$SANDBOX" as 5 xenstore-read /shared) == secret ]]
    "$SANDBOX" kill 5 --crash
    "$SANDBOX" create 5
    [[ $(xenstore-read /local/domain/5/vm) != "$vm" ]]
    xenstore-ls -fp / | grep -xF '/shared = "secret"   (n0,r5)'
    fails "$SANDBOX" as 5 xenstore-read /shared
    xenstore-chmod /shared n0 r5
    [[ $("$SANDBOX" as 5 xenstore-read /shared) == secret ]]
END
}

@test "a guest has a quota of nodes, dom0 has none" {
  in_sandbox <<'END'
    nodes() { # PREFIX COUNT: arguments for xenstore-write
      for ((n = 1; n <= $2; n++)); do printf '%s/%d x ' "$1" "$n"; done
    }
    for dir in data/{1..3}; do
      "$SANDBOX" as 5 xenstore-write $(nodes $dir 249)
    done
    "$SANDBOX" as 5 xenstore-write $(nodes data/4 200)
    for ((n = 1; n < 100; n++)); do
      "$SANDBOX" as 5 xenstore-write data/5/$n x 2>/dev/null || break
    done
    [[ $(xenstore-ls -fp | grep -c '(n5)$') == 1000 ]]
    fails "$SANDBOX" as 5 xenstore-write data/more x
    "$SANDBOX" as 5 xenstore-rm data/1
    "$SANDBOX" as 5 xenstore-write data/more x
    for dir in /mine/{1..5}; do
      xenstore-write $(nodes $dir 249)
    done
END
}

@test "a guest has a quota of watches, and gets back those of a program that ended" {
  in_sandbox <<'END'
    fails timeout 5 "$SANDBOX" as 5 xenstore-watch -n 140 data/{1..140} >/dev/null
    for ((n = 0; n < 3; n++)); do
      "$SANDBOX" as 5 xenstore-watch -n 128 data/{1..128} >/dev/null
    done
END
}

@test "a guest gets back the transactions of a program that was killed" {
  in_sandbox <<'END'
    for ((n = 0; n < 12; n++)); do
      status=0
      "$SANDBOX" as 5 "$SANDBOX" proxy --kill-at 2 -- xenstore-write data/x 1 data/y 2 || status=$?
      [[ $status == 137 ]]
    done
    "$SANDBOX" as 5 xenstore-write data/x 1 data/y 2
END
}

@test "programs of one guest do not see each other's watches" {
  in_sandbox <<'END'
    cd "$XENSPLIT_SANDBOX"
    "$SANDBOX" as 5 xenstore-watch -n 2 data/a >a.out & a=$!
    "$SANDBOX" as 5 xenstore-watch -n 2 data/b >b.out & b=$!
    wait_for grep -q data/a a.out
    wait_for grep -q data/b b.out
    "$SANDBOX" as 5 xenstore-write data/b/x 1
    wait $b
    [[ $(<b.out) == $'data/b\ndata/b/x' ]]
    [[ $(<a.out) == data/a ]]
    "$SANDBOX" as 5 xenstore-write data/a/x 1
    wait $a
    [[ $(<a.out) == $'data/a\ndata/a/x' ]]
END
}

@test "Xen's own test-xenstore passes" {
  in_sandbox <<'END'
    test=$(dirname "$(readlink -f "$(dirname "$SANDBOX")/xenstored")")/test-xenstore
    "$test" -i 5
    "$test" -r 1
END
}

# The sandbox as a whole

# processes_with VARIABLE=VALUE: prints their /proc/PID/environ. Ignores grep's status, which is
# 2 if any process ends meanwhile.
processes_with() {
  grep -lszF "$1" /proc/[0-9]*/environ || true
}

nothing_left() {
  [[ -z $(processes_with "XENSPLIT_SANDBOX=$1") ]]
}

# xenstored, the command, and its three kinds of children, one of them two processes
full() {
  [[ $(processes_with "XENSPLIT_SANDBOX=$dir" | wc -l) == 6 ]]
}

# A zombie that init has not reaped yet has no command line.
gone() {
  nothing_left "$dir" && ! grep -qsz . "/proc/$pid/cmdline" "/proc/$keeper/cmdline"
}

# ends_with STATUS: the process $pid
ends_with() {
  status=0
  wait "$pid" || status=$?
  [[ $status == "$1" ]]
}

# Starts a sandbox whose command leaves children of every kind, one of which ignores signals;
# sets pid, keeper and dir.
start_unruly() {
  env --default-signal=INT setsid "$SANDBOX" --guests 5 -- bash -c '
    "$SANDBOX" drive front 5 mydevice >/dev/null &
    setsid sleep 1000 &
    (trap "" INT TERM HUP; sleep 1000; sleep 1000) &
    echo "$XENSPLIT_SANDBOX" >"$1.tmp"
    mv "$1.tmp" "$1"
    wait' unruly "$BATS_TEST_TMPDIR/dir" 3>&- &
  pid=$!
  started+=("$pid")
  wait_for test -e "$BATS_TEST_TMPDIR/dir"
  dir=$(<"$BATS_TEST_TMPDIR/dir")
  keeper=$(tr -d ' ' <"/proc/$pid/task/$pid/children")
  [[ -d $dir ]]
  wait_for full
}

teardown() {
  for pid in "${started[@]}"; do
    kill "$pid" 2>/dev/null || true
  done
}

@test "the exit status is the command's" {
  run -7 "$SANDBOX" -- sh -c 'exit 7'
  run -0 "$SANDBOX" -- true
  run -137 "$SANDBOX" -- sh -c 'kill -9 $$'
  run -127 "$SANDBOX" -- /no/such/command
  run -126 "$SANDBOX" -- /etc/passwd
}

@test "a sandbox that cannot start says why in one line and exits with 125" {
  XENSPLIT_XENSTORED=/bin/false run -125 "$SANDBOX" -- true
  [[ $output == *'xenstored does not start'* && ${#lines[@]} == 1 ]]
  XENSPLIT_XENSTORED=/no/such/file run -125 "$SANDBOX" -- true
  [[ $output == *'/no/such/file: No such file'* && ${#lines[@]} == 1 ]]
  TMPDIR=/no/such/dir run -125 "$SANDBOX" -- true
  [[ $output == *'/no/such/dir'* && ${#lines[@]} == 1 ]]
  mkdir -p "$BATS_TEST_TMPDIR/$(printf '%0100d' 0)"
  TMPDIR=$BATS_TEST_TMPDIR/$(printf '%0100d' 0) run -125 "$SANDBOX" -- true
  [[ ${#lines[@]} == 1 ]]
}

@test "an xenstored that never becomes ready is given up" {
  printf '#!/bin/sh\nexec sleep 1000\n' >"$BATS_TEST_TMPDIR/asleep"
  chmod +x "$BATS_TEST_TMPDIR/asleep"
  XENSPLIT_XENSTORED=$BATS_TEST_TMPDIR/asleep "$SANDBOX" -- true 2>"$BATS_TEST_TMPDIR/err" 3>&- &
  pid=$!
  started+=("$pid")
  wait_for grep -q . "/proc/$pid/task/$pid/children"
  # its alarm expires after ten seconds, or now
  kill -ALRM "$(tr -d ' ' <"/proc/$pid/task/$pid/children")"
  ends_with 125
  [[ $(<"$BATS_TEST_TMPDIR/err") == *'xenstored does not answer' ]]
}

@test "wrong arguments are refused with status 2" {
  for args in '' '--guests 5x -- true' '--guests 0 -- true' '--guests 5' '--nonsense -- true' \
    'nonsense' 'create' 'create x' 'create 5 --uuid 1' 'kill' 'as 5' 'drive up 5 mydevice' \
    'drive front 5' 'drive front 5 mydevice --stop-at 9' 'proxy' 'proxy --kill-at 0 -- true' \
    'proxy --after -- true' 'stop-daemon now'; do
    # shellcheck disable=SC2086
    run -2 "$SANDBOX" $args
  done
}

@test "two sandboxes at the same time do not see each other" {
  run -0 in_sandbox <<'END'
    other=$XENSPLIT_SANDBOX
    export other
    xenstore-write /mine outer
    "$SANDBOX" --guests 5 -- bash -euc '
      [[ $XENSPLIT_SANDBOX != "$other" ]]
      ! xenstore-read /mine
      xenstore-write /mine inner
      "$SANDBOX" kill 5'
    [[ $(xenstore-read /mine) == outer ]]
    [[ $("$SANDBOX" as 5 xenstore-read domid) == 5 ]]
END
}

@test "many sandboxes start at once" {
  local pids=()
  for ((n = 0; n < 16; n++)); do
    timeout 20 "$SANDBOX" --guests 5 -- sh -c '"$SANDBOX" as 5 xenstore-read domid' \
      >"$BATS_TEST_TMPDIR/$n" 3>&- &
    pids+=($!)
  done
  for p in "${pids[@]}"; do wait "$p"; done
  [[ $(sort -u "$BATS_TEST_TMPDIR"/[0-9]*) == 5 ]]
}

@test "nothing is left after the command, whether it succeeds or fails" {
  for status in 0 1; do
    run -"$status" "$SANDBOX" --guests 5 -- bash -c '
      "$SANDBOX" drive front 5 mydevice >/dev/null &
      setsid sleep 1000 >/dev/null &
      echo "$XENSPLIT_SANDBOX"
      exit "$1"' sandboxed "$status"
    [[ -n $output && ! -e $output ]]
    nothing_left "$output"
  done
}

@test "--keep keeps the directory, and nothing else" {
  run -0 --separate-stderr "$SANDBOX" --keep -- sh -c 'echo "$XENSPLIT_SANDBOX"'
  # shellcheck disable=SC2154 # run sets it
  [[ -e $output/xenstored.log && $stderr == *"kept $output"* ]]
  nothing_left "$output"
  rm -r "$output"
}

@test "Ctrl-C ends everything" {
  start_unruly
  kill -INT -- "-$pid"
  ends_with 130
  [[ ! -e $dir ]]
  gone
}

@test "SIGTERM and SIGHUP end everything" {
  for sig in TERM HUP; do
    rm -f "$BATS_TEST_TMPDIR/dir"
    start_unruly
    kill "-$sig" "$pid"
    ends_with $((128 + $(kill -l "$sig")))
    [[ ! -e $dir ]]
    gone
  done
}

@test "a command that ignores SIGTERM is given two seconds" {
  "$SANDBOX" -- bash -c 'trap "" TERM; touch "$1"; sleep 1000; sleep 1000' deaf \
    "$BATS_TEST_TMPDIR/deaf" 3>&- &
  pid=$!
  started+=("$pid")
  wait_for test -e "$BATS_TEST_TMPDIR/deaf"
  SECONDS=0
  kill -TERM "$pid"
  ends_with 143
  ((SECONDS >= 1 && SECONDS <= 4))
}

@test "SIGKILL of the sandbox ends everything" {
  start_unruly
  kill -KILL "$pid"
  wait_for gone
  wait_for test ! -e "$dir"
}

@test "SIGKILL of its keeper ends everything" {
  start_unruly
  kill -KILL "$keeper"
  ends_with 125
  [[ ! -e $dir ]]
  gone
}

@test "the sandbox outlives its xenstored" {
  run -5 in_sandbox <<'END'
    "$SANDBOX" as 5 xenstore-read domid
    "$SANDBOX" stop-daemon
    fails xenstore-read domid
    fails "$SANDBOX" as 5 xenstore-read domid
    fails "$SANDBOX" create 7
    fails "$SANDBOX" stop-daemon
    exit 5
END
  [[ $output != *'xenstored died'* ]]
}

@test "a frozen xenstored does not answer" {
  run -124 in_sandbox <<'END'
    "$SANDBOX" stop-daemon --freeze
    timeout 0.3 xenstore-read domid
END
}

@test "a frozen xenstored continues when it is thawed" {
  run -0 in_sandbox <<'END'
    "$SANDBOX" stop-daemon --freeze
    (sleep 0.5; "$SANDBOX" stop-daemon --thaw) &
    timeout 10 xenstore-read /local/domain/5/name
END
  [[ $output == guest5 ]]
}

@test "mute accepts connections and never answers" {
  mkfifo "$BATS_TEST_TMPDIR/said"
  "$SANDBOX" mute "$BATS_TEST_TMPDIR/socket" >"$BATS_TEST_TMPDIR/said" 3>&- &
  read -r -t 10 ready <"$BATS_TEST_TMPDIR/said"
  [[ $ready == ready ]]
  XENSTORED_PATH=$BATS_TEST_TMPDIR/socket run -124 timeout 0.3 xenstore-read domid
  [[ -z $output ]]
  fails "$SANDBOX" mute "$BATS_TEST_TMPDIR/socket"
  kill $!
}

@test "an xenstored that dies on its own is reported" {
  run -0 in_sandbox <<'END'
    for environ in $(processes_with "XENSPLIT_SANDBOX=$XENSPLIT_SANDBOX"); do
      ! grep -qzF LD_PRELOAD= "$environ" || kill -SEGV "$(tr -dc 0-9 <<<"$environ")"
    done
    while xenstore-exists domid; do sleep 0.02; done
END
  [[ $output == *'xenstored died'* ]]
}

# Simulated drivers

@test "drivers connect to 4/4 and close to 6/6" {
  in_sandbox <<'END'
    drive back 0
    drive front 5
    make_device
    wait_for state_is "$FE" 4
    wait_for state_is "$BE" 4
    xenstore-write "$BE/online" 0 "$BE/state" 5
    wait_for state_is "$FE" 6
    wait_for state_is "$BE" 6
    wait_for says back 'back 0 mydevice/5/0: unregistered'
    xenstore-rm "$FE"
    wait_for says front 'front 5 mydevice/0: unregistered'
    xenstore-rm "$BE"
    diff - "$XENSPLIT_SANDBOX/front.out" <<LINES
ready
front 5 mydevice/0: probe
front 5 mydevice/0: 1 -> 4
front 5 mydevice/0: 4 -> 6
front 5 mydevice/0: unregistered
LINES
    diff - "$XENSPLIT_SANDBOX/back.out" <<LINES
ready
back 0 mydevice/5/0: probe
back 0 mydevice/5/0: 1 -> 2
back 0 mydevice/5/0: 2 -> 4
back 0 mydevice/5/0: 4 -> 6
back 0 mydevice/5/0: unregistered
LINES
    make_device
    wait_for state_is "$BE" 4
END
}

@test "drivers connect a device older than themselves" {
  in_sandbox <<'END'
    make_device
    drive front 5
    drive back 0
    wait_for state_is "$FE" 4
    wait_for state_is "$BE" 4
END
}

@test "a driver domain's backend connects" {
  in_sandbox <<'END'
    BE=/local/domain/6/backend/mydevice/5/0
    drive back 6
    drive front 5
    make_device 6
    wait_for state_is "$FE" 4
    wait_for state_is "$BE" 4
    wait_for says back 'back 6 mydevice/5/0: 2 -> 4'
END
}

@test "a backend that stays online closes, but is not unregistered" {
  in_sandbox <<'END'
    drive back 0
    drive front 5
    make_device
    wait_for state_is "$BE" 4
    xenstore-write "$BE/state" 5
    wait_for says back 'back 0 mydevice/5/0: 4 -> 6'
    fails says back 'back 0 mydevice/5/0: unregistered'
END
}

@test "only a node in state 1 becomes a device" {
  in_sandbox <<'END'
    drive front 5
    make_back
    make_front
    wait_for says front 'front 5 mydevice/0: probe'
    other=${FE%0}1
    xenstore-write "$other/backend" "$BE" "$other/backend-id" 0 "$other/state" 3
    xenstore-write "${FE%0}2/backend" "$BE" "${FE%0}2/backend-id" 0 "${FE%0}2/state" 1
    wait_for says front 'front 5 mydevice/2: probe'
    fails says front 'front 5 mydevice/1: probe'
END
}

@test "a bus id of 20 characters is ignored, one of 19 is not" {
  in_sandbox <<'END'
    id=012345678 # mydevice/ has 9 characters, with id and one more 19
    drive front 5
    make_back
    for n in "${id}9" "${id}90"; do
      node=${FE%0}$n
      xenstore-write "$node/backend" "$BE" "$node/backend-id" 0 "$node/state" 1
    done
    wait_for says front "front 5 mydevice/${id}9: probe"
    wait_for says front "front 5 mydevice/${id}90: ignored: bus id of 20 or more characters"
END
}

@test "removing the type's directory leaves a zombie, as in Linux" {
  in_sandbox <<'END'
    drive front 5
    make_device
    wait_for says front 'front 5 mydevice/0: probe'
    xenstore-rm "${FE%/0}"
    make_device
    sleep 0.2
    [[ $(xenstore-read "$FE/state") == 1 ]]
    fails says front 'front 5 mydevice/0: unregistered'
    xenstore-rm "$FE"
    wait_for says front 'front 5 mydevice/0: unregistered'
END
}

@test "a frontend that can't read its backend writes an error and goes to 5" {
  in_sandbox <<'END'
    drive front 5
    make_back
    xenstore-chmod "$BE" n0
    make_front
    wait_for state_is "$FE" 5
    error=$(xenstore-read /local/domain/5/error/device/mydevice/0/error)
    [[ $error == *'missing or inaccessible.' ]]
END
}

@test "a backend whose frontend is missing is ignored until it is there" {
  in_sandbox <<'END'
    drive back 0
    make_back
    wait_for says back 'back 0 mydevice/5/0: ignored: frontend missing or inaccessible'
    make_front
    xenstore-write "$BE/online" 1 # Linux checks again when a node of the backend changes
    wait_for state_is "$BE" 2
END
}

@test "a driver that may not write its state says so" {
  in_sandbox <<'END'
    drive back 0
    drive front 5
    make_device
    xenstore-chmod "$FE" n0 r5
    wait_for state_is "$BE" 4 # connected before the change
    xenstore-chmod "$FE/state" n0 r5
    xenstore-write "$BE/state" 5
    wait_for says front 'front 5 mydevice/0: error: 13 writing new state'
END
}

@test "a killed guest's frontend ends, its backend unregisters" {
  in_sandbox <<'END'
    drive back 0
    drive front 5
    front=$!
    make_device
    wait_for state_is "$BE" 4
    "$SANDBOX" kill 5
    wait "$front"
    wait_for says back 'back 0 mydevice/5/0: unregistered'
    [[ $(tail -n 1 "$XENSPLIT_SANDBOX/front.out") == 'front 5: the domain or its store is gone' ]]
END
}

@test "SIGTERM unloads a driver: its device closes" {
  in_sandbox <<'END'
    drive back 0
    drive front 5
    front=$!
    make_device
    wait_for state_is "$FE" 4
    kill "$front"
    wait "$front"
    [[ $(xenstore-read "$FE/state") == 6 ]]
    wait_for state_is "$BE" 6
END
}

@test "SIGUSR1: a driver says when it has handled what happened before" {
  in_sandbox <<'END'
    drive back 0
    drive front 5
    pid=$!
    caught_up() { (($(grep -cx 'caught up' "$XENSPLIT_SANDBOX/front.out") == $1)); }
    for round in {1..20}; do
      make_device
      wait_for state_is "$FE" 4
      xenstore-rm "$FE"
      xenstore-rm "$BE"
      kill -USR1 $pid
      wait_for caught_up $round
      tail -n 2 "$XENSPLIT_SANDBOX/front.out" | diff - <(echo 'front 5 mydevice/0: unregistered'; echo 'caught up')
    done
END
}

@test "--once ends the driver with its first device" {
  in_sandbox <<'END'
    drive back 0 --once
    back=$!
    drive front 5 --once
    front=$!
    make_device
    wait_for state_is "$BE" 4
    xenstore-write "$BE/online" 0 "$BE/state" 5
    wait "$front" "$back"
    [[ $(xenstore-read "$FE/state")$(xenstore-read "$BE/state") == 66 ]]
END
}

@test "--stop-at never goes beyond a state" {
  in_sandbox <<'END'
    drive back 0 --stop-at 2
    drive front 5
    make_device
    wait_for state_is "$FE" 4
    xenstore-write "$BE/state" 5
    wait_for state_is "$FE" 6
    sleep 0.1
    [[ $(xenstore-read "$BE/state") == 5 ]]
    fails grep -e '-> [^2]' "$XENSPLIT_SANDBOX/back.out"
END
}

@test "--never-close does not close" {
  in_sandbox <<'END'
    drive back 0
    drive front 5 --never-close
    make_device
    wait_for state_is "$BE" 4
    xenstore-write "$BE/online" 0 "$BE/state" 5
    sleep 0.2
    [[ $(xenstore-read "$FE/state")$(xenstore-read "$BE/state") == 45 ]]
    kill $!
    wait $!
    [[ $(xenstore-read "$FE/state") == 4 ]]
END
}

@test "--delay waits before each change, and a signal cuts it short" {
  in_sandbox <<'END'
    drive back 0
    drive front 5 --delay 400
    start=${EPOCHREALTIME/./}
    make_device
    wait_for state_is "$FE" 4
    ((${EPOCHREALTIME/./} - start >= 400000))
    xenstore-rm "$FE"
    xenstore-rm "$BE"
    kill $!
    drive front 5 --delay 60000
    make_device
    wait_for state_is "$BE" 2
    kill $!
    wait $!
END
}

@test "--error writes an error node instead of connecting" {
  in_sandbox <<'END'
    drive back 0
    drive front 5 --error 'out of luck'
    make_device
    wait_for state_is "$FE" 5
    [[ $(xenstore-read /local/domain/5/error/device/mydevice/0/error) == 'out of luck' ]]
    wait_for says front 'front 5 mydevice/0: error: out of luck'
    wait_for state_is "$BE" 5
END
}

@test "--garbage writes any bytes to the state" {
  in_sandbox <<'END'
    drive front 5 --garbage '4\x00\x1b[31m\\x'
    make_device
    wait_for says front 'front 5 mydevice/0: garbage: written'
    [[ $(xenstore-read "$FE/state") == '4\000\x1b[31m\\x' ]] # as xenstore-read shows them
END
}

@test "--flood writes that many states and then continues" {
  in_sandbox <<'END'
    drive back 0
    drive front 5 --flood 300
    # xenstored drops an event if the same one still waits for a reader. More than 30 fit the
    # socket of a reader that gets no processor; without a flood, there are fewer than 10.
    xenstore-watch -n 20 "$FE/state" >"$XENSPLIT_SANDBOX/watch.out" &
    wait_for test -s "$XENSPLIT_SANDBOX/watch.out" # each watch fires once when it is set
    kill -STOP $!
    make_device
    wait_for says front 'front 5 mydevice/0: flooded 300'
    kill -CONT $!
    wait_for state_is "$FE" 4
    wait_for state_is "$BE" 4
    wait $!
END
}

@test "--restored ignores the first device until it vanishes" {
  in_sandbox <<'END'
    drive back 0
    drive front 5 --restored
    make_device
    wait_for says front 'front 5 mydevice/0: believes in an earlier device'
    wait_for state_is "$BE" 2
    xenstore-rm "$BE"
    xenstore-rm "$FE"
    wait_for says front 'front 5 mydevice/0: unregistered'
    wait_for says back 'back 0 mydevice/5/0: unregistered'
    make_device
    wait_for state_is "$FE" 4
    wait_for state_is "$BE" 4
END
}

# The proxy

@test "the proxy counts every request in order" {
  in_sandbox <<'END'
    cd "$XENSPLIT_SANDBOX"
    "$SANDBOX" proxy --count count -- xenstore-write /a 1 /b/c 2
    diff - count <<LINES
1 TRANSACTION_START
2 WRITE /a
3 WRITE /b/c
4 TRANSACTION_END T
total 1 TRANSACTION_START
total 1 TRANSACTION_END
total 2 WRITE
total 4
LINES
    [[ $(xenstore-read /a) == 1 ]]
    "$SANDBOX" proxy --count count --trace -- sh -c 'xenstore-read /a; xenstore-read /none' \
      2>trace || true
    [[ $(tail -n 1 count) == 'total 2' ]]
    grep -qx '1 READ /a' trace
    grep -qx '2 READ /none' trace
    [[ $(ls) != *proxy* ]]
END
}

@test "the proxy's exit status is the command's" {
  run -3 in_sandbox <<<'"$SANDBOX" proxy -- sh -c "exit 3"'
  run -127 in_sandbox <<<'"$SANDBOX" proxy -- /no/such/command'
  run -0 in_sandbox <<<'"$SANDBOX" proxy --kill-at 2 -- xenstore-read domid'
}

@test "the proxy kills at the Nth request, before or after it" {
  in_sandbox <<'END'
    # exists, status, arguments: does /a exist afterwards?
    while read -r exists want args; do
      status=0
      "$SANDBOX" proxy --count "$XENSPLIT_SANDBOX/count" $args -- xenstore-write /a 1 /b 2 ||
        status=$?
      [[ $status == "$want" ]]
      status=0
      xenstore-exists /a || status=1
      [[ $status == "$exists" ]] || { echo "wrong after $args"; exit 1; }
      xenstore-rm /a || true
    done <<LINES
1 137 --kill-at 1
1 137 --kill-at 1 --after
1 137 --kill-at 2
1 137 --kill-at 2 --after
1 137 --kill-at 3 --after
1 137 --kill-at 4
0 137 --kill-at 4 --after
0 0 --kill-at 5
LINES
    [[ $(tail -n 1 "$XENSPLIT_SANDBOX/count") == 'total 4' ]]
END
}

@test "the proxy runs another client before the Nth request" {
  in_sandbox <<'END'
    said=$("$SANDBOX" proxy --run-at 2 --run 'xenstore-write /a 2' -- \
      sh -c 'xenstore-write /a 1; xenstore-read /a')
    [[ $said == 2 ]]
    said=$("$SANDBOX" proxy --run-at 1 --run 'xenstore-write /a 2' -- \
      sh -c 'xenstore-write /a 1; xenstore-read /a')
    [[ $said == 1 ]]
END
}

@test "the proxy counts several connections together and kills the whole command" {
  in_sandbox <<'END'
    cd "$XENSPLIT_SANDBOX"
    status=0
    "$SANDBOX" proxy --kill-at 3 --count count -- sh -c \
      'xenstore-read domid; xenstore-read name; setsid sleep 1000 & xenstore-read domid; touch no' \
      || status=$?
    [[ $status == 137 && ! -e no ]]
    [[ $(tail -n 1 count) == 'total 3' ]]
    [[ -z $(processes_with "XENSTORED_PATH=$PWD/proxy") ]]
END
}

@test "watches go through the proxy" {
  in_sandbox <<'END'
    cd "$XENSPLIT_SANDBOX"
    "$SANDBOX" proxy -- xenstore-watch -n 2 /a >watch.out &
    wait_for grep -q /a watch.out
    xenstore-write /a/b 1
    wait $!
    [[ $(<watch.out) == $'/a\n/a/b' ]]
END
}

@test "the proxy answers the Nth request with a fault" {
  in_sandbox <<'END'
    fails() { if "$SANDBOX" proxy --fail-at 1 --with "$@"; then exit 1; fi; }
    xenstore-write /a 1
    for fault in ENOSPC EACCES cut; do
      fails $fault -- timeout 20 xenstore-write /a 2
      [[ $(xenstore-read /a) == 1 ]]
    done
    for fault in wrong-type short long; do
      fails $fault -- timeout 20 xenstore-read /a
    done
    fails silent -- timeout 1 xenstore-read /a
    [[ -z $("$SANDBOX" proxy --fail-at 1 --with empty -- xenstore-read /a) ]]
    [[ $("$SANDBOX" proxy --fail-at 2 --with ENOSPC -- xenstore-read /a) == 1 ]]
END
  run -2 "$SANDBOX" proxy --fail-at 1 --with EPOLITE -- true
  run -2 "$SANDBOX" proxy --fail-at 1 -- true
}
