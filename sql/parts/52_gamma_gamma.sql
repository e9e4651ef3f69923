-- Gamma-Gamma: what customers spend per purchase day.

CREATE TYPE loyalty.gamma_gamma AS (
	p double precision,
	q double precision,
	gamma double precision,
	p_se double precision,
	q_se double precision,
	gamma_se double precision,
	log_likelihood double precision,
	customers bigint,
	excluded bigint,
	correlation double precision,
	iterations integer,
	converged boolean);

COMMENT ON TYPE loyalty.gamma_gamma IS
'Gamma-Gamma: the money of a purchase varies ~ Gamma(p, nu) around a mean of its customer, nu ~ Gamma(q, gamma), whatever the number of purchases (Fader and Hardie 2013). p, q, gamma: positive, gamma in the unit of the money; *_se: their standard errors, from the observed information; log_likelihood: of the means of the customers, in natural logarithms; customers: those with a repeat purchase and positive spending; excluded: the others; correlation: Pearson''s of x and monetary, which the model takes for 0; converged: whether there is a maximum; if not, parameters and errors are NULL.';

CREATE FUNCTION loyalty.gamma_gamma_model(p double precision, q double precision, gamma double precision)
RETURNS loyalty.gamma_gamma
AS 'MODULE_PATHNAME', 'loyalty_model'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION loyalty.gamma_gamma_model(double precision, double precision, double precision) IS
'A Gamma-Gamma model with given parameters, for instance published ones; the other fields are NULL. NULL for NULL. Error 22023 unless all are positive and finite.';

CREATE FUNCTION loyalty.gamma_gamma_to_jsonb(model loyalty.gamma_gamma)
RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_catalog.to_jsonb(model);

COMMENT ON FUNCTION loyalty.gamma_gamma_to_jsonb(loyalty.gamma_gamma) IS
'The fields of a model by name. NULL for NULL.';

CREATE CAST (loyalty.gamma_gamma AS jsonb)
	WITH FUNCTION loyalty.gamma_gamma_to_jsonb(loyalty.gamma_gamma);

COMMENT ON CAST (loyalty.gamma_gamma AS jsonb) IS
'the fields of a model by name';

CREATE FUNCTION loyalty.gamma_gamma_fit(
	h loyalty.customer_history,
	as_of date DEFAULT NULL,
	observed_since date DEFAULT NULL,
	penalty double precision DEFAULT 0)
RETURNS loyalty.gamma_gamma
AS 'MODULE_PATHNAME', 'loyalty_gamma_gamma_fit'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000000;

COMMENT ON FUNCTION loyalty.gamma_gamma_fit(loyalty.customer_history, date, date, double precision) IS
'Gamma-Gamma by maximum likelihood for the customers of clv_summary(h, as_of, observed_since => observed_since) with frequency >= 1 and monetary > 0; the others are counted in excluded: read it with SELECT * FROM gamma_gamma_fit(h). penalty: that times the squares of the parameters (gamma in units of the mean of monetary) is taken from the mean log likelihood of a customer; 0: none. A fit without a maximum raises a warning that says what the data lack, and has no parameters; q <= 1 is warned of, because the spending of a new customer then has no finite expectation. NULL for a NULL history; NULL for another argument is its default. Errors: 22023 for too few such customers, or if all spend the same; 22008 for infinite dates.';

CREATE FUNCTION loyalty.gamma_gamma_fit(
	x double precision[],
	monetary double precision[],
	weight double precision[] DEFAULT NULL,
	penalty double precision DEFAULT 0)
RETURNS loyalty.gamma_gamma
AS 'MODULE_PATHNAME', 'loyalty_gamma_gamma_fit_arrays'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000000;

COMMENT ON FUNCTION loyalty.gamma_gamma_fit(double precision[], double precision[], double precision[], double precision) IS
'Gamma-Gamma by maximum likelihood for customers in arrays of the same length, as the columns frequency and monetary of clv_summary: x purchases after the first, monetary the mean money of these; weight: how many customers an element stands for, 1 if NULL. Elements with x = 0, or monetary NULL, 0 or less, are counted in excluded. Everything else is as with a history. NULL if x or monetary is NULL. Errors: 22023 for x that is no whole number, monetary that is infinite or NaN, too few customers, or if all spend the same; 2202E for arrays of different lengths; 22004 for a NULL in x or weight.';

CREATE FUNCTION loyalty.expected_value(model loyalty.gamma_gamma, x double precision, monetary double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_expected_value'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;

COMMENT ON FUNCTION loyalty.expected_value(loyalty.gamma_gamma, double precision, double precision) IS
'Expected money of a future purchase of a customer with x purchases after the first, of the mean monetary: p (gamma + x * monetary) / (p x + q - 1) (Fader and Hardie 2013), between the mean of all customers and that of his own. monetary below 0 counts as 0; at x = 0 it is ignored and may be NULL. NULL where the denominator is not positive, which is q <= 1 at x = 0, for a model without parameters, and for another NULL. Error 22023 for a negative x, and infinities.';
