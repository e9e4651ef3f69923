-- The figures of a survey, one by one and as a report.  Whatever speaks of
-- promoters or detractors ends in promoter_from and detractor_to.

CREATE FUNCTION loyalty.answers(s loyalty.nps_survey) RETURNS bigint
	AS 'MODULE_PATHNAME', 'loyalty_answers' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.answers(loyalty.nps_survey)
	IS 'Answers in the survey; 0 if there are none.';

-- ---------- Net Promoter Score ----------

CREATE FUNCTION loyalty.promoters(
	s loyalty.nps_survey,
	promoter_from integer DEFAULT 9,
	detractor_to integer DEFAULT 6) RETURNS bigint
	AS 'MODULE_PATHNAME', 'loyalty_promoters' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.promoters(loyalty.nps_survey, integer, integer)
	IS 'Answers of at least promoter_from. Error 22023 unless lowest <= detractor_to < promoter_from <= highest: on scales other than 0..10 and 1..10 give both.';

CREATE FUNCTION loyalty.passives(
	s loyalty.nps_survey,
	promoter_from integer DEFAULT 9,
	detractor_to integer DEFAULT 6) RETURNS bigint
	AS 'MODULE_PATHNAME', 'loyalty_passives' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.passives(loyalty.nps_survey, integer, integer)
	IS 'Answers between detractor_to and promoter_from. Error 22023 unless lowest <= detractor_to < promoter_from <= highest: on scales other than 0..10 and 1..10 give both.';

CREATE FUNCTION loyalty.detractors(
	s loyalty.nps_survey,
	promoter_from integer DEFAULT 9,
	detractor_to integer DEFAULT 6) RETURNS bigint
	AS 'MODULE_PATHNAME', 'loyalty_detractors' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.detractors(loyalty.nps_survey, integer, integer)
	IS 'Answers of at most detractor_to. Error 22023 unless lowest <= detractor_to < promoter_from <= highest: on scales other than 0..10 and 1..10 give both.';

CREATE FUNCTION loyalty.nps(s loyalty.nps_survey, promoter_from integer DEFAULT 9, detractor_to integer DEFAULT 6) RETURNS double precision
	AS 'MODULE_PATHNAME', 'loyalty_nps' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.nps(loyalty.nps_survey, integer, integer)
	IS 'Net Promoter Score, -100 to 100: 100 * (promoters - detractors) / answers, not rounded. NULL without answers. Error 22023 unless lowest <= detractor_to < promoter_from <= highest: on scales other than 0..10 and 1..10 give both.';

CREATE FUNCTION loyalty.nps_standard_error(
	s loyalty.nps_survey,
	promoter_from integer DEFAULT 9,
	detractor_to integer DEFAULT 6) RETURNS double precision
	AS 'MODULE_PATHNAME', 'loyalty_nps_standard_error' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.nps_standard_error(loyalty.nps_survey, integer, integer)
	IS 'Standard error of the Net Promoter Score as observed, in its points. 0 when all answers are of one kind: the intervals of adjusted_wald and score know better. NULL without answers. Error 22023 unless lowest <= detractor_to < promoter_from <= highest: on scales other than 0..10 and 1..10 give both.';

CREATE FUNCTION loyalty.nps_low(
	s loyalty.nps_survey,
	confidence double precision DEFAULT 0.95,
	method text DEFAULT 'adjusted_wald',
	promoter_from integer DEFAULT 9,
	detractor_to integer DEFAULT 6) RETURNS double precision
	AS 'MODULE_PATHNAME', 'loyalty_nps_low' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION loyalty.nps_low(loyalty.nps_survey, double precision, text, integer, integer)
	IS 'Lower limit of the Net Promoter Score, not below -100, two-sided at confidence. method (Rocks 2016): adjusted_wald (3/4 promoter, 3/4 detractor and 3/2 passives added), wald (too short for few answers) or score (the most careful for few). NULL without answers. Error 22023 unless lowest <= detractor_to < promoter_from <= highest: on scales other than 0..10 and 1..10 give both.';

