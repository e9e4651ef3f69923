-- The type nps_survey: text, casts, order, sums; hostile input; the catalog.

BEGIN;
SELECT plan(92);
SET LOCAL search_path = public, loyalty;
\ir include/seed.sql

-- surveys of all scales, with counts of all sizes
CREATE TEMP TABLE survey AS
SELECT row_number() OVER () AS n, lowest, highest, counts, format('%s..%s:{%s}', lowest, highest, array_to_string(counts, ',')) AS text
FROM generate_series(0, 9) AS lowest, generate_series(lowest + 1, 10) AS highest, generate_series(1, 10) AS k,
	 LATERAL (SELECT array_agg(CASE WHEN random() < 0.3 THEN 0 ELSE floor(10 ^ (random() * 17.9))::bigint END + 0 * k * i) AS counts FROM generate_series(lowest, highest) AS i) AS c;

-- ---------- text ----------

SELECT is(count(*) FILTER (WHERE text::nps_survey::text = text), 550::bigint, 'text that was put in comes out') FROM survey;
SELECT is('  1 .. 5 : { 2 , 0,3 ,010,	7 } '::nps_survey::text, '1..5:{2,0,3,10,7}', 'blanks and leading zeros');
SELECT ok(length(s::text) < 255, format('%s characters for the largest counts', length(s::text)))
FROM (SELECT format('0..10:{%s}', array_to_string(array_fill(9223372036854775807 / 11, '{11}'), ','))::nps_survey AS s) AS t;
SELECT is('0..1:{9223372036854775806,1}'::nps_survey::text, '0..1:{9223372036854775806,1}', '2^63 - 1 answers');
SELECT throws_ok(format('SELECT %L::loyalty.nps_survey', t), state, 'invalid input for type nps_survey: "' || t || '"', 'no survey: ' || t)
FROM (VALUES ('', '22P02'), ('5', '22P02'), ('1..5', '22P02'), ('1..5:', '22P02'), ('1..5:{}', '22P02'), ('1..5:{1,2,3,4}', '22P02'),
			 ('1..5:{1,2,3,4,5,6}', '22P02'), ('1..5:{1,2,3,4,5', '22P02'), ('1..5:{1,2,3,4,5}}', '22P02'), ('1..5:{1,2,,4,5}', '22P02'),
			 ('1..5:{1,2,3,4,-5}', '22P02'), ('1..5:{1,2,3,4,5.0}', '22P02'), ('1..5:{1,2,3,4,1e3}', '22P02'), ('1..5:{1,2,3,4,NULL}', '22P02'),
			 ('5..1:{1,2,3,4,5}', '22P02'), ('5..5:{1}', '22P02'), ('1..11:{1,2,3,4,5,6,7,8,9,10,11}', '22P02'), ('-1..1:{1,2,3}', '22P02'),
			 ('1-5:{1,2,3,4,5}', '22P02'), ('1...5:{1,2,3,4,5}', '22P02'), ('0..10:{0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0}', '22P02'),
			 ('0..1:{9223372036854775808,0}', '22003'), ('0..1:{9223372036854775807,1}', '22003'), ('0..1:{99999999999999999999999,1}', '22003'),
			 ('99999999999999999999..1:{1}', '22003'), ('4294967296..4294967297:{1,2}', '22P02')) AS c(t, state);

-- from PostgreSQL 16 on, a bad text need not end the query
SELECT current_setting('server_version_num')::int >= 160000 AS soft_errors \gset
\if :soft_errors
SELECT is(array_agg(pg_input_is_valid(t, 'loyalty.nps_survey') ORDER BY n), '{t,f,f,f}', 'soft input errors')
FROM unnest('{"1..2:{3,4}","1..2:{3}","0..1:{9223372036854775807,1}",good}'::text[]) WITH ORDINALITY AS c(t, n);
\else
SELECT skip('soft input errors came with PostgreSQL 16');
\endif

