/*
 * unit_pure.c
 *	  Functions of tracking_fdw that need no network, shown to SQL.
 */
#include "postgres.h"

#include <openssl/evp.h>
#include <signal.h>

#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "aws/aws_endpoint.h"
#include "aws/aws_error.h"
#include "aws/sigv4.h"
#include "base/backoff.h"
#include "base/clean_text.h"
#include "base/compat.h"
#include "base/md5.h"
#include "base/xml.h"
#include "stream/position.h"
#include "stream/shard_allowance.h"
#include "stream/shard_pace.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(unit_sigv4);
PG_FUNCTION_INFO_V1(unit_backoff_delay_ms);
PG_FUNCTION_INFO_V1(unit_clean_text);
PG_FUNCTION_INFO_V1(unit_aws_error);
PG_FUNCTION_INFO_V1(unit_aws_error_from_code);
PG_FUNCTION_INFO_V1(unit_aws_endpoint);
PG_FUNCTION_INFO_V1(unit_md5);
PG_FUNCTION_INFO_V1(unit_xml_texts);
PG_FUNCTION_INFO_V1(unit_xml_root_is);
PG_FUNCTION_INFO_V1(unit_xml_escape);
PG_FUNCTION_INFO_V1(unit_sequence_compare);
PG_FUNCTION_INFO_V1(unit_position_normalize);
PG_FUNCTION_INFO_V1(unit_allowance_free_ms);
PG_FUNCTION_INFO_V1(unit_allowance_reserve);
PG_FUNCTION_INFO_V1(unit_crash);
PG_FUNCTION_INFO_V1(unit_exit);
PG_FUNCTION_INFO_V1(unit_shard_pace_failed_ms);

static char *
text_arg(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

/* A row of texts, NULL for NULL. */
static Datum
text_row(FunctionCallInfo fcinfo, const char *const *texts, int n)
{
	Datum	   *values = palloc0(n * sizeof(Datum));
	bool	   *nulls = palloc0(n * sizeof(bool));
	TupleDesc	tupdesc;

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "no row type");
	for (int i = 0; i < n; i++)
	{
		nulls[i] = texts[i] == NULL;
		if (texts[i] != NULL)
			values[i] = CStringGetTextDatum(texts[i]);
	}
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tupdesc), values,
											 nulls));
}

static Sigv4Header *
header_pairs(ArrayType *array, int *n)
{
	Datum	   *texts;
	int			n_texts;
	Sigv4Header *headers;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &texts, NULL,
					  &n_texts);
	*n = n_texts / 2;
	headers = palloc((*n + 1) * sizeof(Sigv4Header));
	for (int i = 0; i < *n; i++)
	{
		headers[i].name = TextDatumGetCString(texts[2 * i]);
		headers[i].value = TextDatumGetCString(texts[2 * i + 1]);
	}
	return headers;
}

Datum
unit_sigv4(PG_FUNCTION_ARGS)
{
	bytea	   *body = PG_GETARG_BYTEA_PP(4);
	AwsCredentials cred = {
		.access_key_id = text_arg(fcinfo, 8),
		.secret_access_key = text_arg(fcinfo, 9),
		.session_token = text_arg(fcinfo, 10)
	};
	Sigv4Key	key = {0};
	Sigv4		sign = {
		.method = text_arg(fcinfo, 0),
		.path = text_arg(fcinfo, 1),
		.query = text_arg(fcinfo, 2),
		.body = VARDATA_ANY(body),
		.body_bytes = VARSIZE_ANY_EXHDR(body),
		.region = text_arg(fcinfo, 5),
		.service = text_arg(fcinfo, 6),
		.s3_rules = strcmp(text_arg(fcinfo, 6), "s3") == 0,
		.now = PG_GETARG_INT64(7),
		.key = &key
	};
	const char *row[3];

	sign.headers = header_pairs(PG_GETARG_ARRAYTYPE_P(3), &sign.n_headers);

	/*
	 * the key that is kept must be another day's no more, and this day's
	 * still
	 */
	sign.now -= SECS_PER_DAY;
	sigv4_sign(&sign, &cred);
	sign.now += SECS_PER_DAY;
	sigv4_sign(&sign, &cred);
	sigv4_sign(&sign, &cred);
	row[0] = sign.canonical_request;
	row[1] = sign.string_to_sign;
	row[2] = sign.authorization;
	return text_row(fcinfo, row, lengthof(row));
}

