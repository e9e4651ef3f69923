-- Models of renewing: how long the customers of a contract stay.

CREATE TYPE loyalty.shifted_beta_geometric AS (
	alpha double precision,
	beta double precision,
	alpha_se double precision,
	beta_se double precision,
	log_likelihood double precision,
	customers bigint,
	iterations integer,
	converged boolean);

COMMENT ON TYPE loyalty.shifted_beta_geometric IS
'Shifted beta-geometric (sBG): a customer leaves at each renewal with a probability of his own ~ Beta(alpha, beta) (Fader and Hardie 2007). alpha, beta: positive; *_se: their standard errors, from the observed information; log_likelihood of all customers, in natural logarithms; converged: whether there is a maximum; if not, parameters and errors are NULL.';

CREATE FUNCTION loyalty.shifted_beta_geometric_model(alpha double precision, beta double precision)
RETURNS loyalty.shifted_beta_geometric
AS 'MODULE_PATHNAME', 'loyalty_model'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION loyalty.shifted_beta_geometric_model(double precision, double precision) IS
'An sBG model with given parameters, for instance published ones; the other fields are NULL. NULL for NULL. Error 22023 unless all are positive and finite.';

CREATE FUNCTION loyalty.shifted_beta_geometric_to_jsonb(model loyalty.shifted_beta_geometric)
RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_catalog.to_jsonb(model);

COMMENT ON FUNCTION loyalty.shifted_beta_geometric_to_jsonb(loyalty.shifted_beta_geometric) IS
'The fields of a model by name. NULL for NULL.';

CREATE CAST (loyalty.shifted_beta_geometric AS jsonb)
	WITH FUNCTION loyalty.shifted_beta_geometric_to_jsonb(loyalty.shifted_beta_geometric);

COMMENT ON CAST (loyalty.shifted_beta_geometric AS jsonb) IS
'the fields of a model by name';

CREATE FUNCTION loyalty.shifted_beta_geometric_fit(survivors double precision[], penalty double precision DEFAULT 0)
RETURNS loyalty.shifted_beta_geometric
AS 'MODULE_PATHNAME', 'loyalty_renewal_fit_survivors'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000000;

COMMENT ON FUNCTION loyalty.shifted_beta_geometric_fit(double precision[], double precision) IS
'Shifted beta-geometric (sBG) by maximum likelihood for one cohort: survivors are the customers at the start, then those still there after each renewal: read it with SELECT * FROM shifted_beta_geometric_fit(survivors). penalty: that times the squares of the parameters is taken from the mean log likelihood of a customer; 0: none. A fit without a maximum raises a warning that says what the data lack, and has no parameters. NULL for NULL survivors. Errors: 22023 if survivors rise or are no whole numbers, if nobody has left, or if there are fewer renewals than parameters; 22004 for a NULL element.';

CREATE FUNCTION loyalty.shifted_beta_geometric_fit(
	periods double precision[],
	churned boolean[],
	weight double precision[] DEFAULT NULL,
	penalty double precision DEFAULT 0)
RETURNS loyalty.shifted_beta_geometric
AS 'MODULE_PATHNAME', 'loyalty_renewal_fit_arrays'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000000;

COMMENT ON FUNCTION loyalty.shifted_beta_geometric_fit(double precision[], boolean[], double precision[], double precision) IS
'Shifted beta-geometric (sBG) by maximum likelihood for customers in arrays of the same length, of any number of cohorts: where churned, the customer left at the periods-th renewal, from 1 on; else he has renewed that often so far, from 0 on; weight: how many customers an element stands for, 1 if NULL. Everything else is as with survivors. NULL if periods or churned is NULL. Errors: 22023 for periods that are no such number, if nobody has left, or if there are fewer renewals than parameters; 2202E for arrays of different lengths; 22004 for a NULL element.';

