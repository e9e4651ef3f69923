/*
 * history_state.c
 *	  Building histories: rows in, canonical bytes out.
 *
 * A large state is a tail and runs.  The tail is the rows that came in, 16
 * bytes each, in the order they came: appending is all that happens per row.
 * When the tail is big, or when the value is wanted, it is partitioned by
 * key until a part fits the processor's cache, each part is sorted there and
 * written out, and the result is a run: a flat, canonical history.  Runs are
 * merged when the value is wanted, or when they have come to hold twice what
 * merging them last left.  So the work per row is a constant number of
 * passes over memory, and what a state holds is bounded by its rows (16
 * bytes each, MAX_TAIL_ROWS at the most) and by the size of its value.
 *
 * Rows of the same customer and day collapse in a run.  Whether making one
 * early would pay is judged from a sample, so that many orders on few
 * customer-days do not pile up and many customer-days are not sorted twice.
 *
 * Keys of text and uuid are kept once each in a dictionary, where a batch of
 * them is looked up at a time; a row holds the key's number, which is
 * replaced by its rank when the rows are sorted.
 *
 * A small state is a page: rows grow from its start, wide amounts and keys
 * from its end, and places at the end are given by their distance from it,
 * so that a page can grow.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/expandeddatum.h"
#include "utils/memutils.h"

#include "compat.h"
#include "history.h"
#include "history_sort.h"
#include "history_state.h"

#define BLOCK_SIZE			8192
#define ROWS_PER_BLOCK		((int) (BLOCK_SIZE / sizeof(HistoryRow)))

/* Two buffers of this many rows fit a second-level cache. */
#define CACHED_ROWS			((size_t) 32 * 1024)
#define MAX_PARTITION_BITS	10

/* The tail is judged for duplicates first, and cut off last, at so many rows. */
#define FIRST_CHECK_ROWS	((size_t) 512 * 1024)
#define MAX_TAIL_ROWS		((size_t) 32 * 1024 * 1024)
#define SAMPLE_MASK			63

/*
 * Keys are looked up so many at a time: each look-up waits for memory three
 * times, and so the waits overlap.
 */
#define KEY_BATCH			64
#define MAX_PREFETCH_PROBES	8

/* A flat history below this is merged event by event, above as a run. */
#define MIN_RUN_SIZE		((Size) 64 * 1024)
#define RUN_SLACK			((Size) 64 * 1024 * 1024)

/*
 * A dictionary that outgrew this starts anew with the next tail, and one that
 * outgrew the largest value ends the tail.
 */
#define KEPT_KEY_BYTES		((Size) 64 * 1024 * 1024)
#define MAX_KEY_BYTES		(HISTORY_MAX_SIZE + KEPT_KEY_BYTES)
#define KEY_CHUNK_SIZE		((Size) 64 * 1024)

#define SMALL_FIRST			128
#define SMALL_MAX			8192

/* ---------- the three forms ---------- */

#define SMALL_VERSION	0		/* where a flat value has HISTORY_VERSION */

typedef struct SmallHistory
{
	int32		vl_len_;
	uint8		version;
	uint8		key_type;
	uint8		scale;
	bool		has_amounts;
	uint32		rows;
	uint32		end_used;		/* bytes used at the end */
	HistoryRow	row[FLEXIBLE_ARRAY_MEMBER];
} SmallHistory;

typedef struct KeySlot
{
	const uint8_t *bytes;
	uint32		size;
} KeySlot;

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

typedef struct RowList
{
	HistoryRow **blocks;
	size_t		block_count;
	size_t		block_capacity;
	size_t		rows;
} RowList;

typedef struct HistoryState
{
	ExpandedObjectHeader hdr;
	HistoryKeyType key_type;

	/* the tail */
	RowList		tail;
	bool		has_amounts;
	int			scale;			/* of the tail's amounts */
	WideRow    *wide;
	size_t		wide_count;
	size_t		wide_capacity;
	size_t		next_check;

	/* keys of text and uuid */
	PendingRow *pending;		/* KEY_BATCH of them; NULL: none yet */
	int			pending_count;
	uint8_t    *pending_bytes;	/* their keys */
	size_t		pending_used;
	size_t		pending_capacity;
	MemoryContext key_context;	/* NULL: no key yet */
	dictionary_hash *dictionary;
	KeySlot    *keys;
	size_t		key_count;
	size_t		key_capacity;
	uint8_t    *key_chunk;
	Size		key_chunk_left;
	Size		key_bytes;

	/* runs */
	CustomerHistory **runs;
	int			run_count;
	int			run_capacity;
	Size		run_bytes;
	Size		merged_bytes;	/* what the last merge left */
} HistoryState;

static Size state_flat_size(ExpandedObjectHeader *eohptr);
static void state_flatten(ExpandedObjectHeader *eohptr, void *result, Size allocated_size);

static const ExpandedObjectMethods state_methods = {state_flat_size, state_flatten};

bool
history_is_large_state(Datum datum)
{
	return VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(datum)) &&
		DatumGetEOHP(datum)->eoh_methods == &state_methods;
}

