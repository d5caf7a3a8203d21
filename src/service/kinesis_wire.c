/*
 * kinesis_wire.c
 *	  Writing requests to Kinesis, and what all answers have in common.
 */
#include "postgres.h"

#include "utils/json.h"

#include "service/kinesis_wire.h"

void
kinesis_body_init(StringInfo body)
{
	initStringInfo(body);
	appendStringInfoChar(body, '{');
}

void
kinesis_body_key(StringInfo body, const char *key)
{
	if (body->data[body->len - 1] != '{')
		appendStringInfoChar(body, ',');
	appendStringInfo(body, "\"%s\":", key);
}

void
kinesis_body_string(StringInfo body, const char *key, const char *value)
{
	kinesis_body_key(body, key);
	escape_json(body, value);
}

void
kinesis_body_number(StringInfo body, const char *key, const char *value)
{
	kinesis_body_key(body, key);
	appendStringInfoString(body, value);
}

void
kinesis_body_stream(StringInfo body, const KinesisStream *stream)
{
	bool		is_arn = strncmp(stream->name, "arn:", 4) == 0;

	kinesis_body_string(body, is_arn ? "StreamARN" : "StreamName",
						stream->name);
}

AwsCall *
kinesis_call_start(AwsClient *aws, const AwsRequest *request, StringInfo body)
{
	AwsRequest	with_body = *request;
	AwsCall    *call;

	appendStringInfoChar(body, '}');
	with_body.body = body->data;
	with_body.body_bytes = body->len;
	call = aws_call_start(aws, &with_body);

	pfree(body->data);
	return call;
}

void
kinesis_call_wait(AwsCall *call, AwsErrorClass tolerated, const char *what)
{
	PG_TRY();
	{
		const AwsError *error;

		aws_call_wait(call);
		error = aws_call_error(call);
		if (error != NULL && error->class != tolerated)
			aws_error_raise(error, what);
	}
	PG_CATCH();
	{
		aws_call_close(call);
		PG_RE_THROW();
	}
	PG_END_TRY();
}

AwsCall *
kinesis_call(AwsClient *aws, const char *target, StringInfo body,
			 AwsErrorClass tolerated, const char *what)
{
	AwsRequest	request = {
		.target = target,
		.max_response_bytes = KINESIS_CONTROL_BYTES
	};
	AwsCall    *call = kinesis_call_start(aws, &request, body);

	kinesis_call_wait(call, tolerated, what);
	return call;
}

const JsonDoc *
kinesis_call_answer(AwsCall *call)
{
	size_t		bytes;
	char	   *body = aws_call_body(call, &bytes);

	return jsondoc_parse(aws_call_context(call), body, bytes, NULL);
}

/* StreamName and ShardId (API reference): [a-zA-Z0-9_.-]{1,128} */
bool
kinesis_is_name(const char *text)
{
	size_t		length = text != NULL ? strlen(text) : 0;

	return length > 0 && length <= KINESIS_NAME_CHARS &&
		strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == length;
}

bool
kinesis_is_sequence_number(const char *text)
{
	size_t		length = text != NULL ? strlen(text) : 0;

	return length > 0 && length <= KINESIS_SEQUENCE_DIGITS &&
		strspn(text, "0123456789") == length;
}

void
kinesis_bad_answer(AwsCall *call, const char *what, const char *why)
{
	aws_call_close(call);
	ereport(ERROR,
			(errcode(ERRCODE_FDW_ERROR),
			 errmsg("could not %s", what),
			 errdetail_internal("%s", why),
			 errhint("Check the \"endpoint\" option of the foreign server.")));
}
