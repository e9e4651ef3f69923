-- history_between: a part of a history by time.

CREATE FUNCTION loyalty.history_between(h loyalty.customer_history, from_day date DEFAULT NULL, to_day date DEFAULT NULL)
RETURNS loyalty.customer_history
AS 'MODULE_PATHNAME', 'loyalty_history_between'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000;

COMMENT ON FUNCTION loyalty.history_between(loyalty.customer_history, date, date) IS
'Only the days from from_day to to_day, both included; NULL, -infinity and infinity leave a side open. The same value as the aggregate gives for the rows of these days, with the decimals of h. NULL if nothing is left or h is NULL. With from_day, customers look new who are not. Errors: 22023 if from_day is after to_day.';