bool
history_is_small_state(const struct varlena *value)
{
	const SmallHistory *small = (const SmallHistory *) value;

	/* a short header means a short value: no state is one */
	return VARATT_IS_4B_U(value) && VARSIZE(value) >= SMALL_FIRST &&
		VARSIZE(value) <= SMALL_MAX && small->version == SMALL_VERSION &&
		small->key_type >= HISTORY_KEY_BIGINT && small->key_type <= HISTORY_KEY_UUID &&
		small->scale <= HISTORY_MAX_SCALE && small->rows > 0 &&
		offsetof(SmallHistory, row) + small->rows * sizeof(HistoryRow) +
		(Size) small->end_used <= VARSIZE(value);
}

/*
 * Detoasts a state or a value.  A page that comes from a worker lies where
 * the type's alignment puts it, and is moved to where its rows can be read.
 */
static struct varlena *
detoast(Datum datum)
{
	struct varlena *value = PG_DETOAST_DATUM(datum);

	if (value != (struct varlena *) TYPEALIGN(sizeof(uint64), value) &&
		history_is_small_state(value))
	{
		struct varlena *aligned = palloc(VARSIZE(value));

		memcpy(aligned, value, VARSIZE(value));
		value = aligned;
	}
	return value;
}

/* Brings an amount to the scale of the rows it joins. */
static void
rescale(Amount *amount, int from, int to)
{
	if (from < to && !amount_rescale(amount, to - from))
		history_check(HISTORY_AMOUNT_OVERFLOW);
}

/* ---------- lists of rows ---------- */

static pg_noinline void
row_list_add_block(RowList *list, MemoryContext context)
{
	if (list->block_count == list->block_capacity)
	{
		MemoryContext old_context = MemoryContextSwitchTo(context);

		list->block_capacity = Max(list->block_capacity * 2, 16);
		list->blocks = history_host.resize(list->blocks,
										   list->block_capacity * sizeof(HistoryRow *));
		MemoryContextSwitchTo(old_context);
	}
	list->blocks[list->block_count++] = MemoryContextAlloc(context, BLOCK_SIZE);
}

static inline HistoryRow *
row_list_append(RowList *list, MemoryContext context)
{
	size_t		in_block = list->rows % ROWS_PER_BLOCK;

	if (unlikely(in_block == 0))
		row_list_add_block(list, context);
	list->rows++;
	return &list->blocks[list->block_count - 1][in_block];
}

static inline int
rows_in_block(const RowList *list, size_t block)
{
	return block + 1 < list->block_count ? ROWS_PER_BLOCK :
		(int) (list->rows - block * ROWS_PER_BLOCK);
}

/* Frees what is left of it; blocks already freed are NULL. */
static void
row_list_free(RowList *list)
{
	for (size_t b = 0; b < list->block_count; b++)
		if (list->blocks[b] != NULL)
			pfree(list->blocks[b]);
	if (list->blocks != NULL)
		pfree(list->blocks);
	memset(list, 0, sizeof(*list));
}

/* ---------- from the tail to a run ---------- */

typedef struct RunBuilder
{
	HistoryState *state;
	HistoryWriter writer;
	uint32	   *key_order;		/* numbers of keys by rank; NULL for bigint */
	HistoryRow *cached;			/* CACHED_ROWS, twice */
	HistoryRow *scratch;
} RunBuilder;

static void
write_row(RunBuilder *builder, const HistoryRow *row)
{
	HistoryState *state = builder->state;
	HistoryKey	key;
	HistoryDay	event;

	if (builder->key_order == NULL)
		key.number = ROW_NUMBER_OF_KEY(row->key);
	else
	{
		const KeySlot *slot = &state->keys[builder->key_order[row->key]];

		key.bytes = slot->bytes;
		key.size = slot->size;
	}
	row_event(row, (row->day & ROW_WIDE) ? &state->wide[row->amount] : NULL, &event);
	history_check(history_writer_add(&builder->writer, &key, &event));
}

