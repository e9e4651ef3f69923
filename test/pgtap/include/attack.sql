-- Tries as many damaged values as are wanted, all of them different, with the calls in the table "call".
-- \ir include/attack.sql, after include/mutation.sql; "values" is what they are called.

SELECT prepare_attack()
\g /dev/null
SELECT format('SELECT attack(%s, %L, %s, %s, %s) WHERE (SELECT count(*) FROM tried) < %s', :seed, :'scratch', :slowness, n * 500 + 1, n * 500 + 500, :mutations) FROM generate_series(0, :mutations / 400) AS n
\gexec
SELECT cmp_ok(count(*), '>=', :mutations::bigint, format('%s damaged %s, all different', count(*), :'values')) FROM tried;
SELECT count(*) AS tried FROM tried \gset
\warn '# ':test':' :tried 'damaged values, all different'

SELECT is(pg_backend_pid(), :backend, 'the server process lives');
