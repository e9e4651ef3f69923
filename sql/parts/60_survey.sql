-- nps_survey: the type, its operators and casts.

CREATE TYPE loyalty.nps_survey;

CREATE FUNCTION loyalty.nps_survey_in(cstring) RETURNS loyalty.nps_survey
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.nps_survey_in(cstring)
	IS 'Text input of nps_survey: scale and answers at each of its points, 1..5:{2,0,3,10,7}. Errors: 22P02, 22003.';

CREATE FUNCTION loyalty.nps_survey_out(loyalty.nps_survey) RETURNS cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.nps_survey_out(loyalty.nps_survey)
	IS 'Text output of nps_survey: scale and answers at each of its points, at most 227 characters.';

CREATE FUNCTION loyalty.nps_survey_recv(internal) RETURNS loyalty.nps_survey
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.nps_survey_recv(internal)
	IS 'Binary input of nps_survey: version, scale and counts, validated. Errors: 22P03, 08P01.';

CREATE FUNCTION loyalty.nps_survey_send(loyalty.nps_survey) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.nps_survey_send(loyalty.nps_survey)
	IS 'Binary output of nps_survey: version, scale and counts, the same on every machine.';

-- PLAIN: 96 bytes for the scale of NPS, read and changed where they lie.
CREATE TYPE loyalty.nps_survey (
	INPUT = loyalty.nps_survey_in,
	OUTPUT = loyalty.nps_survey_out,
	RECEIVE = loyalty.nps_survey_recv,
	SEND = loyalty.nps_survey_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = plain
);
COMMENT ON TYPE loyalty.nps_survey
	IS 'How many answers each point of a rating scale received: exact 64-bit counts on a scale within 0..10. Surveys are built by the aggregate nps_survey(score), add up, and give NPS, CSAT and effort scores with their intervals.';

-- ---------- equality, order, hashing ----------

CREATE FUNCTION loyalty.nps_survey_eq(loyalty.nps_survey, loyalty.nps_survey) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION loyalty.nps_survey_eq(loyalty.nps_survey, loyalty.nps_survey)
	IS 'Whether two surveys have the same scale and the same number of answers at each point.';

CREATE FUNCTION loyalty.nps_survey_ne(loyalty.nps_survey, loyalty.nps_survey) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION loyalty.nps_survey_ne(loyalty.nps_survey, loyalty.nps_survey)
	IS 'Whether two surveys differ.';

CREATE FUNCTION loyalty.nps_survey_lt(loyalty.nps_survey, loyalty.nps_survey) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.nps_survey_lt(loyalty.nps_survey, loyalty.nps_survey)
	IS 'By scale, then by the answers from the lowest point on: for sorting only, it says nothing about satisfaction.';

CREATE FUNCTION loyalty.nps_survey_le(loyalty.nps_survey, loyalty.nps_survey) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.nps_survey_le(loyalty.nps_survey, loyalty.nps_survey)
	IS 'By scale, then by the answers from the lowest point on: for sorting only, it says nothing about satisfaction.';

CREATE FUNCTION loyalty.nps_survey_gt(loyalty.nps_survey, loyalty.nps_survey) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.nps_survey_gt(loyalty.nps_survey, loyalty.nps_survey)
	IS 'By scale, then by the answers from the lowest point on: for sorting only, it says nothing about satisfaction.';

CREATE FUNCTION loyalty.nps_survey_ge(loyalty.nps_survey, loyalty.nps_survey) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.nps_survey_ge(loyalty.nps_survey, loyalty.nps_survey)
	IS 'By scale, then by the answers from the lowest point on: for sorting only, it says nothing about satisfaction.';

CREATE FUNCTION loyalty.nps_survey_cmp(loyalty.nps_survey, loyalty.nps_survey) RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.nps_survey_cmp(loyalty.nps_survey, loyalty.nps_survey)
	IS 'The order of two surveys as -1, 0 or 1, for sorting only.';

CREATE FUNCTION loyalty.nps_survey_hash(loyalty.nps_survey) RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.nps_survey_hash(loyalty.nps_survey)
	IS 'Hash of scale and counts.';

