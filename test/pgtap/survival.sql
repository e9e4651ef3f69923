-- Kaplan-Meier in repurchase, against R's package survival: its data set aml,
-- and the days to the second purchase of CDNOW's customers, of which R made
-- test/data/survfit_cdnow.csv by test/data/survfit_cdnow.R.

BEGIN;
SELECT plan(17);

-- ---------- aml, maintained arm: times 9 13 13+ 18 23 28+ 31 34 45+ 48 161+ ----------
-- summary(survfit(Surv(time, status) ~ 1, aml[aml$x == "Maintained", ], conf.type = "log-log"))

-- A subject is a customer. Who had the event at t comes back t days after the
-- first purchase, and is observed for extra * id days more; who was censored
-- at t first bought t days before as_of.
CREATE TEMP TABLE aml (time integer, event boolean, id serial);
INSERT INTO aml VALUES (9, true), (13, true), (13, false), (18, true), (23, true), (28, false), (31, true), (34, true),
					   (45, false), (48, true), (161, false);
CREATE FUNCTION pg_temp.aml_history(extra integer)
RETURNS loyalty.customer_history
LANGUAGE sql AS $$
	SELECT loyalty.customer_history(id, day)
	FROM aml, LATERAL (SELECT date '2020-12-31' - CASE WHEN event THEN time + extra * id ELSE time END AS first) AS f,
		 unnest(CASE WHEN event THEN array[first, first + time] ELSE array[first] END) AS day
$$;

CREATE TEMP TABLE survfit (time integer, surv float8, std_err float8, lower float8, upper float8);
INSERT INTO survfit VALUES
	(9, 0.909090909090909, 0.0866784172041448, 0.50808020576993, 0.986673822667823),
	(13, 0.818181818181818, 0.116291299830333, 0.447428614682181, 0.951162228582492),
	(18, 0.715909090909091, 0.139664970557228, 0.350190385907938, 0.899023974191053),
	(23, 0.613636363636364, 0.152632331027312, 0.265752040001286, 0.835299243250221),
	(31, 0.490909090909091, 0.164193267221136, 0.167330909776851, 0.753399790370811),
	(34, 0.368181818181818, 0.162668885827095, 0.0928295749369852, 0.657040832398164),
	(48, 0.184090909090909, 0.153492745786294, 0.0117384801231896, 0.525014842726641);

-- Greenwood's standard error, out of the limits of a row
CREATE FUNCTION pg_temp.standard_error(s float8, low float8, high float8)
RETURNS float8
LANGUAGE sql AS $$
	SELECT s * abs(ln(s)) * (ln(-ln(low)) - ln(-ln(high))) / (2 * 1.959963984540054)
$$;

-- events at the end of the observation, the day after, and later
CREATE TEMP TABLE got AS
SELECT extra, r.*
FROM unnest('{0,1,40}'::integer[]) AS extra, pg_temp.aml_history(extra) AS h,
	 loyalty.repurchase(h, '{8,9,12,13,17,18,22,23,30,31,33,34,47,48,161}', 'all', '2020-12-31') AS r;

SELECT is(format('%s-%s-%s', round((1 - km_rate)::numeric, 9), round((1 - km_high)::numeric, 10), round((1 - km_low)::numeric, 9)),
		  '0.613636364-0.2657520400-0.835299243', 'aml at 23: published curve and limits')
FROM got WHERE extra = 1 AND window_days = 23;
SELECT is(round(pg_temp.standard_error(1 - km_rate, 1 - km_high, 1 - km_low)::numeric, 9), 0.152632331, 'aml at 23: published standard error')
FROM got WHERE extra = 1 AND window_days = 23;
SELECT is(count(*), 45::bigint, 'aml: 15 windows each') FROM got;
SELECT is_empty($$
	SELECT got.*, f FROM got
	JOIN LATERAL (SELECT * FROM survfit WHERE time <= window_days ORDER BY time DESC LIMIT 1) AS f ON true
	WHERE NOT coalesce(abs(1 - km_rate - surv) < 1e-11 AND abs(1 - km_low - upper) < 1e-11 AND abs(1 - km_high - lower) < 1e-11
					   AND abs(pg_temp.standard_error(1 - km_rate, 1 - km_high, 1 - km_low) - std_err) < 1e-11, false)
	$$, 'aml: the whole curve, its limits and its standard errors');
SELECT is_empty($$SELECT * FROM got WHERE window_days = 8 AND (customers, eligible, km_rate, km_low, km_high) IS DISTINCT FROM (11::bigint, 11::bigint, 0::float8, 0::float8, loyalty.rate_high(0, 11))$$,
				'aml: nothing before the first event');
SELECT is_empty($$
	SELECT window_days, array_agg(DISTINCT km_rate) FROM got GROUP BY window_days
	HAVING count(DISTINCT (km_rate, km_low, km_high)) > 1 $$,
	'aml: how long one was observed after the event does not matter');

-- ---------- by hand ----------

-- Times 0 0+ 1 1+ 2. Who is censored at a time is at risk of its events:
-- S(0) = 4/5, S(1) = 4/5 * 2/3, S(2) = 0.
CREATE TEMP TABLE hand AS
SELECT loyalty.customer_history(id, date '2020-12-31' - days_before) AS h
FROM (VALUES (1, 5), (1, 5), (2, 0), (3, 3), (3, 2), (4, 1), (5, 4), (5, 2)) AS o(id, days_before);
SELECT is(array_agg(format('%s %s/%s %s', window_days, repurchased, eligible, round(km_rate::numeric, 15))),
		  '{"1 2/4 0.466666666666667","2 3/3 1.000000000000000"}', 'ties, and an event at time 0')
