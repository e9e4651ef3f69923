-- clv against the functions it is made of, called by hand for each customer;
-- published sums on CDNOW; edges, errors, warnings.

SELECT no_plan();
\ir include/models.sql
\ir include/cdnow_sample.sql

CREATE TABLE history AS SELECT 'CDNOW' AS name, 'bigint' AS type, customer_history(customer_id, day, amount) AS h FROM cdnow_sample
UNION ALL SELECT key, key, h FROM buyer_histories;

-- ---------- published ----------

SELECT near(sum(expected_purchases), purchases, 1e-8, model || ': purchases of the next 39 weeks') || E'\n' || near(sum(p_alive), alive, 1e-8, model || ': customers alive')
FROM history, (VALUES ('bg_nbd', 1653.40870, 1917.27767), ('mbg_nbd', 1576.72830, 1057.63637), ('pareto_nbd', 1665.51311, 1051.87525)) AS w(model, purchases, alive),
	 LATERAL clv(h, model, '1997-09-30', horizon => 39) WHERE name = 'CDNOW' GROUP BY model, purchases, alive;
SELECT is(count(*) FILTER (WHERE p_alive = 1), 1411::bigint, 'BG/NBD: who has not come back is alive for certain') FROM history, clv(h, 'bg_nbd', '1997-09-30') WHERE name = 'CDNOW';
SELECT is(ARRAY[count(*)::numeric, sum(frequency), sum(revenue_to_date)], ARRAY[(SELECT count(DISTINCT customer_id) FROM cdnow_sample), 2457, (SELECT sum(amount) FROM cdnow_sample WHERE day <= '1997-09-30')], 'customers, repeat purchases, money to date')
FROM history, clv(h, 'bg_nbd', '1997-09-30') WHERE name = 'CDNOW';

-- ---------- every cell by hand ----------

-- the figures of clv from clv_summary, the fits and the scalar functions
CREATE FUNCTION by_hand(h customer_history, model text, p_as_of date, p_unit text, p_horizon float8, p_discount float8, p_margin float8, p_since date)
RETURNS TABLE (customer text, frequency bigint, recency float8, age float8, monetary numeric, revenue numeric, alive float8, purchases float8, value float8, clv float8)
LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format($sql$
		WITH fits AS MATERIALIZED (SELECT %1$s_fit($1, $2, $3, $7) AS m, gamma_gamma_fit($1, $2, $7) AS g)
		SELECT s.customer, s.frequency, s.recency, s.age, s.monetary, c.revenue, p_alive(m, s.frequency, s.recency, s.age), expected_purchases(m, s.frequency, s.recency, s.age, $4), expected_value(g, s.frequency, s.monetary::float8),
			   $6 * expected_value(g, s.frequency, s.monetary::float8) * discounted_expected_purchases(m, s.frequency, s.recency, s.age, ln(1 + $5) * CASE $3 WHEN 'day' THEN 1 WHEN 'month' THEN 365 / 12::float8 WHEN 'year' THEN 365 ELSE 7 END / 365, $4)
		FROM fits, clv_summary($1, $2, $3, $7) WITH ORDINALITY AS s JOIN customer_summary($1, $2) AS c USING (customer) ORDER BY s.ordinality $sql$, model)
	USING h, p_as_of, p_unit, p_horizon, p_discount, p_margin, p_since;
END
$$;
CREATE FUNCTION is_near(a float8, b float8) RETURNS boolean LANGUAGE sql AS $$ SELECT CASE WHEN a IS NULL OR b IS NULL THEN a IS NULL AND b IS NULL ELSE abs(a - b) <= 1e-9 * abs(b) END $$;
-- customers without a difference; the value may differ by the rounding of monetary
CREATE FUNCTION same_as_by_hand(p_name text, model text, p_as_of date, p_unit text, p_horizon float8, p_discount float8, p_margin float8, p_since date) RETURNS text
LANGUAGE sql AS $$
	SELECT ok(count(*) > 0 AND bool_and((c.customer, c.frequency, c.recency, c.age, c.monetary, c.revenue_to_date, c.p_alive, c.expected_purchases) IS NOT DISTINCT FROM (w.customer, w.frequency, w.recency, w.age, w.monetary, w.revenue, w.alive, w.purchases)
									   AND is_near(c.expected_value, w.value) AND is_near(c.clv, w.clv)),
			  format('%s: %s as of %s, %s %ss, discount %s, margin %s, since %s: %s customers', p_name, model, p_as_of, p_horizon, p_unit, p_discount, p_margin, p_since, count(*)))
	FROM history, LATERAL (SELECT * FROM clv(h, model, p_as_of, p_unit, p_horizon, p_discount, p_margin, p_since) WITH ORDINALITY) AS c FULL JOIN LATERAL (SELECT * FROM by_hand(h, model, p_as_of, p_unit, p_horizon, p_discount, p_margin, p_since) WITH ORDINALITY) AS w USING (ordinality)
	WHERE name = p_name
