/*
 * run_workers.c
 *	  Parallel workers that sort and write a part of the rows of a run.
 *
 * run_workers.h tells the design.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/proc.h"
#include "storage/shm_mq.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#include "compat.h"
#include "run_workers.h"
#include "workers.h"

/* Holds a few groups, so that a worker has one while the leader writes. */
#define QUEUE_SIZE		((Size) 1024 * 1024)

/* A larger group, of customers with very many rows, the leader writes itself. */
#define MAX_SENT_SIZE	((Size) 8 * 1024 * 1024)

/* Of what is shared; another number if that changes. */
#define LAYOUT			WORKERS_LAYOUT(1, sizeof(SharedRun))

/* Seen by the leader and its workers.  Two queues for each follow. */
typedef struct SharedRun
{
	bool		has_amounts;
	int			scale;
	CompactForm form;
} SharedRun;

PGDLLEXPORT void loyalty_run_worker(dsm_segment *segment, shm_toc *toc);

typedef enum QueueKind
{
	QUEUE_ROWS,
	QUEUE_RESULTS
} QueueKind;

static shm_mq *
shared_queue(SharedRun *shared, int worker, QueueKind kind)
{
	return (shm_mq *) ((char *) shared + MAXALIGN(sizeof(SharedRun)) + (2 * worker + kind) * QUEUE_SIZE);
}

/* What a worker made of a group: the last key, and a history. */
typedef struct Result
{
	int64		last_key;
	CustomerHistory *history;
} Result;

/* ---------- a worker ---------- */

/* A portion of rows, which need not be aligned. */
static void
write_portion(CompactRun *run, const char *rows, uint32 count)
{
	if (count <= COMPACT_CACHED_ROWS(run->width))
	{
		memcpy(compact_run_cached(run), rows, count * run->width);
		compact_run_write_cached(run, count);
	}
	else
	{
		RowList		list = {0};

		row_list_append_all(&list, CurrentMemoryContext, rows, count, run->width);
		compact_run_write(run, &list);
	}
}

static Result
write_group(const SharedRun *shared, const char *rows, Size size)
{
	const char *end = rows + size;
	CompactRun	run;
	Result		result;

	compact_run_open(&run, HISTORY_KEY_BIGINT, shared->has_amounts, shared->scale, &shared->form);
	while (rows < end)
	{
		uint32		count;

		memcpy(&count, rows, sizeof(count));
		rows += sizeof(count);
		write_portion(&run, rows, count);
		rows += count * run.width;
	}
	result.history = compact_run_finish(&run);
	result.last_key = run.writer.previous_number;
	return result;
}

void
loyalty_run_worker(dsm_segment *segment, shm_toc *toc)
{
	SharedRun  *shared = workers_shared(toc, LAYOUT);
	shm_mq	   *rows;
	shm_mq	   *results;
	shm_mq_handle *from;
	shm_mq_handle *to;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "loyalty run worker",
												  ALLOCSET_DEFAULT_SIZES);
	Size		size;
	void	   *data;

	if (shared == NULL)
		return;
	rows = shared_queue(shared, ParallelWorkerNumber, QUEUE_ROWS);
	results = shared_queue(shared, ParallelWorkerNumber, QUEUE_RESULTS);
	shm_mq_set_receiver(rows, MyProc);
	shm_mq_set_sender(results, MyProc);
	from = shm_mq_attach(rows, segment, NULL);
	to = shm_mq_attach(results, segment, NULL);
	while (shm_mq_receive(from, &size, &data, false) == SHM_MQ_SUCCESS)
	{
		MemoryContext old_context = MemoryContextSwitchTo(context);
		Result		result = write_group(shared, data, size);
		shm_mq_iovec parts[] = {
			{(const char *) &result.last_key, sizeof(result.last_key)},
			{(const char *) result.history, VARSIZE(result.history)}
		};

		MemoryContextSwitchTo(old_context);
		/* a leader who is gone takes us with it */
		(void) shm_mq_sendv(to, parts, lengthof(parts), false, true);
		MemoryContextReset(context);
	}
	shm_mq_detach(from);
	shm_mq_detach(to);
}

/* ---------- the leader ---------- */

/* A worker as the leader sees it. */
typedef struct Writer
{
	shm_mq_handle *to;
	shm_mq_handle *from;
	char	   *rows;			/* that are being sent; NULL: none */
	Size		size;
	int		   *groups;			/* it was given, in this order */
	int			given;
	int			done;
} Writer;

typedef struct Assembly
{
	Workers		workers;
	Writer	   *writers;
	const RunGroups *groups;
	int			front;			/* groups that the leader wrote */
	int			back;			/* the first of those that workers were given */
	Result	   *results;		/* by group */
} Assembly;

