/*
 * test_token.c
 *	  What the calls of the scanner return: tokens, slices, skipped values.
 */
#include <stdio.h>
#include <string.h>

#include "check.h"

/* A letter a token, as json_scan_next reports them. */
static const char token_letters[] = "!.{}[]ksn10-";

static void
check_tokens(const char *doc, const char *wanted)
{
	char		seen[64];
	JsonScan	scan;
	JsonToken	type;
	size_t		n = 0;

	json_scan_init(&scan, doc, strlen(doc));
	do
	{
		type = json_scan_next(&scan);
		seen[n++] = token_letters[type];
	}
	while (type > JSON_TOKEN_END && n < sizeof(seen) - 1);
	seen[n] = '\0';
	check(strcmp(seen, wanted) == 0, "tokens %s, not %s: %s", seen, wanted,
		  doc);
}

static void
test_sequences(void)
{
	check_tokens("1", "n.");
	check_tokens("[]", "[].");
	check_tokens("{}", "{}.");
	check_tokens("{\"a\":1,\"b\":\"x\"}", "{knks}.");
	check_tokens("[1,\"a\",true,false,null,[],{}]", "[ns10-[]{}].");
	check_tokens("{\"a\":{\"b\":[{}]}}", "{k{k[{}]}}.");
	check_tokens("{\"a\":1,\"a\":2}", "{knkn}.");
	check_tokens("[1,]", "[n!");
	check_tokens("[1] x", "[n]!");
	check_tokens("", "!");
}

static void
check_slice(const JsonSlice *slice, JsonToken type, const char *text,
			bool escaped)
{
	check(slice->type == type && slice->len == strlen(text) &&
		  memcmp(slice->start, text, slice->len) == 0 &&
		  slice->escaped == escaped,
		  "slice %d %s, not %d %s", slice->type,
		  printable(slice->start, slice->len), type, text);
}

static void
test_slices(void)
{
	static const char doc[] =
		" { \"k\\t\" : \"v\\u0041\" , \"n\" : -1.5e3 , \"a\" : [ 1 , {} ] , \"t\":true}";
	JsonScan	scan;
	JsonSlice	value;

	json_scan_init(&scan, doc, strlen(doc));
	check(json_scan_next(&scan) == JSON_TOKEN_OBJECT_START && scan.depth == 1,
		  "no object");
	json_scan_next(&scan);
	check_slice(&scan.value, JSON_TOKEN_KEY, "k\\t", true);
	json_scan_next(&scan);
	check_slice(&scan.value, JSON_TOKEN_STRING, "v\\u0041", true);
	json_scan_next(&scan);
	check_slice(&scan.value, JSON_TOKEN_KEY, "n", false);
	json_scan_value(&scan, &value);
	check_slice(&value, JSON_TOKEN_NUMBER, "-1.5e3", false);
	json_scan_next(&scan);
	json_scan_value(&scan, &value);
	check_slice(&value, JSON_TOKEN_ARRAY_START, "[ 1 , {} ]", false);
	json_scan_next(&scan);
	check_slice(&scan.value, JSON_TOKEN_KEY, "t", false);
	json_scan_value(&scan, &value);
	check_slice(&value, JSON_TOKEN_TRUE, "true", false);
	check(json_scan_next(&scan) == JSON_TOKEN_OBJECT_END && scan.depth == 0,
		  "the object does not end");
	check(json_scan_next(&scan) == JSON_TOKEN_END, "the document does not end");
}

static void
test_array_values(void)
{
	static const char doc[] = "[1,[2,3],\"\",{\"a\":[]}]";
	JsonScan	scan;
	JsonSlice	value;

	json_scan_init(&scan, doc, strlen(doc));
	json_scan_next(&scan);
	check(json_scan_value(&scan, &value) == JSON_TOKEN_NUMBER, "no number");
	json_scan_value(&scan, &value);
	check_slice(&value, JSON_TOKEN_ARRAY_START, "[2,3]", false);
	json_scan_value(&scan, &value);
	check_slice(&value, JSON_TOKEN_STRING, "", false);
	json_scan_value(&scan, &value);
	check_slice(&value, JSON_TOKEN_OBJECT_START, "{\"a\":[]}", false);
	check(json_scan_value(&scan, &value) == JSON_TOKEN_ARRAY_END,
		  "the array does not end");
	check(json_scan_next(&scan) == JSON_TOKEN_END, "the document does not end");
}

/* Leave a container after so many tokens; which end is met, what is next. */
static void
check_leave(const char *doc, int n_tokens, JsonToken end, int depth,
			JsonToken next)
{
	JsonScan	scan;
	JsonToken	left;
	JsonToken	after;
	int			i;

	json_scan_init(&scan, doc, strlen(doc));
	for (i = 0; i < n_tokens; i++)
		json_scan_next(&scan);
	left = json_scan_leave(&scan);
	check(left == end && scan.depth == depth,
		  "left %s after %d tokens by %d to depth %d", doc, n_tokens, left,
		  scan.depth);
	after = json_scan_next(&scan);
	check(after == next, "after %d tokens of %s and leaving comes %d",
		  n_tokens, doc, after);
}

static void
test_leave(void)
{
	static const char doc[] = "{\"a\":[1,[2],3],\"b\":4}";

	check_leave(doc, 1, JSON_TOKEN_OBJECT_END, 0, JSON_TOKEN_END);
	check_leave(doc, 2, JSON_TOKEN_OBJECT_END, 0, JSON_TOKEN_END);
	check_leave(doc, 3, JSON_TOKEN_ARRAY_END, 1, JSON_TOKEN_KEY);
	check_leave(doc, 4, JSON_TOKEN_ARRAY_END, 1, JSON_TOKEN_KEY);
	check_leave(doc, 5, JSON_TOKEN_ARRAY_END, 2, JSON_TOKEN_NUMBER);
	check_leave(doc, 7, JSON_TOKEN_ARRAY_END, 1, JSON_TOKEN_KEY);
	check_leave("[[}]", 2, JSON_TOKEN_ERROR, 2, JSON_TOKEN_ERROR);
	check_leave("[1", 1, JSON_TOKEN_ERROR, 1, JSON_TOKEN_ERROR);
	check_leave("[] ", 0, JSON_TOKEN_END, 0, JSON_TOKEN_END);
}

void
test_token(void)
{
	test_sequences();
	test_slices();
	test_array_values();
	test_leave();
}
