-- customer_history: the type, its operators, the aggregates that build and merge it, what its header knows.

CREATE TYPE loyalty.customer_history;

CREATE FUNCTION loyalty.customer_history_in(cstring) RETURNS loyalty.customer_history
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.customer_history_in(cstring)
	IS 'Text input of customer_history: its dump form, validated. Errors: 22P02, 54000.';

CREATE FUNCTION loyalty.customer_history_out(loyalty.customer_history) RETURNS cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.customer_history_out(loyalty.customer_history)
	IS 'Text output of customer_history: a version prefix and the base64 of its bytes.';

CREATE FUNCTION loyalty.customer_history_recv(internal) RETURNS loyalty.customer_history
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.customer_history_recv(internal)
	IS 'Binary input of customer_history: its bytes, validated. Errors: 22P03.';

CREATE FUNCTION loyalty.customer_history_send(loyalty.customer_history) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.customer_history_send(loyalty.customer_history)
	IS 'Binary output of customer_history: its bytes, the same on every machine.';

-- EXTERNAL: the bytes are dense already, compressing them would cost much and gain nothing.
CREATE TYPE loyalty.customer_history (
	INPUT = loyalty.customer_history_in,
	OUTPUT = loyalty.customer_history_out,
	RECEIVE = loyalty.customer_history_recv,
	SEND = loyalty.customer_history_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = external
);
COMMENT ON TYPE loyalty.customer_history
	IS 'For one or many customers: the days of each one''s history with the number of orders, how many of them had a known amount, and the exact money of the day. Up to 500 MB.';

-- ---------- equality, order, hashing ----------

CREATE FUNCTION loyalty.customer_history_eq(loyalty.customer_history, loyalty.customer_history) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION loyalty.customer_history_eq(loyalty.customer_history, loyalty.customer_history)
	IS 'Whether two histories hold the same customers, days, orders and amounts with the same decimals.';
CREATE FUNCTION loyalty.customer_history_ne(loyalty.customer_history, loyalty.customer_history) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION loyalty.customer_history_ne(loyalty.customer_history, loyalty.customer_history)
	IS 'Whether two histories differ.';
CREATE FUNCTION loyalty.customer_history_lt(loyalty.customer_history, loyalty.customer_history) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.customer_history_lt(loyalty.customer_history, loyalty.customer_history)
	IS 'Byte order, for sorting only: it says nothing about the customers.';
CREATE FUNCTION loyalty.customer_history_le(loyalty.customer_history, loyalty.customer_history) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.customer_history_le(loyalty.customer_history, loyalty.customer_history)
	IS 'Byte order, for sorting only: it says nothing about the customers.';
CREATE FUNCTION loyalty.customer_history_gt(loyalty.customer_history, loyalty.customer_history) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.customer_history_gt(loyalty.customer_history, loyalty.customer_history)
	IS 'Byte order, for sorting only: it says nothing about the customers.';
CREATE FUNCTION loyalty.customer_history_ge(loyalty.customer_history, loyalty.customer_history) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.customer_history_ge(loyalty.customer_history, loyalty.customer_history)
	IS 'Byte order, for sorting only: it says nothing about the customers.';
CREATE FUNCTION loyalty.customer_history_cmp(loyalty.customer_history, loyalty.customer_history) RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.customer_history_cmp(loyalty.customer_history, loyalty.customer_history)
	IS 'Byte order as -1, 0 or 1, for sorting only.';
CREATE FUNCTION loyalty.customer_history_hash(loyalty.customer_history) RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.customer_history_hash(loyalty.customer_history)
	IS 'Hash of the bytes.';
