-- customer_summary against hand-written SQL, in every cell: on CDNOW and on
-- random orders by each type of key.

BEGIN;
SELECT plan(81);

\ir include/cdnow.sql
\ir include/random_orders.sql

CREATE TEMP TABLE cdnow_history AS SELECT loyalty.customer_history(customer_id, day, amount) AS h FROM cdnow;

-- ---------- CDNOW ----------

SELECT results_eq(
	format('SELECT * FROM loyalty.customer_summary((SELECT h FROM cdnow_history)%s)', ', ' || quote_literal(as_of)),
	format($$
		SELECT customer_id::text, min(day), max(day), %1$L::date - max(day), count(*), count(DISTINCT day), sum(amount),
			   (max(day) - min(day))::float8 / nullif(count(DISTINCT day) - 1, 0)
		FROM cdnow WHERE day <= %1$L GROUP BY customer_id ORDER BY cdnow.customer_id
		$$, coalesce(as_of, '1998-06-30')),
	'CDNOW as of ' || coalesce(as_of, 'its last day'))
FROM unnest('{NULL,1997-09-30,1997-01-01}'::text[]) AS as_of;

SELECT results_eq(
	'SELECT count(*), sum(orders), sum(purchase_days), sum(revenue), min(scale(revenue)), max(scale(revenue)) FROM cdnow_history, loyalty.customer_summary(h)',
	'VALUES (23570::bigint, 69659::numeric, 67591::numeric, 2500315.63, 2, 2)',
	'totals of CDNOW');

-- ---------- random orders ----------

-- wanted(key, as_of): the summary by hand, on the key's own type
CREATE FUNCTION pg_temp.wanted(key text, as_of text) RETURNS text
LANGUAGE sql AS $$
	SELECT format($sql$
		SELECT as_%1$s AS customer,
			   min(day) FILTER (WHERE purchase), max(day) FILTER (WHERE purchase),
			   %2$L::date - max(day) FILTER (WHERE purchase),
			   count(*) FILTER (WHERE purchase), count(DISTINCT day) FILTER (WHERE purchase),
			   coalesce(sum(amount), 0),
			   (max(day) FILTER (WHERE purchase) - min(day) FILTER (WHERE purchase))::float8
			   / nullif(count(DISTINCT day) FILTER (WHERE purchase) - 1, 0)
		FROM (SELECT *, amount IS NULL OR amount >= 0 AS purchase FROM orders) AS o
		WHERE day <= %2$L
		GROUP BY as_%1$s HAVING bool_or(purchase)
		ORDER BY as_%1$s %3$s $sql$,
		key, coalesce(as_of, (SELECT max(day) FROM orders)::text),
		CASE key WHEN 'text' THEN 'COLLATE "C"' ELSE '' END)
$$;

CREATE TEMP TABLE days AS
SELECT unnest(ARRAY[NULL, '2023-05-31', '2023-06-01', '2023-06-04', '2023-07-15', '2030-12-31',
					(SELECT max(day)::text FROM orders WHERE amount < 0)]) AS as_of;

SELECT results_eq(
	format('SELECT * FROM loyalty.customer_summary_as(null::%s, (SELECT h FROM histories WHERE key = %1$L), %L)', key, as_of),
	pg_temp.wanted(key, as_of),
	format('random orders by %s as of %s', key, coalesce(as_of, 'the last day')))
FROM histories, days;

SELECT results_eq(
	format('SELECT customer, to_jsonb(s) - ''customer'' FROM histories, loyalty.customer_summary(h, ''2023-07-15'') AS s WHERE key = %L', key),
	format('SELECT customer::text, to_jsonb(s) - ''customer'' FROM histories, loyalty.customer_summary_as(null::%s, h, ''2023-07-15'') AS s WHERE key = %1$L', key),
	format('customers by %s as text, in the same order', key))
FROM histories;

SELECT ok(count(*) > 0 AND bool_and(scale(revenue) = 2), 'money has the decimals of the history: ' || key)
FROM histories, loyalty.customer_summary(h) GROUP BY key;

SELECT results_eq(
	format('SELECT s.* FROM histories, loyalty.customer_summary(h) AS s WHERE key = %L', key),
	format('SELECT s.* FROM (SELECT loyalty.rollup(h) AS h FROM (SELECT loyalty.customer_history(as_%s, day, amount) AS h FROM orders GROUP BY day) AS d) AS r, loyalty.customer_summary(h) AS s', key),
	'from a rollup of days: ' || key)
FROM histories;

