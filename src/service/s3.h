/*
 * s3.h
 *	  Amazon S3: writing objects, and deleting them.
 *
 * A function is one operation of the API or, for uploads, a sequence of them.
 * All wait for the service, are ended by a cancel at once, and retry by the
 * rules of aws_call.h.  Nothing is read, listed or remembered.
 */
#ifndef TRACKING_SERVICE_S3_H
#define TRACKING_SERVICE_S3_H

#include "postgres.h"

#include "aws/aws_call.h"
#include "nodes/pg_list.h"

/* Limits of the service (API reference) */
#define S3_KEY_BYTES 1024		/* of a key in UTF-8 */
#define S3_DELETE_KEYS 1000		/* of one DeleteObjects */
#define S3_UPLOAD_PARTS 10000	/* of one upload */

/* Of a prefix: leaves room for a name behind it */
#define S3_PREFIX_BYTES (S3_KEY_BYTES * 3 / 4)

/*
 * An upload goes in parts of this size, of which one is in memory; S3 wants 5
 * MiB at least, the last aside.
 */
#define S3_PART_BYTES (8 * 1024 * 1024)

/* Where objects are to be: s3://bucket/prefix */
typedef struct S3Location
{
	char	   *bucket;
	char	   *prefix;			/* "", or ends with a slash: a name can be put
								 * behind it */
} S3Location;

typedef struct S3Client S3Client;
typedef struct S3Upload S3Upload;

/* An object that may still be there, and why. */
typedef struct S3Undeleted
{
	const char *key;
	AwsError	error;
} S3Undeleted;

/* Can a bucket have that name? */
extern bool s3_is_bucket(const char *name, size_t bytes);

/*
 * Read s3://bucket or s3://bucket/prefix; texts are palloc'd.  Raises an error
 * that does not repeat it if it is neither, or no bucket can have that name.
 */
extern void s3_parse_url(const char *url, S3Location *location);

/* The URL of an object, as a manifest names it; palloc'd. */
extern char *s3_url(const char *bucket, const char *key);

/*
 * The URL at which a bucket is addressed, with a slash at its end; palloc'd.
 * With a custom endpoint, or a dot in its name that no certificate would
 * cover, the bucket is part of the path, else of the host's name.
 */
extern char *s3_bucket_url(const AwsConfig *config, const char *bucket);

/* A client of one bucket, in cxt.  config is copied. */
extern S3Client *s3_client_open(MemoryContext cxt, const AwsConfig *config,
								const char *bucket);

/*
 * Store an object in one request.  An error is raised unless the service has
 * it, whole.  Another object of that key is replaced.
 */
extern void s3_put_object(S3Client *client, const char *key,
						  const char *content_type, const char *data,
						  size_t bytes);

/*
 * Begin an object that is written piece by piece.  The upload lives in a child
 * of the current memory context, and takes up to S3_PART_BYTES of memory.
 */
extern S3Upload *s3_upload_open(S3Client *client, const char *key,
								const char *content_type);

/* Add to the object; waits for the service when a part is full. */
extern void s3_upload_write(S3Upload *upload, const char *data,
							size_t bytes);

/*
 * Store the object and free the upload.  What is no longer than a part is one
 * PutObject, anything else a multipart upload: either way the object is there
 * whole or, after an error, not at all.
 */
extern void s3_upload_finish(S3Upload *upload);

/*
 * Give the upload up and free it: for whoever catches an error, also one that
 * s3_upload_write() or s3_upload_finish() raised.  Tries once, for some
 * seconds that a cancel does not cut short, to have the service forget the
 * parts that it has; whether it did is not told.  An upload that ends with its
 * memory context leaves them there, until a lifecycle rule of the bucket
 * removes incomplete uploads.
 */
extern void s3_upload_abort(S3Upload *upload);

/*
 * Delete objects by their keys (a list of C strings).  Those that may still be
 * there are returned, a list of S3Undeleted in the current memory context:
 * NIL if all are gone.  To delete what is not there is no failure, and no
 * failure of the service raises an error.
 */
extern List *s3_delete_objects(S3Client *client, List *keys);

#endif							/* TRACKING_SERVICE_S3_H */
