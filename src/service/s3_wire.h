/*
 * s3_wire.h
 *	  How requests to S3 are made; for the s3_*.c files alone.
 */
#ifndef TRACKING_SERVICE_S3_WIRE_H
#define TRACKING_SERVICE_S3_WIRE_H

#include "postgres.h"

#include "base/md5.h"
#include "service/s3.h"

#define S3_XML_NAMESPACE "http://s3.amazonaws.com/doc/2006-03-01/"

struct S3Client
{
	AwsClient  *aws;
	const char *bucket;
};

typedef struct S3Request
{
	const char *method;
	const char *key;			/* NULL: of the bucket itself */
	const char *query;			/* percent-encoded, or NULL */
	const char *content_type;	/* of the body; NULL: just bytes */
	const char *body;			/* or NULL; not copied */
	size_t		body_bytes;
	const uint8_t *md5;			/* of the body, MD5_BYTES; NULL: not sent */
	bool		doubt_success;	/* as in AwsRequest */
	bool		once;			/* as in AwsRequest */
	int			timeout_ms;		/* as in AwsRequest */
} S3Request;

/*
 * Start a call and wait for it.  It is the caller's to judge and close; a
 * cancel closes it.
 */
extern AwsCall *s3_call(S3Client *client, const S3Request *request);

/* A key in UTF-8, as it goes over the wire; maybe the same pointer. */
extern const char *s3_key_utf8(const char *key);

/*
 * The ETag, palloc'd, of what a call that succeeded has stored.  If there is
 * none, or it contradicts the MD5, NULL and *error says so.
 */
extern char *s3_stored_etag(const AwsCall *call, const uint8_t *md5,
							AwsError *error);

#endif							/* TRACKING_SERVICE_S3_WIRE_H */
