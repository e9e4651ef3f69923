-- The customers and days are so few that the histories soon stop growing; orders only become more.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS loyalty;
CREATE TABLE orders (bucket int, customer bigint, day date, amount numeric);
CREATE TABLE answers (team int, score int);
CREATE TABLE history (bucket int PRIMARY KEY, h loyalty.customer_history NOT NULL);
CREATE TABLE survey (team int PRIMARY KEY, s loyalty.nps_survey NOT NULL);
ALTER TABLE history SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500, toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 500);
-- n orders that a number stands for, by bucket of the customer
CREATE FUNCTION some_orders(seed bigint, n int) RETURNS TABLE (bucket int, customer bigint, day date, amount numeric)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT r % 16, r % 2000, date '2024-01-01' + (r / 2000 % 120)::int, (r / 240000 % 20000 - 1000) / 100.0
	FROM (SELECT hashint8extended(i, seed) & 9223372036854775807 AS r FROM generate_series(1, n) AS i) AS x
$$;
INSERT INTO orders SELECT o.* FROM some_orders(0, 200000) AS o;
INSERT INTO history SELECT bucket, loyalty.customer_history(customer, day, amount) FROM orders GROUP BY bucket;
INSERT INTO answers SELECT i % 8, i % 11 FROM generate_series(1, 1000) AS i;
INSERT INTO survey SELECT team, loyalty.nps_survey(score) FROM answers GROUP BY team;
CREATE MATERIALIZED VIEW whole AS SELECT 1 AS id, loyalty.rollup(h) AS h FROM history;
CREATE UNIQUE INDEX ON whole (id);
CREATE MATERIALIZED VIEW triangle AS SELECT r.* FROM whole, loyalty.retention(h) AS r;
ANALYZE;
