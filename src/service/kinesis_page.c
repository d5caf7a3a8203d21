/*
 * kinesis_page.c
 *	  Kinesis: the answer to GetRecords, as records.
 *
 * The hot path: the answer is scanned once, without a tree, and records are
 * slices of it.  No payload is looked at.  Records that are written as all
 * servers write them are read as they come, while they are in the processor's
 * cache; what is odd, once the answer is there.
 */
#include "postgres.h"

#include "common/int.h"
#include "utils/timestamp.h"

#include "base/buffer.h"
#include "base/json_scan.h"
#include "base/json_skip.h"
#include "service/kinesis_wire.h"

/* What a record with no payload to speak of takes of an answer, at least */
#define RECORD_ANSWER_BYTES 160

/* Digits that a number is read to; no double has more */
#define NUMBER_DIGITS 18

/* Digits of the seconds since 1970, from 2001 to 2286 */
#define SECONDS_DIGITS 10

/* How an answer begins that can be read as it comes */
#define RECORDS_START "{\"Records\":["

/* An answer being read; in the call's context. */
typedef struct Answer
{
	AwsCall    *call;
	MemoryContext caller_cxt;	/* the call's own is the current one */
	JsonScan	scan;
	bool		in_records;		/* in the array, behind some of them */
	size_t		next_bytes;		/* so many must have come to go on */
	KinesisPage *page;
	int			n_allocated;	/* of page->records */
} Answer;

pg_noreturn static void
bad_page(Answer *answer, const char *why)
{
	const JsonScan *scan = &answer->scan;

	/* the call is about to be closed */
	MemoryContextSwitchTo(answer->caller_cxt);
	if (scan->error != JSON_SCAN_OK)
		why = psprintf("Not JSON: %s, at byte %zu.",
					   json_scan_error_text(scan->error),
					   json_scan_error_offset(scan));
	kinesis_bad_answer(answer->call, "read an answer to GetRecords", why);
}

/* The next member of the object that was entered last; false at its end. */
static inline bool
next_member(Answer *answer, JsonSlice *key)
{
	JsonToken	token = json_scan_next(&answer->scan);

	if (token == JSON_TOKEN_OBJECT_END)
		return false;
	if (token != JSON_TOKEN_KEY)
		bad_page(answer, "An object was expected.");
	*key = answer->scan.value;
	return true;
}

#define KEY_IS(key, name) \
	((key).len == sizeof(name) - 1 && \
	 memcmp((key).start, (name), sizeof(name) - 1) == 0)

static inline JsonToken
read_value(Answer *answer, JsonSlice *value)
{
	JsonToken	type = json_scan_value(&answer->scan, value);

	if (type == JSON_TOKEN_ERROR)
		bad_page(answer, NULL);
	return type;
}

/*
 * Enter a container of this type, where a value stands; false if it is null.
 */
static bool
enter(Answer *answer, JsonToken type)
{
	JsonToken	token = json_scan_next(&answer->scan);

	if (token == JSON_TOKEN_NULL)
		return false;
	if (token != type)
		bad_page(answer, "A member has a type that it cannot have.");
	return true;
}

/*
 * A string of the answer, unescaped in place and terminated (its quote gives
 * the room, and the scan is past it).  NULL if the value is no string.
 */
static char *
string_in_place(Answer *answer, const JsonSlice *value)
{
	char	   *text = unconstify(char *, value->start);
	size_t		bytes = value->len;

	if (value->type != JSON_TOKEN_STRING)
		return NULL;
	if (value->escaped &&
		json_unescape(text, bytes, text, &bytes) != JSON_SCAN_OK)
		bad_page(answer, "A member is not text.");
	text[bytes] = '\0';
	return text;
}

/*
 * A JSON number times 10^shift, rounded.  Exact, where a double would turn
 * 1763866000.123 seconds into something near it.  False if it is too large.
 */
