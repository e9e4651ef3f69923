/*
 * estimate.h
 *	  Interval estimates of shares, and survival estimates.
 *
 * Plain C: no PostgreSQL in it.  Confidence levels are in (0,1), two-sided;
 * callers check that.  Shares are in [0,1].
 */
#ifndef LOYALTY_ESTIMATE_H
#define LOYALTY_ESTIMATE_H

#include <stdint.h>

/* not called Interval: the server has that name */
typedef struct ConfidenceInterval
{
	double		low;
	double		high;
} ConfidenceInterval;

/* Quantile of the standard normal: z with P(Z <= z) = p, 0 < p < 1. */
extern double normal_quantile(double p);

/* z of a two-sided confidence level: 0.95 gives 1.959963984540054. */
extern double confidence_z(double confidence);

/* P(|Z| >= |z|) of a standard normal. */
extern double normal_two_sided_p(double z);

/*
 * Wilson score interval of successes out of trials (Wilson 1927), trials > 0,
 * 0 <= successes <= trials.  Exactly 0 at no successes (low) and exactly 1
 * when all succeeded (high).
 */
extern ConfidenceInterval wilson_interval(int64_t successes, int64_t trials,
										  double z);

typedef struct RateDifference
{
	double		difference;		/* first rate minus second */
	double		low;			/* Newcombe 1998, method 10: no correction */
	double		high;
	double		z;				/* pooled; NaN where the pooled rate is 0 or 1 */
	double		p_value;		/* two-sided; NaN with z */
} RateDifference;

extern RateDifference rate_difference(int64_t successes1, int64_t trials1,
									  int64_t successes2, int64_t trials2,
									  double z);

/*
 * Kaplan-Meier curve, advanced one event time after the other.  Times are
 * fed in ascending order; whoever is censored at a time is still at risk of
 * the events of that time.
 */
typedef struct SurvivalCurve
{
	double		survival;		/* S(t) after the last step, 1 at the start */
	double		greenwood;		/* sum of d / (n (n - d)) */
} SurvivalCurve;

#define SURVIVAL_CURVE_START	((SurvivalCurve) {1.0, 0.0})

/* events of at_risk had the event at this time; 0 <= events <= at_risk. */
extern void survival_step(SurvivalCurve *curve, int64_t at_risk, int64_t events);

/* Standard error of S (Greenwood). */
extern double survival_standard_error(const SurvivalCurve *curve);

/*
 * Log-log interval of S, Greenwood's variance.  Only where 0 < S < 1: at
 * S = 1 and S = 0 the variance says nothing and the caller has to choose
 * another interval.
 */
extern ConfidenceInterval survival_interval(const SurvivalCurve *curve,
											double z);

#endif							/* LOYALTY_ESTIMATE_H */
