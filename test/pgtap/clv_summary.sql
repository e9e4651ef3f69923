-- clv_summary against the published counts of CDNOW and against hand-written
-- SQL, in every cell: on CDNOW and on random orders by each type of key.

BEGIN;
SELECT plan(147);

\ir include/cdnow.sql
\ir include/cdnow_sample.sql
\ir include/random_orders.sql

-- sources(orders, key, type, h): whose orders, by which of their columns
CREATE TEMP TABLE sources AS
SELECT 'orders' AS orders, 'as_' || key AS key, key AS type, h FROM histories;
INSERT INTO sources SELECT 'cdnow', 'customer_id', 'bigint', loyalty.customer_history(customer_id, day, amount) FROM cdnow;
INSERT INTO sources SELECT 'cdnow_sample', 'customer_id', 'bigint', loyalty.customer_history(customer_id, day, amount) FROM cdnow_sample;
CREATE TEMP VIEW sample AS SELECT h FROM sources WHERE orders = 'cdnow_sample';

-- the days of each unit, by which hand-written SQL divides
CREATE TEMP TABLE units (unit text, days float8);
INSERT INTO units VALUES ('day', 1), ('week', 7), ('month', 365 / 12::float8), ('year', 365), (NULL, 7);

-- the summary by hand, on the key's own type
CREATE FUNCTION pg_temp.wanted(s sources, as_of text, days float8, observed_since text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	last_day text;
BEGIN
	EXECUTE format('SELECT max(day) FROM %I', s.orders) INTO last_day;
	RETURN format($sql$
		WITH purchase_day AS (
			SELECT %1$I AS customer, day, sum(amount) AS money, min(day) OVER (PARTITION BY %1$I) AS first_day
			FROM %2$I WHERE day <= %3$L
			GROUP BY %1$I, day HAVING bool_or(amount IS NULL OR amount >= 0))
		SELECT customer, count(*) - 1, (max(day) - first_day) / %4$L::float8, (%3$L::date - first_day) / %4$L::float8,
			   avg(money) FILTER (WHERE day > first_day)
		FROM purchase_day
		WHERE first_day >= coalesce(%5$L::date, first_day)
		GROUP BY customer, first_day
		ORDER BY customer %6$s $sql$,
		s.key, s.orders, coalesce(as_of, last_day), days, observed_since, CASE s.type WHEN 'text' THEN 'COLLATE "C"' ELSE '' END);
END
$$;

CREATE FUNCTION pg_temp.equals_sql(s sources, as_of text, unit text, observed_since text) RETURNS text
LANGUAGE sql AS $$
	SELECT public.results_eq(
		format('SELECT * FROM loyalty.clv_summary_as(null::%s, (SELECT h FROM sources WHERE orders = %L AND key = %L), %L, %L, %L)',
			   s.type, s.orders, s.key, as_of, unit, observed_since),
		pg_temp.wanted(s, as_of, days, observed_since),
		format('%s by %s as of %s in units of a %s, first purchase since %s', s.orders, s.type, coalesce(as_of, 'the last day'),
			   coalesce(unit, 'week'), coalesce(observed_since, 'ever')))
	FROM units WHERE units.unit IS NOT DISTINCT FROM equals_sql.unit
$$;

-- ---------- CDNOW ----------

-- published: Fader, Hardie and Lee 2005
SELECT is(row(count(*), count(*) FILTER (WHERE frequency > 0), sum(frequency), count(DISTINCT (frequency, recency, age)))::text,
		  '(2357,946,2457,1016)', 'the calibration of the sample: customers, repeaters, repeat purchases, distinct (x, t_x, T)')
FROM sample, loyalty.clv_summary(h, '1997-09-30');
SELECT is(array_agg(customers ORDER BY frequency), '{1411,439,214,100,62,38,29,64}', 'its customers by repeat purchases, the last with 7 or more')
FROM (SELECT least(frequency, 7) AS frequency, count(*) AS customers FROM sample, loyalty.clv_summary(h, '1997-09-30') GROUP BY 1) AS c;
SELECT is(row(frequency, round(recency::numeric, 2), round(age::numeric, 2), round(monetary, 3))::text, '(2,30.43,38.86,22.345)', 'its first customer')
FROM sample, loyalty.clv_summary(h, '1997-09-30') WHERE customer = '4';
SELECT is(sum(later.frequency - calibration.frequency), 1882::numeric, 'the holdout: repeat purchases after the calibration')
FROM sample, loyalty.clv_summary(h, '1998-06-30') AS later JOIN loyalty.clv_summary((SELECT h FROM sample), '1997-09-30') AS calibration USING (customer);
SELECT is(sum(purchase_days), 1882::numeric, 'the same, of the history after the calibration')
FROM sample, loyalty.customer_summary(loyalty.history_between(h, from_day => '1997-10-01'))
JOIN loyalty.clv_summary(h, '1997-09-30') AS calibration USING (customer);

SELECT pg_temp.equals_sql(s, as_of, unit, observed_since)
FROM sources AS s,
	 (VALUES (NULL, NULL, NULL), ('1997-09-30', 'week', NULL), ('1997-09-30', 'month', '1997-02-10'), ('1997-01-01', 'day', NULL), ('1998-03-01', 'year', '1997-03-25'))
	 AS a(as_of, unit, observed_since)
WHERE orders LIKE 'cdnow%';

-- ---------- random orders ----------

CREATE TEMP TABLE days AS
SELECT unnest(ARRAY[NULL, '2023-05-31', '2023-06-01', '2023-06-04', '2023-07-15', '2030-12-31',
					(SELECT max(day)::text FROM orders WHERE amount < 0)]) AS as_of;
SELECT pg_temp.equals_sql(s, as_of, unit, observed_since)
FROM sources AS s, days, units, unnest('{NULL,2023-06-01,2023-06-03,2023-07-15,2024-12-31}'::text[]) AS observed_since
WHERE orders = 'orders' AND (unit = 'month' OR observed_since IS NULL) AND (type = 'bigint' OR (as_of = '2023-07-15' AND unit = 'month'));

-- what makes these orders worth a test
SELECT ok(count(*) FILTER (WHERE frequency = 0) > 0, 'some never came back')
FROM sources, loyalty.clv_summary(h) WHERE orders = 'orders';
SELECT ok(count(*) FILTER (WHERE frequency > 0 AND monetary IS NULL) > 0 AND count(*) FILTER (WHERE monetary < 0) > 0, 'some came back for unknown amounts, some for refunds')
FROM sources, loyalty.clv_summary(h) WHERE orders = 'orders';
SELECT is_empty($$ SELECT s.* FROM sources, days, loyalty.clv_summary(h, as_of::date) AS s WHERE NOT (0 <= recency AND recency <= age AND (recency = 0) = (frequency = 0)) $$,
				'0 <= recency <= age, and recency is 0 without a later purchase');
SELECT results_eq(
	format('SELECT customer, frequency, first_day + recency::integer, revenue, as_of - age::integer FROM sources AS s CROSS JOIN (SELECT date %L AS as_of) AS a CROSS JOIN loyalty.clv_summary(h, as_of, ''day'') JOIN loyalty.customer_summary(h, as_of) AS c USING (customer) WHERE s.orders = ''orders'' ORDER BY s.key, customer', as_of),
	format('SELECT customer, purchase_days - 1, last_day, revenue, first_day FROM sources AS s, loyalty.customer_summary(h, %L) AS c WHERE s.orders = ''orders'' ORDER BY s.key, customer', as_of),
	'the customers and days of customer_summary as of ' || as_of)
FROM days WHERE as_of IS NOT NULL;

-- a calibration cut out of the history
SELECT results_eq(
	format('SELECT s.* FROM sources, loyalty.clv_summary(loyalty.history_between(h, to_day => %L), %1$L, ''day'') AS s', as_of),
	format('SELECT s.* FROM sources, loyalty.clv_summary(h, %L, ''day'') AS s', as_of),
	'history_between gives the calibration as of ' || as_of)
FROM (SELECT as_of FROM days WHERE as_of IS NOT NULL UNION ALL VALUES ('1997-09-30')) AS d;
SELECT results_eq(
	format('SELECT s.* FROM loyalty.clv_summary((SELECT loyalty.rollup(h) FROM (SELECT loyalty.customer_history(%I, day, amount) AS h FROM orders GROUP BY day) AS d)) AS s', key),
	format('SELECT s.* FROM sources, loyalty.clv_summary(h) AS s WHERE orders = ''orders'' AND key = %L', key),
	'from a rollup of days: ' || type)
FROM sources WHERE orders = 'orders';
SELECT results_eq($$
	SELECT parity, s.* FROM (
		SELECT as_uuid::text ~ '[02468ace]$' AS parity, loyalty.customer_history(as_text, day, amount) AS h
		FROM orders GROUP BY 1) AS g, loyalty.clv_summary(h, '2023-12-31') AS s
	ORDER BY parity, s.customer COLLATE "C" $$,
	$$
	SELECT as_uuid::text ~ '[02468ace]$' AS parity, s.* FROM
		(SELECT DISTINCT as_uuid, as_text FROM orders) AS o
		JOIN loyalty.clv_summary((SELECT h FROM histories WHERE key = 'text'), '2023-12-31') AS s ON customer = as_text
	ORDER BY parity, s.customer COLLATE "C" $$,
	'under GROUP BY');
SELECT results_eq(
	$$SELECT (loyalty.clv_summary(h)).* FROM sample$$,
	$$SELECT s.* FROM sample, loyalty.clv_summary(h) AS s$$,
	'in the select list');

-- ---------- the type of the customer ----------

SELECT results_eq(
	format('SELECT s.customer::text, pg_typeof(s.customer)::text, frequency, recency, age, monetary FROM sources, loyalty.clv_summary_as(null::%s, h, ''2023-07-15'', ''month'', ''2023-06-02'') AS s WHERE orders = ''orders'' AND type = %L', wanted, type),
	format('SELECT customer, %L, frequency, recency, age, monetary FROM sources, loyalty.clv_summary(h, ''2023-07-15'', ''month'', ''2023-06-02'') AS s WHERE orders = ''orders'' AND type = %L', wanted, type),
	format('%s keys as %s', type, wanted))
FROM (VALUES ('bigint', 'bigint'), ('bigint', 'numeric'), ('bigint', 'text'), ('text', 'text'), ('text', 'character varying'), ('uuid', 'uuid'), ('uuid', 'text')) AS t(type, wanted);
SELECT throws_ok($$SELECT * FROM loyalty.clv_summary_as(null::integer, (SELECT loyalty.customer_history(3000000000, '2024-01-01')))$$,
				 '22003', 'value "3000000000" is out of range for type integer', 'a number too large for integer');
SELECT throws_ok($$SELECT * FROM loyalty.clv_summary_as(null::uuid, (SELECT loyalty.customer_history('a'::text, '2024-01-01')))$$,
				 '22P02', 'invalid input syntax for type uuid: "a"', 'a text that is no uuid');

-- ---------- edges ----------

CREATE TEMP TABLE few AS
SELECT loyalty.customer_history(c, d, a) AS h
FROM (VALUES (1, date '2024-01-01', -1.00), (1, '2024-01-08', 50), (1, '2024-01-08', 30), (1, '2024-01-15', 10), (1, '2024-01-15', 20), (1, '2024-01-15', -5),
			 (1, '2024-01-20', -7), (1, '2024-02-05', 0), (1, '2024-02-12', NULL), (1, '2024-03-01', -9),
			 (2, '2024-01-08', NULL), (2, '2024-01-09', NULL), (2, '2024-01-10', NULL), (2, '2024-01-10', 6),
			 (3, '2024-01-08', 5), (3, '2024-01-09', NULL),
			 (4, '2024-01-08', 5), (4, '2024-01-09', NULL), (4, '2024-01-09', -2),
			 (5, '2024-01-08', -5),
			 (6, '2024-02-12', 8), (6, '2024-02-20', -8)) AS r(c, d, a);

SELECT results_eq('SELECT s.* FROM few, loyalty.clv_summary(h, ''2024-03-04'') AS s',
	$$VALUES ('1', 3::bigint, 5::float8, 8::float8, 12.5),
			 ('2', 2, 2 / 7::float8, 8, 6),
			 ('3', 1, 1 / 7::float8, 8, NULL),
			 ('4', 1, 1 / 7::float8, 8, -2),
			 ('6', 0, 0, 3, NULL)$$,
	'money: of later purchase days, net of their refunds; days of refunds only and days of unknown amounts only are left out');
SELECT results_eq('SELECT customer, age FROM few, loyalty.clv_summary(h, ''2024-03-04'', observed_since => ''2024-01-09'')', $$VALUES ('6', 3::float8)$$,
				  'observed_since goes by the first purchase, not by a refund before it');
SELECT results_eq('SELECT customer FROM few, loyalty.clv_summary(h, observed_since => ''2024-01-08'')', $$VALUES ('1'), ('2'), ('3'), ('4'), ('6')$$,
				  'the first day may be that of observed_since');
SELECT is(array_agg(DISTINCT age), '{2.5714285714285716,7.571428571428571}', 'as_of is the last day, here of a refund')
FROM few, loyalty.clv_summary(h);
SELECT results_eq($$
	SELECT customer, frequency, recency, age, monetary FROM loyalty.clv_summary((
		SELECT loyalty.customer_history(c, d) FROM (VALUES ('a', date '2024-01-10'), ('a', '2024-01-10'), ('a', '2024-01-12'), ('b', '2024-01-11')) AS r(c, d)), unit => 'day')$$,
	$$VALUES ('a', 1::bigint, 2::float8, 2::float8, NULL::numeric), ('b', 0, 0, 1, NULL)$$,
	'monetary is NULL without amounts');
SELECT is(row(frequency, recency, age, monetary)::text, '(1,2147483493,2147483493,0.12345678901234567890)', 'the first and the last day of all, and 20 decimals')
FROM loyalty.clv_summary((SELECT loyalty.customer_history(1, d, 0.12345678901234567890) FROM (VALUES (date '4714-11-24 BC'), ('5874897-12-31')) AS r(d)), unit => 'day');
CREATE TEMP TABLE huge AS SELECT 170141183460469231731687303715884105727 AS money;
SELECT is(monetary, money, 'money of 128 bits')
FROM huge, loyalty.clv_summary((SELECT loyalty.customer_history(1, d, m) FROM (VALUES (date '2024-01-01', 0), ('2024-01-02', money)) AS r(d, m)));
SELECT throws_ok($$
	SELECT * FROM huge, loyalty.clv_summary((SELECT loyalty.customer_history(1, d, m)
		FROM (VALUES (date '2024-01-01', -money), ('2024-01-02', 0), ('2024-01-03', money), ('2024-01-04', money)) AS r(d, m)))$$,
				 '22003', NULL, 'money beyond 128 bits on the later days, if not in all');

SELECT results_eq(
	format('SELECT * FROM loyalty.clv_summary(%s)', arguments),
	$$SELECT '1'::text, 0::bigint, 0::float8, 0::float8, 0::numeric WHERE false$$,
	'no rows: ' || what)
FROM (VALUES ('NULL', 'NULL'),
			 ($$(SELECT loyalty.customer_history(1, '2024-01-01', -5)), '2025-01-01'$$, 'refunds only'),
			 ($$(SELECT loyalty.customer_history(1, '2024-01-02', 5)), '2024-01-01'$$, 'before the first purchase'),
			 ($$(SELECT loyalty.customer_history(1, '2024-01-02', 5)), observed_since => '2024-01-03'$$, 'no first purchase since'),
			 ($$(SELECT loyalty.customer_history(1, d, a) FROM (VALUES (date '2024-01-01', -5), ('2024-01-03', 5)) AS r(d, a)), '2024-01-02'$$,
			  'after a refund, before the first purchase')) AS n(arguments, what);
SELECT is_empty('SELECT * FROM loyalty.clv_summary_as(5, NULL)', 'no rows: NULL, in the twin');
SELECT results_eq('SELECT s.* FROM few, loyalty.clv_summary(h, NULL, NULL, NULL) AS s', 'SELECT s.* FROM few, loyalty.clv_summary(h) AS s', 'NULL is the default of an argument');
SELECT results_eq('SELECT s.* FROM few, loyalty.clv_summary(unit => ''day'', observed_since => ''2024-01-09'', as_of => ''2024-03-04'', h => h) AS s',
				  'SELECT s.* FROM few, loyalty.clv_summary(h, ''2024-03-04'', ''day'', ''2024-01-09'') AS s', 'arguments by name');

SELECT throws_ok(format('SELECT * FROM loyalty.%s, unit => %L)', call, unit), '22023', format('unit must not be "%s"', unit), format('%s in units of a %s', call, unit))
FROM unnest('{quarter,weeks,Week,""}'::text[]) AS unit, unnest('{clv_summary(NULL,clv_summary_as(1\, NULL}'::text[]) AS call;
CREATE FUNCTION pg_temp.hint_of(query text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE query;
	RETURN NULL;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN hint;
END
$$;
SELECT is(pg_temp.hint_of($$SELECT * FROM loyalty.clv_summary(NULL, unit => 'quarter')$$), 'Use ''day'', ''week'', ''month'' or ''year''.', 'the units there are');
SELECT throws_ok(format('SELECT s.* FROM few, loyalty.clv_summary(h, %s => %L) AS s', argument, day), '22008',
				 format('%s must be a finite date, not %s', argument, day), format('%s %s', argument, day))
FROM unnest('{as_of,observed_since}'::text[]) AS argument, unnest('{infinity,-infinity}'::text[]) AS day;

SELECT * FROM finish();
ROLLBACK;
