-- Growth: every cell against set-based SQL over the same rows, worked examples, and the identities that KPIS promises.

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

-- Each customer in each period: money now and before, active now and before.
CREATE FUNCTION by_hand(p_period text, p_as_of date, p_week_start int, p_lapse int, p_since date)
RETURNS TABLE (period_start date, previous_customers bigint, active_customers bigint, new_customers bigint,
               retained_customers bigint, resurrected_customers bigint, churned_customers bigint,
               retention_rate float8, churn_rate float8, quick_ratio float8, lifetime_periods float8,
               previous_revenue numeric, revenue numeric, revenue_new numeric, revenue_expansion numeric,
               revenue_contraction numeric, revenue_churned numeric, revenue_resurrected numeric,
               gross_revenue_retention float8, net_revenue_retention float8, complete boolean)
LANGUAGE sql AS $$
	WITH buyer AS MATERIALIZED (
		SELECT customer, min(day) AS first_day
		FROM data
		WHERE day <= p_as_of AND (amount IS NULL OR amount >= 0)
		GROUP BY customer
	), step AS (
		SELECT CASE p_period WHEN 'quarter' THEN interval '3 months' ELSE ('1 ' || p_period)::interval END AS step
	), period AS MATERIALIZED (
		SELECT i, start::date, (start + step)::date AS next_start
		FROM step, generate_series((SELECT bucket(min(first_day), p_period, p_week_start) FROM buyer)::timestamp,
		                           p_as_of::timestamp, step) WITH ORDINALITY AS s(start, i)
	), happened AS MATERIALIZED (
		SELECT customer, bucket(day, p_period, p_week_start) AS start, sum(amount) AS money,
		       bool_or(amount IS NULL OR amount >= 0) AS purchased
		FROM data JOIN buyer USING (customer)
		WHERE day <= p_as_of
		GROUP BY 1, 2
	), now AS (
		SELECT customer, i, first_day >= start AND first_day < next_start AND first_day >= coalesce(p_since, '-infinity') AS is_new,
		       coalesce(money, 0.00) AS b,
		       coalesce(bool_or(purchased) OVER (PARTITION BY customer ORDER BY i
		                                         ROWS BETWEEN p_lapse - 1 PRECEDING AND CURRENT ROW), false) AS active
		FROM buyer CROSS JOIN period LEFT JOIN happened USING (customer, start)
	), change AS (
		SELECT *, lag(b, 1, 0.00) OVER (PARTITION BY customer ORDER BY i) AS a,
		       lag(active, 1, false) OVER (PARTITION BY customer ORDER BY i) AS was_active
		FROM now
	), booked AS (
		SELECT *, CASE WHEN is_new THEN 'new'
		               WHEN active AND NOT was_active THEN 'resurrected'
		               WHEN was_active AND NOT active THEN 'churned'
		               WHEN b > a THEN 'expansion'
		               WHEN b < a THEN 'contraction' END AS booked_as
		FROM change
	), total AS (
		SELECT i, count(*) FILTER (WHERE was_active) AS was_active, count(*) FILTER (WHERE active) AS active,
		       count(*) FILTER (WHERE is_new) AS new, count(*) FILTER (WHERE active AND was_active) AS retained,
		       count(*) FILTER (WHERE active AND NOT was_active AND NOT is_new) AS resurrected,
		       count(*) FILTER (WHERE was_active AND NOT active) AS churned,
		       sum(a) AS a, sum(b) AS b,
		       coalesce(sum(b - a) FILTER (WHERE booked_as = 'new'), 0.00) AS money_new,
		       coalesce(sum(b - a) FILTER (WHERE booked_as = 'expansion'), 0.00) AS expansion,
		       coalesce(sum(a - b) FILTER (WHERE booked_as = 'contraction'), 0.00) AS contraction,
		       coalesce(sum(a - b) FILTER (WHERE booked_as = 'churned'), 0.00) AS money_churned,
		       coalesce(sum(b - a) FILTER (WHERE booked_as = 'resurrected'), 0.00) AS money_resurrected
		FROM booked
		GROUP BY i
	), flagged AS (
		SELECT *, i > 1 AS has_previous, next_start <= p_as_of + 1 AS ended,
		       (SELECT count(amount) > 0 FROM data) AS has_money
		FROM total JOIN period USING (i)
	)
	SELECT start, CASE WHEN has_previous THEN was_active END, active, new, retained, resurrected, CASE WHEN ended THEN churned END,
	       CASE WHEN ended THEN retained::float8 / nullif(was_active, 0) END,
	       CASE WHEN ended THEN 1 - retained::float8 / nullif(was_active, 0) END,
	       CASE WHEN ended THEN (new + resurrected)::float8 / nullif(churned, 0) END,
	       CASE WHEN ended THEN 1 / nullif(churned::float8 / nullif(was_active, 0), 0) END,
	       CASE WHEN has_money AND has_previous THEN a END, CASE WHEN has_money THEN b END,
	       CASE WHEN has_money THEN money_new END, CASE WHEN has_money THEN expansion END,
	       CASE WHEN has_money AND ended THEN contraction END, CASE WHEN has_money AND ended THEN money_churned END,
	       CASE WHEN has_money THEN money_resurrected END,
	       CASE WHEN ended AND a > 0 THEN 1 - (contraction + money_churned) / a END,
	       CASE WHEN ended AND a > 0 THEN 1 - (contraction + money_churned) / a + expansion / a END,
	       ended
	FROM flagged
	WHERE start >= coalesce(p_since, '-infinity') $$;

