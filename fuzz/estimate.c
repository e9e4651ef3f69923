/*
 * estimate.c
 *	  Fuzzes src/estimate.c: intervals hold what they are about and stay within
 *	  their range, for any counts.
 */
#include "estimate.h"

#include "fuzz.h"

static int64_t
take_count(Input *input, int64_t limit)
{
	uint64_t	count = take_bytes(input, 1 + take_choice(input, 8));

	return limit == INT64_MAX ? (int64_t) (count & INT64_MAX) : (int64_t) (count % ((uint64_t) limit + 1));
}

static void
check_interval(ConfidenceInterval interval, double estimate, double lowest, double highest)
{
	const double slack = 1e-9;
	double		numbers[] = {interval.low, interval.high, estimate};

	HOLDS_OF(interval.low >= lowest && interval.high <= highest, numbers, 3);
	HOLDS_OF(interval.low <= estimate + slack && interval.high >= estimate - slack, numbers, 3);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Input		input = input_of(data, size);
	double		confidence = ((double) take_bytes(&input, 2) + 1.0) / 65537.0;
	double		z = confidence_z(confidence);
	int64_t		trials[2];
	int64_t		successes[2];
	double		rates[2];
	RateDifference difference;
	SurvivalCurve curve = SURVIVAL_CURVE_START;
	int64_t		at_risk;

	HOLDS(z > 0.0 && z < 10.0);
	HOLDS(fabs(normal_two_sided_p(z) - (1.0 - confidence)) < 1e-12);
	for (int i = 0; i < 2; i++)
	{
		trials[i] = take_count(&input, INT64_MAX);
		if (trials[i] == 0)
			trials[i] = 1;
		successes[i] = take_count(&input, trials[i]);
		rates[i] = (double) successes[i] / (double) trials[i];
		check_interval(wilson_interval(successes[i], trials[i], z), rates[i], 0.0, 1.0);
	}
	difference = rate_difference(successes[0], trials[0], successes[1], trials[1], z);
	HOLDS(fabs(difference.difference - (rates[0] - rates[1])) < 1e-12);
	check_interval((ConfidenceInterval) {difference.low, difference.high}, difference.difference, -1.0, 1.0);
	HOLDS(isnan(difference.z) == isnan(difference.p_value));
	HOLDS(isnan(difference.z) || (difference.p_value >= 0.0 && difference.p_value <= 1.0));

	/* a curve that falls with every event */
	at_risk = take_count(&input, INT64_MAX);
	while (at_risk > 0 && !input_ended(&input))
	{
		int64_t		events = take_count(&input, at_risk);
		double		before = curve.survival;

		survival_step(&curve, at_risk, events);
		HOLDS(curve.survival >= 0.0 && curve.survival <= before);
		at_risk -= events;
		at_risk -= take_count(&input, at_risk);
		if (curve.survival > 0.0 && curve.survival < 1.0)
		{
			HOLDS(survival_standard_error(&curve) >= 0.0);
			check_interval(survival_interval(&curve, z), curve.survival, 0.0, 1.0);
		}
	}
	return 0;
}
