/*
 * test_survey_statistics.c
 *	  Tests of src/survey_statistics.c against published and closed figures.
 *
 * From the top folder:
 *	  cc -O2 -Wall -Wextra -Isrc -o test_survey_statistics test/unit/test_survey_statistics.c \
 *		  src/survey_statistics.c src/estimate.c -lm
 * Prints TAP; exits with 1 if a test failed.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "survey_statistics.h"
#include "tap.h"

#define Z95		1.959963984540054

/* equal to within an absolute tolerance */
static void
near(double got, double wanted, double tolerance, const char *name)
{
	bool		passed = fabs(got - wanted) <= tolerance;	/* NaN is not near */

	ok(passed, name);
	if (!passed)
		printf("# got %.17g, wanted %.17g\n", got, wanted);
}

static NpsCounts
counts(int64_t detractors, int64_t passives, int64_t promoters)
{
	return (NpsCounts) {detractors, passives, promoters};
}

static void
test_published(void)
{
	/* low and high by method in the order of NpsMethod */
	static const struct
	{
		NpsCounts	counts;
		double		score;
		double		limits[3][2];
	}			known[] = {
		{{30, 20, 50}, .2,
		{{.026530798662, .361818715901}, {.029134301168, .370865698832}, {.024883708, .362172465}}},
		{{1, 2, 3}, .333333333333,
		{{-.267432587941, .711877032385}, {-.263064714572, .929731381239}, {-.311073785, .753956664}}},
		{{2, 0, 9}, .636363636364,
		{{.080007717599, .919992282401}, {.180510117598, 1}, {.046038876, .897264621}}},
		{{0, 0, 20}, 1,
		{{.696833440254, 1}, {1, 1}, {.677749684, 1}}},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
	{
		near(nps_score(known[i].counts), 100 * known[i].score, 1e-10, "published score");
		for (int method = NPS_ADJUSTED_WALD; method <= NPS_SCORE; method++)
		{
			ConfidenceInterval limits = nps_interval(known[i].counts, (NpsMethod) method, Z95);

			near(limits.low, 100 * known[i].limits[method][0], method == NPS_SCORE ? 1e-7 : 1e-10,
				 "published lower limit");
			near(limits.high, 100 * known[i].limits[method][1], method == NPS_SCORE ? 1e-7 : 1e-10,
				 "published upper limit");
		}
	}
}

/* For answers of one kind the score interval is Wilson's: (n - z^2) / (n + z^2). */
static void
test_closed_form(void)
{
	bool		near_enough = true;
	bool		mirrored = true;

	for (int64_t n = 1; n < INT64_C(1) << 61; n = n * 3 + 1)
	{
		double		low = nps_interval(counts(0, 0, n), NPS_SCORE, Z95).low;

		if (fabs(low - 100 * (n - Z95 * Z95) / (n + Z95 * Z95)) > 1e-12)
			near_enough = false;
	}
	ok(near_enough, "score interval of promoters only, 1 to 2^61 answers");

	for (int64_t d = 0; d < 8; d++)
		for (int64_t q = 0; q < 8; q++)
			for (int64_t p = 0; p < 8; p++)
				for (int method = NPS_ADJUSTED_WALD; d + q + p > 0 && method <= NPS_SCORE; method++)
				{
					ConfidenceInterval a = nps_interval(counts(d, q, p), (NpsMethod) method, Z95);
					ConfidenceInterval b = nps_interval(counts(p, q, d), (NpsMethod) method, Z95);

					if (a.low != -b.high || a.high != -b.low || !(a.low <= a.high) ||
						a.low < -100 || a.high > 100)
						mirrored = false;
				}
	ok(mirrored, "promoters and detractors change places: limits change sign");
	ok(isnan(nps_margin(counts(1, 1, 1), NPS_SCORE, Z95)), "score has no margin");
	near(nps_margin(counts(30, 20, 50), NPS_WALD, Z95), 17.0865698832, 1e-9, "margin of Wald");
}

static void
test_difference(void)
{
	NpsDifference difference = nps_difference(counts(8, 13, 15), counts(12, 12, 7), Z95);

	near(difference.difference, 35.5734767025, 1e-10, "observed difference");
	near((difference.low + difference.high) / 2, 32.6546003017, 1e-10, "centre of its interval");
	near(difference.z, 1.814724874135, 1e-12, "z");
	near(difference.p_value, .0695662004951, 1e-13, "p");
}

static void
test_tally(void)
{
	int64_t		five[] = {1, 2, 3, 4, 5};
	int64_t		full[] = {INT64_MAX - 5, 5};
	int64_t		answers;
	SurveyTally tally = {1, 5, 15, five};
	SurveyTally large = {9, 10, INT64_MAX, full};

	ok(tally_total(five, 5, &answers) && answers == 15, "total");
	ok(tally_total(full, 2, &answers) && answers == INT64_MAX, "total of 2^63 - 1");
	full[1]++;
	ok(!tally_total(full, 2, &answers), "total of 2^63");
	full[1] = -1;
	ok(!tally_total(full, 2, &answers), "a negative count");
	full[1] = 5;
	ok(tally_from(&tally, 4) == 9 && tally_to(&tally, 2) == 3, "answers from and to a point");
	ok(tally_from(&tally, 1) == 15 && tally_to(&tally, 5) == 15, "all answers");
	near(tally_mean(&tally), 55 / 15.0, 0, "mean");
	near(tally_median(&tally), 4, 0, "median");
	near(tally_stddev(&tally), sqrt(350.0 / 15 / 14), 1e-15, "standard deviation");
	near(tally_index(&tally), 200 / 3.0, 0, "index");
	near(tally_mean(&large), 9, 1e-15, "mean of 2^63 - 1 answers");
	near(tally_median(&large), 9, 0, "median of 2^63 - 1 answers");
	five[4] = 0;
	five[3] = 6;
	five[0] = 1;
	tally.answers = 12;
	near(tally_median(&tally), 3.5, 0, "median between two points");
}

static void
test_required(void)
{
	ok(nps_required_answers(10, 1, 0, Z95) == 382, "10 points at 95 %");
	ok(nps_required_answers(10, 1, 1000, Z95) == 277, "of 1000 customers");
	ok(nps_required_answers(10, 1, 1, Z95) == 1, "of one customer");
	ok(nps_required_answers(10, 1, INT64_MAX, Z95) == 382, "of 2^63 - 1 customers");
	ok(nps_required_answers(100, 1, 0, 0.1) == 1, "at least one");
	ok(nps_required_answers(1e-9, 1, 0, Z95) == -1, "too many to count");
}

int
main(void)
{
	test_published();
	test_closed_form();
	test_difference();
	test_tally();
	test_required();
	return finish();
}
