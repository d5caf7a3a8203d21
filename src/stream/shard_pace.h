/*
 * shard_pace.h
 *	  When a shard may be asked: its allowance, and what it takes to recover.
 *
 * What a shard gives is shared by all who read it (shard_allowance.h); what
 * failed, and how long to wait for that, is the reader's own.  It makes no call
 * and never waits.
 */
#ifndef TRACKING_STREAM_SHARD_PACE_H
#define TRACKING_STREAM_SHARD_PACE_H

#include "postgres.h"

#include "service/kinesis.h"
#include "stream/shard_allowance.h"

/* What a shard counts each by itself. */
typedef enum ShardCall
{
	SHARD_CALL_ITERATOR,		/* GetShardIterator */
	SHARD_CALL_RECORDS,			/* GetRecords */
	N_SHARD_CALLS
} ShardCall;

typedef struct ShardPace
{
	MemoryContext cxt;
	int64		due_ms;			/* not before */

	ShardClaim	claim;
	ShardAllowance allowances[N_SHARD_CALLS];	/* 0: it makes no such call */
	int64		reserved_ms[N_SHARD_CALLS]; /* a call not made yet; 0: none */

	int			failures;		/* in a row */
	AwsError   *trouble;		/* the last of them, in cxt; NULL if well */
} ShardPace;

extern void shard_pace_init(ShardPace *pace, MemoryContext cxt);

/* It is that of a shard, for such a reader. */
extern void shard_pace_of(ShardPace *pace, const KinesisStream *stream,
						  const char *shard_id, ShardClaim claim);

/* Milliseconds until a call might be made. */
extern long shard_pace_wait(const ShardPace *pace, ShardCall call,
							int64 now_ms);

/*
 * Make a call now: true.  False if others are first: then shard_pace_wait()
 * tells when it is our turn.
 */
extern bool shard_pace_take(ShardPace *pace, ShardCall call, int64 now_ms);

/* GetRecords was answered, with that many bytes: the shard is well. */
extern void shard_pace_answered(ShardPace *pace, int64 now_ms, size_t bytes);

/* A call failed in a way that may pass: wait, longer each time. */
extern void shard_pace_failed(ShardPace *pace, int64 now_ms,
							  const AwsError *error);

#endif							/* TRACKING_STREAM_SHARD_PACE_H */
