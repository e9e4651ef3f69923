-- Rows that an aggregate takes from the page of its scan, without the executor
-- between: where that happens, and that nothing but the time tells.
--
-- FILTER (WHERE true) leaves it to the executor; so the same query with and
-- without it must give the same. All rows are random. A failure shows the
-- seed: LOYALTY_SEED=… repeats it.

\ir include/one_process.sql

-- ---------- where ----------

-- They write down that they were called: the executor calls them row by row.
CREATE FUNCTION c(value bigint) RETURNS bigint STABLE STRICT LANGUAGE plpgsql AS $$BEGIN PERFORM set_config('test.calls', current_setting('test.calls') || 'c', false); RETURN value; END$$;
CREATE FUNCTION d(value date) RETURNS date STABLE STRICT LANGUAGE plpgsql AS $$BEGIN PERFORM set_config('test.calls', current_setting('test.calls') || 'd', false); RETURN value; END$$;
CREATE FUNCTION shifted(value date, days int) RETURNS date STABLE STRICT LANGUAGE plpgsql AS $$BEGIN PERFORM set_config('test.calls', current_setting('test.calls') || 'd', false); RETURN value + days; END$$;
CREATE FUNCTION own_volatile(value date) RETURNS date VOLATILE STRICT LANGUAGE plpgsql AS 'BEGIN RETURN d(value); END';
CREATE FUNCTION own_lax(value date) RETURNS date STABLE LANGUAGE plpgsql AS 'BEGIN RETURN d(value); END';

CREATE FUNCTION who_reads(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	calls text;
BEGIN
	PERFORM set_config('test.calls', '', false);
	EXECUTE 'SELECT customers(h) FROM (' || query || ') AS q';
	calls := current_setting('test.calls');
	RETURN CASE WHEN calls ~ '^(cd)+$' AND length(calls) > 2 THEN 'executor' WHEN calls ~ '^(cdcc+dd+)+$' THEN 'page' ELSE calls END;
END
$$;

CREATE TABLE few (customer bigint, day date, amount numeric, at timestamptz, code varchar, number int, note text);
INSERT INTO few SELECT i, date '2024-01-01' + i, i, timestamptz '2024-01-01' + i * interval '1 day', i, i, 'x' FROM generate_series(1, 6) AS i;
CREATE INDEX ON few (customer);
CREATE TABLE parts (customer bigint, day date, amount numeric) PARTITION BY LIST (customer);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1, 2, 3);
CREATE TABLE parts_2 (amount numeric, note text, day date, customer bigint);
ALTER TABLE parts_2 DROP note;
ALTER TABLE parts ATTACH PARTITION parts_2 DEFAULT;
INSERT INTO parts SELECT customer, day, amount FROM few;
CREATE SEQUENCE s;
CREATE VIEW few_view AS SELECT customer, day FROM few WHERE amount > 1;
ANALYZE few, parts;

