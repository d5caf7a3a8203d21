/*
 * api.c
 *	  The operations of the Kinesis API that a reader calls.
 *
 * Signatures are not checked.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"

/* Iterators are as long as the service's, which have some 200 characters. */
#define ITERATOR_CHARS 200

/* Counts of the answers to GetRecords, which GET / returns. */
static struct
{
	int64_t		calls;
	int64_t		empty;
	int64_t		records;
	int64_t		bytes;
	int64_t		faults;
}			counts;

/* ----------------------------------------------------------------
 * Streams and shards
 * ---------------------------------------------------------------- */

static Stream *
named_stream(const Request *request, Answer *answer)
{
	const char *name;
	size_t		len;
	Stream	   *stream = NULL;

	if (request_string(request, "StreamName", &name, &len))
		stream = stream_get(name, len);
	if (stream == NULL)
		answer_refuse(answer, "ResourceNotFoundException",
					  "A stream's name is CONTENT.s4.n1000, see replay.h.");
	return stream;
}

static void
describe_stream_summary(const Request *request, Answer *answer)
{
	Stream	   *stream = named_stream(request, answer);
	char		body[1024];

	if (stream == NULL)
		return;
	snprintf(
			 body, sizeof(body),
			 "{\"StreamDescriptionSummary\":{\"StreamName\":\"%s\","
			 "\"StreamARN\":\"arn:aws:kinesis:us-east-1:000000000000:stream/%s\","
			 "\"StreamStatus\":\"ACTIVE\",\"RetentionPeriodHours\":24,"
			 "\"StreamCreationTimestamp\":1700000000.0,\"EnhancedMonitoring\":[],"
			 "\"EncryptionType\":\"NONE\",\"OpenShardCount\":%d,\"ConsumerCount\":0}}",
			 stream->name, stream->name, stream->n_shards);
	answer_text(answer, "200 OK", body);
}

static int
write_shard(char *out, const Stream *stream, int shard)
{
	/* the shards have only part of all hash keys, which no reader minds */
	uint64_t	each = UINT64_MAX / stream->n_shards;
	char		sequence[SEQUENCE_DIGITS + 1] = {0};

	sequence_write(sequence, -1);
	return sprintf(
				   out,
				   "{\"ShardId\":\"shardId-%012d\","
				   "\"HashKeyRange\":{\"StartingHashKey\":\"%llu\","
				   "\"EndingHashKey\":\"%llu\"},"
				   "\"SequenceNumberRange\":{\"StartingSequenceNumber\":\"%s\"}}",
				   shard, (unsigned long long) (each * shard),
				   (unsigned long long) (each * (shard + 1) - 1), sequence);
}

/* NextToken is a stream's name, a slash, and the shard to go on with. */
static Stream *
listed_stream(const Request *request, Answer *answer, int *first)
{
	const char *token;
	size_t		len;
	const char *slash;

	*first = 0;
	if (!request_string(request, "NextToken", &token, &len))
		return named_stream(request, answer);
	slash = memchr(token, '/', len);
	if (slash == NULL)
	{
		answer_refuse(answer, "InvalidArgumentException", "That is no token.");
		return NULL;
	}
	*first = atoi(slash + 1);
	return stream_get(token, slash - token);
}

static void
list_shards(const Request *request, Answer *answer)
{
	int			first;
	Stream	   *stream = listed_stream(request, answer, &first);
	int			most = request_number(request, "MaxResults", LIST_SHARDS);
	int			end;
	char	   *body;
	char	   *at;

	if (stream == NULL)
		return;
	end = first + (most < LIST_SHARDS ? most : LIST_SHARDS);
	if (end > stream->n_shards)
		end = stream->n_shards;
	at = body = malloc(1024 + (end - first) * 512);
	at += sprintf(at, "{\"Shards\":[");
	for (int shard = first; shard < end; shard++)
	{
		if (shard > first)
			*at++ = ',';
		at += write_shard(at, stream, shard);
	}
	at += sprintf(at, "]");
	if (end < stream->n_shards)
		at += sprintf(at, ",\"NextToken\":\"%s/%d\"", stream->name, end);
	sprintf(at, "}");
	answer_text(answer, "200 OK", body);
	free(body);
}

