/*
 * history_large.c
 *	  Large states of the aggregates of customer_history: rows in, canonical
 *	  bytes out.
 *
 * history_large.h tells the design.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/datum.h"
#include "utils/memutils.h"

#include "compat.h"
#include "history_large.h"
#include "history_parcel.h"
#include "history_run.h"
#include "history_state.h"

/* So many rows become a segment. */
#define SEGMENT_ROWS		((size_t) 16 * 1024)

/* The tail is judged for duplicates first at so many rows, and cut off at that size. */
#define FIRST_JUDGED_ROWS	((size_t) 512 * 1024)
#define MAX_TAIL_SIZE		((Size) 512 * 1024 * 1024)
#define SAMPLE_MASK			63

/*
 * Keys are looked up so many at a time: each look-up waits for memory three
 * times, and so the waits overlap.
 */
#define KEY_BATCH			64
#define MAX_PREFETCH_PROBES	8

/* A run of that size may stay beside others of together a quarter of it. */
#define MIN_UNION_SIZE		((Size) 1024 * 1024)
#define UNION_SHARE			4

/* Runs are not merged early while they are smaller than this together. */
#define RUN_SLACK			((Size) 64 * 1024 * 1024)

/*
 * A dictionary that outgrew this starts anew with the next tail, and one that
 * outgrew the largest value ends the tail.
 */
#define KEPT_KEY_BYTES		((Size) 64 * 1024 * 1024)
#define MAX_KEY_BYTES		(HISTORY_MAX_SIZE + KEPT_KEY_BYTES)
#define KEY_CHUNK_SIZE		((Size) 64 * 1024)

/* ---------- the dictionary ---------- */

typedef struct KeyEntry
{
	uint32		number;			/* index into keys */
	uint32		hash;
	char		status;
} KeyEntry;

/* A row whose key is not looked up yet. */
typedef struct PendingRow
{
	HistoryRow	row;
	size_t		key_start;		/* in pending_bytes */
	uint32		key_size;
	uint32		hash;
} PendingRow;

/* Two keys of the dictionary; private_data is the array of slots. */
static inline bool
same_key(const KeySlot *keys, uint32 a, uint32 b)
{
	return keys[a].size == keys[b].size &&
		(keys[a].size == 0 || memcmp(keys[a].bytes, keys[b].bytes, keys[a].size) == 0);
}

#define SH_PREFIX		dictionary
#define SH_ELEMENT_TYPE	KeyEntry
#define SH_KEY_TYPE		uint32
#define SH_KEY			number
#define SH_HASH_KEY(tb, key)	(0)		/* never asked: hashes are given and kept */
#define SH_EQUAL(tb, a, b)		same_key(*(KeySlot **) (tb)->private_data, a, b)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, entry)	((entry)->hash)
#define SH_SCOPE		static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

static void
create_dictionary(LargeState *state)
{
	state->key_context = AllocSetContextCreate(state->context,
											   "customer_history keys",
											   ALLOCSET_DEFAULT_SIZES);
	state->dictionary = dictionary_create(state->key_context, 64, &state->keys);
	state->key_capacity = 64;
	state->keys = MemoryContextAlloc(state->key_context,
									 state->key_capacity * sizeof(KeySlot));
	state->key_chunk_left = 0;
}

