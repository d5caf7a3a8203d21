/*
 * unit_network.c
 *	  HTTP exchanges and calls of Kinesis, shown to SQL.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "credentials/credentials_keys.h"
#include "http/http.h"
#include "service/kinesis.h"

PG_FUNCTION_INFO_V1(unit_http_post);
PG_FUNCTION_INFO_V1(unit_http_abandon);
PG_FUNCTION_INFO_V1(unit_get_records);
PG_FUNCTION_INFO_V1(unit_list_shards);
PG_FUNCTION_INFO_V1(unit_list_streams);
PG_FUNCTION_INFO_V1(unit_aws_stats);

/* Of the client that was used last */
static AwsStats last_stats;

/* Exchanges of one unit_http_post() */
typedef struct Post
{
	ReturnSetInfo *rsinfo;
	const char *header;
	int			n_done;
} Post;

typedef struct PostItem
{
	Post	   *post;
	int			n;				/* 1-based place among the URLs */
} PostItem;

static char *
text_arg(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

static Datum
text_or_null(const char *text, bool *isnull)
{
	*isnull = text == NULL;
	return text ? CStringGetTextDatum(text) : (Datum) 0;
}

static Datum
bytea_datum(const char *data, size_t bytes)
{
	bytea	   *copy = palloc(VARHDRSZ + bytes);

	SET_VARSIZE(copy, VARHDRSZ + bytes);
	memcpy(VARDATA(copy), data, bytes);
	return PointerGetDatum(copy);
}

static void
put_row(ReturnSetInfo *rsinfo, Datum *values, bool *nulls)
{
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

static void
post_done(HttpExchange *exchange, void *arg)
{
	PostItem   *item = arg;
	const HttpResponse *response = http_response(exchange);
	Datum		values[6] = {0};
	bool		nulls[6] = {false};

	item->post->n_done++;
	values[0] = Int32GetDatum(item->n);
	values[1] = Int32GetDatum(response->failure);
	values[2] = text_or_null(response->failure_text, &nulls[2]);
	values[3] = Int32GetDatum(response->status);
	nulls[4] = response->body == NULL;
	if (response->body != NULL)
		values[4] = bytea_datum(response->body, response->body_bytes);
	values[5] = text_or_null(http_response_header(exchange,
												  item->post->header),
							 &nulls[5]);
	put_row(item->post->rsinfo, values, nulls);
	http_close(exchange);
}

Datum
unit_http_post(PG_FUNCTION_ARGS)
{
	bytea	   *body = PG_GETARG_BYTEA_PP(1);
	const char *const headers[] = {
		text_arg(fcinfo, 7), "Content-Type: text/plain"
	};
	HttpRequest request = {
		.method = "POST",
		.headers = headers,
		.n_headers = lengthof(headers),
		.body = VARDATA_ANY(body),
		.body_bytes = VARSIZE_ANY_EXHDR(body),
		.max_response_bytes = PG_GETARG_INT64(2),
		.connect_timeout_ms = PG_GETARG_INT32(3),
		.request_timeout_ms = PG_GETARG_INT32(4),
		.ca_bundle = text_arg(fcinfo, 5)
	};
	Post		post = {
		.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo,
		.header = text_arg(fcinfo, 6)
	};
	Datum	   *urls;
	int			n_urls;
	PostItem   *items;

	InitMaterializedSRF(fcinfo, 0);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false,
					  TYPALIGN_INT, &urls, NULL, &n_urls);
	items = palloc(n_urls * sizeof(PostItem));
	for (int i = 0; i < n_urls; i++)
	{
		items[i].post = &post;
		items[i].n = i + 1;
		request.url = TextDatumGetCString(urls[i]);
		http_start(CurrentMemoryContext, &request, post_done, &items[i]);
	}
	while (post.n_done < n_urls)
		(void) http_drive(-1);
	return (Datum) 0;
}

static void
abandoned_done(HttpExchange *exchange, void *arg)
{
	(void) exchange;
	(void) arg;
	elog(ERROR, "an abandoned exchange came back");
}

/* Returns how many exchanges a drive ended after the context was gone: 0. */
Datum
unit_http_abandon(PG_FUNCTION_ARGS)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext,
											  "abandoned exchange",
											  ALLOCSET_SMALL_SIZES);
	HttpRequest request = {
		.method = "POST",
		.url = text_arg(fcinfo, 0),
		.body = "",
		.max_response_bytes = 1000,
		.connect_timeout_ms = 10000,
		.request_timeout_ms = 10000
	};

	http_start(cxt, &request, abandoned_done, NULL);
	(void) http_drive(PG_GETARG_INT32(1));
	MemoryContextDelete(cxt);
	PG_RETURN_INT32(http_drive(0));
}

