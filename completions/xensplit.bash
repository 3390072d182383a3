# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for xensplit(8). Asks the installed tool for its verbs and options, so that
# they fit its version.

# Reads words, one per line. Other domains choose these names: accept only plain words.
_xensplit_reply()
{
	local word

	while IFS= read -r word; do
		[[ $word == "$cur"* && $word =~ ^[A-Za-z0-9@%+=:,./_-]+$ ]] && COMPREPLY+=("$word")
	done
}

_xensplit_domains()
{
	local -a ids

	timeout 2 xl list 2>/dev/null | awk 'NR > 1 { print $1; print $2 }' | grep . && return
	mapfile -t ids < <(timeout 2 xenstore-list /local/domain 2>/dev/null)
	((${#ids[@]})) || return
	printf '%s\n' "${ids[@]}"
	ids=("${ids[@]/#//local/domain/}")
	timeout 2 xenstore-read "${ids[@]/%//name}" 2>/dev/null
}

# The columns that --help lists, behind those that are typed already.
_xensplit_columns() # HELP
{
	local before=${cur%"${cur##*[+,]}"}

	cur=${cur#"$before"}
	cur=${cur^^}
	_xensplit_reply < <(sed -n '/^Columns:/,/^$/p' <<<"$1" | grep -owE '[A-Z][A-Z-]+[A-Z]')
	COMPREPLY=("${COMPREPLY[@]/#/"$before"}")
	compopt -o nospace 2>/dev/null # a comma may follow
}

_xensplit_paths() # OPTION of compgen
{
	mapfile -t COMPREPLY < <(compgen "$1" -- "$cur")
	compopt -o filenames 2>/dev/null
}

_xensplit()
{
	local tool=$1 cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local verb='' help with_argument word i
	local -a words=()

	COMPREPLY=()
	if [[ $cur == = ]]; then # readline cuts --option=value in three
		cur=''
	elif [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi

	# The options before a verb take no argument.
	for ((i = 1; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} == -* ]] || { verb=${COMP_WORDS[i]}; break; }
	done
	help=$("$tool" ${verb:+"$verb"} --help 2>/dev/null)
	with_argument=$(sed -nE 's/^  (-.)?,? +(--[a-z-]+) [A-Z].*/ \1 \2 /p' <<<"$help")

	for ((i++; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ $with_argument == *" $word "* ]]; then
			[[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))
			((i++))
			while [[ ${COMP_WORDS[i + 1]} == = ]]; do ((i += 2)); done # KEY=VALUE
		elif [[ $word != -* ]]; then
			words+=("$word")
		fi
	done

	if [[ $with_argument == *" $prev "* ]]; then
		case $prev in
		-b | --backend | --domain) _xensplit_reply < <(_xensplit_domains) ;;
		--until) _xensplit_reply <<<$'connected\ninitwait\nclosed\ngone' ;;
		-o | --output) _xensplit_columns "$help" ;;
		--metrics | --status-file) _xensplit_paths -f ;;
		esac
	elif [[ $cur == -* ]]; then
		_xensplit_reply < <(sed -nE 's/^  (-.,|   ) (--[a-z-]+).*/\2/p' <<<"$help")
	elif [[ -z $verb ]]; then
		_xensplit_reply < <("$tool" --list-verbs 2>/dev/null; echo help)
	elif [[ $verb == help ]]; then
		((${#words[@]})) || _xensplit_reply < <("$tool" --list-verbs 2>/dev/null)
	elif [[ $help == "Usage: xensplit $verb CONFIG"* ]]; then
		_xensplit_paths -f
	elif [[ $help == "Usage: xensplit $verb [DIR]"* ]]; then
		((${#words[@]})) || _xensplit_paths -d
	elif [[ $help != "Usage: xensplit $verb "*DOMAIN* ]]; then
		return
	elif ((${#words[@]} == 0)); then
		_xensplit_reply < <(_xensplit_domains)
	elif ((${#words[@]} == 1)) && [[ $help == *'TYPE[/DEVID]'* ]]; then
		_xensplit_reply < <(timeout 2 "$tool" list -rn --all -o TYPE,DEVID -- "${words[0]}" \
			2>/dev/null | tr ' ' /)
	fi
}

complete -F _xensplit xensplit
