/*
 * http_curl.c
 *	  HTTP exchanges: from a request to a response, by libcurl.
 *
 * libcurl's callbacks raise no errors, which would jump through libcurl's
 * stack frames.  They only note what happens; http_drive() turns that into a
 * failure of the exchange afterwards, and calls the caller's functions outside
 * of libcurl.
 *
 * No request is sent again here: that is for src/aws.
 */
#include "postgres.h"

#include <curl/curl.h>

#include "lib/ilist.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "http/http.h"
#include "http/http_budget.h"
#include "http/http_easy.h"
#include "http/http_multi.h"

/* Enough for any answer's headers: those of AWS have some 400 bytes */
#define HTTP_HEADERS_BYTES 4096

typedef enum ExchangeState
{
	EXCHANGE_NEW,				/* not yet in the multi handle; next: RUNNING */
	EXCHANGE_RUNNING,			/* in the multi handle; next: ENDED */
	EXCHANGE_ENDED,				/* in the list ended; next: DONE */
	EXCHANGE_DONE				/* the function done was called */
} ExchangeState;

struct HttpExchange
{
	MemoryContext cxt;
	Cleanup    *cleanup;
	HttpDone	done;
	HttpProgress progress;		/* or NULL */
	void	   *arg;
	HttpResponse response;
	ExchangeState state;
	dlist_node	node;			/* in ended */

	/* libcurl's, until the exchange ends */
	CURL	   *easy;
	struct curl_slist *headers;
	char		error_text[CURL_ERROR_SIZE];

	/* the answer */
	HttpFailure refused;		/* why on_body() refused the body */
	size_t		max_response_bytes;
	char	   *body;			/* a buffer (see buffer.h) in cxt, or NULL */
	size_t		body_bytes;		/* that have come */
	size_t		body_allocated; /* size of the buffer */
	HttpCharge *charge;			/* of the buffer; NULL: no budget */
	bool		is_paused;		/* in paused, until its body fits */
	size_t		wanted_bytes;	/* size of the body that must fit */
	dlist_node	paused_node;	/* in paused */
	bool		is_fresh;		/* in fresh */
	dlist_node	fresh_node;		/* in fresh */
	char		header_lines[HTTP_HEADERS_BYTES];
	size_t		header_bytes;	/* of header_lines */
};

/* Exchanges that have ended and whose function done was not called yet */
static dlist_head ended = DLIST_STATIC_INIT(ended);

/* Exchanges whose body does not fit into their budget; the oldest first */
static dlist_head paused = DLIST_STATIC_INIT(paused);

/*
 * Exchanges of whose body more came since their function progress was called
 */
static dlist_head fresh = DLIST_STATIC_INIT(fresh);

/* ----------------------------------------------------------------
 * libcurl's callbacks: no error may be raised in here
 * ---------------------------------------------------------------- */

/* The size to allocate for the body when its first bytes have come. */
static size_t
first_allocation(HttpExchange *exchange, size_t bytes)
{
	curl_off_t	announced = -1;

	/* mostly the answer's Content-Length says how long the body will be */
	curl_easy_getinfo(exchange->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T,
					  &announced);
	return Max(bytes, (size_t) Max(announced, 0));
}

/*
 * Make room for more bytes of the body and a terminator.  False, with refused
 * set, if that is too much or there is no memory.
 */
static bool
reserve_body(HttpExchange *exchange, size_t bytes)
{
	size_t		needed = exchange->body_bytes + bytes;
	size_t		allocate = Max(needed, exchange->body_allocated * 2);
	char	   *body;

	if (needed > exchange->max_response_bytes)
	{
		exchange->refused = HTTP_TOO_LARGE;
		return false;
	}
	if (needed < exchange->body_allocated)
		return true;

	if (exchange->body == NULL)
		allocate = first_allocation(exchange, allocate);
	allocate = Min(allocate, exchange->max_response_bytes) + 1;

	body = buffer_alloc(exchange->cxt, allocate, &allocate);
	if (body == NULL)
	{
		exchange->refused = HTTP_OUT_OF_MEMORY;
		return false;
	}
	if (exchange->body != NULL)
	{
		memcpy(body, exchange->body, exchange->body_bytes);
		buffer_free(exchange->body);
	}
	exchange->body = body;
	exchange->body_allocated = allocate;
	if (exchange->charge != NULL)
		http_charge_set(exchange->charge, allocate);
	return true;
}

