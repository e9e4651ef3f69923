-- local_day against the server's own (at AT TIME ZONE zone)::date: all zones
-- at random instants, some zones around each of their clock changes, rows
-- whose zone changes, and the errors.

BEGIN;
SELECT plan(47);

\ir include/seed.sql

SET LOCAL TimeZone = 'UTC';

CREATE TEMP TABLE zones AS
SELECT row_number() OVER (ORDER BY name) AS id, name
FROM pg_timezone_names WHERE name !~ '^(posix|right)/';

SELECT cmp_ok(count(*), '>', 300::bigint, 'hundreds of zones') FROM zones;

-- instants from 1850 to 2100, to the microsecond, some of them on midnights
CREATE TEMP TABLE instants AS
SELECT i AS id,
	   CASE WHEN i % 4 = 0 THEN date_trunc('day', at) + (i % 3 - 1) * interval '1 microsecond' ELSE at END AS at
FROM (SELECT i, timestamptz '1850-01-01 00:00+00' + random() * interval '91310 days' AS at
	  FROM generate_series(1, 300000) AS i) AS r;

CREATE TEMP TABLE pairs AS
SELECT at, name AS zone FROM instants JOIN zones ON zones.id = 1 + instants.id % (SELECT count(*) FROM zones);

-- OFFSET 0 below keeps the condition from being tested before the rows are sorted
CREATE TEMP TABLE answers AS SELECT at, zone, (at AT TIME ZONE zone)::date AS day FROM pairs;

SELECT is_empty('SELECT at, zone, day, loyalty.local_day(at, zone) FROM answers WHERE loyalty.local_day(at, zone) IS DISTINCT FROM day LIMIT 5',
				'all zones at random instants, the zone changes with every row');
SELECT is_empty('SELECT at, zone, day, loyalty.local_day(at, zone) FROM (SELECT * FROM answers ORDER BY zone, at OFFSET 0) AS a WHERE loyalty.local_day(at, zone) IS DISTINCT FROM day LIMIT 5',
				'all zones at random instants, zone after zone');
SELECT is_empty('SELECT at, zone, day, loyalty.local_day(at, zone) FROM (SELECT * FROM answers ORDER BY at OFFSET 0) AS a WHERE loyalty.local_day(at, zone) IS DISTINCT FROM day LIMIT 5',
				'all zones at random instants, instant after instant');

-- one zone, more days than any cache holds: 300,000 instants, 250 years
SELECT is_empty(format('SELECT at, (at AT TIME ZONE %L)::date, loyalty.local_day(at, %1$L) FROM instants WHERE loyalty.local_day(at, %1$L) IS DISTINCT FROM (at AT TIME ZONE %1$L)::date LIMIT 5', zone),
				zone || ' at random instants')
FROM unnest('{Europe/Paris,America/New_York,Asia/Kathmandu,Australia/Lord_Howe,Pacific/Apia,UTC}'::text[]) AS zone;

-- the whole range of timestamptz, and its ends
CREATE TEMP TABLE ages AS
SELECT at, name AS zone
FROM (SELECT i, timestamptz '4714-11-26 00:00+00 BC' + random() * interval '109202850 days' AS at
	  FROM generate_series(1, 100000) AS i OFFSET 0) AS r
JOIN zones ON id = 1 + i % 97;
SELECT is_empty('SELECT at, zone FROM ages WHERE loyalty.local_day(at, zone) IS DISTINCT FROM (at AT TIME ZONE zone)::date LIMIT 5',
				'instants of 299,000 years');
SELECT is(loyalty.local_day('4714-11-24 00:00+00 BC', 'Asia/Tokyo'), '4714-11-24 BC'::date, 'the first instant');
SELECT is(loyalty.local_day('294276-12-31 23:59:59.999999+00', 'UTC'), '294276-12-31'::date, 'the last instant');
SELECT is(loyalty.local_day('294276-12-31 23:59:59.999999+00', 'Asia/Tokyo'), '294277-01-01'::date,
		  'and its day in the east, of which there is no timestamp');
SELECT throws_ok($$SELECT loyalty.local_day('4714-11-24 00:00+00 BC', 'America/New_York')$$, '22008', 'date out of range',
				 'an instant before the first day');
