/*
 * history_jsonb.c
 *	  customer_history as jsonb, for reading.
 *
 *	{"version": 1, "key_type": "bigint", "scale": 2,
 *	 "customers": [{"customer": 1,
 *					"days": [{"day": "2024-01-01", "orders": 1,
 *							  "valued_orders": 1, "amount": 12.50}, ...]}, ...]}
 *
 * Customers of bigint are numbers, others strings; scale is null in a history
 * without amounts, and amount is null where it is in events.  The text is
 * made here and the server makes jsonb of it, which takes over a kilobyte of
 * memory a day and cannot be cancelled: hence the limit.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/numeric.h"
#include "utils/uuid.h"

#include "amount.h"
#include "history.h"

#define MAX_JSONB_DAYS	50000

PG_FUNCTION_INFO_V1(loyalty_customer_history_to_jsonb);

static void
append_key(StringInfo json, HistoryKeyType key_type, const HistoryKey *key)
{
	char	   *text;

	if (key_type == HISTORY_KEY_BIGINT)
	{
		appendStringInfo(json, INT64_FORMAT, key->number);
		return;
	}
	if (key_type == HISTORY_KEY_TEXT)
		text = pnstrdup((const char *) key->bytes, key->size);
	else
		text = DatumGetCString(DirectFunctionCall1(uuid_out, PointerGetDatum(key->bytes)));
	escape_json(json, text);
	pfree(text);
}

static void
append_day(StringInfo json, const HistoryDay *event, int scale)
{
	char		day[MAXDATELEN + 1];

	/* as to_jsonb gives a date, whatever the DateStyle */
	JsonEncodeDateTime(day, DateADTGetDatum(event->day), DATEOID, NULL);
	appendStringInfo(json, "{\"day\":\"%s\",\"orders\":" INT64_FORMAT
					 ",\"valued_orders\":" INT64_FORMAT ",\"amount\":",
					 day, event->orders, event->valued_orders);
	if (event_has_amount(event))
	{
		Datum		amount = numeric_of_amount(event->amount, scale);
		char	   *text = DatumGetCString(DirectFunctionCall1(numeric_out, amount));

		appendStringInfo(json, "%s}", text);
		pfree(text);
		pfree(DatumGetPointer(amount));
	}
	else
		appendStringInfoString(json, "null}");
}

Datum
loyalty_customer_history_to_jsonb(PG_FUNCTION_ARGS)
{
	HistoryReader reader;
	StringInfoData json;
	const char *separator = "";

	history_open_value(&reader, PG_GETARG_HISTORY(0), true);
	if (reader.header.customer_days > MAX_JSONB_DAYS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("customer_history is too large for jsonb"),
				 errdetail("It has %u customer-days, and up to %d are allowed.",
						   reader.header.customer_days, MAX_JSONB_DAYS),
				 errhint("Read it as rows with events(h), or take a part of it with history_between(h, from_day, to_day).")));

	initStringInfo(&json);
	appendStringInfo(&json, "{\"version\":%d,\"key_type\":\"%s\",\"scale\":",
					 HISTORY_VERSION, history_key_type_name(reader.header.key_type));
	if (reader.header.has_amounts)
		appendStringInfo(&json, "%d", reader.header.scale);
	else
		appendStringInfoString(&json, "null");
	appendStringInfoString(&json, ",\"customers\":[");

	while (history_next_customer(&reader))
	{
		const char *day_separator = "";
		HistoryDay	event;

		CHECK_FOR_INTERRUPTS();
		appendStringInfo(&json, "%s{\"customer\":", separator);
		append_key(&json, reader.header.key_type, &reader.key);
		appendStringInfoString(&json, ",\"days\":[");
		while (history_next_day(&reader, &event))
		{
			appendStringInfoString(&json, day_separator);
			append_day(&json, &event, reader.header.scale);
			day_separator = ",";
		}
		appendStringInfoString(&json, "]}");
		separator = ",";
	}
	history_close_value(&reader);
	appendStringInfoString(&json, "]}");

	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data)));
}
