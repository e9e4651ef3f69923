/*
 * survey.h
 *	  The value of type nps_survey: a tally of the answers on a rating scale.
 *
 * The same bytes are the stored value and the state of the aggregates.  A
 * survey has one 64-bit count for every point of its scale, whether anybody
 * chose it or not, and so never changes its size: an answer is counted, and
 * taken away again, in place.
 *
 *		 0	length word (storage is plain: never compressed, never short)
 *		 4	version, 1
 *		 5	lowest point of the scale, 0 to 9
 *		 6	highest point, lowest + 1 to 10
 *		 7	zero
 *		 8	counts of lowest, lowest + 1, ..., highest (int64, native order)
 *
 * Text and bytes on the wire: survey_format.h.
 * No count is negative, and their sum fits 64 bits.  One tally has one
 * sequence of bytes.  A survey without answers is a value, but the aggregates
 * return NULL instead.
 */
#ifndef LOYALTY_SURVEY_H
#define LOYALTY_SURVEY_H

#include "postgres.h"

#include "fmgr.h"

#include "compat.h"
#include "survey_format.h"
#include "survey_statistics.h"

/* The scale of nps_survey(score). */
#define NPS_LOWEST		0
#define NPS_HIGHEST		10

typedef struct NpsSurvey
{
	int32		vl_len_;
	uint8		version;
	uint8		lowest;
	uint8		highest;
	uint8		zero;
	int64		counts[FLEXIBLE_ARRAY_MEMBER];
} NpsSurvey;

static inline int
survey_points(const NpsSurvey *survey)
{
	return survey->highest - survey->lowest + 1;
}

static inline Size
survey_size(int points)
{
	return offsetof(NpsSurvey, counts) + points * sizeof(int64);
}

/* Without answers, in the current memory context; the scale is a valid one. */
extern NpsSurvey *survey_new(int lowest, int highest);

/* Says what is wrong with it: XX001. */
extern void survey_damaged(const NpsSurvey *survey);

/* The survey of a Datum.  Aggregates do this for every row: no calls. */
static inline NpsSurvey *
survey_of_datum(Datum datum)
{
	NpsSurvey  *survey = (NpsSurvey *) DatumGetPointer(datum);

	if (unlikely(VARATT_IS_EXTENDED(survey)))
		survey = (NpsSurvey *) PG_DETOAST_DATUM(datum);
	if (unlikely(VARSIZE(survey) < offsetof(NpsSurvey, counts) ||
				 survey->version != SURVEY_VERSION || survey->zero != 0 ||
				 !scale_is_valid(survey->lowest, survey->highest) ||
				 VARSIZE(survey) != survey_size(survey_points(survey))))
		survey_damaged(survey);
	return survey;
}

#define PG_GETARG_SURVEY(n)		survey_of_datum(PG_GETARG_DATUM(n))

/* In builds with assertions: whether it may be; asked after every change. */
#ifdef USE_ASSERT_CHECKING
extern bool survey_is_sound(const NpsSurvey *survey);
#endif

/* The tally of a survey, with the number of answers; XX001 as above. */
extern SurveyTally survey_tally(const NpsSurvey *survey);

/* into += from and into -= from; 42804 for two scales, 22003 out of range. */
extern void survey_add(NpsSurvey *into, const NpsSurvey *from);
extern void survey_subtract(NpsSurvey *into, const NpsSurvey *from);

#endif							/* LOYALTY_SURVEY_H */
