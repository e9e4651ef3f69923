/*
 * renewals.c
 *	  Shifted beta-geometric and beta-discrete-Weibull in SQL: who renews a
 *	  contract, and what that is worth.
 */
#include "postgres.h"

#include <math.h>

#include "utils/array.h"
#include "storage/shmem.h"
#include "utils/memutils.h"
#include "utils/palloc.h"

#include "float_arrays.h"
#include "model_types.h"
#include "purchase_models.h"

PG_FUNCTION_INFO_V1(loyalty_renewal_fit_survivors);
PG_FUNCTION_INFO_V1(loyalty_renewal_fit_arrays);
PG_FUNCTION_INFO_V1(loyalty_survival);
PG_FUNCTION_INFO_V1(loyalty_retention_rate);
PG_FUNCTION_INFO_V1(loyalty_expected_lifetime);
PG_FUNCTION_INFO_V1(loyalty_residual_value);

/* ---------- fits ---------- */

static Datum
fit(FunctionCallInfo fcinfo, const RenewalPattern *patterns, size_t count, double penalty)
{
	int			type = model_type_returned(fcinfo);
	RenewalData data = {
		.parameters = model_types[type].parameters,
		.patterns = patterns,
		.count = count,
		.check_interrupts = check_interrupts,
	};
	Maximum		maximum;
	double		customers = 0.0;
	double		left = 0.0;
	double		renewals = 0.0; /* the highest number anybody decided on */

	for (size_t i = 0; i < count; i++)
	{
		customers += patterns[i].weight;
		left += patterns[i].left ? patterns[i].weight : 0.0;
		renewals = patterns[i].weight > 0.0 ? fmax(renewals, patterns[i].periods) : renewals;
	}
	if (left == 0.0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s cannot be fitted to customers of whom none has left", model_types[type].name),
				 errdetail("There are %.0f customers.", customers),
				 errhint("Use a longer time.")));
	if (renewals < data.parameters)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s cannot be fitted to %.0f renewals", model_types[type].name, renewals),
				 errdetail("It has %d parameters, and each renewal tells one number.", data.parameters),
				 errhint("Use a cohort that has been observed for more renewals.")));
	renewals_fit(&data, penalty, &maximum);
	return model_of_maximum(fcinfo, type, &maximum, (int64) customers, NULL);
}

/* X_fit(survivors, penalty) */
Datum
loyalty_renewal_fit_survivors(PG_FUNCTION_ARGS)
{
	double		penalty = arg_penalty(fcinfo, 1);
	ArrayType  *array;
	const double *survivors;
	int			count;
	RenewalPattern *patterns;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	array = PG_GETARG_ARRAYTYPE_P(0);
	survivors = (const double *) ARR_DATA_PTR(array);
	count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("survivors must not contain NULL"),
				 errhint("Give the number of customers at the start, then after each renewal.")));
	if (count < 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("survivors must have at least two elements"),
				 errhint("Give the number of customers at the start, then after each renewal.")));
	patterns = palloc(mul_size(count, sizeof(RenewalPattern)));
	for (int i = 0; i < count; i++)
	{
		double		next = i + 1 < count ? survivors[i + 1] : 0.0;

		if (!is_whole(survivors[i], 0.0, LARGEST_WHOLE))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("survivors must not contain %g", survivors[i]),
					 errhint("They are numbers of customers: whole numbers.")));
		if (next > survivors[i])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("survivors must not rise"),
					 errdetail("Element %d is %.0f, after %.0f.", i + 2, next, survivors[i]),
					 errhint("Give one cohort: the number of customers at the start, then of those still there after each renewal.")));
		/* who was not there any more after the next renewal left at it; the last ones were still there */
		if (i + 1 < count)
			patterns[i] = (RenewalPattern) {i + 1.0, true, survivors[i] - next};
		else
			patterns[i] = (RenewalPattern) {i, false, survivors[i]};
	}
	return fit(fcinfo, patterns, count, penalty);
}

#define ST_SORT			sort_renewals
#define ST_ELEMENT_TYPE	RenewalPattern
#define ST_COMPARE(a, b) \
	(a->periods != b->periods ? (a->periods < b->periods ? -1 : 1) : (int) a->left - (int) b->left)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE		static
#define ST_DEFINE
#include "lib/sort_template.h"