FROM hand, loyalty.repurchase(h, '{1,2}', 'year', same_day => true);
SELECT ok(abs(1 - km_low - (8 / 15.0) ^ exp(-u)) < 1e-12 AND abs(1 - km_high - (8 / 15.0) ^ exp(u)) < 1e-12, 'log-log limits')
FROM hand, loyalty.repurchase(h, '{1}', 'year', same_day => true, confidence => 0.5),
	 LATERAL (SELECT 0.674489750196081743 * sqrt(1 / 20.0 + 1 / 6.0) / -ln(8 / 15.0) AS u) AS s;
SELECT is((km_low, km_high), (loyalty.rate_low(3, 3), 1::float8), 'Wilson''s limits where the curve is 0')
FROM hand, loyalty.repurchase(h, '{2}', 'year', same_day => true);
-- Without the same day: times 0+ 1 1+ 2 5+, S(1) = 3/4, S(2) = 3/8.
SELECT is(array_agg(format('%s %s/%s %s', window_days, repurchased, eligible, km_rate)),
		  '{"1 1/4 0.25","2 2/3 0.625","5 0/1 0.625","6 0/0 "}', 'a curve that goes on where the eligible end')
FROM hand, loyalty.repurchase(h, '{1,2,5,6}', 'all');

-- ---------- CDNOW ----------

\ir include/cdnow.sql
CREATE TEMP TABLE curve (as_of date, same_day boolean, cohort date, time integer, surv float8, std_err float8, lower float8, upper float8);
\copy curve FROM 'test/data/survfit_cdnow.csv' WITH (FORMAT csv, HEADER true)

CREATE TEMP TABLE report AS
SELECT c.as_of, c.same_day, r.*
FROM (SELECT loyalty.customer_history(customer_id, day) AS h FROM cdnow) AS t,
	 (SELECT DISTINCT as_of, same_day, cohort IS NULL AS pooled FROM curve) AS c,
	 loyalty.repurchase(h, (SELECT array_agg(n) FROM generate_series(1, 545) AS n), CASE WHEN pooled THEN 'all' ELSE 'month' END, c.as_of, c.same_day) AS r
WHERE eligible > 0;

-- 180 days, with and without the same day; 180, 149 and 121; 545
SELECT is(count(*), 1355::bigint, 'six curves by day') FROM report;
SELECT is_empty($$
	SELECT r.as_of, r.same_day, r.cohort, window_days, km_rate, f
	FROM report AS r
	JOIN LATERAL (SELECT * FROM curve AS c
				  WHERE (c.as_of, c.same_day) = (r.as_of, r.same_day) AND c.cohort IS NOT DISTINCT FROM r.cohort AND time <= window_days
				  ORDER BY time DESC LIMIT 1) AS f ON true
	WHERE NOT coalesce(abs(1 - km_rate - surv) < 1e-11 AND abs(1 - km_low - upper) < 1e-11 AND abs(1 - km_high - lower) < 1e-11
					   AND abs(pg_temp.standard_error(1 - km_rate, 1 - km_high, 1 - km_low) - std_err) < 1e-11, false)
	LIMIT 5 $$, 'R''s curves, limits and standard errors');
SELECT is_empty($$
	SELECT c.* FROM curve AS c LEFT JOIN report AS r
	ON (c.as_of, c.same_day, time) = (r.as_of, r.same_day, window_days) AND c.cohort IS NOT DISTINCT FROM r.cohort
	WHERE time > 0 AND window_days IS NULL $$, 'at every time of R''s');

-- until mid-1997 the eligible are a part, of which the curve knows more
SELECT ok(min(eligible::float8 / customers) < 0.05 AND bool_and(km_rate BETWEEN km_low AND km_high), 'few are eligible')
FROM report WHERE as_of = '1997-06-30' AND cohort IS NULL;
SELECT is_empty($$
	SELECT * FROM report AS r JOIN report AS s USING (as_of, same_day, window_days)
	WHERE r.cohort IS NULL AND s.cohort IS NULL AND NOT r.same_day AND r.as_of = '1998-06-30' AND r.eligible = r.customers AND r.km_rate <> r.rate $$,
	'all are eligible: the share of the eligible');
SELECT ok(max(p.km_high - p.km_low) < 0.15 AND max(abs(p.km_rate - l.km_rate)) < 0.1, 'what was estimated by mid-1997 is near what came')
FROM report AS p JOIN report AS l USING (window_days)
WHERE p.as_of = '1997-06-30' AND NOT p.same_day AND p.cohort IS NULL AND l.as_of = '1998-06-30' AND l.cohort IS NULL;
SELECT ok(p.km_low <= l.rate AND l.rate <= p.km_high, 'and at 150 days within its limits')
FROM report AS p JOIN report AS l USING (window_days)
WHERE window_days = 150 AND p.as_of = '1997-06-30' AND NOT p.same_day AND p.cohort IS NULL AND l.as_of = '1998-06-30' AND l.cohort IS NULL;

SELECT * FROM finish();
ROLLBACK;
