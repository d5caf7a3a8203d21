/*
 * s3_upload.c
 *	  S3: an object that is written piece by piece.
 *
 * When an answer is lost, we do not know whether the service has done what we
 * asked for.  Storing a part or a small object twice does no harm.  Only
 * CompleteMultipartUpload cannot be repeated: if the service says that there
 * is no such upload, an earlier attempt may have completed it.  libcurl, too,
 * may have repeated the request, if a kept connection was closed.  So we look
 * whether the object exists.
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/xml.h"
#include "miscadmin.h"
#include "service/s3_wire.h"
#include "utils/builtins.h"

/*
 * The buffer's first size, which is doubled as needed: many objects are small
 */
#define FIRST_BYTES (64 * 1024)

/* Limit of an abort, which holds up the report of an error */
#define ABORT_MS 5000

struct S3Upload
{
	MemoryContext cxt;
	S3Client   *client;
	const char *key;
	const char *content_type;
	const char *what;			/* for aws_error_raise() */

	/* the part that is being filled */
	char	   *data;
	size_t		bytes;
	size_t		allocated;

	/* the multipart upload, if there is more than one part */
	bool		broken;			/* a call failed: the upload can only be
								 * aborted */
	char	   *upload_id;		/* percent-encoded; NULL: none was begun, or
								 * it is aborted */
	StringInfoData etags;		/* of the parts, as XML for
								 * CompleteMultipartUpload */
	StringInfoData md5s;		/* of the parts, concatenated */
	int			n_parts;		/* number of parts that were sent */
};

S3Upload *
s3_upload_open(S3Client *client, const char *key, const char *content_type)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext,
											  "S3 upload",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	S3Upload   *upload = palloc0(sizeof(S3Upload));

	upload->cxt = cxt;
	upload->client = client;
	upload->key = pstrdup(key);
	upload->content_type = pstrdup(content_type);
	upload->what = psprintf("upload \"%s\"", s3_url(client->bucket, key));
	upload->allocated = FIRST_BYTES;
	upload->data = palloc(FIRST_BYTES);
	initStringInfo(&upload->etags);
	initStringInfo(&upload->md5s);
	MemoryContextSwitchTo(old);
	return upload;
}

/* ----------------------------------------------------------------
 * Failing
 * ---------------------------------------------------------------- */

/*
 * Try to have the service delete the parts.  Cancels are held off meanwhile:
 * the postmaster signals each cancel twice, to the process and to its group,
 * and the second signal may come only now.
 */
static void
forget_parts(S3Upload *upload)
{
	S3Request	request = {
		.method = "DELETE",
		.key = upload->key,
		.once = true,
		.timeout_ms = ABORT_MS
	};

	if (upload->upload_id == NULL)
		return;
	request.query = psprintf("uploadId=%s", upload->upload_id);
	upload->upload_id = NULL;
	HOLD_CANCEL_INTERRUPTS();
	aws_call_close(s3_call(upload->client, &request));
	RESUME_CANCEL_INTERRUPTS();
}

pg_noreturn static void
fail(S3Upload *upload, const AwsError *error)
{
	forget_parts(upload);
	aws_error_raise(error, upload->what);
}

pg_noreturn static void
fail_by_nonsense(S3Upload *upload, const char *why)
{
	AwsError	error;

	aws_error_from_nonsense(&error, why);
	fail(upload, &error);
}

/* Fail by the error of a call, which is closed. */
pg_noreturn static void
fail_by_call(S3Upload *upload, AwsCall *call)
{
	AwsError	error;

	aws_error_copy(&error, aws_call_error(call));
	aws_call_close(call);
	fail(upload, &error);
}

pg_noreturn static void
fail_by_size(S3Upload *upload)
{
	forget_parts(upload);
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("could not %s", upload->what),
			 errdetail("An object has at most %d parts of %d bytes.",
					   S3_UPLOAD_PARTS, S3_PART_BYTES)));
}

/* Raise an error if a call has failed: the object would lack a part. */
static void
check_not_broken(const S3Upload *upload)
{
	if (upload->broken)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("could not %s", upload->what),
				 errdetail("A part of it has failed.")));
}

void
s3_upload_abort(S3Upload *upload)
{
	forget_parts(upload);
	MemoryContextDelete(upload->cxt);
}

/* ----------------------------------------------------------------
 * Parts
 * ---------------------------------------------------------------- */

static XmlSlice
answer_xml(AwsCall *call)
{
	XmlSlice	xml;

	xml.text = aws_call_body(call, &xml.bytes);
	return xml;
}

/* Begin the multipart upload: sets upload_id. */
static void
begin_parts(S3Upload *upload)
{
	S3Request	request = {
		.method = "POST",
		.key = upload->key,
		.query = "uploads",
		.content_type = upload->content_type,
		.body = ""
	};
	AwsCall    *call = s3_call(upload->client, &request);
	StringInfoData encoded;
	XmlSlice	xml;
	char	   *id;

	if (aws_call_error(call) != NULL)
		fail_by_call(upload, call);
	xml = answer_xml(call);
	id = xml_text(&xml, "UploadId");
	aws_call_close(call);
	if (id == NULL || *id == '\0')
		fail_by_nonsense(upload, "The answer has no UploadId.");

	initStringInfo(&encoded);
	sigv4_append_encoded(&encoded, id, strlen(id), "");
	upload->upload_id = encoded.data;
}