/* The number of a key; there is a free slot for a new one. */
static uint32
key_number(LargeState *state, const HistoryKey *key, uint32 hash)
{
	bool		found;
	KeyEntry   *entry;
	uint8_t    *bytes;

	/* it is put after the others for the comparison, and stays if it is new */
	state->keys[state->key_count] = (KeySlot) {key->bytes, key->size};
	entry = dictionary_insert_hash(state->dictionary, (uint32) state->key_count,
								   hash, &found);
	if (found)
		return entry->number;

	if (key->size > KEY_CHUNK_SIZE / 8)
		bytes = MemoryContextAllocHuge(state->key_context, key->size);
	else
	{
		if (key->size > state->key_chunk_left)
		{
			state->key_chunk = MemoryContextAlloc(state->key_context, KEY_CHUNK_SIZE);
			state->key_chunk_left = KEY_CHUNK_SIZE;
		}
		bytes = state->key_chunk;
		state->key_chunk += key->size;
		state->key_chunk_left -= key->size;
	}
	if (key->size > 0)
		memcpy(bytes, key->bytes, key->size);
	state->keys[state->key_count].bytes = bytes;
	state->key_bytes += key->size + sizeof(KeySlot) + sizeof(KeyEntry);

	if (state->key_bytes > MAX_KEY_BYTES)
		state->next_check = 0;
	return (uint32) state->key_count++;
}

/* The entry that a key with this hash has, if any, or another's: a guess. */
static inline KeyEntry *
guess_entry(dictionary_hash *dictionary, uint32 hash)
{
	for (uint32 i = 0; i < MAX_PREFETCH_PROBES; i++)
	{
		KeyEntry   *entry = &dictionary->data[(hash + i) & dictionary->sizemask];

		if (entry->status == dictionary_SH_EMPTY)
			break;
		if (entry->hash == hash)
			return entry;
	}
	return NULL;
}

/* Looks up the keys of the pending rows and puts the rows into the tail. */
static void
resolve_pending(LargeState *state)
{
	KeyEntry   *entry;

	if (state->pending_count == 0)
		return;
	if (state->key_context == NULL)
		create_dictionary(state);
	if (state->key_count + KEY_BATCH > state->key_capacity)
	{
		state->key_capacity = (state->key_capacity + KEY_BATCH) * 2;
		state->keys = repalloc_huge(state->keys, state->key_capacity * sizeof(KeySlot));
	}

	for (int i = 0; i < state->pending_count; i++)
		__builtin_prefetch(&state->dictionary->data[state->pending[i].hash &
													 state->dictionary->sizemask]);
	for (int i = 0; i < state->pending_count; i++)
		if ((entry = guess_entry(state->dictionary, state->pending[i].hash)) != NULL)
			__builtin_prefetch(&state->keys[entry->number]);
	for (int i = 0; i < state->pending_count; i++)
		if ((entry = guess_entry(state->dictionary, state->pending[i].hash)) != NULL)
			__builtin_prefetch(state->keys[entry->number].bytes);

	for (int i = 0; i < state->pending_count; i++)
	{
		PendingRow *pending = &state->pending[i];
		HistoryKey	key = {0, state->pending_bytes + pending->key_start, pending->key_size};

		pending->row.key = key_number(state, &key, pending->hash);
		*(HistoryRow *) row_list_append(&state->tail, state->context, sizeof(HistoryRow)) = pending->row;
	}
	state->pending_count = 0;
	state->pending_used = 0;
}

static void
append_pending(LargeState *state, const HistoryKey *key, HistoryRow row)
{
	PendingRow *pending;

	if (state->pending_used + key->size > state->pending_capacity || state->pending == NULL)
	{
		MemoryContext old_context = MemoryContextSwitchTo(state->context);

		if (state->pending == NULL)
			state->pending = palloc(KEY_BATCH * sizeof(PendingRow));
		state->pending_capacity = Max(state->pending_capacity * 2,
									  state->pending_used + (size_t) key->size + KEY_BATCH * 16);
		state->pending_bytes = history_host.resize(state->pending_bytes, state->pending_capacity);
		MemoryContextSwitchTo(old_context);
	}

	pending = &state->pending[state->pending_count++];
	pending->row = row;
	pending->key_start = state->pending_used;
	pending->key_size = key->size;
	pending->hash = hash_bytes(key->bytes, (int) key->size);
	if (key->size > 0)
		memcpy(state->pending_bytes + state->pending_used, key->bytes, key->size);
	state->pending_used += key->size;
	if (state->pending_count == KEY_BATCH || state->pending_used > KEY_CHUNK_SIZE)
		resolve_pending(state);
}

