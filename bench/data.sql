-- A shop of three years: :rows orders (as good as) of :rows / 10 customers, the same ones on every machine.
--
-- Customers come in the order of their numbers, a little faster every month, and stay for a random part of the time
-- that is left, or for all of it. How often one orders while staying is drawn from an exponential distribution: a fifth
-- buys once, half up to five times, the best in a thousand over a hundred times, and one order in fifty shares customer
-- and day with another. Baskets are log-normal, around 30.

SET work_mem = '1GB';
SET max_parallel_workers_per_gather = 0; -- so that random() is called in the same order every time
SELECT setseed(0.2026) \g /dev/null

-- Without crash recovery, so without WAL.
CREATE UNLOGGED TABLE orders (order_id bigint, customer_id bigint, ordered_at timestamptz, amount numeric(10,2));

INSERT INTO orders
SELECT row_number() OVER (ORDER BY ordered_at), customer_id, ordered_at, amount
FROM (
	SELECT customer_id,
		timestamptz '2023-11-01 00:00:00+00' + interval '1 hour' * 24 * 1095
			* (arrival + CASE nth WHEN 1 THEN 0 ELSE stay * random() END) AS ordered_at,
		exp(3.4 + 0.7 * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()))::numeric(10,2) AS amount
	FROM (
		SELECT customer_id, arrival, stay, 1 + floor(-ln(1 - random()) * stay * 24.9)::integer AS purchases
		FROM (
			SELECT customer_id, arrival, (1 - arrival) * least(1, 1.3 * sqrt(random())) AS stay
			FROM generate_series(1, :rows / 10) customer_id,
				LATERAL (SELECT (customer_id / (:rows / 10.0 + 1))::float8 ^ 0.9 AS arrival) arrivals
		) stays
	) customers, generate_series(1, purchases) nth
) drawn;

-- The same orders in no order.
CREATE UNLOGGED TABLE orders_shuffled AS SELECT * FROM orders ORDER BY hashint8(order_id), order_id;

-- The same orders with other customer numbers. Tables of their own, so that their floors read what they read.
CREATE UNLOGGED TABLE orders_uuid AS
SELECT order_id, md5(customer_id::text)::uuid AS customer_id, ordered_at, amount FROM orders;

CREATE UNLOGGED TABLE orders_text AS
SELECT order_id, customer_id::text AS customer_id, ordered_at, amount FROM orders_uuid;

VACUUM (ANALYZE, FREEZE) orders, orders_shuffled, orders_uuid, orders_text;

SELECT count(*) AS orders, count(DISTINCT customer_id) AS customers,
	(SELECT string_agg(format('%s %s', relname, pg_size_pretty(pg_table_size(oid))), ', ' ORDER BY relname)
	FROM pg_class WHERE relname LIKE 'orders%') AS tables
FROM orders;
