/*
 * random.h
 *	  Random numbers for unit tests.
 */
#ifndef LOYALTY_RANDOM_H
#define LOYALTY_RANDOM_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t random_state;

/* Another seed every time, which is printed; LOYALTY_SEED=... repeats one. */
static inline void
seed_random(const char *test)
{
	const char *seed = getenv("LOYALTY_SEED");

	random_state = seed != NULL ? strtoull(seed, NULL, 10) : (uint64_t) time(NULL);
	printf("# %s: seed %" PRIu64 "\n", test, random_state);
}

/* Splitmix64 (Steele, Lea and Flood 2014). */
static inline uint64_t
random_number(void)
{
	uint64_t	x = (random_state += 0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

#endif							/* LOYALTY_RANDOM_H */
