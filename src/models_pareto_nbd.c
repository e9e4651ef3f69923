/*
 * models_pareto_nbd.c
 *	  Pareto/NBD: buying at a constant rate until one leaves at any time.
 *
 * A customer buys at rate lambda ~ Gamma(r, alpha) while alive, and leaves
 * at rate mu ~ Gamma(s, beta) (Schmittlein, Morrison and Colombo 1987,
 * Management Science 33).  Either he is alive at T, or he has left at some t
 * between t_x and T; the likelihood is, but for factors of the parameters and
 * x alone,
 *
 *		(alpha + T)^-(r + x) (beta + T)^-s
 *			+ s integral from t_x to T of (alpha + t)^-(r + x) (beta + t)^-(s + 1) dt
 *
 * where textbooks write the integral as a difference of two 2F1, of which
 * all digits can cancel.  Its integrand is positive and, as a function of
 * v = ln((m + t) / (m + t_x)), m the smaller of alpha and beta, as tame as an
 * exponential: a few nodes of Gauss and Legendre hold ten digits and more.
 * Gradient and probabilities come from the same nodes.
 */
#include "models_of_buying.h"

#include <math.h>

#include "special_functions.h"

/* Their places among the parameters. */
enum
{
	R, ALPHA, S, BETA
};

/* Where an integrand is below e^-this of its first value, or of its peak, it is left out. */
#define FAR_BELOW		45.0

/* Halvings until a place is known well enough. */
#define BISECTIONS		40

/* What a pattern (x, t_x, T) says about when the customer left. */
typedef struct Leaving
{
	double		log_alive;		/* ln of the first summand above */
	double		log_odds;		/* ln of the second over the first */
	double		log_alpha_t;	/* means over the time t at which he left, if he did: of ln(alpha + t) */
	double		log_beta_t;
	double		over_alpha_t;	/* and 1 / (alpha + t) */
	double		over_beta_t;
} Leaving;

static inline __attribute__((always_inline)) void
look_at_leaving(const double *parameters, double x, double t_x, double T, bool with_means, Leaving *leaving)
{
	const double rx = parameters[R] + x;
	const double s = parameters[S];
	const bool	alpha_smaller = parameters[ALPHA] < parameters[BETA];
	const double smaller = alpha_smaller ? parameters[ALPHA] : parameters[BETA];
	const double larger = alpha_smaller ? parameters[BETA] : parameters[ALPHA];

	/* (smaller + t)^-power_smaller (larger + t)^-power_larger dt, where dt = (smaller + t) dv */
	const double power_smaller = alpha_smaller ? rx : s + 1.0;
	const double power_larger = alpha_smaller ? s + 1.0 : rx;
	const double smaller_t_x = smaller + t_x;
	const double larger_t_x = larger + t_x;
	const double log_smaller_t_x = log(smaller_t_x);
	const double log_larger_t_x = log(larger_t_x);
	const double length = log1p((T - t_x) / smaller_t_x);
	const double length_larger = log1p((T - t_x) / larger_t_x);
	double		log_smaller_T = log_smaller_t_x + length;
	double		log_larger_T = log_larger_t_x + length_larger;
	double		slope = (1.0 - power_smaller) - power_larger * smaller_t_x / larger_t_x;
	double		slope_at_T = (1.0 - power_smaller) - power_larger * (smaller + T) / (larger + T);
	double		range = slope < 0.0 && -slope * length > FAR_BELOW ? FAR_BELOW / -slope : length;
	double		bend = fmax(fabs(slope), fabs(slope_at_T)) * range;
	const Quadrature *rule = gauss_legendre(bend < 2.0 && range < 1.5 ? 8 : bend < 12.0 && range < 4.0 ? 16 : 32);
	double		ratio = smaller_t_x / larger_t_x;
	double		sum = 0.0;
	double		v_sum = 0.0;
	double		log_larger_sum = 0.0;
	double		over_smaller_sum = 0.0;
	double		over_larger_sum = 0.0;

	leaving->log_alive = alpha_smaller ? -rx * log_smaller_T - s * log_larger_T : -s * log_smaller_T - rx * log_larger_T;
	leaving->log_odds = -INFINITY;
	leaving->log_alpha_t = leaving->log_beta_t = leaving->over_alpha_t = leaving->over_beta_t = 0.0;
	if (length <= 0.0)
		return;

	/* where it falls steeply only later: Newton's method, never too far as the logarithm is concave */
	for (int step = 0; bend > FAR_BELOW && step < 20; step++)
	{
		double		e = expm1(range);
		double		excess = (1.0 - power_smaller) * range - power_larger * log1p(e * ratio) + FAR_BELOW;

		if (excess > -5.0)
			break;
		range -= excess / ((1.0 - power_smaller) - power_larger * (1.0 + e) * ratio / (1.0 + e * ratio));
	}
	for (int i = 0; i < rule->count; i++)
	{
		double		v = range * rule->node[i];
		double		e = expm1(v);
		double		larger_ratio = 1.0 + e * ratio;
		double		log_larger_ratio = log(larger_ratio);
		double		f = rule->weight[i] * exp((1.0 - power_smaller) * v - power_larger * log_larger_ratio);

		sum += f;
		if (with_means)
		{
			v_sum += f * v;
			log_larger_sum += f * log_larger_ratio;
			over_smaller_sum += f / (1.0 + e);
			over_larger_sum += f / larger_ratio;
		}
	}
	/* the large powers of alpha + t_x and alpha + T only as their ratio, so that no digits cancel */
	leaving->log_odds = alpha_smaller ? log(s * range * sum * ratio) + rx * length + s * length_larger
		: log(s * range * sum) + rx * length_larger + s * length;
	if (with_means)
	{
		double		log_smaller = log_smaller_t_x + v_sum / sum;
		double		log_larger = log_larger_t_x + log_larger_sum / sum;
		double		over_smaller = over_smaller_sum / sum / smaller_t_x;
		double		over_larger = over_larger_sum / sum / larger_t_x;

		leaving->log_alpha_t = alpha_smaller ? log_smaller : log_larger;
		leaving->log_beta_t = alpha_smaller ? log_larger : log_smaller;
		leaving->over_alpha_t = alpha_smaller ? over_smaller : over_larger;
		leaving->over_beta_t = alpha_smaller ? over_larger : over_smaller;
	}
}

