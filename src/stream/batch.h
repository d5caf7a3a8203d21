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

/* A record with the place it came from: what row/ decodes. */
typedef struct StreamRecord
{
	const char *stream;
	const char *shard_id;
	KinesisRecord *record;
	int64		ordinal;		/* in its batch, 0-based; 0 outside one */
} StreamRecord;

/* Consecutive records of one page: its own, or unpacked ones of the batch. */
typedef struct BatchSlice
{
	int			shard;			/* index into Batch.shards */
	KinesisPage *page;
	KinesisRecord *records;
	int			n_records;
	bool		last_of_page;	/* the batch frees the page */
} BatchSlice;

/* What a batch does to one shard's position. */
typedef struct BatchShard
{
	char	   *shard_id;
	StreamPosition from;		/* must still be the stored position */
	StreamPosition to;
	int64		n_records;
	int64		bytes;			/* of payload, approximately: base64 * 3/4 */
	TimestampTz first_arrival;	/* 0 if no records */
	TimestampTz last_arrival;
	int64		millis_behind_latest;
	TimestampTz tip_at;			/* when "to" was the tip of the shard, as far as
								 * is known; 0: not known to be later than
								 * before */
	TimestampTz late_since;		/* since when batches are later than
								 * max_latency; 0: this one is not */
	TimestampTz read_until;		/* what had arrived by then is read with this
								 * batch; 0: not known to be more than before */
} BatchShard;

/* A record that its source could not decode. */
typedef struct BatchReject
{
	StreamRecord record;
	int			sqlstate;
	char	   *reason;
} BatchReject;

/* Which columns have found something in a pipeline's first documents. */
typedef struct ColumnWatch
{
	MemoryContext cxt;			/* of all of it */
	int64		documents;
	List	   *columns;		/* WatchedColumn * */
} ColumnWatch;

typedef struct WatchedColumn
{
	char	   *name;
	bool		found;			/* a value that is not null */
} WatchedColumn;

typedef struct Batch
{
	MemoryContext cxt;			/* of all of it but the pages */
	const char *stream;
	BatchShard *shards;
	int			n_shards;
	BatchSlice *slices;
	int			n_slices;
	int64	   *keys;			/* of the rows of a table, by ordinal: their
								 * records have no sequence number; NULL: it is
								 * of a stream */
	int64		n_records;
	int64		bytes;
	int64		first;			/* scans yield the records from this one ... */
	int64		end;			/* ... up to before this one, by ordinal */
	int64		fetch_ms;		/* from its first answer to its being closed */
	List	   *rejects;		/* BatchReject *, in cxt; a record at most once */
	Bitmapset  *rejected;		/* their ordinals */
	Bitmapset  *empty;			/* those of records with nothing in them, which
								 * gave no row; none is rejected */
	List	   *gaps;			/* StreamGap *, before its records; in cxt */
	int64		record_bytes;	/* that a record may take to be decoded */
	size_t		kept_bytes;		/* of answers that are in memory with it */
	ColumnWatch *watch;			/* to be told of its columns; or NULL */
	Bitmapset  *watched;		/* ordinals of the documents that it counts */
} Batch;

/* Walks the records of a batch from first to end; several cursors may. */
typedef struct BatchCursor
{
	Batch	   *batch;
	int			slice;
	int			record;			/* within the slice */
	int64		ordinal;		/* within the batch */
} BatchCursor;

extern void batch_cursor_start(BatchCursor *cursor, Batch *batch);

/* The next record that is not rejected, false at the end. */
extern bool batch_cursor_next(BatchCursor *cursor, StreamRecord *record);

/* Let scans see only the records from first to before end. */
extern void batch_restrict(Batch *batch, int64 first, int64 end);

/*
 * Since when a shard is later than its pipeline's max_latency, 0 if it is not,
 * with a batch after which all is applied that had come by tip_at; since and
 * tip_before are those of the batch before.
 */
extern TimestampTz batch_late_since(TimestampTz since, TimestampTz tip_before,
									TimestampTz tip_at, long max_latency_ms);

/*
 * Add a slice's records, of which the first has this ordinal, to what is told of
 * its shard.
 */
extern void batch_count_slice(Batch *batch, const BatchSlice *slice,
							  int64 first);

/* All of its records are to be tried anew. */
extern void batch_forget_rejects(Batch *batch);

/*
 * Cut the batch off after its first n records: positions and counts of its
 * shards are those of what is left, which is to be applied anew.
 */
extern void batch_truncate(Batch *batch, int64 n);

/* A document has, or has not, something for the column of this name. */
extern void batch_watch(ColumnWatch *watch, const char *name, bool found);

/* The watch was told of a document; it counts once, however often it is read. */
extern void batch_count_watched(Batch *batch, const StreamRecord *record);

/* The record with this ordinal, which must be in the batch, rejected or not. */
extern void batch_record(Batch *batch, int64 ordinal, StreamRecord *record);

/* The sequence number of a record of the batch, or its key; palloc'd. */
extern char *batch_sequence(const Batch *batch, const StreamRecord *record);

/* Note a record as rejected; a second scan of the same batch adds nothing. */
extern void batch_reject(Batch *batch, const StreamRecord *record,
						 int sqlstate, const char *reason);

/*
 * Note a record as empty; what is noted a second time, or was rejected, adds
 * nothing.
 */
extern void batch_leave_out(Batch *batch, const StreamRecord *record);

/* Count the empty records of each shard into counts, which has room for them. */
extern void batch_count_empty(const Batch *batch, int64 *counts);

/* Free the batch and the pages that end in it. */
extern void batch_free(Batch *batch);

/* One relation's binding; it lives where the caller has it. */
typedef struct BatchBinding
{
	Oid			source;
	Batch	   *batch;
	const struct BatchBinding *outer;
} BatchBinding;

/*
 * Bind batch to relation source until batch_unbind(), which the caller calls
 * in PG_FINALLY.  Bindings nest: a command may run another pipeline's, of the
 * same source perhaps, whose batch then hides its own.
 */
extern void batch_bind(BatchBinding *binding, Oid source, Batch *batch);
extern void batch_unbind(const BatchBinding *binding);

/* The batch bound to source, the innermost of several, or NULL. */
extern Batch *batch_bound(Oid source);

#endif							/* TRACKING_STREAM_BATCH_H */
