/*
 * history_format.c
 *	  Reader, writer and validator of the storage format of customer_history.
 *
 * The layout is described in history_format.h.  The reader trusts nothing
 * but the size of the value; the writer trusts the order of what it is
 * given.
 */
#include "history_format.h"

/* The longest varint of 64 and of 128 bits. */
#define VARINT_MAX	10
#define AMOUNT_VARINT_MAX	19

/* Where gaps of three bytes begin. */
#define GAP_THREE_BYTES_BASE	(GAP_TWO_BYTES + ((GAP_THREE_BYTES - GAP_TWO_BYTES) << 8))

/* The longest event that is read in line: marker, gap, two counts, amount. */
#define COMMON_EVENT_MAX	(1 + 2 + 2 + 4)

/* The longest event: marker, gap, two counts, amount. */
#define EVENT_MAX	(1 + 5 + 2 * VARINT_MAX + 2 + AMOUNT_VARINT_MAX)

/* The same without regard to what counts can be, for reading. */
#define READ_MAX	(1 + 5 + 2 * AMOUNT_VARINT_MAX + 2 + AMOUNT_VARINT_MAX)
_Static_assert(READ_MAX < HISTORY_SLICE_MIN, "a slice has to hold an event and more");

/* Bytes of consecutive customers that are copied at once, at least. */
#define COPIED_AT_ONCE	(64 * 1024)

/* More than there is of a customer before his days, beside the key. */
#define KEY_MARGIN		(4 * READ_MAX)

/* Room is made for so many at a time. */
#define EVENT_BATCH	1024

/* Room is made for so many listed days. */
#define LISTED_AT_ONCE	65536

/* Fewest bytes of a customer: key, number of days, one event. */
#define CUSTOMER_MIN	3

/* ---------- little-endian integers of the header ---------- */

static inline void
put_fixed(uint8_t *to, UnsignedAmount value, int size)
{
	for (int i = 0; i < size; i++)
		to[i] = (uint8_t) (value >> (8 * i));
}

static inline __attribute__((always_inline)) UnsignedAmount
get_fixed(const uint8_t *from, const int size)
{
	UnsignedAmount value = 0;

	for (int i = 0; i < size; i++)
		value |= (UnsignedAmount) from[i] << (8 * i);
	return value;
}

const char *
history_read_header(const uint8_t *data, size_t size, HistoryHeader *header)
{
	size_t		records;

	if (size < HISTORY_HEADER_SIZE)
		return "it is shorter than a header";
	if (size > HISTORY_MAX_SIZE)
		return "it is longer than a history can be";
	if (data[0] != HISTORY_VERSION)
		return "its format version is unknown";
	if (data[1] < HISTORY_KEY_BIGINT || data[1] > HISTORY_KEY_UUID)
		return "its key type is unknown";
	if ((data[2] & ~HISTORY_FLAG_AMOUNTS) != 0 ||
		get_fixed(data + 4, 4) != 0 || get_fixed(data + 44, 4) != 0)
		return "its reserved bytes are not zero";

	header->key_type = (HistoryKeyType) data[1];
	header->has_amounts = (data[2] & HISTORY_FLAG_AMOUNTS) != 0;
	header->scale = data[3];
	header->customers = (uint32_t) get_fixed(data + 8, 4);
	header->buyers = (uint32_t) get_fixed(data + 12, 4);
	header->customer_days = (uint32_t) get_fixed(data + 16, 4);
	header->longest_key = (uint32_t) get_fixed(data + 20, 4);
	header->orders = (int64_t) get_fixed(data + 24, 8);
	header->first_day = (Day) get_fixed(data + 32, 4);
	header->last_day = (Day) get_fixed(data + 36, 4);
	header->first_purchase = (Day) get_fixed(data + 40, 4);
	header->amount = (Amount) get_fixed(data + 48, 16);

	records = size - HISTORY_HEADER_SIZE;
	if (header->scale > (header->has_amounts ? HISTORY_MAX_SCALE : 0))
		return "its scale is impossible";
	if (header->customers == 0 || header->customers > records / CUSTOMER_MIN ||
		header->buyers > header->customers ||
		header->customer_days < header->customers ||
		header->customer_days > records ||
		header->longest_key > records + sizeof(int64_t) ||
		header->orders < 0)
		return "its counts are impossible";
	if (header->key_type == HISTORY_KEY_BIGINT ? header->longest_key != sizeof(int64_t) :
		header->key_type == HISTORY_KEY_UUID && header->longest_key != UUID_KEY_SIZE)
		return "its key size is impossible";
	if (header->first_day < DAY_FIRST || header->last_day > DAY_LAST ||
		header->first_day > header->last_day ||
		(header->buyers == 0 ? header->first_purchase != 0 :
		 header->first_purchase < header->first_day ||
		 header->first_purchase > header->last_day))
		return "its days are impossible";
	return NULL;
}

static void
write_header(const HistoryHeader *header, uint8_t *data)
{
	memset(data, 0, HISTORY_HEADER_SIZE);
	data[0] = HISTORY_VERSION;
	data[1] = (uint8_t) header->key_type;
	data[2] = header->has_amounts ? HISTORY_FLAG_AMOUNTS : 0;
	data[3] = (uint8_t) header->scale;
	put_fixed(data + 8, header->customers, 4);
	put_fixed(data + 12, header->buyers, 4);
	put_fixed(data + 16, header->customer_days, 4);
	put_fixed(data + 20, header->longest_key, 4);
	put_fixed(data + 24, (UnsignedAmount) header->orders, 8);
	put_fixed(data + 32, (UnsignedAmount) header->first_day, 4);
	put_fixed(data + 36, (UnsignedAmount) header->last_day, 4);
	put_fixed(data + 40, (UnsignedAmount) header->first_purchase, 4);
	put_fixed(data + 48, (UnsignedAmount) header->amount, 16);
}

static int
compare_bytes(const uint8_t *a, uint32_t a_size, const uint8_t *b, uint32_t b_size)
{
	uint32_t	shorter = a_size < b_size ? a_size : b_size;
	int			order = shorter == 0 ? 0 : memcmp(a, b, shorter);

	if (order != 0)
		return order < 0 ? -1 : 1;
	return (a_size > b_size) - (a_size < b_size);
}

int
history_compare_keys(HistoryKeyType key_type, const HistoryKey *a, const HistoryKey *b)
{
	if (key_type == HISTORY_KEY_BIGINT)
		return (a->number > b->number) - (a->number < b->number);
	return compare_bytes(a->bytes, a->size, b->bytes, b->size);
}

