-- customer_history where it is easy to go wrong: nothing, NULL, refunds, the
-- ends of every range, types that nearly fit, states that are shared, values
-- that are stored, merged, compared, and users' own objects of our names.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL jit = off;
SET LOCAL search_path = public, loyalty;	-- for the = that pgTAP's is() uses

CREATE FUNCTION pg_temp.bytes(h loyalty.customer_history) RETURNS text
LANGUAGE sql AS $$ SELECT encode(loyalty.customer_history_send(h), 'hex') $$;

-- message and hint of the error a query raises
CREATE FUNCTION pg_temp.error_of(query text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE query;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN SQLSTATE || ' ' || concat_ws(' | ', message, nullif(detail, ''), nullif(hint, ''));
END
$$;

-- ---------- memory ----------

-- first, while the process is small: a sort compares many times, and must not keep what it fetches for it (16,000 times 20 kB); where the system tells
CREATE TABLE fetched AS SELECT loyalty.customer_history(repeat(md5(i::text), 320), '2024-01-01') AS h FROM generate_series(1, 1500) AS i GROUP BY i;
CREATE FUNCTION pg_temp.megabytes(line text) RETURNS numeric
LANGUAGE plpgsql AS $$
BEGIN
	RETURN substring(pg_read_file('/proc/self/status', 0, 10000) FROM line || ':\s*(\d+) kB')::numeric / 1000;
EXCEPTION WHEN OTHERS THEN
	RETURN NULL;
END
$$;
SELECT pg_temp.megabytes('VmHWM') AS before \gset
SELECT is((SELECT count(*) FROM (SELECT h FROM fetched ORDER BY h OFFSET 0) AS s), 1500::bigint, 'long ones are sorted');
SELECT ok(coalesce(pg_temp.megabytes('VmHWM') - nullif(:'before', '')::numeric < 100, true), 'in little memory');

-- ---------- nothing ----------

CREATE TABLE sale (customer bigint, day date, amount numeric, shop text) WITH (parallel_workers = 2);
SELECT is(loyalty.customer_history(customer, day), NULL, 'no rows: NULL') FROM sale;
SELECT is(loyalty.customer_history(customer, day, amount), NULL, 'no rows with amounts: NULL') FROM sale;
SELECT is(loyalty.rollup(h), NULL, 'rollup of no rows: NULL') FROM (SELECT NULL::loyalty.customer_history AS h WHERE false) AS e;
SELECT is_empty('SELECT shop, loyalty.customer_history(customer, day) FROM sale GROUP BY shop', 'no rows, no groups');

INSERT INTO sale SELECT i % 50, date '2024-01-01' + i % 90, i, 'shop ' || i % 3 FROM generate_series(1, 5000) AS i;
ANALYZE sale;

CREATE FUNCTION pg_temp.plan_of(query text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	line text;
	plan text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) CREATE TABLE pg_temp.got AS ' || query LOOP
		plan := plan || line || E'\n';
	END LOOP;
	RETURN plan;
END
$$;

SAVEPOINT parallel;
SET LOCAL max_parallel_workers_per_gather = 2;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 1000;
SET LOCAL cpu_operator_cost = 100;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL parallel_leader_participation = off;
SELECT matches(pg_temp.plan_of('SELECT loyalty.customer_history(customer, day, amount) AS h, loyalty.customer_history(customer, day) AS n FROM sale WHERE amount * customer < 0'),
			   'Finalize Aggregate.*Workers Launched: 2.*Partial Aggregate', 'two workers find no rows');
SELECT is((SELECT row(h, n)::text FROM pg_temp.got), '(,)', 'two workers find no rows: NULL');
DROP TABLE pg_temp.got;
SELECT matches(pg_temp.plan_of('SELECT loyalty.customer_history(customer, day, amount) AS h FROM sale WHERE abs(amount - 7) < 0.5'),
			   'Finalize Aggregate.*Workers Launched: 2.*Partial Aggregate', 'one of two workers finds a row');
SELECT is((SELECT loyalty.revenue(h) FROM pg_temp.got), 7::numeric, 'one of two workers finds a row: its history');
DROP TABLE pg_temp.got;
SELECT matches(pg_temp.plan_of('SELECT loyalty.customer_history(customer, day) FILTER (WHERE amount < 0) AS h FROM sale'),
			   'Finalize Aggregate.*Workers Launched: 2.*Partial Aggregate', 'two workers filter out all rows');
SELECT is((SELECT h FROM pg_temp.got), NULL, 'two workers filter out all rows: NULL');
DROP TABLE pg_temp.got;
SELECT matches(pg_temp.plan_of('SELECT loyalty.customer_history(nullif(customer, customer), day) AS h FROM sale'),
			   'Finalize Aggregate.*Workers Launched: 2.*Partial Aggregate', 'two workers find only NULL');
SELECT is((SELECT h FROM pg_temp.got), NULL, 'two workers find only NULL: NULL');
DROP TABLE pg_temp.got;
-- a history is handed to the workers
SELECT matches(pg_temp.plan_of('SELECT count(*) FROM sale WHERE amount < loyalty.orders((SELECT loyalty.customer_history(customer, day) FROM sale WHERE customer < 20)) / 2'),
			   'Workers Launched: 2', 'workers are given a history');
SELECT is((SELECT count FROM pg_temp.got), 999::bigint, 'workers read the history they are given');
ROLLBACK TO parallel;

-- ---------- NULL ----------

SELECT is(loyalty.customer_history(c, d, a), NULL, 'only rows with a NULL customer or day: NULL')
FROM (VALUES (NULL::bigint, date '2024-01-01', 1.00), (1, NULL, 2), (NULL, NULL, NULL)) AS v(c, d, a);
SELECT is(loyalty.customer_history(c, d), NULL, 'the same of text') FROM (VALUES (NULL::text, date '2024-01-01'), ('a', NULL)) AS v(c, d);
SELECT is(loyalty.customer_history(c, d, a), NULL, 'what such a row holds besides is not read')
FROM (VALUES (NULL::uuid, date 'infinity', 'NaN'::numeric), (gen_random_uuid(), NULL, 'Infinity')) AS v(c, d, a);
SELECT is(pg_temp.bytes(loyalty.customer_history(c, d, a)), pg_temp.bytes(loyalty.customer_history(c, d, a) FILTER (WHERE c = 1 AND d IS NOT NULL)),
		  'rows with a NULL customer or day are ignored')
FROM (VALUES (NULL::bigint, date '2020-01-01', 5.55), (1, '2024-01-01', 1.0), (1, NULL, 3.333), (NULL, NULL, NULL), (1, '2024-01-02', NULL)) AS v(c, d, a);

CREATE TABLE unknown_amount AS
SELECT loyalty.customer_history(1, date '2024-01-01' + i, NULL::numeric) AS h, loyalty.customer_history(1, date '2024-01-01' + i) AS n
FROM generate_series(1, 3) AS i;
SELECT is(loyalty.orders(h), 3::bigint, 'an order of unknown amount is an order') FROM unknown_amount;
SELECT is(loyalty.revenue(h), NULL, 'without any amount revenue is NULL') FROM unknown_amount;
SELECT is(pg_temp.bytes(h), pg_temp.bytes(n), 'no known amount is the same as no amounts') FROM unknown_amount;
SELECT is(loyalty.revenue(loyalty.customer_history(c, '2024-01-01', a))::text, '0.00', 'a known amount of 0 is known')
FROM (VALUES (1, NULL), (2, 0.00)) AS v(c, a);
SELECT is(loyalty.revenue(n OPERATOR(loyalty.+) (SELECT loyalty.customer_history(7, date '2024-01-01', 1.5)))::text, '1.5',
		  'without amounts + with amounts') FROM unknown_amount;

CREATE TABLE one AS SELECT loyalty.customer_history(1, date '2024-01-01', 9.90) AS h;
SELECT is(h OPERATOR(loyalty.+) NULL, h, 'h + NULL') FROM one;
SELECT is(NULL OPERATOR(loyalty.+) h, h, 'NULL + h') FROM one;
SELECT is(NULL::loyalty.customer_history OPERATOR(loyalty.+) NULL, NULL, 'NULL + NULL');
SELECT is(loyalty.merge(h, NULL), h, 'merge(h, NULL)') FROM one;
SELECT is(loyalty.merge(NULL, h), h, 'merge(NULL, h)') FROM one;
SELECT is(loyalty.merge(NULL::customer_history, NULL), NULL, 'merge(NULL, NULL)');
SELECT is(loyalty.rollup(x), h, 'rollup passes over NULLs') FROM one, LATERAL (VALUES (NULL::loyalty.customer_history), (h), (NULL)) AS v(x) GROUP BY h;
SELECT is(loyalty.rollup(NULL::loyalty.customer_history), NULL, 'rollup of NULLs only: NULL') FROM generate_series(1, 3);
SELECT ok(loyalty.customers(NULL) IS NULL AND loyalty.orders(NULL) IS NULL AND loyalty.revenue(NULL) IS NULL
		  AND loyalty.first_day(NULL) IS NULL AND loyalty.last_day(NULL) IS NULL, 'accessors of NULL: NULL');

-- ---------- far from the group's first row ----------

-- customers, days and amounts around where a row takes more bytes in memory, in either direction, beside plain SQL
CREATE TABLE distant AS
SELECT g, 5000000000 + sign * (edge + around) AS customer, date '2024-01-01' + day_sign * (day_edge + day_around) AS day,
	   (ARRAY[NULL, 0, 655.35, 655.36, -1, 21474836.47, 21474836.48])[1 + (edge + around + day_edge + day_around + g) % 7] AS amount,
	   row_number() OVER () AS i
FROM unnest(ARRAY[0, 127, 128, 32767, 32768, 8388607, 8388608, 2147483647, 2147483648]) AS edge, unnest(ARRAY[0, 1, 2]) AS around, unnest(ARRAY[-1, 1]) AS sign,
	 unnest(ARRAY[0, 63, 4095, 16383]) AS day_edge, unnest(ARRAY[0, 1]) AS day_around, unnest(ARRAY[-1, 1]) AS day_sign, generate_series(0, 3) AS g;
CREATE FUNCTION pg_temp.events_of(h loyalty.customer_history) RETURNS text
LANGUAGE sql AS $$ SELECT string_agg(e::text, ' ') FROM loyalty.events_as(NULL::bigint, h) AS e $$;
SELECT is(pg_temp.events_of(h), wanted, 'rows far from the first one, beginning with row ' || first || ' of group ' || n)
FROM unnest(ARRAY[1, 500]) AS first, generate_series(0, 3) AS n,
	 LATERAL (SELECT loyalty.customer_history(customer, day, amount ORDER BY i < first, i) AS h FROM distant WHERE g = n) AS h,
	 LATERAL (SELECT string_agg(format('(%s,%s,%s,%s,%s)', customer, day, orders, valued, total), ' ' ORDER BY customer, day) AS wanted
			  FROM (SELECT customer, day, count(*) FILTER (WHERE amount IS NULL OR amount >= 0) AS orders, count(*) FILTER (WHERE amount >= 0) AS valued, sum(amount)::numeric(20, 2) AS total
					FROM distant WHERE g = n GROUP BY customer, day) AS t) AS w;
SELECT is(pg_temp.events_of(h), wanted, 'the same without amounts')
FROM (SELECT loyalty.customer_history(customer, day) AS h FROM distant WHERE g = 1) AS h,
	 (SELECT string_agg(format('(%s,%s,%s,%s,)', customer, day, orders, 0), ' ' ORDER BY customer, day) AS wanted
	  FROM (SELECT customer, day, count(*) AS orders FROM distant WHERE g = 1 GROUP BY customer, day) AS t) AS w;

-- ---------- orders and refunds ----------

CREATE TABLE refund AS
SELECT loyalty.customer_history(c, d, a) AS h
FROM (VALUES (1, date '2024-03-05', 20.00), (1, '2024-03-05', 5.00), (1, '2024-03-05', -3.00),	-- with orders
			 (1, '2024-03-04', -100.00),	-- before the first purchase
			 (1, '2024-06-01', -1.50),
			 (2, '2024-01-31', -7.00),		-- a customer who never bought
			 (3, '2024-03-09', 0.00), (3, '2024-03-09', -0.00)) AS v(c, d, a);
SELECT is(loyalty.customers(h), 2::bigint, 'who only returns things is no customer') FROM refund;
SELECT is(loyalty.orders(h), 4::bigint, 'a refund is no order, an order for nothing is') FROM refund;
SELECT is(loyalty.revenue(h)::text, '-86.50', 'refunds are deducted') FROM refund;
SELECT is(loyalty.first_day(h), date '2024-01-31', 'the first day may be a refund''s') FROM refund;
SELECT is(loyalty.last_day(h), date '2024-06-01', 'so may the last') FROM refund;
SELECT is((SELECT row(loyalty.customers(h), loyalty.orders(h), loyalty.revenue(h), loyalty.first_day(h), loyalty.last_day(h))::text
		   FROM (SELECT loyalty.customer_history(5, date '2024-05-05', -5.0) AS h) AS r),
		  '(0,0,-5.0,2024-05-05,2024-05-05)', 'nothing but a refund');
SELECT is((SELECT pg_temp.bytes(loyalty.customer_history(1, date '2024-01-01', a)) FROM (VALUES (10), (-3)) AS v(a)),
		  (SELECT pg_temp.bytes(loyalty.customer_history(1, date '2024-01-01', 7))),
		  'a day is its orders and its money, however they came about');
SELECT isnt((SELECT pg_temp.bytes(loyalty.customer_history(1, date '2024-01-01', a)) FROM (VALUES (10), (-10)) AS v(a)),
			(SELECT pg_temp.bytes(loyalty.customer_history(1, date '2024-01-01', a)) FROM (VALUES (-10), (NULL), (10)) AS v(a)),
			'an order of unknown amount tells two days apart');

-- ---------- amounts ----------

SELECT is(loyalty.revenue(loyalty.customer_history(1, '2024-01-01', a))::text, sum(a)::text, format('%s amounts sum to %s', what, sum(a)))
FROM (VALUES ('whole', '{1,2,3}'::numeric[]), ('mixed', '{1,2.5,3.125,-0.0001}'), ('tiny', '{0.00000000000000000001,1}'),
			 ('20 decimals', '{1.00000000000000000000,-0.00000000000000000001}'),
			 ('trailing zeros', '{5.000,1.0}'), ('small', '{0.01,0.01,-0.02}'),
			 ('2^31', '{2147483647,1,-2147483648,-1}'), ('2^31 in cents', '{21474836.47,0.01,-21474836.48}'),
			 ('2^63', '{9223372036854775807,1,9223372036854775807}'), ('2^63 below', '{-9223372036854775808,-1}'),
			 ('10^18 in 16 decimals', '{1000000000000000000.0000000000000001}'),
			 ('all but too wide', '{170141183460469231731687303715884105727}'), ('all but too wide below', '{-170141183460469231731687303715884105727}'),
			 ('all but too wide, 20 decimals', '{1701411834604692317.31687303715884105727}'),
			 ('division', ARRAY[100.00 / 1.2, 1 / 3.0]),
			 ('format borders', '{65279,65280,65281,16776703,16776704,16777215,16777216,16777217,16711679,16711680}'),
			 ('format borders below', '{-65279,-65280,-65281,-16776703,-16776704,-16777215,-16777216}')) AS s(what, amounts), unnest(amounts) AS a
GROUP BY what ORDER BY what;

SELECT throws_ok(format('SELECT loyalty.customer_history(1, date ''2024-01-01'', %L::numeric)', a), '22003', message, a || ' is refused')
FROM (VALUES ('NaN', 'amount must be a finite number, not NaN'),
			 ('Infinity', 'amount must be a finite number, not infinity'),
			 ('-Infinity', 'amount must be a finite number, not -infinity'),
			 ('0.000000000000000000001', 'amount has 21 decimals'),
			 ('170141183460469231731687303715884105728', 'amount is out of range'),
			 ('-170141183460469231731687303715884105728', 'amount is out of range'),
			 ('1701411834604692317316873037158841057.28', 'amount is out of range'),
			 ('1e1000', 'amount is out of range'), ('-1e131071', 'amount is out of range')) AS v(a, message);
SELECT is(pg_temp.error_of('SELECT loyalty.customer_history(1, date ''2024-01-01'', 1.0000000000000000000000)'),
		  '22003 amount has 22 decimals | Amounts may have up to 20 decimals. | Round it, for example round(amount, 2).',
		  'too many decimals: what is allowed and what to do');
SELECT is(pg_temp.error_of($$ SELECT loyalty.customer_history(1, date '2024-01-01', a) FROM (VALUES (1.6e38), (-1.6e38), (0.5)) AS v(a) $$),
		  '22003 amounts of a customer_history are out of range | All amounts share the largest number of decimals among them, and their sum must stay below 1.7e38 in units of the last decimal. | Round the amounts first, for example round(amount, 2).',
		  'more decimals than the widest amount has room for');
SELECT throws_ok($$ SELECT loyalty.customer_history(c, date '2024-01-01', 1e38) FROM generate_series(1, 2) AS c $$, '22003',
				 'amounts of a customer_history are out of range', 'money of all customers overflows');
SELECT throws_ok($$ SELECT loyalty.customer_history(1, date '2024-01-01', -1e38) FROM generate_series(1, 2) AS c $$, '22003',
				 'amounts of a customer_history are out of range', 'money of a day overflows');
SELECT throws_ok($$ SELECT loyalty.merge(h, h) FROM (SELECT loyalty.customer_history(1, date '2024-01-01', 1e38) AS h) AS x $$, '22003',
				 'amounts of a customer_history are out of range', 'money overflows in a merge');
-- doubled again and again, money and orders end in an error and are right until then
CREATE FUNCTION pg_temp.doubled(h loyalty.customer_history, times int) RETURNS loyalty.customer_history
LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. times LOOP
		h := h OPERATOR(loyalty.+) h;
	END LOOP;
	RETURN h;
END
$$;
SELECT is(loyalty.orders(pg_temp.doubled(loyalty.customer_history(1, '2024-01-01'), 62)), 4611686018427387904, '2^62 orders');
SELECT is(loyalty.revenue(pg_temp.doubled(loyalty.customer_history(1, '2024-01-01', 1.00), 62))::text, '4611686018427387904.00', 'and the money of 2^62 orders');
SELECT throws_ok($$ SELECT pg_temp.doubled(loyalty.customer_history(1, '2024-01-01'), 63) $$, '22003',
				 'a customer_history cannot count more than 9223372036854775807 orders', '2^63 orders are refused');
SELECT throws_ok($$ SELECT loyalty.merge(pg_temp.doubled(loyalty.customer_history(1, '2024-01-01'), 62), pg_temp.doubled(loyalty.customer_history(2, '2024-01-01'), 62)) $$,
				 '22003', 'a customer_history cannot count more than 9223372036854775807 orders', '2^63 orders of two customers are refused');
SELECT is(h::text::loyalty.customer_history, h, '2^62 orders through text')
FROM pg_temp.doubled((SELECT loyalty.customer_history(1, '2024-01-01', 3.33)), 62) AS h;
SELECT throws_ok($$ SELECT pg_temp.doubled(loyalty.customer_history(1, '2024-01-01', -1e30), 40) $$, '22003', 'amounts of a customer_history are out of range', 'refunds overflow, too');

-- around 524,288 rows, of few customers and days, what there is becomes a value, and amounts begin anew: with the last row, or with one of other decimals after it
SELECT is(revenue(h), n - 0.25, n || ' orders, the last of other decimals') FROM generate_series(524287, 524291) AS n, LATERAL (SELECT customer_history(i % 10, '2024-01-01', CASE i WHEN n THEN 0.75 ELSE 1.0 END) AS h FROM generate_series(1::bigint, n) AS i) AS s;
SELECT is(revenue(h), n - 0.5, n || ' orders, the last of fewer decimals') FROM generate_series(524287, 524291) AS n, LATERAL (SELECT customer_history(i % 10, '2024-01-01', CASE i WHEN n THEN 0.5 ELSE 1.00 END) AS h FROM generate_series(1::bigint, n) AS i) AS s;
SELECT is(revenue(h), n::numeric, n || ' orders of one amount') FROM generate_series(524287, 524291) AS n, LATERAL (SELECT customer_history(i % 10, '2024-01-01', 1.00) AS h FROM generate_series(1::bigint, n) AS i) AS s;

-- ---------- days ----------

SELECT throws_ok(format('SELECT loyalty.customer_history(1, date %L)', d), '22008', format('day must be a finite date, not %s', d), d || ' is refused')
FROM unnest('{infinity,-infinity}'::text[]) AS d;
SELECT is(loyalty.first_day(h), d::date, d || ' is a day: first')
	|| E'\n' || is(loyalty.last_day(h), d::date, d || ' is a day: last')
	|| E'\n' || is(h::text::loyalty.customer_history, h, d || ' is a day: text')
FROM unnest('{4714-11-24 BC,4713-01-01 BC,0001-12-31 BC,0001-01-01,1582-10-15,1969-12-31,1999-12-31,2000-01-01,2024-02-29,9999-12-31,5874897-12-31}'::text[]) AS d,
	 LATERAL (SELECT loyalty.customer_history(c, d::date, 1.5) AS h FROM (VALUES (1)) AS v(c)) AS x;
SELECT is(row(loyalty.first_day(h), loyalty.last_day(h), loyalty.orders(h), h::text::loyalty.customer_history OPERATOR(loyalty.=) h)::text,
		  '("4714-11-24 BC",5874897-12-31,4,t)', 'from the first day to the last')
FROM (SELECT loyalty.customer_history(c, d) AS h
	  FROM (VALUES (1, date '5874897-12-31'), (1, '4714-11-24 BC'), (2, '2024-01-01'), (-5, '5874897-12-31')) AS v(c, d)) AS x;
-- gaps around those at which the stored form changes
SELECT ok(bool_and(h::text::loyalty.customer_history OPERATOR(loyalty.=) h AND loyalty.last_day(h) = date '4714-11-24 BC' + gap), 'gaps of every size')
FROM unnest('{0,1,239,240,241,242,495,496,3567,3568,3569,3570,69103,69104,69105,69106,2147483492}'::int[]) AS gap,
	 LATERAL (SELECT loyalty.customer_history(1, d, a) AS h FROM (VALUES (date '4714-11-24 BC', 1), ('4714-11-24 BC', -2), (date '4714-11-24 BC' + gap, 3)) AS v(d, a)) AS x;

-- ---------- forms of an event ----------

-- A day of each customer is one of every number of orders, amount and gap around which the stored form changes, between two
-- days that are plain: read event by event, and by the reports that read the common forms in line.
CREATE TABLE form_row AS
SELECT c, d AS day, CASE WHEN d <> form.day THEN 1.23 WHEN i = 1 THEN amount / 100.00 WHEN i <= orders - unknown THEN 0 END::numeric(20, 2) AS amount
FROM (SELECT row_number() OVER ()::int AS c, orders, unknown, amount, date '2020-01-01' + gap + 1 AS day
	  FROM unnest('{1,2,63,64,65,127,128,129}'::int[]) AS orders, unnest('{0,1}'::int[]) AS unknown, unnest('{0,239,240,3567,3568}'::int[]) AS gap,
		   unnest('{-1,0,65279,65280,65281,16776959,16776960,16776961,3000000000}'::bigint[]) AS amount) AS form,
	 LATERAL unnest(ARRAY['2020-01-01', form.day, form.day + 7]) AS d,
	 LATERAL generate_series(1, CASE WHEN d = form.day THEN orders ELSE 1 END) AS i;
CREATE TABLE form_history AS SELECT customer_history(c, day, amount) AS h, customer_history(c, day) AS counts FROM form_row;
CREATE VIEW form_day AS
SELECT c, day, count(*) FILTER (WHERE amount IS NULL OR amount >= 0) AS orders, count(*) FILTER (WHERE amount >= 0) AS valued_orders, sum(amount) AS amount
FROM form_row GROUP BY c, day;
SELECT is((SELECT count(*) FROM form_history, events_as(null::int, h) AS e
		   JOIN form_day AS d ON (d.c, d.day, d.orders, d.valued_orders) = (e.customer, e.day, e.orders, e.valued_orders) AND d.amount IS NOT DISTINCT FROM e.amount),
		  (SELECT count(*) FROM form_day), 'event by event')
	|| E'\n' || is((SELECT count(*) FROM form_history, events_as(null::int, counts) AS e
					JOIN (SELECT c, day, count(*) AS orders FROM form_row GROUP BY c, day) AS d ON (d.c, d.day, d.orders) = (e.customer, e.day, e.orders)),
				   (SELECT count(*) FROM form_day), 'event by event, without amounts');
SELECT is(found, wanted, format('%s up to %s', name, as_of))
FROM unnest('{2020-01-08,2020-08-30,2029-10-07,2029-10-08,2029-12-31}'::date[]) AS as_of,
	 LATERAL (SELECT jsonb_object_agg(month, (revenue, orders)) AS rows, jsonb_object_agg(month, revenue) AS revenues
			  FROM (SELECT date_trunc('month', day)::date AS month, sum(amount) AS revenue, sum(orders) AS orders
					FROM form_day WHERE day <= as_of GROUP BY month) AS m) AS by_month,
	 LATERAL (VALUES
		('purchases', rows, (SELECT jsonb_object_agg(period_start, (revenue, orders)) FROM form_history, purchases(h, as_of => as_of) WHERE orders > 0)),
		('purchases without amounts', (SELECT jsonb_object_agg(month, orders) FROM (SELECT date_trunc('month', day)::date AS month, count(*) AS orders FROM form_row WHERE day <= as_of GROUP BY month) AS m),
		 (SELECT jsonb_object_agg(period_start, orders) FROM form_history, purchases(counts, as_of => as_of) WHERE orders > 0)),
		('growth', revenues, (SELECT jsonb_object_agg(period_start, revenue) FROM form_history, growth(h, as_of => as_of) WHERE revenue <> 0)),
		('retention', revenues, (SELECT jsonb_object_agg(period_start, revenue) FROM form_history, retention(h, as_of => as_of) WHERE revenue <> 0)),
		('streak', revenues, (SELECT jsonb_object_agg(period_start, revenue) FROM form_history, retention(h, kind => 'streak', as_of => as_of) WHERE revenue <> 0))
	 ) AS report(name, wanted, found);

-- ---------- customers ----------

CREATE TABLE key AS
SELECT k FROM unnest(ARRAY['', ' ', 'a', 'A', 'a ', 'ä', convert_from('\x61cc88', getdatabaseencoding()), 'aa', 'ab', repeat('x', 10000), repeat('x', 9999) || 'y', repeat('x', 10001),
						   repeat('x', 999999) || '1', repeat('x', 999999) || '2', E'tab\t', E'line\n', 'z', '0', '00', '日本', '🙂', convert_from('\xf48fbfbf', getdatabaseencoding()), E'\x01']) AS k;
SELECT is(loyalty.customers(h), (SELECT count(*) FROM key), 'keys are told apart by their bytes')
	|| E'\n' || is(loyalty.orders(h), 2 * (SELECT count(*) FROM key), 'and found again')
	|| E'\n' || is(h::text::loyalty.customer_history, h, 'and pass through text')
FROM (SELECT loyalty.customer_history(k, date '2024-01-01' + i) AS h FROM (SELECT k, i FROM key, generate_series(1, 2) AS i ORDER BY random()) AS r) AS x;
SELECT is(loyalty.customers(h), 4::bigint, 'the least and greatest bigint')
	|| E'\n' || is(h::text::loyalty.customer_history, h, 'pass through text')
FROM (SELECT loyalty.customer_history(k, '2024-01-01') AS h FROM unnest('{9223372036854775807,-9223372036854775808,0,-1}'::bigint[]) AS k) AS x;
SELECT is(loyalty.customers(h), 4::bigint, 'the least and greatest uuid')
	|| E'\n' || is(h::text::loyalty.customer_history, h, 'pass through text')
FROM (SELECT loyalty.customer_history(k, '2024-01-01') AS h
	  FROM unnest('{00000000-0000-0000-0000-000000000000,ffffffff-ffff-ffff-ffff-ffffffffffff,00000000-0000-0000-0000-000000000001,fffffffe-ffff-ffff-ffff-ffffffffffff}'::uuid[]) AS k) AS x;
SELECT is(loyalty.customers(h), 1::bigint, 'one customer, one day') || E'\n' || is(loyalty.orders(h), 100000::bigint, 'one customer, one day: many orders')
FROM (SELECT loyalty.customer_history('only', date '2024-01-01', 0.01) AS h FROM generate_series(1, 100000)) AS x;

-- ---------- two types of customers ----------

CREATE TABLE typed (type text, h loyalty.customer_history, large loyalty.customer_history);
INSERT INTO typed SELECT 'bigint', loyalty.customer_history(1, '2024-01-01'), (SELECT loyalty.customer_history(i * 1000000007::bigint, '2024-01-01', i) FROM generate_series(1, 20000) AS i);
INSERT INTO typed SELECT 'text', loyalty.customer_history('1', '2024-01-01'), (SELECT loyalty.customer_history(md5(i::text), '2024-01-01', i) FROM generate_series(1, 3000) AS i);
INSERT INTO typed SELECT 'uuid', loyalty.customer_history(md5('1')::uuid, '2024-01-01'), (SELECT loyalty.customer_history(md5(i::text)::uuid, '2024-01-01', i) FROM generate_series(1, 5000) AS i);
SELECT cmp_ok(min(length(pg_temp.bytes(large)) / 2), '>', 65536, 'the large ones are merged as a whole') FROM typed;
SELECT throws_ok(format(query, a.type, b.type), '42804',
				 format('cannot merge a customer_history of %s customers with one of %s customers', a.type, b.type),
				 format('%s with %s: %s', a.type, b.type, query))
FROM typed AS a JOIN typed AS b ON a.type <> b.type, (VALUES
	('SELECT a.h OPERATOR(loyalty.+) b.h FROM typed AS a, typed AS b WHERE a.type = %L AND b.type = %L'),
	('SELECT loyalty.merge(a.large, b.h) FROM typed AS a, typed AS b WHERE a.type = %L AND b.type = %L'),
	('SELECT loyalty.rollup(h ORDER BY type = %L DESC) FROM typed WHERE type IN (%1$L, %L)'),
	('SELECT loyalty.rollup(large ORDER BY type = %L DESC) FROM typed WHERE type IN (%1$L, %L)'),
	('SELECT loyalty.rollup(CASE WHEN type = %L THEN h ELSE large END ORDER BY type = %1$L DESC) FROM typed WHERE type IN (%1$L, %L)'),
	('SELECT loyalty.rollup(CASE WHEN type = %L THEN large ELSE h END ORDER BY type = %1$L DESC) FROM typed WHERE type IN (%1$L, %L)')) AS q(query);
SELECT is(pg_temp.error_of('SELECT loyalty.merge(a.h, b.h) FROM typed AS a, typed AS b WHERE a.type = ''uuid'' AND b.type = ''text'''),
		  '42804 cannot merge a customer_history of uuid customers with one of text customers | Build both from the same type of customer key, for example customer_id::text.',
		  'and what to do');

-- ---------- arguments of nearly the right type ----------

CREATE FUNCTION pg_temp.type_of(h loyalty.customer_history) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	t text;
BEGIN
	FOR t IN SELECT type FROM typed LOOP
		BEGIN
			PERFORM loyalty.merge(type_of.h, typed.h) FROM typed WHERE type = t;
			RETURN t;
		EXCEPTION WHEN datatype_mismatch THEN
		END;
	END LOOP;
END
$$;
CREATE DOMAIN customer_number AS integer CHECK (value > 0);
CREATE DOMAIN customer_name AS varchar(20);
CREATE FUNCTION pg_temp.built(arguments text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	h loyalty.customer_history;
BEGIN
	EXECUTE format('SELECT loyalty.customer_history(%s)', arguments) INTO h;
	RETURN pg_temp.type_of(h) || coalesce(' ' || loyalty.revenue(h), '');
END
$$;
SELECT is(pg_temp.built(arguments), wanted, arguments)
FROM (VALUES ($$1, '2024-01-01'$$, 'bigint'), ($$1::smallint, '2024-01-01'::date$$, 'bigint'), ($$1::bigint, '2024-01-01', 5$$, 'bigint 5'),
			 ($$1, '2024-01-01', 5::smallint$$, 'bigint 5'), ($$1, '2024-01-01', 5::bigint$$, 'bigint 5'), ($$1, '2024-01-01', '5.50'$$, 'bigint 5.50'),
			 ($$1, '2024-01-01', NULL$$, 'bigint'),
			 ($$'a', '2024-01-01'$$, 'text'), ($$'a', '2024-01-01', 5$$, 'text 5'), ($$'a', '2024-01-01', '5.5'$$, 'text 5.5'),
			 ($$'1', '2024-01-01', NULL$$, 'text'), ($$'a'::varchar, '2024-01-01'$$, 'text'), ($$'a'::varchar(3), '2024-01-01', 5::numeric(10,2)$$, 'text 5.00'),
			 ($$'a'::char(3), '2024-01-01'$$, 'text'), ($$'a'::name, '2024-01-01'$$, 'text'),
			 ($$7::customer_number, '2024-01-01', 1$$, 'bigint 1'), ($$'ann'::customer_name, '2024-01-01', 1$$, 'text 1'),
			 ($$'7f000000-0000-0000-0000-000000000000'::uuid, '2024-01-01', 2.5$$, 'uuid 2.5'),
			 ($$1, current_date, 2$$, 'bigint 2')) AS v(arguments, wanted);
SELECT throws_ok(format('SELECT loyalty.customer_history(%s)', arguments), '42883', NULL, arguments || ': an error, not a silent cast')
FROM unnest(ARRAY[$$1, now()$$, $$1, localtimestamp$$, $$1, '2024-01-01'::timestamp, 5$$, $$1, timestamptz '2024-01-01', 5$$,
				  $$1, '2024-01-01', 5::double precision$$, $$1, '2024-01-01', 5::real$$, $$1, '2024-01-01', '5'::money$$,
				  $$1.5, '2024-01-01'$$, $$1::double precision, '2024-01-01'$$, $$true, '2024-01-01'$$, $$1, 20240101$$, $$'a'::bytea, '2024-01-01'$$]) AS arguments;

PREPARE two AS SELECT loyalty.customer_history($1, $2);
PREPARE three AS SELECT loyalty.customer_history($1, $2, $3);
PREPARE number AS SELECT loyalty.customer_history($1::bigint, $2, $3);
SELECT is(parameter_types::text, wanted, format('parameters without a type: %s', name))
FROM pg_prepared_statements JOIN (VALUES ('two', '{text,date}'), ('three', '{text,date,numeric}'), ('number', '{bigint,date,numeric}')) AS v(n, wanted) ON name = n
ORDER BY name;
CREATE TABLE prepared AS EXECUTE three('a', '2024-01-01', 2.50);
SELECT is(loyalty.revenue(customer_history)::text, '2.50', 'and they work') FROM prepared;
DEALLOCATE ALL;

-- ---------- not as aggregates ----------

SELECT is(split_part(pg_temp.error_of(format('SELECT loyalty.%s', call)), ' | ', 1),
		  format('0A000 function %s can only be called as part of an aggregate', split_part(call, '(', 1)), call)
FROM unnest(ARRAY[$$customer_history_transition(NULL, 1::bigint, '2024-01-01'::date)$$, $$customer_history_transition(NULL, 1::bigint, '2024-01-01'::date, 1)$$,
				  $$customer_history_transition((SELECT h FROM one), 'a'::text, '2024-01-01'::date)$$, $$customer_history_transition(NULL, NULL::uuid, NULL::date, NULL)$$,
				  $$customer_history_combine(NULL, NULL)$$, $$customer_history_combine((SELECT h FROM one), (SELECT h FROM one))$$,
				  $$customer_history_final(NULL)$$, $$customer_history_final((SELECT h FROM one))$$]) AS call;

-- ---------- inside the aggregate ----------

SELECT is(row(loyalty.orders(loyalty.customer_history(customer, day, amount)), loyalty.revenue(loyalty.customer_history(customer, day, amount)))::text,
		  row(count(*), sum(amount))::text, 'one state for two aggregates') FROM sale;
SELECT ok(a OPERATOR(loyalty.=) b AND c OPERATOR(loyalty.<>) a AND loyalty.revenue(d) = 25000 AND loyalty.revenue(c) IS NULL, 'several states beside each other')
FROM (SELECT loyalty.customer_history(customer, day, amount) AS a, loyalty.customer_history(customer, day, amount) AS b,
			 loyalty.customer_history(customer, day) AS c, loyalty.customer_history(shop, day, 5) AS d FROM sale) AS s;
SELECT is(loyalty.orders(loyalty.customer_history(customer, day) FILTER (WHERE shop = 'shop 1')), count(*) FILTER (WHERE shop = 'shop 1'), 'FILTER') FROM sale;
SELECT is(loyalty.orders(loyalty.customer_history(DISTINCT customer, day)), count(DISTINCT (customer, day)), 'DISTINCT') FROM sale;
SELECT is(loyalty.orders(loyalty.customer_history(DISTINCT customer::text, day, 1)), count(DISTINCT (customer, day)), 'DISTINCT of text') FROM sale;
SELECT is(pg_temp.bytes(loyalty.customer_history(customer::text, day, amount ORDER BY amount DESC, customer)), pg_temp.bytes(loyalty.customer_history(customer::text, day, amount)), 'ORDER BY') FROM sale;
SELECT is_empty($$ SELECT c, loyalty.orders(h), n FROM (SELECT customer % 7 AS c, shop, loyalty.customer_history(customer::text, day) AS h, count(*) AS n
					FROM sale GROUP BY GROUPING SETS ((customer % 7), (shop), (customer % 7, shop), ())) AS g WHERE loyalty.orders(h) <> n $$, 'GROUPING SETS');
SELECT is_empty($$ SELECT n, h FROM (SELECT count(*) OVER w AS n, loyalty.customer_history(customer, day, amount) OVER w AS h FROM sale WHERE amount <= 1000
					WINDOW w AS (PARTITION BY customer % 3 ORDER BY amount ROWS BETWEEN 20 PRECEDING AND 3 FOLLOWING EXCLUDE CURRENT ROW)) AS w
				   WHERE n <> coalesce(loyalty.orders(h), 0) $$, 'a window that moves');
SELECT is((SELECT array_agg(loyalty.orders(h) ORDER BY i) FROM (SELECT i, loyalty.customer_history('c' || i % 3, '2024-01-01') OVER (ORDER BY i) AS h FROM generate_series(1, 1500) AS i) AS w),
		  (SELECT array_agg(i) FROM generate_series(1, 1500::bigint) AS i), 'a window that grows, beyond the small state');
SELECT is((SELECT sum(loyalty.orders((SELECT loyalty.customer_history(s.customer, day) FROM sale AS s WHERE s.customer = o.customer))) FROM (SELECT DISTINCT customer FROM sale) AS o),
		  5000::numeric, 'in a correlated subquery');

-- ---------- compared, grouped, indexed ----------

CREATE TABLE compared (id serial, h loyalty.customer_history);
INSERT INTO compared (h)
SELECT loyalty.customer_history(CASE WHEN i % 4 = 0 THEN -c ELSE c END, date '2024-01-01' + (c * i / 2 % 5)::int, CASE WHEN i % 3 = 0 THEN 1.0 END)
FROM generate_series(1, 60::bigint) AS i, generate_series(1, 1 + i / 3) AS c GROUP BY i;
INSERT INTO compared (h) SELECT h FROM compared UNION ALL SELECT loyalty.customer_history('text', '2024-01-01') UNION ALL SELECT NULL UNION ALL SELECT NULL;
SELECT is((SELECT count(*) FROM (SELECT DISTINCT h FROM compared) AS d), (SELECT count(DISTINCT coalesce(pg_temp.bytes(h), 'NULL')) FROM compared), 'DISTINCT');
SELECT is((SELECT count(DISTINCT h) FROM compared), (SELECT count(DISTINCT pg_temp.bytes(h)) FROM compared), 'count(DISTINCT h)');
SELECT results_eq('SELECT count(*) FROM compared GROUP BY h ORDER BY h', 'SELECT count(*) FROM compared GROUP BY pg_temp.bytes(h) ORDER BY pg_temp.bytes(h) COLLATE "C"', 'GROUP BY and ORDER BY');
SET LOCAL enable_sort = off;
SELECT is((SELECT count(*) FROM (SELECT h FROM compared GROUP BY h) AS g), (SELECT count(DISTINCT coalesce(pg_temp.bytes(h), 'NULL')) FROM compared), 'GROUP BY, hashed');
RESET enable_sort;
SELECT is((SELECT count(*) FROM (SELECT h FROM compared UNION SELECT h FROM compared) AS u), (SELECT count(*) FROM (SELECT DISTINCT h FROM compared) AS d), 'UNION');
SELECT is_empty('SELECT h FROM compared EXCEPT SELECT h FROM compared', 'EXCEPT');
SELECT is((SELECT count(*) FROM compared AS a JOIN compared AS b ON a.h OPERATOR(loyalty.=) b.h), (SELECT sum(n * n) FROM (SELECT count(*) AS n FROM compared WHERE h IS NOT NULL GROUP BY pg_temp.bytes(h)) AS c)::bigint, 'a hash join');
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_nestloop = off;
SELECT is((SELECT count(*) FROM compared AS a JOIN compared AS b ON a.h OPERATOR(loyalty.=) b.h), (SELECT sum(n * n) FROM (SELECT count(*) AS n FROM compared WHERE h IS NOT NULL GROUP BY pg_temp.bytes(h)) AS c)::bigint, 'a merge join');
RESET enable_hashjoin;
RESET enable_nestloop;
SELECT is_empty($$
	SELECT a.id, b.id FROM compared AS a, compared AS b, LATERAL (SELECT loyalty.customer_history_cmp(a.h, b.h) AS cmp) AS c
	WHERE (a.h OPERATOR(loyalty.<) b.h, a.h OPERATOR(loyalty.<=) b.h, a.h OPERATOR(loyalty.=) b.h, a.h OPERATOR(loyalty.>=) b.h, a.h OPERATOR(loyalty.>) b.h, a.h OPERATOR(loyalty.<>) b.h)
		  IS DISTINCT FROM (cmp < 0, cmp <= 0, cmp = 0, cmp >= 0, cmp > 0, cmp <> 0)
	   OR cmp <> -loyalty.customer_history_cmp(b.h, a.h)
	   OR (cmp = 0) <> (pg_temp.bytes(a.h) = pg_temp.bytes(b.h))
	   OR cmp = 0 AND (loyalty.customer_history_hash(a.h) <> loyalty.customer_history_hash(b.h)
					   OR loyalty.customer_history_hash_extended(a.h, 42) <> loyalty.customer_history_hash_extended(b.h, 42)) $$,
				'operators, comparison and hash agree');
CREATE UNIQUE INDEX ON compared (h) WHERE id <= 60;
SELECT throws_ok('INSERT INTO compared VALUES (1, (SELECT h FROM compared WHERE id = 7))', '23505', NULL, 'a unique index');
CREATE INDEX compared_hash ON compared USING hash (h);
SET LOCAL enable_seqscan = off;
SELECT is((SELECT count(*) FROM compared WHERE h OPERATOR(loyalty.=) (SELECT h FROM compared WHERE id = 9)), 2::bigint, 'a hash index');
RESET enable_seqscan;
CREATE TABLE hashed (h loyalty.customer_history) PARTITION BY HASH (h);
CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO hashed SELECT h FROM compared;
SELECT ok((SELECT count(*) FROM hashed_0) > 10 AND (SELECT count(*) FROM hashed_1) > 10, 'hash partitions');

-- ---------- stored ----------

CREATE TABLE stored (id int PRIMARY KEY, h loyalty.customer_history, r numeric);
SELECT is((SELECT attstorage::text FROM pg_attribute WHERE attrelid = 'stored'::regclass AND attname = 'h'), 'e', 'stored outside the row, uncompressed');
INSERT INTO stored
SELECT n, h, loyalty.revenue(h)
FROM (SELECT n, loyalty.customer_history('customer ' || i % (1 + n), date '2020-01-01' + i % 1000, i / 4.0) AS h
	  FROM generate_series(0, 12) AS e, LATERAL (SELECT 1 << e AS n) AS s, LATERAL generate_series(1, 1 << e) AS i GROUP BY n) AS x;
SELECT is((SELECT count(*) FROM stored WHERE loyalty.revenue(h) IS DISTINCT FROM r OR loyalty.orders(h) <> id
		   OR loyalty.customers(h) <> (SELECT count(DISTINCT i % (1 + id)) FROM generate_series(1, id) AS i)
		   OR loyalty.last_day(h) <> date '2020-01-01' + CASE WHEN id >= 1000 THEN 999 ELSE id END
		   OR h::text::loyalty.customer_history OPERATOR(loyalty.<>) h), 0::bigint, 'stored values of all sizes are read');
SELECT cmp_ok((SELECT count(*) FROM stored WHERE pg_column_size(h) > 2000), '>', 3::bigint, 'some of them outside their row');
CREATE TABLE squeezed (LIKE stored INCLUDING ALL);
ALTER TABLE squeezed ALTER h SET STORAGE extended;
INSERT INTO squeezed SELECT id, loyalty.merge(h, NULL), r FROM (SELECT id, loyalty.rollup(h) AS h, r FROM stored GROUP BY id) AS x;
SELECT cmp_ok((SELECT count(*) FROM squeezed WHERE pg_column_compression(h) IS NOT NULL), '>', 2::bigint, 'compressed all the same');
SELECT is((SELECT count(*) FROM squeezed AS a JOIN stored AS b USING (id) WHERE a.h OPERATOR(loyalty.=) b.h AND loyalty.revenue(a.h) = b.r AND loyalty.orders(a.h) = id
		   AND loyalty.first_day(a.h) = loyalty.first_day(b.h)), 13::bigint, 'compressed ones are read');
SELECT is((SELECT pg_temp.bytes(loyalty.rollup(h)) FROM squeezed), (SELECT pg_temp.bytes(loyalty.rollup(h)) FROM stored), 'rollup of stored values');
SELECT is((SELECT loyalty.orders(loyalty.rollup(h)) FROM stored), 8191::bigint, 'rollup of stored values: its orders');
SELECT is((SELECT array_agg(pg_temp.bytes(h) ORDER BY n) FROM unnest((SELECT array_agg(h ORDER BY id) FROM stored)) WITH ORDINALITY AS u(h, n)),
		  (SELECT array_agg(pg_temp.bytes(h) ORDER BY id) FROM stored), 'in an array');
SELECT is((SELECT pg_temp.bytes((r).h) FROM (SELECT row(s.*)::stored AS r FROM stored AS s WHERE id = 64) AS x), (SELECT pg_temp.bytes(h) FROM stored WHERE id = 64), 'in a row');
CREATE MATERIALIZED VIEW view AS SELECT shop, loyalty.customer_history(customer, day, amount) AS h FROM sale GROUP BY shop;
SELECT is((SELECT loyalty.revenue(loyalty.rollup(h)) FROM view), (SELECT sum(amount) FROM sale), 'a materialized view');
INSERT INTO sale VALUES (1, '2024-12-24', 0.99, 'shop 1');
REFRESH MATERIALIZED VIEW view;
SELECT is((SELECT loyalty.revenue(loyalty.rollup(h)) FROM view), (SELECT sum(amount) FROM sale), 'refreshed');

-- ---------- kept up to date ----------

-- a row per month, replaced as a whole: twice is as good as once
CREATE TABLE monthly (month date PRIMARY KEY, h loyalty.customer_history);
CREATE FUNCTION pg_temp.refresh(since date) RETURNS void
LANGUAGE sql AS $$
	DELETE FROM monthly WHERE month >= since;
	INSERT INTO monthly SELECT date_trunc('month', day), loyalty.customer_history(customer, day, amount) FROM sale WHERE day >= since GROUP BY 1;
$$;
SELECT pg_temp.refresh('2024-01-01')
\g /dev/null
CREATE TABLE once AS SELECT loyalty.rollup(h) AS h FROM monthly;
SELECT pg_temp.refresh('2024-03-01')
\g /dev/null
SELECT pg_temp.refresh('2024-03-01')
\g /dev/null
SELECT is((SELECT loyalty.rollup(h) FROM monthly), h, 'a refresh that runs twice changes nothing') FROM once;
SELECT is(h, (SELECT loyalty.customer_history(customer, day, amount) FROM sale), 'the rollup of the months is the whole') FROM once;

-- new rows merged into what is there
INSERT INTO monthly VALUES ('2024-03-01', (SELECT loyalty.customer_history(777, '2024-03-31', 1.11)))
ON CONFLICT (month) DO UPDATE SET h = monthly.h OPERATOR(loyalty.+) excluded.h;
SELECT is(loyalty.revenue(loyalty.rollup(m.h)), loyalty.revenue(o.h) + 1.11, 'ON CONFLICT merges') FROM monthly AS m, once AS o GROUP BY o.h;
INSERT INTO monthly VALUES ('2024-03-01', (SELECT loyalty.customer_history(1, day) FROM sale WHERE false))
ON CONFLICT (month) DO UPDATE SET h = monthly.h OPERATOR(loyalty.+) excluded.h;
SELECT is(loyalty.revenue(loyalty.rollup(m.h)), loyalty.revenue(o.h) + 1.11, 'merging a day without rows keeps what is there') FROM monthly AS m, once AS o GROUP BY o.h;
-- a purchase that arrives late and is earlier than all others
SELECT is(pg_temp.bytes(h OPERATOR(loyalty.+) late), pg_temp.bytes((SELECT loyalty.customer_history(customer, day, amount)
		  FROM (SELECT customer, day, amount FROM sale UNION ALL VALUES (20, date '0988-05-01', 12.345), (-20, date '1990-01-01', NULL)) AS s)), 'late rows, earlier than all others')
	|| E'\n' || is(loyalty.first_day(h OPERATOR(loyalty.+) late), '0988-05-01', 'late rows: the first day')
FROM once, (SELECT loyalty.customer_history(c, d, a) AS late FROM (VALUES (20, date '0988-05-01', 12.345), (-20, date '1990-01-01', NULL)) AS v(c, d, a)) AS l;
SELECT is(loyalty.orders(h OPERATOR(loyalty.+) h), 2 * loyalty.orders(h), 'the same rows twice count twice') FROM once;

-- ---------- text ----------

SELECT is(pg_temp.error_of(format('SELECT %L::loyalty.customer_history', t)), e, 'text: ' || left(t, 20))
FROM (VALUES ('', '22P02 invalid input syntax for type customer_history: "" | Its text begins with "1:". | Histories are built by the aggregate customer_history(customer, day, amount); their text form is for dumps.'),
			 ('1:*', '22P02 invalid input syntax for type customer_history | What follows "1:" is not base64.'),
			 ('1:', '22P02 invalid value for type customer_history: it is shorter than a header'),
			 ('1:AAAA', '22P02 invalid value for type customer_history: it is shorter than a header'),
			 ('1:' || repeat('A', 400), '22P02 invalid value for type customer_history: its format version is unknown')) AS v(t, e);
SELECT ok(bool_and(pg_temp.error_of(format('SELECT %L::loyalty.customer_history', t)) LIKE '22P02 %'), 'not quite the text of a history')
FROM one, LATERAL (SELECT h::text AS x) AS x,
	 unnest(ARRAY[' ' || x, x || ' ', x || E'\n', x || '=', x || 'AAAA', left(x, -1), left(x, -4), '2' || substr(x, 2), substr(x, 3), ':' || x, upper(x), x || x, substr(x, 1, 20) || ' ' || substr(x, 21)]) AS t;
SELECT matches(pg_temp.error_of(format('SELECT %L::loyalty.customer_history', repeat('x', n) || repeat('日本語', 20))), 'customer_history: "x*(日本語)*(日|日本)?\.\.\."',
			   format('a message does not cut letters into bytes (%s)', n))
FROM generate_series(0, 3) AS n
WHERE getdatabaseencoding() = 'UTF8';	-- in others a letter may be a byte
SELECT is((SELECT count(*) FROM stored WHERE h::text !~ '^1:[A-Za-z0-9+/]+=*$'), 0::bigint, 'text is one line of letters');
DO $$
BEGIN
	IF current_setting('server_version_num')::int >= 160000 THEN
		CREATE FUNCTION pg_temp.soft() RETURNS boolean LANGUAGE sql AS
			$q$ SELECT NOT pg_input_is_valid('nonsense', 'loyalty.customer_history') AND NOT pg_input_is_valid('1:AAAA', 'loyalty.customer_history') AND NOT pg_input_is_valid('1:*', 'loyalty.customer_history') $q$;
	ELSE
		CREATE FUNCTION pg_temp.soft() RETURNS boolean LANGUAGE sql AS 'SELECT true';
	END IF;
END
$$;
SELECT ok(pg_temp.soft(), 'soft input errors, where the server has them');

-- ---------- written long ago ----------

-- what version 0.1 wrote is read, and written, for ever
SELECT is(t::customer_history, h, 'a stored value of 0.1: ' || type) || E'\n' || is(h::text, t, 'written as by 0.1: ' || type)
FROM (SELECT 'bigint', '1:AQEBAgAAAAAEAAAABAAAAAYAAAAIAAAABgAAAAAAAABCIgAA8DEAAEIiAAAAAAAAqBEg64ypVKsAAAAAAAAAAPz/////////fwH/NwIBAAAFAwDECTcA/wAB/wcBAO4CAQH/AAQAAAD/////////DwH9vgH//9KV/NjOsaqqqwE=',
			 customer_history(c, d, a)
	  FROM (VALUES (1, date '2024-01-05', 25.00), (1, '2024-03-01', 655.36), (1, '2024-03-09', -7.5), (-4, '2024-02-29', NULL),
				   (9007199254740993, '2035-01-01', 123456789012345678.90), (2, '2024-01-05', 0), (2, '2024-01-05', 0)) AS v(c, d, a)
	  UNION ALL
	  SELECT 'text', '1:AQIAAAAAAAAEAAAABAAAAAQAAAAGAAAABQAAAAAAAAD/////MiMAAP////8AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAf1TFAADYW5uAf1TFAMBYQH//UMVAgAGw6ltaWxlAQA=',
			 customer_history(c, d)
	  FROM (VALUES ('', date '2024-01-05'), ('ann', '2024-01-05'), ('anna', '2024-09-01'), ('anna', '2024-09-01'), ('émile', '1999-12-31')) AS v(c, d)
	  UNION ALL
	  SELECT 'uuid', '1:AQMBAAAAAAADAAAAAwAAAAMAAAAQAAAAAwAAAAAAAABCIgAAQiIAAEIiAAAAAAAAAwAAAQAAAAAAAAAAAAAAAAAAAAAAAABAAIAAAAAAAAABAQABAA//AQACAAB/AAAAAABAAIAAAAAAAAABAQD//4CAgAg=',
			 customer_history(c, d, a)
	  FROM (VALUES ('00000000-0000-4000-8000-000000000001'::uuid, date '2024-01-05', 1), ('00000000-0000-4000-8000-0000000000ff', '2024-01-05', 2),
				   ('7f000000-0000-4000-8000-000000000001', '2024-01-05', 16777216)) AS v(c, d, a)) AS v(type, t, h);

-- ---------- other people's names ----------

CREATE SCHEMA shop;
CREATE TABLE shop.orders (customer_id int, retention date, revenue numeric, first_day text DEFAULT 'mine', customers int DEFAULT 42, merge int, rollup int, events int);
INSERT INTO shop.orders (customer_id, retention, revenue) VALUES (1, '2024-01-01', 10), (1, '2024-02-01', 20), (2, '2024-01-15', 5);
CREATE TABLE shop.customer_history (customer_history int DEFAULT 3, h text);
INSERT INTO shop.customer_history DEFAULT VALUES;
CREATE TABLE shop.retention AS TABLE shop.orders;
CREATE TABLE shop.customers AS TABLE shop.orders;
CREATE VIEW shop.repurchase AS TABLE shop.orders;
CREATE FUNCTION shop.orders(int) RETURNS text LANGUAGE sql AS $$ SELECT 'my orders'::text $$;
CREATE FUNCTION shop.customer_history(int) RETURNS text LANGUAGE sql AS $$ SELECT 'my history'::text $$;
CREATE FUNCTION shop.retention(text) RETURNS text LANGUAGE sql AS $$ SELECT 'my retention'::text $$;
CREATE FUNCTION shop.merge(text, text) RETURNS text LANGUAGE sql AS $$ SELECT $1 || $2 $$;
CREATE FUNCTION shop.customers(anyelement) RETURNS text LANGUAGE sql AS $$ SELECT 'anything'::text $$;
CREATE AGGREGATE shop.rollup(text) (SFUNC = shop.merge, STYPE = text);
CREATE OPERATOR shop.+ (FUNCTION = shop.merge, LEFTARG = text, RIGHTARG = text);
CREATE FUNCTION pg_temp.among_names() RETURNS TABLE (name text, got text, wanted text)
LANGUAGE plpgsql AS $$
DECLARE
	path text;
BEGIN
	FOREACH path IN ARRAY '{"shop, loyalty, public","loyalty, shop, public","public, shop, loyalty","shop, public","\"\""}'::text[] LOOP
		PERFORM set_config('search_path', path, true);
		RETURN QUERY EXECUTE $q$
			SELECT 'tables and columns of our names',
				   (SELECT loyalty.customer_history(customer_id, retention, revenue)::text FROM shop.orders),
				   (SELECT loyalty.customer_history(c, d, a)::text FROM (VALUES (1, date '2024-01-01', 10), (1, '2024-02-01', 20), (2, '2024-01-15', 5)) AS v(c, d, a))
			UNION ALL
			SELECT 'functions of our names',
				   (SELECT concat_ws(' ', loyalty.orders(h), loyalty.customers(h), loyalty.revenue(h), loyalty.first_day(h), h OPERATOR(loyalty.=) loyalty.merge(h, NULL))
					FROM (SELECT loyalty.rollup(h) AS h FROM (SELECT loyalty.customer_history(customer_id, retention, revenue) AS h FROM shop.orders GROUP BY customer_id) AS p) AS r),
				   '3 2 35 2024-01-01 t'
			UNION ALL
			SELECT 'a report',
				   (SELECT count(*)::text FROM loyalty.retention((SELECT loyalty.customer_history(customer_id, retention) FROM shop.retention))), '2'
			UNION ALL
			SELECT 'DISTINCT and ORDER BY',
				   (SELECT count(*)::text FROM (SELECT DISTINCT h FROM (SELECT loyalty.customer_history(customer_id, retention) AS h FROM shop.customers GROUP BY retention) AS x ORDER BY h) AS y), '3' $q$;
		IF path LIKE '%loyalty%' THEN
			RETURN QUERY EXECUTE $q$
				SELECT 'without the schema', (SELECT orders(customer_history(customer_id, retention, revenue))::text FROM shop.orders), '3'
				UNION ALL
				SELECT 'operators without the schema', (SELECT revenue(rollup(h) + rollup(h))::text FROM (SELECT customer_history(customer_id, retention, revenue) AS h FROM shop.orders) AS x), '70'
				UNION ALL
				SELECT 'the user''s own', orders(1) || customer_history(1) || retention('x'), 'my ordersmy historymy retention' $q$;
		END IF;
	END LOOP;
	PERFORM set_config('search_path', 'public, loyalty', true);
END
$$;
SELECT is(got, wanted, 'among objects of our names: ' || name) FROM pg_temp.among_names();

SELECT * FROM finish();
ROLLBACK;
