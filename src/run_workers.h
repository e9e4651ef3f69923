/*
 * run_workers.h
 *	  Parallel workers that sort and write a part of the rows of a run.
 *
 * Rows come in groups, in the order of keys.  The leader writes groups from the
 * front, and sends others, from the back, to its workers, through a queue of
 * small size for each, as long as there is room in it; what a worker makes of
 * a group, a flat history, comes back through another.  In the end the leader
 * appends these to what it wrote.  So nobody waits but for the last groups,
 * who is slow or never starts gets less, and little memory is shared.
 *
 * Memory: what workers made, until it is appended, and for each worker two
 * queues and three copies of a group, which is never a very large one.
 */
#ifndef LOYALTY_RUN_WORKERS_H
#define LOYALTY_RUN_WORKERS_H

#include "compact_run.h"
#include "lib/stringinfo.h"

typedef struct RunGroups
{
	int			count;			/* of groups */
	const Size *sizes;			/* of their rows */
	Size		size;			/* of all rows, about */
	void	   *state;			/* for the two functions */

	/* Writes the rows of the next group. */
	void		(*write) (void *state, CompactRun *run, int group);

	/*
	 * Puts the rows of a group, of the run's form, into memory for a worker:
	 * portions that can be sorted one by one, each a uint32, how many rows,
	 * and these.
	 */
	char	   *(*collect) (void *state, int group, Size *size);
} RunGroups;

/*
 * Writes all groups to a run of bigint keys that has been opened, with the help
 * of workers if there are any.  In the current memory context.
 */
extern void compact_run_write_groups(CompactRun *run, const RunGroups *groups);

#endif							/* LOYALTY_RUN_WORKERS_H */
