/*
 * history_parcel.c
 *	  Rows from a parallel worker to the leader.
 *
 * history_parcel.h tells the design.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "compact_run.h"
#include "compat.h"
#include "history_parcel.h"
#include "history_run.h"
#include "run_workers.h"

#define PARCEL_VERSION		255
#define SLIP_VERSION		254

/* Fewer bytes of rows go as a value; the server may shorten the header of what is very small. */
#define MIN_PARCEL_SIZE		((Size) 1024)

/* A smaller parcel is sent whole. */
#define MIN_SHARED_SIZE		((Size) 256 * 1024)

/* Larger parcels would take more memory than the values that they are to become. */
#define MAX_PARCEL_SIZE		((Size) 128 * 1024 * 1024)

/* Parcels that are larger together become a run at once. */
#define MAX_PARCELS_SIZE	((Size) 512 * 1024 * 1024)

/* So many bytes of rows, about, are a group that parallel workers can take. */
#define GROUP_SIZE			((Size) 256 * 1024)

struct Parcel
{
	int32		vl_len_;
	uint8		version;		/* where a value has its own */
	uint8		has_amounts;
	uint8		scale;
	uint8		key_unit;		/* bits of a key below the number of its partition */
	uint32		partitions;
	uint32		rows;
	uint8		range[sizeof(RowRange)];	/* not aligned */
	uint32		ends[FLEXIBLE_ARRAY_MEMBER];	/* of partitions, in rows */
	/* rows follow */
};

/* Instead of a parcel that is shared; the server may shorten its header. */
typedef struct ParcelSlip
{
	uint8		version;
	QueryMemory memory;
} ParcelSlip;

#define SLIP_SIZE			(VARHDRSZ + sizeof(ParcelSlip))

static const QueryMemory nowhere = {0, NULL, InvalidDsaPointer};

static inline RowRange
parcel_range(const Parcel *parcel)
{
	RowRange	range;

	memcpy(&range, parcel->range, sizeof(range));
	return range;
}

static inline CompactForm
parcel_form(const Parcel *parcel)
{
	RowRange	range = parcel_range(parcel);
	CompactForm form;
	bool		fits PG_USED_FOR_ASSERTS_ONLY = compact_form(&range, parcel->key_unit, &form);

	Assert(fits);
	return form;
}

static inline char *
parcel_rows(const Parcel *parcel)
{
	return (char *) &parcel->ends[parcel->partitions];
}

/* ---------- sending ---------- */

/* Adds the rows of a segment to the counts of their partitions. */
static pg_attribute_always_inline void
count_rows(const CompactRows *segment, uint64 least_key, int key_unit, uint32 *counts, const Size width)
{
	CompactForm form = segment->form;
	uint64		more = form.least_key - least_key;

	for (size_t i = 0; i < segment->count; i++)
		counts[(compact_key(&form, compact_at(segment->rows, i, width)) + more) >> key_unit]++;
}

/* A parcel without rows, whose ends are those of its partitions; NULL: rows cannot go this way. */
static Parcel *
plan_parcel(LargeState *state)
{
	RowRange	range;
	CompactForm form;
	size_t		rows;
	Size		size;
	Parcel	   *plan;
	int			key_unit;
	uint64		partitions;

	if (state->key_form != KEYS_NUMBERS || state->run_count > 0 || state->parcel_count > 0 ||
		!tail_compact(state) || state->segment_count == 0)
		return NULL;
	range = state->segment_range;
	rows = state->segment_rows;
	key_unit = partition_key_unit(range.most_key - range.least_key, rows);
	if (!compact_form(&range, key_unit, &form) || rows * COMPACT_WIDTH(&form) < MIN_PARCEL_SIZE ||
		rows * COMPACT_WIDTH(&form) > MAX_PARCEL_SIZE)
		return NULL;

	partitions = ((range.most_key - form.least_key) >> key_unit) + 1;
	size = offsetof(Parcel, ends) + partitions * sizeof(uint32);
	plan = palloc0(size);
	SET_VARSIZE(plan, size + rows * COMPACT_WIDTH(&form));
	plan->version = PARCEL_VERSION;
	plan->has_amounts = state->has_amounts;
	plan->scale = (uint8) state->scale;
	plan->key_unit = (uint8) key_unit;
	plan->partitions = (uint32) partitions;
	plan->rows = (uint32) rows;
	memcpy(plan->range, &range, sizeof(range));

	for (int i = 0; i < state->segment_count; i++)
	{
		const CompactRows *segment = &state->segments[i];

		CHECK_FOR_INTERRUPTS();
		if (COMPACT_WIDTH(&segment->form) == sizeof(uint32))
			count_rows(segment, form.least_key, key_unit, plan->ends, sizeof(uint32));
		else
			count_rows(segment, form.least_key, key_unit, plan->ends, sizeof(uint64));
	}
	for (uint64 p = 1; p < partitions; p++)
		plan->ends[p] += plan->ends[p - 1];
	return plan;
}