/* ---------- reading ---------- */

/*
 * Events are read in line up to the next look for a cancel request, but not
 * where one could reach past the end, nor an event of any form past the
 * end of a slice that others follow.
 */
static void
move_quick_end(HistoryReader *reader)
{
	size_t		left = (size_t) (reader->end - reader->at.next);
	size_t		reserve = reader->behind > 0 ? READ_MAX : COMMON_EVENT_MAX;

	reader->quick_end = left < HISTORY_CANCEL_BYTES + reserve ? reader->end - reserve :
		reader->at.next + HISTORY_CANCEL_BYTES;
	reader->quick_customers = reader->quick_end + 1;
	if (reader->limit < history_position(reader) + left)
	{
		size_t		passed = history_position(reader);
		const uint8_t *limit = reader->at.next + (reader->limit < passed ? 0 : reader->limit - passed);

		if (limit < reader->quick_customers)
			reader->quick_customers = limit;
	}
}

/* Has the bytes from an offset on at hand. */
static void
fetch_slice(HistoryReader *reader, size_t offset)
{
	size_t		size;

	reader->at.next = reader->slices->fetch(reader->slices, offset, &size);
	reader->end = reader->at.next + size;
	reader->behind = reader->size - offset - size;
}

/* The slice that begins with the first byte not read so far. */
static void
next_slice(HistoryReader *reader)
{
	fetch_slice(reader, history_position(reader));
}

/*
 * To be called past quick_end: afterwards READ_MAX bytes are at hand, or all
 * that are left.
 */
static void
read_on(HistoryReader *reader)
{
	reader->host->check_cancel();
	if (reader->behind > 0 && (size_t) (reader->end - reader->at.next) < READ_MAX)
		next_slice(reader);
	move_quick_end(reader);
}

static void
open_reader(HistoryReader *reader, const HistoryHost *host, const HistoryHeader *header,
			size_t size, uint8_t *key_buffer)
{
	memset(reader, 0, sizeof(*reader));
	reader->header = *header;
	reader->size = size;
	reader->limit = HISTORY_NO_LIMIT;
	reader->detour_key = INT64_MAX;
	reader->host = host;
	reader->key_buffer = key_buffer;
	reader->key.bytes = key_buffer;
	history_read_until(reader, header->last_day);
}

void
history_open(HistoryReader *reader, const HistoryHost *host,
			 const HistoryHeader *header, const uint8_t *data,
			 size_t size, uint8_t *key_buffer)
{
	open_reader(reader, host, header, size, key_buffer);
	reader->end = data + size;
	history_rewind(reader);
}

void
history_open_slices(HistoryReader *reader, const HistoryHost *host,
					const HistoryHeader *header, HistorySlices *slices,
					size_t size, uint8_t *key_buffer)
{
	open_reader(reader, host, header, size, key_buffer);
	reader->slices = slices;
	history_rewind(reader);
}

static void
go_to(HistoryReader *reader, size_t position)
{
	if (reader->slices != NULL)
		fetch_slice(reader, position);
	else
		reader->at.next = reader->end - reader->size + position;
	reader->at.days_left = 0;
	reader->customers_left = reader->header.customers;
	move_quick_end(reader);
}

void
history_rewind(HistoryReader *reader)
{
	if (reader->detours != NULL)
		reader->detours->rewind(reader->detours, reader);
	go_to(reader, HISTORY_HEADER_SIZE);
	reader->key.number = INT64_MIN;
	reader->key.size = 0;
}

void
history_set_detours(HistoryReader *reader, HistoryDetours *detours)
{
	reader->detours = detours;
	history_rewind(reader);
}

HistoryPlace
history_place(const HistoryReader *reader)
{
	return (HistoryPlace)
	{
		reader->key.number, reader->at, reader->end, reader->behind
	};
}

void
history_go_to(HistoryReader *reader, const HistoryPlace *place, bool is_own)
{
	reader->key.number = place->number;
	reader->at = place->at;
	reader->end = place->end;
	reader->behind = place->behind;
	/* elsewhere no customer follows */
	reader->limit = is_own ? HISTORY_NO_LIMIT : 0;
	move_quick_end(reader);
}

void
history_read_to(HistoryReader *reader, size_t limit)
{
	reader->limit = limit;
	move_quick_end(reader);
}

void
history_read_until(HistoryReader *reader, Day until)
{
	const HistoryHeader *header = &reader->header;

	if (until > header->last_day)
		until = header->last_day;
	reader->until = until;
	/* a plain event is a purchase, of which there are none without buyers */
	reader->quick_days = header->buyers > 0 && until >= header->first_purchase ?
		(uint32_t) until - (uint32_t) header->first_purchase + 1 : 0;
}

void
history_limit_plain(HistoryReader *reader, uint32_t days)
{
	if (reader->quick_days > days)
		reader->quick_days = days;
}

/* Returns false, so that callers can return what it returns. */
static bool
damaged(HistoryReader *reader, const char *damage)
{
	if (reader->damage == NULL)
		reader->damage = damage;
	reader->at.days_left = 0;
	reader->customers_left = 0;
	reader->at.next = reader->end;
	reader->behind = 0;
	return false;
}

/* Not in line: it would cost those their registers who seldom need it. */
static __attribute__((noinline)) const uint8_t *
get_long_varint(const uint8_t *p, const uint8_t *end, UnsignedAmount *value)
{
	uint64_t	low = 0;

	/* nearly all end within 63 bits, which take less time than 128 */
	for (int i = 0; i < VARINT_MAX - 1 && p < end; i++)
	{
		uint8_t		byte = *p++;

		low |= (uint64_t) (byte & 0x7f) << (7 * i);
		if (byte < 0x80)
		{
			*value = low;
			return p;
		}
	}

	*value = low;
	for (int i = VARINT_MAX - 1; i < AMOUNT_VARINT_MAX && p < end; i++)
	{
		uint8_t		byte = *p++;
		uint8_t		bits = byte & 0x7f;

		/* 18 bytes hold 126 bits: of the last, two are left */
		if (i == AMOUNT_VARINT_MAX - 1 && bits > 3)
			break;
		*value |= (UnsignedAmount) bits << (7 * i);
		if (byte < 0x80)
			return p;
	}
	return NULL;
}

