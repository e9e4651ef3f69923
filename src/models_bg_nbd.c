/*
 * models_bg_nbd.c
 *	  BG/NBD and MBG/NBD: buying at a constant rate until one leaves after a
 *	  purchase.
 *
 * A customer buys at rate lambda ~ Gamma(r, alpha) while alive, and leaves
 * with probability p ~ Beta(a, b) after each repeat purchase (BG/NBD: Fader,
 * Hardie and Lee 2005, Marketing Science 24), or after the first purchase
 * too (MBG/NBD: Batislam, Denizel and Filiztekin 2007, International Journal
 * of Research in Marketing 24).  The two differ by one chance to leave, which
 * is all that "chances" below stands for.
 *
 * Expected purchases are computed as
 *
 *		sum over j of  P(more than j purchases | nobody leaves) E (1 - p)^j
 *
 * where every term is positive and a = 1 is not special, or, where that sum
 * is long, as an expectation over p.  Both equal the formula with 2F1.
 */
#include "models_of_buying.h"

#include <float.h>
#include <math.h>

#include "special_functions.h"

/* How long a sum of purchases may become, and the largest power it may start with. */
#define LONG_SUM		600.0
#define LONG_POWER		600.0

/* Far more than counts of 1e9 take. */
#define FRACTION_STEPS	1e5

/* Their places among the parameters. */
enum
{
	R, ALPHA, A, B
};

/*
 * ln of the odds that a customer has left, seen at T.  By leaving after the
 * last purchase he used up one chance, out of which he has stayed after the
 * others.
 */
static inline double
log_odds_of_left(double log_a_over, double exponent, double log_ratio)
{
	return log_a_over + exponent * log_ratio;
}

static double
log_likelihood(const PurchaseData *data, const double *parameters, double *gradient, double chances_before)
{
	const double r = parameters[R];
	const double alpha = parameters[ALPHA];
	const double a = parameters[A];
	const double b = parameters[B];
	const double log_alpha = log(alpha);
	const double log_a = log(a);
	long double total = 0.0;
	long double g[MAX_PARAMETERS] = {0.0};

	for (size_t i = 0; i < data->count;)
	{
		const double x = data->patterns[i].x;
		const double chances = x + chances_before;
		const double b_last = b + (chances - 1.0);	/* in this order: b may be tiny */
		const LogStaying stays = log_staying(a, b, chances);
		double		by_r;
		double		of_x = log_rising(r, x, &by_r) + r * log_alpha + stays.value;
		double		log_a_over = chances > 0.0 ? log_a - log(b_last) : -INFINITY;
		double		value = 0.0;
		double		weight = 0.0;
		double		weight_left = 0.0;
		double		of_r = 0.0;
		double		of_alpha = 0.0;

		for (; i < data->count && data->patterns[i].x == x; i++)
		{
			const PurchasePattern *pattern = &data->patterns[i];
			const double w = pattern->weight;
			double		to_T = alpha + pattern->T;
			double		to_t_x = alpha + pattern->t_x;
			double		log_T = log(to_T);
			double		log_ratio = log1p((pattern->T - pattern->t_x) / to_t_x);
			double		left = 0.0;

			if (i % MODEL_CANCEL_ROWS == 0)
				data->check_interrupts();
			value -= w * (r + x) * log_T;
			if (chances > 0.0)
			{
				double		log_odds = log_odds_of_left(log_a_over, r + x, log_ratio);
				double		e = exp(-fabs(log_odds));

				value += w * (fmax(log_odds, 0.0) + log1p(e));
				left = log_odds > 0.0 ? 1.0 / (1.0 + e) : e / (1.0 + e);
			}
			weight += w;
			weight_left += w * left;
			of_r += w * (left * log_ratio - log_T);
			of_alpha -= w * ((1.0 - left) / to_T + left / to_t_x);
		}
		total += weight * of_x + value;
		g[R] += weight * (by_r + log_alpha) + of_r;
		g[ALPHA] += weight * r / alpha + (r + x) * of_alpha;
		g[A] += weight_left / a + weight * stays.by_a;
		g[B] += weight * stays.by_b - (chances > 0.0 ? weight_left / b_last : 0.0);
	}
	for (int k = 0; gradient && k < MAX_PARAMETERS; k++)
		gradient[k] = g[k];
	return total;
}