/* Note a part's ETag and MD5 for CompleteMultipartUpload. */
static void
note_part(S3Upload *upload, const char *etag, const uint8_t *md5)
{
	appendStringInfo(&upload->etags, "<Part><PartNumber>%d</PartNumber><ETag>",
					 upload->n_parts);
	xml_append(&upload->etags, etag);
	appendStringInfoString(&upload->etags, "</ETag></Part>");
	appendBinaryStringInfo(&upload->md5s, (const char *) md5, MD5_BYTES);
}

/* Store the buffer's content as a part, and empty the buffer. */
static void
send_part(S3Upload *upload)
{
	uint8_t		md5[MD5_BYTES];
	S3Request	request = {
		.method = "PUT",
		.key = upload->key,
		.body = upload->data,
		.body_bytes = upload->bytes,
		.md5 = md5
	};
	AwsCall    *call;
	AwsError	error;
	char	   *etag;

	upload->broken = true;
	if (upload->n_parts == S3_UPLOAD_PARTS)
		fail_by_size(upload);
	if (upload->upload_id == NULL)
		begin_parts(upload);
	upload->n_parts++;
	request.query = psprintf("partNumber=%d&uploadId=%s", upload->n_parts,
							 upload->upload_id);
	md5_digest(upload->data, upload->bytes, md5);
	call = s3_call(upload->client, &request);
	if (aws_call_error(call) != NULL)
		fail_by_call(upload, call);
	etag = s3_stored_etag(call, md5, &error);
	aws_call_close(call);
	if (etag == NULL)
		fail(upload, &error);

	note_part(upload, etag, md5);
	upload->bytes = 0;
	upload->broken = false;
}

/*
 * Make room in the buffer, which holds less than a part, for all of the bytes
 * or up to a whole part.
 */
static void
reserve(S3Upload *upload, size_t bytes)
{
	size_t		needed = Min(upload->bytes + bytes, S3_PART_BYTES);

	if (needed <= upload->allocated)
		return;
	upload->allocated = Min(Max(needed, upload->allocated * 2),
							S3_PART_BYTES);
	upload->data = repalloc(upload->data, upload->allocated);
}

static void
write_pieces(S3Upload *upload, const char *data, size_t bytes)
{
	while (bytes > 0)
	{
		size_t		piece;

		if (upload->bytes == S3_PART_BYTES)
			send_part(upload);
		reserve(upload, bytes);
		piece = Min(bytes, upload->allocated - upload->bytes);
		memcpy(upload->data + upload->bytes, data, piece);
		upload->bytes += piece;
		data += piece;
		bytes -= piece;
	}
}

void
s3_upload_write(S3Upload *upload, const char *data, size_t bytes)
{
	MemoryContext old = MemoryContextSwitchTo(upload->cxt);

	check_not_broken(upload);
	write_pieces(upload, data, bytes);
	MemoryContextSwitchTo(old);
}

/* ----------------------------------------------------------------
 * The end
 * ---------------------------------------------------------------- */

/* Does the key have the object that is made of all our parts? */
static bool
object_is_there(S3Upload *upload)
{
	S3Request	request = {
		.method = "HEAD",
		.key = upload->key
	};
	AwsCall    *call = s3_call(upload->client, &request);
	const char *etag = NULL;
	uint8_t		md5[MD5_BYTES];
	char		hex[2 * MD5_BYTES + 1] = "";
	bool		there;

	/* its ETag is the MD5 of the parts' MD5s, and the number of parts */
	md5_digest(upload->md5s.data, upload->md5s.len, md5);
	hex_encode((const char *) md5, MD5_BYTES, hex);
	if (aws_call_error(call) == NULL)
		etag = aws_call_header(call, "ETag");
	there = etag != NULL &&
		strcmp(etag, psprintf("\"%s-%d\"", hex, upload->n_parts)) == 0;
	aws_call_close(call);
	return there;
}

static void
complete_parts(S3Upload *upload)
{
	char	   *body = psprintf("<CompleteMultipartUpload xmlns=\"%s\">%s</CompleteMultipartUpload>",
								S3_XML_NAMESPACE, upload->etags.data);
	S3Request	request = {
		.method = "POST",
		.key = upload->key,
		.query = psprintf("uploadId=%s", upload->upload_id),
		.content_type = "application/xml",
		.body = body,
		.body_bytes = strlen(body),
		.doubt_success = true
	};
	AwsCall    *call = s3_call(upload->client, &request);
	const AwsError *error = aws_call_error(call);
	XmlSlice	xml;
	bool		complete;

	if (error != NULL)
	{
		if (error->class != AWS_ERROR_NOT_FOUND || !object_is_there(upload))
			fail_by_call(upload, call);
		aws_call_close(call);
		return;
	}
	xml = answer_xml(call);
	complete = xml_root_is(&xml, "CompleteMultipartUploadResult");
	aws_call_close(call);
	if (!complete)
		fail_by_nonsense(upload,
						 "The answer has no CompleteMultipartUploadResult.");
}

void
s3_upload_finish(S3Upload *upload)
{
	MemoryContext old = MemoryContextSwitchTo(upload->cxt);

	check_not_broken(upload);
	if (upload->upload_id == NULL)
		s3_put_object(upload->client, upload->key, upload->content_type,
					  upload->data, upload->bytes);
	else
	{
		send_part(upload);
		complete_parts(upload);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(upload->cxt);
}
