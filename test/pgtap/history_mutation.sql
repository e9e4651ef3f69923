-- Thousands of damaged histories: through text, through binary COPY, and as
-- stored values through every function that takes one.  Each ends in a result
-- or in an orderly error; and what input accepts is sound: it survives being
-- taken apart and put together.
--
-- All damage is random. A failure shows the seed: LOYALTY_SEED=… repeats it.

\getenv seed LOYALTY_SEED
\if :{?seed}
\else
SELECT (random() * 1e9)::int AS seed \gset
\endif
\warn '# history_mutation: seed' :seed
\getenv scratch LOYALTY_SCRATCH

SET client_min_messages = error;	-- not that the fit of noise did not converge
SET search_path = public, loyalty;
SET jit = off;
SET statement_timeout = '20s';
SELECT pg_backend_pid() AS backend \gset
SELECT no_plan();

-- what a disk does to a value, no function sees
CREATE CAST (bytea AS loyalty.customer_history) WITHOUT FUNCTION;
CREATE CAST (loyalty.customer_history AS bytea) WITHOUT FUNCTION;
-- gives what the aggregate has in hand, which is never stored; still, a disk may hold anything
CREATE AGGREGATE unfinished(bigint, date, numeric) (SFUNC = loyalty.customer_history_transition, STYPE = loyalty.customer_history);
CREATE AGGREGATE unfinished(text, date, numeric) (SFUNC = loyalty.customer_history_transition, STYPE = loyalty.customer_history);
CREATE AGGREGATE unfinished(uuid, date, numeric) (SFUNC = loyalty.customer_history_transition, STYPE = loyalty.customer_history);

SELECT setseed(:seed / 1e9)
\g /dev/null

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
	('a text that is no text', '{2,0,0,0,1,1,1,2,1,10,10,10,0,0}', '0002c328 0100', 'a key is not valid text in this database''s encoding'),
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

-- sound ones: the three types of keys, with and without amounts, from one customer to one that is merged as a whole
CREATE TABLE sound (id int PRIMARY KEY, key_type text, h loyalty.customer_history, bytes bytea);
INSERT INTO sound (id, key_type, h)
VALUES (1, 'bigint', (SELECT customer_history(7, date '2024-01-01', 9.90))),
	   (2, 'text', (SELECT customer_history('', date '2024-01-01'))),
	   (3, 'uuid', (SELECT customer_history(gen_random_uuid(), date '2024-01-01', -5))),
	   (4, 'bigint', (SELECT customer_history((random() * 100 - 50)::bigint, date '2023-01-01' + (random() * 900)::int, (random() * 1000 - 200)::numeric(12, 2)) FROM generate_series(1, 60))),
	   (5, 'text', (SELECT customer_history('customer-' || (random() * 30)::int, date '2023-01-01' + (random() * 900)::int, CASE WHEN random() < 0.8 THEN (random() * 1e7)::numeric(12, 3) END) FROM generate_series(1, 60))),
	   (6, 'uuid', (SELECT customer_history(('00000000-0000-4000-8000-0000000000' || to_char((random() * 30)::int, 'FM00'))::uuid, date '2023-01-01' + (random() * 9)::int, (random() * 1e25)::numeric(40, 8)) FROM generate_series(1, 60))),
	   (7, 'bigint', (SELECT customer_history(hashint8extended(i, 1), date '4714-11-24 BC' + (random() * 2147483492)::int) FROM generate_series(1, 40) AS i)),
	   (8, 'text', (SELECT customer_history(repeat('é', 200 * (i % 9)) || i, date '2023-01-01' + (random() * 900)::int, 1) FROM generate_series(1, 40) AS i)),
	   (9, 'bigint', (SELECT customer_history(i % 400, date '2023-01-01' + (random() * 900)::int, (random() * 100)::numeric(12, 2)) FROM generate_series(1, 2000) AS i)),
	   (10, 'uuid', (SELECT customer_history(md5(i::text)::uuid, date '2023-01-01' + (random() * 900)::int) FROM generate_series(1, 5000) AS i));
