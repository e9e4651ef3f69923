/*
 * clv_summary.h
 *	  What the lifetime-value models know of a customer.
 *
 * The models speak of later purchases: the first one made the customer, and
 * is not explained.  Purchases are purchase days, since orders of the same
 * day are no independent decisions.
 */
#ifndef LOYALTY_CLV_SUMMARY_H
#define LOYALTY_CLV_SUMMARY_H

#include "customer_rows.h"

typedef struct ClvCustomer
{
	int64		frequency;		/* later purchase days */
	int64		valued_days;	/* those of them with a known amount */
	Day			first_day;		/* first and last purchase day */
	Day			last_day;
	Amount		money_of_later_days;	/* purchase days only, net of their refunds */
	Amount		money;			/* of every day up to as_of */
} ClvCustomer;

/*
 * The next customer with a purchase day up to as_of, the first of them not
 * before observed_since; false at the end.
 *
 * The mean spend of a later purchase day is money_of_later_days /
 * valued_days: a day without any known amount is not one of no spend.
 */
static inline __attribute__((always_inline)) bool
clv_next_customer(Report *report, ClvCustomer *customer)
{
	while (report_next_customer(report))
	{
		HistoryCursor cursor = report->reader.at;
		HistoryDay	event;
		ClvCustomer found = {.frequency = -1};

		while (report_next_day(report, &cursor, &event, report->reader.header.has_amounts))
		{
			add_money(&found.money, event.amount);
			if (event.orders == 0)
				continue;
			if (++found.frequency == 0)
				found.first_day = event.day;
			else
			{
				add_money(&found.money_of_later_days, event.amount);
				found.valued_days += event_has_amount(&event);
			}
			found.last_day = event.day;
		}
		report->reader.at = cursor;
		if (found.frequency >= 0 && found.first_day >= report->observed_since)
		{
			*customer = found;
			return true;
		}
	}
	return false;
}

/* Of a later purchase day, in double precision; NaN where it is not known. */
extern double clv_mean_spending(const Report *report, const ClvCustomer *customer);

/* Days of the unit of time that the argument names; NULL: of a week. */
extern double arg_unit(FunctionCallInfo fcinfo, int arg);

/* The columns customer, frequency, recency, age and monetary. */
extern void columns_clv_summary(CustomerRows *rows, const ClvCustomer *customer,
								double unit_days);

#endif							/* LOYALTY_CLV_SUMMARY_H */
