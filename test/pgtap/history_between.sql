-- history_between: the bytes are those of the aggregate over the rows of
-- the range, and the parts of a history merge to the whole.

BEGIN;
SELECT plan(45);

\ir include/random_orders.sql

-- the same customers without amounts, with amounts here and there only, and
-- with other numbers of decimals
INSERT INTO histories SELECT 'no amount', loyalty.customer_history(as_text, day) FROM orders;
INSERT INTO histories
SELECT 'few amounts', loyalty.customer_history(as_bigint, day, CASE WHEN day BETWEEN '2023-07-01' AND '2023-07-05' THEN amount END) FROM orders;
INSERT INTO histories
SELECT 'mixed decimals', loyalty.customer_history(as_bigint, day, round(amount, extract(day FROM day)::integer % 3) * (ARRAY[1, 0.1, 0.00001])[1 + extract(day FROM day)::integer % 5 % 3]) FROM orders;

CREATE FUNCTION pg_temp.built(key text, from_day date, to_day date) RETURNS loyalty.customer_history
LANGUAGE plpgsql AS $$
BEGIN
	CASE key
		WHEN 'bigint' THEN RETURN (SELECT loyalty.customer_history(as_bigint, day, amount) FROM orders WHERE day BETWEEN from_day AND to_day);
		WHEN 'text' THEN RETURN (SELECT loyalty.customer_history(as_text, day, amount) FROM orders WHERE day BETWEEN from_day AND to_day);
		WHEN 'uuid' THEN RETURN (SELECT loyalty.customer_history(as_uuid, day, amount) FROM orders WHERE day BETWEEN from_day AND to_day);
		WHEN 'no amount' THEN RETURN (SELECT loyalty.customer_history(as_text, day) FROM orders WHERE day BETWEEN from_day AND to_day);
		WHEN 'few amounts' THEN RETURN (SELECT loyalty.customer_history(as_bigint, day, CASE WHEN day BETWEEN '2023-07-01' AND '2023-07-05' THEN amount END)
										FROM orders WHERE day BETWEEN from_day AND to_day);
	END CASE;
END $$;

CREATE TEMP TABLE cuts AS
SELECT from_day, from_day + ((random() ^ 2) * 200)::integer - 1 AS to_day
FROM (SELECT date '2023-05-20' + (random() * 330)::integer AS from_day FROM generate_series(1, 60)) AS f;
DELETE FROM cuts WHERE from_day > to_day;
INSERT INTO cuts SELECT day, day FROM (SELECT DISTINCT day FROM orders ORDER BY day LIMIT 10) AS d;
INSERT INTO cuts SELECT min(day), max(day) FROM orders;
INSERT INTO cuts SELECT min(day) + 1, max(day) - 1 FROM orders;
INSERT INTO cuts VALUES ('2023-05-01', '2023-05-31'), ('4714-11-24 BC', '5874897-12-31'), ('-infinity', 'infinity'), ('-infinity', '2023-07-01'), ('2023-07-01', 'infinity');

CREATE TEMP TABLE parts AS
SELECT key, from_day, to_day, loyalty.history_between(h, from_day, to_day) AS got FROM histories, cuts;

SELECT is_empty(
	format('SELECT from_day, to_day FROM parts WHERE key = %L AND got::text IS DISTINCT FROM pg_temp.built(key, from_day, to_day)::text', key),
	'the bytes of the aggregate: ' || key)
FROM histories WHERE key <> 'mixed decimals';

SELECT results_eq(
	format('SELECT from_day, to_day, e.* FROM parts, loyalty.events(got) AS e WHERE key = %L ORDER BY from_day, to_day, customer COLLATE "C", day', key),
	format('SELECT from_day, to_day, e.* FROM histories CROSS JOIN cuts CROSS JOIN loyalty.events(h) AS e WHERE key = %L AND day BETWEEN from_day AND to_day ORDER BY from_day, to_day, customer COLLATE "C", day', key),
	'the events of the range: ' || key)
FROM histories;

SELECT is_empty($$SELECT from_day, to_day FROM parts WHERE got::text::loyalty.customer_history::text <> got::text$$,
				'every part is a valid value');
SELECT is_empty($$
	SELECT key, from_day, to_day FROM parts JOIN histories USING (key)
	WHERE scale(loyalty.revenue(got)) <> scale(loyalty.revenue(h))
	   OR (loyalty.revenue(got) IS NOT NULL) <> EXISTS (SELECT 1 FROM loyalty.events(got) WHERE amount IS NOT NULL) $$,
	'the decimals of the whole wherever an amount is left');
