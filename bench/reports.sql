-- Every report on a stored history of all customers.

CREATE UNLOGGED TABLE stored AS
SELECT loyalty.customer_history(customer_id, loyalty.local_day(ordered_at, 'Europe/Paris'), amount) AS h FROM orders;

-- Stored size.
INSERT INTO bench.figures (section, name, value, unit, target)
SELECT 'reports', 'stored size, ' || name, pg_column_size(h)::float8 / customer_days, 'bytes per customer and day', target
FROM (
	SELECT 'no amounts' AS name, 3.2 AS target,
		loyalty.customer_history(customer_id, loyalty.local_day(ordered_at, 'Europe/Paris')) AS h
	FROM orders
	UNION ALL SELECT 'with amounts', 4.9, h FROM stored
	UNION ALL SELECT 'uuid, no amounts', NULL,
		loyalty.customer_history(customer_id, loyalty.local_day(ordered_at, 'Europe/Paris'))
	FROM orders_uuid
	UNION ALL SELECT 'text, no amounts', NULL,
		loyalty.customer_history(customer_id, loyalty.local_day(ordered_at, 'Europe/Paris'))
	FROM orders_text
) histories, (
	SELECT count(*) AS customer_days
	FROM (SELECT DISTINCT customer_id, (ordered_at AT TIME ZONE 'Europe/Paris')::date FROM orders) d
) days;

-- As a server does it by default, and without parallel workers.
INSERT INTO bench.cases (section, name, workers, target, query)
SELECT 'reports', format('%s: %s', how, call), workers, target, format('SELECT count(*) FROM stored, %s', call)
FROM (VALUES ('stored', 2, 60), ('one processor', 0, NULL)) modes (how, workers, target), unnest('{
	"loyalty.retention(h)",
	"loyalty.retention(h, kind => ''streak'')",
	"loyalty.retention(h, cohort => ''all'')",
	"loyalty.retention(h, period => ''week'', periods => 52)",
	"loyalty.rolling_retention(h)",
	"loyalty.repurchase(h)",
	"loyalty.repurchase(h, cohort => ''all'')",
	"loyalty.growth(h)",
	"loyalty.growth(h, period => ''week'')",
	"loyalty.purchases(h)",
	"loyalty.purchases(h, period => ''all'')"
}'::text[]) call;

INSERT INTO bench.cases (section, name, query) VALUES
	('reports', 'stored: accessors',
		'SELECT loyalty.customers(h) + loyalty.orders(h) + loyalty.revenue(h) + (loyalty.last_day(h) - loyalty.first_day(h)) FROM stored'),
	('reports', 'stored: history_between', $$SELECT loyalty.orders(loyalty.history_between(h, date '2025-01-01')) FROM stored$$);

-- One row a customer, beside a function that returns as many ready rows of that width.
SELECT count(*) = 2 AS has_summary FROM pg_proc
WHERE proname IN ('customer_summary', 'events') AND pronamespace = 'loyalty'::regnamespace \gset
\if :has_summary
CREATE UNLOGGED TABLE ready_summary AS SELECT s.* FROM stored, loyalty.customer_summary(h) s;
CREATE UNLOGGED TABLE ready_events AS SELECT e.* FROM stored, loyalty.events(h) e;
VACUUM (ANALYZE, FREEZE) ready_summary, ready_events;
CREATE FUNCTION ready_summary() RETURNS SETOF ready_summary LANGUAGE plpgsql AS 'BEGIN RETURN QUERY SELECT * FROM ready_summary; END';
CREATE FUNCTION ready_events() RETURNS SETOF ready_events LANGUAGE plpgsql AS 'BEGIN RETURN QUERY SELECT * FROM ready_events; END';
\endif
INSERT INTO bench.cases (section, name, base, target, query) VALUES
	('reports', 'function scan of ready summaries', NULL, NULL, 'SELECT count(*) FROM ready_summary()'),
	('reports', 'stored: loyalty.customer_summary(h)', 'function scan of ready summaries', 2,
		'SELECT count(*) FROM stored, loyalty.customer_summary(h)'),
	('reports', 'function scan of ready events', NULL, NULL, 'SELECT count(*) FROM ready_events()'),
	('reports', 'stored: loyalty.events(h)', 'function scan of ready events', 2, 'SELECT count(*) FROM stored, loyalty.events(h)');

-- One call for each of 1,000 small histories, one for each country perhaps.
CREATE UNLOGGED TABLE stored_small AS
SELECT loyalty.customer_history(customer_id, loyalty.local_day(ordered_at, 'Europe/Paris'), amount) AS h
FROM orders WHERE customer_id <= 10000 GROUP BY customer_id % 1000;
INSERT INTO bench.cases (section, name, target, query) VALUES
	('reports', '1,000 histories of 10 customers: repurchase, pooled', 50,
		$$SELECT count(*) FROM stored_small, loyalty.repurchase(h, cohort => 'all')$$),
	('reports', '1,000 histories of 10 customers: retention, pooled', NULL,
		$$SELECT count(*) FROM stored_small, loyalty.retention(h, cohort => 'all')$$);
