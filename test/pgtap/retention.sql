-- Cohort retention: every cell against set-based SQL over the same rows, and the properties that KPIS promises.

SET client_min_messages = warning;
SET search_path = public, loyalty;
\ir include/cdnow.sql

SELECT no_plan();

-- ---------- the same figures by hand ----------

CREATE TABLE data (customer bigint, day date, amount numeric);

CREATE FUNCTION bucket(day date, period text, week_start int) RETURNS date IMMUTABLE LANGUAGE sql AS $$
	SELECT CASE period
		WHEN 'day' THEN day
		WHEN 'week' THEN day - ((extract(isodow FROM day)::int - week_start + 7) % 7)
		ELSE date_trunc(period, day)::date END $$;

CREATE FUNCTION periods_between(a date, b date, period text) RETURNS int IMMUTABLE LANGUAGE sql AS $$
	SELECT CASE period
		WHEN 'day' THEN b - a
		WHEN 'week' THEN (b - a) / 7
		ELSE ((extract(year FROM b) * 12 + extract(month FROM b)) - (extract(year FROM a) * 12 + extract(month FROM a)))::int
			/ CASE period WHEN 'month' THEN 1 WHEN 'quarter' THEN 3 WHEN 'year' THEN 12 END END $$;

CREATE FUNCTION plus_periods(a date, n int, period text) RETURNS date IMMUTABLE LANGUAGE sql AS $$
	SELECT CASE period
		WHEN 'day' THEN a + n
		WHEN 'week' THEN a + 7 * n
		WHEN 'quarter' THEN (a + make_interval(months => 3 * n))::date
		WHEN 'year' THEN (a + make_interval(years => n))::date
		ELSE (a + make_interval(months => n))::date END $$;

CREATE FUNCTION by_hand(p_period text, p_kind text, p_pooled boolean, p_periods int, p_as_of date, p_week_start int, p_since date)
RETURNS TABLE (cohort date, period_number int, period_start date, customers bigint, eligible bigint, retained bigint,
               retained_so_far bigint, revenue numeric, revenue_rate float8, cumulative_revenue numeric,
               revenue_per_customer numeric, complete boolean)
LANGUAGE sql AS $$
	WITH seen AS MATERIALIZED (
		SELECT * FROM data WHERE day <= p_as_of
	), purchase AS (
		SELECT DISTINCT customer, day FROM seen WHERE amount IS NULL OR amount >= 0
	), member AS MATERIALIZED (
		SELECT customer, bucket(min(day), p_period, p_week_start) AS c
		FROM purchase
		GROUP BY customer
		HAVING p_since IS NULL
		    OR (min(day) >= p_since AND (p_pooled OR bucket(min(day), p_period, p_week_start) >= p_since))
	), active AS MATERIALIZED (
		SELECT customer, c, array_agg(DISTINCT periods_between(c, bucket(day, p_period, p_week_start), p_period)) AS ks
		FROM member JOIN purchase USING (customer)
		GROUP BY customer, c
	), cell AS (
		SELECT c, k, plus_periods(c, k, p_period) AS start, plus_periods(c, k + 1, p_period) - 1 <= p_as_of AS ended
		FROM (SELECT DISTINCT c FROM member) AS cohorts,
		     generate_series(0, least(periods_between(c, bucket(p_as_of, p_period, p_week_start), p_period),
		                              coalesce(p_periods, 100000))) AS k
	), counted AS (
		SELECT c, k, start, ended, count(*) AS customers,
		       count(*) FILTER (WHERE CASE p_kind
		           WHEN 'on' THEN k = ANY (ks)
		           WHEN 'on_or_after' THEN k <= (SELECT max(x) FROM unnest(ks) AS x)
		           WHEN 'on_or_before' THEN k = 0 OR EXISTS (SELECT FROM unnest(ks) AS x WHERE x BETWEEN 1 AND k)
		           WHEN 'streak' THEN (SELECT count(*) FROM unnest(ks) AS x WHERE x <= k) = k + 1 END) AS so_far
		FROM cell JOIN active USING (c)
		GROUP BY c, k, start, ended
	), money AS (
		SELECT c, periods_between(c, bucket(day, p_period, p_week_start), p_period) AS k, sum(amount) AS revenue
		FROM member JOIN seen USING (customer)
		WHERE bucket(day, p_period, p_week_start) >= c
		GROUP BY 1, 2
	), filled AS (
		SELECT counted.*, CASE WHEN EXISTS (SELECT FROM data WHERE amount IS NOT NULL) THEN coalesce(revenue, 0) END AS revenue
		FROM counted LEFT JOIN money USING (c, k)
	), cumulated AS (
		SELECT *, sum(revenue) OVER (PARTITION BY c ORDER BY k) AS cumulative,
		       first_value(revenue) OVER (PARTITION BY c ORDER BY k) AS revenue_0
		FROM filled
	), wanted AS (
		SELECT CASE WHEN NOT p_pooled THEN c END AS c, k, CASE WHEN NOT p_pooled THEN start END AS start,
		       bool_and(ended) AS ended, sum(customers)::bigint AS customers, sum(so_far)::bigint AS so_far,
		       sum(revenue) AS revenue, sum(cumulative) AS cumulative, sum(revenue_0) AS revenue_0
		FROM cumulated
		WHERE NOT p_pooled OR ended OR k = 0
		GROUP BY 1, 2, 3
	)
	SELECT c, k, start, customers, CASE WHEN ended OR k = 0 THEN customers ELSE 0 END,
	       CASE WHEN ended OR k = 0 THEN so_far END, so_far, revenue,
	       CASE WHEN ended AND revenue_0 > 0 THEN (revenue / revenue_0)::float8 END,
	       cumulative, cumulative / customers, ended AND NOT (p_kind = 'on_or_after' AND k > 0)
	FROM wanted $$;

