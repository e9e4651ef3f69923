/*
 * workers.c
 *	  Parallel workers that help within one call of a function.
 */
#include "postgres.h"

#include <dlfcn.h>

#include "access/xact.h"
#include "miscadmin.h"
#include "optimizer/cost.h"
#include "optimizer/paths.h"
#include "utils/snapmgr.h"

#include "workers.h"

#define KEY_LAYOUT	1
#define KEY_SHARED	2

/* A value so many times as large gets one more: they are here for some ten milliseconds. */
#define MORE_BYTES	8

int
workers_for(Size bytes)
{
	Size		enough = (Size) Max(min_parallel_table_scan_size, 1) * BLCKSZ;
	int			count = 0;

	/* a worker starts none, and errors of one are heard of by an interrupt */
	if (IsParallelWorker() || !IsUnderPostmaster || !ActiveSnapshotSet() ||
		InterruptHoldoffCount > 0 || CritSectionCount > 0)
		return 0;
	while (count < max_parallel_workers_per_gather && bytes >= enough)
	{
		count++;
		enough *= MORE_BYTES;
	}
	return count;
}

/* The file that this library was loaded from, whatever the settings say now. */
static const char *
library_file(void)
{
	Dl_info		info;

	if (dladdr((void *) workers_prepare, &info) == 0)
		elog(ERROR, "could not find the file of the library");
	return info.dli_fname;
}

void
workers_prepare(Workers *workers, const char *function, int count, uint64 layout, Size shared_size)
{
	ParallelContext *context;
	uint64	   *shared_layout;

	EnterParallelMode();
	context = CreateParallelContext(library_file(), function, count);
	shm_toc_estimate_chunk(&context->estimator, sizeof(uint64));
	shm_toc_estimate_chunk(&context->estimator, shared_size);
	shm_toc_estimate_keys(&context->estimator, 2);
	InitializeParallelDSM(context);

	shared_layout = shm_toc_allocate(context->toc, sizeof(uint64));
	*shared_layout = layout;
	shm_toc_insert(context->toc, KEY_LAYOUT, shared_layout);

	workers->context = context;
	workers->count = context->nworkers;
	workers->shared = shm_toc_allocate(context->toc, shared_size);
	memset(workers->shared, 0, shared_size);
	shm_toc_insert(context->toc, KEY_SHARED, workers->shared);
}

void
workers_start(Workers *workers)
{
	LaunchParallelWorkers(workers->context);
	workers->count = workers->context->nworkers_launched;
}

void
workers_wait(Workers *workers)
{
	WaitForParallelWorkersToFinish(workers->context);
}

void
workers_end(Workers *workers)
{
	DestroyParallelContext(workers->context);
	ExitParallelMode();
}

void *
workers_shared(shm_toc *toc, uint64 layout)
{
	const uint64 *shared_layout = shm_toc_lookup(toc, KEY_LAYOUT, true);

	return shared_layout == NULL || *shared_layout != layout ? NULL :
		shm_toc_lookup(toc, KEY_SHARED, false);
}