-- the rows of both sides, and whether they differ
CREATE FUNCTION compared(p_period text, p_as_of date, p_week_start int, p_lapse int, p_since date)
RETURNS TABLE (different boolean, ours text, hand text) LANGUAGE sql AS $$
	WITH h AS MATERIALIZED (
		SELECT customer_history(customer, day, amount) AS h FROM data
	), ours AS MATERIALIZED (
		SELECT g.* FROM h, growth(h.h, p_period, p_as_of, p_week_start, p_lapse, p_since) AS g
	), hand AS MATERIALIZED (
		SELECT * FROM by_hand(p_period, coalesce(p_as_of, (SELECT max(day) FROM data)), p_week_start, p_lapse, p_since)
	)
	SELECT (o.previous_customers, o.active_customers, o.new_customers, o.retained_customers, o.resurrected_customers,
	        o.churned_customers, o.complete)
	           IS DISTINCT FROM (b.previous_customers, b.active_customers, b.new_customers, b.retained_customers,
	                             b.resurrected_customers, b.churned_customers, b.complete)
	       -- as text: with the decimals that sum(amount) shows
	       OR (o.previous_revenue::text, o.revenue::text, o.revenue_new::text, o.revenue_expansion::text,
	           o.revenue_contraction::text, o.revenue_churned::text, o.revenue_resurrected::text)
	           IS DISTINCT FROM (b.previous_revenue::text, b.revenue::text, b.revenue_new::text, b.revenue_expansion::text,
	                             b.revenue_contraction::text, b.revenue_churned::text, b.revenue_resurrected::text)
	       -- one division of counts
	       OR (o.retention_rate, o.quick_ratio) IS DISTINCT FROM (b.retention_rate, b.quick_ratio)
	       -- up to three roundings in double precision on either side
	       OR ((o.churn_rate IS NULL), (o.lifetime_periods IS NULL), (o.gross_revenue_retention IS NULL),
	           (o.net_revenue_retention IS NULL))
	           <> ((b.churn_rate IS NULL), (b.lifetime_periods IS NULL), (b.gross_revenue_retention IS NULL),
	               (b.net_revenue_retention IS NULL))
	       OR coalesce(abs(o.churn_rate - b.churn_rate) > 1e-15, false)
	       OR coalesce(abs(o.lifetime_periods - b.lifetime_periods) > 1e-15 * b.lifetime_periods, false)
	       OR coalesce(abs(o.gross_revenue_retention - b.gross_revenue_retention) > 1e-15 * greatest(1, abs(b.gross_revenue_retention)), false)
	       OR coalesce(abs(o.net_revenue_retention - b.net_revenue_retention) > 1e-15 * greatest(1, abs(b.net_revenue_retention)), false),
	       o::text, b::text
	FROM ours AS o FULL JOIN hand AS b USING (period_start) $$;

