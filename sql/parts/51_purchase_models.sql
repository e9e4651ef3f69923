-- Models of buying: what customers who buy at irregular times will still buy.
--
-- A fit returns a composite that can be stored; predictions take it, or one
-- made from published parameters.

CREATE TYPE loyalty.bg_nbd AS (
	r double precision,
	alpha double precision,
	a double precision,
	b double precision,
	r_se double precision,
	alpha_se double precision,
	a_se double precision,
	b_se double precision,
	log_likelihood double precision,
	customers bigint,
	iterations integer,
	converged boolean);

COMMENT ON TYPE loyalty.bg_nbd IS
'BG/NBD: customers buy at rates ~ Gamma(r, alpha) until they leave, after each repeat purchase with a probability ~ Beta(a, b) (Fader, Hardie and Lee 2005). r, alpha: shape and rate of the distribution of purchase rates, alpha in units of time; a, b: of the probability of leaving, all positive; *_se: their standard errors, from the observed information; log_likelihood of all customers, in natural logarithms; converged: whether there is a maximum; if not, parameters and errors are NULL.';

CREATE FUNCTION loyalty.bg_nbd_model(r double precision, alpha double precision, a double precision, b double precision)
RETURNS loyalty.bg_nbd
AS 'MODULE_PATHNAME', 'loyalty_model'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION loyalty.bg_nbd_model(double precision, double precision, double precision, double precision) IS
'A BG/NBD model with given parameters, for instance published ones; the other fields are NULL. NULL for NULL. Error 22023 unless all are positive and finite.';

CREATE FUNCTION loyalty.bg_nbd_to_jsonb(model loyalty.bg_nbd)
RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_catalog.to_jsonb(model);

COMMENT ON FUNCTION loyalty.bg_nbd_to_jsonb(loyalty.bg_nbd) IS
'The fields of a model by name. NULL for NULL.';

CREATE CAST (loyalty.bg_nbd AS jsonb)
	WITH FUNCTION loyalty.bg_nbd_to_jsonb(loyalty.bg_nbd);

COMMENT ON CAST (loyalty.bg_nbd AS jsonb) IS
'the fields of a model by name';

CREATE TYPE loyalty.mbg_nbd AS (
	r double precision,
	alpha double precision,
	a double precision,
	b double precision,
	r_se double precision,
	alpha_se double precision,
	a_se double precision,
	b_se double precision,
	log_likelihood double precision,
	customers bigint,
	iterations integer,
	converged boolean);

COMMENT ON TYPE loyalty.mbg_nbd IS
'MBG/NBD: as BG/NBD, but customers may also leave after the first purchase (Batislam, Denizel and Filiztekin 2007). r, alpha: shape and rate of the distribution of purchase rates, alpha in units of time; a, b: of the probability of leaving, all positive; *_se: their standard errors, from the observed information; log_likelihood of all customers, in natural logarithms; converged: whether there is a maximum; if not, parameters and errors are NULL.';

CREATE FUNCTION loyalty.mbg_nbd_model(r double precision, alpha double precision, a double precision, b double precision)
RETURNS loyalty.mbg_nbd
AS 'MODULE_PATHNAME', 'loyalty_model'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION loyalty.mbg_nbd_model(double precision, double precision, double precision, double precision) IS
'An MBG/NBD model with given parameters, for instance published ones; the other fields are NULL. NULL for NULL. Error 22023 unless all are positive and finite.';

CREATE FUNCTION loyalty.mbg_nbd_to_jsonb(model loyalty.mbg_nbd)
RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_catalog.to_jsonb(model);

COMMENT ON FUNCTION loyalty.mbg_nbd_to_jsonb(loyalty.mbg_nbd) IS
'The fields of a model by name. NULL for NULL.';

CREATE CAST (loyalty.mbg_nbd AS jsonb)
	WITH FUNCTION loyalty.mbg_nbd_to_jsonb(loyalty.mbg_nbd);

COMMENT ON CAST (loyalty.mbg_nbd AS jsonb) IS
'the fields of a model by name';

CREATE TYPE loyalty.pareto_nbd AS (
	r double precision,
	alpha double precision,
	s double precision,
	beta double precision,
	r_se double precision,
	alpha_se double precision,
	s_se double precision,
	beta_se double precision,
	log_likelihood double precision,
	customers bigint,
	iterations integer,
	converged boolean);

