-- The figures of surveys: published numbers, vectors computed with 40 digits,
-- limits, arguments and errors; the report says what the functions say.

BEGIN;
SELECT plan(165);
SET LOCAL search_path = public, loyalty;

-- near(got, wanted, tolerance, name): NULL is near nothing
CREATE FUNCTION pg_temp.near(got float8, wanted float8, tolerance float8, name text)
RETURNS text
LANGUAGE sql AS $$
	SELECT public.ok(coalesce(abs(got - wanted) <= tolerance, false),
					 format('%s: %s', name, wanted))
		|| CASE WHEN coalesce(abs(got - wanted) <= tolerance, false) THEN ''
		   ELSE E'\n' || public.diag(format('got %s', got)) END
$$;

-- a survey of so many detractors, passives and promoters
CREATE FUNCTION pg_temp.dqp(d bigint, q bigint, p bigint) RETURNS loyalty.nps_survey
LANGUAGE sql IMMUTABLE AS $$ SELECT format('0..10:{0,0,0,%s,0,0,0,0,%s,0,%s}', d, q, p)::loyalty.nps_survey $$;

-- ---------- published figures: score, standard error and three intervals, to the digits printed ----------

SELECT pg_temp.near(got, wanted, 0.51 * 10 ^ -digits, format('%s of (%s,%s,%s)', figure, d, q, p))
FROM (VALUES (30, 20, 50, .2, .087177978871, .029134301168, .370865698832, .026530798662, .361818715901, .024883708, .362172465),
			 (1, 2, 3, .333333333333, .304290309725, -.263064714572, .929731381239, -.267432587941, .711877032385, -.311073785, .753956664),
			 (2, 0, 9, .636363636364, .232582599661, .180510117598, 1, .080007717599, .919992282401, .046038876, .897264621),
			 (0, 0, 20, 1, 0, 1, 1, .696833440254, 1, .677749684, 1))
	 AS t(d, q, p, nps, se, wald_low, wald_high, adjusted_low, adjusted_high, score_low, score_high),
	 pg_temp.dqp(d, q, p) AS s,
	 LATERAL (VALUES ('nps', nps(s), nps, 12), ('standard error', nps_standard_error(s), se, 12),
					 ('Wald low', nps_low(s, method => 'wald'), wald_low, 12), ('Wald high', nps_high(s, method => 'wald'), wald_high, 12),
					 ('adjusted low', nps_low(s), adjusted_low, 12), ('adjusted high', nps_high(s), adjusted_high, 12),
					 ('score low', nps_low(s, method => 'score'), score_low, 9), ('score high', nps_high(s, method => 'score'), score_high, 9))
	 AS f(figure, points, wanted, digits),
	 LATERAL (SELECT points / 100 AS got) AS g;

SELECT pg_temp.near(got, wanted, 0.51e-12, 'difference of (8,13,15) and (12,12,7): ' || figure)
FROM nps_difference(pg_temp.dqp(8, 13, 15), pg_temp.dqp(12, 12, 7)) AS d,
	 LATERAL (VALUES ('observed', difference / 100, .355734767025), ('z', z, 1.814724874135), ('p', p_value, .0695662004951),
					 ('centre', (low + high) / 200, .326546003017),
					 ('standard error', (high - low) / 200 / 1.959963984540054, .179942429660)) AS f(figure, got, wanted);
SELECT is_empty($$
	SELECT * FROM (VALUES (8, 13, 15, 12, 12, 7), (0, 0, 9, 5, 0, 0), (3, 3, 3, 3, 3, 3), (1, 0, 0, 0, 0, 1)) AS c(a, b, c, d, e, f),
		nps_difference(pg_temp.dqp(a, b, c), pg_temp.dqp(d, e, f)) AS x,
		nps_difference(pg_temp.dqp(d, e, f), pg_temp.dqp(a, b, c)) AS y
	WHERE (x.difference, x.low, x.high, x.z, x.p_value) IS DISTINCT FROM (-y.difference, -y.high, -y.low, -y.z, y.p_value)
	   OR x.low < -200 OR x.high > 200 $$, 'a difference the other way round is the negative');
