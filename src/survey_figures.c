/*
 * survey_figures.c
 *	  The figures of a survey, one by one and as a report.
 *
 * Every function reads the tally and the arguments that choose the figure,
 * and complains about the latter even where there is no answer.  The
 * arithmetic is that of survey_statistics.c; a figure that does not exist is
 * NaN there and NULL here.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/tuplestore.h"

#include "rates.h"
#include "report.h"
#include "survey.h"

#define PROMOTER_FROM	9
#define DETRACTOR_TO	6

/* Shares above and below which csat_band is not "acceptable". */
#define EXCELLENT		0.80
#define ALARMING		0.50

/* ---------- arguments ---------- */

static int
arg_integer(FunctionCallInfo fcinfo, int arg, int default_value)
{
	return PG_ARGISNULL(arg) ? default_value : PG_GETARG_INT32(arg);
}

/* A point of the scale, one that leaves others on its far side. */
static void
check_point(const char *name, int point, int lowest, int highest, const SurveyTally *tally,
			const char *hint)
{
	if (point < lowest || point > highest)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is %d, but must be from %d to %d on the scale %d..%d",
						name, point, lowest, highest, tally->lowest, tally->highest),
				 errhint("%s", hint)));
}

/* Two cut points that must not meet. */
static void
check_order(const char *lower_name, int lower, const char *upper_name, int upper)
{
	if (lower >= upper)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is %d, but must be less than %s, %d",
						lower_name, lower, upper_name, upper),
				 errhint("Answers in between are neither the one nor the other.")));
}

static NpsCounts
checked_nps_counts(const SurveyTally *tally, int promoter_from, int detractor_to)
{
	static const char hint[] =
		"9 and 6 are for the scales 0..10 and 1..10; on others give both promoter_from and detractor_to.";

	check_point("promoter_from", promoter_from, tally->lowest + 1, tally->highest, tally, hint);
	check_point("detractor_to", detractor_to, tally->lowest, tally->highest - 1, tally, hint);
	check_order("detractor_to", detractor_to, "promoter_from", promoter_from);
	return nps_counts(tally, promoter_from, detractor_to);
}

/* Of the arguments promoter_from and detractor_to; NULL: 9 and 6. */
static NpsCounts
arg_nps(FunctionCallInfo fcinfo, int arg, const SurveyTally *tally)
{
	return checked_nps_counts(tally, arg_integer(fcinfo, arg, PROMOTER_FROM),
							  arg_integer(fcinfo, arg + 1, DETRACTOR_TO));
}

/* In the order of NpsMethod; "all" is for nps_interval only. */
static const char *const methods[] = {"adjusted_wald", "wald", "score", "all"};

#define METHODS		3

StaticAssertDecl(NPS_ADJUSTED_WALD == 0 && NPS_WALD == 1 && NPS_SCORE == 2,
				 "methods are numbered as they are named");

static NpsMethod
arg_method(FunctionCallInfo fcinfo, int arg)
{
	return (NpsMethod) arg_choice(fcinfo, arg, "method", methods, METHODS);
}

/*
 * Satisfied answers, by the argument satisfied_from.  NULL: the two highest
 * points of the scale, or the higher of two.
 */
static int64
arg_satisfied(FunctionCallInfo fcinfo, int arg, const SurveyTally *tally)
{
	int			from = arg_integer(fcinfo, arg, Max(tally->highest - 1, tally->lowest + 1));

	check_point("satisfied_from", from, tally->lowest + 1, tally->highest, tally,
				"Answers from satisfied_from on count as satisfied; not all points can.");
	return tally_from(tally, from);
}

/*
 * Answers that found it easy, and difficult.  Where low is easy the scale is
 * read from its other end: easy_from and what lies below it is easy.
 */
typedef struct Effort
{
	int64		easy;
	int64		difficult;
} Effort;

/* The usual cut points: 5 and 3 of 1 to 7, 4 and 2 of 1 to 5. */
static bool
has_effort_defaults(const SurveyTally *tally)
{
	return tally->lowest == 1 && (tally->highest == 7 || tally->highest == 5);
}

