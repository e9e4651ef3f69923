-- What every object of the extension has: a comment, its place in the schema
-- loyalty, and honest labels for the planner; and what it never has.

BEGIN;
SELECT no_plan();
SET LOCAL search_path = public;

CREATE TEMP VIEW object AS
SELECT d.classid::regclass AS class, d.objid, pg_describe_object(d.classid, d.objid, d.objsubid) AS name
FROM pg_depend AS d JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
WHERE e.extname = 'loyalty';

CREATE TEMP VIEW function AS
SELECT o.name, p.* FROM object AS o JOIN pg_proc AS p ON o.class = 'pg_proc'::regclass AND o.objid = p.oid;

-- one row an argument or column; mode as in pg_proc
CREATE TEMP VIEW argument AS
SELECT f.name, f.oid, f.prokind, f.proretset, n, coalesce(f.proargmodes[n], 'i') AS mode, f.proargnames[n] AS argument, type::regtype AS type
FROM function AS f, unnest(coalesce(f.proallargtypes, f.proargtypes::oid[])) WITH ORDINALITY AS a(type, n);

CREATE FUNCTION pg_temp.none(query text, name text) RETURNS text
LANGUAGE sql AS $$ SELECT public.is_empty(query, name) $$;

SELECT cmp_ok(count(*), '>', 40::bigint, 'the extension has objects') FROM object;

-- ---------- every object ----------

-- (not the array type that the server makes with each type: from PostgreSQL 17 on it is an object of the extension)
SELECT pg_temp.none($$
	SELECT name FROM object
	WHERE class <> 'pg_opfamily'::regclass AND coalesce(obj_description(objid, class::name), '') = ''
		AND NOT (class = 'pg_type'::regclass AND objid IN (SELECT typarray FROM pg_type)) $$,
					'every object has a comment');
SELECT pg_temp.none($$ SELECT o.name, obj_description(o.objid, o.class::name) FROM object AS o WHERE o.class = 'pg_proc'::regclass AND obj_description(o.objid, o.class::name) !~ '\.$' $$,
					'comments of functions are sentences');
SELECT pg_temp.none($$
	SELECT name FROM object LEFT JOIN pg_proc AS p ON class = 'pg_proc'::regclass AND objid = p.oid LEFT JOIN pg_type AS t ON class = 'pg_type'::regclass AND objid = t.oid
		LEFT JOIN pg_operator AS o ON class = 'pg_operator'::regclass AND objid = o.oid LEFT JOIN pg_opclass AS c ON class = 'pg_opclass'::regclass AND objid = c.oid
		LEFT JOIN pg_opfamily AS f ON class = 'pg_opfamily'::regclass AND objid = f.oid LEFT JOIN pg_class AS r ON class = 'pg_class'::regclass AND objid = r.oid
	WHERE class <> 'pg_cast'::regclass AND coalesce(pronamespace, typnamespace, oprnamespace, opcnamespace, opfnamespace, relnamespace) IS DISTINCT FROM 'loyalty'::regnamespace $$,
					'everything is in the schema loyalty');
SELECT pg_temp.none($$ SELECT name FROM object WHERE class NOT IN ('pg_proc'::regclass, 'pg_type'::regclass, 'pg_operator'::regclass, 'pg_opclass'::regclass, 'pg_opfamily'::regclass, 'pg_cast'::regclass) $$,
					'nothing but types, functions, operators, operator classes and casts');
SELECT is(format('%s %s %s', extversion, extrelocatable, extnamespace::regnamespace), default_version || ' f loyalty', 'the default version, in its own schema')
FROM pg_extension AS e JOIN pg_available_extensions AS a ON extname = a.name WHERE extname = 'loyalty';
SELECT ok(trusted, 'whoever may create objects in a database may create the extension') FROM pg_available_extension_versions WHERE name = 'loyalty' AND installed;

-- ---------- functions ----------

SELECT pg_temp.none($$ SELECT name, proparallel FROM function WHERE proparallel <> 's' $$, 'functions and aggregates are PARALLEL SAFE');
SELECT pg_temp.none($$ SELECT name, provolatile FROM function WHERE provolatile <> 'i' $$, 'functions and aggregates are IMMUTABLE');
SELECT pg_temp.none($$ SELECT name FROM function WHERE prosecdef $$, 'no function is SECURITY DEFINER');
SELECT pg_temp.none($$ SELECT name FROM function WHERE proconfig IS NOT NULL $$, 'no function changes a setting');
SELECT pg_temp.none($$ SELECT name FROM function WHERE proacl IS NOT NULL $$, 'every function is open to all who may use the schema');
SELECT pg_temp.none($$ SELECT name, lanname FROM function JOIN pg_language AS l ON prolang = l.oid WHERE prokind = 'f' AND lanname <> 'c' AND prosqlbody IS NULL $$,
					'functions are C, or have a body that no search_path changes');
