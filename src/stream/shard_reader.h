/*
 * shard_reader.h
 *	  One shard: the life of its iterator, its pace, its end.
 *
 * A shard reader has at most one GetRecords under way.  It never waits: the
 * stream reader asks when it is due, starts it, and hands back the calls that
 * finished.
 *
 * A reader that goes TO_TIP ends where the shard's tip was when it was
 * opened.  The service tells no tip, so a second iterator of type LATEST is
 * taken at the start: the first record that it yields is the first that came
 * afterwards, and the reader stops before it.  No clock is compared.  On a
 * shard that nobody writes to that record never comes, and reading ends when
 * an answer says that the tip is reached.
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
	SHARD_READY,				/* has an iterator; next: RECORDS_CALL */
	SHARD_RECORDS_CALL,			/* next: READY, NO_ITERATOR (it expired), or
								 * DONE */
	SHARD_DONE					/* closed and read, or at the tip it goes to */
} ShardState;

typedef struct ShardReader ShardReader;

/*
 * Open a reader in cxt that begins at from.  parents are ids of shards to be
 * read first; the stream reader keeps that order.
 */
extern ShardReader *shard_reader_open(MemoryContext cxt,
									  const KinesisStream *stream,
									  const KinesisShard *shard,
									  const StreamPosition *from,
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

/* Start the call that is due. */
extern void shard_reader_start(ShardReader *reader, int64 now_ms, int limit);

/*
 * Take a finished call whose owner is this reader.  Returns a page with at
 * least one record, or NULL.  Sets the state; raises an error for what cannot
 * be retried.
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

/* As the last answer said; -1 before the first. */
extern int64 shard_reader_millis_behind(const ShardReader *reader);

/* Bytes that the next answer will take, going by the last one. */
extern size_t shard_reader_expected_bytes(const ShardReader *reader);

#endif							/* TRACKING_STREAM_SHARD_READER_H */
