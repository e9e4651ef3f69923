/*
 * history_merge.c
 *	  The union of flat histories.
 *
 * A merge of many: a heap of readers, in the order of the customers that they
 * have come to, and of their first days.  A customer whom only one of them
 * has, or whose days follow each other from one to the next, is copied as he
 * stands, byte by byte: nearly all are where a day is merged into years.
 *
 * Other customers' events are listed, eight bytes each, and put in order by
 * merging two lists at a time, without a branch that the processor would guess
 * wrong at every other event.  A customer of very many days goes through a heap
 * instead, which takes no memory.  A stored history is read in slices.
 *
 * Totals are those of the headers together, but for customers who bought in
 * several sources.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "history.h"
#include "history_state.h"

/* A customer of more days, or in more sources, goes through a heap. */
#define LISTED_DAYS		4096
#define LISTED_SOURCES	16

typedef struct MergeSource
{
	HistoryReader reader;
	HistoryDay	event;			/* the latest read, in the scale of the source */
	bool		can_copy;		/* bytes of this source fit the merged history */
	bool		is_buyer;		/* the customer it has come to, as far as was read */
} MergeSource;

typedef struct Merge
{
	MergeSource **heap;			/* by customer and day */
	int			heap_count;
	MergeSource **same;			/* sources of one customer, by first day */
	HistoryStretch *stretches;	/* theirs */
	int			scale;
	ListedDay  *list;			/* LISTED_DAYS, twice */
	HistoryDay *others;			/* days that are not plain, as many */
	uint64		repeated_buyers;	/* counted by several sources, but for once each */
	uint64		steps;			/* since the last look for a cancel request */
	HistoryWriter writer;
} Merge;

/* ---------- the heap ---------- */

static inline int
compare_customers(const MergeSource *a, const MergeSource *b)
{
	if (a->reader.header.key_type == HISTORY_KEY_BIGINT)
		return (a->reader.key.number > b->reader.key.number) -
			(a->reader.key.number < b->reader.key.number);
	return history_compare_keys(a->reader.header.key_type, &a->reader.key, &b->reader.key);
}

