# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # variables of the other files
#
# Sourced by one: what must be true after an attack.

say() # WORDS
{
	printf '%s\n' "$*" >&3
	wrong=$((wrong + 1))
}

store()
{
	xenstore-ls -fp /
}

# Prints what has changed outside the attacker's own nodes. Below one of them, others can vanish with
# it, but not change. Nodes of the device are compared if it has to be the same.
changes()
{
	awk -v attacker="$attacker" -v leaves="${is[leaves]}" -v FE="$FE" -v BE="$BE" -v REC="$REC" \
		-v also="${is[also]-}" '
	function parent(path) {
		sub(/\/[^\/]*$/, "", path)
		return path
	}
	function read_line(values, owners,    path, perms) {
		path = $1
		perms = $0
		sub(/^.*   \(/, "", perms)
		owners[path] = substr(perms, 2) + 0 # of "n5,r0)"
		values[path] = substr($0, length(path) + 4)
		if (path == BE "/state")
			sub(/^"[^"]*"/, "", values[path])
	}
	function is_own(path, owners) {
		return path in owners && owners[path] == attacker
	}
	function is_below(path, owners) {
		while ((path = parent(path)) != "")
			if (is_own(path, owners))
				return 1
		return 0
	}
	# of the device, and of directories that come and go with it
	function is_device(path,    above) {
		if (path ~ /^\/local\/domain\/[0-9]+\/error(\/|$)/ || path ~ /\/next-devid$/)
			return 1
		if (also != "" && path ~ also)
			return 1
		if (leaves == "same")
			return 0
		if (index(path "/", FE "/") == 1 || index(path "/", BE "/") == 1 || index(path "/", REC "/") == 1)
			return 1
		if (path == parent(FE) || path == parent(BE) || path == parent(parent(BE)))
			return 1
		if (path == parent(REC) || path == parent(parent(REC)))
			return 1
		return path == parent(parent(parent(BE))) && path !~ /domain\/0\//
	}
	FILENAME == ARGV[1] { read_line(before, owner_before); next }
	{ read_line(after, owner) }
	END {
		for (path in after) {
			if (path ~ /^\/xensplit\// && after[path] !~ /   \(n0\)$/)
				print "not only for dom0: " path after[path]
			if (path ~ /^\/local\/domain\/[0-9]+\/xensplit$/) {
				if (after[path] !~ /   \(n0\)$/ && !is_own(path, owner_before))
					print "not only for dom0: " path after[path]
				if (!(path in before))
					continue
			}
			if (path in before && before[path] == after[path])
				continue
			# after a device has gone, a guest that owns its "device" can make its half again
			made_again = !(REC in after) && index(path, FE "/") == 1
			if (path in before && owner_before[path] != attacker && owner[path] == attacker && !made_again)
				print "taken over: " path after[path]
			if (is_own(path, owner) || is_device(path))
				continue
			if (path in before)
				print "changed: " path before[path] " to" after[path]
			else
				print "new: " path after[path]
		}
		for (path in before)
			if (!(path in after) && !is_own(path, owner_before) &&
			    !is_below(path, owner_before) && !is_device(path))
				print "gone: " path before[path]
	}' before after
}

node_is() # PATH VALUE PERMISSIONS
{
	local line

	line=$(grep -F -m 1 -e "$1 = " after) || {
		say "there is no $1"
		return 0
	}
	[[ $line == "$1 = \"$2\"   ($3)" ]] || say "not \"$2\" ($3): $line"
}

# As attach writes it; who owns the state may have changed it.
whole_device()
{
	local B=${is[backend]} front back identity

	front="n5,r$B" back="n$B,r5" identity="n0,r5,r$B"
	grep -qE "^$REC = \"schema=1.nbackend-id=$B.n" after || say "there is no record $REC"
	node_is "$FE" '' "$front"
	node_is "$FE/backend" "$BE" "$identity"
	node_is "$FE/backend-id" "$B" "$identity"
	node_is "$BE" '' "$back"
	node_is "$BE/frontend" "$FE" "$back"
	node_is "$BE/frontend-id" 5 "$back"
	node_is "$BE/online" 1 "$back"
	grep -qF "$FE/state = " after || say "there is no $FE/state"
	grep -qF "$BE/state = " after || say "there is no $BE/state"
}

no_device()
{
	local path

	for path in "$FE" "$BE" "$REC"; do
		! grep -qE "^$path(/[^ ]*)? = " after || say "left: $(grep -m 1 "^$path" after)"
	done
}

# Is the recorded device as attach writes it?
ours()
{
	whole_device
}

check_store()
{
	local line

	while read -r line; do
		say "$line"
	done < <(changes)
	case ${is[leaves]} in
	device) whole_device ;;
	nothing) no_device ;;
	same | any) ;;
	*) say "there is no 'leaves ${is[leaves]}'" ;;
	esac
}

check_limits()
{
	local status ms kb

	read -r status ms kb <measured
	[[ $status =~ ^(${is[exit]})$ ]] || say "exit $status, not ${is[exit]}"
	((ms <= is[within] * 1000)) || say "took $ms ms"
	((kb <= is[memory] * 1024)) || say "took $kb KB of memory"
	[[ -z ${is[lines]-} ]] || (($(wc -l <said) <= is[lines])) || say "printed $(wc -l <said) lines"
}

# What a terminal could take for anything but text.
check_bytes()
{
	! grep -q '[^ -~]' said said.err ||
		say "raw bytes: $(grep -hm 1 '[^ -~]' said said.err | od -c | head -n 3)"
}

check_words()
{
	local line

	while read -r line; do
		[[ -z $line ]] || grep -qF -e "$line" said said.err || say "does not say: $line"
	done <<<"${is[says]-}"
	while read -r line; do
		[[ -z $line ]] || ! grep -qF -e "$line" said said.err || say "says: $line"
	done <<<"${is[never]-}"
	[[ " ${is[verb]} " != *' --json '* ]] || jq -e . said >/dev/null || say "is no JSON"
}

# What the attacker can do now, and what dom0 sees.
check_then()
{
	local line

	[[ -z ${is[then]-} ]] || attack "${is[then]}" >attacker.then 2>&1 ||
		say "then, the attacker: $(<attacker.then)"
	while read -r line; do
		[[ -z $line ]] || eval "$line" || say "not so: $line"
	done <<<"${is[after]-}"
}

check()
{
	check_limits
	check_bytes
	check_words
	check_store
	check_then
	((wrong == 0)) || {
		sed 's/^/| /' said said.err >&3
		echo "| $ xensplit ${is[verb]}: $(<measured)" >&3
	}
}
