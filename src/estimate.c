/*
 * estimate.c
 *	  Interval estimates of shares, and survival estimates.
 *
 * Everything is computed in double precision from exact integers, in forms
 * that do not cancel: a quantile from the nearer of its tail and its distance
 * to the median, the limit of an interval that lies near zero from the
 * product of the two limits instead of their difference.
 */
#include "estimate.h"

#include <math.h>

#define SQRT_HALF		0.70710678118654752440
#define SQRT_TWO_PI		2.50662827463100050242
#define LOG_TWO_PI		1.83787706640934548356

static inline double
clamp(double value, double low, double high)
{
	return value < low ? low : value > high ? high : value;
}

static double
normal_density(double x)
{
	return exp(-0.5 * x * x) / SQRT_TWO_PI;
}

/* P(Z > x), accurate for large x */
static double
normal_tail(double x)
{
	return 0.5 * erfc(x * SQRT_HALF);
}

/*
 * One step of Halley's method on a normal distribution function, whose
 * second derivative is -x times the first; error is F(x) - target.
 */
static inline double
halley_step(double x, double error)
{
	double		newton = error / normal_density(x);

	return newton / (1.0 + 0.5 * x * newton);
}

/*
 * The x > 0 with P(0 < Z < x) = centre, for centre up to 1/4.  The start
 * ignores the curvature and is at most 7 % too small; Halley's method triples
 * the digits at each step.
 */
static double
quantile_from_centre(double centre)
{
	double		x = centre * SQRT_TWO_PI;

	for (int i = 0; i < 4; i++)
		x -= halley_step(x, 0.5 * erf(x * SQRT_HALF) - centre);
	return x;
}

/*
 * The x > 0 with P(Z > x) = tail, for tail below 1/4.
 *
 * The logarithm of the tail is nearly a parabola and concave, so that
 * Newton's method on it converges from any start, and within a few steps
 * from the asymptotic one.  The last step works on the tail itself, which is
 * known to more digits than its logarithm.
 */
static double
quantile_from_tail(double tail)
{
	double		log_tail = log(tail);
	double		square = -2.0 * log_tail - LOG_TWO_PI;
	double		x = sqrt(square - log(square));

	for (int i = 0; i < 20; i++)
	{
		double		estimate = normal_tail(x);
		double		step = (log(estimate) - log_tail) * estimate /
			normal_density(x);

		if (!isfinite(step))
			return x;			/* both are subnormal: x is all there is */
		x += step;
		if (fabs(step) < 1e-6 * x)
			break;
	}
	return x - halley_step(x, tail - normal_tail(x));
}

double
normal_quantile(double p)
{
	double		centre = p - 0.5;	/* exact where it is used */
	double		x;

	if (fabs(centre) <= 0.25)
		x = quantile_from_centre(fabs(centre));
	else
		x = quantile_from_tail(p < 0.5 ? p : 1.0 - p);
	return centre < 0 ? -x : x;
}

double
confidence_z(double confidence)
{
	/* half of the confidence lies above the median, half of the rest above z */
	if (confidence <= 0.5)
		return quantile_from_centre(0.5 * confidence);
	return quantile_from_tail(0.5 * (1.0 - confidence));
}

double
normal_two_sided_p(double z)
{
	return erfc(fabs(z) * SQRT_HALF);
}

/*
 * The limits are the roots of (n + z^2) x^2 - (2 s + z^2) x + s^2 / n.  The
 * upper one is a sum of positive terms, the lower one follows from their
 * product s^2 / (n (n + z^2)): neither loses digits, however small it is.
 */
ConfidenceInterval
wilson_interval(int64_t successes, int64_t trials, double z)
{
	ConfidenceInterval result;
	double		s = (double) successes;
	double		failures = (double) (trials - successes);
	double		n = (double) trials;
	double		sum = 2.0 * s + z * z + z * sqrt(z * z + 4.0 * s * (failures / n));

	if (successes == 0)
		result.low = 0.0;
	else
		result.low = clamp(2.0 * s * (s / n) / sum, 0.0, s / n);
	if (successes == trials)
		result.high = 1.0;
	else
		result.high = clamp(sum / (2.0 * (n + z * z)), s / n, 1.0);
	return result;
}

/*
 * Newcombe 1998 puts together the Wilson limits of the two rates as if they
 * were independent errors; the test pools both samples, as the chi-squared
 * test of the two by two table does.
 */
RateDifference
rate_difference(int64_t successes1, int64_t trials1,
				int64_t successes2, int64_t trials2, double z)
{
	RateDifference result;
	double		n1 = (double) trials1;
	double		n2 = (double) trials2;
	double		rate1 = (double) successes1 / n1;
	double		rate2 = (double) successes2 / n2;
	ConfidenceInterval limits1 = wilson_interval(successes1, trials1, z);
	ConfidenceInterval limits2 = wilson_interval(successes2, trials2, z);
	double		successes = (double) successes1 + (double) successes2;
	double		failures = (double) (trials1 - successes1) +
		(double) (trials2 - successes2);

	result.difference = rate1 - rate2;
	result.low = clamp(result.difference - hypot(rate1 - limits1.low,
												 limits2.high - rate2),
					   -1.0, 1.0);
	result.high = clamp(result.difference + hypot(limits1.high - rate1,
												  rate2 - limits2.low),
						-1.0, 1.0);

	if (successes > 0 && failures > 0)
	{
		double		both = n1 + n2;
		double		variance = (successes / both) * (failures / both) *
			(1.0 / n1 + 1.0 / n2);

		result.z = result.difference / sqrt(variance);
		result.p_value = normal_two_sided_p(result.z);
	}
	else
		result.z = result.p_value = NAN;
	return result;
}

void
survival_step(SurvivalCurve *curve, int64_t at_risk, int64_t events)
{
	double		n = (double) at_risk;
	double		survivors = (double) (at_risk - events);

	if (events == 0)
		return;
	if (events == at_risk)
	{
		/* the term would be infinite; without it the error of S = 0 is 0 */
		curve->survival = 0.0;
		return;
	}
	curve->survival *= survivors / n;
	curve->greenwood += (double) events / n / survivors;
}

double
survival_standard_error(const SurvivalCurve *curve)
{
	return curve->survival * sqrt(curve->greenwood);
}

ConfidenceInterval
survival_interval(const SurvivalCurve *curve, double z)
{
	double		survival = curve->survival;
	ConfidenceInterval result = {survival, survival};

	if (survival > 0.0 && survival < 1.0)
	{
		double		log_survival = log(survival);
		double		spread = z * sqrt(curve->greenwood) / -log_survival;

		result.low = clamp(exp(log_survival * exp(spread)), 0.0, survival);
		result.high = clamp(exp(log_survival * exp(-spread)), survival, 1.0);
	}
	return result;
}
