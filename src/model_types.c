/*
 * model_types.c
 *	  The composite types that hold a model.
 *
 * A function that is called for every customer gets the same model again and
 * again; it is taken apart when its bytes differ from those of the last call.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "model_types.h"

PG_FUNCTION_INFO_V1(loyalty_model);

#define SAME_RATE		"all customers seem to buy at the same rate"
#define SAME_LEAVING	"all customers seem to leave at the same rate"
#define NO_LEAVING		"hardly anybody seems to leave"
#define ALL_LEAVE		"everybody seems to leave at once"
#define EXTREME_RATES	"a few customers seem to make all the purchases"

const ModelType model_types[] = {
	[BG_NBD] = {
		"bg_nbd", 4, {"r", "alpha", "a", "b"},
		{EXTREME_RATES, EXTREME_RATES, NO_LEAVING, ALL_LEAVE},
		{SAME_RATE, SAME_RATE, SAME_LEAVING, NO_LEAVING},
	},
	[MBG_NBD] = {
		"mbg_nbd", 4, {"r", "alpha", "a", "b"},
		{EXTREME_RATES, EXTREME_RATES, NO_LEAVING, ALL_LEAVE},
		{SAME_RATE, SAME_RATE, SAME_LEAVING, NO_LEAVING},
	},
	[PARETO_NBD] = {
		"pareto_nbd", 4, {"r", "alpha", "s", "beta"},
		{EXTREME_RATES, EXTREME_RATES, NO_LEAVING, ALL_LEAVE},
		{SAME_RATE, SAME_RATE, SAME_LEAVING, NO_LEAVING},
	},
	[BG_BB] = {
		"bg_bb", 4, {"alpha", "beta", "gamma", "delta"},
		{EXTREME_RATES, "everybody seems to buy at each opportunity", NO_LEAVING, ALL_LEAVE},
		{SAME_RATE, SAME_RATE, SAME_LEAVING, NO_LEAVING},
	},
	[GAMMA_GAMMA] = {
		"gamma_gamma", 3, {"p", "q", "gamma"},
		{"the spending of a customer varies without limit", "spending differs between customers without limit", "spending differs between customers without limit"},
		{"every customer seems to spend the same on each purchase", "all customers seem to spend the same on average", "all customers seem to spend the same on average"},
	},
	[SHIFTED_BETA_GEOMETRIC] = {
		"shifted_beta_geometric", 2, {"alpha", "beta"},
		{"those who did not leave at once seem to stay for ever", ALL_LEAVE},
		{SAME_LEAVING, SAME_LEAVING},
	},
	[BETA_DISCRETE_WEIBULL] = {
		"beta_discrete_weibull", 3, {"alpha", "beta", "c"},
		{"those who did not leave at once seem to stay for ever", ALL_LEAVE, "nobody seems to leave after the first renewal"},
		{SAME_LEAVING, SAME_LEAVING, "everybody seems to leave at the same renewal"},
	},
};

void
check_interrupts(void)
{
	CHECK_FOR_INTERRUPTS();
}

static int
model_type_number(Oid type)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	int			found = -1;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", type);
	for (int i = 0; i < lengthof(model_types) && found < 0; i++)
		if (strcmp(NameStr(((Form_pg_type) GETSTRUCT(tuple))->typname), model_types[i].name) == 0)
			found = i;
	ReleaseSysCache(tuple);
	if (found < 0)
		elog(ERROR, "type %u is no model", type);
	return found;
}

int
model_type_returned(FunctionCallInfo fcinfo)
{
	return model_type_number(get_func_rettype(fcinfo->flinfo->fn_oid));
}

static void
check_parameter(int type, int number, double value)
{
	if (!(value > 0.0 && isfinite(value)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s of %s is %g, but must be positive and finite",
						model_types[type].parameter_names[number], model_types[type].name, value),
				 errhint("Pass what a fit returned, or published parameters.")));
}

/* ---------- reading ---------- */

typedef struct ModelCache
{
	HeapTupleHeader tuple;		/* a copy; NULL: none yet */
	Size		size;
	int			type;
	bool		has_parameters;
	double		parameters[MAX_PARAMETERS];
} ModelCache;

static void
read_model(ModelCache *cache, HeapTupleHeader tuple, MemoryContext context)
{
	TupleDesc	desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(tuple), HeapTupleHeaderGetTypMod(tuple));
	HeapTupleData data = {.t_len = HeapTupleHeaderGetDatumLength(tuple), .t_data = tuple};

	/* an error below must not leave the old bytes beside new parameters */
	if (cache->tuple)
		pfree(cache->tuple);
	cache->tuple = NULL;
	cache->type = model_type_number(desc->tdtypeid);
	cache->has_parameters = true;
	for (int i = 0; i < model_types[cache->type].parameters; i++)
	{
		bool		is_null;
		Datum		value = heap_getattr(&data, i + 1, desc, &is_null);

		if (is_null)
			cache->has_parameters = false;
		else
		{
			cache->parameters[i] = DatumGetFloat8(value);
			check_parameter(cache->type, i, cache->parameters[i]);
		}
	}
	ReleaseTupleDesc(desc);

	cache->size = data.t_len;
	cache->tuple = MemoryContextAlloc(context, cache->size);
	memcpy(cache->tuple, tuple, cache->size);
}

