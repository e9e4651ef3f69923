/*
 * amount.c
 *	  numeric to and from exact integers of a scale.
 *
 * A numeric's digits are read from its own layout: through the server's
 * functions an amount would cost more than the rest of its row.  The layout
 * is the one on disk since 9.1 and so will not change; still, a backend
 * checks it against numeric's own output once and, should it differ, reads
 * amounts as text from then on.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/numeric.h"

#include "amount.h"
#include "compat.h"

/* The layout: a header of one or two uint16, then int16 digits base 10^4. */
#define HEADER_KIND(header)		((header) & 0xC000)
#define HEADER_NEGATIVE			0x4000
#define HEADER_SHORT			0x8000
#define HEADER_SPECIAL			0xC000
#define SHORT_NEGATIVE			0x2000
#define SHORT_SCALE(header)		(((header) & 0x1F80) >> 7)
#define SHORT_WEIGHT(header)	(((int) ((header) & 0x7F) ^ 0x40) - 0x40)
#define LONG_SCALE(header)		((header) & 0x3FFF)
#define SHORT_SCALE_SHIFT		7
#define SHORT_WEIGHT_MASK		0x7F
#define DIGIT_BASE				10000
#define DIGIT_DECIMALS			4

/* Digits of the largest amount: 39 decimals, cut anywhere. */
#define AMOUNT_MAX_DIGITS		11

static const int64 powers_of_ten[] = {
	1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000,
	1000000000, INT64CONST(10000000000), INT64CONST(100000000000),
	INT64CONST(1000000000000), INT64CONST(10000000000000),
	INT64CONST(100000000000000), INT64CONST(1000000000000000),
	INT64CONST(10000000000000000), INT64CONST(100000000000000000),
	INT64CONST(1000000000000000000)
};

static void
raise_not_finite(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("amount must be a finite number, not %s", what),
			 errhint("Leave such rows out with FILTER, or use NULL for an order of unknown amount.")));
}

static void
raise_scale(int scale)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("amount has %d decimals", scale),
			 errdetail("Amounts may have up to %d decimals.", HISTORY_MAX_SCALE),
			 errhint("Round it, for example round(amount, 2).")));
}

static void
raise_range(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("amount is out of range"),
			 errdetail("An amount must be below 1.7e38 in units of its last decimal."),
			 errhint("Round it, for example round(amount, 2).")));
}

/* amount * factor + addend; the factor is a power of ten. */
static inline void
shift_in(Amount *amount, int64 factor, int64 addend)
{
	if (__builtin_mul_overflow(*amount, (Amount) factor, amount) ||
		__builtin_add_overflow(*amount, (Amount) addend, amount))
		raise_range();
}

static void
read_layout(const char *data, Size size, Amount *amount, int *scale)
{
	uint16		header;
	bool		negative;
	int			weight;
	int			digit_count;
	int			digits_wanted;
	int			excess;
	Amount		value = 0;

	memcpy(&header, data, sizeof(uint16));
	if (HEADER_KIND(header) == HEADER_SPECIAL)
		raise_not_finite((header & 0xF000) == 0xC000 ? "NaN" :
						 (header & 0xF000) == 0xD000 ? "infinity" : "-infinity");
	if (HEADER_KIND(header) == HEADER_SHORT)
	{
		negative = (header & SHORT_NEGATIVE) != 0;
		*scale = SHORT_SCALE(header);
		weight = SHORT_WEIGHT(header);
		data += sizeof(uint16);
		size -= sizeof(uint16);
	}
	else
	{
		int16		long_weight;

		negative = (header & HEADER_NEGATIVE) != 0;
		*scale = LONG_SCALE(header);
		memcpy(&long_weight, data + sizeof(uint16), sizeof(int16));
		weight = long_weight;
		data += 2 * sizeof(uint16);
		size -= 2 * sizeof(uint16);
	}
	if (*scale > HISTORY_MAX_SCALE)
		raise_scale(*scale);

	/* digits before the point, then those that hold the decimals shown */
	digit_count = (int) (size / sizeof(int16));
	digits_wanted = weight + 1 + (*scale + DIGIT_DECIMALS - 1) / DIGIT_DECIMALS;
	excess = (DIGIT_DECIMALS - *scale % DIGIT_DECIMALS) % DIGIT_DECIMALS;
	for (int i = 0; i < digits_wanted && !(i >= digit_count && value == 0); i++)
	{
		int16		digit = 0;

		if (i < digit_count)
			memcpy(&digit, data + i * sizeof(int16), sizeof(int16));
		if (i == digits_wanted - 1 && excess > 0)
			shift_in(&value, powers_of_ten[DIGIT_DECIMALS - excess],
					 digit / powers_of_ten[excess]);
		else
			shift_in(&value, DIGIT_BASE, digit);
	}
	*amount = negative ? -value : value;
}

StaticAssertDecl(sizeof(NumericRoom) == VARHDRSZ + sizeof(uint16) + AMOUNT_MAX_DIGITS * sizeof(int16),
				 "NumericRoom holds the longest amount");

