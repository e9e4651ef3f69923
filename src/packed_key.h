/*
 * packed_key.h
 *	  Keys of text and uuid as two numbers that sort like their bytes.
 *
 * Plain C: no PostgreSQL in it.  A uuid is 16 bytes, and so is one that is
 * written as text in its canonical form: 36 characters, small letters.  Other
 * text of up to 15 bytes is padded with zeros and followed by its size.  The
 * numbers of the two forms do not compare with each other.
 */
#ifndef LOYALTY_PACKED_KEY_H
#define LOYALTY_PACKED_KEY_H

#include <string.h>

#include "history_format.h"

#define SHORT_KEY_MAX		15
#define UUID_TEXT_SIZE		36

typedef struct PackedKey
{
	uint64_t	first;			/* eight bytes, the first one highest */
	uint64_t	rest;
} PackedKey;

typedef enum KeyPacking
{
	PACKED_UUID,				/* keys of type uuid */
	PACKED_UUID_TEXT,
	PACKED_SHORT_TEXT
} KeyPacking;

static inline uint64_t
get_big_endian(const uint8_t *bytes)
{
	uint64_t	word;

	memcpy(&word, bytes, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

/*
 * The number that eight hexadecimal digits write, the first one in the
 * highest byte.  "bad" gets bits set where one is no digit or a capital.
 */
static inline uint32_t
hex_number(uint64_t digits, uint64_t *bad)
{
	const uint64_t ones = 0x0101010101010101;
	uint64_t	values = (digits & 0x0f * ones) + 9 * (digits >> 6 & ones);
	uint64_t	letters = (values + 6 * ones) >> 4 & ones;

	/* as they would be written */
	*bad |= digits ^ (values + '0' * ones + letters * ('a' - 10 - '0'));
	*bad |= values & 0xf0 * ones;
	values = (values | values >> 4) & 0x00ff00ff00ff00ff;
	values = (values | values >> 8) & 0x0000ffff0000ffff;
	return (uint32_t) (values | values >> 16);
}

/* false: the key has not got this form */
static inline bool
pack_key(KeyPacking packing, const uint8_t *key, uint32_t size, PackedKey *packed)
{
	uint8_t		padded[UUID_KEY_SIZE] = {0};
	uint64_t	bad = 0;

	switch (packing)
	{
		case PACKED_UUID:
			break;

		case PACKED_UUID_TEXT:
			if (size != UUID_TEXT_SIZE ||
				key[8] != '-' || key[13] != '-' || key[18] != '-' || key[23] != '-')
				return false;
			packed->first = (uint64_t) hex_number(get_big_endian(key), &bad) << 32 |
				hex_number((get_big_endian(key + 9) >> 32) << 32 |
						   get_big_endian(key + 14) >> 32, &bad);
			packed->rest = (uint64_t) hex_number((get_big_endian(key + 19) >> 32) << 32 |
												 get_big_endian(key + 24) >> 32, &bad) << 32 |
				hex_number(get_big_endian(key + 28), &bad);
			return bad == 0;

		case PACKED_SHORT_TEXT:
			if (size > SHORT_KEY_MAX)
				return false;
			if (size > 0)
				memcpy(padded, key, size);
			padded[SHORT_KEY_MAX] = (uint8_t) size;
			key = padded;
			break;
	}
	packed->first = get_big_endian(key);
	packed->rest = get_big_endian(key + 8);
	return true;
}

/* The bytes of the key, at most UUID_TEXT_SIZE, and their number. */
extern uint32_t unpack_key(KeyPacking packing, const PackedKey *packed, uint8_t *key);

#endif							/* LOYALTY_PACKED_KEY_H */
