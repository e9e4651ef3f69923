/*
 * customer_rows.h
 *	  Reports of one or more rows a customer.
 *
 * Their first column is the customer: text, or in the twin whose name ends
 * in _as the type of its first argument.  Both are one C function, since the
 * type of the column tells which it is.  Such reports are as long as the
 * history, so what a row takes is given back before the next.
 */
#ifndef LOYALTY_CUSTOMER_ROWS_H
#define LOYALTY_CUSTOMER_ROWS_H

#include "report.h"

typedef struct CustomerRows
{
	Report	   *report;
	MemoryContext caller_context;
	MemoryContext customer_context; /* of "customer", where it is by reference */
	Oid			type;			/* of the column */
	bool		by_input;		/* the type's input function makes it */
	FmgrInfo	input;
	Oid			input_param;
	struct varlena *text;		/* room for the longest key, and a zero byte */
	bool		has_customer;	/* "customer" is that of customers_left */
	uint32		customers_left; /* in the reader */
	Datum		customer;
} CustomerRows;

/*
 * After report_begin, which has to be called with_keys.  From here to
 * customer_rows_end, what is allocated in the current memory context lives
 * until the next report_row.
 */
extern void customer_rows_begin(CustomerRows *rows, Report *report);

/*
 * Sets the column, the first of its row, to the reader's customer.  A key
 * that its type does not accept raises that type's error.
 */
extern void column_customer(CustomerRows *rows);

extern void customer_rows_end(CustomerRows *rows);

#endif							/* LOYALTY_CUSTOMER_ROWS_H */
