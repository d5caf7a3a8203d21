/*
 * pipeline_plan.c
 *	  A pipeline's SQL as a plan.
 */
#include "postgres.h"

#include "base/compat.h"
#include "tcop/dest.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "worker/pipeline_bounds.h"
#include "worker/pipeline_owner.h"
#include "worker/pipeline_plan.h"

SPIPlanPtr
pipeline_plan_prepare(const Pipeline *pipeline, const char *command)
{
	OwnerAccess access;
	SPIPlanPtr	plan;

	owner_begin(&access, pipeline);
	plan = pipeline->source_key == NULL ? SPI_prepare(command, 0, NULL) :
		pipeline_bounds_prepare(command);
	owner_end(&access);
	if (plan == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot use the command of pipeline \"%s\": %s",
						pipeline->name, SPI_result_code_string(SPI_result)),
				 errhint("A pipeline's command cannot begin or end transactions, nor COPY to or from the client.")));
	return plan;
}

/*
 * To call the executor's check of permissions would not do: hooks of it rely
 * on ExecutorStart() around them (pgaudit crashes in a worker otherwise).
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
