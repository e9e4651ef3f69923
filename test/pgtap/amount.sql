-- Amounts: what goes in as numeric comes out as the same numeric, and sums
-- are those of sum().

BEGIN;
SELECT plan(49);

\ir include/seed.sql

-- digits(n): so many random decimal digits, often zeros or nines in a row
CREATE FUNCTION pg_temp.digits(n integer) RETURNS text
LANGUAGE sql VOLATILE AS $$
	SELECT coalesce(left(string_agg(CASE WHEN kind < 0.25 THEN '0000' WHEN kind < 0.35 THEN '9999' WHEN kind < 0.45 THEN '0001'
										 ELSE lpad(trunc(random() * 10000)::text, 4, '0') END, ''), n), '')
	FROM (SELECT random() AS kind FROM generate_series(1, (n + 3) / 4)) AS g
$$;

-- up to 38 decimal digits, 0 to 20 of them after the point; in a table, where
-- short values have a length word of one byte
CREATE TEMP TABLE amounts AS
SELECT i AS id, (sign || coalesce(nullif(pg_temp.digits(before), ''), '0') || CASE WHEN after > 0 THEN '.' || pg_temp.digits(after) ELSE '' END)::numeric AS amount
FROM (SELECT i, CASE WHEN random() < 0.4 THEN '-' ELSE '' END AS sign, after,
			 CASE WHEN random() < 0.3 THEN 0 ELSE trunc(random() ^ 2 * (39 - after))::integer END AS before
	  FROM (SELECT i, trunc(random() * 21)::integer AS after FROM generate_series(1, 20000) AS i) AS g) AS g;
INSERT INTO amounts
SELECT 20000 + row_number() OVER (), (sign || text)::numeric
FROM unnest('{"",-}'::text[]) AS sign,
	 unnest('{0,0.0,0.0000,0.00000000000000000000,1,10,9999,10000,10001,99999999,100000000,1000000000000,1e30,1.7e38,10000.0,10000.00000,
			  0.1,0.01,0.001,0.0001,0.00001,0.000012,0.0000120000,0.00000000000000000001,0.00009999,0.99999999999999999999,1234.5678,12345.67890,
			  9223372036854775807,9223372036854775808,92233720368547758.07,18446744073709551615,18446744073709551616,184467440737.09551616,
			  170141183460469231731687303715884105727,1701411834604692317.31687303715884105727,17014118346046923173168730371588410572.7}'::text[]) AS text;

-- of_one(amount): the history of one order or refund
CREATE FUNCTION pg_temp.of_one(amount numeric) RETURNS loyalty.customer_history
LANGUAGE sql AS $$ SELECT loyalty.customer_history(1, '2024-01-01', amount) $$;

-- every form is there: the length word of one byte, the weights, the scales
SELECT ok(count(*) FILTER (WHERE pg_column_size(amount) < 10) > 1000 AND count(DISTINCT scale(amount)) = 21
		  AND min(amount) < -1e37 AND max(amount) > 1e37
		  AND count(*) FILTER (WHERE amount <> 0 AND abs(amount) < 1e-16) > 0
		  AND count(*) FILTER (WHERE amount = 0 AND scale(amount) > 4) > 0
		  AND count(*) FILTER (WHERE trim_scale(amount) <> amount OR scale(trim_scale(amount)) + 4 < scale(amount)) > 100,
		  'amounts of every form') FROM amounts;

SELECT is_empty($$
	SELECT id, amount, loyalty.revenue(loyalty.customer_history(1, '2024-01-01', amount)) FROM amounts
	GROUP BY id, amount
	HAVING loyalty.revenue(loyalty.customer_history(1, '2024-01-01', amount))::text <> amount::text
		OR loyalty.orders(loyalty.customer_history(1, '2024-01-01', amount)) <> (amount >= 0)::integer $$,
	'each amount by itself, as text, from the table');
SELECT is_empty($$
	SELECT id, amount FROM amounts
	WHERE loyalty.revenue(pg_temp.of_one(amount + 0))::text <> amount::text $$,
	'each amount by itself, as computed');
