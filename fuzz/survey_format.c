/*
 * survey_format.c
 *	  Fuzzes src/survey_format.c: what is read is a survey or has a fault, a
 *	  survey survives being written, and the fault is the one there is.
 *
 * The first byte says whether a text or bytes on the wire follow.
 */
#include "survey_format.h"

#include "fuzz.h"

static bool
is_same(const SurveyDraft *a, const SurveyDraft *b)
{
	return a->lowest == b->lowest && a->highest == b->highest && a->points == b->points &&
		memcmp(a->counts, b->counts, (size_t) a->points * sizeof(int64_t)) == 0;
}

/* A draft that was found sound. */
static void
check_survey(const SurveyDraft *survey)
{
	char		text[SURVEY_TEXT_SIZE];
	uint8_t		wire[SURVEY_WIRE_SIZE + 1];
	size_t		wire_size;
	SurveyDraft again;
	int64_t		sum = 0;

	HOLDS(survey->lowest >= 0 && survey->lowest < survey->highest && survey->highest <= 10);
	HOLDS(survey->points == survey->highest - survey->lowest + 1);
	for (int i = 0; i < survey->points; i++)
	{
		int64_t		count;
		char		digits[32];

		HOLDS(survey->counts[i] >= 0);
		HOLDS(!__builtin_add_overflow(sum, survey->counts[i], &sum));
		snprintf(digits, sizeof(digits), "%lld", (long long) survey->counts[i]);
		HOLDS(survey_read_count(digits, &count) && count == survey->counts[i]);
	}

	HOLDS(survey_write_text(text, (int) survey->lowest, (int) survey->highest, survey->counts) ==
		  text + strlen(text));
	HOLDS(strlen(text) <= 227);
	HOLDS(survey_read_text(text, &again) == SURVEY_SOUND);
	HOLDS(is_same(&again, survey));

	wire_size = survey_write_wire(wire, (int) survey->lowest, (int) survey->highest, survey->counts);
	HOLDS(survey_read_wire(wire, wire_size, &again) == SURVEY_SOUND);
	HOLDS(is_same(&again, survey));
	HOLDS(survey_read_wire(wire, wire_size - 1, &again) == SURVEY_OTHER_LENGTH);
	HOLDS(survey_read_wire(wire, wire_size + 1, &again) == SURVEY_OTHER_LENGTH);
	wire[3] = 1;
	HOLDS(survey_read_wire(wire, wire_size, &again) == SURVEY_OTHER_VERSION);
	strcat(text, ",");
	HOLDS(survey_read_text(text, &again) == SURVEY_NO_TEXT);
}

/* A text without blanks and leading zeros. */
static void
normalize(char *text)
{
	char	   *to = text;
	bool		in_number = false;

	for (const char *from = text; *from != '\0'; from++)
	{
		bool		is_digit = *from >= '0' && *from <= '9';

		if (*from == ' ' || (*from >= '\t' && *from <= '\r'))
			continue;
		if (*from == '0' && !in_number && from[1] >= '0' && from[1] <= '9')
			continue;
		in_number = is_digit;
		*to++ = *from;
	}
	*to = '\0';
}

/* Counts that are impossible on their scale. */
static bool
counts_are_bad(const SurveyDraft *draft, SurveyFault fault)
{
	int64_t		sum = 0;
	bool		negative = false;
	bool		overflow = false;

	for (int i = 0; i < draft->points; i++)
	{
		negative |= draft->counts[i] < 0;
		overflow |= __builtin_add_overflow(sum, draft->counts[i], &sum);
	}
	return fault == SURVEY_NEGATIVE ? negative : !negative && overflow;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Input		input = input_of(data, size);
	bool		is_text = take_choice(&input, 2) == 0;
	size_t		left = (size_t) (input.end - input.next);
	SurveyDraft draft = {.points = -1};
	SurveyFault fault;

	/* a copy, so that reading past the end is seen */
	char	   *copy = malloc(left + 1);

	memcpy(copy, input.next, left);
	copy[left] = '\0';
	if (is_text)
	{
		int64_t		count;

		fault = survey_read_text(copy, &draft);
		HOLDS(!survey_read_count(copy, &count) || (count >= 0 && fault == SURVEY_NO_TEXT));
		HOLDS(fault != SURVEY_CUT_SHORT && fault != SURVEY_OTHER_VERSION);
		HOLDS(fault != SURVEY_OTHER_LENGTH);
		HOLDS(fault != SURVEY_NEGATIVE);	/* there is no sign */
		if (fault == SURVEY_SOUND)
		{
			char		text[SURVEY_TEXT_SIZE];

			survey_write_text(text, (int) draft.lowest, (int) draft.highest, draft.counts);
			normalize(copy);
			HOLDS(strcmp(copy, text) == 0);
		}
	}
	else
	{
		uint8_t    *bytes = malloc(left > 0 ? left : 1);

		memcpy(bytes, copy, left);
		fault = survey_read_wire(bytes, left, &draft);
		HOLDS(fault != SURVEY_NO_TEXT && fault != SURVEY_OTHER_POINTS);
		HOLDS((fault == SURVEY_CUT_SHORT) == (left < 4));
		HOLDS((fault == SURVEY_OTHER_VERSION) == (left >= 4 && (bytes[0] != 1 || bytes[3] != 0)));
		HOLDS(fault != SURVEY_OTHER_LENGTH || left != 4 + 8 * (size_t) (bytes[2] - bytes[1] + 1));
		if (fault == SURVEY_NEGATIVE || fault == SURVEY_TOO_MANY)
			HOLDS(counts_are_bad(&draft, fault));
		for (size_t i = 4; fault == SURVEY_SOUND && i < left; i++)
			HOLDS(bytes[i] == (uint8_t) (draft.counts[(i - 4) / 8] >> (7 - (i - 4) % 8) * 8));
		free(bytes);
	}
	free(copy);

	if (fault == SURVEY_SOUND)
		check_survey(&draft);
	else if (fault == SURVEY_BAD_SCALE)
		HOLDS(draft.lowest < 0 || draft.lowest >= draft.highest || draft.highest > 10);
	else if (fault == SURVEY_OTHER_POINTS)
		HOLDS(draft.points != draft.highest - draft.lowest + 1);
	return 0;
}
