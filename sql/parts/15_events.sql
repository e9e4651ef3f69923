-- events: a history as rows again.

CREATE FUNCTION loyalty.events(h loyalty.customer_history)
RETURNS TABLE(customer text, day date, orders bigint, valued_orders bigint, amount numeric)
AS 'MODULE_PATHNAME', 'loyalty_events'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000 ROWS 1000000;

COMMENT ON FUNCTION loyalty.events(loyalty.customer_history) IS
'Everything that is in a history, one row a customer and day in ascending order, refund-only days (orders 0) and customers who never bought included. orders: orders of the day; valued_orders: those whose amount is known; amount: known amounts less refunds, NULL if none is known. Totals are those of orders(h) and revenue(h). No rows for NULL. events_as gives customers in their own type.';

-- Not strict: its first argument is there for its type, and is NULL.
CREATE FUNCTION loyalty.events_as(customer anyelement, h loyalty.customer_history)
RETURNS TABLE(customer anyelement, day date, orders bigint, valued_orders bigint, amount numeric)
AS 'MODULE_PATHNAME', 'loyalty_events'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 1000000;

COMMENT ON FUNCTION loyalty.events_as(anyelement, loyalty.customer_history) IS
'events(h) with customers in the type of the first argument, whose value is not looked at: events_as(null::bigint, h). A customer that is no value of this type is that type''s error (22P02, 22003).';