SELECT ok(difference = 200 AND high = 200 AND low > 0, 'differences up to 200 points')
FROM nps_difference(pg_temp.dqp(0, 0, 30), pg_temp.dqp(30, 0, 0), 0.999);
SELECT is(array_agg(d::text), '{"(,,,,)","(,,,,)"}', 'NULLs where one survey has no answers')
FROM (VALUES (0, 1), (1, 0)) AS c(a, b), nps_difference(pg_temp.dqp(0, 0, a), pg_temp.dqp(0, b, 0)) AS d;

-- ---------- vectors: see test/data/survey_vectors.py ----------

CREATE TEMP TABLE vectors (
	survey nps_survey, confidence float8, promoter_from int, detractor_to int, satisfied_from int,
	nps float8, standard_error float8, wald_low float8, wald_high float8, wald_margin float8,
	adjusted_low float8, adjusted_high float8, adjusted_margin float8, score_low float8, score_high float8,
	csat float8, csat_low float8, csat_high float8, mean float8, median float8, stddev float8, index float8);
\copy vectors FROM 'test/data/survey_vectors.csv' CSV HEADER
SELECT is(count(*), 120::bigint, 'vectors') FROM vectors;

CREATE TEMP TABLE compared AS
SELECT figure, got, wanted, unit
FROM vectors AS v,
	 LATERAL (VALUES
		('nps', nps(survey, promoter_from, detractor_to), v.nps, 100),
		('nps_standard_error', nps_standard_error(survey, promoter_from, detractor_to), standard_error, 100),
		('wald nps_low', nps_low(survey, confidence, 'wald', promoter_from, detractor_to), wald_low, 100),
		('wald nps_high', nps_high(survey, confidence, 'wald', promoter_from, detractor_to), wald_high, 100),
		('wald nps_margin', nps_margin(survey, confidence, 'wald', promoter_from, detractor_to), wald_margin, 100),
		('adjusted nps_low', nps_low(survey, confidence, 'adjusted_wald', promoter_from, detractor_to), adjusted_low, 100),
		('adjusted nps_high', nps_high(survey, confidence, 'adjusted_wald', promoter_from, detractor_to), adjusted_high, 100),
		('adjusted nps_margin', nps_margin(survey, confidence, 'adjusted_wald', promoter_from, detractor_to), adjusted_margin, 100),
		('score nps_low', nps_low(survey, confidence, 'score', promoter_from, detractor_to), score_low, 100),
		('score nps_high', nps_high(survey, confidence, 'score', promoter_from, detractor_to), score_high, 100),
		('csat', csat(survey, satisfied_from), v.csat, 1),
		('csat_low', csat_low(survey, confidence, satisfied_from), v.csat_low, 1),
		('csat_high', csat_high(survey, confidence, satisfied_from), v.csat_high, 1),
		('csat_mean', csat_mean(survey), mean, 10),
		('survey_mean', survey_mean(survey), mean, 10),
		('ces', ces(survey), mean, 10),
		('survey_median', survey_median(survey), median, 10),
		('survey_stddev', survey_stddev(survey), stddev, 10),
		('survey_index', survey_index(survey), index, 100)) AS f(figure, got, wanted, unit);
SELECT is(count(*) FILTER (WHERE abs(got - wanted) > 4e-15 * unit OR (got IS NULL) <> (wanted IS NULL)), 0::bigint,
		  format('%s: %s vectors, largest error %s', figure, count(*), max(abs(got - wanted))))
FROM compared GROUP BY figure ORDER BY figure;

