/*
 * history_type.c
 *	  customer_history as a type: input and output, order, accessors.
 *
 * Text is "1:" and the base64 of the flat bytes; on the wire the bytes
 * travel as they are.  Both ways in validate.  Equal values have equal
 * bytes; the order of values is that of their bytes, and means nothing
 * beyond making DISTINCT, UNION and GROUP BY work.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "common/base64.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"

#include "amount.h"
#include "compat.h"
#include "history.h"
#include "history_state.h"

PG_FUNCTION_INFO_V1(customer_history_in);
PG_FUNCTION_INFO_V1(customer_history_out);
PG_FUNCTION_INFO_V1(customer_history_recv);
PG_FUNCTION_INFO_V1(customer_history_send);
PG_FUNCTION_INFO_V1(customer_history_eq);
PG_FUNCTION_INFO_V1(customer_history_ne);
PG_FUNCTION_INFO_V1(customer_history_lt);
PG_FUNCTION_INFO_V1(customer_history_le);
PG_FUNCTION_INFO_V1(customer_history_gt);
PG_FUNCTION_INFO_V1(customer_history_ge);
PG_FUNCTION_INFO_V1(customer_history_cmp);
PG_FUNCTION_INFO_V1(customer_history_hash);
PG_FUNCTION_INFO_V1(customer_history_hash_extended);
PG_FUNCTION_INFO_V1(customer_history_customers);
PG_FUNCTION_INFO_V1(customer_history_orders);
PG_FUNCTION_INFO_V1(customer_history_revenue);
PG_FUNCTION_INFO_V1(customer_history_first_day);
PG_FUNCTION_INFO_V1(customer_history_last_day);

#define TEXT_PREFIX			"1:"
#define TEXT_PREFIX_SIZE	(sizeof(TEXT_PREFIX) - 1)

/* The server's own function for this overflows an int at large sizes. */
#define BASE64_SIZE(size)	(((Size) (size) + 2) / 3 * 4)

/* So much is converted between two looks for a cancel request. */
#define PIECE_SIZE			((Size) 3 * 1024 * 1024)

/* As pg_b64_encode, but it can be cancelled. */
static void
encode_base64(const char *bytes, Size size, char *text)
{
	for (Size done = 0; done < size; done += PIECE_SIZE)
	{
		Size		piece = Min(size - done, PIECE_SIZE);
		int			room = (int) BASE64_SIZE(piece);

		CHECK_FOR_INTERRUPTS();
		if (pg_b64_encode((const void *) (bytes + done), (int) piece,
						  text + BASE64_SIZE(done), room) != room)
			elog(ERROR, "could not encode customer_history");
	}
}

/* As pg_b64_decode, but it can be cancelled; bytes has room for 3 of 4, and 3. */
static int
decode_base64(const char *text, Size text_size, char *bytes)
{
	int			size = 0;

	for (Size done = 0; done < text_size; done += BASE64_SIZE(PIECE_SIZE))
	{
		Size		piece = Min(text_size - done, BASE64_SIZE(PIECE_SIZE));
		int			decoded;

		CHECK_FOR_INTERRUPTS();
		/* padding, which only the last piece may have, makes it shorter */
		if (size % 3 != 0)
			return -1;
		decoded = pg_b64_decode(text + done, (int) piece, (void *) (bytes + size),
								(int) (piece / 4 * 3 + 3));
		if (decoded < 0)
			return -1;
		size += decoded;
	}
	return size;
}

static bool
is_valid_text(const uint8_t *bytes, uint32_t size)
{
	return pg_verifymbstr((const char *) bytes, (int) size, true);
}

/* NULL, or what is wrong with the flat bytes. */
static const char *
validate(const char *bytes, Size size)
{
	return history_validate((const uint8_t *) bytes, size, &history_host, is_valid_text);
}

Datum
customer_history_in(PG_FUNCTION_ARGS)
{
	const char *text = PG_GETARG_CSTRING(0);
	Size		text_size = strlen(text);
	CustomerHistory *history;
	const char *damage;
	Size		room;
	int			size;

	if (text_size < TEXT_PREFIX_SIZE ||
		strncmp(text, TEXT_PREFIX, TEXT_PREFIX_SIZE) != 0)
		input_error(fcinfo->context, (Datum) 0,
					(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					 errmsg("invalid input syntax for type customer_history: \"%.*s%s\"",
							pg_mbcliplen(text, (int) Min(text_size, 100), 20), text,
							text_size > 20 ? "..." : ""),
					 errdetail("Its text begins with \"%s\".", TEXT_PREFIX),
					 errhint("Histories are built by the aggregate customer_history(customer, day, amount); their text form is for dumps.")));

	text += TEXT_PREFIX_SIZE;
	text_size -= TEXT_PREFIX_SIZE;
	if (text_size > BASE64_SIZE(HISTORY_MAX_SIZE))
		input_error(fcinfo->context, (Datum) 0,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("value for type customer_history is too long"),
					 errdetail("It may have up to %zu bytes.", HISTORY_MAX_SIZE)));

	room = text_size / 4 * 3 + 3;
	history = palloc(room + VARHDRSZ);
	size = decode_base64(text, text_size, VARDATA(history));
	if (size < 0)
		input_error(fcinfo->context, (Datum) 0,
					(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					 errmsg("invalid input syntax for type customer_history"),
					 errdetail("What follows \"%s\" is not base64.", TEXT_PREFIX)));
	SET_VARSIZE(history, (Size) size + VARHDRSZ);

	damage = validate(VARDATA(history), size);
	if (damage != NULL)
		input_error(fcinfo->context, (Datum) 0,
					(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					 errmsg("invalid value for type customer_history: %s", damage)));
	PG_RETURN_POINTER(history);
}

