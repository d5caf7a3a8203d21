/*
 * pipeline_plan.c
 *	  A pipeline's SQL as a plan.
 */
#include "postgres.h"

#include "base/compat.h"
#include "pipeline/pipeline_owner.h"
#include "pipeline/pipeline_plan.h"
#include "pipeline/pipeline_reads.h"
#include "pipeline/source_kind.h"
#include "tcop/dest.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

pg_noreturn static void
raise_unusable(const Pipeline *pipeline, const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot use the command of pipeline \"%s\": %s",
					pipeline->name, why),
			 errhint("A pipeline's command cannot begin or end transactions, nor COPY to or from the client.")));
}

/* Raise an error if the plan has a statement that SPI would refuse to run. */
static void
check_statements(const Pipeline *pipeline, SPIPlanPtr plan)
{
	ListCell   *cell;

	foreach(cell, SPI_plan_get_plan_sources(plan))
	{
		const RawStmt *raw = ((CachedPlanSource *) lfirst(cell))->raw_parse_tree;
		Node	   *statement = raw == NULL ? NULL : raw->stmt;

		if (statement == NULL)
			continue;
		if (IsA(statement, TransactionStmt))
			raise_unusable(pipeline, "it begins or ends a transaction");
		if (IsA(statement, CopyStmt) &&
			castNode(CopyStmt, statement)->filename == NULL)
			raise_unusable(pipeline, "it copies to or from the client");
	}
}

static void
check_reads_source(const Pipeline *pipeline, SPIPlanPtr plan)
{
	const char *source = get_rel_name(pipeline->source);

	if (source == NULL || pipeline_reads_source(pipeline, plan))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
			 errmsg("the command of pipeline \"%s\" does not read its source, \"%s\"",
					pipeline->name, source),
			 errdetail("It would do the same again with every batch, whatever the batch has."),
			 errhint("A batch is what a scan of the source yields while the command runs, as in INSERT INTO ... SELECT ... FROM %s.",
					 quote_identifier(source))));
}

SPIPlanPtr
pipeline_plan_prepare(const Pipeline *pipeline, const char *command)
{
	OwnerAccess access;
	SPIPlanPtr	plan;

	owner_begin(&access, pipeline);
	plan = source_kind_of(pipeline)->prepare(command);
	if (plan == NULL)
		raise_unusable(pipeline, SPI_result_code_string(SPI_result));
	check_statements(pipeline, plan);
	check_reads_source(pipeline, plan);
	owner_end(&access);
	return plan;
}

/*
 * Calling the executor's permission check alone is not enough: extensions that
 * hook into it rely on an ExecutorStart() around it (pgaudit crashes in a
 * worker otherwise).
 */
void
pipeline_plan_begin(PlanStatement *statement, SPIPlanPtr plan)
{
	const CachedPlanSource *source =
		linitial(SPI_plan_get_plan_sources(plan));

	statement->plan = SPI_plan_get_cached_plan(plan);
	statement->query =
		CreateQueryDesc(linitial_node(PlannedStmt,
									  statement->plan->stmt_list),
						source->query_string, GetActiveSnapshot(),
						InvalidSnapshot, None_Receiver, NULL, NULL, 0);
	ExecutorStart(statement->query, EXEC_FLAG_EXPLAIN_ONLY);
	if (statement->query->totaltime != NULL)
		InstrStartNode(statement->query->totaltime);
}

void
pipeline_plan_end(PlanStatement *statement, uint64 rows)
{
	if (statement->query->totaltime != NULL)
		InstrStopNode(statement->query->totaltime, rows);
	compat_set_processed(statement->query->estate, rows);
	ExecutorEnd(statement->query);
	FreeQueryDesc(statement->query);
	ReleaseCachedPlan(statement->plan, CurrentResourceOwner);
}
