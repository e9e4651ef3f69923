/*
 * history_format.h
 *	  The storage format of customer_history: layout, reader, writer.
 *
 * Plain C: no PostgreSQL in it, so that it can be unit-tested and fuzzed
 * alone.  doc/storage.md specifies the same bytes for other programs.
 *
 * A history is 64 bytes of header and one record per customer.  All of it is
 * bytes: integers of fixed size are little-endian, counts and keys are
 * varints (7 bits a byte, least significant first, high bit = more), so the
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
 *		gap: days after the history's first day for a customer's first event,
 *			days after the previous event minus one for the others
 *		plain, no amounts:		gap: one order
 *		plain, amounts:			gap, amount: one order of that amount, >= 0
 *		detailed, no amounts:	255, gap, orders
 *		detailed, amounts:		255, gap, 2 * orders + (1 if the amount is
 *								negative), orders of unknown amount, |amount|
 *
 * Gaps and amounts are what a history is full of, and reading them has to be
 * fast: nearly all take the same number of bytes, so that the processor
 * guesses right, and longer forms begin with values that are spared for it.
 *
 *	gap		b < 240				b
 *			240 <= b < 253		240 + 256 * (b - 240) + next byte
 *			253					3568 + next two bytes
 *			254					next four bytes
 *	amount	w < 0xFF00			w, two bytes
 *			0xFF00 <= w < 0xFFFF	0xFF00 + 65536 * (w - 0xFF00) + next two
 *			0xFFFF				a varint of 128 bits
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
#include <string.h>

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

/* A look for a cancel request after so many events, or 16 bytes of keys each. */
#define HISTORY_CANCEL_STEPS	65536

/* A reader looks for one after so many bytes. */
#define HISTORY_CANCEL_BYTES	65536

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

/* Longer than any event, and than what is read of a customer beside its key. */
#define HISTORY_SLICE_MIN	128

/* Where a value comes from that is not in memory as a whole. */
typedef struct HistorySlices
{
	/*
	 * The bytes of the value from an offset on, which stay until the next
	 * call.  Sets *size to their number: HISTORY_SLICE_MIN or more, or all that
	 * are left.
	 */
	const uint8_t *(*fetch) (struct HistorySlices *slices, size_t offset, size_t *size);
} HistorySlices;

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

/* Refunds are below zero, so money without a valued order is one. */
static inline bool
event_has_amount(const HistoryDay *event)
{
	return event->valued_orders > 0 || event->amount != 0;
}

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
typedef struct HistoryCursor
{
	const uint8_t *next;		/* byte to read */
	uint32_t	days_left;		/* of the current customer */
	uint32_t	since;			/* days from the first purchase of all to the
								 * latest event, modulo 2^32; at first to the
								 * day before the history's first */
} HistoryCursor;

/* A day of one order, of a known amount if there are amounts. */
typedef struct PlainDay
{
	uint32_t	since;			/* days since the first purchase of all */
	uint32_t	amount;			/* below 2^16; 0 without amounts */
} PlainDay;

typedef struct HistoryReader
{
	HistoryHeader header;
	HistoryCursor at;
	const uint8_t *end;			/* of the bytes at hand */
	size_t		behind;			/* bytes of the value that follow these */
	size_t		size;			/* of the value */
	HistorySlices *slices;		/* NULL: the whole value is at hand */
	const HistoryHost *host;
	Day			until;			/* later days end a customer */
	const uint8_t *quick_end;	/* events are read in line up to here */
	uint32_t	quick_days;		/* and so many days from the first purchase on */
	const uint8_t *quick_customers; /* customers who begin before this, likewise */
	size_t		limit;			/* from this byte of the value on no customer begins */
	uint32_t	customers_left;
	HistoryKey	key;			/* of the current customer */
	uint8_t    *key_buffer;
	const char *damage;			/* NULL: sound so far */
	struct HistoryDetours *detours; /* NULL: none */
	int64_t		detour_key;		/* customers before this one are the reader's own */
} HistoryReader;

