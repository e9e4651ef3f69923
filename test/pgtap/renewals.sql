-- Shifted beta-geometric and beta-discrete-Weibull in SQL: published figures,
-- sums and products by their definitions, edges, errors, and data that cannot
-- tell the parameters.

SELECT no_plan();
\ir include/models.sql

CREATE TABLE survivor (year int, regular int, high_end int);
\copy survivor FROM test/data/sbg_fader_hardie_2007.csv WITH (FORMAT csv, HEADER)
CREATE TABLE kind (name text);
INSERT INTO kind VALUES ('shifted_beta_geometric'), ('beta_discrete_weibull');

-- ---------- published ----------

-- a fit to the last digit: sums are of long double, so that order does not show; but valgrind knows no more than double
\set slowness 1
\getenv slowness LOYALTY_SLOWNESS
\set digits 'SELECT CASE WHEN ' :slowness ' > 1 THEN regexp_replace(fit::text, ''(\\.\\d{9})\\d+'', ''\\1'', ''g'') ELSE fit::text END'
CREATE FUNCTION digits(fit anyelement) RETURNS text LANGUAGE sql AS :'digits';

CREATE TABLE fits AS SELECT s, shifted_beta_geometric_fit(s) AS f, beta_discrete_weibull_fit(s) AS w FROM (SELECT array_agg(regular ORDER BY year) AS s FROM survivor WHERE year <= 7) AS s;
SELECT near((to_jsonb(f) ->> field)::float8, wanted, tolerance, 'regular: ' || field)
FROM fits, (VALUES ('alpha', .7040772985, 1e-9), ('beta', 1.182043026, 1e-9), ('log_likelihood', -1680.265188463, 1e-12), ('customers', 1000, 0)) AS v(field, wanted, tolerance);
SELECT near(survival(f, 12), .170037, 3e-6, 'survival in year 12') FROM fits;
SELECT near(expected_lifetime(f, 0.1), 3.694908428, 1e-9, 'discounted expected lifetime') FROM fits;
SELECT ok((f).converged AND (w).converged AND (w).log_likelihood > (f).log_likelihood AND (w).c BETWEEN 0.5 AND 2, 'one parameter more is a little more likely') FROM fits;
-- Fader and Hardie 2007: high end .668, 3.806, log likelihood -1611.2
SELECT is(ARRAY[round((f).alpha::numeric, 3), round((f).beta::numeric, 3), round((f).log_likelihood::numeric, 1)], '{0.668,3.806,-1611.2}', 'high end')
FROM (SELECT shifted_beta_geometric_fit(array_agg(high_end ORDER BY year)) AS f FROM survivor WHERE year <= 7) AS f;

-- the same cohort, customer by customer
CREATE TABLE renewer AS
SELECT year AS periods, true AS churned, n FROM (SELECT year, lag(regular) OVER (ORDER BY year) - regular AS n FROM survivor WHERE year <= 7) AS l WHERE n > 0
UNION ALL SELECT 7, false, regular FROM survivor WHERE year = 7;
SELECT format($$
	SELECT is(digits(a.f), digits(b.f), '%1$s: survivors, and customers with weights') FROM (SELECT %1$s_fit(s) AS f FROM fits) AS a, (SELECT %1$s_fit(array_agg(periods), array_agg(churned), array_agg(n)) AS f FROM renewer) AS b;
	SELECT is(digits(a.f), digits(b.f), '%1$s: one by one, in any order') FROM (SELECT %1$s_fit(s) AS f FROM fits) AS a, (SELECT %1$s_fit(array_agg(periods), array_agg(churned)) AS f FROM (SELECT r.* FROM renewer AS r, generate_series(1, n) ORDER BY random()) AS r) AS b;
	SELECT is(digits(a.f), digits(b.f), '%1$s: with weights of 0') FROM (SELECT %1$s_fit(s) AS f FROM fits) AS a, (SELECT %1$s_fit(array_agg(periods) || 99, array_agg(churned) || true, array_agg(n) || 0) AS f FROM renewer) AS b;
	SELECT is(digits(%1$s_fit(penalty => 0.01, weight => '{9,4,5,30}', churned => '{t,t,t,f}', periods => '{1,2,3,3}')), digits(%1$s_fit(survivors => '{48,39,35,30}', penalty => 0.01)), '%1$s: by name, with a penalty');
	SELECT is(digits(%1$s_fit('{48,39,35,30}')), digits(%1$s_fit(ARRAY[48,39,35,30]::bigint[])), '%1$s: literals and bigint');
	SELECT is(digits(%1$s_fit('{{48,39},{35,30}}'::numeric[])), digits(%1$s_fit(ARRAY[48,39,35,30]::smallint[])), '%1$s: numeric, smallint, any shape');
	SELECT is(digits(%1$s_fit(ARRAY[1,2,3,3], ARRAY[true,true,true,false], ARRAY[9,4,5,30], NULL)), digits(%1$s_fit('{48,39,35,30}')), '%1$s: no penalty is NULL');
	SELECT is(digits(%1$s_fit(survivors => '{48,39,35,30}', penalty => NULL)), digits(%1$s_fit('{48,39,35,30}')), '%1$s: no penalty is NULL, of survivors');
	SELECT is(digits(f), digits(%1$s_fit('{48,39,35,30}')), '%1$s: in FROM') FROM %1$s_fit('{48,39,35,30}') AS f;
	SELECT is(f::text::%1$s, f, '%1$s: through text') || E'\n' || is(jsonb_populate_record(NULL::%1$s, f::jsonb), f, '%1$s: through jsonb') FROM %1$s_fit('{480,390,350,325,310}') AS f;
	$$, name) FROM kind
