// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The value of a record: what the parser takes is written again, in the library's own form, and
 * must be the same when it is read back; so must the rest of it when its phase changes.
 */
#include <string.h>

#include "../unit/operations.h"
#include "fuzz.h"

static const struct device_id at = { .domid = 5, .devid = 0, .type = "mydevice" };
static const struct device_id copy_at = { .domid = 5, .devid = 1, .type = "mydevice" };

struct whole {
	struct record record;
	struct pairs front, back;
};

static void whole_clear(struct whole *whole)
{
	pairs_clear(&whole->front);
	pairs_clear(&whole->back);
}

static int read_whole(struct txn *txn, const struct device_id *id, struct whole *whole)
{
	memset(whole, 0, sizeof(*whole));
	return record_read_whole(txn, id, &whole->record, &whole->front, &whole->back);
}

static void must_be_sound(const struct record *record)
{
	must_hold(record->backend_domid < DOMID_END);
	must_hold(*record->unique_id);
	must_hold(!*record->id.backend_type || type_is_valid(record->id.backend_type));
	must_hold(strlen(record->frontend.uuid) < UUID_SIZE);
	must_hold(strlen(record->frontend.mark) < MARK_SIZE);
	must_hold(strlen(record->phase) < PHASE_SIZE);
	must_hold(strlen(record->listed) < LISTED_SIZE);
}

static void must_be_sound_keys(const struct pairs *pairs)
{
	size_t i;

	for (i = 0; i < pairs->count; i++)
		must_hold_for(type_is_valid(pairs->list[i].key), pairs->list[i].key);
}

static void must_equal_pairs(const struct pairs *a, const struct pairs *b)
{
	size_t i;

	must_hold(a->count == b->count);
	for (i = 0; i < a->count; i++) {
		must_hold_for(!strcmp(a->list[i].key, b->list[i].key), a->list[i].key);
		must_hold_for(!strcmp(a->list[i].value, b->list[i].value),
			      a->list[i].key);
	}
}

/* All but the phase. */
static void must_equal(const struct whole *a, const struct whole *b)
{
	must_hold(a->record.backend_domid == b->record.backend_domid);
	must_hold(a->record.created == b->record.created);
	must_hold(!strcmp(a->record.unique_id, b->record.unique_id));
	must_hold(!strcmp(a->record.listed, b->record.listed));
	must_hold(!strcmp(a->record.frontend.uuid, b->record.frontend.uuid));
	must_hold(!strcmp(a->record.frontend.mark, b->record.frontend.mark));
	must_hold(!strcmp(a->record.backend.uuid, b->record.backend.uuid));
	must_hold(!strcmp(a->record.backend.mark, b->record.backend.mark));
	must_equal_pairs(&a->front, &b->front);
	must_equal_pairs(&a->back, &b->back);
}

/* Of those that can be written: keys are names of nodes, and may be too many for one value. */
static bool can_write(const struct pairs *pairs)
{
	size_t i;

	for (i = 0; i < pairs->count; i++)
		if (strlen(pairs->list[i].value) > VALUE_MAX_LEN ||
		    pairs_find(pairs, pairs->list[i].key) != pairs->list[i].value)
			return false;
	return true;
}

static void write_again(struct txn *txn, const struct whole *whole)
{
	struct record record = whole->record;
	struct whole again;

	record.id.devid = copy_at.devid;
	must_hold(!record_write(txn, &record, &whole->front, &whole->back));
	must_hold(!read_whole(txn, &copy_at, &again));
	must_hold(!strcmp(whole->record.id.backend_type, again.record.id.backend_type));
	must_hold(!strcmp(whole->record.phase, again.record.phase));
	/* Those that do not fit are read last. */
	if (!again.record.more_keys)
		must_equal(whole, &again);
	else
		must_hold(whole->front.count == again.front.count &&
			  whole->back.count == again.back.count);
	whole_clear(&again);
}

static void change_phase(struct txn *txn, const struct whole *whole, const char *phase)
{
	struct whole again;
	int r = record_set_phase(txn, &at, phase);

	if (r) { /* it was as long as a record can be */
		must_hold(r == -EBADMSG);
		return;
	}
	must_hold(!read_whole(txn, &at, &again));
	must_hold(!strcmp(again.record.phase, phase));
	must_equal(whole, &again);
	whole_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xensplit_ctx *ctx;
	struct whole whole;
	struct record record;
	int r;

	if (size > 4096)
		return -1;
	fake_reset();
	ctx = unit_ctx();
	struct txn txn = TXN_NONE(ctx);

	fake_set(REC, (const char *)data, size);
	r = read_whole(&txn, &at, &whole);
	must_hold(r == record_read(&txn, &at, &record));
	must_hold(r == 0 || r == -EBADMSG);
	if (r) {
		must_hold(is_printable(xensplit_errmsg(ctx)));
	} else {
		must_be_sound(&whole.record);
		must_be_sound_keys(&whole.front);
		must_be_sound_keys(&whole.back);
		if (can_write(&whole.front) && can_write(&whole.back))
			write_again(&txn, &whole);
		change_phase(&txn, &whole, "replace");
		change_phase(&txn, &whole, "");
	}
	whole_clear(&whole);
	unit_ctx_free(ctx);
	return 0;
}
