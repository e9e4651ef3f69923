/*
 * report_parallel.c
 *	  Counting the customers of a large stored history on several processors.
 *
 * The value is cut into parts of a quarter of a megabyte or more.  The leader
 * takes them from the front, parallel workers from the back, one after the
 * other until none is left, so that who started late or is slow does less.
 * Each counts into cells of its own, and the leader adds up what they hold:
 * whole numbers, of which the order does not matter.
 *
 * A worker calls the report itself with the leader's arguments.  It begins
 * each of its parts with a guess where a customer begins (history_seek), and
 * notes where the part began and ended and how many customers it had.  The
 * leader looks whether all that fits together; if not, it counts the rest
 * itself, as it would have done without workers, and so finds whatever damage
 * there may be in what the report reads.
 *
 * Values in memory, in temporary tables, which belong to one process, and
 * compressed ones are counted by the leader alone.
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"

#include "report.h"
#include "workers.h"

/* Of what is shared; another number if that, or cells of a report, change. */
#define LAYOUT			WORKERS_LAYOUT(1, sizeof(SharedReport))

/* A part is no smaller, and there are no more. */
#define MIN_PART_SIZE	((Size) 256 * 1024)
#define MAX_PARTS		64

/* What a worker read: bytes of the value, and customers. */
typedef struct Part
{
	Size		start;
	Size		end;
	uint32		customers;
} Part;

/* Seen by the leader and its workers.  Arguments follow, and cells by worker. */
typedef struct SharedReport
{
	Oid			function;
	Oid			collation;
	int			arg_count;
	Size		value_size;
	Size		args_size;
	Size		cells_size;
	uint32		part_count;
	pg_atomic_uint32 taken;		/* parts, by anybody; more than there are at the end */
	pg_atomic_uint32 taken_back;	/* by workers */
	pg_atomic_uint32 failed;
	Part		parts[MAX_PARTS];
} SharedReport;

PGDLLEXPORT void loyalty_report_worker(dsm_segment *segment, shm_toc *toc);

/* In a worker that calls a report; else NULL. */
static SharedReport *helped = NULL;

static inline char *
shared_args(SharedReport *shared)
{
	return (char *) shared + MAXALIGN(sizeof(SharedReport));
}

static inline char *
shared_cells(SharedReport *shared, int worker)
{
	return shared_args(shared) + MAXALIGN(shared->args_size) + worker * shared->cells_size;
}

static Size
part_start(const SharedReport *shared, uint32 part)
{
	return HISTORY_HEADER_SIZE +
		(shared->value_size - HISTORY_HEADER_SIZE) / shared->part_count * part;
}

static bool
take_part(SharedReport *shared)
{
	return pg_atomic_read_u32(&shared->failed) == 0 &&
		pg_atomic_fetch_add_u32(&shared->taken, 1) < shared->part_count;
}

bool
report_is_helped(void)
{
	return helped != NULL;
}

/* ---------- a worker ---------- */

static void
help(Report *report, void (*count) (void *state), void *state,
	 const ReportCells *cells, int cells_count)
{
	HistoryReader *reader = &report->reader;
	char	   *to = shared_cells(helped, ParallelWorkerNumber);

	while (take_part(helped))
	{
		uint32		index = helped->part_count - 1 - pg_atomic_fetch_add_u32(&helped->taken_back, 1);
		Part	   *part = &helped->parts[index];

		if (!history_seek(reader, part_start(helped, index)))
		{
			pg_atomic_write_u32(&helped->failed, 1);
			return;
		}
		part->start = history_position(reader);
		history_read_to(reader, index + 1 == helped->part_count ? helped->value_size :
						part_start(helped, index + 1));
		count(state);
		if (reader->damage != NULL)
		{
			pg_atomic_write_u32(&helped->failed, 1);
			return;
		}
		part->end = history_position(reader);
		part->customers = reader->header.customers - reader->customers_left;
	}
	for (int i = 0; i < cells_count; i++)
	{
		memcpy(to, cells[i].cells, cells[i].size);
		to += MAXALIGN(cells[i].size);
	}
}

void
loyalty_report_worker(dsm_segment *segment, shm_toc *toc)
{
	SharedReport *shared = workers_shared(toc, LAYOUT);
	MemoryContext context = CurrentMemoryContext;
	char	   *arg;
	FmgrInfo	function;

	LOCAL_FCINFO(fcinfo, FUNC_MAX_ARGS);

	if (shared == NULL)
		return;
	arg = shared_args(shared);
	fmgr_info(shared->function, &function);
	InitFunctionCallInfoData(*fcinfo, &function, shared->arg_count, shared->collation, NULL, NULL);
	for (int i = 0; i < shared->arg_count; i++)
		fcinfo->args[i].value = datumRestore(&arg, &fcinfo->args[i].isnull);

	helped = shared;
	PG_TRY();
	{
		FunctionCallInvoke(fcinfo);
	}
	PG_CATCH();
	{
		helped = NULL;
		/* sums of what a wrong guess made of the bytes; the leader will see what is so */
		if (geterrcode() != ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE)
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		FlushErrorState();
		pg_atomic_write_u32(&shared->failed, 1);
	}
	PG_END_TRY();
	helped = NULL;
}

/* ---------- the leader ---------- */

/* How many workers may help with that value. */
static int
workers_for_value(Datum datum, Size cells_size)
{
	Size		size = history_stored_size(datum);
	int			workers = size == 0 || cells_size > REPORT_MAX_SHARED ? 0 : workers_for(size);

	if (workers > 0 && history_is_temporary(datum))
		return 0;
	return workers;
}

