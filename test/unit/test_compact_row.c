/*
 * test_compact_row.c
 *	  Tests of src/compact_row.c against qsort() and against the rows themselves.
 *
 * From the top folder:
 *	  cc -O2 -Wall -Wextra -Isrc -o test_compact_row test/unit/test_compact_row.c src/compact_row.c
 * Prints TAP; exits with 1 if a test failed.  All rows are random; the seed is
 * printed, and LOYALTY_SEED=... repeats it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compact_row.h"
#include "random.h"
#include "tap.h"

#define ROWS	5000

/* A number of up to so many bits; the largest of them now and then. */
static uint64_t
random_bits(int bits)
{
	uint64_t	most = bits == 0 ? 0 : UINT64_MAX >> (64 - bits);

	return random_number() % 8 == 0 ? most : random_number() & most;
}

static RowRange
range_of(const HistoryRow *rows, size_t count)
{
	RowRange	range = EMPTY_ROW_RANGE;

	for (size_t i = 0; i < count; i++)
	{
		RowRange	one = {rows[i].key, rows[i].key, rows[i].day, rows[i].day, rows[i].amount, rows[i].amount};

		row_range_add(&range, &one);
	}
	return range;
}

/* Rows whose parts have up to so many bits above a random least one. */
static void
random_rows(HistoryRow *rows, size_t count, int key_bits, int day_bits, int amount_bits)
{
	uint64_t	key = key_bits == 64 ? 0 : random_number() % (UINT64_MAX >> key_bits);
	uint32_t	day = (uint32_t) (random_number() % 100000);
	int64_t		amount = random_number() % 2 == 0 || amount_bits > 31 ? INT32_MIN : -1000;

	for (size_t i = 0; i < count; i++)
		rows[i] = (HistoryRow) {key + random_bits(key_bits), day + (uint32_t) random_bits(day_bits),
								(int32_t) (amount + (int64_t) random_bits(amount_bits))};
}

static bool
row_is(const CompactForm *form, uint64_t row, const HistoryRow *wanted)
{
	return form->least_key + compact_key(form, row) == wanted->key &&
		compact_day(form, row) == wanted->day && compact_amount(form, row) == wanted->amount;
}

/* Every row comes back as it was, from a form of its own and from one of a larger range. */
static bool
comes_back(const HistoryRow *rows, size_t count, int key_unit)
{
	RowRange	range = range_of(rows, count);
	RowRange	wide = range;
	CompactForm form;
	CompactForm unit_form;
	CompactForm wide_form;
	CompactShift to_unit;
	CompactShift to_wide;
	bool		has_wide;
	bool		same = true;

	if (!compact_form(&range, 0, &form) || !compact_form(&range, key_unit, &unit_form))
		return true;
	wide.least_key -= random_number() % (wide.least_key / 2 + 1);
	wide.last_day += 1000;
	has_wide = compact_form(&wide, 0, &wide_form);
	to_unit = compact_shift(&form, &unit_form);
	if (has_wide)
		to_wide = compact_shift(&unit_form, &wide_form);
	same &= (unit_form.least_key & (((uint64_t) 1 << key_unit) - 1)) == 0 && form.bits <= 64;
	for (size_t i = 0; i < count; i++)
	{
		uint64_t	row = compact_row(&form, rows[i].key, rows[i].day, rows[i].amount);
		uint64_t	unit_row = convert_compact(row, &form, &unit_form, &to_unit);

		same &= row_is(&form, row, &rows[i]) && row_is(&unit_form, unit_row, &rows[i]);
		same &= form.bits == 64 || row >> form.bits == 0;
		if (has_wide)
			same &= row_is(&wide_form, convert_compact(unit_row, &unit_form, &wide_form, &to_wide), &rows[i]);
	}
	return same;
}

static int
compare_numbers(const void *a, const void *b)
{
	return (*(const uint64_t *) a > *(const uint64_t *) b) - (*(const uint64_t *) a < *(const uint64_t *) b);
}

/* Sorted by all bits from "low" on, and none lost. */
static bool
sorts(size_t count, size_t width, int low, int bits, bool in_order)
{
	char	   *rows = malloc((count + 1) * width);
	char	   *scratch = malloc((count + 1) * width);
	uint64_t   *wanted = calloc(count + 1, sizeof(uint64_t));
	uint64_t   *got = calloc(count + 1, sizeof(uint64_t));
	uint64_t	shared = random_number();
	void	   *sorted;
	bool		same = true;

	for (size_t i = 0; i < count; i++)
	{
		wanted[i] = random_bits(bits) | (bits < 64 ? shared >> bits << bits : 0);
		if (width == sizeof(uint32_t))
			wanted[i] = (uint32_t) wanted[i];
	}
	if (in_order)
		qsort(wanted, count, sizeof(uint64_t), compare_numbers);
	for (size_t i = 0; i < count; i++)
		put_compact(rows, i, wanted[i], width);
	qsort(wanted, count, sizeof(uint64_t), compare_numbers);

	sorted = sort_compact(rows, scratch, count, low, width);
	for (size_t i = 0; i < count; i++)
	{
		got[i] = compact_at(sorted, i, width);
		same &= got[i] >> low == wanted[i] >> low;
	}
	qsort(got, count, sizeof(uint64_t), compare_numbers);
	same &= memcmp(got, wanted, count * sizeof(uint64_t)) == 0;
	free(rows);
	free(scratch);
	free(wanted);
	free(got);
	return same;
}

int
main(void)
{
	static HistoryRow rows[ROWS];
	static const int key_bits[] = {0, 1, 20, 31, 32, 33, 40, 63, 64};
	static const int day_bits[] = {0, 3, 11, 30};
	static const int amount_bits[] = {0, 1, 17, 32};
	RowRange	all = {0, UINT64_MAX, 0, 1, 5, 5};
	CompactForm form;
	bool		passed;
	char		name[100];

	seed_random("test_compact_row");

	for (int k = 0; k < 9; k++)
	{
		passed = true;
		for (int d = 0; d < 4; d++)
			for (int a = 0; a < 4; a++)
				for (int i = 0; i < 10; i++)
				{
					size_t		count = i == 0 ? 1 : random_number() % (ROWS - 1) + 1;

					random_rows(rows, count, key_bits[k], day_bits[d], amount_bits[a]);
					passed &= comes_back(rows, count, (int) (random_number() % (key_bits[k] + 1) % 64));
				}
		snprintf(name, sizeof(name), "rows come back, keys of %d bits", key_bits[k]);
		ok(passed, name);
	}
	ok(!compact_form(&all, 0, &form), "a row of 65 bits has no form");
	all.last_day = 0;
	ok(compact_form(&all, 0, &form) && form.bits == 64, "a row of 64 bits has one");

	for (size_t width = sizeof(uint32_t); width <= sizeof(uint64_t); width *= 2)
		for (int bits = 1; bits <= 8 * (int) width; bits += 7)
		{
			passed = true;
			for (int i = 0; i < 60; i++)
			{
				size_t		count = i < 30 ? (size_t) i : random_number() % (i % 10 == 0 ? 50000 : 2000);

				passed &= sorts(count, width, i % 3 == 0 ? 0 : (int) (random_number() % bits), bits, i % 4 == 0);
			}
			snprintf(name, sizeof(name), "rows of %zu bytes that differ in %d bits are sorted", width, bits);
			ok(passed, name);
		}
	return finish();
}
