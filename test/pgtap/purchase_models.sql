-- BG/NBD, MBG/NBD, Pareto/NBD and BG/BB in SQL: published figures, what must
-- be equal however it was computed, edges and errors, and data that cannot
-- tell the parameters.

SELECT no_plan();
\ir include/models.sql
\ir include/cdnow_sample.sql

CREATE TABLE sample AS
SELECT h, array_agg(frequency) AS x, array_agg(recency) AS t_x, array_agg(age) AS t
FROM (SELECT customer_history(customer_id, day, amount) AS h FROM cdnow_sample) AS o, clv_summary(h, '1997-09-30') GROUP BY h;
CREATE TABLE summary AS SELECT s.* FROM sample, clv_summary(h, '1997-09-30') AS s;

-- ---------- published: CDNOW ----------

CREATE TABLE fits (model text PRIMARY KEY, bg bg_nbd, mbg mbg_nbd, pareto pareto_nbd, of_arrays text);
INSERT INTO fits SELECT 'bg_nbd', f, NULL, NULL, g::text FROM sample, bg_nbd_fit(h, '1997-09-30') AS f, bg_nbd_fit(x, t_x, t) AS g;
INSERT INTO fits SELECT 'mbg_nbd', NULL, f, NULL, g::text FROM sample, mbg_nbd_fit(h, '1997-09-30') AS f, mbg_nbd_fit(x, t_x, t) AS g;
INSERT INTO fits SELECT 'pareto_nbd', NULL, NULL, f, g::text FROM sample, pareto_nbd_fit(h, '1997-09-30') AS f, pareto_nbd_fit(x, t_x, t) AS g;
CREATE VIEW fitted AS SELECT model, coalesce(to_jsonb(bg), to_jsonb(mbg), to_jsonb(pareto)) AS fit, of_arrays FROM fits;

-- Pareto/NBD's maximum is flat: the brief for beta is 1e-3; we reach more
SELECT near((fit ->> field)::float8, wanted, tolerance, model || ' ' || field)
FROM fitted, (VALUES
	('bg_nbd', 'r', .2425945224, 1e-9), ('bg_nbd', 'alpha', 4.413602019, 1e-9), ('bg_nbd', 'a', .7929220172, 1e-9), ('bg_nbd', 'b', 2.425906777, 1e-9),
	('bg_nbd', 'r_se', .01255738, 1e-6), ('bg_nbd', 'alpha_se', .3782241, 1e-6), ('bg_nbd', 'a_se', .1857338, 1e-6), ('bg_nbd', 'b_se', .7054143, 1e-6),
	('bg_nbd', 'log_likelihood', -9582.4292066739, 1e-13),
	('mbg_nbd', 'r', .524843159, 1e-8), ('mbg_nbd', 'alpha', 6.183085279, 1e-8), ('mbg_nbd', 'a', .8913593908, 1e-8), ('mbg_nbd', 'b', 1.61400224, 1e-8),
	('mbg_nbd', 'r_se', .08326821, 1e-6), ('mbg_nbd', 'alpha_se', .6956206, 1e-6), ('mbg_nbd', 'a_se', .1547899, 1e-6), ('mbg_nbd', 'b_se', .5374948, 1e-6),
	('mbg_nbd', 'log_likelihood', -9582.1357155537, 1e-13),
	('pareto_nbd', 'r', .5532770468, 1e-6), ('pareto_nbd', 'alpha', 10.57768346, 1e-6), ('pareto_nbd', 's', .6062399887, 1e-5), ('pareto_nbd', 'beta', 11.66873528, 1e-5),
	('pareto_nbd', 'r_se', .04762793, 1e-4), ('pareto_nbd', 'alpha_se', .8427225, 1e-4), ('pareto_nbd', 's_se', .1872813, 1e-4), ('pareto_nbd', 'beta_se', 6.211114, 1e-4),
	('pareto_nbd', 'log_likelihood', -9594.9761789395, 1e-13)) AS w(of, field, wanted, tolerance) WHERE of = model;
SELECT is(fit ->> 'customers', '2357', model || ' customers') FROM fitted;
SELECT ok((fit ->> 'converged')::boolean AND (fit ->> 'iterations')::int BETWEEN 1 AND 100, model || ' converged') FROM fitted;
-- the same rows sorted in the same way: the same sums
SELECT is(coalesce(bg::text, mbg::text, pareto::text), of_arrays, model || ': arrays of clv_summary give the same bits as the history') FROM fits;

CREATE TABLE predicted AS
SELECT model, c.*, log_likelihood(bg, frequency, recency, age) AS ll, p_alive(bg, frequency, recency, age) AS alive, expected_purchases(bg, frequency, recency, age, 39) AS purchases
FROM fits, summary AS c WHERE model = 'bg_nbd'
UNION ALL SELECT model, c.*, log_likelihood(mbg, frequency, recency, age), p_alive(mbg, frequency, recency, age), expected_purchases(mbg, frequency, recency, age, 39)
FROM fits, summary AS c WHERE model = 'mbg_nbd'
UNION ALL SELECT model, c.*, log_likelihood(pareto, frequency, recency, age), p_alive(pareto, frequency, recency, age), expected_purchases(pareto, frequency, recency, age, 39)
FROM fits, summary AS c WHERE model = 'pareto_nbd';
SELECT near(sum(purchases), wanted, 1e-8, model || ': purchases of the next 39 weeks') FROM predicted
JOIN (VALUES ('bg_nbd', 1653.40870), ('mbg_nbd', 1576.72830), ('pareto_nbd', 1665.51311)) AS w(model, wanted) USING (model) GROUP BY model, wanted;
SELECT near(sum(alive), wanted, 1e-8, model || ': customers alive') FROM predicted
JOIN (VALUES ('bg_nbd', 1917.27767), ('mbg_nbd', 1057.63637), ('pareto_nbd', 1051.87525)) AS w(model, wanted) USING (model) GROUP BY model, wanted;
SELECT near(sum(ll), (fit ->> 'log_likelihood')::float8, 1e-12, model || ': the log likelihood of all is the sum over customers') FROM predicted JOIN fitted USING (model) GROUP BY model, fit;
SELECT is_empty($$ SELECT model FROM predicted WHERE NOT (alive BETWEEN 0 AND 1 AND purchases BETWEEN 0 AND 1000 AND ll < 0) $$, 'probabilities are from 0 to 1');
SELECT is(count(*), 1411::bigint, 'BG/NBD: whoever has not come back is alive for certain; nobody else') FROM predicted WHERE model = 'bg_nbd' AND alive = 1 AND frequency = 0;
SELECT is(count(*), 0::bigint, 'and in no model is anybody else, unless he bought on the last day') FROM predicted WHERE alive = 1 AND (frequency > 0 OR model <> 'bg_nbd') AND recency < age;
SELECT near(expected_purchases(bg_nbd_model(.243, 4.414, .793, 2.426), t), wanted, 1e-11, 'a new customer in ' || t || ' weeks')
FROM (VALUES (1, .0532678911717), (39, 1.19672319332), (52, 1.4460505954), (78, 1.86051905794)) AS w(t, wanted);
SELECT near(p_alive(bg_nbd_model(.243, 4.414, .793, 2.426), 2, 30.43, 38.86), .726578570081, 1e-11, 'alive after (2, 30.43, 38.86)');
SELECT near(expected_purchases(bg_nbd_model(.243, 4.414, .793, 2.426), 2, 30.43, 38.86, 39), 1.22602817477, 1e-11, 'purchases after (2, 30.43, 38.86)');
SELECT near(expected_purchases(pareto_nbd_model(.55, 10.58, .61, 11.67), 132, 200, 200, 10), 6.20605178896, 1e-11, 'Pareto/NBD: purchases after (132, 200, 200)');
SELECT near(expected_purchases(bg_nbd_model(.25, 4, 1, 2.5), 39), 1.19298994157, 1e-11, 'a = 1');
SELECT near(expected_purchases(pareto_nbd_model(.55, 10, 1, 12), 2, 30, 39, 39), 1.17504468062, 1e-11, 's = 1');
SELECT near(log_likelihood(pareto_nbd_model(.55, 10, .6, 10), 2, 30, 39), -9.61341866366, 1e-11, 'alpha = beta');
SELECT near(expected_purchases(bg_nbd_model(.25, 4, 1 + e, 2.5), 39), 1.19298994157, 1e-6, 'a = 1 + ' || e) FROM unnest('{-1e-9,1e-9,1e-13}'::float8[]) AS e;
SELECT near(expected_purchases(pareto_nbd_model(.55, 10, 1 + e, 12), 2, 30, 39, 39), 1.17504468062, 1e-6, 's = 1 + ' || e) FROM unnest('{-1e-9,1e-9,1e-13}'::float8[]) AS e;
SELECT near(log_likelihood(pareto_nbd_model(.55, 10, .6, 10 + e), 2, 30, 39), -9.61341866366, 1e-7, 'beta = alpha + ' || e) FROM unnest('{-1e-8,1e-8,1e-13}'::float8[]) AS e;