/* Plans a parcel; the plan is kept for who asks again, as the server does when it makes a tuple. */
static bool
make_plan(LargeState *state)
{
	MemoryContext old_context;

	if (state->parcel_plan != NULL && state->run_count == 0 && state->tail.rows == 0 &&
		state->segment_rows == state->parcel_plan->rows)
		return true;
	if (state->parcel_plan != NULL)
		pfree(state->parcel_plan);
	if (query_memory_is_valid(&state->parcel_memory))
		query_memory_free(&state->parcel_memory);
	state->parcel_memory = nowhere;
	old_context = MemoryContextSwitchTo(state->context);
	state->parcel_plan = plan_parcel(state);
	MemoryContextSwitchTo(old_context);
	return state->parcel_plan != NULL;
}

Size
parcel_size(LargeState *state)
{
	Size		size;

	if (!make_plan(state))
		return 0;
	size = VARSIZE(state->parcel_plan);
	if (size >= MIN_SHARED_SIZE && !query_memory_is_valid(&state->parcel_memory))
		state->parcel_memory = query_memory_allocate(state->area, size);
	return query_memory_is_valid(&state->parcel_memory) ? SLIP_SIZE : size;
}

/* Between constants of widths. */
static pg_attribute_always_inline void
write_segment(const CompactRows *segment, const CompactForm *form, int key_unit, uint32 *next,
			  char *to, const Size from_width, const Size width)
{
	CompactForm source = segment->form;
	CompactForm target = *form;
	CompactShift move = compact_shift(&source, &target);
	int			shift = form->key_shift + key_unit;

	for (size_t i = 0; i < segment->count; i++)
	{
		uint64		row = convert_compact(compact_at(segment->rows, i, from_width), &source, &target, &move);

		put_compact(to, next[row >> shift]++, row, width);
	}
}

/* The whole parcel, as planned. */
static void
write_rows(LargeState *state, void *result)
{
	Parcel	   *plan = state->parcel_plan;
	CompactForm form = parcel_form(plan);
	uint32	   *next = MemoryContextAllocZero(state->context, plan->partitions * sizeof(uint32));
	char	   *to;

	memcpy(result, plan, offsetof(Parcel, ends) + plan->partitions * sizeof(uint32));
	to = parcel_rows(result);
	memcpy(next + 1, plan->ends, (plan->partitions - 1) * sizeof(uint32));
	for (int i = 0; i < state->segment_count; i++)
	{
		const CompactRows *segment = &state->segments[i];

		CHECK_FOR_INTERRUPTS();
		if (COMPACT_WIDTH(&form) == sizeof(uint32))
			write_segment(segment, &form, plan->key_unit, next, to, sizeof(uint32), sizeof(uint32));
		else if (COMPACT_WIDTH(&segment->form) == sizeof(uint32))
			write_segment(segment, &form, plan->key_unit, next, to, sizeof(uint32), sizeof(uint64));
		else
			write_segment(segment, &form, plan->key_unit, next, to, sizeof(uint64), sizeof(uint64));
	}
	pfree(next);
}

