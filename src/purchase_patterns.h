/*
 * purchase_patterns.h
 *	  Customers as the models of buying see them: (x, t_x, T), the same ones
 *	  once with their number.
 *
 * A million customers of whole days are about a hundred thousand patterns,
 * and a likelihood costs as much as there are patterns.  Sorted, they are in
 * the same order whatever the order of the customers was, and so are the sums
 * over them.
 */
#ifndef LOYALTY_PURCHASE_PATTERNS_H
#define LOYALTY_PURCHASE_PATTERNS_H

#include "postgres.h"

#include "clv_summary.h"
#include "models.h"

typedef struct PurchasePatterns PurchasePatterns;

/*
 * In the current memory context: 40 bytes a pattern and a hash table's slack,
 * 32 more once they are fitted.
 */
extern PurchasePatterns *purchase_patterns_create(void);

extern void purchase_patterns_add(PurchasePatterns *patterns, double x, double t_x, double T, double weight);

/*
 * Estimates the parameters of a model from the patterns, which this sorts;
 * raises 22023 where no estimate is possible: too few customers, no repeat
 * purchase, no time, all alike.
 */
extern void purchase_patterns_fit(PurchasePatterns *patterns, PurchaseModelKind kind, double penalty,
								  Maximum *maximum, int64 *customers);

/* The patterns by x, then T, then t_x, once they were fitted.  They belong to the set. */
extern void purchase_patterns_sorted(const PurchasePatterns *patterns, const PurchasePattern **sorted, size_t *count);

/* What a model says of the customers of a pattern, from the end of their T on. */
typedef struct PatternFigures
{
	double		p_alive;
	double		purchases;		/* expected up to the horizon */
	double		discounted_purchases;
} PatternFigures;

/* Of all patterns, in that order, under one of the NBD models; discount: continuous. */
extern PatternFigures *purchase_patterns_figures(const PurchasePatterns *patterns, const PurchaseModel *model,
												 double horizon, double discount);

/* Where a pattern that was added is in that order. */
extern size_t purchase_patterns_find(const PurchasePatterns *patterns, double x, double t_x, double T);

/* The same with a customer of the history. */
static inline void
purchase_patterns_add_customer(PurchasePatterns *patterns, const ClvCustomer *customer, Day as_of, double unit_days)
{
	purchase_patterns_add(patterns, customer->frequency, (customer->last_day - customer->first_day) / unit_days,
						  (as_of - customer->first_day) / unit_days, 1.0);
}

static inline size_t
purchase_patterns_find_customer(const PurchasePatterns *patterns, const ClvCustomer *customer, Day as_of, double unit_days)
{
	return purchase_patterns_find(patterns, customer->frequency, (customer->last_day - customer->first_day) / unit_days,
								  (as_of - customer->first_day) / unit_days);
}

#endif							/* LOYALTY_PURCHASE_PATTERNS_H */
