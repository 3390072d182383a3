# SPDX-License-Identifier: GPL-2.0-or-later
#
# Builds libxensplit and the tool xensplit. `make help` lists the targets.
# All output goes to $(O); only `make pictures` changes the source tree.
# Tests are in tests/tests.mk. Files are found by wildcard: a new one needs no edit here.

# The header is the only place that defines the version.
VERSION := $(shell sed -n 's/^.define XENSPLIT_VERSION_\(MAJOR\|MINOR\|PATCH\) //p' \
	include/xensplit.h | paste -sd.)

O         ?= build
V         ?= 0
PREFIX    ?= /usr/local
LIBDIR    ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
SBINDIR   ?= $(PREFIX)/sbin
MANDIR    ?= $(PREFIX)/share/man
PLUGINDIR ?= $(LIBDIR)/xensplit
PKGCONFIGDIR ?= $(LIBDIR)/pkgconfig
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPDIR ?= $(PREFIX)/share/zsh/site-functions
FISHCOMPDIR ?= $(PREFIX)/share/fish/vendor_completions.d
DATADIR   ?= $(PREFIX)/share/xensplit
SYSTEMDUNITDIR ?= $(PREFIX)/lib/systemd/system
TMPFILESDIR ?= $(PREFIX)/lib/tmpfiles.d
CFLAGS    ?= -O2 -g
PKG_CONFIG ?= pkg-config
INSTALL   ?= install

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules

ifeq ($(V),1)
Q :=
msg :=
else
Q := @
msg = @printf '  %-7s %s\n' '$(1)' '$(2)';
endif

# The symbol map must agree with the version, or old programs would get new symbols under an
# old name.
empty :=
space := $(empty) $(empty)
version_parts := $(subst ., ,$(VERSION))
SOVERSION := $(word 1,$(version_parts))
MAP := lib/libxensplit.map
MAP_VERSION := $(if $(wildcard $(MAP)),$(shell sed -n \
	's/^LIBXENSPLIT_\([0-9.]*\)[[:space:]]*{.*/\1/p' $(MAP) | sort -V | tail -n 1))
ifneq ($(wildcard $(MAP)),)
ifneq ($(MAP_VERSION),$(subst $(space),.,$(wordlist 1,2,$(version_parts))))
$(error version $(VERSION) and the newest block of $(MAP), LIBXENSPLIT_$(MAP_VERSION), disagree)
endif
endif

# Recipes run pkg-config, once: reading this file needs nothing but make.
pkg_lib   := xenstore xentoollog xentoolcore
pkg_tool  := xencontrol smartcols json-c xlutil
pkg_config = $(shell $(PKG_CONFIG) $(1) $(2))
once       = $(eval $(1) := $(2))$($(1))
LIB_CFLAGS = $(call once,LIB_CFLAGS,$(call pkg_config,--cflags,$(pkg_lib)))
LIB_LIBS   = $(call once,LIB_LIBS,$(call pkg_config,--libs,$(pkg_lib)))
TOOL_CFLAGS = $(call once,TOOL_CFLAGS,$(call pkg_config,--cflags,$(pkg_lib) $(pkg_tool)))

