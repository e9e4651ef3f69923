-- The simple formulas of lifetime value against published figures, the sums
-- that they stand for, and each other.

BEGIN;
SELECT plan(101);

-- near(got, wanted, name): to the last digits of double precision; NULL is near nothing
CREATE FUNCTION pg_temp.near(got float8, wanted float8, name text) RETURNS text
LANGUAGE sql AS $$
	SELECT public.ok(coalesce(abs(got - wanted) <= 1e-14 * abs(wanted), false), name || ': ' || wanted)
		|| CASE WHEN coalesce(abs(got - wanted) <= 1e-14 * abs(wanted), false) THEN '' ELSE E'\n' || public.diag('got ' || coalesce(got::text, 'NULL')) END
$$;

-- ---------- margin, retention, discount ----------

SELECT pg_temp.near(loyalty.clv_before_acquisition(100, 0.8, 0.12), 350, 'before acquisition');
SELECT pg_temp.near(loyalty.clv_residual(100, 0.8, 0.12), 250, 'residual');
SELECT pg_temp.near(loyalty.clv_end_of_period(100, 0.8, 0.12), 312.5, 'at the end of each period');

CREATE TEMP TABLE stream AS
SELECT m::float8, r::float8, d::float8,
	   loyalty.clv_before_acquisition(m, r, d) AS before_acquisition, loyalty.clv_residual(m, r, d) AS residual, loyalty.clv_end_of_period(m, r, d) AS end_of_period
FROM unnest('{100,0.01,-35,0}'::numeric[]) AS m, unnest('{0,0.1,0.5,0.8,0.99,1}'::numeric[]) AS r, unnest('{0,0.01,0.12,1,20}'::numeric[]) AS d;
-- from the smallest term to the largest, and none below what double precision holds
SELECT is_empty($$
	SELECT m, r, d FROM stream, LATERAL (
		SELECT coalesce(sum(term ORDER BY t DESC), 0) AS wanted
		FROM generate_series(0, 4000) AS t, LATERAL (SELECT m * exp(t * ln(r / (1 + d))) AS term WHERE r > 0 AND t * ln(r / (1 + d)) > -100 UNION ALL SELECT m WHERE r = 0 AND t = 0) AS x) AS s
	WHERE (r < 1 OR d > 0)
		AND (abs(before_acquisition - wanted) <= 1e-12 * abs(wanted) AND abs(residual - (wanted - m)) <= 1e-12 * abs(wanted)
			 AND abs(end_of_period - wanted / (1 + d)) <= 1e-12 * abs(wanted)) IS NOT TRUE $$,
				'the sums that the formulas stand for');
SELECT is(count(*), 116::bigint, 'and they are all there') FROM stream WHERE num_nulls(before_acquisition, residual, end_of_period) = 0;
SELECT results_eq('SELECT DISTINCT r, d FROM stream WHERE num_nonnulls(before_acquisition, residual, end_of_period) < 3', 'VALUES (1::float8, 0::float8)',
				  'NULL where nothing shrinks, and only there');
SELECT is_empty($$
	SELECT * FROM stream AS a JOIN stream AS b USING (m)
	WHERE m > 0 AND ((b.d = a.d AND b.r > a.r AND NOT b.residual > a.residual) OR (b.r = a.r AND b.r > 0 AND b.d > a.d AND NOT b.residual < a.residual)) $$,
				'the value rises with retention and falls with the discount');

SELECT is(ARRAY[loyalty.clv_before_acquisition(5, 0, 0), loyalty.clv_residual(5, 0, 0), loyalty.clv_end_of_period(5, 0, 0)], '{5,0,5}', 'customers who never come back, money that never loses');
SELECT is(loyalty.clv_end_of_period(1, 1, 1e-20), 1e20::float8, 'a discount that would be lost beside 1');
SELECT pg_temp.near(loyalty.clv_end_of_period(1, 0.9999999999999999, 0), 9007199254740992, 'a retention just below 1');
SELECT is(ARRAY[loyalty.clv_before_acquisition(5, 1, 1e308), loyalty.clv_residual(-5e307, 1, 1)], '{5,-5e307}', 'large numbers');
SELECT is(ARRAY[loyalty.clv_before_acquisition(0, 0.5, 0.1), loyalty.clv_residual(0, 0.5, 0.1), loyalty.clv_end_of_period(0, 0.5, 0.1)], '{0,0,0}', 'no margin, no value');

-- ---------- basket, frequency, lifetime, margin ----------

SELECT is(loyalty.simple_clv(50, 4, 3), 600::float8, 'in revenue');
SELECT is(loyalty.simple_clv(50, 4, 3, 0.25), 150::float8, 'in margin');
SELECT is(loyalty.simple_clv(50, 4, 3, -0.25), -150::float8, 'at a loss');
SELECT is(ARRAY[loyalty.simple_clv(0, 4, 3), loyalty.simple_clv(50, 0, 3), loyalty.simple_clv(50, 4, 0), loyalty.simple_clv(50, 4, 3, 0), loyalty.simple_clv(-5, 1, 2)],
		  '{0,0,0,0,-10}', 'nothing, and less than nothing');
SELECT is(ARRAY[loyalty.customer_lifetime(0.05), loyalty.customer_lifetime(1), loyalty.customer_lifetime(0.5::float8 ^ 50), loyalty.customer_lifetime(0)], '{20,1,1125899906842624,NULL}', 'lifetime');
SELECT pg_temp.near(loyalty.customer_lifetime(c), wanted, 'mean age at which customers leave at a rate of ' || c)
FROM unnest('{0.1,0.3,0.9}'::float8[]) AS c,
	 LATERAL (SELECT sum(t * c * exp((t - 1) * ln(1 - c)) ORDER BY t DESC) AS wanted FROM generate_series(1, 500) AS t WHERE t * ln(1 - c) > -100) AS s;
