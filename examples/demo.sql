-- What `make demo` shows: the purchases of a real store, from raw rows to retention, repurchase rates and growth.
-- Run it from the top of the project, in an empty database.

\set QUIET on
\pset footer off
\pset border 2
\pset linestyle unicode
\pset null ''
SET client_min_messages = warning;
CREATE EXTENSION loyalty;
SET search_path = public, loyalty;
\ir ../test/pgtap/include/cdnow.sql

\qecho
\qecho 'CDNOW, an online music store: everybody who bought for the first time in the first'
\qecho 'quarter of 1997, and all they bought until the end of June 1998 (Fader & Hardie).'
\qecho
SELECT count(*) AS purchases, count(DISTINCT customer_id) AS customers, min(day) AS from_day, max(day) AS to_day,
       sum(amount) AS revenue
FROM cdnow;

\qecho 'One aggregate reads the rows; every report below reads what it returns.'
\qecho '  CREATE TABLE shop AS SELECT customer_history(customer_id, day, amount) AS h FROM cdnow;'
CREATE TABLE shop AS SELECT customer_history(customer_id, day, amount) AS h FROM cdnow;

\qecho 'Who came back? Percent of a month''s new customers who bought again that many months later.'
\qecho '  SELECT r.* FROM shop, retention(h) r'
\qecho
SELECT to_char(cohort, 'Mon YYYY') || to_char(customers, '99,999') || ' new' AS cohort, period_number AS month,
       to_char(100 * rate, 'FM990.0') AS percent
FROM shop, retention(h, periods => 12) AS r
ORDER BY r.cohort, period_number
\crosstabview cohort month percent month

\qecho 'The same with the money: what a new customer has brought in so far, refunds deducted.'
\qecho '  ... cumulative_revenue / customers = revenue_per_customer'
\qecho
SELECT to_char(cohort, 'Mon YYYY') || to_char(customers, '99,999') || ' new' AS cohort, period_number AS month,
       round(revenue_per_customer, 2) AS revenue
FROM shop, retention(h, periods => 12) AS r
ORDER BY r.cohort, period_number
\crosstabview cohort month revenue month

\qecho 'How many buy again within N days of their first purchase? Rates are over the customers who'
\qecho 'were observed that long (eligible), with a 95 % interval; km_rate uses all of them.'
\qecho '  SELECT r.* FROM shop, repurchase(h, cohort => ''all'') r'
\qecho
SELECT window_days, customers, eligible, repurchased, to_char(100 * rate, '990.0" %"') AS rate,
       to_char(100 * rate_low, 'FM990.0') || ' - ' || to_char(100 * rate_high, 'FM990.0') AS interval_95, complete,
       to_char(100 * km_rate, '990.0" %"') AS km_rate
FROM shop, repurchase(h, cohort => 'all') AS r;

\qecho 'And as it could be seen on 30 June 1997, when many had not been customers for 180 days yet:'
\qecho '  SELECT r.* FROM shop, repurchase(h, cohort => ''all'', as_of => ''1997-06-30'') r'
\qecho
SELECT window_days, customers, eligible, repurchased, to_char(100 * rate, '990.0" %"') AS rate,
       to_char(100 * rate_low, 'FM990.0') || ' - ' || to_char(100 * rate_high, 'FM990.0') AS interval_95, complete,
       to_char(100 * km_rate, '990.0" %"') AS km_rate
FROM shop, repurchase(h, cohort => 'all', as_of => '1997-06-30') AS r;

\qecho 'Where do a quarter''s customers and its money come from, and where did they go?'
\qecho '  SELECT g.* FROM shop, growth(h, period => ''quarter'') g'
\qecho
SELECT to_char(period_start, 'YYYY"-Q"Q') AS quarter, active_customers AS active, new_customers AS new,
       retained_customers AS retained, resurrected_customers AS back, churned_customers AS lost,
       to_char(100 * churn_rate, '990.0" %"') AS churn
FROM shop, growth(h, period => 'quarter') AS g;
SELECT to_char(period_start, 'YYYY"-Q"Q') AS quarter, previous_revenue AS before, revenue_new AS new,
       revenue_expansion AS expansion, revenue_resurrected AS back, revenue_contraction AS contraction,
       revenue_churned AS lost, revenue
FROM shop, growth(h, period => 'quarter') AS g;

\ir demo_survey.sql