SELECT pg_temp.none($$ SELECT name, probin FROM function JOIN pg_language AS l ON prolang = l.oid WHERE lanname = 'c' AND probin <> '$libdir/loyalty' $$, 'C is in the one library');
SELECT pg_temp.none($$ SELECT name, type FROM argument WHERE type IN ('internal'::regtype, 'cstring'::regtype) AND name !~ '_(in|out|recv)\(' $$,
					'only a type''s input and output have arguments that SQL has not');
SELECT pg_temp.none($$ SELECT name FROM function WHERE proleakproof AND proname !~ '_(eq|ne)$' $$, 'LEAKPROOF are at most = and <>');
SELECT pg_temp.none($$
	SELECT name, n FROM argument
	WHERE mode = 'i' AND argument IS NULL AND prokind = 'f' AND oid IN (SELECT oid FROM function WHERE proretset OR pronargdefaults > 0) $$,
					'arguments of reports have names');

-- reports: set-returning functions
SELECT cmp_ok(count(*), '>', 0::bigint, 'there are reports') FROM function WHERE proretset;
SELECT pg_temp.none($$ SELECT name, procost FROM function WHERE proretset AND procost < 10000 $$, 'reports cost enough not to be repeated');
SELECT pg_temp.none($$ SELECT name, prorows FROM function WHERE proretset AND prorows IN (0, 1000) $$, 'reports say how many ROWS (1000 is what the server says for those that do not)');
SELECT pg_temp.none($$ SELECT name FROM function AS f WHERE proretset AND NOT EXISTS (SELECT FROM argument AS a WHERE a.oid = f.oid AND mode = 't') $$, 'reports say what columns they return');
SELECT pg_temp.none($$
	SELECT name, argument, type FROM argument
	WHERE mode IN ('t', 'o') AND type NOT IN ('date'::regtype, 'text'::regtype, 'integer'::regtype, 'bigint'::regtype, 'numeric'::regtype, 'double precision'::regtype, 'boolean'::regtype)
		AND NOT (type = 'anyelement'::regtype AND name ~ '_as\(anyelement') $$,
					'columns are of plain types');
SELECT pg_temp.none($$
	SELECT f.name FROM function AS f
	JOIN (SELECT oid, max(n) AS last FROM argument WHERE mode = 'i' AND type = 'loyalty.customer_history'::regtype GROUP BY oid) AS h USING (oid)
	WHERE proretset AND pronargs - pronargdefaults > h.last $$,
					'every argument after the history has a default');

-- NULL for everything is no rows, NULL, or an orderly error; it is never a crash
CREATE FUNCTION pg_temp.of_nulls(OUT name text, OUT answer text) RETURNS SETOF record
LANGUAGE plpgsql AS $$
DECLARE
	f record;
BEGIN
	FOR f IN SELECT p.*, (SELECT string_agg('NULL::' || replace(type::text, 'anyelement', 'bigint'), ', ' ORDER BY n) FROM argument AS a WHERE a.oid = p.oid AND mode = 'i') AS nulls
			 FROM function AS p WHERE prokind = 'f' AND proname !~ '_(in|out|recv|send|transition|combine|final)$' LOOP
		name := f.name;
		BEGIN
			EXECUTE format('SELECT coalesce(string_agg(r::text, '' ''), ''nothing'') FROM %s(%s) AS r', f.oid::regproc, f.nulls) INTO answer;
		EXCEPTION WHEN OTHERS THEN
			answer := SQLSTATE;
		END;
		RETURN NEXT;
	END LOOP;
END
$$;
-- local_day of types that are not instants is there to raise an error
SELECT pg_temp.none($$ SELECT name, answer FROM pg_temp.of_nulls() WHERE answer <> 'nothing' AND answer !~ '^\(?,*\)?$' AND name !~ 'local_day\((date|timestamp without)' $$,
					'every function gives NULL, or no rows, for NULL');

-- ---------- types and operators ----------

CREATE TEMP VIEW type AS
SELECT o.name, t.* FROM object AS o JOIN pg_type AS t ON o.class = 'pg_type'::regclass AND o.objid = t.oid WHERE typtype = 'b' AND typelem = 0;
SELECT pg_temp.none($$ SELECT name FROM type WHERE typsend = 0 OR typreceive = 0 $$, 'types have binary input and output');
SELECT pg_temp.none($$
	SELECT t.name, m.amname FROM type AS t, pg_am AS m
	WHERE m.amname IN ('btree', 'hash') AND NOT EXISTS (SELECT FROM pg_opclass AS c WHERE c.opcintype = t.oid AND c.opcmethod = m.oid AND c.opcdefault) $$,
					'types have default operator classes: DISTINCT, GROUP BY and UNION work');
SELECT pg_temp.none($$
	SELECT t.name FROM type AS t JOIN pg_opclass AS c ON c.opcintype = t.oid JOIN pg_am AS m ON m.oid = c.opcmethod AND amname = 'hash'
	WHERE (SELECT count(*) FROM pg_amproc WHERE amprocfamily = c.opcfamily) <> 2 $$,
					'hashing has a seed, for hash partitions');