SELECT ok(count(*) FILTER (WHERE got IS NULL) > 0 AND count(*) FILTER (WHERE loyalty.customers(got) = 0) > 0
		  AND count(*) FILTER (WHERE key = 'few amounts' AND loyalty.revenue(got) IS NULL AND got IS NOT NULL) > 0,
		  'some parts are nothing, some without purchases, some without amounts') FROM
	(SELECT key, got FROM parts
	 UNION ALL SELECT key, loyalty.history_between(h, '2023-06-02', '2023-06-02') FROM
		(SELECT 'refund', loyalty.customer_history(1, d, a) FROM (VALUES (date '2023-06-01', 1), ('2023-06-02', -1)) AS r(d, a)) AS r(key, h)) AS p;

-- what is left begins after from_day, and its only amount is a refund
CREATE TEMP TABLE sparse (customer, day, amount) AS
VALUES (1::bigint, date '2024-01-01', 5.00), (1, '2024-01-11', NULL), (2, '2024-01-02', 7.00), (2, '2024-01-21', -3.00), (3, '2024-01-15', NULL), (3, '2024-01-31', 1.00);
SELECT is(loyalty.history_between((SELECT loyalty.customer_history(customer, day, amount) FROM sparse), from_day, to_day)::text,
		  (SELECT loyalty.customer_history(customer, day, amount) FROM sparse WHERE day BETWEEN from_day AND to_day)::text,
		  format('few days left, from %s to %s', from_day, to_day))
FROM (VALUES (date '2024-01-05', date '2024-01-30'), ('2024-01-05', '2024-01-20'), ('2024-01-16', '2024-01-30'), ('2024-01-22', '2024-02-01')) AS c(from_day, to_day);

-- ---------- cutting and merging ----------

SELECT is_empty(
	format('SELECT from_day FROM histories, cuts WHERE key = %L AND isfinite(from_day) AND from_day > ''4714-11-24 BC'' AND loyalty.merge(loyalty.history_between(h, NULL, from_day - 1), loyalty.history_between(h, from_day, NULL))::text <> h::text', key),
	'cut in two and merged: ' || key)
FROM histories;
SELECT is((SELECT loyalty.rollup(loyalty.history_between(h, m::date, (m + interval '1 month')::date - 1))::text
		   FROM generate_series(date_trunc('month', loyalty.first_day(h)), loyalty.last_day(h), '1 month') AS m), h::text,
		  'cut in months and rolled up: ' || key)
FROM histories;

-- ---------- bounds ----------

CREATE TEMP TABLE week AS
SELECT loyalty.customer_history(1, date '2024-01-01' + i, i) AS h FROM generate_series(0, 6) AS i;

SELECT results_eq(
	format('SELECT loyalty.first_day(p), loyalty.last_day(p), loyalty.orders(p) FROM week, loyalty.history_between(h%s) AS p', arguments),
	format('SELECT %L::date, %L::date, %L::bigint', first_day, last_day, orders),
	format('history_between(h%s)', arguments))
FROM (VALUES ('', '2024-01-01', '2024-01-07', 7),
			 (', NULL, NULL', '2024-01-01', '2024-01-07', 7),
			 (', ''2024-01-03''', '2024-01-03', '2024-01-07', 5),
			 (', to_day => ''2024-01-03''', '2024-01-01', '2024-01-03', 3),
			 (', ''2024-01-03'', ''2024-01-03''', '2024-01-03', '2024-01-03', 1),
			 (', ''-infinity'', ''2024-01-03''', '2024-01-01', '2024-01-03', 3),
			 (', ''2024-01-03'', ''infinity''', '2024-01-03', '2024-01-07', 5),
			 (', ''infinity''', NULL, NULL, NULL),
			 (', NULL, ''-infinity''', NULL, NULL, NULL),
			 (', ''2024-01-08'', ''2024-02-01''', NULL, NULL, NULL),
			 (', NULL, ''2023-12-31''', NULL, NULL, NULL)) AS b(arguments, first_day, last_day, orders);
SELECT ok(loyalty.history_between(NULL, '2024-01-01', '2024-01-02') IS NULL, 'NULL for NULL');
SELECT ok(loyalty.history_between(h, '2024-01-02', '2024-01-30') IS NULL, 'NULL for days between two orders')
FROM (SELECT loyalty.customer_history(1, d) AS h FROM unnest('{2024-01-01,2024-01-31}'::date[]) AS d) AS s;

SELECT throws_ok($$SELECT loyalty.history_between(h, '2024-01-03', '2024-01-02') FROM week$$, '22023',
				 'from_day 2024-01-03 is after to_day 2024-01-02', 'from_day after to_day');
SELECT throws_ok($$SELECT loyalty.history_between(NULL, 'infinity', '-infinity')$$, '22023',
				 'from_day infinity is after to_day -infinity', 'from_day after to_day, without a history');

SELECT * FROM finish();
ROLLBACK;
