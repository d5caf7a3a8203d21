/*
 * aws_service.h
 *	  The services of AWS as data: what a request to one needs, whatever it asks.
 */
#ifndef TRACKING_AWS_AWS_SERVICE_H
#define TRACKING_AWS_AWS_SERVICE_H

#include "postgres.h"

typedef enum AwsServiceId
{
#define AWS_SERVICE(id, signing_name, host_label, endpoint_option, protocol) id,
#include "aws/aws_service_list.h"
#undef AWS_SERVICE
	AWS_N_SERVICES
} AwsServiceId;

typedef enum AwsProtocol
{
	AWS_PROTOCOL_JSON,			/* JSON 1.1: the operation is a header, the
								 * body a document */
	AWS_PROTOCOL_REST_XML		/* the operation is method, path and query;
								 * the signature is S3's form of it */
} AwsProtocol;

typedef struct AwsServiceKind
{
	const char *signing_name;
	const char *host_label;		/* LABEL.REGION.SUFFIX is AWS's own host */
	const char *endpoint_option;	/* of a server */
	AwsProtocol protocol;
} AwsServiceKind;

/* By AwsServiceId */
extern const AwsServiceKind aws_services[AWS_N_SERVICES];

#endif							/* TRACKING_AWS_AWS_SERVICE_H */