static int
arg_effort_point(FunctionCallInfo fcinfo, int arg, const char *name, const SurveyTally *tally,
				 bool upper)
{
	static const char hint[] =
		"Only the scales 1..7 and 1..5 have usual values: 5 and 3, or 4 and 2. With low_is_easy they change places.";
	int			middle = (tally->lowest + tally->highest) / 2;

	if (PG_ARGISNULL(arg) && !has_effort_defaults(tally))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is lacking for the scale %d..%d", name, tally->lowest, tally->highest),
				 errhint("%s", hint)));
	if (upper)
	{
		int			from = arg_integer(fcinfo, arg, middle + 1);

		check_point(name, from, tally->lowest + 1, tally->highest, tally, hint);
		return from;
	}
	else
	{
		int			to = arg_integer(fcinfo, arg, middle - 1);

		check_point(name, to, tally->lowest, tally->highest - 1, tally, hint);
		return to;
	}
}

/* difficult_arg -1: the function has no such argument. */
static Effort
arg_effort(FunctionCallInfo fcinfo, int easy_arg, int difficult_arg, bool low_is_easy,
		   const SurveyTally *tally)
{
	Effort		effort = {0, 0};
	int			easy = arg_effort_point(fcinfo, easy_arg, "easy_from", tally, !low_is_easy);

	effort.easy = low_is_easy ? tally_to(tally, easy) : tally_from(tally, easy);
	if (difficult_arg >= 0)
	{
		int			difficult = arg_effort_point(fcinfo, difficult_arg, "difficult_to", tally,
												 low_is_easy);

		if (low_is_easy)
			check_order("easy_from", easy, "difficult_to", difficult);
		else
			check_order("difficult_to", difficult, "easy_from", easy);
		effort.difficult = low_is_easy ? tally_from(tally, difficult) : tally_to(tally, difficult);
	}
	return effort;
}

/* Mean effort; where low is easy, that of the mirrored answers. */
static double
effort_mean(const SurveyTally *tally, bool low_is_easy)
{
	double		mean = tally_mean(tally);

	return low_is_easy ? tally->lowest + tally->highest - mean : mean;
}

/* Answers at so many points at the end of the scale. */
static int64
arg_box(FunctionCallInfo fcinfo, int arg, const SurveyTally *tally, bool top)
{
	int			points = arg_integer(fcinfo, arg, 1);

	check_point("points", points, 1, tally->highest - tally->lowest, tally,
				"A box of one point holds the answers at the end of the scale; it cannot hold the whole scale.");
	return top ? tally_from(tally, tally->highest - points + 1)
		: tally_to(tally, tally->lowest + points - 1);
}

/* ---------- one figure ---------- */

static Datum
figure_datum(FunctionCallInfo fcinfo, const SurveyTally *tally, double value)
{
	if (tally->answers == 0 || isnan(value))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(value);
}

/*
 * A function of the survey in argument 0, NULL for NULL.  The expression may
 * use tally and fcinfo; FIGURE gives double precision, COUNT bigint.
 */
#define FIGURE(name, expression) \
PG_FUNCTION_INFO_V1(name); \
Datum \
name(PG_FUNCTION_ARGS) \
{ \
	SurveyTally tally; \
\
	if (PG_ARGISNULL(0)) \
		PG_RETURN_NULL(); \
	tally = survey_tally(PG_GETARG_SURVEY(0)); \
	return figure_datum(fcinfo, &tally, (expression)); \
}

#define COUNT(name, expression) \
PG_FUNCTION_INFO_V1(name); \
Datum \
name(PG_FUNCTION_ARGS) \
{ \
	SurveyTally tally = survey_tally(PG_GETARG_SURVEY(0)); \
\
	PG_RETURN_INT64(expression); \
}

/* (s, promoter_from, detractor_to) */
COUNT(loyalty_answers, tally.answers)
COUNT(loyalty_promoters, arg_nps(fcinfo, 1, &tally).promoters)
COUNT(loyalty_passives, arg_nps(fcinfo, 1, &tally).passives)
COUNT(loyalty_detractors, arg_nps(fcinfo, 1, &tally).detractors)
FIGURE(loyalty_nps, nps_score(arg_nps(fcinfo, 1, &tally)))
FIGURE(loyalty_nps_standard_error, nps_standard_error(arg_nps(fcinfo, 1, &tally)))