-- several histories in one query: each its own customers
SELECT results_eq($$
	SELECT parity, s.* FROM (
		SELECT as_uuid::text ~ '[02468ace]$' AS parity, loyalty.customer_history(as_text, day, amount) AS h
		FROM orders GROUP BY 1) AS g, loyalty.customer_summary_as(null::text, h, '2023-12-31') AS s
	ORDER BY parity, s.customer COLLATE "C" $$,
	$$
	SELECT as_uuid::text ~ '[02468ace]$' AS parity, s.* FROM
		(SELECT DISTINCT as_uuid, as_text FROM orders) AS o
		JOIN loyalty.customer_summary((SELECT h FROM histories WHERE key = 'text'), '2023-12-31') AS s ON customer = as_text
	ORDER BY parity, s.customer COLLATE "C" $$,
	'under GROUP BY');

SELECT results_eq(
	$$SELECT (loyalty.customer_summary(h)).* FROM histories WHERE key = 'text'$$,
	$$SELECT s.* FROM histories, loyalty.customer_summary(h) AS s WHERE key = 'text'$$,
	'in the select list');

-- ---------- the type of the customer ----------

CREATE DOMAIN pg_temp.customer_number AS bigint CHECK (VALUE > 0);
CREATE DOMAIN pg_temp.customer_code AS text CHECK (VALUE <> 'refunder');
CREATE TEMP TABLE ten AS
SELECT loyalty.customer_history(i, '2024-01-01', i) AS bigint_keys,
	   loyalty.customer_history(i::text, '2024-01-01', i) AS text_keys,
	   loyalty.customer_history(md5(i::text)::uuid, '2024-01-01', i) AS uuid_keys
FROM generate_series(1, 10) AS i;

SELECT results_eq(
	format('SELECT customer, pg_typeof(customer)::text, revenue FROM ten, loyalty.customer_summary_as(null::%s, %I)', type, key_type || '_keys'),
	format('SELECT (%s)::text::%s, %2$L, i::numeric FROM generate_series(1, 10) AS i ORDER BY (%1$s)::%3$s %4$s', customer, shown,
		   key_type, CASE key_type WHEN 'text' THEN 'COLLATE "C"' ELSE '' END),
	key_type || ' keys as ' || type)
FROM (VALUES ('bigint', 'i'), ('text', 'i'), ('uuid', 'md5(i::text)::uuid')) AS k(key_type, customer),
	 (VALUES ('bigint', 'bigint'), ('integer', 'integer'), ('smallint', 'smallint'), ('numeric', 'numeric'),
			 ('text', 'text'), ('varchar', 'character varying'), ('varchar(1)', 'character varying'),
			 ('uuid', 'uuid'), ('pg_temp.customer_number', 'customer_number'),
			 ('pg_temp.customer_code', 'customer_code')) AS t(type, shown)
WHERE type ~ 'text|varchar|code' OR (type = 'uuid') = (key_type = 'uuid');

SELECT results_eq($$SELECT customer FROM ten, loyalty.customer_summary_as(5, bigint_keys)$$, 'SELECT generate_series(1, 10)',
				  'the value of the first argument does not matter');
SELECT throws_ok(format('SELECT * FROM ten, loyalty.customer_summary_as(null::%s, %I)', type, key_type || '_keys'), code, message,
				 format('%s keys are no %s', key_type, type))
FROM (VALUES ('uuid', 'bigint', '22P02', 'invalid input syntax for type bigint: "1679091c-5a88-0faf-6fb5-e6087eb1b2dc"'),
			 ('text', 'uuid', '22P02', 'invalid input syntax for type uuid: "1"'),
			 ('bigint', 'boolean', '22P02', 'invalid input syntax for type boolean: "2"')) AS e(key_type, type, code, message);
SELECT throws_ok($$SELECT * FROM loyalty.customer_summary_as(null::integer, (SELECT loyalty.customer_history(3000000000, '2024-01-01')))$$,
				 '22003', 'value "3000000000" is out of range for type integer', 'a number too large for integer');
SELECT throws_ok($$SELECT * FROM loyalty.customer_summary_as(null::integer, (SELECT loyalty.customer_history(''::text, '2024-01-01')))$$,
				 '22P02', 'invalid input syntax for type integer: ""', 'the empty text is no integer');
SELECT throws_ok($$SELECT * FROM loyalty.customer_summary_as(null::pg_temp.customer_number, (SELECT loyalty.customer_history(-1, '2024-01-01')))$$,
				 '23514', NULL, 'the check of a domain');
SELECT results_eq($$
	SELECT customer::text FROM loyalty.customer_summary_as(null::pg_temp.customer_code,
		(SELECT loyalty.customer_history(c, '2024-01-01', a) FROM (VALUES ('refunder', -1), ('buyer', 1)) AS r(c, a)))$$,
	$$VALUES ('buyer')$$, 'customers without a row need not fit the type');
SELECT throws_ok($$SELECT * FROM ten, loyalty.customer_summary_as(null, bigint_keys)$$, '42804', NULL, 'a first argument without a type');

