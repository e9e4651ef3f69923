/*
 * test_maximise.c
 *	  Tests of src/maximise.c on functions whose maximum is known.
 *
 * From the top folder:
 *	  cc -O2 -Wall -Wextra -Isrc -o test_maximise test/unit/test_maximise.c src/maximise.c -lm
 * Prints TAP; exits with 1 if a test failed.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "maximise.h"
#include "tap.h"

/* equal to within a share of the wanted value */
static void
close_to(double got, double wanted, double tolerance, const char *name)
{
	bool		passed = fabs(got - wanted) <= fabs(wanted) * tolerance;	/* NaN is not close */

	ok(passed, name);
	if (!passed)
		printf("# got %.17g, wanted %.17g\n", got, wanted);
}

/*
 * What is maximised, as a function of y = ln parameters and its gradient by
 * y; the frame below turns it into a LogLikelihood and counts the calls.
 */
typedef double (*Landscape) (const double *y, double *slope);

typedef struct World
{
	Landscape	landscape;
	int			parameters;
	double		weight;
	int			calls;
} World;

static double
log_likelihood(void *data, const double *parameters, double *gradient)
{
	World	   *world = data;
	double		y[MAX_PARAMETERS];
	double		slope[MAX_PARAMETERS];
	double		value;

	world->calls++;
	for (int i = 0; i < world->parameters; i++)
		y[i] = log(parameters[i]);
	value = world->landscape(y, slope);
	for (int i = 0; gradient && i < world->parameters; i++)
		gradient[i] = world->weight * slope[i] / parameters[i];
	return world->weight * value;
}

static Maximum
maximum_of(Landscape landscape, int parameters, const double *start, double penalty)
{
	World		world = {landscape, parameters, 1000.0, 0};
	MaximisationTask task = {
		.parameters = parameters,
		.unit = {1, 1, 1, 1},
		.weight = world.weight,
		.penalty = penalty,
		.log_likelihood = log_likelihood,
		.data = &world,
	};
	Maximum		maximum;

	for (int i = 0; i < parameters; i++)
		task.start[i] = start[i];
	maximise(&task, &maximum);
	if (world.calls > 200 * (1 + 2 * parameters) + 20)
	{
		printf("# %d calls\n", world.calls);
		maximum.result = (MaximisationResult) -1;
	}
	return maximum;
}

static const double ones[MAX_PARAMETERS] = {1, 1, 1, 1};

/* ---------- maxima within ---------- */

/* -(y - c)' A (y - c) / 2, c = (1, -2, 3, 0.5), whose A has the inverse below. */
static double
quadratic(const double *y, double *slope)
{
	static const double matrix[4][4] = {{4, 1, 0, 0}, {1, 3, 1, 0}, {0, 1, 2, 0}, {0, 0, 0, 1e-3}};
	static const double centre[4] = {1, -2, 3, 0.5};
	double		value = 0.0;

	for (int i = 0; i < 4; i++)
	{
		slope[i] = 0.0;
		for (int j = 0; j < 4; j++)
			slope[i] -= matrix[i][j] * (y[j] - centre[j]);
		value += slope[i] * (y[i] - centre[i]) / 2;
	}
	return value;
}

static void
test_quadratic(void)
{
	/* of 4 1 0 / 1 3 1 / 0 1 2, whose determinant is 18 */
	static const double inverse[4] = {5.0 / 18, 8.0 / 18, 11.0 / 18, 1000};
	static const double centre[4] = {1, -2, 3, 0.5};
	Maximum		maximum = maximum_of(quadratic, 4, ones, 0);
	bool		same = true;

	ok(maximum.result == MAXIMISED && maximum.bound == 0, "quadratic: maximised");
	for (int i = 0; i < 4; i++)
	{
		close_to(maximum.parameters[i], exp(centre[i]), 1e-8, "its parameter");
		close_to(maximum.standard_errors[i], exp(centre[i]) * sqrt(inverse[i] / 1000), 1e-7, "its standard error");
	}
	ok(fabs(maximum.log_likelihood) < 1e-9, "its value");
	ok(maximum.iterations < 12, "within a few steps");

	for (int corner = 0; corner < 16; corner++)
	{
		double		start[4];

		for (int i = 0; i < 4; i++)
			start[i] = corner & 1 << i ? 1e9 : 1e-9;
		maximum = maximum_of(quadratic, 4, start, 0);
		same = same && maximum.result == MAXIMISED;
		for (int i = 0; i < 4; i++)
			same = same && fabs(log(maximum.parameters[i]) - centre[i]) < 1e-6;
	}
	ok(same, "from all corners of the box, where starts beyond it are moved to");
}

