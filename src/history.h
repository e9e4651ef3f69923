/*
 * history.h
 *	  customer_history as PostgreSQL sees it: datums, errors, memory.
 *
 * The bytes themselves are history_format.h; what an aggregate builds up is
 * history_state.h.
 */
#ifndef LOYALTY_HISTORY_H
#define LOYALTY_HISTORY_H

#include "postgres.h"

#include "fmgr.h"

#include "history_format.h"

/* A varlena whose data is the flat form of history_format.h. */
typedef struct varlena CustomerHistory;

/* Memory from the current context, cancelled by CHECK_FOR_INTERRUPTS. */
extern const HistoryHost history_host;

/* bigint, text, uuid */
extern const char *history_key_type_name(HistoryKeyType key_type);

/* Raises the error of a writer. */
extern void history_check(HistoryError error);

/* Brings an amount from one scale to another, if that has more decimals; raises 22003. */
extern void history_rescale(Amount *amount, int from, int to);

/* Raises XX001 for a stored value that proved damaged. */
extern void history_raise_damage(const char *damage) __attribute__((noreturn));

/* Raises 42804: histories of two key types do not merge. */
extern void history_raise_key_types(HistoryKeyType a, HistoryKeyType b) __attribute__((noreturn));

/*
 * The flat value of a datum: detoasted, and made canonical if it still is
 * the state of an aggregate.
 */
extern const CustomerHistory *history_of_datum(Datum datum);

/* Reads the header only, without detoasting the rest of a stored value. */
extern void history_header_of_datum(Datum datum, HistoryHeader *header);

/* The size of a stored value that is read in slices; 0 for all others. */
extern Size history_stored_size(Datum datum);

/* Whether that value is in a temporary table, which other processes cannot read. */
extern bool history_is_temporary(Datum datum);

/* Opens a flat value for reading, or raises what is wrong with its header. */
extern void history_open_value(HistoryReader *reader, const CustomerHistory *history,
							   bool with_keys);

/*
 * The same with a datum.  A large stored value is read in slices, which stay
 * in the processor's cache, and never is in memory as a whole.  What that
 * takes is allocated in the current memory context.
 */
extern void history_open_datum(HistoryReader *reader, Datum datum, bool with_keys);

/*
 * Whether the union of two values can be read as if it had been made: keys are
 * bigint, both have amounts of the same scale or none, and the other has no
 * day before the first one's.  Raises 22003, as making it would.
 */
extern bool history_is_union(Datum datum, Datum other);

/*
 * Opens it for reading.  The first is read from where it is, the other is in
 * memory as a whole.  The header's counts of customers, buyers and days are
 * at least those of the union.
 */
extern void history_open_union(HistoryReader *reader, Datum datum, Datum other);

/* Adds up the totals of headers of one scale; counts are added, too.  Raises 22003. */
extern void history_add_totals(HistoryHeader *header, const HistoryHeader *more);

/* To be called when reading has ended: raises what damage ended it. */
static inline void
history_close_value(const HistoryReader *reader)
{
	if (reader->damage != NULL)
		history_raise_damage(reader->damage);
}

#ifdef USE_ASSERT_CHECKING
/* Whether a flat value is one that a writer would write. */
extern bool history_is_sound(const CustomerHistory *history);
#endif

/* The value a writer has written, with its length word set. */
extern CustomerHistory *history_of_writer(HistoryWriter *writer);

#define PG_GETARG_HISTORY(n)	history_of_datum(PG_GETARG_DATUM(n))

#endif							/* LOYALTY_HISTORY_H */
