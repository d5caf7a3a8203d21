/*
 * kinesis.h
 *	  Amazon Kinesis Data Streams: one function per API operation.
 *
 * Calls that a reader makes all the time come in two halves, begin and end,
 * so that many can be under way; the others wait.  No loop over time is here:
 * when to call what is for stream/.
 */
#ifndef TRACKING_SERVICE_KINESIS_H
#define TRACKING_SERVICE_KINESIS_H

#include "postgres.h"

#include "aws/aws_call.h"
#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

/* GetRecords: records an answer (API reference) */
#define KINESIS_GET_RECORDS_LIMIT 10000
/* GetRecords: bytes of records an answer (API reference) */
#define KINESIS_GET_RECORDS_BYTES (10 * 1024 * 1024)
/* PutRecords: records a request (API reference) */
#define KINESIS_PUT_RECORDS_LIMIT 500
/*
 * PutRecords: bytes of data and keys a request.  The service takes 10 MiB
 * since 2025, 5 MiB before; the older bound costs nothing and passes every
 * emulator and proxy that still enforces it.
 */
#define KINESIS_PUT_RECORDS_BYTES (5 * 1024 * 1024)
/* A record's data and key, if the stream does not say (service quotas) */
#define KINESIS_RECORD_BYTES (1024 * 1024)
/* ... and if it does, at the most */
#define KINESIS_RECORD_BYTES_MAX (10 * 1024 * 1024)
/* Digits of a sequence number (API reference: 0|([1-9]\d{0,128})) */
#define KINESIS_SEQUENCE_DIGITS 129
/* Characters of the name of a stream or a shard (API reference) */
#define KINESIS_NAME_CHARS 128
/* Characters of a partition key (API reference) */
#define KINESIS_PARTITION_KEY_CHARS 256
/* GetRecords calls a second and shard (service quotas) */
#define KINESIS_GET_RECORDS_PER_SECOND 5
/*
 * Bytes a second and shard that GetRecords gives (API reference).  An answer
 * may be larger, and is then paid for by the seconds that follow it.
 */
#define KINESIS_SHARD_BYTES_PER_SECOND (2 * 1024 * 1024)