-- ---------- published: donations ----------

CREATE TABLE donation (frequency int, recency int, periods int, weights int);
\copy donation FROM test/data/donations.csv WITH (FORMAT csv, HEADER)
CREATE TABLE donors (how text, model bg_bb);
INSERT INTO donors SELECT 'weights', f FROM (SELECT array_agg(frequency) AS x, array_agg(recency) AS t_x, array_agg(periods) AS t, array_agg(weights) AS w FROM donation) AS a, bg_bb_fit(x, t_x, t, w) AS f;
INSERT INTO donors SELECT 'a row a donor', f FROM (SELECT array_agg(frequency) AS x, array_agg(recency) AS t_x, array_agg(periods) AS t FROM (SELECT * FROM donation, generate_series(1, weights) ORDER BY random()) AS d) AS a, bg_bb_fit(x, t_x, t) AS f;
SELECT near((to_jsonb(model) ->> field)::float8, wanted, tolerance, how || ': ' || field)
FROM donors, (VALUES ('alpha', 1.203522352, 1e-8), ('beta', .7497163582, 1e-8), ('gamma', .6567182084, 1e-8), ('delta', 2.783442233, 1e-8), ('log_likelihood', -33225.58127435, 1e-12),
					 ('customers', 11104, 0), ('alpha_se', .069391, 1e-4), ('beta_se', .029448, 1e-4), ('gamma_se', .05101, 1e-4), ('delta_se', .32082, 1e-4)) AS w(field, wanted, tolerance);
SELECT is(count(DISTINCT model::text), 1::bigint, 'weights or rows: the same bits') FROM donors;
SELECT near(sum(weights * log_likelihood(model, frequency, recency, periods)), (model).log_likelihood, 1e-12, 'BG/BB: the sum over donors') FROM donors, donation WHERE how = 'weights' GROUP BY model;
-- Fader, Hardie and Shang 2010, 4.1: E[X(6, 11) | x, t_x, 6]
SELECT is(round(expected_purchases(model, x, t_x, 6, 5)::numeric, 2), wanted, format('BG/BB: donations in the next five years after (%s, %s)', x, t_x))
FROM donors, (VALUES (0, 0, 0.07), (6, 6, 3.75)) AS w(x, t_x, wanted) WHERE how = 'weights';
SELECT near(expected_purchases(model, frequency, recency, 6, 5), sum(wanted), 1e-12, format('BG/BB: E[X] after (%s, %s) by its definition', frequency, recency))
FROM donors, donation, generate_series(1, 5) AS i,
	 LATERAL (SELECT p_alive(model, frequency, recency, 6) * (SELECT coalesce(exp(sum(ln(((model).delta + 6 + k) / ((model).gamma + (model).delta + 6 + k)))), 1) FROM generate_series(1, i - 1) AS k)
			  * ((model).alpha + frequency) / ((model).alpha + (model).beta + 6) AS wanted) AS h
WHERE how = 'weights' GROUP BY model, frequency, recency;

-- ---------- equal however computed ----------

CREATE TABLE buyer_data AS
SELECT key, h, unit, days, array_agg(frequency) AS x, array_agg(recency) AS t_x, array_agg(age) AS t,
	   array_agg(frequency ORDER BY r) AS x2, array_agg(recency ORDER BY r) AS t_x2, array_agg(age ORDER BY r) AS t2
FROM buyer_histories, (VALUES ('day', 1), ('week', 7), ('month', 365 / 12::float8), ('year', 365)) AS u(unit, days),
	 LATERAL (SELECT *, random() + days * 0 AS r FROM clv_summary(h, '2023-12-15', unit)) AS s
WHERE key = 'bigint' OR unit = 'week' GROUP BY key, h, unit, days;
CREATE TABLE buyer_fits (model text, key text, unit text, days float8, how text, fit jsonb);
SELECT format($$
	INSERT INTO buyer_fits SELECT %1$L, key, unit, days, 'history', to_jsonb(f) FROM buyer_data, %1$s_fit(h, '2023-12-15', unit) AS f;
	INSERT INTO buyer_fits SELECT %1$L, key, unit, days, 'arrays', to_jsonb(f) FROM buyer_data, %1$s_fit(x, t_x, t) AS f WHERE unit = 'week';
	INSERT INTO buyer_fits SELECT %1$L, key, unit, days, 'shuffled', to_jsonb(f) FROM buyer_data, %1$s_fit(x2, t_x2, t2) AS f WHERE unit = 'week';
	INSERT INTO buyer_fits SELECT %1$L, key, unit, days, 'weighted', to_jsonb(f)
	FROM (SELECT key, unit, days, array_agg(x) AS x, array_agg(t_x) AS t_x, array_agg(t) AS t, array_agg(n) AS n
		  FROM (SELECT key, unit, days, v.*, count(*) AS n FROM buyer_data, unnest(x, t_x, t) AS v(x, t_x, t) WHERE unit = 'week' GROUP BY key, unit, days, v.x, v.t_x, v.t) AS g GROUP BY key, unit, days) AS w,
		 %1$s_fit(x, t_x, t, n) AS f;
	INSERT INTO buyer_fits SELECT %1$L, key, unit, days, 'with elements of weight 0', to_jsonb(f) FROM buyer_data, %1$s_fit(x || 7::bigint, t_x || 5::float8, t || 5::float8, array_fill(1, ARRAY[cardinality(x)]) || 0) AS f WHERE unit = 'week';
	INSERT INTO buyer_fits SELECT %1$L, key, unit, days, 'a calibration cut out', to_jsonb(f) FROM buyer_data, %1$s_fit(history_between(h, to_day => '2023-12-15'), '2023-12-15', unit) AS f WHERE unit = 'week';
	$$, model) FROM unnest('{bg_nbd,mbg_nbd,pareto_nbd}'::text[]) AS model
