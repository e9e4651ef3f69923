-- The aggregates that build and merge surveys, and those that give a score at
-- once.  All of them are parallel, and moving: a window frame that moves by a
-- row costs a row.  The score is bigint: smallint and integer cast implicitly.

CREATE FUNCTION loyalty.nps_survey_transition(loyalty.nps_survey, bigint) RETURNS loyalty.nps_survey
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.nps_survey_transition(loyalty.nps_survey, bigint)
	IS 'Transition function of the aggregates nps_survey(score) and nps.';

CREATE FUNCTION loyalty.nps_survey_inverse_transition(loyalty.nps_survey, bigint) RETURNS loyalty.nps_survey
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.nps_survey_inverse_transition(loyalty.nps_survey, bigint)
	IS 'Inverse transition function of the aggregates nps_survey(score), nps and ces.';

CREATE FUNCTION loyalty.nps_survey_transition(loyalty.nps_survey, bigint, integer, integer) RETURNS loyalty.nps_survey
	AS 'MODULE_PATHNAME', 'nps_survey_scale_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.nps_survey_transition(loyalty.nps_survey, bigint, integer, integer)
	IS 'Transition function of the aggregate nps_survey(score, lowest, highest).';

CREATE FUNCTION loyalty.nps_survey_inverse_transition(loyalty.nps_survey, bigint, integer, integer) RETURNS loyalty.nps_survey
	AS 'MODULE_PATHNAME', 'nps_survey_inverse_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.nps_survey_inverse_transition(loyalty.nps_survey, bigint, integer, integer)
	IS 'Inverse transition function of the aggregate nps_survey(score, lowest, highest).';

CREATE FUNCTION loyalty.csat_transition(loyalty.nps_survey, bigint, integer) RETURNS loyalty.nps_survey
	AS 'MODULE_PATHNAME', 'loyalty_csat_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.csat_transition(loyalty.nps_survey, bigint, integer)
	IS 'Transition function of the aggregate csat.';

CREATE FUNCTION loyalty.csat_inverse_transition(loyalty.nps_survey, bigint, integer) RETURNS loyalty.nps_survey
	AS 'MODULE_PATHNAME', 'loyalty_csat_inverse_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.csat_inverse_transition(loyalty.nps_survey, bigint, integer)
	IS 'Inverse transition function of the aggregate csat.';

CREATE FUNCTION loyalty.ces_transition(loyalty.nps_survey, bigint) RETURNS loyalty.nps_survey
	AS 'MODULE_PATHNAME', 'loyalty_ces_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.ces_transition(loyalty.nps_survey, bigint)
	IS 'Transition function of the aggregate ces.';

CREATE FUNCTION loyalty.nps_survey_combine(loyalty.nps_survey, loyalty.nps_survey) RETURNS loyalty.nps_survey
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.nps_survey_combine(loyalty.nps_survey, loyalty.nps_survey)
	IS 'Combine function of all aggregates of surveys. NULL is neutral.';

CREATE FUNCTION loyalty.nps_survey_final(loyalty.nps_survey) RETURNS loyalty.nps_survey
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.nps_survey_final(loyalty.nps_survey)
	IS 'Final function of the aggregates nps_survey: NULL without answers.';

CREATE FUNCTION loyalty.nps_survey_rollup_transition(loyalty.nps_survey, loyalty.nps_survey) RETURNS loyalty.nps_survey
	AS 'MODULE_PATHNAME', 'nps_survey_combine' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.nps_survey_rollup_transition(loyalty.nps_survey, loyalty.nps_survey)
	IS 'Transition function of the aggregate rollup.';

CREATE FUNCTION loyalty.nps_survey_rollup_inverse_transition(loyalty.nps_survey, loyalty.nps_survey) RETURNS loyalty.nps_survey
	AS 'MODULE_PATHNAME', 'nps_survey_combine_inverse' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.nps_survey_rollup_inverse_transition(loyalty.nps_survey, loyalty.nps_survey)
	IS 'Inverse transition function of the aggregate rollup.';

CREATE FUNCTION loyalty.nps_final(loyalty.nps_survey) RETURNS double precision
	AS 'MODULE_PATHNAME', 'loyalty_nps_final' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.nps_final(loyalty.nps_survey)
	IS 'Final function of the aggregate nps.';

CREATE FUNCTION loyalty.survey_mean_final(loyalty.nps_survey) RETURNS double precision
	AS 'MODULE_PATHNAME', 'loyalty_survey_mean' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.survey_mean_final(loyalty.nps_survey)
	IS 'Final function of the aggregates csat, whose answers are 0 and 1, and ces.';