\gexec
-- cohorts of different lengths, in one fit: nothing but more rows
SELECT ok((f).converged AND (f).customers = 1741, 'two cohorts') FROM (SELECT shifted_beta_geometric_fit(array_agg(periods), array_agg(churned), array_agg(n)) AS f FROM (
	TABLE renewer UNION ALL SELECT year, true, n FROM (SELECT year, lag(regular) OVER (ORDER BY year) - regular AS n FROM survivor WHERE year <= 3) AS l WHERE n > 0 UNION ALL SELECT 0, false, 123) AS u) AS f;

-- ---------- predictions by their definitions ----------

CREATE TABLE model AS
SELECT i, shifted_beta_geometric_model(a, b) AS f, beta_discrete_weibull_model(a, b, c) AS w, beta_discrete_weibull_model(a, b, 1) AS one, a, b, c
FROM generate_series(1, 30) AS i, LATERAL (SELECT exp(4 * random() - 2 + 0 * i) AS a, exp(4 * random() - 2 + 0 * i) AS b, exp(2 * random() - 1 + 0 * i) AS c) AS p;
SELECT is_empty($$ SELECT i, t FROM model, generate_series(0, 30) AS t WHERE survival(f, 0) <> 1 OR survival(w, 0) <> 1 OR retention_rate(f, t + 1) NOT BETWEEN 0 AND 1 OR retention_rate(w, t + 1) NOT BETWEEN 0 AND 1
				   OR abs(retention_rate(f, t + 1) - (b + t) / (a + b + t)) > 1e-13
				   OR abs(survival(f, t + 1) - survival(f, t) * retention_rate(f, t + 1)) > 1e-12 OR abs(survival(w, t + 1) - survival(w, t) * retention_rate(w, t + 1)) > 1e-12 $$, 'S(t + 1) = S(t) r(t + 1), and r(t) of sBG as published');
SELECT is_empty($$ SELECT i FROM model, generate_series(0, 20) AS t WHERE abs(survival(f, t) - survival(one, t)) > 1e-13 OR abs(retention_rate(f, t + 1) - retention_rate(one, t + 1)) > 1e-12
				   OR abs(expected_lifetime(f, .1) - expected_lifetime(one, .1)) > 1e-11 * expected_lifetime(f, .1) OR abs(residual_value(f, t, 3, .1) - residual_value(one, t, 3, .1)) > 1e-11 * residual_value(f, t, 3, .1) $$, 'BdW with c = 1 is sBG');
SELECT is_empty($$ SELECT i, d, got, wanted FROM model, unnest('{0.05,0.1,1}'::float8[]) AS d, LATERAL (SELECT expected_lifetime(f, d) AS got, sum(survival(f, t) / (1 + d) ^ t) AS wanted FROM generate_series(0, 800) AS t
				   UNION ALL SELECT expected_lifetime(w, d), sum(survival(w, t) / (1 + d) ^ t) FROM generate_series(0, 800) AS t) AS s WHERE abs(got - wanted) > 1e-10 * wanted $$, 'expected_lifetime is the sum of S(t) / (1 + d)^t');