/* From now on keys are listed, those of the tail too. */
static void
list_keys(LargeState *state)
{
	RowList		packed_rows = state->tail;

	memset(&state->tail, 0, sizeof(state->tail));
	state->key_form = KEYS_LISTED;
	for (size_t b = 0; b < packed_rows.block_count; b++)
	{
		size_t		in_block = rows_in_block(&packed_rows, b, sizeof(LongKeyRow));

		CHECK_FOR_INTERRUPTS();
		for (size_t i = 0; i < in_block; i++)
		{
			const LongKeyRow *row = (const LongKeyRow *) packed_rows.blocks[b] + i;
			PackedKey	packed = {row->row.key, row->key_rest};
			uint8_t		bytes[UUID_TEXT_SIZE];
			HistoryKey	key = {0, bytes, unpack_key(state->packing, &packed, bytes)};

			append_pending(state, &key, row->row);
		}
		row_list_free_block(&packed_rows, b);
	}
	row_list_free(&packed_rows);
}

/*
 * A key that does not fit a packed row, or the first key of all, which decides
 * how keys are held.
 */
void
large_append_unpacked(LargeState *state, const HistoryKey *key, HistoryRow row)
{
	PackedKey	packed;

	if (state->key_form == KEYS_UNDECIDED)
	{
		state->packing = state->key_type == HISTORY_KEY_UUID ? PACKED_UUID :
			key->size == UUID_TEXT_SIZE ? PACKED_UUID_TEXT : PACKED_SHORT_TEXT;
		state->key_form = KEYS_LISTED;
		if (pack_key(state->packing, key->bytes, key->size, &packed))
		{
			state->key_form = KEYS_PACKED;
			row.key = packed.first;
			*(LongKeyRow *) row_list_append(&state->tail, state->context, sizeof(LongKeyRow)) =
				(LongKeyRow) {row, packed.rest};
			return;
		}
	}
	if (state->key_form == KEYS_PACKED)
		list_keys(state);
	append_pending(state, key, row);
}

/* ---------- what always holds ---------- */

#ifdef USE_ASSERT_CHECKING

bool
large_is_sound(const LargeState *state)
{
	const RowList *tail = &state->tail;
	bool		has_keys = state->key_context != NULL;

	return tail->rows + tail->room == tail->block_count * rows_per_block(tail_width(state)) &&
		tail->block_count <= tail->block_capacity &&
		state->scale <= HISTORY_MAX_SCALE && (state->has_amounts || state->scale == 0) &&
		state->wide_count <= state->wide_capacity && state->wide_count <= tail->rows + KEY_BATCH &&
		state->pending_count >= 0 && state->pending_count < KEY_BATCH &&
		state->pending_used <= state->pending_capacity &&
		(state->key_form == KEYS_NUMBERS) == (state->key_type == HISTORY_KEY_BIGINT) &&
		(state->key_form == KEYS_LISTED || (!has_keys && state->pending == NULL)) &&
		(has_keys ? state->key_count <= state->key_capacity && state->dictionary->members == state->key_count :
		 state->key_count == 0) &&
		state->run_count >= 0 && state->run_count <= state->run_capacity &&
		(state->run_count > 0) == (state->run_bytes > 0) &&
		state->merged_bytes <= state->run_bytes &&
		state->segment_count >= 0 && state->segment_count <= state->segment_capacity &&
		(state->segment_count > 0) == (state->segment_rows > 0) &&
		(state->segment_rows > 0) == (state->segment_bytes > 0) &&
		state->parcel_count >= 0 && state->parcel_count <= state->parcel_capacity &&
		(state->parcel_count > 0) == (state->parcel_bytes > 0);
}

