/*
 * report.c
 *	  What all reports share: reading their arguments, numbering periods and
 *	  returning rows.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "storage/shmem.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/memutils.h"
#include "utils/palloc.h"
#include "utils/tuplestore.h"

#include "compat.h"
#include "rates.h"
#include "history_state.h"
#include "report.h"

/* A table by day longer than this, and than there are events, costs more than it spares. */
#define MAX_TABLE_DAYS	(64 * 1024)

/* ---------- arguments ---------- */

PeriodGrid
arg_grid(FunctionCallInfo fcinfo, int period_arg, const char *name,
		 PeriodKind default_kind, bool all_allowed, int week_start_arg)
{
	PeriodGrid	grid = {default_kind, MONDAY};

	if (!PG_ARGISNULL(period_arg))
	{
		const char *word = text_to_cstring(PG_GETARG_TEXT_PP(period_arg));

		if (!period_kind_from_name(word, &grid.kind) ||
			(grid.kind == PERIOD_ALL && !all_allowed))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s must not be \"%s\"", name, word),
					 errhint("Use 'day', 'week', 'month', 'quarter'%s.",
							 all_allowed ? ", 'year' or 'all'" : " or 'year'")));
	}
	if (!PG_ARGISNULL(week_start_arg))
	{
		grid.week_start = PG_GETARG_INT32(week_start_arg);
		if (grid.week_start < MONDAY || grid.week_start > SUNDAY)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("week_start must not be %d", grid.week_start),
					 errhint("Use 1 for Monday to 7 for Sunday.")));
	}
	return grid;
}

int
arg_choice(FunctionCallInfo fcinfo, int arg, const char *name,
		   const char *const *choices, int count)
{
	const char *word;
	StringInfoData allowed;

	if (PG_ARGISNULL(arg))
		return 0;
	word = text_to_cstring(PG_GETARG_TEXT_PP(arg));
	for (int i = 0; i < count; i++)
		if (strcmp(word, choices[i]) == 0)
			return i;

	initStringInfo(&allowed);
	for (int i = 0; i < count; i++)
		appendStringInfo(&allowed, "%s'%s'",
						 i == 0 ? "" : i == count - 1 ? " or " : ", ", choices[i]);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s must not be \"%s\"", name, word),
			 errhint("Use %s.", allowed.data)));
}

int32
arg_positive(FunctionCallInfo fcinfo, int arg, const char *name, int32 default_value)
{
	int32		value;

	if (PG_ARGISNULL(arg))
		return default_value;
	value = PG_GETARG_INT32(arg);
	if (value <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be %d", name, value),
				 errhint("Use 1 or more.")));
	return value;
}

double
arg_confidence(FunctionCallInfo fcinfo, int arg)
{
	return check_confidence(PG_ARGISNULL(arg) ? 0.95 : PG_GETARG_FLOAT8(arg));
}

bool
arg_day(FunctionCallInfo fcinfo, int arg, const char *name, Day *day)
{
	if (PG_ARGISNULL(arg))
		return false;
	*day = PG_GETARG_DATEADT(arg);
	if (DATE_NOT_FINITE(*day))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("%s must be a finite date, not %s", name,
						DATE_IS_NOBEGIN(*day) ? "-infinity" : "infinity")));
	return true;
}

static int
compare_int32(const void *a, const void *b)
{
	int32		x = *(const int32 *) a;
	int32		y = *(const int32 *) b;

	return (x > y) - (x < y);
}

int32 *
arg_day_counts(FunctionCallInfo fcinfo, int arg, const char *name,
			   const int32 *defaults, int default_count, int *count)
{
	ArrayType  *array;
	int32	   *days;
	int			elements;
	int			kept = 0;

	if (PG_ARGISNULL(arg))
	{
		days = palloc(default_count * sizeof(int32));
		memcpy(days, defaults, default_count * sizeof(int32));
		*count = default_count;
		return days;
	}

	array = PG_GETARG_ARRAYTYPE_P(arg);
	elements = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (elements == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be empty", name),
				 errhint("Give at least one number of days, for example '{30,60,90}'.")));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not contain NULL", name),
				 errhint("Give positive numbers of days, for example '{30,60,90}'.")));

	days = palloc(elements * sizeof(int32));
	memcpy(days, ARR_DATA_PTR(array), elements * sizeof(int32));
	qsort(days, elements, sizeof(int32), compare_int32);
	if (days[0] <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not contain %d", name, days[0]),
				 errhint("Give positive numbers of days, for example '{30,60,90}'.")));
	for (int i = 0; i < elements; i++)
		if (kept == 0 || days[i] != days[kept - 1])
			days[kept++] = days[i];
	*count = kept;
	return days;
}

/* ---------- a report ---------- */

bool
report_begin(Report *report, FunctionCallInfo fcinfo, int history_arg,
			 int as_of_arg, int observed_since_arg, bool with_keys)
{
	bool		found;

	if (report_is_helped())
		return report_open(report, fcinfo, history_arg, as_of_arg, observed_since_arg, with_keys);
	InitMaterializedSRF(fcinfo, 0);
	found = report_open(report, fcinfo, history_arg, as_of_arg, observed_since_arg, with_keys);
	report->result = (ReturnSetInfo *) fcinfo->resultinfo;
	report->row_context = AllocSetContextCreate(CurrentMemoryContext, "loyalty report row",
												ALLOCSET_SMALL_SIZES);
	return found;
}

