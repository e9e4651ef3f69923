-- Time and memory by the row: five times the orders beside a tenth of them, both of ten to a customer and in order of time.

CREATE UNLOGGED TABLE orders_small AS
SELECT customer_id / 10 AS customer_id, ordered_at, amount FROM orders WHERE customer_id % 10 = 0;
CREATE UNLOGGED TABLE orders_large AS
SELECT customer_id * 5 + copy AS customer_id, ordered_at, amount FROM orders, generate_series(0, 4) copy;
VACUUM (ANALYZE, FREEZE) orders_small, orders_large;
-- a scan would leave a table of that size out of shared_buffers
CREATE EXTENSION IF NOT EXISTS pg_prewarm;
SELECT pg_prewarm('orders_large') \g /dev/null

INSERT INTO bench.cases (section, name, base, answer, query)
SELECT 'scale', what || ', ' || size, CASE WHEN what <> base THEN base || ', ' || size END, 'orders, ' || size, query || 'orders_' || size
FROM (VALUES ('small'), ('large')) sizes (size), (VALUES
	('floor', 'floor', 'SELECT count(customer_id), max(ordered_at) FROM '),
	('floor with amount', 'floor with amount', :'floor'),
	('build', 'floor', :'build'),
	('build with amount', 'floor with amount', :'build_amount')
) build (what, base, query);

INSERT INTO bench.growths (section, name, large, small, target) VALUES
	('scale', 'build', 'build, large', 'build, small', 1.5),
	('scale', 'build with amount', 'build with amount, large', 'build with amount, small', 1.5);

SELECT (SELECT count(*) FROM orders_large)::float8 / (SELECT count(*) FROM orders_small) AS times_rows \gset
\connect
CALL bench.memory('scale', 'peak memory, build, small', :'floor' || 'orders_small', :'build' || 'orders_small');
\connect
CALL bench.memory('scale', 'peak memory, build, large', :'floor' || 'orders_large', :'build' || 'orders_large');
\connect
CALL bench.memory('scale', 'peak memory, build with amount, small', :'floor' || 'orders_small', :'build_amount' || 'orders_small');
\connect
CALL bench.memory('scale', 'peak memory, build with amount, large', :'floor' || 'orders_large', :'build_amount' || 'orders_large');
INSERT INTO bench.figures (section, name, value, unit, target)
SELECT 'scale', 'memory by the row, ' || what, large.value / small.value / :times_rows, 'x', 1.5
FROM (VALUES ('build'), ('build with amount')) whats (what)
	JOIN bench.figures large ON large.name = 'peak memory, ' || what || ', large'
	JOIN bench.figures small ON small.name = 'peak memory, ' || what || ', small';