OBJCOPY ?= objcopy
BASE_CFLAGS := -std=gnu11 -D_GNU_SOURCE -DXENSPLIT_VERSION='"$(VERSION)"' -Iinclude -Wall -Wextra
COMPILE = $(CC) $(BASE_CFLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP
LINK    = $(CC) $(CFLAGS) $(LDFLAGS)

LIB_SRC  := $(wildcard lib/*.c)
# These files wrap libraries that only some verbs need. They are built as plugins.
PLUGIN_SRC := src/domctl.c src/plugin-json.c src/plugin-table.c src/plugin-xlcfg.c
PLUGINS  := domctl.so json.so table.so xlcfg.so
TOOL_SRC := $(filter-out $(PLUGIN_SRC),$(wildcard src/*.c))
EXAMPLES := $(patsubst examples/%.c,$(O)/examples/%,$(wildcard examples/*.c))
MAN      := $(wildcard man/*.[1-8])
LIB_SHARED_OBJ := $(LIB_SRC:lib/%.c=$(O)/lib/shared/%.o)
LIB_STATIC_OBJ := $(LIB_SRC:lib/%.c=$(O)/lib/static/%.o)
TOOL_OBJ := $(TOOL_SRC:src/%.c=$(O)/src/%.o)
PLUGIN_OBJ := $(PLUGIN_SRC:src/%.c=$(O)/src/%.o)

SONAME  := libxensplit.so.$(SOVERSION)
SOFILE  := libxensplit.so.$(VERSION)
LIBRARY := $(if $(LIB_SRC),$(O)/libxensplit.so $(O)/libxensplit.a)
# The tool is linked twice: one to run from the build tree, with library and plugins beside it,
# and one to install, which finds the library in the system.
TOOL    := $(if $(TOOL_SRC),$(O)/xensplit $(O)/install/xensplit $(PLUGINS:%=$(O)/plugins/%))

.PHONY: all
all: $(LIBRARY) $(TOOL) ## the library and the tool (the default)

# A change of the compiler, its release or its options rebuilds everything.
$(O)/.command: FORCE
	@mkdir -p $(@D)
	@echo "$$($(CC) --version 2>&1 | head -n 1):" '$(subst ','\'',$(COMPILE) $(LDFLAGS))' >$@.new; \
	cmp -s $@.new $@ && rm $@.new || mv $@.new $@

# Names a missing package before the compiler complains about a missing header.
$(O)/.found: Makefile tests/setup/packages
	$(Q)mkdir -p $(@D)
	$(Q)tests/setup/found $(firstword $(CC)) $(pkg_lib) $(pkg_tool)
	@touch $@

$(O)/lib/shared/%.o: lib/%.c Makefile $(O)/.command | $(O)/.found
	@mkdir -p $(@D)
	$(call msg,CC,$@)$(COMPILE) $(LIB_CFLAGS) -fPIC -fvisibility=hidden -c -o $@ $<

$(O)/lib/static/%.o: lib/%.c Makefile $(O)/.command | $(O)/.found
	@mkdir -p $(@D)
	$(call msg,CC,$@)$(COMPILE) $(LIB_CFLAGS) -fvisibility=hidden -c -o $@ $<

$(O)/$(SOFILE): $(LIB_SHARED_OBJ) $(MAP)
	$(call msg,LINK,$@)$(LINK) -shared -Wl,-soname,$(SONAME) -Wl,--version-script=$(MAP) \
		-Wl,--no-undefined -Wl,--as-needed -o $@ $(LIB_SHARED_OBJ) $(LIB_LIBS)

$(O)/libxensplit.so: $(O)/$(SOFILE)
	$(Q)ln -sf $(SOFILE) $(O)/$(SONAME)
	$(Q)ln -sf $(SONAME) $@

# Includes all internal symbols, for the unit tests.
$(O)/lib/internal.a: $(LIB_STATIC_OBJ)
	$(call msg,AR,$@)rm -f $@ && $(AR) rcs $@ $^

# One object with the internal symbols made local: a program that links statically may have
# a fail() of its own.
$(O)/lib/public.o: $(LIB_STATIC_OBJ)
	$(call msg,LD,$@)$(LD) -r -o $@ $^ && $(OBJCOPY) --localize-hidden $@

$(O)/libxensplit.a: $(O)/lib/public.o
	$(call msg,AR,$@)rm -f $@ && $(AR) rcs $@ $^

$(O)/src/%.o: src/%.c Makefile $(O)/.command | $(O)/.found
	@mkdir -p $(@D)
	$(call msg,CC,$@)$(COMPILE) $(TOOL_CFLAGS) $(PIC) -c -o $@ $<

$(O)/xensplit: $(TOOL_OBJ) $(O)/src/plugin-dir.c $(O)/libxensplit.so
	$(call msg,LINK,$@)$(TOOL_LINK) -Wl,-rpath,'$$ORIGIN'

$(O)/install/xensplit: $(TOOL_OBJ) $(O)/install/plugin-dir.c $(O)/libxensplit.so
	$(call msg,LINK,$@)$(TOOL_LINK)

TOOL_LINK = $(LINK) -Wl,--as-needed -o $@ $(filter-out %.so,$^) -L$(O) -lxensplit \
	$(LIB_LIBS) -ldl

# The path from the tool to its plugins: relative, so that both can be moved together, or
# absolute if they do not share a prefix. `make install` may set other paths than `make`.
$(O)/src/plugin-dir.c: plugin_dir := plugins
$(O)/install/plugin-dir.c: plugin_dir = $(strip $(if \
	$(and $(filter $(PREFIX)/%,$(SBINDIR)),$(filter $(PREFIX)/%,$(PLUGINDIR))),\
	$(shell realpath -ms --relative-to=$(SBINDIR) $(PLUGINDIR)),$(PLUGINDIR)))
$(O)/src/plugin-dir.c $(O)/install/plugin-dir.c: FORCE
	@mkdir -p $(@D)
	@echo 'extern const char plugin_dir[]; const char plugin_dir[] = "$(plugin_dir)";' >$@.new; \
	cmp -s $@.new $@ && rm $@.new || mv $@.new $@
.PHONY: FORCE

$(PLUGIN_OBJ): PIC := -fPIC -fvisibility=hidden
$(O)/plugins/domctl.so: $(O)/src/domctl.o
$(O)/plugins/domctl.so: pkg := xencontrol
$(O)/plugins/json.so: $(O)/src/plugin-json.o
$(O)/plugins/json.so: pkg := json-c
$(O)/plugins/table.so: $(O)/src/plugin-table.o
$(O)/plugins/table.so: pkg := smartcols
$(O)/plugins/xlcfg.so: $(O)/src/plugin-xlcfg.o
$(O)/plugins/xlcfg.so: pkg := xlutil
$(PLUGINS:%=$(O)/plugins/%):
	@mkdir -p $(@D)
	$(call msg,LINK,$@)$(LINK) -shared -Wl,--no-undefined -Wl,--as-needed -o $@ $^ \
		$(call pkg_config,--libs,$(pkg))

.PHONY: examples
examples: $(EXAMPLES) ## the example programs

# An example names the libraries it needs in a line of its own: /* needs: NAME... */ for those of
# libxen-dev, /* pkg-config: NAME... */ for others, without which it is skipped.
$(O)/examples/%: examples/%.c $(O)/libxensplit.so Makefile $(O)/.command
	@mkdir -p $(@D)
	$(call msg,CC,$@)more=$$(sed -n 's|^/\* pkg-config: \(.*\) \*/$$|\1|p' $<); \
	if [ "$$more" ]; then \
		$(PKG_CONFIG) --exists $$more || { echo "  SKIP    $@: no $$more"; exit 0; }; \
	fi; \
	more="$$more $$(sed -n 's|^/\* needs: \(.*\) \*/$$|\1|p' $<)"; \
	[ "$$more" = ' ' ] || more=$$($(PKG_CONFIG) --cflags --libs $$more) || exit; \
	$(COMPILE) $(LIB_CFLAGS) $(LDFLAGS) -Wl,--as-needed -o $@ $< \
		-L$(O) -lxensplit $(LIB_LIBS) $$more -Wl,-rpath,'$$ORIGIN/..'

PICTURES := $(foreach name,$(patsubst doc/draw-%,%,$(wildcard doc/draw-*)),\
	doc/$(name)-light.svg doc/$(name)-dark.svg)
.PHONY: pictures
pictures: $(PICTURES) ## draw those of the pages, in doc/

doc/%-light.svg: doc/draw-% FORCE
	$(call msg,DRAW,$@)$< light >$@
doc/%-dark.svg: doc/draw-% FORCE
	$(call msg,DRAW,$@)$< dark >$@

include tests/tests.mk

.PHONY: install uninstall
install: all ## into $(DESTDIR)$(PREFIX); set PREFIX, LIBDIR, SBINDIR, MANDIR ...
	$(call msg,INSTALL,$(DESTDIR)$(PREFIX))set -e; \
	$(INSTALL) -d $(DESTDIR)$(LIBDIR) $(DESTDIR)$(INCLUDEDIR) $(DESTDIR)$(PKGCONFIGDIR) \
		$(DESTDIR)$(PLUGINDIR) $(DESTDIR)$(SBINDIR) $(DESTDIR)$(BASHCOMPDIR) $(DESTDIR)$(ZSHCOMPDIR) \
		$(DESTDIR)$(FISHCOMPDIR) $(DESTDIR)$(DATADIR) $(DESTDIR)$(SYSTEMDUNITDIR) \
		$(DESTDIR)$(TMPFILESDIR); \
	$(INSTALL) -m 644 include/xensplit.h $(DESTDIR)$(INCLUDEDIR)/xensplit.h; \
	$(INSTALL) -m 755 $(O)/$(SOFILE) $(DESTDIR)$(LIBDIR)/$(SOFILE); \
	ln -sf $(SOFILE) $(DESTDIR)$(LIBDIR)/$(SONAME); \
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libxensplit.so; \
	$(INSTALL) -m 644 $(O)/libxensplit.a $(DESTDIR)$(LIBDIR)/libxensplit.a; \
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' -e 's|@REQUIRES@|$(pkg_lib)|' \
		-e 's|@LIBDIR@|$(patsubst $(PREFIX)/%,$${prefix}/%,$(LIBDIR))|' \
		-e 's|@INCLUDEDIR@|$(patsubst $(PREFIX)/%,$${prefix}/%,$(INCLUDEDIR))|' \
		lib/libxensplit.pc.in > $(DESTDIR)$(PKGCONFIGDIR)/libxensplit.pc; \
	$(INSTALL) -m 755 $(PLUGINS:%=$(O)/plugins/%) $(DESTDIR)$(PLUGINDIR); \
	$(INSTALL) -m 755 $(O)/install/xensplit $(DESTDIR)$(SBINDIR)/xensplit; \
	$(INSTALL) -m 644 completions/xensplit.bash $(DESTDIR)$(BASHCOMPDIR)/xensplit; \
	$(INSTALL) -m 644 completions/_xensplit $(DESTDIR)$(ZSHCOMPDIR)/_xensplit; \
	$(INSTALL) -m 644 completions/xensplit.fish $(DESTDIR)$(FISHCOMPDIR)/xensplit.fish; \
	$(INSTALL) -m 644 data/xensplit.schema.json $(DESTDIR)$(DATADIR)/xensplit.schema.json; \
	sed 's|@SBINDIR@|$(SBINDIR)|' data/xensplit.service.in \
		> $(DESTDIR)$(SYSTEMDUNITDIR)/xensplit.service; \
	$(INSTALL) -m 644 data/xensplit.tmpfiles $(DESTDIR)$(TMPFILESDIR)/xensplit.conf; \
	for page in $(MAN); do \
		dir=$(DESTDIR)$(MANDIR)/man$${page##*.}; \
		$(INSTALL) -d "$$dir"; \
		$(INSTALL) -m 644 "$$page" "$$dir/$${page##*/}"; \
	done; \
	if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" = 0 ]; then ldconfig; fi

uninstall: ## remove what install installed
	$(call msg,REMOVE,$(DESTDIR)$(PREFIX))rm -f $(DESTDIR)$(INCLUDEDIR)/xensplit.h \
		$(DESTDIR)$(LIBDIR)/$(SOFILE) $(DESTDIR)$(LIBDIR)/$(SONAME) \
		$(DESTDIR)$(LIBDIR)/libxensplit.so $(DESTDIR)$(LIBDIR)/libxensplit.a \
		$(DESTDIR)$(PKGCONFIGDIR)/libxensplit.pc $(DESTDIR)$(SBINDIR)/xensplit \
		$(DESTDIR)$(BASHCOMPDIR)/xensplit $(DESTDIR)$(ZSHCOMPDIR)/_xensplit \
		$(DESTDIR)$(FISHCOMPDIR)/xensplit.fish \
		$(DESTDIR)$(SYSTEMDUNITDIR)/xensplit.service $(DESTDIR)$(TMPFILESDIR)/xensplit.conf \
		$(DESTDIR)$(DATADIR)/xensplit.schema.json $(PLUGINS:%=$(DESTDIR)$(PLUGINDIR)/%) \
		$(foreach p,$(MAN),$(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(p)))/$(notdir $(p)))

.PHONY: dist clean help
dist: ## $(O)/xensplit-VERSION.tar.gz of the last commit
	$(call msg,DIST,$(O)/xensplit-$(VERSION).tar.gz)mkdir -p $(O) && git archive \
		--prefix=xensplit-$(VERSION)/ -o $(O)/xensplit-$(VERSION).tar.gz HEAD

clean: ## remove $(O)
	$(call msg,CLEAN,$(O))rm -rf $(O)

help: ## this list
	@echo 'Targets:'
	@sed -n 's/^\([a-z][a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' Makefile tests/tests.mk $(wildcard tests/*/*.mk) | \
		while IFS='	' read -r name text; do printf '  %-15s %s\n' "$$name" "$$text"; done
	@echo 'Variables: O=$(O) V=1 JOBS=$(JOBS) CC= CFLAGS= LDFLAGS= DESTDIR= PREFIX=$(PREFIX) LIBDIR= SBINDIR= ...'

-include $(LIB_SHARED_OBJ:.o=.d) $(LIB_STATIC_OBJ:.o=.d) $(TOOL_OBJ:.o=.d) $(PLUGIN_OBJ:.o=.d) $(EXAMPLES:=.d)
