/*
 * gamma_gamma.h
 *	  Customers as Gamma-Gamma sees them: (x, mean money of a purchase).
 */
#ifndef LOYALTY_GAMMA_GAMMA_H
#define LOYALTY_GAMMA_GAMMA_H

#include "postgres.h"

#include "model_types.h"

typedef struct SpendingPatterns
{
	SpendingPattern *patterns;
	size_t		count;
	size_t		allocated;
	ModelExtras extras;
} SpendingPatterns;

/* 24 bytes a customer with spending, in the current memory context. */
extern void spending_patterns_begin(SpendingPatterns *patterns);

/* Only customers with x > 0 and a positive mean count; others are "excluded".  NaN: unknown. */
extern void spending_patterns_add(SpendingPatterns *patterns, double x, double mean, double weight);

/*
 * Estimates the parameters; returns NULL, or why no estimate is possible, in
 * words that go after "because".  Warns of q <= 1.
 */
extern const char *spending_patterns_fit(SpendingPatterns *patterns, double penalty,
										 Maximum *maximum, int64 *customers);

#endif							/* LOYALTY_GAMMA_GAMMA_H */
