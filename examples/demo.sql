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

\qecho 'What are customers still worth? Three models of buying, fitted to all of it:'
\qecho '  SELECT m.* FROM shop, bg_nbd_fit(h) m'
\qecho
CREATE TABLE model AS SELECT bg_nbd_fit(h) AS bg, mbg_nbd_fit(h) AS mbg, pareto_nbd_fit(h) AS pareto, gamma_gamma_fit(h) AS spending FROM shop;
SELECT 'BG/NBD' AS model, format('r %s  alpha %s  a %s  b %s', round((bg).r::numeric, 3), round((bg).alpha::numeric, 3), round((bg).a::numeric, 3), round((bg).b::numeric, 3)) AS parameters,
       round((bg).log_likelihood::numeric, 1) AS log_likelihood, (bg).customers FROM model
UNION ALL
SELECT 'MBG/NBD', format('r %s  alpha %s  a %s  b %s', round((mbg).r::numeric, 3), round((mbg).alpha::numeric, 3), round((mbg).a::numeric, 3), round((mbg).b::numeric, 3)),
       round((mbg).log_likelihood::numeric, 1), (mbg).customers FROM model
UNION ALL
SELECT 'Pareto/NBD', format('r %s  alpha %s  s %s  beta %s', round((pareto).r::numeric, 3), round((pareto).alpha::numeric, 3), round((pareto).s::numeric, 3), round((pareto).beta::numeric, 3)),
       round((pareto).log_likelihood::numeric, 1), (pareto).customers FROM model
UNION ALL
SELECT 'Gamma-Gamma', format('p %s  q %s  gamma %s', round((spending).p::numeric, 3), round((spending).q::numeric, 3), round((spending).gamma::numeric, 3)),
       round((spending).log_likelihood::numeric, 1), (spending).customers FROM model;

\qecho 'The ten customers who are worth most in the coming 52 weeks, at a margin of 30 % and a discount of 15 % a year:'
\qecho '  SELECT c.* FROM shop, clv(h, ''mbg_nbd'', discount => 0.15, margin => 0.3) c ORDER BY clv DESC LIMIT 10'
\qecho
SELECT customer, frequency, round(monetary, 2) AS monetary, revenue_to_date, to_char(100 * p_alive, '990.0" %"') AS p_alive,
       round(expected_purchases::numeric, 1) AS expected_purchases, round(expected_value::numeric, 2) AS expected_value, round(clv::numeric, 2) AS clv
FROM shop, clv(h, 'mbg_nbd', discount => 0.15, margin => 0.3) AS c
ORDER BY c.clv DESC LIMIT 10;

\qecho 'How well would that have been foretold? Fitted to the first nine months, judged by the nine after:'
\qecho '  SELECT c.* FROM shop, clv_holdout(h) c'
\qecho
SELECT CASE WHEN frequency < 5 THEN frequency::text ELSE '5 and more' END AS repeat_purchases, sum(customers) AS customers,
       sum(actual) AS bought_later, round(sum(expected)) AS expected
FROM shop, clv_holdout(h, model => 'mbg_nbd') AS c
GROUP BY 1 ORDER BY 1;

\ir demo_survey.sql
