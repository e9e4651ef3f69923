-- customer_summary: one row a customer.

CREATE FUNCTION loyalty.customer_summary(h loyalty.customer_history, as_of date DEFAULT NULL)
RETURNS TABLE(
	customer text,
	first_day date,
	last_day date,
	days_since_last integer,
	orders bigint,
	purchase_days bigint,
	revenue numeric,
	average_gap_days double precision)
AS 'MODULE_PATHNAME', 'loyalty_customer_summary'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 100000;

COMMENT ON FUNCTION loyalty.customer_summary(loyalty.customer_history, date) IS
'One row for every customer with a purchase up to as_of (default: last_day(h)), in ascending order. first_day, last_day: of the purchases up to as_of; days_since_last = as_of - last_day; purchase_days: days with an order; revenue: all money up to as_of, refunds of any day deducted, NULL in a history without amounts; average_gap_days = (last_day - first_day) / (purchase_days - 1), NULL with one purchase day. No rows for NULL. Errors: 22008 for an infinite as_of. customer_summary_as gives customers in their own type.';

CREATE FUNCTION loyalty.customer_summary_as(customer anyelement, h loyalty.customer_history, as_of date DEFAULT NULL)
RETURNS TABLE(
	customer anyelement,
	first_day date,
	last_day date,
	days_since_last integer,
	orders bigint,
	purchase_days bigint,
	revenue numeric,
	average_gap_days double precision)
AS 'MODULE_PATHNAME', 'loyalty_customer_summary'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 100000;

COMMENT ON FUNCTION loyalty.customer_summary_as(anyelement, loyalty.customer_history, date) IS
'customer_summary(h, as_of) with customers in the type of the first argument, whose value is not looked at: customer_summary_as(null::bigint, h). A customer that is no value of this type is that type''s error (22P02, 22003).';