$$;
CREATE FUNCTION same_as_by_hand_of(p_name text, model text, arguments text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN EXECUTE format('SELECT same_as_by_hand(%L, %L, %s)', p_name, model, arguments) INTO result; RETURN result; END $$;
SELECT same_as_by_hand_of(name, model, arguments)
FROM history, unnest('{bg_nbd,mbg_nbd,pareto_nbd}'::text[]) AS model,
	 unnest(ARRAY['''1997-09-30'', ''week'', 39, 0, 1, NULL', '''1997-09-30'', ''day'', 365, 0.15, 0.3, ''1997-01-20''', '''1997-12-31'', ''month'', 12, 0.1, -0.2, NULL', '''1997-09-30'', ''year'', 2, 3, 0, NULL']) AS arguments WHERE name = 'CDNOW';
SELECT same_as_by_hand_of(name, model, arguments)
FROM history, unnest('{bg_nbd,mbg_nbd,pareto_nbd}'::text[]) AS model,
	 unnest(ARRAY['''2023-12-15'', ''week'', 52, 0.12, 1, ''2023-03-01''', '''2024-06-30'', ''month'', 6, 0, 0.25, NULL']) AS arguments WHERE name <> 'CDNOW';

-- defaults; NULL is the default; by name; in the types of keys
CREATE FUNCTION rows_of(p_name text, arguments text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN EXECUTE format('SELECT md5(string_agg(c::text, E''\n'' ORDER BY n)) FROM history, LATERAL (SELECT ROW(r.*) AS c, row_number() OVER () AS n FROM clv(h%s) AS r) AS c WHERE name = %L', arguments, p_name) INTO result USING p_name; RETURN result; END $$;
SELECT is(rows_of('text', arguments), rows_of('text', ', ''bg_nbd'', ''2024-01-31'', ''week'', 52, 0, 1, NULL'), 'the defaults: ' || arguments)
FROM unnest(ARRAY['', ', NULL, NULL, NULL, NULL, NULL, NULL, NULL', ', observed_since => NULL, margin => 1, discount => 0, horizon => 52, unit => ''week'', as_of => NULL, model => ''bg_nbd''', ', observed_since => ''2000-01-01''']) AS arguments;
SELECT is(count(*), (SELECT count(*) FROM history, clv_summary(h) WHERE name = 'text'), 'all customers, in their order') FROM history, LATERAL (SELECT customer, lag(customer) OVER () AS before FROM clv(h)) AS c WHERE name = 'text' AND (before IS NULL OR before COLLATE "C" < customer);
SELECT results_eq(
	format('SELECT c.customer::text, pg_typeof(c.customer)::text, frequency, recency, age, monetary, revenue_to_date, p_alive, expected_purchases, expected_value, clv FROM history, clv_as(NULL::%s, h, ''mbg_nbd'', ''2023-12-15'', ''month'', 6, 0.1, 0.5, ''2023-02-03'') AS c WHERE name = %L', wanted, type),
	format('SELECT customer, %L, frequency, recency, age, monetary, revenue_to_date, p_alive, expected_purchases, expected_value, clv FROM history, clv(h, ''mbg_nbd'', ''2023-12-15'', ''month'', 6, 0.1, 0.5, ''2023-02-03'') AS c WHERE name = %L', wanted, type),
	format('%s keys as %s', type, wanted))
FROM (VALUES ('bigint', 'bigint'), ('bigint', 'numeric'), ('bigint', 'text'), ('text', 'text'), ('text', 'character varying'), ('uuid', 'uuid'), ('uuid', 'text')) AS t(type, wanted);
SELECT throws_ok($$ SELECT * FROM history, clv_as(NULL::uuid, h) WHERE name = 'text' $$, '22P02', NULL, 'a text that is no uuid');
SELECT throws_ok($$ SELECT * FROM history, clv_as(NULL::smallint, h) WHERE name = 'bigint' $$, '22003', NULL, 'a number too large');
SELECT results_eq('SELECT c.* FROM history, clv(h) AS c WHERE name = ''uuid''', 'SELECT (clv(h)).* FROM history WHERE name = ''uuid''', 'in the select list');
SELECT results_eq('SELECT g, c.* FROM (SELECT as_bigint % 2 = 0 AS g, customer_history(as_bigint, day, amount) AS h FROM buyer_orders GROUP BY 1) AS o, clv(h, as_of => ''2024-01-31'') AS c ORDER BY g, customer',
	'SELECT g, c.* FROM (VALUES (false), (true)) AS v(g), LATERAL (SELECT customer_history(as_bigint, day, amount) AS h FROM buyer_orders WHERE (as_bigint % 2 = 0) = g) AS o, clv(h, as_of => ''2024-01-31'') AS c ORDER BY g, customer', 'under GROUP BY');
SELECT results_eq('SELECT c.* FROM history, clv(h, ''bg_nbd'', ''2023-10-05'') AS c WHERE name = ''bigint''', 'SELECT c.* FROM history, clv(history_between(h, to_day => ''2023-10-05''), as_of => ''2023-10-05'') AS c WHERE name = ''bigint''', 'days after as_of are ignored');
CREATE MATERIALIZED VIEW kept AS SELECT c.* FROM history, clv(h) AS c WHERE name = 'text';
SELECT results_eq('TABLE kept', 'SELECT c.* FROM history, clv(h) AS c WHERE name = ''text''', 'in a materialized view');
SELECT set_config(name, 'on', false) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query')
\g /dev/null
SELECT results_eq('SELECT c.* FROM history, clv(h) AS c WHERE name = ''text''', 'TABLE kept', 'in a worker');
SELECT set_config(name, 'off', false) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query')
\g /dev/null

-- ---------- what must hold of every row ----------

CREATE TABLE grid AS
SELECT name, model, horizon, discount, customer, c.clv, c.expected_purchases, c.expected_value, p_alive
FROM history, unnest('{bg_nbd,mbg_nbd,pareto_nbd}'::text[]) AS model, unnest('{0,1,13,52,520}'::float8[]) AS horizon, unnest('{0,0.05,0.5}'::float8[]) AS discount, clv(h, model, '2023-12-15', horizon => horizon, discount => discount, margin => 0.4) AS c WHERE name = 'bigint';
SELECT is_empty('SELECT * FROM grid WHERE discount = 0 AND clv IS DISTINCT FROM 0.4::float8 * expected_value * expected_purchases', 'without a discount: margin * expected_value * expected_purchases');
SELECT is_empty('SELECT * FROM (SELECT *, lag(expected_purchases) OVER w AS e, lag(clv) OVER w AS c FROM grid WINDOW w AS (PARTITION BY model, discount, customer ORDER BY horizon)) AS g WHERE NOT (expected_purchases > e AND clv >= c) OR (horizon = 0 AND (expected_purchases <> 0 OR clv <> 0))', 'purchases and value rise with the horizon');
SELECT is_empty('SELECT * FROM (SELECT *, lag(clv) OVER (PARTITION BY model, horizon, customer ORDER BY discount) AS c, lag(expected_purchases) OVER (PARTITION BY model, horizon, customer ORDER BY discount) AS e FROM grid) AS g WHERE horizon > 0 AND (NOT (clv < c) AND clv > 0 OR e <> expected_purchases)', 'value falls with the discount, purchases do not');
SELECT is_empty('SELECT * FROM grid WHERE NOT p_alive BETWEEN 0 AND 1 OR p_alive IS NULL OR expected_purchases IS NULL OR expected_value <= 0', 'ranges');
SELECT ok(count(*) FILTER (WHERE expected_value IS NULL) > 0 AND count(*) FILTER (WHERE expected_value IS NULL AND monetary IS NOT NULL) = 0 AND count(*) FILTER (WHERE expected_value IS NULL AND frequency = 0) = 0 AND count(*) FILTER (WHERE (c.clv IS NULL) <> (expected_value IS NULL)) = 0,
		  'no value is known of a customer who came back for unknown amounts only, and only of such') FROM history, clv(h, as_of => '2023-12-15') AS c WHERE name = 'bigint';

-- ---------- edges ----------

SELECT is(array_agg(DISTINCT num_nulls(monetary, revenue_to_date, expected_value, c.clv)), '{4}', 'without amounts there is no value') || E'\n' || ok(bool_and(p_alive IS NOT NULL AND expected_purchases > 0), 'but there are purchases to come')
FROM (SELECT customer_history(as_text, day) AS h FROM buyer_orders WHERE amount IS NULL OR amount >= 0) AS h, clv(h) AS c;
SELECT is_empty('SELECT * FROM ' || call, 'no rows: ' || call)
FROM unnest('{clv(NULL),"clv_as(5, NULL)","clv((SELECT customer_history(1, ''2024-01-02'', 5)), as_of => ''2024-01-01'')","clv((SELECT customer_history(1, ''2024-01-02'', -5)))"}'::text[]) AS call;
SELECT ok(count(*) > 1400 AND bool_and(expected_purchases BETWEEN 0 AND 1e300 AND coalesce(c.clv, 0) BETWEEN 0 AND 1e300), 'a horizon of 10,000 years') FROM history, clv(h, horizon => 520000, discount => 0.1) AS c WHERE name = 'text';
SELECT ok(count(*) > 1400 AND bool_and(expected_purchases = 0 AND coalesce(c.clv, 0) = 0), 'a horizon of 0') FROM history, clv(h, horizon => 0, discount => 0.1) AS c WHERE name = 'text';
SELECT raises('SELECT * FROM history, ' || call || ' AS c WHERE name = ''text''', state, message)
FROM (VALUES ('clv(h, ''bgnbd'')', '22023', 'model must not be "bgnbd"'), ('clv(NULL, ''bg_bb'')', '22023', 'model must not be "bg_bb"'), ('clv(h, unit => ''quarter'')', '22023', 'unit must not be "quarter"'),
			 ('clv(h, horizon => -1)', '22023', 'horizon must not be -1'), ('clv(h, horizon => ''NaN'')', '22023', 'horizon must not be NaN'), ('clv(NULL, horizon => ''Infinity'')', '22023', 'horizon must not be Infinity'),
			 ('clv(h, discount => -0.01)', '22023', 'discount must not be -0.01'), ('clv(h, discount => ''NaN'')', '22023', 'discount must not be NaN'), ('clv(h, discount => ''Infinity'')', '22023', 'discount must not be Infinity'),
			 ('clv(h, margin => 1.1)', '22023', 'margin must not be 1.1'), ('clv(NULL, margin => ''NaN'')', '22023', 'margin must not be NaN'), ('clv(h, margin => ''-Infinity'')', '22023', 'margin must not be -Infinity'),
			 ('clv(h, as_of => ''infinity'')', '22008', 'as_of must be a finite date, not infinity'), ('clv(NULL, observed_since => ''-infinity'')', '22008', 'observed_since must be a finite date, not -infinity'),
			 ('clv(h, observed_since => ''2024-02-01'')', '22023', 'bg_nbd cannot be fitted to 0 customers'), ('clv(h, ''pareto_nbd'', ''2023-02-01'')', '22023', 'pareto_nbd cannot be fitted %'),
			 ('clv_as(NULL::bigint, h, ''mbg'')', '22023', 'model must not be "mbg"'),
			 ('clv((SELECT customer_history(i, ''2024-01-01'', i) FROM generate_series(1, 50) AS i), ''mbg_nbd'', ''2024-05-01'')', '22023', 'mbg_nbd cannot be fitted without a repeat purchase'),
			 ('clv((SELECT customer_history(i / 2, date ''2024-01-01'' + i % 2, i) FROM generate_series(0, 49) AS i), ''pareto_nbd'', ''2024-05-01'')', '22023', 'pareto_nbd cannot be fitted to customers who are all alike'),
			 ('clv((SELECT customer_history(i, ''2024-01-01'', i) FROM generate_series(1, 3) AS i))', '22023', 'bg_nbd cannot be fitted to 3 customers')) AS e(call, state, message);

-- ---------- warnings ----------

CREATE TABLE case_of (name text, h customer_history);
INSERT INTO case_of SELECT 'two kinds of customers', customer_history(i % 1000, date '2024-01-01' + i / 1000 * 20, 10 + i % 7) FROM generate_series(0, 1499) AS i;
INSERT INTO case_of SELECT 'no amounts', customer_history(customer_id, day) FROM cdnow_sample;
INSERT INTO case_of SELECT 'one price', customer_history(customer_id, day, 10) FROM (SELECT DISTINCT customer_id, day FROM cdnow_sample) AS d;
INSERT INTO case_of SELECT 'all later orders are free', customer_history(customer_id, day, CASE day WHEN first THEN 10 ELSE 0 END) FROM (SELECT *, min(day) OVER (PARTITION BY customer_id) AS first FROM cdnow_sample) AS d;
-- 1 / mean is of Weibull's shape 0.6
INSERT INTO case_of SELECT 'extreme spending', customer_history(customer_id, day, round((5 * (1 + extract(day FROM day)::int % 5) / (-ln(1 - (hashint8(customer_id) & 1023 | 1) / 1024.0)) ^ (1 / 0.6))::numeric, 2)) FROM cdnow_sample;
INSERT INTO case_of SELECT 'good', h FROM history WHERE history.name = 'CDNOW';
INSERT INTO probe SELECT name, format('SELECT * FROM case_of, clv(h, %L, ''1998-03-31'') WHERE name = %L', 'mbg_nbd', name) FROM case_of WHERE name <> 'two kinds of customers';
INSERT INTO probe SELECT name, format('SELECT * FROM case_of, clv(h, %L, ''2024-03-31'') WHERE name = %L', 'bg_nbd', name) FROM case_of WHERE name = 'two kinds of customers';
\ir include/run_probes.sql
SELECT is(warning, NULL, 'no warning: ' || name) FROM warning WHERE name IN ('good', 'no amounts');
SELECT ok(warning LIKE wanted, 'warned of: ' || name) || CASE WHEN warning LIKE wanted THEN '' ELSE E'\n' || diag(coalesce(warning, 'no warning')) END
FROM warning JOIN (VALUES ('two kinds of customers', E'WARNING:  the fit of bg_nbd did not converge\nDETAIL:  _%\nHINT:  _%'), ('one price', E'WARNING:  expected_value and clv are NULL\nDETAIL:  gamma_gamma cannot be fitted because all % customers spend 10 per purchase.\nHINT:  _%'),
						 ('all later orders are free', E'WARNING:  expected_value and clv are NULL\nDETAIL:  gamma_gamma cannot be fitted because 0 of % customers have a repeat purchase and positive spending, and it has 3 parameters.\nHINT:  _%'),
						 ('extreme spending', E'WARNING:  the spending of a new customer has no finite expectation\nDETAIL:  q is 0.%\nHINT:  _%')) AS w(name, wanted) USING (name);
SELECT ok(count(*) > 0 AND bool_and(num_nonnulls(p_alive, expected_purchases, c.clv) = 0 AND frequency IS NOT NULL AND age IS NOT NULL AND revenue_to_date > 0), 'a fit that did not converge foretells nothing; facts stay') FROM case_of, clv(h, as_of => '2024-03-31') AS c WHERE name = 'two kinds of customers';
SELECT ok(count(*) = 2357 AND bool_and(num_nonnulls(expected_value, c.clv) = 0 AND p_alive > 0 AND expected_purchases > 0), 'without a model of spending there are purchases: ' || name) FROM case_of, clv(h, 'mbg_nbd', '1998-03-31') AS c WHERE name IN ('one price', 'all later orders are free', 'no amounts') GROUP BY name ORDER BY name;
SELECT ok(bool_and((expected_value IS NULL) = (frequency = 0) AND (c.clv IS NULL) = (frequency = 0)), 'q <= 1: no value of who has not come back, one of the others') FROM case_of, clv(h, 'mbg_nbd', '1998-03-31') AS c WHERE name = 'extreme spending';

SELECT * FROM finish();
