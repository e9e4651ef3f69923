/*
 * compact_run.c
 *	  From rows to a run, customer by customer.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "compact_run.h"
#include "history_large.h"

/* More go to the writer before others come: it adds up those of the same day. */
#define MAX_DAYS		65536

/* How many bits of values of that range tell the partition apart. */
static int
partition_bits(size_t rows)
{
	int			bits = 1;

	while (bits < MAX_PARTITION_BITS && (size_t) ROWS_PER_PARTITION << bits < rows)
		bits++;
	return bits;
}

int
partition_key_unit(uint64 key_range, size_t rows)
{
	return Max(bit_length(key_range) - partition_bits(rows), 0);
}

void
compact_run_open(CompactRun *run, HistoryKeyType key_type, bool has_amounts, int scale,
				 const CompactForm *form)
{
	memset(run, 0, sizeof(*run));
	run->form = *form;
	run->width = COMPACT_WIDTH(form);
	history_writer_open(&run->writer, &history_host, key_type, has_amounts, scale,
						(Day) ((int64) form->first_day + DAY_FIRST), VARHDRSZ);
	run->first_purchase = DAY_LAST;
	run->last_day = run->writer.header.first_day;
}

void *
compact_run_cached(CompactRun *run)
{
	if (run->cached == NULL)
	{
		run->cached = palloc(COMPACT_CACHED_SIZE);
		run->scratch = palloc(COMPACT_CACHED_SIZE);
	}
	return run->cached;
}

/* ---------- one customer ---------- */

static HistoryKey
customer_key(const CompactRun *run)
{
	uint64		key_of_row = run->form.least_key + run->key;
	HistoryKey	key = {0};

	if (run->key_order == NULL)
		key.number = ROW_NUMBER_OF_KEY(key_of_row);
	else
	{
		const KeySlot *slot = &run->keys[run->key_order[key_of_row]];

		key.bytes = slot->bytes;
		key.size = slot->size;
	}
	return key;
}

static pg_noinline void
pass_days(CompactRun *run)
{
	HistoryKey	key = customer_key(run);

	history_check(history_writer_add_days(&run->writer, &key, run->days, run->day_count,
										  run->others));
	run->day_count = 0;
	run->other_count = 0;
	run->is_passed = true;
}

static void
write_customer(CompactRun *run)
{
	if (run->day_count == 0)
		return;
	if (unlikely(run->is_passed))
	{
		pass_days(run);
		run->is_passed = false;
	}
	else
	{
		HistoryKey	key = customer_key(run);

		history_check(history_writer_add_listed(&run->writer, &key, run->days, run->day_count,
												run->others));
	}
	run->day_count = 0;
	run->other_count = 0;
	run->buyers += run->is_buyer;
	run->is_buyer = false;
}

static pg_noinline void
grow_days(CompactRun *run, size_t wanted)
{
	run->day_capacity = wanted + wanted / 2;
	run->days = history_host.resize(run->days, run->day_capacity * sizeof(ListedDay));
}

/* A refund, or an order of unknown amount among others. */
static pg_noinline ListedDay
list_other(CompactRun *run, const HistoryRow *row)
{
	size_t		index = run->other_count++;

	if (index == run->other_capacity)
	{
		run->other_capacity = Max(run->other_capacity * 2, 64);
		run->others = history_host.resize(run->others, run->other_capacity * sizeof(HistoryDay));
	}
	row_event(row, NULL, &run->others[index]);
	return LISTED_OTHER(run->others[index].day, index);
}

/* The day of the first purchase in a list that has one. */
static Day
first_purchase(const CompactRun *run, const ListedDay *list)
{
	while ((*list >> 31 & 1) && run->others[*list & INT32_MAX].orders == 0)
		list++;
	return (Day) ((uint32) (*list >> 32) ^ (uint32) 1 << 31);
}

/* ---------- sorted rows ---------- */

/*
 * The parts of a row, which is compact or a HistoryRow; the key is counted from
 * the form's least one.
 */
