-- Who needs which rights, and what nobody can do to those who call the
-- extension: it works for a role with USAGE and SELECT, where EXECUTE was taken
-- from PUBLIC and granted back, installs without a superuser, and neither its
-- install script nor its functions ever find what hostile schemas in the
-- search path offer under the names that they use.

BEGIN;
SELECT no_plan();
SET LOCAL search_path = public;
SET LOCAL client_min_messages = error;

CREATE SCHEMA tools;
GRANT USAGE ON SCHEMA tools TO PUBLIC;
SET LOCAL search_path = tools, public;
\ir include/every_report.sql

-- what pg_depend and the catalogs call the members of the extension, and what these refer to
CREATE FUNCTION tools.members() RETURNS SETOF text
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT i.type || ' ' || i.identity || coalesce(' ' || pg_catalog.pg_get_functiondef(p.oid), '')
	FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_extension AS e ON d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e' AND e.extname = 'loyalty'
		LEFT JOIN pg_catalog.pg_proc AS p ON d.classid = 'pg_catalog.pg_proc'::regclass AND p.oid = d.objid AND p.prokind = 'f',
		LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, d.objsubid) AS i;
END;
CREATE FUNCTION tools.foreign_references() RETURNS SETOF text
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) || ' depends on ' || pg_catalog.pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid)
	FROM pg_catalog.pg_depend AS m JOIN pg_catalog.pg_extension AS e ON m.refclassid = 'pg_catalog.pg_extension'::regclass AND m.refobjid = e.oid AND m.deptype = 'e' AND e.extname = 'loyalty'
		JOIN pg_catalog.pg_depend AS d ON d.classid = m.classid AND d.objid = m.objid,
		LATERAL pg_catalog.pg_identify_object(d.refclassid, d.refobjid, d.refobjsubid) AS i
	WHERE d.deptype <> 'e' AND coalesce(i.schema, i.identity) NOT IN ('loyalty', 'pg_catalog') AND i.identity !~ '^loyalty';
END;

-- ---------- a role that has nothing but USAGE and SELECT ----------

CREATE TABLE public.purchase AS
SELECT c AS customer, 'n ' || c AS name, md5(c::text)::uuid AS id, date '2024-01-01' + c * 7 % 300 + n * (3 + c % 29) AS day, (c * n * 37 % 5000 - 300) / 100.0 AS amount,
	   (c + n) % 11 AS score, (c + n) % 7 + 1 AS effort, timestamptz '2024-01-01' + c * interval '1 hour' AS at
FROM generate_series(1, 400) AS c, generate_series(0, CASE WHEN c % 3 = 0 THEN 0 ELSE c * c % 17 END) AS n;
CREATE TABLE public.kept AS
SELECT loyalty.customer_history(customer, day, amount) AS h, loyalty.nps_survey(score) AS s, loyalty.bg_nbd_fit(loyalty.customer_history(customer, day, amount)) AS m,
	   loyalty.gamma_gamma_model(6.25, 3.74, 15.44) AS g, loyalty.shifted_beta_geometric_model(0.7, 1.2) AS b
FROM public.purchase;

CREATE ROLE loyalty_test_analyst;
GRANT USAGE ON SCHEMA public, tools TO loyalty_test_analyst;
GRANT SELECT ON public.purchase, public.kept TO loyalty_test_analyst;