/* Writes the rows of a list in order and frees it. */
static void
write_sorted(RunBuilder *builder, RowList *list)
{
	uint64_t	least = PG_UINT64_MAX;
	uint64_t	most = 0;
	bool		by_day;
	int			bits = 1;
	int			shift = 0;
	size_t		part_count;
	RowList    *parts;

	check_stack_depth();

	if (list->rows <= CACHED_ROWS)
	{
		size_t		rows = 0;

		for (size_t b = 0; b < list->block_count; b++)
		{
			int			in_block = rows_in_block(list, b);

			memcpy(builder->cached + rows, list->blocks[b], in_block * sizeof(HistoryRow));
			rows += in_block;
		}
		row_list_free(list);
		sort_rows(builder->cached, builder->scratch, rows, history_host.check_cancel);
		for (size_t i = 0; i < rows; i++)
		{
			if ((i & 0x3ff) == 0)
				CHECK_FOR_INTERRUPTS();
			write_row(builder, &builder->cached[i]);
		}
		return;
	}

	/* on which digits do they differ? */
	for (int pass = 0; pass < 2; pass++)
	{
		by_day = pass == 1;
		least = PG_UINT64_MAX;
		most = 0;
		for (size_t b = 0; b < list->block_count; b++)
		{
			int			in_block = rows_in_block(list, b);

			CHECK_FOR_INTERRUPTS();
			for (int i = 0; i < in_block; i++)
			{
				const HistoryRow *row = &list->blocks[b][i];
				uint64_t	digits = by_day ? ROW_DAY(row) : row->key;

				least = Min(least, digits);
				most = Max(most, digits);
			}
		}
		if (least < most)
			break;
	}

	if (least == most)
	{
		/* one customer on one day */
		for (size_t b = 0; b < list->block_count; b++)
		{
			int			in_block = rows_in_block(list, b);

			CHECK_FOR_INTERRUPTS();
			for (int i = 0; i < in_block; i++)
				write_row(builder, &list->blocks[b][i]);
		}
		row_list_free(list);
		return;
	}

	while (bits < MAX_PARTITION_BITS && (CACHED_ROWS / 2) << bits < list->rows)
		bits++;
	while ((most - least) >> shift >> bits != 0)
		shift++;
	part_count = (size_t) ((most - least) >> shift) + 1;
	parts = palloc0(part_count * sizeof(RowList));

	for (size_t b = 0; b < list->block_count; b++)
	{
		int			in_block = rows_in_block(list, b);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < in_block; i++)
		{
			const HistoryRow *row = &list->blocks[b][i];
			uint64_t	digits = by_day ? ROW_DAY(row) : row->key;

			*row_list_append(&parts[(digits - least) >> shift],
							 CurrentMemoryContext) = *row;
		}
		/* the parts take up the memory that this gives back */
		pfree(list->blocks[b]);
		list->blocks[b] = NULL;
	}
	row_list_free(list);

	for (size_t p = 0; p < part_count; p++)
		if (parts[p].rows > 0)
			write_sorted(builder, &parts[p]);
	pfree(parts);
}

/*
 * Orders the keys by their bytes from "depth" on, eight at a time.  Rows are
 * put to use as pairs of (eight bytes, number of the key).  A text key has no
 * zero byte and uuids are of one size, so a key's end sorts first when it is
 * taken as zeros.
 */
static void
sort_keys(const KeySlot *keys, HistoryRow *pairs, HistoryRow *scratch, size_t count, uint32 depth)
{
	size_t		start = 0;
	bool		any_left = false;

	check_stack_depth();
	for (;;)
	{
		/* skip what all of them share */
		const KeySlot *first = &keys[pairs[0].day];
		bool		same = true;

		for (size_t i = 1; same && i < count; i++)
		{
			const KeySlot *key = &keys[pairs[i].day];

			if ((i & 0xffff) == 0)
				CHECK_FOR_INTERRUPTS();
			same = key->size >= depth + 8 && first->size >= depth + 8 &&
				memcmp(key->bytes + depth, first->bytes + depth, 8) == 0;
		}
		if (!same || count < 2)
			break;
		depth += 8;
	}

	for (size_t i = 0; i < count; i++)
	{
		const KeySlot *key = &keys[pairs[i].day];
		uint64_t	word = 0;

		if ((i & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
		for (uint32 j = depth; j < depth + 8; j++)
			word = word << 8 | (j < key->size ? key->bytes[j] : 0);
		pairs[i].key = word;
		any_left |= key->size > depth;
	}
	if (!any_left)
		return;					/* zero bytes after all: a damaged value's keys */
	sort_rows(pairs, scratch, count, history_host.check_cancel);

	for (size_t i = 1; i <= count; i++)
	{
		if (i < count && pairs[i].key == pairs[start].key)
			continue;
		if (i - start > 1)
			sort_keys(keys, pairs + start, scratch + start, i - start, depth + 8);
		start = i;
	}
}

/* Gives rows the ranks of their keys, and returns the keys' numbers by rank. */
static uint32 *
rank_keys(HistoryState *state)
{
	Size		size = state->key_count * sizeof(HistoryRow);
	HistoryRow *pairs = history_host.resize(NULL, size);
	HistoryRow *scratch = history_host.resize(NULL, size);
	uint32	   *order;
	uint32	   *ranks;

	for (size_t i = 0; i < state->key_count; i++)
		pairs[i] = (HistoryRow) {0, (uint32) i, 0};
	sort_keys(state->keys, pairs, scratch, state->key_count, 0);
	pfree(scratch);

	order = history_host.resize(NULL, state->key_count * sizeof(uint32));
	ranks = history_host.resize(NULL, state->key_count * sizeof(uint32));
	for (size_t i = 0; i < state->key_count; i++)
	{
		order[i] = pairs[i].day;
		ranks[pairs[i].day] = (uint32) i;
	}
	pfree(pairs);

	for (size_t b = 0; b < state->tail.block_count; b++)
	{
		int			in_block = rows_in_block(&state->tail, b);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < in_block; i++)
		{
			HistoryRow *row = &state->tail.blocks[b][i];

			row->key = ranks[row->key];
		}
	}
	pfree(ranks);
	return order;
}

static uint32
first_row_day(const RowList *list)
{
	uint32		first = PG_UINT32_MAX;

	for (size_t b = 0; b < list->block_count; b++)
	{
		int			in_block = rows_in_block(list, b);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < in_block; i++)
			first = Min(first, ROW_DAY(&list->blocks[b][i]));
	}
	return first;
}