static inline bool
source_before(const MergeSource *a, const MergeSource *b)
{
	int			order = compare_customers(a, b);

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

static void
sift_up(MergeSource **heap, int i)
{
	MergeSource *source = heap[i];

	while (i > 0 && source_before(source, heap[(i - 1) / 2]))
	{
		heap[i] = heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	heap[i] = source;
}

static void
build_heap(MergeSource **heap, int count)
{
	for (int i = count / 2 - 1; i >= 0; i--)
		sift_down(heap, count, i);
}

/* ---------- reading ---------- */

/* The first event of the customer that a source has come to; "found": he is there. */
static inline bool
first_event(MergeSource *source, bool found)
{
	if (found && history_next_day(&source->reader, &source->event))
		return true;
	history_close_value(&source->reader);
	return false;
}

static inline bool
next_customer(MergeSource *source)
{
	return first_event(source, history_next_customer(&source->reader));
}

/* The latest event in the merged scale. */
static inline HistoryDay
scaled_event(const MergeSource *source, int scale)
{
	HistoryDay	event = source->event;

	if (source->reader.header.scale < scale)
		history_rescale(&event.amount, source->reader.header.scale, scale);
	return event;
}

/* ---------- one customer ---------- */

/*
 * Writes the customer of any number of sources, who may have any number of
 * days: the sources become a heap.
 */
static void
write_from_heap(Merge *merge, int count)
{
	HistoryKey	key = merge->same[0]->reader.key;

	build_heap(merge->same, count);
	while (count > 0)
	{
		MergeSource *source = merge->same[0];
		HistoryDay	event = scaled_event(source, merge->scale);

		source->is_buyer |= event.orders > 0;
		history_check(history_writer_add(&merge->writer, &key, &event));
		if (!history_next_day(&source->reader, &source->event))
		{
			history_close_value(&source->reader);
			merge->same[0] = merge->same[--count];
		}
		if (count > 0)
			sift_down(merge->same, count, 0);
	}
}

/*
 * Copies a customer whom only the heap's first source has, and as many of
 * those that follow as are before the next one in the heap.  Returns whether
 * the source has another customer.
 */
static bool
copy_alone(Merge *merge)
{
	MergeSource **heap = merge->heap;
	MergeSource *source = heap[0];
	HistoryStretch stretch;
	HistoryError error;
	bool		found;

	if (!history_hold_days(&source->reader))
	{
		/* of so many days that they are not at hand together */
		merge->same[0] = source;
		write_from_heap(merge, 1);
		source->is_buyer = false;
		return next_customer(source);
	}
	if (!history_read_stretch(&source->reader, &source->event, &stretch))
		history_close_value(&source->reader);
	history_check(history_writer_copy(&merge->writer, &source->reader.key, &stretch, 1));
	if (source->reader.header.first_day != merge->writer.header.first_day)
		return next_customer(source);

	if (merge->heap_count == 1)
		found = history_writer_copy_until(&merge->writer, &source->reader, NULL, &error);
	else
	{
		int			next = merge->heap_count > 2 && source_before(heap[2], heap[1]) ? 2 : 1;

		found = history_writer_copy_until(&merge->writer, &source->reader, &heap[next]->reader.key,
										  &error);
	}
	history_check(error);
	return first_event(source, found);
}

/* Copies a customer whose days follow each other from source to source; false: they do not. */
static bool
copy_in_turn(Merge *merge, int count)
{
	MergeSource **same = merge->same;
	HistoryStretch *stretches = merge->stretches;
	int			read = 0;

	for (int i = 0; i < count; i++)
		if (!same[i]->can_copy || same[i]->event.orders == 0)
			return false;		/* it takes reading on to know a buyer */

	while (read < count && history_hold_days(&same[read]->reader) &&
		   (read == 0 || stretches[read - 1].last_day < same[read]->event.day))
	{
		if (!history_read_stretch(&same[read]->reader, &same[read]->event, &stretches[read]))
			history_close_value(&same[read]->reader);
		read++;
	}
	if (read < count)
	{
		/* back to the second day */
		for (int i = 0; i < read; i++)
			same[i]->reader.at = (HistoryCursor)
			{
				stretches[i].rest, stretches[i].days - 1,
				history_since(&same[i]->reader, stretches[i].first.day)
			};
		return false;
	}

	history_check(history_writer_copy(&merge->writer, &same[0]->reader.key, stretches, count));
	for (int i = 0; i < count; i++)
		same[i]->is_buyer = true;
	return true;
}

/* Merges two lists that are in order. */
static void
merge_lists(const ListedDay *a, size_t a_count, const ListedDay *b, size_t b_count, ListedDay *to)
{
	const ListedDay *a_end = a + a_count;
	const ListedDay *b_end = b + b_count;

	while (a < a_end && b < b_end)
	{
		bool		from_a = *a < *b;

		*to++ = from_a ? *a : *b;
		a += from_a;
		b += !from_a;
	}
	while (a < a_end)
		*to++ = *a++;
	while (b < b_end)
		*to++ = *b++;
}

/* Lists the latest event of a source. */
static inline ListedDay
listed_event(Merge *merge, MergeSource *source, size_t index)
{
	HistoryDay	event = scaled_event(source, merge->scale);

	source->is_buyer |= event.orders > 0;
	if (event.orders == 1 && event.amount >= 0 && event.amount <= LISTED_AMOUNT_MAX &&
		event.valued_orders == (merge->writer.header.has_amounts ? 1 : 0))
		return LISTED_PLAIN(event.day, event.amount);
	merge->others[index] = event;
	return LISTED_OTHER(event.day, index);
}

/* Lists the days of a source whose bytes fit the merged history. */
static pg_attribute_always_inline size_t
list_days(Merge *merge, MergeSource *source, ListedDay *list, size_t count, const bool has_amounts)
{
	HistoryReader *reader = &source->reader;
	HistoryCursor cursor = reader->at;
	PlainDay	plain;

	for (;;)
	{
		while (history_cursor_plain(reader, &cursor, &plain, has_amounts))
		{
			list[count++] = LISTED_PLAIN(history_cursor_day(reader, &cursor), plain.amount);
			source->is_buyer = true;
		}
		if (!history_cursor_other(reader, &cursor, &source->event, has_amounts))
			break;
		list[count] = listed_event(merge, source, count);
		count++;
	}
	reader->at = cursor;
	return count;
}

/* Writes the customer of a few sources, who has up to LISTED_DAYS days in all of them. */
static void
write_listed(Merge *merge, int count)
{
	ListedDay  *list = merge->list;
	ListedDay  *other = list + LISTED_DAYS;
	size_t		days = 0;

	for (int i = 0; i < count; i++)
	{
		MergeSource *source = merge->same[i];
		size_t		start = days;

		list[days] = listed_event(merge, source, days);
		days++;
		if (!source->can_copy)
			while (history_next_day(&source->reader, &source->event))
			{
				list[days] = listed_event(merge, source, days);
				days++;
			}
		else if (source->reader.header.has_amounts)
			days = list_days(merge, source, list, days, true);
		else
			days = list_days(merge, source, list, days, false);
		history_close_value(&source->reader);

		if (i > 0)
		{
			ListedDay  *merged = other;

			merge_lists(list, start, list + start, days - start, merged);
			other = list;
			list = merged;
		}
	}
	history_check(history_writer_add_listed(&merge->writer, &merge->same[0]->reader.key,
											list, days, merge->others));
}

/* Writes the customer whom the heap's first and others have. */
static void
write_shared(Merge *merge)
{
	MergeSource **heap = merge->heap;
	MergeSource **same = merge->same;
	MergeSource **all;
	size_t		days = 0;
	int			count = 0;
	int			buyers = 0;

	do
	{
		days += (size_t) heap[0]->reader.at.days_left + 1;
		same[count++] = heap[0];
		heap[0] = heap[--merge->heap_count];
		if (merge->heap_count > 0)
			sift_down(heap, merge->heap_count, 0);
	} while (merge->heap_count > 0 && compare_customers(heap[0], same[0]) == 0);

	/* where those that were taken out stand */
	all = heap + merge->heap_count;
	memcpy(all, same, count * sizeof(MergeSource *));

	merge->steps += (uint64) count * (1 + same[0]->reader.key.size / 16);
	if (!copy_in_turn(merge, count))
	{
		if (days <= LISTED_DAYS && count <= LISTED_SOURCES)
			write_listed(merge, count);
		else
			write_from_heap(merge, count);
	}
	for (int i = 0; i < count; i++)
	{
		MergeSource *source = all[i];

		buyers += source->is_buyer;
		source->is_buyer = false;
		if (next_customer(source))
		{
			heap[merge->heap_count++] = source;
			sift_up(heap, merge->heap_count - 1);
		}
	}
	merge->repeated_buyers += Max(buyers - 1, 0);
}

/* ---------- all ---------- */

/* Whether no other source has the customer of the first one. */
static inline bool
first_is_alone(const Merge *merge)
{
	return (merge->heap_count < 2 || compare_customers(merge->heap[0], merge->heap[1]) != 0) &&
		(merge->heap_count < 3 || compare_customers(merge->heap[0], merge->heap[2]) != 0);
}

void
history_add_totals(HistoryHeader *header, const HistoryHeader *more)
{
	HistoryDay	total = {0, header->orders, 0, header->amount};
	HistoryDay	add = {0, more->orders, 0, more->amount};

	history_check(history_add_day(&total, &add));
	header->orders = total.orders;
	header->amount = total.amount;
	header->last_day = Max(header->last_day, more->last_day);
	if (more->buyers > 0 && (header->buyers == 0 || more->first_purchase < header->first_purchase))
		header->first_purchase = more->first_purchase;
	header->customers += more->customers;
	header->buyers += more->buyers;
	header->customer_days += more->customer_days;
}

/* Sets the totals of the merged history; raises 22003, and XX001 for headers that lie. */
static void
set_totals(Merge *merge, const MergeSource *sources, int count)
{
	HistoryHeader *merged = &merge->writer.header;
	HistoryHeader written = *merged;
	uint64		buyers = 0;

	merged->orders = 0;
	merged->amount = 0;
	merged->buyers = 0;
	for (int i = 0; i < count; i++)
	{
		HistoryHeader header = sources[i].reader.header;

		history_rescale(&header.amount, header.scale, merge->scale);
		history_add_totals(merged, &header);
		buyers += header.buyers;
	}
	merged->customers = written.customers;
	merged->customer_days = written.customer_days;
	if (buyers < merge->repeated_buyers || buyers - merge->repeated_buyers > merged->customers)
		history_raise_damage("its header does not describe its events");
	merged->buyers = (uint32) (buyers - merge->repeated_buyers);
}

CustomerHistory *
history_merge(const Datum *histories, int count)
{
	MergeSource *sources = palloc0(count * sizeof(MergeSource));
	bool		has_amounts = false;
	Day			first_day = DAY_LAST;
	Size		largest = 0;
	Size		size = 0;
	Merge		merge = {0};
	CustomerHistory *merged;
#ifdef USE_ASSERT_CHECKING
	bool		were_damaged = false;

	for (int i = 0; i < count; i++)
		were_damaged |= !history_is_sound(history_of_datum(histories[i]));
#endif

	for (int i = 0; i < count; i++)
	{
		const HistoryHeader *header = &sources[i].reader.header;

		history_open_datum(&sources[i].reader, histories[i], true);
		if (header->key_type != sources[0].reader.header.key_type)
			history_raise_key_types(sources[0].reader.header.key_type, header->key_type);
		has_amounts |= header->has_amounts;
		merge.scale = Max(merge.scale, header->scale);
		first_day = Min(first_day, header->first_day);
		largest = Max(largest, sources[i].reader.size);
		size += sources[i].reader.size;
	}

	merge.heap = palloc(count * sizeof(MergeSource *));
	merge.same = palloc(count * sizeof(MergeSource *));
	merge.stretches = palloc(count * sizeof(HistoryStretch));
	merge.list = palloc(2 * LISTED_DAYS * sizeof(ListedDay));
	merge.others = palloc(LISTED_DAYS * sizeof(HistoryDay));
	for (int i = 0; i < count; i++)
	{
		sources[i].can_copy = sources[i].reader.header.has_amounts == has_amounts &&
			sources[i].reader.header.scale == merge.scale;
		if (next_customer(&sources[i]))
			merge.heap[merge.heap_count++] = &sources[i];
	}
	build_heap(merge.heap, merge.heap_count);

	history_writer_open(&merge.writer, &history_host, sources[0].reader.header.key_type,
						has_amounts, merge.scale, first_day, VARHDRSZ);
	/* about as large as what has most, more if little of it is in the others too */
	history_writer_expect(&merge.writer, Min(size, largest + largest / 2));
	while (merge.heap_count > 0)
	{
		MergeSource *source = merge.heap[0];

		/* long keys take their time */
		merge.steps += 1 + source->reader.key.size / 16;
		if (merge.steps >= HISTORY_CANCEL_STEPS)
		{
			CHECK_FOR_INTERRUPTS();
			merge.steps = 0;
		}
		if (!source->can_copy || !first_is_alone(&merge))
			write_shared(&merge);
		else
		{
			if (!copy_alone(&merge))
				merge.heap[0] = merge.heap[--merge.heap_count];
			if (merge.heap_count > 0)
				sift_down(merge.heap, merge.heap_count, 0);
		}
	}

	history_check(history_writer_flush(&merge.writer));
	set_totals(&merge, sources, count);
	for (int i = 0; i < count; i++)
	{
		if (sources[i].reader.key_buffer != NULL)
			pfree(sources[i].reader.key_buffer);
	}
	pfree(sources);
	pfree(merge.heap);
	pfree(merge.same);
	pfree(merge.stretches);
	pfree(merge.list);
	pfree(merge.others);
	merged = history_of_writer(&merge.writer);
	Assert(were_damaged || history_is_sound(merged));
	return merged;
}
