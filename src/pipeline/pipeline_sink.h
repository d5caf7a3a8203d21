/*
 * pipeline_sink.h
 *	  Where the rows of a pipeline's batches go.
 *
 * There are several kinds of sinks, each in a file of its own; sink_kinds in
 * pipeline_sink.c lists them.  Every sink has a command: SQL that is planned
 * as the pipeline's owner, whose rights are checked.  A kind may write the
 * rows in another way than by executing the command.
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

/* The caller has a transaction open unless a comment says otherwise. */
typedef struct PipelineSinkOps
{
	size_t		size;			/* of the kind's struct, whose first member is
								 * a PipelineSink */

	/* Do the rows of this pipeline go to a sink of this kind? */
	bool		(*is_of) (const Pipeline *pipeline);

	/* Return the command's SQL, see pipeline_command_text(). */
	char	   *(*text) (const Pipeline *pipeline);

	/* Fill in the kind's own members, allocated in cxt.  May be NULL. */
	void		(*open) (PipelineSink *sink, MemoryContext cxt);

	/*
	 * Write the rows of the records that the batch is restricted to; returns
	 * the number of rows.  Called in SPI, as the pipeline's owner, with the
	 * batch bound to the source.
	 */
	uint64		(*write) (PipelineSink *sink, Batch *batch);

	/* List the OIDs of the foreign servers it writes to.  May be NULL. */
	List	   *(*servers) (const PipelineSink *sink);

	/*
	 * Can the sink roll back to a savepoint?  If it cannot, the caller calls
	 * restart after an error, which undoes all that the sink was given in
	 * this transaction.  Either both are NULL, then it can, or neither is.
	 */
	bool		(*has_savepoints) (const PipelineSink *sink);
	void		(*restart) (PipelineSink *sink);

	/*
	 * A kind whose transactions are not those of this database keeps the
	 * positions, too; for any other kind all of these are NULL.  "Here" is
	 * this database, "there" the sink.
	 *
	 * begin: called without a transaction before the source is read; settles
	 * whether a load in doubt was committed there.  load: called before the
	 * positions of a batch are moved here; returns the id of the load, or 0.
	 * advance: called when the rows of the batch are written; returns false
	 * if another session has moved the positions there.  commit: called
	 * without a transaction when the batch is committed here; raises an error
	 * if the commit there fails, or nobody knows whether it has.  committed:
	 * note that the batch is committed there.  claim: called when rows were
	 * written that move no position; raises an error if another server fills
	 * the sink. reset: forget the positions of one shard, or of all (NULL),
	 * when this transaction commits.  position_table: the name of the table
	 * there that has the positions.
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
	bool		publishes;		/* this sink has opened the stream outbox, and
								 * is to publish it */
};

/* in sink_command.c, sink_table.c and sink_store.c */
extern const PipelineSinkOps sink_command_ops;
extern const PipelineSinkOps sink_table_ops;
extern const PipelineSinkOps sink_store_ops;

/* The SQL that a pipeline runs over each batch.  Needs a transaction. */
extern char *pipeline_sink_text(const Pipeline *pipeline);

/*
 * Open a pipeline's sink, allocated in cxt.  Needs a transaction.  pipeline
 * must live as long as the sink.
 */
extern PipelineSink *pipeline_sink_open(MemoryContext cxt,
										const Pipeline *pipeline);

/*
 * To be called before rows are written to the sink.  A constraint that is
 * deferred to the commit would make the whole batch fail, so constraints are
 * made immediate.  In a security-restricted operation that must happen before
 * the operation begins: the caller's own deferred triggers then fire with the
 * caller's rights, and an error that they raise is not taken for a record's
 * fault.  Nothing may be deferred from within such an operation: it would fire
 * later, with the rights of whoever is the current user then.
 */
extern void pipeline_sink_prepare(const PipelineSink *sink);

/*
 * Write the records that the batch is restricted to, as the pipeline's owner
 * and under the search_path that the pipeline was created with; returns the
 * number of rows affected.
 */
extern uint64 pipeline_sink_write(PipelineSink *sink, Batch *batch);

/*
 * Is this process within a pipeline_sink_write() of the pipeline, so that the
 * caller was called by the pipeline's own command?
 */
extern bool pipeline_sink_is_writing(const Pipeline *pipeline);

/*
 * These call the sink's function of that name, see PipelineSinkOps.  Where
 * that is NULL, they do nothing and return NIL, true, 0 or true.
 */
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

/*
 * The table in a pipeline's sink that has the pipeline's positions; NULL if
 * this database has them.
 */
extern const char *pipeline_sink_position_table(const Pipeline *pipeline);

/* Does the sink commit a batch on its own, after this database has? */
static inline bool
pipeline_sink_commits_later(const PipelineSink *sink)
{
	return sink->ops->commit != NULL;
}

#endif							/* TRACKING_PIPELINE_PIPELINE_SINK_H */
