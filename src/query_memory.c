/*
 * query_memory.c
 *	  What the processes of a parallel query leave to its leader in memory that
 *	  they share.
 *
 * query_memory.h tells the design.
 */
#include "postgres.h"

#include <sys/statvfs.h>

#include "access/parallel.h"
#include "executor/execParallel.h"
#include "nodes/memnodes.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "postmaster/bgworker.h"
#include "storage/dsm.h"

#include "query_memory.h"

/* Where POSIX shared memory is, on Linux. */
#define SHARED_MEMORY_FOLDER	"/dev/shm"

/* What a context was offered is found by this callback, which has nothing to do. */
typedef struct Offer
{
	MemoryContextCallback callback;
	dsa_area   *area;
} Offer;

static void
withdraw(void *offer)
{
}

static const Offer *
find_offer(MemoryContext context)
{
	for (MemoryContextCallback *callback = context->reset_cbs; callback != NULL; callback = callback->next)
		if (callback->func == withdraw)
			return callback->arg;
	return NULL;
}

void
query_memory_offer(MemoryContext context, EState *estate)
{
	Offer	   *offer;

	if (estate->es_query_dsa == NULL || find_offer(context) != NULL)
		return;
	offer = MemoryContextAlloc(context, sizeof(Offer));
	offer->area = estate->es_query_dsa;
	offer->callback.func = withdraw;
	offer->callback.arg = offer;
	MemoryContextRegisterResetCallback(context, &offer->callback);
}

/*
 * Whether there is room for what all processes of the query may want, twice:
 * to run out of it is an error that cannot be caught.
 */
static bool
has_room(Size size)
{
	struct statvfs folder;

	return dynamic_shared_memory_type == DSM_IMPL_POSIX &&
		statvfs(SHARED_MEMORY_FOLDER, &folder) == 0 &&
		size <= (uint64) folder.f_bavail * folder.f_frsize / (2 * (max_parallel_workers_per_gather + 1));
}

QueryMemory
query_memory_allocate(MemoryContext context, Size size)
{
	QueryMemory memory = {0, NULL, InvalidDsaPointer};
	const Offer *offer = find_offer(context);

	if (offer == NULL || !has_room(size))
		return memory;
	if (IsParallelWorker())
		memory.query = DatumGetUInt32(MyBgworkerEntry->bgw_main_arg);
	memory.area = offer->area;
	memory.pointer = dsa_allocate_extended(offer->area, size, DSA_ALLOC_HUGE | DSA_ALLOC_NO_OOM);
	return memory;
}

/* Goes through the plan to the node that has the parallel query of the memory. */
static bool
find_query(PlanState *node, void *sought)
{
	QueryMemory *memory = sought;
	const ParallelExecutorInfo *query = NULL;

	if (IsA(node, GatherState))
		query = ((GatherState *) node)->pei;
	else if (IsA(node, GatherMergeState))
		query = ((GatherMergeState *) node)->pei;
	if (query != NULL && query->pcxt->seg != NULL &&
		(memory->query == 0 ? query->area == memory->area :
		 dsm_segment_handle(query->pcxt->seg) == memory->query))
	{
		memory->area = query->area;
		return true;
	}
	return planstate_tree_walker(node, find_query, sought);
}

bool
query_memory_receive(QueryMemory *memory, PlanState *node)
{
	return find_query(node, memory);
}
