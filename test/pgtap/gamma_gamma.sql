-- Gamma-Gamma in SQL: published figures, equal however computed, edges,
-- errors, and data that cannot tell the parameters.

SELECT no_plan();
\ir include/models.sql
\ir include/cdnow_sample.sql

CREATE TABLE sample AS SELECT customer_history(customer_id, day, amount) AS h FROM cdnow_sample;
CREATE TABLE spending AS SELECT key, array_agg(frequency) AS x, array_agg(monetary) AS m, array_agg(frequency ORDER BY r) AS x2, array_agg(monetary ORDER BY r) AS m2
FROM (SELECT 'CDNOW' AS key, s.*, random() AS r FROM sample, clv_summary(h, '1997-09-30') AS s
	  UNION ALL SELECT key, s.*, random() FROM buyer_histories, clv_summary(h, '2023-12-15') AS s) AS u GROUP BY key;

-- ---------- published ----------

CREATE TABLE fits (key text, how text, f gamma_gamma);
INSERT INTO fits SELECT 'CDNOW', 'history', f FROM sample, gamma_gamma_fit(h, '1997-09-30') AS f;
INSERT INTO fits SELECT key, 'history', f FROM buyer_histories, gamma_gamma_fit(h, '2023-12-15') AS f;
INSERT INTO fits SELECT key, 'arrays', f FROM spending, gamma_gamma_fit(x, m) AS f;
INSERT INTO fits SELECT key, 'shuffled', f FROM spending, gamma_gamma_fit(x2, m2) AS f;
INSERT INTO fits SELECT key, 'weighted', f FROM (SELECT key, array_agg(x) AS x, array_agg(m) AS m, array_agg(n) AS n FROM (SELECT key, v.x, v.m, count(*) AS n FROM spending, unnest(x, m) AS v(x, m) GROUP BY key, v.x, v.m) AS g GROUP BY key) AS w, gamma_gamma_fit(x, m, n) AS f;
INSERT INTO fits SELECT key, 'with elements of weight 0', f FROM spending, gamma_gamma_fit(x || 5::bigint || 0::bigint, m || 1000.0 || 3.0, array_fill(1, ARRAY[cardinality(x)]) || '{0,0}'::int[]) AS f;
INSERT INTO fits SELECT key, 'in any shape', f FROM spending, gamma_gamma_fit(ARRAY[x::numeric[]], ARRAY[m::float8[]], NULL, NULL) AS f;

SELECT near((to_jsonb(f) ->> field)::float8, wanted, tolerance, how || ': ' || field)
FROM fits, (VALUES ('p', 6.249572271, 1e-8), ('q', 3.744224667, 1e-8), ('gamma', 15.44352096, 1e-8), ('p_se', 1.19006, 1e-5), ('q_se', .290133, 1e-5), ('gamma_se', 4.15942, 1e-5),
				   ('log_likelihood', -4055.917694802, 1e-12), ('customers', 946, 0), ('excluded', 1411, 0)) AS w(field, wanted, tolerance)
WHERE key = 'CDNOW' AND how IN ('history', 'arrays');
SELECT near((f).correlation, wanted, 1e-12, 'correlation: ' || key)
FROM fits JOIN (SELECT key, corr(v.x, v.m) AS wanted FROM spending, unnest(x, m) AS v(x, m) WHERE v.x > 0 AND v.m > 0 GROUP BY key) AS c USING (key) WHERE how = 'history';
SELECT is(ARRAY[(f).customers, (f).excluded], wanted, 'customers and excluded: ' || key)
FROM fits JOIN (SELECT key, ARRAY[count(*) FILTER (WHERE v.x > 0 AND v.m > 0), count(*) FILTER (WHERE (v.x > 0 AND v.m > 0) IS NOT TRUE)] AS wanted FROM spending, unnest(x, m) AS v(x, m) GROUP BY key) AS c USING (key) WHERE how = 'history';
SELECT ok((f).converged, 'converged: ' || key) FROM fits WHERE how = 'history';