static double
log_likelihood(const PurchaseData *data, const double *parameters, double *gradient)
{
	const double r = parameters[R];
	const double alpha = parameters[ALPHA];
	const double s = parameters[S];
	const double beta = parameters[BETA];
	const double log_alpha = log(alpha);
	const double log_beta = log(beta);
	long double total = 0.0;
	long double g[MAX_PARAMETERS] = {0.0};

	for (size_t i = 0; i < data->count;)
	{
		const double x = data->patterns[i].x;
		double		by_r;
		double		of_x = log_rising(r, x, &by_r) + r * log_alpha + s * log_beta;
		double		value = 0.0;
		double		weight = 0.0;
		double		of[MAX_PARAMETERS] = {0.0};

		for (; i < data->count && data->patterns[i].x == x; i++)
		{
			const PurchasePattern *pattern = &data->patterns[i];
			const double w = pattern->weight;
			Leaving		leaving;
			double		odds_below_one;
			double		log_sum;
			double		alive;
			double		left;

			if (i % (MODEL_CANCEL_ROWS / 8) == 0)
				data->check_interrupts();
			look_at_leaving(parameters, x, pattern->t_x, pattern->T, true, &leaving);
			odds_below_one = exp(-fabs(leaving.log_odds));
			log_sum = leaving.log_alive + fmax(leaving.log_odds, 0.0) + log1p(odds_below_one);
			alive = (leaving.log_odds > 0.0 ? odds_below_one : 1.0) / (1.0 + odds_below_one);
			left = (leaving.log_odds > 0.0 ? 1.0 : odds_below_one) / (1.0 + odds_below_one);
			weight += w;
			value += w * log_sum;
			of[R] -= w * (alive * log(alpha + pattern->T) + left * leaving.log_alpha_t);
			of[ALPHA] -= w * (alive / (alpha + pattern->T) + left * leaving.over_alpha_t);
			of[S] += w * (left * (1.0 / s - leaving.log_beta_t) - alive * log(beta + pattern->T));
			of[BETA] -= w * (alive * s / (beta + pattern->T) + left * (s + 1.0) * leaving.over_beta_t);
		}
		total += weight * of_x + value;
		g[R] += weight * (by_r + log_alpha) + of[R];
		g[ALPHA] += weight * r / alpha + (r + x) * of[ALPHA];
		g[S] += weight * log_beta + of[S];
		g[BETA] += weight * s / beta + of[BETA];
	}
	for (int k = 0; gradient && k < MAX_PARAMETERS; k++)
		gradient[k] = g[k];
	return total;
}

static void
start(const PurchaseTotals *totals, MaximisationTask *task)
{
	task->start[R] = 0.5;
	task->start[ALPHA] = 0.5 * totals->time / totals->purchases;
	task->start[S] = 0.5;
	task->start[BETA] = 0.5 * totals->time / totals->customers;
	for (int k = 0; k < MAX_PARAMETERS; k++)
		task->unit[k] = k == ALPHA || k == BETA ? totals->longest : 1.0;
}

static double
weight_of_alive(const double *parameters, double x, double t_x, double T)
{
	Leaving		leaving;

	look_at_leaving(parameters, x, t_x, T, false, &leaving);
	return 1.0 / (1.0 + exp(leaving.log_odds));
}

