/*
 * special_functions.c
 *	  Functions that the likelihoods of purchase models are made of.
 *
 * Expectations over a beta distribution are what the textbooks write with
 * the hypergeometric function 2F1.  As integrals of a positive function they
 * have none of its singular points and lose no digits.  With P = 1 / (1 +
 * e^-s) the integrand falls exponentially on both sides and is analytic in a
 * strip around the real axis, where the trapezoidal rule converges
 * exponentially (Trefethen and Weideman 2014, SIAM Review 56).
 */
#include "special_functions.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

/* Rising factorials up to here are multiplied out, which is quicker. */
#define RISING_FACTORS	40.0

/* From where on the asymptotic series of ln Gamma has 16 digits. */
#define ASYMPTOTIC		10.0

/* Terms below this share of the sum so far are left out. */
#define NEGLIGIBLE		1e-18

double
log_gamma(double x)
{
	int			sign;

	return lgamma_r(x, &sign);
}

/* ln Gamma(x) - (x - 1/2) ln x + x - ln(2 pi) / 2, x >= ASYMPTOTIC. */
static double
log_gamma_series(double x)
{
	double		y = 1.0 / (x * x);

	return (1.0 / 12 - y * (1.0 / 360 - y * (1.0 / 1260 - y * (1.0 / 1680 - y *
		(1.0 / 1188 - y * (691.0 / 360360 - y / 156)))))) / x;
}

/* Of its derivative: ln x - 1 / (2 x) - digamma(x). */
static double
digamma_series(double x)
{
	double		y = 1.0 / (x * x);

	return y * (1.0 / 12 - y * (1.0 / 120 - y * (1.0 / 252 - y * (1.0 / 240 - y *
		(1.0 / 132 - y * (691.0 / 32760 - y / 12))))));
}

double
digamma(double x)
{
	double		shift = 0.0;

	for (; x < ASYMPTOTIC; x += 1.0)
		shift -= 1.0 / x;
	return shift + log(x) - 0.5 / x - digamma_series(x);
}

/*
 * log_rising by the asymptotic series.  The large parts of the two ln Gamma
 * are subtracted on paper: their difference of doubles would lose what is
 * asked for where n is small beside a.
 */
static double
log_gamma_difference(double a, double n, double *derivative)
{
	double		shift = 1.0;

	*derivative = 0.0;
	for (; a < ASYMPTOTIC; a += 1.0)
	{
		shift *= a / (a + n);
		*derivative += n / (a * (a + n));
	}
	*derivative += log1p(n / a) + 0.5 * n / (a * (a + n)) - (digamma_series(a + n) - digamma_series(a));
	return log(shift) + (a - 0.5) * log1p(n / a) + n * (log(a + n) - 1.0) +
		(log_gamma_series(a + n) - log_gamma_series(a));
}

double
log_rising(double a, double n, double *derivative)
{
	double		log_product = 0.0;
	double		product = 1.0;

	if (n > RISING_FACTORS || n != floor(n))
		return log_gamma_difference(a, n, derivative);
	*derivative = 0.0;
	for (double i = 0.0; i < n; i += 1.0)
	{
		product *= a + i;
		*derivative += 1.0 / (a + i);
		if (!(product > 1e-200 && product < 1e200))
		{
			log_product += log(product);
			product = 1.0;
		}
	}
	return log_product + log(product);
}

/*
 * Gamma(b + n) Gamma(b + a) / (Gamma(b) Gamma(b + a + n)): n and a may change
 * places, and the rising factorials of the smaller are close to each other.
 */
LogStaying
log_staying(double a, double b, double n)
{
	double		smaller = fmin(a, n);
	double		larger = fmax(a, n);
	double		at_b;
	double		at_both;
	LogStaying	result;

	result.value = log_rising(b, smaller, &at_b) - log_rising(b + larger, smaller, &at_both);
	result.by_b = at_b - at_both;
	log_rising(b + a, n, &result.by_a);
	log_rising(b + n, a, &result.by_n);
	result.by_a = -result.by_a;
	result.by_n = -result.by_n;
	return result;
}

double
log_add_exp(double a, double b)
{
	double		larger = a > b ? a : b;

	if (larger == -INFINITY)
		return larger;
	return larger + log1p(exp(-fabs(a - b)));
}

double
decayed_length(double k, double x)
{
	return k == 0.0 ? x : -expm1(-k * x) / k;
}