static pg_attribute_always_inline uint64
key_at(const void *rows, size_t i, const CompactForm *form, const Size width)
{
	return width == sizeof(HistoryRow) ? ((const HistoryRow *) rows)[i].key :
		compact_key(form, compact_at(rows, i, width));
}

static pg_attribute_always_inline uint32
day_at(const void *rows, size_t i, const CompactForm *form, const Size width)
{
	return width == sizeof(HistoryRow) ? ((const HistoryRow *) rows)[i].day :
		compact_day(form, compact_at(rows, i, width));
}

static pg_attribute_always_inline int32
amount_at(const void *rows, size_t i, const CompactForm *form, const Size width)
{
	return width == sizeof(HistoryRow) ? ((const HistoryRow *) rows)[i].amount :
		compact_amount(form, compact_at(rows, i, width));
}

/* In line for each width, with and without amounts. */
static pg_attribute_always_inline void
write_rows(CompactRun *run, const void *rows, size_t count, const Size width,
		   const bool has_amounts)
{
	CompactForm form = run->form;
	ListedDay	first_day = LISTED_DAY((int64) form.first_day + DAY_FIRST);
	size_t		i = 0;

	while (i < count)
	{
		uint64		key = key_at(rows, i, &form, width);
		ListedDay  *list;
		size_t		listed = 0;
		int64		orders = 0;
		int64		amount = 0;

		if (run->day_count > 0 && key != run->key)
			write_customer(run);
		run->key = key;
		if (unlikely(run->day_count > MAX_DAYS))
			pass_days(run);
		if (unlikely(run->day_capacity - run->day_count < count - i))
			grow_days(run, run->day_count + (count - i));
		list = run->days + run->day_count;

		do
		{
			uint32		day = day_at(rows, i, &form, width) - form.first_day;

			if (!has_amounts)
				list[listed++] = first_day + ((ListedDay) day << 32);
			else
			{
				int32		its_amount = amount_at(rows, i, &form, width);

				if (likely(its_amount >= 0))
				{
					list[listed++] = (first_day + ((ListedDay) day << 32)) | (ListedDay) its_amount;
					orders++;
					amount += its_amount;
				}
				else
				{
					HistoryRow	other = {0, form.first_day + day, its_amount};

					list[listed++] = list_other(run, &other);
					orders += its_amount == ROW_UNKNOWN;
					amount += its_amount == ROW_UNKNOWN ? 0 : its_amount;
				}
			}
			i++;
		} while (i < count && key_at(rows, i, &form, width) == key);

		if (!has_amounts)
			orders = (int64) listed;
		run->orders += orders;
		run->amount += amount;
		run->day_count += listed;
		run->last_day = Max(run->last_day, (Day) ((uint32) (list[listed - 1] >> 32) ^ (uint32) 1 << 31));
		if (!run->is_buyer && orders > 0)
		{
			run->is_buyer = true;
			run->first_purchase = Min(run->first_purchase, first_purchase(run, list));
		}
	}
}

static pg_attribute_always_inline void
write_rows_of(CompactRun *run, const void *rows, size_t count, const Size width)
{
	if (run->writer.header.has_amounts)
		write_rows(run, rows, count, width, true);
	else
		write_rows(run, rows, count, width, false);
}

static void
write_sorted_rows(CompactRun *run, const void *rows, size_t count)
{
	if (run->width == sizeof(uint32))
		write_rows_of(run, rows, count, sizeof(uint32));
	else
		write_rows_of(run, rows, count, sizeof(uint64));
}

void
compact_run_write_cached(CompactRun *run, size_t count)
{
	Assert(run->cached != NULL && count <= COMPACT_CACHED_ROWS(run->width));
	CHECK_FOR_INTERRUPTS();
	write_sorted_rows(run, sort_compact(run->cached, run->scratch, count, run->form.day_shift,
										run->width), count);
}

