// SPDX-License-Identifier: GPL-2.0-only
/*
 * myechofront - the frontend of a Xen split device that echoes
 *
 * Makes /dev/myecho0 (1 ...): what is written to it goes to the backend, and what
 * the backend sends back can be read. myecho.h has the protocol.
 *
 *	backend InitWait     ->  set up and publish what is shared, go Initialised
 *	backend Connected    ->  make the device file, send, go Connected
 *	backend Closing      ->  stop, take back what is shared, go Closed
 *	backend Closed       ->  the same, if the backend skipped Closing
 *	backend InitWait, while we are Closed or Connected
 *	                     ->  the backend was reloaded: connect again
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/slab.h>
#include <xen/xen.h>

#include "front.h"

static void front_release(struct kref *kref)
{
	struct front *front = container_of(kref, struct front, kref);

	kfree(front->misc.name);
	kfree(front);
}

void front_put(struct front *front)
{
	kref_put(&front->kref, front_release);
}

static struct front *front_new(struct xenbus_device *dev)
{
	struct front *front = kzalloc(sizeof(*front), GFP_KERNEL);
	unsigned int i;

	if (!front)
		return NULL;
	/* device/myecho/0 becomes myecho0. */
	front->misc.name =
		kasprintf(GFP_KERNEL, "myecho%s", strrchr(dev->nodename, '/') + 1);
	if (!front->misc.name) {
		kfree(front);
		return NULL;
	}
	kref_init(&front->kref);
	front->dev = dev;
	mutex_init(&front->mutex);
	spin_lock_init(&front->lock);
	INIT_LIST_HEAD(&front->waiting);
	init_waitqueue_head(&front->wait);
	INIT_WORK(&front->breach_work, front_breach_work);
	for (i = 0; i < ARRAY_SIZE(front->refs); i++)
		front->refs[i] = INVALID_GRANT_REF;
	return front;
}

static int myechofront_probe(struct xenbus_device *dev, const struct xenbus_device_id *id)
{
	struct front *front = front_new(dev);

	if (!front) {
		xenbus_dev_fatal(dev, -ENOMEM, "allocating memory");
		return -ENOMEM;
	}
	front->wanted_pages = xenbus_read_unsigned(dev->nodename, "ring-pages", 1);
	dev_set_drvdata(&dev->dev, front);
	/*
	 * A device that was bound before is still Closed. Go back to Initialising,
	 * which makes the backend restart; for a new device this writes nothing.
	 */
	return xenbus_switch_state(dev, XenbusStateInitialising);
}

static void myechofront_connect(struct xenbus_device *dev)
{
	int err = front_connect(dev_get_drvdata(&dev->dev));

	if (err)
		xenbus_dev_fatal(dev, err, "setting up ring and event channel");
	else
		xenbus_switch_state(dev, XenbusStateInitialised);
}

static void myechofront_connected(struct xenbus_device *dev)
{
	struct front *front = dev_get_drvdata(&dev->dev);
	int err = front_register(front);

	if (err) {
		xenbus_dev_fatal(dev, err, "making /dev/%s", front->misc.name);
		return;
	}
	/* First, as the answer to the first request may be a breach: then Closed. */
	xenbus_switch_state(dev, XenbusStateConnected);
	spin_lock_irq(&front->lock);
	front->connected = !front->broken;
	front_pump(front);
	spin_unlock_irq(&front->lock);
}

/* The backend may write any state at any time; unexpected ones are harmless. */
static void myechofront_changed(struct xenbus_device *dev,
				enum xenbus_state backend_state)
{
	dev_dbg(&dev->dev, "backend is %s\n", xenbus_strstate(backend_state));

	switch (backend_state) {
	case XenbusStateInitWait:
		if (dev->state == XenbusStateInitialising ||
		    dev->state == XenbusStateConnected || dev->state == XenbusStateClosed)
			myechofront_connect(dev);
		break;

	case XenbusStateConnected:
		if (dev->state == XenbusStateInitialised)
			myechofront_connected(dev);
		break;

	case XenbusStateClosed:
		/* Closed before this driver was loaded: the backend will restart. */
		if (dev->state == XenbusStateInitialising ||
		    dev->state == XenbusStateClosed)
			break;
		fallthrough;
	case XenbusStateClosing:
		/* The same, unless the toolstack removes the device. */
		if (dev->state == XenbusStateInitialising &&
		    xenbus_read_unsigned(dev->otherend, "online", 0))
			break;
		front_disconnect(dev_get_drvdata(&dev->dev));
		xenbus_frontend_closed(dev);
		break;

	default:
		break;
	}
}

/*
 * The domain was restored or has migrated: the event channel is gone, the grant
 * table is empty, and the backend is another one. XenBus sets the state to
 * Initialising, and reports the new backend's state after we return.
 */
static int myechofront_resume(struct xenbus_device *dev)
{
	front_disconnect(dev_get_drvdata(&dev->dev));
	return 0;
}

/* XenBus sets the state to Closed after this returns. */
static REMOVE_TYPE myechofront_remove(struct xenbus_device *dev)
{
	struct front *front = dev_get_drvdata(&dev->dev);

	front_disconnect(front);
	cancel_work_sync(&front->breach_work);
	front_unregister(front);
	front_put(front);
	return REMOVE_RETURN;
}

/* /sys/bus/xen/devices/myecho-0/statistics/ */
#define STATISTIC(name)                                                               \
	static ssize_t name##_show(struct device *dev, struct device_attribute *attr, \
				   char *buf)                                         \
	{                                                                             \
		struct front *front = dev_get_drvdata(dev);                           \
                                                                                      \
		return sysfs_emit(buf, "%llu\n", READ_ONCE(front->name));             \
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

static const struct attribute_group *myechofront_groups[] = { &statistics_group, NULL };

static const struct xenbus_device_id myechofront_ids[] = { { "myecho" }, { "" } };

static struct xenbus_driver myechofront_driver = {
	.name = KBUILD_MODNAME,
	.ids = myechofront_ids,
#ifdef XENBUS_HAS_NOT_ESSENTIAL
	/* insmod waits for devices that are not Connected: 30 s with this, else 300 s. */
	.not_essential = true,
#endif
	.probe = myechofront_probe,
	.remove = myechofront_remove,
	.resume = myechofront_resume,
	.otherend_changed = myechofront_changed,
	.driver.dev_groups = myechofront_groups,
};

static int __init myechofront_init(void)
{
	if (!xen_domain())
		return -ENODEV;

	return xenbus_register_frontend(&myechofront_driver);
}
module_init(myechofront_init);

static void __exit myechofront_exit(void)
{
	xenbus_unregister_driver(&myechofront_driver);
}
module_exit(myechofront_exit);

MODULE_DESCRIPTION("Example frontend of a Xen split device that echoes");
MODULE_LICENSE("GPL");
MODULE_ALIAS("xen:myecho");
