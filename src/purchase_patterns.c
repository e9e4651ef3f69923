/*
 * purchase_patterns.c
 *	  Customers as the models of buying see them.
 *
 * A hash table by the bits of (x, t_x, T); -0 is added as 0.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/memutils.h"

#include "model_types.h"
#include "purchase_patterns.h"

typedef struct PatternEntry
{
	PurchasePattern pattern;
	uint32		status;
	uint32		place;			/* when sorted */
} PatternEntry;

#define SH_PREFIX		pattern_table
#define SH_ELEMENT_TYPE	PatternEntry
#define SH_KEY_TYPE		PurchasePattern
#define SH_KEY			pattern
#define SH_HASH_KEY(tb, key)	hash_bytes((const unsigned char *) &(key), offsetof(PurchasePattern, weight))
#define SH_EQUAL(tb, a, b)		((a).x == (b).x && (a).t_x == (b).t_x && (a).T == (b).T)
#define SH_SCOPE		static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct PurchasePatterns
{
	pattern_table_hash *table;
	PurchasePattern *sorted;
};

PurchasePatterns *
purchase_patterns_create(void)
{
	PurchasePatterns *patterns = palloc0(sizeof(PurchasePatterns));

	patterns->table = pattern_table_create(CurrentMemoryContext, 1024, NULL);
	return patterns;
}

void
purchase_patterns_add(PurchasePatterns *patterns, double x, double t_x, double T, double weight)
{
	PurchasePattern key = {x + 0.0, t_x + 0.0, T + 0.0, 0.0};
	bool		found;
	PatternEntry *entry = pattern_table_insert(patterns->table, key, &found);

	if (!found)
		entry->pattern.weight = 0.0;
	entry->pattern.weight += weight;
}

#define ST_SORT			sort_patterns
#define ST_ELEMENT_TYPE	PurchasePattern
#define ST_COMPARE(a, b) \
	(a->x != b->x ? (a->x < b->x ? -1 : 1) : a->T != b->T ? (a->T < b->T ? -1 : 1) : (a->t_x > b->t_x) - (a->t_x < b->t_x))
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE		static
#define ST_DEFINE
#include "lib/sort_template.h"

static void
sort(PurchasePatterns *patterns)
{
	pattern_table_iterator iterator;
	PatternEntry *entry;
	size_t		count = 0;

	patterns->sorted = MemoryContextAllocHuge(CurrentMemoryContext,
											  Max(patterns->table->members, 1) * sizeof(PurchasePattern));
	pattern_table_start_iterate(patterns->table, &iterator);
	while ((entry = pattern_table_iterate(patterns->table, &iterator)) != NULL)
		patterns->sorted[count++] = entry->pattern;
	sort_patterns(patterns->sorted, count);
	for (size_t i = 0; i < count; i++)
		pattern_table_lookup(patterns->table, patterns->sorted[i])->place = (uint32) i;
}

void
purchase_patterns_sorted(const PurchasePatterns *patterns, const PurchasePattern **sorted, size_t *count)
{
	*sorted = patterns->sorted;
	*count = patterns->table->members;
}

/* Those of T, and of x, stand side by side: what does not depend on t_x is computed once. */
PatternFigures *
purchase_patterns_figures(const PurchasePatterns *patterns, const PurchaseModel *model, double horizon, double discount)
{
	size_t		count = patterns->table->members;
	PatternFigures *figures = MemoryContextAllocHuge(CurrentMemoryContext, Max(count, 1) * sizeof(PatternFigures));
	double		if_alive = 0.0;
	double		discounted_if_alive = 0.0;

	for (size_t i = 0; i < count; i++)
	{
		const PurchasePattern *pattern = &patterns->sorted[i];

		CHECK_FOR_INTERRUPTS();
		if (i == 0 || pattern->x != pattern[-1].x || pattern->T != pattern[-1].T)
		{
			if_alive = expected_purchases_if_alive(model, pattern->x, pattern->T, horizon);
			discounted_if_alive = discount == 0.0 ? if_alive :
				discounted_purchases_if_alive(model, pattern->x, pattern->T, discount, horizon);
		}
		figures[i].p_alive = probability_alive(model, pattern->x, pattern->t_x, pattern->T);
		figures[i].purchases = figures[i].p_alive * if_alive;
		figures[i].discounted_purchases = figures[i].p_alive * discounted_if_alive;
	}
	return figures;
}

size_t
purchase_patterns_find(const PurchasePatterns *patterns, double x, double t_x, double T)
{
	PurchasePattern key = {x, t_x, T, 0.0};

	return pattern_table_lookup(patterns->table, key)->place;
}

void
purchase_patterns_fit(PurchasePatterns *patterns, PurchaseModelKind kind, double penalty,
					  Maximum *maximum, int64 *customers)
{
	const char *name = model_types[kind].name;
	PurchaseData data = {.kind = kind, .check_interrupts = check_interrupts};
	PurchaseTotals totals;

	sort(patterns);
	purchase_patterns_sorted(patterns, &data.patterns, &data.count);
	totals = purchases_totals(&data);
	*customers = (int64) totals.customers;
	if (totals.customers <= model_types[kind].parameters)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s cannot be fitted to " INT64_FORMAT " customers", name, *customers),
				 errdetail("It has %d parameters.", model_types[kind].parameters),
				 errhint("Use more customers; some hundreds are needed for parameters that can be relied on.")));
	if (totals.purchases == 0.0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s cannot be fitted without a repeat purchase", name),
				 errdetail("None of " INT64_FORMAT " customers has bought again.", *customers),
				 errhint("Use a longer time, or customers who have been customers for longer.")));
	if (totals.longest == 0.0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s cannot be fitted to customers who were observed for no time", name),
				 errdetail("All " INT64_FORMAT " customers have T = 0.", *customers),
				 errhint("T is the time from the first purchase to the end of observation, as the column age of clv_summary.")));
	if (data.count == 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s cannot be fitted to customers who are all alike", name),
				 errdetail("All " INT64_FORMAT " customers have x = %g, t_x = %g, T = %g.", *customers,
						   data.patterns[0].x, data.patterns[0].t_x, data.patterns[0].T),
				 errhint("The model describes how customers differ; use customers who do.")));
	purchases_fit(&data, penalty, maximum);
}
