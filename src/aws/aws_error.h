/*
 * aws_error.h
 *	  What an AWS service's refusal means, in one table.
 */
#ifndef TRACKING_AWS_AWS_ERROR_H
#define TRACKING_AWS_AWS_ERROR_H

#include "postgres.h"

#include "base/compat.h"
#include "http/http.h"

typedef enum AwsErrorClass
{
	AWS_ERROR_NONE = 0,
	AWS_ERROR_RETRY,			/* a passing fault: 5xx, cut connection */
	AWS_ERROR_THROTTLE,			/* too fast: wait longer */
	AWS_ERROR_CLOCK,			/* our clock is off: correct it, sign again */
	AWS_ERROR_EXPIRED_ITERATOR, /* ask for a new iterator */
	AWS_ERROR_EXPIRED_TOKEN,	/* start the listing again */
	AWS_ERROR_NOT_FOUND,		/* stream or shard; bucket, object or upload */
	AWS_ERROR_DENIED,			/* credentials or permission */
	AWS_ERROR_BUSY,				/* the resource is not ACTIVE */
	AWS_ERROR_TOO_LARGE,		/* the answer was over max_response_bytes: ask
								 * for less */
	AWS_ERROR_FATAL				/* nothing helps but a human */
} AwsErrorClass;

typedef struct AwsError
{
	AwsErrorClass class;
	int			sqlstate;		/* MAKE_SQLSTATE */
	int			http_status;	/* 0: no answer came */
	const char *code;			/* ResourceNotFoundException, or libcurl's
								 * failure in a word; never NULL */
	const char *message;		/* the remote's words, or libcurl's; "" */
	const char *request_id;		/* or NULL */
	const char *hint;			/* what to do next, a sentence; or NULL */
	int			attempts;		/* how often it was tried */
} AwsError;

/* An answer that refuses: its status, headers or NULL, and its body. */
typedef struct AwsAnswer
{
	int			http_status;
	const char *error_type;		/* x-amzn-ErrorType */
	const char *request_id;		/* x-amzn-RequestId or x-amz-request-id */
	const char *bucket_region;	/* x-amz-bucket-region */
	const char *body;			/* JSON, XML, or anything; NUL-terminated */
	size_t		body_bytes;
	const char *const *secrets; /* what it must not repeat: see clean_text() */
} AwsAnswer;

/* Fill *error from an answer.  Texts are palloc'd. */
extern void aws_error_from_answer(AwsError *error, const AwsAnswer *answer);

/* The same when no answer came; text is libcurl's. */
extern void aws_error_from_failure(AwsError *error, HttpFailure failure,
								   const char *text,
								   const char *const *secrets);

/* The same when the answer to a call that succeeded makes no sense; copied. */
extern void aws_error_from_nonsense(AwsError *error, const char *message);

/* A copy whose texts are palloc'd, for longer than the call it came with. */
extern void aws_error_copy(AwsError *copy, const AwsError *error);

/* The same of a bare code, as PutRecords gives for a record. */
extern void aws_error_from_code(AwsError *error, const char *code,
								const char *message,
								const char *const *secrets);

/*
 * The remote's words with the code, the status and the request id, as the
 * detail of a message; palloc'd.
 */
extern char *aws_error_detail(const AwsError *error);

/*
 * Raise it.  what completes "could not ...": a lower-case phrase such as
 * "read shard \"x\" of stream \"y\"".  The remote's words, the code and the
 * request id go to the detail.
 */
pg_noreturn extern void aws_error_raise(const AwsError *error, const char *what);

#endif							/* TRACKING_AWS_AWS_ERROR_H */