SELECT is_empty($$ SELECT i, age, got, wanted FROM model, unnest('{0,1,7}'::int[]) AS age, LATERAL (SELECT residual_value(f, age, 25, .1) AS got, 25 * sum(survival(f, age + t) / survival(f, age) / 1.1 ^ (t - 1)) AS wanted FROM generate_series(1, 600) AS t
				   UNION ALL SELECT residual_value(w, age, 25, .1), 25 * sum(survival(w, age + t) / survival(w, age) / 1.1 ^ (t - 1)) FROM generate_series(1, 600) AS t WHERE survival(w, age) > 1e-200) AS s WHERE abs(got - wanted) > 1e-9 * wanted $$,
				'residual_value is the sum of S(age + t) / S(age) / (1 + d)^(t - 1)');
-- far ages and small discounts: nothing may break
SELECT is_empty($$ SELECT i, t, s, before FROM (SELECT i, t, s, lag(s) OVER (PARTITION BY i, of ORDER BY t) AS before FROM model, unnest('{0,1,2,10,1e3,1e6,1e9,1e12,1e15}'::float8[]) AS t, LATERAL (VALUES ('f', survival(f, t)), ('w', survival(w, t))) AS v(of, s)) AS l
				   WHERE (s BETWEEN 0 AND 1 AND s <= coalesce(before, 1)) IS NOT TRUE $$, 'survival falls from 1 to 0, at any age');
SELECT is_empty($$ SELECT i, d, l, below FROM (SELECT i, of, d, l, lag(l) OVER (PARTITION BY i, of ORDER BY d DESC) AS below FROM model, unnest('{1e-300,1e-100,1e-12,1e-9,1e-6,1e-3,0.1,1,1e6,1e300}'::float8[]) AS d, LATERAL (VALUES ('f', expected_lifetime(f, d)), ('w', expected_lifetime(w, d))) AS v(of, l)) AS l
				   WHERE (l BETWEEN 1 AND 1e300 AND l >= coalesce(below, 1)) IS NOT TRUE $$, 'a lifetime grows as the discount shrinks, and is finite');
SELECT is_empty($$ SELECT a, c, d, l, of_sbg FROM unnest('{0.3,0.99,1.01,2,50}'::float8[]) AS a, unnest('{0.9999999,1.0000001}'::float8[]) AS c, unnest('{1e-9,1e-6,0.001,0.1}'::float8[]) AS d,
				   LATERAL (SELECT expected_lifetime(beta_discrete_weibull_model(a, 1.2, c), d) AS l, expected_lifetime(shifted_beta_geometric_model(a, 1.2), d) AS of_sbg) AS x WHERE (abs(l - of_sbg) <= 1e-4 * of_sbg) IS NOT TRUE $$, 'c near 1 is near sBG');
SELECT is_empty($$ SELECT a, l, of_sbg FROM unnest('{1.2,2,50,1000}'::float8[]) AS a, LATERAL (SELECT expected_lifetime(beta_discrete_weibull_model(a, 1.2, 1.0000001)) AS l, expected_lifetime(shifted_beta_geometric_model(a, 1.2)) AS of_sbg) AS x WHERE (abs(l - of_sbg) <= 1e-4 * of_sbg) IS NOT TRUE $$, 'and so without a discount');
SELECT is_empty($$ SELECT a, c, l FROM unnest('{0.01001,0.6,1.1,5}'::float8[]) AS a, unnest('{0.1,2,10,100}'::float8[]) AS c, LATERAL (SELECT expected_lifetime(beta_discrete_weibull_model(a, 1.2, c)) AS l) AS x
				   WHERE CASE WHEN a * c <= 1 THEN l IS NOT NULL ELSE (l >= 1 AND l < 'Infinity') IS NOT TRUE END $$, 'BdW: NULL where alpha * c <= 1, a number elsewhere');
SELECT is(ARRAY[expected_lifetime(shifted_beta_geometric_model(1, 5)), expected_lifetime(shifted_beta_geometric_model(.5, 5), 0), residual_value(shifted_beta_geometric_model(1, 5), 3, 10, 0), expected_lifetime(shifted_beta_geometric_model(2, 5)), residual_value(shifted_beta_geometric_model(2, 5), 3, 10, 0)],
		  '{NULL,NULL,NULL,6,80}', 'without a discount: NULL where alpha <= 1, else (alpha + beta - 1) / (alpha - 1)');
