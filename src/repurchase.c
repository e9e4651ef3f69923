/*
 * repurchase.c
 *	  Report repurchase: who came back within N days of the first purchase.
 *
 * All the report asks of a customer are two numbers: for how many days it
 * has been observed since its first purchase day, and after how many of them
 * it came back.  Each cohort is swept once in the order of time, over the
 * points of time at which something happens: second purchases, and ends of
 * observation.  The sweep carries the customers eligible for a window of that
 * length, those of them who have come back, and the Kaplan-Meier curve of
 * all, and gives a row at every window.
 *
 * Where cohorts and days are few compared with the customers, as they mostly
 * are, the pass over the history counts second purchases by cohort and time,
 * and ends of observation by first day, of which they follow.  Otherwise, as
 * for daily cohorts over decades, that pass makes a record of each customer;
 * the records are brought together by cohort, in place, and the points of a
 * cohort are sorted out of its records.
 *
 * Time: reading the history, n log n of the customers at worst, and the rows,
 * however long the windows and the span of days.  Memory: 8 bytes a customer,
 * or 512 kB, and the points of one cohort at a time, at most two for each of
 * its customers or one for each day.
 */
#include "postgres.h"

#include "storage/shmem.h"
#include "utils/memutils.h"
#include "utils/palloc.h"

#include "report.h"

PG_FUNCTION_INFO_V1(loyalty_repurchase);

enum
{
	ARG_HISTORY, ARG_WINDOWS, ARG_COHORT, ARG_AS_OF, ARG_SAME_DAY,
	ARG_WEEK_START, ARG_CONFIDENCE, ARG_OBSERVED_SINCE
};

/* No day is that many days after another. */
#define NEVER	PG_INT32_MAX

/* So much room to count in there always is. */
#define MIN_ROOM	((Size) 512 * 1024)

typedef struct Customer
{
	int32		observed;		/* days from the first purchase day to as_of */
	int32		time;			/* days to the second purchase, or NEVER */
} Customer;

/* What happens so many days after the first purchases of a cohort. */
typedef struct TimePoint
{
	int32		time;
	uint32		left;			/* customers observed until the day before */
	uint32		left_returned;	/* those of them who had come back */
	uint32		returns;		/* second purchases */
} TimePoint;

#define ST_SORT sort_points
#define ST_ELEMENT_TYPE TimePoint
#define ST_COMPARE(a, b) (((a)->time > (b)->time) - ((a)->time < (b)->time))
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

/* Customers by the day of their first purchase. */
typedef struct FirstDay
{
	uint32		customers;
	uint32		returned;
} FirstDay;

typedef struct Repurchase
{
	Report		report;
	ReportPeriods periods;
	bool		same_day;
	double		z;
	const int32 *windows;
	int			window_count;
	int32		last;			/* no point of time is later */
	uint32	   *counts;			/* customers, by cohort */

	/* where these are few enough */
	FirstDay   *firsts;			/* by day since the first purchase of all */
	uint32	   *returns;		/* by cohort, and by time from 0 to last */

	/* else */
	Customer   *customers;
} Repurchase;

/* ---------- reading ---------- */

static inline int32
cohort_of(const ReportPeriods *periods, const Customer *customer)
{
	return period_index(periods, periods->as_of - customer->observed);
}

static inline uint32 *
returns_of(const Repurchase *repurchase, int32 cohort)
{
	return repurchase->returns + cohort * ((Size) repurchase->last + 1);
}

/*
 * Room for what is read.  Nothing happens after the longest window, nor
 * after the day that follows the last one observed.  Returns how many arrays
 * of cells there are; records of customers are none.
 */
