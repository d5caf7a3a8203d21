/*
 * aws_document.c
 *	  Reading the error document of an answer.
 *
 * aws_error.c knows what the codes mean.
 */
#include "postgres.h"

#include "aws/aws_document.h"
#include "base/xml.h"
#include "json/json_tree.h"

/* A longer document is none of AWS's: it is not read */
#define DOCUMENT_BYTES (64 * 1024)

/*
 * A type may be like
 * com.amazonaws.kinesis.v20131202#ResourceNotFoundException:http://...
 */
const char *
aws_document_code(const char *type)
{
	size_t		bytes = strcspn(type, ":");
	const char *hash = memchr(type, '#', bytes);

	if (hash != NULL)
	{
		bytes -= hash + 1 - type;
		type = hash + 1;
	}
	return pnstrdup(type, bytes);
}

static void
read_json(const JsonDoc *json, AwsDocument *document)
{
	const char *type;

	if ((type = jsondoc_string(json, "__type")) != NULL ||
		(type = jsondoc_string(json, "code")) != NULL)
		document->code = aws_document_code(type);
	document->message = jsondoc_string(json, "message");
	if (document->message == NULL)
		document->message = jsondoc_string(json, "Message");
}

static void
read_xml(const char *body, size_t bytes, AwsDocument *document)
{
	XmlSlice	xml = {body, bytes};

	document->code = xml_text(&xml, "Code");
	document->message = xml_text(&xml, "Message");
	document->request_id = xml_text(&xml, "RequestId");
	document->region = xml_text(&xml, "Region");
}

void
aws_document_read(const char *body, size_t bytes, AwsDocument *document)
{
	const JsonDoc *json;

	memset(document, 0, sizeof(AwsDocument));
	if (bytes == 0 || bytes > DOCUMENT_BYTES)
		return;

	json = jsondoc_parse(CurrentMemoryContext, body, bytes, NULL);
	if (json != NULL)
		read_json(json, document);
	else
		read_xml(body, bytes, document);
}

bool
aws_document_is_error(const char *body, size_t bytes)
{
	XmlSlice	xml = {body, bytes};

	return xml_root_is(&xml, "Error");
}
