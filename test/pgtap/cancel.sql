-- statement_timeout stops whatever is done with a history, soon.
--
-- Each call runs once to its end, and then with a timeout of a part of that
-- time.  A loop that does not look for a cancel request would run to its end
-- all the same; so a call must stop before half of what is left has passed, at
-- one of several attempts: this is no test of speed, and machines are busy.

\set slowness 1
\getenv slowness LOYALTY_SLOWNESS
SELECT :slowness > 1 AS slow \gset
\if :slow
SELECT plan(1);
SELECT skip('times mean nothing where everything is so slow');
\q
\endif
SET client_min_messages = warning;
SET search_path = public, loyalty;
SET jit = off;
SET work_mem = '256MB';
SET max_parallel_workers_per_gather = 0;
SELECT no_plan();

-- many customers; many days of one; text keys, in no order; and one that no orders would make: keys of a million bytes
-- that begin with each other, of which each costs as much as a million, and takes five bytes
CREATE TABLE large (name text PRIMARY KEY, h customer_history, t text);
ALTER TABLE large ALTER t SET STORAGE external;
INSERT INTO large SELECT 'customers', customer_history(i / 2, date '2023-01-01' + (i % 700)::int, i % 10000) FROM generate_series(1, 3000000) AS i;
INSERT INTO large SELECT 'days', customer_history(1, date '4714-11-24 BC' + 2 * i) FROM generate_series(1, 4000000) AS i;
INSERT INTO large SELECT 'text', customer_history(md5(i::text), date '2023-01-01' + i % 700) FROM generate_series(1, 300000) AS i;

CREATE FUNCTION little_endian(value bigint, bytes int) RETURNS bytea
LANGUAGE sql AS $$ SELECT string_agg(set_byte('\x00', 0, (value >> 8 * i & 255)::int), '' ORDER BY i) FROM generate_series(0, bytes - 1) AS i $$;
CREATE FUNCTION varint(value bigint) RETURNS bytea
LANGUAGE sql AS $$ SELECT string_agg(set_byte('\x00', 0, (value >> 7 * i & 127)::int + CASE WHEN value >> 7 * (i + 1) > 0 THEN 128 ELSE 0 END), '' ORDER BY i)
				   FROM generate_series(0, 9) AS i WHERE i = 0 OR value >> 7 * i > 0 $$;
CREATE FUNCTION long_keys(size int, customers int) RETURNS bytea
LANGUAGE sql AS $$
	SELECT '\x0102000000000000' || little_endian(customers, 4) || little_endian(customers, 4) || little_endian(customers, 4) || little_endian(size + customers - 1, 4)
		   || little_endian(customers, 8) || little_endian(0, 4) || little_endian(0, 4) || little_endian(0, 4) || little_endian(0, 4) || little_endian(0, 8) || little_endian(0, 8)
		   || varint(0) || varint(size) || convert_to(repeat('x', size), 'UTF8') || '\x0100'
		   || string_agg(varint(size + i - 2) || '\x01790100', '' ORDER BY i)
	FROM generate_series(2, customers) AS i
$$;
SELECT is(('1:' || translate(encode(long_keys(100, 50), 'base64'), E'\n', ''))::customer_history,
		  (SELECT customer_history(repeat('x', 100) || repeat('y', i - 1), '2000-01-01') FROM generate_series(1, 50) AS i), 'such keys are those of a history');
CREATE CAST (bytea AS customer_history) WITHOUT FUNCTION;
INSERT INTO large SELECT 'long keys', long_keys(1000000, 3000)::customer_history;
UPDATE large SET t = h::text;
SELECT diag(format('%s: %s MB', name, round(pg_column_size(h) / 1e6, 1))) FROM large;

CREATE TABLE call (id serial, name text, query text, full_time float8, timeout float8);
INSERT INTO call (name, query)
SELECT format('%s: %s', l.name, v.name), replace(v.query, '$1', format('(SELECT h FROM large WHERE name = %L)', l.name))
FROM large AS l, (VALUES
	('merge', 'SELECT orders(merge($1, $1))'), ('rollup', 'SELECT orders(rollup(h)) FROM (SELECT $1 AS h FROM generate_series(1, 2)) AS r'),
	('text output', 'SELECT length($1::text)'),
	('binary output', 'SELECT length(customer_history_send($1))'),
	('hash', 'SELECT customer_history_hash($1)')) AS v(name, query)
