// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * evilfront: a frontend of myecho that breaks the rules. Its parameter "attack" says how, each
 * time that a device is bound to it. It connects like myechofront, except for the attacks on
 * nodes and states, attacks, and prints "evilfront: NAME: ..." with what the backend answered, the
 * last time "over".
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

static char *attack_param = "none";
module_param_named(attack, attack_param, charp, 0644);

/* Of the device that is bound now: the parameter may be for the next one already. */
static char attack[20];

struct evil {
	struct xenbus_device *dev;
	struct myecho_front_ring ring;
	void *shared;
	grant_ref_t refs[2];
	struct page *page[2]; /* out, in */
	grant_ref_t page_refs[2];
	evtchn_port_t evtchn;
	int irq;
	bool published;
	struct task_struct *thread;
};

static bool is(const char *name)
{
	return !strcmp(attack, name);
}

/* ---- what a good frontend does */

static irqreturn_t evil_interrupt(int irq, void *data)
{
	xen_irq_lateeoi(irq, 0);
	return IRQ_HANDLED;
}

static int set_up(struct evil *evil)
{
	int err, i;

	err = xenbus_setup_ring(evil->dev, GFP_KERNEL, &evil->shared, 2, evil->refs);
	if (err)
		return err;
	SHARED_RING_INIT((struct myecho_sring *)evil->shared);
	FRONT_RING_INIT(&evil->ring, (struct myecho_sring *)evil->shared, XEN_PAGE_SIZE);
	for (i = 0; i < 2; i++) {
		evil->page[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!evil->page[i])
			return -ENOMEM;
		err = gnttab_grant_foreign_access(evil->dev->otherend_id,
						  xen_page_to_gfn(evil->page[i]), i == 0);
		if (err < 0)
			return err;
		evil->page_refs[i] = err;
	}
	err = xenbus_alloc_evtchn(evil->dev, &evil->evtchn);
	if (err)
		return err;
	err = bind_evtchn_to_irqhandler_lateeoi(evil->evtchn, evil_interrupt, 0, "evil",
						evil);
	if (err < 0)
		return err;
	evil->irq = err;
	return 0;
}

static void tear_down(struct evil *evil)
{
	int i;

	if (evil->thread)
		kthread_stop(evil->thread);
	if (evil->irq)
		unbind_from_irqhandler(evil->irq, evil);
	for (i = 0; i < 2; i++) {
		if (evil->page_refs[i] != INVALID_GRANT_REF)
			compat_end_grant(evil->page_refs[i], evil->page[i]);
		else if (evil->page[i])
			__free_page(evil->page[i]);
	}
	if (evil->shared)
		xenbus_teardown_ring(&evil->shared, 2, evil->refs);
}

static void put(struct evil *evil, u16 id, u16 zero, u32 length, u32 out, u32 in)
{
	*RING_GET_REQUEST(&evil->ring, evil->ring.req_prod_pvt++) =
		(struct myecho_request){
			.id = id, .zero = zero, .length = length, .out = out, .in = in
		};
}

static void push(struct evil *evil)
{
	RING_PUSH_REQUESTS(&evil->ring);
	notify_remote_via_irq(evil->irq);
}

/* Prints the responses to as many requests, or that they do not come. */
static void answers(struct evil *evil, unsigned int count)
{
	struct myecho_response rsp;
	unsigned int tries = 3000;

	while (count) {
		if (READ_ONCE(evil->ring.sring->rsp_prod) == evil->ring.rsp_cons) {
			if (kthread_should_stop())
				return;
			if (!--tries) {
				pr_info("%s: no answer\n", attack);
				return;
			}
			msleep(20);
			continue;
		}
		virt_rmb();
		RING_COPY_RESPONSE(&evil->ring, evil->ring.rsp_cons++, &rsp);
		pr_info("%s: id %u status %d length %u\n", attack, rsp.id, rsp.status,
			rsp.length);
		count--;
	}
}

