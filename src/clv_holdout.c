/*
 * clv_holdout.c
 *	  clv_holdout and clv_tracking: what a model foretold, beside what came.
 *
 * A model is fitted to what happened up to the end of calibration, and asked
 * about the days from then to as_of, which it has not seen.  clv_holdout
 * compares customer by customer, added up by how often they had bought;
 * clv_tracking period by period, added up over all customers, for the whole
 * time.  Both speak of the customers of the calibration.
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"

#include "model_types.h"
#include "purchase_models.h"

PG_FUNCTION_INFO_V1(loyalty_clv_holdout);
PG_FUNCTION_INFO_V1(loyalty_clv_tracking);

/* Numbers of purchases, or customers, by some number; 0 where none was added. */
typedef struct Counts
{
	int64	   *counts;
	size_t		length;
} Counts;

static void
add_count(Counts *counts, size_t number, int64 count)
{
	if (number >= counts->length)
	{
		size_t		length = Max(1024, 2 * (number + 1));
		int64	   *longer = report_cells(length, sizeof(int64));

		if (counts->length > 0)
		{
			memcpy(longer, counts->counts, counts->length * sizeof(int64));
			pfree(counts->counts);
		}
		counts->counts = longer;
		counts->length = length;
	}
	counts->counts[number] += count;
}

typedef struct Split
{
	Report		report;
	Day			calibration_end;
	double		unit_days;
	PurchaseModel model;
	bool		is_fitted;		/* and converged */
	PurchasePatterns *patterns;

	Counts		holdout_by_frequency;	/* purchases after the calibration, by those in it */
	/* with periods only */
	Counts		customers_by_day;	/* of the first purchase, from that of the history on */
	Counts		purchases_by_period;	/* repeat ones */
	const ReportPeriods *periods;
} Split;

/* (h, calibration_end, as_of, model, unit, observed_since, ...) */
static bool
split_begin(Split *split, FunctionCallInfo fcinfo)
{
	Report	   *report = &split->report;
	bool		has_calibration_end;

	memset(split, 0, sizeof(*split));
	has_calibration_end = arg_day(fcinfo, 1, "calibration_end", &split->calibration_end);
	split->model.kind = arg_purchase_model(fcinfo, 3);
	split->unit_days = arg_unit(fcinfo, 4);
	if (!report_begin(report, fcinfo, 0, 2, 5, false))
		return false;
	if (!has_calibration_end)
	{
		Day			first = report->reader.header.first_purchase;

		split->calibration_end = first + (report->as_of - (int64) first) / 2;
	}
	if (split->calibration_end >= report->as_of)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("calibration_end must be before as_of"),
				 errhint("The days after calibration_end up to as_of are those that the model is judged by.")));
	return true;
}

/* Reads all customers of the calibration and fits the model to them. */
static void
split_fit(Split *split)
{
	Report	   *report = &split->report;
	const Day	history_begin = report->reader.header.first_purchase;
	Maximum		maximum;
	int64		customers;

	split->patterns = purchase_patterns_create();
	while (report_next_customer(report))
	{
		HistoryCursor cursor = report->reader.at;
		HistoryDay	event;
		ClvCustomer customer = {.frequency = -1};
		int64		holdout = 0;

		while (report_next_day(report, &cursor, &event, report->reader.header.has_amounts))
		{
			if (event.orders == 0)
				continue;
			if (event.day <= split->calibration_end)
			{
				if (++customer.frequency == 0)
					customer.first_day = event.day;
				customer.last_day = event.day;
			}
			else
				holdout++;
			if (split->periods && event.day > customer.first_day &&
				customer.frequency >= 0 && customer.first_day >= report->observed_since)
				add_count(&split->purchases_by_period, period_index(split->periods, event.day), 1);
		}
		report->reader.at = cursor;
		if (customer.frequency < 0 || customer.first_day < report->observed_since)
			continue;
		purchase_patterns_add_customer(split->patterns, &customer, split->calibration_end, split->unit_days);
		add_count(&split->holdout_by_frequency, customer.frequency, holdout);
		if (split->periods)		/* whose number limits that of the days */
			add_count(&split->customers_by_day, customer.first_day - history_begin, 1);
	}
	purchase_patterns_fit(split->patterns, split->model.kind, 0.0, &maximum, &customers);
	split->is_fitted = check_converged(split->model.kind, &maximum);
	memcpy(split->model.parameters, maximum.parameters, sizeof(split->model.parameters));
}

