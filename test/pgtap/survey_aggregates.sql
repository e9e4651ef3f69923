-- Same answer however it was computed: any order, parallel, rolled up, or as a
-- window that moves.  The data are random; the seed is printed, and another
-- run repeats them with LOYALTY_SEED=that.

BEGIN;
SELECT plan(84);
SET LOCAL search_path = public, loyalty;
\ir include/seed.sql

-- 30,000 answers: one in seven NULL, whole stretches of NULL, unequal days
CREATE TABLE answer AS
SELECT n AS id, (random() * 4)::int AS grp, date '2025-01-01' + (n / 80 * (0.5 + random() / 2))::int AS day,
	   CASE WHEN n % 1000 < 40 OR random() < 0.15 THEN NULL ELSE floor(random() * 5 + 1)::int END AS five,
	   CASE WHEN n % 1000 < 40 OR random() < 0.15 THEN NULL ELSE floor(sqrt(random()) * 11)::int END AS score,
	   random() AS r
FROM generate_series(1, 30000) AS n;
ANALYZE answer;

-- ---------- one group, groups, nothing ----------

CREATE FUNCTION pg_temp.counted(grp int) RETURNS text LANGUAGE sql AS $$
	SELECT format('0..10:{%s}', string_agg(n::text, ',' ORDER BY x))
	FROM (SELECT x, count(score) AS n FROM generate_series(0, 10) AS x LEFT JOIN answer ON score = x AND (counted.grp IS NULL OR answer.grp = counted.grp) GROUP BY x) AS t
$$;
SELECT is(nps_survey(score)::text, pg_temp.counted(NULL), 'all answers, counted by SQL') FROM answer;
SELECT is(nps_survey(score)::text, pg_temp.counted(grp), 'answers of a group') FROM answer GROUP BY grp ORDER BY grp;
SELECT is(nps_survey(score ORDER BY r), nps_survey(score ORDER BY r DESC), 'in any order') FROM answer;
SELECT is(nps_survey(score::smallint), nps_survey(score::bigint), 'smallint and bigint') FROM answer;
SELECT is(nps_survey(score::smallint), nps_survey(score), 'smallint and integer') FROM answer;
SELECT is(nps_survey(DISTINCT score)::text, '0..10:{1,1,1,1,1,1,1,1,1,1,1}', 'DISTINCT') FROM answer;
SELECT is(nps_survey(score, 0, 10), nps_survey(score), 'the scale 0 to 10 by name') FROM answer;
SELECT is(nps_survey(five, 1, 5)::text, format('1..5:{%s,%s,%s,%s,%s}', count(*) FILTER (WHERE five = 1), count(*) FILTER (WHERE five = 2),
		  count(*) FILTER (WHERE five = 3), count(*) FILTER (WHERE five = 4), count(*) FILTER (WHERE five = 5)), 'a scale of 1 to 5') FROM answer;
SELECT is(num_nonnulls(nps_survey(score), nps_survey(score, 1, 5), nps(score), csat(score, 4), ces(score), rollup(NULL::nps_survey)), 0, 'NULL answers only: NULL')
FROM answer WHERE score IS NULL;
SELECT is(num_nonnulls(nps_survey(score), nps_survey(score, 1, 5), nps(score), csat(score, 4), ces(score), rollup(NULL::nps_survey)), 0, 'no rows: NULL')
FROM answer WHERE false;
SELECT is(array[nps(score), csat(five, 4), ces(five), csat(score, 8)],
		  array[nps(nps_survey(score)), csat(nps_survey(five, 1, 5)), ces(nps_survey(five, 1, 5)), csat(nps_survey(score), 8)], 'direct aggregates') FROM answer;
SELECT is(array[nps(score), csat(five, 4), ces(five)]::numeric(20,12)[],
		  array[100 * avg((score >= 9)::int - (score <= 6)::int), avg((five >= 4)::int), avg(five)]::numeric(20,12)[], 'direct aggregates by SQL') FROM answer;
SELECT is(nps_survey(score) FILTER (WHERE grp = 1), nps_survey(CASE WHEN grp = 1 THEN score END), 'FILTER') FROM answer;
SELECT is(nps(s, 9, 4), nps(nps_survey(score), 9, 4), 'a rollup of a rollup')
FROM answer, LATERAL (SELECT rollup(t.s) AS s FROM (SELECT rollup(u.s) AS s FROM (SELECT grp, id % 10 AS k, nps_survey(score) AS s FROM answer GROUP BY 1, 2) AS u GROUP BY k) AS t) AS x
GROUP BY s;
SELECT is((SELECT rollup(s) FROM (SELECT nps_survey(score) AS s FROM answer GROUP BY id) AS t), (SELECT nps_survey(score) FROM answer), 'the rollup of 30,000 surveys');
SELECT is(rollup(s)::text, '1..5:{0,0,0,0,0}', 'the rollup of surveys without answers') FROM (VALUES ('1..5:{0,0,0,0,0}'::nps_survey), (NULL)) AS t(s);

-- ---------- parallel ----------

SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 3;
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN RETURN QUERY EXECUTE 'EXPLAIN ' || query; END $$;
CREATE TABLE day_survey AS SELECT day, grp, nps_survey(score) AS s FROM answer GROUP BY 1, 2;
ANALYZE day_survey;
CREATE TEMP TABLE query (name text, query text);
INSERT INTO query VALUES
	('aggregates', $$ SELECT grp, nps_survey(score), nps_survey(five, 1, 5), nps(score), csat(five, 4), ces(five) FROM answer GROUP BY grp $$),
	('without groups', $$ SELECT 1, nps_survey(score), nps_survey(five, 1, 5), nps(score), csat(five, 4), ces(five) FROM answer $$),
	('no rows', $$ SELECT 1, nps_survey(score), nps_survey(five, 1, 5), nps(score), csat(five, 4), ces(five) FROM answer WHERE r * 2 > 4 $$),
	('NULL only', $$ SELECT 1, nps_survey(score), nps_survey(score, 1, 5), nps(score), csat(score, 4), ces(score) FROM answer WHERE score IS NULL $$),
	('rollup', $$ SELECT 1, rollup(s) FROM day_survey $$), ('rollup of none', $$ SELECT 1, rollup(s) FROM day_survey WHERE grp * 2 > 18 $$),
	('rollup of NULL', $$ SELECT 1, rollup(nullif(s, s)) FROM day_survey $$);
