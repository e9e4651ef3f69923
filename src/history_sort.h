/*
 * history_sort.h
 *	  Rows as they wait to be grouped, and their sorting.
 *
 * Plain C: no PostgreSQL in it.  A row is 16 bytes whatever it says: the key
 * (or a number that stands for it), the day, and the amount if it is an
 * ordinary one.  What does not fit lies elsewhere, and the row says where.
 * Where keys take 16 bytes, rows take 24.
 *
 * A function of both sizes takes the width and is in line, so that it is
 * made for each of them.
 */
#ifndef LOYALTY_HISTORY_SORT_H
#define LOYALTY_HISTORY_SORT_H

#include <stddef.h>
#include <stdint.h>

#include "history_format.h"

typedef struct HistoryRow
{
	uint64_t	key;			/* sorts like the customer */
	uint32_t	day;			/* days after DAY_FIRST, and ROW_WIDE */
	int32_t		amount;			/* one order's if >= 0, refunds if < 0,
								 * ROW_UNKNOWN, or where the wide one lies */
} HistoryRow;

/* A row whose key has eight more bytes, which sort after the first. */
typedef struct LongKeyRow
{
	HistoryRow	row;
	uint64_t	key_rest;
} LongKeyRow;

#define ROW_WIDE		((uint32_t) 0x80000000)
#define ROW_DAY(row)	((row)->day & ~ROW_WIDE)
#define ROW_UNKNOWN		INT32_MIN

/* The row of an array of rows of either width. */
#define ROW_AT(rows, i, width)	((HistoryRow *) ((char *) (rows) + (i) * (width)))

static inline uint64_t
row_key_rest(const HistoryRow *row, const size_t width)
{
	return width == sizeof(LongKeyRow) ? ((const LongKeyRow *) row)->key_rest : 0;
}

static inline bool
rows_share_key(const HistoryRow *a, const HistoryRow *b, const size_t width)
{
	return a->key == b->key && row_key_rest(a, width) == row_key_rest(b, width);
}

static inline void
copy_row(HistoryRow *to, const HistoryRow *from, const size_t width)
{
	if (width == sizeof(LongKeyRow))
		*(LongKeyRow *) to = *(const LongKeyRow *) from;
	else
		*to = *from;
}

/* How many bits it takes to tell the values up to this one apart. */
static inline int
bit_length(uint64_t value)
{
	return value == 0 ? 0 : 64 - __builtin_clzll(value);
}

/* What rows sort by, in this order. */
typedef enum RowDigits
{
	ROW_KEY,
	ROW_KEY_REST,
	ROW_DAYS
} RowDigits;

static inline __attribute__((always_inline)) uint64_t
row_digits(const HistoryRow *row, const RowDigits digits, const size_t width)
{
	return digits == ROW_KEY ? row->key :
		digits == ROW_KEY_REST ? row_key_rest(row, width) : ROW_DAY(row);
}

/* The key of a bigint, so that unsigned order is its order; and back. */
#define ROW_KEY_OF_NUMBER(number)	((uint64_t) (number) ^ ((uint64_t) 1 << 63))
#define ROW_NUMBER_OF_KEY(key)		((int64_t) ((key) ^ ((uint64_t) 1 << 63)))

/* What a row cannot hold. */
typedef struct WideRow
{
	int64_t		orders;
	int64_t		valued_orders;
	Amount		amount;
} WideRow;

/*
 * Whether the event fits a plain row, and the row's amount if so.  Amounts
 * are in the scale of the rows.
 */
static inline bool
row_amount_of_event(const HistoryDay *event, int32_t *amount)
{
	if (event->orders == 1 && event->valued_orders == 1 &&
		event->amount >= 0 && event->amount <= INT32_MAX)
		*amount = (int32_t) event->amount;
	else if (event->orders == 1 && event->valued_orders == 0 && event->amount == 0)
		*amount = ROW_UNKNOWN;
	else if (event->orders == 0 && event->amount < 0 && event->amount > INT32_MIN)
		*amount = (int32_t) event->amount;
	else
		return false;
	return true;
}

/* Whether rows whose amounts, if there are any yet, have own_scale decimals take an amount as it is. */
static inline bool
row_amount_fits(int32_t amount, int scale, bool has_amounts, int own_scale)
{
	return amount == ROW_UNKNOWN || (has_amounts && scale == own_scale);
}

/* The event of a row; wide is where the row's wide part lies, if it has one. */
static inline void
row_event(const HistoryRow *row, const WideRow *wide, HistoryDay *event)
{
	event->day = (Day) ((int64_t) ROW_DAY(row) + DAY_FIRST);
	if (row->day & ROW_WIDE)
	{
		event->orders = wide->orders;
		event->valued_orders = wide->valued_orders;
		event->amount = wide->amount;
	}
	else if (row->amount == ROW_UNKNOWN)
	{
		event->orders = 1;
		event->valued_orders = 0;
		event->amount = 0;
	}
	else
	{
		event->orders = row->amount >= 0;
		event->valued_orders = event->orders;
		event->amount = row->amount;
	}
}

/* What rows are found to be while they are made, so that they need not be looked through for it. */
typedef struct RowsSeen
{
	uint64_t	least_key;
	uint64_t	most_key;
	uint32_t	first_day;
	uint32_t	last_day;
	bool		days_in_order;
} RowsSeen;

#define NO_ROWS_SEEN	{UINT64_MAX, 0, UINT32_MAX, 0, true}

static inline __attribute__((always_inline)) void
see_day(RowsSeen *seen, uint32_t day)
{
	/* in order, the last day is the latest one */
	seen->days_in_order &= day >= seen->last_day;
	seen->first_day = day < seen->first_day ? day : seen->first_day;
	seen->last_day = day > seen->last_day ? day : seen->last_day;
}

static inline __attribute__((always_inline)) void
see_key(RowsSeen *seen, uint64_t key)
{
	seen->least_key = key < seen->least_key ? key : seen->least_key;
	seen->most_key = key > seen->most_key ? key : seen->most_key;
}

/*
 * Sorts rows of the width by key, then day.  scratch has room for as many;
 * check_cancel is called now and then.
 */
extern void sort_rows(void *rows, void *scratch, size_t count, size_t width,
					  void (*check_cancel) (void));

/* The same of HistoryRows that all were seen. */
extern void sort_seen_rows(HistoryRow *rows, HistoryRow *scratch, size_t count,
						   const RowsSeen *seen, void (*check_cancel) (void));

#endif							/* LOYALTY_HISTORY_SORT_H */