SELECT near(expected_value(gamma_gamma_model(6.25, 3.74, 15.44), x, m), wanted, 1e-11, format('E[M] of x = %s at %s', x, m))
FROM (VALUES (2, 22.35, 24.6637139108), (1, 11.77, 18.9168520578), (0, NULL, 35.2189781022), (0, 99, 35.2189781022)) AS w(x, m, wanted);
-- every customer by hand
SELECT is_empty($$ SELECT v.* FROM fits, spending AS s, unnest(x, m) AS v(x, m) WHERE fits.key = s.key AND how = 'history'
				   AND NOT (v.x > 0 AND v.m IS NULL) AND (abs(expected_value(f, v.x, v.m) - (f).p * ((f).gamma + CASE WHEN v.x > 0 THEN v.x * greatest(v.m, 0) ELSE 0 END) / ((f).p * v.x + (f).q - 1)) <= 1e-12 * expected_value(f, v.x, v.m)) IS NOT TRUE $$,
				'E[M] as published');

-- ---------- equal however computed ----------

-- sorted and added up: there is one order of summation
SELECT is(count(DISTINCT f::text), 1::bigint, key || ': ' || string_agg(how, ', ')) FROM fits WHERE how <> 'history' GROUP BY key;
-- a history gives the mean in double precision, clv_summary rounds a numeric: the last bit may differ
SELECT near((to_jsonb(a.f) ->> field)::float8, (to_jsonb(b.f) ->> field)::float8, 1e-9, format('%s: %s of the history and of arrays', key, field))
FROM fits AS a JOIN fits AS b USING (key), unnest('{p,q,gamma,p_se,q_se,gamma_se,log_likelihood,customers,excluded,correlation}'::text[]) AS field WHERE a.how = 'history' AND b.how = 'arrays';
SELECT is(count(DISTINCT f::text), 1::bigint, 'any type of key') FROM fits WHERE how = 'history' AND key <> 'CDNOW';
-- gamma has the unit of money
SELECT near((b.f).gamma, 100 * (a.f).gamma, 1e-7, 'cents: gamma') || E'\n' || near((b.f).p, (a.f).p, 1e-7, 'cents: p') || E'\n' || near((b.f).q, (a.f).q, 1e-7, 'cents: q')
	   || E'\n' || near((b.f).log_likelihood, (a.f).log_likelihood - (a.f).customers * ln(100), 1e-10, 'cents: log likelihood')
FROM fits AS a, (SELECT gamma_gamma_fit(x, (SELECT array_agg(v * 100 ORDER BY i) FROM unnest(m) WITH ORDINALITY AS u(v, i))) AS f FROM spending WHERE key = 'text') AS b WHERE key = 'text' AND how = 'arrays';
SELECT is(gamma_gamma_fit(h)::text, gamma_gamma_fit(h, NULL, NULL, NULL)::text, 'NULL is the default') FROM sample;
SELECT is((a.f).customers, (SELECT count(*) FROM buyer_histories, clv_summary(h, '2023-10-05', observed_since => '2023-03-15') AS s WHERE key = 'text' AND frequency > 0 AND monetary > 0), 'every argument, by name: customers')
	   || E'\n' || near((a.f).q, (SELECT (gamma_gamma_fit(penalty => 0.001, monetary => array_agg(monetary), x => array_agg(frequency))).q FROM buyer_histories, clv_summary(h, '2023-10-05', observed_since => '2023-03-15') WHERE key = 'text'), 1e-9, 'every argument, by name')
