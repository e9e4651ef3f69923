/*
 * clv_summary.c
 *	  clv_summary: frequency, recency, age and mean spend of each customer,
 *	  the data that lifetime-value models are fitted to.
 *
 * One pass over the history; clv_summary.h reads a customer, here it becomes
 * a row.
 */
#include "postgres.h"

#include "clv_summary.h"

PG_FUNCTION_INFO_V1(loyalty_clv_summary);

double
arg_unit(FunctionCallInfo fcinfo, int arg)
{
	static const char *const names[] = {"day", "week", "month", "year"};
	static const double days[] = {1.0, 7.0, 365.0 / 12.0, 365.0};

	return PG_ARGISNULL(arg) ? 7.0 : days[arg_choice(fcinfo, arg, "unit", names, lengthof(names))];
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
		customer_row(&rows);
	}
	customer_rows_end(&rows);
	return (Datum) 0;
}
