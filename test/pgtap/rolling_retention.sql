-- rolling_retention against SQL written by hand, on CDNOW and on random
-- orders, and the properties and errors it promises.

BEGIN;
SELECT plan(72);
SET LOCAL jit = off; -- of many small queries, compiling would be the largest part

\ir include/seed.sql

\ir include/cdnow.sql

CREATE TEMP TABLE orders (customer bigint, day date, amount numeric);
CREATE TEMP TABLE history (h loyalty.customer_history);

-- The report by another way: what each customer did in each bracket, in
-- plain counts.
CREATE FUNCTION pg_temp.period_start(cohort text, day date, week_start integer)
RETURNS date
LANGUAGE sql AS $$
	SELECT CASE cohort
		WHEN 'all' THEN '-infinity'
		WHEN 'week' THEN day - (extract(isodow FROM day)::integer - week_start + 7) % 7
		ELSE date_trunc(cohort, day)::date END
$$;
CREATE FUNCTION pg_temp.reference(days integer[], wanted_cohort text, until date, week_start integer, z float8, since date)
RETURNS TABLE (kind text, n bigint, cohort date, from_day integer, to_day integer, customers bigint, eligible bigint,
			   retained bigint, rate float8, rate_low float8, rate_high float8, complete boolean)
LANGUAGE sql AS $$
	WITH purchase AS MATERIALIZED (
		SELECT customer, day, min(day) OVER (PARTITION BY customer) AS first
		FROM (SELECT DISTINCT o.customer, o.day FROM orders AS o WHERE coalesce(amount, 0) >= 0 AND o.day <= until) AS d
	), bracket AS (
		SELECT to_day, lag(to_day, 1, 0) OVER (ORDER BY to_day) AS previous FROM (SELECT DISTINCT unnest(days) AS to_day) AS d
	), done AS (
		SELECT customer, pg_temp.period_start(wanted_cohort, first, week_start) AS start, previous, to_day, until - first AS observed,
			   count(*) FILTER (WHERE day - first > previous AND day - first <= to_day) > 0 AS inside,
			   count(*) FILTER (WHERE day - first > 0 AND day - first <= to_day) > 0 AS before,
			   count(*) FILTER (WHERE day - first > previous) > 0 AS after
		FROM purchase CROSS JOIN bracket
		WHERE first >= since OR since IS NULL
		GROUP BY customer, first, previous, to_day
	), believed AS (
		SELECT *, bool_and(inside) OVER (PARTITION BY customer ORDER BY to_day) AS unbroken
		FROM done
		WHERE since IS NULL OR start >= since OR wanted_cohort = 'all'
	), counted AS (
		SELECT start, previous, to_day, count(*) AS customers, count(*) FILTER (WHERE observed >= to_day) AS eligible,
			   array[count(*) FILTER (WHERE observed >= to_day AND inside), count(*) FILTER (WHERE observed >= to_day AND before),
					 count(*) FILTER (WHERE observed >= to_day AND after), count(*) FILTER (WHERE observed >= to_day AND unbroken)] AS yes
		FROM believed GROUP BY start, previous, to_day
	), shared AS (
		SELECT *, nullif(eligible, 0)::float8 AS en, retained / nullif(eligible, 0)::float8 AS p
		FROM counted, unnest('{on,on_or_before,on_or_after,streak}'::text[], yes) AS k(kind, retained)
	)
	SELECT kind, row_number() OVER (PARTITION BY kind ORDER BY start, to_day), nullif(start, '-infinity'), previous + 1, to_day,
		   customers, eligible, retained, p,
		   CASE WHEN p = 0 THEN 0 ELSE (p + z * z / (2 * en) - z * sqrt(p * (1 - p) / en + z * z / (4 * en * en))) / (1 + z * z / en) END,
		   CASE WHEN p = 1 THEN 1 ELSE (p + z * z / (2 * en) + z * sqrt(p * (1 - p) / en + z * z / (4 * en * en))) / (1 + z * z / en) END,
		   customers = eligible AND kind <> 'on_or_after' AND
		   CASE wanted_cohort
			   WHEN 'all' THEN true
			   WHEN 'day' THEN start <= until
			   WHEN 'week' THEN start + 6 <= until
			   WHEN 'quarter' THEN (start + interval '3 months')::date - 1 <= until
			   ELSE (start + ('1 ' || wanted_cohort)::interval)::date - 1 <= until END
	FROM shared