SELECT is(loyalty.local_day('4714-11-24 12:00+00 BC', 'America/New_York'), '4714-11-24 BC'::date,
		  'an instant of the first day');

-- clock changes: the UTC days on which the offset of a zone changes, looked
-- for in the weeks whose ends have different offsets
CREATE FUNCTION pg_temp.zone_offset(at timestamptz, zone text) RETURNS interval
LANGUAGE sql AS $$ SELECT (at AT TIME ZONE zone) - (at AT TIME ZONE 'UTC') $$;

CREATE TEMP TABLE changes AS
SELECT zone, day
FROM unnest('{Europe/Paris,Europe/Dublin,Europe/Lisbon,America/New_York,America/St_Johns,America/Havana,America/Sao_Paulo,America/Scoresbysund,America/Caracas,Africa/Casablanca,Africa/Monrovia,Africa/Cairo,Antarctica/Troll,Asia/Tehran,Asia/Gaza,Asia/Manila,Asia/Kolkata,Asia/Pyongyang,Australia/Lord_Howe,Pacific/Apia,Pacific/Chatham,Pacific/Kiritimati,Pacific/Kwajalein}'::text[]) AS zone,
	 generate_series(timestamptz '1850-01-01', '2037-12-31', '7 days') AS week,
	 generate_series(week, week + interval '6 days', '1 day') AS day
WHERE pg_temp.zone_offset(week, zone) <> pg_temp.zone_offset(week + interval '7 days', zone)
  AND pg_temp.zone_offset(day, zone) <> pg_temp.zone_offset(day + interval '1 day', zone);

SELECT cmp_ok(count(*), '>', 2000::bigint, 'thousands of clock changes') FROM changes;
SELECT cmp_ok(count(DISTINCT zone), '=', 23::bigint, 'every zone has some') FROM changes;

-- ... and the days beside them, every quarter of an hour
CREATE TEMP TABLE around AS
SELECT zone, at, (at AT TIME ZONE zone)::date AS day
FROM changes,
	 generate_series(day - interval '1 day', day + interval '2 days', '15 minutes') AS near,
	 unnest('{-1 microsecond,0}'::interval[]) AS shift,
	 LATERAL (SELECT near + shift AS at) AS a;

-- and around each local midnight of those days, which LMT moves to any second
INSERT INTO around
SELECT zone, at, (at AT TIME ZONE zone)::date
FROM changes, generate_series(-1, 2) AS days,
	 LATERAL (SELECT ((day AT TIME ZONE 'UTC')::date + days)::timestamp AT TIME ZONE zone AS midnight) AS m,
	 unnest('{-1 hour,-30 minutes,-1 second,-1 microsecond,0,1 microsecond,1 second,30 minutes,1 hour}'::interval[]) AS shift,
	 LATERAL (SELECT midnight + shift AS at) AS a;

SELECT is_empty('SELECT zone, at, day, loyalty.local_day(at, zone) FROM around WHERE loyalty.local_day(at, zone) IS DISTINCT FROM day LIMIT 5',
				'around every clock change');
SELECT is_empty('SELECT zone, at, day, loyalty.local_day(at, zone) FROM (SELECT * FROM around ORDER BY random() OFFSET 0) AS a WHERE loyalty.local_day(at, zone) IS DISTINCT FROM day LIMIT 5',
				'around every clock change, shuffled');

-- known by name
SELECT is(loyalty.local_day('2011-12-30 09:59:59.999999+00', 'Pacific/Apia'), '2011-12-29'::date, 'Samoa before the day that it skipped');
SELECT is(loyalty.local_day('2011-12-30 10:00+00', 'Pacific/Apia'), '2011-12-31'::date, 'Samoa after the day that it skipped');
SELECT is(loyalty.local_day('2024-06-30 22:00+00', 'Europe/Paris'), '2024-07-01'::date, 'midnight in summer');
SELECT is(loyalty.local_day('2024-12-31 22:59:59.999999+00', 'Europe/Paris'), '2024-12-31'::date, 'just before midnight in winter');
-- Newfoundland set its clocks back at 00:01, to 23:01 of the day before
SELECT is((SELECT array_agg(loyalty.local_day(at, 'America/St_Johns') ORDER BY at)
		   FROM unnest('{2006-10-29 02:29+00,2006-10-29 02:30+00,2006-10-29 02:30:59+00,2006-10-29 02:31+00,2006-10-29 03:29+00,2006-10-29 03:30+00}'::timestamptz[]) AS at),
		  '{2006-10-28,2006-10-29,2006-10-29,2006-10-28,2006-10-28,2006-10-29}'::date[],
		  'a clock set back over midnight: the day ends twice');

