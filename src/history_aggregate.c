/*
 * history_aggregate.c
 *	  The aggregates customer_history and rollup, and merging two histories.
 *
 * One transition function serves all overloads: it looks at the types of its
 * arguments once per query.  The transition type is customer_history itself,
 * in the forms of history_state.h.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "nodes/execnodes.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/uuid.h"

#include "aggregate.h"
#include "amount.h"
#include "compat.h"
#include "history.h"
#include "history_state.h"
#include "page_rows.h"

PG_FUNCTION_INFO_V1(customer_history_transition);
PG_FUNCTION_INFO_V1(customer_history_combine);
PG_FUNCTION_INFO_V1(customer_history_final);
PG_FUNCTION_INFO_V1(customer_history_merge);

/* What a call site knows about its arguments, once per query. */
typedef struct TransitionCall
{
	HistoryKeyType key_type;
	bool		has_amount;
	bool		is_partial;
	EState	   *estate;			/* whose memory a partial state may use, or NULL */
	bool		has_groups;		/* each of them a state that this call began */
	HistoryGroups *groups;		/* NULL: none, or none yet */
	PageRows   *rows;			/* to be taken without the executor; NULL: none */
} TransitionCall;

/* Where a support function is called directly. */
#define AGGREGATE_HINT \
	"Use the aggregate customer_history(customer, day, amount), or merge(h, h) for two histories."

static bool
is_function(Oid function, PGFunction address)
{
	FmgrInfo	info;

	if (!OidIsValid(function))
		return false;
	fmgr_info(function, &info);
	return info.fn_addr == address;
}

/*
 * Finds out whose transition this is.
 *
 * is_partial: whether what the aggregate leaves goes to a leader's
 * customer_history_combine.  An aggregate that somebody else made may combine
 * otherwise, and an extension that begins aggregates outside of a parallel
 * plan may store what is left.
 *
 * has_groups: whether a state that the call is given can be none but one that
 * it returned before, for one of the groups that the aggregation has all at
 * the same time, or an initial value; with that, none is begun here.
 *
 * rows: for an aggregate whose transition is this call, not for a function
 * that another one's calls.
 */
static void
examine_aggregate(TransitionCall *call, FunctionCallInfo fcinfo)
{
	Aggref	   *aggref = AggGetAggref(fcinfo);
	const AggState *node = (AggState *) fcinfo->context;	/* if there is an Aggref */
	HeapTuple	tuple;
	Form_pg_aggregate aggregate;

	if (aggref == NULL)
		return;
	tuple = SearchSysCache1(AGGFNOID, ObjectIdGetDatum(aggref->aggfnoid));
	if (!HeapTupleIsValid(tuple))
		return;
	aggregate = (Form_pg_aggregate) GETSTRUCT(tuple);
	call->is_partial = DO_AGGSPLIT_SKIPFINAL(aggref->aggsplit) && IsInParallelMode() &&
		is_function(aggregate->aggcombinefn, customer_history_combine);

	/*
	 * Without groups there is one state for each process, which that final
	 * function reads once, while what is shared is there.  Of groups there
	 * might be more than shared memory, and a join might read one twice.
	 */
	if (call->is_partial && node->aggstrategy == AGG_PLAIN &&
		is_function(aggregate->aggfinalfn, customer_history_final))
		call->estate = node->ss.ps.state;
	if (aggregate->aggtransfn == fcinfo->flinfo->fn_oid)
	{
		call->has_groups = node->aggstrategy == AGG_HASHED;
		call->rows = page_rows_begin(fcinfo);
	}
	ReleaseSysCache(tuple);
}

