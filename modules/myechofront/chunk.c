// SPDX-License-Identifier: GPL-2.0-only
/* The pages of a request, and their grants. */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "front.h"

/*
 * Both pages are zeroed: the backend can read all of them, whatever the length.
 */
struct chunk *chunk_new(struct front_file *file, const char __user *data, size_t length)
{
	struct chunk *chunk = kzalloc(sizeof(*chunk), GFP_KERNEL);

	if (!chunk)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&chunk->entry);
	INIT_LIST_HEAD(&chunk->waiting);
	chunk->file = file;
	chunk->length = (u32)length;
	chunk->out_ref = INVALID_GRANT_REF;
	chunk->in_ref = INVALID_GRANT_REF;
	chunk->out = alloc_page(GFP_KERNEL | __GFP_ZERO);
	chunk->in = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!chunk->out || !chunk->in) {
		chunk_free(chunk);
		return ERR_PTR(-ENOMEM);
	}
	if (copy_from_user(page_address(chunk->out), data, length)) {
		chunk_free(chunk);
		return ERR_PTR(-EFAULT);
	}
	return chunk;
}

/* The chunk must not be shared. */
void chunk_free(struct chunk *chunk)
{
	if (chunk->out)
		__free_page(chunk->out);
	if (chunk->in)
		__free_page(chunk->in);
	kfree(chunk);
}

static int share(struct page *page, domid_t domid, int readonly, grant_ref_t *ref)
{
	int ret = gnttab_grant_foreign_access(domid, xen_page_to_gfn(page), readonly);

	if (ret < 0)
		return ret;
	*ref = ret;
	return 0;
}

/*
 * If the other end still uses the page it is not ours any more: the kernel frees
 * it when that end lets go.
 */
static bool unshare(struct page **page, grant_ref_t *ref)
{
	bool ended = true;

	if (*ref == INVALID_GRANT_REF)
		return true;
	if (!gnttab_try_end_foreign_access(*ref)) {
		compat_end_grant(*ref, *page);
		*page = NULL;
		ended = false;
	}
	*ref = INVALID_GRANT_REF;
	return ended;
}

int chunk_share(struct chunk *chunk, domid_t domid)
{
	int err;

	err = share(chunk->out, domid, 1, &chunk->out_ref);
	if (!err)
		err = share(chunk->in, domid, 0, &chunk->in_ref);
	if (err)
		chunk_unshare(chunk);
	return err;
}

/* From here on nobody else can touch the pages. False: one had to be given up. */
bool chunk_unshare(struct chunk *chunk)
{
	bool out = unshare(&chunk->out, &chunk->out_ref);
	bool in = unshare(&chunk->in, &chunk->in_ref);

	return out && in;
}

/* It is not shared. Caller holds the lock, and wakes the files. The chunk may be freed. */
void chunk_done(struct chunk *chunk, int err)
{
	list_del_init(&chunk->waiting);
	chunk->state = CHUNK_DONE;
	chunk->err = err;
	if (!chunk->file)
		chunk_free(chunk);
}
