/*
 * fuzz_json_scan.c
 *	  libFuzzer target: what must hold for the scanner and base64 on any input.
 */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "fuzz.h"
#include "json/json_scan.h"

static void
check_slice(const JsonSlice *slice, const char *text, size_t len)
{
	require_within(slice->start, slice->len, text, len);
}

/* Unescape what the scanner let through: it can fail in two ways only. */
static void
check_string(const JsonSlice *slice)
{
	char	   *out = malloc(slice->len);
	size_t		len = 0;
	JsonScanError error = json_unescape(slice->start, slice->len, out, &len);

	require(len <= slice->len);
	if (slice->escaped)
		require(error == JSON_SCAN_OK || error == JSON_SCAN_NUL ||
				error == JSON_SCAN_SURROGATE);
	else
		require(error == JSON_SCAN_OK && len == slice->len &&
				memcmp(out, slice->start, len) == 0);
	free(out);
}

/* Token by token. */
static JsonScanError
walk(const char *text, size_t len, size_t *offset)
{
	JsonScan	scan;
	JsonToken	type;

	json_scan_init(&scan, text, len);
	while ((type = json_scan_next(&scan)) > JSON_TOKEN_END)
	{
		check_slice(&scan.value, text, len);
		require(scan.depth >= 0 && scan.depth <= JSON_SCAN_MAX_DEPTH);
		if (type == JSON_TOKEN_STRING || type == JSON_TOKEN_KEY)
			check_string(&scan.value);
	}
	require(json_scan_next(&scan) == type);
	require((type == JSON_TOKEN_ERROR) == (scan.error != JSON_SCAN_OK));
	require(scan.error != JSON_SCAN_OK || scan.depth == 0);
	*offset = json_scan_error_offset(&scan);
	require(*offset <= len);
	return scan.error;
}

/* As one value, whose slice must be a document of the same kind again. */
static JsonScanError
skip(const char *text, size_t len, size_t *offset)
{
	JsonScan	scan;
	JsonSlice	value;
	JsonToken	type;

	json_scan_init(&scan, text, len);
	type = json_scan_value(&scan, &value);
	if (type != JSON_TOKEN_ERROR)
	{
		JsonScan	again;
		JsonSlice	same;

		check_slice(&value, text, len);
		require(value.type == type);
		if (type == JSON_TOKEN_STRING)
		{
			value.start--;
			value.len += 2;
		}
		json_scan_init(&again, value.start, value.len);
		require(json_scan_value(&again, &same) == type);
		require(json_scan_next(&again) == JSON_TOKEN_END);
		json_scan_next(&scan);
	}
	*offset = json_scan_error_offset(&scan);
	return scan.error;
}

/*
 * Where the calls change turns, by the bits of the input itself: it must make
 * no difference to what is accepted.
 */
static JsonScanError
mix(const char *text, size_t len, size_t *offset)
{
	JsonScan	scan;
	JsonSlice	value;
	JsonToken	type;
	size_t		i = 0;

	json_scan_init(&scan, text, len);
	do
	{
		int			turn = len > 0 ? text[i++ % len] & 3 : 0;

		if (turn == 0)
			type = json_scan_value(&scan, &value);
		else if (turn == 1 && scan.depth > 0)
			type = json_scan_leave(&scan);
		else
			type = json_scan_next(&scan);
	}
	while (type > JSON_TOKEN_END);
	*offset = json_scan_error_offset(&scan);
	return scan.error;
}

/*
 * As a sequence of documents, each of which must be one by itself.  One
 * document is a sequence of one.
 */
static void
check_sequence(const char *text, size_t len, JsonScanError alone)
{
	JsonScan	scan;
	JsonScan	again;
	JsonSlice	value;
	const char *end = text;
	int			n = 0;

	json_scan_init(&scan, text, len);
	do
	{
		bool		array = json_scan_at_array(&scan);
		JsonToken	type = json_scan_value(&scan, &value);

		if (type == JSON_TOKEN_ERROR)
			break;
		require(array == (type == JSON_TOKEN_ARRAY_START));
		if (type == JSON_TOKEN_STRING)
		{
			value.start--;
			value.len += 2;
		}
		require(value.start >= end);
		end = value.start + value.len;
		json_scan_init(&again, value.start, value.len);
		require(json_scan_value(&again, &value) == type);
		require(json_scan_next(&again) == JSON_TOKEN_END);
		n++;
	}
	while (json_scan_more(&scan));

	require(json_scan_error_offset(&scan) <= len);
	if (alone == JSON_SCAN_OK)
		require(n == 1 && scan.error == JSON_SCAN_OK);
	else if (n <= 1)
		require(scan.error != JSON_SCAN_OK);
}

static void
check_json(const char *text, size_t len)
{
	size_t		walked;
	size_t		skipped;
	size_t		mixed;
	JsonScanError error = walk(text, len, &walked);

	require(skip(text, len, &skipped) == error);
	require(mix(text, len, &mixed) == error);
	require(skipped == walked && mixed == walked);
	check_sequence(text, len, error);
}

/* A beginning, in memory of just its size. */
static void
check_prefix(const char *text, size_t len)
{
	char	   *copy = malloc(len);

	if (len > 0)
		memcpy(copy, text, len);
	check_json(copy, len);
	free(copy);
}

static void
check_base64(const char *text, size_t len)
{
	size_t		encoded_len = BASE64_ENCODED_LEN(len);
	char	   *encoded = malloc(encoded_len);
	char	   *decoded = malloc(BASE64_DECODED_MAX(encoded_len));
	ssize_t		n;

	base64_encode(text, len, encoded);
	require(base64_decode(encoded, encoded_len, decoded) == (ssize_t) len);
	require(len == 0 || memcmp(decoded, text, len) == 0);
	free(encoded);
	free(decoded);

	/* what is accepted is the one encoding of what comes out */
	decoded = malloc(BASE64_DECODED_MAX(len));
	n = base64_decode(text, len, decoded);
	if (n >= 0)
	{
		require(BASE64_ENCODED_LEN((size_t) n) == len);
		encoded = malloc(len);
		base64_encode(decoded, n, encoded);
		require(len == 0 || memcmp(encoded, text, len) == 0);
		free(encoded);
	}
	free(decoded);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *) data;
	size_t		len;

	check_json(text, size);
	check_base64(text, size);

	/* every beginning of short inputs, some of long ones */
	for (len = 0; len < size; len += 1 + size / 64)
		check_prefix(text, len);
	return 0;
}
