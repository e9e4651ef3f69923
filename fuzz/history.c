/*
 * history.c
 *	  Fuzzes src/history_format.c: bytes that claim to be a customer_history.
 *
 * Whatever they are, every reader stays within them, and what comes out is
 * within the promises of history_format.h.  What history_validate accepts is
 * read without damage by all of them, and written again gives the same bytes.
 * Reading in slices, wherever these end, finds the same as reading the whole.
 * So does copying customers as they stand, or as lists of days.
 */
#include "history_format.h"

#include "fuzz.h"

static void *
resize(void *memory, size_t size)
{
	void	   *resized = realloc(memory, size > 0 ? size : 1);

	HOLDS(resized != NULL);
	return resized;
}

static void
no_cancel(void)
{
}

static const HistoryHost host = {resize, free, no_cancel};

static bool
text_has_no_zero(const uint8_t *bytes, uint32_t size)
{
	return size == 0 || memchr(bytes, 0, size) == NULL;
}

static bool
same_event(const HistoryDay *a, const HistoryDay *b)
{
	return a->day == b->day && a->orders == b->orders &&
		a->valued_orders == b->valued_orders && a->amount == b->amount;
}

/* What no damage may bring about. */
static void
check_event(const HistoryReader *reader, const HistoryDay *event, bool is_sound)
{
	HOLDS(event->day >= reader->header.first_day && event->day <= reader->header.last_day);
	HOLDS(event->day <= reader->until);
	HOLDS(event->orders >= 0);
	HOLDS(event->orders == 0 || event->day >= reader->header.first_purchase);
	HOLDS(event->valued_orders >= 0 && event->valued_orders <= event->orders);
	if (is_sound)
		HOLDS(event->orders > 0 || event->amount < 0);
}

/* Event by event, and written again. */
static uint64_t
read_all(const uint8_t *data, size_t size, const HistoryHeader *header, uint8_t *key_buffer, bool is_sound)
{
	const size_t lead = 4;
	HistoryReader reader;
	HistoryWriter writer;
	HistoryDay	event;
	HistoryError error = HISTORY_OK;
	uint64_t	events = 0;

	history_open(&reader, &host, header, data, size, key_buffer);
	history_writer_open(&writer, &host, header->key_type, header->has_amounts, header->scale,
						header->first_day, lead);
	while (history_next_customer(&reader))
	{
		HOLDS(reader.at.days_left > 0);
		if (header->key_type != HISTORY_KEY_BIGINT)
			HOLDS(reader.key.size <= header->longest_key);
		while (history_next_day(&reader, &event))
		{
			check_event(&reader, &event, is_sound);
			events++;
			if (error == HISTORY_OK && is_sound)
				error = history_writer_add(&writer, &reader.key, &event);
		}
	}
	HOLDS(reader.at.next <= reader.end || reader.damage != NULL);
	if (is_sound)
	{
		HOLDS(reader.damage == NULL);
		HOLDS(error == HISTORY_OK && history_writer_finish(&writer) == HISTORY_OK);
		HOLDS(writer.used == size + lead && memcmp(writer.data + lead, data, size) == 0);
		HOLDS(events == header->customer_days);
	}
	history_writer_close(&writer);
	if (writer.data != NULL)
		free(writer.data);
	return events;
}

/*
 * The way of the fast reports: plain days first, others when these stop; here
 * without keys, up to a day, and leaving some customers early.  The slow way
 * finds the same events, unless they are damaged.
 */