\gexec
SELECT is(count(*), 63::bigint, 'fits of random buyers') FROM buyer_fits;
SELECT ok(bool_and((fit ->> 'converged')::boolean), 'which converged: ' || model) FROM buyer_fits GROUP BY model;
-- equal patterns are added up, which is exact, and sorted: there is one order of summation
SELECT is(count(DISTINCT fit), 1::bigint, format('%s: from %s', model, string_agg(DISTINCT how || ' by ' || key, ', '))) FROM buyer_fits WHERE unit = 'week' GROUP BY model;
SELECT near((a.fit ->> field)::float8 * (CASE WHEN field ~ 'alpha|beta' THEN a.days ELSE 1 END), (b.fit ->> field)::float8, CASE WHEN field ~ '_se' THEN 1e-5 ELSE 1e-6 END,
			format('%s of %s in units of a %s, in days', field, a.model, a.unit))
FROM buyer_fits AS a JOIN buyer_fits AS b USING (model, key, how), unnest('{r,alpha,a,b,s,beta,r_se,alpha_se,a_se,b_se,s_se,beta_se,customers}'::text[]) AS field
WHERE key = 'bigint' AND how = 'history' AND a.unit <> 'day' AND b.unit = 'day' AND a.fit ? field;
SELECT near((a.fit ->> 'log_likelihood')::float8 - ln(a.days) * purchases, (b.fit ->> 'log_likelihood')::float8, 1e-11, format('log likelihood of %s in units of a %s', a.model, a.unit))
FROM buyer_fits AS a JOIN buyer_fits AS b USING (model, key, how), (SELECT sum(frequency) AS purchases FROM buyer_histories, clv_summary(h, '2023-12-15') WHERE key = 'bigint') AS s
WHERE key = 'bigint' AND how = 'history' AND a.unit <> 'day' AND b.unit = 'day';

-- as_of, observed_since, penalty, defaults and NULLs; by name, in FROM, LATERAL, the select list, under GROUP BY
CREATE FUNCTION of_summary(model text, h customer_history, as_of date, unit text, since date, penalty float8) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SELECT %s_fit(array_agg(frequency), array_agg(recency), array_agg(age), NULL, $5)::text FROM clv_summary($1, $2, $3, $4)', model) INTO result USING h, as_of, unit, since, penalty;
	RETURN result;
END
$$;
SELECT format($$
	SELECT is(%1$s_fit(h)::text, of_summary(%1$L, h, NULL, 'week', NULL, 0), '%1$s: every default') FROM buyer_histories WHERE key = 'uuid';
	SELECT is(%1$s_fit(h, NULL, NULL, NULL, NULL)::text, %1$s_fit(h)::text, '%1$s: NULL is the default') FROM buyer_histories WHERE key = 'uuid';
	SELECT is(%1$s_fit(observed_since => '2023-03-15', penalty => 0.001, unit => 'month', as_of => '2023-10-05', h => h)::text, of_summary(%1$L, h, '2023-10-05', 'month', '2023-03-15', 0.001), '%1$s: every argument, by name') FROM buyer_histories WHERE key = 'text';
	SELECT is(%1$s_fit(weight => NULL, t => t, x => x, t_x => t_x, penalty => NULL)::text, %1$s_fit(h, '2023-12-15')::text, '%1$s: arrays by name, and of bigint') FROM buyer_data WHERE key = 'uuid';
	SELECT is(%1$s_fit(x::numeric[], t_x, t, array_fill(1::smallint, ARRAY[cardinality(x)]))::text, %1$s_fit(x::int[], t_x::float8[], t)::text, '%1$s: arrays of other numbers') FROM buyer_data WHERE key = 'uuid';
	SELECT is(%1$s_fit(x => '{0,1,2,0,3,0,1,0}', t_x => '{0,3,4,0,2.5,0,1,0}', t => '{9,9,8,8,7,7,6,6}')::text, %1$s_fit(ARRAY[0,1,2,0,3,0,1,0], ARRAY[0,3,4,0,2.5,0,1,0], ARRAY[9,9,8,8,7,7,6,6])::text, '%1$s: literals, by name');
	SELECT is(%1$s_fit(x => '{{0,1,2,0},{3,0,1,0}}', t_x => '[5:12]={0,3,4,0,2.5,0,1,0}', t => '{9,9,8,8,7,7,6,6}')::text, %1$s_fit(ARRAY[0,1,2,0,3,0,1,0], ARRAY[0,3,4,0,2.5,0,1,0], ARRAY[9,9,8,8,7,7,6,6])::text, '%1$s: arrays of any shape, element by element');
	SELECT is(ARRAY(SELECT f::text FROM buyer_data, %1$s_fit(h, '2023-12-15') AS f WHERE unit = 'week' ORDER BY key), ARRAY(SELECT (%1$s_fit(h, '2023-12-15'))::text FROM buyer_data WHERE unit = 'week' ORDER BY key), '%1$s: in FROM, LATERAL, and in the select list');
	SELECT is(ARRAY(SELECT %1$s_fit(customer_history(as_text, day), '2024-01-31')::text FROM buyer_orders WHERE amount IS NULL OR amount >= 0 GROUP BY as_bigint %% 2 = 0 ORDER BY as_bigint %% 2 = 0),
			  ARRAY(SELECT of_summary(%1$L, h, '2024-01-31', 'week', NULL, 0) FROM (SELECT as_bigint %% 2 = 0 AS g, customer_history(as_bigint, day, amount) AS h FROM buyer_orders GROUP BY 1) AS g ORDER BY g), '%1$s: under GROUP BY; amounts do not matter');
	SELECT ok((p).converged AND (p).log_likelihood < (f).log_likelihood AND abs((p).alpha) < 20, '%1$s: a penalty costs likelihood') FROM (SELECT %1$s_fit(h) AS f, %1$s_fit(h, penalty => 0.01) AS p FROM buyer_histories WHERE key = 'uuid') AS f;
	$$, model) FROM unnest('{bg_nbd,mbg_nbd,pareto_nbd}'::text[]) AS model
\gexec
SELECT is(bg_nbd_fit(h, date '2023-06-30')::text, bg_nbd_fit(history_between(h, to_day => date '2023-06-30'), date '2023-06-30')::text, 'days after as_of are ignored') FROM buyer_histories WHERE key = 'text';
SELECT is(bg_bb_fit('{0,1,2,0,3,0}', '{0,3,4,0,4,0}', '{5,5,5,4,6,6}')::text, bg_bb_fit(ARRAY[0,0,0,3,2,1], ARRAY[0,0,0,4,4,3], ARRAY[6,4,5,6,5,5])::text, 'BG/BB: literals, any order');
-- whatever the unit of money or time: a penalty sees ages, not units
SELECT near((a.f).r, (b.f).r, 1e-6, 'a penalty does not depend on the unit') FROM (SELECT bg_nbd_fit(h, unit => 'day', penalty => 0.01) AS f FROM buyer_histories WHERE key = 'uuid') AS a,
	(SELECT bg_nbd_fit(h, unit => 'year', penalty => 0.01) AS f FROM buyer_histories WHERE key = 'uuid') AS b;

-- ---------- what predictions must satisfy ----------

