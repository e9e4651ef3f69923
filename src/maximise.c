/*
 * maximise.c
 *	  Maximum likelihood for models with up to four positive parameters.
 *
 * Newton's method on the logarithms of the parameters and the mean log
 * likelihood of a customer, which makes all quantities of the order of one.
 * The Hessian is made of differences of the analytic gradient, which is as
 * dear as eight steps; so each step then teaches it what it has seen of the
 * curvature, and only where it foretells badly it is made anew.  A step is
 * the best one within a radius around the current point (trust region: More
 * and Sorensen 1983), which needs no luck with the start; the radius grows
 * where the quadratic model foretells the gain, and shrinks where it does
 * not.  Parameters stay in a box: data that push one to infinity or zero say
 * nothing about it, and end at its bound instead of nowhere.
 *
 * The standard errors are those of the inverse observed information.
 */
#include "maximise.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#define MAX_ITERATIONS	200
#define MAX_RADIUS		2.0

/* The gain still to be had, in mean log likelihood, at which it is over. */
#define SMALL_GAIN		1e-14

/* Gains so small drown in the rounding of the sum; the gradient still tells them. */
#define INVISIBLE_GAIN	1e-10

/* Within which there has to be nothing to gain from where the search ended. */
#define FAIR_RADIUS		0.01

/* Of the logarithm of a parameter: with less, rounding hides the curvature of a ridge. */
#define DIFFERENCE		1e-4

/*
 * The gain in log likelihood, of all customers, that tells nothing; and the
 * standard error of the logarithm of a parameter that is not known at all.
 */
#define NOTHING_TO_GAIN	1e-5
#define NOT_KNOWN		10.0

/* Who came so close, in logarithms, on a ridge without an end, would have gone on. */
#define NEAR_BOUND		0.7

/* Curvature relative to the largest, below which there is none. */
#define NO_CURVATURE	1e-10

typedef double Vector[MAX_PARAMETERS];
typedef double Matrix[MAX_PARAMETERS][MAX_PARAMETERS];

/* What is minimised, at x = logarithms of the parameters. */
static double
objective(const MaximisationTask *task, const Vector x, Vector gradient, double *log_likelihood)
{
	Vector		parameters;
	double		value;

	for (int i = 0; i < task->parameters; i++)
		parameters[i] = exp(x[i]);
	value = task->log_likelihood(task->data, parameters, gradient);
	if (log_likelihood)
		*log_likelihood = value;
	value /= -task->weight;
	for (int i = 0; i < task->parameters; i++)
	{
		double		plain = parameters[i] / task->unit[i];

		value += task->penalty * plain * plain;
		if (gradient)
			gradient[i] = -gradient[i] * parameters[i] / task->weight + 2.0 * task->penalty * plain * plain;
	}
	return value;
}

/* By differences of the gradient on both sides. */
static void
hessian_at(const MaximisationTask *task, const Vector x, Matrix hessian)
{
	int			n = task->parameters;

	for (int i = 0; i < n; i++)
	{
		Vector		moved;
		Vector		above;
		Vector		below;

		for (int j = 0; j < n; j++)
			moved[j] = x[j];
		moved[i] = x[i] + DIFFERENCE;
		objective(task, moved, above, NULL);
		moved[i] = x[i] - DIFFERENCE;
		objective(task, moved, below, NULL);
		for (int j = 0; j < n; j++)
			hessian[i][j] = (above[j] - below[j]) / (2.0 * DIFFERENCE);
	}
	for (int i = 0; i < n; i++)
		for (int j = 0; j < i; j++)
			hessian[i][j] = hessian[j][i] = (hessian[i][j] + hessian[j][i]) / 2.0;
}

/* Eigenvalues and, in columns, eigenvectors of a symmetric matrix, by Jacobi's rotations. */
static void
eigen(int n, Matrix a, Vector values, Matrix vectors)
{
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			vectors[i][j] = i == j;
	for (int sweep = 0; sweep < 30; sweep++)
		for (int p = 0; p < n; p++)
			for (int q = p + 1; q < n; q++)
			{
				double		theta;
				double		tangent;
				double		cosine;
				double		sine;

				if (a[p][q] == 0.0)
					continue;
				theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
				tangent = copysign(1.0, theta) / (fabs(theta) + hypot(1.0, theta));
				cosine = 1.0 / hypot(1.0, tangent);
				sine = cosine * tangent;
				for (int k = 0; k < n; k++)
				{
					double		kp = a[k][p];
					double		kq = a[k][q];

					a[k][p] = cosine * kp - sine * kq;
					a[k][q] = sine * kp + cosine * kq;
				}
				for (int k = 0; k < n; k++)
				{
					double		pk = a[p][k];
					double		qk = a[q][k];

					a[p][k] = cosine * pk - sine * qk;
					a[q][k] = sine * pk + cosine * qk;
					pk = vectors[k][p];
					qk = vectors[k][q];
					vectors[k][p] = cosine * pk - sine * qk;
					vectors[k][q] = sine * pk + cosine * qk;
				}
			}
	for (int i = 0; i < n; i++)
		values[i] = a[i][i];
}

