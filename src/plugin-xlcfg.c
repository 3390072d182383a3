// SPDX-License-Identifier: GPL-2.0-or-later
/* The only file that calls libxlutil. These functions are the same in Xen 4.17 and 4.20. */
#include "plugin-xlcfg.h"
#include "plugin.h"

PLUGIN_EXPORT const struct xlcfg_plugin xensplit_plugin = {
	.version = XENSPLIT_VERSION,
	.init = xlu_cfg_init,
	.destroy = xlu_cfg_destroy,
	.readdata = xlu_cfg_readdata,
	.get_string = xlu_cfg_get_string,
	.get_list = xlu_cfg_get_list,
	.get_listitem = xlu_cfg_get_listitem2,
	.value_type = xlu_cfg_value_type,
	.value_get_string = xlu_cfg_value_get_string,
	.value_get_list = xlu_cfg_value_get_list,
};