-- the same from raw answers, by the server's own aggregates
CREATE TEMP TABLE answers AS
SELECT g % 3 AS grp, (hashint4(g) & 255) % 11 AS score FROM generate_series(1, 1000) AS g;
SELECT is_empty($$
	SELECT * FROM (
		SELECT nps_survey(score) AS s, avg(score) AS mean, stddev_samp(score) AS stddev,
			   percentile_cont(0.5) WITHIN GROUP (ORDER BY score) AS median,
			   avg(CASE WHEN score >= 9 THEN 100.0 WHEN score <= 6 THEN -100 ELSE 0 END) AS nps,
			   stddev_pop(CASE WHEN score >= 9 THEN 100.0 WHEN score <= 6 THEN -100 ELSE 0 END) / sqrt(count(*)) AS se,
			   avg((score >= 8)::int) AS csat, avg((score = 10)::int) AS top, avg((score <= 1)::int) AS bottom,
			   count(*) FILTER (WHERE score >= 9) AS p, count(*) FILTER (WHERE score IN (7, 8)) AS q,
			   count(*) FILTER (WHERE score <= 6) AS d, count(*) AS n
		FROM answers GROUP BY ROLLUP (grp)) AS t
	WHERE greatest(abs(nps(s) - nps), abs(nps_standard_error(s) - se), abs(survey_mean(s) - mean), abs(survey_stddev(s) - stddev),
				   abs(survey_median(s) - median), abs(csat(s, 8) - csat), abs(top_box(s) - top), abs(bottom_box(s, 2) - bottom)) > 1e-12
	   OR (promoters(s), passives(s), detractors(s), answers(s)) <> (p, q, d, n) $$, 'SQL over the raw answers');

-- ---------- limits ----------

SELECT is(array[nps(s), nps_low(s, method => m), nps_high(s, method => m)]::numeric(9,4)[], wanted::numeric[], format('%s of %s', m, s))
FROM (VALUES (pg_temp.dqp(0, 0, 1), 'wald', '{100,100,100}'), (pg_temp.dqp(0, 0, 1), 'score', array[100, 100 * (1 - 1.959963984540054 ^ 2) / (1 + 1.959963984540054 ^ 2), 100]::numeric(9,4)[]::text),
			 (pg_temp.dqp(1, 0, 0), 'adjusted_wald', array[-100, -25 - 195.9963984540054 * .375, -25 + 195.9963984540054 * .375]::numeric(9,4)[]::text),
			 (pg_temp.dqp(0, 0, 9223372036854775807), 'adjusted_wald', '{100,100,100}'),
			 (pg_temp.dqp(0, 0, 9223372036854775807), 'score', '{100,100,100}'),
			 (pg_temp.dqp(4611686018427387904, 0, 4611686018427387903), 'score', '{0,0,0}'),
			 (pg_temp.dqp(0, 1000, 0), 'wald', '{0,0,0}'), (pg_temp.dqp(0, 1000, 0), 'score', '{0,-0.3827,0.3827}')) AS c(s, m, wanted);
SELECT ok(nps_low(pg_temp.dqp(0, 1, 0), 0.01, 'score') = -nps_high(pg_temp.dqp(0, 1, 0), 0.01, 'score'), 'symmetric about 0');
SELECT ok(nps_high(pg_temp.dqp(0, 0, 1), 0.1) < 100, 'an interval need not contain the estimate');
SELECT ok(bool_and(nps_low(a, c, m) = -nps_high(b, c, m)), 'promoters and detractors change places, limits their sign')
FROM (VALUES (pg_temp.dqp(3, 4, 5), pg_temp.dqp(5, 4, 3)), (pg_temp.dqp(0, 4, 7), pg_temp.dqp(7, 4, 0)), (pg_temp.dqp(9, 0, 0), pg_temp.dqp(0, 0, 9))) AS t(a, b),
	 unnest('{0.5,0.95,0.999}'::float8[]) AS c, unnest('{wald,adjusted_wald,score}'::text[]) AS m;
