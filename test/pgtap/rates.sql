-- rate_low, rate_high and rate_difference against published figures, closed
-- forms and the properties that the intervals have.

BEGIN;
SELECT plan(52);

-- near(got, wanted, tolerance, name): NULL is near nothing
CREATE FUNCTION pg_temp.near(got float8, wanted float8, tolerance float8, name text)
RETURNS text
LANGUAGE sql AS $$
	SELECT public.ok(coalesce(abs(got - wanted) <= tolerance, false),
					 format('%s: %s', name, wanted))
		|| CASE WHEN coalesce(abs(got - wanted) <= tolerance, false) THEN ''
		   ELSE E'\n' || public.diag(format('got %s', got)) END
$$;

-- Newcombe 1998, Two-sided confidence intervals for the single proportion, table I
SELECT pg_temp.near(loyalty.rate_low(81, 263), 0.2553, 5e-5, 'low of 81 of 263');
SELECT pg_temp.near(loyalty.rate_high(81, 263), 0.3662, 5e-5, 'high of 81 of 263');
SELECT pg_temp.near(loyalty.rate_low(15, 148), 0.0624, 5e-5, 'low of 15 of 148');
SELECT pg_temp.near(loyalty.rate_high(15, 148), 0.1605, 5e-5, 'high of 15 of 148');
SELECT pg_temp.near(loyalty.rate_low(0, 20), 0, 0, 'low of 0 of 20');
SELECT pg_temp.near(loyalty.rate_high(0, 20), 0.1611, 5e-5, 'high of 0 of 20');
SELECT pg_temp.near(loyalty.rate_low(1, 29), 0.0061, 5e-5, 'low of 1 of 29');
SELECT pg_temp.near(loyalty.rate_high(1, 29), 0.1718, 5e-5, 'high of 1 of 29');

-- every count up to 40, at three confidences
CREATE TEMP TABLE limits AS
SELECT s, n, confidence, z, s::float8 / n AS rate,
	   loyalty.rate_low(s, n, confidence) AS low,
	   loyalty.rate_high(s, n, confidence) AS high
FROM generate_series(1, 40) AS n,
	 generate_series(0, n) AS s,
	 (VALUES (0.5::float8, 0.674489750196081743::float8),
			 (0.95, 1.959963984540054),
			 (0.999, 3.290526731491926)) AS c(confidence, z);

SELECT is_empty($$
	SELECT * FROM limits
	WHERE abs(low - greatest(0, (rate + z * z / (2 * n) - z * sqrt(rate * (1 - rate) / n + z * z / (4.0 * n * n))) / (1 + z * z / n))) > 1e-14
	   OR abs(high - least(1, (rate + z * z / (2 * n) + z * sqrt(rate * (1 - rate) / n + z * z / (4.0 * n * n))) / (1 + z * z / n))) > 1e-14
	$$, 'the closed form of Wilson''s limits');
SELECT is_empty($$ SELECT * FROM limits WHERE NOT (low <= rate AND rate <= high) OR low < 0 OR high > 1 $$,
				'0 <= low <= rate <= high <= 1');
SELECT is_empty($$ SELECT * FROM limits WHERE (low = 0) <> (s = 0) OR (high = 1) <> (s = n) $$,
				'a limit is exactly 0 for no success, exactly 1 for all, and only there');
SELECT is_empty($$
	SELECT * FROM limits AS a JOIN limits AS b USING (n, confidence)
	WHERE b.s = a.s + 1 AND NOT (a.low < b.low AND a.high < b.high) $$,
				'more successes, higher limits');
SELECT is_empty($$
	SELECT * FROM limits AS a JOIN limits AS b USING (n, s)
	WHERE a.confidence < b.confidence AND NOT (b.high - b.low > a.high - a.low) $$,
				'more confidence, wider interval');
SELECT is_empty($$
	SELECT * FROM limits AS a JOIN limits AS b USING (n, confidence)
	WHERE b.s = n - a.s AND abs(a.low - (1 - b.high)) > 1e-15 $$,
				'failures mirror successes');
SELECT is_empty($$
	SELECT * FROM limits AS a JOIN limits AS b USING (s, confidence)
	WHERE b.n = a.n + 1 AND NOT (b.high < a.high AND (b.low < a.low OR s = 0)) $$,
				'more trials, lower limits');

