/*
 * history_format.h
 *	  The storage format of customer_history: layout, reader, writer.
 *
 * Plain C: no PostgreSQL in it, so that it can be unit-tested and fuzzed
 * alone.  doc/storage.md specifies the same bytes for other programs.
 *
 * A history is 64 bytes of header and one record per customer.  All of it is
 * bytes: integers of the header are little-endian, everything else is a
 * varint (7 bits a byte, least significant first, high bit = more), so the
 * stored value, the value on the wire and the value on a machine of another
 * byte order are the same.
 *
 *	header	 0	version, 1
 *			 1	key type (HistoryKeyType)
 *			 2	flags: bit 0 = amounts
 *			 3	scale: decimals of every amount; 0 without amounts
 *			 4	zero (4 bytes)
 *			 8	customers (uint32)
 *			12	buyers (uint32): customers with a purchase day
 *			16	customer-days (uint32)
 *			20	longest key in bytes (uint32): 8 for bigint, 16 for uuid
 *			24	orders (int64)
 *			32	first day of any event (int32)
 *			36	last day of any event (int32)
 *			40	first purchase day (int32), 0 without buyers
 *			44	zero (4 bytes)
 *			48	money of all events (int128)
 *
 *	customer	key, number of days, events; customers in ascending key order
 *		key of bigint: distance to the previous key (of the first customer:
 *			to the least bigint), as uint64
 *		key of text: bytes shared with the previous key, bytes that follow,
 *			those bytes; in byte order
 *		key of uuid: bytes shared with the previous key, the rest of the 16
 *
 *	event	days in ascending order
 *		2 * gap + (0 plain, 1 detailed); gap = days after the history's first
 *			day for a customer's first event, days after the previous event
 *			minus one for the others
 *		plain, no amounts:		nothing more: one order
 *		plain, amounts:			amount: one order of that amount, >= 0
 *		detailed, no amounts:	orders
 *		detailed, amounts:		2 * orders + (1 if the amount is negative),
 *								orders of unknown amount, |amount|
 *
 * The form is canonical: one set of events has one sequence of bytes,
 * however it was put together.  Equality is equality of bytes, and the
 * validator asks one question: would the writer have written this?
 */
#ifndef LOYALTY_HISTORY_FORMAT_H
#define LOYALTY_HISTORY_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "calendar.h"

#define HISTORY_VERSION		1
#define HISTORY_HEADER_SIZE	64
#define HISTORY_FLAG_AMOUNTS	0x01

/*
 * The largest flat form.  Its base64 text is 667 MB and so fits the 1 GB of a
 * COPY line (and its size times 3 an int, in which the server's base64
 * functions count): what can be built can be dumped.
 */
#define HISTORY_MAX_SIZE	((size_t) 500 * 1000 * 1000)

#define HISTORY_MAX_SCALE	20

#define UUID_KEY_SIZE		16

typedef enum HistoryKeyType
{
	HISTORY_KEY_BIGINT = 1,
	HISTORY_KEY_TEXT = 2,
	HISTORY_KEY_UUID = 3
} HistoryKeyType;

/* Money in units of 10^-scale.  Aligned like everything palloc returns. */
typedef __int128 Amount __attribute__((aligned(8)));
typedef unsigned __int128 UnsignedAmount __attribute__((aligned(8)));

#define AMOUNT_MAX	((Amount) (((UnsignedAmount) 1 << 127) - 1))

/* A bigint is its number; text and uuid are their bytes. */
typedef struct HistoryKey
{
	int64_t		number;
	const uint8_t *bytes;
	uint32_t	size;
} HistoryKey;

/* All that happened to one customer on one day. */
typedef struct HistoryDay
{
	Day			day;
	int64_t		orders;			/* 0: refunds only */
	int64_t		valued_orders;	/* orders whose amount is known */
	Amount		amount;			/* known amounts and refunds */
} HistoryDay;

typedef struct HistoryHeader
{
	HistoryKeyType key_type;
	bool		has_amounts;
	int			scale;
	uint32_t	customers;
	uint32_t	buyers;
	uint32_t	customer_days;
	uint32_t	longest_key;
	int64_t		orders;
	Day			first_day;
	Day			last_day;
	Day			first_purchase;
	Amount		amount;
} HistoryHeader;

/*
 * Reads the header.  Returns NULL, or what is wrong with it.  Where it
 * returns NULL the counts are possible ones for a value of that size, so
 * callers may size their memory by them.
 */
