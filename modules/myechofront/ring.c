// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ring and event channel.
 *
 * The backend can write the ring at any time, so what comes from it is copied once,
 * checked, and used from the copy. Whatever it does, no loop here is longer than the
 * number of requests under way.
 */
#include <linux/slab.h>

#include "front.h"

/* ---- requests */

static void send_one(struct front *front, struct chunk *chunk)
{
	struct myecho_request *req;
	u16 id = front->ids[--front->num_ids];

	front->sent[id] = chunk;
	chunk->state = CHUNK_SENT;
	req = RING_GET_REQUEST(&front->ring, front->ring.req_prod_pvt);
	req->id = id;
	req->zero = 0;
	req->length = chunk->length;
	req->out = chunk->out_ref;
	req->in = chunk->in_ref;
	front->ring.req_prod_pvt++;
	front->requests++;
}

/* Sends what waits, as far as the ring has room. Caller holds the lock. */
void front_pump(struct front *front)
{
	struct chunk *chunk;
	int notify, err;

	if (!front->connected)
		return;
	while (!list_empty(&front->waiting) && !RING_FULL(&front->ring)) {
		chunk = list_first_entry(&front->waiting, struct chunk, waiting);
		list_del_init(&chunk->waiting);
		err = chunk_share(chunk, front->dev->otherend_id);
		if (err) {
			front->errors++;
			chunk_done(chunk, err);
			continue;
		}
		send_one(front, chunk);
	}
	RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&front->ring, notify);
	if (notify)
		notify_remote_via_irq(front->irq);
}

/* ---- responses */

/* Returns what is wrong with it, or NULL. */
static const char *take_one(struct front *front, const struct myecho_response *rsp)
{
	struct chunk *chunk;
	bool released;
	int err = 0;

	if (rsp->id >= RING_SIZE(&front->ring))
		return "a response with an id beyond the ring";
	chunk = front->sent[rsp->id];
	if (!chunk)
		return "a response to no request";
	if (rsp->status == MYECHO_OK && rsp->length != chunk->length)
		return "an answer of another length than the request";

	front->sent[rsp->id] = NULL;
	front->ids[front->num_ids++] = rsp->id;
	released = chunk_unshare(chunk);
	if (rsp->status == MYECHO_OK && released)
		front->bytes += chunk->length;
	else
		err = -EIO;
	front->errors += !!err;
	chunk_done(chunk, err);
	/* A backend that keeps pages would have all memory in the end. */
	return released ? NULL : "an answer and kept the pages";
}

/* Returns what is wrong with them, or NULL. */
static const char *take_all(struct front *front, bool *any)
{
	struct myecho_front_ring *ring = &front->ring;
	struct myecho_response rsp;
	const char *breach;
	RING_IDX prod;
	int more;

	do {
		prod = READ_ONCE(ring->sring->rsp_prod);
		virt_rmb(); /* the index before the responses */
		/* More than there are requests: stricter than RING_RESPONSE_PROD_OVERFLOW. */
		if (prod - ring->rsp_cons > ring->req_prod_pvt - ring->rsp_cons)
			return "more responses than requests";
		while (ring->rsp_cons != prod) {
			RING_COPY_RESPONSE(ring, ring->rsp_cons, &rsp);
			ring->rsp_cons++;
			*any = true;
			breach = take_one(front, &rsp);
			if (breach)
				return breach;
		}
		RING_FINAL_CHECK_FOR_RESPONSES(ring, more);
	} while (more);
	return NULL;
}

/*
 * Moves all that is sent to where it waits, or with an error to its files. Caller
 * holds the lock, and the backend is not listened to any more.
 */
static void take_back(struct front *front, int err)
{
	struct chunk *chunk, *next;
	unsigned int i;

	for (i = 0; front->sent && i < RING_SIZE(&front->ring); i++) {
		chunk = front->sent[i];
		front->sent[i] = NULL;
		if (!chunk)
			continue;
		if (!chunk_unshare(chunk) || err || !chunk->file) {
			chunk_done(chunk, err ?: -EIO);
			continue;
		}
		chunk->state = CHUNK_WAITING;
		list_add_tail(&chunk->waiting, &front->waiting);
	}
	if (!err)
		return;
	list_for_each_entry_safe(chunk, next, &front->waiting, waiting)
		chunk_done(chunk, err);
}

/*
 * After a breach nobody looks into the ring again, and the event is not
 * acknowledged, so that no other comes: a backend can't keep this kernel busy.
 */
static irqreturn_t front_interrupt(int irq, void *data)
{
	struct front *front = data;
	unsigned long flags;
	bool any = false;

	spin_lock_irqsave(&front->lock, flags);
	front->events++;
	if (front->connected)
		front->breach = take_all(front, &any);
	if (front->breach) {
		front->breaches++;
		front->broken = true;
		front->connected = false;
		take_back(front, -EIO);
	}
	front_pump(front);
	front->spurious += !any;
	spin_unlock_irqrestore(&front->lock, flags);

	wake_up_interruptible_all(&front->wait);
	if (front->breach)
		schedule_work(&front->breach_work);
	else
		xen_irq_lateeoi(irq, any ? 0 : XEN_EOI_FLAG_SPURIOUS);
	return IRQ_HANDLED;
}

/* ---- set-up and end */

