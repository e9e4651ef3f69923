-- clv: what each customer is still worth.

CREATE FUNCTION loyalty.clv(
	h loyalty.customer_history,
	model text DEFAULT 'bg_nbd',
	as_of date DEFAULT NULL,
	unit text DEFAULT 'week',
	horizon double precision DEFAULT 52,
	discount double precision DEFAULT 0,
	margin double precision DEFAULT 1,
	observed_since date DEFAULT NULL)
RETURNS TABLE(
	customer text,
	frequency bigint,
	recency double precision,
	age double precision,
	monetary numeric,
	revenue_to_date numeric,
	p_alive double precision,
	expected_purchases double precision,
	expected_value double precision,
	clv double precision)
AS 'MODULE_PATHNAME', 'loyalty_clv'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000000 ROWS 100000;

COMMENT ON FUNCTION loyalty.clv(loyalty.customer_history, text, date, text, double precision, double precision, double precision, date) IS
'What each customer is still worth: a model of buying (''bg_nbd'', ''mbg_nbd'' or ''pareto_nbd'') and Gamma-Gamma are fitted to clv_summary(h, as_of, unit, observed_since) and asked about each of its customers, in ascending order. frequency, recency, age, monetary as there; revenue_to_date: all money up to as_of, NULL in a history without amounts; p_alive: probability not to have left by as_of, 0 to 1 (1 for every customer without a repeat purchase under BG/NBD); expected_purchases: days with a purchase after as_of, up to horizon, which is in the unit; expected_value: money of such a day; clv = margin * expected_value * expected purchases, each of these discounted by (1 + discount)^-years, a year being 365 days. discount: rate a year, 0 or more; margin: share of the money that is earned, at most 1. What is not known is NULL: everything foretold by a fit that did not converge, which a warning tells; expected_value and clv in a history without amounts, or where these do not tell it, which is warned of, and of a customer who came back for unknown amounts only. No rows for a NULL history; NULL for another argument is its default. Errors: 22023 for too few customers, no repeat purchase, customers who are all alike or were observed for no time, an unknown model or unit, horizon, discount or margin outside of these ranges; 22008 for infinite dates. clv_as gives customers in their own type.';

CREATE FUNCTION loyalty.clv_as(
	customer anyelement,
	h loyalty.customer_history,
	model text DEFAULT 'bg_nbd',
	as_of date DEFAULT NULL,
	unit text DEFAULT 'week',
	horizon double precision DEFAULT 52,
	discount double precision DEFAULT 0,
	margin double precision DEFAULT 1,
	observed_since date DEFAULT NULL)
RETURNS TABLE(
	customer anyelement,
	frequency bigint,
	recency double precision,
	age double precision,
	monetary numeric,
	revenue_to_date numeric,
	p_alive double precision,
	expected_purchases double precision,
	expected_value double precision,
	clv double precision)
AS 'MODULE_PATHNAME', 'loyalty_clv'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000000 ROWS 100000;

COMMENT ON FUNCTION loyalty.clv_as(anyelement, loyalty.customer_history, text, date, text, double precision, double precision, double precision, date) IS
'clv(h, model, as_of, unit, horizon, discount, margin, observed_since) with customers in the type of the first argument, whose value is not looked at: clv_as(null::bigint, h). A customer that is no value of this type is that type''s error (22P02, 22003).';
