/*
 * survey_type.c
 *	  nps_survey as a type: input and output, order, casts, sum and difference.
 *
 * What comes from outside, in whatever form, becomes a draft, which
 * survey_format.h finds the fault of; here the fault becomes an error.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "common/int.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"

#include "survey.h"

PG_FUNCTION_INFO_V1(nps_survey_in);
PG_FUNCTION_INFO_V1(nps_survey_out);
PG_FUNCTION_INFO_V1(nps_survey_recv);
PG_FUNCTION_INFO_V1(nps_survey_send);
PG_FUNCTION_INFO_V1(nps_survey_eq);
PG_FUNCTION_INFO_V1(nps_survey_ne);
PG_FUNCTION_INFO_V1(nps_survey_lt);
PG_FUNCTION_INFO_V1(nps_survey_le);
PG_FUNCTION_INFO_V1(nps_survey_gt);
PG_FUNCTION_INFO_V1(nps_survey_ge);
PG_FUNCTION_INFO_V1(nps_survey_cmp);
PG_FUNCTION_INFO_V1(nps_survey_hash);
PG_FUNCTION_INFO_V1(nps_survey_hash_extended);
PG_FUNCTION_INFO_V1(nps_survey_from_array);
PG_FUNCTION_INFO_V1(nps_survey_to_array);
PG_FUNCTION_INFO_V1(nps_survey_from_jsonb);
PG_FUNCTION_INFO_V1(nps_survey_to_jsonb);
PG_FUNCTION_INFO_V1(nps_survey_merge);
PG_FUNCTION_INFO_V1(nps_survey_subtract);

#define MAX_ECHO	300			/* bytes of input in a message: all of any survey */

/* ---------- the value ---------- */

NpsSurvey *
survey_new(int lowest, int highest)
{
	Size		size = survey_size(highest - lowest + 1);
	NpsSurvey  *survey = palloc0(size);

	SET_VARSIZE(survey, size);
	survey->version = SURVEY_VERSION;
	survey->lowest = lowest;
	survey->highest = highest;
	return survey;
}

static void
damaged(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("damaged value of type nps_survey: %s", what)));
}

void
survey_damaged(const NpsSurvey *survey)
{
	if (VARSIZE(survey) < offsetof(NpsSurvey, counts))
		damaged("it is too short");
	if (survey->version != SURVEY_VERSION || survey->zero != 0)
		damaged(psprintf("its version is %d, and this server reads %d",
						 survey->version | survey->zero << 8, SURVEY_VERSION));
	damaged("scale and length do not fit");
}

SurveyTally
survey_tally(const NpsSurvey *survey)
{
	SurveyTally tally = {survey->lowest, survey->highest, 0, survey->counts};

	if (unlikely(!tally_total(survey->counts, survey_points(survey), &tally.answers)))
		damaged("its counts are impossible");
	return tally;
}

#ifdef USE_ASSERT_CHECKING
bool
survey_is_sound(const NpsSurvey *survey)
{
	int64		answers;

	return survey->version == SURVEY_VERSION && survey->zero == 0 &&
		scale_is_valid(survey->lowest, survey->highest) &&
		VARSIZE(survey) == survey_size(survey_points(survey)) &&
		tally_total(survey->counts, survey_points(survey), &answers);
}
#endif

/* ---------- drafts ---------- */

/* Of a draft without a fault. */
static NpsSurvey *
survey_of_draft(const SurveyDraft *draft)
{
	NpsSurvey  *survey = survey_new((int) draft->lowest, (int) draft->highest);

	memcpy(survey->counts, draft->counts, draft->points * sizeof(int64));
	Assert(survey_is_sound(survey));
	return survey;
}

/* A sentence about what is wrong with a draft that was read. */
static const char *
fault_detail(SurveyFault fault, const SurveyDraft *draft)
{
	int			negative = 0;

	switch (fault)
	{
		case SURVEY_BAD_SCALE:
			return psprintf("A scale lies within 0..%d and has at least two points, unlike "
							INT64_FORMAT ".." INT64_FORMAT ".",
							SCALE_MAX, (int64) draft->lowest, (int64) draft->highest);
		case SURVEY_OTHER_POINTS:
			return psprintf("The scale " INT64_FORMAT ".." INT64_FORMAT " has " INT64_FORMAT
							" points, and there are " INT64_FORMAT " counts.",
							(int64) draft->lowest, (int64) draft->highest,
							(int64) (draft->highest - draft->lowest + 1), (int64) draft->points);
		case SURVEY_NEGATIVE:
			while (draft->counts[negative] >= 0)
				negative++;
			return psprintf("The number of answers at %d is " INT64_FORMAT
							", and must not be negative.",
							(int) draft->lowest + negative, (int64) draft->counts[negative]);
		case SURVEY_TOO_MANY:
			return psprintf("A survey holds up to " INT64_FORMAT " answers.", PG_INT64_MAX);
		case SURVEY_CUT_SHORT:
			return "It is too short.";
		case SURVEY_OTHER_LENGTH:
			return "Its length does not fit its scale.";
		case SURVEY_OTHER_VERSION:
			return psprintf("Its version is %d, and this server reads %d.",
							draft->version, SURVEY_VERSION);
		case SURVEY_SOUND:
		case SURVEY_NO_TEXT:
			break;
	}
	return "Its text is the scale and how many answers each point of it got, "
		"from the lowest to the highest.";
}