SELECT ok(nps_margin(s, method => 'score') IS NULL AND nps_margin(s) > 0, 'no margin for score') FROM pg_temp.dqp(1, 1, 1) AS s;
SELECT ok(nps_margin(pg_temp.dqp(0, 1, 1), 0.999999) > 100, 'the margin is not cut off');
SELECT is((answers(e), promoters(e), passives(e), detractors(e))::text, '(0,0,0,0)', 'counts of no answers are 0') FROM pg_temp.dqp(0, 0, 0) AS e;
SELECT is(num_nonnulls(nps(e), nps_standard_error(e), nps_low(e), nps_high(e, method => 'score'), nps_low(e, method => 'wald'), nps_margin(e), csat(e), csat_mean(e), csat_low(e), csat_high(e),
					   ces(e), ces_easy(e, 8), ces_net(e, 8, 2), survey_mean(e), survey_median(e), survey_stddev(e), survey_index(e), top_box(e), bottom_box(e)),
		  0, 'no answers: NULL') FROM pg_temp.dqp(0, 0, 0) AS e;
SELECT is(num_nonnulls(nps(e), nps_standard_error(e), nps_low(e), nps_margin(e), csat(e), csat_mean(e), csat_low(e), csat_high(e),
					   ces(e), ces_easy(e, 8), ces_net(e, 8, 2), survey_mean(e), survey_median(e), survey_stddev(e), survey_index(e), top_box(e), bottom_box(e),
					   answers(e), promoters(e), passives(e), detractors(e)),
		  0, 'NULL for NULL') FROM (SELECT NULL::nps_survey AS e) AS n;
SELECT is(survey_stddev('1..5:{0,0,1,0,0}'), NULL, 'no deviation of a single answer');

-- ---------- cut points ----------

SELECT is(array[nps(s), nps(s, 9, 4), nps(s, 9, 5), nps(s, 8, 5), nps(s, promoter_from => 10)]::numeric(5,2)[],
		  '{-5,-3,-4,-3,-6}'::numeric[], '9/6, > 8 and < 5, less than 6, 8/5, 10/6')
FROM (SELECT nps_survey(x) AS s FROM unnest('{0,1,2,3,4,5,6,7,8,9,10}'::int[] || array_fill(7, '{89}')) AS x) AS t;
SELECT is(nps('1..10:{1,0,0,0,0,1,0,0,1,1}'::nps_survey), 0::float8, 'a scale of 1 to 10');
SELECT is(nps('1..5:{1,1,1,1,4}'::nps_survey, 5, 3), 12.5::float8, 'a scale of 1 to 5');
SELECT is((promoters(s, 7, 3), passives(s, 7, 3), detractors(s, 7, 3))::text, '(4,3,4)', 'counts between other cut points')
FROM (SELECT '0..10:{1,1,1,1,1,1,1,1,1,1,1}'::nps_survey AS s) AS t;
SELECT throws_ok(format('SELECT loyalty.%s(%L::loyalty.nps_survey, %s, %s)', f, s, promoter_from, detractor_to), '22023', message, format('%s of %s with %s/%s', f, s, promoter_from, detractor_to))
FROM (VALUES ('nps', '0..10:{1,1,1,1,1,1,1,1,1,1,1}', 6, 6, 'detractor_to is 6, but must be less than promoter_from, 6'),
			 ('promoters', '0..10:{1,1,1,1,1,1,1,1,1,1,1}', 5, 6, 'detractor_to is 6, but must be less than promoter_from, 5'),
			 ('passives', '0..10:{0,0,0,0,0,0,0,0,0,0,0}', 11, 6, 'promoter_from is 11, but must be from 1 to 10 on the scale 0..10'),
			 ('detractors', '0..10:{1,1,1,1,1,1,1,1,1,1,1}', 9, -1, 'detractor_to is -1, but must be from 0 to 9 on the scale 0..10'),
			 ('nps_standard_error', '1..10:{1,1,1,1,1,1,1,1,1,1}', 9, 0, 'detractor_to is 0, but must be from 1 to 9 on the scale 1..10'),
			 ('nps', '1..5:{1,1,1,1,1}', 9, 6, 'promoter_from is 9, but must be from 2 to 5 on the scale 1..5')) AS c(f, s, promoter_from, detractor_to, message);
