/*
 * survey_aggregate.c
 *	  The aggregates nps_survey, rollup, nps, csat and ces.
 *
 * The state is a survey of fixed size in the aggregate's memory, changed in
 * place.  Counting is exact and so can be undone: each transition has its
 * inverse, which makes a window that moves by a row cost a row, whatever its
 * length.
 *
 * A moving aggregate must have a state from its first row on, even if the
 * answer is NULL: NULL from an inverse transition would mean "cannot".  So
 * every first row makes an empty survey, and the final function returns NULL
 * for one that stayed empty or has become so again.
 */
#include "postgres.h"

#include "common/int.h"
#include "fmgr.h"

#include "aggregate.h"
#include "survey.h"

PG_FUNCTION_INFO_V1(nps_survey_transition);
PG_FUNCTION_INFO_V1(nps_survey_inverse_transition);
PG_FUNCTION_INFO_V1(nps_survey_scale_transition);
PG_FUNCTION_INFO_V1(loyalty_csat_transition);
PG_FUNCTION_INFO_V1(loyalty_csat_inverse_transition);
PG_FUNCTION_INFO_V1(loyalty_ces_transition);
PG_FUNCTION_INFO_V1(nps_survey_combine);
PG_FUNCTION_INFO_V1(nps_survey_combine_inverse);
PG_FUNCTION_INFO_V1(nps_survey_final);

/* The scale of ces(score). */
#define CES_LOWEST	1
#define CES_HIGHEST	7

/* Where a support function is called directly. */
#define AGGREGATE_HINT \
	"Use the aggregate nps_survey(score), or merge(s, s) for two surveys."

/* The state, which has that scale if this is its first row. */
static inline NpsSurvey *
state_of_arg(FunctionCallInfo fcinfo, int lowest, int highest)
{
	MemoryContext context = aggregate_context(fcinfo, AGGREGATE_HINT);
	NpsSurvey  *state;

	if (likely(!PG_ARGISNULL(0)))
		return PG_GETARG_SURVEY(0);

	context = MemoryContextSwitchTo(context);
	state = survey_new(lowest, highest);
	MemoryContextSwitchTo(context);
	return state;
}

static void
answer_out_of_scale(int64 score, int lowest, int highest)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("score is " INT64_FORMAT ", but must be from %d to %d", score, lowest, highest),
			 errhint("Leave such rows out, for example with FILTER (WHERE score BETWEEN %d AND %d), or name the scale of the answers: nps_survey(score, lowest, highest).",
					 lowest, highest)));
}

static inline void
count_score(NpsSurvey *state, int64 score)
{
	int64	   *count;
#ifdef USE_ASSERT_CHECKING
	bool		was_sound = survey_is_sound(state);
#endif

	if (unlikely(score < state->lowest || score > state->highest))
		answer_out_of_scale(score, state->lowest, state->highest);
	count = &state->counts[score - state->lowest];
	if (unlikely(pg_add_s64_overflow(*count, 1, count)))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("too many answers for an nps_survey")));
	Assert(!was_sound || survey_is_sound(state));
}

/* Takes away an answer that was counted before. */
static inline void
uncount_score(NpsSurvey *state, int64 score)
{
#ifdef USE_ASSERT_CHECKING
	bool		was_sound = survey_is_sound(state);
#endif

	if (unlikely(score < state->lowest || score > state->highest ||
				 state->counts[score - state->lowest] <= 0))
		elog(ERROR, "answer was not counted");
	state->counts[score - state->lowest]--;
	Assert(!was_sound || survey_is_sound(state));
}

/* nps_survey(score), nps(score): (state, score) */
Datum
nps_survey_transition(PG_FUNCTION_ARGS)
{
	NpsSurvey  *state = state_of_arg(fcinfo, NPS_LOWEST, NPS_HIGHEST);

	if (!PG_ARGISNULL(1))
		count_score(state, PG_GETARG_INT64(1));
	PG_RETURN_POINTER(state);
}

/* ces(score): (state, score) */
Datum
loyalty_ces_transition(PG_FUNCTION_ARGS)
{
	NpsSurvey  *state = state_of_arg(fcinfo, CES_LOWEST, CES_HIGHEST);

	if (!PG_ARGISNULL(1))
		count_score(state, PG_GETARG_INT64(1));
	PG_RETURN_POINTER(state);
}

