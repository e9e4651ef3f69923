-- every_report(h, s): a query for each report of the extension, as the catalog
-- knows them, with its defaults: of the expressions h, a history, and s, a
-- survey.

CREATE FUNCTION every_report(h text, s text, OUT report text, OUT query text) RETURNS SETOF record
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT p.oid::regprocedure::text,
		   format('SELECT r.* FROM %s(%s) AS r', p.oid::regproc,
				  string_agg(CASE a.type WHEN 'loyalty.customer_history'::regtype THEN every_report.h WHEN 'loyalty.nps_survey'::regtype THEN every_report.s ELSE 'NULL::pg_catalog.text' END, ', ' ORDER BY a.n))
	FROM pg_catalog.pg_depend AS d
	JOIN pg_catalog.pg_extension AS e ON d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e' AND e.extname = 'loyalty'
	JOIN pg_catalog.pg_proc AS p ON d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND p.proretset,
		 LATERAL unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a(type, n)
	WHERE a.n <= p.pronargs - p.pronargdefaults
	GROUP BY p.oid;
END;