Datum
unit_backoff_delay_ms(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(backoff_delay_ms(PG_GETARG_INT32(0), PG_GETARG_INT64(1),
									 PG_GETARG_INT64(2),
									 PG_GETARG_FLOAT8(3)));
}

static Datum
error_row(FunctionCallInfo fcinfo, const AwsError *error)
{
	static const char *const classes[] = {
		[AWS_ERROR_NONE] = "none",
		[AWS_ERROR_RETRY] = "retry",
		[AWS_ERROR_THROTTLE] = "throttle",
		[AWS_ERROR_CLOCK] = "clock",
		[AWS_ERROR_EXPIRED_ITERATOR] = "expired_iterator",
		[AWS_ERROR_EXPIRED_TOKEN] = "expired_token",
		[AWS_ERROR_NOT_FOUND] = "not_found",
		[AWS_ERROR_DENIED] = "denied",
		[AWS_ERROR_BUSY] = "busy",
		[AWS_ERROR_FATAL] = "fatal"
	};
	const char *row[] = {
		classes[error->class], unpack_sql_state(error->sqlstate), error->code,
		error->message, error->hint, error->request_id
	};

	return text_row(fcinfo, row, lengthof(row));
}

/* Ended by NULL */
static const char *const *
secrets_arg(FunctionCallInfo fcinfo, int n)
{
	Datum	   *texts;
	int			n_texts;
	const char **secrets;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(n), TEXTOID, -1, false,
					  TYPALIGN_INT, &texts, NULL, &n_texts);
	secrets = palloc0((n_texts + 1) * sizeof(char *));
	for (int i = 0; i < n_texts; i++)
		secrets[i] = TextDatumGetCString(texts[i]);
	return secrets;
}

Datum
unit_clean_text(PG_FUNCTION_ARGS)
{
	bytea	   *text = PG_GETARG_BYTEA_PP(0);
	int			encoding = PG_ARGISNULL(3) ? GetDatabaseEncoding() :
		pg_char_to_encoding(text_arg(fcinfo, 3));
	char	   *clean = clean_text(VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text),
								   PG_GETARG_INT32(1), encoding,
								   secrets_arg(fcinfo, 2));

	PG_RETURN_BYTEA_P(cstring_to_text(clean));
}

Datum
unit_aws_error(PG_FUNCTION_ARGS)
{
	/* a bytea is a text to the eye of C, and so gets its terminator */
	AwsAnswer	answer = {
		.http_status = PG_GETARG_INT32(0),
		.error_type = text_arg(fcinfo, 1),
		.bucket_region = text_arg(fcinfo, 3),
		.body = TextDatumGetCString(PG_GETARG_DATUM(2)),
		.body_bytes = VARSIZE_ANY_EXHDR(PG_GETARG_BYTEA_PP(2)),
		.secrets = secrets_arg(fcinfo, 4)
	};
	AwsError	error;

	aws_error_from_answer(&error, &answer);
	return error_row(fcinfo, &error);
}

Datum
unit_aws_error_from_code(PG_FUNCTION_ARGS)
{
	AwsError	error;

	aws_error_from_code(&error, text_arg(fcinfo, 0), text_arg(fcinfo, 1),
						NULL);
	return error_row(fcinfo, &error);
}

Datum
unit_aws_endpoint(PG_FUNCTION_ARGS)
{
	AwsConfig	config = {
		.region = text_arg(fcinfo, 0),
		.endpoint = text_arg(fcinfo, 1),
		.endpoints[AWS_KINESIS] = text_arg(fcinfo, 2)
	};
	AwsEndpoint endpoint;
	const char *row[3];

	aws_endpoint_init(&endpoint, &config, AWS_KINESIS);
	row[0] = endpoint.url;
	row[1] = endpoint.host;
	row[2] = endpoint.path;
	return text_row(fcinfo, row, lengthof(row));
}

/* OpenSSL refuses MD5 from here on, unless somebody has it already. */
static void
refuse_md5(void)
{
	unsigned char digest[EVP_MAX_MD_SIZE];

	if (!EVP_set_default_properties(NULL, "fips=yes") ||
		EVP_Digest("", 0, digest, NULL, EVP_md5(), NULL))
		elog(ERROR, "OpenSSL does not refuse MD5");
}