static bool
tail_is_sound(const LargeState *state)
{
	Size		width = tail_width(state);

	for (size_t b = 0; b < state->tail.block_count; b++)
	{
		size_t		in_block = rows_in_block(&state->tail, b, width);

		CHECK_FOR_INTERRUPTS();
		for (size_t i = 0; i < in_block; i++)
		{
			const HistoryRow *row = ROW_AT(state->tail.blocks[b], i, width);

			if (ROW_DAY(row) > (uint32) ((int64) DAY_LAST - DAY_FIRST) ||
				(state->key_form == KEYS_LISTED && row->key >= state->key_count) ||
				((row->day & ROW_WIDE) && (size_t) (uint32) row->amount >= state->wide_count) ||
				(!(row->day & ROW_WIDE) && row->amount != ROW_UNKNOWN && !state->has_amounts))
				return false;
		}
	}
	return true;
}

#endif							/* USE_ASSERT_CHECKING */

/* ---------- runs ---------- */

static void merge_runs(LargeState *state);

static void
append_run(LargeState *state, Datum run, Size size)
{
	if (state->run_count == state->run_capacity)
	{
		MemoryContext old_context = MemoryContextSwitchTo(state->context);

		state->run_capacity = Max(state->run_capacity * 2, 8);
		state->runs = history_host.resize(state->runs, state->run_capacity * sizeof(Datum));
		MemoryContextSwitchTo(old_context);
	}
	state->runs[state->run_count++] = run;
	state->run_bytes += size;
	if (state->run_count > 1 && state->run_bytes > 2 * state->merged_bytes + RUN_SLACK)
		merge_runs(state);
}

void
large_take_run(LargeState *state, CustomerHistory *run)
{
	append_run(state, PointerGetDatum(run), VARSIZE(run));
}

/* Turns the tail into runs, one as a rule. */
static void
flush_tail(LargeState *state)
{
	MemoryContext old_context;

	resolve_pending(state);
	if (state->tail.rows == 0 && state->segment_count == 0)
		return;
	Assert(tail_is_sound(state));

	old_context = MemoryContextSwitchTo(state->context);
	tail_flush(state);
	state->has_amounts = false;
	state->scale = 0;
	state->wide_count = 0;
	if (state->key_bytes > KEPT_KEY_BYTES)
	{
		MemoryContextDelete(state->key_context);
		state->key_context = NULL;
		state->key_count = 0;
		state->key_bytes = 0;
	}
	MemoryContextSwitchTo(old_context);
}

/*
 * One customer-day in 64 is sampled.  In line, for every kind of rows; the
 * sample is of rows of the width.
 */
static inline bool
is_sampled(uint64 key, uint32 day)
{
	return (murmurhash32((uint32) key ^ (uint32) (key >> 32) * 31 ^ day * 0x9e3779b1) & SAMPLE_MASK) == 0;
}

static void
sample_segment(const CompactRows *segment, RowList *sample)
{
	Size		width = COMPACT_WIDTH(&segment->form);
	CompactForm form = segment->form;

	for (size_t i = 0; i < segment->count; i++)
	{
		uint64		row = compact_at(segment->rows, i, width);
		uint64		key = compact_key(&form, row) + form.least_key;
		uint32		day = compact_day(&form, row);

		if (is_sampled(key, day))
			*(HistoryRow *) row_list_append(sample, CurrentMemoryContext, sizeof(HistoryRow)) =
				(HistoryRow) {key, day, 0};
	}
}

static void
sample_rows(const RowList *tail, RowList *sample, Size width)
{
	for (size_t b = 0; b < tail->block_count; b++)
	{
		size_t		in_block = rows_in_block(tail, b, width);

		CHECK_FOR_INTERRUPTS();
		for (size_t i = 0; i < in_block; i++)
		{
			const HistoryRow *row = ROW_AT(tail->blocks[b], i, width);

			if (is_sampled(row->key ^ row_key_rest(row, width), ROW_DAY(row)))
				copy_row(row_list_append(sample, CurrentMemoryContext, width), row, width);
		}
	}
}