/* Pause the exchange if its body is about to begin and does not fit. */
static bool
pause_body(HttpExchange *exchange, size_t bytes)
{
	if (exchange->charge == NULL || exchange->body != NULL)
		return false;
	exchange->wanted_bytes = Min(first_allocation(exchange, bytes),
								 exchange->max_response_bytes);
	if (http_charge_fits(exchange->charge, exchange->wanted_bytes))
		return false;
	exchange->is_paused = true;
	http_charge_pause(exchange->charge, true);
	dlist_push_tail(&paused, &exchange->paused_node);
	return true;
}

static size_t
on_body(char *data, size_t size, size_t n, void *arg)
{
	HttpExchange *exchange = arg;
	size_t		bytes = size * n;

	if (pause_body(exchange, bytes))
		return CURL_WRITEFUNC_PAUSE;	/* libcurl passes these bytes again */
	if (!reserve_body(exchange, bytes))
		return 0;				/* libcurl ends with CURLE_WRITE_ERROR */

	memcpy(exchange->body + exchange->body_bytes, data, bytes);
	exchange->body_bytes += bytes;
	if (exchange->progress != NULL && !exchange->is_fresh)
	{
		exchange->is_fresh = true;
		dlist_push_tail(&fresh, &exchange->fresh_node);
	}
	return bytes;
}

/* libcurl passes one line at a time; lines that do not fit are left out. */
static size_t
on_header(char *data, size_t size, size_t n, void *arg)
{
	HttpExchange *exchange = arg;
	size_t		bytes = size * n;

	/* a status line: the headers before it are those of an interim answer */
	if (bytes >= 5 && memcmp(data, "HTTP/", 5) == 0)
		exchange->header_bytes = 0;

	if (bytes < HTTP_HEADERS_BYTES - exchange->header_bytes)
	{
		memcpy(exchange->header_lines + exchange->header_bytes, data, bytes);
		exchange->header_bytes += bytes;
		exchange->header_lines[exchange->header_bytes] = '\0';
	}
	return bytes;
}

/* ----------------------------------------------------------------
 * Making and ending exchanges
 * ---------------------------------------------------------------- */

/* Take the exchange out of paused, if it is in there. */
static void
leave_paused(HttpExchange *exchange)
{
	if (!exchange->is_paused)
		return;
	exchange->is_paused = false;
	http_charge_pause(exchange->charge, false);
	dlist_delete(&exchange->paused_node);
}

/* Take the exchange out of fresh, if it is in there. */
static void
leave_fresh(HttpExchange *exchange)
{
	if (!exchange->is_fresh)
		return;
	exchange->is_fresh = false;
	dlist_delete(&exchange->fresh_node);
}

/*
 * Free the exchange's easy handle; a transfer under way is cut off.  We never
 * use a handle for a second exchange: libcurl before 8.1.1 keeps a pointer to
 * the first answer's last header, which it has freed, and writes there if the
 * second answer begins with the continuation of a header.
 */
static void
release_easy(HttpExchange *exchange)
{
	leave_paused(exchange);
	leave_fresh(exchange);
	if (exchange->state == EXCHANGE_RUNNING)
		http_multi_remove(exchange->easy);
	curl_easy_cleanup(exchange->easy);
	exchange->easy = NULL;
	curl_slist_free_all(exchange->headers);
	exchange->headers = NULL;
}

/* The exchange's memory context ends: see cleanup.h. */
static void
exchange_destroy(void *handle)
{
	HttpExchange *exchange = handle;

	if (exchange->easy != NULL)
		release_easy(exchange);
	if (exchange->state == EXCHANGE_ENDED)
		dlist_delete(&exchange->node);
	exchange->state = EXCHANGE_DONE;
}

