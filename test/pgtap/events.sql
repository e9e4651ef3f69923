-- events against hand-written SQL, in every cell, and back: a history built
-- from its own events.

BEGIN;
SELECT plan(62);

\ir include/cdnow.sql
\ir include/random_orders.sql

-- ---------- CDNOW ----------

CREATE TEMP TABLE cdnow_history AS SELECT loyalty.customer_history(customer_id, day, amount) AS h FROM cdnow;

SELECT results_eq(
	'SELECT e.* FROM cdnow_history, loyalty.events(h) AS e',
	'SELECT customer_id::text, day, count(*), count(*), sum(amount) FROM cdnow GROUP BY customer_id, day ORDER BY cdnow.customer_id, day',
	'CDNOW');
SELECT results_eq(
	'SELECT count(*), sum(orders), sum(valued_orders), sum(amount) FROM cdnow_history, loyalty.events(h)',
	'VALUES (67591::bigint, 69659::numeric, 69659::numeric, 2500315.63)',
	'totals of CDNOW');

-- ---------- random orders ----------

SELECT results_eq(
	format('SELECT e.* FROM histories, loyalty.events_as(null::%s, h) AS e WHERE key = %1$L', key),
	format($$
		SELECT as_%s AS customer, day, count(*) FILTER (WHERE amount IS NULL OR amount >= 0),
			   count(*) FILTER (WHERE amount >= 0), sum(amount)
		FROM orders GROUP BY 1, 2 ORDER BY as_%1$s %s, day $$, key, CASE key WHEN 'text' THEN 'COLLATE "C"' ELSE '' END),
	'random orders by ' || key)
FROM histories;

SELECT results_eq(
	format('SELECT customer, to_jsonb(e) - ''customer'' FROM histories, loyalty.events(h) AS e WHERE key = %L', key),
	format('SELECT customer::text, to_jsonb(e) - ''customer'' FROM histories, loyalty.events_as(null::%s, h) AS e WHERE key = %1$L', key),
	format('customers by %s as text, in the same order', key))
FROM histories;

-- the data have what they are meant to have
SELECT ok(count(*) FILTER (WHERE orders = 0) > 0 AND count(*) FILTER (WHERE orders > 1) > 0
		  AND count(*) FILTER (WHERE amount IS NULL) > 0
		  AND count(*) FILTER (WHERE valued_orders = 0 AND orders > 0 AND amount < 0) > 0
		  AND count(*) FILTER (WHERE valued_orders BETWEEN 1 AND orders - 1) > 0
		  AND count(*) FILTER (WHERE amount = 0) > 0,
		  'days of every kind')
FROM histories, loyalty.events(h) WHERE key = 'bigint';

SELECT is(row(sum(e.orders), sum(e.amount)::text, min(day), max(day), count(DISTINCT customer) FILTER (WHERE e.orders > 0))::text,
		  row(loyalty.orders(h), loyalty.revenue(h)::text, loyalty.first_day(h), loyalty.last_day(h), loyalty.customers(h))::text,
		  'totals are those of the history: ' || key)
FROM histories, loyalty.events(h) AS e GROUP BY key, h;

SELECT is(array_agg(DISTINCT scale(amount)), '{2,NULL}', 'amounts have the decimals of the history: ' || key)
FROM histories, loyalty.events(h) GROUP BY key;

-- back: one order or refund a day is what events shows
CREATE TEMP TABLE simple AS
SELECT DISTINCT ON (as_bigint, day) * FROM orders ORDER BY as_bigint, day, random();