/* (s, confidence, method, promoter_from, detractor_to) */
static ConfidenceInterval
arg_nps_interval(FunctionCallInfo fcinfo, const SurveyTally *tally)
{
	double		z = arg_confidence(fcinfo, 1);
	NpsMethod	method = arg_method(fcinfo, 2);

	return nps_interval(arg_nps(fcinfo, 3, tally), method, z);
}

static double
arg_nps_margin(FunctionCallInfo fcinfo, const SurveyTally *tally)
{
	double		z = arg_confidence(fcinfo, 1);
	NpsMethod	method = arg_method(fcinfo, 2);

	return nps_margin(arg_nps(fcinfo, 3, tally), method, z);
}

FIGURE(loyalty_nps_low, arg_nps_interval(fcinfo, &tally).low)
FIGURE(loyalty_nps_high, arg_nps_interval(fcinfo, &tally).high)
FIGURE(loyalty_nps_margin, arg_nps_margin(fcinfo, &tally))

/* The final function of nps(score): (state), which anybody may call with a survey of another scale */
FIGURE(loyalty_nps_final, nps_score(checked_nps_counts(&tally, PROMOTER_FROM, DETRACTOR_TO)))

/* (s, satisfied_from) and (s, confidence, satisfied_from) */
static ConfidenceInterval
arg_csat_interval(FunctionCallInfo fcinfo, const SurveyTally *tally)
{
	double		z = arg_confidence(fcinfo, 1);

	return wilson_interval(arg_satisfied(fcinfo, 2, tally), tally->answers, z);
}

FIGURE(loyalty_csat, tally_share(&tally, arg_satisfied(fcinfo, 1, &tally)))
FIGURE(loyalty_csat_low, arg_csat_interval(fcinfo, &tally).low)
FIGURE(loyalty_csat_high, arg_csat_interval(fcinfo, &tally).high)

/* (s, low_is_easy), (s, easy_from, low_is_easy), (s, easy_from, difficult_to, low_is_easy) */
static bool
arg_low_is_easy(FunctionCallInfo fcinfo, int arg)
{
	return !PG_ARGISNULL(arg) && PG_GETARG_BOOL(arg);
}

static double
arg_net_ease(FunctionCallInfo fcinfo, const SurveyTally *tally)
{
	Effort		effort = arg_effort(fcinfo, 1, 2, arg_low_is_easy(fcinfo, 3), tally);

	return tally_share(tally, effort.easy - effort.difficult);
}

FIGURE(loyalty_ces, effort_mean(&tally, arg_low_is_easy(fcinfo, 1)))
FIGURE(loyalty_ces_easy,
	   tally_share(&tally, arg_effort(fcinfo, 1, -1, arg_low_is_easy(fcinfo, 2), &tally).easy))
FIGURE(loyalty_ces_net, arg_net_ease(fcinfo, &tally))

/* (s), (s, points) */
FIGURE(loyalty_survey_mean, tally_mean(&tally))
FIGURE(loyalty_survey_median, tally_median(&tally))
FIGURE(loyalty_survey_stddev, tally_stddev(&tally))
FIGURE(loyalty_survey_index, tally_index(&tally))
FIGURE(loyalty_top_box, tally_share(&tally, arg_box(fcinfo, 1, &tally, true)))
FIGURE(loyalty_bottom_box, tally_share(&tally, arg_box(fcinfo, 1, &tally, false)))

/* ---------- rows ---------- */

/* The columns of a row from left to right. */
typedef struct Row
{
	int			columns;
	Datum		values[32];
	bool		nulls[32];
} Row;

static void
add_datum(Row *row, Datum value, bool is_null)
{
	Assert(row->columns < lengthof(row->values));
	row->values[row->columns] = value;
	row->nulls[row->columns] = is_null;
	row->columns++;
}

static void
add_count(Row *row, int64 value)
{
	add_datum(row, Int64GetDatum(value), false);
}

static void
add_figure(Row *row, double value)
{
	add_datum(row, Float8GetDatum(value), isnan(value));
}

static void
emit_row(FunctionCallInfo fcinfo, Row *row)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	Assert(row->columns == result->setDesc->natts);
	tuplestore_putvalues(result->setResult, result->setDesc, row->values, row->nulls);
}

/* nps_interval(s, confidence, method, promoter_from, detractor_to) */
PG_FUNCTION_INFO_V1(loyalty_nps_interval);