CREATE FUNCTION is_by_hand(label text, p_period text DEFAULT 'month', p_as_of date DEFAULT NULL, p_week_start int DEFAULT 1,
                           p_lapse int DEFAULT 1, p_since date DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
	SELECT ok(count(*) FILTER (WHERE different) = 0 AND count(*) > 0,
	          format('%s: %s, as_of %s, week_start %s, lapse %s, since %s: %s of %s rows differ', label, p_period, p_as_of,
	                 p_week_start, p_lapse, p_since, count(*) FILTER (WHERE different), count(*)))
	       || coalesce(E'\n' || diag('ours ' || (array_agg(ours) FILTER (WHERE different))[1])
	                || E'\n' || diag('hand ' || (array_agg(hand) FILTER (WHERE different))[1]), '')
	FROM compared(p_period, p_as_of, p_week_start, p_lapse, p_since) $$;

-- the rows that break what KPIS promises of the columns of a row
CREATE FUNCTION broken_identities(h customer_history, p_period text, p_as_of date, p_lapse int) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT g::text
	FROM (SELECT *, row_number() OVER (ORDER BY period_start) = 1 AS is_first FROM growth(h, p_period, p_as_of, lapse => p_lapse)) AS g
	WHERE active_customers <> new_customers + retained_customers + resurrected_customers
	   OR churned_customers <> coalesce(previous_customers, 0) - retained_customers
	   OR revenue - coalesce(previous_revenue, 0)
	      <> revenue_new + revenue_expansion + revenue_resurrected - revenue_contraction - revenue_churned
	   OR revenue_expansion < 0 OR revenue_contraction < 0
	   OR NOT (retention_rate BETWEEN 0 AND 1 AND churn_rate BETWEEN 0 AND 1) OR abs(retention_rate + churn_rate - 1) > 1e-15
	   OR is_first <> (previous_customers IS NULL) OR is_first <> (previous_revenue IS NULL)
	   OR complete <> (churned_customers IS NOT NULL) OR complete <> (revenue_contraction IS NOT NULL)
	   OR complete <> (revenue_churned IS NOT NULL)
	   OR (is_first OR NOT complete) AND num_nonnulls(retention_rate, churn_rate, quick_ratio, lifetime_periods,
	                                                  gross_revenue_retention, net_revenue_retention) > 0 $$;

-- ---------- CDNOW ----------

INSERT INTO data SELECT customer_id, day, amount FROM cdnow;

SELECT is_by_hand('CDNOW', 'month', as_of) FROM unnest(ARRAY[NULL, '1998-04-20']::date[]) AS as_of;
SELECT is_by_hand('CDNOW', 'quarter');

CREATE TABLE shop AS SELECT customer_history(customer, day, amount) AS h FROM data;
SELECT is((SELECT sum(revenue) FROM shop, growth(h)), 2500315.63, 'CDNOW: all revenue');
SELECT is((SELECT sum(new_customers) FROM shop, growth(h)), 23570::numeric, 'CDNOW: everybody was new once');
SELECT is((SELECT sum(new_customers + resurrected_customers - churned_customers) FROM shop, growth(h, 'week', '1998-06-28')),
          (SELECT count(DISTINCT customer) FROM data WHERE day BETWEEN '1998-06-22' AND '1998-06-28')::numeric,
          'CDNOW: who came and did not go is there');
SELECT is_empty(format('SELECT broken_identities(h, %L, %L, %s) FROM shop', period, as_of, lapse),
                format('CDNOW: identities, %s, as_of %s, lapse %s', period, as_of, lapse))
FROM (VALUES ('month', NULL::date, 1), ('month', '1998-06-15', 3), ('week', '1998-06-28', 1), ('day', NULL, 30)) AS v(period, as_of, lapse);

DELETE FROM data WHERE customer % 8 <> 0;	-- by hand it takes its time
SELECT is_by_hand('CDNOW, one in 8', 'month', as_of)
FROM unnest(ARRAY['1997-03-31', '1997-04-20', '1998-06-29', '1999-01-15']::date[]) AS as_of;
SELECT is_by_hand('CDNOW, one in 8', 'month', p_lapse => lapse) FROM unnest(ARRAY[2, 6, 2147483647]) AS lapse;
SELECT is_by_hand('CDNOW, one in 8', period, p_lapse => lapse)
FROM unnest(ARRAY['quarter', 'year']) AS period, unnest(ARRAY[1, 2]) AS lapse;
SELECT is_by_hand('CDNOW, one in 8', 'month', p_since => since, p_lapse => 2)
FROM unnest(ARRAY['1997-02-01', '1997-02-10', '1996-05-05']::date[]) AS since;
DELETE FROM data WHERE customer % 24 <> 0;
SELECT is_by_hand('CDNOW, one in 24', 'week', as_of, week_start, lapse)
FROM unnest(ARRAY[NULL, '1998-01-14']::date[]) AS as_of, unnest(ARRAY[1, 7]) AS week_start, unnest(ARRAY[1, 8]) AS lapse;
SELECT is_by_hand('CDNOW, one in 24', 'day', '1997-04-15', p_lapse => lapse) FROM unnest(ARRAY[1, 45]) AS lapse;

-- ---------- random orders, refunds and orders without amount ----------

\ir include/seed.sql

-- one customer in 10 has refunds only, one in 7 begins with some, one in 5 comes nearly every month
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
	INSERT INTO data
	SELECT c, date '2023-11-20' + n * 30 + (random() * 9)::int, round((random() * 100)::numeric, 2)
	FROM generate_series(5, customers, 5) AS c, generate_series(c % 6, c % 6 + days / 60) AS n
	WHERE c % 10 <> 0;
	INSERT INTO data SELECT customer, day, 5.55 FROM data WHERE customer % 10 <> 0 AND random() < 0.05 $$;

SELECT fill(200, 500);
SELECT is_by_hand('random', period, p_week_start => 1 + (random() * 6)::int,
                  p_as_of => CASE WHEN random() < 0.8 THEN date '2023-11-20' + (random() * 500)::int + 45 END,
                  p_lapse => CASE WHEN random() < 0.4 THEN 1 ELSE 1 + (random() * random() * 30)::int END,
                  p_since => CASE WHEN period IN ('week', 'month') AND random() < 0.4 THEN date '2023-11-20' + (random() * 65)::int - 55 END)
FROM unnest(ARRAY['week', 'month', 'quarter', 'year']) AS period, generate_series(1, 12);
SELECT fill(60, 60);
SELECT is_by_hand('random', 'day', p_as_of => date '2023-11-20' + (random() * 60)::int + 5, p_lapse => 1 + (random() * 20)::int)
FROM generate_series(1, 8);
UPDATE data SET amount = NULL WHERE amount >= 0;
SELECT is_by_hand('random, only refunds are known', period) FROM unnest(ARRAY['week', 'month']) AS period;
DELETE FROM data WHERE customer % 10 = 0;
UPDATE data SET amount = NULL;
SELECT is_by_hand('random, no amounts', period, p_lapse => 2) FROM unnest(ARRAY['week', 'month']) AS period;

SELECT fill(400, 700);
TRUNCATE shop;
INSERT INTO shop SELECT customer_history(customer, day, amount) FROM data;
SELECT is_empty(format('SELECT broken_identities(h, %L, %L, %s) FROM shop', period, as_of, lapse),
                format('random: identities, %s, as_of %s, lapse %s', period, as_of, lapse))
FROM unnest(ARRAY['day', 'week', 'month', 'quarter', 'year']) AS period, unnest(ARRAY['2024-05-31', '2024-12-12']::date[]) AS as_of,
     unnest(ARRAY[1, 4]) AS lapse;
SELECT is((SELECT sum(revenue) FROM shop, growth(h, 'day', as_of)),
          (SELECT sum(amount)
           FROM data JOIN (SELECT customer FROM data WHERE day <= as_of AND (amount IS NULL OR amount >= 0) GROUP BY 1) AS b USING (customer)
           WHERE day BETWEEN (SELECT min(day) FROM data WHERE amount IS NULL OR amount >= 0) AND as_of),
          'revenue of all rows is the money of customers with a purchase, as_of ' || as_of)
FROM unnest(ARRAY['2024-01-05', '2024-08-20', '2026-01-01']::date[]) AS as_of;
SELECT results_eq('SELECT g.* FROM shop, growth(h, ''week'', lapse => 3) AS g',
                  'SELECT g.* FROM (SELECT rollup(h) AS h FROM (SELECT customer_history(customer::text, day, amount) AS h
                                                               FROM data GROUP BY extract(month FROM day)) AS p) AS r,
                                  growth(h, ''week'', lapse => 3) AS g',
                  'the same of text keys and of merged parts');

