-- How many of those who bought for the first time came back within N days.

CREATE FUNCTION loyalty.repurchase(
	h loyalty.customer_history,
	windows integer[] DEFAULT '{30,60,90,180,360}',
	cohort text DEFAULT 'month',
	as_of date DEFAULT NULL,
	same_day boolean DEFAULT false,
	week_start integer DEFAULT 1,
	confidence double precision DEFAULT 0.95,
	observed_since date DEFAULT NULL)
RETURNS TABLE (
	cohort date,
	window_days integer,
	customers bigint,
	eligible bigint,
	repurchased bigint,
	rate double precision,
	rate_low double precision,
	rate_high double precision,
	complete boolean,
	km_rate double precision,
	km_low double precision,
	km_high double precision)
AS 'MODULE_PATHNAME', 'loyalty_repurchase'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 100;

COMMENT ON FUNCTION loyalty.repurchase(loyalty.customer_history, integer[], text, date, boolean, integer, double precision, date) IS
'One row for each cohort of first purchases (day, week, month, quarter, year; all: one cohort, NULL) and each window of N days: rate = repurchased / eligible, the share of the customers observed for N days (as_of - first day >= N) who had another order on a later day within N days of the first (0 < day - first day <= N; with same_day also a second order on the first day). rate_low, rate_high: Wilson limits at confidence. km_rate: 1 - Kaplan-Meier curve at N of the days to the second purchase day, all customers of the cohort, censored at as_of; it never falls with N and is rate where eligible = customers; km_low, km_high: log-log limits with Greenwood''s variance, Wilson''s limits of rate where the curve is 1 or 0. Rates are fractions in [0,1], NULL where nobody was observed for N days. complete: the cohort''s period had ended by as_of (default: the last day of h) and all its customers were observed for N days. Customers first seen before observed_since are left out, with the cohorts that start before it. A NULL argument means its default; NULL history: no rows. Errors: 22023 for a window that is not positive, no window, an unknown cohort, week_start outside 1 to 7 or confidence outside (0,1); 22004 for a NULL window; 22008 for an infinite date; 54000 for more than 10,000 cohorts.';
