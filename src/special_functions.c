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

#include <math.h>
#include <stdbool.h>

/* Rising factorials up to here are multiplied out: quicker, and exact. */
#define RISING_FACTORS	1000.0

/* Terms below this share of the sum so far are left out. */
#define NEGLIGIBLE		1e-18

double
log_gamma(double x)
{
	int			sign;

	return lgamma_r(x, &sign);
}

/* Recurrence up to 10, from where on the asymptotic series has 16 digits. */
double
digamma(double x)
{
	double		shift = 0.0;
	double		y;

	for (; x < 10.0; x += 1.0)
		shift -= 1.0 / x;
	y = 1.0 / (x * x);
	return shift + log(x) - 0.5 / x -
		y * (1.0 / 12 - y * (1.0 / 120 - y * (1.0 / 252 - y * (1.0 / 240 - y * (1.0 / 132 - y * (691.0 / 32760 - y / 12))))));
}

double
log_rising(double a, double n, double *derivative)
{
	double		log_product = 0.0;
	double		product = 1.0;

	if (n > RISING_FACTORS)
	{
		*derivative = digamma(a + n) - digamma(a);
		return log_gamma(a + n) - log_gamma(a);
	}
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
	double		log_peak;		/* of the density in s */
	double		weights;
	double		values;
	ShareFunction f;
	void	   *context;
} BetaSum;

/* Adds the value at s; returns whether it, and the weight, still count. */
static bool
add_beta_term(BetaSum *sum, double s, double *weight, double *value)
{
	/* ln P and ln (1 - P), whichever is close to zero without loss */
	double		log_share = s > 0 ? -log1p(exp(-s)) : s - log1p(exp(s));
	double		log_rest = log_share - s;

	*weight = exp(sum->a * log_share + sum->b * log_rest - sum->log_peak);
	*value = *weight * sum->f(exp(log_share), sum->context);
	sum->weights += *weight;
	sum->values += *value;
	return *weight > NEGLIGIBLE * sum->weights || *value > NEGLIGIBLE * sum->values;
}

double
beta_expectation(double a, double b, double flat, ShareFunction f, void *context)
{
	double		smaller = a < b ? a : b;
	double		step = fmin(0.3, 0.7 / sqrt(smaller));
	double		far = 40.0 + log(flat);
	double		peak = log(a) - log(b);
	BetaSum		sum = {a, b, 0.0, 0.0, 0.0, f, context};

	sum.log_peak = a * log(a) + b * log(b) - (a + b) * log(a + b);
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
			double		s = peak + direction * i * step;

			counts = add_beta_term(&sum, s, &weight, &value);
			if (counts && direction * s > edge)
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
