/*
 * special_functions.c
 *	  Fuzzes src/special_functions.c: functions are finite, have their sign and
 *	  keep to their recurrences, from tiny arguments to huge ones.
 */
#include "special_functions.h"

#include "fuzz.h"

static double
one(double share, void *context)
{
	HOLDS(share >= 0.0 && share <= 1.0);
	(*(int *) context)++;
	return 1.0;
}

static double
identity(double share, void *context)
{
	(void) context;
	return share;
}

static bool
near(double a, double b, double tolerance)
{
	return fabs(a - b) <= tolerance * (1.0 + fabs(a) + fabs(b));
}

/* From 2^-60 to 2^60. */
static double
take_wide(Input *input)
{
	return exp2(((double) take_bytes(input, 4) / 4294967295.0 - 0.5) * 120.0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Input		input = input_of(data, size);
	bool		is_wide = take_choice(&input, 2) != 0;
	double		a = is_wide ? take_wide(&input) : take_positive(&input, 1.0);
	double		b = is_wide ? take_wide(&input) : take_positive(&input, 1.0);
	double		n = is_wide ? take_wide(&input) : take_whole(&input, 1e6);
	double		numbers[] = {a, b, n};
	double		derivative = NAN;
	double		rising = log_rising(a, n, &derivative);
	LogStaying	staying = log_staying(a, b, n);
	int			calls = 0;

	HOLDS_OF(isfinite(log_gamma(a)) && isfinite(digamma(a)), numbers, 3);
	if (!is_wide)				/* far out, signs drown in rounding */
	{
		HOLDS_OF(staying.by_a <= 1e-12 && staying.by_b >= -1e-12 && staying.by_n <= 1e-12, numbers, 3);
		HOLDS_OF(near(log_gamma(a + 1.0), log_gamma(a) + log(a), 1e-12), numbers, 3);
		HOLDS_OF(near(digamma(a + 1.0), digamma(a) + 1.0 / a, 1e-10), numbers, 3);
	}
	HOLDS_OF(isfinite(rising) && isfinite(derivative) && derivative >= 0.0, numbers, 3);
	HOLDS_OF(staying.value <= 1e-12 && isfinite(staying.value), numbers, 3);
	HOLDS_OF(isfinite(staying.by_a) && isfinite(staying.by_b) && isfinite(staying.by_n), numbers, 3);
	HOLDS_OF(log_add_exp(rising, staying.value) >= fmax(rising, staying.value), numbers, 3);
	HOLDS(log_add_exp(-INFINITY, -INFINITY) == -INFINITY);
	HOLDS_OF(decayed_length(a, b) >= 0.0 && decayed_length(a, b) <= b * (1.0 + 1e-15), numbers, 3);
	HOLDS(decayed_length(0.0, b) == b);
	if (!is_wide)
	{
		HOLDS_OF(near(beta_expectation(a, b, 1.0, one, &calls), 1.0, 1e-9), numbers, 3);
		HOLDS_OF(calls > 0 && calls < 100000, numbers, 3);
		HOLDS_OF(near(beta_expectation(a, b, 1.0, identity, NULL), a / (a + b), 1e-9), numbers, 3);
	}
	return 0;
}