COMMENT ON TYPE loyalty.pareto_nbd IS
'Pareto/NBD: customers buy at rates ~ Gamma(r, alpha) until they leave, at any time, at rates ~ Gamma(s, beta) (Schmittlein, Morrison and Colombo 1987). r, alpha: shape and rate of the distribution of purchase rates; s, beta: of rates of leaving; alpha and beta in units of time, all positive; *_se: their standard errors, from the observed information; log_likelihood of all customers, in natural logarithms; converged: whether there is a maximum; if not, parameters and errors are NULL.';

CREATE FUNCTION loyalty.pareto_nbd_model(r double precision, alpha double precision, s double precision, beta double precision)
RETURNS loyalty.pareto_nbd
AS 'MODULE_PATHNAME', 'loyalty_model'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION loyalty.pareto_nbd_model(double precision, double precision, double precision, double precision) IS
'A Pareto/NBD model with given parameters, for instance published ones; the other fields are NULL. NULL for NULL. Error 22023 unless all are positive and finite.';

CREATE FUNCTION loyalty.pareto_nbd_to_jsonb(model loyalty.pareto_nbd)
RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_catalog.to_jsonb(model);

COMMENT ON FUNCTION loyalty.pareto_nbd_to_jsonb(loyalty.pareto_nbd) IS
'The fields of a model by name. NULL for NULL.';

CREATE CAST (loyalty.pareto_nbd AS jsonb)
	WITH FUNCTION loyalty.pareto_nbd_to_jsonb(loyalty.pareto_nbd);

COMMENT ON CAST (loyalty.pareto_nbd AS jsonb) IS
'the fields of a model by name';

CREATE TYPE loyalty.bg_bb AS (
	alpha double precision,
	beta double precision,
	gamma double precision,
	delta double precision,
	alpha_se double precision,
	beta_se double precision,
	gamma_se double precision,
	delta_se double precision,
	log_likelihood double precision,
	customers bigint,
	iterations integer,
	converged boolean);

COMMENT ON TYPE loyalty.bg_bb IS
'BG/BB: customers buy at an opportunity with a probability ~ Beta(alpha, beta), and leave before it with one ~ Beta(gamma, delta) (Fader, Hardie and Shang 2010). alpha, beta: of the distribution of the probability of buying; gamma, delta: of leaving, all positive; *_se: their standard errors, from the observed information; log_likelihood of all customers, in natural logarithms; converged: whether there is a maximum; if not, parameters and errors are NULL.';

CREATE FUNCTION loyalty.bg_bb_model(alpha double precision, beta double precision, gamma double precision, delta double precision)
RETURNS loyalty.bg_bb
AS 'MODULE_PATHNAME', 'loyalty_model'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION loyalty.bg_bb_model(double precision, double precision, double precision, double precision) IS
'A BG/BB model with given parameters, for instance published ones; the other fields are NULL. NULL for NULL. Error 22023 unless all are positive and finite.';

CREATE FUNCTION loyalty.bg_bb_to_jsonb(model loyalty.bg_bb)
RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_catalog.to_jsonb(model);

COMMENT ON FUNCTION loyalty.bg_bb_to_jsonb(loyalty.bg_bb) IS
'The fields of a model by name. NULL for NULL.';

CREATE CAST (loyalty.bg_bb AS jsonb)
	WITH FUNCTION loyalty.bg_bb_to_jsonb(loyalty.bg_bb);

COMMENT ON CAST (loyalty.bg_bb AS jsonb) IS
'the fields of a model by name';

CREATE FUNCTION loyalty.bg_nbd_fit(
	h loyalty.customer_history,
	as_of date DEFAULT NULL,
	unit text DEFAULT 'week',
	observed_since date DEFAULT NULL,
	penalty double precision DEFAULT 0)
RETURNS loyalty.bg_nbd
AS 'MODULE_PATHNAME', 'loyalty_purchase_fit'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000000;

