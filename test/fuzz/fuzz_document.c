/*
 * fuzz_document.c
 *	  libFuzzer target: what a service's refusal says, as JSON, as XML or as
 *	  anything else.
 *
 * The input is lines with the status and three headers, and then a body.
 */
#include "server.h"

#include "aws/aws_document.h"
#include "aws/aws_error.h"
#include "base/xml.h"
#include "mb/pg_wchar.h"

static bool
is_within(const XmlSlice *piece, const XmlSlice *whole)
{
	return piece->text >= whole->text &&
		piece->text + piece->bytes <= whole->text + whole->bytes;
}

/* Elements come one behind the other. */
static void
check_elements(const XmlSlice *document, const char *name)
{
	XmlSlice	rest = *document;
	XmlSlice	before = rest;
	XmlSlice	content;

	while (xml_next(&rest, name, &content))
	{
		require(is_within(&content, &before) && is_within(&rest, &before));
		require(rest.text >= content.text && rest.bytes < before.bytes);
		require(rest.text + rest.bytes == document->text + document->bytes);
		(void) xml_text(&before, name);
		before = rest;
	}
	require(xml_text(&rest, name) == NULL);
}

/* What is written as the content of an element is read as it was. */
static void
check_round_trip(const char *text)
{
	StringInfoData out;
	XmlSlice	document;
	char	   *read;

	initStringInfo(&out);
	appendStringInfoString(&out, "<?xml version=\"1.0\"?>\n<Key>");
	xml_append(&out, text);
	appendStringInfoString(&out, "</Key>");
	document.text = out.data;
	document.bytes = out.len;
	require(xml_root_is(&document, "Key"));
	read = xml_text(&document, "Key");
	require(read != NULL && strcmp(read, text) == 0);
}

static void
check_xml(const char *data, size_t size)
{
	static const char *const names[] = {
		"Error", "Code", "Message", "Key", "UploadId"
	};
	XmlSlice	document = {data, size};

	for (size_t i = 0; i < lengthof(names); i++)
	{
		check_elements(&document, names[i]);
		(void) xml_root_is(&document, names[i]);
	}
}

/* One line of bounded length that the server's encoding has. */
static void
check_text(const char *text, size_t max_bytes)
{
	size_t		bytes = strlen(text);

	require(bytes <= max_bytes + strlen("..."));
	require(pg_verify_mbstr(PG_UTF8, text, bytes, true));
	for (size_t i = 0; i < bytes; i++)
		require((unsigned char) text[i] >= ' ' && text[i] != 0x7f);
}

static void
check_error(const AwsError *error)
{
	require(error->class != AWS_ERROR_NONE && error->sqlstate != 0);
	check_text(error->code, 128);
	check_text(error->message, 1024);
	if (error->request_id != NULL)
		check_text(error->request_id, 128);
	if (error->hint != NULL)
		check_text(error->hint, 1024);
}

static void
raise_error(void *arg)
{
	AwsError	copy;

	aws_error_copy(&copy, arg);
	copy.attempts = 2;
	aws_error_raise(&copy, "do it");
}

static char *
header(Input *rest)
{
	Input		line;

	return input_cut(rest, '\n', &line) && line.len > 0 ?
		input_string(&line) : NULL;
}

static void
fuzz(const char *data, size_t size)
{
	static const char *const secrets[] = {
		"wJalrXUtnFEMI/K7MDENG", "pass", NULL
	};
	Input		rest = {data, size};
	AwsAnswer	answer = {.secrets = secrets};
	AwsError	error;
	ErrorData  *raised;
	char	   *status = header(&rest);
	char	   *body;

	answer.http_status = status == NULL ? 400 : atoi(status) % 1000;
	answer.error_type = header(&rest);
	answer.request_id = header(&rest);
	answer.bucket_region = header(&rest);
	/* in memory of just its size and a terminator */
	body = palloc(rest.len + 1);
	memcpy(body, rest.start, rest.len);
	body[rest.len] = '\0';
	answer.body = body;
	answer.body_bytes = rest.len;

	aws_error_from_answer(&error, &answer);
	check_error(&error);
	raised = server_try(raise_error, &error);
	require(raised != NULL && server_error_is_sound(raised));
	aws_error_from_code(&error, answer.error_type ? answer.error_type : "",
						answer.request_id, secrets);
	check_error(&error);
	(void) aws_error_detail(&error);
	aws_error_from_failure(&error, rest.len % (HTTP_BAD_REQUEST + 1), body,
						   secrets);
	(void) aws_document_is_error(body, rest.len);
	check_xml(rest.start, rest.len);
	check_round_trip(body);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return server_input(fuzz, data, size);
}
