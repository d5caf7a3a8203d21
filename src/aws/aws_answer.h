/*
 * aws_answer.h
 *	  Reading the answer to one attempt at a call; for aws_call.c only.
 */
#ifndef TRACKING_AWS_AWS_ANSWER_H
#define TRACKING_AWS_AWS_ANSWER_H

#include "postgres.h"

#include "aws/aws_error.h"
#include "http/http.h"

/*
 * Fill *error: with class AWS_ERROR_NONE if the attempt has succeeded, that
 * is, if the status is 2xx; with doubt_success, also the body must be no error
 * document.  secrets are for clean_text().
 */
extern void aws_answer_judge(const HttpExchange *http, bool doubt_success,
							 const char *const *secrets, AwsError *error);

/* The answer's Date, in seconds since 1970; false if it has none. */
extern bool aws_answer_date(const HttpExchange *http, int64 *seconds);

/* How long the service asks us to wait; 0 if it does not ask. */
extern long aws_answer_retry_after_ms(const HttpExchange *http);

#endif							/* TRACKING_AWS_AWS_ANSWER_H */
