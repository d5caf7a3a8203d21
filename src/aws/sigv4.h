/*
 * sigv4.h
 *	  AWS Signature Version 4, header form, as three pure stages.
 *
 * Time and credentials are arguments; nothing is read from the environment.
 * Every stage fills the next text of one struct, so that a test which fails
 * names its stage.
 */
#ifndef TRACKING_AWS_SIGV4_H
#define TRACKING_AWS_SIGV4_H

#include "postgres.h"

#include <time.h>

#include "aws/credentials.h"
#include "lib/stringinfo.h"

typedef struct Sigv4Header
{
	const char *name;
	const char *value;
} Sigv4Header;

/* An access key id that is longer (user mappings take 256) is not kept. */
#define SIGV4_KEY_ID_BYTES 256

/*
 * The key of credentials, a day, region and service, to be kept between
 * signatures.
 */
typedef struct Sigv4Key
{
	char		date[9];		/* "" at first */
	char		access_key_id[SIGV4_KEY_ID_BYTES + 1];
	unsigned char key[32];
} Sigv4Key;

typedef struct Sigv4
{
	/* what the caller fills */
	const char *method;
	const char *path;			/* as sent, percent-encoded, starts with / */
	const char *query;			/* as sent, without '?', "" for none */
	const Sigv4Header *headers; /* to be signed, host among them, without
								 * those that the signature brings along:
								 * x-amz-date, x-amz-security-token and, for
								 * S3, x-amz-content-sha256 */
	int			n_headers;
	const char *body;
	size_t		body_bytes;
	const char *region;
	const char *service;		/* signing name */
	bool		s3_rules;		/* the path is not encoded once more, and a
								 * header with the body's hash is signed:
								 * x-amz-content-sha256, which has to be sent */
	time_t		now;
	Sigv4Key   *key;			/* derived when the day or the access key id
								 * is another; it is for one region and
								 * service */

	/* stage 1 */
	char		amz_date[17];	/* 20150830T123600Z */
	char		body_sha256[65];	/* in hex */
	char	   *signed_headers;
	char	   *canonical_request;
	/* stage 2 */
	char	   *string_to_sign;
	/* stage 3 */
	char		signature[65];
	char	   *authorization;	/* value of the Authorization header */
} Sigv4;

/*
 * The stages, in order; results are palloc'd in the current context.  Each
 * raises an error if OpenSSL refuses (only for lack of memory, or SHA-256
 * switched off).
 */
extern void sigv4_canonical_request(Sigv4 *sign, const AwsCredentials *cred);
extern void sigv4_string_to_sign(Sigv4 *sign);
extern void sigv4_authorization(Sigv4 *sign, const AwsCredentials *cred);

/* All three. */
extern void sigv4_sign(Sigv4 *sign, const AwsCredentials *cred);

/*
 * Append text percent-encoded, as the signature wants it: all but letters,
 * digits, "-._~" and the characters in keep.
 */
extern void sigv4_append_encoded(StringInfo out, const char *text,
								 size_t bytes, const char *keep);

#endif							/* TRACKING_AWS_SIGV4_H */
