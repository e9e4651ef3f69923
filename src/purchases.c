/*
 * purchases.c
 *	  Orders, baskets and returning customers of every period.
 *
 * One pass over the history.  What a customer does from its first purchase
 * day on is added, day by day, to the cell of the period: the first day by
 * itself, later days to one of two parts, that of the newcomers (the period
 * of the first day) or that of the returning (every period after it).  All
 * columns are sums and ratios of these.  The first day is kept until it is
 * known whether the customer came back, and refunds before it are kept until
 * it comes, as a customer without a purchase counts nowhere.
 *
 * Period 'all' is one period that starts on observed_since: days before it
 * fall into cell -1, which is never shown.
 *
 * Time per customer: its days.  Memory: a cell and a refund for every period
 * of the report.
 */
#include "postgres.h"

#include "fmgr.h"

#include "report.h"

PG_FUNCTION_INFO_V1(loyalty_purchases);

enum
{
	ARG_HISTORY, ARG_PERIOD, ARG_AS_OF, ARG_WEEK_START, ARG_OBSERVED_SINCE
};

typedef struct Basket
{
	int64		valued_orders;
	Amount		money;
} Basket;

typedef struct PurchasesPart
{
	int64		customers;		/* with a purchase day in the period */
	int64		repeat_customers;	/* with more than one order in it */
	int64		orders;
	Basket		later;			/* days after the first day */
} PurchasesPart;

typedef struct PurchasesCell
{
	PurchasesPart newcomers;
	PurchasesPart returning;
	Basket		first;			/* first days */
	Basket		first_of_repeaters;
	Amount		early_refunds;	/* before the first day */
} PurchasesCell;

/* What a customer got back in a period before its first purchase. */
typedef struct EarlyRefund
{
	Amount		money;
	int32		period;
} EarlyRefund;

typedef struct Purchases
{
	ReportPeriods periods;
	bool		all;
	Day			start;			/* of the period 'all' */
	PurchasesCell *cells;		/* -1 .. periods.count - 1 */
	EarlyRefund *refunds;		/* of the current customer */
} Purchases;

static inline int32
cell_of_day(const Purchases *purchases, Day day)
{
	if (purchases->all)
		return day < purchases->start ? -1 : 0;
	return Max(period_index(&purchases->periods, day), -1);
}

static inline void
add_basket(Basket *sum, int64 valued_orders, Amount money)
{
	sum->valued_orders += valued_orders;
	add_money(&sum->money, money);
}

/*
 * Reads up to the customer's first purchase day; false if there is none.
 * The refunds before it are in purchases->refunds, by period, then.
 */
static bool
find_first_day(Report *report, Purchases *purchases, HistoryCursor *cursor,
			   HistoryDay *first, int32 *refunds)
{
	*refunds = 0;
	while (report_next_day(report, cursor, first))
	{
		EarlyRefund *refund = &purchases->refunds[*refunds];
		int32		period;

		if (likely(first->orders > 0))
			return true;

		period = cell_of_day(purchases, first->day);
		if (*refunds > 0 && refund[-1].period == period)
			add_money(&refund[-1].money, first->amount);
		else
		{
			refund->period = period;
			refund->money = first->amount;
			++*refunds;
		}
	}
	return false;
}

