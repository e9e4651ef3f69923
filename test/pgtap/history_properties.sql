-- A history is the same to the last byte however it was put together: in any
-- order, parallel, partitionwise, from parts, hashed or sorted, as a window,
-- through text and through binary COPY; and it holds what plain SQL counts.
--
-- All rows are random. A failure shows the seed: LOYALTY_SEED=… repeats it.

\ir include/seed.sql
\getenv scratch LOYALTY_SCRATCH

\set QUIET 1
SET client_min_messages = warning;
SET search_path = public, loyalty;
SET jit = off;
SELECT no_plan();

SELECT set_config('test.seed', :'seed', false), set_config('test.scratch', :'scratch', false)
\g /dev/null

-- row i's random number of that purpose, 0 to 2^63 - 1, whatever the plan
CREATE FUNCTION random_of(i bigint, purpose int) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN hashint8extended(i, :seed::bigint * 100 + purpose) & 9223372036854775807;

CREATE AGGREGATE fold(loyalty.customer_history) (SFUNC = loyalty.merge, STYPE = loyalty.customer_history);

-- Runs a query that gives (g, h) into the table "got", and returns its plan.
CREATE FUNCTION run(query text, settings text[]) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	line text;
	plan text := '';
BEGIN
	DROP TABLE IF EXISTS got;
	FOR i IN 1 .. coalesce(array_length(settings, 1), 0) BY 2 LOOP
		PERFORM set_config(settings[i], settings[i + 1], true);
	END LOOP;
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) CREATE TABLE got AS ' || query LOOP
		plan := plan || line || E'\n';
	END LOOP;
	FOR i IN 1 .. coalesce(array_length(settings, 1), 0) BY 2 LOOP
		EXECUTE format('SET LOCAL %I = DEFAULT', settings[i]);
	END LOOP;
	RETURN plan;
END
$$;