static TransitionCall *
transition_call(FunctionCallInfo fcinfo)
{
	TransitionCall *call = fcinfo->flinfo->fn_extra;

	if (call == NULL)
	{
		Oid		   *types;
		int			count;

		/*
		 * As declared, not as in the call's expression: Citus calls without
		 * one.
		 */
		(void) get_func_signature(fcinfo->flinfo->fn_oid, &types, &count);
		call = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(TransitionCall));
		switch (types[1])
		{
			case INT8OID:
				call->key_type = HISTORY_KEY_BIGINT;
				break;
			case UUIDOID:
				call->key_type = HISTORY_KEY_UUID;
				break;
			default:
				call->key_type = HISTORY_KEY_TEXT;
				break;
		}
		call->has_amount = PG_NARGS() > 3;
		examine_aggregate(call, fcinfo);
		fcinfo->flinfo->fn_extra = call;
	}
	return call;
}

static HistoryKey
key_of_datum(Datum datum, HistoryKeyType key_type)
{
	HistoryKey	key = {0};

	if (key_type == HISTORY_KEY_BIGINT)
		key.number = DatumGetInt64(datum);
	else if (key_type == HISTORY_KEY_UUID)
	{
		key.bytes = DatumGetUUIDP(datum)->data;
		key.size = UUID_KEY_SIZE;
	}
	else
	{
		struct varlena *text = pg_detoast_datum_packed((struct varlena *) DatumGetPointer(datum));

		key.bytes = (const uint8_t *) VARDATA_ANY(text);
		key.size = (uint32_t) VARSIZE_ANY_EXHDR(text);
	}
	return key;
}

static Datum
create_state(TransitionCall *call, MemoryContext context)
{
	Datum		state;

	if (call->has_groups && call->groups == NULL)
		history_groups_begin(&call->groups, context);
	state = call->groups != NULL ? history_groups_add_state(call->groups, call->key_type) :
		history_state_create(context, call->key_type);
	if (call->is_partial)
		history_state_set_partial(state, call->estate == NULL ? NULL : call->estate->es_query_dsa);
	return state;
}

/* Adds a row, the arguments after the state, whatever it is; may begin the state. */
static pg_noinline void
add_row(FunctionCallInfo fcinfo, NullableDatum *state, const NullableDatum *row)
{
	TransitionCall *call = transition_call(fcinfo);
	MemoryContext context = NULL;
	HistoryKey	key;
	HistoryDay	event;
	Day			day;
	Amount		amount = 0;
	int			scale = -1;

	/* a state that can be added to is an aggregate's, which need not be asked for every row */
	if (state->isnull || !VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(state->value)))
		context = aggregate_context(fcinfo, AGGREGATE_HINT);
	if (row[0].isnull || row[1].isnull)
		return;

	day = DatumGetDateADT(row[1].value);
	if (DATE_NOT_FINITE(day))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("day must be a finite date, not %s",
						DATE_IS_NOBEGIN(day) ? "-infinity" : "infinity"),
				 errhint("Leave such rows out, for example with FILTER (WHERE isfinite(day)).")));

	if (call->has_amount && !row[2].isnull)
		amount_of_numeric(row[2].value, &amount, &scale);
	event = history_order_event(day, amount, scale);
	key = key_of_datum(row[0].value, call->key_type);
	if (state->isnull)
		state->value = create_state(call, context);
	state->value = history_state_add(state->value, context, call->key_type, &key, &event, scale);
	state->isnull = false;
}

/* Not in line: others need no room for an amount. */
static pg_noinline bool
add_order_of_amount(TransitionCall *call, Datum state, const NullableDatum *row)
{
	int64		customer = DatumGetInt64(row[0].value);
	Day			day = DatumGetDateADT(row[1].value);
	Amount		amount = 0;
	int			scale = -1;

	if (!row[2].isnull)
		amount_of_numeric(row[2].value, &amount, &scale);
	if (call->groups == NULL || amount < PG_INT32_MIN || amount > PG_INT32_MAX)
		return history_state_add_order(state, customer, day, amount, scale);
	history_groups_add_order(call->groups, state, customer, day, (int32) amount, scale);
	return true;
}

/*
 * The same, and quickly for nearly all rows of a query: an order of a bigint
 * customer, to a state that is one to add to.
 */
