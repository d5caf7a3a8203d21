/*
 * http.h
 *	  HTTP exchanges: many at once, each interruptible.
 *
 * One multi handle a process, made at first use, keeps connections, names and
 * TLS sessions.  It is driven only inside http_drive(), which waits on the
 * process latch and the sockets together, so that a cancel or a shutdown ends
 * the wait at once.  This room has never heard of AWS and retries nothing.
 */
#ifndef TRACKING_HTTP_HTTP_H
#define TRACKING_HTTP_HTTP_H

#include "postgres.h"

typedef struct HttpExchange HttpExchange;

/* Called from http_drive(), outside any library callback; may throw. */
typedef void (*HttpDone) (HttpExchange *exchange, void *arg);

/*
 * Called from http_drive(), outside any library callback, when more of a body
 * came and it may not be all; may throw, but closes no exchange.
 */
typedef void (*HttpProgress) (HttpExchange *exchange, void *arg);

/*
 * Memory for the bodies of answers.  One that does not fit waits on its
 * connection until others are freed; the only one may be of any size.  The
 * owner sets max_bytes and keeps it for as long as there are such bodies.
 */
typedef struct HttpBudget
{
	size_t		max_bytes;
	size_t		used_bytes;		/* by bodies that came or are coming */
	int			n_paused;		/* exchanges whose answer waits for room */
} HttpBudget;

typedef struct HttpRequest
{
	const char *method;
	const char *url;
	const char *const *headers; /* "Name: value"; copied */
	int			n_headers;
	const char *body;			/* not copied: must live as long as the
								 * exchange; NULL for none */
	size_t		body_bytes;
	size_t		max_response_bytes; /* a longer body fails the exchange */
	long		connect_timeout_ms;
	long		request_timeout_ms; /* whole exchange */
	const char *ca_bundle;		/* PEM file, or NULL for the system's */
	HttpBudget *budget;			/* for the answer's body, or NULL */
	HttpProgress progress;		/* or NULL */
} HttpRequest;

typedef enum HttpFailure
{
	HTTP_OK = 0,				/* an answer came, whatever its status */
	HTTP_CANNOT_CONNECT,		/* name, connection or TLS; nothing was sent */
	HTTP_TLS_UNTRUSTED,			/* the certificate did not verify */
	HTTP_BROKEN,				/* the connection ended early */
	HTTP_TIMED_OUT,
	HTTP_TOO_LARGE,
	HTTP_OUT_OF_MEMORY,
	HTTP_BAD_REQUEST			/* libcurl refused it: bad URL, bad file */
} HttpFailure;

typedef struct HttpResponse
{
	HttpFailure failure;
	const char *failure_text;	/* libcurl's words, when failure */
	int			status;			/* 0 when failure */
	char	   *body;			/* a buffer, NUL-terminated, never NULL when
								 * HTTP_OK */
	size_t		body_bytes;
} HttpResponse;

/*
 * Queue an exchange.  It, its response and the response's body live in cxt
 * and end with it: when cxt is reset the transfer is cut off.  done is called
 * once, with arg, when the exchange is over.  Nothing is sent before the next
 * http_drive().
 */
extern HttpExchange *http_start(MemoryContext cxt, const HttpRequest *request,
								HttpDone done, void *arg);

/*
 * Drive all exchanges of this process and call done for those that end.
 * Returns after at least one ended, after timeout_ms (0: only what is ready;
 * -1: no limit, but at once when nothing is under way), or when the latch was
 * set.  Returns how many ended.  Serves interrupts before it waits and after.
 */
extern int	http_drive(long timeout_ms);

/* The answer has begun to come. */
extern bool http_is_coming(const HttpExchange *exchange);

/* The response, once done was called. */
extern const HttpResponse *http_response(const HttpExchange *exchange);

/*
 * The body as far as it came.  It may be somewhere else the next time, unless
 * *room bytes are enough for all of it.
 */
extern char *http_body_so_far(const HttpExchange *exchange, size_t *bytes,
							  size_t *room);

/* A response header by name, ignoring case; NULL if there is none. */
extern const char *http_response_header(const HttpExchange *exchange,
										const char *name);

/*
 * Take the body out of the exchange: it stays allocated, in the context that
 * http_start() was given, when the exchange is closed.
 */
extern char *http_steal_body(HttpExchange *exchange);

/* Cut off or end the exchange and free it.  done is not called any more. */
extern void http_close(HttpExchange *exchange);

#endif							/* TRACKING_HTTP_HTTP_H */
