/*
 * source_stream.h
 *	  A stream that a pipeline reads, for source_stream*.c alone.
 */
#ifndef TRACKING_PIPELINE_SOURCE_STREAM_H
#define TRACKING_PIPELINE_SOURCE_STREAM_H

#include "postgres.h"

#include "config/config.h"
#include "pipeline/pipeline_source.h"
#include "stream/shard_pace.h"
#include "stream/stream_reader.h"

/* A stream that does not answer for so long cannot be reached. */
#define SOURCE_SILENT_MS 5000

typedef struct StreamSource
{
	PipelineSource base;
	StreamTable *table;
	KinesisStream stream;
	StreamReader *reader;
	bool		begun;			/* its shards are known */
	AwsCall    *describing;		/* before that, or NULL */
	ShardPace	describe_pace;
	int64		describe_ms;	/* when it was first asked; 0: not yet */
	TimestampTz describe_at;	/* the same by the clock */
	bool		silent;			/* ... was told, or that it is not any more */
	bool		listing_failed; /* was told */
	TimestampTz stream_created; /* 0: the stream does not say */
	int64		retention_us;
	List	   *waiting;		/* KinesisShard *, for a parent that another
								 * worker reads; in waiting_cxt */
	MemoryContext waiting_cxt;
	int64		added_ms;		/* when the reader got the shards it may read */
	int			n_careful;		/* batches that are to keep little */
} StreamSource;

/* in source_stream_reach.c: what of it cannot be read, see pipeline_source.h */
extern void source_stream_reach(const PipelineSource *source,
								SourceReach *reach);
extern bool source_stream_reach_changed(PipelineSource *source);

#endif							/* TRACKING_PIPELINE_SOURCE_STREAM_H */