Datum
unit_md5(PG_FUNCTION_ARGS)
{
	bytea	   *data = PG_GETARG_BYTEA_PP(0);
	bytea	   *digest = palloc(VARHDRSZ + MD5_BYTES);

	if (PG_GETARG_BOOL(1))
		refuse_md5();
	SET_VARSIZE(digest, VARHDRSZ + MD5_BYTES);
	md5_digest(VARDATA_ANY(data), VARSIZE_ANY_EXHDR(data),
			   (uint8_t *) VARDATA(digest));
	PG_RETURN_BYTEA_P(digest);
}

static XmlSlice
document_arg(FunctionCallInfo fcinfo)
{
	bytea	   *document = PG_GETARG_BYTEA_PP(0);
	XmlSlice	slice = {VARDATA_ANY(document), VARSIZE_ANY_EXHDR(document)};

	return slice;
}

/* Of all elements of a name. */
Datum
unit_xml_texts(PG_FUNCTION_ARGS)
{
	XmlSlice	rest = document_arg(fcinfo);
	XmlSlice	content;
	char	   *name = text_arg(fcinfo, 1);
	ArrayBuildState *texts = initArrayResult(TEXTOID, CurrentMemoryContext,
											 false);

	for (;;)
	{
		char	   *text = xml_text(&rest, name);

		if (!xml_next(&rest, name, &content))
			PG_RETURN_DATUM(makeArrayResult(texts, CurrentMemoryContext));
		accumArrayResult(texts, CStringGetTextDatum(text), false, TEXTOID,
						 CurrentMemoryContext);
	}
}

Datum
unit_xml_root_is(PG_FUNCTION_ARGS)
{
	XmlSlice	document = document_arg(fcinfo);

	PG_RETURN_BOOL(xml_root_is(&document, text_arg(fcinfo, 1)));
}

Datum
unit_xml_escape(PG_FUNCTION_ARGS)
{
	StringInfoData out;

	initStringInfo(&out);
	xml_append(&out, text_arg(fcinfo, 0));
	PG_RETURN_TEXT_P(cstring_to_text(out.data));
}

Datum
unit_sequence_compare(PG_FUNCTION_ARGS)
{
	text	   *a = PG_GETARG_TEXT_PP(0);
	text	   *b = PG_GETARG_TEXT_PP(1);
	int			order = sequence_compare(VARDATA_ANY(a),
										 VARSIZE_ANY_EXHDR(a),
										 VARDATA_ANY(b),
										 VARSIZE_ANY_EXHDR(b));

	PG_RETURN_INT32(order < 0 ? -1 : order > 0);
}

/* Text to position and back; NULL if it is none. */
Datum
unit_position_normalize(PG_FUNCTION_ARGS)
{
	StreamPosition position;

	if (!position_from_text(text_arg(fcinfo, 0), &position))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(position_to_text(&position)));
}

static ShardClaim
claim_arg(FunctionCallInfo fcinfo, int n)
{
	return PG_GETARG_BOOL(n) ? CLAIM_WORKER : CLAIM_SCAN;
}

Datum
unit_allowance_free_ms(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(shard_allowance_free_ms(PG_GETARG_INT64(0),
											claim_arg(fcinfo, 1),
											PG_GETARG_INT64(2)));
}

Datum
unit_allowance_reserve(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(shard_allowance_reserve(PG_GETARG_INT64(0),
											claim_arg(fcinfo, 1),
											PG_GETARG_INT64(2)));
}

/* End this process as a bug would. */
Datum
unit_crash(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	(void) raise(SIGSEGV);
	PG_RETURN_BOOL(true);
}

/* ... or what a library may take for one. */
Datum
unit_exit(PG_FUNCTION_ARGS)
{
	exit(PG_GETARG_INT32(0));
}

Datum
unit_shard_pace_failed_ms(PG_FUNCTION_ARGS)
{
	AwsError	error = {
		.class = PG_GETARG_BOOL(1) ? AWS_ERROR_THROTTLE : AWS_ERROR_RETRY,
		.code = "",
		.message = ""
	};
	ShardPace	pace;
	int64		now_ms = 0;

	shard_pace_init(&pace, CurrentMemoryContext);
	for (int i = 1; i < PG_GETARG_INT32(0); i++)
		shard_pace_failed(&pace, now_ms, &error);
	now_ms = pace.due_ms;
	shard_pace_failed(&pace, now_ms, &error);
	PG_RETURN_INT64(pace.due_ms - now_ms);
}
