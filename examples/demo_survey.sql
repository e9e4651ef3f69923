-- The part of `make demo` about surveys: NPS by month with its interval, and what changed. It needs the extension and
-- search_path = public, loyalty; demo.sql includes it.

CREATE TABLE survey_answers (answer_id bigint PRIMARY KEY, customer_id bigint, answered_on date, score smallint);
\copy survey_answers FROM 'test/data/survey_answers.csv' CSV HEADER

\qecho
\qecho 'A shop asks its customers how likely they are to recommend it, 0 to 10, all through 2025 (made up).'
\qecho 'Every month''s answers become one small value, which any score is read from:'
\qecho '  CREATE TABLE monthly_survey AS'
\qecho '  SELECT date_trunc(''month'', answered_on)::date AS month, nps_survey(score) AS s FROM survey_answers GROUP BY 1;'
CREATE TABLE monthly_survey AS
SELECT date_trunc('month', answered_on)::date AS month, nps_survey(score) AS s FROM survey_answers GROUP BY 1;

\qecho
\qecho 'Net Promoter Score by month. The interval says how much of the ups and downs is chance:'
\qecho 'where the scores of two months lie within each other''s intervals, do not look for a cause.'
\qecho '  SELECT month, r.* FROM monthly_survey, survey_report(s) r'
\qecho
SELECT to_char(month, 'Mon YYYY') AS month, answers, promoters, passives, detractors,
       to_char(nps, 'S990.0') AS nps,
       to_char(nps_low, 'FMS990.0') || ' to ' || to_char(nps_high, 'FMS990.0') AS interval_95,
       rpad(repeat(' ', (nps_low / 2)::int + 5) || repeat('-', (nps / 2)::int - (nps_low / 2)::int) || 'o'
            || repeat('-', (nps_high / 2)::int - (nps / 2)::int), 32) AS "-10       10        30        50"
FROM monthly_survey, survey_report(s) AS r
ORDER BY monthly_survey.month;

\qecho
\qecho 'Did the third quarter really fall? Scores do not add up, surveys do; then the difference is tested.'
\qecho '  ... rollup(s) GROUP BY quarter ...  nps_difference(this, previous)'
\qecho
WITH quarter AS (
    SELECT date_trunc('quarter', month) AS quarter, rollup(s) AS s FROM monthly_survey GROUP BY 1)
SELECT to_char(b.quarter, 'YYYY"-Q"Q') AS quarter, answers(b.s), to_char(nps(b.s), 'S990.0') AS nps,
       to_char(difference, 'S990.0') AS change,
       to_char(low, 'FMS990.0') || ' to ' || to_char(high, 'FMS990.0') AS interval_95,
       CASE WHEN p_value < 0.0001 THEN '< 0.0001' ELSE round(p_value::numeric, 4)::text END AS p_value
FROM quarter AS b
LEFT JOIN quarter AS a ON a.quarter = b.quarter - interval '3 months'
LEFT JOIN LATERAL nps_difference(b.s, a.s) ON true
ORDER BY b.quarter;
