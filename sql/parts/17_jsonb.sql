-- customer_history as jsonb.

CREATE FUNCTION loyalty.customer_history_to_jsonb(h loyalty.customer_history)
RETURNS jsonb
AS 'MODULE_PATHNAME', 'loyalty_customer_history_to_jsonb'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;

COMMENT ON FUNCTION loyalty.customer_history_to_jsonb(loyalty.customer_history) IS
'Everything that is in a history, as {"version": 1, "key_type": "bigint", "scale": 2, "customers": [{"customer": 1, "days": [{"day": "2024-01-01", "orders": 1, "valued_orders": 1, "amount": 12.50}]}]}; customers and days ascending, scale null without amounts, amount null where it is in events(h). There is no way back. Errors: 54000 for more than 50,000 customer-days.';

CREATE CAST (loyalty.customer_history AS jsonb)
	WITH FUNCTION loyalty.customer_history_to_jsonb(loyalty.customer_history);

COMMENT ON CAST (loyalty.customer_history AS jsonb) IS
'everything that is in a history, for reading';