/* Length of -(values + shift)^-1 slope, the step in the system of the eigenvectors. */
static double
step_length(int n, const Vector values, const Vector slope, double shift, Vector step)
{
	double		square = 0.0;

	for (int i = 0; i < n; i++)
	{
		step[i] = slope[i] == 0.0 ? 0.0 : -slope[i] / (values[i] + shift);
		square += step[i] * step[i];
	}
	return sqrt(square);
}

/*
 * The step that minimises the quadratic model within the radius, among the
 * parameters that are free to move; returns the gain that the model foretells.
 */
static double
model_step(int n, const Vector gradient, Matrix hessian, const bool *is_free, double radius, Vector step)
{
	Matrix		a;
	Matrix		vectors;
	Vector		values;
	Vector		slope = {0.0};
	Vector		turned;
	double		least = INFINITY;
	double		shift = 0.0;
	double		gain = 0.0;

	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			a[i][j] = is_free[i] && is_free[j] ? hessian[i][j] : i == j;
	eigen(n, a, values, vectors);
	for (int i = 0; i < n; i++)
	{
		for (int j = 0; j < n; j++)
			slope[i] += vectors[j][i] * (is_free[j] ? gradient[j] : 0.0);
		least = fmin(least, values[i]);
	}

	if (least <= 0.0 || step_length(n, values, slope, 0.0, turned) > radius)
	{
		double		low = fmax(0.0, -least);
		double		high = low * 1.001 + 1e-3;	/* above low, however large that is */

		while (step_length(n, values, slope, high, turned) > radius)
			high = low + (high - low) * 4.0;
		for (int i = 0; i < 60 && high - low > 1e-12 * high; i++)
		{
			shift = (low + high) / 2.0;
			if (step_length(n, values, slope, shift, turned) > radius)
				low = shift;
			else
				high = shift;
		}
		shift = high;
		step_length(n, values, slope, shift, turned);
	}
	for (int i = 0; i < n; i++)
	{
		step[i] = 0.0;
		for (int j = 0; j < n; j++)
			step[i] += vectors[i][j] * turned[j];
		gain -= turned[i] * (slope[i] + values[i] * turned[i] / 2.0);
	}
	return gain;
}

/* Who stands at a bound and is drawn beyond it stays. */
static void
free_to_move(int n, const Vector x, const Vector low, const Vector high, const Vector gradient, bool *is_free)
{
	for (int i = 0; i < n; i++)
		is_free[i] = !((x[i] <= low[i] && gradient[i] > 0.0) || (x[i] >= high[i] && gradient[i] < 0.0));
}

/* Inverts a positive definite matrix; false if it is not, or only just. */
static bool
invert(int n, const Matrix matrix, Matrix inverse)
{
	Matrix		a;
	Matrix		vectors;
	Vector		values;
	double		largest = 0.0;

	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			a[i][j] = matrix[i][j];
	eigen(n, a, values, vectors);
	for (int i = 0; i < n; i++)
		largest = fmax(largest, values[i]);
	for (int i = 0; i < n; i++)
		if (!(values[i] > NO_CURVATURE * largest))
			return false;
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
		{
			inverse[i][j] = 0.0;
			for (int k = 0; k < n; k++)
				inverse[i][j] += vectors[i][k] * vectors[j][k] / values[k];
		}
	return true;
}

static double
norm(int n, const Vector gradient, const bool *is_free)
{
	double		square = 0.0;

	for (int i = 0; i < n; i++)
		if (is_free[i])
			square += gradient[i] * gradient[i];
	return sqrt(square);
}

/*
 * What a step has shown of the curvature along it: the symmetric update of
 * rank one, after which the Hessian explains the change of the gradient.
 */
static void
learn_curvature(int n, const Vector x, const Vector next, const Vector gradient, const Vector next_gradient, Matrix hessian)
{
	Vector		rest;
	double		product = 0.0;
	double		rest_square = 0.0;
	double		step_square = 0.0;

	for (int i = 0; i < n; i++)
	{
		double		step = next[i] - x[i];

		rest[i] = next_gradient[i] - gradient[i];
		for (int j = 0; j < n; j++)
			rest[i] -= hessian[i][j] * (next[j] - x[j]);
		product += rest[i] * step;
		rest_square += rest[i] * rest[i];
		step_square += step * step;
	}
	if (!(fabs(product) > 1e-6 * sqrt(rest_square * step_square)))
		return;
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			hessian[i][j] += rest[i] * rest[j] / product;
}