static void
read_partly(const uint8_t *data, size_t size, const HistoryHeader *header, Input *choices, bool is_sound)
{
	uint64_t	days = (uint64_t) ((int64_t) header->last_day - header->first_day) + 1;
	Day			until = (Day) (header->first_day + (int64_t) (take_bytes(choices, 4) % days));
	uint32_t	plain_days = (uint32_t) take_bytes(choices, 2);
	int			leave_after = 1 + take_choice(choices, 8);
	bool		put_back = take_choice(choices, 2) != 0;
	HistoryReader reader;
	HistoryReader slow;

	history_open(&reader, &host, header, data, size, NULL);
	history_open(&slow, &host, header, data, size, NULL);
	history_read_until(&reader, until);
	history_read_until(&slow, until);
	history_limit_plain(&reader, plain_days);
	history_limit_plain(&slow, 0);
	while (history_next_customer(&reader))
	{
		HistoryCursor cursor = reader.at;

		if (is_sound)
			HOLDS(history_next_customer(&slow));
		for (int read = 0; read < leave_after; read++)
		{
			PlainDay	plain;
			HistoryDay	event;
			HistoryDay	other;
			bool		found = true;

			if (history_cursor_plain(&reader, &cursor, &plain, header->has_amounts))
			{
				HOLDS(plain.since < plain_days);
				HOLDS(plain.since == cursor.since);
				event = (HistoryDay) {history_cursor_day(&reader, &cursor), 1,
									  header->has_amounts ? 1 : 0, plain.amount};
			}
			else
				found = history_cursor_other(&reader, &cursor, &event, header->has_amounts);
			if (is_sound)
				HOLDS(history_next_day(&slow, &other) == found && (!found || same_event(&event, &other)));
			if (!found)
				break;
			check_event(&reader, &event, is_sound);
		}
		if (put_back)
			reader.at = cursor;
	}
	if (is_sound)
		HOLDS(reader.damage == NULL && slow.damage == NULL && !history_next_customer(&slow));
}

/* Passing over all events. */
static void
skip_all(const uint8_t *data, size_t size, const HistoryHeader *header, uint8_t *key_buffer, bool is_sound)
{
	HistoryReader reader;
	HistoryKey	previous = {0};
	uint8_t    *previous_bytes = malloc((size_t) header->longest_key + 1);
	uint32_t	customers = 0;

	HOLDS(previous_bytes != NULL);
	history_open(&reader, &host, header, data, size, key_buffer);
	while (history_next_customer(&reader))
	{
		if (is_sound && customers > 0)
			HOLDS(history_compare_keys(header->key_type, &previous, &reader.key) < 0);
		previous = reader.key;
		if (header->key_type != HISTORY_KEY_BIGINT && reader.key.size > 0)
			memcpy(previous_bytes, reader.key.bytes, reader.key.size);
		previous.bytes = previous_bytes;
		customers++;
	}
	HOLDS(customers <= header->customers);
	if (is_sound)
		HOLDS(reader.damage == NULL && customers == header->customers);
	free(previous_bytes);
}

/* Slices of random sizes, each in memory of its own, so that a byte too far shows. */
typedef struct RandomSlices
{
	HistorySlices slices;
	const uint8_t *data;
	size_t		size;
	size_t		least;			/* size of a slice; up to twice as much */
	uint64_t	random;
	uint8_t    *slice;
} RandomSlices;

static const uint8_t *
fetch_random(HistorySlices *slices, size_t offset, size_t *size)
{
	RandomSlices *from = (RandomSlices *) slices;

	HOLDS(offset < from->size);
	from->random = from->random * 6364136223846793005 + 1442695040888963407;
	*size = from->least + (from->random >> 33) % from->least;
	if (*size > from->size - offset)
		*size = from->size - offset;
	free(from->slice);
	from->slice = malloc(*size);
	HOLDS(from->slice != NULL);
	memcpy(from->slice, from->data + offset, *size);
	return from->slice;
}

/*
 * Reads the whole and slices side by side, twice.  Where events are passed
 * over, which part of them is looked at depends on where slices end; so the
 * damage among these may differ.
 */