-- every kind of call there is; names without a schema come from the search path
CREATE TABLE tools.call (name text PRIMARY KEY, query text NOT NULL);
GRANT SELECT ON tools.call TO PUBLIC;
INSERT INTO tools.call SELECT report, replace(query, ' AS r', ' AS r, LATERAL (SELECT) AS x') FROM tools.every_report('(SELECT h FROM public.kept)', '(SELECT s FROM public.kept)');
INSERT INTO tools.call VALUES
	('histories of bigint', 'SELECT loyalty.customer_history(customer, day, amount)::pg_catalog.text, loyalty.customer_history(customer, day)::pg_catalog.text FROM public.purchase'),
	('histories of text', 'SELECT loyalty.customer_history(name, day, amount)::pg_catalog.text, loyalty.customer_history(name, day)::pg_catalog.text FROM public.purchase'),
	('histories of uuid', 'SELECT loyalty.customer_history(id, day, amount)::pg_catalog.text, loyalty.customer_history(id, day)::pg_catalog.text FROM public.purchase'),
	('histories by group', 'SELECT day, loyalty.customer_history(customer, day, amount)::pg_catalog.text FROM public.purchase GROUP BY day'),
	('days', 'SELECT loyalty.local_day(at, ''Europe/Paris'') FROM public.purchase'),
	('rollup', 'SELECT loyalty.rollup(h)::pg_catalog.text, loyalty.rollup(s)::pg_catalog.text FROM public.kept'),
	('merge', 'SELECT (h OPERATOR(loyalty.+) h)::pg_catalog.text, loyalty.merge(h, h)::pg_catalog.text, (s OPERATOR(loyalty.+) s)::pg_catalog.text FROM public.kept'),
	('header', 'SELECT loyalty.customers(h), loyalty.orders(h), loyalty.revenue(h), loyalty.first_day(h), loyalty.last_day(h) FROM public.kept'),
	('part', 'SELECT loyalty.history_between(h, ''2024-02-01'', ''2024-02-29'')::pg_catalog.text FROM public.kept'),
	('text and binary', 'SELECT h::pg_catalog.text::loyalty.customer_history OPERATOR(loyalty.=) h, loyalty.customer_history_send(h), s::pg_catalog.text::loyalty.nps_survey OPERATOR(loyalty.=) s, loyalty.nps_survey_send(s) FROM public.kept'),
	('order', 'SELECT DISTINCT h::pg_catalog.text FROM (SELECT h FROM public.kept UNION SELECT h FROM public.kept ORDER BY h) AS u GROUP BY h'),
	('jsonb', 'SELECT CAST(h AS pg_catalog.jsonb), CAST(s AS pg_catalog.jsonb), CAST(m AS pg_catalog.jsonb), CAST(g AS pg_catalog.jsonb), CAST(b AS pg_catalog.jsonb) FROM public.kept'),
	('customers as they were', 'SELECT * FROM public.kept, loyalty.customer_summary_as(NULL::bigint, h), LATERAL (SELECT 1) AS x'),
	('surveys', 'SELECT loyalty.nps_survey(score, 0, 10)::pg_catalog.text, loyalty.nps(score), loyalty.csat(score, 4), loyalty.ces(effort) FROM public.purchase'),
	('survey figures', 'SELECT loyalty.nps(s), loyalty.nps_low(s), loyalty.counts(s), loyalty.csat(s), loyalty.survey_median(s), loyalty.nps_difference(s, s) FROM public.kept'),
	('models', 'SELECT m, loyalty.p_alive(m, 3, 10, 20), loyalty.expected_purchases(m, 52, 3, 10, 20), loyalty.expected_value(g, 30, 2), loyalty.survival(b, 3), loyalty.bg_nbd_fit(h), loyalty.gamma_gamma_fit(h) FROM public.kept'),
	('rates', 'SELECT loyalty.rate_low(3, 10), loyalty.rate_difference(3, 10, 4, 9), loyalty.response_rate(3, 9), loyalty.survey_score(''7 - fine'')');

-- The answer of each call, or the error; itself proof against hostile names.
CREATE FUNCTION tools.answers() RETURNS TABLE (name text, answer text)
LANGUAGE plpgsql AS $$
DECLARE
	call record;
BEGIN
	FOR call IN SELECT c.name, c.query FROM tools.call AS c ORDER BY c.name LOOP
		name := call.name;
		BEGIN
			EXECUTE pg_catalog.format('SELECT pg_catalog.md5(pg_catalog.string_agg(pg_catalog.format(''%%s'', q), ''|'')) FROM (%s) AS q', call.query) INTO answer;
		EXCEPTION WHEN OTHERS THEN
			answer := pg_catalog.concat(SQLSTATE, ' ', SQLERRM);
		END;
		RETURN NEXT;
	END LOOP;
