/*
 * row_list.c
 *	  Lists of rows: what is done once per block.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "history.h"
#include "row_list.h"

pg_noinline void
row_list_add_block(RowList *list, MemoryContext context, Size width)
{
	if (list->block_count == list->block_capacity)
	{
		MemoryContext old_context = MemoryContextSwitchTo(context);

		list->block_capacity = Max(list->block_capacity * 2, 16);
		list->blocks = history_host.resize(list->blocks, list->block_capacity * sizeof(void *));
		MemoryContextSwitchTo(old_context);
	}
	list->next = list->blocks[list->block_count++] = MemoryContextAlloc(context, ROW_BLOCK_SIZE);
	list->room = rows_per_block(width);
}

void
row_list_append_all(RowList *list, MemoryContext context, const void *rows, size_t count, Size width)
{
	while (count > 0)
	{
		size_t		batch;

		if (list->room == 0)
			row_list_add_block(list, context, width);
		batch = Min(count, list->room);
		memcpy(list->next, rows, batch * width);
		list->next += batch * width;
		list->room -= batch;
		list->rows += batch;
		rows = (const char *) rows + batch * width;
		count -= batch;
	}
}

void
row_list_free(RowList *list)
{
	for (size_t b = 0; b < list->block_count; b++)
		if (list->blocks[b] != NULL)
			pfree(list->blocks[b]);
	if (list->blocks != NULL)
		pfree(list->blocks);
	memset(list, 0, sizeof(*list));
}

void
row_list_move_to(RowList *list, void *rows, Size width)
{
	char	   *to = rows;

	for (size_t b = 0; b < list->block_count; b++)
	{
		size_t		in_block = rows_in_block(list, b, width);

		memcpy(to, list->blocks[b], in_block * width);
		to += in_block * width;
	}
	row_list_free(list);
}
