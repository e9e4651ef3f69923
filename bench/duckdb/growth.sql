-- The money of each customer and month beside that of the month before. The key is customer_id * 128 + month.
WITH spent AS MATERIALIZED (
	SELECT customer_id * 128 + 12 * (year(ordered_at) - 2020) + month(ordered_at) - 1 AS key, sum(amount) AS money
	FROM orders GROUP BY ALL
), new AS (
	SELECT key % 128 AS month, count(*) AS customers, sum(money) AS money
	FROM (SELECT min(key) AS key, arg_min(money, key) AS money FROM spent GROUP BY key // 128)
	GROUP BY ALL
), pairs AS (
	SELECT coalesce(this.key, last.key + 1) % 128 AS month,
		count(this.key) AS active, count(last.key) AS previous, count(*) FILTER (this.key = last.key + 1) AS retained,
		sum(this.money) AS revenue,
		sum(this.money) FILTER (last.key IS NULL) AS appeared,
		sum(last.money) FILTER (this.key IS NULL) AS churned,
		sum(this.money - last.money) FILTER (this.money > last.money) AS expansion,
		sum(last.money - this.money) FILTER (this.money < last.money) AS contraction
	FROM spent this FULL JOIN spent last ON this.key = last.key + 1
	GROUP BY ALL
)
SELECT md5(string_agg(concat_ws('|', (date '2020-01-01' + to_months(month::integer))::date,
		active, n.customers, retained, active - n.customers - retained, previous - retained,
		revenue, n.money, coalesce(expansion, 0), coalesce(contraction, 0), coalesce(churned, 0), appeared - n.money), ','
	ORDER BY month))
FROM pairs JOIN new n USING (month)
WHERE (date '2020-01-01' + to_months(month::integer + 1))::date - 1 <= (SELECT max(ordered_at)::date FROM orders)
