/*
 * history_large.h
 *	  A large state of the aggregates of customer_history: a tail and runs.
 *
 * The tail is the rows that came in, 16 or 24 bytes each, in the order they
 * came: appending is all that happens per row.  While they are still in the
 * processor's cache, rows of plain numbers become a segment, of four or eight
 * bytes each (compact_row.h).  When the tail is big, or when the value is
 * wanted, it is partitioned by key until a part fits the cache, each part is
 * sorted there and written out, and the result is a run: a flat, canonical
 * history (history_run.h).  Runs are merged when the value
 * is wanted, or when they have come to hold twice what merging them last
 * left.  So the work per row is a constant number of passes over memory, and
 * what a state holds is bounded by its rows (MAX_TAIL_SIZE at the most) and by
 * the size of its value.
 *
 * Rows of the same customer and day collapse in a run.  Whether making one
 * early would pay is judged from a sample, so that many orders on few
 * customer-days do not pile up and many customer-days are not sorted twice.
 *
 * A row holds its key where that is a number or fits two (packed_key.h), as
 * uuid and short text do.  Other text is kept once each in a dictionary,
 * where a batch of keys is looked up at a time; a row holds the key's number,
 * which is replaced by its rank when the rows are sorted.
 */
#ifndef LOYALTY_HISTORY_LARGE_H
#define LOYALTY_HISTORY_LARGE_H

#include "compact_row.h"
#include "history.h"
#include "history_sort.h"
#include "packed_key.h"
#include "query_memory.h"
#include "row_list.h"

/* ---------- the state ---------- */

/* How the rows of a tail hold their keys. */
typedef enum KeyForm
{
	KEYS_UNDECIDED,				/* there has been none */
	KEYS_NUMBERS,				/* bigint */
	KEYS_PACKED,				/* uuid and text, in rows of 24 bytes */
	KEYS_LISTED					/* text: numbers of the dictionary */
} KeyForm;

typedef struct KeySlot
{
	const uint8_t *bytes;
	uint32		size;
} KeySlot;

struct dictionary_hash;
struct PendingRow;

typedef struct LargeState
{
	MemoryContext context;
	HistoryKeyType key_type;

	/* the tail: segments, and the rows since */
	CompactRows *segments;
	int			segment_count;
	int			segment_capacity;
	RowRange	segment_range;	/* of all */
	size_t		segment_rows;
	Size		segment_bytes;
	RowList		tail;
	KeyForm		key_form;
	KeyPacking	packing;
	bool		has_amounts;
	int			scale;			/* of the tail's amounts */
	WideRow    *wide;
	size_t		wide_count;
	size_t		wide_capacity;
	size_t		next_check;		/* when so many rows came since the last segment */
	size_t		next_judgement; /* of the whole tail, at so many rows */

	/* keys that are listed */
	struct PendingRow *pending; /* not looked up yet; NULL: none ever */
	int			pending_count;
	uint8_t    *pending_bytes;	/* their keys */
	size_t		pending_used;
	size_t		pending_capacity;
	MemoryContext key_context;	/* NULL: no key yet */
	struct dictionary_hash *dictionary;
	KeySlot    *keys;
	size_t		key_count;
	size_t		key_capacity;
	uint8_t    *key_chunk;
	Size		key_chunk_left;
	Size		key_bytes;

	/* runs */
	Datum	   *runs;			/* flat or stored values, copies of the state's own */
	int			run_count;
	int			run_capacity;
	Size		run_bytes;
	Size		merged_bytes;	/* what the last merge left */

	/* rows of parallel workers, which become a run when the value is wanted */
	struct HeldParcel *parcels;
	int			parcel_count;
	int			parcel_capacity;
	Size		parcel_bytes;
	struct Parcel *parcel_plan; /* of the one that the tail is about to become; NULL: none */
	dsa_area   *area;			/* where it may be shared; NULL: nowhere */
	QueryMemory parcel_memory;	/* for it, if it will be */
} LargeState;

/* The width of the tail's rows. */
static inline Size
tail_width(const LargeState *state)
{
	return state->key_form == KEYS_PACKED ? sizeof(LongKeyRow) : sizeof(HistoryRow);
}

extern LargeState *large_create(MemoryContext context, HistoryKeyType key_type);

/*
 * Adds a value, flat or stored, of which it makes a copy: of a stored one,
 * that of the pointer is enough.
 */
extern void large_add_run(LargeState *state, Datum value);

/* The same with a flat value that is in the state's memory. */
extern void large_take_run(LargeState *state, CustomerHistory *run);

/* The canonical value, which stays the state's. */
extern const CustomerHistory *large_value(LargeState *state);

/* The same for who asks once: what has to be merged is made in the current memory context. */
extern const CustomerHistory *large_result(LargeState *state);

/*
 * Whether the value is the union of a large run and of a much smaller one,
 * which are the state's only ones then, in this order.
 */
extern bool large_is_union(LargeState *state);

#ifdef USE_ASSERT_CHECKING
extern bool large_is_sound(const LargeState *state);
#endif

/* What large_add does seldom. */
extern void large_check_tail(LargeState *state);
extern void large_append_unpacked(LargeState *state, const HistoryKey *key, HistoryRow row);
extern void large_add_unusual(LargeState *state, const HistoryKey *key,
							  const HistoryDay *event, int scale);

static pg_attribute_always_inline void
large_append(LargeState *state, const HistoryKey *key, Day day, int32 amount, uint32 wide)
{
	HistoryRow	row = {0, (uint32_t) ((int64_t) day - DAY_FIRST) | wide, amount};
	PackedKey	packed;

	if (state->key_form == KEYS_NUMBERS)
	{
		row.key = ROW_KEY_OF_NUMBER(key->number);
		*(HistoryRow *) row_list_append(&state->tail, state->context, sizeof(HistoryRow)) = row;
	}
	else if (likely(state->key_form == KEYS_PACKED &&
					pack_key(state->packing, key->bytes, key->size, &packed)))
	{
		row.key = packed.first;
		*(LongKeyRow *) row_list_append(&state->tail, state->context, sizeof(LongKeyRow)) =
			(LongKeyRow) {row, packed.rest};
	}
	else
		large_append_unpacked(state, key, row);
}

/* Before a row is looked at: it may begin a new tail, which has no amounts yet. */
static pg_attribute_always_inline void
large_expect_row(LargeState *state)
{
	if (unlikely(state->tail.rows >= state->next_check))
		large_check_tail(state);
}

/* Adds an event; its amount, if known, is in 10^-scale. */
static pg_attribute_always_inline void
large_add(LargeState *state, const HistoryKey *key, const HistoryDay *event, int scale)
{
	int32_t		amount;

	large_expect_row(state);
	if (likely(row_amount_of_event(event, &amount) &&
			   row_amount_fits(amount, scale, state->has_amounts, state->scale)))
		large_append(state, key, event->day, amount, 0);
	else
		large_add_unusual(state, key, event, scale);
}

#endif							/* LOYALTY_HISTORY_LARGE_H */
