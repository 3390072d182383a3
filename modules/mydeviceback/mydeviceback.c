// SPDX-License-Identifier: GPL-2.0-only
/*
 * mydeviceback - the backend of a Xen split device that does nothing
 *
 * Does the whole XenBus handshake, and transfers no data: a template for your
 * own backend. The comments say where to map the shared ring, bind the event
 * channel, and set up the real device.
 *
 *	probe                  ->  go InitWait: ready for a frontend
 *	frontend Initialising  ->  InitWait again, if an earlier frontend has left
 *	frontend Connected     ->  map what it shares, go Connected
 *	frontend Closing       ->  unmap it, go Closing
 *	frontend Closed        ->  unmap it, go Closed; release the device if the
 *	                           toolstack has set "online" to 0
 *	frontend gone          ->  release the device
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <xen/xen.h>
#include <xen/xenbus.h>

/* Void from Linux 6.2 on, and in some stable kernels before it: see Makefile. */
#ifdef XENBUS_REMOVE_RETURNS_INT
#define REMOVE_TYPE   int
#define REMOVE_RETURN 0
#else
#define REMOVE_TYPE void
#define REMOVE_RETURN
#endif

/*
 * A real driver reads what the frontend published (xenbus_gather of "ring-ref"
 * and "event-channel" under dev->otherend), maps the ring
 * (xenbus_map_ring_valloc) and binds the event channel to an interrupt handler.
 * The guest wrote those values and shares that memory: check every one, and
 * copy a request out of the ring before you read it. On failure call
 * xenbus_dev_fatal(), which writes the error to XenStore and goes Closing.
 */
static void mydeviceback_connect(struct xenbus_device *dev)
{
	xenbus_switch_state(dev, XenbusStateConnected);
}

/*
 * Runs when the frontend closes or restarts, and when the driver is unbound, so
 * it may run twice. A real driver finishes its requests, unbinds the event
 * channel and unmaps the ring (xenbus_unmap_ring_vfree) here.
 */
static void mydeviceback_disconnect(struct xenbus_device *dev)
{
	dev_dbg(&dev->dev, "disconnected\n");
}

static int mydeviceback_probe(struct xenbus_device *dev,
			      const struct xenbus_device_id *id)
{
	pr_info("Probe called. We are good to go.\n");

	/*
	 * A real driver allocates its private data here, keeps it with
	 * dev_set_drvdata(&dev->dev, ...) and frees it in remove. It writes
	 * what the frontend needs to know (features, sizes) under
	 * dev->nodename before InitWait.
	 */
	return xenbus_switch_state(dev, XenbusStateInitWait);
}

/* The frontend is Initialising: a new one, or the same one reloaded. */
static void mydeviceback_restart(struct xenbus_device *dev)
{
	if (dev->state == XenbusStateInitWait)
		return;
	/* The toolstack is removing the device; let the frontend see that. */
	if (!xenbus_dev_is_online(dev))
		return;
	mydeviceback_disconnect(dev);
	xenbus_switch_state(dev, XenbusStateInitWait);
}

static void mydeviceback_closed(struct xenbus_device *dev)
{
	bool online = xenbus_dev_is_online(dev);

	/*
	 * In InitWait there is nothing to close: the frontend noticed that this
	 * driver went away, and connects again when it sees InitWait.
	 */
	if (online && dev->state == XenbusStateInitWait)
		return;

	mydeviceback_disconnect(dev);
	xenbus_switch_state(dev, XenbusStateClosed);
	if (!online)
		device_unregister(&dev->dev);
}

static void mydeviceback_changed(struct xenbus_device *dev,
				 enum xenbus_state frontend_state)
{
	dev_dbg(&dev->dev, "frontend is %s\n", xenbus_strstate(frontend_state));

	/* The guest may write any state at any time; unexpected ones are harmless. */
	switch (frontend_state) {
	case XenbusStateInitialising:
		mydeviceback_restart(dev);
		break;

	case XenbusStateConnected:
		if (dev->state == XenbusStateInitWait)
			mydeviceback_connect(dev);
		break;

	case XenbusStateClosing:
		mydeviceback_disconnect(dev);
		xenbus_switch_state(dev, XenbusStateClosing);
		break;

	case XenbusStateClosed:
		mydeviceback_closed(dev);
		break;

	case XenbusStateUnknown:
		mydeviceback_disconnect(dev);
		device_unregister(&dev->dev);
		break;

	default:
		break;
	}
}

/* XenBus sets the state to Closed after this returns. */
static REMOVE_TYPE mydeviceback_remove(struct xenbus_device *dev)
{
	mydeviceback_disconnect(dev);
	return REMOVE_RETURN;
}

static const struct xenbus_device_id mydeviceback_ids[] = { { "mydevice" }, { "" } };

static struct xenbus_driver mydeviceback_driver = {
	.name = KBUILD_MODNAME,
	.ids = mydeviceback_ids,
	.probe = mydeviceback_probe,
	.remove = mydeviceback_remove,
	.otherend_changed = mydeviceback_changed,
};

static int __init mydeviceback_init(void)
{
	if (!xen_domain())
		return -ENODEV;

	pr_info("Hello World!\n");
	return xenbus_register_backend(&mydeviceback_driver);
}
module_init(mydeviceback_init);

static void __exit mydeviceback_exit(void)
{
	xenbus_unregister_driver(&mydeviceback_driver);
	pr_info("Goodbye world.\n");
}
module_exit(mydeviceback_exit);

MODULE_DESCRIPTION("Example backend of a Xen split device");
MODULE_LICENSE("GPL");
MODULE_ALIAS("xen-backend:mydevice");
