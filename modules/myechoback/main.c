// SPDX-License-Identifier: GPL-2.0-only
/*
 * myechoback - the backend of a Xen split device that echoes
 *
 * Sends back what the frontend sends: as it is, or in upper case if both ends want
 * that. myecho.h has the protocol.
 *
 *	probe                  ->  publish what it can do, go InitWait
 *	frontend Initialising  ->  InitWait again, if an earlier frontend has left
 *	frontend Initialised   ->  map what it shares, go Connected
 *	frontend Connected     ->  nothing. In InitWait: it has not noticed that this
 *	                           driver was reloaded, and will be Initialised
 *	frontend Closing       ->  unmap it, go Closing
 *	frontend Closed        ->  unmap it, go Closed; release the device if the
 *	                           toolstack has set "online" to 0
 *	frontend gone          ->  release the device
 *
 * Only the states are here; what is shared is in ring.c.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/slab.h>
#include <xen/xen.h>

#include "back.h"

static int myechoback_probe(struct xenbus_device *dev, const struct xenbus_device_id *id)
{
	struct back *back = kzalloc(sizeof(*back), GFP_KERNEL);
	int err = -ENOMEM;

	if (!back)
		goto fail;
	back->dev = dev;
	dev_set_drvdata(&dev->dev, back);
	err = xenbus_printf(XBT_NIL, dev->nodename, "max-ring-pages", "%u",
			    MYECHO_MAX_RING_PAGES);
	if (err)
		goto fail;
	err = xenbus_switch_state(dev, XenbusStateInitWait);
	if (err)
		goto fail;
	return 0;

fail:
	xenbus_dev_fatal(dev, err, "setting up the device");
	dev_set_drvdata(&dev->dev, NULL);
	kfree(back);
	return err;
}

static void myechoback_connect(struct xenbus_device *dev)
{
	struct back *back = dev_get_drvdata(&dev->dev);
	int err = back_map(back);

	if (!err) {
		/*
		 * First, as the handler may find a breach at once, and go Closing.
		 * No event is lost: Xen raises one when the channel is bound.
		 */
		xenbus_switch_state(dev, XenbusStateConnected);
		err = back_listen(back);
	}
	if (err) {
		back_disconnect(back);
		xenbus_dev_fatal(dev, err, "connecting to what the frontend shares");
	}
}

/* The frontend is Initialising: a new one, or the same one reloaded. */
static void myechoback_restart(struct xenbus_device *dev)
{
	if (dev->state == XenbusStateInitWait)
		return;
	/* The toolstack is removing the device; let the frontend see that. */
	if (!xenbus_dev_is_online(dev))
		return;
	back_disconnect(dev_get_drvdata(&dev->dev));
	xenbus_switch_state(dev, XenbusStateInitWait);
}

static void myechoback_closed(struct xenbus_device *dev)
{
	bool online = xenbus_dev_is_online(dev);

	/*
	 * In InitWait there is nothing to close: the frontend noticed that this
	 * driver went away, and connects again when it sees InitWait.
	 */
	if (online && dev->state == XenbusStateInitWait)
		return;

	back_disconnect(dev_get_drvdata(&dev->dev));
	xenbus_switch_state(dev, XenbusStateClosed);
	if (!online)
		device_unregister(&dev->dev);
}

static void myechoback_changed(struct xenbus_device *dev,
			       enum xenbus_state frontend_state)
{
	dev_dbg(&dev->dev, "frontend is %s\n", xenbus_strstate(frontend_state));

	/* The guest may write any state at any time; unexpected ones are harmless. */
	switch (frontend_state) {
	case XenbusStateInitialising:
		myechoback_restart(dev);
		break;

	case XenbusStateInitialised:
		if (dev->state == XenbusStateInitWait)
			myechoback_connect(dev);
		break;

	case XenbusStateClosing:
		back_disconnect(dev_get_drvdata(&dev->dev));
		xenbus_switch_state(dev, XenbusStateClosing);
		break;

	case XenbusStateClosed:
		myechoback_closed(dev);
		break;

	case XenbusStateUnknown:
		back_disconnect(dev_get_drvdata(&dev->dev));
		device_unregister(&dev->dev);
		break;

	default:
		break;
	}
}

/* XenBus sets the state to Closed after this returns. */
static REMOVE_TYPE myechoback_remove(struct xenbus_device *dev)
{
	struct back *back = dev_get_drvdata(&dev->dev);

	back_disconnect(back);
	dev_set_drvdata(&dev->dev, NULL);
	kfree(back);
	return REMOVE_RETURN;
}

/* /sys/bus/xen-backend/devices/myecho-DOMID-0/statistics/ */
#define STATISTIC(name)                                                               \
	static ssize_t name##_show(struct device *dev, struct device_attribute *attr, \
				   char *buf)                                         \
	{                                                                             \
		struct back *back = dev_get_drvdata(dev);                             \
                                                                                      \
		return sysfs_emit(buf, "%llu\n", READ_ONCE(back->name));              \
	}                                                                             \
	static DEVICE_ATTR_RO(name)

STATISTIC(requests);
STATISTIC(bytes);
STATISTIC(errors);
STATISTIC(events);
STATISTIC(spurious);
STATISTIC(breaches);

static struct attribute *statistics_attrs[] = {
	&dev_attr_requests.attr,
	&dev_attr_bytes.attr,
	&dev_attr_errors.attr,
	&dev_attr_events.attr,
	&dev_attr_spurious.attr,
	&dev_attr_breaches.attr,
	NULL,
};

static const struct attribute_group statistics_group = {
	.name = "statistics",
	.attrs = statistics_attrs,
};

static const struct attribute_group *myechoback_groups[] = { &statistics_group, NULL };

static const struct xenbus_device_id myechoback_ids[] = { { "myecho" }, { "" } };

static struct xenbus_driver myechoback_driver = {
	.name = KBUILD_MODNAME,
	.ids = myechoback_ids,
	.probe = myechoback_probe,
	.remove = myechoback_remove,
	.otherend_changed = myechoback_changed,
	.driver.dev_groups = myechoback_groups,
};

static int __init myechoback_init(void)
{
	if (!xen_domain())
		return -ENODEV;

	return xenbus_register_backend(&myechoback_driver);
}
module_init(myechoback_init);

static void __exit myechoback_exit(void)
{
	xenbus_unregister_driver(&myechoback_driver);
}
module_exit(myechoback_exit);

MODULE_DESCRIPTION("Example backend of a Xen split device that echoes");
MODULE_LICENSE("GPL");
MODULE_ALIAS("xen-backend:myecho");