extern const char *history_read_header(const uint8_t *data, size_t size,
									   HistoryHeader *header);

/* -1, 0, 1: the order of customers. */
extern int	history_compare_keys(HistoryKeyType key_type,
								 const HistoryKey *a, const HistoryKey *b);

/* ---------- reading ---------- */

/*
 * Every step is bounds-checked, and every day that comes out is within the
 * header's first and last day; a day with orders is not before its first
 * purchase.  Damage ends the iteration: look at "damage" afterwards.
 */
typedef struct HistoryReader
{
	HistoryHeader header;
	const uint8_t *cursor;
	const uint8_t *end;
	uint32_t	customers_left;
	uint32_t	days_left;		/* of the current customer */
	bool		first_event;	/* of the current customer */
	int64_t		day;			/* of the latest event */
	HistoryKey	key;			/* of the current customer */
	uint8_t    *key_buffer;
	const char *damage;			/* NULL: sound so far */
} HistoryReader;

/*
 * key_buffer has header.longest_key bytes, or is NULL where the keys of text
 * and uuid are not wanted.
 */
extern void history_open(HistoryReader *reader, const HistoryHeader *header,
						 const uint8_t *data, size_t size, uint8_t *key_buffer);

extern uint64_t history_read_varint_slow(HistoryReader *reader);
extern UnsignedAmount history_read_amount_slow(HistoryReader *reader);
extern bool history_read_key(HistoryReader *reader);
extern bool history_damaged(HistoryReader *reader, const char *damage);

static inline uint64_t
history_read_varint(HistoryReader *reader)
{
	const uint8_t *p = reader->cursor;

	if (reader->end - p >= 2)
	{
		if (p[0] < 0x80)
		{
			reader->cursor = p + 1;
			return p[0];
		}
		if (p[1] < 0x80)
		{
			reader->cursor = p + 2;
			return (uint64_t) (p[0] & 0x7f) | (uint64_t) p[1] << 7;
		}
	}
	return history_read_varint_slow(reader);
}

static inline UnsignedAmount
history_read_amount(HistoryReader *reader)
{
	const uint8_t *p = reader->cursor;

	if (reader->end - p >= 3)
	{
		if (p[0] < 0x80)
		{
			reader->cursor = p + 1;
			return p[0];
		}
		if (p[1] < 0x80)
		{
			reader->cursor = p + 2;
			return (uint64_t) (p[0] & 0x7f) | (uint64_t) p[1] << 7;
		}
		if (p[2] < 0x80)
		{
			reader->cursor = p + 3;
			return (uint64_t) (p[0] & 0x7f) | (uint64_t) (p[1] & 0x7f) << 7 |
				(uint64_t) p[2] << 14;
		}
	}
	return history_read_amount_slow(reader);
}

/* The next event of the current customer; false when there is none. */
static inline bool
history_next_day(HistoryReader *reader, HistoryDay *event)
{
	uint64_t	head;
	uint64_t	gap;

	if (reader->days_left == 0)
		return false;
	reader->days_left--;

	head = history_read_varint(reader);
	gap = head >> 1;
	if (gap > UINT32_MAX)
		return history_damaged(reader, "a gap between days is too long");
	reader->day += (int64_t) gap + (reader->first_event ? 0 : 1);
	reader->first_event = false;
	if (reader->day > reader->header.last_day)
		return history_damaged(reader, "a day is after the last day");
	event->day = (Day) reader->day;

	if ((head & 1) == 0)
	{
		event->orders = 1;
		if (reader->header.has_amounts)
		{
			event->valued_orders = 1;
			event->amount = (Amount) history_read_amount(reader);
			if (event->amount < 0)
				return history_damaged(reader, "an amount is too large");
		}
		else
		{
			event->valued_orders = 0;
			event->amount = 0;
		}
	}
	else if (reader->header.has_amounts)
	{
		uint64_t	orders = history_read_varint(reader);
		uint64_t	unknown = history_read_varint(reader);
		UnsignedAmount magnitude = history_read_amount(reader);

		if (unknown > orders >> 1 || magnitude > (UnsignedAmount) AMOUNT_MAX)
			return history_damaged(reader, "a day contradicts itself");
		event->orders = (int64_t) (orders >> 1);
		event->valued_orders = event->orders - (int64_t) unknown;
		event->amount = (orders & 1) ? -(Amount) magnitude : (Amount) magnitude;
	}
	else
	{
		uint64_t	orders = history_read_varint(reader);

		if (orders > INT64_MAX)
			return history_damaged(reader, "a count is too large");
		event->orders = (int64_t) orders;
		event->valued_orders = 0;
		event->amount = 0;
	}

	if (event->orders > 0 && event->day < reader->header.first_purchase)
		return history_damaged(reader, "a purchase is before the first one");
	return reader->damage == NULL;
}

