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
 * Plain customers, as most are, buy on each of their days, for amounts of 32
 * bits.  These are read and booked by the same functions, made once more with
 * money of 64 bits and without what such customers cannot do.
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
	MOVEMENT_EXPANSION,			/* 0 and 1, see book_customer */
	MOVEMENT_CONTRACTION,
	MOVEMENT_RESURRECTED,
	MOVEMENT_NEW,
	MOVEMENT_CHURNED
} Movement;

#define MOVEMENTS	(MOVEMENT_CHURNED + 1)

/* Less money is negative. */
typedef struct Change
{
	int64		purchasers;
	MoneySum	money;
} Change;

typedef struct GrowthCell
{
	int64		ended;			/* spans of activity: the period after their last
								 * one; not counted for a lapse of 1 */
	MoneySum	revenue;
	Change		changes[MOVEMENTS];
} GrowthCell;

/* A period in which the current customer has days. */
typedef struct CustomerPeriod
{
	Amount		money;
	int64		plain_money;	/* money of plain customers */
	int32		period;
	bool		purchased;		/* always, if plain */
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
 * Adds a day to the period before it, *last, which *latest is a copy of, or to
 * a new one.
 */
static pg_attribute_always_inline void
add_day(CustomerPeriod **last, CustomerPeriod *latest, int32 period, bool purchased,
		Amount amount, const bool plain)
{
	bool		is_new = period != latest->period;

	*last += is_new;
	latest->period = (*last)->period = period;
	if (plain)
	{
		latest->plain_money = (latest->plain_money & ((int64) is_new - 1)) + (int64) amount;
		(*last)->plain_money = latest->plain_money;
	}
	else
	{
		latest->money &= (Amount) is_new - 1;
		add_money(&latest->money, amount);
		latest->purchased = (latest->purchased & !is_new) | purchased;
		(*last)->money = latest->money;
		(*last)->purchased = latest->purchased;
	}
}

/*
 * Puts the days of the customer together to periods, and returns the last
 * one.  Returns NULL without a purchase, as the customer counts nowhere then,
 * or, if it should be plain, where it is not; that leaves it to be read again.
 */
static pg_attribute_always_inline CustomerPeriod *
read_customer(Report *report, const Growth *growth, const bool has_amounts, const bool plain)
{
	const ReportPeriods *periods = &growth->periods;
	const HistoryCursor start = report->reader.at;
	HistoryCursor cursor = start;
	PlainDay	day;
	HistoryDay	event;
	CustomerPeriod *last = growth->customer;
	CustomerPeriod latest = {.period = -1};
	bool		has_purchase = false;

	for (;;)
	{
		int32		period;

		while (report_plain_day(report, &cursor, &day, has_amounts))
		{
			add_day(&last, &latest, period_of_plain(periods, &day), true, day.amount, plain);
			if (!plain)
				has_purchase = true;
		}
		if (!report_other_day(report, &cursor, &event))
			break;

		period = period_index(periods, event.day);
		if (!plain)
		{
			has_purchase |= event.orders > 0;
			if (period < 0)
				continue;		/* a refund before the first row */
		}
		else if (event.orders == 0 || !amount_is_plain(event.amount))
		{
			report->reader.at = start;
			return NULL;
		}
		add_day(&last, &latest, period, event.orders > 0, event.amount, plain);
	}
	report->reader.at = cursor;
	return (plain ? last > growth->customer : has_purchase) ? last : NULL;
}

/*
 * Books a change in a period without a purchase.  active_until is the period
 * after the activity that the purchases so far made.
 */
static void
book_without_purchase(const Growth *growth, int32 period, int32 active_until, Amount change)
{
	Movement	movement = period == active_until ? MOVEMENT_CHURNED :
		change < 0 ? MOVEMENT_CONTRACTION : MOVEMENT_EXPANSION;

	sum_add(&growth->cells[period].changes[movement].money, change, false);
}

/* Books that the period after this one is empty. */
static void
book_drop(const Growth *growth, const CustomerPeriod *this, int32 active_until)
{
	book_without_purchase(growth, this->period + 1, active_until, money_less(0, this->money));
}

/* lapse is that of the report, as a constant where it is 1. */
static pg_attribute_always_inline void
book_customer(const Growth *growth, const CustomerPeriod *last, const int32 lapse,
			  const bool plain)
{
	GrowthCell *cells = growth->cells;
	int32		active_until = -1;
	int32		latest = -2;
	Amount		money = 0;		/* of the latest period */
	int64		start = MOVEMENT_NEW;
	bool		books_drop = false; /* should an empty period follow */

	for (const CustomerPeriod *this = growth->customer + 1; this <= last; this++)
	{
		int32		period = this->period;
		GrowthCell *cell = &cells[period];
		int64		adjacent = -(int64) (period <= latest + 1); /* all ones, or 0 */
		Amount		change;

		if (plain)
		{
			change = this->plain_money - ((int64) money & adjacent);
			money = this->plain_money;
		}
		else
		{
			if (unlikely(books_drop & !adjacent))
				book_drop(growth, this - 1, active_until);
			change = money_less(this->money, money & (Amount) adjacent);
			money = this->money;
		}
		latest = period;

		sum_add(&cell->revenue, money, plain);
		if (plain || likely(this->purchased))
		{
			int64		kept = plain && lapse == 1 ? adjacent :
				-(int64) (period <= active_until);
			int64		movement = start + (((change < 0) - start) & kept);

			cell->changes[movement].purchasers++;
			sum_add(&cell->changes[movement].money, change, plain);
			/* with the first start goes an end in a cell before the rows */
			if (lapse > 1)
				cells[active_until].ended += 1 + kept;
			active_until = period + lapse;
			start = MOVEMENT_RESURRECTED;
			if (!plain)
				books_drop = (lapse > 1) & (money < 0);
		}
		else
		{
			book_without_purchase(growth, period, active_until, change);
			books_drop = true;
		}
	}
	if (books_drop)
		book_drop(growth, last, active_until);
	if (lapse > 1)
		cells[active_until].ended++;
}

static pg_attribute_always_inline void
count_customers(Report *report, const Growth *growth, const int32 lapse, const bool has_amounts)
{
	while (report_next_customer(report))
	{
		const CustomerPeriod *last = read_customer(report, growth, has_amounts, true);

		if (likely(last != NULL))
			book_customer(growth, last, lapse, true);
		else if ((last = read_customer(report, growth, has_amounts, false)) != NULL)
			book_customer(growth, last, lapse, false);
	}
}

static void
emit_rows(Report *report, const Growth *growth)
{
	const ReportPeriods *periods = &growth->periods;
	Movement	balance = growth->lapse > 1 ? MOVEMENT_CONTRACTION : MOVEMENT_CHURNED;
	int32		first_row = first_believed_period(periods, report);
	int64		active = 0;
	Amount		revenue = 0;

	for (int32 period = 0; period < periods->count; period++)
	{
		const GrowthCell *cell = &growth->cells[period];
		const Change *changes = cell->changes;
		bool		has_previous = period > 0;
		bool		ended = period_ended(periods, period);
		int64		previous = active;
		int64		newcomers = changes[MOVEMENT_NEW].purchasers;
		int64		started = newcomers + changes[MOVEMENT_RESURRECTED].purchasers;
		int64		churned;
		Amount		previous_revenue = revenue;
		Amount		movements[MOVEMENTS];
		Amount		kept;		/* of the previous revenue */
		Amount		kept_and_expanded;

		if (growth->lapse == 1)
			active = started + changes[MOVEMENT_EXPANSION].purchasers +
				changes[MOVEMENT_CONTRACTION].purchasers;
		else
			active += started - cell->ended;
		churned = previous + started - active;
		revenue = sum_money(&cell->revenue);
		if (period < first_row)
			continue;

		movements[balance] = money_less(revenue, previous_revenue);
		for (int i = 0; i < MOVEMENTS; i++)
			if (i != balance)
			{
				movements[i] = sum_money(&changes[i].money);
				movements[balance] = money_less(movements[balance], movements[i]);
			}

		kept = previous_revenue;
		add_money(&kept, movements[MOVEMENT_CONTRACTION]);
		add_money(&kept, movements[MOVEMENT_CHURNED]);
		kept_and_expanded = kept;
		add_money(&kept_and_expanded, movements[MOVEMENT_EXPANSION]);

		column_day(report, period_start(periods, period));
		column_count_if(report, has_previous, previous);
		column_count(report, active);
		column_count(report, newcomers);
		column_count(report, active - started);
		column_count(report, started - newcomers);
		column_count_if(report, ended, churned);
		/* NULL in the first row, before which nobody was active */
		column_ratio_if(report, ended, active - started, previous);
		column_ratio_if(report, ended, churned, previous);
		column_ratio_if(report, ended, started, churned);
		column_ratio_if(report, ended, previous, churned);
		column_money_if(report, has_previous, previous_revenue);
		column_money(report, revenue);
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

	if (report.reader.header.has_amounts)
	{
		if (growth.lapse == 1)
			count_customers(&report, &growth, 1, true);
		else
			count_customers(&report, &growth, growth.lapse, true);
	}
	else
		count_customers(&report, &growth, growth.lapse, false);
	emit_rows(&report, &growth);
	return (Datum) 0;
}
