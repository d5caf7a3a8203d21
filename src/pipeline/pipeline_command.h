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
 * The SQL that a pipeline runs over each batch: its command, or, if it has a
 * target instead, an INSERT that is made of source and target by column name.
 * If the source is a table, the SQL has the parameters of pipeline_bounds.h.
 * Needs a transaction.  Raises an error if source and target have no column in
 * common, or one of them no longer exists.
 */
extern char *pipeline_command_text(const Pipeline *pipeline);

/*
 * Make a command, allocated in cxt; pipeline must live as long.  text_of
 * returns its SQL, and is asked for each batch: tables may have been altered
 * since the last one.
 */
extern PipelineCommand *pipeline_command_open(MemoryContext cxt,
											  const Pipeline *pipeline,
											  char *(*text_of) (const Pipeline *pipeline));

/*
 * The command's plan, prepared at the first call and kept.  To be called in
 * SPI and as the pipeline's owner.
 */
extern SPIPlanPtr pipeline_command_plan(PipelineCommand *command);

/*
 * Execute the command over the records that the batch is restricted to;
 * returns the number of rows that its last statement affected.  To be called
 * in SPI and as the pipeline's owner.
 */
extern uint64 pipeline_command_execute(PipelineCommand *command,
									   Batch *batch);

#endif							/* TRACKING_PIPELINE_PIPELINE_COMMAND_H */
