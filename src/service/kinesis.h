/*
 * kinesis.h
 *	  Amazon Kinesis Data Streams: one function per API operation.
 *
 * Calls that a reader makes all the time come in two halves, begin and end,
 * so that many can be under way; the other functions wait for the answer.
 * When to make which call is for src/stream to decide.
 */
#ifndef TRACKING_SERVICE_KINESIS_H
#define TRACKING_SERVICE_KINESIS_H

#include "postgres.h"

#include "aws/aws_call.h"
#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

/* Most records in an answer to GetRecords (API reference) */
#define KINESIS_GET_RECORDS_LIMIT 10000
/* Most bytes of records in an answer to GetRecords (API reference) */
#define KINESIS_GET_RECORDS_BYTES (10 * 1024 * 1024)
/* Most records in a PutRecords request (API reference) */
#define KINESIS_PUT_RECORDS_LIMIT 500
/*
 * Most bytes of data and keys in a PutRecords request.  The service accepts 10
 * MiB since 2025, 5 MiB before; the older limit costs nothing and is right for
 * every emulator and proxy that still enforces it.
 */
#define KINESIS_PUT_RECORDS_BYTES (5 * 1024 * 1024)
/* Most bytes of a record's data and key, by default (service quotas) */
#define KINESIS_RECORD_BYTES (1024 * 1024)
/* ... and the most that a stream can be set to */
#define KINESIS_RECORD_BYTES_MAX (10 * 1024 * 1024)
/* Most digits of a sequence number (API reference: 0|([1-9]\d{0,128})) */
#define KINESIS_SEQUENCE_DIGITS 129
/* Most characters of the name of a stream or a shard (API reference) */
#define KINESIS_NAME_CHARS 128
/* Most characters of a partition key (API reference) */
#define KINESIS_PARTITION_KEY_CHARS 256
/* Most GetRecords calls for a shard in a second (service quotas) */
#define KINESIS_GET_RECORDS_PER_SECOND 5
/*
 * Most bytes that GetRecords yields of a shard in a second (API reference).
 * An answer may be larger; then the service throttles for the seconds that it
 * stands for.
 */
#define KINESIS_SHARD_BYTES_PER_SECOND (2 * 1024 * 1024)

/* A stream, and how to call for it. */
typedef struct KinesisStream
{
	AwsClient  *aws;
	const char *name;			/* name or ARN */
	bool		unpack;			/* a reader is to unpack aggregates */
	HttpBudget *budget;			/* for the answers to GetRecords, or NULL */
} KinesisStream;

typedef struct KinesisStreamSummary
{
	char	   *status;			/* CREATING, DELETING, ACTIVE, UPDATING */
	TimestampTz created;		/* 0 if the answer did not say */
	int			retention_hours;
	int			open_shards;
	int			max_record_bytes;
} KinesisStreamSummary;

typedef struct KinesisShard
{
	char	   *shard_id;
	char	   *parent_shard_id;	/* or NULL */
	char	   *adjacent_parent_shard_id;	/* or NULL; a merged shard has two */
	char	   *starting_hash_key;
	char	   *ending_hash_key;
	char	   *starting_sequence_number;
	char	   *ending_sequence_number; /* NULL while the shard is open */
} KinesisShard;

/*
 * A record, which points into the body of the answer that it came in.  data is
 * base64 until kinesis_record_data() is called.
 *
 * A sub-record is a record of an aggregate; all of these have the aggregate's
 * sequence number and time of arrival.
 */
typedef struct KinesisRecord
{
	const char *sequence_number;	/* digits, not terminated */
	const char *partition_key;	/* JSON-escaped if key_escaped */
	const char *explicit_hash_key;	/* of a sub-record: digits, or NULL */
	char	   *data;
	TimestampTz arrived;		/* approximate, as the service warns; 0 if it
								 * did not say */
	uint32		data_bytes;
	uint32		partition_key_bytes;
	int32		sub_sequence;	/* 0-based; -1: it is no sub-record */
	uint8		sequence_number_digits;
	uint8		explicit_hash_key_digits;
	bool		more_follow;	/* sub-records of the same aggregate */
	bool		key_escaped;
	bool		decoded;		/* data is the payload, no longer base64 */
	bool		undecodable;	/* data was not base64 */
} KinesisRecord;

