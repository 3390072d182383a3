# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154 # run's and world.sh's variables
#
# Sourced by run: what happens to the world.

actions=0

# one_of NAME...: sets one
one_of()
{
	rnd $#
	one=${*:r+1:1}
}

alive() # PATTERN: sets list, in a fixed order
{
	local name

	list=()
	for name in "${guests[@]}" "${drivers[@]}"; do
		# shellcheck disable=SC2053 # a pattern
		[[ -z ${domid[$name]-} || $name != $1 ]] || list+=("$name")
	done
}

dead() # PATTERN: sets list
{
	local name

	list=()
	for name in "${guests[@]}" "${drivers[@]}"; do
		# shellcheck disable=SC2053 # a pattern
		[[ -n ${domid[$name]-} || $name != $1 ]] || list+=("$name")
	done
}

act_create() # PATTERN
{
	dead "$1"
	((${#list[@]})) || return 0
	one_of "${list[@]}"
	create "$one"
}

act_destroy() # PATTERN
{
	alive "$1"
	((${#list[@]})) || return 0
	one_of "${list[@]}"
	rnd 2
	if ((r)); then
		destroy "$one"
	else
		destroy "$one" --crash
	fi
}

# The same domid at once, as if its toolstack had not waited.
act_again()
{
	local id

	alive 'vm*'
	((${#list[@]})) || return 0
	one_of "${list[@]}"
	id=${domid[$one]}
	destroy "$one"
	create "$one" "$id"
}

act_file()
{
	one_of "${guests[@]}"
	new_file "$one"
}

act_break()
{
	one_of "${guests[@]}"
	broken["$one"]=1
	write_file "$one"
}

act_reload()
{
	local name

	alive '*'
	((${#list[@]})) || return 0
	one_of "${list[@]}" dom0
	name=$one
	one_of "${types[@]}"
	log "load $name $one again"
	unload "$name" "$one"
	load "$name" "$one"
}

# Freezes a driver, or lets it go on.
act_freeze()
{
	local name

	alive '*'
	((${#list[@]})) || return 0
	one_of "${list[@]}"
	name=$one
	one_of "${types[@]}"
	[[ -n ${pid_of["$name $one"]-} ]] || return 0
	if [[ -n ${frozen["$name $one"]-} ]]; then
		thaw "$name $one"
	else
		log "freeze $name $one"
		frozen["$name $one"]=1
		kill -STOP "${pid_of["$name $one"]}" 2>/dev/null || :
	fi
}

thaw() # KEY
{
	log "thaw $1"
	unset "frozen[$1]"
	kill -CONT "${pid_of[$1]}" 2>/dev/null || :
}

# A guest writes to its own half what no driver writes.
act_lie()
{
	local front

	alive 'vm*'
	((${#list[@]})) || return 0
	one_of "${list[@]}"
	rnd 2
	front=device/${types[r]}
	rnd 4
	front+=/$r
	rnd 4
	[[ ${manner[$one]} != good ]] || return 0
	log "lie $one $front $r"
	case $r in
	0) "$SANDBOX" as "${domid[$one]}" xenstore-rm "$front" ;;
	1) "$SANDBOX" as "${domid[$one]}" xenstore-write "$front/state" 6 ;;
	2) "$SANDBOX" as "${domid[$one]}" xenstore-chmod "$front" n0 ;;
	3) "$SANDBOX" as "${domid[$one]}" xenstore-write "$front/backend-id" 3 "$front/x/y" z ;;
	esac >/dev/null 2>&1 || :
}

act_freeze_store()
{
	log "freeze xenstored"
	"$SANDBOX" stop-daemon --freeze
	pause
	"$SANDBOX" stop-daemon --thaw
}

act_storm()
{
	local name

	log "storm"
	alive 'vm*'
	for name in "${list[@]}"; do
		destroy "$name"
	done
	for name in "${guests[@]}"; do
		create "$name"
	done
}

act_serve()
{
	log "kill serve"
	serve_kill
}

# Only once serve can take it: it blocks the signal, which is the lowest bit.
act_hangup()
{
	local blocked

	log "SIGHUP"
	[[ -z $proxied ]] || return 0
	blocked=$(sed -n 's/^SigBlk:[[:space:]]*//p' "/proc/$serve_pid/status" 2>/dev/null) || :
	[[ $blocked != *[13579bdf] ]] || kill -HUP "$serve_pid" 2>/dev/null || :
}

act()
{
	actions=$((actions + 1))
	rnd 100
	if ((r < 26)); then act_create 'vm*'
	elif ((r < 42)); then act_destroy 'vm*'
	elif ((r < 48)); then act_again
	elif ((r < 53)); then act_create 'drv*'
	elif ((r < 57)); then act_destroy 'drv*'
	elif ((r < 67)); then act_file
	elif ((r < 69)); then act_break
	elif ((r < 73)); then act_reload
	elif ((r < 79)); then act_freeze
	elif ((r < 89)); then act_lie
	elif ((r < 90)); then act_freeze_store
	elif ((r < 91)); then act_storm
	elif ((r < 93)); then act_hangup
	else act_serve
	fi
}

# Up to 0.4 s.
pause()
{
	rnd 400
	printf -v r '0.%03d' "$r"
	read -rt "$r" -u "$idle" || :
}
