/*
 * customer_rows.c
 *	  Reports of one or more rows a customer.
 *
 * A key becomes a datum once per customer, when its first row is made: a key
 * of a customer without rows need not fit the type asked for.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/uuid.h"

#include "compat.h"
#include "customer_rows.h"

/* That of a uuid; a bigint has up to 20. */
#define LONGEST_NUMBER_TEXT	36

void
customer_rows_begin(CustomerRows *rows, Report *report)
{
	const HistoryHeader *header = &report->reader.header;

	memset(rows, 0, sizeof(*rows));
	rows->report = report;
	rows->type = TupleDescAttr(report->result->setDesc, 0)->atttypid;
	rows->by_input = rows->type != TEXTOID &&
		!(rows->type == INT8OID && header->key_type == HISTORY_KEY_BIGINT) &&
		!(rows->type == UUIDOID && header->key_type == HISTORY_KEY_UUID);
	if (rows->by_input)
	{
		Oid			function;

		getTypeInputInfo(rows->type, &function, &rows->input_param);
		fmgr_info(function, &rows->input);
	}
	rows->text = palloc(VARHDRSZ + Max((Size) header->longest_key, LONGEST_NUMBER_TEXT) + 1);
	rows->customer_context = AllocSetContextCreate(CurrentMemoryContext, "loyalty customer",
												   ALLOCSET_SMALL_SIZES);
	/* which is reset with every row */
	rows->caller_context = MemoryContextSwitchTo(report->row_context);
}

/* The text form of the reader's key, and a zero byte. */
static void
make_text(CustomerRows *rows)
{
	const HistoryReader *reader = &rows->report->reader;
	char	   *c = VARDATA(rows->text);
	Size		size = 0;

	switch (reader->header.key_type)
	{
		case HISTORY_KEY_BIGINT:
			size = pg_lltoa(reader->key.number, c);
			break;
		case HISTORY_KEY_TEXT:
			size = reader->key.size;
			memcpy(c, reader->key.bytes, size);
			break;
		case HISTORY_KEY_UUID:
			for (int i = 0; i < UUID_KEY_SIZE; i++)
			{
				if (i == 4 || i == 6 || i == 8 || i == 10)
					c[size++] = '-';
				c[size++] = "0123456789abcdef"[reader->key.bytes[i] >> 4];
				c[size++] = "0123456789abcdef"[reader->key.bytes[i] & 0x0f];
			}
			break;
	}
	c[size] = '\0';
	SET_VARSIZE(rows->text, VARHDRSZ + size);
}

void
column_customer(CustomerRows *rows)
{
	const HistoryReader *reader = &rows->report->reader;

	Assert(rows->report->column == 0);
	if (!rows->has_customer || rows->customers_left != reader->customers_left)
	{
		if (rows->by_input)
		{
			MemoryContextReset(rows->customer_context);
			MemoryContextSwitchTo(rows->customer_context);
			make_text(rows);
			rows->customer = InputFunctionCall(&rows->input, VARDATA(rows->text),
											   rows->input_param, -1);
			MemoryContextSwitchTo(rows->report->row_context);
		}
		else if (rows->type == TEXTOID)
		{
			make_text(rows);
			rows->customer = PointerGetDatum(rows->text);
		}
		else if (rows->type == INT8OID)
		{
			MemoryContextSwitchTo(rows->customer_context);
			rows->customer = Int64GetDatum(reader->key.number);
			MemoryContextSwitchTo(rows->report->row_context);
		}
		else
			rows->customer = PointerGetDatum(reader->key.bytes);
		rows->has_customer = true;
		rows->customers_left = reader->customers_left;
	}
	column_datum(rows->report, rows->customer);
}

void
customer_rows_end(CustomerRows *rows)
{
	MemoryContextSwitchTo(rows->caller_context);
	MemoryContextDelete(rows->customer_context);
	pfree(rows->text);
}
