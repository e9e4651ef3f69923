-- The refresh that examples/refresh.sql offers: whatever happens to the orders of open days, the parts together are the
-- history of all orders, to the last byte; and a second refresh writes nothing else.
--
-- All orders are random. A failure shows the seed: LOYALTY_SEED=… repeats it.

\ir include/seed.sql

SET client_min_messages = warning;
SELECT no_plan();
SELECT setseed(:seed / 1e9)
\g /dev/null

CREATE TABLE orders (customer_id bigint, ordered_at timestamptz, amount numeric);
\ir ../../examples/refresh.sql
SET search_path = public, loyalty;

CREATE VIEW wanted AS
SELECT loyalty.customer_history(customer_id, loyalty.local_day(ordered_at, 'Europe/Paris'), amount) AS h FROM orders;
CREATE FUNCTION parts_digest() RETURNS text LANGUAGE sql AS
	$$ SELECT md5(string_agg(first_day || ' ' || h::text, ' ' ORDER BY first_day)) FROM history_parts $$;

-- Orders of a day, in a shop that has none on some days; the hours around midnight are those of Paris.
CREATE PROCEDURE sell(day date, orders int) LANGUAGE sql AS $$
	INSERT INTO orders
	SELECT (random() * random() * 400)::bigint, (day + random() * interval '1 day') AT TIME ZONE 'Europe/Paris',
		CASE WHEN random() < 0.9 THEN round((random() * 100 - 5)::numeric, 2) END
	FROM generate_series(1, orders)
$$;

SELECT is_empty('SELECT * FROM history_now', 'before the first refresh there is no history');
CALL refresh_history('2024-01-08');
SELECT is((SELECT count(*) FROM history_parts), 0::bigint, 'a refresh without orders makes no part');

CREATE FUNCTION nights(first date, count int) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	today date;
	digest text;
	wrong int := 0;
	unstable int := 0;
	most int := 0;
	open int;
BEGIN
	FOR i IN 0 .. count - 1 LOOP
		today := first + i;
		CALL sell(today, CASE WHEN random() < 0.2 THEN 0 ELSE (random() * 60)::int END);
		-- late, changed and cancelled orders of yesterday
		CALL sell(today - 1, (random() * 3)::int);
		UPDATE orders SET amount = amount + 1 WHERE ordered_at >= (today - 1)::timestamp AT TIME ZONE 'Europe/Paris' AND random() < 0.05;
		DELETE FROM orders WHERE ordered_at >= (today - 1)::timestamp AT TIME ZONE 'Europe/Paris' AND random() < CASE WHEN random() < 0.1 THEN 1 ELSE 0.05 END;

		CALL refresh_history(date_trunc('week', today - interval '2 days')::date);
		wrong := wrong + (SELECT count(*) FROM wanted WHERE h IS DISTINCT FROM (SELECT h FROM history_now))::int;
		digest := parts_digest();
		CALL refresh_history(date_trunc('week', today - interval '2 days')::date);
		unstable := unstable + (parts_digest() IS DISTINCT FROM digest)::int;
		SELECT count(*) FILTER (WHERE first_day > '-infinity') INTO open FROM history_parts;
		most := greatest(most, open);
	END LOOP;
	RETURN NEXT is(wrong, 0, 'after every night the parts are the history of all orders');
	RETURN NEXT is(unstable, 0, 'a second refresh changes nothing');
	RETURN NEXT ok(most BETWEEN 2 AND 10, format('about a week is open at the most: %s days', most));
END
$$;
-- over both changes of the clock
SELECT nights('2024-03-01', 50);
SELECT nights('2024-10-10', 40);

-- an order that comes after its day was closed
CALL sell('2024-03-20', 5);
CALL refresh_history('2024-11-11');
SELECT isnt((SELECT h FROM history_now), (SELECT h FROM wanted), 'a closed day is not read again');
CALL reopen_history('2024-03-20');
SELECT is((SELECT loyalty.last_day(h) < '2024-03-20' FROM history_parts WHERE first_day = '-infinity'), true, 'reopened days are gone from the closed ones');
CALL refresh_history('2024-11-11');
SELECT is((SELECT h FROM history_now), (SELECT h FROM wanted), 'reopened days are read again');
CALL reopen_history('2000-01-01');
SELECT is((SELECT count(*) FROM history_parts WHERE first_day = '-infinity'), 0::bigint, 'all days can be opened');
CALL refresh_history('2024-11-11');
SELECT is((SELECT h FROM history_now), (SELECT h FROM wanted), 'and are read again');

-- a refresh that fails half-way leaves what was there
SELECT parts_digest() AS digest \gset
INSERT INTO orders VALUES (1, 'infinity', 1);
SELECT throws_ok('CALL refresh_history()', NULL, NULL, 'an order at the end of time is refused');
SELECT is(parts_digest(), :'digest', 'and nothing is lost');

SELECT * FROM finish();
