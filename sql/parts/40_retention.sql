-- Cohort retention by calendar period.

CREATE FUNCTION loyalty.retention(
	h loyalty.customer_history,
	period text DEFAULT 'month',
	kind text DEFAULT 'on',
	cohort text DEFAULT 'period',
	periods integer DEFAULT NULL,
	as_of date DEFAULT NULL,
	week_start integer DEFAULT 1,
	confidence double precision DEFAULT 0.95,
	observed_since date DEFAULT NULL)
RETURNS TABLE (
	cohort date,
	period_number integer,
	period_start date,
	customers bigint,
	eligible bigint,
	retained bigint,
	retained_so_far bigint,
	rate double precision,
	rate_low double precision,
	rate_high double precision,
	revenue numeric,
	revenue_rate double precision,
	cumulative_revenue numeric,
	revenue_per_customer numeric,
	complete boolean)
AS 'MODULE_PATHNAME', 'loyalty_retention'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 500;

COMMENT ON FUNCTION loyalty.retention(loyalty.customer_history, text, text, text, integer, date, integer, double precision, date) IS
'Cohort retention: one row for every cohort (customers by the period of their first purchase) and every period from then to as_of. period: day, week, month, quarter or year. kind: on = active in exactly that period, on_or_after = then or later (a lower bound), on_or_before = has come back by then, streak = active in every period up to it. cohort: period, or all for one pooled row a period_number over the cohorts whose period had ended. periods: highest period_number. as_of: last observed day, default last_day(h). week_start: 1 Monday to 7 Sunday. Rates are fractions with Wilson limits at confidence; eligible and retained count ended periods only, so sum(retained) / sum(eligible) is right over any rows; in the running period rate is NULL and retained_so_far has the count. revenue: money of exactly that period; revenue_rate: over that of period 0. observed_since: customers whose first purchase is earlier, and cohorts that begin earlier, are left out. NULL h: no rows; another NULL argument: its default. Errors: 22023, 22008, 54000 for more than 10000 periods.';
