/*
 * events.c
 *	  events: a history as rows again, one a customer and day.
 *
 * No report: it has no as_of and leaves nothing out, neither days with
 * refunds only nor customers who never bought.
 */
#include "postgres.h"

#include "customer_rows.h"

PG_FUNCTION_INFO_V1(loyalty_events);

/* events([customer,] h) */
Datum
loyalty_events(PG_FUNCTION_ARGS)
{
	int			history_arg = PG_NARGS() - 1;
	Report		report;
	CustomerRows rows;

	/* it also says no where nobody ever bought */
	if (!report_begin(&report, fcinfo, history_arg, -1, -1, true) &&
		PG_ARGISNULL(history_arg))
		return (Datum) 0;

	customer_rows_begin(&rows, &report);
	while (report_next_customer(&report))
	{
		HistoryCursor cursor = report.reader.at;
		HistoryDay	event;

		while (report_next_day(&report, &cursor, &event, report.reader.header.has_amounts))
		{
			column_customer(&rows);
			column_day(&report, event.day);
			column_count(&report, event.orders);
			column_count(&report, event.valued_orders);
			column_money_if(&report, event_has_amount(&event), event.amount);
			report_row(&report);
		}
		report.reader.at = cursor;
	}
	customer_rows_end(&rows);
	return (Datum) 0;
}
