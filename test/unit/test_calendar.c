/*
 * test_calendar.c
 *	  Tests of src/calendar.c against a calendar that is counted day by day.
 *
 * From the top folder:
 *	  cc -O2 -Wall -Wextra -Isrc -o test_calendar test/unit/test_calendar.c src/calendar.c
 * Prints TAP; exits with 1 if a test failed.
 */
#include <inttypes.h>
#include <stdio.h>

#include "calendar.h"
#include "tap.h"

/* a day and its place in every kind of period, counted up */
typedef struct Walker
{
	int64_t		day;
	int64_t		year;
	int			month;			/* 0 .. 11 */
	int			day_of_month;	/* 1 .. */
	int			weekday;		/* MONDAY .. SUNDAY */
} Walker;

static bool
is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int
month_length(int64_t year, int month)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return month == 1 && is_leap(year) ? 29 : lengths[month];
}

static void
next_day(Walker *walker)
{
	walker->day++;
	walker->weekday = walker->weekday % 7 + 1;
	if (++walker->day_of_month <= month_length(walker->year, walker->month))
		return;
	walker->day_of_month = 1;
	if (++walker->month < 12)
		return;
	walker->month = 0;
	walker->year++;
}

static bool
is_first_day(PeriodGrid grid, const Walker *walker)
{
	switch (grid.kind)
	{
		case PERIOD_DAY:
			return true;
		case PERIOD_WEEK:
			return walker->weekday == grid.week_start;
		case PERIOD_MONTH:
			return walker->day_of_month == 1;
		case PERIOD_QUARTER:
			return walker->day_of_month == 1 && walker->month % 3 == 0;
		case PERIOD_YEAR:
			return walker->day_of_month == 1 && walker->month == 0;
		case PERIOD_ALL:
			return false;
	}
	return false;
}

static const char *const kind_names[] = {"day", "week", "month", "quarter", "year", "all"};

/*
 * Steps from a day to another, for all kinds of periods at once: the number
 * rises by one on the first day of each period and stays on all others, and
 * first and last day of the period lie where the steps find them.
 */
static void
walk(Walker start, int64_t end, const char *stretch)
{
	PeriodGrid	grids[12];
	int64_t		first[12];
	int32_t		number[12];
	bool		good[12];
	int			grid_count = 0;
	Walker		walker = start;

	for (int kind = PERIOD_DAY; kind <= PERIOD_YEAR; kind++)
		for (int week_start = MONDAY; week_start <= SUNDAY; week_start++)
			if (kind == PERIOD_WEEK || week_start == MONDAY)
				grids[grid_count++] = (PeriodGrid)
				{
					kind, week_start
				};

	for (int i = 0; i < grid_count; i++)
	{
		good[i] = true;
		number[i] = period_of_day(grids[i], (Day) start.day);
		first[i] = INT64_MIN;	/* not seen */
		if (is_first_day(grids[i], &start))
			first[i] = start.day;
	}

	while (walker.day < end)
	{
		next_day(&walker);
		for (int i = 0; i < grid_count; i++)
		{
			Day			day = (Day) walker.day;
			int32_t		got = period_of_day(grids[i], day);

			if (is_first_day(grids[i], &walker))
			{
				if (period_last_day(grids[i], number[i]) != day - 1)
					good[i] = false;
				number[i]++;
				first[i] = day;
			}
			if (got != number[i])
				good[i] = false;
			if (first[i] != INT64_MIN &&
				period_first_day(grids[i], number[i]) != first[i])
				good[i] = false;
			if (period_last_day(grids[i], number[i]) < day)
				good[i] = false;
		}
	}

	for (int i = 0; i < grid_count; i++)
	{
		char		name[200];

		snprintf(name, sizeof(name), "%s starting on day %d of the week, %s",
				 kind_names[grids[i].kind], grids[i].week_start, stretch);
		ok(good[i], name);
	}
}

int
main(void)
{
	const PeriodGrid month = {PERIOD_MONTH, MONDAY};
	const PeriodGrid year = {PERIOD_YEAR, MONDAY};
	const PeriodGrid all = {PERIOD_ALL, MONDAY};
	PeriodKind	kind;
	bool		good = true;

	/* 2000-01-01 was a Saturday */
	walk((Walker) {0, 2000, 0, 1, 6}, 4 * 146097, "2000 to 3599");

	/* -4713-11-24, Julian day 0, was a Monday; to 2000 */
	walk((Walker) {DAY_FIRST, -4713, 10, 24, MONDAY}, 100,
		 "4714 BC to 2000");

	/* 146097 days later the calendar repeats itself, weekdays included */
	walk((Walker) {INT64_C(14680) * 146097, 2000 + 14680 * 400, 0, 1, 6},
		 DAY_LAST, "last centuries of date");

	for (int i = PERIOD_DAY; i <= PERIOD_ALL; i++)
		good = good && period_kind_from_name(kind_names[i], &kind) &&
			kind == (PeriodKind) i;
	ok(good, "period names");
	ok(!period_kind_from_name("", &kind) &&
	   !period_kind_from_name("Month", &kind) &&
	   !period_kind_from_name("months", &kind) &&
	   !period_kind_from_name("decade", &kind), "no other period names");

	is_number(period_of_day(month, 366) - period_of_day(month, 0), 12,
			  "12 months from 2000-01-01 to 2001-01-01");
	is_number(period_first_day(year, period_of_day(year, 59)), 0,
			  "2000-02-29 belongs to the year of day 0");
	is_number(period_of_day(all, DAY_FIRST), 0, "everything: number of the first day");
	is_number(period_of_day(all, DAY_LAST), 0, "everything: number of the last day");
	is_number(period_first_day(all, 0), DAY_FIRST, "everything: first day");
	is_number(period_last_day(all, 0), DAY_LAST, "everything: last day");

	is_number(period_last_day(month, period_of_day(month, DAY_LAST)), DAY_LAST,
			  "5874897-12-31 ends its month");
	is_number(period_last_day(year, period_of_day(year, DAY_LAST)), DAY_LAST,
			  "5874897-12-31 ends its year");
	is_number(period_first_day(year, period_of_day(year, DAY_FIRST)),
			  DAY_FIRST - 327, "4714-11-24 BC is in the year that began on 4714-01-01 BC");

	good = true;
	for (int i = PERIOD_DAY; i <= PERIOD_YEAR; i++)
		for (int week_start = MONDAY; week_start <= SUNDAY; week_start++)
		{
			PeriodGrid	grid = {(PeriodKind) i, week_start};

			for (int64_t day = DAY_FIRST; day <= DAY_LAST; day += 9973)
			{
				int32_t		number = period_of_day(grid, (Day) day);

				if (period_first_day(grid, number) > day ||
					period_last_day(grid, number) < day ||
					period_last_day(grid, number) + 1 !=
					period_first_day(grid, number + 1))
					good = false;
			}
		}
	ok(good, "every day lies in its period, and periods leave no gap");

	is_number(period_first_day(year, INT32_MAX), INT32_MAX,
			  "periods far after the last day stay in int32");
	is_number(period_last_day(year, INT32_MIN), INT32_MIN,
			  "periods far before the first day stay in int32");

	return finish();
}