static void
read_slices(const uint8_t *data, size_t size, const HistoryHeader *header, Input *choices, bool is_sound)
{
	RandomSlices slices = {{fetch_random}, data, size, HISTORY_SLICE_MIN, take_bytes(choices, 2), NULL};
	int			leave_after = is_sound && take_choice(choices, 2) == 0 ? 1 + take_choice(choices, 8) : -1;
	bool		with_keys = take_choice(choices, 4) != 0;
	bool		put_back = take_choice(choices, 2) != 0;
	uint8_t    *keys[2] = {NULL, NULL};
	HistoryReader whole;
	HistoryReader sliced;

	for (int i = 0; i < 2 && with_keys; i++)
	{
		keys[i] = calloc((size_t) header->longest_key + 1, 1);
		HOLDS(keys[i] != NULL);
	}
	history_open(&whole, &host, header, data, size, keys[0]);
	history_open_slices(&sliced, &host, header, &slices.slices, size, keys[1]);
	for (int pass = 0; pass < 2; pass++)
	{
		for (;;)
		{
			bool		found = history_next_customer(&whole);
			HistoryCursor cursor;
			HistoryDay	event;
			HistoryDay	other;

			HOLDS(history_next_customer(&sliced) == found);
			if (!found)
				break;
			HOLDS(sliced.at.days_left == whole.at.days_left);
			if (header->key_type == HISTORY_KEY_BIGINT || with_keys)
				HOLDS(history_compare_keys(header->key_type, &whole.key, &sliced.key) == 0);
			cursor = sliced.at;
			for (int read = 0; read != leave_after && history_next_day(&whole, &event); read++)
			{
				HOLDS(history_cursor_next(&sliced, &cursor, &other, header->has_amounts));
				HOLDS(same_event(&event, &other));
			}
			if (whole.at.days_left == 0)
				HOLDS(!history_cursor_next(&sliced, &cursor, &other, header->has_amounts));
			if (put_back || leave_after < 0)
				sliced.at = cursor;
		}
		HOLDS(sliced.damage == whole.damage);
		if (whole.damage != NULL)
			break;
		history_rewind(&whole);
		history_rewind(&sliced);
	}
	free(slices.slice);
	free(keys[0]);
	free(keys[1]);
}

/* Adds the customer that a reader is at, of whom the first event was read, as a list. */
static HistoryError
add_listed(HistoryWriter *writer, HistoryReader *reader, HistoryDay event)
{
	size_t		days = (size_t) reader->at.days_left + 1;
	ListedDay  *list = resize(NULL, days * sizeof(ListedDay));
	HistoryDay *others = resize(NULL, days * sizeof(HistoryDay));
	size_t		count = 0;
	HistoryError error = HISTORY_OK;

	do
	{
		HOLDS(count < days);
		others[count] = event;
		list[count] = event.orders == 1 && event.amount >= 0 && event.amount <= LISTED_AMOUNT_MAX &&
			event.valued_orders == reader->header.has_amounts ?
			LISTED_PLAIN(event.day, event.amount) : LISTED_OTHER(event.day, count);
		count++;
	} while (history_next_day(reader, &event));
	if (reader->damage == NULL)
		error = history_writer_add_listed(writer, &reader->key, list, count, others);
	free(list);
	free(others);
	return error;
}