CREATE FUNCTION loyalty.nps_survey_hash_extended(loyalty.nps_survey, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.nps_survey_hash_extended(loyalty.nps_survey, bigint)
	IS 'Hash of scale and counts, with a seed.';

CREATE OPERATOR loyalty.= (
	FUNCTION = loyalty.nps_survey_eq,
	LEFTARG = loyalty.nps_survey, RIGHTARG = loyalty.nps_survey,
	COMMUTATOR = OPERATOR(loyalty.=), NEGATOR = OPERATOR(loyalty.<>),
	RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR loyalty.= (loyalty.nps_survey, loyalty.nps_survey) IS 'the same survey';

CREATE OPERATOR loyalty.<> (
	FUNCTION = loyalty.nps_survey_ne,
	LEFTARG = loyalty.nps_survey, RIGHTARG = loyalty.nps_survey,
	COMMUTATOR = OPERATOR(loyalty.<>), NEGATOR = OPERATOR(loyalty.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR loyalty.<> (loyalty.nps_survey, loyalty.nps_survey) IS 'another survey';

CREATE OPERATOR loyalty.< (
	FUNCTION = loyalty.nps_survey_lt,
	LEFTARG = loyalty.nps_survey, RIGHTARG = loyalty.nps_survey,
	COMMUTATOR = OPERATOR(loyalty.>), NEGATOR = OPERATOR(loyalty.>=),
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR loyalty.< (loyalty.nps_survey, loyalty.nps_survey) IS 'order of surveys';

CREATE OPERATOR loyalty.<= (
	FUNCTION = loyalty.nps_survey_le,
	LEFTARG = loyalty.nps_survey, RIGHTARG = loyalty.nps_survey,
	COMMUTATOR = OPERATOR(loyalty.>=), NEGATOR = OPERATOR(loyalty.>),
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR loyalty.<= (loyalty.nps_survey, loyalty.nps_survey) IS 'order of surveys';

CREATE OPERATOR loyalty.> (
	FUNCTION = loyalty.nps_survey_gt,
	LEFTARG = loyalty.nps_survey, RIGHTARG = loyalty.nps_survey,
	COMMUTATOR = OPERATOR(loyalty.<), NEGATOR = OPERATOR(loyalty.<=),
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR loyalty.> (loyalty.nps_survey, loyalty.nps_survey) IS 'order of surveys';

CREATE OPERATOR loyalty.>= (
	FUNCTION = loyalty.nps_survey_ge,
	LEFTARG = loyalty.nps_survey, RIGHTARG = loyalty.nps_survey,
	COMMUTATOR = OPERATOR(loyalty.<=), NEGATOR = OPERATOR(loyalty.<),
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR loyalty.>= (loyalty.nps_survey, loyalty.nps_survey) IS 'order of surveys';

CREATE OPERATOR CLASS loyalty.nps_survey_ops
	DEFAULT FOR TYPE loyalty.nps_survey USING btree AS
	OPERATOR 1 loyalty.<, OPERATOR 2 loyalty.<=, OPERATOR 3 loyalty.=, OPERATOR 4 loyalty.>=, OPERATOR 5 loyalty.>,
	FUNCTION 1 loyalty.nps_survey_cmp(loyalty.nps_survey, loyalty.nps_survey);
COMMENT ON OPERATOR CLASS loyalty.nps_survey_ops USING btree IS 'DISTINCT, ORDER BY, UNION and unique indexes of surveys';
CREATE OPERATOR CLASS loyalty.nps_survey_ops
	DEFAULT FOR TYPE loyalty.nps_survey USING hash AS
	OPERATOR 1 loyalty.=,
	FUNCTION 1 loyalty.nps_survey_hash(loyalty.nps_survey),
	FUNCTION 2 loyalty.nps_survey_hash_extended(loyalty.nps_survey, bigint);
COMMENT ON OPERATOR CLASS loyalty.nps_survey_ops USING hash IS 'GROUP BY and hash joins of surveys';

-- ---------- casts ----------

CREATE FUNCTION loyalty.nps_survey(counts bigint[]) RETURNS loyalty.nps_survey
	AS 'MODULE_PATHNAME', 'nps_survey_from_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.nps_survey(bigint[])
	IS 'A survey from how many answers each point of its scale received. The subscripts are the scale; an array that begins at 1, as most do, is on the scale 1..n, but with 11 elements on 0..10. Errors: 2202E, 22003, 22004.';

CREATE FUNCTION loyalty.counts(s loyalty.nps_survey) RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'nps_survey_to_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.counts(loyalty.nps_survey)
	IS 'How many answers each point of the scale received. The subscripts are the scale: (counts(s))[9] are the answers of 9.';

CREATE FUNCTION loyalty.nps_survey(jsonb) RETURNS loyalty.nps_survey
	AS 'MODULE_PATHNAME', 'nps_survey_from_jsonb' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.nps_survey(jsonb)
	IS 'A survey from {"lowest": 1, "highest": 5, "counts": [2, 0, 3, 10, 7]}. Errors: 22023, 22003.';

CREATE FUNCTION loyalty.nps_survey_to_jsonb(loyalty.nps_survey) RETURNS jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.nps_survey_to_jsonb(loyalty.nps_survey)
	IS 'The survey as an object: {"lowest": 1, "highest": 5, "counts": [2, 0, 3, 10, 7]}.';

CREATE CAST (bigint[] AS loyalty.nps_survey) WITH FUNCTION loyalty.nps_survey(bigint[]);
COMMENT ON CAST (bigint[] AS loyalty.nps_survey) IS 'answers at each point of the scale, which the subscripts tell';
CREATE CAST (loyalty.nps_survey AS bigint[]) WITH FUNCTION loyalty.counts(loyalty.nps_survey);
COMMENT ON CAST (loyalty.nps_survey AS bigint[]) IS 'answers at each point of the scale, which the subscripts tell';
CREATE CAST (jsonb AS loyalty.nps_survey) WITH FUNCTION loyalty.nps_survey(jsonb);
COMMENT ON CAST (jsonb AS loyalty.nps_survey) IS 'an object of lowest, highest and counts';
CREATE CAST (loyalty.nps_survey AS jsonb) WITH FUNCTION loyalty.nps_survey_to_jsonb(loyalty.nps_survey);
COMMENT ON CAST (loyalty.nps_survey AS jsonb) IS 'an object of lowest, highest and counts';

-- ---------- sum and difference ----------

CREATE FUNCTION loyalty.merge(loyalty.nps_survey, loyalty.nps_survey) RETURNS loyalty.nps_survey
	AS 'MODULE_PATHNAME', 'nps_survey_merge' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.merge(loyalty.nps_survey, loyalty.nps_survey)
	IS 'The answers of both surveys. NULL is neutral. Errors: 42804 for two scales, 22003 for more than 2^63 - 1 answers.';

CREATE FUNCTION loyalty.subtract(loyalty.nps_survey, loyalty.nps_survey) RETURNS loyalty.nps_survey
	AS 'MODULE_PATHNAME', 'nps_survey_subtract' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.subtract(loyalty.nps_survey, loyalty.nps_survey)
	IS 'The answers of the first survey without those of the second, which must be among them. NULL for NULL. Errors: 42804 for two scales, 22003 below zero.';

CREATE OPERATOR loyalty.+ (
	FUNCTION = loyalty.merge,
	LEFTARG = loyalty.nps_survey, RIGHTARG = loyalty.nps_survey,
	COMMUTATOR = OPERATOR(loyalty.+)
);
COMMENT ON OPERATOR loyalty.+ (loyalty.nps_survey, loyalty.nps_survey) IS 'answers of both surveys';
CREATE OPERATOR loyalty.- (
	FUNCTION = loyalty.subtract,
	LEFTARG = loyalty.nps_survey, RIGHTARG = loyalty.nps_survey
);
COMMENT ON OPERATOR loyalty.- (loyalty.nps_survey, loyalty.nps_survey) IS 'answers of the first survey without those of the second';
