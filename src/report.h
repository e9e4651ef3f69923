/*
 * report.h
 *	  What all reports share: reading their arguments, numbering periods and
 *	  returning rows.
 *
 * A report is a set-returning function of a customer_history.  NULL for the
 * history gives no rows; NULL for any other argument means its default.
 */
#ifndef LOYALTY_REPORT_H
#define LOYALTY_REPORT_H

#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"

#include "amount.h"
#include "calendar.h"
#include "estimate.h"
#include "history.h"

#define REPORT_MAX_COLUMNS	24
#define REPORT_MAX_PERIODS	10000

/* ---------- arguments ---------- */

/*
 * Each takes the number of the argument, and its name for messages, and
 * raises 22023 with what is allowed.
 */
extern PeriodGrid arg_grid(FunctionCallInfo fcinfo, int period_arg, const char *name,
						   PeriodKind default_kind, bool all_allowed, int week_start_arg);

/* The index of the word among the choices; NULL: 0. */
extern int	arg_choice(FunctionCallInfo fcinfo, int arg, const char *name,
					   const char *const *choices, int count);

/* A positive integer; NULL: the default. */
extern int32 arg_positive(FunctionCallInfo fcinfo, int arg, const char *name,
						  int32 default_value);

/* z of a confidence level; NULL: that of 0.95. */
extern double arg_confidence(FunctionCallInfo fcinfo, int arg);

/* A finite date; false if NULL. */
extern bool arg_day(FunctionCallInfo fcinfo, int arg, const char *name, Day *day);

/* Positive numbers of days in ascending order, each once, at least one. */
extern int32 *arg_day_counts(FunctionCallInfo fcinfo, int arg, const char *name,
							 const int32 *defaults, int default_count, int *count);

/* ---------- a report ---------- */

typedef struct Report
{
	ReturnSetInfo *result;
	Datum		history;
	HistoryReader reader;
	Day			as_of;
	Day			observed_since; /* least integer: everything is believed */
	int			column;			/* the next one to be set */
	MemoryContext row_context;	/* of the columns' values, until the row is made */
	Datum		values[REPORT_MAX_COLUMNS];
	bool		nulls[REPORT_MAX_COLUMNS];
	NumericRoom money[REPORT_MAX_COLUMNS];	/* of the columns with money */
} Report;

/*
 * Prepares the result set and opens the history, reads as_of and
 * observed_since (argument -1: the report has none).  Returns false where
 * there is nothing to report: no history, no purchase, or none up to as_of.
 * The caller then returns at once.
 */
extern bool report_begin(Report *report, FunctionCallInfo fcinfo, int history_arg,
						 int as_of_arg, int observed_since_arg, bool with_keys);

/*
 * An array of cells of a report, zero at first, into which customers are
 * counted.
 */
typedef struct ReportCells
{
	void	   *cells;
	Size		size;			/* bytes */
	void		(*add) (void *cells, const void *more, Size size);
} ReportCells;

/* Larger cells, all together, cost more to add up than workers spare. */
#define REPORT_MAX_SHARED	((Size) 4 * 1024 * 1024)

/* Of whole numbers of 64 and of 32 bits. */
extern void add_counts(void *cells, const void *more, Size size);
extern void add_short_counts(void *cells, const void *more, Size size);

/*
 * Has all customers counted, if the value is large and stored with the help
 * of parallel workers (report_parallel.c).  "count" reads customers until
 * none comes and counts them into the cells and nothing else that lasts; it is
 * called several times, for one part of the customers each.  Without cells
 * there is no help.  Returns false where this is a worker, in which the report
 * returns at once.
 */
extern bool report_count(Report *report, FunctionCallInfo fcinfo,
						 void (*count) (void *state), void *state,
						 const ReportCells *cells, int cells_count);

/* Whether this is such a worker. */
extern bool report_is_helped(void);

/* The same without a result set, for a function that returns one value. */
extern bool report_open(Report *report, FunctionCallInfo fcinfo, int history_arg,
						int as_of_arg, int observed_since_arg, bool with_keys);

/*
 * The next customer; raises what damage ended the iteration, but not in a
 * worker, which may be at fault itself.
 */
static inline bool
report_next_customer(Report *report)
{
	if (history_next_customer(&report->reader))
		return true;
	if (!report_is_helped())
		history_close_value(&report->reader);
	return false;
}

/*
 * The next event of the customer up to as_of: see history_cursor_next.  The
 * cursor is a copy of report->reader.at, taken when the customer began.
 */
static pg_attribute_always_inline bool
report_next_day(Report *report, HistoryCursor *cursor, HistoryDay *event,
				const bool has_amounts)
{
	return history_cursor_next(&report->reader, cursor, event, has_amounts);
}

static pg_attribute_always_inline bool
report_plain_day(const Report *report, HistoryCursor *cursor, PlainDay *plain,
				 const bool has_amounts)
{
	return history_cursor_plain(&report->reader, cursor, plain, has_amounts);
}

static pg_attribute_always_inline bool
report_other_day(Report *report, HistoryCursor *cursor, HistoryDay *event,
				 const bool has_amounts)
{
	return history_cursor_other(&report->reader, cursor, event, has_amounts);
}

