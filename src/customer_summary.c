/*
 * customer_summary.c
 *	  customer_summary: one row a customer.
 *
 * Days, gaps and counts are those of purchase days; money is that of every
 * day up to as_of.
 */
#include "postgres.h"

#include "customer_rows.h"

PG_FUNCTION_INFO_V1(loyalty_customer_summary);

/* customer_summary([customer,] h, as_of) */
Datum
loyalty_customer_summary(PG_FUNCTION_ARGS)
{
	int			history_arg = PG_NARGS() - 2;
	Report		report;
	CustomerRows rows;

	if (!report_begin(&report, fcinfo, history_arg, history_arg + 1, -1, true))
		return (Datum) 0;

	customer_rows_begin(&rows, &report);
	while (report_next_customer(&report))
	{
		HistoryCursor cursor = report.reader.at;
		HistoryDay	event;
		Day			first_day = 0;
		Day			last_day = 0;
		int64		orders = 0;
		int64		purchase_days = 0;
		Amount		amount = 0;

		while (report_next_day(&report, &cursor, &event, report.reader.header.has_amounts))
		{
			add_money(&amount, event.amount);
			if (event.orders == 0)
				continue;
			if (purchase_days == 0)
				first_day = event.day;
			last_day = event.day;
			orders += event.orders;
			purchase_days++;
		}
		report.reader.at = cursor;
		if (purchase_days == 0)
			continue;

		column_customer(&rows);
		column_day(&report, first_day);
		column_day(&report, last_day);
		column_integer(&report, report.as_of - last_day);
		column_count(&report, orders);
		column_count(&report, purchase_days);
		column_money(&report, amount);
		column_ratio(&report, (int64) last_day - first_day, purchase_days - 1);
		customer_row(&rows);
	}
	customer_rows_end(&rows);
	return (Datum) 0;
}
