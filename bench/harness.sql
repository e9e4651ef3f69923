-- What the benchmark remembers, and how it times a query.

CREATE SCHEMA bench;

CREATE TABLE bench.cases (
	number integer GENERATED ALWAYS AS IDENTITY,
	section text NOT NULL,
	name text PRIMARY KEY,
	base text,					-- the case that this one is compared with
	target float8,				-- at most so many times the base; without a base: milliseconds
	workers integer DEFAULT 0,	-- max_parallel_workers_per_gather
	work_mem text DEFAULT '64MB',
	answer text,				-- cases of one answer must return the same text
	query text					-- returns one row and one column; NULL: run by someone else
);

-- Further comparisons, where one base is not enough.
CREATE TABLE bench.comparisons (
	number integer GENERATED ALWAYS AS IDENTITY,
	section text,
	name text,
	beside text,
	bases text[],				-- the cases that together are compared; NULL: the one called beside
	target float8				-- at most so many times their sum
);

-- Two cases, of many rows and of few: the ratio to the base of the one, divided by that of the other.
CREATE TABLE bench.growths (
	number integer GENERATED ALWAYS AS IDENTITY,
	section text,
	name text,
	large text,
	small text,
	target float8
);

CREATE TABLE bench.runs (name text, round integer, ms float8, result text);

CREATE TABLE bench.figures (
	number integer GENERATED ALWAYS AS IDENTITY,
	section text,
	name text,
	value float8,
	unit text,
	target float8
);

CREATE VIEW bench.medians AS
SELECT name, percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS median, min(ms) AS lowest, max(ms) AS highest
FROM bench.runs GROUP BY name;

CREATE FUNCTION bench.verdict(value float8, target float8) RETURNS text LANGUAGE sql
AS $$ SELECT CASE WHEN value > target THEN 'missed' WHEN value <= target THEN 'reached' END $$;

-- Every case of a section once. Round 0 warms up and finds out which reports do not exist.
CREATE PROCEDURE bench.round(in_section text, round integer) LANGUAGE plpgsql AS $$
DECLARE
	c bench.cases;
	result text;
	started timestamptz;
BEGIN
	FOR c IN SELECT * FROM bench.cases WHERE section = in_section AND query IS NOT NULL ORDER BY number LOOP
		PERFORM set_config('max_parallel_workers_per_gather', c.workers::text, true), set_config('work_mem', c.work_mem, true);
		IF round = 0 THEN
			BEGIN
				EXECUTE c.query INTO result;
			EXCEPTION WHEN undefined_function OR undefined_table OR undefined_column THEN
				RAISE WARNING 'skipped: %: %', c.name, SQLERRM;
				UPDATE bench.cases SET query = NULL WHERE name = c.name;
			END;
		ELSE
			started := clock_timestamp();
			EXECUTE c.query INTO result;
			INSERT INTO bench.runs
			VALUES (c.name, round, 1000 * extract(epoch FROM clock_timestamp() - started), result);
		END IF;
		COMMIT;
	END LOOP;
END
$$;

-- The most memory that this backend, with all it touched of shared_buffers, has ever had.
CREATE FUNCTION bench.peak_mb() RETURNS float8 LANGUAGE sql AS $$
	SELECT substring(pg_read_file('/proc/self/status') FROM 'VmHWM:\s*(\d+) kB')::float8 / 1024
$$;

-- What a query needs beyond a floor that touches the same pages. Call it in a new connection.
CREATE PROCEDURE bench.memory(in_section text, name text, floor text, query text, target float8 DEFAULT NULL) LANGUAGE plpgsql AS $$
DECLARE
	result text;
	before float8;
BEGIN
	SET LOCAL max_parallel_workers_per_gather = 0;
	EXECUTE floor INTO result;
	before := bench.peak_mb();
	EXECUTE query INTO result;
	INSERT INTO bench.figures (section, name, value, unit, target) VALUES (in_section, name, bench.peak_mb() - before, 'MB', target);
END
$$;

-- With a table behind: a floor, and what is measured above it.
\set floor 'SELECT count(customer_id), max(ordered_at), max(amount) FROM '
\set build 'SELECT loyalty.orders(loyalty.customer_history(customer_id, loyalty.local_day(ordered_at, ''Europe/Paris''))) FROM '
\set build_amount 'SELECT loyalty.orders(loyalty.customer_history(customer_id, loyalty.local_day(ordered_at, ''Europe/Paris''), amount)) FROM '
