-- A large stored history is read in slices, or by parallel workers in parts,
-- one in memory as a whole: every report gives the same of all, sound or
-- damaged. (That workers do help, test/t/workers.pl makes sure.)
--
-- All rows are random. A failure shows the seed: LOYALTY_SEED=… repeats it.

\ir include/seed.sql
\ir include/report_outcomes.sql

-- ---------- values of several slices ----------

CREATE TABLE stored (name text PRIMARY KEY, key_type text, h customer_history);

-- one in ten days is no plain one: a refund, two orders, an order of unknown amount, a large amount
CREATE TABLE bought AS
SELECT i, floor(random() ^ 2 * 30000)::bigint AS customer, date '2022-01-01' + floor(random() * 1400)::int AS day,
	   CASE floor(random() * 40) WHEN 0 THEN -random() * 100 WHEN 1 THEN NULL WHEN 2 THEN random() * 1e9 WHEN 3 THEN random() * 1e20 ELSE random() * 600 END::numeric(30, 2) AS amount
FROM generate_series(1, 200000) AS i;
INSERT INTO bought SELECT i, customer, day, 1 FROM bought WHERE i % 30 = 0;

INSERT INTO stored SELECT 'bigint', 'bigint', customer_history(customer * 77777 - 1000000000, day, amount) FROM bought;
INSERT INTO stored SELECT 'text', 'text', customer_history(repeat('é', (customer % 50)::int) || customer, day, amount) FROM bought;
INSERT INTO stored SELECT 'uuid', 'uuid', customer_history(md5(customer::text)::uuid, day, amount) FROM bought;
-- without amounts; three days on which all begin, so that rolling retention by day takes several passes but has few rows
INSERT INTO stored SELECT 'bigint without amounts', 'bigint', customer_history(i % 90000, date '2022-01-01' + CASE WHEN i < 90000 THEN (i % 3 * 30)::int ELSE 200 + floor(random() * 1200)::int END)
FROM generate_series(0, 500000) AS i;
-- keys longer than a slice, between short ones
INSERT INTO stored SELECT 'long keys', 'text', customer_history(CASE customer % 5000 WHEN 0 THEN chr(97 + (customer / 5000)::int) || repeat(md5(customer::text), 20000) || customer ELSE customer::text END, day, amount) FROM bought WHERE i <= 20000 OR customer % 5000 = 0;
-- one customer, who alone takes several slices
INSERT INTO stored SELECT 'one customer', 'bigint', customer_history(7, date '4714-11-24 BC' + 2 * i + floor(random() * 2)::int, CASE WHEN i % 17 > 0 THEN random() * 1000 END::numeric(12, 2)) FROM generate_series(1, 400000) AS i;

SELECT cmp_ok(pg_column_size(h), '>', 3 * 262144, name || ': several slices') FROM stored;
SELECT ok(pg_relation_size(reltoastrelid) > (SELECT sum(pg_column_size(h)) FROM stored), 'they are stored out of line, not compressed')
FROM pg_class WHERE oid = 'stored'::regclass;

-- ---------- the same of both ----------

CREATE FUNCTION outcome(query text, way text, name text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('max_parallel_workers_per_gather', CASE way WHEN 'workers' THEN '2' ELSE '0' END, true),
			set_config('min_parallel_table_scan_size', '0', true);
	RETURN outcome(query, format('WITH m AS MATERIALIZED (SELECT %s AS h FROM stored WHERE name = %L) SELECT h FROM m',
								 CASE WHEN way <> 'memory' THEN 'h' ELSE '(h::bytea || '''')::customer_history' END, name));
END
$$;

SELECT is(outcome(c.query, way, s.name), outcome(c.query, 'memory', s.name), format('%s, %s: %s', s.name, way, c.report))
FROM stored AS s, call AS c, unnest('{slices,workers}'::text[]) AS way
WHERE s.name <> 'one customer' AND (way = 'slices' OR c.report ~ '^(loyalty\.)?(retention|rolling_retention|repurchase|growth|purchases)\(')
ORDER BY s.name, c.report, way;
-- days before Christ: too many periods for most
SELECT is(outcome(query, 'slices', 'one customer'), outcome(query, 'memory', 'one customer'), 'one customer: ' || query)
FROM unnest('{SELECT r.* FROM loyalty.events(v.h) AS r,SELECT r.* FROM loyalty.customer_summary(v.h) AS r,"SELECT r.* FROM loyalty.growth(v.h, period => ''year'') AS r","SELECT r.* FROM loyalty.retention(v.h, period => ''year'') AS r","SELECT r.* FROM loyalty.purchases(v.h, period => ''year'') AS r"}'::text[]) AS query;

-- customers by their keys as they are
SELECT is(outcome('SELECT r.* FROM loyalty.customer_summary_as(NULL::uuid, v.h) AS r', 'slices', 'uuid'), outcome('SELECT r.* FROM loyalty.customer_summary_as(NULL::uuid, v.h) AS r', 'memory', 'uuid'), 'uuid: customer_summary_as');

-- several passes: cohorts by day times as many brackets
SELECT is(outcome(query, 'workers', 'bigint without amounts'), outcome(query, 'memory', 'bigint without amounts'), 'rolling retention in several passes')
FROM (VALUES ('SELECT r.* FROM loyalty.rolling_retention(v.h, cohort => ''day'', days => (SELECT array_agg(n) FROM generate_series(1, 1300) AS n)) AS r')) AS q(query);

-- ---------- damaged ones ----------

-- Reports pass over events that they do not want, and so may not see all damage.
CREATE TABLE sound AS SELECT * FROM stored WHERE name IN ('bigint', 'text', 'uuid', 'long keys');

CREATE FUNCTION attack(n int) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
	base record;
	query text;
	of_slices text;
	of_whole text;
BEGIN
	SELECT * INTO STRICT base FROM sound ORDER BY random() LIMIT 1;
	DELETE FROM stored;
	INSERT INTO stored VALUES ('damaged', base.key_type, damaged(base.h::bytea, 600000)::customer_history);
	query := 'SELECT r.* FROM loyalty.events(v.h) AS r';
	of_slices := outcome(query, 'slices', 'damaged');
	RETURN NEXT is(of_slices, outcome(query, 'memory', 'damaged'), format('value %s, %s damaged: %s', n, base.name, of_slices));
	FOR query IN SELECT c.query FROM call AS c WHERE c.report ~ '^(loyalty\.)?(retention|rolling_retention|repurchase|growth|purchases|customer_summary)\(' LOOP
		of_slices := outcome(query, 'slices', 'damaged');
		of_whole := outcome(query, 'memory', 'damaged');
		RETURN NEXT is(outcome(query, 'workers', 'damaged'), of_slices, format('value %s, %s damaged, workers: %s', n, base.name, query));
		IF (of_slices !~ '^(22|54000|XX001|[0-9]+ rows)') OR (of_whole !~ '^(22|54000|XX001|[0-9]+ rows)') THEN
			RETURN NEXT fail(format('value %s, %s damaged, %s: %s and %s', n, base.name, query, of_slices, of_whole));
		END IF;
	END LOOP;
END
$$;
SELECT attack(n) FROM generate_series(1, 8) AS n;

SELECT * FROM finish();
