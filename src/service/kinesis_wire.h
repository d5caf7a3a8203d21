/*
 * kinesis_wire.h
 *	  How requests to Kinesis are written; for the kinesis_*.c files alone.
 */
#ifndef TRACKING_SERVICE_KINESIS_WIRE_H
#define TRACKING_SERVICE_KINESIS_WIRE_H

#include "postgres.h"

#include "base/compat.h"
#include "json/json_tree.h"
#include "lib/stringinfo.h"
#include "service/kinesis.h"

/* An answer about streams and shards: 1,000 shards have some 400 kB. */
#define KINESIS_CONTROL_BYTES (16 * 1024 * 1024)

/* Microseconds from the API's epoch, 1970, to PostgreSQL's, 2000 */
#define KINESIS_EPOCH_US \
	((POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY)

/*
 * How an aggregate begins: the base64 of its magic, as far as it does not
 * depend on what comes after.  Nothing is decoded to tell it from a record
 * that is none.
 */
#define KINESIS_AGGREGATE_BASE64 "84maw"

/* The X-Amz-Target of an operation */
#define KINESIS_TARGET(operation) "Kinesis_20131202." operation

/* Begin a request's body: an object, left open, with no member yet. */
extern void kinesis_body_init(StringInfo body);

/*
 * Add a member to the object that is open; the key is a constant that needs
 * no escapes.  A number is given as text, since a time has a fraction.  After
 * kinesis_body_key() the caller writes the value.
 */
extern void kinesis_body_key(StringInfo body, const char *key);
extern void kinesis_body_string(StringInfo body, const char *key,
								const char *value);
extern void kinesis_body_number(StringInfo body, const char *key,
								const char *value);

/* Add the member that names the stream: by name or by ARN. */
extern void kinesis_body_stream(StringInfo body, const KinesisStream *stream);

/* Begin the body of a GetShardIterator. */
extern void kinesis_body_iterator(StringInfo body, const KinesisStream *stream,
								  const char *shard_id,
								  const KinesisIteratorStart *start);

/* Close the body, start the call with it and free it. */
extern AwsCall *kinesis_call_start(AwsClient *aws, const AwsRequest *request,
								   StringInfo body);

/*
 * The same and wait.  what is the phrase for aws_error_raise(): any failure
 * but one of class tolerated (AWS_ERROR_NONE: none) is raised.  The call is
 * closed if an error is, also if that is a cancel.
 */
extern AwsCall *kinesis_call(AwsClient *aws, const char *target,
							 StringInfo body, AwsErrorClass tolerated,
							 const char *what);

/* Wait for a call that was started, in the same way. */
extern void kinesis_call_wait(AwsCall *call, AwsErrorClass tolerated,
							  const char *what);

/*
 * The answer of a call that succeeded as a tree, which lives with the call.
 * NULL if it is not JSON.
 */
extern const JsonDoc *kinesis_call_answer(AwsCall *call);

/*
 * Is it what the API says that a stream or a shard is called, or a sequence
 * number?  (NULL is not.)  What is one needs no conversion and no quoting,
 * wherever it goes.
 */
extern bool kinesis_is_name(const char *text);
extern bool kinesis_is_sequence_number(const char *text);

/* What has come of an answer to GetRecords: see AwsProgress. */
extern void *kinesis_page_progress(AwsCall *call, void *state, char *body,
								   size_t bytes, size_t room);

/*
 * Room for n records of a page: a buffer (see base/buffer.h) that ends with the
 * page's call.
 */
extern KinesisRecord *kinesis_page_records(const KinesisPage *page, int64 n);

/*
 * Close the call and raise an error: its answer is not what the API promises.
 * what is as for aws_error_raise(), why a sentence.
 */
pg_noreturn extern void kinesis_bad_answer(AwsCall *call, const char *what,
							   const char *why);

#endif							/* TRACKING_SERVICE_KINESIS_WIRE_H */
