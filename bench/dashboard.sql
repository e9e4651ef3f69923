-- The reports from the raw table, beside hand-written SQL and DuckDB. All must give the same answers.

-- The same orders for who has found their days before, as DuckDB's file has them.
CREATE UNLOGGED TABLE orders_by_day AS
SELECT order_id, customer_id, loyalty.local_day(ordered_at, 'Europe/Paris') AS day, amount FROM orders;
VACUUM (ANALYZE, FREEZE) orders_by_day;

-- Some of these reports may not exist.
SET check_function_bodies = off;

CREATE FUNCTION bench.retention(h loyalty.customer_history) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT md5(string_agg(concat_ws('|', cohort, period_number, retained_so_far), ',' ORDER BY cohort, period_number))
	FROM loyalty.retention(h) WHERE retained_so_far > 0
$$;
CREATE FUNCTION bench.repurchase(h loyalty.customer_history) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT md5(string_agg(concat_ws('|', cohort, window_days, eligible, repurchased), ',' ORDER BY cohort, window_days))
	FROM loyalty.repurchase(h) WHERE eligible > 0
$$;
CREATE FUNCTION bench.growth(h loyalty.customer_history) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT md5(string_agg(concat_ws('|', period_start,
			active_customers, new_customers, retained_customers, resurrected_customers, churned_customers, revenue, revenue_new,
			coalesce(revenue_expansion, 0)::numeric(18,2), coalesce(revenue_contraction, 0)::numeric(18,2),
			coalesce(revenue_churned, 0)::numeric(18,2), revenue_resurrected::numeric(18,2)), ','
		ORDER BY period_start))
	FROM loyalty.growth(h) WHERE complete
$$;
CREATE FUNCTION bench.purchases(h loyalty.customer_history) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT md5(string_agg(concat_ws('|', period_start, customers, orders, revenue,
			repeat_customers, returning_customers, returning_revenue,
			first_basket::numeric(18,4), repeat_basket::numeric(18,4), first_basket_of_repeaters::numeric(18,4)), ','
		ORDER BY period_start))
	FROM loyalty.purchases(h)
$$;
CREATE FUNCTION bench.customer_summary(h loyalty.customer_history) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT concat_ws('|', count(*), sum(orders), sum(purchase_days), sum(revenue), sum(last_day - first_day), sum(days_since_last))
	FROM loyalty.customer_summary(h)
$$;
RESET check_function_bodies;

INSERT INTO bench.cases (section, name, base, target, workers, answer, query)
SELECT 'dashboard', name || CASE workers WHEN 2 THEN ', parallel' ELSE '' END, base, CASE workers WHEN 2 THEN target END,
	workers, answer, query