-- how many cells differ, those that only one side has included
CREATE FUNCTION differences(p_period text DEFAULT 'month', p_kind text DEFAULT 'on', p_pooled boolean DEFAULT false,
                            p_periods int DEFAULT NULL, p_as_of date DEFAULT NULL, p_week_start int DEFAULT 1,
                            p_since date DEFAULT NULL)
RETURNS TABLE (different bigint, cells bigint) LANGUAGE sql AS $$
	WITH h AS MATERIALIZED (
		SELECT customer_history(customer, day, amount) AS h FROM data
	), ours AS MATERIALIZED (
		SELECT coalesce(r.cohort, '-infinity') AS key, r.*
		FROM h, retention(h.h, p_period, p_kind, CASE WHEN p_pooled THEN 'all' ELSE 'period' END, p_periods, p_as_of,
		                  p_week_start, observed_since => p_since) AS r
	), hand AS MATERIALIZED (
		SELECT coalesce(b.cohort, '-infinity') AS key, b.*
		FROM by_hand(p_period, p_kind, p_pooled, p_periods, coalesce(p_as_of, (SELECT max(day) FROM data)), p_week_start, p_since) AS b
	)
	SELECT count(*) FILTER (WHERE
	           (o.cohort, o.customers, o.period_start, o.eligible, o.retained, o.retained_so_far, o.complete)
	               IS DISTINCT FROM (b.cohort, b.customers, b.period_start, b.eligible, b.retained, b.retained_so_far, b.complete)
	           OR o.period_number IS NULL OR b.period_number IS NULL
	           OR (o.revenue, o.cumulative_revenue, o.revenue_per_customer)
	               IS DISTINCT FROM (b.revenue, b.cumulative_revenue, b.revenue_per_customer)
	           -- one division in double precision, or one of exact decimals that is rounded: half a unit in the last place each
	           OR abs(o.revenue_rate - b.revenue_rate) > 1e-15 * abs(b.revenue_rate)
	           OR (o.revenue_rate IS NULL) <> (b.revenue_rate IS NULL)
	           OR o.rate IS DISTINCT FROM CASE WHEN b.eligible > 0 THEN b.retained::float8 / b.eligible END
	           OR o.rate_low IS DISTINCT FROM CASE WHEN o.period_number = 0 THEN 1 ELSE rate_low(b.retained, nullif(b.eligible, 0)) END
	           OR o.rate_high IS DISTINCT FROM CASE WHEN o.period_number = 0 THEN 1 ELSE rate_high(b.retained, nullif(b.eligible, 0)) END),
	       count(*)
	FROM ours AS o FULL JOIN hand AS b USING (key, period_number) $$;

