-- repurchase against published counts, against SQL written by hand, on CDNOW
-- and on random orders, and the properties and errors it promises.
-- Kaplan-Meier against R is in survival.sql.

BEGIN;
SELECT plan(94);
SET LOCAL jit = off; -- of many small queries, compiling would be the largest part

\ir include/seed.sql

\ir include/cdnow.sql

CREATE TEMP TABLE orders (customer bigint, day date, amount numeric);
CREATE TEMP TABLE history (h loyalty.customer_history);

-- The report by another way: lists of days, counted customer by customer, and
-- a product over the times of events for Kaplan-Meier.
CREATE FUNCTION pg_temp.period_start(cohort text, day date, week_start integer)
RETURNS date
LANGUAGE sql AS $$
	SELECT CASE cohort
		WHEN 'all' THEN '-infinity'
		WHEN 'week' THEN day - (extract(isodow FROM day)::integer - week_start + 7) % 7
		ELSE date_trunc(cohort, day)::date END
$$;
CREATE FUNCTION pg_temp.reference(windows integer[], wanted_cohort text, until date, same_day boolean,
								  week_start integer, z float8, since date)
RETURNS TABLE (n bigint, cohort date, window_days integer, customers bigint, eligible bigint, repurchased bigint,
			   rate float8, rate_low float8, rate_high float8, complete boolean,
			   km_rate float8, km_low float8, km_high float8)
LANGUAGE sql AS $$
	WITH listed AS (
		SELECT o.customer, o.day FROM orders AS o WHERE coalesce(amount, 0) >= 0 AND o.day <= until AND same_day
		UNION ALL
		SELECT DISTINCT o.customer, o.day FROM orders AS o WHERE coalesce(amount, 0) >= 0 AND o.day <= until AND NOT same_day
	), subject AS (
		SELECT pg_temp.period_start(wanted_cohort, days[1], week_start) AS start,
			   until - days[1] AS observed, days[2] - days[1] AS gap
		FROM (SELECT array_agg(day ORDER BY day) AS days FROM listed GROUP BY customer) AS d
		WHERE days[1] >= since OR since IS NULL
	), believed AS MATERIALIZED (
		SELECT * FROM subject WHERE since IS NULL OR start >= since OR wanted_cohort = 'all'
	), w AS (
		SELECT DISTINCT unnest(windows) AS days
	), counted AS (
		SELECT start, days, count(*) AS customers, count(*) FILTER (WHERE observed >= days) AS eligible,
			   count(*) FILTER (WHERE observed >= days AND gap <= days) AS repurchased
		FROM believed CROSS JOIN w GROUP BY start, days
	), leaving AS (
		SELECT start, coalesce(gap, observed) AS time, count(gap) AS d, count(*) AS leaving FROM believed GROUP BY 1, 2
	), risk AS (
		SELECT start, time, d::float8, sum(leaving) OVER (PARTITION BY start ORDER BY time DESC)::float8 AS n FROM leaving
	), curve AS (
		SELECT start, days, sum(ln((n - d) / n)) FILTER (WHERE n > d) AS log_s,
			   sum(d / (n * (n - d))) FILTER (WHERE n > d) AS greenwood,
			   coalesce(bool_or(n = d), false) AS all_returned, sum(d) AS events
		FROM risk JOIN w ON time <= days WHERE d > 0 GROUP BY start, days
	), estimated AS (
		SELECT c.*, nullif(eligible, 0)::float8 AS en, repurchased / nullif(eligible, 0)::float8 AS p,
			   log_s, greenwood, coalesce(all_returned, false) AS all_returned, coalesce(events, 0) > 0 AS any_returned
		FROM counted AS c LEFT JOIN curve USING (start, days)
	), limited AS (
		SELECT *, CASE WHEN p = 0 THEN 0 ELSE (p + z * z / (2 * en) - z * sqrt(p * (1 - p) / en + z * z / (4 * en * en))) / (1 + z * z / en) END AS low,
			   CASE WHEN p = 1 THEN 1 ELSE (p + z * z / (2 * en) + z * sqrt(p * (1 - p) / en + z * z / (4 * en * en))) / (1 + z * z / en) END AS high
		FROM estimated
	)
	SELECT row_number() OVER (ORDER BY start, days), nullif(start, '-infinity'), days, customers, eligible, repurchased, p, low, high,
		   customers = eligible AND
		   CASE wanted_cohort
			   WHEN 'all' THEN true
			   WHEN 'day' THEN start <= until
			   WHEN 'week' THEN start + 6 <= until
			   WHEN 'quarter' THEN (start + interval '3 months')::date - 1 <= until
			   ELSE (start + ('1 ' || wanted_cohort)::interval)::date - 1 <= until END,
		   CASE WHEN eligible = 0 THEN NULL WHEN all_returned THEN 1 WHEN any_returned THEN 1 - exp(log_s) ELSE 0 END,
		   CASE WHEN eligible = 0 THEN NULL WHEN all_returned OR NOT any_returned THEN low
				ELSE 1 - exp(log_s * exp(z * sqrt(greenwood) / log_s)) END,
		   CASE WHEN eligible = 0 THEN NULL WHEN all_returned OR NOT any_returned THEN high
				ELSE 1 - exp(log_s * exp(-z * sqrt(greenwood) / log_s)) END
	FROM limited
