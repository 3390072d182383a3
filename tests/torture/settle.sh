# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154 # run's and world.sh's variables
#
# Sourced by run: the end, and what is expected then.

patience=${TORTURE_PATIENCE:-240} # seconds; many times what an idle machine needs

expectation() # prints the file that check reads
{
	local name type devid backend key conduct

	for name in "${!domid[@]}"; do
		conduct=bad
		[[ ${manner[$name]} != good ]] || conduct=good
		echo "domain ${domid[$name]} $name $conduct"
	done
	for name in "${guests[@]}"; do
		[[ -n ${domid[$name]-} ]] || continue
		while read -r type devid backend key; do
			[[ -n $type && -n ${domid[$backend]-} ]] || continue
			echo "device ${domid[$name]} $type $devid ${domid[$backend]} $key"
		done <<<"${entries[$name]}"
	done
}

# holds NUMBER WORDS: waits until the store is as expected; prints a TAP line
holds()
{
	local begun=$SECONDS number=$1

	expectation >"$out/expected-$number"
	until xenstore-ls -fp >"$out/store-$number" 2>/dev/null &&
		"$here/check" "$out/expected-$number" "$out/store-$number" >"$out/differences-$number"; do
		if ((SECONDS - begun >= patience)); then
			echo "not ok $number - $2"
			sed 's/^/# /' "$out/differences-$number"
			echo "# see $out for the actions, the logs and the store"
			return 1
		fi
		serve_lives
		read -rt 0.2 -u "$idle" || :
	done
	echo "ok $number - $2 # after $((SECONDS - begun)) s"
}

count_expected() # prints how many devices there are to be, and how many of them connected
{
	local -A good=()
	local word number name conduct rest
	local devices=0 connected=0

	while read -r word number name conduct rest; do
		if [[ $word == domain ]]; then
			[[ $conduct == bad ]] || good[$number]=1
		else
			devices=$((devices + 1))
			[[ -z ${good[$number]-} || -z ${good[${rest%% *}]-} ]] || connected=$((connected + 1))
		fi
	done < <(expectation)
	echo "$devices devices, $connected of them connected"
}

settle()
{
	local key name

	log "settle"
	for key in "${!frozen[@]}"; do
		thaw "$key"
	done
	for name in "${!broken[@]}"; do
		unset "broken[$name]"
		write_file "$name"
	done
	while kill -0 "$serve_pid" 2>/dev/null; do
		serve_kill
		read -rt 0.05 -u "$idle" || :
	done
	wait "$serve_pid" 2>/dev/null || :
	lives=$((lives + lives % 2)) # this one is not killed at a request
	serve_start
	holds 1 "each guest has what its file says, and nothing else: $(count_expected)"
}

never_ended()
{
	if ((serve_failed)); then
		echo "not ok 3 - serve ended by itself $serve_failed times; see $out/serve.log"
		return 1
	fi
	echo "ok 3 - serve ended only when it was killed, $lives times"
}

all_die()
{
	local name

	alive '*'
	for name in "${list[@]}"; do
		destroy "$name"
	done
	holds 2 "nothing is left of dead domains"
}