SELECT is(loyalty.rate_low(1, 9), loyalty.rate_low(1, 9, 0.95), 'confidence is 0.95 by default');
SELECT is(loyalty.rate_high(confidence => 0.9, trials => 9, successes => 1), loyalty.rate_high(1, 9, 0.9),
		  'arguments by name');
SELECT pg_temp.near(loyalty.rate_high(0, 4611686018427387904), 3.841458820694124 / 4611686018427387904, 1e-32, 'high of 0 of 2^62');
SELECT pg_temp.near(loyalty.rate_low(9223372036854775807, 9223372036854775807), 1, 1e-15, 'low of all of 2^63 - 1');
SELECT ok(loyalty.rate_low(3, 7, 0.9999999999999999) > 0 AND loyalty.rate_high(3, 7, 0.9999999999999999) < 1,
		  'a confidence of nearly 1');
SELECT pg_temp.near(loyalty.rate_high(3, 7, 1e-300), 3 / 7.0::float8, 1e-15, 'high at a confidence of nearly 0');

-- types of counts
SELECT is(loyalty.rate_low(2::smallint, 9::bigint), loyalty.rate_low(2, 9), 'counts of different integer types');
SELECT is((SELECT loyalty.rate_low(sum(retained), sum(eligible)) FROM (VALUES (1::bigint, 4::bigint), (1, 5)) AS r(retained, eligible)),
		  loyalty.rate_low(2, 9), 'totals, which are numeric');
SELECT is(loyalty.rate_low(2.00, 9.0), loyalty.rate_low(2, 9), 'numeric without a fraction');

-- NULL
SELECT ok(loyalty.rate_low(0, 0) IS NULL AND loyalty.rate_high(0, 0) IS NULL, 'NULL for 0 trials');
SELECT ok(loyalty.rate_low(NULL, 1) IS NULL AND loyalty.rate_high(1, NULL) IS NULL AND loyalty.rate_low(0, 1, NULL) IS NULL,
		  'NULL for NULL');

-- errors
SELECT throws_ok('SELECT loyalty.rate_low(-1, 10)', '22023',
				 'successes is -1, but must be a whole number from 0 to trials, 10', 'successes below 0');
SELECT throws_ok('SELECT loyalty.rate_high(11, 10)', '22023',
				 'successes is 11, but must be a whole number from 0 to trials, 10', 'successes above trials');
SELECT throws_ok('SELECT loyalty.rate_low(1, 0)', '22023',
				 'successes is 1, but must be a whole number from 0 to trials, 0', 'successes above 0 trials');
SELECT throws_ok('SELECT loyalty.rate_low(0, -3)', '22023',
				 'trials is -3, but must be a whole number from 0 to 9223372036854775807', 'trials below 0');
SELECT throws_ok('SELECT loyalty.rate_low(1.5, 3)', '22023',
				 'successes is 1.5, but must be a whole number from 0 to trials, 3', 'a fraction');
SELECT throws_ok($$SELECT loyalty.rate_low('NaN', 3)$$, '22023',
				 'successes is NaN, but must be a whole number from 0 to trials, 3', 'NaN');
SELECT throws_ok($$SELECT loyalty.rate_high(0, 'Infinity')$$, '22023',
				 'trials is Infinity, but must be a whole number from 0 to 9223372036854775807', 'infinity');
SELECT throws_ok('SELECT loyalty.rate_high(0, 9223372036854775808)', '22023',
				 'trials is 9223372036854775808, but must be a whole number from 0 to 9223372036854775807', 'more than a bigint');
SELECT throws_ok(format('SELECT loyalty.%s, %L)', call, confidence), '22023',
				 format('confidence is %s, but must be greater than 0 and less than 1', confidence),
				 format('%s with confidence %s', call, confidence))
FROM (VALUES ('rate_low(1, 2'), ('rate_difference(1, 2, 1, 2')) AS f(call),
	 unnest('{0,1,-0.5,95,NaN,Infinity}'::text[]) WITH ORDINALITY AS c(confidence, n)
WHERE n IN (1, 4) OR call LIKE 'rate_low%' AND n <> 6;

