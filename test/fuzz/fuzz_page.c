/*
 * fuzz_page.c
 *	  libFuzzer target: answers to GetRecords, in one piece and in many.
 *
 * However an answer is cut, and whether or not its memory moves meanwhile, the
 * page is the same, or the reason why there is none.  What is accepted is
 * JSON, and holds what jansson finds in it.  A position behind a record is one
 * that can be stored, and behind those of its aggregate that came before.
 */
#include "server.h"

#include <jansson.h>
#include <math.h>
#include <sanitizer/asan_interface.h>

#include "base/buffer.h"
#include "common/hashfn.h"
#include "json/json_scan.h"
#include "lib/stringinfo.h"
#include "service/kinesis_wire.h"
#include "stream/position.h"
#include "utils/memutils.h"

/* Ways in which an answer is cut, as its own bytes tell */
#define CUTS 4

/* In place of aws_call.c: a call that has been answered, in part. */
struct AwsCall
{
	MemoryContext cxt;
	char	   *room;			/* as large as the whole answer */
	size_t		room_bytes;		/* with a terminator */
	size_t		bytes;			/* so many have come */
	void	   *progress;
};

typedef struct Reading
{
	const char *data;			/* the answer */
	size_t		size;
	size_t		step;			/* bytes that come at once */
	bool		moves;			/* with each piece the memory is another */
	StringInfoData page;		/* as text */
} Reading;

/* ----------------------------------------------------------------
 * Calls
 * ---------------------------------------------------------------- */

MemoryContext
aws_call_context(AwsCall *call)
{
	return call->cxt;
}

char *
aws_call_body(AwsCall *call, size_t *bytes)
{
	*bytes = call->bytes;
	return call->room;
}

void *
aws_call_progress(const AwsCall *call)
{
	return call->progress;
}

void
aws_call_close(AwsCall *call)
{
	ASAN_UNPOISON_MEMORY_REGION(call->room, call->room_bytes);
	free(call->room);
	MemoryContextDelete(call->cxt);
}

/* What has not come cannot be read; the terminator comes with the last. */
static void
set_arrived(AwsCall *call, const Reading *reading, size_t bytes)
{
	bool		all = bytes == reading->size;

	ASAN_UNPOISON_MEMORY_REGION(call->room, call->room_bytes);
	memcpy(call->room + call->bytes, reading->data + call->bytes,
		   bytes - call->bytes);
	call->room[reading->size] = '\0';
	call->bytes = bytes;
	if (!all)
		ASAN_POISON_MEMORY_REGION(call->room + bytes,
								  call->room_bytes - bytes);
}

static void
move_room(AwsCall *call)
{
	char	   *moved = malloc(call->room_bytes);

	ASAN_UNPOISON_MEMORY_REGION(call->room, call->room_bytes);
	memcpy(moved, call->room, call->bytes);
	free(call->room);
	call->room = moved;
}

static AwsCall *
answer(const Reading *reading)
{
	AwsCall    *call = palloc0(sizeof(AwsCall));
	size_t		bytes = 0;

	call->cxt = AllocSetContextCreate(CurrentMemoryContext, "call",
									  ALLOCSET_DEFAULT_SIZES);
	call->room_bytes = reading->size + 1;
	call->room = malloc(call->room_bytes);
	while (reading->step > 0 && reading->size - bytes > reading->step)
	{
		bytes += reading->step;
		set_arrived(call, reading, bytes);
		call->progress = kinesis_page_progress(call, call->progress,
											   call->room, bytes,
											   call->room_bytes);
		if (reading->moves)
			move_room(call);
	}
	set_arrived(call, reading, reading->size);
	return call;
}

/* ----------------------------------------------------------------
 * Pages as text
 * ---------------------------------------------------------------- */

static void
put_slice(StringInfo out, const char *name, const char *start, size_t bytes)
{
	appendStringInfo(out, " %s=%zu:", name, bytes);
	if (start != NULL)
		appendBinaryStringInfo(out, start, bytes);
}

static void
put_text(StringInfo out, const char *name, const char *text)
{
	appendStringInfo(out, " %s=%s", name, text == NULL ? "(null)" : text);
}

static void
put_record(StringInfo out, KinesisRecord *record)
{
	const char *data;
	size_t		bytes;
	bool		decoded;

	appendStringInfo(out, "\nrecord %d %d %d " INT64_FORMAT,
					 record->key_escaped, record->sub_sequence,
					 record->more_follow, record->arrived);
	put_slice(out, "sequence", record->sequence_number,
			  record->sequence_number_digits);
	put_slice(out, "key", record->partition_key, record->partition_key_bytes);
	put_slice(out, "hash", record->explicit_hash_key,
			  record->explicit_hash_key_digits);
	put_text(out, "sequence", kinesis_record_sequence(record));
	put_text(out, "key", kinesis_record_partition_key(record));
	decoded = kinesis_record_data(record, &data, &bytes);
	appendStringInfo(out, " decoded=%d", decoded);
	put_slice(out, "data", data, bytes);
}

/* Sub-records in the place of their aggregates, as a reader hands them out. */
static void
put_records(StringInfo out, KinesisPage *page)
{
	KinesisUnpack *unpack = page->aggregates == NULL ? NULL :
		kinesis_unpack_open(CurrentMemoryContext, page);

	for (int64 i = 0; i < page->n_left; i++)
	{
		KinesisRecord unpacked;

		if (unpack != NULL)
			kinesis_unpack_next(unpack, &unpacked, 1);
		put_record(out, unpack != NULL ? &unpacked : &page->records[i]);
	}
	if (unpack != NULL)
		kinesis_unpack_close(unpack);
}