static bool
scaled_number(const JsonSlice *value, int shift, int64 *result)
{
	const char *p = value->start;
	const char *end = p + value->len;
	bool		negative = *p == '-';
	bool		in_fraction = false;
	int64		number = 0;
	int			n_digits = 0;
	int			exponent = 0;
	bool		exponent_negative;

	for (p += negative; p < end && *p != 'e' && *p != 'E'; p++)
	{
		if (*p == '.')
		{
			in_fraction = true;
			continue;
		}
		if (n_digits == NUMBER_DIGITS)
			shift += !in_fraction;
		else
		{
			number = number * 10 + (*p - '0');
			n_digits += number > 0;
			shift -= in_fraction;
		}
	}

	if (p < end)
		p++;
	exponent_negative = p < end && *p == '-';
	for (p += p < end && (*p == '-' || *p == '+'); p < end; p++)
		exponent = Min(exponent * 10 + (*p - '0'), 10000);
	shift += exponent_negative ? -exponent : exponent;

	for (; shift > 0 && number != 0; shift--)
		if (pg_mul_s64_overflow(number, 10, &number))
			return false;
	for (; shift < -1 && number != 0; shift++)
		number /= 10;
	if (shift == -1)
		number = (number + 5) / 10;

	*result = negative ? -number : number;
	return true;
}

static TimestampTz
read_timestamp(Answer *answer, const JsonSlice *value)
{
	int64		us;

	if (!scaled_number(value, 6, &us) ||
		pg_sub_s64_overflow(us, KINESIS_EPOCH_US, &us) ||
		!IS_VALID_TIMESTAMP(us))
		bad_page(answer, "An ApproximateArrivalTimestamp is out of range.");
	return us;
}

/*
 * Eight bytes at a time: a byte is a digit if its upper half is that of '0',
 * and still so after six were added.
 */
static bool
all_digits(const char *text, size_t bytes)
{
	const uint64 upper = UINT64CONST(0xF0F0F0F0F0F0F0F0);
	const uint64 zeros = UINT64CONST(0x3030303030303030);
	const uint64 sixes = UINT64CONST(0x0606060606060606);
	uint64		wrong = 0;

	for (; bytes >= sizeof(uint64); text += sizeof(uint64), bytes -= sizeof(uint64))
	{
		uint64		eight;

		memcpy(&eight, text, sizeof(eight));
		wrong |= (eight & upper) ^ zeros;
		wrong |= ((eight + sixes) & upper) ^ zeros;
	}
	for (; bytes > 0; text++, bytes--)
		wrong |= *text < '0' || *text > '9';
	return wrong == 0;
}

static inline bool
has_sequence_length(const JsonSlice *value)
{
	return value->len > 0 && value->len <= KINESIS_SEQUENCE_DIGITS;
}

static inline void
set_sequence_number(KinesisRecord *record, const JsonSlice *value)
{
	record->sequence_number = value->start;
	record->sequence_number_digits = value->len;
}

static void
read_sequence_number(Answer *answer, const JsonSlice *value,
					 KinesisRecord *record)
{
	if (!has_sequence_length(value))
		bad_page(answer, "A SequenceNumber has a length it cannot have.");
	if (!all_digits(value->start, value->len))
		bad_page(answer, "A SequenceNumber is not made of digits.");
	set_sequence_number(record, value);
}

static inline void
set_data(Answer *answer, char *data, size_t bytes, KinesisRecord *record)
{
	record->data = data;
	record->data_bytes = bytes;
	if (bytes >= sizeof(KINESIS_AGGREGATE_BASE64) - 1 &&
		memcmp(data, KINESIS_AGGREGATE_BASE64,
			   sizeof(KINESIS_AGGREGATE_BASE64) - 1) == 0)
		answer->page->maybe_aggregated = true;
}

static void
read_data(Answer *answer, const JsonSlice *value, KinesisRecord *record)
{
	char	   *data = unconstify(char *, value->start);
	size_t		bytes = value->len;

	/* some servers write the slash of base64 as \/ */
	if (value->escaped &&
		json_unescape(data, bytes, data, &bytes) != JSON_SCAN_OK)
		record->undecodable = true;
	set_data(answer, data, bytes, record);
}

static void
clear_record(KinesisRecord *record)
{
	memset(record, 0, sizeof(KinesisRecord));
	record->partition_key = "";
	record->sub_sequence = -1;
}

/* Does text begin with these characters, at *p?  Then moves *p behind them. */
static inline bool
take(const char **p, const char *end, const char *text, size_t bytes)
{
	if ((size_t) (end - *p) < bytes || memcmp(*p, text, bytes) != 0)
		return false;
	*p += bytes;
	return true;
}

#define TAKE(p, end, text) take((p), (end), (text), sizeof(text) - 1)

