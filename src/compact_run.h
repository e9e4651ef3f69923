/*
 * compact_run.h
 *	  From rows to a run: a flat, canonical history.
 *
 * Compact rows are partitioned by their most significant bits until a part
 * fits the processor's cache; there they are sorted.  Rows in order, these or
 * others, are written customer by customer as lists of days.
 */
#ifndef LOYALTY_COMPACT_RUN_H
#define LOYALTY_COMPACT_RUN_H

#include "compact_row.h"
#include "history.h"
#include "row_list.h"

/* Rows and a copy of them, in a second-level cache. */
#define COMPACT_CACHED_SIZE		((Size) 512 * 1024)
#define COMPACT_CACHED_ROWS(width)	(COMPACT_CACHED_SIZE / (width))

/* So many rows to a partition, of each of some workers, keep a sort in a first-level cache. */
#define ROWS_PER_PARTITION		2048
#define MAX_PARTITION_BITS		11

/*
 * How many bits of a key of that range are to be left below the number of its
 * partition.
 */
extern int	partition_key_unit(uint64 key_range, size_t rows);

struct KeySlot;

typedef struct CompactRun
{
	HistoryWriter writer;
	CompactForm form;
	Size		width;
	/* keys that are ranks: their numbers by rank, and by number their bytes; NULL: keys are numbers */
	const uint32 *key_order;
	const struct KeySlot *keys;
	void	   *cached;			/* COMPACT_CACHED_SIZE, twice; NULL: not needed so far */
	void	   *scratch;

	/* the customer at hand */
	uint64		key;
	bool		is_buyer;
	bool		is_passed;		/* earlier days of his are with the writer */
	ListedDay  *days;			/* his; day_count > 0 if there is one */
	size_t		day_count;
	size_t		day_capacity;
	HistoryDay *others;			/* days that are not plain */
	size_t		other_count;
	size_t		other_capacity;

	/* what the rows add up to */
	int64		orders;
	Amount		amount;
	uint32		buyers;
	Day			first_purchase;
	Day			last_day;
} CompactRun;

/* In the current memory context, which is to stay the current one. */
extern void compact_run_open(CompactRun *run, HistoryKeyType key_type, bool has_amounts,
							 int scale, const CompactForm *form);

/* Rows in any order, which all come after those that were written; frees the list. */
extern void compact_run_write(CompactRun *run, RowList *list);

/* The same of the first rows in run->cached, which the other function makes room for. */
extern void *compact_run_cached(CompactRun *run);
extern void compact_run_write_cached(CompactRun *run, size_t count);

/*
 * Rows that are in order and not compact, none of them wide: of a run whose
 * form has first_day and nothing else.
 */
extern void compact_run_write_rows(CompactRun *run, const HistoryRow *rows, size_t count);

/*
 * Appends a run of bigint keys, amounts, scale and first day of this one,
 * which all come after those that were written; its last key is told.
 */
extern void compact_run_append(CompactRun *run, const CustomerHistory *more, int64 last_key);

extern CustomerHistory *compact_run_finish(CompactRun *run);

#endif							/* LOYALTY_COMPACT_RUN_H */