static int
make_room(Repurchase *repurchase, ReportCells *shared)
{
	const ReportPeriods *periods = &repurchase->periods;
	Size		buyers = repurchase->report.reader.header.buyers;
	Size		days = (Size) (periods->as_of - periods->first_day) + 1;
	Size		cells;

	repurchase->last = Min(repurchase->windows[repurchase->window_count - 1],
						   periods->as_of - periods->first_day + 1);
	repurchase->counts = report_cells(periods->count, sizeof(uint32));

	cells = periods->count * ((Size) repurchase->last + 1);
	if (cells * sizeof(uint32) + days * sizeof(FirstDay) >
		Max(buyers * sizeof(Customer), MIN_ROOM))
	{
		repurchase->customers = MemoryContextAllocHuge(CurrentMemoryContext,
													   mul_size(buyers, sizeof(Customer)));
		return 0;
	}
	repurchase->firsts = report_cells(days, sizeof(FirstDay));
	repurchase->returns = report_cells(cells, sizeof(uint32));
	shared[0] = (ReportCells) {repurchase->counts, periods->count * sizeof(uint32), add_short_counts};
	shared[1] = (ReportCells) {repurchase->firsts, days * sizeof(FirstDay), add_short_counts};
	shared[2] = (ReportCells) {repurchase->returns, cells * sizeof(uint32), add_short_counts};
	return 3;
}

static pg_attribute_always_inline void
read_customers(Repurchase *repurchase, const bool has_amounts)
{
	Report	   *report = &repurchase->report;
	const ReportPeriods *periods = &repurchase->periods;
	int32		first_cohort = periods->grid.kind == PERIOD_ALL ? 0 :
		first_believed_period(periods, report);
	uint32		count = 0;
	HistoryDay	event;

	while (report_next_customer(report))
	{
		HistoryCursor cursor = report->reader.at;
		Customer	customer = {-1, NEVER};
		int32		cohort;

		while (report_next_day(report, &cursor, &event, has_amounts))
		{
			int32		observed = report->as_of - event.day;

			if (event.orders == 0)
				continue;
			if (customer.observed >= 0)
			{
				customer.time = customer.observed - observed;
				break;
			}
			if (event.day < report->observed_since)
				break;
			customer.observed = observed;
			if (repurchase->same_day && event.orders > 1)
			{
				customer.time = 0;
				break;
			}
		}
		report->reader.at = cursor;
		if (customer.observed < 0)
			continue;
		cohort = cohort_of(periods, &customer);
		if (cohort < first_cohort)
			continue;

		repurchase->counts[cohort]++;
		if (repurchase->firsts != NULL)
		{
			FirstDay   *first = &repurchase->firsts[periods->as_of - customer.observed -
													periods->first_day];

			first->customers++;
			first->returned += customer.time != NEVER;
			if (customer.time <= repurchase->last)
				returns_of(repurchase, cohort)[customer.time]++;
		}
		else if (count < report->reader.header.buyers)
			repurchase->customers[count++] = customer;
		else
			history_raise_damage("it has more customers than its header says");
	}
}

static void
count_part(void *state)
{
	Repurchase *repurchase = state;

	if (repurchase->report.reader.header.has_amounts)
		read_customers(repurchase, true);
	else
		read_customers(repurchase, false);
}

/* ---------- points of time ---------- */

/*
 * The points of a cohort out of the counts, in ascending order; returns their
 * number.  There is room for all days.
 */
static Size
points_of_counts(const Repurchase *repurchase, int32 cohort, TimePoint *points)
{
	const ReportPeriods *periods = &repurchase->periods;
	const uint32 *returns = returns_of(repurchase, cohort);
	Day			first_day = Max(period_start(periods, cohort), periods->first_day);
	Day			last_day = Min(period_last_day(periods->grid, periods->first_period + cohort),
							   periods->as_of);
	Size		found = 0;

	for (int32 time = 0; time <= repurchase->last; time++)
	{
		TimePoint	point = {time, 0, 0, returns[time]};
		Day			day = periods->as_of - time + 1;	/* on which those who leave now
														 * had their first purchase */

		if (day >= first_day && day <= last_day)
		{
			const FirstDay *first = &repurchase->firsts[day - periods->first_day];

			point.left = first->customers;
			point.left_returned = first->returned;
		}
		if (point.left > 0 || point.returns > 0)
			points[found++] = point;
		CHECK_FOR_INTERRUPTS();
	}
	return found;
}