COMMENT ON FUNCTION loyalty.bg_nbd_fit(loyalty.customer_history, date, text, date, double precision) IS
'BG/NBD by maximum likelihood for the customers of clv_summary(h, as_of, unit, observed_since): read it with SELECT * FROM bg_nbd_fit(h). unit is the unit of time of the parameters and of every later prediction: ''day'', ''week'', ''month'' or ''year''. penalty: that times the squares of the parameters (those of time in units of the longest age) is taken from the mean log likelihood of a customer; 0: none. A fit without a maximum raises a warning that says what the data lack, and has no parameters. NULL for a NULL history; NULL for another argument is its default. Errors: 22023 for too few customers, no repeat purchase, customers who are all alike or were observed for no time, an unknown unit, a negative penalty; 22008 for infinite dates.';

CREATE FUNCTION loyalty.bg_nbd_fit(
	x double precision[],
	t_x double precision[],
	t double precision[],
	weight double precision[] DEFAULT NULL,
	penalty double precision DEFAULT 0)
RETURNS loyalty.bg_nbd
AS 'MODULE_PATHNAME', 'loyalty_purchase_fit_arrays'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000000;

COMMENT ON FUNCTION loyalty.bg_nbd_fit(double precision[], double precision[], double precision[], double precision[], double precision) IS
'BG/NBD by maximum likelihood for customers in arrays of the same length: as the columns frequency, recency and age of clv_summary: x purchases after the first, t_x from the first to the last, t to the end of observation, in any unit of time, which is that of the parameters; weight: how many customers an element stands for, 1 if NULL. penalty: that times the squares of the parameters (those of time in units of the longest age) is taken from the mean log likelihood of a customer; 0: none. A fit without a maximum raises a warning that says what the data lack, and has no parameters. NULL if x, t_x or t is NULL. Errors: 22023 for what no customer can have done, too few customers, no repeat purchase, customers who are all alike or were observed for no time, a negative penalty; 2202E for arrays of different lengths; 22004 for a NULL element.';

CREATE FUNCTION loyalty.mbg_nbd_fit(
	h loyalty.customer_history,
	as_of date DEFAULT NULL,
	unit text DEFAULT 'week',
	observed_since date DEFAULT NULL,
	penalty double precision DEFAULT 0)
RETURNS loyalty.mbg_nbd
AS 'MODULE_PATHNAME', 'loyalty_purchase_fit'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000000;

COMMENT ON FUNCTION loyalty.mbg_nbd_fit(loyalty.customer_history, date, text, date, double precision) IS
'MBG/NBD by maximum likelihood for the customers of clv_summary(h, as_of, unit, observed_since): read it with SELECT * FROM mbg_nbd_fit(h). unit is the unit of time of the parameters and of every later prediction: ''day'', ''week'', ''month'' or ''year''. penalty: that times the squares of the parameters (those of time in units of the longest age) is taken from the mean log likelihood of a customer; 0: none. A fit without a maximum raises a warning that says what the data lack, and has no parameters. NULL for a NULL history; NULL for another argument is its default. Errors: 22023 for too few customers, no repeat purchase, customers who are all alike or were observed for no time, an unknown unit, a negative penalty; 22008 for infinite dates.';

CREATE FUNCTION loyalty.mbg_nbd_fit(
	x double precision[],
	t_x double precision[],
	t double precision[],
	weight double precision[] DEFAULT NULL,
	penalty double precision DEFAULT 0)
RETURNS loyalty.mbg_nbd
AS 'MODULE_PATHNAME', 'loyalty_purchase_fit_arrays'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000000;

COMMENT ON FUNCTION loyalty.mbg_nbd_fit(double precision[], double precision[], double precision[], double precision[], double precision) IS
'MBG/NBD by maximum likelihood for customers in arrays of the same length: as the columns frequency, recency and age of clv_summary: x purchases after the first, t_x from the first to the last, t to the end of observation, in any unit of time, which is that of the parameters; weight: how many customers an element stands for, 1 if NULL. penalty: that times the squares of the parameters (those of time in units of the longest age) is taken from the mean log likelihood of a customer; 0: none. A fit without a maximum raises a warning that says what the data lack, and has no parameters. NULL if x, t_x or t is NULL. Errors: 22023 for what no customer can have done, too few customers, no repeat purchase, customers who are all alike or were observed for no time, a negative penalty; 2202E for arrays of different lengths; 22004 for a NULL element.';

CREATE FUNCTION loyalty.pareto_nbd_fit(
	h loyalty.customer_history,
	as_of date DEFAULT NULL,
	unit text DEFAULT 'week',
	observed_since date DEFAULT NULL,
	penalty double precision DEFAULT 0)