CREATE TABLE models (name text PRIMARY KEY, bg bg_nbd, mbg mbg_nbd, pareto pareto_nbd, bb bg_bb);
INSERT INTO models SELECT 'CDNOW', (SELECT bg FROM fits WHERE model = 'bg_nbd'), (SELECT mbg FROM fits WHERE model = 'mbg_nbd'), (SELECT pareto FROM fits WHERE model = 'pareto_nbd'), (SELECT model FROM donors WHERE how = 'weights');
INSERT INTO models SELECT 'random ' || i, bg_nbd_model(p[1], p[2] * 20, p[3], p[4]), mbg_nbd_model(p[1], p[2] * 20, p[3], p[4]), pareto_nbd_model(p[1], p[2] * 20, p[3], p[4] * 20), bg_bb_model(p[1], p[2], p[3], p[4])
FROM generate_series(1, 20) AS i, LATERAL (SELECT array_agg(exp(3 * random() - 1.5 + 0 * (i + k))) AS p FROM generate_series(1, 4) AS k) AS p;
CREATE TABLE customer AS
SELECT CASE WHEN i % 6 = 0 THEN 0 ELSE (random() * 12)::int + 1 END AS x, least(ceil(random() * 30), 30)::int AS wide, 31 + (random() * 20)::int AS t FROM generate_series(1, 40) AS i;
ALTER TABLE customer ADD t_x int;
UPDATE customer SET t_x = CASE WHEN x = 0 THEN 0 ELSE greatest(x, wide) END;
CREATE TABLE kind (name text, col text, type text);
INSERT INTO kind VALUES ('bg_nbd', 'bg', 'loyalty.bg_nbd'), ('mbg_nbd', 'mbg', 'loyalty.mbg_nbd'), ('pareto_nbd', 'pareto', 'loyalty.pareto_nbd'), ('bg_bb', 'bb', 'loyalty.bg_bb');

