-- Confidence limits for totals and segments that are made outside of the
-- reports.  Counts are numeric since sum(bigint) is; integers are cast.

CREATE FUNCTION loyalty.rate_low(successes numeric, trials numeric, confidence double precision DEFAULT 0.95)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_rate_low'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

COMMENT ON FUNCTION loyalty.rate_low(numeric, numeric, double precision) IS
'Lower limit of the rate successes / trials, a fraction in [0,1]: Wilson score interval without continuity correction (Wilson 1927), two-sided at confidence. Exactly 0 at no success. NULL for 0 trials or a NULL argument. Error 22023 unless both counts are whole numbers with 0 <= successes <= trials and 0 < confidence < 1.';

CREATE FUNCTION loyalty.rate_high(successes numeric, trials numeric, confidence double precision DEFAULT 0.95)
RETURNS double precision
AS 'MODULE_PATHNAME', 'loyalty_rate_high'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

COMMENT ON FUNCTION loyalty.rate_high(numeric, numeric, double precision) IS
'Upper limit of the rate successes / trials, a fraction in [0,1]: Wilson score interval without continuity correction (Wilson 1927), two-sided at confidence. Exactly 1 when all trials succeed. NULL for 0 trials or a NULL argument. Error 22023 unless both counts are whole numbers with 0 <= successes <= trials and 0 < confidence < 1.';

CREATE FUNCTION loyalty.rate_difference(
	s1 numeric, n1 numeric, s2 numeric, n2 numeric,
	confidence double precision DEFAULT 0.95,
	OUT difference double precision,
	OUT low double precision,
	OUT high double precision,
	OUT z double precision,
	OUT p_value double precision)
AS 'MODULE_PATHNAME', 'loyalty_rate_difference'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

COMMENT ON FUNCTION loyalty.rate_difference(numeric, numeric, numeric, numeric, double precision) IS
'Difference of two independent rates, s1 / n1 - s2 / n2, in [-1,1], with its interval (Newcombe 1998, method 10, from the two Wilson intervals) and the z and two-sided p_value of the test that the rates are equal (pooled variance, no continuity correction). Call it in FROM. All columns are NULL if n1 or n2 is 0 or an argument is NULL; z and p_value also if both rates are 0 or both are 1. Error 22023 unless the counts are whole numbers with 0 <= s <= n and 0 < confidence < 1.';