SELECT is(who_reads('SELECT customer_history(c(customer), d(day)) AS h FROM few'), 'page', 'columns');
SELECT is(who_reads('SELECT customer_history(c(customer), d(day), amount) AS h FROM few'), 'page', 'with amounts');
SELECT is(who_reads('SELECT customer_history(c(customer), d(day), amount * 2) AS h FROM few'), 'page', 'operators');
SELECT is(who_reads('SELECT customer_history(c(number), d(local_day(at, ''Europe/Paris''))) AS h FROM few'), 'page', 'functions of functions, casts, constants');
SELECT is(who_reads('SELECT customer_history(c(customer), shifted(at::date, 3)) AS h FROM few'), 'page', 'functions of constants, too');
SELECT is(who_reads('SELECT customer_history(code, d(day)) AS h FROM (SELECT c(customer)::text AS code, day FROM few) AS f'), 'executor', 'casts by way of text');
SELECT is(who_reads('SELECT customer_history(c(customer), d(day)) AS h FROM few WHERE amount > 1 AND note LIKE ''x%'''), 'page', 'conditions');
SELECT is(who_reads('SELECT customer_history(c(customer), d(day)) AS h FROM few_view'), 'page', 'views');
SELECT is(who_reads('SELECT customer_history(c(customer), d(day)) AS h FROM (SELECT * FROM few OFFSET 0) AS f'), 'executor', 'subqueries that are a node of the plan');
SELECT is(who_reads('SELECT customer_history(c(customer), d(day)) AS h FROM parts'), 'page', 'partitions');
SELECT is(who_reads('SELECT customer_history(c(customer), d(day)) AS h FROM (SELECT day, customer FROM few UNION ALL SELECT day, customer FROM parts_2) AS u'), 'page', 'UNION ALL');
SELECT is(who_reads('SELECT customer_history(c(customer), d(day)) AS h FROM (SELECT day, customer FROM few LIMIT 4) AS f'), 'executor', 'LIMIT');
SELECT is(who_reads('SELECT customer_history(c(customer), d(day)) FILTER (WHERE true) AS h FROM few'), 'executor', 'FILTER');
SELECT is(who_reads('SELECT customer_history(c(customer), d(day)) AS h FROM few GROUP BY note'), 'executor', 'GROUP BY');
SELECT is(who_reads('SELECT customer_history(c(customer), d(day)) AS h, sum(amount) AS s FROM few HAVING sum(amount) > 0'), 'executor', 'two aggregates');
SELECT is(who_reads('SELECT customer_history(c(customer), own_volatile(day)) AS h FROM few'), 'executor', 'volatile functions');
SELECT is(who_reads('SELECT customer_history(c(customer), own_lax(day)) AS h FROM few'), 'executor', 'functions that take NULL');
SELECT is(who_reads('SELECT customer_history(c(customer), shifted(day, number)) AS h FROM few'), 'executor', 'functions of two columns');
SELECT is(who_reads('SELECT customer_history(c(customer), d(day)) AS h FROM (SELECT customer, day, nextval(''s'') FROM few OFFSET 0) AS f'), 'executor', 'what is computed beside');
SELECT is(last_value, 6::bigint, 'for every row') FROM s;
SELECT is(who_reads('SELECT customer_history(c(customer), d(day)) AS h FROM few TABLESAMPLE SYSTEM (100)'), 'executor', 'samples');
SET enable_seqscan = off;
SELECT is(who_reads('SELECT customer_history(c(customer), d(day)) AS h FROM few WHERE customer > 0'), 'executor', 'an index');
RESET enable_seqscan;
SET track_functions = 'all';
SELECT is(who_reads('SELECT customer_history(c(customer), d(day)) AS h FROM few'), 'executor', 'functions whose calls are counted');
RESET track_functions;

-- values that may be long, one by one
CREATE TABLE long_ones AS SELECT repeat('k' || i, 500000) AS customer, date '2024-01-01' + i AS day FROM generate_series(1, 60) AS i;
CREATE FUNCTION d_and_memory(value date) RETURNS date STABLE STRICT LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('test.memory', greatest(current_setting('test.memory')::bigint, (SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE name = 'ExprContext'))::text, false);
	RETURN value;
END
$$;
SET test.memory = 0;
SELECT is(customers(customer_history(md5(customer), d_and_memory(day))), 60::bigint, 'customers with long names') FROM long_ones;
SELECT cmp_ok(current_setting('test.memory')::bigint, '<', 6000000::bigint, 'who are not in memory together');
SET test.memory = 0;
SELECT is(customers(customer_history(substr(upper(customer), 1, 9), d_and_memory(day))), 60::bigint, 'names that become long') FROM long_ones;
SELECT cmp_ok(current_setting('test.memory')::bigint, '<', 9000000::bigint, 'nor are those');

-- ---------- that nothing but the time tells ----------

-- Tables of other layouts of the same random rows, many with NULL, deleted, updated or rolled back, some from before a column was added.
CREATE TABLE source AS
SELECT i, CASE WHEN random() < 0.95 THEN floor(random() * 200)::int * 1000003 END AS customer,
	   CASE WHEN random() < 0.95 THEN timestamptz '2021-06-01' + random() * interval '900 days' END AS at,
	   CASE floor(random() * 20) WHEN 0 THEN NULL WHEN 1 THEN -random() * 50 WHEN 2 THEN random() * 1e9 WHEN 3 THEN random() * 1e20 ELSE random() * 600 END::numeric(30, 2) AS amount
FROM generate_series(1, 6000) AS i;

