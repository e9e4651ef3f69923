/*
 * gamma_gamma.c
 *	  Gamma-Gamma in SQL: what customers spend per purchase day.
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"

#include "clv_summary.h"
#include "float_arrays.h"
#include "gamma_gamma.h"

PG_FUNCTION_INFO_V1(loyalty_gamma_gamma_fit);
PG_FUNCTION_INFO_V1(loyalty_gamma_gamma_fit_arrays);
PG_FUNCTION_INFO_V1(loyalty_expected_value);

/* ---------- collecting ---------- */

void
spending_patterns_begin(SpendingPatterns *patterns)
{
	memset(patterns, 0, sizeof(*patterns));
	patterns->allocated = 1024;
	patterns->patterns = palloc(patterns->allocated * sizeof(SpendingPattern));
}

void
spending_patterns_add(SpendingPatterns *patterns, double x, double mean, double weight)
{
	if (weight == 0.0)
		return;
	if (!(x > 0.0 && mean > 0.0))
	{
		patterns->extras.excluded += (int64) weight;
		return;
	}
	if (patterns->count == patterns->allocated)
	{
		patterns->allocated *= 2;
		patterns->patterns = repalloc_huge(patterns->patterns, patterns->allocated * sizeof(SpendingPattern));
	}
	patterns->patterns[patterns->count++] = (SpendingPattern) {x, mean, weight};
}

#define ST_SORT			sort_patterns
#define ST_ELEMENT_TYPE	SpendingPattern
#define ST_COMPARE(a, b) \
	(a->x != b->x ? (a->x < b->x ? -1 : 1) : (a->mean > b->mean) - (a->mean < b->mean))
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE		static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Sorts, and adds up the weights of customers who are alike. */
static void
collapse(SpendingPatterns *patterns)
{
	size_t		kept = 0;

	sort_patterns(patterns->patterns, patterns->count);
	for (size_t i = 0; i < patterns->count; i++)
	{
		const SpendingPattern *next = &patterns->patterns[i];
		SpendingPattern *last = &patterns->patterns[kept - 1];

		if (kept > 0 && last->x == next->x && last->mean == next->mean)
			last->weight += next->weight;
		else
			patterns->patterns[kept++] = *next;
	}
	patterns->count = kept;
}

/* Pearson's, of x and the mean; NaN where one of them does not vary. */
static double
correlation(const SpendingPatterns *patterns, double customers)
{
	double		mean_x = 0.0;
	double		mean_m = 0.0;
	double		xx = 0.0;
	double		mm = 0.0;
	double		xm = 0.0;

	for (size_t i = 0; i < patterns->count; i++)
	{
		mean_x += patterns->patterns[i].weight * patterns->patterns[i].x / customers;
		mean_m += patterns->patterns[i].weight * patterns->patterns[i].mean / customers;
	}
	for (size_t i = 0; i < patterns->count; i++)
	{
		double		x = patterns->patterns[i].x - mean_x;
		double		m = patterns->patterns[i].mean - mean_m;
		double		weight = patterns->patterns[i].weight;

		xx += weight * x * x;
		mm += weight * m * m;
		xm += weight * x * m;
	}
	return xx > 0.0 && mm > 0.0 ? xm / sqrt(xx) / sqrt(mm) : NAN;
}

const char *
spending_patterns_fit(SpendingPatterns *patterns, double penalty, Maximum *maximum, int64 *customers)
{
	SpendingData data = {.check_interrupts = check_interrupts};
	double		number = 0.0;
	bool		means_differ = false;

	collapse(patterns);
	for (size_t i = 0; i < patterns->count; i++)
	{
		number += patterns->patterns[i].weight;
		means_differ |= patterns->patterns[i].mean != patterns->patterns[0].mean;
	}
	*customers = (int64) number;
	if (number <= model_types[GAMMA_GAMMA].parameters)
		return psprintf(INT64_FORMAT " of " INT64_FORMAT " customers have a repeat purchase and positive spending, and it has %d parameters",
						*customers, *customers + patterns->extras.excluded, model_types[GAMMA_GAMMA].parameters);
	if (!means_differ)
		return psprintf("all " INT64_FORMAT " customers spend %g per purchase", *customers, patterns->patterns[0].mean);
	patterns->extras.correlation = correlation(patterns, number);
	data.patterns = patterns->patterns;
	data.count = patterns->count;
	spending_fit(&data, penalty, maximum);
	if (maximum->result == MAXIMISED && maximum->parameters[1] <= 1.0)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("the spending of a new customer has no finite expectation"),
				 errdetail("q is %g, and the expectation is p gamma / (q - 1).", maximum->parameters[1]),
				 errhint("expected_value is NULL for customers without a repeat purchase. Look for a few customers of extreme spending.")));
	return NULL;
}

