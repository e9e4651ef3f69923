-- Everything of each customer; the sums only see to it that nothing is left out.
WITH customers AS (
	SELECT customer_id, min(ordered_at)::date AS first_day, max(ordered_at)::date AS last_day, count(*) AS orders,
		count(DISTINCT ordered_at::date) AS purchase_days, sum(amount) AS revenue
	FROM orders GROUP BY customer_id
)
SELECT concat_ws('|', count(*), sum(orders), sum(purchase_days), sum(revenue), sum(last_day - first_day),
	sum((SELECT max(ordered_at)::date FROM orders) - last_day))
FROM customers