static AwsClient *
open_client(const char *endpoint, int max_retries)
{
	AwsCredentials keys = {"AKIDEXAMPLE", "secret", NULL};
	AwsConfig	config = {
		.region = "us-east-1",
		.endpoint = endpoint,
		.credentials = credentials_keys_open(CurrentMemoryContext, &keys),
		.connect_timeout_ms = 30000,
		.request_timeout_ms = 30000,
		.max_retries = max_retries
	};

	return aws_client_open(CurrentMemoryContext, &config, AWS_KINESIS);
}

static Datum
child_shards_datum(List *child_shards)
{
	Datum	   *texts = palloc((list_length(child_shards) + 1) * sizeof(Datum));
	int			n = 0;
	ListCell   *cell;

	foreach(cell, child_shards)
	{
		KinesisShard *shard = lfirst(cell);
		const char *other = shard->adjacent_parent_shard_id;

		texts[n++] = CStringGetTextDatum(psprintf("%s<%s%s%s:%s-%s",
												  shard->shard_id,
												  shard->parent_shard_id,
												  other ? "," : "",
												  other ? other : "",
												  shard->starting_hash_key,
												  shard->ending_hash_key));
	}
	return PointerGetDatum(construct_array(texts, n, TEXTOID, -1, false,
										   TYPALIGN_INT));
}

static void
put_record_row(ReturnSetInfo *rsinfo, const KinesisPage *page,
			   KinesisRecord *record)
{
	Datum		values[7] = {0};
	bool		nulls[7] = {true, true, true, true, false, false, false};

	if (record != NULL)
	{
		const char *data;
		size_t		bytes;

		values[0] = text_or_null(kinesis_record_sequence(record), &nulls[0]);
		values[1] = text_or_null(kinesis_record_partition_key(record),
								 &nulls[1]);
		values[2] = TimestampTzGetDatum(record->arrived);
		nulls[2] = false;
		nulls[3] = !kinesis_record_data(record, &data, &bytes);
		if (!nulls[3])
			values[3] = bytea_datum(data, bytes);
	}
	values[4] = text_or_null(page->next_iterator, &nulls[4]);
	values[5] = Int64GetDatum(page->millis_behind_latest);
	values[6] = child_shards_datum(page->child_shards);
	put_row(rsinfo, values, nulls);
}

/* A row for each record, or one without a record if there are none. */
Datum
unit_get_records(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	KinesisStream stream = {
		.aws = open_client(text_arg(fcinfo, 0), 0),
		.name = "s"
	};
	AwsCall    *call;
	KinesisPage *page;

	InitMaterializedSRF(fcinfo, 0);
	call = kinesis_get_records_begin(&stream, text_arg(fcinfo, 1),
									 KINESIS_GET_RECORDS_LIMIT, NULL);
	while (aws_client_wait(stream.aws, -1) != call)
		;
	last_stats = *aws_client_stats(stream.aws);
	if (aws_call_error(call) != NULL)
		aws_error_raise(aws_call_error(call), "get records");

	page = kinesis_get_records_end(call);
	for (int i = 0; i < page->n_records; i++)
		put_record_row(rsinfo, page, &page->records[i]);
	if (page->n_records == 0)
		put_record_row(rsinfo, page, NULL);
	kinesis_page_free(page);
	return (Datum) 0;
}

Datum
unit_list_shards(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	KinesisStream stream = {
		.aws = open_client(text_arg(fcinfo, 0), PG_GETARG_INT32(2)),
		.name = text_arg(fcinfo, 1)
	};
	List	   *shards;
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	shards = kinesis_list_shards(&stream);
	last_stats = *aws_client_stats(stream.aws);
	foreach(cell, shards)
	{
		const KinesisShard *shard = lfirst(cell);
		const char *texts[] = {
			shard->shard_id, shard->parent_shard_id,
			shard->adjacent_parent_shard_id, shard->starting_hash_key,
			shard->ending_hash_key, shard->starting_sequence_number,
			shard->ending_sequence_number
		};
		Datum		values[lengthof(texts)];
		bool		nulls[lengthof(texts)];

		for (size_t i = 0; i < lengthof(texts); i++)
			values[i] = text_or_null(texts[i], &nulls[i]);
		put_row(rsinfo, values, nulls);
	}
	return (Datum) 0;
}

Datum
unit_list_streams(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	AwsClient  *client = open_client(text_arg(fcinfo, 0), 2);
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	foreach(cell, kinesis_list_streams(client))
	{
		Datum		value = CStringGetTextDatum(lfirst(cell));
		bool		isnull = false;

		put_row(rsinfo, &value, &isnull);
	}
	return (Datum) 0;
}

Datum
unit_aws_stats(PG_FUNCTION_ARGS)
{
	TupleDesc	tupdesc;
	Datum		values[4] = {
		Int64GetDatum(last_stats.calls), Int64GetDatum(last_stats.retries),
		Int64GetDatum(last_stats.throttles),
		Int64GetDatum(last_stats.bytes_received)
	};
	bool		nulls[4] = {false};

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "no row type");
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tupdesc),
													  values, nulls)));
}