SELECT pg_temp.none($$
	SELECT name FROM object JOIN pg_operator AS o ON class = 'pg_operator'::regclass AND objid = o.oid
	WHERE oprname ~ '[?%:]' OR (oprresult = 'boolean'::regtype AND (oprcom = 0 OR oprnegate = 0 OR oprrest = 0 OR oprjoin = 0))
		OR (oprname = '=' AND NOT (oprcanhash AND oprcanmerge)) $$,
					'operators name their commutator, negator and estimators, and = can be hashed and merged');
SELECT pg_temp.none($$
	SELECT name, oprcode FROM object JOIN pg_operator AS o ON class = 'pg_operator'::regclass AND objid = o.oid
	WHERE NOT EXISTS (SELECT FROM function AS f WHERE f.oid = oprcode) $$, 'operators call our own functions');
SELECT pg_temp.none($$ SELECT name, castcontext FROM object JOIN pg_cast AS c ON class = 'pg_cast'::regclass AND objid = c.oid WHERE castcontext = 'i' $$, 'no cast is implicit');

-- ---------- aggregates ----------

-- what lets an aggregate run in parallel workers and on the nodes of a Citus cluster
CREATE TEMP VIEW aggregate AS SELECT f.name, f.proargtypes, a.*, t.typtype, t.typsend, t.typreceive FROM function AS f JOIN pg_aggregate AS a ON a.aggfnoid = f.oid JOIN pg_type AS t ON t.oid = aggtranstype;
SELECT cmp_ok(count(*), '>=', 7::bigint, 'there are aggregates') FROM aggregate;
SELECT pg_temp.none($$ SELECT name, aggtranstype::regtype FROM aggregate WHERE typtype = 'p' OR typsend = 0 OR typreceive = 0 $$, 'aggregates have a state that can be sent');
SELECT pg_temp.none($$ SELECT name FROM aggregate WHERE aggcombinefn = 0 $$, 'aggregates can be combined');
SELECT pg_temp.none($$ SELECT a.name FROM aggregate AS a JOIN pg_proc AS p ON p.oid = aggcombinefn WHERE proisstrict $$, 'NULL is neutral when they are');
SELECT pg_temp.none($$ SELECT name FROM aggregate AS a WHERE EXISTS (SELECT FROM unnest(proargtypes) AS x JOIN pg_type AS t ON t.oid = x WHERE typtype = 'p') $$, 'aggregates have concrete arguments');
SELECT pg_temp.none($$ SELECT name FROM aggregate AS a JOIN pg_proc AS p ON p.oid = aggfnoid WHERE aggsortop <> 0 OR provariadic <> 0 OR aggnumdirectargs <> 0 $$, 'the order of the rows and their number mean nothing to them');
SELECT pg_temp.none($$
	SELECT a.name, c.oid::regprocedure FROM aggregate AS a JOIN pg_proc AS c ON c.oid = aggcombinefn JOIN pg_proc AS s ON s.oid = aggtransfn LEFT JOIN pg_proc AS f ON f.oid = aggfinalfn
	WHERE c.proargtypes::text <> format('%s %s', aggtranstype::oid, aggtranstype::oid) OR c.prorettype <> aggtranstype OR s.prorettype <> aggtranstype OR s.proargtypes[0] <> aggtranstype OR f.proargtypes::text <> aggtranstype::oid::text $$,
					'a state is all there is to combine and to finish');
SELECT pg_temp.none($$
	SELECT a.name FROM aggregate AS a JOIN pg_type AS t ON t.oid = aggtranstype
	WHERE NOT (t.typinput <> 0 AND t.typoutput <> 0 AND t.typreceive <> 0 AND t.typsend <> 0
		AND EXISTS (SELECT FROM object AS o WHERE o.class = 'pg_type'::regclass AND o.objid = t.oid) AND agginitval IS NULL) $$,
					'a state is a type of ours, as text and in binary, and begins with nothing');
SELECT pg_temp.none($$ SELECT name FROM aggregate WHERE aggserialfn <> 0 OR aggdeserialfn <> 0 $$, 'a state needs no translation');
SELECT pg_temp.none($$ SELECT name FROM aggregate WHERE aggkind <> 'n' OR aggfinalextra OR aggfinalmodify <> 'r' OR aggtransspace = 0 $$,
					'aggregates are ordinary, say the size of their state and leave it as it is in the end');
SELECT pg_temp.none($$
	SELECT a.name, p.oid::regprocedure FROM aggregate AS a JOIN pg_proc AS p ON p.oid IN (aggtransfn, aggcombinefn, aggfinalfn)
	WHERE NOT EXISTS (SELECT FROM function AS f WHERE f.oid = p.oid) OR p.proparallel <> 's' OR p.provolatile <> 'i' $$,
					'aggregates are made of our own functions');

SELECT * FROM finish();
ROLLBACK;
