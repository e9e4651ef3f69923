-- Lifetime value from averages: the formulas of textbooks.

CREATE FUNCTION loyalty.simple_clv(
	average_basket double precision,
	frequency double precision,
	lifetime double precision,
	margin double precision DEFAULT 1)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_simple_clv'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION loyalty.simple_clv(double precision, double precision, double precision, double precision) IS
'Lifetime value of the average customer, in the unit of the basket: average_basket * frequency * lifetime * margin, the textbook formula, undiscounted. average_basket: money of an order; frequency: orders in a period, 0 or more; lifetime: how many such periods, 0 or more; margin: share of the basket that is earned, at most 1, below 0 for a loss; 1 gives the value in revenue. NULL for NULL. Errors: 22023 outside of these ranges, for NaN and infinities; 22003 if the product overflows or underflows.';

CREATE FUNCTION loyalty.customer_lifetime(churn_rate double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_customer_lifetime'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION loyalty.customer_lifetime(double precision) IS
'Expected lifetime of a customer, in periods of the churn rate, the first included: 1 / churn_rate, the mean of a geometric distribution, so of customers who leave at the same rate at any age. churn_rate: fraction of customers lost in a period, from 0 to 1. NULL at 0, where no end is in sight, and for NULL. Errors: 22023 outside of [0,1] and for NaN; 22003 if the quotient overflows.';

CREATE FUNCTION loyalty.clv_before_acquisition(margin double precision, retention double precision, discount double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_clv_before_acquisition'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION loyalty.clv_before_acquisition(double precision, double precision, double precision) IS
'Present value of a customer not yet acquired, whose first margin comes at once and for certain, every later one at the start of a period if the customer is still there: margin * (1 + discount) / (1 + discount - retention), the sum over t >= 0 of margin * (retention / (1 + discount))^t (Fader and Hardie 2012, Reconciling and Clarifying CLV Formulas). What may be paid for acquisition. margin: money of a period, may be negative; retention: fraction kept from a period to the next, from 0 to 1; discount: rate of a period, 0 or more. NULL at retention 1 and discount 0, where the sum has no end, and for NULL. Errors: 22023 outside of these ranges, for NaN and infinities; 22003 on overflow or underflow.';

CREATE FUNCTION loyalty.clv_residual(margin double precision, retention double precision, discount double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_clv_residual'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION loyalty.clv_residual(double precision, double precision, double precision) IS
'Present value of what is still to come from a customer who has just paid for the running period: margin * retention / (1 + discount - retention), the sum over t >= 1 of margin * (retention / (1 + discount))^t = clv_before_acquisition - margin (Fader and Hardie 2012, Reconciling and Clarifying CLV Formulas). What keeping the customer is worth. margin: money of a period, may be negative; retention: fraction kept from a period to the next, from 0 to 1; discount: rate of a period, 0 or more. NULL at retention 1 and discount 0, where the sum has no end, and for NULL. Errors: 22023 outside of these ranges, for NaN and infinities; 22003 on overflow or underflow.';

CREATE FUNCTION loyalty.clv_end_of_period(margin double precision, retention double precision, discount double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_clv_end_of_period'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION loyalty.clv_end_of_period(double precision, double precision, double precision) IS
'Present value of a customer whose margins come at the end of each period, the first of them for certain: margin / (1 + discount - retention), the sum over t >= 1 of margin * retention^(t - 1) / (1 + discount)^t = clv_before_acquisition / (1 + discount) (Fader and Hardie 2012, Reconciling and Clarifying CLV Formulas). margin: money of a period, may be negative; retention: fraction kept from a period to the next, from 0 to 1; discount: rate of a period, 0 or more. NULL at retention 1 and discount 0, where the sum has no end, and for NULL. Errors: 22023 outside of these ranges, for NaN and infinities; 22003 on overflow or underflow.';
