/*
 * credentials.h
 *	  Keys to sign with, and the interface of whatever provides them.
 *
 * A provider is asked for each signature, as its keys may change from one to
 * the next.  Each kind is a file of credentials/.
 */
#ifndef TRACKING_AWS_CREDENTIALS_H
#define TRACKING_AWS_CREDENTIALS_H

#include "postgres.h"

#include "aws/aws_error.h"

typedef struct AwsCredentials
{
	const char *access_key_id;
	const char *secret_access_key;
	const char *session_token;	/* or NULL */
} AwsCredentials;

typedef enum AwsCredentialState
{
	AWS_CREDENTIALS_READY,
	AWS_CREDENTIALS_NOT_YET,	/* the provider has asked somebody */
	AWS_CREDENTIALS_FAILED
} AwsCredentialState;

typedef struct AwsCredentialAnswer
{
	AwsCredentials credentials; /* READY: good until the provider is asked
								 * again */
	int64		ask_again_ms;	/* NOT_YET: clock_now_ms() at which to ask
								 * again; before that, whenever an HTTP
								 * exchange of this process has ended.  -1:
								 * only then */
	AwsError	error;			/* FAILED: palloc'd in the current context */
} AwsCredentialAnswer;

typedef struct AwsCredentialProvider AwsCredentialProvider;

typedef struct AwsCredentialOps
{
	/*
	 * The keys to sign with now.  Never waits: what has to be asked for is
	 * sent by http_start(), so that it goes on while its caller waits for
	 * other exchanges.
	 */
	AwsCredentialState (*get) (AwsCredentialProvider *provider,
							   AwsCredentialAnswer *answer);

	/* The same provider for as long as cxt lives: a copy, or itself. */
	AwsCredentialProvider *(*keep) (AwsCredentialProvider *provider,
									MemoryContext cxt);
} AwsCredentialOps;

/* What every provider begins with. */
struct AwsCredentialProvider
{
	const AwsCredentialOps *ops;
};

#endif							/* TRACKING_AWS_CREDENTIALS_H */