$$;

CREATE FUNCTION pg_temp.far(a float8, b float8, tolerance float8)
RETURNS boolean
LANGUAGE sql AS $$
	SELECT (a IS NULL) <> (b IS NULL) OR coalesce(abs(a - b) > tolerance, false)
$$;

-- the rows, numbered as they come, that are not those of the reference
CREATE FUNCTION pg_temp.differences(windows integer[], wanted_cohort text, until date, same_day boolean DEFAULT false,
									week_start integer DEFAULT 1, since date DEFAULT NULL,
									confidence float8 DEFAULT 0.95, z float8 DEFAULT 1.959963984540054)
RETURNS SETOF text
LANGUAGE sql AS $$
	SELECT format('got %s, expected %s', g, r)
	FROM (SELECT g.* FROM history, loyalty.repurchase(h, windows, wanted_cohort, until, same_day, week_start, confidence, since)
		  WITH ORDINALITY AS g(cohort, window_days, customers, eligible, repurchased, rate, rate_low, rate_high, complete,
							   km_rate, km_low, km_high, n)) AS g
	FULL JOIN pg_temp.reference(windows, wanted_cohort, until, same_day, week_start, z, since) AS r USING (n)
	WHERE (g.cohort, g.window_days, g.customers, g.eligible, g.repurchased, g.rate, g.complete)
		  IS DISTINCT FROM (r.cohort, r.window_days, r.customers, r.eligible, r.repurchased, r.rate, r.complete)
	   OR pg_temp.far(g.rate_low, r.rate_low, 1e-13) OR pg_temp.far(g.rate_high, r.rate_high, 1e-13)
	   OR pg_temp.far(g.km_rate, r.km_rate, 1e-12)
	   OR pg_temp.far(g.km_low, r.km_low, 1e-11) OR pg_temp.far(g.km_high, r.km_high, 1e-11)
$$;

-- what is promised of the rows of any report
CREATE FUNCTION pg_temp.broken_promises(windows integer[], cohort text, until date, same_day boolean, since date, confidence float8)
RETURNS SETOF text
LANGUAGE sql AS $$
	SELECT r::text
	FROM (SELECT r.*, lag(r.km_rate) OVER (PARTITION BY r.cohort ORDER BY window_days) AS km_before
		  FROM history, loyalty.repurchase(h, windows, cohort, until, same_day, 1, confidence, since) AS r) AS r
	WHERE NOT (0 <= repurchased AND repurchased <= eligible AND eligible <= customers AND customers > 0)
	   OR (km_rate IS NULL) <> (eligible = 0) OR (rate IS NULL) <> (eligible = 0)
	   OR NOT (km_rate >= km_before)
	   OR NOT (0 <= km_low AND km_low <= km_rate AND km_rate <= km_high AND km_high <= 1)
	   OR NOT (0 <= rate_low AND rate_low <= rate AND rate <= rate_high AND rate_high <= 1)
	   OR eligible = customers AND km_rate <> rate
	   OR complete AND eligible < customers