SELECT throws_ok($$ SELECT loyalty.nps_low('0..10:{1,1,1,1,1,1,1,1,1,1,1}', 95) $$, '22023',
				 'confidence is 95, but must be greater than 0 and less than 1', 'confidence in percent');
SELECT throws_ok($$ SELECT loyalty.nps_high('0..10:{1,1,1,1,1,1,1,1,1,1,1}', method => 'Wald') $$, '22023',
				 'method must not be "Wald"', 'an unknown method');
SELECT throws_ok($$ SELECT loyalty.nps_difference('0..10:{1,1,1,1,1,1,1,1,1,1,1}', '1..5:{1,1,1,1,1}') $$, '22023',
				 'promoter_from is 9, but must be from 2 to 5 on the scale 1..5', 'a difference checks both scales');

-- ---------- rows ----------

SELECT results_eq(
	$$ SELECT method, answers, nps, low, high, margin FROM nps_interval(pg_temp.dqp(1, 2, 3), 0.9, 'all', 10, 2) $$,
	$$ SELECT m, 6::bigint, nps(s, 10, 2), nps_low(s, 0.9, m, 10, 2), nps_high(s, 0.9, m, 10, 2), nps_margin(s, 0.9, m, 10, 2)
	   FROM pg_temp.dqp(1, 2, 3) AS s, unnest('{adjusted_wald,wald,score}'::text[]) AS m $$, 'nps_interval: all methods');
SELECT is(array_agg(i::text), '{"(adjusted_wald,0,,,,)"}', 'nps_interval without answers') FROM nps_interval(pg_temp.dqp(0, 0, 0)) AS i;
SELECT is_empty('SELECT * FROM nps_interval(NULL)', 'nps_interval of NULL');
SELECT is((SELECT i FROM nps_interval(pg_temp.dqp(1, 2, 3), NULL, NULL, NULL, NULL) AS i)::text,
		  (SELECT i FROM nps_interval(pg_temp.dqp(1, 2, 3)) AS i)::text, 'NULL arguments of nps_interval: its defaults');

CREATE TEMP TABLE reported AS
SELECT v.survey AS s, v.confidence, v.promoter_from, v.detractor_to, v.satisfied_from, low_is_easy, r.*
FROM vectors AS v, unnest('{f,t}'::bool[]) AS low_is_easy,
	 survey_report(survey, confidence, 'score', satisfied_from, CASE WHEN low_is_easy THEN detractor_to ELSE promoter_from END,
				   CASE WHEN low_is_easy THEN promoter_from ELSE detractor_to END, low_is_easy, 1, 0.7, 0.3, promoter_from, detractor_to) AS r;
