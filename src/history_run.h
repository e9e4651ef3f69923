/*
 * history_run.h
 *	  From the tail of a large state to a run: a flat, canonical history.
 */
#ifndef LOYALTY_HISTORY_RUN_H
#define LOYALTY_HISTORY_RUN_H

#include "compact_row.h"
#include "history_large.h"

/* What the rows of a tail lie between.  Where one is wide, the amounts mean nothing. */
extern RowRange tail_range(const RowList *tail, Size width);

/*
 * Turns the rows of the tail, of which there is one at least, into a run in
 * the current memory context.
 */
extern CustomerHistory *run_of_tail(LargeState *state);

#endif							/* LOYALTY_HISTORY_RUN_H */