/*
 * key_buffer has header.longest_key bytes, or is NULL where the keys of text
 * and uuid are not wanted.
 */
extern void history_open(HistoryReader *reader, const HistoryHost *host,
						 const HistoryHeader *header, const uint8_t *data,
						 size_t size, uint8_t *key_buffer);

/* The same with a value that is read in slices. */
extern void history_open_slices(HistoryReader *reader, const HistoryHost *host,
								const HistoryHeader *header, HistorySlices *slices,
								size_t size, uint8_t *key_buffer);

/* Goes back to the first customer.  What was set with the functions below stays. */
extern void history_rewind(HistoryReader *reader);

/* Later days will not come out. */
extern void history_read_until(HistoryReader *reader, Day until);

/* From so many days after the first purchase on no event is plain. */
extern void history_limit_plain(HistoryReader *reader, uint32_t days);

/*
 * A value can be read in parts, by several readers.  Its bytes do not tell
 * where a customer begins, but who reads from anywhere falls into step with
 * them soon: nearly every guess is right.  Parts fit together, and so are
 * right, if each ends where the next one begins, the first begins with the
 * first customer, and their customers are as many as the header says.
 * Whoever reads a part in the middle does not see keys.
 */

/* Customers who begin with this byte of the value or after it will not come. */
extern void history_read_to(HistoryReader *reader, size_t limit);

#define HISTORY_NO_LIMIT	SIZE_MAX

/*
 * Goes to the first customer who begins with that byte of the value or after
 * it, as it seems; false: no idea.
 */
extern bool history_seek(HistoryReader *reader, size_t offset);

/* The byte with which the next customer begins; asked when none came. */
static inline size_t
history_position(const HistoryReader *reader)
{
	return reader->size - reader->behind - (size_t) (reader->end - reader->at.next);
}

/*
 * Customers who are not in the value can come out of a reader, among its own
 * or in their stead: who has them is asked for the next customer, but for own
 * ones before detour_key.  Keys are bigint, and the reader's header is one of
 * all these customers, or of more; only its first day is that of the value.
 */
typedef struct HistoryDetours
{
	/* Goes to the next customer, as history_next_customer; sets detour_key. */
	bool		(*next_customer) (struct HistoryDetours *detours, HistoryReader *reader);
	/* Goes back to the reader's own place, if it is not there, and begins anew. */
	void		(*rewind) (struct HistoryDetours *detours, HistoryReader *reader);
	uint32_t	customers_left; /* of the reader's, those that are not its own */
} HistoryDetours;

extern void history_set_detours(HistoryReader *reader, HistoryDetours *detours);

/* The next customer of the value itself. */
extern bool history_next_own_customer(HistoryReader *reader);

/* The days of a customer, and where a reader is in them. */
typedef struct HistoryPlace
{
	int64_t		number;			/* his key */
	HistoryCursor at;
	const uint8_t *end;
	size_t		behind;			/* 0 for days that are not in the value */
} HistoryPlace;

extern HistoryPlace history_place(const HistoryReader *reader);
extern void history_go_to(HistoryReader *reader, const HistoryPlace *place, bool is_own);

extern bool history_skip_days(HistoryReader *reader);

/*
 * Sees to it that the bytes of the customer's days which were not read stay
 * until he is passed; false: they are too many.  May move what was read.
 */
extern bool history_hold_days(HistoryReader *reader);

/* All days of a customer, as the bytes that they are in a value. */
typedef struct HistoryStretch
{
	HistoryDay	first;
	Day			last_day;
	uint32_t	days;
	const uint8_t *rest;		/* the events after the first */
	size_t		rest_size;
} HistoryStretch;

/*
 * Passes over the customer's days but the first, which has been read, and the
 * others are held; false on damage.
 */
extern bool history_read_stretch(HistoryReader *reader, const HistoryDay *first,
								 HistoryStretch *stretch);