/* The arguments of the leader's call. */
typedef struct Args
{
	int			count;
	NullableDatum *values;
	int16	   *lengths;		/* of their types */
	bool	   *by_value;
} Args;

/* The history goes as the pointer to where it is stored, which other arguments may be for the leader only. */
static Args
make_args(FunctionCallInfo fcinfo, Datum history)
{
	Args		args;
	Oid		   *types;

	(void) get_func_signature(fcinfo->flinfo->fn_oid, &types, &args.count);
	args.values = palloc(args.count * sizeof(NullableDatum));
	args.lengths = palloc(args.count * sizeof(int16));
	args.by_value = palloc(args.count * sizeof(bool));
	for (int i = 0; i < args.count; i++)
	{
		get_typlenbyval(types[i], &args.lengths[i], &args.by_value[i]);
		args.values[i] = fcinfo->args[i];
		if (args.lengths[i] == -1 && !args.values[i].isnull && args.values[i].value != history)
			args.values[i].value = PointerGetDatum(PG_DETOAST_DATUM(args.values[i].value));
	}
	return args;
}

static Size
args_size(const Args *args)
{
	Size		size = 0;

	for (int i = 0; i < args->count; i++)
		size += datumEstimateSpace(args->values[i].value, args->values[i].isnull,
								   args->by_value[i], args->lengths[i]);
	return size;
}

static void
write_args(const Args *args, char *to)
{
	for (int i = 0; i < args->count; i++)
		datumSerialize(args->values[i].value, args->values[i].isnull, args->by_value[i],
					   args->lengths[i], &to);
}

/* Whether the parts of workers begin where the reader has come to, and go on without a gap to the end. */
static bool
parts_fit(const SharedReport *shared, uint32 first, const HistoryReader *reader)
{
	Size		position = history_position(reader);
	uint64		customers = reader->header.customers - reader->customers_left;

	for (uint32 i = first; i < shared->part_count; i++)
	{
		if (shared->parts[i].start != position)
			return false;
		position = shared->parts[i].end;
		customers += shared->parts[i].customers;
	}
	return position == reader->size && customers == reader->header.customers;
}

static void
add_cells(SharedReport *shared, int workers, const ReportCells *cells, int cells_count)
{
	for (int worker = 0; worker < workers; worker++)
	{
		const char *from = shared_cells(shared, worker);

		for (int i = 0; i < cells_count; i++)
		{
			cells[i].add(cells[i].cells, from, cells[i].size);
			from += MAXALIGN(cells[i].size);
		}
	}
}

static void
lead(Report *report, FunctionCallInfo fcinfo, int worker_count,
	 void (*count) (void *state), void *state,
	 const ReportCells *cells, int cells_count, Size cells_size)
{
	HistoryReader *reader = &report->reader;
	Workers		workers;
	SharedReport *shared;
	uint32		read = 0;		/* parts */
	Args		args = make_args(fcinfo, report->history);
	Size		size = args_size(&args);
	bool		fit;

	workers_prepare(&workers, "loyalty_report_worker", worker_count, LAYOUT,
					MAXALIGN(sizeof(SharedReport)) + MAXALIGN(size) + worker_count * cells_size);
	shared = workers.shared;
	shared->function = fcinfo->flinfo->fn_oid;
	shared->collation = fcinfo->fncollation;
	shared->arg_count = args.count;
	shared->value_size = reader->size;
	shared->args_size = size;
	shared->cells_size = cells_size;
	shared->part_count = (uint32) Min(Max(reader->size / MIN_PART_SIZE, 1), MAX_PARTS);
	pg_atomic_init_u32(&shared->taken, 0);
	pg_atomic_init_u32(&shared->taken_back, 0);
	pg_atomic_init_u32(&shared->failed, 0);
	write_args(&args, shared_args(shared));
	workers_start(&workers);

	while (take_part(shared))
	{
		read++;
		history_read_to(reader, read == shared->part_count ? HISTORY_NO_LIMIT :
						part_start(shared, read));
		count(state);
	}
	workers_wait(&workers);
	fit = pg_atomic_read_u32(&shared->failed) == 0 && parts_fit(shared, read, reader);
	ereport(DEBUG1,
			(errmsg_internal("parallel workers counted %u of %u parts of a customer_history%s",
							 shared->part_count - read, shared->part_count,
							 fit ? "" : ", which do not fit together")));
	if (fit)
		add_cells(shared, workers.count, cells, cells_count);
	else
	{
		history_read_to(reader, HISTORY_NO_LIMIT);
		count(state);
	}
	workers_end(&workers);
}

bool
report_count(Report *report, FunctionCallInfo fcinfo, void (*count) (void *state), void *state,
			 const ReportCells *cells, int cells_count)
{
	Size		cells_size = 0;
	int			workers;

	for (int i = 0; i < cells_count; i++)
		cells_size += MAXALIGN(cells[i].size);
	if (helped != NULL)
	{
		if (cells_size != helped->cells_size)
			elog(ERROR, "cells of a report differ between parallel workers");
		help(report, count, state, cells, cells_count);
		return false;
	}
	workers = cells_count == 0 ? 0 : workers_for_value(report->history, cells_size);
	if (workers > 0)
		lead(report, fcinfo, workers, count, state, cells, cells_count, cells_size);
	else
		count(state);
	return true;
}

/* ---------- adding cells up ---------- */

void
add_counts(void *cells, const void *more, Size size)
{
	for (Size i = 0; i < size / sizeof(int64); i++)
		((int64 *) cells)[i] += ((const int64 *) more)[i];
}

void
add_short_counts(void *cells, const void *more, Size size)
{
	for (Size i = 0; i < size / sizeof(uint32); i++)
		((uint32 *) cells)[i] += ((const uint32 *) more)[i];
}
