/*
 * query_memory.h
 *	  What the processes of a parallel query leave to its leader in memory that
 *	  they share.
 *
 * What a plan node of a worker returns goes through a queue of 64 kB, and the
 * leader's nodes copy what they are returned, some of them twice, into memory
 * that is new: many megabytes take longer that way than to make them.  So they
 * are left in the memory that the nodes of a parallel query share
 * (es_query_dsa), and what is returned tells where.
 *
 * PostgreSQL gives it back when the query ends, whatever becomes of its
 * processes.  Before, who reads it frees it, and so nobody may be told twice.
 *
 * It is in files of /dev/shm, which often is small in containers, and whose
 * want is an error: half of it is left alone, and who finds too little room,
 * or none, returns everything.
 */
#ifndef LOYALTY_QUERY_MEMORY_H
#define LOYALTY_QUERY_MEMORY_H

#include "nodes/execnodes.h"
#include "storage/dsm_impl.h"
#include "utils/dsa.h"

/* Where it is; of no meaning in another query. */
typedef struct QueryMemory
{
	dsm_handle	worker;			/* of the query, as workers know it; 0 in the leader */
	dsa_area   *area;			/* of the process that allocated it */
	dsa_pointer pointer;		/* not valid: nowhere */
} QueryMemory;

static inline bool
query_memory_is_valid(const QueryMemory *memory)
{
	return DsaPointerIsValid(memory->pointer);
}

/* Memory of that size, or what is not valid.  The area is that of a query (es_query_dsa), or NULL. */
extern QueryMemory query_memory_allocate(dsa_area *area, Size size);

/* For the process that allocated it. */
static inline void *
query_memory_address(const QueryMemory *memory)
{
	return dsa_get_address(memory->area, memory->pointer);
}

static inline void
query_memory_free(const QueryMemory *memory)
{
	dsa_free(memory->area, memory->pointer);
}

/*
 * For who got it from another process or itself: sets the area to its own, for
 * the functions above, until the plan is shut down.  The plan node is one of
 * the same process, or one of the leader above those that were executed in
 * parallel.  false: the memory is not of that query.
 */
extern bool query_memory_receive(QueryMemory *memory, PlanState *node);

#endif							/* LOYALTY_QUERY_MEMORY_H */
