/*
 * page_rows.c
 *	  The rows that a sequential scan has found on its page, for the aggregate
 *	  above it.
 *
 * page_rows.h tells the design.  What it knows of a scan is what heapam.h
 * says: in page-at-a-time mode the visible rows of the page are
 * rs_vistuples[0 .. rs_ntuples - 1], and rs_cindex is the one returned last.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "nodes/nodeFuncs.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "compat.h"
#include "page_rows.h"

/* A function of one value that changes from row to row. */
typedef struct Step
{
	struct Step *next;
	FmgrInfo	function;
	NullableDatum *value;		/* among the arguments of the call */
	FunctionCallInfo call;
} Step;

typedef struct Argument
{
	int			input;			/* which column of the node below; from 0 */
	Step	   *steps;			/* what is called with it, one after the other */
} Argument;

/* A column of a table that is an argument. */
typedef struct Column
{
	AttrNumber	number;
	bool		by_value;
	int16		length;
	int32		offset;			/* if the table is fixed */
} Column;

typedef struct Table
{
	SeqScanState *scan;			/* NULL: not one whose rows may be taken */
	bool		is_fixed;		/* columns are always at the same place in tuples that have no NULL */
	AttrNumber	last_column;
	Column		columns[PAGE_ROWS_ARGUMENTS];
} Table;

struct PageRows
{
	AggState   *aggregation;
	AppendState *append;		/* NULL: one table */
	Table	   *tables;			/* in the order of append's plans */
	int			count;			/* of arguments */
	Argument	arguments[PAGE_ROWS_ARGUMENTS];
	int			at_once;		/* so many rows are read together */
};

/*
 * Whether values of a type may be so long, or be made longer, that not even a
 * page of them should be in memory.
 */
static bool
may_be_long(Oid type)
{
	return get_typlen(type) < 0 && type != NUMERICOID;
}

/* ---------- what the arguments are ---------- */

/* Whether an expression has one value for the whole query. */
static bool
is_known_beforehand(const Node *expression)
{
	return IsA(expression, Const) ||
		(IsA(expression, Param) && ((const Param *) expression)->paramkind == PARAM_EXTERN);
}

/* That value, which is not NULL; false: it is. */
static bool
evaluate_beforehand(const Node *expression, AggState *aggregation, Datum *value)
{
	ExprState  *state = ExecInitExpr((Expr *) expression, &aggregation->ss.ps);
	bool		is_null;
	int16		length;
	bool		by_value;

	*value = ExecEvalExprSwitchContext(state, aggregation->ss.ps.ps_ExprContext, &is_null);
	if (is_null)
		return false;
	get_typlenbyval(exprType(expression), &length, &by_value);
	*value = datumCopy(*value, by_value, length);
	return true;
}

/*
 * The step that is the call of a function; input is the argument which is not
 * known beforehand.  NULL: it is not a function of one such argument.
 */
static Step *
make_step(const Node *expression, Oid function, Oid collation, List *arguments,
		  AggState *aggregation, const Node **input)
{
	Step	   *step = palloc0(sizeof(Step));
	int			count = list_length(arguments);

	*input = NULL;
	fmgr_info(function, &step->function);
	fmgr_info_set_expr((Node *) expression, &step->function);

	/* calls that are counted are the executor's */
	if (!step->function.fn_strict || step->function.fn_retset ||
		func_volatile(function) == PROVOLATILE_VOLATILE ||
		pgstat_track_functions > step->function.fn_stats)
		return NULL;

	step->call = palloc0(SizeForFunctionCallInfo(count));
	InitFunctionCallInfoData(*step->call, &step->function, count, collation, NULL, NULL);
	for (int i = 0; i < count; i++)
	{
		const Node *argument = list_nth(arguments, i);

		if (is_known_beforehand(argument))
		{
			if (!evaluate_beforehand(argument, aggregation, &step->call->args[i].value))
				return NULL;
		}
		else if (*input != NULL)
			return NULL;
		else
		{
			*input = argument;
			step->value = &step->call->args[i];
		}
	}
	return *input == NULL ? NULL : step;
}

/* false: the expression is another. */
static bool
examine_argument(PageRows *rows, Argument *argument, const Node *expression)
{
	AggState   *aggregation = rows->aggregation;

	for (;;)
	{
		Step	   *step;

		if (may_be_long(exprType(expression)))
			rows->at_once = 1;
		switch (nodeTag(expression))
		{
			case T_Var:
				argument->input = ((const Var *) expression)->varattno - 1;
				return ((const Var *) expression)->varno == OUTER_VAR && argument->input >= 0;
			case T_RelabelType:
				expression = (const Node *) ((const RelabelType *) expression)->arg;
				continue;
			case T_FuncExpr:
				{
					const FuncExpr *call = (const FuncExpr *) expression;

					step = make_step(expression, call->funcid, call->inputcollid, call->args,
									 aggregation, &expression);
					break;
				}
			case T_OpExpr:
				{
					const OpExpr *call = (const OpExpr *) expression;

					step = make_step(expression, call->opfuncid, call->inputcollid, call->args,
									 aggregation, &expression);
					break;
				}
			default:
				return false;
		}
		if (step == NULL)
			return false;
		/* what is inside is called before */
		step->next = argument->steps;
		argument->steps = step;
	}
}