Datum
loyalty_nps_interval(PG_FUNCTION_ARGS)
{
	double		z = arg_confidence(fcinfo, 1);
	int			first = arg_choice(fcinfo, 2, "method", methods, METHODS + 1);
	int			last = first;
	SurveyTally tally;
	NpsCounts	counts;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	tally = survey_tally(PG_GETARG_SURVEY(0));
	counts = arg_nps(fcinfo, 3, &tally);

	if (first == METHODS)
	{
		first = 0;
		last = METHODS - 1;
	}
	for (int i = first; i <= last; i++)
	{
		ConfidenceInterval limits = {NAN, NAN};
		double		margin = NAN;
		Row			row = {0};

		if (tally.answers > 0)
		{
			limits = nps_interval(counts, (NpsMethod) i, z);
			margin = nps_margin(counts, (NpsMethod) i, z);
		}
		add_datum(&row, CStringGetTextDatum(methods[i]), false);
		add_count(&row, tally.answers);
		add_figure(&row, tally.answers > 0 ? nps_score(counts) : NAN);
		add_figure(&row, limits.low);
		add_figure(&row, limits.high);
		add_figure(&row, margin);
		emit_row(fcinfo, &row);
	}
	PG_RETURN_NULL();
}

/* nps_difference(a, b, confidence, promoter_from, detractor_to) */
PG_FUNCTION_INFO_V1(loyalty_nps_difference);

Datum
loyalty_nps_difference(PG_FUNCTION_ARGS)
{
	SurveyTally a = survey_tally(PG_GETARG_SURVEY(0));
	SurveyTally b = survey_tally(PG_GETARG_SURVEY(1));
	double		z = arg_confidence(fcinfo, 2);
	NpsCounts	a_counts = arg_nps(fcinfo, 3, &a);
	NpsCounts	b_counts = arg_nps(fcinfo, 3, &b);
	NpsDifference result = {NAN, NAN, NAN, NAN, NAN};
	TupleDesc	columns;
	Row			row = {0};

	if (a.answers > 0 && b.answers > 0)
		result = nps_difference(a_counts, b_counts, z);
	add_figure(&row, result.difference);
	add_figure(&row, result.low);
	add_figure(&row, result.high);
	add_figure(&row, result.z);
	add_figure(&row, result.p_value);

	if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns),
													  row.values, row.nulls)));
}

static void
check_share(const char *name, double share, double highest, const char *highest_name)
{
	if (!(share >= 0.0 && share <= highest))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is %g, but must be from 0 to %s%g", name, share, highest_name, highest),
				 errhint("Shares are fractions: 80 percent are 0.80.")));
}

static const char *
band_name(double rate, double excellent, double alarming)
{
	check_share("excellent", excellent, 1.0, "");
	check_share("alarming", alarming, excellent, "excellent, ");
	if (isnan(rate))
		return NULL;
	return rate > excellent ? "excellent" : rate < alarming ? "alarming" : "acceptable";
}

/* csat_band(rate, excellent, alarming) */
PG_FUNCTION_INFO_V1(loyalty_csat_band);

Datum
loyalty_csat_band(PG_FUNCTION_ARGS)
{
	check_share("rate", PG_GETARG_FLOAT8(0), 1.0, "");
	PG_RETURN_TEXT_P(cstring_to_text(band_name(PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1),
											   PG_GETARG_FLOAT8(2))));
}

/*
 * Every figure of a survey.  What has no usual meaning on its scale, and no
 * arguments to give it one, is NULL: promoters on 1..5, ease on 0..10.
 */
PG_FUNCTION_INFO_V1(loyalty_survey_report);

