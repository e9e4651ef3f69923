/*
 * compat.h
 *	  What differs between the servers loyalty is built for, 15 to 19.
 */
#ifndef LOYALTY_COMPAT_H
#define LOYALTY_COMPAT_H

/* The varlena macros left postgres.h in 16. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* Soft input errors came with 16; before, an input error is a plain one. */
#if PG_VERSION_NUM >= 160000
#include "nodes/miscnodes.h"
#define input_error(escontext, result, ...)	ereturn(escontext, result, __VA_ARGS__)
#else
#define input_error(escontext, result, ...)	ereport(ERROR, __VA_ARGS__)
#endif

/* The counter of the rows that sequential scans read; only for who includes pgstat.h and utils/rel.h. */
#if defined(PGSTAT_H) && defined(REL_H)
static inline void
count_tuples_read(Relation relation, int64 count)
{
	if (!pgstat_should_count_relation(relation))
		return;
#if PG_VERSION_NUM >= 160000
	relation->pgstat_info->counts.tuples_returned += count;
#else
	relation->pgstat_info->t_counts.t_tuples_returned += count;
#endif
}
#endif

/*
 * The type of token that the abbreviation of a time zone is; since 16 its
 * errors are the caller's to raise.  Only for who includes utils/datetime.h,
 * which defines as macros what others may have as names.
 */
#ifdef DATETIME_H
static inline int
decode_timezone_abbrev(char *lower_name, int *offset, pg_tz **tz)
{
#if PG_VERSION_NUM >= 160000
	int			type;
	DateTimeErrorExtra extra;
	int			error = DecodeTimezoneAbbrev(0, lower_name, &type, offset, tz, &extra);

	if (error != 0)
		DateTimeParseError(error, &extra, NULL, NULL, NULL);
	return type;
#else
	return DecodeTimezoneAbbrev(0, lower_name, offset, tz);
#endif
}
#endif							/* DATETIME_H */

#endif							/* LOYALTY_COMPAT_H */
