/*
 * retention.c
 *	  Cohort retention by calendar period: who came back, and with how much
 *	  money.
 *
 * One pass over the history.  Each customer adds one to a cell for every
 * period (kind on) or to a single one: the last active period (on_or_after),
 * the first return (on_or_before) or the end of the unbroken run (streak),
 * from which sums over a cohort's cells give the counts.  Cells exist for
 * cohorts that have customers: 8 bytes each, and 24 more in a history with
 * amounts.
 */
#include "postgres.h"

#include "fmgr.h"

#include "report.h"

PG_FUNCTION_INFO_V1(loyalty_retention);

enum
{
	ARG_HISTORY, ARG_PERIOD, ARG_KIND, ARG_COHORT, ARG_PERIODS, ARG_AS_OF,
	ARG_WEEK_START, ARG_CONFIDENCE, ARG_OBSERVED_SINCE
};

typedef enum RetentionKind
{
	KIND_ON, KIND_ON_OR_AFTER, KIND_ON_OR_BEFORE, KIND_STREAK
} RetentionKind;

static const char *const kind_names[] = {"on", "on_or_after", "on_or_before", "streak"};
static const char *const cohort_names[] = {"period", "all"};

typedef struct Cohort
{
	int64		customers;
	int64	   *active;			/* by period number; NULL without customers */
	MoneySum   *money;			/* likewise; NULL without amounts */
} Cohort;

typedef struct Retention
{
	Report		report;
	ReportPeriods periods;
	RetentionKind kind;
	int32		highest;		/* period number */
	int32		first_cohort;	/* earlier ones are not believed */
	double		z;
	Cohort	   *cohorts;
} Retention;

/* Cells of a cohort: up to the period of as_of, or as many as are wanted. */
static int32
cohort_width(const Retention *retention, int32 cohort)
{
	return Min(retention->periods.count - cohort - 1, retention->highest) + 1;
}

static Cohort *
cohort_with_cells(Retention *retention, int32 index)
{
	Cohort	   *cohort = &retention->cohorts[index];

	if (cohort->active == NULL)
	{
		int32		width = cohort_width(retention, index);

		cohort->active = report_cells(width, sizeof(int64));
		if (retention->report.reader.header.has_amounts)
			cohort->money = report_cells(width, sizeof(MoneySum));
	}
	return cohort;
}

/* What the days of a customer that were read add up to, in period numbers. */
typedef struct Progress
{
	int32		first;			/* the period of number 0 */
	int32		last;			/* last active period */
	int32		first_return;
	int32		streak;
} Progress;

/*
 * Counts a day after the first one in the cells of the customer's cohort, and
 * returns the number of its period.  What is hard to guess is arithmetic, not
 * a branch.
 */
static pg_attribute_always_inline int32
count_day(const Retention *retention, const Cohort *cohort, Progress *progress,
		  int32 period, bool purchased, const RetentionKind kind)
{
	int32		highest = retention->highest;
	int32		number = period - progress->first;
	int32		is_new = purchased & (number > progress->last);

	if (kind == KIND_ON && likely(number <= highest))
		cohort->active[number] += is_new;
	else if (kind == KIND_ON_OR_BEFORE)
		progress->first_return = Min(progress->first_return,
									 number | ((is_new - 1) & PG_INT32_MAX));
	else if (kind == KIND_STREAK)
		progress->streak += is_new & (number == progress->streak + 1);
	progress->last = purchased ? number : progress->last;
	return number;
}

/*
 * Reads the current customer.  Called with a constant kind and has_money, so
 * that each has a loop of its own that does no more than it needs.
 */