/* ----------------------------------------------------------------
 * Iterators: a stream's name, its shard, the next record, and dots
 * ---------------------------------------------------------------- */

static void
write_iterator(char *out, const Stream *stream, int shard, int64_t record)
{
	int			len =
		sprintf(out, "%s/%d/%lld/", stream->name, shard, (long long) record);

	while (len < ITERATOR_CHARS)
		out[len++] = '.';
	out[len] = '\0';
}

static bool
read_iterator(const char *text, size_t len, Stream **stream, int *shard,
			  int64_t *record)
{
	const char *slash = memchr(text, '/', len);
	char	   *end;

	if (slash == NULL || (*stream = stream_get(text, slash - text)) == NULL)
		return false;
	*shard = strtol(slash + 1, &end, 10);
	if (*end != '/' || *shard < 0 || *shard >= (*stream)->n_shards)
		return false;
	*record = strtoll(end + 1, &end, 10);
	return *end == '/' && *record >= 0;
}

/* The record that an iterator begins with; -1: there is no such type. */
static int64_t
iterator_start(const Request *request, const Stream *stream, int shard)
{
	const char *type = "";
	const char *number = "";
	size_t		type_len = 0;
	size_t		number_len = 0;
	int64_t		record;

#define IS(name) \
	(type_len == sizeof(name) - 1 && memcmp(type, name, type_len) == 0)
	request_string(request, "ShardIteratorType", &type, &type_len);
	request_string(request, "StartingSequenceNumber", &number, &number_len);
	record = sequence_read(number, number_len);
	if (IS("TRIM_HORIZON"))
		return 0;
	if (IS("LATEST"))
		return stream_arrived(stream, shard, now_us());
	if (IS("AT_TIMESTAMP"))
		return stream_record_after(
								   stream, shard, request_number(request, "Timestamp", 0) * 1e6);
	if (IS("AT_SEQUENCE_NUMBER"))
		return record < 0 ? 0 : record;
	if (IS("AFTER_SEQUENCE_NUMBER"))
		return record + 1;
	return -1;
#undef IS
}

static void
get_shard_iterator(const Request *request, Answer *answer)
{
	Stream	   *stream = named_stream(request, answer);
	const char *id;
	size_t		len;
	int			shard;
	int64_t		record;
	char		iterator[NAME_BYTES + ITERATOR_CHARS];
	char		body[sizeof(iterator) + 64];

	if (stream == NULL)
		return;
	if (!request_string(request, "ShardId", &id, &len) ||
		sscanf(id, "shardId-%d", &shard) != 1 || shard < 0 ||
		shard >= stream->n_shards)
	{
		answer_refuse(answer, "ResourceNotFoundException",
					  "There is no such shard.");
		return;
	}
	record = iterator_start(request, stream, shard);
	if (record < 0)
	{
		answer_refuse(answer, "InvalidArgumentException",
					  "That is no type of iterator.");
		return;
	}
	write_iterator(iterator, stream, shard, record);
	snprintf(body, sizeof(body), "{\"ShardIterator\":\"%s\"}", iterator);
	answer_text(answer, "200 OK", body);
}

/* ----------------------------------------------------------------
 * GetRecords
 * ---------------------------------------------------------------- */

typedef enum Fault
{
	NO_FAULT, THROTTLED, FAILED, CUT, EMPTY
} Fault;

/*
 * The fault of a shard's next call, by a script of 20 calls; each shard begins
 * at another place of the script.
 */
static Fault
next_fault(Stream *stream, int shard)
{
	static const Fault script[20] = {
		[2] = THROTTLED,
		[5] = EMPTY,
		[8] = FAILED,
		[12] = THROTTLED,
		[15] = CUT,
		[18] = EMPTY
	};
	int64_t		call = stream->calls[shard]++;

	return stream->faulty ? script[(call + shard * 7) % 20] : NO_FAULT;
}

/* MillisBehindLatest, when all records before record were read. */
static int64_t
millis_behind(const Stream *stream, int shard, int64_t record, int64_t now)
{
	if (record >= stream_arrived(stream, shard, now))
		return 0;
	return (now - stream_arrival_us(stream, shard, record)) / 1000 + 1;
}