/*
 * The byte after a varint that begins at p; NULL if that is cut short by the
 * end, or too large.
 */
static inline const uint8_t *
get_varint(const uint8_t *p, const uint8_t *end, UnsignedAmount *value)
{
	if (p < end && *p < 0x80)
	{
		*value = *p;
		return p + 1;
	}
	return get_long_varint(p, end, value);
}

static uint64_t
read_varint(HistoryReader *reader)
{
	UnsignedAmount value;
	const uint8_t *p = get_varint(reader->at.next, reader->end, &value);

	if (p == NULL || value > UINT64_MAX)
	{
		damaged(reader, "a number is cut short or too large");
		return 0;
	}
	reader->at.next = p;
	return (uint64_t) value;
}

/* The byte after an amount that begins at p; NULL if it is too large. */
static inline const uint8_t *
get_amount(const uint8_t *p, const uint8_t *end, UnsignedAmount *amount)
{
	uint32_t	word = history_two_bytes(p);

	p += 2;
	*amount = word;
	if (word < AMOUNT_FOUR_BYTES)
		return p;
	if (word < AMOUNT_VARINT)
	{
		*amount = AMOUNT_FOUR_BYTES + ((word - AMOUNT_FOUR_BYTES) << 16) +
			history_two_bytes(p);
		return p + 2;
	}
	p = get_varint(p, end, amount);
	return *amount <= (UnsignedAmount) AMOUNT_MAX ? p : NULL;
}

/* An event as it is written. */
typedef struct WrittenEvent
{
	uint32_t	gap;
	bool		detailed;
	UnsignedAmount orders;		/* with amounts, twice as many and the sign */
	UnsignedAmount unknown;
	UnsignedAmount amount;
} WrittenEvent;

/*
 * Passes over an event of any form, the short ones included, and says what is
 * written there.  Comes by often enough to look for a cancel request.
 */
static inline bool
read_written(HistoryReader *reader, WrittenEvent *event)
{
	const HistoryHeader *header = &reader->header;
	uint8_t		padded[READ_MAX];
	size_t		left;
	const uint8_t *start;
	const uint8_t *end;
	const uint8_t *p;
	uint32_t	gap;

	if (reader->at.next > reader->quick_end)
		read_on(reader);

	/* zeros at the end of the value let every event end, if too late */
	start = reader->at.next;
	left = (size_t) (reader->end - start);
	if (left < READ_MAX)
	{
		memset(padded, 0, READ_MAX);
		memcpy(padded, start, left);
		start = padded;
	}
	end = start + READ_MAX;
	p = start;

	gap = *p++;
	event->detailed = gap == EVENT_DETAILED;
	if (event->detailed)
		gap = *p++;
	if (gap >= GAP_TWO_BYTES)
	{
		if (gap == EVENT_DETAILED)
			return damaged(reader, "an event begins twice");
		if (gap == GAP_FIVE_BYTES)
		{
			gap = (uint32_t) get_fixed(p, 4);
			p += 4;
		}
		else if (gap == GAP_THREE_BYTES)
		{
			gap = GAP_THREE_BYTES_BASE + (uint32_t) get_fixed(p, 2);
			p += 2;
		}
		else
			gap = GAP_TWO_BYTES + ((gap - GAP_TWO_BYTES) << 8) + *p++;
	}
	event->gap = gap;

	event->orders = 2;
	event->unknown = 0;
	event->amount = 0;
	if (event->detailed)
	{
		p = get_varint(p, end, &event->orders);
		if (p != NULL && header->has_amounts)
			p = get_varint(p, end, &event->unknown);
		if (p == NULL || event->orders > (header->has_amounts ? UINT64_MAX : INT64_MAX))
			return damaged(reader, "a count is cut short or too large");
	}
	if (header->has_amounts)
	{
		p = get_amount(p, end, &event->amount);
		if (p == NULL)
			return damaged(reader, "an amount is cut short or too large");
	}
	if ((size_t) (p - start) > left)
		return damaged(reader, "it ends within an event");

	reader->at.next += p - start;
	reader->at.days_left--;
	return true;
}

bool
history_read_day_slow(HistoryReader *reader, HistoryDay *event)
{
	const HistoryHeader *header = &reader->header;
	WrittenEvent written;
	int64_t		day;

	if (!read_written(reader, &written))
		return false;
	day = (int64_t) history_cursor_day(reader, &reader->at) + written.gap + 1;
	if (day > header->last_day)
		return damaged(reader, "a day is out of range");
	reader->at.since = history_since(reader, (Day) day);
	event->day = (Day) day;
	if (header->has_amounts)
	{
		/* the last bit is the sign */
		if (written.unknown > written.orders >> 1)
			return damaged(reader, "a day contradicts itself");
		event->orders = (int64_t) (written.orders >> 1);
		event->valued_orders = event->orders - (int64_t) written.unknown;
		event->amount = (written.orders & 1) ? -(Amount) written.amount : (Amount) written.amount;
	}
	else
	{
		event->orders = written.detailed ? (int64_t) written.orders : 1;
		event->valued_orders = 0;
		event->amount = 0;
	}

	if (event->orders > 0 && event->day < header->first_purchase)
		return damaged(reader, "a purchase is before the first one");
	return event->day <= reader->until;
}

/* Passes over plain events in a short form, and others of which every part is short. */
static inline __attribute__((always_inline)) void
skip_short_events(HistoryReader *reader, const bool has_amounts)
{
	const int	plain_size = has_amounts ? 3 : 1;
	const int	other_size = has_amounts ? 6 : 3;
	const uint8_t *quick_end = reader->quick_end;
	const uint8_t *p = reader->at.next;
	uint32_t	left = reader->at.days_left;

	for (; left > 0 && p <= quick_end; left--)
	{
		if (p[0] < GAP_TWO_BYTES && (!has_amounts || p[2] < AMOUNT_FOUR_BYTES >> 8))
			p += plain_size;
		else if (p[0] == EVENT_DETAILED && p + other_size <= quick_end &&
				 p[1] < GAP_TWO_BYTES && p[2] < 0x80 &&
				 (!has_amounts || (p[3] < 0x80 && p[5] < AMOUNT_FOUR_BYTES >> 8)))
			p += other_size;
		else
			break;
	}
	reader->at.next = p;
	reader->at.days_left = left;
}

/*
 * Passes over the events of the current customer that were not read, of
 * which only the length is wanted.  Days are not added up: at.since stays.
 */