/*
 * A string without escapes, behind its opening quote, that ends at rest; moves
 * *p behind it.
 */
static inline bool
take_string_to(const char **p, const char *rest, const char *end,
			   JsonSlice *value)
{
	value->type = JSON_TOKEN_STRING;
	value->escaped = false;
	value->start = *p;
	value->len = rest - *p;
	*p = rest;
	return TAKE(p, end, "\"");
}

static inline bool
take_string(const char **p, const char *end, JsonSlice *value)
{
	return take_string_to(p, json_skip_plain(*p, end), end, value);
}

static inline bool
take_long_string(const char **p, const char *end, JsonSlice *value)
{
	return take_string_to(p, json_skip_long(*p, end), end, value);
}

/*
 * A time of our days: ten digits of seconds since 1970, and up to six of a
 * fraction.  Moves *p behind them.
 */
static inline bool
take_timestamp(const char **p, const char *end, TimestampTz *timestamp)
{
	const char *digits = *p;
	int64		us = 0;
	int64		unit = USECS_PER_SEC;

	if (end - digits < SECONDS_DIGITS || *digits == '0')
		return false;
	for (int i = 0; i < SECONDS_DIGITS; i++, digits++)
	{
		if (*digits < '0' || *digits > '9')
			return false;
		us = us * 10 + (*digits - '0');
	}
	us *= USECS_PER_SEC;
	if (digits < end && *digits == '.')
	{
		for (digits++; digits < end && *digits >= '0' && *digits <= '9';
			 digits++)
		{
			unit /= 10;
			us += (*digits - '0') * unit;
		}
		if (unit == 0 || unit == USECS_PER_SEC)
			return false;
	}
	*timestamp = us - KINESIS_EPOCH_US;
	*p = digits;
	return true;
}

/*
 * The members of a record as all servers write them: those that we know, without
 * white space or escapes.  Returns what is behind its closing brace; NULL if it
 * is any other, or not all there.  Most of what an answer costs is spent here.
 */
static const char *
take_record(Answer *answer, const char *p, const char *end,
			KinesisRecord *record)
{
	JsonSlice	value;

	clear_record(record);
	do
	{
		if (TAKE(&p, end, "\"SequenceNumber\":\""))
		{
			if (!take_string(&p, end, &value) ||
				!has_sequence_length(&value) ||
				!all_digits(value.start, value.len))
				return NULL;
			set_sequence_number(record, &value);
		}
		else if (TAKE(&p, end, "\"ApproximateArrivalTimestamp\":"))
		{
			if (!take_timestamp(&p, end, &record->arrived))
				return NULL;
		}
		else if (TAKE(&p, end, "\"Data\":\""))
		{
			if (!take_long_string(&p, end, &value))
				return NULL;
			set_data(answer, unconstify(char *, value.start), value.len,
					 record);
		}
		else if (TAKE(&p, end, "\"PartitionKey\":\""))
		{
			if (!take_string(&p, end, &value))
				return NULL;
			record->partition_key = value.start;
			record->partition_key_bytes = value.len;
		}
		else if (!TAKE(&p, end, "\"EncryptionType\":\"") ||
				 !take_string(&p, end, &value))
			return NULL;
	} while (TAKE(&p, end, ","));

	if (!TAKE(&p, end, "}") || record->sequence_number == NULL ||
		record->data == NULL)
		return NULL;
	return p;
}

/* One record, entered already, however it is written. */
static void
read_any_record(Answer *answer, KinesisRecord *record)
{
	JsonSlice	key;
	JsonSlice	value;

	clear_record(record);
	while (next_member(answer, &key))
	{
		JsonToken	type = read_value(answer, &value);

		if (type == JSON_TOKEN_STRING)
		{
			if (KEY_IS(key, "Data"))
				read_data(answer, &value, record);
			else if (KEY_IS(key, "SequenceNumber"))
				read_sequence_number(answer, &value, record);
			else if (KEY_IS(key, "PartitionKey"))
			{
				record->partition_key = value.start;
				record->partition_key_bytes = value.len;
				record->key_escaped = value.escaped;
			}
		}
		else if (type == JSON_TOKEN_NUMBER &&
				 KEY_IS(key, "ApproximateArrivalTimestamp"))
			record->arrived = read_timestamp(answer, &value);
	}
	if (record->sequence_number == NULL || record->data == NULL)
		bad_page(answer, "A record has no SequenceNumber or no Data.");
}

