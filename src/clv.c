/*
 * clv.c
 *	  clv: what each customer is still worth.
 *
 * Two passes over the history.  The first collects what the models are fitted
 * to; then the figures of each pattern (x, t_x, T) are computed once; the
 * second pass looks them up and returns a row a customer.  A figure that a
 * model does not give is NULL: of a fit that did not converge, of a history
 * without amounts.
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"

#include "gamma_gamma.h"
#include "purchase_models.h"

PG_FUNCTION_INFO_V1(loyalty_clv);

/* False where the history does not tell what customers spend; says why, unless it has no amounts at all. */
static bool
fit_spending(const Report *report, SpendingPatterns *spending, Maximum *maximum)
{
	int64		customers;
	const char *obstacle;

	if (!report->reader.header.has_amounts)
		return false;
	obstacle = spending_patterns_fit(spending, 0.0, maximum, &customers);
	if (obstacle)
	{
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("expected_value and clv are NULL"),
				 errdetail("gamma_gamma cannot be fitted because %s.", obstacle),
				 errhint("Multiply expected_purchases by an average of your own.")));
		return false;
	}
	return check_converged(GAMMA_GAMMA, maximum);
}

/* clv([customer,] h, model, as_of, unit, horizon, discount, margin, observed_since) */
Datum
loyalty_clv(PG_FUNCTION_ARGS)
{
	int			history_arg = PG_NARGS() - 8;
	PurchaseModel model = {.kind = arg_purchase_model(fcinfo, history_arg + 1)};
	double		unit_days = arg_unit(fcinfo, history_arg + 3);
	double		horizon = arg_not_negative(fcinfo, history_arg + 4, "horizon", 52.0);
	double		discount = arg_not_negative(fcinfo, history_arg + 5, "discount", 0.0);
	double		margin = PG_ARGISNULL(history_arg + 6) ? 1.0 : PG_GETARG_FLOAT8(history_arg + 6);
	PurchasePatterns *patterns;
	SpendingPatterns spending;
	Report		report;
	CustomerRows rows;
	ClvCustomer customer;
	Maximum		purchases;
	Maximum		values;
	int64		customers;
	bool		purchases_known;
	bool		values_known;
	PatternFigures *figures = NULL;

	if (!(margin <= 1.0 && isfinite(margin)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("margin must not be %g", margin),
				 errhint("It is the share of the money that is earned: 0.3 for 30 percent.")));
	if (!report_begin(&report, fcinfo, history_arg, history_arg + 2, history_arg + 7, true))
		return (Datum) 0;

	patterns = purchase_patterns_create();
	spending_patterns_begin(&spending);
	while (clv_next_customer(&report, &customer))
	{
		purchase_patterns_add_customer(patterns, &customer, report.as_of, unit_days);
		spending_patterns_add(&spending, customer.frequency, clv_mean_spending(&report, &customer), 1.0);
	}
	purchase_patterns_fit(patterns, model.kind, 0.0, &purchases, &customers);
	purchases_known = check_converged(model.kind, &purchases);
	values_known = fit_spending(&report, &spending, &values);
	if (purchases_known)
	{
		memcpy(model.parameters, purchases.parameters, sizeof(model.parameters));
		figures = purchase_patterns_figures(patterns, &model, horizon, log1p(discount) * unit_days / 365.0);
	}

	history_rewind(&report.reader);
	customer_rows_begin(&rows, &report);
	while (clv_next_customer(&report, &customer))
	{
		double		spent = clv_mean_spending(&report, &customer);
		double		value = NAN;
		double		clv;
		PatternFigures of = {NAN, NAN, NAN};

		if (purchases_known)
			of = figures[purchase_patterns_find_customer(patterns, &customer, report.as_of, unit_days)];
		if (values_known && !(customer.frequency > 0 && isnan(spent)))
			value = expected_spending(values.parameters, customer.frequency, spent);
		columns_clv_summary(&rows, &customer, unit_days);
		column_money(&report, customer.money);
		column_double_if(&report, !isnan(of.p_alive), of.p_alive);
		column_double_if(&report, !isnan(of.purchases), of.purchases);
		column_double_if(&report, !isnan(value), value);
		clv = margin * value * of.discounted_purchases;
		column_double_if(&report, !isnan(clv), clv);
		report_row(&report);
	}
	customer_rows_end(&rows);
	return (Datum) 0;
}
