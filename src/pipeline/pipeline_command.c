/*
 * pipeline_command.c
 *	  The command of a pipeline, run over a batch.
 *
 * What becomes of records that it fails on is told in
 * pipeline_command_apply.c.  Positions are not moved here.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "base/cleanup.h"
#include "base/compat.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pipeline/pipeline_bounds.h"
#include "pipeline/pipeline_command_run.h"
#include "pipeline/pipeline_owner.h"
#include "pipeline/pipeline_plan.h"
#include "pipeline/pipeline_target.h"
#include "tcop/dest.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/resowner.h"

/* A command that runs in this process, and the one that runs it, if any. */
typedef struct RunningCommand
{
	BatchBinding binding;
	int32		pipeline;
	const struct RunningCommand *outer;
} RunningCommand;

static const RunningCommand *running = NULL;	/* the innermost */

static void
free_plan(void *arg)
{
	PipelineCommand *command = arg;

	if (command->plan != NULL)
		SPI_freeplan(command->plan);
}

char *
pipeline_command_text(const Pipeline *pipeline)
{
	if (pipeline->command == NULL)
		return pipeline_target_command(pipeline);
	table_close(pipeline_open_source(pipeline), AccessShareLock);
	return pipeline->command;
}

PipelineCommand *
pipeline_command_open(MemoryContext cxt, const Pipeline *pipeline,
					  const StoreServer *store)
{
	PipelineCommand *command = MemoryContextAllocZero(cxt,
													  sizeof(PipelineCommand));

	command->pipeline = pipeline;
	command->store = store;
	command->text = MemoryContextStrdup(cxt, pipeline_command_text(pipeline));
	/* a plan that is kept outlives every context by itself */
	cleanup_register(cxt, free_plan, command);
	return command;
}

/* The target's columns, or its name, may be others than for the last batch. */
static void
follow_target(PipelineCommand *command)
{
	char	   *text;

	if (command->pipeline->command != NULL)
		return;
	text = pipeline_target_command(command->pipeline);
	if (strcmp(text, command->text) != 0)
	{
		free_plan(command);
		command->plan = NULL;
		pfree(command->text);
		command->text = MemoryContextStrdup(GetMemoryChunkContext(command),
											text);
	}
	pfree(text);
}

/* Have the plan, in SPI. */
static void
prepare(PipelineCommand *command)
{
	SPIPlanPtr	plan;

	follow_target(command);
	if (command->plan != NULL)
		return;
	plan = pipeline_plan_prepare(command->pipeline, command->text);
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "could not keep the command of pipeline \"%s\"",
			 command->pipeline->name);
	command->plan = plan;
}

/* Run the plan in SPI; the number of rows that its last statement affected. */
static uint64
execute(PipelineCommand *command, Batch *batch)
{
	SPIExecuteOptions options = {.dest = None_Receiver};
	int			rc;

	if (command->pipeline->source_key != NULL)
		options.params = pipeline_bounds_values(batch);
	rc = SPI_execute_plan_extended(command->plan, &options);
	if (rc < 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot run the command of pipeline \"%s\": %s",
						command->pipeline->name, SPI_result_code_string(rc)),
				 errhint("A pipeline's command cannot begin or end transactions, nor COPY to or from the client.")));
	return SPI_processed;
}

/* Fire what is deferred to the commit, now and from now on. */
static void
make_constraints_immediate(void)
{
	ConstraintsSetStmt *statement = makeNode(ConstraintsSetStmt);

	statement->constraints = NIL;	/* all */
	statement->deferred = false;
	AfterTriggerSetState(statement);
	pfree(statement);
}

void
pipeline_command_prepare(const PipelineCommand *command)
{
	if (owner_is_restricted(command->pipeline))
		make_constraints_immediate();
}

/*
 * Run the command with the batch as its source, as the pipeline's owner and
 * under the search_path that the pipeline was created with.
 */
uint64
pipeline_command_run(PipelineCommand *command, Batch *batch)
{
	const Pipeline *pipeline = command->pipeline;
	RunningCommand this = {.pipeline = pipeline->id, .outer = running};
	OwnerAccess access;
	volatile uint64 rows = 0;

	owner_begin(&access, pipeline);
	batch_bind(&this.binding, pipeline->source, batch);
	running = &this;
	PG_TRY();
	{
		uint64		affected;

		SPI_connect();
		prepare(command);
		if (pipeline->command != NULL ||
			!pipeline_target_insert(pipeline, command->plan, batch,
									&affected))
			affected = execute(command, batch);
		SPI_finish();
		rows = affected;
		if (!InSecurityRestrictedOperation())
			make_constraints_immediate();
	}
	PG_FINALLY();
	{
		running = this.outer;
		batch_unbind(&this.binding);
	}
	PG_END_TRY();
	owner_end(&access);
	return rows;
}

bool
pipeline_command_is_running(const Pipeline *pipeline)
{
	for (const RunningCommand *other = running; other != NULL;
		 other = other->outer)
	{
		if (other->pipeline == pipeline->id)
			return true;
	}
	return false;
}