SELECT is(count(*), 240::bigint, 'a report is one row') FROM reported;
SELECT is_empty($$
	SELECT * FROM reported AS r
	WHERE row(r.lowest, r.highest)::text IS DISTINCT FROM format('(%s,%s)', s::jsonb->'lowest', s::jsonb->'highest')
	   OR row(r.answers, r.promoters, r.passives, r.detractors, r.nps, r.nps_low, r.nps_high, r.nps_margin, r.nps_standard_error)
		  IS DISTINCT FROM row(answers(s), promoters(s, promoter_from, detractor_to), passives(s, promoter_from, detractor_to),
			detractors(s, promoter_from, detractor_to), nps(s, promoter_from, detractor_to),
			nps_low(s, confidence, 'score', promoter_from, detractor_to), nps_high(s, confidence, 'score', promoter_from, detractor_to),
			nps_margin(s, confidence, 'score', promoter_from, detractor_to), nps_standard_error(s, promoter_from, detractor_to))
	   OR row(r.satisfied / r.answers::float8, r.csat, r.csat_low, r.csat_high, r.csat_band)
		  IS DISTINCT FROM row(r.csat, csat(s, satisfied_from), csat_low(s, confidence, satisfied_from), csat_high(s, confidence, satisfied_from),
			csat_band(csat(s, satisfied_from), 0.7, 0.3))
	   OR row(r.ces, r.ces_easy, r.ces_net, r.easy / r.answers::float8, (r.easy - r.difficult) / r.answers::float8) IS DISTINCT FROM CASE WHEN low_is_easy
			THEN row(ces(s, true), ces_easy(s, detractor_to, true), ces_net(s, detractor_to, promoter_from, true), r.ces_easy, r.ces_net)
			ELSE row(ces(s), ces_easy(s, promoter_from), ces_net(s, promoter_from, detractor_to), r.ces_easy, r.ces_net) END
	   OR row(r.mean, r.median, r.stddev, r.index, r.top_box, r.bottom_box, r.top / r.answers::float8, r.bottom / r.answers::float8)
		  IS DISTINCT FROM row(survey_mean(s), survey_median(s), survey_stddev(s), survey_index(s), top_box(s), bottom_box(s), top_box(s), bottom_box(s))
	$$, 'a report says what the functions say');
SELECT is(r::text, '(1,5,15,,,,,,,,,9,0.6,' || csat_low('1..5:{1,2,3,4,5}') || ',' || csat_high('1..5:{1,2,3,4,5}') || ',acceptable,3.6666666666666665,9,3,0.6,0.4,3.6666666666666665,4,1.2909944487358056,66.66666666666667,5,0.3333333333333333,1,0.06666666666666667)',
		  'the report of 1 to 5: no promoters') FROM survey_report('1..5:{1,2,3,4,5}') AS r;
SELECT ok(easy IS NULL AND difficult IS NULL AND ces_easy IS NULL AND ces_net IS NULL AND nps = 0 AND nps_margin IS NOT NULL, 'the report of 1 to 10: no ease')
FROM survey_report('1..10:{1,0,0,0,0,0,0,0,0,1}');
SELECT is(r::text, '(0,10,0,0,0,0,,,,,,0,,,,,,,,,,,,,,0,,0,)', 'the report of no answers') FROM survey_report(pg_temp.dqp(0, 0, 0)) AS r;
SELECT is_empty('SELECT * FROM survey_report(NULL)', 'the report of NULL');
SELECT is((SELECT r FROM survey_report(pg_temp.dqp(1, 2, 3), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL) AS r)::text,
		  (SELECT r FROM survey_report(pg_temp.dqp(1, 2, 3)) AS r)::text, 'NULL arguments of a report: its defaults');
SELECT throws_ok($$ SELECT * FROM loyalty.survey_report('1..5:{1,1,1,1,1}', promoter_from => 5) $$, '22023',
				 'detractor_to is 6, but must be from 1 to 4 on the scale 1..5', 'one cut point is not enough');

-- ---------- satisfaction, effort, boxes ----------

SELECT is(array[csat('1..5:{1,2,3,4,5}'::nps_survey), csat('1..5:{1,2,3,4,5}'::nps_survey, 5), csat('1..5:{1,2,3,4,5}'::nps_survey, NULL), csat('0..1:{1,3}'::nps_survey), csat('1..3:{1,1,2}'::nps_survey)],
		  array[9 / 15.0, 5 / 15.0, 9 / 15.0, 0.75, 0.75]::float8[], 'satisfied_from and its default');
SELECT is(csat_low('1..5:{1,2,3,4,5}', 0.9, 3), rate_low(12, 15, 0.9), 'csat_low is rate_low');
SELECT throws_ok($$ SELECT loyalty.csat('1..5:{1,2,3,4,5}'::loyalty.nps_survey, 1) $$, '22023',
				 'satisfied_from is 1, but must be from 2 to 5 on the scale 1..5', 'nobody can be dissatisfied');