SELECT is(ARRAY[residual_value(shifted_beta_geometric_model(2, 5), 3, 0, .1), residual_value(shifted_beta_geometric_model(2, 5), 3, -10, 0)], '{0,-80}', 'any money');
SELECT is_empty($$ SELECT m.i FROM model AS m, LATERAL (SELECT expected_lifetime(m.f, .1) + survival(m.w, 3) AS got) AS g, text_of(format('SELECT expected_lifetime(%L::shifted_beta_geometric, .1) + survival(%L::beta_discrete_weibull, 3)', f, w)) AS alone WHERE got IS DISTINCT FROM alone::float8 $$, 'models that change from row to row');
SELECT is((SELECT sum(residual_value(f, age, 25, .1)) FROM fits, generate_series(0, 6) AS age) > 0, true, 'the value of a base is a sum');

-- ---------- NULL ----------

SELECT is(coalesce(text_of('SELECT ' || replace(replace(call, 'MODEL', name || CASE name WHEN 'shifted_beta_geometric' THEN '_model(2, 3)' ELSE '_model(2, 3, 1)' END), 'TYPE', name)), ''), '', replace(replace(call, 'MODEL', name || '_model'), 'TYPE', name))
FROM kind, unnest('{"survival(NULL::TYPE, 1)","survival(MODEL, NULL)","retention_rate(NULL::TYPE, 1)","retention_rate(MODEL, NULL)","expected_lifetime(NULL::TYPE, .1)","expected_lifetime(NULL::TYPE)","expected_lifetime(MODEL, NULL)",
	"residual_value(NULL::TYPE, 1, 1, .1)","residual_value(MODEL, NULL, 1, .1)","residual_value(MODEL, 1, NULL, .1)","residual_value(MODEL, 1, 1, NULL)","TYPE_fit(NULL::float8[])","TYPE_fit(NULL, ''{t}''::bool[])","TYPE_fit(''{1}''::float8[], NULL::bool[])"}'::text[]) AS call;
SELECT is(num_nonnulls(shifted_beta_geometric_model(NULL, 1), shifted_beta_geometric_model(1, NULL), beta_discrete_weibull_model(NULL, 1, 1), beta_discrete_weibull_model(1, 1, NULL)), 0, 'no model of a NULL');
SELECT is(num_nonnulls(survival(m, 1), retention_rate(m, 1), expected_lifetime(m, .1), residual_value(m, 1, 1, .1)), 0, 'a model without parameters') FROM (SELECT ROW(NULL, 2, NULL, NULL, -3, 100, 9, false)::shifted_beta_geometric AS m) AS m;

-- ---------- errors ----------

