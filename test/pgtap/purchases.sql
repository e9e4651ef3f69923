-- Purchases: every cell against set-based SQL over the same rows, worked examples, and the published ratios of CDNOW.

SET client_min_messages = warning;
SET search_path = public, loyalty;
\ir include/cdnow.sql

SELECT no_plan();

-- ---------- the same figures by hand ----------

CREATE TABLE data (customer bigint, day date, amount numeric);

CREATE FUNCTION bucket(day date, period text, week_start int) RETURNS date IMMUTABLE LANGUAGE sql AS $$
	SELECT CASE period
		WHEN 'week' THEN day - (extract(isodow FROM day)::int - week_start + 7) % 7
		ELSE date_trunc(period, day)::date END $$;

CREATE FUNCTION by_hand(p_period text, p_as_of date, p_week_start int, p_since date)
RETURNS TABLE (period_start date, customers bigint, orders bigint, revenue numeric, average_basket numeric,
               orders_per_customer float8, spend_per_customer numeric, repeat_customers bigint, repeat_rate float8,
               returning_customers bigint, returning_revenue numeric, first_basket numeric, repeat_basket numeric,
               first_basket_of_repeaters numeric, complete boolean)
LANGUAGE sql AS $$
	WITH seen AS MATERIALIZED (
		SELECT *, amount IS NULL OR amount >= 0 AS is_order FROM data WHERE day <= p_as_of
	), buyer AS MATERIALIZED (
		SELECT customer, min(day) AS first_day, count(DISTINCT day) > 1 AS came_back FROM seen WHERE is_order GROUP BY customer
	), step AS (
		SELECT CASE p_period WHEN 'quarter' THEN interval '3 months' ELSE ('1 ' || p_period)::interval END AS step
		WHERE p_period <> 'all'
	), period AS MATERIALIZED (
		SELECT start::date AS name, start::date, (start + step)::date - 1 AS last
		FROM step, generate_series((SELECT bucket(min(first_day), p_period, p_week_start) FROM buyer)::timestamp,
		                           p_as_of::timestamp, step) AS start
		WHERE start >= coalesce(p_since, '-infinity')
		UNION ALL
		SELECT NULL, coalesce(p_since, '-infinity'), p_as_of WHERE p_period = 'all' AND p_as_of >= coalesce(p_since, '-infinity')
	), happened AS MATERIALIZED (
		SELECT * FROM period JOIN (seen JOIN buyer USING (customer)) ON day BETWEEN start AND last
	), repeating AS (
		SELECT start, count(*) AS repeat_customers
		FROM (SELECT start, customer FROM happened WHERE is_order GROUP BY 1, 2 HAVING count(*) > 1) AS r
		GROUP BY 1
	), total AS (
		SELECT start, count(DISTINCT customer) FILTER (WHERE is_order) AS customers, count(*) FILTER (WHERE is_order) AS orders,
		       sum(amount) AS revenue, count(amount) FILTER (WHERE is_order) AS valued,
		       count(DISTINCT customer) FILTER (WHERE is_order AND first_day < start) AS returned,
		       sum(amount) FILTER (WHERE first_day < start) AS returning_revenue,
		       sum(amount) FILTER (WHERE day = first_day) / nullif(count(amount) FILTER (WHERE day = first_day AND is_order), 0) AS first_basket,
		       sum(amount) FILTER (WHERE day > first_day) / nullif(count(amount) FILTER (WHERE day > first_day AND is_order), 0) AS repeat_basket,
		       sum(amount) FILTER (WHERE day = first_day AND came_back)
		           / nullif(count(amount) FILTER (WHERE day = first_day AND came_back AND is_order), 0) AS first_of_repeaters
		FROM happened
		GROUP BY start
	)
	SELECT name, coalesce(customers, 0), coalesce(orders, 0),
	       CASE WHEN has_money THEN coalesce(revenue, 0.00) END, revenue / nullif(valued, 0),
	       orders::float8 / nullif(customers, 0), CASE WHEN has_money THEN coalesce(revenue, 0.00) END / nullif(customers, 0),
	       coalesce(repeat_customers, 0), CASE WHEN ended THEN coalesce(repeat_customers, 0)::float8 / nullif(customers, 0) END,
	       coalesce(returned, 0), CASE WHEN has_money THEN coalesce(returning_revenue, 0.00) END,
	       first_basket, repeat_basket, first_of_repeaters, ended
	FROM (SELECT *, name IS NULL OR last <= p_as_of AS ended, (SELECT count(amount) > 0 FROM data) AS has_money FROM period) AS p
	     LEFT JOIN total USING (start) LEFT JOIN repeating USING (start) $$;