/* One request in order: the backend still works. */
static bool good(struct evil *evil)
{
	put(evil, 77, 0, 100, evil->page_refs[0], evil->page_refs[1]);
	push(evil);
	answers(evil, 1);
	return true;
}

/* ---- attacks on the ring: true if it is over, false if it is when the backend closes */

/* Each is wrong in itself, and is answered. */
static bool requests(struct evil *evil)
{
	u32 out = evil->page_refs[0], in = evil->page_refs[1];
	const struct {
		const char *name;
		struct myecho_request req;
	} all[] = {
		{ "length-zero", { 1, 0, 0, out, in } },
		{ "length-beyond", { 2, 0, MYECHO_DATA_SIZE + 1, out, in } },
		{ "length-wraps", { 3, 0, 0x10000001, out, in } },
		{ "not-zero", { 4, 1, 100, out, in } },
		{ "out-no-grant", { 5, 0, 100, 0x7fffffff, in } },
		{ "out-free-grant", { 6, 0, 100, 5000, in } },
		{ "in-no-grant", { 7, 0, 100, out, 0xffffffff } },
		{ "in-read-only", { 8, 0, 100, out, out } },
		{ "id-beyond", { 65535, 0, 100, out, in } },
		{ "id-again", { 65535, 0, 100, out, in } },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		const struct myecho_request *req = &all[i].req;

		pr_info("%s\n", all[i].name);
		put(evil, req->id, req->zero, req->length, req->out, req->in);
		push(evil);
		answers(evil, 1);
	}
	return good(evil);
}

static void change_one(struct evil *evil)
{
	u32 out = evil->page_refs[0], in = evil->page_refs[1];
	struct myecho_request *req = RING_GET_REQUEST(&evil->ring, get_random_u32());

	WRITE_ONCE(req->length, get_random_u32());
	WRITE_ONCE(req->out, get_random_u32() & 1 ? out : get_random_u32());
	WRITE_ONCE(req->in, get_random_u32() & 1 ? in : get_random_u32());
	WRITE_ONCE(evil->ring.sring->req_event, get_random_u32());
	WRITE_ONCE(evil->ring.sring->rsp_event, get_random_u32());
}

/* The backend must use what it has copied, and answer each request once. */
static bool changes(struct evil *evil)
{
	unsigned int rounds, i, size = RING_SIZE(&evil->ring), answered = 0;

	for (rounds = 0; rounds < 300; rounds++) {
		for (i = 0; i < size; i++)
			put(evil, (u16)i, 0, 100, evil->page_refs[0], evil->page_refs[1]);
		push(evil);
		/* While they are served. */
		while (READ_ONCE(evil->ring.sring->rsp_prod) != evil->ring.req_prod_pvt) {
			if (kthread_should_stop())
				return false;
			change_one(evil);
			cond_resched();
		}
		evil->ring.rsp_cons = evil->ring.req_prod_pvt;
		answered += size;
	}
	pr_info("%s: %u answers\n", attack, answered);
	return good(evil);
}

static bool storm(struct evil *evil)
{
	unsigned int i;

	for (i = 0; i < 300000 && !kthread_should_stop(); i++) {
		notify_remote_via_irq(evil->irq);
		if (i % 1000 == 0)
			cond_resched();
	}
	pr_info("%s: %u events\n", attack, i);
	return good(evil);
}

/* Keeps the ring full, as fast as it can, until it is unbound. */
static bool endless(struct evil *evil)
{
	pr_info("%s: begins\n", attack);
	while (!kthread_should_stop()) {
		evil->ring.rsp_cons = READ_ONCE(evil->ring.sring->rsp_prod);
		while (!RING_FULL(&evil->ring))
			put(evil, 1, 0, 4096, evil->page_refs[0], evil->page_refs[1]);
		push(evil);
		cond_resched();
	}
	return false;
}

static bool jump(struct evil *evil, RING_IDX by)
{
	good(evil);
	evil->ring.req_prod_pvt += by;
	push(evil);
	return false;
}