-- many orders on a day
INSERT INTO sound (id, key_type, h) SELECT 11, 'bigint', rollup(h) FROM sound, generate_series(1, 1000) WHERE id = 4;
UPDATE sound SET bytes = customer_history_send(h);
INSERT INTO sound (id, key_type, bytes)
VALUES (12, 'bigint', (SELECT unfinished(i, date '2024-01-01', 1.1 * i)::bytea FROM generate_series(1, 4) AS i)),
	   (13, 'text', (SELECT unfinished(repeat('k', (random() * 20)::int), date '2024-01-01', (random() * 1e12)::numeric(20, 2))::bytea FROM generate_series(1, 9) AS i)),
	   (14, 'uuid', (SELECT unfinished(md5(i::text)::uuid, date '2024-01-01', random()::numeric)::bytea FROM generate_series(1, 50) AS i));
SELECT cmp_ok(max(length(bytes)), '>', 65536, 'the longest is merged as a whole') FROM sound;

CREATE FUNCTION random_bytes(n int) RETURNS bytea
LANGUAGE sql AS $$
	SELECT coalesce(string_agg(set_byte('\x00', 0, CASE (random() * 4)::int WHEN 0 THEN 0 WHEN 1 THEN 255 ELSE floor(random() * 256)::int END), ''), '') FROM generate_series(1, n)
$$;

-- the value with one to four pieces of damage
CREATE FUNCTION damaged(bytes bytea) RETURNS bytea
LANGUAGE plpgsql AS $$
DECLARE
	size int;
	at int;
	other int;
	count int;
	header_field int[];
BEGIN
	FOR piece IN 1 .. 1 + floor(random() * random() * 4)::int LOOP
		size := length(bytes);
		-- the header is a small part of most, and the most interesting one
		at := CASE WHEN random() < 0.4 THEN floor(random() * least(size, 80)) ELSE floor(random() * size) END;
		other := floor(random() * size);
		count := floor(random() ^ 3 * 20)::int;
		IF size = 0 THEN
			RETURN random_bytes(count);
		END IF;
		CASE floor(random() * 12)::int
			WHEN 0, 1, 2 THEN	-- another byte
				bytes := set_byte(bytes, at, floor(random() * 256)::int);
			WHEN 3 THEN			-- one more, one less, another bit
				bytes := set_byte(bytes, at, (get_byte(bytes, at) + (ARRAY[1, 255, 128, 64])[1 + floor(random() * 4)::int]) % 256);
			WHEN 4 THEN			-- cut off
				bytes := substr(bytes, 1, CASE WHEN random() < 0.5 THEN greatest(size - count, 0) ELSE at END);
			WHEN 5 THEN			-- too much at the end
				bytes := bytes || random_bytes(1 + count);
			WHEN 6 THEN			-- bytes that come in between
				bytes := overlay(bytes PLACING random_bytes(1 + count) FROM at + 1 FOR 0);
			WHEN 7 THEN			-- bytes that are lost
				bytes := overlay(bytes PLACING '' FROM at + 1 FOR 1 + count);
			WHEN 8 THEN			-- a piece twice
				bytes := overlay(bytes PLACING substr(bytes, other + 1, 1 + count) FROM at + 1 FOR 0);
			WHEN 9 THEN			-- two pieces that change places
				bytes := overlay(overlay(bytes PLACING substr(bytes, other + 1, 1 + count) FROM at + 1) PLACING substr(bytes, at + 1, 1 + count) FROM other + 1);
			WHEN 10 THEN		-- other bytes
				bytes := overlay(bytes PLACING random_bytes(1 + count) FROM at + 1);
			ELSE				-- a field of the header at an extreme: its first byte and its size
				header_field := (ARRAY['{0,1}', '{1,1}', '{2,1}', '{3,1}', '{4,4}', '{8,4}', '{12,4}', '{16,4}', '{20,4}', '{24,8}', '{32,4}', '{36,4}', '{40,4}', '{44,4}', '{48,16}'])[1 + floor(random() * 15)::int];
				bytes := overlay(bytes PLACING
					(SELECT string_agg(b, '') FROM (
						SELECT CASE WHEN kind = 0 THEN '\x00' WHEN kind = 1 THEN '\xff'::bytea
									WHEN kind = 2 THEN CASE WHEN i = header_field[2] THEN '\x7f' ELSE '\xff'::bytea END
									WHEN kind = 3 THEN CASE WHEN i = header_field[2] THEN '\x80' ELSE '\x00'::bytea END
									WHEN kind = 4 THEN CASE WHEN i = 1 THEN '\x01' ELSE '\x00'::bytea END
									ELSE random_bytes(1) END AS b
						FROM (SELECT floor(random() * 6)::int AS kind) AS k, generate_series(1, header_field[2]) AS i) AS f) FROM header_field[1] + 1);
		END CASE;
	END LOOP;
	RETURN bytes;
