/*
 * test_history_sort.c
 *	  Tests of src/history_sort.c against qsort(), and of src/packed_key.c
 *	  against comparing bytes.
 *
 * From the top folder:
 *	  cc -O2 -Wall -Wextra -Isrc -o test_history_sort test/unit/test_history_sort.c \
 *		  src/history_sort.c src/packed_key.c
 * Prints TAP; exits with 1 if a test failed.  All rows are random; the seed is
 * printed, and LOYALTY_SEED=... repeats it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "history_sort.h"
#include "packed_key.h"
#include "random.h"
#include "tap.h"

static void
never_cancelled(void)
{
}

/* ---------- sorting ---------- */

static size_t width;

static int
compare_rows(const void *a, const void *b)
{
	const HistoryRow *x = a;
	const HistoryRow *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (row_key_rest(x, width) != row_key_rest(y, width))
		return row_key_rest(x, width) < row_key_rest(y, width) ? -1 : 1;
	return (ROW_DAY(x) > ROW_DAY(y)) - (ROW_DAY(x) < ROW_DAY(y));
}

/* The whole row, so that none is lost and none is there twice. */
static int
compare_all(const void *a, const void *b)
{
	int			order = compare_rows(a, b);

	return order != 0 ? order : memcmp(a, b, width);
}

typedef enum Keys
{
	DENSE,
	SPARSE,
	POWERS,
	ONE,
	LARGEST
} Keys;

static uint64_t
random_key(Keys keys, size_t count)
{
	switch (keys)
	{
		case DENSE:
			return random_number() % (1 + count / 4);
		case SPARSE:
			return random_number();
		case POWERS:
			return (uint64_t) 1 << random_number() % 64;
		case LARGEST:
			return UINT64_MAX - random_number() % 3;
		case ONE:
			break;
	}
	return 7;
}

/* seen: through sort_seen_rows */
static bool
sorts(size_t count, Keys keys, uint32_t days, bool in_order_of_time, bool seen)
{
	RowsSeen	rows_seen = NO_ROWS_SEEN;
	char	   *rows = malloc(count * width + 1);
	char	   *wanted = malloc(count * width + 1);
	char	   *scratch = malloc(count * width + 1);
	bool		same = true;

	memset(rows, 0, count * width);
	for (size_t i = 0; i < count; i++)
	{
		HistoryRow *row = ROW_AT(rows, i, width);

		row->key = random_key(keys, count);
		if (width == sizeof(LongKeyRow))
			((LongKeyRow *) row)->key_rest = random_key((Keys) (random_number() % 5), 8);
		row->day = in_order_of_time ? (uint32_t) (i * days / (count + 1)) :
			(uint32_t) (random_number() % days);
		see_key(&rows_seen, row->key);
		see_day(&rows_seen, row->day);
		if (random_number() % 7 == 0)
			row->day |= ROW_WIDE;
		row->amount = (int32_t) i;
	}
	memcpy(wanted, rows, count * width);
	qsort(wanted, count, width, compare_all);

	if (seen)
		sort_seen_rows((HistoryRow *) rows, (HistoryRow *) scratch, count, &rows_seen, never_cancelled);
	else
		sort_rows(rows, scratch, count, width, never_cancelled);
	for (size_t i = 1; i < count; i++)
		same &= compare_rows(ROW_AT(rows, i - 1, width), ROW_AT(rows, i, width)) <= 0;
	qsort(rows, count, width, compare_all);
	same &= memcmp(rows, wanted, count * width) == 0;
	free(rows);
	free(wanted);
	free(scratch);
	return same;
}

static void
test_sorting(void)
{
	static const size_t widths[] = {sizeof(HistoryRow), sizeof(LongKeyRow), sizeof(HistoryRow)};
	static const uint32_t days[] = {1, 7, 1100, 8192, 8193, 2147483493};
	static const char *const names[] = {"dense", "sparse", "powers of two", "equal", "largest"};
	char		name[100];

	for (int w = 0; w < 3; w++)
		for (int keys = DENSE; keys <= LARGEST; keys++)
		{
			bool		passed = true;

			width = widths[w];
			for (int d = 0; d < 6; d++)
				for (int i = 0; i < 60; i++)
				{
					size_t		count = i < 30 ? (size_t) i : random_number() % (i % 10 == 0 ? 50000 : 400);

					passed &= sorts(count, (Keys) keys, days[d], i % 2 == 0, w == 2);
				}
			snprintf(name, sizeof(name), "rows of %zu bytes, %s keys, are sorted%s", width, names[keys],
					 w == 2 ? " by what was seen" : "");
			ok(passed, name);
		}
}

