-- A hundred thousand damaged histories: through text, through binary COPY, and
-- as stored values through the functions that take one.  Each ends in a result
-- or in an orderly error; and what input accepts is sound: it survives being
-- taken apart and put together.
--
-- All damage is random. A failure shows the seed: LOYALTY_SEED=… repeats it.

\set mutations 100000
\ir include/mutation.sql
SELECT no_plan();

-- what a disk does to a value, no function sees
CREATE CAST (bytea AS loyalty.customer_history) WITHOUT FUNCTION;
CREATE CAST (loyalty.customer_history AS bytea) WITHOUT FUNCTION;
-- gives what the aggregate has in hand, which is never stored; still, a disk may hold anything
CREATE AGGREGATE unfinished(bigint, date, numeric) (SFUNC = loyalty.customer_history_transition, STYPE = loyalty.customer_history);
CREATE AGGREGATE unfinished(text, date, numeric) (SFUNC = loyalty.customer_history_transition, STYPE = loyalty.customer_history);
CREATE AGGREGATE unfinished(uuid, date, numeric) (SFUNC = loyalty.customer_history_transition, STYPE = loyalty.customer_history);

-- ---------- one by one: what no writer writes ----------

CREATE FUNCTION little_endian(value bigint, size int) RETURNS bytea
LANGUAGE sql AS $$ SELECT string_agg(set_byte('\x00', 0, (value >> least(8 * i, 63) & 255)::int), '' ORDER BY i) FROM generate_series(0, size - 1) AS i $$;
CREATE FUNCTION crafted(header bigint[], records text) RETURNS text
LANGUAGE sql AS $$
	SELECT '1:' || translate(encode('\x01' || string_agg(little_endian(header[n], size), '' ORDER BY n) || decode(translate(records, ' ', ''), 'hex'), 'base64'), E'\n', '')
	FROM unnest('{1,1,1,4,4,4,4,4,8,4,4,4,4,16}'::int[]) WITH ORDINALITY AS f(size, n)
