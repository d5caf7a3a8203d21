/*
 * s3_client.c
 *	  S3: addresses, one call, and PutObject.
 */
#include "postgres.h"

#include "aws/aws_endpoint.h"
#include "base/base64.h"
#include "base/compat.h"
#include "common/string.h"
#include "mb/pg_wchar.h"
#include "service/s3_wire.h"
#include "utils/builtins.h"

#define SCHEME "s3://"

/* Bucket names (S3 user guide, general purpose buckets) */
#define BUCKET_MIN 3
#define BUCKET_MAX 63
#define ALPHANUMERIC "abcdefghijklmnopqrstuvwxyz0123456789"

/* Limit of an answer; the largest names each of S3_DELETE_KEYS keys */
#define ANSWER_BYTES (8 * 1024 * 1024)

/* An MD5 in hex, in quotes */
#define ETAG_MD5_BYTES (2 * MD5_BYTES + 2)

/* ----------------------------------------------------------------
 * Addresses
 * ---------------------------------------------------------------- */

/*
 * The error does not repeat the URL, as some people put credentials into it.
 */
pg_noreturn static void
invalid_location(const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
			 errmsg("invalid S3 location"),
			 errdetail_internal("%s", why),
			 errhint("A location looks like \"s3://bucket/prefix\".")));
}

/*
 * The name becomes part of a host's name, so that it must not change the host.
 */
bool
s3_is_bucket(const char *name, size_t bytes)
{
	if (bytes < BUCKET_MIN || bytes > BUCKET_MAX ||
		strchr(".-", name[0]) != NULL || strchr(".-", name[bytes - 1]) != NULL)
		return false;
	for (size_t i = 0; i < bytes; i++)
	{
		if (strchr(ALPHANUMERIC ".-", name[i]) == NULL ||
			(name[i] == '.' && name[i - 1] == '.'))
			return false;
	}
	return true;
}

static void
check_bucket(const char *bucket)
{
	if (!s3_is_bucket(bucket, strlen(bucket)))
		invalid_location("A bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens, and begins and ends with a letter or digit.");
}

static void
check_prefix(const char *prefix)
{
	if (strlen(prefix) > S3_PREFIX_BYTES)
		invalid_location(psprintf("The prefix has more than %d bytes.",
								  S3_PREFIX_BYTES));
	for (const char *c = prefix; *c != '\0'; c++)
	{
		if ((unsigned char) *c < ' ' || *c == 0x7f)
			invalid_location("The prefix has a control character.");
	}
}

void
s3_parse_url(const char *url, S3Location *location)
{
	const char *bucket = url + strlen(SCHEME);
	const char *slash;
	const char *prefix;

	if (strncmp(url, SCHEME, strlen(SCHEME)) != 0)
		invalid_location("It does not begin with \"s3://\".");
	slash = strchr(bucket, '/');
	location->bucket = slash ? pnstrdup(bucket, slash - bucket) :
		pstrdup(bucket);
	check_bucket(location->bucket);

	prefix = slash ? slash + 1 : "";
	check_prefix(prefix);
	location->prefix = *prefix == '\0' || prefix[strlen(prefix) - 1] == '/' ?
		pstrdup(prefix) : psprintf("%s/", prefix);
}

char *
s3_url(const char *bucket, const char *key)
{
	return psprintf(SCHEME "%s/%s", bucket, key);
}

char *
s3_bucket_url(const AwsConfig *config, const char *bucket)
{
	AwsEndpoint endpoint;
	size_t		bytes;

	aws_endpoint_init(&endpoint, config, AWS_S3);
	if (!endpoint.custom && strchr(bucket, '.') == NULL)
		return psprintf("https://%s.%s/", bucket, endpoint.host);
	bytes = strlen(endpoint.url);
	return psprintf("%s%s%s/", endpoint.url,
					endpoint.url[bytes - 1] == '/' ? "" : "/", bucket);
}

S3Client *
s3_client_open(MemoryContext cxt, const AwsConfig *config, const char *bucket)
{
	S3Client   *client = MemoryContextAllocZero(cxt, sizeof(S3Client));
	AwsConfig	at_bucket = *config;

	at_bucket.endpoints[AWS_S3] = s3_bucket_url(config, bucket);
	client->bucket = MemoryContextStrdup(cxt, bucket);
	client->aws = aws_client_open(cxt, &at_bucket, AWS_S3);
	return client;
}

/* ----------------------------------------------------------------
 * One call
 * ---------------------------------------------------------------- */

const char *
s3_key_utf8(const char *key)
{
	/* ASCII needs no conversion, which is impossible outside a transaction */
	if (pg_is_ascii(key))
		return key;
	return pg_server_to_any(key, strlen(key), PG_UTF8);
}