void
maximise(const MaximisationTask *task, Maximum *maximum)
{
	int			n = task->parameters;
	Vector		x;
	Vector		low;
	Vector		high;
	Vector		gradient;
	Matrix		hessian;
	Matrix		covariance;
	Vector		step;
	bool		is_free[MAX_PARAMETERS];
	double		value;
	double		radius = 1.0;
	bool		hessian_is_old = true;

	for (int i = 0; i < n; i++)
	{
		low[i] = log(task->unit[i] / PARAMETER_RANGE);
		high[i] = log(task->unit[i] * PARAMETER_RANGE);
		x[i] = fmin(fmax(log(task->start[i]), low[i]), high[i]);
		maximum->standard_errors[i] = NAN;
	}
	maximum->result = MAXIMUM_NOT_REACHED;
	maximum->bound = 0;
	value = objective(task, x, gradient, &maximum->log_likelihood);

	for (maximum->iterations = 0; maximum->iterations < MAX_ITERATIONS; maximum->iterations++)
	{
		Vector		next;
		Vector		next_gradient;
		double		gain;
		double		next_value;
		double		log_likelihood;
		double		moved = 0.0;

		if (hessian_is_old)
			hessian_at(task, x, hessian);
		hessian_is_old = false;

		free_to_move(n, x, low, high, gradient, is_free);
		gain = model_step(n, gradient, hessian, is_free, radius, step);
		if (!isfinite(gain))
			break;
		for (int i = 0; i < n; i++)
		{
			next[i] = fmin(fmax(x[i] + step[i], low[i]), high[i]);
			moved = fmax(moved, fabs(next[i] - x[i]));
		}
		next_value = objective(task, next, next_gradient, &log_likelihood);
		if (isfinite(next_value))
			learn_curvature(n, x, next, gradient, next_gradient, hessian);

		if (isfinite(next_value) &&
			(gain > INVISIBLE_GAIN ? next_value < value - 0.1 * gain
			 : norm(n, next_gradient, is_free) < norm(n, gradient, is_free)))
		{
			if (next_value < value - 0.75 * gain || gain < INVISIBLE_GAIN)
				radius = fmin(radius * 2.0, MAX_RADIUS);
			else if (next_value > value - 0.5 * gain)
				hessian_is_old = true;
			for (int i = 0; i < n; i++)
			{
				x[i] = next[i];
				gradient[i] = next_gradient[i];
			}
			value = next_value;
			maximum->log_likelihood = log_likelihood;
		}
		else
		{
			radius = fmin(radius, moved) / 4.0;
			hessian_is_old = true;
		}
		if (gain < SMALL_GAIN || moved == 0.0)
			break;
	}

	/* was that the top, or a ridge, a wall, or too far to go? */
	hessian_at(task, x, hessian);
	free_to_move(n, x, low, high, gradient, is_free);
	if (isfinite(value) && model_step(n, gradient, hessian, is_free, FAIR_RADIUS, step) <
		fmax(INVISIBLE_GAIN, NOTHING_TO_GAIN / task->weight))
	{
		maximum->result = MAXIMISED;
		for (int i = 0; i < n; i++) /* the last, small step, which the learnt Hessian did not see */
			x[i] = fmin(fmax(x[i] + step[i], low[i]), high[i]);
	}

	for (int i = 0; i < n; i++)
	{
		maximum->parameters[i] = exp(x[i]);
		if (x[i] <= low[i] + NEAR_BOUND)
			maximum->bound = -(i + 1);
		else if (x[i] >= high[i] - NEAR_BOUND)
			maximum->bound = i + 1;
	}
	if (maximum->bound != 0 && isfinite(value))
		maximum->result = MAXIMUM_AT_BOUND;
	if (maximum->result != MAXIMISED)
		return;
	if (!invert(n, hessian, covariance))
		maximum->result = MAXIMUM_NOT_UNIQUE;
	for (int i = 0; maximum->result == MAXIMISED && i < n; i++)
		if (!(sqrt(covariance[i][i] / task->weight) < NOT_KNOWN))
			maximum->result = MAXIMUM_NOT_UNIQUE;
	for (int i = 0; maximum->result == MAXIMISED && i < n; i++)
		maximum->standard_errors[i] = maximum->parameters[i] * sqrt(covariance[i][i] / task->weight);
}
