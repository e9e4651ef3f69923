/*
 * float_arrays.h
 *	  Arrays that lie side by side, as array_agg makes them of the columns of
 *	  a table; the last is how often a row counts.
 *
 * They are of double precision, to which integers and numeric are cast, or
 * boolean, which is read as 0 and 1.
 */
#ifndef LOYALTY_FLOAT_ARRAYS_H
#define LOYALTY_FLOAT_ARRAYS_H

#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "utils/array.h"

#define FLOAT_ARRAYS_MAX	4

/* Doubles that stand for numbers of something go up to here. */
#define LARGEST_WHOLE		1e15

static inline bool
is_whole(double value, double lowest, double highest)
{
	return value >= lowest && value <= highest && value == floor(value);	/* NaN is not */
}

typedef struct FloatArrays
{
	int			arrays;			/* without the weights */
	int			count;			/* elements of each */
	const char *const *names;
	const void *values[FLOAT_ARRAYS_MAX];	/* NULLs left out */
	bool		is_boolean[FLOAT_ARRAYS_MAX];
	const uint8 *nulls[FLOAT_ARRAYS_MAX];	/* NULL: there are none */
	int			next[FLOAT_ARRAYS_MAX];
	double		weight;			/* of the rows so far */
} FloatArrays;

/*
 * The first arguments, so many; and, if that is not NULL, the weights after
 * them.  False if one is NULL.  Raises 2202E if their lengths differ.
 */
extern bool arg_float_arrays(FunctionCallInfo fcinfo, const char *const *names, int arrays, FloatArrays *result);

/*
 * The next row, its number in i; returns its weight, a whole number >= 0;
 * those of all rows add up to at most 10^15, exactly.
 * NULL raises 22004, but in the array with number nullable becomes NaN; there
 * NaN raises 22023.
 */
extern double float_arrays_row(FloatArrays *arrays, int i, int nullable, double *values);

#endif							/* LOYALTY_FLOAT_ARRAYS_H */
