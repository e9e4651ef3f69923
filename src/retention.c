/*
 * retention.c
 *	  Cohort retention by calendar period: who came back, and with how much
 *	  money.
 *
 * One pass over the history.  Each customer adds one to a cell for every
 * period (kind on) or to a single one: the last active period (on_or_after),
 * the first return (on_or_before) or the end of the unbroken run (streak),
 * from which sums over a cohort's cells give the counts.  A cell has 8 bytes,
 * and 24 more in a history with amounts.  If those of all cohorts together are
 * few, they exist from the start, and parallel workers can help; else only
 * cohorts that have customers have cells.
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

/* By period number.  Side by side, as both change with nearly every day. */
typedef struct CohortCell
{
	int64		active;
	MoneySum	money;			/* only in a history with amounts: see cell_of */
} CohortCell;

typedef struct Cohort
{
	int64		customers;
	CohortCell *cells;			/* may be NULL without customers */
} Cohort;

/* Without amounts cells are no longer than they need be. */
static inline Size
cell_width(const bool has_money)
{
	return has_money ? sizeof(CohortCell) : offsetof(CohortCell, money);
}

static pg_attribute_always_inline CohortCell *
cell_of(CohortCell *cells, int32 number, const bool has_money)
{
	return (CohortCell *) ((char *) cells + number * cell_width(has_money));
}

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

static inline Cohort *
cohort_with_cells(Retention *retention, int32 index, const bool has_money)
{
	Cohort	   *cohort = &retention->cohorts[index];

	if (unlikely(cohort->cells == NULL))
		cohort->cells = report_cells(cohort_width(retention, index), cell_width(has_money));
	return cohort;
}

/* See ReportCells. */
static void
add_cohorts(void *cells, const void *more, Size size)
{
	Cohort	   *cohorts = cells;
	const Cohort *others = more;

	for (Size i = 0; i < size / sizeof(Cohort); i++)
		cohorts[i].customers += others[i].customers;
}

static void
add_cells_with_money(void *cells, const void *more, Size size)
{
	CohortCell *cell = cells;
	const CohortCell *other = more;

	for (Size i = 0; i < size / sizeof(CohortCell); i++)
	{
		cell[i].active += other[i].active;
		cell[i].money.plain += other[i].money.plain;
		add_money(&cell[i].money.other, other[i].money.other);
	}
}

/*
 * Makes cohorts and, unless these are too many, all cells.  Returns how many
 * arrays of these can be counted into by several.
 */
static int
make_cohorts(Retention *retention, ReportCells *shared)
{
	int32		count = retention->periods.count;
	bool		has_money = retention->report.reader.header.has_amounts;
	Size		size = 0;
	char	   *cells;

	retention->cohorts = report_cells(count, sizeof(Cohort));
	for (int32 index = 0; index < count; index++)
		size += cohort_width(retention, index) * cell_width(has_money);
	if (size + count * sizeof(Cohort) > REPORT_MAX_SHARED)
		return 0;

	cells = report_cells(size, 1);
	shared[0] = (ReportCells) {retention->cohorts, count * sizeof(Cohort), add_cohorts};
	shared[1] = (ReportCells) {cells, size, has_money ? add_cells_with_money : add_counts};
	for (int32 index = 0; index < count; index++)
	{
		retention->cohorts[index].cells = (CohortCell *) cells;
		cells += cohort_width(retention, index) * cell_width(has_money);
	}
	return 2;
}

/*
 * What the days of a customer that were read add up to.  Periods are told by
 * their place in the report: their numbers would be a subtraction a day.
 */
typedef struct Progress
{
	int32		last;			/* last active period */
	int32		first_return;
	int32		streak;			/* the last one without a gap before */
} Progress;

/* The cells of a cohort, by periods of the report from the cohort's own on. */
typedef uintptr_t PeriodCells;

static inline PeriodCells
cells_by_period(const Cohort *cohort, int32 first, const bool has_money)
{
	return (uintptr_t) cohort->cells - first * cell_width(has_money);
}

static inline CohortCell *
cell_of_period(PeriodCells cells, int32 period, const bool has_money)
{
	return (CohortCell *) (cells + period * cell_width(has_money));
}

/*
 * Counts a day after the first one in the cells of the customer's cohort.
 * What is hard to guess is arithmetic, not a branch.
 */
static pg_attribute_always_inline void
count_day(PeriodCells cells, int32 latest, Progress *progress, int32 period, bool purchased,
		  Amount amount, const bool plain, const RetentionKind kind, const bool has_money)
{
	int32		is_new = purchased & (period > progress->last);

	if (likely(period <= latest))
	{
		CohortCell *cell = cell_of_period(cells, period, has_money);

		if (kind == KIND_ON)
			cell->active += is_new;
		if (has_money && plain)
			sum_add(&cell->money, amount, true);
		else if (has_money)
			sum_add_any(&cell->money, amount);
	}
	if (kind == KIND_ON_OR_BEFORE)
		progress->first_return = Min(progress->first_return,
									 period | ((is_new - 1) & PG_INT32_MAX));
	else if (kind == KIND_STREAK)
		progress->streak += is_new & (period == progress->streak + 1);
	progress->last = purchased ? period : progress->last;
}

