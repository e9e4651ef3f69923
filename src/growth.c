/*
 * growth.c
 *	  Customers and money won, kept and lost from period to period.
 *
 * One pass over the history.  Each customer is walked from one period that
 * has days to the next, and every period is booked when it is complete.
 * Refunds before the first purchase wait for it in a list, as a customer
 * without a purchase counts nowhere.
 *
 * Customers.  A purchase makes the customer active in its period and the
 * lapse - 1 that follow.  Of such spans that overlap or touch, the first
 * start and the end after the last are counted in the cells of these
 * periods: the active customers of a period are the starts up to it less the
 * ends up to it, and who starts without being new is resurrected.
 *
 * Money.  What a customer brings in a period less what it brought in the one
 * before is a change, which one of five movements books.  A change other
 * than zero comes in a period with money, or in an empty one after it.  The
 * latter are nearly all of one kind: churned for a lapse of 1, else
 * contraction.  They are not booked, since the movement of that kind is also
 * what the others leave of the change in revenue.
 *
 * Time per customer: its days.  Memory: two cells and a refund for every
 * period of the report.
 */
#include "postgres.h"

#include "fmgr.h"

#include "report.h"

PG_FUNCTION_INFO_V1(loyalty_growth);

enum
{
	ARG_HISTORY, ARG_PERIOD, ARG_AS_OF, ARG_WEEK_START, ARG_LAPSE, ARG_OBSERVED_SINCE
};

typedef enum Movement
{
	MOVEMENT_EXPANSION,			/* 0, see close_period */
	MOVEMENT_CONTRACTION,
	MOVEMENT_RESURRECTED,
	MOVEMENT_NEW,
	MOVEMENT_CHURNED
} Movement;

#define MOVEMENTS	(MOVEMENT_CHURNED + 1)

typedef struct GrowthCell
{
	int64		newcomers;		/* customers whose first purchase is here */
	int64		started;		/* spans of activity: their first period */
	int64		ended;			/* and the period after their last one */
	Amount		revenue;
	Amount		movements[MOVEMENTS];	/* changes of money: less is negative */
} GrowthCell;

/* What a customer got back in a period before its first purchase. */
typedef struct EarlyRefund
{
	Amount		money;
	int32		period;
} EarlyRefund;

typedef struct Growth
{
	ReportPeriods periods;
	int32		lapse;			/* at most periods.count */
	GrowthCell *cells;			/* 0 .. periods.count - 1 are the rows; others catch
								 * what is outside of them */
	EarlyRefund *refunds;		/* of the current customer */
} Growth;

/* A customer on the way from one period that has days to the next. */
typedef struct Walk
{
	GrowthCell *cell;			/* of this period */
	bool		purchased;		/* in this period */
	Amount		money;			/* in this period */
	GrowthCell *active_until;	/* after the activity that purchases before this
								 * period made; cells - 1 without any */
	Movement	start;			/* what the start of activity is */
	GrowthCell *previous;		/* the period before that had days */
	Amount		previous_money;
	bool		books_drop;		/* an empty period after it has to be booked */
} Walk;

static inline Amount
money_less(Amount a, Amount b)
{
	Amount		result;

	if (unlikely(__builtin_sub_overflow(a, b, &result)))
		history_check(HISTORY_AMOUNT_OVERFLOW);
	return result;
}

/* Books a change in a period without a purchase. */
static void
book_without_purchase(const Walk *walk, GrowthCell *cell, Amount change)
{
	Movement	movement = cell == walk->active_until ? MOVEMENT_CHURNED :
		change < 0 ? MOVEMENT_CONTRACTION : MOVEMENT_EXPANSION;

	add_money(&cell->movements[movement], change);
}

/* Books the empty period after walk->previous. */
static void
book_drop(const Walk *walk)
{
	book_without_purchase(walk, walk->previous + 1, money_less(0, walk->previous_money));
}

/*
 * Books the period.  Whether there was one just before it, whether activity
 * starts and whether the money has grown are tosses of a coin, so they are
 * computed with and not branched on.
 */
static pg_attribute_always_inline void
close_period(const Growth *growth, Walk *walk)
{
	GrowthCell *cell = walk->cell;
	bool		adjacent = cell == walk->previous + 1;
	Amount		before = walk->previous_money & (Amount) -(int64) adjacent;
	Amount		change = money_less(walk->money, before);

	if (unlikely(walk->books_drop) && !adjacent)
		book_drop(walk);

	add_money(&cell->revenue, walk->money);
	if (likely(walk->purchased))
	{
		bool		starts = cell > walk->active_until;
		Movement	movement = starts * walk->start +
			(!starts & (change < 0)) * MOVEMENT_CONTRACTION;

		add_money(&cell->movements[movement], change);
		/* with the first start goes an end in cell -1 */
		cell->started += starts;
		walk->active_until->ended += starts;
		walk->active_until = cell + growth->lapse;
		walk->start = MOVEMENT_RESURRECTED;
		walk->books_drop = growth->lapse > 1 && walk->money < 0;
	}
	else
	{
		book_without_purchase(walk, cell, change);
		walk->books_drop = true;
	}

	walk->previous = cell;
	walk->previous_money = walk->money;
	walk->money = 0;
	walk->purchased = false;
}