CREATE FUNCTION is_by_hand(label text, p_period text DEFAULT 'month', p_kind text DEFAULT 'on', p_pooled boolean DEFAULT false,
                           p_periods int DEFAULT NULL, p_as_of date DEFAULT NULL, p_week_start int DEFAULT 1,
                           p_since date DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
	SELECT ok(different = 0 AND (cells > 0 OR p_since IS NOT NULL),	-- nobody may be believed
	          format('%s: %s %s%s, periods %s, as_of %s, week_start %s, since %s: %s of %s cells differ', label, p_period, p_kind,
	                 CASE WHEN p_pooled THEN ' pooled' ELSE '' END, p_periods, p_as_of, p_week_start, p_since, different, cells))
	FROM differences(p_period, p_kind, p_pooled, p_periods, p_as_of, p_week_start, p_since) $$;

CREATE FUNCTION error_of(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE query;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

-- ---------- CDNOW ----------

-- By hand it takes long: on a server under valgrind there are fewer customers.
\set slowness 1
\getenv slowness LOYALTY_SLOWNESS
INSERT INTO data SELECT customer_id, day, amount FROM cdnow WHERE :slowness < 10 OR customer_id % 20 = 0;

SELECT is_by_hand('CDNOW', 'month', kind, pooled)
FROM unnest(ARRAY['on', 'on_or_after', 'on_or_before', 'streak']) AS kind, unnest(ARRAY[false, true]) AS pooled;
SELECT is_by_hand('CDNOW', period, 'on', pooled)
FROM unnest(ARRAY['quarter', 'year']) AS period, unnest(ARRAY[false, true]) AS pooled;
SELECT is_by_hand('CDNOW', 'month', 'on', pooled, p_as_of => as_of)
FROM unnest(ARRAY['1997-03-31', '1997-04-20', '1998-06-29', '1999-01-15']::date[]) AS as_of, unnest(ARRAY[false, true]) AS pooled;
SELECT is_by_hand('CDNOW', 'month', 'on_or_before', pooled, p_since => '1997-02-10') FROM unnest(ARRAY[false, true]) AS pooled;

DELETE FROM data WHERE customer % 20 <> 0;	-- weeks and days have many cells
SELECT is_by_hand('CDNOW, one in 20', 'week', kind, pooled, p_week_start => week_start, p_as_of => '1998-01-14')
FROM unnest(ARRAY['on', 'on_or_before']) AS kind, unnest(ARRAY[false, true]) AS pooled, unnest(ARRAY[1, 7, 4]) AS week_start;
SELECT is_by_hand('CDNOW, one in 20', 'day', kind, p_periods => 20, p_as_of => '1997-04-15')
FROM unnest(ARRAY['on', 'streak']) AS kind;

-- ---------- random orders, refunds and orders without amount ----------

\ir include/seed.sql

CREATE FUNCTION fill(customers int, days int) RETURNS void LANGUAGE sql AS $$
	TRUNCATE data;
	INSERT INTO data
	SELECT c, date '2023-11-20' + (random() * random() * days)::int,
	       CASE WHEN random() < 0.1 THEN NULL
	            WHEN random() < 0.15 OR c % 20 = 0 THEN -round((random() * 40)::numeric, 2) - 0.01
	            ELSE round((random() * 100)::numeric, 2) END
	FROM generate_series(1, customers) AS c, generate_series(1, (random() * 12)::int + c % 3) $$;

SELECT fill(least(400, 4000 / :slowness)::int, 500);
SELECT is_by_hand('random', period, kind, pooled, p_week_start => 1 + (random() * 6)::int,
                  p_as_of => CASE WHEN random() < 0.7 THEN date '2023-11-20' + (random() * 500)::int + 10 END,
                  p_since => CASE WHEN random() < 0.4 THEN date '2023-11-20' + (random() * 60)::int - 55 END,
                  p_periods => CASE WHEN random() < 0.3 THEN (random() * 5)::int END)
FROM unnest(ARRAY['week', 'month', 'quarter', 'year']) AS period,
     unnest(ARRAY['on', 'on_or_after', 'on_or_before', 'streak']) AS kind, unnest(ARRAY[false, true]) AS pooled;
SELECT fill(60, 60);
SELECT is_by_hand('random', 'day', kind, pooled, p_as_of => date '2023-11-20' + (random() * 60)::int + 5)
FROM unnest(ARRAY['on', 'on_or_after', 'on_or_before', 'streak']) AS kind, unnest(ARRAY[false, true]) AS pooled;

-- ---------- properties ----------

SELECT fill(500, 700);
CREATE TABLE shop AS SELECT customer_history(customer, day, amount) AS h FROM data;

SELECT is_empty($$
	SELECT * FROM (
		SELECT kind, r.cohort, period_number, retained_so_far,
		       lag(retained_so_far) OVER (PARTITION BY kind, r.cohort ORDER BY period_number) AS previous
		FROM shop, unnest(ARRAY['on_or_after', 'on_or_before', 'streak']) AS kind, retention(h, 'week', kind) AS r
	) AS x
	WHERE CASE WHEN kind = 'on_or_before' THEN period_number > 1 AND retained_so_far < previous ELSE retained_so_far > previous END $$,
	'on_or_before never falls from period 1 on, on_or_after and streak never rise');
SELECT is_empty($$
	SELECT * FROM shop, unnest(ARRAY['day', 'month', 'year']) AS period, retention(h, period)
	WHERE NOT (0 <= rate_low AND rate_low <= rate AND rate <= rate_high AND rate_high <= 1)
	   OR (eligible = 0) <> (rate IS NULL) OR retained > eligible OR (rate IS NULL) <> (retained IS NULL) $$,
	'rates lie within their limits and are NULL where nobody is eligible');
SELECT is(
	(SELECT sum(revenue) FROM shop, retention(h)),
	(SELECT sum(amount)
	 FROM data JOIN (SELECT customer, min(day) AS first FROM data WHERE amount IS NULL OR amount >= 0 GROUP BY 1) AS f USING (customer)
	 WHERE date_trunc('month', day) >= date_trunc('month', first)),
	'revenue over all cells is the money from the first period on');
SELECT results_eq(
	'SELECT sum(retained)::bigint, sum(eligible)::bigint FROM shop, retention(h) WHERE period_number = 3',
	'SELECT retained, eligible FROM shop, retention(h, cohort => ''all'') WHERE period_number = 3',
	'the pooled row is the sum of the eligible cells');
SELECT is_empty($$
	SELECT g.period_start, g.active_customers, sum(r.retained_so_far)
	FROM shop, unnest(ARRAY['week', 'month', 'quarter']) AS period, growth(h, period) AS g
	LEFT JOIN LATERAL retention(h, period) AS r ON r.period_start = g.period_start
	GROUP BY period, g.period_start, g.active_customers
	HAVING g.active_customers <> coalesce(sum(r.retained_so_far), 0) $$,
	'the active customers of growth are the column sums of retention');

-- ---------- edges ----------

SELECT is_empty('SELECT * FROM retention(NULL)', 'no history: no rows');
SELECT is_empty('SELECT * FROM shop, retention(h, as_of => ''2000-01-01'')', 'nobody yet: no rows');
SELECT results_eq(
	$$SELECT cohort, period_number, customers, eligible, retained, rate, rate_low, rate_high, revenue, revenue_rate,
	         cumulative_revenue, revenue_per_customer, complete
	  FROM retention((SELECT customer_history(1, '2024-02-29', 10.00)))$$,
	$$VALUES (date '2024-02-01', 0, 1::bigint, 1::bigint, 1::bigint, 1::float8, 1::float8, 1::float8, 10.00, 1::float8,
	          10.00, 10.00::numeric, true)$$,
	'one customer, on the last day of the month');
SELECT results_eq(
	$$SELECT customers, eligible, retained, retained_so_far, rate, revenue_rate, revenue, complete
	  FROM retention((SELECT customer_history(1, '2024-02-28', 10.00)))$$,
	$$VALUES (1::bigint, 1::bigint, 1::bigint, 1::bigint, 1::float8, NULL::float8, 10.00, false)$$,
	'one customer, and the month still runs');
SELECT results_eq(
	$$SELECT period_number, eligible, retained, retained_so_far, rate, rate_low, complete
	  FROM retention((SELECT customer_history(c, d) FROM (VALUES (1, date '2024-01-10'), (1, '2024-02-03')) AS o(c, d)))$$,
	$$VALUES (0, 1::bigint, 1::bigint, 1::bigint, 1::float8, 1::float8, true), (1, 0, NULL, 1, NULL, NULL, false)$$,
	'nobody is eligible in the running period');
SELECT is_empty($$SELECT * FROM retention((SELECT customer_history(1, '2024-02-28', -1.00)))$$, 'refunds only: no rows');
SELECT results_eq(
	$$SELECT period_number, revenue, cumulative_revenue
	  FROM retention((SELECT customer_history(1, d, a)
	                  FROM (VALUES (date '2024-01-31', -5.00), ('2024-02-01', -1.00), ('2024-02-10', 20.00), ('2024-04-30', -3.00)) AS o(d, a)))$$,
	$$VALUES (0, 19.00, 19.00), (1, 0.00, 19.00), (2, -3.00, 16.00)$$,
	'a refund before the first purchase counts in its period, an earlier one does not');
SELECT is((SELECT count(revenue) + count(revenue_rate) + count(cumulative_revenue) + count(revenue_per_customer)
           FROM retention((SELECT customer_history(customer, day) FROM data))), 0::bigint, 'no amounts: no money');
SELECT results_eq(
	$$SELECT cohort FROM retention((SELECT customer_history(1, '2024-12-31')), 'week', week_start => 7)$$,
	$$VALUES (date '2024-12-29')$$, 'a Sunday week across the new year');
SELECT results_eq(
	$$SELECT cohort FROM retention((SELECT customer_history(1, '2024-12-31')), 'week')$$,
	$$VALUES (date '2024-12-30')$$, 'an ISO week across the new year');
SELECT is((SELECT count(*) FROM retention((SELECT customer_history(1, d) FROM (VALUES (date '0001-01-01'), ('9999-12-31')) AS v(d)), 'year')),
          9999::bigint, 'placeholder dates: 9,999 years');
SELECT is(
	error_of($$SELECT * FROM retention((SELECT customer_history(1, d) FROM (VALUES (date '0001-01-01'), ('9999-12-31')) AS v(d)))$$),
	'54000 report would have 119988 periods, from 0001-01-01 to 9999-12-31', 'placeholder dates: too many months');
SELECT is_empty($$
	SELECT r::text FROM shop, retention(h, periods => 2147483647) AS r EXCEPT ALL SELECT r::text FROM shop, retention(h) AS r
$$, 'periods without end');
SELECT is((SELECT count(*) FROM shop, retention(h, periods => 2147483647)), (SELECT count(*) FROM shop, retention(h)), 'periods without end: as many rows');
SELECT is(error_of('SELECT * FROM shop, retention(h, ' || arguments || ')'), error, 'retention(h, ' || arguments || ')')
FROM (VALUES
	('''fortnight''', '22023 period must not be "fortnight"'),
	('''all''', '22023 period must not be "all"'),
	('kind => ''off''', '22023 kind must not be "off"'),
	('cohort => ''month''', '22023 cohort must not be "month"'),
	('periods => -1', '22023 periods must not be -1'),
	('week_start => 0', '22023 week_start must not be 0'),
	('week_start => 8', '22023 week_start must not be 8'),
	('as_of => ''infinity''', '22008 as_of must be a finite date, not infinity'),
	('observed_since => ''-infinity''', '22008 observed_since must be a finite date, not -infinity')
) AS v(arguments, error);
SELECT alike(error_of('SELECT * FROM shop, retention(h, confidence => ' || value || ')'), '22023 confidence %', 'confidence ' || value)
FROM unnest(ARRAY['0', '1', '-0.5', '''NaN''']) AS value;
SELECT results_eq('SELECT r.* FROM shop, retention(h, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL) AS r',
                  'SELECT r.* FROM shop, retention(h) AS r', 'NULL is the default of every argument');

-- a segment that stopped buying: its own last day hides its silence
CREATE TABLE segment AS
SELECT segment, customer_history(c, d) AS h
FROM (SELECT CASE WHEN c % 2 = 0 THEN 'alive' ELSE 'gone' END AS segment, c, date '2024-01-05' + 30 * n AS d
      FROM generate_series(1, 20) AS c, generate_series(0, CASE WHEN c % 2 = 0 THEN 11 ELSE 2 END) AS n) AS o
GROUP BY segment;
SELECT results_eq(
	$$SELECT segment, max(period_number), min(rate) FROM segment, retention(h) GROUP BY 1 ORDER BY 1$$,
	$$VALUES ('alive', 10, 1::float8), ('gone', 2, 1::float8)$$, 'each with its own as_of: both look alive');
SELECT results_eq(
	$$SELECT segment, max(period_number), min(rate) FROM segment, retention(h, as_of => '2024-12-31') GROUP BY 1 ORDER BY 1$$,
	$$VALUES ('alive', 11, 0::float8), ('gone', 11, 0::float8)$$, 'with a common as_of the silence shows');

SELECT finish();
