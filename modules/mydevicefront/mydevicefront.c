// SPDX-License-Identifier: GPL-2.0-only
/*
 * mydevicefront - the frontend of a Xen split device that does nothing
 *
 * Does the whole XenBus handshake, and transfers no data: a template for your
 * own frontend. The comments say where to set up the shared ring, the event
 * channel and the class device (net, block, input, ...).
 *
 *	backend InitWait     ->  set up what is shared, go Connected
 *	backend Connected    ->  nothing here; a real device starts now
 *	backend Closing      ->  disconnect, go Closed
 *	backend Closed       ->  the same, if the backend skipped Closing
 *	backend InitWait, while we are Closed
 *	                     ->  the backend was reloaded: connect again
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
 * A real driver allocates the ring page, grants it to dev->otherend_id
 * (xenbus_setup_ring, or xenbus_grant_ring before Linux 5.19), allocates an
 * event channel, and publishes both in a transaction (xenbus_printf of
 * "ring-ref" and "event-channel" under dev->nodename) before it changes its
 * state, because the backend reads them when it sees the new state. On failure
 * it calls xenbus_dev_fatal(), which writes the error to XenStore and goes
 * Closing.
 */
static void mydevicefront_connect(struct xenbus_device *dev)
{
	xenbus_switch_state(dev, XenbusStateConnected);
}

/*
 * Runs when the backend closes, and when the driver is unbound, so it may run
 * twice. A real driver stops its queue, unbinds the event channel and ends the
 * grants here.
 */
static void mydevicefront_disconnect(struct xenbus_device *dev)
{
	dev_dbg(&dev->dev, "disconnected\n");
}

static int mydevicefront_probe(struct xenbus_device *dev,
			       const struct xenbus_device_id *id)
{
	pr_info("Probe called. We are good to go.\n");

	/*
	 * A real driver allocates its private data here, keeps it with
	 * dev_set_drvdata(&dev->dev, ...) and frees it in remove.
	 *
	 * A device that was bound before is still Closed. Go back to
	 * Initialising, which makes the backend restart; for a new device this
	 * writes nothing. XenBus reports the backend's state after we return,
	 * so it does not matter which half is first.
	 */
	return xenbus_switch_state(dev, XenbusStateInitialising);
}

static void mydevicefront_changed(struct xenbus_device *dev,
				  enum xenbus_state backend_state)
{
	dev_dbg(&dev->dev, "backend is %s\n", xenbus_strstate(backend_state));

	switch (backend_state) {
	case XenbusStateInitWait:
		if (dev->state == XenbusStateInitialising ||
		    dev->state == XenbusStateClosed)
			mydevicefront_connect(dev);
		break;

	case XenbusStateClosed:
		/* Closed before this driver was loaded: the backend will restart. */
		if (dev->state == XenbusStateInitialising ||
		    dev->state == XenbusStateClosed)
			break;
		fallthrough;
	case XenbusStateClosing:
		mydevicefront_disconnect(dev);
		xenbus_frontend_closed(dev);
		break;

	default:
		break;
	}
}

/* XenBus sets the state to Closed after this returns. */
static REMOVE_TYPE mydevicefront_remove(struct xenbus_device *dev)
{
	mydevicefront_disconnect(dev);
	return REMOVE_RETURN;
}

static const struct xenbus_device_id mydevicefront_ids[] = { { "mydevice" }, { "" } };

static struct xenbus_driver mydevicefront_driver = {
	.name = KBUILD_MODNAME,
	.ids = mydevicefront_ids,
#ifdef XENBUS_HAS_NOT_ESSENTIAL
	/* insmod waits for devices that are not Connected: 30 s with this, else 300 s. */
	.not_essential = true,
#endif
	.probe = mydevicefront_probe,
	.remove = mydevicefront_remove,
	.otherend_changed = mydevicefront_changed,
};

static int __init mydevicefront_init(void)
{
	if (!xen_domain())
		return -ENODEV;

	pr_info("Hello World!\n");
	return xenbus_register_frontend(&mydevicefront_driver);
}
module_init(mydevicefront_init);

static void __exit mydevicefront_exit(void)
{
	xenbus_unregister_driver(&mydevicefront_driver);
	pr_info("Goodbye world.\n");
}
module_exit(mydevicefront_exit);

MODULE_DESCRIPTION("Example frontend of a Xen split device");
MODULE_LICENSE("GPL");
MODULE_ALIAS("xen:mydevice");
