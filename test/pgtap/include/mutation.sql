-- For tests that damage values of a type by chance, by the tens of thousands:
-- \ir include/mutation.sql
--
-- Each value is given to text and to binary input, and then, as what a disk
-- may hold, to functions.  All has to end in a result or an orderly error; and
-- input must agree with itself: text and binary form take the same values,
-- and what they take is what putting the value together again gives.
--
-- The test that includes this creates
--	sound (id, kind, value, bytes, weight)	what is damaged, how it lies on disk, and how often it is taken, of all weights
--	call (query, always)	what to do with a damaged value, $1; $2 is a sound one of the same kind
--	stored(bytea), wire(bytea), text_form(bytea), from_text(text), rebuilt(value)	the forms of a value
--	header_fields()		first byte and size of each field before the data
-- and then calls prepare_attack() and attack_all().
--
-- LOYALTY_MUTATIONS: so many different damaged values, instead of :mutations.

\getenv mutations LOYALTY_MUTATIONS
\ir seed.sql
\getenv scratch LOYALTY_SCRATCH
-- under valgrind everything takes longer
\set slowness 1
\getenv slowness LOYALTY_SLOWNESS

SET client_min_messages = error;	-- not that the fit of noise did not converge
SET search_path = public, loyalty;
SET jit = off;
SET check_function_bodies = off;	-- attack() names what the test creates later
SELECT set_config('statement_timeout', 20 * :slowness || 's', false)
\g /dev/null
SELECT pg_backend_pid() AS backend \gset

CREATE FUNCTION random_bytes(n int) RETURNS bytea
LANGUAGE plpgsql AS $$
DECLARE
	bytes bytea := '';
BEGIN
	FOR i IN 1 .. n LOOP
		bytes := bytes || CASE (random() * 4)::int WHEN 0 THEN '\x00' WHEN 1 THEN '\xff' ELSE set_byte('\x00', 0, floor(random() * 256)::int) END;
	END LOOP;
	RETURN bytes;
END
$$;

-- the value with one to four pieces of damage; fields: those of the header, the first byte and the size of each
CREATE FUNCTION damaged(bytes bytea, fields int[]) RETURNS bytea
LANGUAGE plpgsql AS $$
DECLARE
	header int := fields[array_upper(fields, 1)][1] + fields[array_upper(fields, 1)][2] + 16;
	size int;
	at int;
	other int;
	count int;
	field int;
	field_size int;
	extreme bytea;
BEGIN
	FOR piece IN 1 .. 1 + floor(random() * random() * 4)::int LOOP
		size := length(bytes);
		-- the header is a small part of most, and the most interesting one
		at := CASE WHEN random() < 0.4 THEN floor(random() * least(size, header)) ELSE floor(random() * size) END;
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
			ELSE				-- a field of the header at an extreme
				field := 1 + floor(random() * array_length(fields, 1));
				field_size := fields[field][2];
				extreme := CASE floor(random() * 6)::int
					WHEN 0 THEN decode(repeat('00', field_size), 'hex')
					WHEN 1 THEN decode(repeat('ff', field_size), 'hex')
					WHEN 2 THEN decode(repeat('ff', field_size - 1) || '7f', 'hex')
					WHEN 3 THEN decode(repeat('00', field_size - 1) || '80', 'hex')
					WHEN 4 THEN decode('01' || repeat('00', field_size - 1), 'hex')
					ELSE random_bytes(field_size) END;
				bytes := overlay(bytes PLACING extreme FROM fields[field][1] + 1);
		END CASE;
	END LOOP;
	RETURN bytes;
END
$$;

