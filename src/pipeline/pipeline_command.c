/*
 * pipeline_command.c
 *	  The SQL of a pipeline, kept as a plan.
 */
#include "postgres.h"

#include "access/table.h"
#include "base/cleanup.h"
#include "pipeline/pipeline_command.h"
#include "pipeline/pipeline_plan.h"
#include "pipeline/pipeline_relation.h"
#include "pipeline/pipeline_target.h"
#include "pipeline/source_kind.h"
#include "tcop/dest.h"
#include "utils/memutils.h"

struct PipelineCommand
{
	const Pipeline *pipeline;
	char	   *(*text_of) (const Pipeline *pipeline);
	char	   *text;			/* what text_of returned for the last batch */
	SPIPlanPtr	plan;			/* NULL before the first batch */
};

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
					  char *(*text_of) (const Pipeline *pipeline))
{
	PipelineCommand *command = MemoryContextAllocZero(cxt,
													  sizeof(PipelineCommand));

	command->pipeline = pipeline;
	command->text_of = text_of;
	command->text = MemoryContextStrdup(cxt, text_of(pipeline));
	/* a kept plan is in CacheMemoryContext: free it when cxt goes */
	cleanup_register(cxt, free_plan, command);
	return command;
}

/*
 * Forget the plan if the SQL is no longer what it was for the last batch, as
 * the target was renamed or its columns have changed.
 */
static void
follow_tables(PipelineCommand *command)
{
	const char *text = command->text_of(command->pipeline);

	if (strcmp(text, command->text) == 0)
		return;
	free_plan(command);
	command->plan = NULL;
	pfree(command->text);
	command->text = MemoryContextStrdup(GetMemoryChunkContext(command), text);
}

SPIPlanPtr
pipeline_command_plan(PipelineCommand *command)
{
	SPIPlanPtr	plan;

	follow_tables(command);
	if (command->plan != NULL)
		return command->plan;
	plan = pipeline_plan_prepare(command->pipeline, command->text);
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "could not keep the command of pipeline \"%s\"",
			 command->pipeline->name);
	command->plan = plan;
	return plan;
}

uint64
pipeline_command_execute(PipelineCommand *command, Batch *batch)
{
	SPIPlanPtr	plan = pipeline_command_plan(command);
	SPIExecuteOptions options = {.dest = None_Receiver};
	int			rc;

	options.params = source_kind_of(command->pipeline)->params(batch);
	rc = SPI_execute_plan_extended(plan, &options);
	if (rc < 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot run the command of pipeline \"%s\": %s",
						command->pipeline->name, SPI_result_code_string(rc)),
				 errhint("A pipeline's command cannot begin or end transactions, nor COPY to or from the client.")));
	return SPI_processed;
}