bool
arg_model(FunctionCallInfo fcinfo, int arg, int *type, double parameters[MAX_PARAMETERS])
{
	ModelCache *cache = fcinfo->flinfo->fn_extra;
	HeapTupleHeader tuple;

	if (PG_ARGISNULL(arg))
		return false;
	tuple = PG_GETARG_HEAPTUPLEHEADER(arg);
	if (cache == NULL)
		cache = fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(ModelCache));
	if (cache->tuple == NULL || cache->size != HeapTupleHeaderGetDatumLength(tuple) ||
		memcmp(cache->tuple, tuple, cache->size) != 0)
		read_model(cache, tuple, fcinfo->flinfo->fn_mcxt);
	*type = cache->type;
	memcpy(parameters, cache->parameters, sizeof(cache->parameters));
	return cache->has_parameters;
}

double
arg_penalty(FunctionCallInfo fcinfo, int arg)
{
	double		penalty = PG_ARGISNULL(arg) ? 0.0 : PG_GETARG_FLOAT8(arg);

	if (!(penalty >= 0.0 && isfinite(penalty)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("penalty must not be %g", penalty),
				 errhint("Use 0 for none, or a small number such as 0.001.")));
	return penalty;
}

/* ---------- making ---------- */

static TupleDesc
result_desc(FunctionCallInfo fcinfo)
{
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	return BlessTupleDesc(desc);
}

/* X_model(parameters...): a model from published parameters */
Datum
loyalty_model(PG_FUNCTION_ARGS)
{
	TupleDesc	desc = result_desc(fcinfo);
	int			type = model_type_number(desc->tdtypeid);
	Datum	   *values = palloc0(desc->natts * sizeof(Datum));
	bool	   *nulls = palloc(desc->natts * sizeof(bool));

	memset(nulls, true, desc->natts * sizeof(bool));
	for (int i = 0; i < model_types[type].parameters; i++)
	{
		check_parameter(type, i, PG_GETARG_FLOAT8(i));
		values[i] = PG_GETARG_DATUM(i);
		nulls[i] = false;
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

bool
check_converged(int type, const Maximum *maximum)
{
	const ModelType *model = &model_types[type];

	switch (maximum->result)
	{
		case MAXIMISED:
			return true;
		case MAXIMUM_AT_BOUND:
			{
				int			number = abs(maximum->bound) - 1;

				ereport(WARNING,
						(errcode(ERRCODE_WARNING),
						 errmsg("the fit of %s did not converge", model->name),
						 errdetail("The data become ever more likely as %s %s: %s. They do not say by how much customers differ.",
								   model->parameter_names[number],
								   maximum->bound < 0 ? "vanishes" : "grows without limit",
								   maximum->bound < 0 ? model->at_zero[number] : model->at_infinity[number]),
				/* a penalty is taken of large parameters only */
						 maximum->bound < 0 ? errhint("Use more customers, or a longer time.") :
						 errhint("Use more customers, or a longer time; or set penalty, for example to 0.001.")));
				break;
			}
		case MAXIMUM_NOT_UNIQUE:
			ereport(WARNING,
					(errcode(ERRCODE_WARNING),
					 errmsg("the fit of %s did not converge", model->name),
					 errdetail("Different parameters explain the data equally well: there are too few different customers."),
					 errhint("Use more customers, or a longer time; or set penalty, for example to 0.001.")));
			break;
		case MAXIMUM_NOT_REACHED:
			ereport(WARNING,
					(errcode(ERRCODE_WARNING),
					 errmsg("the fit of %s did not converge", model->name),
					 errdetail("No maximum of the likelihood was reached in %d iterations.", maximum->iterations),
					 errhint("Look for impossible values in the data, or choose a unit of time in which ages are between 1 and 1000.")));
			break;
	}
	return false;
}

Datum
model_of_maximum(FunctionCallInfo fcinfo, int type, const Maximum *maximum, int64 customers, const ModelExtras *extras)
{
	TupleDesc	desc = result_desc(fcinfo);
	bool		converged = check_converged(type, maximum);
	int			parameters = model_types[type].parameters;
	Datum	   *values = palloc0(desc->natts * sizeof(Datum));
	bool	   *nulls = palloc0(desc->natts * sizeof(bool));
	int			column = 2 * parameters;

	for (int i = 0; i < parameters; i++)
	{
		values[i] = Float8GetDatum(maximum->parameters[i]);
		values[parameters + i] = Float8GetDatum(maximum->standard_errors[i]);
		nulls[i] = nulls[parameters + i] = !converged;
	}
	nulls[column] = isnan(maximum->log_likelihood); /* no parameters are possible */
	values[column++] = Float8GetDatum(maximum->log_likelihood);
	values[column++] = Int64GetDatum(customers);
	if (extras)
	{
		values[column++] = Int64GetDatum(extras->excluded);
		nulls[column] = isnan(extras->correlation);
		values[column++] = Float8GetDatum(extras->correlation);
	}
	values[column++] = Int32GetDatum(maximum->iterations);
	values[column++] = BoolGetDatum(converged);
	Assert(column == desc->natts);
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}