Datum
loyalty_survey_report(PG_FUNCTION_ARGS)
{
	enum
	{
		SURVEY, CONFIDENCE, METHOD, SATISFIED_FROM, EASY_FROM, DIFFICULT_TO, LOW_IS_EASY,
		BOX_POINTS, BAND_EXCELLENT, BAND_ALARMING, NPS_PROMOTER_FROM, NPS_DETRACTOR_TO
	};
	double		z = arg_confidence(fcinfo, CONFIDENCE);
	NpsMethod	method = arg_method(fcinfo, METHOD);
	bool		low_is_easy = arg_low_is_easy(fcinfo, LOW_IS_EASY);
	bool		any;
	SurveyTally tally;
	int64		satisfied,
				top,
				bottom;
	double		share;
	const char *band;
	Row			row = {0};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(SURVEY))
		PG_RETURN_NULL();
	tally = survey_tally(PG_GETARG_SURVEY(SURVEY));
	any = tally.answers > 0;
	add_datum(&row, Int32GetDatum(tally.lowest), false);
	add_datum(&row, Int32GetDatum(tally.highest), false);
	add_count(&row, tally.answers);

	if (!PG_ARGISNULL(NPS_PROMOTER_FROM) || !PG_ARGISNULL(NPS_DETRACTOR_TO) ||
		(tally.lowest <= 1 && tally.highest == SCALE_MAX))
	{
		NpsCounts	counts = arg_nps(fcinfo, NPS_PROMOTER_FROM, &tally);
		ConfidenceInterval limits = nps_interval(counts, method, z);

		add_count(&row, counts.promoters);
		add_count(&row, counts.passives);
		add_count(&row, counts.detractors);
		add_figure(&row, any ? nps_score(counts) : NAN);
		add_figure(&row, any ? limits.low : NAN);
		add_figure(&row, any ? limits.high : NAN);
		add_figure(&row, any ? nps_margin(counts, method, z) : NAN);
		add_figure(&row, any ? nps_standard_error(counts) : NAN);
	}
	else
		for (int i = 0; i < 8; i++)
			add_datum(&row, (Datum) 0, true);

	satisfied = arg_satisfied(fcinfo, SATISFIED_FROM, &tally);
	share = any ? tally_share(&tally, satisfied) : NAN;
	band = band_name(share,
					 PG_ARGISNULL(BAND_EXCELLENT) ? EXCELLENT : PG_GETARG_FLOAT8(BAND_EXCELLENT),
					 PG_ARGISNULL(BAND_ALARMING) ? ALARMING : PG_GETARG_FLOAT8(BAND_ALARMING));
	add_count(&row, satisfied);
	add_figure(&row, share);
	add_figure(&row, any ? wilson_interval(satisfied, tally.answers, z).low : NAN);
	add_figure(&row, any ? wilson_interval(satisfied, tally.answers, z).high : NAN);
	add_datum(&row, band != NULL ? CStringGetTextDatum(band) : (Datum) 0, band == NULL);

	add_figure(&row, effort_mean(&tally, low_is_easy));
	if (!PG_ARGISNULL(EASY_FROM) || !PG_ARGISNULL(DIFFICULT_TO) || has_effort_defaults(&tally))
	{
		Effort		effort = arg_effort(fcinfo, EASY_FROM, DIFFICULT_TO, low_is_easy, &tally);

		add_count(&row, effort.easy);
		add_count(&row, effort.difficult);
		add_figure(&row, tally_share(&tally, effort.easy));
		add_figure(&row, tally_share(&tally, effort.easy - effort.difficult));
	}
	else
		for (int i = 0; i < 4; i++)
			add_datum(&row, (Datum) 0, true);

	add_figure(&row, tally_mean(&tally));
	add_figure(&row, tally_median(&tally));
	add_figure(&row, tally_stddev(&tally));
	add_figure(&row, tally_index(&tally));
	top = arg_box(fcinfo, BOX_POINTS, &tally, true);
	bottom = arg_box(fcinfo, BOX_POINTS, &tally, false);
	add_count(&row, top);
	add_figure(&row, tally_share(&tally, top));
	add_count(&row, bottom);
	add_figure(&row, tally_share(&tally, bottom));
	emit_row(fcinfo, &row);
	PG_RETURN_NULL();
}

/* ---------- around a survey ---------- */

/* nps_required_answers(margin, confidence, variance, population) */
PG_FUNCTION_INFO_V1(loyalty_nps_required_answers);