END
$$;

-- every call that reads a history: $1 is the damaged one, $2 a sound one
CREATE TABLE call (query text);
INSERT INTO call VALUES
	('SELECT $1::text'), ('SELECT customer_history_send($1)'), ('SELECT $1 = $2'), ('SELECT $2 < $1'), ('SELECT customer_history_hash($1)'),
	('SELECT $1 + $2'), ('SELECT $2 + $1'), ('SELECT $1 + $1'),
	('SELECT rollup(x) FROM (VALUES ($1)) AS v(x)'), ('SELECT rollup(x) FROM (VALUES ($2), ($1), (NULL), ($1)) AS v(x)'),
	('SELECT rollup(x) OVER (ORDER BY n) FROM (VALUES (1, $1), (2, $2)) AS v(n, x)'),
	('SELECT array_agg(DISTINCT x) FROM (VALUES ($1), ($2), ($1)) AS v(x)');
-- and every function there is: history arguments are given the damaged one, others keep their default or get an ordinary value
INSERT INTO call
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
INSERT INTO call
SELECT format('SELECT count(md5(r::text)) FROM %s($1, %s) AS r', name, arguments)
FROM (VALUES ('retention', 'period => ''week'', kind => ''streak'', cohort => ''all'''), ('retention', 'period => ''year'', kind => ''on_or_before'', observed_since => date ''2023-06-01'''),
			 ('rolling_retention', 'kind => ''streak'''), ('repurchase', 'cohort => ''all'', same_day => true'), ('growth', 'period => ''quarter'', lapse => 3'),
			 ('purchases', 'period => ''all'''), ('history_between', 'from_day => date ''2023-06-01'', to_day => date ''2024-01-01''')) AS v(name, arguments)
WHERE EXISTS (SELECT FROM pg_proc WHERE proname = name AND pronamespace = 'loyalty'::regnamespace);
INSERT INTO call
SELECT 'SELECT $1::jsonb::text' FROM pg_cast WHERE castsource = 'loyalty.customer_history'::regtype AND casttarget = 'jsonb'::regtype;
SELECT cmp_ok(count(*), '>=', 25::bigint, 'there are calls to try') FROM call;

