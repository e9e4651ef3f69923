/*
 * survey_format.c
 *	  nps_survey as it comes from outside and goes there: its text, and its
 *	  bytes on the wire.
 */
#include "survey_format.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

SurveyFault
survey_scale_fault(const SurveyDraft *draft)
{
	if (!scale_is_valid(draft->lowest, draft->highest))
		return SURVEY_BAD_SCALE;
	if (draft->points != draft->highest - draft->lowest + 1)
		return SURVEY_OTHER_POINTS;
	return SURVEY_SOUND;
}

SurveyFault
survey_counts_fault(const SurveyDraft *draft)
{
	int64_t		answers;

	for (int i = 0; i < draft->points; i++)
		if (draft->counts[i] < 0)
			return SURVEY_NEGATIVE;
	return tally_total(draft->counts, (int) draft->points, &answers) ?
		SURVEY_SOUND : SURVEY_TOO_MANY;
}

/* ---------- text ---------- */

static void
skip_blanks(const char **text)
{
	while (**text == ' ' || (**text >= '\t' && **text <= '\r'))
		(*text)++;
}

/* Passes over blanks and then exactly that. */
static bool
skip_token(const char **text, const char *token)
{
	size_t		length = strlen(token);

	skip_blanks(text);
	if (strncmp(*text, token, length) != 0)
		return false;
	*text += length;
	return true;
}

/* A number without sign; *overflow: it exceeds 64 bits. */
static bool
read_number(const char **text, int64_t *number, bool *overflow)
{
	skip_blanks(text);
	if (**text < '0' || **text > '9')
		return false;
	*number = 0;
	while (**text >= '0' && **text <= '9')
	{
		if (__builtin_mul_overflow(*number, 10, number) ||
			__builtin_add_overflow(*number, **text - '0', number))
			*overflow = true;
		(*text)++;
	}
	return true;
}

bool
survey_read_count(const char *text, int64_t *count)
{
	bool		overflow = false;

	return read_number(&text, count, &overflow) && *text == '\0' && !overflow;
}

SurveyFault
survey_read_text(const char *text, SurveyDraft *draft)
{
	int64_t		number;
	bool		overflow = false;
	SurveyFault fault;

	draft->points = 0;
	if (!read_number(&text, &draft->lowest, &overflow) || !skip_token(&text, "..") ||
		!read_number(&text, &draft->highest, &overflow) || !skip_token(&text, ":") ||
		!skip_token(&text, "{"))
		return SURVEY_NO_TEXT;
	do
	{
		if (!read_number(&text, &number, &overflow))
			return SURVEY_NO_TEXT;
		if (draft->points < SCALE_MAX_POINTS)
			draft->counts[draft->points] = number;
		draft->points++;
	} while (skip_token(&text, ","));
	if (!skip_token(&text, "}"))
		return SURVEY_NO_TEXT;
	skip_blanks(&text);
	if (*text != '\0')
		return SURVEY_NO_TEXT;

	if (overflow)
		return SURVEY_TOO_MANY;
	fault = survey_scale_fault(draft);
	return fault == SURVEY_SOUND ? survey_counts_fault(draft) : fault;
}

char *
survey_write_counts(char *to, const int64_t *counts, int points)
{
	for (int i = 0; i < points; i++)
		to += sprintf(to, "%s%" PRId64, i == 0 ? "" : ",", counts[i]);
	return to;
}

char *
survey_write_text(char to[SURVEY_TEXT_SIZE], int lowest, int highest, const int64_t *counts)
{
	to += sprintf(to, "%d..%d:{", lowest, highest);
	to = survey_write_counts(to, counts, highest - lowest + 1);
	strcpy(to, "}");
	return to + 1;
}

/* ---------- the wire ---------- */

SurveyFault
survey_read_wire(const uint8_t *bytes, size_t size, SurveyDraft *draft)
{
	if (size < SURVEY_WIRE_HEADER)
		return SURVEY_CUT_SHORT;
	draft->version = bytes[0] | bytes[3] << 8;
	if (draft->version != SURVEY_VERSION)
		return SURVEY_OTHER_VERSION;
	draft->lowest = bytes[1];
	draft->highest = bytes[2];
	if (!scale_is_valid(draft->lowest, draft->highest))
		return SURVEY_BAD_SCALE;
	draft->points = draft->highest - draft->lowest + 1;
	if (size != SURVEY_WIRE_HEADER + (size_t) draft->points * sizeof(int64_t))
		return SURVEY_OTHER_LENGTH;

	bytes += SURVEY_WIRE_HEADER;
	for (int i = 0; i < draft->points; i++)
	{
		uint64_t	count = 0;

		for (size_t j = 0; j < sizeof(count); j++)
			count = count << 8 | *bytes++;
		draft->counts[i] = (int64_t) count;
	}
	return survey_counts_fault(draft);
}

size_t
survey_write_wire(uint8_t to[SURVEY_WIRE_SIZE], int lowest, int highest, const int64_t *counts)
{
	uint8_t    *start = to;

	*to++ = SURVEY_VERSION;
	*to++ = (uint8_t) lowest;
	*to++ = (uint8_t) highest;
	*to++ = 0;
	for (int i = 0; i <= highest - lowest; i++)
		for (int shift = 56; shift >= 0; shift -= 8)
			*to++ = (uint8_t) ((uint64_t) counts[i] >> shift);
	return (size_t) (to - start);
}
