/*
 * shard_reader.h
 *	  Reading one shard: the life of its iterator, its end, and its gaps.
 *
 * A shard reader has at most one GetRecords under way, besides the one that
 * looks for the shard's tip (shard_tip.h).  It never waits: the stream reader
 * asks when it is due, starts it, and hands back the calls that finished.
 *
 * A reader with READ_TO_TIP is done where the shard's tip was when the reader
 * was opened, or when an answer says that the tip is reached.
 *
 * The reader notices by time that the stream dropped records unread: it knows
 * until when everything was read, and how long the stream keeps records.  When
 * it comes too late, it reads from the trim horizon instead of its position.
 * If the first record there is older than the position, or than the time until
 * which everything was read, the stream has dropped nothing unread.  If it is
 * younger, or there is no record, the stream may have: that is a gap.
 */
#ifndef TRACKING_STREAM_SHARD_READER_H
#define TRACKING_STREAM_SHARD_READER_H

#include "postgres.h"

#include "service/kinesis.h"
#include "stream/position.h"

typedef enum ReadUntil
{
	READ_TO_TIP,				/* up to the tip as it was at the start */
	READ_FOREVER				/* until the shard is closed and read to its
								 * end */
} ReadUntil;

typedef enum ShardState
{
	SHARD_WAITING,				/* for its parents; next: NO_ITERATOR */
	SHARD_NO_ITERATOR,			/* next: ITERATOR_CALL */
	SHARD_ITERATOR_CALL,		/* next: READY */
	SHARD_READY,				/* has an iterator; next: RECORDS_CALL, or
								 * ITERATOR_CALL (the reader comes too late) */
	SHARD_RECORDS_CALL,			/* next: READY, NO_ITERATOR (the iterator
								 * expired), or DONE */
	SHARD_DONE					/* closed and read to its end, or read to its
								 * tip with READ_TO_TIP */
} ShardState;

typedef struct ShardReader ShardReader;

/*
 * Open a reader in cxt that begins at from; all records that had arrived by
 * read_until were read before (0: unknown).  retention_us is how long the
 * stream keeps records; 0: do not look for gaps.  stream and shard must live
 * as long as the reader.  The reader waits until shard_reader_release().
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

/* Let the reader begin, as its shard's parents are read. */
extern void shard_reader_release(ShardReader *reader);

/*
 * Milliseconds from now_ms until the reader wants to start a call; 0: now;
 * -1: it has one under way, waits for its parents, or is done.
 */
extern long shard_reader_due(const ShardReader *reader, int64 now_ms);

/*
 * Start the call that is due.  The state may stay as it is: the call that
 * looks for the tip comes first, and all readers share the shard's allowance.
 */
extern void shard_reader_start(ShardReader *reader, int64 now_ms);

/*
 * Take a finished call whose owner is this reader.  Returns a page with at
 * least one record or child shard, or NULL.  Sets the state.  Raises an error
 * if the call failed in a way that a retry cannot mend.
 */
extern KinesisPage *shard_reader_finish(ShardReader *reader, AwsCall *call);

/* Start no call before due_ms: an idle shard waits for the next poll. */
extern void shard_reader_postpone(ShardReader *reader, int64 due_ms);

/*
 * The last failure, while the shard's calls fail; NULL while they succeed.  A
 * reader with READ_FOREVER keeps trying after failures that may pass; one with
 * READ_TO_TIP tries again as often as the client's max_retries.
 */
extern const AwsError *shard_reader_trouble(const ShardReader *reader);

/* Is the shard closed and read to its end? */
extern bool shard_reader_ended(const ShardReader *reader);

/* Did the last answer say that the shard has no more records? */
extern bool shard_reader_at_tip(const ShardReader *reader);

/* Was the last call that finished a GetRecords that succeeded? */
extern bool shard_reader_is_answered(const ShardReader *reader);

/* Has the answer to the call under way begun to come in? */
extern bool shard_reader_is_coming(const ShardReader *reader);

/* Let the reader's back-off end at latest_ms at the latest. */
extern void shard_reader_hurry(ShardReader *reader, int64 latest_ms);

/* All records that the shard had at this time have come; 0: unknown. */
extern TimestampTz shard_reader_tip_at(const ShardReader *reader);

/* MillisBehindLatest of the last answer; -1: it had none, or none came yet. */
extern int64 shard_reader_millis_behind(const ShardReader *reader);

/* All records that had arrived by this time have come; 0: unknown. */
extern TimestampTz shard_reader_read_until(const ShardReader *reader);

/*
 * The gap before the last answer's records, or before the tip or end that the
 * answer reached; NULL if there is none.  Allocated in the reader's context;
 * each gap is returned once, and the caller owns it then.
 */
extern StreamGap *shard_reader_take_gap(ShardReader *reader);

/* Bytes that the next answer is expected to take: those of the last one. */
extern size_t shard_reader_expected_bytes(const ShardReader *reader);

#endif							/* TRACKING_STREAM_SHARD_READER_H */
