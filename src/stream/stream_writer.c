/*
 * stream_writer.c
 *	  Publishing rows with PutRecords; see stream_writer.h.
 */
#include "postgres.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "base/compat.h"
#include "lib/stringinfo.h"
#include "stream/stream_writer.h"
#include "utils/memutils.h"

/* Back-off before records that failed are sent again */
#define RESEND_BASE_MS 100
#define RESEND_CAP_MS 5000

/* Rows that an error names at the most */
#define ROWS_NAMED 10

/* Characters of a partition key that we make up, and the terminator */
#define RANDOM_KEY_SIZE 17

static uint32 resend_wait_event = 0;

typedef struct WaitingRecord
{
	KinesisPutRecord put;
	int64		row;			/* 1-based, of the statement */
	char	   *random_key;		/* buffer of the key that we made up; NULL:
								 * the user gave one */
	StreamSent *sent;			/* where to append the answer, or NULL */
} WaitingRecord;

struct StreamWriter
{
	MemoryContext cxt;
	MemoryContext request_cxt;	/* holds the waiting records and the answer;
								 * reset when the next request begins */
	const KinesisStream *stream;
	int			max_retries;
	int			max_record_bytes;	/* 0: not asked yet */

	WaitingRecord *waiting;		/* KINESIS_PUT_RECORDS_LIMIT of them */
	int			n_waiting;
	size_t		waiting_bytes;	/* as PutRecords counts them */
	int64		rows;			/* checked so far in the statement */
	KinesisPutResult last;		/* for the last record that was accepted */
};

StreamWriter *
stream_writer_open(MemoryContext cxt, const KinesisStream *stream,
				   int max_retries)
{
	StreamWriter *writer = MemoryContextAllocZero(cxt, sizeof(StreamWriter));

	writer->cxt = cxt;
	writer->request_cxt = AllocSetContextCreate(cxt, "tracking_fdw request",
												ALLOCSET_DEFAULT_SIZES);
	writer->stream = stream;
	writer->max_retries = max_retries;
	writer->waiting = MemoryContextAlloc(cxt, sizeof(WaitingRecord) *
										 KINESIS_PUT_RECORDS_LIMIT);
	return writer;
}

void
stream_writer_begin(StreamWriter *writer)
{
	writer->rows = 0;
}

const char *
stream_writer_place(const StreamWriter *writer)
{
	return psprintf("%s %s", aws_client_url(writer->stream->aws),
					writer->stream->name);
}

/* Make up a partition key: random, so that the shards get equal shares. */
static void
fill_random_key(char *key)
{
	snprintf(key, RANDOM_KEY_SIZE, "%08x%08x",
			 (uint32) (backoff_random() * PG_UINT32_MAX),
			 (uint32) (backoff_random() * PG_UINT32_MAX));
}

/*
 * A stream accepts records of up to 1 MiB, or what it is set to.  We ask for
 * that setting only when a record is larger than 1 MiB.
 */
static void
check_record_bytes(StreamWriter *writer, size_t bytes)
{
	if (bytes <= KINESIS_RECORD_BYTES)
		return;
	if (writer->max_record_bytes == 0)
		writer->max_record_bytes =
			kinesis_describe_stream_summary(writer->stream)->max_record_bytes;
	if (bytes > (size_t) writer->max_record_bytes)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("row " INT64_FORMAT " is too large for stream \"%s\"",
						writer->rows, writer->stream->name),
				 errdetail("Its record has %zu bytes with its partition key; the stream takes %d.",
						   bytes, writer->max_record_bytes),
				 errhint("Publish smaller rows, or raise the stream's maximum record size.")));
}

/* The size of a record as the service counts it. */
static size_t
record_bytes(const KinesisPutRecord *record)
{
	return record->data_bytes + (record->partition_key == NULL ?
								 RANDOM_KEY_SIZE - 1 :
								 strlen(record->partition_key));
}

int64
stream_writer_check(StreamWriter *writer, const KinesisPutRecord *record)
{
	writer->rows++;
	kinesis_check_keys(record, writer->rows);
	check_record_bytes(writer, record_bytes(record));
	return writer->rows;
}

