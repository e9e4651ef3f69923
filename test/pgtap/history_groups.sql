-- customer_history of so many groups that rows are added some rows after they
-- came: whatever the plan, and however the query ends.
--
-- All rows are random. A failure shows the seed: LOYALTY_SEED=… repeats it.

\ir include/one_process.sql

-- 10,000 groups of 20 rows of 5 customers, some with refunds, unknown, large and very large amounts
CREATE TABLE sale AS
SELECT i, floor(random() * 10000)::int AS g, floor(random() * 5)::bigint * 70000 AS customer, date '2022-01-01' + floor(random() * 1000)::int AS day,
	   CASE floor(random() * 20) WHEN 0 THEN NULL WHEN 1 THEN -random() * 50 WHEN 2 THEN random() * 1e9 WHEN 3 THEN random() * 1e20 ELSE random() * 600 END::numeric(30, 2) AS amount
FROM generate_series(1, 200000) AS i;
ANALYZE sale;

-- everything that is in the histories of groups, as one text
CREATE FUNCTION pg_temp.contents(query text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SELECT md5(string_agg(concat_ws(''|'', g, e), E''\n'' ORDER BY g, (e).customer, (e).day)) FROM (%s) AS t, LATERAL events_as(NULL::bigint, h) AS e', query) INTO result;
	RETURN result;
END
$$;
CREATE TABLE wanted AS
SELECT md5(string_agg(concat_ws('|', g, row(customer, day, orders, valued, amount)), E'\n' ORDER BY g, customer, day)) AS with_amounts,
	   md5(string_agg(concat_ws('|', g, row(customer, day, n, 0, NULL)), E'\n' ORDER BY g, customer, day)) AS without
FROM (SELECT g, customer, day, count(*) FILTER (WHERE amount IS NULL OR amount >= 0) AS orders, count(*) FILTER (WHERE amount >= 0) AS valued,
			 sum(amount)::numeric(30, 2) AS amount, count(*) AS n
	  FROM sale GROUP BY g, customer, day) AS d;

\set with 'SELECT g, customer_history(customer, day, amount) AS h FROM sale GROUP BY g'
\set without 'SELECT g, customer_history(customer, day) AS h FROM sale GROUP BY g'

-- ---------- whatever the plan ----------

SELECT is(pg_temp.contents(:'without'), without, 'groups hold what plain SQL counts') FROM wanted;
SELECT is(pg_temp.contents(:'with'), with_amounts, 'with amounts, too') FROM wanted;
SET work_mem = '64kB';
SELECT is(pg_temp.contents(:'without'), without, 'groups that are spilled') FROM wanted;
SELECT is(pg_temp.contents(:'with'), with_amounts, 'groups that are spilled, with amounts') FROM wanted;
RESET work_mem;
SET enable_hashagg = off;
SELECT is(pg_temp.contents(:'with'), with_amounts, 'groups that are sorted') FROM wanted;
RESET enable_hashagg;
SELECT is(pg_temp.contents('SELECT g, customer_history(customer, day, amount ORDER BY amount) AS h FROM sale GROUP BY g'), with_amounts, 'rows that are sorted') FROM wanted;
SELECT is(pg_temp.contents('SELECT g, h FROM (SELECT g, customer_history(customer, day) AS other, customer_history(customer, day, amount) AS h, count(*) FROM sale GROUP BY g) AS s WHERE orders(other) > 0'),
		  with_amounts, 'two aggregates') FROM wanted;
SELECT is(pg_temp.contents('SELECT g, h FROM (SELECT g, day, customer_history(customer, day, amount) AS h FROM sale GROUP BY GROUPING SETS ((g), (day), (g, customer))) AS s WHERE g IS NOT NULL AND customers(h) > 1'),
		  pg_temp.contents('SELECT g, h FROM (' || :'with' || ') AS s WHERE customers(h) > 1'), 'grouping sets');
SELECT is(pg_temp.contents('SELECT g, h FROM generate_series(1, 3) AS n, LATERAL (SELECT g, customer_history(customer, day, amount) AS h FROM sale WHERE g % 3 = n - 1 GROUP BY g) AS s'),
		  with_amounts, 'a subquery that is run again') FROM wanted;
SELECT is(pg_temp.contents('SELECT DISTINCT ON (g) g, customer_history(customer, day, amount) OVER (PARTITION BY g ORDER BY customer, day, amount ROWS UNBOUNDED PRECEDING) AS h, count(*) OVER (PARTITION BY g ORDER BY customer, day, amount ROWS UNBOUNDED PRECEDING) AS n FROM sale WHERE g < 300 ORDER BY g, n DESC'),
		  pg_temp.contents('SELECT g, h FROM (' || :'with' || ') AS s WHERE g < 300'), 'windows');
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SELECT is(pg_temp.contents(:'with'), with_amounts, 'partial groups of parallel workers') FROM wanted;
RESET parallel_tuple_cost;
SET max_parallel_workers_per_gather = 0;

-- a query within a query, in the middle of the groups
CREATE FUNCTION pg_temp.groups_within(g int) RETURNS int
LANGUAGE plpgsql AS $$
BEGIN
	IF g = 77 THEN
		RETURN CASE WHEN pg_temp.contents('SELECT g, customer_history(customer, day, amount) AS h FROM sale GROUP BY g') = (SELECT with_amounts FROM wanted) THEN g END;
	END IF;
	RETURN g;
END
$$;
SELECT is(pg_temp.contents('SELECT pg_temp.groups_within(g) AS g, customer_history(customer, day, amount) AS h FROM sale GROUP BY 1'), with_amounts, 'a query within a query') FROM wanted;

-- aggregates of others, from the same functions
CREATE AGGREGATE public.unfinished(bigint, date) (SFUNC = loyalty.customer_history_transition, STYPE = loyalty.customer_history);
CREATE AGGREGATE public.revenue_of(bigint, date, numeric) (SFUNC = loyalty.customer_history_transition, STYPE = loyalty.customer_history, FINALFUNC = loyalty.revenue);
SELECT is(pg_temp.contents('SELECT g, public.unfinished(customer, day) AS h FROM sale GROUP BY g'), without, 'an aggregate without a final function') FROM wanted;
SELECT is(count(*), 0::bigint, 'an aggregate with another final function')
FROM (SELECT g, public.revenue_of(customer, day, amount) AS revenue, sum(amount) AS wanted FROM sale GROUP BY g) AS s WHERE revenue <> wanted;
SELECT customer_history(9::bigint, date '2020-01-01') AS initial
\gset
CREATE AGGREGATE public.begun(bigint, date) (SFUNC = loyalty.customer_history_transition, STYPE = loyalty.customer_history, FINALFUNC = loyalty.orders, INITCOND = :'initial');
SELECT is(count(*), 0::bigint, 'an aggregate with an initial value')
FROM (SELECT public.begun(customer, day) AS orders, count(*) + 1 AS wanted FROM sale GROUP BY g) AS s WHERE orders <> wanted;
DROP AGGREGATE public.begun(bigint, date);

-- ---------- however it ends ----------

CREATE FUNCTION pg_temp.fails(i int) RETURNS int
LANGUAGE plpgsql AS $$
BEGIN
	IF i > 150000 THEN
		RAISE division_by_zero;
	END IF;
	RETURN 0;
END
$$;
CREATE FUNCTION pg_temp.ended(query text, times int) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
	failed int := 0;
BEGIN
	FOR i IN 1 .. times LOOP
		BEGIN
			EXECUTE query;
		EXCEPTION WHEN division_by_zero THEN
			failed := failed + 1;
			IF i % 2 = 0 THEN
				-- the next one begins while the last has just gone
				PERFORM pg_temp.contents('SELECT g, customer_history(customer, day) AS h FROM sale WHERE g < 6000 GROUP BY g');
			END IF;
		END;
	END LOOP;
	RETURN failed;
END
$$;
SELECT is(pg_temp.ended('SELECT g, customer_history(customer + pg_temp.fails(i), day) AS h FROM sale GROUP BY g', 4), 4, 'queries that fail between rows');
SELECT is(pg_temp.contents(:'with'), with_amounts, 'and the next is as if they had not been') FROM wanted;
BEGIN;
DECLARE c CURSOR FOR SELECT g, customers(customer_history(customer, day)) FROM sale GROUP BY g;
DECLARE d CURSOR FOR SELECT g, customers(customer_history(customer, day)) FROM sale GROUP BY g;
FETCH 5 FROM c
\g /dev/null
FETCH 5 FROM d
\g /dev/null
CLOSE c;
SELECT is(pg_temp.contents(:'without'), without, 'while a cursor is open, and after one was closed') FROM wanted;
ROLLBACK;
SELECT is(count(*), 3::bigint, 'LIMIT') FROM (SELECT g, customers(customer_history(customer, day)) FROM sale GROUP BY g LIMIT 3) AS s;
SELECT is(pg_temp.contents(:'with'), with_amounts, 'after LIMIT') FROM wanted;

-- what is wrong with a row is an error of its query, not of one within, nor of the next
CREATE TABLE wrong AS
SELECT g, 1 AS customer, 1.00 AS amount FROM generate_series(1, 6000) AS g
UNION ALL VALUES (0, 1, 900000000000000000000), (0, 1, 0.00000000000000000001), (3, 7, 1.00), (5, 1, 900000000000000000000), (5, 1, 0.00000000000000000001);
CREATE FUNCTION pg_temp.history_within(customer int) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
	h customer_history;
BEGIN
	IF customer = 7 THEN
		BEGIN
			SELECT customer_history(c, '2024-01-01') INTO h FROM generate_series(1::bigint, 3) AS c;
		EXCEPTION WHEN OTHERS THEN
			RAISE EXCEPTION 'in the query within: %', SQLERRM;
		END;
	END IF;
	RETURN customer;
END
$$;
SELECT throws_ok('SELECT count(h) FROM (SELECT g, customer_history(pg_temp.history_within(customer), ''2024-01-01'', amount) AS h FROM wrong GROUP BY g) AS s',
				 '22003', NULL, 'an error is that of its own query');
CREATE FUNCTION pg_temp.after_a_cursor() RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	c refcursor;
	r record;
	h customer_history;
BEGIN
	OPEN c FOR SELECT g, customer_history(customer, '2024-01-01', amount) FROM wrong GROUP BY g;
	BEGIN
		FETCH c INTO r;
	EXCEPTION WHEN numeric_value_out_of_range THEN
		SELECT customer_history(x, '2024-01-01', 1.0) INTO h FROM generate_series(1::bigint, 3) AS x;
	END;
	RETURN orders(h);
END
$$;
SELECT is(pg_temp.after_a_cursor(), '3', 'nor does one of a cursor that failed reach the next query');
CREATE FUNCTION public.orders_or_less(h customer_history) RETURNS bigint
LANGUAGE plpgsql AS $$
BEGIN
	RETURN loyalty.orders(h);
EXCEPTION WHEN numeric_value_out_of_range THEN
	RETURN -1;
END
$$;
CREATE AGGREGATE public.forgiving(bigint, date, numeric) (SFUNC = loyalty.customer_history_transition, STYPE = loyalty.customer_history, FINALFUNC = public.orders_or_less);
SELECT throws_ok('SELECT public.forgiving(customer, ''2024-01-01'', amount) FROM wrong GROUP BY g',
				 '55000', 'a row of this aggregation was lost by an error before', 'an error that a final function catches is not forgotten');
DROP AGGREGATE public.forgiving(bigint, date, numeric);
DROP FUNCTION public.orders_or_less(customer_history);
CREATE FUNCTION public.kept(h customer_history, x int) RETURNS customer_history LANGUAGE sql AS 'SELECT h';
CREATE AGGREGATE public.odd(bigint, date ORDER BY int) (SFUNC = public.kept, STYPE = loyalty.customer_history, FINALFUNC = loyalty.customer_history_transition);
SELECT is(count(*), 6000::bigint, 'a transition that is called as a final function')
FROM (SELECT g, public.odd(g::bigint, '2024-01-01') WITHIN GROUP (ORDER BY g) AS h FROM generate_series(1, 6000) AS g GROUP BY g OFFSET 0) AS s WHERE orders(h) = 1;
SELECT is(pg_temp.contents(:'without'), without, 'which leaves nothing behind') FROM wanted;
DROP AGGREGATE public.odd(bigint, date ORDER BY int);
DROP FUNCTION public.kept(customer_history, int);
DROP TABLE wrong;
DROP AGGREGATE public.unfinished(bigint, date), public.revenue_of(bigint, date, numeric);
DROP TABLE sale, wanted;
SELECT * FROM finish();
