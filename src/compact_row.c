/*
 * compact_row.c
 *	  The form of compact rows, and their sorting.
 *
 * Radix sort, least significant digit first.  A pass whose digits are in order
 * already, together with all below, is left out: orders come by day more often
 * than not.
 */
#include "compact_row.h"

#include <string.h>

#define INSERTION_LIMIT	24
#define DIGIT_BITS		11
#define FEW_DIGIT_BITS	8
#define FEW_ROWS		1024

#define ALWAYS_INLINE	static inline __attribute__((always_inline))

#define LESS(a, b)	((a) < (b) ? (a) : (b))
#define MORE(a, b)	((a) > (b) ? (a) : (b))

void
row_range_add(RowRange *range, const RowRange *more)
{
	range->least_key = LESS(range->least_key, more->least_key);
	range->most_key = MORE(range->most_key, more->most_key);
	range->first_day = LESS(range->first_day, more->first_day);
	range->last_day = MORE(range->last_day, more->last_day);
	range->least_amount = LESS(range->least_amount, more->least_amount);
	range->most_amount = MORE(range->most_amount, more->most_amount);
}

bool
compact_form(const RowRange *range, int key_unit, CompactForm *form)
{
	int			amount_bits = bit_length((uint32_t) range->most_amount - (uint32_t) range->least_amount);
	int			day_bits = bit_length(range->last_day - range->first_day);
	int			key_bits;

	form->least_key = range->least_key >> key_unit << key_unit;
	form->first_day = range->first_day;
	form->least_amount = range->least_amount;
	key_bits = bit_length(range->most_key - form->least_key);
	if (key_bits + day_bits + amount_bits > 64)
		return false;
	form->day_shift = (uint8_t) amount_bits;
	form->key_shift = (uint8_t) (day_bits + amount_bits);
	form->bits = (uint8_t) (key_bits + day_bits + amount_bits);
	return true;
}

ALWAYS_INLINE void
insertion_sort(void *rows, size_t count, const size_t width)
{
	for (size_t i = 1; i < count; i++)
	{
		uint64_t	moved = compact_at(rows, i, width);
		size_t		j = i;

		for (; j > 0 && compact_at(rows, j - 1, width) > moved; j--)
			put_compact(rows, j, compact_at(rows, j - 1, width), width);
		put_compact(rows, j, moved, width);
	}
}

/* From counts to where each bucket starts. */
ALWAYS_INLINE void
sum_up(uint32_t *starts, size_t buckets)
{
	uint32_t	start = 0;

	for (size_t b = 0; b < buckets; b++)
	{
		uint32_t	in_bucket = starts[b];

		starts[b] = start;
		start += in_bucket;
	}
}

ALWAYS_INLINE void
distribute(const void *rows, void *sorted, size_t count, int shift, uint64_t mask, uint32_t *starts,
		   const size_t width)
{
	sum_up(starts, (size_t) mask + 1);
	for (size_t i = 0; i < count; i++)
	{
		uint64_t	row = compact_at(rows, i, width);

		put_compact(sorted, starts[row >> shift & mask]++, row, width);
	}
}

ALWAYS_INLINE void *
sort_of(void *rows, void *scratch, size_t count, int low, const size_t width)
{
	uint32_t	starts[2][1 << DIGIT_BITS];
	uint64_t	differ = 0;
	int			high;
	int			digit_bits;
	uint64_t	mask;

	if (count <= INSERTION_LIMIT)
	{
		insertion_sort(rows, count, width);
		return rows;
	}
	for (size_t i = 1; i < count; i++)
		differ |= compact_at(rows, i, width) ^ compact_at(rows, 0, width);
	high = bit_length(differ);
	digit_bits = count < FEW_ROWS ? FEW_DIGIT_BITS : DIGIT_BITS;
	mask = ((uint64_t) 1 << digit_bits) - 1;

	/* two digits at a time: both are counted in one pass */
	for (int shift = low; shift < high; shift += 2 * digit_bits)
	{
		int			second = shift + digit_bits < 64 ? shift + digit_bits : 63;
		uint64_t	previous = 0;
		bool		in_order = true;
		void	   *sorted;

		memset(starts[0], 0, ((size_t) mask + 1) * sizeof(uint32_t));
		memset(starts[1], 0, ((size_t) mask + 1) * sizeof(uint32_t));
		for (size_t i = 0; i < count; i++)
		{
			uint64_t	row = compact_at(rows, i, width);
			uint64_t	so_far = low_bits(row, shift + digit_bits) >> low;

			starts[0][row >> shift & mask]++;
			starts[1][row >> second & mask]++;
			in_order &= so_far >= previous;
			previous = so_far;
		}
		if (!in_order)
		{
			distribute(rows, scratch, count, shift, mask, starts[0], width);
			sorted = scratch;
			scratch = rows;
			rows = sorted;
		}
		if (second < high && second == shift + digit_bits)
		{
			distribute(rows, scratch, count, second, mask, starts[1], width);
			sorted = scratch;
			scratch = rows;
			rows = sorted;
		}
	}
	return rows;
}

void *
sort_compact(void *rows, void *scratch, size_t count, int low, size_t width)
{
	return width == sizeof(uint32_t) ? sort_of(rows, scratch, count, low, sizeof(uint32_t)) :
		sort_of(rows, scratch, count, low, sizeof(uint64_t));
}