SELECT ok(bool_or(line LIKE '%Partial%Aggregate%') AND bool_or(line LIKE '%Gather%'), 'a parallel plan: ' || name)
FROM query, pg_temp.plan(query.query) AS line GROUP BY name ORDER BY name;
CREATE FUNCTION pg_temp.result(query text, workers int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
	PERFORM set_config('max_parallel_workers_per_gather', workers::text, true);
	EXECUTE format('SELECT string_agg(t::text, E''\n'' ORDER BY t::text) FROM (%s) AS t', query) INTO result;
	RETURN result;
END $$;
SELECT is(pg_temp.result(query, 3), pg_temp.result(query, 0), 'parallel as serial: ' || name) FROM query ORDER BY name;
SET LOCAL max_parallel_workers_per_gather = 0;

-- ---------- windows that move, and the same frames computed anew ----------

-- a volatile filter makes PostgreSQL recompute each frame: no inverse is used
CREATE FUNCTION pg_temp.yes() RETURNS boolean LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN true; END';
\set slowness 1
\getenv slowness LOYALTY_SLOWNESS
CREATE TABLE picked AS SELECT * FROM answer
WHERE CASE WHEN :slowness > 1 THEN id % 300 = 0 OR id BETWEEN 995 AND 1050 ELSE id % 23 = 0 OR id BETWEEN 990 AND 1100 END;
CREATE TEMP TABLE frame (frame text);
INSERT INTO frame VALUES
	('ORDER BY id ROWS BETWEEN 9 PRECEDING AND CURRENT ROW'),
	('ORDER BY id ROWS BETWEEN 3 PRECEDING AND 2 FOLLOWING'),
	('ORDER BY id ROWS BETWEEN 7 PRECEDING AND 3 PRECEDING'),
	('ORDER BY id ROWS BETWEEN 2 FOLLOWING AND 5 FOLLOWING'),
	('ORDER BY id ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING'),
	('ORDER BY id ROWS CURRENT ROW'),
	('ORDER BY day RANGE BETWEEN interval ''6 days'' PRECEDING AND CURRENT ROW'),
	('ORDER BY day RANGE BETWEEN interval ''9 days'' PRECEDING AND interval ''4 days'' PRECEDING'),
	('ORDER BY day GROUPS BETWEEN 2 PRECEDING AND CURRENT ROW'),
	('ORDER BY day GROUPS BETWEEN 1 FOLLOWING AND 2 FOLLOWING'),
	('PARTITION BY grp ORDER BY id ROWS BETWEEN 5 PRECEDING AND CURRENT ROW'),
	('ORDER BY id ROWS BETWEEN 5 PRECEDING AND 5 FOLLOWING EXCLUDE CURRENT ROW'),
	('ORDER BY day GROUPS BETWEEN 2 PRECEDING AND CURRENT ROW EXCLUDE TIES'),
	('ORDER BY day');
CREATE FUNCTION pg_temp.differences(frame text, condition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	aggregates text[] := '{nps_survey(score),"nps_survey(five, 1, 5)",rollup(s),nps(score),"csat(five, 4)",ces(five)}';
	columns text := '';
	result text;
BEGIN
	FOR i IN 1 .. 6 LOOP
		columns := columns || format(', %1$s FILTER (WHERE %2$s) OVER w AS moving%3$s, %1$s FILTER (WHERE %2$s AND pg_temp.yes()) OVER w AS anew%3$s', aggregates[i], condition, i);
	END LOOP;
	EXECUTE format('SELECT format(''%%s rows, %%s empty, %%s differ'', count(*), count(*) FILTER (WHERE moving1 IS NULL) > 0,
			count(*) FILTER (WHERE (moving1, moving2, moving3, moving4, moving5, moving6)::text IS DISTINCT FROM (anew1, anew2, anew3, anew4, anew5, anew6)::text))
		FROM (SELECT id %s FROM (SELECT *, (CASE WHEN id %% 3 > 0 THEN format(''0..10:{0,0,%%s,0,0,%%s,0,0,0,%%s,0}'', id %% 5, id %% 7, id %% 2) END)::loyalty.nps_survey AS s FROM picked) AS picked
			  WINDOW w AS (%s)) AS t', columns, frame) INTO result;
	RETURN result;
END $$;
SELECT matches(pg_temp.differences(frame, condition), '^1\d+ rows, . empty, 0 differ$', format('%s, filter %s', frame, condition))
FROM frame, unnest('{true,r < 0.3}'::text[]) AS condition ORDER BY frame, condition;

SELECT is(string_agg(coalesce(s::text, 'NULL'), ' ' ORDER BY n), '0..1:{1,0} 0..1:{1,0} NULL NULL 0..1:{0,1}', 'frames that empty and fill')
FROM (SELECT n, nps_survey(x, 0, 1) OVER (ORDER BY n ROWS 1 PRECEDING) AS s FROM unnest('{0,NULL,NULL,NULL,1}'::int[]) WITH ORDINALITY AS t(x, n)) AS t;
SELECT is(string_agg(coalesce(s::text, 'NULL'), ' ' ORDER BY n), '0..1:{1,0} 1..2:{0,1} NULL', 'the scale may change where the frame forgets')
FROM (SELECT n, rollup(x) OVER (ORDER BY n ROWS CURRENT ROW) AS s FROM unnest('{"0..1:{1,0}","1..2:{0,1}",NULL}'::nps_survey[]) WITH ORDINALITY AS t(x, n)) AS t;
-- values that a window returned stay as they were
SELECT is(array_agg(nps ORDER BY n), '{100,100,100}', 'rows keep the value of their frame')
FROM (SELECT n, nps(s) FROM (SELECT n, rollup(nps_survey(9)) OVER (ORDER BY n) AS s FROM generate_series(1, 3) AS n GROUP BY n) AS t ORDER BY n DESC) AS t;

-- ---------- errors ----------

SELECT throws_ok(query, state, message, query)
FROM (VALUES ('SELECT nps_survey(11)', '22003', 'score is 11, but must be from 0 to 10'), ('SELECT nps_survey(-1)', '22003', 'score is -1, but must be from 0 to 10'),
			 ('SELECT nps(9223372036854775807)', '22003', 'score is 9223372036854775807, but must be from 0 to 10'),
			 ('SELECT nps_survey(0, 1, 5)', '22003', 'score is 0, but must be from 1 to 5'), ('SELECT ces(8)', '22003', 'score is 8, but must be from 1 to 7'),
			 ('SELECT csat(11, 4)', '22003', 'score is 11, but must be from 0 to 10'), ('SELECT csat(1, 0)', '22023', 'satisfied_from is 0, but must be from 1 to 10'),
			 ('SELECT csat(1, NULL)', '22004', 'satisfied_from must not be NULL'),
			 ('SELECT nps_survey(1, 5, 5)', '22023', 'lowest is 5 and highest is 5, but the scale must lie within 0 to 10 and have at least two points'),
			 ('SELECT nps_survey(1, 1, 11)', '22023', 'lowest is 1 and highest is 11, but the scale must lie within 0 to 10 and have at least two points'),
			 ('SELECT nps_survey(1, NULL, 5)', '22004', 'lowest must not be NULL'), ('SELECT nps_survey(1, 1, NULL)', '22004', 'highest must not be NULL'),
			 ('SELECT nps_survey(1, 1, x) FROM generate_series(5, 6) AS x', '22023', 'lowest and highest must be the same in all rows, but are 1 and 6 after 1 and 5'),
			 ('SELECT rollup(x) FROM unnest(''{"0..1:{1,0}","1..2:{0,1}"}''::nps_survey[]) AS x', '42804', 'surveys of the scales 0..1 and 1..2 cannot be put together'),
			 ('SELECT rollup(x) FROM unnest(''{"0..1:{9223372036854775807,0}","0..1:{0,1}"}''::nps_survey[]) AS x', '22003', 'too many answers for an nps_survey'),
			 ('SELECT rollup(x) FROM unnest(''{"0..1:{0,9223372036854775807}","0..1:{0,1}"}''::nps_survey[]) AS x', '22003', 'too many answers for an nps_survey'),
			 ('SELECT nps_final(''1..5:{1,2,3,4,5}'')', '22023', 'promoter_from is 9, but must be from 2 to 5 on the scale 1..5'),
			 ('SELECT nps_survey_transition(NULL, 1)', '0A000', 'function nps_survey_transition can only be called as part of an aggregate'))
	 AS t(query, state, message);
SELECT throws_like('SELECT nps_survey(1.5)', '%nps_survey(numeric)%', 'no score with a fraction');

SELECT * FROM finish();
ROLLBACK;
