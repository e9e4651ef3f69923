/*
 * history_between.c
 *	  history_between: only the days of a range.
 *
 * What it returns is what the aggregate would have built from the rows of
 * these days, so its header says whether any amount and which first day are
 * left.  Both have to be known before the first customer is written: hence
 * two passes, of which the first ends as soon as it knows.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"

#include "history.h"

PG_FUNCTION_INFO_V1(loyalty_history_between);

typedef struct DayRange
{
	Day			from;
	Day			to;
} DayRange;

static char *
day_to_text(Day day)
{
	return DatumGetCString(DirectFunctionCall1(date_out, DateADTGetDatum(day)));
}

/* Infinite dates are the least and the greatest: as bounds they are open. */
static DayRange
arg_day_range(FunctionCallInfo fcinfo, int from_arg, int to_arg)
{
	DayRange	range;

	range.from = PG_ARGISNULL(from_arg) ? DATEVAL_NOBEGIN : PG_GETARG_DATEADT(from_arg);
	range.to = PG_ARGISNULL(to_arg) ? DATEVAL_NOEND : PG_GETARG_DATEADT(to_arg);
	if (range.from > range.to)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("from_day %s is after to_day %s",
						day_to_text(range.from), day_to_text(range.to)),
				 errhint("Both days belong to the range; NULL leaves a side open.")));
	return range;
}

/*
 * The first day in the range, and whether any amount is; false: nothing is.
 * Leaves the reader somewhere.
 */
static bool
survey_range(HistoryReader *reader, DayRange range, Day *first_day, bool *has_amounts)
{
	HistoryDay	event;
	Day			earliest = Max(range.from, reader->header.first_day);
	bool		any = false;
	uint32		steps = 0;

	*first_day = DAY_LAST;
	*has_amounts = false;
	while (history_next_customer(reader))
	{
		HistoryCursor cursor = reader->at;

		while (history_cursor_next(reader, &cursor, &event, reader->header.has_amounts) &&
			   event.day <= range.to)
		{
			if ((++steps & 0xffff) == 0)
				CHECK_FOR_INTERRUPTS();
			if (event.day < range.from)
				continue;
			any = true;
			*first_day = Min(*first_day, event.day);
			*has_amounts |= event_has_amount(&event);
		}
		reader->at = cursor;
		if ((++steps & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
		if (any && *first_day == earliest && *has_amounts == reader->header.has_amounts)
			return true;
	}
	history_close_value(reader);
	return any;
}

/* history_between(h, from_day, to_day) */
Datum
loyalty_history_between(PG_FUNCTION_ARGS)
{
	HistoryHeader header;
	HistoryReader reader;
	HistoryWriter writer;
	HistoryDay	event;
	DayRange	range = arg_day_range(fcinfo, 1, 2);
	Day			first_day;
	bool		has_amounts;
	uint32		steps = 0;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();

	/* a stored value is not fetched where it is all or nothing of it */
	history_header_of_datum(PG_GETARG_DATUM(0), &header);
	if (range.from > header.last_day || range.to < header.first_day)
		PG_RETURN_NULL();
	if (range.from <= header.first_day && range.to >= header.last_day)
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));

	history_open_datum(&reader, PG_GETARG_DATUM(0), true);
	if (!survey_range(&reader, range, &first_day, &has_amounts))
		PG_RETURN_NULL();
	history_rewind(&reader);

	history_writer_open(&writer, &history_host, reader.header.key_type, has_amounts,
						reader.header.scale, first_day, VARHDRSZ);
	while (history_next_customer(&reader))
	{
		HistoryCursor cursor = reader.at;
		bool		found = false;

		if ((++steps & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
		while (history_cursor_next(&reader, &cursor, &event, reader.header.has_amounts) &&
			   event.day <= range.to)
		{
			if ((++steps & 0xffff) == 0)
				CHECK_FOR_INTERRUPTS();
			if (event.day < range.from)
				continue;
			history_check(found ? history_writer_add_day(&writer, &event) :
						  history_writer_add(&writer, &reader.key, &event));
			found = true;
		}
		reader.at = cursor;
	}
	history_close_value(&reader);
	PG_RETURN_POINTER(history_of_writer(&writer));
}
