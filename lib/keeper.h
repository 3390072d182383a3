/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keeper: makes domains have their wanted devices as they come and go. */
#ifndef XENSPLIT_KEEPER_H
#define XENSPLIT_KEEPER_H

#include "domid-set.h"
#include "monitor.h"
#include "operation.h"

/* keeper-events.c */

struct told_event;

/* A queue of events for the caller. */
struct keeper_events {
	struct told_event *first, **end;
	struct told_event *told; /* the one that the caller is using */
	size_t count;
	struct xensplit_keeper_event lost; /* what is filled in without memory */
};

void keeper_events_init(struct keeper_events *events);
/* The caller fills in the rest. @domain, @error: NULL if there is none; copied. */
struct xensplit_keeper_event *keeper_tell(struct xensplit_keeper *k, int type,
					  const char *domain, const struct device_id *id,
					  const struct xensplit_error *error);
int keeper_events_next(struct keeper_events *events,
		       const struct xensplit_keeper_event **ret_event);
void keeper_events_clear(struct keeper_events *events);

/* keeper-names.c */

/* A copy of a wanted device. */
struct want {
	struct xensplit_wanted wanted; /* with the strings below */
	char *type, *backend_type;
	struct pairs front, back;
	struct name *backend; /* NULL: dom0 */
};

struct wants {
	unsigned int pins; /* by a name, and by each domain */
	struct want *list;
	size_t count;
};

/* A name of a domain that is there, has a list, or is a backend; then also a domid. */
struct name {
	struct name *next;
	struct wants *wants;  /* the devices of a domain of this name; NULL: no list */
	struct guest *guests; /* that have this name now */
	struct name **users;  /* whose lists have it as a backend, once for each entry */
	size_t users_count, users_room;
	unsigned int pins;
	char text[];
};

#define NAME_BUCKETS 1024

/* NULL: not known. */
struct name *name_find(struct xensplit_keeper *k, const char *text);
/* To be given back with name_put(), which accepts NULL. NULL: out of memory. */
struct name *name_get(struct xensplit_keeper *k, const char *text);
void name_put(struct xensplit_keeper *k, struct name *name);
/* Is it a domid? */
bool name_number(const struct name *name, uint32_t *ret_domid);
int wants_copy(struct xensplit_keeper *k, const struct xensplit_wanted *const *wanted,
	       size_t count, struct wants **ret_wants) __must_check;
/* Accepts NULL. */
void wants_put(struct xensplit_keeper *k, struct wants *wants);
bool want_equal(const struct want *a, const struct want *b);
bool wants_equal(const struct wants *a, const struct wants *b);
/* Tells the backends of that list who uses them. */
int wants_link(struct xensplit_keeper *k, struct name *user,
	       const struct wants *wants) __must_check;
void wants_unlink(struct name *user, const struct wants *wants);

/* keeper-schedule.c */

/* Each domain is planned again after half of this time to all of it, whatever happens. */
#define AUDIT_US 80000000

enum kept_state {
	KEPT_NEW,	/* to be planned */
	KEPT_STAGED,	/* to be written by the next commit */
	KEPT_BUSY,	/* an operation works on it */
	KEPT_WAITING,	/* written, not connected yet */
	KEPT_CONNECTED, /* both ends */
	KEPT_LOST,	/* no longer; it may come back by itself */
	KEPT_FAILED,	/* to be tried again */
	KEPT_REFUSED,	/* waits for a change */
	KEPT_DONE	/* to be forgotten; not for one with an entry */
};

/* A wanted device of a domain that is there; or another one that is worked on. */
struct kept {
	struct xensplit_kept seen; /* what the caller sees */
	struct guest *guest;
	const struct want *want; /* NULL: it has no entry */
	struct device_id id;	 /* without a devid: XENSPLIT_DEVID_AUTO */
	enum kept_state state;
	uint64_t due_us;     /* when to look at it again; 0: no need */
	uint64_t written_us; /* by this keeper, and not connected since */
	bool renewed;	     /* for a frontend that had not begun; of no more use */
	char unique_id[UNIQUE_ID_SIZE]; /* written, and not seen by the monitor yet */
	char phase[PHASE_SIZE];		/* seen when @due_us was set */
	unsigned int losses;		/* events without a long pause between them */
	uint64_t loss_us;		/* of the last such event */
	bool loss_untold;
	unsigned int tries;	/* of its commit */
	struct step *step;	/* what to write: KEPT_STAGED */
	struct xensplit_op *op; /* KEPT_BUSY */
	int doing;		/* enum xensplit_keeper_event_type of its success */
	struct xensplit_error *failure;
};