static void merge_runs(HistoryState *state);
static void resolve_pending(HistoryState *state);

static void
add_run(HistoryState *state, CustomerHistory *run)
{
	if (state->run_count == state->run_capacity)
	{
		state->run_capacity = Max(state->run_capacity * 2, 8);
		state->runs = history_host.resize(state->runs,
										  state->run_capacity * sizeof(CustomerHistory *));
	}
	state->runs[state->run_count++] = run;
	state->run_bytes += VARSIZE(run);
	if (state->run_count > 1 && state->run_bytes > 2 * state->merged_bytes + RUN_SLACK)
		merge_runs(state);
}

/* Turns the tail into a run. */
static void
flush_tail(HistoryState *state)
{
	MemoryContext old_context;
	RunBuilder	builder;
	size_t		cached;
	Day			first_day;

	resolve_pending(state);
	if (state->tail.rows == 0)
		return;

	old_context = MemoryContextSwitchTo(state->hdr.eoh_context);
	first_day = (Day) ((int64_t) first_row_day(&state->tail) + DAY_FIRST);
	builder.state = state;
	builder.key_order = state->key_type == HISTORY_KEY_BIGINT ? NULL : rank_keys(state);
	cached = Min(state->tail.rows, CACHED_ROWS);
	builder.cached = palloc(cached * sizeof(HistoryRow));
	builder.scratch = palloc(cached * sizeof(HistoryRow));
	history_writer_open(&builder.writer, &history_host, state->key_type,
						state->has_amounts, state->scale, first_day, VARHDRSZ);
	write_sorted(&builder, &state->tail);
	pfree(builder.cached);
	pfree(builder.scratch);
	if (builder.key_order != NULL)
		pfree(builder.key_order);

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
	add_run(state, history_of_writer(&builder.writer));
	MemoryContextSwitchTo(old_context);
}

/*
 * Whether less than half of the rows would remain if equal customer-days
 * were added up, judged by one customer-day in 64.
 */
static bool
tail_repeats_itself(HistoryState *state)
{
	RowList		sample = {0};
	HistoryRow *rows;
	HistoryRow *scratch;
	size_t		count;
	size_t		distinct = 0;

	for (size_t b = 0; b < state->tail.block_count; b++)
	{
		int			in_block = rows_in_block(&state->tail, b);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < in_block; i++)
		{
			const HistoryRow *row = &state->tail.blocks[b][i];

			if ((murmurhash32((uint32) row->key ^ (uint32) (row->key >> 32) * 31 ^
							  ROW_DAY(row) * 0x9e3779b1) & SAMPLE_MASK) == 0)
				*row_list_append(&sample, CurrentMemoryContext) = *row;
		}
	}

	count = sample.rows;
	rows = history_host.resize(NULL, (count + 1) * sizeof(HistoryRow));
	scratch = history_host.resize(NULL, (count + 1) * sizeof(HistoryRow));
	for (size_t i = 0; i < count; i++)
		rows[i] = sample.blocks[i / ROWS_PER_BLOCK][i % ROWS_PER_BLOCK];
	row_list_free(&sample);
	sort_rows(rows, scratch, count, history_host.check_cancel);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || rows[i].key != rows[i - 1].key ||
			ROW_DAY(&rows[i]) != ROW_DAY(&rows[i - 1]))
			distinct++;
	pfree(rows);
	pfree(scratch);
	return distinct * 2 < count || count == 0;
}

static void
check_tail(HistoryState *state)
{
	if (state->tail.rows >= MAX_TAIL_ROWS || state->key_bytes > MAX_KEY_BYTES ||
		tail_repeats_itself(state))
	{
		flush_tail(state);
		state->next_check = FIRST_CHECK_ROWS;
	}
	else
		state->next_check = Min(state->next_check * 4, MAX_TAIL_ROWS);
}

/* ---------- the large state ---------- */

static HistoryState *
large_create(MemoryContext parent, HistoryKeyType key_type)
{
	MemoryContext context = AllocSetContextCreate(parent, "customer_history state",
												  ALLOCSET_DEFAULT_SIZES);
	HistoryState *state = MemoryContextAllocZero(context, sizeof(HistoryState));

	EOH_init_header(&state->hdr, &state_methods, context);
	state->key_type = key_type;
	state->next_check = FIRST_CHECK_ROWS;
	return state;
}

static void
create_dictionary(HistoryState *state)
{
	state->key_context = AllocSetContextCreate(state->hdr.eoh_context,
											   "customer_history keys",
											   ALLOCSET_DEFAULT_SIZES);
	state->dictionary = dictionary_create(state->key_context, 64, &state->keys);
	state->key_capacity = 64;
	state->keys = MemoryContextAlloc(state->key_context,
									 state->key_capacity * sizeof(KeySlot));
	state->key_chunk_left = 0;
}

/* The number of a key of text or uuid; there is a free slot for a new one. */
static uint32
key_number(HistoryState *state, const HistoryKey *key, uint32 hash)
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
resolve_pending(HistoryState *state)
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
		*row_list_append(&state->tail, state->hdr.eoh_context) = pending->row;
	}
	state->pending_count = 0;
	state->pending_used = 0;
}