/*
 * The next customer, whose key is then in reader->key; false at the end.
 * Events of the current one that were not read are passed over.
 */
static inline bool
history_next_customer(HistoryReader *reader)
{
	HistoryDay	unread;
	uint64_t	days;

	while (reader->days_left > 0)
		if (!history_next_day(reader, &unread))
			return false;

	if (reader->damage != NULL)
		return false;
	if (reader->customers_left == 0)
		return reader->cursor == reader->end ? false :
			history_damaged(reader, "bytes follow the last customer");
	reader->customers_left--;

	if (!history_read_key(reader))
		return false;
	days = history_read_varint(reader);
	if (days == 0 || days > UINT32_MAX)
		return history_damaged(reader, "a customer's number of days is impossible");
	reader->days_left = (uint32_t) days;
	reader->first_event = true;
	reader->day = reader->header.first_day;
	return reader->damage == NULL;
}

/* ---------- writing ---------- */

typedef enum HistoryError
{
	HISTORY_OK,
	HISTORY_TOO_LARGE,			/* over HISTORY_MAX_SIZE */
	HISTORY_AMOUNT_OVERFLOW,	/* money beyond 128 bits */
	HISTORY_COUNT_OVERFLOW		/* more than 2^63 - 1 orders */
} HistoryError;

/*
 * What the plain C floor needs from its host: memory, which never fails to
 * return (it may leap out instead), and a place to look for a cancel request.
 */
typedef struct HistoryHost
{
	void	   *(*resize) (void *memory, size_t size);	/* memory may be NULL */
	void		(*release) (void *memory);
	void		(*check_cancel) (void);
} HistoryHost;

/*
 * Takes events in ascending order of (key, day), adds up those of the same
 * customer and day, and writes the canonical form.  "lead" bytes are left
 * free before the header, for a length word.
 */
typedef struct HistoryWriter
{
	const HistoryHost *host;
	HistoryHeader header;		/* grows with what is written */
	size_t		lead;
	uint8_t    *data;
	size_t		used;
	size_t		capacity;
	bool		has_customer;	/* key and days hold one not yet written */
	bool		has_previous;	/* at least one customer is written */
	int64_t		number;			/* current key of a bigint history */
	int64_t		previous_number;
	uint8_t    *key;			/* current key of other histories */
	uint32_t	key_size;
	size_t		key_capacity;
	uint8_t    *previous_key;
	uint32_t	previous_key_size;
	size_t		previous_key_capacity;
	HistoryDay *days;			/* of the current customer */
	size_t		day_count;
	size_t		day_capacity;
} HistoryWriter;

/*
 * first_day: the least day that will be written.  has_amounts: whether any
 * amount that will be written is known; without, scale is taken as 0.
 */
extern void history_writer_open(HistoryWriter *writer, const HistoryHost *host,
								HistoryKeyType key_type, bool has_amounts,
								int scale, Day first_day, size_t lead);
extern HistoryError history_writer_add(HistoryWriter *writer, const HistoryKey *key,
									   const HistoryDay *event);

/* Writes the last customer and the header. */
extern HistoryError history_writer_finish(HistoryWriter *writer);

/* Frees everything but the data. */
extern void history_writer_close(HistoryWriter *writer);

/* a += b, HISTORY_OK or the overflow. */
extern HistoryError history_add_day(HistoryDay *a, const HistoryDay *b);

/* amount * 10^places; false on overflow. */
extern bool amount_rescale(Amount *amount, int places);

/* ---------- whole values ---------- */

/*
 * NULL if the bytes are exactly what the writer writes for the events in
 * them, else what is wrong.  check_key is asked for every text key and may
 * be NULL.
 */
extern const char *history_validate(const uint8_t *data, size_t size,
									const HistoryHost *host,
									bool (*check_key) (const uint8_t *bytes, uint32_t size));

#endif							/* LOYALTY_HISTORY_FORMAT_H */
