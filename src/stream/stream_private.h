/*
 * stream_private.h
 *	  The inside of a stream reader; for the stream_*.c files of a reader alone.
 *
 * Nothing that happens for every call, page or batch goes through all shards:
 * a stream may have thousands.
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
	PLACE_NONE,					/* a call is under way, or none is wanted */
	PLACE_PARENTS,				/* for its parents: in waiting */
	PLACE_DUE,					/* for its time: in due */
	PLACE_MEMORY,				/* for room in the budget: in blocked */
	PLACE_USED					/* to be scheduled anew, as a page of it was
								 * used up: in used */
} ShardPlace;

/* Is it answered for? */
typedef enum ShardReach
{
	REACH_WELL,					/* it was, or nobody has asked */
	REACH_ASKED,				/* not yet: in asked */
	REACH_LOST					/* not for long: in lost */
} ShardReach;

/* A shard, and what of it was handed out. */
typedef struct ReaderShard
{
	ShardReader *reader;
	KinesisShard shard;
	dlist_node	own_node;

	ShardPlace	place;
	pairingheap_node due_node;
	dlist_node	place_node;		/* in waiting, blocked, or used */
	int64		due_ms;			/* in due: when, as far as was known */

	int			n_pages;		/* in the queue */
	StreamPosition handed_out;	/* behind the last record of a batch */
	int64		handed_behind;	/* millis_behind that the last batch told */
	TimestampTz handed_until;	/* read_until that the last batch told */
	int			in_batch;		/* index into the open batch's shards, or -1 */
	StreamGap  *gap;			/* without a record behind it yet, or NULL */

	bool		has_news;		/* to tell without a record: in news */
	dlist_node	news_node;

	ShardReach	reach;
	dlist_node	reach_node;
	int64		asked_ms;		/* when it was asked first, of the time that the
								 * caller waits */
	TimestampTz asked_at;		/* the same by the clock */
	StreamLost	why;			/* it is lost */
	char		why_code[64];	/* of the error; "": no answer came */

	bool		is_recalled;
	bool		rests;			/* at its tip, with nothing to apply: in resting */
	dlist_node	rest_node;
	bool		is_unsure;		/* recalled to be at its tip, not asked yet */
	TimestampTz handed_tip;		/* when what was handed out was all; 0: unknown */
	TimestampTz applied_tip;	/* the same of what was before the last batch */
	int64		batch_no;		/* the last that it was in */
	TimestampTz late_since;		/* that the last batch told */
} ReaderShard;

/* A page that waits to be handed out. */
typedef struct QueuedPage
{
	dlist_node	node;
	ReaderShard *shard;
	KinesisPage *page;
	StreamGap  *gap;			/* before its first record, or NULL */
	TimestampTz read_until;		/* when the page is */
	TimestampTz tip_at;			/* likewise */
	bool		fresh;			/* a record may be younger than max_latency */
	int64		n_left;			/* records not handed out */
	KinesisUnpack *unpack;		/* where they are; NULL: the page has no
								 * aggregates, and they are its last */
} QueuedPage;

struct StreamReader
{
	MemoryContext cxt;
	KinesisStream stream;		/* as was given, with the budget */
	HttpBudget	budget;
	StreamReaderOptions options;
	int64		retention_us;	/* 0: nobody asks for gaps */
	int			n_open;			/* shards that are not done */

	/* stream_shards.c */
	struct shardhash_hash *shards;	/* by id, and those that others read */
	dlist_head	own;			/* of ReaderShard: those that it reads itself */
	int			n_shards;		/* of them */

	/* stream_schedule.c */
	pairingheap *due;			/* the earliest first */
	dlist_head	blocked;		/* the longest waiting first */
	dlist_head	waiting;
	bool		released;		/* no shard waits for a parent that is read */
	int			n_calls;		/* of shards, under way; tips not counted */
	size_t		coming_bytes;	/* expected of these */

	/* stream_reach.c */
	dlist_head	asked;			/* the longest first, as in the next two */
	dlist_head	lost;
	int			n_lost;
	bool		lost_changed;	/* since it was told */
	int64		left_ms;		/* when the caller went elsewhere */
	int64		away_ms;		/* spent there */
	dlist_head	resting;
	int			n_unsure;
	int64		batch_no;		/* handed out */
	int64		released_no;

