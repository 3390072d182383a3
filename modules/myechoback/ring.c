// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ring and event channel.
 *
 * The guest wrote the nodes, and can write the ring at any time: each node is checked,
 * each request is copied once, checked, and used from the copy. The data is copied as
 * well, by the hypervisor, which checks the grants.
 */
#include <linux/ctype.h>
#include <linux/interrupt.h>
#include <linux/sched.h>

#include "back.h"

/* ---- requests */

static bool is_good(const struct myecho_request *req)
{
	return !req->zero && req->length && req->length <= MYECHO_DATA_SIZE;
}

/* Between one of our pages and a granted one, for each request that is in order so far. */
static void copy(struct back *back, unsigned int count, bool in)
{
	struct gnttab_copy *op = back->copies;
	unsigned int i;

	for (i = 0; i < count; i++) {
		const struct myecho_request *req = &back->reqs[i];
		struct gnttab_copy one = { .len = (u16)req->length };

		if (back->status[i] != MYECHO_OK)
			continue;
		one.flags = in ? GNTCOPY_dest_gref : GNTCOPY_source_gref;
		if (in) {
			one.source.u.gmfn = virt_to_gfn(back->data[i]);
			one.source.domid = DOMID_SELF;
			one.dest.u.ref = req->in;
			one.dest.domid = back->dev->otherend_id;
		} else {
			one.source.u.ref = req->out;
			one.source.domid = back->dev->otherend_id;
			one.dest.u.gmfn = virt_to_gfn(back->data[i]);
			one.dest.domid = DOMID_SELF;
		}
		*op++ = one;
	}
	if (op == back->copies)
		return;
	gnttab_batch_copy(back->copies, op - back->copies);

	op = back->copies;
	for (i = 0; i < count; i++) {
		if (back->status[i] == MYECHO_OK && op++->status != GNTST_okay)
			back->status[i] = MYECHO_NOT_THERE;
	}
}

/* What this device does. */
static void work(struct back *back, unsigned int i)
{
	u8 *data = back->data[i];
	u32 pos;

	if (!back->upper || back->status[i] != MYECHO_OK)
		return;
	for (pos = 0; pos < back->reqs[i].length; pos++)
		data[pos] = isascii(data[pos]) ? toupper(data[pos]) : data[pos];
}

static void respond(struct back *back, unsigned int count)
{
	struct myecho_back_ring *ring = &back->ring;
	struct myecho_response *rsp;
	unsigned int i;
	int notify;

	for (i = 0; i < count; i++) {
		bool ok = back->status[i] == MYECHO_OK;

		rsp = RING_GET_RESPONSE(ring, ring->rsp_prod_pvt);
		rsp->id = back->reqs[i].id;
		rsp->status = back->status[i];
		rsp->length = ok ? back->reqs[i].length : 0;
		ring->rsp_prod_pvt++;
		back->requests++;
		back->errors += !ok;
		back->bytes += ok ? back->reqs[i].length : 0;
	}
	RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(ring, notify);
	if (notify)
		notify_remote_via_irq(back->irq);
}

/* Serves some requests. Returns whether there may be more, or -EPROTO. */
static int serve(struct back *back)
{
	struct myecho_back_ring *ring = &back->ring;
	unsigned int count = 0, i;
	RING_IDX prod;
	int more;

	prod = READ_ONCE(ring->sring->req_prod);
	virt_rmb(); /* the index before the requests */
	if (RING_REQUEST_PROD_OVERFLOW(ring, prod))
		return -EPROTO;
	while (count < BACK_BATCH && ring->req_cons != prod) {
		RING_COPY_REQUEST(ring, ring->req_cons, &back->reqs[count]);
		ring->req_cons++;
		back->status[count] = is_good(&back->reqs[count]) ? MYECHO_OK
								  : MYECHO_BAD;
		count++;
	}
	if (!count) {
		RING_FINAL_CHECK_FOR_REQUESTS(ring, more);
		return more;
	}
	copy(back, count, false);
	for (i = 0; i < count; i++)
		work(back, i);
	copy(back, count, true);
	respond(back, count);
	return 1;
}

/*
 * A thread, as grants are copied and a guest may keep it busy. After a breach nobody
 * looks into the ring again, and the event is not acknowledged, so that no other comes.
 */