static void
append_pending(HistoryState *state, const HistoryKey *key, HistoryRow row)
{
	PendingRow *pending;

	if (state->pending_used + key->size > state->pending_capacity || state->pending == NULL)
	{
		MemoryContext old_context = MemoryContextSwitchTo(state->hdr.eoh_context);

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

static inline void
append_row(HistoryState *state, const HistoryKey *key, Day day, int32 amount, uint32 wide)
{
	HistoryRow	row = {0, (uint32_t) ((int64_t) day - DAY_FIRST) | wide, amount};

	if (state->key_type == HISTORY_KEY_BIGINT)
	{
		row.key = ROW_KEY_OF_NUMBER(key->number);
		*row_list_append(&state->tail, state->hdr.eoh_context) = row;
	}
	else
		append_pending(state, key, row);
}

/* An event whose amount is wide, or has other decimals than the tail. */
static pg_noinline void
large_add_unusual(HistoryState *state, const HistoryKey *key, const HistoryDay *event, int scale)
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
		rescale(&scaled.amount, scale, state->scale);
	}

	if (row_amount_of_event(&scaled, &amount))
	{
		append_row(state, key, event->day, amount, 0);
		return;
	}

	if (state->wide_count == state->wide_capacity)
	{
		MemoryContext old_context = MemoryContextSwitchTo(state->hdr.eoh_context);

		state->wide_capacity = Max(state->wide_capacity * 2, 64);
		state->wide = history_host.resize(state->wide, state->wide_capacity * sizeof(WideRow));
		MemoryContextSwitchTo(old_context);
	}
	state->wide[state->wide_count] =
		(WideRow) {scaled.orders, scaled.valued_orders, scaled.amount};
	append_row(state, key, event->day, (int32) state->wide_count++, ROW_WIDE);
}

static inline void
large_add(HistoryState *state, const HistoryKey *key, const HistoryDay *event, int scale)
{
	int32_t		amount;

	/* first, because it may begin a new tail */
	if (unlikely(state->tail.rows >= state->next_check))
		check_tail(state);
	if (likely(row_amount_of_event(event, &amount) &&
			   (amount == ROW_UNKNOWN || (state->has_amounts && scale == state->scale))))
		append_row(state, key, event->day, amount, 0);
	else
		large_add_unusual(state, key, event, scale);
}

static void
large_add_run(HistoryState *state, const CustomerHistory *value)
{
	MemoryContext old_context = MemoryContextSwitchTo(state->hdr.eoh_context);
	Size		size = VARSIZE_ANY_EXHDR(value) + VARHDRSZ;
	CustomerHistory *run = MemoryContextAllocHuge(CurrentMemoryContext, size);

	SET_VARSIZE(run, size);
	memcpy(VARDATA(run), VARDATA_ANY(value), size - VARHDRSZ);
	add_run(state, run);
	MemoryContextSwitchTo(old_context);
}

static void
merge_runs(HistoryState *state)
{
	MemoryContext old_context = MemoryContextSwitchTo(state->hdr.eoh_context);

	if (state->run_count > 1)
	{
		CustomerHistory *merged =
			history_merge_values((const CustomerHistory *const *) state->runs,
								 state->run_count);

		for (int i = 0; i < state->run_count; i++)
			pfree(state->runs[i]);
		state->runs[0] = merged;
		state->run_count = 1;
	}
	state->run_bytes = state->merged_bytes = VARSIZE(state->runs[0]);
	MemoryContextSwitchTo(old_context);
}

static const CustomerHistory *
large_value(HistoryState *state)
{
	flush_tail(state);
	merge_runs(state);
	return state->runs[0];
}

static Size
state_flat_size(ExpandedObjectHeader *eohptr)
{
	return VARSIZE(large_value((HistoryState *) eohptr));
}

static void
state_flatten(ExpandedObjectHeader *eohptr, void *result, Size allocated_size)
{
	const CustomerHistory *value = large_value((HistoryState *) eohptr);

	Assert(VARSIZE(value) == allocated_size);
	memcpy(result, value, allocated_size);
}

/* ---------- the small state ---------- */

static SmallHistory *
small_create(HistoryKeyType key_type, Size size)
{
	SmallHistory *small = palloc0(size);

	SET_VARSIZE(small, size);
	small->version = SMALL_VERSION;
	small->key_type = (uint8) key_type;
	return small;
}

/* So many bytes at the end, by their distance from it. */
static inline uint8_t *
small_place(const SmallHistory *small, uint64_t distance, Size size)
{
	if (distance > small->end_used || distance < size)
		history_raise_damage("it points outside itself");
	return (uint8_t *) small + VARSIZE(small) - distance;
}

static inline Size
small_free(const SmallHistory *small)
{
	return VARSIZE(small) - offsetof(SmallHistory, row) -
		small->rows * sizeof(HistoryRow) - small->end_used;
}

static uint32
small_put(SmallHistory *small, const void *bytes, Size size)
{
	small->end_used += (uint32) size;
	memcpy(small_place(small, small->end_used, size), bytes, size);
	return small->end_used;
}

