-- What the models of lifetime value cost. Run it from the top:
--
--     LOYALTY_SERVER_CONF='shared_buffers=2GB' dev/with-server psql -Xq -f bench/clv.sql
--
-- customers: how many are simulated (1 million otherwise), runs: of which the median is taken (5); with -v r=1 and R
-- installed, the same likelihood in R's optim, over the same collapsed customers. The cases take turns.
--
-- The customers buy at rates ~ Gamma(1/2, 40 days) and leave after a purchase with a probability ~ Beta(1, 2.5): these two
-- have closed forms in uniform and normal numbers. First purchases are spread over 12 weeks, and all are watched for 39, as
-- those of CDNOW are.

\if :{?customers} \else \set customers 1000000 \endif
\if :{?runs} \else \set runs 5 \endif
\pset footer off
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS loyalty;
SET search_path = public, loyalty;
SET jit = off;
SET work_mem = '512MB';
SET max_parallel_workers_per_gather = 0;

-- days of purchase of a customer who is one from first_day on
CREATE FUNCTION pg_temp.purchase_days(first_day int, last_day int) RETURNS SETOF int LANGUAGE plpgsql AS $$
DECLARE
	rate float8 := (-2 * ln(1 - random()) * cos(2 * pi() * random()) ^ 2) / 2 / 40;
	leaves float8 := 1 - random() ^ (1 / 2.5);
	at float8 := first_day;
BEGIN
	RETURN NEXT first_day;
	WHILE rate > 0 LOOP
		at := at - ln(1 - random()) / rate;
		EXIT WHEN at >= last_day + 1;
		RETURN NEXT floor(at);
		EXIT WHEN random() < leaves;
	END LOOP;
END
$$;

\warn loyalty: making customers ...
SELECT setseed(0.5) \g /dev/null
CREATE UNLOGGED TABLE bench_orders AS
SELECT c::bigint AS customer_id, date '2023-01-01' + d AS day, round((20 * exp(sqrt(-ln(1 - random())) * cos(2 * pi() * random())))::numeric, 2) AS amount
FROM (SELECT c, floor(84 * random())::int AS first_day FROM generate_series(1, :customers) AS c) AS customer, pg_temp.purchase_days(first_day, 272) AS d;
CREATE UNLOGGED TABLE bench_history AS SELECT customer_history(customer_id, day, amount) AS h FROM bench_orders;
CREATE UNLOGGED TABLE bench_summary AS SELECT s.* FROM bench_history, clv_summary(h, '2023-09-30') AS s;
CREATE UNLOGGED TABLE bench_pattern AS SELECT frequency, recency, age, count(*) AS customers FROM bench_summary GROUP BY 1, 2, 3;
CREATE UNLOGGED TABLE bench_model AS
SELECT bg_nbd_fit(h) AS bg, mbg_nbd_fit(h) AS mbg, pareto_nbd_fit(h) AS pareto, gamma_gamma_fit(h) AS spending FROM bench_history;
CREATE TEMP TABLE line (line text);
\copy line FROM 'test/data/cdnow_sample.txt'
CREATE TABLE cdnow AS
SELECT customer_history(f[1]::bigint, to_date(f[3], 'YYYYMMDD'), f[5]::numeric) AS h FROM line, regexp_split_to_array(trim(line), '\s+') AS f;
VACUUM ANALYZE bench_orders, bench_history, bench_summary, bench_pattern, bench_model, cdnow;
SELECT count(*) AS orders, (SELECT count(*) FROM bench_summary) AS customers, (SELECT count(*) FROM bench_pattern) AS "different (x, t_x, T)" FROM bench_orders;