END
$$;
CREATE TABLE tools.wanted AS SELECT * FROM tools.answers();
GRANT SELECT ON tools.wanted TO PUBLIC;
SELECT cmp_ok(count(*), '>=', 30::bigint, 'there are calls') FROM tools.call;
SELECT is_empty($$ SELECT * FROM tools.wanted WHERE answer !~ '^[0-9a-f]{32}$' $$, 'all of them work for a superuser');

SET LOCAL ROLE loyalty_test_analyst;
SELECT is_empty($$ SELECT * FROM tools.answers() AS a WHERE answer !~ '42501' AND name NOT IN ('jsonb', 'order') $$, 'without USAGE, nothing that takes a name works for a role');
RESET ROLE;
GRANT USAGE ON SCHEMA loyalty TO loyalty_test_analyst;
SET LOCAL ROLE loyalty_test_analyst;
SELECT set_eq('SELECT * FROM tools.answers()', 'SELECT * FROM tools.wanted', 'with USAGE and SELECT, all do');
CREATE TEMP TABLE summary AS SELECT customer % 3 AS part, loyalty.customer_history(customer, day, amount) AS h FROM public.purchase GROUP BY 1;
CREATE INDEX ON summary USING btree (h) WHERE part < 0;
CREATE TEMP VIEW report AS SELECT r.* FROM (SELECT loyalty.rollup(h) AS h FROM summary) AS s, loyalty.retention(s.h) AS r;
SELECT cmp_ok(count(*), '>', 50::bigint, 'it has tables, indexes and views of its own') FROM report;
RESET ROLE;

-- ---------- EXECUTE revoked from PUBLIC, and granted back ----------

REVOKE EXECUTE ON ALL ROUTINES IN SCHEMA loyalty FROM PUBLIC;
SET LOCAL ROLE loyalty_test_analyst;
SELECT is_empty($$ SELECT * FROM tools.answers() AS a WHERE answer !~ '^42501 permission denied for (function|aggregate)' AND name <> 'order' $$,
				'EXECUTE revoked: nothing but what types do works'); -- comparing asks for no rights
RESET ROLE;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA loyalty TO loyalty_test_analyst;
SET LOCAL ROLE loyalty_test_analyst;
SELECT set_eq('SELECT * FROM tools.answers()', 'SELECT * FROM tools.wanted', 'granted to the role: all works');
RESET ROLE;
REVOKE EXECUTE ON ALL ROUTINES IN SCHEMA loyalty FROM loyalty_test_analyst;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA loyalty TO PUBLIC;
SET LOCAL ROLE loyalty_test_analyst;
SELECT set_eq('SELECT * FROM tools.answers()', 'SELECT * FROM tools.wanted', 'granted back to PUBLIC: all works');
RESET ROLE;

-- ---------- installed without a superuser, among hostile objects ----------

CREATE TABLE tools.saved AS SELECT h::text AS h, s::text AS s, m::text AS m, g::text AS g, b::text AS b FROM public.kept;
CREATE TABLE tools.member AS SELECT * FROM tools.members() AS m;
DROP EXTENSION loyalty CASCADE;
SELECT lives_ok('DROP SCHEMA loyalty', 'an extension that is dropped leaves nothing in its schema');
DROP TABLE public.kept;

CREATE ROLE loyalty_test_owner;
SELECT format('GRANT CREATE ON DATABASE %I TO loyalty_test_owner', current_database()) \gexec
CREATE SCHEMA hostile;
GRANT ALL ON SCHEMA hostile TO PUBLIC;
CREATE ROLE loyalty_test_attacker;
SET LOCAL ROLE loyalty_test_attacker;
CREATE FUNCTION hostile.trap() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped: %', current_user USING ERRCODE = 'ZZ999'; END $$;
-- Every function of pg_catalog with a name that the script or a body may speak, for the types that exist now and for all others,
-- and every operator; types and tables by the names of those that it uses.
DO $$
DECLARE
	name text;
	types text[] := '{anyelement,double precision,bigint,integer,numeric,text,date,boolean,bytea,jsonb,record,"double precision[]"}';
	type text;
	other text;
