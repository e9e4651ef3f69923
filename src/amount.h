/*
 * amount.h
 *	  numeric to and from exact integers of a scale.
 */
#ifndef LOYALTY_AMOUNT_H
#define LOYALTY_AMOUNT_H

#include "postgres.h"

#include "fmgr.h"

#include "history_format.h"

/*
 * The amount of a numeric in units of 10^-scale, scale being the decimals it
 * shows.  Raises 22003 for NaN, infinities, more than HISTORY_MAX_SCALE
 * decimals and values beyond 128 bits.
 */
extern void amount_of_numeric(Datum numeric, Amount *amount, int *scale);

/* The numeric with that many decimals. */
extern Datum numeric_of_amount(Amount amount, int scale);

/* Room for one: length word, header, digits base 10^4. */
typedef struct NumericRoom
{
	int32		words[7];
} NumericRoom;

/* The same, in that room rather than in memory of its own. */
extern Datum numeric_of_amount_in(NumericRoom *room, Amount amount, int scale);

/* amount / count as numeric division gives it; count > 0. */
extern Datum numeric_of_mean(Amount amount, int scale, int64 count);

#endif							/* LOYALTY_AMOUNT_H */
