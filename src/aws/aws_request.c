/*
 * aws_request.c
 *	  From what is asked to the signed HTTP request of one attempt.
 *
 * It sends nothing, and does not know which attempt it is.
 */
#include "postgres.h"

#include "aws/aws_request.h"

/* Host, Content-Type, X-Amz-Target, besides those of the request */
#define OWN_HEADERS 3

/* Those that the signature brings along, and itself */
#define SIGNATURE_HEADERS 4

static const char *
copy_text(const char *text)
{
	return text ? pstrdup(text) : NULL;
}

void
aws_service_init(AwsService *service, const AwsConfig *config,
				 AwsServiceId id)
{
	AwsConfig  *copy = &service->config;

	service->kind = &aws_services[id];
	aws_endpoint_init(&service->endpoint, config, id);

	/* a custom endpoint mostly does not care for the region it is told */
	*copy = *config;
	copy->region = pstrdup(config->region ? config->region : "us-east-1");
	copy->endpoint = NULL;
	memset(copy->endpoints, 0, sizeof(copy->endpoints));
	copy->ca_bundle = copy_text(config->ca_bundle);
	copy->credentials = config->credentials->ops->keep(config->credentials,
													   CurrentMemoryContext);
}

void
aws_request_copy(AwsRequest *copy, const AwsRequest *request)
{
	Sigv4Header *headers = palloc((request->n_headers + 1) *
								  sizeof(Sigv4Header));

	*copy = *request;
	copy->path = copy_text(request->path);
	copy->query = copy_text(request->query);
	for (int i = 0; i < request->n_headers; i++)
	{
		headers[i].name = pstrdup(request->headers[i].name);
		headers[i].value = pstrdup(request->headers[i].value);
	}
	copy->headers = headers;
	if (request->body != NULL && !request->body_stays)
	{
		char	   *body = palloc(request->body_bytes + 1);

		memcpy(body, request->body, request->body_bytes);
		copy->body = body;
	}
}

static Sigv4Header *
headers_to_sign(const AwsRequest *request, const AwsService *service, int *n)
{
	Sigv4Header *headers = palloc((request->n_headers + OWN_HEADERS) *
								  sizeof(Sigv4Header));

	*n = 0;
	headers[(*n)++] = SIGV4_HEADER("Host", service->endpoint.host);
	if (request->target != NULL)
	{
		headers[(*n)++] = SIGV4_HEADER("Content-Type", "application/x-amz-json-1.1");
		headers[(*n)++] = SIGV4_HEADER("X-Amz-Target", request->target);
	}
	for (int i = 0; i < request->n_headers; i++)
		headers[(*n)++] = request->headers[i];
	return headers;
}

/* The headers that were signed, and those that the signature is in. */
static const char **
headers_to_send(const Sigv4 *sign, const AwsCredentials *cred, int *n)
{
	const char **headers = palloc((sign->n_headers + SIGNATURE_HEADERS) *
								  sizeof(char *));

	*n = 0;
	for (int i = 0; i < sign->n_headers; i++)
		headers[(*n)++] = psprintf("%s: %s", sign->headers[i].name,
								   sign->headers[i].value);
	headers[(*n)++] = psprintf("X-Amz-Date: %s", sign->amz_date);
	if (cred->session_token != NULL)
		headers[(*n)++] = psprintf("X-Amz-Security-Token: %s",
								   cred->session_token);
	if (sign->s3_rules)
		headers[(*n)++] = psprintf("X-Amz-Content-Sha256: %s",
								   sign->body_sha256);
	headers[(*n)++] = psprintf("Authorization: %s", sign->authorization);
	return headers;
}

const char *
aws_request_sign(HttpRequest *http, const AwsRequest *request,
				 AwsService *service, const AwsCredentials *cred, time_t now)
{
	const AwsConfig *config = &service->config;
	const char *path = request->path ? request->path : "";
	const char *query = request->query ? request->query : "";
	Sigv4		sign = {
		.method = request->method ? request->method : "POST",
		.path = psprintf("%s%s", service->endpoint.path, path),
		.query = query,
		.body = request->body,
		.body_bytes = request->body_bytes,
		.region = config->region,
		.service = service->kind->signing_name,
		.s3_rules = service->kind->protocol == AWS_PROTOCOL_REST_XML,
		.now = now,
		.key = &service->key
	};

	sign.headers = headers_to_sign(request, service, &sign.n_headers);
	sigv4_sign(&sign, cred);

	memset(http, 0, sizeof(HttpRequest));
	http->method = sign.method;
	http->url = psprintf("%s%s%s%s", service->endpoint.url, path,
						 *query != '\0' ? "?" : "", query);
	http->headers = headers_to_send(&sign, cred, &http->n_headers);
	http->body = request->body;
	http->body_bytes = request->body_bytes;
	http->max_response_bytes = request->max_response_bytes;
	http->connect_timeout_ms = config->connect_timeout_ms;
	http->request_timeout_ms = request->timeout_ms > 0 ?
		Min(request->timeout_ms, config->request_timeout_ms) :
		config->request_timeout_ms;
	http->ca_bundle = config->ca_bundle;
	http->budget = request->budget;
	return pstrdup(sign.signature);
}
