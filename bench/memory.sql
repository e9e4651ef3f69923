-- Peak memory of the backend beyond that of the floor, each in a connection of its own.

\set few '(SELECT customer_id % 1000 AS customer_id, ordered_at, amount FROM orders) few'

\connect
CALL bench.memory('memory', 'peak memory, build', :'floor' || 'orders', :'build' || 'orders', 300);
\connect
CALL bench.memory('memory', 'peak memory, build with amount', :'floor' || 'orders', :'build_amount' || 'orders', 300);
\connect
CALL bench.memory('memory', 'peak memory, build with amount, shuffled', :'floor' || 'orders_shuffled', :'build_amount' || 'orders_shuffled', 300);
\connect
CALL bench.memory('memory', 'peak memory, build with amount, only 1,000 customers', :'floor' || 'orders', :'build_amount' || :'few', 60);
\connect
CALL bench.memory('memory', 'peak memory, build, uuid', :'floor' || 'orders_uuid', :'build' || 'orders_uuid');
\connect
CALL bench.memory('memory', 'peak memory, build, text', :'floor' || 'orders_text', :'build' || 'orders_text');