CREATE AGGREGATE loyalty.nps_survey(score bigint) (
	SFUNC = loyalty.nps_survey_transition, STYPE = loyalty.nps_survey, SSPACE = 112,
	COMBINEFUNC = loyalty.nps_survey_combine,
	FINALFUNC = loyalty.nps_survey_final, FINALFUNC_MODIFY = READ_ONLY,
	MSFUNC = loyalty.nps_survey_transition, MINVFUNC = loyalty.nps_survey_inverse_transition,
	MSTYPE = loyalty.nps_survey, MSSPACE = 112,
	MFINALFUNC = loyalty.nps_survey_final, MFINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE loyalty.nps_survey(bigint)
	IS 'The answers on the scale 0..10. NULL answers are ignored; no answers: NULL. Errors: 22003 for a score outside the scale.';

CREATE AGGREGATE loyalty.nps_survey(score bigint, lowest integer, highest integer) (
	SFUNC = loyalty.nps_survey_transition, STYPE = loyalty.nps_survey, SSPACE = 112,
	COMBINEFUNC = loyalty.nps_survey_combine,
	FINALFUNC = loyalty.nps_survey_final, FINALFUNC_MODIFY = READ_ONLY,
	MSFUNC = loyalty.nps_survey_transition, MINVFUNC = loyalty.nps_survey_inverse_transition,
	MSTYPE = loyalty.nps_survey, MSSPACE = 112,
	MFINALFUNC = loyalty.nps_survey_final, MFINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE loyalty.nps_survey(bigint, integer, integer)
	IS 'The answers on the scale lowest..highest, within 0..10 and the same in all rows. NULL answers are ignored; no answers: NULL. Errors: 22003 for a score outside the scale, 22023 for an impossible or a changing scale, 22004 for NULL as scale.';

CREATE AGGREGATE loyalty.rollup(s loyalty.nps_survey) (
	SFUNC = loyalty.nps_survey_rollup_transition, STYPE = loyalty.nps_survey, SSPACE = 112,
	COMBINEFUNC = loyalty.nps_survey_combine,
	MSFUNC = loyalty.nps_survey_rollup_transition, MINVFUNC = loyalty.nps_survey_rollup_inverse_transition,
	MSTYPE = loyalty.nps_survey, MSSPACE = 112,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE loyalty.rollup(loyalty.nps_survey)
	IS 'The answers of all surveys: right for any of their scores, which do not add up themselves. NULLs are ignored; none left: NULL. Errors: 42804 for surveys of two scales, 22003 for more than 2^63 - 1 answers.';

CREATE AGGREGATE loyalty.nps(score bigint) (
	SFUNC = loyalty.nps_survey_transition, STYPE = loyalty.nps_survey, SSPACE = 112,
	COMBINEFUNC = loyalty.nps_survey_combine,
	FINALFUNC = loyalty.nps_final, FINALFUNC_MODIFY = READ_ONLY,
	MSFUNC = loyalty.nps_survey_transition, MINVFUNC = loyalty.nps_survey_inverse_transition,
	MSTYPE = loyalty.nps_survey, MSSPACE = 112,
	MFINALFUNC = loyalty.nps_final, MFINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE loyalty.nps(bigint)
	IS 'Net Promoter Score, -100 to 100, of answers on the scale 0..10 (or 1..10): percentage of 9 and 10 minus percentage of 0 to 6. NULL answers are ignored; no answers: NULL. For other cut points, and for intervals: nps(nps_survey(score), ...). Errors: 22003 for a score outside the scale.';

CREATE AGGREGATE loyalty.csat(score bigint, satisfied_from integer) (
	SFUNC = loyalty.csat_transition, STYPE = loyalty.nps_survey, SSPACE = 112,
	COMBINEFUNC = loyalty.nps_survey_combine,
	FINALFUNC = loyalty.survey_mean_final, FINALFUNC_MODIFY = READ_ONLY,
	MSFUNC = loyalty.csat_transition, MINVFUNC = loyalty.csat_inverse_transition,
	MSTYPE = loyalty.nps_survey, MSSPACE = 112,
	MFINALFUNC = loyalty.survey_mean_final, MFINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE loyalty.csat(bigint, integer)
	IS 'Share of satisfied answers, those of at least satisfied_from (4 on a scale of 1 to 5), 0 to 1. NULL answers are ignored; no answers: NULL. Errors: 22003 for a score outside 0..10, 22023 for satisfied_from outside 1..10, 22004 for NULL as satisfied_from.';

CREATE AGGREGATE loyalty.ces(score bigint) (
	SFUNC = loyalty.ces_transition, STYPE = loyalty.nps_survey, SSPACE = 112,
	COMBINEFUNC = loyalty.nps_survey_combine,
	FINALFUNC = loyalty.survey_mean_final, FINALFUNC_MODIFY = READ_ONLY,
	MSFUNC = loyalty.ces_transition, MINVFUNC = loyalty.nps_survey_inverse_transition,
	MSTYPE = loyalty.nps_survey, MSSPACE = 112,
	MFINALFUNC = loyalty.survey_mean_final, MFINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE loyalty.ces(bigint)
	IS 'Customer Effort Score: mean of answers on the scale 1..7 (or 1..5). NULL answers are ignored; no answers: NULL. For other scales: ces(nps_survey(score, lowest, highest)). Errors: 22003 for a score outside 1..7.';
