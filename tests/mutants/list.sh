# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Reads the lists of mutations; for run and one, which set here and top.
# shellcheck disable=SC2034,SC2154

# Sets names, olds, news and why, with one entry for each mutation, and tries, the suites to begin with.
read_list() # LIST
{
	local line number=0

	names=() olds=() news=() why=() tries=()
	while IFS= read -r line; do
		number=$((number + 1))
		[[ $line != *' =>' ]] || line+=' ' # no new text
		case $line in
		'' | '#'*) ;;
		'try '*) read -ra tries <<<"${line#try }" ;;
		'  same: '*) why[-1]=${line#  same: } ;;
		*': '*' => '*)
			names+=("${line%%: *}")
			line=${line#*: }
			olds+=("${line%% => *}")
			news+=("${line#* => }")
			why+=('')
			;;
		*)
			echo "tests/mutants/$1:$number: neither NAME: OLD => NEW, nor 'try' or 'same:'" >&2
			return 1
			;;
		esac
	done <"$here/$1"
}

# Sets suites to those to run: the nearest, then all others of tests/unit that are quick.
suites_of()
{
	local file suite

	suites=("${tries[@]}")
	for file in "$top"/tests/unit/test-*.c; do
		suite=${file##*/test-}
		suite=unit/${suite%.c}
		[[ " ${suites[*]} unit/faults unit/memory " == *" $suite "* ]] || suites+=("$suite")
	done
}

# Sets flat to a source with each function on one line.
flatten() # FILE
{
	flat=$(sed -z 's/\([^\\\n]\)\n\+[ \t]\+/\1 /g; s/\n}/ }/g; s/}\n\+\([A-Za-z]\)/} \1/g' "$1")$'\n'
}

# In how many places flat has the text.
count_of() # TEXT
{
	local without=${flat//"$1"/}

	echo $(((${#flat} - ${#without}) / ${#1}))
}
