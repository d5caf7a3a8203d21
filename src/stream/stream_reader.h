/*
 * stream_reader.h
 *	  Reading many shards of a stream at once: fairness, order, memory.
 *
 * The reader reads a parent shard to its end before it begins with the
 * children.  It hands out the records of a shard in the shard's order, and
 * pages of different shards in the order in which their answers came.  The
 * answers that it keeps in memory take at most budget_bytes, however many
 * shards there are (one answer is always allowed).
 */
#ifndef TRACKING_STREAM_STREAM_READER_H
#define TRACKING_STREAM_STREAM_READER_H

#include "postgres.h"

#include "stream/batch.h"
#include "stream/shard_reader.h"

typedef struct StreamReaderOptions
{
	ReadUntil	until;
	size_t		budget_bytes;	/* memory for answers kept or on their way */
	int			batch_rows;		/* most records in a batch */
	int			min_rows;		/* a batch with fewer records is not full,
								 * however large they are; 0: no minimum */
	long		poll_ms;		/* interval between polls of a shard at its
								 * tip */
	long		max_latency_ms; /* longest time a record waits for its batch */
	long		list_interval_ms;	/* interval between listings of the
									 * stream's shards, 0: never list */
} StreamReaderOptions;

typedef struct StreamReader StreamReader;

/*
 * Open a reader in cxt, with no shards yet.  Deleting cxt ends the reader and
 * its calls.  stream must live as long as the reader.
 */
extern StreamReader *stream_reader_open(MemoryContext cxt,
										const KinesisStream *stream,
										const StreamReaderOptions *options);

/*
 * Tell the reader how long the stream keeps records, so that it notices gaps:
 * records that the stream dropped before they were read.  Applies to shards
 * that are added afterwards.
 */
extern void stream_reader_set_retention(StreamReader *reader,
										int64 retention_us);

/* Change the option budget_bytes of an open reader. */
extern void stream_reader_set_budget(StreamReader *reader,
									 size_t budget_bytes);

/*
 * Have the reader read a shard from a position on; all records that had
 * arrived by read_until were read before (0: unknown).  shard is copied.  A
 * shard that the reader has already is left as it is.  The reader takes a
 * parent that it does not have for one that is read: it may have expired, for
 * example.
 */
extern void stream_reader_add(StreamReader *reader, const KinesisShard *shard,
							  const StreamPosition *from,
							  TimestampTz read_until);

/*
 * Leave a shard to another process: stream_reader_found() does not tell of it
 * any more.
 */
extern void stream_reader_leave(StreamReader *reader,
								const KinesisShard *shard);

/* The number of shards that were added. */
extern int	stream_reader_shards(const StreamReader *reader);

/*
 * Get the next record, for a scan; false at the end.  The record lives until
 * the next call.  Waits as long as it takes; raises an error if a shard cannot
 * be read.
 */
extern bool stream_reader_next(StreamReader *reader, StreamRecord *record);

/*
 * Get the next batch, for a pipeline.  The reader closes a batch
 * - when it is full: batch_rows, or half of budget_bytes (the other half is
 *   for reading ahead),
 * - when no call is under way, unless all of its records are later than
 *   max_latency_ms anyway and another shard is due within GATHER_MS, or
 * - when its first record has waited max_latency_ms.
 * A batch may hold positions without records: of a shard that ended, caught
 * up, lost records, or has been idle for long.
 *
 * Returns NULL if nothing came for max_wait_ms (twice that, if all shards are
 * idle and the next call is due by then), if stream_reader_found() has shards
 * to add, or at the end: see stream_reader_at_end().
 */
extern Batch *stream_reader_next_batch(StreamReader *reader,
									   long max_wait_ms);

/*
 * Free a batch, which has been applied, and give back what it took of the
 * budget.
 */
extern void stream_reader_release(StreamReader *reader, Batch *batch);

/* Start the calls that are due and take the answers there are; do not wait. */
extern void stream_reader_drive(StreamReader *reader);

/* A lost shard: the service has not answered for it for some seconds. */
typedef struct StreamLost
{
	const char *shard_id;
	TimestampTz since;			/* when the shard was first asked in vain */
	TimestampTz tip_at;			/* as in StreamTip; 0: unknown */
	int			sqlstate;
	const char *reason;			/* a sentence */
	const char *hint;			/* or NULL */
} StreamLost;

/*
 * The lost shards, const StreamLost *, the one that was lost first in front.
 */
extern List *stream_reader_lost(const StreamReader *reader);

/* Has the list, or a reason in it, changed since this was called last? */
extern bool stream_reader_lost_changed(StreamReader *reader);

/* The error by which listing the shards fails; NULL if it does not. */
extern const AwsError *stream_reader_listing_trouble(const StreamReader *reader);

/*
 * A time at which, or later, each shard at its tip with nothing left to apply
 * was at its tip; 0: unknown, or there is no such shard.
 */
extern TimestampTz stream_reader_tip(const StreamReader *reader);

/* All records of the shard that had arrived by tip_at are applied. */
typedef struct StreamTip
{
	const char *shard_id;
	TimestampTz tip_at;
} StreamTip;

/*
 * StreamTip * of each shard that has not ended and of which such a time is
 * known.
 */
extern List *stream_reader_tips(const StreamReader *reader);

/*
 * What the process that read a shard before knew of it in the end; a time of 0
 * means that it was not so, or unknown.
 */
typedef struct StreamRecall
{
	bool		at_tip;			/* the shard was at its tip at tip_at */
	TimestampTz tip_at;
	TimestampTz late_since;
	TimestampTz lost_since;
	const char *lost_reason;
} StreamRecall;

/*
 * Recall what was known of a shard that was added.  It is copied.  Only the
 * first call for a shard counts.
 */
extern void stream_reader_recall(StreamReader *reader, const char *shard_id,
								 const StreamRecall *recall);

/* Is every shard done (see SHARD_DONE), and was every record handed out? */
extern bool stream_reader_at_end(const StreamReader *reader);

/*
 * Did the last answer of each shard say that it has no more records, and was
 * every record handed out?  Goes through all shards.
 */
extern bool stream_reader_caught_up(const StreamReader *reader);

/*
 * Shards (KinesisShard *) of the stream that the reader does not know:
 * children of a shard that was read to its end, or shards that a listing
 * found.  Each is told once; the list lives until the next call.  Listing
 * holds up no shard.
 */
extern List *stream_reader_found(StreamReader *reader);

#endif							/* TRACKING_STREAM_STREAM_READER_H */