bool
history_skip_days(HistoryReader *reader)
{
	WrittenEvent unread;

	while (reader->at.days_left > 0)
	{
		if (reader->header.has_amounts)
			skip_short_events(reader, true);
		else
			skip_short_events(reader, false);
		if (reader->at.days_left > 0 && !read_written(reader, &unread))
			return false;
	}
	return true;
}

/* Whether all the customer's days that were not read are at hand. */
static inline bool
days_at_hand(const HistoryReader *reader)
{
	return reader->behind == 0 ||
		(uint64_t) (reader->end - reader->at.next) >= (uint64_t) reader->at.days_left * READ_MAX;
}

bool
history_hold_days(HistoryReader *reader)
{
	if (days_at_hand(reader))
		return true;
	next_slice(reader);
	move_quick_end(reader);
	return days_at_hand(reader);
}

bool
history_read_stretch(HistoryReader *reader, const HistoryDay *first, HistoryStretch *stretch)
{
	HistoryDay	last = *first;

	stretch->first = *first;
	stretch->days = reader->at.days_left + 1;
	stretch->rest = reader->at.next;
	while (history_next_day(reader, &last))
		;
	if (reader->damage != NULL)
		return false;
	stretch->rest_size = (size_t) (reader->at.next - stretch->rest);
	stretch->last_day = last.day;
	return true;
}

static bool
read_key(HistoryReader *reader)
{
	HistoryKey *key = &reader->key;
	uint64_t	shared;
	uint64_t	rest;

	if (reader->header.key_type == HISTORY_KEY_BIGINT)
	{
		/* wraps on damage only, which the validator sees */
		key->number = (int64_t) ((uint64_t) key->number + read_varint(reader));
		return reader->damage == NULL;
	}

	shared = read_varint(reader);
	if (shared > key->size)
		return damaged(reader, "a key shares more bytes than there are");
	if (reader->header.key_type == HISTORY_KEY_UUID)
		rest = UUID_KEY_SIZE - shared;
	else
		rest = read_varint(reader);
	if (rest > (uint64_t) (reader->end - reader->at.next) + reader->behind ||
		shared + rest > reader->header.longest_key)
		return damaged(reader, "a key is longer than the longest");
	key->size = (uint32_t) (shared + rest);
	for (;;)
	{
		size_t		piece = (size_t) (reader->end - reader->at.next);

		if (piece > rest)
			piece = rest;
		if (reader->key_buffer != NULL && piece > 0)
			memcpy(reader->key_buffer + shared, reader->at.next, piece);
		reader->at.next += piece;
		shared += piece;
		rest -= piece;
		if (rest == 0)
			break;
		read_on(reader);
	}
	if (reader->at.next > reader->quick_end)
		read_on(reader);
	return true;
}

bool
history_next_own_customer(HistoryReader *reader)
{
	uint32_t	others = reader->detours == NULL ? 0 : reader->detours->customers_left;
	uint64_t	days;

	if (reader->damage != NULL || history_position(reader) >= reader->limit)
		return false;
	if (reader->customers_left <= others)
		return reader->customers_left == others && reader->at.next == reader->end &&
			reader->behind == 0 ? false : damaged(reader, "bytes follow the last customer");
	reader->customers_left--;

	if (reader->at.next > reader->quick_end)
		read_on(reader);
	if (!read_key(reader))
		return false;
	days = read_varint(reader);
	if (days == 0 || days > UINT32_MAX)
		return damaged(reader, "a customer's number of days is impossible");
	reader->at.days_left = (uint32_t) days;
	reader->at.since = history_since(reader, reader->header.first_day - 1);
	return reader->damage == NULL;
}

bool
history_next_customer_slow(HistoryReader *reader)
{
	if (reader->detours == NULL)
		return history_next_own_customer(reader);
	return reader->damage == NULL && reader->detours->next_customer(reader->detours, reader);
}

/*
 * To fall into step, so many customers of average size are read before the
 * place that is looked for, but not more bytes.
 */
#define SEEK_CUSTOMERS		256
#define SEEK_BYTES			((size_t) 64 * 1024)

/* And no more days, guesses that fail included. */
#define SEEK_DAYS			(256 * 1024)

/*
 * Reads a customer as one that begins "at" bytes after the first at hand;
 * false if there cannot be one.
 */
static bool
pass_customer(HistoryReader *scout, const uint8_t *first, size_t at, int *days_left)
{
	HistoryDay	event;

	scout->damage = NULL;
	scout->customers_left = 1;
	scout->key.size = scout->header.longest_key;
	scout->at.next = first + at;
	move_quick_end(scout);
	if (history_next_customer(scout))
		while (history_next_day(scout, &event))
			if (--*days_left <= 0)
				return false;
	return scout->damage == NULL;
}

bool
history_seek(HistoryReader *reader, size_t offset)
{
	size_t		average = reader->size / ((size_t) reader->header.customers + 1) + 1;
	size_t		before = average < SEEK_BYTES / SEEK_CUSTOMERS ? average * SEEK_CUSTOMERS : SEEK_BYTES;
	size_t		from = offset > HISTORY_HEADER_SIZE + before ? offset - before : HISTORY_HEADER_SIZE;
	const uint8_t *first;
	HistoryReader scout;
	size_t		at = 0;
	int			days_left = SEEK_DAYS;

	go_to(reader, from);
	first = reader->at.next;

	/* what is at hand is all that the scout reads */
	scout = *reader;
	scout.slices = NULL;
	scout.size = (size_t) (reader->end - first);
	scout.behind = 0;
	scout.limit = HISTORY_NO_LIMIT;
	scout.key_buffer = NULL;
	history_read_until(&scout, scout.header.last_day);
	while (from + at < offset && at < scout.size && days_left > 0)
		at = pass_customer(&scout, first, at, &days_left) ? history_position(&scout) : at + 1;
	if (from + at < offset)
		return false;

	reader->at.next = first + at;
	/* he may share as many bytes with a key that has not been seen */
	reader->key.size = reader->header.longest_key;
	move_quick_end(reader);
	return true;
}

/* ---------- writing ---------- */

static void
grow(const HistoryHost *host, void **memory, size_t *capacity, size_t wanted, size_t width)
{
	size_t		size = *capacity;

	if (wanted <= size)
		return;
	if (size < 16)
		size = 16;
	while (size < wanted)
		size += size / 2;
	*memory = host->resize(*memory, size * width);
	*capacity = size;
}

