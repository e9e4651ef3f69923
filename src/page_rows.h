/*
 * page_rows.h
 *	  The rows that a sequential scan has found on its page, for the aggregate
 *	  above it.
 *
 * Between a page and a transition the executor does for each row what takes
 * longer than many a transition: it puts the tuple into a slot, hands it from
 * node to node and steps through a program of expressions.  But a sequential
 * scan looks at a whole page at a time and then knows which of its rows are
 * visible.  So a transition that was called for the first of them takes the
 * others itself, and leaves the scan at the last.  What happens from page to
 * page stays the scan's own: locks, visibility, serializable reads, pages for
 * the processes of a parallel scan, cancelling.
 *
 * Nobody else may see the rows: it is for one aggregate without groups,
 * FILTER, DISTINCT and ORDER BY, right above the scan of a heap table, or
 * above an Append of such scans (partitions, UNION ALL), whose arguments are
 * columns, or functions of one column and of values known beforehand that are
 * strict and not volatile.
 * Conditions (WHERE, row security) are the scan's, which they are asked of.
 * Otherwise there are no such rows, and the executor brings one by one.
 * Statistics and EXPLAIN ANALYZE count rows either way.
 */
#ifndef LOYALTY_PAGE_ROWS_H
#define LOYALTY_PAGE_ROWS_H

#include "fmgr.h"

typedef struct PageRows PageRows;

/*
 * So many rows are read together, of so many arguments after the state; one by
 * one where an argument, or what it is made of, may be long.
 */
#define PAGE_ROWS_AT_ONCE	64
#define PAGE_ROWS_ARGUMENTS	3

/* The arguments of a row, as in fcinfo->args. */
typedef NullableDatum PageRow[PAGE_ROWS_ARGUMENTS];

/*
 * For the first call of an aggregate's transition function, in a running
 * aggregation; NULL: there are none.  Lives as long as fn_extra.
 */
extern PageRows *page_rows_begin(FunctionCallInfo fcinfo);

/*
 * The next rows of the page, for as long as the call or until the next ones;
 * frees what was allocated for those before.  Returns how many; 0: the page
 * has no others.
 */
extern int	page_rows_read(PageRows *rows, PageRow values[PAGE_ROWS_AT_ONCE]);

#endif							/* LOYALTY_PAGE_ROWS_H */