/* The columns of a row from left to right, then the row. */
static inline void
set_column(Report *report, Datum value, bool is_null)
{
	Assert(report->column < REPORT_MAX_COLUMNS);
	report->values[report->column] = value;
	report->nulls[report->column] = is_null;
	report->column++;
}

static inline void
column_null(Report *report)
{
	set_column(report, (Datum) 0, true);
}

static inline void
column_datum(Report *report, Datum value)
{
	set_column(report, value, false);
}

static inline void
column_day(Report *report, Day day)
{
	column_datum(report, Int32GetDatum(day));
}

static inline void
column_integer(Report *report, int32 value)
{
	column_datum(report, Int32GetDatum(value));
}

static inline void
column_count(Report *report, int64 value)
{
	column_datum(report, Int64GetDatum(value));
}

static inline void
column_double(Report *report, double value)
{
	column_datum(report, Float8GetDatum(value));
}

static inline void
column_boolean(Report *report, bool value)
{
	column_datum(report, BoolGetDatum(value));
}

/* numerator / denominator in double precision; NULL if that is 0. */
extern void column_ratio(Report *report, int64 numerator, int64 denominator);

/* The same columns where the value is known, else NULL. */
extern void column_count_if(Report *report, bool known, int64 value);
extern void column_double_if(Report *report, bool known, double value);
extern void column_ratio_if(Report *report, bool known, int64 numerator, int64 denominator);
extern void column_money_if(Report *report, bool known, Amount amount);

/* Rate and its Wilson limits, three columns; NULL if there are no trials. */
extern void column_rate(Report *report, int64 successes, int64 trials, double z);

/* Money; NULL in a history without amounts. */
extern void column_money(Report *report, Amount amount);

/* Money over a count, as numeric; NULL without amounts or if the count is 0. */
extern void column_money_mean(Report *report, Amount amount, int64 count);

/* Money over money, in double precision; NULL unless the denominator is positive. */
extern void column_money_ratio(Report *report, Amount numerator, Amount denominator);

/* a += b; raises 22003 on overflow. */
static inline void
add_money(Amount *a, Amount b)
{
	if (unlikely(__builtin_add_overflow(*a, b, a)))
		history_check(HISTORY_AMOUNT_OVERFLOW);
}

/*
 * A sum of money in two parts.  Amounts of 32 bits are plain: as many of them
 * as a history can have, twice, stay below 2^62, so that they are added up in
 * 64 bits without looking for overflow.
 */
typedef struct MoneySum
{
	Amount		other;
	int64		plain;			/* not beside a count that precedes the sum, or the
								 * two would be added to as a vector, slowly */
} MoneySum;

static inline bool
amount_is_plain(Amount amount)
{
	return (UnsignedAmount) amount <= PG_UINT32_MAX;
}

static pg_attribute_always_inline void
sum_add(MoneySum *sum, Amount amount, const bool plain)
{
	if (plain)
		sum->plain += (int64) amount;
	else
		add_money(&sum->other, amount);
}

/* An amount of which it is not known whether it is plain. */
static pg_attribute_always_inline void
sum_add_any(MoneySum *sum, Amount amount)
{
	sum_add(sum, amount, likely(amount_is_plain(amount)));
}

static inline Amount
sum_money(const MoneySum *sum)
{
	Amount		money = sum->other;

	add_money(&money, sum->plain);
	return money;
}

/* Emits the row; every column must have been set. */
extern void report_row(Report *report);

/* ---------- the periods of a report ---------- */

/*
 * The periods from that of the first purchase to that of as_of, numbered
 * from 0.  A table by day spares the calendar where the days are not too
 * many.
 */
typedef struct ReportPeriods
{
	PeriodGrid	grid;
	Day			first_day;		/* the first purchase */
	Day			as_of;
	int32		first_period;	/* its number in the grid */
	int32		count;
	uint32		days;			/* with a period in the table; 0: ask the calendar */
	int32	   *of_day;			/* by day - first_day */
} ReportPeriods;

/*
 * Raises 54000 for more than REPORT_MAX_PERIODS.  Only days in the table will
 * be plain.
 */
extern void report_periods(ReportPeriods *periods, Report *report, PeriodGrid grid);

/* The period of a day up to as_of; negative before that of the first purchase. */
static inline int32
period_index(const ReportPeriods *periods, Day day)
{
	uint32		index = (uint32) day - (uint32) periods->first_day;

	if (likely(index < periods->days))
		return periods->of_day[index];
	return period_of_day(periods->grid, day) - periods->first_period;
}

/* Not for PERIOD_ALL, which needs no table. */
static inline int32
period_of_plain(const ReportPeriods *periods, const PlainDay *plain)
{
	return periods->of_day[plain->since];
}

/* The first period there is may begin before the first date there is. */
static inline Day
period_start(const ReportPeriods *periods, int32 index)
{
	return Max(period_first_day(periods->grid, periods->first_period + index), DAY_FIRST);
}

/* Whether the period had ended by as_of. */
static inline bool
period_ended(const ReportPeriods *periods, int32 index)
{
	return period_last_day(periods->grid, periods->first_period + index) <= periods->as_of;
}

/* The first period that starts on or after observed_since; count if none does. */
extern int32 first_believed_period(const ReportPeriods *periods, const Report *report);

/* Zeroed memory for so many cells of a report. */
extern void *report_cells(Size count, Size width);

#endif							/* LOYALTY_REPORT_H */
