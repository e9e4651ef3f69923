-- The union of a large history and of small ones is read without being made:
-- every report gives what it gives of the value.
--
-- All rows are random. A failure shows the seed: LOYALTY_SEED=… repeats it.

\ir include/seed.sql
\ir include/report_outcomes.sql
SET max_parallel_workers_per_gather = 0;

-- ---------- parts ----------

-- one in ten days is no plain one: a refund, two orders, an order of unknown amount, a large amount
CREATE TABLE bought AS
SELECT i, floor(random() ^ 2 * 30000)::bigint * 77777 - 1000000000 AS customer, date '2022-01-01' + floor(random() * 1400)::int AS day,
	   CASE floor(random() * 40) WHEN 0 THEN -random() * 100 WHEN 1 THEN NULL WHEN 2 THEN random() * 1e9 WHEN 3 THEN random() * 1e20 ELSE random() * 600 END::numeric(30, 2) AS amount
FROM generate_series(1, 400000) AS i;
INSERT INTO bought SELECT i, customer, day, 1 FROM bought WHERE i % 30 = 0;
INSERT INTO bought SELECT 13, customer, day, 5 FROM (VALUES (-9223372036854775808, date '2021-12-31'), (9223372036854775807, '2022-05-01')) AS v(customer, day);

-- is_union: reports need not make it
CREATE TABLE part (name text, is_union bool, n int, h customer_history);
INSERT INTO part SELECT 'the days since', true, greatest(day - date '2025-10-20', 0), customer_history(customer, day, amount) FROM bought GROUP BY 3;
INSERT INTO part SELECT 'any days', true, (i % 20 = 0)::int, customer_history(customer, day, amount) FROM bought GROUP BY 3;
INSERT INTO part SELECT 'many parts, of stored ones', true, CASE WHEN i % 40 < 4 THEN 1 + i % 40 ELSE 0 END, customer_history(customer, day, amount) FROM bought GROUP BY 3;
INSERT INTO part SELECT 'other customers', true, (customer % 30 = 0)::int, customer_history(customer, day, amount) FROM bought GROUP BY 3;
INSERT INTO part SELECT 'one customer more', true, n, customer_history(customer - n, day, amount) FROM bought, generate_series(0, 1) AS n WHERE n = 0 OR i = 77 GROUP BY n;
INSERT INTO part SELECT 'only refunds since', true, n, customer_history(customer, CASE n WHEN 0 THEN day ELSE '2026-01-01' END, CASE n WHEN 0 THEN amount ELSE -1.00 END) FROM bought, generate_series(0, 1) AS n WHERE n = 0 OR i % 50 = 0 GROUP BY n;
INSERT INTO part SELECT 'only refunds before', true, n, customer_history(customer, CASE n WHEN 0 THEN date '2021-11-11' ELSE day END, CASE n WHEN 0 THEN -amount ELSE amount END) FROM bought, generate_series(0, 1) AS n WHERE (n = 0 AND amount > 0 OR n = 1 AND i % 90 = 0) GROUP BY n;
INSERT INTO part SELECT 'only refunds before', true, 0, customer_history(i, '2021-11-10', -100000000.00) FROM generate_series(1, 400000) AS i;
INSERT INTO part SELECT 'without amounts', true, (day > '2025-10-10')::int, customer_history(customer / 9 * 4 + i % 31, day) FROM bought, generate_series(1, 3) GROUP BY 3;
INSERT INTO part SELECT 'customers of very many days', true, n, customer_history(CASE i % 40 WHEN 0 THEN i ELSE 7 END, date '1950-01-01' + i + n, i % 500)
FROM generate_series(1, 500000) AS i, generate_series(0, 1) AS n WHERE n = 0 OR i % 9 = 0 GROUP BY n;
INSERT INTO part SELECT 'large sums', true, n, customer_history(customer, day, amount)
FROM (SELECT 0 AS n, customer, day, 1 AS amount FROM bought
	  UNION ALL VALUES (0, 0, date '2022-01-05', -1e38), (0, 1, '2022-01-05', 1e38), (0, 1, '2022-03-05', 3), (0, 2, '2022-01-05', 1e38), (0, 2, '2022-03-05', 3), (1, 1, '2022-02-05', 7), (1, 2, '2022-02-05', 7)) AS v GROUP BY n;
