/*
 * shard_allowance.h
 *	  The calls that a shard allows in a second, for all processes of this
 *	  server that read it.
 *
 * A shard allows a number of calls of each kind in a second, whoever makes
 * them.  A reader reserves each of its calls.  It gets a time; times are given
 * out in the order in which they are asked for, so that no reader starves.
 * While a worker reads a shard, one call in a second is kept for workers,
 * however many scans there are besides.
 *
 * These functions do not know who reads, and never wait.  All processes of the
 * server share the allowances if it has shared memory for them: if the library
 * is preloaded, or from PostgreSQL 17 on.  Else each process has its own.  If
 * there is no room, the allowance that was not used for longest is forgotten.
 */
#ifndef TRACKING_STREAM_SHARD_ALLOWANCE_H
#define TRACKING_STREAM_SHARD_ALLOWANCE_H

#include "postgres.h"

#include "service/kinesis.h"

/* Identifies the allowance of one shard for calls of one kind; never 0. */
typedef uint64 ShardAllowance;

/* Who wants to make a call. */
typedef enum ShardClaim
{
	CLAIM_SCAN,
	CLAIM_WORKER
} ShardClaim;

/* Request shared memory; to be called while the library is preloaded. */
extern void shard_allowance_init(void);

/*
 * The allowance of a shard for calls of this kind, which is
 * KINESIS_GET_RECORDS_PER_SECOND of them.  Streams of the same name at the
 * same endpoint are taken for the same stream.
 */
extern ShardAllowance shard_allowance_of(const KinesisStream *stream,
										 const char *shard_id,
										 const char *call);

/*
 * The time at which a call could be made if nobody reserves one before: now_ms
 * or later.
 */
extern int64 shard_allowance_free_ms(ShardAllowance allowance,
									 ShardClaim claim, int64 now_ms);

/* Reserve a call.  Returns when it may be made: now_ms or later. */
extern int64 shard_allowance_reserve(ShardAllowance allowance,
									 ShardClaim claim, int64 now_ms);

/*
 * Note that the shard's rate of bytes makes up for an answer only at paid_ms.
 * Until then the service may throttle.
 */
extern void shard_allowance_charge(ShardAllowance allowance, int64 paid_ms,
								   int64 now_ms);

/* The latest such time that any reader has noted. */
extern int64 shard_allowance_paid_ms(ShardAllowance allowance, int64 now_ms);

#endif							/* TRACKING_STREAM_SHARD_ALLOWANCE_H */