/* X_fit(periods, churned, weight, penalty); "churned" is an array of boolean */
Datum
loyalty_renewal_fit_arrays(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"periods", "churned", "weight"};
	double		penalty = arg_penalty(fcinfo, 3);
	RenewalPattern *patterns;
	FloatArrays arrays;
	size_t		kept = 0;

	if (!arg_float_arrays(fcinfo, names, 2, &arrays))
		PG_RETURN_NULL();
	patterns = MemoryContextAllocHuge(CurrentMemoryContext, mul_size(Max(arrays.count, 1), sizeof(RenewalPattern)));
	for (int i = 0; i < arrays.count; i++)
	{
		double		values[2];
		double		weight = float_arrays_row(&arrays, i, -1, values);

		if (!is_whole(values[0], values[1], LARGEST_WHOLE))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("periods must not contain %g%s", values[0], values[1] != 0.0 ? " where churned is true" : ""),
					 errhint("It is the number of the renewal at which a customer left, from 1 on; or how often one who is still there has renewed, from 0 on.")));
		patterns[i] = (RenewalPattern) {values[0], values[1] != 0.0, weight};
	}
	sort_renewals(patterns, arrays.count);
	for (int i = 0; i < arrays.count; i++)
	{
		if (kept > 0 && patterns[kept - 1].periods == patterns[i].periods && patterns[kept - 1].left == patterns[i].left)
			patterns[kept - 1].weight += patterns[i].weight;
		else
			patterns[kept++] = patterns[i];
	}
	return fit(fcinfo, patterns, kept, penalty);
}

/* ---------- predictions ---------- */

typedef struct Contract
{
	double		alpha;
	double		beta;
	double		c;
	double		age;			/* renewals so far */
} Contract;

/* The model in argument 0, and the age in argument 1 if there is one. */
static bool
arg_contract(FunctionCallInfo fcinfo, bool has_age, double lowest_age, Contract *contract)
{
	int			type;
	double		parameters[MAX_PARAMETERS];

	if (!arg_model(fcinfo, 0, &type, parameters))
		return false;
	contract->alpha = parameters[0];
	contract->beta = parameters[1];
	contract->c = type == BETA_DISCRETE_WEIBULL ? parameters[2] : 1.0;
	contract->age = has_age ? PG_GETARG_FLOAT8(1) : 0.0;
	if (has_age && !is_whole(contract->age, lowest_age, LARGEST_WHOLE))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("age must not be %g", contract->age),
				 errhint("It is a number of renewals: a whole number from %g on.", lowest_age)));
	return true;
}

/* survival(model, age) */
Datum
loyalty_survival(PG_FUNCTION_ARGS)
{
	Contract	contract;

	if (!arg_contract(fcinfo, true, 0.0, &contract))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(renewal_survival(contract.alpha, contract.beta, contract.c, contract.age));
}

/* retention_rate(model, age) */
Datum
loyalty_retention_rate(PG_FUNCTION_ARGS)
{
	Contract	contract;

	if (!arg_contract(fcinfo, true, 1.0, &contract))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(renewal_rate(contract.alpha, contract.beta, contract.c, contract.age - 1.0));
}

/* expected_lifetime(model, discount) */
Datum
loyalty_expected_lifetime(PG_FUNCTION_ARGS)
{
	double		discount = arg_not_negative(fcinfo, 1, "discount", 0.0);
	Contract	contract;
	double		lifetime;

	if (!arg_contract(fcinfo, false, 0.0, &contract))
		PG_RETURN_NULL();
	lifetime = discounted_renewals(contract.alpha, contract.beta, contract.c, 0.0, discount);
	if (isinf(lifetime))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(lifetime);
}

/* residual_value(model, age, amount, discount) */
Datum
loyalty_residual_value(PG_FUNCTION_ARGS)
{
	double		amount = PG_GETARG_FLOAT8(2);
	double		discount = arg_not_negative(fcinfo, 3, "discount", 0.0);
	Contract	contract;
	double		renewals;

	if (!isfinite(amount))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("amount must not be %g", amount),
				 errhint("It is the money of a renewal: a finite number.")));
	if (!arg_contract(fcinfo, true, 0.0, &contract))
		PG_RETURN_NULL();
	renewals = discounted_renewals(contract.alpha, contract.beta, contract.c, contract.age + 1.0, discount);
	if (isinf(renewals))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(amount * renewals * renewal_rate(contract.alpha, contract.beta, contract.c, contract.age));
}