/*
 * The answer to one GetRecords.  A reader leaves out records that were read
 * before by setting first and first_sub.
 */
typedef struct KinesisPage
{
	AwsCall    *call;			/* owns the memory of the page */
	KinesisRecord *records;		/* all records of the answer, each aggregate
								 * as one record */
	int			n_records;
	int			first;			/* index of the first record not left out */
	int			first_sub;		/* ... and of its first sub-record not left
								 * out */
	int64		n_left;			/* number of records not left out, sub-records
								 * instead of aggregates; set by
								 * kinesis_page_count() */
	struct Aggregate *aggregates;	/* one for each record; NULL: no record is
									 * an aggregate */
	size_t		bytes;			/* memory of the answer's body */
	bool		maybe_aggregated;	/* a record begins like an aggregate */
	char	   *next_iterator;	/* NULL: the shard is closed and read to its
								 * end */
	int64		millis_behind_latest;	/* -1 if the answer did not say */
	List	   *child_shards;	/* KinesisShard *, with ids, parents and hash
								 * keys only */
} KinesisPage;

typedef enum KinesisIteratorType
{
	KINESIS_AT_SEQUENCE_NUMBER,
	KINESIS_AFTER_SEQUENCE_NUMBER,
	KINESIS_TRIM_HORIZON,
	KINESIS_LATEST,
	KINESIS_AT_TIMESTAMP
} KinesisIteratorType;

typedef struct KinesisIteratorStart
{
	KinesisIteratorType type;
	const char *sequence_number;	/* for the two sequence types */
	TimestampTz timestamp;		/* for AT_TIMESTAMP */
} KinesisIteratorStart;

typedef struct KinesisPutRecord
{
	const char *data;
	size_t		data_bytes;
	const char *partition_key;	/* 1 to 256 characters of UTF-8 */
	const char *explicit_hash_key;	/* 0 to 2^128 - 1 in decimal, or NULL */
} KinesisPutRecord;

typedef struct KinesisPutResult
{
	char	   *shard_id;		/* NULL if it failed */
	char	   *sequence_number;
	AwsError   *error;			/* NULL if it succeeded */
} KinesisPutResult;

/* in kinesis_control.c */

/* A copy of a shard, palloc'd. */
extern KinesisShard *kinesis_shard_copy(const KinesisShard *shard);

/*
 * Describe a stream; list its shards (KinesisShard *).  These functions wait
 * for the answer.  Results are palloc'd in the current context; errors name
 * the stream.
 */
extern KinesisStreamSummary *kinesis_describe_stream_summary(const KinesisStream *stream);
extern List *kinesis_list_shards(const KinesisStream *stream);

/*
 * The same as kinesis_describe_stream_summary() in two halves; the end waits.
 * once: do not try again after a failure.
 */
extern AwsCall *kinesis_describe_begin(const KinesisStream *stream, bool once);
extern KinesisStreamSummary *kinesis_describe_end(const KinesisStream *stream,
												  AwsCall *call);

/* List all streams (char *); waits.  The names are palloc'd. */
extern List *kinesis_list_streams(AwsClient *aws);

/*
 * One page of ListShards; token is the one that the page before returned, NULL
 * for the first page.  The end takes a call that succeeded, closes it, appends
 * the page's shards, and returns the token of the next page or NULL; all are
 * palloc'd in the current context.  It raises ERRCODE_FDW_ERROR, after it has
 * closed the call, if the answer is not what the API promises.
 */
extern AwsCall *kinesis_list_shards_begin(const KinesisStream *stream,
										  const char *token, void *owner);
extern char *kinesis_list_shards_end(const KinesisStream *stream,
									 AwsCall *call, List **shards);

/* in kinesis_write.c */

/*
 * PutRecords: send n records (at most KINESIS_PUT_RECORDS_LIMIT), and fill n
 * results in the same order.  Raises an error only if the call as a whole
 * failed.
 */
extern void kinesis_put_records(const KinesisStream *stream,
								const KinesisPutRecord *records, int n,
								KinesisPutResult *results);

/* in kinesis_read.c */

/*
 * GetShardIterator.  Like GetRecords it is tried once: the reader decides when
 * to try again.  The end takes a call that succeeded and closes it.  It
 * returns the iterator, palloc'd; or NULL, with *error filled, if the answer
 * is not what the API promises: a fault that may pass.
 */
