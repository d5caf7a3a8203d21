/*
 * aws_call.c
 *	  One signed call of an AWS service: sign, send, judge, retry.
 *
 * Memory: a client has a context, each of its calls a child of that.  The
 * request, every attempt's exchange, the answer and the error live in the
 * call's context, so that closing a call frees all of it and cuts off what is
 * under way.
 *
 * Clients share the process's HTTP room: waiting for one client may end an
 * exchange of another.  An exchange that ends is therefore only noted on its
 * own client's list, and judged when that client is waited for.
 */
#include "postgres.h"

#include <time.h>

#include "lib/ilist.h"
#include "utils/memutils.h"

#include "aws/aws_answer.h"
#include "aws/aws_call.h"
#include "aws/aws_request.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "http/http.h"

/* Full jitter on these, doubled by each attempt (AWS's SDKs: 50 ms, 1 s) */
#define BACKOFF_TRANSIENT_MS 100
#define BACKOFF_THROTTLE_MS 500
#define BACKOFF_CAP_MS 20000

/* x-amz-retry-after may lengthen a delay by that much (as in AWS's SDKs) */
#define RETRY_AFTER_EXTRA_MS 5000

/*
 * Services refuse a signature that is 5 minutes off.  A smaller skew than
 * this is not what made them refuse.
 */
#define CLOCK_SKEW_SECONDS (4 * 60)

/* Signature, secret access key, session token */
#define CALL_SECRETS 3

typedef enum CallState
{
	CALL_UNSIGNED,				/* until there are credentials; next: SENDING,
								 * or FINISHED if there are none to be had */
	CALL_SENDING,				/* next: ANSWERED */
	CALL_ANSWERED,				/* next: BACKING_OFF or FINISHED */
	CALL_BACKING_OFF,			/* until retry_at; next: UNSIGNED or SENDING */
	CALL_FINISHED,				/* next: RETURNED */
	CALL_RETURNED				/* the caller's; the last */
} CallState;

struct AwsClient
{
	MemoryContext cxt;
	AwsService	service;
	int64		clock_offset;	/* seconds that our clock is behind AWS's */
	AwsStats	stats;
	dlist_head	calls[CALL_RETURNED];	/* by state */
};

struct AwsCall
{
	MemoryContext cxt;
	AwsClient  *client;
	AwsRequest	request;
	CallState	state;
	dlist_node	node;			/* in client->calls[state] */
	HttpExchange *http;			/* of the current attempt, or NULL; of the
								 * last if its headers are kept */
	int			attempts;
	const char *secret_access_key;	/* of the last attempt, as the two below */
	const char *session_token;	/* or NULL */
	const char *signature;
	time_t		signed_at;		/* the time in it */
	int64		date;			/* of the last answer; see aws_call_date() */
	bool		clock_corrected;	/* tried again with another time */
	int64		retry_at;		/* clock_now_ms(); UNSIGNED: -1 for none */
	AwsError	error;			/* class NONE: success */
	char	   *body;
	size_t		body_bytes;
	void	   *progress;		/* the request's own */
};

/* ----------------------------------------------------------------
 * Clients
 * ---------------------------------------------------------------- */

