/*
 * survey_statistics.c
 *	  The arithmetic of survey scores.
 *
 * An answer is worth 1 (promoter), 0 (passive) or -1 (detractor), and the
 * Net Promoter Score is the mean of that: a difference of two shares of the
 * same sample, with the variance of a trinomial distribution.  Three
 * intervals for it, in the order in which they deserve trust at small n:
 *
 *	 score			all differences that a test with the variance under the
 *					hypothesis does not reject (Tango 1998)
 *	 adjusted Wald	the plain interval after 3/4 promoter, 3/4 detractor and
 *					3/2 passives have been added to the answers
 *	 Wald			estimate plus and minus z standard errors
 *
 * Rocks 2016, Interval estimation for the Net Promoter Score, The American
 * Statistician 70, compares them.
 */
#include "survey_statistics.h"

#include <math.h>

/* Inside of this file scores are fractions. */
#define POINTS		100.0

static inline double
clamp(double value, double low, double high)
{
	return value < low ? low : value > high ? high : value;
}

bool
tally_total(const int64_t *counts, int points, int64_t *answers)
{
	*answers = 0;
	for (int i = 0; i < points; i++)
		if (counts[i] < 0 || __builtin_add_overflow(*answers, counts[i], answers))
			return false;
	return true;
}

/* ---------- any scale ---------- */

/* The part of a sum that was checked cannot overflow. */
int64_t
tally_to(const SurveyTally *tally, int point)
{
	int64_t		sum = 0;

	for (int score = tally->lowest; score <= point; score++)
		sum += tally->counts[score - tally->lowest];
	return sum;
}

int64_t
tally_from(const SurveyTally *tally, int point)
{
	return tally->answers - tally_to(tally, point - 1);
}

double
tally_share(const SurveyTally *tally, int64_t part)
{
	return (double) part / (double) tally->answers;
}

/* What all answers are worth, those of zero_point nothing: exactly. */
static __int128
worth_above(const SurveyTally *tally, int zero_point)
{
	__int128	sum = 0;

	for (int score = tally->lowest; score <= tally->highest; score++)
		sum += (__int128) (score - zero_point) * tally->counts[score - tally->lowest];
	return sum;
}

double
tally_mean(const SurveyTally *tally)
{
	return (double) worth_above(tally, 0) / (double) tally->answers;
}

/* The answer at that place, counted from 0, when they stand in order. */
static int
answer_at(const SurveyTally *tally, int64_t place)
{
	int			score = tally->lowest;

	while (score < tally->highest && place >= tally->counts[score - tally->lowest])
	{
		place -= tally->counts[score - tally->lowest];
		score++;
	}
	return score;
}

double
tally_median(const SurveyTally *tally)
{
	if (tally->answers == 0)
		return NAN;
	return (answer_at(tally, (tally->answers - 1) / 2) + answer_at(tally, tally->answers / 2)) / 2.0;
}

double
tally_stddev(const SurveyTally *tally)
{
	double		mean = tally_mean(tally);
	double		squares = 0.0;

	if (tally->answers < 2)
		return NAN;
	for (int score = tally->lowest; score <= tally->highest; score++)
		squares += (double) tally->counts[score - tally->lowest] * (score - mean) * (score - mean);
	return sqrt(squares / (double) (tally->answers - 1));
}

double
tally_index(const SurveyTally *tally)
{
	return 100.0 * (double) worth_above(tally, tally->lowest) /
		((double) tally->answers * (tally->highest - tally->lowest));
}

/* ---------- Net Promoter Score ---------- */

NpsCounts
nps_counts(const SurveyTally *tally, int promoter_from, int detractor_to)
{
	NpsCounts	counts;

	counts.detractors = tally_to(tally, detractor_to);
	counts.promoters = tally_from(tally, promoter_from);
	counts.passives = tally->answers - counts.detractors - counts.promoters;
	return counts;
}

typedef struct Estimate
{
	double		score;
	double		standard_error;
} Estimate;

/*
 * Mean and standard error of answers worth 1, 0 and -1.  The variance is a
 * sum of squared deviations, which are known without subtraction: it is
 * exactly 0 when all answers are of one kind and keeps its digits near that.
 */
static Estimate
estimate(double detractors, double passives, double promoters)
{
	Estimate	result;
	double		n = detractors + passives + promoters;
	double		below = (passives + 2.0 * detractors) / n;	/* 1 - score */
	double		above = (passives + 2.0 * promoters) / n;	/* 1 + score */

	result.score = (promoters - detractors) / n;
	result.standard_error = sqrt((promoters / n * below * below +
								  detractors / n * above * above +
								  passives / n * result.score * result.score) / n);
	return result;
}

static Estimate
observed(NpsCounts counts)
{
	return estimate((double) counts.detractors, (double) counts.passives,
					(double) counts.promoters);
}