extern AwsCall *kinesis_get_shard_iterator_begin(const KinesisStream *stream,
												 const char *shard_id,
												 const KinesisIteratorStart *start,
												 void *owner);
extern char *kinesis_get_shard_iterator_end(AwsCall *call, AwsError *error);

/* in kinesis_time.c */

/*
 * What the service tells of its clock when asked for an iterator at a time in
 * the future.
 */
typedef struct KinesisTime
{
	TimestampTz told;			/* the time by the clock that it compares the
								 * iterator's with; 0: it does not tell */
	TimestampTz date;			/* the Date of its answer, to the second; 0:
								 * it has none */
	bool		judges;			/* it refuses an iterator in the future */
} KinesisTime;

/* Ask, and wait for the answer; errors name the stream. */
extern void kinesis_ask_time(const KinesisStream *stream, const char *shard_id,
							 KinesisTime *time);

/*
 * Has the service's clock reached this time: does it give an iterator there?
 * Waits for the answer; errors name the stream.
 */
extern bool kinesis_has_come(const KinesisStream *stream, const char *shard_id,
							 TimestampTz time);

/* in kinesis_read.c and kinesis_page.c */

/*
 * GetRecords.  The end turns a call that succeeded into a page, which owns the
 * call then; it is in kinesis_page.c.  If the answer is not what the API
 * promises, it closes the call and raises ERRCODE_FDW_ERROR; _try then returns
 * NULL instead, with *error filled as a fault that may pass.
 */
extern AwsCall *kinesis_get_records_begin(const KinesisStream *stream,
										  const char *iterator, int limit,
										  void *owner);
extern KinesisPage *kinesis_get_records_end(AwsCall *call);
extern KinesisPage *kinesis_get_records_try(AwsCall *call, AwsError *error);

/* Free the page and close its call; in kinesis_page.c. */
extern void kinesis_page_free(KinesisPage *page);

/* in kinesis_unpack.c */

/*
 * Find the aggregates of a page and set n_left.  Without unpack, and if it is
 * malformed, an aggregate counts as one record: the user's own data.  To be
 * called once, after records that are not wanted are left out.
 */
extern void kinesis_page_count(KinesisPage *page, bool unpack);

/*
 * Leave out the first n sub-records of the page's first record, if it has any.
 */
extern void kinesis_page_skip_subs(KinesisPage *page, int64 n);

/*
 * A walk through the records of a page with aggregates, in a context below
 * cxt.  Sub-records are made when they are asked for, as an answer may have
 * more of them than there is memory for.
 */
typedef struct KinesisUnpack KinesisUnpack;

extern KinesisUnpack *kinesis_unpack_open(MemoryContext cxt,
										  const KinesisPage *page);

/* Get the next n records, which the page must have; they point into it. */
extern void kinesis_unpack_next(KinesisUnpack *unpack, KinesisRecord *records,
								int n);
extern void kinesis_unpack_close(KinesisUnpack *unpack);

/* in kinesis_read.c */

/*
 * Get a record's payload.  The first call decodes it in place.  False if the
 * service sent something that is not base64.
 */
extern bool kinesis_record_data(KinesisRecord *record, const char **data,
								size_t *bytes);

/* The size of the payload; approximate before it is decoded. */
static inline size_t
kinesis_record_bytes(const KinesisRecord *record)
{
	return record->decoded ? record->data_bytes : record->data_bytes / 4 * 3;
}

/* The sequence number as a string, palloc'd. */
extern char *kinesis_record_sequence(const KinesisRecord *record);

/* in kinesis_key.c */

/*
 * Get the partition key as a text of the database, palloc'd; and set a
 * record's key, palloc'd, from such a text.  If the database's encoding lacks
 * one of the key's characters, or no text can hold the key, the text is a JSON
 * string in ASCII, with its quotes.  A key that begins with a quote is written
 * in this way too, so that the text always gives the same key again.
 */
extern char *kinesis_record_partition_key(const KinesisRecord *record);
extern void kinesis_record_set_partition_key(KinesisRecord *record,
											 const char *key);

/*
 * Raise an error, which names this row, if the service would refuse one of the
 * record's keys.  partition_key may be NULL: the writer makes one up later.
 */
extern void kinesis_check_keys(const KinesisPutRecord *record, int64 row);

#endif							/* TRACKING_SERVICE_KINESIS_H */