CREATE FUNCTION loyalty.customer_history_hash_extended(loyalty.customer_history, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.customer_history_hash_extended(loyalty.customer_history, bigint)
	IS 'Hash of the bytes, with a seed.';

CREATE OPERATOR loyalty.= (
	FUNCTION = loyalty.customer_history_eq,
	LEFTARG = loyalty.customer_history, RIGHTARG = loyalty.customer_history,
	COMMUTATOR = OPERATOR(loyalty.=), NEGATOR = OPERATOR(loyalty.<>),
	RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR loyalty.= (loyalty.customer_history, loyalty.customer_history) IS 'the same history';
CREATE OPERATOR loyalty.<> (
	FUNCTION = loyalty.customer_history_ne,
	LEFTARG = loyalty.customer_history, RIGHTARG = loyalty.customer_history,
	COMMUTATOR = OPERATOR(loyalty.<>), NEGATOR = OPERATOR(loyalty.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR loyalty.<> (loyalty.customer_history, loyalty.customer_history) IS 'another history';
CREATE OPERATOR loyalty.< (
	FUNCTION = loyalty.customer_history_lt,
	LEFTARG = loyalty.customer_history, RIGHTARG = loyalty.customer_history,
	COMMUTATOR = OPERATOR(loyalty.>), NEGATOR = OPERATOR(loyalty.>=),
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR loyalty.< (loyalty.customer_history, loyalty.customer_history) IS 'byte order';
CREATE OPERATOR loyalty.<= (
	FUNCTION = loyalty.customer_history_le,
	LEFTARG = loyalty.customer_history, RIGHTARG = loyalty.customer_history,
	COMMUTATOR = OPERATOR(loyalty.>=), NEGATOR = OPERATOR(loyalty.>),
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR loyalty.<= (loyalty.customer_history, loyalty.customer_history) IS 'byte order';
CREATE OPERATOR loyalty.> (
	FUNCTION = loyalty.customer_history_gt,
	LEFTARG = loyalty.customer_history, RIGHTARG = loyalty.customer_history,
	COMMUTATOR = OPERATOR(loyalty.<), NEGATOR = OPERATOR(loyalty.<=),
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR loyalty.> (loyalty.customer_history, loyalty.customer_history) IS 'byte order';
CREATE OPERATOR loyalty.>= (
	FUNCTION = loyalty.customer_history_ge,
	LEFTARG = loyalty.customer_history, RIGHTARG = loyalty.customer_history,
	COMMUTATOR = OPERATOR(loyalty.<=), NEGATOR = OPERATOR(loyalty.<),
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR loyalty.>= (loyalty.customer_history, loyalty.customer_history) IS 'byte order';

CREATE OPERATOR CLASS loyalty.customer_history_ops
	DEFAULT FOR TYPE loyalty.customer_history USING btree AS
	OPERATOR 1 loyalty.<, OPERATOR 2 loyalty.<=, OPERATOR 3 loyalty.=, OPERATOR 4 loyalty.>=, OPERATOR 5 loyalty.>,
	FUNCTION 1 loyalty.customer_history_cmp(loyalty.customer_history, loyalty.customer_history);
COMMENT ON OPERATOR CLASS loyalty.customer_history_ops USING btree IS 'DISTINCT, ORDER BY and UNION of histories';
CREATE OPERATOR CLASS loyalty.customer_history_ops
	DEFAULT FOR TYPE loyalty.customer_history USING hash AS
	OPERATOR 1 loyalty.=,
	FUNCTION 1 loyalty.customer_history_hash(loyalty.customer_history),
	FUNCTION 2 loyalty.customer_history_hash_extended(loyalty.customer_history, bigint);
COMMENT ON OPERATOR CLASS loyalty.customer_history_ops USING hash IS 'GROUP BY and hash joins of histories';

-- ---------- building ----------

CREATE FUNCTION loyalty.customer_history_transition(loyalty.customer_history, bigint, date) RETURNS loyalty.customer_history
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION loyalty.customer_history_transition(loyalty.customer_history, bigint, date, numeric) RETURNS loyalty.customer_history
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION loyalty.customer_history_transition(loyalty.customer_history, text, date) RETURNS loyalty.customer_history
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION loyalty.customer_history_transition(loyalty.customer_history, text, date, numeric) RETURNS loyalty.customer_history
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION loyalty.customer_history_transition(loyalty.customer_history, uuid, date) RETURNS loyalty.customer_history
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION loyalty.customer_history_transition(loyalty.customer_history, uuid, date, numeric) RETURNS loyalty.customer_history
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.customer_history_transition(loyalty.customer_history, bigint, date)
	IS 'Transition function of the aggregate customer_history.';
COMMENT ON FUNCTION loyalty.customer_history_transition(loyalty.customer_history, bigint, date, numeric)
	IS 'Transition function of the aggregate customer_history.';
COMMENT ON FUNCTION loyalty.customer_history_transition(loyalty.customer_history, text, date)
	IS 'Transition function of the aggregate customer_history.';
COMMENT ON FUNCTION loyalty.customer_history_transition(loyalty.customer_history, text, date, numeric)
	IS 'Transition function of the aggregate customer_history.';
COMMENT ON FUNCTION loyalty.customer_history_transition(loyalty.customer_history, uuid, date)
	IS 'Transition function of the aggregate customer_history.';
COMMENT ON FUNCTION loyalty.customer_history_transition(loyalty.customer_history, uuid, date, numeric)
	IS 'Transition function of the aggregate customer_history.';

CREATE FUNCTION loyalty.customer_history_combine(loyalty.customer_history, loyalty.customer_history) RETURNS loyalty.customer_history
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.customer_history_combine(loyalty.customer_history, loyalty.customer_history)
	IS 'Combine function of the aggregates customer_history and rollup. NULL is neutral.';

CREATE FUNCTION loyalty.customer_history_final(loyalty.customer_history) RETURNS loyalty.customer_history
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.customer_history_final(loyalty.customer_history)
	IS 'Final function of the aggregates customer_history and rollup.';

CREATE AGGREGATE loyalty.customer_history(customer bigint, day date) (
	SFUNC = loyalty.customer_history_transition, STYPE = loyalty.customer_history, SSPACE = 1024,
	COMBINEFUNC = loyalty.customer_history_combine,
	FINALFUNC = loyalty.customer_history_final, FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
CREATE AGGREGATE loyalty.customer_history(customer bigint, day date, amount numeric) (
	SFUNC = loyalty.customer_history_transition, STYPE = loyalty.customer_history, SSPACE = 1024,
	COMBINEFUNC = loyalty.customer_history_combine,
	FINALFUNC = loyalty.customer_history_final, FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
CREATE AGGREGATE loyalty.customer_history(customer text, day date) (
	SFUNC = loyalty.customer_history_transition, STYPE = loyalty.customer_history, SSPACE = 1024,
	COMBINEFUNC = loyalty.customer_history_combine,
	FINALFUNC = loyalty.customer_history_final, FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
CREATE AGGREGATE loyalty.customer_history(customer text, day date, amount numeric) (
	SFUNC = loyalty.customer_history_transition, STYPE = loyalty.customer_history, SSPACE = 1024,
	COMBINEFUNC = loyalty.customer_history_combine,
	FINALFUNC = loyalty.customer_history_final, FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
CREATE AGGREGATE loyalty.customer_history(customer uuid, day date) (
	SFUNC = loyalty.customer_history_transition, STYPE = loyalty.customer_history, SSPACE = 1024,
	COMBINEFUNC = loyalty.customer_history_combine,
	FINALFUNC = loyalty.customer_history_final, FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
CREATE AGGREGATE loyalty.customer_history(customer uuid, day date, amount numeric) (
	SFUNC = loyalty.customer_history_transition, STYPE = loyalty.customer_history, SSPACE = 1024,
	COMBINEFUNC = loyalty.customer_history_combine,
	FINALFUNC = loyalty.customer_history_final, FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE loyalty.customer_history(bigint, date)
	IS 'The history of all customers in the rows: one order a row, without amounts. Rows with a NULL customer or day are ignored; no rows: NULL. Errors: 22008 for infinite days.';
COMMENT ON AGGREGATE loyalty.customer_history(bigint, date, numeric)
	IS 'The history of all customers in the rows. amount >= 0: an order; < 0: a refund, which is no order; NULL: an order of unknown amount. Up to 20 decimals, kept exactly. Rows with a NULL customer or day are ignored; no rows: NULL. Errors: 22008 for infinite days, 22003 for NaN, infinite or too large amounts.';
COMMENT ON AGGREGATE loyalty.customer_history(text, date)
	IS 'The history of all customers in the rows: one order a row, without amounts. Customers are told apart by bytes. Rows with a NULL customer or day are ignored; no rows: NULL.';
COMMENT ON AGGREGATE loyalty.customer_history(text, date, numeric)
	IS 'The history of all customers in the rows. amount >= 0: an order; < 0: a refund, which is no order; NULL: an order of unknown amount. Up to 20 decimals, kept exactly. Customers are told apart by bytes. Rows with a NULL customer or day are ignored; no rows: NULL.';
COMMENT ON AGGREGATE loyalty.customer_history(uuid, date)
	IS 'The history of all customers in the rows: one order a row, without amounts. Rows with a NULL customer or day are ignored; no rows: NULL.';
COMMENT ON AGGREGATE loyalty.customer_history(uuid, date, numeric)
	IS 'The history of all customers in the rows. amount >= 0: an order; < 0: a refund, which is no order; NULL: an order of unknown amount. Up to 20 decimals, kept exactly. Rows with a NULL customer or day are ignored; no rows: NULL.';

-- ---------- merging ----------

CREATE AGGREGATE loyalty.rollup(h loyalty.customer_history) (
	SFUNC = loyalty.customer_history_combine, STYPE = loyalty.customer_history, SSPACE = 8192,
	COMBINEFUNC = loyalty.customer_history_combine,
	FINALFUNC = loyalty.customer_history_final, FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE loyalty.rollup(loyalty.customer_history)
	IS 'The union of histories: the same customer-days add their orders and money, so adding the same rows twice doubles them. NULLs are ignored; none left: NULL. Errors: 42804 for histories of two key types.';

CREATE FUNCTION loyalty.merge(loyalty.customer_history, loyalty.customer_history) RETURNS loyalty.customer_history
	AS 'MODULE_PATHNAME', 'customer_history_merge' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION loyalty.merge(loyalty.customer_history, loyalty.customer_history)
	IS 'The union of two histories: the same customer-days add their orders and money. NULL is neutral. Errors: 42804 for histories of two key types.';

CREATE OPERATOR loyalty.+ (
	FUNCTION = loyalty.merge,
	LEFTARG = loyalty.customer_history, RIGHTARG = loyalty.customer_history,
	COMMUTATOR = OPERATOR(loyalty.+)
);
COMMENT ON OPERATOR loyalty.+ (loyalty.customer_history, loyalty.customer_history) IS 'union of two histories';

-- ---------- what the header knows ----------

CREATE FUNCTION loyalty.customers(h loyalty.customer_history) RETURNS bigint
	AS 'MODULE_PATHNAME', 'customer_history_customers' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.customers(loyalty.customer_history)
	IS 'Customers with at least one order. Read from the header: costs nothing.';

CREATE FUNCTION loyalty.orders(h loyalty.customer_history) RETURNS bigint
	AS 'MODULE_PATHNAME', 'customer_history_orders' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.orders(loyalty.customer_history)
	IS 'Orders: rows with an amount of zero or more, or without one. Read from the header: costs nothing.';

CREATE FUNCTION loyalty.revenue(h loyalty.customer_history) RETURNS numeric
	AS 'MODULE_PATHNAME', 'customer_history_revenue' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.revenue(loyalty.customer_history)
	IS 'All money, refunds deducted: exactly sum(amount) of the rows. NULL for a history without any amount. Read from the header: costs nothing.';

CREATE FUNCTION loyalty.first_day(h loyalty.customer_history) RETURNS date
	AS 'MODULE_PATHNAME', 'customer_history_first_day' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.first_day(loyalty.customer_history)
	IS 'The first day of any row, refunds included. Read from the header: costs nothing.';

CREATE FUNCTION loyalty.last_day(h loyalty.customer_history) RETURNS date
	AS 'MODULE_PATHNAME', 'customer_history_last_day' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION loyalty.last_day(loyalty.customer_history)
	IS 'The last day of any row, refunds included; the default as_of of the reports. Read from the header: costs nothing.';
