/*
 * maximise.c
 *	  Fuzzes src/maximise.c on landscapes that no likelihood has: with noise,
 *	  cliffs and places that cannot be computed.  It ends, stays within its
 *	  bounds, and only something finite is called a maximum.
 */
#include "maximise.h"

#include "fuzz.h"

typedef struct Landscape
{
	int			parameters;
	double		top[MAX_PARAMETERS];	/* in logarithms */
	double		width[MAX_PARAMETERS];
	double		tilt[MAX_PARAMETERS];
	double		twist;
	double		noise;
	double		cliff;			/* beyond it there are no numbers */
	double		weight;
	bool		wrong_gradient;
	long		calls;
} Landscape;

static double
height(void *data, const double *parameters, double *gradient)
{
	Landscape  *landscape = data;
	double		sum = 0.0;
	double		value = 0.0;

	HOLDS(++landscape->calls < 1000000);
	for (int i = 0; i < landscape->parameters; i++)
	{
		HOLDS(parameters[i] > 0.0 && isfinite(parameters[i]));
		sum += log(parameters[i]) - landscape->top[i];
	}
	for (int i = 0; i < landscape->parameters; i++)
	{
		double		off = log(parameters[i]) - landscape->top[i];

		value += landscape->tilt[i] * off - off * off / landscape->width[i];
		if (gradient != NULL)
			gradient[i] = landscape->weight * (landscape->tilt[i] - 2.0 * off / landscape->width[i] - landscape->twist * sum) *
				(landscape->wrong_gradient ? -1.0 : 1.0) / parameters[i];
	}
	value -= landscape->twist * sum * sum / 2.0;
	value += landscape->noise * sin(1e6 * sum);
	if (sum > landscape->cliff)
		value = sum > landscape->cliff + 1.0 ? INFINITY : NAN;
	return landscape->weight * value;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Input		input = input_of(data, size);
	Landscape	landscape = {.parameters = 1 + take_choice(&input, MAX_PARAMETERS)};
	MaximisationTask task = {.parameters = landscape.parameters, .log_likelihood = height, .data = &landscape};
	int			shape = take_choice(&input, 256);
	Maximum		maximum;

	landscape.weight = task.weight = take_positive(&input, 100.0);
	task.penalty = shape & 1 ? take_positive(&input, 0.01) : 0.0;
	landscape.twist = shape & 2 ? take_positive(&input, 1.0) : 0.0;
	landscape.noise = shape & 4 ? take_positive(&input, 1e-6) : 0.0;
	landscape.cliff = shape & 8 ? log(take_positive(&input, 1.0)) : INFINITY;
	landscape.wrong_gradient = (shape & 16) != 0;
	for (int i = 0; i < landscape.parameters; i++)
	{
		landscape.top[i] = log(take_positive(&input, 1.0));
		landscape.width[i] = shape & 32 ? INFINITY : take_positive(&input, 1.0);
		landscape.tilt[i] = shape & 64 ? take_positive(&input, 1.0) * (i % 2 ? -1.0 : 1.0) : 0.0;
		task.start[i] = take_positive(&input, 1.0);
		task.unit[i] = take_positive(&input, 1.0);
	}
	maximise(&task, &maximum);

	HOLDS(maximum.iterations >= 0);
	HOLDS(abs(maximum.bound) <= task.parameters);
	for (int i = 0; i < task.parameters; i++)
	{
		double		range = maximum.parameters[i] / task.unit[i];

		HOLDS(range >= 1.0 / PARAMETER_RANGE / (1.0 + 1e-9) && range <= PARAMETER_RANGE * (1.0 + 1e-9));
		if (maximum.result == MAXIMISED)
			HOLDS(maximum.standard_errors[i] > 0.0 && isfinite(maximum.standard_errors[i]));
		else
			HOLDS(isnan(maximum.standard_errors[i]));
	}
	if (maximum.result == MAXIMISED)
		HOLDS(isfinite(maximum.log_likelihood) && maximum.bound == 0);
	return 0;
}
