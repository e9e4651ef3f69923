-- clv_holdout, clv_tracking: how well a model foretold what came.

CREATE FUNCTION loyalty.clv_holdout(
	h loyalty.customer_history,
	calibration_end date DEFAULT NULL,
	as_of date DEFAULT NULL,
	model text DEFAULT 'bg_nbd',
	unit text DEFAULT 'week',
	observed_since date DEFAULT NULL)
RETURNS TABLE(
	frequency bigint,
	customers bigint,
	actual bigint,
	expected double precision)
AS 'MODULE_PATHNAME', 'loyalty_clv_holdout'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000000 ROWS 30;

COMMENT ON FUNCTION loyalty.clv_holdout(loyalty.customer_history, date, date, text, text, date) IS
'A model of buying (''bg_nbd'', ''mbg_nbd'' or ''pareto_nbd'') fitted to the days up to calibration_end (default: half of the time from the first purchase to as_of), and compared with the days after it up to as_of (default: last_day(h)). One row for each number of repeat purchases in the calibration, ascending: customers with that frequency; actual: their purchase days after the calibration; expected: what the model foretold of them, NULL if the fit did not converge. Sums: divide by customers for means. Customers whose first purchase is after calibration_end, or before observed_since, are left out. unit: as in clv_summary. No rows for a NULL history; NULL for another argument is its default. Errors: 22023 for calibration_end not before as_of, too few customers, no repeat purchase, customers who are all alike or were observed for no time, an unknown model or unit; 22008 for infinite dates.';

CREATE FUNCTION loyalty.clv_tracking(
	h loyalty.customer_history,
	calibration_end date DEFAULT NULL,
	as_of date DEFAULT NULL,
	model text DEFAULT 'bg_nbd',
	unit text DEFAULT 'week',
	observed_since date DEFAULT NULL,
	week_start integer DEFAULT 1)
RETURNS TABLE(
	period_start date,
	actual bigint,
	expected double precision,
	cumulative_actual bigint,
	cumulative_expected double precision)
AS 'MODULE_PATHNAME', 'loyalty_clv_tracking'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000000 ROWS 100;

COMMENT ON FUNCTION loyalty.clv_tracking(loyalty.customer_history, date, date, text, text, date, integer) IS
'A model of buying (''bg_nbd'', ''mbg_nbd'' or ''pareto_nbd'') fitted to the days up to calibration_end (default: half of the time from the first purchase to as_of), and tracked from the first purchase to as_of (default: last_day(h)), one row for every calendar period of the unit (''day'', ''week'', ''month'', ''year''; weeks start on week_start, 1 Monday to 7 Sunday). actual: repeat purchase days of the customers of the calibration in the period; expected: what the model foretells of as many new customers, from the day each of them first bought; both up to as_of in the running period; cumulative_*: up to the end of the period. expected is NULL if the fit did not converge. Customers whose first purchase is after calibration_end, or before observed_since, are left out. No rows for a NULL history; NULL for another argument is its default. Errors: 22023 for calibration_end not before as_of, too few customers, no repeat purchase, customers who are all alike or were observed for no time, an unknown model, unit or week_start; 54000 for more than 10,000 periods; 22008 for infinite dates.';