/* A domain that has a directory. */
struct guest {
	uint32_t domid;
	struct name *name;	 /* NULL: none, or not read yet */
	struct guest *next_same; /* of the same name */
	bool seen;		 /* by the current list of domains */
	bool fresh;		 /* its name was never read */
	bool look;		 /* its name is to be read */
	bool nameless;		 /* it was, when its name was read */
	bool dead;		 /* though its directory is still there */
	bool strays;	     /* look at the devices that it has without an entry, too */
	struct wants *wants; /* its list; that of its name may be newer */
	struct kept **kept;  /* one for each entry */
	size_t count;
	struct kept **others; /* without an entry, to be detached or repaired */
	size_t others_count, others_room;
	unsigned int failures;
	uint64_t since_us; /* when it appeared, or this keeper began */
	uint64_t audit_us; /* when to plan it even if nothing has happened */
	uint64_t due_us;   /* when to plan it */
	size_t place;	   /* in the schedule, from 1; 0: not scheduled */
	bool hungry;	   /* waits until fewer operations run */
	struct guest *next_hungry;
};

/* At once if @due_us is in the past; an earlier time stays. */
void guest_schedule(struct xensplit_keeper *k, struct guest *guest, uint64_t due_us);
void guest_unschedule(struct xensplit_keeper *k, struct guest *guest);
/* The one to plan next; NULL: none is scheduled. */
struct guest *guest_next(const struct xensplit_keeper *k);
struct guest *guest_find(const struct xensplit_keeper *k, uint32_t domid);
int guest_add(struct xensplit_keeper *k, uint32_t domid,
	      struct guest **ret_guest) __must_check;
void guest_remove(struct xensplit_keeper *k, struct guest *guest);

/* keeper-kept.c */

/* @want: NULL for a device without an entry. */
struct kept *kept_new(struct xensplit_keeper *k, struct guest *guest,
		      const struct want *want, int entry);
void kept_set_id(struct kept *kept, const struct xensplit_id *id, uint32_t backend_domid);
struct xensplit_keeper_event *kept_tell(struct xensplit_keeper *k,
					const struct kept *kept, int type);
/* Compares it with what the monitor has seen. */
void kept_look(struct xensplit_keeper *k, struct kept *kept);
/* It was just written, with that unique id; or is there, if that is NULL. */
void kept_wait(struct xensplit_keeper *k, struct kept *kept, const char *unique_id);
/* A loss that was not told at once, and lasts. */
void kept_tell_loss(struct xensplit_keeper *k, struct kept *kept);
/* It is not there any more. */
void kept_lose(struct xensplit_keeper *k, struct kept *kept);
/* The last call on the context failed because of it. */
void kept_fail(struct xensplit_keeper *k, struct kept *kept, int r);
void kept_refuse(struct xensplit_keeper *k, struct kept *kept);
/* A new one, as its domain can't be planned; and when it can be again. */
void kept_fail_unplanned(struct xensplit_keeper *k, struct kept *kept);
void kept_forgive(struct kept *kept);
/* It is there, and as wanted: is it time to replace it? */
bool kept_is_overdue(struct xensplit_keeper *k, struct kept *kept);
/* May it be written now, or is it paused? */
bool kept_may_try(const struct kept *kept);

/* keeper-work.c */

#define STAGED_MOST  32
#define RUNNING_MOST 64

/* Writes it with the next commit. */
int kept_stage(struct xensplit_keeper *k, struct kept *kept,
	       const struct xensplit_plan *plan, size_t index) __must_check;
/* Commits some of what is staged. */
int staged_commit(struct xensplit_keeper *k) __must_check;
/* Replaces a device, with an operation. */
int kept_renew(struct xensplit_keeper *k, struct kept *kept) __must_check;
/* Runs @op for the device; @doing: the event to tell when it has succeeded. */
void kept_run(struct xensplit_keeper *k, struct kept *kept, struct xensplit_op *op,
	      int doing);
/* Is there room for another operation? If not, plans the domain later. */
bool may_run(struct xensplit_keeper *k, struct guest *guest);
/* Continues the operations that run. */
int ops_process(struct xensplit_keeper *k) __must_check;
uint64_t ops_timeout(const struct xensplit_keeper *k, uint64_t until);
void hungry_remove(struct xensplit_keeper *k, struct guest *guest);
/* Also ends what is going on for it. */
void kept_free(struct xensplit_keeper *k, struct kept *kept);

/* keeper-guest.c */