RETURNS loyalty.pareto_nbd
AS 'MODULE_PATHNAME', 'loyalty_purchase_fit'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000000;

COMMENT ON FUNCTION loyalty.pareto_nbd_fit(loyalty.customer_history, date, text, date, double precision) IS
'Pareto/NBD by maximum likelihood for the customers of clv_summary(h, as_of, unit, observed_since): read it with SELECT * FROM pareto_nbd_fit(h). unit is the unit of time of the parameters and of every later prediction: ''day'', ''week'', ''month'' or ''year''. penalty: that times the squares of the parameters (those of time in units of the longest age) is taken from the mean log likelihood of a customer; 0: none. A fit without a maximum raises a warning that says what the data lack, and has no parameters. NULL for a NULL history; NULL for another argument is its default. Errors: 22023 for too few customers, no repeat purchase, customers who are all alike or were observed for no time, an unknown unit, a negative penalty; 22008 for infinite dates.';

CREATE FUNCTION loyalty.pareto_nbd_fit(
	x double precision[],
	t_x double precision[],
	t double precision[],
	weight double precision[] DEFAULT NULL,
	penalty double precision DEFAULT 0)
RETURNS loyalty.pareto_nbd
AS 'MODULE_PATHNAME', 'loyalty_purchase_fit_arrays'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000000;

COMMENT ON FUNCTION loyalty.pareto_nbd_fit(double precision[], double precision[], double precision[], double precision[], double precision) IS
'Pareto/NBD by maximum likelihood for customers in arrays of the same length: as the columns frequency, recency and age of clv_summary: x purchases after the first, t_x from the first to the last, t to the end of observation, in any unit of time, which is that of the parameters; weight: how many customers an element stands for, 1 if NULL. penalty: that times the squares of the parameters (those of time in units of the longest age) is taken from the mean log likelihood of a customer; 0: none. A fit without a maximum raises a warning that says what the data lack, and has no parameters. NULL if x, t_x or t is NULL. Errors: 22023 for what no customer can have done, too few customers, no repeat purchase, customers who are all alike or were observed for no time, a negative penalty; 2202E for arrays of different lengths; 22004 for a NULL element.';

CREATE FUNCTION loyalty.bg_bb_fit(
	x double precision[],
	t_x double precision[],
	t double precision[],
	weight double precision[] DEFAULT NULL,
	penalty double precision DEFAULT 0)
RETURNS loyalty.bg_bb
AS 'MODULE_PATHNAME', 'loyalty_purchase_fit_arrays'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000000;

COMMENT ON FUNCTION loyalty.bg_bb_fit(double precision[], double precision[], double precision[], double precision[], double precision) IS
'BG/BB by maximum likelihood for customers in arrays of the same length: x purchases at t opportunities after the first one, the last at number t_x; weight: how many customers an element stands for, 1 if NULL. penalty: that times the squares of the parameters is taken from the mean log likelihood of a customer; 0: none. A fit without a maximum raises a warning that says what the data lack, and has no parameters. NULL if x, t_x or t is NULL. Errors: 22023 for what no customer can have done, too few customers, no repeat purchase, customers who are all alike or were observed for no time, a negative penalty; 2202E for arrays of different lengths; 22004 for a NULL element.';