-- ---------- worked examples ----------

-- one customer: 50 in January, nothing in February, 20 in March and 5 back in April
CREATE TABLE one AS
SELECT customer_history(1, d, a) AS h
FROM (VALUES (date '2024-01-10', 50.00), ('2024-03-05', 20.00), ('2024-04-30', -5.00)) AS v(d, a);
SELECT results_eq(
	$$SELECT period_start, previous_customers, active_customers, new_customers, retained_customers, resurrected_customers,
	         churned_customers, retention_rate, churn_rate, quick_ratio, lifetime_periods FROM one, growth(h)$$,
	$$VALUES (date '2024-01-01', NULL::bigint, 1::bigint, 1::bigint, 0::bigint, 0::bigint, 0::bigint,
	          NULL::float8, NULL::float8, NULL::float8, NULL::float8),
	         ('2024-02-01', 1, 0, 0, 0, 0, 1, 0, 1, 0, 1),
	         ('2024-03-01', 0, 1, 0, 0, 1, 0, NULL, NULL, NULL, NULL),
	         ('2024-04-01', 1, 0, 0, 0, 0, 1, 0, 1, 0, 1)$$, 'one customer, lapse 1: the customers');
SELECT results_eq(
	$$SELECT previous_revenue, revenue, revenue_new, revenue_expansion, revenue_contraction, revenue_churned, revenue_resurrected,
	         gross_revenue_retention, net_revenue_retention, complete FROM one, growth(h)$$,
	$$VALUES (NULL, 50.00, 50.00, 0.00, 0.00, 0.00, 0.00, NULL::float8, NULL::float8, true),
	         (50.00, 0.00, 0.00, 0.00, 0.00, 50.00, 0.00, 0, 0, true),
	         (0.00, 20.00, 0.00, 0.00, 0.00, 0.00, 20.00, NULL, NULL, true),
	         (20.00, -5.00, 0.00, 0.00, 0.00, 25.00, 0.00, -0.25, -0.25, true)$$, 'one customer, lapse 1: the money');