INSERT INTO part SELECT 'an earlier day', false, n, customer_history(customer, day - n * 9000, amount) FROM bought, generate_series(0, 1) AS n WHERE n = 0 OR i < 9 GROUP BY n;
INSERT INTO part SELECT 'more decimals', false, n, customer_history(customer, day, CASE n WHEN 0 THEN amount ELSE amount + 0.001 END) FROM bought, generate_series(0, 1) AS n WHERE n = 0 OR i < 9 GROUP BY n;
INSERT INTO part SELECT 'no amounts since', false, n, customer_history(customer, day, CASE n WHEN 0 THEN amount END) FROM bought, generate_series(0, 1) AS n WHERE n = 0 OR i < 9 GROUP BY n;
INSERT INTO part SELECT 'keys of text', false, n, customer_history(customer::text, day, amount) FROM bought, generate_series(0, 1) AS n WHERE n = 0 OR i < 9 GROUP BY n;
INSERT INTO part SELECT 'halves', false, i % 2, customer_history(customer, day, amount) FROM bought GROUP BY 3;
INSERT INTO part SELECT 'a small one', false, n, customer_history(customer, day, amount) FROM bought, generate_series(0, 1) AS n WHERE i < 1000 AND (n = 0 OR i < 9) GROUP BY n;
ANALYZE part;
CREATE TABLE made AS SELECT name, is_union, rollup(h) AS h FROM part GROUP BY name, is_union;
ALTER TABLE made ADD PRIMARY KEY (name);

-- what the state has in memory after a report, and after somebody needed the value
CREATE FUNCTION state_size(name text, needed text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	size bigint;
BEGIN
	EXECUTE format('SELECT bytes FROM (SELECT rollup(h) AS h FROM part WHERE name = %L) AS v, LATERAL (SELECT count(*) AS n FROM repurchase(v.h, cohort => ''all'')) AS r, LATERAL (SELECT %s AS n) AS f, '
				   'LATERAL (SELECT sum(total_bytes) AS bytes FROM pg_backend_memory_contexts AS m WHERE m.name = ''customer_history states'' AND r.n > 0 AND f.n > 0) AS m', name, needed) INTO size;
	RETURN size;
END
$$;
SELECT is(state_size(name, 'customers(v.h)') > state_size(name, '1') + pg_column_size(h) / 2, is_union, format('%s: %s', name, CASE WHEN is_union THEN 'read without being made' ELSE 'made' END))
FROM made ORDER BY name;

-- nor do groups that are all in memory at the same time leave it there
CREATE FUNCTION states_size(after bigint) RETURNS bigint VOLATILE LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE name = 'customer_history states');
END
$$;
SET enable_sort = off;
SELECT cmp_ok((SELECT max(states_size(customers(h))) FROM (SELECT name, rollup(h) AS h FROM part WHERE is_union GROUP BY name OFFSET 0) AS v), '<', (sum(pg_column_size(h)) / 2)::bigint, 'hashed groups are made where they are read')
FROM made WHERE is_union;
RESET enable_sort;

-- ---------- the same of both ----------