/* Every way to write a customer who is read, in turn; from a whole or in slices. */
static void
copy_all(const uint8_t *data, size_t size, const HistoryHeader *header, uint8_t *key_buffer,
		 Input *choices, bool is_sound)
{
	RandomSlices slices = {{fetch_random}, data, size, HISTORY_SLICE_MIN, take_bytes(choices, 2), NULL};
	bool		in_slices = take_choice(choices, 2) != 0;
	int			ways = take_choice(choices, 4);
	Day			first_day = header->first_day - (take_choice(choices, 4) == 0 && header->first_day > DAY_FIRST);
	uint64_t	random = take_bytes(choices, 2);
	HistoryReader reader;
	HistoryWriter writer;
	HistoryDay	event;
	HistoryError error = HISTORY_OK;
	bool		found;

	slices.least <<= take_choice(choices, 6);
	if (in_slices)
		history_open_slices(&reader, &host, header, &slices.slices, size, key_buffer);
	else
		history_open(&reader, &host, header, data, size, key_buffer);
	history_writer_open(&writer, &host, header->key_type, header->has_amounts, header->scale, first_day, 0);
	found = history_next_customer(&reader);
	while (found && error == HISTORY_OK && history_next_day(&reader, &event))
	{
		int			way = ways < 3 ? ways : (int) (random >> 33) % 3;

		random = random * 6364136223846793005 + 1442695040888963407;
		if (way == 0 && history_hold_days(&reader))
		{
			HistoryStretch stretch;
			HistoryKey	limit = {0};

			if (!history_read_stretch(&reader, &event, &stretch))
				break;
			error = history_writer_copy(&writer, &reader.key, &stretch, 1);
			if (error != HISTORY_OK || first_day != header->first_day)
				found = history_next_customer(&reader);
			else
			{
				limit.number = reader.key.number;
				if (__builtin_add_overflow(limit.number, (int64_t) (random >> 60), &limit.number) ||
					header->key_type != HISTORY_KEY_BIGINT)
					found = history_writer_copy_until(&writer, &reader, NULL, &error);
				else
					found = history_writer_copy_until(&writer, &reader, &limit, &error);
			}
			continue;
		}
		if (way == 1 && reader.at.days_left < 4096)
			error = add_listed(&writer, &reader, event);
		else
			do
				error = history_writer_add(&writer, &reader.key, &event);
			while (error == HISTORY_OK && history_next_day(&reader, &event));
		found = history_next_customer(&reader);
	}
	if (is_sound)
	{
		HistoryHeader written;

		HOLDS(error == HISTORY_OK && reader.damage == NULL && !found);
		HOLDS(history_writer_flush(&writer) == HISTORY_OK);
		HOLDS(writer.header.customers == header->customers &&
			  writer.header.customer_days == header->customer_days &&
			  writer.header.longest_key == header->longest_key);
		written = *header;
		written.first_day = first_day;
		writer.header = written;
		HOLDS(history_writer_finish(&writer) == HISTORY_OK);
		if (first_day == header->first_day)
			HOLDS(writer.used == size && memcmp(writer.data, data, size) == 0);
	}
	history_writer_close(&writer);
	free(writer.data);
	free(slices.slice);
}

/* The customers from a certain one on as a value of its own, appended to those before. */
static void
append_some(const uint8_t *data, size_t size, const HistoryHeader *header, Input *choices)
{
	uint32_t	before = (uint32_t) take_bytes(choices, 2) % header->customers;
	HistoryWriter writers[2];
	HistoryReader reader;
	HistoryDay	event;
	int64_t		last = 0;

	for (int i = 0; i < 2; i++)
		history_writer_open(&writers[i], &host, header->key_type, header->has_amounts, header->scale,
							header->first_day, 0);
	history_open(&reader, &host, header, data, size, NULL);
	for (uint32_t i = 0; history_next_customer(&reader); i++)
	{
		last = reader.key.number;
		while (history_next_day(&reader, &event))
			HOLDS(history_writer_add(&writers[i >= before], &reader.key, &event) == HISTORY_OK);
	}
	HOLDS(history_writer_finish(&writers[1]) == HISTORY_OK);
	history_open(&reader, &host, &writers[1].header, writers[1].data, writers[1].used, NULL);
	HOLDS(history_writer_append(&writers[0], &reader, last) == HISTORY_OK && reader.damage == NULL);
	HOLDS(writers[0].header.customers == header->customers &&
		  writers[0].header.customer_days == header->customer_days);
	writers[0].header = *header;
	HOLDS(history_writer_finish(&writers[0]) == HISTORY_OK);
	HOLDS(writers[0].used == size && memcmp(writers[0].data, data, size) == 0);
	for (int i = 0; i < 2; i++)
	{
		history_writer_close(&writers[i]);
		free(writers[i].data);
	}
}

/* What events add up to in any order. */
static uint64_t
event_mark(const HistoryDay *event)
{
	uint64_t	mark = (uint64_t) event->day * 0x9e3779b97f4a7c15 + (uint64_t) event->orders;

	mark = (mark ^ mark >> 29) * 0xbf58476d1ce4e5b9 + (uint64_t) event->valued_orders;
	mark = (mark ^ mark >> 32) * 0x94d049bb133111eb + (uint64_t) event->amount;
	return mark ^ mark >> 31;
}

