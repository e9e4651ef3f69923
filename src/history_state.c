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
 * A state begins as a log, for the many groups of few rows, whose cost is
 * waiting for memory.  A row is a record of a few bytes, by its distance from
 * the first row.  The latest records are kept in the state itself and moved
 * to a list of chunks several at a time: a row touches its state, which does
 * not move and lies beside what nodeAgg has just read of the group, and
 * nothing else.  When the value is wanted, records become rows again, which
 * are sorted and written out; when the log is big, they become the tail of a
 * large state.
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

/* Sizes of a log's chunks; a log becomes large when they exceed so much together. */
#define LOG_FIRST_CHUNK		128
#define LOG_MAX_CHUNK		8192
#define LOG_MAX_SIZE		((Size) 128 * 1024)

/* ---------- the forms ---------- */

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

typedef struct LargeState
{
	MemoryContext context;
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
} LargeState;

/* The end of a chunk of a log; records are before it. */
typedef struct LogChunk
{
	struct LogChunk *next;		/* after the last one comes the first */
	uint32		before;			/* size of all chunks before this one */
	uint16		size;			/* with this */
	uint16		unused;			/* set when the next chunk comes */
} LogChunk;

/* Fields are written and read as words, which may reach into what follows. */
#define RECORD_MAX			(1 + 2 * (int) sizeof(uint64))
#define STAGE_SIZE			48

/*
 * An expanded object, allocated in the aggregate's context when its group
 * begins and so beside what nodeAgg remembers of the group.  It never moves,
 * and nodeAgg need not copy it.
 */
typedef struct HistoryState
{
	ExpandedObjectHeader hdr;
	union
	{
		int64		number;		/* bigint: of the first row */
		const uint8_t *bytes;	/* text and uuid: of the latest row, in the log */
	}			key;
	uint32		day;			/* of the first row, after DAY_FIRST */
	uint32		rows;			/* of the log */
	uint8		key_type;
	uint8		scale;			/* of the log's amounts */
	bool		has_amounts;
	bool		is_large;
	uint8		staged;			/* bytes used in stage */
	bool		was_damaged;	/* by a damaged value; with assertions only */
	uint16		log_left;		/* bytes free in the log's last chunk */
	union
	{
		uint8_t    *log_end;	/* where they are; NULL: all rows are in stage */
		LargeState *large;
	}			body;
	uint8_t		stage[STAGE_SIZE];
} HistoryState;

StaticAssertDecl(sizeof(HistoryState) <= 128, "palloc would take 256 bytes");

static Size state_flat_size(ExpandedObjectHeader *eohptr);
static void state_flatten(ExpandedObjectHeader *eohptr, void *result, Size allocated_size);

static const ExpandedObjectMethods state_methods = {state_flat_size, state_flatten};

bool
history_is_state(Datum datum)
{
	return VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(datum)) &&
		DatumGetEOHP(datum)->eoh_methods == &state_methods;
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

/* ---------- what always holds ---------- */

/*
 * Checked by builds with assertions: a few numbers after every row, all rows
 * of a tail when it becomes a run, all bytes of a value when it is done.  What
 * a damaged value was merged into may be no better than that.
 */
#ifdef USE_ASSERT_CHECKING

static bool
value_is_sound(const CustomerHistory *value)
{
	return history_validate((const uint8_t *) VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value),
							&history_host, NULL) == NULL;
}

static bool
large_is_sound(const LargeState *state)
{
	size_t		blocks = (state->tail.rows + ROWS_PER_BLOCK - 1) / ROWS_PER_BLOCK;
	bool		has_keys = state->key_context != NULL;

	return state->tail.block_count == blocks && blocks <= state->tail.block_capacity &&
		state->scale <= HISTORY_MAX_SCALE && (state->has_amounts || state->scale == 0) &&
		state->wide_count <= state->wide_capacity && state->wide_count <= state->tail.rows + KEY_BATCH &&
		state->pending_count >= 0 && state->pending_count < KEY_BATCH &&
		state->pending_used <= state->pending_capacity &&
		(state->key_type != HISTORY_KEY_BIGINT || (!has_keys && state->pending == NULL)) &&
		(has_keys ? state->key_count <= state->key_capacity && state->dictionary->members == state->key_count :
		 state->key_count == 0) &&
		state->run_count >= 0 && state->run_count <= state->run_capacity &&
		(state->run_count > 0) == (state->run_bytes > 0) &&
		state->merged_bytes <= state->run_bytes;
}