void
parcel_write(LargeState *state, void *result)
{
	ParcelSlip	slip;

	if (!query_memory_is_valid(&state->parcel_memory))
	{
		write_rows(state, result);
		return;
	}
	write_rows(state, query_memory_address(&state->parcel_memory));
	memset(&slip, 0, sizeof(slip));
	slip.version = SLIP_VERSION;
	slip.memory = state->parcel_memory;
	SET_VARSIZE(result, SLIP_SIZE);
	memcpy(VARDATA(result), &slip, sizeof(slip));
}

/* ---------- receiving ---------- */

static bool
read_slip(Datum datum, ParcelSlip *slip)
{
	const struct varlena *value = (const struct varlena *) DatumGetPointer(datum);

	if (VARATT_IS_EXTERNAL(value) || VARATT_IS_COMPRESSED(value) ||
		VARSIZE_ANY_EXHDR(value) != sizeof(ParcelSlip))
		return false;
	memcpy(slip, VARDATA_ANY(value), sizeof(ParcelSlip));
	return slip->version == SLIP_VERSION;
}

bool
datum_is_parcel(Datum datum)
{
	const Parcel *parcel = (const Parcel *) DatumGetPointer(datum);
	ParcelSlip	slip;

	return (VARATT_IS_4B_U(parcel) && VARSIZE(parcel) > offsetof(Parcel, ends) &&
			parcel->version == PARCEL_VERSION) ||
		read_slip(datum, &slip);
}

/* Whether what the parcel says of itself is true, so that nothing is read beyond it. */
static bool
parcel_is_sound(const Parcel *parcel)
{
	Size		size = VARSIZE(parcel) - offsetof(Parcel, ends);
	RowRange	range = parcel_range(parcel);
	CompactForm form;

	if (parcel->key_unit > 63 || parcel->scale > HISTORY_MAX_SCALE || parcel->has_amounts > 1 ||
		range.least_key > range.most_key || range.first_day > range.last_day ||
		range.last_day > (uint32) ((int64) DAY_LAST - DAY_FIRST) ||
		range.least_amount > range.most_amount || !compact_form(&range, parcel->key_unit, &form) ||
		parcel->partitions == 0 || parcel->partitions > size / sizeof(uint32) ||
		size != parcel->partitions * sizeof(uint32) + (Size) parcel->rows * COMPACT_WIDTH(&form) ||
		parcel->ends[parcel->partitions - 1] != parcel->rows)
		return false;
	for (uint32 p = 1; p < parcel->partitions; p++)
		if (parcel->ends[p] < parcel->ends[p - 1])
			return false;
	return true;
}

/* Before a parcel is held; those before it may become a run. */
static void
make_room(LargeState *state, bool has_amounts, int scale, Size size)
{
	MemoryContext old_context;

	if (state->parcel_count > 0 &&
		(state->parcels[0].parcel->has_amounts != has_amounts ||
		 state->parcels[0].parcel->scale != scale || state->parcel_bytes + size > MAX_PARCELS_SIZE))
		parcels_flush(state);
	if (state->parcel_count < state->parcel_capacity)
		return;
	state->parcel_capacity = Max(state->parcel_capacity * 2, 8);
	old_context = MemoryContextSwitchTo(state->context);
	state->parcels = history_host.resize(state->parcels, state->parcel_capacity * sizeof(HeldParcel));
	MemoryContextSwitchTo(old_context);
}

static void
hold_parcel(LargeState *state, const Parcel *parcel, QueryMemory shared)
{
	state->parcels[state->parcel_count++] = (HeldParcel) {parcel, shared};
	state->parcel_bytes += VARSIZE(parcel);
}