-- random changes to a text either give a survey that round-trips, or a clean error
CREATE FUNCTION pg_temp.try(t text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE s loyalty.nps_survey;
BEGIN
	s := t;
	IF s::text::loyalty.nps_survey <> s OR length(s::text) >= 255 OR loyalty.answers(s) < 0 OR replace(t, ' ', '') !~ '^[0-9]+\.\.[0-9]+:\{[0-9]+(,[0-9]+)*\}$' THEN RETURN 'wrong: ' || t; END IF;
	RETURN 'survey';
EXCEPTION
	WHEN invalid_text_representation OR numeric_value_out_of_range THEN RETURN 'error';
	WHEN OTHERS THEN RETURN SQLSTATE || ': ' || t;
END $$;
CREATE TEMP TABLE mutation AS
SELECT pg_temp.try(CASE kind WHEN 0 THEN overlay(text PLACING c FROM place FOR 1) WHEN 1 THEN overlay(text PLACING c FROM place FOR 0)
				   WHEN 2 THEN overlay(text PLACING '' FROM place FOR 1) ELSE left(text, place) || right(text, place) END) AS outcome
FROM survey, generate_series(1, 8) AS k,
	 LATERAL (SELECT floor(random() * 4)::int AS kind, 1 + floor(random() * length(text))::int AS place,
					 substr('0123456789.,:{}- +eé' || chr(1) || chr(127), 1 + floor(random() * 22)::int, 1) AS c, k) AS m;
SELECT is(string_agg(DISTINCT outcome, ' ' ORDER BY outcome), 'error survey', format('%s changed texts', count(*))) FROM mutation;

-- ---------- casts ----------

SELECT is_empty('SELECT * FROM survey WHERE text::nps_survey::jsonb::nps_survey <> text::nps_survey OR text::nps_survey::bigint[]::nps_survey::text <> text AND highest - lowest <> 10',
				'jsonb and bigint[] and back');
SELECT is_empty('SELECT * FROM survey AS s, generate_subscripts(counts, 1) AS i WHERE (text::nps_survey::bigint[])[lowest + i - 1] <> counts[i]', 'subscripts are scores');
SELECT is('1..5:{1,2,3,4,9007199254740993}'::nps_survey::jsonb::text, '{"counts": [1, 2, 3, 4, 9007199254740993], "lowest": 1, "highest": 5}', 'jsonb');
SELECT is('0..5:{1,2,3,4,5,6}'::nps_survey::bigint[]::text, '[0:5]={1,2,3,4,5,6}', 'bigint[]');
SELECT is(array[array_fill(1, '{11}')::bigint[]::nps_survey::text, array_fill(1, '{10}')::bigint[]::nps_survey::text, '{1,2,3,4,5}'::bigint[]::nps_survey::text,
				'[3:4]={1,2}'::bigint[]::nps_survey::text, nps_survey(array[1, 2])::text, '[5:15]={1,1,1,1,1,1,1,1,1,1,1}'::bigint[]::nps_survey::text],
		  '{"0..10:{1,1,1,1,1,1,1,1,1,1,1}","1..10:{1,1,1,1,1,1,1,1,1,1}","1..5:{1,2,3,4,5}","3..4:{1,2}","1..2:{1,2}","0..10:{1,1,1,1,1,1,1,1,1,1,1}"}', 'arrays');
SELECT throws_ok(format('SELECT %L::bigint[]::loyalty.nps_survey', a), state, 'this bigint[] is no nps_survey', 'no survey: ' || a)
FROM (VALUES ('{}', '2202E'), ('{1}', '2202E'), ('{{1,2},{3,4}}', '2202E'), ('{1,NULL}', '22004'), ('{1,-1}', '22003'), ('[-1:1]={1,2,3}', '2202E'),
			 ('[10:12]={1,2,3}', '2202E'), ('{1,2,3,4,5,6,7,8,9,10,11,12}', '2202E'), ('{9223372036854775807,1}', '22003'),
			 ('[2147483645:2147483646]={1,2}', '2202E'), ('[-2147483648:-2147483647]={1,2}', '2202E')) AS t(a, state);
SELECT throws_ok(format('SELECT %L::jsonb::loyalty.nps_survey', j), state, 'this jsonb is no nps_survey', 'no survey: ' || j)
FROM (VALUES ('1', '22023'), ('[]', '22023'), ('{}', '22023'), ('null', '22023'), ('{"lowest": 0, "highest": 1, "count": [1,2]}', '22023'), ('{"lowest": 0, "highest": 1, "counts": [1,2], "x": 1}', '22023'),
			 ('{"lowest": 0, "highest": 1, "counts": [1]}', '22023'), ('{"lowest": 0, "highest": 1, "counts": [1,"2"]}', '22023'), ('{"lowest": 0, "highest": 1, "counts": [1,2.5]}', '22003'),
			 ('{"lowest": 0, "highest": 1, "counts": [1,-2]}', '22003'), ('{"lowest": 0, "highest": 1, "counts": [1,1e40]}', '22003'), ('{"lowest": 0, "highest": 1, "counts": {"0":1,"1":2}}', '22023'),
			 ('{"lowest": 0, "highest": 1, "counts": [9223372036854775807,1]}', '22003'), ('{"lowest": 1, "highest": 0, "counts": [1,2]}', '22023'), ('{"lowest": "0", "highest": 1, "counts": [1,2]}', '22023'),
			 ('{"lowest": 0, "highest": 1, "counts": [1,[2]]}', '22023'), ('{"lowest": 0, "highest": 1, "counts": 7}', '22023')) AS t(j, state);

-- ---------- order ----------

SELECT is(array_agg(s ORDER BY s)::text, '{"0..1:{0,2}","0..1:{1,0}","0..2:{0,0,0}","1..2:{0,0}","1..2:{0,1}"}', 'order: scale, then counts')
FROM unnest('{"1..2:{0,1}","0..1:{1,0}","0..2:{0,0,0}","1..2:{0,0}","0..1:{0,2}"}'::nps_survey[]) AS s;
CREATE TEMP TABLE pair AS
SELECT a.text::nps_survey AS a, b.text::nps_survey AS b FROM survey AS a JOIN survey AS b ON b.n IN (a.n, a.n + 1, a.n * 7 % 550 + 1);
SELECT is_empty('SELECT * FROM pair WHERE (a = b) <> (a::text = b::text) OR (a <> b) = (a = b) OR (a < b)::int + (a = b)::int + (a > b)::int <> 1 OR (a <= b) = (a > b)
	OR (a >= b) = (a < b) OR (a < b) <> (b > a) OR nps_survey_cmp(a, b) <> (a > b)::int - (a < b)::int
	OR a = b AND (nps_survey_hash(a) <> nps_survey_hash(b) OR nps_survey_hash_extended(a, 7) <> nps_survey_hash_extended(b, 7))', 'operators agree with one another');
SELECT ok(count(DISTINCT nps_survey_hash(text::nps_survey)) > 0.99 * count(DISTINCT text), 'hashes differ') FROM survey;
CREATE TEMP TABLE stored (s nps_survey UNIQUE);
INSERT INTO stored SELECT DISTINCT text::nps_survey FROM survey;
SELECT is(count(*), (SELECT count(DISTINCT text) FROM survey), 'DISTINCT') FROM stored;
SELECT throws_ok('INSERT INTO stored SELECT s FROM stored LIMIT 1', '23505', NULL, 'a unique index');
SELECT is(count(*), (SELECT count(*) FROM stored), 'UNION') FROM (SELECT s FROM stored UNION SELECT text::nps_survey FROM survey) AS u;
SET LOCAL enable_hashagg = off;
SELECT is(count(*), (SELECT count(*) FROM stored), 'GROUP BY by sorting') FROM (SELECT text::nps_survey FROM survey GROUP BY 1) AS u;
SET LOCAL enable_sort = off;
SET LOCAL enable_hashagg = on;
SELECT is(count(*), (SELECT count(*) FROM stored), 'GROUP BY by hashing') FROM (SELECT text::nps_survey FROM survey GROUP BY 1) AS u;
SET LOCAL enable_seqscan = off;
SELECT is(count(*), 1::bigint, 'found by the index') FROM stored WHERE s = (SELECT text::nps_survey FROM survey WHERE n = 77);

-- ---------- sum and difference ----------

SELECT is_empty($$ SELECT * FROM survey AS x JOIN survey AS y USING (lowest, highest), LATERAL (SELECT x.text::nps_survey AS a, y.text::nps_survey AS b) AS s
	WHERE a + b <> b + a OR a + b - b <> a OR answers(a + b) <> answers(a) + answers(b) OR merge(a, b) <> a + b OR subtract(a + b, a) <> b $$, 'sums and differences');
-- stored values are read where they lie
SELECT is((SELECT md5(string_agg(a::text, ' ' ORDER BY a::text)) FROM pair WHERE answers(a + a) - answers(a) - answers(a - a) + answers(merge(a, a)) + answers(subtract(a, a)) IS NOT NULL),
		  (SELECT md5(string_agg(text, ' ' ORDER BY text)) FROM (SELECT a.text FROM survey AS a JOIN survey AS b ON b.n IN (a.n, a.n + 1, a.n * 7 % 550 + 1)) AS t),
		  'arguments stay as they were');
SELECT is(array[(a + n)::text, (n + a)::text, merge(n, n)::text, (a - n)::text, (n - a)::text, (a - a)::text], '{"1..2:{3,4}","1..2:{3,4}",NULL,NULL,NULL,"1..2:{0,0}"}', 'NULL is neutral in sums')
FROM (SELECT '1..2:{3,4}'::nps_survey AS a, NULL::nps_survey AS n) AS t;
SELECT throws_ok(format('SELECT %L::nps_survey %s %L::nps_survey', a, o, b), state, message, format('%s %s %s', a, o, b))
FROM (VALUES ('0..1:{1,2}', '+', '1..2:{1,2}', '42804', 'surveys of the scales 0..1 and 1..2 cannot be put together'),
			 ('0..2:{1,2,3}', '-', '0..1:{1,2}', '42804', 'surveys of the scales 0..2 and 0..1 cannot be put together'),
			 ('0..1:{1,2}', '-', '0..1:{1,3}', '22003', 'a survey cannot have fewer than no answers'),
			 ('0..1:{9223372036854775807,0}', '+', '0..1:{1,0}', '22003', 'too many answers for an nps_survey'),
			 ('0..1:{9223372036854775807,0}', '+', '0..1:{0,1}', '22003', 'too many answers for an nps_survey')) AS c(a, o, b, state, message);
SELECT is(('0..1:{9223372036854775806,0}'::nps_survey + '0..1:{0,1}')::text, '0..1:{9223372036854775806,1}', 'up to 2^63 - 1');

-- ---------- the catalog ----------

CREATE TEMP VIEW object AS
SELECT p.oid::regprocedure::text AS name, p.* FROM pg_proc AS p
WHERE pronamespace = 'loyalty'::regnamespace
  AND (prosrc ~ 'nps_survey|loyalty_(nps|csat|ces|survey|top|bottom|answers|promoters|passives|detractors|response)' OR 'loyalty.nps_survey'::regtype = ANY (proargtypes::oid[])
	   OR prorettype = 'loyalty.nps_survey'::regtype OR oid IN (SELECT aggfnoid FROM pg_aggregate WHERE aggtranstype = 'loyalty.nps_survey'::regtype));
SELECT cmp_ok(count(*), '>', 65::bigint, 'functions and aggregates') FROM object;
SELECT is_empty('SELECT name FROM object WHERE obj_description(oid, ''pg_proc'') IS NULL', 'all have a comment');
SELECT is_empty('SELECT name FROM object WHERE provolatile <> ''i'' OR proparallel <> ''s''', 'all are immutable and parallel safe');
SELECT is(array_agg(proname || pronargs ORDER BY proname, pronargs),
		  '{ces2,ces_easy3,ces_net4,ces_transition2,csat2,csat_high3,csat_inverse_transition3,csat_low3,csat_transition3,merge2,nps_interval5,nps_required_answers4,nps_survey_combine2,nps_survey_final1,nps_survey_inverse_transition2,nps_survey_inverse_transition4,nps_survey_transition2,nps_survey_transition4,survey_report12}',
		  'the functions that are not strict') FROM object WHERE NOT proisstrict AND prokind = 'f';
SELECT is(count(*) FILTER (WHERE aggcombinefn <> 0 AND aggminvtransfn <> 0 AND aggmtransfn <> 0 AND aggfinalmodify = 'r' AND aggmfinalmodify = 'r' AND aggtransspace > 0), count(*), 'aggregates are parallel and moving')
FROM pg_aggregate WHERE aggtranstype = 'loyalty.nps_survey'::regtype;
SELECT is(array_agg(a::text ORDER BY a::text), '{ces(bigint),"csat(bigint,integer)",nps(bigint),nps_survey(bigint),"nps_survey(bigint,integer,integer)",rollup(nps_survey)}', 'the aggregates')
FROM (SELECT aggfnoid::regprocedure AS a FROM pg_aggregate WHERE aggtranstype = 'loyalty.nps_survey'::regtype) AS t;
SELECT is_empty($$ SELECT oprname FROM pg_operator WHERE oprleft = 'loyalty.nps_survey'::regtype AND (obj_description(oid, 'pg_operator') IS NULL OR oprnamespace <> 'loyalty'::regnamespace) $$, 'operators have comments');
SELECT is_empty($$ SELECT castsource::regtype FROM pg_cast WHERE 'loyalty.nps_survey'::regtype IN (castsource, casttarget) AND (obj_description(oid, 'pg_cast') IS NULL OR castcontext <> 'e') $$, 'casts are explicit and have comments');
SELECT ok(obj_description('loyalty.nps_survey'::regtype, 'pg_type') IS NOT NULL, 'the type has a comment');

SELECT * FROM finish();
ROLLBACK;