CREATE TEMP TABLE candidate (number serial, task text, name text, query text);
INSERT INTO candidate (task, name, query)
SELECT 'CDNOW, 39 weeks of 2,357 customers', model, format('SELECT m.log_likelihood FROM cdnow, %s_fit(h, ''1997-09-30'') AS m', model)
FROM unnest('{bg_nbd,mbg_nbd,pareto_nbd,gamma_gamma}'::text[]) AS model;
INSERT INTO candidate (task, name, query)
SELECT 'fit, stored history', model, format('SELECT m.log_likelihood FROM bench_history, %s_fit(h, ''2023-09-30'') AS m', model)
FROM unnest('{bg_nbd,mbg_nbd,pareto_nbd,gamma_gamma}'::text[]) AS model;
INSERT INTO candidate (task, name, query)
SELECT 'fit, rows (x, t_x, T)', model,
	   format('SELECT m.log_likelihood FROM (SELECT array_agg(frequency) AS x, array_agg(recency) AS t_x, array_agg(age) AS t FROM bench_summary) AS s, %s_fit(x, t_x, t) AS m', model)
FROM unnest('{bg_nbd,mbg_nbd,pareto_nbd}'::text[]) AS model;
INSERT INTO candidate (task, name, query) VALUES
	('fit, rows (x, t_x, T)', 'array_agg alone', 'SELECT array_length(x, 1) + array_length(t_x, 1) + array_length(t, 1) FROM (SELECT array_agg(frequency) AS x, array_agg(recency) AS t_x, array_agg(age) AS t FROM bench_summary) AS s'),
	('predictions, rows (x, t_x, T)', 'sum of a column', 'SELECT sum(recency) FROM bench_summary');
INSERT INTO candidate (task, name, query)
SELECT 'predictions, rows (x, t_x, T)', format('%s: %s', model, f),
	   format('SELECT sum(%s(%s, frequency, recency, age%s)) FROM bench_summary, bench_model', f, model, CASE f WHEN 'expected_purchases' THEN ', 52' ELSE '' END)
FROM unnest('{bg,mbg,pareto}'::text[]) AS model, unnest('{p_alive,expected_purchases}'::text[]) AS f;
INSERT INTO candidate (task, name, query) VALUES
	('predictions, rows (x, t_x, T)', 'expected_value', 'SELECT sum(expected_value(spending, frequency, monetary)) FROM bench_summary, bench_model'),
	('clv, stored history', 'clv_summary', 'SELECT count(*) FROM bench_history, clv_summary(h)');
INSERT INTO candidate (task, name, query)
SELECT 'clv, stored history', model || discount, format('SELECT sum(clv) FROM bench_history, clv(h, %L%s)', model, discount)
FROM unnest('{bg_nbd,pareto_nbd}'::text[]) AS model, unnest(ARRAY['', ', discount => 0.15']) AS discount;

CREATE TEMP TABLE run (number int, ms float8);
CREATE FUNCTION pg_temp.bench(runs int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	c record;
	start timestamptz;
BEGIN
	FOR i IN 0 .. runs LOOP		-- the first one is to warm up
		FOR c IN SELECT * FROM candidate ORDER BY candidate.number LOOP
			start := clock_timestamp();
			EXECUTE c.query;
			IF i > 0 THEN
				INSERT INTO run VALUES (c.number, 1000 * extract(epoch FROM clock_timestamp() - start));
			END IF;
		END LOOP;
	END LOOP;
END
$$;
\warn loyalty: measuring ...
SELECT pg_temp.bench(:runs) \g /dev/null
SELECT task, name, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::numeric, 1) AS ms, round(min(ms)::numeric, 1) AS least, round(max(ms)::numeric, 1) AS most
FROM candidate JOIN run USING (number) GROUP BY candidate.number, task, name ORDER BY candidate.number;
SELECT round((bg).r::numeric, 3) AS r, round(7 * (bg).alpha::numeric, 2) AS alpha_days, round((bg).a::numeric, 3) AS a, round((bg).b::numeric, 3) AS b, (bg).iterations FROM bench_model;

\if :{?r}
\copy (SELECT 'cdnow', frequency, recency, age, count(*) FROM cdnow, clv_summary(h, '1997-09-30') GROUP BY 2, 3, 4 UNION ALL SELECT 'simulated', frequency, recency, age, customers FROM bench_pattern) TO PROGRAM 'Rscript bench/clv.R >&2' CSV
\endif