SELECT is_empty($$
	SELECT id FROM amounts, pg_temp.of_one(amount) AS h, loyalty.events(h) AS e
	WHERE e.amount::text <> amounts.amount::text OR loyalty.revenue(h::text::loyalty.customer_history)::text <> amounts.amount::text $$,
	'and in events and in the text form');

-- what loyalty writes is what the server would have written, to the byte
SELECT is_empty($$
	SELECT id, amount FROM amounts, loyalty.revenue(pg_temp.of_one(amount)) AS r
	WHERE numeric_send(r) <> numeric_send(amount) OR hash_numeric(r) <> hash_numeric(amount) OR r <> amount
	   OR pg_column_size(loyalty.revenue(pg_temp.of_one(amount))) <> pg_column_size(amount::text::numeric) $$,
	'the same digits, without zeros at either end');
SELECT is_empty($$
	SELECT id FROM amounts, loyalty.revenue(pg_temp.of_one(amount)) AS r
	WHERE (r * 3 - r - r)::text <> amount::text OR -r <> -amount $$,
	'the server computes with them');

-- sums: as many decimals as sum() shows; 10^14 leaves room for 20 decimals
CREATE TEMP TABLE sums AS
SELECT id % 997 AS part, amount FROM amounts WHERE abs(amount) < 1e14;
SELECT cmp_ok(count(*), '>', 5000::bigint, 'thousands of amounts below 10^14') FROM sums;
SELECT is(loyalty.revenue(loyalty.customer_history(1, '2024-01-01', amount))::text, sum(amount)::text, 'the sum of one day')
FROM sums;
SELECT is(loyalty.revenue(loyalty.customer_history(part, date '2024-01-01' + part % 31, amount))::text, sum(amount)::text, 'the sum of many customers')
FROM sums;
SELECT is_empty($$
	SELECT part FROM sums GROUP BY part
	HAVING loyalty.revenue(loyalty.customer_history(part % 7, date '2024-01-01' + part % 3, amount))::text <> sum(amount)::text $$,
	'the sums of groups');
SELECT is_empty($$
	SELECT part FROM sums CROSS JOIN generate_series(1, 60) AS g GROUP BY part
	HAVING loyalty.revenue(loyalty.customer_history(g % 50, date '2024-01-01' + part % 3, amount))::text <> sum(amount)::text $$,
	'the sums of larger groups');
SELECT is(loyalty.revenue(loyalty.rollup(h))::text, (SELECT sum(amount)::text FROM sums), 'the sum of a rollup')
FROM (SELECT loyalty.customer_history(part, '2024-01-01', amount) AS h FROM sums GROUP BY part) AS s;
SELECT is_empty($$
	SELECT a.part FROM (SELECT part, sum(amount) AS wanted FROM sums GROUP BY part) AS a
		JOIN loyalty.customer_summary_as(null::bigint,
			(SELECT loyalty.customer_history(part, date '2024-01-01', amount) FROM (SELECT * FROM sums UNION ALL SELECT part, 0 FROM sums) AS s)) AS c
			ON a.part = c.customer
	WHERE revenue <> wanted OR scale(revenue) <> (SELECT max(scale(amount)) FROM sums) $$,
	'the sums of customers');

-- zeros: their decimals count
SELECT is(loyalty.revenue(loyalty.customer_history(1, '2024-01-01', a))::text, sum(a)::text, 'decimals of ' || (array_agg(a))::text)
FROM (VALUES (1, 0), (1, 0.000), (2, 5), (2, 0.00), (3, -1.5), (3, 1.50), (4, 1e30), (4, 0.0000), (5, NULL), (5, 7.0)) AS z(i, a)
GROUP BY i ORDER BY i;
SELECT is(loyalty.revenue(loyalty.customer_history(1, '2024-01-01', NULL::numeric)), NULL, 'no amount at all');
SELECT is(loyalty.revenue(loyalty.customer_history(1, '2024-01-01', a)), 6::numeric, 'integer amounts')
FROM unnest('{1,2,3}'::integer[]) AS a;
SELECT is(loyalty.revenue(loyalty.customer_history(1, '2024-01-01', 100.00 / 1.2))::text, (100.00 / 1.2)::text, 'a quotient');

