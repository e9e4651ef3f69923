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
	double		mean[MAX_PARAMETERS];	/* of the derivatives, weighted by the summands so far */

	*log_alive = alive.value;
	for (int k = 0; k < MAX_PARAMETERS; k++)
		mean[k] = alive.by[k];
	if (n > t_x)
	{
		Summand		left = summand(parameters, x, t_x - x, 1.0, t_x);
		double		y = parameters[BETA] + t_x - x;
		double		xy = parameters[ALPHA] + parameters[BETA] + t_x;
		double		survived = parameters[DELTA] + t_x;
		double		all = parameters[GAMMA] + parameters[DELTA] + 1.0 + t_x;

		for (double i = 0.0; i < n - t_x; i += 1.0)
		{
			double		share;

			if (data && (long) i % MODEL_CANCEL_ROWS == MODEL_CANCEL_ROWS - 1)
				data->check_interrupts();
			log_sum = log_add_exp(log_sum, left.value);
			share = exp(left.value - log_sum);
			for (int k = 0; k < MAX_PARAMETERS; k++)
				mean[k] += share * (left.by[k] - mean[k]);
			left.value += log((y + i) / (xy + i) * (survived + i) / (all + i));
			left.by[ALPHA] -= 1.0 / (xy + i);
			left.by[BETA] += 1.0 / (y + i) - 1.0 / (xy + i);
			left.by[GAMMA] -= 1.0 / (all + i);
			left.by[DELTA] += 1.0 / (survived + i) - 1.0 / (all + i);
		}
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

/* Alive at n: the sum of the probabilities to be alive at each opportunity to come. */
static double
purchases_if_alive(const double *parameters, double x, double n, double horizon)
{
	double		alive = 1.0;
	double		sum = 0.0;

	for (double i = 0.0; i < horizon; i += 1.0)
	{
		alive *= bg_bb_next_alive(parameters, n + i);
		sum += alive;
	}
	return (parameters[ALPHA] + x) / (parameters[ALPHA] + parameters[BETA] + n) * sum;
}

static double
log_choose(double n, double k)
{
	return log_gamma(n + 1.0) - log_gamma(k + 1.0) - log_gamma(n - k + 1.0);
}

/* Alive at all opportunities, or left after i of them, in which n purchases fit. */
static double
count_probability(const double *parameters, double n, double horizon)
{
	double		sum;

	if (n > horizon)
		return 0.0;
	sum = exp(log_choose(horizon, n) + summand(parameters, n, horizon - n, 0.0, horizon).value);
	for (double i = n; i < horizon; i += 1.0)
		sum += exp(log_choose(i, n) + summand(parameters, n, i - n, 1.0, i).value);
	return sum;
}

const PurchaseModelClass bg_bb_class = {
	log_likelihood, start, weight_of_alive, purchases_if_alive, count_probability
};
