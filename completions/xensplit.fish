# SPDX-License-Identifier: GPL-2.0-or-later
# fish completion for xensplit(8). Verbs and options come from the tool itself, so that they
# are those of the version at hand.

function __xensplit_domains
    set -l found (timeout 2 xl list 2>/dev/null | awk 'NR > 1 { print $1; print $2 }')
    if test -z "$found"
        set found (timeout 2 xenstore-list /local/domain 2>/dev/null)
        set -q found[1]
        and set -a found (timeout 2 xenstore-read /local/domain/$found/name 2>/dev/null)
    end
    # Names come from other domains: none may be more than a word.
    string match -r '^[A-Za-z0-9@%+=:,./_-]+$' -- $found
end

# What an option takes: its name, what is typed of the argument, the lines of --help.
function __xensplit_values
    switch $argv[1]
        case -b --backend --domain
            __xensplit_domains
        case --metrics --status-file
            __fish_complete_path $argv[2]
        case --until
            printf '%s\n' connected initwait closed gone
        case -o --output
            set -l before (string match -r '^.*[+,]' -- $argv[2])
            set -l columns (string join \n -- $argv[3..] | sed -n '/^Columns:/,/^$/p' |
                string match -ra '\b[A-Z][A-Z-]+[A-Z]\b')
            printf '%s\n' "$before"$columns
    end
end

function __xensplit
    set -l words (commandline -opc)
    set -l tool $words[1]
    set -l current (commandline -ct)
    set -l verb
    set -l positional
    command -q $tool; or return

    # The options before a verb take no argument.
    set -e words[1]
    while set -q words[1]; and not set -q verb[1]
        string match -q -- '-*' $words[1]; or set verb $words[1]
        set -e words[1]
    end
    set -l help ($tool $verb --help 2>/dev/null)
    set -l with_argument (string match -rg '^  (?:(-.),|   ) (--[a-z-]+) [A-Z]' -- $help)
    set -l option
    for word in $words
        if set -q option[1]
            set option
        else if contains -- $word $with_argument
            set option $word
        else if not string match -q -- '-*' $word
            set -a positional $word
        end
    end

    if set -q option[1]
        __xensplit_values $option $current $help
    else if set -l parts (string match -rg '^(--[a-z-]+)=(.*)$' -- $current)
        printf '%s\n' $parts[1]=(__xensplit_values $parts[1] "$parts[2]" $help)
    else if string match -q -- '-*' $current
        string replace -rf '^  (?:-.,|   ) (--[a-z-]+)(?: [A-Z][A-Z=]*)? +(.*)' '$1\t$2' -- $help
    else if not set -q verb[1]
        $tool --list-verbs 2>/dev/null
        echo help
    else if test $verb = help
        set -q positional[1]; or $tool --list-verbs 2>/dev/null
    else if string match -q -- "Usage: xensplit $verb CONFIG*" $help[1]
        __fish_complete_path $current
    else if string match -qr -- "^Usage: xensplit $verb \\[DIR\\]" $help[1]
        set -q positional[1]; or __fish_complete_directories $current
    else if not string match -q -- "Usage: xensplit $verb *DOMAIN*" $help[1]
        return
    else if not set -q positional[1]
        __xensplit_domains
    else if not set -q positional[2]; and string match -q -- '*/DEVID*' $help[1]
        timeout 2 $tool list -rn --all -o TYPE,DEVID -- $positional[1] 2>/dev/null | string replace ' ' /
    end
end

complete -c xensplit -f -k -a '(__xensplit)'