/*
 * The share of the rows that would remain if equal customer-days were added
 * up, judged by a sample.
 */
static double
distinct_share(LargeState *state)
{
	Size		width = tail_width(state);
	RowList		sample = {0};
	char	   *rows;
	void	   *scratch;
	size_t		count;
	size_t		distinct = 0;

	for (int i = 0; i < state->segment_count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		sample_segment(&state->segments[i], &sample);
	}
	sample_rows(&state->tail, &sample, width);

	count = sample.rows;
	rows = history_host.resize(NULL, (count + 1) * width);
	scratch = history_host.resize(NULL, (count + 1) * width);
	row_list_move_to(&sample, rows, width);
	sort_rows(rows, scratch, count, width, history_host.check_cancel);
	for (size_t i = 0; i < count; i++)
	{
		const HistoryRow *row = ROW_AT(rows, i, width);

		if (i == 0 || !rows_share_key(row, ROW_AT(rows, i - 1, width), width) ||
			ROW_DAY(row) != ROW_DAY(ROW_AT(rows, i - 1, width)))
			distinct++;
	}
	pfree(rows);
	pfree(scratch);
	/* none of so many: there are few customer-days */
	return count == 0 ? 0 : (double) distinct / (double) count;
}

/*
 * Whether less than half of the rows would remain; if not, sets when to ask
 * again.  Of rows drawn at random from some customer-days, half are left at
 * 0.8 / (1 - share) times as many rows, about.
 */
static bool
tail_repeats_itself(LargeState *state, size_t rows)
{
	double		share = distinct_share(state);

	if (share < 0.5)
		return true;
	state->next_judgement = rows * (size_t) Max(2, Min(0.8 / Max(1 - share, 0.01), 64));
	return false;
}

pg_noinline void
large_check_tail(LargeState *state)
{
	bool		fits = state->key_form == KEYS_NUMBERS && tail_compact(state);
	size_t		rows = state->segment_rows + state->tail.rows;
	Size		width = tail_width(state);
	Size		size = state->segment_bytes + state->tail.rows * width;

	if (size >= MAX_TAIL_SIZE || state->key_bytes > MAX_KEY_BYTES ||
		(rows >= state->next_judgement && tail_repeats_itself(state, rows)))
	{
		flush_tail(state);
		state->next_judgement = FIRST_JUDGED_ROWS;
		rows = size = 0;
	}
	/* rows that do not fit a number stay as they are until the tail becomes a run */
	state->next_check = state->tail.rows +
		Min(state->next_judgement - rows, Max((MAX_TAIL_SIZE - size) / width, 1));
	if (state->key_form == KEYS_NUMBERS && (fits || rows == 0))
		state->next_check = SEGMENT_ROWS;
}

/* ---------- the state ---------- */

LargeState *
large_create(MemoryContext context, HistoryKeyType key_type)
{
	LargeState *state = MemoryContextAllocZero(context, sizeof(LargeState));

	state->context = context;
	state->key_type = key_type;
	state->key_form = key_type == HISTORY_KEY_BIGINT ? KEYS_NUMBERS : KEYS_UNDECIDED;
	state->next_check = key_type == HISTORY_KEY_BIGINT ? SEGMENT_ROWS : FIRST_JUDGED_ROWS;
	state->next_judgement = FIRST_JUDGED_ROWS;
	return state;
}

