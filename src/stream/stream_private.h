/*
 * stream_private.h
 *	  The inside of a stream reader: only stream_reader.c, stream_shards.c,
 *	  stream_schedule.c, stream_queue.c, stream_reach.c and stream_listing.c
 *	  include this.
 *
 * A stream may have thousands of shards: no function that runs for every call,
 * page or batch may go through all of them.
 */
#ifndef TRACKING_STREAM_STREAM_PRIVATE_H
#define TRACKING_STREAM_STREAM_PRIVATE_H

#include "postgres.h"

#include "lib/ilist.h"
#include "lib/pairingheap.h"
#include "stream/shard_pace.h"
#include "stream/stream_reader.h"

/* Where a shard waits for its next call. */
typedef enum ShardPlace
{
	PLACE_NONE,					/* nowhere: a call is under way, or no call is
								 * wanted */
	PLACE_PARENTS,				/* in waiting, for its parents to be read */
	PLACE_DUE,					/* in due, for its time */
	PLACE_MEMORY,				/* in blocked, for room in the budget */
	PLACE_USED					/* in used: a page of it was handed out, so
								 * that it must be scheduled again */
} ShardPlace;

/* Does the service answer for a shard? */
typedef enum ShardReach
{
	REACH_WELL,					/* the last call was answered, or there was
								 * none */
	REACH_ASKED,				/* in asked: calls since were not answered */
	REACH_LOST					/* in lost: ... for LOST_MS or longer */
} ShardReach;

/* A shard of the reader, and how much of it was handed out. */
typedef struct ReaderShard
{
	ShardReader *reader;
	KinesisShard shard;
	dlist_node	own_node;		/* in own */

	ShardPlace	place;
	pairingheap_node due_node;	/* in due */
	dlist_node	place_node;		/* in waiting, blocked, or used */
	int64		due_ms;			/* when the next call is due, as was known
								 * when the shard was put into due */

	int			n_pages;		/* of it in the queue */
	StreamPosition handed_out;	/* after the last record handed out in a batch */
	int64		handed_behind;	/* millis_behind_latest in its last batch */
	TimestampTz handed_until;	/* read_until in its last batch */
	int			in_batch;		/* index into the open batch's shards, or -1 */
	StreamGap  *gap;			/* found, but no record has come after it yet;
								 * or NULL */

	bool		has_news;		/* in news: the next batch must hold its
								 * position, even without a record */
	dlist_node	news_node;		/* in news */

	ShardReach	reach;
	dlist_node	reach_node;		/* in asked or lost */
	int64		asked_ms;		/* when the first call was made that was not
								 * answered, as waited_ms() counts */
	TimestampTz asked_at;		/* the same time of day */
	StreamLost	why;			/* why the shard is lost */
	char		why_code[64];	/* code of that error; "": no answer came */

	bool		is_recalled;	/* stream_reader_recall() was called for it */
	bool		rests;			/* in resting: at its tip, all is applied */
	dlist_node	rest_node;		/* in resting */
	bool		is_unsure;		/* recalled to be at its tip, but no answer
								 * has come yet that says so */
	TimestampTz handed_tip;		/* all that had arrived by then was handed
								 * out; 0: unknown */
	TimestampTz applied_tip;	/* handed_tip before the last batch */
	int64		batch_no;		/* of the last batch that it was in */
	TimestampTz late_since;		/* as its last batch told */
} ReaderShard;

/* A page that waits to be handed out. */
typedef struct QueuedPage
{
	dlist_node	node;			/* in queue */
	ReaderShard *shard;
	KinesisPage *page;
	StreamGap  *gap;			/* before its first record, or NULL */
	TimestampTz read_until;		/* of the shard, once the page is handed out */
	TimestampTz tip_at;			/* likewise */
	bool		fresh;			/* a record may be younger than max_latency */
	int64		n_left;			/* records not handed out yet */
	KinesisUnpack *unpack;		/* walks through them; NULL: the page has no
								 * aggregates, they are its last n_left */
} QueuedPage;

struct StreamReader
{
	MemoryContext cxt;
	KinesisStream stream;		/* a copy, with the budget added */
	HttpBudget	budget;
	StreamReaderOptions options;
	int64		retention_us;	/* how long the stream keeps records; 0: do
								 * not look for gaps */
	int			n_open;			/* shards that are not done */

	/* in stream_shards.c */
	struct shardhash_hash *shards;	/* all known shards by id: of this reader
									 * and of other processes */
	dlist_head	own;			/* ReaderShards of this reader */
	int			n_shards;		/* in own */

	/* in stream_schedule.c; see ShardPlace */
	pairingheap *due;			/* ReaderShards, the earliest first */
	dlist_head	blocked;		/* ReaderShards, the longest waiting first */
	dlist_head	waiting;		/* ReaderShards */
	bool		released;		/* in waiting is no shard whose parents are
								 * all read */
	int			n_calls;		/* of shards under way, without those for tips */
	size_t		coming_bytes;	/* that their answers are expected to take */

