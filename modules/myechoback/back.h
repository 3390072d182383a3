/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * main.c    probe, states, statistics
 * ring.c    ring and event channel: set-up, requests, responses, the end
 */
#ifndef BACK_H
#define BACK_H

#include "compat.h"
#include "myecho.h"

/* Requests that are served together, with one hypercall for each direction. */
#define BACK_BATCH 16

struct back {
	struct xenbus_device *dev;
	bool upper;

	struct myecho_back_ring ring;
	void *shared;	    /* the ring, mapped; NULL: not */
	evtchn_port_t port; /* the frontend's */
	int irq;	    /* 0: none */
	bool stop;	    /* the handler is to return */

	/* Private copies: what is in here can't change while it is looked at. */
	struct myecho_request reqs[BACK_BATCH];
	s16 status[BACK_BATCH];
	void *data[BACK_BATCH];
	struct gnttab_copy copies[BACK_BATCH];

	/* Statistics. */
	u64 requests, bytes, errors, events, spurious, breaches;
};

/* ring.c */
int back_map(struct back *back);
int back_listen(struct back *back);
void back_disconnect(struct back *back);

#endif