$$;

CREATE FUNCTION pg_temp.far(a float8, b float8, tolerance float8)
RETURNS boolean
LANGUAGE sql AS $$
	SELECT (a IS NULL) <> (b IS NULL) OR coalesce(abs(a - b) > tolerance, false)
$$;

-- the rows of all kinds, numbered as they come, that are not those of the reference
CREATE FUNCTION pg_temp.differences(days integer[], wanted_cohort text, until date, week_start integer DEFAULT 1, since date DEFAULT NULL,
									confidence float8 DEFAULT 0.95, z float8 DEFAULT 1.959963984540054)
RETURNS SETOF text
LANGUAGE sql AS $$
	SELECT format('got %s, expected %s', g, r)
	FROM (SELECT k.kind, g.*
		  FROM history, unnest('{on,on_or_before,on_or_after,streak}'::text[]) AS k(kind),
			   loyalty.rolling_retention(h, days, k.kind, wanted_cohort, until, week_start, confidence, since)
			   WITH ORDINALITY AS g(cohort, from_day, to_day, customers, eligible, retained, rate, rate_low, rate_high, complete, n)) AS g
	FULL JOIN pg_temp.reference(days, wanted_cohort, until, week_start, z, since) AS r USING (kind, n)
	WHERE (g.cohort, g.from_day, g.to_day, g.customers, g.eligible, g.retained, g.rate, g.complete)
		  IS DISTINCT FROM (r.cohort, r.from_day, r.to_day, r.customers, r.eligible, r.retained, r.rate, r.complete)
	   OR pg_temp.far(g.rate_low, r.rate_low, 1e-13) OR pg_temp.far(g.rate_high, r.rate_high, 1e-13)
$$;

-- What is promised of the rows of any report. Rates are compared between
-- brackets only where both have all customers.
CREATE FUNCTION pg_temp.broken_promises(days integer[], cohort text, until date, since date)
RETURNS SETOF text
LANGUAGE sql AS $$
	WITH r AS (
		SELECT k.kind, r.*, lag(to_day, 1, 0) OVER w AS last_to_day, lag(retained) OVER w AS last_retained, lag(eligible) OVER w AS last_eligible
		FROM history, unnest('{on,on_or_before,on_or_after,streak}'::text[]) AS k(kind),
			 loyalty.rolling_retention(h, days, k.kind, cohort, until, 1, 0.95, since) AS r
		WINDOW w AS (PARTITION BY k.kind, r.cohort ORDER BY to_day)
	)
	SELECT r::text FROM r
	WHERE NOT (0 <= retained AND retained <= eligible AND eligible <= customers AND customers > 0) OR eligible > last_eligible
	   OR (rate IS NULL) <> (eligible = 0) OR rate IS DISTINCT FROM retained / nullif(eligible, 0)::float8
	   OR from_day <> last_to_day + 1
	   OR kind IN ('on_or_after', 'streak') AND retained > last_retained
	   OR kind = 'on_or_before' AND eligible = customers AND retained < last_retained
	   OR complete AND (eligible < customers OR kind = 'on_or_after')
	UNION ALL
	SELECT pivot::text
	FROM (SELECT cohort, to_day, min(from_day) AS from_day,
				 min(retained) FILTER (WHERE kind = 'on') AS inside, min(retained) FILTER (WHERE kind = 'on_or_before') AS before,
				 min(retained) FILTER (WHERE kind = 'on_or_after') AS after, min(retained) FILTER (WHERE kind = 'streak') AS unbroken
		  FROM r GROUP BY cohort, to_day) AS pivot
	WHERE NOT (unbroken <= inside AND inside <= least(before, after) AND (from_day > 1 OR unbroken = inside AND before = inside))
	UNION ALL
	SELECT format('on_or_before %s, but repurchase %s', b, p)
	FROM (SELECT array_agg((cohort, to_day, customers, eligible, retained, rate, rate_low, rate_high, complete)::text ORDER BY cohort, to_day) AS b
		  FROM r WHERE kind = 'on_or_before') AS b,
		 (SELECT array_agg((p.cohort, window_days, customers, eligible, repurchased, rate, rate_low, rate_high, complete)::text) AS p
		  FROM history, loyalty.repurchase(h, days, broken_promises.cohort, until, observed_since => since) AS p) AS p
	WHERE b IS DISTINCT FROM p