void
parcels_add(LargeState *state, Datum datum, PlanState *node)
{
	const Parcel *parcel = (const Parcel *) DatumGetPointer(datum);
	QueryMemory shared = nowhere;
	ParcelSlip	slip;

	if (read_slip(datum, &slip))
	{
		shared = slip.memory;
		if (!query_memory_receive(&shared, node))
			history_raise_damage("its format version is unknown");
		parcel = query_memory_address(&shared);
	}
	if (!parcel_is_sound(parcel))
		history_raise_damage("its format version is unknown");

	make_room(state, parcel->has_amounts, parcel->scale, VARSIZE(parcel));
	if (!query_memory_is_valid(&shared))
		parcel = memcpy(MemoryContextAlloc(state->context, VARSIZE(parcel)), parcel, VARSIZE(parcel));
	hold_parcel(state, parcel, shared);
}

bool
parcels_add_state(LargeState *state, LargeState *other)
{
	Parcel	   *parcel;
	Size		size;

	if (!make_plan(other))
		return false;
	size = VARSIZE(other->parcel_plan);
	make_room(state, other->has_amounts, other->scale, size);
	parcel = MemoryContextAlloc(state->context, size);
	write_rows(other, parcel);
	hold_parcel(state, parcel, nowhere);
	return true;
}

/* A parcel as far as it has been read. */
typedef struct ParcelReader
{
	const Parcel *parcel;
	CompactForm form;
	uint64		first_partition;	/* their numbers are those of all keys */
	uint32		partition;		/* the next one */
	uint32		read;			/* rows */
} ParcelReader;

/* Appends rows of one form to an array of another, between constants of widths. */
static pg_attribute_always_inline void
convert_rows(const char *from, size_t count, const CompactForm *from_form, const Size from_width,
			 char *to, const CompactForm *to_form, const Size to_width)
{
	CompactForm source = *from_form;
	CompactForm target = *to_form;
	CompactShift move = compact_shift(&source, &target);

	for (size_t i = 0; i < count; i++)
		put_compact(to, i, convert_compact(compact_at(from, i, from_width), &source, &target, &move), to_width);
}

static void
read_rows(ParcelReader *reader, size_t count, char *to, const CompactForm *form)
{
	Size		from_width = COMPACT_WIDTH(&reader->form);
	const char *from = parcel_rows(reader->parcel) + reader->read * from_width;

	if (from_width == sizeof(uint32))
	{
		if (COMPACT_WIDTH(form) == sizeof(uint32))
			convert_rows(from, count, &reader->form, sizeof(uint32), to, form, sizeof(uint32));
		else
			convert_rows(from, count, &reader->form, sizeof(uint32), to, form, sizeof(uint64));
	}
	else if (COMPACT_WIDTH(form) == sizeof(uint32))
		convert_rows(from, count, &reader->form, sizeof(uint64), to, form, sizeof(uint32));
	else
		convert_rows(from, count, &reader->form, sizeof(uint64), to, form, sizeof(uint64));
	reader->read += (uint32) count;
}

/*
 * The number of a reader's next partition; false if there is none.  "unit" is
 * that of the parcels with the largest partitions.
 */
static inline bool
next_partition(const ParcelReader *reader, int unit, uint64 *partition)
{
	*partition = (reader->first_partition + reader->partition) >> (unit - reader->parcel->key_unit);
	return reader->partition < reader->parcel->partitions;
}

/* How many rows a reader has left in a partition, before which it has read all. */
static size_t
rows_left(ParcelReader *reader, uint64 partition, int unit)
{
	const Parcel *parcel = reader->parcel;
	uint64		next;

	/* partitions before it that nobody asked for are empty */
	while (next_partition(reader, unit, &next) && next <= partition)
		reader->partition++;
	return (reader->partition == 0 ? 0 : parcel->ends[reader->partition - 1]) - reader->read;
}

/* Some parcels that are to become a run. */
typedef struct Parcels
{
	int			count;
	ParcelReader *readers;
	int			unit;
	CompactForm form;
	uint64	   *partitions;		/* in ascending order */
	uint32		partition_count;
	uint32	   *groups;			/* the first partition of each, and the end */
	Size	   *group_sizes;	/* of their rows */
} Parcels;

