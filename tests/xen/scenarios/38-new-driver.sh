#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Expects: drivers made with modules/new-driver pass their own scenarios, unchanged

# shellcheck source=tests/xen/lib.sh
. /tests/lib.sh
need_tool

for name in acme my-gizmo; do
	note "$name"
	# shellcheck source=/dev/null
	. "/tests/new-$name.sh"
done
expect_is "g1's kernel has nothing to say" \
	"$(guest_cmd g1 "dmesg -c | grep -E 'segfault|general protection|BUG:|Oops|WARNING:|Call Trace|leaking' || :")" ''