$$;

-- ---------- CDNOW ----------

INSERT INTO orders SELECT customer_id, day, amount FROM cdnow;
INSERT INTO history SELECT loyalty.customer_history(customer, day, amount) FROM orders;

SELECT is(count(*), 69659::bigint, 'all of CDNOW') FROM orders;
SELECT results_eq(
	$$SELECT from_day, to_day, customers, eligible, retained, complete FROM history, loyalty.rolling_retention(h, '{30,60,90,180,360}', 'on_or_before', 'all', '1998-06-30')$$,
	$$VALUES (1, 30, 23570::bigint, 23570::bigint, 4115::bigint, true), (31, 60, 23570, 23570, 5929, true), (61, 90, 23570, 23570, 6887, true),
			 (91, 180, 23570, 23570, 8827, true), (181, 360, 23570, 23570, 10769, true)$$,
	'on_or_before is repurchase: the published counts');
SELECT is_empty(
	format('SELECT pg_temp.differences(%L, %L, %L, %L, %L)', '{30,60,90,180,360,545}'::integer[], cohort, until, week_start, since),
	format('CDNOW by %s, until %s, weeks from %s, since %s', cohort, until, week_start, coalesce(since, 'ever')))
FROM (VALUES
	('month', '1998-06-30', 1, NULL), ('month', '1997-06-30', 1, NULL), ('month', '1997-03-31', 1, '1997-01-02'),
	('month', '1997-03-30', 1, NULL), ('month', '1997-01-01', 1, NULL), ('month', '1999-12-31', 1, NULL),
	('week', '1998-06-30', 1, NULL), ('week', '1997-12-31', 7, NULL), ('week', '1997-06-30', 3, '1997-02-05'), ('week', '1997-04-06', 3, '1997-02-06'),
	('quarter', '1998-06-30', 1, NULL), ('quarter', '1997-03-30', 1, NULL),
	('year', '1997-12-31', 1, NULL), ('year', '1997-12-30', 1, '1997-01-01'),
	('day', '1998-06-30', 1, NULL), ('day', '1997-04-27', 1, '1997-02-05'),
	('all', '1998-06-30', 1, NULL), ('all', '1997-05-05', 1, '1997-02-05'), ('all', '1997-01-31', 1, NULL)) AS c(cohort, until, week_start, since);
SELECT is_empty(format('SELECT pg_temp.differences(array(SELECT generate_series(1, %s, %s)), %L, %L)', last, step, cohort, until),
				format('CDNOW, brackets of %s days, by %s, until %s', step, cohort, until))
FROM (VALUES (12, 1, 'week', '1997-02-15'), (600, 28, 'all', '1998-06-30')) AS c(last, step, cohort, until);
SELECT is_empty(
	format('SELECT pg_temp.broken_promises(array(SELECT generate_series(1, 300, 7)), %L, %L, NULL)', cohort, until),
	format('what is promised, CDNOW by %s until %s', cohort, until))
FROM (VALUES ('all', '1997-06-30'), ('month', '1998-03-31'), ('week', '1997-12-31')) AS c(cohort, until);

SELECT is(got, expected, 'a rollup of parts, with customers of another type')
FROM (SELECT array_agg(r::text) AS expected FROM history, loyalty.rolling_retention(h, '{10,100}', 'on', 'week', '1997-08-01') AS r) AS e,
	 (SELECT array_agg(r::text) AS got
	  FROM (SELECT loyalty.rollup(h) AS h FROM (SELECT loyalty.customer_history('c' || customer_id, day) AS h FROM cdnow GROUP BY day) AS p) AS t,
		   loyalty.rolling_retention(h, '{10,100}', 'on', 'week', '1997-08-01') AS r) AS g;

-- ---------- random orders ----------

-- Refunds, also on days of their own and before the first order, and
-- customers with nothing else; several orders a day; amounts not known.
CREATE FUNCTION pg_temp.random_rounds(rounds integer)
RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
	span integer;
	density float8;
	first_day date;
	days integer[];
	cohort text;
	until date;
	since date;
	week_start integer;
	confidence float8;
	z float8;