CREATE FUNCTION loyalty.survival(model loyalty.shifted_beta_geometric, age double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_survival'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION loyalty.survival(loyalty.shifted_beta_geometric, double precision) IS
'Share of new customers, 0 to 1, who renew at least age times: S(age); 1 at 0. NULL for NULL, and for a model without parameters. Error 22023 unless age is a whole number from 0 on.';

CREATE FUNCTION loyalty.retention_rate(model loyalty.shifted_beta_geometric, age double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_retention_rate'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION loyalty.retention_rate(loyalty.shifted_beta_geometric, double precision) IS
'Share, 0 to 1, of the customers still there who renew for the age-th time: S(age) / S(age - 1). NULL for NULL, and for a model without parameters. Error 22023 unless age is a whole number from 1 on.';

CREATE FUNCTION loyalty.expected_lifetime(model loyalty.shifted_beta_geometric, discount double precision DEFAULT 0)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_expected_lifetime'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION loyalty.expected_lifetime(loyalty.shifted_beta_geometric, double precision) IS
'Expected number of periods that a new customer stays and pays for, the first included, each discounted: the sum over t >= 0 of S(t) / (1 + discount)^t (Fader and Hardie 2010). discount: rate per period, 0 or more. NULL where the sum has no limit, which is alpha <= 1 without a discount, for a model without parameters, and for NULL. Error 22023 for a negative discount.';

CREATE FUNCTION loyalty.residual_value(
	model loyalty.shifted_beta_geometric,
	age double precision,
	amount double precision,
	discount double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_residual_value'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION loyalty.residual_value(loyalty.shifted_beta_geometric, double precision, double precision, double precision) IS
'What a customer who has renewed age times is still worth, just before the next renewal: amount * the sum over t >= 1 of S(age + t) / S(age) / (1 + discount)^(t - 1), the discounted expected residual lifetime of Fader and Hardie 2010 times the money of a renewal. Add it up over the customers of a base. discount: rate per period, 0 or more. NULL where the sum has no limit, which is alpha <= 1 without a discount, for a model without parameters, and for NULL. Error 22023 unless age is a whole number from 0 on, amount finite, discount not negative.';

CREATE TYPE loyalty.beta_discrete_weibull AS (
	alpha double precision,
	beta double precision,
	c double precision,
	alpha_se double precision,
	beta_se double precision,
	c_se double precision,
	log_likelihood double precision,
	customers bigint,
	iterations integer,
	converged boolean);

COMMENT ON TYPE loyalty.beta_discrete_weibull IS
'Beta-discrete-Weibull (BdW): the shifted beta-geometric with age^c in place of the age, so that a customer may become more likely to leave, c > 1, or less, c < 1 (Fader, Hardie, Liu, Davin and Steenburgh 2018). alpha, beta, c: positive; *_se: their standard errors, from the observed information; log_likelihood of all customers, in natural logarithms; converged: whether there is a maximum; if not, parameters and errors are NULL.';

CREATE FUNCTION loyalty.beta_discrete_weibull_model(alpha double precision, beta double precision, c double precision)
RETURNS loyalty.beta_discrete_weibull
AS 'MODULE_PATHNAME', 'loyalty_model'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION loyalty.beta_discrete_weibull_model(double precision, double precision, double precision) IS
'A BdW model with given parameters, for instance published ones; the other fields are NULL. NULL for NULL. Error 22023 unless all are positive and finite.';

CREATE FUNCTION loyalty.beta_discrete_weibull_to_jsonb(model loyalty.beta_discrete_weibull)
RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_catalog.to_jsonb(model);

COMMENT ON FUNCTION loyalty.beta_discrete_weibull_to_jsonb(loyalty.beta_discrete_weibull) IS
'The fields of a model by name. NULL for NULL.';

CREATE CAST (loyalty.beta_discrete_weibull AS jsonb)
	WITH FUNCTION loyalty.beta_discrete_weibull_to_jsonb(loyalty.beta_discrete_weibull);

COMMENT ON CAST (loyalty.beta_discrete_weibull AS jsonb) IS
'the fields of a model by name';

CREATE FUNCTION loyalty.beta_discrete_weibull_fit(survivors double precision[], penalty double precision DEFAULT 0)
RETURNS loyalty.beta_discrete_weibull
AS 'MODULE_PATHNAME', 'loyalty_renewal_fit_survivors'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000000;

COMMENT ON FUNCTION loyalty.beta_discrete_weibull_fit(double precision[], double precision) IS
'Beta-discrete-Weibull (BdW) by maximum likelihood for one cohort: survivors are the customers at the start, then those still there after each renewal: read it with SELECT * FROM beta_discrete_weibull_fit(survivors). penalty: that times the squares of the parameters is taken from the mean log likelihood of a customer; 0: none. A fit without a maximum raises a warning that says what the data lack, and has no parameters. NULL for NULL survivors. Errors: 22023 if survivors rise or are no whole numbers, if nobody has left, or if there are fewer renewals than parameters; 22004 for a NULL element.';

CREATE FUNCTION loyalty.beta_discrete_weibull_fit(
	periods double precision[],
	churned boolean[],
	weight double precision[] DEFAULT NULL,
	penalty double precision DEFAULT 0)
RETURNS loyalty.beta_discrete_weibull
AS 'MODULE_PATHNAME', 'loyalty_renewal_fit_arrays'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000000;

COMMENT ON FUNCTION loyalty.beta_discrete_weibull_fit(double precision[], boolean[], double precision[], double precision) IS
'Beta-discrete-Weibull (BdW) by maximum likelihood for customers in arrays of the same length, of any number of cohorts: where churned, the customer left at the periods-th renewal, from 1 on; else he has renewed that often so far, from 0 on; weight: how many customers an element stands for, 1 if NULL. Everything else is as with survivors. NULL if periods or churned is NULL. Errors: 22023 for periods that are no such number, if nobody has left, or if there are fewer renewals than parameters; 2202E for arrays of different lengths; 22004 for a NULL element.';

CREATE FUNCTION loyalty.survival(model loyalty.beta_discrete_weibull, age double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_survival'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION loyalty.survival(loyalty.beta_discrete_weibull, double precision) IS
'Share of new customers, 0 to 1, who renew at least age times: S(age); 1 at 0. NULL for NULL, and for a model without parameters. Error 22023 unless age is a whole number from 0 on.';

CREATE FUNCTION loyalty.retention_rate(model loyalty.beta_discrete_weibull, age double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_retention_rate'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION loyalty.retention_rate(loyalty.beta_discrete_weibull, double precision) IS
'Share, 0 to 1, of the customers still there who renew for the age-th time: S(age) / S(age - 1). NULL for NULL, and for a model without parameters. Error 22023 unless age is a whole number from 1 on.';

CREATE FUNCTION loyalty.expected_lifetime(model loyalty.beta_discrete_weibull, discount double precision DEFAULT 0)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_expected_lifetime'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION loyalty.expected_lifetime(loyalty.beta_discrete_weibull, double precision) IS
'Expected number of periods that a new customer stays and pays for, the first included, each discounted: the sum over t >= 0 of S(t) / (1 + discount)^t (Fader and Hardie 2010). discount: rate per period, 0 or more. NULL where the sum has no limit, which is alpha * c <= 1 without a discount, for a model without parameters, and for NULL. Error 22023 for a negative discount.';

CREATE FUNCTION loyalty.residual_value(
	model loyalty.beta_discrete_weibull,
	age double precision,
	amount double precision,
	discount double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_residual_value'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION loyalty.residual_value(loyalty.beta_discrete_weibull, double precision, double precision, double precision) IS
'What a customer who has renewed age times is still worth, just before the next renewal: amount * the sum over t >= 1 of S(age + t) / S(age) / (1 + discount)^(t - 1), the discounted expected residual lifetime of Fader and Hardie 2010 times the money of a renewal. Add it up over the customers of a base. discount: rate per period, 0 or more. NULL where the sum has no limit, which is alpha * c <= 1 without a discount, for a model without parameters, and for NULL. Error 22023 unless age is a whole number from 0 on, amount finite, discount not negative.';
