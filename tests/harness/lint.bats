#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Each of this project's own checks passes on a small correct tree, and fails once that has an
# error.

bats_require_minimum_version 1.5.0

setup() {
  checks=$PWD/tests/lint
  cd "$BATS_TEST_TMPDIR" || exit
  export O=$PWD/build
  mkdir -p include lib src "$O"/{src,lib/static,install}
  cat >include/xensplit.h <<'END'
/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define XENSPLIT_API __attribute__((visibility("default")))
/*
 * xensplit_one - the first, not xensplit_none(void)
 *
 * Since: 0.1
 */
XENSPLIT_API int xensplit_one(void);

/*
 * xensplit_two - the second
 *
 * Since: 0.2
 */
XENSPLIT_API const char *
xensplit_two(int (*callback)(void),
	     int more);
END
  cat >lib/libxensplit.map <<'END'
/* SPDX-License-Identifier: LGPL-2.1-or-later */
LIBXENSPLIT_0.1 { global: xensplit_one; local: *; };
LIBXENSPLIT_0.2 {
	global:
		xensplit_two;
} LIBXENSPLIT_0.1;
END
  cat >lib/one.c <<'END'
/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../include/xensplit.h"
int hidden(void);
int hidden(void) { return 1; }
int xensplit_one(void) { return hidden(); }
const char *xensplit_two(int (*callback)(void), int more) { return callback() + more ? "" : 0; }
END
  echo '/* SPDX-License-Identifier: LGPL-2.1-or-later */ void xs_open(void); void store(void); void store(void) { xs_open(); }' >lib/store.c
  echo '/* SPDX-License-Identifier: GPL-2.0-or-later */ void xc_open(void); void domctl(void); void domctl(void) { xc_open(); }' >src/domctl.c
  git init -q .
  git add .
  build
}

build() {
  local file

  for file in lib/*.c; do
    gcc -fno-builtin -fvisibility=hidden -c -o "$O/lib/static/$(basename "$file" .c).o" "$file"
  done
  for file in src/*.c; do
    gcc -c -o "$O/src/$(basename "$file" .c).o" "$file"
  done
  gcc -shared -fPIC -Wl,--version-script=lib/libxensplit.map -o "$O/libxensplit.so" lib/*.c
  ld -r -o "$O/public.o" "$O"/lib/static/*.o
  objcopy --localize-hidden "$O/public.o"
  rm -f "$O/libxensplit.a"
  ar rcs "$O/libxensplit.a" "$O/public.o"
}

passes() {
  run "$checks/check-$1"
  echo "$output"
  [ "$status" -eq 0 ]
  [ -z "$output" ]
}

finds() { # CHECK TEXT
  run "$checks/check-$1"
  echo "$output"
  [ "$status" -ne 0 ]
  [[ $output == *"$2"* ]]
}

@test "symbols: header, marker, map and library agree" {
  passes symbols
}

@test "symbols: a function that is not in the map" {
  sed -i 's/ xensplit_one;/ ;/; s/global: ;//' lib/libxensplit.map
  build
  finds symbols "declared in include/xensplit.h, but not listed in lib/libxensplit.map: xensplit_one"
}

@test "symbols: a name in the map that exists nowhere else" {
  sed -i 's/xensplit_two;/xensplit_two; xensplit_three;/' lib/libxensplit.map
  build
  finds symbols "listed in lib/libxensplit.map, but not exported by libxensplit.so: xensplit_three"
}

@test "symbols: a pattern in the map" {
  sed -i 's/xensplit_two;/xensplit_t*;/' lib/libxensplit.map
  build
  finds symbols "xensplit_t*"
}

@test "symbols: a declaration without the marker" {
  sed -i 's/^XENSPLIT_API int/int/' include/xensplit.h
  finds symbols "but not marked XENSPLIT_API: xensplit_one"
}

@test "symbols: an export too many" {
  sed -i 's/xensplit_two;/xensplit_two; hidden;/' lib/libxensplit.map
  build
  finds symbols "exported by libxensplit.so, but not listed in lib/libxensplit.map: hidden"
}

@test "symbols: an internal name in a static link" {
  ar rcs "$O/libxensplit.a" "$O/lib/static/one.o" "$O/lib/static/store.o"
  finds symbols "global in libxensplit.a, but not listed in lib/libxensplit.map: hidden store"
}

@test "symbols: a released block must not change" {
  git -c user.name=t -c user.email=t@t commit -qm t
  git -c user.name=t -c user.email=t@t tag -am t v0.2.0
  passes symbols
  printf 'LIBXENSPLIT_0.3 { } LIBXENSPLIT_0.2;\n' >>lib/libxensplit.map
  passes symbols
  sed -i 's/global: xensplit_one/global:  xensplit_one/' lib/libxensplit.map
  finds symbols "must not change"
}

@test "docs: every function has its comment and its version" {
  passes docs
}

@test "docs: a version that differs from the map's" {
  sed -i 's/Since: 0.2/Since: 0.1/' include/xensplit.h
  finds docs "xensplit_two says Since: 0.1, the map says 0.2"
}

@test "docs: no version" {
  sed -i '/Since: 0.1/d' include/xensplit.h
  finds docs 'xensplit_one: its comment has no "Since:"'
}

@test "docs: no comment above the function" {
  sed -i 's/xensplit_two - /xensplit_one - /' include/xensplit.h
  finds docs "xensplit_two has no comment"
  sed -i 's/^XENSPLIT_API const/\nXENSPLIT_API int xensplit_four(void);\n&/' include/xensplit.h
  finds docs "xensplit_four has no comment"
}

@test "header: it compiles alone" {
  passes header
  sed -i 's/(void);/();/' include/xensplit.h
  finds header "prototype"
}

@test "header: a type that it does not declare" {
  echo 'int xensplit_size(size_t size);' >>include/xensplit.h
  finds header "size_t"
}

@test "header: a comment that is not C89" {
  echo '// comment' >>include/xensplit.h
  finds header "C++ style comments"
}

@test "licences: each folder has the right one" {
  passes licences
}

@test "licences: none, or that of another folder" {
  mkdir examples
  touch examples/new.c
  git add .
  finds licences "examples/new.c: its first lines do not say SPDX-License-Identifier: LGPL-2.1-or-later"
  rm examples/new.c
  sed -i 's/GPL-2.0-or-later/GPL-2.0-only/' src/domctl.c
  finds licences "src/domctl.c"
}

@test "spelling: a banned word, but not as a part of another" {
  mkdir bin
  printf '#!/bin/sh\n' >bin/codespell
  chmod +x bin/codespell
  PATH=$PWD/bin:$PATH
  echo '/* Recommended, and understood. */' >>lib/one.c
  passes spelling
  printf '/* Me%s it. */\n' nd >>lib/one.c
  finds spelling "lib/one.c:8:"
}

