#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2030,SC2031,SC2154 # bats sets stderr; each test is a subshell of its own
# Verbs, options and their help are one table, so they can't differ; and errors of usage.

load common

setup()
{
	# No store, since none of these needs one.
	export XENSTORED_PATH=$BATS_TEST_TMPDIR/none
	mapfile -t verbs < <("$XENSPLIT" --list-verbs)
	[[ ${#verbs[@]} -ge 6 ]]
}

# options VERB: prints its long options as in --help, with the name of their argument
options()
{
	"$XENSPLIT" "$1" --help | sed -nE 's/^  (-.,|   ) --([a-z-]+) ([A-Z=]*) .*/\2 \3/p'
}

# sample NAME: an argument that an option accepts
sample()
{
	case $1 in
	SECONDS) echo 1.5 ;;
	COUNT) echo 3 ;;
	KEY=VALUE) echo key=value ;;
	*) echo text ;;
	esac
}

@test "the verbs of --list-verbs are those of --help" {
	does --help
	listed=$(sed -n '/^Verbs:/,/^$/s/^  \([a-z]*\) .*/\1/p' <<<"$output")
	[[ $listed == "$(printf '%s\n' "${verbs[@]}")" ]]
}

@test "--help and --version of every verb, and before it, write only to stdout" {
	for verb in "${verbs[@]}"; do
		does "$verb" --help
		[[ $output == "Usage: xensplit $verb"* ]]
		help=$output
		does "$verb" -h
		[[ $output == "$help" ]]
		does help "$verb"
		[[ $output == "$help" ]]
		does "$verb" --version
		[[ $output =~ ^xensplit\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
		does "$verb" -V
		[[ $output =~ ^xensplit\ [0-9] ]]
	done
	does --version
	[[ $output =~ ^xensplit\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
	does -V
	[[ $output =~ ^xensplit\ [0-9] ]]
	does --help
	help=$output
	does -h
	[[ $output == "$help" ]]
	does help
	[[ $output == "$help" ]]
}

@test "no line of help is wider than 80 characters" {
	for verb in "" "${verbs[@]}"; do
		# shellcheck disable=SC2086 # no verb is no argument
		does $verb --help
		run ! grep -E '.{81}' <<<"$output"
	done
}

@test "every option in the help is accepted by the verb" {
	declare -A tested=()
	for verb in "${verbs[@]}"; do
		found=0
		while read -r name arg; do
			((++found))
			[[ -z ${tested[$name]:-} ]] || continue
			[[ $name != @(verbose|quiet|json|help|version) ]] || tested[$name]=yes
			if [[ -n $arg ]]; then
				does "$verb" --help "--$name" "$(sample "$arg")"
				fails 2 "$name" "$verb" --help "--$name"
			else
				does "$verb" --help "--$name"
				fails 2 "$name" "$verb" --help "--$name=1"
			fi
		done < <(options "$verb")
		[[ $found -ge 5 ]]
	done
}

@test "every letter in the help is accepted by the verb" {
	for verb in "${verbs[@]}"; do
		while read -r letter arg; do
			does "$verb" --help "-$letter" ${arg:+"$(sample "$arg")"}
		done < <("$XENSPLIT" "$verb" --help |
			sed -nE 's/^  -(.), --[a-z-]+ ([A-Z=]*) .*/\1 \2/p')
	done
}

@test "the options of each verb are these" {
	common="verbose quiet json help version"
	declare -A want=(
		[attach]="backend front back timeout no-wait wait-domain rollback ensure replace no-keep-keys
			backend-type reserved dry-run"
		[detach]="timeout force all dry-run"
		[list]="all output noheadings raw"
		[show]=""
		[wait]="until timeout wait-domain"
		[adopt]="backend backend-type reserved dry-run"
		[reap]="dry-run"
		[apply]="domain replace prune create timeout no-wait dry-run"
	)
	for verb in "${!want[@]}"; do
		# shellcheck disable=SC2086 # words
		diff <(printf '%s\n' ${want[$verb]} $common) <(options "$verb" | sed 's/ .*//')
	done
}

@test "an unknown option: one line and exit 2" {
	fails 2 "--bogus" --bogus
	fails 2 "'Z'" -Z
	for verb in "${verbs[@]}"; do
		fails 2 "--bogus" "$verb" --bogus
		fails 2 "'Z'" "$verb" 5 -Z
	done
	fails 2 "--rollback" detach 5 --rollback
	fails 2 "--list-verbs" list --list-verbs
	fails 2 "--until" --until=gone wait 5
}

@test "an option that is wrong in another way: the same, and an object with --json" {
	refuses() # MESSAGE ARGUMENT...
	{
		fails 2 "$@"
		[[ $stderr == "xensplit: $1" ]]
		fails 2 "$1" --json "${@:2}"
		[[ $stderr == "xensplit: $1" && $(jq -r .error.message <<<"$output") == "${1#*: }" ]]
		json '.error.code == "usage"'
	}
	refuses "list: option '--output' requires an argument" list --output
	refuses "list: option '--output' requires an argument" list -o
	refuses "list: option '--json' doesn't allow an argument" list --json=yes
	refuses "list: option '--json' doesn't allow an argument" list --js=yes
	refuses "attach: option '--ba' is ambiguous" attach 5 --ba
	refuses "attach: option '--back' requires an argument" attach 5 --back
	refuses "list: unrecognized option '--x\\x1b'" list $'--x\e'
	refuses "list: invalid option -- '\\x1b'" list $'-q\e'
	fails 2 "unrecognized option '--x'" --json --x list
	json '.error.message == "unrecognized option '"'--x'"'"'
}

@test "an unknown column: one line with the known ones, and exit 2" {
	for columns in "" "," "DOMID," ",DOMID" nonsense "DOMID,TYPE,x" "domid devid" $'DOMID\n' + '+,' +x ++DOMID; do
		fails 2 "the columns are DOMID,DOMAIN," list -o "$columns"
	done
	fails 2 "--output: unknown column 'x\x1b': the columns" list -o $'DOMID,x\e,TYPE'
	fails 2 "--output: 64 columns at most" list -o "$(printf 'DOMID,%.0s' {1..64})TYPE"
}

@test "an unknown verb: one line and exit 2" {
	fails 2 "unknown verb 'x': see xensplit --help" x
	fails 2 "unknown verb ''" ""
	fails 2 "unknown verb 'atta'" atta 5
	fails 2 "unknown verb 'a\x0ab'" $'a\nb'
	fails 2 "unknown verb 'x'" help x
	fails 2 "one verb" help list show
	fails 2 "a verb is missing"
	tool --json
	[[ $status -eq 2 ]] && json '.error.code == "usage" and .error.device == null'
}

@test "too few and too many arguments: one line and exit 2" {
	for verb in attach detach show wait adopt; do
		fails 2 "$verb: the arguments are DOMAIN [TYPE[/DEVID]]: see xensplit $verb --help" "$verb"
		fails 2 "$verb: the arguments are" "$verb" 5 mydevice/0 more
	done
	fails 2 "list: the arguments are [DOMAIN]" list 5 6
	fails 2 "reap: the arguments are [DOMAIN]" reap 5 6
	fails 2 "apply: the arguments are CONFIG..." apply
}

@test "seconds are parsed strictly" {
	for good in 1 0.5 86400 86400.000 0.0001 007; do
		does attach --help -t "$good"
	done
	for bad in "" x 5x -1 +1 " 1" "1 " 1e3 0x10 1,5 . 1. .5 1.5.5 86401 86400.0001 \
		99999999999999999999 4294967297 1.0000000000000000000000000x; do
		fails 2 "--timeout '$bad': use seconds from 0 to 86400" attach -t "$bad" 5
	done
}

@test "contradictory options are refused" {
	fails 2 "--timeout 0 is not possible: use --no-wait" attach 5 -t 0
	fails 2 "--rollback and --no-wait exclude each other" attach 5 --no-wait --rollback
	fails 2 "--all and TYPE exclude each other" detach --all 5 mydevice
	fails 2 "--json and --raw exclude each other" list -J -r
	fails 2 "--until 'open': use connected, initwait, closed or gone" wait 5 --until=open
	fails 2 "--front 'x': use KEY=VALUE" attach 5 -F x
	fails 2 "--back '=x': use KEY=VALUE" attach 5 -B =x
}

@test "what is shown of a wrong option is escaped" {
	fails 2 "--front 'a\\x1bb': use KEY=VALUE" attach 5 -F $'a\eb'
	fails 2 "--timeout '1\\x1b': use seconds from 0 to 86400" attach 5 -t $'1\e'
	fails 2 "--num-events '\\xff': use a number" watch --num-events $'\xff'
}

@test "a full disk is an error" {
	for args in --help --version --list-verbs "help attach"; do
		# shellcheck disable=SC2086,SC2016 # words, and what the shell expands
		run --separate-stderr bash -c '"$0" "$@" >/dev/full' "$XENSPLIT" $args
		[[ $status -eq 1 && $stderr == "xensplit: can't write to stdout" ]]
	done
	# shellcheck disable=SC2016 # what the shell expands
	run -2 --separate-stderr bash -c '"$0" --json list --bogus >/dev/full' "$XENSPLIT"
	[[ $stderr == *"--bogus'"$'\n'"xensplit: list: can't write to stdout" ]]
}

# What a broken installation has.
@test "a plugin that is missing, something else, or of another version: one line and exit 1" {
	local from old new
	from=$(dirname "$XENSPLIT") old=$("$XENSPLIT" --version) old=${old#* }
	new=${old//[0-9]/9}
	mkdir "$BATS_TEST_TMPDIR/plugins"
	cp "$XENSPLIT" "$from"/libxensplit.so.* "$BATS_TEST_TMPDIR"
	local XENSPLIT=$BATS_TEST_TMPDIR/xensplit
	fails 1 "list: can't load the plugin json: $BATS_TEST_TMPDIR/plugins/json.so: cannot open" list --json
	cp "$from"/libxensplit.so.[0-9] "$BATS_TEST_TMPDIR/plugins/json.so"
	fails 1 "list: can't load the plugin json: " list --json
	[[ $stderr == *"undefined symbol: xensplit_plugin" ]]
	LC_ALL=C sed "s/$old/$new/g" "$from/plugins/json.so" >"$BATS_TEST_TMPDIR/plugins/json.so"
	fails 1 "list: can't load the plugin json: it is of another version" list --json
}

@test "a reader that has gone causes no message (pitfall 25)" {
	# shellcheck disable=SC2016 # the shell expands it
	# 0 if the text fitted into the pipe before its end was closed
	run --separate-stderr bash -c '("$0" --help; echo $? >&3) 3>"$1" | true; cat "$1"' \
		"$XENSPLIT" "$BATS_TEST_TMPDIR/status"
	[[ -z $stderr && $output =~ ^(0|141)$ ]]
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	# shellcheck disable=SC2016 # the shell expands it
	# with SIGPIPE ignored, the write fails, still without a message
	run --separate-stderr bash -c 'trap "" PIPE; exec 4<>"$1" 5>"$1" 4<&-; "$0" --help >&5' \
		"$XENSPLIT" "$BATS_TEST_TMPDIR/pipe"
	[[ -z $stderr && $status -eq 1 ]]
}

@test "without xenstored: a message and exit 1" {
	fails 1 "can't connect to XenStore at $XENSTORED_PATH: No such file" list
	fails 1 "can't connect to XenStore at $XENSTORED_PATH: No such file" attach 5
	fails 1 "can't connect to XenStore at $XENSTORED_PATH: No such file" reap
}