void
stream_writer_add(StreamWriter *writer, int64 row,
				  const KinesisPutRecord *record, StreamSent *sent)
{
	MemoryContext old;
	WaitingRecord *waiting;
	size_t		bytes = record_bytes(record);

	if (writer->n_waiting == KINESIS_PUT_RECORDS_LIMIT ||
		(writer->n_waiting > 0 &&
		 writer->waiting_bytes + bytes > KINESIS_PUT_RECORDS_BYTES))
		stream_writer_flush(writer);
	if (writer->n_waiting == 0)
		MemoryContextReset(writer->request_cxt);

	old = MemoryContextSwitchTo(writer->request_cxt);
	waiting = &writer->waiting[writer->n_waiting++];
	waiting->row = row;
	waiting->sent = sent;
	waiting->put.data = memcpy(palloc(Max(record->data_bytes, 1)),
							   record->data, record->data_bytes);
	waiting->put.data_bytes = record->data_bytes;
	waiting->random_key = NULL;
	if (record->partition_key != NULL)
		waiting->put.partition_key = pstrdup(record->partition_key);
	else
	{
		waiting->random_key = palloc(RANDOM_KEY_SIZE);
		fill_random_key(waiting->random_key);
		waiting->put.partition_key = waiting->random_key;
	}
	waiting->put.explicit_hash_key = record->explicit_hash_key == NULL ? NULL :
		pstrdup(record->explicit_hash_key);
	writer->waiting_bytes += bytes;
	MemoryContextSwitchTo(old);
}

static void
note_sent(StreamSent *sent, const KinesisPutResult *result)
{
	MemoryContext old = MemoryContextSwitchTo(sent->cxt);
	KinesisPutResult *noted = palloc0(sizeof(KinesisPutResult));

	noted->shard_id = pstrdup(result->shard_id);
	noted->sequence_number = pstrdup(result->sequence_number);
	sent->results = lappend(sent->results, noted);
	MemoryContextSwitchTo(old);
}

/*
 * Send the waiting records once; keep those that failed, and return how many.
 * *failure is set to the error of the last of them.
 */
static int
send_once(StreamWriter *writer, const AwsError **failure)
{
	KinesisPutRecord *puts = palloc(sizeof(KinesisPutRecord) *
									writer->n_waiting);
	KinesisPutResult *results = palloc0(sizeof(KinesisPutResult) *
										writer->n_waiting);
	int			failed = 0;

	for (int i = 0; i < writer->n_waiting; i++)
		puts[i] = writer->waiting[i].put;
	kinesis_put_records(writer->stream, puts, writer->n_waiting, results);
	for (int i = 0; i < writer->n_waiting; i++)
	{
		if (results[i].error == NULL)
		{
			writer->last = results[i];
			if (writer->waiting[i].sent != NULL)
				note_sent(writer->waiting[i].sent, &results[i]);
			continue;
		}
		*failure = results[i].error;
		writer->waiting[failed] = writer->waiting[i];
		/* with another key the record may go to a shard that has room */
		if (writer->waiting[failed].random_key != NULL)
			fill_random_key(writer->waiting[failed].random_key);
		failed++;
	}
	return failed;
}

pg_noreturn static void
raise_unpublished(const StreamWriter *writer, int sent,
				  const AwsError *failure, int attempts)
{
	StringInfoData rows;

	initStringInfo(&rows);
	for (int i = 0; i < Min(writer->n_waiting, ROWS_NAMED); i++)
		appendStringInfo(&rows, "%s" INT64_FORMAT, i > 0 ? ", " : "",
						 writer->waiting[i].row);
	if (writer->n_waiting > ROWS_NAMED)
		appendStringInfoString(&rows, ", ...");
	ereport(ERROR,
			(errcode(failure->sqlstate),
			 errmsg("could not publish %d of %d records to stream \"%s\"",
					writer->n_waiting, sent, writer->stream->name),
			 errdetail("%s: %s (rows %s, after %d attempts)",
					   failure->code, failure->message, rows.data, attempts),
			 errhint("The other rows are published already and stay so. Publish the rows named again, more slowly or to a stream with more shards.")));
}

void
stream_writer_flush(StreamWriter *writer)
{
	MemoryContext old = MemoryContextSwitchTo(writer->request_cxt);
	int			sent = writer->n_waiting;
	int			attempt = 0;

	while (writer->n_waiting > 0)
	{
		const AwsError *failure = NULL;
		int			before = writer->n_waiting;

		writer->n_waiting = send_once(writer, &failure);
		if (writer->n_waiting == 0)
			break;
		/* if some records were accepted, the shards are only busy */
		if (writer->n_waiting == before && attempt >= writer->max_retries)
			raise_unpublished(writer, sent, failure, attempt + 1);
		clock_wait(backoff_delay_ms(attempt, RESEND_BASE_MS, RESEND_CAP_MS,
									backoff_random()),
				   compat_wait_event(&resend_wait_event,
									 "TrackingFdwResend"));
		attempt = writer->n_waiting == before ? attempt + 1 : 0;
	}
	writer->waiting_bytes = 0;
	MemoryContextSwitchTo(old);
}

void
stream_writer_discard(StreamWriter *writer)
{
	writer->n_waiting = 0;
	writer->waiting_bytes = 0;
}

const KinesisPutResult *
stream_writer_last(const StreamWriter *writer)
{
	return &writer->last;
}
