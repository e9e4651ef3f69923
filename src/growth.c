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
 * bits.  Their periods are gathered and booked many customers at a time, with
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
	MOVEMENT_EXPANSION,			/* the first four: see book_gathered */
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
	Amount		money;
} Change;

typedef struct GrowthCell
{
	int64		ended;			/* spans of activity: the period after their last
								 * one; not asked for a lapse of 1 */
	Amount		revenue;
	Change		changes[MOVEMENTS];
} GrowthCell;

/*
 * What plain customers do in a period, by movement: by itself, at addresses
 * that are had by a shift.  It is put to the cells when all are read.
 */
typedef struct PlainChanges
{
	int64		purchasers[8];
	int64		money[8];		/* MOVEMENTS: the revenue */
} PlainChanges;

#define PLAIN_REVENUE	MOVEMENTS

/* A period in which the current customer has days. */
typedef struct CustomerPeriod
{
	Amount		money;
	int32		period;
	bool		purchased;
} CustomerPeriod;

/* A period in which a plain customer has days. */
typedef struct PlainPeriod
{
	int64		money;
	int32		period;
	int32		previous;		/* of the same customer, or NO_PERIOD */
} PlainPeriod;

/* Negative, and not next to a period. */
#define NO_PERIOD	(-2)

/* So many periods of plain customers are gathered, and those of one more. */
#define GATHERED_PERIODS	512