CREATE FUNCTION fill(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('INSERT INTO %I (i, customer, at, day, amount, name, id) SELECT i, customer, at, local_day(at, %L), amount, repeat(%L, 1 + customer %% 300) || customer, md5(customer::text)::uuid FROM source WHERE i <= 4000', name, 'Asia/Tokyo', 'customer ');
	BEGIN
		EXECUTE format('INSERT INTO %I (i, customer, day) SELECT i, 7, %L FROM source', name, '1999-01-01');
		RAISE EXCEPTION 'rolled back';
	EXCEPTION WHEN raise_exception THEN
	END;
	EXECUTE format('DELETE FROM %I WHERE i %% 7 = 0', name);
	EXECUTE format('UPDATE %I SET amount = amount + 1, customer = customer + 1 WHERE i %% 11 = 0', name);
	EXECUTE format('ALTER TABLE %I ADD later bigint NOT NULL DEFAULT 42, ADD later_day date DEFAULT %L', name, '2024-02-29');
	EXECUTE format('INSERT INTO %I (i, customer, at, day, amount, name, id, later) SELECT i, customer, at, local_day(at, %L), amount, %L || customer, md5(customer::text)::uuid, i %% 3 FROM source WHERE i > 4000', name, 'Asia/Tokyo', 'customer ');
	EXECUTE format('ANALYZE %I', name);
END
$$;
CREATE TABLE "fixed" (customer bigint, at timestamptz, day date, gone int, amount numeric, i int, name text, id uuid);
ALTER TABLE "fixed" DROP gone;
CREATE TABLE "narrow" (i int, customer int, day date, at timestamptz, id uuid, amount numeric, name varchar);
CREATE TABLE "moving" (name text, amount numeric, gone text, id uuid, i int, at timestamptz, day date, customer int);
INSERT INTO "moving" (gone) SELECT 'x' FROM generate_series(1, 100);
ALTER TABLE "moving" DROP gone;
CREATE TABLE "parted" (i int, day date, at timestamptz, customer bigint, amount numeric, name text, id uuid) PARTITION BY RANGE (i);
CREATE TABLE parted_1 PARTITION OF "parted" FOR VALUES FROM (MINVALUE) TO (1000);
CREATE TABLE parted_2 (name text, id uuid, at timestamptz, amount numeric, i int, customer bigint, day date);
ALTER TABLE "parted" ATTACH PARTITION parted_2 FOR VALUES FROM (1000) TO (3000);
CREATE TABLE parted_3 PARTITION OF "parted" DEFAULT PARTITION BY HASH (i);
CREATE TABLE parted_3_0 PARTITION OF parted_3 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_3_1 PARTITION OF parted_3 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TEMP TABLE "temporary" (LIKE "fixed");
CREATE TABLE parent (LIKE "fixed");
CREATE TABLE "inherited" (more text) INHERITS (parent);
CREATE TABLE "unaligned" (customer bigint, day date, small smallint NOT NULL DEFAULT 1, amount numeric, at timestamptz, i int, name text, id uuid);
CREATE TEMP TABLE layout AS SELECT unnest('{unaligned,fixed,narrow,moving,parted,temporary,inherited}'::text[]) AS name;
SELECT fill(name) FROM layout
\g /dev/null
CREATE INDEX ON "fixed" (i);

-- everything that is in a history, or what the query says went wrong
CREATE FUNCTION contents(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	contents text;
BEGIN
	EXECUTE 'SELECT string_agg(coalesce(md5(customer_history_send(h)), ''NULL''), '' '') FROM (' || query || ') AS q' INTO contents;
	RETURN contents;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;

-- the same with the aggregate's rows from the executor
CREATE FUNCTION executed(query text) RETURNS text LANGUAGE sql AS $$
	SELECT contents(regexp_replace(query, ' AS h FROM ', ' FILTER (WHERE true) AS h FROM '))
$$;

CREATE TEMP TABLE arguments AS SELECT unnest(ARRAY[
	'customer::bigint, day', 'customer::bigint, day, amount', 'name::text, day', 'name::text, day, amount', 'id, day', 'id, day, amount', 'i::bigint, day, amount / 7',
	'customer::bigint, local_day(at, ''Europe/Paris''), amount', 'customer::bigint, local_day(at - interval ''4 hours'', ''Pacific/Apia'')', 'customer::bigint, at::date, customer',
	'later, day, amount', 'later, later_day', 'customer::bigint, later_day, later', 'upper(name), (at AT TIME ZONE ''America/New_York'')::date, abs(amount)']) AS list;
CREATE TEMP TABLE condition AS SELECT unnest(ARRAY['true', 'amount > 100 AND name LIKE ''customer %''', 'i > 5990', 'i < 0', 'customer IS NULL', 'i % (SELECT 3) = 1']) AS condition;
SELECT is(contents(query), executed(query), query)
FROM layout, arguments, condition, LATERAL format('SELECT customer_history(%s) AS h FROM %I WHERE %s', list, name, condition) AS query
ORDER BY query;
SELECT is(contents('SELECT customer_history(customer, day, amount) AS h FROM parent'), contents('SELECT customer_history(customer, day, amount) AS h FROM "inherited"'), 'a table that others inherit from');

-- numbers only, some from before a column was added
CREATE TABLE numbers AS SELECT customer, day FROM "fixed" WHERE customer IS NOT NULL AND day IS NOT NULL;
ALTER TABLE numbers ADD later bigint NOT NULL DEFAULT 42, ADD other int;
INSERT INTO numbers SELECT customer, day, customer FROM numbers;
SELECT is(contents(query), executed(query), query)
FROM unnest(ARRAY['SELECT customer_history(later, day) AS h FROM numbers', 'SELECT customer_history(other, day) AS h FROM numbers']) AS query;

-- what plain SQL counts, of each layout
SELECT results_eq(format('SELECT e.customer, e.day, e.orders, e.amount FROM (SELECT customer_history(customer, local_day(at, ''Europe/Paris''), amount) AS h FROM %I) AS t, LATERAL events_as(NULL::bigint, h) AS e ORDER BY 1, 2', name),
				  format('SELECT customer::bigint, (at AT TIME ZONE ''Europe/Paris'')::date, count(*) FILTER (WHERE amount IS NULL OR amount >= 0), sum(amount) FROM %I WHERE customer IS NOT NULL AND at IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2', name),
				  name || ' holds what plain SQL counts')
FROM layout ORDER BY name;

-- run again, for other rows or with other arguments
SELECT is(contents(query), executed(query), query)
FROM unnest(ARRAY['SELECT h FROM generate_series(0, 2) AS n, LATERAL (SELECT customer_history(customer, day, amount) AS h FROM "fixed" WHERE i % 3 = n) AS t',
				  'SELECT h FROM generate_series(0, 2) AS n, LATERAL (SELECT customer_history(customer, day + n) AS h FROM "moving") AS t']) AS query;
SET plan_cache_mode = force_generic_plan;


CREATE FUNCTION of_zone(zone text, days int) RETURNS text LANGUAGE plpgsql AS $$BEGIN RETURN md5(customer_history_send(customer_history(customer, local_day(at, zone) + days))) FROM "fixed"; END$$;
SELECT is(coalesce(of_zone(zone, days), 'NULL'), executed(format('SELECT customer_history(customer, local_day(at, %L) + %L::int) AS h FROM "fixed"', zone, days)), format('parameters: %s, %s', zone, days))
FROM (VALUES ('Asia/Tokyo', 1), ('Pacific/Honolulu', NULL), ('Pacific/Honolulu', -1)) AS v(zone, days);
RESET plan_cache_mode;

-- parallel, with and without the leader
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SELECT is(contents(query), executed(query), query || ', in parallel')
FROM layout, LATERAL format('SELECT customer_history(customer::bigint, day, amount) AS h FROM %I WHERE i > 50', name) AS query
WHERE name <> 'temporary' ORDER BY name;
SET parallel_leader_participation = off;
SELECT is(contents(query), executed(query), query || ', in workers')
FROM layout, LATERAL format('SELECT customer_history(customer::bigint, local_day(at, ''Asia/Tokyo'')) AS h FROM %I', name) AS query
WHERE name <> 'temporary' ORDER BY name;
RESET parallel_leader_participation;
SET max_parallel_workers_per_gather = 0;

-- snapshots: a cursor's, those of isolation levels, and within a command
\set query 'SELECT customer_history(customer, day, amount) AS h FROM "fixed"'
SELECT executed(:'query') AS wanted \gset
BEGIN;
DECLARE earlier CURSOR FOR SELECT md5(customer_history_send(customer_history(customer, day, amount))) FROM "fixed";
UPDATE "fixed" SET day = day + 1 WHERE i % 3 = 0;
DELETE FROM "fixed" WHERE i % 5 = 0;
FETCH earlier \gset
SELECT is(:'md5'::text, :'wanted', 'a cursor sees what was there');
SELECT isnt(contents(:'query'), :'wanted'::text, 'who asks later sees what is there');
SELECT is(contents(:'query'), executed(:'query'), 'rows of this transaction');
ROLLBACK;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT is(contents(:'query'), :'wanted'::text, 'serializable');
SELECT ok(EXISTS (SELECT FROM pg_locks WHERE locktype = 'relation' AND mode = 'SIReadLock' AND relation = '"fixed"'::regclass AND pid = pg_backend_pid()), 'which is kept');
ROLLBACK;
BEGIN;
UPDATE "fixed" SET amount = (SELECT customers(customer_history(customer, day)) FROM "fixed") WHERE i = 1;
SELECT is(amount, (SELECT count(DISTINCT customer) FROM "fixed" WHERE day IS NOT NULL)::numeric, 'a subquery of an update') FROM "fixed" WHERE i = 1;
ROLLBACK;

-- row security
CREATE ROLE page_rows_reader;
GRANT SELECT ON "fixed" TO page_rows_reader;
GRANT USAGE ON SCHEMA public, loyalty TO page_rows_reader;
ALTER TABLE "fixed" ENABLE ROW LEVEL SECURITY;
CREATE POLICY even_customers ON "fixed" FOR SELECT TO page_rows_reader USING (customer % 2 = 0);
SELECT executed(:'query' || ' WHERE customer % 2 = 0') AS wanted \gset
SET ROLE page_rows_reader;
SELECT is(contents(:'query'), :'wanted'::text, 'row security');
RESET ROLE;
DROP OWNED BY page_rows_reader;
DROP ROLE page_rows_reader;
ALTER TABLE "fixed" DISABLE ROW LEVEL SECURITY;

-- what is wrong is said, whichever row of a page it is in
CREATE TABLE wrong (i int, customer bigint, day date, amount numeric, at timestamptz);
INSERT INTO wrong SELECT i, 1, '2024-01-01', 1, '2024-01-01' FROM generate_series(1, 300) AS i;
ANALYZE wrong;
CREATE FUNCTION at_row(n int, change text, arguments text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	EXECUTE format('UPDATE wrong SET %s WHERE i = %s', change, n);
	answer := contents('SELECT customer_history(' || arguments || ') AS h FROM wrong');
	UPDATE wrong SET day = '2024-01-01', amount = 1, at = '2024-01-01' WHERE i = n;
	RETURN answer;
END
$$;
SELECT is(at_row(n, change, arguments), answer, format('%s in row %s', change, n))
FROM (VALUES (1), (2), (64), (65), (66), (130), (299), (300)) AS rows(n),
	(VALUES ('day = ''infinity''', 'customer, day', '22008 day must be a finite date, not infinity'),
			('at = ''-infinity''', 'customer, local_day(at, ''Europe/Paris'')', '22008 the argument "at" of local_day is -infinity, which is on no day'),
			('amount = ''NaN''', 'customer, day, amount', '22003 amount must be a finite number, not NaN'),
			('amount = 0', 'customer, day, 1 / amount', '22012 division by zero')) AS cases(change, arguments, answer);

-- EXPLAIN and the statistics count the same rows
CREATE FUNCTION counted(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	before bigint := (SELECT sum(pg_stat_get_xact_tuples_returned(oid)) FROM pg_class WHERE relname IN ('fixed', 'parted_1', 'parted_2'));
	answer text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) ' || query LOOP
		answer := answer || line || E'\n';
	END LOOP;
	RETURN answer || (SELECT sum(pg_stat_get_xact_tuples_returned(oid)) FROM pg_class WHERE relname IN ('fixed', 'parted_1', 'parted_2')) - before;
END
$$;
SELECT is(counted(format('SELECT customer_history(customer, day) FROM %I WHERE i %% 3 < 2', name)),
		  counted(format('SELECT customer_history(customer, day) FILTER (WHERE true) FROM %I WHERE i %% 3 < 2', name)), 'rows that are counted: ' || name)
FROM unnest('{fixed,parted}'::text[]) AS name;
SELECT matches(counted('SELECT customer_history(customer, day) FROM "fixed"'), E'Seq Scan on fixed \\(actual rows=' || count(*) || E'(\\.00)? loops=1\\)\\n.*' || count(*) || '$', 'they are those that there are') FROM "fixed";

-- a page can be left in the middle
SET statement_timeout = '150ms';
CREATE FUNCTION slow(value bigint) RETURNS bigint STABLE STRICT LANGUAGE plpgsql AS $$BEGIN PERFORM pg_sleep(0.01); RETURN value; END$$;
CREATE FUNCTION how_it_ends(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE query;
	RETURN 'done';
EXCEPTION WHEN query_canceled THEN
	RETURN 'cancelled';
END
$$;
SELECT is(how_it_ends('SELECT customer_history(slow(customer), day) FROM "fixed"'), 'cancelled', 'arguments');
SELECT is(how_it_ends('SELECT customer_history(customer, day) FROM "fixed" WHERE slow(i) > 0'), 'cancelled', 'conditions');
RESET statement_timeout;
SELECT is(contents(:'query'), executed(:'query'), 'the next query is none the worse');

SELECT * FROM finish();
