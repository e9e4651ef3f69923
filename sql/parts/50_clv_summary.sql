-- clv_summary: the data of the lifetime-value models, one row a customer.

CREATE FUNCTION loyalty.clv_summary(
	h loyalty.customer_history,
	as_of date DEFAULT NULL,
	unit text DEFAULT 'week',
	observed_since date DEFAULT NULL)
RETURNS TABLE(
	customer text,
	frequency bigint,
	recency double precision,
	age double precision,
	monetary numeric)
AS 'MODULE_PATHNAME', 'loyalty_clv_summary'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 100000;

COMMENT ON FUNCTION loyalty.clv_summary(loyalty.customer_history, date, text, date) IS
'What lifetime-value models are fitted to (Fader, Hardie and Lee 2005), one row for every customer with a purchase up to as_of (default: last_day(h)), the end of the calibration, in ascending order. frequency, x: purchase days after the first; several orders of a day are one purchase. recency, t_x = last - first purchase day, and age, T = as_of - first purchase day, in units of time: ''day'', ''week'' (7 days), ''month'' (365/12 days) or ''year'' (365 days), fractions kept; 0 <= recency <= age, and recency is 0 without a later purchase, unlike the days since the last one. monetary: mean money of the later purchase days, refunds of these days deducted, days without a known amount left out; NULL without such a day, at frequency 0, and in a history without amounts. Customers whose first purchase day is before observed_since are left out. No rows for NULL; NULL for another argument is its default. Errors: 22023 for an unknown unit, 22008 for infinite dates, 22003 for money beyond 128 bits. clv_summary_as gives customers in their own type.';

CREATE FUNCTION loyalty.clv_summary_as(
	customer anyelement,
	h loyalty.customer_history,
	as_of date DEFAULT NULL,
	unit text DEFAULT 'week',
	observed_since date DEFAULT NULL)
RETURNS TABLE(
	customer anyelement,
	frequency bigint,
	recency double precision,
	age double precision,
	monetary numeric)
AS 'MODULE_PATHNAME', 'loyalty_clv_summary'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 100000;

COMMENT ON FUNCTION loyalty.clv_summary_as(anyelement, loyalty.customer_history, date, text, date) IS
'clv_summary(h, as_of, unit, observed_since) with customers in the type of the first argument, whose value is not looked at: clv_summary_as(null::bigint, h). A customer that is no value of this type is that type''s error (22P02, 22003).';