SELECT is(outcome(query, format('SELECT rollup(h) AS h FROM part WHERE name = %L', name)), outcome(query, format('SELECT h FROM made WHERE name = %L', name)), name || ': ' || report)
FROM made, call WHERE is_union AND name <> 'customers of very many days' AND (name = 'any days' OR report !~ 'clv') ORDER BY name, report;
SELECT is(outcome(query, format('SELECT rollup(h) AS h FROM part WHERE name = %L', name)), outcome(query, format('SELECT h FROM made WHERE name = %L', name)), name || ': ' || query)
FROM made, unnest('{SELECT r.* FROM loyalty.events(v.h) AS r,"SELECT r.* FROM loyalty.retention(v.h, period => ''year'') AS r","SELECT r.* FROM loyalty.retention(v.h, period => ''year'', as_of => ''2001-01-01'') AS r"}'::text[]) AS query
WHERE NOT is_union OR name = 'customers of very many days' ORDER BY name, query;
-- several passes
SELECT is(outcome(query, 'SELECT rollup(h) AS h FROM part WHERE name = ''large sums'''), outcome(query, 'SELECT h FROM made WHERE name = ''large sums'''), 'several passes')
FROM (VALUES ('SELECT r.* FROM loyalty.rolling_retention(v.h, cohort => ''day'', days => (SELECT array_agg(n) FROM generate_series(1, 1300) AS n)) AS r')) AS q(query);

-- ---------- whoever takes it ----------

\set union 'SELECT rollup(h) AS h FROM part WHERE name = ''the days since'''
SELECT h::text AS wanted FROM made WHERE name = 'the days since' \gset
SELECT is(md5(h::text), md5(:'wanted'), 'output makes it') FROM (:union) AS v;
SELECT is(md5(encode(customer_history_send(h), 'hex')), md5(encode(customer_history_send(:'wanted'), 'hex')), 'so does binary output') FROM (:union) AS v;
SELECT results_eq(format('SELECT customers(h), orders(h), revenue(h), first_day(h), last_day(h) FROM (%s) AS v', :'union'),
				  'SELECT customers(h), orders(h), revenue(h), first_day(h), last_day(h) FROM made WHERE name = ''the days since''', 'and totals');
SELECT is((SELECT md5(merge(h, h)::text) FROM (:union) AS v), (SELECT md5(merge(h, h)::text) FROM made WHERE name = 'the days since'), 'merge takes it');
SELECT is((SELECT md5(rollup(v.h)::text) FROM (SELECT name, rollup(h) AS h FROM part WHERE name IN ('the days since', 'any days') GROUP BY name) AS v),
		  (SELECT md5(rollup(h)::text) FROM made WHERE name IN ('the days since', 'any days')), 'rollup of such, by group');
SELECT is((SELECT md5(history_between(h, '2022-03-03', '2025-11-01')::text) FROM (:union) AS v), (SELECT md5(history_between(h, '2022-03-03', '2025-11-01')::text) FROM made WHERE name = 'the days since'), 'history_between takes it');
SET enable_hashagg = off;
SELECT is((SELECT string_agg(md5(h::text), ' ' ORDER BY name) FROM (SELECT name, rollup(h) AS h FROM part GROUP BY name) AS v), (SELECT string_agg(md5(h::text), ' ' ORDER BY name) FROM made), 'sorted groups');
RESET enable_hashagg;
SELECT is((SELECT string_agg(md5(h::text), ' ' ORDER BY name) FROM (SELECT name, rollup(h) AS h FROM part GROUP BY name) AS v), (SELECT string_agg(md5(h::text), ' ' ORDER BY name) FROM made), 'hashed groups');
SELECT results_eq($$SELECT name, sum(hashtextextended(r::text, 0)) FROM (SELECT name, rollup(h) AS h FROM part WHERE name NOT IN ('customers of very many days', 'large sums') GROUP BY name) AS v, retention(h) AS r GROUP BY name ORDER BY name$$,
				  $$SELECT name, sum(hashtextextended(r::text, 0)) FROM made, retention(h) AS r WHERE name NOT IN ('customers of very many days', 'large sums') GROUP BY name ORDER BY name$$, 'a report of each group');