$$;
CREATE TABLE craft (what text, header bigint[], records text, wanted text);
-- header: key type, amounts, scale, zero; customers, buyers, customer-days, longest key; orders; first and last day and first
-- purchase, zero; money
INSERT INTO craft VALUES
	('a sound bigint', '{1,1,2,0,1,1,1,8,1,10,10,10,0,990}', '81808080808080808001 01 00de03', NULL),
	('a number in too many bytes', '{1,1,2,0,1,1,1,8,1,10,10,10,0,990}', '81808080808080808001 8100 00de03', 'a customer is not in canonical form'),
	('a key in too many bytes', '{1,1,2,0,1,1,1,8,1,10,10,10,0,990}', '8180808080808080808100 01 00de03', 'a customer is not in canonical form'),
	('a gap in too many bytes', '{1,1,2,0,1,1,1,8,1,10,10,10,0,990}', '81808080808080808001 01 fe00000000de03', 'a customer is not in canonical form'),
	('an amount in too many bytes', '{1,1,2,0,1,1,1,8,1,10,10,10,0,990}', '81808080808080808001 01 00ffffde07', 'a customer is not in canonical form'),
	('an ordinary day told at length', '{1,1,2,0,1,1,1,8,1,10,10,10,0,990}', '81808080808080808001 01 ff000200de03', 'a customer is not in canonical form'),
	('an ordinary day without amounts told at length', '{1,0,0,0,1,1,1,8,1,10,10,10,0,0}', '81808080808080808001 01 ff0001', 'a customer is not in canonical form'),
	('less than nothing', '{1,1,2,0,1,1,2,8,2,10,11,10,0,990}', '81808080808080808001 02 00de03 ff0003010000', 'a customer is not in canonical form'),
	('a day begins twice', '{1,1,2,0,1,1,1,8,1,10,10,10,0,990}', '81808080808080808001 01 ffff0200de03', 'an event begins twice'),
	('a day without anything', '{1,1,2,0,1,1,2,8,1,10,11,10,0,990}', '81808080808080808001 02 00de03 ff0000000000', 'a day without orders has no refund'),
	('money without an order', '{1,1,2,0,1,1,2,8,1,10,11,10,0,1980}', '81808080808080808001 02 00de03 ff000000de03', 'a day without orders has no refund'),
	('money of unknown orders', '{1,1,2,0,1,1,2,8,2,10,11,10,0,1980}', '81808080808080808001 02 00de03 ff000201de03', 'a day has money and no order of known amount'),
	('more unknown orders than orders', '{1,1,2,0,1,1,2,8,2,10,11,10,0,990}', '81808080808080808001 02 00de03 ff0002020000', 'a day contradicts itself'),
	('no day', '{1,1,2,0,2,1,2,8,1,10,10,10,0,990}', '81808080808080808001 01 00de03 01 00', 'a customer''s number of days is impossible'),
	('too few days', '{1,1,2,0,1,1,2,8,2,10,11,10,0,1980}', '81808080808080808001 03 00de03 00de03', 'it ends within an event'),
	('bytes that follow', '{1,1,2,0,1,1,1,8,1,10,10,10,0,990}', '81808080808080808001 01 00de03 00', 'bytes follow the last customer'),
	('the same customer twice', '{1,1,2,0,2,2,2,8,2,10,10,10,0,1980}', '81808080808080808001 01 00de03 00 01 00de03', 'its customers are not in ascending order'),
	('customers beyond the greatest', '{1,1,2,0,2,2,2,8,2,10,10,10,0,1980}', '81808080808080808001 01 00de03 ffffffffffffffffff01 01 00de03', 'its customers are not in ascending order'),
	('amounts, none of them known', '{1,1,2,0,1,1,1,8,1,10,10,10,0,0}', '81808080808080808001 01 ff0002010000', 'its header does not describe its events'),
	('other orders', '{1,1,2,0,1,1,1,8,2,10,10,10,0,990}', '81808080808080808001 01 00de03', 'its header does not describe its events'),
	('other money', '{1,1,2,0,1,1,1,8,1,10,10,10,0,991}', '81808080808080808001 01 00de03', 'its header does not describe its events'),
	('negative money', '{1,1,2,0,1,1,1,8,1,10,10,10,0,-990}', '81808080808080808001 01 00de03', 'its header does not describe its events'),
	('no buyers', '{1,1,2,0,1,0,1,8,1,10,10,0,0,990}', '81808080808080808001 01 00de03', 'its header does not describe its events'),
	('a later last day', '{1,1,2,0,1,1,1,8,1,10,11,10,0,990}', '81808080808080808001 01 00de03', 'its header does not describe its events'),
	('an earlier last day', '{1,1,2,0,1,1,1,8,1,10,10,10,0,990}', '81808080808080808001 01 01de03', 'a day is (out of range|after the last one)|a purchase is before the first one'),
	('an earlier first day', '{1,1,2,0,1,1,1,8,1,9,10,10,0,990}', '81808080808080808001 01 01de03', 'its header does not describe its events'),
	('a later first purchase', '{1,1,2,0,1,1,2,8,2,10,11,11,0,1980}', '81808080808080808001 02 00de03 00de03', 'a day is (out of range|after the last one)|a purchase is before the first one'),
	('an earlier first purchase', '{1,1,2,0,1,1,2,8,1,10,11,10,0,0}', '81808080808080808001 02 ff000100de03 00de03', 'its header does not describe its events'),
	('more customers', '{1,1,2,0,2,1,2,8,1,10,10,10,0,990}', '81808080808080808001 01 00de03', 'a number is cut short or too large'),
	('21 decimals', '{1,1,21,0,1,1,1,8,1,10,10,10,0,990}', '81808080808080808001 01 00de03', 'its scale is impossible'),
	('decimals without amounts', '{1,0,2,0,1,1,1,8,1,10,10,10,0,0}', '81808080808080808001 01 00', 'its scale is impossible'),
	('a flag of the future', '{1,3,2,0,1,1,1,8,1,10,10,10,0,990}', '81808080808080808001 01 00de03', 'its reserved bytes are not zero'),
	('reserved bytes', '{1,1,2,1,1,1,1,8,1,10,10,10,0,990}', '81808080808080808001 01 00de03', 'its reserved bytes are not zero'),
	('more reserved bytes', '{1,1,2,0,1,1,1,8,1,10,10,10,1,990}', '81808080808080808001 01 00de03', 'its reserved bytes are not zero'),
	('a key type of the future', '{4,1,2,0,1,1,1,8,1,10,10,10,0,990}', '81808080808080808001 01 00de03', 'its key type is unknown'),
	('days of infinity', '{1,1,2,0,1,1,1,8,1,2145031949,2145031949,2145031949,0,990}', '81808080808080808001 01 00de03', 'its days are impossible'),
	('no customers', '{1,0,0,0,0,0,0,8,0,10,10,0,0,0}', '', 'its counts are impossible'),
	('a sound text', '{2,0,0,0,2,2,2,3,2,10,10,10,0,0}', '0003616263 0100 0201640100', NULL),
	('a prefix shared in part', '{2,0,0,0,2,2,2,3,2,10,10,10,0,0}', '0003616263 0100 010262640100', 'a customer is not in canonical form'),
	('a prefix that is not there', '{2,0,0,0,2,2,2,4,2,10,10,10,0,0}', '0003616263 0100 0401640100', 'a key shares more bytes than there are'),
	('a key that ends after the value', '{2,0,0,0,2,2,2,18,2,10,10,10,0,0}', '0003616263 0100 0210640100', 'a key is longer than the longest'),
	('a key longer than the longest', '{2,0,0,0,2,2,2,2,2,10,10,10,0,0}', '0003616263 0100 0201640100', 'a key is longer than the longest'),
	('a longest key that is not there', '{2,0,0,0,2,2,2,4,2,10,10,10,0,0}', '0003616263 0100 0201640100', 'its header does not describe its events'),
	('texts out of order', '{2,0,0,0,2,2,2,3,2,10,10,10,0,0}', '0003616264 0100 0201630100', 'its customers are not in ascending order'),
	('a text that is no text', '{2,0,0,0,1,1,1,2,1,10,10,10,0,0}', '0002c328 0100', CASE getdatabaseencoding() WHEN 'UTF8' THEN 'a key is not valid text in this database''s encoding' END),
	('a text with a zero byte', '{2,0,0,0,1,1,1,2,1,10,10,10,0,0}', '00026100 0100', 'a key is not valid text in this database''s encoding'),
	('a sound uuid', '{3,0,0,0,2,2,2,16,2,10,10,10,0,0}', '00000102030405060708090a0b0c0d0e0f 0100 0f100100', NULL),
	('a uuid cut off', '{3,0,0,0,2,2,2,16,2,10,10,10,0,0}', '00000102030405060708090a0b0c0d0e0f 0100 0f', 'a key is longer than the longest'),
	('a uuid of 17 bytes', '{3,0,0,0,1,1,1,17,1,10,10,10,0,0}', '00000102030405060708090a0b0c0d0e0f10 0100', 'its key size is impossible'),
	('a uuid twice', '{3,0,0,0,2,2,2,16,2,10,10,10,0,0}', '00000102030405060708090a0b0c0d0e0f 0100 10 0100', 'its customers are not in ascending order');
