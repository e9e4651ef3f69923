/*
 * history_state.h
 *	  What an aggregate of customer_history has in hand between two rows.
 *
 * A state is a datum of type customer_history: an expanded object, which is
 * flattened to the canonical form whenever it goes elsewhere.  Only where it
 * goes to a parallel worker's leader, and is said to, its rows may go as they
 * are (history_parcel.h).
 */
#ifndef LOYALTY_HISTORY_STATE_H
#define LOYALTY_HISTORY_STATE_H

#include "history.h"
#include "nodes/execnodes.h"
#include "utils/dsa.h"

/* A state without events.  aggregate_context is where it is allocated. */
extern Datum history_state_create(MemoryContext aggregate_context, HistoryKeyType key_type);

/*
 * Adds one event to a state and returns the state, which may be a new datum.
 * event->amount is in 10^-scale; scale is read only if the event's amount is
 * known.  aggregate_context is where a new state is allocated, and may be NULL
 * where the state is one that a function of this file returned.
 */
extern Datum history_state_add(Datum state, MemoryContext aggregate_context,
							   HistoryKeyType key_type, const HistoryKey *key,
							   const HistoryDay *event, int scale);

/*
 * The event of an order, or of a refund if the amount is below 0; scale is -1
 * if the amount is unknown, and the amount then 0.
 */
static inline HistoryDay
history_order_event(Day day, Amount amount, int scale)
{
	HistoryDay	event = {.day = day, .amount = amount};

	event.orders = amount >= 0;
	event.valued_orders = amount >= 0 && scale >= 0;
	return event;
}

/*
 * Adds such an order of a customer who is a number, without an event being
 * made of it.  false: nothing was added, the state has to be another datum,
 * or is one of other keys.
 */
extern bool history_state_add_order(Datum state, int64 customer, Day day, Amount amount, int scale);

/*
 * The states of one aggregate in a hashed aggregation, whose groups may be
 * many.  They live for as long as the aggregation keeps its groups; then the
 * owner's pointer to them, which begin set, becomes NULL.
 */
typedef struct HistoryGroups HistoryGroups;

extern void history_groups_begin(HistoryGroups **owner, MemoryContext aggregate_context);

/* A state without events, for one more group. */
extern Datum history_groups_add_state(HistoryGroups *groups, HistoryKeyType key_type);

/*
 * history_state_add_order for a state of these groups, of bigint keys, which
 * is believed to be one.  The order may be added some calls later, or when a
 * state of the aggregation is read; what is wrong with it is raised then.
 */
extern void history_groups_add_order(HistoryGroups *groups, Datum state, int64 customer, Day day,
									 int32 amount, int scale);

/* Adds all events of another state or value, which stays as it is. */
extern Datum history_state_merge(Datum state, MemoryContext aggregate_context,
								 Datum other);

/*
 * The same with what a partial aggregation has left, which may be a parcel of
 * workers below that plan node.  Of a parcel nothing but its sizes and bounds
 * is validated; what is no parcel raises XX001.
 */
extern Datum history_state_combine(Datum state, MemoryContext aggregate_context,
								   Datum partial, PlanState *node);

/*
 * From now on the state may leave as a parcel, because it goes to
 * history_state_combine; in that memory of the query, if it is not NULL.
 */
extern void history_state_set_partial(Datum state, dsa_area *area);

/*
 * The canonical value of a state.  The state keeps its meaning and may be
 * added to afterwards; the result is not to be changed and lives as long as
 * the state or the current memory context, whichever ends first.
 */
extern const CustomerHistory *history_state_value(Datum state);

/*
 * The same for who asks once, as a datum.  If the value is the union of a large
 * history and of one that is much smaller, and the state is alone, it is the
 * state itself, not to be changed any more: reports read the union as it is,
 * and who needs the value as a whole has it made in the state's memory.  Not
 * alone are states whose memory is not given back before many others have
 * been asked.
 */
extern Datum history_state_result(Datum state, bool is_alone);

/* Opens a state that is such a union for reading; false: it is none. */
extern bool history_state_open(HistoryReader *reader, Datum state);

/* Whether the datum is a state rather than a value, which is flat. */
extern bool history_is_state(Datum datum);

/* The union of histories, in the current memory context. */
extern CustomerHistory *history_merge(const Datum *histories, int count);

#endif							/* LOYALTY_HISTORY_STATE_H */
