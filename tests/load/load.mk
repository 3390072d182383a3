# SPDX-License-Identifier: GPL-2.0-or-later
#
# Load and soak; included by tests.mk.

LOAD_OBJ := $(patsubst %.c,$(O)/%.o,$(filter-out tests/load/churn.c,$(wildcard tests/load/*.c)))
LOAD_PROG := $(O)/tests/load/hammer $(O)/tests/load/churn

$(O)/tests/load/%.o: tests/load/%.c Makefile $(O)/.command | $(O)/.found
	@mkdir -p $(@D)
	$(call msg,CC,$@)$(COMPILE) $(LIB_CFLAGS) -c -o $@ $<

$(O)/tests/load/hammer: $(LOAD_OBJ)
$(O)/tests/load/churn: $(O)/tests/load/churn.o
$(LOAD_PROG): $(O)/libxensplit.so
	$(call msg,LINK,$@)$(LINK) -o $@ $(filter %.o,$^) -L$(O) -lxensplit $(LIB_LIBS) \
		-Wl,--as-needed -Wl,-rpath,'$$ORIGIN/../..'

-include $(LOAD_OBJ:.o=.d) $(O)/tests/load/churn.d

# $(1): operations, $(2): processes; or seconds; the last: the seed
load_suites = 'load=O=$(abspath $(O)) tests/load/run $(1) $(2) $(3)'
soak_suites = 'soak=O=$(abspath $(O)) tests/load/soak $(1) $(2)'
# SECONDS has another default.
soak_seconds = $(if $(filter command,$(firstword $(origin SECONDS))),$(SECONDS),1800)

.PHONY: load soak
load: tests build-sandbox ## processes that use the same devices; OPS=100000 PROCESSES=8 SEED=
	$(Q)tests/tap-sum $(call load_suites,$(or $(OPS),100000),$(or $(PROCESSES),8),$(SEED))

soak: tests build-sandbox ## memory and descriptors of serve and watch; SECONDS=1800 SEED=
	$(Q)tests/tap-sum $(call soak_suites,$(soak_seconds),$(SEED))