$$;

-- ---------- CDNOW ----------

INSERT INTO orders SELECT customer_id, day, amount FROM cdnow;
INSERT INTO history SELECT loyalty.customer_history(customer, day, amount) FROM orders;

SELECT is(count(*), 69659::bigint, 'all of CDNOW') FROM orders;
SELECT results_eq(
	$$SELECT cohort, window_days, customers, eligible, repurchased, round(rate::numeric, 4), complete FROM history, loyalty.repurchase(h, cohort => 'all', as_of => '1998-06-30')$$,
	$$VALUES (NULL::date, 30, 23570::bigint, 23570::bigint, 4115::bigint, .1746, true), (NULL, 60, 23570, 23570, 5929, .2515, true),
			 (NULL, 90, 23570, 23570, 6887, .2922, true), (NULL, 180, 23570, 23570, 8827, .3745, true), (NULL, 360, 23570, 23570, 10769, .4569, true)$$,
	'the published counts');
SELECT results_eq(
	$$SELECT window_days, repurchased FROM history, loyalty.repurchase(h, cohort => 'all', as_of => '1998-06-30', same_day => true)$$,
	$$VALUES (30, 4355::bigint), (60, 6135), (90, 7079), (180, 8998), (360, 10922)$$,
	'the published counts with orders of the same day');
SELECT is_empty(
	format($$SELECT * FROM history, loyalty.repurchase(h, cohort => %L, same_day => %L) WHERE km_rate IS DISTINCT FROM rate$$, cohort, same_day),
	format('everybody observed: km_rate = rate, cohorts %s, same_day %s', cohort, same_day))
FROM unnest('{all,month,day}'::text[]) AS cohort, unnest('{f,t}'::boolean[]) AS same_day;
SELECT is(round(sum(repurchased) / sum(eligible), 4), CASE WHEN common THEN .3745 ELSE .3961 END, CASE WHEN common THEN 'groups with a common as_of' ELSE 'groups that end with their own last day flatter' END)
FROM unnest('{f,t}'::boolean[]) AS common,
	 (SELECT loyalty.customer_history(customer_id, day) AS h FROM cdnow GROUP BY (customer_id - 1) / 5) AS g,
	 loyalty.repurchase(h, '{180}', 'all', CASE WHEN common THEN date '1998-06-30' END)
GROUP BY common ORDER BY common;

SELECT is_empty(
	format('SELECT pg_temp.differences(%L, %L, %L, %L, %L, %L)', '{30,60,90,180,360,7,1,545,546,2000}'::integer[], cohort, until, same_day, week_start, since),
	format('CDNOW by %s, until %s, same_day %s, weeks from %s, since %s', cohort, until, same_day, week_start, coalesce(since, 'ever')))
FROM (VALUES
	('month', '1998-06-30', false, 1, NULL), ('month', '1998-06-30', true, 1, NULL), ('month', '1997-06-30', false, 1, NULL),
	('month', '1997-06-30', true, 1, '1997-01-02'), ('month', '1997-03-31', false, 1, NULL), ('month', '1997-03-30', true, 1, NULL),
	('month', '1997-02-10', false, 1, NULL), ('month', '1997-01-01', true, 1, NULL), ('month', '1999-12-31', false, 1, NULL),
	('week', '1998-06-30', false, 1, NULL), ('week', '1998-06-30', false, 7, NULL), ('week', '1997-04-27', true, 1, NULL),
	('week', '1997-03-01', true, 7, NULL), ('week', '1997-06-30', false, 3, '1997-02-05'), ('week', '1997-06-30', false, 3, '1997-02-06'),
	('quarter', '1998-06-30', false, 1, NULL), ('quarter', '1997-03-31', true, 1, NULL), ('quarter', '1997-03-30', true, 1, '1997-01-01'),
	('year', '1998-06-30', true, 1, NULL), ('year', '1997-12-31', false, 1, NULL), ('year', '1997-12-30', false, 1, NULL),
	('day', '1998-06-30', false, 1, NULL), ('day', '1997-04-27', true, 1, '1997-02-05'), ('day', '1997-01-20', true, 1, NULL),
	('all', '1998-06-30', true, 1, NULL), ('all', '1997-06-30', false, 1, NULL), ('all', '1997-05-05', false, 1, '1997-02-05'),
	('all', '1997-01-02', true, 1, NULL)) AS c(cohort, until, same_day, week_start, since);