SELECT is((SELECT loyalty.customer_history(customer, day, amount)::text FROM loyalty.events_as(null::bigint, h)), h::text, 'by bigint, back')
FROM (SELECT loyalty.customer_history(as_bigint, day, amount) AS h FROM simple) AS s;
SELECT is((SELECT loyalty.customer_history(customer, day, amount)::text FROM loyalty.events(h)), h::text, 'by text, back')
FROM (SELECT loyalty.customer_history(as_text, day, amount) AS h FROM simple) AS s;
SELECT is((SELECT loyalty.customer_history(customer, day, amount)::text FROM loyalty.events_as(null::uuid, h)), h::text, 'by uuid, back')
FROM (SELECT loyalty.customer_history(as_uuid, day, amount) AS h FROM simple) AS s;
SELECT is((SELECT loyalty.customer_history(customer, day)::text FROM loyalty.events_as(null::bigint, h), generate_series(1, orders)),
		  h::text, 'without amounts, back, with several orders a day')
FROM (SELECT loyalty.customer_history(as_bigint, day) AS h FROM orders) AS s;

-- ---------- what a day's amount is ----------

SELECT results_eq(
	format('SELECT orders, valued_orders, amount::text FROM loyalty.events((SELECT loyalty.customer_history(1, ''2024-01-01'', a) FROM unnest(%L::numeric[]) AS a))', amounts),
	format('SELECT %s::bigint, %s::bigint, %L::text', orders, valued_orders, amount),
	'a day of ' || amounts)
FROM (VALUES ('{NULL}', 1, 0, NULL),
			 ('{NULL,NULL}', 2, 0, NULL),
			 ('{0.00}', 1, 1, '0.00'),
			 ('{-0.00}', 1, 1, '0.00'),
			 ('{NULL,0}', 2, 1, '0'),
			 ('{-5}', 0, 0, '-5'),
			 ('{-5,NULL}', 1, 0, '-5'),
			 ('{-5,5.0}', 1, 1, '0.0'),
			 ('{-5,5.00,NULL}', 2, 1, '0.00'),
			 ('{1.5,-2,NULL,7}', 3, 2, '6.5'),
			 ('{-1,-1.5}', 0, 0, '-2.5'),
			 ('{0.1234567890123456,-7}', 1, 1, '-6.8765432109876544'),
			 ('{0.00000000000000000001,1}', 2, 2, '1.00000000000000000001'),
			 ('{170141183460469231731687303715884105727}', 1, 1, '170141183460469231731687303715884105727'),
			 ('{-170141183460469231731687303715884105727}', 0, 0, '-170141183460469231731687303715884105727')
	) AS d(amounts, orders, valued_orders, amount);

SELECT results_eq($$
	SELECT customer, day, amount::text FROM loyalty.events((SELECT loyalty.customer_history(c, d, a)
		FROM (VALUES (1, date '2024-01-01', 3), (1, '2024-01-02', 0.12345), (2, '2024-01-01', NULL), (2, '2024-01-03', -1e20)) AS r(c, d, a)))$$,
	$$VALUES ('1', date '2024-01-01', '3.00000'), ('1', '2024-01-02', '0.12345'), ('2', '2024-01-01', NULL), ('2', '2024-01-03', '-100000000000000000000.00000')$$,
	'all amounts have the largest number of decimals');

-- ---------- keys, days ----------

SELECT results_eq(
	format('SELECT customer, length(customer) FROM loyalty.events((SELECT loyalty.customer_history(%L::text, ''2024-01-01'')))', key),
	format('SELECT %L::text, %s', key, length(key)),
	'key of ' || what)
