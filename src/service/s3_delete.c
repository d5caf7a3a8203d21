/*
 * s3_delete.c
 *	  S3: DeleteObjects.
 */
#include "postgres.h"

#include "base/xml.h"
#include "service/s3_wire.h"

/* The keys of one call: some of the list */
typedef struct Chunk
{
	List	   *keys;			/* all of them */
	int			first;			/* index of the first */
	int			end;			/* index after the last */
} Chunk;

static void
add_undeleted(List **undeleted, const char *key, const AwsError *error)
{
	S3Undeleted *item = palloc(sizeof(S3Undeleted));

	item->key = key;
	aws_error_copy(&item->error, error);
	*undeleted = lappend(*undeleted, item);
}

static void
add_all_undeleted(List **undeleted, const Chunk *chunk, const AwsError *error)
{
	for (int i = chunk->first; i < chunk->end; i++)
		add_undeleted(undeleted, list_nth(chunk->keys, i), error);
}

/*
 * The caller's pointer to a key that the service named; NULL if it has none.
 */
static const char *
own_key(const Chunk *chunk, const char *utf8)
{
	for (int i = chunk->first; utf8 != NULL && i < chunk->end; i++)
	{
		const char *key = list_nth(chunk->keys, i);

		if (strcmp(s3_key_utf8(key), utf8) == 0)
			return key;
	}
	return NULL;
}

/*
 * Read the answer, which has an Error for each key that was not deleted.  If
 * it is not what the API promises, none of the keys counts as deleted.
 */
static void
read_answer(List **undeleted, const Chunk *chunk, AwsCall *call)
{
	List	   *named = NIL;
	XmlSlice	xml;
	XmlSlice	refusal;
	AwsError	error;

	xml.text = aws_call_body(call, &xml.bytes);
	aws_error_from_nonsense(&error, "The answer has no DeleteResult.");
	if (!xml_root_is(&xml, "DeleteResult"))
	{
		add_all_undeleted(undeleted, chunk, &error);
		return;
	}
	while (xml_next(&xml, "Error", &refusal))
	{
		const char *key = own_key(chunk, xml_text(&refusal, "Key"));
		const char *code = xml_text(&refusal, "Code");

		if (key == NULL)
		{
			aws_error_from_nonsense(&error,
									"The answer names a key that was not asked for.");
			add_all_undeleted(undeleted, chunk, &error);
			return;
		}
		aws_call_refusal(call, code ? code : "",
						 xml_text(&refusal, "Message"), &error);
		add_undeleted(&named, key, &error);
	}
	*undeleted = list_concat(*undeleted, named);
}

static void
append_request(StringInfo body, const Chunk *chunk)
{
	appendStringInfoString(body, "<Delete xmlns=\"" S3_XML_NAMESPACE
						   "\"><Quiet>true</Quiet>");
	for (int i = chunk->first; i < chunk->end; i++)
	{
		appendStringInfoString(body, "<Object><Key>");
		xml_append(body, s3_key_utf8(list_nth(chunk->keys, i)));
		appendStringInfoString(body, "</Key></Object>");
	}
	appendStringInfoString(body, "</Delete>");
}

static void
delete_chunk(S3Client *client, const Chunk *chunk, List **undeleted)
{
	StringInfoData body;
	uint8_t		md5[MD5_BYTES];
	S3Request	request = {
		.method = "POST",
		.query = "delete",
		.content_type = "application/xml",
		.md5 = md5
	};
	AwsCall    *call;

	initStringInfo(&body);
	append_request(&body, chunk);
	md5_digest(body.data, body.len, md5);
	request.body = body.data;
	request.body_bytes = body.len;
	call = s3_call(client, &request);
	if (aws_call_error(call) != NULL)
		add_all_undeleted(undeleted, chunk, aws_call_error(call));
	else
		read_answer(undeleted, chunk, call);
	aws_call_close(call);
	pfree(body.data);
}

List *
s3_delete_objects(S3Client *client, List *keys)
{
	List	   *undeleted = NIL;

	for (int first = 0; first < list_length(keys); first += S3_DELETE_KEYS)
	{
		Chunk		chunk = {
			.keys = keys,
			.first = first,
			.end = Min(first + S3_DELETE_KEYS, list_length(keys))
		};

		delete_chunk(client, &chunk, &undeleted);
	}
	return undeleted;
}