/*
 * In parts, of which all but the first begin with a guess.  Parts that fit
 * together hold what the whole does.
 */
static void
read_parts(const uint8_t *data, size_t size, const HistoryHeader *header, Input *choices, bool is_sound)
{
	RandomSlices slices = {{fetch_random}, data, size, HISTORY_SLICE_MIN, take_bytes(choices, 2), NULL};
	bool		in_slices = take_choice(choices, 2) != 0;
	size_t		parts = 1 + (size_t) take_choice(choices, 8);
	size_t		part_size = (size - HISTORY_HEADER_SIZE) / parts;
	size_t		ended = HISTORY_HEADER_SIZE;
	bool		fit = true;
	uint64_t	customers = 0;
	uint64_t	marks = 0;
	uint64_t	all_marks = 0;
	HistoryReader reader;
	HistoryDay	event;

	if (size == HISTORY_HEADER_SIZE)
		return;
	slices.least <<= take_choice(choices, 6);
	for (size_t part = 0; part < parts; part++)
	{
		if (in_slices)
			history_open_slices(&reader, &host, header, &slices.slices, size, NULL);
		else
			history_open(&reader, &host, header, data, size, NULL);
		if (part > 0)
		{
			size_t		from = HISTORY_HEADER_SIZE + part * part_size;

			if (!history_seek(&reader, from))
			{
				fit = false;
				continue;
			}
			HOLDS(history_position(&reader) >= from && history_position(&reader) <= size);
		}
		fit &= history_position(&reader) == ended;
		history_read_to(&reader, part + 1 == parts ? size : HISTORY_HEADER_SIZE + (part + 1) * part_size);
		while (history_next_customer(&reader))
			while (history_next_day(&reader, &event))
			{
				check_event(&reader, &event, false);
				marks += event_mark(&event);
			}
		fit &= reader.damage == NULL;
		ended = history_position(&reader);
		customers += header->customers - reader.customers_left;
	}
	fit &= ended == size && customers == header->customers;

	history_open(&reader, &host, header, data, size, NULL);
	while (history_next_customer(&reader))
		while (history_next_day(&reader, &event))
			all_marks += event_mark(&event);
	HOLDS(!is_sound || parts > 1 || fit);
	/* what a part's first key shares with the one before, nobody sees */
	HOLDS(!fit || reader.damage == NULL || header->key_type != HISTORY_KEY_BIGINT);
	HOLDS(!fit || reader.damage != NULL || marks == all_marks);
	free(slices.slice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* the readers' choices are from the end, and belong to the value all the same */
	Input		choices = input_of(data + (size < 8 ? 0 : size - 8), size < 8 ? size : 8);
	Input		choices_again = choices;
	Input		choices_of_copy = choices;
	Input		choices_of_parts = choices;
	Input		choices_of_append = choices;
	uint8_t    *copy = malloc(size > 0 ? size : 1); /* of its own, so that a byte too far shows */
	HistoryHeader header;
	bool		is_sound;

	HOLDS(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	is_sound = history_validate(copy, size, &host, text_has_no_zero) == NULL;
	if (history_read_header(copy, size, &header) == NULL)
	{
		uint8_t    *key_buffer = malloc((size_t) header.longest_key + 1);

		HOLDS(key_buffer != NULL);
		read_all(copy, size, &header, key_buffer, is_sound);
		skip_all(copy, size, &header, key_buffer, is_sound);
		read_partly(copy, size, &header, &choices, is_sound);
		read_slices(copy, size, &header, &choices_again, is_sound);
		copy_all(copy, size, &header, key_buffer, &choices_of_copy, is_sound);
		if (is_sound && header.key_type == HISTORY_KEY_BIGINT)
			append_some(copy, size, &header, &choices_of_append);
		read_parts(copy, size, &header, &choices_of_parts, is_sound);
		free(key_buffer);
	}
	else
		HOLDS(!is_sound);
	free(copy);
	return 0;
}
