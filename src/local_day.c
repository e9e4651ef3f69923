/*
 * local_day.c
 *	  The calendar day of an instant in a named time zone.
 *
 * What (at AT TIME ZONE zone)::date returns, fast enough to be called for
 * every row of a large table.  An offset from UTC is looked up once for each
 * UTC day instead of once for each row: within a UTC day the local day
 * changes at one instant, the local midnight, even when a clock change lies
 * near it.  So a day is described by that instant and the local day before
 * and after it.  The rare UTC day that has more changes than one (a clock
 * set back over midnight) is computed anew for each of its rows.
 *
 * The descriptions live in a table in fn_extra, addressed by UTC day and
 * zone; a day of another zone or year simply takes the place of the one it
 * meets.  The table starts small, because a call may be the only one of its
 * query, and grows while days drive each other out, up to 2 MB: room for
 * rows in any order from eight zones over thirty years.
 *
 * As in AT TIME ZONE a zone is an abbreviation, a full name or a POSIX
 * specification, looked for in this order.  The function is immutable in the
 * sense in which timezone(text, timestamptz) is.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "nodes/primnodes.h"
#include "parser/scansup.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"

#define MIN_SLOT_BITS	6		/* 2^bits slots of 16 bytes */
#define MAX_SLOT_BITS	17
#define ZONE_BUCKETS	64

/* pg_time_t counts seconds from 1970, everything here from 2000 */
#define UNIX_TO_POSTGRES_SECONDS \
	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY)

typedef enum ZoneKind
{
	FIXED_OFFSET,
	CHANGING_ABBREVIATION,		/* of tz, at different offsets over time */
	NAMED_ZONE
} ZoneKind;

typedef struct Zone
{
	struct Zone *next;			/* in its bucket */
	uint32		number;			/* 1, 2, ... in order of appearance */
	uint32		place;			/* place_of_zone(number) */
	ZoneKind	kind;
	int			offset;			/* of FIXED_OFFSET, seconds east of UTC */
	pg_tz	   *tz;				/* of the others; never freed by the server */
	Size		length;
	char		name[FLEXIBLE_ARRAY_MEMBER];
} Zone;

typedef struct DaySlot
{
	int32		utc_day;
	uint32		zone;			/* number; 0: empty */
	int32		split;			/* second of utc_day where the local day changes */
	int16		before;			/* local day minus utc_day until then */
	int16		after;			/* and from then on */
} DaySlot;

typedef struct LocalDayCache
{
	MemoryContext context;
	bool		zone_is_constant;	/* no need to look at the argument */
	Zone	   *zone;			/* of the last call */
	DaySlot    *slots;
	int			slot_bits;
	uint32		evictions;		/* since the table has this size */
	uint32		zone_count;
	Zone	   *buckets[ZONE_BUCKETS];
} LocalDayCache;

PG_FUNCTION_INFO_V1(loyalty_local_day);
PG_FUNCTION_INFO_V1(loyalty_local_day_of_local_time);

static inline int64
floor_div(int64 a, int64 b)
{
	return a / b - (a % b < 0);
}

/* Finds out what a name stands for, as timestamptz_zone() does. */
static void
resolve_zone(Zone *zone, const text *name)
{
	char		zone_name[TZ_STRLEN_MAX + 1];
	char	   *lower_name;
	int			type;

	text_to_cstring_buffer(name, zone_name, sizeof(zone_name));
	lower_name = downcase_truncate_identifier(zone_name, strlen(zone_name),
											  false);
	type = decode_timezone_abbrev(lower_name, &zone->offset, &zone->tz);
	pfree(lower_name);

	if (type == TZ || type == DTZ)
		zone->kind = FIXED_OFFSET;
	else if (type == DYNTZ)
		zone->kind = CHANGING_ABBREVIATION;
	else
	{
		zone->kind = NAMED_ZONE;
		zone->tz = pg_tzset(zone_name);
		if (zone->tz == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("time zone \"%s\" not recognized", zone_name),
					 errhint("The names that are known are in the view pg_timezone_names, for example Europe/Paris.")));
	}
}

/*
 * Where in the table the days of a zone begin, as a fraction of 2^32: steps
 * of the golden ratio keep any number of zones far apart from each other.
 */
static inline uint32
place_of_zone(uint32 number)
{
	return number * 0x9E3779B9U;
}

static inline bool
zone_has_name(const Zone *zone, const char *name, Size length)
{
	return zone->length == length && memcmp(zone->name, name, length) == 0;
}

