/*
 * sigv4.h
 *	  AWS Signature Version 4 in headers, as three pure stages.
 *
 * The caller gives time and credentials; nothing is read from the environment.
 * Every stage fills the next members of one struct, so that a test can tell
 * which stage is wrong.
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

#define SIGV4_HEADER(name, value) ((Sigv4Header) {(name), (value)})

/*
 * For a longer access key id (user mappings accept up to 256 bytes) the key is
 * derived at each signature.
 */
#define SIGV4_KEY_ID_BYTES 256

/*
 * The signing key for credentials, a day, a region and a service; the caller
 * keeps it between signatures.
 */
typedef struct Sigv4Key
{
	char		date[9];		/* yyyymmdd; "": no key yet */
	char		access_key_id[SIGV4_KEY_ID_BYTES + 1];	/* maybe cut off */
	unsigned char key[32];
} Sigv4Key;

typedef struct Sigv4
{
	/* filled by the caller */
	const char *method;
	const char *path;			/* as sent, percent-encoded, starts with / */
	const char *query;			/* as sent, without '?', "" for none */
	const Sigv4Header *headers; /* to be signed, host among them, without
								 * those that signing adds: x-amz-date,
								 * x-amz-security-token and, with s3_rules,
								 * x-amz-content-sha256 */
	int			n_headers;
	const char *body;
	size_t		body_bytes;
	const char *region;
	const char *service;		/* signing name */
	bool		s3_rules;		/* do not encode the path once more, and sign
								 * a header with the body's hash,
								 * x-amz-content-sha256, which must be sent */
	time_t		now;
	Sigv4Key   *key;			/* derived again when the day or the access
								 * key id has changed; must be used for one
								 * region and service only */

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
 * raises an error if OpenSSL fails, which it does only for lack of memory, or
 * if SHA-256 is disabled.
 */
extern void sigv4_canonical_request(Sigv4 *sign, const AwsCredentials *cred);
extern void sigv4_string_to_sign(Sigv4 *sign);
extern void sigv4_authorization(Sigv4 *sign, const AwsCredentials *cred);

/* All three stages. */
extern void sigv4_sign(Sigv4 *sign, const AwsCredentials *cred);

/*
 * Append text percent-encoded by the rules of the signature: all characters
 * but letters, digits, "-._~" and those in keep.
 */
extern void sigv4_append_encoded(StringInfo out, const char *text,
								 size_t bytes, const char *keep);

#endif							/* TRACKING_AWS_SIGV4_H */