static char *
encoded_path(const char *key)
{
	const char *utf8 = s3_key_utf8(key);
	StringInfoData path;

	if (*utf8 == '\0' || strlen(utf8) > S3_KEY_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_STRING_DATA_LENGTH_MISMATCH),
				 errmsg("a key of S3 has 1 to %d bytes", S3_KEY_BYTES),
				 errdetail("This one has %zu.", strlen(utf8))));
	initStringInfo(&path);
	sigv4_append_encoded(&path, utf8, strlen(utf8), "/");
	return path.data;
}

static char *
base64_md5(const uint8_t *md5)
{
	char	   *text = palloc0(BASE64_ENCODED_LEN(MD5_BYTES) + 1);

	base64_encode((const char *) md5, MD5_BYTES, text);
	return text;
}

static AwsCall *
start_call(S3Client *client, const S3Request *request)
{
	Sigv4Header headers[2];
	AwsRequest	aws = {
		.method = request->method,
		.path = request->key ? encoded_path(request->key) : NULL,
		.query = request->query,
		.headers = headers,
		.body = request->body,
		.body_bytes = request->body_bytes,
		.body_stays = true,
		.max_response_bytes = ANSWER_BYTES,
		.timeout_ms = request->timeout_ms,
		.once = request->once,
		.keep_headers = true,
		.doubt_success = request->doubt_success
	};

	/* without a type libcurl would declare the body to be a form */
	if (request->body != NULL)
		headers[aws.n_headers++] = SIGV4_HEADER("Content-Type",
												request->content_type ?
												request->content_type :
												"application/octet-stream");
	if (request->md5 != NULL)
		headers[aws.n_headers++] = SIGV4_HEADER("Content-MD5",
												base64_md5(request->md5));
	return aws_call_start(client->aws, &aws);
}

AwsCall *
s3_call(S3Client *client, const S3Request *request)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext,
												  "S3 request",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(scratch);
	AwsCall    *call = start_call(client, request);

	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
	PG_TRY();
	{
		aws_call_wait(call);
	}
	PG_CATCH();
	{
		aws_call_close(call);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return call;
}

/* ----------------------------------------------------------------
 * Stored objects
 * ---------------------------------------------------------------- */

/*
 * Is the ETag the MD5 of the object?  It is if it looks like one, unless S3
 * encrypts the object by a key other than its own.
 */
static bool
etag_is_md5(const AwsCall *call, const char *etag)
{
	const char *encryption =
		aws_call_header(call, "x-amz-server-side-encryption");

	return strlen(etag) == ETAG_MD5_BYTES &&
		strspn(etag + 1, "0123456789abcdef") == 2 * MD5_BYTES &&
		(encryption == NULL || strcmp(encryption, "AES256") == 0) &&
		aws_call_header(call, "x-amz-server-side-encryption-customer-algorithm") == NULL;
}

char *
s3_stored_etag(const AwsCall *call, const uint8_t *md5, AwsError *error)
{
	const char *etag = aws_call_header(call, "ETag");
	char		quoted[ETAG_MD5_BYTES + 1] = "\"";

	if (etag == NULL || *etag == '\0')
	{
		aws_error_from_nonsense(error, "The answer has no ETag.");
		return NULL;
	}

	hex_encode((const char *) md5, MD5_BYTES, quoted + 1);
	quoted[ETAG_MD5_BYTES - 1] = '"';
	if (etag_is_md5(call, etag) && strcmp(etag, quoted) != 0)
	{
		aws_error_from_nonsense(error,
								"The ETag is not the MD5 of what was sent.");
		return NULL;
	}
	return pstrdup(etag);
}

void
s3_put_object(S3Client *client, const char *key, const char *content_type,
			  const char *data, size_t bytes)
{
	char	   *what = psprintf("upload \"%s\"", s3_url(client->bucket, key));
	uint8_t		md5[MD5_BYTES];
	S3Request	request = {
		.method = "PUT",
		.key = key,
		.content_type = content_type,
		.body = data,
		.body_bytes = bytes,
		.md5 = md5
	};
	AwsError	error;
	AwsCall    *call;
	char	   *etag = NULL;

	md5_digest(data, bytes, md5);
	call = s3_call(client, &request);
	if (aws_call_error(call) != NULL)
		aws_error_copy(&error, aws_call_error(call));
	else
		etag = s3_stored_etag(call, md5, &error);
	aws_call_close(call);

	if (etag == NULL)
		aws_error_raise(&error, what);
	pfree(etag);
	pfree(what);
}
