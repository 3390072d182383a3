// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * evilback: a backend of myecho that breaks the rules. Its parameter "attack" says how, each
 * time that a device is bound to it. It connects like myechoback, except for the attacks on nodes
 * and states, waits for a request, attacks, and prints "evilback: NAME: done".
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <xen/xen.h>

#include "compat.h"
#include "myecho.h"

static char *attack = "none";
module_param(attack, charp, 0644);

struct evil {
	struct xenbus_device *dev;
	struct myecho_back_ring ring;
	void *shared, *mapped;
	int irq;
	bool tried;
	struct task_struct *thread;
};

/* What "keeps-ring" left mapped. */
static void *kept;

static bool is(const char *name)
{
	return !strcmp(attack, name);
}

/* ---- what a good backend does */

static irqreturn_t evil_interrupt(int irq, void *data)
{
	xen_irq_lateeoi(irq, 0);
	return IRQ_HANDLED;
}

static int set_up(struct evil *evil)
{
	const char *node = evil->dev->otherend;
	unsigned int pages, port, i;
	grant_ref_t refs[MYECHO_MAX_RING_PAGES];
	char name[20];
	int err;

	err = xenbus_gather(XBT_NIL, node, "num-ring-pages", "%u", &pages,
			    "event-channel", "%u", &port, NULL);
	if (err)
		return err;
	if (!pages || pages > MYECHO_MAX_RING_PAGES)
		return -EINVAL;
	for (i = 0; i < pages; i++) {
		snprintf(name, sizeof(name), "ring-ref%u", i);
		err = xenbus_gather(XBT_NIL, node, name, "%u", &refs[i], NULL);
		if (err)
			return err;
	}
	err = xenbus_map_ring_valloc(evil->dev, refs, pages, &evil->shared);
	if (err)
		return err;
	BACK_RING_INIT(&evil->ring, (struct myecho_sring *)evil->shared,
		       (size_t)pages * XEN_PAGE_SIZE);
	err = compat_bind_interdomain_lateeoi(evil->dev, port);
	if (err < 0)
		return err;
	evil->irq = err;
	return request_irq(evil->irq, evil_interrupt, 0, "evil", evil);
}

static void tear_down(struct evil *evil)
{
	if (evil->thread)
		kthread_stop(evil->thread);
	if (evil->irq)
		unbind_from_irqhandler(evil->irq, evil);
	if (evil->mapped)
		xenbus_unmap_ring_vfree(evil->dev, evil->mapped);
	/* Not this one: it is for the next that comes. */
	if (is("keeps-ring"))
		kept = evil->shared;
	else if (evil->shared)
		xenbus_unmap_ring_vfree(evil->dev, evil->shared);
	evil->thread = NULL;
	evil->irq = 0;
	evil->mapped = evil->shared = NULL;
}

static void put(struct evil *evil, u16 id, s16 status, u32 length)
{
	*RING_GET_RESPONSE(&evil->ring, evil->ring.rsp_prod_pvt++) =
		(struct myecho_response){ .id = id, .status = status, .length = length };
}

static void push(struct evil *evil)
{
	RING_PUSH_RESPONSES(&evil->ring);
	notify_remote_via_irq(evil->irq);
}

/* Waits for a request. False if there is none before the end. */
static bool get(struct evil *evil, struct myecho_request *req)
{
	while (READ_ONCE(evil->ring.sring->req_prod) == evil->ring.req_cons) {
		if (kthread_should_stop())
			return false;
		msleep(20);
	}
	virt_rmb();
	RING_COPY_REQUEST(&evil->ring, evil->ring.req_cons++, req);
	return true;
}

/* ---- attacks on the ring */

static void storm(struct evil *evil)
{
	unsigned int i;

	for (i = 0; i < 300000 && !kthread_should_stop(); i++) {
		notify_remote_via_irq(evil->irq);
		if (i % 1000 == 0)
			cond_resched();
	}
}

/* Responses as fast as it can, whatever was asked for. */
static void endless(struct evil *evil)
{
	while (!kthread_should_stop()) {
		put(evil, 0, MYECHO_OK, 4096);
		push(evil);
		cond_resched();
	}
}

/* Answers, and writes all over the ring while the frontend reads them. */
static void changes(struct evil *evil, struct myecho_request *req)
{
	unsigned int i;

	put(evil, req->id, MYECHO_OK, req->length);
	push(evil);
	for (i = 0; i < 200000 && !kthread_should_stop(); i++) {
		u32 *word = (u32 *)evil->shared + get_random_u32() % (XEN_PAGE_SIZE / 4);

		WRITE_ONCE(*word, get_random_u32());
		if (i % 1000 == 0) {
			notify_remote_via_irq(evil->irq);
			cond_resched();
		}
	}
}

static void with_response(struct evil *evil, const struct myecho_request *req)
{
	u16 id = req->id, other = (id + 1) % RING_SIZE(&evil->ring);

	if (is("id-beyond"))
		put(evil, 60000, MYECHO_OK, req->length);
	else if (is("id-of-none"))
		put(evil, other, MYECHO_OK, req->length);
	else if (is("length-beyond"))
		put(evil, id, MYECHO_OK, 0xffffffff);
	else if (is("length-short"))
		put(evil, id, MYECHO_OK, req->length - 1);
	else if (is("status-odd"))
		put(evil, id, -32768, req->length);
	else if (is("twice")) {
		put(evil, id, MYECHO_OK, req->length);
		put(evil, id, MYECHO_OK, req->length);
	} else
		return;
	push(evil);
}