AwsClient *
aws_client_open(MemoryContext cxt, const AwsConfig *config,
				AwsServiceId service)
{
	MemoryContext client_cxt = AllocSetContextCreate(cxt, "AWS client",
													 ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(client_cxt);
	AwsClient  *client = palloc0(sizeof(AwsClient));

	client->cxt = client_cxt;
	aws_service_init(&client->service, config, service);
	/* what answers say may come when there is no transaction */
	encoding_prepare();
	for (int state = 0; state < CALL_RETURNED; state++)
		dlist_init(&client->calls[state]);

	MemoryContextSwitchTo(old);
	return client;
}

const AwsStats *
aws_client_stats(const AwsClient *client)
{
	return &client->stats;
}

const char *
aws_client_url(const AwsClient *client)
{
	return client->service.endpoint.url;
}

int
aws_client_max_retries(const AwsClient *client)
{
	return client->service.config.max_retries;
}

bool
aws_client_idle(const AwsClient *client)
{
	for (int state = 0; state < CALL_RETURNED; state++)
	{
		if (!dlist_is_empty(unconstify(dlist_head *, &client->calls[state])))
			return false;
	}
	return true;
}

/* ----------------------------------------------------------------
 * Attempts
 * ---------------------------------------------------------------- */

static void
enter_state(AwsCall *call, CallState state)
{
	if (call->state != CALL_RETURNED)
		dlist_delete(&call->node);
	call->state = state;
	if (state != CALL_RETURNED)
		dlist_push_tail(&call->client->calls[state], &call->node);
}

static void
finish(AwsCall *call)
{
	/* the clock is right, so it is the secret that is wrong */
	if (call->error.class == AWS_ERROR_CLOCK)
		call->error.class = AWS_ERROR_DENIED;
	call->error.attempts = call->attempts;
	call->client->stats.calls++;
	enter_state(call, CALL_FINISHED);
}

/* The exchange is over, perhaps while another client is waiting. */
static void
attempt_done(HttpExchange *exchange, void *arg)
{
	(void) exchange;
	enter_state((AwsCall *) arg, CALL_ANSWERED);
}

static void
attempt_progress(HttpExchange *exchange, void *arg)
{
	AwsCall    *call = arg;
	size_t		bytes;
	size_t		room;
	char	   *body = http_body_so_far(exchange, &bytes, &room);

	call->progress = call->request.progress(call, call->progress, body, bytes,
											room);
}

/*
 * Sign and send, in the call's context.  Every attempt has its own signature,
 * as the time is part of it.  What it was made of is kept for the answer, by
 * when the provider may have other keys.
 */
static void
send_attempt(AwsCall *call, const AwsCredentials *cred)
{
	AwsClient  *client = call->client;
	HttpRequest request;

	call->secret_access_key = pstrdup(cred->secret_access_key);
	call->session_token = cred->session_token ?
		pstrdup(cred->session_token) : NULL;
	call->signed_at = time(NULL) + client->clock_offset;
	call->signature = aws_request_sign(&request, &call->request,
									   &client->service, cred,
									   call->signed_at);
	if (call->request.progress != NULL)
		request.progress = attempt_progress;
	call->http = http_start(call->cxt, &request, attempt_done, call);
	call->attempts++;
	enter_state(call, CALL_SENDING);
}

/* Ask for credentials, and send if there are some. */
static void
start_attempt(AwsCall *call)
{
	AwsCredentialProvider *provider = call->client->service.config.credentials;
	MemoryContext old = MemoryContextSwitchTo(call->cxt);
	AwsCredentialAnswer answer;

	switch (provider->ops->get(provider, &answer))
	{
		case AWS_CREDENTIALS_READY:
			send_attempt(call, &answer.credentials);
			break;
		case AWS_CREDENTIALS_NOT_YET:
			call->retry_at = answer.ask_again_ms;
			/* who goes over the list must not find it behind again */
			if (call->state != CALL_UNSIGNED)
				enter_state(call, CALL_UNSIGNED);
			break;
		case AWS_CREDENTIALS_FAILED:
			call->error = answer.error;
			finish(call);
			break;
	}
	MemoryContextSwitchTo(old);
}

/* ----------------------------------------------------------------
 * Judging answers
 * ---------------------------------------------------------------- */

/*
 * What the far side was told, or may know, and must not repeat to whoever reads
 * an error: ended by NULL.
 */
static void
list_secrets(const AwsCall *call, const char *secrets[CALL_SECRETS + 1])
{
	int			n = 0;

	secrets[n++] = call->signature;
	secrets[n++] = call->secret_access_key;
	if (call->session_token != NULL)
		secrets[n++] = call->session_token;
	secrets[n] = NULL;
}

/*
 * The service refused a signature.  If its clock and the one that the call
 * was signed by differ by enough to be the reason, go by its clock from now
 * on: true, a new signature may help.  Once a call.
 */
static bool
correct_clock(AwsCall *call)
{
	if (call->clock_corrected || call->date == 0 ||
		llabs(call->date - (int64) call->signed_at) < CLOCK_SKEW_SECONDS)
		return false;

	call->client->clock_offset = call->date - (int64) time(NULL);
	call->clock_corrected = true;
	return true;
}

/* Milliseconds until the next attempt, -1 if there is to be none. */
static long
retry_delay_ms(AwsCall *call)
{
	int			retries = call->attempts - (call->clock_corrected ? 2 : 1);
	long		base_ms = BACKOFF_TRANSIENT_MS;
	long		delay_ms;

	if (call->error.class == AWS_ERROR_CLOCK)
		return correct_clock(call) ? 0 : -1;
	if (call->error.class == AWS_ERROR_THROTTLE)
		base_ms = BACKOFF_THROTTLE_MS;
	else if (call->error.class != AWS_ERROR_RETRY)
		return -1;
	if (call->request.once ||
		retries >= call->client->service.config.max_retries)
		return -1;

	delay_ms = backoff_delay_ms(retries, base_ms, BACKOFF_CAP_MS,
								backoff_random());
	/* the service may ask for more patience */
	return Min(Max(aws_answer_retry_after_ms(call->http), delay_ms),
			   delay_ms + RETRY_AFTER_EXTRA_MS);
}

static void
back_off(AwsCall *call, long delay_ms)
{
	call->retry_at = clock_now_ms() + delay_ms;
	enter_state(call, CALL_BACKING_OFF);
}

/* What an attempt's end means for its call. */
static void
judge_attempt(AwsCall *call)
{
	MemoryContext old = MemoryContextSwitchTo(call->cxt);
	size_t		bytes = http_response(call->http)->body_bytes;
	const char *secrets[CALL_SECRETS + 1];
	long		delay_ms = -1;

	if (!aws_answer_date(call->http, &call->date))
		call->date = 0;
	list_secrets(call, secrets);
	aws_answer_judge(call->http, call->request.doubt_success, secrets,
					 &call->error);
	if (call->error.class == AWS_ERROR_NONE)
	{
		call->body_bytes = bytes;
		call->body = http_steal_body(call->http);
	}
	else
		delay_ms = retry_delay_ms(call);

	if (call->error.class != AWS_ERROR_NONE || !call->request.keep_headers)
	{
		http_close(call->http);
		call->http = NULL;
	}
	call->client->stats.bytes_received += bytes;
	if (call->error.class == AWS_ERROR_THROTTLE)
		call->client->stats.throttles++;
	if (delay_ms >= 0 || call->error.class == AWS_ERROR_THROTTLE ||
		call->error.class == AWS_ERROR_RETRY)
		call->client->stats.retries++;
	if (delay_ms >= 0)
		back_off(call, delay_ms);
	else
		finish(call);
	MemoryContextSwitchTo(old);
}

/* ----------------------------------------------------------------
 * Waiting
 * ---------------------------------------------------------------- */

/* Judge what came, and send what has backed off for long enough. */
static void
advance(AwsClient *client)
{
	dlist_head *answered = &client->calls[CALL_ANSWERED];
	dlist_mutable_iter iter;

	while (!dlist_is_empty(answered))
		judge_attempt(dlist_head_element(AwsCall, node, answered));

	dlist_foreach_modify(iter, &client->calls[CALL_BACKING_OFF])
	{
		AwsCall    *call = dlist_container(AwsCall, node, iter.cur);

		if (call->retry_at <= clock_now_ms())
			start_attempt(call);
	}
	dlist_foreach_modify(iter, &client->calls[CALL_UNSIGNED])
		start_attempt(dlist_container(AwsCall, node, iter.cur));
}

/* The earliest time at which a call of a list is to go on, or until (-1: none). */
static int64
earliest(const dlist_head *calls, int64 until)
{
	dlist_iter	iter;

	dlist_foreach(iter, unconstify(dlist_head *, calls))
	{
		const AwsCall *call = dlist_container(AwsCall, node, iter.cur);

		if (call->retry_at >= 0 && (until < 0 || call->retry_at < until))
			until = call->retry_at;
	}
	return until;
}

/*
 * Wait until an exchange ends, a retry is due, the deadline (-1: none) or the
 * latch.  False if it was one of the latter two.
 */
static bool
wait_for_change(AwsClient *client, int64 deadline)
{
	int64		until = earliest(&client->calls[CALL_BACKING_OFF], deadline);
	int64		now = clock_now_ms();

	until = earliest(&client->calls[CALL_UNSIGNED], until);
	if (http_drive(until < 0 ? -1 : (long) Max(until - now, 0)) > 0)
		return true;

	/* before its time http_drive() comes back only for the latch */
	now = clock_now_ms();
	return until >= 0 && now >= until && (deadline < 0 || now < deadline);
}

static AwsCall *
next_finished(AwsClient *client, int64 deadline)
{
	dlist_head *finished = &client->calls[CALL_FINISHED];

	for (;;)
	{
		advance(client);
		if (!dlist_is_empty(finished))
		{
			AwsCall    *call = dlist_head_element(AwsCall, node, finished);

			enter_state(call, CALL_RETURNED);
			return call;
		}
		if (aws_client_idle(client) || !wait_for_change(client, deadline))
			return NULL;
	}
}

AwsCall *
aws_client_wait(AwsClient *client, long timeout_ms)
{
	int64		began = clock_now_ms();
	AwsCall    *call = next_finished(client,
									 timeout_ms < 0 ? -1 : began + timeout_ms);

	client->stats.wait_ms += clock_now_ms() - began;
	return call;
}

void
aws_call_wait(AwsCall *call)
{
	AwsClient  *client = call->client;
	int64		began = clock_now_ms();

	for (;;)
	{
		advance(client);
		if (call->state >= CALL_FINISHED)
			break;
		(void) wait_for_change(client, -1);
	}
	enter_state(call, CALL_RETURNED);
	client->stats.wait_ms += clock_now_ms() - began;
}

/* ----------------------------------------------------------------
 * Calls
 * ---------------------------------------------------------------- */

AwsCall *
aws_call_start(AwsClient *client, const AwsRequest *request)
{
	MemoryContext cxt = AllocSetContextCreate(client->cxt, "AWS call",
											  ALLOCSET_SMALL_SIZES);
	AwsCall    *call = MemoryContextAllocZero(cxt, sizeof(AwsCall));
	MemoryContext old = MemoryContextSwitchTo(cxt);

	Assert(request->progress == NULL || request->once);
	call->cxt = cxt;
	call->client = client;
	aws_request_copy(&call->request, request);
	MemoryContextSwitchTo(old);

	/* on no list until it is sent: nobody waits for a call that failed here */
	call->state = CALL_RETURNED;
	start_attempt(call);
	return call;
}

void
aws_call_close(AwsCall *call)
{
	enter_state(call, CALL_RETURNED);
	MemoryContextDelete(call->cxt);
}

bool
aws_call_is_coming(const AwsCall *call)
{
	return call->http != NULL && http_is_coming(call->http);
}

void *
aws_call_owner(const AwsCall *call)
{
	return call->request.owner;
}

const AwsError *
aws_call_error(const AwsCall *call)
{
	return call->error.class == AWS_ERROR_NONE ? NULL : &call->error;
}

void
aws_call_refusal(const AwsCall *call, const char *code, const char *message,
				 AwsError *error)
{
	const char *secrets[CALL_SECRETS + 1];

	list_secrets(call, secrets);
	aws_error_from_code(error, code, message, secrets);
}

char *
aws_call_body(AwsCall *call, size_t *bytes)
{
	*bytes = call->body_bytes;
	return call->body;
}

void *
aws_call_progress(const AwsCall *call)
{
	return call->progress;
}

const char *
aws_call_header(const AwsCall *call, const char *name)
{
	return http_response_header(call->http, name);
}

int64
aws_call_date(const AwsCall *call)
{
	return call->date;
}

MemoryContext
aws_call_context(AwsCall *call)
{
	return call->cxt;
}
