/*
 * pipeline_source.h
 *	  Where the batches of a pipeline come from: a stream, or a table.
 *
 * A source fetches a batch with no transaction open.  Where it needs the
 * database for that, it runs short transactions of its own, by the functions
 * of the process that runs the pipeline (PipelineTransactions).
 */
#ifndef TRACKING_PIPELINE_PIPELINE_SOURCE_H
#define TRACKING_PIPELINE_PIPELINE_SOURCE_H

#include "postgres.h"

#include "ledger/pipeline_catalog.h"
#include "stream/batch.h"
#include "stream/shard_reader.h"

/*
 * The functions by which the process that runs a pipeline begins a
 * transaction, with a snapshot, and ends it.
 */
typedef struct PipelineTransactions
{
	void		(*begin) (void);
	void		(*commit) (void);
	void		(*abort) (void);
} PipelineTransactions;

typedef struct PipelineSource PipelineSource;

/* Which part of a source cannot be read, and why. */
typedef struct SourceReach
{
	bool		is_whole;		/* the source does not answer at all */
	List	   *lost;			/* StreamLost *: shards that cannot be read */
	bool		has_trouble;	/* one of those two, or another failure */
	TimestampTz since;			/* when the trouble began */
	ErrorData	error;			/* the trouble, for the log and the status */
} SourceReach;

/*
 * The caller has no transaction open unless a comment says otherwise.  A
 * function may be NULL only where its comment says so.
 */
typedef struct PipelineSourceOps
{
	/*
	 * Begin to read from the pipeline's positions on.  Returns false if the
	 * source has not answered within max_wait_ms, or before tend has
	 * something to do: the caller then calls begin again.  Raises an error if
	 * the source is not the one that the positions belong to.
	 */
	bool		(*begin) (PipelineSource *source, long max_wait_ms);

	/*
	 * Return the next batch, which the caller passes to release when it is
	 * done with it.  Returns NULL if no batch was ready within max_wait_ms
	 * (in the worst case twice that), if tend has something to do, and at the
	 * end.
	 */
	Batch	   *(*next_batch) (PipelineSource *source, long max_wait_ms);
	void		(*release) (PipelineSource *source, Batch *batch);

	/*
	 * Has the source handed out all records that were there when the run
	 * began?  Never true with READ_FOREVER.
	 */
	bool		(*at_end) (const PipelineSource *source);

	/*
	 * Called before a batch is applied: raise an error if the batch does not
	 * come from the source that the pipeline has read so far, or if the
	 * pipeline must not apply it.  May be NULL.
	 */
	void		(*check) (PipelineSource *source, const Batch *batch);

	/*
	 * Has the source handed out all records that there are, with no part of
	 * it that cannot be read?
	 */
	bool		(*caught_up) (const PipelineSource *source);

	/* Do the source's periodic work, between batches.  May be NULL. */
	void		(*tend) (PipelineSource *source);

	/*
	 * reach tells which part of the source cannot be read and why, allocated
	 * in the current context; reach_changed tells whether that differs from
	 * what it was at the last call.  Either both are NULL or neither is.
	 */
	void		(*reach) (const PipelineSource *source, SourceReach *reach);
	bool		(*reach_changed) (PipelineSource *source);

	/*
	 * tip: a time at which all shards that are at their tips, and have
	 * nothing left to apply, were at their tips; 0 if no such time is known.
	 * tips: that time of each of these shards, StreamTip *.
	 */
	TimestampTz (*tip) (const PipelineSource *source);
	List	   *(*tips) (const PipelineSource *source);

	/*
	 * Fetch the bytes of a batch's rejects that are kept as dead letters, in
	 * the transaction that applies the batch.  NULL if the records of a batch
	 * have their bytes already.
	 */
	void		(*complete_rejects) (PipelineSource *source, Batch *batch);

	/* Write into text what the source reads, for pg_stat_activity. */
	void		(*describe) (const PipelineSource *source, char *text,
							 size_t size);
} PipelineSourceOps;

struct PipelineSource
{
	const PipelineSourceOps *ops;
	MemoryContext cxt;
	const Pipeline *pipeline;
	int			slot;			/* the worker's number; -1: read all shards */
	ReadUntil	until;
	const PipelineTransactions *transactions;
};

/*
 * The least number of records that a batch has, if the source has as many.
 * After a failure it is two: if a batch has one record only, nobody can tell
 * whether the record or the command is at fault.
 */
static inline int
pipeline_source_min_rows(const PipelineSource *source)
{
	return source->pipeline->failures > 0 ? 2 : 1;
}

/*
 * The open functions of the two SourceKinds, in source_stream.c and
 * source_table.c.
 */
extern PipelineSource *source_stream_open(const PipelineSource *source);
extern PipelineSource *source_table_open(const PipelineSource *source);

#endif							/* TRACKING_PIPELINE_PIPELINE_SOURCE_H */
