-- Which calendar day an instant belongs to.

CREATE FUNCTION loyalty.local_day(at timestamptz, time_zone text)
RETURNS date
AS 'MODULE_PATHNAME', 'loyalty_local_day'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION loyalty.local_day(timestamptz, text) IS
'Calendar day of an instant in a time zone, whatever the TimeZone of the session: the same day as (at AT TIME ZONE time_zone)::date, faster. time_zone: a name of pg_timezone_names such as Europe/Paris. Abbreviations and POSIX specifications work as in AT TIME ZONE, but what an abbreviation means depends on settings (timezone_abbreviations, from PostgreSQL 18 on TimeZone too) and most know no daylight saving: prefer names. NULL for a NULL argument. Errors: 22023 for an unknown zone, 22008 for infinity.';

-- Without the next two, such arguments would be cast to timestamptz in the
-- time zone of the session.  Not strict: they fail for NULL as well.

CREATE FUNCTION loyalty.local_day(at timestamp, time_zone text)
RETURNS date
AS 'MODULE_PATHNAME', 'loyalty_local_day_of_local_time'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION loyalty.local_day(timestamp, text) IS
'Always error 42804: a timestamp without time zone already is a local time, its day is column::date.';

CREATE FUNCTION loyalty.local_day(at date, time_zone text)
RETURNS date
AS 'MODULE_PATHNAME', 'loyalty_local_day_of_local_time'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION loyalty.local_day(date, text) IS
'Always error 42804: a date already is a calendar day.';
