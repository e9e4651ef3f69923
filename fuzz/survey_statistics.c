/*
 * survey_statistics.c
 *	  Fuzzes src/survey_statistics.c: the figures of any tally lie within its
 *	  scale, and intervals around what they are about.
 */
#include "survey_statistics.h"

#include "fuzz.h"

static int64_t
take_count(Input *input)
{
	return (int64_t) take_bytes(input, take_choice(input, 9));
}

static void
check_score(NpsCounts counts, double z)
{
	double		score = nps_score(counts);

	HOLDS(score >= -100.0 && score <= 100.0);
	HOLDS(nps_standard_error(counts) >= 0.0);
	for (int method = NPS_ADJUSTED_WALD; method <= NPS_SCORE; method++)
	{
		ConfidenceInterval interval = nps_interval(counts, (NpsMethod) method, z);
		double		margin = nps_margin(counts, (NpsMethod) method, z);
		double		numbers[] = {method, interval.low, interval.high, score, margin, z,
			(double) counts.detractors, (double) counts.passives, (double) counts.promoters};

		HOLDS_OF(interval.low >= -100.0 && interval.low <= interval.high && interval.high <= 100.0, numbers, 9);
		if (method != NPS_ADJUSTED_WALD)	/* which is around another score */
			HOLDS_OF(interval.low <= score + 1e-6 && interval.high >= score - 1e-6, numbers, 9);
		HOLDS_OF(method == NPS_SCORE ? isnan(margin) : margin >= 0.0, numbers, 9);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Input		input = input_of(data, size);
	int			lowest = take_choice(&input, SCALE_MAX);
	int			highest = lowest + 1 + take_choice(&input, SCALE_MAX - lowest);
	double		z = confidence_z(((double) take_bytes(&input, 2) + 1.0) / 65537.0);
	int			detractor_to = lowest + take_choice(&input, highest - lowest);
	int			promoter_from = detractor_to + 1 + take_choice(&input, highest - detractor_to);
	double		variance = take_positive(&input, 1000.0);
	double		wanted = take_positive(&input, 5.0);
	int64_t		counts[SCALE_MAX_POINTS];
	SurveyTally tally = {lowest, highest, 0, counts};
	NpsCounts	scores;
	int64_t		required;

	HOLDS(scale_is_valid(lowest, highest));
	required = nps_required_answers(wanted, variance, take_count(&input) & INT64_MAX, z);
	HOLDS(required >= 1 || required == -1);

	for (int i = 0; i <= highest - lowest; i++)
		counts[i] = take_count(&input);
	if (!tally_total(counts, highest - lowest + 1, &tally.answers))
		return 0;
	HOLDS(tally.answers >= 0);
	HOLDS(tally_from(&tally, lowest) == tally.answers && tally_to(&tally, highest) == tally.answers);
	for (int point = lowest; point < highest; point++)
		HOLDS(tally_to(&tally, point) + tally_from(&tally, point + 1) == tally.answers);

	scores = nps_counts(&tally, promoter_from, detractor_to);
	HOLDS(scores.detractors + scores.passives + scores.promoters == tally.answers);
	if (tally.answers > 0)
	{
		double		mean = tally_mean(&tally);
		double		median = tally_median(&tally);
		double		deviation = tally_stddev(&tally);
		NpsDifference none = nps_difference(scores, scores, z);

		HOLDS(mean >= lowest * (1.0 - 1e-12) && mean <= highest * (1.0 + 1e-12));	/* of 2^53 answers and more */
		HOLDS(median >= lowest && median <= highest);
		HOLDS(tally.answers == 1 ? isnan(deviation) : deviation >= 0.0 && deviation <= highest - lowest);
		HOLDS(tally_index(&tally) >= -1e-9 && tally_index(&tally) <= 100.0 + 1e-9);
		HOLDS(tally_share(&tally, tally.answers) == 1.0 && tally_share(&tally, 0) == 0.0);
		check_score(scores, z);
		HOLDS(none.difference == 0.0 && none.low <= 0.0 && none.high >= 0.0);
	}
	return 0;
}
