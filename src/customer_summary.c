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

typedef struct CustomerSummary
{
	Day			first_day;
	Day			last_day;
	int64		orders;
	int64		purchase_days;
	MoneySum	money;
} CustomerSummary;

/*
 * Sums up the current customer; false where it has no purchase.  has_amounts:
 * a constant.
 */
static pg_attribute_always_inline bool
summarise(Report *report, CustomerSummary *summary, const bool has_amounts)
{
	HistoryCursor cursor = report->reader.at;
	CustomerSummary sum = {0};
	HistoryDay	event;
	PlainDay	day;

	while (report_next_day(report, &cursor, &event, has_amounts))
	{
		uint32		days_left;
		int64		plain_money = 0;

		sum_add_any(&sum.money, event.amount);
		if (event.orders > 0)
		{
			if (sum.purchase_days++ == 0)
				sum.first_day = event.day;
			sum.last_day = event.day;
			sum.orders += event.orders;
		}
		if (sum.purchase_days == 0)
			continue;

		/* of plain days all that counts is the last one, their number and their money */
		days_left = cursor.days_left;
		while (report_plain_day(report, &cursor, &day, has_amounts))
			plain_money += day.amount;
		if (cursor.days_left < days_left)
		{
			sum.last_day = history_cursor_day(&report->reader, &cursor);
			sum.orders += days_left - cursor.days_left;
			sum.purchase_days += days_left - cursor.days_left;
			sum.money.plain += plain_money;
		}
	}
	report->reader.at = cursor;
	*summary = sum;
	return sum.purchase_days > 0;
}

/* customer_summary([customer,] h, as_of) */
Datum
loyalty_customer_summary(PG_FUNCTION_ARGS)
{
	int			history_arg = PG_NARGS() - 2;
	Report		report;
	CustomerRows rows;
	bool		has_amounts;

	if (!report_begin(&report, fcinfo, history_arg, history_arg + 1, -1, true))
		return (Datum) 0;

	has_amounts = report.reader.header.has_amounts;
	customer_rows_begin(&rows, &report);
	while (report_next_customer(&report))
	{
		CustomerSummary summary;

		if (!(has_amounts ? summarise(&report, &summary, true) : summarise(&report, &summary, false)))
			continue;
		column_customer(&rows);
		column_day(&report, summary.first_day);
		column_day(&report, summary.last_day);
		column_integer(&report, report.as_of - summary.last_day);
		column_count(&report, summary.orders);
		column_count(&report, summary.purchase_days);
		column_money(&report, sum_money(&summary.money));
		column_ratio(&report, (int64) summary.last_day - summary.first_day, summary.purchase_days - 1);
		report_row(&report);
	}
	customer_rows_end(&rows);
	return (Datum) 0;
}