/* Makes another zone the current one. */
static void
change_zone(LocalDayCache *cache, const text *zone_name)
{
	const char *name = VARDATA_ANY(zone_name);
	Size		length = VARSIZE_ANY_EXHDR(zone_name);
	uint32		hash = hash_bytes((const unsigned char *) name, (int) length);
	Zone	  **bucket = &cache->buckets[hash % ZONE_BUCKETS];
	Zone	   *zone;

	for (zone = *bucket; zone != NULL; zone = zone->next)
	{
		if (zone_has_name(zone, name, length))
		{
			cache->zone = zone;
			return;
		}
	}

	zone = MemoryContextAllocZero(cache->context,
								  offsetof(Zone, name) + length + 1);
	resolve_zone(zone, zone_name);
	memcpy(zone->name, name, length);
	zone->length = length;
	zone->number = ++cache->zone_count;
	zone->place = place_of_zone(zone->number);
	zone->next = *bucket;
	*bucket = zone;
	cache->zone = zone;
}

/* Makes the zone of a name the current one. */
static inline void
select_zone(LocalDayCache *cache, const text *zone_name)
{
	if (cache->zone == NULL ||
		!zone_has_name(cache->zone, VARDATA_ANY(zone_name),
					   VARSIZE_ANY_EXHDR(zone_name)))
		change_zone(cache, zone_name);
}

/* Whether the query gives the time zone as a literal. */
static bool
zone_is_constant(const FmgrInfo *flinfo)
{
	const Node *call = flinfo->fn_expr;

	return call != NULL && IsA(call, FuncExpr) &&
		IsA(lsecond(((const FuncExpr *) call)->args), Const);
}

static LocalDayCache *
create_cache(FmgrInfo *flinfo, const text *zone_name)
{
	LocalDayCache *cache = MemoryContextAllocZero(flinfo->fn_mcxt,
												  sizeof(LocalDayCache));

	cache->context = flinfo->fn_mcxt;
	cache->slot_bits = MIN_SLOT_BITS;
	cache->slots = MemoryContextAllocZero(cache->context,
										  sizeof(DaySlot) << MIN_SLOT_BITS);
	select_zone(cache, zone_name);
	cache->zone_is_constant = zone_is_constant(flinfo);
	flinfo->fn_extra = cache;
	return cache;
}

static inline DaySlot *
slot_of(const LocalDayCache *cache, uint32 place, int32 utc_day)
{
	uint32		mask = (UINT32_C(1) << cache->slot_bits) - 1;

	return &cache->slots[((place >> (32 - cache->slot_bits)) +
						  (uint32) utc_day) & mask];
}

/* The offset of a zone at a second since 2000-01-01 UTC, east positive. */
static int64
zone_offset(const Zone *zone, int64 second)
{
	if (zone->kind == FIXED_OFFSET)
		return zone->offset;
	else if (zone->kind == CHANGING_ABBREVIATION)
	{
		int			is_dst;

		return -DetermineTimeZoneAbbrevOffsetTS(second * USECS_PER_SEC,
												zone->name, zone->tz,
												&is_dst);
	}
	else
	{
		pg_time_t	time = second + UNIX_TO_POSTGRES_SECONDS;
		struct pg_tm *tm = pg_localtime(&time, zone->tz);

		if (tm == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
					 errmsg("timestamp out of range")));
		return tm->tm_gmtoff;
	}
}

/* The first second after a given one at which the offset may change, or end. */
static int64
offset_end(const Zone *zone, int64 second, int64 end)
{
	pg_time_t	time = second + UNIX_TO_POSTGRES_SECONDS;
	pg_time_t	boundary;
	long int	offset_before,
				offset_after;
	int			is_dst_before,
				is_dst_after;

	if (zone->kind == FIXED_OFFSET ||
		pg_next_dst_boundary(&time, &offset_before, &is_dst_before, &boundary,
							 &offset_after, &is_dst_after, zone->tz) <= 0)
		return end;
	return Min(end, boundary - UNIX_TO_POSTGRES_SECONDS);
}

static DateADT
compute_local_day(const Zone *zone, int64 second)
{
	int64		day = floor_div(second + zone_offset(zone, second),
								SECS_PER_DAY);

	/* only the first hours of timestamptz, west of Greenwich */
	if (!IS_VALID_DATE(day))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("date out of range"),
				 errdetail("The argument \"at\" is before the first day of the type date in the time zone \"%s\".",
						   zone->name)));
	return (DateADT) day;
}

/*
 * Describes the local days of a UTC day; false if they do not fit the
 * description.
 */
