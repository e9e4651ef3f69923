/*
 * history_run.c
 *	  From the tail of a large state to a run: a flat, canonical history.
 *
 * Rows that fit a number, as nearly all but those of packed keys do, go
 * through compact_run.h.  For the others there is the same by their digits:
 * they are partitioned by key until a part fits the processor's cache, and
 * each part is sorted there and written out.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "compact_run.h"
#include "history_run.h"

/* Two buffers of this size fit a second-level cache. */
#define CACHED_SIZE			((Size) 512 * 1024)

/* ---------- keys that are listed ---------- */

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
	sort_rows(pairs, scratch, count, sizeof(HistoryRow), history_host.check_cancel);

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
		size_t		in_block = rows_in_block(&state->tail, b, sizeof(HistoryRow));

		CHECK_FOR_INTERRUPTS();
		for (size_t i = 0; i < in_block; i++)
		{
			HistoryRow *row = ROW_AT(state->tail.blocks[b], i, sizeof(HistoryRow));

			row->key = ranks[row->key];
		}
	}
	pfree(ranks);
	return order;
}

/* ---------- rows that do not fit a number ---------- */

typedef struct RunBuilder
{
	LargeState *state;
	HistoryWriter writer;
	const uint32 *key_order;	/* KEYS_LISTED: their numbers by rank */
	void	   *cached;			/* CACHED_SIZE, twice */
	void	   *scratch;
} RunBuilder;

/* "latest": the row written before, NULL if there is none. */
static pg_attribute_always_inline void
write_row(RunBuilder *builder, const HistoryRow *row, const HistoryRow *latest, const Size width)
{
	LargeState *state = builder->state;
	HistoryKey	key = {0};
	HistoryDay	event;
	uint8_t		bytes[UUID_TEXT_SIZE];

	row_event(row, (row->day & ROW_WIDE) ? &state->wide[row->amount] : NULL, &event);
	if (latest != NULL && rows_share_key(row, latest, width))
	{
		history_check(history_writer_add_day(&builder->writer, &event));
		return;
	}

	if (width == sizeof(LongKeyRow))
	{
		PackedKey	packed = {row->key, row_key_rest(row, width)};

		key.size = unpack_key(state->packing, &packed, bytes);
		key.bytes = bytes;
	}
	else if (builder->key_order == NULL)
		key.number = ROW_NUMBER_OF_KEY(row->key);
	else
	{
		const KeySlot *slot = &state->keys[builder->key_order[row->key]];

		key.bytes = slot->bytes;
		key.size = slot->size;
	}
	history_check(history_writer_add(&builder->writer, &key, &event));
}

static void write_list(RunBuilder *builder, RowList *list);