SELECT raises('SELECT ' || replace(replace(call, 'MODEL', name || CASE name WHEN 'shifted_beta_geometric' THEN '_model(2, 3)' ELSE '_model(2, 3, 1)' END), 'TYPE', name), state, message)
FROM kind, (VALUES
	('survival(MODEL, -1)', '22023', 'age must not be -1'), ('survival(MODEL, 0.5)', '22023', 'age must not be 0.5'), ('survival(MODEL, ''NaN'')', '22023', 'age must not be NaN'), ('survival(MODEL, ''Infinity'')', '22023', 'age must not be Infinity'),
	('retention_rate(MODEL, 0)', '22023', 'age must not be 0'), ('retention_rate(MODEL, 1.5)', '22023', 'age must not be 1.5'),
	('expected_lifetime(MODEL, -0.1)', '22023', 'discount must not be -0.1'), ('expected_lifetime(MODEL, ''NaN'')', '22023', 'discount must not be NaN'), ('expected_lifetime(MODEL, ''Infinity'')', '22023', 'discount must not be Infinity'),
	('residual_value(MODEL, -1, 1, .1)', '22023', 'age must not be -1'), ('residual_value(MODEL, 1, ''NaN'', .1)', '22023', 'amount must not be NaN'), ('residual_value(MODEL, 1, ''-Infinity'', .1)', '22023', 'amount must not be -Infinity'), ('residual_value(MODEL, 1, 1, -.1)', '22023', 'discount must not be -0.1'),
	('TYPE_fit(ARRAY[100]::int[])', '22023', 'survivors must have at least two elements'), ('TYPE_fit(ARRAY[]::int[])', '22023', 'survivors must have at least two elements'),
	('TYPE_fit(ARRAY[100,50,51])', '22023', 'survivors must not rise'), ('TYPE_fit(ARRAY[100,50.5,20])', '22023', 'survivors must not contain 50.5'), ('TYPE_fit(ARRAY[100,50,-20])', '22023', 'survivors must not contain -20'),
	('TYPE_fit(ARRAY[100,''NaN'',20]::float8[])', '22023', 'survivors must not contain NaN'), ('TYPE_fit(ARRAY[''Infinity'',50,20]::float8[])', '22023', 'survivors must not contain Infinity'), ('TYPE_fit(ARRAY[1e16,50,20])', '22023', 'survivors must not contain 1e+16'),
	('TYPE_fit(ARRAY[100,NULL,20])', '22004', 'survivors must not contain NULL'),
	('TYPE_fit(ARRAY[100,100,100,100])', '22023', 'TYPE cannot be fitted to customers of whom none has left'), ('TYPE_fit(ARRAY[0,0,0,0])', '22023', 'TYPE cannot be fitted to customers of whom none has left'),
	('TYPE_fit(ARRAY[100,50])', '22023', 'TYPE cannot be fitted to 1 renewals'), ('TYPE_fit(ARRAY[100,0,0,0,0])', '22023', 'TYPE cannot be fitted to 1 renewals'),
	('TYPE_fit(ARRAY[100,90,80], -1)', '22023', 'penalty must not be -1'), ('TYPE_fit(ARRAY[100,90,80], ''NaN''::float8)', '22023', 'penalty must not be NaN'),
	('TYPE_fit(ARRAY[1,2], ARRAY[true])', '2202E', 'periods and churned must have the same number of elements'), ('TYPE_fit(ARRAY[1,2], ARRAY[true,false], ARRAY[1])', '2202E', 'periods and weight must have the same number of elements'),
	('TYPE_fit(ARRAY[1,NULL], ARRAY[true,false])', '22004', 'periods must not contain NULL'), ('TYPE_fit(ARRAY[1,2], ARRAY[true,NULL])', '22004', 'churned must not contain NULL'), ('TYPE_fit(ARRAY[1,2], ARRAY[true,true], ARRAY[1,NULL])', '22004', 'weight must not contain NULL'),
	('TYPE_fit(ARRAY[0,2], ARRAY[true,true])', '22023', 'periods must not contain 0 where churned is true'), ('TYPE_fit(ARRAY[-1,2], ARRAY[false,true])', '22023', 'periods must not contain -1'), ('TYPE_fit(ARRAY[1.5,2], ARRAY[false,true])', '22023', 'periods must not contain 1.5'),
	('TYPE_fit(ARRAY[''NaN'',2]::float8[], ARRAY[false,true])', '22023', 'periods must not contain NaN'),
	('TYPE_fit(ARRAY[1,2], ARRAY[true,true], ARRAY[1,-1])', '22023', 'weight must not contain -1'), ('TYPE_fit(ARRAY[1,2], ARRAY[true,true], ARRAY[1,.5])', '22023', 'weight must not contain 0.5'), ('TYPE_fit(ARRAY[1,2], ARRAY[true,true], ARRAY[1e15,1])', '22023', 'weight must not add up to more than 1e+15 customers'),
	('TYPE_fit(ARRAY[]::int[], ARRAY[]::bool[])', '22023', 'TYPE cannot be fitted to customers of whom none has left'), ('TYPE_fit(ARRAY[1,2,3], ARRAY[false,false,false])', '22023', 'TYPE cannot be fitted to customers of whom none has left'),
	('TYPE_fit(ARRAY[1,2,3], ARRAY[true,true,true], ARRAY[0,0,0])', '22023', 'TYPE cannot be fitted to customers of whom none has left')) AS e(call, state, wanted),
	LATERAL (SELECT replace(wanted, 'TYPE', name) AS message) AS m;