-- whatever AT TIME ZONE accepts
SELECT is_empty(format('SELECT at, (at AT TIME ZONE %L)::date, loyalty.local_day(at, %1$L) FROM instants WHERE id <= 20000 AND loyalty.local_day(at, %1$L) IS DISTINCT FROM (at AT TIME ZONE %1$L)::date LIMIT 5', zone),
				format('the specification %s', zone))
FROM unnest('{europe/paris,EST,MSK,akst,CET,EST5EDT,UTC+3,<+0530>-5:30,"CET-1CEST,M3.5.0,M10.5.0/3"}'::text[]) AS zone;

-- a zone that changes under one prepared expression
CREATE FUNCTION pg_temp.day_in(at timestamptz, zone text) RETURNS date
LANGUAGE plpgsql AS $$ BEGIN RETURN loyalty.local_day(at, zone); END $$;
SELECT is_empty('SELECT at, zone, day FROM answers WHERE pg_temp.day_in(at, zone) IS DISTINCT FROM day LIMIT 5',
				'in a PL/pgSQL function with the zone as an argument');

-- the session's time zone must not matter
SELECT md5(string_agg(loyalty.local_day(at, zone)::text, ',' ORDER BY id)) AS utc
FROM (SELECT id, at, 'America/New_York' AS zone FROM instants WHERE id <= 20000) AS i \gset
SET LOCAL TimeZone = 'Pacific/Kiritimati';
SELECT is(md5(string_agg(loyalty.local_day(at, zone)::text, ',' ORDER BY id)), :'utc', 'TimeZone does not matter')
FROM (SELECT id, at, 'America/New_York' AS zone FROM instants WHERE id <= 20000) AS i;
SET LOCAL TimeZone = 'UTC';

-- arguments
SELECT is(loyalty.local_day(time_zone => 'Asia/Tokyo', at => '2024-01-01 15:00+00'), '2024-01-02'::date, 'arguments by name; a literal is an instant');
SELECT ok(loyalty.local_day(NULL, 'Asia/Tokyo') IS NULL AND loyalty.local_day(now(), NULL) IS NULL, 'NULL for NULL');
SELECT throws_ok($$SELECT loyalty.local_day(now(), 'Europe/Atlantis')$$, '22023', 'time zone "Europe/Atlantis" not recognized', 'an unknown zone');
SELECT throws_ok($$SELECT loyalty.local_day(now(), '')$$, '22023', 'time zone "" not recognized', 'an empty name');
SELECT throws_ok($$SELECT loyalty.local_day(now(), repeat('x', 1000))$$, '22023', NULL, 'a long name');
SELECT throws_ok($$SELECT loyalty.local_day('infinity', 'UTC')$$, '22008', 'the argument "at" of local_day is infinity, which is on no day', 'infinity');
SELECT throws_ok($$SELECT loyalty.local_day('-infinity', 'UTC')$$, '22008', 'the argument "at" of local_day is -infinity, which is on no day', '-infinity');
SELECT throws_ok($$SELECT loyalty.local_day(now()::timestamp, 'UTC')$$, '42804', 'local_day needs a timestamp with time zone, not a timestamp without time zone', 'a timestamp');
SELECT throws_ok($$SELECT loyalty.local_day(current_date, 'UTC')$$, '42804', 'local_day needs a timestamp with time zone, not a date', 'a date');
SELECT throws_ok($$SELECT loyalty.local_day(NULL::timestamp, 'UTC')$$, '42804', NULL, 'a timestamp that is NULL');

-- an index can hold it
CREATE TEMP TABLE orders AS SELECT at FROM instants;
SELECT lives_ok($$CREATE INDEX ON orders (loyalty.local_day(at, 'Europe/Paris'))$$, 'in an index');

SELECT * FROM finish();
ROLLBACK;