static void
start_writers(Assembly *assembly, const CompactRun *run, int count)
{
	SharedRun  *shared;

	workers_prepare(&assembly->workers, "loyalty_run_worker", count, LAYOUT,
					MAXALIGN(sizeof(SharedRun)) + 2 * count * QUEUE_SIZE);
	shared = assembly->workers.shared;
	shared->has_amounts = run->writer.header.has_amounts;
	shared->scale = run->writer.header.scale;
	shared->form = run->form;
	assembly->writers = palloc0(count * sizeof(Writer));
	for (int i = 0; i < assembly->workers.count; i++)
	{
		Writer	   *writer = &assembly->writers[i];
		shm_mq	   *rows = shm_mq_create(shared_queue(shared, i, QUEUE_ROWS), QUEUE_SIZE);
		shm_mq	   *results = shm_mq_create(shared_queue(shared, i, QUEUE_RESULTS), QUEUE_SIZE);

		shm_mq_set_sender(rows, MyProc);
		shm_mq_set_receiver(results, MyProc);
		writer->to = shm_mq_attach(rows, assembly->workers.context->seg, NULL);
		writer->from = shm_mq_attach(results, assembly->workers.context->seg, NULL);
		writer->groups = palloc(assembly->groups->count * sizeof(int));
	}
	workers_start(&assembly->workers);
	for (int i = 0; i < assembly->workers.count; i++)
	{
		BackgroundWorkerHandle *handle = assembly->workers.context->worker[i].bgwhandle;

		shm_mq_set_handle(assembly->writers[i].to, handle);
		shm_mq_set_handle(assembly->writers[i].from, handle);
	}
}

/* Whether the transfer is done; raises why there will be none. */
static bool
is_done(Assembly *assembly, shm_mq_result result)
{
	if (result == SHM_MQ_DETACHED)
	{
		/* the error of a worker, or that it was lost */
		workers_wait(&assembly->workers);
		elog(ERROR, "a parallel worker ended too early");
	}
	return result == SHM_MQ_SUCCESS;
}

/* Goes on with sending; false if the queue is full. */
static bool
send_rows(Assembly *assembly, Writer *writer)
{
	if (!is_done(assembly, shm_mq_send(writer->to, writer->size, writer->rows, true, true)))
		return false;
	pfree(writer->rows);
	writer->rows = NULL;
	return true;
}

/* Takes the result of a group; false if none is there. */
static bool
take_result(Assembly *assembly, Writer *writer, bool nowait)
{
	Result	   *result = &assembly->results[writer->groups[writer->done]];
	Size		size;
	void	   *data;

	if (!is_done(assembly, shm_mq_receive(writer->from, &size, &data, nowait)))
		return false;
	memcpy(&result->last_key, data, sizeof(result->last_key));
	size -= sizeof(result->last_key);
	result->history = history_host.resize(NULL, size);
	memcpy(result->history, (char *) data + sizeof(result->last_key), size);
	writer->done++;
	return true;
}

/* Gives a worker what its queue has room for, and takes what it has done. */
static void
serve(Assembly *assembly, Writer *writer)
{
	/* before it has come it may take its time */
	if (shm_mq_get_receiver(shm_mq_get_queue(writer->to)) == NULL)
		return;
	while (writer->done < writer->given && take_result(assembly, writer, true))
		;
	for (;;)
	{
		if (writer->rows != NULL && !send_rows(assembly, writer))
			return;
		if (assembly->front == assembly->back ||
			assembly->groups->sizes[assembly->back - 1] > MAX_SENT_SIZE)
			return;
		writer->groups[writer->given++] = --assembly->back;
		writer->rows = assembly->groups->collect(assembly->groups->state, assembly->back,
												 &writer->size);
	}
}

/* The rest of what a worker was given, then it may go. */
static void
finish_writer(Assembly *assembly, Writer *writer)
{
	while (writer->done < writer->given)
	{
		/* it reads only as long as what it made is taken */
		if (writer->rows != NULL && send_rows(assembly, writer))
			continue;
		if (take_result(assembly, writer, writer->rows != NULL))
			continue;
		if (writer->rows != NULL)
		{
			(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH, 0, PG_WAIT_EXTENSION);
			ResetLatch(MyLatch);
			CHECK_FOR_INTERRUPTS();
		}
	}
	shm_mq_detach(writer->to);
	shm_mq_detach(writer->from);
}

void
compact_run_write_groups(CompactRun *run, const RunGroups *groups)
{
	int			count = groups->count > 1 ? workers_for(groups->size) : 0;
	Assembly	assembly = {.groups = groups, .back = groups->count};

	if (count > 0)
	{
		assembly.results = palloc0(groups->count * sizeof(Result));
		start_writers(&assembly, run, count);
	}
	while (assembly.front < assembly.back)
	{
		groups->write(groups->state, run, assembly.front++);
		for (int i = 0; i < assembly.workers.count; i++)
			serve(&assembly, &assembly.writers[i]);
	}
	if (count == 0)
		return;

	for (int i = 0; i < assembly.workers.count; i++)
		finish_writer(&assembly, &assembly.writers[i]);
	workers_wait(&assembly.workers);
	ereport(DEBUG1,
			(errmsg_internal("parallel workers wrote %d of %d groups of a customer_history",
							 groups->count - assembly.back, groups->count)));
	for (int group = assembly.back; group < groups->count; group++)
	{
		compact_run_append(run, assembly.results[group].history, assembly.results[group].last_key);
		pfree(assembly.results[group].history);
	}
	workers_end(&assembly.workers);
	for (int i = 0; i < count; i++)
		if (assembly.writers[i].groups != NULL)
			pfree(assembly.writers[i].groups);
	pfree(assembly.writers);
	pfree(assembly.results);
}