extern bool history_next_customer_slow(HistoryReader *reader);
extern bool history_read_day_slow(HistoryReader *reader, HistoryDay *event);

/* The first values that announce a longer form. */
#define GAP_TWO_BYTES		240
#define GAP_THREE_BYTES		253
#define GAP_FIVE_BYTES		254
#define EVENT_DETAILED		255
#define AMOUNT_FOUR_BYTES	0xFF00
#define AMOUNT_VARINT		0xFFFF

/* A gap of one or two bytes; false: a longer one, or no gap. */
static inline __attribute__((always_inline)) bool
history_short_gap(const uint8_t **p, uint32_t *gap)
{
	*gap = *(*p)++;
	if (*gap >= GAP_TWO_BYTES)
	{
		if (*gap >= GAP_THREE_BYTES)
			return false;
		*gap = GAP_TWO_BYTES + ((*gap - GAP_TWO_BYTES) << 8) + *(*p)++;
	}
	return true;
}

static inline uint32_t
history_two_bytes(const uint8_t *p)
{
	return (uint32_t) p[0] | (uint32_t) p[1] << 8;
}

/* The day of the latest event, and back. */
static inline Day
history_cursor_day(const HistoryReader *reader, const HistoryCursor *cursor)
{
	return (Day) ((uint32_t) reader->header.first_purchase + cursor->since);
}

static inline uint32_t
history_since(const HistoryReader *reader, Day day)
{
	return (uint32_t) day - (uint32_t) reader->header.first_purchase;
}

/* Passes an event that ends before p; false: its day is not to be read in line. */
static inline __attribute__((always_inline)) bool
history_cursor_pass(const HistoryReader *reader, HistoryCursor *cursor, const uint8_t *p,
					uint32_t gap)
{
	uint32_t	since = cursor->since + gap + 1;

	if (since >= reader->quick_days)
		return false;
	cursor->next = p;
	cursor->since = since;
	cursor->days_left--;
	return true;
}

/*
 * The next event of the current customer; false when there is none.  Looks
 * for a cancel request now and then.
 *
 * The cursor is the caller's copy of reader->at, which the compiler can keep
 * in registers.  Whoever stops early may put it back there, to spare the
 * reader passing over the same events again; but not one that was copied
 * before the latest event that was not plain, with which another slice may
 * have come.  has_amounts is that of the header; a loop that is made for one
 * of the two passes a constant.
 *
 * A loop that has to be fast asks for two kinds of events in turn: plain ones
 * in a short form, as nearly all are, and whatever follows the last of these,
 * which may be a plain one too.
 */
static inline __attribute__((always_inline)) bool
history_cursor_plain(const HistoryReader *reader, HistoryCursor *cursor, PlainDay *plain,
					 const bool has_amounts)
{
	const uint8_t *p = cursor->next;
	uint32_t	gap;

	if (cursor->days_left == 0 || p > reader->quick_end)
		return false;
	if (!history_short_gap(&p, &gap))
		return false;
	plain->amount = 0;
	if (has_amounts)
	{
		plain->amount = history_two_bytes(p);
		if (plain->amount >= AMOUNT_FOUR_BYTES)
			return false;
		p += 2;
	}
	if (!history_cursor_pass(reader, cursor, p, gap))
		return false;
	plain->since = cursor->since;
	return true;
}

/*
 * A day of orders of known amounts in any form but the longest ones, as are
 * nearly all that are not plain.
 */