/* Where the next record goes; it counts once it is read. */
static KinesisRecord *
next_record_slot(Answer *answer)
{
	KinesisPage *page = answer->page;

	if (page->n_records == answer->n_allocated)
	{
		KinesisRecord *fewer = page->records;

		if (fewer == NULL)
			answer->n_allocated = Min(page->bytes / RECORD_ANSWER_BYTES + 1,
									  KINESIS_GET_RECORDS_LIMIT);
		else
			answer->n_allocated *= 2;
		page->records = kinesis_page_records(page, answer->n_allocated);
		if (fewer != NULL)
		{
			memcpy(page->records, fewer,
				   page->n_records * sizeof(KinesisRecord));
			buffer_free(fewer);
		}
	}
	return &page->records[page->n_records];
}

/* Elements of an array that was entered; false at its end. */
static inline bool
next_object(Answer *answer)
{
	JsonToken	token = json_scan_next(&answer->scan);

	if (token == JSON_TOKEN_ARRAY_END)
		return false;
	if (token != JSON_TOKEN_OBJECT_START)
		bad_page(answer, "An array has an element that is no object.");
	return true;
}

/*
 * Records of an array that was entered, as long as they are plain and all there.
 */
static void
read_plain_records(Answer *answer)
{
	KinesisPage *page = answer->page;

	for (;;)
	{
		const char *end;
		const char *p = json_scan_rest(&answer->scan, &end);

		if (page->n_records > 0 && !TAKE(&p, end, ","))
			return;
		if (!TAKE(&p, end, "{"))
			return;
		p = take_record(answer, p, end, next_record_slot(answer));
		if (p == NULL)
			return;
		json_scan_passed(&answer->scan, p);
		page->n_records++;
	}
}

/* All that are left, to the end of the array. */
static void
read_records(Answer *answer)
{
	for (;;)
	{
		read_plain_records(answer);
		if (!next_object(answer))
			return;
		read_any_record(answer, next_record_slot(answer));
		answer->page->n_records++;
	}
}

static void
read_parents(Answer *answer, KinesisShard *shard)
{
	JsonSlice	value;

	if (!enter(answer, JSON_TOKEN_ARRAY_START))
		return;
	while (read_value(answer, &value) != JSON_TOKEN_ARRAY_END)
	{
		if (shard->parent_shard_id == NULL)
			shard->parent_shard_id = string_in_place(answer, &value);
		else
			shard->adjacent_parent_shard_id = string_in_place(answer, &value);
	}
}

static void
read_hash_key_range(Answer *answer, KinesisShard *shard)
{
	JsonSlice	key;
	JsonSlice	value;

	if (!enter(answer, JSON_TOKEN_OBJECT_START))
		return;
	while (next_member(answer, &key))
	{
		read_value(answer, &value);
		if (KEY_IS(key, "StartingHashKey"))
			shard->starting_hash_key = string_in_place(answer, &value);
		else if (KEY_IS(key, "EndingHashKey"))
			shard->ending_hash_key = string_in_place(answer, &value);
	}
}

static void
read_child_shard(Answer *answer)
{
	KinesisShard *shard = palloc0(sizeof(KinesisShard));
	JsonSlice	key;
	JsonSlice	value;

	while (next_member(answer, &key))
	{
		if (KEY_IS(key, "ParentShards"))
			read_parents(answer, shard);
		else if (KEY_IS(key, "HashKeyRange"))
			read_hash_key_range(answer, shard);
		else
		{
			read_value(answer, &value);
			if (KEY_IS(key, "ShardId"))
				shard->shard_id = string_in_place(answer, &value);
		}
	}
	if (shard->shard_id == NULL || shard->parent_shard_id == NULL)
		bad_page(answer, "A child shard has no ShardId or no ParentShards.");
	answer->page->child_shards = lappend(answer->page->child_shards, shard);
}

