# SPDX-License-Identifier: GPL-2.0-or-later
#
# Build and run the tests; included by the Makefile above. Each suite prints TAP; tests/tap-sum
# adds up the results.

UNIT  := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test-*.c))
STORE := $(patsubst tests/store/%.c,%,$(wildcard tests/store/test-*.c))
CLI   := $(wildcard tests/cli/*.bats)
HARNESS := $(wildcard tests/harness/*.bats)
UNIT_PROG  := $(UNIT:%=$(O)/tests/unit/%)
STORE_PROG := $(STORE:%=$(O)/tests/store/%)
# Files not called test-* hold code shared by several test programs.
test_obj   = $(patsubst %.c,$(O)/%.o,$(wildcard tests/$(1)/*.c))
UNIT_HELP  := $(filter-out $(UNIT_PROG:=.o),$(call test_obj,unit))
FAULTS_PROG := $(patsubst tests/%.c,$(O)/tests/%,$(wildcard tests/faults/test-*.c))
FAULTS_HELP := $(filter-out $(FAULTS_PROG:=.o),$(call test_obj,faults))
STORE_HELP := $(filter-out $(STORE_PROG:=.o),$(call test_obj,store))
ATTACK_PROG := $(patsubst tests/attack/%.c,$(O)/tests/attack/%,$(wildcard tests/attack/*.c))
# Simulated guests always run under the plain sandbox, even if the tested code is instrumented.
PLAIN   ?= $(abspath $(O))
SANDBOX ?= $(PLAIN)/sandbox/xensplit-sandbox

export XENSPLIT ?= $(abspath $(O))/xensplit
export SANDBOX
export CMOCKA_MESSAGE_OUTPUT := TAP

# The targets below may first install the groups of tests/setup/packages that they need; plain `make`
# never does. `make setup` installs those of all targets.
SETUP_TEST := check check-fast check-unit check-store check-cli check-sweep check-sandbox check-asan \
	coverage mutants check-faults load soak check-tsan check-valgrind check-harness check-attack check-model \
	installcheck lint setup
SETUP_BUILD := $(SETUP_TEST) demo bench fuzz
for_goals = $(if $(filter $(2),$(MAKECMDGOALS)),$(1))
SETUP := $(strip \
	$(call for_goals,build,$(SETUP_BUILD)) \
	$(call for_goals,sandbox,$(SETUP_TEST) demo bench) \
	$(call for_goals,test,$(SETUP_TEST)) \
	$(call for_goals,valgrind,check check-valgrind setup) \
	$(call for_goals,xen,check check-xen check-xen-shell xen-test xen-shell demo-xen bench-xen setup) \
	$(call for_goals,lint,check check-harness lint setup) \
	$(call for_goals,bench,bench setup) \
	$(call for_goals,fuzz,fuzz check setup) \
	$(call for_goals,fresh,check-fresh setup))
# One folder for downloads and unpacked packages, also for builds within this one.
export DEBIAN_DIR ?= $(PLAIN)/debian

.PHONY: setup
setup:
	$(Q)tests/setup/install $(SETUP)
ifneq ($(SETUP),)
$(O)/.found: | setup
endif

cmocka = $(call once,cmocka,$(call pkg_config,--libs,cmocka))

$(O)/tests/unit/%.o: tests/unit/%.c Makefile $(O)/.command | $(O)/.found
	@mkdir -p $(@D)
	$(call msg,CC,$@)$(COMPILE) $(HELP_CFLAGS) $(LIB_CFLAGS) -Ilib -c -o $@ $<

$(O)/tests/store/%.o: tests/store/%.c Makefile $(O)/.command | $(O)/.found
	@mkdir -p $(@D)
	$(call msg,CC,$@)$(COMPILE) $(LIB_CFLAGS) -c -o $@ $<

# Tests of the tool's own code take what they need from it. What a test defines itself is used instead of
# the tool's or, as __wrap_F for F in WRAP, of libc's.
UNIT_TOOL := $(patsubst %,$(O)/tests/unit/test-%,args common config-entry hypervisor logger remedy serve \
	serve-write watchdog xl)
UNIT_WHOLE := $(O)/tests/unit/test-verbs
$(O)/tests/unit/tool.a: $(filter-out $(O)/src/main.o,$(TOOL_OBJ))
	@mkdir -p $(@D)
	$(call msg,AR,$@)rm -f $@ && $(AR) rcs $@ $^

$(O)/tests/unit/test-common: WRAP := vasprintf
$(O)/tests/unit/test-hypervisor: WRAP := access
$(O)/tests/unit/test-logger: WRAP := isatty raise poll write sigaction
$(O)/tests/unit/test-serve-write: WRAP := write close fcntl
$(O)/tests/unit/test-watchdog: WRAP := clock_gettime timer_create timer_settime sigaction poll write _exit
$(O)/tests/unit/test-xl: WRAP := fork waitpid raise kill
$(UNIT_TOOL): %: %.o $(O)/tests/unit/tool.a $(O)/src/plugin-dir.c
	$(call msg,LINK,$@)$(LINK) $(WRAP:%=-Wl,--wrap=%) -o $@ $^ $(LIB_LIBS) $(cmocka)

# The tests decide which of the library's allocations fails: tests/unit/memory.c.
ALLOCATORS := malloc calloc realloc reallocarray strdup strndup asprintf vasprintf
with_our_allocators = $(call msg,OBJCOPY,$@)$(OBJCOPY) $(foreach f,$(ALLOCATORS),--redefine-sym $f=lib_$f) $< $@
$(O)/tests/unit/internal.a: $(O)/lib/internal.a
	@mkdir -p $(@D)
	$(with_our_allocators)
$(O)/tests/unit/public.o: $(O)/lib/public.o
	@mkdir -p $(@D)
	$(with_our_allocators)

$(filter-out $(UNIT_TOOL) $(UNIT_WHOLE),$(UNIT_PROG)): %: %.o $(UNIT_HELP) $(O)/tests/unit/internal.a
	$(call msg,LINK,$@)$(LINK) -o $@ $^ $(LIB_LIBS) $(cmocka)

$(STORE_PROG): %: %.o $(STORE_HELP) $(O)/libxensplit.so
	$(call msg,LINK,$@)$(LINK) -o $@ $< $(STORE_HELP) -L$(O) -lxensplit $(LIB_LIBS) $(cmocka) \
		-Wl,-rpath,'$$ORIGIN/../..'

$(O)/tests/attack/%: tests/attack/%.c $(O)/libxensplit.so Makefile $(O)/.command
	@mkdir -p $(@D)
	$(call msg,CC,$@)$(COMPILE) $(LIB_CFLAGS) -o $@ $< -Wl,--as-needed -L$(O) -lxensplit \
		-Wl,-rpath,'$$ORIGIN/../..'

$(O)/tests/faults/%.o: tests/faults/%.c Makefile $(O)/.command | $(O)/.found
	@mkdir -p $(@D)
	$(call msg,CC,$@)$(COMPILE) $(LIB_CFLAGS) -c -o $@ $<

$(FAULTS_PROG): %: %.o $(FAULTS_HELP) $(STORE_HELP) $(O)/libxensplit.so
	$(call msg,LINK,$@)$(LINK) -o $@ $< $(FAULTS_HELP) $(STORE_HELP) -L$(O) -lxensplit $(LIB_LIBS) \
		$(cmocka) -Wl,-rpath,'$$ORIGIN/../..'

-include $(ATTACK_PROG:=.d) $(patsubst %.o,%.d,$(foreach dir,unit store faults fuzz,$(call test_obj,$(dir))))

include tests/load/load.mk

# Suites that run at the same time: they wait more than they compute.
JOBS ?= 2
tap_sum = $(Q)tests/tap-sum -j $(JOBS)

# Arguments for tap-sum, NAME=COMMAND, for the build in folder $(1); $(2) is a prefix of the
# name, $(3) of the program. $(4) lists tests to leave out.
unit_suites  = $(foreach t,$(filter-out $(4),$(UNIT)),'$(2)unit/$(t)=$(3) $(1)/tests/unit/$(t)')
store_suites = $(foreach t,$(filter-out $(4),$(STORE)),\
	'$(2)store/$(t)=XENSPLIT=$(abspath $(1))/xensplit $(SANDBOX) --guests 5,6 -- $(3) $(1)/tests/store/$(t)')
cli_suites   = $(foreach t,$(filter-out $(4:%=tests/cli/%.bats),$(CLI)),\
	'$(2)cli/$(basename $(notdir $(t)))=XENSPLIT=$(abspath $(1))/xensplit bats --formatter tap $(t)')
fast_suites  = $(foreach kind,unit store cli,$(call $(kind)_suites,$(1),$(2),,$(3)))
# Tests that interfere at each $(1)th request of the tool; without KILL_STEP they take larger steps.
sweeps       := test-crash kill between
sweep_suites = 'sweep/crash=KILL_STEP=$(1) $(SANDBOX) --guests 5,6 -- $(O)/tests/store/test-crash' \
	$(foreach t,kill between,'sweep/$(t)=XENSPLIT=$(abspath $(O))/xensplit KILL_STEP=$(1) \
	BETWEEN_STEP=$(1) bats --formatter tap tests/cli/$(t).bats')
# Each verb by itself, so that they run side by side; $(1): each Nth request, $(2): the verbs.
FAULT_VERBS := $(shell sed -n 's/^\t{ "\([a-z-]*\)", .*/\1/p' tests/faults/verbs.c)
FAULT_NAMES := $(shell grep -o '{ "[A-Za-z0-9-]*", "[0-9]*", [a-z]' tests/faults/test-requests.c | cut -d'"' -f2)
in_faults = FAULTS_VERB=$(1) $(SANDBOX) --guests 5,6 -- $(O)/tests/faults
faults_suites = $(foreach v,$(2),'faults/$v=FAULT_STEP=$(1) $(call in_faults,$v)/test-requests')
# Each fault of a verb by itself: most of them wait for seconds.
each_fault_suites = $(foreach v,$(FAULT_VERBS),$(foreach f,$(or $(FAULTS),$(FAULT_NAMES)),\
	'faults/$v/$f=FAULTS=$f FAULTS_TABLE=$(abspath $(O))/faults.table $(call in_faults,$v)/test-requests'))
# $(1): each signal N times, $(2): the verbs
signals_suites = $(foreach v,$(2),\
	'signals/$v=SIGNALS=$(1) SEED=$(SEED) $(call in_faults,$v)/test-signals')
# The store's tests that don't run the tool, with a signal each millisecond.
timer_suites = $(foreach t,$(filter-out test-crash test-process,$(if $(1),$(filter $(1),$(STORE)),$(STORE))),\
	'timer/$(t)=STORE_TIMER_US=1000 $(SANDBOX) --guests 5,6 -- $(O)/tests/store/$(t)')
# Each fault of doctor-fix takes seconds, as it waits for its device: only check-faults has it.
fault_part := $(filter-out doctor-fix,$(FAULT_VERBS))
fuzz_suites = $(foreach t,$(or $(2),$(FUZZ)),'fuzz/$(t)=O=$(abspath $(O)) tests/fuzz/run $(3) $(t) $(1)')
timer_part := test-attach test-detach test-wait test-operation
harness_suites = $(foreach t,$(HARNESS),'harness/$(basename $(notdir $(t)))=bats --formatter tap $(t)')

.PHONY: tests build-sandbox build-asan
tests: all examples $(UNIT_PROG) $(STORE_PROG) $(ATTACK_PROG) $(FAULTS_PROG) $(LOAD_PROG) ## build the test programs and the examples

build-sandbox: | $(O)/.found ## xenstored with simulated guests, for tests without Xen
	$(Q)$(MAKE) $(if $(Q),-s) --no-print-directory -C tests/sandbox O=$(abspath $(O))/sandbox

# The targets of tests/fuzz, and all that they test, are built by clang, for libFuzzer. What only
# helps, such as the store in memory, is not worth its time.
FUZZ := $(patsubst tests/fuzz/fuzz-%.c,%,$(wildcard tests/fuzz/fuzz-*.c))
FUZZ_PROG := $(FUZZ:%=$(O)/tests/fuzz/fuzz-%)
FUZZ_TOOL := $(O)/tests/fuzz/fuzz-text $(O)/tests/fuzz/fuzz-arguments $(O)/tests/fuzz/fuzz-config
FUZZ_FLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
FUZZ_LINK = $(LINK) -fsanitize=fuzzer -o $@
.PHONY: build-fuzz fuzz-programs
build-fuzz: | $(O)/.found
	$(Q)$(MAKE) --no-print-directory O=$(O)/fuzz CC=clang CFLAGS='$(FUZZ_FLAGS)' \
		HELP_CFLAGS='-O2 -fno-sanitize=all' fuzz-programs

fuzz-programs: $(FUZZ_PROG)

$(O)/tests/fuzz/%.o: tests/fuzz/%.c Makefile $(O)/.command | $(O)/.found
	@mkdir -p $(@D)
	$(call msg,CC,$@)$(COMPILE) $(HELP_CFLAGS) $(TOOL_CFLAGS) -Ilib -c -o $@ $<

# Each plugin with a name of its own, so that all of them can be linked.
$(O)/tests/fuzz/plugin-%.o: $(O)/src/plugin-%.o
	@mkdir -p $(@D)
	$(call msg,OBJCOPY,$@)$(OBJCOPY) --redefine-sym xensplit_plugin=plugin_$* \
		--redefine-sym __odr_asan.xensplit_plugin=__odr_asan.plugin_$* $< $@

$(O)/tests/fuzz/tool.a: $(filter-out $(O)/src/main.o,$(TOOL_OBJ))
	@mkdir -p $(@D)
	$(call msg,AR,$@)rm -f $@ && $(AR) rcs $@ $^

FUZZ_PLUGINS := $(patsubst %,$(O)/tests/fuzz/%.o,plugins plugin-json plugin-table plugin-xlcfg)
$(FUZZ_TOOL): %: %.o $(O)/tests/fuzz/fuzz.o $(FUZZ_PLUGINS) $(O)/tests/fuzz/tool.a $(O)/libxensplit.a
	$(call msg,LINK,$@)$(FUZZ_LINK) $^ $(LIB_LIBS) $(call pkg_config,--libs,json-c smartcols xlutil)

# The whole tool, to be called again and again: its variables are in sections of their own.
$(O)/tests/fuzz/whole.o: $(filter-out $(patsubst %,$(O)/src/%.o,plugin watchdog xl serve-write),$(TOOL_OBJ))
	$(call msg,LD,$@)$(LD) -r -o $@ $^ && $(OBJCOPY) --rename-section .data=tool_data \
		--rename-section .bss=tool_bss --redefine-sym main=tool_main --redefine-sym exit=outside_exit \
		--redefine-sym mkdir=outside_mkdir --redefine-sym sigaction=outside_sigaction $@

FUZZ_WHOLE := $(O)/tests/fuzz/fuzz-options
$(FUZZ_WHOLE): %: %.o $(patsubst %,$(O)/tests/fuzz/%.o,whole fuzz outside tree) $(FUZZ_PLUGINS) \
		$(O)/tests/unit/fake-xs.o $(O)/libxensplit.a
	$(call msg,LINK,$@)$(FUZZ_LINK) $^ $(LIB_LIBS) $(call pkg_config,--libs,json-c smartcols xlutil) $(cmocka)

# The whole tool on the store of tests/unit, a process for each run.
$(O)/tests/unit/main.o: $(O)/src/main.o
	@mkdir -p $(@D)
	$(call msg,OBJCOPY,$@)$(OBJCOPY) --redefine-sym main=tool_main $< $@
$(O)/tests/unit/test-verbs: WRAP := access
$(UNIT_WHOLE): %: %.o $(O)/tests/unit/main.o $(FUZZ_PLUGINS) $(O)/tests/unit/tool.a \
		$(patsubst %,$(O)/tests/unit/%.o,fake-xs memory public)
	$(call msg,LINK,$@)$(LINK) $(WRAP:%=-Wl,--wrap=%) -o $@ $^ $(LIB_LIBS) \
		$(call pkg_config,--libs,json-c smartcols xlutil) $(cmocka)

$(O)/tests/fuzz/fuzz-tree: $(O)/tests/fuzz/tree.o
$(filter-out $(FUZZ_TOOL) $(FUZZ_WHOLE),$(FUZZ_PROG)): %: %.o $(O)/tests/fuzz/fuzz.o $(UNIT_HELP) $(O)/tests/unit/internal.a
	$(call msg,LINK,$@)$(FUZZ_LINK) $^ $(LIB_LIBS) $(cmocka)

SANITIZE := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
THREADS := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
.PHONY: build-tsan
build-tsan: | $(O)/.found
	$(Q)$(MAKE) --no-print-directory O=$(O)/tsan CFLAGS='$(THREADS)' $(O)/tsan/tests/store/test-process

build-asan: | $(O)/.found
	$(Q)$(MAKE) --no-print-directory O=$(O)/asan CFLAGS='$(SANITIZE)' tests

.PHONY: check check-fast check-sweep check-unit check-store check-cli check-sandbox check-xen
.PHONY: check-xen-shell xen-test xen-shell check-asan check-tsan check-valgrind check-harness check-model installcheck check-fresh torture
# The scenarios in QEMU take longest, so they start first.
check: tests build-sandbox build-asan build-tsan build-fuzz build-release ## all tests except bench, of fuzz a part
	$(tap_sum) $(xen_suites) $(call sweep_suites,4) $(call fast_suites,$(O),,$(sweeps)) \
		$(call attack_suites,1) $(asan_suites) $(tsan_suites) $(valgrind_unit) $(sandbox_suites) \
		$(install_suites) $(harness_suites) $(xen_shell_suites) \
		$(model_suites) $(call torture_suites,25,1) $(call load_suites,600,4,1) $(call soak_suites,20,1) \
		$(call faults_suites,16,$(fault_part)) $(call signals_suites,2,$(fault_part)) \
		$(call timer_suites,$(timer_part)) \
		$(call fuzz_suites,-runs=2000,,--short)

check-fast: tests build-sandbox ## unit, store and cli
	$(tap_sum) $(call fast_suites,$(O))

check-unit: $(UNIT_PROG) | setup ## the library's internals
	$(tap_sum) $(call unit_suites,$(O))

check-store: all $(STORE_PROG) build-sandbox ## the library against a real xenstored
	$(tap_sum) $(call store_suites,$(O))

check-cli: all build-sandbox ## the tool against a real xenstored
	$(tap_sum) $(call cli_suites,$(O))

check-sweep: tests build-sandbox ## kill, or run another tool, at every request
	$(tap_sum) $(call sweep_suites,1)

# The library's objects are built once for all programs, so that their counts add up.
COVERAGE := -O0 -g --coverage -fprofile-update=atomic -fprofile-abs-path
.PHONY: coverage
coverage: build-sandbox ## lines and branches of lib/ and src/ that unit, store and cli reach
	$(Q)$(MAKE) --no-print-directory O=$(O)/coverage CFLAGS='$(COVERAGE)' \
		LIB_STATIC_OBJ='$$(LIB_SHARED_OBJ)' tests
	$(Q)find $(O)/coverage -name '*.gcda' -delete
	$(tap_sum) $(call fast_suites,$(O)/coverage,,readme)
	$(Q)tests/coverage $(O)/coverage

.PHONY: check-faults
check-faults: tests build-sandbox ## answer each request with each fault, and send signals; FAULTS= SIGNALS=200
	$(Q)rm -f $(O)/faults.table
	$(tap_sum) $(each_fault_suites) $(call signals_suites,$(or $(SIGNALS),200),$(FAULT_VERBS)) \
		$(timer_suites)
	$(Q)tests/faults/table $(O)/faults.table

torture_suites = 'torture=O=$(abspath $(O)) tests/torture/run $(1) $(2)'
torture: all build-sandbox ## guests that die and lie while serve is killed; SECONDS=60 SEED=
	$(tap_sum) $(call torture_suites,$(SECONDS),$(SEED))

# MUTATE=1: takes out each defence, and shows that an attack gets through.
attack_suites = 'attack=O=$(abspath $(O)) JOBS=$(1) tests/attack/run $(2)'
.PHONY: check-attack
check-attack: tests build-sandbox ## hostile guests and driver domains; ATTACK=NAME, MUTATE=1
ifneq ($(MUTATE),)
	$(tap_sum) 'mutate=O=$(abspath $(O)) JOBS=$(JOBS) tests/attack/mutate $(WITHOUT)'
else
	$(tap_sum) $(call attack_suites,$(JOBS),$(ATTACK))
endif

# Each changes one place of lib/ or src/; a test has to notice.
.PHONY: mutants
mutants: export TAP_SECONDS ?= 86400
mutants: build-sandbox ## change lib/ and src/ in many ways, and see which tests notice; MUTANT=NAME|FILE
	$(tap_sum) 'mutants=O=$(abspath $(O)) JOBS=$(JOBS) tests/mutants/run $(MUTANT)'

sandbox_suites = 'sandbox=$(MAKE) -s --no-print-directory -C tests/sandbox O=$(abspath $(O))/sandbox check'
check-sandbox: build-sandbox ## the sandbox itself
	$(tap_sum) $(sandbox_suites)

# Packages that are only used in QEMU, or to build for it, are unpacked here and not installed.
.PHONY: build-release
build-release: | setup
	$(Q)tests/setup/release $(SUITE) >/dev/null

xen_run = O=$(abspath $(O)) tests/xen/run $(if $(SUITE),--suite $(SUITE))
xen_suites = 'xen=$(xen_run) $(SCENARIO)'
check-xen: build-release ## real Xen in QEMU; SUITE=DEBIAN-RELEASE, SCENARIO=NAME
	$(tap_sum) $(xen_suites)

# TAP as it is, for somebody else's CI.
xen-test: build-release ## a driver's own scenarios on real Xen; DRIVER=FOLDER SUITE= SCENARIO=
	$(Q)$(if $(DRIVER),,echo 'say DRIVER=FOLDER, as made by modules/new-driver' >&2; exit 2;)\
	$(xen_run) --driver '$(DRIVER)' $(SCENARIO)

xen_shell = O=$(abspath $(O)) tests/xen/shell $(if $(SUITE),--suite $(SUITE)) \
	$(if $(DRIVER),--driver '$(DRIVER)') $(if $(GUESTS),--guests $(GUESTS)) $(if $(GDB),--gdb)
xen-shell: build-release ## a shell in dom0 of real Xen; DRIVER=FOLDER SUITE= GUESTS=1 GDB=1
	$(Q)$(xen_shell)

xen_shell_suites = 'xen-shell=O=$(abspath $(O)) tests/xen/try-shell $(if $(SUITE),--suite $(SUITE))'
check-xen-shell: build-release ## uses xen-shell, again and gdb as a driver's author does; SUITE=
	$(tap_sum) $(xen_shell_suites)

# Without tests that run the other build's tool, that only measure time, or that link a program
# which is not built so.
asan_suites = $(call fast_suites,$(O)/asan,asan/,test-crash frozen progress readme)
check-asan: build-asan build-sandbox ## unit, store and cli, built with ASan and UBSan
	$(tap_sum) $(asan_suites)

tsan_suites = 'tsan/test-process=$(SANDBOX) --guests 5,6 -- $(O)/tsan/tests/store/test-process'
check-tsan: build-tsan build-sandbox ## a context for each thread, under ThreadSanitizer
	$(tap_sum) $(tsan_suites)

valgrind := valgrind -q --leak-check=full --errors-for-leak-kinds=definite --error-exitcode=99
# Each run of test-verbs is a process, of which there are more than a thousand.
valgrind_unit = $(call unit_suites,$(O),valgrind/,$(valgrind),test-verbs)
valgrind_suites = $(valgrind_unit) $(call store_suites,$(O),valgrind/,$(valgrind),test-crash)
check-valgrind: tests build-sandbox ## unit and store, under valgrind
	$(tap_sum) $(valgrind_suites)

check-harness: all build-sandbox ## tap-sum, the checks of lint, the completions
	$(tap_sum) $(harness_suites)

install_suites = 'install=O=$(abspath $(O)) bats --formatter tap tests/install'
installcheck: all ## make install, run what it installed, make uninstall
	$(tap_sum) $(install_suites)

check-fresh: | setup ## demo and check in an empty Debian; SUITE=DEBIAN-RELEASE
	$(Q)O=$(abspath $(O)) tests/setup/fresh-debian demo check

.PHONY: demo demo-xen
demo: all build-sandbox ## attach and detach a device, in the sandbox
	$(Q)tests/demo

demo-xen: build-release ## attach and detach a device, on real Xen in QEMU
	$(Q)$(xen_run) --story tests/xen/demo.sh

# W=1 and C=1 are the kernel's own, for more warnings and for sparse.
.PHONY: modules
modules: ## the example drivers; KDIR= their kernel's build tree, else SUITE=DEBIAN-RELEASE
ifneq ($(KDIR),)
	$(Q)for name in $(patsubst modules/%/Makefile,%,$(wildcard modules/*/Makefile)); do \
		$(MAKE) -C modules/$$name KDIR=$(KDIR) M=$(abspath $(O))/modules/$$name || exit; \
	done
else
	$(Q)O=$(abspath $(O)) tests/xen/modules '$(SUITE)' $(O)/modules \
		$(if $(W),W=$(W)) $(if $(C),C=$(C))
endif

.PHONY: bench bench-xen fuzz lint
SECONDS := 60
# EXECUTIONS counts for each target instead of SECONDS.
fuzz: build-fuzz ## what guests and users write, by libFuzzer; SECONDS=60 TARGET=NAME EXECUTIONS=N
	$(tap_sum) $(call fuzz_suites,$(if $(EXECUTIONS),-runs=$(EXECUTIONS),-max_total_time=$(SECONDS)),$(TARGET))

BENCH_PROG := $(patsubst tests/bench/%.c,$(O)/tests/bench/%,$(wildcard tests/bench/*.c))
bench: all build-sandbox $(BENCH_PROG) ## times and store requests, compared with other tools
	$(Q)O=$(abspath $(O)) tests/bench/run

bench-xen: build-release ## myecho against a disk and libxenvchan, on real Xen in QEMU
	$(Q)$(xen_run) --story tests/xen/bench.sh

$(O)/tests/bench/%: tests/bench/%.c $(wildcard tests/bench/*.h) $(O)/libxensplit.so Makefile $(O)/.command
	@mkdir -p $(@D)
	$(call msg,CC,$@)$(COMPILE) $(LIB_CFLAGS) -o $@ $< -L$(O) -lxensplit $(LIB_LIBS) \
		-Wl,--as-needed -Wl,-rpath,'$$ORIGIN/../..'

lint: tests build-sandbox ## formatters, analysers, manual, ABI, symbols; CHECK=NAME for one
	$(Q)O=$(abspath $(O)) VERSION=$(VERSION) tests/lint/run $(CHECK)