/* Set the options that depend on the exchange. */
static void
set_exchange(HttpExchange *exchange)
{
	CURL	   *easy = exchange->easy;

	HTTP_SETOPT(easy, CURLOPT_WRITEFUNCTION, on_body);
	HTTP_SETOPT(easy, CURLOPT_HEADERFUNCTION, on_header);
	HTTP_SETOPT(easy, CURLOPT_PRIVATE, exchange);
	HTTP_SETOPT(easy, CURLOPT_WRITEDATA, exchange);
	HTTP_SETOPT(easy, CURLOPT_HEADERDATA, exchange);
	HTTP_SETOPT(easy, CURLOPT_ERRORBUFFER, exchange->error_text);
}

HttpExchange *
http_start(MemoryContext cxt, const HttpRequest *request, HttpDone done,
		   void *arg)
{
	HttpExchange *exchange;

	http_multi_open();

	exchange = MemoryContextAllocZero(cxt, sizeof(HttpExchange));
	exchange->cxt = cxt;
	exchange->done = done;
	exchange->progress = request->progress;
	exchange->arg = arg;
	exchange->max_response_bytes = request->max_response_bytes;
	/* opened first, so that it is released after the cleanup, which uses it */
	if (request->budget != NULL)
		exchange->charge = http_charge_open(cxt, request->budget);
	exchange->cleanup = cleanup_register(cxt, exchange_destroy, exchange);

	exchange->easy = curl_easy_init();
	if (exchange->easy == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));

	http_easy_set(exchange->easy, request, &exchange->headers);
	set_exchange(exchange);
	http_multi_add(exchange->easy);
	exchange->state = EXCHANGE_RUNNING;

	return exchange;
}

void
http_close(HttpExchange *exchange)
{
	cleanup_now(exchange->cleanup);
	if (exchange->body != NULL)
	{
		buffer_free(exchange->body);
		if (exchange->charge != NULL)
			http_charge_set(exchange->charge, 0);
	}
	pfree(exchange);
}

/* ----------------------------------------------------------------
 * Driving
 * ---------------------------------------------------------------- */

/* The kind of failure by which a transfer brought no answer. */
static HttpFailure
classify_failure(const HttpExchange *exchange, CURLcode code)
{
	long		sent = 0;

	curl_easy_getinfo(exchange->easy, CURLINFO_REQUEST_SIZE, &sent);
	switch (code)
	{
		case CURLE_COULDNT_RESOLVE_HOST:
		case CURLE_COULDNT_CONNECT:
		case CURLE_SSL_CONNECT_ERROR:
			return HTTP_CANNOT_CONNECT;
		case CURLE_PEER_FAILED_VERIFICATION:
		case CURLE_SSL_ISSUER_ERROR:
			return HTTP_TLS_UNTRUSTED;
		case CURLE_OPERATION_TIMEDOUT:
			return sent > 0 ? HTTP_TIMED_OUT : HTTP_CANNOT_CONNECT;
		case CURLE_WRITE_ERROR:
			return exchange->refused;
		case CURLE_OUT_OF_MEMORY:
			return HTTP_OUT_OF_MEMORY;
		case CURLE_UNSUPPORTED_PROTOCOL:
			/* the answer is not HTTP/1, or the URL has an unknown protocol */
			return sent > 0 ? HTTP_BROKEN : HTTP_BAD_REQUEST;
		case CURLE_URL_MALFORMAT:
		case CURLE_SSL_CACERT_BADFILE:
			return HTTP_BAD_REQUEST;
		default:
			return HTTP_BROKEN;
	}
}

static void
fill_response(HttpExchange *exchange, CURLcode code)
{
	HttpResponse *response = &exchange->response;
	long		status = 0;

	if (code == CURLE_OK && !reserve_body(exchange, 0))
		code = CURLE_WRITE_ERROR;
	if (code == CURLE_OK)
	{
		curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
		response->status = (int) status;
		response->body = exchange->body;
		response->body_bytes = exchange->body_bytes;
		response->body[response->body_bytes] = '\0';
		return;
	}

	response->failure = classify_failure(exchange, code);
	if (response->failure == HTTP_TOO_LARGE)
		response->failure_text = "the answer is longer than allowed";
	else if (response->failure == HTTP_OUT_OF_MEMORY)
		response->failure_text = "out of memory";
	else if (exchange->error_text[0] != '\0')
		response->failure_text = exchange->error_text;
	else
		response->failure_text = curl_easy_strerror(code);
}

