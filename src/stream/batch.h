/*
 * batch.h
 *	  The records of one batch, and its binding to a source relation.
 *
 * While a batch is bound, scans of its source relation in this process yield
 * exactly its records: that is how a pipeline's command runs over them.
 */
#ifndef TRACKING_STREAM_BATCH_H
#define TRACKING_STREAM_BATCH_H

#include "postgres.h"

#include "nodes/bitmapset.h"
#include "nodes/pg_list.h"
#include "stream/position.h"

/* A record and where it came from: what row/ decodes. */
typedef struct StreamRecord
{
	const char *stream;
	const char *shard_id;
	KinesisRecord *record;
	int64		ordinal;		/* in its batch, 0-based; 0 outside a batch */
} StreamRecord;

/* Consecutive records of one page. */
typedef struct BatchSlice
{
	int			shard;			/* index into Batch.shards */
	KinesisPage *page;
	KinesisRecord *records;		/* in the page, or unpacked ones in the
								 * batch's context */
	int			n_records;
	bool		last_of_page;	/* the page ends here: the batch frees it */
} BatchSlice;

/* How a batch moves the position of one shard, and what it holds of it. */
typedef struct BatchShard
{
	char	   *shard_id;
	StreamPosition from;		/* where it begins: must still be the stored
								 * position when the batch is applied */
	StreamPosition to;			/* the position to store with the batch */
	int64		n_records;
	int64		bytes;			/* of payload, approximately: base64 * 3/4 */
	TimestampTz first_arrival;	/* 0 if no records */
	TimestampTz last_arrival;
	int64		millis_behind_latest;	/* -1: unknown */
	TimestampTz tip_at;			/* a time at which "to" was the shard's tip;
								 * 0: no later one is known than in the batch
								 * before */
	TimestampTz late_since;		/* since when batches have been later than
								 * max_latency; 0: this one is not */
	TimestampTz read_until;		/* all records that had arrived by then are
								 * read with this batch; 0: no later time is
								 * known than in the batch before */
} BatchShard;

/* A record that its source could not decode. */
typedef struct BatchReject
{
	StreamRecord record;
	int			sqlstate;
	char	   *reason;
} BatchReject;

/* Which columns had a value in any of a pipeline's first documents. */
typedef struct ColumnWatch
{
	MemoryContext cxt;			/* holds the watch */
	int64		documents;		/* seen so far */
	List	   *columns;		/* WatchedColumn * */
} ColumnWatch;

typedef struct WatchedColumn
{
	char	   *name;
	bool		found;			/* it had a value that is not null */
} WatchedColumn;

typedef struct Batch
{
	MemoryContext cxt;			/* holds the batch, but not the pages */
	const char *stream;
	BatchShard *shards;
	int			n_shards;
	BatchSlice *slices;
	int			n_slices;
	int64	   *keys;			/* if the source is a table: the rows' keys by
								 * ordinal, as their records have no sequence
								 * numbers; NULL: it is a stream */
	int64		n_records;
	int64		bytes;			/* of answers, its share of each page */
	int64		first;			/* scans yield records from this ordinal on
								 * ... */
	int64		end;			/* ... and before this one */
	int64		fetch_ms;		/* from its first answer until it was closed */
	List	   *rejects;		/* BatchReject *, in cxt; a record at most
								 * once */
	Bitmapset  *rejected;		/* ordinals of the rejected records */
	Bitmapset  *empty;			/* ordinals of the records that are empty and
								 * gave no row; none of them is rejected */
	List	   *gaps;			/* StreamGap *, each before records of the
								 * batch or its shard's position; in cxt */
	int64		record_bytes;	/* memory that decoding one record may take */
	size_t		kept_bytes;		/* memory of all answers that the reader
								 * keeps, those of the batch among them */
	ColumnWatch *watch;			/* scans note here which columns have values;
								 * or NULL */
	Bitmapset  *watched;		/* ordinals of the documents that watch has
								 * counted */
} Batch;

/* Walks the records of a batch from first to end; there may be several. */
typedef struct BatchCursor
{
	Batch	   *batch;
	int			slice;
	int			record;			/* within the slice */
	int64		ordinal;		/* within the batch */
} BatchCursor;

extern void batch_cursor_start(BatchCursor *cursor, Batch *batch);

/* Get the next record that is not rejected; false at the end. */
extern bool batch_cursor_next(BatchCursor *cursor, StreamRecord *record);

/* Let cursors yield only the records with ordinals from first to end - 1. */
extern void batch_restrict(Batch *batch, int64 first, int64 end);

/*
 * The late_since of a shard for a batch with this tip_at: since when the shard
 * is later than its pipeline's max_latency, 0 if it is not.  since and
 * tip_before are late_since and tip_at of the batch before.
 */
extern TimestampTz batch_late_since(TimestampTz since, TimestampTz tip_before,
									TimestampTz tip_at, long max_latency_ms);

/*
 * Add a slice's records to the counts, times and position of its shard.  first
 * is the ordinal of the first of them.
 */
extern void batch_count_slice(Batch *batch, const BatchSlice *slice,
							  int64 first);

/* Forget rejected and empty records and restrictions: try all records anew. */
extern void batch_forget_rejects(Batch *batch);

/*
 * Keep only the first n records of the batch, which are to be applied anew:
 * the positions and counts of its shards become those of these records.
 */
extern void batch_truncate(Batch *batch, int64 n);

/* Note whether a document has a value for the column of this name. */
extern void batch_watch(ColumnWatch *watch, const char *name, bool found);

/*
 * Note that the watch was told of a document; it counts once, however often it
 * is read.
 */
extern void batch_count_watched(Batch *batch, const StreamRecord *record);

/*
 * Get the record with this ordinal, rejected or not; the batch must have it.
 */
extern void batch_record(Batch *batch, int64 ordinal, StreamRecord *record);

/*
 * The sequence number of a record of the batch, or the key of the row that it
 * is made of, as text; palloc'd.
 */
extern char *batch_sequence(const Batch *batch, const StreamRecord *record);

/* Note a record as rejected; a record that is noted twice is counted once. */
extern void batch_reject(Batch *batch, const StreamRecord *record,
						 int sqlstate, const char *reason);

/* Note a record as empty, unless it is noted or rejected already. */
extern void batch_leave_out(Batch *batch, const StreamRecord *record);

/* Count the empty records of each shard; counts has n_shards elements. */
extern void batch_count_empty(const Batch *batch, int64 *counts);

/* Free the batch and the pages that end in it. */
extern void batch_free(Batch *batch);

/* The binding of a batch to a relation; the caller provides the memory. */
typedef struct BatchBinding
{
	Oid			source;
	Batch	   *batch;
	const struct BatchBinding *outer;	/* the one that was bound before */
} BatchBinding;

/*
 * Bind batch to relation source until batch_unbind(), which the caller calls
 * in PG_FINALLY.  Bindings nest: a pipeline's command may run another
 * pipeline; if that has the same source, its batch hides the outer one.
 */
extern void batch_bind(BatchBinding *binding, Oid source, Batch *batch);
extern void batch_unbind(const BatchBinding *binding);

/* The batch that is bound to source, the innermost of several; or NULL. */
extern Batch *batch_bound(Oid source);

#endif							/* TRACKING_STREAM_BATCH_H */
