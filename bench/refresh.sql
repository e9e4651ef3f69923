-- Stored histories that are kept up to date, as examples/refresh.sql does it: a row for all closed days and one for each
-- day of the week that is open, which are read again; or a row a month; or one value into which a day is merged.

CREATE INDEX ON orders (ordered_at);

CREATE UNLOGGED TABLE whole AS
SELECT 1 AS id, loyalty.customer_history(customer_id, loyalty.local_day(ordered_at, 'Europe/Paris'), amount) AS h FROM orders;

\i examples/refresh.sql
ALTER TABLE history_parts SET UNLOGGED;
SELECT max(loyalty.local_day(ordered_at, 'Europe/Paris')) - 6 AS open_since FROM orders \gset
CALL refresh_history(:'open_since');
CREATE FUNCTION bench.refresh() RETURNS bigint LANGUAGE plpgsql
AS $$ BEGIN CALL refresh_history('-infinity'); RETURN (SELECT sum(loyalty.orders(h)) FROM history_parts); END $$;

CREATE UNLOGGED TABLE months AS
SELECT date_trunc('month', day)::date AS month, loyalty.customer_history(customer_id, day, amount) AS h
FROM (SELECT customer_id, loyalty.local_day(ordered_at, 'Europe/Paris') AS day, amount FROM orders) orders
GROUP BY month;

CREATE UNLOGGED TABLE halves AS
SELECT order_id % 2 AS half, loyalty.customer_history(customer_id, loyalty.local_day(ordered_at, 'Europe/Paris'), amount) AS h
FROM orders GROUP BY half;

ALTER TABLE whole ADD PRIMARY KEY (id);
VACUUM (ANALYZE, FREEZE) orders, whole, history_parts, months, halves;

SELECT count(*) - 1 AS open_days, sum(loyalty.orders(h)) FILTER (WHERE first_day > '-infinity') AS orders_of_open_days,
	sum(loyalty.customers(h)) FILTER (WHERE first_day > '-infinity') AS customers_of_open_days
FROM history_parts;

INSERT INTO bench.cases (section, name, base, target, answer, query)
SELECT 'refresh', name, base, target, answer, query
FROM (VALUES
	('rebuild and store the whole history', NULL, NULL, 'orders',
		$$INSERT INTO whole
		SELECT 1, loyalty.customer_history(customer_id, loyalty.local_day(ordered_at, 'Europe/Paris'), amount) FROM orders
		ON CONFLICT (id) DO UPDATE SET h = EXCLUDED.h RETURNING loyalty.orders(h)$$),
	('refresh the open week', 'rebuild and store the whole history', 0.05, 'orders', $$SELECT bench.refresh()$$),
	('close the week: merge it into the closed days', 'rebuild and store the whole history', NULL, 'orders',
		$$SELECT loyalty.orders(loyalty.merge(
			(SELECT h FROM history_parts WHERE first_day = '-infinity'),
			(SELECT loyalty.rollup(h) FROM history_parts WHERE first_day > '-infinity')))$$),
	('merge two histories of all customers', 'rebuild and store the whole history', NULL, 'orders',
		$$SELECT loyalty.orders(loyalty.merge(a.h, b.h)) FROM halves a, halves b WHERE a.half = 0 AND b.half = 1$$),
	('rollup of 36 months', 'rebuild and store the whole history', NULL, 'orders',
		$$SELECT loyalty.orders(loyalty.rollup(h)) FROM months$$),
	('retention of the whole history', NULL, NULL, 'stored retention',
		$$SELECT sum(retained_so_far * period_number) FROM whole, loyalty.retention(h)$$),
	('retention of closed and open days', 'retention of the whole history', 2, 'stored retention',
		$$SELECT sum(retained_so_far * period_number) FROM history_now, loyalty.retention(h)$$),
	('retention of 36 months', 'retention of the whole history', NULL, 'stored retention',
		$$SELECT sum(retained_so_far * period_number) FROM (SELECT loyalty.rollup(h) AS h FROM months) months, loyalty.retention(h)$$)
) refresh (name, base, target, answer, query);