/* The rows of one partition to the run. */
static void
write_partition(const Parcels *parcels, CompactRun *run, uint64 partition)
{
	size_t		room = COMPACT_CACHED_ROWS(run->width);
	size_t		rows = 0;
	RowList		list = {0};
	char	   *cached = compact_run_cached(run);

	for (int i = 0; i < parcels->count; i++)
	{
		ParcelReader *reader = &parcels->readers[i];
		size_t		left = rows_left(reader, partition, parcels->unit);

		while (left > 0)
		{
			size_t		batch = Min(left, room - rows);

			read_rows(reader, batch, cached + rows * run->width, &run->form);
			rows += batch;
			left -= batch;
			if (rows == room && (left > 0 || i + 1 < parcels->count))
			{
				/* more than fit the cache */
				row_list_append_all(&list, CurrentMemoryContext, cached, rows, run->width);
				rows = 0;
			}
		}
	}
	if (list.rows == 0)
		compact_run_write_cached(run, rows);
	else
	{
		row_list_append_all(&list, CurrentMemoryContext, cached, rows, run->width);
		compact_run_write(run, &list);
	}
}

/* See RunGroups. */
static void
write_group(void *state, CompactRun *run, int group)
{
	const Parcels *parcels = state;

	for (uint32 i = parcels->groups[group]; i < parcels->groups[group + 1]; i++)
		write_partition(parcels, run, parcels->partitions[i]);
}

/* The same parcel from the partition on, or from the first that comes after it. */
static ParcelReader
reader_at(const ParcelReader *reader, uint64 partition, int unit)
{
	ParcelReader moved = *reader;
	uint64		first = partition << (unit - reader->parcel->key_unit);

	moved.partition = first <= reader->first_partition ? 0 :
		(uint32) Min(first - reader->first_partition, reader->parcel->partitions);
	moved.read = moved.partition == 0 ? 0 : reader->parcel->ends[moved.partition - 1];
	return moved;
}

/* See RunGroups. */
static char *
collect_group(void *state, int group, Size *size)
{
	const Parcels *parcels = state;
	uint32		first = parcels->groups[group];
	uint32		end = parcels->groups[group + 1];
	Size		width = COMPACT_WIDTH(&parcels->form);
	ParcelReader *readers = palloc(parcels->count * sizeof(ParcelReader));
	Size		used = 0;
	Size		capacity = 2 * GROUP_SIZE;
	char	   *result = history_host.resize(NULL, capacity);

	for (int i = 0; i < parcels->count; i++)
		readers[i] = reader_at(&parcels->readers[i], parcels->partitions[first], parcels->unit);
	for (uint32 p = first; p < end; p++)
	{
		Size		start = used;
		uint32		rows = 0;

		used += sizeof(rows);
		for (int i = 0; i < parcels->count; i++)
		{
			size_t		left = rows_left(&readers[i], parcels->partitions[p], parcels->unit);

			if (used + left * width + sizeof(rows) > capacity)
			{
				capacity = 2 * capacity + left * width;
				result = history_host.resize(result, capacity);
			}
			read_rows(&readers[i], left, result + used, &parcels->form);
			used += left * width;
			rows += (uint32) left;
		}
		memcpy(result + start, &rows, sizeof(rows));
	}
	pfree(readers);
	*size = used;
	return result;
}