static HistoryKey
small_key(const SmallHistory *small, const HistoryRow *row)
{
	HistoryKey	key = {0};

	if (small->key_type == HISTORY_KEY_BIGINT)
		key.number = ROW_NUMBER_OF_KEY(row->key);
	else
	{
		const uint8_t *place = small_place(small, row->key, sizeof(uint32));

		memcpy(&key.size, place, sizeof(uint32));
		key.bytes = place + sizeof(uint32);
		if (key.size > row->key - sizeof(uint32) ||
			(small->key_type == HISTORY_KEY_UUID && key.size != UUID_KEY_SIZE))
			history_raise_damage("it points outside itself");
	}
	return key;
}

static void
small_event(const SmallHistory *small, const HistoryRow *row, HistoryDay *event)
{
	WideRow		wide = {0};

	if (row->day & ROW_WIDE)
		memcpy(&wide, small_place(small, (uint32) row->amount, sizeof(WideRow)), sizeof(WideRow));
	row_event(row, &wide, event);
}

/* Brings the page's amounts to more decimals; false if they need more room. */
static bool
small_raise_scale(SmallHistory *small, int scale)
{
	for (int pass = 0; pass < 2; pass++)
	{
		for (uint32 i = 0; i < small->rows; i++)
		{
			HistoryRow *row = &small->row[i];
			HistoryDay	event;

			small_event(small, row, &event);
			if (!event_has_amount(&event))
				continue;
			rescale(&event.amount, small->scale, scale);
			if (row->day & ROW_WIDE)
			{
				WideRow		wide = {event.orders, event.valued_orders, event.amount};

				if (pass == 1)
					memcpy(small_place(small, (uint32) row->amount, sizeof(WideRow)),
						   &wide, sizeof(WideRow));
			}
			else
			{
				int32_t		amount;

				if (!row_amount_of_event(&event, &amount))
					return false;	/* only ever in the first pass */
				if (pass == 1)
					row->amount = amount;
			}
		}
	}
	small->scale = (uint8) scale;
	return true;
}

/* Adds an event to the page if there is room. */
static bool
small_add(SmallHistory *small, const HistoryKey *key, const HistoryDay *event, int scale)
{
	HistoryDay	scaled = *event;
	HistoryRow	row;
	bool		is_plain;
	bool		new_key = false;
	Size		wanted = sizeof(HistoryRow);

	if (event_has_amount(event))
	{
		if (small->has_amounts && scale > small->scale && !small_raise_scale(small, scale))
			return false;
		if (!small->has_amounts)
		{
			small->has_amounts = true;
			small->scale = (uint8) scale;
		}
		rescale(&scaled.amount, scale, small->scale);
	}

	row.day = (uint32_t) ((int64_t) event->day - DAY_FIRST);
	is_plain = row_amount_of_event(&scaled, &row.amount);
	if (!is_plain)
		wanted += sizeof(WideRow);

	if (small->key_type == HISTORY_KEY_BIGINT)
		row.key = ROW_KEY_OF_NUMBER(key->number);
	else
	{
		/* often a group is one customer: its key is there already */
		if (small->rows > 0)
		{
			const HistoryRow *last = &small->row[small->rows - 1];
			HistoryKey	last_key = small_key(small, last);

			row.key = last->key;
			new_key = history_compare_keys(small->key_type, &last_key, key) != 0;
		}
		else
			new_key = true;
		if (new_key)
			wanted += sizeof(uint32) + key->size;
	}

	if (wanted > small_free(small))
		return false;
	if (new_key)
	{
		small_put(small, key->bytes, key->size);
		row.key = small_put(small, &key->size, sizeof(uint32));
	}
	if (!is_plain)
	{
		WideRow		wide = {scaled.orders, scaled.valued_orders, scaled.amount};

		row.amount = (int32_t) small_put(small, &wide, sizeof(WideRow));
		row.day |= ROW_WIDE;
	}
	small->row[small->rows++] = row;
	return true;
}

static SmallHistory *
small_grow(const SmallHistory *small)
{
	Size		size = VARSIZE(small);
	SmallHistory *grown = small_create(small->key_type, size * 2);

	memcpy((char *) grown + VARHDRSZ, (const char *) small + VARHDRSZ,
		   offsetof(SmallHistory, row) - VARHDRSZ + small->rows * sizeof(HistoryRow));
	memcpy((char *) grown + VARSIZE(grown) - grown->end_used,
		   (const char *) small + VARSIZE(small) - small->end_used, small->end_used);
	return grown;
}

static int
compare_small_rows(const void *a, const void *b, void *arg)
{
	const SmallHistory *small = arg;
	HistoryKey	a_key = small_key(small, a);
	HistoryKey	b_key = small_key(small, b);
	int			order = history_compare_keys(small->key_type, &a_key, &b_key);

	if (order == 0)
		order = (ROW_DAY((const HistoryRow *) a) > ROW_DAY((const HistoryRow *) b)) -
			(ROW_DAY((const HistoryRow *) a) < ROW_DAY((const HistoryRow *) b));
	return order;
}