WHERE NOT (l.name = 'text' AND v.name IN ('hash', 'binary output'));
INSERT INTO call (name, query)
SELECT name || ': text input', format('SELECT orders(t::customer_history) FROM large WHERE name = %L', name) FROM large;
INSERT INTO call (name, query)
VALUES ('building from many rows', 'SELECT orders(customer_history(i % 1000000, date ''2023-01-01'' + (i % 777)::int, 9.99)) FROM generate_series(1::bigint, 2000000) AS i'),
	   ('building from text keys', 'SELECT orders(customer_history(md5(i::text), ''2024-01-01'')) FROM generate_series(1, 300000) AS i'),
	   ('building groups', 'SELECT sum(orders(h)) FROM (SELECT customer_history(i, ''2024-01-01'') AS h FROM generate_series(1, 300000) AS i GROUP BY i) AS g'),
	   ('a window', 'SELECT sum(orders(h)) FROM (SELECT customer_history(i, ''2024-01-01'') OVER (ORDER BY i) AS h FROM generate_series(1, 4000) AS i) AS w');
-- every report; with periods of a day there is most to do
INSERT INTO call (name, query)
SELECT format('%s: %s', l.name, p.oid::regprocedure),
	   format('SELECT count(*) FROM %s(%s%s)', p.oid::regproc,
			  string_agg(CASE type WHEN 'customer_history'::regtype THEN format('(SELECT h FROM large WHERE name = %L)', l.name) WHEN 'date'::regtype THEN 'date ''2024-06-01'''
						 WHEN 'anyelement'::regtype THEN 'NULL::' || CASE WHEN l.name IN ('customers', 'days') THEN 'bigint' ELSE 'text' END ELSE 'NULL::' || type::regtype END, ', ' ORDER BY n),
			  CASE WHEN l.name = 'customers' AND 'period' = ANY (proargnames) THEN ', period => ''day''' 
				   WHEN l.name = 'days' AND array_position(proargnames, 'as_of') > pronargs - pronargdefaults THEN ', as_of => ''4000-01-01 BC''' ELSE '' END)
FROM large AS l, pg_proc AS p, unnest(proargtypes) WITH ORDINALITY AS a(type, n)
WHERE pronamespace = 'loyalty'::regnamespace AND prokind = 'f' AND proretset AND n <= pronargs - pronargdefaults AND 'customer_history'::regtype = ANY (proargtypes::oid[])
	AND l.name IN ('customers', 'days') AND NOT (l.name = 'days' AND proname ~ '^clv(_as|_holdout|_tracking)?$')	-- one customer is no fit
GROUP BY l.name, p.oid;

