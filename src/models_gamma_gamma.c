/*
 * models_gamma_gamma.c
 *	  Gamma-Gamma: what customers spend per purchase.
 *
 * The money of a purchase has the distribution Gamma(p, nu), nu its customer's
 * own with the distribution Gamma(q, gamma), whatever the number of purchases
 * (Fader and Hardie 2013, The Gamma-Gamma model of monetary value).  The mean
 * m of x purchases then has the density
 *
 *		Gamma(p x + q) / (Gamma(p x) Gamma(q)) gamma^q m^(p x - 1) x^(p x) / (gamma + x m)^(p x + q)
 */
#include "models.h"

#include <math.h>

#include "special_functions.h"

#define CANCEL_PATTERNS	4096

/* Their places among the parameters. */
enum
{
	P, Q, GAMMA
};

double
spending_log_likelihood(void *data, const double *parameters, double *gradient)
{
	const SpendingData *spending = data;
	const double p = parameters[P];
	const double q = parameters[Q];
	const double gamma = parameters[GAMMA];
	long double total = 0.0;
	long double g[3] = {0.0};

	for (size_t i = 0; i < spending->count;)
	{
		const double x = spending->patterns[i].x;
		const double px = p * x;
		double		by_px;
		double		by_q;
		double		ln_from_px = log_rising(px, q, &by_px);
		double		ln_from_q = log_rising(q, px, &by_q);
		double		of_x = q < px ? ln_from_px - log_gamma(q) : ln_from_q - log_gamma(px);
		double		weight = 0.0;
		double		value = 0.0;
		double		of_p = 0.0;
		double		of_q = 0.0;
		double		of_gamma = 0.0;

		for (; i < spending->count && spending->patterns[i].x == x; i++)
		{
			const SpendingPattern *pattern = &spending->patterns[i];
			const double w = pattern->weight;
			double		spent = x * pattern->mean;

			/* minus the logarithms of the shares of spent and of gamma in both */
			double		log_spent = log1p(gamma / spent);
			double		log_prior = log1p(spent / gamma);

			if (i % CANCEL_PATTERNS == 0)
				spending->check_interrupts();
			weight += w;
			value -= w * (log(pattern->mean) + px * log_spent + q * log_prior);
			of_p -= w * log_spent;
			of_q -= w * log_prior;
			of_gamma += w * (q * spent - px * gamma) / (gamma + spent);
		}
		total += weight * of_x + value;
		g[P] += x * (weight * by_px + of_p);
		g[Q] += weight * by_q + of_q;
		g[GAMMA] += of_gamma / gamma;
	}
	for (int k = 0; gradient && k < 3; k++)
		gradient[k] = g[k];
	return total;
}

void
spending_fit(const SpendingData *data, double penalty, Maximum *maximum)
{
	MaximisationTask task = {
		.parameters = 3,
		.unit = {1.0, 1.0, 1.0},
		.penalty = penalty,
		.log_likelihood = spending_log_likelihood,
		.data = (void *) data,
	};
	double		mean = 0.0;

	for (size_t i = 0; i < data->count; i++)
	{
		task.weight += data->patterns[i].weight;
		mean += data->patterns[i].weight * data->patterns[i].mean;
	}
	mean /= task.weight;

	/* the mean over all customers is p gamma / (q - 1) */
	task.start[P] = 2.0;
	task.start[Q] = 3.0;
	task.start[GAMMA] = mean;
	task.unit[GAMMA] = mean;
	maximise(&task, maximum);
}

double
expected_spending(const double *parameters, double x, double mean)
{
	double		denominator = parameters[P] * x + parameters[Q] - 1.0;

	if (denominator <= 0.0)
		return NAN;
	return parameters[P] * (parameters[GAMMA] + (x > 0.0 ? x * fmax(mean, 0.0) : 0.0)) / denominator;
}
