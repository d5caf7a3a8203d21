/*
 * unit_credentials.c
 *	  Calls whose keys are provided late, shown to SQL.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "aws/aws_call.h"
#include "credentials/credentials_keys.h"

PG_FUNCTION_INFO_V1(unit_provided_calls);

#define N_CALLS 3

/*
 * Asks a URL for keys, "ID SECRET", anew for each signature; an answer that is
 * none is a failure.
 */
typedef struct AskingProvider
{
	AwsCredentialProvider base;
	MemoryContext cxt;
	const char *url;
	HttpExchange *http;			/* under way or over, or NULL */
	bool		done;
} AskingProvider;

static void
asking_done(HttpExchange *exchange, void *arg)
{
	(void) exchange;
	((AskingProvider *) arg)->done = true;
}

static AwsCredentialState
asking_read(AskingProvider *provider, AwsCredentialAnswer *answer)
{
	char	   *id = MemoryContextStrdup(provider->cxt,
										 http_response(provider->http)->body);
	char	   *secret = strchr(id, ' ');

	http_close(provider->http);
	provider->http = NULL;
	provider->done = false;
	if (secret == NULL)
	{
		aws_error_from_nonsense(&answer->error, id);
		return AWS_CREDENTIALS_FAILED;
	}
	*secret++ = '\0';
	answer->credentials.access_key_id = id;
	answer->credentials.secret_access_key = secret;
	answer->credentials.session_token = NULL;
	return AWS_CREDENTIALS_READY;
}

static AwsCredentialState
asking_get(AwsCredentialProvider *base, AwsCredentialAnswer *answer)
{
	AskingProvider *provider = (AskingProvider *) base;
	HttpRequest request = {
		.method = "GET",
		.url = provider->url,
		.max_response_bytes = 1000,
		.connect_timeout_ms = 30000,
		.request_timeout_ms = 30000
	};

	if (provider->done)
		return asking_read(provider, answer);
	if (provider->http == NULL)
		provider->http = http_start(provider->cxt, &request, asking_done,
									provider);
	answer->ask_again_ms = -1;
	return AWS_CREDENTIALS_NOT_YET;
}

static AwsCredentialProvider *
asking_keep(AwsCredentialProvider *base, MemoryContext cxt)
{
	(void) cxt;
	return base;
}

static const AwsCredentialOps asking_ops = {
	.get = asking_get,
	.keep = asking_keep
};

static AwsClient *
open_client(const char *endpoint, AwsCredentialProvider *provider)
{
	AwsConfig	config = {
		.region = "us-east-1",
		.endpoint = endpoint,
		.credentials = provider,
		.connect_timeout_ms = 30000,
		.request_timeout_ms = 30000
	};

	return aws_client_open(CurrentMemoryContext, &config, AWS_KINESIS);
}

static AwsCall *
start_call(AwsClient *client, const char *target)
{
	AwsRequest	request = {
		.target = target,
		.body = "{}",
		.body_bytes = 2,
		.max_response_bytes = 1000
	};

	return aws_call_start(client, &request);
}

static Datum
outcome(const AwsCall *call)
{
	const AwsError *error = aws_call_error(call);

	return CStringGetTextDatum(error == NULL ? "ok" : error->message);
}

/*
 * The outcomes of two calls, one after the other, with keys that have to be
 * asked for, and of one with keys at hand, which is sent after the first and
 * waited for before it.
 */
Datum
unit_provided_calls(PG_FUNCTION_ARGS)
{
	const char *endpoint = text_to_cstring(PG_GETARG_TEXT_PP(0));
	AskingProvider asking = {
		.base.ops = &asking_ops,
		.cxt = CurrentMemoryContext,
		.url = text_to_cstring(PG_GETARG_TEXT_PP(1))
	};
	AwsCredentials keys = {"ATHAND", "secret", NULL};
	AwsClient  *late = open_client(endpoint, &asking.base);
	AwsClient  *at_hand = open_client(endpoint,
									  credentials_keys_open(CurrentMemoryContext,
															&keys));
	AwsCall    *calls[N_CALLS];
	Datum		outcomes[N_CALLS];

	calls[0] = start_call(late, "Test.First");
	calls[2] = start_call(at_hand, "Test.AtHand");
	while (aws_client_wait(at_hand, -1) != calls[2])
		;
	aws_call_wait(calls[0]);
	calls[1] = start_call(late, "Test.Second");
	while (aws_client_wait(late, -1) != calls[1])
		;
	for (int i = 0; i < N_CALLS; i++)
		outcomes[i] = outcome(calls[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(outcomes, N_CALLS, TEXTOID, -1,
										  false, TYPALIGN_INT));
}
