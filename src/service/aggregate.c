/*
 * aggregate.c
 *	  The KPL's aggregates: a decoder of the few protobuf fields they have.
 *
 * By protobuf's rules fields come in any order, the last one counts if a field
 * occurs twice, and we skip a field that is unknown or has a wrong wire type.
 */
#include <string.h>

#include "base/md5.h"
#include "service/aggregate.h"

/* The tag before a field's value: the field's number and wire type */
#define FIELD(number, wire) ((uint32_t) (number) << 3 | (wire))

enum
{
	WIRE_VARINT = 0,
	WIRE_FIXED64 = 1,
	WIRE_BYTES = 2,
	WIRE_FIXED32 = 5
};

/* Of AggregatedRecord */
#define FIELD_PARTITION_KEY FIELD(1, WIRE_BYTES)
#define FIELD_EXPLICIT_HASH_KEY FIELD(2, WIRE_BYTES)
#define FIELD_RECORD FIELD(3, WIRE_BYTES)

/* Of Record */
#define FIELD_PARTITION_KEY_INDEX FIELD(1, WIRE_VARINT)
#define FIELD_EXPLICIT_HASH_KEY_INDEX FIELD(2, WIRE_VARINT)
#define FIELD_DATA FIELD(3, WIRE_BYTES)

/* Of 64 bits, seven in each byte */
#define VARINT_MAX_BYTES 10

typedef struct Field
{
	uint32_t	tag;
	uint64_t	number;			/* the value of a varint */
	AggregateSlice bytes;		/* the value of any other wire type */
} Field;

static bool
read_varint(const char **cur, const char *end, uint64_t *value)
{
	const char *p = *cur;

	*value = 0;
	for (int i = 0; i < VARINT_MAX_BYTES && p < end; i++)
	{
		uint8_t		byte = (uint8_t) *p++;

		*value |= (uint64_t) (byte & 0x7F) << (7 * i);
		if (byte < 0x80)
		{
			*cur = p;
			return true;
		}
	}
	return false;
}

/*
 * Read a field; false if it is malformed, or a group, which the KPL never
 * uses.
 */
static bool
read_field(const char **cur, const char *end, Field *field)
{
	uint64_t	tag;
	uint64_t	len = 0;

	if (!read_varint(cur, end, &tag) || tag > UINT32_MAX || tag >> 3 == 0)
		return false;
	field->tag = (uint32_t) tag;
	switch (tag & 7)
	{
		case WIRE_VARINT:
			return read_varint(cur, end, &field->number);
		case WIRE_FIXED64:
			len = 8;
			break;
		case WIRE_FIXED32:
			len = 4;
			break;
		case WIRE_BYTES:
			if (!read_varint(cur, end, &len))
				return false;
			break;
		default:
			return false;
	}
	if (len > (uint64_t) (end - *cur))
		return false;
	field->bytes.start = *cur;
	field->bytes.len = (uint32_t) len;
	*cur += len;
	return true;
}

static bool
is_hash_key(const AggregateSlice *key)
{
	if (key->len == 0 || key->len > AGGREGATE_MAX_HASH_KEY_DIGITS)
		return false;
	for (uint32_t i = 0; i < key->len; i++)
		if (key->start[i] < '0' || key->start[i] > '9')
			return false;
	return true;
}

/*
 * Read a Record; false if it is malformed.  The caller must check that the
 * tables have entries of its indexes; they are below AGGREGATE_MAX_ENTRIES.
 */
static bool
read_record(const AggregateSlice *slice, AggregateRecord *record)
{
	const char *cur = slice->start;
	const char *end = cur + slice->len;
	Field		field;

	record->data.start = NULL;
	record->partition_key = -1;
	record->explicit_hash_key = -1;
	while (cur < end)
	{
		if (!read_field(&cur, end, &field))
			return false;
		if (field.tag == FIELD_DATA)
			record->data = field.bytes;
		else if (field.tag == FIELD_PARTITION_KEY_INDEX ||
				 field.tag == FIELD_EXPLICIT_HASH_KEY_INDEX)
		{
			if (field.number >= AGGREGATE_MAX_ENTRIES)
				return false;
			if (field.tag == FIELD_PARTITION_KEY_INDEX)
				record->partition_key = (int) field.number;
			else
				record->explicit_hash_key = (int) field.number;
		}
	}
	return record->data.start != NULL && record->partition_key >= 0;
}

