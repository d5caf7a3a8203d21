/*
 * aws_call.h
 *	  One signed call of an AWS service: sign, send, classify, retry.
 *
 * Calls are asynchronous and many can be under way; each is signed anew for
 * every attempt and backs off on its own.  What a finished call means is for
 * the room above.
 */
#ifndef TRACKING_AWS_AWS_CALL_H
#define TRACKING_AWS_AWS_CALL_H

#include "postgres.h"

#include "aws/aws_error.h"
#include "aws/aws_service.h"
#include "aws/credentials.h"
#include "aws/sigv4.h"
#include "http/http.h"

/* How to reach AWS: filled by config/, read here. */
typedef struct AwsConfig
{
	const char *region;
	const char *endpoint;		/* URL for every service, or NULL */
	const char *endpoints[AWS_N_SERVICES];	/* URL for one of them, or NULL */
	AwsCredentialProvider *credentials; /* for as long as the config; a client
										 * keeps it for itself */
	const char *ca_bundle;		/* PEM file, or NULL */
	int			connect_timeout_ms;
	int			request_timeout_ms;
	int			max_retries;	/* attempts after the first */
} AwsConfig;

typedef struct AwsStats
{
	int64		calls;			/* finished calls */
	int64		retries;		/* attempts that failed as another may not */
	int64		throttles;		/* answers of class AWS_ERROR_THROTTLE */
	int64		bytes_received; /* of bodies */
	int64		wait_ms;		/* spent in aws_client_wait() */
} AwsStats;

typedef struct AwsClient AwsClient;
typedef struct AwsCall AwsCall;

/*
 * More of the body of an answer came, which may not be all, nor be that of a
 * success.  state is what the last call returned, NULL for the first; room as
 * for http_body_so_far().  May write into what has come.
 */
typedef void *(*AwsProgress) (AwsCall *call, void *state, char *body,
							  size_t bytes, size_t room);

/*
 * What is asked.  Kinesis takes a target and a body; S3 the rest.  All texts
 * are copied, the methods and targets aside, which are constants.
 */
typedef struct AwsRequest
{
	const char *target;			/* X-Amz-Target of a JSON 1.1 service, e.g.
								 * Kinesis_20131202.GetRecords; or NULL */
	const char *method;			/* NULL: POST */
	const char *path;			/* put behind the endpoint's path,
								 * percent-encoded; NULL: nothing */
	const char *query;			/* percent-encoded, without '?'; NULL: none */
	const Sigv4Header *headers; /* more to sign and send */
	int			n_headers;
	const char *body;			/* NULL: none */
	size_t		body_bytes;
	bool		body_stays;		/* until the call is closed: not copied */
	size_t		max_response_bytes;
	HttpBudget *budget;			/* for the answer, until the call is closed;
								 * or NULL */
	int			timeout_ms;		/* 0: the config's request_timeout_ms */
	bool		once;			/* no retries: the caller has its own */
	bool		keep_headers;	/* for aws_call_header() */
	bool		doubt_success;	/* status 200 may come with an error document
								 * (XML), and then means nothing */
	AwsProgress progress;		/* or NULL; goes with once */
	void	   *owner;			/* handed back with the finished call */
} AwsRequest;

/*
 * A client of one service, in cxt.  config is copied.  Raises an error if
 * neither a region's host nor an endpoint can be told.
 */
extern AwsClient *aws_client_open(MemoryContext cxt, const AwsConfig *config,
								  AwsServiceId service);

/* Start a call; it lives in a child of the client's context until closed. */
extern AwsCall *aws_call_start(AwsClient *client, const AwsRequest *request);

/*
 * Wait for a call of this client to finish and return it, NULL after
 * timeout_ms (-1: no limit; 0: do not wait), when the latch was set, or at
 * once when no call is under way.  A call is returned once; then
 * it is the caller's to read and close.
 */
extern AwsCall *aws_client_wait(AwsClient *client, long timeout_ms);

/* No call was started that has not been returned: there is nothing to wait for. */
extern bool aws_client_idle(const AwsClient *client);

/*
 * Wait for this very call, however long its retries take.  Other calls that
 * finish meanwhile are kept for aws_client_wait().
 */
extern void aws_call_wait(AwsCall *call);

extern void aws_call_close(AwsCall *call);

/* The answer to its last attempt has begun to come, or has come. */
extern bool aws_call_is_coming(const AwsCall *call);

extern void *aws_call_owner(const AwsCall *call);

/* NULL if the call succeeded, else why not (lives with the call). */
extern const AwsError *aws_call_error(const AwsCall *call);

/*
 * What the answer to a call that succeeded says of a part of it that did not,
 * in *error, palloc'd: by its code, and message or NULL, as they came.
 */
extern void aws_call_refusal(const AwsCall *call, const char *code,
							 const char *message, AwsError *error);

/*
 * The answer's body, NUL-terminated.  It lives until the call is closed, is
 * the caller's to write into, and is never copied: the records of a stream
 * are decoded where they arrived.
 */
extern char *aws_call_body(AwsCall *call, size_t *bytes);

/* What the request's progress returned last; NULL if it was not called. */
extern void *aws_call_progress(const AwsCall *call);

/*
 * A header of the answer to a call that succeeded, by name, ignoring case;
 * NULL if there is none.  It lives with the call, whose request said
 * keep_headers.
 */
extern const char *aws_call_header(const AwsCall *call, const char *name);

/*
 * When the last attempt was answered, by the service's clock: seconds since
 * 1970.  0 if it was not, or the answer did not say.
 */
extern int64 aws_call_date(const AwsCall *call);

/*
 * The call's own memory context, deleted by aws_call_close(): what is made of
 * the answer can live and end with it.
 */
extern MemoryContext aws_call_context(AwsCall *call);

extern const AwsStats *aws_client_stats(const AwsClient *client);

/* Where its service is; lives with the client. */
extern const char *aws_client_url(const AwsClient *client);

/* The config's bound on retries, for callers that retry themselves. */
extern int	aws_client_max_retries(const AwsClient *client);

#endif							/* TRACKING_AWS_AWS_CALL_H */
