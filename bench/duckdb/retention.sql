-- The active months of each customer, once each; the first of them is the cohort.
WITH active AS MATERIALIZED (
	SELECT DISTINCT customer_id, (12 * (year(ordered_at) - 2020) + month(ordered_at) - 1)::utinyint AS month FROM orders
), cohorts AS (
	SELECT customer_id, min(month) AS cohort FROM active GROUP BY customer_id
), cells AS (
	SELECT cohort, month - cohort AS period_number, count(*) AS customers
	FROM active JOIN cohorts USING (customer_id) GROUP BY ALL
)
SELECT md5(string_agg(concat_ws('|', (date '2020-01-01' + to_months(cohort::integer))::date, period_number, customers), ','
	ORDER BY cohort, period_number))
FROM cells