/*
 * Brings the customers of a cohort together, without room for a second copy:
 * each one is put where its cohort begins, and whoever was there goes on.
 */
static void
group_by_cohort(const ReportPeriods *periods, Customer *customers, const uint32 *counts)
{
	uint32	   *next = report_cells(periods->count, sizeof(uint32));
	uint32		end = 0;

	for (int32 i = 1; i < periods->count; i++)
		next[i] = next[i - 1] + counts[i - 1];

	for (int32 i = 0; i < periods->count; i++)
	{
		end += counts[i];
		while (next[i] < end)
		{
			Customer	customer = customers[next[i]];
			int32		cohort = cohort_of(periods, &customer);

			while (cohort != i)
			{
				Customer	displaced = customers[next[cohort]];

				customers[next[cohort]++] = customer;
				customer = displaced;
				cohort = cohort_of(periods, &customer);
				CHECK_FOR_INTERRUPTS();
			}
			customers[next[i]++] = customer;
			CHECK_FOR_INTERRUPTS();
		}
	}
	pfree(next);
}

/*
 * The points of a cohort out of its customers, in ascending order; returns
 * their number.  There is room for two a customer.
 */
static Size
points_of_customers(const Customer *customers, uint32 count, int32 last, TimePoint *points)
{
	Size		found = 0;
	Size		kept = 0;

	for (uint32 i = 0; i < count; i++)
	{
		const Customer *customer = &customers[i];

		if (customer->time <= last)
			points[found++] = (TimePoint) {customer->time, 0, 0, 1};
		if (customer->observed < last)
			points[found++] = (TimePoint) {customer->observed + 1, 1, customer->time != NEVER, 0};
		CHECK_FOR_INTERRUPTS();
	}
	sort_points(points, found);

	for (Size i = 0; i < found; i++)
	{
		if (kept == 0 || points[kept - 1].time != points[i].time)
			points[kept++] = points[i];
		else
		{
			points[kept - 1].left += points[i].left;
			points[kept - 1].left_returned += points[i].left_returned;
			points[kept - 1].returns += points[i].returns;
		}
		CHECK_FOR_INTERRUPTS();
	}
	return kept;
}

/* ---------- reporting ---------- */

/* A cohort so many days after its first purchases. */
typedef struct Standing
{
	int64		customers;
	int64		eligible;		/* observed so long */
	int64		repurchased;	/* those of the eligible who have come back */
	int64		returned;		/* all who have come back */
	int64		at_risk;		/* observed so long without having come back */
	SurvivalCurve curve;
	double		km_rate;		/* of the latest window */
} Standing;

/* Estimate and limits by Kaplan-Meier, three columns. */
static void
column_survival(Report *report, Standing *standing, double z)
{
	const SurvivalCurve *curve = &standing->curve;
	ConfidenceInterval limits;
	double		rate;

	if (standing->eligible == 0)
	{
		column_null(report);
		column_null(report);
		column_null(report);
		return;
	}

	/*
	 * As long as nobody is censored the curve is a share: divide once, and it
	 * is equal to the rate.  Afterwards rounding must not make it fall.
	 */
	if (standing->at_risk + standing->returned == standing->customers)
		rate = (double) standing->returned / (double) standing->customers;
	else
		rate = Max(1.0 - curve->survival, standing->km_rate);
	standing->km_rate = rate;

	if (curve->survival > 0.0 && curve->survival < 1.0)
	{
		ConfidenceInterval survival = survival_interval(curve, z);

		limits.low = Min(1.0 - survival.high, rate);
		limits.high = Max(1.0 - survival.low, rate);
	}
	else
		limits = wilson_interval(standing->repurchased, standing->eligible, z);

	column_double(report, rate);
	column_double(report, limits.low);
	column_double(report, limits.high);
}