static struct varlena *
write_layout(NumericRoom *room, Amount amount, int scale)
{
	UnsignedAmount magnitude = amount < 0 ? -(UnsignedAmount) amount : (UnsignedAmount) amount;
	int			fraction_digits = (scale + DIGIT_DECIMALS - 1) / DIGIT_DECIMALS;
	int			excess = fraction_digits * DIGIT_DECIMALS - scale;
	int64		last_base = powers_of_ten[DIGIT_DECIMALS - excess];
	int16		digits[AMOUNT_MAX_DIGITS];
	int16	   *end = digits + AMOUNT_MAX_DIGITS;
	int16	   *first = end;
	uint64		rest;
	int			weight;
	uint16		header;
	Size		size;
	struct varlena *value = (struct varlena *) room;

	/* the last digit may lack decimals; dividing 128 bits is slow */
	if (magnitude <= PG_UINT64_MAX)
	{
		rest = (uint64) magnitude;
		*--first = (int16) (rest % last_base * powers_of_ten[excess]);
		rest /= last_base;
	}
	else
	{
		*--first = (int16) ((int64) (magnitude % last_base) * powers_of_ten[excess]);
		magnitude /= last_base;
		while (magnitude > PG_UINT64_MAX)
		{
			*--first = (int16) (magnitude % DIGIT_BASE);
			magnitude /= DIGIT_BASE;
		}
		rest = (uint64) magnitude;
	}
	for (; rest > 0; rest /= DIGIT_BASE)
		*--first = (int16) (rest % DIGIT_BASE);

	weight = (int) (end - first) - fraction_digits - 1;
	while (end > first && end[-1] == 0)
		end--;
	if (end == first)
		weight = 0;

	header = HEADER_SHORT | (amount < 0 ? SHORT_NEGATIVE : 0) |
		scale << SHORT_SCALE_SHIFT | (weight & SHORT_WEIGHT_MASK);
	size = VARHDRSZ + sizeof(uint16) + (end - first) * sizeof(int16);
	SET_VARSIZE(value, size);
	memcpy(VARDATA(value), &header, sizeof(uint16));
	memcpy(VARDATA(value) + sizeof(uint16), first, (end - first) * sizeof(int16));
	return value;
}

/* Through numeric's own output. */
static void
read_text(Datum numeric, Amount *amount, int *scale)
{
	char	   *text = DatumGetCString(DirectFunctionCall1(numeric_out, numeric));
	const char *c = text;
	bool		negative = *c == '-';
	Amount		value = 0;

	if (negative)
		c++;
	if (*c < '0' || *c > '9')
		raise_not_finite(*c == 'N' ? "NaN" : negative ? "-infinity" : "infinity");
	*scale = 0;
	for (; *c != '\0'; c++)
	{
		if (*c == '.')
		{
			*scale = (int) strlen(c + 1);
			if (*scale > HISTORY_MAX_SCALE)
				raise_scale(*scale);
		}
		else
			shift_in(&value, 10, *c - '0');
	}
	*amount = negative ? -value : value;
	pfree(text);
}

static bool
layout_is_known(void)
{
	static const char *const samples[] = {
		"0", "0.00", "-0.01", "1234.5678", "-98765432109876.54", "10000", "0.00000001",
		"-12345678901234567890123.40"
	};

	for (int i = 0; i < lengthof(samples); i++)
	{
		Datum		numeric = DirectFunctionCall3(numeric_in, CStringGetDatum(samples[i]),
												  ObjectIdGetDatum(InvalidOid),
												  Int32GetDatum(-1));
		struct varlena *value = (struct varlena *) DatumGetPointer(numeric);
		Amount		by_layout;
		Amount		by_text;
		int			scale_by_layout;
		int			scale_by_text;
		NumericRoom room;
		struct varlena *written;

		read_layout(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), &by_layout, &scale_by_layout);
		read_text(numeric, &by_text, &scale_by_text);
		if (by_layout != by_text || scale_by_layout != scale_by_text)
			return false;
		written = write_layout(&room, by_text, scale_by_text);
		if (VARSIZE(written) != VARSIZE(value) || memcmp(written, value, VARSIZE(value)) != 0)
			return false;
	}
	return true;
}

static inline bool
may_use_layout(void)
{
	static int	known = -1;		/* not asked yet */

	if (unlikely(known < 0))
		known = layout_is_known();
	return known;
}

void
amount_of_numeric(Datum numeric, Amount *amount, int *scale)
{
	struct varlena *value = pg_detoast_datum_packed((struct varlena *) DatumGetPointer(numeric));

	if (likely(may_use_layout()) && VARSIZE_ANY_EXHDR(value) >= sizeof(uint16))
		read_layout(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), amount, scale);
	else
		read_text(numeric, amount, scale);
}

/* Through numeric's own input. */
static Datum
write_text(Amount amount, int scale)
{
	bool		negative = amount < 0;
	UnsignedAmount magnitude = negative ? -(UnsignedAmount) amount : (UnsignedAmount) amount;
	char		text[64];
	char	   *c = text + sizeof(text);

	*--c = '\0';
	for (int place = 0; magnitude > 0 || place <= scale; place++)
	{
		if (place == scale && scale > 0)
			*--c = '.';
		*--c = (char) ('0' + (int) (magnitude % 10));
		magnitude /= 10;
	}
	if (negative)
		*--c = '-';
	return DirectFunctionCall3(numeric_in, CStringGetDatum(c),
							   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

Datum
numeric_of_amount_in(NumericRoom *room, Amount amount, int scale)
{
	if (unlikely(!may_use_layout()))
		return write_text(amount, scale);
	return PointerGetDatum(write_layout(room, amount, scale));
}

Datum
numeric_of_amount(Amount amount, int scale)
{
	return numeric_of_amount_in(palloc(sizeof(NumericRoom)), amount, scale);
}

Datum
numeric_of_mean(Amount amount, int scale, int64 count)
{
	return DirectFunctionCall2(numeric_div, numeric_of_amount(amount, scale),
							   NumericGetDatum(int64_to_numeric(count)));
}