/* An event whose amount is wide, or has other decimals than the tail. */
pg_noinline void
large_add_unusual(LargeState *state, const HistoryKey *key, const HistoryDay *event, int scale)
{
	HistoryDay	scaled = *event;
	int32_t		amount;

	if (event_has_amount(event))
	{
		if (scale > state->scale && state->has_amounts)
			flush_tail(state);	/* happens once per number of decimals */
		if (!state->has_amounts)
		{
			state->has_amounts = true;
			state->scale = scale;
		}
		history_rescale(&scaled.amount, scale, state->scale);
	}

	if (row_amount_of_event(&scaled, &amount))
	{
		large_append(state, key, event->day, amount, 0);
		return;
	}

	if (state->wide_count == state->wide_capacity)
	{
		MemoryContext old_context = MemoryContextSwitchTo(state->context);

		state->wide_capacity = Max(state->wide_capacity * 2, 64);
		state->wide = history_host.resize(state->wide, state->wide_capacity * sizeof(WideRow));
		MemoryContextSwitchTo(old_context);
	}
	state->wide[state->wide_count] =
		(WideRow) {scaled.orders, scaled.valued_orders, scaled.amount};
	large_append(state, key, event->day, (int32) state->wide_count++, ROW_WIDE);
}

void
large_add_run(LargeState *state, Datum value)
{
	MemoryContext old_context = MemoryContextSwitchTo(state->context);
	Datum		run = datumCopy(value, false, -1);

	MemoryContextSwitchTo(old_context);
	append_run(state, run, toast_raw_datum_size(run));
}

/* Leaves one run, which is flat. */
static void
merge_runs(LargeState *state)
{
	MemoryContext old_context = MemoryContextSwitchTo(state->context);
	CustomerHistory *merged;

	if (state->run_count > 1)
		merged = history_merge(state->runs, state->run_count);
	else
		merged = (CustomerHistory *) PG_DETOAST_DATUM(state->runs[0]);

	for (int i = 0; i < state->run_count; i++)
		if (DatumGetPointer(state->runs[i]) != (Pointer) merged)
			pfree(DatumGetPointer(state->runs[i]));
	state->runs[0] = PointerGetDatum(merged);
	state->run_count = 1;
	state->run_bytes = state->merged_bytes = VARSIZE(merged);
	MemoryContextSwitchTo(old_context);
}

/* Makes of all runs but the first one. */
static void
merge_other_runs(LargeState *state)
{
	MemoryContext old_context = MemoryContextSwitchTo(state->context);
	CustomerHistory *merged = history_merge(state->runs + 1, state->run_count - 1);

	MemoryContextSwitchTo(old_context);
	for (int i = 1; i < state->run_count; i++)
		pfree(DatumGetPointer(state->runs[i]));
	state->runs[1] = PointerGetDatum(merged);
	state->run_count = 2;
	state->run_bytes = toast_raw_datum_size(state->runs[0]) + VARSIZE(merged);
}

bool
large_is_union(LargeState *state)
{
	Size		size;
	int			largest = 0;
	Datum		run;

	parcels_flush(state);
	flush_tail(state);
	for (int i = 1; i < state->run_count; i++)
		if (toast_raw_datum_size(state->runs[i]) > toast_raw_datum_size(state->runs[largest]))
			largest = i;
	run = state->runs[largest];
	size = toast_raw_datum_size(run);
	if (state->key_type != HISTORY_KEY_BIGINT || state->run_count < 2 || size < MIN_UNION_SIZE ||
		(state->run_bytes - size) > size / UNION_SHARE)
		return false;

	state->runs[largest] = state->runs[0];
	state->runs[0] = run;
	if (state->run_count > 2)
		merge_other_runs(state);
	return history_is_union(state->runs[0], state->runs[1]);
}

const CustomerHistory *
large_result(LargeState *state)
{
	parcels_flush(state);
	flush_tail(state);
	return state->run_count > 1 ? history_merge(state->runs, state->run_count) : large_value(state);
}

const CustomerHistory *
large_value(LargeState *state)
{
	parcels_flush(state);
	flush_tail(state);
	merge_runs(state);
	Assert(large_is_sound(state));
	return (CustomerHistory *) DatumGetPointer(state->runs[0]);
}

