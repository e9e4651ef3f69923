/*
 * history_state.c
 *	  Building histories: rows in, canonical bytes out.
 *
 * A state begins as a log, for the many groups of few rows, whose cost is
 * waiting for memory.  A row is a record of a few bytes, by its distance from
 * the first row.  The latest records are kept in the state itself and moved
 * to a list of chunks several at a time: a row touches its state, which does
 * not move, and nothing else.  Where groups are hashed it does so some rows
 * after it came, while memory is on its way.  When the value is wanted,
 * records become rows, which are sorted and written out; when the log is big,
 * they become the first rows of a large state (history_large.h).
 */
#include "postgres.h"

#include "access/detoast.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/expandeddatum.h"
#include "utils/memutils.h"

#include "compact_run.h"
#include "compat.h"
#include "history.h"
#include "history_large.h"
#include "history_parcel.h"
#include "history_sort.h"
#include "history_state.h"

/* A flat history below this is merged event by event, above as a run. */
#define MIN_RUN_SIZE		((Size) 64 * 1024)

/*
 * Sizes of a log's chunks; a log becomes large when they exceed so much
 * together.  Small ones let many groups write to few pages of memory.
 */
#define LOG_FIRST_CHUNK		128
#define LOG_MAX_CHUNK		512
#define LOG_LONG_CHUNK		8192	/* for a long key, if it has to be */
#define LOG_MAX_SIZE		((Size) 128 * 1024)

#define CACHE_LINE			64

/* From so many rows on it pays to write them as lists of days. */
#define LOG_LISTED_ROWS		64

/* ---------- the forms ---------- */

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
 * An expanded object that never moves, and that nodeAgg need not copy.  What
 * is needed to add a row are its last 80 bytes.
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
	bool		is_partial:1;	/* goes to history_state_combine */
	bool		was_damaged:1;	/* by a damaged value; with assertions only */
	uint16		log_left;		/* bytes free in the log's last chunk */
	union
	{
		uint8_t    *log_end;	/* where they are; NULL: all rows are in stage */
		LargeState *large;
	}			body;
	uint8_t		stage[STAGE_SIZE];
} HistoryState;

StaticAssertDecl(sizeof(HistoryState) <= 2 * CACHE_LINE, "palloc would take twice as much");

static Size state_flat_size(ExpandedObjectHeader *eohptr);
static void state_flatten(ExpandedObjectHeader *eohptr, void *result, Size allocated_size);
static void add_waiting_orders(const HistoryState *state);

static const ExpandedObjectMethods state_methods = {state_flat_size, state_flatten};

bool
history_is_state(Datum datum)
{
	return VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(datum)) &&
		DatumGetEOHP(datum)->eoh_methods == &state_methods;
}

/* ---------- what always holds ---------- */

/*
 * Checked by builds with assertions: a few numbers after every row, all rows
 * of a tail when it becomes a run, all bytes of a value when it is done.  What
 * a damaged value was merged into may be no better than that.
 */
#ifdef USE_ASSERT_CHECKING

