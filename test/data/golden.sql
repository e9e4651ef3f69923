-- Writes what values of the version that is installed look like, and what every
-- report makes of them, to a folder of test/data:
--
--     dev/with-server psql -X -v folder=test/data/golden_0.2 -f test/data/golden.sql
--
-- Once for a release, never again for the same one: later versions must read
-- these values and give these figures (test/pgtap/golden.sql).

\set ON_ERROR_STOP 1
\set QUIET 1
SET client_min_messages = error;
SET jit = off;
SET TimeZone = 'UTC';
SET DateStyle = ISO;
CREATE EXTENSION IF NOT EXISTS loyalty;
SET search_path = public, loyalty;
\ir ../pgtap/include/every_report.sql

-- a real shop's customers, by three types of key; money in cents, refunds among them
\ir ../pgtap/include/cdnow_sample.sql
CREATE TABLE purchase AS
SELECT customer_id AS customer, 'client ' || customer_id || chr(223 + customer_id::int % 90) AS name, md5(customer_id::text)::uuid AS id, day,
	   (amount * 100)::bigint - CASE WHEN customer_id % 37 = 7 THEN 300000 WHEN (customer_id + (day - date '1997-01-01')) % 29 = 0 THEN 15000 ELSE 0 END AS money, (cds + customer_id % 8)::int % 11 AS score
FROM cdnow_sample WHERE customer_id % 13 = 5;
-- several orders a day, and such whose amount is not known
CREATE TABLE detailed AS
SELECT *, true AS known FROM purchase UNION ALL
SELECT customer, name, id, day, money, score, false FROM purchase WHERE money % 3 = 0 UNION ALL
SELECT customer, name, id, day, money / 2, score, true FROM purchase WHERE money % 4 = 0;

CREATE TABLE value (name text PRIMARY KEY, type text NOT NULL, value text NOT NULL, bytes bytea);
INSERT INTO value
SELECT format('%s, %s', key, what), 'customer_history', h::text, customer_history_send(h)
FROM (SELECT 'bigint' AS key, customer_history(customer, day) AS without_amounts, customer_history(customer, day, money) AS whole,
			 customer_history(customer, day, money / 100.0) FILTER (WHERE money % 7 > 0) AS cents, customer_history(customer, day, round(money / 7.0, 20)) AS twenty_decimals FROM purchase
	  UNION ALL
	  SELECT 'text', customer_history(name, day), customer_history(name, day, money), customer_history(name, day, round(money / 100.0, 2)), customer_history(name, day, round(money / 7.0, 20)) FROM purchase
	  UNION ALL
	  SELECT 'uuid', customer_history(id, day), customer_history(id, day, money), customer_history(id, day, round(money / 100.0, 2)), customer_history(id, day, round(money / 7.0, 20)) FROM purchase
	  ) AS t, LATERAL (VALUES ('without amounts', without_amounts), ('whole amounts', whole), ('cents', cents), ('twenty decimals', twenty_decimals)) AS v(what, h)
UNION ALL
SELECT format('%s, detailed %s', key, what), 'customer_history', h::text, customer_history_send(h)
FROM (SELECT 'bigint' AS key, customer_history(customer, day) AS d, customer_history(customer, day, CASE WHEN known THEN round(money / 100.0, 2) END) AS a FROM detailed
	  UNION ALL SELECT 'text', customer_history(name, day), customer_history(name, day, CASE WHEN known THEN round(money / 100.0, 3) END) FROM detailed
	  UNION ALL SELECT 'uuid', customer_history(id, day), customer_history(id, day, CASE WHEN known THEN round(money / 100.0, 1) END) FROM detailed) AS t,
	 LATERAL (VALUES ('days', d), ('money', a)) AS v(what, h)