static void
put_page(StringInfo out, KinesisPage *page)
{
	ListCell   *cell;

	appendStringInfo(out, "page %d " INT64_FORMAT " %d", page->n_records,
					 page->millis_behind_latest, page->maybe_aggregated);
	put_text(out, "next", page->next_iterator);
	foreach(cell, page->child_shards)
	{
		KinesisShard *shard = lfirst(cell);

		put_text(out, "child", shard->shard_id);
		put_text(out, "parent", shard->parent_shard_id);
		put_text(out, "adjacent", shard->adjacent_parent_shard_id);
		put_text(out, "from", shard->starting_hash_key);
		put_text(out, "to", shard->ending_hash_key);
	}
	put_records(out, page);
}

/* ----------------------------------------------------------------
 * Against jansson
 * ---------------------------------------------------------------- */

static const char *
member(const json_t *json, const char *name, size_t *bytes)
{
	const json_t *value = json_object_get(json, name);

	*bytes = json_string_length(value);
	return json_string_value(value);
}

static void
compare_record(KinesisRecord *record, const json_t *json)
{
	const json_t *arrived = json_object_get(json,
											"ApproximateArrivalTimestamp");
	size_t		bytes;
	const char *text = member(json, "SequenceNumber", &bytes);

	require(text != NULL && bytes == record->sequence_number_digits &&
			memcmp(text, record->sequence_number, bytes) == 0);
	text = member(json, "PartitionKey", &bytes);
	require(strcmp(text == NULL ? "" : text,
				   kinesis_record_partition_key(record)) == 0);
	text = member(json, "Data", &bytes);
	require(text != NULL && (record->undecodable ||
							 (bytes == record->data_bytes &&
							  memcmp(text, record->data, bytes) == 0)));
	if (json_is_number(arrived))
	{
		double		us = json_number_value(arrived) * 1e6 - KINESIS_EPOCH_US;

		require(fabs(us - record->arrived) <= 1 + fabs(us) * 1e-12);
	}
}

/* The page of an answer in which no member is there twice. */
static void
compare_page(const KinesisPage *page, const Reading *reading)
{
	json_t	   *json = json_loadb(reading->data, reading->size,
								  JSON_REJECT_DUPLICATES, NULL);
	json_t	   *records = json_object_get(json, "Records");

	if (json == NULL)
		return;
	require(json_array_size(records) == (size_t) page->n_records);
	for (int i = 0; i < page->n_records; i++)
		compare_record(&page->records[i], json_array_get(records, i));
	json_decref(json);
}

static bool
is_json(const char *text, size_t len)
{
	JsonScan	scan;
	JsonSlice	value;

	json_scan_init(&scan, text, len);
	return json_scan_value(&scan, &value) != JSON_TOKEN_ERROR &&
		json_scan_next(&scan) == JSON_TOKEN_END;
}

/* ----------------------------------------------------------------
 * Positions
 * ---------------------------------------------------------------- */

static void
check_positions(const KinesisPage *page)
{
	for (int i = 0; i < page->n_records; i++)
	{
		const KinesisRecord *record = &page->records[i];
		StreamPosition position = {0};
		StreamPosition stored;

		position_after_record(&position, record);
		require(position_from_text(position_to_text(&position), &stored));
		require(stored.sub_sequence == position.sub_sequence &&
				strcmp(stored.sequence, position.sequence) == 0);
	}
}

/* ----------------------------------------------------------------
 * Reading
 * ---------------------------------------------------------------- */

static void
read_page(void *arg)
{
	Reading    *reading = arg;
	KinesisPage *page = kinesis_get_records_end(answer(reading));

	require(page->millis_behind_latest >= -1 &&
			page->millis_behind_latest <= PG_INT64_MAX / 1000);
	if (reading->step == 0)
	{
		require(is_json(reading->data, reading->size));
		compare_page(page, reading);
	}
	/* aggregates are told by what is not decoded yet */
	kinesis_page_count(page, true);
	if (reading->step == 0)
		check_positions(page);
	put_page(&reading->page, page);
	kinesis_page_free(page);
}

/* The page as text, or the reason why there is none. */
static void
read_answer(Reading *reading)
{
	ErrorData  *error;

	initStringInfo(&reading->page);
	error = server_try(read_page, reading);
	if (error == NULL)
		return;
	require(server_error_is_sound(error));
	resetStringInfo(&reading->page);
	appendStringInfo(&reading->page, "%s: %s", error->message, error->detail);
}

static void
compare_pieces(Reading *reading, const StringInfo whole)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pieces",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);

	read_answer(reading);
	require(reading->page.len == whole->len &&
			memcmp(reading->page.data, whole->data, whole->len) == 0);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(cxt);
}

static void
compare_cuts(Reading *reading, const StringInfo whole)
{
	uint32		hash = hash_bytes((const unsigned char *) reading->data,
								  reading->size);

	if (reading->size < 2)
		return;
	for (int i = 0; i < CUTS; i++)
	{
		reading->step = 1 + (hash >> i * 8) % (reading->size - 1);
		reading->moves = (hash >> i) & 1;
		compare_pieces(reading, whole);
	}
}

/* What a reader does with an answer that is not one. */
static void
try_answer(Reading *reading)
{
	AwsError	error;
	KinesisPage *page;

	reading->step = 0;
	page = kinesis_get_records_try(answer(reading), &error);
	if (page != NULL)
		kinesis_page_free(page);
	else
		require(error.class == AWS_ERROR_RETRY && error.message[0] != '\0');
}

static void
fuzz(const char *data, size_t size)
{
	Reading		reading = {.data = data,.size = size};
	StringInfoData whole;

	read_answer(&reading);
	whole = reading.page;
	compare_cuts(&reading, &whole);
	try_answer(&reading);
	buffer_trim();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return server_input(fuzz, data, size);
}
