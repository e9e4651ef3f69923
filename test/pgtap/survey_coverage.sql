-- How often the intervals contain the truth, computed exactly: all outcomes
-- of n answers, each with its probability in five populations.

BEGIN;
SELECT plan(11);
SET LOCAL search_path = public, loyalty;

-- logarithms of factorials, up to 150
CREATE TEMP TABLE factorial AS
SELECT n, coalesce(sum(ln(n::float8)) OVER (ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW), 0) AS log
FROM generate_series(1, 150) AS n
UNION ALL SELECT 0, 0;
ANALYZE factorial;
CREATE TEMP TABLE population (number int, d float8, q float8, p float8);
INSERT INTO population VALUES (1, .15, .30, .55), (2, .05, .15, .80), (3, .40, .20, .40), (4, .02, .08, .90), (5, .30, .50, .20);

CREATE TEMP TABLE outcome AS
SELECT n.n, d.n AS d, p.n AS p, array[d.n, 0, 0, 0, 0, 0, 0, q.n, 0, 0, p.n]::bigint[]::nps_survey AS s,
	   n.log - d.log - q.log - p.log AS log_ways
FROM factorial AS n
JOIN factorial AS d ON d.n <= n.n
JOIN factorial AS p ON p.n <= n.n - d.n
JOIN factorial AS q ON q.n = n.n - d.n - p.n
WHERE n.n >= 5;
ANALYZE outcome;

CREATE FUNCTION pg_temp.coverage(method text, last_n int) RETURNS TABLE (n int, population int, covered float8, total float8)
LANGUAGE sql AS $$
	SELECT o.n, number,
		   sum(chance) FILTER (WHERE 100 * (k.p - k.d) BETWEEN low - 1e-9 AND high + 1e-9), sum(chance)
	FROM (SELECT outcome.n, outcome.d, outcome.p, log_ways, loyalty.nps_low(s, method => $1) AS low, loyalty.nps_high(s, method => $1) AS high
		  FROM outcome WHERE outcome.n <= last_n OFFSET 0) AS o,
		 population AS k,
		 LATERAL exp(log_ways + o.d * ln(k.d) + o.p * ln(k.p) + (o.n - o.d - o.p) * ln(k.q)) AS chance
	GROUP BY 1, 2
$$;

CREATE TEMP TABLE adjusted AS SELECT * FROM pg_temp.coverage('adjusted_wald', 150);
CREATE TEMP TABLE score AS SELECT * FROM pg_temp.coverage('score', 40);
CREATE TEMP TABLE wald AS SELECT * FROM pg_temp.coverage('wald', 40);

SELECT is(count(*) FILTER (WHERE abs(total - 1) < 1e-10), 146::bigint * 5, 'all outcomes are there') FROM adjusted;
SELECT is_empty('SELECT * FROM adjusted WHERE covered < 0.91 AND n <> 6', 'adjusted Wald covers 91 % at n = 5 and from 7 to 150');
SELECT is(round(min(covered)::numeric, 5), .92218, 'its minimum from 7 on') FROM adjusted WHERE n >= 7;
SELECT is((n, population)::text, '(8,3)', 'which is at n = 8, third population') FROM adjusted WHERE n >= 7 ORDER BY covered LIMIT 1;
SELECT is(round(covered::numeric, 6), .885735, 'at n = 6 it covers less, of the fourth population') FROM adjusted WHERE n = 6 AND population = 4;
SELECT is(round(covered::numeric, 5), .90112, 'and of the second') FROM adjusted WHERE n = 6 AND population = 2;
SELECT ok(min(covered) >= 0.91, 'but not of the others') FROM adjusted WHERE n = 6 AND population IN (1, 3, 5);
SELECT is_empty('SELECT * FROM score WHERE covered < 0.928', 'score covers 92.8 % from 5 to 40');
SELECT is(count(*), 36::bigint * 5, 'all of them') FROM score;
SELECT ok(min(covered) BETWEEN 0.39 AND 0.42, format('Wald falls to %s %%', round(100 * min(covered)::numeric, 1))) FROM wald;
SELECT ok(avg(a.covered) > avg(w.covered) AND avg(s.covered) > avg(w.covered), 'the default is better than Wald')
FROM adjusted AS a JOIN wald AS w USING (n, population) JOIN score AS s USING (n, population);

SELECT * FROM finish();
ROLLBACK;