static pg_attribute_always_inline void
add(FunctionCallInfo fcinfo, NullableDatum *state, const NullableDatum *row)
{
	TransitionCall *call = fcinfo->flinfo->fn_extra;
	bool		is_added = false;

	if (likely(call != NULL && call->key_type == HISTORY_KEY_BIGINT &&
			   !state->isnull && !row[0].isnull && !row[1].isnull &&
			   !DATE_NOT_FINITE(DatumGetDateADT(row[1].value))))
	{
		int64		customer = DatumGetInt64(row[0].value);
		Day			day = DatumGetDateADT(row[1].value);

		if (call->has_amount)
			is_added = add_order_of_amount(call, state->value, row);
		else if (call->groups != NULL)
		{
			history_groups_add_order(call->groups, state->value, customer, day, 0, -1);
			is_added = true;
		}
		else
			is_added = history_state_add_order(state->value, customer, day, 0, -1);
	}
	if (unlikely(!is_added))
		add_row(fcinfo, state, row);
}

/* The other rows of the page of the scan. */
static pg_noinline void
add_page(FunctionCallInfo fcinfo, PageRows *rows, NullableDatum *state)
{
	PageRow		page[PAGE_ROWS_AT_ONCE];
	int			count;

	while ((count = page_rows_read(rows, page)) > 0)
	{
		for (int i = 0; i < count; i++)
			add(fcinfo, state, page[i]);
	}
}

/* customer_history_transition(state, customer, day [, amount]) */
Datum
customer_history_transition(PG_FUNCTION_ARGS)
{
	NullableDatum *state = &fcinfo->args[0];
	TransitionCall *call;

	add(fcinfo, state, &fcinfo->args[1]);
	call = fcinfo->flinfo->fn_extra;
	if (call->rows != NULL)
		add_page(fcinfo, call->rows, state);
	if (state->isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(state->value);
}

/*
 * Merges a history, or a partial state, into a state; NULL is neutral.  The
 * transition function of rollup, and the combine function of all.
 */
Datum
customer_history_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo, AGGREGATE_HINT);
	Datum		state = PG_ARGISNULL(0) ? (Datum) 0 : PG_GETARG_DATUM(0);

	if (!PG_ARGISNULL(1))
	{
		Aggref	   *aggref = AggGetAggref(fcinfo);

		if (aggref != NULL && DO_AGGSPLIT_COMBINE(aggref->aggsplit))
			state = history_state_combine(state, context, PG_GETARG_DATUM(1), (PlanState *) fcinfo->context);
		else
			state = history_state_merge(state, context, PG_GETARG_DATUM(1));
	}
	if (state == (Datum) 0)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(state);
}

Datum
customer_history_final(PG_FUNCTION_ARGS)
{
	AggStrategy strategy;

	(void) aggregate_context(fcinfo, AGGREGATE_HINT);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	/* a window asks again for every row; else the server would copy what lies in the state's memory */
	if (AggCheckCallContext(fcinfo, NULL) == AGG_CONTEXT_WINDOW)
		PG_RETURN_POINTER(history_state_value(PG_GETARG_DATUM(0)));

	/* these forget a group before they come to the next */
	strategy = castNode(AggState, fcinfo->context)->aggstrategy;
	PG_RETURN_DATUM(history_state_result(PG_GETARG_DATUM(0),
										 strategy == AGG_PLAIN || strategy == AGG_SORTED));
}

/* The union of two histories; NULL is neutral. */
Datum
customer_history_merge(PG_FUNCTION_ARGS)
{
	Datum		histories[2];

	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		PG_RETURN_NULL();
	if (PG_ARGISNULL(0))
		PG_RETURN_DATUM(PG_GETARG_DATUM(1));
	if (PG_ARGISNULL(1))
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));

	histories[0] = PG_GETARG_DATUM(0);
	histories[1] = PG_GETARG_DATUM(1);
	PG_RETURN_POINTER(history_merge(histories, 2));
}
