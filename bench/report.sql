-- What :section has measured, as tables.

\pset footer off
WITH ratios AS (
	SELECT c.name, m.median / b.median AS ratio
	FROM bench.cases c JOIN bench.medians m USING (name) JOIN bench.medians b ON b.name = c.base
)
INSERT INTO bench.figures (section, name, value, unit, target)
SELECT section, 'time by the row, ' || g.name, large.ratio / small.ratio, 'x', target
FROM bench.growths g JOIN ratios large ON large.name = g.large JOIN ratios small ON small.name = g.small
WHERE section = :'section' ORDER BY number;

SELECT EXISTS (SELECT FROM bench.cases WHERE section = :'section') AS has_cases,
	EXISTS (SELECT FROM bench.comparisons WHERE section = :'section') AS has_comparisons,
	EXISTS (SELECT FROM bench.figures WHERE section = :'section') AS has_figures \gset

\if :has_cases
\echo :section: medians in milliseconds
SELECT c.name AS "case", m.median::numeric(10,1) AS ms,
	format('%s..%s', m.lowest::numeric(10,1), m.highest::numeric(10,1)) AS "min..max",
	round((m.median / b.median)::numeric, 2) AS ratio, c.base AS beside,
	c.target || CASE WHEN c.base IS NULL THEN ' ms' ELSE ' x' END AS "at most",
	bench.verdict(m.median / coalesce(b.median, 1), c.target) AS target
FROM bench.cases c JOIN bench.medians m USING (name) LEFT JOIN bench.medians b ON b.name = c.base
WHERE c.section = :'section'
ORDER BY c.number;
\endif

\if :has_comparisons
\echo :section: medians in milliseconds, side by side
SELECT c.name AS "case", m.median::numeric(10,1) AS ms, c.beside, b.median::numeric(10,1) AS "its ms",
	round((m.median / b.median)::numeric, 2) AS ratio, round(c.target::numeric, 2) AS "at most",
	bench.verdict(m.median / b.median, c.target) AS target
FROM bench.comparisons c JOIN bench.medians m USING (name),
	LATERAL (SELECT coalesce(c.bases, ARRAY[c.beside]) AS names) bases,
	LATERAL (SELECT sum(median) AS median FROM bench.medians b WHERE b.name = ANY (names) HAVING count(*) = cardinality(names)) b
WHERE c.section = :'section'
ORDER BY c.number;
\endif

\if :has_figures
\echo :section: sizes
SELECT name AS figure, round(value::numeric, 2) AS value, unit, target AS "at most", bench.verdict(value, target) AS target
FROM bench.figures WHERE section = :'section' ORDER BY number;
\endif

-- Cases that answer the same question must give the same answer.
SELECT string_agg(answer, ', ') AS wrong FROM (
	SELECT answer FROM bench.cases JOIN bench.runs USING (name) WHERE section = :'section' AND answer IS NOT NULL
	GROUP BY answer HAVING count(DISTINCT result) > 1
) answers \gset
\if :{?wrong}
SELECT DISTINCT answer AS "ANSWERS THAT DIFFER", name AS "case", result
FROM bench.cases JOIN bench.runs USING (name)
WHERE section = :'section' AND answer = ANY (string_to_array(:'wrong', ', '))
ORDER BY 1, 2, 3;
DO $$ BEGIN RAISE EXCEPTION 'the answers above differ'; END $$;
\endif