CREATE FUNCTION loyalty.log_likelihood(model loyalty.bg_nbd, x double precision, t_x double precision, t double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_log_likelihood'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION loyalty.log_likelihood(loyalty.bg_nbd, double precision, double precision, double precision) IS
'Natural logarithm of the likelihood of a customer under BG/NBD: x purchases after the first, t_x from the first to the last, t to the end of observation, in the unit of the parameters. NULL for NULL, and for a model without parameters. Error 22023 for what no customer can have done.';

CREATE FUNCTION loyalty.log_likelihood(model loyalty.mbg_nbd, x double precision, t_x double precision, t double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_log_likelihood'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION loyalty.log_likelihood(loyalty.mbg_nbd, double precision, double precision, double precision) IS
'Natural logarithm of the likelihood of a customer under MBG/NBD: x purchases after the first, t_x from the first to the last, t to the end of observation, in the unit of the parameters. NULL for NULL, and for a model without parameters. Error 22023 for what no customer can have done.';

CREATE FUNCTION loyalty.log_likelihood(model loyalty.pareto_nbd, x double precision, t_x double precision, t double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_log_likelihood'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION loyalty.log_likelihood(loyalty.pareto_nbd, double precision, double precision, double precision) IS
'Natural logarithm of the likelihood of a customer under Pareto/NBD: x purchases after the first, t_x from the first to the last, t to the end of observation, in the unit of the parameters. NULL for NULL, and for a model without parameters. Error 22023 for what no customer can have done.';

CREATE FUNCTION loyalty.log_likelihood(model loyalty.bg_bb, x double precision, t_x double precision, t double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_log_likelihood'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION loyalty.log_likelihood(loyalty.bg_bb, double precision, double precision, double precision) IS
'Natural logarithm of the likelihood of a customer under BG/BB: x purchases at t opportunities after the first one, the last at number t_x. NULL for NULL, and for a model without parameters. Error 22023 for what no customer can have done.';

CREATE FUNCTION loyalty.p_alive(model loyalty.bg_nbd, x double precision, t_x double precision, t double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_p_alive'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION loyalty.p_alive(loyalty.bg_nbd, double precision, double precision, double precision) IS
'Probability, 0 to 1, that a customer has not left by t: x purchases after the first, t_x from the first to the last, t to the end of observation, in the unit of the parameters. It is 1 for every customer without a repeat purchase, who in this model has had no chance to leave; MBG/NBD and Pareto/NBD do not share that. NULL for NULL, and for a model without parameters. Error 22023 for what no customer can have done.';

CREATE FUNCTION loyalty.p_alive(model loyalty.mbg_nbd, x double precision, t_x double precision, t double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_p_alive'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION loyalty.p_alive(loyalty.mbg_nbd, double precision, double precision, double precision) IS
'Probability, 0 to 1, that a customer has not left by t: x purchases after the first, t_x from the first to the last, t to the end of observation, in the unit of the parameters. NULL for NULL, and for a model without parameters. Error 22023 for what no customer can have done.';

CREATE FUNCTION loyalty.p_alive(model loyalty.pareto_nbd, x double precision, t_x double precision, t double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_p_alive'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION loyalty.p_alive(loyalty.pareto_nbd, double precision, double precision, double precision) IS
'Probability, 0 to 1, that a customer has not left by t: x purchases after the first, t_x from the first to the last, t to the end of observation, in the unit of the parameters. NULL for NULL, and for a model without parameters. Error 22023 for what no customer can have done.';

CREATE FUNCTION loyalty.p_alive(model loyalty.bg_bb, x double precision, t_x double precision, t double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_p_alive'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION loyalty.p_alive(loyalty.bg_bb, double precision, double precision, double precision) IS
'Probability, 0 to 1, that a customer is alive at the opportunity after the t-th (Fader, Hardie and Shang 2010): x purchases at t opportunities after the first one, the last at number t_x. NULL for NULL, and for a model without parameters. Error 22023 for what no customer can have done.';

CREATE FUNCTION loyalty.expected_purchases(model loyalty.bg_nbd, x double precision, t_x double precision, t double precision, horizon double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_expected_purchases'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION loyalty.expected_purchases(loyalty.bg_nbd, double precision, double precision, double precision, double precision) IS
'Expected number of purchases after t, up to t + horizon, of a customer under BG/NBD: x purchases after the first, t_x from the first to the last, t to the end of observation, in the unit of the parameters; horizon, in the unit of the parameters. NULL for NULL, and for a model without parameters. Error 22023 for what no customer can have done, and for a horizon that is negative or infinite.';

CREATE FUNCTION loyalty.expected_purchases(model loyalty.mbg_nbd, x double precision, t_x double precision, t double precision, horizon double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_expected_purchases'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION loyalty.expected_purchases(loyalty.mbg_nbd, double precision, double precision, double precision, double precision) IS
'Expected number of purchases after t, up to t + horizon, of a customer under MBG/NBD: x purchases after the first, t_x from the first to the last, t to the end of observation, in the unit of the parameters; horizon, in the unit of the parameters. NULL for NULL, and for a model without parameters. Error 22023 for what no customer can have done, and for a horizon that is negative or infinite.';

CREATE FUNCTION loyalty.expected_purchases(model loyalty.pareto_nbd, x double precision, t_x double precision, t double precision, horizon double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_expected_purchases'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION loyalty.expected_purchases(loyalty.pareto_nbd, double precision, double precision, double precision, double precision) IS
'Expected number of purchases after t, up to t + horizon, of a customer under Pareto/NBD: x purchases after the first, t_x from the first to the last, t to the end of observation, in the unit of the parameters; horizon, in the unit of the parameters. NULL for NULL, and for a model without parameters. Error 22023 for what no customer can have done, and for a horizon that is negative or infinite.';

CREATE FUNCTION loyalty.expected_purchases(model loyalty.bg_bb, x double precision, t_x double precision, t double precision, horizon double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_expected_purchases'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION loyalty.expected_purchases(loyalty.bg_bb, double precision, double precision, double precision, double precision) IS
'Expected number of purchases after t, up to t + horizon, of a customer under BG/BB: x purchases at t opportunities after the first one, the last at number t_x; horizon, a number of opportunities. NULL for NULL, and for a model without parameters. Error 22023 for what no customer can have done, and for a horizon that is negative or infinite.';

CREATE FUNCTION loyalty.expected_purchases(model loyalty.bg_nbd, horizon double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_expected_purchases_of_new'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION loyalty.expected_purchases(loyalty.bg_nbd, double precision) IS
'Expected number of purchases of a new customer under BG/NBD, up to horizon, in the unit of the parameters, after the first purchase, which is not counted. NULL for NULL, and for a model without parameters. Error 22023 for a horizon that is negative or infinite.';

CREATE FUNCTION loyalty.expected_purchases(model loyalty.mbg_nbd, horizon double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_expected_purchases_of_new'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION loyalty.expected_purchases(loyalty.mbg_nbd, double precision) IS
'Expected number of purchases of a new customer under MBG/NBD, up to horizon, in the unit of the parameters, after the first purchase, which is not counted. NULL for NULL, and for a model without parameters. Error 22023 for a horizon that is negative or infinite.';

CREATE FUNCTION loyalty.expected_purchases(model loyalty.pareto_nbd, horizon double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_expected_purchases_of_new'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION loyalty.expected_purchases(loyalty.pareto_nbd, double precision) IS
'Expected number of purchases of a new customer under Pareto/NBD, up to horizon, in the unit of the parameters, after the first purchase, which is not counted. NULL for NULL, and for a model without parameters. Error 22023 for a horizon that is negative or infinite.';

CREATE FUNCTION loyalty.expected_purchases(model loyalty.bg_bb, horizon double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_expected_purchases_of_new'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION loyalty.expected_purchases(loyalty.bg_bb, double precision) IS
'Expected number of purchases of a new customer under BG/BB, up to horizon, a number of opportunities. NULL for NULL, and for a model without parameters. Error 22023 for a horizon that is negative or infinite.';

CREATE FUNCTION loyalty.purchase_probability(model loyalty.bg_nbd, n double precision, horizon double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_purchase_probability'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION loyalty.purchase_probability(loyalty.bg_nbd, double precision, double precision) IS
'Probability, 0 to 1, that a new customer makes exactly n purchases under BG/NBD, up to horizon, in the unit of the parameters, after the first purchase, which is not counted. NULL for NULL, and for a model without parameters. Error 22023 unless n is a whole number from 0 to a million, and for a horizon that is negative or infinite.';

CREATE FUNCTION loyalty.purchase_probability(model loyalty.mbg_nbd, n double precision, horizon double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_purchase_probability'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION loyalty.purchase_probability(loyalty.mbg_nbd, double precision, double precision) IS
'Probability, 0 to 1, that a new customer makes exactly n purchases under MBG/NBD, up to horizon, in the unit of the parameters, after the first purchase, which is not counted. NULL for NULL, and for a model without parameters. Error 22023 unless n is a whole number from 0 to a million, and for a horizon that is negative or infinite.';

CREATE FUNCTION loyalty.purchase_probability(model loyalty.pareto_nbd, n double precision, horizon double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_purchase_probability'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION loyalty.purchase_probability(loyalty.pareto_nbd, double precision, double precision) IS
'Probability, 0 to 1, that a new customer makes exactly n purchases under Pareto/NBD, up to horizon, in the unit of the parameters, after the first purchase, which is not counted. NULL for NULL, and for a model without parameters. Error 22023 unless n is a whole number from 0 to a million, and for a horizon that is negative or infinite.';

CREATE FUNCTION loyalty.purchase_probability(model loyalty.bg_bb, n double precision, horizon double precision)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_purchase_probability'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION loyalty.purchase_probability(loyalty.bg_bb, double precision, double precision) IS
'Probability, 0 to 1, that a new customer makes exactly n purchases under BG/BB, up to horizon, a number of opportunities. NULL for NULL, and for a model without parameters. Error 22023 unless n is a whole number from 0 to a million, and for a horizon that is negative or infinite.';

CREATE FUNCTION loyalty.discounted_expected_purchases(model loyalty.bg_nbd, x double precision, t_x double precision, t double precision, discount double precision, horizon double precision DEFAULT NULL)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_discounted_expected_purchases'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;

COMMENT ON FUNCTION loyalty.discounted_expected_purchases(loyalty.bg_nbd, double precision, double precision, double precision, double precision, double precision) IS
'Expected purchases after t of a customer under BG/NBD, each multiplied by e^(-discount * time after t) (the discounted expected residual transactions of Fader, Hardie and Lee 2005): x purchases after the first, t_x from the first to the last, t to the end of observation, in the unit of the parameters; discount: rate per unit of time, continuous; ln(1.15) / 52 for 15 percent a year in weeks; horizon, in the unit of the parameters, NULL for ever, which takes a discount of at least 0.000001. NULL for NULL, and for a model without parameters. Error 22023 for what no customer can have done, and for a discount or horizon that is negative or infinite.';

CREATE FUNCTION loyalty.discounted_expected_purchases(model loyalty.mbg_nbd, x double precision, t_x double precision, t double precision, discount double precision, horizon double precision DEFAULT NULL)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_discounted_expected_purchases'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;

COMMENT ON FUNCTION loyalty.discounted_expected_purchases(loyalty.mbg_nbd, double precision, double precision, double precision, double precision, double precision) IS
'Expected purchases after t of a customer under MBG/NBD, each multiplied by e^(-discount * time after t) (the discounted expected residual transactions of Fader, Hardie and Lee 2005): x purchases after the first, t_x from the first to the last, t to the end of observation, in the unit of the parameters; discount: rate per unit of time, continuous; ln(1.15) / 52 for 15 percent a year in weeks; horizon, in the unit of the parameters, NULL for ever, which takes a discount of at least 0.000001. NULL for NULL, and for a model without parameters. Error 22023 for what no customer can have done, and for a discount or horizon that is negative or infinite.';

CREATE FUNCTION loyalty.discounted_expected_purchases(model loyalty.pareto_nbd, x double precision, t_x double precision, t double precision, discount double precision, horizon double precision DEFAULT NULL)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_discounted_expected_purchases'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;

COMMENT ON FUNCTION loyalty.discounted_expected_purchases(loyalty.pareto_nbd, double precision, double precision, double precision, double precision, double precision) IS
'Expected purchases after t of a customer under Pareto/NBD, each multiplied by e^(-discount * time after t) (the discounted expected residual transactions of Fader, Hardie and Lee 2005): x purchases after the first, t_x from the first to the last, t to the end of observation, in the unit of the parameters; discount: rate per unit of time, continuous; ln(1.15) / 52 for 15 percent a year in weeks; horizon, in the unit of the parameters, NULL for ever, which takes a discount of at least 0.000001. NULL for NULL, and for a model without parameters. Error 22023 for what no customer can have done, and for a discount or horizon that is negative or infinite.';

CREATE FUNCTION loyalty.discounted_expected_purchases(model loyalty.bg_bb, x double precision, t_x double precision, t double precision, discount double precision, horizon double precision DEFAULT NULL)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_discounted_expected_purchases'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;

COMMENT ON FUNCTION loyalty.discounted_expected_purchases(loyalty.bg_bb, double precision, double precision, double precision, double precision, double precision) IS
'Expected purchases after t of a customer under BG/BB, each multiplied by e^(-discount * time after t) (the discounted expected residual transactions of Fader, Hardie and Lee 2005): x purchases at t opportunities after the first one, the last at number t_x; discount: rate per opportunity; horizon, a number of opportunities, NULL for ever, which takes a discount of at least 0.000001. NULL for NULL, and for a model without parameters. Error 22023 for what no customer can have done, and for a discount or horizon that is negative or infinite.';
