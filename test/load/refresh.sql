\set which random(1, 3)
\if :which = 1
REFRESH MATERIALIZED VIEW CONCURRENTLY whole;
\elif :which = 2
REFRESH MATERIALIZED VIEW triangle;
\else
SELECT loyalty.customers(loyalty.customer_history(customer, day, amount)) FROM orders TABLESAMPLE SYSTEM (5);
\endif
