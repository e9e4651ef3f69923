-- For tests that ask every report of a history in several ways, and compare:
-- \ir include/report_outcomes.sql, after seed.sql.
-- call (report, query): queries of the history v.h, with defaults and with
-- arguments that make reports read otherwise.  outcome(query, source): what
-- the query gives for the h of another query, as one line: its rows, or its
-- error.  damaged(bytes, shortest): what a disk does to a value.

SET client_min_messages = error;	-- not that the fit of noise did not converge
SET search_path = public, loyalty;
SET jit = off;
SELECT no_plan();

-- what a disk does to a value, no function sees
CREATE CAST (bytea AS loyalty.customer_history) WITHOUT FUNCTION;
CREATE CAST (loyalty.customer_history AS bytea) WITHOUT FUNCTION;

\ir every_report.sql

CREATE TABLE call (report text, query text);
INSERT INTO call
SELECT * FROM every_report('v.h', 'NULL') WHERE report ~ 'customer_history';
SELECT cmp_ok(count(*), '>=', 10::bigint, 'there are reports to compare') FROM call;
INSERT INTO call
SELECT format('%s(%s)', name, arguments), format('SELECT r.* FROM loyalty.%s(v.h, %s) AS r', name, arguments)
FROM (VALUES ('retention', 'kind => ''streak'', period => ''week'''), ('retention', 'kind => ''on_or_before'', cohort => ''all'', observed_since => ''2022-06-01'''),
			 ('retention', 'kind => ''on_or_after'', as_of => ''2023-02-03'', periods => 3'),
			 ('rolling_retention', 'kind => ''streak'', as_of => ''2022-12-31'''), ('rolling_retention', 'kind => ''on_or_after'''),
			 ('repurchase', 'cohort => ''week'', same_day => true'), ('growth', 'period => ''week'', lapse => 3'), ('growth', 'as_of => ''2022-05-05'''),
			 ('purchases', 'period => ''all'''), ('purchases', 'period => ''day'', as_of => ''2023-03-03'''), ('customer_summary', 'as_of => ''2022-03-03''')) AS v(name, arguments);

CREATE FUNCTION outcome(query text, source text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE 'SELECT count(*) || '' rows: '' || coalesce(sum(hashtextextended(r::text, 0)), 0) FROM (' || source || ') AS v, LATERAL ('
		|| replace(query, ' AS r', ' WITH ORDINALITY AS r') || ') AS r' INTO result;
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;

-- Bytes changed here and there, or lost, but not so that fewer than "shortest" are left.
CREATE FUNCTION damaged(bytes bytea, shortest int) RETURNS bytea
LANGUAGE plpgsql AS $$
DECLARE
	at int := 64 + floor(random() * (length(bytes) - 64));
BEGIN
	CASE floor(random() * 4)::int
		WHEN 0 THEN
			RETURN set_byte(bytes, at, floor(random() * 256)::int);
		WHEN 1 THEN
			RETURN overlay(bytes PLACING '\xffffffffffffffffffffffff' FROM at);
		WHEN 2 THEN
			RETURN overlay(bytes PLACING '' FROM at FOR 1 + floor(random() * 5)::int);
		ELSE
			RETURN substr(bytes, 1, greatest(at, shortest));
	END CASE;
END
$$;

SELECT setseed(:seed / 1e9)
\g /dev/null