typedef struct Growth
{
	Report		report;
	ReportPeriods periods;
	int32		lapse;			/* at most periods.count */
	GrowthCell *cells;			/* 0 .. periods.count - 1 are the rows; others catch
								 * what is outside of them */
	PlainChanges *plain;		/* of the rows */
	CustomerPeriod *customer;	/* from 1 on; 0 stands for nothing before */
	PlainPeriod *gathered;		/* likewise */
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
 * Puts days of a plain customer together to periods, as long as they come in
 * the short form.  *last is the period that the next day may still fall in,
 * and *next the least that would be a new one, which is put after it.
 */
static pg_attribute_always_inline void
gather_plain_days(const Report *report, const Growth *growth, const bool has_amounts,
				  HistoryCursor *cursor, PlainPeriod **last, uint32 *next)
{
	/* copies, for the sake of the registers */
	const int32 *of_day = growth->periods.of_day;
	PlainPeriod *at = *last;
	uint32		at_next = *next;
	int64		money = at->money;
	PlainDay	day;

	while (report_plain_day(report, cursor, &day, has_amounts))
	{
		uint32		period = of_day[day.since];
		int64		same = -(int64) (period < at_next); /* all ones, or 0 */

		at = (PlainPeriod *) ((char *) (at + 1) + (same & -(int64) sizeof(PlainPeriod)));
		money = (money & same) + day.amount;
		at->money = money;
		at->period = at[1].previous = period;
		at_next = period + 1;
	}
	*last = at;
	*next = at_next;
}

/* The same with one day in another form. */
static inline void
gather_day(PlainPeriod **last, uint32 *next, uint32 period, int64 amount)
{
	if (period >= *next)
	{
		++*last;
		(*last)->money = 0;
		(*last)->period = (*last)[1].previous = period;
		*next = period + 1;
	}
	(*last)->money += amount;
}

/* Adds a day of a customer who is not plain to the period before it, *last, or to a new one. */
static inline void
add_other_day(CustomerPeriod **last, int32 period, bool purchased, Amount amount)
{
	if (period != (*last)->period)
	{
		++*last;
		(*last)->period = period;
		(*last)->money = 0;
		(*last)->purchased = false;
	}
	add_money(&(*last)->money, amount);
	(*last)->purchased |= purchased;
}

/*
 * Puts the days of the customer together to periods, and *last on to the last
 * of these.  Returns false where the customer is not plain: *event is the
 * first that is not.
 */
static pg_attribute_always_inline bool
read_plain_days(Report *report, const Growth *growth, const bool has_amounts,
				HistoryCursor *cursor, PlainPeriod **last, HistoryDay *event)
{
	uint32		next = 0;

	(*last)[1].previous = NO_PERIOD;
	for (;;)
	{
		gather_plain_days(report, growth, has_amounts, cursor, last, &next);
		if (!report_other_day(report, cursor, event, has_amounts))
			return true;
		if (event->orders == 0 || !amount_is_plain(event->amount))
			return false;
		gather_day(last, &next, period_index(&growth->periods, event->day), (int64) event->amount);
	}
}

/*
 * Goes on from that event, where the reader is, with a customer who is not
 * plain, of whom "count" periods from "plain" on were read.  Returns the last
 * period; NULL without a purchase, as the customer counts nowhere then.
 */
static CustomerPeriod *
read_other_days(Report *report, const Growth *growth, const PlainPeriod *plain, Size count,
				HistoryDay event)
{
	CustomerPeriod *last = growth->customer;
	bool		has_purchase = count > 0;

	for (Size i = 0; i < count; i++)
		*++last = (CustomerPeriod) {plain[i].money, plain[i].period, true};
	do
	{
		int32		period = period_index(&growth->periods, event.day);

		has_purchase |= event.orders > 0;
		if (period >= 0)		/* else a refund before the first row */
			add_other_day(&last, period, event.orders > 0, event.amount);
	} while (history_next_day(&report->reader, &event));
	return has_purchase ? last : NULL;
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

	add_money(&growth->cells[period].changes[movement].money, change);
}

/* Books that the period after this one is empty. */
static void
book_drop(const Growth *growth, const CustomerPeriod *this, int32 active_until)
{
	book_without_purchase(growth, this->period + 1, active_until, money_less(0, this->money));
}

static void
book_customer(const Growth *growth, const CustomerPeriod *last)
{
	const int32 lapse = growth->lapse;
	GrowthCell *cells = growth->cells;
	int32		active_until = -1;
	int32		latest = NO_PERIOD;
	Amount		money = 0;		/* of the latest period */
	Movement	start = MOVEMENT_NEW;
	bool		books_drop = false; /* should an empty period follow */

	for (const CustomerPeriod *this = growth->customer + 1; this <= last; this++)
	{
		int32		period = this->period;
		GrowthCell *cell = &cells[period];
		bool		is_adjacent = period <= latest + 1;
		Amount		change;

		if (books_drop && !is_adjacent)
			book_drop(growth, this - 1, active_until);
		change = money_less(this->money, is_adjacent ? money : 0);
		money = this->money;
		latest = period;

		add_money(&cell->revenue, money);
		if (this->purchased)
		{
			bool		is_kept = period <= active_until;
			Movement	movement = !is_kept ? start :
				change < 0 ? MOVEMENT_CONTRACTION : MOVEMENT_EXPANSION;

			cell->changes[movement].purchasers++;
			add_money(&cell->changes[movement].money, change);
			/* with the first start goes an end in a cell before the rows */
			if (!is_kept)
				cells[active_until].ended++;
			active_until = period + lapse;
			start = MOVEMENT_RESURRECTED;
			books_drop = lapse > 1 && money < 0;
		}
		else
		{
			book_without_purchase(growth, period, active_until, change);
			books_drop = true;
		}
	}
	if (books_drop)
		book_drop(growth, last, active_until);
	cells[active_until].ended++;
}

/*
 * Books what was gathered, in one loop that does not end with every customer.
 * lapse is that of the report, as a constant where it is 1.
 */
static pg_attribute_always_inline void
book_gathered(const Growth *growth, const PlainPeriod *last, const int32 lapse)
{
	GrowthCell *cells = growth->cells;
	int32		active_until = -1;
	int64		money = 0;		/* of the latest period */

	for (const PlainPeriod *this = growth->gathered + 1; this <= last; this++)
	{
		int64		period = this->period;
		int64		previous = this->previous;
		PlainChanges *plain = &growth->plain[period];
		int64		adjacent = (period - 2 - previous) >> 63;	/* all ones, or 0 */
		int64		change = this->money - (money & adjacent);
		int64		is_first = (uint64) previous >> 63; /* NO_PERIOD is negative */
		int64		kept = lapse == 1 ? adjacent :
			-(int64) ((period <= active_until) & (1 ^ is_first));

		/* less is not brought but after a period with money, so by who is kept */
		int64		movement = ((uint64) change >> 63) + 2 * (1 + kept) + is_first;

		money = this->money;
		plain->money[PLAIN_REVENUE] += money;
		plain->purchasers[movement]++;
		plain->money[movement] += change;

		/*
		 * With a start goes the end of the span before, which may be that of
		 * the customer before, or for the first of all one before the rows.
		 */
		if (lapse > 1)
			cells[active_until].ended += 1 + kept;
		active_until = period + lapse;
	}
	if (lapse > 1)
		cells[active_until].ended++;
}

static pg_attribute_always_inline void
count_customers(Report *report, const Growth *growth, const int32 lapse, const bool has_amounts)
{
	PlainPeriod *last = growth->gathered;

	while (report_next_customer(report))
	{
		HistoryCursor cursor = report->reader.at;
		PlainPeriod *before = last;
		HistoryDay	event;
		bool		is_plain = read_plain_days(report, growth, has_amounts, &cursor, &last, &event);

		report->reader.at = cursor;
		if (unlikely(!is_plain))
		{
			const CustomerPeriod *last_period = read_other_days(report, growth, before + 1,
																last - before, event);

			if (last_period != NULL)
				book_customer(growth, last_period);
			last = before;
		}
		if (last - growth->gathered >= GATHERED_PERIODS)
		{
			book_gathered(growth, last, lapse);
			last = growth->gathered;
		}
	}
	book_gathered(growth, last, lapse);
}

static void
count_part(void *state)
{
	Growth	   *growth = state;
	Report	   *report = &growth->report;

	if (report->reader.header.has_amounts)
	{
		if (growth->lapse == 1)
			count_customers(report, growth, 1, true);
		else
			count_customers(report, growth, growth->lapse, true);
	}
	else
		count_customers(report, growth, growth->lapse, false);
}

/* See ReportCells. */
static void
add_cells(void *cells, const void *more, Size size)
{
	GrowthCell *cell = cells;
	const GrowthCell *other = more;

	for (Size i = 0; i < size / sizeof(GrowthCell); i++, cell++, other++)
	{
		cell->ended += other->ended;
		add_money(&cell->revenue, other->revenue);
		for (int m = 0; m < MOVEMENTS; m++)
		{
			cell->changes[m].purchasers += other->changes[m].purchasers;
			add_money(&cell->changes[m].money, other->changes[m].money);
		}
	}
}

/* Puts what plain customers did to the cells. */
static void
add_plain_changes(const Growth *growth)
{
	for (int32 period = 0; period < growth->periods.count; period++)
	{
		GrowthCell *cell = &growth->cells[period];
		const PlainChanges *plain = &growth->plain[period];

		add_money(&cell->revenue, plain->money[PLAIN_REVENUE]);
		for (int i = 0; i < MOVEMENTS; i++)
		{
			cell->changes[i].purchasers += plain->purchasers[i];
			add_money(&cell->changes[i].money, plain->money[i]);
		}
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
		revenue = cell->revenue;
		if (period < first_row)
			continue;

		movements[balance] = money_less(revenue, previous_revenue);
		for (int i = 0; i < MOVEMENTS; i++)
			if (i != balance)
			{
				movements[i] = changes[i].money;
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
	Growth		growth;
	Report	   *report = &growth.report;
	Size		cells;

	if (!report_begin(report, fcinfo, ARG_HISTORY, ARG_AS_OF, ARG_OBSERVED_SINCE, false))
		return (Datum) 0;
	report_periods(&growth.periods, report, grid);
	growth.lapse = Min(lapse, growth.periods.count);
	/* one before the first; after the last, as many as activity can last */
	cells = (Size) growth.periods.count + growth.lapse + 1;
	growth.cells = report_cells(cells, sizeof(GrowthCell));
	growth.cells++;
	growth.plain = report_cells(growth.periods.count, sizeof(PlainChanges));
	growth.customer = report_cells((Size) growth.periods.count + 1, sizeof(CustomerPeriod));
	growth.customer->period = NO_PERIOD;
	/* one more, which is ready to be begun */
	growth.gathered = report_cells((Size) growth.periods.count + GATHERED_PERIODS + 2,
								   sizeof(PlainPeriod));

	if (!report_count(report, fcinfo, count_part, &growth,
					  (ReportCells[]) {
						  {growth.cells - 1, cells * sizeof(GrowthCell), add_cells},
						  {growth.plain, growth.periods.count * sizeof(PlainChanges), add_counts}
					  }, 2))
		return (Datum) 0;
	add_plain_changes(&growth);
	emit_rows(report, &growth);
	return (Datum) 0;
}