FROM (SELECT gamma_gamma_fit(observed_since => '2023-03-15', penalty => 0.001, as_of => '2023-10-05', h => h) AS f FROM buyer_histories WHERE key = 'text') AS a;
SELECT is(ARRAY(SELECT f::text FROM buyer_histories, LATERAL gamma_gamma_fit(h) AS f), ARRAY(SELECT (gamma_gamma_fit(h))::text FROM buyer_histories), 'in FROM, and in the select list');
SELECT is(gamma_gamma_fit(x => '{1,2,1,3,3,1,4}', monetary => '{1,2,3,NULL,3,5,9}')::text, gamma_gamma_fit(ARRAY[1,2,1,3,3,1,4], ARRAY[1,2,3,NULL,3,5,9])::text, 'literals, by name');
SELECT ok((p).q < (f).q AND (p).log_likelihood < (f).log_likelihood AND (p).converged, 'a penalty draws to 0') FROM (SELECT gamma_gamma_fit(h) AS f, gamma_gamma_fit(h, penalty => 0.01) AS p FROM sample) AS f;

-- ---------- models as values ----------

SELECT is(f::text::gamma_gamma, f, 'through text: ' || key || ', ' || how) FROM fits;
SELECT is(jsonb_populate_record(NULL::gamma_gamma, f::jsonb), f, 'through jsonb: ' || key || ', ' || how) FROM fits;
SELECT is(gamma_gamma_model(6.25, 3.74, 15.44)::jsonb, '{"p": 6.25, "q": 3.74, "gamma": 15.44, "p_se": null, "q_se": null, "gamma_se": null, "log_likelihood": null, "customers": null, "excluded": null, "correlation": null, "iterations": null, "converged": null}', 'as jsonb');
CREATE TABLE model AS SELECT i, gamma_gamma_model(1 + i, 2 + i % 3, 10 * i) AS m FROM generate_series(1, 30) AS i;
SELECT is_empty($$ SELECT i, x FROM model, generate_series(0, 3) AS x WHERE abs(expected_value(m, x, i) - (1 + i) * (10 * i + x * i) / ((1 + i) * x + 1 + i % 3)::float8) > 1e-9 $$, 'models that change from row to row');

-- ---------- NULL ----------

SELECT is(expected_value(m, x, v), wanted, 'expected_value: NULL, ' || what)
FROM (VALUES (NULL::gamma_gamma, 1, 2, NULL::float8, 'no model'), (gamma_gamma_model(6, 3, 15), NULL, 2, NULL, 'no x'), (gamma_gamma_model(6, 3, 15), 1, NULL, NULL, 'no mean of a purchase'), (gamma_gamma_model(6, 3, 15), 0, NULL, 45, 'not at x = 0'),
			 (gamma_gamma_model(6, 1, 15), 0, 5, NULL, 'q = 1 at x = 0'), (gamma_gamma_model(6, .5, 15), 0, NULL, NULL, 'q < 1 at x = 0'), (gamma_gamma_model(.1, .5, 15), 1, 5, NULL, 'p x + q < 1'), (gamma_gamma_model(6, .5, 15), 1, 5, 120 / 5.5::float8, 'not at p x + q > 1'),
			 (ROW(1, NULL, 3, 1, 1, 1, -5, 10, 0, 0, 3, false)::gamma_gamma, 1, 2, NULL, 'no parameter'), (gamma_gamma_model(6, 3, 15), 1, -7, 11.25, 'not below 0, which counts as 0'), (gamma_gamma_model(6, 3, 15), 1, 0, 11.25, 'nor at 0')) AS t(m, x, v, wanted, what);
SELECT is(num_nonnulls(gamma_gamma_fit(NULL::customer_history), gamma_gamma_fit(NULL, '{1}'::float8[]), gamma_gamma_fit('{1}'::float8[], NULL), gamma_gamma_model(NULL, 1, 2), gamma_gamma_model(1, NULL, 2), gamma_gamma_model(1, 2, NULL)), 0, 'NULL for NULL');

-- ---------- errors ----------

