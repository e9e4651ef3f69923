/*
 * models_renewal.c
 *	  Shifted beta-geometric and beta-discrete-Weibull: renewing a contract,
 *	  or not.
 *
 * A customer leaves at each renewal with probability theta ~ Beta(alpha,
 * beta) of his own (sBG: Fader and Hardie 2007, Journal of Interactive
 * Marketing 21).  The share that has renewed t times is
 *
 *		S(t) = B(alpha, beta + t^c) / B(alpha, beta)
 *
 * with c = 1; c > 1 where a customer becomes more likely to leave, c < 1
 * where less (BdW: Fader, Hardie, Liu, Davin and Steenburgh 2018, Journal of
 * Interactive Marketing 43).
 */
#include "models.h"

#include <math.h>

#include "special_functions.h"

/* Their places among the parameters. */
enum
{
	ALPHA, BETA, C
};

/* ln S(t), and its derivatives unless that is NULL. */
static double
log_survival(double alpha, double beta, double c, double t, double *by)
{
	double		renewed = c == 1.0 ? t : pow(t, c);
	double		value = log_gamma(beta + renewed) - log_gamma(alpha + beta + renewed) -
		(log_gamma(beta) - log_gamma(alpha + beta));

	if (by)
	{
		double		at_both = digamma(alpha + beta + renewed);
		double		at_beta = digamma(beta + renewed);
		double		at_start = digamma(alpha + beta);

		by[ALPHA] = at_start - at_both;
		by[BETA] = at_beta - at_both - digamma(beta) + at_start;
		by[C] = t > 0.0 ? (at_beta - at_both) * renewed * log(t) : 0.0;
	}
	return t > 0.0 ? value : 0.0;
}

double
renewals_log_likelihood(void *data, const double *parameters, double *gradient)
{
	const RenewalData *renewals = data;
	const double alpha = parameters[ALPHA];
	const double beta = parameters[BETA];
	const double c = renewals->parameters == 3 ? parameters[C] : 1.0;
	long double total = 0.0;
	long double g[3] = {0.0};

	for (size_t i = 0; i < renewals->count; i++)
	{
		const RenewalPattern *pattern = &renewals->patterns[i];
		double		by[3];
		double		value = log_survival(alpha, beta, c, pattern->periods, by);

		if (i % 1024 == 0)
			renewals->check_interrupts();
		if (pattern->left)
		{
			/* ln (S(t - 1) - S(t)), whose derivatives are means with one negative weight */
			double		by_before[3];
			double		before = log_survival(alpha, beta, c, pattern->periods - 1.0, by_before);
			double		left = -expm1(value - before);
			double		stayed_to_left = exp(value - before) / left;

			value = before + log(left);
			for (int k = 0; k < 3; k++)
				by[k] = by_before[k] + stayed_to_left * (by_before[k] - by[k]);
		}
		total += pattern->weight * value;
		for (int k = 0; k < 3; k++)
			g[k] += pattern->weight * by[k];
	}
	for (int k = 0; gradient && k < renewals->parameters; k++)
		gradient[k] = g[k];
	return total;
}

void
renewals_fit(const RenewalData *data, double penalty, Maximum *maximum)
{
	MaximisationTask task = {
		.parameters = data->parameters,
		.start = {1.0, 1.0, 1.0},
		.unit = {1.0, 1.0, 1.0},
		.penalty = penalty,
		.log_likelihood = renewals_log_likelihood,
		.data = (void *) data,
	};
	double		left = 0.0;
	double		renewed = 0.0;

	for (size_t i = 0; i < data->count; i++)
	{
		const RenewalPattern *pattern = &data->patterns[i];

		task.weight += pattern->weight;
		left += pattern->left ? pattern->weight : 0.0;
		renewed += pattern->weight * (pattern->periods - pattern->left);
	}
	/* the mean of theta at about the share that leaves */
	if (left > 0.0)
		task.start[BETA] = fmin(fmax(renewed / left, 0.1), 1000.0);
	maximise(&task, maximum);
}

double
renewal_survival(double alpha, double beta, double c, double age)
{
	return exp(log_survival(alpha, beta, c, age, NULL));
}

double
renewal_rate(double alpha, double beta, double c, double age)
{
	if (c == 1.0)
		return (beta + age) / (alpha + beta + age);
	return exp(log_survival(alpha, beta, c, age + 1.0, NULL) - log_survival(alpha, beta, c, age, NULL));
}

/* ---------- the value of renewals to come ---------- */

/* The sum of ((1 - theta) / (1 + discount))^t over t = 0, 1, ... */
static double
geometric_sum(double theta, void *context)
{
	double		discount = *(double *) context;

	return (1.0 + discount) / (discount + theta);
}

/* Terms that are added one by one; from there on Euler and Maclaurin need one derivative. */
#define SINGLE_TERMS	1000.0

/*
 * Where c is not 1: the first terms, and for the others an integral in ln t,
 * panel by panel until nothing is added.
 */
static double
weibull_sum(double alpha, double beta, double c, double age, double discount)
{
	const Quadrature *rule = gauss_legendre(16);
	const double log_now = log_survival(alpha, beta, c, age, NULL);
	const double log_discount = log1p(discount);
	double		sum = 0.0;
	double		last = 0.0;
	double		t = age + SINGLE_TERMS;
	double		renewed = pow(t, c);
	double		slope = (digamma(beta + renewed) - digamma(alpha + beta + renewed)) * renewed * c / t - log_discount;

	for (double i = 0.0; i <= SINGLE_TERMS; i += 1.0)
	{
		last = exp(log_survival(alpha, beta, c, age + i, NULL) - log_now - i * log_discount);
		sum += last;
	}
	sum -= last / 2.0 + last * slope / 12.0;	/* the last term counts half */
	for (double v = 0.0;; v += 0.5)
	{
		double		panel = 0.0;

		for (int i = 0; i < rule->count; i++)
		{
			double		to_come = SINGLE_TERMS * exp(v + 0.5 * rule->node[i]);

			panel += rule->weight[i] * 0.5 * to_come *
				exp(log_survival(alpha, beta, c, age + to_come, NULL) - log_now - to_come * log_discount);
		}
		sum += panel;
		if (!(panel > 1e-17 * sum) || v > 600.0)
			return sum;
	}
}

double
discounted_renewals(double alpha, double beta, double c, double age, double discount)
{
	if (discount == 0.0 && alpha * c <= 1.0)
		return INFINITY;
	if (c != 1.0)
		return weibull_sum(alpha, beta, c, age, discount);
	if (discount == 0.0)
		return (alpha + beta + age - 1.0) / (alpha - 1.0);
	return beta_expectation(alpha, beta + age, fmax(1.0, 1.0 / discount), geometric_sum, &discount);
}
