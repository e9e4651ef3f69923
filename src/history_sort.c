/*
 * history_sort.c
 *	  Radix sort of rows by (key, day).
 *
 * Days first, unless the rows are in order of time already, as orders often
 * are: they are few, so one pass does it.  Then keys, most significant digit
 * first, on the range of values that is really there: customer numbers are
 * dense more often than not, and then one pass puts every customer's rows
 * together.  Each pass is stable, so nothing is left to do within a customer.
 */
#include "history_sort.h"

#include <string.h>

#define INSERTION_LIMIT	24
#define MAX_BUCKET_BITS	11
#define ROWS_PER_BUCKET	8

/* 22 years; where days are further apart, each customer's are sorted last. */
#define MAX_DAY_BUCKETS	8192

#define ALWAYS_INLINE	static inline __attribute__((always_inline))

ALWAYS_INLINE bool
row_after(const HistoryRow *a, const HistoryRow *b, const size_t width)
{
	if (a->key != b->key)
		return a->key > b->key;
	if (row_key_rest(a, width) != row_key_rest(b, width))
		return row_key_rest(a, width) > row_key_rest(b, width);
	return ROW_DAY(a) > ROW_DAY(b);
}

ALWAYS_INLINE void
insertion_sort(void *rows, size_t count, const size_t width)
{
	for (size_t i = 1; i < count; i++)
	{
		LongKeyRow	moved;
		size_t		j = i;

		if (!row_after(ROW_AT(rows, i - 1, width), ROW_AT(rows, i, width), width))
			continue;
		copy_row(&moved.row, ROW_AT(rows, i, width), width);
		do
		{
			copy_row(ROW_AT(rows, j, width), ROW_AT(rows, j - 1, width), width);
			j--;
		} while (j > 0 && row_after(ROW_AT(rows, j - 1, width), &moved.row, width));
		copy_row(ROW_AT(rows, j, width), &moved.row, width);
	}
}

/*
 * Puts the rows into buckets by their digits above "least".  Afterwards
 * starts has the end of each bucket, which is the start of the next one.
 */
ALWAYS_INLINE void
distribute(void *rows, void *scratch, size_t count, uint64_t least, int shift,
		   uint32_t *starts, size_t buckets, const RowDigits digits, const size_t width)
{
#define BUCKET(i) ((row_digits(ROW_AT(rows, i, width), digits, width) - least) >> shift)
	memset(starts, 0, (buckets + 1) * sizeof(uint32_t));
	for (size_t i = 0; i < count; i++)
		starts[BUCKET(i) + 1]++;
	for (size_t b = 1; b < buckets; b++)
		starts[b] += starts[b - 1];
	for (size_t i = 0; i < count; i++)
		copy_row(ROW_AT(scratch, starts[BUCKET(i)]++, width), ROW_AT(rows, i, width), width);
	memcpy(rows, scratch, count * width);
#undef BUCKET
}

/* Not in line: its buckets leave the stack before rows are sorted by key. */
static __attribute__((noinline)) void
distribute_by_day(void *rows, void *scratch, size_t count, uint32_t first_day, uint32_t last_day,
				  const size_t width)
{
	uint32_t	starts[MAX_DAY_BUCKETS + 1];

	if (width == sizeof(LongKeyRow))
		distribute(rows, scratch, count, first_day, 0, starts, last_day - first_day + 1,
				   ROW_DAYS, sizeof(LongKeyRow));
	else
		distribute(rows, scratch, count, first_day, 0, starts, last_day - first_day + 1,
				   ROW_DAYS, sizeof(HistoryRow));
}

typedef struct Sorting
{
	void		(*check_cancel) (void);
	bool		days_in_order;
} Sorting;

static void sort_short(void *rows, void *scratch, size_t count, RowDigits digits,
					   const Sorting *sorting);
static void sort_long(void *rows, void *scratch, size_t count, RowDigits digits,
					  const Sorting *sorting);

/* Sorts by these digits, which are not the same in all rows, and all after them. */
ALWAYS_INLINE void
sort_between(void *rows, void *scratch, size_t count, uint64_t least, uint64_t most,
			 const Sorting *sorting, const RowDigits digits, const size_t width)
{
	uint32_t	starts[(1 << MAX_BUCKET_BITS) + 1];
	size_t		buckets;
	size_t		start = 0;
	int			bits = 1;
	int			shift;

	while (bits < MAX_BUCKET_BITS && ((size_t) ROWS_PER_BUCKET << bits) < count)
		bits++;
	shift = bit_length(most - least) - bits;
	if (shift < 0)
		shift = 0;
	buckets = (size_t) ((most - least) >> shift) + 1;
	distribute(rows, scratch, count, least, shift, starts, buckets, digits, width);

	if (shift == 0 &&
		(digits == ROW_DAYS || (sorting->days_in_order && width == sizeof(HistoryRow))))
		return;
	for (size_t b = 0; b < buckets; b++)
	{
		size_t		in_bucket = starts[b] - start;
		void	   *bucket = ROW_AT(rows, start, width);
		void	   *bucket_scratch = ROW_AT(scratch, start, width);
		RowDigits	next = shift == 0 ? digits + 1 : digits;

		if (in_bucket <= INSERTION_LIMIT)
			insertion_sort(bucket, in_bucket, width);
		else if (width == sizeof(LongKeyRow))
			sort_long(bucket, bucket_scratch, in_bucket, next, sorting);
		else
			sort_short(bucket, bucket_scratch, in_bucket, next, sorting);
		start = starts[b];
	}
}