/* Rosenbrock's valley, with its maximum at (1, 1). */
static double
valley(const double *y, double *slope)
{
	double		off = y[1] - y[0] * y[0];

	slope[0] = 400 * off * y[0] + 2 * (1 - y[0]);
	slope[1] = -200 * off;
	return -100 * off * off - (1 - y[0]) * (1 - y[0]);
}

/* Flat far away, with a curvature of the wrong sign. */
static double
hill(const double *y, double *slope)
{
	double		square = (y[0] - 1) * (y[0] - 1) + 4 * (y[1] + 1) * (y[1] + 1);

	slope[0] = -2 * (y[0] - 1) / ((1 + square) * (1 + square));
	slope[1] = -8 * (y[1] + 1) / ((1 + square) * (1 + square));
	return 1 / (1 + square);
}

/* Starts at a saddle but for a trace: up along y1, down along y0. */
static double
saddle(const double *y, double *slope)
{
	slope[0] = -2 * y[0];
	slope[1] = 2 * y[1] - 4 * y[1] * y[1] * y[1];
	return -y[0] * y[0] + y[1] * y[1] - y[1] * y[1] * y[1] * y[1];
}

/* An edge that is a corner for all that a second derivative sees. */
static double
edge(const double *y, double *slope)
{
	double		root = sqrt(y[0] * y[0] + 1e-6);

	slope[0] = -y[0] / root;
	return -root;
}

static void
test_nasty(void)
{
	double		far[2] = {exp(-5), exp(8)};
	double		beside[2] = {1, exp(1e-7)};
	double		ten = exp(10);
	Maximum		maximum = maximum_of(valley, 2, far, 0);

	ok(maximum.result == MAXIMISED, "valley");
	close_to(maximum.parameters[0], exp(1), 1e-6, "its first parameter");
	close_to(maximum.parameters[1], exp(1), 1e-6, "its second parameter");

	maximum = maximum_of(hill, 2, far, 0);
	ok(maximum.result == MAXIMISED, "a hill, from where its curvature has the wrong sign");
	close_to(maximum.parameters[0], exp(1), 1e-6, "its first parameter");
	close_to(maximum.parameters[1], exp(-1), 1e-6, "its second parameter");
	close_to(maximum.standard_errors[1], exp(-1) / sqrt(8000), 1e-5, "its standard error");

	maximum = maximum_of(saddle, 2, beside, 0);
	ok(maximum.result == MAXIMISED, "beside a saddle");
	close_to(maximum.parameters[1], exp(sqrt(0.5)), 1e-6, "the maximum");

	maximum = maximum_of(edge, 1, &ten, 0);
	ok(maximum.result == MAXIMISED && fabs(log(maximum.parameters[0])) < 1e-6, "an edge");
}

/* ---------- no maximum within ---------- */

/* Up along y0 and down along y1, with a maximum at y2 = 1. */
static double
slopes(const double *y, double *slope)
{
	slope[0] = 1;
	slope[1] = 0;
	slope[2] = 1 - y[2];
	return y[0] - (y[2] - 1) * (y[2] - 1) / 2;
}

static double
down(const double *y, double *slope)
{
	slope[0] = 1 - y[0];
	slope[1] = -1e-3;
	return -(y[0] - 1) * (y[0] - 1) / 2 - 1e-3 * y[1];
}

/* Rises for ever, less and less. */
static double
saturated(const double *y, double *slope)
{
	slope[0] = exp(-y[0]);
	return -exp(-y[0]);
}

/* Only the sum counts. */
static double
ridge(const double *y, double *slope)
{
	slope[0] = slope[1] = 3 - y[0] - y[1];
	return -slope[0] * slope[0] / 2;
}

