/*
 * aws_error.c
 *	  What an AWS service's refusal means, in one table.
 *
 * It does not retry: the class says what would help, and the room above does
 * it.
 */
#include "postgres.h"

#include <ctype.h>

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "aws/aws_document.h"
#include "aws/aws_error.h"
#include "base/clean_text.h"

/* The remote's words are for reading: an answer can be as long as it likes */
#define MESSAGE_BYTES 1024
#define CODE_BYTES 128
#define REQUEST_ID_BYTES 128
#define REGION_BYTES 64
#define REGION_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789-"

#define HINT_ENDPOINT \
	"Check the \"endpoint\" and \"region\" options of the foreign server."
#define HINT_CA_BUNDLE \
	"Check the \"endpoint\" and \"ca_bundle\" options of the foreign server."
#define HINT_TIMEOUT \
	"Check the \"request_timeout\" option of the foreign server."
#define HINT_STREAM \
	"Check the stream's name, and the \"endpoint\" and \"region\" options " \
	"of the foreign server."
#define HINT_PERMISSION \
	"Check the user mapping, and the IAM policies of its credentials."
#define HINT_KEY \
	"Check the \"access_key_id\" and \"session_token\" options of the user " \
	"mapping."
#define HINT_SECRET \
	"Check the \"secret_access_key\" option of the user mapping, and the " \
	"clock of this machine."
#define HINT_TOKEN \
	"Set a fresh \"access_key_id\", \"secret_access_key\" and " \
	"\"session_token\" in the user mapping."
#define HINT_THROTTLE \
	"Others read or write the same shards: try again later, or add shards " \
	"to the stream."
#define HINT_SLOW_DOWN \
	"The service asks for fewer requests: try again later."
#define HINT_BUCKET \
	"Check the bucket's name, and the \"endpoint\" and \"region\" options " \
	"of the foreign server."
#define HINT_REGION \
	"Check the \"region\" option of the foreign server: the bucket is in " \
	"another one."
#define HINT_BUSY \
	"Wait until the stream is ACTIVE, then try again."
#define HINT_KMS \
	"Check the state and the policy of the KMS key that encrypts the stream."

#define RULE_CODES 14

typedef struct ErrorRule
{
	AwsErrorClass class;
	int			sqlstate;
	const char *hint;
	const char *codes[RULE_CODES];	/* ended by NULL, unless full */
} ErrorRule;

/*
 * Sources: the Kinesis and S3 API's references, the common errors of AWS's
 * query and JSON services, and the lists of throttling codes in AWS's own
 * SDKs.
 */
static const ErrorRule rules[] = {
	{AWS_ERROR_THROTTLE, ERRCODE_CONFIGURATION_LIMIT_EXCEEDED, HINT_THROTTLE,
		{
			"ProvisionedThroughputExceededException",
			"LimitExceededException", "KMSThrottlingException",
			"Throttling", "ThrottlingException", "ThrottledException",
			"RequestThrottled", "RequestThrottledException",
			"TooManyRequestsException", "RequestLimitExceeded",
			"BandwidthLimitExceeded", "PriorRequestNotComplete"
	}},
	{AWS_ERROR_THROTTLE, ERRCODE_CONFIGURATION_LIMIT_EXCEEDED, HINT_SLOW_DOWN,
		{
			"SlowDown"
	}},
	/* InternalFailure is what a result of PutRecords says */
	{AWS_ERROR_RETRY, ERRCODE_FDW_ERROR, NULL,
		{
			"InternalFailure", "InternalFailureException",
			"InternalServerError", "ServiceUnavailable",
			"ServiceUnavailableException", "RequestTimeout",
			"RequestTimeoutException", "InternalError", "OperationAborted"
	}},
	/* what came is not what was sent */
	{AWS_ERROR_RETRY, ERRCODE_FDW_ERROR, NULL,
		{
			"BadDigest", "IncompleteBody", "XAmzContentSHA256Mismatch"
	}},
	{AWS_ERROR_EXPIRED_ITERATOR, ERRCODE_FDW_ERROR, NULL,
		{
			"ExpiredIteratorException"
	}},
	{AWS_ERROR_EXPIRED_TOKEN, ERRCODE_FDW_ERROR, NULL,
		{
			"ExpiredNextTokenException"
	}},
	{AWS_ERROR_NOT_FOUND, ERRCODE_FDW_TABLE_NOT_FOUND, HINT_STREAM,
		{
			"ResourceNotFoundException"
	}},
	{AWS_ERROR_NOT_FOUND, ERRCODE_UNDEFINED_OBJECT, HINT_BUCKET,
		{
			"NoSuchBucket"
	}},
	{AWS_ERROR_NOT_FOUND, ERRCODE_UNDEFINED_OBJECT, NULL,
		{
			"NoSuchKey", "NoSuchUpload"
	}},
	{AWS_ERROR_FATAL, ERRCODE_FDW_ERROR, HINT_REGION,
		{
			"PermanentRedirect", "TemporaryRedirect", "Redirect",
			"AuthorizationHeaderMalformed",
			"IllegalLocationConstraintException"
	}},
	{AWS_ERROR_BUSY, ERRCODE_OBJECT_IN_USE, HINT_BUSY,
		{
			"ResourceInUseException"
	}},
	/* a wrong secret and a wrong clock look the same from outside */
	{AWS_ERROR_CLOCK, ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION, HINT_SECRET,
		{
			"InvalidSignatureException", "SignatureDoesNotMatch",
			"AuthFailure", "RequestExpired", "RequestInTheFuture",
			"RequestTimeTooSkewed"
	}},
	{AWS_ERROR_DENIED, ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION, HINT_TOKEN,
		{
			"ExpiredToken", "ExpiredTokenException", "InvalidToken"
	}},
	{AWS_ERROR_DENIED, ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION, HINT_KEY,
		{
			"UnrecognizedClientException", "InvalidClientTokenId",
			"InvalidAccessKeyId", "IncompleteSignature",
			"IncompleteSignatureException", "MissingAuthenticationToken",
			"MissingAuthenticationTokenException"
	}},
	{AWS_ERROR_DENIED, ERRCODE_INSUFFICIENT_PRIVILEGE, HINT_PERMISSION,
		{
			"AccessDenied", "AccessDeniedException", "AllAccessDisabled",
			"AccountProblem", "OptInRequired"
	}},
	{AWS_ERROR_DENIED, ERRCODE_INSUFFICIENT_PRIVILEGE, HINT_KMS,
		{
			"KMSAccessDeniedException"
	}},
	{AWS_ERROR_FATAL, ERRCODE_FDW_ERROR, HINT_KMS,
		{
			"KMSDisabledException", "KMSInvalidStateException",
			"KMSNotFoundException", "KMSOptInRequired"
	}},
	{AWS_ERROR_FATAL, ERRCODE_FDW_ERROR, HINT_ENDPOINT,
		{
			"UnknownOperationException"
	}},
	{AWS_ERROR_FATAL, ERRCODE_FDW_ERROR, NULL,
		{
			"InvalidArgumentException", "ValidationException",
			"SerializationException"
	}},
};