/* Any member but the records. */
static void
read_member(Answer *answer, const JsonSlice *key)
{
	KinesisPage *page = answer->page;
	JsonSlice	value;
	JsonToken	type;

	if (KEY_IS(*key, "ChildShards"))
	{
		if (enter(answer, JSON_TOKEN_ARRAY_START))
			while (next_object(answer))
				read_child_shard(answer);
		return;
	}
	type = read_value(answer, &value);
	if (KEY_IS(*key, "NextShardIterator"))
		page->next_iterator = string_in_place(answer, &value);
	else if (KEY_IS(*key, "MillisBehindLatest") &&
			 type == JSON_TOKEN_NUMBER &&
			 !scaled_number(&value, 0, &page->millis_behind_latest))
		bad_page(answer, "MillisBehindLatest is out of range.");
}

/* What is left of the answer. */
static void
read_page(Answer *answer)
{
	JsonSlice	key;
	bool		has_records = answer->in_records;

	if (answer->in_records)
		read_records(answer);
	else if (!enter(answer, JSON_TOKEN_OBJECT_START))
		bad_page(answer, "The answer is null.");
	while (next_member(answer, &key))
	{
		if (!KEY_IS(key, "Records"))
			read_member(answer, &key);
		else if (enter(answer, JSON_TOKEN_ARRAY_START))
		{
			has_records = true;
			read_records(answer);
		}
	}
	if (json_scan_next(&answer->scan) != JSON_TOKEN_END)
		bad_page(answer, NULL);
	/* without them it is no page; a shard must not end for that */
	if (!has_records)
		bad_page(answer, "The answer has no Records.");
}

KinesisRecord *
kinesis_page_records(const KinesisPage *page, int64 n)
{
	size_t		bytes;
	KinesisRecord *records = buffer_alloc(aws_call_context(page->call),
										  n * sizeof(KinesisRecord), &bytes);

	if (records == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("An answer has " INT64_FORMAT " records.", n)));
	return records;
}

/* Begin to read; the call's context is the current one. */
static void
begin_answer(Answer *answer, AwsCall *call, char *body, size_t bytes)
{
	memset(answer, 0, sizeof(Answer));
	answer->call = call;
	answer->page = palloc0(sizeof(KinesisPage));
	answer->page->call = call;
	answer->page->millis_behind_latest = -1;
	json_scan_init(&answer->scan, body, bytes);
}

/* Enter the array of records, if the answer begins with it. */
static void
enter_records(Answer *answer, const char *body, size_t bytes)
{
	const char *p = body;

	if (!TAKE(&p, body + bytes, RECORDS_START))
		return;
	json_scan_next(&answer->scan);
	json_scan_next(&answer->scan);
	json_scan_next(&answer->scan);
	answer->in_records = true;
}

/*
 * Read the records that have come.  A record that is not all there is looked
 * at again when as much more of it came as there was: large ones come in many
 * pieces.
 */
void *
kinesis_page_progress(AwsCall *call, void *state, char *body, size_t bytes,
					  size_t room)
{
	MemoryContext old = MemoryContextSwitchTo(aws_call_context(call));
	Answer	   *answer = state;
	const char *end;

	if (answer == NULL)
		answer = palloc(sizeof(Answer));
	if (state == NULL || json_scan_text(&answer->scan) != body)
	{
		begin_answer(answer, call, body, bytes);
		answer->page->bytes = room;
		enter_records(answer, body, bytes);
	}
	if (answer->in_records && bytes >= answer->next_bytes)
	{
		size_t		left;

		json_scan_extend(&answer->scan, bytes);
		read_plain_records(answer);
		left = body + bytes - json_scan_rest(&answer->scan, &end);
		answer->next_bytes = bytes + left;
	}
	MemoryContextSwitchTo(old);
	return answer;
}

KinesisPage *
kinesis_get_records_end(AwsCall *call)
{
	MemoryContext old = MemoryContextSwitchTo(aws_call_context(call));
	Answer	   *answer = aws_call_progress(call);
	size_t		bytes;
	char	   *body = aws_call_body(call, &bytes);

	if (answer == NULL || !answer->in_records ||
		json_scan_text(&answer->scan) != body)
	{
		answer = palloc(sizeof(Answer));
		begin_answer(answer, call, body, bytes);
	}
	json_scan_extend(&answer->scan, bytes);
	answer->caller_cxt = old;
	answer->page->bytes = bytes;
	read_page(answer);

	MemoryContextSwitchTo(old);
	return answer->page;
}

void
kinesis_page_free(KinesisPage *page)
{
	aws_call_close(page->call);
}
