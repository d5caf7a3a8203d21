/*
 * fuzz_service.c
 *	  libFuzzer target: operations of Kinesis and S3, by libcurl, with whatever
 *	  a server answers.
 *
 * The first byte is the operation.  The rest is answers, between bytes 0x1E:
 * as they are if they begin with HTTP/, else the body of one that succeeds.
 * Pieces of an answer, between bytes 0x1D, come one after the other.
 */
#include "server.h"

#include "base/buffer.h"
#include "credentials/credentials_keys.h"
#include "remote.h"
#include "service/kinesis.h"
#include "service/s3.h"
#include "storage/latch.h"

/* parts of a few bytes, of which there are several then */
#undef S3_PART_BYTES
#define S3_PART_BYTES (64 * 1024)
#include "service/s3_upload.c"

#define SEPARATOR '\x1E'
#define PIECE_SEPARATOR '\x1D'

/* What answers may have, together */
#define BUDGET_BYTES (1024 * 1024)

static const AwsConfig *
server_config(void)
{
	static const AwsCredentials keys = {"AKID", "secret", "token"};
	AwsConfig  *config = palloc0(sizeof(AwsConfig));

	config->region = "us-east-1";
	config->endpoint = "http://127.0.0.1:1/";
	config->credentials = credentials_keys_open(CurrentMemoryContext, &keys);
	config->connect_timeout_ms = 1000;
	config->request_timeout_ms = 1000;
	config->max_retries = 1;
	return config;
}

/* ----------------------------------------------------------------
 * Kinesis
 * ---------------------------------------------------------------- */

static void
describe(void *arg)
{
	KinesisStreamSummary *summary = kinesis_describe_stream_summary(arg);

	require_text(summary->status);
	require(summary->retention_hours > 0 && summary->open_shards >= 0);
	require(summary->max_record_bytes > 0);
	require(summary->created == 0 || IS_VALID_TIMESTAMP(summary->created));
}

static void
list_shards(void *arg)
{
	ListCell   *cell;

	foreach(cell, kinesis_list_shards(arg))
	{
		KinesisShard *shard = kinesis_shard_copy(lfirst(cell));

		require(shard->shard_id != NULL);
		require_text(shard->shard_id);
		require_text(shard->parent_shard_id);
	}
}

static void
list_streams(void *arg)
{
	KinesisStream *stream = arg;
	ListCell   *cell;

	foreach(cell, kinesis_list_streams(stream->aws))
		require_text(lfirst(cell));
}

/* The call, the only one of its client, once it is over; NULL if it failed. */
static AwsCall *
finished(AwsClient *client, AwsCall *call)
{
	const AwsError *error;

	while (aws_client_wait(client, -1) != call)
		require(!aws_client_idle(client));
	require(aws_client_idle(client));
	error = aws_call_error(call);
	if (error == NULL)
		return call;
	require_text(aws_error_detail(error));
	aws_call_close(call);
	return NULL;
}

static void
get_iterator(void *arg)
{
	KinesisIteratorStart start = {.type = KINESIS_AT_TIMESTAMP,.timestamp = 1};
	KinesisStream *stream = arg;
	AwsError	error;
	AwsCall    *call;

	call = finished(stream->aws,
					kinesis_get_shard_iterator_begin(stream, "shard", &start,
													 NULL));
	if (call != NULL)
		require_text(kinesis_get_shard_iterator_end(call, &error));
}

static void
check_page(AwsCall *call)
{
	AwsError	error;
	KinesisPage *page = kinesis_get_records_try(call, &error);

	if (page == NULL)
		return;
	for (int i = 0; i < page->n_records; i++)
	{
		const char *data;
		size_t		bytes;

		(void) kinesis_record_data(&page->records[i], &data, &bytes);
		require_text(kinesis_record_partition_key(&page->records[i]));
	}
	kinesis_page_free(page);
}

static void
get_records(void *arg)
{
	KinesisStream *stream = arg;
	AwsCall    *call;

	call = finished(stream->aws,
					kinesis_get_records_begin(stream, "iterator", 10, NULL));
	if (call != NULL)
		check_page(call);
}

/* Two shards at once, for which there may be no room. */
static void
get_more_records(void *arg)
{
	KinesisStream *stream = arg;
	AwsCall    *call;
	int			n = 0;

	for (int i = 0; i < 2; i++)
		(void) kinesis_get_records_begin(stream, "iterator", 10, stream);
	while ((call = aws_client_wait(stream->aws, 5000)) != NULL)
	{
		require(aws_call_owner(call) == stream && ++n <= 2);
		if (aws_call_error(call) != NULL)
			aws_call_close(call);
		else
			check_page(call);
	}
	require(stream->budget->used_bytes == 0 && stream->budget->n_paused == 0);
}