BEGIN
	FOREACH name IN ARRAY '{to_jsonb,row_to_json,jsonb_build_object,coalesce_,eqsel,neqsel,scalarltsel,scalarlesel,scalargtsel,scalargesel,eqjoinsel,md5,format,array_agg,unnest,length,abs,floor,exp,ln,sqrt,round,sum,numeric,date,text,int8,float8}'::text[] LOOP
		FOREACH type IN ARRAY types LOOP
			EXECUTE format('CREATE FUNCTION hostile.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', name, type, CASE WHEN type IN ('record', 'anyelement') THEN 'jsonb' ELSE type END, 'BEGIN PERFORM hostile.trap(); END');
		END LOOP;
	END LOOP;
	FOREACH type IN ARRAY types LOOP
		FOREACH other IN ARRAY types LOOP
			CONTINUE WHEN (type IN ('anyelement', 'record')) <> (other IN ('anyelement', 'record'));
			EXECUTE format('CREATE FUNCTION hostile.operate(%s, %s) RETURNS %s LANGUAGE plpgsql AS %L', type, other, CASE WHEN type = 'record' THEN 'text' ELSE 'boolean' END, 'BEGIN PERFORM hostile.trap(); END');
			FOREACH name IN ARRAY '{=,<>,<,<=,>,>=,+,-,*,/,||}'::text[] LOOP
				EXECUTE format('CREATE OPERATOR hostile.%s (FUNCTION = hostile.operate, LEFTARG = %s, RIGHTARG = %s)', name, type, other);
			END LOOP;
		END LOOP;
	END LOOP;
	FOREACH name IN ARRAY '{date,text,numeric,int8,int4,float8,bool,bytea,jsonb,uuid,timestamptz,timestamp,cstring,internal,anyelement,_int4,_int8,_float8,_bool,customer_history,nps_survey,bg_nbd,gamma_gamma,pg_type,pg_class,pg_proc,pg_timezone_names}'::text[] LOOP
		EXECUTE format('CREATE DOMAIN hostile.%I AS pg_catalog.varchar CHECK (hostile.trap() IS NULL)', name);
		EXECUTE format('CREATE DOMAIN pg_temp.%I AS pg_catalog.varchar CHECK (hostile.trap() IS NULL)', name);
	END LOOP;
END
$$;
RESET ROLE;

-- pg_temp comes first for types where it is not named. (pgTAP itself would fall into the traps.)
CREATE TEMP TABLE trapped (what pg_catalog.text);
SET LOCAL search_path = hostile, public, pg_catalog;
DO $$
DECLARE
	query pg_catalog.text;
BEGIN
	FOREACH query IN ARRAY '{SELECT 1 = 1,SELECT to_jsonb(1),SELECT CAST(1 AS date)}'::pg_catalog.text[] LOOP
		BEGIN
			EXECUTE query;
		EXCEPTION WHEN SQLSTATE 'ZZ999' THEN
			INSERT INTO pg_temp.trapped VALUES (query);
		END;
	END LOOP;
END
$$;
SET LOCAL ROLE loyalty_test_owner;
CREATE EXTENSION loyalty;
RESET ROLE;
SET LOCAL search_path = tools, public, pg_temp;
SELECT is(count(*), 3::bigint, 'the traps were set: for operators, functions and types') FROM trapped;
SELECT is(extowner::regrole::text, 'loyalty_test_owner', 'a role that may create in the database installs it') FROM pg_extension WHERE extname = 'loyalty';
SELECT is((SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'loyalty'), 'loyalty_test_owner', 'and owns its schema');
SELECT is((SELECT rolsuper FROM pg_roles WHERE rolname = 'loyalty_test_owner'), false, 'it is no superuser');
SELECT set_eq('SELECT * FROM tools.members()', 'SELECT * FROM tools.member', 'every object is what it is in a quiet place');
SELECT is_empty('SELECT * FROM tools.foreign_references()', 'none refers to anything outside of loyalty and pg_catalog');