static bool
describe_day(const Zone *zone, int32 utc_day, DaySlot *slot)
{
	int64		start = (int64) utc_day * SECS_PER_DAY;
	int64		end = start + SECS_PER_DAY;
	int64		second = start;
	int64		offset = 0;
	int			changes = -1;

	slot->utc_day = utc_day;
	slot->zone = zone->number;
	slot->split = 0;
	slot->before = slot->after = 0;

	while (second < end)
	{
		int64		until = offset_end(zone, second, end);

		offset = zone_offset(zone, second);
		while (second < until)
		{
			int64		day = floor_div(second + offset, SECS_PER_DAY);
			int16		difference = (int16) (day - utc_day);

			if (!IS_VALID_DATE(day))
				return false;
			if (changes < 0)
			{
				slot->before = slot->after = difference;
				changes = 0;
			}
			else if (slot->after != difference)
			{
				if (changes > 0)
					return false;
				slot->split = (int32) (second - start);
				slot->after = difference;
				changes = 1;
			}
			second = Min(until, (day + 1) * SECS_PER_DAY - offset);
		}
	}

	/* in case the server did not know of a change */
	return offset == zone_offset(zone, end - 1);
}

static void
double_table(LocalDayCache *cache)
{
	DaySlot    *old_slots = cache->slots;
	uint32		old_count = UINT32_C(1) << cache->slot_bits;

	cache->slots = MemoryContextAllocZero(cache->context,
										  2 * old_count * sizeof(DaySlot));
	cache->slot_bits++;
	cache->evictions = 0;
	for (uint32 i = 0; i < old_count; i++)
	{
		const DaySlot *old = &old_slots[i];

		if (old->zone != 0)
			*slot_of(cache, place_of_zone(old->zone), old->utc_day) = *old;
	}
	pfree(old_slots);
}

/* The local day of a second whose UTC day is not in the table; puts it there. */
static pg_noinline DateADT
local_day_miss(LocalDayCache *cache, int32 utc_day, int64 second_of_day)
{
	const Zone *zone = cache->zone;
	DaySlot		described;
	DaySlot    *slot;

	if (!describe_day(zone, utc_day, &described))
		return compute_local_day(zone, (int64) utc_day * SECS_PER_DAY +
								 second_of_day);

	slot = slot_of(cache, zone->place, utc_day);
	if (slot->zone != 0 &&
		++cache->evictions >> (cache->slot_bits - 1) > 0 &&
		cache->slot_bits < MAX_SLOT_BITS)
	{
		double_table(cache);
		slot = slot_of(cache, zone->place, utc_day);
	}
	*slot = described;
	return utc_day + (second_of_day < slot->split ? slot->before : slot->after);
}

Datum
loyalty_local_day(PG_FUNCTION_ARGS)
{
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(0);
	LocalDayCache *cache = fcinfo->flinfo->fn_extra;
	uint64		since_julian;
	int32		utc_day;
	int64		time;
	const DaySlot *slot;

	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("the argument \"at\" of local_day is %s, which is on no day",
						TIMESTAMP_IS_NOEND(at) ? "infinity" : "-infinity"),
				 errhint("Leave such rows out with WHERE isfinite(column), or make them NULL.")));

	if (unlikely(cache == NULL))
		cache = create_cache(fcinfo->flinfo, PG_GETARG_TEXT_PP(1));
	else if (!cache->zone_is_constant)
		select_zone(cache, PG_GETARG_TEXT_PP(1));

	/* no instant is before Julian day 0: the division needs no correction */
	since_julian = (uint64) at + (uint64) POSTGRES_EPOCH_JDATE * USECS_PER_DAY;
	utc_day = (int32) (since_julian / USECS_PER_DAY) - POSTGRES_EPOCH_JDATE;
	time = since_julian % USECS_PER_DAY;

	slot = slot_of(cache, cache->zone->place, utc_day);
	if (unlikely(slot->utc_day != utc_day ||
				 slot->zone != cache->zone->number))
		PG_RETURN_DATEADT(local_day_miss(cache, utc_day,
										 time / USECS_PER_SEC));

	PG_RETURN_DATEADT(utc_day + (time < slot->split * USECS_PER_SEC ?
								 slot->before : slot->after));
}

/*
 * The overloads for timestamp and date exist only to fail: without them such
 * an argument would be cast to timestamptz in the session's time zone, and
 * the day might shift unseen.
 */
Datum
loyalty_local_day_of_local_time(PG_FUNCTION_ARGS)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 0);

	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("local_day needs a timestamp with time zone, not a %s",
					format_type_be(type)),
			 type == DATEOID ?
			 errdetail("A date already is a calendar day.") :
			 errdetail("A timestamp without time zone already is a local time."),
			 type == DATEOID ?
			 errhint("Use the column as it is.") :
			 errhint("Write column::date; if the column holds UTC, local_day(column AT TIME ZONE 'UTC', time_zone).")));
	PG_RETURN_NULL();
}
