// SPDX-License-Identifier: GPL-2.0-or-later
/* printfront - a first frontend: its probe prints, and does not change the state */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <xen/xenbus.h>

static int printfront_probe(struct xenbus_device *dev, const struct xenbus_device_id *id)
{
	pr_info("Probe called. We are good to go.\n");
	return 0;
}

static const struct xenbus_device_id printfront_ids[] = { { "mydevice" }, { "" } };

static struct xenbus_driver printfront_driver = {
	.name = KBUILD_MODNAME,
	.ids = printfront_ids,
	.probe = printfront_probe,
};

static int __init printfront_init(void)
{
	return xenbus_register_frontend(&printfront_driver);
}
module_init(printfront_init);

static void __exit printfront_exit(void)
{
	xenbus_unregister_driver(&printfront_driver);
}
module_exit(printfront_exit);

MODULE_DESCRIPTION("Frontend whose probe only prints");
MODULE_LICENSE("GPL");