/* Sorts by these digits and all after them; false: they are the same in all rows. */
ALWAYS_INLINE bool
sort_by(void *rows, void *scratch, size_t count, const Sorting *sorting,
		const RowDigits digits, const size_t width)
{
	uint64_t	least = UINT64_MAX;
	uint64_t	most = 0;

	for (size_t i = 0; i < count; i++)
	{
		uint64_t	value = row_digits(ROW_AT(rows, i, width), digits, width);

		if (value < least)
			least = value;
		if (value > most)
			most = value;
	}
	if (least == most)
		return false;
	sort_between(rows, scratch, count, least, most, sorting, digits, width);
	return true;
}

/* Sorts rows that are equal in the digits before these. */
ALWAYS_INLINE void
sort_from(void *rows, void *scratch, size_t count, RowDigits digits, const Sorting *sorting,
		  const size_t width)
{
	sorting->check_cancel();
	if (digits == ROW_KEY && sort_by(rows, scratch, count, sorting, ROW_KEY, width))
		return;
	if (digits <= ROW_KEY_REST && width == sizeof(LongKeyRow) &&
		sort_by(rows, scratch, count, sorting, ROW_KEY_REST, width))
		return;
	if (!sorting->days_in_order)
		sort_by(rows, scratch, count, sorting, ROW_DAYS, width);
}

static void
sort_short(void *rows, void *scratch, size_t count, RowDigits digits, const Sorting *sorting)
{
	sort_from(rows, scratch, count, digits, sorting, sizeof(HistoryRow));
}

static void
sort_long(void *rows, void *scratch, size_t count, RowDigits digits, const Sorting *sorting)
{
	sort_from(rows, scratch, count, digits, sorting, sizeof(LongKeyRow));
}

ALWAYS_INLINE bool
rows_are_sorted(const void *rows, size_t count, const size_t width)
{
	for (size_t i = 1; i < count; i++)
		if (row_after(ROW_AT(rows, i - 1, width), ROW_AT(rows, i, width), width))
			return false;
	return true;
}

/* Puts rows in order of time where that takes a pass; whether they are now. */
ALWAYS_INLINE bool
sort_days_first(void *rows, void *scratch, size_t count, const RowsSeen *seen, const size_t width)
{
	uint32_t	days = seen->last_day - seen->first_day;

	if (seen->days_in_order)
		return true;
	if (days >= MAX_DAY_BUCKETS || days / ROWS_PER_BUCKET >= count)
		return false;
	distribute_by_day(rows, scratch, count, seen->first_day, seen->last_day, width);
	return true;
}

/* sort_rows of one width */
ALWAYS_INLINE void
sort_rows_of(void *rows, void *scratch, size_t count, void (*check_cancel) (void),
			 const size_t width)
{
	Sorting		sorting = {check_cancel, true};
	RowsSeen	seen = NO_ROWS_SEEN;

	if (count <= INSERTION_LIMIT)
	{
		insertion_sort(rows, count, width);
		return;
	}
	if (rows_are_sorted(rows, count, width))
		return;
	for (size_t i = 0; i < count; i++)
		see_day(&seen, ROW_DAY(ROW_AT(rows, i, width)));
	sorting.days_in_order = sort_days_first(rows, scratch, count, &seen, width);
	if (width == sizeof(LongKeyRow))
		sort_long(rows, scratch, count, ROW_KEY, &sorting);
	else
		sort_short(rows, scratch, count, ROW_KEY, &sorting);
}

void
sort_rows(void *rows, void *scratch, size_t count, size_t width,
		  void (*check_cancel) (void))
{
	if (width == sizeof(LongKeyRow))
		sort_rows_of(rows, scratch, count, check_cancel, sizeof(LongKeyRow));
	else
		sort_rows_of(rows, scratch, count, check_cancel, sizeof(HistoryRow));
}

void
sort_seen_rows(HistoryRow *rows, HistoryRow *scratch, size_t count,
			   const RowsSeen *seen, void (*check_cancel) (void))
{
	Sorting		sorting = {check_cancel, true};

	if (count <= INSERTION_LIMIT)
		insertion_sort(rows, count, sizeof(HistoryRow));
	else if (!rows_are_sorted(rows, count, sizeof(HistoryRow)))
	{
		check_cancel();
		sorting.days_in_order = sort_days_first(rows, scratch, count, seen, sizeof(HistoryRow));
		if (seen->least_key < seen->most_key)
			sort_between(rows, scratch, count, seen->least_key, seen->most_key, &sorting,
						 ROW_KEY, sizeof(HistoryRow));
		else
			sort_short(rows, scratch, count, ROW_DAYS, &sorting);
	}
}
