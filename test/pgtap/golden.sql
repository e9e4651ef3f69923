-- Values that released versions have stored (test/data/golden_*, written by
-- test/data/golden.sql) are read for ever, come back as the same text and the
-- same bytes, in binary too, are what the aggregates write today, and every
-- report gives of them the figures that it gave then.

BEGIN;
SELECT no_plan();
SET LOCAL search_path = public, loyalty;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = ISO;

CREATE TABLE stored (version text, name text, type text, value text, bytes bytea);
CREATE TABLE asked (version text, type text, question text, query text);
CREATE TABLE told (version text, name text, question text, figure text, answer text);
\copy stored FROM PROGRAM 'cat test/data/golden_*/values.tsv'
\copy asked FROM PROGRAM 'cat test/data/golden_*/questions.tsv'
\copy told FROM PROGRAM 'cat test/data/golden_*/figures.tsv'

SELECT set_has('SELECT DISTINCT type FROM stored',
			   $$ SELECT typname::text FROM pg_type AS t JOIN pg_depend AS d ON d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e' WHERE typnamespace = 'loyalty'::regnamespace AND typelem = 0 AND typtype IN ('b', 'c') $$,
			   'there are values of every type');
SELECT cmp_ok(count(*), '>', 1000::bigint, 'and figures') FROM told;
SELECT is_empty($$ SELECT version, name FROM stored AS s WHERE type IN ('customer_history', 'nps_survey') AND bytes IS NULL $$, 'the bytes of both types are there');

-- ---------- text, bytes, binary ----------

CREATE FUNCTION pg_temp.again(type text, value text, OUT text text, OUT bytes bytea) LANGUAGE plpgsql AS $$
BEGIN
	IF type IN ('customer_history', 'nps_survey') THEN
		EXECUTE format('SELECT v::text, %I(v) FROM (SELECT %L::%I AS v) AS t', type || '_send', value, type) INTO text, bytes;
	ELSE
		EXECUTE format('SELECT v::text FROM (SELECT %L::%I AS v) AS t', value, type) INTO text;
	END IF;
END $$;
SELECT is(pg_temp.again(type, value), ROW(value, bytes), format('%s, %s: %s comes back', version, type, name)) FROM stored ORDER BY version, type, name;

-- binary input, of the bytes as another server sent them
\getenv scratch LOYALTY_SCRATCH
CREATE FUNCTION pg_temp.received(type text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	file text := current_setting('test.scratch') || '/golden.copy';
BEGIN
	-- a bytea travels as its bytes: what it is written as can be read as the type
	EXECUTE format('COPY (SELECT name, bytes FROM public.stored WHERE type = %L ORDER BY version, name) TO %L (FORMAT binary)', type, file);
	EXECUTE format('CREATE TABLE received_%s (name text, v loyalty.%1$s)', type);
	EXECUTE format('COPY received_%s FROM %L (FORMAT binary)', type, file);
	RETURN QUERY EXECUTE format('SELECT r.name FROM received_%s AS r JOIN stored AS s USING (name) WHERE s.type = %1$L AND r.v::text <> s.value', type);
END $$;
SELECT set_config('test.scratch', :'scratch', true) \g /dev/null
SELECT is_empty(format('SELECT pg_temp.received(%L)', type), type || ': bytes are read in binary') FROM unnest('{customer_history,nps_survey}'::text[]) AS type;

-- what is stored and what is built today of the same events is one value
CREATE FUNCTION pg_temp.built_anew(value text) RETURNS customer_history LANGUAGE plpgsql AS $$
DECLARE
	h customer_history := value;
	key_type text := CAST(h AS jsonb) ->> 'key_type';
	result customer_history;
BEGIN
	EXECUTE format(CASE WHEN CAST(h AS jsonb) ->> 'scale' IS NULL
		THEN 'SELECT customer_history(customer, day) FROM events_as(NULL::%1$s, $1) AS e, generate_series(1, orders)'
		ELSE 'SELECT customer_history(customer, day, x.a) FROM events_as(NULL::%1$s, $1) AS e,
				LATERAL (VALUES (e.amount, CASE WHEN e.amount < 0 THEN 1 ELSE least(valued_orders, 1) END),
								(e.amount * 0, CASE WHEN e.amount < 0 THEN valued_orders ELSE greatest(valued_orders - 1, 0) END), (NULL, orders - valued_orders)) AS x(a, times), generate_series(1, x.times)' END, key_type)
	INTO result USING h;
	RETURN result;
END $$;
SELECT is(customer_history_send(pg_temp.built_anew(value)), bytes, format('%s: %s is built with the same bytes today', version, name))
FROM stored WHERE type = 'customer_history' ORDER BY version, name;

-- ---------- figures ----------

CREATE VIEW value AS SELECT version || ' ' || name AS name, version || ' ' || type AS type, format('%s', value) AS value FROM stored;
CREATE VIEW question AS SELECT version || ' ' || type AS type, question, query FROM asked;
\ir ../data/golden_figures.sql
CREATE VIEW compared AS
SELECT coalesce(t.version || ' ' || t.name, f.name) AS name, coalesce(t.question, f.question) AS question, coalesce(t.figure, f.figure) AS figure, t.answer AS then, f.answer AS now,
	   -- a fit stops where it sees no improvement any more
	   t.name IS NOT NULL AND f.name IS NOT NULL AND
	   CASE WHEN t.answer ~ '^-?[0-9.]+(e[-+][0-9]+)?$' AND f.answer ~ '^-?[0-9.]+(e[-+][0-9]+)?$' AND t.figure <> 'error'
			THEN abs(t.answer::float8 - f.answer::float8) <= abs(t.answer::float8) * CASE WHEN t.question LIKE 'clv%' THEN 1e-5 ELSE 1e-9 END
			ELSE t.answer IS NOT DISTINCT FROM f.answer END AS same
FROM told AS t FULL JOIN figure AS f ON f.name = t.version || ' ' || t.name AND f.question = t.question AND f.figure = t.figure;
SELECT is_empty(format('SELECT figure, "then", now FROM compared WHERE NOT same AND name = %L AND question = %L', name, question), format('%s: %s', name, question))
FROM (SELECT DISTINCT name, question FROM compared) AS c ORDER BY name, question;

SELECT * FROM finish();
ROLLBACK;
