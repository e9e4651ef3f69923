\set seed random(1, 9000000000000000)
BEGIN;
INSERT INTO orders SELECT o.* FROM some_orders(:seed, 20) AS o;
-- the keys of all clients in one order, so that none waits for another in a circle
INSERT INTO history AS t SELECT bucket, loyalty.customer_history(customer, day, amount) FROM some_orders(:seed, 20) AS o GROUP BY bucket ORDER BY bucket ON CONFLICT (bucket) DO UPDATE SET h = t.h OPERATOR(loyalty.+) EXCLUDED.h;
COMMIT;