static bool prod_jumps(struct evil *evil)
{
	return jump(evil, RING_SIZE(&evil->ring) + 1);
}

static bool prod_far(struct evil *evil)
{
	return jump(evil, 0x80000000);
}

static bool prod_back(struct evil *evil)
{
	return jump(evil, -1);
}

/* The backend itself puts its answer over the ring. */
static bool in_is_ring(struct evil *evil)
{
	memset(page_address(evil->page[0]), 0x5a, XEN_PAGE_SIZE);
	put(evil, 1, 0, 4096, evil->page_refs[0], evil->refs[0]);
	push(evil);
	return false;
}

/* publish() has done it. */
static bool ref_other(struct evil *evil)
{
	return false;
}

static const struct {
	const char *name;
	bool (*run)(struct evil *evil);
} on_ring[] = {
	{ "requests", requests },     { "changes", changes },
	{ "storm", storm },	      { "endless", endless },
	{ "prod-jumps", prod_jumps }, { "prod-far", prod_far },
	{ "prod-back", prod_back },   { "in-is-ring", in_is_ring },
	{ "ref-other", ref_other },
};

static int evil_thread(void *data)
{
	bool (*run)(struct evil * evil) = good;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(on_ring); i++) {
		if (is(on_ring[i].name))
			run = on_ring[i].run;
	}
	if (run(data))
		pr_info("%s: over\n", attack);
	while (!kthread_should_stop())
		msleep(20);
	return 0;
}

/* ---- attacks on nodes and states */

static void write_node(struct evil *evil, const char *name, const char *value)
{
	xenbus_printf(XBT_NIL, evil->dev->nodename, name, "%s", value);
}

static void write_ref(struct evil *evil, unsigned int page, grant_ref_t ref)
{
	char name[20];

	snprintf(name, sizeof(name), "ring-ref%u", page);
	xenbus_printf(XBT_NIL, evil->dev->nodename, name, "%u", ref);
}

/* As long as a guest may, almost. */
static void write_long(struct evil *evil, const char *name)
{
	static const char words[] = "upperupper \033[2J%s%n uppe upper\n";
	char *text = kmalloc(1501, GFP_KERNEL);
	unsigned int i;

	if (!text)
		return;
	for (i = 0; i < 1500; i++)
		text[i] = words[i % (sizeof(words) - 1)];
	text[1500] = '\0';
	write_node(evil, name, text);
	kfree(text);
}

static const struct {
	const char *name, *node, *value;
} lies[] = {
	{ "pages-none", "num-ring-pages", "0" },
	{ "pages-beyond", "num-ring-pages", "40" },
	{ "pages-many", "num-ring-pages", "4294967295" },
	{ "pages-text", "num-ring-pages", "%s%n\033[2J" },
	{ "pages-missing", "num-ring-pages", "3" },
	{ "ref-none", "ring-ref0", "999999999" },
	{ "ref-twice", "num-ring-pages", "2" },
	{ "port-none", "event-channel", "4000000000" },
	/* The first one, which is XenStore's. */
	{ "port-other", "event-channel", "1" },
};

/* All that is right, then what is not. */
static void publish(struct evil *evil)
{
	const char *node = evil->dev->nodename;
	unsigned int i;

	evil->published = true;
	/* Of the last attack. */
	for (i = 1; i < 40; i++) {
		char name[20];

		snprintf(name, sizeof(name), "ring-ref%u", i);
		xenbus_rm(XBT_NIL, node, name);
	}
	xenbus_rm(XBT_NIL, node, "num-ring-pages");
	if (is("no-nodes"))
		return;
	write_node(evil, "num-ring-pages", "1");
	write_ref(evil, 0, evil->refs[0]);
	xenbus_printf(XBT_NIL, node, "event-channel", "%u", evil->evtchn);

	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		if (is(lies[i].name))
			write_node(evil, lies[i].node, lies[i].value);
	}
	for (i = 1; i < 40 && (is("pages-beyond") || (is("ref-twice") && i == 1)); i++)
		write_ref(evil, i, evil->refs[0]);
	memset(page_address(evil->page[1]), 0x5a, XEN_PAGE_SIZE);
	if (is("ref-other"))
		write_ref(evil, 0, evil->page_refs[1]);
	if (is("ref-read-only"))
		write_ref(evil, 0, evil->page_refs[0]);
	if (is("features-long"))
		write_long(evil, "features-used");
}

