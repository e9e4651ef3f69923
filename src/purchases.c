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

/*
 * Plain days after the first day.  Nearly all days are such, so that they have
 * a count of their own, which says three things at once.
 */
typedef struct PlainDays
{
	int64		days[3];		/* by the customer's orders in the period before: 0,
								 * 1, or more */
	int64		money;
} PlainDays;

typedef struct PurchasesPart
{
	int64		customers;		/* with a purchase day in the period; this and what
								 * follows without plain days, until all are read */
	int64		repeat_customers;	/* with more than one order in the period */
	Basket		later;			/* days after the first day */
} PurchasesPart;

/* The parts of a cell: whether the customer is returning. */
#define NEWCOMERS	false
#define RETURNING	true

typedef struct PurchasesCell
{
	PurchasesPart parts[2];
	int64		new_customers[2];	/* whether they came back */
	Basket		first[2];		/* first days, likewise */
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
	Report		report;
	ReportPeriods periods;
	Day			start;			/* of the period 'all' */
	uint32		start_since;	/* the same as PlainDay counts */
	PurchasesCell *cells;		/* -1 .. periods.count - 1 */
	PlainDays  *plain;			/* of these cells, see plain_days */
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

/* The plain days of a part of a cell: by themselves, at addresses that are had by a shift. */
static pg_attribute_always_inline PlainDays *
plain_days(const Purchases *purchases, int32 period, bool part)
{
	return &purchases->plain[(int64) period * 2 + part];
}

static pg_attribute_always_inline void
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

/* Goes on to the period, and returns the customer's orders in it so far. */
static pg_attribute_always_inline int64
orders_before(Progress *progress, int32 period)
{
	int64		orders = progress->orders & -(int64) (period == progress->period);

	progress->period = period;
	return orders;
}

/* What is hard to guess is arithmetic, not a branch, here and in what follows. */
static pg_attribute_always_inline void
add_plain_day(const Purchases *purchases, Progress *progress, int32 period, uint32 amount)
{
	PlainDays  *plain = plain_days(purchases, period, period > progress->first_period);
	int64		before = orders_before(progress, period);

	plain->days[Min(before, 2)]++;
	plain->money += amount;
	progress->orders = before + 1;
}

static pg_attribute_always_inline void
add_other_day(const Purchases *purchases, Progress *progress, int32 period, const HistoryDay *day)
{
	PurchasesPart *part = &purchases->cells[period].parts[period > progress->first_period];
	int64		before = orders_before(progress, period);

	part->customers += (before == 0) & (day->orders > 0);
	part->repeat_customers += (before <= 1) & (day->orders > 1 - before);
	add_day(&part->later, day);
	progress->orders = before + day->orders;
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
	bool		came_back = false;

	/* nearly all begin with a plain purchase */
	if (likely(report_plain_day(report, &cursor, &day, has_amounts)))
	{
		first = (HistoryDay) {history_cursor_day(&report->reader, &cursor), 1,
							  has_amounts ? 1 : 0, day.amount};
		progress.first_period = cell_of_plain(purchases, &day, all);
	}
	else
	{
		int32		refunds;

		if (!find_first_day(report, purchases, &cursor, &first, &refunds, all, has_amounts))
			return;
		for (int32 i = 0; i < refunds; i++)
			sum_add(&purchases->cells[purchases->refunds[i].period].early_refunds,
					purchases->refunds[i].money, false);
		progress.first_period = cell_of_day(purchases, first.day, all);
	}
	progress.period = progress.first_period;
	progress.orders = first.orders;
	first_cell = &purchases->cells[progress.first_period];

	for (;;)
	{
		uint32		days_left = cursor.days_left;

		while (report_plain_day(report, &cursor, &day, has_amounts))
			add_plain_day(purchases, &progress, cell_of_plain(purchases, &day, all), day.amount);
		came_back |= cursor.days_left < days_left;
		if (!report_other_day(report, &cursor, &event, has_amounts))
			break;
		add_other_day(purchases, &progress, cell_of_day(purchases, event.day, all), &event);
		came_back |= event.orders > 0;
	}
	report->reader.at = cursor;
	first_cell->parts[NEWCOMERS].repeat_customers += first.orders > 1;
	first_cell->new_customers[came_back]++;
	add_day(&first_cell->first[came_back], &first);
}

static pg_attribute_always_inline void
add_customers(Report *report, Purchases *purchases, const bool all, const bool has_amounts)
{
	while (report_next_customer(report))
		add_customer(report, purchases, all, has_amounts);
}

static void
count_part(void *state)
{
	Purchases  *purchases = state;
	Report	   *report = &purchases->report;
	bool		all = purchases->periods.grid.kind == PERIOD_ALL;

	if (!report->reader.header.has_amounts)
		add_customers(report, purchases, all, false);
	else if (all)
		add_customers(report, purchases, true, true);
	else
		add_customers(report, purchases, false, true);
}

/* See ReportCells. */
static void
add_cells(void *cells, const void *more, Size size)
{
	PurchasesCell *cell = cells;
	const PurchasesCell *other = more;

	for (Size i = 0; i < size / sizeof(PurchasesCell); i++, cell++, other++)
	{
		for (int k = 0; k < 2; k++)
		{
			cell->parts[k].customers += other->parts[k].customers;
			cell->parts[k].repeat_customers += other->parts[k].repeat_customers;
			add_basket(&cell->parts[k].later, &other->parts[k].later);
			cell->new_customers[k] += other->new_customers[k];
			add_basket(&cell->first[k], &other->first[k]);
		}
		add_money(&cell->early_refunds.other, sum_money(&other->early_refunds));
	}
}

/* Puts the plain days of a part to the others. */
static void
finish_part(PurchasesPart *part, const PlainDays *plain)
{
	part->customers += plain->days[0];
	part->repeat_customers += plain->days[1];
	part->later.orders += plain->days[0] + plain->days[1] + plain->days[2];
	part->later.money.plain += plain->money;
}

/* Money over the orders whose amount is known. */
static void
column_basket(Report *report, const Basket *basket)
{
	column_money_mean(report, sum_money(&basket->money), basket->orders - basket->unknown);
}

static void
emit_row(Report *report, const Purchases *purchases, int32 period, bool ended)
{
	PurchasesCell *cell = &purchases->cells[period];
	PurchasesPart *newcomers = &cell->parts[NEWCOMERS];
	PurchasesPart *returning = &cell->parts[RETURNING];
	int64		customers;
	int64		repeat_customers;
	Basket		first = cell->first[false];
	Basket		later;
	Basket		total;
	Amount		money;

	finish_part(newcomers, plain_days(purchases, period, NEWCOMERS));
	finish_part(returning, plain_days(purchases, period, RETURNING));
	newcomers->customers += cell->new_customers[false] + cell->new_customers[true];
	customers = newcomers->customers + returning->customers;
	repeat_customers = newcomers->repeat_customers + returning->repeat_customers;
	add_basket(&first, &cell->first[true]);
	later = newcomers->later;
	add_basket(&later, &returning->later);
	total = later;
	add_basket(&total, &first);
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
	column_basket(report, &first);
	column_basket(report, &later);
	column_basket(report, &cell->first[true]);
	column_boolean(report, ended);
	report_row(report);
}

Datum
loyalty_purchases(PG_FUNCTION_ARGS)
{
	PeriodGrid	grid = arg_grid(fcinfo, ARG_PERIOD, "period", PERIOD_MONTH, true,
								ARG_WEEK_START);
	Purchases	purchases;
	Report	   *report = &purchases.report;
	bool		all = grid.kind == PERIOD_ALL;
	int32		rows;
	Size		cells;

	if (!report_begin(report, fcinfo, ARG_HISTORY, ARG_AS_OF, ARG_OBSERVED_SINCE, false))
		return (Datum) 0;
	report_periods(&purchases.periods, report, grid);
	purchases.start = report->observed_since;
	purchases.start_since = (uint32) Max(report->observed_since, purchases.periods.first_day) -
		(uint32) purchases.periods.first_day;
	rows = purchases.periods.count;
	cells = (Size) rows + 1;
	purchases.cells = report_cells(cells, sizeof(PurchasesCell));
	purchases.cells++;
	purchases.plain = report_cells(2 * cells, sizeof(PlainDays));
	purchases.plain += 2;
	purchases.refunds = report_cells(cells, sizeof(EarlyRefund));

	if (!report_count(report, fcinfo, count_part, &purchases,
					  (ReportCells[]) {
						  {purchases.cells - 1, cells * sizeof(PurchasesCell), add_cells},
						  {purchases.plain - 2, 2 * cells * sizeof(PlainDays), add_counts}
					  }, 2))
		return (Datum) 0;

	if (all)
	{
		if (report->observed_since <= report->as_of)
		{
			column_null(report);
			emit_row(report, &purchases, 0, true);
		}
		return (Datum) 0;
	}
	for (int32 i = first_believed_period(&purchases.periods, report); i < rows; i++)
	{
		column_day(report, period_start(&purchases.periods, i));
		emit_row(report, &purchases, i, period_ended(&purchases.periods, i));
	}
	return (Datum) 0;
}
