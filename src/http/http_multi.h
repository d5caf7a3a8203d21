/*
 * http_multi.h
 *	  The process's multi handle of libcurl; for http_curl.c alone.
 */
#ifndef TRACKING_HTTP_HTTP_MULTI_H
#define TRACKING_HTTP_HTTP_MULTI_H

#include "postgres.h"

#include <curl/curl.h>

/* Make it, unless it is there. */
extern void http_multi_open(void);

/* Begin a transfer; end it, or cut it if it is under way. */
extern void http_multi_add(CURL *easy);
extern void http_multi_remove(CURL *easy);

/* Transfers added and not removed. */
extern int	http_multi_running(void);

/* Let libcurl do all it can do now.  Nothing is waited for. */
extern void http_multi_perform(void);

/* A transfer that is over, to be removed, and how it ended; NULL if none. */
extern CURL *http_multi_next_ended(CURLcode *code);

/*
 * Wait for something to perform, the deadline (of clock_now_ms(); -1: none)
 * or the latch.  True if it was the latch; then interrupts were served.
 */
extern bool http_multi_wait(int64 deadline);

#endif							/* TRACKING_HTTP_HTTP_MULTI_H */
