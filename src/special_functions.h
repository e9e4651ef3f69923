/*
 * special_functions.h
 *	  Functions that the likelihoods of purchase models are made of.
 *
 * Plain C: no PostgreSQL in it.
 */
#ifndef LOYALTY_SPECIAL_FUNCTIONS_H
#define LOYALTY_SPECIAL_FUNCTIONS_H

/* ln Gamma(x) and its derivative, x > 0. */
extern double log_gamma(double x);
extern double digamma(double x);

/*
 * ln (a (a + 1) ... (a + n - 1)) = ln Gamma(a + n) - ln Gamma(a) for any n >=
 * 0, and its derivative by a.
 */
extern double log_rising(double a, double n, double *derivative);

/*
 * ln E (1 - P)^n of a share P with distribution Beta(a, b), which is ln (B(a,
 * b + n) / B(a, b)), for any n >= 0, and its derivatives by a, b and n.
 */
typedef struct LogStaying
{
	double		value;
	double		by_a;
	double		by_b;
	double		by_n;
} LogStaying;

extern LogStaying log_staying(double a, double b, double n);

/* ln (e^a + e^b), either of which may be minus infinity. */
extern double log_add_exp(double a, double b);

/* (1 - e^(-k x)) / k, which is x at k = 0. */
extern double decayed_length(double k, double x);

/* The nodes in [0,1] and the weights, which add up to 1, of Gauss and Legendre. */
typedef struct Quadrature
{
	int			count;
	double		node[32];
	double		weight[32];
} Quadrature;

/* count: 8, 16 or 32. */
extern const Quadrature *gauss_legendre(int count);

/*
 * E f(P) of a share P with distribution Beta(a, b), a and b > 0.  f has to be
 * smooth, and flat where P or 1 - P is below 1e-17 / flat, flat >= 1: that
 * is where f is taken for a constant.
 */
typedef double (*ShareFunction) (double share, void *context);

extern double beta_expectation(double a, double b, double flat, ShareFunction f, void *context);

#endif							/* LOYALTY_SPECIAL_FUNCTIONS_H */
