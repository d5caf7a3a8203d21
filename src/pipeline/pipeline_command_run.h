/*
 * pipeline_command_run.h
 *	  A command on its way over a batch; for pipeline_command*.c alone.
 */
#ifndef TRACKING_PIPELINE_PIPELINE_COMMAND_RUN_H
#define TRACKING_PIPELINE_PIPELINE_COMMAND_RUN_H

#include "postgres.h"

#include "executor/spi.h"
#include "pipeline/pipeline_command.h"

struct PipelineCommand
{
	const Pipeline *pipeline;
	const StoreServer *store;	/* that it fills; or NULL */
	char	   *text;
	SPIPlanPtr	plan;			/* NULL before the first batch */
	bool		publishes;		/* it has opened the outbox */
};

/*
 * Before it is run over a batch.  A constraint that is deferred to the commit
 * would fail all of the batch.  In a security-restricted operation none may be
 * deferred at all: what fires later would have the rights of whoever is there
 * then.  So they are made immediate before it, when what the caller has
 * deferred fires with the caller's rights, and what that raises is not taken
 * for a record's fault.
 */
extern void pipeline_command_prepare(const PipelineCommand *command);

/*
 * Run the command once, over the records that the batch is restricted to;
 * returns the rows that its last statement affected.
 */
extern uint64 pipeline_command_run(PipelineCommand *command, Batch *batch);

#endif							/* TRACKING_PIPELINE_PIPELINE_COMMAND_RUN_H */
