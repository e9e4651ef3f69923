/*
 * row_list.h
 *	  Lists of rows of one width that are appended to and read in order.
 *
 * Blocks of one size, so that those of a list that was read are taken up by
 * the next one.
 */
#ifndef LOYALTY_ROW_LIST_H
#define LOYALTY_ROW_LIST_H

#include "postgres.h"

#define ROW_BLOCK_SIZE		8192

typedef struct RowList
{
	char	   *next;			/* where the next row goes, if there is room */
	size_t		room;			/* rows that the last block can still take */
	size_t		rows;
	void	  **blocks;
	size_t		block_count;
	size_t		block_capacity;
} RowList;

extern void row_list_add_block(RowList *list, MemoryContext context, Size width);

/* Moves all rows to an array that has room for them, and frees the list. */
extern void row_list_move_to(RowList *list, void *rows, Size width);

/* Frees what is left of it; blocks already freed are NULL. */
extern void row_list_free(RowList *list);

static inline size_t
rows_per_block(const Size width)
{
	return ROW_BLOCK_SIZE / width;
}

static inline size_t
rows_in_block(const RowList *list, size_t block, const Size width)
{
	return rows_per_block(width) - (block + 1 < list->block_count ? 0 : list->room);
}

/* Where to put another row. */
static pg_attribute_always_inline void *
row_list_append(RowList *list, MemoryContext context, const Size width)
{
	void	   *row;

	if (unlikely(list->room == 0))
		row_list_add_block(list, context, width);
	row = list->next;
	list->next += width;
	list->room--;
	list->rows++;
	return row;
}

/* Appends an array of rows. */
extern void row_list_append_all(RowList *list, MemoryContext context,
								const void *rows, size_t count, Size width);

/* A block that was read is given back while the list lives on. */
static inline void
row_list_free_block(RowList *list, size_t block)
{
	pfree(list->blocks[block]);
	list->blocks[block] = NULL;
}

#endif							/* LOYALTY_ROW_LIST_H */