Datum
loyalty_nps_required_answers(PG_FUNCTION_ARGS)
{
	double		margin,
				variance,
				z;
	int64		population = 0;
	int64		answers;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	margin = PG_GETARG_FLOAT8(0);
	z = arg_confidence(fcinfo, 1);
	variance = PG_GETARG_FLOAT8(2);
	if (!(margin > 0.0 && margin <= 100.0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("margin is %g, but must be greater than 0 and at most 100", margin),
				 errhint("It is in points of NPS: 10 for a score of plus or minus 10 points.")));
	if (!(variance >= 0.0 && variance <= 1.0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("variance is %g, but must be from 0 to 1", variance),
				 errhint("1 is the worst case, half promoters and half detractors. From an earlier survey s it is answers(s) * (nps_standard_error(s) / 100) ^ 2.")));
	if (!PG_ARGISNULL(3))
	{
		population = PG_GETARG_INT64(3);
		if (population < 1)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("population is " INT64_FORMAT ", but must be 1 or more", population),
					 errhint("It is how many customers there are; NULL for very many.")));
	}

	answers = nps_required_answers(margin, variance, population, z);
	if (answers < 0)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("margin is %g, which takes more answers than a bigint can count", margin)));
	PG_RETURN_INT64(answers);
}

/* A count given as numeric, which is what sum(bigint) returns. */
static double
arg_count(FunctionCallInfo fcinfo, int arg, const char *name, double highest)
{
	double		count = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
														   PG_GETARG_DATUM(arg)));

	if (!(count >= 0.0 && count <= highest && count == floor(count)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is %s, but must be a whole number from 0 to %.0f", name,
						DatumGetCString(DirectFunctionCall1(numeric_out, PG_GETARG_DATUM(arg))),
						highest),
				 errhint("Of all who were invited, count each answer once.")));
	return count;
}

/* response_rate(answers, invitations) */
PG_FUNCTION_INFO_V1(loyalty_response_rate);

Datum
loyalty_response_rate(PG_FUNCTION_ARGS)
{
	double		invitations = arg_count(fcinfo, 1, "invitations", 0x1p63);
	double		answers = arg_count(fcinfo, 0, "answers", invitations);

	if (invitations == 0.0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(answers / invitations);
}

#define MAX_ECHO	60			/* bytes of input in a message */

/* Passes over blanks, also those of web pages (U+00A0). */
static const unsigned char *
skip_blanks(const unsigned char *text)
{
	for (;;)
	{
		if (*text == ' ' || (*text >= '\t' && *text <= '\r'))
			text++;
		else if (text[0] == 0xC2 && text[1] == 0xA0)
			text += 2;
		else
			return text;
	}
}

/* Passes over one of the dashes - (U+2010 to U+2015, U+2212 and hyphen). */
static const unsigned char *
skip_dash(const unsigned char *text)
{
	if (*text == '-')
		return text + 1;
	if (text[0] == 0xE2 && ((text[1] == 0x80 && text[2] >= 0x90 && text[2] <= 0x95) ||
							(text[1] == 0x88 && text[2] == 0x92)))
		return text + 3;
	return NULL;
}

/*
 * survey_score(text): a number from 0 to 10, or that number, a dash and a
 * label.  A label does not begin with a digit: 9-10 is a range.
 */
PG_FUNCTION_INFO_V1(loyalty_survey_score);

Datum
loyalty_survey_score(PG_FUNCTION_ARGS)
{
	const char *input = text_to_cstring(PG_GETARG_TEXT_PP(0));
	const unsigned char *text =
		(const unsigned char *) pg_server_to_any(input, (int) strlen(input), PG_UTF8);
	int			digits = 0;
	int			score = 0;

	text = skip_blanks(text);
	for (; *text >= '0' && *text <= '9' && digits < 3; text++, digits++)
		score = 10 * score + (*text - '0');
	if (digits > 0 && score <= SCALE_MAX && digits < 3)
	{
		const unsigned char *label;

		text = skip_blanks(text);
		if (*text == '\0')
			PG_RETURN_INT32(score);
		label = skip_dash(text);
		if (label != NULL)
		{
			label = skip_blanks(label);
			if (*label != '\0' && !(*label >= '0' && *label <= '9'))
				PG_RETURN_INT32(score);
		}
	}

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("not a survey score: \"%.*s\"",
					pg_mbcliplen(input, (int) strlen(input), MAX_ECHO), input),
			 errdetail("A score is a whole number from 0 to %d, which a dash and a label may follow.",
					   SCALE_MAX),
			 errhint("For example '10', ' 9 ' or '0 - Not at all likely'. Give NULL for no answer: nullif(trim(answer), '').")));
}