static void
book_customer(Report *report, Growth *growth)
{
	HistoryCursor cursor = report->reader.at;
	HistoryDay	event;
	Walk		walk = {
		.active_until = growth->cells - 1,
		.start = MOVEMENT_NEW,
		.previous = growth->cells - 1
	};
	int32		refunds = 0;
	int32		period;
	GrowthCell *cell;

	/* up to the first purchase, without which nothing counts */
	for (;;)
	{
		if (!report_next_day(report, &cursor, &event))
			return;
		period = period_index(&growth->periods, event.day);
		if (likely(event.orders > 0))
			break;
		if (period < 0)
			continue;			/* before the first row */
		if (refunds > 0 && growth->refunds[refunds - 1].period == period)
			add_money(&growth->refunds[refunds - 1].money, event.amount);
		else
		{
			growth->refunds[refunds].period = period;
			growth->refunds[refunds].money = event.amount;
			refunds++;
		}
	}
	cell = &growth->cells[period];
	cell->newcomers++;
	for (int32 i = 0; i < refunds; i++)
	{
		walk.cell = &growth->cells[growth->refunds[i].period];
		walk.money = growth->refunds[i].money;
		if (walk.cell != cell)
			close_period(growth, &walk);
	}

	do
	{
		walk.cell = cell;
		add_money(&walk.money, event.amount);
		walk.purchased |= event.orders > 0;
		cell = report_next_day(report, &cursor, &event) ?
			&growth->cells[period_index(&growth->periods, event.day)] : NULL;
		if (cell != walk.cell)
			close_period(growth, &walk);
	} while (cell != NULL);
	report->reader.at = cursor;

	if (walk.books_drop)
		book_drop(&walk);
	walk.active_until->ended++;
}

static inline void
column_count_if(Report *report, bool known, int64 value)
{
	if (known)
		column_count(report, value);
	else
		column_null(report);
}

static inline void
column_ratio_if(Report *report, bool known, int64 numerator, int64 denominator)
{
	column_ratio(report, numerator, known ? denominator : 0);
}

static inline void
column_money_if(Report *report, bool known, Amount amount)
{
	if (known)
		column_money(report, amount);
	else
		column_null(report);
}

static void
emit_rows(Report *report, const Growth *growth)
{
	const ReportPeriods *periods = &growth->periods;
	Movement	balance = growth->lapse > 1 ? MOVEMENT_CONTRACTION : MOVEMENT_CHURNED;
	int32		first_row = first_believed_period(periods, report);
	int64		active = 0;

	for (int32 period = 0; period < periods->count; period++)
	{
		const GrowthCell *cell = &growth->cells[period];
		bool		has_previous = period > 0;
		bool		ended = period_ended(periods, period);
		int64		previous = active;
		Amount		previous_revenue = cell[-1].revenue;	/* 0 before the first row */
		Amount		movements[MOVEMENTS];
		Amount		kept;		/* of the previous revenue */
		Amount		kept_and_expanded;

		active += cell->started - cell->ended;
		if (period < first_row)
			continue;

		memcpy(movements, cell->movements, sizeof(movements));
		movements[balance] = money_less(cell->revenue, previous_revenue);
		for (int i = 0; i < MOVEMENTS; i++)
			if (i != balance)
				movements[balance] = money_less(movements[balance], movements[i]);

		kept = previous_revenue;
		add_money(&kept, movements[MOVEMENT_CONTRACTION]);
		add_money(&kept, movements[MOVEMENT_CHURNED]);
		kept_and_expanded = kept;
		add_money(&kept_and_expanded, movements[MOVEMENT_EXPANSION]);

		column_day(report, period_start(periods, period));
		column_count_if(report, has_previous, previous);
		column_count(report, active);
		column_count(report, cell->newcomers);
		column_count(report, active - cell->started);
		column_count(report, cell->started - cell->newcomers);
		column_count_if(report, ended, cell->ended);
		/* NULL in the first row, before which nobody was active */
		column_ratio_if(report, ended, active - cell->started, previous);
		column_ratio_if(report, ended, cell->ended, previous);
		column_ratio_if(report, ended, cell->started, cell->ended);
		column_ratio_if(report, ended, previous, cell->ended);
		column_money_if(report, has_previous, previous_revenue);
		column_money(report, cell->revenue);
		column_money(report, movements[MOVEMENT_NEW]);
		column_money(report, movements[MOVEMENT_EXPANSION]);
		column_money_if(report, ended, money_less(0, movements[MOVEMENT_CONTRACTION]));
		column_money_if(report, ended, money_less(0, movements[MOVEMENT_CHURNED]));
		column_money(report, movements[MOVEMENT_RESURRECTED]);
		column_money_ratio(report, kept, ended ? previous_revenue : 0);
		column_money_ratio(report, kept_and_expanded, ended ? previous_revenue : 0);
		column_boolean(report, ended);
		report_row(report);
	}
}

Datum
loyalty_growth(PG_FUNCTION_ARGS)
{
	PeriodGrid	grid = arg_grid(fcinfo, ARG_PERIOD, "period", PERIOD_MONTH, false,
								ARG_WEEK_START);
	int32		lapse = arg_positive(fcinfo, ARG_LAPSE, "lapse", 1);
	Report		report;
	Growth		growth;

	if (!report_begin(&report, fcinfo, ARG_HISTORY, ARG_AS_OF, ARG_OBSERVED_SINCE, false))
		return (Datum) 0;
	report_periods(&growth.periods, &report, grid);
	growth.lapse = Min(lapse, growth.periods.count);
	/* one before the first; after the last, as many as activity can last */
	growth.cells = report_cells((Size) growth.periods.count + growth.lapse + 1,
								sizeof(GrowthCell));
	growth.cells++;
	growth.refunds = report_cells(growth.periods.count, sizeof(EarlyRefund));

	while (report_next_customer(&report))
		book_customer(&report, &growth);
	emit_rows(&report, &growth);
	return (Datum) 0;
}
