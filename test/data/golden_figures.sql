-- The table figure(name, question, figure, answer): what the questions of the
-- table question, asked of the values of the table value, have for an answer.
-- Exact columns of all rows are one hash; each column of double precision is a
-- sum with weights, since mathematical libraries differ in the last digits.

CREATE FUNCTION figures_of(value text, query text) RETURNS TABLE (figure text, answer text)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TEMP TABLE answer AS SELECT row_number() OVER () AS n, q.* FROM (SELECT %L::text AS value) AS v, LATERAL (%s) AS q', value, query);
	RETURN QUERY EXECUTE (
		SELECT format('SELECT ''rows, exact columns'', count(*) || '' '' || coalesce(md5(string_agg(concat_ws(''|''%s), E''\n'' ORDER BY n)), '''') FROM answer%s',
					  string_agg(format(', coalesce(%I::text, ''NULL'')', attname), '' ORDER BY attnum) FILTER (WHERE atttypid <> 'float8'::regtype),
					  string_agg(format(' UNION ALL SELECT %L, (sum(%I * (1 + (n - 1) %% 7)) + count(%2$I))::text FROM answer', attname, attname), '') FILTER (WHERE atttypid = 'float8'::regtype))
		FROM pg_attribute WHERE attrelid = 'pg_temp.answer'::regclass AND attnum > 0);
	DROP TABLE answer;
EXCEPTION WHEN data_exception OR invalid_parameter_value THEN -- of too few customers there is no model: that, too, stays as it is
	figure := 'error';
	answer := SQLSTATE;
	RETURN NEXT;
END
$$;
CREATE TABLE figure AS
SELECT v.name, q.question, f.* FROM value AS v JOIN question AS q USING (type), figures_of(v.value, q.query) AS f;