static int ring_new(struct front *front)
{
	unsigned int offered, i;
	int err;

	offered = xenbus_read_unsigned(front->dev->otherend, "max-ring-pages", 1);
	front->pages = clamp(min(front->wanted_pages, offered), 1u,
			     (unsigned int)MYECHO_MAX_RING_PAGES);
	err = xenbus_setup_ring(front->dev, GFP_KERNEL, &front->shared, front->pages,
				front->refs);
	if (err) {
		front->shared = NULL;
		return err;
	}
	SHARED_RING_INIT((struct myecho_sring *)front->shared);
	FRONT_RING_INIT(&front->ring, (struct myecho_sring *)front->shared,
			(size_t)front->pages * XEN_PAGE_SIZE);

	front->sent = kvcalloc(RING_SIZE(&front->ring), sizeof(*front->sent), GFP_KERNEL);
	front->ids = kvcalloc(RING_SIZE(&front->ring), sizeof(*front->ids), GFP_KERNEL);
	if (!front->sent || !front->ids)
		return -ENOMEM;
	front->num_ids = RING_SIZE(&front->ring);
	for (i = 0; i < front->num_ids; i++)
		front->ids[i] = (u16)i;
	return 0;
}

static int event_new(struct front *front)
{
	int err;

	err = xenbus_alloc_evtchn(front->dev, &front->evtchn);
	if (err)
		return err;
	err = bind_evtchn_to_irqhandler_lateeoi(front->evtchn, front_interrupt, 0,
						front->misc.name, front);
	if (err < 0)
		return err;
	front->irq = err;
	return 0;
}

static int publish_nodes(struct front *front, struct xenbus_transaction xbt)
{
	const char *node = front->dev->nodename;
	char *offered, *accepted, name[sizeof("ring-ref") + 10];
	unsigned int i;
	bool upper;
	int err;

	offered = xenbus_read(xbt, front->dev->otherend, "features", NULL);
	accepted = xenbus_read(xbt, node, "features", NULL);
	upper = !IS_ERR(offered) && myecho_has_word(offered, MYECHO_FEATURE_UPPER) &&
		(IS_ERR(accepted) || myecho_has_word(accepted, MYECHO_FEATURE_UPPER));
	if (!IS_ERR(offered))
		kfree(offered);
	if (!IS_ERR(accepted))
		kfree(accepted);

	err = xenbus_printf(xbt, node, "features-used", "%s",
			    upper ? MYECHO_FEATURE_UPPER : "");
	for (i = 0; !err && i < front->pages; i++) {
		snprintf(name, sizeof(name), "ring-ref%u", i);
		err = xenbus_printf(xbt, node, name, "%u", front->refs[i]);
	}
	if (!err)
		err = xenbus_printf(xbt, node, "num-ring-pages", "%u", front->pages);
	if (!err)
		err = xenbus_printf(xbt, node, "event-channel", "%u", front->evtchn);
	return err;
}

/* All nodes or none; tried again if somebody else changed them meanwhile. */
static int publish(struct front *front)
{
	struct xenbus_transaction xbt;
	int err;

	do {
		err = xenbus_transaction_start(&xbt);
		if (err)
			return err;
		err = publish_nodes(front, xbt);
		if (err) {
			xenbus_transaction_end(xbt, 1);
			return err;
		}
		err = xenbus_transaction_end(xbt, 0);
	} while (err == -EAGAIN);
	return err;
}

/* Caller holds the mutex. */
static void disconnect(struct front *front, int err)
{
	spin_lock_irq(&front->lock);
	front->connected = false;
	spin_unlock_irq(&front->lock);

	/* Waits for the handler; closes the port as well. */
	if (front->irq)
		unbind_from_irqhandler(front->irq, front);
	else if (front->evtchn)
		xenbus_free_evtchn(front->dev, front->evtchn);
	front->irq = 0;
	front->evtchn = 0;

	spin_lock_irq(&front->lock);
	take_back(front, err);
	spin_unlock_irq(&front->lock);
	wake_up_interruptible_all(&front->wait);

	kvfree(front->sent);
	kvfree(front->ids);
	front->sent = NULL;
	front->ids = NULL;
	if (front->shared)
		xenbus_teardown_ring(&front->shared, front->pages, front->refs);
	front->shared = NULL;
}

/* Shares everything with a backend in InitWait; does not send yet. */
int front_connect(struct front *front)
{
	int err;

	mutex_lock(&front->mutex);
	disconnect(front, 0);
	front->breach = NULL;
	err = ring_new(front);
	if (!err)
		err = event_new(front);
	if (!err)
		err = publish(front);
	if (err)
		disconnect(front, 0);
	else
		front->broken = false;
	mutex_unlock(&front->mutex);
	return err;
}

/* What the backend has not answered waits for the next. May run twice. */
void front_disconnect(struct front *front)
{
	mutex_lock(&front->mutex);
	disconnect(front, 0);
	mutex_unlock(&front->mutex);
}

void front_breach_work(struct work_struct *work)
{
	struct front *front = container_of(work, struct front, breach_work);

	mutex_lock(&front->mutex);
	/* Else the backend is another one by now. */
	if (front->broken && front->shared) {
		xenbus_dev_error(front->dev, -EPROTO, "the backend sent %s",
				 front->breach);
		disconnect(front, -EIO);
		/* Not Closing, which the next backend would answer and close as well. */
		xenbus_switch_state(front->dev, XenbusStateClosed);
	}
	mutex_unlock(&front->mutex);
}