static void
answer_records(Answer *answer, Slice slice, int64_t now)
{
	static const char first[] = "{\"Records\":";
	char		iterator[NAME_BYTES + ITERATOR_CHARS];
	size_t		records_bytes = content_measure(&slice);
	size_t		first_bytes = sizeof(first) - 1;

	write_iterator(iterator, slice.stream, slice.shard, slice.end);
	answer->tail_bytes = sprintf(
								 answer->tail,
								 "%s],\"NextShardIterator\":\"%s\",\"MillisBehindLatest\":%lld}",
								 slice.end > slice.first ? "" : "[", iterator,
								 (long long) millis_behind(slice.stream, slice.shard, slice.end, now));
	answer_begin(answer, "200 OK", first, first_bytes,
				 first_bytes + records_bytes + answer->tail_bytes);
	answer->slice = slice;
	answer->records_bytes = records_bytes;

	counts.records += slice.end - slice.first;
	counts.bytes += records_bytes;
	if (slice.end == slice.first)
		counts.empty++;
}

static void
get_records(const Request *request, Answer *answer)
{
	const char *iterator;
	size_t		len;
	Stream	   *stream;
	Slice		slice = {0};
	int64_t		limit = request_number(request, "Limit", ANSWER_RECORDS);
	int64_t		now = now_us();
	Fault		fault;

	if (!request_string(request, "ShardIterator", &iterator, &len) ||
		!read_iterator(iterator, len, &stream, &slice.shard, &slice.first))
	{
		answer_refuse(answer, "InvalidArgumentException",
					  "That is no iterator.");
		return;
	}
	counts.calls++;
	fault = next_fault(stream, slice.shard);
	if (fault != NO_FAULT)
		counts.faults++;
	if (fault == THROTTLED)
	{
		answer_refuse(answer, "ProvisionedThroughputExceededException",
					  "Rate exceeded.");
		return;
	}
	if (fault == FAILED)
	{
		answer_error(answer, "500 Internal Server Error", "InternalFailure",
					 "As asked.");
		return;
	}
	if (limit > stream->limit)
		limit = stream->limit;
	slice.stream = stream;
	slice.end = stream_arrived(stream, slice.shard, now);
	if (slice.end > slice.first + limit)
		slice.end = slice.first + limit;
	if (slice.end < slice.first || fault == EMPTY)
		slice.end = slice.first;
	answer_records(answer, slice, now);
	if (fault == CUT)
		answer->cut_after = answer->head_bytes + answer->records_bytes / 2;
}

static void
tell_counts(Answer *answer)
{
	char		body[256];

	snprintf(
			 body, sizeof(body),
			 "{\"calls\":%lld,\"empty\":%lld,\"records\":%lld,\"bytes\":%lld,\"faults\":%lld}",
			 (long long) counts.calls, (long long) counts.empty,
			 (long long) counts.records, (long long) counts.bytes,
			 (long long) counts.faults);
	answer_text(answer, "200 OK", body);
}

void
api_answer(const char *target, size_t target_len, const char *body,
		   size_t body_len, Answer *answer)
{
	static const struct
	{
		const char *name;
		void		(*run) (const Request *request, Answer *answer);
	}			operations[] = {
		{"GetRecords", get_records},
		{"GetShardIterator", get_shard_iterator},
		{"ListShards", list_shards},
		{"DescribeStreamSummary", describe_stream_summary}
	};
	Request		request = {
		.body = body,
		.len = body_len
	};
	const char *dot = target_len > 0 ? memrchr(target, '.', target_len) : NULL;

	memset(answer, 0, sizeof(*answer));
	if (target_len == 0)
	{
		tell_counts(answer);
		return;
	}
	for (size_t i = 0; dot && i < sizeof(operations) / sizeof(operations[0]);
		 i++)
	{
		size_t		len = strlen(operations[i].name);

		if (target + target_len - dot - 1 == (ptrdiff_t) len &&
			memcmp(dot + 1, operations[i].name, len) == 0)
		{
			operations[i].run(&request, answer);
			return;
		}
	}
	answer_refuse(answer, "UnknownOperationException",
				  "This server only replays.");
}