-- What is an orderly error.  22: data exceptions; 54000: too large, too many periods; XX001: damaged.
CREATE FUNCTION orderly(state text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$ SELECT state ~ '^22' OR state IN ('54000', 'XX001') $$;

CREATE FUNCTION failure(seed int, n int, step text, what text) RETURNS text
LANGUAGE sql AS $$ SELECT fail(format('value %s: %s', n, step)) || E'\n' || diag(format('LOYALTY_SEED=%s: %s', seed, what)) $$;

CREATE FUNCTION prepare_attack() RETURNS void
LANGUAGE plpgsql AS $prepare$
DECLARE
	type text := (SELECT atttypid::regtype FROM pg_attribute WHERE attrelid = 'sound'::regclass AND attname = 'value');
	calls text;
BEGIN
	EXECUTE format('CREATE TABLE arrived (value %s)', type);
	CREATE TABLE tried (digest bytea PRIMARY KEY);
	CREATE TABLE accepted (bytes bytea);
	CREATE TABLE target AS
	SELECT s.*, sum(weight) OVER (ORDER BY id) / sum(weight) OVER () AS until,
		   ARRAY(SELECT o.id FROM sound AS o WHERE o.kind = s.kind AND o.value IS NOT NULL) AS partners
	FROM sound AS s;

	/*
	 * One function has all calls in it, so that each is planned once.  It
	 * tells of what did not end in a result or an orderly error.  Damage may
	 * make a value one of another kind, which does not go with the sound one.
	 */
	SELECT string_agg(format($call$
	IF %s thorough OR random() < share THEN
		BEGIN
			PERFORM %s;
		EXCEPTION WHEN OTHERS OR query_canceled THEN
			IF NOT (public.orderly(SQLSTATE) OR SQLSTATE = '42804' AND %s) OR (accepted AND SQLSTATE = 'XX001') THEN
				RETURN NEXT format(E'%%s: %%s %%s%%s', %L, SQLSTATE, SQLERRM, CASE WHEN accepted THEN ', though input accepts it' END);
			END IF;
		END;
	END IF;$call$, CASE WHEN always THEN 'true OR' END, substr(query, 8), CASE WHEN query ~ '\$2|NULL::' THEN 'true' ELSE 'false' END, query), '')
	INTO calls FROM call;
	EXECUTE format('CREATE FUNCTION call_all(value %1$s, partner %1$s, accepted boolean, thorough boolean, share float8) RETURNS SETOF text LANGUAGE plpgsql AS %2$L',
				   type, 'BEGIN' || calls || E'\nEND');
END
$prepare$;

/*
 * Tries the values of these numbers; one line of TAP, and one for whatever
 * fails.  Value n is the same in every run with the seed, whatever other
 * values are tried.
 */
CREATE FUNCTION attack(seed int, scratch text, slowness float8, first_case int, last_case int) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
	fields int[] := header_fields();
	share float8 := 2.0 / (SELECT count(*) FROM call WHERE NOT always);	-- two of the other calls for a value
	file text := scratch || '/mutation.copy';
	pick float8;
	base record;
	bytes bytea;
	v sound.value%TYPE;
	copied sound.value%TYPE;
	partner sound.value%TYPE;
	letters text;
	as_text boolean;
	step text;
	what text;
	started timestamptz;
	in_binary int := 0;
	kept int;
BEGIN
	FOR n IN first_case .. last_case LOOP
		PERFORM setseed((hashint8extended(n, seed) % 1000000000) / 1e9);
		pick := random();
		SELECT * INTO STRICT base FROM target WHERE until > pick ORDER BY until LIMIT 1;
		pick := random();
		SELECT value INTO STRICT partner FROM sound WHERE id = base.partners[1 + floor(pick * array_length(base.partners, 1))];
		bytes := CASE WHEN random() < 0.01 THEN random_bytes(floor(random() * 300)::int) ELSE damaged(base.bytes, fields) END;
		CONTINUE WHEN bytes = base.bytes;
		INSERT INTO tried VALUES (sha224(bytes)) ON CONFLICT DO NOTHING;
		CONTINUE WHEN NOT FOUND;
		started := clock_timestamp();
		v := stored(bytes);

		-- as text
		as_text := false;
		letters := NULL;
		step := 'text output';
		BEGIN
			letters := text_form(bytes);
			step := 'text input';
			copied := from_text(letters);
			as_text := true;
			IF letters <> copied::text THEN
				RETURN NEXT failure(seed, n, step, 'it is accepted, and another comes out');
			END IF;
		EXCEPTION WHEN OTHERS THEN
			IF NOT orderly(SQLSTATE) OR (SQLSTATE = 'XX001' AND step = 'text input') THEN
				RETURN NEXT failure(seed, n, step, SQLSTATE || ' ' || SQLERRM);
			END IF;
		END;

		-- in binary form: what text refuses is refused, which takes a file each and is tried with some; the rest follows below
		IF as_text THEN
			INSERT INTO accepted VALUES (bytes);
			-- what is accepted is what building it would give
			IF rebuilt(copied) <> bytes THEN
				RETURN NEXT failure(seed, n, 'it is accepted', 'and when it is put together again, it is another');
			END IF;
		ELSIF n % 10 = 0 THEN
			in_binary := in_binary + 1;
			EXECUTE format('COPY (SELECT %L::bytea) TO %L (FORMAT binary)', wire(bytes), file);
			BEGIN
				EXECUTE format('COPY arrived FROM %L (FORMAT binary)', file);
				RETURN NEXT failure(seed, n, 'binary input', 'it accepts what text input refuses');
			EXCEPTION WHEN OTHERS THEN
				IF NOT orderly(SQLSTATE) OR SQLSTATE = 'XX001' THEN
					RETURN NEXT failure(seed, n, 'binary input', SQLSTATE || ' ' || SQLERRM);
				END IF;
			END;
		END IF;

		-- with damage to the text itself, which may mean the same
		IF random() < 0.1 THEN
			BEGIN
				letters := coalesce(letters, base.value::text, '');
				letters := overlay(letters PLACING chr(33 + floor(random() * 90)::int) FROM 1 + floor(random() * length(letters))::int FOR floor(random() * 3)::int);
				copied := from_text(letters);
				IF rebuilt(copied) <> copied::bytea OR from_text(copied::text) <> copied THEN
					RETURN NEXT failure(seed, n, letters, 'when it is put together again, it is another');
				END IF;
			EXCEPTION WHEN OTHERS THEN
				IF NOT orderly(SQLSTATE) OR SQLSTATE = 'XX001' THEN
					RETURN NEXT failure(seed, n, letters, SQLSTATE || ' ' || SQLERRM);
				END IF;
			END;
		END IF;

		-- as a stored value
		FOR what IN SELECT call_all(v, partner, as_text, n % 200 = 0, share) LOOP
			RETURN NEXT failure(seed, n, 'stored', what);
		END LOOP;
		IF clock_timestamp() > started + 3 * slowness * interval '1 s' THEN
			RETURN NEXT failure(seed, n, 'time', format('it took %s', clock_timestamp() - started));
		END IF;
	END LOOP;

	-- what text input accepted, binary input accepts as the same
	EXECUTE format('COPY (SELECT wire(bytes) FROM accepted) TO %L (FORMAT binary)', file);
	EXECUTE format('COPY arrived FROM %L (FORMAT binary)', file);
	IF EXISTS (SELECT a.bytes FROM accepted AS a EXCEPT ALL SELECT value::bytea FROM arrived) THEN
		RETURN NEXT failure(seed, last_case, 'binary input', 'what text input accepts arrives as another');
	END IF;
	SELECT count(*) INTO kept FROM accepted;
	TRUNCATE accepted, arrived;
	RETURN NEXT pass(format('values %s to %s: %s accepted; of the others %s were also tried in binary form', first_case, last_case, kept, in_binary));
END
$$;