-- one after the other of the same, and as a whole between
SELECT results_eq(format('SELECT a.n, md5(h::text), b.n, c.n FROM (%s) AS v, LATERAL (SELECT count(*) AS n FROM events(v.h)) AS a, LATERAL (SELECT sum(retained_so_far) AS n FROM retention(v.h)) AS b, LATERAL (SELECT sum(hashtextextended(g::text, 0)) AS n FROM growth(v.h) AS g) AS c', :'union'),
				  'SELECT a.n, md5(h::text), b.n, c.n FROM made AS v, LATERAL (SELECT count(*) AS n FROM events(v.h)) AS a, LATERAL (SELECT sum(retained_so_far) AS n FROM retention(v.h)) AS b, LATERAL (SELECT sum(hashtextextended(g::text, 0)) AS n FROM growth(v.h) AS g) AS c WHERE name = ''the days since''', 'several reports of one');
SELECT is((SELECT md5(string_agg(h::text, '' ORDER BY n)) FROM (SELECT v.h, n FROM (:union) AS v, generate_series(1, 3) AS n ORDER BY n DESC OFFSET 0) AS s), md5(repeat(:'wanted', 3)), 'sorted rows');
CREATE FUNCTION of_variable() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	v customer_history := (SELECT rollup(h) FROM part WHERE name = 'the days since');
	w customer_history;
BEGIN
	SELECT rollup(h) INTO w FROM part WHERE name = 'the days since';
	RETURN md5(v::text || w::text) || (SELECT count(*) FROM events(w));
END
$$;
SELECT is(of_variable(), md5(:'wanted' || :'wanted') || customer_days, 'variables') FROM (SELECT count(*) AS customer_days FROM made, events(h) WHERE name = 'the days since') AS d;
BEGIN;
DECLARE rows CURSOR WITH HOLD FOR SELECT rollup(h) AS h FROM part WHERE name = 'the days since';
COMMIT;
FETCH rows \gset
SELECT is(md5(:'h'), md5(:'wanted'), 'a cursor that is kept');
CLOSE rows;
SELECT is((SELECT md5((rollup(h) OVER ())::text) FROM part WHERE name = 'the days since' LIMIT 1), md5(:'wanted'), 'a window');

-- ---------- too much, or damaged ----------

CREATE TABLE extreme AS
SELECT n, customer_history(customer, day + n, CASE WHEN i = 13 AND (n = 0) = (customer < 0) AND abs(customer::numeric) > 1e18 THEN 9e37 ELSE 1 END) AS h FROM bought, generate_series(0, 1) AS n WHERE n = 0 OR i < 14 GROUP BY n;
SELECT throws_ok('SELECT count(*) FROM (SELECT rollup(h) AS h FROM extreme) AS v, retention(v.h)', '22003', 'amounts of a customer_history are out of range', 'sums that are out of range');

-- Either of the two is damaged; reports may not see it, but must end in an orderly way.
CREATE TABLE victim (n int, h customer_history);
CREATE FUNCTION attack(n int) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
	query text;
	answer text;
	target text := (SELECT name FROM made WHERE is_union ORDER BY random() LIMIT 1);
BEGIN
	DELETE FROM victim;
	INSERT INTO victim SELECT p.n, CASE WHEN (p.n = 0) = (attack.n % 2 = 0) THEN damaged(h::bytea, length(h::bytea) / 2)::customer_history ELSE h END FROM part AS p WHERE name = target;
	FOR query IN SELECT c.query FROM call AS c WHERE c.report ~ '^(loyalty\.)?(retention|repurchase|growth|events|customer_summary)\(' LOOP
		answer := outcome(query, 'SELECT rollup(h) AS h FROM victim');
		IF answer !~ '^(22|54000|XX001|[0-9]+ rows)' THEN
			RETURN NEXT fail(format('value %s, %s damaged, %s: %s', n, target, query, answer));
		END IF;
	END LOOP;
	RETURN NEXT pass(format('value %s: %s', n, answer));
END
$$;
SELECT pg_backend_pid() AS backend \gset
SELECT attack(n) FROM generate_series(1, 24) AS n;
SELECT is(pg_backend_pid(), :backend, 'the server process lives');

SELECT * FROM finish();
