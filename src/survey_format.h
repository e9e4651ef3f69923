/*
 * survey_format.h
 *	  nps_survey as it comes from outside and goes there: its text, and its
 *	  bytes on the wire.
 *
 * Plain C: no PostgreSQL in it, so that it can be fuzzed alone.
 *
 *	text	lowest point, "..", highest point, ":{", the counts from the lowest
 *			point on between commas, "}": 0..10:{1,0,0,2,0,4,3,9,12,30,25}.
 *			Numbers are decimal and without sign.  Input takes blanks between
 *			the parts, and leading zeros; output has none.
 *	wire	version, lowest, highest, zero (a byte each), counts (eight bytes
 *			each, the most significant first)
 *
 * What is read is a draft, which says what was given, possible or not; a
 * survey is a draft without a fault.
 */
#ifndef LOYALTY_SURVEY_FORMAT_H
#define LOYALTY_SURVEY_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "survey_statistics.h"

#define SURVEY_VERSION	1

typedef struct SurveyDraft
{
	int			version;		/* of bytes: the first, and the one to be zero */
	int64_t		lowest;
	int64_t		highest;
	int64_t		points;			/* how many counts there are; so many as fit are here */
	int64_t		counts[SCALE_MAX_POINTS];
} SurveyDraft;

/* What forbids a draft, or keeps bytes from being one. */
typedef enum SurveyFault
{
	SURVEY_SOUND = 0,
	SURVEY_NO_TEXT,				/* not the text of a survey */
	SURVEY_CUT_SHORT,			/* bytes: less than comes before the counts */
	SURVEY_OTHER_VERSION,		/* bytes: of another version than this */
	SURVEY_OTHER_LENGTH,		/* bytes: not as long as the scale wants */
	SURVEY_BAD_SCALE,
	SURVEY_OTHER_POINTS,		/* not as many counts as the scale has points */
	SURVEY_NEGATIVE,			/* a count is */
	SURVEY_TOO_MANY				/* answers for 64 bits */
} SurveyFault;

/* Of the scale and the number of counts, and of the counts on a sound scale. */
extern SurveyFault survey_scale_fault(const SurveyDraft *draft);
extern SurveyFault survey_counts_fault(const SurveyDraft *draft);

/* Both read a whole survey and return what is wrong with it. */
extern SurveyFault survey_read_text(const char *text, SurveyDraft *draft);
extern SurveyFault survey_read_wire(const uint8_t *bytes, size_t size, SurveyDraft *draft);

/* Whether a text is a whole number of answers, and which one. */
extern bool survey_read_count(const char *text, int64_t *count);

/*
 * Room for any text: that of a survey has up to 227 characters, that of a
 * damaged one a sign a count more.
 */
#define SURVEY_TEXT_SIZE	256

/* Bytes on the wire: before the counts, and at most. */
#define SURVEY_WIRE_HEADER	4
#define SURVEY_WIRE_SIZE	(SURVEY_WIRE_HEADER + SCALE_MAX_POINTS * sizeof(int64_t))

/* Write the counts with commas between them, and a whole survey; return the end, a zero byte. */
extern char *survey_write_counts(char *to, const int64_t *counts, int points);
extern char *survey_write_text(char to[SURVEY_TEXT_SIZE], int lowest, int highest,
							   const int64_t *counts);

/* Writes a whole survey; returns how many bytes it takes. */
extern size_t survey_write_wire(uint8_t to[SURVEY_WIRE_SIZE], int lowest, int highest,
								const int64_t *counts);

#endif							/* LOYALTY_SURVEY_FORMAT_H */
