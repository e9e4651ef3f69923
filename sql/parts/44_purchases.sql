-- Orders, baskets and returning customers of every period.

CREATE FUNCTION loyalty.purchases(
	h loyalty.customer_history,
	period text DEFAULT 'month',
	as_of date DEFAULT NULL,
	week_start integer DEFAULT 1,
	observed_since date DEFAULT NULL)
RETURNS TABLE (
	period_start date,
	customers bigint,
	orders bigint,
	revenue numeric,
	average_basket numeric,
	orders_per_customer double precision,
	spend_per_customer numeric,
	repeat_customers bigint,
	repeat_rate double precision,
	returning_customers bigint,
	returning_revenue numeric,
	first_basket numeric,
	repeat_basket numeric,
	first_basket_of_repeaters numeric,
	complete boolean)
AS 'MODULE_PATHNAME', 'loyalty_purchases'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 50;

COMMENT ON FUNCTION loyalty.purchases(loyalty.customer_history, text, date, integer, date) IS
'Orders and baskets, one row for every period (day, week, month, quarter, year) from that of the first purchase to that of as_of, also without orders; period ''all'': one row, period_start NULL. customers: with an order in the period. revenue: money of the period, exact and net of refunds, of all who have a purchase up to as_of. A basket is money / orders of known amount: average_basket of the whole period, first_basket of first purchase days, repeat_basket of days after them, first_basket_of_repeaters of the first purchase days of those who have come back on a later day by as_of, with which repeat_basket is fairly compared. orders_per_customer = orders / customers, spend_per_customer = revenue / customers. repeat_rate, a fraction in [0,1] = repeat_customers, who have more than one order in the period (also on one day) / customers. returning_customers and returning_revenue: of those whose first purchase day is before the period. NULL: ratios with a denominator of 0; repeat_rate while complete is false; money in a history without amounts. Compared histories need one as_of (default: last day of the history). With observed_since, rows begin with the first period that starts on or after it; ''all'' is the period from observed_since to as_of then, and counts as complete. No rows for NULL, or without a purchase up to as_of; NULL for another argument is its default. Error 22023 for an unknown period or a week_start other than 1 (Monday) to 7, 22008 for infinite dates, 54000 for more than 10,000 periods, 22003 for money beyond 128 bits.';