/* The rows of one cohort. */
static void
report_cohort(Repurchase *repurchase, int32 cohort, const TimePoint *point, Size count)
{
	Report	   *report = &repurchase->report;
	const ReportPeriods *periods = &repurchase->periods;
	bool		all = periods->grid.kind == PERIOD_ALL;
	bool		ended = all || period_ended(periods, cohort);
	const TimePoint *end = point + count;
	Standing	standing = {
		.customers = repurchase->counts[cohort],
		.eligible = repurchase->counts[cohort],
		.at_risk = repurchase->counts[cohort],
		.curve = SURVIVAL_CURVE_START
	};

	for (int i = 0; i < repurchase->window_count; i++)
	{
		int32		window = repurchase->windows[i];

		for (; point < end && point->time <= window; point++)
		{
			/* first those who left the day before: they are not at risk */
			standing.eligible -= point->left;
			standing.repurchased -= point->left_returned;
			standing.at_risk -= point->left - point->left_returned;

			survival_step(&standing.curve, standing.at_risk, point->returns);
			standing.at_risk -= point->returns;
			standing.repurchased += point->returns;
			standing.returned += point->returns;
			CHECK_FOR_INTERRUPTS();
		}

		if (all)
			column_null(report);
		else
			column_day(report, period_start(periods, cohort));
		column_integer(report, window);
		column_count(report, standing.customers);
		column_count(report, standing.eligible);
		column_count(report, standing.repurchased);
		column_rate(report, standing.repurchased, standing.eligible, repurchase->z);
		column_boolean(report, ended && standing.eligible == standing.customers);
		column_survival(report, &standing, repurchase->z);
		report_row(report);
	}
}

static TimePoint *
room_for_points(Size count)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, mul_size(count, sizeof(TimePoint)));
}

/* The rows of all cohorts. */
static void
report_cohorts(Repurchase *repurchase)
{
	const Customer *customers = repurchase->customers;
	const uint32 *counts = repurchase->counts;
	int32		cohorts = repurchase->periods.count;
	TimePoint  *points;

	if (customers == NULL)
		points = room_for_points((Size) repurchase->last + 1);
	else
	{
		uint32		largest = 0;

		group_by_cohort(&repurchase->periods, repurchase->customers, counts);
		for (int32 cohort = 0; cohort < cohorts; cohort++)
			largest = Max(largest, counts[cohort]);
		points = room_for_points(2 * (Size) largest);
	}

	for (int32 cohort = 0; cohort < cohorts; cohort++)
	{
		Size		found;

		if (counts[cohort] == 0)
			continue;
		if (customers == NULL)
			found = points_of_counts(repurchase, cohort, points);
		else
		{
			found = points_of_customers(customers, counts[cohort], repurchase->last, points);
			customers += counts[cohort];
		}
		report_cohort(repurchase, cohort, points, found);
	}
}

Datum
loyalty_repurchase(PG_FUNCTION_ARGS)
{
	static const int32 default_windows[] = {30, 60, 90, 180, 360};
	Repurchase	repurchase = {0};
	ReportCells cells[3];
	int			cells_count;
	PeriodGrid	grid = arg_grid(fcinfo, ARG_COHORT, "cohort", PERIOD_MONTH, true,
								ARG_WEEK_START);

	repurchase.windows = arg_day_counts(fcinfo, ARG_WINDOWS, "windows",
										default_windows, lengthof(default_windows),
										&repurchase.window_count);
	repurchase.same_day = !PG_ARGISNULL(ARG_SAME_DAY) && PG_GETARG_BOOL(ARG_SAME_DAY);
	repurchase.z = arg_confidence(fcinfo, ARG_CONFIDENCE);
	if (!report_begin(&repurchase.report, fcinfo, ARG_HISTORY, ARG_AS_OF,
					  ARG_OBSERVED_SINCE, false))
		return (Datum) 0;
	report_periods(&repurchase.periods, &repurchase.report, grid);

	cells_count = make_room(&repurchase, cells);
	if (!report_count(&repurchase.report, fcinfo, count_part, &repurchase, cells, cells_count))
		return (Datum) 0;
	report_cohorts(&repurchase);
	return (Datum) 0;
}
