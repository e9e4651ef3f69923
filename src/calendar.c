/*
 * calendar.c
 *	  Days, and the periods they belong to.
 *
 * Both directions go through a year that begins on the first of March, so
 * that the leap day is the last of its year and the lengths of the months
 * before it follow the line (153 m + 2) / 5.  400 years, an era, always have
 * the same number of days; inside an era all numbers are positive, and C's
 * truncating division is the floor that is wanted.
 *
 * Months are numbered from January of the year 0 (1 BC); a quarter has three
 * of them and a year twelve.  Week 0 starts in the first days of 2000.
 */
#include "calendar.h"

#include <string.h>

#define DAYS_PER_ERA	INT64_C(146097)
#define MONTHS_PER_ERA	INT64_C(4800)

/* From 0000-03-01 to 2000-01-01. */
#define DAYS_TO_EPOCH	INT64_C(730425)

/* 2000-01-03 was a Monday. */
#define FIRST_MONDAY	2

static inline int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Periods far outside the range of date have no right answer: stay defined. */
static inline int32_t
saturate(int64_t value)
{
	if (value < INT32_MIN)
		return INT32_MIN;
	if (value > INT32_MAX)
		return INT32_MAX;
	return (int32_t) value;
}

static int64_t
month_of_day(int64_t day)
{
	int64_t		shifted = day + DAYS_TO_EPOCH;
	int64_t		era = floor_div(shifted, DAYS_PER_ERA);
	int32_t		day_of_era = (int32_t) (shifted - era * DAYS_PER_ERA);
	int32_t		year_of_era = (day_of_era - day_of_era / 1460 +
							   day_of_era / 36524 - day_of_era / 146096) / 365;
	int32_t		day_of_year = day_of_era - (365 * year_of_era +
											year_of_era / 4 -
											year_of_era / 100);
	int32_t		month_of_year = (5 * day_of_year + 2) / 153;

	/* + 2: March, the first month here, is two months after January */
	return era * MONTHS_PER_ERA + 12 * year_of_era + month_of_year + 2;
}

static int64_t
first_day_of_month(int64_t month)
{
	int64_t		shifted = month - 2;
	int64_t		era = floor_div(shifted, MONTHS_PER_ERA);
	int32_t		month_of_era = (int32_t) (shifted - era * MONTHS_PER_ERA);
	int32_t		year_of_era = month_of_era / 12;
	int32_t		day_of_year = (153 * (month_of_era % 12) + 2) / 5;
	int32_t		day_of_era = 365 * year_of_era + year_of_era / 4 -
		year_of_era / 100 + day_of_year;

	return era * DAYS_PER_ERA + day_of_era - DAYS_TO_EPOCH;
}

/* The first day of week 0. */
static inline int64_t
week_zero(PeriodGrid grid)
{
	return FIRST_MONDAY + grid.week_start - MONDAY;
}

static int64_t
first_day(PeriodGrid grid, int64_t period)
{
	switch (grid.kind)
	{
		case PERIOD_DAY:
			break;
		case PERIOD_WEEK:
			return period * 7 + week_zero(grid);
		case PERIOD_MONTH:
			return first_day_of_month(period);
		case PERIOD_QUARTER:
			return first_day_of_month(period * 3);
		case PERIOD_YEAR:
			return first_day_of_month(period * 12);
		case PERIOD_ALL:
			return DAY_FIRST;
	}
	return period;
}

bool
period_kind_from_name(const char *name, PeriodKind *kind)
{
	static const char *const names[] = {
		[PERIOD_DAY] = "day",
		[PERIOD_WEEK] = "week",
		[PERIOD_MONTH] = "month",
		[PERIOD_QUARTER] = "quarter",
		[PERIOD_YEAR] = "year",
		[PERIOD_ALL] = "all"
	};

	for (int i = PERIOD_DAY; i <= PERIOD_ALL; i++)
	{
		if (strcmp(name, names[i]) == 0)
		{
			*kind = (PeriodKind) i;
			return true;
		}
	}
	return false;
}

int32_t
period_of_day(PeriodGrid grid, Day day)
{
	switch (grid.kind)
	{
		case PERIOD_DAY:
			break;
		case PERIOD_WEEK:
			return (int32_t) floor_div(day - week_zero(grid), 7);
		case PERIOD_MONTH:
			return (int32_t) month_of_day(day);
		case PERIOD_QUARTER:
			return (int32_t) floor_div(month_of_day(day), 3);
		case PERIOD_YEAR:
			return (int32_t) floor_div(month_of_day(day), 12);
		case PERIOD_ALL:
			return 0;
	}
	return day;
}

Day
period_first_day(PeriodGrid grid, int32_t period)
{
	return saturate(first_day(grid, period));
}

Day
period_last_day(PeriodGrid grid, int32_t period)
{
	if (grid.kind == PERIOD_ALL)
		return DAY_LAST;
	return saturate(first_day(grid, (int64_t) period + 1) - 1);
}