SELECT is(array_agg(csat_band(r) ORDER BY r), '{alarming,alarming,acceptable,acceptable,acceptable,excellent,excellent}', 'bands are strict')
FROM unnest('{0,0.4999999,0.5,0.7,0.8,0.80000001,1}'::float8[]) AS r;
SELECT is(csat_band(0.7, alarming => 0.7, excellent => 0.7) || csat_band(0.71, 0.7, 0.7) || coalesce(csat_band(NULL), ''), 'acceptableexcellent', 'bands that meet');
SELECT throws_ok(format('SELECT loyalty.csat_band(%s)', c), '22023', NULL, format('csat_band(%s)', c))
FROM unnest('{"1.1","-0.1","''NaN''","0.5, 0.4, 0.6","0.5, 80","0.5, 0.8, -1"}'::text[]) AS c;

SELECT is(array[ces(s), ces(s, true), ces_easy(s), ces_easy(s, 6), ces_easy(s, low_is_easy => true), ces_net(s), ces_net(s, 6, 1), ces_net(s, low_is_easy => true)],
		  array[140 / 28.0, 8 - 140 / 28.0, 18 / 28.0, 13 / 28.0, 6 / 28.0, 12 / 28.0, 12 / 28.0, -12 / 28.0]::float8[], 'effort on 1 to 7')
FROM (SELECT '1..7:{1,2,3,4,5,6,7}'::nps_survey AS s) AS t;
SELECT is(array[15 * ces_easy(s), 15 * ces_net(s), 15 * ces_easy(s, low_is_easy => true), 15 * ces_net(s, low_is_easy => true), 15 * ces_easy(s, 1, true), 15 * ces_net(s, 1, 4, true)]::numeric(6,3)[],
		  array[9, 6, 3, -6, 1, -8]::numeric[] , 'effort on 1 to 5')
FROM (SELECT '1..5:{1,2,3,4,5}'::nps_survey AS s) AS t;
SELECT throws_ok(format('SELECT loyalty.%s', c), '22023', message, c)
FROM (VALUES ('ces_easy(''0..10:{1,1,1,1,1,1,1,1,1,1,1}'')', 'easy_from is lacking for the scale 0..10'),
			 ('ces_net(''0..10:{1,1,1,1,1,1,1,1,1,1,1}'', 8)', 'difficult_to is lacking for the scale 0..10'),
			 ('ces_easy(''1..5:{1,1,1,1,1}'', 6)', 'easy_from is 6, but must be from 2 to 5 on the scale 1..5'),
			 ('ces_easy(''1..5:{1,1,1,1,1}'', 5, true)', 'easy_from is 5, but must be from 1 to 4 on the scale 1..5'),
			 ('ces_net(''1..7:{1,1,1,1,1,1,1}'', 3)', 'difficult_to is 3, but must be less than easy_from, 3'),
			 ('ces_net(''1..7:{1,1,1,1,1,1,1}'', 5, low_is_easy => true)', 'easy_from is 5, but must be less than difficult_to, 5'),
			 ('top_box(''1..7:{1,1,1,1,1,1,1}'', 0)', 'points is 0, but must be from 1 to 6 on the scale 1..7'),
			 ('bottom_box(''1..7:{1,1,1,1,1,1,1}'', 7)', 'points is 7, but must be from 1 to 6 on the scale 1..7')) AS t(c, message);
SELECT is(array[28 * top_box(s), 28 * top_box(s, 2), 28 * bottom_box(s), 28 * bottom_box(s, 6)]::numeric(6,3)[], '{7,13,1,21}'::numeric[], 'boxes')
FROM (SELECT '1..7:{1,2,3,4,5,6,7}'::nps_survey AS s) AS t;

-- ---------- around a survey ----------

SELECT is(array[nps_required_answers(10), nps_required_answers(5), nps_required_answers(10, 0.9), nps_required_answers(10, variance => 0.5),
				nps_required_answers(10, population => 1000), nps_required_answers(10, population => 1), nps_required_answers(100), nps_required_answers(100, 0.01),
				nps_required_answers(10, population => 9223372036854775807), nps_required_answers(10, variance => 0)],
		  '{382,1534,268,190,277,1,1,1,382,1}', 'required answers');