static inline __attribute__((always_inline)) bool
history_cursor_common(const HistoryReader *reader, HistoryCursor *cursor, HistoryDay *event,
					  const bool has_amounts)
{
	const uint8_t *p = cursor->next;
	bool		detailed;
	uint32_t	gap;
	uint32_t	orders = 1;
	uint32_t	amount = 0;

	if (p > reader->quick_end)
		return false;
	detailed = *p == EVENT_DETAILED;
	p += detailed;
	if (!history_short_gap(&p, &gap))
		return false;
	if (detailed)
	{
		orders = *p++;
		if (orders >= 0x80)
			return false;
		if (has_amounts)
		{
			/* neither a sum below zero nor an unknown amount */
			if ((orders & 1) || *p++ != 0)
				return false;
			orders >>= 1;
		}
		if (orders == 0)
			return false;
	}
	if (has_amounts)
	{
		amount = history_two_bytes(p);
		p += 2;
		if (amount >= AMOUNT_FOUR_BYTES)
		{
			if (amount == AMOUNT_VARINT)
				return false;
			amount = AMOUNT_FOUR_BYTES + ((amount - AMOUNT_FOUR_BYTES) << 16) +
				history_two_bytes(p);
			p += 2;
		}
	}
	if (!history_cursor_pass(reader, cursor, p, gap))
		return false;
	event->day = history_cursor_day(reader, cursor);
	event->orders = orders;
	event->valued_orders = has_amounts ? orders : 0;
	event->amount = (int64_t) amount;
	return true;
}

static inline __attribute__((always_inline)) bool
history_cursor_other(HistoryReader *reader, HistoryCursor *cursor, HistoryDay *event,
					 const bool has_amounts)
{
	/* through copies, for the sake of the registers */
	HistoryDay	read;
	bool		found;

	if (cursor->days_left == 0)
		return false;
	if (history_cursor_common(reader, cursor, event, has_amounts))
		return true;
	reader->at = *cursor;
	found = history_read_day_slow(reader, &read);
	*cursor = reader->at;
	*event = read;
	return found;
}

static inline __attribute__((always_inline)) bool
history_cursor_next(HistoryReader *reader, HistoryCursor *cursor, HistoryDay *event,
					const bool has_amounts)
{
	PlainDay	plain;

	if (!history_cursor_plain(reader, cursor, &plain, has_amounts))
		return history_cursor_other(reader, cursor, event, has_amounts);
	event->day = history_cursor_day(reader, cursor);
	event->orders = 1;
	event->valued_orders = has_amounts ? 1 : 0;
	event->amount = (int64_t) plain.amount;
	return true;
}

static inline bool
history_next_day(HistoryReader *reader, HistoryDay *event)
{
	HistoryCursor cursor = reader->at;
	bool		found = history_cursor_next(reader, &cursor, event, reader->header.has_amounts);

	reader->at = cursor;
	return found;
}

/*
 * The next customer, whose key is then in reader->key; false at the end.
 * Events of the current one that were not read are passed over.
 */
