/*
 * history_state.h
 *	  What an aggregate of customer_history has in hand between two rows.
 *
 * A state is a datum of type customer_history in one of three forms, so that
 * it can go to disk, to a parallel worker's leader or to another server like
 * any other value:
 *
 *	small	a flat block of up to SMALL_MAX bytes, changed in place, for the
 *			many groups of few rows; never stored
 *	large	an expanded object in a memory context of its own
 *	flat	the canonical form, which combining reads
 */
#ifndef LOYALTY_HISTORY_STATE_H
#define LOYALTY_HISTORY_STATE_H

#include "history.h"

/*
 * Adds one event to a state and returns the state, which may be a new datum.
 * state may be (Datum) 0: there is none yet.  event->amount is in 10^-scale;
 * scale is read only if the event's amount is known.  aggregate_context is
 * where a large state puts its memory context.
 */
extern Datum history_state_add(Datum state, MemoryContext aggregate_context,
							   HistoryKeyType key_type, const HistoryKey *key,
							   const HistoryDay *event, int scale);

/* Adds all events of another state or value, which stays as it is. */
extern Datum history_state_merge(Datum state, MemoryContext aggregate_context,
								 Datum other);

/*
 * The canonical value of a state.  The state keeps its meaning and may be
 * added to afterwards; the result is not to be changed and lives as long as
 * the state or the current memory context, whichever ends first.
 */
extern const CustomerHistory *history_state_value(Datum state);

/* Whether the datum is a state that is not flat and canonical yet. */
extern bool history_is_large_state(Datum datum);
extern bool history_is_small_state(const struct varlena *value);

/* The union of flat values, in the current memory context. */
extern CustomerHistory *history_merge_values(const CustomerHistory *const *values, int count);

#endif							/* LOYALTY_HISTORY_STATE_H */
