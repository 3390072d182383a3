// SPDX-License-Identifier: GPL-2.0-or-later
/* printback - a first backend: its probe prints, and does not change the state */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <xen/xenbus.h>

static int printback_probe(struct xenbus_device *dev, const struct xenbus_device_id *id)
{
	pr_info("Probe called. We are good to go.\n");
	return 0;
}

static const struct xenbus_device_id printback_ids[] = { { "mydevice" }, { "" } };

static struct xenbus_driver printback_driver = {
	.name = KBUILD_MODNAME,
	.ids = printback_ids,
	.probe = printback_probe,
};

static int __init printback_init(void)
{
	return xenbus_register_backend(&printback_driver);
}
module_init(printback_init);

static void __exit printback_exit(void)
{
	xenbus_unregister_driver(&printback_driver);
}
module_exit(printback_exit);

MODULE_DESCRIPTION("Backend whose probe only prints");
MODULE_LICENSE("GPL");