Datum
customer_history_out(PG_FUNCTION_ARGS)
{
	const CustomerHistory *history = PG_GETARG_HISTORY(0);
	Size		size = VARSIZE_ANY_EXHDR(history);
	char	   *text = palloc(TEXT_PREFIX_SIZE + BASE64_SIZE(size) + 1);

	memcpy(text, TEXT_PREFIX, TEXT_PREFIX_SIZE);
	encode_base64(VARDATA_ANY(history), size, text + TEXT_PREFIX_SIZE);
	text[TEXT_PREFIX_SIZE + BASE64_SIZE(size)] = '\0';
	PG_RETURN_CSTRING(text);
}

Datum
customer_history_recv(PG_FUNCTION_ARGS)
{
	StringInfo	message = (StringInfo) PG_GETARG_POINTER(0);
	Size		size = message->len - message->cursor;
	const char *bytes = pq_getmsgbytes(message, (int) size);
	const char *damage = validate(bytes, size);
	CustomerHistory *history;

	if (damage != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary value for type customer_history: %s", damage)));
	history = palloc(size + VARHDRSZ);
	SET_VARSIZE(history, size + VARHDRSZ);
	memcpy(VARDATA(history), bytes, size);
	PG_RETURN_POINTER(history);
}

Datum
customer_history_send(PG_FUNCTION_ARGS)
{
	const CustomerHistory *history = PG_GETARG_HISTORY(0);
	Size		size = VARSIZE_ANY_EXHDR(history);
	bytea	   *bytes = palloc(size + VARHDRSZ);

	SET_VARSIZE(bytes, size + VARHDRSZ);
	memcpy(VARDATA(bytes), VARDATA_ANY(history), size);
	PG_RETURN_BYTEA_P(bytes);
}

/* ---------- order ---------- */

/* A sort compares many times in one memory context. */
static void
free_if_copied(const CustomerHistory *history, Datum datum)
{
	if ((Pointer) history != DatumGetPointer(datum) && !history_is_state(datum))
		pfree(unconstify(CustomerHistory *, history));
}

static int
compare(FunctionCallInfo fcinfo)
{
	const CustomerHistory *a = PG_GETARG_HISTORY(0);
	const CustomerHistory *b = PG_GETARG_HISTORY(1);
	Size		a_size = VARSIZE_ANY_EXHDR(a);
	Size		b_size = VARSIZE_ANY_EXHDR(b);
	int			order = memcmp(VARDATA_ANY(a), VARDATA_ANY(b), Min(a_size, b_size));

	if (order == 0)
		order = (a_size > b_size) - (a_size < b_size);
	free_if_copied(a, PG_GETARG_DATUM(0));
	free_if_copied(b, PG_GETARG_DATUM(1));
	return order < 0 ? -1 : order > 0;
}

/* Values of different size differ: stored ones need not be fetched for it. */
static bool
histories_equal(FunctionCallInfo fcinfo)
{
	if (toast_raw_datum_size(PG_GETARG_DATUM(0)) != toast_raw_datum_size(PG_GETARG_DATUM(1)))
		return false;
	return compare(fcinfo) == 0;
}

Datum
customer_history_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(histories_equal(fcinfo));
}

Datum
customer_history_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!histories_equal(fcinfo));
}

Datum
customer_history_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) < 0);
}

Datum
customer_history_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) <= 0);
}

Datum
customer_history_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) > 0);
}

Datum
customer_history_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) >= 0);
}

Datum
customer_history_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare(fcinfo));
}

Datum
customer_history_hash(PG_FUNCTION_ARGS)
{
	const CustomerHistory *history = PG_GETARG_HISTORY(0);

	return hash_any((const unsigned char *) VARDATA_ANY(history),
					(int) VARSIZE_ANY_EXHDR(history));
}

Datum
customer_history_hash_extended(PG_FUNCTION_ARGS)
{
	const CustomerHistory *history = PG_GETARG_HISTORY(0);

	return hash_any_extended((const unsigned char *) VARDATA_ANY(history),
							 (int) VARSIZE_ANY_EXHDR(history), PG_GETARG_INT64(1));
}

/* ---------- accessors: the header knows ---------- */

Datum
customer_history_customers(PG_FUNCTION_ARGS)
{
	HistoryHeader header;

	history_header_of_datum(PG_GETARG_DATUM(0), &header);
	PG_RETURN_INT64(header.buyers);
}

Datum
customer_history_orders(PG_FUNCTION_ARGS)
{
	HistoryHeader header;

	history_header_of_datum(PG_GETARG_DATUM(0), &header);
	PG_RETURN_INT64(header.orders);
}

Datum
customer_history_revenue(PG_FUNCTION_ARGS)
{
	HistoryHeader header;

	history_header_of_datum(PG_GETARG_DATUM(0), &header);
	if (!header.has_amounts)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(numeric_of_amount(header.amount, header.scale));
}

Datum
customer_history_first_day(PG_FUNCTION_ARGS)
{
	HistoryHeader header;

	history_header_of_datum(PG_GETARG_DATUM(0), &header);
	PG_RETURN_DATEADT(header.first_day);
}

Datum
customer_history_last_day(PG_FUNCTION_ARGS)
{
	HistoryHeader header;

	history_header_of_datum(PG_GETARG_DATUM(0), &header);
	PG_RETURN_DATEADT(header.last_day);
}