UNION ALL
SELECT name, 'customer_history', h::text, customer_history_send(h)
FROM (SELECT 'one order' AS name, customer_history(1, '2024-01-01') AS h
	  UNION ALL SELECT 'all amounts unknown', customer_history(c, '2024-01-01', NULL) FROM generate_series(1, 3) AS c
	  UNION ALL SELECT 'a refund only', customer_history('c', '2024-01-01', -0.01)
	  UNION ALL SELECT 'many orders of a day', customer_history(1, '2024-02-29', 65279.99) FROM generate_series(1, 300)
	  UNION ALL SELECT 'keys at the ends of bigint', customer_history(c, d, a) FROM (VALUES (9223372036854775807, date '2024-01-01', 1.5), (-9223372036854775808, '2024-01-02', 2.25), (0, '2024-01-31', 0)) AS v(c, d, a)
	  UNION ALL SELECT 'empty and long keys', customer_history(c, d, 9.99) FROM (VALUES ('', date '2024-01-01'), (repeat('x', 300), '2024-01-02'), (repeat('x', 299) || 'y', '2024-05-01'), (E'tab\t"\\', '2024-05-01')) AS v(c, d)
	  UNION ALL SELECT 'days of all gaps', customer_history(1, date '1999-12-31' + d, 5) FROM unnest('{0,1,240,241,481,3568,3569,7138,9000}'::int[]) AS d
	  UNION ALL SELECT 'amounts of all sizes', customer_history(1, date '2024-01-01' + n::int, a) FROM unnest('{0,1,65279,65280,65281,16776959,16776960,16776961,4294967296,18446744073709551615,18446744073709551616,999999999999999999.99,-1,-65280,-16776960}'::numeric[]) WITH ORDINALITY AS v(a, n)
	  ) AS t
UNION ALL
SELECT name, 'nps_survey', s::text, nps_survey_send(s)
FROM (SELECT 'answers 0..10' AS name, nps_survey(score) AS s FROM purchase UNION ALL SELECT 'answers 1..5', nps_survey(score % 5 + 1, 1, 5) FROM purchase
	  UNION ALL SELECT 'answers 1..7', nps_survey(score % 7 + 1, 1, 7) FROM purchase UNION ALL SELECT 'answers 1..10', nps_survey(score % 10 + 1, 1, 10) FROM purchase
	  UNION ALL SELECT 'answers 0..1', '0..1:{3,4}' UNION ALL SELECT 'no answers', '1..5:{0,0,0,0,0}' UNION ALL SELECT 'one answer', '0..10:{0,0,0,0,0,0,0,0,0,0,1}'
	  UNION ALL SELECT 'as many as can be', '1..5:{9223372036854775800,1,2,3,1}') AS t
UNION ALL SELECT 'bg_nbd', 'bg_nbd', m::text, NULL FROM (SELECT ROW(0.2425945, 4.4136, 0.79292, 2.42589, 0.01, 0.4, 0.2, 0.7, -9582.43, 2357, 21, true)::bg_nbd AS m) AS t
UNION ALL SELECT 'mbg_nbd', 'mbg_nbd', m::text, NULL FROM (SELECT ROW(0.525, 6.183, 0.891, 1.614, 0.01, 0.4, 0.2, 0.7, -9582.43, 2357, 21, true)::mbg_nbd AS m) AS t
UNION ALL SELECT 'pareto_nbd', 'pareto_nbd', m::text, NULL FROM (SELECT ROW(0.5534, 10.5802, 0.6061, 11.6562, 0.05, 0.8, 0.1, 4.3, -9594.976, 2357, 21, true)::pareto_nbd AS m) AS t
UNION ALL SELECT 'bg_bb', 'bg_bb', m::text, NULL FROM (SELECT ROW(1.204, 0.75, 0.657, 2.783, 0.05, 0.08, 0.1, 0.3, -33225.6, 11104, 21, true)::bg_bb AS m) AS t
UNION ALL SELECT 'gamma_gamma', 'gamma_gamma', m::text, NULL FROM (SELECT gamma_gamma_model(6.2496, 3.7441, 15.4429) AS m) AS t
UNION ALL SELECT 'shifted_beta_geometric', 'shifted_beta_geometric', m::text, NULL FROM (SELECT shifted_beta_geometric_model(0.668, 3.806) AS m) AS t
UNION ALL SELECT 'beta_discrete_weibull', 'beta_discrete_weibull', m::text, NULL FROM (SELECT beta_discrete_weibull_model(0.668, 3.806, 1.2) AS m) AS t
UNION ALL SELECT 'a model of parameters only', 'bg_nbd', m::text, NULL FROM (SELECT bg_nbd_model(0.243, 4.414, 0.793, 2.426) AS m) AS t;

