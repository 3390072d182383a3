// SPDX-License-Identifier: GPL-2.0-only
/*
 * mydevicefront - the guest's half of a Xen split device that does nothing
 *
 * The whole XenBus handshake and not a byte of data: the starting point for
 * a frontend of your own. The comments say where the shared ring, the event
 * channel and the class device (net, block, input, ...) of a real one belong.
 *
 *	backend InitWait     ->  set up what is shared, go Connected
 *	backend Connected    ->  nothing to do here; a real device starts now
 *	backend Closing      ->  take it down, go Closed
 *	backend Closed       ->  the same, if the backend skipped Closing
 *	backend InitWait, while we are Closed
 *	                     ->  the backend was reloaded: connect again
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <xen/xen.h>
#include <xen/xenbus.h>

/* Void from Linux 6.2 on, and in many a stable kernel before it: see Makefile. */
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
 * state: the backend reads them as soon as it sees the new one. On failure it
 * calls xenbus_dev_fatal(), which says why in the store and goes Closing.
 */
static void mydevicefront_connect(struct xenbus_device *dev)
{
	xenbus_switch_state(dev, XenbusStateConnected);
}

/*
 * Runs when the backend closes and when the driver leaves the device, so it
 * may run twice. A real driver stops its queue, unbinds the event channel and
 * ends the grants here.
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
	 * A device that was bound before was left in Closed. Back to
	 * Initialising, which tells the backend to begin anew; for a new
	 * device this writes nothing. XenBus reports the state of the backend
	 * as soon as we return, so it does not matter which half came first.
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
		/* From before we were loaded: it has yet to see us begin. */
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

/* XenBus itself goes Closed once this has returned. */
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
	/* insmod waits for devices not yet Connected: with this 30 s, without 300. */
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