static bool
tail_is_sound(const LargeState *state)
{
	for (size_t b = 0; b < state->tail.block_count; b++)
	{
		int			in_block = rows_in_block(&state->tail, b);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < in_block; i++)
		{
			const HistoryRow *row = &state->tail.blocks[b][i];

			if (ROW_DAY(row) > (uint32) ((int64) DAY_LAST - DAY_FIRST) ||
				(state->key_type != HISTORY_KEY_BIGINT && row->key >= state->key_count) ||
				((row->day & ROW_WIDE) && (size_t) (uint32) row->amount >= state->wide_count) ||
				(!(row->day & ROW_WIDE) && row->amount != ROW_UNKNOWN && !state->has_amounts))
				return false;
		}
	}
	return true;
}

static bool
log_is_sound(const HistoryState *state)
{
	const LogChunk *last = state->body.log_end == NULL ? NULL :
		(const LogChunk *) (state->body.log_end + state->log_left);

	if (last == NULL ? state->log_left != 0 :
		last->next == NULL || last->size < LOG_FIRST_CHUNK || last->size > LOG_MAX_CHUNK ||
		(Size) last->before + last->size > LOG_MAX_SIZE ||
		state->log_left > last->size - sizeof(LogChunk))
		return false;
	return state->staged <= STAGE_SIZE &&
		state->scale <= HISTORY_MAX_SCALE && (state->has_amounts || state->scale == 0) &&
		state->day <= (uint32) ((int64) DAY_LAST - DAY_FIRST) &&
		(state->rows > 0) == (last != NULL || state->staged > 0) &&
		(state->rows == 0 || state->key_type == HISTORY_KEY_BIGINT || state->key.bytes != NULL);
}

static bool
state_is_sound(const HistoryState *state)
{
	if (state->key_type < HISTORY_KEY_BIGINT || state->key_type > HISTORY_KEY_UUID)
		return false;
	return state->is_large ?
		state->body.large->key_type == (HistoryKeyType) state->key_type && large_is_sound(state->body.large) :
		log_is_sound(state);
}

#endif							/* USE_ASSERT_CHECKING */

/* ---------- from the tail to a run ---------- */

typedef struct RunBuilder
{
	LargeState *state;
	HistoryWriter writer;
	uint32	   *key_order;		/* numbers of keys by rank; NULL for bigint */
	HistoryRow *cached;			/* CACHED_ROWS, twice */
	HistoryRow *scratch;
} RunBuilder;

