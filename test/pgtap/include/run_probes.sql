-- Runs the queries of the table probe in a session of its own; what it says, but not what it
-- returns, is then in the view warning.
TRUNCATE said;
\setenv PGDATABASE :DBNAME
\copy said (line) FROM PROGRAM 'psql -XAtq -c "SELECT format(E''\\\\warn --- %s\n%s;'', name, query) FROM probe ORDER BY name" | PGOPTIONS="-c search_path=public,loyalty" psql -XAtq 2>&1 >/dev/null' (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02')