void
compact_run_write_rows(CompactRun *run, const HistoryRow *rows, size_t count)
{
	CHECK_FOR_INTERRUPTS();
	write_rows_of(run, rows, count, sizeof(HistoryRow));
}

/* ---------- rows in any order ---------- */

/* compact_run_write of a width */
static pg_attribute_always_inline void
write_list_of(CompactRun *run, RowList *list, const Size width)
{
	uint64		least = PG_UINT64_MAX;
	uint64		most = 0;
	int			day_shift = run->form.day_shift;
	int			shift;
	size_t		part_count;
	RowList    *parts;

	if (list->rows <= COMPACT_CACHED_ROWS(width))
	{
		size_t		rows = list->rows;

		row_list_move_to(list, compact_run_cached(run), width);
		compact_run_write_cached(run, rows);
		return;
	}

	for (size_t b = 0; b < list->block_count; b++)
	{
		size_t		in_block = rows_in_block(list, b, width);

		CHECK_FOR_INTERRUPTS();
		for (size_t i = 0; i < in_block; i++)
		{
			uint64		value = compact_at(list->blocks[b], i, width) >> day_shift;

			least = Min(least, value);
			most = Max(most, value);
		}
	}
	if (least == most)
	{
		/* one customer on one day */
		for (size_t b = 0; b < list->block_count; b++)
		{
			size_t		in_block = rows_in_block(list, b, width);

			CHECK_FOR_INTERRUPTS();
			write_sorted_rows(run, list->blocks[b], in_block);
			row_list_free_block(list, b);
		}
		row_list_free(list);
		return;
	}

	shift = Max(bit_length(most - least) - partition_bits(list->rows), 0);
	part_count = (size_t) ((most - least) >> shift) + 1;
	parts = palloc0(part_count * sizeof(RowList));
	for (size_t b = 0; b < list->block_count; b++)
	{
		size_t		in_block = rows_in_block(list, b, width);

		CHECK_FOR_INTERRUPTS();
		for (size_t i = 0; i < in_block; i++)
		{
			uint64		row = compact_at(list->blocks[b], i, width);

			put_compact(row_list_append(&parts[((row >> day_shift) - least) >> shift],
										CurrentMemoryContext, width), 0, row, width);
		}
		row_list_free_block(list, b);
	}
	row_list_free(list);

	for (size_t p = 0; p < part_count; p++)
		if (parts[p].rows > 0)
			compact_run_write(run, &parts[p]);
	pfree(parts);
}

void
compact_run_write(CompactRun *run, RowList *list)
{
	check_stack_depth();
	if (run->width == sizeof(uint32))
		write_list_of(run, list, sizeof(uint32));
	else
		write_list_of(run, list, sizeof(uint64));
}

/* ---------- all ---------- */

void
compact_run_append(CompactRun *run, const CustomerHistory *more, int64 last_key)
{
	HistoryReader reader;
	const HistoryHeader *header = &reader.header;

	write_customer(run);
	history_open_value(&reader, more, false);
	history_check(history_writer_append(&run->writer, &reader, last_key));
	history_close_value(&reader);
	run->orders += header->orders;
	run->amount += header->amount;	/* of 32 bits each, and no more than there are rows */
	run->last_day = Max(run->last_day, header->last_day);
	if (header->buyers > 0)
		run->first_purchase = Min(run->first_purchase, header->first_purchase);
	run->buyers += header->buyers;
}

CustomerHistory *
compact_run_finish(CompactRun *run)
{
	HistoryHeader *header = &run->writer.header;

	write_customer(run);
	history_check(history_writer_flush(&run->writer));
	header->orders = run->orders;
	header->amount = run->amount;
	header->last_day = run->last_day;
	header->buyers = run->buyers;
	header->first_purchase = run->buyers > 0 ? run->first_purchase : 0;
	if (run->cached != NULL)
	{
		pfree(run->cached);
		pfree(run->scratch);
	}
	if (run->days != NULL)
		pfree(run->days);
	if (run->others != NULL)
		pfree(run->others);
	return history_of_writer(&run->writer);
}