BEGIN
	FOR i IN 1..rounds LOOP
		span := (array[8, 60, 500, 4000])[1 + i % 4];
		first_day := date '1999-06-15' + (random() * 1000)::integer;
		density := 0.5 + 6 * random();
		DELETE FROM orders;
		INSERT INTO orders
		SELECT c, first_day + (span * start + span * (1 - start) * random() ^ 2)::integer,
			   CASE WHEN only_refunds OR random() < 0.15 THEN -1 - random() * 10
					WHEN random() < 0.2 THEN NULL
					WHEN random() < 0.1 THEN 0
					ELSE random() * 100 END::numeric(10, 2)
		FROM (SELECT c, random() AS start, random() < 0.05 AS only_refunds, 1 + (density * random() ^ 2 * 4)::integer AS rows
			  FROM generate_series(1, 1 + (random() * 150)::integer) AS c) AS customer,
			 generate_series(1, rows);
		DELETE FROM history;
		INSERT INTO history SELECT loyalty.customer_history(customer, day, amount) FROM orders;

		FOR j IN 1..3 LOOP
			cohort := (array['day', 'week', 'month', 'quarter', 'year', 'all'])[1 + floor(random() * 6)::integer];
			until := first_day + (span * random() * 1.2)::integer;
			since := CASE WHEN random() < 0.3 THEN first_day + (span * random() * 0.6)::integer END;
			week_start := 1 + floor(random() * 7)::integer;
			confidence := (array[0.95, 0.5, 0.999])[1 + i % 3];
			z := (array[1.959963984540054, 0.674489750196081743, 3.290526731491926])[1 + i % 3];
			SELECT array_agg(1 + floor(span * random() ^ 2 * 1.2)::integer) INTO days
			FROM generate_series(0, (random() * 8)::integer);

			RETURN QUERY
			SELECT format('round %s, %s: %s', i, array[days::text, cohort, until::text, week_start::text, since::text], d)
			FROM pg_temp.differences(days, cohort, until, week_start, since, confidence, z) AS d
			UNION ALL
			SELECT format('round %s, %s: %s', i, array[days::text, cohort, until::text, since::text], b)
			FROM pg_temp.broken_promises(days, cohort, until, since) AS b;
		END LOOP;
	END LOOP;
END
$$;
SELECT is_empty('SELECT pg_temp.random_rounds(60) LIMIT 5', 'random orders');

-- More days than a table of brackets by day has, in a history of 500 years.
DELETE FROM orders;
INSERT INTO orders SELECT c, date '1500-01-01' + (180000 * random() ^ 2)::integer, 1 FROM generate_series(1, 200) AS c, generate_series(1, 5);
-- and customers who come back on the first and the last days of brackets
INSERT INTO orders
SELECT later, date '1500-01-01' + n, 1
FROM unnest('{1,10,11,100,101,1000,1001,30000,65536,65537,65538,66000,66001,80000,80001,150000,150001,170000,170001}'::integer[]) AS later,
	 unnest(array[0, later]) AS n;
DELETE FROM history;
INSERT INTO history SELECT loyalty.customer_history(customer, day, amount) FROM orders;
SELECT is_empty(format('SELECT pg_temp.differences(%L, %L, %L)', days, cohort, until), format('500 years by %s until %s', cohort, until))
FROM (VALUES ('{1,10,1000,10000,20000,65536,65537,65538,70000,100000,150000,170000,200000}'::integer[], 'all', '1992-10-26'),
			 ('{100,30000,66000,80000,120000}', 'year', '1950-01-01')) AS c(days, cohort, until);

-- More cells than one pass takes: 1,201 daily cohorts and 1,001 brackets,
-- the last of which have been observed of the older cohorts only.
DELETE FROM orders;
INSERT INTO orders
SELECT c, first + later, 1
FROM (SELECT c, date '2000-01-01' + c % 1201 AS first FROM generate_series(0, 1600) AS c) AS customer,
	 unnest(array[0, 1 + (c * 7919) % 700, 1 + (c * 104729) % 1500]) AS later;
