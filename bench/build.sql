-- One history of all customers, beside the floor: reading the same columns.

INSERT INTO bench.cases (section, name, base, target, workers, answer, query)
SELECT 'build', name, base, target, workers, 'orders', query
FROM (VALUES
	('floor', NULL, NULL, 0, 'SELECT count(customer_id), max(ordered_at) FROM orders'),
	('floor with amount', NULL, NULL, 0, 'SELECT count(customer_id), max(ordered_at), max(amount) FROM orders'),
	('build, day by ordered_at::date', 'floor', NULL, 0,
		'SELECT loyalty.orders(loyalty.customer_history(customer_id, ordered_at::date)) FROM orders'),
	('build', 'floor', 2.1, 0,
		$$SELECT loyalty.orders(loyalty.customer_history(customer_id, loyalty.local_day(ordered_at, 'Europe/Paris'))) FROM orders$$),
	('build with amount', 'floor with amount', 2.2, 0,
		$$SELECT loyalty.orders(loyalty.customer_history(customer_id, loyalty.local_day(ordered_at, 'Europe/Paris'), amount)) FROM orders$$),
	('build, row by row', 'floor', 2.1, 0,	-- as beside another aggregate
		$$SELECT loyalty.orders(loyalty.customer_history(customer_id, loyalty.local_day(ordered_at, 'Europe/Paris')) FILTER (WHERE true)) FROM orders$$),
	('floor, parallel', 'floor', NULL, 2, 'SELECT count(customer_id), max(ordered_at) FROM orders'),
	('build, parallel', 'floor', NULL, 2,
		$$SELECT loyalty.orders(loyalty.customer_history(customer_id, loyalty.local_day(ordered_at, 'Europe/Paris'))) FROM orders$$),
	('build with amount, parallel', 'floor with amount', NULL, 2,
		$$SELECT loyalty.orders(loyalty.customer_history(customer_id, loyalty.local_day(ordered_at, 'Europe/Paris'), amount)) FROM orders$$),
	('floor, shuffled', NULL, NULL, 0, 'SELECT count(customer_id), max(ordered_at) FROM orders_shuffled'),
	('floor with amount, shuffled', NULL, NULL, 0,
		'SELECT count(customer_id), max(ordered_at), max(amount) FROM orders_shuffled'),
	('build, shuffled', 'floor, shuffled', 2.1, 0,
		$$SELECT loyalty.orders(loyalty.customer_history(customer_id, loyalty.local_day(ordered_at, 'Europe/Paris')))
		FROM orders_shuffled$$),
	('build with amount, shuffled', 'floor with amount, shuffled', 2.2, 0,
		$$SELECT loyalty.orders(loyalty.customer_history(customer_id, loyalty.local_day(ordered_at, 'Europe/Paris'), amount))
		FROM orders_shuffled$$),
	('floor, uuid', NULL, NULL, 0, 'SELECT count(customer_id), max(ordered_at) FROM orders_uuid'),
	('build, uuid', 'floor, uuid', 2.5, 0,
		$$SELECT loyalty.orders(loyalty.customer_history(customer_id, loyalty.local_day(ordered_at, 'Europe/Paris'))) FROM orders_uuid$$),
	('floor, text', NULL, NULL, 0, 'SELECT count(customer_id), max(ordered_at) FROM orders_text'),
	('build, text', 'floor, text', 3.2, 0,
		$$SELECT loyalty.orders(loyalty.customer_history(customer_id, loyalty.local_day(ordered_at, 'Europe/Paris'))) FROM orders_text$$)
) build (name, base, target, workers, query);
