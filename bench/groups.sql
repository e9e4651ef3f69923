-- GROUP BY with many groups, beside the same GROUP BY with max().

INSERT INTO bench.cases (section, name, base, target, work_mem, answer, query)
SELECT 'groups', format('%s %s groups, work_mem %s', what, groups, work_mem),
	CASE what WHEN 'history of' THEN format('max() of %s groups, work_mem %s', groups, work_mem) END,
	CASE what WHEN 'history of' THEN target END, work_mem, groups || ' groups',
	format('SELECT count(v) FROM (SELECT %s AS v FROM orders GROUP BY customer_id %% %s) g', aggregate, groups)
FROM (VALUES (1000, 1.5), (100000, 2)) sizes (groups, target),
	(VALUES ('4MB'), ('1GB')) memory (work_mem),
	(VALUES ('max() of', 'max(ordered_at)'),
		('history of', 'loyalty.customer_history(customer_id, loyalty.local_day(ordered_at, ''Europe/Paris''))')) calls (what, aggregate)
ORDER BY groups, work_mem DESC, what DESC;
