/*
 * clv_summary.c
 *	  clv_summary: frequency, recency, age and mean spend of each customer,
 *	  the data that lifetime-value models are fitted to.
 *
 * One pass over the history; clv_summary.h reads a customer, here it becomes
 * a row.
 */
#include "postgres.h"

#include <math.h>

#include "clv_summary.h"

PG_FUNCTION_INFO_V1(loyalty_clv_summary);

double
arg_unit(FunctionCallInfo fcinfo, int arg)
{
	static const char *const names[] = {"day", "week", "month", "year"};
	static const double days[] = {1.0, 7.0, 365.0 / 12.0, 365.0};

	return PG_ARGISNULL(arg) ? 7.0 : days[arg_choice(fcinfo, arg, "unit", names, lengthof(names))];
}

double
clv_mean_spending(const Report *report, const ClvCustomer *customer)
{
	/* exact up to 10^22 */
	static const double powers[] = {
		1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10,
		1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20
	};

	if (!report->reader.header.has_amounts || customer->valued_days == 0)
		return NAN;
	return (double) customer->money_of_later_days / powers[report->reader.header.scale] / customer->valued_days;
}

void
columns_clv_summary(CustomerRows *rows, const ClvCustomer *customer, double unit_days)
{
	Report	   *report = rows->report;

	column_customer(rows);
	column_count(report, customer->frequency);
	column_double(report, (customer->last_day - customer->first_day) / unit_days);
	column_double(report, (report->as_of - customer->first_day) / unit_days);
	column_money_mean(report, customer->money_of_later_days, customer->valued_days);
}

/* clv_summary([customer,] h, as_of, unit, observed_since) */
Datum
loyalty_clv_summary(PG_FUNCTION_ARGS)
{
	int			history_arg = PG_NARGS() - 4;
	double		unit_days = arg_unit(fcinfo, history_arg + 2);
	Report		report;
	CustomerRows rows;
	ClvCustomer customer;

	if (!report_begin(&report, fcinfo, history_arg, history_arg + 1, history_arg + 3, true))
		return (Datum) 0;

	customer_rows_begin(&rows, &report);
	while (clv_next_customer(&report, &customer))
	{
		columns_clv_summary(&rows, &customer, unit_days);
		report_row(&report);
	}
	customer_rows_end(&rows);
	return (Datum) 0;
}
