/*
 * aws_request.h
 *	  From what is asked to the signed HTTP request of one attempt; for
 *	  aws_call.c alone.
 */
#ifndef TRACKING_AWS_AWS_REQUEST_H
#define TRACKING_AWS_AWS_REQUEST_H

#include "postgres.h"

#include "aws/aws_call.h"
#include "aws/aws_endpoint.h"
#include "http/http.h"

/* A service as one client of it knows it */
typedef struct AwsService
{
	const AwsServiceKind *kind;
	AwsConfig	config;
	AwsEndpoint endpoint;
	Sigv4Key	key;			/* of the last signature */
} AwsService;

/* Of a service, with a copy of config, in the current context. */
extern void aws_service_init(AwsService *service, const AwsConfig *config,
							 AwsServiceId id);

/* A copy in the current context, as far as AwsRequest says that it is copied. */
extern void aws_request_copy(AwsRequest *copy, const AwsRequest *request);

/*
 * Fill *http, signed by these credentials at the time now, in the current
 * context.  The body is the request's own.  Returns the signature.
 */
extern const char *aws_request_sign(HttpRequest *http,
									const AwsRequest *request,
									AwsService *service,
									const AwsCredentials *cred, time_t now);

#endif							/* TRACKING_AWS_AWS_REQUEST_H */
