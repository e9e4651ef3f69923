-- Tens of thousands of damaged surveys: through text, through binary COPY, and
-- as stored values through the functions that take one.  Each ends in a result
-- or in an orderly error; and what input accepts is sound: it survives being
-- taken apart and put together.
--
-- All damage is random. A failure shows the seed: LOYALTY_SEED=… repeats it.

\set mutations 25000
\ir include/mutation.sql
SELECT no_plan();

-- what a disk does to a value, no function sees
-- (CREATE CAST would not, because the two lie differently in a row; here they are only variables.)
INSERT INTO pg_cast (oid, castsource, casttarget, castfunc, castcontext, castmethod)
SELECT pg_nextoid('pg_cast', 'oid', 'pg_cast_oid_index'), source::regtype, target::regtype, 0, 'e', 'b'
FROM (VALUES ('bytea', 'loyalty.nps_survey'), ('loyalty.nps_survey', 'bytea')) AS v(source, target);

-- sound ones: every scale, small and large counts
CREATE TABLE sound (id int PRIMARY KEY, kind text, value loyalty.nps_survey, bytes bytea, weight float8 DEFAULT 1);
INSERT INTO sound (id, kind, value)
SELECT row_number() OVER (), lowest || '..' || highest, format('%s..%s:{%s}', lowest, highest, array_to_string(counts, ','))::nps_survey
FROM generate_series(0, 9) AS lowest, generate_series(lowest + 1, 10) AS highest, generate_series(1, 2) AS size,
	 LATERAL (SELECT array_agg(CASE WHEN random() < 0.3 THEN 0 ELSE floor(10 ^ (random() * CASE size WHEN 1 THEN 3 ELSE 17.9 END))::bigint END + 0 * i) AS counts
			  FROM generate_series(lowest, highest) AS i) AS c;
INSERT INTO sound (id, kind, value) VALUES (111, '0..10', '0..10:{0,0,0,0,0,0,0,0,0,0,0}'), (112, '1..5', '1..5:{0,0,0,0,9223372036854775807}');
UPDATE sound SET bytes = value::bytea;
-- the usual scales are the longest but for few, and the smallest come out alike
UPDATE sound SET weight = CASE WHEN kind IN ('0..10', '1..5', '1..7') THEN 8 ELSE length(bytes) / 40.0 END;

CREATE FUNCTION header_fields() RETURNS int[]
LANGUAGE sql IMMUTABLE AS $$ SELECT '{{0,1},{1,1},{2,1},{3,1}}'::int[] $$;
CREATE FUNCTION stored(bytes bytea) RETURNS loyalty.nps_survey
LANGUAGE sql IMMUTABLE AS $$ SELECT bytes::loyalty.nps_survey $$;
-- the order of bytes of this machine is for the disk only; what is no survey at all can travel as it is
CREATE FUNCTION wire(bytes bytea) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	RETURN loyalty.nps_survey_send(bytes::loyalty.nps_survey);
EXCEPTION WHEN data_corrupted THEN
	RETURN bytes;
END
$$;
CREATE FUNCTION text_form(bytes bytea) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT bytes::loyalty.nps_survey::text $$;
CREATE FUNCTION from_text(letters text) RETURNS loyalty.nps_survey
LANGUAGE sql IMMUTABLE AS $$ SELECT letters::loyalty.nps_survey $$;
CREATE FUNCTION rebuilt(value loyalty.nps_survey) RETURNS bytea
LANGUAGE sql IMMUTABLE AS $$ SELECT loyalty.rollup(x)::jsonb::loyalty.nps_survey::bigint[]::loyalty.nps_survey::bytea FROM (VALUES (value)) AS v(x) $$;

-- every call that reads a survey: $1 is the damaged one, $2 a sound one of the scale it had
CREATE TABLE call (query text, always boolean NOT NULL DEFAULT false);
INSERT INTO call (query) VALUES
	('SELECT $1::text'), ('SELECT nps_survey_send($1)'), ('SELECT $1 = $2'), ('SELECT $2 < $1'), ('SELECT nps_survey_hash($1)'),
	('SELECT $1 + $2'), ('SELECT $2 + $1'), ('SELECT $1 + $1'), ('SELECT $1 - $2'), ('SELECT $2 - $1'), ('SELECT $1 - $1'),
	('SELECT $1::jsonb::text'), ('SELECT $1::bigint[]'),
	('SELECT rollup(x) FROM (VALUES ($1)) AS v(x)'), ('SELECT rollup(x) FROM (VALUES ($2), ($1), (NULL), ($1)) AS v(x)'),
	('SELECT rollup(x) OVER (ORDER BY n ROWS 1 PRECEDING) FROM (VALUES (1, $1), (2, $2), (3, $1), (4, $2)) AS v(n, x)'),
	('SELECT array_agg(DISTINCT x) FROM (VALUES ($1), ($2), ($1)) AS v(x)');
-- and every function there is: a second survey is the sound one, others keep their default or get an ordinary value
INSERT INTO call (query)
SELECT format('SELECT count(md5(r::text)) FROM %s(%s) AS r', p.oid::regproc,
			  string_agg(CASE type WHEN 'loyalty.nps_survey'::regtype THEN arguments[least(n, 2)] WHEN 'integer'::regtype THEN '5'
						 WHEN 'bigint'::regtype THEN '5' ELSE 'NULL::' || type::regtype END, ', ' ORDER BY n))
FROM pg_proc AS p, unnest(proargtypes) WITH ORDINALITY AS a(type, n), (VALUES ('{$1,$2}'::text[]), ('{$2,$1}'), ('{$1,$1}')) AS v(arguments)
WHERE pronamespace = 'loyalty'::regnamespace AND prokind = 'f' AND n <= pronargs - pronargdefaults
	AND 'loyalty.nps_survey'::regtype = ANY (proargtypes::oid[])
	AND proname !~ '_(transition|combine|survey_final|in|out|recv)$'
GROUP BY p.oid, arguments
HAVING string_agg(CASE type WHEN 'loyalty.nps_survey'::regtype THEN arguments[least(n, 2)] END, '') ~ '\$1' AND (count(*) > 1 OR arguments = '{$1,$2}');
UPDATE call SET always = query IN ('SELECT $1::text', 'SELECT nps_survey_send($1)', 'SELECT $1 = $2', 'SELECT nps_survey_hash($1)', 'SELECT $1 + $2',
								   'SELECT rollup(x) FROM (VALUES ($1)) AS v(x)') OR query ~ ' (loyalty\.)?survey_report\(';
SELECT cmp_ok(count(*), '>=', 50::bigint, 'there are calls to try') FROM call;

\set values surveys
\ir include/attack.sql

SELECT * FROM finish();
