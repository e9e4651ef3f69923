/*
 * history_merge.c
 *	  The union of flat histories.
 *
 * A merge of many: a heap of readers, in the order of the customers and days
 * that they have come to.  A customer whom only one of them has is copied as
 * he stands, byte by byte, which spares most of the work where a day is merged
 * into years; the totals of the copies are those in the header, less what was
 * read one by one.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "history.h"
#include "history_state.h"

typedef struct MergeSource
{
	HistoryReader reader;
	HistoryDay	event;			/* in the scale of the merged one */
	bool		at_first;		/* the event is its customer's first */
	bool		can_copy;		/* bytes of this source fit the merged one */
	bool		has_copied;

	/* read one by one */
	bool		is_buyer;
	int64		orders;
	Amount		amount;
	uint32		buyers;
} MergeSource;

/* The next customer of a source and his first event. */
static bool
next_customer(MergeSource *source)
{
	if (!history_next_customer(&source->reader) ||
		!history_next_day(&source->reader, &source->event))
	{
		history_close_value(&source->reader);
		return false;
	}
	source->at_first = true;
	return true;
}

/* The event after one that was read. */
static bool
next_event(MergeSource *source, int scale)
{
	bool		found;

	/* below the header's totals, unless that lies, which is looked at later */
	source->orders = (int64) ((uint64) source->orders + (uint64) source->event.orders);
	source->amount = (Amount) ((UnsignedAmount) source->amount + (UnsignedAmount) source->event.amount);
	source->is_buyer |= source->event.orders > 0;

	found = history_next_day(&source->reader, &source->event);
	source->at_first = false;
	if (!found)
	{
		source->buyers += source->is_buyer;
		source->is_buyer = false;
		found = next_customer(source);
	}
	if (found)
		history_rescale(&source->event.amount, source->reader.header.scale, scale);
	return found;
}

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

/* Whether no other source has the customer of the first one. */
static inline bool
first_is_alone(MergeSource **heap, int count)
{
	return (count < 2 || compare_customers(heap[0], heap[1]) != 0) &&
		(count < 3 || compare_customers(heap[0], heap[2]) != 0);
}

/* Adds what a source's copied customers come to. */
static void
add_copied_totals(HistoryWriter *writer, const MergeSource *source)
{
	const HistoryHeader *header = &source->reader.header;
	int64		orders;
	Amount		amount;

	if (!source->has_copied)
		return;
	if (__builtin_sub_overflow(header->orders, source->orders, &orders) || orders < 0 ||
		__builtin_sub_overflow(header->amount, source->amount, &amount) ||
		header->buyers < source->buyers)
		history_raise_damage("its header does not describe its events");
	history_check(history_writer_add_totals(writer, orders, amount,
											header->buyers - source->buyers,
											header->first_purchase));
}

CustomerHistory *
history_merge_values(const CustomerHistory *const *values, int count)
{
	MergeSource *sources = palloc0(count * sizeof(MergeSource));
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
		were_damaged |= !history_is_sound(values[i]);
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
	{
		sources[i].can_copy = sources[i].reader.header.has_amounts == has_amounts &&
			sources[i].reader.header.scale == scale;
		if (next_customer(&sources[i]))
		{
			history_rescale(&sources[i].event.amount, sources[i].reader.header.scale, scale);
			heap[heap_count++] = &sources[i];
		}
	}
	for (int i = heap_count / 2 - 1; i >= 0; i--)
		sift_down(heap, heap_count, i);

	history_writer_open(&writer, &history_host, key_type, has_amounts, scale,
						first_day, VARHDRSZ);
	while (heap_count > 0)
	{
		MergeSource *source = heap[0];
		bool		found;

		/* long keys take their time */
		steps += 1 + source->reader.key.size / 16;
		if (steps >= HISTORY_CANCEL_STEPS)
		{
			CHECK_FOR_INTERRUPTS();
			steps = 0;
		}
		if (source->at_first && source->can_copy && first_is_alone(heap, heap_count) &&
			!history_writer_is_at(&writer, &source->reader.key))
		{
			history_check(history_writer_copy(&writer, &source->reader, &source->event));
			source->has_copied = true;
			found = next_customer(source);
		}
		else
		{
			history_check(history_writer_add(&writer, &source->reader.key, &source->event));
			found = next_event(source, scale);
		}
		if (!found)
			heap[0] = heap[--heap_count];
		if (heap_count > 0)
			sift_down(heap, heap_count, 0);
	}

	for (int i = 0; i < count; i++)
	{
		add_copied_totals(&writer, &sources[i]);
		if (sources[i].reader.key_buffer != NULL)
			pfree(sources[i].reader.key_buffer);
	}
	pfree(sources);
	pfree(heap);
	merged = history_of_writer(&writer);
	Assert(were_damaged || history_is_sound(merged));
	return merged;
}