/* clv_holdout(h, calibration_end, as_of, model, unit, observed_since) */
Datum
loyalty_clv_holdout(PG_FUNCTION_ARGS)
{
	Split		split;
	Report	   *report = &split.report;
	const PurchasePattern *patterns;
	size_t		count;
	PatternFigures *figures = NULL;

	if (!split_begin(&split, fcinfo))
		return (Datum) 0;
	split_fit(&split);
	purchase_patterns_sorted(split.patterns, &patterns, &count);
	if (split.is_fitted)
		figures = purchase_patterns_figures(split.patterns, &split.model,
											(report->as_of - split.calibration_end) / split.unit_days, 0.0);
	for (size_t i = 0; i < count;)
	{
		const double x = patterns[i].x;
		double		customers = 0.0;
		double		expected = 0.0;

		for (; i < count && patterns[i].x == x; i++)
		{
			customers += patterns[i].weight;
			expected += split.is_fitted ? patterns[i].weight * figures[i].purchases : 0.0;
		}
		column_count(report, (int64) x);
		column_count(report, (int64) customers);
		column_count(report, split.holdout_by_frequency.counts[(size_t) x]);
		column_double_if(report, split.is_fitted, expected);
		report_row(report);
	}
	return (Datum) 0;
}

/* Customers of the same first purchase day, as days since that of the history. */
typedef struct FirstDay
{
	int32		day;
	int64		customers;
} FirstDay;

typedef struct Expectation
{
	const PurchaseModel *model;
	double		unit_days;
	FirstDay   *first_days;
	int			count;
	double	   *by_age;			/* of a new customer, by days since the first purchase; NaN: not needed so far */
} Expectation;

static void
expectation_begin(Expectation *expectation, const Split *split)
{
	const Counts *counts = &split->customers_by_day;
	const int64 days = (int64) split->report.as_of - split->report.reader.header.first_purchase;

	expectation->model = &split->model;
	expectation->unit_days = split->unit_days;
	expectation->first_days = report_cells(counts->length, sizeof(FirstDay));
	expectation->count = 0;
	for (size_t i = 0; i < counts->length; i++)
		if (counts->counts[i] > 0)
			expectation->first_days[expectation->count++] = (FirstDay) {i, counts->counts[i]};
	expectation->by_age = report_cells(days + 1, sizeof(double));
	for (int64 i = 0; i <= days; i++)
		expectation->by_age[i] = NAN;
}

/* Repeat purchases of all customers up to a day, that day included; days as above. */
static double
expected_up_to(const Expectation *expectation, int64 day)
{
	double		sum = 0.0;

	for (int i = 0; i < expectation->count && expectation->first_days[i].day < day; i++)
	{
		int64		age = day - expectation->first_days[i].day;

		if (isnan(expectation->by_age[age]))
		{
			CHECK_FOR_INTERRUPTS();
			expectation->by_age[age] = expected_purchases_of_new(expectation->model, age / expectation->unit_days);
		}
		sum += expectation->first_days[i].customers * expectation->by_age[age];
	}
	return sum;
}

/* clv_tracking(h, calibration_end, as_of, model, unit, observed_since, week_start) */
Datum
loyalty_clv_tracking(PG_FUNCTION_ARGS)
{
	Split		split;
	Report	   *report = &split.report;
	PeriodGrid	grid = arg_grid(fcinfo, 4, "unit", PERIOD_WEEK, false, 6);
	ReportPeriods periods;
	Expectation expectation = {0};
	int64		actual = 0;
	double		expected_before = 0.0;

	if (!split_begin(&split, fcinfo))
		return (Datum) 0;
	report_periods(&periods, report, grid);
	split.periods = &periods;
	split_fit(&split);

	if (split.is_fitted)
		expectation_begin(&expectation, &split);
	for (int32 i = 0; i < periods.count; i++)
	{
		Day			last = Min(period_last_day(periods.grid, periods.first_period + i), report->as_of);
		int64		purchases = i < split.purchases_by_period.length ? split.purchases_by_period.counts[i] : 0;
		double		expected = split.is_fitted ? expected_up_to(&expectation, (int64) last - periods.first_day) : 0.0;

		CHECK_FOR_INTERRUPTS();
		actual += purchases;
		column_day(report, period_start(&periods, i));
		column_count(report, purchases);
		column_double_if(report, split.is_fitted, expected - expected_before);
		column_count(report, actual);
		column_double_if(report, split.is_fitted, expected);
		report_row(report);
		expected_before = expected;
	}
	return (Datum) 0;
}