-- ---------- called among hostile objects ----------

CREATE TABLE public.kept AS
SELECT h::loyalty.customer_history, s::loyalty.nps_survey, m::loyalty.bg_nbd, g::loyalty.gamma_gamma, b::loyalty.shifted_beta_geometric FROM tools.saved;
GRANT SELECT ON public.kept TO loyalty_test_analyst;
GRANT USAGE ON SCHEMA loyalty TO loyalty_test_analyst;
SELECT set_eq('SELECT * FROM tools.answers()', 'SELECT * FROM tools.wanted', 'all calls answer as before');

-- now that the extension is there, what fits its types better than what it uses itself
GRANT USAGE ON SCHEMA loyalty TO loyalty_test_attacker;
SET LOCAL ROLE loyalty_test_attacker;
DO $$
DECLARE
	type regtype;
BEGIN
	FOR type IN SELECT t.oid FROM pg_catalog.pg_type AS t WHERE typnamespace = 'loyalty'::regnamespace AND typtype IN ('b', 'c') AND typelem = 0 LOOP
		EXECUTE format('CREATE FUNCTION hostile.to_jsonb(%s) RETURNS jsonb LANGUAGE plpgsql AS %L', type, 'BEGIN PERFORM hostile.trap(); END');
		EXECUTE format('CREATE FUNCTION hostile.merge(%s, %1$s) RETURNS %1$s LANGUAGE plpgsql AS %L', type, 'BEGIN PERFORM hostile.trap(); END');
		EXECUTE format('CREATE FUNCTION hostile.operate(%s, %1$s) RETURNS boolean LANGUAGE plpgsql AS %L', type, 'BEGIN PERFORM hostile.trap(); END');
		EXECUTE format('CREATE OPERATOR hostile.= (FUNCTION = hostile.operate, LEFTARG = %s, RIGHTARG = %1$s)', type);
		EXECUTE format('CREATE OPERATOR hostile.+ (FUNCTION = hostile.operate, LEFTARG = %s, RIGHTARG = %1$s)', type);
	END LOOP;
END
$$;
RESET ROLE;

-- The victim's own statements say what they mean: the schema of what they call, and = by no name.
CREATE FUNCTION tools.answers_among_hostile() RETURNS TABLE (name pg_catalog.text, answer pg_catalog.text)
LANGUAGE sql SET search_path = hostile, pg_temp, public, loyalty, pg_catalog AS 'SELECT * FROM tools.answers()';
SET LOCAL ROLE loyalty_test_analyst;
SELECT set_eq('SELECT * FROM tools.answers_among_hostile()', 'SELECT * FROM tools.wanted', 'all calls answer as before where hostile schemas come first');
RESET ROLE;
SELECT set_eq('SELECT * FROM tools.answers_among_hostile()', 'SELECT * FROM tools.wanted', 'to a superuser too');

-- a schema of that name made before, by another: what is in the way is an error, not a part of the extension
DROP EXTENSION loyalty CASCADE;
DROP SCHEMA loyalty;
CREATE SCHEMA loyalty AUTHORIZATION loyalty_test_attacker;
SET LOCAL ROLE loyalty_test_attacker;
CREATE FUNCTION loyalty.rate_low(successes numeric, trials numeric, confidence double precision) RETURNS double precision LANGUAGE sql AS 'SELECT 1.0::float8';
RESET ROLE;
SELECT throws_ok('CREATE EXTENSION loyalty', '42723', NULL, 'a function that is there already is not taken over');
DROP FUNCTION loyalty.rate_low;
CREATE TYPE loyalty.customer_history AS (h text);
SELECT throws_ok('CREATE EXTENSION loyalty', '42710', NULL, 'nor a type');

SELECT * FROM finish();
ROLLBACK;
