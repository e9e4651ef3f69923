/*
 * fit.c
 *	  Fuzzes the fits of all models on small data of any kind: they end, and
 *	  what they call a maximum has finite parameters and errors.
 */
#include "models.h"

#include "fuzz.h"

#define MAX_PATTERNS	24

static long calls;

/* A fit of so few rows looks for a cancel request once or twice an evaluation. */
static void
count_calls(void)
{
	HOLDS(++calls < 1000000);
}

static void
check_maximum(const Maximum *maximum, int parameters)
{
	HOLDS(maximum->iterations >= 0);
	HOLDS(abs(maximum->bound) <= parameters);
	HOLDS((maximum->result == MAXIMUM_AT_BOUND) <= (maximum->bound != 0));
	for (int i = 0; i < parameters; i++)
	{
		HOLDS(maximum->parameters[i] > 0.0 && isfinite(maximum->parameters[i]));
		if (maximum->result == MAXIMISED)
			HOLDS(maximum->standard_errors[i] > 0.0 && isfinite(maximum->standard_errors[i]));
		else
			HOLDS(isnan(maximum->standard_errors[i]));
	}
	if (maximum->result == MAXIMISED)
		HOLDS(isfinite(maximum->log_likelihood) && maximum->bound == 0);
}

static int
compare_doubles(const void *a, const void *b)
{
	double		left = *(const double *) a;
	double		right = *(const double *) b;

	return (left > right) - (left < right);
}

static void
fit_purchases(Input *input, PurchaseModelKind kind, double penalty)
{
	PurchasePattern patterns[MAX_PATTERNS];
	PurchaseData data = {kind, patterns, 0, count_calls};
	Maximum		maximum;
	bool		has_repeat = false;

	while (data.count < MAX_PATTERNS && !input_ended(input))
	{
		PurchasePattern *pattern = &patterns[data.count++];

		pattern->x = take_whole(input, 300.0);
		if (kind == BG_BB)
		{
			pattern->T = take_whole(input, 300.0);
			pattern->x = fmin(pattern->x, pattern->T);
			pattern->t_x = pattern->x == 0.0 ? 0.0 : pattern->x + fmin(take_whole(input, 300.0), pattern->T - pattern->x);
		}
		else
		{
			pattern->T = take_positive(input, 10.0);
			pattern->t_x = pattern->x == 0.0 ? 0.0 : pattern->T * (double) take_bytes(input, 2) / 65535.0;
		}
		pattern->weight = 1.0 + take_choice(input, 200);
		has_repeat |= pattern->x > 0.0;
	}
	if (!has_repeat)
		return;
	/* those of the same x side by side; it is the first field */
	qsort(patterns, data.count, sizeof(PurchasePattern), compare_doubles);
	purchases_fit(&data, penalty, &maximum);
	check_maximum(&maximum, 4);
}

static void
fit_spending(Input *input, double penalty)
{
	SpendingPattern patterns[MAX_PATTERNS];
	SpendingData data = {patterns, 0, count_calls};
	Maximum		maximum;

	while (data.count < MAX_PATTERNS && !input_ended(input))
	{
		SpendingPattern *pattern = &patterns[data.count++];

		pattern->x = 1.0 + take_whole(input, 300.0);
		pattern->mean = take_positive(input, 20.0);
		pattern->weight = 1.0 + take_choice(input, 200);
	}
	if (data.count < 2)
		return;
	qsort(patterns, data.count, sizeof(SpendingPattern), compare_doubles);
	spending_fit(&data, penalty, &maximum);
	check_maximum(&maximum, 3);
	if (maximum.result == MAXIMISED)
	{
		double		money = expected_spending(maximum.parameters, patterns[0].x, patterns[0].mean);

		HOLDS(isnan(money) || (money > 0.0 && isfinite(money)));
	}
}

static void
fit_renewals(Input *input, int parameters, double penalty)
{
	RenewalPattern patterns[MAX_PATTERNS];
	RenewalData data = {parameters, patterns, 0, count_calls};
	Maximum		maximum;
	bool		any_left = false;

	while (data.count < MAX_PATTERNS && !input_ended(input))
	{
		RenewalPattern *pattern = &patterns[data.count++];

		pattern->left = take_choice(input, 2) != 0;
		pattern->periods = pattern->left + take_whole(input, 60.0);
		pattern->weight = 1.0 + take_choice(input, 200);
		any_left |= pattern->left;
	}
	if (!any_left)
		return;
	renewals_fit(&data, penalty, &maximum);
	check_maximum(&maximum, parameters);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Input		input = input_of(data, size);
	int			model = take_choice(&input, 7);
	double		penalty = take_choice(&input, 2) ? take_positive(&input, 0.01) : 0.0;

	calls = 0;
	if (model < 4)
		fit_purchases(&input, (PurchaseModelKind) model, penalty);
	else if (model == 4)
		fit_spending(&input, penalty);
	else
		fit_renewals(&input, model - 3, penalty);
	return 0;
}
