/*
 * shard_pace.h
 *	  When a shard may be asked: its allowance, and what it takes to recover.
 *
 * A shard gives a number of GetRecords a second and a number of bytes a
 * second, to all who read it together.  It makes no call and never waits.
 */
#ifndef TRACKING_STREAM_SHARD_PACE_H
#define TRACKING_STREAM_SHARD_PACE_H

#include "postgres.h"

#include "service/kinesis.h"

typedef struct ShardPace
{
	MemoryContext cxt;
	int64		due_ms;			/* not before */

	/* when the last GetRecords calls were made, in a ring */
	int64		called_ms[KINESIS_GET_RECORDS_PER_SECOND];
	int			oldest;

	int64		paid_ms;		/* when the last answer's bytes are paid for */

	int			failures;		/* in a row */
	AwsError   *trouble;		/* the last of them, in cxt; NULL if well */
} ShardPace;

extern void shard_pace_init(ShardPace *pace, MemoryContext cxt);

/* Milliseconds until a call may be made; for GetRecords the second. */
extern long shard_pace_wait(const ShardPace *pace, int64 now_ms);
extern long shard_pace_wait_records(const ShardPace *pace, int64 now_ms);

/* A GetRecords is made now. */
extern void shard_pace_take(ShardPace *pace, int64 now_ms);

/* It was answered, with that many bytes: the shard is well. */
extern void shard_pace_answered(ShardPace *pace, int64 now_ms, size_t bytes);

/* A call failed in a way that may pass: wait, longer each time. */
extern void shard_pace_failed(ShardPace *pace, int64 now_ms,
							  const AwsError *error);

#endif							/* TRACKING_STREAM_SHARD_PACE_H */