	/* stream_queue.c */
	dlist_head	queue;			/* of QueuedPage, in order of arrival */
	int			n_queued;
	int			n_fresh;		/* of them */
	int64		queued_records;
	size_t		queued_bytes;	/* of the queue */
	size_t		kept_bytes;		/* of the queue and of batches handed out */
	int64		oldest_ms;		/* when the queue's first page came */
	KinesisPage *finished_page; /* its last record was handed out by next() */
	KinesisRecord sub_record;	/* that next() handed out last */
	dlist_head	news;
	int			n_news;
	dlist_head	used;			/* shards of which a page was used up */

	/* stream_listing.c */
	int64		list_due_ms;
	AwsCall    *list_call;		/* under way, or NULL */
	ShardPace	list_pace;		/* after listings that failed */
	MemoryContext found_cxt;
	List	   *found;			/* of KinesisShard, in found_cxt */
};

/* in stream_shards.c */

extern void stream_shards_init(StreamReader *reader);

/* A shard of the reader; NULL if it is none. */
extern ReaderShard *stream_find_shard(const StreamReader *reader,
									  const char *shard_id);

/* It is one, or somebody else reads it. */
extern bool stream_is_known(const StreamReader *reader, const char *shard_id);

/* Somebody else reads a shard, unless the reader does. */
extern void stream_leave_shard(StreamReader *reader, const char *shard_id);

/* The reader reads a shard, which it did not have. */
extern void stream_own_shard(StreamReader *reader, ReaderShard *shard);

/* in stream_schedule.c */

extern void stream_schedule_init(StreamReader *reader);

/* Put a shard where it has to wait now, whatever it waited for before. */
extern void stream_schedule(StreamReader *reader, ReaderShard *shard);

/*
 * Start the calls of shards that are due and allowed.  Returns milliseconds until the
 * next shard is due, -1 if none will be before a call ends or pages are
 * handed out.
 */
extern long stream_start_calls(StreamReader *reader);

/*
 * Take a call of a shard that has finished.  Returns a page as
 * shard_reader_finish() does.
 */
extern KinesisPage *stream_finish_call(StreamReader *reader,
									   ReaderShard *shard, AwsCall *call);

/* Have the first of the lost shards asked soon. */
extern void stream_probe_lost(StreamReader *reader);

/* in stream_queue.c */

extern void stream_queue_init(StreamReader *reader);
extern void stream_queue_add(StreamReader *reader, ReaderShard *shard,
							 KinesisPage *page);

/* Look whether the shard has news that no record of it will tell. */
extern void stream_queue_look(StreamReader *reader, ReaderShard *shard);

/* The next record; what it is in is kept until the next call. */
extern bool stream_queue_next(StreamReader *reader, StreamRecord *record);

/* A batch of what there is, up to batch_rows. */
extern Batch *stream_queue_batch(StreamReader *reader);

/* in stream_reach.c */

extern void stream_reach_init(StreamReader *reader);

/* The caller waits for a batch from here on, and to here. */
extern void stream_reach_enter(StreamReader *reader);
extern void stream_reach_leave(StreamReader *reader);

/*
 * A call of the shard was made; it has finished.  True if the shard was lost,
 * and is answered for again.
 */
extern void stream_reach_asked(StreamReader *reader, ReaderShard *shard);
extern bool stream_reach_finished(StreamReader *reader, ReaderShard *shard);

/* Once what a call brought is queued: see whether the shard is at its tip. */
extern void stream_tip_look(StreamReader *reader, ReaderShard *shard);
extern void stream_tip_leave(StreamReader *reader, ReaderShard *shard);

/* When what is applied was all; 0: unknown. */
extern TimestampTz stream_tip_applied(const StreamReader *reader,
									  const ReaderShard *shard);

/* in stream_listing.c */

extern void stream_listing_init(StreamReader *reader);

/* Begin one if it is due; milliseconds until it is, -1 if it is not known. */
extern long stream_listing_start(StreamReader *reader, int64 now_ms);
extern void stream_listing_finish(StreamReader *reader, AwsCall *call);

/* A shard ended; children is what the last answer said of them, or NIL. */
extern void stream_listing_children(StreamReader *reader, List *children);

#endif							/* TRACKING_STREAM_STREAM_PRIVATE_H */
