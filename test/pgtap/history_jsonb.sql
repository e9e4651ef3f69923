-- The cast of a history to jsonb: small documents in full, large ones read
-- back as rows.

BEGIN;
SELECT plan(23);

\ir include/random_orders.sql

-- ---------- documents ----------

SELECT is((SELECT loyalty.customer_history(c, d, a)
		   FROM (VALUES (2, date '2024-01-01', 12.50), (2, '2024-01-01', NULL), (2, '2024-01-03', NULL), (-7, '2024-02-29', -3), (-7, '2024-03-01', 0)) AS r(c, d, a))::jsonb,
		  '{"version": 1, "key_type": "bigint", "scale": 2, "customers": [
			{"customer": -7, "days": [{"day": "2024-02-29", "orders": 0, "valued_orders": 0, "amount": -3.00},
									  {"day": "2024-03-01", "orders": 1, "valued_orders": 1, "amount": 0.00}]},
			{"customer": 2, "days": [{"day": "2024-01-01", "orders": 2, "valued_orders": 1, "amount": 12.50},
									 {"day": "2024-01-03", "orders": 1, "valued_orders": 0, "amount": null}]}]}'::jsonb, 'numbers');
SELECT is((SELECT loyalty.customer_history(c, '2024-01-01'::date) FROM (VALUES ('b'), ('a'), ('b'), ('')) AS r(c))::jsonb,
		  '{"version": 1, "key_type": "text", "scale": null, "customers": [
			{"customer": "", "days": [{"day": "2024-01-01", "orders": 1, "valued_orders": 0, "amount": null}]},
			{"customer": "a", "days": [{"day": "2024-01-01", "orders": 1, "valued_orders": 0, "amount": null}]},
			{"customer": "b", "days": [{"day": "2024-01-01", "orders": 2, "valued_orders": 0, "amount": null}]}]}'::jsonb, 'texts, without amounts');
SELECT is((SELECT loyalty.customer_history('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid, '2024-01-01'::date, 1))::jsonb,
		  '{"version": 1, "key_type": "uuid", "scale": 0, "customers": [
			{"customer": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "days": [{"day": "2024-01-01", "orders": 1, "valued_orders": 1, "amount": 1}]}]}'::jsonb,
		  'uuids');

-- ---------- read back ----------

SELECT results_eq(
	format($$SELECT customer ->> 'customer', e.* FROM histories, jsonb_array_elements(h::jsonb -> 'customers') WITH ORDINALITY AS c(customer, i),
			 ROWS FROM (jsonb_to_recordset(customer -> 'days') AS (day date, orders bigint, valued_orders bigint, amount numeric)) AS e
			 WHERE key = %L $$, key),
	format('SELECT e.* FROM histories, loyalty.events(h) AS e WHERE key = %L', key),
	'random orders, the rows of events: ' || key)
FROM histories;
SELECT is_empty($$
	SELECT i FROM (SELECT h::jsonb AS j FROM histories WHERE key = 'bigint') AS j,
		 (SELECT as_bigint, row_number() OVER (ORDER BY as_bigint) - 1 AS i FROM (SELECT DISTINCT as_bigint FROM orders) AS o) AS o
	WHERE j -> 'customers' -> i::integer -> 'customer' <> to_jsonb(as_bigint) $$, 'every customer by its place');
SELECT results_eq('SELECT key, h::jsonb ->> ''key_type'', (h::jsonb ->> ''scale'')::integer, jsonb_typeof(h::jsonb #> ''{customers,0,customer}'') FROM histories ORDER BY key',
				  $$VALUES ('bigint', 'bigint', 2, 'number'), ('text', 'text', 2, 'string'), ('uuid', 'uuid', 2, 'string')$$,
				  'key type, scale');

-- ---------- values ----------

SELECT is((SELECT loyalty.customer_history(key || left(one, 0), '2024-01-01'::date) FROM (VALUES ('1')) AS o(one))::jsonb #>> '{customers,0,customer}', key, 'key of ' || what)
FROM (VALUES ('', 'nothing'), (repeat('k', 10000), '10,000 characters'), ('"', 'a double quote'), ('\u0041\', 'backslashes'),
			 (E'\t\n\r\x01', 'control characters'), ('日本語 🐎', 'multibyte characters'), ('null', 'the word null')) AS k(key, what);
SELECT is((SELECT loyalty.customer_history(c, '2024-01-01'::date) FROM unnest('{-9223372036854775808,9223372036854775807}'::bigint[]) AS c)::jsonb #>> '{customers,1,customer}',
		  '9223372036854775807', 'the greatest number');
SELECT is((SELECT loyalty.customer_history(one, '2024-01-01'::date, a) FROM (VALUES (1)) AS o(one))::jsonb #>> '{customers,0,days,0,amount}', a::text, 'amount ' || a)
FROM unnest('{0.000000000000,0.00000000000000000001,-17014118346046923173.1687303715884105727}'::numeric[]) AS a;

SET LOCAL DateStyle = 'German';
SELECT is((SELECT loyalty.customer_history(1, d) FROM unnest('{0044-03-15 BC,0001-01-01,9999-12-31,5874897-12-31}'::date[]) AS d)::jsonb #> '{customers,0,days}',
		  (SELECT jsonb_agg(jsonb_build_object('day', day, 'orders', 1, 'valued_orders', 0, 'amount', NULL))
		   FROM unnest('{0044-03-15 BC,0001-01-01,9999-12-31,5874897-12-31}'::text[]) AS day), 'days in ISO style whatever the DateStyle');
RESET DateStyle;

-- ---------- edges ----------

SELECT ok(NULL::loyalty.customer_history::jsonb IS NULL, 'NULL for NULL');
SELECT throws_ok($$SELECT jsonb_typeof(h) FROM histories$$, '42883', NULL, 'the cast is explicit');

SELECT throws_ok($$SELECT (SELECT loyalty.customer_history(i % 51, date '2020-01-01' + i / 51) FROM generate_series(0, 50000) AS i)::jsonb$$,
				 '54000', 'customer_history is too large for jsonb', 'more than 50,000 customer-days');

SELECT * FROM finish();
ROLLBACK;