SELECT results_eq(
	$$SELECT active_customers, retained_customers, resurrected_customers, churned_customers, retention_rate, revenue,
	         revenue_expansion, revenue_contraction, revenue_churned, revenue_resurrected, net_revenue_retention
	  FROM one, growth(h, lapse => 2, as_of => '2024-05-31')$$,
	$$VALUES (1::bigint, 0::bigint, 0::bigint, 0::bigint, NULL::float8, 50.00, 0.00, 0.00, 0.00, 0.00, NULL::float8),
	         (1, 1, 0, 0, 1, 0.00, 0.00, 50.00, 0.00, 0.00, 0),
	         (1, 1, 0, 0, 1, 20.00, 20.00, 0.00, 0.00, 0.00, NULL),
	         (1, 1, 0, 0, 1, -5.00, 0.00, 25.00, 0.00, 0.00, -0.25),
	         (0, 0, 0, 1, 0, 0.00, 0.00, 0.00, -5.00, 0.00, NULL)$$, 'one customer, lapse 2');
SELECT results_eq(
	$$SELECT previous_customers, active_customers, retained_customers, churned_customers, churn_rate, quick_ratio, previous_revenue,
	         revenue, revenue_contraction, revenue_churned, gross_revenue_retention, complete
	  FROM one, growth(h, as_of => '2024-03-30') WHERE period_start = '2024-03-01'$$,
	$$VALUES (0::bigint, 1::bigint, 0::bigint, NULL::bigint, NULL::float8, NULL::float8, 0.00, 20.00, NULL::numeric, NULL::numeric,
	          NULL::float8, false)$$, 'the running period: facts so far');