SELECT raises('SELECT beta_discrete_weibull_fit(ARRAY[100,90,85])', '22023', 'beta_discrete_weibull cannot be fitted to 2 renewals');
SELECT raises('SELECT ' || call, '22023', message) FROM (VALUES
	('shifted_beta_geometric_model(0, 1)', 'alpha of shifted_beta_geometric is 0, but must be positive and finite'), ('shifted_beta_geometric_model(1, ''NaN'')', 'beta of shifted_beta_geometric is NaN, but must be positive and finite'),
	('beta_discrete_weibull_model(1, 1, ''Infinity'')', 'c of beta_discrete_weibull is Infinity, but must be positive and finite'),
	('survival(ROW(1, -2, NULL, NULL, NULL, NULL, NULL, NULL)::shifted_beta_geometric, 3)', 'beta of shifted_beta_geometric is -2, but must be positive and finite'),
	('expected_lifetime(ROW(1, 2, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL)::beta_discrete_weibull)', 'c of beta_discrete_weibull is 0, but must be positive and finite')) AS e(call, message);

-- ---------- honesty ----------

CREATE TABLE poor AS
SELECT name || ': ' || what AS name, name AS model, wanted, format('%s_fit(%L::float8[])', name, s) AS call, text_of(format('SELECT to_jsonb(%s_fit(%L::float8[]))', name, s))::jsonb AS fit
FROM kind, (VALUES
	('half leave each time', 'no', '{6400,3200,1600,800,400,200,100}'), ('half leave each time, nearly', 'no', '{100,50,25,12,6}'), ('leaving accelerates', 'no', '{1000,950,850,700,500,250,50}'), ('leaving accelerates to the end', 'no', '{1000,900,700,0}'),
	('nobody leaves after the first', 'no', '{1000,600,600,600,600}'), ('one of many leaves, at the first', 'no', '{1000,999,999,999,999}'), ('one leaves, at the last', 'no', '{1000,1000,1000,1000,999}'), ('all leave at the third', 'no', '{1000,1000,1000,0}'),
	('few customers', 'sane', '{7,5,4,4,3}'), ('very few customers', 'sane', '{3,2,1,1}'), ('many', 'sane', '{100000000000000,63100000000000,46800000000000,38200000000000,32600000000000}')) AS v(what, wanted_of_sbg, s),
	LATERAL (SELECT CASE WHEN name = 'beta_discrete_weibull' AND what IN ('leaving accelerates', 'half leave each time, nearly', 'one of many leaves, at the first', 'leaving accelerates to the end') THEN 'sane' ELSE wanted_of_sbg END AS wanted) AS w;
INSERT INTO poor SELECT name || ': random survivors ' || draw, name, 'sane', call, text_of('SELECT to_jsonb(' || call || ')')::jsonb
FROM kind, generate_series(1, 15) AS draw, LATERAL (SELECT array_agg(n ORDER BY n DESC) AS s FROM (SELECT (random() * (5 + 20 * draw))::int AS n FROM generate_series(1, 6)) AS n) AS s, LATERAL (SELECT format('%s_fit(%L::float8[])', name, s || 0 || 0) AS call) AS c WHERE s[1] > 0;
CREATE FUNCTION is_sane(fit jsonb) RETURNS boolean LANGUAGE sql AS $$
	SELECT bool_and(value::float8 BETWEEN 1e-5 AND 9e4 AND (fit ->> (key || '_se'))::float8 BETWEEN 0 AND 50 * value::float8) FROM jsonb_each_text(fit) WHERE key IN ('alpha', 'beta', 'c') $$;
INSERT INTO probe SELECT name, 'SELECT ' || call FROM poor;
\ir include/run_probes.sql
SELECT ok(CASE WHEN (fit ->> 'converged')::boolean THEN wanted = 'sane' AND is_sane(fit) AND warning IS NULL
		  ELSE num_nonnulls(fit ->> 'alpha', fit ->> 'beta', fit ->> 'c', fit ->> 'alpha_se', fit ->> 'beta_se', fit ->> 'c_se') = 0 AND warning LIKE format(E'WARNING:  the fit of %s did not converge\nDETAIL:  _%%\nHINT:  _%%', model) END IS TRUE, name)
	   || CASE WHEN (fit ->> 'converged')::boolean AND NOT (wanted = 'sane' AND is_sane(fit)) THEN E'\n' || diag(fit::text) ELSE '' END
FROM poor JOIN warning USING (name) ORDER BY name;
SELECT is(count(*), (SELECT count(*) FROM poor), 'and all were tried') FROM warning;
SELECT ok(bool_or(warning ~ 'iterations') IS NOT TRUE, 'no fit runs out of iterations') || coalesce(E'\n' || diag(string_agg(name, ', ') FILTER (WHERE warning ~ 'iterations')), '') FROM warning WHERE name !~ 'random';

SELECT * FROM finish();
