-- Customers and money won, kept and lost from period to period.

CREATE FUNCTION loyalty.growth(
	h loyalty.customer_history,
	period text DEFAULT 'month',
	as_of date DEFAULT NULL,
	week_start integer DEFAULT 1,
	lapse integer DEFAULT 1,
	observed_since date DEFAULT NULL)
RETURNS TABLE (
	period_start date,
	previous_customers bigint,
	active_customers bigint,
	new_customers bigint,
	retained_customers bigint,
	resurrected_customers bigint,
	churned_customers bigint,
	retention_rate double precision,
	churn_rate double precision,
	quick_ratio double precision,
	lifetime_periods double precision,
	previous_revenue numeric,
	revenue numeric,
	revenue_new numeric,
	revenue_expansion numeric,
	revenue_contraction numeric,
	revenue_churned numeric,
	revenue_resurrected numeric,
	gross_revenue_retention double precision,
	net_revenue_retention double precision,
	complete boolean)
AS 'MODULE_PATHNAME', 'loyalty_growth'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 50;

COMMENT ON FUNCTION loyalty.growth(loyalty.customer_history, text, date, integer, integer, date) IS
'Customers and money won, kept and lost, one row for every period (day, week, month, quarter, year) from that of the first purchase to that of as_of, also without orders. A customer is active with a purchase day in the period or in the lapse - 1 periods before it. active = new + retained + resurrected; churned = previous - retained; retention_rate = retained / previous and churn_rate = churned / previous, fractions in [0,1]; quick_ratio = (new + resurrected) / churned; lifetime_periods = 1 / churn_rate, in periods: meaningful for subscriptions, or with a lapse as long as the buying cycle. Money is exact and net of refunds; what a customer brings more than in the period before is booked once: as revenue_new (first purchase here), revenue_resurrected (active, but not before), else revenue_expansion; what it brings less as revenue_churned (active before, but no longer), else revenue_contraction; hence revenue - previous_revenue = new + expansion + resurrected - contraction - churned. gross_revenue_retention = 1 - (contraction + churned) / previous_revenue, net_revenue_retention = that + expansion / previous_revenue. NULL: ratios with a denominator of 0, or of revenue that is not positive; previous_* in the first row of the data; churned_customers, revenue_contraction, revenue_churned and all ratios while complete is false; money in a history without amounts. Compared histories need one as_of (default: last day of the history). With observed_since, rows begin with the first period that starts on or after it, and whoever purchased before is not new. No rows for NULL, or without a purchase up to as_of; NULL for another argument is its default. Error 22023 for an unknown period, a week_start other than 1 (Monday) to 7 or a lapse below 1, 22008 for infinite dates, 54000 for more than 10,000 periods, 22003 for money beyond 128 bits.';
