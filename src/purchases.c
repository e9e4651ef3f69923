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
	int64		orders;
	int64		unknown;		/* orders of unknown amount */
	MoneySum	money;
} Basket;

typedef struct PurchasesPart
{
	int64		customers;		/* with a purchase day in the period */
	Basket		later;			/* days after the first day */
	int64		repeat_customers;	/* with more than one order in the period */
	/* not beside customers, or they would be added to as a vector, slowly */
} PurchasesPart;

/* The parts of a cell: whether the customer is returning. */
#define NEWCOMERS	false
#define RETURNING	true

typedef struct PurchasesCell
{
	PurchasesPart parts[2];
	Basket		first;			/* first days */
	Basket		first_of_repeaters;
	MoneySum	early_refunds;	/* before the first day */
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
	Day			start;			/* of the period 'all' */
	uint32		start_since;	/* the same as PlainDay counts */
	PurchasesCell *cells;		/* -1 .. periods.count - 1 */
	EarlyRefund *refunds;		/* of the current customer */
} Purchases;

static pg_attribute_always_inline int32
cell_of_day(const Purchases *purchases, Day day, const bool all)
{
	if (all)
		return day < purchases->start ? -1 : 0;
	return Max(period_index(&purchases->periods, day), -1);
}

static pg_attribute_always_inline int32
cell_of_plain(const Purchases *purchases, const PlainDay *plain, const bool all)
{
	if (all)
		return plain->since < purchases->start_since ? -1 : 0;
	return period_of_plain(&purchases->periods, plain);
}

static inline void
add_day(Basket *basket, const HistoryDay *day)
{
	basket->orders += day->orders;
	basket->unknown += day->orders - day->valued_orders;
	sum_add_any(&basket->money, day->amount);
}

static void
add_basket(Basket *a, const Basket *b)
{
	a->orders += b->orders;
	a->unknown += b->unknown;
	add_money(&a->money.other, sum_money(&b->money));
}

/*
 * Reads up to the customer's first purchase day; false if there is none.
 * The refunds before it are in purchases->refunds, by period, then.
 */