/* The transfer is over: fill the response, and have done called. */
static void
end_exchange(HttpExchange *exchange, CURLcode code)
{
	fill_response(exchange, code);
	release_easy(exchange);
	exchange->state = EXCHANGE_ENDED;
	dlist_push_tail(&ended, &exchange->node);
}

/* Resume the paused exchanges whose bodies fit now. */
static void
resume_paused(void)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &paused)
	{
		HttpExchange *exchange = dlist_container(HttpExchange, paused_node,
												 iter.cur);
		CURLcode	code;

		if (!http_charge_fits(exchange->charge, exchange->wanted_bytes))
			continue;
		leave_paused(exchange);
		code = curl_easy_pause(exchange->easy, CURLPAUSE_CONT);
		if (code != CURLE_OK)
			end_exchange(exchange, code);
	}
}

/* End the exchanges whose transfers are over. */
static void
collect_ended(void)
{
	CURL	   *easy;
	CURLcode	code;

	while ((easy = http_multi_next_ended(&code)) != NULL)
	{
		HttpExchange *exchange;

		curl_easy_getinfo(easy, CURLINFO_PRIVATE, &exchange);
		end_exchange(exchange, code);
	}
}

/*
 * Call done for the exchanges that have ended; returns how many.  done may
 * close any exchange, start others, or raise an error; those that are left in
 * the list then are delivered by the next call.
 */
static int
deliver_ended(void)
{
	int			n = 0;

	while (!dlist_is_empty(&ended))
	{
		HttpExchange *exchange = dlist_container(HttpExchange, node,
												 dlist_pop_head_node(&ended));

		exchange->state = EXCHANGE_DONE;
		n++;
		exchange->done(exchange, exchange->arg);
	}
	return n;
}

/* Call progress for the exchanges in fresh; none of them has ended. */
static void
deliver_progress(void)
{
	while (!dlist_is_empty(&fresh))
	{
		HttpExchange *exchange = dlist_head_element(HttpExchange, fresh_node,
													&fresh);

		leave_fresh(exchange);
		exchange->progress(exchange, exchange->arg);
	}
}

int
http_drive(long timeout_ms)
{
	int64		deadline = timeout_ms < 0 ? -1 : clock_now_ms() + timeout_ms;
	bool		latch_set = false;

	http_multi_open();
	for (;;)
	{
		int			n;

		clock_serve_interrupts();
		resume_paused();
		http_multi_perform();
		collect_ended();
		deliver_progress();
		n = deliver_ended();
		if (n > 0 || latch_set || timeout_ms == 0)
			return n;
		if (deadline < 0 ? http_multi_running() == 0 :
			clock_now_ms() >= deadline)
			return 0;
		latch_set = http_multi_wait(deadline);
	}
}

/* ----------------------------------------------------------------
 * Responses
 * ---------------------------------------------------------------- */

bool
http_is_coming(const HttpExchange *exchange)
{
	return exchange->header_bytes > 0;
}

const HttpResponse *
http_response(const HttpExchange *exchange)
{
	return &exchange->response;
}

const char *
http_response_header(const HttpExchange *exchange, const char *name)
{
	size_t		name_bytes = strlen(name);
	const char *line = exchange->header_lines;

	while (*line != '\0')
	{
		const char *end = line + strcspn(line, "\r\n");

		if (pg_strncasecmp(line, name, name_bytes) == 0 &&
			line[name_bytes] == ':')
		{
			const char *value = line + name_bytes + 1;
			char	   *copy;

			value += strspn(value, " \t");
			copy = MemoryContextAllocZero(exchange->cxt, end - value + 1);
			return memcpy(copy, value, end - value);
		}
		line = end + strspn(end, "\r\n");
	}
	return NULL;
}

char *
http_body_so_far(const HttpExchange *exchange, size_t *bytes, size_t *room)
{
	*bytes = exchange->body_bytes;
	*room = exchange->body_allocated;
	return exchange->body;
}

char *
http_steal_body(HttpExchange *exchange)
{
	char	   *body = exchange->body;

	exchange->body = NULL;
	exchange->response.body = NULL;
	return body;
}
