-- For tests of random rows, which one process reads unless they say otherwise:
-- \ir include/one_process.sql

\ir seed.sql

\set QUIET 1
SET client_min_messages = warning;
SET search_path = public, loyalty;
SET jit = off;
SET max_parallel_workers_per_gather = 0;
SET timezone = 'UTC';
SELECT no_plan();
SELECT setseed(:seed / 1e9)
\g /dev/null