static void
add_customer(Report *report, Purchases *purchases)
{
	PurchasesCell *cells = purchases->cells;
	PurchasesCell *first_cell;
	HistoryCursor cursor = report->reader.at;
	HistoryDay	first;
	HistoryDay	event;
	int32		refunds;
	int32		first_period;
	int32		period;
	int64		orders;			/* in the period so far */
	bool		came_back = false;

	if (!find_first_day(report, purchases, &cursor, &first, &refunds))
		return;
	for (int32 i = 0; i < refunds; i++)
		add_money(&cells[purchases->refunds[i].period].early_refunds,
				  purchases->refunds[i].money);

	first_period = period = cell_of_day(purchases, first.day);
	orders = first.orders;
	first_cell = &cells[first_period];
	first_cell->newcomers.customers++;
	first_cell->newcomers.repeat_customers += orders > 1;
	first_cell->newcomers.orders += orders;
	add_basket(&first_cell->first, first.valued_orders, first.amount);

	while (report_next_day(report, &cursor, &event))
	{
		int32		next = cell_of_day(purchases, event.day);
		PurchasesPart *part = next > first_period ?
			&cells[next].returning : &cells[next].newcomers;
		int64		before = orders & -(int64) (next == period);

		/* no branches, which would be a coin's toss */
		period = next;
		orders = before + event.orders;
		part->customers += (before == 0) & (orders > 0);
		part->repeat_customers += (before <= 1) & (orders > 1);
		part->orders += event.orders;
		add_basket(&part->later, event.valued_orders, event.amount);
		came_back |= event.orders > 0;
	}
	report->reader.at = cursor;
	if (came_back)
		add_basket(&first_cell->first_of_repeaters, first.valued_orders, first.amount);
}

static void
emit_row(Report *report, const PurchasesCell *cell, bool ended)
{
	const PurchasesPart *newcomers = &cell->newcomers;
	const PurchasesPart *returning = &cell->returning;
	int64		customers = newcomers->customers + returning->customers;
	int64		repeat_customers = newcomers->repeat_customers + returning->repeat_customers;
	int64		orders = newcomers->orders + returning->orders;
	Basket		later = newcomers->later;
	Basket		total;

	add_basket(&later, returning->later.valued_orders, returning->later.money);
	total = later;
	add_basket(&total, cell->first.valued_orders, cell->first.money);
	add_money(&total.money, cell->early_refunds);

	column_count(report, customers);
	column_count(report, orders);
	column_money(report, total.money);
	column_money_mean(report, total.money, total.valued_orders);
	column_ratio(report, orders, customers);
	column_money_mean(report, total.money, customers);
	column_count(report, repeat_customers);
	column_ratio(report, repeat_customers, ended ? customers : 0);
	column_count(report, returning->customers);
	column_money(report, returning->later.money);
	column_money_mean(report, cell->first.money, cell->first.valued_orders);
	column_money_mean(report, later.money, later.valued_orders);
	column_money_mean(report, cell->first_of_repeaters.money,
					  cell->first_of_repeaters.valued_orders);
	column_boolean(report, ended);
	report_row(report);
}

Datum
loyalty_purchases(PG_FUNCTION_ARGS)
{
	PeriodGrid	grid = arg_grid(fcinfo, ARG_PERIOD, "period", PERIOD_MONTH, true,
								ARG_WEEK_START);
	Report		report;
	Purchases	purchases = {.all = grid.kind == PERIOD_ALL};
	int32		rows;

	if (!report_begin(&report, fcinfo, ARG_HISTORY, ARG_AS_OF, ARG_OBSERVED_SINCE, false))
		return (Datum) 0;
	report_periods(&purchases.periods, &report, grid);
	purchases.start = report.observed_since;
	rows = purchases.periods.count;
	purchases.cells = report_cells(rows + 1, sizeof(PurchasesCell));
	purchases.cells++;
	purchases.refunds = report_cells(rows + 1, sizeof(EarlyRefund));

	while (report_next_customer(&report))
		add_customer(&report, &purchases);

	if (purchases.all)
	{
		if (report.observed_since <= report.as_of)
		{
			column_null(&report);
			emit_row(&report, &purchases.cells[0], true);
		}
		return (Datum) 0;
	}
	for (int32 i = first_believed_period(&purchases.periods, &report); i < rows; i++)
	{
		column_day(&report, period_start(&purchases.periods, i));
		emit_row(&report, &purchases.cells[i], period_ended(&purchases.periods, i));
	}
	return (Datum) 0;
}