-- One line of TAP: whether "got" holds the same bytes as "wanted", by a plan that matches all patterns.
CREATE FUNCTION same(name text, plan text, patterns text[], wanted text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	wrong bigint;
	rows bigint;
	pattern text;
BEGIN
	EXECUTE format($q$
		SELECT count(*) FILTER (WHERE NOT coalesce(w.h = g.h AND md5(customer_history_send(w.h)) = md5(customer_history_send(g.h)),
												   w.h IS NULL AND g.h IS NULL AND w.there AND g.there)),
			   count(*)
		FROM (SELECT *, true AS there FROM %I) AS w
		FULL JOIN (SELECT *, true AS there FROM got) AS g ON w.g = g.g $q$, wanted)
	INTO wrong, rows;
	IF rows = 0 THEN
		RETURN fail(name) || E'\n' || diag('no rows');
	ELSIF wrong > 0 THEN
		RETURN fail(name) || E'\n' || diag(format('%s of %s differ; seed %s', wrong, rows, current_setting('test.seed'))) || E'\n' || diag(plan);
	END IF;
	FOREACH pattern IN ARRAY patterns LOOP
		IF (left(pattern, 1) = '!') = (plan ~ ltrim(pattern, '!')) THEN
			RETURN fail(name) || E'\n' || diag('the plan does not match ' || pattern) || E'\n' || diag(plan);
		END IF;
	END LOOP;
	RETURN pass(name);
END
$$;

/*
 * All ways of one set of rows: n rows whose key, day and amount are SQL
 * expressions of their number i, the customer number c (of so many) and
 * random numbers r1 to r4. amount NULL: the aggregate without amounts.
 */
CREATE FUNCTION dataset(name text, n bigint, customers bigint, key_type text, key text, day text, amount text,
						slow boolean DEFAULT false)
RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
	parallel text[] := '{max_parallel_workers_per_gather,2,parallel_setup_cost,0,parallel_tuple_cost,0,min_parallel_table_scan_size,0,parallel_leader_participation,off,cpu_operator_cost,100}';
	is_parallel text[] := CASE WHEN n > 1 THEN '{Finalize,"Partial [A-Za-z]*Aggregate",Gather,"Workers Launched: [12]"}' ELSE '{}' END;
	are_parallel text[] := CASE WHEN n > 400 THEN is_parallel ELSE '{}' END;	-- few rows a group are not worth it
	serial text[] := '{max_parallel_workers_per_gather,0}';
	build text := CASE WHEN amount IS NULL THEN 'customer_history(k, d)' ELSE 'customer_history(k, d, a)' END;
	file text := current_setting('test.scratch') || '/history_properties.copy';
	parts int;
	key_length int;
	plan text;
	sum_of_parts text;
BEGIN
	DROP TABLE IF EXISTS t, wanted, wanted_groups, part;
	EXECUTE format('CREATE TABLE t (i bigint, k %s, d date, a numeric, g int, s bigint) PARTITION BY HASH (i)', key_type);
	FOR p IN 0 .. 2 LOOP
		EXECUTE format('CREATE TABLE t%s PARTITION OF t FOR VALUES WITH (MODULUS 3, REMAINDER %s) WITH (parallel_workers = 2)', p, p);
	END LOOP;
	-- one row in 50 has no customer, one no day; groups are of very different sizes
	EXECUTE format($q$
		INSERT INTO t
		SELECT i, CASE WHEN r5 %% 50 <> 0 OR i = 1 THEN %s END, CASE WHEN r5 / 50 %% 50 <> 0 OR i = 1 THEN %s END, %s,
			   floor(sqrt(r5 / 2500 %% 400)), random_of(i, 9)
		FROM (SELECT i, random_of(i, 0) %% %s AS c, random_of(i, 1) AS r1, random_of(i, 2) AS r2, random_of(i, 3) AS r3,
					 random_of(i, 4) AS r4, random_of(i, 5) AS r5
			  FROM generate_series(1::bigint, %s) AS i) AS r $q$, key, day, coalesce(amount, 'NULL'), customers, n);
	ANALYZE t;
	name := format('%s, %s rows', name, n);

	plan := run(format('SELECT 0 AS g, %s AS h FROM (SELECT * FROM t ORDER BY k, d, a) AS o', build), serial);
	ALTER TABLE got RENAME TO wanted;

	-- the rows in other orders
	RETURN NEXT same(name || ': as they lie', run(format('SELECT 0 AS g, %s AS h FROM t', build), serial), '{"!Gather"}', 'wanted');
	RETURN NEXT same(name || ': shuffled', run(format('SELECT 0 AS g, %s AS h FROM (SELECT * FROM t ORDER BY s) AS o', build), serial), '{Sort}', 'wanted');
	IF NOT slow THEN
		RETURN NEXT same(name || ': backwards', run(format('SELECT 0 AS g, %s AS h FROM (SELECT * FROM t ORDER BY k DESC, d DESC, a DESC) AS o', build), serial), '{Sort}', 'wanted');
		RETURN NEXT same(name || ': ordered in the aggregate', run(format('SELECT 0 AS g, %s AS h FROM t', replace(build, ')', ' ORDER BY s, k)')), serial), '{}', 'wanted');
	END IF;

	-- by several processes, by partition, and both
	RETURN NEXT same(name || ': parallel', run(format('SELECT 0 AS g, %s AS h FROM t', build), parallel), is_parallel, 'wanted');
	RETURN NEXT same(name || ': partitionwise', run(format('SELECT 0 AS g, %s AS h FROM t', build), serial || '{enable_partitionwise_aggregate,on}'),
					 CASE WHEN n > 1 THEN '{"Finalize Aggregate.*Append.*Partial Aggregate",!Gather}' ELSE '{}' END::text[], 'wanted');
	RETURN NEXT same(name || ': parallel and partitionwise', run(format('SELECT 0 AS g, %s AS h FROM t', build), parallel || '{enable_partitionwise_aggregate,on}'),
					 CASE WHEN n > 12 THEN is_parallel || '{"Finalize Aggregate.*Gather.*Partial Aggregate"}'::text[] ELSE '{}' END, 'wanted');	-- PostgreSQL 19 does not do it for a dozen

	-- from parts
	FOREACH parts IN ARRAY CASE WHEN slow THEN '{7,30}'::int[] ELSE '{1,2,7,100,1000}' END LOOP
		RETURN NEXT same(format('%s: rollup of %s parts', name, parts),
						 run(format('SELECT 0 AS g, rollup(h) AS h FROM (SELECT %s AS h FROM t GROUP BY s %% %s) AS p', build, parts), serial),
						 '{}', 'wanted');
	END LOOP;
	-- by time, as refreshes make them: a customer's days follow each other from part to part, but for a late one now and then
	FOREACH parts IN ARRAY '{2,5}'::int[] LOOP
		plan := run(format('SELECT CASE WHEN late > 0 THEN part ELSE 1 + late::int END AS g, %s AS h FROM (SELECT *, ntile(%s) OVER (ORDER BY d) AS part, s %% 500 - 1 AS late FROM t) AS p GROUP BY 1',
						   build, parts), serial);
		DROP TABLE IF EXISTS part;
		ALTER TABLE got RENAME TO part;
		RETURN NEXT same(format('%s: rollup of %s parts of time', name, parts), run('SELECT 0 AS g, rollup(h) AS h FROM part', serial), '{}', 'wanted');
		RETURN NEXT same(format('%s: merge of %s parts of time', name, parts), run('SELECT 0 AS g, fold(h ORDER BY g DESC) AS h FROM part', serial), '{}', 'wanted');
	END LOOP;
	plan := run(format('SELECT CASE WHEN hashtext(k::text) %% 10 = 0 THEN (s %% 4)::int ELSE hashtext(k::text) %% 4 END AS g, %s AS h FROM t GROUP BY 1', build), serial);
	DROP TABLE IF EXISTS part;
	ALTER TABLE got RENAME TO part;
	RETURN NEXT same(name || ': merge of parts of the customers', run('SELECT 0 AS g, fold(h ORDER BY g) AS h FROM part', serial), '{}', 'wanted');
	IF n <= 5000 THEN
		RETURN NEXT same(name || ': rollup of single rows',
						 run(format('SELECT 0 AS g, rollup(h) AS h FROM (SELECT %s AS h FROM t GROUP BY s, i) AS p', build), serial), '{}', 'wanted');
	END IF;
	plan := run(format('SELECT (s %% 7)::int AS g, %s AS h FROM t GROUP BY 1', build), serial);
	DROP TABLE IF EXISTS part;
	ALTER TABLE got RENAME TO part;
	ALTER TABLE part SET (parallel_workers = 2);
	ANALYZE part;
	RETURN NEXT same(name || ': parallel rollup', run('SELECT 0 AS g, rollup(h) AS h FROM part', parallel),
					 CASE WHEN (SELECT count(*) FROM part) > 4 THEN is_parallel ELSE '{}' END, 'wanted');	-- fewer are not worth it
	RETURN NEXT same(name || ': merge', run('SELECT 0 AS g, fold(h ORDER BY g) AS h FROM part', serial), '{}', 'wanted');
	SELECT string_agg(format('(SELECT h FROM part WHERE g = %s)', p), ' + ' ORDER BY random_of(p, 10)) INTO sum_of_parts FROM generate_series(0, 6) AS p;
	RETURN NEXT same(name || ': +', run('SELECT 0 AS g, ' || sum_of_parts || ' AS h', serial), '{}', 'wanted');

	-- groups: sorted, hashed, spilled, in parallel, all sets in one pass; and back together
	plan := run(format('SELECT g, %s AS h FROM t GROUP BY g', build), serial || '{enable_hashagg,off}');
	ALTER TABLE got RENAME TO wanted_groups;
	RETURN NEXT matches(plan, 'GroupAggregate', name || ': groups are sorted');
	RETURN NEXT same(name || ': rollup of groups', run('SELECT 0 AS g, rollup(h) AS h FROM wanted_groups', serial), '{}', 'wanted');
	RETURN NEXT same(name || ': hashed groups', run(format('SELECT g, %s AS h FROM t GROUP BY g', build), serial || '{enable_sort,off}'), '{HashAggregate}', 'wanted_groups');
	RETURN NEXT same(name || ': hashed groups in little memory', run(format('SELECT g, %s AS h FROM t GROUP BY g', build),
					 serial || '{enable_sort,off,work_mem,64kB,hash_mem_multiplier,1}'), '{HashAggregate}', 'wanted_groups');
	RETURN NEXT same(name || ': parallel groups', run(format('SELECT g, %s AS h FROM t GROUP BY g', build), parallel), are_parallel, 'wanted_groups');
	IF NOT slow THEN
		RETURN NEXT same(name || ': groups by partition', run(format('SELECT g, %s AS h FROM t GROUP BY g', build), serial || '{enable_partitionwise_aggregate,on}'),
						 '{}', 'wanted_groups');
		RETURN NEXT same(name || ': grouping sets', run(format('SELECT g, h FROM (SELECT g, grouping(g) AS up, %s AS h FROM t GROUP BY ROLLUP (g)) AS r WHERE up = 0', build), serial), '{}', 'wanted_groups');
		RETURN NEXT same(name || ': mixed grouping sets', run(format('SELECT 0 AS g, h FROM (SELECT g, grouping(g) AS up, %s AS h FROM t GROUP BY CUBE (g, (s %% 3))) AS r WHERE up = 1 ORDER BY orders(h) DESC LIMIT 1', build),
						 serial), '{}', 'wanted');
	END IF;

	-- as a window: the last row has seen all of them, and each partition's last all of its group
	EXECUTE 'SELECT max(length(k::text)) FROM t' INTO key_length;
	IF n <= 1200 AND key_length < 1000 THEN
		RETURN NEXT same(name || ': window', run(format('SELECT 0 AS g, h FROM (SELECT i, %s OVER (ORDER BY i) AS h FROM t) AS w ORDER BY i DESC LIMIT 1', build), serial),
						 '{WindowAgg}', 'wanted');
		RETURN NEXT same(name || ': window of each group', run(format('SELECT DISTINCT ON (g) g, h FROM (SELECT i, g, %s OVER (PARTITION BY g ORDER BY i) AS h FROM t) AS w ORDER BY g, i DESC', build), serial),
						 '{WindowAgg}', 'wanted_groups');
	END IF;

	-- through text and the wire
	RETURN NEXT same(name || ': text', run('SELECT g, h::text::customer_history AS h FROM wanted_groups', serial), '{}', 'wanted_groups');
	EXECUTE format('COPY wanted_groups TO %L (FORMAT binary)', file);
	TRUNCATE got;
	EXECUTE format('COPY got FROM %L (FORMAT binary)', file);
	RETURN NEXT same(name || ': binary COPY', '', '{}', 'wanted_groups');
	EXECUTE format('COPY wanted_groups TO %L', file);
	TRUNCATE got;
	EXECUTE format('COPY got FROM %L', file);
	RETURN NEXT same(name || ': COPY', '', '{}', 'wanted_groups');

	-- taken apart into events, which are those of plain SQL, and put together from them: an order of all the day's
	-- money, its other known orders for nothing, the unknown ones, and money that must be a refund
	IF to_regprocedure('loyalty.events(loyalty.customer_history)') IS NOT NULL THEN
		DROP TABLE IF EXISTS event;
		CREATE TABLE event AS SELECT g, e.* FROM wanted_groups, events(h) AS e;
		RETURN NEXT is_empty($q$
			SELECT * FROM event
			EXCEPT ALL
			SELECT g, k::text, d, count(*) FILTER (WHERE coalesce(a >= 0, true)), count(*) FILTER (WHERE a >= 0), sum(a)
			FROM t WHERE k IS NOT NULL AND d IS NOT NULL GROUP BY g, k, d $q$,
			name || ': its events are the days of plain SQL');
		DROP TABLE wanted;
		CREATE TABLE wanted AS SELECT * FROM wanted_groups WHERE h IS NOT NULL;
		RETURN NEXT same(name || ': from its events', run(format($q$
			SELECT g, %s AS h
			FROM (SELECT g, customer::%s AS k, day AS d, x.a
				  FROM event, LATERAL (VALUES (event.amount, CASE WHEN event.amount < 0 THEN 1 ELSE least(valued_orders, 1) END),
											  (event.amount * 0, CASE WHEN event.amount < 0 THEN valued_orders ELSE greatest(valued_orders - 1, 0) END),
											  (NULL, orders - valued_orders)) AS x(a, times),
					   generate_series(1, x.times)) AS r
			GROUP BY g $q$, build, key_type), serial), '{}', 'wanted');
	END IF;

	-- what plain SQL counts
	EXECUTE $q$
		SELECT count(*) FROM (
			SELECT w.g, customers(h) AS c, orders(h) AS o, revenue(h)::text AS r, first_day(h) AS f, last_day(h) AS l FROM wanted_groups AS w
			EXCEPT
			SELECT g, CASE WHEN count(x) > 0 THEN count(DISTINCT k) FILTER (WHERE x AND coalesce(a >= 0, true)) END,
				   CASE WHEN count(x) > 0 THEN count(*) FILTER (WHERE x AND coalesce(a >= 0, true)) END,
				   sum(a) FILTER (WHERE x)::text, min(d) FILTER (WHERE x), max(d) FILTER (WHERE x)
			FROM (SELECT g, k, d, a, CASE WHEN k IS NOT NULL AND d IS NOT NULL THEN true END AS x FROM t) AS r
			GROUP BY g) AS d $q$
	INTO parts;
	RETURN NEXT is(parts, 0, name || ': customers, orders, revenue, first and last day are those of plain SQL');
END
$$;

-- ---------- the rows ----------

-- days of two years; few days; all that a date can be
\set two_years 'date ''2023-01-01'' + (r1 % 730)::int'
\set week 'date ''2024-02-26'' + (r1 % 7)::int'
\set ages 'CASE r2 % 9 WHEN 0 THEN ''4714-11-24 BC'' WHEN 1 THEN ''5874897-12-31'' WHEN 2 THEN ''0001-01-01'' WHEN 3 THEN ''9999-12-31'' WHEN 4 THEN ''2000-01-01'' WHEN 5 THEN date ''1999-12-25'' + (r1 % 14)::int ELSE date ''4714-11-24 BC'' + (r1 % 2147483493)::int END'

-- money with decimals; with refunds and unknown amounts; with all numbers of decimals; too wide for 64 bits
\set cents 'round((r3 % 20000) / 100.0, 2)'
\set shop 'CASE WHEN r4 % 10 < 8 THEN round((r3 % 100000 - 20000) / 100.0, 2) WHEN r4 % 10 = 8 THEN 0 END'
\set decimals 'CASE WHEN r4 % 20 > 0 THEN round((r3 % 1000000000 - 100000000)::numeric / (1 + r4 % 70), (r2 % 17)::int) END'
\set wide 'CASE WHEN r4 % 20 > 0 THEN round((r3 % 2000000 - 700000) * 10::numeric ^ (r2 % 24) / 7, (r4 % 4)::int) END'
\set around_limits 'CASE WHEN r4 % 4 > 0 THEN (CASE WHEN r4 % 9 = 0 THEN -1 ELSE 1 END) * (2::numeric ^ (ARRAY[15, 16, 24, 31, 32, 63, 64])[1 + r3 % 7] + (ARRAY[-257, -256, -255, -1, 0, 1, 65536])[1 + r1 % 7]) END'
\set seldom_wide 'round(CASE WHEN r4 % 500 = 0 THEN r3 % 100000000000000 ELSE r3 % 20000 END / 100.0, 2)'
\set unknown 'NULL::numeric'

-- bigint keys
\set dense 'c + 1'
\set negative '-c'
\set sparse 'hashint8extended(c, 0)'
\set clustered 'c % 1000 + c / 1000 * 1000003 * (c % 3) * (c % 7)'
\set extreme '(CASE c % 3 WHEN 0 THEN -9223372036854775808 + c / 3 WHEN 1 THEN 9223372036854775807 - c / 3 ELSE c - 20 END)::bigint'
-- text keys; the empty string is one of them
\set short '''c'' || c'
\set alike 'CASE WHEN c = 0 THEN '''' ELSE repeat(''customer-'', 1 + (c % 3)::int) || chr(33 + (c / 3 % 90)::int) || CASE WHEN c >= 270 THEN c::text ELSE '''' END END'
\set last_byte 'repeat(''x'', (c % 40)::int) || chr(33 + (c / 40 % 94)::int)'
\set prefixes 'repeat(''p'', c::int)'
\set long 'repeat(''k'', 9900 + (c % 5)::int) || lpad(c::text, 100 - (c % 5)::int, ''0'')'
\set letters 'repeat((ARRAY[''é'', ''日本'', ''🙂'', ''ß'', ''z''])[1 + c % 5], 1 + (c / 5 % 7)::int) || CASE WHEN c > 34 THEN c::text ELSE '''' END'
-- text that fits a row, just and just not; text that is a uuid, and nearly one
\set fitting 'repeat(''f'', 9 + (c % 7)::int) || lpad((c % 1000)::text, 1 + (c % 2)::int * 2, ''0'')'
\set uuid_text 'md5(c::text)::uuid::text'
\set nearly_uuid 'CASE WHEN c % 400 <> 7 THEN md5(c::text)::uuid::text WHEN c % 3 = 0 THEN upper(md5(c::text)::uuid::text) WHEN c % 3 = 1 THEN replace(md5(c::text)::uuid::text, ''-'', ''_'') ELSE translate(md5(c::text)::uuid::text, ''5'', chr((103 + c % 20)::int)) END'
-- uuid keys
\set random 'md5(c::text)::uuid'
\set serial '(''00000000-0000-4000-8000-'' || lpad(to_hex(c), 12, ''0''))::uuid'

-- one row, and states of a few rows up to the largest page
SELECT dataset('dense, no amounts', 1, 1, 'bigint', :'dense', :'two_years', NULL);
SELECT dataset('short, cents', 1, 1, 'text', :'short', :'two_years', :'cents');
SELECT dataset('random uuid, wide', 1, 1, 'uuid', :'random', :'ages', :'wide');
SELECT dataset('sparse, unknown amounts', 12, 6, 'bigint', :'sparse', :'two_years', :'unknown');
SELECT dataset('dense, shop', 45, 8, 'bigint', :'dense', :'week', :'shop');
SELECT dataset('letters, decimals', 40, 20, 'text', :'letters', :'two_years', :'decimals');
SELECT dataset('serial uuid, no amounts', 90, 30, 'uuid', :'serial', :'two_years', NULL);
SELECT dataset('extreme, wide, all ages', 150, 30, 'bigint', :'extreme', :'ages', :'wide');
SELECT dataset('sparse, limits of amounts', 1000, 300, 'bigint', :'sparse', :'week', :'around_limits');

-- about the size at which a page becomes a large state, and past it
SELECT dataset('negative, cents', 500 + (:seed % 60), 200, 'bigint', :'negative', :'two_years', :'cents');
SELECT dataset('last byte, shop', 1000, 900, 'text', :'last_byte', :'two_years', :'shop');
SELECT dataset('alike, no amounts', 1100, 400, 'text', :'alike', :'week', NULL);
SELECT dataset('random uuid, decimals', 1200, 500, 'uuid', :'random', :'two_years', :'decimals');
SELECT dataset('one prefix of the other, cents', 1500, 200, 'text', :'prefixes', :'week', :'cents');
SELECT dataset('long, shop', 1000, 400, 'text', :'long', :'two_years', :'shop');
SELECT dataset('extreme, decimals, all ages', 5000, 900, 'bigint', :'extreme', :'ages', :'decimals');
SELECT dataset('sparse, wide', 5000, 4000, 'bigint', :'sparse', :'two_years', :'wide');

-- values that are merged as runs; more rows than are sorted at once
SELECT dataset('letters, shop', 20000, 15000, 'text', :'letters', :'two_years', :'shop');
SELECT dataset('dense, unknown amounts', 40000, 9000, 'bigint', :'dense', :'two_years', :'unknown');
SELECT dataset('serial uuid, decimals', 40000, 20000, 'uuid', :'serial', :'ages', :'decimals');
SELECT dataset('fitting, cents', 20000, 1000, 'text', :'fitting', :'two_years', :'cents');
SELECT dataset('nearly uuid, wide', 20000, 5000, 'text', :'nearly_uuid', :'two_years', :'wide');
SELECT dataset('uuid text, shop', 30000, 12000, 'text', :'uuid_text', :'two_years', :'shop', true);
SELECT dataset('sparse, shop', 70000, 30000, 'bigint', :'sparse', :'two_years', :'shop', true);
SELECT dataset('one customer', 40000, 1, 'text', :'short', :'ages', :'shop', true);

-- rows that a parallel worker sends as they are; of a number of bits, and of too many
SELECT dataset('negative, shop', 70000, 10000, 'bigint', :'negative', :'two_years', :'shop', true);

-- more rows than are kept before equal customer-days are looked for: few that are equal, and nearly all
\set slowness 1
\getenv slowness LOYALTY_SLOWNESS
SELECT :slowness > 1 AS slow \gset
\if :slow
SELECT is((SELECT customer_history(i % modulus, date '2024-01-01' + (i % 7)::int, i % 1000 / 100.0) FROM generate_series(1, 550000) AS i),
		  (SELECT rollup(h) FROM (SELECT customer_history(i % modulus, date '2024-01-01' + (i % 7)::int, i % 1000 / 100.0) AS h
								  FROM generate_series(1, 550000) AS i GROUP BY i / 10000) AS p), format('550000 rows, %s customers: rollup of 55 parts', modulus))
FROM unnest('{500,500000}'::bigint[]) AS modulus;
\else
SELECT dataset('clustered, no amounts', 200000, 60000, 'bigint', :'clustered', :'two_years', NULL, true);
SELECT dataset('one number, all ages, cents', 150000, 1, 'bigint', :'dense', :'ages', :'cents', true);
SELECT dataset('dense, decimals', 150000, 20000, 'bigint', :'dense', :'two_years', :'decimals', true);
SELECT dataset('dense, seldom wide', 100000, 20000, 'bigint', :'dense', :'two_years', :'seldom_wide', true);
SELECT dataset('extreme, decimals', 550000, 100000, 'bigint', :'extreme', :'two_years', :'decimals', true);
SELECT dataset('short, cents, equal days', 550000, 500, 'text', :'short', :'week', :'cents', true);
\endif

SELECT * FROM finish();
