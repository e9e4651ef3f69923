/*
 * rates.c
 *	  Intervals of shares and of their differences, for SQL.
 *
 * The reports give limits beside each of their rates; these functions give
 * them for the totals and segments that are made of the reports afterwards.
 * Counts are numeric because that is what sum(bigint) returns: a declaration
 * with bigint would ask for a cast around every total, and one with both
 * would make integer arguments ambiguous.  They have to be whole numbers.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "estimate.h"
#include "rates.h"

PG_FUNCTION_INFO_V1(loyalty_rate_low);
PG_FUNCTION_INFO_V1(loyalty_rate_high);
PG_FUNCTION_INFO_V1(loyalty_rate_difference);

double
check_confidence(double confidence)
{
	/* a report asks again and again for the same one */
	static double last_confidence = 0.0;
	static double last_z = 0.0;

	if (!(confidence > 0.0 && confidence < 1.0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("confidence is %g, but must be greater than 0 and less than 1",
						confidence),
				 errhint("For an interval of 95 percent, confidence is 0.95.")));

	if (confidence != last_confidence)
	{
		last_z = confidence_z(confidence);
		last_confidence = confidence;
	}
	return last_z;
}

static bool
numeric_less(Numeric a, Numeric b)
{
	return DatumGetBool(DirectFunctionCall2(numeric_lt,
											NumericGetDatum(a),
											NumericGetDatum(b)));
}

/*
 * A count given as an argument: a whole number from 0 to highest, which is
 * the value of the argument highest_name, if that is not NULL.
 */
static int64
check_count(const char *name, Numeric value,
			int64 highest, const char *highest_name)
{
	int64		count;

	/* NaN is greater than every number */
	if (!numeric_less(value, int64_to_numeric(0)) &&
		!numeric_less(int64_to_numeric(highest), value))
	{
		count = DatumGetInt64(DirectFunctionCall1(numeric_int8,
												  NumericGetDatum(value)));
		if (DatumGetBool(DirectFunctionCall2(numeric_eq,
											 NumericGetDatum(value),
											 NumericGetDatum(int64_to_numeric(count)))))
			return count;
	}

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s is %s, but must be a whole number from 0 to %s" INT64_FORMAT,
					name,
					DatumGetCString(DirectFunctionCall1(numeric_out,
														NumericGetDatum(value))),
					highest_name ? psprintf("%s, ", highest_name) : "",
					highest),
			 errhint("Counts come in pairs: how many did it, and how many there were.")));
	return 0;					/* keep compilers quiet */
}

/*
 * Checks the counts of one rate, arguments number and number + 1.  Returns
 * false if there were no trials, and so no rate.
 */
static bool
get_counts(FunctionCallInfo fcinfo, int number,
		   const char *successes_name, const char *trials_name,
		   int64 *successes, int64 *trials)
{
	*trials = check_count(trials_name, PG_GETARG_NUMERIC(number + 1),
						  PG_INT64_MAX, NULL);
	*successes = check_count(successes_name, PG_GETARG_NUMERIC(number),
							 *trials, trials_name);
	return *trials > 0;
}

/* Reads the arguments of rate_low and rate_high; false for NULL. */
static bool
get_wilson_interval(FunctionCallInfo fcinfo, ConfidenceInterval *interval)
{
	double		z = check_confidence(PG_GETARG_FLOAT8(2));
	int64		successes,
				trials;

	if (!get_counts(fcinfo, 0, "successes", "trials", &successes, &trials))
		return false;
	*interval = wilson_interval(successes, trials, z);
	return true;
}

Datum
loyalty_rate_low(PG_FUNCTION_ARGS)
{
	ConfidenceInterval interval;

	if (!get_wilson_interval(fcinfo, &interval))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(interval.low);
}

Datum
loyalty_rate_high(PG_FUNCTION_ARGS)
{
	ConfidenceInterval interval;

	if (!get_wilson_interval(fcinfo, &interval))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(interval.high);
}

Datum
loyalty_rate_difference(PG_FUNCTION_ARGS)
{
	FmgrInfo   *flinfo = fcinfo->flinfo;
	double		z = check_confidence(PG_GETARG_FLOAT8(4));
	Datum		values[5] = {0};
	bool		nulls[5] = {true, true, true, true, true};
	int64		successes1,
				trials1,
				successes2,
				trials2;
	bool		has_rate1 = get_counts(fcinfo, 0, "s1", "n1",
									   &successes1, &trials1);
	bool		has_rate2 = get_counts(fcinfo, 2, "s2", "n2",
									   &successes2, &trials2);

	if (flinfo->fn_extra == NULL)
	{
		MemoryContext old_context = MemoryContextSwitchTo(flinfo->fn_mcxt);
		TupleDesc	columns;

		if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		flinfo->fn_extra = BlessTupleDesc(columns);
		MemoryContextSwitchTo(old_context);
	}

	if (has_rate1 && has_rate2)
	{
		RateDifference result = rate_difference(successes1, trials1,
												successes2, trials2, z);

		values[0] = Float8GetDatum(result.difference);
		values[1] = Float8GetDatum(result.low);
		values[2] = Float8GetDatum(result.high);
		nulls[0] = nulls[1] = nulls[2] = false;
		if (!isnan(result.z))
		{
			values[3] = Float8GetDatum(result.z);
			values[4] = Float8GetDatum(result.p_value);
			nulls[3] = nulls[4] = false;
		}
	}

	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(flinfo->fn_extra,
													  values, nulls)));
}