/* What it means that no answer came, by HttpFailure. */
static const struct
{
	AwsErrorClass class;
	int			sqlstate;
	const char *code;
	const char *hint;
}			failures[] = {

	[HTTP_CANNOT_CONNECT] = {AWS_ERROR_RETRY,
		ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
	"cannot connect", HINT_ENDPOINT},
	[HTTP_TLS_UNTRUSTED] = {AWS_ERROR_FATAL,
		ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
	"certificate not trusted", HINT_CA_BUNDLE},
	[HTTP_BROKEN] = {AWS_ERROR_RETRY, ERRCODE_CONNECTION_FAILURE,
	"connection broken", NULL},
	[HTTP_TIMED_OUT] = {AWS_ERROR_RETRY, ERRCODE_CONNECTION_FAILURE,
	"timed out", HINT_TIMEOUT},
	[HTTP_TOO_LARGE] = {AWS_ERROR_TOO_LARGE, ERRCODE_PROGRAM_LIMIT_EXCEEDED,
	"answer too long", NULL},
	[HTTP_OUT_OF_MEMORY] = {AWS_ERROR_FATAL, ERRCODE_OUT_OF_MEMORY,
	"out of memory", NULL},
	[HTTP_BAD_REQUEST] = {AWS_ERROR_FATAL, ERRCODE_FDW_ERROR,
	"request not possible", HINT_CA_BUNDLE},
};

/* All that the far side wrote passes here. */
static const char *
clean(const char *text, size_t max_bytes, const char *const *secrets)
{
	return clean_text(text, strlen(text), max_bytes, PG_UTF8, secrets);
}

/* What the status alone tells, when no code is known. */
static void
classify_status(AwsError *error)
{
	error->sqlstate = ERRCODE_FDW_ERROR;
	error->class = AWS_ERROR_FATAL;
	error->hint = HINT_ENDPOINT;

	if (error->http_status >= 500 || error->http_status == 408)
		error->class = AWS_ERROR_RETRY;
	else if (error->http_status == 429)
	{
		error->class = AWS_ERROR_THROTTLE;
		error->sqlstate = ERRCODE_CONFIGURATION_LIMIT_EXCEEDED;
		error->hint = HINT_THROTTLE;
	}
	else if (error->http_status == 401 || error->http_status == 403)
	{
		error->class = AWS_ERROR_DENIED;
		error->sqlstate = ERRCODE_INSUFFICIENT_PRIVILEGE;
		error->hint = HINT_PERMISSION;
	}
}

static const ErrorRule *
find_rule(const char *code)
{
	for (size_t i = 0; i < lengthof(rules); i++)
		for (int j = 0; j < RULE_CODES && rules[i].codes[j] != NULL; j++)
			if (strcmp(rules[i].codes[j], code) == 0)
				return &rules[i];
	return NULL;
}

