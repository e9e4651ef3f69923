-- clv_holdout and clv_tracking: what came by plain SQL, what was foretold by
-- the functions called by hand; edges, errors, warnings.

SELECT no_plan();
\ir include/models.sql
\ir include/cdnow_sample.sql

CREATE TABLE history AS SELECT 'CDNOW' AS name, customer_history(customer_id, day, amount) AS h FROM cdnow_sample
UNION ALL SELECT key, h FROM buyer_histories;
-- purchase days, in plain SQL
CREATE TABLE purchase AS
SELECT 'CDNOW' AS name, customer_id::text AS customer, day FROM cdnow_sample GROUP BY customer_id, day HAVING bool_or(amount IS NULL OR amount >= 0)
UNION ALL SELECT 'bigint', as_bigint::text, day FROM buyer_orders GROUP BY as_bigint, day HAVING bool_or(amount IS NULL OR amount >= 0)
UNION ALL SELECT 'text', as_text, day FROM buyer_orders GROUP BY as_text, day HAVING bool_or(amount IS NULL OR amount >= 0);
CREATE TABLE units (unit text, days float8);
INSERT INTO units VALUES ('day', 1), ('week', 7), ('month', 365 / 12::float8), ('year', 365);

-- customers of the calibration with what they did in it and after it
CREATE FUNCTION customers_of(p_name text, calibration_end date, as_of date, since date) RETURNS TABLE (customer text, first_day date, last_day date, frequency bigint, later bigint) LANGUAGE sql STABLE AS $$
	SELECT customer, min(day), max(day) FILTER (WHERE day <= calibration_end), count(*) FILTER (WHERE day <= calibration_end) - 1, count(*) FILTER (WHERE day > calibration_end)
	FROM purchase WHERE name = p_name AND day <= as_of GROUP BY customer HAVING min(day) <= calibration_end AND min(day) >= coalesce(since, min(day))
$$;
CREATE FUNCTION holdout_by_hand(p_name text, calibration_end date, as_of date, model text, unit text, since date) RETURNS TABLE (frequency bigint, customers bigint, actual bigint, expected float8)
LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN QUERY EXECUTE format($sql$
		WITH fit AS MATERIALIZED (SELECT %1$s_fit(h, $2, $4, $5) AS m FROM history WHERE name = $1)
		SELECT c.frequency, count(*), sum(later)::bigint, sum(expected_purchases(m, c.frequency, (last_day - first_day) / days, ($2 - first_day) / days, ($3 - $2) / days))
		FROM fit, units, customers_of($1, $2, $3, $5) AS c WHERE unit = $4 GROUP BY c.frequency $sql$, model) USING p_name, calibration_end, as_of, unit, since;
END
$$;
CREATE FUNCTION bucket(day date, unit text, week_start int) RETURNS date IMMUTABLE LANGUAGE sql AS $$
	SELECT CASE unit WHEN 'week' THEN day - (extract(isodow FROM day)::int - week_start + 7) % 7 ELSE date_trunc(unit, day)::date END $$;
CREATE FUNCTION tracking_by_hand(p_name text, calibration_end date, as_of date, model text, unit text, since date, week_start int) RETURNS TABLE (period_start date, actual bigint, expected float8, cumulative_actual bigint, cumulative_expected float8)
LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN QUERY EXECUTE format($sql$
		WITH fit AS MATERIALIZED (SELECT %1$s_fit(h, $2, $4, $5) AS m FROM history WHERE name = $1),
		customer AS MATERIALIZED (SELECT * FROM customers_of($1, $2, $3, $5)),
		period AS (SELECT s::date AS start, least((s + ('1 ' || $4)::interval)::date - 1, $3) AS last FROM (SELECT bucket(min(day), $4, $6) AS b FROM purchase WHERE name = $1) AS b, generate_series(b::timestamp, $3, ('1 ' || $4)::interval) AS s),
		found AS (SELECT bucket(day, $4, $6) AS start, count(*) AS n FROM purchase JOIN customer USING (customer) WHERE name = $1 AND day > first_day AND day <= $3 GROUP BY 1),
		foretold AS (SELECT start, CASE WHEN expected_purchases(m, 1) IS NOT NULL THEN coalesce((SELECT sum(expected_purchases(m, (last - first_day) / days)) FROM customer WHERE first_day < last), 0) END AS e FROM fit, units, period WHERE unit = $4)
		SELECT start, coalesce(n, 0), e - coalesce(lag(e) OVER w, 0), (sum(coalesce(n, 0)) OVER w)::bigint, e
		FROM foretold LEFT JOIN found USING (start) WINDOW w AS (ORDER BY start) $sql$, model) USING p_name, calibration_end, as_of, unit, since, week_start;