-- ---------- errors ----------

SELECT throws_ok(format('SELECT loyalty.customer_history(1, ''2024-01-01'', %s)', amount), '22003', message, amount)
FROM (VALUES ($$'NaN'$$, 'amount must be a finite number, not NaN'),
			 ($$'infinity'$$, 'amount must be a finite number, not infinity'),
			 ($$'-infinity'$$, 'amount must be a finite number, not -infinity'),
			 ('0.000000000000000000000', 'amount has 21 decimals'),
			 ('-1.000000000000000000001', 'amount has 21 decimals'),
			 ('1::numeric / 3 * 1.00000', 'amount has 25 decimals'),
			 -- the long header: more than 63 decimals, a weight beyond 63
			 ('0.' || repeat('0', 64), 'amount has 64 decimals'),
			 ('1.' || repeat('5', 200), 'amount has 200 decimals'),
			 ('1e300', 'amount is out of range'),
			 ('-1e300', 'amount is out of range'),
			 ('170141183460469231731687303715884105728', 'amount is out of range'),
			 ('-170141183460469231731687303715884105728', 'amount is out of range'),
			 ('17014118346046923173168730371588410572.8', 'amount is out of range'),
			 ('1e38 * 10', 'amount is out of range'),
			 ('1e18::numeric(39, 20) * 10', 'amount is out of range'),
			 ('1e40', 'amount is out of range'),
			 ('1e44', 'amount is out of range'),
			 ('99999999999999999999.99999999999999999999', 'amount is out of range')) AS e(amount, message);

-- the sum overflows, not any amount: in a page, on one day, over customers,
-- in a large state, from a change of decimals, in a merge
SELECT throws_ok(query, '22003', 'amounts of a customer_history are out of range', name)
FROM (VALUES
	('two on a day', $$SELECT loyalty.customer_history(1, '2024-01-01', a) FROM unnest('{1e38,1e38}'::numeric[]) AS a$$),
	('two days', $$SELECT loyalty.customer_history(1, date '2024-01-01' + i, 1e38) FROM generate_series(1, 2) AS i$$),
	('two customers', $$SELECT loyalty.customer_history(i, '2024-01-01', -1e38) FROM generate_series(1, 2) AS i$$),
	('many customers', $$SELECT loyalty.customer_history(i, '2024-01-01', 1e35) FROM generate_series(1, 2000) AS i$$),
	('two decimals more', $$SELECT loyalty.customer_history(i, '2024-01-01', a) FROM (VALUES (1, 1e37), (2, 0.01)) AS r(i, a)$$),
	('two decimals more, later', $$SELECT loyalty.customer_history(i, '2024-01-01', a) FROM (SELECT i, CASE i WHEN 1 THEN 1e37 WHEN 2000 THEN 0.01 ELSE 0 END AS a FROM generate_series(1, 2000) AS i) AS r$$),
	('a merge', $$SELECT loyalty.merge(h, h) FROM (SELECT loyalty.customer_history(1, '2024-01-01', 1e38) AS h) AS s$$),
	('a merge of other decimals', $$SELECT loyalty.merge(g, h) FROM (SELECT loyalty.customer_history(1, '2024-01-01', 1e38) AS g, loyalty.customer_history(2, '2024-01-01', 0.1) AS h) AS s$$),
	('a rollup', $$SELECT loyalty.rollup(h) FROM (SELECT loyalty.customer_history(1, '2024-01-01', 1e38) AS h FROM generate_series(1, 2) GROUP BY generate_series) AS s$$)
	) AS o(name, query);
SELECT is(loyalty.revenue(loyalty.customer_history(1, '2024-01-01', a))::text, '0', 'the greatest and its refund')
FROM unnest('{170141183460469231731687303715884105727,-170141183460469231731687303715884105727}'::numeric[]) AS a;

SELECT * FROM finish();
ROLLBACK;
