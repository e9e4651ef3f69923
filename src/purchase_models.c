/*
 * purchase_models.c
 *	  BG/NBD, MBG/NBD, Pareto/NBD and BG/BB in SQL: fits, and what they
 *	  foretell of one customer.
 *
 * One C function serves all models; which one is meant is told by the
 * composite type that a fit returns, or that a prediction gets.
 */
#include "postgres.h"

#include <math.h>

#include "float_arrays.h"
#include "model_types.h"
#include "purchase_models.h"

PG_FUNCTION_INFO_V1(loyalty_purchase_fit);
PG_FUNCTION_INFO_V1(loyalty_purchase_fit_arrays);
PG_FUNCTION_INFO_V1(loyalty_log_likelihood);
PG_FUNCTION_INFO_V1(loyalty_p_alive);
PG_FUNCTION_INFO_V1(loyalty_expected_purchases);
PG_FUNCTION_INFO_V1(loyalty_expected_purchases_of_new);
PG_FUNCTION_INFO_V1(loyalty_purchase_probability);
PG_FUNCTION_INFO_V1(loyalty_discounted_expected_purchases);

/* Opportunities are looked at one by one. */
#define MAX_OPPORTUNITIES	1000000

/* ---------- arguments ---------- */

PurchaseModelKind
arg_purchase_model(FunctionCallInfo fcinfo, int arg)
{
	static const char *const names[] = {"bg_nbd", "mbg_nbd", "pareto_nbd"};

	return (PurchaseModelKind) arg_choice(fcinfo, arg, "model", names, lengthof(names));
}

double
arg_not_negative(FunctionCallInfo fcinfo, int arg, const char *name, double default_value)
{
	double		value = PG_ARGISNULL(arg) ? default_value : PG_GETARG_FLOAT8(arg);

	if (!(value >= 0.0) || (isinf(value) && !PG_ARGISNULL(arg)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be %g", name, value),
				 errhint("Use a finite number that is not negative.")));
	return value;
}

static void raise_customer(double x, double t_x, double T, const char *detail) __attribute__((noreturn));

static void
raise_customer(double x, double t_x, double T, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("no customer has x = %g, t_x = %g, T = %g", x, t_x, T),
			 errdetail("%s", detail),
			 errhint("x is the number of purchases after the first, t_x the time from the first purchase to the last, T the time from the first purchase to the end of observation, as in clv_summary.")));
}

/* Raises 22023 for what no customer can have done. */
static void
check_customer(PurchaseModelKind kind, double x, double t_x, double T)
{
	if (!is_whole(x, 0.0, LARGEST_WHOLE - 1.0))
		raise_customer(x, t_x, T, "x must be a whole number from 0 on.");
	if (!(t_x >= 0.0 && t_x <= T && isfinite(T)))
		raise_customer(x, t_x, T, "Times must be finite, with 0 <= t_x <= T.");
	if (x == 0.0 && t_x != 0.0)
		raise_customer(x, t_x, T, "Without a repeat purchase, t_x must be 0.");
	if (kind == BG_BB)
	{
		if (!is_whole(t_x, 0.0, MAX_OPPORTUNITIES) || !is_whole(T, 0.0, MAX_OPPORTUNITIES))
			raise_customer(x, t_x, T, "In BG/BB, t_x and T are numbers of opportunities, up to a million.");
		if (x > t_x || (x > 0.0 && t_x < 1.0))
			raise_customer(x, t_x, T, "In BG/BB, x purchases take at least x opportunities.");
	}
}

/* A model and the customer in the three arguments after it. */
typedef struct ModelledCustomer
{
	PurchaseModel model;
	double		x;
	double		t_x;
	double		T;
} ModelledCustomer;

static bool
arg_purchase_model_value(FunctionCallInfo fcinfo, int arg, PurchaseModel *model)
{
	int			type;
	bool		found = arg_model(fcinfo, arg, &type, model->parameters);

	model->kind = (PurchaseModelKind) type;
	return found;
}

static bool
arg_customer(FunctionCallInfo fcinfo, ModelledCustomer *customer)
{
	if (!arg_purchase_model_value(fcinfo, 0, &customer->model))
		return false;
	customer->x = PG_GETARG_FLOAT8(1);
	customer->t_x = PG_GETARG_FLOAT8(2);
	customer->T = PG_GETARG_FLOAT8(3);
	check_customer(customer->model.kind, customer->x, customer->t_x, customer->T);
	return true;
}

/* A horizon; of BG/BB in opportunities, and not without a limit on their number. */
static double
arg_horizon(FunctionCallInfo fcinfo, int arg, const PurchaseModel *model, double default_value)
{
	double		horizon = arg_not_negative(fcinfo, arg, "horizon", default_value);

	if (model->kind == BG_BB && !isinf(horizon) && !is_whole(horizon, 0.0, MAX_OPPORTUNITIES))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("horizon must not be %g", horizon),
				 errhint("With BG/BB it is a number of opportunities, up to a million.")));
	return horizon;
}

/* ---------- fits ---------- */