SELECT results_eq(
	$$SELECT previous_customers, active_customers, churned_customers, previous_revenue, revenue, revenue_churned, complete
	  FROM one, growth(h, as_of => '2024-01-30')$$,
	$$VALUES (NULL::bigint, 1::bigint, NULL::bigint, NULL::numeric, 50.00, NULL::numeric, false)$$, 'a first period that still runs');
SELECT results_eq(
	$$SELECT period_start, previous_customers, previous_revenue, revenue_churned
	  FROM one, growth(h, as_of => '2024-03-31', observed_since => '2024-01-11')$$,
	$$VALUES (date '2024-02-01', 1::bigint, 50.00, 50.00), ('2024-03-01', 0, 0.00, 0.00)$$,
	'observed_since: the first row shown keeps its predecessor');
SELECT results_eq(
	$$SELECT new_customers, resurrected_customers FROM one, growth(h, as_of => '2024-03-31', observed_since => '2024-03-01')$$,
	$$VALUES (0::bigint, 1::bigint)$$, 'observed_since: who purchased before is not new');
SELECT is_empty($$SELECT * FROM one, growth(h, as_of => '2024-03-31', observed_since => '2024-03-02')$$,
                'observed_since: no period starts on or after it');
SELECT is_empty($$SELECT * FROM one, growth(h, as_of => '2024-03-31', observed_since => '2025-01-01')$$, 'observed_since after as_of');

-- refunds: before the first purchase, of a customer without one, and after the customer has gone
SELECT results_eq(
	$$SELECT period_start, active_customers, revenue, revenue_new, revenue_expansion, revenue_contraction, revenue_churned
	  FROM growth((SELECT customer_history(c, d, a)
	               FROM (VALUES (1, date '2024-01-05', 10.00), (2, '2023-12-20', -1.00), (2, '2024-01-20', -2.00), (2, '2024-02-10', -3.00),
	                            (2, '2024-03-03', 8.00), (3, '2024-02-02', -100.00), (1, '2024-05-04', -4.00)) AS v(c, d, a)))$$,
	$$VALUES (date '2024-01-01', 1::bigint, 8.00, 10.00, 0.00, 2.00, 0.00),
	         ('2024-02-01', 0, -3.00, 0.00, 0.00, 1.00, 10.00),
	         ('2024-03-01', 1, 8.00, 11.00, 0.00, 0.00, 0.00),
	         ('2024-04-01', 0, 0.00, 0.00, 0.00, 0.00, 8.00),
	         ('2024-05-01', 0, -4.00, 0.00, 0.00, NULL, NULL)$$, 'refunds of customers who are not active');
SELECT results_eq(
	$$SELECT revenue
	  FROM growth((SELECT customer_history(c, d, a)
	               FROM (VALUES (1, date '2024-01-05', 10.00), (2, '2024-01-20', -2.00), (2, '2024-02-10', 7.00)) AS v(c, d, a)),
	              as_of => '2024-02-09')$$,
	'VALUES (10.00), (0.00)', 'the money of who has not purchased by as_of is not there yet');

-- a segment that stopped buying: its own last day hides its silence
CREATE TABLE segment AS
SELECT segment, customer_history(c, d, 1.00) AS h
FROM (SELECT CASE WHEN c % 2 = 0 THEN 'alive' ELSE 'gone' END AS segment, c, (date '2024-01-31' + interval '1 month' * n)::date AS d
      FROM generate_series(1, 20) AS c, generate_series(0, CASE WHEN c % 2 = 0 THEN 10 ELSE 2 END) AS n) AS o
GROUP BY segment;
SELECT results_eq($$SELECT segment, sum(churned_customers), max(churn_rate) FROM segment, growth(h) GROUP BY 1 ORDER BY 1$$,
                  $$VALUES ('alive', 0::numeric, 0::float8), ('gone', 0, 0)$$, 'each with its own as_of: nobody churned');
SELECT results_eq($$SELECT segment, sum(churned_customers), max(churn_rate), sum(revenue_churned)
                    FROM segment, growth(h, as_of => '2024-11-30') GROUP BY 1 ORDER BY 1$$,
                  $$VALUES ('alive', 0::numeric, 0::float8, 0.00), ('gone', 10, 1, 10.00)$$, 'with a common as_of the churn shows');

-- ---------- edges ----------