SELECT is_empty(
	format('SELECT pg_temp.broken_promises(array(SELECT generate_series(1, 600)), %L, %L, %L, NULL, 0.95)', cohort, until, same_day),
	format('what is promised, CDNOW by %s until %s, windows of 1 to 600 days', cohort, until))
FROM (VALUES ('all', '1997-06-30', false), ('month', '1998-03-31', true), ('week', '1997-12-31', false), ('day', '1997-04-15', false)) AS c(cohort, until, same_day);

SELECT is(got, expected, 'a rollup of parts, with customers of another type')
FROM (SELECT array_agg(r::text) AS expected FROM history, loyalty.repurchase(h, '{10,100}', 'week', '1997-08-01') AS r) AS e,
	 (SELECT array_agg(r::text) AS got
	  FROM (SELECT loyalty.rollup(h) AS h FROM (SELECT loyalty.customer_history('c' || customer_id, day) AS h FROM cdnow GROUP BY day) AS p) AS t,
		   loyalty.repurchase(h, '{10,100}', 'week', '1997-08-01') AS r) AS g;

-- ---------- random orders ----------

-- Days in four spans, so that there are few cells by cohort and time, which
-- are counted, and many, which are not; refunds, also on days of their own and
-- before the first order, and customers with nothing else; several orders a
-- day; amounts that are not known.
CREATE FUNCTION pg_temp.random_rounds(rounds integer)
RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
	span integer;
	density float8;
	first_day date;
	windows integer[];
	cohort text;
	until date;
	since date;
	same_day boolean;
	week_start integer;
	confidence float8;
	z float8;
BEGIN
	FOR i IN 1..rounds LOOP
		span := (array[8, 60, 500, 4000])[1 + i % 4];
		first_day := date '1999-06-15' + (random() * 1000)::integer;
		density := 0.5 + 4 * random();
		DELETE FROM orders;
		INSERT INTO orders
		SELECT c, first_day + (span * start + span * (1 - start) * random() ^ 3)::integer,
			   CASE WHEN only_refunds OR random() < 0.15 THEN -1 - random() * 10
					WHEN random() < 0.2 THEN NULL
					WHEN random() < 0.1 THEN 0
					ELSE random() * 100 END::numeric(10, 2)
		FROM (SELECT c, random() AS start, random() < 0.05 AS only_refunds, 1 + (density * random() ^ 2 * 4)::integer AS rows
			  FROM generate_series(1, 1 + (random() * 300)::integer) AS c) AS customer,
			 generate_series(1, rows);
		DELETE FROM history;
		INSERT INTO history SELECT loyalty.customer_history(customer, day, amount) FROM orders;

		FOR j IN 1..4 LOOP
			cohort := (array['day', 'week', 'month', 'quarter', 'year', 'all'])[1 + floor(random() * 6)::integer];
			until := first_day + (span * random() * 1.2)::integer;
			since := CASE WHEN random() < 0.3 THEN first_day + (span * random() * 0.6)::integer END;
			same_day := random() < 0.5;
			week_start := 1 + floor(random() * 7)::integer;
			confidence := (array[0.95, 0.5, 0.999])[1 + i % 3];
			z := (array[1.959963984540054, 0.674489750196081743, 3.290526731491926])[1 + i % 3];
			SELECT array_agg(1 + floor(span * random() ^ 2 * 1.2)::integer) INTO windows
			FROM generate_series(0, (random() * 10)::integer);

			RETURN QUERY
			SELECT format('round %s, %s: %s', i, array[windows::text, cohort, until::text, same_day::text, week_start::text, since::text], d)
			FROM pg_temp.differences(windows, cohort, until, same_day, week_start, since, confidence, z) AS d
			UNION ALL
			SELECT format('round %s, %s: %s', i, array[windows::text, cohort, until::text, same_day::text, since::text], b)
			FROM pg_temp.broken_promises(windows, cohort, until, same_day, since, confidence) AS b;
		END LOOP;
	END LOOP;