bool
report_open(Report *report, FunctionCallInfo fcinfo, int history_arg,
			int as_of_arg, int observed_since_arg, bool with_keys)
{
	const HistoryHeader *header = &report->reader.header;
	bool		has_as_of;

	memset(report, 0, sizeof(*report));
	report->observed_since = PG_INT32_MIN;
	if (observed_since_arg >= 0)
		arg_day(fcinfo, observed_since_arg, "observed_since", &report->observed_since);
	has_as_of = as_of_arg >= 0 && arg_day(fcinfo, as_of_arg, "as_of", &report->as_of);
	if (PG_ARGISNULL(history_arg))
		return false;
	report->history = PG_GETARG_DATUM(history_arg);
	if (!history_state_open(&report->reader, report->history))
		history_open_datum(&report->reader, report->history, with_keys);
	if (!has_as_of)
		report->as_of = header->last_day;
	history_read_until(&report->reader, report->as_of);
	return header->buyers > 0 && header->first_purchase <= report->as_of;
}

void
column_ratio(Report *report, int64 numerator, int64 denominator)
{
	if (denominator == 0)
		column_null(report);
	else
		column_double(report, (double) numerator / (double) denominator);
}

void
column_count_if(Report *report, bool known, int64 value)
{
	if (known)
		column_count(report, value);
	else
		column_null(report);
}

void
column_double_if(Report *report, bool known, double value)
{
	if (known)
		column_double(report, value);
	else
		column_null(report);
}

void
column_ratio_if(Report *report, bool known, int64 numerator, int64 denominator)
{
	column_ratio(report, numerator, known ? denominator : 0);
}

void
column_money_if(Report *report, bool known, Amount amount)
{
	if (known)
		column_money(report, amount);
	else
		column_null(report);
}

void
column_rate(Report *report, int64 successes, int64 trials, double z)
{
	column_ratio(report, successes, trials);
	if (trials == 0)
	{
		column_null(report);
		column_null(report);
	}
	else
	{
		ConfidenceInterval interval = wilson_interval(successes, trials, z);

		column_double(report, interval.low);
		column_double(report, interval.high);
	}
}

void
column_money(Report *report, Amount amount)
{
	if (!report->reader.header.has_amounts)
		column_null(report);
	else
		column_datum(report, numeric_of_amount_in(&report->money[report->column], amount,
												  report->reader.header.scale));
}

void
column_money_mean(Report *report, Amount amount, int64 count)
{
	if (!report->reader.header.has_amounts || count == 0)
		column_null(report);
	else
	{
		MemoryContext old_context = MemoryContextSwitchTo(report->row_context);

		column_datum(report, numeric_of_mean(amount, report->reader.header.scale, count));
		MemoryContextSwitchTo(old_context);
	}
}

void
column_money_ratio(Report *report, Amount numerator, Amount denominator)
{
	if (denominator <= 0)
		column_null(report);
	else
		column_double(report, (double) numerator / (double) denominator);
}

void
report_row(Report *report)
{
	CHECK_FOR_INTERRUPTS();
	Assert(report->column == report->result->setDesc->natts);
	tuplestore_putvalues(report->result->setResult, report->result->setDesc,
						 report->values, report->nulls);
	report->column = 0;
	MemoryContextReset(report->row_context);
}

/* ---------- the periods of a report ---------- */

static const char *
day_to_text(Day day)
{
	return DatumGetCString(DirectFunctionCall1(date_out, DateADTGetDatum(day)));
}

void
report_periods(ReportPeriods *periods, Report *report, PeriodGrid grid)
{
	int64		count;
	int64		days;

	periods->grid = grid;
	periods->first_day = report->reader.header.first_purchase;
	periods->as_of = report->as_of;
	periods->first_period = period_of_day(grid, periods->first_day);
	periods->of_day = NULL;
	periods->days = 0;

	count = (int64) period_of_day(grid, periods->as_of) - periods->first_period + 1;
	if (count > REPORT_MAX_PERIODS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("report would have " INT64_FORMAT " periods, from %s to %s",
						count, day_to_text(periods->first_day), day_to_text(periods->as_of)),
				 errdetail("A report may have up to %d periods.", REPORT_MAX_PERIODS),
				 errhint("If one of these days is a placeholder, leave it out with history_between(h, from_day, to_day) or set as_of; else choose a longer period.")));
	periods->count = (int32) count;

	days = (int64) periods->as_of - periods->first_day + 1;
	if (grid.kind == PERIOD_ALL)
		return;
	if (days <= Max(MAX_TABLE_DAYS, report->reader.header.customer_days))
	{
		int32		index = 0;
		Day			last = period_last_day(grid, periods->first_period);

		periods->days = (uint32) days;
		periods->of_day = MemoryContextAllocHuge(CurrentMemoryContext, days * sizeof(int32));
		for (int64 i = 0; i < days; i++)
		{
			if (periods->first_day + i > last)
				last = period_last_day(grid, periods->first_period + ++index);
			periods->of_day[i] = index;
		}
	}
	history_limit_plain(&report->reader, periods->days);
}

int32
first_believed_period(const ReportPeriods *periods, const Report *report)
{
	int32		index;

	if (report->observed_since > report->as_of)
		return periods->count;
	if (report->observed_since <= period_start(periods, 0))
		return 0;
	index = period_index(periods, report->observed_since);
	return period_start(periods, index) < report->observed_since ? index + 1 : index;
}

void *
report_cells(Size count, Size width)
{
	return MemoryContextAllocExtended(CurrentMemoryContext,
									  Max(mul_size(count, width), 1),
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}
