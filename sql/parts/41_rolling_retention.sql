-- Retention in brackets of days counted from each customer's own first day.

CREATE FUNCTION loyalty.rolling_retention(
	h loyalty.customer_history,
	days integer[] DEFAULT '{30,60,90}',
	kind text DEFAULT 'on',
	cohort text DEFAULT 'month',
	as_of date DEFAULT NULL,
	week_start integer DEFAULT 1,
	confidence double precision DEFAULT 0.95,
	observed_since date DEFAULT NULL)
RETURNS TABLE (
	cohort date,
	from_day integer,
	to_day integer,
	customers bigint,
	eligible bigint,
	retained bigint,
	rate double precision,
	rate_low double precision,
	rate_high double precision,
	complete boolean)
AS 'MODULE_PATHNAME', 'loyalty_rolling_retention'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 100;

COMMENT ON FUNCTION loyalty.rolling_retention(loyalty.customer_history, integer[], text, text, date, integer, double precision, date) IS
'One row for each cohort of first purchases (day, week, month, quarter, year; all: one cohort, NULL) and each bracket of days since the customer''s own first purchase day, from_day to to_day, both inclusive: days {30,60,90} are 1-30, 31-60, 61-90. rate = retained / eligible, the share of the customers observed for to_day days (as_of - first day >= to_day) who were active: kind on: an order in the bracket; on_or_before: from day 1 to to_day; streak: in this and every earlier bracket; on_or_after: from from_day to as_of, a lower bound that later data raise. rate_low, rate_high: Wilson limits at confidence. Rates are fractions in [0,1], NULL where nobody was observed for to_day days. The eligible change with the bracket, so rates of different brackets may describe different customers. complete: the cohort''s period had ended by as_of (default: the last day of h) and all its customers were observed for to_day days; never for on_or_after. Customers first seen before observed_since are left out, with the cohorts that start before it. A NULL argument means its default; NULL history: no rows. Errors: 22023 for a day that is not positive, no day, an unknown kind or cohort, week_start outside 1 to 7 or confidence outside (0,1); 22004 for a NULL day; 22008 for an infinite date; 54000 for more than 10,000 cohorts.';
