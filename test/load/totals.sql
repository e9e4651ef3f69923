-- found, right, what
SET search_path = public, loyalty;
SELECT (SELECT sum(orders(h)) FROM history), (SELECT count(*) FILTER (WHERE amount >= 0) FROM orders), 'orders';
SELECT (SELECT sum(revenue(h)) FROM history), (SELECT sum(amount) FROM orders), 'revenue';
SELECT count(*) FILTER (WHERE h = wanted), 16, 'histories of the same bytes as those of all orders'
FROM history JOIN (SELECT bucket, customer_history(customer, day, amount) AS wanted FROM orders GROUP BY bucket) AS o USING (bucket);
SELECT count(*) FILTER (WHERE s = wanted), 8, 'surveys of the same counts as all answers'
FROM survey JOIN (SELECT team, nps_survey(score) AS wanted FROM answers GROUP BY team) AS o USING (team);
REFRESH MATERIALIZED VIEW whole;
SELECT (SELECT md5(customer_history_send(h)) FROM whole), (SELECT md5(customer_history_send(customer_history(customer, day, amount))) FROM orders), 'the whole';