DELETE FROM history;
INSERT INTO history SELECT loyalty.customer_history(customer, day, amount) FROM orders;
CREATE TEMP TABLE many_cells AS
SELECT r.* FROM history, loyalty.rolling_retention(h, array(SELECT generate_series(1, 1001)), 'on', 'day', '2003-09-01') AS r;
SELECT results_eq(
	'SELECT count(*), sum(customers)::bigint, sum(eligible)::bigint, sum(retained)::bigint, min(cohort), max(cohort) FROM many_cells',
	$$SELECT 1201 * 1001::bigint, 1601 * 1001::bigint, sum(least(1001, date '2003-09-01' - first)), sum(retained)::bigint, min(first), max(first)
	  FROM (SELECT customer, min(day) AS first, array_agg(day) AS days FROM orders WHERE day <= '2003-09-01' GROUP BY customer) AS c,
		   LATERAL (SELECT count(DISTINCT day) FILTER (WHERE day > first AND day - first <= 1001) AS retained FROM unnest(days) AS day) AS d$$,
	'sums over 1.2 million cells, in two passes');
SELECT bag_eq(
	'SELECT cohort, to_day, retained FROM many_cells WHERE retained > 0',
	$$SELECT first, day - first, count(DISTINCT customer)
	  FROM (SELECT customer, day, min(day) OVER (PARTITION BY customer) AS first FROM orders WHERE day <= '2003-09-01') AS o
	  WHERE day > first AND day - first <= 1001 GROUP BY 1, 2$$,
	'and all of them that are not 0');
DROP TABLE many_cells;

-- ---------- single cases ----------

-- One customer: day 0, 30, 31, 90 and 400.
DELETE FROM history;
INSERT INTO history
SELECT loyalty.customer_history('anna', date '2024-01-01' + n, 10) FROM unnest('{0,0,30,31,90,400}'::integer[]) AS n;

CREATE FUNCTION pg_temp.rows(arguments text)
RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE
	result text[];
BEGIN
	EXECUTE format('SELECT array_agg(format(''%%s-%%s %%s/%%s/%%s %%s %%s'', from_day, to_day, retained, eligible, customers, rate, complete)) FROM history, loyalty.rolling_retention(h%s)', arguments)
	INTO result;
	RETURN result;
END
$$;
SELECT is(pg_temp.rows(arguments), rows::text[], 'anna: rolling_retention(h' || arguments || ')')
FROM (VALUES
	('', '{"1-30 1/1/1 1 t","31-60 1/1/1 1 t","61-90 1/1/1 1 t"}'),
	($$, '{29}'$$, '{"1-29 0/1/1 0 t"}'),
	($$, '{29,30,31,32,89,91}'$$, '{"1-29 0/1/1 0 t","30-30 1/1/1 1 t","31-31 1/1/1 1 t","32-32 0/1/1 0 t","33-89 0/1/1 0 t","90-91 1/1/1 1 t"}'),
	($$, '{30,60,80,90,120}', 'streak'$$, '{"1-30 1/1/1 1 t","31-60 1/1/1 1 t","61-80 0/1/1 0 t","81-90 0/1/1 0 t","91-120 0/1/1 0 t"}'),
	($$, '{29,30}', 'streak'$$, '{"1-29 0/1/1 0 t","30-30 0/1/1 0 t"}'),
	($$, '{29,30,500}', 'on_or_before', as_of => '2025-06-01'$$, '{"1-29 0/1/1 0 t","30-30 1/1/1 1 t","31-500 1/1/1 1 t"}'),
	($$, '{90,399,400,500}', 'on_or_after', as_of => '2025-06-01'$$, '{"1-90 1/1/1 1 f","91-399 1/1/1 1 f","400-400 1/1/1 1 f","401-500 0/1/1 0 f"}'),
	-- what is later than as_of is not known
	($$, '{60,90,120}', 'on_or_after', as_of => '2024-03-30'$$, '{"1-60 1/1/1 1 f","61-90 0/0/1  f","91-120 0/0/1  f"}'),
	($$, '{60,90}', 'on_or_after', as_of => '2024-03-31'$$, '{"1-60 1/1/1 1 f","61-90 1/1/1 1 f"}'),
	($$, '{60,90}', as_of => '2024-03-31'$$, '{"1-60 1/1/1 1 t","61-90 1/1/1 1 t"}'),
	-- the bracket is over, the month is not
	($$, '{15,30}', as_of => '2024-01-30'$$, '{"1-15 0/1/1 0 f","16-30 0/0/1  f"}'),
	($$, '{15}', cohort => 'all', as_of => '2024-01-30'$$, '{"1-15 0/1/1 0 t"}'),
	($$, '{15}', as_of => '2024-01-01'$$, '{"1-15 0/0/1  f"}'),
	($$, '{2147483647,2147483646}', 'on_or_before', as_of => '2024-01-01'$$, '{"1-2147483646 0/0/1  f","2147483647-2147483647 0/0/1  f"}'),
	($$, as_of => '2023-12-31'$$, NULL),
	($$, '{15}', observed_since => '2024-01-01'$$, '{"1-15 0/1/1 0 t"}'),
	($$, '{15}', observed_since => '2024-01-02'$$, NULL),
	($$, '{15}', cohort => 'all', observed_since => '2024-01-01'$$, '{"1-15 0/1/1 0 t"}'),
	($$, '{15}', cohort => 'all', observed_since => '2024-01-02'$$, NULL),
	($$, '{15}', cohort => 'year', observed_since => '2030-01-02'$$, NULL)) AS c(arguments, rows);

