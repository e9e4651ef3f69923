-- CDNOW's purchases, master file, as the table cdnow.  Include it with
-- \ir include/cdnow.sql; the data are found from the top of the checkout,
-- where dev/run-tests starts.

CREATE TABLE cdnow (customer_id bigint, day date, cds integer, amount numeric);
CREATE TEMP TABLE cdnow_line (line text);
\copy cdnow_line FROM PROGRAM 'gzip -dc test/data/cdnow_master.txt.gz | tail -n +2'
INSERT INTO cdnow
SELECT f[1]::bigint, to_date(f[2], 'YYYYMMDD'), f[3]::integer, f[4]::numeric
FROM cdnow_line, regexp_split_to_array(trim(line), '\s+') AS f;
DROP TABLE cdnow_line;
ANALYZE cdnow;