END
$$;
SELECT is_empty('SELECT pg_temp.random_rounds(120) LIMIT 5', 'random orders');

-- many customers over many days
DELETE FROM orders;
INSERT INTO orders
SELECT c, date '2001-01-01' + (3000 * start + 3000 * (1 - start) * random() ^ 2)::integer, 1
FROM (SELECT c, random() ^ 2 AS start FROM generate_series(1, 4000) AS c) AS customer, generate_series(1, 3);
DELETE FROM history;
INSERT INTO history SELECT loyalty.customer_history(customer, day, amount) FROM orders;
SELECT is_empty(format('SELECT pg_temp.differences(%L, %L, %L)', '{1,30,500,1023,1024,1025,2000,2900}'::integer[], cohort, until),
				format('4,000 customers over 3,000 days by %s, until %s', cohort, until))
FROM (VALUES ('all', '2009-03-20'), ('all', '2005-01-01'), ('year', '2008-01-01'), ('day', '2009-03-20')) AS c(cohort, until);

-- ---------- single cases ----------

-- 20 of 100 customers of March come back within 30 days, 5 on the 31st, 10
-- order twice on their first day
DELETE FROM orders;
INSERT INTO orders SELECT c, date '2024-03-10', 10 FROM generate_series(1, 100) AS c;
INSERT INTO orders SELECT c, date '2024-04-09', 10 FROM generate_series(1, 20) AS c;
INSERT INTO orders SELECT c, date '2024-04-10', 10 FROM generate_series(21, 25) AS c;
INSERT INTO orders SELECT c, date '2024-03-10', 10 FROM generate_series(91, 100) AS c;
INSERT INTO orders SELECT c, date '2024-03-11', -10 FROM generate_series(1, 100) AS c;
DELETE FROM history;
INSERT INTO history SELECT loyalty.customer_history(customer, day, amount) FROM orders;

CREATE FUNCTION pg_temp.rows(arguments text)
RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE
	result text[];
BEGIN
	EXECUTE format('SELECT array_agg((cohort, window_days, customers, eligible, repurchased, rate, complete, km_rate)::text) FROM history, loyalty.repurchase(h%s)', arguments)
	INTO result;
	RETURN result;