static pg_attribute_always_inline bool
find_first_day(Report *report, Purchases *purchases, HistoryCursor *cursor,
			   HistoryDay *first, int32 *refunds, const bool all, const bool has_amounts)
{
	*refunds = 0;
	while (report_next_day(report, cursor, first, has_amounts))
	{
		EarlyRefund *refund = &purchases->refunds[*refunds];
		int32		period;

		if (likely(first->orders > 0))
			return true;

		period = cell_of_day(purchases, first->day, all);
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

/* How far a customer's days have been read. */
typedef struct Progress
{
	int32		first_period;
	int32		period;
	int64		orders;			/* in the period so far */
} Progress;

/*
 * Counts the orders of a day after the first one, and returns the basket that
 * they belong to.  plain: a constant, orders is 1.  What is hard to guess is
 * arithmetic, not a branch.
 */
static pg_attribute_always_inline Basket *
count_later(const Purchases *purchases, Progress *progress, int32 period, int64 orders,
			const bool plain)
{
	PurchasesPart *part = &purchases->cells[period].parts[period > progress->first_period];
	int64		before = progress->orders & -(int64) (period == progress->period);

	part->customers += (before == 0) & (plain || orders > 0);
	part->repeat_customers += plain ? before == 1 : (before <= 1) & (orders > 1 - before);
	progress->period = period;
	progress->orders = before + orders;
	return &part->later;
}

/* Called with constants, so that each kind of report has a loop of its own. */
static pg_attribute_always_inline void
add_customer(Report *report, Purchases *purchases, const bool all, const bool has_amounts)
{
	PurchasesCell *first_cell;
	HistoryCursor cursor = report->reader.at;
	HistoryDay	first;
	HistoryDay	event;
	PlainDay	day;
	Progress	progress;
	int32		refunds;
	bool		came_back = false;

	if (!find_first_day(report, purchases, &cursor, &first, &refunds, all, has_amounts))
		return;
	for (int32 i = 0; i < refunds; i++)
		sum_add(&purchases->cells[purchases->refunds[i].period].early_refunds,
				purchases->refunds[i].money, false);

	progress.first_period = progress.period = cell_of_day(purchases, first.day, all);
	progress.orders = first.orders;
	first_cell = &purchases->cells[progress.first_period];
	first_cell->parts[NEWCOMERS].customers++;
	first_cell->parts[NEWCOMERS].repeat_customers += first.orders > 1;
	add_day(&first_cell->first, &first);

	for (;;)
	{
		uint32		days_left = cursor.days_left;

		while (report_plain_day(report, &cursor, &day, has_amounts))
		{
			Basket	   *later = count_later(purchases, &progress,
											cell_of_plain(purchases, &day, all), 1, true);

			later->orders++;
			sum_add(&later->money, day.amount, true);
		}
		came_back |= cursor.days_left < days_left;
		if (!report_other_day(report, &cursor, &event))
			break;
		add_day(count_later(purchases, &progress, cell_of_day(purchases, event.day, all),
							event.orders, false), &event);
		came_back |= event.orders > 0;
	}
	report->reader.at = cursor;
	if (came_back)
		add_day(&first_cell->first_of_repeaters, &first);
}

static pg_attribute_always_inline void
add_customers(Report *report, Purchases *purchases, const bool all, const bool has_amounts)
{
	while (report_next_customer(report))
		add_customer(report, purchases, all, has_amounts);
}

/* Money over the orders whose amount is known. */
static void
column_basket(Report *report, const Basket *basket)
{
	column_money_mean(report, sum_money(&basket->money), basket->orders - basket->unknown);
}

static void
emit_row(Report *report, const PurchasesCell *cell, bool ended)
{
	const PurchasesPart *newcomers = &cell->parts[NEWCOMERS];
	const PurchasesPart *returning = &cell->parts[RETURNING];
	int64		customers = newcomers->customers + returning->customers;
	int64		repeat_customers = newcomers->repeat_customers + returning->repeat_customers;
	Basket		later = newcomers->later;
	Basket		total;
	Amount		money;

	add_basket(&later, &returning->later);
	total = later;
	add_basket(&total, &cell->first);
	add_money(&total.money.other, sum_money(&cell->early_refunds));
	money = sum_money(&total.money);

	column_count(report, customers);
	column_count(report, total.orders);
	column_money(report, money);
	column_basket(report, &total);
	column_ratio(report, total.orders, customers);
	column_money_mean(report, money, customers);
	column_count(report, repeat_customers);
	column_ratio(report, repeat_customers, ended ? customers : 0);
	column_count(report, returning->customers);
	column_money(report, sum_money(&returning->later.money));
	column_basket(report, &cell->first);
	column_basket(report, &later);
	column_basket(report, &cell->first_of_repeaters);
	column_boolean(report, ended);
	report_row(report);
}

Datum
loyalty_purchases(PG_FUNCTION_ARGS)
{
	PeriodGrid	grid = arg_grid(fcinfo, ARG_PERIOD, "period", PERIOD_MONTH, true,
								ARG_WEEK_START);
	Report		report;
	Purchases	purchases;
	bool		all = grid.kind == PERIOD_ALL;
	int32		rows;

	if (!report_begin(&report, fcinfo, ARG_HISTORY, ARG_AS_OF, ARG_OBSERVED_SINCE, false))
		return (Datum) 0;
	report_periods(&purchases.periods, &report, grid);
	purchases.start = report.observed_since;
	purchases.start_since = (uint32) Max(report.observed_since, purchases.periods.first_day) -
		(uint32) purchases.periods.first_day;
	rows = purchases.periods.count;
	purchases.cells = report_cells(rows + 1, sizeof(PurchasesCell));
	purchases.cells++;
	purchases.refunds = report_cells(rows + 1, sizeof(EarlyRefund));

	if (!report.reader.header.has_amounts)
		add_customers(&report, &purchases, all, false);
	else if (all)
		add_customers(&report, &purchases, true, true);
	else
		add_customers(&report, &purchases, false, true);

	if (all)
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
