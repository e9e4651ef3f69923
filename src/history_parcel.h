/*
 * history_parcel.h
 *	  The rows of a parallel worker's state on their way to the leader.
 *
 * To sort and write in every worker what the leader then has to merge takes
 * longer than it saves: each worker has some orders of nearly every customer.
 * So a worker sends its rows as they are, compact (compact_row.h) and
 * partitioned by key, which is what can be done side by side.  The leader
 * sorts and writes them partition by partition, those of all workers together,
 * with the help of workers of its own (run_workers.h).
 *
 * A parcel is a datum of type customer_history that only the combine function
 * sees, in the plan node that finishes what others began: history_state.c sees
 * to that.  Its version is one that no reader takes for a value's.  A large one
 * of a query without groups stays in memory that the query's processes share
 * (query_memory.h), and the datum is a slip that tells where.
 */
#ifndef LOYALTY_HISTORY_PARCEL_H
#define LOYALTY_HISTORY_PARCEL_H

#include "compact_row.h"
#include "history_large.h"
#include "query_memory.h"

typedef struct Parcel Parcel;

/* A parcel that a state has. */
typedef struct HeldParcel
{
	const Parcel *parcel;
	QueryMemory shared;			/* where it lies; not valid: in the state's memory */
} HeldParcel;

/*
 * The size of the datum that the state can be sent as, 0 if it has to go as
 * a value.  The state is not changed until the datum is written.
 */
extern Size parcel_size(LargeState *state);
extern void parcel_write(LargeState *state, void *result);

extern bool datum_is_parcel(Datum datum);

/*
 * Keeps a copy of the parcel, or the parcel itself where it is shared, which
 * it may be with workers below that plan node.
 */
extern void parcels_add(LargeState *state, Datum parcel, PlanState *node);

/* Adds the rows of another state as a parcel, if it could be sent as one; that state is not changed. */
extern bool parcels_add_state(LargeState *state, LargeState *other);

/* Turns the parcels that a state has into runs. */
extern void parcels_flush(LargeState *state);

#endif							/* LOYALTY_HISTORY_PARCEL_H */