SELECT raises(query, state, message)
FROM (VALUES
	('gamma_gamma_fit(ARRAY[]::int[], ARRAY[]::int[])', '22023', 'gamma_gamma cannot be fitted because 0 of 0 customers have a repeat purchase and positive spending, and it has 3 parameters'),
	('gamma_gamma_fit(ARRAY[1,2,3], ARRAY[1,2,3])', '22023', 'gamma_gamma cannot be fitted because 3 of 3 customers%'),
	('gamma_gamma_fit(ARRAY[1,2,3,0,4,5], ARRAY[1,2,3,4,0,-3], ARRAY[1,1,1,10,100,1000])', '22023', 'gamma_gamma cannot be fitted because 3 of 1113 customers%'),
	('gamma_gamma_fit(ARRAY[1,2,3,4,5], ARRAY[7,7,7,7,7])', '22023', 'gamma_gamma cannot be fitted because all 5 customers spend 7 per purchase'),
	('gamma_gamma_fit(ARRAY[1,2,3,4,5], ARRAY[7,7,7,7,8], ARRAY[9,9,9,9,0])', '22023', 'gamma_gamma cannot be fitted because all 36 customers spend 7 per purchase'),
	('gamma_gamma_fit(ARRAY[1,2,3,4,-5], ARRAY[7,7,7,7,8])', '22023', 'x must not contain -5'),
	('gamma_gamma_fit(ARRAY[1,2,3,4,.5], ARRAY[7,7,7,7,8])', '22023', 'x must not contain 0.5'),
	('gamma_gamma_fit(ARRAY[1,2,3,4,''NaN''::float8], ARRAY[7,7,7,7,8])', '22023', 'x must not contain NaN'),
	('gamma_gamma_fit(ARRAY[1,2,3,4,''Infinity''::float8], ARRAY[7,7,7,7,8])', '22023', 'x must not contain Infinity'),
	('gamma_gamma_fit(ARRAY[1,2,3,4,5], ARRAY[7,7,7,7,''NaN''::float8])', '22023', 'monetary must not contain NaN'),
	('gamma_gamma_fit(ARRAY[1,2,3,4,5], ARRAY[7,7,7,7,''-Infinity''::float8])', '22023', 'monetary must not contain -Infinity'),
	('gamma_gamma_fit(ARRAY[1,2,3,4,NULL], ARRAY[7,7,7,7,8])', '22004', 'x must not contain NULL'),
	('gamma_gamma_fit(ARRAY[1,2,3,4,5], ARRAY[7,7,7,7,8], ARRAY[1,1,1,1,NULL])', '22004', 'weight must not contain NULL'),
	('gamma_gamma_fit(ARRAY[1,2,3,4,5], ARRAY[7,7,7,7,8], ARRAY[1,1,1,1,-1])', '22023', 'weight must not contain -1'),
	('gamma_gamma_fit(ARRAY[1,2,3,4,5], ARRAY[7,7,7,7,8], ARRAY[1,1,1,1,.1])', '22023', 'weight must not contain 0.1'),
	('gamma_gamma_fit(ARRAY[1,2,3,4,0], ARRAY[7,7,7,7,8], ARRAY[1,1,1,1,1e15])', '22023', 'weight must not add up to more than 1e+15 customers'),
	('gamma_gamma_fit(ARRAY[1,2,3,4], ARRAY[7,7,7,7,8])', '2202E', 'x and monetary must have the same number of elements'),
	('gamma_gamma_fit(ARRAY[1,2,3,4], ARRAY[7,7,7,8], ARRAY[1])', '2202E', 'x and weight must have the same number of elements'),
	('gamma_gamma_fit(ARRAY[1,2,3,4], ARRAY[7,7,7,8], penalty => -1)', '22023', 'penalty must not be -1'),
	('gamma_gamma_fit((SELECT customer_history(i / 2, date ''2024-01-01'' + i) FROM generate_series(1, 99) AS i))', '22023', 'gamma_gamma cannot be fitted because 0 of 50 customers%'),
	('gamma_gamma_fit((SELECT customer_history(i / 2, date ''2024-01-01'' + i, 5) FROM generate_series(1, 99) AS i))', '22023', 'gamma_gamma cannot be fitted because all 49 customers spend 5 per purchase'),
	('gamma_gamma_fit((SELECT customer_history(i / 2, date ''2024-01-01'' + i, i) FROM generate_series(1, 99) AS i), ''2023-01-01'')', '22023', 'gamma_gamma cannot be fitted because 0 of 0 customers%'),
	('gamma_gamma_fit((SELECT customer_history(1, ''2024-01-01'', 5)), ''infinity'')', '22008', 'as_of must be a finite date, not infinity'),
	('gamma_gamma_fit(NULL, observed_since => ''-infinity'')', '22008', 'observed_since must be a finite date, not -infinity'),
	('gamma_gamma_fit(NULL::customer_history, penalty => ''NaN'')', '22023', 'penalty must not be NaN'),
	('gamma_gamma_model(0, 1, 1)', '22023', 'p of gamma_gamma is 0, but must be positive and finite'),
	('gamma_gamma_model(1, ''NaN'', 1)', '22023', 'q of gamma_gamma is NaN, but must be positive and finite'),
	('gamma_gamma_model(1, 1, ''Infinity'')', '22023', 'gamma of gamma_gamma is Infinity, but must be positive and finite'),
	('expected_value(ROW(1, 2, -3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)::gamma_gamma, 1, 1)', '22023', 'gamma of gamma_gamma is -3, but must be positive and finite'),
	('expected_value(gamma_gamma_model(1, 2, 3), -1, 1)', '22023', 'no customer has x = -1, monetary = 1'),
	('expected_value(gamma_gamma_model(1, 2, 3), ''NaN'', 1)', '22023', 'no customer has x = NaN, monetary = 1'),
	('expected_value(gamma_gamma_model(1, 2, 3), ''Infinity'', 1)', '22023', 'no customer has x = Infinity, monetary = 1'),
	('expected_value(gamma_gamma_model(1, 2, 3), 1, ''NaN'')', '22023', 'no customer has x = 1, monetary = NaN'),
	('expected_value(gamma_gamma_model(1, 2, 3), 1, ''Infinity'')', '22023', 'no customer has x = 1, monetary = Infinity')) AS e(call, state, message),
	LATERAL (SELECT 'SELECT ' || call AS query) AS q;

