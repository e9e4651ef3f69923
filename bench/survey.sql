-- What surveys cost, beside avg(CASE ...), which is how one computes NPS without them. Run it from the top:
--
--     LOYALTY_SERVER_CONF='shared_buffers=2GB' dev/with-server psql -Xq -v rows=10000000 -f bench/survey.sql
--
-- rows: answers (10 million otherwise), window_rows: answers of the rolling score (1 million), runs: of which the median
-- is taken (5). The candidates of a group take turns, so that a busy machine is unfair to none.

\if :{?rows} \else \set rows 10000000 \endif
\if :{?window_rows} \else \set window_rows 1000000 \endif
\if :{?runs} \else \set runs 5 \endif
\pset footer off
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS loyalty;
SET search_path = public, loyalty;
SET jit = off;
SET work_mem = '512MB';
SELECT setseed(0.5) \g /dev/null

CREATE UNLOGGED TABLE bench_answers AS
SELECT i AS answer_id, (random() * :rows / 5)::int AS customer_id, date '2020-01-01' + (i * 1000.0 / :rows)::int AS answered_on,
       (i % 1000)::int AS shop, floor(11 * sqrt(random()))::int AS score
FROM generate_series(1, :rows) AS i;
CREATE UNLOGGED TABLE bench_window AS SELECT * FROM bench_answers LIMIT :window_rows;
CREATE UNLOGGED TABLE bench_daily AS SELECT answered_on, nps_survey(score) AS s FROM bench_answers GROUP BY 1;
CREATE INDEX ON bench_answers (customer_id, answered_on DESC, answer_id DESC) INCLUDE (score);
VACUUM ANALYZE bench_answers, bench_window, bench_daily;

CREATE TEMP TABLE candidate (number serial, task text, name text, query text);
INSERT INTO candidate (task, name, query) VALUES
	('group by 1,000 shops', 'avg(CASE)', 'SELECT shop, avg(CASE WHEN score >= 9 THEN 100 WHEN score <= 6 THEN -100 ELSE 0 END) FROM bench_answers GROUP BY shop'),
	('group by 1,000 shops', 'nps_survey(score)', 'SELECT shop, nps_survey(score) FROM bench_answers GROUP BY shop'),
	('group by 1,000 shops', 'nps(score)', 'SELECT shop, nps(score) FROM bench_answers GROUP BY shop'),
	('all rows', 'avg(CASE)', 'SELECT avg(CASE WHEN score >= 9 THEN 100 WHEN score <= 6 THEN -100 ELSE 0 END) FROM bench_answers'),
	('all rows', 'nps_survey(score)', 'SELECT nps_survey(score) FROM bench_answers'),
	('all rows', 'nps(score)', 'SELECT nps(score) FROM bench_answers'),
	('all rows', 'nps_survey(score, 0, 10)', 'SELECT nps_survey(score, 0, 10) FROM bench_answers'),
	('rolling, 1,000 rows', 'avg(CASE)', 'SELECT sum(x) FROM (SELECT avg(CASE WHEN score >= 9 THEN 100 WHEN score <= 6 THEN -100 ELSE 0 END) OVER (ORDER BY answer_id ROWS 999 PRECEDING) AS x FROM bench_window) AS t'),
	('rolling, 1,000 rows', 'nps(score)', 'SELECT sum(x) FROM (SELECT nps(score) OVER (ORDER BY answer_id ROWS 999 PRECEDING) AS x FROM bench_window) AS t'),
	('rolling, 1,000 rows', 'nps(nps_survey(score))', 'SELECT sum(nps(x)) FROM (SELECT nps_survey(score) OVER (ORDER BY answer_id ROWS 999 PRECEDING) AS x FROM bench_window) AS t'),
	('rolling, 10 rows', 'nps(score)', 'SELECT sum(x) FROM (SELECT nps(score) OVER (ORDER BY answer_id ROWS 9 PRECEDING) AS x FROM bench_window) AS t'),
	('last 90 days of each day', 'nps(score) over answers', 'SELECT max(x) FROM (SELECT nps(score) OVER (ORDER BY answered_on RANGE BETWEEN interval ''89 days'' PRECEDING AND CURRENT ROW) AS x FROM bench_answers) AS t'),
	('last 90 days of each day', 'rollup of daily surveys', 'SELECT max(nps(x)) FROM (SELECT rollup(s) OVER (ORDER BY answered_on RANGE BETWEEN interval ''89 days'' PRECEDING AND CURRENT ROW) AS x FROM bench_daily) AS t'),
	('latest answer of each customer', 'count(*)', 'SELECT count(customer_id), max(answered_on) FROM bench_answers'),
	('latest answer of each customer', 'DISTINCT ON', 'SELECT nps(score) FROM (SELECT DISTINCT ON (customer_id) score FROM bench_answers ORDER BY customer_id, answered_on DESC, answer_id DESC) AS t');

CREATE TEMP TABLE run (number int, ms float8);
CREATE FUNCTION pg_temp.bench(workers int, runs int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	c record;
	start timestamptz;
BEGIN
	PERFORM set_config('max_parallel_workers_per_gather', workers::text, false);
	DELETE FROM run;
	FOR i IN 0 .. runs LOOP		-- the first one is to warm up
		FOR c IN SELECT * FROM candidate WHERE workers = 0 OR task IN ('all rows', 'group by 1,000 shops') ORDER BY candidate.number LOOP
			start := clock_timestamp();
			EXECUTE c.query;
			IF i > 0 THEN
				INSERT INTO run VALUES (c.number, 1000 * extract(epoch FROM clock_timestamp() - start));
			END IF;
		END LOOP;
	END LOOP;
END $$;
\set report 'SELECT task, name, round(ms) AS ms, round((ms / first_value(ms) OVER (PARTITION BY task ORDER BY number))::numeric, 2) AS ratio FROM (SELECT number, task, name, percentile_cont(0.5) WITHIN GROUP (ORDER BY run.ms) AS ms FROM run JOIN candidate USING (number) GROUP BY 1, 2, 3) AS t ORDER BY number;'

\qecho 'Median of' :runs 'runs,' :rows 'answers; ratio: to the first of the task. Serial:'
SELECT pg_temp.bench(0, :runs) \g /dev/null
:report
\qecho 'Two parallel workers:'
SELECT pg_temp.bench(2, :runs) \g /dev/null
:report
DROP TABLE bench_answers, bench_window, bench_daily;
