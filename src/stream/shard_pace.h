/*
 * shard_pace.h
 *	  When a reader may call for a shard: by the shard's allowance, and by the
 *	  reader's back-off after failures.
 *
 * All readers share the allowance of a shard (shard_allowance.h); failures and
 * back-off are the reader's own.  These functions make no call and never wait.
 */
#ifndef TRACKING_STREAM_SHARD_PACE_H
#define TRACKING_STREAM_SHARD_PACE_H

#include "postgres.h"

#include "service/kinesis.h"
#include "stream/shard_allowance.h"

/* Kinds of calls; a shard has an allowance for each. */
typedef enum ShardCall
{
	SHARD_CALL_ITERATOR,		/* GetShardIterator */
	SHARD_CALL_RECORDS,			/* GetRecords */
	N_SHARD_CALLS
} ShardCall;

typedef struct ShardPace
{
	MemoryContext cxt;
	int64		due_ms;			/* no call is due before: back-off or poll */

	ShardClaim	claim;
	ShardAllowance allowances[N_SHARD_CALLS];	/* 0: none was set */
	int64		reserved_ms[N_SHARD_CALLS]; /* 0: no call is reserved */

	int			failures;		/* in a row */
	AwsError   *trouble;		/* the last failure, in cxt; NULL if the last
								 * call succeeded */
} ShardPace;

/* Start with no allowances, so that only the back-off counts. */
extern void shard_pace_init(ShardPace *pace, MemoryContext cxt);

/* Set the allowances of a shard, and the claim of the reader to them. */
extern void shard_pace_of(ShardPace *pace, const KinesisStream *stream,
						  const char *shard_id, ShardClaim claim);

/* Milliseconds until a call could be made, 0: now. */
extern long shard_pace_wait(const ShardPace *pace, ShardCall call,
							int64 now_ms);

/*
 * Take a call from the allowance.  True: the caller may make it now.  False:
 * a later time is reserved for it, which shard_pace_wait() tells.
 */
extern bool shard_pace_take(ShardPace *pace, ShardCall call, int64 now_ms);

/*
 * A call succeeded, and its answer has so many bytes: ends the back-off, and
 * charges a GetRecords to the allowance.
 */
extern void shard_pace_answered(ShardPace *pace, int64 now_ms, size_t bytes);

/* A call failed in a way that may pass: back off, longer each time. */
extern void shard_pace_failed(ShardPace *pace, int64 now_ms,
							  const AwsError *error);

#endif							/* TRACKING_STREAM_SHARD_PACE_H */
