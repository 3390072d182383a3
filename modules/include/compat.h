/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's interfaces as they are now, for kernels that have earlier ones.
 *
 * myecho.mk looks into the kernel's headers and defines a macro for each that
 * differs. A driver for one kernel only needs nothing of this file.
 */
#ifndef COMPAT_H
#define COMPAT_H

#include <linux/mm.h>
#include <xen/events.h>
#include <xen/grant_table.h>
#include <xen/interface/io/ring.h>
#include <xen/page.h>
#include <xen/xenbus.h>

/* Void from Linux 6.2 on, and in some stable kernels before it. */
#ifdef XENBUS_REMOVE_RETURNS_INT
#define REMOVE_TYPE   int
#define REMOVE_RETURN 0
#else
#define REMOVE_TYPE void
#define REMOVE_RETURN
#endif

/* Linux 5.19. */
#ifndef INVALID_GRANT_REF
#define INVALID_GRANT_REF ((grant_ref_t)-1)
#endif

/* Ends a grant; frees the page now, or when the other end has unmapped it. */
static inline void compat_end_grant(grant_ref_t ref, struct page *page)
{
#ifdef GNTTAB_END_TAKES_READONLY
	gnttab_end_foreign_access(ref, 0, (unsigned long)page_address(page));
#else
	gnttab_end_foreign_access(ref, page);
#endif
}

/* The device from Linux 5.12 on, its domain before. */
#ifdef EVTCHN_BIND_TAKES_DOMID
#define compat_bind_interdomain_lateeoi(dev, port) \
	bind_interdomain_evtchn_to_irq_lateeoi((dev)->otherend_id, port)
#else
#define compat_bind_interdomain_lateeoi(dev, port) \
	bind_interdomain_evtchn_to_irq_lateeoi(dev, port)
#endif

#ifndef XENBUS_HAS_SETUP_RING
/* Linux 5.19: allocates zeroed pages, and grants them to the other end. */
static inline void xenbus_teardown_ring(void **vaddr, unsigned int pages,
					grant_ref_t *refs)
{
	unsigned int i;

	for (i = 0; i < pages; i++) {
		if (refs[i] == INVALID_GRANT_REF)
			continue;
		compat_end_grant(refs[i], virt_to_page(*vaddr + i * XEN_PAGE_SIZE));
		refs[i] = INVALID_GRANT_REF;
	}
	*vaddr = NULL;
}

static inline int xenbus_setup_ring(struct xenbus_device *dev, gfp_t gfp, void **vaddr,
				    unsigned int pages, grant_ref_t *refs)
{
	size_t size = (size_t)pages * XEN_PAGE_SIZE;
	int err;

	/* Pages of their own, which compat_end_grant() can free one by one. */
	*vaddr = alloc_pages_exact(size, gfp | __GFP_ZERO);
	if (!*vaddr)
		return -ENOMEM;
	err = xenbus_grant_ring(dev, *vaddr, pages, refs);
	if (err) {
		free_pages_exact(*vaddr, size);
		*vaddr = NULL;
	}
	return err;
}
#endif

#endif