SELECT is_empty($$
	SELECT * FROM generate_series(1, 60) AS m, unnest('{0.8,0.95,0.99}'::float8[]) AS c, nps_required_answers(m, c) AS n,
		LATERAL (SELECT normal AS z FROM (VALUES (0.8::float8, 1.2815515655446004::float8), (0.95, 1.959963984540054), (0.99, 2.5758293035489004)) AS q(k, normal) WHERE k = c) AS q
	WHERE NOT (100 * z / sqrt(n + 3) <= m * (1 + 1e-12) AND (n = 1 OR 100 * z / sqrt(n + 2) > m)) $$, 'as many as needed, and none more');
SELECT throws_ok(format('SELECT loyalty.nps_required_answers(%s)', c), state, NULL, format('required answers: %s', c))
FROM (VALUES ('0', '22023'), ('-1', '22023'), ('101', '22023'), ('''NaN''', '22023'), ('10, 1', '22023'), ('10, variance => 1.1', '22023'),
			 ('10, population => 0', '22023'), ('1e-9', '22003')) AS t(c, state);
SELECT is(num_nonnulls(nps_required_answers(NULL), nps_required_answers(10, NULL), nps_required_answers(10, variance => NULL)), 0, 'NULL for NULL');

SELECT is(array[response_rate(1, 4), response_rate(0, 5), response_rate(5, 5), response_rate(0, 0), response_rate(NULL, 1)], array[0.25, 0, 1, NULL, NULL]::float8[], 'response rate');
SELECT is(response_rate(sum(n), sum(m)), 0.3::float8, 'response rate of totals') FROM (VALUES (1::bigint, 4::bigint), (2, 6)) AS t(n, m);
SELECT throws_ok(format('SELECT loyalty.response_rate(%s)', c), '22023', message, format('response_rate(%s)', c))
FROM (VALUES ('5, 4', 'answers is 5, but must be a whole number from 0 to 4'), ('-1, 4', 'answers is -1, but must be a whole number from 0 to 4'),
			 ('1.5, 4', 'answers is 1.5, but must be a whole number from 0 to 4'), ('1, ''NaN''', 'invitations is NaN, but must be a whole number from 0 to 9223372036854775808')) AS t(c, message);

SELECT getdatabaseencoding() = 'UTF8' AS utf8 \gset
\if :utf8
SELECT is(array_agg(survey_score(t) ORDER BY n), '{10,9,10,0,7,7,7,7,8,0}', 'what exports contain')
FROM unnest(array['10', ' 9 ', '10 - Extremely likely', '0 – Not at all likely', '7-likely', E'\t7\r\n', '7 — rather', '7 − rather', E'8\u00A0-\u00A0good', '00'])
	 WITH ORDINALITY AS e(t, n);
\else
SELECT is(array_agg(survey_score(t) ORDER BY n), '{10,9,10,0,7,7,8,0}', 'what exports contain, in other encodings')
FROM unnest(array['10', ' 9 ', '10 - Extremely likely', '0 - Not at all likely', '7-likely', E'\t7\r\n', E'8\u00A0-\u00A0good', '00'])
	 WITH ORDINALITY AS e(t, n);
\endif
SELECT throws_ok(format('SELECT loyalty.survey_score(%L)', t), '22P02', format('not a survey score: "%s"', t), format('not a score: "%s"', t))
FROM unnest(array['', ' ', '11', '100', '-1', '+5', '9.5', '9,0', '9-10', '0 - 6', 'ten', '10 -', '10 Extremely likely', '1 0', '10/10', '٣', '99999999999999999999', 'N/A', '5 5', '- 5', '9-']) AS t;
SELECT is(survey_score(NULL), NULL, 'NULL for NULL');

SELECT * FROM finish();
ROLLBACK;
