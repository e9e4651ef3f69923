/*
 * history_sort.c
 *	  Radix sort of rows by (key, day).
 *
 * Most significant digit first, on the range of values that is really
 * there: customer numbers are dense more often than not, and then one pass
 * puts every customer's rows together.  Each pass is stable, so rows that
 * came in order of time, as orders do, leave nothing to do within a
 * customer.
 */
#include "history_sort.h"

#include <string.h>

#define INSERTION_LIMIT	24
#define MAX_BUCKET_BITS	11
#define ROWS_PER_BUCKET	8

static inline bool
row_after(const HistoryRow *a, const HistoryRow *b)
{
	return a->key > b->key || (a->key == b->key && ROW_DAY(a) > ROW_DAY(b));
}

static void
insertion_sort(HistoryRow *rows, size_t count)
{
	for (size_t i = 1; i < count; i++)
	{
		HistoryRow	row = rows[i];
		size_t		j = i;

		while (j > 0 && row_after(&rows[j - 1], &row))
		{
			rows[j] = rows[j - 1];
			j--;
		}
		rows[j] = row;
	}
}

static int
bit_length(uint64_t value)
{
	return value == 0 ? 0 : 64 - __builtin_clzll(value);
}

void
sort_rows(HistoryRow *rows, HistoryRow *scratch, size_t count,
		  void (*check_cancel) (void))
{
	uint32_t	starts[(1 << MAX_BUCKET_BITS) + 1];
	uint64_t	least;
	uint64_t	most;
	bool		by_day;
	bool		sorted = true;
	int			bits = 1;
	int			shift;
	size_t		buckets;

	if (count <= INSERTION_LIMIT)
	{
		insertion_sort(rows, count);
		return;
	}
	check_cancel();

	least = most = rows[0].key;
	for (size_t i = 1; i < count; i++)
	{
		if (rows[i].key < least)
			least = rows[i].key;
		if (rows[i].key > most)
			most = rows[i].key;
		sorted &= !row_after(&rows[i - 1], &rows[i]);
	}
	if (sorted)
		return;

	by_day = least == most;
	if (by_day)
	{
		least = most = ROW_DAY(&rows[0]);
		for (size_t i = 1; i < count; i++)
		{
			if (ROW_DAY(&rows[i]) < least)
				least = ROW_DAY(&rows[i]);
			if (ROW_DAY(&rows[i]) > most)
				most = ROW_DAY(&rows[i]);
		}
	}

	while (bits < MAX_BUCKET_BITS && ((size_t) ROWS_PER_BUCKET << bits) < count)
		bits++;
	shift = bit_length(most - least) - bits;
	if (shift < 0)
		shift = 0;
	buckets = (size_t) ((most - least) >> shift) + 1;

#define BUCKET(row) \
	(((by_day ? (uint64_t) ROW_DAY(row) : (row)->key) - least) >> shift)

	memset(starts, 0, (buckets + 1) * sizeof(uint32_t));
	for (size_t i = 0; i < count; i++)
		starts[BUCKET(&rows[i]) + 1]++;
	for (size_t b = 1; b < buckets; b++)
		starts[b] += starts[b - 1];
	for (size_t i = 0; i < count; i++)
		scratch[starts[BUCKET(&rows[i])]++] = rows[i];
	memcpy(rows, scratch, count * sizeof(HistoryRow));

	/* having been filled, each bucket's start is the next one's */
	if (!by_day || shift > 0)
	{
		size_t		start = 0;

		for (size_t b = 0; b < buckets; b++)
		{
			size_t		in_bucket = starts[b] - start;

			if (in_bucket > 1)
				sort_rows(rows + start, scratch + start, in_bucket, check_cancel);
			start = starts[b];
		}
	}
#undef BUCKET
}
