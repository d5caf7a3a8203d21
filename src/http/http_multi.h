/*
 * http_multi.h
 *	  The process's multi handle of libcurl; for http_curl.c alone.
 */
#ifndef TRACKING_HTTP_HTTP_MULTI_H
#define TRACKING_HTTP_HTTP_MULTI_H

#include "postgres.h"

#include <curl/curl.h>

/* Make the handle, unless it exists. */
extern void http_multi_open(void);

/* Begin a transfer. */
extern void http_multi_add(CURL *easy);

/* Remove a transfer, which is cut off if it is under way. */
extern void http_multi_remove(CURL *easy);

/* The number of transfers that were added and not removed. */
extern int	http_multi_running(void);

/* Let libcurl do what it can do without waiting. */
extern void http_multi_perform(void);

/*
 * A transfer that has ended, which the caller must remove, and how it ended;
 * NULL if there is none.
 */
extern CURL *http_multi_next_ended(CURLcode *code);

/*
 * Wait until http_multi_perform() has something to do, the deadline (by
 * clock_now_ms(); -1: none) passes, or the latch is set.  True if the latch
 * was set; then interrupts were served.
 */
extern bool http_multi_wait(int64 deadline);

#endif							/* TRACKING_HTTP_HTTP_MULTI_H */