FROM (VALUES ('', 'nothing'), (repeat('k', 10000), '10,000 characters'), (repeat('ž', 10000), '10,000 wide characters'),
			 ('''', 'a quote'), ('"a"', 'double quotes'), ('\', 'a backslash'), (E'\t\n\r\x01', 'control characters'),
			 ('日本語 🐎', 'multibyte characters')) AS k(key, what);
SELECT results_eq($$
	SELECT customer, day FROM loyalty.events_as(null::bigint, (SELECT loyalty.customer_history(c, d)
		FROM unnest('{-9223372036854775808,-1,0,9223372036854775807}'::bigint[]) AS c,
			 unnest('{4714-11-24 BC,0044-03-15 BC,0001-01-01,2000-01-01,9999-12-31,5874897-12-31}'::date[]) AS d))$$,
	$$SELECT c, d
		FROM unnest('{-9223372036854775808,-1,0,9223372036854775807}'::bigint[]) AS c,
			 unnest('{4714-11-24 BC,0044-03-15 BC,0001-01-01,2000-01-01,9999-12-31,5874897-12-31}'::date[]) AS d$$,
	'the least and the greatest numbers and days');

-- ---------- the type of the customer ----------

CREATE DOMAIN pg_temp.customer_number AS bigint CHECK (VALUE > 0);

SELECT results_eq(
	format('SELECT customer, day FROM loyalty.events_as(null::%s, (SELECT loyalty.customer_history(%s, date ''2024-01-01'' + i %% 2) FROM generate_series(1, 9) AS i))', type, expression),
	format('SELECT (%s)::text::%s, date ''2024-01-01'' + i %% 2 FROM generate_series(1, 9) AS i ORDER BY %1$s', expression, type),
	format('%s as %s', expression, type))
FROM (VALUES ('i', 'bigint'), ('i', 'integer'), ('i', 'text'), ('i', 'pg_temp.customer_number'), ('i::text', 'text'), ('i::text', 'varchar'),
			 ('i::text', 'integer'), ('md5(i::text)::uuid', 'uuid'), ('md5(i::text)::uuid', 'text')) AS t(expression, type);

SELECT throws_ok($$SELECT * FROM loyalty.events_as(null::integer, (SELECT loyalty.customer_history('x'::text, '2024-01-01')))$$,
				 '22P02', 'invalid input syntax for type integer: "x"', 'a text that is no integer');
SELECT throws_ok($$SELECT * FROM loyalty.events_as(null::uuid, (SELECT loyalty.customer_history(5, '2024-01-01')))$$,
				 '22P02', 'invalid input syntax for type uuid: "5"', 'a number that is no uuid');
SELECT throws_ok($$SELECT * FROM loyalty.events_as(null::pg_temp.customer_number, (SELECT loyalty.customer_history(0, '2024-01-01', -1)))$$,
				 '23514', NULL, 'the check of a domain');

-- ---------- edges ----------

SELECT results_eq('SELECT * FROM loyalty.events((SELECT loyalty.customer_history(c, ''2024-01-01'', -c) FROM generate_series(1, 3) AS c))',
				  'SELECT c::text, date ''2024-01-01'', 0::bigint, 0::bigint, -c::numeric FROM generate_series(1, 3) AS c',
				  'a history of refunds');
SELECT results_eq('SELECT * FROM loyalty.events((SELECT loyalty.customer_history(c % 2, ''2024-01-01'') FROM generate_series(1, 3) AS c))',
				  $$VALUES ('0', date '2024-01-01', 1::bigint, 0::bigint, NULL::numeric), ('1', '2024-01-01', 2, 0, NULL)$$,
				  'a history without amounts');
SELECT is(count(*), 0::bigint, 'no rows for NULL') FROM loyalty.events(NULL);
SELECT is(count(*), 0::bigint, 'no rows for NULL, with a type') FROM loyalty.events_as(null::bigint, NULL);
SELECT results_eq('SELECT key, e.customer FROM histories CROSS JOIN LATERAL (SELECT * FROM loyalty.events(h) LIMIT 1) AS e ORDER BY key',
				  $$SELECT key, CASE key WHEN 'bigint' THEN min(as_bigint)::text WHEN 'text' THEN '' ELSE (SELECT as_uuid::text FROM orders ORDER BY as_uuid LIMIT 1) END
					FROM histories, orders GROUP BY key ORDER BY key$$,
				  'the first of each of several histories');
SELECT is(md5(string_agg(customer || day || orders, '')),
		  (SELECT md5(string_agg(i::text || (date '2020-01-01' + i % 700) || '1', '' ORDER BY i)) FROM generate_series(1, 100000) AS i),
		  'a large history')
FROM loyalty.events((SELECT loyalty.customer_history(i, date '2020-01-01' + i % 700) FROM generate_series(1, 100000) AS i));

SELECT * FROM finish();
ROLLBACK;