/* Gives it the list of its name, if that is another one than it has. */
int guest_take_list(struct xensplit_keeper *k, struct guest *guest) __must_check;
/* Forgets its devices; they stay. */
void guest_drop_list(struct xensplit_keeper *k, struct guest *guest);
struct kept *guest_find_kept(const struct guest *guest, const struct device_id *id);
/* A device without an entry that is worked on; NULL: out of memory. */
struct kept *guest_add_other(struct xensplit_keeper *k, struct guest *guest,
			     const struct device_id *id);
/* Forgets those that are done, or were due before @now_us. */
void guest_forget_others(struct xensplit_keeper *k, struct guest *guest, uint64_t now_us);
void guest_drop_others(struct xensplit_keeper *k, struct guest *guest);

/* keeper-graves.c */

/* A domain that is gone, and may have left something. */
struct grave {
	struct grave *next;
	uint32_t domid;
	unsigned int tries;
	uint64_t due_us;
	char name[];
};

int grave_add(struct xensplit_keeper *k, uint32_t domid,
	      const struct name *name) __must_check;
/* Removes what one of them has left, if one is due: 1, or 0 if none is. */
int graves_work(struct xensplit_keeper *k) __must_check;
/* Finds records of domains that are not there. */
int graves_search(struct xensplit_keeper *k) __must_check;
uint64_t graves_timeout(const struct xensplit_keeper *k, uint64_t until);
bool graves_are_settled(const struct xensplit_keeper *k);
void graves_clear(struct xensplit_keeper *k);
/* Removes that device if it is stale. */
int reap_stray(struct xensplit_keeper *k, const struct device_id *id) __must_check;

/* keeper-domains.c */

int domains_watch(struct xensplit_keeper *k) __must_check;
/* Reads which watches fired, and looks at those domains. */
int domains_process(struct xensplit_keeper *k) __must_check;
/* Reads its name, which may be another one. */
int guest_look(struct xensplit_keeper *k, struct guest *guest) __must_check;
/* A dead domain that has a directory. */
int guest_bury(struct xensplit_keeper *k, struct guest *guest) __must_check;
/* Looks for dead domains that still have a directory: 1 if there was some work, else 0. */
int domains_sweep(struct xensplit_keeper *k) __must_check;
uint64_t domains_timeout(const struct xensplit_keeper *k, uint64_t until);
void guests_clear(struct xensplit_keeper *k);

/* keeper-strays.c */

/* Removes stale devices that are not on the list, and finishes what was interrupted. */
int guest_look_at_strays(struct xensplit_keeper *k, struct guest *guest) __must_check;

/* keeper-plan.c */

/* Compares a domain that is due with its list, and begins what is to do. */
int guest_work(struct xensplit_keeper *k, struct guest *guest) __must_check;

/* keeper-devices.c */

/* Hands what the monitor has seen to the wanted devices. */
int devices_process(struct xensplit_keeper *k) __must_check;

/* keeper-lists.c */

void lists_clear(struct xensplit_keeper *k);

/* keeper.c */

struct xensplit_keeper {
	struct xensplit_ctx *ctx;
	uint32_t flags;
	uint64_t connect_us;
	int fd;		/* epoll */
	struct txn txn; /* the connection for watches on domains */
	struct xensplit_monitor *monitor;
	struct keeper_events events;
	bool dead;
	/* domains */
	struct name *names[NAME_BUCKETS];
	struct guest **guests; /* by domid: DOMID_END of them */
	uint32_t end;	       /* above all domids in use */
	size_t count;	       /* of guests */
	size_t fresh;
	struct guest **schedule; /* a heap from index 1 */
	size_t scheduled, schedule_room;
	bool list;	  /* domains have come or gone */
	bool list_failed; /* and are listed again later */
	bool more;	  /* watches that fired were not all read */
	uint64_t list_us; /* when to list them anyway */
	uint64_t sweep_us; /* when to look for dead ones that have a directory; 0: no need */
	uint32_t sweep_domid;
	struct grave *graves;
	struct domid_set buried; /* they have a grave */
	struct domid_set lonely; /* gone; their peers are to be planned */
	/* work */
	struct kept **staged; /* the oldest first */
	size_t staged_count, staged_room, staged_most;
	unsigned int collisions;
	uint64_t staged_us; /* not before */
	bool busy;	    /* there was more work than time */
	struct kept *running[RUNNING_MOST];
	size_t running_count;
	struct guest *hungry, **hungry_end;
	struct kept **flat; /* for get(); NULL: to be made */
	size_t flat_count;
};

#endif
