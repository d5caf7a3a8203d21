/*
 * http_easy.h
 *	  Setting libcurl's options for a request; for src/http only.
 */
#ifndef TRACKING_HTTP_HTTP_EASY_H
#define TRACKING_HTTP_HTTP_EASY_H

#include "postgres.h"

#include <curl/curl.h>

#include "http/http.h"

/*
 * Set all options that do not depend on who waits for the answer.  *headers is
 * set to the list of headers: the caller must keep it as long as the transfer,
 * and free it, also if an error is raised.
 */
extern void http_easy_set(CURL *easy, const HttpRequest *request,
						  struct curl_slist **headers);

/* Raise an error if libcurl refused an option. */
extern void http_check_setopt(CURLcode code, const char *option);

/* A macro, as libcurl checks the type of the value for each option. */
#define HTTP_SETOPT(easy, option, value) \
	http_check_setopt(curl_easy_setopt((easy), (option), (value)), #option)

#endif							/* TRACKING_HTTP_HTTP_EASY_H */
