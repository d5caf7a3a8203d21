/*
 * aws_endpoint.h
 *	  Where a service is: its URL, and the parts of it that are signed.
 */
#ifndef TRACKING_AWS_AWS_ENDPOINT_H
#define TRACKING_AWS_AWS_ENDPOINT_H

#include "postgres.h"

#include "aws/aws_call.h"

typedef struct AwsEndpoint
{
	char	   *url;
	char	   *host;			/* value of the Host header */
	char	   *path;			/* starts with / */
	bool		custom;			/* configured, not AWS's own */
} AwsEndpoint;

/*
 * Can it be an endpoint?  http:// or https://, a host, maybe a port and a path;
 * no user, query or fragment: they would be sent but not signed.
 */
extern bool aws_endpoint_is_url(const char *url);

/*
 * The endpoint of a service, palloc'd in the current context: the one
 * configured for it, else the one configured for all, else AWS's own in the
 * region.  Raises an error if none can be told.
 */
extern void aws_endpoint_init(AwsEndpoint *endpoint, const AwsConfig *config,
							  AwsServiceId service);

#endif							/* TRACKING_AWS_AWS_ENDPOINT_H */