CREATE FUNCTION loyalty.nps_high(
	s loyalty.nps_survey,
	confidence double precision DEFAULT 0.95,
	method text DEFAULT 'adjusted_wald',
	promoter_from integer DEFAULT 9,
	detractor_to integer DEFAULT 6) RETURNS double precision
	AS 'MODULE_PATHNAME', 'loyalty_nps_high' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION loyalty.nps_high(loyalty.nps_survey, double precision, text, integer, integer)
	IS 'Upper limit of the Net Promoter Score, not above 100, two-sided at confidence. method (Rocks 2016): adjusted_wald (3/4 promoter, 3/4 detractor and 3/2 passives added), wald (too short for few answers) or score (the most careful for few). NULL without answers. Error 22023 unless lowest <= detractor_to < promoter_from <= highest: on scales other than 0..10 and 1..10 give both.';

CREATE FUNCTION loyalty.nps_margin(
	s loyalty.nps_survey,
	confidence double precision DEFAULT 0.95,
	method text DEFAULT 'adjusted_wald',
	promoter_from integer DEFAULT 9,
	detractor_to integer DEFAULT 6) RETURNS double precision
	AS 'MODULE_PATHNAME', 'loyalty_nps_margin' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION loyalty.nps_margin(loyalty.nps_survey, double precision, text, integer, integer)
	IS 'Half the width of the interval of the Net Promoter Score before it is cut off at -100 and 100: z times the standard error of the method. NULL for method score, whose interval is not symmetric, and without answers. Error 22023 unless lowest <= detractor_to < promoter_from <= highest: on scales other than 0..10 and 1..10 give both.';

CREATE FUNCTION loyalty.nps_interval(
	s loyalty.nps_survey,
	confidence double precision DEFAULT 0.95,
	method text DEFAULT 'adjusted_wald',
	promoter_from integer DEFAULT 9,
	detractor_to integer DEFAULT 6)
RETURNS TABLE (
	method text,
	answers bigint,
	nps double precision,
	low double precision,
	high double precision,
	margin double precision)
	AS 'MODULE_PATHNAME', 'loyalty_nps_interval' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 1;
COMMENT ON FUNCTION loyalty.nps_interval(loyalty.nps_survey, double precision, text, integer, integer)
	IS 'The Net Promoter Score with its interval, in points: one row of the method, or one for each method with method => all. margin is NULL for method score; without answers all but method and answers are NULL. NULL s: no rows; another NULL argument: its default. Errors: 22023.';

CREATE FUNCTION loyalty.nps_difference(
	a loyalty.nps_survey,
	b loyalty.nps_survey,
	confidence double precision DEFAULT 0.95,
	promoter_from integer DEFAULT 9,
	detractor_to integer DEFAULT 6,
	OUT difference double precision,
	OUT low double precision,
	OUT high double precision,
	OUT z double precision,
	OUT p_value double precision)
	AS 'MODULE_PATHNAME', 'loyalty_nps_difference' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION loyalty.nps_difference(loyalty.nps_survey, loyalty.nps_survey, double precision, integer, integer)
	IS 'How much the Net Promoter Score of a exceeds that of b, in points, -200 to 200, as observed. Limits, z and the two-sided p_value of the test that the scores are equal come from the counts adjusted as for adjusted_wald, whose centre differs a little from the difference. The surveys must be independent: not the same customers asked twice. All NULL if one has no answers. Call it in FROM. Error 22023 unless lowest <= detractor_to < promoter_from <= highest: on scales other than 0..10 and 1..10 give both.';