/* Nothing counts. */
static double
plain(const double *y, double *slope)
{
	(void) y;
	slope[0] = slope[1] = 0;
	return -7;
}

/* A maximum without curvature. */
static double
fourth(const double *y, double *slope)
{
	slope[0] = -4 * (y[0] - 1) * (y[0] - 1) * (y[0] - 1);
	return slope[0] * (y[0] - 1) / 4;
}

static void
test_no_maximum(void)
{
	Maximum		maximum = maximum_of(slopes, 3, ones, 0);

	ok(maximum.result == MAXIMUM_AT_BOUND && maximum.bound == 1, "at the upper bound of the first parameter");
	close_to(maximum.parameters[0], PARAMETER_RANGE, 1e-12, "which is there");
	close_to(maximum.parameters[2], exp(1), 1e-6, "while another is at its maximum");
	ok(isnan(maximum.standard_errors[0]) && isnan(maximum.standard_errors[2]), "without standard errors");

	maximum = maximum_of(down, 2, ones, 0);
	ok(maximum.result == MAXIMUM_AT_BOUND && maximum.bound == -2, "at the lower bound of the second parameter");
	close_to(maximum.parameters[1], 1 / PARAMETER_RANGE, 1e-12, "which is there");
	close_to(maximum.parameters[0], exp(1), 1e-6, "while the first is at its maximum");

	maximum = maximum_of(saturated, 1, ones, 0);
	ok(maximum.result != MAXIMISED, "what rises for ever has no maximum");

	maximum = maximum_of(ridge, 2, ones, 0);
	ok(maximum.result == MAXIMUM_NOT_UNIQUE && fabs(maximum.log_likelihood) < 1e-6, "a ridge");
	close_to(maximum.parameters[0] * maximum.parameters[1], exp(3), 1e-5, "which is reached");
	ok(isnan(maximum.standard_errors[0]) && isnan(maximum.standard_errors[1]), "without standard errors");

	maximum = maximum_of(plain, 2, ones, 0);
	ok(maximum.result == MAXIMUM_NOT_UNIQUE && maximum.log_likelihood == -7000, "a plain");

	maximum = maximum_of(fourth, 1, ones, 0);
	ok(maximum.result == MAXIMUM_NOT_UNIQUE || fabs(log(maximum.parameters[0]) - 1) < 0.1, "a maximum without curvature");
}

/* ---------- what cannot be computed ---------- */

static double beyond;			/* the value from y0 = 2 on */
static double slope_beyond;

static double
wall(const double *y, double *slope)
{
	slope[0] = 1;
	slope[1] = -y[1];
	if (y[0] < 2)
		return y[0] - y[1] * y[1] / 2;
	slope[0] = slope_beyond;
	return beyond;
}

/* Can be computed at its start and nowhere else. */
static double
island(const double *y, double *slope)
{
	slope[0] = y[0] == 0 ? 1 : NAN;
	return y[0] == 0 ? 0 : NAN;
}

static double
nowhere(const double *y, double *slope)
{
	(void) y;
	slope[0] = slope[1] = NAN;
	return NAN;
}

/* An island in a moat, with higher land beyond that is nearly level. */
static double
moat(const double *y, double *slope)
{
	slope[0] = y[0] == 0 ? 1 : fabs(y[0]) < 0.1 ? NAN : -1e-3;
	return y[0] == 0 ? 0 : fabs(y[0]) < 0.1 ? NAN : 10 - 1e-3 * y[0];
}

/* Level, but of no height. */
static double
hole(const double *y, double *slope)
{
	(void) y;
	slope[0] = slope[1] = 0;
	return NAN;
}

/* So curved that 0.001 more or less is not seen beside it. */
static double
curved(const double *y, double *slope)
{
	slope[0] = 2e16 * (y[0] + 1e-7);
	return 1e16 * (y[0] + 1e-7) * (y[0] + 1e-7);
}

/* Its gradient knows nothing of it. */
static double
liar(const double *y, double *slope)
{
	slope[0] = 1;
	slope[1] = -1;
	return -y[0] * y[0] - y[1] * y[1];
}