/* ---------- packed keys ---------- */

typedef struct Key
{
	uint8_t		bytes[64];
	uint32_t	size;
} Key;

static int
sign(int number)
{
	return (number > 0) - (number < 0);
}

static int
compare_keys(const Key *a, const Key *b)
{
	int			order = sign(memcmp(a->bytes, b->bytes, a->size < b->size ? a->size : b->size));

	return order != 0 ? order : (a->size > b->size) - (a->size < b->size);
}

static int
compare_packed(const PackedKey *a, const PackedKey *b)
{
	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return (a->rest > b->rest) - (a->rest < b->rest);
}

/* A key that has the form; few different bytes, so that many share a beginning. */
static Key
random_packable(KeyPacking packing)
{
	static const uint8_t few[] = {0, 1, 'a', 'b', 0x7f, 0x80, 0xff, '-'};
	static const char digits[] = "0123456789abcdef";
	Key			key = {0};

	switch (packing)
	{
		case PACKED_UUID:
			key.size = 16;
			break;
		case PACKED_UUID_TEXT:
			key.size = 36;
			for (int i = 0; i < 36; i++)
				key.bytes[i] = i == 8 || i == 13 || i == 18 || i == 23 ? '-' :
					(uint8_t) digits[random_number() % (random_number() % 2 ? 16 : 2)];
			return key;
		case PACKED_SHORT_TEXT:
			key.size = (uint32_t) (random_number() % 16);
			break;
	}
	for (uint32_t i = 0; i < key.size; i++)
		key.bytes[i] = few[random_number() % (random_number() % 4 ? 2 : 8)];
	return key;
}

static void
test_packing(void)
{
	static const char *const names[] = {"uuid", "text of a uuid", "short text"};
	char		name[100];

	for (int packing = PACKED_UUID; packing <= PACKED_SHORT_TEXT; packing++)
	{
		bool		comes_back = true;
		bool		same_order = true;

		for (int i = 0; i < 200000; i++)
		{
			Key			a = random_packable(packing);
			Key			b = random_packable(packing);
			PackedKey	packed_a = {0};
			PackedKey	packed_b = {0};
			uint8_t		back[UUID_TEXT_SIZE];

			comes_back &= pack_key(packing, a.bytes, a.size, &packed_a) &&
				pack_key(packing, b.bytes, b.size, &packed_b) &&
				unpack_key(packing, &packed_a, back) == a.size && memcmp(back, a.bytes, a.size) == 0;
			same_order &= compare_packed(&packed_a, &packed_b) == compare_keys(&a, &b);
		}
		snprintf(name, sizeof(name), "%s: packed and unpacked", names[packing]);
		ok(comes_back, name);
		snprintf(name, sizeof(name), "%s: packed keys sort like their bytes", names[packing]);
		ok(same_order, name);
	}
}

/* Every byte that no canonical uuid has, in every place. */
static void
test_refusals(void)
{
	bool		refused = true;
	PackedKey	packed = {0};
	Key			key = random_packable(PACKED_UUID_TEXT);

	for (int i = 0; i < 36; i++)
		for (int byte = 0; byte < 256; byte++)
		{
			Key			other = key;
			bool		dash = i == 8 || i == 13 || i == 18 || i == 23;
			bool		digit = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f');

			other.bytes[i] = (uint8_t) byte;
			refused &= pack_key(PACKED_UUID_TEXT, other.bytes, other.size, &packed) ==
				(dash ? byte == '-' : digit);
		}
	ok(refused, "text with a capital or any other byte is no canonical uuid");
	ok(!pack_key(PACKED_UUID_TEXT, key.bytes, 35, &packed) &&
	   !pack_key(PACKED_UUID_TEXT, key.bytes, 37, &packed), "nor is text of another size");
	ok(pack_key(PACKED_SHORT_TEXT, key.bytes, 15, &packed) &&
	   !pack_key(PACKED_SHORT_TEXT, key.bytes, 16, &packed), "short text has up to 15 bytes");
}

int
main(void)
{
	seed_random("test_history_sort");
	test_sorting();
	test_packing();
	test_refusals();
	return finish();
}
