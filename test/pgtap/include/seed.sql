-- Seeds random(), and prints with what; LOYALTY_SEED=that repeats it.
-- \ir include/seed.sql; the seed stays in :seed, a whole number up to 10^9.

\getenv seed LOYALTY_SEED
\if :{?seed}
\else
SELECT (random() * 1e9)::int AS seed \gset
\endif
SELECT substr(current_database(), 7) AS test \gset
\warn '# ':test': seed' :seed
SELECT setseed(:seed / 1e9)
\g /dev/null
