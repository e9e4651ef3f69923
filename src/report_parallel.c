/*
 * report_parallel.c
 *	  Counting the customers of a large stored history on several processors.
 *
 * The value is cut into parts of a quarter of a megabyte or more.  The leader
 * takes them from the front, one by one, parallel workers from the back, and
 * less of them the fewer are left, so that who started late or is slow does
 * less.  As the leader has to wait until workers have exited, it takes the
 * last ones alone.  Each counts into cells of its own, and the leader adds up
 * what they hold: whole numbers, of which the order does not matter.
 *
 * A worker calls the report itself with the leader's arguments.  It begins
 * whenever it has taken parts with a guess where a customer begins
 * (history_seek), and notes where its stretch of the value began and ended and
 * how many customers it had.  The leader looks whether all that fits together;
 * if not, it counts the rest itself, as it would have done without workers,
 * and so finds whatever damage there may be in what the report reads.
 *
 * Values in memory, in temporary tables, which belong to one process, and
 * compressed ones are counted by the leader alone.
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/spin.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"

#include "report.h"
#include "workers.h"

/* Of what is shared; another number if that, or cells of a report, change. */
#define LAYOUT			WORKERS_LAYOUT(1, sizeof(SharedReport))

/* A part is no smaller, and there are no more. */
#define MIN_PART_SIZE	((Size) 256 * 1024)
#define MAX_PARTS		128

/* What the leader counts while a worker exits: workers leave so much at the end. */
#define EXIT_SIZE		((Size) 1024 * 1024)

/* What a worker read: parts in a row, the bytes of the value that they were, and customers. */
typedef struct Stretch
{
	uint32		parts;
	uint32		customers;
	Size		start;
	Size		end;
} Stretch;

/* Seen by the leader and its workers.  Arguments follow, and cells by worker. */
typedef struct SharedReport
{
	Oid			function;
	Oid			collation;
	int			arg_count;
	Size		value_size;
	Size		args_size;
	Size		cells_size;
	uint32		workers;		/* wanted */
	uint32		part_count;
	slock_t		lock;			/* of the next two */
	uint32		first_left;		/* of the parts that nobody has taken */
	uint32		end_left;		/* the part after these */
	pg_atomic_uint32 failed;
	Stretch		stretches[MAX_PARTS];	/* by their first parts */
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
	return part == shared->part_count ? shared->value_size :
		HISTORY_HEADER_SIZE + (shared->value_size - HISTORY_HEADER_SIZE) / shared->part_count * part;
}

static bool
take_first_part(SharedReport *shared)
{
	bool		taken;

	SpinLockAcquire(&shared->lock);
	taken = shared->first_left < shared->end_left;
	if (taken)
		shared->first_left++;
	SpinLockRelease(&shared->lock);
	return taken && pg_atomic_read_u32(&shared->failed) == 0;
}

/* Half of what would be everybody's share, from *first on; returns how many, or 0. */
static uint32
take_last_parts(SharedReport *shared, uint32 *first)
{
	uint32		kept = (uint32) Min(EXIT_SIZE * shared->part_count / shared->value_size,
									shared->part_count / 8);
	uint32		left;
	uint32		count = 0;

	SpinLockAcquire(&shared->lock);
	left = shared->end_left - shared->first_left;
	if (left > kept)
		count = Max((left - kept) / (2 * (shared->workers + 1)), 1);
	*first = shared->end_left -= count;
	SpinLockRelease(&shared->lock);
	return pg_atomic_read_u32(&shared->failed) == 0 ? count : 0;
}

bool
report_is_helped(void)
{
	return helped != NULL;
}

/* ---------- a worker ---------- */

static void
help(Report *report, void (*count_part) (void *state), void *state,
	 const ReportCells *cells, int cells_count)
{
	HistoryReader *reader = &report->reader;
	char	   *to = shared_cells(helped, ParallelWorkerNumber);
	uint32		first,
				count;

	while ((count = take_last_parts(helped, &first)) > 0)
	{
		Stretch    *stretch = &helped->stretches[first];

		if (!history_seek(reader, part_start(helped, first)))
		{
			pg_atomic_write_u32(&helped->failed, 1);
			return;
		}
		stretch->start = history_position(reader);
		history_read_to(reader, part_start(helped, first + count));
		count_part(state);
		if (reader->damage != NULL)
		{
			pg_atomic_write_u32(&helped->failed, 1);
			return;
		}
		stretch->end = history_position(reader);
		stretch->customers = reader->header.customers - reader->customers_left;
		stretch->parts = count;
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

/* Whether what workers read begins where the reader has come to, and goes on without a gap to the end. */
static bool
stretches_fit(const SharedReport *shared, uint32 first, const HistoryReader *reader)
{
	Size		position = history_position(reader);
	uint64		customers = reader->header.customers - reader->customers_left;

	for (uint32 i = first; i < shared->part_count; i += shared->stretches[i].parts)
	{
		if (shared->stretches[i].parts == 0 || shared->stretches[i].start != position)
			return false;
		position = shared->stretches[i].end;
		customers += shared->stretches[i].customers;
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
	shared->workers = (uint32) worker_count;
	shared->part_count = (uint32) Min(Max(reader->size / MIN_PART_SIZE, 1), MAX_PARTS);
	SpinLockInit(&shared->lock);
	shared->first_left = 0;
	shared->end_left = shared->part_count;
	pg_atomic_init_u32(&shared->failed, 0);
	write_args(&args, shared_args(shared));
	workers_start(&workers);

	while (take_first_part(shared))
	{
		read++;
		history_read_to(reader, part_start(shared, read));
		count(state);
	}
	workers_wait(&workers);
	fit = pg_atomic_read_u32(&shared->failed) == 0 && stretches_fit(shared, read, reader);
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
