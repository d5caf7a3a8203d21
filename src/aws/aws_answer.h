/*
 * aws_answer.h
 *	  What came of one attempt; for aws_call.c alone.
 */
#ifndef TRACKING_AWS_AWS_ANSWER_H
#define TRACKING_AWS_AWS_ANSWER_H

#include "postgres.h"

#include "aws/aws_error.h"
#include "http/http.h"

/*
 * Fill *error, of class NONE for a success: which a status of 2xx is, unless
 * the body, if that is to be doubted, says otherwise.  secrets are for
 * clean_text().
 */
extern void aws_answer_judge(const HttpExchange *http, bool doubt_success,
							 const char *const *secrets, AwsError *error);

/* The service's clock, in seconds since 1970; false if the answer has none. */
extern bool aws_answer_date(const HttpExchange *http, int64 *seconds);

/* How long it asks to wait; 0 if it does not. */
extern long aws_answer_retry_after_ms(const HttpExchange *http);

#endif							/* TRACKING_AWS_AWS_ANSWER_H */
