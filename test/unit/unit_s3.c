/*
 * unit_s3.c
 *	  Calls of S3, shown to SQL.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "credentials/credentials_keys.h"
#include "service/s3.h"

PG_FUNCTION_INFO_V1(unit_s3_parse_url);
PG_FUNCTION_INFO_V1(unit_s3_bucket_url);
PG_FUNCTION_INFO_V1(unit_s3_server);
PG_FUNCTION_INFO_V1(unit_s3_put_object);
PG_FUNCTION_INFO_V1(unit_s3_upload);
PG_FUNCTION_INFO_V1(unit_s3_delete_objects);

/* Set by s3_server() */
static AwsConfig server;
static char *server_bucket;

static char *
text_arg(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

static S3Client *
open_client(void)
{
	if (server_bucket == NULL)
		elog(ERROR, "no server is set");
	return s3_client_open(CurrentMemoryContext, &server, server_bucket);
}

Datum
unit_s3_parse_url(PG_FUNCTION_ARGS)
{
	S3Location	location;
	TupleDesc	tupdesc;
	Datum		values[2];
	bool		nulls[2] = {false};

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "no row type");
	s3_parse_url(text_arg(fcinfo, 0), &location);
	values[0] = CStringGetTextDatum(location.bucket);
	values[1] = CStringGetTextDatum(location.prefix);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tupdesc),
													  values, nulls)));
}

Datum
unit_s3_bucket_url(PG_FUNCTION_ARGS)
{
	AwsConfig	config = {
		.region = text_arg(fcinfo, 0),
		.endpoint = text_arg(fcinfo, 1),
		.endpoints[AWS_S3] = text_arg(fcinfo, 2)
	};

	PG_RETURN_TEXT_P(cstring_to_text(s3_bucket_url(&config,
												   text_arg(fcinfo, 3))));
}

Datum
unit_s3_server(PG_FUNCTION_ARGS)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	AwsCredentials keys = {
		text_arg(fcinfo, 2), text_arg(fcinfo, 3), text_arg(fcinfo, 4)
	};

	server.endpoints[AWS_S3] = text_arg(fcinfo, 0);
	server_bucket = text_arg(fcinfo, 1);
	server.credentials = credentials_keys_open(CurrentMemoryContext, &keys);
	server.max_retries = PG_GETARG_INT32(5);
	server.region = text_arg(fcinfo, 6);
	server.connect_timeout_ms = 5000;
	server.request_timeout_ms = 20000;
	MemoryContextSwitchTo(old);
	PG_RETURN_VOID();
}

Datum
unit_s3_put_object(PG_FUNCTION_ARGS)
{
	bytea	   *data = PG_GETARG_BYTEA_PP(2);

	s3_put_object(open_client(), text_arg(fcinfo, 0), text_arg(fcinfo, 1),
				  VARDATA_ANY(data), VARSIZE_ANY_EXHDR(data));
	PG_RETURN_VOID();
}

static void
write_all(S3Upload *upload, bytea *data, size_t piece_bytes)
{
	const char *at = VARDATA_ANY(data);
	size_t		rest = VARSIZE_ANY_EXHDR(data);

	while (rest > 0)
	{
		size_t		piece = Min(rest, piece_bytes);

		s3_upload_write(upload, at, piece);
		at += piece;
		rest -= piece;
	}
}

Datum
unit_s3_upload(PG_FUNCTION_ARGS)
{
	bytea	   *data = PG_GETARG_BYTEA_PP(2);
	char	   *at_end = text_arg(fcinfo, 4);
	S3Upload   *upload = s3_upload_open(open_client(), text_arg(fcinfo, 0),
										text_arg(fcinfo, 1));
	MemoryContext old = CurrentMemoryContext;

	PG_TRY();
	{
		for (int i = 0; i < PG_GETARG_INT32(5); i++)
			write_all(upload, data, PG_GETARG_INT32(3));
		if (strcmp(at_end, "abort") == 0)
			s3_upload_abort(upload);
		else if (strcmp(at_end, "abandon") != 0)
			s3_upload_finish(upload);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(old);
		if (strcmp(at_end, "again") != 0)
		{
			s3_upload_abort(upload);
			PG_RE_THROW();
		}
		FlushErrorState();
		s3_upload_finish(upload);
	}
	PG_END_TRY();
	PG_RETURN_VOID();
}

Datum
unit_s3_delete_objects(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum	   *texts;
	int			n_texts;
	List	   *keys = NIL;
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false,
					  TYPALIGN_INT, &texts, NULL, &n_texts);
	for (int i = 0; i < n_texts; i++)
		keys = lappend(keys, TextDatumGetCString(texts[i]));

	foreach(cell, s3_delete_objects(open_client(), keys))
	{
		const S3Undeleted *item = lfirst(cell);
		Datum		values[3] = {
			CStringGetTextDatum(item->key),
			CStringGetTextDatum(unpack_sql_state(item->error.sqlstate)),
			CStringGetTextDatum(aws_error_detail(&item->error))
		};
		bool		nulls[3] = {false};

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
							 nulls);
	}
	return (Datum) 0;
}
