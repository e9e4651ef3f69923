-- As retention-by-bits, but from instants, as the server has them: DuckDB finds the local day itself.
WITH customers AS (
	SELECT customer_id, bit_or(1::bigint << (12 * (year(ordered_at) - 2022) + month(ordered_at) - 1)) AS months
	FROM (SELECT customer_id, timezone('Europe/Paris', instant) AS ordered_at FROM orders) local
	GROUP BY customer_id
), patterns AS (
	SELECT months, count(*) AS customers, bit_count((months & -months) - 1)::integer AS cohort FROM customers GROUP BY months
), cells AS (
	SELECT cohort, month - cohort AS period_number, sum(customers)::bigint AS customers
	FROM patterns, range(63) months (month) WHERE (months >> month) & 1 = 1 GROUP BY ALL
)
SELECT md5(string_agg(concat_ws('|', (date '2022-01-01' + to_months(cohort))::date, period_number, customers), ','
	ORDER BY cohort, period_number))
FROM cells
