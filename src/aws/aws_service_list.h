/*
 * aws_service_list.h
 *	  The services of AWS, a line each; there is no include guard, as what a
 *	  line becomes is for whoever includes this.
 *
 * AWS_SERVICE(id, signing name, label of its own host, option of a server that
 * sets another endpoint, protocol)
 */
AWS_SERVICE(AWS_KINESIS, "kinesis", "kinesis", "kinesis_endpoint", AWS_PROTOCOL_JSON)
AWS_SERVICE(AWS_S3, "s3", "s3", "s3_endpoint", AWS_PROTOCOL_REST_XML)
