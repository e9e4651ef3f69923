/*
 * history_union.c
 *	  Reading the union of two flat histories without making it.
 *
 * A history of years and one of the days since: a report over both reads the
 * one as it is stored, and makes a detour for the customers whom the other one
 * has.  Those of both are written, one at a time, to where they are read from;
 * as a rule their days follow each other, and are copied as bytes.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "history.h"

typedef struct Union
{
	HistoryDetours detours;
	MemoryContext context;		/* of all this; that of the reader's caller may be one of rows */
	HistoryReader other;
	bool		has_other;		/* it has come to a customer, whose days were not read */
	bool		has_own;		/* the reader has come to one of its own, who is to follow */
	bool		is_away;		/* the reader is elsewhere, */
	HistoryPlace own;			/* and goes on from here */
	HistoryWriter writer;		/* of customers of both */
} Union;

static void
next_other(Union *both, HistoryReader *reader)
{
	both->has_other = history_next_customer(&both->other);
	if (!both->has_other)
		history_close_value(&both->other);
	both->detours.customers_left = both->other.customers_left + both->has_other;
	reader->detour_key = both->has_other ? both->other.key.number : INT64_MAX;
}

static void
leave(Union *both, HistoryReader *reader, HistoryPlace *place, Day first_day)
{
	place->at.since = history_since(reader, first_day - 1);
	both->own = history_place(reader);
	both->is_away = true;
	history_go_to(reader, place, false);
	reader->customers_left--;
	next_other(both, reader);
}

static void
come_back(Union *both, HistoryReader *reader)
{
	if (both->is_away)
		history_go_to(reader, &both->own, true);
	both->is_away = false;
}

/* Writes all events of two customers who are one; false on damage of the reader's value. */
static bool
write_events(Union *both, HistoryReader *reader, HistoryDay *own_event, HistoryDay *other_event)
{
	HistoryKey	key = reader->key;
	bool		has_own = true;
	bool		has_other = true;

	while (has_own || has_other)
	{
		if (has_own && (!has_other || own_event->day <= other_event->day))
		{
			history_check(history_writer_add(&both->writer, &key, own_event));
			has_own = history_next_day(reader, own_event);
		}
		else
		{
			history_check(history_writer_add(&both->writer, &key, other_event));
			has_other = history_next_day(&both->other, other_event);
		}
	}
	return reader->damage == NULL;
}

/* Writes the customer to whom both have come; false on damage of the reader's value. */
static bool
write_customer(Union *both, HistoryReader *reader)
{
	HistoryDay	own_event;
	HistoryDay	other_event;
	HistoryStretch stretches[2];

	if (!history_next_day(reader, &own_event))
		return false;
	if (!history_next_day(&both->other, &other_event))
		history_close_value(&both->other);
	if (!history_hold_days(reader))
		return write_events(both, reader, &own_event, &other_event);

	if (!history_read_stretch(reader, &own_event, &stretches[0]))
		return false;
	if (stretches[0].last_day >= other_event.day)
	{
		/* back to the second day */
		reader->at = (HistoryCursor)
		{
			stretches[0].rest, stretches[0].days - 1, history_since(reader, own_event.day)
		};
		return write_events(both, reader, &own_event, &other_event);
	}
	if (!history_read_stretch(&both->other, &other_event, &stretches[1]))
		history_close_value(&both->other);
	history_check(history_writer_copy(&both->writer, &reader->key, stretches, 2));
	return true;
}

/* Lets the customer of both come out. */
static bool
visit_shared(Union *both, HistoryReader *reader)
{
	Day			until = reader->until;
	uint32		quick_days = reader->quick_days;
	HistoryPlace place;
	bool		written;

	/* whatever the reader is to read of it */
	history_read_until(reader, reader->header.last_day);
	written = write_customer(both, reader);
	reader->until = until;
	reader->quick_days = quick_days;
	Assert(written == (reader->damage == NULL));
	if (!written)
		return false;
	history_check(history_writer_take_back(&both->writer, &place));
	leave(both, reader, &place, both->writer.header.first_day);
	return true;
}

static bool
go_on(Union *both, HistoryReader *reader)
{
	come_back(both, reader);
	if (!both->has_own && history_next_own_customer(reader))
	{
		both->has_own = true;
		reader->customers_left++;	/* until he comes out */
	}
	if (reader->damage != NULL)
		return false;
	if (both->has_own && (!both->has_other || reader->key.number <= both->other.key.number))
	{
		both->has_own = false;
		reader->customers_left--;
		if (!both->has_other || reader->key.number < both->other.key.number)
			return true;
		return visit_shared(both, reader);
	}
	if (both->has_other)
	{
		HistoryPlace place = history_place(&both->other);

		leave(both, reader, &place, both->other.header.first_day);
		return true;
	}
	return false;
}

static bool
next_customer(HistoryDetours *detours, HistoryReader *reader)
{
	Union	   *both = (Union *) detours;
	MemoryContext old_context = MemoryContextSwitchTo(both->context);
	bool		found;

	/* a reader that is sent to and fro does not come to look */
	CHECK_FOR_INTERRUPTS();
	found = go_on(both, reader);
	MemoryContextSwitchTo(old_context);
	return found;
}

static void
begin(HistoryDetours *detours, HistoryReader *reader)
{
	Union	   *both = (Union *) detours;

	come_back(both, reader);
	both->has_own = false;
	history_rewind(&both->other);
	next_other(both, reader);
}

bool
history_is_union(Datum datum, Datum other)
{
	HistoryHeader header;
	HistoryHeader more;

	history_header_of_datum(datum, &header);
	history_header_of_datum(other, &more);
	if (header.key_type != HISTORY_KEY_BIGINT || more.key_type != HISTORY_KEY_BIGINT ||
		header.has_amounts != more.has_amounts || header.scale != more.scale ||
		header.first_day > more.first_day ||
		(uint64) header.customer_days + more.customer_days > PG_UINT32_MAX)
		return false;
	history_add_totals(&header, &more);
	return true;
}

void
history_open_union(HistoryReader *reader, Datum datum, Datum other)
{
	Union	   *both = palloc0(sizeof(Union));
	HistoryHeader *header = &reader->header;

	history_open_datum(reader, datum, true);
	history_open_value(&both->other, history_of_datum(other), true);
	history_add_totals(header, &both->other.header);
	history_read_until(reader, header->last_day);
	both->context = CurrentMemoryContext;
	history_writer_open(&both->writer, &history_host, HISTORY_KEY_BIGINT, header->has_amounts,
						header->scale, header->first_day, 0);
	both->detours.next_customer = next_customer;
	both->detours.rewind = begin;
	history_set_detours(reader, &both->detours);
}