SELECT is_empty('SELECT * FROM growth(NULL)', 'no history: no rows');
SELECT is_empty('SELECT * FROM one, growth(h, as_of => ''2024-01-09'')', 'nobody yet: no rows');
SELECT is_empty($$SELECT * FROM growth((SELECT customer_history(1, date '2024-02-28', -1.00)))$$, 'refunds only: no rows');
SELECT results_eq('SELECT g.* FROM shop, growth(h, NULL, NULL, NULL, NULL, NULL) AS g', 'SELECT g.* FROM shop, growth(h) AS g',
                  'NULL is the default of every argument');
SELECT results_eq(format($$SELECT period_start, complete FROM growth((SELECT customer_history(1, date '2024-12-31')), 'week', week_start => %s)$$, start),
                  format('VALUES (date %L, %L::boolean)', first_day, complete), 'a week across the new year that starts on ' || start)
FROM (VALUES (1, '2024-12-30', false), (7, '2024-12-29', false), (3, '2024-12-25', true), (2, '2024-12-31', false)) AS v(start, first_day, complete);
SELECT results_eq($$SELECT active_customers, churned_customers, lifetime_periods
                    FROM growth((SELECT customer_history(1, date '2024-01-01')), 'day', '2024-01-04', lapse => 2)$$,
                  'VALUES (1::bigint, 0::bigint, NULL::float8), (1, 0, NULL), (0, 1, 1), (0, 0, NULL)', 'no customers, nobody to lose');
SELECT is((SELECT sum(num_nonnulls(previous_revenue, revenue, revenue_new, revenue_expansion, revenue_contraction, revenue_churned,
                                   revenue_resurrected, gross_revenue_retention, net_revenue_retention))
           FROM growth((SELECT customer_history(customer, day) FROM data))), 0::bigint, 'no amounts: no money');
SELECT results_eq(
	$$SELECT revenue::text, revenue_new::text, revenue_churned::text
	  FROM growth((SELECT customer_history(1, d, a)
	               FROM (VALUES (date '2024-01-15', 99999999999999999999.5), ('2024-02-29', -0.125)) AS v(d, a)))$$,
	$$VALUES ('99999999999999999999.500', '99999999999999999999.500', '0.000'),
	         ('-0.125', '0.000', '99999999999999999999.625')$$, 'money beyond 64 bits, with the most decimals among the amounts');
SELECT throws_ok($$SELECT * FROM growth((SELECT customer_history(1, d, a)
                                          FROM (VALUES (date '2024-01-15', 1.6e38), ('2024-02-15', -1.6e38)) AS v(d, a)))$$,
                 '22003', 'amounts of a customer_history are out of range', 'a change beyond 128 bits is an error');

SELECT is((SELECT count(*) FROM growth((SELECT customer_history(1, d) FROM (VALUES (date '0001-01-01'), ('9999-12-31')) AS v(d)), 'year',
                                       lapse => 2147483647) WHERE active_customers = 1),
          9999::bigint, 'placeholder dates: 9,999 years');
SELECT throws_ok($$SELECT * FROM growth((SELECT customer_history(1, d) FROM (VALUES (date '0001-01-01'), ('9999-12-31')) AS v(d)))$$,
                 '54000', 'report would have 119988 periods, from 0001-01-01 to 9999-12-31', 'placeholder dates: too many months');
SELECT throws_ok('SELECT * FROM shop, growth(h, ' || arguments || ')', state, message, 'growth(h, ' || arguments || ')')
FROM (VALUES
	('''fortnight''', '22023', 'period must not be "fortnight"'),
	('''all''', '22023', 'period must not be "all"'),
	('week_start => 0', '22023', 'week_start must not be 0'),
	('week_start => 8', '22023', 'week_start must not be 8'),
	('lapse => 0', '22023', 'lapse must not be 0'),
	('lapse => -1', '22023', 'lapse must not be -1'),
	('as_of => ''infinity''', '22008', 'as_of must be a finite date, not infinity'),
	('as_of => ''-infinity''', '22008', 'as_of must be a finite date, not -infinity'),
	('observed_since => ''infinity''', '22008', 'observed_since must be a finite date, not infinity')
) AS v(arguments, state, message);

SELECT finish();