static pg_attribute_always_inline void
count_customer(Retention *retention, const RetentionKind kind, const bool has_money)
{
	Report	   *report = &retention->report;
	const ReportPeriods *periods = &retention->periods;
	HistoryCursor cursor = report->reader.at;
	int32		highest = retention->highest;
	HistoryDay	event;
	PlainDay	day;
	Cohort	   *in_cohort;
	Cohort		cohort;
	Progress	progress = {.first_return = PG_INT32_MAX};
	Amount		early_money = 0;	/* up to the first purchase, in its period */
	int32		early_period = PG_INT32_MIN;

	/* up to the first purchase */
	for (;;)
	{
		int32		period;

		if (!report_next_day(report, &cursor, &event, has_money))
			return;
		period = period_index(periods, event.day);
		if (period != early_period)
		{
			early_period = period;
			early_money = 0;
		}
		add_money(&early_money, event.amount);
		if (event.orders > 0)
			break;
	}
	progress.first = early_period;
	if (event.day < report->observed_since || progress.first < retention->first_cohort)
		return;

	in_cohort = cohort_with_cells(retention, progress.first);
	in_cohort->customers++;
	cohort = *in_cohort;
	if (has_money)
		sum_add_any(&cohort.money[0], early_money);

	/* all that follows */
	for (;;)
	{
		int32		number;

		while (report_plain_day(report, &cursor, &day, has_money))
		{
			number = count_day(retention, &cohort, &progress, period_of_plain(periods, &day),
							   true, kind);
			if (has_money && likely(number <= highest))
				sum_add(&cohort.money[number], day.amount, true);
		}
		if (!report_other_day(report, &cursor, &event))
			break;
		number = count_day(retention, &cohort, &progress, period_index(periods, event.day),
						   event.orders > 0, kind);
		if (has_money && number <= highest)
			sum_add_any(&cohort.money[number], event.amount);
	}
	report->reader.at = cursor;

	if (kind == KIND_ON_OR_AFTER)
		cohort.active[Min(progress.last, highest)]++;
	else if (kind == KIND_ON_OR_BEFORE && progress.first_return <= highest)
		cohort.active[progress.first_return]++;
	else if (kind == KIND_STREAK)
		cohort.active[Min(progress.streak, highest)]++;
}

