# SPDX-License-Identifier: GPL-2.0-only
#
# Included by the Makefiles of myechofront and myechoback, which set NAME and
# OBJECTS:
#
#   make [KDIR=kernel build tree] [M=build folder]
#
# The kernel reads them, too; the first half is for the kernel.

here := $(abspath $(dir $(lastword $(MAKEFILE_LIST))))

ifneq ($(KERNELRELEASE),)

obj-m := $(NAME).o
$(NAME)-y := $(OBJECTS)
ccflags-y += -I$(here)/include

# Distributions back-port interface changes, so check the headers instead of the
# kernel version. What differs is in include/compat.h. A dot is any character:
# make wants parentheses in pairs, and commas between arguments only.
headers := $(srctree)/include/xen
ifeq ($(wildcard $(headers)/xenbus.h),)
$(error $(headers)/xenbus.h is missing)
endif
has = $(shell grep -q '$(2)' $(headers)/$(1) && echo y)

ccflags-$(call has,xenbus.h,int (\*remove)) += -DXENBUS_REMOVE_RETURNS_INT
ccflags-$(call has,xenbus.h,bool not_essential) += -DXENBUS_HAS_NOT_ESSENTIAL
ccflags-$(call has,xenbus.h,xenbus_setup_ring) += -DXENBUS_HAS_SETUP_RING
ccflags-$(call has,grant_table.h,gnttab_end_foreign_access.grant_ref_t ref. int readonly) += \
	-DGNTTAB_END_TAKES_READONLY
ccflags-$(call has,events.h,bind_interdomain_evtchn_to_irq_lateeoi.unsigned int) += \
	-DEVTCHN_BIND_TAKES_DOMID

else

KDIR ?= /lib/modules/$(shell uname -r)/build
M ?= $(CURDIR)
override M := $(abspath $(M))

# BTF type information for the module needs pahole; the module works without.
kbuild = $(MAKE) -C $(KDIR) M=$(M) \
	$(if $(shell command -v pahole),,CONFIG_DEBUG_INFO_BTF_MODULES=)

all: sources
	$(kbuild) modules

modules_install: all
	$(kbuild) modules_install

clean: sources
	$(kbuild) clean

# A build elsewhere does not change the source tree.
sources:
ifneq ($(M),$(abspath $(CURDIR)))
	mkdir -p $(M)
	cp -u *.[ch] $(M)
	echo 'include $(CURDIR)/Makefile' >$(M)/Makefile
endif

.PHONY: all modules_install clean sources

endif
