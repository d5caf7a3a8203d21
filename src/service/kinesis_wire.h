/*
 * kinesis_wire.h
 *	  Writing requests to Kinesis, and what all answers have in common; for the
 *	  kinesis_*.c files alone.
 */
#ifndef TRACKING_SERVICE_KINESIS_WIRE_H
#define TRACKING_SERVICE_KINESIS_WIRE_H

#include "postgres.h"

#include "base/compat.h"
#include "json/json_tree.h"
#include "lib/stringinfo.h"
#include "service/kinesis.h"

/* Limit of an answer about streams or shards; 1,000 shards take some 400 kB */
#define KINESIS_CONTROL_BYTES (16 * 1024 * 1024)

/* Microseconds from the API's epoch, 1970, to PostgreSQL's, 2000 */
#define KINESIS_EPOCH_US \
	((POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY)

/*
 * How an aggregate begins in base64: the characters of its magic that do not
 * depend on the bytes that follow.  So other records need not be decoded to
 * see that they are no aggregates.
 */
#define KINESIS_AGGREGATE_BASE64 "84maw"

/* The X-Amz-Target of an operation */
#define KINESIS_TARGET(operation) "Kinesis_20131202." operation

/* in kinesis_wire.c */

/* Begin the body of a request: an object with no member yet, left open. */
extern void kinesis_body_init(StringInfo body);

/*
 * Add a member to the object that is open; the key is a constant that needs
 * no escapes.  A number is given as text, as a time has a fraction.  After
 * kinesis_body_key() the caller must write the value.
 */
extern void kinesis_body_key(StringInfo body, const char *key);
extern void kinesis_body_string(StringInfo body, const char *key,
								const char *value);
extern void kinesis_body_number(StringInfo body, const char *key,
								const char *value);

/* Add the member that names the stream: by name or by ARN. */
extern void kinesis_body_stream(StringInfo body, const KinesisStream *stream);

/* Begin the body of a GetShardIterator; in kinesis_read.c. */
extern void kinesis_body_iterator(StringInfo body, const KinesisStream *stream,
								  const char *shard_id,
								  const KinesisIteratorStart *start);

/* Close the body's object, start the call with the body, and free the body. */
extern AwsCall *kinesis_call_start(AwsClient *aws, const AwsRequest *request,
								   StringInfo body);

/*
 * The same, and wait.  Raises a failure unless it is of class tolerated
 * (AWS_ERROR_NONE: tolerate none); what is the phrase for aws_error_raise().
 * Closes the call before any error, a cancel as well, leaves the function.
 */
extern AwsCall *kinesis_call(AwsClient *aws, const char *target,
							 StringInfo body, AwsErrorClass tolerated,
							 const char *what);

/* Wait for a call that was started, in the same way. */
extern void kinesis_call_wait(AwsCall *call, AwsErrorClass tolerated,
							  const char *what);

/*
 * The answer of a call that succeeded, as a tree that lives with the call.
 * NULL if the answer is not JSON.
 */
extern const JsonDoc *kinesis_call_answer(AwsCall *call);

/*
 * Is this a valid name of a stream or a shard, or a valid sequence number, by
 * the API?  (NULL is not.)  A text that is needs no conversion and no quoting
 * anywhere.
 */
extern bool kinesis_is_name(const char *text);
extern bool kinesis_is_sequence_number(const char *text);

/*
 * Read the records of an answer to GetRecords while it comes in: see
 * AwsProgress.  In kinesis_page.c.
 */
extern void *kinesis_page_progress(AwsCall *call, void *state, char *body,
								   size_t bytes, size_t room);

/*
 * Allocate n records of a page: a buffer (see base/buffer.h) that is freed
 * with the page's call.  In kinesis_record.c.
 */
extern KinesisRecord *kinesis_page_records(const KinesisPage *page, int64 n);

/*
 * Close the call and raise an error, as its answer is not what the API
 * promises. what is the phrase for aws_error_raise(), why a sentence.
 */
pg_noreturn extern void kinesis_bad_answer(AwsCall *call, const char *what,
										   const char *why);

#endif							/* TRACKING_SERVICE_KINESIS_WIRE_H */