/*
 * Reads up to the first purchase day: *money is that of its period so far.
 * Returns the period, or a negative number where there is no purchase.
 */
static pg_attribute_always_inline int32
find_first_day(Report *report, const ReportPeriods *periods, HistoryCursor *cursor,
			   Amount *money, const bool has_money)
{
	PlainDay	day;
	HistoryDay	event;
	int32		period = PG_INT32_MIN;

	/* nearly all begin with a plain purchase */
	if (likely(report_plain_day(report, cursor, &day, has_money)))
	{
		*money = day.amount;
		return period_of_plain(periods, &day);
	}
	*money = 0;
	while (report_next_day(report, cursor, &event, has_money))
	{
		int32		latest = period_index(periods, event.day);

		if (latest != period)
			*money = 0;
		period = latest;
		add_money(money, event.amount);
		if (event.orders > 0)
			return period;
	}
	return -1;
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
	HistoryDay	event;
	PlainDay	day;
	Cohort	   *cohort;
	PeriodCells cells;
	int32		latest;			/* period with a cell */
	Progress	progress;
	Amount		early_money;
	int32		first = find_first_day(report, periods, &cursor, &early_money, has_money);

	if (first < retention->first_cohort ||
		history_cursor_day(&report->reader, &cursor) < report->observed_since)
		return;

	cohort = cohort_with_cells(retention, first, has_money);
	cohort->customers++;
	cells = cells_by_period(cohort, first, has_money);
	latest = first + retention->highest;
	if (has_money)
		sum_add_any(&cohort->cells[0].money, early_money);

	/* all that follows */
	progress = (Progress) {first, PG_INT32_MAX, first};
	for (;;)
	{
		while (report_plain_day(report, &cursor, &day, has_money))
			count_day(cells, latest, &progress, period_of_plain(periods, &day),
					  true, day.amount, true, kind, has_money);
		if (!report_other_day(report, &cursor, &event, has_money))
			break;
		count_day(cells, latest, &progress, period_index(periods, event.day),
				  event.orders > 0, event.amount, false, kind, has_money);
	}
	report->reader.at = cursor;

	if (kind == KIND_ON_OR_AFTER)
		cell_of_period(cells, Min(progress.last, latest), has_money)->active++;
	else if (kind == KIND_ON_OR_BEFORE && progress.first_return <= latest)
		cell_of_period(cells, progress.first_return, has_money)->active++;
	else if (kind == KIND_STREAK)
		cell_of_period(cells, Min(progress.streak, latest), has_money)->active++;
}

static void
count_part(void *state)
{
	Retention  *retention = state;
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

static CohortCell *
cohort_cell(const Retention *retention, const Cohort *cohort, int32 number)
{
	return cell_of(cohort->cells, number, retention->report.reader.header.has_amounts);
}

/* Turns what customers added to the cells into counts of customers. */
static void
sum_cohort(const Retention *retention, int32 index)
{
	const Cohort *cohort = &retention->cohorts[index];
	int32		width = cohort_width(retention, index);

	if (retention->kind == KIND_ON_OR_BEFORE)
		for (int32 k = 2; k < width; k++)
			cohort_cell(retention, cohort, k)->active += cohort_cell(retention, cohort, k - 1)->active;
	else if (retention->kind != KIND_ON)
		for (int32 k = width - 2; k >= 0; k--)
			cohort_cell(retention, cohort, k)->active += cohort_cell(retention, cohort, k + 1)->active;
	cohort_cell(retention, cohort, 0)->active = cohort->customers;
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
	bool		has_money = report->reader.header.has_amounts;
	Cell		cell = {.customers = cohort->customers};

	for (int32 number = 0; number < width; number++)
	{
		cell.so_far = cohort_cell(retention, cohort, number)->active;
		if (has_money)
		{
			cell.first_money = sum_money(&cohort->cells[0].money);
			cell.money = sum_money(&cohort->cells[number].money);
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
	bool		has_money = report->reader.header.has_amounts;
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
			cell.so_far += cohort_cell(retention, cohort, number)->active;
			if (has_money)
			{
				Amount		money = sum_money(&cohort->cells[number].money);

				add_money(&cumulative[index], money);
				add_money(&cell.first_money, sum_money(&cohort->cells[0].money));
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
	ReportCells cells[2];
	int			cells_count;
	PeriodGrid	grid = arg_grid(fcinfo, ARG_PERIOD, "period", PERIOD_MONTH, false,
								ARG_WEEK_START);
	bool		pooled = arg_choice(fcinfo, ARG_COHORT, "cohort", cohort_names,
									lengthof(cohort_names)) == 1;

	retention.kind = arg_choice(fcinfo, ARG_KIND, "kind", kind_names, lengthof(kind_names));
	retention.z = arg_confidence(fcinfo, ARG_CONFIDENCE);
	retention.highest = PG_ARGISNULL(ARG_PERIODS) ? REPORT_MAX_PERIODS :
		Min(PG_GETARG_INT32(ARG_PERIODS), REPORT_MAX_PERIODS);
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
	cells_count = make_cohorts(&retention, cells);
	if (!report_count(report, fcinfo, count_part, &retention, cells, cells_count))
		return (Datum) 0;

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