-- the models: fits to 300,000 patterns, and predictions for as many customers
CREATE TABLE pattern AS
SELECT array_agg(x) AS x, array_agg(CASE x WHEN 0 THEN 0 ELSE t * (1 - exp(-r)) END) AS t_x, array_agg(t) AS t, array_agg(5 + 95 * r) AS m
FROM (SELECT i % 7 * (i % 3) AS x, 30 + i / 10000.0::float8 AS t, (hashint4(i) & 65535) / 65536.0::float8 AS r FROM generate_series(1, 300000) AS i) AS p;
INSERT INTO call (name, query)
SELECT name || '_fit of arrays', format('SELECT %s_fit(x, t_x, t) FROM pattern', name) FROM unnest('{bg_nbd,mbg_nbd,pareto_nbd}'::text[]) AS name
UNION ALL SELECT 'gamma_gamma_fit of arrays', 'SELECT gamma_gamma_fit(x, m) FROM pattern'
UNION ALL SELECT 'shifted_beta_geometric_fit of arrays', 'SELECT shifted_beta_geometric_fit(array_agg(i), array_agg(i % 2 = 0)) FROM generate_series(1, 300000) AS i'
UNION ALL SELECT 'bg_bb_fit of many opportunities', 'SELECT bg_bb_fit(array_agg(i % 5), array_agg(i % 5), array_agg(100000)) FROM generate_series(1, 20000, 7) AS i'
UNION ALL SELECT name || '_fit of a history', format('SELECT %s_fit(h) FROM large WHERE name = ''customers''', name) FROM unnest('{bg_nbd,pareto_nbd,gamma_gamma}'::text[]) AS name
UNION ALL SELECT 'clv with a discount, Pareto/NBD', 'SELECT count(*) FROM large, clv(h, ''pareto_nbd'', discount => 0.1) WHERE name = ''customers'''
UNION ALL SELECT 'discounted_expected_purchases', 'SELECT sum(discounted_expected_purchases(pareto_nbd_model(.55, 10.58, .61, 11.67), 3, 20, 30 + i / 1000.0, 0.01)) FROM generate_series(1, 100000) AS i'
UNION ALL SELECT 'expected_lifetime', 'SELECT sum(expected_lifetime(beta_discrete_weibull_model(1 + i / 1000.0, 2, 0.8), 0.01)) FROM generate_series(1, 20000) AS i';

CREATE FUNCTION milliseconds(since timestamptz) RETURNS float8
LANGUAGE sql AS $$ SELECT extract(epoch FROM clock_timestamp() - since) * 1000 $$;

-- how long it takes when nothing stops it
CREATE PROCEDURE measure(number int)
LANGUAGE plpgsql AS $$
DECLARE
	started timestamptz := clock_timestamp();
	ignored text;
BEGIN
	EXECUTE (SELECT query FROM call WHERE id = number) INTO ignored;
	UPDATE call SET full_time = milliseconds(started), timeout = greatest(ceil(milliseconds(started) / 5), 20) WHERE id = number;
EXCEPTION WHEN query_canceled THEN	-- long enough
	UPDATE call SET full_time = milliseconds(started), timeout = 100 WHERE id = number;
END
$$;

-- How much later than the timeout it stops, or comes to its end.  One good attempt is enough.
CREATE TABLE attempt (id int, delay float8);
CREATE PROCEDURE try(number int)
LANGUAGE plpgsql AS $$
DECLARE
	started timestamptz := clock_timestamp();
	ignored text;
BEGIN
	IF (SELECT bool_or(delay < greatest(full_time * 0.4, 100)) FROM attempt JOIN call USING (id) WHERE id = number) THEN
		RETURN;
	END IF;
	started := clock_timestamp();
	EXECUTE (SELECT query FROM call WHERE id = number) INTO ignored;
	INSERT INTO attempt SELECT number, greatest(milliseconds(started) - timeout, 0) FROM call WHERE id = number;	-- faster than thought
EXCEPTION WHEN query_canceled THEN
	INSERT INTO attempt SELECT number, milliseconds(started) - timeout FROM call WHERE id = number;
END
$$;

-- A timeout may also strike outside of the block that catches it, on a busy machine: then there was no attempt.
\set ON_ERROR_STOP off
SELECT unnest(ARRAY['SET statement_timeout = ''3s''', format('CALL measure(%s)', id), 'SET statement_timeout = 0']) FROM call ORDER BY id
\gexec
SELECT unnest(ARRAY[format('SET statement_timeout = %s', timeout), format('CALL try(%s)', id), 'SET statement_timeout = 0']) FROM call, generate_series(1, 5) AS n ORDER BY id, n
\gexec
SET statement_timeout = 0;
\set ON_ERROR_STOP on

SELECT ok(min(delay) < greatest(full_time * 0.4, 100), format('%s stops', name)) || E'\n' ||
	   diag(format('%s: takes %s ms; stopped after %s ms, it took %s ms more', name, round(full_time), timeout, round(min(delay))))
FROM call LEFT JOIN attempt USING (id) GROUP BY id, name, full_time, timeout ORDER BY id;

SELECT * FROM finish();
