-- Random orders(as_bigint, as_text, as_uuid, day, amount): the same customers
-- by three types of key, among them some with refunds only, some with unknown
-- amounts only, some with several orders a day.  Amounts have two decimals.
-- histories(key, h) holds a history by each key.  For tests:
-- \ir include/random_orders.sql

\ir seed.sql

CREATE TEMP TABLE orders AS
SELECT CASE i WHEN 1 THEN -9223372036854775808 WHEN 2 THEN 9223372036854775807 WHEN 3 THEN 0
			  ELSE (i - 200)::bigint * 1000003 * CASE i % 3 WHEN 0 THEN 1 ELSE 1000003 END END AS as_bigint,
	   CASE i WHEN 1 THEN '' WHEN 2 THEN repeat('x', 10000) WHEN 3 THEN repeat('x', 10000) || 'y'
			  WHEN 4 THEN 'O''Reilly "quoted"' WHEN 5 THEN E'back\\slash\ttab\nline' WHEN 6 THEN 'žluťoučký 🐎'
			  WHEN 7 THEN ' ' WHEN 8 THEN '10' WHEN 9 THEN '9' WHEN 10 THEN 'Zebra' WHEN 11 THEN 'apple'
			  ELSE 'customer-' || i * i END AS as_text,
	   md5(i::text)::uuid AS as_uuid,
	   date '2023-06-01' + (random() ^ 2 * CASE i % 5 WHEN 0 THEN 4 ELSE 300 END)::integer AS day,
	   (CASE WHEN i % 10 = 7 THEN -random() * 50 - 0.01
			 WHEN i % 10 = 8 OR kind < 0.1 THEN NULL
			 WHEN kind < 0.15 THEN 0
			 WHEN kind < 0.35 THEN -random() * 300 - 0.01
			 WHEN kind < 0.36 THEN random() * 1e9
			 ELSE random() * 100 END)::numeric(20, 2) AS amount
FROM generate_series(1, 400) AS i,
	 LATERAL generate_series(1, 1 + (random() ^ 3 * 40 + i * 0)::integer) AS n,
	 LATERAL (SELECT random() + n * 0 AS kind) AS k;

CREATE TEMP TABLE histories (key text, h loyalty.customer_history);
INSERT INTO histories SELECT 'bigint', loyalty.customer_history(as_bigint, day, amount) FROM orders;
INSERT INTO histories SELECT 'text', loyalty.customer_history(as_text, day, amount) FROM orders;
INSERT INTO histories SELECT 'uuid', loyalty.customer_history(as_uuid, day, amount) FROM orders;
