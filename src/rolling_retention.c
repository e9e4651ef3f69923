/*
 * rolling_retention.c
 *	  Report rolling_retention: who was active in brackets of days counted
 *	  from each customer's own first purchase day.
 *
 * One pass over the history.  Each customer changes a few cells of its
 * cohort's row: how many brackets were observed to their end, and between
 * which brackets the answer is yes.  Those are differences, which the rows
 * add up at the end, so that a customer costs as much as its purchase days
 * and not as many brackets as there are.  The bracket of a day comes from a
 * table.
 *
 * The cells are cohorts x brackets, without the brackets that nobody has been
 * observed to the end of.  Where these are more than MAX_CELLS, which takes
 * as many rows, several passes each read a range of cohorts.
 */
#include "postgres.h"

#include "storage/shmem.h"
#include "utils/palloc.h"

#include "report.h"

PG_FUNCTION_INFO_V1(loyalty_rolling_retention);

enum
{
	ARG_HISTORY, ARG_DAYS, ARG_KIND, ARG_COHORT, ARG_AS_OF, ARG_WEEK_START,
	ARG_CONFIDENCE, ARG_OBSERVED_SINCE
};

/* 8 MB, unless one cohort alone has more brackets. */
#define MAX_CELLS	(1024 * 1024)

/* A table by day is longer than a search where brackets are longer than this. */
#define MAX_TABLE_DAYS	(64 * 1024)

typedef enum RetentionKind
{
	KIND_ON,					/* active in the bracket */
	KIND_ON_OR_AFTER,			/* in it or later */
	KIND_ON_OR_BEFORE,			/* in it or an earlier one */
	KIND_STREAK					/* in it and every earlier one */
} RetentionKind;

static const char *const kind_names[] = {
	[KIND_ON] = "on",
	[KIND_ON_OR_AFTER] = "on_or_after",
	[KIND_ON_OR_BEFORE] = "on_or_before",
	[KIND_STREAK] = "streak"
};

/* Bracket i is the days from last_days[i - 1] + 1, or 1, to last_days[i]. */
typedef struct Brackets
{
	const int32 *last_days;
	int			count;
	int32		last_day;		/* of the last one; 0 if there is none */
	int32	   *of_day;			/* up to the last day; NULL: search */
} Brackets;

/*
 * A row of cells has one for each bracket and one that takes what lies behind
 * them.
 */
typedef struct Cell
{
	uint32		ended;			/* customers observed to the end of the brackets
								 * before this one and no further */
	uint32		change;			/* retained here minus retained one before;
								 * wraps where negative, the sum does not */
} Cell;