/* Counts that are impossible rather than not counts. */
static bool
is_out_of_range(SurveyFault fault)
{
	return fault == SURVEY_NEGATIVE || fault == SURVEY_TOO_MANY;
}

/* ---------- text ---------- */

Datum
nps_survey_in(PG_FUNCTION_ARGS)
{
	const char *text = PG_GETARG_CSTRING(0);
	SurveyDraft draft;
	SurveyFault fault = survey_read_text(text, &draft);

	if (fault != SURVEY_SOUND)
		input_error(fcinfo->context, (Datum) 0,
					(errcode(is_out_of_range(fault) ? ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE :
							 ERRCODE_INVALID_TEXT_REPRESENTATION),
					 errmsg("invalid input for type nps_survey: \"%.*s\"",
							pg_mbcliplen(text, (int) strlen(text), MAX_ECHO), text),
					 errdetail("%s", fault_detail(fault, &draft)),
					 errhint("For example: 1..5:{2,0,3,10,7}.")));
	PG_RETURN_POINTER(survey_of_draft(&draft));
}

Datum
nps_survey_out(PG_FUNCTION_ARGS)
{
	const NpsSurvey *survey = PG_GETARG_SURVEY(0);
	char	   *text = palloc(SURVEY_TEXT_SIZE);

	survey_write_text(text, survey->lowest, survey->highest, survey->counts);
	PG_RETURN_CSTRING(text);
}

/* ---------- the wire ---------- */

Datum
nps_survey_recv(PG_FUNCTION_ARGS)
{
	StringInfo	message = (StringInfo) PG_GETARG_POINTER(0);
	int			size = message->len - message->cursor;
	const void *bytes = pq_getmsgbytes(message, size);
	SurveyDraft draft;
	SurveyFault fault = survey_read_wire(bytes, (size_t) size, &draft);

	if (fault != SURVEY_SOUND)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary value for type nps_survey"),
				 errdetail("%s", fault_detail(fault, &draft))));
	PG_RETURN_POINTER(survey_of_draft(&draft));
}

Datum
nps_survey_send(PG_FUNCTION_ARGS)
{
	const NpsSurvey *survey = PG_GETARG_SURVEY(0);
	StringInfoData message;
	uint8_t		bytes[SURVEY_WIRE_SIZE];
	size_t		size = survey_write_wire(bytes, survey->lowest, survey->highest, survey->counts);

	pq_begintypsend(&message);
	pq_sendbytes(&message, (const char *) bytes, (int) size);
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

/* ---------- order ---------- */

/* By scale, then by the counts from the lowest point on. */
static int
compare(FunctionCallInfo fcinfo)
{
	const NpsSurvey *a = PG_GETARG_SURVEY(0);
	const NpsSurvey *b = PG_GETARG_SURVEY(1);

	if (a->lowest != b->lowest)
		return a->lowest < b->lowest ? -1 : 1;
	if (a->highest != b->highest)
		return a->highest < b->highest ? -1 : 1;
	for (int i = 0; i < survey_points(a); i++)
		if (a->counts[i] != b->counts[i])
			return a->counts[i] < b->counts[i] ? -1 : 1;
	return 0;
}

#define COMPARISON(name, operator) \
Datum \
name(PG_FUNCTION_ARGS) \
{ \
	PG_RETURN_BOOL(compare(fcinfo) operator 0); \
}

COMPARISON(nps_survey_eq, ==)
COMPARISON(nps_survey_ne, !=)
COMPARISON(nps_survey_lt, <)
COMPARISON(nps_survey_le, <=)
COMPARISON(nps_survey_gt, >)
COMPARISON(nps_survey_ge, >=)

Datum
nps_survey_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare(fcinfo));
}

Datum
nps_survey_hash(PG_FUNCTION_ARGS)
{
	const NpsSurvey *survey = PG_GETARG_SURVEY(0);

	return hash_any((const unsigned char *) VARDATA(survey), VARSIZE(survey) - VARHDRSZ);
}

