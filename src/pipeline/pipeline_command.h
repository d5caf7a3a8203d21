/*
 * pipeline_command.h
 *	  The SQL of a pipeline, kept as a plan.
 */
#ifndef TRACKING_PIPELINE_PIPELINE_COMMAND_H
#define TRACKING_PIPELINE_PIPELINE_COMMAND_H

#include "postgres.h"

#include "executor/spi.h"
#include "ledger/pipeline_catalog.h"
#include "stream/batch.h"

typedef struct PipelineCommand PipelineCommand;

/*
 * The SQL that a pipeline runs over each batch: its own, or the INSERT made
 * of source and target by column name.  Over a table it has parameters, see
 * pipeline_bounds.h.  Needs a transaction.  Raises an error
 * if they have no column in common, or one of them is gone.
 */
extern char *pipeline_command_text(const Pipeline *pipeline);

/*
 * Make it ready, in cxt; pipeline must live as long.  text_of makes its SQL,
 * which may be another for another batch, as tables are altered.
 */
extern PipelineCommand *pipeline_command_open(MemoryContext cxt,
											  const Pipeline *pipeline,
											  char *(*text_of) (const Pipeline *pipeline));

/* Its plan, which is kept.  In SPI and as the pipeline's owner. */
extern SPIPlanPtr pipeline_command_plan(PipelineCommand *command);

/*
 * Execute it over the records that the batch shows; returns the rows that its
 * last statement affected.  As above.
 */
extern uint64 pipeline_command_execute(PipelineCommand *command,
									   Batch *batch);

#endif							/* TRACKING_PIPELINE_PIPELINE_COMMAND_H */
