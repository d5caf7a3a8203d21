/*
 * pipeline_source.h
 *	  Where the batches of a pipeline come from: a stream, or a table.
 *
 * A batch is fetched with no transaction open.  What a source looks up in
 * the database meanwhile it does in short transactions of its own, begun and
 * committed the way its caller's process does that.
 */
#ifndef TRACKING_PIPELINE_PIPELINE_SOURCE_H
#define TRACKING_PIPELINE_PIPELINE_SOURCE_H

#include "postgres.h"

#include "ledger/pipeline_catalog.h"
#include "stream/batch.h"
#include "stream/shard_reader.h"

/* How a transaction is begun, with a snapshot, and ended in a process. */
typedef struct PipelineTransactions
{
	void		(*begin) (void);
	void		(*commit) (void);
	void		(*abort) (void);
} PipelineTransactions;

typedef struct PipelineSource PipelineSource;

/* What of a source cannot be read. */
typedef struct SourceReach
{
	bool		is_whole;		/* nothing can be told, nor read, of it */
	List	   *lost;			/* or these shards cannot, StreamLost * */
	bool		has_trouble;	/* one of those, or another */
	TimestampTz since;
	ErrorData	error;
} SourceReach;

/*
 * Functions are called without a transaction unless they say otherwise; those
 * that may be NULL say so.
 */
typedef struct PipelineSourceOps
{
	/*
	 * Begin to read from the pipeline's positions on.  False if the source
	 * could not be reached, for max_wait_ms or until something is to be
	 * tended: then it is to be called again.  Raises an error if the source
	 * is not the one that the positions belong to.
	 */
	bool		(*begin) (PipelineSource *source, long max_wait_ms);

	/*
	 * The next batch, which is to be released; NULL if there was none for
	 * max_wait_ms or, at most, twice that, or there is something to tend, or
	 * at the end.
	 */
	Batch	   *(*next_batch) (PipelineSource *source, long max_wait_ms);
	void		(*release) (PipelineSource *source, Batch *batch);

	/* All that there was at the start was handed out; never, READ_FOREVER. */
	bool		(*at_end) (const PipelineSource *source);

	/*
	 * Before a batch is applied: raise an error if it is not of the source
	 * that the pipeline has read, or the pipeline is not to go on with it.
	 * Or NULL.
	 */
	void		(*check) (PipelineSource *source, const Batch *batch);

	/*
	 * All that there is was handed out, and nothing keeps any of it from being
	 * read.
	 */
	bool		(*caught_up) (const PipelineSource *source);

	/* Do what comes up now and then, between batches.  Or NULL. */
	void		(*tend) (PipelineSource *source);

	/*
	 * What keeps some of the source from being read, in the current context;
	 * and is it another than when it was last asked?  Both or neither are NULL.
	 */
	void		(*reach) (const PipelineSource *source, SourceReach *reach);
	bool		(*reach_changed) (PipelineSource *source);

	/*
	 * When what is at its tip, and has nothing left to apply, was there; 0: it
	 * is not known.  And the same of each shard that is, StreamTip *.
	 */
	TimestampTz (*tip) (const PipelineSource *source);
	List	   *(*tips) (const PipelineSource *source);

	/*
	 * Give the rejects of a batch the bytes that are kept of them, in the
	 * transaction that applies it.  NULL: they have them.
	 */
	void		(*complete_rejects) (PipelineSource *source, Batch *batch);

	/* What it reads, for pg_stat_activity. */
	void		(*describe) (const PipelineSource *source, char *text,
							 size_t size);
} PipelineSourceOps;

struct PipelineSource
{
	const PipelineSourceOps *ops;
	MemoryContext cxt;
	const Pipeline *pipeline;
	int			slot;			/* of the worker; -1: reads everything */
	ReadUntil	until;
	const PipelineTransactions *transactions;
};

/*
 * How many records a batch is to have, if there are any more.  After a failure
 * it is two: of one alone nobody can tell whether it or the command is at
 * fault.
 */
static inline int
pipeline_source_min_rows(const PipelineSource *source)
{
	return source->pipeline->failures > 0 ? 2 : 1;
}

/* For SourceKind, in source_stream.c and source_table.c. */
extern PipelineSource *source_stream_open(const PipelineSource *source);
extern PipelineSource *source_table_open(const PipelineSource *source);

#endif							/* TRACKING_PIPELINE_PIPELINE_SOURCE_H */