CREATE FUNCTION damage_of(value text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
	RETURN CASE WHEN value::customer_history::text <> value THEN 'another text' END;
EXCEPTION WHEN invalid_text_representation THEN
	RETURN replace(SQLERRM, 'invalid value for type customer_history: ', '');
END
$$;
SELECT CASE WHEN wanted IS NULL THEN is(damage_of(crafted(header, records)), NULL, what) ELSE matches(damage_of(crafted(header, records)), '^(' || wanted || ')$', what) END FROM craft;

-- ---------- by chance ----------

-- sound ones: the three types of keys, with and without amounts, from one customer to one that is merged as a whole; the long
-- ones take longer
CREATE TABLE sound (id int PRIMARY KEY, kind text, value loyalty.customer_history, bytes bytea, weight float8);
INSERT INTO sound (id, kind, value)
VALUES (1, 'bigint', (SELECT customer_history(7, date '2024-01-01', 9.90))),
	   (2, 'text', (SELECT customer_history('', date '2024-01-01'))),
	   (3, 'uuid', (SELECT customer_history(md5(random()::text)::uuid, date '2024-01-01', -5))),
	   (4, 'bigint', (SELECT customer_history((random() * 100 - 50)::bigint, date '2023-01-01' + (random() * 900)::int, (random() * 1000 - 200)::numeric(12, 2)) FROM generate_series(1, 60))),
	   (5, 'text', (SELECT customer_history('customer-' || (random() * 30)::int, date '2023-01-01' + (random() * 900)::int, CASE WHEN random() < 0.8 THEN (random() * 1e7)::numeric(12, 3) END) FROM generate_series(1, 60))),
	   (6, 'uuid', (SELECT customer_history(('00000000-0000-4000-8000-0000000000' || to_char((random() * 30)::int, 'FM00'))::uuid, date '2023-01-01' + (random() * 9)::int, (random() * 1e25)::numeric(40, 8)) FROM generate_series(1, 60))),
	   (7, 'bigint', (SELECT customer_history(hashint8extended(i, 1), date '4714-11-24 BC' + (random() * 2147483492)::int) FROM generate_series(1, 40) AS i)),
	   (8, 'text', (SELECT customer_history(repeat('é', 200 * (i % 9)) || i, date '2023-01-01' + (random() * 900)::int, 1) FROM generate_series(1, 40) AS i)),
	   (9, 'bigint', (SELECT customer_history(i % 400, date '2023-01-01' + (random() * 900)::int, (random() * 100)::numeric(12, 2)) FROM generate_series(1, 2000) AS i)),
	   (10, 'uuid', (SELECT customer_history(md5(i::text)::uuid, date '2023-01-01' + (random() * 900)::int) FROM generate_series(1, 5000) AS i));
-- many orders on a day
INSERT INTO sound (id, kind, value) SELECT 11, 'bigint', rollup(value) FROM sound, generate_series(1, 1000) WHERE id = 4;
UPDATE sound SET bytes = customer_history_send(value);
INSERT INTO sound (id, kind, bytes)
VALUES (12, 'bigint', (SELECT unfinished(i, date '2024-01-01', 1.1 * i)::bytea FROM generate_series(1, 4) AS i)),
	   (13, 'text', (SELECT unfinished(repeat('k', (random() * 20)::int), date '2024-01-01', (random() * 1e12)::numeric(20, 2))::bytea FROM generate_series(1, 9) AS i)),
	   (14, 'uuid', (SELECT unfinished(md5(i::text)::uuid, date '2024-01-01', random()::numeric)::bytea FROM generate_series(1, 50) AS i));
UPDATE sound SET weight = CASE WHEN id <= 3 THEN 3 WHEN id <= 8 THEN 10 WHEN id = 10 THEN 0.3 WHEN id = 12 THEN 1.5 WHEN id > 12 THEN 3 ELSE 1 END;	-- the smallest come out alike
SELECT cmp_ok(max(length(bytes)), '>', 65536, 'the longest is merged as a whole') FROM sound;

CREATE FUNCTION header_fields() RETURNS int[]
LANGUAGE sql IMMUTABLE AS $$ SELECT '{{0,1},{1,1},{2,1},{3,1},{4,4},{8,4},{12,4},{16,4},{20,4},{24,8},{32,4},{36,4},{40,4},{44,4},{48,16}}'::int[] $$;
CREATE FUNCTION stored(bytes bytea) RETURNS loyalty.customer_history
LANGUAGE sql IMMUTABLE AS $$ SELECT bytes::loyalty.customer_history $$;
CREATE FUNCTION wire(bytes bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE AS $$ SELECT bytes $$;
CREATE FUNCTION text_form(bytes bytea) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT '1:' || translate(encode(bytes, 'base64'), E'\n', '') $$;
CREATE FUNCTION from_text(letters text) RETURNS loyalty.customer_history
LANGUAGE sql IMMUTABLE AS $$ SELECT letters::loyalty.customer_history $$;
CREATE FUNCTION rebuilt(value loyalty.customer_history) RETURNS bytea
LANGUAGE sql IMMUTABLE AS $$ SELECT loyalty.customer_history_send(loyalty.rollup(x)) FROM (VALUES (value)) AS v(x) $$;

-- every call that reads a history: $1 is the damaged one, $2 a sound one
CREATE TABLE call (query text, always boolean NOT NULL DEFAULT false);
INSERT INTO call (query) VALUES
	('SELECT $1::text'), ('SELECT customer_history_send($1)'), ('SELECT $1 = $2'), ('SELECT $2 < $1'), ('SELECT customer_history_hash($1)'),
	('SELECT $1 + $2'), ('SELECT $2 + $1'), ('SELECT $1 + $1'),
	('SELECT rollup(x) FROM (VALUES ($1)) AS v(x)'), ('SELECT rollup(x) FROM (VALUES ($2), ($1), (NULL), ($1)) AS v(x)'),
	('SELECT rollup(x) OVER (ORDER BY n) FROM (VALUES (1, $1), (2, $2)) AS v(n, x)'),
	('SELECT array_agg(DISTINCT x) FROM (VALUES ($1), ($2), ($1)) AS v(x)');
-- and every function there is: history arguments are given the damaged one, others keep their default or get an ordinary value
INSERT INTO call (query)
SELECT format('SELECT count(md5(r::text)) FROM %s(%s) AS r', p.oid::regproc,
			  string_agg(CASE type WHEN 'loyalty.customer_history'::regtype THEN '$1' WHEN 'date'::regtype THEN 'date ''2024-06-01''' WHEN 'integer'::regtype THEN '30'
						 WHEN 'bigint'::regtype THEN '30' WHEN 'anyelement'::regtype THEN 'NULL::' || key_type ELSE 'NULL::' || type::regtype END, ', ' ORDER BY n))
FROM pg_proc AS p, unnest(proargtypes) WITH ORDINALITY AS a(type, n), unnest('{bigint,text,uuid}'::text[]) AS key_type
WHERE pronamespace = 'loyalty'::regnamespace AND prokind = 'f' AND n <= pronargs - pronargdefaults
	AND 'loyalty.customer_history'::regtype = ANY (proargtypes::oid[])
	AND proname !~ '_(transition|combine|final|in|out|recv)$'
	AND proname NOT IN ('mbg_nbd_fit', 'pareto_nbd_fit', 'gamma_gamma_fit', 'clv_as')	-- they read as others do, and take longer
	AND (key_type = 'bigint' OR 'anyelement'::regtype = ANY (proargtypes::oid[]))
GROUP BY p.oid, key_type;
-- reports with arguments that make them read more
INSERT INTO call (query)
SELECT format('SELECT count(md5(r::text)) FROM %s($1, %s) AS r', name, arguments)
FROM (VALUES ('retention', 'period => ''week'', kind => ''streak'', cohort => ''all'''), ('retention', 'period => ''year'', kind => ''on_or_before'', observed_since => date ''2023-06-01'''),
			 ('rolling_retention', 'kind => ''streak'''), ('repurchase', 'cohort => ''all'', same_day => true'), ('growth', 'period => ''quarter'', lapse => 3'),
			 ('purchases', 'period => ''all'''), ('history_between', 'from_day => date ''2023-06-01'', to_day => date ''2024-01-01''')) AS v(name, arguments)
WHERE EXISTS (SELECT FROM pg_proc WHERE proname = name AND pronamespace = 'loyalty'::regnamespace);
INSERT INTO call (query)
SELECT 'SELECT $1::jsonb::text' FROM pg_cast WHERE castsource = 'loyalty.customer_history'::regtype AND casttarget = 'jsonb'::regtype;
-- every value goes through these, each of the others is tried with some
UPDATE call SET always = query IN ('SELECT $1::text', 'SELECT customer_history_send($1)', 'SELECT $1 = $2', 'SELECT customer_history_hash($1)', 'SELECT $1 + $1',
								   'SELECT rollup(x) FROM (VALUES ($1)) AS v(x)') OR query ~ ' (loyalty\.)?(customers|orders|revenue|first_day|last_day)\(';
SELECT cmp_ok(count(*), '>=', 25::bigint, 'there are calls to try') FROM call;

\set values histories
\ir include/attack.sql

SELECT * FROM finish();
