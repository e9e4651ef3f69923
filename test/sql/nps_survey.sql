-- A walk through nps_survey: build, read, merge, roll, and how its errors look.
SET search_path = public, loyalty;
SET datestyle = ISO;

CREATE TABLE reply (customer integer, day date, score integer);
INSERT INTO reply VALUES
	(1, '2025-01-01', 10), (2, '2025-01-01', 9), (3, '2025-01-02', NULL), (4, '2025-01-02', 6), (1, '2025-01-03', 7),
	(5, '2025-01-04', 10), (6, '2025-01-05', 0), (2, '2025-01-06', 8), (7, '2025-01-06', 9), (8, '2025-01-07', 10);

SELECT nps_survey(score) AS s, nps(score) FROM reply;
SELECT day, nps_survey(score) AS s, nps(score) FROM reply GROUP BY day ORDER BY day;
SELECT method, answers, round(nps) AS nps, round(low) AS low, round(high) AS high, round(margin) AS margin
FROM nps_interval((SELECT nps_survey(score) FROM reply), method => 'all');
SELECT lowest, highest, answers, promoters, passives, detractors, median, top, bottom
FROM survey_report((SELECT nps_survey(score) FROM reply));

-- rolling: over the answers, and over tallies of days
SELECT customer, day, score, nps_survey(score) OVER (ORDER BY day, customer ROWS 2 PRECEDING) FROM reply ORDER BY day, customer;
SELECT day, rollup(s) OVER (ORDER BY day RANGE BETWEEN interval '1 day' PRECEDING AND CURRENT ROW)
FROM (SELECT day, nps_survey(score) AS s FROM reply GROUP BY day) AS daily ORDER BY day;

-- other scales; forms
SELECT csat(s), ces(s), ces_easy(s), ces_net(s), survey_median(s), survey_index(s), top_box(s)
FROM (SELECT '1..5:{0,1,1,1,1}'::nps_survey AS s) AS t;
SELECT s, s::bigint[] AS array, s::jsonb FROM (SELECT '0..3:{4,3,2,1}'::nps_survey AS s) AS t;
SELECT '1..2:{3,4}'::nps_survey + '1..2:{1,1}' AS sum, '1..2:{3,4}'::nps_survey - '1..2:{1,1}' AS difference, '1..2:{3,4}'::nps_survey + NULL AS neutral;

-- errors
SELECT nps_survey(score) FROM (VALUES (10), (99)) AS t(score);
SELECT nps('1..5:{1,1,1,1,1}'::nps_survey);
SELECT nps_low(nps_survey(score), method => 'exact') FROM reply;
SELECT '1..5:{1,1,1}'::nps_survey;
SELECT 'promoters'::nps_survey;
SELECT '0..1:{1,1}'::nps_survey + '1..2:{1,1}';
SELECT '0..1:{1,1}'::nps_survey - '0..1:{1,2}';
SELECT '{1,2,NULL}'::bigint[]::nps_survey;
SELECT '{"lowest": 1, "highest": 5}'::jsonb::nps_survey;
SELECT ces_easy('0..10:{1,1,1,1,1,1,1,1,1,1,1}');
SELECT survey_score('9.5');
SELECT nps_survey_transition(NULL, 9);

DROP TABLE reply;
