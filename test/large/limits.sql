-- The limits of size and memory: what is too large is refused early, what
-- exhausts memory ends in an error, and the session lives on; fifty million
-- rows take the memory that the documentation says.

SET client_min_messages = error;
SET search_path = public, loyalty;
SET jit = off;
SET max_parallel_workers_per_gather = 0;
SELECT no_plan();
SELECT pg_backend_pid() AS backend \gset

-- megabytes of the process, with what it touched of shared_buffers: the most ever, and now
CREATE FUNCTION megabytes(field text) RETURNS float8
LANGUAGE sql AS $$ SELECT substring(pg_read_file('/proc/self/status') FROM megabytes.field || ':\s*(\d+) kB')::float8 / 1024 $$;
CREATE FUNCTION forget_peak() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('COPY ignored FROM PROGRAM %L', 'echo 5 >/proc/' || pg_backend_pid() || '/clear_refs');
END
$$;
CREATE TABLE ignored (line text);

-- a key of 4,000 bytes that shares next to nothing with another
CREATE FUNCTION long_key(i bigint, seed text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT repeat(md5(seed || i), 125) $$;

-- Runs a query to its error; then the session and its memory must be as before.  Megabytes: how many it may take.
CREATE FUNCTION fails(query text, state text, wanted text, hint text, megabytes float8, name text) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
	got_message text;
	got_hint text;
	got_state text := 'no error';
	before float8 := megabytes('RssAnon');
	peak float8;
BEGIN
	PERFORM forget_peak();
	peak := megabytes('VmHWM');
	BEGIN
		EXECUTE query;
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS got_message = MESSAGE_TEXT, got_hint = PG_EXCEPTION_HINT, got_state = RETURNED_SQLSTATE;
	END;
	peak := megabytes('VmHWM') - peak;
	RETURN NEXT is(got_state, state, format('%s: %s MB', name, round(peak)));
	RETURN NEXT matches(got_message, wanted, name || ': message');
	RETURN NEXT matches(got_hint, hint, name || ': hint');
	RETURN NEXT cmp_ok(peak, '<', megabytes, name || ': memory');
	RETURN NEXT cmp_ok(megabytes('RssAnon'), '<', before + 100, name || ': it was given back');
END
$$;

-- ---------- more than a value can hold ----------

-- It is refused where it has become too large: ten times the rows take no more memory, nor time.
SELECT clock_timestamp() AS started \gset
SELECT fails('SELECT customer_history(long_key(i, ''a''), ''2024-01-01'') FROM (SELECT generate_series(1, 200000) AS i) AS s',
			 '54000', '^customer_history would exceed 500 MB$', 'GROUP BY', 1300, '0.8 GB of keys');
SELECT extract(epoch FROM clock_timestamp() - :'started') AS once, clock_timestamp() AS started \gset
SELECT fails('SELECT customer_history(long_key(i, ''a''), ''2024-01-01'') FROM (SELECT generate_series(1, 2000000) AS i) AS s',
			 '54000', '^customer_history would exceed 500 MB$', 'GROUP BY', 1300, '8 GB of keys');
SELECT cmp_ok(extract(epoch FROM clock_timestamp() - :'started'), '<', :once * 2 + 5, 'it is refused as early');
-- events of 17 bytes
SELECT fails('SELECT customer_history(i % 1000, date ''2024-01-01'' + (i / 1000 % 40000)::int, 1e9 + i * 0.00000000000000000001) FROM (SELECT generate_series(1, 40000000::bigint) AS i) AS s',
			 '54000', '^customer_history would exceed 500 MB$', 'GROUP BY', 2300, '0.7 GB of amounts');

-- two values that do not fit into one
CREATE TABLE half (part int, h customer_history);
INSERT INTO half SELECT 1, customer_history(long_key(i, 'a'), '2024-01-01') FROM (SELECT generate_series(1, 75000) AS i) AS s;
INSERT INTO half SELECT 2, customer_history(long_key(i, 'b'), '2024-01-01') FROM (SELECT generate_series(1, 75000) AS i) AS s;
SELECT cmp_ok(min(length(customer_history_send(h))), '>', 290000000, 'two large values') FROM half;
SELECT fails('SELECT rollup(h) FROM half', '54000', '^customer_history would exceed 500 MB$', 'GROUP BY', 2300, 'rollup of two large values');
SELECT fails('SELECT a.h + b.h FROM half AS a, half AS b WHERE a.part = 1 AND b.part = 2', '54000', '^customer_history would exceed 500 MB$', 'GROUP BY', 2300, 'the sum of two large values');
SELECT is(customers(rollup(h)), 75000::bigint, 'a large value with itself') FROM (SELECT h FROM half WHERE part = 1 UNION ALL SELECT h FROM half WHERE part = 1) AS h;
SELECT fails($$SELECT ('1:' || repeat('AAAA', 167000000))::customer_history$$, '54000', '^value for type customer_history is too long$', '^$', 3000, 'a text that is too long');
DROP TABLE half;

-- ---------- more memory than there is ----------

-- the most memory that this process may have from now on, beyond what it has; NULL: any
CREATE FUNCTION allow(megabytes float8) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('COPY ignored FROM PROGRAM %L', format('prlimit --pid=%s --as=%s:', pg_backend_pid(),
				   coalesce(((megabytes('VmSize') + allow.megabytes) * 1024 * 1024)::bigint::text, 'unlimited')));
END
$$;
CREATE TABLE few AS SELECT i % 3000 AS customer, 'customer ' || i % 3000 AS name, date '2023-01-01' + i % 700 AS day, (i % 10000 / 100.0)::numeric(12, 2) AS amount FROM generate_series(1, 30000) AS i;
CREATE TABLE large AS SELECT customer_history(i % 1000000, date '2023-01-01' + (i % 700)::int, (i % 10000 / 100.0)::numeric(12, 2)) AS h FROM (SELECT generate_series(1, 5000000::bigint) AS i) AS s;
CREATE TABLE hungry (name text, query text);
INSERT INTO hungry VALUES
	('groups', 'SELECT count(h) FROM (SELECT customer_history(i, ''2024-01-01'', 9.99) AS h FROM (SELECT generate_series(1, 1000000::bigint) AS i) AS s GROUP BY i) AS g'),
	('groups of text', 'SELECT count(h) FROM (SELECT customer_history(md5((i * 3)::text), date ''2024-01-01'' + (i % 5)::int, i) AS h FROM (SELECT generate_series(1, 1500000::bigint) AS i) AS s GROUP BY i % 300000) AS g'),
	('large groups', 'SELECT count(h) FROM (SELECT customer_history(i, date ''2024-01-01'' + (i % 700)::int, i) AS h FROM (SELECT generate_series(1, 4000000::bigint) AS i) AS s GROUP BY i % 300) AS g'),
	('one of many rows', 'SELECT orders(customer_history(hashint8extended(i, 1), date ''2024-01-01'' + (i % 700)::int, 9.99)) FROM (SELECT generate_series(1, 8000000::bigint) AS i) AS s'),
	('one of text', 'SELECT orders(customer_history(md5(i::text), date ''2024-01-01'' + (i % 700)::int, 9.99)) FROM (SELECT generate_series(1, 3000000::bigint) AS i) AS s'),
	('rollup', 'SELECT orders(rollup(h)) FROM large, generate_series(1, 3)'),
	('sum', 'SELECT orders(h + h) FROM large'),
	('text', 'SELECT orders(h::text::customer_history) FROM large'),
	('report of each customer', 'SELECT count(*) FROM large, customer_summary(h)'),
	('values of each customer', 'SELECT count(*) FROM large, clv(h, ''bg_nbd'')'),
	('survival', 'SELECT count(*) FROM large, repurchase(h, (SELECT array_agg(n) FROM generate_series(1, 600) AS n), ''day'')');
CREATE TABLE outcome (name text, megabytes int, state text);

-- Each with ever more memory, so that it ends at ever later moments, until it is enough.
CREATE FUNCTION starve(name text, query text) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
	limit_mb float8 := 5;
	ballast text;				-- to drop, so that the limit can be lifted
	attempts int := 0;
	state text;
	sound text;
BEGIN
	LOOP
		attempts := attempts + 1;
		ballast := repeat('x', 64000000);
		PERFORM allow(limit_mb);
		BEGIN
			EXECUTE query;
			state := 'done';
		EXCEPTION WHEN OTHERS THEN
			state := SQLSTATE;
			IF state <> '53200' OR SQLERRM !~ '^out of memory' THEN
				RETURN NEXT fail(format('%s, %s MB', name, limit_mb)) || E'\n' || diag(SQLSTATE || ' ' || SQLERRM);
			END IF;
		END;
		ballast := NULL;
		PERFORM allow(NULL);
		INSERT INTO outcome VALUES (name, limit_mb, state);
		-- all is as it was
		SELECT md5(customer_history(customer, day, amount)::text || customer_history(few.name, day)::text) INTO sound FROM few;
		IF sound IS DISTINCT FROM current_setting('test.sound') THEN
			RETURN NEXT fail(format('%s, %s MB: another history afterwards', name, limit_mb));
		END IF;
		EXIT WHEN state = 'done' OR limit_mb > 4000;
		limit_mb := limit_mb * 2;
	END LOOP;
	RETURN NEXT is(state, 'done', format('%s: %s errors of memory, then %s MB are enough', name, attempts - 1, round(limit_mb)));
END
$$;
SELECT set_config('test.sound', md5(customer_history(customer, day, amount)::text || customer_history(name, day)::text), false) FROM few
\g /dev/null
SET work_mem = '2GB';	-- hash tables of any size
SELECT format('SELECT starve(%L, %L)', name, query) FROM hungry
\gexec
RESET work_mem;
SELECT cmp_ok(count(*), '>=', 20::bigint, format('%s errors of memory in all', count(*))) FROM outcome WHERE state = '53200';
SELECT is(pg_backend_pid(), :backend, 'the server process lives');

-- ---------- fifty million rows ----------

-- The floor reads the same rows.  README.md: 16 bytes a row for at most 32 million rows, plus up to twice the
-- value; keys once each.
CREATE FUNCTION takes(query text, floor text, most float8, name text) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
	got float8;
	orders bigint;
	size float8;
BEGIN
	EXECUTE floor;
	PERFORM forget_peak();
	got := megabytes('VmHWM');
	EXECUTE format('SELECT orders(h), pg_column_size(h) / 1024.0 / 1024 FROM (%s OFFSET 0) AS s', query) INTO orders, size;
	got := megabytes('VmHWM') - got;
	RETURN NEXT is(orders, 50000000::bigint, name || ': orders');
	RETURN NEXT cmp_ok(got, '<', most + 2 * size + 32, format('%s: %s MB, a value of %s MB among them', name, round(got), round(size)));
END
$$;
\set rows '(SELECT generate_series(1, 50000000::bigint) AS i) AS s'
SELECT takes('SELECT customer_history(hashint8extended(i, 1) % 5000000, date ''2024-01-01'' + (hashint8extended(i, 2) % 350)::int, 9.99) AS h FROM ' || :'rows',
			 'SELECT count(hashint8extended(i, 1)) FROM ' || :'rows', 512, 'fifty million rows of millions of customers');
SELECT takes('SELECT customer_history(i % 1000, date ''2024-01-01'' + (hashint8extended(i, 2) % 350)::int, 9.99) AS h FROM ' || :'rows',
			 'SELECT count(hashint8extended(i, 1)) FROM ' || :'rows', 120, 'fifty million rows of a thousand customers');
SELECT takes('SELECT customer_history(1, date ''2024-01-01'' + (hashint8extended(i, 2) % 350)::int, 9.99) AS h FROM ' || :'rows',
			 'SELECT count(hashint8extended(i, 1)) FROM ' || :'rows', 120, 'fifty million rows of one customer');
SELECT takes('SELECT customer_history(''customer '' || i / 50, date ''2024-01-01'' + (i % 50)::int, 9.99) AS h FROM ' || :'rows',
			 'SELECT count(hashint8extended(i, 1)) FROM ' || :'rows', 512 + 64, 'fifty million rows of a million texts');

SELECT * FROM finish();