static const CustomerHistory *
small_value(const SmallHistory *small)
{
	HistoryRow	rows[SMALL_MAX / sizeof(HistoryRow)];
	HistoryRow	scratch[SMALL_MAX / sizeof(HistoryRow)];
	HistoryWriter writer;
	uint32		first = PG_UINT32_MAX;

	memcpy(rows, small->row, small->rows * sizeof(HistoryRow));
	if (small->key_type == HISTORY_KEY_BIGINT)
		sort_rows(rows, scratch, small->rows, history_host.check_cancel);
	else
		qsort_arg(rows, small->rows, sizeof(HistoryRow), compare_small_rows,
				  unconstify(SmallHistory *, small));
	for (uint32 i = 0; i < small->rows; i++)
		first = Min(first, ROW_DAY(&rows[i]));

	history_writer_open(&writer, &history_host, small->key_type, small->has_amounts,
						small->scale, (Day) ((int64_t) first + DAY_FIRST), VARHDRSZ);
	for (uint32 i = 0; i < small->rows; i++)
	{
		HistoryKey	key = small_key(small, &rows[i]);
		HistoryDay	event;

		small_event(small, &rows[i], &event);
		history_check(history_writer_add(&writer, &key, &event));
	}
	return history_of_writer(&writer);
}

/* ---------- any state ---------- */

static HistoryKeyType
value_key_type(const CustomerHistory *value)
{
	HistoryHeader header;
	const char *damage = history_read_header((const uint8_t *) VARDATA_ANY(value),
											 VARSIZE_ANY_EXHDR(value), &header);

	if (damage != NULL)
		history_raise_damage(damage);
	return header.key_type;
}

/* The large state that may be changed in place, or NULL. */
static inline HistoryState *
large_in_place(Datum state)
{
	varatt_expanded pointer;
	const void *datum = DatumGetPointer(state);

	if (state == (Datum) 0 || !VARATT_IS_EXTERNAL_EXPANDED_RW(datum))
		return NULL;
	memcpy(&pointer, VARDATA_EXTERNAL(datum), sizeof(pointer));
	return pointer.eohptr->eoh_methods == &state_methods ?
		(HistoryState *) pointer.eohptr : NULL;
}

/*
 * The state as one that rows can be added to, small or large, or (Datum) 0;
 * *key_type is set unless there is none.
 */
static Datum
writable_state(Datum state, MemoryContext aggregate_context, HistoryKeyType *key_type)
{
	struct varlena *value;

	if (state == (Datum) 0)
		return state;
	if (large_in_place(state) != NULL)
	{
		*key_type = large_in_place(state)->key_type;
		return state;
	}
	if (!history_is_large_state(state))
	{
		value = detoast(state);
		if (history_is_small_state(value))
		{
			*key_type = ((SmallHistory *) value)->key_type;
			return PointerGetDatum(value);
		}
	}

	/* a value: a combined state begins as the first partial one */
	*key_type = value_key_type(history_of_datum(state));
	return history_state_merge((Datum) 0, aggregate_context, state);
}

static HistoryState *
make_large(Datum state, MemoryContext aggregate_context, HistoryKeyType key_type)
{
	HistoryState *large;

	if (state != (Datum) 0 && history_is_large_state(state))
		return (HistoryState *) DatumGetEOHP(state);

	large = large_create(aggregate_context, key_type);
	if (state != (Datum) 0)
	{
		const SmallHistory *small = (const SmallHistory *) DatumGetPointer(state);

		for (uint32 i = 0; i < small->rows; i++)
		{
			HistoryKey	key = small_key(small, &small->row[i]);
			HistoryDay	event;

			small_event(small, &small->row[i], &event);
			large_add(large, &key, &event, small->scale);
		}
	}
	return large;
}

/* history_state_add for a state that is known to be writable. */
static Datum
add_event(Datum state, MemoryContext aggregate_context, HistoryKeyType key_type,
		  const HistoryKey *key, const HistoryDay *event, int scale)
{
	HistoryState *large;

	if (state == (Datum) 0)
		state = PointerGetDatum(small_create(key_type, SMALL_FIRST));
	if (!history_is_large_state(state))
	{
		SmallHistory *small = (SmallHistory *) DatumGetPointer(state);

		for (;;)
		{
			if (small_add(small, key, event, scale))
				return PointerGetDatum(small);
			if (VARSIZE(small) >= SMALL_MAX)
				break;
			small = small_grow(small);
		}
		state = PointerGetDatum(small);
	}
	large = make_large(state, aggregate_context, key_type);
	large_add(large, key, event, scale);
	return EOHPGetRWDatum(&large->hdr);
}

Datum
history_state_add(Datum state, MemoryContext aggregate_context,
				  HistoryKeyType key_type, const HistoryKey *key,
				  const HistoryDay *event, int scale)
{
	HistoryKeyType state_key_type = key_type;
	HistoryState *large = large_in_place(state);

	if (likely(large != NULL && large->key_type == key_type))
	{
		large_add(large, key, event, scale);
		return state;
	}

	state = writable_state(state, aggregate_context, &state_key_type);
	if (state_key_type != key_type)
		history_raise_key_types(state_key_type, key_type);
	return add_event(state, aggregate_context, key_type, key, event, scale);
}