/* ---------- quadrature ---------- */

/* Zeros of the Legendre polynomial by Newton's method, from its recurrence. */
static void
make_gauss_legendre(Quadrature *rule, int count)
{
	const double pi = acos(-1.0);

	for (int i = 0; i < count; i++)
	{
		double		x = cos(pi * (i + 0.75) / (count + 0.5));
		double		slope = 0.0;

		for (int step = 0; step < 10; step++)
		{
			double		value = 1.0;
			double		previous = 0.0;

			for (int k = 1; k <= count; k++)
			{
				double		next = ((2 * k - 1) * x * value - (k - 1) * previous) / k;

				previous = value;
				value = next;
			}
			slope = count * (x * value - previous) / (x * x - 1.0);
			x -= value / slope;
		}
		rule->node[i] = (1.0 - x) / 2.0;
		rule->weight[i] = 1.0 / ((1.0 - x * x) * slope * slope);
	}
	rule->count = count;
}

const Quadrature *
gauss_legendre(int count)
{
	static Quadrature rules[3];
	Quadrature *rule = &rules[count == 8 ? 0 : count == 16 ? 1 : 2];

	if (rule->count == 0)
		make_gauss_legendre(rule, count);
	return rule;
}

/* ---------- expectation of a function of a share ---------- */

typedef struct BetaSum
{
	double		a;
	double		b;
	double		peak;			/* in s; and P, 1 - P and their logarithms there */
	double		share;
	double		rest;
	double		log_share;
	double		log_rest;
	double		weights;
	double		values;
	ShareFunction f;
	void	   *context;
} BetaSum;

/* Up to here from the peak powers are taken of ratios to it: of large a and b less is lost. */
#define NEAR_PEAK		30.0

/* From so much of both a and b on, all of the density lies within the digits of its peak. */
#define NO_SPREAD		1e17

/* Adds the value at the peak and "beside" in s; returns whether it, and the weight, still count. */
static bool
add_beta_term(BetaSum *sum, double beside, double *weight, double *value)
{
	double		s = sum->peak + beside;
	double		share;

	if (fabs(beside) < NEAR_PEAK)
	{
		share = 1.0 / (1.0 + exp(-s));
		*weight = exp(-sum->a * log1p(sum->rest * expm1(-beside)) - sum->b * log1p(sum->share * expm1(beside)));
	}
	else
	{
		/* ln P and ln (1 - P), whichever is close to zero without loss */
		double		log_share = s > 0 ? -log1p(exp(-s)) : s - log1p(exp(s));
		double		log_rest = log_share - s;

		share = exp(log_share);
		*weight = exp(sum->a * (log_share - sum->log_share) + sum->b * (log_rest - sum->log_rest));
	}
	*value = *weight * sum->f(share, sum->context);
	sum->weights += *weight;
	sum->values += *value;
	return *weight > NEGLIGIBLE * sum->weights || *value > NEGLIGIBLE * sum->values;
}

double
beta_expectation(double a, double b, double flat, ShareFunction f, void *context)
{
	double		smaller = a < b ? a : b;
	double		step = 0.7 / sqrt(smaller + 9.0);	/* 16 digits also where the density is narrow and skew */
	double		far = 40.0 + log(fmin(flat, DBL_MAX));	/* or the sum would have no end */
	double		peak = log(a) - log(b);
	BetaSum		sum = {a, b, peak, a / (a + b), b / (a + b), -log1p(b / a), -log1p(a / b), 0.0, 0.0, f, context};

	if (smaller > NO_SPREAD)	/* steps would be too short to make a difference, and never end */
		return f(1.0 / (1.0 + b / a), context);
	for (int direction = -1; direction <= 1; direction += 2)
	{
		/* as from here the weights fall like e^-rate s */
		double		rate = direction < 0 ? a : b;
		double		edge = fmax(far, fabs(peak) + 40.0);
		double		weight = 1.0;
		double		value = 0.0;
		bool		counts = true;

		for (double i = direction < 0 ? 0.0 : 1.0; counts; i += 1.0)
		{
			double		beside = direction * i * step;

			counts = add_beta_term(&sum, beside, &weight, &value);
			if (counts && direction * (peak + beside) > edge)
			{
				/* all the rest is a geometric series */
				sum.weights += weight / expm1(rate * step);
				sum.values += value / expm1(rate * step);
				break;
			}
		}
	}
	return sum.values / sum.weights;
}
