# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154 # run's variables
#
# Sourced by run: domains, their drivers, their files, and serve.

guests=(vm0 vm1 vm2 vm3 vm4 vm5 vm6 vm7)
drivers=(drv0 drv1)
types=(mydevice accel)
highest=24 # domid; few, so that they are soon used again

declare -A domid=()   # name -> domid, of those that live
declare -A manner=()  # name -> how its drivers behave: good, or drive's options
declare -A entries=() # name -> lines TYPE DEVID BACKEND-NAME [KEY=VALUE] of its file
declare -A broken=()  # name -> its file has an error
declare -A pid_of=()  # "NAME TYPE" -> pid of its driver; kept while it is frozen
declare -A frozen=()  # "NAME TYPE" -> 1
created=0
lives=0
serve_pid=

log() # WORDS
{
	printf '%s %s\n' "${actions-0}" "$*" >>"$out/actions"
}

# Only here, and never in a subshell, or a seed would not repeat the actions.
rnd() # N: sets r, from 0 to N - 1
{
	r=$((RANDOM % $1))
}

is_guest() # NAME
{
	[[ $1 == vm* ]]
}

# ---- drivers

load() # NAME TYPE
{
	local end=back id=${domid[$1]}
	local -a options=()

	! is_guest "$1" || end=front
	case ${manner[$1]} in
	none) return ;;
	good) ;;
	*) read -ra options <<<"${manner[$1]}" ;;
	esac
	"$SANDBOX" drive $end "$id" "$2" "${options[@]}" >>"$out/drivers" 2>&1 &
	pid_of["$1 $2"]=$!
}

unload() # NAME TYPE [SIGNAL]
{
	local pid=${pid_of["$1 $2"]-}

	[[ -n $pid ]] || return 0
	kill -CONT "$pid" 2>/dev/null || :
	kill "-${3:-TERM}" "$pid" 2>/dev/null || :
	wait "$pid" 2>/dev/null || :
	unset "pid_of[$1 $2]" "frozen[$1 $2]"
}

drive_dom0()
{
	local type

	domid[dom0]=0 manner[dom0]=good
	for type in "${types[@]}"; do
		load dom0 "$type"
	done
}

# ---- domains

free_domid() # sets r
{
	local name used=' '

	for name in "${!domid[@]}"; do
		used+="${domid[$name]} "
	done
	for (( ; ; )); do
		rnd "$highest"
		((++r))
		[[ $used == *" $r "* ]] || return 0
	done
}

# Most behave.
front_manners=(none '--stop-at 1' '--stop-at 3' '--never-close' '--error no' '--garbage 9'
	'--garbage \x00\xff' '--garbage 4294967300' '--flood 500' '--flood 2000 --never-close')
back_manners=(none '--stop-at 2' '--never-close' '--garbage 77' '--error no')

choose_manner() # NAME
{
	manner[$1]=good
	rnd 100
	if is_guest "$1"; then
		((r >= 65)) || return 0
		rnd ${#front_manners[@]}
		manner[$1]=${front_manners[r]}
	else
		((r >= 70)) || return 0
		rnd ${#back_manners[@]}
		manner[$1]=${back_manners[r]}
	fi
}

create() # NAME [DOMID]
{
	local type

	r=${2-}
	[[ -n $r ]] || free_domid
	domid[$1]=$r
	choose_manner "$1"
	log "create $1 ${domid[$1]}: ${manner[$1]}"
	"$SANDBOX" create "${domid[$1]}" --name "$1"
	created=$((created + 1))
	for type in "${types[@]}"; do
		load "$1" "$type"
	done
}

destroy() # NAME [--crash]
{
	local type

	log "kill $1 ${domid[$1]} ${2-}"
	"$SANDBOX" kill "${domid[$1]}" ${2+"$2"}
	unset "domid[$1]"
	for type in "${types[@]}"; do
		unload "$1" "$type" KILL
	done
}

# ---- files

write_file() # NAME
{
	local type devid backend key more text=''

	while read -r type devid backend key; do
		[[ -n $type ]] || continue
		more=
		[[ $backend == dom0 ]] || more+=,backend=$backend
		[[ -z $key ]] || more+=,front.$key
		text+="${text:+, }\"$type/$devid$more\""
	done <<<"${entries[$1]}"
	{
		printf 'name = "%s"\nmemory = 64\n' "$1"
		[[ -z ${broken[$1]-} ]] || printf 'xensplit = [ "%s"\n' "$1"
		printf 'xensplit = [ %s ]\n' "$text"
	} >"$XENSPLIT_SANDBOX/new"
	mv "$XENSPLIT_SANDBOX/new" "$files/$1.cfg"
	log "file $1: [ $text ]${broken[$1]:+ broken}"
}

new_file() # NAME
{
	local count type devid backend key lines='' taken=' '
	local -a backends=(dom0 dom0 "${drivers[@]}")

	rnd 5
	for ((count = r; count > 0; count--)); do
		rnd ${#types[@]}
		type=${types[r]}
		rnd 5
		devid=$r
		((devid < 4)) || devid=auto
		rnd ${#backends[@]}
		backend=${backends[r]}
		rnd 6
		key=
		((r >= 2)) || key=mode=$r
		[[ $devid == auto || $taken != *" $type$devid "* ]] || continue
		taken+="$type$devid "
		lines+="$type $devid $backend $key"$'\n'
	done
	entries[$1]=$lines
	unset "broken[$1]"
	write_file "$1"
}

# ---- serve

# Every other life ends at a request, which depends on its number.
serve_start()
{
	local at=$(((seed + lives * 7919) % 600 + 1))
	local -a proxy=()

	lives=$((lives + 1))
	proxied=
	if ((lives % 2 == 0)); then
		proxy=("$SANDBOX" proxy --kill-at "$at" --)
		proxied=1
	fi
	printf -- '--- life %d, at action %d\n' "$lives" "${actions-0}" >>"$out/serve.log"
	"${proxy[@]}" "$XENSPLIT" serve "$files" --replace --prune \
		--status-file "$XENSPLIT_SANDBOX/serve.json" >>"$out/serve.log" 2>&1 &
	serve_pid=$!
}

serve_lives()
{
	local status=0

	[[ -z $serve_pid ]] || ! kill -0 "$serve_pid" 2>/dev/null || return 0
	if [[ -n $serve_pid ]]; then
		wait "$serve_pid" 2>/dev/null || status=$?
		# by the proxy, or by serve_kill
		if ((status != 137)); then
			echo "# serve ended by itself with $status"
			tail -n 5 "$out/serve.log" | sed 's/^/# /'
			serve_failed=$((serve_failed + 1))
		fi
	fi
	serve_start
}
serve_failed=0

# The proxy ends when serve does. If the proxy were killed, serve would keep its lock a little longer.
serve_kill()
{
	local pid=$serve_pid

	[[ -n $pid ]] || return 0
	[[ -z $proxied ]] || pid=$(<"/proc/$pid/task/$pid/children") || return 0
	# shellcheck disable=SC2086 # none if it is just starting, or ending
	kill -KILL $pid 2>/dev/null || :
}
