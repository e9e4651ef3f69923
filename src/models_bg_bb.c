/*
 * models_bg_bb.c
 *	  BG/BB: buying or not at each of a number of opportunities, until one
 *	  leaves before an opportunity.
 *
 * A customer buys at an opportunity with probability p ~ Beta(alpha, beta)
 * while alive, and leaves before each with probability theta ~ Beta(gamma,
 * delta) (Fader, Hardie and Shang 2010, Marketing Science 29).  Either he is
 * alive at the n-th, or he left after i more opportunities than t_x:
 *
 *		L = A(n) + sum over i = 0 ... n - t_x - 1 of B(i)
 *		A(n) = B(alpha + x, beta + n - x) B(gamma, delta + n) / c
 *		B(i) = B(alpha + x, beta + t_x - x + i) B(gamma + 1, delta + t_x + i) / c
 *
 * with c = B(alpha, beta) B(gamma, delta).  Ratios of neighbours are rational,
 * and so are differences of their logarithmic derivatives.
 */
#include "models_of_buying.h"

#include <math.h>

#include "special_functions.h"

/* What is below this share of a sum is left out. */
#define NEGLIGIBLE		1e-18

/* Their places among the parameters. */
enum
{
	ALPHA, BETA, GAMMA, DELTA
};

/* The logarithm of a summand, and its derivatives. */
typedef struct Summand
{
	double		value;
	double		by[MAX_PARAMETERS];
} Summand;

/* ln (B(a + x, b + y) / B(a, b)), added to value with its derivatives by a and b. */
static void
add_log_beta_ratio(double a, double b, double x, double y, double *value, double *by_a, double *by_b)
{
	double		of_a;
	double		of_b;
	double		of_ab;

	*value += log_rising(a, x, &of_a) + log_rising(b, y, &of_b) - log_rising(a + b, x + y, &of_ab);
	*by_a += of_a - of_ab;
	*by_b += of_b - of_ab;
}

static Summand
summand(const double *parameters, double x, double y, double deaths, double survived)
{
	Summand		result = {0.0, {0.0}};

	add_log_beta_ratio(parameters[ALPHA], parameters[BETA], x, y,
					   &result.value, &result.by[ALPHA], &result.by[BETA]);
	add_log_beta_ratio(parameters[GAMMA], parameters[DELTA], deaths, survived,
					   &result.value, &result.by[GAMMA], &result.by[DELTA]);
	return result;
}

/* ln L of a pattern; log_alive: of A(n).  gradient, unless NULL: that of ln L. */
static double
log_likelihood_of(const PurchaseData *data, const double *parameters, double x, double t_x, double n,
				  double *gradient, double *log_alive)
{
	Summand		alive = summand(parameters, x, n - x, 0.0, n);
	double		log_sum = alive.value;
	double		mean[MAX_PARAMETERS];	/* of the derivatives, weighted by the summands */

	*log_alive = alive.value;
	for (int k = 0; k < MAX_PARAMETERS; k++)
		mean[k] = alive.by[k];
	if (n > t_x)
	{
		/* the summands B(i) as shares of B(0), and sums of their derivatives weighted by them */
		Summand		left = summand(parameters, x, t_x - x, 1.0, t_x);
		double		y = parameters[BETA] + t_x - x;
		double		xy = parameters[ALPHA] + parameters[BETA] + t_x;
		double		survived = parameters[DELTA] + t_x;
		double		all = parameters[GAMMA] + parameters[DELTA] + 1.0 + t_x;
		double		term = 1.0;
		double		sum = 0.0;
		double		sum_by[MAX_PARAMETERS] = {0.0};
		double		log_left;
		double		share;

		for (double i = 0.0; i < n - t_x; i += 1.0)
		{
			double		over_xy = 1.0 / (xy + i);
			double		over_all = 1.0 / (all + i);

			if (data && (long) i % MODEL_CANCEL_ROWS == MODEL_CANCEL_ROWS - 1)
				data->check_interrupts();
			sum += term;
			for (int k = 0; k < MAX_PARAMETERS; k++)
				sum_by[k] += term * left.by[k];
			term *= (y + i) * over_xy * (survived + i) * over_all;
			/* they fall, so that all the others together are below this one times their number */
			if (term * (n - t_x - i) < NEGLIGIBLE * sum)
				break;
			left.by[ALPHA] -= over_xy;
			left.by[BETA] += 1.0 / (y + i) - over_xy;
			left.by[GAMMA] -= over_all;
			left.by[DELTA] += 1.0 / (survived + i) - over_all;
		}
		log_left = left.value + log(sum);
		log_sum = log_add_exp(alive.value, log_left);
		share = exp(log_left - log_sum);
		for (int k = 0; k < MAX_PARAMETERS; k++)
			mean[k] += share * (sum_by[k] / sum - mean[k]);
	}
	for (int k = 0; gradient && k < MAX_PARAMETERS; k++)
		gradient[k] = mean[k];
	return log_sum;
}