/* Lists the partitions in which there are rows, and which of them are a group. */
static int
group_partitions(Parcels *parcels)
{
	ParcelReader *readers = palloc(parcels->count * sizeof(ParcelReader));
	Size		width = COMPACT_WIDTH(&parcels->form);
	uint32		room = 1;
	int			groups = 0;
	uint64		all_rows PG_USED_FOR_ASSERTS_ONLY = 0;

	for (int i = 0; i < parcels->count; i++)
	{
		readers[i] = parcels->readers[i];
		room += readers[i].parcel->partitions;
		all_rows += readers[i].parcel->rows;
	}
	parcels->partitions = palloc(room * sizeof(uint64));
	parcels->groups = palloc(room * sizeof(uint32));
	parcels->group_sizes = palloc(room * sizeof(Size));
	for (;;)
	{
		uint64		partition = PG_UINT64_MAX;
		uint64		rows = 0;
		bool		found = false;

		for (int i = 0; i < parcels->count; i++)
		{
			uint64		next;

			if (next_partition(&readers[i], parcels->unit, &next))
			{
				partition = Min(partition, next);
				found = true;
			}
		}
		if (!found)
			break;
		for (int i = 0; i < parcels->count; i++)
		{
			size_t		left = rows_left(&readers[i], partition, parcels->unit);

			readers[i].read += (uint32) left;
			rows += left;
		}
		if (rows == 0)
			continue;
		if (groups == 0 || parcels->group_sizes[groups - 1] >= GROUP_SIZE)
		{
			parcels->group_sizes[groups] = 0;
			parcels->groups[groups++] = parcels->partition_count;
		}
		parcels->partitions[parcels->partition_count++] = partition;
		parcels->group_sizes[groups - 1] += rows * width;
		all_rows -= rows;
	}
	Assert(all_rows == 0);
	parcels->groups[groups] = parcels->partition_count;
	pfree(readers);
	return groups;
}

/* Some parcels as one run, which is NULL if their rows do not fit one form. */
static CustomerHistory *
run_of_parcels(const HeldParcel *all, int count)
{
	RowRange	range = EMPTY_ROW_RANGE;
	Parcels		parcels = {.count = count};
	CompactRun	run;
	RunGroups	groups = {.state = &parcels, .write = write_group, .collect = collect_group};

	for (int i = 0; i < count; i++)
	{
		const Parcel *parcel = all[i].parcel;
		RowRange	its_range = parcel_range(parcel);

		row_range_add(&range, &its_range);
		parcels.unit = Max(parcels.unit, parcel->key_unit);
		groups.size += VARSIZE(parcel);
	}
	if (!compact_form(&range, 0, &parcels.form))
		return NULL;

	parcels.readers = palloc0(count * sizeof(ParcelReader));
	for (int i = 0; i < count; i++)
	{
		ParcelReader *reader = &parcels.readers[i];

		reader->parcel = all[i].parcel;
		reader->form = parcel_form(reader->parcel);
		reader->first_partition = reader->form.least_key >> reader->parcel->key_unit;
	}
	groups.count = group_partitions(&parcels);
	groups.sizes = parcels.group_sizes;
	compact_run_open(&run, HISTORY_KEY_BIGINT, all[0].parcel->has_amounts, all[0].parcel->scale, &parcels.form);
	compact_run_write_groups(&run, &groups);
	pfree(parcels.readers);
	pfree(parcels.partitions);
	pfree(parcels.groups);
	pfree(parcels.group_sizes);
	return compact_run_finish(&run);
}

void
parcels_flush(LargeState *state)
{
	MemoryContext old_context;
	CustomerHistory *run;
	int			shared = 0;

	if (state->parcel_count == 0)
		return;
	old_context = MemoryContextSwitchTo(state->context);
	run = run_of_parcels(state->parcels, state->parcel_count);
	for (int i = 0; i < state->parcel_count; i++)
	{
		HeldParcel *held = &state->parcels[i];

		if (run == NULL)
			large_take_run(state, run_of_parcels(held, 1));
		if (query_memory_is_valid(&held->shared))
		{
			query_memory_free(&held->shared);
			shared++;
		}
		else
			pfree((Parcel *) held->parcel);
	}
	if (shared > 0)
		ereport(DEBUG1,
				(errmsg_internal("rows of %d of %d processes were in memory of the query",
								 shared, state->parcel_count)));
	state->parcel_count = 0;
	state->parcel_bytes = 0;
	if (run != NULL)
		large_take_run(state, run);
	MemoryContextSwitchTo(old_context);
}