static bool
log_is_sound(const HistoryState *state)
{
	const LogChunk *last = state->body.log_end == NULL ? NULL :
		(const LogChunk *) (state->body.log_end + state->log_left);

	if (last == NULL ? state->log_left != 0 :
		last->next == NULL || last->size < LOG_FIRST_CHUNK || last->size > LOG_LONG_CHUNK ||
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

/* ---------- the log ---------- */

/*
 * A record is a tag and what the tag gives the sizes of: the distance of the
 * key from the first row's, that of the day, the amount.  Distances have
 * their sign in the lowest bit, so that short ones are small numbers.
 *
 *	tag		bits 0-3	bytes of the key's distance, as a number whose lowest two
 *						bits are not both set: 0, 1, 2, 4, 5, 6, 8, ...;
 *						KEY_FOLLOWS: a key of text or uuid, uint32 size and bytes,
 *						follows the record; 0 for these types: the record before's
 *						key
 *			bits 4-5	bytes of the day's distance, less one
 *			bits 6-7	AmountKind
 *
 * Where the lowest two bits are set, the record is a common one (below).
 */
#define TAG_KEY(key_size)	((key_size) + (key_size) / 3)
#define TAG(key_size, day_size, kind)	((uint8) (TAG_KEY(key_size) | ((day_size) - 1) << 4 | (kind) << 6))
#define TAG_KEY_SIZE(tag)	(((tag) & 15) - ((tag) >> 2 & 3))
#define TAG_DAY_SIZE(tag)	(((tag) >> 4 & 3) + 1)
#define TAG_AMOUNT(tag)		((AmountKind) ((tag) >> 6))
#define KEY_FOLLOWS			9

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

/*
 * Most records of bigint keys are one word of five bytes, or of seven with an
 * amount:
 *
 *			bits 0-1	3
 *			bit 2		whether there is an amount
 *			bits 3-15	the day's distance
 *			bits 16-39	the key's
 *			bits 40-55	the amount
 */
#define COMMON_TAG(has_amount)	(3 | (has_amount) << 2)
#define COMMON_TAG_MASK		7
#define COMMON_DAYS			(1 << 13)
#define COMMON_KEYS			(1 << 24)
#define COMMON_SIZE(has_amount)	(5 + 2 * (has_amount))

static inline bool
row_is_common(uint64 key, uint64 day, int32 amount)
{
	/* shorter keys would become longer */
	return key - (1 << 8) < COMMON_KEYS - (1 << 8) && day < COMMON_DAYS &&
		((uint32) amount <= PG_UINT16_MAX || amount == ROW_UNKNOWN);
}

static inline uint8_t *
put_common_row(uint8_t *to, uint64 key, uint64 day, int32 amount)
{
	uint64		has_amount = amount != ROW_UNKNOWN;

	(void) put_word(to, COMMON_TAG(has_amount) | day << 3 | key << 16 |
					(uint64) (uint32) amount << 40, 8);
	return to + COMMON_SIZE(has_amount);
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
number_distance(const HistoryState *state, int64 number)
{
	return fold_sign((int64) ((uint64) number - (uint64) state->key.number));
}

static inline uint64
key_distance(const HistoryState *state, const HistoryKey *key)
{
	return state->key_type == HISTORY_KEY_BIGINT ? number_distance(state, key->number) : 0;
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

/*
 * Chunks of a log lie apart from each other: the next one is to come while one
 * is read.  Of whatever size it is; to look would be to wait for it.
 */
static inline void
chunk_prefetch(const LogChunk *chunk)
{
	const char *end = (const char *) (chunk + 1);

	for (int back = 1; back <= LOG_MAX_CHUNK; back += CACHE_LINE)
		__builtin_prefetch(end - back);
	__builtin_prefetch(end - LOG_MAX_CHUNK);
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

	if (wanted > LOG_LONG_CHUNK - sizeof(LogChunk))
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
	/* where the next ones will be moved to, in a page that was touched just now */
	__builtin_prefetch(state->body.log_end + STAGE_SIZE - 1, 1);
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
	RowsSeen	seen;			/* keys only where they are numbers */
	WideRow    *wide;
	uint32		wide_count;
	uint32		wide_capacity;
} LogRows;

/* As many common records of one kind as come; returns where another begins. */
static pg_attribute_always_inline const uint8_t *
log_read_common(const HistoryState *state, LogRows *rows, const uint8_t *from, const uint8_t *end,
				const bool has_amount)
{
	HistoryRow *row = rows->row + rows->count;
	RowsSeen	seen = rows->seen;
	uint64		first_key = ROW_KEY_OF_NUMBER(state->key.number);
	uint32		first_day = state->day;

	while (from < end)
	{
		uint64		word = get_word(from, 8);

		if ((word & COMMON_TAG_MASK) != COMMON_TAG(has_amount))
			break;
		row->key = first_key + (uint64) unfold_sign(word >> 16 & (COMMON_KEYS - 1));
		row->day = first_day + (uint32) unfold_sign(word >> 3 & (COMMON_DAYS - 1));
		row->amount = has_amount ? (int32) (word >> 40 & PG_UINT16_MAX) : ROW_UNKNOWN;
		see_key(&seen, row->key);
		see_day(&seen, row->day);
		from += COMMON_SIZE(has_amount);
		row++;
	}
	rows->count = (uint32) (row - rows->row);
	rows->seen = seen;
	return from;
}

static const uint8_t *
log_read_other(const HistoryState *state, LogRows *rows, const uint8_t *from)
{
	HistoryRow *row = &rows->row[rows->count];
	bool		is_bigint = state->key_type == HISTORY_KEY_BIGINT;
	uint8		tag = *from++;
	int			key_size = TAG_KEY_SIZE(tag);
	int			day_size = TAG_DAY_SIZE(tag);
	AmountKind	kind = TAG_AMOUNT(tag);
	uint64		word;

	if (is_bigint)
	{
		row->key = ROW_KEY_OF_NUMBER(state->key.number) +
			(uint64) unfold_sign(get_word(from, key_size));
		from += key_size;
		see_key(&rows->seen, row->key);
	}
	word = get_word(from, day_size + AMOUNT_SIZE(kind));
	from += day_size + AMOUNT_SIZE(kind);
	row->day = state->day + (uint32) unfold_sign(word & PG_UINT64_MAX >> (64 - 8 * day_size));
	see_day(&rows->seen, row->day);
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
	rows->count++;
	return from;
}

static void
log_read_records(const HistoryState *state, LogRows *rows, const uint8_t *from, const uint8_t *end)
{
	while (from < end)
	{
		switch (*from & COMMON_TAG_MASK)
		{
			case COMMON_TAG(false):
				from = log_read_common(state, rows, from, end, false);
				break;
			case COMMON_TAG(true):
				from = log_read_common(state, rows, from, end, true);
				break;
			default:
				from = log_read_other(state, rows, from);
				break;
		}
	}
	Assert(from == end);
}

/* Reads the log, which is not empty and must not go away before its rows. */
static void
log_read(const HistoryState *state, LogRows *rows)
{
	LogChunk   *last = log_last_chunk(state);
	uint8_t		stage[STAGE_SIZE + sizeof(uint64)];

	memset(rows, 0, sizeof(*rows));
	rows->key_type = state->key_type;
	rows->seen = (RowsSeen) NO_ROWS_SEEN;
	rows->row = palloc(2 * state->rows * sizeof(HistoryRow));
	rows->scratch = rows->row + state->rows;
	if (last != NULL)
	{
		LogChunk   *chunk = last;

		last->unused = state->log_left;
		do
		{
			chunk = chunk->next;
			chunk_prefetch(chunk->next);
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

/* The value of rows whose keys are numbers and none of which is wide; frees them. */
static CustomerHistory *
log_value_of_numbers(const HistoryState *state, LogRows *rows)
{
	CompactForm form = {.first_day = rows->seen.first_day};
	CompactRun	run;

	compact_run_open(&run, HISTORY_KEY_BIGINT, state->has_amounts, state->scale, &form);
	compact_run_write_rows(&run, rows->row, rows->count);
	log_rows_free(rows);
	return compact_run_finish(&run);
}

static CustomerHistory *
log_value(const HistoryState *state)
{
	LogRows		rows;
	HistoryWriter writer;

	log_read(state, &rows);
	if (state->key_type != HISTORY_KEY_BIGINT)
		qsort_arg(rows.row, rows.count, sizeof(HistoryRow), compare_log_rows, &rows);
	else
	{
		sort_seen_rows(rows.row, rows.scratch, rows.count, &rows.seen, history_host.check_cancel);
		if (rows.count >= LOG_LISTED_ROWS && rows.wide_count == 0)
			return log_value_of_numbers(state, &rows);
	}
	history_writer_open(&writer, &history_host, state->key_type, state->has_amounts,
						state->scale, (Day) ((int64_t) rows.seen.first_day + DAY_FIRST), VARHDRSZ);
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

/* A record that fits the stage, of these distances; false: the log would be too large. */
static pg_attribute_always_inline bool
log_add_plain(HistoryState *state, uint64 key, uint64 day, int32 amount)
{
	uint8_t    *to;

	if (unlikely(state->staged > STAGE_SIZE - RECORD_MAX) && !log_flush(state))
		return false;
	to = state->stage + state->staged;
	if (likely(row_is_common(key, day, amount)))
		to = put_common_row(to, key, day, amount);
	else
		to = put_row(to, key, byte_length(key), day, amount_kind(amount), amount);
	state->staged = (uint8) (to - state->stage);
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
		history_rescale(&scaled.amount, scale, state->scale);
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
		return log_add_plain(state, key_distance(state, key), day_distance(state, event->day), amount);

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
			   row_amount_fits(amount, scale, state->has_amounts, state->scale)))
		return log_add_plain(state, key_distance(state, key), day_distance(state, event->day), amount);
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

static void
state_init(HistoryState *state, MemoryContext states_context, HistoryKeyType key_type)
{
	memset(state, 0, sizeof(*state));
	EOH_init_header(&state->hdr, &state_methods, states_context);
	state->key_type = (uint8) key_type;
}

static HistoryState *
state_create(MemoryContext aggregate_context, HistoryKeyType key_type)
{
	HistoryState *state = MemoryContextAlloc(aggregate_context, sizeof(HistoryState));

	state_init(state, states_context(aggregate_context), key_type);
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
	if (state->is_large)
		large_add(state->body.large, key, event, scale);
	else if (!log_add(state, key, event, scale))
		large_add(make_large(state), key, event, scale);
	Assert(state_is_sound(state));
}

static void
state_add(HistoryState *state, const HistoryKey *key, const HistoryDay *event, int scale)
{
	state_add_inline(state, key, event, scale);
}

/*
 * The value of a state that will ask for it again, and be added to no more.
 * All happens in the state's memory: where a sort has its state flattened,
 * from PostgreSQL 17 on, nothing can be freed.
 */
static const CustomerHistory *
state_flat_value(HistoryState *state)
{
	MemoryContext old_context = MemoryContextSwitchTo(state->hdr.eoh_context);
	const CustomerHistory *value;

	if (!state->is_large)
	{
		HistoryState log = log_take(state);

		large_take_run(make_large(state), log_value(&log));
		log_free(&log);
	}
	value = large_value(state->body.large);
	Assert(state->was_damaged || history_is_sound(value));
	MemoryContextSwitchTo(old_context);
	return value;
}

static Size
state_flat_size(ExpandedObjectHeader *eohptr)
{
	HistoryState *state = (HistoryState *) eohptr;
	Size		size;

	add_waiting_orders(state);
	size = state->is_partial && state->is_large ? parcel_size(state->body.large) : 0;
	return size > 0 ? size : VARSIZE(state_flat_value(state));
}

static void
state_flatten(ExpandedObjectHeader *eohptr, void *result, Size allocated_size)
{
	HistoryState *state = (HistoryState *) eohptr;
	const CustomerHistory *value;

	if (state->is_partial && state->is_large && state->body.large->parcel_plan != NULL)
	{
		parcel_write(state->body.large, result);
		return;
	}
	value = state_flat_value(state);
	Assert(VARSIZE(value) == allocated_size);
	memcpy(result, value, allocated_size);
}

/*
 * The state that may be changed in place, or NULL.  What points to a state
 * lies in it: so where that is need not be read before the rest of the state.
 */
static inline HistoryState *
state_in_place(Datum datum)
{
	char	   *pointer = DatumGetPointer(datum);
	HistoryState *state;
	varatt_expanded target;

	if (pointer == NULL || !VARATT_IS_EXTERNAL_EXPANDED_RW(pointer))
		return NULL;
	state = (HistoryState *) (pointer - offsetof(ExpandedObjectHeader, eoh_rw_ptr));
	memcpy(&target, VARDATA_EXTERNAL(pointer), sizeof(target));
	return (char *) target.eohptr + offsetof(ExpandedObjectHeader, eoh_rw_ptr) == pointer &&
		state->hdr.eoh_methods == &state_methods ? state : NULL;
}

static HistoryState *state_merge(HistoryState *state, MemoryContext aggregate_context, Datum other);

/* A datum as a state that rows can be added to, or NULL for (Datum) 0. */
static HistoryState *
writable_state(Datum datum, MemoryContext aggregate_context)
{
	HistoryState *state = state_in_place(datum);

	/* a value: a combined state may begin as the first partial one */
	if (state == NULL && datum != (Datum) 0)
		state = state_merge(NULL, aggregate_context, datum);
	return state;
}

/* Adds the rows of a parcel to a state, which is created if it is NULL. */
static HistoryState *
state_add_parcel(HistoryState *state, MemoryContext aggregate_context, Datum parcel, PlanState *node)
{
	if (state == NULL)
		state = state_create(aggregate_context, HISTORY_KEY_BIGINT);
	else if (state->key_type != HISTORY_KEY_BIGINT)
		history_raise_key_types(state->key_type, HISTORY_KEY_BIGINT);
	parcels_add(make_large(state), parcel, node);
	Assert(state_is_sound(state));
	return state;
}

/* Adds all events of a value or state to a state, which is created if it is NULL. */
static HistoryState *
state_merge(HistoryState *state, MemoryContext aggregate_context, Datum other)
{
	HistoryHeader header;
	bool		is_run;

	/* to be merged, and read from where it is stored, when the value is wanted */
	is_run = VARATT_IS_EXTERNAL_ONDISK(DatumGetPointer(other)) &&
		toast_raw_datum_size(other) >= MIN_RUN_SIZE;
	if (!is_run)
	{
		other = PointerGetDatum(history_of_datum(other));
		is_run = VARSIZE_ANY(DatumGetPointer(other)) >= MIN_RUN_SIZE;
	}
	history_header_of_datum(other, &header);

	if (state == NULL)
		state = state_create(aggregate_context, header.key_type);
	else if (state->key_type != header.key_type)
		history_raise_key_types(state->key_type, header.key_type);
#ifdef USE_ASSERT_CHECKING
	state->was_damaged |= !history_is_sound(history_of_datum(other));
#endif

	if (is_run)
		large_add_run(make_large(state), other);
	else
	{
		HistoryReader reader;
		HistoryDay	event;

		history_open_datum(&reader, other, true);
		while (history_next_customer(&reader))
			while (history_next_day(&reader, &event))
				state_add(state, &reader.key, &event, reader.header.scale);
		history_close_value(&reader);
	}
	Assert(state_is_sound(state));
	return state;
}

/* An order that is no row as it is. */
static pg_noinline void
add_other_order(HistoryState *state, int64 customer, Day day, Amount amount, int scale)
{
	HistoryKey	key = {.number = customer};
	HistoryDay	event = history_order_event(day, amount, scale);

	state_add(state, &key, &event, scale);
}

static pg_attribute_always_inline void
add_order(HistoryState *state, int64 customer, Day day, Amount amount, int scale)
{
	HistoryKey	key = {.number = customer};
	int32		row_amount = scale < 0 ? ROW_UNKNOWN : (int32) amount;
	bool		fits = scale < 0 || (UnsignedAmount) amount <= PG_INT32_MAX;

	if (state->is_large)
	{
		LargeState *large = state->body.large;

		large_expect_row(large);
		fits = fits && row_amount_fits(row_amount, scale, large->has_amounts, large->scale);
		if (likely(fits))
			large_append(large, &key, day, row_amount, 0);
	}
	else
		fits = fits && state->rows > 0 &&
			row_amount_fits(row_amount, scale, state->has_amounts, state->scale) &&
			log_add_plain(state, number_distance(state, customer), day_distance(state, day), row_amount);
	if (unlikely(!fits))
		add_other_order(state, customer, day, amount, scale);
	Assert(state_is_sound(state));
}

bool
history_state_add_order(Datum datum, int64 customer, Day day, Amount amount, int scale)
{
	HistoryState *state = state_in_place(datum);

	if (unlikely(state == NULL || state->key_type != HISTORY_KEY_BIGINT))
		return false;
	add_order(state, customer, day, amount, scale);
	return true;
}

Datum
history_state_create(MemoryContext aggregate_context, HistoryKeyType key_type)
{
	return EOHPGetRWDatum(&state_create(aggregate_context, key_type)->hdr);
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
	if (state->key_type != key_type)
		history_raise_key_types(state->key_type, key_type);
	state_add(state, key, event, scale);
	return EOHPGetRWDatum(&state->hdr);
}

Datum
history_state_merge(Datum datum, MemoryContext aggregate_context, Datum other)
{
	HistoryState *state = writable_state(datum, aggregate_context);

	state = state_merge(state, aggregate_context, other);
	return EOHPGetRWDatum(&state->hdr);
}

/*
 * The same with another state, the leader's own part of the work, as if it had
 * come from a worker; false if that is not possible.
 */
static bool
state_add_partial(HistoryState **state, MemoryContext aggregate_context, HistoryState *other)
{
	add_waiting_orders(other);
	if (!other->is_partial || !other->is_large)
		return false;
	if (*state == NULL)
		*state = state_create(aggregate_context, other->key_type);
	return (*state)->key_type == other->key_type &&
		parcels_add_state(make_large(*state), other->body.large);
}

Datum
history_state_combine(Datum datum, MemoryContext aggregate_context, Datum partial, PlanState *node)
{
	HistoryState *state = writable_state(datum, aggregate_context);

	if (datum_is_parcel(partial))
		state = state_add_parcel(state, aggregate_context, partial, node);
	else if (!history_is_state(partial) ||
			 !state_add_partial(&state, aggregate_context, (HistoryState *) DatumGetEOHP(partial)))
		state = state_merge(state, aggregate_context, partial);
	return EOHPGetRWDatum(&state->hdr);
}

void
history_state_set_partial(Datum datum, dsa_area *area)
{
	HistoryState *state = (HistoryState *) DatumGetEOHP(datum);

	state->is_partial = true;
	if (area != NULL)
		make_large(state)->area = area;
}

/* ---------- the groups of a hashed aggregation ---------- */

/*
 * Where groups are many, to add a row is to wait: for its state, and for
 * where the stage of that is moved to.  So states lie side by side, apart
 * from what nodeAgg searches for groups, and an order is put into a queue
 * without a look at its state: memory is asked for, and it is added some rows
 * later.  Nobody minds in which order rows are added; but who reads a state
 * has all added first.
 *
 * All lies in the states' context and goes away with it.  The callback that
 * tells the owner so is also how a reader finds what waits for its state.
 */
#define WAITING_ORDERS		16	/* a power of two */

/* From so many groups on their states do not stay in the caches near the processor. */
#define MANY_GROUPS			4096

/* States come in blocks, and each has cache lines of its own. */
#define STATE_ROOM			(2 * CACHE_LINE)
#define FIRST_BLOCK_SIZE	((Size) 1024)
#define MAX_BLOCK_SIZE		((Size) 64 * 1024)

typedef struct WaitingOrder
{
	HistoryState *state;
	int64		customer;
	Day			day;
	int32		amount;
	int32		scale;
} WaitingOrder;

struct HistoryGroups
{
	MemoryContext context;		/* of the states */
	HistoryGroups **owner;
	MemoryContextCallback callback;
	uint32		count;			/* up to MANY_GROUPS */
	char	   *next_state;		/* in the block */
	uint32		block_left;		/* states */
	Size		block_size;		/* of the next one */

	/* the queue */
	bool		is_adding;		/* if nobody is, adding ended with an error */
	uint32		start;			/* counts those that left, */
	uint32		end;			/* and those that came */
	WaitingOrder order[WAITING_ORDERS];
};

static void
forget_groups(void *groups)
{
	*((HistoryGroups *) groups)->owner = NULL;
}

void
history_groups_begin(HistoryGroups **owner, MemoryContext aggregate_context)
{
	MemoryContext context = states_context(aggregate_context);
	HistoryGroups *groups = MemoryContextAllocZero(context, sizeof(HistoryGroups));

	groups->context = context;
	groups->block_size = FIRST_BLOCK_SIZE;
	groups->owner = owner;
	*owner = groups;
	groups->callback.func = forget_groups;
	groups->callback.arg = groups;
	MemoryContextRegisterResetCallback(context, &groups->callback);
}

Datum
history_groups_add_state(HistoryGroups *groups, HistoryKeyType key_type)
{
	HistoryState *state;

	if (groups->block_left == 0)
	{
		groups->next_state = (char *)
			TYPEALIGN(STATE_ROOM, MemoryContextAlloc(groups->context, groups->block_size));
		groups->block_left = groups->block_size / STATE_ROOM - 1;
		groups->block_size = Min(2 * groups->block_size, MAX_BLOCK_SIZE);
	}
	state = (HistoryState *) groups->next_state;
	groups->next_state += STATE_ROOM;
	groups->block_left--;
	state_init(state, groups->context, key_type);
	if (groups->count < MANY_GROUPS)
		groups->count++;
	return EOHPGetRWDatum(&state->hdr);
}

static inline WaitingOrder *
waiting_order(HistoryGroups *groups, uint32 number)
{
	return &groups->order[number % WAITING_ORDERS];
}

static inline void
add_first_waiting_order(HistoryGroups *groups)
{
	const WaitingOrder *order = waiting_order(groups, groups->start++);

	groups->is_adding = true;
	add_order(order->state, order->customer, order->day, order->amount, order->scale);
	groups->is_adding = false;
}

static void
add_all_waiting_orders(HistoryGroups *groups)
{
	MemoryContext old_context;

	if (groups->is_adding)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("a row of this aggregation was lost by an error before"),
				 errhint("Do not catch errors in a function that an aggregate calls.")));
	/* the reader's may be one that takes nothing back */
	old_context = MemoryContextSwitchTo(groups->context);
	while (groups->start != groups->end)
		add_first_waiting_order(groups);
	MemoryContextSwitchTo(old_context);
}

/* All that wait for that state and those beside it. */
static void
add_waiting_orders(const HistoryState *state)
{
	for (MemoryContextCallback *callback = state->hdr.eoh_context->reset_cbs;
		 callback != NULL; callback = callback->next)
		if (callback->func == forget_groups)
			add_all_waiting_orders(callback->arg);
}

void
history_groups_add_order(HistoryGroups *groups, Datum datum, int64 customer, Day day,
						 int32 amount, int scale)
{
	/* what points to a state lies in it, so that nothing need be read */
	HistoryState *state = (HistoryState *)
		(DatumGetPointer(datum) - offsetof(ExpandedObjectHeader, eoh_rw_ptr));
	const HistoryState *half_way;

	if (groups->count < MANY_GROUPS)
	{
		add_order(state, customer, day, amount, scale);
		return;
	}
	if (likely(groups->end - groups->start == WAITING_ORDERS))
		add_first_waiting_order(groups);
	__builtin_prefetch(&state->key, 1);
	__builtin_prefetch(state->stage, 1);
	*waiting_order(groups, groups->end++) = (WaitingOrder) {state, customer, day, amount, scale};

	/* NULL in the first round; in later ones there is always one, which waits or was added */
	half_way = waiting_order(groups, groups->end - WAITING_ORDERS / 2)->state;
	if (half_way != NULL && !half_way->is_large && half_way->staged > STAGE_SIZE - RECORD_MAX)
		__builtin_prefetch(half_way->body.log_end, 1);
}

/* ---------- values ---------- */

static const CustomerHistory *
state_value(Datum datum, bool once)
{
	HistoryState *state;
	const CustomerHistory *value;

	if (!history_is_state(datum))
		return PG_DETOAST_DATUM(datum);
	state = (HistoryState *) DatumGetEOHP(datum);
	add_waiting_orders(state);
	if (!state->is_large)
		value = log_value(state);
	else if (once)
		value = large_result(state->body.large);
	else
		value = large_value(state->body.large);
	Assert(state->was_damaged || history_is_sound(value));
	return value;
}

const CustomerHistory *
history_state_value(Datum state)
{
	return state_value(state, false);
}

/* The state of a datum, if it can be read as the union of its runs; else NULL. */
static HistoryState *
state_as_union(Datum datum)
{
	HistoryState *state;

	if (!history_is_state(datum))
		return NULL;
	state = (HistoryState *) DatumGetEOHP(datum);
	add_waiting_orders(state);
	return state->is_large && large_is_union(state->body.large) ? state : NULL;
}

Datum
history_state_result(Datum datum, bool is_alone)
{
	const HistoryState *state = is_alone ? state_as_union(datum) : NULL;
	void	   *pointer;

	if (state == NULL)
		return PointerGetDatum(state_value(datum, true));

	/* one that lies in the state's memory would be copied, and so be made */
	pointer = palloc(EXPANDED_POINTER_SIZE);
	memcpy(pointer, state->hdr.eoh_ro_ptr, EXPANDED_POINTER_SIZE);
	return PointerGetDatum(pointer);
}

bool
history_state_open(HistoryReader *reader, Datum datum)
{
	const HistoryState *state = state_as_union(datum);

	if (state == NULL)
		return false;
	history_open_union(reader, state->body.large->runs[0], state->body.large->runs[1]);
	return true;
}
