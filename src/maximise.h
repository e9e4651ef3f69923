/*
 * maximise.h
 *	  Maximum likelihood for models with up to four positive parameters.
 *
 * Plain C: no PostgreSQL in it, and nothing is allocated, so that a callback
 * may leave by longjmp.
 */
#ifndef LOYALTY_MAXIMISE_H
#define LOYALTY_MAXIMISE_H

#define MAX_PARAMETERS	4

/*
 * The log likelihood of all data and, unless that is NULL, its gradient.
 * What cannot be computed is NaN or infinite.
 */
typedef double (*LogLikelihood) (void *data, const double *parameters, double *gradient);

typedef struct MaximisationTask
{
	int			parameters;
	double		start[MAX_PARAMETERS];
	double		unit[MAX_PARAMETERS];	/* in which a parameter is a plain number */
	double		weight;			/* number of customers, > 0 */
	double		penalty;		/* >= 0: times the squares of the parameters in their units, is
								 * taken from the log likelihood a customer */
	LogLikelihood log_likelihood;
	void	   *data;
} MaximisationTask;

typedef enum MaximisationResult
{
	MAXIMISED,
	MAXIMUM_AT_BOUND,			/* "bound" tells of which parameter */
	MAXIMUM_NOT_UNIQUE,			/* the data do not tell the parameters apart */
	MAXIMUM_NOT_REACHED			/* within the iterations allowed */
} MaximisationResult;

/* Parameters have to be within this factor of their units. */
#define PARAMETER_RANGE	1e5

typedef struct Maximum
{
	MaximisationResult result;
	double		parameters[MAX_PARAMETERS];
	double		standard_errors[MAX_PARAMETERS];	/* NaN unless MAXIMISED */
	double		log_likelihood; /* without the penalty */
	int			iterations;
	int			bound;			/* 1 + number of the parameter, negative at the lower bound; else 0 */
} Maximum;

extern void maximise(const MaximisationTask *task, Maximum *maximum);

#endif							/* LOYALTY_MAXIMISE_H */