-- the rows of both sides, and whether they differ; money as text: with the decimals that sum(amount) shows
CREATE FUNCTION compared(p_period text, p_as_of date, p_week_start int, p_since date)
RETURNS TABLE (different boolean, ours text, hand text) LANGUAGE sql AS $$
	WITH h AS MATERIALIZED (
		SELECT customer_history(customer, day, amount) AS h FROM data
	), ours AS MATERIALIZED (
		SELECT coalesce(period_start, '-infinity') AS key, p AS line
		FROM h, purchases(h.h, p_period, p_as_of, p_week_start, p_since) AS p
	), hand AS MATERIALIZED (
		SELECT coalesce(period_start, '-infinity') AS key, p AS line
		FROM by_hand(p_period, coalesce(p_as_of, (SELECT max(day) FROM data)), p_week_start, p_since) AS p
	)
	SELECT o.line::text IS DISTINCT FROM b.line::text, o.line::text, b.line::text
	FROM ours AS o FULL JOIN hand AS b USING (key) $$;

CREATE FUNCTION is_by_hand(label text, p_period text DEFAULT 'month', p_as_of date DEFAULT NULL, p_week_start int DEFAULT 1,
                           p_since date DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
	SELECT ok(count(*) FILTER (WHERE different) = 0 AND count(*) > 0,
	          format('%s: %s, as_of %s, week_start %s, since %s: %s of %s rows differ', label, p_period, p_as_of, p_week_start, p_since,
	                 count(*) FILTER (WHERE different), count(*)))
	       || coalesce(E'\n' || diag('ours ' || (array_agg(ours) FILTER (WHERE different))[1])
	                || E'\n' || diag('hand ' || (array_agg(hand) FILTER (WHERE different))[1]), '')
	FROM compared(p_period, p_as_of, p_week_start, p_since) $$;

-- ---------- CDNOW ----------

INSERT INTO data SELECT customer_id, day, amount FROM cdnow;

SELECT is_by_hand('CDNOW', period, as_of) FROM unnest(ARRAY['month', 'all']) AS period, unnest(ARRAY[NULL, '1998-04-20']::date[]) AS as_of;

CREATE TABLE shop AS SELECT customer_history(customer, day, amount) AS h FROM data;
SELECT results_eq($$SELECT period_start, customers, orders, revenue, repeat_customers, complete FROM shop, purchases(h, 'all')$$,
                  $$SELECT NULL::date, count(*), sum(n)::bigint, 2500315.63, count(*) FILTER (WHERE n > 1), true
                    FROM (SELECT count(*) AS n FROM data GROUP BY customer) AS c$$, 'CDNOW: totals');
SELECT results_eq($$SELECT round(repeat_basket / first_basket_of_repeaters, 3), round(repeat_basket / first_basket, 3)
                    FROM shop, purchases(h, 'all')$$,
                  'VALUES (1.057, 1.146)', 'CDNOW: the repeat basket is 1.057 times the first basket of repeaters, 1.146 times any first');
SELECT results_eq('SELECT sum(revenue), sum(orders)::bigint FROM shop, purchases(h, ''' || period || ''')', 'VALUES (2500315.63, 69659::bigint)',
                  'CDNOW: all money and orders, by ' || period)
FROM unnest(ARRAY['day', 'week', 'month', 'quarter', 'year']) AS period;

DELETE FROM data WHERE customer % 8 <> 0;	-- by hand it takes its time
SELECT is_by_hand('CDNOW, one in 8', period, as_of, p_since => since)
FROM unnest(ARRAY['month', 'quarter', 'all']) AS period, unnest(ARRAY['1997-04-30', '1998-06-29', '1999-01-15']::date[]) AS as_of,
     unnest(ARRAY[NULL, '1997-02-10']::date[]) AS since;
SELECT is_by_hand('CDNOW, one in 8', 'year', as_of) FROM unnest(ARRAY[NULL, '1997-12-31', '1999-01-15']::date[]) AS as_of;
SELECT is_by_hand('CDNOW, one in 8', 'week', as_of, week_start)
FROM unnest(ARRAY[NULL, '1998-01-14']::date[]) AS as_of, unnest(ARRAY[1, 7]) AS week_start;
SELECT is_by_hand('CDNOW, one in 8', 'day', '1997-12-31');

-- ---------- random orders, refunds and orders without amount ----------

\ir include/seed.sql

-- one customer in 10 has refunds only, one in 7 begins with some; one row in 20 has another order on its day
CREATE FUNCTION fill(customers int, days int) RETURNS void LANGUAGE sql AS $$
	TRUNCATE data;
	INSERT INTO data
	SELECT c, date '2023-11-20' + (random() * random() * days)::int,
	       CASE WHEN c % 10 = 0 THEN -1 - round((random() * 40)::numeric, 2)
	            WHEN random() < 0.1 THEN NULL
	            WHEN random() < 0.2 THEN -0.01 - round((random() * 120)::numeric, 2)
	            WHEN random() < 0.1 THEN 0.00
	            ELSE round((random() * 100)::numeric, 2) END
	FROM generate_series(1, customers) AS c, generate_series(1, (random() * 12)::int + c % 3);
	INSERT INTO data
	SELECT c, date '2023-11-20' + (random() * 130)::int - 60, -0.01 - round((random() * 50)::numeric, 2)
	FROM generate_series(7, customers, 7) AS c, generate_series(1, 3);
	INSERT INTO data SELECT customer, day, 5.55 FROM data WHERE customer % 10 <> 0 AND random() < 0.05 $$;

SELECT fill(300, 500);
SELECT is_by_hand('random', period, p_week_start => 1 + (random() * 6)::int,
                  p_as_of => CASE WHEN random() < 0.8 THEN date '2023-11-20' + (random() * 500)::int + 45 END,
                  p_since => CASE WHEN period IN ('week', 'month', 'all') AND random() < 0.5 THEN date '2023-11-20' + (random() * 65)::int - 55 END)
FROM unnest(ARRAY['week', 'month', 'quarter', 'year', 'all']) AS period, generate_series(1, 12);
SELECT fill(40, 60);	-- sparse: periods without orders, or with refunds only
SELECT is_by_hand('random', period, p_as_of => date '2023-11-20' + (random() * 60)::int + 20,
                  p_since => CASE WHEN random() < 0.5 THEN date '2023-11-20' + (random() * 20)::int END)
FROM unnest(ARRAY['day', 'all']) AS period, generate_series(1, 8);
UPDATE data SET amount = NULL WHERE amount >= 0;
SELECT is_by_hand('random, only refunds are known', period) FROM unnest(ARRAY['week', 'month', 'all']) AS period;
DELETE FROM data WHERE customer % 10 = 0;
UPDATE data SET amount = NULL;
SELECT is_by_hand('random, no amounts', period) FROM unnest(ARRAY['week', 'month', 'all']) AS period;

SELECT fill(400, 700);
TRUNCATE shop;
INSERT INTO shop SELECT customer_history(customer, day, amount) FROM data;
SELECT is_empty(format($$
	SELECT * FROM shop, purchases(h, %L, %L)
	WHERE returning_customers > customers OR repeat_customers > customers OR orders < customers + repeat_customers
	   OR repeat_rate NOT BETWEEN 0 AND 1 OR (customers = 0) <> (orders_per_customer IS NULL)
	   OR (repeat_rate IS NULL) <> (customers = 0 OR NOT complete) OR complete IS NULL$$, period, as_of),
	format('random: what holds in every row, %s, as_of %s', period, as_of))
FROM unnest(ARRAY['day', 'week', 'month', 'quarter', 'year', 'all']) AS period, unnest(ARRAY['2024-05-31', '2024-12-12']::date[]) AS as_of;
SELECT is_empty(format($$
	SELECT period_start, g.active_customers, p.customers
	FROM shop, purchases(h, %1$L, '2024-12-12') AS p FULL JOIN (SELECT g.* FROM shop, growth(h, %1$L, '2024-12-12') AS g) AS g USING (period_start)
	WHERE (p.customers, p.customers - p.returning_customers, p.revenue, p.complete)
	      IS DISTINCT FROM (g.active_customers, g.new_customers, g.revenue, g.complete)$$, period),
	'random: the customers and the revenue of growth, by ' || period)
FROM unnest(ARRAY['day', 'week', 'month', 'quarter', 'year']) AS period;
SELECT results_eq('SELECT p.* FROM shop, purchases(h, ''week'') AS p',
                  'SELECT p.* FROM (SELECT rollup(h) AS h FROM (SELECT customer_history(customer::text, day, amount) AS h
                                                               FROM data GROUP BY extract(month FROM day)) AS p) AS r,
                                  purchases(h, ''week'') AS p',
                  'the same of text keys and of merged parts');

-- ---------- worked examples ----------

-- customer 1: two orders on the first day with a refund, comes back twice; 2: once, amount unknown, after a refund;
-- 3: once; 4: refunds only
CREATE TABLE example AS
SELECT customer_history(c, d, a) AS h
FROM (VALUES (1, date '2024-01-10', 30.00), (1, '2024-01-10', 20.00), (1, '2024-01-10', -5.00), (1, '2024-01-20', 10.00),
             (1, '2024-03-05', 40.00), (1, '2024-04-01', -8.00), (2, '2023-12-31', -1.00), (2, '2024-01-02', -2.00), (2, '2024-03-07', NULL),
             (3, '2024-03-31', 12.50), (4, '2024-01-15', -99.00)) AS v(c, d, a);
SELECT results_eq(
	$$SELECT period_start, customers, orders, revenue, round(average_basket, 4), orders_per_customer, round(spend_per_customer, 4),
	         repeat_customers, repeat_rate FROM example, purchases(h)$$,
	$$VALUES (date '2024-01-01', 1::bigint, 3::bigint, 53.00, 17.6667, 3::float8, 53.0000, 1::bigint, 1::float8),
	         ('2024-02-01', 0, 0, 0.00, NULL, NULL, NULL, 0, NULL),
	         ('2024-03-01', 3, 3, 52.50, 26.2500, 1, 17.5000, 0, 0),
	         ('2024-04-01', 0, 0, -8.00, NULL, NULL, NULL, 0, NULL)$$, 'worked example: the period');
SELECT results_eq(
	$$SELECT returning_customers, returning_revenue, round(first_basket, 4), round(repeat_basket, 4),
	         round(first_basket_of_repeaters, 4), complete FROM example, purchases(h)$$,
	$$VALUES (0::bigint, 0.00, 22.5000, 10.0000, 22.5000, true),
	         (0, 0.00, NULL, NULL, NULL, true),
	         (1, 40.00, 12.5000, 40.0000, NULL, true),
	         (0, -8.00, NULL, NULL, NULL, false)$$, 'worked example: first and later');
SELECT results_eq(
	$$SELECT period_start, customers, orders, revenue, round(average_basket, 4), orders_per_customer, round(spend_per_customer, 4),
	         repeat_customers, round(repeat_rate::numeric, 4), returning_customers, returning_revenue, round(first_basket, 4),
	         round(repeat_basket, 4), round(first_basket_of_repeaters, 4), complete
	  FROM example, purchases(h, 'all')$$,
	$$VALUES (NULL::date, 3::bigint, 6::bigint, 96.50, 19.3000, 2::float8, 32.1667, 1::bigint, 0.3333, 0::bigint, 0.00, 19.1667, 21.0000,
	          22.5000, true)$$, 'worked example: all');
SELECT results_eq(
	$$SELECT customers, orders, revenue, repeat_customers, repeat_rate, returning_customers, returning_revenue, round(first_basket, 2),
	         round(repeat_basket, 2), first_basket_of_repeaters
	  FROM example, purchases(h, 'all', observed_since => '2024-01-11')$$,
	$$VALUES (3::bigint, 4::bigint, 54.50, 1::bigint, 1 / 3::float8, 1::bigint, 42.00, 12.50, 21.00, NULL::numeric)$$,
	'worked example: all from a day on');
SELECT results_eq(
	$$SELECT customers, orders, revenue, returning_customers FROM example, purchases(h, 'all', '2024-03-31', observed_since => '2024-03-31')$$,
	$$VALUES (1::bigint, 1::bigint, 12.50, 0::bigint)$$, 'worked example: all of one day');
SELECT results_eq(
	$$SELECT customers, orders, revenue, average_basket, repeat_rate, complete
	  FROM example, purchases(h, 'all', '2024-02-10', observed_since => '2024-02-01')$$,
	$$VALUES (0::bigint, 0::bigint, 0.00, NULL::numeric, NULL::float8, true)$$, 'worked example: all of days without orders');
SELECT is_empty('SELECT * FROM example, purchases(h, ''' || period || ''', ''2024-03-31'', observed_since => ''2024-04-01'')',
                'observed_since after as_of: no rows, ' || period) FROM unnest(ARRAY['all', 'month']) AS period;
SELECT results_eq(
	$$SELECT period_start, customers, returning_customers, returning_revenue
	  FROM example, purchases(h, as_of => '2024-03-31', observed_since => '2024-01-02')$$,
	$$VALUES (date '2024-02-01', 0::bigint, 0::bigint, 0.00), ('2024-03-01', 3, 1, 40.00)$$, 'observed_since: rows begin with the next period');
SELECT results_eq(
	$$SELECT period_start, round(first_basket_of_repeaters, 2), repeat_customers, repeat_rate, complete FROM example, purchases(h, as_of => '2024-01-19')$$,
	$$VALUES (date '2024-01-01', NULL::numeric, 1::bigint, NULL::float8, false)$$,
	'before as_of nobody has come back: two orders on one day make a repeat customer, whose rate waits for the end of the period');

-- a segment that stopped buying: its own last day hides its silence
CREATE TABLE segment AS
SELECT segment, customer_history(c, d, 1.00) AS h
FROM (SELECT CASE WHEN c % 2 = 0 THEN 'alive' ELSE 'gone' END AS segment, c, (date '2024-01-31' + interval '1 month' * n)::date AS d
      FROM generate_series(1, 20) AS c, generate_series(0, CASE WHEN c % 2 = 0 THEN 10 ELSE 2 END) AS n) AS o
GROUP BY segment;
SELECT results_eq($$SELECT segment, min(customers) FROM segment, purchases(h) GROUP BY 1 ORDER BY 1$$,
                  $$VALUES ('alive', 10::bigint), ('gone', 10)$$, 'each with its own as_of: both alive');
SELECT results_eq($$SELECT segment, min(customers) FROM segment, purchases(h, as_of => '2024-11-30') GROUP BY 1 ORDER BY 1$$,
                  $$VALUES ('alive', 10::bigint), ('gone', 0)$$, 'with a common as_of the silence shows');

-- ---------- edges ----------

SELECT is_empty('SELECT * FROM purchases(NULL)', 'no history: no rows');
SELECT is_empty('SELECT * FROM purchases(NULL, ''all'')', 'no history: not even one row');
SELECT is_empty('SELECT * FROM example, purchases(h, ''' || period || ''', as_of => ''2024-01-09'')', 'nobody yet: no rows, ' || period)
FROM unnest(ARRAY['all', 'month']) AS period;
SELECT is_empty('SELECT * FROM purchases((SELECT customer_history(1, date ''2024-02-28'', -1.00)), ''' || period || ''')', 'refunds only: no rows, ' || period)
FROM unnest(ARRAY['all', 'month']) AS period;
SELECT results_eq('SELECT p.* FROM shop, purchases(h, NULL, NULL, NULL, NULL) AS p', 'SELECT p.* FROM shop, purchases(h) AS p',
                  'NULL is the default of every argument');
SELECT results_eq(
	$$SELECT p::text FROM purchases((SELECT customer_history(1, date '2024-02-29', 10.00)), observed_since => '2024-02-01') AS p$$,
	$$VALUES ('(2024-02-01,1,1,10.00,10.0000000000000000,1,10.0000000000000000,0,0,0,0.00,10.0000000000000000,,,t)')$$,
	'one customer, on the last day of the month');
SELECT results_eq(format($$SELECT period_start, complete FROM purchases((SELECT customer_history(1, date '2024-12-31')), 'week', week_start => %s)$$, start),
                  format('VALUES (date %L, %L::boolean)', first_day, complete), 'a week across the new year that starts on ' || start)
FROM (VALUES (1, '2024-12-30', false), (7, '2024-12-29', false), (3, '2024-12-25', true), (2, '2024-12-31', false)) AS v(start, first_day, complete);
SELECT is((SELECT sum(num_nonnulls(revenue, average_basket, spend_per_customer, returning_revenue, first_basket, repeat_basket,
                                   first_basket_of_repeaters))
           FROM unnest(ARRAY['month', 'all']) AS period, purchases((SELECT customer_history(customer, day) FROM data), period)),
          0::bigint, 'no amounts: no money');
SELECT results_eq(
	$$SELECT revenue::text, returning_revenue::text
	  FROM purchases((SELECT customer_history(1, d, a)
	                  FROM (VALUES (date '2024-01-15', 99999999999999999999.5), ('2024-02-29', -0.125)) AS v(d, a)))$$,
	$$VALUES ('99999999999999999999.500', '0.000'), ('-0.125', '-0.125')$$,
	'money beyond 64 bits, with the most decimals among the amounts');
SELECT throws_ok($$SELECT * FROM purchases((SELECT customer_history(c, d, a)
                                             FROM (VALUES (1, date '2024-01-15', 1.6e38), (2, '2024-01-16', 1.6e38), (1, '2024-02-02', -1.6e38)) AS v(c, d, a)))$$,
                 '22003', 'amounts of a customer_history are out of range', 'a sum beyond 128 bits is an error');

SELECT is((SELECT count(*) FROM purchases((SELECT customer_history(1, d) FROM (VALUES (date '0001-01-01'), ('9999-12-31')) AS v(d)), 'year')),
          9999::bigint, 'placeholder dates: 9,999 years');
SELECT is((SELECT orders FROM purchases((SELECT customer_history(1, d) FROM (VALUES (date '4714-11-24 BC'), ('5874897-12-31')) AS v(d)), 'all')),
          2::bigint, 'all days there are');
SELECT throws_ok($$SELECT * FROM purchases((SELECT customer_history(1, d) FROM (VALUES (date '0001-01-01'), ('9999-12-31')) AS v(d)))$$,
                 '54000', 'report would have 119988 periods, from 0001-01-01 to 9999-12-31', 'placeholder dates: too many months');
SELECT throws_ok('SELECT * FROM shop, purchases(h, ' || arguments || ')', state, message, 'purchases(h, ' || arguments || ')')
FROM (VALUES
	('''fortnight''', '22023', 'period must not be "fortnight"'),
	('week_start => 0', '22023', 'week_start must not be 0'),
	('week_start => 8', '22023', 'week_start must not be 8'),
	('as_of => ''infinity''', '22008', 'as_of must be a finite date, not infinity'),
	('as_of => ''-infinity''', '22008', 'as_of must be a finite date, not -infinity'),
	('observed_since => ''-infinity''', '22008', 'observed_since must be a finite date, not -infinity')
) AS v(arguments, state, message);

SELECT finish();
