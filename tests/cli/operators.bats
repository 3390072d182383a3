#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2154,SC2016 # bats sets status; Markdown has backquotes
# What doc/OPERATORS.md says, runs: with a simulated xl and systemd, and folders of its own.

load common
load blocks

setup()
{
	text=$(realpath "$BATS_TEST_DIRNAME/../../doc/OPERATORS.md")
	here=$BATS_TEST_TMPDIR/here blocks=$BATS_TEST_TMPDIR/blocks
	log=$here/log state=$here/run/xensplit/serve.json
	mkdir -p "$here"/{etc/xen,etc/xensplit/domains,run/xensplit,var/lib/prometheus/node-exporter} \
		"$blocks" "$BATS_TEST_TMPDIR/bin"
	export PATH=$BATS_TEST_TMPDIR/bin:$PATH
	split "$text"
	sed -i -E "s#(^|[ '=>])/(etc|run|var)/#\1$here/\2/#g" "$blocks"/*
	sandbox_start
	"$SANDBOX" kill 5
	xenstore-write /local/domain/6/name drv1
	drive back 0 mydevice
	drive back 6 mydevice
	simulate
}

teardown()
{
	end_serve
	sandbox_stop
	cat "$log" 2>/dev/null || true
}

# until FILTER: commands that wait for the status file to say so
until_status()
{
	printf 'for ((i = 0; i < 3000; i++)); do jq -e %q %q >/dev/null 2>&1 && exit; sleep 0.02; done; exit 1\n' \
		"$1" "$state"
}

simulate()
{
	program settle <<<''
	# in /run and /etc of this test
	program xensplit <<-END
		#!/bin/bash
		[[ \$1 == serve ]] || exec "$XENSPLIT" "\$@"
		shift
		[[ " \$* " == *" --status "* ]] || set -- "$here/etc/xensplit/domains" "\$@"
		exec "$XENSPLIT" serve --status-file "$state" "\$@"
	END
	program guest <<-END
		#!/bin/bash
		"$SANDBOX" create "\$1" --name guest5
		: >"$here/front"
		"$SANDBOX" drive front "\$1" mydevice >>"$here/front" 2>&1 3>&- &
		until grep -qx ready "$here/front"; do sleep 0.02; done
	END
	program xl <<-END
		#!/bin/bash
		case \$1 in
		create) guest 5 ;;
		reboot) "$SANDBOX" kill 5 && guest 7 ;;
		esac
		[[ \$1 != reboot ]] || { $(until_status '.devices | length == 2 and all(.ok and .domid == 7)'); }
	END
	program systemctl <<-END
		#!/bin/bash
		case "\$*" in
		"enable --now xensplit")
			: >"$log"
			JOURNAL_STREAM=\$(stat -c %d:%i "$log") xensplit serve >/dev/null 2>>"$log" 3>&- &
			echo \$! >"$here/pid"
			$(until_status '.devices | length == 2 and all(.ok)')
			;;
		"reload xensplit")
			kill -HUP "\$(<"$here/pid")"
			$(until_status '.files | length == 2')
			;;
		*) exit 1 ;;
		esac
	END
	program journalctl <<<"sed 's/^<[0-9]>//' '$log'"
}

end_serve()
{
	[[ -e $here/pid ]] || return 0
	kill "$(<"$here/pid")"
	eventually eval '! kill -0 "$(<"$here/pid")" 2>/dev/null'
	rm "$here/pid"
}

# Numbers of processes, dates, and which device connects first differ, too.
same_for_all()
{
	masked | sed -E 's#^mydevice/[01] attached#mydevice/N attached#; s/[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}/DATE/g; s/process [0-9]+/process PID/'
}

# the block of KIND that has this text
block()
{
	grep -lF -e "$2" "$blocks"/*."$1"
}

config()
{
	local file

	file=$(block cfg 'name = "guest5"')
	cp "$file" "$(sed -n '1s/^# //p' "$file")"
}

@test "each console block of OPERATORS.md runs, and prints what it says" {
	config
	count=0
	for file in "$blocks"/*.console; do
		diff <(same_for_all <"$file") <(play <"$file" | same_for_all)
		((++count))
	done
	((count >= 4))
}

@test "the Ansible task changes something once" {
	config
	guest 5
	file=$(block yaml ansible.builtin.command)
	grep -F 'changed_when: (devices.stdout | from_json).changed' "$file"
	command=$(sed -n 's/^  ansible.builtin.command: //p' "$file")
	for changed in true false; do
		run -0 --separate-stderr bash -c "$command"
		[[ $(jq .changed <<<"$output") == "$changed" ]]
	done
}

@test "the other tasks, the drop-in and the line for cron: commands and folders exist" {
	config
	guest 5
	file=$(block yaml ansible.builtin.copy)
	cp "$here/etc/xen/guest5.cfg" "$(sed -n 's/^    dest: //p' "$file")"
	command=$(sed -nE 's#^ExecStart=[a-z/]*/sbin/(xensplit .*)#\1#p' "$(block ini ExecStart)")
	run -0 bash -c "$command --once"
	[[ $output == *"guest5 mydevice/1: connected after "* ]]
	mv "$here"/var/lib/prometheus/node-exporter/xensplit.prom "$here/before"
	run -0 bash -c "$(sed -n 's/.* root //p' "$(block crontab '*')")"
	[[ -z $output ]]
	grep -qx 'xensplit_connected_devices 2' "$here"/var/lib/prometheus/node-exporter/xensplit.prom
}

@test "the alerts use metrics that exist" {
	config
	guest 5
	xensplit serve --once --metrics "$here/metrics.prom"
	grep -oE '\<xensplit_[a-z_]+' "$(block yaml alert:)" | sort -u >"$here/named"
	[[ $(wc -l <"$here/named") -gt 5 ]]
	while IFS= read -r name; do
		echo "$name"
		grep -E "^${name}[ {]" "$here/metrics.prom"
	done <"$here/named"
}

@test "each block of OPERATORS.md is run by one of these tests" {
	for file in "$blocks"/*; do
		case $file in
		*.console | *.cfg | *.ini | *.crontab) ;;
		*.yaml) grep -E 'ansible.builtin.(command|copy)|alert:' "$file" ;;
		*) false ;;
		esac
	done
}
