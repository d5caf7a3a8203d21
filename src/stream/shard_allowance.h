/*
 * shard_allowance.h
 *	  What a shard gives in a second, to all who read it on this server.
 *
 * A shard takes so many calls of a kind in a second, whoever makes them.  A
 * reader reserves each of its calls: the times are given out in the order in
 * which they are asked for, so that nobody is left out.  Where a worker reads,
 * one call in a second is for workers, however many scans there are besides.
 *
 * Who reads is not known here, nor is anything waited for.  Where the server
 * has memory to share, which it has with the preload and from 17 on, all of its
 * processes share the allowances; else those of a process are its own.  What
 * has been left alone for longest is forgotten first.
 */
#ifndef TRACKING_STREAM_SHARD_ALLOWANCE_H
#define TRACKING_STREAM_SHARD_ALLOWANCE_H

#include "postgres.h"

#include "service/kinesis.h"

/* Names the calls of a kind to a shard; never 0. */
typedef uint64 ShardAllowance;

typedef enum ShardClaim
{
	CLAIM_SCAN,
	CLAIM_WORKER
} ShardClaim;

/* Ask the server for memory to share; while it preloads. */
extern void shard_allowance_init(void);

/*
 * Those of a kind of call (KINESIS_GET_RECORDS_PER_SECOND of it in a second).
 * Streams of one name at one endpoint are taken for one.
 */
extern ShardAllowance shard_allowance_of(const KinesisStream *stream,
										 const char *shard_id,
										 const char *call);

/* When a call might be made, if nobody else asks before: now_ms, or later. */
extern int64 shard_allowance_free_ms(ShardAllowance allowance,
									 ShardClaim claim, int64 now_ms);

/* Reserve a call: when it may be made, now_ms or later. */
extern int64 shard_allowance_reserve(ShardAllowance allowance,
									 ShardClaim claim, int64 now_ms);

/* An answer was so large that it is paid for only then; when the last one is. */
extern void shard_allowance_charge(ShardAllowance allowance, int64 paid_ms,
								   int64 now_ms);
extern int64 shard_allowance_paid_ms(ShardAllowance allowance, int64 now_ms);

#endif							/* TRACKING_STREAM_SHARD_ALLOWANCE_H */
