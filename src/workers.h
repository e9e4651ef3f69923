/*
 * workers.h
 *	  Parallel workers that help within one call of a function.
 *
 * They are PostgreSQL's own: of the same transaction and snapshot, taken from
 * max_parallel_workers, and none where max_parallel_workers_per_gather is 0.
 * An error of a worker is raised in the leader.  What a worker does must also
 * get done if it never starts.
 */
#ifndef LOYALTY_WORKERS_H
#define LOYALTY_WORKERS_H

#include "postgres.h"

#include "access/parallel.h"

typedef struct Workers
{
	ParallelContext *context;
	int			count;			/* at most so many come; once started, those who were */
	void	   *shared;			/* zeroed memory of all, of the size wanted */
} Workers;

/*
 * How many workers so many bytes are worth: one from
 * min_parallel_table_scan_size on, two from eight times that, and so forth.
 * 0 where none may be started.
 */
extern int	workers_for(Size bytes);

/*
 * Prepares workers, who will call that function of this library:
 *
 *		void loyalty_NAME(dsm_segment *segment, shm_toc *toc)
 *
 * Parallel mode begins here and lasts until workers_end.  "layout" tells what
 * is shared from what another version of this library would share: after an
 * update a session goes on with the old one, and its workers load the new one.
 */
extern void workers_prepare(Workers *workers, const char *function, int count,
							uint64 layout, Size shared_size);

/* Lets them start, which takes them some milliseconds. */
extern void workers_start(Workers *workers);

/* Waits until all have returned. */
extern void workers_wait(Workers *workers);

/* They and what is shared are gone. */
extern void workers_end(Workers *workers);

#define WORKERS_LAYOUT(version, size)	((uint64) (version) << 32 | (uint64) (size))

/* What workers->shared is to the leader, for a worker; NULL: of another layout. */
extern void *workers_shared(shm_toc *toc, uint64 layout);

#endif							/* LOYALTY_WORKERS_H */
