/*
 * survey_statistics.h
 *	  The arithmetic of survey scores: shares, means and Net Promoter Scores
 *	  with their intervals, from how many answers each point of a scale got.
 *
 * Plain C: no PostgreSQL in it.  Callers check arguments.  Net Promoter
 * Scores, their errors and limits are in points, -100 to 100; shares are
 * fractions.  What does not exist (a mean without answers, the margin of a
 * score interval) is NaN.
 */
#ifndef LOYALTY_SURVEY_STATISTICS_H
#define LOYALTY_SURVEY_STATISTICS_H

#include <stdbool.h>
#include <stdint.h>

#include "estimate.h"

/* Every scale lies within 0 to 10. */
#define SCALE_MAX			10
#define SCALE_MAX_POINTS	(SCALE_MAX + 1)

static inline bool
scale_is_valid(int64_t lowest, int64_t highest)
{
	return 0 <= lowest && lowest < highest && highest <= SCALE_MAX;
}

typedef struct SurveyTally
{
	int			lowest;
	int			highest;
	int64_t		answers;		/* the sum of the counts */
	const int64_t *counts;		/* of lowest, lowest + 1, ..., highest */
} SurveyTally;

/* The sum of the counts; false if one is negative or the sum exceeds 64 bits. */
extern bool tally_total(const int64_t *counts, int points, int64_t *answers);

/* ---------- any scale ---------- */

/* Answers of at least, and of at most, that point. */
extern int64_t tally_from(const SurveyTally *tally, int point);
extern int64_t tally_to(const SurveyTally *tally, int point);

extern double tally_share(const SurveyTally *tally, int64_t part);
extern double tally_mean(const SurveyTally *tally);

/* Half way between the two middle answers where their number is even. */
extern double tally_median(const SurveyTally *tally);

/* Of a sample: n - 1 in the denominator, NaN for a single answer. */
extern double tally_stddev(const SurveyTally *tally);

/* 0 where everybody chose the lowest point, 100 where the highest. */
extern double tally_index(const SurveyTally *tally);

/* ---------- Net Promoter Score ---------- */

typedef struct NpsCounts
{
	int64_t		detractors;
	int64_t		passives;
	int64_t		promoters;
} NpsCounts;

extern NpsCounts nps_counts(const SurveyTally *tally, int promoter_from, int detractor_to);

/* The default comes first. */
typedef enum NpsMethod
{
	NPS_ADJUSTED_WALD,
	NPS_WALD,
	NPS_SCORE
} NpsMethod;

extern double nps_score(NpsCounts counts);
extern double nps_standard_error(NpsCounts counts);

/* z times the standard error of the method; NaN for NPS_SCORE. */
extern double nps_margin(NpsCounts counts, NpsMethod method, double z);

extern ConfidenceInterval nps_interval(NpsCounts counts, NpsMethod method, double z);

typedef struct NpsDifference
{
	double		difference;		/* as observed: a minus b */
	double		low;			/* these four from the adjusted counts */
	double		high;
	double		z;
	double		p_value;
} NpsDifference;

extern NpsDifference nps_difference(NpsCounts a, NpsCounts b, double z);

/*
 * Answers that give the adjusted Wald interval that margin, out of a
 * population (0: without end); at least 1, or -1 if they exceed 64 bits.
 */
extern int64_t nps_required_answers(double margin, double variance, int64_t population, double z);

#endif							/* LOYALTY_SURVEY_STATISTICS_H */
