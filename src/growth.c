/*
 * growth.c
 *	  Customers and money won, kept and lost from period to period.
 *
 * One pass over the history.  The days of a customer are put together to
 * the periods that have some; when all are read and there is a purchase among
 * them, these periods are booked one after the other.
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
 * Time per customer: its days.  Memory: two cells and a customer's period for
 * every period of the report.  Whether a customer comes again in the same
 * period, skips one or spends more is a coin's toss, which costs more than
 * all the rest where it is branched on: the inner loops compute with it.
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
	MOVEMENT_EXPANSION,			/* 0, see book_customer */
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

/* A period in which the current customer has days. */
typedef struct CustomerPeriod
{
	GrowthCell *cell;
	Amount		money;
	bool		purchased;
} CustomerPeriod;

typedef struct Growth
{
	ReportPeriods periods;
	int32		lapse;			/* at most periods.count */
	GrowthCell *cells;			/* 0 .. periods.count - 1 are the rows; others catch
								 * what is outside of them */
	CustomerPeriod *customer;	/* from 1 on; 0 stands for nothing before */
} Growth;

static inline Amount
money_less(Amount a, Amount b)
{
	Amount		result;

	if (unlikely(__builtin_sub_overflow(a, b, &result)))
		history_check(HISTORY_AMOUNT_OVERFLOW);
	return result;
}

/*
 * Puts the days of the customer together to periods, and returns the last
 * one.  Returns NULL without a purchase, as the customer counts nowhere then.
 */
static CustomerPeriod *
read_customer(Report *report, const Growth *growth)
{
	HistoryCursor cursor = report->reader.at;
	HistoryDay	event;
	CustomerPeriod *last = growth->customer;
	GrowthCell *cell = NULL;
	Amount		money = 0;
	bool		purchased = false;
	bool		has_purchase = false;

	while (report_next_day(report, &cursor, &event))
	{
		int32		period = period_index(&growth->periods, event.day);
		int64		same;

		if (unlikely(period < 0))
			continue;			/* a refund before the first row */

		same = -(int64) (cell == &growth->cells[period]);
		cell = &growth->cells[period];
		last += 1 + same;
		money &= (Amount) same;
		add_money(&money, event.amount);
		purchased = (purchased & same) | (event.orders > 0);
		has_purchase |= purchased;
		last->cell = cell;
		last->money = money;
		last->purchased = purchased;
	}
	report->reader.at = cursor;
	return has_purchase ? last : NULL;
}

/*
 * Books a change in a period without a purchase.  active_until is the period
 * after the activity that the purchases so far made.
 */
static void
book_without_purchase(GrowthCell *cell, const GrowthCell *active_until, Amount change)
{
	Movement	movement = cell == active_until ? MOVEMENT_CHURNED :
		change < 0 ? MOVEMENT_CONTRACTION : MOVEMENT_EXPANSION;

	add_money(&cell->movements[movement], change);
}

/* Books that the period after this one is empty. */
static void
book_drop(const CustomerPeriod *this, const GrowthCell *active_until)
{
	book_without_purchase(this->cell + 1, active_until, money_less(0, this->money));
}

static void
book_customer(const Growth *growth, const CustomerPeriod *last)
{
	const CustomerPeriod *this = growth->customer + 1;
	Size		lapse = growth->lapse;
	GrowthCell *active_until = growth->cells - 1;
	Movement	start = MOVEMENT_NEW;
	bool		books_drop = false; /* should an empty period follow */

	while (!this->purchased)
		this++;
	this->cell->newcomers++;

	for (this = growth->customer + 1; this <= last; this++)
	{
		GrowthCell *cell = this->cell;
		bool		adjacent = cell == this[-1].cell + 1;
		Amount		before = this[-1].money & (Amount) -(int64) adjacent;
		Amount		change = money_less(this->money, before);

		if (unlikely(books_drop & !adjacent))
			book_drop(this - 1, active_until);

		add_money(&cell->revenue, this->money);
		if (likely(this->purchased))
		{
			bool		starts = cell > active_until;
			Movement	movement = starts * start +
				(!starts & (change < 0)) * MOVEMENT_CONTRACTION;

			add_money(&cell->movements[movement], change);
			/* with the first start goes an end in a cell before the rows */
			cell->started += starts;
			active_until->ended += starts;
			active_until = cell + lapse;
			start = MOVEMENT_RESURRECTED;
			books_drop = (lapse > 1) & (this->money < 0);
		}
		else
		{
			book_without_purchase(cell, active_until, change);
			books_drop = true;
		}
	}
	if (books_drop)
		book_drop(last, active_until);
	active_until->ended++;
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
	growth.customer = report_cells((Size) growth.periods.count + 1, sizeof(CustomerPeriod));
	growth.customer[0].cell = growth.cells - 1;

	while (report_next_customer(&report))
	{
		const CustomerPeriod *last = read_customer(&report, &growth);

		if (last != NULL)
			book_customer(&growth, last);
	}
	emit_rows(&report, &growth);
	return (Datum) 0;
}
