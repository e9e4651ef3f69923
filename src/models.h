/*
 * models.h
 *	  Probability models of buying, renewing and spending: their likelihoods
 *	  and what they foretell.
 *
 * Plain C: no PostgreSQL in it.  Callers check arguments: parameters are
 * positive, times are >= 0, 0 <= t_x <= T, counts are whole numbers >= 0, a
 * discount is >= 0.  Times and parameters of time (alpha of the NBD models,
 * beta of Pareto/NBD) are in the same unit, whichever it is.
 *
 * What a customer has done is (x, t_x, T): x repeat purchases, the last of
 * them t_x after the first purchase, observed until T after it.  For BG/BB, x
 * purchases at n = T opportunities after the first one, the last at number t_x.
 */
#ifndef LOYALTY_MODELS_H
#define LOYALTY_MODELS_H

#include <stdbool.h>
#include <stddef.h>

#include "maximise.h"

/* ---------- models of buying ---------- */

typedef enum PurchaseModelKind
{
	BG_NBD,						/* r, alpha, a, b */
	MBG_NBD,					/* r, alpha, a, b */
	PARETO_NBD,					/* r, alpha, s, beta */
	BG_BB						/* alpha, beta, gamma, delta */
} PurchaseModelKind;

typedef struct PurchaseModel
{
	PurchaseModelKind kind;
	double		parameters[MAX_PARAMETERS];
} PurchaseModel;

/* Customers who have done the same. */
typedef struct PurchasePattern
{
	double		x;
	double		t_x;
	double		T;
	double		weight;			/* how many; may be a fraction */
} PurchasePattern;

typedef struct PurchaseData
{
	PurchaseModelKind kind;
	const PurchasePattern *patterns;	/* those of the same x side by side */
	size_t		count;
	void		(*check_interrupts) (void); /* called often; may leave by longjmp */
} PurchaseData;

typedef struct PurchaseTotals
{
	double		customers;
	double		purchases;		/* repeat ones */
	double		time;			/* sum of T */
	double		longest;		/* T */
} PurchaseTotals;

extern PurchaseTotals purchases_totals(const PurchaseData *data);

/* Of all customers; a LogLikelihood whose data are PurchaseData. */
extern double purchases_log_likelihood(void *data, const double *parameters, double *gradient);

/*
 * Estimates the parameters.  Among the patterns is one with x > 0 and a
 * weight above 0: of the others the likelihood has no maximum.
 */
extern void purchases_fit(const PurchaseData *data, double penalty, Maximum *maximum);

/* Of one customer. */
extern double purchase_log_likelihood(const PurchaseModel *model, double x, double t_x, double T);

/*
 * The probability that a customer has not left by T; for BG/BB by the n-th
 * opportunity.
 */
extern double probability_alive_at_T(const PurchaseModel *model, double x, double t_x, double T);

/*
 * What p_alive shows: the same; but for BG/BB alive at the opportunity after
 * the n-th, as its authors define it.
 */
extern double probability_alive(const PurchaseModel *model, double x, double t_x, double T);

/*
 * Expected number of purchases in (T, T + horizon] of a customer who is alive
 * at T, and of a new customer in (0, horizon].  The horizon may be INFINITY:
 * so is the number where customers leave too slowly (a, s, gamma <= 1).
 */
extern double expected_purchases_if_alive(const PurchaseModel *model, double x, double T, double horizon);
extern double expected_purchases_of_new(const PurchaseModel *model, double horizon);

/* The same, each purchase discounted by e^(-discount t), t after T. */
extern double discounted_purchases_if_alive(const PurchaseModel *model, double x, double T,
											double discount, double horizon);

/*
 * Probability that a new customer makes n purchases in (0, horizon].  For
 * BG/BB it takes time in proportion to the horizon, some 10 ns an opportunity;
 * so do likelihood and probability alive to n - t_x.
 */
extern double purchase_count_probability(const PurchaseModel *model, double n, double horizon);

/* ---------- model of spending: Gamma-Gamma (p, q, gamma) ---------- */

typedef struct SpendingPattern
{
	double		x;				/* purchases, > 0 */
	double		mean;			/* money of a purchase, > 0 */
	double		weight;
} SpendingPattern;

typedef struct SpendingData
{
	const SpendingPattern *patterns;	/* those of the same x side by side */
	size_t		count;
	void		(*check_interrupts) (void);
} SpendingData;

/* Density of the mean. */
extern double spending_log_likelihood(void *data, const double *parameters, double *gradient);
extern void spending_fit(const SpendingData *data, double penalty, Maximum *maximum);

/* Expected money of a purchase; NaN where there is no finite expectation. */
extern double expected_spending(const double *parameters, double x, double mean);

/* ---------- models of renewing: sBG (alpha, beta), BdW (alpha, beta, c) ---------- */

/* Customers who left at the same renewal, or had renewed as often when last seen. */
typedef struct RenewalPattern
{
	double		periods;		/* >= 1 where they left, >= 0 where not */
	bool		left;
	double		weight;
} RenewalPattern;

typedef struct RenewalData
{
	int			parameters;		/* 2: sBG; 3: BdW */
	const RenewalPattern *patterns;
	size_t		count;
	void		(*check_interrupts) (void);
} RenewalData;

extern double renewals_log_likelihood(void *data, const double *parameters, double *gradient);
extern void renewals_fit(const RenewalData *data, double penalty, Maximum *maximum);

/* Probability of having renewed "age" times; c is 1 for sBG. */
extern double renewal_survival(double alpha, double beta, double c, double age);

/* S(age + 1) / S(age). */
extern double renewal_rate(double alpha, double beta, double c, double age);

/*
 * Sum over t = 0, 1, ... of S(age + t) / S(age) / (1 + discount)^t; infinite
 * where it does not converge.
 */
extern double discounted_renewals(double alpha, double beta, double c, double age, double discount);

#endif							/* LOYALTY_MODELS_H */
