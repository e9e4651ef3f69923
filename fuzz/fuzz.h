/*
 * fuzz.h
 *	  What the harnesses share: plain values out of the fuzzer's bytes, and how
 *	  to say that something does not hold.
 *
 * Every value is made from the bytes in order; where they end, zeros follow,
 * so that any input is a complete one.
 */
#ifndef LOYALTY_FUZZ_H
#define LOYALTY_FUZZ_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What has to hold; the fuzzer keeps the input of an abort. */
#define HOLDS(condition) \
	do { \
		if (!(condition)) \
		{ \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

/* The same, and the numbers it is about. */
#define HOLDS_OF(condition, numbers, count) \
	do { \
		if (!(condition)) \
		{ \
			for (int number = 0; number < (count); number++) \
				fprintf(stderr, "%.17g ", (numbers)[number]); \
			HOLDS(condition); \
		} \
	} while (0)

typedef struct Input
{
	const uint8_t *next;
	const uint8_t *end;
} Input;

static inline Input
input_of(const uint8_t *data, size_t size)
{
	return (Input) {data, data + size};
}

static inline bool
input_ended(const Input *input)
{
	return input->next == input->end;
}

static inline uint64_t
take_bytes(Input *input, int count)
{
	uint64_t	value = 0;

	for (int i = 0; i < count; i++)
		if (input->next < input->end)
			value |= (uint64_t) *input->next++ << 8 * i;
	return value;
}

/* 0 to limit - 1 */
static inline int
take_choice(Input *input, int limit)
{
	return (int) (take_bytes(input, 1) % (uint64_t) limit);
}

/* Any bits: also NaN and infinities. */
static inline double
take_double(Input *input)
{
	uint64_t	bits = take_bytes(input, 8);
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* From 2^-16 to nearly 2^16 times "around", in two bytes: small inputs are soon rich ones. */
static inline double
take_positive(Input *input, double around)
{
	return around * exp2(((double) take_bytes(input, 2) - 32768.0) / 2048.0);
}

/* A whole number from 0 to limit; small ones more often. */
static inline double
take_whole(Input *input, double limit)
{
	double		share = (double) take_bytes(input, 2) / 65535.0;

	return floor(expm1(share * log1p(limit)) + 0.5);
}

#endif							/* LOYALTY_FUZZ_H */