CREATE FUNCTION loyalty.nps_required_answers(
	margin double precision,
	confidence double precision DEFAULT 0.95,
	variance double precision DEFAULT 1,
	population bigint DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'loyalty_nps_required_answers' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.nps_required_answers(double precision, double precision, double precision, bigint)
	IS 'Answers after which the Net Promoter Score is known to plus or minus margin points: z^2 * variance / (margin / 100)^2 - 3, rounded up. variance: of one answer worth 1, 0 or -1; 1 is the worst case. population: customers there are, of whom fewer suffice, n / (1 + (n - 1) / population); NULL for very many. NULL for NULL otherwise. Errors: 22023, 22003.';

-- ---------- satisfaction ----------

CREATE FUNCTION loyalty.csat(s loyalty.nps_survey, satisfied_from integer DEFAULT NULL) RETURNS double precision
	AS 'MODULE_PATHNAME', 'loyalty_csat' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.csat(loyalty.nps_survey, integer)
	IS 'Share of satisfied answers, those of at least satisfied_from, 0 to 1. satisfied_from: NULL for the two highest points of the scale (4 and 5 of 1..5). NULL without answers. Errors: 22023.';

CREATE FUNCTION loyalty.csat_low(
	s loyalty.nps_survey,
	confidence double precision DEFAULT 0.95,
	satisfied_from integer DEFAULT NULL) RETURNS double precision
	AS 'MODULE_PATHNAME', 'loyalty_csat_low' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION loyalty.csat_low(loyalty.nps_survey, double precision, integer)
	IS 'Lower limit of the share of satisfied answers: Wilson, two-sided at confidence. satisfied_from: NULL for the two highest points of the scale (4 and 5 of 1..5). NULL without answers. Errors: 22023.';

CREATE FUNCTION loyalty.csat_high(
	s loyalty.nps_survey,
	confidence double precision DEFAULT 0.95,
	satisfied_from integer DEFAULT NULL) RETURNS double precision
	AS 'MODULE_PATHNAME', 'loyalty_csat_high' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION loyalty.csat_high(loyalty.nps_survey, double precision, integer)
	IS 'Upper limit of the share of satisfied answers: Wilson, two-sided at confidence. satisfied_from: NULL for the two highest points of the scale (4 and 5 of 1..5). NULL without answers. Errors: 22023.';

CREATE FUNCTION loyalty.csat_mean(s loyalty.nps_survey) RETURNS double precision
	AS 'MODULE_PATHNAME', 'loyalty_survey_mean' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.csat_mean(loyalty.nps_survey)
	IS 'Mean answer, the other definition of CSAT. NULL without answers.';

CREATE FUNCTION loyalty.csat_band(
	rate double precision,
	excellent double precision DEFAULT 0.80,
	alarming double precision DEFAULT 0.50) RETURNS text
	AS 'MODULE_PATHNAME', 'loyalty_csat_band' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.csat_band(double precision, double precision, double precision)
	IS 'The word for a share of satisfied answers: excellent above excellent, alarming below alarming, else acceptable. Error 22023 unless 0 <= alarming <= excellent <= 1 and 0 <= rate <= 1.';

-- ---------- effort ----------

CREATE FUNCTION loyalty.ces(s loyalty.nps_survey, low_is_easy boolean DEFAULT false) RETURNS double precision
	AS 'MODULE_PATHNAME', 'loyalty_ces' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.ces(loyalty.nps_survey, boolean)
	IS 'Customer Effort Score: mean answer, where high is easy. low_is_easy: the answers mirrored first, so that surveys of both kinds compare. NULL without answers.';

CREATE FUNCTION loyalty.ces_easy(
	s loyalty.nps_survey,
	easy_from integer DEFAULT NULL,
	low_is_easy boolean DEFAULT false) RETURNS double precision
	AS 'MODULE_PATHNAME', 'loyalty_ces_easy' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.ces_easy(loyalty.nps_survey, integer, boolean)
	IS 'Share of answers that found it easy: at least easy_from, by default 5 on 1..7 and 4 on 1..5. With low_is_easy the scale is read from its other end: answers of at most easy_from are easy. NULL without answers. Errors: 22023, also for other scales without easy_from.';

CREATE FUNCTION loyalty.ces_net(
	s loyalty.nps_survey,
	easy_from integer DEFAULT NULL,
	difficult_to integer DEFAULT NULL,
	low_is_easy boolean DEFAULT false) RETURNS double precision
	AS 'MODULE_PATHNAME', 'loyalty_ces_net' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.ces_net(loyalty.nps_survey, integer, integer, boolean)
	IS 'Share of easy answers minus share of difficult ones, -1 to 1: at least easy_from, by default 5 on 1..7 and 4 on 1..5, and at most difficult_to, by default 3 and 2. With low_is_easy the scale is read from its other end: answers of at most easy_from are easy. NULL without answers. Errors: 22023, also for other scales without both.';

-- ---------- any scale ----------

CREATE FUNCTION loyalty.survey_mean(s loyalty.nps_survey) RETURNS double precision
	AS 'MODULE_PATHNAME', 'loyalty_survey_mean' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.survey_mean(loyalty.nps_survey)
	IS 'Mean answer. NULL without answers.';

CREATE FUNCTION loyalty.survey_median(s loyalty.nps_survey) RETURNS double precision
	AS 'MODULE_PATHNAME', 'loyalty_survey_median' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.survey_median(loyalty.nps_survey)
	IS 'Median answer, half way between the two middle ones where their number is even. NULL without answers.';

CREATE FUNCTION loyalty.survey_stddev(s loyalty.nps_survey) RETURNS double precision
	AS 'MODULE_PATHNAME', 'loyalty_survey_stddev' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.survey_stddev(loyalty.nps_survey)
	IS 'Standard deviation of the answers as a sample (n - 1). NULL for fewer than two answers.';

CREATE FUNCTION loyalty.survey_index(s loyalty.nps_survey) RETURNS double precision
	AS 'MODULE_PATHNAME', 'loyalty_survey_index' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.survey_index(loyalty.nps_survey)
	IS 'Mean answer on a scale of 0 to 100: 100 * (mean - lowest) / (highest - lowest). NULL without answers.';

CREATE FUNCTION loyalty.top_box(s loyalty.nps_survey, points integer DEFAULT 1) RETURNS double precision
	AS 'MODULE_PATHNAME', 'loyalty_top_box' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.top_box(loyalty.nps_survey, integer)
	IS 'Share of answers at the highest point of the scale, or at so many of the highest points. NULL without answers. Errors: 22023.';

CREATE FUNCTION loyalty.bottom_box(s loyalty.nps_survey, points integer DEFAULT 1) RETURNS double precision
	AS 'MODULE_PATHNAME', 'loyalty_bottom_box' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.bottom_box(loyalty.nps_survey, integer)
	IS 'Share of answers at the lowest point of the scale, or at so many of the lowest points. NULL without answers. Errors: 22023.';

-- ---------- report ----------

CREATE FUNCTION loyalty.survey_report(
	s loyalty.nps_survey,
	confidence double precision DEFAULT 0.95,
	method text DEFAULT 'adjusted_wald',
	satisfied_from integer DEFAULT NULL,
	easy_from integer DEFAULT NULL,
	difficult_to integer DEFAULT NULL,
	low_is_easy boolean DEFAULT false,
	points integer DEFAULT 1,
	excellent double precision DEFAULT 0.80,
	alarming double precision DEFAULT 0.50,
	promoter_from integer DEFAULT NULL,
	detractor_to integer DEFAULT NULL)
RETURNS TABLE (
	lowest integer,
	highest integer,
	answers bigint,
	promoters bigint,
	passives bigint,
	detractors bigint,
	nps double precision,
	nps_low double precision,
	nps_high double precision,
	nps_margin double precision,
	nps_standard_error double precision,
	satisfied bigint,
	csat double precision,
	csat_low double precision,
	csat_high double precision,
	csat_band text,
	ces double precision,
	easy bigint,
	difficult bigint,
	ces_easy double precision,
	ces_net double precision,
	mean double precision,
	median double precision,
	stddev double precision,
	index double precision,
	top bigint,
	top_box double precision,
	bottom bigint,
	bottom_box double precision)
	AS 'MODULE_PATHNAME', 'loyalty_survey_report' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 1;
COMMENT ON FUNCTION loyalty.survey_report(loyalty.nps_survey, double precision, text, integer, integer, integer, boolean, integer, double precision, double precision, integer, integer)
	IS 'Every figure of a survey in one row, as the functions of these names give it; mean is survey_mean and csat_mean. NULL is what has no usual cut points on the scale and got none: promoters to nps_standard_error on scales other than 0..10 and 1..10, easy to ces_net on scales other than 1..7 and 1..5; and without answers all but scale and counts. NULL s: no rows; another NULL argument: its default. Errors: 22023.';

-- ---------- around a survey ----------

CREATE FUNCTION loyalty.response_rate(answers numeric, invitations numeric) RETURNS double precision
	AS 'MODULE_PATHNAME', 'loyalty_response_rate' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.response_rate(numeric, numeric)
	IS 'Answers per invitation, 0 to 1. NULL for 0 invitations. Error 22023 unless both are whole numbers with 0 <= answers <= invitations.';

CREATE FUNCTION loyalty.survey_score(answer text) RETURNS integer
	AS 'MODULE_PATHNAME', 'loyalty_survey_score' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.survey_score(text)
	IS 'The score in what survey tools export: a whole number from 0 to 10, blanks around it, a dash and a label after it (10 - Extremely likely). Error 22P02 for everything else, also for empty text.';
