/*
 * renewals.c
 *	  Fuzzes what sBG and BdW say about one contract.
 */
#include "models.h"

#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Input		input = input_of(data, size);
	bool		is_extreme = take_choice(&input, 8) == 7;
	double		alpha = is_extreme ? take_double(&input) : take_positive(&input, 1.0);
	double		beta = is_extreme ? take_double(&input) : take_positive(&input, 1.0);
	double		c = is_extreme ? take_double(&input) :
		take_choice(&input, 2) ? 1.0 : exp2(((double) take_bytes(&input, 1) - 128.0) / 48.0);
	double		age = take_whole(&input, is_extreme ? 1e15 : 1e6);
	double		discount = take_choice(&input, 4) ? take_positive(&input, 0.05) : 0.0;
	double		survival;
	double		next;
	double		rate;
	double		lifetime;
	double		numbers[9];

	if (!(alpha > 0.0 && isfinite(alpha)))
		alpha = 1.0;
	if (!(beta > 0.0 && isfinite(beta)))
		beta = 1.0;
	if (!(c > 0.0 && isfinite(c)))
		c = 1.0;
	survival = renewal_survival(alpha, beta, c, age);
	next = renewal_survival(alpha, beta, c, age + 1.0);
	rate = renewal_rate(alpha, beta, c, age);
	lifetime = discounted_renewals(alpha, beta, c, age, discount);
	memcpy(numbers, (double[]) {alpha, beta, c, age, discount, survival, next, rate, lifetime}, sizeof(numbers));

	if (is_extreme)
	{
		HOLDS_OF(!(survival < 0.0 || survival > 1.0) && !(rate < 0.0 || rate > 1.0), numbers, 9);
		HOLDS_OF(!(lifetime < 1.0), numbers, 9);
		return 0;
	}
	HOLDS_OF(survival >= 0.0 && survival <= 1.0 && next <= survival * (1.0 + 1e-12), numbers, 9);
	HOLDS_OF(rate >= 0.0 && rate <= 1.0, numbers, 9);
	HOLDS_OF(survival < 1e-300 || fabs(rate * survival - next) <= 1e-9 * survival, numbers, 9);
	HOLDS_OF(lifetime >= 1.0 && (discount == 0.0 || lifetime <= (1.0 + discount) / discount * (1.0 + 1e-9)), numbers, 9);
	return 0;
}
