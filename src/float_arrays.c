/*
 * float_arrays.c
 *	  Arrays that lie side by side.
 */
#include "postgres.h"

#include <math.h>

#include "access/tupmacs.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"

#include "float_arrays.h"

static void
open_array(FloatArrays *arrays, int number, ArrayType *array)
{
	int			count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));

	if (number == 0)
		arrays->count = count;
	else if (count != arrays->count)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s and %s must have the same number of elements", arrays->names[0], arrays->names[number]),
				 errdetail("%s has %d, %s has %d.", arrays->names[0], arrays->count, arrays->names[number], count),
				 errhint("Make them with array_agg over the same rows.")));
	arrays->values[number] = ARR_DATA_PTR(array);
	arrays->is_boolean[number] = ARR_ELEMTYPE(array) == BOOLOID;
	arrays->nulls[number] = ARR_NULLBITMAP(array);
}

bool
arg_float_arrays(FunctionCallInfo fcinfo, const char *const *names, int arrays, FloatArrays *result)
{
	memset(result, 0, sizeof(*result));
	result->names = names;
	result->arrays = arrays;
	for (int k = 0; k < arrays; k++)
		if (PG_ARGISNULL(k))
			return false;
	for (int k = 0; k <= arrays; k++)
		if (!PG_ARGISNULL(k))
			open_array(result, k, PG_GETARG_ARRAYTYPE_P(k));
	return true;
}

static double
next_value(FloatArrays *arrays, int number, int i, bool nullable)
{
	double		value;

	if (arrays->nulls[number] && att_isnull(i, arrays->nulls[number]))
	{
		if (nullable)
			return NAN;
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not contain NULL", arrays->names[number]),
				 errdetail("Element %d is NULL.", i + 1),
				 errhint("Leave such rows out, for example with a WHERE clause.")));
	}
	if (arrays->is_boolean[number])
		return ((const bool *) arrays->values[number])[arrays->next[number]++];
	value = ((const double *) arrays->values[number])[arrays->next[number]++];
	if (nullable && isnan(value))	/* or it would pass for NULL */
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not contain NaN", arrays->names[number]),
				 errdetail("Element %d is NaN.", i + 1),
				 errhint("Use NULL for what is not known.")));
	return value;
}

double
float_arrays_row(FloatArrays *arrays, int i, int nullable, double *values)
{
	double		weight = 1.0;

	if (i % 4096 == 0)
		CHECK_FOR_INTERRUPTS();
	for (int k = 0; k < arrays->arrays; k++)
		values[k] = next_value(arrays, k, i, k == nullable);
	if (arrays->values[arrays->arrays])
	{
		weight = next_value(arrays, arrays->arrays, i, false);
		if (!is_whole(weight, 0.0, LARGEST_WHOLE))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("weight must not contain %g", weight),
					 errhint("It is the number of customers: a whole number.")));
		arrays->weight += weight;
		if (arrays->weight > LARGEST_WHOLE)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("weight must not add up to more than %g customers", LARGEST_WHOLE),
					 errdetail("With element %d, it does.", i + 1),
					 errhint("It is the number of customers: a whole number.")));
	}
	return weight;
}
