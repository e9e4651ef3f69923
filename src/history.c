/*
 * history.c
 *	  Between datums and the plain C floors: memory, errors, detoasting.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "utils/expandeddatum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "compat.h"
#include "history.h"
#include "history_state.h"

/*
 * Of a large stored value so much is read at a time: little enough to stay in
 * the cache of a core, and enough to hide what finding it takes.
 */
#define SLICE_SIZE	(256 * 1024)

static void *
host_resize(void *memory, size_t size)
{
	if (memory == NULL)
		return MemoryContextAllocHuge(CurrentMemoryContext, size);
	return repalloc_huge(memory, size);
}

static void
host_check_cancel(void)
{
	CHECK_FOR_INTERRUPTS();
}

const HistoryHost history_host = {host_resize, pfree, host_check_cancel};

const char *
history_key_type_name(HistoryKeyType key_type)
{
	switch (key_type)
	{
		case HISTORY_KEY_BIGINT:
			return "bigint";
		case HISTORY_KEY_TEXT:
			return "text";
		case HISTORY_KEY_UUID:
			return "uuid";
	}
	return "unknown";
}

void
history_check(HistoryError error)
{
	switch (error)
	{
		case HISTORY_OK:
			return;
		case HISTORY_TOO_LARGE:
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("customer_history would exceed %zu MB", HISTORY_MAX_SIZE / 1000000),
					 errdetail("A larger value could not be dumped."),
					 errhint("Build several histories with GROUP BY, for example one per country or per range of customers.")));
			break;
		case HISTORY_AMOUNT_OVERFLOW:
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("amounts of a customer_history are out of range"),
					 errdetail("All amounts share the largest number of decimals among them, and their sum must stay below 1.7e38 in units of the last decimal."),
					 errhint("Round the amounts first, for example round(amount, 2).")));
			break;
		case HISTORY_COUNT_OVERFLOW:
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("a customer_history cannot count more than 9223372036854775807 orders")));
			break;
	}
}

void
history_rescale(Amount *amount, int from, int to)
{
	if (from < to && !amount_rescale(amount, to - from))
		history_check(HISTORY_AMOUNT_OVERFLOW);
}

void
history_raise_damage(const char *damage)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("customer_history value is damaged: %s", damage),
			 errhint("Build it again from the orders it was made of.")));
}

void
history_raise_key_types(HistoryKeyType a, HistoryKeyType b)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("cannot merge a customer_history of %s customers with one of %s customers",
					history_key_type_name(a), history_key_type_name(b)),
			 errhint("Build both from the same type of customer key, for example customer_id::text.")));
}

const CustomerHistory *
history_of_datum(Datum datum)
{
	if (history_is_state(datum))
		return history_state_value(datum);
	return PG_DETOAST_DATUM(datum);
}

/* The header of a stored value of that size: a slice, which is all that is fetched. */
static void
read_stored_header(Datum datum, Size size, HistoryHeader *header)
{
	struct varlena *slice = PG_DETOAST_DATUM_SLICE(datum, 0, HISTORY_HEADER_SIZE);
	uint8_t		bytes[HISTORY_HEADER_SIZE] = {0};
	const char *damage;

	memcpy(bytes, VARDATA_ANY(slice), Min(VARSIZE_ANY_EXHDR(slice), HISTORY_HEADER_SIZE));
	damage = size < HISTORY_HEADER_SIZE ? "it is shorter than a header" :
		history_read_header(bytes, size, header);
	if (damage != NULL)
		history_raise_damage(damage);
}

void
history_header_of_datum(Datum datum, HistoryHeader *header)
{
	const char *damage;
	const struct varlena *value = (const struct varlena *) DatumGetPointer(datum);

	if (VARATT_IS_EXTERNAL_ONDISK(value))
	{
		read_stored_header(datum, toast_raw_datum_size(datum) - VARHDRSZ, header);
		return;
	}
	value = history_of_datum(datum);
	damage = history_read_header((const uint8_t *) VARDATA_ANY(value),
								 VARSIZE_ANY_EXHDR(value), header);
	if (damage != NULL)
		history_raise_damage(damage);
}