static inline bool
history_next_customer(HistoryReader *reader)
{
	const uint8_t *p;
	int64_t		number;

	if (reader->at.days_left > 0 && !history_skip_days(reader))
		return false;

	/* the next but a few numbers, and less than 128 days */
	p = reader->at.next;
	if (reader->customers_left > 0 && reader->header.key_type == HISTORY_KEY_BIGINT &&
		p < reader->quick_customers && p[0] < 0x80 && p[1] < 0x80 && p[1] > 0)
	{
		number = (int64_t) ((uint64_t) reader->key.number + p[0]);
		if (number < reader->detour_key)
		{
			reader->customers_left--;
			reader->key.number = number;
			reader->at.next = p + 2;
			reader->at.days_left = p[1];
			reader->at.since = history_since(reader, reader->header.first_day - 1);
			return true;
		}
	}
	return history_next_customer_slow(reader);
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

/* Makes room for a value of that size at once, to spare making room as it grows. */
extern void history_writer_expect(HistoryWriter *writer, size_t size);

extern HistoryError history_writer_add_slow(HistoryWriter *writer, const HistoryKey *key,
											const HistoryDay *event);
extern HistoryError history_writer_add_day_slow(HistoryWriter *writer, const HistoryDay *event);

/*
 * Another event of the customer of the one before.  Field by field, so that
 * an event made just before goes from registers to its place: a copy of the
 * whole would wait for the fields to reach memory.
 */
static inline HistoryError
history_writer_add_day(HistoryWriter *writer, const HistoryDay *event)
{
	if (writer->day_count < writer->day_capacity &&
		writer->days[writer->day_count - 1].day != event->day)
	{
		writer->days[writer->day_count++] =
			(HistoryDay) {event->day, event->orders, event->valued_orders, event->amount};
		return HISTORY_OK;
	}
	return history_writer_add_day_slow(writer, event);
}

/* Whether the event before was this customer's. */
static inline bool
history_writer_is_at(const HistoryWriter *writer, const HistoryKey *key)
{
	if (!writer->has_customer)
		return false;
	if (writer->header.key_type == HISTORY_KEY_BIGINT)
		return writer->number == key->number;
	return writer->key_size == key->size &&
		(key->size == 0 || memcmp(writer->key, key->bytes, key->size) == 0);
}

static inline HistoryError
history_writer_add(HistoryWriter *writer, const HistoryKey *key, const HistoryDay *event)
{
	if (history_writer_is_at(writer, key))
		return history_writer_add_day(writer, event);
	return history_writer_add_slow(writer, key, event);
}

/*
 * Writes a customer as stretches of his days, one after the other, of a history
 * of the same amounts and scale.  He comes after the customers before.  What
 * the copies add up to is to be told in the end.
 */
extern HistoryError history_writer_copy(HistoryWriter *writer, const HistoryKey *key,
										const HistoryStretch *stretches, int count);

/*
 * Takes the only customer back who was written since the writer was opened,
 * or since the last one was taken back, of bigint keys; his days stay until
 * more is written.  place->at.since is left to the caller.
 */
extern HistoryError history_writer_take_back(HistoryWriter *writer, HistoryPlace *place);

/*
 * Copies the customers who follow the one copied last, up to "limit" (NULL:
 * to the end) or a little less, from a history of the same first day.
 * Returns whether the reader has come to a customer, who is still to be read.
 */
extern bool history_writer_copy_until(HistoryWriter *writer, HistoryReader *reader,
									  const HistoryKey *limit, HistoryError *error);

/*
 * Writes all customers of a value in memory as they are, of bigint keys and of
 * the same amounts, scale and first day.  They come after the customers
 * before, and "last" is the key of the last one.  What they add up to is to
 * be told in the end.
 */
extern HistoryError history_writer_append(HistoryWriter *writer, HistoryReader *reader, int64_t last);

/*
 * A day of a customer in eight bytes, which sort by the day: a plain one is
 * told in full, of others the place in an array.
 */
typedef uint64_t ListedDay;

#define LISTED_AMOUNT_MAX	INT32_MAX
#define LISTED_DAY(day)		((uint64_t) ((uint32_t) (day) ^ (uint32_t) 1 << 31) << 32)
#define LISTED_PLAIN(day, amount)	(LISTED_DAY(day) | (uint64_t) (amount))
#define LISTED_OTHER(day, index)	(LISTED_DAY(day) | (uint64_t) 1 << 31 | (uint64_t) (index))

/*
 * Writes a customer, who comes after those before, of the days in the list,
 * which are in order and may repeat.  What they add up to is to be told in
 * the end.
 */
extern HistoryError history_writer_add_listed(HistoryWriter *writer, const HistoryKey *key,
											  const ListedDay *list, size_t count,
											  const HistoryDay *others);

/* The same, one by one: days of a customer whose earlier ones may have been added already. */
extern HistoryError history_writer_add_days(HistoryWriter *writer, const HistoryKey *key,
											const ListedDay *list, size_t count,
											const HistoryDay *others);

/* Writes the last customer that was added by his events. */
extern HistoryError history_writer_flush(HistoryWriter *writer);

/* The same, and the header, in which the caller may have set the totals of copies. */
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