/*
 * The rate of buying is (r + x) / (alpha + T) on average; one who is alive at
 * T stays for t with probability ((beta + T) / (beta + T + t))^s.
 */
static double
purchases_if_alive(const double *parameters, double x, double T, double horizon)
{
	double		beta_T = parameters[BETA] + T;

	return (parameters[R] + x) / (parameters[ALPHA] + T) *
		beta_T * decayed_length(parameters[S] - 1.0, log1p(horizon / beta_T));
}

/* The rate of leaving falls to s / (beta + T + t). */
static double
bend(const double *parameters, double x, double T)
{
	(void) x;
	return (parameters[BETA] + T) / (parameters[S] + 1.0);
}

/* ---------- number of purchases of a new customer ---------- */

/* Leaving at t after n purchases: the integrand below as a function of v. */
typedef struct CountIntegrand
{
	const double *parameters;
	double		n;
	double		smaller;		/* of alpha and beta */
} CountIntegrand;

static double
log_count_integrand(const CountIntegrand *integrand, double v)
{
	const double *parameters = integrand->parameters;
	double		t = integrand->smaller * expm1(v);

	return log_negative_binomial(parameters[R], parameters[ALPHA], t, integrand->n) -
		parameters[S] * log1p(t / parameters[BETA]) + log((integrand->smaller + t) / (parameters[BETA] + t));
}

static double
count_integrand_slope(const CountIntegrand *integrand, double v)
{
	const double *parameters = integrand->parameters;
	double		t = integrand->smaller * expm1(v);
	double		to_t = integrand->smaller + t;

	return (integrand->n > 0.0 ? integrand->n * to_t / t : 0.0) -
		(parameters[R] + integrand->n) * to_t / (parameters[ALPHA] + t) -
		(parameters[S] + 1.0) * to_t / (parameters[BETA] + t) + 1.0;
}

/* Between a place where the integrand counts and one where it need not: the last where it does. */
static double
edge_of_counting(const CountIntegrand *integrand, double counts, double far, double least)
{
	if (log_count_integrand(integrand, far) >= least)
		return far;
	for (int i = 0; i < BISECTIONS; i++)
	{
		double		middle = (counts + far) / 2.0;

		if (log_count_integrand(integrand, middle) < least)
			far = middle;
		else
			counts = middle;
	}
	return far;
}

/*
 * He lives through the horizon and makes n purchases, or leaves at some t in
 * it and has made n by then.  In v = ln(1 + t / m), m the smaller of alpha
 * and beta, the logarithm of the integrand is concave: between its peak and
 * where it is far below, a few nodes hold all digits, be n as large as it may.
 */
static double
count_probability(const double *parameters, double n, double horizon)
{
	const CountIntegrand integrand = {parameters, n, fmin(parameters[ALPHA], parameters[BETA])};
	const Quadrature *rule = gauss_legendre(32);
	const double log_factor = log_negative_binomial_factor(parameters[R], n);
	double		low = 0.0;
	double		high = log1p(horizon / integrand.smaller);
	double		peak = high;
	double		least;
	double		bounds[5];
	double		sum = 0.0;

	if (horizon == 0.0)
		return n == 0.0;
	if (count_integrand_slope(&integrand, high) < 0.0)
	{
		double		rises = 0.0;

		for (int i = 0; i < BISECTIONS; i++)
		{
			double		middle = (rises + peak) / 2.0;

			if (count_integrand_slope(&integrand, middle) > 0.0)
				rises = middle;
			else
				peak = middle;
		}
	}
	least = log_count_integrand(&integrand, peak) - FAR_BELOW;
	if (n > 0.0)				/* else there is something at 0 */
		low = edge_of_counting(&integrand, peak, 0.0, least);
	high = edge_of_counting(&integrand, peak, high, least);
	bounds[0] = low;
	bounds[1] = (low + peak) / 2.0;
	bounds[2] = peak;
	bounds[3] = (peak + high) / 2.0;
	bounds[4] = high;
	for (int panel = 0; panel < 4; panel++)
	{
		double		length = bounds[panel + 1] - bounds[panel];

		for (int i = 0; i < rule->count; i++)
			sum += length * rule->weight[i] *
				exp(log_factor + log_count_integrand(&integrand, bounds[panel] + length * rule->node[i]));
	}
	return parameters[S] * sum + exp(log_factor - parameters[S] * log1p(horizon / parameters[BETA]) +
									 log_negative_binomial(parameters[R], parameters[ALPHA], horizon, n));
}

const PurchaseModelClass pareto_nbd_class = {
	log_likelihood, start, weight_of_alive, purchases_if_alive, count_probability, bend
};
