/*
 * s3.h
 *	  Amazon S3: writing and deleting objects.
 *
 * Each function makes one operation of the API or, for uploads, a sequence of
 * them.  It waits for the service; a cancel ends the wait at once.  Failures
 * are retried by the rules of aws_call.h.
 */
#ifndef TRACKING_SERVICE_S3_H
#define TRACKING_SERVICE_S3_H

#include "postgres.h"

#include "aws/aws_call.h"
#include "nodes/pg_list.h"

/* Limits of the service (API reference) */
#define S3_KEY_BYTES 1024		/* of a key in UTF-8 */
#define S3_DELETE_KEYS 1000		/* in one DeleteObjects */
#define S3_UPLOAD_PARTS 10000	/* of one multipart upload */

/* Most bytes of a prefix: leaves room for a name after it */
#define S3_PREFIX_BYTES (S3_KEY_BYTES * 3 / 4)

/*
 * Size of an upload's parts, of which one is kept in memory.  S3 wants at
 * least 5 MiB, but for the last part.
 */
#define S3_PART_BYTES (8 * 1024 * 1024)

/* Where to put objects: s3://bucket/prefix */
typedef struct S3Location
{
	char	   *bucket;
	char	   *prefix;			/* "", or ends with a slash, so that a name
								 * can be appended */
} S3Location;

typedef struct S3Client S3Client;
typedef struct S3Upload S3Upload;

/* An object that may still exist, and why. */
typedef struct S3Undeleted
{
	const char *key;			/* the caller's pointer */
	AwsError	error;
} S3Undeleted;

/* in s3_client.c */

/* Can a bucket have this name? */
extern bool s3_is_bucket(const char *name, size_t bytes);

/*
 * Parse s3://bucket or s3://bucket/prefix; texts are palloc'd.  Raises an
 * error if url is neither, or no bucket can have that name; the error does not
 * repeat url.
 */
extern void s3_parse_url(const char *url, S3Location *location);

/* The URL of an object, as a manifest names it; palloc'd. */
extern char *s3_url(const char *bucket, const char *key);

/*
 * The URL of a bucket, with a slash at its end; palloc'd.  The bucket is part
 * of the host's name; it is part of the path if there is a custom endpoint, or
 * if the bucket has a dot in its name, as no certificate would match such a
 * host.
 */
extern char *s3_bucket_url(const AwsConfig *config, const char *bucket);

/* Open a client for one bucket, in cxt.  config is copied. */
extern S3Client *s3_client_open(MemoryContext cxt, const AwsConfig *config,
								const char *bucket);

/*
 * Store an object in one request; replaces an object of the same key.  Raises
 * an error unless the service has stored the whole object.
 */
extern void s3_put_object(S3Client *client, const char *key,
						  const char *content_type, const char *data,
						  size_t bytes);

/* in s3_upload.c */

/*
 * Begin an object that is written piece by piece.  The upload lives in a child
 * of the current memory context, and takes up to S3_PART_BYTES of memory.
 */
extern S3Upload *s3_upload_open(S3Client *client, const char *key,
								const char *content_type);

/* Append to the object; sends a part and waits when one is full. */
extern void s3_upload_write(S3Upload *upload, const char *data,
							size_t bytes);

/*
 * Store the object and free the upload.  An object no longer than a part is
 * stored by one PutObject, a longer one by a multipart upload.  Either way the
 * whole object exists afterwards or, after an error, nothing of it.
 */
extern void s3_upload_finish(S3Upload *upload);

/*
 * Give up the upload and free it.  To be called by whoever catches an error,
 * also one that s3_upload_write() or s3_upload_finish() raised.  Tries once,
 * for some seconds that a cancel does not cut short, to have the service
 * delete the parts that it has; the caller does not learn whether it did.  If
 * an upload's memory context is deleted instead, the parts stay until a
 * lifecycle rule of the bucket removes incomplete uploads.
 */
extern void s3_upload_abort(S3Upload *upload);

/* in s3_delete.c */

/*
 * Delete objects by their keys (a list of C strings).  Returns those that may
 * still exist, a list of S3Undeleted in the current memory context; NIL if
 * none does.  Deleting an object that does not exist is no failure, and no
 * failure of the service raises an error.
 */
extern List *s3_delete_objects(S3Client *client, List *keys);

#endif							/* TRACKING_SERVICE_S3_H */