/* NULL where no keys are wanted. */
static uint8_t *
make_key_buffer(const HistoryHeader *header, bool with_keys)
{
	if (!with_keys || header->key_type == HISTORY_KEY_BIGINT)
		return NULL;
	return MemoryContextAllocHuge(CurrentMemoryContext, (Size) header->longest_key + 1);
}

void
history_open_value(HistoryReader *reader, const CustomerHistory *history, bool with_keys)
{
	const uint8_t *data = (const uint8_t *) VARDATA_ANY(history);
	size_t		size = VARSIZE_ANY_EXHDR(history);
	HistoryHeader header;
	const char *damage = history_read_header(data, size, &header);

	if (damage != NULL)
		history_raise_damage(damage);
	history_open(reader, &history_host, &header, data, size,
				 make_key_buffer(&header, with_keys));
}

/* A stored value, and of its bytes those that are read at the moment. */
typedef struct StoredSlices
{
	HistorySlices slices;
	struct varlena *value;
	struct varlena *slice;		/* NULL: none so far */
	MemoryContext context;
} StoredSlices;

static const uint8_t *
fetch_stored_slice(HistorySlices *slices, size_t offset, size_t *size)
{
	StoredSlices *stored = (StoredSlices *) slices;
	MemoryContext old_context = MemoryContextSwitchTo(stored->context);

	/* before the next one, which then gets the same memory */
	if (stored->slice != NULL)
		pfree(stored->slice);
	stored->slice = detoast_attr_slice(stored->value, (int32) offset, SLICE_SIZE);
	MemoryContextSwitchTo(old_context);
	*size = VARSIZE_ANY_EXHDR(stored->slice);
	return (const uint8_t *) VARDATA_ANY(stored->slice);
}

Size
history_stored_size(Datum datum)
{
	struct varlena *value = (struct varlena *) DatumGetPointer(datum);
	struct varatt_external pointer;

	if (!VARATT_IS_EXTERNAL_ONDISK(value))
		return 0;
	VARATT_EXTERNAL_GET_POINTER(pointer, value);
	if (VARATT_EXTERNAL_IS_COMPRESSED(pointer) ||
		VARATT_EXTERNAL_GET_EXTSIZE(pointer) <= SLICE_SIZE)
		return 0;
	return VARATT_EXTERNAL_GET_EXTSIZE(pointer);
}

bool
history_is_temporary(Datum datum)
{
	struct varatt_external pointer;

	VARATT_EXTERNAL_GET_POINTER(pointer, (struct varlena *) DatumGetPointer(datum));
	return get_rel_persistence(pointer.va_toastrelid) == RELPERSISTENCE_TEMP;
}

void
history_open_datum(HistoryReader *reader, Datum datum, bool with_keys)
{
	struct varlena *value = (struct varlena *) DatumGetPointer(datum);
	Size		size = history_stored_size(datum);
	StoredSlices *stored;
	HistoryHeader header;

	if (size == 0)
	{
		history_open_value(reader, history_of_datum(datum), with_keys);
		return;
	}
	read_stored_header(datum, size, &header);
	stored = palloc0(sizeof(StoredSlices));
	stored->slices.fetch = fetch_stored_slice;
	stored->value = value;
	stored->context = CurrentMemoryContext;
	history_open_slices(reader, &history_host, &header, &stored->slices, size,
						make_key_buffer(&header, with_keys));
}

CustomerHistory *
history_of_writer(HistoryWriter *writer)
{
	CustomerHistory *history;

	history_check(history_writer_finish(writer));
	history_writer_close(writer);
	/* a customer's days may have been fewer than room was made for */
	if (writer->capacity > 2 * writer->used)
		writer->data = history_host.resize(writer->data, writer->used);
	history = (CustomerHistory *) writer->data;
	SET_VARSIZE(history, writer->used);
	return history;
}

#ifdef USE_ASSERT_CHECKING

bool
history_is_sound(const CustomerHistory *history)
{
	return history_validate((const uint8_t *) VARDATA_ANY(history), VARSIZE_ANY_EXHDR(history),
							&history_host, NULL) == NULL;
}

#endif							/* USE_ASSERT_CHECKING */