static Estimate
adjusted(NpsCounts counts)
{
	return estimate((double) counts.detractors + 0.75, (double) counts.passives + 1.5,
					(double) counts.promoters + 0.75);
}

double
nps_score(NpsCounts counts)
{
	double		n = (double) counts.detractors + (double) counts.passives + (double) counts.promoters;

	/* rounded twice, it may be more than all */
	return clamp(POINTS * (double) (counts.promoters - counts.detractors) / n, -POINTS, POINTS);
}

double
nps_standard_error(NpsCounts counts)
{
	return POINTS * observed(counts).standard_error;
}

double
nps_margin(NpsCounts counts, NpsMethod method, double z)
{
	if (method == NPS_SCORE)
		return NAN;
	return POINTS * z * (method == NPS_WALD ? observed(counts) : adjusted(counts)).standard_error;
}

/*
 * How many standard errors the observed score lies above delta, with the
 * variance that is most likely if delta is the truth.  q is then the share of
 * detractors (q + delta that of promoters): the larger root of
 *		2 q^2 - (d + p - (2 - p + d) delta) q - d delta (1 - delta) = 0.
 * For a negative delta promoters and detractors change places, so that
 * nothing cancels: no term of the variance is negative.
 */
static double
score_statistic(double promoters, double detractors, double n, double delta)
{
	double		p = promoters / n;
	double		d = detractors / n;
	double		spread = delta * (1.0 - delta);
	double		distance = (promoters - detractors) / n - delta;
	double		linear,
				root,
				q;

	if (delta < 0.0)
		return -score_statistic(detractors, promoters, n, -delta);
	if (distance == 0.0)
		return 0.0;				/* also where the variance is 0 */

	linear = d + p - (2.0 - p + d) * delta;
	root = sqrt(linear * linear + 8.0 * d * spread);
	if (linear >= 0.0)
		q = (linear + root) / 4.0;
	else
		q = 2.0 * d * spread / (root - linear);
	return distance / sqrt((2.0 * q + spread) / n);
}

/* The least delta that is not rejected: the statistic falls with delta. */
static double
score_low(double promoters, double detractors, double n, double z)
{
	double		rejected = -1.0;
	double		accepted = (promoters - detractors) / n;

	if (accepted == rejected)
		return rejected;
	for (int i = 0; i < 60; i++)
	{
		double		delta = 0.5 * (rejected + accepted);

		if (score_statistic(promoters, detractors, n, delta) <= z)
			accepted = delta;
		else
			rejected = delta;
	}
	return accepted;
}

ConfidenceInterval
nps_interval(NpsCounts counts, NpsMethod method, double z)
{
	ConfidenceInterval result;

	if (method == NPS_SCORE)
	{
		double		detractors = (double) counts.detractors;
		double		promoters = (double) counts.promoters;
		double		n = detractors + (double) counts.passives + promoters;

		result.low = score_low(promoters, detractors, n, z);
		result.high = -score_low(detractors, promoters, n, z);
	}
	else
	{
		Estimate	centre = method == NPS_WALD ? observed(counts) : adjusted(counts);

		result.low = clamp(centre.score - z * centre.standard_error, -1.0, 1.0);
		result.high = clamp(centre.score + z * centre.standard_error, -1.0, 1.0);
	}
	result.low *= POINTS;
	result.high *= POINTS;
	return result;
}

NpsDifference
nps_difference(NpsCounts a, NpsCounts b, double z)
{
	NpsDifference result;
	Estimate	first = adjusted(a);
	Estimate	second = adjusted(b);
	double		centre = first.score - second.score;
	double		standard_error = hypot(first.standard_error, second.standard_error);

	result.difference = nps_score(a) - nps_score(b);
	result.low = POINTS * clamp(centre - z * standard_error, -2.0, 2.0);
	result.high = POINTS * clamp(centre + z * standard_error, -2.0, 2.0);
	result.z = centre / standard_error;
	result.p_value = normal_two_sided_p(result.z);
	return result;
}

/*
 * The adjusted Wald interval of n answers is as wide as the plain one of
 * n + 3.  Without replacement from N, n / (1 + (n - 1) / N) are enough.
 */
int64_t
nps_required_answers(double margin, double variance, int64_t population, double z)
{
	double		ratio = POINTS * z / margin;
	double		needed = ceil(ratio * ratio * variance - 3.0);
	int64_t		answers;

	if (!(needed < 0x1p63))
		return -1;
	answers = needed < 1.0 ? 1 : (int64_t) needed;
	if (population > 0)
	{
		__int128	divisor = (__int128) population + answers - 1;

		answers = (int64_t) (((__int128) answers * population + divisor - 1) / divisor);
	}
	return answers;
}