static void
test_walls(void)
{
	static const double values[] = {NAN, INFINITY, -INFINITY};
	Maximum		maximum;
	double		beyond_wall[2] = {exp(5), 1};

	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 2; j++)
		{
			beyond = values[i];
			slope_beyond = j ? NAN : 1;
			maximum = maximum_of(wall, 2, ones, 0);
			ok(maximum.result == MAXIMUM_NOT_REACHED && maximum.parameters[0] < exp(2) && isfinite(maximum.log_likelihood) &&
			   isnan(maximum.standard_errors[1]),
			   "a wall is no maximum");
		}
	beyond = NAN;
	slope_beyond = NAN;
	maximum = maximum_of(wall, 2, beyond_wall, 0);
	ok(maximum.result == MAXIMUM_NOT_REACHED, "a start beyond the wall");
	maximum = maximum_of(island, 1, ones, 0);
	ok(maximum.result == MAXIMUM_NOT_REACHED && maximum.parameters[0] == 1, "an island");
	maximum = maximum_of(moat, 1, ones, 0);
	ok(maximum.result == MAXIMUM_NOT_REACHED && maximum.parameters[0] == 1, "an island in a moat");
	maximum = maximum_of(hole, 2, ones, 0);
	ok(maximum.result == MAXIMUM_NOT_REACHED, "a hole");
	maximum = maximum_of(nowhere, 2, ones, 0);
	ok(maximum.result == MAXIMUM_NOT_REACHED, "what can be computed nowhere");
	maximum = maximum_of(curved, 1, ones, 0);
	ok(maximum.result == MAXIMUM_AT_BOUND || maximum.result == MAXIMUM_NOT_REACHED, "very curved the wrong way");
	maximum = maximum_of(liar, 2, ones, 0);
	ok(maximum.result != MAXIMISED && maximum.result != (MaximisationResult) -1, "a wrong gradient");
}

/* ---------- penalty, units, weight ---------- */

static double
first_rises(const double *y, double *slope)
{
	slope[0] = 1;
	slope[1] = 1 - y[1];
	return y[0] - (y[1] - 1) * (y[1] - 1) / 2;
}

static void
test_task(void)
{
	World		world = {first_rises, 2, 50, 0};
	MaximisationTask task = {
		.parameters = 2,
		.start = {1e-3, 1e9},
		.unit = {7, 0.02},
		.weight = 50,
		.penalty = 1e-4,
		.log_likelihood = log_likelihood,
		.data = &world,
	};
	Maximum		maximum;
	double		p;
	double		plain_p;

	/* of ln p - penalty (p / 7)^2, and of -(ln p - 1)^2 / 2 - penalty (p / 0.02)^2 */
	maximise(&task, &maximum);
	ok(maximum.result == MAXIMISED, "a penalty holds what would rise for ever");
	close_to(maximum.parameters[0], 7 / sqrt(2e-4), 1e-7, "where it is known to");
	p = maximum.parameters[1];
	plain_p = p / 0.02;
	ok(fabs(1 - log(p) - 2e-4 * plain_p * plain_p) < 1e-6 && p < exp(1), "and pulls the other");
	close_to(maximum.log_likelihood, 50 * (log(maximum.parameters[0]) - (log(p) - 1) * (log(p) - 1) / 2), 1e-12,
			 "the log likelihood is told without it");
	/* minus the second derivative by ln p is 4 penalty (p / 7)^2 = 2 */
	close_to(maximum.standard_errors[0], maximum.parameters[0] / sqrt(2 * 50), 1e-6, "the standard error with it");

	task.penalty = 0;
	maximise(&task, &maximum);
	ok(maximum.result == MAXIMUM_AT_BOUND && maximum.bound == 1, "without it, the bound");
	close_to(maximum.parameters[0], 7 * PARAMETER_RANGE, 1e-12, "which is in units");
	close_to(maximum.parameters[1], exp(1), 1e-7, "from a start out of bounds");
}

int
main(void)
{
	test_quadratic();
	test_nasty();
	test_no_maximum();
	test_walls();
	test_task();
	return finish();
}