Datum
nps_survey_hash_extended(PG_FUNCTION_ARGS)
{
	const NpsSurvey *survey = PG_GETARG_SURVEY(0);

	return hash_any_extended((const unsigned char *) VARDATA(survey), VARSIZE(survey) - VARHDRSZ,
							 PG_GETARG_INT64(1));
}

/* ---------- casts ---------- */

static void
invalid_cast(int sqlstate, const char *type, const char *fault, const char *hint)
{
	ereport(ERROR,
			(errcode(sqlstate),
			 errmsg("this %s is no nps_survey", type),
			 errdetail("%s", fault),
			 errhint("%s", hint)));
}

/*
 * The subscripts of the array are the scale, so that counts[9] are the
 * answers at 9 both ways.  Arrays that were made without subscripts begin at
 * 1; with eleven elements nothing but 0..10 can be meant.
 */
Datum
nps_survey_from_array(PG_FUNCTION_ARGS)
{
	static const char hint[] =
		"Give the answers at each point of the scale: 11 numbers for 0..10, 5 for 1..5, for others with subscripts, as in '[0:5]={2,0,3,10,7,1}'.";
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	SurveyDraft draft;
	SurveyFault fault;

	if (ARR_NDIM(array) != 1)
		invalid_cast(ERRCODE_ARRAY_SUBSCRIPT_ERROR, "bigint[]",
					 psprintf("It has %d dimensions.", ARR_NDIM(array)), hint);
	if (array_contains_nulls(array))
		invalid_cast(ERRCODE_NULL_VALUE_NOT_ALLOWED, "bigint[]", "It contains NULL.", hint);

	draft.points = ARR_DIMS(array)[0];
	draft.lowest = draft.points == SCALE_MAX_POINTS ? 0 : ARR_LBOUND(array)[0];
	draft.highest = draft.lowest + draft.points - 1;
	fault = survey_scale_fault(&draft);
	if (fault == SURVEY_SOUND)
	{
		memcpy(draft.counts, ARR_DATA_PTR(array), draft.points * sizeof(int64));
		fault = survey_counts_fault(&draft);
	}
	if (fault != SURVEY_SOUND)
		invalid_cast(is_out_of_range(fault) ? ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE :
					 ERRCODE_ARRAY_SUBSCRIPT_ERROR, "bigint[]", fault_detail(fault, &draft), hint);
	PG_RETURN_POINTER(survey_of_draft(&draft));
}

Datum
nps_survey_to_array(PG_FUNCTION_ARGS)
{
	const NpsSurvey *survey = PG_GETARG_SURVEY(0);
	int			points = survey_points(survey);
	int			lowest = survey->lowest;
	Datum		counts[SCALE_MAX_POINTS];

	for (int i = 0; i < points; i++)
		counts[i] = Int64GetDatum(survey->counts[i]);
	PG_RETURN_ARRAYTYPE_P(construct_md_array(counts, NULL, 1, &points, &lowest, INT8OID,
											 sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* {"lowest": 1, "highest": 5, "counts": [2, 0, 3, 10, 7]} */
Datum
nps_survey_to_jsonb(PG_FUNCTION_ARGS)
{
	const NpsSurvey *survey = PG_GETARG_SURVEY(0);
	char		counts[SURVEY_TEXT_SIZE];
	const char *json;

	survey_write_counts(counts, survey->counts, survey_points(survey));
	json = psprintf("{\"lowest\": %d, \"highest\": %d, \"counts\": [%s]}",
					survey->lowest, survey->highest, counts);
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(json)));
}

static void
invalid_jsonb(int sqlstate, const char *fault)
{
	invalid_cast(sqlstate, "jsonb", fault,
				 "For example: {\"lowest\": 1, \"highest\": 5, \"counts\": [2, 0, 3, 10, 7]}.");
}

/* A whole number in jsonb, which has only numeric. */
static int64
jsonb_number(const JsonbValue *value, const char *what)
{
	const char *text;
	int64_t		number;

	if (value == NULL || value->type != jbvNumeric)
		invalid_jsonb(ERRCODE_INVALID_PARAMETER_VALUE, psprintf("%s is not a number.", what));
	text = DatumGetCString(DirectFunctionCall1(numeric_out,
											   NumericGetDatum(value->val.numeric)));
	if (!survey_read_count(text, &number))
		invalid_jsonb(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
					  psprintf("%s is not a whole number from 0 to " INT64_FORMAT ".",
							   what, PG_INT64_MAX));
	return number;
}

static JsonbValue *
jsonb_member(Jsonb *object, const char *name)
{
	JsonbValue	key;

	key.type = jbvString;
	key.val.string.val = (char *) name;
	key.val.string.len = (int) strlen(name);
	return findJsonbValueFromContainer(&object->root, JB_FOBJECT, &key);
}

Datum
nps_survey_from_jsonb(PG_FUNCTION_ARGS)
{
	Jsonb	   *object = PG_GETARG_JSONB_P(0);
	JsonbValue *counts;
	SurveyDraft draft;
	SurveyFault fault;

	if (!JB_ROOT_IS_OBJECT(object) || JB_ROOT_COUNT(object) != 3)
		invalid_jsonb(ERRCODE_INVALID_PARAMETER_VALUE,
					  "It has to be an object of \"lowest\", \"highest\" and \"counts\", and of nothing else.");
	draft.lowest = jsonb_number(jsonb_member(object, "lowest"), "\"lowest\"");
	draft.highest = jsonb_number(jsonb_member(object, "highest"), "\"highest\"");
	counts = jsonb_member(object, "counts");
	if (counts == NULL || counts->type != jbvBinary ||
		!JsonContainerIsArray(counts->val.binary.data))
		invalid_jsonb(ERRCODE_INVALID_PARAMETER_VALUE, "\"counts\" is not an array.");
	draft.points = JsonContainerSize(counts->val.binary.data);
	fault = survey_scale_fault(&draft);
	if (fault == SURVEY_SOUND)
	{
		for (int i = 0; i < draft.points; i++)
			draft.counts[i] = jsonb_number(getIthJsonbValueFromContainer(counts->val.binary.data, i),
										   psprintf("The number of answers at %d",
													(int) draft.lowest + i));
		fault = survey_counts_fault(&draft);
	}
	if (fault != SURVEY_SOUND)
		invalid_jsonb(is_out_of_range(fault) ? ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE :
					  ERRCODE_INVALID_PARAMETER_VALUE, fault_detail(fault, &draft));
	PG_RETURN_POINTER(survey_of_draft(&draft));
}

/* ---------- sum and difference ---------- */

static void
check_same_scale(const NpsSurvey *a, const NpsSurvey *b)
{
	if (unlikely(a->lowest != b->lowest || a->highest != b->highest))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("surveys of the scales %d..%d and %d..%d cannot be put together",
						a->lowest, a->highest, b->lowest, b->highest),
				 errhint("Keep surveys of each scale apart, for example with GROUP BY question.")));
}

