/*
 * stream_reader.h
 *	  Many shards of a stream at once: fairness, order, memory.
 *
 * Parents are read to their end before their children begin.  Within a shard
 * records come in their order; between shards in that of arrival here.  What
 * is kept in memory is bounded by budget_bytes, whatever the number of
 * shards (one answer is always allowed).
 */
#ifndef TRACKING_STREAM_STREAM_READER_H
#define TRACKING_STREAM_STREAM_READER_H

#include "postgres.h"

#include "stream/batch.h"
#include "stream/shard_reader.h"

typedef struct StreamReaderOptions
{
	ReadUntil	until;
	size_t		budget_bytes;	/* of answers kept or on their way */
	int			batch_rows;		/* most records in a batch */
	int			min_rows;		/* with fewer a batch is not full, however
								 * large they are; 0: any number will do */
	long		poll_ms;		/* how often a shard at its tip is asked */
	long		max_latency_ms; /* longest time a record waits for its batch */
	long		list_interval_ms;	/* how often to look for new shards, 0: never */
} StreamReaderOptions;

typedef struct StreamReader StreamReader;

/* In cxt; everything under way ends with it.  stream must live as long. */
extern StreamReader *stream_reader_open(MemoryContext cxt,
										const KinesisStream *stream,
										const StreamReaderOptions *options);

/*
 * Notice what the stream drops unread; it keeps records for that long.  For
 * shards that are added afterwards.
 */
extern void stream_reader_set_retention(StreamReader *reader,
										int64 retention_us);

/* Change what was given as an option. */
extern void stream_reader_set_budget(StreamReader *reader,
									 size_t budget_bytes);

/*
 * Read a shard, from a position on; what had arrived by read_until was read
 * (0: unknown).  shard is copied.  A shard that the reader has is left as it
 * is.  A parent that the reader does not have is read: it has expired, say.
 */
extern void stream_reader_add(StreamReader *reader, const KinesisShard *shard,
							  const StreamPosition *from,
							  TimestampTz read_until);

/* Somebody else reads this shard: it is not to be found any more. */
extern void stream_reader_leave(StreamReader *reader,
								const KinesisShard *shard);

extern int	stream_reader_shards(const StreamReader *reader);

/*
 * The next record, for a scan; false at the end.  It lives until the next
 * call.  Waits as long as it takes; an error ends it.
 */
extern bool stream_reader_next(StreamReader *reader, StreamRecord *record);

/*
 * The next batch, for a pipeline.  It closes when it is full (batch_rows, or
 * half of budget_bytes: the other half is for reading ahead), when nothing is
 * under way or, if its records are late anyway, due soon, or when its first
 * record has waited max_latency_ms.  It may hold positions without records: of
 * a shard that ended, caught up, or has been idle for long.  NULL if nothing
 * came for max_wait_ms, or twice that if the next call is due by then, when
 * there are shards to add, or at the end: see stream_reader_at_end().
 */
extern Batch *stream_reader_next_batch(StreamReader *reader,
									   long max_wait_ms);

/* Free a batch and what it kept of the budget. */
extern void stream_reader_release(StreamReader *reader, Batch *batch);

/* Send and receive what can be without waiting. */
extern void stream_reader_drive(StreamReader *reader);

/* A shard that cannot be read, for some seconds at least. */
typedef struct StreamLost
{
	const char *shard_id;
	TimestampTz since;
	TimestampTz tip_at;			/* as in StreamTip; 0: unknown */
	int			sqlstate;
	const char *reason;			/* a sentence */
	const char *hint;			/* or NULL */
} StreamLost;

/*
 * Those that there are, const StreamLost *, the first first; and are they, or
 * their reasons, others than when last asked?
 */
extern List *stream_reader_lost(const StreamReader *reader);
extern bool stream_reader_lost_changed(StreamReader *reader);

/* What keeps shards from being listed; NULL if nothing does. */
extern const AwsError *stream_reader_listing_trouble(const StreamReader *reader);

/*
 * Shards at their tips, of which nothing is left to apply, were there at that
 * time or later; 0: it is not known, or there are none.
 */
extern TimestampTz stream_reader_tip(const StreamReader *reader);

typedef struct StreamTip
{
	const char *shard_id;
	TimestampTz tip_at;
} StreamTip;

/*
 * The same of each shard by itself, StreamTip *: all that had come by then is
 * handed out and released.
 */
extern List *stream_reader_tips(const StreamReader *reader);

/* What was known of a shard when it was read for the last time; 0: it was not. */
typedef struct StreamRecall
{
	bool		at_tip;			/* at tip_at */
	TimestampTz tip_at;
	TimestampTz late_since;
	TimestampTz lost_since;
	const char *lost_reason;
} StreamRecall;

/* Tell it of a shard that was added; copied, and taken once. */
extern void stream_reader_recall(StreamReader *reader, const char *shard_id,
								 const StreamRecall *recall);

/* Every shard is read as far as it goes, and every record was handed out. */
extern bool stream_reader_at_end(const StreamReader *reader);

/*
 * The last that was heard of each shard is that it has no more, and every
 * record was handed out.  Goes through all shards.
 */
extern bool stream_reader_caught_up(const StreamReader *reader);

/*
 * Shards (KinesisShard *) of the stream that the reader does not have: children
 * of one that was read to its end, or listed since.  Told once; they live until
 * the next call.  Looking for them holds up no shard.
 */
extern List *stream_reader_found(StreamReader *reader);

#endif							/* TRACKING_STREAM_STREAM_READER_H */
