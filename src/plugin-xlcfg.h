/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions of libxlutil that the tool uses. */
#ifndef XENSPLIT_PLUGIN_XLCFG_H
#define XENSPLIT_PLUGIN_XLCFG_H

#include <libxlutil.h>

struct xlcfg_plugin {
	const char *version;
	__typeof__(xlu_cfg_init) *init;
	__typeof__(xlu_cfg_destroy) *destroy;
	__typeof__(xlu_cfg_readdata) *readdata;
	__typeof__(xlu_cfg_get_string) *get_string;
	__typeof__(xlu_cfg_get_list) *get_list;
	__typeof__(xlu_cfg_get_listitem2) *get_listitem;
	__typeof__(xlu_cfg_value_type) *value_type;
	__typeof__(xlu_cfg_value_get_string) *value_get_string;
	__typeof__(xlu_cfg_value_get_list) *value_get_list;
};

#endif