/* A stream as the API's calls name it. */
typedef struct KinesisStream
{
	AwsClient  *aws;
	const char *name;			/* name or ARN */
	bool		unpack;			/* records may be aggregates: for a reader */
	HttpBudget *budget;			/* for what GetRecords answers, or NULL */
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
 * A record as it came: slices of the answer's body, which stay in place.
 * data is base64 until kinesis_record_data() is called.
 *
 * A sub-record is one that came in an aggregate with others; they share its
 * sequence number and time of arrival.
 */
typedef struct KinesisRecord
{
	const char *sequence_number;	/* digits, not terminated */
	const char *partition_key;	/* JSON-escaped if key_escaped */
	const char *explicit_hash_key;	/* digits, or NULL; a sub-record's */
	char	   *data;
	TimestampTz arrived;		/* approximate, as the service warns; 0 if it
								 * did not say */
	uint32		data_bytes;
	uint32		partition_key_bytes;
	int32		sub_sequence;	/* 0-based; -1: no sub-record */
	uint8		sequence_number_digits;
	uint8		explicit_hash_key_digits;
	bool		more_follow;	/* sub-records of the same aggregate */
	bool		key_escaped;
	bool		decoded;		/* data is the payload, no longer base64 */
	bool		undecodable;	/* it was not base64 */
} KinesisRecord;

/*
 * The answer of one GetRecords.  What of it was read before is left out by
 * where it begins: records is the page's own, and stays where it is.
 */
typedef struct KinesisPage
{
	AwsCall    *call;			/* owns the memory of all of it */
	KinesisRecord *records;		/* as they came: an aggregate is one */
	int			n_records;
	int			first;			/* those before it are left out, */
	int			first_sub;		/* and so many sub-records of it */
	int64		n_left;			/* what is not, each sub-record counted; set
								 * by kinesis_page_count() */
	struct Aggregate *aggregates;	/* by record; NULL: there is none */
	size_t		bytes;			/* what it costs to keep: of the body */
	bool		maybe_aggregated;	/* a record begins like an aggregate */
	char	   *next_iterator;	/* NULL: the shard is closed and read */
	int64		millis_behind_latest;	/* -1 if the answer did not say */
	List	   *child_shards;	/* of KinesisShard *, with parents only */
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

/* A copy, palloc'd. */
extern KinesisShard *kinesis_shard_copy(const KinesisShard *shard);

/*
 * Waiting calls.  Results are palloc'd in the current context; errors are
 * raised with the stream named.
 */
extern KinesisStreamSummary *kinesis_describe_stream_summary(const KinesisStream *stream);
extern List *kinesis_list_shards(const KinesisStream *stream);	/* KinesisShard */

/* The first in two: the end waits.  once: a failure is not tried again. */
extern AwsCall *kinesis_describe_begin(const KinesisStream *stream, bool once);
extern KinesisStreamSummary *kinesis_describe_end(const KinesisStream *stream,
												  AwsCall *call);
extern List *kinesis_list_streams(AwsClient *aws);	/* char * */

/*
 * One page of ListShards, from the token of the page before or NULL.  The end
 * takes a call that succeeded, closes it, and appends the page's shards; the
 * next page's token, or NULL.  All of it is palloc'd in the current context.
 * A bad answer is as that of GetRecords.
 */
extern AwsCall *kinesis_list_shards_begin(const KinesisStream *stream,
										  const char *token, void *owner);
extern char *kinesis_list_shards_end(const KinesisStream *stream,
									 AwsCall *call, List **shards);

/*
 * PutRecords: n records (at most KINESIS_PUT_RECORDS_LIMIT), a result each in
 * the same order.  Raises an error only if the call as a whole failed.
 */
extern void kinesis_put_records(const KinesisStream *stream,
								const KinesisPutRecord *records, int n,
								KinesisPutResult *results);

/*
 * GetShardIterator.  Like GetRecords it is tried once: a reader knows best
 * when to try again.  The end takes a call that succeeded, closes it and
 * returns the iterator, in the current context; or NULL with *error filled if
 * the answer is not what the API promises: a fault that may pass.
 */
extern AwsCall *kinesis_get_shard_iterator_begin(const KinesisStream *stream,
												 const char *shard_id,
												 const KinesisIteratorStart *start,
												 void *owner);
extern char *kinesis_get_shard_iterator_end(AwsCall *call, AwsError *error);

/*
 * What a shard's service says of its clock, asked for an iterator at a time
 * that no clock has come to.
 */
typedef struct KinesisTime
{
	TimestampTz told;			/* the time, by which it judges; 0: it does
								 * not tell */
	TimestampTz date;			/* the time to the second, by what the answer
								 * is dated; 0: it is not */
	bool		judges;			/* it gives no iterator at such a time */
} KinesisTime;

/* Waits; errors are raised with the stream named. */
extern void kinesis_ask_time(const KinesisStream *stream, const char *shard_id,
							 KinesisTime *time);

/* Does it give an iterator at that time?  Likewise. */
extern bool kinesis_has_come(const KinesisStream *stream, const char *shard_id,
							 TimestampTz time);

/*
 * GetRecords.  The end turns a call that succeeded into a page, which then
 * owns the call.  An answer that is not what the API promises closes the call
 * and raises ERRCODE_FDW_ERROR; with _try it returns NULL, *error filled as a
 * fault that may pass.
 */
extern AwsCall *kinesis_get_records_begin(const KinesisStream *stream,
										  const char *iterator, int limit,
										  void *owner);
extern KinesisPage *kinesis_get_records_end(AwsCall *call);
extern KinesisPage *kinesis_get_records_try(AwsCall *call, AwsError *error);
extern void kinesis_page_free(KinesisPage *page);

/*
 * Count what a page holds: with unpack, the sub-records of each aggregate
 * instead of the aggregate.  One that is not sound counts as the user's own
 * data.  To be called once, after records that are not wanted are left out.
 */
extern void kinesis_page_count(KinesisPage *page, bool unpack);

/* Leave out the first n sub-records of the first record, if it has any. */
extern void kinesis_page_skip_subs(KinesisPage *page, int64 n);

/*
 * A walk through the records of a page with aggregates, in a context below
 * cxt.  Sub-records are made when they are asked for, as an answer may have
 * more of them than there is memory for.
 */
typedef struct KinesisUnpack KinesisUnpack;

extern KinesisUnpack *kinesis_unpack_open(MemoryContext cxt,
										  const KinesisPage *page);

/* The next n records, which are there; they are slices of the page. */
extern void kinesis_unpack_next(KinesisUnpack *unpack, KinesisRecord *records,
								int n);
extern void kinesis_unpack_close(KinesisUnpack *unpack);

/*
 * The payload: decoded in place at the first call.  False if the service sent
 * something that is not base64.
 */
extern bool kinesis_record_data(KinesisRecord *record, const char **data,
								size_t *bytes);

/* Its size, before it is decoded approximately. */
static inline size_t
kinesis_record_bytes(const KinesisRecord *record)
{
	return record->decoded ? record->data_bytes : record->data_bytes / 4 * 3;
}

/* The sequence number as a string, palloc'd. */
extern char *kinesis_record_sequence(const KinesisRecord *record);

/*
 * The partition key as a text of the database, palloc'd; and the record's key
 * from such a text, in the current context.  A key that the database's encoding
 * has no characters for, or no text can hold, is a string of JSON in ASCII,
 * with its quotes: so that it comes back as it was, so is one that begins with a
 * quote itself.
 */
extern char *kinesis_record_partition_key(const KinesisRecord *record);
extern void kinesis_record_set_partition_key(KinesisRecord *record,
											 const char *key);

/*
 * Raise an error that tells this row, for a key of it that the service would
 * refuse.  A partition key of NULL is one that is yet to be made up.
 */
extern void kinesis_check_keys(const KinesisPutRecord *record, int64 row);

#endif							/* TRACKING_SERVICE_KINESIS_H */