static __attribute__((noinline)) HistoryError
make_room(HistoryWriter *writer, size_t wanted)
{
	/* doubling, but never past the limit by more than it can hold */
	size_t		size = writer->capacity < 256 ? 256 : writer->capacity * 2;

	if (wanted > HISTORY_MAX_SIZE + writer->lead)
		return HISTORY_TOO_LARGE;
	if (size < wanted)
		size = wanted;
	if (size > HISTORY_MAX_SIZE + writer->lead)
		size = HISTORY_MAX_SIZE + writer->lead;
	writer->data = writer->host->resize(writer->data, size);
	writer->capacity = size;
	return HISTORY_OK;
}

static inline HistoryError
reserve(HistoryWriter *writer, size_t more)
{
	size_t		wanted = writer->used + more;

	return wanted <= writer->capacity ? HISTORY_OK : make_room(writer, wanted);
}

/* Each writes where it is told, for which there is room, and returns the end. */
static inline uint8_t *
put_bytes(uint8_t *to, uint64_t value, int size)
{
	put_fixed(to, value, size);
	return to + size;
}

static inline uint8_t *
put_varint(uint8_t *to, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		*to++ = (uint8_t) value | 0x80;
	*to++ = (uint8_t) value;
	return to;
}

static inline uint8_t *
put_gap(uint8_t *to, uint64_t gap)
{
	if (gap < GAP_TWO_BYTES)
		return put_bytes(to, gap, 1);
	if (gap < GAP_THREE_BYTES_BASE)
	{
		to = put_bytes(to, GAP_TWO_BYTES + ((gap - GAP_TWO_BYTES) >> 8), 1);
		return put_bytes(to, gap - GAP_TWO_BYTES, 1);
	}
	if (gap - GAP_THREE_BYTES_BASE <= UINT16_MAX)
	{
		to = put_bytes(to, GAP_THREE_BYTES, 1);
		return put_bytes(to, gap - GAP_THREE_BYTES_BASE, 2);
	}
	to = put_bytes(to, GAP_FIVE_BYTES, 1);
	return put_bytes(to, gap, 4);
}

static inline uint8_t *
put_amount(uint8_t *to, UnsignedAmount amount)
{
	if (amount < AMOUNT_FOUR_BYTES)
		return put_bytes(to, (uint64_t) amount, 2);
	amount -= AMOUNT_FOUR_BYTES;
	if (amount >> 16 < AMOUNT_VARINT - AMOUNT_FOUR_BYTES)
	{
		to = put_bytes(to, AMOUNT_FOUR_BYTES + (uint64_t) (amount >> 16), 2);
		return put_bytes(to, (uint64_t) amount, 2);
	}
	to = put_bytes(to, AMOUNT_VARINT, 2);
	for (amount += AMOUNT_FOUR_BYTES; amount > UINT64_MAX; amount >>= 7)
		*to++ = (uint8_t) amount | 0x80;
	return put_varint(to, (uint64_t) amount);
}

/* gap: days since the customer's previous event, less one. */
static inline __attribute__((always_inline)) uint8_t *
put_event(uint8_t *to, const HistoryDay *event, uint64_t gap, bool has_amounts)
{
	bool		negative = event->amount < 0;

	if (event->orders == 1 &&
		(!has_amounts || (event->valued_orders == 1 && !negative)))
	{
		to = put_gap(to, gap);
		return has_amounts ? put_amount(to, (UnsignedAmount) event->amount) : to;
	}

	to = put_bytes(to, EVENT_DETAILED, 1);
	to = put_gap(to, gap);
	if (!has_amounts)
		return put_varint(to, (uint64_t) event->orders);
	to = put_varint(to, (uint64_t) event->orders << 1 | (negative ? 1 : 0));
	to = put_varint(to, (uint64_t) (event->orders - event->valued_orders));
	return put_amount(to, negative ? -(UnsignedAmount) event->amount :
					  (UnsignedAmount) event->amount);
}

void
history_writer_open(HistoryWriter *writer, const HistoryHost *host,
					HistoryKeyType key_type, bool has_amounts,
					int scale, Day first_day, size_t lead)
{
	memset(writer, 0, sizeof(*writer));
	writer->host = host;
	writer->lead = lead;
	writer->header.key_type = key_type;
	writer->header.has_amounts = has_amounts;
	writer->header.scale = has_amounts ? scale : 0;
	writer->header.first_day = first_day;
	writer->header.last_day = first_day;
	writer->header.longest_key = key_type == HISTORY_KEY_BIGINT ? sizeof(int64_t) :
		key_type == HISTORY_KEY_UUID ? UUID_KEY_SIZE : 0;
	writer->number = INT64_MIN;
	writer->previous_number = INT64_MIN;
	reserve(writer, lead + HISTORY_HEADER_SIZE);
	writer->used = lead + HISTORY_HEADER_SIZE;
}

void
history_writer_expect(HistoryWriter *writer, size_t size)
{
	if (size > HISTORY_MAX_SIZE)
		size = HISTORY_MAX_SIZE;
	if (writer->capacity < size + writer->lead)
		(void) reserve(writer, size + writer->lead - writer->used);
}

/* Makes the key the previous one. */
static inline void
key_is_written(HistoryWriter *writer)
{
	uint8_t    *key = writer->key;
	size_t		capacity = writer->key_capacity;

	writer->previous_number = writer->number;
	if (writer->header.key_type == HISTORY_KEY_TEXT &&
		writer->key_size > writer->header.longest_key)
		writer->header.longest_key = writer->key_size;

	/* the two change places, so that their memory is used again */
	writer->key = writer->previous_key;
	writer->key_capacity = writer->previous_key_capacity;
	writer->previous_key = key;
	writer->previous_key_capacity = capacity;
	writer->previous_key_size = writer->key_size;
}

