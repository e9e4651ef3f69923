/*
 * aggregate.h
 *	  What the support functions of all aggregates share.
 */
#ifndef LOYALTY_AGGREGATE_H
#define LOYALTY_AGGREGATE_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/lsyscache.h"

/*
 * The memory context of the running aggregate.  Raises 0A000 with the hint
 * where there is none: the function was called directly.  In line, because
 * it runs for every row.
 */
static inline MemoryContext
aggregate_context(FunctionCallInfo fcinfo, const char *hint)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("function %s can only be called as part of an aggregate",
						get_func_name(fcinfo->flinfo->fn_oid)),
				 errhint("%s", hint)));
	return context;
}

#endif							/* LOYALTY_AGGREGATE_H */
