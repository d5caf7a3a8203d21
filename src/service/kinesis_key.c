/*
 * kinesis_key.c
 *	  Kinesis: the partition key of a record as a text of the database.
 */
#include "postgres.h"

#include "base/encoding.h"
#include "base/json_scan.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "service/kinesis.h"

/* As \u escapes, which is two for what is beyond their four digits. */
static void
append_escape(StringInfo out, pg_wchar code)
{
	if (code >= 0x10000)
	{
		code -= 0x10000;
		appendStringInfo(out, "\\u%04x", 0xD800 + (code >> 10));
		code = 0xDC00 + (code & 0x3FF);
	}
	appendStringInfo(out, "\\u%04x", code);
}

/* A string of JSON, in ASCII: every text can hold it. */
static char *
quoted_key(const KinesisRecord *record)
{
	const char *p = record->partition_key;
	const char *end = p + record->partition_key_bytes;
	StringInfoData out;
	int			bytes;

	initStringInfo(&out);
	appendStringInfoChar(&out, '"');
	for (; p < end; p += bytes)
	{
		bytes = pg_encoding_mblen(PG_UTF8, p);
		if (bytes > 1)
			append_escape(&out, utf8_to_unicode((const unsigned char *) p));
		else if (record->key_escaped)
			appendStringInfoChar(&out, *p);
		else if ((unsigned char) *p < ' ' || *p == '"' || *p == '\\')
			append_escape(&out, *p);
		else
			appendStringInfoChar(&out, *p);
	}
	appendStringInfoChar(&out, '"');
	return out.data;
}

char *
kinesis_record_partition_key(const KinesisRecord *record)
{
	size_t		bytes = record->partition_key_bytes;
	char	   *utf8 = pnstrdup(record->partition_key, bytes);
	char	   *key = NULL;

	if (!record->key_escaped ||
		json_unescape(utf8, bytes, utf8, &bytes) == JSON_SCAN_OK)
		key = encoding_from_utf8(utf8, bytes);
	pfree(utf8);
	/* what begins with a quote would be taken for a string of JSON */
	return key != NULL && key[0] != '"' ? key : quoted_key(record);
}

static bool
is_json_string(const char *text, size_t bytes)
{
	JsonScan	scan;

	json_scan_init(&scan, text, bytes);
	return json_scan_next(&scan) == JSON_TOKEN_STRING &&
		json_scan_next(&scan) == JSON_TOKEN_END;
}

void
kinesis_record_set_partition_key(KinesisRecord *record, const char *key)
{
	size_t		bytes = strlen(key);
	char	   *utf8;

	record->key_escaped = key[0] == '"' && is_json_string(key, bytes);
	if (record->key_escaped)
	{
		record->partition_key = pnstrdup(key + 1, bytes - 2);
		record->partition_key_bytes = bytes - 2;
		return;
	}
	utf8 = encoding_to_utf8(key, bytes);
	/* whoever wants it as a value will say that it is none */
	record->partition_key = utf8 != NULL ? utf8 : pstrdup(key);
	record->partition_key_bytes = strlen(record->partition_key);
}