/* Writes the key and makes it the previous one. */
static HistoryError
write_key(HistoryWriter *writer)
{
	uint32_t	shared = 0;
	uint32_t	limit;
	uint8_t    *to;
	const uint8_t *key = writer->key;
	HistoryError error;

	if (writer->header.key_type == HISTORY_KEY_BIGINT)
	{
		error = reserve(writer, VARINT_MAX);
		if (error != HISTORY_OK)
			return error;
		to = put_varint(writer->data + writer->used,
						(uint64_t) writer->number - (uint64_t) writer->previous_number);
		writer->used = (size_t) (to - writer->data);
		key_is_written(writer);
		return HISTORY_OK;
	}

	limit = writer->key_size < writer->previous_key_size ?
		writer->key_size : writer->previous_key_size;
	while (shared < limit && key[shared] == writer->previous_key[shared])
		shared++;

	error = reserve(writer, 2 * VARINT_MAX + (size_t) (writer->key_size - shared));
	if (error != HISTORY_OK)
		return error;
	to = put_varint(writer->data + writer->used, shared);
	if (writer->header.key_type == HISTORY_KEY_TEXT)
		to = put_varint(to, writer->key_size - shared);
	if (writer->key_size > shared)
		memcpy(to, key + shared, writer->key_size - shared);
	writer->used = (size_t) (to - writer->data) + writer->key_size - shared;

	key_is_written(writer);
	return HISTORY_OK;
}

static inline void
customer_is_written(HistoryWriter *writer, size_t days)
{
	writer->header.customers++;
	writer->header.customer_days += (uint32_t) days;
	writer->has_previous = true;
}

static HistoryError
write_customer(HistoryWriter *writer)
{
	HistoryHeader *header = &writer->header;
	int64_t		previous = (int64_t) header->first_day - 1;
	size_t		done = 0;
	bool		buyer = false;
	HistoryError error;

	error = write_key(writer);
	if (error == HISTORY_OK)
		error = reserve(writer, VARINT_MAX);
	if (error != HISTORY_OK)
		return error;
	writer->used = (size_t) (put_varint(writer->data + writer->used, writer->day_count) -
							 writer->data);

	while (done < writer->day_count)
	{
		size_t		batch = writer->day_count - done;
		uint8_t    *to;

		if (batch > EVENT_BATCH)
			batch = EVENT_BATCH;
		if (done > 0)
			writer->host->check_cancel();
		error = reserve(writer, batch * EVENT_MAX);
		if (error != HISTORY_OK && batch > 1)
		{
			/* near the limit it may still fit, one by one */
			batch = 1;
			error = reserve(writer, EVENT_MAX);
		}
		if (error != HISTORY_OK)
			return error;

		to = writer->data + writer->used;
		for (const HistoryDay *event = writer->days + done; batch > 0; batch--, event++, done++)
		{
			to = put_event(to, event, (uint64_t) (event->day - previous - 1),
						   header->has_amounts);
			previous = event->day;

			if (__builtin_add_overflow(header->orders, event->orders, &header->orders))
				return HISTORY_COUNT_OVERFLOW;
			if (__builtin_add_overflow(header->amount, event->amount, &header->amount))
				return HISTORY_AMOUNT_OVERFLOW;
			if (event->orders > 0 && !buyer)
			{
				if (header->buyers == 0 || event->day < header->first_purchase)
					header->first_purchase = event->day;
				header->buyers++;
				buyer = true;
			}
		}
		writer->used = (size_t) (to - writer->data);
	}

	if (previous > header->last_day)
		header->last_day = (Day) previous;
	customer_is_written(writer, writer->day_count);
	writer->has_customer = false;
	writer->day_count = 0;
	return HISTORY_OK;
}

HistoryError
history_add_day(HistoryDay *a, const HistoryDay *b)
{
	if (__builtin_add_overflow(a->orders, b->orders, &a->orders))
		return HISTORY_COUNT_OVERFLOW;
	a->valued_orders += b->valued_orders;	/* never more than the orders */
	if (__builtin_add_overflow(a->amount, b->amount, &a->amount) ||
		a->amount < -AMOUNT_MAX)
		return HISTORY_AMOUNT_OVERFLOW;
	return HISTORY_OK;
}

static inline void
set_key(HistoryWriter *writer, const HistoryKey *key)
{
	if (writer->header.key_type == HISTORY_KEY_BIGINT)
		writer->number = key->number;
	else
	{
		grow(writer->host, (void **) &writer->key, &writer->key_capacity, key->size, 1);
		writer->key_size = key->size;
		if (key->size > 0)
			memcpy(writer->key, key->bytes, key->size);
	}
}

/* Makes room for another customer, and makes the key the current one. */
static HistoryError
begin_customer(HistoryWriter *writer, const HistoryKey *key)
{
	if (writer->has_customer)
	{
		HistoryError error = write_customer(writer);

		if (error != HISTORY_OK)
			return error;
	}
	set_key(writer, key);
	return HISTORY_OK;
}

HistoryError
history_writer_add_slow(HistoryWriter *writer, const HistoryKey *key, const HistoryDay *event)
{
	HistoryError error = begin_customer(writer, key);

	if (error != HISTORY_OK)
		return error;
	writer->has_customer = true;
	return history_writer_add_day_slow(writer, event);
}

HistoryError
history_writer_add_day_slow(HistoryWriter *writer, const HistoryDay *event)
{
	HistoryDay *latest = writer->day_count == 0 ? NULL : &writer->days[writer->day_count - 1];

	if (latest != NULL && latest->day == event->day)
		return history_add_day(latest, event);
	if (writer->day_count == writer->day_capacity)
	{
		/* an event takes at least a byte, so no more than this can be written */
		if (writer->day_count >= HISTORY_MAX_SIZE)
			return HISTORY_TOO_LARGE;
		grow(writer->host, (void **) &writer->days, &writer->day_capacity,
			 writer->day_count + 1, sizeof(HistoryDay));
	}
	writer->days[writer->day_count++] = *event;
	return HISTORY_OK;
}

HistoryError
history_writer_copy(HistoryWriter *writer, const HistoryKey *key,
					const HistoryStretch *stretches, int count)
{
	HistoryHeader *header = &writer->header;
	int64_t		previous = (int64_t) header->first_day - 1;
	uint64_t	days = 0;
	HistoryError error = begin_customer(writer, key);

	if (error == HISTORY_OK)
		error = write_key(writer);
	if (error == HISTORY_OK)
		error = reserve(writer, VARINT_MAX);
	if (error != HISTORY_OK)
		return error;
	for (int i = 0; i < count; i++)
		days += stretches[i].days;
	writer->used = (size_t) (put_varint(writer->data + writer->used, days) - writer->data);

	for (int i = 0; i < count; i++)
	{
		const HistoryStretch *stretch = &stretches[i];
		uint8_t		first[EVENT_MAX];
		size_t		size;

		/* only the first gap depends on what comes before */
		size = (size_t) (put_event(first, &stretch->first,
								   (uint64_t) (stretch->first.day - previous - 1),
								   header->has_amounts) - first);
		error = reserve(writer, size + stretch->rest_size);
		if (error != HISTORY_OK)
			return error;
		memcpy(writer->data + writer->used, first, size);
		memcpy(writer->data + writer->used + size, stretch->rest, stretch->rest_size);
		writer->used += size + stretch->rest_size;
		previous = stretch->last_day;
	}

	if (previous > header->last_day)
		header->last_day = (Day) previous;
	customer_is_written(writer, days);
	return HISTORY_OK;
}