Datum
history_state_merge(Datum state, MemoryContext aggregate_context, Datum other)
{
	HistoryKeyType key_type = 0;
	struct varlena *value = NULL;

	if (history_is_large_state(other))
		value = unconstify(CustomerHistory *, history_of_datum(other));
	else
		value = detoast(other);

	state = writable_state(state, aggregate_context, &key_type);

	if (history_is_small_state(value))
	{
		const SmallHistory *small = (const SmallHistory *) value;

		if (state != (Datum) 0 && key_type != small->key_type)
			history_raise_key_types(key_type, small->key_type);
		for (uint32 i = 0; i < small->rows; i++)
		{
			HistoryKey	key = small_key(small, &small->row[i]);
			HistoryDay	event;

			small_event(small, &small->row[i], &event);
			state = add_event(state, aggregate_context, small->key_type,
							  &key, &event, small->scale);
		}
		return state;
	}

	if (state != (Datum) 0 && key_type != value_key_type(value))
		history_raise_key_types(key_type, value_key_type(value));
	key_type = value_key_type(value);

	if (VARSIZE_ANY(value) >= MIN_RUN_SIZE)
	{
		HistoryState *large = make_large(state, aggregate_context, key_type);

		large_add_run(large, value);
		state = EOHPGetRWDatum(&large->hdr);
	}
	else
	{
		HistoryReader reader;
		HistoryDay	event;

		history_open_value(&reader, value, true);
		while (history_next_customer(&reader))
			while (history_next_day(&reader, &event))
				state = add_event(state, aggregate_context, key_type,
								  &reader.key, &event, reader.header.scale);
		history_close_value(&reader);
	}
	return state;
}

const CustomerHistory *
history_state_value(Datum state)
{
	struct varlena *value;

	if (history_is_large_state(state))
		return large_value((HistoryState *) DatumGetEOHP(state));
	value = detoast(state);
	if (history_is_small_state(value))
		return small_value((const SmallHistory *) value);
	return value;
}

/* ---------- merging flat values ---------- */

typedef struct MergeSource
{
	HistoryReader reader;
	HistoryDay	event;
} MergeSource;

static bool
source_next(MergeSource *source, int scale)
{
	while (!history_next_day(&source->reader, &source->event))
		if (!history_next_customer(&source->reader))
		{
			history_close_value(&source->reader);
			return false;
		}
	rescale(&source->event.amount, source->reader.header.scale, scale);
	return true;
}

static inline bool
source_before(const MergeSource *a, const MergeSource *b)
{
	int			order = history_compare_keys(a->reader.header.key_type,
											 &a->reader.key, &b->reader.key);

	return order < 0 || (order == 0 && a->event.day < b->event.day);
}

static void
sift_down(MergeSource **heap, int count, int i)
{
	MergeSource *source = heap[i];

	for (;;)
	{
		int			child = 2 * i + 1;

		if (child >= count)
			break;
		if (child + 1 < count && source_before(heap[child + 1], heap[child]))
			child++;
		if (!source_before(heap[child], source))
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = source;
}

CustomerHistory *
history_merge_values(const CustomerHistory *const *values, int count)
{
	MergeSource *sources = palloc(count * sizeof(MergeSource));
	MergeSource **heap = palloc(count * sizeof(MergeSource *));
	int			heap_count = 0;
	bool		has_amounts = false;
	int			scale = 0;
	Day			first_day = DAY_LAST;
	uint64		steps = 0;
	HistoryKeyType key_type;
	HistoryWriter writer;

	for (int i = 0; i < count; i++)
	{
		const HistoryHeader *header = &sources[i].reader.header;

		history_open_value(&sources[i].reader, values[i], true);
		if (header->key_type != sources[0].reader.header.key_type)
			history_raise_key_types(sources[0].reader.header.key_type, header->key_type);
		has_amounts |= header->has_amounts;
		scale = Max(scale, header->scale);
		first_day = Min(first_day, header->first_day);
	}
	key_type = sources[0].reader.header.key_type;

	for (int i = 0; i < count; i++)
		if (source_next(&sources[i], scale))
			heap[heap_count++] = &sources[i];
	for (int i = heap_count / 2 - 1; i >= 0; i--)
		sift_down(heap, heap_count, i);

	history_writer_open(&writer, &history_host, key_type, has_amounts, scale,
						first_day, VARHDRSZ);
	while (heap_count > 0)
	{
		/* long keys take their time */
		steps += 1 + heap[0]->reader.key.size / 16;
		if (steps >= HISTORY_CANCEL_STEPS)
		{
			CHECK_FOR_INTERRUPTS();
			steps = 0;
		}
		history_check(history_writer_add(&writer, &heap[0]->reader.key, &heap[0]->event));
		if (!source_next(heap[0], scale))
			heap[0] = heap[--heap_count];
		if (heap_count > 0)
			sift_down(heap, heap_count, 0);
	}

	for (int i = 0; i < count; i++)
		if (sources[i].reader.key_buffer != NULL)
			pfree(sources[i].reader.key_buffer);
	pfree(sources);
	pfree(heap);
	return history_of_writer(&writer);
}