END
$$;
SELECT is(pg_temp.rows(arguments), rows::text[], 'March: repurchase(h' || arguments || ')')
FROM (VALUES
	($$, '{29,30,31}', as_of => '2024-04-30'$$, '{"(2024-03-01,29,100,100,0,0,t,0)","(2024-03-01,30,100,100,20,0.2,t,0.2)","(2024-03-01,31,100,100,25,0.25,t,0.25)"}'),
	($$, '{1,30}', as_of => '2024-04-30', same_day => true$$, '{"(2024-03-01,1,100,100,10,0.1,t,0.1)","(2024-03-01,30,100,100,30,0.3,t,0.3)"}'),
	-- observed to the day, and one day less
	($$, '{30,31}', as_of => '2024-04-10'$$, '{"(2024-03-01,30,100,100,20,0.2,t,0.2)","(2024-03-01,31,100,100,25,0.25,t,0.25)"}'),
	($$, '{30,31}', as_of => '2024-04-09'$$, '{"(2024-03-01,30,100,100,20,0.2,t,0.2)","(2024-03-01,31,100,0,0,,f,)"}'),
	-- the window is over, the month is not
	($$, '{5}', as_of => '2024-03-20'$$, '{"(2024-03-01,5,100,100,0,0,f,0)"}'),
	($$, '{5}', 'week', as_of => '2024-03-20'$$, '{"(2024-03-04,5,100,100,0,0,t,0)"}'),
	($$, '{5}', 'week', as_of => '2024-03-15', week_start => 7$$, '{"(2024-03-10,5,100,100,0,0,f,0)"}'),
	($$, '{5}', 'all', as_of => '2024-03-15'$$, '{"(,5,100,100,0,0,t,0)"}'),
	-- nobody could have come back
	($$, as_of => '2024-03-10', windows => '{1,30}'$$, '{"(2024-03-01,1,100,0,0,,f,)","(2024-03-01,30,100,0,0,,f,)"}'),
	($$, '{2147483647}', 'year'$$, '{"(2024-01-01,2147483647,100,0,0,,f,)"}'),
	($$, '{2147483647}', as_of => '5000-12-31', cohort => 'year'$$, '{"(2024-01-01,2147483647,100,0,0,,f,)"}'),
	($$, '{2000000000,30}', as_of => '5874897-12-31', cohort => 'all'$$, '{"(,30,100,100,20,0.2,t,0.2)","(,2000000000,100,100,25,0.25,t,0.25)"}'),
	-- before the first order
	($$, as_of => '2024-03-09'$$, NULL),
	-- not believed: earlier customers, with the periods that begin earlier
	($$, '{30}', observed_since => '2024-03-01'$$, '{"(2024-03-01,30,100,100,20,0.2,t,0.2)"}'),
	($$, '{30}', observed_since => '2024-03-02'$$, NULL),
	($$, '{30}', 'all', observed_since => '2024-03-10'$$, '{"(,30,100,100,20,0.2,t,0.2)"}'),
	($$, '{30}', 'all', observed_since => '2024-03-11'$$, NULL),
	($$, '{30}', 'day', observed_since => '2025-01-01'$$, NULL)) AS c(arguments, rows);

-- limits where the curve says nothing
SELECT is((km_low, km_high), (0::float8, loyalty.rate_high(0, 100)), 'nobody came back: Wilson''s limits')
FROM history, loyalty.repurchase(h, '{29}');
SELECT is((km_rate, km_low, km_high, rate), (1::float8, loyalty.rate_low(3, 3), 1::float8, 1::float8), 'all came back: Wilson''s limits')
FROM (SELECT loyalty.customer_history(c, day) AS h FROM generate_series(1, 3) AS c, unnest('{2024-01-01,2024-01-05}'::date[]) AS day) AS t,
	 loyalty.repurchase(h, '{4}', confidence => 0.95);
SELECT is((eligible, repurchased, km_rate, km_low, km_high), (1::bigint, 1::bigint, 1::float8, loyalty.rate_low(1, 1), 1::float8),
		  'all came back, of whom few are eligible: Wilson''s limits of these')
FROM (SELECT loyalty.customer_history(c, date '2024-01-01' + case when c = 1 then 0 else 10 end + day) AS h FROM generate_series(1, 3) AS c, unnest('{0,4}'::integer[]) AS day) AS t,
	 loyalty.repurchase(h, '{14}');

-- one customer
SELECT is(array_agg(r::text), array['(2024-02-01,1,1,0,0,,,,f,,,)'], 'one customer, one order, one day')
FROM loyalty.repurchase((SELECT loyalty.customer_history(1, date '2024-02-29')), '{1}') AS r;
SELECT is(r::text, format('(2024-02-29,1,1,1,1,1,%s,1,t,1,%1$s,1)', loyalty.rate_low(1, 1)), 'one customer who came back the next day')
FROM loyalty.repurchase((SELECT loyalty.customer_history(1, day) FROM unnest('{2024-02-29,2024-03-01}'::date[]) AS day), '{1}', 'day') AS r;
SELECT is_empty($$SELECT * FROM loyalty.repurchase((SELECT loyalty.customer_history(1, date '2024-02-29', -1)))$$, 'refunds only: no rows');
SELECT is_empty($$SELECT * FROM loyalty.repurchase(NULL)$$, 'NULL: no rows');