-- What is an orderly error.  22: data exceptions; 54000: too large, too many periods; XX001: damaged; and 42804, when damage
-- makes a value one of another type of key, which does not merge with the sound one.
CREATE FUNCTION orderly(state text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$ SELECT state ~ '^22' OR state IN ('54000', 'XX001', '42804') $$;

CREATE TABLE arrived (h loyalty.customer_history);
CREATE TABLE departing (h loyalty.customer_history);

/*
 * Tries the values of these numbers; one line of TAP.  Value n is the same in
 * every run with the seed, whatever other values are tried.
 */
CREATE FUNCTION attack(seed int, scratch text, first_case int, last_case int) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
	n int;
	base_id int;
	base record;
	bytes bytea;
	h loyalty.customer_history;
	partner loyalty.customer_history;
	letters text;
	query text;
	accepted boolean;
	message text;
	accepted_count int := 0;
	errors int := 0;
	started timestamptz;
BEGIN
	FOR n IN first_case .. last_case LOOP
		PERFORM setseed((hashint8extended(n, seed) % 1000000000) / 1e9);
		-- the long ones take longer
		base_id := 1 + CASE WHEN random() < 0.1 THEN floor(random() * 14) ELSE floor(random() * 8) END;
		IF random() < 0.1 THEN
			base_id := 12 + floor(random() * 3);
		END IF;
		SELECT * INTO STRICT base FROM sound WHERE id = base_id;
		SELECT s.h INTO partner FROM sound AS s WHERE s.key_type = base.key_type AND s.h IS NOT NULL ORDER BY random() LIMIT 1;
		bytes := CASE WHEN random() < 0.01 THEN random_bytes(floor(random() * 300)::int) ELSE damaged(base.bytes) END;
		CONTINUE WHEN bytes = base.bytes;
		started := clock_timestamp();

		-- as text
		accepted := false;
		query := 'text';
		BEGIN
			letters := '1:' || translate(encode(bytes, 'base64'), E'\n', '');
			IF random() < 0.1 THEN
				letters := overlay(letters PLACING chr(33 + floor(random() * 90)::int) FROM 1 + floor(random() * length(letters))::int FOR floor(random() * 3)::int);
			END IF;
			h := letters::loyalty.customer_history;
			accepted := letters = h::text;
			bytes := customer_history_send(h);
		EXCEPTION WHEN OTHERS THEN
			errors := errors + 1;
			IF NOT orderly(SQLSTATE) OR SQLSTATE = 'XX001' THEN
				RETURN NEXT fail(format('value %s, %s', n, query)) || E'\n' || diag(format('seed %s: %s %s', seed, SQLSTATE, SQLERRM));
			END IF;
		END;

		-- through binary COPY, whose input accepts what text does; output may find a state damaged
		query := 'binary COPY';
		BEGIN
			TRUNCATE departing, arrived;
			INSERT INTO departing VALUES (bytes::loyalty.customer_history);
			EXECUTE format('COPY departing TO %L (FORMAT binary)', scratch || '/history_mutation.copy');
			query := 'binary COPY FROM';
			EXECUTE format('COPY arrived FROM %L (FORMAT binary)', scratch || '/history_mutation.copy');
			accepted_count := accepted_count + 1;
			IF NOT accepted AND base_id < 12 THEN
				-- the text may have been damaged further
				h := ('1:' || translate(encode(bytes, 'base64'), E'\n', ''))::loyalty.customer_history;
				accepted := true;
			END IF;
		EXCEPTION WHEN OTHERS THEN
			IF NOT orderly(SQLSTATE) OR (SQLSTATE = 'XX001' AND query = 'binary COPY FROM') OR accepted THEN
				RETURN NEXT fail(format('value %s, %s', n, query)) || E'\n' || diag(format('seed %s: %s %s', seed, SQLSTATE, SQLERRM));
			END IF;
		END;

		-- what is accepted is what building it would give
		h := bytes::loyalty.customer_history;
		IF accepted AND (SELECT customer_history_send(rollup(x)) FROM (VALUES (h)) AS v(x)) <> bytes THEN
			RETURN NEXT fail(format('value %s is accepted', n)) || E'\n' || diag(format('seed %s: and it is another when it is put together again', seed));
		END IF;

		-- as a stored value
		FOR query IN SELECT call.query FROM call LOOP
			BEGIN
				EXECUTE query USING h, partner;
			EXCEPTION WHEN OTHERS OR query_canceled THEN
				IF NOT orderly(SQLSTATE) OR (accepted AND SQLSTATE = 'XX001') THEN
					RETURN NEXT fail(format('value %s, %s', n, query)) || E'\n' || diag(format('seed %s: %s %s%s', seed, SQLSTATE, SQLERRM, CASE WHEN accepted THEN ', though input accepts it' END));
				END IF;
			END;
		END LOOP;
		IF clock_timestamp() > started + interval '3 s' THEN
			RETURN NEXT fail(format('value %s', n)) || E'\n' || diag(format('seed %s: it took %s', seed, clock_timestamp() - started));
		END IF;
	END LOOP;
	RETURN NEXT pass(format('values %s to %s: %s were refused as text, %s accepted in binary', first_case, last_case, errors, accepted_count));
END
$$;

SELECT format('SELECT attack(%s, %L, %s, %s)', :seed, :'scratch', n * 100 + 1, n * 100 + 100) FROM generate_series(0, 19) AS n
\gexec

SELECT is(pg_backend_pid(), :backend, 'the server process lives');

SELECT * FROM finish();