static void
classify_code(AwsError *error)
{
	const ErrorRule *rule = find_rule(error->code);

	if (rule != NULL)
	{
		error->class = rule->class;
		error->sqlstate = rule->sqlstate;
		error->hint = rule->hint;
		return;
	}

	/* it spoke as AWS does, so the endpoint is not to blame */
	classify_status(error);
	if (error->class == AWS_ERROR_FATAL || error->class == AWS_ERROR_RETRY)
		error->hint = NULL;
}

/*
 * A bucket that is elsewhere, and the service says where: a name, or else it
 * would put words into the hint that somebody may type.
 */
static void
name_region(AwsError *error, const char *region)
{
	bool		redirected = error->http_status == 301 ||
		error->http_status == 307;

	if (region == NULL || *region == '\0' || strlen(region) > REGION_BYTES ||
		strspn(region, REGION_CHARACTERS) != strlen(region))
		return;
	if (redirected ||
		(error->hint != NULL && strcmp(error->hint, HINT_REGION) == 0))
		error->hint = psprintf("The bucket is in region \"%s\": use a foreign server with the option \"region\" %s, and without an \"endpoint\" elsewhere.",
							   region, quote_literal_cstr(region));
}

void
aws_error_from_answer(AwsError *error, const AwsAnswer *answer)
{
	AwsDocument document;

	aws_document_read(answer->body, answer->body_bytes, &document);
	if (answer->error_type != NULL)
		document.code = aws_document_code(answer->error_type);
	if (answer->request_id != NULL)
		document.request_id = answer->request_id;
	if (answer->bucket_region != NULL)
		document.region = answer->bucket_region;

	memset(error, 0, sizeof(AwsError));
	error->http_status = answer->http_status;
	error->message = document.message ?
		clean(document.message, MESSAGE_BYTES, answer->secrets) : "";
	error->request_id = document.request_id ?
		clean(document.request_id, REQUEST_ID_BYTES, answer->secrets) : NULL;
	if (document.code != NULL && *document.code != '\0')
	{
		error->code = clean(document.code, CODE_BYTES, answer->secrets);
		classify_code(error);
	}
	else
	{
		error->code = psprintf("HTTP %d", answer->http_status);
		classify_status(error);
	}
	name_region(error, document.region);
}

void
aws_error_from_failure(AwsError *error, HttpFailure failure, const char *text,
					   const char *const *secrets)
{
	memset(error, 0, sizeof(AwsError));
	error->class = failures[failure].class;
	error->sqlstate = failures[failure].sqlstate;
	error->code = failures[failure].code;
	error->hint = failures[failure].hint;
	error->message = clean(text, MESSAGE_BYTES, secrets);
}

void
aws_error_from_nonsense(AwsError *error, const char *message)
{
	memset(error, 0, sizeof(AwsError));
	error->class = AWS_ERROR_RETRY;
	error->sqlstate = ERRCODE_FDW_ERROR;
	error->code = "bad answer";
	error->hint = HINT_ENDPOINT;
	error->message = pstrdup(message);
}

void
aws_error_copy(AwsError *copy, const AwsError *error)
{
	*copy = *error;
	copy->code = pstrdup(error->code);
	copy->message = pstrdup(error->message);
	if (error->request_id != NULL)
		copy->request_id = pstrdup(error->request_id);
	if (error->hint != NULL)
		copy->hint = pstrdup(error->hint);
}

void
aws_error_from_code(AwsError *error, const char *code, const char *message,
					const char *const *secrets)
{
	memset(error, 0, sizeof(AwsError));
	error->code = clean(aws_document_code(code), CODE_BYTES, secrets);
	error->message = message == NULL ? "" :
		clean(message, MESSAGE_BYTES, secrets);
	classify_code(error);
}

char *
aws_error_detail(const AwsError *error)
{
	StringInfoData detail;

	initStringInfo(&detail);
	appendStringInfoString(&detail, error->code);
	if (error->message[0] != '\0')
		appendStringInfo(&detail, ": %s", error->message);
	/* a service may give an error of one record no code */
	if (detail.len > 0 &&
		isalnum((unsigned char) detail.data[detail.len - 1]))
		appendStringInfoChar(&detail, '.');
	if (error->http_status != 0)
		appendStringInfo(&detail, " HTTP status %d.", error->http_status);
	if (error->request_id != NULL)
		appendStringInfo(&detail, " Request ID %s.", error->request_id);
	if (error->attempts > 1)
		appendStringInfo(&detail, " Tried %d times.", error->attempts);
	return detail.data;
}

void
aws_error_raise(const AwsError *error, const char *what)
{
	ereport(ERROR,
			(errcode(error->sqlstate),
			 errmsg("could not %s", what),
			 errdetail_internal("%s", aws_error_detail(error)),
			 error->hint ? errhint("%s", error->hint) : 0));
}