FROM (VALUES (0), (2)) w (workers), (VALUES
	('read customer and day', NULL, NULL, NULL, 'SELECT count(customer_id), max(ordered_at) FROM orders'),
	('read customer, day, amount', NULL, NULL, NULL, 'SELECT count(customer_id), max(ordered_at), max(amount) FROM orders'),

	('retention', 'read customer and day', 1.4, 'retention',
		$$SELECT bench.retention(h)
		FROM (SELECT loyalty.customer_history(customer_id, loyalty.local_day(ordered_at, 'Europe/Paris')) AS h FROM orders) o$$),

	('retention of days', 'read customer and day', NULL, 'retention',
		$$SELECT bench.retention(h) FROM (SELECT loyalty.customer_history(customer_id, day) AS h FROM orders_by_day) o$$),

	-- as most people write it
	('SQL: retention', 'read customer and day', NULL, 'retention',
		$$WITH dated AS (
			SELECT customer_id, date_trunc('month', ordered_at AT TIME ZONE 'Europe/Paris')::date AS month FROM orders
		), cohorts AS (
			SELECT customer_id, min(month) AS cohort FROM dated GROUP BY customer_id
		), cells AS (
			SELECT cohort, month, count(DISTINCT customer_id) AS customers
			FROM dated JOIN cohorts USING (customer_id) GROUP BY cohort, month
		)
		SELECT md5(string_agg(concat_ws('|', cohort,
				12 * (extract(year FROM month) - extract(year FROM cohort)) + extract(month FROM month) - extract(month FROM cohort),
				customers), ',' ORDER BY cohort, month))
		FROM cells$$),

	-- the fastest that we found
	('SQL: retention, DISTINCT first', 'read customer and day', NULL, 'retention',
		$$WITH active AS MATERIALIZED (
			SELECT DISTINCT customer_id, date_trunc('month', ordered_at AT TIME ZONE 'Europe/Paris')::date AS month FROM orders
		), cohorts AS (
			SELECT customer_id, min(month) AS cohort FROM active GROUP BY customer_id
		), cells AS (
			SELECT cohort, month, count(*) AS customers
			FROM active JOIN cohorts USING (customer_id) GROUP BY cohort, month
		)
		SELECT md5(string_agg(concat_ws('|', cohort,
				12 * (extract(year FROM month) - extract(year FROM cohort)) + extract(month FROM month) - extract(month FROM cohort),
				customers), ',' ORDER BY cohort, month))
		FROM cells$$),

	('repurchase', 'read customer and day', NULL, 'repurchase',
		$$SELECT bench.repurchase(h)
		FROM (SELECT loyalty.customer_history(customer_id, loyalty.local_day(ordered_at, 'Europe/Paris')) AS h FROM orders) o$$),
	('growth', 'read customer, day, amount', NULL, 'growth',
		$$SELECT bench.growth(h)
		FROM (SELECT loyalty.customer_history(customer_id, loyalty.local_day(ordered_at, 'Europe/Paris'), amount) AS h FROM orders) o$$),
	('purchases', 'read customer, day, amount', NULL, 'purchases',
		$$SELECT bench.purchases(h)
		FROM (SELECT loyalty.customer_history(customer_id, loyalty.local_day(ordered_at, 'Europe/Paris'), amount) AS h FROM orders) o$$),
	('customer_summary', 'read customer, day, amount', NULL, 'customer_summary',
		$$SELECT bench.customer_summary(h)
		FROM (SELECT loyalty.customer_history(customer_id, loyalty.local_day(ordered_at, 'Europe/Paris'), amount) AS h FROM orders) o$$),
	('all five', 'read customer, day, amount', NULL, 'all five',
		$$SELECT concat_ws(' ', bench.retention(h), bench.repurchase(h), bench.growth(h), bench.purchases(h),
			bench.customer_summary(h))
		FROM (SELECT loyalty.customer_history(customer_id, loyalty.local_day(ordered_at, 'Europe/Paris'), amount) AS h FROM orders) o$$)
) cases (name, base, target, answer, query);

INSERT INTO bench.cases (section, name, base, answer)
SELECT 'dashboard', 'DuckDB: ' || question, base, split_part(question, '-', 1)
FROM (VALUES ('retention', 'read customer and day'), ('retention-by-bits', 'read customer and day'),
	('retention-from-instants', 'read customer and day'), ('retention-from-hours', 'read customer and day'),
	('repurchase', 'read customer and day'), ('growth', 'read customer, day, amount'),
	('purchases', 'read customer, day, amount'), ('customer_summary', 'read customer, day, amount')) duckdb (question, base);

INSERT INTO bench.comparisons (section, name, beside, target)
SELECT 'dashboard', name, beside, target
FROM (VALUES
	('retention', 'SQL: retention', 1 / 7.0),
	('retention, parallel', 'SQL: retention, parallel', 1 / 7.0),
	('retention', 'SQL: retention, DISTINCT first', NULL),
	('retention, parallel', 'SQL: retention, DISTINCT first, parallel', NULL),
	('retention, parallel', 'DuckDB: retention', 1),
	('retention, parallel', 'DuckDB: retention-by-bits', 1),
	('retention of days, parallel', 'DuckDB: retention', 1),
	('retention of days, parallel', 'DuckDB: retention-by-bits', 1),
	('retention, parallel', 'DuckDB: retention-from-instants', 1),
	('retention, parallel', 'DuckDB: retention-from-hours', 1),
	('repurchase, parallel', 'DuckDB: repurchase', NULL),
	('growth, parallel', 'DuckDB: growth', NULL),
	('purchases, parallel', 'DuckDB: purchases', NULL),
	('customer_summary, parallel', 'DuckDB: customer_summary', NULL)
) comparisons (name, beside, target);

INSERT INTO bench.comparisons (section, name, beside, bases, target)
SELECT 'dashboard', 'all five, parallel', 'DuckDB: ' || retention || ' and the other four',
	ARRAY['DuckDB: ' || retention, 'DuckDB: repurchase', 'DuckDB: growth', 'DuckDB: purchases', 'DuckDB: customer_summary'], 1
FROM (VALUES ('retention'), ('retention-by-bits')) questions (retention);

\! bench/duckdb/setup