/* ---------- fits ---------- */

static Datum
fit(FunctionCallInfo fcinfo, SpendingPatterns *patterns, double penalty)
{
	Maximum		maximum;
	int64		customers;
	const char *obstacle = spending_patterns_fit(patterns, penalty, &maximum, &customers);

	if (obstacle)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("gamma_gamma cannot be fitted because %s", obstacle),
				 errhint("Use more customers, or a longer time; some hundreds of repeat customers are needed for parameters that can be relied on.")));
	return model_of_maximum(fcinfo, GAMMA_GAMMA, &maximum, customers, &patterns->extras);
}

/* gamma_gamma_fit(h, as_of, observed_since, penalty) */
Datum
loyalty_gamma_gamma_fit(PG_FUNCTION_ARGS)
{
	double		penalty = arg_penalty(fcinfo, 3);
	SpendingPatterns patterns;
	Report		report;
	ClvCustomer customer;

	spending_patterns_begin(&patterns);
	if (report_open(&report, fcinfo, 0, 1, 2, false))
		while (clv_next_customer(&report, &customer))
			spending_patterns_add(&patterns, customer.frequency, clv_mean_spending(&report, &customer), 1.0);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	return fit(fcinfo, &patterns, penalty);
}

/* gamma_gamma_fit(x, monetary, weight, penalty) */
Datum
loyalty_gamma_gamma_fit_arrays(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"x", "monetary", "weight"};
	double		penalty = arg_penalty(fcinfo, 3);
	SpendingPatterns patterns;
	FloatArrays arrays;

	if (!arg_float_arrays(fcinfo, names, 2, &arrays))
		PG_RETURN_NULL();
	spending_patterns_begin(&patterns);
	for (int i = 0; i < arrays.count; i++)
	{
		double		values[2];
		double		weight = float_arrays_row(&arrays, i, 1, values);

		if (!is_whole(values[0], 0.0, LARGEST_WHOLE - 1.0))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("x must not contain %g", values[0]),
					 errhint("It is the number of purchases after the first: a whole number.")));
		if (isinf(values[1]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("monetary must not contain %g", values[1]),
					 errhint("It is the mean money of the purchases after the first.")));
		spending_patterns_add(&patterns, values[0], values[1], weight);
	}
	return fit(fcinfo, &patterns, penalty);
}

/* ---------- prediction ---------- */

/* expected_value(gamma_gamma, x, monetary) */
Datum
loyalty_expected_value(PG_FUNCTION_ARGS)
{
	int			type;
	double		parameters[MAX_PARAMETERS];
	double		x;
	double		monetary = PG_ARGISNULL(2) ? 0.0 : PG_GETARG_FLOAT8(2);
	double		value;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || !arg_model(fcinfo, 0, &type, parameters))
		PG_RETURN_NULL();
	x = PG_GETARG_FLOAT8(1);
	if (!(x >= 0.0 && isfinite(x)) || !isfinite(monetary))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("no customer has x = %g, monetary = %g", x, monetary),
				 errhint("x is the number of purchases after the first, monetary the mean money of these, as in clv_summary.")));
	if (x > 0.0 && PG_ARGISNULL(2))
		PG_RETURN_NULL();
	value = expected_spending(parameters, x, monetary);
	if (isnan(value))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(value);
}
