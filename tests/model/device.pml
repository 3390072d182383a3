/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A model of one device in the store, for the model checker Spin: two tools that may be killed
 * between any two of their requests, both ends, which write any state at any moment, and domains
 * that die and come back under their domids. Spin tries every order. See README.md.
 *
 * An atomic block is a commit: xenstored refuses one that another client's write came between. What
 * can't be a commit, since an end keeps writing to the same nodes, is a step for each request.
 */

#ifndef TRIES
#define TRIES 2 /* how often a replace starts again: 3 in lib/attach.c */
#endif
#ifndef VERBS
#define VERBS 2 /* of the second tool, one after the other; the first has one */
#endif

mtype = { ATTACH, REPLACE, DETACH, FORCE, REAP };
mtype = { OK, BUSY, ABSENT, STALE, GONE, LATE };

/* Who made a node: 0 nobody, the number of an attach, or */
#define GUEST 255

/* The record: number of its attach, phase, and the lives of both domains then. */
byte rec, rec_front, rec_back;
bool phase;

byte front, back;	      /* who made that half */
byte front_state, back_state; /* as in xenbus.h, 0: absent */

/* Of each domain: 0 dead, else a number for each life. */
byte front_life = 1, back_life = 1;

byte ended;    /* of both tools and the domains */

#define alive (front_life && back_life)
#define is_stale (rec_front != front_life || rec_back != back_life)
#define whole (rec && !phase && front == rec && back == rec)

#ifdef ONLY
/* One tool, which prints its commits: ./check compares them with those of the real one. */
#define say(text) printf(text)
#define step skip
#define COLLIDES false
#define LATE_MAY_PASS false
#else
#define say(text) skip
/* Between two requests a tool may be killed; the last one is not. */
#define step if :: me < 3 -> goto killed :: true fi
/* A commit can collide until the tool gives up. */
#define COLLIDES true
#define LATE_MAY_PASS true
#endif

/* ---- what the stages of lib/ do, inside a commit */

inline remove_front()
{
	front = 0;
	front_state = 0
}

inline remove_back()
{
	back = 0;
	back_state = 0
}

inline remove_record()
{
	rec = 0;
	phase = false;
	rec_front = 0;
	rec_back = 0
}

/* lib/stage-attach.c, write_device() */
inline write_device()
{
	number = 4 * me + left; /* each attach has its own */
	rec = number;
	rec_front = front_life;
	rec_back = back_life;
	phase = false;
	front = number;
	front_state = 1;
	back = number;
	back_state = 1
}

/* lib/stage-detach.c, place_close(); seen is the frontend's state, read before */
inline close_both()
{
	if
	:: back && back_state == 1 -> back_state = 6
	:: back && back_state != 1 && back_state != 5 && back_state != 6 -> back_state = 5
	:: else
	fi;
	if
	:: back && front && seen == 1 -> front_state = 6
	:: else
	fi
}

/* lib/stage-stale.c, remove_stale(): a half in a new life of the domain is not ours. */
inline remove_stale()
{
	if
	:: front && front_life && front_life != rec_front -> skip
	:: else ->
		remove_front();
		if
		:: back_life && back_life != rec_back -> skip
		:: else -> remove_back()
		fi
	fi;
	remove_record()
}

/* ---- the operations */

/* lib/attach.c, commit_step(); cleared: it replaces */
inline commit_attach()
{
	atomic {
		if
		:: !alive -> result = GONE
		:: alive && rec && !(cleared && phase) -> result = BUSY
		:: alive && !rec && !cleared && (front || back) -> result = BUSY
		:: else ->
			if
			:: cleared && rec -> say("-front -back -record ")
			:: else
			fi;
			write_device();
			say("record front back\n");
			result = OK;
			/* What a tool promises when it is done. */
			assert(whole)
		fi
	}
}

inline do_attach()
{
	cleared = false;
	commit_attach()
}

/* lib/replace.c */
inline do_replace()
{
	tries = 0;
	cleared = true;
	result = BUSY;
	do
	:: result == BUSY && tries < TRIES ->
		tries++;
		seen = front_state;
		step;
		atomic {
			if
			:: !alive -> result = GONE
			:: alive && rec && is_stale -> result = STALE
			:: alive && !rec && !front && !back -> result = ABSENT
			:: else ->
				if
				:: rec -> phase = true; say("record ")
				:: else
				fi;
				if
				:: COLLIDES -> skip /* removed without being asked */
				:: true -> close_both()
				fi;
				say("close\n");
				result = OK
			fi
		}
		if
		:: result == GONE || result == STALE -> break
		:: else
		fi;
		step;
		/* Closed or not: only the deadline ends that wait for sure. */
		atomic {
			if
			:: result == OK && rec && phase && COLLIDES -> plain = true
			:: result == OK && (!rec || phase) ->
				remove_front();
				remove_back();
				say("-front -back\n");
				plain = false
			:: else -> plain = false
			fi
		}
		if
		:: plain -> remove_halves_plainly()
		:: else -> step
		fi;
		commit_attach()
	:: else -> break
	od
}

