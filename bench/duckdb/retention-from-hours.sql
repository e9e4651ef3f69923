-- As retention-from-instants, by a table of the local time of every hour: right where the zone changes on the hour.
WITH hours AS (
	SELECT hour, timezone('Europe/Paris', to_timestamp(hour * 3600)) AS local
	FROM (SELECT DISTINCT epoch_us(instant) // 3600000000 AS hour FROM orders)
), months AS (
	SELECT hour, 1::bigint << (12 * (year(local) - 2022) + month(local) - 1) AS bit FROM hours
), customers AS (
	SELECT customer_id, bit_or(bit) AS months
	FROM orders JOIN months ON hour = epoch_us(instant) // 3600000000
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
