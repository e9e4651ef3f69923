/*
 * tap.h
 *	  What every unit test needs: assertions that are printed as TAP.
 *
 * A test program calls ok() and is_number(), then returns finish(), which is
 * 1 if one of them failed.
 */
#ifndef LOYALTY_TAP_H
#define LOYALTY_TAP_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

static int	tests = 0;
static int	failures = 0;

static inline void
ok(bool passed, const char *name)
{
	tests++;
	if (!passed)
		failures++;
	printf("%s %d - %s\n", passed ? "ok" : "not ok", tests, name);
}

static inline void
is_number(int64_t got, int64_t wanted, const char *name)
{
	ok(got == wanted, name);
	if (got != wanted)
		printf("# got %" PRId64 ", wanted %" PRId64 "\n", got, wanted);
}

static inline int
finish(void)
{
	printf("1..%d\n", tests);
	return failures > 0;
}

#endif							/* LOYALTY_TAP_H */
