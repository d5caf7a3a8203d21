/*
 * aws_service.c
 *	  The table of AWS's services, made from aws_service_list.h.
 */
#include "postgres.h"

#include "aws/aws_service.h"

const AwsServiceKind aws_services[AWS_N_SERVICES] = {
#define AWS_SERVICE(id, signing_name, host_label, endpoint_option, protocol) \
	[id] = {signing_name, host_label, endpoint_option, protocol},
#include "aws/aws_service_list.h"
#undef AWS_SERVICE
};
