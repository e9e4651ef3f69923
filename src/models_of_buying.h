/*
 * models_of_buying.h
 *	  What each model of buying provides to models.c.
 */
#ifndef LOYALTY_MODELS_OF_BUYING_H
#define LOYALTY_MODELS_OF_BUYING_H

#include "models.h"

/* Rows between two looks for a cancel request. */
#define MODEL_CANCEL_ROWS	4096

typedef struct PurchaseModelClass
{
	/* of all patterns, and its gradient unless that is NULL */
	double		(*log_likelihood) (const PurchaseData *data, const double *parameters, double *gradient);

	/* where to look for the maximum: start and units */
	void		(*start) (const PurchaseTotals *totals, MaximisationTask *task);

	/* see models.h */
	double		(*weight_of_alive) (const double *parameters, double x, double t_x, double T);
	double		(*purchases_if_alive) (const double *parameters, double x, double T, double horizon);
	double		(*count_probability) (const double *parameters, double n, double horizon);

	/* a time after T in which expected purchases change their rate but little; NULL for BG/BB */
	double		(*bend) (const double *parameters, double x, double T);
} PurchaseModelClass;

extern const PurchaseModelClass bg_nbd_class;
extern const PurchaseModelClass mbg_nbd_class;
extern const PurchaseModelClass pareto_nbd_class;
extern const PurchaseModelClass bg_bb_class;

/* Of a customer of BG/BB alive at the n-th opportunity; see models.h. */
extern double bg_bb_discounted(const double *parameters, double x, double n, double discount, double horizon);

/* P(alive at the opportunity after the n-th | alive at the n-th). */
extern double bg_bb_next_alive(const double *parameters, double n);

/* P(a new customer of MBG/NBD has not left at once). */
extern double mbg_nbd_stays(const double *parameters);

/*
 * ln P(K = n) of a negative binomial K with shape r and mean r t / alpha is
 * the sum of these two, the first of which does not depend on t.
 */
extern double log_negative_binomial_factor(double r, double n);
extern double log_negative_binomial(double r, double alpha, double t, double n);

#endif							/* LOYALTY_MODELS_OF_BUYING_H */