-- ---------- edges ----------

SELECT results_eq(
	format('SELECT * FROM loyalty.customer_summary(%s)', arguments),
	$$SELECT '1'::text, NULL::date, NULL::date, 0, 0::bigint, 0::bigint, 0::numeric, 0::float8 WHERE false$$,
	'no rows: ' || what)
FROM (VALUES ('NULL', 'NULL'),
			 ($$(SELECT loyalty.customer_history(1, '2024-01-01', -5)), '2025-01-01'$$, 'refunds only'),
			 ($$(SELECT loyalty.customer_history(1, '2024-01-02', 5)), '2024-01-01'$$, 'before the first purchase'),
			 ($$(SELECT loyalty.customer_history(1, d, a) FROM (VALUES (date '2024-01-01', -5), ('2024-01-03', 5)) AS r(d, a)), '2024-01-02'$$,
			  'after a refund, before the first purchase')) AS n(arguments, what);

SELECT results_eq($$
	SELECT * FROM loyalty.customer_summary((
		SELECT loyalty.customer_history(c, d, a)
		FROM (VALUES (1, date '2024-01-10', 100.0), (1, '2024-01-05', -7.5), (1, '2024-02-01', NULL), (1, '2024-02-01', 0), (1, '2024-03-01', -20),
					 (2, '2024-01-20', NULL), (3, '2024-04-01', -1)) AS r(c, d, a)))$$,
	$$VALUES ('1', date '2024-01-10', date '2024-02-01', 60, 3::bigint, 2::bigint, 72.5, 22::float8),
			 ('2', '2024-01-20', '2024-01-20', 72, 1, 1, 0.0, NULL)$$,
	'refunds move neither first nor last day but as_of, and count on every day');
SELECT results_eq($$
	SELECT customer, days_since_last, orders, purchase_days, revenue FROM loyalty.customer_summary((
		SELECT loyalty.customer_history(c, d) FROM (VALUES ('a', date '2024-01-10'), ('a', '2024-01-10'), ('b', '2024-01-11')) AS r(c, d)))$$,
	$$VALUES ('a', 1, 2::bigint, 1::bigint, NULL::numeric), ('b', 0, 1, 1, NULL)$$,
	'revenue is NULL without amounts');
SELECT results_eq($$
	SELECT first_day, last_day, days_since_last, average_gap_days, revenue::text FROM loyalty.customer_summary((
		SELECT loyalty.customer_history(1, d, 0.1234567890123456)
		FROM (VALUES (date '0001-01-01'), ('9999-12-31'), ('4714-11-24 BC'), ('0044-03-15 BC'), ('5874897-12-31')) AS r(d)))$$,
	$$VALUES (date '4714-11-24 BC', date '5874897-12-31', 0, 536870873.25::float8, '0.6172839450617280')$$,
	'the first and the last day of all, and 16 decimals');
SELECT is(days_since_last, 2147483493, 'the longest silence')
FROM loyalty.customer_summary((SELECT loyalty.customer_history(1, '4714-11-24 BC')), '5874897-12-31');
SELECT is(array_agg(revenue::text), '{1.50000,3.00000,17014118346046923173168730371588.10727}', 'mixed decimals: the most of them everywhere')
FROM loyalty.customer_summary((SELECT loyalty.customer_history(c, '2024-01-01', a)
	FROM (VALUES (1, 1.5), (2, 3), (3, 17014118346046923173168730371588.10727), (4, -4.50000)) AS r(c, a)));

SELECT throws_ok(format('SELECT * FROM ten, loyalty.customer_summary(bigint_keys, %L)', day), '22008',
				 format('as_of must be a finite date, not %s', day), 'as_of ' || day)
FROM unnest('{infinity,-infinity}'::text[]) AS day;
SELECT results_eq('SELECT * FROM ten, loyalty.customer_summary(as_of => ''2024-06-01'', h => text_keys)',
				  'SELECT * FROM ten, loyalty.customer_summary(text_keys, ''2024-06-01'')', 'arguments by name');

-- a history too large for a page, read from a table
CREATE TEMP TABLE stored AS
SELECT loyalty.customer_history(repeat('k', i % 50) || i, date '2020-01-01' + i % 700, (i % 1000 / 100.0)::numeric(10, 2)) AS h
FROM generate_series(1, 100000) AS i;
SELECT is(row(count(*), sum(revenue), sum(orders), min(first_day), max(last_day))::text,
		  row(100000, sum((i % 1000 / 100.0)::numeric(10, 2)), 100000, '2020-01-01'::date, '2021-11-30'::date)::text, 'a stored history')
FROM stored, loyalty.customer_summary(h) FULL JOIN generate_series(1, 100000) AS i ON repeat('k', i % 50) || i = customer;

SELECT * FROM finish();
ROLLBACK;
