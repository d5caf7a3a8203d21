/*
 * pipeline_command.h
 *	  The command of a pipeline, run over a batch.
 */
#ifndef TRACKING_PIPELINE_PIPELINE_COMMAND_H
#define TRACKING_PIPELINE_PIPELINE_COMMAND_H

#include "postgres.h"

#include "ledger/pipeline_catalog.h"
#include "store/store_session.h"
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
 * Make it ready, in cxt; pipeline, and the store that it fills (NULL: none),
 * must live as long.
 */
extern PipelineCommand *pipeline_command_open(MemoryContext cxt,
											  const Pipeline *pipeline,
											  const StoreServer *store);

/* Does this process run it now, and what is called was called by it? */
extern bool pipeline_command_is_running(const Pipeline *pipeline);

/*
 * Run it over the records of a batch, in the caller's transaction.  Records
 * that cannot be decoded, or that the command fails on, become the batch's
 * rejects, and the others are applied.  Errors that are not a record's fault
 * are thrown.  Returns the rows that the command's last statement affected.
 * When pipeline_command_gives_up() afterwards, not all was applied.
 */
extern uint64 pipeline_command_apply(PipelineCommand *command, Batch *batch);

/*
 * The same for a batch whose records do not follow each other in their source:
 * each of them by itself.
 */
extern uint64 pipeline_command_apply_each(PipelineCommand *command,
										  Batch *batch);

/*
 * Publish what the command has put into streams, which was held so far; last of
 * all that is done before the transaction commits.
 */
extern void pipeline_command_publish(PipelineCommand *command);

/*
 * The batch has more rejects than the pipeline's on_error and max_errors
 * allow.
 */
extern bool pipeline_command_gives_up(const PipelineCommand *command,
									  const Batch *batch);

#endif							/* TRACKING_PIPELINE_PIPELINE_COMMAND_H */
