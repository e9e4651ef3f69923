/*
 * model_types.h
 *	  The composite types that hold a model: parameters, and what a fit says
 *	  of them.
 *
 * The attributes of every such type are, in this order: the parameters, their
 * standard errors, log_likelihood, customers, those that only some have, then
 * iterations and converged.  A model that was built from published parameters
 * has NULL from the standard errors on; one that did not converge has no
 * parameters.
 */
#ifndef LOYALTY_MODEL_TYPES_H
#define LOYALTY_MODEL_TYPES_H

#include "postgres.h"

#include "fmgr.h"

#include "models.h"

typedef struct ModelType
{
	const char *name;			/* of the SQL type */
	int			parameters;
	const char *parameter_names[MAX_PARAMETERS];

	/* what it means that a parameter vanishes, or grows without limit */
	const char *at_zero[MAX_PARAMETERS];
	const char *at_infinity[MAX_PARAMETERS];
} ModelType;

/* Those of models of buying by PurchaseModelKind, then the others. */
#define GAMMA_GAMMA				4
#define SHIFTED_BETA_GEOMETRIC	5
#define BETA_DISCRETE_WEIBULL	6

extern const ModelType model_types[];

/*
 * The model in an argument of a function, which is one of model_types; its
 * number, and the parameters.  False if the argument, or a parameter, is
 * NULL.  Raises 22023 for parameters that are not positive and finite.  Uses
 * fn_extra.
 */
extern bool arg_model(FunctionCallInfo fcinfo, int arg, int *type, double parameters[MAX_PARAMETERS]);

/* The number of the type that a function is declared to return. */
extern int	model_type_returned(FunctionCallInfo fcinfo);

/* A penalty: >= 0; NULL: none. */
extern double arg_penalty(FunctionCallInfo fcinfo, int arg);

/* What a fit found out besides the estimates; columns of gamma_gamma only. */
typedef struct ModelExtras
{
	int64		excluded;
	double		correlation;	/* NaN: NULL */
} ModelExtras;

/*
 * The composite that the function is declared to return; warns if the fit
 * did not converge.
 */
extern Datum model_of_maximum(FunctionCallInfo fcinfo, int type, const Maximum *maximum, int64 customers, const ModelExtras *extras);

/* Warns if a fit did not converge, and returns whether it did. */
extern bool check_converged(int type, const Maximum *maximum);

/* CHECK_FOR_INTERRUPTS, for the arithmetic. */
extern void check_interrupts(void);

#endif							/* LOYALTY_MODEL_TYPES_H */