SELECT is_empty($$SELECT * FROM loyalty.rolling_retention((SELECT loyalty.customer_history(1, date '2024-02-29', -1)))$$, 'refunds only: no rows');
SELECT is_empty($$SELECT * FROM loyalty.rolling_retention(NULL)$$, 'NULL: no rows');

-- arguments
SELECT is((SELECT array_agg(r::text) FROM history, loyalty.rolling_retention(h, NULL, NULL, NULL, NULL, NULL, NULL, NULL) AS r),
		  (SELECT array_agg(r::text) FROM history, loyalty.rolling_retention(h) AS r), 'NULL means the default');
SELECT is((SELECT array_agg(r::text) FROM history, loyalty.rolling_retention(h) AS r),
		  (SELECT array_agg(r::text) FROM history, loyalty.rolling_retention(h, '{30,60,90}', 'on', 'month', '2025-02-04', 1, 0.95, '4714-11-24 BC') AS r),
		  'which are these');
SELECT is((SELECT array_agg(r::text) FROM history, loyalty.rolling_retention(h, '{60,30,60,1,30}') AS r),
		  (SELECT array_agg(r::text) FROM history, loyalty.rolling_retention(h, '{1,30,60}') AS r), 'days in any order, some twice');
SELECT throws_ok('SELECT * FROM loyalty.rolling_retention(' || call || ')', code, message, call)
FROM (VALUES
	($$NULL, '{30,0}'$$, '22023', 'days must not contain 0'),
	($$NULL, '{30,-5}'$$, '22023', 'days must not contain -5'),
	($$NULL, '{30,NULL}'$$, '22004', 'days must not contain NULL'),
	($$NULL, '{}'$$, '22023', 'days must not be empty'),
	($$NULL, kind => 'after'$$, '22023', 'kind must not be "after"'),
	($$NULL, cohort => 'period'$$, '22023', 'cohort must not be "period"'),
	($$NULL, week_start => 8$$, '22023', 'week_start must not be 8'),
	($$NULL, confidence => 0$$, '22023', 'confidence is 0, but must be greater than 0 and less than 1'),
	($$NULL, confidence => 1$$, '22023', 'confidence is 1, but must be greater than 0 and less than 1'),
	($$NULL, confidence => 'NaN'$$, '22023', 'confidence is NaN, but must be greater than 0 and less than 1'),
	($$NULL, as_of => '-infinity'$$, '22008', 'as_of must be a finite date, not -infinity'),
	($$NULL, observed_since => 'infinity'$$, '22008', 'observed_since must be a finite date, not infinity'),
	($$(SELECT h FROM history), cohort => 'day', as_of => '2051-05-19'$$, '54000', 'report would have 10001 periods, from 2024-01-01 to 2051-05-19')
	) AS c(call, code, message);
SELECT is(count(*), 3::bigint, '10,000 periods are allowed') FROM history, loyalty.rolling_retention(h, cohort => 'day', as_of => '2051-05-18');

-- hundreds of millions of rows, were it not for the timeout
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
		loyalty.rolling_retention(h, (SELECT array_agg(n) FROM generate_series(1, 100000) AS n), 'on', 'day')$$),
	'<', :slowness * interval '2 seconds', 'statement_timeout');
SET LOCAL statement_timeout = 0;

SELECT * FROM finish();
ROLLBACK;
