# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154 # variables of the other files
#
# Sourced by one: what happens in an attack, step by step.

declare -A is=([who]=guest [exit]=0 [leaves]=same [within]=10 [memory]=24 [backend]=0
	[device]=mydevice/0)
FE='' BE='' REC='' # of the device

# Several lines of a kind are one text.
read_attack() # FILE
{
	local key value

	while read -r key value; do
		case $key in
		'' | '#'*) ;;
		given | dom0 | first | while | then | after | says | never)
			is[$key]+=${is[$key]:+$'\n'}$value
			;;
		who | layout | verb | exit | leaves | within | memory | lines | backend | device | until | at | meanwhile | also)
			is[$key]=$value
			;;
		*)
			say "there is no '$key'"
			return 1
			;;
		esac
	done <"$1"
	case ${is[who]} in
	guest) attacker=5 ;;
	backend) attacker=6 ;;
	*) return 1 ;;
	esac
	FE=/local/domain/5/device/${is[device]}
	BE=/local/domain/${is[backend]}/backend/${is[device]%/*}/5/${is[device]#*/}
	REC=/xensplit/5/${is[device]}
}

# Without the layout of the host's Xen: who owns the directories that devices are in.
lay_out()
{
	[[ $layout != libxl ]] || return 0
	[[ $layout != home ]] || xenstore-chmod /local/domain/5 n5
	xenstore-chmod /local/domain/5/device n5 r0
	xenstore-write /local/domain/6/backend ''
	xenstore-chmod /local/domain/6/backend n6
}

as_xensplit()
{
	timeout 30 "$XENSPLIT" -q "$@" >>said.before 2>&1
}

# comes COMMAND...: waits until it succeeds
comes()
{
	local i

	for ((i = 0; i < 1500; i++)); do
		! "$@" 2>/dev/null || return 0
		sleep 0.02
	done
	say "never came true: $*"
	return 1
}

is_value() # PATH VALUE
{
	[[ $(xenstore-read "$1" 2>/dev/null) == "$2" ]]
}

drive() # END DOMID [OPTION...]
{
	"$SANDBOX" drive "$1" "$2" "${is[device]%/*}" "${@:3}" >"drive-$1-$2" 2>&1 &
	comes grep -qx ready "drive-$1-$2"
	kill -USR1 $! # it has answered to the devices that were there, when it says so
	comes grep -q 'caught up' "drive-$1-$2"
}

# Nodes as libxl and most scripts make them: the pointers are the guest's.
by_hand() # PERMISSIONS-OF-POINTERS...
{
	xenstore-write "$FE" '' "$BE" ''
	xenstore-chmod "$FE" n5 "r${is[backend]}"
	xenstore-chmod "$BE" "n${is[backend]}" r5
	xenstore-write "$FE/backend" "$BE" "$FE/backend-id" "${is[backend]}" "$BE/frontend" "$FE" \
		"$BE/frontend-id" 5 "$BE/online" 1 "$FE/state" 1 "$BE/state" 1
	(($# == 0)) || xenstore-chmod "$FE/backend" "$@"
	(($# == 0)) || xenstore-chmod "$FE/backend-id" "$@"
}

# config FILE DOMAIN ENTRY...: a file for apply, or for serve if it is in domains
config()
{
	mkdir -p domains
	printf 'name = "%s"\nxensplit = [' "$2" >"$1.cfg"
	printf " '%s'," "${@:3}" >>"$1.cfg"
	echo ' ]' >>"$1.cfg"
}

given() # WORD
{
	case $1 in
	attached) as_xensplit attach 5 "${is[device]}" -b "${is[backend]}" --no-wait ;;
	driver) drive back "${is[backend]}" ;;
	frontend) drive front 5 ;;
	connected)
		drive back "${is[backend]}"
		drive front 5
		as_xensplit attach 5 "${is[device]}" -b "${is[backend]}" -t 30
		;;
	foreign) by_hand ;;
	foreign-safe) by_hand n0 r5 "r${is[backend]}" ;;
	born-again)
		"$SANDBOX" kill 5
		"$SANDBOX" create 5
		lay_out
		;;
	# init-dom0less gives these nodes to the guest.
	dom0less)
		xenstore-chmod /local/domain/5/name n5 r0
		xenstore-chmod /local/domain/5/vm n5 r0
		;;
	*) return 1 ;;
	esac
}

# The device of another guest must never change.
prepare()
{
	local word

	as_xensplit attach 7 --no-wait
	for word in ${is[given]-}; do
		given "$word"
	done
	# FE, BE and what the library writes can be named in it.
	[[ -z ${is[dom0]-} ]] || eval "${is[dom0]}"
}

attack() # LINES [--while]
{
	"$O/tests/attack/attacker" "$attacker" "${@:2}" <<<"$1"
}

attack_first()
{
	[[ -z ${is[first]-} ]] || attack "${is[first]}" >attacker || say "the attacker: $(<attacker)"
}

attack_while()
{
	[[ -n ${is[while]-} && $request == 0 ]] || return 0
	"$O/tests/attack/attacker" "$attacker" --while <<<"${is[while]}" >attacking 2>&1 &
	attack_pid=$!
	comes grep -q '^ready' attacking
}
attack_pid=''

# Also sees that it has not ended by itself, as then it was no attack.
end_attack()
{
	[[ -n "$attack_pid" ]] || return 0
	kill -0 "$attack_pid" 2>/dev/null || [[ ${is[while]} == *"on "* ]] ||
		say "the attacker had ended: $(<attacking)"
	kill "$attack_pid" 2>/dev/null || :
	wait "$attack_pid" 2>/dev/null || :
}

# The tool's words; "monitor ..." is the program beside this file.
command_of() # WORDS: sets command
{
	eval "command=($1)"
	if [[ ${command[0]} == monitor ]]; then
		command[0]=$MONITOR
	else
		command=("$XENSPLIT" "${command[@]}")
	fi
}

measured() # COMMAND...
{
	"$O/tests/attack/measure" measured "$((is[within] + 5))" "$@" >said 2>said.err
}

run_verb()
{
	command_of "${is[verb]}"
	measured "${command[@]}"
}

# The whole attack between two of its requests.
run_at() # NUMBER
{
	command_of "${is[verb]}"
	printf '%s\n' "${is[while]-}" >lines
	measured "$SANDBOX" proxy --run-at "$1" --run \
		"${is[meanwhile]-$O/tests/attack/attacker $attacker <$dir/lines >/dev/null}" -- "${command[@]}"
}

# For verbs that do not end by themselves.
run_until()
{
	local verb_pid

	command_of "${is[verb]}"
	"$O/tests/attack/measure" measured "$((is[within] + 5))" "${command[@]}" >said 2>said.err &
	verb_pid=$!
	comes eval "${is[until]}" || :
	kill $verb_pid 2>/dev/null || :
	wait $verb_pid || : # it is in measured
}