@test "pictures: the committed one is what its source draws" {
  mkdir doc
  printf '#!/bin/sh\necho "<svg>%s</svg>"\n' "\$1" >doc/draw-it
  chmod +x doc/draw-it
  doc/draw-it light >doc/it-light.svg
  echo '<img src="doc/it-light.svg">' >README.md
  git add .
  passes pictures
  sed -i 's/<svg>/<svg >/' doc/draw-it
  finds pictures "doc/it-light.svg is not what doc/draw-it draws: make pictures"
}

@test "pictures: a page shows one that does not exist" {
  echo '<img src="doc/none-dark.svg">' >README.md
  git add .
  finds pictures "shown by a page, but not tracked in doc/: doc/none-dark.svg"
}

# A driver, and a guide that quotes it.
guide() {
  mkdir -p modules/it
  cat >modules/it/it.c <<'END'
static int other(void) { return 0; }

/* Above it. */
static int it(int a)
{
	a++;

	a += 2;
	return a;
}

MODULE_ALIAS("xen:it");
END
  cat >modules/GUIDE.md <<'END'
# It works

See [above](#it-works) and [the driver](it/it.c).

[it/it.c](it/it.c), `it()`:

```c
/* Above it. */
static int it(int a)
{
	a++;
	...
	return a;
}
```

From [it/it.c](it/it.c), `MODULE_ALIAS`:

```c
MODULE_ALIAS("xen:it");
```

```console
# xensplit attach 5 it
```
END
  passes guide
}

@test "guide: quoted code whose driver has changed" {
  guide
  sed -i 's/a++;/a--;/' modules/it/it.c
  finds guide "modules/GUIDE.md:11: it/it.c, it has no such line here: 	a++;"
  sed -i 's/a--;/a++;/; s/a += 2/a += 3/' modules/it/it.c
  passes guide # it is left out
  sed -i 's/:it"/:its"/' modules/it/it.c
  finds guide 'modules/GUIDE.md:20: it/it.c, MODULE_ALIAS has no such line here: MODULE_ALIAS("xen:it");'
  sed -i '/MODULE_ALIAS/d' modules/it/it.c
  finds guide "it/it.c does not define MODULE_ALIAS"
}

@test "guide: a line of another function, in another order, or left out" {
  guide
  sed -i 's/^\t\.\.\.$/static int other(void) { return 0; }/' modules/GUIDE.md
  finds guide "it/it.c, it has no such line here: static int other(void) { return 0; }"
  guide
  sed -i '/^\t\.\.\.$/d' modules/GUIDE.md
  finds guide "modules/GUIDE.md:12: it/it.c, it has no such line here: 	return a;"
  guide
  sed -i '11s/.*/\treturn a;/; 13s/.*/\ta++;/' modules/GUIDE.md
  finds guide "it has no such line here"
}

@test "guide: code of unknown origin, and links that lead nowhere" {
  guide
  sed -i '/^From/d' modules/GUIDE.md
  finds guide "code that does not say which file it is from"
  guide
  sed -i 's/(#it-works)/(#it-fails)/' modules/GUIDE.md
  finds guide "modules/GUIDE.md: no heading #it-fails"
  guide
  sed -i 's/driver](it/driver](its/' modules/GUIDE.md
  finds guide "modules/GUIDE.md: no file its/it.c"
}

@test "layers: only allowed calls" {
  passes layers
}

@test "layers: libxenstore outside store.c" {
  echo 'int xs_read(void); int two(void) { return xs_read(); }' >>lib/one.c
  build
  finds layers "lib/one.c calls xs_read"
}

@test "layers: libxenstore in the tool" {
  echo 'int xs_read(void); int two(void) { return xs_read(); }' >>src/domctl.c
  build
  finds layers "src/domctl.c calls xs_read"
}

@test "layers: libxenctrl outside domctl.c" {
  mv src/domctl.c src/main.c
  build
  finds layers "src/main.c calls xc_open"
}

@test "layers: a library that prints or exits" {
  echo '#include <stdio.h>' >lib/loud.c
  echo 'void loud(void) { printf("%d", 1); }' >>lib/loud.c
  build
  finds layers "lib/loud.c calls printf"
  echo '#include <stdlib.h>' >lib/loud.c
  echo 'void loud(void) { exit(1); }' >>lib/loud.c
  build
  finds layers "lib/loud.c calls exit"
  echo '#include <stdio.h>' >lib/loud.c
  echo 'int loud(char *s) { return snprintf(s, 1, "%d", 1); }' >>lib/loud.c
  build
  passes layers
}

@test "layers: json-c, libsmartcols and libxlutil outside their plugins" {
  echo 'void json_object_put(void); void scols_print(void); void xlu_cfg_init(void);' >src/show.c
  echo 'void show(void); void show(void) { json_object_put(); scols_print(); xlu_cfg_init(); }' >>src/show.c
  build
  finds layers "src/show.c calls json_object_put"
  finds layers "src/show.c calls scols_print"
  finds layers "src/show.c calls xlu_cfg_init"
}

@test "layers: a cycle of includes" {
  for folder in src lib; do
    echo '#include "b.h"' >$folder/a.h
    echo '#include "c.h"' >$folder/b.c
    touch $folder/b.h
    touch $folder/internal.h
    echo '#include "internal.h"' >$folder/c.h
    build
    passes layers
    echo '#include "a.h"' >$folder/c.h
    finds layers "$folder: a cycle of includes: a b c"
    rm $folder/[abc].[ch] $folder/internal.h
  done
}

@test "layers: a cycle of calls in the tool" {
  echo 'void a(void); void b(void); void a(void) { b(); }' >src/a.c
  echo 'void c(void); void b(void); void b(void) { c(); }' >src/b.c
  echo 'void a(void); void c(void); void c(void) { }' >src/c.c
  build
  passes layers
  sed -i 's/{ }/{ a(); }/' src/c.c
  build
  finds layers "src: a cycle of calls: a b c"
}

@test "needed: only the stable libraries" {
  passes needed
  gcc -shared -fPIC -Wl,--no-as-needed -o "$O/libxensplit.so" lib/one.c -ljson-c
  finds needed "libjson-c.so.5: the library must not link this"
}

@test "needed: no search path in installed files" {
  gcc -shared -fPIC -Wl,-rpath,/tmp -o "$O/libxensplit.so" lib/one.c
  finds needed "RUNPATH"
}

@test "needed: a tool that links what only a plugin may" {
  echo 'int main(void) { return 0; }' >main.c
  gcc -Wl,--no-as-needed -o "$O/install/xensplit" main.c
  mkdir "$O/plugins"
  echo 'int xensplit_plugin = 1;' >plugin.c
  gcc -shared -fPIC -Wl,--no-as-needed -o "$O/plugins/json.so" plugin.c -ljson-c
  passes needed
  gcc -Wl,--no-as-needed -o "$O/install/xensplit" main.c -ljson-c
  finds needed "libjson-c.so.5: the tool must not link this"
  gcc -o "$O/install/xensplit" main.c
  gcc -shared -fPIC -Wl,--no-as-needed -o "$O/plugins/json.so" plugin.c -lsmartcols
  finds needed "libsmartcols.so.1: the plugin json must not link this"
  echo 'int more = 1;' >>plugin.c
  gcc -shared -fPIC -o "$O/plugins/json.so" plugin.c
  finds needed "json.so exports 'more xensplit_plugin', not just xensplit_plugin"
}

@test "the run fails when one check does, and names it" {
  cp -r "$checks" "$BATS_TEST_TMPDIR/tests-lint"
  mkdir tests
  mv tests-lint tests/lint
  run -0 tests/lint/run licences symbols
  echo >lib/one.c
  run -1 tests/lint/run licences symbols
  [[ ${lines[0]} == *"licences: FAILED" ]]
  [[ $output == *"1 of 2 checks failed" ]]
}

@test "packages: one that changes the boot loader, or depends on one that does" {
  export PACKAGES=$PWD/packages
  printf '# xen\ncpio\n\n# release\nxen-hypervisor-common\n' >packages
  passes packages
  printf '# xen\nxen-system-amd64\n' >packages
  finds packages "xen-hypervisor-common: /etc/default/grub.d/xen.cfg update-grub"
}