SELECT pg_temp.near(loyalty.simple_clv(100, 1, loyalty.customer_lifetime(0.2)), loyalty.clv_before_acquisition(100, 0.8, 0), 'the formulas agree without a discount');

-- ---------- types ----------

SELECT is(loyalty.simple_clv(12.5::numeric, 4::smallint, 2::bigint, 0.5::real), 50::float8, 'numbers of any type');
SELECT is(loyalty.simple_clv(basket, orders, years, margin), 300::float8, 'columns of numeric and integer')
FROM (SELECT 50.00::numeric(10,2) AS basket, 4 AS orders, 3.0 AS years, 0.5 AS margin) AS c;
SELECT is(loyalty.clv_end_of_period(margin, retention, discount), 150::float8, 'columns of numeric')
FROM (SELECT 75.00 AS margin, 0.75 AS retention, 0.25 AS discount) AS c;
SELECT is(loyalty.customer_lifetime('0.5'), 2::float8, 'literals without a type');
SELECT is(loyalty.simple_clv(margin => 0.5, lifetime => 3, frequency => 4, average_basket => 50), loyalty.simple_clv(50, 4, 3, 0.5), 'arguments by name');
SELECT is(loyalty.clv_residual(discount => 0.25, retention => 0.75, margin => 8), 12::float8, 'arguments by name');

-- ---------- NULL ----------

SELECT ok(num_nonnulls(loyalty.simple_clv(NULL, 4, 3), loyalty.simple_clv(50, NULL, 3), loyalty.simple_clv(50, 4, NULL), loyalty.simple_clv(50, 4, 3, NULL),
					   loyalty.simple_clv(50, -4, NULL), loyalty.customer_lifetime(NULL)) = 0, 'NULL for NULL');
SELECT ok(num_nonnulls(loyalty.clv_before_acquisition(NULL, 0.8, 0.1), loyalty.clv_residual(100, NULL, 0.1), loyalty.clv_end_of_period(100, 0.8, NULL)) = 0, 'NULL for NULL');

-- ---------- errors ----------

CREATE FUNCTION pg_temp.error_of(query text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	hint text;
BEGIN
	EXECUTE query;
	RETURN NULL;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END
$$;

CREATE TEMP TABLE quantity (call text, argument text, bad text[], detail text, hint text);
INSERT INTO quantity VALUES
('simple_clv(%L, 4, 3)', 'average_basket', '{}',
 'The average basket is money: a finite number.', 'It is average_basket of purchases(h, period => ''all''), for example.'),
('simple_clv(50, %L, 3)', 'frequency', '{-1,-1e-300}',
 'The frequency is the number of orders in a period: finite, and 0 or more.', 'It is orders_per_customer of purchases(h, period => ''year''), for example.'),
('simple_clv(50, 4, %L)', 'lifetime', '{-1,-1e-300}',
 'The lifetime is a number of periods, those of the frequency: finite, and 0 or more.', 'From a churn rate it is customer_lifetime(churn_rate).'),
('simple_clv(50, 4, 3, %L)', 'margin', '{1.01,40}',
 'The margin is the share of the basket that is earned: at most 1, and below 0 for a loss.', 'For a margin of 40 percent, margin is 0.4.'),
('customer_lifetime(%L)', 'churn_rate', '{-0.1,1.01,5}',
 'The churn rate is the fraction of customers lost in a period: from 0 to 1.', 'For a churn of 5 percent, churn_rate is 0.05.');
INSERT INTO quantity
SELECT format(call, function), argument, bad, detail, hint
FROM unnest('{clv_before_acquisition,clv_residual,clv_end_of_period}'::text[]) AS function, (VALUES
('%s(%%L, 0.8, 0.12)', 'margin', '{}'::text[],
 'The margin is the money that a customer brings in a period: a finite number.', 'For 25 earned on each of 4 orders in a year, margin is 100 and the period a year.'),
('%s(100, %%L, 0.12)', 'retention', '{-0.1,1.01,80}',
 'The retention is the fraction of customers kept from a period to the next: from 0 to 1.', 'For a retention of 80 percent, retention is 0.8.'),
('%s(100, 0.8, %%L)', 'discount', '{-0.1,-1e-300}',
 'The discount is the rate of interest of a period, as a fraction: finite, and 0 or more.', 'For 12 percent, discount is 0.12.')) AS c(call, argument, bad, detail, hint);

SELECT is(pg_temp.error_of('SELECT loyalty.' || format(call, value)),
		  concat_ws(E'\n', '22023', format('%s must not be %s', argument, value), detail, hint), format(call, value))
FROM quantity, unnest(bad || '{NaN,Infinity,-Infinity}') AS value;

SELECT is(pg_temp.error_of('SELECT loyalty.' || call), '22003' || E'\n' || message, call)
FROM (VALUES ('simple_clv(1e300, 1e300, 1)', 'value out of range: overflow'), ('simple_clv(1e-300, 1e-300, 1)', 'value out of range: underflow'),
			 ('customer_lifetime(1e-310)', 'value out of range: overflow'), ('clv_before_acquisition(1e300, 1, 1e-20)', 'value out of range: overflow'),
			 ('clv_residual(1e300, 1, 1e-20)', 'value out of range: overflow'), ('clv_end_of_period(-1e300, 1, 1e-20)', 'value out of range: overflow')) AS e(call, message);

SELECT * FROM finish();
ROLLBACK;
