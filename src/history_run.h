/*
 * history_run.h
 *	  From the tail of a large state to a run: a flat, canonical history.
 */
#ifndef LOYALTY_HISTORY_RUN_H
#define LOYALTY_HISTORY_RUN_H

#include "compact_row.h"
#include "history_large.h"

/*
 * Makes a segment of the rows since the last one; false: their keys are packed,
 * one of them is wide, or does not fit a number, or not together with those of
 * the other segments.
 */
extern bool tail_compact(LargeState *state);

/* Turns the rows of the tail into one run, or two if not all of them are in segments. */
extern void tail_flush(LargeState *state);

#endif							/* LOYALTY_HISTORY_RUN_H */