/*
 * Count and check the records and keys; false if anything is malformed.  A
 * table may come after the records that refer to it, so we check their indexes
 * last.
 */
static bool
count_entries(Aggregate *aggregate)
{
	const char *cur = aggregate->message;
	int			max_partition_key = -1;
	int			max_explicit_hash_key = -1;
	AggregateRecord record;
	Field		field;

	while (cur < aggregate->end)
	{
		if (!read_field(&cur, aggregate->end, &field))
			return false;
		if (field.tag == FIELD_RECORD)
		{
			if (aggregate->n_records++ == AGGREGATE_MAX_ENTRIES ||
				!read_record(&field.bytes, &record))
				return false;
			if (record.partition_key > max_partition_key)
				max_partition_key = record.partition_key;
			if (record.explicit_hash_key > max_explicit_hash_key)
				max_explicit_hash_key = record.explicit_hash_key;
		}
		else if (field.tag == FIELD_PARTITION_KEY)
		{
			if (aggregate->n_partition_keys++ == AGGREGATE_MAX_ENTRIES ||
				field.bytes.len > AGGREGATE_MAX_KEY_BYTES)
				return false;
		}
		else if (field.tag == FIELD_EXPLICIT_HASH_KEY)
		{
			if (aggregate->n_explicit_hash_keys++ == AGGREGATE_MAX_ENTRIES ||
				!is_hash_key(&field.bytes))
				return false;
		}
	}
	return aggregate->n_records > 0 &&
		max_partition_key < aggregate->n_partition_keys &&
		max_explicit_hash_key < aggregate->n_explicit_hash_keys;
}

bool
aggregate_open_message(Aggregate *aggregate, const char *message, size_t len)
{
	if (len > AGGREGATE_MAX_BYTES)
		return false;
	memset(aggregate, 0, sizeof(*aggregate));
	aggregate->message = message;
	aggregate->end = message + len;
	aggregate->cur = message;
	return count_entries(aggregate);
}

bool
aggregate_open(Aggregate *aggregate, const char *data, size_t len)
{
	const char *message;
	uint8_t		digest[MD5_BYTES];

	if (len < AGGREGATE_MAGIC_BYTES + MD5_BYTES ||
		memcmp(data, AGGREGATE_MAGIC, AGGREGATE_MAGIC_BYTES) != 0)
		return false;
	message = data + AGGREGATE_MAGIC_BYTES;
	len -= AGGREGATE_MAGIC_BYTES + MD5_BYTES;
	md5_digest(message, len, digest);
	return memcmp(message + len, digest, MD5_BYTES) == 0 &&
		aggregate_open_message(aggregate, message, len);
}

void
aggregate_keys(const Aggregate *aggregate, AggregateSlice *partition_keys,
			   AggregateSlice *explicit_hash_keys)
{
	const char *cur = aggregate->message;
	Field		field;

	while (cur < aggregate->end && read_field(&cur, aggregate->end, &field))
	{
		if (field.tag == FIELD_PARTITION_KEY)
			*partition_keys++ = field.bytes;
		else if (field.tag == FIELD_EXPLICIT_HASH_KEY)
			*explicit_hash_keys++ = field.bytes;
	}
}

bool
aggregate_next(Aggregate *aggregate, AggregateRecord *record)
{
	Field		field;

	while (aggregate->cur < aggregate->end &&
		   read_field(&aggregate->cur, aggregate->end, &field))
	{
		if (field.tag == FIELD_RECORD)
			return read_record(&field.bytes, record);
	}
	return false;
}