static void
write_row(RunBuilder *builder, const HistoryRow *row)
{
	LargeState *state = builder->state;
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
rank_keys(LargeState *state)
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

static void merge_runs(LargeState *state);
static void resolve_pending(LargeState *state);

static void
add_run(LargeState *state, CustomerHistory *run)
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
flush_tail(LargeState *state)
{
	MemoryContext old_context;
	RunBuilder	builder;
	size_t		cached;
	Day			first_day;

	resolve_pending(state);
	if (state->tail.rows == 0)
		return;
	Assert(tail_is_sound(state));

	old_context = MemoryContextSwitchTo(state->context);
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
tail_repeats_itself(LargeState *state)
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
check_tail(LargeState *state)
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

static LargeState *
large_create(MemoryContext context, HistoryKeyType key_type)
{
	LargeState *state = MemoryContextAllocZero(context, sizeof(LargeState));

	state->context = context;
	state->key_type = key_type;
	state->next_check = FIRST_CHECK_ROWS;
	return state;
}

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

/* The number of a key of text or uuid; there is a free slot for a new one. */
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
		*row_list_append(&state->tail, state->context) = pending->row;
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

static inline void
append_row(LargeState *state, const HistoryKey *key, Day day, int32 amount, uint32 wide)
{
	HistoryRow	row = {0, (uint32_t) ((int64_t) day - DAY_FIRST) | wide, amount};

	if (state->key_type == HISTORY_KEY_BIGINT)
	{
		row.key = ROW_KEY_OF_NUMBER(key->number);
		*row_list_append(&state->tail, state->context) = row;
	}
	else
		append_pending(state, key, row);
}

/* An event whose amount is wide, or has other decimals than the tail. */
static pg_noinline void
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
		rescale(&scaled.amount, scale, state->scale);
	}

	if (row_amount_of_event(&scaled, &amount))
	{
		append_row(state, key, event->day, amount, 0);
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
	append_row(state, key, event->day, (int32) state->wide_count++, ROW_WIDE);
}

static inline void
large_add(LargeState *state, const HistoryKey *key, const HistoryDay *event, int scale)
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
large_add_run(LargeState *state, const CustomerHistory *value)
{
	MemoryContext old_context = MemoryContextSwitchTo(state->context);
	Size		size = VARSIZE_ANY_EXHDR(value) + VARHDRSZ;
	CustomerHistory *run = MemoryContextAllocHuge(CurrentMemoryContext, size);

	SET_VARSIZE(run, size);
	memcpy(VARDATA(run), VARDATA_ANY(value), size - VARHDRSZ);
	add_run(state, run);
	MemoryContextSwitchTo(old_context);
}

static void
merge_runs(LargeState *state)
{
	MemoryContext old_context = MemoryContextSwitchTo(state->context);

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
large_value(LargeState *state)
{
	flush_tail(state);
	merge_runs(state);
	Assert(large_is_sound(state));
	return state->runs[0];
}

/* ---------- the log ---------- */

/*
 * A record is a tag and what the tag gives the sizes of: the distance of the
 * key from the first row's, that of the day, the amount.  Distances have
 * their sign in the lowest bit, so that short ones are small numbers.
 *
 *	tag		bits 0-3	bytes of the key's distance; KEY_FOLLOWS: a key of
 *						text or uuid, uint32 size and bytes, follows the
 *						record; 0 for these types: the record before's key
 *			bits 4-5	bytes of the day's distance, less one
 *			bits 6-7	AmountKind
 */
#define TAG(key_size, day_size, kind)	((uint8) ((key_size) | ((day_size) - 1) << 4 | (kind) << 6))
#define TAG_KEY_SIZE(tag)	((tag) & 15)
#define TAG_DAY_SIZE(tag)	(((tag) >> 4 & 3) + 1)
#define TAG_AMOUNT(tag)		((AmountKind) ((tag) >> 6))
#define KEY_FOLLOWS			15

typedef enum AmountKind
{
	AMOUNT_UNKNOWN = 0,
	AMOUNT_UINT16 = 1,
	AMOUNT_INT32 = 2,
	AMOUNT_WIDE = 3				/* a WideRow follows */
} AmountKind;

#define AMOUNT_SIZE(kind)	((kind) == AMOUNT_WIDE ? 0 : 2 * (int) (kind))

static inline int
byte_length(uint64 value)
{
	return value == 0 ? 0 : (71 - __builtin_clzll(value)) / 8;
}

static inline uint64
fold_sign(int64 value)
{
	return (uint64) value << 1 ^ (uint64) (value >> 63);
}

static inline int64
unfold_sign(uint64 value)
{
	return (int64) (value >> 1 ^ -(value & 1));
}

/* Little-endian; eight bytes are written or read, and "size" of them count. */
static inline uint8_t *
put_word(uint8_t *to, uint64 value, int size)
{
#ifdef WORDS_BIGENDIAN
	value = __builtin_bswap64(value);
#endif
	memcpy(to, &value, sizeof(value));
	return to + size;
}

static inline uint64
get_word(const uint8_t *from, int size)
{
	uint64		value;

	memcpy(&value, from, sizeof(value));
#ifdef WORDS_BIGENDIAN
	value = __builtin_bswap64(value);
#endif
	return size == 0 ? 0 : value & PG_UINT64_MAX >> (64 - 8 * size);
}

/* The record but for what is wide or follows. */
static inline uint8_t *
put_row(uint8_t *to, uint64 key, int key_size, uint64 day, AmountKind kind, int32 amount)
{
	int			day_size = byte_length(day | 1);

	*to++ = TAG(key_size, day_size, kind);
	to = put_word(to, key, key_size == KEY_FOLLOWS ? 0 : key_size);
	return put_word(to, day | (uint64) (uint32) amount << 8 * day_size,
					day_size + AMOUNT_SIZE(kind));
}

static inline uint64
key_distance(const HistoryState *state, const HistoryKey *key)
{
	return state->key_type == HISTORY_KEY_BIGINT ?
		fold_sign((int64) ((uint64) key->number - (uint64) state->key.number)) : 0;
}

static inline uint64
day_distance(const HistoryState *state, Day day)
{
	return fold_sign((int64) day - DAY_FIRST - (int64) state->day);
}

static inline AmountKind
amount_kind(int32 amount)
{
	return amount == ROW_UNKNOWN ? AMOUNT_UNKNOWN :
		(uint32) amount <= PG_UINT16_MAX ? AMOUNT_UINT16 : AMOUNT_INT32;
}

static inline LogChunk *
log_last_chunk(const HistoryState *state)
{
	return state->body.log_end == NULL ? NULL :
		(LogChunk *) (state->body.log_end + state->log_left);
}

static inline uint8_t *
chunk_bytes(const LogChunk *chunk)
{
	return (uint8_t *) (chunk + 1) - chunk->size;
}

/* Makes room in the last chunk; false: the log would be too large. */
static pg_noinline bool
log_add_chunk(HistoryState *state, Size wanted)
{
	LogChunk   *last = log_last_chunk(state);
	Size		before = last == NULL ? 0 : (Size) last->before + last->size;
	uint16		left = state->log_left;
	Size		size = Max(before / 2, LOG_FIRST_CHUNK);	/* so much may be wasted */
	LogChunk   *chunk;

	if (wanted > LOG_MAX_CHUNK - sizeof(LogChunk))
		return false;
	size = pg_nextpower2_32((uint32) Max(Min(size, LOG_MAX_CHUNK), wanted + sizeof(LogChunk)));
	if (before + size > LOG_MAX_SIZE)
		return false;

	state->body.log_end = MemoryContextAlloc(state->hdr.eoh_context, size);
	state->log_left = (uint16) (size - sizeof(LogChunk));
	chunk = log_last_chunk(state);
	chunk->before = (uint32) before;
	chunk->size = (uint16) size;
	chunk->next = chunk;
	if (last != NULL)
	{
		last->unused = left;
		chunk->next = last->next;
		last->next = chunk;
	}
	return true;
}

static inline bool
log_reserve(HistoryState *state, Size wanted)
{
	return likely(wanted <= state->log_left) || log_add_chunk(state, wanted);
}

static inline void
log_advance(HistoryState *state, Size size)
{
	state->body.log_end += size;
	state->log_left -= (uint16) size;
}

/* Moves what is in the stage to the chunks; false: the log would be too large. */
static bool
log_flush(HistoryState *state)
{
	if (state->staged == 0)
		return true;
	if (!log_reserve(state, state->staged))
		return false;
	if (state->log_left >= STAGE_SIZE)
		memcpy(state->body.log_end, state->stage, STAGE_SIZE);	/* a few instructions */
	else
		memcpy(state->body.log_end, state->stage, state->staged);
	log_advance(state, state->staged);
	state->staged = 0;
	return true;
}

static void
log_free(const HistoryState *state)
{
	LogChunk   *last = log_last_chunk(state);

	if (last != NULL)
	{
		LogChunk   *chunk = last->next;

		while (chunk != last)
		{
			LogChunk   *next = chunk->next;

			pfree(chunk_bytes(chunk));
			chunk = next;
		}
		pfree(chunk_bytes(last));
	}
}

/* The rows of a log; what a row does not hold is elsewhere, as in the tail. */
typedef struct LogRows
{
	HistoryKeyType key_type;
	HistoryRow *row;			/* of text and uuid the key is where its size stands in the log */
	HistoryRow *scratch;
	uint32		count;
	uint32		first_day;
	WideRow    *wide;
	uint32		wide_count;
	uint32		wide_capacity;
} LogRows;

static void
log_read_records(const HistoryState *state, LogRows *rows, const uint8_t *from, const uint8_t *end)
{
	HistoryRow *row = rows->row + rows->count;
	bool		is_bigint = state->key_type == HISTORY_KEY_BIGINT;
	uint64		first_key = ROW_KEY_OF_NUMBER(state->key.number);
	uint32		first_day = rows->first_day;

	while (from < end)
	{
		uint8		tag = *from++;
		int			key_size = TAG_KEY_SIZE(tag);
		int			day_size = TAG_DAY_SIZE(tag);
		AmountKind	kind = TAG_AMOUNT(tag);
		uint64		word;

		if (is_bigint)
		{
			row->key = first_key + (uint64) unfold_sign(get_word(from, key_size));
			from += key_size;
		}
		word = get_word(from, day_size + AMOUNT_SIZE(kind));
		from += day_size + AMOUNT_SIZE(kind);
		row->day = state->day + (uint32) unfold_sign(word & PG_UINT64_MAX >> (64 - 8 * day_size));
		first_day = Min(first_day, row->day);
		if (likely(kind != AMOUNT_WIDE))
			row->amount = kind == AMOUNT_UNKNOWN ? ROW_UNKNOWN : (int32) (word >> 8 * day_size);
		else
		{
			if (rows->wide_count == rows->wide_capacity)
			{
				rows->wide_capacity = Max(rows->wide_capacity * 2, 8);
				rows->wide = history_host.resize(rows->wide, rows->wide_capacity * sizeof(WideRow));
			}
			memcpy(&rows->wide[rows->wide_count], from, sizeof(WideRow));
			from += sizeof(WideRow);
			row->day |= ROW_WIDE;
			row->amount = (int32) rows->wide_count++;
		}
		if (!is_bigint)
		{
			row->key = row == rows->row ? 0 : row[-1].key;
			if (key_size == KEY_FOLLOWS)
			{
				uint32		size;

				row->key = (uintptr_t) from;
				memcpy(&size, from, sizeof(size));
				from += sizeof(size) + size;
			}
		}
		row++;
	}
	Assert(from == end);
	rows->count = (uint32) (row - rows->row);
	rows->first_day = first_day;
}

/* Reads the log, which is not empty and must not go away before its rows. */
static void
log_read(const HistoryState *state, LogRows *rows)
{
	LogChunk   *last = log_last_chunk(state);
	uint8_t		stage[STAGE_SIZE + sizeof(uint64)];

	memset(rows, 0, sizeof(*rows));
	rows->key_type = state->key_type;
	rows->first_day = state->day;
	rows->row = palloc(2 * state->rows * sizeof(HistoryRow));
	rows->scratch = rows->row + state->rows;
	if (last != NULL)
	{
		LogChunk   *chunk = last;

		last->unused = state->log_left;
		do
		{
			chunk = chunk->next;
			log_read_records(state, rows, chunk_bytes(chunk), (uint8_t *) chunk - chunk->unused);
		} while (chunk != last);
	}
	/* no key is ever in the stage, so none is in this copy of it */
	memcpy(stage, state->stage, STAGE_SIZE);
	log_read_records(state, rows, stage, stage + state->staged);
	Assert(rows->count == state->rows);
}

static void
log_rows_free(LogRows *rows)
{
	pfree(rows->row);
	if (rows->wide != NULL)
		pfree(rows->wide);
}

static HistoryKey
log_row_key(const LogRows *rows, const HistoryRow *row)
{
	HistoryKey	key = {0};

	if (rows->key_type == HISTORY_KEY_BIGINT)
		key.number = ROW_NUMBER_OF_KEY(row->key);
	else
	{
		key.bytes = (const uint8_t *) (uintptr_t) row->key + sizeof(uint32);
		memcpy(&key.size, key.bytes - sizeof(uint32), sizeof(uint32));
	}
	return key;
}

static void
log_row_event(const LogRows *rows, const HistoryRow *row, HistoryDay *event)
{
	row_event(row, (row->day & ROW_WIDE) ? &rows->wide[row->amount] : NULL, event);
}

static int
compare_log_rows(const void *a, const void *b, void *arg)
{
	const LogRows *rows = arg;
	HistoryKey	a_key = log_row_key(rows, a);
	HistoryKey	b_key = log_row_key(rows, b);
	int			order = history_compare_keys(rows->key_type, &a_key, &b_key);

	if (order == 0)
		order = (ROW_DAY((const HistoryRow *) a) > ROW_DAY((const HistoryRow *) b)) -
			(ROW_DAY((const HistoryRow *) a) < ROW_DAY((const HistoryRow *) b));
	return order;
}

static CustomerHistory *
log_value(const HistoryState *state)
{
	LogRows		rows;
	HistoryWriter writer;

	log_read(state, &rows);
	if (state->key_type == HISTORY_KEY_BIGINT)
		sort_rows(rows.row, rows.scratch, rows.count, history_host.check_cancel);
	else
		qsort_arg(rows.row, rows.count, sizeof(HistoryRow), compare_log_rows, &rows);
	history_writer_open(&writer, &history_host, state->key_type, state->has_amounts,
						state->scale, (Day) ((int64_t) rows.first_day + DAY_FIRST), VARHDRSZ);
	for (uint32 i = 0; i < rows.count; i++)
	{
		HistoryKey	key = log_row_key(&rows, &rows.row[i]);
		HistoryDay	event;

		if ((i & 0x3ff) == 0)
			CHECK_FOR_INTERRUPTS();
		log_row_event(&rows, &rows.row[i], &event);
		history_check(history_writer_add(&writer, &key, &event));
	}
	log_rows_free(&rows);
	return history_of_writer(&writer);
}

static void state_add(HistoryState *state, const HistoryKey *key,
					  const HistoryDay *event, int scale);

/* Makes the log an empty one and returns what it was, for log_replay. */
static HistoryState
log_take(HistoryState *state)
{
	HistoryState taken = *state;

	state->rows = 0;
	state->staged = 0;
	state->log_left = 0;
	state->body.log_end = NULL;
	return taken;
}

/* Adds the rows of a log to a state, one by one, and frees the log. */
static void
log_replay(const HistoryState *log, HistoryState *state)
{
	LogRows		rows;

	log_read(log, &rows);
	for (uint32 i = 0; i < rows.count; i++)
	{
		HistoryKey	key = log_row_key(&rows, &rows.row[i]);
		HistoryDay	event;

		log_row_event(&rows, &rows.row[i], &event);
		state_add(state, &key, &event, log->scale);
	}
	log_rows_free(&rows);
	log_free(log);
}

/* Whether a key of text or uuid is the latest row's. */
static inline bool
log_has_latest_key(const HistoryState *state, const HistoryKey *key)
{
	uint32		size;

	memcpy(&size, state->key.bytes, sizeof(size));
	return size == key->size && memcmp(state->key.bytes + sizeof(size), key->bytes, size) == 0;
}

/* A record that fits the stage; false: the log would be too large. */
static pg_attribute_always_inline bool
log_add_plain(HistoryState *state, const HistoryKey *key, Day day, int32 amount)
{
	uint64		distance = key_distance(state, key);
	uint8_t    *end;

	if (unlikely(state->staged > STAGE_SIZE - RECORD_MAX) && !log_flush(state))
		return false;
	end = put_row(state->stage + state->staged, distance, byte_length(distance),
				  day_distance(state, day), amount_kind(amount), amount);
	state->staged = (uint8) (end - state->stage);
	state->rows++;
	return true;
}

/* The first row, a key of text or uuid, or an amount that is wide or of other decimals. */
static pg_noinline bool
log_add_unusual(HistoryState *state, const HistoryKey *key, const HistoryDay *event, int scale)
{
	HistoryDay	scaled = *event;
	int32		amount = ROW_UNKNOWN;
	AmountKind	kind;
	bool		key_follows;
	uint64		distance;
	uint8_t    *to;

	if (event_has_amount(event))
	{
		if (state->has_amounts && scale > state->scale)
		{
			/* happens once per number of decimals */
			HistoryState log = log_take(state);

			state->scale = (uint8) scale;
			log_replay(&log, state);
			if (state->is_large)
				return false;
		}
		if (!state->has_amounts)
		{
			state->has_amounts = true;
			state->scale = (uint8) scale;
		}
		rescale(&scaled.amount, scale, state->scale);
	}
	kind = row_amount_of_event(&scaled, &amount) ? amount_kind(amount) : AMOUNT_WIDE;

	if (state->rows == 0)
	{
		state->day = (uint32) ((int64) event->day - DAY_FIRST);
		state->key.number = key->number;
	}
	key_follows = state->key_type != HISTORY_KEY_BIGINT &&
		(state->rows == 0 || !log_has_latest_key(state, key));
	if (kind != AMOUNT_WIDE && !key_follows)
		return log_add_plain(state, key, event->day, amount);

	/* straight to the chunks, where keys stay in place */
	if (!log_flush(state) ||
		!log_reserve(state, RECORD_MAX + sizeof(WideRow) + sizeof(uint32) + (Size) key->size))
		return false;
	distance = key_distance(state, key);
	to = put_row(state->body.log_end, distance, key_follows ? KEY_FOLLOWS : byte_length(distance),
				 day_distance(state, event->day), kind, amount);
	if (kind == AMOUNT_WIDE)
	{
		WideRow		wide = {scaled.orders, scaled.valued_orders, scaled.amount};

		memcpy(to, &wide, sizeof(wide));
		to += sizeof(wide);
	}
	if (key_follows)
	{
		state->key.bytes = to;
		memcpy(to, &key->size, sizeof(uint32));
		to += sizeof(uint32);
		if (key->size > 0)
			memcpy(to, key->bytes, key->size);
		to += key->size;
	}
	log_advance(state, (Size) (to - state->body.log_end));
	state->rows++;
	return true;
}

/* false: the log would be too large */
static pg_attribute_always_inline bool
log_add(HistoryState *state, const HistoryKey *key, const HistoryDay *event, int scale)
{
	int32_t		amount;

	if (likely(state->rows > 0 && state->key_type == HISTORY_KEY_BIGINT &&
			   row_amount_of_event(event, &amount) &&
			   (amount == ROW_UNKNOWN || (state->has_amounts && scale == state->scale))))
		return log_add_plain(state, key, event->day, amount);
	return log_add_unusual(state, key, event, scale);
}

/* ---------- any state ---------- */

#define STATES_CONTEXT		"customer_history states"
#define STATES_SEARCH		8

/*
 * Where the states of an aggregation keep all but themselves: one context,
 * a child of the aggregate's, for all groups.  It makes nodeAgg take states
 * over without copying, and goes away with the aggregate's.
 *
 * Whoever would delete one state as an expanded object would delete all:
 * nodeAgg does it when a transition returns another state, which those here
 * never do.
 */
static MemoryContext
states_context(MemoryContext aggregate_context)
{
	MemoryContext child = aggregate_context->firstchild;

	/* other aggregates may have put theirs before it: then there are two */
	for (int i = 0; child != NULL && i < STATES_SEARCH; i++, child = child->nextchild)
		if (strcmp(child->name, STATES_CONTEXT) == 0)
			return child;
	return AllocSetContextCreate(aggregate_context, STATES_CONTEXT, ALLOCSET_DEFAULT_SIZES);
}

static HistoryState *
state_create(MemoryContext aggregate_context, HistoryKeyType key_type)
{
	HistoryState *state = MemoryContextAllocZero(aggregate_context, sizeof(HistoryState));

	EOH_init_header(&state->hdr, &state_methods, states_context(aggregate_context));
	state->key_type = (uint8) key_type;
	return state;
}

static LargeState *
make_large(HistoryState *state)
{
	if (!state->is_large)
	{
		HistoryState log = log_take(state);

		state->is_large = true;
		state->body.large = large_create(state->hdr.eoh_context, state->key_type);
		if (log.rows > 0)
			log_replay(&log, state);
	}
	return state->body.large;
}

/* In line once, where rows come from. */
static pg_attribute_always_inline void
state_add_inline(HistoryState *state, const HistoryKey *key, const HistoryDay *event, int scale)
{
	if (state->is_large || !log_add(state, key, event, scale))
		large_add(make_large(state), key, event, scale);
	Assert(state_is_sound(state));
}

static void
state_add(HistoryState *state, const HistoryKey *key, const HistoryDay *event, int scale)
{
	state_add_inline(state, key, event, scale);
}

/* The value of a state that will ask for it again, and be added to no more. */
static const CustomerHistory *
state_flat_value(HistoryState *state)
{
	const CustomerHistory *value;

	if (!state->is_large)
	{
		MemoryContext old_context = MemoryContextSwitchTo(state->hdr.eoh_context);
		HistoryState log = log_take(state);

		add_run(make_large(state), log_value(&log));
		log_free(&log);
		MemoryContextSwitchTo(old_context);
	}
	value = large_value(state->body.large);
	Assert(state->was_damaged || value_is_sound(value));
	return value;
}

static Size
state_flat_size(ExpandedObjectHeader *eohptr)
{
	return VARSIZE(state_flat_value((HistoryState *) eohptr));
}

static void
state_flatten(ExpandedObjectHeader *eohptr, void *result, Size allocated_size)
{
	const CustomerHistory *value = state_flat_value((HistoryState *) eohptr);

	Assert(VARSIZE(value) == allocated_size);
	memcpy(result, value, allocated_size);
}

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

/* The state that may be changed in place, or NULL. */
static inline HistoryState *
state_in_place(Datum state)
{
	varatt_expanded pointer;
	const void *datum = DatumGetPointer(state);

	if (state == (Datum) 0 || !VARATT_IS_EXTERNAL_EXPANDED_RW(datum))
		return NULL;
	memcpy(&pointer, VARDATA_EXTERNAL(datum), sizeof(pointer));
	return pointer.eohptr->eoh_methods == &state_methods ?
		(HistoryState *) pointer.eohptr : NULL;
}

static HistoryState *state_merge(HistoryState *state, MemoryContext aggregate_context,
								 const CustomerHistory *value);

/* A datum as a state that rows can be added to, or NULL for (Datum) 0. */
static HistoryState *
writable_state(Datum datum, MemoryContext aggregate_context)
{
	HistoryState *state = state_in_place(datum);

	/* a value: a combined state may begin as the first partial one */
	if (state == NULL && datum != (Datum) 0)
		state = state_merge(NULL, aggregate_context, history_of_datum(datum));
	return state;
}

/* Adds all events of a value to a state, which is created if it is NULL. */
static HistoryState *
state_merge(HistoryState *state, MemoryContext aggregate_context, const CustomerHistory *value)
{
	HistoryKeyType key_type = value_key_type(value);

	if (state == NULL)
		state = state_create(aggregate_context, key_type);
	else if (state->key_type != key_type)
		history_raise_key_types(state->key_type, key_type);
#ifdef USE_ASSERT_CHECKING
	state->was_damaged |= !value_is_sound(value);
#endif

	if (VARSIZE_ANY(value) >= MIN_RUN_SIZE)
		large_add_run(make_large(state), value);
	else
	{
		HistoryReader reader;
		HistoryDay	event;

		history_open_value(&reader, value, true);
		while (history_next_customer(&reader))
			while (history_next_day(&reader, &event))
				state_add(state, &reader.key, &event, reader.header.scale);
		history_close_value(&reader);
	}
	Assert(state_is_sound(state));
	return state;
}

Datum
history_state_add(Datum datum, MemoryContext aggregate_context,
				  HistoryKeyType key_type, const HistoryKey *key,
				  const HistoryDay *event, int scale)
{
	HistoryState *state = state_in_place(datum);

	if (likely(state != NULL && state->key_type == key_type))
	{
		state_add_inline(state, key, event, scale);
		return datum;
	}

	state = writable_state(datum, aggregate_context);
	if (state == NULL)
		state = state_create(aggregate_context, key_type);
	if (state->key_type != key_type)
		history_raise_key_types(state->key_type, key_type);
	state_add(state, key, event, scale);
	return EOHPGetRWDatum(&state->hdr);
}

Datum
history_state_merge(Datum datum, MemoryContext aggregate_context, Datum other)
{
	HistoryState *state = writable_state(datum, aggregate_context);

	state = state_merge(state, aggregate_context, history_of_datum(other));
	return EOHPGetRWDatum(&state->hdr);
}

const CustomerHistory *
history_state_value(Datum state)
{
	if (history_is_state(state))
	{
		HistoryState *own = (HistoryState *) DatumGetEOHP(state);
		const CustomerHistory *value = own->is_large ? large_value(own->body.large) : log_value(own);

		Assert(own->was_damaged || value_is_sound(value));
		return value;
	}
	return PG_DETOAST_DATUM(state);
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
	CustomerHistory *merged;
#ifdef USE_ASSERT_CHECKING
	bool		were_damaged = false;

	for (int i = 0; i < count; i++)
		were_damaged |= !value_is_sound(values[i]);
#endif

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
	merged = history_of_writer(&writer);
	Assert(were_damaged || value_is_sound(merged));
	return merged;
}
