/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * main.c    probe, states, resume, statistics
 * ring.c    ring and event channel: set-up, requests, responses, the end
 * chunk.c   the pages of a request, and their grants
 * file.c    /dev/myecho0
 */
#ifndef FRONT_H
#define FRONT_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "myecho.h"

/* What a file may have written and not read back; a write beyond it waits. */
#define FILE_CHUNKS 64

struct front_file {
	struct front *front;
	struct mutex reading; /* held while a read waits, so that each gets what follows */
	struct list_head chunks; /* in the order written */
	unsigned int count;
};

/*
 * What was written at once, at most a page. It waits for a place in the ring, is
 * sent, and done; a new connection sends it again. It belongs to its file, and
 * while it is sent also to the ring: if the file is closed then, the ring frees it.
 */
struct chunk {
	struct front_file *file;  /* NULL: closed */
	struct list_head entry;	  /* in file->chunks */
	struct list_head waiting; /* in front->waiting */
	enum {
		CHUNK_WAITING,
		CHUNK_SENT,
		CHUNK_DONE
	} state;
	int err;	       /* if done: 0 or a negative errno */
	struct page *out, *in; /* NULL: the other end did not let go of it */
	grant_ref_t out_ref, in_ref;
	u32 length;
	u32 pos; /* how much was read */
};

struct front {
	struct kref kref;	   /* the driver's, and one for each open file */
	struct xenbus_device *dev; /* as long as not gone */
	struct miscdevice misc;
	bool registered;
	unsigned int wanted_pages;

	/* Held to connect and disconnect, both of which sleep. */
	struct mutex mutex;
	struct work_struct breach_work;

	/* Held for all that follows, by the interrupt handler as well. */
	spinlock_t lock;
	bool connected; /* requests may be sent */
	bool broken; /* the backend broke the rules; writes fail until it is replaced */
	bool gone;   /* unbound: files can only read what has arrived, and be closed */
	const char *breach;
	struct list_head waiting;
	wait_queue_head_t wait; /* files, for anything of the above */

	struct myecho_front_ring ring;
	void *shared; /* the ring's pages; NULL: not set up */
	grant_ref_t refs[MYECHO_MAX_RING_PAGES];
	unsigned int pages;
	evtchn_port_t evtchn; /* 0: none, or the interrupt's */
	int irq;	      /* 0: none */

	/* Requests under way by id, and a stack of the other ids. */
	struct chunk **sent;
	u16 *ids;
	unsigned int num_ids;

	/* Statistics. */
	u64 requests, bytes, errors, events, spurious, breaches;
};

/* main.c */
void front_put(struct front *front);

/* ring.c */
int front_connect(struct front *front);
void front_disconnect(struct front *front);
void front_pump(struct front *front);
void front_breach_work(struct work_struct *work);

/* chunk.c */
struct chunk *chunk_new(struct front_file *file, const char __user *data, size_t length);
void chunk_free(struct chunk *chunk);
int chunk_share(struct chunk *chunk, domid_t domid);
bool chunk_unshare(struct chunk *chunk);
void chunk_done(struct chunk *chunk, int err);

/* file.c */
int front_register(struct front *front);
void front_unregister(struct front *front);

#endif
