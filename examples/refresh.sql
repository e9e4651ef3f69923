-- A stored history of all customers that is kept up to date by reading the new orders only. doc/refresh.md explains it.
-- To copy: put your table, columns and time zone where "orders" is read, in one place below.

-- One row for all closed days, whose first_day is -infinity, and one for each day that is open: it may still change.
CREATE TABLE history_parts (
	first_day date PRIMARY KEY,
	h loyalty.customer_history NOT NULL
);

-- Reports read this. One row, or none before the first refresh.
CREATE VIEW history_now AS
SELECT loyalty.rollup(h) AS h FROM history_parts HAVING count(*) > 0;

-- Reads the open days again, a row each, and closes those before "open_since". Called twice, it changes nothing.
CREATE PROCEDURE refresh_history(open_since date DEFAULT date_trunc('week', now() AT TIME ZONE 'Europe/Paris' - interval '2 days')::date)
LANGUAGE plpgsql AS $$
DECLARE
	last_closed date;
BEGIN
	-- one refresh at a time; reports go on reading what is there
	LOCK TABLE history_parts IN SHARE ROW EXCLUSIVE MODE;
	SELECT loyalty.last_day(h) INTO last_closed FROM history_parts WHERE first_day = '-infinity';

	DELETE FROM history_parts WHERE first_day > '-infinity';
	INSERT INTO history_parts
	SELECT day, loyalty.customer_history(customer_id, day, amount)
	FROM (SELECT customer_id, loyalty.local_day(ordered_at, 'Europe/Paris') AS day, amount
		FROM orders
		WHERE ordered_at >= coalesce((last_closed + 1)::timestamp AT TIME ZONE 'Europe/Paris', '-infinity')) AS o
	WHERE day IS NOT NULL AND customer_id IS NOT NULL
	GROUP BY day;

	WITH closed AS (
		DELETE FROM history_parts WHERE first_day > '-infinity' AND first_day < open_since RETURNING h
	)
	INSERT INTO history_parts AS parts
	SELECT '-infinity', loyalty.rollup(h) FROM closed HAVING count(*) > 0
	ON CONFLICT (first_day) DO UPDATE SET h = loyalty.merge(parts.h, EXCLUDED.h);
END
$$;

-- Opens days that are closed, for orders that came late or were corrected: the next refresh reads them again.
CREATE PROCEDURE reopen_history(since date)
LANGUAGE plpgsql AS $$
BEGIN
	LOCK TABLE history_parts IN SHARE ROW EXCLUSIVE MODE;
	DELETE FROM history_parts WHERE first_day = '-infinity' AND loyalty.first_day(h) >= since;
	UPDATE history_parts SET h = loyalty.history_between(h, to_day => since - 1)
	WHERE first_day = '-infinity' AND loyalty.last_day(h) >= since;
END
$$;
