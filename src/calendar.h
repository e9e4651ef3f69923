/*
 * calendar.h
 *	  Days, and the periods they belong to.
 *
 * Plain C: no PostgreSQL in it.  A day is the number of days since
 * 2000-01-01 in the proleptic Gregorian calendar, which is what PostgreSQL's
 * DateADT holds, so values pass between the two unchanged.
 *
 * Periods are numbered: consecutive periods of one kind have consecutive
 * numbers, so that "three months later" is number + 3.  The number means
 * nothing by itself; it is only subtracted, compared and turned back into
 * the first day of its period.
 */
#ifndef LOYALTY_CALENDAR_H
#define LOYALTY_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

typedef int32_t Day;

/* The finite days of PostgreSQL's date: 4714-11-24 BC to 5874897-12-31. */
#define DAY_FIRST	((Day) -2451545)
#define DAY_LAST	((Day) 2145031948)

typedef enum PeriodKind
{
	PERIOD_DAY,
	PERIOD_WEEK,
	PERIOD_MONTH,
	PERIOD_QUARTER,
	PERIOD_YEAR,
	PERIOD_ALL					/* one period that holds every day */
} PeriodKind;

/* ISO numbers of the days of the week. */
#define MONDAY	1
#define SUNDAY	7

typedef struct PeriodGrid
{
	PeriodKind	kind;
	int			week_start;		/* MONDAY .. SUNDAY; read for weeks only */
} PeriodGrid;

extern bool period_kind_from_name(const char *name, PeriodKind *kind);

/* The number of the period that holds a day.  PERIOD_ALL: always 0. */
extern int32_t period_of_day(PeriodGrid grid, Day day);

/*
 * The first and the last day of a period.  Not clamped to DAY_FIRST and
 * DAY_LAST, but never outside int32.  PERIOD_ALL: DAY_FIRST and DAY_LAST.
 */
extern Day	period_first_day(PeriodGrid grid, int32_t period);
extern Day	period_last_day(PeriodGrid grid, int32_t period);

#endif							/* LOYALTY_CALENDAR_H */
