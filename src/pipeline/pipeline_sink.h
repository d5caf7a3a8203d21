/*
 * pipeline_sink.h
 *	  Where the rows of a pipeline's batches go.
 *
 * There are kinds of sinks, each in a file of its own; sink_kinds in
 * pipeline_sink.c lists them.  Whatever the kind, there is a command: SQL that
 * is planned as the pipeline's owner, whose rights are checked.  A kind may
 * bring the rows in by another way than by executing it.
 */
#ifndef TRACKING_PIPELINE_PIPELINE_SINK_H
#define TRACKING_PIPELINE_PIPELINE_SINK_H

#include "postgres.h"

#include "ledger/pipeline_catalog.h"
#include "nodes/pg_list.h"
#include "pipeline/pipeline_command.h"
#include "pipeline/pipeline_source.h"
#include "stream/batch.h"

typedef struct PipelineSink PipelineSink;

/* Functions are called in a transaction unless they say otherwise. */
typedef struct PipelineSinkOps
{
	size_t		size;			/* of what begins with a PipelineSink */

	/* Do the rows of this pipeline go to a sink of this kind? */
	bool		(*is_of) (const Pipeline *pipeline);

	/* The command's SQL, as pipeline_command_text(). */
	char	   *(*text) (const Pipeline *pipeline);

	/* Fill in what is the kind's own, in cxt.  Or NULL. */
	void		(*open) (PipelineSink *sink, MemoryContext cxt);

	/*
	 * Bring in the rows of the records that the batch shows; returns how many
	 * there were.  In SPI, as the pipeline's owner, with the batch bound to the
	 * source.
	 */
	uint64		(*write) (PipelineSink *sink, Batch *batch);

	/* The foreign servers that it goes to, a List of Oid.  Or NULL. */
	List	   *(*servers) (const PipelineSink *sink);

	/*
	 * Can it go back to a savepoint?  If it cannot, restart is called after an
	 * error: nothing that it has got in this transaction stays.  Both or
	 * neither are NULL: it can.
	 */
	bool		(*has_savepoints) (const PipelineSink *sink);
	void		(*restart) (PipelineSink *sink);

	/*
	 * For a kind that keeps the positions, too, as its transactions are not
	 * this database's; else all of these are NULL.
	 *
	 * begin: before anything is read, without a transaction; settles what is in
	 * doubt.  load: before the positions of a batch are moved here; returns the
	 * id of the load, or 0.  advance: behind its rows; false if another session
	 * has moved the positions there.  commit: without a transaction, when all of
	 * that is committed here; raises an error if it is not committed there, or
	 * nobody knows.  committed: write down that it is.  claim: behind rows that
	 * move no position; sees that no other server fills the sink.  reset: forget
	 * the positions of a shard, or all (NULL), as this transaction commits.
	 * position_table: what of it has the positions.
	 */
	void		(*begin) (PipelineSink *sink,
						  const PipelineTransactions *transactions);
	int64		(*load) (PipelineSink *sink, const Batch *batch);
	bool		(*advance) (PipelineSink *sink, const Batch *batch,
							uint64 rows);
	void		(*commit) (PipelineSink *sink, const Batch *batch);
	void		(*committed) (PipelineSink *sink);
	void		(*claim) (PipelineSink *sink);
	void		(*reset) (const Pipeline *pipeline, const char *shard_id);
	const char *(*position_table) (const Pipeline *pipeline);
} PipelineSinkOps;

struct PipelineSink
{
	const PipelineSinkOps *ops;
	const Pipeline *pipeline;
	PipelineCommand *command;
	bool		publishes;		/* it has opened the outbox */
};

/* in sink_command.c, sink_table.c and sink_store.c */
extern const PipelineSinkOps sink_command_ops;
extern const PipelineSinkOps sink_table_ops;
extern const PipelineSinkOps sink_store_ops;

/* The SQL that a pipeline runs over each batch.  In a transaction. */
extern char *pipeline_sink_text(const Pipeline *pipeline);

/* Open a pipeline's sink, in cxt and in a transaction; pipeline must live as long. */
extern PipelineSink *pipeline_sink_open(MemoryContext cxt,
										const Pipeline *pipeline);

/*
 * Before rows are written to it.  A constraint that is deferred to the commit
 * would fail all of the batch.  In a security-restricted operation none may be
 * deferred at all: what fires later would have the rights of whoever is there
 * then.  So they are made immediate before it, when what the caller has
 * deferred fires with the caller's rights, and what that raises is not taken
 * for a record's fault.
 */
extern void pipeline_sink_prepare(const PipelineSink *sink);

/*
 * Write the records that the batch is restricted to, as the pipeline's owner
 * and under the search_path that the pipeline was created with; returns the
 * rows that this affected.
 */
extern uint64 pipeline_sink_write(PipelineSink *sink, Batch *batch);

/* Does this process write to it now, and what is called was called by that? */
extern bool pipeline_sink_is_writing(const Pipeline *pipeline);

/* These do what the kind does for it; where it has nothing to do, that. */
extern List *pipeline_sink_servers(const PipelineSink *sink);
extern bool pipeline_sink_has_savepoints(const PipelineSink *sink);
extern void pipeline_sink_begin(PipelineSink *sink,
								const PipelineTransactions *transactions);
extern int64 pipeline_sink_load(PipelineSink *sink, const Batch *batch);
extern bool pipeline_sink_advance(PipelineSink *sink, const Batch *batch,
								  uint64 rows);
extern void pipeline_sink_claim(PipelineSink *sink);
extern void pipeline_sink_reset(const Pipeline *pipeline,
								const char *shard_id);

/* The table in its sink that has a pipeline's positions; NULL: they are here. */
extern const char *pipeline_sink_position_table(const Pipeline *pipeline);

/* Is a batch that is committed here still to be committed there? */
static inline bool
pipeline_sink_commits_later(const PipelineSink *sink)
{
	return sink->ops->commit != NULL;
}

#endif							/* TRACKING_PIPELINE_PIPELINE_SINK_H */
