/*
 * shard_reader.h
 *	  One shard: the life of its iterator, its end, and what it lost.
 *
 * A shard reader has at most one GetRecords under way, besides the look-out
 * for its tip (shard_tip.h).  It never waits: the stream reader asks when it
 * is due, starts it, and hands back the calls that finished.
 *
 * A reader that goes TO_TIP ends where the shard's tip was when it was
 * opened, or when an answer says that the tip is reached.
 *
 * Records that the stream drops unread are noticed by time: a reader knows
 * until when everything was read, and how long the stream keeps records.  When
 * it comes too late it reads from the trim horizon instead of its position.
 * What is older than the position or than what is known to be read shows
 * that nothing was dropped; if the first record there is younger, or there is
 * none, records may have been: that is a gap.
 */
#ifndef TRACKING_STREAM_SHARD_READER_H
#define TRACKING_STREAM_SHARD_READER_H

#include "postgres.h"

#include "service/kinesis.h"
#include "stream/position.h"

typedef enum ReadUntil
{
	READ_TO_TIP,				/* the tip as it was at the start */
	READ_FOREVER				/* until the shard is closed and read */
} ReadUntil;

typedef enum ShardState
{
	SHARD_WAITING,				/* for its parents; next: NO_ITERATOR */
	SHARD_NO_ITERATOR,			/* next: ITERATOR_CALL */
	SHARD_ITERATOR_CALL,		/* next: READY */
	SHARD_READY,				/* has an iterator; next: RECORDS_CALL, or
								 * ITERATOR_CALL (it comes too late) */
	SHARD_RECORDS_CALL,			/* next: READY, NO_ITERATOR (it expired), or
								 * DONE */
	SHARD_DONE					/* closed and read, or at the tip it goes to */
} ShardState;

typedef struct ShardReader ShardReader;

/*
 * Open a reader in cxt that begins at from; what had arrived at read_until
 * was read (0: unknown).  retention_us is how long the stream keeps records;
 * 0 if nobody asks for gaps.  Its shard's parents are read first: the stream
 * reader keeps that order.
 */
extern ShardReader *shard_reader_open(MemoryContext cxt,
									  const KinesisStream *stream,
									  const KinesisShard *shard,
									  const StreamPosition *from,
									  TimestampTz read_until,
									  int64 retention_us,
									  ReadUntil until);

extern const KinesisShard *shard_reader_shard(const ShardReader *reader);
extern ShardState shard_reader_state(const ShardReader *reader);

/* The parents are read: begin. */
extern void shard_reader_release(ShardReader *reader);

/*
 * Milliseconds from now_ms until the reader wants to start a call; 0: now;
 * -1: it has one under way, waits for its parents, or is done.
 */
extern long shard_reader_due(const ShardReader *reader, int64 now_ms);

/*
 * Start the call that is due.  The state may stay as it is: the look-out for
 * the tip comes first, and all readers share the shard's allowance.
 */
extern void shard_reader_start(ShardReader *reader, int64 now_ms);

/*
 * Take a finished call whose owner is this reader.  Returns a page with at
 * least one record or child shard, or NULL.  Sets the state; raises an error
 * for what cannot be retried.
 */
extern KinesisPage *shard_reader_finish(ShardReader *reader, AwsCall *call);

/* Do not ask before due_ms: an idle shard waits for the next poll. */
extern void shard_reader_postpone(ShardReader *reader, int64 due_ms);

/*
 * The last failure, while the shard is failing; NULL while it is well.  A
 * reader without end keeps trying after failures that may pass; one that goes
 * to the tip tries as often as the client's max_retries.
 */
extern const AwsError *shard_reader_trouble(const ShardReader *reader);

/* The shard is closed and was read to its end. */
extern bool shard_reader_ended(const ShardReader *reader);

/* The last answer had nothing more to give. */
extern bool shard_reader_at_tip(const ShardReader *reader);

/* Did the last call that finished, if it is a GetRecords, bring an answer? */
extern bool shard_reader_is_answered(const ShardReader *reader);

/* An answer to the call under way has begun. */
extern bool shard_reader_is_coming(const ShardReader *reader);

/* Ask at latest_ms, though it has failed of late. */
extern void shard_reader_hurry(ShardReader *reader, int64 latest_ms);

/* When what has come was all that the shard had; 0: it is not known. */
extern TimestampTz shard_reader_tip_at(const ShardReader *reader);

/* As the last answer said; -1 if it did not, or before the first. */
extern int64 shard_reader_millis_behind(const ShardReader *reader);

/* What had arrived by then has come; 0: unknown. */
extern TimestampTz shard_reader_read_until(const ShardReader *reader);

/*
 * A gap before the last answer's records, or at the tip or end that it
 * reached; NULL if there is none.  In the reader's context; told once.
 */
extern StreamGap *shard_reader_take_gap(ShardReader *reader);

/* Bytes that the next answer will take, going by the last one. */
extern size_t shard_reader_expected_bytes(const ShardReader *reader);

#endif							/* TRACKING_STREAM_SHARD_READER_H */
