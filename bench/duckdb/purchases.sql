-- Totals of each month, and of the customers and first days that began in it.
WITH spent AS (
	SELECT customer_id * 128 + 12 * (year(ordered_at) - 2020) + month(ordered_at) - 1 AS key, count(*) AS orders, sum(amount) AS money
	FROM orders GROUP BY ALL
), totals AS MATERIALIZED (
	SELECT key // 128 AS customer_id, (key % 128)::integer AS month, orders, money FROM spent
), customers AS MATERIALIZED (
	SELECT customer_id, min(ordered_at)::date AS first_day, max(ordered_at)::date AS last_day FROM orders GROUP BY customer_id
), new AS (
	SELECT month, count(*) AS customers, sum(money) AS money
	FROM (SELECT min(month) AS month, arg_min(money, month) AS money FROM totals GROUP BY customer_id)
	GROUP BY month
), first_days AS (
	SELECT 12 * (year(first_day) - 2020) + month(first_day) - 1 AS month, count(*) AS orders, sum(amount) AS money,
		count(*) FILTER (last_day > first_day) AS repeater_orders, sum(amount) FILTER (last_day > first_day) AS repeater_money
	FROM orders JOIN customers USING (customer_id)
	WHERE ordered_at < first_day + 1
	GROUP BY ALL
), months AS (
	SELECT month, count(*) AS customers, sum(orders) AS orders, sum(money) AS money, count(*) FILTER (orders > 1) AS repeat_customers
	FROM totals GROUP BY month
)
SELECT md5(string_agg(concat_ws('|', (date '2020-01-01' + to_months(m.month))::date, m.customers, m.orders, m.money,
		m.repeat_customers, m.customers - coalesce(n.customers, 0), m.money - coalesce(n.money, 0),
		(f.money / f.orders)::decimal(18,4), ((m.money - coalesce(f.money, 0)) / (m.orders - coalesce(f.orders, 0)))::decimal(18,4),
		(f.repeater_money / f.repeater_orders)::decimal(18,4)), ','
	ORDER BY m.month))
FROM months m LEFT JOIN new n USING (month) LEFT JOIN first_days f USING (month)