-- arguments
SELECT is((SELECT array_agg(r::text) FROM history, loyalty.repurchase(h, NULL, NULL, NULL, NULL, NULL, NULL, NULL) AS r),
		  (SELECT array_agg(r::text) FROM history, loyalty.repurchase(h) AS r), 'NULL means the default');
SELECT is((SELECT array_agg(r::text) FROM history, loyalty.repurchase(h) AS r),
		  (SELECT array_agg(r::text) FROM history, loyalty.repurchase(h, '{30,60,90,180,360}', 'month', '2024-04-10', false, 1, 0.95, '4714-11-24 BC') AS r),
		  'which are these');
SELECT is((SELECT array_agg(r::text) FROM history, loyalty.repurchase(h, '{60,30,60,1,30}') AS r),
		  (SELECT array_agg(r::text) FROM history, loyalty.repurchase(h, '{1,30,60}') AS r), 'windows in any order, some twice');
SELECT is((SELECT array_agg(window_days) FROM history, loyalty.repurchase(h, '[5:6][2:3]={{60,30},{1,2}}')), '{1,2,30,60}', 'windows in two dimensions');
SELECT throws_ok('SELECT * FROM loyalty.repurchase(' || call || ')', code, message, call)
FROM (VALUES
	($$NULL, '{30,0}'$$, '22023', 'windows must not contain 0'),
	($$NULL, '{30,-5}'$$, '22023', 'windows must not contain -5'),
	($$NULL, '{30,NULL}'$$, '22004', 'windows must not contain NULL'),
	($$NULL, '{}'$$, '22023', 'windows must not be empty'),
	($$NULL, cohort => 'fortnight'$$, '22023', 'cohort must not be "fortnight"'),
	($$NULL, cohort => 'Month'$$, '22023', 'cohort must not be "Month"'),
	($$NULL, week_start => 0$$, '22023', 'week_start must not be 0'),
	($$NULL, week_start => 8$$, '22023', 'week_start must not be 8'),
	($$NULL, confidence => 0$$, '22023', 'confidence is 0, but must be greater than 0 and less than 1'),
	($$NULL, confidence => 1$$, '22023', 'confidence is 1, but must be greater than 0 and less than 1'),
	($$NULL, confidence => 'NaN'$$, '22023', 'confidence is NaN, but must be greater than 0 and less than 1'),
	($$NULL, as_of => 'infinity'$$, '22008', 'as_of must be a finite date, not infinity'),
	($$NULL, observed_since => '-infinity'$$, '22008', 'observed_since must be a finite date, not -infinity'),
	($$(SELECT h FROM history), cohort => 'day', as_of => '2051-07-27'$$, '54000', 'report would have 10001 periods, from 2024-03-10 to 2051-07-27')
	) AS c(call, code, message);
SELECT is(count(*), 5::bigint, '10,000 periods are allowed') FROM history, loyalty.repurchase(h, cohort => 'day', as_of => '2051-07-26');

-- 500 million rows, were it not for the timeout
CREATE FUNCTION pg_temp.cancelled_after(query text)
RETURNS interval
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE query;
	RETURN NULL;
EXCEPTION WHEN query_canceled THEN
	RETURN clock_timestamp() - statement_timestamp();
END
$$;
SELECT customer_id, day INTO TEMP few FROM cdnow WHERE customer_id % 10 = 0;
\set slowness 1
\getenv slowness LOYALTY_SLOWNESS
SET LOCAL statement_timeout = '100ms';
SELECT cmp_ok(pg_temp.cancelled_after($$SELECT count(*) FROM (SELECT loyalty.customer_history(customer_id, day) AS h FROM few) AS t,
		loyalty.repurchase(h, (SELECT array_agg(n) FROM generate_series(1, 100000) AS n), 'day')$$),
	'<', :slowness * interval '2 seconds', 'statement_timeout');
SET LOCAL statement_timeout = 0;

SELECT * FROM finish();
ROLLBACK;
