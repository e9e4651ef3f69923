/*
 * packed_key.c
 *	  From the two numbers of a packed key back to its bytes.
 */
#include "packed_key.h"

static void
put_big_endian(uint8_t *bytes, uint64_t word)
{
	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t) (word >> (56 - 8 * i));
}

uint32_t
unpack_key(KeyPacking packing, const PackedKey *packed, uint8_t *key)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t		bytes[UUID_KEY_SIZE];
	uint8_t    *to = key;

	put_big_endian(bytes, packed->first);
	put_big_endian(bytes + 8, packed->rest);
	switch (packing)
	{
		case PACKED_UUID:
			memcpy(key, bytes, UUID_KEY_SIZE);
			return UUID_KEY_SIZE;

		case PACKED_UUID_TEXT:
			for (int i = 0; i < UUID_KEY_SIZE; i++)
			{
				if (i == 4 || i == 6 || i == 8 || i == 10)
					*to++ = '-';
				*to++ = (uint8_t) digits[bytes[i] >> 4];
				*to++ = (uint8_t) digits[bytes[i] & 15];
			}
			return UUID_TEXT_SIZE;

		case PACKED_SHORT_TEXT:
			memcpy(key, bytes, bytes[SHORT_KEY_MAX]);
			return bytes[SHORT_KEY_MAX];
	}
	return 0;
}
