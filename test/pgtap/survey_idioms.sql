-- The ways of doc/survey.md to use surveys in tables: one vote a customer,
-- daily tallies and a rolling rollup, response rates.

BEGIN;
SELECT plan(9);
SET LOCAL search_path = public, loyalty;
CREATE TABLE survey_answers (answer_id bigint PRIMARY KEY, customer_id bigint, answered_on date, score smallint);
\copy survey_answers FROM 'test/data/survey_answers.csv' CSV HEADER
ANALYZE survey_answers;
SELECT is(count(*)::text || ' ' || count(score), '3600 3481', 'the answers that are shipped') FROM survey_answers;

-- one vote a customer: the latest answer of the last 90 days
CREATE TEMP TABLE latest AS
SELECT DISTINCT ON (customer_id) customer_id, score
FROM survey_answers
WHERE answered_on BETWEEN date '2025-06-30' - 89 AND '2025-06-30' AND score IS NOT NULL
ORDER BY customer_id, answered_on DESC, answer_id DESC;
SELECT is(count(*), count(DISTINCT customer_id), 'one vote a customer') FROM latest;
SELECT is((SELECT nps_survey(score) FROM latest),
		  (SELECT nps_survey(score) FROM survey_answers AS a
		   WHERE answered_on BETWEEN '2025-04-02' AND '2025-06-30' AND score IS NOT NULL
			 AND NOT EXISTS (SELECT FROM survey_answers AS b WHERE b.customer_id = a.customer_id AND b.score IS NOT NULL AND b.answered_on <= '2025-06-30'
							 AND (b.answered_on, b.answer_id) > (a.answered_on, a.answer_id))),
		  'and it is the latest that was given');
SELECT cmp_ok((SELECT answers(nps_survey(score)) FROM latest), '<',
			  (SELECT count(score) FROM survey_answers WHERE answered_on BETWEEN '2025-04-02' AND '2025-06-30'), 'some had answered more than once');

-- daily tallies, and the last 30 days of each day without the answers
CREATE MATERIALIZED VIEW daily_survey AS
SELECT answered_on AS day, nps_survey(score) AS s FROM survey_answers GROUP BY answered_on;
SELECT results_eq($$
	SELECT day, rollup(s) OVER (ORDER BY day RANGE BETWEEN interval '29 days' PRECEDING AND CURRENT ROW)::text FROM daily_survey ORDER BY day $$, $$
	SELECT DISTINCT day, (SELECT nps_survey(score)::text FROM survey_answers WHERE answered_on BETWEEN day - 29 AND day)
	FROM daily_survey ORDER BY day $$, 'the rolling rollup of daily tallies');
SELECT is((SELECT rollup(s) FROM daily_survey), (SELECT nps_survey(score) FROM survey_answers), 'daily tallies add up');
SELECT ok(abs(avg_of_months - nps) > 0.01, format('scores do not: mean of the months %s, score of the year %s', round(avg_of_months::numeric, 2), round(nps::numeric, 2)))
FROM (SELECT avg(nps(s)) AS avg_of_months, nps(rollup(s)) AS nps
	  FROM (SELECT rollup(s) AS s FROM daily_survey GROUP BY date_trunc('month', day)) AS m) AS t;

SELECT is(response_rate(count(score), count(*)), 3481 / 3600.0::float8, 'response rate of those who opened the survey') FROM survey_answers;
SELECT ok(p_value < 0.01 AND high < 0, format('the third quarter is worse than the second: %s points', round(difference::numeric, 1)))
FROM (SELECT rollup(s) FILTER (WHERE day BETWEEN '2025-07-01' AND '2025-09-30') AS q3, rollup(s) FILTER (WHERE day BETWEEN '2025-04-01' AND '2025-06-30') AS q2
	  FROM daily_survey) AS q, nps_difference(q3, q2);

SELECT * FROM finish();
ROLLBACK;