/* The first bracket that ends on the day or later; count if none does. */
static int
search_bracket(const Brackets *brackets, int32 day)
{
	int			low = 0;
	int			high = brackets->count;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (brackets->last_days[middle] < day)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static pg_attribute_always_inline int
bracket_of_day(const Brackets *brackets, int32 day)
{
	if (day > brackets->last_day)
		return brackets->count;
	if (likely(brackets->of_day != NULL))
		return brackets->of_day[day];
	return search_bracket(brackets, day);
}

/* Those of the brackets that end within "longest" days. */
static void
make_brackets(Brackets *brackets, const int32 *last_days, int count, int32 longest)
{
	while (count > 0 && last_days[count - 1] > longest)
		count--;
	brackets->last_days = last_days;
	brackets->count = count;
	brackets->last_day = count > 0 ? last_days[count - 1] : 0;
	brackets->of_day = NULL;
	if (brackets->last_day <= MAX_TABLE_DAYS)
	{
		brackets->of_day = palloc(((Size) brackets->last_day + 1) * sizeof(int32));
		for (int32 day = 0, bracket = 0; day <= brackets->last_day; day++)
		{
			if (count > 0 && day > last_days[bracket])
				bracket++;
			brackets->of_day[day] = bracket;
		}
	}
}

/* The customer is retained in the brackets from "from" to before "to". */
static inline void
retain(Cell *cells, int from, int to)
{
	if (from < to)
	{
		cells[from].change++;
		cells[to].change--;
	}
}

/* The next day with an order up to as_of. */
static pg_attribute_always_inline bool
next_purchase(Report *report, HistoryCursor *cursor, HistoryDay *event,
			  const bool has_amounts)
{
	while (report_next_day(report, cursor, event, has_amounts))
		if (event->orders > 0)
			return true;
	return false;
}

/*
 * Counts one customer whose first purchase day has just been read, and of
 * whose brackets the first "observed" ones had ended by as_of.
 */
static pg_attribute_always_inline void
count_customer(Report *report, HistoryCursor *cursor, const Brackets *brackets,
			   const RetentionKind kind, const bool has_amounts, Day first,
			   int observed, Cell *cells)
{
	HistoryDay	event;

	switch (kind)
	{
		case KIND_ON:
			{
				int			latest = -1;

				while (next_purchase(report, cursor, &event, has_amounts))
				{
					int			bracket = bracket_of_day(brackets, event.day - first);

					if (bracket >= observed)
						break;
					/* no branch, which would be a coin's toss */
					cells[bracket].change += bracket != latest;
					cells[bracket + 1].change -= bracket != latest;
					latest = bracket;
				}
				break;
			}

		case KIND_ON_OR_AFTER:
			{
				int			reached = 0;

				while (reached < observed && next_purchase(report, cursor, &event, has_amounts))
					reached = bracket_of_day(brackets, event.day - first) + 1;
				retain(cells, 0, Min(reached, observed));
				break;
			}

		case KIND_ON_OR_BEFORE:
			if (next_purchase(report, cursor, &event, has_amounts))
				retain(cells, bracket_of_day(brackets, event.day - first), observed);
			break;

		case KIND_STREAK:
			{
				int			unbroken = 0;

				while (unbroken < observed && next_purchase(report, cursor, &event, has_amounts))
				{
					int			bracket = bracket_of_day(brackets, event.day - first);

					if (bracket > unbroken)
						break;
					if (bracket == unbroken)
						unbroken++;
				}
				retain(cells, 0, unbroken);
				break;
			}
	}
}

/* A pass over the history: of the cohorts from "from" to before "to". */
typedef struct Pass
{
	Report	   *report;
	const ReportPeriods *periods;
	const Brackets *brackets;
	RetentionKind kind;
	int32		from;
	int32		to;
	uint32	   *counts;
	Cell	   *cells;
} Pass;

/* Called with a constant kind and has_amounts, so that each has a loop of its own. */
static pg_attribute_always_inline void
count_customers(const Pass *pass, const RetentionKind kind, const bool has_amounts)
{
	Report	   *report = pass->report;
	const ReportPeriods *periods = pass->periods;
	const Brackets *brackets = pass->brackets;
	const int32 from = pass->from;
	const int32 to = pass->to;
	HistoryDay	event;

	while (report_next_customer(report))
	{
		HistoryCursor cursor = report->reader.at;
		Day			first;
		int32		cohort;
		int			observed;
		Cell	   *row;

		if (!next_purchase(report, &cursor, &event, has_amounts) ||
			event.day < report->observed_since)
			continue;
		first = event.day;
		cohort = period_index(periods, first);
		if (cohort < from || cohort >= to)
			continue;

		observed = bracket_of_day(brackets, report->as_of - first + 1);
		row = pass->cells + (Size) (cohort - from) * (brackets->count + 1);
		row[observed].ended++;
		pass->counts[cohort - from]++;
		if (observed > 0)
			count_customer(report, &cursor, brackets, kind, has_amounts, first, observed, row);
		report->reader.at = cursor;
	}
}

static void
count_part(void *state)
{
	const Pass *pass = state;

#define COUNT(kind) \
	do { \
		if (pass->report->reader.header.has_amounts) \
			count_customers(pass, kind, true); \
		else \
			count_customers(pass, kind, false); \
	} while (0)

	switch (pass->kind)
	{
		case KIND_ON:
			COUNT(KIND_ON);
			break;
		case KIND_ON_OR_AFTER:
			COUNT(KIND_ON_OR_AFTER);
			break;
		case KIND_ON_OR_BEFORE:
			COUNT(KIND_ON_OR_BEFORE);
			break;
		case KIND_STREAK:
			COUNT(KIND_STREAK);
			break;
	}
#undef COUNT
}

/* The rows of one cohort. */
static void
report_cohort(Report *report, const ReportPeriods *periods, int32 cohort,
			  const Brackets *brackets, const int32 *days, int day_count,
			  const Cell *cells, int64 customers, RetentionKind kind, double z)
{
	bool		all = periods->grid.kind == PERIOD_ALL;
	bool		ended = all || period_ended(periods, cohort);
	int64		eligible = customers;
	uint32		retained = 0;

	for (int i = 0; i < day_count; i++)
	{
		/* of brackets that nobody has been observed to the end of there are no cells */
		if (i <= brackets->count)
		{
			eligible -= cells[i].ended;
			retained += cells[i].change;
		}

		if (all)
			column_null(report);
		else
			column_day(report, period_start(periods, cohort));
		column_integer(report, i == 0 ? 1 : days[i - 1] + 1);
		column_integer(report, days[i]);
		column_count(report, customers);
		column_count(report, eligible);
		column_count(report, retained);
		column_rate(report, retained, eligible, z);
		column_boolean(report, ended && eligible == customers && kind != KIND_ON_OR_AFTER);
		report_row(report);
	}
}

Datum
loyalty_rolling_retention(PG_FUNCTION_ARGS)
{
	static const int32 default_days[] = {30, 60, 90};
	Report		report;
	ReportPeriods periods;
	Brackets	brackets;
	PeriodGrid	grid = arg_grid(fcinfo, ARG_COHORT, "cohort", PERIOD_MONTH, true,
								ARG_WEEK_START);
	RetentionKind kind = arg_choice(fcinfo, ARG_KIND, "kind", kind_names, lengthof(kind_names));
	double		z = arg_confidence(fcinfo, ARG_CONFIDENCE);
	int			day_count;
	const int32 *days = arg_day_counts(fcinfo, ARG_DAYS, "days",
									   default_days, lengthof(default_days), &day_count);
	Size		width;
	int32		range;
	uint32	   *counts;
	Cell	   *cells;
	ReportCells shared[2];

	if (!report_begin(&report, fcinfo, ARG_HISTORY, ARG_AS_OF, ARG_OBSERVED_SINCE, false))
		return (Datum) 0;
	report_periods(&periods, &report, grid);
	make_brackets(&brackets, days, day_count, report.as_of - periods.first_day);

	width = (Size) brackets.count + 1;
	range = Min(periods.count, Max(MAX_CELLS / width, 1));
	counts = report_cells(range, sizeof(uint32));
	cells = report_cells(mul_size(range, width), sizeof(Cell));
	shared[0] = (ReportCells) {counts, range * sizeof(uint32), add_short_counts};
	shared[1] = (ReportCells) {cells, range * width * sizeof(Cell), add_short_counts};

	for (int32 from = grid.kind == PERIOD_ALL ? 0 : first_believed_period(&periods, &report);
		 from < periods.count; from += range)
	{
		int32		to = Min(from + range, periods.count);

		memset(counts, 0, range * sizeof(uint32));
		memset(cells, 0, range * width * sizeof(Cell));
		if (!report_count(&report, fcinfo, count_part,
						  &(Pass) {&report, &periods, &brackets, kind, from, to, counts, cells},
						  shared, range < periods.count ? 0 : 2))
			return (Datum) 0;

		for (int32 cohort = from; cohort < to; cohort++)
			if (counts[cohort - from] > 0)
				report_cohort(&report, &periods, cohort, &brackets, days, day_count,
							  cells + (cohort - from) * width, counts[cohort - from], kind, z);
		if (to < periods.count)
			history_rewind(&report.reader);
	}
	return (Datum) 0;
}
