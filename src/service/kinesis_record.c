/*
 * kinesis_record.c
 *	  Kinesis: reading the records of an answer, as slices of it.
 *
 * This is the hot path: we do not look at payloads.  Plain records, written as
 * all servers write them, are recognized by comparing their text; the JSON
 * scanner reads all others.
 */
#include "postgres.h"

#include "common/int.h"
#include "utils/timestamp.h"

#include "base/buffer.h"
#include "json/json_skip.h"
#include "service/kinesis_answer.h"

/* Least bytes of an answer that a record takes, with hardly any payload */
#define RECORD_ANSWER_BYTES 160

/* Digits of the seconds since 1970, in the years from 2001 to 2286 */
#define SECONDS_DIGITS 10

static TimestampTz
read_timestamp(KinesisAnswer *answer, const JsonSlice *value)
{
	int64		us;

	if (!kinesis_answer_number(value, 6, &us) ||
		pg_sub_s64_overflow(us, KINESIS_EPOCH_US, &us) ||
		!IS_VALID_TIMESTAMP(us))
		kinesis_answer_refuse(answer, "An ApproximateArrivalTimestamp is out of range.");
	return us;
}

/*
 * Are all bytes digits?  Tests eight at a time: a byte is a digit if its upper
 * half is that of '0', and stays so when six is added.
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
read_sequence_number(KinesisAnswer *answer, const JsonSlice *value,
					 KinesisRecord *record)
{
	if (!has_sequence_length(value))
		kinesis_answer_refuse(answer, "A SequenceNumber has a length it cannot have.");
	if (!all_digits(value->start, value->len))
		kinesis_answer_refuse(answer, "A SequenceNumber is not made of digits.");
	set_sequence_number(record, value);
}

static inline void
set_data(KinesisAnswer *answer, char *data, size_t bytes, KinesisRecord *record)
{
	record->data = data;
	record->data_bytes = bytes;
	if (bytes >= sizeof(KINESIS_AGGREGATE_BASE64) - 1 &&
		memcmp(data, KINESIS_AGGREGATE_BASE64,
			   sizeof(KINESIS_AGGREGATE_BASE64) - 1) == 0)
		answer->page->maybe_aggregated = true;
}

static void
read_data(KinesisAnswer *answer, const JsonSlice *value, KinesisRecord *record)
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

/*
 * Take the string from *p, which is after its opening quote, to rest, where a
 * quote must be.  Moves *p after that.
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
	return KINESIS_TAKE(p, end, "\"");
}

/* Take a string of plain bytes (see json_skip_plain()). */
static inline bool
take_string(const char **p, const char *end, JsonSlice *value)
{
	return take_string_to(p, json_skip_plain(*p, end), end, value);
}

/* The same, faster for long strings. */
static inline bool
take_long_string(const char **p, const char *end, JsonSlice *value)
{
	return take_string_to(p, json_skip_long(*p, end), end, value);
}

/*
 * Take a time of our days: ten digits of seconds since 1970, and a fraction of
 * up to six.  Moves *p after them.
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
 * Read a plain record; p is after its opening brace.  A record is plain if it
 * has only members that we know, without white space or escapes, as all
 * servers write it.  Returns the place after its closing brace; NULL if the
 * record is not plain or not complete.  Most of the time that an answer costs
 * is spent here.
 */
static const char *
take_record(KinesisAnswer *answer, const char *p, const char *end,
			KinesisRecord *record)
{
	JsonSlice	value;

	clear_record(record);
	do
	{
		if (KINESIS_TAKE(&p, end, "\"SequenceNumber\":\""))
		{
			if (!take_string(&p, end, &value) ||
				!has_sequence_length(&value) ||
				!all_digits(value.start, value.len))
				return NULL;
			set_sequence_number(record, &value);
		}
		else if (KINESIS_TAKE(&p, end, "\"ApproximateArrivalTimestamp\":"))
		{
			if (!take_timestamp(&p, end, &record->arrived))
				return NULL;
		}
		else if (KINESIS_TAKE(&p, end, "\"Data\":\""))
		{
			if (!take_long_string(&p, end, &value))
				return NULL;
			set_data(answer, unconstify(char *, value.start), value.len,
					 record);
		}
		else if (KINESIS_TAKE(&p, end, "\"PartitionKey\":\""))
		{
			if (!take_string(&p, end, &value))
				return NULL;
			record->partition_key = value.start;
			record->partition_key_bytes = value.len;
		}
		else if (!KINESIS_TAKE(&p, end, "\"EncryptionType\":\"") ||
				 !take_string(&p, end, &value))
			return NULL;
	} while (KINESIS_TAKE(&p, end, ","));

	if (!KINESIS_TAKE(&p, end, "}") || record->sequence_number == NULL ||
		record->data == NULL)
		return NULL;
	return p;
}

/* Read a record of any form, whose object is entered already. */
static void
read_any_record(KinesisAnswer *answer, KinesisRecord *record)
{
	JsonSlice	key;
	JsonSlice	value;

	clear_record(record);
	while (kinesis_answer_member(answer, &key))
	{
		JsonToken	type = kinesis_answer_value(answer, &value);

		if (type == JSON_TOKEN_STRING)
		{
			if (KINESIS_KEY_IS(key, "Data"))
				read_data(answer, &value, record);
			else if (KINESIS_KEY_IS(key, "SequenceNumber"))
				read_sequence_number(answer, &value, record);
			else if (KINESIS_KEY_IS(key, "PartitionKey"))
			{
				record->partition_key = value.start;
				record->partition_key_bytes = value.len;
				record->key_escaped = value.escaped;
			}
		}
		else if (type == JSON_TOKEN_NUMBER &&
				 KINESIS_KEY_IS(key, "ApproximateArrivalTimestamp"))
			record->arrived = read_timestamp(answer, &value);
	}
	if (record->sequence_number == NULL || record->data == NULL)
		kinesis_answer_refuse(answer, "A record has no SequenceNumber or no Data.");
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

/* Room for the next record, which the caller counts once it is read. */
static KinesisRecord *
next_record_slot(KinesisAnswer *answer)
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

void
kinesis_answer_plain_records(KinesisAnswer *answer)
{
	KinesisPage *page = answer->page;

	for (;;)
	{
		const char *end;
		const char *p = json_scan_rest(&answer->scan, &end);

		if (page->n_records > 0 && !KINESIS_TAKE(&p, end, ","))
			return;
		if (!KINESIS_TAKE(&p, end, "{"))
			return;
		p = take_record(answer, p, end, next_record_slot(answer));
		if (p == NULL)
			return;
		json_scan_passed(&answer->scan, p);
		page->n_records++;
	}
}

void
kinesis_answer_records(KinesisAnswer *answer)
{
	for (;;)
	{
		kinesis_answer_plain_records(answer);
		if (!kinesis_answer_object(answer))
			return;
		read_any_record(answer, next_record_slot(answer));
		answer->page->n_records++;
	}
}