static double
log_likelihood(const PurchaseData *data, const double *parameters, double *gradient)
{
	long double total = 0.0;
	long double g[MAX_PARAMETERS] = {0.0};

	for (size_t i = 0; i < data->count; i++)
	{
		const PurchasePattern *pattern = &data->patterns[i];
		double		of_pattern[MAX_PARAMETERS];
		double		log_alive;

		if (i % (MODEL_CANCEL_ROWS / 64) == 0)
			data->check_interrupts();
		total += pattern->weight * log_likelihood_of(data, parameters, pattern->x, pattern->t_x, pattern->T,
													 of_pattern, &log_alive);
		for (int k = 0; k < MAX_PARAMETERS; k++)
			g[k] += pattern->weight * of_pattern[k];
	}
	for (int k = 0; gradient && k < MAX_PARAMETERS; k++)
		gradient[k] = g[k];
	return total;
}

static void
start(const PurchaseTotals *totals, MaximisationTask *task)
{
	double		share = totals->purchases / totals->time;

	task->start[ALPHA] = 1.0;
	task->start[BETA] = fmax(1.0 / share - 1.0, 0.1);
	task->start[GAMMA] = 0.5;
	task->start[DELTA] = 3.0;
	for (int k = 0; k < MAX_PARAMETERS; k++)
		task->unit[k] = 1.0;
}

static double
weight_of_alive(const double *parameters, double x, double t_x, double n)
{
	double		log_alive;
	double		log_sum = log_likelihood_of(NULL, parameters, x, t_x, n, NULL, &log_alive);

	return exp(log_alive - log_sum);
}

double
bg_bb_next_alive(const double *parameters, double n)
{
	return (parameters[DELTA] + n) / (parameters[GAMMA] + parameters[DELTA] + n);
}

/* ---------- expected purchases ---------- */

/* Opportunities to come, and by how much each is discounted. */
typedef struct Prospect
{
	double		opportunities;
	double		discount;
} Prospect;

/* The sum over i = 1 ... opportunities of (1 - theta)^(i - 1) e^(-discount i). */
static double
opportunities_given_share(double theta, void *context)
{
	const Prospect *prospect = context;
	double		lost = theta + (1.0 - theta) * -expm1(-prospect->discount);
	double		sum = prospect->opportunities;

	if (lost >= 1.0)
		sum = 1.0;
	else if (lost > 0.0)
		sum = -expm1(prospect->opportunities * log1p(-lost)) / lost;
	return exp(-prospect->discount) * sum;
}

/*
 * Who is alive at the n-th opportunity has theta ~ Beta(gamma, delta + n),
 * and if he is alive at the next, too, Beta(gamma, delta + n + 1).  As an
 * expectation the sum over the opportunities takes no longer if they are many.
 */
double
bg_bb_discounted(const double *parameters, double x, double n, double discount, double horizon)
{
	Prospect	prospect = {floor(horizon), discount};
	double		flat = fmax(1.0, fmin(horizon, 1.0 / discount));
	double		opportunities;

	if (horizon < 1.0)
		return 0.0;
	if (isinf(flat))			/* E 1 / theta */
		opportunities = parameters[GAMMA] > 1.0 ?
			(parameters[GAMMA] + parameters[DELTA] + n) / (parameters[GAMMA] - 1.0) : INFINITY;
	else
		opportunities = beta_expectation(parameters[GAMMA], parameters[DELTA] + n + 1.0, flat,
										 opportunities_given_share, &prospect);
	return (parameters[ALPHA] + x) / (parameters[ALPHA] + parameters[BETA] + n) *
		bg_bb_next_alive(parameters, n) * opportunities;
}

static double
purchases_if_alive(const double *parameters, double x, double n, double horizon)
{
	return bg_bb_discounted(parameters, x, n, 0.0, horizon);
}

/* ---------- number of purchases of a new customer ---------- */

static double
log_choose(double n, double k)
{
	return log_gamma(n + 1.0) - log_gamma(k + 1.0) - log_gamma(n - k + 1.0);
}

/*
 * Alive at all opportunities, or left after i of them, in which n purchases
 * fit.  The summands come from their ratios; one that has become too large or
 * too small for that is where the next start.
 */
static double
count_probability(const double *parameters, double n, double horizon)
{
	double		log_first;
	double		term = 1.0;
	double		sum = 0.0;
	double		total;

	if (n > horizon)
		return 0.0;
	total = exp(log_choose(horizon, n) + summand(parameters, n, horizon - n, 0.0, horizon).value);
	log_first = summand(parameters, n, 0.0, 1.0, n).value;
	for (double i = n; i < horizon; i += 1.0)
	{
		double		ratio = (i + 1.0) * (parameters[BETA] + i - n) * (parameters[DELTA] + i) /
			((i + 1.0 - n) * (parameters[ALPHA] + parameters[BETA] + i) *
			 (parameters[GAMMA] + parameters[DELTA] + 1.0 + i));

		sum += term;
		term *= ratio;
		if (ratio < 1.0 && term * (horizon - i) < NEGLIGIBLE * sum)
			break;
		if (term > 1e200 || term < 1e-200)
		{
			total += exp(log_first) * sum;
			log_first += log(term);
			term = 1.0;
			sum = 0.0;
		}
	}
	return total + exp(log_first) * sum;
}

const PurchaseModelClass bg_bb_class = {
	log_likelihood, start, weight_of_alive, purchases_if_alive, count_probability, NULL
};
