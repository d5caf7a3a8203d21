/*
 * source_stream.h
 *	  A stream that a pipeline reads; only source_stream*.c include this.
 */
#ifndef TRACKING_PIPELINE_SOURCE_STREAM_H
#define TRACKING_PIPELINE_SOURCE_STREAM_H

#include "postgres.h"

#include "config/config.h"
#include "pipeline/pipeline_source.h"
#include "stream/shard_pace.h"
#include "stream/stream_reader.h"

/* A stream that has not answered for so long counts as unreachable. */
#define SOURCE_SILENT_MS 5000

typedef struct StreamSource
{
	PipelineSource base;
	StreamTable *table;
	KinesisStream stream;
	StreamReader *reader;
	bool		begun;			/* its shards are known */
	AwsCall    *describing;		/* the call that describes the stream, before
								 * begun; or NULL */
	ShardPace	describe_pace;	/* when to try that call again */
	int64		describe_ms;	/* when it was first made, by clock_now_ms();
								 * 0: not yet */
	TimestampTz describe_at;	/* the same, as a timestamp */
	bool		silent;			/* the stream did not answer, as reported by
								 * source_stream_reach_changed() */
	bool		listing_failed; /* listings fail, reported likewise */
	TimestampTz stream_created; /* 0: the stream does not say */
	int64		retention_us;
	List	   *waiting;		/* KinesisShard *: shards that wait for a
								 * parent which another worker reads; in
								 * waiting_cxt */
	MemoryContext waiting_cxt;
	int64		added_ms;		/* when shards were last added to the reader */
	int			n_careful;		/* so many more batches keep little memory */
} StreamSource;

/*
 * in source_stream_reach.c; see reach and reach_changed in pipeline_source.h
 */
extern void source_stream_reach(const PipelineSource *source,
								SourceReach *reach);
extern bool source_stream_reach_changed(PipelineSource *source);

#endif							/* TRACKING_PIPELINE_SOURCE_STREAM_H */
