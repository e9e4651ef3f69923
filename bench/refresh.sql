-- Stored histories that are kept up to date: a row for the months that are closed, one for the month that runs, replaced
-- as a whole; or a row a month; or one value into which a day is merged.

CREATE INDEX ON orders (ordered_at);

CREATE UNLOGGED TABLE whole AS
SELECT 1 AS id, loyalty.customer_history(customer_id, loyalty.local_day(ordered_at, 'Europe/Paris'), amount) AS h FROM orders;

CREATE UNLOGGED TABLE months AS
SELECT date_trunc('month', day)::date AS month, loyalty.customer_history(customer_id, day, amount) AS h
FROM (SELECT customer_id, loyalty.local_day(ordered_at, 'Europe/Paris') AS day, amount FROM orders) orders
GROUP BY month;

CREATE UNLOGGED TABLE base_and_running AS
SELECT CASE WHEN month < last_month THEN 'base' ELSE 'running' END AS part, loyalty.rollup(h) AS h
FROM months, (SELECT max(month) AS last_month FROM months) m
GROUP BY part;

CREATE UNLOGGED TABLE halves AS
SELECT order_id % 2 AS half, loyalty.customer_history(customer_id, loyalty.local_day(ordered_at, 'Europe/Paris'), amount) AS h
FROM orders GROUP BY half;

ALTER TABLE whole ADD PRIMARY KEY (id);
ALTER TABLE base_and_running ADD PRIMARY KEY (part);
VACUUM (ANALYZE, FREEZE) orders, whole, months, base_and_running, halves;

INSERT INTO bench.cases (section, name, base, target, answer, query)
SELECT 'refresh', name, base, target, answer, query
FROM (VALUES
	('rebuild and store the whole history', NULL, NULL, 'orders',
		$$INSERT INTO whole
		SELECT 1, loyalty.customer_history(customer_id, loyalty.local_day(ordered_at, 'Europe/Paris'), amount) FROM orders
		ON CONFLICT (id) DO UPDATE SET h = EXCLUDED.h RETURNING loyalty.orders(h)$$),
	('refresh: rebuild and store the running month', 'rebuild and store the whole history', 0.05, 'running month',
		$$INSERT INTO base_and_running
		SELECT 'running', loyalty.customer_history(customer_id, loyalty.local_day(ordered_at, 'Europe/Paris'), amount)
		FROM orders
		WHERE ordered_at >= (SELECT date_trunc('month', max(ordered_at), 'Europe/Paris') FROM orders)
		ON CONFLICT (part) DO UPDATE SET h = EXCLUDED.h RETURNING loyalty.orders(h)$$),
	('merge a day of 10,000 orders into the whole history', 'rebuild and store the whole history', NULL, NULL,
		$$SELECT loyalty.orders(loyalty.merge(h, (
			SELECT loyalty.customer_history(customer_id, loyalty.local_day(ordered_at, 'Europe/Paris') + 7, amount)
			FROM (SELECT * FROM orders ORDER BY ordered_at DESC LIMIT 10000) orders)))
		FROM whole$$),
	('merge two histories of all customers', 'rebuild and store the whole history', NULL, 'orders',
		$$SELECT loyalty.orders(loyalty.merge(a.h, b.h)) FROM halves a, halves b WHERE a.half = 0 AND b.half = 1$$),
	('rollup of 36 months', 'rebuild and store the whole history', NULL, 'orders',
		$$SELECT loyalty.orders(loyalty.rollup(h)) FROM months$$),
	('retention of the whole history', NULL, NULL, 'stored retention',
		$$SELECT sum(retained_so_far * period_number) FROM whole, loyalty.retention(h)$$),
	('retention of base and running month', 'retention of the whole history', 2, 'stored retention',
		$$SELECT sum(retained_so_far * period_number)
		FROM loyalty.retention((SELECT loyalty.rollup(h) FROM base_and_running))$$),
	('retention of 36 months', 'retention of the whole history', NULL, 'stored retention',
		$$SELECT sum(retained_so_far * period_number) FROM loyalty.retention((SELECT loyalty.rollup(h) FROM months))$$)
) refresh (name, base, target, answer, query);
