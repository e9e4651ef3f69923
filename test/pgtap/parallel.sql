-- Every aggregate of the extension gives the same bytes serially, in parallel
-- workers, by partition, and both, by group and without groups, where all rows
-- match, where those of one partition match, so that the other partial states
-- are empty, where only NULLs match, and where no row does.

BEGIN;
SELECT no_plan();
SET LOCAL search_path = public, loyalty;
SET LOCAL jit = off;

CREATE TABLE answer (part int, customer bigint, name text, id uuid, day date, amount numeric, score int, five int, h customer_history, s nps_survey) PARTITION BY LIST (part);
SELECT format('CREATE TABLE answer_%s PARTITION OF answer FOR VALUES IN (%1$s) WITH (parallel_workers = 2)', part) FROM generate_series(0, 3) AS part \gexec
INSERT INTO answer
SELECT i % 4, i * 7 % 501, 'n ' || i * 7 % 501, md5((i * 7 % 501)::text)::uuid, date '2024-01-01' + i * 11 % 400, CASE WHEN i % 9 > 0 THEN (i * 37 % 5000 - 300) / 100.0 END, i % 11, i % 5 + 1,
	   customer_history(i % 3, date '2024-01-01' + i % 100, i), nps_survey(i % 11)
FROM generate_series(1, 4000) AS i GROUP BY i;
-- partition 3 has nothing but NULLs
UPDATE answer SET customer = NULL, name = NULL, id = NULL, score = NULL, five = NULL, h = NULL, s = NULL WHERE part = 3;
ANALYZE answer;

-- each with arguments by their types, as the catalog knows them: a new aggregate is tested without a word here
CREATE TEMP VIEW aggregate AS
SELECT p.oid::regprocedure::text AS name,
	   format('%s(%s)', p.oid::regproc,
			  string_agg(CASE WHEN p.proargnames[n] = 'lowest' THEN '1' WHEN p.proargnames[n] = 'highest' THEN '5' WHEN n > 1 AND type = 'integer'::regtype THEN '4'
						 ELSE CASE type WHEN 'bigint'::regtype THEN CASE WHEN p.proname = 'customer_history' THEN 'customer' ELSE 'five' END WHEN 'text'::regtype THEN 'name' WHEN 'uuid'::regtype THEN 'id'
							  WHEN 'date'::regtype THEN 'day' WHEN 'numeric'::regtype THEN 'amount' WHEN 'customer_history'::regtype THEN 'h' WHEN 'nps_survey'::regtype THEN 's' END END, ', ' ORDER BY n)) AS call
FROM pg_depend AS d JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e' AND e.extname = 'loyalty'
JOIN pg_proc AS p ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND p.prokind = 'a', unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a(type, n)
GROUP BY p.oid;
SELECT cmp_ok(count(*), '>=', 13::bigint, 'there are aggregates') FROM aggregate;
SELECT is_empty('SELECT name FROM aggregate WHERE call IS NULL', 'the types of their arguments are known here');

-- The rows that a query gives, and whether its plan matches all patterns and launched its workers.
CREATE FUNCTION pg_temp.answer(query text, settings text[], patterns text[]) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	line text;
	plan text := '';
	pattern text;
	answer text;