/* write_list of a width */
static pg_attribute_always_inline void
write_list_of(RunBuilder *builder, RowList *list, const Size width)
{
	RowDigits	digits;
	uint64_t	least = PG_UINT64_MAX;
	uint64_t	most = 0;
	int			bits = 1;
	int			shift = 0;
	size_t		part_count;
	RowList    *parts;

	if (list->rows <= CACHED_SIZE / width)
	{
		size_t		rows = list->rows;

		row_list_move_to(list, builder->cached, width);
		sort_rows(builder->cached, builder->scratch, rows, width, history_host.check_cancel);
		for (size_t i = 0; i < rows; i++)
		{
			if ((i & 0x3ff) == 0)
				CHECK_FOR_INTERRUPTS();
			write_row(builder, ROW_AT(builder->cached, i, width),
					  i == 0 ? NULL : ROW_AT(builder->cached, i - 1, width), width);
		}
		return;
	}

	/* on which digits do they differ? */
	for (digits = ROW_KEY; digits <= ROW_DAYS; digits++)
	{
		least = PG_UINT64_MAX;
		most = 0;
		for (size_t b = 0; b < list->block_count; b++)
		{
			size_t		in_block = rows_in_block(list, b, width);

			CHECK_FOR_INTERRUPTS();
			for (size_t i = 0; i < in_block; i++)
			{
				uint64_t	value = row_digits(ROW_AT(list->blocks[b], i, width), digits, width);

				least = Min(least, value);
				most = Max(most, value);
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
			size_t		in_block = rows_in_block(list, b, width);

			CHECK_FOR_INTERRUPTS();
			for (size_t i = 0; i < in_block; i++)
				write_row(builder, ROW_AT(list->blocks[b], i, width), NULL, width);
		}
		row_list_free(list);
		return;
	}

	while (bits < MAX_PARTITION_BITS && (CACHED_SIZE / width / 2) << bits < list->rows)
		bits++;
	while ((most - least) >> shift >> bits != 0)
		shift++;
	part_count = (size_t) ((most - least) >> shift) + 1;
	parts = palloc0(part_count * sizeof(RowList));

	for (size_t b = 0; b < list->block_count; b++)
	{
		size_t		in_block = rows_in_block(list, b, width);

		CHECK_FOR_INTERRUPTS();
		for (size_t i = 0; i < in_block; i++)
		{
			const HistoryRow *row = ROW_AT(list->blocks[b], i, width);

			copy_row(row_list_append(&parts[(row_digits(row, digits, width) - least) >> shift],
									 CurrentMemoryContext, width), row, width);
		}
		/* the parts take up the memory that this gives back */
		row_list_free_block(list, b);
	}
	row_list_free(list);

	for (size_t p = 0; p < part_count; p++)
		if (parts[p].rows > 0)
			write_list(builder, &parts[p]);
	pfree(parts);
}

/* Writes the rows of a list in order and frees it. */
static void
write_list(RunBuilder *builder, RowList *list)
{
	check_stack_depth();
	if (builder->state->key_form == KEYS_PACKED)
		write_list_of(builder, list, sizeof(LongKeyRow));
	else
		write_list_of(builder, list, sizeof(HistoryRow));
}

/* What the rows of the tail lie between.  Where one is wide, the amounts mean nothing. */
static RowRange
tail_range(const RowList *tail, Size width)
{
	RowRange	range = EMPTY_ROW_RANGE;

	for (size_t b = 0; b < tail->block_count; b++)
	{
		size_t		in_block = rows_in_block(tail, b, width);

		CHECK_FOR_INTERRUPTS();
		for (size_t i = 0; i < in_block; i++)
		{
			const HistoryRow *row = ROW_AT(tail->blocks[b], i, width);

			range.least_key = Min(range.least_key, row->key);
			range.most_key = Max(range.most_key, row->key);
			range.first_day = Min(range.first_day, ROW_DAY(row));
			range.last_day = Max(range.last_day, ROW_DAY(row));
			range.least_amount = Min(range.least_amount, row->amount);
			range.most_amount = Max(range.most_amount, row->amount);
		}
	}
	return range;
}

static CustomerHistory *
run_of_rows(LargeState *state, const uint32 *key_order)
{
	Size		width = tail_width(state);
	RowRange	range = tail_range(&state->tail, width);
	RunBuilder	builder;
	Size		cached = Min(state->tail.rows * width, CACHED_SIZE);

	builder.state = state;
	builder.key_order = key_order;
	builder.cached = palloc(cached);
	builder.scratch = palloc(cached);
	history_writer_open(&builder.writer, &history_host, state->key_type, state->has_amounts,
						state->scale, (Day) ((int64) range.first_day + DAY_FIRST), VARHDRSZ);
	write_list(&builder, &state->tail);
	pfree(builder.cached);
	pfree(builder.scratch);
	return history_of_writer(&builder.writer);
}

/* ---------- segments ---------- */

static pg_attribute_always_inline void
compact_rows(const HistoryRow *rows, size_t count, const CompactForm *form, void *to, size_t at,
			 const Size width)
{
	CompactForm local = *form;

	for (size_t i = 0; i < count; i++)
		put_compact(to, at + i, compact_row(&local, rows[i].key, rows[i].day, rows[i].amount), width);
}

bool
tail_compact(LargeState *state)
{
	RowList    *tail = &state->tail;
	CompactRows segment = {.count = tail->rows};
	RowRange	all;
	CompactForm form;
	Size		width;
	size_t		at = 0;

	if (tail->rows == 0)
		return true;
	if (state->key_form == KEYS_PACKED || state->wide_count > 0)
		return false;
	segment.range = tail_range(tail, sizeof(HistoryRow));
	all = state->segment_count > 0 ? state->segment_range : segment.range;
	row_range_add(&all, &segment.range);
	if (!compact_form(&segment.range, 0, &segment.form) || !compact_form(&all, 0, &form))
		return false;

	width = COMPACT_WIDTH(&segment.form);
	segment.rows = MemoryContextAllocHuge(state->context, segment.count * width);
	for (size_t b = 0; b < tail->block_count; b++)
	{
		size_t		in_block = rows_in_block(tail, b, sizeof(HistoryRow));

		CHECK_FOR_INTERRUPTS();
		if (width == sizeof(uint32))
			compact_rows(tail->blocks[b], in_block, &segment.form, segment.rows, at, sizeof(uint32));
		else
			compact_rows(tail->blocks[b], in_block, &segment.form, segment.rows, at, sizeof(uint64));
		at += in_block;
		row_list_free_block(tail, b);
	}
	row_list_free(tail);

	if (state->segment_count == state->segment_capacity)
	{
		MemoryContext old_context = MemoryContextSwitchTo(state->context);

		state->segment_capacity = Max(state->segment_capacity * 2, 16);
		state->segments = history_host.resize(state->segments,
											  state->segment_capacity * sizeof(CompactRows));
		MemoryContextSwitchTo(old_context);
	}
	state->segments[state->segment_count++] = segment;
	state->segment_range = all;
	state->segment_rows += segment.count;
	state->segment_bytes += segment.count * width;
	return true;
}

/* Between constants of widths. */
static pg_attribute_always_inline void
partition_segment(const CompactRows *segment, const CompactForm *form, int shift, RowList *parts,
				  const Size from_width, const Size width)
{
	CompactForm source = segment->form;
	CompactForm target = *form;
	CompactShift move = compact_shift(&source, &target);

	for (size_t i = 0; i < segment->count; i++)
	{
		uint64		row = convert_compact(compact_at(segment->rows, i, from_width), &source, &target, &move);

		put_compact(row_list_append(&parts[row >> shift], CurrentMemoryContext, width), 0, row, width);
	}
}

/* The segments, which are freed, as a run. */
static CustomerHistory *
run_of_segments(LargeState *state, const uint32 *key_order)
{
	RowRange	range = state->segment_range;
	int			unit = partition_key_unit(range.most_key - range.least_key, state->segment_rows);
	size_t		partitions = (size_t) ((range.most_key - range.least_key) >> unit) + 1;
	RowList    *parts = palloc0(partitions * sizeof(RowList));
	CompactForm form;
	CompactRun	run;
	int			shift;

	(void) compact_form(&range, 0, &form);	/* tail_compact saw to it that there is one */
	shift = form.key_shift + unit;
	for (int i = 0; i < state->segment_count; i++)
	{
		CompactRows *segment = &state->segments[i];

		CHECK_FOR_INTERRUPTS();
		if (COMPACT_WIDTH(&form) == sizeof(uint32))
			partition_segment(segment, &form, shift, parts, sizeof(uint32), sizeof(uint32));
		else if (COMPACT_WIDTH(&segment->form) == sizeof(uint32))
			partition_segment(segment, &form, shift, parts, sizeof(uint32), sizeof(uint64));
		else
			partition_segment(segment, &form, shift, parts, sizeof(uint64), sizeof(uint64));
		/* the parts take up the memory that this gives back */
		pfree(segment->rows);
	}
	state->segment_count = 0;
	state->segment_rows = 0;
	state->segment_bytes = 0;

	compact_run_open(&run, state->key_type, state->has_amounts, state->scale, &form);
	run.key_order = key_order;
	run.keys = state->keys;
	for (size_t p = 0; p < partitions; p++)
		if (parts[p].rows > 0)
			compact_run_write(&run, &parts[p]);
	pfree(parts);
	return compact_run_finish(&run);
}

/* ---------- the tail ---------- */

void
tail_flush(LargeState *state)
{
	uint32	   *key_order = state->key_form == KEYS_LISTED ? rank_keys(state) : NULL;

	(void) tail_compact(state);
	if (state->segment_count > 0)
		large_take_run(state, run_of_segments(state, key_order));
	if (state->tail.rows > 0)
		large_take_run(state, run_of_rows(state, key_order));
	if (key_order != NULL)
		pfree(key_order);
}