/* The latch is set, so that a wait may end before there is an answer. */
static void
be_woken(void *arg)
{
	KinesisStream *stream = arg;
	AwsCall    *call;

	(void) kinesis_get_records_begin(stream, "iterator", 10, NULL);
	SetLatch(MyLatch);
	call = aws_client_wait(stream->aws, 1000);
	ResetLatch(MyLatch);
	if (call == NULL)
		call = aws_client_wait(stream->aws, -1);
	require(call != NULL);
	aws_call_close(call);
}

static void
put_records(void *arg)
{
	KinesisPutRecord records[] = {
		{"data", 4, "key", "12"}, {"", 0, "\xC3\xA4\"", NULL}
	};
	KinesisPutResult results[lengthof(records)];

	kinesis_put_records(arg, records, lengthof(records), results);
	for (size_t i = 0; i < lengthof(results); i++)
	{
		require((results[i].error == NULL) ==
				(results[i].sequence_number != NULL));
		if (results[i].error != NULL)
			require_text(results[i].error->message);
		require_text(results[i].shard_id);
	}
}

/* ----------------------------------------------------------------
 * S3
 * ---------------------------------------------------------------- */

static S3Client *
bucket(void)
{
	return s3_client_open(CurrentMemoryContext, server_config(), "bucket");
}

static void
put_object(void *arg)
{
	(void) arg;
	s3_put_object(bucket(), "a/key", "text/plain", "data", 4);
}

static void
upload(void *arg)
{
	char	   *data = palloc0(S3_PART_BYTES);
	S3Upload   *object = s3_upload_open(bucket(), "a/key", "text/plain");

	(void) arg;
	s3_upload_write(object, data, S3_PART_BYTES);
	s3_upload_write(object, data, 1);
	s3_upload_finish(object);
}

static void
delete_objects(void *arg)
{
	List	   *keys = list_make2("a/key", "an\xC3\xA4<other>");
	List	   *undeleted = s3_delete_objects(bucket(), keys);
	ListCell   *cell;

	(void) arg;
	foreach(cell, undeleted)
	{
		S3Undeleted *item = lfirst(cell);

		require(list_member_ptr(keys, item->key));
		require_text(aws_error_detail(&item->error));
	}
}

static const struct
{
	char		letter;
	ServerBody	body;
}			operations[] = {
	{'d', describe}, {'l', list_shards}, {'n', list_streams},
	{'i', get_iterator}, {'r', get_records}, {'p', put_records},
	{'b', get_more_records}, {'w', be_woken},
	{'o', put_object}, {'u', upload}, {'x', delete_objects}
};

/* ----------------------------------------------------------------
 * Inputs
 * ---------------------------------------------------------------- */

static size_t
body_bytes(Input answer)
{
	size_t		bytes = 0;
	Input		piece;

	while (input_cut(&answer, PIECE_SEPARATOR, &piece))
		bytes += piece.len;
	return bytes;
}

static void
say_answer(Input answer, bool last_word)
{
	StringInfoData first;
	Input		piece = {"", 0};

	initStringInfo(&first);
	if (answer.len < 5 || memcmp(answer.start, "HTTP/", 5) != 0)
		appendStringInfo(&first,
						 "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
						 body_bytes(answer));
	(void) input_cut(&answer, PIECE_SEPARATOR, &piece);
	appendBinaryStringInfo(&first, piece.start, piece.len);
	remote_say(first.data, first.len, last_word && answer.len == 0);
	while (input_cut(&answer, PIECE_SEPARATOR, &piece))
		remote_say_later(piece.start, piece.len);
}

static void
say_answers(const char *data, size_t size)
{
	Input		rest = {data, size};
	Input		answer;

	while (input_cut(&rest, SEPARATOR, &answer))
		say_answer(answer, rest.len == 0);
}

static void
fuzz(const char *data, size_t size)
{
	HttpBudget	budget = {.max_bytes = BUDGET_BYTES};
	KinesisStream stream = {
		.name = "stream",.unpack = true,.budget = &budget
	};
	const AwsConfig *config;
	ErrorData  *error = NULL;

	if (size == 0)
		return;
	say_answers(data + 1, size - 1);
	config = server_config();
	stream.aws = aws_client_open(CurrentMemoryContext, config, AWS_KINESIS);
	for (size_t i = 0; i < lengthof(operations); i++)
	{
		if (operations[i].letter == *data)
			error = server_try(operations[i].body, &stream);
	}
	require(error == NULL || server_error_is_sound(error));
	require(aws_client_stats(stream.aws)->retries >= 0 &&
			aws_client_max_retries(stream.aws) == config->max_retries &&
			strcmp(aws_client_url(stream.aws), config->endpoint) == 0);
	buffer_trim();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	server_input(fuzz, data, size);
	remote_end();
	return 0;
}