static HistoryError
append_bytes(HistoryWriter *writer, const uint8_t *bytes, size_t size)
{
	HistoryError error = reserve(writer, size);

	if (error == HISTORY_OK && size > 0)
	{
		memcpy(writer->data + writer->used, bytes, size);
		writer->used += size;
	}
	return error;
}

HistoryError
history_writer_append(HistoryWriter *writer, HistoryReader *reader, int64_t last)
{
	HistoryError error = history_writer_flush(writer);

	if (error != HISTORY_OK)
		return error;
	/* only the first key depends on what comes before */
	if (!read_key(reader))
		return HISTORY_OK;
	writer->number = reader->key.number;
	error = write_key(writer);
	if (error == HISTORY_OK)
		error = append_bytes(writer, reader->at.next, (size_t) (reader->end - reader->at.next));
	writer->previous_number = last;
	writer->header.customers += reader->header.customers;
	writer->header.customer_days += reader->header.customer_days;
	writer->has_previous = true;
	return error;
}

bool
history_writer_copy_until(HistoryWriter *writer, HistoryReader *reader, const HistoryKey *limit,
						  HistoryError *error)
{
	HistoryKeyType key_type = writer->header.key_type;
	const uint8_t *start = reader->at.next;
	const uint8_t *end;
	bool		found;

	*error = HISTORY_OK;
	for (;;)
	{
		uint32_t	days;

		end = reader->at.next;
		if (reader->behind > 0 &&
			(size_t) (reader->end - end) < KEY_MARGIN + reader->header.longest_key)
		{
			/* another slice might come with the next key */
			*error = append_bytes(writer, start, (size_t) (end - start));
			next_slice(reader);
			move_quick_end(reader);
			start = end = reader->at.next;
			if (*error != HISTORY_OK ||
				(reader->behind > 0 &&
				 (size_t) (reader->end - end) < KEY_MARGIN + reader->header.longest_key))
				return history_next_customer(reader);
		}
		found = history_next_customer(reader);
		if (!found || end - start >= COPIED_AT_ONCE || !days_at_hand(reader) ||
			(limit != NULL && (key_type == HISTORY_KEY_BIGINT ? reader->key.number >= limit->number :
							   history_compare_keys(key_type, &reader->key, limit) >= 0)))
			break;

		set_key(writer, &reader->key);
		key_is_written(writer);
		days = reader->at.days_left;
		if (!history_skip_days(reader))
		{
			found = false;
			break;
		}
		customer_is_written(writer, days);
	}

	*error = append_bytes(writer, start, (size_t) (end - start));
	return found;
}

/* The event of a listed day. */
static HistoryDay
listed_day(ListedDay listed, const HistoryDay *others, bool has_amounts)
{
	HistoryDay	event;

	if (listed >> 31 & 1)
		return others[listed & INT32_MAX];
	event.day = (Day) ((uint32_t) (listed >> 32) ^ (uint32_t) 1 << 31);
	event.orders = 1;
	event.valued_orders = has_amounts ? 1 : 0;
	event.amount = (Amount) (listed & INT32_MAX);
	return event;
}

HistoryError
history_writer_add_days(HistoryWriter *writer, const HistoryKey *key,
						const ListedDay *list, size_t count, const HistoryDay *others)
{
	HistoryError error = HISTORY_OK;

	for (size_t i = 0; error == HISTORY_OK && i < count; i++)
	{
		HistoryDay	event = listed_day(list[i], others, writer->header.has_amounts);

		error = history_writer_add(writer, key, &event);
	}
	return error;
}

/* Writes a day that is several in the list, or no plain order; *list is then the day after. */
static __attribute__((noinline)) HistoryError
put_listed_event(uint8_t **to, const ListedDay **list, const ListedDay *end, uint32_t gap,
				 const HistoryDay *others, bool has_amounts)
{
	ListedDay	day = **list >> 32;
	HistoryDay	event = listed_day(*(*list)++, others, has_amounts);

	for (; *list < end && **list >> 32 == day; ++*list)
	{
		HistoryDay	more = listed_day(**list, others, has_amounts);
		HistoryError error = history_add_day(&event, &more);

		if (error != HISTORY_OK)
			return error;
	}
	*to = put_event(*to, &event, gap, has_amounts);
	return HISTORY_OK;
}

/* Writes listed days after the one before, *to being where. */
static inline __attribute__((always_inline)) HistoryError
put_listed(uint8_t **to, const ListedDay *list, const ListedDay *end, uint32_t previous,
		   const HistoryDay *others, const bool has_amounts)
{
	uint8_t    *at = *to;

	while (list < end)
	{
		ListedDay	listed = *list;
		uint32_t	day = (uint32_t) (listed >> 32);
		uint32_t	gap = day - previous - 1;

		previous = day;
		if ((listed >> 31 & 1) == 0 && (list + 1 == end || list[1] >> 32 != day))
		{
			list++;
			at = put_gap(at, gap);
			if (has_amounts)
				at = put_amount(at, listed & INT32_MAX);
		}
		else
		{
			HistoryError error;

			*to = at;
			error = put_listed_event(to, &list, end, gap, others, has_amounts);
			if (error != HISTORY_OK)
				return error;
			at = *to;
		}
	}
	*to = at;
	return HISTORY_OK;
}