-- what is asked of each type: every report, and single figures
CREATE TABLE question (type text, question text, query text, PRIMARY KEY (type, question));
INSERT INTO question SELECT CASE WHEN report ~ 'customer_history' THEN 'customer_history' ELSE 'nps_survey' END, report, query
FROM every_report('v.value::loyalty.customer_history', 'v.value::loyalty.nps_survey')
WHERE report !~ '_as\(anyelement|events'; -- these read as others do, and events are in jsonb
INSERT INTO question VALUES
	('customer_history', 'header', 'SELECT loyalty.customers(h), loyalty.orders(h), loyalty.revenue(h), loyalty.first_day(h), loyalty.last_day(h) FROM (SELECT v.value::loyalty.customer_history AS h) AS t'),
	('customer_history', 'everything', 'SELECT d.* FROM (SELECT CAST(v.value::loyalty.customer_history AS jsonb) AS j) AS t, LATERAL (SELECT j - ''customers'' AS kind, md5(j::text) AS all) AS d'),
	('customer_history', 'twice', 'SELECT md5(loyalty.customer_history_send(loyalty.merge(h, h))) FROM (SELECT v.value::loyalty.customer_history AS h) AS t'),
	('customer_history', 'a part', 'SELECT md5(loyalty.customer_history_send(loyalty.history_between(v.value::loyalty.customer_history, ''2024-01-02'', ''2024-04-30'')))'),
	('customer_history', 'weeks', 'SELECT count(*), md5(string_agg(concat_ws('' '', r.cohort, period_number, customers, eligible, retained, revenue, complete), '','' ORDER BY r.cohort, period_number)) FROM loyalty.retention(v.value::loyalty.customer_history, period => ''week'', week_start => 7, periods => 5) AS r'),
	('customer_history', 'rolling', 'SELECT count(*), md5(string_agg(concat_ws('' '', r.cohort, from_day, eligible, retained), '','' ORDER BY r.cohort, from_day)) FROM loyalty.rolling_retention(v.value::loyalty.customer_history, days => ''{1,7,28}'', kind => ''on_or_after'') AS r'),
	('nps_survey', 'counts', 'SELECT loyalty.counts(v.value::loyalty.nps_survey) AS counts'),
	('nps_survey', 'jsonb', 'SELECT CAST(v.value::loyalty.nps_survey AS jsonb) AS jsonb');
INSERT INTO question
SELECT m, 'fields', format('SELECT (v.value::loyalty.%s).*', m) FROM unnest('{bg_nbd,mbg_nbd,pareto_nbd,bg_bb,gamma_gamma,shifted_beta_geometric,beta_discrete_weibull}'::text[]) AS m
UNION ALL
SELECT m, 'predictions', format('SELECT loyalty.p_alive(m, 3, 10, 20), loyalty.expected_purchases(m, 3, 10, 20, 26) AS conditional, loyalty.expected_purchases(m, 26) AS of_new, loyalty.purchase_probability(m, 2, 26), loyalty.discounted_expected_purchases(m, 3, 10, 20, 0.01), loyalty.log_likelihood(m, 3, 10, 20) FROM (SELECT v.value::loyalty.%s AS m) AS t', m)
FROM unnest('{bg_nbd,mbg_nbd,pareto_nbd,bg_bb}'::text[]) AS m
UNION ALL SELECT 'gamma_gamma', 'value', 'SELECT loyalty.expected_value(v.value::loyalty.gamma_gamma, 35.5, 4) AS value'
UNION ALL
SELECT m, 'renewals', format('SELECT age, loyalty.survival(m, age), loyalty.retention_rate(m, age), loyalty.expected_lifetime(m, 0.1), loyalty.residual_value(m, age, 50, 0.1) FROM (SELECT v.value::loyalty.%s AS m) AS t, generate_series(1, 5) AS age', m)
FROM unnest('{shifted_beta_geometric,beta_discrete_weibull}'::text[]) AS m;

\ir golden_figures.sql
COPY (SELECT extversion, value.* FROM value, pg_extension WHERE extname = 'loyalty' ORDER BY type, name) TO STDOUT \g :folder/values.tsv
COPY (SELECT extversion, question.* FROM question, pg_extension WHERE extname = 'loyalty' ORDER BY type, question) TO STDOUT \g :folder/questions.tsv
COPY (SELECT extversion, figure.* FROM figure, pg_extension WHERE extname = 'loyalty' ORDER BY name, question, figure) TO STDOUT \g :folder/figures.tsv