void
survey_add(NpsSurvey *into, const NpsSurvey *from)
{
	bool		overflow = false;
	int64		answers;

	check_same_scale(into, from);
	for (int i = 0; i < survey_points(into); i++)
		overflow |= pg_add_s64_overflow(into->counts[i], from->counts[i], &into->counts[i]);
	if (unlikely(overflow || !tally_total(into->counts, survey_points(into), &answers)))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("too many answers for an nps_survey"),
				 errdetail("A survey holds up to " INT64_FORMAT " answers.", PG_INT64_MAX)));
	Assert(survey_is_sound(into));
}

void
survey_subtract(NpsSurvey *into, const NpsSurvey *from)
{
#ifdef USE_ASSERT_CHECKING
	bool		was_sound = survey_is_sound(into) && survey_is_sound(from);
#endif

	check_same_scale(into, from);
	for (int i = 0; i < survey_points(into); i++)
	{
		if (unlikely(from->counts[i] > into->counts[i]))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("a survey cannot have fewer than no answers"),
					 errdetail("Score %d has " INT64_FORMAT " answers, but " INT64_FORMAT " would be taken away.",
							   into->lowest + i, into->counts[i], from->counts[i]),
					 errhint("Only surveys that were added before can be taken away.")));
		into->counts[i] -= from->counts[i];
	}
	Assert(!was_sound || survey_is_sound(into));
}

static NpsSurvey *
survey_copy(const NpsSurvey *survey)
{
	NpsSurvey  *copy = palloc(VARSIZE(survey));

	memcpy(copy, survey, VARSIZE(survey));
	return copy;
}

/* The answers of both; NULL is neutral. */
Datum
nps_survey_merge(PG_FUNCTION_ARGS)
{
	NpsSurvey  *sum;

	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		PG_RETURN_NULL();
	if (PG_ARGISNULL(0))
		PG_RETURN_DATUM(PG_GETARG_DATUM(1));
	if (PG_ARGISNULL(1))
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));

	sum = survey_copy(PG_GETARG_SURVEY(0));
	survey_add(sum, PG_GETARG_SURVEY(1));
	PG_RETURN_POINTER(sum);
}

Datum
nps_survey_subtract(PG_FUNCTION_ARGS)
{
	NpsSurvey  *rest = survey_copy(PG_GETARG_SURVEY(0));

	survey_subtract(rest, PG_GETARG_SURVEY(1));
	PG_RETURN_POINTER(rest);
}