static int evil_thread(void *data)
{
	struct evil *evil = data;
	struct myecho_request req;
	grant_ref_t ref;

	if (!get(evil, &req))
		return 0;
	if (is("prod-jumps")) {
		evil->ring.rsp_prod_pvt += RING_SIZE(&evil->ring) + 1;
		push(evil);
	} else if (is("prod-far")) {
		evil->ring.rsp_prod_pvt += 0x80000000;
		push(evil);
	} else if (is("prod-back")) {
		evil->ring.rsp_prod_pvt--;
		push(evil);
	} else if (is("keeps-page")) {
		ref = req.in;
		if (xenbus_map_ring_valloc(evil->dev, &ref, 1, &evil->mapped))
			evil->mapped = NULL;
		put(evil, req.id, MYECHO_OK, req.length);
		push(evil);
	} else if (is("changes")) {
		changes(evil, &req);
	} else if (is("storm")) {
		storm(evil);
	} else if (is("endless")) {
		pr_info("%s: begins\n", attack);
		endless(evil);
	} else {
		/* "silent" is none of them. */
		with_response(evil, &req);
	}
	pr_info("%s: done%s\n", attack,
		is("keeps-page") && !evil->mapped ? ", not mapped" : "");
	while (!kthread_should_stop())
		msleep(20);
	return 0;
}

/* ---- attacks on nodes and states */

static void states(struct evil *evil)
{
	static const int order[] = { 4, 2, 4, 1, 4, 2, 3,  2, 7, 8, 4,
				     5, 2, 6, 4, 2, 4, 99, 4, 2, 6 };
	unsigned int i, rounds;

	for (rounds = 0; rounds < 10; rounds++) {
		for (i = 0; i < ARRAY_SIZE(order); i++) {
			xenbus_printf(XBT_NIL, evil->dev->nodename, "state", "%d",
				      order[i]);
			if (rounds & 1)
				msleep(20);
		}
	}
	pr_info("%s: done\n", attack);
}

static int publish(struct evil *evil)
{
	const char *pages = "16";
	char *long_text;
	int err;

	if (is("pages-none"))
		pages = "0";
	else if (is("pages-many"))
		pages = "4294967295";
	else if (is("pages-text"))
		pages = "%s%n\033[2J";
	err = xenbus_printf(XBT_NIL, evil->dev->nodename, "max-ring-pages", "%s", pages);
	if (err || !is("features-long"))
		return err;
	long_text = kmalloc(4001, GFP_KERNEL);
	if (!long_text)
		return -ENOMEM;
	memset(long_text, 'x', 4000);
	long_text[4000] = '\0';
	err = xenbus_write(XBT_NIL, evil->dev->nodename, "features", long_text);
	kfree(long_text);
	return err;
}

static void evilback_changed(struct xenbus_device *dev, enum xenbus_state frontend)
{
	struct evil *evil = dev_get_drvdata(&dev->dev);
	int err;

	if (frontend == XenbusStateUnknown) {
		device_unregister(&dev->dev);
		return;
	}
	if (is("states")) {
		if (!evil->tried) {
			evil->tried = true;
			states(evil);
		}
		return;
	}
	if (frontend != XenbusStateInitialised || evil->tried)
		return;
	evil->tried = true;
	err = set_up(evil);
	if (err) {
		pr_info("%s: not set up: %d\n", attack, err);
		return;
	}
	xenbus_switch_state(dev, XenbusStateConnected);
	evil->thread = kthread_run(evil_thread, evil, "evil");
	if (IS_ERR(evil->thread))
		evil->thread = NULL;
}

static int evilback_probe(struct xenbus_device *dev, const struct xenbus_device_id *id)
{
	struct evil *evil = kzalloc(sizeof(*evil), GFP_KERNEL);
	int err;

	if (!evil)
		return -ENOMEM;
	evil->dev = dev;
	dev_set_drvdata(&dev->dev, evil);
	if (kept)
		xenbus_unmap_ring_vfree(dev, kept);
	kept = NULL;
	err = publish(evil);
	if (err) {
		kfree(evil);
		return err;
	}
	return xenbus_switch_state(dev, XenbusStateInitWait);
}

static REMOVE_TYPE evilback_remove(struct xenbus_device *dev)
{
	struct evil *evil = dev_get_drvdata(&dev->dev);

	tear_down(evil);
	kfree(evil);
	return REMOVE_RETURN;
}

static const struct xenbus_device_id evilback_ids[] = { { "myecho" }, { "" } };

static struct xenbus_driver evilback_driver = {
	.name = KBUILD_MODNAME,
	.ids = evilback_ids,
	.probe = evilback_probe,
	.remove = evilback_remove,
	.otherend_changed = evilback_changed,
};

static int __init evilback_init(void)
{
	return xen_domain() ? xenbus_register_backend(&evilback_driver) : -ENODEV;
}
module_init(evilback_init);

static void __exit evilback_exit(void)
{
	xenbus_unregister_driver(&evilback_driver);
}
module_exit(evilback_exit);

MODULE_DESCRIPTION("Backend for tests that breaks the rules");
MODULE_LICENSE("GPL");
