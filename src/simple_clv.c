/*
 * simple_clv.c
 *	  Lifetime value from averages: the formulas of textbooks.
 *
 * They know one customer, the average one, who buys, stays and leaves at a
 * constant rate.  What the arguments must be stands in a table, and what is
 * outside of it is an error: a percentage given for a fraction would give a
 * number that looks like one.
 *
 * Arithmetic is that of double precision in SQL, overflow included.
 */
#include "postgres.h"

#include <float.h>

#include "fmgr.h"
#include "utils/float.h"

PG_FUNCTION_INFO_V1(loyalty_simple_clv);
PG_FUNCTION_INFO_V1(loyalty_customer_lifetime);
PG_FUNCTION_INFO_V1(loyalty_clv_before_acquisition);
PG_FUNCTION_INFO_V1(loyalty_clv_residual);
PG_FUNCTION_INFO_V1(loyalty_clv_end_of_period);

typedef struct Quantity
{
	const char *name;
	double		lowest;
	double		highest;
	const char *detail;
	const char *hint;
} Quantity;

static const Quantity average_basket = {
	"average_basket", -DBL_MAX, DBL_MAX,
	"The average basket is money: a finite number.",
	"It is average_basket of purchases(h, period => 'all'), for example."
};
static const Quantity frequency = {
	"frequency", 0.0, DBL_MAX,
	"The frequency is the number of orders in a period: finite, and 0 or more.",
	"It is orders_per_customer of purchases(h, period => 'year'), for example."
};
static const Quantity lifetime = {
	"lifetime", 0.0, DBL_MAX,
	"The lifetime is a number of periods, those of the frequency: finite, and 0 or more.",
	"From a churn rate it is customer_lifetime(churn_rate)."
};
static const Quantity basket_margin = {
	"margin", -DBL_MAX, 1.0,
	"The margin is the share of the basket that is earned: at most 1, and below 0 for a loss.",
	"For a margin of 40 percent, margin is 0.4."
};
static const Quantity churn_rate = {
	"churn_rate", 0.0, 1.0,
	"The churn rate is the fraction of customers lost in a period: from 0 to 1.",
	"For a churn of 5 percent, churn_rate is 0.05."
};
static const Quantity period_margin = {
	"margin", -DBL_MAX, DBL_MAX,
	"The margin is the money that a customer brings in a period: a finite number.",
	"For 25 earned on each of 4 orders in a year, margin is 100 and the period a year."
};
static const Quantity retention = {
	"retention", 0.0, 1.0,
	"The retention is the fraction of customers kept from a period to the next: from 0 to 1.",
	"For a retention of 80 percent, retention is 0.8."
};
static const Quantity discount = {
	"discount", 0.0, DBL_MAX,
	"The discount is the rate of interest of a period, as a fraction: finite, and 0 or more.",
	"For 12 percent, discount is 0.12."
};

static double
arg_quantity(FunctionCallInfo fcinfo, int arg, const Quantity *quantity)
{
	double		value = PG_GETARG_FLOAT8(arg);

	/* not true of NaN */
	if (value >= quantity->lowest && value <= quantity->highest)
		return value;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s must not be %g", quantity->name, value),
			 errdetail("%s", quantity->detail),
			 errhint("%s", quantity->hint)));
}

/* simple_clv(average_basket, frequency, lifetime, margin) */
Datum
loyalty_simple_clv(PG_FUNCTION_ARGS)
{
	double		value = arg_quantity(fcinfo, 0, &average_basket);

	value = float8_mul(value, arg_quantity(fcinfo, 1, &frequency));
	value = float8_mul(value, arg_quantity(fcinfo, 2, &lifetime));
	value = float8_mul(value, arg_quantity(fcinfo, 3, &basket_margin));
	PG_RETURN_FLOAT8(value);
}

/* customer_lifetime(churn_rate) */
Datum
loyalty_customer_lifetime(PG_FUNCTION_ARGS)
{
	double		churn = arg_quantity(fcinfo, 0, &churn_rate);

	if (churn == 0.0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(float8_div(1.0, churn));
}

/* The arguments of a stream of margins that shrinks by retention and discount. */
typedef struct MarginStream
{
	double		margin;
	double		retention;
	double		discount;
	double		shrinkage;		/* 1 + discount - retention */
} MarginStream;

/* False where nothing shrinks: the sum has no end. */
static bool
get_margin_stream(FunctionCallInfo fcinfo, MarginStream *stream)
{
	stream->margin = arg_quantity(fcinfo, 0, &period_margin);
	stream->retention = arg_quantity(fcinfo, 1, &retention);
	stream->discount = arg_quantity(fcinfo, 2, &discount);
	/* in this order a discount too small to be seen beside 1 is not lost */
	stream->shrinkage = 1.0 - stream->retention + stream->discount;
	return stream->shrinkage > 0.0;
}

/* clv_before_acquisition(margin, retention, discount) */
Datum
loyalty_clv_before_acquisition(PG_FUNCTION_ARGS)
{
	MarginStream stream;

	if (!get_margin_stream(fcinfo, &stream))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(float8_mul(stream.margin,
								float8_div(1.0 + stream.discount, stream.shrinkage)));
}

/* clv_residual(margin, retention, discount) */
Datum
loyalty_clv_residual(PG_FUNCTION_ARGS)
{
	MarginStream stream;

	if (!get_margin_stream(fcinfo, &stream))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(float8_mul(stream.margin,
								float8_div(stream.retention, stream.shrinkage)));
}

/* clv_end_of_period(margin, retention, discount) */
Datum
loyalty_clv_end_of_period(PG_FUNCTION_ARGS)
{
	MarginStream stream;

	if (!get_margin_stream(fcinfo, &stream))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(float8_div(stream.margin, stream.shrinkage));
}
