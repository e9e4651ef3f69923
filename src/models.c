/*
 * models.c
 *	  What all models of buying have in common: the fit, and the figures that
 *	  follow from each model's own.
 */
#include "models.h"

#include <math.h>

#include "models_of_buying.h"
#include "special_functions.h"

static const PurchaseModelClass *
class_of(PurchaseModelKind kind)
{
	switch (kind)
	{
		case BG_NBD:
			return &bg_nbd_class;
		case MBG_NBD:
			return &mbg_nbd_class;
		case PARETO_NBD:
			return &pareto_nbd_class;
		case BG_BB:
			return &bg_bb_class;
	}
	return NULL;
}

double
purchases_log_likelihood(void *data, const double *parameters, double *gradient)
{
	const PurchaseData *purchases = data;

	return class_of(purchases->kind)->log_likelihood(purchases, parameters, gradient);
}

PurchaseTotals
purchases_totals(const PurchaseData *data)
{
	PurchaseTotals totals = {0.0, 0.0, 0.0, 0.0};

	for (size_t i = 0; i < data->count; i++)
	{
		const PurchasePattern *pattern = &data->patterns[i];

		totals.customers += pattern->weight;
		totals.purchases += pattern->weight * pattern->x;
		totals.time += pattern->weight * pattern->T;
		totals.longest = fmax(totals.longest, pattern->T);
	}
	return totals;
}

void
purchases_fit(const PurchaseData *data, double penalty, Maximum *maximum)
{
	PurchaseTotals totals = purchases_totals(data);
	MaximisationTask task = {
		.parameters = 4,
		.penalty = penalty,
		.log_likelihood = purchases_log_likelihood,
		.data = (void *) data,
	};

	if (totals.longest == 0.0)	/* any unit will do */
		totals.longest = 1.0;
	task.weight = totals.customers;
	class_of(data->kind)->start(&totals, &task);
	maximise(&task, maximum);
}

static void
no_interrupts(void)
{
}

double
purchase_log_likelihood(const PurchaseModel *model, double x, double t_x, double T)
{
	PurchasePattern pattern = {x, t_x, T, 1.0};
	PurchaseData data = {model->kind, &pattern, 1, no_interrupts};

	return class_of(model->kind)->log_likelihood(&data, model->parameters, NULL);
}

double
probability_alive_at_T(const PurchaseModel *model, double x, double t_x, double T)
{
	return class_of(model->kind)->weight_of_alive(model->parameters, x, t_x, T);
}

double
probability_alive(const PurchaseModel *model, double x, double t_x, double T)
{
	double		alive = probability_alive_at_T(model, x, t_x, T);

	return model->kind == BG_BB ? alive * bg_bb_next_alive(model->parameters, T) : alive;
}

double
expected_purchases_if_alive(const PurchaseModel *model, double x, double T, double horizon)
{
	return class_of(model->kind)->purchases_if_alive(model->parameters, x, T, horizon);
}

double
expected_purchases_of_new(const PurchaseModel *model, double horizon)
{
	double		purchases = expected_purchases_if_alive(model, 0.0, 0.0, horizon);

	return model->kind == MBG_NBD ? purchases * mbg_nbd_stays(model->parameters) : purchases;
}

double
purchase_count_probability(const PurchaseModel *model, double n, double horizon)
{
	double		probability = class_of(model->kind)->count_probability(model->parameters, n, horizon);

	/* rounding may end a little outside; NaN stays */
	return probability < 0.0 ? 0.0 : probability > 1.0 ? 1.0 : probability;
}

/* ---------- discounting ---------- */

/* Beyond e^-this nothing counts. */
#define DISCOUNTED_AWAY	45.0

/* Of ln(1 + t / scale): here 16 nodes hold 14 digits. */
#define PANEL			2.0

/* Nor does the time before this share of it. */
#define TOO_SOON		1e-18

/*
 * With E(t) the purchases up to t, integral of e^(-d t) dE = e^(-d h) E(h) +
 * d integral of e^(-d t) E(t) dt.  Panels are equal in ln(1 + t / scale), the
 * scale being the time in which either E or the discount begins to bend.
 */
static double
discounted_in_continuous_time(const PurchaseModel *model, double x, double T, double discount, double horizon)
{
	const Quadrature *rule = gauss_legendre(16);
	double		end = fmin(horizon, DISCOUNTED_AWAY / discount);
	double		bend = class_of(model->kind)->bend(model->parameters, x, T);
	double		scale = fmax(1.0 / (discount + 1.0 / bend), TOO_SOON * end);
	double		length = log1p(end / scale);
	double		panels = ceil(length / PANEL);
	double		sum = 0.0;

	for (double panel = 0.0; panel < panels; panel += 1.0)
		for (int i = 0; i < rule->count; i++)
		{
			double		v = length * (panel + rule->node[i]) / panels;
			double		t = scale * expm1(v);

			sum += rule->weight[i] * discount * (scale + t) * exp(-discount * t) *
				expected_purchases_if_alive(model, x, T, t);
		}
	return sum * length / fmax(panels, 1.0) +
		exp(-discount * end) * expected_purchases_if_alive(model, x, T, end);
}

double
discounted_purchases_if_alive(const PurchaseModel *model, double x, double T, double discount, double horizon)
{
	if (discount == 0.0)
		return expected_purchases_if_alive(model, x, T, horizon);
	if (model->kind == BG_BB)
		return bg_bb_discounted(model->parameters, x, T, discount, horizon);
	return discounted_in_continuous_time(model, x, T, discount, horizon);
}
