/*
 * compact_row.h
 *	  A row as one number of four or eight bytes.
 *
 * Plain C: no PostgreSQL in it.  Where it is known between which values keys,
 * days and amounts of some rows are, each is counted from the least, and takes
 * no more bits than it has to: key, day, amount, from the most significant
 * bit.  So rows sort as numbers do, and a quarter of the memory is moved.
 */
#ifndef LOYALTY_COMPACT_ROW_H
#define LOYALTY_COMPACT_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "history_sort.h"

/* What the values of rows lie between, both included.  Amounts as in a row that is not wide. */
typedef struct RowRange
{
	uint64_t	least_key;
	uint64_t	most_key;
	uint32_t	first_day;		/* after DAY_FIRST */
	uint32_t	last_day;
	int32_t		least_amount;
	int32_t		most_amount;
} RowRange;

#define EMPTY_ROW_RANGE		{UINT64_MAX, 0, UINT32_MAX, 0, INT32_MAX, INT32_MIN}

extern void row_range_add(RowRange *range, const RowRange *more);

typedef struct CompactForm
{
	uint64_t	least_key;
	uint32_t	first_day;		/* after DAY_FIRST */
	int32_t		least_amount;
	uint8_t		bits;			/* of all */
	uint8_t		key_shift;		/* bits of day and amount */
	uint8_t		day_shift;		/* bits of the amount */
} CompactForm;

/* Rows of one form, in any order. */
typedef struct CompactRows
{
	RowRange	range;
	CompactForm form;
	size_t		count;
	void	   *rows;
} CompactRows;

/*
 * The form that holds these rows; keys are counted from a multiple of
 * 2^key_unit.  false: a row takes more than 64 bits.
 */
extern bool compact_form(const RowRange *range, int key_unit, CompactForm *form);

/* Bytes of a compact row: constants, which loops are made for. */
#define COMPACT_WIDTH(form)		((form)->bits <= 32 ? sizeof(uint32_t) : sizeof(uint64_t))

/* Rows need not be aligned. */
static inline uint64_t
compact_at(const void *rows, size_t i, const size_t width)
{
	uint32_t	four;
	uint64_t	eight;

	if (width == sizeof(eight))
	{
		memcpy(&eight, (const char *) rows + i * width, sizeof(eight));
		return eight;
	}
	memcpy(&four, (const char *) rows + i * width, sizeof(four));
	return four;
}

static inline void
put_compact(void *rows, size_t i, uint64_t row, const size_t width)
{
	uint32_t	four = (uint32_t) row;

	if (width == sizeof(row))
		memcpy((char *) rows + i * width, &row, sizeof(row));
	else
		memcpy((char *) rows + i * width, &four, sizeof(four));
}

static inline uint64_t
compact_row(const CompactForm *form, uint64_t key, uint32_t day, int32_t amount)
{
	return (key - form->least_key) << form->key_shift |
		(uint64_t) (day - form->first_day) << form->day_shift |
		((uint32_t) amount - (uint32_t) form->least_amount);
}

static inline uint64_t
low_bits(uint64_t value, int bits)
{
	return bits >= 64 ? value : value & (((uint64_t) 1 << bits) - 1);
}

/* The three parts; the key is counted from the least one. */
static inline uint64_t
compact_key(const CompactForm *form, uint64_t row)
{
	return row >> form->key_shift;
}

static inline uint32_t
compact_day(const CompactForm *form, uint64_t row)
{
	return form->first_day + (uint32_t) (low_bits(row, form->key_shift) >> form->day_shift);
}

static inline int32_t
compact_amount(const CompactForm *form, uint64_t row)
{
	return (int32_t) ((uint32_t) form->least_amount + (uint32_t) low_bits(row, form->day_shift));
}

/*
 * Converts a row from one form to another that holds it: what is to be added
 * to its parts.  To the key that may be a negative number, where the form
 * begins at a multiple of 2^key_unit.
 */
typedef struct CompactShift
{
	uint64_t	key;
	uint32_t	day;
	uint32_t	amount;
} CompactShift;

static inline CompactShift
compact_shift(const CompactForm *from, const CompactForm *to)
{
	return (CompactShift) {from->least_key - to->least_key, from->first_day - to->first_day,
						   (uint32_t) from->least_amount - (uint32_t) to->least_amount};
}

static inline uint64_t
convert_compact(uint64_t row, const CompactForm *from, const CompactForm *to, const CompactShift *shift)
{
	return (compact_key(from, row) + shift->key) << to->key_shift |
		((low_bits(row, from->key_shift) >> from->day_shift) + shift->day) << to->day_shift |
		(low_bits(row, from->day_shift) + shift->amount);
}

/*
 * Sorts rows of the width by all bits from "low" on.  scratch has room for as
 * many; returns which of the two has the result.
 */
extern void *sort_compact(void *rows, void *scratch, size_t count, int low, size_t width);

#endif							/* LOYALTY_COMPACT_ROW_H */