/* lib/detach.c */
inline do_detach(forced)
{
	seen = front_state;
	step;
	atomic {
		number = rec;
		if
		:: !rec -> result = ABSENT
		:: rec && is_stale -> result = STALE
		:: rec && !is_stale && COLLIDES -> result = BUSY
		:: rec && !is_stale && back_state == 1 ->
			remove_front();
			remove_back();
			remove_record();
			say("-front -back -record\n");
			result = OK
		:: rec && !is_stale && back_state != 1 ->
			close_both();
			say("close\n");
			result = LATE
		fi
	}
	step;
	if
	:: forced && (result == BUSY || result == LATE) -> remove_same()
	:: !forced && result == LATE ->
		if
		:: back_state == 6 || !back -> remove_same()
		:: LATE_MAY_PASS -> skip /* the deadline has passed */
		fi
	:: else
	fi
}

/* lib/detach.c, remove_step(): only the device that was there at first */
inline remove_same()
{
	plain = false;
	atomic {
		if
		:: rec != number -> result = OK
		:: rec == number && is_stale -> result = STALE
		:: rec == number && !is_stale && COLLIDES -> plain = true
		:: rec == number && !is_stale ->
			remove_front();
			remove_back();
			remove_record();
			say("-front -back -record\n");
			result = OK
		fi
	}
	if
	:: plain ->
		remove_halves_plainly();
		remove_record_plainly(rec == number && !is_stale);
		result = OK
	:: else
	fi
}

/* lib/operation.c, op_remove(): an end keeps writing, so that no commit succeeds */
inline remove_halves_plainly()
{
	step;
	atomic { remove_front() };
	step;
	atomic { remove_back() };
	step
}

/* A commit, which no end can disturb. With -DBLIND it does not look: Spin must find what is wrong. */
inline remove_record_plainly(same)
{
	atomic {
		if
#ifdef BLIND
		:: true -> remove_record()
#else
		:: same -> remove_record()
		:: else
#endif
		fi
	}
}

/* lib/reap.c */
inline do_reap()
{
	plain = false;
	atomic {
		if
		:: !rec || !is_stale -> result = ABSENT
		:: rec && is_stale && COLLIDES -> plain = true
		:: rec && is_stale ->
			remove_stale();
			say("-front -back -record\n");
			result = OK
		fi
	}
	if
	:: plain ->
		remove_halves_plainly();
		remove_record_plainly(rec && is_stale);
		result = OK
	:: else
	fi
}

inline do_verb()
{
	if
	:: verb == ATTACH -> do_attach()
	:: verb == REPLACE -> do_replace()
	:: verb == DETACH -> do_detach(false)
	:: verb == FORCE -> do_detach(true)
	:: verb == REAP -> do_reap()
	fi
}

/* ---- who acts */

#ifdef ONLY

/* A driver that closes. */
active proctype driver()
{
	back_state == 5;
	back_state = 6
}

init
{
	byte number, seen, tries, me = 1, left = 1;
	bool cleared, plain;
	mtype verb = ONLY, result;

	if
	:: verb != ATTACH -> atomic { write_device(); left = 2; front_state = 4; back_state = 4 }
	:: else
	fi;
	if
	:: verb == FORCE -> atomic { front_state = 1; back_state = 1 }
	:: verb == REAP -> atomic { remove_front(); front_life = 0 }
	:: else
	fi;
	do_verb()
}

#else

proctype tool(byte me, left)
{
	byte number, seen, tries;
	bool cleared, plain;
	mtype verb, result;

	do
	:: left ->
		left--;
		if
		:: verb = ATTACH
		:: verb = REPLACE
		:: verb = DETACH
		:: verb = FORCE
		:: verb = REAP
		fi;
		do_verb();
		/* Forgotten, so that Spin sees states as equal that are. */
		atomic { number = 0; seen = 0; tries = 0; cleared = false; plain = false; verb = 0; result = 0 };
	:: break
	od;
killed:
	ended++
}

/* Drivers of any kind write any state at any moment. */
proctype ends()
{
	do
	:: ended < 3 -> if
		:: atomic { front && front_state != 4 -> front_state = 4 }
		:: atomic { back && back_state != 4 -> back_state = 4 }
		:: atomic { back && back_state != 6 -> back_state = 6 }
		:: true
		fi
	:: ended == 3 -> break
	od
}

/* A domain's nodes go with it; a new one of that domid has none. */
proctype domains()
{
	if
	:: atomic { remove_front(); front_life = 0 };
		if
		:: front_life = 2
		:: true
		fi
#ifdef DRIVER_DOMAIN
	:: atomic { remove_back(); back_life = 0 };
		if
		:: back_life = 2
		:: true
		fi
#endif
	:: true
	fi;
	ended++
}

/* After all that, a tool that nobody disturbs does what it should. */
proctype last_tool(byte me)
{
	byte number, seen, tries, left;
	bool cleared, plain;
	mtype verb, result;

	ended == 3;
	if
	:: rec && is_stale ->
		verb = REAP;
		do_verb();
		assert(!rec && !back)
	:: else
	fi;
	if
	:: alive -> verb = REPLACE; do_verb(); assert(result == OK && whole)
	:: alive -> verb = FORCE; do_verb(); assert(!rec && !front && !back)
	:: !alive
	fi;
killed:
	skip
}

/* In every state: no half of ours without a record, never halves of two devices. */
never {
	do
	:: atomic { !(rec || (!front && !back)) -> assert(false) }
	:: atomic { front && back && front != back -> assert(false) }
	:: true
	od
}

init
{
	byte number, me = 3, left = 0;

	atomic {
		if
		:: write_device()
		:: true
		fi;
		run tool(1, 1);
		run tool(2, VERBS);
		run ends();
		run domains();
		run last_tool(3)
	}
}
#endif
