/*
 * s3_wire.h
 *	  Making requests to S3; for s3_client.c, s3_upload.c and s3_delete.c only.
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
	const char *key;			/* of the object; NULL: the request is for the
								 * bucket */
	const char *query;			/* percent-encoded, or NULL */
	const char *content_type;	/* of the body; NULL: application/octet-stream */
	const char *body;			/* or NULL; not copied */
	size_t		body_bytes;
	const uint8_t *md5;			/* of the body, MD5_BYTES; NULL: send none */
	bool		doubt_success;	/* as in AwsRequest */
	bool		once;			/* as in AwsRequest */
	int			timeout_ms;		/* as in AwsRequest */
} S3Request;

/*
 * Start a call and wait for it.  The caller must see whether it succeeded, and
 * close it; if an error such as a cancel is raised, it is closed already.
 */
extern AwsCall *s3_call(S3Client *client, const S3Request *request);

/* A key in UTF-8, as requests have it; may return the same pointer. */
extern const char *s3_key_utf8(const char *key);

/*
 * The ETag, palloc'd, of the object or part that a call has stored.  If the
 * answer has none, or one that contradicts the MD5 of what was sent, returns
 * NULL and fills *error.
 */
extern char *s3_stored_etag(const AwsCall *call, const uint8_t *md5,
							AwsError *error);

#endif							/* TRACKING_SERVICE_S3_WIRE_H */