static void
count_customers(Retention *retention)
{
	Report	   *report = &retention->report;
	bool		has_money = report->reader.header.has_amounts;

#define COUNT(kind) \
	do { \
		if (has_money) \
			while (report_next_customer(report)) \
				count_customer(retention, kind, true); \
		else \
			while (report_next_customer(report)) \
				count_customer(retention, kind, false); \
	} while (0)

	switch (retention->kind)
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

/* Turns what customers added to the cells into counts of customers. */
static void
sum_cohort(const Retention *retention, int32 index)
{
	Cohort	   *cohort = &retention->cohorts[index];
	int32		width = cohort_width(retention, index);

	if (retention->kind == KIND_ON_OR_BEFORE)
		for (int32 k = 2; k < width; k++)
			cohort->active[k] += cohort->active[k - 1];
	else if (retention->kind != KIND_ON)
		for (int32 k = width - 2; k >= 0; k--)
			cohort->active[k] += cohort->active[k + 1];
	cohort->active[0] = cohort->customers;
}

typedef struct Cell
{
	int64		customers;
	int64		so_far;
	Amount		first_money;	/* of period 0 */
	Amount		money;
	Amount		cumulative;
} Cell;

/* The columns that rows of a cohort and pooled rows have in common. */
static void
emit_cell(Retention *retention, int32 number, const Cell *cell, bool ended)
{
	Report	   *report = &retention->report;

	column_count(report, cell->customers);
	if (number == 0)
	{
		column_count(report, cell->customers);
		column_count(report, cell->customers);
		column_count(report, cell->so_far);
		for (int i = 0; i < 3; i++)
			column_double(report, 1.0);
	}
	else if (ended)
	{
		column_count(report, cell->customers);
		column_count(report, cell->so_far);
		column_count(report, cell->so_far);
		column_rate(report, cell->so_far, cell->customers, retention->z);
	}
	else
	{
		column_count(report, 0);
		column_null(report);
		column_count(report, cell->so_far);
		for (int i = 0; i < 3; i++)
			column_null(report);
	}

	column_money(report, cell->money);
	if (ended)
		column_money_ratio(report, cell->money, cell->first_money);
	else
		column_null(report);
	column_money(report, cell->cumulative);
	column_money_mean(report, cell->cumulative, cell->customers);
	column_boolean(report, ended && !(retention->kind == KIND_ON_OR_AFTER && number > 0));
	report_row(report);
}

static void
emit_cohort(Retention *retention, int32 index)
{
	Report	   *report = &retention->report;
	const ReportPeriods *periods = &retention->periods;
	const Cohort *cohort = &retention->cohorts[index];
	int32		width = cohort_width(retention, index);
	Cell		cell = {.customers = cohort->customers};

	for (int32 number = 0; number < width; number++)
	{
		cell.so_far = cohort->active[number];
		if (cohort->money != NULL)
		{
			cell.first_money = sum_money(&cohort->money[0]);
			cell.money = sum_money(&cohort->money[number]);
			add_money(&cell.cumulative, cell.money);
		}
		column_day(report, period_start(periods, index));
		column_integer(report, number);
		column_day(report, period_start(periods, index + number));
		emit_cell(retention, number, &cell, period_ended(periods, index + number));
	}
}

/*
 * Row k pools the cohorts whose period k had ended, so each row has cohorts
 * of its own; row 0 has them all.
 */
static void
emit_pooled(Retention *retention)
{
	Report	   *report = &retention->report;
	const ReportPeriods *periods = &retention->periods;
	Amount	   *cumulative = report_cells(periods->count, sizeof(Amount));

	for (int32 number = 0; number < periods->count && number <= retention->highest; number++)
	{
		Cell		cell = {0};
		bool		all_ended = true;

		for (int32 index = 0; index + number < periods->count; index++)
		{
			const Cohort *cohort = &retention->cohorts[index];
			bool		ended = period_ended(periods, index + number);

			if (cohort->customers == 0 || (number > 0 && !ended))
				continue;
			all_ended &= ended;
			cell.customers += cohort->customers;
			cell.so_far += cohort->active[number];
			if (cohort->money != NULL)
			{
				Amount		money = sum_money(&cohort->money[number]);

				add_money(&cumulative[index], money);
				add_money(&cell.first_money, sum_money(&cohort->money[0]));
				add_money(&cell.money, money);
				add_money(&cell.cumulative, cumulative[index]);
			}
		}
		if (cell.customers == 0)
			break;
		column_null(report);
		column_integer(report, number);
		column_null(report);
		emit_cell(retention, number, &cell, all_ended);
	}
}

Datum
loyalty_retention(PG_FUNCTION_ARGS)
{
	Retention	retention = {0};
	Report	   *report = &retention.report;
	PeriodGrid	grid = arg_grid(fcinfo, ARG_PERIOD, "period", PERIOD_MONTH, false,
								ARG_WEEK_START);
	bool		pooled = arg_choice(fcinfo, ARG_COHORT, "cohort", cohort_names,
									lengthof(cohort_names)) == 1;

	retention.kind = arg_choice(fcinfo, ARG_KIND, "kind", kind_names, lengthof(kind_names));
	retention.z = arg_confidence(fcinfo, ARG_CONFIDENCE);
	retention.highest = PG_ARGISNULL(ARG_PERIODS) ? REPORT_MAX_PERIODS : PG_GETARG_INT32(ARG_PERIODS);
	if (retention.highest < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("periods must not be %d", retention.highest),
				 errhint("Use the highest period_number wanted, 0 or more.")));

	if (!report_begin(report, fcinfo, ARG_HISTORY, ARG_AS_OF, ARG_OBSERVED_SINCE, false))
		return (Datum) 0;
	report_periods(&retention.periods, report, grid);
	/* a pooled row leaves out customers, one by one, but no cohort */
	retention.first_cohort = pooled ? 0 : first_believed_period(&retention.periods, report);
	retention.cohorts = report_cells(retention.periods.count, sizeof(Cohort));

	count_customers(&retention);

	for (int32 index = 0; index < retention.periods.count; index++)
		if (retention.cohorts[index].customers > 0)
		{
			sum_cohort(&retention, index);
			if (!pooled)
				emit_cohort(&retention, index);
		}
	if (pooled)
		emit_pooled(&retention);
	return (Datum) 0;
}