	/* in stream_reach.c; the lists have the longest waiting first */
	dlist_head	asked;			/* ReaderShards, see ShardReach */
	dlist_head	lost;			/* ReaderShards, see ShardReach */
	int			n_lost;			/* in lost */
	bool		lost_changed;	/* since stream_reader_lost_changed() */
	int64		left_ms;		/* when next_batch() returned last; 0: never */
	int64		away_ms;		/* total time that the caller spent outside
								 * next_batch() */
	dlist_head	resting;		/* ReaderShards that rest */
	int			n_unsure;		/* shards with is_unsure */
	int64		batch_no;		/* of the last batch handed out, from 1 on */
	int64		released_no;	/* of the last batch released */

	/* in stream_queue.c */
	dlist_head	queue;			/* QueuedPages, in order of arrival */
	int			n_queued;		/* pages in the queue */
	int			n_fresh;		/* pages in the queue with fresh */
	int64		queued_records; /* in the queue */
	size_t		queued_bytes;	/* in the queue */
	size_t		kept_bytes;		/* in the queue and in batches handed out */
	int64		oldest_ms;		/* when the queue's first page came */
	KinesisPage *finished_page; /* whose last record next() has handed out */
	KinesisRecord sub_record;	/* the last one that next() has unpacked */
	dlist_head	news;			/* ReaderShards with has_news */
	int			n_news;			/* in news */
	dlist_head	used;			/* ReaderShards in PLACE_USED */

	/* in stream_listing.c */
	int64		list_due_ms;	/* when the next listing is due */
	AwsCall    *list_call;		/* under way, or NULL */
	ShardPace	list_pace;		/* back-off after listings that failed */
	MemoryContext found_cxt;
	List	   *found;			/* KinesisShards that nobody was told of yet,
								 * in found_cxt */
};

/* in stream_shards.c */

extern void stream_shards_init(StreamReader *reader);

/* The reader's own shard with this id, or NULL. */
extern ReaderShard *stream_find_shard(const StreamReader *reader,
									  const char *shard_id);

/* Is the shard one of the reader or of another process? */
extern bool stream_is_known(const StreamReader *reader, const char *shard_id);

/* Note that another process reads a shard; no effect on a known shard. */
extern void stream_leave_shard(StreamReader *reader, const char *shard_id);

/* Make a shard the reader's own, which it was not. */
extern void stream_own_shard(StreamReader *reader, ReaderShard *shard);

/* in stream_schedule.c */

extern void stream_schedule_init(StreamReader *reader);

/* Move a shard from its present place to the one where it must wait now. */
extern void stream_schedule(StreamReader *reader, ReaderShard *shard);

/*
 * Start the calls that are due and allowed.  Returns milliseconds until the
 * next shard is due, -1 if none will be before a call ends or pages are
 * handed out.
 */
extern long stream_start_calls(StreamReader *reader);

/*
 * Take a finished call of a shard.  Returns a page as shard_reader_finish()
 * does.
 */
extern KinesisPage *stream_finish_call(StreamReader *reader,
									   ReaderShard *shard, AwsCall *call);

/* Have the shard that was lost first asked within PROBE_MS. */
extern void stream_probe_lost(StreamReader *reader);

/* in stream_queue.c */

extern void stream_queue_init(StreamReader *reader);

/* Append a page with at least one record to the queue, which owns it then. */
extern void stream_queue_add(StreamReader *reader, ReaderShard *shard,
							 KinesisPage *page);

/* Put the shard into news, or take it out; to be called when it changed. */
extern void stream_queue_look(StreamReader *reader, ReaderShard *shard);

/*
 * Get the next record; it lives until the next call.  False: none is queued.
 */
extern bool stream_queue_next(StreamReader *reader, StreamRecord *record);

/* Make a batch of the queue and the news, with at most batch_rows records. */
extern Batch *stream_queue_batch(StreamReader *reader);

/* in stream_reach.c */

extern void stream_reach_init(StreamReader *reader);

/*
 * The caller begins, and ends, to wait for a batch.  At the end shards are
 * lost that were not answered for in LOST_MS of such time.
 */
extern void stream_reach_enter(StreamReader *reader);
extern void stream_reach_leave(StreamReader *reader);

/* A call of the shard was started. */
extern void stream_reach_asked(StreamReader *reader, ReaderShard *shard);

/*
 * A call of the shard has finished.  True if the shard was lost and is
 * answered for again.
 */
extern bool stream_reach_finished(StreamReader *reader, ReaderShard *shard);

/*
 * Put the shard into resting, or take it out; to be called when the answer of
 * a call is queued.
 */
extern void stream_tip_look(StreamReader *reader, ReaderShard *shard);

/* Take the shard out of resting. */
extern void stream_tip_leave(StreamReader *reader, ReaderShard *shard);

/* All records that had arrived by this time are applied; 0: unknown. */
extern TimestampTz stream_tip_applied(const StreamReader *reader,
									  const ReaderShard *shard);

/* in stream_listing.c */

extern void stream_listing_init(StreamReader *reader);

/*
 * Start a listing if it is due.  Returns milliseconds until it is, -1 if that
 * is not known: it is under way, or nobody wants listings.
 */
extern long stream_listing_start(StreamReader *reader, int64 now_ms);

/* Take list_call, which has finished. */
extern void stream_listing_finish(StreamReader *reader, AwsCall *call);

/*
 * A shard ended, and its last answer named these children (KinesisShard *), or
 * none: NIL.
 */
extern void stream_listing_children(StreamReader *reader, List *children);

#endif							/* TRACKING_STREAM_STREAM_PRIVATE_H */
