/*
 * kinesis_key.c
 *	  Kinesis: the keys of a record: conversion of partition keys from and to
 *	  texts of the database, and checks of both kinds of keys.
 */
#include "postgres.h"

#include "base/encoding.h"
#include "json/json_scan.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "service/kinesis.h"

/* 2^128 - 1, the greatest hash key */
#define MAX_HASH_KEY "340282366920938463463374607431768211455"

/* Most bytes of a key that an error shows */
#define SHOWN_KEY_BYTES 64

/* Append a character as a \u escape, as two if four digits cannot hold it. */
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

/* The key as a JSON string in ASCII, which a text of any encoding can hold. */
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
	/* a text that begins with a quote would be taken for a JSON string */
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
	/* if it cannot be converted, whoever reads the key will raise an error */
	record->partition_key = utf8 != NULL ? utf8 : pstrdup(key);
	record->partition_key_bytes = strlen(record->partition_key);
}

/*
 * How an error shows a key in UTF-8: escaped, and only the start if it is
 * long.
 */
static char *
shown_key(const char *key)
{
	size_t		bytes = strlen(key);
	KinesisRecord shown = {.partition_key = key};

	shown.partition_key_bytes = pg_encoding_mbcliplen(PG_UTF8, key, bytes,
													  SHOWN_KEY_BYTES);
	return psprintf("%s %s",
					shown.partition_key_bytes < bytes ? "begins with" : "is",
					quoted_key(&shown));
}

/* The service counts Unicode characters, not bytes or units of UTF-16. */
static void
check_partition_key(const char *key, int64 row)
{
	int			chars = 0;

	for (const char *p = key; *p != '\0'; p += pg_encoding_mblen(PG_UTF8, p))
		chars++;
	if (chars < 1 || chars > KINESIS_PARTITION_KEY_CHARS)
		ereport(ERROR,
				(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
				 errmsg("partition key of row " INT64_FORMAT " has %d characters",
						row, chars),
				 errdetail("A partition key has 1 to %d characters; this one %s.",
						   KINESIS_PARTITION_KEY_CHARS, shown_key(key))));
}

static void
check_explicit_hash_key(const char *key, int64 row)
{
	size_t		digits = strspn(key, "0123456789");
	bool		malformed = digits == 0 || key[digits] != '\0' ||
		(key[0] == '0' && digits > 1);

	if (!malformed && (digits < strlen(MAX_HASH_KEY) ||
					   (digits == strlen(MAX_HASH_KEY) &&
						strcmp(key, MAX_HASH_KEY) <= 0)))
		return;
	ereport(ERROR,
			(errcode(malformed ? ERRCODE_INVALID_TEXT_REPRESENTATION :
					 ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("explicit hash key of row " INT64_FORMAT " is not a number from 0 to 2^128 - 1",
					row),
			 errdetail("It %s.", shown_key(key)),
			 errhint("Write it in decimal digits, without a sign, leading zeros or spaces.")));
}

void
kinesis_check_keys(const KinesisPutRecord *record, int64 row)
{
	if (record->partition_key != NULL)
		check_partition_key(record->partition_key, row);
	if (record->explicit_hash_key != NULL)
		check_explicit_hash_key(record->explicit_hash_key, row);
}