static double
weight_of_alive(const double *parameters, double x, double t_x, double T, double chances)
{
	if (chances == 0.0)
		return 1.0;
	return 1.0 / (1.0 + exp(log_odds_of_left(log(parameters[A]) - log(parameters[B] + (chances - 1.0)),
											 parameters[R] + x,
											 log1p((T - t_x) / (parameters[ALPHA] + t_x)))));
}

static void
start(const PurchaseTotals *totals, MaximisationTask *task)
{
	task->start[R] = 0.5;
	task->start[ALPHA] = 0.5 * totals->time / totals->purchases;
	task->start[A] = 1.0;
	task->start[B] = 2.0;
	for (int k = 0; k < MAX_PARAMETERS; k++)
		task->unit[k] = k == ALPHA ? totals->longest : 1.0;
}

/* ---------- expected purchases ---------- */

/* Purchases to come for a given p, as a function of p. */
typedef struct StayingShape
{
	double		r;
	double		time;			/* horizon over the time seen, alpha included */
} StayingShape;

static double
purchases_given_share(double p, void *context)
{
	const StayingShape *shape = context;

	return p > 0.0 ? -expm1(-shape->r * log1p(p * shape->time)) / p : shape->r * shape->time;
}

/*
 * Of a customer whose rate has the distribution Gamma(r, alpha), and whose
 * probability of leaving Beta(a, b).
 */
static double
purchases_while_alive(double r, double alpha, double a, double b, double horizon)
{
	double		time = horizon / alpha;
	double		share = horizon / (alpha + horizon);
	double		log_none = -r * log1p(time);

	if (isinf(horizon))			/* E 1 / p */
		return a > 1.0 ? (a + b - 1.0) / (a - 1.0) : INFINITY;
	if ((36.0 + 3.0 * r) * (1.0 + time) > LONG_SUM || log_none < -LONG_POWER)
	{
		StayingShape shape = {r, time};

		return beta_expectation(a, b, fmax(1.0, (r + 1.0) * time), purchases_given_share, &shape);
	}
	else
	{
		double		probability = exp(log_none);	/* of k purchases if nobody left */
		double		made = 0.0; /* of these, before the customer left */
		double		stays = 1.0;	/* after the first k */
		double		sum = 0.0;

		for (double k = 0.0;; k += 1.0)
		{
			double		ratio = share * (r + k) / (k + 1.0);

			probability *= ratio;
			made += stays;
			stays *= (b + k) / (a + b + k);
			sum += probability * made;
			/* what is left out is less than a geometric series, k growing slowly in it */
			if (ratio < 1.0 && probability * (k + 2.0) < 1e-17 * (1.0 - ratio) * sum)
				return sum;
			if (!(probability > DBL_MIN))	/* smaller ones stop shrinking; NaN is no reason to go on, either */
				return sum;
		}
	}
}

static double
purchases_if_alive(const double *parameters, double x, double T, double horizon, double chances)
{
	return purchases_while_alive(parameters[R] + x, parameters[ALPHA] + T,
								 parameters[A], parameters[B] + chances, horizon);
}

/* Half the time to the next purchase, or less. */
static double
bend(const double *parameters, double x, double T)
{
	return (parameters[ALPHA] + T) / (parameters[R] + x + 1.0);
}

/* ---------- number of purchases of a new customer ---------- */

double
log_negative_binomial_factor(double r, double n)
{
	double		ignored;

	/* the rising factorials that are shorter, so that less is subtracted */
	if (n < r)
		return log_rising(r, n, &ignored) - log_gamma(n + 1.0);
	if (r < 1.0)
		return n > 0.0 ? -log_rising(n + r, 1.0 - r, &ignored) - log_gamma(r) : 0.0;
	return log_rising(n + 1.0, r - 1.0, &ignored) - log_gamma(r);
}

double
log_negative_binomial(double r, double alpha, double t, double n)
{
	return -r * log1p(t / alpha) - (n > 0.0 ? n * log1p(alpha / t) : 0.0);
}

