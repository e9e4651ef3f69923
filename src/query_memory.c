/*
 * query_memory.c
 *	  What the processes of a parallel query leave to its leader in memory that
 *	  they share.
 *
 * query_memory.h tells the design.
 */
#include "postgres.h"

#ifndef WIN32
#include <sys/statvfs.h>
#endif

#include "access/parallel.h"
#include "executor/execParallel.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "postmaster/bgworker.h"
#include "storage/dsm.h"

#include "query_memory.h"

/* Where POSIX shared memory is, on Linux. */
#define SHARED_MEMORY_FOLDER	"/dev/shm"

/* The handle that this worker was started with, 0 in the leader. */
static dsm_handle
worker_handle(void)
{
	return IsParallelWorker() ? DatumGetUInt32(MyBgworkerEntry->bgw_main_arg) : 0;
}

/*
 * Whether there is room for what all processes of the query may want, twice,
 * and half of the folder remains.  What is not free there is at least what
 * the query has of it, so that there is room for as much again: an area grows
 * by less.
 */
static bool
has_room(Size size)
{
#ifndef WIN32
	struct statvfs folder;

	return dynamic_shared_memory_type == DSM_IMPL_POSIX &&
		statvfs(SHARED_MEMORY_FOLDER, &folder) == 0 && folder.f_bavail > folder.f_blocks / 2 &&
		size <= (uint64) (folder.f_bavail - folder.f_blocks / 2) * folder.f_frsize /
		(2 * (max_parallel_workers_per_gather + 1));
#else
	return false;
#endif
}

QueryMemory
query_memory_allocate(dsa_area *area, Size size)
{
	QueryMemory memory = {worker_handle(), area, InvalidDsaPointer};

	if (area != NULL && has_room(size))
		memory.pointer = dsa_allocate_extended(area, size, DSA_ALLOC_HUGE | DSA_ALLOC_NO_OOM);
	return memory;
}

typedef struct AreaSearch
{
	const QueryMemory *memory;
	dsa_area   *area;
} AreaSearch;

/* Goes through the plan to the node that has the parallel query of the memory. */
static bool
find_area(PlanState *node, void *context)
{
	AreaSearch *search = context;
	const QueryMemory *memory = search->memory;
	const ParallelExecutorInfo *query = NULL;

	if (IsA(node, GatherState))
		query = ((GatherState *) node)->pei;
	else if (IsA(node, GatherMergeState))
		query = ((GatherMergeState *) node)->pei;
	if (query != NULL && query->area != NULL &&
		(memory->worker == 0 ? query->area == memory->area :
		 dsm_segment_handle(query->pcxt->seg) == memory->worker))
	{
		search->area = query->area;
		return true;
	}
	return planstate_tree_walker(node, find_area, context);
}

bool
query_memory_receive(QueryMemory *memory, PlanState *node)
{
	AreaSearch	search = {memory, NULL};
	dsa_area   *own = node->state->es_query_dsa;

	/* of this very process, which executes a part of the query */
	if (own != NULL && memory->area == own && memory->worker == worker_handle())
		return true;
	if (own != NULL || !find_area(node, &search))
		return false;
	memory->area = search.area;
	return true;
}
