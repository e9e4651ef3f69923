-- CDNOW's purchases, 1-in-10 sample, as the table cdnow_sample: that of the
-- published lifetime-value models.  Include it as include/cdnow.sql.

CREATE TABLE cdnow_sample (customer_id bigint, day date, cds integer, amount numeric);
CREATE TEMP TABLE cdnow_line (line text);
\copy cdnow_line FROM test/data/cdnow_sample.txt
INSERT INTO cdnow_sample
SELECT f[1]::bigint, to_date(f[3], 'YYYYMMDD'), f[4]::integer, f[5]::numeric
FROM cdnow_line, regexp_split_to_array(trim(line), '\s+') AS f;
DROP TABLE cdnow_line;
ANALYZE cdnow_sample;
