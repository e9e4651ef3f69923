-- customer_history: built from orders, stored, merged, refreshed.
-- A page to read first; the corners are in test/pgtap/history_*.sql.

SET search_path = loyalty, public;
SET datestyle = ISO;

CREATE TABLE purchase (customer bigint, day date, amount numeric(12,2), country text);
INSERT INTO purchase VALUES
	(1, '2024-01-05', 20.00, 'FR'),
	(1, '2024-01-05',  5.00, 'FR'),		-- a second order on the day
	(1, '2024-03-01', 30.00, 'FR'),
	(1, '2024-03-09', -7.50, 'FR'),		-- a refund: money, but no order
	(2, '2024-02-29', 12.00, 'DE'),
	(3, '2024-02-29',  NULL, 'DE'),		-- an order of unknown amount
	(NULL, '2024-04-01', 99.00, 'DE');	-- nobody's: ignored

-- One value holds the history of all customers.
SELECT customers(h), orders(h), revenue(h), first_day(h), last_day(h)
FROM (SELECT customer_history(customer, day, amount) AS h FROM purchase) AS p;

-- Under GROUP BY, one value a group.
SELECT country, customers(h), orders(h), revenue(h)
FROM (SELECT country, customer_history(customer, day, amount) AS h FROM purchase GROUP BY country) AS p
ORDER BY country;

-- No rows: NULL.  No amounts: no revenue.
SELECT customer_history(customer, day) IS NULL AS nothing FROM purchase WHERE false;
SELECT orders(h), revenue(h) FROM (SELECT customer_history(customer, day) AS h FROM purchase) AS p;

-- Customers may be bigint (and smaller), text (and varchar) or uuid.
SELECT customers(customer_history(country, day)) AS countries,
	   customers(customer_history(md5(country)::uuid, day)) AS uuids,
	   customers(customer_history(customer::smallint, day, 1)) AS smallints
FROM purchase;

-- Stored by month, the months add up to the whole: rollup(h) over rows, + for two.
CREATE TABLE month (month date PRIMARY KEY, h customer_history);
INSERT INTO month SELECT date_trunc('month', day), customer_history(customer, day, amount) FROM purchase GROUP BY 1;
SELECT month, orders(h), revenue(h) FROM month ORDER BY month;
SELECT rollup(h) = (SELECT customer_history(customer, day, amount) FROM purchase) AS same FROM month;
SELECT revenue(jan.h + feb.h) FROM month AS jan, month AS feb WHERE jan.month = '2024-01-01' AND feb.month = '2024-02-01';
SELECT revenue(h + NULL), revenue(merge(NULL, h)) FROM month WHERE month = '2024-03-01';

-- New rows: replace the month they are in.  Doing it twice changes nothing.
INSERT INTO purchase VALUES (2, '2024-03-31', 8.00, 'DE');
INSERT INTO month SELECT '2024-03-01', customer_history(customer, day, amount) FROM purchase WHERE day BETWEEN '2024-03-01' AND '2024-03-31'
ON CONFLICT (month) DO UPDATE SET h = excluded.h;
INSERT INTO month SELECT '2024-03-01', customer_history(customer, day, amount) FROM purchase WHERE day BETWEEN '2024-03-01' AND '2024-03-31'
ON CONFLICT (month) DO UPDATE SET h = excluded.h;
SELECT rollup(h) = (SELECT customer_history(customer, day, amount) FROM purchase) AS same FROM month;

-- Dumped and restored: the text form is for that.
SELECT h FROM month WHERE month = '2024-01-01';
CREATE TABLE restored (month date, h customer_history);
INSERT INTO restored SELECT month, h::text::customer_history FROM month;
SELECT bool_and(m.h = r.h) AS same FROM month AS m JOIN restored AS r USING (month);
COPY (SELECT h FROM month WHERE month = '2024-02-01') TO STDOUT;
SELECT count(*), count(DISTINCT h) FROM (SELECT h FROM month UNION ALL SELECT h FROM restored) AS u;

-- Errors say what is allowed.
\set VERBOSITY default
SELECT customer_history(1, date 'infinity');
SELECT customer_history(1, date '2024-01-01', 'NaN');
SELECT customer_history(1, date '2024-01-01', 0.000000000000000000001);
SELECT customer_history(1, date '2024-01-01', 1e38) FROM generate_series(1, 2);
SELECT customer_history('1', date '2024-01-01') + customer_history(1, date '2024-01-01');
SELECT customer_history_transition(NULL, 1::bigint, date '2024-01-01');
SELECT ''::customer_history;
SELECT '1:AQEBAg=='::customer_history;
SELECT '1:not base64'::customer_history;
-- the day of an instant depends on the time zone, so it has to be said: day::date, or local_day(instant, 'Europe/Paris')
\set VERBOSITY terse
SELECT customer_history(1, now());
SELECT customer_history(1, date '2024-01-01', 0.1::double precision);