static irqreturn_t back_interrupt(int irq, void *data)
{
	unsigned int eoi = XEN_EOI_FLAG_SPURIOUS;
	struct back *back = data;
	int more;

	/* Else it would go before each process of dom0, for as long as a guest likes. */
	if (current->policy != SCHED_NORMAL)
		sched_set_normal(current, 0);
	back->events++;
	while (!READ_ONCE(back->stop)) {
		u64 before = back->requests;

		more = serve(back);
		if (more < 0) {
			back->breaches++;
			xenbus_dev_fatal(
				back->dev, more,
				"the frontend sent more requests than the ring holds");
			return IRQ_HANDLED;
		}
		if (back->requests != before)
			eoi = 0;
		if (!more)
			break;
		cond_resched();
	}
	back->spurious += !!eoi;
	xen_irq_lateeoi(irq, eoi);
	return IRQ_HANDLED;
}

/* ---- set-up and end */

static int buffers_new(struct back *back)
{
	unsigned int i;

	for (i = 0; i < BACK_BATCH; i++) {
		back->data[i] = (void *)__get_free_page(GFP_KERNEL);
		if (!back->data[i])
			return -ENOMEM;
	}
	return 0;
}

static int ring_map(struct back *back, unsigned int pages)
{
	struct xenbus_device *dev = back->dev;
	grant_ref_t refs[MYECHO_MAX_RING_PAGES];
	char name[sizeof("ring-ref") + 10];
	unsigned int i;
	int err;

	for (i = 0; i < pages; i++) {
		snprintf(name, sizeof(name), "ring-ref%u", i);
		err = xenbus_gather(XBT_NIL, dev->otherend, name, "%u", &refs[i], NULL);
		if (err)
			return err;
	}
	err = xenbus_map_ring_valloc(dev, refs, pages, &back->shared);
	if (err) {
		back->shared = NULL;
		return err;
	}
	BACK_RING_INIT(&back->ring, (struct myecho_sring *)back->shared,
		       (size_t)pages * XEN_PAGE_SIZE);
	return 0;
}

/* From here on the handler runs, and may find a breach. */
int back_listen(struct back *back)
{
	int irq, err;

	irq = compat_bind_interdomain_lateeoi(back->dev, back->port);
	if (irq < 0)
		return irq;
	back->stop = false;
	back->irq = irq;
	err = request_threaded_irq(irq, NULL, back_interrupt, IRQF_ONESHOT,
				   dev_name(&back->dev->dev), back);
	if (err) {
		back->irq = 0;
		unbind_from_irqhandler(irq, back);
	}
	return err;
}

static void read_features(struct back *back)
{
	struct xenbus_device *dev = back->dev;
	char *offered = xenbus_read(XBT_NIL, dev->nodename, "features", NULL);
	char *used = xenbus_read(XBT_NIL, dev->otherend, "features-used", NULL);

	back->upper = !IS_ERR(offered) &&
		      myecho_has_word(offered, MYECHO_FEATURE_UPPER) && !IS_ERR(used) &&
		      myecho_has_word(used, MYECHO_FEATURE_UPPER);
	if (!IS_ERR(offered))
		kfree(offered);
	if (!IS_ERR(used))
		kfree(used);
}

/* The frontend has published what it shares. */
int back_map(struct back *back)
{
	struct xenbus_device *dev = back->dev;
	unsigned int pages;
	int err;

	back_disconnect(back);
	err = xenbus_gather(XBT_NIL, dev->otherend, "num-ring-pages", "%u", &pages,
			    "event-channel", "%u", &back->port, NULL);
	if (!err && (!pages || pages > MYECHO_MAX_RING_PAGES))
		err = -EINVAL;
	if (!err)
		err = buffers_new(back);
	if (!err)
		err = ring_map(back, pages);
	read_features(back);
	return err;
}

/*
 * Requests that were not answered stay unanswered: the frontend takes its pages back.
 * May run twice.
 */
void back_disconnect(struct back *back)
{
	unsigned int i;

	WRITE_ONCE(back->stop, true);
	if (back->irq)
		unbind_from_irqhandler(back->irq, back); /* waits for the handler */
	back->irq = 0;
	if (back->shared)
		xenbus_unmap_ring_vfree(back->dev, back->shared);
	back->shared = NULL;
	for (i = 0; i < BACK_BATCH; i++) {
		free_page((unsigned long)back->data[i]);
		back->data[i] = NULL;
	}
}
