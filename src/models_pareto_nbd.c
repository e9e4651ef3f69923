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

/* Where the integrand is below e^-this of its first value, it is left out. */
#define FAR_BELOW		45.0

/* What a pattern (x, t_x, T) says about when the customer left. */
typedef struct Leaving
{
	double		log_alive;		/* ln of the first summand above */
	double		log_left;		/* of the second */
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
	double		log_smaller_T = log_smaller_t_x + length;
	double		log_larger_T = log(larger + T);
	double		slope = (1.0 - power_smaller) - power_larger * smaller_t_x / larger_t_x;
	double		slope_at_T = (1.0 - power_smaller) - power_larger * (smaller + T) / (larger + T);
	double		range = slope < 0.0 && -slope * length > FAR_BELOW ? FAR_BELOW / -slope : length;
	double		bend = fmax(fabs(slope), fabs(slope_at_T)) * range;
	const Quadrature *rule = gauss_legendre(bend < 2.0 && range < 1.5 ? 8 : bend < 12.0 && range < 4.0 ? 16 : 32);
	double		sum = 0.0;
	double		v_sum = 0.0;
	double		log_larger_sum = 0.0;
	double		over_smaller_sum = 0.0;
	double		over_larger_sum = 0.0;

	leaving->log_alive = alpha_smaller ? -rx * log_smaller_T - s * log_larger_T : -s * log_smaller_T - rx * log_larger_T;
	leaving->log_left = -INFINITY;
	leaving->log_alpha_t = leaving->log_beta_t = leaving->over_alpha_t = leaving->over_beta_t = 0.0;
	if (length <= 0.0)
		return;
	for (int i = 0; i < rule->count; i++)
	{
		double		v = range * rule->node[i];
		double		e = expm1(v);
		double		larger_ratio = 1.0 + e * smaller_t_x / larger_t_x;
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
	leaving->log_left = log(s * range * sum) + (1.0 - power_smaller) * log_smaller_t_x - power_larger * log_larger_t_x;
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
			double		log_sum;
			double		alive;
			double		left;

			if (i % (MODEL_CANCEL_ROWS / 8) == 0)
				data->check_interrupts();
			look_at_leaving(parameters, x, pattern->t_x, pattern->T, true, &leaving);
			log_sum = log_add_exp(leaving.log_alive, leaving.log_left);
			alive = exp(leaving.log_alive - log_sum);
			left = exp(leaving.log_left - log_sum);
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
	return 1.0 / (1.0 + exp(leaving.log_left - leaving.log_alive));
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

/*
 * He lives through the horizon and makes n purchases, or leaves at some t in
 * it and has made n by then.  In v = ln(1 + t / m) the integrand rises and
 * falls once; panels keep it smooth between nodes.
 */
static double
count_probability(const double *parameters, double n, double horizon)
{
	const double r = parameters[R];
	const double alpha = parameters[ALPHA];
	const double s = parameters[S];
	const double beta = parameters[BETA];
	const double smaller = fmin(alpha, beta);
	const double length = log1p(horizon / smaller);
	const Quadrature *rule = gauss_legendre(32);
	const double panels = ceil(length * (1.0 + sqrt(n + r + s) / 4.0));
	double		sum = 0.0;

	for (double panel = 0.0; panel < panels; panel += 1.0)
		for (int i = 0; i < rule->count; i++)
		{
			double		v = length * (panel + rule->node[i]) / panels;
			double		t = smaller * expm1(v);

			sum += rule->weight[i] * (smaller + t) / (beta + t) *
				exp(-s * log1p(t / beta)) * negative_binomial(r, alpha, t, n);
		}
	return exp(-s * log1p(horizon / beta)) * negative_binomial(r, alpha, horizon, n) +
		(panels > 0.0 ? s * sum * length / panels : 0.0);
}

const PurchaseModelClass pareto_nbd_class = {
	log_likelihood, start, weight_of_alive, purchases_if_alive, count_probability
};