/*
 * The continued fraction of the incomplete beta function I_x(a, b) without
 * the factor x^a (1 - x)^b / (a B(a, b)), x < (a + 1) / (a + b + 2), where it
 * converges within some sqrt(a + b) steps: by Lentz's method.
 */
static double
beta_fraction(double a, double b, double x)
{
	double		c = 1.0;
	double		d = 1.0 / (1.0 - (a + b) / (a + 1.0) * x);
	double		fraction = d;

	for (double m = 1.0; m < FRACTION_STEPS; m += 1.0)
	{
		double		even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
		double		odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));

		d = 1.0 / (1.0 + even * d);
		c = 1.0 + even / c;
		fraction *= c * d;
		d = 1.0 / (1.0 + odd * d);
		c = 1.0 + odd / c;
		fraction *= c * d;
		if (fabs(c * d - 1.0) < DBL_EPSILON)
			break;
	}
	return fraction;
}

/* P(K > n), given P(K = n): what a sum over more than n would take for ever to add up. */
static double
negative_binomial_above(double r, double alpha, double t, double n, double exactly)
{
	double		share = t / (alpha + t);
	double		rest = alpha / (alpha + t);

	if (share < (n + 2.0) / (n + r + 3.0))
		return exactly * share * (r + n) / (n + 1.0) * beta_fraction(n + 1.0, r, share);
	return 1.0 - exactly * share * (r + n) / r * beta_fraction(r, n + 1.0, rest);
}

/* P(n chances to leave were all let pass). */
static double
stays(const double *parameters, double n)
{
	return exp(log_staying(parameters[A], parameters[B], n).value);
}

/*
 * Either n purchases would have been made by a customer who never leaves, and
 * he has not left before the last; or more, but he left with the n-th.
 */
static double
count_probability(const double *parameters, double n, double horizon, double chances_before)
{
	double		exactly = exp(log_negative_binomial_factor(parameters[R], n) +
							  log_negative_binomial(parameters[R], parameters[ALPHA], horizon, n));
	double		more;
	double		before;
	double		chances = n + chances_before;

	if (chances == 0.0)
		return exactly;
	if (n == 0.0)				/* or he left at once */
		return (parameters[A] + parameters[B] * exactly) / (parameters[A] + parameters[B]);
	more = negative_binomial_above(parameters[R], parameters[ALPHA], horizon, n, exactly);
	before = stays(parameters, chances - 1.0);
	return before * (exactly + more * parameters[A] / (parameters[A] + parameters[B] + chances - 1.0));
}

/* ---------- the two models ---------- */

static double
bg_log_likelihood(const PurchaseData *data, const double *parameters, double *gradient)
{
	return log_likelihood(data, parameters, gradient, 0.0);
}

static double
bg_weight_of_alive(const double *parameters, double x, double t_x, double T)
{
	return weight_of_alive(parameters, x, t_x, T, x);
}

static double
bg_purchases_if_alive(const double *parameters, double x, double T, double horizon)
{
	return purchases_if_alive(parameters, x, T, horizon, x);
}

static double
bg_count_probability(const double *parameters, double n, double horizon)
{
	return count_probability(parameters, n, horizon, 0.0);
}

const PurchaseModelClass bg_nbd_class = {
	bg_log_likelihood, start, bg_weight_of_alive, bg_purchases_if_alive, bg_count_probability, bend
};

static double
mbg_log_likelihood(const PurchaseData *data, const double *parameters, double *gradient)
{
	return log_likelihood(data, parameters, gradient, 1.0);
}

static double
mbg_weight_of_alive(const double *parameters, double x, double t_x, double T)
{
	return weight_of_alive(parameters, x, t_x, T, x + 1.0);
}

static double
mbg_purchases_if_alive(const double *parameters, double x, double T, double horizon)
{
	return purchases_if_alive(parameters, x, T, horizon, x + 1.0);
}

static double
mbg_count_probability(const double *parameters, double n, double horizon)
{
	return count_probability(parameters, n, horizon, 1.0);
}

const PurchaseModelClass mbg_nbd_class = {
	mbg_log_likelihood, start, mbg_weight_of_alive, mbg_purchases_if_alive, mbg_count_probability, bend
};

double
mbg_nbd_stays(const double *parameters)
{
	return stays(parameters, 1.0);
}