/* ---------- what the tables are ---------- */

/*
 * Where the columns are in tuples that have no NULL, if that is the same in
 * all of them: nothing before has a length of its own.
 */
static bool
find_offsets(Table *table, int count)
{
	TupleDesc	description = RelationGetDescr(table->scan->ss.ss_currentRelation);
	int32		offset = 0;

	for (AttrNumber number = 1; number <= table->last_column; number++)
	{
		Form_pg_attribute attribute = TupleDescAttr(description, number - 1);
		int32		aligned = att_align_nominal(offset, attribute->attalign);

		/* a short varlena is not aligned */
		if (attribute->attlen < 0 &&
			(attribute->attlen != -1 || aligned != offset || number < table->last_column))
			return false;
		for (int i = 0; i < count; i++)
		{
			if (table->columns[i].number == number)
				table->columns[i].offset = aligned;
		}
		offset = aligned + attribute->attlen;
	}
	return true;
}

/* Examines a plan below the aggregation; if its rows are not to be taken, table->scan stays NULL. */
static void
examine_table(Table *table, PlanState *node, const PageRows *rows)
{
	SeqScanState *scan = (SeqScanState *) node;
	Relation	relation;
	ListCell   *cell;

	if (!IsA(node, SeqScanState))
		return;
	relation = scan->ss.ss_currentRelation;
	if (relation->rd_tableam != GetHeapamTableAmRoutine() ||
		node->state->es_epq_active != NULL)
		return;

	/* what else is computed for each row might have an effect */
	foreach(cell, node->plan->targetlist)
	{
		if (!IsA(lfirst_node(TargetEntry, cell)->expr, Var))
			return;
	}

	for (int i = 0; i < rows->count; i++)
	{
		const TargetEntry *entry = list_nth(node->plan->targetlist, rows->arguments[i].input);
		Column	   *column = &table->columns[i];
		Form_pg_attribute attribute;

		column->number = ((const Var *) entry->expr)->varattno;
		if (column->number <= 0)
			return;
		attribute = TupleDescAttr(RelationGetDescr(relation), column->number - 1);
		column->by_value = attribute->attbyval;
		column->length = attribute->attlen;
		table->last_column = Max(table->last_column, column->number);
	}
	table->scan = scan;
	table->is_fixed = find_offsets(table, rows->count);
}

static bool
examine_tables(PageRows *rows)
{
	PlanState  *node = outerPlanState(rows->aggregation);
	bool		any = false;
	int			count = 1;

	if (IsA(node, AppendState))
	{
		rows->append = (AppendState *) node;
		count = rows->append->as_nplans;
		if (rows->append->as_nasyncplans > 0 || node->ps_ProjInfo != NULL)
			return false;
	}
	rows->tables = palloc0(sizeof(Table) * count);
	for (int i = 0; i < count; i++)
	{
		examine_table(&rows->tables[i], rows->append == NULL ? node : rows->append->appendplans[i], rows);
		any |= rows->tables[i].scan != NULL;
	}
	return any;
}

PageRows *
page_rows_begin(FunctionCallInfo fcinfo)
{
	AggState   *aggregation = (AggState *) fcinfo->context;
	const Aggref *aggref = AggGetAggref(fcinfo);
	MemoryContext old_context;
	PageRows   *rows;
	bool		is_possible = true;

	if (aggref == NULL || aggregation->aggstrategy != AGG_PLAIN || aggregation->maxsets != 1 ||
		aggregation->numtrans != 1 || aggref->aggfilter != NULL || aggref->aggdistinct != NIL ||
		aggref->aggorder != NIL || aggref->aggdirectargs != NIL)
		return NULL;

	old_context = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	rows = palloc0(sizeof(PageRows));
	rows->aggregation = aggregation;
	rows->at_once = PAGE_ROWS_AT_ONCE;
	rows->count = list_length(aggref->args);
	Assert(rows->count == fcinfo->nargs - 1 && rows->count <= PAGE_ROWS_ARGUMENTS);
	for (int i = 0; i < rows->count && is_possible; i++)
	{
		const TargetEntry *entry = list_nth(aggref->args, i);

		is_possible = examine_argument(rows, &rows->arguments[i], (const Node *) entry->expr);
	}
	is_possible = is_possible && examine_tables(rows);
	MemoryContextSwitchTo(old_context);
	return is_possible ? rows : NULL;
}

/* ---------- rows ---------- */

/* Whether all tuples have their columns at the table's offsets. */
static bool
tuples_are_plain(const Table *table, const HeapTupleHeader *tuples, int count)
{
	if (!table->is_fixed)
		return false;
	for (int row = 0; row < count; row++)
	{
		/* there may be columns that are newer than the tuple */
		if ((tuples[row]->t_infomask & HEAP_HASNULL) != 0 ||
			HeapTupleHeaderGetNatts(tuples[row]) < table->last_column)
			return false;
	}
	return true;
}