/* Whatever the backend does meanwhile. */
static void states(struct evil *evil)
{
	static const int order[] = { 4, 3, 4, 3, 1, 3, 2, 3,  7, 8, 3, 5,
				     3, 6, 3, 1, 3, 4, 1, 99, 3, 6, 1 };
	unsigned int i, rounds;

	for (rounds = 0; rounds < 10; rounds++) {
		for (i = 0; i < ARRAY_SIZE(order); i++) {
			xenbus_printf(XBT_NIL, evil->dev->nodename, "state", "%d",
				      order[i]);
			if (rounds & 1)
				msleep(20);
		}
	}
	pr_info("%s: over\n", attack);
}

static void evilfront_changed(struct xenbus_device *dev, enum xenbus_state backend)
{
	struct evil *evil = dev_get_drvdata(&dev->dev);

	/* Before it has published, other states are about the last attack. */
	if (!evil->published) {
		if (backend != XenbusStateInitWait)
			return;
		publish(evil);
		if (is("states"))
			states(evil);
		else
			xenbus_switch_state(dev, XenbusStateInitialised);
	} else if (backend == XenbusStateConnected && !evil->thread && !is("states")) {
		xenbus_switch_state(dev, XenbusStateConnected);
		evil->thread = kthread_run(evil_thread, evil, "evil");
		if (IS_ERR(evil->thread))
			evil->thread = NULL;
	}
	/* It never closes. */
	if (backend == XenbusStateClosing)
		pr_info("%s: over\n", attack);
}

static int evilfront_probe(struct xenbus_device *dev, const struct xenbus_device_id *id)
{
	struct evil *evil = kzalloc(sizeof(*evil), GFP_KERNEL);
	int err;

	if (!evil)
		return -ENOMEM;
	strscpy(attack, attack_param, sizeof(attack));
	evil->dev = dev;
	evil->refs[0] = evil->refs[1] = INVALID_GRANT_REF;
	evil->page_refs[0] = evil->page_refs[1] = INVALID_GRANT_REF;
	dev_set_drvdata(&dev->dev, evil);
	err = set_up(evil);
	if (err) {
		tear_down(evil);
		kfree(evil);
		return err;
	}
	return xenbus_switch_state(dev, XenbusStateInitialising);
}

static REMOVE_TYPE evilfront_remove(struct xenbus_device *dev)
{
	struct evil *evil = dev_get_drvdata(&dev->dev);

	tear_down(evil);
	kfree(evil);
	return REMOVE_RETURN;
}

static const struct xenbus_device_id evilfront_ids[] = { { "myecho" }, { "" } };

static struct xenbus_driver evilfront_driver = {
	.name = KBUILD_MODNAME,
	.ids = evilfront_ids,
#ifdef XENBUS_HAS_NOT_ESSENTIAL
	.not_essential = true,
#endif
	.probe = evilfront_probe,
	.remove = evilfront_remove,
	.otherend_changed = evilfront_changed,
};

static int __init evilfront_init(void)
{
	return xen_domain() ? xenbus_register_frontend(&evilfront_driver) : -ENODEV;
}
module_init(evilfront_init);

static void __exit evilfront_exit(void)
{
	xenbus_unregister_driver(&evilfront_driver);
}
module_exit(evilfront_exit);

MODULE_DESCRIPTION("Frontend for tests that breaks the rules");
MODULE_LICENSE("GPL");