SELECT format($$
	SELECT is_empty('SELECT m.name, n.total FROM models AS m, LATERAL (SELECT sum(purchase_probability(%1$s, n, 7)) AS total, sum(n * purchase_probability(%1$s, n, 7)) AS mean FROM generate_series(0, 4000) AS n) AS n
					 WHERE (abs(total - 1) < 1e-9 AND abs(mean - expected_purchases(%1$s, 7)) < 1e-7) IS NOT TRUE', '%2$s: probabilities of n purchases add up to 1, their mean is expected_purchases');
	SELECT is_empty('SELECT m.name, x, t_x, t, a.* FROM models AS m, customer, LATERAL (SELECT p_alive(%1$s, x, t_x, t) AS alive, log_likelihood(%1$s, x, t_x, t) AS ll, expected_purchases(%1$s, x, t_x, t, 0) AS none,
					 expected_purchases(%1$s, x, t_x, t, 5) AS few, expected_purchases(%1$s, x, t_x, t, 60) AS many, expected_purchases(%1$s, x, t_x, t, 6000) AS most) AS a
					 WHERE (alive BETWEEN 0 AND 1 AND ll < 1000 AND ll > -1e6 AND none = 0 AND few > 0 AND many > few AND most > many AND most < ''infinity'') IS NOT TRUE', '%2$s: purchases grow with the horizon');
	SELECT is_empty('SELECT m.name, x, t_x, t, a.* FROM models AS m, customer, LATERAL (SELECT p_alive(%1$s, x, t_x, t) AS alive, p_alive(%1$s, x, t_x, t + 3) AS later) AS a WHERE (later <= alive) IS NOT TRUE', '%2$s: the longer the silence, the less alive');
	SELECT is_empty('SELECT m.name, x, t_x, t, a.* FROM models AS m, customer, LATERAL (SELECT discounted_expected_purchases(%1$s, x, t_x, t, 0, 60) AS none, expected_purchases(%1$s, x, t_x, t, 60) AS expected,
					 discounted_expected_purchases(%1$s, x, t_x, t, 0.01, 60) AS little, discounted_expected_purchases(%1$s, x, t_x, t, 0.1, 60) AS much, discounted_expected_purchases(%1$s, x, t_x, t, 0.1, horizon => 1000) AS longer,
					 discounted_expected_purchases(%1$s, x, t_x, t, 0.1) AS ever) AS a
					 WHERE (none = expected AND little < none AND much < little AND little > none * exp(-0.6) AND longer > much AND abs(ever - longer) <= 1e-12 * ever) IS NOT TRUE', '%2$s: a discount takes away, a horizon adds');
	SELECT is_empty('SELECT m.name, x, t_x, t, got, low, high FROM models AS m, customer, LATERAL (SELECT discounted_expected_purchases(%1$s, x, t_x, t, 0.05, 60) AS got) AS g,
					 LATERAL (SELECT sum((b - a) * exp(-0.05 * i)) AS low, sum((b - a) * exp(-0.05 * (i - 1))) AS high FROM generate_series(1, 60) AS i, LATERAL (SELECT expected_purchases(%1$s, x, t_x, t, i - 1) AS a, expected_purchases(%1$s, x, t_x, t, i) AS b) AS e) AS h
					 WHERE (got >= low * (1 - 1e-12) AND got < high AND (''%2$s'' <> ''bg_bb'' OR abs(got - low) < 1e-12 * got)) IS NOT TRUE', '%2$s: discounted step by step');
	$$, col, name) FROM kind
\gexec
SELECT is_empty($$ SELECT m.name, x FROM models AS m, customer WHERE abs(p_alive(bg, x, t_x, t) - CASE WHEN x = 0 THEN 1 ELSE 1 / (1 + (bg).a / ((bg).b + x - 1) * (((bg).alpha + t) / ((bg).alpha + t_x)) ^ ((bg).r + x)) END) > 1e-12
					OR abs(p_alive(mbg, x, t_x, t) - 1 / (1 + (mbg).a / ((mbg).b + x) * (((mbg).alpha + t) / ((mbg).alpha + t_x)) ^ ((mbg).r + x))) > 1e-12 $$, 'P(alive) of BG/NBD and MBG/NBD as published');
SELECT is_empty($$ SELECT m.name FROM models AS m, generate_series(0, 50, 10) AS t WHERE abs(expected_purchases(pareto, t) - (pareto).r * (pareto).beta / (pareto).alpha / ((pareto).s - 1) * (1 - ((pareto).beta / ((pareto).beta + t)) ^ ((pareto).s - 1))) > 1e-9 * t $$,
				'E[X(t)] of Pareto/NBD as published');
SELECT is_empty($$ SELECT m.name, t FROM models AS m, generate_series(0, 50, 10) AS t WHERE abs(purchase_probability(bg, 0, t) - ((bg).alpha / ((bg).alpha + t)) ^ (bg).r) > 1e-12 $$, 'P(X(t) = 0) of BG/NBD as published');

-- ---------- models as values ----------

CREATE TABLE stored (name text, bg bg_nbd, mbg mbg_nbd, pareto pareto_nbd, bb bg_bb, padding text);
ALTER TABLE stored ALTER bg SET STORAGE external, ALTER pareto SET STORAGE extended;
INSERT INTO stored SELECT name, bg, mbg, pareto, bb, repeat(md5(name), 200) FROM models;
SELECT is_empty($$ SELECT name FROM models JOIN stored USING (name) WHERE (models.bg, models.mbg, models.pareto, models.bb) IS DISTINCT FROM (stored.bg, stored.mbg, stored.pareto, stored.bb) $$, 'stored and read');
SELECT is_empty($$ SELECT name FROM models WHERE (bg::text::bg_nbd, mbg::text::mbg_nbd, pareto::text::pareto_nbd, bb::text::bg_bb) IS DISTINCT FROM (bg, mbg, pareto, bb) $$, 'through text and back, to the last bit');
SELECT is_empty($$ SELECT name FROM models WHERE (jsonb_populate_record(NULL::bg_nbd, bg::jsonb), jsonb_populate_record(NULL::mbg_nbd, mbg::jsonb), jsonb_populate_record(NULL::pareto_nbd, pareto::jsonb), jsonb_populate_record(NULL::bg_bb, CAST(bb AS jsonb))) IS DISTINCT FROM (bg, mbg, pareto, bb) $$,
				'through jsonb and back');
SELECT is(bg_nbd_model(.243, 4.414, .793, 2.426)::jsonb, '{"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426, "r_se": null, "alpha_se": null, "a_se": null, "b_se": null, "log_likelihood": null, "customers": null, "iterations": null, "converged": null}', 'a model as jsonb');
SELECT is(ARRAY[NULL::bg_nbd::jsonb, NULL::mbg_nbd::jsonb, NULL::pareto_nbd::jsonb, NULL::bg_bb::jsonb], ARRAY[NULL, NULL, NULL, NULL]::jsonb[], 'NULL as jsonb');
CREATE DOMAIN our_model AS bg_nbd CHECK ((VALUE).r > 0);
SELECT is(expected_purchases(bg_nbd_model(.243, 4.414, .793, 2.426)::our_model, 39), expected_purchases(bg_nbd_model(.243, 4.414, .793, 2.426), 39), 'a domain over a model');

-- each model of its own in a row, four types in a query: as if asked one by one
CREATE TABLE one_by_one (name text, x int, t_x int, t int, figures float8[]);
CREATE VIEW at_once AS
SELECT name, x, t_x, t, ARRAY[log_likelihood(bg, x, t_x, t), p_alive(mbg, x, t_x, t), p_alive(pareto, x, t_x, t), p_alive(bb, x, t_x, t), expected_purchases(bg, x, t_x, t, 7), expected_purchases(mbg, x, t_x, t, 7),
							  expected_purchases(pareto, x, t_x, t, 7), expected_purchases(bb, x, t_x, t, 7), expected_purchases(bg, t), expected_purchases(bb, t), purchase_probability(mbg, x, t), discounted_expected_purchases(pareto, x, t_x, t, .1)] AS figures
FROM stored, customer;
INSERT INTO one_by_one SELECT name, x, t_x, t, text_of(format('SELECT ARRAY[log_likelihood(%1$L::bg_nbd, %5$s, %6$s, %7$s), p_alive(%2$L::mbg_nbd, %5$s, %6$s, %7$s), p_alive(%3$L::pareto_nbd, %5$s, %6$s, %7$s), p_alive(%4$L::bg_bb, %5$s, %6$s, %7$s),
	expected_purchases(%1$L::bg_nbd, %5$s, %6$s, %7$s, 7), expected_purchases(%2$L::mbg_nbd, %5$s, %6$s, %7$s, 7), expected_purchases(%3$L::pareto_nbd, %5$s, %6$s, %7$s, 7), expected_purchases(%4$L::bg_bb, %5$s, %6$s, %7$s, 7),
	expected_purchases(%1$L::bg_nbd, %7$s), expected_purchases(%4$L::bg_bb, %7$s), purchase_probability(%2$L::mbg_nbd, %5$s, %7$s), discounted_expected_purchases(%3$L::pareto_nbd, %5$s, %6$s, %7$s, .1)]', bg, mbg, pareto, bb, x, t_x, t))::float8[]
FROM stored, customer;
SELECT is(count(*), 840::bigint, 'models by customers') FROM one_by_one WHERE NOT 'NaN' = ANY (figures);
SELECT set_eq('TABLE at_once', 'TABLE one_by_one', 'models that change from row to row');
SELECT set_eq('SELECT name, x, t_x, t, figures FROM at_once ORDER BY random()', 'TABLE one_by_one', 'in any order');
CREATE MATERIALIZED VIEW kept AS TABLE at_once;
SELECT set_eq('TABLE kept', 'TABLE one_by_one', 'in a materialized view');
PREPARE ask (bg_nbd, float8) AS SELECT expected_purchases($1, $2);
SET plan_cache_mode = force_generic_plan;
CREATE TABLE asked (m text, n float8);
SELECT format('CREATE TEMP TABLE a%s AS EXECUTE ask(%L, 39)', i, bg) FROM (SELECT row_number() OVER () AS i, bg FROM (SELECT bg FROM stored ORDER BY name LIMIT 3) AS s) AS s
\gexec
RESET plan_cache_mode;
SELECT is(ARRAY[(SELECT expected_purchases FROM a1), (SELECT expected_purchases FROM a2), (SELECT expected_purchases FROM a3)], ARRAY(SELECT expected_purchases(bg, 39) FROM stored ORDER BY name LIMIT 3), 'prepared statements');
CREATE FUNCTION loop_over_models() RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	m record;
	total float8 := 0;
BEGIN
	FOR m IN SELECT * FROM stored ORDER BY name LOOP
		BEGIN
			total := total + expected_purchases(m.bg, 39);
			total := total + expected_purchases(ROW(NULL, 2, -1, 4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)::bg_nbd, 39);
		EXCEPTION WHEN invalid_parameter_value THEN
			total := total + expected_purchases(m.pareto, 3);
		END;
	END LOOP;
	RETURN total;
END
$$;
SELECT near(loop_over_models(), sum(expected_purchases(bg, 39)) + sum(expected_purchases(pareto, 3)), 1e-12, 'plpgsql, with errors caught in between') FROM stored;

CREATE TABLE big AS SELECT name, bg, mbg, pareto, bb, x, t_x, t FROM models, customer, generate_series(1, 20);
ALTER TABLE big SET (parallel_workers = 2);
ANALYZE big;
CREATE FUNCTION plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; result text := '';
BEGIN FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP result := result || line || E'\n'; END LOOP; RETURN result; END $$;
\set figures 'SELECT name, round(sum(expected_purchases(bg, x, t_x, t, 7) + p_alive(mbg, x, t_x, t) + expected_purchases(pareto, 3) + expected_purchases(bb, 4))::numeric, 6) FROM big GROUP BY name'
CREATE TABLE serial AS :figures;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT matches(plan_of(:'figures'), 'Workers Planned: 2', 'a plan with workers');
CREATE TABLE parallel AS :figures;
SELECT set_eq('TABLE parallel', 'TABLE serial', 'parallel workers');
SELECT set_config(name, 'on', false) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query')
\g /dev/null
SELECT set_eq('TABLE at_once', 'TABLE one_by_one', 'in a worker');
SELECT is(bg_nbd_fit(h, '1997-09-30')::text, of_arrays, 'a fit in a worker') FROM sample, fits WHERE model = 'bg_nbd';
RESET ALL;
SET client_min_messages = error;
SET search_path = public, loyalty;

-- ---------- NULL ----------

-- every argument NULL in turn, but those that have defaults
CREATE FUNCTION answers(call text, first text, arguments text[]) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT text_of(format('SELECT %s(%s)::text', call, (SELECT string_agg(CASE WHEN i = n AND n = 1 THEN first WHEN i = n THEN 'NULL' ELSE a END, ', ' ORDER BY i) FROM unnest(arguments) WITH ORDINALITY AS u(a, i))))
	FROM generate_series(1, cardinality(arguments)) AS n
$$;
SELECT is(ARRAY(SELECT coalesce(a, '') FROM answers(call, 'NULL::' || name, arguments) AS a), array_fill(''::text, ARRAY[cardinality(arguments)]), format('%s of a %s: NULL for a NULL', call, name))
FROM kind, LATERAL (VALUES ('log_likelihood', '{1,2,3}'::text[]), ('p_alive', '{1,2,3}'), ('expected_purchases', '{1,2,3,4}'), ('expected_purchases', '{3}'), ('purchase_probability', '{1,2}'), ('discounted_expected_purchases', '{1,2,3,.1}')) AS c(call, rest),
	 LATERAL (SELECT format('%s_model(1, 2, 3, 4)', name) || rest AS arguments) AS a WHERE NOT (call = 'expected_purchases' AND cardinality(rest) = 1);
SELECT is(ARRAY(SELECT coalesce(text_of(format('SELECT expected_purchases(%s)', a)), '') FROM unnest(ARRAY[format('NULL::%s, 3', name), format('%s_model(1, 2, 3, 4), NULL', name)]) AS a), '{"",""}', format('expected_purchases of a new customer of a %s: NULL for a NULL', name)) FROM kind;
SELECT is(text_of(format('SELECT discounted_expected_purchases(%1$s_model(1, 2, 3, 4), 1, 2, 3, .1, NULL) = discounted_expected_purchases(%1$s_model(1, 2, 3, 4), 1, 2, 3, .1)', name)), 'true', name || ': horizon NULL is for ever') FROM kind;
SELECT is(ARRAY(SELECT coalesce(a, '') FROM answers(name || '_model', 'NULL', '{1,2,3,4}') AS a), '{"","","",""}', name || '_model of a NULL') FROM kind;
SELECT is(ARRAY(SELECT coalesce(text_of(format('SELECT %s_fit(%s)::text', name, a)), '') FROM unnest(CASE name WHEN 'bg_bb' THEN '{}' ELSE '{NULL::customer_history}'::text[] END
	|| '{"NULL, ''{1}''::float8[], ''{1}''::float8[]","''{1}''::float8[], NULL, ''{1}''::float8[]","''{1}''::float8[], ''{1}''::float8[], NULL"}'::text[]) AS a),
	array_fill(''::text, ARRAY[CASE name WHEN 'bg_bb' THEN 3 ELSE 4 END]), name || '_fit of a NULL') FROM kind;
-- hand-made models
SELECT is(coalesce(text_of(format('SELECT coalesce(p_alive(m, 1, 2, 3), log_likelihood(m, 1, 2, 3), expected_purchases(m, 1, 2, 3, 4), expected_purchases(m, 5), purchase_probability(m, 1, 3), discounted_expected_purchases(m, 1, 2, 3, 4))::text FROM (SELECT ROW(%s, 1, 1, 1, 1, -5, 10, 3, false)::%s AS m) AS r', parameters, type)), ''), '',
		  format('%s with the parameters %s: NULL', name, parameters))
FROM kind, unnest('{"NULL, 1, 1, 1","1, 1, 1, NULL","NULL, NULL, NULL, NULL"}'::text[]) AS parameters;
SELECT raises(format('SELECT p_alive(ROW(%s, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)::%s, 1, 2, 3)', parameters, type), '22023', '% of ' || name || ' is %, but must be positive and finite')
FROM kind, unnest('{"1, 1, 1, 0","-1, 1, 1, 1","1, ''NaN'', 1, 1","1, 1, ''Infinity'', 1"}'::text[]) AS parameters;
SELECT raises(format('SELECT %s_model(%s)', name, parameters), '22023', '% of ' || name || ' is %, but must be positive and finite')
FROM kind, unnest('{"1, 1, 1, 0","-1, 1, 1, 1","1, ''NaN'', 1, 1","1, 1, ''Infinity'', 1"}'::text[]) AS parameters;
SELECT raises(format('SELECT %s_model(1, 0, 3, 4)', name), '22023', CASE name WHEN 'bg_bb' THEN 'beta' ELSE 'alpha' END || ' of ' || name || ' is 0, but must be positive and finite', name || ': which parameter') FROM kind;

-- ---------- errors of predictions ----------

SELECT raises(format('SELECT %s(%s_model(1, 2, 3, 4), %s%s)', call, name, customer, rest), '22023', 'no customer has x = %')
FROM kind, (VALUES ('p_alive', ''), ('log_likelihood', ''), ('expected_purchases', ', 5'), ('discounted_expected_purchases', ', 0.1')) AS c(call, rest),
	 unnest(ARRAY['-1, 0, 5', '0.5, 1, 5', '''NaN'', 1, 5', '''Infinity'', 1, 5', '1e15, 1, 5', '1, -1, 5', '1, 6, 5', '1, ''NaN'', 5', '1, 2, ''NaN''', '1, 2, ''Infinity''', '0, 1, 5', '0, 0, -1']
		   || CASE name WHEN 'bg_bb' THEN ARRAY['1, 1.5, 5', '1, 2, 5.5', '3, 2, 5', '1, 0, 5', '1, 1, 1000001'] ELSE '{}' END) AS customer
WHERE call IN ('p_alive', 'discounted_expected_purchases') OR customer IN ('1, 6, 5', '0, 1, 5');
SELECT raises(format('SELECT %s', replace(call, 'M', name || '_model(1, 2, 3, 4)')), '22023', 'horizon must not be %')
FROM kind, unnest(ARRAY['-1', '''NaN''', '''Infinity''', '''-Infinity'''] || CASE name WHEN 'bg_bb' THEN ARRAY['0.5', '1000001'] ELSE '{}' END) AS horizon,
	 unnest(ARRAY['expected_purchases(M, 1, 2, 3, ' || horizon || ')', 'expected_purchases(M, ' || horizon || ')', 'purchase_probability(M, 1, ' || horizon || ')', 'discounted_expected_purchases(M, 1, 2, 3, .1, ' || horizon || ')']) AS call;
SELECT raises(format('SELECT discounted_expected_purchases(%s_model(1, 2, 3, 4), 1, 2, 3, %s)', name, discount), '22023', 'discount must not be %') FROM kind, unnest('{-0.1,''NaN'',''Infinity'',0,0.0000009}'::text[]) AS discount;
SELECT raises(format('SELECT purchase_probability(%s_model(1, 2, 3, 4), %s, 3)', name, n), '22023', 'n must not be %') FROM kind, unnest('{-1,0.5,''NaN'',''Infinity'',1000001}'::text[]) AS n;
SELECT is(text_of(format('SELECT discounted_expected_purchases(%1$s_model(1, 2, 3, 4), 1, 2, 3, 0, 0) + purchase_probability(%1$s_model(1, 2, 3, 4), 1, 0) + expected_purchases(%1$s_model(1, 2, 3, 4), 0) + 1 - purchase_probability(%1$s_model(1, 2, 3, 4), 0, 0)', name)), '0', name || ': nothing happens in no time') FROM kind;
SELECT is(text_of(format('SELECT p_alive(%s_model(1, 2, 3, 4), -0.0, -0.0, 0)', name)), wanted, name || ': a customer of today')
FROM kind JOIN (VALUES ('bg_nbd', '1'), ('mbg_nbd', (4 / 7::float8)::text), ('pareto_nbd', '1'), ('bg_bb', (4 / 7::float8)::text)) AS w(name, wanted) USING (name);

-- ---------- errors of fits ----------

SELECT raises(format('SELECT %s_fit(%s)', name, arrays), '22023', message)
FROM kind, (VALUES
	('ARRAY[]::int[], ARRAY[]::int[], ARRAY[]::int[]', '% cannot be fitted to 0 customers'),
	('ARRAY[1,2,0,0], ARRAY[1,2,0,0], ARRAY[5,5,5,5]', '% cannot be fitted to 4 customers'),
	('ARRAY[1,2,0,0], ARRAY[1,2,0,0], ARRAY[5,5,5,5], ARRAY[1,0,0,2]', '% cannot be fitted to 3 customers'),
	('ARRAY[0,0,0,0,0], ARRAY[0,0,0,0,0], ARRAY[1,2,3,4,5]', '% cannot be fitted without a repeat purchase'),
	('ARRAY[0,0,0,0,0,1], ARRAY[0,0,0,0,0,1], ARRAY[1,2,3,4,5,6], ARRAY[1,1,1,1,1,0]', '% cannot be fitted without a repeat purchase'),
	('ARRAY[2,2,2,2,2], ARRAY[3,3,3,3,3], ARRAY[4,4,4,4,4]', '% cannot be fitted to customers who are all alike'),
	('ARRAY[2], ARRAY[3], ARRAY[4], ARRAY[1000]', '% cannot be fitted to customers who are all alike'),
	('ARRAY[2,0], ARRAY[2,0], ARRAY[4,5], ARRAY[1000,0]', '% cannot be fitted to customers who are all alike'),
	('ARRAY[1,2,0,0,0,-1], ARRAY[1,2,0,0,0,0], ARRAY[5,5,5,5,5,5]', 'no customer has x = -1, t_x = 0, T = 5'),
	('ARRAY[1,2,0,0,0,1.5], ARRAY[1,2,0,0,0,2], ARRAY[5,5,5,5,5,5]', 'no customer has x = 1.5, t_x = 2, T = 5'),
	('ARRAY[1,2,0,0,0,''NaN''::float8], ARRAY[1,2,0,0,0,2], ARRAY[5,5,5,5,5,5]', 'no customer has x = %'),
	('ARRAY[1,2,0,0,0,1], ARRAY[1,2,0,0,0,6], ARRAY[5,5,5,5,5,5]', 'no customer has x = 1, t_x = 6, T = 5'),
	('ARRAY[1,2,0,0,0,0], ARRAY[1,2,0,0,0,1], ARRAY[5,5,5,5,5,5]', 'no customer has x = 0, t_x = 1, T = 5'),
	('ARRAY[1,2,0,0,0,1], ARRAY[1,2,0,0,0,1], ARRAY[5,5,5,5,5,''Infinity''::float8]', 'no customer has x = 1, t_x = 1, T = %'),
	('ARRAY[1,2,0,0,0,1], ARRAY[1,2,0,0,0,1], ARRAY[5,5,5,5,5,5], ARRAY[1,1,1,1,1,-1]', 'weight must not contain -1'),
	('ARRAY[1,2,0,0,0,1], ARRAY[1,2,0,0,0,1], ARRAY[5,5,5,5,5,5], ARRAY[1,1,1,1,1,.5]', 'weight must not contain 0.5'),
	('ARRAY[1,2,0,0,0,1], ARRAY[1,2,0,0,0,1], ARRAY[5,5,5,5,5,5], ARRAY[1,1,1,1,1,''NaN''::float8]', 'weight must not contain %'),
	('ARRAY[1,2,0,0,0,1], ARRAY[1,2,0,0,0,1], ARRAY[5,5,5,5,5,5], ARRAY[1,1,1,1,1,1e16]', 'weight must not contain 1e+16'),
	('ARRAY[1,2,0,0,0,1], ARRAY[1,2,0,0,0,1], ARRAY[5,5,5,5,5,5], ARRAY[1,1,1,1,1e15,1]', 'weight must not add up to more than 1e+15 customers'),
	('ARRAY[1,2,0,0,0,1], ARRAY[1,2,0,0,0,1], ARRAY[5,5,5,5,5,6], NULL, -0.1', 'penalty must not be -0.1'),
	('ARRAY[1,2,0,0,0,1], ARRAY[1,2,0,0,0,1], ARRAY[5,5,5,5,5,6], penalty => ''NaN''', 'penalty must not be NaN'),
	('ARRAY[1,2,0,0,0,1], ARRAY[1,2,0,0,0,1], ARRAY[5,5,5,5,5,6], penalty => ''Infinity''', 'penalty must not be Infinity')) AS e(arrays, message);
SELECT raises(format('SELECT %s_fit(%s)', name, arrays), state, message)
FROM kind, (VALUES
	('ARRAY[1,2], ARRAY[1,2,3], ARRAY[5,5]', '2202E', 'x and t_x must have the same number of elements'),
	('ARRAY[1,2], ARRAY[1,2], ARRAY[5,5,5]', '2202E', 'x and T must have the same number of elements'),
	('ARRAY[1,2], ARRAY[1,2], ARRAY[]::int[]', '2202E', 'x and T must have the same number of elements'),
	('ARRAY[1,2], ARRAY[1,2], ARRAY[5,5], ARRAY[1]', '2202E', 'x and weight must have the same number of elements'),
	('ARRAY[1,NULL], ARRAY[1,2], ARRAY[5,5]', '22004', 'x must not contain NULL'),
	('ARRAY[1,2], ARRAY[NULL,2], ARRAY[5,5]', '22004', 't_x must not contain NULL'),
	('ARRAY[1,2], ARRAY[1,2], ARRAY[5,NULL]', '22004', 'T must not contain NULL'),
	('ARRAY[1,2], ARRAY[1,2], ARRAY[5,5], ARRAY[NULL,1]', '22004', 'weight must not contain NULL')) AS e(arrays, state, message);
SELECT raises(format('SELECT %s_fit(ARRAY[1,2,3,4,5], ARRAY[0,0,0,0,0], ARRAY[0,0,0,0,0])', name), '22023', '% cannot be fitted to customers who were observed for no time') FROM kind WHERE name <> 'bg_bb';
SELECT raises('SELECT bg_bb_fit(ARRAY[0,1,0,0,0], ARRAY[0,1.5,0,0,0], ARRAY[5,5,5,5,5])', '22023', 'no customer has x = 1, t_x = 1.5, T = 5');
SELECT raises(format('SELECT %s_fit(%s)', name, arguments), state, message)
FROM kind, (VALUES
	('customer_history(1, ''2024-01-01'', -5)', '22023', '% cannot be fitted to 0 customers'),
	('customer_history(1, ''2024-01-01'', 5), ''2023-01-01''', '22023', '% cannot be fitted to 0 customers'),
	('customer_history(1, ''2024-01-01'', 5), observed_since => ''2024-01-02''', '22023', '% cannot be fitted to 0 customers'),
	('NULL::customer_history, unit => ''weeks''', '22023', 'unit must not be "weeks"'),
	('NULL::customer_history, penalty => -1', '22023', 'penalty must not be -1'),
	('NULL::customer_history, as_of => ''infinity''', '22008', 'as_of must be a finite date, not infinity'),
	('NULL::customer_history, observed_since => ''-infinity''', '22008', 'observed_since must be a finite date, not -infinity')) AS e(arguments, state, message)
WHERE name <> 'bg_bb';
SELECT raises(format('SELECT %s_fit(%s) FROM generate_series(0, 99) AS i', name, arguments), state, message)
FROM kind, (VALUES
	('customer_history(i, ''2024-01-01''), ''2024-05-01''', '22023', '% cannot be fitted without a repeat purchase'),
	('customer_history(i / 2, date ''2024-01-01'' + i % 2 * 9), ''2024-05-01''', '22023', '% cannot be fitted to customers who are all alike'),
	('customer_history(i, ''2024-01-01''), unit => ''quarter''', '22023', 'unit must not be "quarter"'),
	('customer_history(i, ''2024-01-01''), observed_since => ''-infinity''', '22008', 'observed_since must be a finite date, not -infinity')) AS e(arguments, state, message)
WHERE name <> 'bg_bb';

-- ---------- honesty: data that cannot tell the parameters ----------

-- wanted: 'no' where no fit is possible; 'sane' where there may be one, and then an honest one
CREATE TABLE poor (name text, model text, x float8[], t_x float8[], t float8[], wanted text, fit jsonb);
INSERT INTO poor
SELECT d.name, model, x, t_x, t, wanted
FROM unnest('{bg_nbd,mbg_nbd,pareto_nbd}'::text[]) AS model, (
	SELECT 'everyone buys every day' AS name, 'no' AS wanted, array_agg(t) AS x, array_agg(t) AS t_x, array_agg(t) AS t FROM generate_series(10, 50) AS t
	UNION ALL SELECT 'all the same but for the age', 'no', array_agg(3), array_agg(5), array_agg(t) FROM generate_series(10, 50) AS t
	UNION ALL SELECT 'nobody leaves, at one rate', 'no', array_agg(x), array_agg(40 - random()), array_agg(40) FROM unnest('{19,20,20,20,20,20,21,20,20,21,19}'::int[]) AS x, generate_series(1, 30)
	UNION ALL SELECT 'one rate, as Poisson has it', 'sane', array_agg(x), array_agg(CASE WHEN x = 0 THEN 0 ELSE 40 * (1 - random() / x) END), array_agg(40) FROM (SELECT i, count(*) FILTER (WHERE random() < 0.1) AS x FROM generate_series(1, 500) AS i, generate_series(1, 40) GROUP BY i) AS p
	UNION ALL SELECT 'one repeat purchase in all', 'sane', array_agg((i = 1)::int), array_agg((i = 1)::int * 3), array_agg(20) FROM generate_series(1, 500) AS i
	UNION ALL SELECT 'two kinds of customers', 'no', array_agg(i % 2), array_agg(i % 2 * 10), array_agg(20) FROM generate_series(1, 1000) AS i
	UNION ALL SELECT 'all come back at once, then never', 'sane', array_agg(1), array_agg(1 + random() / 100), array_agg(100 + random()) FROM generate_series(1, 300)
	UNION ALL SELECT 'one buys everything', 'sane', array_agg(CASE i WHEN 1 THEN 5000 ELSE 0 END), array_agg(CASE i WHEN 1 THEN 99 ELSE 0 END), array_agg(100) FROM generate_series(1, 300) AS i
	UNION ALL SELECT 'all buy at the end', 'sane', array_agg(x), array_agg(40), array_agg(40) FROM generate_series(1, 300) AS i, LATERAL (SELECT 1 + (random() * random() * 20)::int + i * 0 AS x) AS r
	UNION ALL SELECT 'no time passes after the last purchase', 'sane', array_agg(x), array_agg(t), array_agg(t) FROM generate_series(1, 300) AS i, LATERAL (SELECT 1 + (random() * random() * 20)::int + i * 0 AS x, 20 + 10 * random() AS t) AS r
	UNION ALL SELECT 'times of a nanosecond', 'sane', array_agg(x), array_agg(1e-9 * x / 10), array_agg(1e-9) FROM generate_series(1, 300) AS i, LATERAL (SELECT (random() * random() * 9)::int + i * 0 AS x) AS r
	UNION ALL SELECT format('%s of the sample, number %s', n, draw), 'sane', array_agg(frequency), array_agg(recency), array_agg(age)
	FROM generate_series(1, 6) AS draw, unnest('{5,8,12,20,30}'::int[]) AS n, LATERAL (SELECT * FROM summary WHERE draw > 0 ORDER BY random() LIMIT n) AS s GROUP BY n, draw HAVING sum(frequency) > 0 AND count(DISTINCT (frequency, recency, age)) > 1
	) AS d;
SELECT format('UPDATE poor SET fit = text_of(format(''SELECT to_jsonb(%1$s_fit(%%L::float8[], %%L::float8[], %%L::float8[]))'', x, t_x, t))::jsonb WHERE model = %1$L', model) FROM unnest('{bg_nbd,mbg_nbd,pareto_nbd}'::text[]) AS model
\gexec
-- "sane": standard errors that say something of parameters that mean something
CREATE FUNCTION is_sane(fit jsonb) RETURNS boolean LANGUAGE sql AS $$
	SELECT bool_and(value::float8 BETWEEN 1e-12 AND 9e4 AND (fit ->> (key || '_se'))::float8 BETWEEN 0 AND 50 * value::float8)
	FROM jsonb_each_text(fit) WHERE key IN ('r', 'alpha', 'a', 'b', 's', 'beta', 'gamma', 'delta', 'p', 'q', 'c') $$;
CREATE FUNCTION has_no_parameters(fit jsonb) RETURNS boolean LANGUAGE sql AS $$
	SELECT bool_and(value IS NULL) FROM jsonb_each_text(fit) WHERE key NOT IN ('log_likelihood', 'customers', 'excluded', 'correlation', 'iterations', 'converged') $$;
INSERT INTO probe SELECT model || ': ' || name, format('SELECT %s_fit(%L::float8[], %L::float8[], %L::float8[])', model, x, t_x, t) FROM poor;
\ir include/run_probes.sql
SELECT ok(CASE WHEN (fit ->> 'converged')::boolean THEN wanted = 'sane' AND is_sane(fit) AND warning IS NULL
		  ELSE has_no_parameters(fit) AND warning LIKE format(E'WARNING:  the fit of %s did not converge\nDETAIL:  _%%\nHINT:  _%%', model) END IS TRUE, n.name)
	   || CASE WHEN (fit ->> 'converged')::boolean AND NOT (wanted = 'sane' AND is_sane(fit)) THEN E'\n' || diag(fit::text) ELSE '' END
FROM poor AS p JOIN warning AS w ON w.name = model || ': ' || p.name, LATERAL (SELECT model || ': ' || p.name AS name) AS n ORDER BY p.name, model;
SELECT is(count(*), (SELECT count(*) FROM poor), 'and all were tried') FROM warning;
SELECT ok(bool_or(warning ~ 'iterations') IS NOT TRUE, 'no fit runs out of iterations') || coalesce(E'\n' || diag(string_agg(name, ', ') FILTER (WHERE warning ~ 'iterations')), '') FROM warning WHERE name !~ 'sample|nanosecond|all come back at once|two kinds';
-- a model without parameters gives NULL, in every function
SELECT ok(num_nonnulls(p_alive(f, 1, 2, 3), log_likelihood(f, 1, 2, 3), expected_purchases(f, 1, 2, 3, 4), expected_purchases(f, 4), purchase_probability(f, 1, 2), discounted_expected_purchases(f, 1, 2, 3, .1)) = 0 AND NOT (f).converged,
		  'a fit that did not converge foretells nothing')
FROM (SELECT bg_nbd_fit(x, t_x, t) AS f FROM poor WHERE model = 'bg_nbd' AND name = 'two kinds of customers') AS f;
-- a penalty makes some poor data bearable: where a parameter grows without limit, not where one vanishes
SELECT ok((f).converged AND is_sane(to_jsonb(f)), 'a penalty helps') || CASE WHEN (f).converged THEN '' ELSE E'\n' || diag(f::text) END
FROM poor AS p, LATERAL bg_nbd_fit(x, t_x, t, penalty => 0.01) AS f WHERE model = 'bg_nbd' AND p.name = 'all the same but for the age';
SELECT is_empty($$ SELECT * FROM warning WHERE warning ~ 'vanishes' AND warning ~ 'penalty' $$, 'and no hint says so where it does not');

SELECT * FROM finish();
