/*
 * models.c
 *	  Fuzzes what the models of buying say about one customer: probabilities
 *	  are such, expectations finite, and nothing takes for ever, whatever the
 *	  parameters.
 */
#include "models.h"

#include "fuzz.h"

/* BG/BB takes time in proportion to the opportunities. */
#define MAX_OPPORTUNITIES	2000.0

static bool
at_most(double a, double b)
{
	return a <= b * (1.0 + 1e-9) + 1e-300;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Input		input = input_of(data, size);
	PurchaseModel model = {(PurchaseModelKind) take_choice(&input, 4), {0}};
	bool		is_extreme = take_choice(&input, 8) == 7;
	double		x;
	double		t_x;
	double		T;
	double		horizon;
	double		discount;
	double		n;
	double		likelihood;
	double		alive;
	double		alive_at_T;
	double		purchases;
	double		of_new;
	double		discounted;
	double		probability;

	for (int i = 0; i < 4; i++)
	{
		model.parameters[i] = is_extreme ? take_double(&input) : take_positive(&input, 1.0);
		if (!(model.parameters[i] > 0.0 && isfinite(model.parameters[i])))
			model.parameters[i] = 1.0;
	}
	discount = take_positive(&input, 0.01);
	x = take_whole(&input, 5000.0);
	if (model.kind == BG_BB)
	{
		T = take_whole(&input, MAX_OPPORTUNITIES);
		x = fmin(x, T);
		t_x = x == 0.0 ? 0.0 : x + fmin(take_whole(&input, MAX_OPPORTUNITIES), T - x);
		horizon = take_whole(&input, MAX_OPPORTUNITIES);
	}
	else
	{
		T = take_positive(&input, 1.0);
		t_x = x == 0.0 ? 0.0 : T * (double) take_bytes(&input, 2) / 65535.0;
		horizon = take_positive(&input, 1.0);
	}
	n = take_whole(&input, 1000.0);

	likelihood = purchase_log_likelihood(&model, x, t_x, T);
	alive = probability_alive(&model, x, t_x, T);
	alive_at_T = probability_alive_at_T(&model, x, t_x, T);
	purchases = expected_purchases_if_alive(&model, x, T, horizon);
	of_new = expected_purchases_of_new(&model, horizon);
	discounted = discounted_purchases_if_alive(&model, x, T, discount, horizon);
	probability = purchase_count_probability(&model, n, horizon);
	if (!is_extreme)
	{
		double		numbers[] = {model.kind, model.parameters[0], model.parameters[1], model.parameters[2],
			model.parameters[3], x, t_x, T, horizon, discount, n,
			likelihood, alive, alive_at_T, purchases, of_new, discounted, probability};
		const int	count = sizeof(numbers) / sizeof(numbers[0]);

		HOLDS_OF(isfinite(likelihood), numbers, count);
		HOLDS_OF(alive >= 0.0 && alive <= 1.0, numbers, count);
		HOLDS_OF(alive_at_T >= 0.0 && alive_at_T <= 1.0 && at_most(alive, alive_at_T), numbers, count);
		HOLDS_OF(isfinite(purchases) && purchases >= 0.0, numbers, count);
		HOLDS_OF(isfinite(of_new) && of_new >= 0.0, numbers, count);
		HOLDS_OF(discounted >= 0.0 && at_most(discounted, purchases), numbers, count);
		HOLDS_OF(probability >= 0.0 && probability <= 1.0, numbers, count);
	}
	else
	{
		/* numbers beyond the range of a double may be the answer, and then NaN, but nothing wrong */
		HOLDS(!(alive < 0.0 || alive > 1.0) && !(alive_at_T < 0.0 || alive_at_T > 1.0));
		HOLDS(!(purchases < 0.0) && !(of_new < 0.0) && !(discounted < 0.0));
		HOLDS(!(probability < 0.0 || probability > 1.0));
	}
	return 0;
}
