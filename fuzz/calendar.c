/*
 * calendar.c
 *	  Fuzzes src/calendar.c: a day lies in its period, and periods follow each
 *	  other without a gap.
 */
#include "calendar.h"

#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"day", "week", "month", "quarter", "year", "all"};
	Input		input = input_of(data, size);
	char		name[9] = {0};
	PeriodKind	kind;
	PeriodGrid	grid = {(PeriodKind) take_choice(&input, 6), MONDAY + take_choice(&input, 7)};
	int64_t		days = (int64_t) DAY_LAST - DAY_FIRST + 1;
	Day			day = (Day) (DAY_FIRST + (int64_t) (take_bytes(&input, 4) % (uint64_t) days));
	int32_t		any_period = (int32_t) take_bytes(&input, 4);
	int32_t		period = period_of_day(grid, day);
	Day			first = period_first_day(grid, period);
	Day			last = period_last_day(grid, period);

	HOLDS(first <= day && day <= last);
	if (grid.kind != PERIOD_ALL)
	{
		int64_t		length = (int64_t) last - first + 1;
		static const int shortest[] = {1, 7, 28, 90, 365};
		static const int longest[] = {1, 7, 31, 92, 366};

		HOLDS(length >= shortest[grid.kind] && length <= longest[grid.kind]);
		HOLDS(period_of_day(grid, first) == period);
		HOLDS(period_of_day(grid, last) == period);
		HOLDS(period_first_day(grid, period + 1) == last + 1);
		HOLDS(period_last_day(grid, period - 1) == first - 1);
	}

	/* of a period that no day has, only that it returns */
	HOLDS(period_first_day(grid, any_period) <= period_last_day(grid, any_period));
	memcpy(name, input.next, (size_t) (input.end - input.next < 8 ? input.end - input.next : 8));
	if (period_kind_from_name(name, &kind))
		HOLDS(strcmp(name, names[kind]) == 0);
	return 0;
}