static PurchaseModelKind
returned_kind(FunctionCallInfo fcinfo)
{
	return (PurchaseModelKind) model_type_returned(fcinfo);
}

/* X_fit(h, as_of, unit, observed_since, penalty) */
Datum
loyalty_purchase_fit(PG_FUNCTION_ARGS)
{
	PurchaseModelKind kind = returned_kind(fcinfo);
	double		unit_days = arg_unit(fcinfo, 2);
	double		penalty = arg_penalty(fcinfo, 4);
	PurchasePatterns *patterns = purchase_patterns_create();
	Report		report;
	ClvCustomer customer;
	Maximum		maximum;
	int64		customers;

	if (report_open(&report, fcinfo, 0, 1, 3, false))
		while (clv_next_customer(&report, &customer))
			purchase_patterns_add_customer(patterns, &customer, report.as_of, unit_days);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	purchase_patterns_fit(patterns, kind, penalty, &maximum, &customers);
	return model_of_maximum(fcinfo, kind, &maximum, customers, NULL);
}

/* X_fit(x, t_x, T, weight, penalty) */
Datum
loyalty_purchase_fit_arrays(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"x", "t_x", "T", "weight"};
	PurchaseModelKind kind = returned_kind(fcinfo);
	double		penalty = arg_penalty(fcinfo, 4);
	PurchasePatterns *patterns;
	FloatArrays arrays;
	Maximum		maximum;
	int64		customers;

	if (!arg_float_arrays(fcinfo, names, 3, &arrays))
		PG_RETURN_NULL();
	patterns = purchase_patterns_create();
	for (int i = 0; i < arrays.count; i++)
	{
		double		values[3];
		double		weight = float_arrays_row(&arrays, i, -1, values);

		check_customer(kind, values[0], values[1], values[2]);
		if (weight > 0.0)
			purchase_patterns_add(patterns, values[0], values[1], values[2], weight);
	}
	purchase_patterns_fit(patterns, kind, penalty, &maximum, &customers);
	return model_of_maximum(fcinfo, kind, &maximum, customers, NULL);
}

/* ---------- predictions ---------- */

/* log_likelihood(model, x, t_x, T) */
Datum
loyalty_log_likelihood(PG_FUNCTION_ARGS)
{
	ModelledCustomer c;

	if (!arg_customer(fcinfo, &c))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(purchase_log_likelihood(&c.model, c.x, c.t_x, c.T));
}

/* p_alive(model, x, t_x, T) */
Datum
loyalty_p_alive(PG_FUNCTION_ARGS)
{
	ModelledCustomer c;

	if (!arg_customer(fcinfo, &c))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(probability_alive(&c.model, c.x, c.t_x, c.T));
}

/* expected_purchases(model, x, t_x, T, horizon) */
Datum
loyalty_expected_purchases(PG_FUNCTION_ARGS)
{
	ModelledCustomer c;

	if (!arg_customer(fcinfo, &c))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(probability_alive_at_T(&c.model, c.x, c.t_x, c.T) *
					 expected_purchases_if_alive(&c.model, c.x, c.T, arg_horizon(fcinfo, 4, &c.model, 0.0)));
}

/* expected_purchases(model, horizon) */
Datum
loyalty_expected_purchases_of_new(PG_FUNCTION_ARGS)
{
	PurchaseModel model;

	if (!arg_purchase_model_value(fcinfo, 0, &model))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(expected_purchases_of_new(&model, arg_horizon(fcinfo, 1, &model, 0.0)));
}

/* purchase_probability(model, n, horizon) */
Datum
loyalty_purchase_probability(PG_FUNCTION_ARGS)
{
	PurchaseModel model;
	double		n = PG_GETARG_FLOAT8(1);

	if (!arg_purchase_model_value(fcinfo, 0, &model))
		PG_RETURN_NULL();
	if (!is_whole(n, 0.0, MAX_OPPORTUNITIES))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("n must not be %g", n),
				 errhint("It is a number of purchases: a whole number from 0 to a million.")));
	PG_RETURN_FLOAT8(purchase_count_probability(&model, n, arg_horizon(fcinfo, 2, &model, 0.0)));
}

/* discounted_expected_purchases(model, x, t_x, T, discount, horizon) */
Datum
loyalty_discounted_expected_purchases(PG_FUNCTION_ARGS)
{
	ModelledCustomer c;
	double		discount;
	double		horizon;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3) || PG_ARGISNULL(4) ||
		!arg_customer(fcinfo, &c))
		PG_RETURN_NULL();
	discount = arg_not_negative(fcinfo, 4, "discount", 0.0);
	horizon = arg_horizon(fcinfo, 5, &c.model, INFINITY);
	if (isinf(horizon) && discount < 1e-6)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("discount must not be %g for an endless horizon", discount),
				 errdetail("Without a discount, the sum need not have a limit."),
				 errhint("Set horizon, or a discount of at least 0.000001 per unit of time.")));
	PG_RETURN_FLOAT8(probability_alive_at_T(&c.model, c.x, c.t_x, c.T) *
					 discounted_purchases_if_alive(&c.model, c.x, c.T, discount, horizon));
}