-- ---------- honesty ----------

CREATE TABLE poor AS
SELECT name, wanted, x::float8[], m::float8[], text_of(format('SELECT to_jsonb(gamma_gamma_fit(%L::float8[], %L::float8[]))', x::float8[], m::float8[]))::jsonb AS fit
FROM (
	SELECT 'random means, once each: ' || draw AS name, 'sane' AS wanted, array_agg(1 + i % 3) AS x, array_agg(10 + 20 * random() + 0 * draw) AS m FROM generate_series(1, 12) AS draw, generate_series(1, 20) AS i GROUP BY draw
	UNION ALL SELECT 'one purchase each', 'sane', array_agg(1), array_agg(-ln(1 - random()) * 30) FROM generate_series(1, 300)
	UNION ALL SELECT 'all spend nearly the same', 'no', array_agg(i % 5 + 1), array_agg(50 + random() / 1000) FROM generate_series(1, 300) AS i
	UNION ALL SELECT 'customers do not differ, purchases do', 'sane', array_agg(10), array_agg(m) FROM generate_series(1, 300) AS i, LATERAL (SELECT avg(20 + 10 * random() + 0 * (i + k)) AS m FROM generate_series(1, 10) AS k) AS s
	UNION ALL SELECT 'two means', 'sane', array_agg(5), array_agg(10 + i % 2 * 90) FROM generate_series(1, 300) AS i
	UNION ALL SELECT 'one who is extremely rich', 'sane', array_agg(2), array_agg(CASE i WHEN 1 THEN 1e12 ELSE 5 + random() END) FROM generate_series(1, 300) AS i
	UNION ALL SELECT 'money of a billionth', 'sane', array_agg(1 + i % 4), array_agg(-ln(1 - random()) * 1e-9) FROM generate_series(1, 300) AS i
	UNION ALL SELECT format('%s of the sample: %s', n, draw), 'sane', array_agg(frequency), array_agg(monetary)
	FROM generate_series(1, 6) AS draw, unnest('{4,5,8,12,20,30}'::int[]) AS n, LATERAL (SELECT frequency, monetary FROM sample, clv_summary(h, '1997-09-30') WHERE draw > 0 AND monetary > 0 ORDER BY random() LIMIT n) AS s GROUP BY n, draw HAVING count(DISTINCT monetary) > 1
	) AS p;
