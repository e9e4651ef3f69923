-- The two earliest orders of each customer; where both fall on one day, the earliest of a later day instead.
WITH earliest AS MATERIALIZED (
	SELECT customer_id, min(ordered_at, 2) AS two FROM orders GROUP BY customer_id
), same_day AS MATERIALIZED (
	SELECT customer_id, two[1]::date AS first_day FROM earliest WHERE two[1]::date = two[2]::date
), customers AS (
	SELECT two[1]::date AS first_day, two[2]::date AS second_day
	FROM earliest WHERE two[2] IS NULL OR two[1]::date < two[2]::date
	UNION ALL
	SELECT first_day, min(ordered_at)::date
	FROM same_day LEFT JOIN orders ON orders.customer_id = same_day.customer_id AND ordered_at >= first_day + 1
	GROUP BY same_day.customer_id, first_day
), cells AS (
	SELECT date_trunc('month', first_day)::date AS cohort, days, count(*) AS eligible,
		count(*) FILTER (second_day - first_day <= days) AS repurchased
	FROM customers, (VALUES (30), (60), (90), (180), (360)) windows (days)
	WHERE (SELECT max(ordered_at)::date FROM orders) - first_day >= days
	GROUP BY ALL
)
SELECT md5(string_agg(concat_ws('|', cohort, days, eligible, repurchased), ',' ORDER BY cohort, days)) FROM cells
