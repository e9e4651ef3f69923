-- The tables that the examples of README.md and doc/ speak of: CDNOW's purchases as the orders of a shop in Paris.

\ir ../pgtap/include/cdnow.sql

CREATE TABLE orders (
	order_id bigint PRIMARY KEY,
	customer_id bigint NOT NULL,
	ordered_at timestamptz NOT NULL,
	channel text NOT NULL,
	amount numeric(10,2)
);

-- the time of day and the channel are made up, the same at every run
INSERT INTO orders
SELECT row_number() OVER (ORDER BY day, customer_id, amount),
       customer_id,
       (day + make_interval(mins => (hashint8(customer_id)::bigint & 1023)::integer)) AT TIME ZONE 'Europe/Paris',
       (ARRAY['search', 'social', 'email'])[1 + (customer_id % 10 > 4)::integer + (customer_id % 10 > 7)::integer],
       amount
FROM cdnow;

ANALYZE orders;