HistoryError
history_writer_add_listed(HistoryWriter *writer, const HistoryKey *key,
						  const ListedDay *list, size_t count, const HistoryDay *others)
{
	HistoryHeader *header = &writer->header;
	/* as in the list; days are counted from the one before */
	uint32_t	previous = (uint32_t) (LISTED_DAY(header->first_day) >> 32) - 1;
	size_t		days = 1;
	size_t		room = 3 * VARINT_MAX + key->size + count * EVENT_MAX;
	uint8_t    *to;
	HistoryError error = begin_customer(writer, key);

	if (error == HISTORY_OK &&
		(count > LISTED_AT_ONCE || writer->used + room > HISTORY_MAX_SIZE + writer->lead))
	{
		/* near the limit it may still fit, one by one */
		return history_writer_add_days(writer, key, list, count, others);
	}
	if (error == HISTORY_OK)
		error = write_key(writer);
	if (error == HISTORY_OK)
		error = reserve(writer, room);
	if (error != HISTORY_OK)
		return error;
	for (size_t i = 1; i < count; i++)
		days += list[i] >> 32 != list[i - 1] >> 32;
	to = put_varint(writer->data + writer->used, days);
	error = header->has_amounts ? put_listed(&to, list, list + count, previous, others, true) :
		put_listed(&to, list, list + count, previous, others, false);
	if (error != HISTORY_OK)
		return error;
	writer->used = (size_t) (to - writer->data);
	customer_is_written(writer, days);
	return HISTORY_OK;
}

HistoryError
history_writer_flush(HistoryWriter *writer)
{
	return writer->has_customer ? write_customer(writer) : HISTORY_OK;
}

HistoryError
history_writer_take_back(HistoryWriter *writer, HistoryPlace *place)
{
	size_t		start = writer->lead + HISTORY_HEADER_SIZE;
	HistoryError error = history_writer_flush(writer);
	UnsignedAmount value;
	const uint8_t *p;

	/* so that his days can be read in line to the end */
	if (error == HISTORY_OK)
		error = reserve(writer, READ_MAX);
	if (error != HISTORY_OK)
		return error;
	memset(writer->data + writer->used, 0, READ_MAX);
	place->end = writer->data + writer->used + READ_MAX;
	place->behind = 0;
	place->number = writer->number;
	p = get_varint(writer->data + start, place->end, &value);
	place->at.next = get_varint(p, place->end, &value);
	place->at.days_left = (uint32_t) value;

	/* nor do the totals know of him */
	writer->used = start;
	writer->header.customers = writer->header.buyers = writer->header.customer_days = 0;
	writer->header.orders = 0;
	writer->header.amount = 0;
	return HISTORY_OK;
}

HistoryError
history_writer_finish(HistoryWriter *writer)
{
	HistoryError error = history_writer_flush(writer);

	write_header(&writer->header, writer->data + writer->lead);
	return error;
}

void
history_writer_close(HistoryWriter *writer)
{
	if (writer->key != NULL)
		writer->host->release(writer->key);
	if (writer->previous_key != NULL)
		writer->host->release(writer->previous_key);
	if (writer->days != NULL)
		writer->host->release(writer->days);
	writer->key = writer->previous_key = NULL;
	writer->days = NULL;
}

bool
amount_rescale(Amount *amount, int places)
{
	for (; places > 0; places--)
		if (__builtin_mul_overflow(*amount, (Amount) 10, amount))
			return false;
	return *amount >= -AMOUNT_MAX;
}

/* ---------- validating ---------- */

static const char *
check_event(const HistoryDay *event)
{
	if (event->orders == 0 && event->amount >= 0)
		return "a day without orders has no refund";
	if (event->orders > 0 && event->valued_orders == 0 && event->amount > 0)
		return "a day has money and no order of known amount";
	return NULL;
}

/*
 * Reads a customer, writes it again and compares; the header that results
 * at the end is compared likewise.  The writer's buffer holds one customer
 * at a time.
 */
const char *
history_validate(const uint8_t *data, size_t size, const HistoryHost *host,
				 bool (*check_key) (const uint8_t *bytes, uint32_t size))
{
	HistoryHeader header;
	HistoryReader reader;
	HistoryWriter writer;
	HistoryDay	event;
	const char *damage = history_read_header(data, size, &header);
	uint8_t    *key_buffer;
	bool		any_known = false;
	Day			first_day = DAY_LAST;
	uint64_t	steps = 0;

	if (damage != NULL)
		return damage;

	key_buffer = host->resize(NULL, (size_t) header.longest_key + 1);
	history_open(&reader, host, &header, data, size, key_buffer);
	history_writer_open(&writer, host, header.key_type, header.has_amounts,
						header.scale, header.first_day, 0);

	while (damage == NULL)
	{
		const uint8_t *start = reader.at.next;
		HistoryKey	previous;
		HistoryError error = HISTORY_OK;

		if (!history_next_customer(&reader))
			break;
		previous.number = writer.previous_number;
		previous.bytes = writer.previous_key;
		previous.size = writer.previous_key_size;
		if (writer.has_previous &&
			history_compare_keys(header.key_type, &previous, &reader.key) >= 0)
			damage = "its customers are not in ascending order";
		else if (header.key_type == HISTORY_KEY_TEXT && check_key != NULL &&
				 !check_key(reader.key.bytes, reader.key.size))
			damage = "a key is not valid text in this database's encoding";

		while (damage == NULL && error == HISTORY_OK && history_next_day(&reader, &event))
		{
			steps++;
			if ((reader.at.days_left & 0xffff) == 0xffff)
				host->check_cancel();
			damage = check_event(&event);
			any_known |= event_has_amount(&event);
			if (event.day < first_day)
				first_day = event.day;
			if (damage == NULL)
				error = history_writer_add(&writer, &reader.key, &event);
		}
		if (damage != NULL || reader.damage != NULL)
			break;

		/* long keys take their time */
		steps += 1 + reader.key.size / 16;
		if (steps >= HISTORY_CANCEL_STEPS)
		{
			host->check_cancel();
			steps = 0;
		}

		writer.used = HISTORY_HEADER_SIZE;
		if (error == HISTORY_OK)
			error = write_customer(&writer);
		if (error != HISTORY_OK)
			damage = "its totals overflow";
		else if (writer.used - HISTORY_HEADER_SIZE != (size_t) (reader.at.next - start) ||
				 memcmp(writer.data + HISTORY_HEADER_SIZE, start,
						(size_t) (reader.at.next - start)) != 0)
			damage = "a customer is not in canonical form";
	}

	if (damage == NULL)
		damage = reader.damage;
	if (damage == NULL && (first_day != header.first_day || any_known != header.has_amounts))
		damage = "its header does not describe its events";
	if (damage == NULL)
	{
		write_header(&writer.header, writer.data);
		if (memcmp(writer.data, data, HISTORY_HEADER_SIZE) != 0)
			damage = "its header does not describe its events";
	}

	history_writer_close(&writer);
	host->release(writer.data);
	host->release(key_buffer);
	return damage;
}
