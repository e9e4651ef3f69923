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

/* t^c, or what is as good as infinite. */
static double
renewals(double c, double t)
{
	return c == 1.0 ? t : fmin(pow(t, c), 1e300);
}

/* ln S(t), and its derivatives unless that is NULL. */
static double
log_survival(double alpha, double beta, double c, double t, double *by)
{
	double		renewed = renewals(c, t);
	LogStaying	stays = log_staying(alpha, beta, renewed);

	if (by)
	{
		by[ALPHA] = stays.by_a;
		by[BETA] = stays.by_b;
		by[C] = t > 0.0 ? stays.by_n * renewed * log(t) : 0.0;
	}
	return stays.value;
}

/*
 * ln (S(t - 1) - S(t)), and its derivatives.  Who has renewed t - 1 times has
 * theta ~ Beta(alpha, beta + (t - 1)^c), and leaves unless he stays for the
 * rest of t^c.
 */
static double
log_leaving(double alpha, double beta, double c, double t, double *by)
{
	double		before = log_survival(alpha, beta, c, t - 1.0, by);
	double		renewed = renewals(c, t);
	double		rest = c == 1.0 ? 1.0 : -expm1(c * log1p(-1.0 / t)) * renewed;
	double		rest_by_c = t > 1.0 ? renewed * log(t) - (renewed - rest) * log(t - 1.0) : 0.0;
	LogStaying	stays = log_staying(alpha, beta + (renewed - rest), rest);
	double		left = -expm1(stays.value);
	double		stayed_to_left = exp(stays.value) / left;

	by[ALPHA] -= stayed_to_left * stays.by_a;
	by[BETA] -= stayed_to_left * stays.by_b;
	by[C] -= stayed_to_left * (stays.by_n * rest_by_c + stays.by_b * (renewed - rest) * (t > 1.0 ? log(t - 1.0) : 0.0));
	return before + log(left);
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
		double		value = pattern->left ? log_leaving(alpha, beta, c, pattern->periods, by)
			: log_survival(alpha, beta, c, pattern->periods, by);

		if (i % 1024 == 0)
			renewals->check_interrupts();
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

/* In ln t, beyond which t is no double. */
#define LAST_PANEL		690.0

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
	double		renewed = renewals(c, t);
	double		slope = log_staying(alpha, beta, renewed).by_n * renewed * c / t - log_discount;

	for (double i = 0.0; i <= SINGLE_TERMS; i += 1.0)
	{
		last = exp(log_survival(alpha, beta, c, age + i, NULL) - log_now - i * log_discount);
		sum += last;
	}
	sum -= last / 2.0 + last * slope / 12.0;	/* the last term counts half */
	for (double v = 0.0;; v += 0.5)
	{
		double		panel = 0.0;
		double		end;

		for (int i = 0; i < rule->count; i++)
		{
			double		to_come = SINGLE_TERMS * exp(v + 0.5 * rule->node[i]);

			panel += rule->weight[i] * 0.5 * to_come *
				exp(log_survival(alpha, beta, c, age + to_come, NULL) - log_now - to_come * log_discount);
		}
		sum += panel;
		if (!(panel > 1e-17 * sum) || v > LAST_PANEL)
			return sum;
		end = SINGLE_TERMS * exp(v + 0.5);
		renewed = renewals(c, age + end);
		if (discount == 0.0 && (renewed > 1e17 * (alpha + beta) && end > 1e17 * age))
		{
			/* S(t) is a power of t now, and what is left a geometric series of panels */
			last = end * exp(log_survival(alpha, beta, c, age + end, NULL) - log_now);
			return sum + last / (alpha * c - 1.0);
		}
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