-- the difference of two rates: Newcombe 1998, Interval estimation for the
-- difference between independent proportions, method 10, table II
SELECT is(count(*), 8::bigint, 'Newcombe''s eight differences')
FROM (VALUES (56, 70, 48, 80, 0.2, 0.0524, 0.3339),
			 (9, 10, 3, 10, 0.6, 0.1705, 0.8090),
			 (6, 7, 2, 7, 0.5714, 0.0582, 0.8062),
			 (5, 56, 0, 29, 0.0893, -0.0381, 0.1926),
			 (0, 10, 0, 20, 0, -0.1611, 0.2775),
			 (0, 10, 0, 10, 0, -0.2775, 0.2775),
			 (10, 10, 0, 20, 1, 0.6791, 1),
			 (10, 10, 0, 10, 1, 0.6075, 1)) AS p(s1, n1, s2, n2, difference, low, high),
	 loyalty.rate_difference(s1, n1, s2, n2) AS d
WHERE greatest(abs(d.difference - p.difference), abs(d.low - p.low), abs(d.high - p.high)) < 5.1e-5;

-- z is that of the pooled test, by its formula
SELECT pg_temp.near(z, 0.2 / sqrt(104 / 150.0 * 46 / 150.0 * (1 / 70.0 + 1 / 80.0)), 1e-13, 'pooled z')
FROM loyalty.rate_difference(56, 70, 48, 80);
SELECT pg_temp.near(p_value, 0.05, 1e-4, 'p of a z of 1.96')
FROM loyalty.rate_difference(10196, 20000, 10000, 20000);
SELECT is_empty($$
	SELECT * FROM limits AS a
	JOIN limits AS b ON a.n % 7 = 3 AND b.n % 5 = 2 AND a.confidence = b.confidence AND b.s <= 6,
		 loyalty.rate_difference(a.s, a.n, b.s, b.n, a.confidence) AS d,
		 loyalty.rate_difference(b.s, b.n, a.s, a.n, a.confidence) AS e
	WHERE abs(d.difference - (a.rate - b.rate)) > 1e-15
	   OR abs(d.low - (a.rate - b.rate - sqrt((a.rate - a.low) ^ 2 + (b.high - b.rate) ^ 2))) > 1e-14
	   OR abs(d.high - (a.rate - b.rate + sqrt((a.high - a.rate) ^ 2 + (b.rate - b.low) ^ 2))) > 1e-14
	   OR d.low < -1 OR d.high > 1
	   OR abs(d.low + e.high) > 1e-15 OR abs(d.z + e.z) > 1e-15 OR d.p_value <> e.p_value
	   OR (d.z IS NULL) <> (a.s + b.s IN (0, a.n + b.n))
	   OR (d.p_value IS NULL) <> (d.z IS NULL)
	$$, 'the difference from the limits of its rates, and swapped');
SELECT is(d::text, '(0,' || -loyalty.rate_high(0, 20) || ',' || loyalty.rate_high(0, 10) || ',,)',
		  'z and p are NULL where both rates are 0')
FROM loyalty.rate_difference(0, 10, 0, 20) AS d;
SELECT ok(z IS NULL AND p_value IS NULL AND difference = 0, 'and where both are 1')
FROM loyalty.rate_difference(10, 10, 20, 20);
SELECT ok(z = 0 AND p_value = 1 AND difference = 0, 'equal rates')
FROM loyalty.rate_difference(1, 3, 333333333333, 999999999999);
SELECT is(array_agg(d::text), '{"(,,,,)","(,,,,)"}', 'NULLs where one has no trials')
FROM (VALUES (0, 0, 1, 2), (1, 2, 0, 0)) AS c(s1, n1, s2, n2), loyalty.rate_difference(s1, n1, s2, n2) AS d;
SELECT is((d).z, NULL, 'NULL for NULL') FROM loyalty.rate_difference(NULL, 1, 1, 2) AS d;
SELECT throws_ok('SELECT loyalty.rate_difference(1, 2, 4, 3)', '22023',
				 's2 is 4, but must be a whole number from 0 to n2, 3', 'second successes above trials');
SELECT throws_ok('SELECT loyalty.rate_difference(3, 2, 4, 3)', '22023',
				 's1 is 3, but must be a whole number from 0 to n1, 2', 'first successes above trials');

SELECT * FROM finish();
ROLLBACK;