END
$$;

CREATE TABLE asked (n serial, name text, calibration_end date, as_of date, model text, unit text, since date, week_start int);
INSERT INTO asked (name, calibration_end, as_of, model, unit, since, week_start)
SELECT name, e, a, model, unit, s, w FROM unnest('{bg_nbd,mbg_nbd,pareto_nbd}'::text[]) AS model, (VALUES
	('CDNOW', date '1997-09-30', date '1998-06-30', 'week', NULL::date, 1), ('CDNOW', '1997-06-30', '1998-03-11', 'month', '1997-01-20', 7), ('CDNOW', '1997-02-28', '1997-12-31', 'week', NULL, 4), ('CDNOW', '1998-06-29', '1998-06-30', 'year', NULL, 1),
	('text', '2023-07-31', '2024-01-31', 'week', NULL, 7), ('bigint', '2023-09-15', '2023-12-24', 'day', '2023-03-01', 1), ('text', '2023-10-31', '2025-02-01', 'year', NULL, 2)) AS v(name, e, a, unit, s, w);
-- counts are equal; sums over customers run in another order, and a period is their difference.  A fit to a short time
-- need not converge: then nothing is foretold, by hand either.
CREATE FUNCTION is_near(a float8, b float8, rounding float8) RETURNS boolean LANGUAGE sql AS $$ SELECT CASE WHEN a IS NULL OR b IS NULL THEN a IS NULL AND b IS NULL ELSE abs(a - b) <= rounding + 1e-10 * b END $$;
CREATE FUNCTION compare(number int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE a asked; wrong text; rows bigint; result text; periods bigint;
BEGIN
	SELECT * INTO a FROM asked WHERE n = number;
	SELECT count(*), string_agg(coalesce(g.frequency, w.frequency)::text, ' ') FILTER (WHERE (g.customers, g.actual) IS DISTINCT FROM (w.customers, w.actual) OR NOT is_near(g.expected, w.expected, 0)) INTO rows, wrong
	FROM (SELECT c.* FROM history, clv_holdout(h, a.calibration_end, a.as_of, a.model, a.unit, a.since) AS c WHERE name = a.name) AS g FULL JOIN holdout_by_hand(a.name, a.calibration_end, a.as_of, a.model, a.unit, a.since) AS w USING (frequency);
	result := ok(rows > 1 AND wrong IS NULL, format('clv_holdout %s: %s rows', a, rows)) || coalesce(E'\n' || diag(wrong), '');
	SELECT count(*), string_agg(coalesce(g.period_start, w.period_start)::text || g::text || w::text, ' ') FILTER (WHERE (g.actual, g.cumulative_actual) IS DISTINCT FROM (w.actual, w.cumulative_actual)
		OR NOT is_near(g.cumulative_expected, w.cumulative_expected, 0) OR NOT is_near(g.expected, w.expected, 1e-8)) INTO periods, wrong
	FROM (SELECT c.* FROM history, clv_tracking(h, a.calibration_end, a.as_of, a.model, a.unit, a.since, a.week_start) AS c WHERE name = a.name) AS g
	FULL JOIN tracking_by_hand(a.name, a.calibration_end, a.as_of, a.model, a.unit, a.since, a.week_start) AS w USING (period_start);
	RETURN result || E'\n' || ok(periods > 1 AND wrong IS NULL, format('clv_tracking %s: %s rows', a, periods)) || coalesce(E'\n' || diag(wrong), '');
END
$$;
SELECT compare(n) FROM asked ORDER BY n;

-- ---------- CDNOW ----------

CREATE TABLE holdout AS SELECT model, c.* FROM history, unnest('{bg_nbd,mbg_nbd,pareto_nbd}'::text[]) AS model, clv_holdout(h, '1997-09-30', '1998-06-30', model) AS c WHERE name = 'CDNOW';
SELECT is(ARRAY[sum(customers), sum(actual)], '{2357,1882}', model || ': customers, purchases after the calibration') FROM holdout GROUP BY model;
SELECT near(sum(expected), wanted, 1e-8, model || ': expected') FROM holdout JOIN (VALUES ('bg_nbd', 1653.40870), ('mbg_nbd', 1576.72830), ('pareto_nbd', 1665.51311)) AS w(model, wanted) USING (model) GROUP BY model, wanted;
SELECT is(array_agg(customers ORDER BY frequency), '{1411,439,214,100,62,38,29}', 'customers by repeat purchases') FROM holdout WHERE model = 'bg_nbd' AND frequency < 7;
SELECT near(cumulative_expected, (SELECT sum(expected_purchases(bg_nbd_fit(h, '1997-09-30'), age + 39)) FROM clv_summary(h, '1997-09-30')), 1e-10, 'tracking ends where all customers have been expected') || E'\n' || is(cumulative_actual, 2457 + 1882::bigint, 'and counted')
FROM history, clv_tracking(h, '1997-09-30', '1998-06-30') WHERE name = 'CDNOW' ORDER BY period_start DESC LIMIT 1;

-- ---------- defaults, order ----------

SELECT is_empty('SELECT * FROM (SELECT row_number() OVER () AS n, row_number() OVER (ORDER BY frequency) AS m FROM history, clv_holdout(h) WHERE name = ''CDNOW'') AS c WHERE n <> m', 'ascending by frequency');
SELECT results_eq('SELECT c.* FROM history, clv_holdout(h' || a || ') AS c WHERE name = ''CDNOW''', 'SELECT c.* FROM history, clv_holdout(h, ''1997-09-30'', ''1998-06-30'', ''bg_nbd'', ''week'', NULL) AS c WHERE name = ''CDNOW''', 'clv_holdout: defaults' || a)
FROM unnest('{"",", NULL, NULL, NULL, NULL, NULL",", observed_since => ''1996-01-01'', unit => ''week'', model => ''bg_nbd'', as_of => ''1998-06-30'', calibration_end => ''1997-09-30''"}'::text[]) AS a;
SELECT results_eq('SELECT c.* FROM history, clv_tracking(h' || a || ') AS c WHERE name = ''text''', 'SELECT c.* FROM history, (SELECT min(day) AS f FROM purchase WHERE name = ''text'') AS f, (SELECT max(day) AS l FROM buyer_orders) AS l, clv_tracking(h, f + (l - f) / 2, l, ''bg_nbd'', ''week'', NULL, 1) AS c WHERE name = ''text''', 'clv_tracking: defaults' || a)
FROM unnest('{"",", NULL, NULL, NULL, NULL, NULL, NULL",", week_start => 1, model => ''bg_nbd''"}'::text[]) AS a;
SELECT is((SELECT count(*) FROM history, clv_holdout(h) WHERE name = 'CDNOW') > 5, true, 'half of the time is the default');
SELECT results_eq('SELECT c.* FROM history, clv_tracking(h) AS c WHERE name = ''uuid''', 'SELECT (clv_tracking(h)).* FROM history WHERE name = ''text''', 'the key does not matter; in the select list');
SELECT results_eq('SELECT c.* FROM history, clv_holdout(h) AS c WHERE name = ''bigint''', 'SELECT (clv_holdout(h)).* FROM history WHERE name = ''uuid''', 'and so of the holdout');
-- what comes after as_of is not looked at
SELECT results_eq('SELECT c.* FROM history, clv_holdout(history_between(h, to_day => ''2023-11-30''), ''2023-08-31'', ''2023-11-30'') AS c WHERE name = ''text''', 'SELECT c.* FROM history, clv_holdout(h, ''2023-08-31'', ''2023-11-30'') AS c WHERE name = ''text''', 'days after as_of are ignored');

-- ---------- edges and errors ----------

SELECT is_empty('SELECT * FROM ' || f || '(' || a || ')', 'no rows: ' || f || '(' || a || ')')
FROM unnest('{clv_holdout,clv_tracking}'::text[]) AS f, unnest('{"NULL","(SELECT customer_history(1, ''2024-01-02'', 5)), as_of => ''2024-01-01''","(SELECT customer_history(1, ''2024-01-02'', -5))"}'::text[]) AS a;
SELECT raises('SELECT c.* FROM history, ' || f || '(' || a || ') AS c WHERE name = ''text''', state, message)
FROM unnest('{clv_holdout,clv_tracking}'::text[]) AS f, (VALUES
	('h, ''2024-01-31'', ''2024-01-31''', '22023', 'calibration_end must be before as_of'), ('h, ''2024-02-01'', ''2024-01-31''', '22023', 'calibration_end must be before as_of'), ('h, as_of => ''2023-02-01''', '22023', 'calibration_end must be before as_of'),
	('h, ''2023-01-01''', '22023', 'bg_nbd cannot be fitted to 0 customers'), ('h, observed_since => ''2024-01-01''', '22023', 'bg_nbd cannot be fitted to 0 customers'),
	('h, model => ''bg_bb''', '22023', 'model must not be "bg_bb"'), ('NULL, model => ''gamma_gamma''', '22023', 'model must not be "gamma_gamma"'), ('h, unit => ''quarter''', '22023', 'unit must not be "quarter"'), ('NULL, unit => ''Week''', '22023', 'unit must not be "Week"'),
	('h, calibration_end => ''infinity''', '22008', 'calibration_end must be a finite date, not infinity'), ('NULL, calibration_end => ''-infinity''', '22008', 'calibration_end must be a finite date, not -infinity'), ('h, as_of => ''infinity''', '22008', 'as_of must be a finite date, not infinity'),
	('NULL, observed_since => ''infinity''', '22008', 'observed_since must be a finite date, not infinity'),
	('(SELECT customer_history(i, date ''2024-01-01'' + i) FROM generate_series(1, 60) AS i)', '22023', 'bg_nbd cannot be fitted without a repeat purchase')) AS e(a, state, message);
SELECT raises('SELECT c.* FROM history, clv_tracking(' || a || ') AS c WHERE name = ''text''', state, message)
FROM (VALUES ('h, week_start => 0', '22023', 'week_start must not be 0'), ('NULL, week_start => 8', '22023', 'week_start must not be 8'), ('h, as_of => ''2100-01-01'', unit => ''day''', '54000', 'report would have % periods, from 2023-02-01 to 2100-01-01')) AS e(a, state, message);

-- ---------- warnings ----------

-- half of the customers once, half of them twice, at the same distance; then some of them again
CREATE TABLE two_kinds AS SELECT customer_history(c, d) AS h FROM (
	SELECT i AS c, date '2024-01-01' AS d FROM generate_series(1, 1000) AS i UNION ALL SELECT i, '2024-01-11' FROM generate_series(1, 500) AS i UNION ALL SELECT i, '2024-03-01' FROM generate_series(1, 900, 3) AS i) AS o;
INSERT INTO probe SELECT f, format('SELECT c.* FROM two_kinds, %s(h, ''2024-02-15'') AS c', f) FROM unnest('{clv_holdout,clv_tracking}'::text[]) AS f;
INSERT INTO probe SELECT f || ', good', format('SELECT c.* FROM history, %s(h) AS c WHERE name = ''CDNOW''', f) FROM unnest('{clv_holdout,clv_tracking}'::text[]) AS f;
\ir include/run_probes.sql
SELECT ok(CASE WHEN name ~ 'good' THEN warning IS NULL ELSE warning LIKE E'WARNING:  the fit of bg_nbd did not converge\nDETAIL:  _%\nHINT:  _%' AND warning !~ 'WARNING.*WARNING' END, 'warning: ' || name) FROM warning;
SELECT is(count(*), 4::bigint, 'and all were tried') FROM warning;
SELECT results_eq('SELECT c.* FROM two_kinds, clv_holdout(h, ''2024-02-15'') AS c', 'VALUES (0::bigint, 500::bigint, 133::bigint, NULL::float8), (1, 500, 167, NULL)', 'without a fit: what came, and nothing foretold');
SELECT results_eq('SELECT c.* FROM two_kinds, clv_tracking(h, ''2024-02-15'', unit => ''month'') AS c', 'VALUES (date ''2024-01-01'', 500::bigint, NULL::float8, 500::bigint, NULL::float8), (''2024-02-01'', 0, NULL, 500, NULL), (''2024-03-01'', 300, NULL, 800, NULL)', 'and by period');

SELECT * FROM finish();
