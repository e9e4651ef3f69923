-- For tests of the lifetime-value models: comparisons, errors, warnings, and
-- random buyers.  \ir include/models.sql
--
-- buyer_orders(as_bigint, as_text, as_uuid, day, amount): orders of customers
-- who buy at rates of their own until they leave, with refunds, unknown
-- amounts and several orders a day among them.  buyer_histories(key, h).

SET client_min_messages = error;	-- warnings are looked at by include/run_probes.sql
SET search_path = public, loyalty;

-- near(got, wanted, relative tolerance, name); NULL is near NULL only
CREATE FUNCTION near(got float8, wanted float8, tolerance float8, name text) RETURNS text
LANGUAGE sql AS $$
	SELECT ok(result, name || ': ' || coalesce(wanted::text, 'NULL')) || CASE WHEN result THEN '' ELSE E'\n' || diag('got ' || coalesce(got::text, 'NULL')) END
	FROM (SELECT coalesce(abs(got - wanted) <= tolerance * abs(wanted), got IS NULL AND wanted IS NULL)) AS r(result)
$$;

-- raises(query, state, message, name): with this state, a message like this one, and a hint
CREATE FUNCTION raises(query text, state text, wanted text, name text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	message text;
	hint text;
	result boolean;
BEGIN
	EXECUTE query;
	RETURN fail(coalesce(name, query)) || E'\n' || diag('no error');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
	result := SQLSTATE = state AND message LIKE wanted AND (hint <> '' OR state = '22008');
	RETURN ok(result, coalesce(name, query)) || CASE WHEN result THEN '' ELSE E'\n' || diag(SQLSTATE || ': ' || message || ' HINT: ' || hint) END;
END
$$;

-- what a query gives as text, or its SQLSTATE
CREATE FUNCTION text_of(query text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE query INTO result;
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;

-- SQL cannot catch a warning: another session runs the probes, and its messages are read.
CREATE TABLE probe (name text PRIMARY KEY, query text);
CREATE TABLE said (n serial, line text);
CREATE VIEW warning AS
SELECT name, string_agg(line, E'\n' ORDER BY n) FILTER (WHERE NOT line LIKE '--- %') AS warning
FROM (SELECT *, count(*) FILTER (WHERE line LIKE '--- %') OVER (ORDER BY n) AS block FROM said) AS l
JOIN (SELECT row_number() OVER (ORDER BY n) AS block, substr(line, 5) AS name FROM said WHERE line LIKE '--- %') AS p USING (block)
GROUP BY name;

-- ---------- random buyers ----------

\ir seed.sql

CREATE TABLE buyer AS
SELECT i, (i - 700)::bigint * 1000003 AS as_bigint, 'buyer ' || i * i || CASE i % 7 WHEN 0 THEN ' žluťoučký' ELSE '' END AS as_text, md5(i::text)::uuid AS as_uuid,
	   date '2023-02-01' + (random() * 100)::int AS first_day,
	   least(400, (-ln(1 - random()) / (-ln(1 - random()) / 120))::int) AS stays,	-- days
	   -ln(1 - random()) / 25 AS rate,	-- a day
	   20 / -ln((1 - random()) * (1 - random()) * (1 - random())) * 2 AS spends
FROM generate_series(1, 1500) AS i;
CREATE TABLE buyer_orders AS
SELECT as_bigint, as_text, as_uuid, first_day + day AS day,
	   CASE WHEN i % 40 = 8 OR kind < 0.03 THEN NULL WHEN kind < 0.05 THEN 0 WHEN kind < 0.07 THEN -round((random() * 20 + 0.01)::numeric, 2)
			ELSE round((spends * -ln((1 - random()) * (1 - random()) * (1 - random())))::numeric, 2) END AS amount
FROM buyer, LATERAL generate_series(0, stays) AS day, LATERAL (SELECT random() + day * 0 AS bought) AS b, LATERAL generate_series(1, 1 + (bought * 3)::int) AS n,
	 LATERAL (SELECT random() + n * 0 + day * 0 AS kind) AS k
WHERE (day = 0 OR bought < rate) AND first_day + day <= date '2024-01-31';
CREATE TABLE buyer_histories (key text PRIMARY KEY, h customer_history);
INSERT INTO buyer_histories SELECT 'bigint', customer_history(as_bigint, day, amount) FROM buyer_orders;
INSERT INTO buyer_histories SELECT 'text', customer_history(as_text, day, amount) FROM buyer_orders;
INSERT INTO buyer_histories SELECT 'uuid', customer_history(as_uuid, day, amount) FROM buyer_orders;