CREATE FUNCTION is_sane(fit jsonb) RETURNS boolean LANGUAGE sql AS $$
	SELECT bool_and(value::float8 BETWEEN 1e-14 AND CASE key WHEN 'gamma' THEN 1e12 ELSE 9e4 END AND (fit ->> (key || '_se'))::float8 BETWEEN 0 AND 50 * value::float8)
	FROM jsonb_each_text(fit) WHERE key IN ('p', 'q', 'gamma') $$;
INSERT INTO probe SELECT name, format('SELECT gamma_gamma_fit(%L::float8[], %L::float8[])', x, m) FROM poor;
-- 1 / mean is of Weibull's shape 0.6
CREATE TABLE rich AS SELECT array_agg(3) AS x, array_agg(5 * (1 + i % 5) / (-ln(1 - (i - 0.5) / 400)) ^ (1 / 0.6)) AS m FROM generate_series(1, 400) AS i;
INSERT INTO probe VALUES ('q below 1', $$ SELECT gamma_gamma_fit(x, m) FROM rich $$);
INSERT INTO probe VALUES ('a good fit', $$ SELECT gamma_gamma_fit(h) FROM sample $$), ('no history', $$ SELECT gamma_gamma_fit(NULL::customer_history) $$);
\ir include/run_probes.sql
SELECT ok(CASE WHEN (fit ->> 'converged')::boolean THEN wanted = 'sane' AND is_sane(fit) AND (warning IS NULL OR (fit ->> 'q')::float8 <= 1)
		  ELSE num_nonnulls(fit ->> 'p', fit ->> 'q', fit ->> 'gamma', fit ->> 'p_se', fit ->> 'q_se', fit ->> 'gamma_se') = 0 AND warning LIKE E'WARNING:  the fit of gamma_gamma did not converge\nDETAIL:  _%\nHINT:  _%' END IS TRUE, name)
	   || CASE WHEN (fit ->> 'converged')::boolean AND NOT (wanted = 'sane' AND is_sane(fit)) THEN E'\n' || diag(fit::text) ELSE '' END
FROM poor JOIN warning USING (name) ORDER BY name;
SELECT is(count(*), 3 + (SELECT count(*) FROM poor), 'and all were tried') FROM warning;
SELECT is(warning, NULL, name) FROM warning WHERE name IN ('a good fit', 'no history');
SELECT ok(warning LIKE E'WARNING:  the spending of a new customer has no finite expectation\nDETAIL:  q is 0%, and the expectation is p gamma / (q - 1).\nHINT:  _%' AND warning !~ 'converge', 'q <= 1 is warned of') || CASE WHEN warning IS NULL THEN E'\n# no warning' ELSE '' END FROM warning WHERE name = 'q below 1';
SELECT is(expected_value(f, 0, NULL), NULL, 'and a new customer then has no value') || E'\n' || ok((f).converged AND (f).q <= 1 AND expected_value(f, 3, 10) > 0, 'while others have one')
FROM (SELECT gamma_gamma_fit(x, m) AS f FROM rich) AS f;
SELECT ok(bool_or(warning ~ 'iterations') IS NOT TRUE, 'no fit runs out of iterations') || coalesce(E'\n' || diag(string_agg(name, ', ') FILTER (WHERE warning ~ 'iterations')), '') FROM warning WHERE name !~ 'sample|random';

SELECT * FROM finish();