BEGIN
	FOR i IN 1 .. array_length(settings, 1) BY 2 LOOP
		PERFORM set_config(settings[i], settings[i + 1], true);
	END LOOP;
	EXECUTE format('SELECT count(*) || '' rows: '' || coalesce(string_agg(coalesce(q::text, ''NULL''), ''|'' ORDER BY q::text), '''') FROM (%s) AS q', query) INTO answer;
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
		plan := plan || line || E'\n';
	END LOOP;
	FOREACH pattern IN ARRAY patterns LOOP
		IF plan !~ pattern THEN
			answer := format('no %s in the plan: %s', pattern, plan);
		END IF;
	END LOOP;
	FOR i IN 1 .. array_length(settings, 1) BY 2 LOOP
		EXECUTE format('SET LOCAL %I = DEFAULT', settings[i]);
	END LOOP;
	RETURN answer;
END
$$;

CREATE TEMP TABLE way (way text, settings text[], patterns text[]);
INSERT INTO way VALUES
	('parallel', '{max_parallel_workers_per_gather,2,parallel_setup_cost,0,parallel_tuple_cost,0,min_parallel_table_scan_size,0,parallel_leader_participation,off,enable_partitionwise_aggregate,off}',
	 '{Finalize,"Gather.*Partial","Workers Launched: [12]"}'),
	('partitionwise', '{max_parallel_workers_per_gather,0,enable_partitionwise_aggregate,on,cpu_tuple_cost,1}', '{Finalize,"Append.*Partial.*Partial"}'),
	('parallel and partitionwise', '{max_parallel_workers_per_gather,2,parallel_setup_cost,0,parallel_tuple_cost,0,min_parallel_table_scan_size,0,parallel_leader_participation,off,enable_partitionwise_aggregate,on}',
	 '{Finalize,"Gather.*Partial","Workers Launched: [12]"}');
-- conditions that the planner cannot see through, so that it neither prunes partitions nor expects no rows
CREATE TEMP TABLE rows (rows text, condition text);
INSERT INTO rows VALUES ('all rows', 'true'), ('one partition', 'part + length(repeat(''x'', part)) = 2'), ('NULLs only', 'part + length(repeat(''x'', part)) = 6'),
	('values and NULLs', 'part + length(repeat(''x'', part)) >= 4'), ('no rows', 'part + length(repeat(''x'', part)) = 99');

SELECT string_agg(call, ', ' ORDER BY call) AS calls FROM aggregate \gset
SELECT is(pg_temp.answer(query, w.settings, CASE WHEN grouped THEN '{}' ELSE w.patterns END), serial,
		  format('%s%s: %s as serial', r.rows, CASE WHEN grouped THEN ' by group' ELSE '' END, w.way))
FROM rows AS r, (VALUES (false), (true)) AS g(grouped),
	 LATERAL (SELECT format('SELECT %s FROM answer WHERE %s%s', :'calls', r.condition, CASE WHEN grouped THEN ' GROUP BY day' ELSE '' END) AS query) AS q,
	 LATERAL (SELECT pg_temp.answer(query, '{max_parallel_workers_per_gather,0,enable_partitionwise_aggregate,off}', '{}') AS serial OFFSET 0) AS s, way AS w
ORDER BY r.rows, grouped, w.way;
-- and one aggregate at a time, as they are used
SELECT is(pg_temp.answer(format('SELECT %s FROM answer WHERE %s', call, condition), w.settings, w.patterns),
		  pg_temp.answer(format('SELECT %s FROM answer WHERE %s', call, condition), '{max_parallel_workers_per_gather,0,enable_partitionwise_aggregate,off}', '{}'), format('%s of %s: %s as serial', name, rows, way))
FROM aggregate, way AS w, rows WHERE rows = 'one partition' AND way = 'parallel' ORDER BY name;

-- by the key of the partitions each of them is aggregated to the end
SELECT is(pg_temp.answer(query, '{enable_partitionwise_aggregate,on,max_parallel_workers_per_gather,0}', '{"Append.*Aggregate.*Aggregate"}'),
		  pg_temp.answer(query, '{enable_partitionwise_aggregate,off,max_parallel_workers_per_gather,0}', '{}'), 'by partition')
FROM (SELECT format('SELECT part, %s FROM answer GROUP BY part', :'calls') AS query) AS q;

-- nothing at all is NULL everywhere, and NULLs are nothing
SELECT is(pg_temp.answer(format('SELECT num_nonnulls(%s) FROM answer WHERE part + length(repeat(''x'', part)) IN (6, 99)', :'calls'), settings, patterns), '1 rows: (0)', format('nothing, %s: NULL', way))
FROM way ORDER BY way;

-- rows that workers send as they are, to whom it is for and to nobody else: an aggregate that combines otherwise, one
-- that does not finish, one of small results, and a rollup of parts
CREATE TABLE many (customer bigint, day date, amount numeric) WITH (parallel_workers = 2);
INSERT INTO many SELECT i * 7919 % 20011 - 5000, date '2024-01-01' + (i * 31 % 700)::int, CASE WHEN i % 9 > 0 THEN round((i * 37 % 5000 - 300) / 100.0, 2) END FROM generate_series(1, 120000::bigint) AS i;
ANALYZE many;
CREATE AGGREGATE history_by_merge(bigint, date, numeric) (
	SFUNC = loyalty.customer_history_transition, STYPE = loyalty.customer_history, COMBINEFUNC = loyalty.merge, PARALLEL = SAFE);
CREATE AGGREGATE history_unfinished(bigint, date, numeric) (
	SFUNC = loyalty.customer_history_transition, STYPE = loyalty.customer_history, COMBINEFUNC = loyalty.customer_history_combine, PARALLEL = SAFE);
CREATE AGGREGATE orders_of_history(bigint, date, numeric) (
	SFUNC = loyalty.customer_history_transition, STYPE = loyalty.customer_history, COMBINEFUNC = loyalty.customer_history_combine,
	FINALFUNC = loyalty.orders, PARALLEL = SAFE);
SELECT is(pg_temp.answer(query, settings, patterns), pg_temp.answer(replace(query, call, serial), '{max_parallel_workers_per_gather,0}', '{}'), 'workers send rows: ' || name)
FROM (VALUES
	('customer_history', 'loyalty.customer_history(customer, day, amount)', 'loyalty.customer_history(customer, day, amount)'),
	('an aggregate that combines by merge', 'history_by_merge(customer, day, amount)', 'loyalty.customer_history(customer, day, amount)'),
	('an aggregate without a final function', 'history_unfinished(customer, day, amount)', 'loyalty.customer_history(customer, day, amount)'),
	('an aggregate with another final function', 'orders_of_history(customer, day, amount)', 'loyalty.orders(loyalty.customer_history(customer, day, amount))'),
	('without amounts', 'loyalty.customer_history(customer, day)', 'loyalty.customer_history(customer, day)')) AS q(name, call, serial),
	LATERAL (SELECT format('SELECT md5((%s)::text) FROM many', call)) AS f(query), way
WHERE way = 'parallel';
SELECT is(pg_temp.answer(query, settings, patterns), pg_temp.answer(query, '{max_parallel_workers_per_gather,0}', '{}'), 'workers send rows: groups')
FROM (SELECT 'SELECT customer % 3, loyalty.customer_history(customer, day, amount) FROM many GROUP BY 1') AS q(query), way WHERE way = 'parallel';

-- one worker does all there is to do for a part of the query: what it shares it reads itself
CREATE TABLE parted (customer bigint, day date, amount numeric) PARTITION BY HASH (customer);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parted SELECT i * 7 % 40000, date '2020-01-01' + i % 1500, i % 900 FROM generate_series(1, 160000) AS i;
ANALYZE parted;
SELECT is(pg_temp.answer(query, settings, patterns), pg_temp.answer(query, '{max_parallel_workers_per_gather,0}', '{}'), 'a worker reads what it shares: leader participation ' || leader)
FROM (SELECT 'SELECT md5(h::text) FROM (SELECT loyalty.customer_history(customer, day, amount) AS h FROM parted UNION ALL SELECT loyalty.customer_history(customer, day) FROM parted) AS u'::text) AS q(query),
	(VALUES ('on'), ('off')) AS l(leader),
	LATERAL (SELECT ARRAY['enable_partitionwise_aggregate', 'on', 'cpu_tuple_cost', '1', 'min_parallel_table_scan_size', '100GB', 'max_parallel_workers_per_gather', '2', 'parallel_setup_cost', '0', 'parallel_tuple_cost', '0', 'parallel_leader_participation', leader]) AS s(settings),
	LATERAL (SELECT '{"Gather.*Parallel Append.*Finalize.*Append.*Partial"}'::text[]) AS p(patterns);

-- a damaged value that says it is such rows, where an aggregate lets it through to the leader
CREATE CAST (bytea AS loyalty.customer_history) WITHOUT FUNCTION;
CREATE FUNCTION latter(loyalty.customer_history, loyalty.customer_history) RETURNS loyalty.customer_history LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 100000 AS 'SELECT $2';
CREATE AGGREGATE latest(loyalty.customer_history) (SFUNC = latter, STYPE = loyalty.customer_history, COMBINEFUNC = loyalty.customer_history_combine, PARALLEL = SAFE);
CREATE TABLE damaged (h loyalty.customer_history) WITH (parallel_workers = 2);
ALTER TABLE damaged ALTER h SET STORAGE plain;
INSERT INTO damaged SELECT decode('ff01000002000000' || repeat('41', 400), 'hex')::loyalty.customer_history FROM generate_series(1, 200);
ANALYZE damaged;
CREATE FUNCTION pg_temp.state_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	EXECUTE query INTO answer;
	RETURN 'no error: ' || coalesce(answer, 'NULL');
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
CREATE FUNCTION query_plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN ' || query; END $$;
SELECT set_config(settings[n], settings[n + 1], true) FROM way, generate_series(1, array_length(settings, 1), 2) AS n WHERE way = 'parallel' \g /dev/null
SELECT matches((SELECT string_agg(line, '') FROM query_plan('SELECT loyalty.orders(latest(h)) FROM damaged') AS line), 'Finalize.*Partial', 'the leader combines');
SELECT is(pg_temp.state_of('SELECT loyalty.orders(latest(h)) FROM damaged'), 'XX001', 'a damaged value is no rows of a worker');
-- and one that says where such rows are
UPDATE damaged SET h = decode('fe00000000000000' || '41414141' || repeat('00', 20), 'hex')::loyalty.customer_history;
SELECT is(pg_temp.state_of('SELECT loyalty.orders(latest(h)) FROM damaged'), 'XX001', 'nor does it tell where they are');
UPDATE damaged SET h = decode('fe00000000000000' || repeat('00', 24), 'hex')::loyalty.customer_history;
SELECT is(pg_temp.state_of('SELECT loyalty.orders(latest(h)) FROM damaged'), 'XX001', 'not even nowhere');

SELECT * FROM finish();
ROLLBACK;