/* nps_survey(score, lowest, highest): (state, score, lowest, highest) */
Datum
nps_survey_scale_transition(PG_FUNCTION_ARGS)
{
	NpsSurvey  *state;
	int			lowest,
				highest;

	if (PG_ARGISNULL(2) || PG_ARGISNULL(3))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be NULL", PG_ARGISNULL(2) ? "lowest" : "highest")));
	lowest = PG_GETARG_INT32(2);
	highest = PG_GETARG_INT32(3);
	if (PG_ARGISNULL(0) && !scale_is_valid(lowest, highest))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("lowest is %d and highest is %d, but the scale must lie within 0 to %d and have at least two points",
						lowest, highest, SCALE_MAX),
				 errhint("Usual scales are 0 to 10, 1 to 10, 1 to 5 and 1 to 7.")));

	state = state_of_arg(fcinfo, lowest, highest);
	if (unlikely(lowest != state->lowest || highest != state->highest))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("lowest and highest must be the same in all rows, but are %d and %d after %d and %d",
						lowest, highest, state->lowest, state->highest),
				 errhint("Keep answers on different scales apart, for example with GROUP BY question.")));
	if (!PG_ARGISNULL(1))
		count_score(state, PG_GETARG_INT64(1));
	PG_RETURN_POINTER(state);
}

/* The inverse of the three above: (state, score, ...) */
Datum
nps_survey_inverse_transition(PG_FUNCTION_ARGS)
{
	NpsSurvey  *state = state_of_arg(fcinfo, NPS_LOWEST, NPS_HIGHEST);

	if (!PG_ARGISNULL(1))
		uncount_score(state, PG_GETARG_INT64(1));
	PG_RETURN_POINTER(state);
}

/*
 * csat(score, satisfied_from): (state, score, satisfied_from).  The answers
 * may be on any scale; the state's has two points, 0 and 1: satisfied.
 */
static NpsSurvey *
satisfaction_of_args(FunctionCallInfo fcinfo, int64 *satisfied)
{
	NpsSurvey  *state = state_of_arg(fcinfo, 0, 1);
	int64		score;

	*satisfied = -1;
	if (PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("satisfied_from must not be NULL"),
				 errhint("On a scale of 1 to 5 it is 4.")));
	if (PG_GETARG_INT32(2) < 1 || PG_GETARG_INT32(2) > SCALE_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("satisfied_from is %d, but must be from 1 to %d",
						PG_GETARG_INT32(2), SCALE_MAX),
				 errhint("On a scale of 1 to 5 it is 4.")));
	if (PG_ARGISNULL(1))
		return state;
	score = PG_GETARG_INT64(1);
	if (score < 0 || score > SCALE_MAX)
		answer_out_of_scale(score, 0, SCALE_MAX);
	*satisfied = score >= PG_GETARG_INT32(2);
	return state;
}

Datum
loyalty_csat_transition(PG_FUNCTION_ARGS)
{
	int64		satisfied;
	NpsSurvey  *state = satisfaction_of_args(fcinfo, &satisfied);

	if (satisfied >= 0)
		count_score(state, satisfied);
	PG_RETURN_POINTER(state);
}

Datum
loyalty_csat_inverse_transition(PG_FUNCTION_ARGS)
{
	int64		satisfied;
	NpsSurvey  *state = satisfaction_of_args(fcinfo, &satisfied);

	if (satisfied >= 0)
		uncount_score(state, satisfied);
	PG_RETURN_POINTER(state);
}

/*
 * Adds a survey, or a partial state, to the state.  As the combine function
 * NULL is neutral; rollup declares the same function strict, because it has
 * no scale for an empty state.
 */
Datum
nps_survey_combine(PG_FUNCTION_ARGS)
{
	NpsSurvey  *state;
	NpsSurvey  *other;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	other = PG_GETARG_SURVEY(1);
	state = state_of_arg(fcinfo, other->lowest, other->highest);
	survey_add(state, other);
	PG_RETURN_POINTER(state);
}

/* Strict, the inverse of rollup's transition. */
Datum
nps_survey_combine_inverse(PG_FUNCTION_ARGS)
{
	NpsSurvey  *state = state_of_arg(fcinfo, NPS_LOWEST, NPS_HIGHEST);

	survey_subtract(state, PG_GETARG_SURVEY(1));
	PG_RETURN_POINTER(state);
}

Datum
nps_survey_final(PG_FUNCTION_ARGS)
{
	NpsSurvey  *state;

	(void) aggregate_context(fcinfo, AGGREGATE_HINT);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = PG_GETARG_SURVEY(0);
	for (int i = 0; i < survey_points(state); i++)
		if (state->counts[i] != 0)
			PG_RETURN_POINTER(state);
	PG_RETURN_NULL();
}