static void
read_plain_tuples(const Table *table, const HeapTupleHeader *tuples, int count, PageRow *values,
				  int arguments)
{
	for (int i = 0; i < arguments; i++)
	{
		const Column *column = &table->columns[i];

		for (int row = 0; row < count; row++)
		{
			const char *place = (const char *) tuples[row] + tuples[row]->t_hoff + column->offset;

			values[row][i].value = fetch_att(place, column->by_value, column->length);
			values[row][i].isnull = false;
		}
	}
}

/*
 * As the executor reads them, that many before the scan's current one and that
 * one; leaves out what the scan does not look for, and returns how many are
 * left.
 */
static int
read_tuples(const Table *table, const HeapTupleHeader *tuples, int count, PageRow *values,
			int arguments)
{
	SeqScanState *node = table->scan;
	HeapScanDesc scan = (HeapScanDesc) node->ss.ss_currentScanDesc;
	HeapTuple	tuple = &scan->rs_ctup;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;
	ExprContext *context = node->ss.ps.ps_ExprContext;
	int			found = 0;

	for (int row = 0; row < count; row++)
	{
		OffsetNumber line = scan->rs_vistuples[scan->rs_cindex + 1 - count + row];

		CHECK_FOR_INTERRUPTS();
		tuple->t_data = tuples[row];
		tuple->t_len = ItemIdGetLength(PageGetItemId(BufferGetPage(scan->rs_cbuf), line));
		ItemPointerSet(&tuple->t_self, scan->rs_cblock, line);
		ExecStoreBufferHeapTuple(tuple, slot, scan->rs_cbuf);
		if (node->ss.ps.qual != NULL)
		{
			ResetExprContext(context);
			context->ecxt_scantuple = slot;
			if (!ExecQual(node->ss.ps.qual, context))
			{
				InstrCountFiltered1(node, 1);
				continue;
			}
		}
		slot_getsomeattrs(slot, table->last_column);
		for (int i = 0; i < arguments; i++)
		{
			values[found][i].value = slot->tts_values[table->columns[i].number - 1];
			values[found][i].isnull = slot->tts_isnull[table->columns[i].number - 1];
		}
		found++;
	}
	return found;
}

/* Makes the scan pass over the next tuples of its page, so many at most; returns how many. */
static int
next_tuples(const Table *table, HeapTupleHeader *tuples, int most)
{
	HeapScanDesc scan = (HeapScanDesc) table->scan->ss.ss_currentScanDesc;
	Page		page;
	int			count;

	/* without page-at-a-time mode, for snapshots other than MVCC's, there are none */
	if ((scan->rs_base.rs_flags & SO_ALLOW_PAGEMODE) == 0 || !scan->rs_inited)
		return 0;
	count = Min((int) scan->rs_ntuples - (int) scan->rs_cindex - 1, most);
	if (count <= 0)
		return 0;
	page = BufferGetPage(scan->rs_cbuf);
	for (int i = 0; i < count; i++)
	{
		ItemId		item = PageGetItemId(page, scan->rs_vistuples[scan->rs_cindex + 1 + i]);

		tuples[i] = (HeapTupleHeader) PageGetItem(page, item);
		__builtin_prefetch(tuples[i]);
	}
	scan->rs_cindex += count;
	count_tuples_read(table->scan->ss.ss_currentRelation, count);
	return count;
}

int
page_rows_read(PageRows *rows, PageRow values[PAGE_ROWS_AT_ONCE])
{
	const Table *table = &rows->tables[rows->append == NULL ? 0 : rows->append->as_whichplan];
	HeapTupleHeader tuples[PAGE_ROWS_AT_ONCE];
	int			count;

	if (table->scan == NULL)
		return 0;
	do
	{
		int			found = next_tuples(table, tuples, rows->at_once);

		if (found == 0)
			return 0;
		CHECK_FOR_INTERRUPTS();
		count = found;
		if (table->scan->ss.ps.qual == NULL && tuples_are_plain(table, tuples, found))
			read_plain_tuples(table, tuples, found, values, rows->count);
		else
			count = read_tuples(table, tuples, found, values, rows->count);
	} while (count == 0);
	if (table->scan->ss.ps.instrument != NULL)
		table->scan->ss.ps.instrument->tuplecount += count;
	if (rows->append != NULL && rows->append->ps.instrument != NULL)
		rows->append->ps.instrument->tuplecount += count;

	ResetExprContext(rows->aggregation->tmpcontext);
	for (int i = 0; i < rows->count; i++)
	{
		for (const Step *step = rows->arguments[i].steps; step != NULL; step = step->next)
		{
			for (int row = 0; row < count; row++)
			{
				NullableDatum *value = &values[row][i];

				if (value->isnull)
					continue;
				step->value->value = value->value;
				step->call->isnull = false;
				value->value = FunctionCallInvoke(step->call);
				value->isnull = step->call->isnull;
			}
		}
	}
	return count;
}
