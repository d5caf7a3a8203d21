/*
 * test_accept.c
 *	  Which documents are JSON, and what is wrong with the others where.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

/* A string constant that may hold zero bytes. */
#define TEXT(s) s, sizeof(s) - 1

typedef struct Accepted
{
	const char *text;
	size_t		len;
} Accepted;

typedef struct Refused
{
	const char *text;
	size_t		len;
	JsonScanError error;
	size_t		offset;
} Refused;

static const Accepted accepted[] = {
	/* white space */
	{TEXT("null")}, {TEXT(" null ")}, {TEXT("\t\r\n true\n\r\t ")},
	{TEXT(" [ 1 , 2 ] ")}, {TEXT("{ \"a\" : 1 , \"b\" : { } }")},
	/* numbers */
	{TEXT("0")}, {TEXT("-0")}, {TEXT("7")}, {TEXT("-12")}, {TEXT("10")},
	{TEXT("0.0")}, {TEXT("-0.5")}, {TEXT("123.456")}, {TEXT("1e1")},
	{TEXT("1E1")}, {TEXT("1e+1")}, {TEXT("1E-1")}, {TEXT("0e0")},
	{TEXT("1e00")}, {TEXT("1.00e007")}, {TEXT("1e99999999")},
	{TEXT("-1.5E+2")}, {TEXT("12345678901234567890123456789012345678901")},
	{TEXT("[0]")}, {TEXT("[-1.0e1,2]")}, {TEXT("[1 ]")}, {TEXT("[1\n,2]")},
	/* strings */
	{TEXT("\"\"")}, {TEXT("\"a\"")}, {TEXT("\" \"")}, {TEXT("\"\x7f\"")},
	{TEXT("\"12345678\"")}, {TEXT("\"1234567\"")}, {TEXT("\"123456789\"")},
	{TEXT("\"{[]},:\"")}, {TEXT("\"it's\"")},
	{TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"")}, {TEXT("\"\\u0041\"")},
	{TEXT("\"\\uABCD\\uabcd\\u0000\"")}, {TEXT("\"\\\\\"")},
	{TEXT("\"\\\\\\\\\\\"\"")}, {TEXT("\"1234567\\n8\"")},
	{TEXT("\"\\ud83d\\ude00\"")},
	/* half a pair is grammatical; what it means is a matter of json_unescape */
	{TEXT("\"\\ud800\"")}, {TEXT("\"\\udc00\\ud800\"")},
	{TEXT("\"\\ud800x\"")},
	/* UTF-8: the first and last of each length, and around the surrogates */
	{TEXT("\"\xc2\x80\"")}, {TEXT("\"\xdf\xbf\"")},
	{TEXT("\"\xe0\xa0\x80\"")}, {TEXT("\"\xef\xbf\xbf\"")},
	{TEXT("\"\xed\x9f\xbf\"")}, {TEXT("\"\xee\x80\x80\"")},
	{TEXT("\"\xf0\x90\x80\x80\"")}, {TEXT("\"\xf4\x8f\xbf\xbf\"")},
	{TEXT("\"\xef\xbb\xbf\"")}, {TEXT("\"\xef\xbf\xbe\"")},
	{TEXT("\"a\xc3\xa9" "b\xe2\x82\xac" "c\xf0\x9f\x98\x80" "d\"")},
	{TEXT("\"\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82 12345678\"")},
	{TEXT("{\"\xc3\xa9\":1}")},
	/* containers */
	{TEXT("[]")}, {TEXT("{}")}, {TEXT("[[]]")}, {TEXT("[{}]")},
	{TEXT("{\"\":0}")}, {TEXT("{\"a\":[]}")}, {TEXT("[[],[]]")},
	{TEXT("[null,true,false,\"\",0,[],{}]")},
	{TEXT("{\"a\":1,\"a\":2}")}, {TEXT("{\"a\":{\"a\":{\"a\":1}}}")},
	{TEXT("{\"a\\u0000b\":1}")}, {TEXT("[\"a\",[1,{\"b\":[2,{}]}]]")},
};

static const Refused refused[] = {
	{TEXT(""), JSON_SCAN_EMPTY, 0},
	{TEXT(" "), JSON_SCAN_EMPTY, 1},
	{TEXT("\n\t \r"), JSON_SCAN_EMPTY, 4},
	/* what ends too early */
	{TEXT("["), JSON_SCAN_TRUNCATED, 1},
	{TEXT("{"), JSON_SCAN_TRUNCATED, 1},
	{TEXT("[1"), JSON_SCAN_TRUNCATED, 2},
	{TEXT("[1,"), JSON_SCAN_TRUNCATED, 3},
	{TEXT("{\"a\""), JSON_SCAN_TRUNCATED, 4},
	{TEXT("{\"a\":"), JSON_SCAN_TRUNCATED, 5},
	{TEXT("{\"a\":1"), JSON_SCAN_TRUNCATED, 6},
	{TEXT("{\"a\":1,"), JSON_SCAN_TRUNCATED, 7},
	{TEXT("\""), JSON_SCAN_TRUNCATED, 1},
	{TEXT("\"abc"), JSON_SCAN_TRUNCATED, 4},
	{TEXT("\"12345678"), JSON_SCAN_TRUNCATED, 9},
	{TEXT("\"\\"), JSON_SCAN_TRUNCATED, 2},
	{TEXT("\"\\u"), JSON_SCAN_TRUNCATED, 3},
	{TEXT("\"\\u00"), JSON_SCAN_TRUNCATED, 5},
	{TEXT("\"\xe2\x82"), JSON_SCAN_TRUNCATED, 3},
	{TEXT("tru"), JSON_SCAN_TRUNCATED, 3},
	{TEXT("n"), JSON_SCAN_TRUNCATED, 1},
	{TEXT("-"), JSON_SCAN_TRUNCATED, 1},
	{TEXT("1."), JSON_SCAN_TRUNCATED, 2},
	{TEXT("1e"), JSON_SCAN_TRUNCATED, 2},
	{TEXT("1e+"), JSON_SCAN_TRUNCATED, 3},
	/* what comes after the end */
	{TEXT("1 2"), JSON_SCAN_TRAILING, 2},
	{TEXT("{}{}"), JSON_SCAN_TRAILING, 2},
	{TEXT("[]]"), JSON_SCAN_TRAILING, 2},
	{TEXT("{}}"), JSON_SCAN_TRAILING, 2},
	{TEXT("null,"), JSON_SCAN_TRAILING, 4},
	{TEXT("truex"), JSON_SCAN_TRAILING, 4},
	{TEXT("\"a\"\"b\""), JSON_SCAN_TRAILING, 3},
	{TEXT("{}\0"), JSON_SCAN_TRAILING, 2},
	{TEXT("{} \xef"), JSON_SCAN_TRAILING, 3},
	{TEXT("1a"), JSON_SCAN_TRAILING, 1},
	{TEXT("0x10"), JSON_SCAN_TRAILING, 1},
	/* numbers */
	{TEXT("01"), JSON_SCAN_BAD_NUMBER, 1},
	{TEXT("-01"), JSON_SCAN_BAD_NUMBER, 2},
	{TEXT("00"), JSON_SCAN_BAD_NUMBER, 1},
	{TEXT("[1.]"), JSON_SCAN_BAD_NUMBER, 3},
	{TEXT("[1.e1]"), JSON_SCAN_BAD_NUMBER, 3},
	{TEXT("[1e]"), JSON_SCAN_BAD_NUMBER, 3},
	{TEXT("[1e+]"), JSON_SCAN_BAD_NUMBER, 4},
	{TEXT("[1e1.5]"), JSON_SCAN_UNEXPECTED, 4},
	{TEXT("[-]"), JSON_SCAN_BAD_NUMBER, 2},
	{TEXT("--1"), JSON_SCAN_BAD_NUMBER, 1},
	{TEXT("-a"), JSON_SCAN_BAD_NUMBER, 1},
	{TEXT("-Infinity"), JSON_SCAN_BAD_NUMBER, 1},
	{TEXT("+1"), JSON_SCAN_UNEXPECTED, 0},
	{TEXT(".5"), JSON_SCAN_UNEXPECTED, 0},
	{TEXT("NaN"), JSON_SCAN_UNEXPECTED, 0},
	{TEXT("Infinity"), JSON_SCAN_UNEXPECTED, 0},
	{TEXT("[1 2]"), JSON_SCAN_UNEXPECTED, 3},
	{TEXT("[1,2.3.4]"), JSON_SCAN_UNEXPECTED, 6},
	{TEXT("\xef\xbc\x91"), JSON_SCAN_UNEXPECTED, 0},	/* a wide 1 */
	/* words */
	{TEXT("True"), JSON_SCAN_UNEXPECTED, 0},
	{TEXT("nul "), JSON_SCAN_UNEXPECTED, 3},
	{TEXT("[nul]"), JSON_SCAN_UNEXPECTED, 4},
	{TEXT("[falsy]"), JSON_SCAN_UNEXPECTED, 5},
	{TEXT("[truefalse]"), JSON_SCAN_UNEXPECTED, 5},
	{TEXT("undefined"), JSON_SCAN_UNEXPECTED, 0},
	/* commas and colons */
	{TEXT("[1,]"), JSON_SCAN_UNEXPECTED, 3},
	{TEXT("[,1]"), JSON_SCAN_UNEXPECTED, 1},
	{TEXT("[1,,2]"), JSON_SCAN_UNEXPECTED, 3},
	{TEXT("[,]"), JSON_SCAN_UNEXPECTED, 1},
	{TEXT("[:]"), JSON_SCAN_UNEXPECTED, 1},
	{TEXT("[\"a\":1]"), JSON_SCAN_UNEXPECTED, 4},
	{TEXT("{\"a\":1,}"), JSON_SCAN_UNEXPECTED, 7},
	{TEXT("{,\"a\":1}"), JSON_SCAN_UNEXPECTED, 1},
	{TEXT("{\"a\":1,,\"b\":2}"), JSON_SCAN_UNEXPECTED, 7},
	{TEXT("{\"a\",1}"), JSON_SCAN_UNEXPECTED, 4},
	{TEXT("{\"a\"::1}"), JSON_SCAN_UNEXPECTED, 5},
	{TEXT("{\"a\" 1}"), JSON_SCAN_UNEXPECTED, 5},
	{TEXT("{\"a\":}"), JSON_SCAN_UNEXPECTED, 5},
	{TEXT("{\"a\"}"), JSON_SCAN_UNEXPECTED, 4},
	{TEXT("{\"a\":1 \"b\":2}"), JSON_SCAN_UNEXPECTED, 7},
	{TEXT("{a:1}"), JSON_SCAN_UNEXPECTED, 1},
	{TEXT("{'a':1}"), JSON_SCAN_UNEXPECTED, 1},
	{TEXT("{1:1}"), JSON_SCAN_UNEXPECTED, 1},
	{TEXT("{null:1}"), JSON_SCAN_UNEXPECTED, 1},
	{TEXT("{[]:1}"), JSON_SCAN_UNEXPECTED, 1},
	{TEXT("{\"a\":1,2}"), JSON_SCAN_UNEXPECTED, 7},
	{TEXT(","), JSON_SCAN_UNEXPECTED, 0},
	{TEXT(":"), JSON_SCAN_UNEXPECTED, 0},
	/* brackets */
	{TEXT("]"), JSON_SCAN_UNEXPECTED, 0},
	{TEXT("}"), JSON_SCAN_UNEXPECTED, 0},
	{TEXT("[}"), JSON_SCAN_UNEXPECTED, 1},
	{TEXT("{]"), JSON_SCAN_UNEXPECTED, 1},
	{TEXT("[1}"), JSON_SCAN_UNEXPECTED, 2},
	{TEXT("{\"a\":1]"), JSON_SCAN_UNEXPECTED, 6},
	{TEXT("{\"a\":[}"), JSON_SCAN_UNEXPECTED, 6},
	{TEXT("[[[]]}"), JSON_SCAN_UNEXPECTED, 5},
	/* what other notations allow */
	{TEXT("'a'"), JSON_SCAN_UNEXPECTED, 0},
	{TEXT("/* c */1"), JSON_SCAN_UNEXPECTED, 0},
	{TEXT("[1 // c\n]"), JSON_SCAN_UNEXPECTED, 3},
	{TEXT("# c\n1"), JSON_SCAN_UNEXPECTED, 0},
	{TEXT("\xef\xbb\xbf{}"), JSON_SCAN_UNEXPECTED, 0},
	{TEXT("\f[]"), JSON_SCAN_UNEXPECTED, 0},
	{TEXT("[\v]"), JSON_SCAN_UNEXPECTED, 1},
	{TEXT("[\xc2\xa0]"), JSON_SCAN_UNEXPECTED, 1},
	{TEXT("\0"), JSON_SCAN_UNEXPECTED, 0},
	{TEXT("[\0]"), JSON_SCAN_UNEXPECTED, 1},
	/* escapes */
	{TEXT("\"\\x41\""), JSON_SCAN_BAD_ESCAPE, 2},
	{TEXT("\"\\a\""), JSON_SCAN_BAD_ESCAPE, 2},
	{TEXT("\"\\'\""), JSON_SCAN_BAD_ESCAPE, 2},
	{TEXT("\"\\0\""), JSON_SCAN_BAD_ESCAPE, 2},
	{TEXT("\"\\\0\""), JSON_SCAN_BAD_ESCAPE, 2},
	{TEXT("\"\\\n\""), JSON_SCAN_BAD_ESCAPE, 2},
	{TEXT("\"\\U0041\""), JSON_SCAN_BAD_ESCAPE, 2},
	{TEXT("\"\\u\""), JSON_SCAN_BAD_ESCAPE, 3},
	{TEXT("\"\\u12\""), JSON_SCAN_BAD_ESCAPE, 5},
	{TEXT("\"\\u123g\""), JSON_SCAN_BAD_ESCAPE, 6},
	{TEXT("\"\\u+123\""), JSON_SCAN_BAD_ESCAPE, 3},
	{TEXT("\"\\u{41}\""), JSON_SCAN_BAD_ESCAPE, 3},
	{TEXT("\"\\\xc3\xa9\""), JSON_SCAN_BAD_ESCAPE, 2},
	{TEXT("{\"\\q\":1}"), JSON_SCAN_BAD_ESCAPE, 3},
	/* control characters */
	{TEXT("\"\0\""), JSON_SCAN_CONTROL_CHARACTER, 1},
	{TEXT("\"a\nb\""), JSON_SCAN_CONTROL_CHARACTER, 2},
	{TEXT("\"a\tb\""), JSON_SCAN_CONTROL_CHARACTER, 2},
	{TEXT("\"12345678\x1f\""), JSON_SCAN_CONTROL_CHARACTER, 9},
	{TEXT("\"1234567\x01xxxxxxxxx\""), JSON_SCAN_CONTROL_CHARACTER, 8},
	{TEXT("{\"a\rb\":1}"), JSON_SCAN_CONTROL_CHARACTER, 3},
	/* UTF-8 */
	{TEXT("\"\x80\""), JSON_SCAN_BAD_UTF8, 1},
	{TEXT("\"\xbf\""), JSON_SCAN_BAD_UTF8, 1},
	{TEXT("\"\xc0\x80\""), JSON_SCAN_BAD_UTF8, 1},
	{TEXT("\"\xc1\xbf\""), JSON_SCAN_BAD_UTF8, 1},
	{TEXT("\"\xc2\""), JSON_SCAN_BAD_UTF8, 2},
	{TEXT("\"\xc2\xc2\""), JSON_SCAN_BAD_UTF8, 2},
	{TEXT("\"\xe0\x9f\xbf\""), JSON_SCAN_BAD_UTF8, 2},
	{TEXT("\"\xe2\x82\""), JSON_SCAN_BAD_UTF8, 3},
	{TEXT("\"\xe2\x28\xa1\""), JSON_SCAN_BAD_UTF8, 2},
	{TEXT("\"\xed\xa0\x80\""), JSON_SCAN_BAD_UTF8, 2},
	{TEXT("\"\xed\xbf\xbf\""), JSON_SCAN_BAD_UTF8, 2},
	{TEXT("\"\xf0\x8f\xbf\xbf\""), JSON_SCAN_BAD_UTF8, 2},
	{TEXT("\"\xf0\x9f\x98\""), JSON_SCAN_BAD_UTF8, 4},
	{TEXT("\"\xf4\x90\x80\x80\""), JSON_SCAN_BAD_UTF8, 2},
	{TEXT("\"\xf5\x80\x80\x80\""), JSON_SCAN_BAD_UTF8, 1},
	{TEXT("\"\xfe\""), JSON_SCAN_BAD_UTF8, 1},
	{TEXT("\"\xff\""), JSON_SCAN_BAD_UTF8, 1},
	{TEXT("\"caf\xe9\""), JSON_SCAN_BAD_UTF8, 5},	/* Latin-1 */
	{TEXT("\"12345678\xff\""), JSON_SCAN_BAD_UTF8, 9},
	{TEXT("{\"\xff\":1}"), JSON_SCAN_BAD_UTF8, 2},
	/* UTF-16 */
	{TEXT("\xff\xfe[\0]\0"), JSON_SCAN_UNEXPECTED, 0},
	{TEXT("[\0]\0"), JSON_SCAN_UNEXPECTED, 1},
};

static void
test_tables(void)
{
	size_t		i;

	for (i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++)
	{
		const Accepted *doc = &accepted[i];
		Verdict		verdict = scan_document(doc->text, doc->len);

		check(verdict.error == JSON_SCAN_OK, "refused for \"%s\" at %zu: %s",
			  json_scan_error_text(verdict.error), verdict.offset,
			  printable(doc->text, doc->len));
	}
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
	{
		const Refused *doc = &refused[i];
		Verdict		verdict = scan_document(doc->text, doc->len);

		check(verdict.error == doc->error && verdict.offset == doc->offset,
			  "\"%s\" at %zu, not \"%s\" at %zu: %s",
			  json_scan_error_text(verdict.error), verdict.offset,
			  json_scan_error_text(doc->error), doc->offset,
			  printable(doc->text, doc->len));
	}
}

/* Every beginning of a document that ends in a bracket is cut off. */
static void
test_truncation(void)
{
	static const char *const docs[] = {
		"{\"a\":[1,-2.5e+3,\"x\\u00e9\\n\",true,false,null,{}],\"bc\":{\"d\":[]}}",
		" [ \"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 and plain\" , { \"k\" : 0.25 } ] ",
		"[[[[\"12345678901234567890\\\\\\\"\"]]]]",
	};
	size_t		i;
	size_t		len;

	for (i = 0; i < sizeof(docs) / sizeof(docs[0]); i++)
	{
		const char *doc = docs[i];
		size_t		whole = strlen(doc);

		while (doc[whole - 1] == ' ')
			whole--;
		check(scan_document(doc, whole).error == JSON_SCAN_OK,
			  "refused whole: %s", doc);
		for (len = 0; len < whole; len++)
		{
			Verdict		verdict = scan_document(doc, len);

			check((verdict.error == JSON_SCAN_TRUNCATED ||
				   verdict.error == JSON_SCAN_EMPTY) &&
				  verdict.offset == len,
				  "\"%s\" at %zu, not cut off at %zu: %s",
				  json_scan_error_text(verdict.error), verdict.offset, len,
				  printable(doc, len));
		}
	}
}

/* Each byte, at each place of two words of eight, must be seen alone. */
static void
test_every_byte(void)
{
	char		doc[20];
	int			place;
	int			byte;

	for (place = 0; place < 16; place++)
	{
		for (byte = 0; byte < 256; byte++)
		{
			JsonScanError wanted = JSON_SCAN_OK;
			Verdict		verdict;

			memset(doc, 'x', sizeof(doc));
			doc[0] = doc[18] = '"';
			doc[1 + place] = (char) byte;
			if (byte == '"')
				wanted = JSON_SCAN_TRAILING;
			else if (byte == '\\')
				wanted = JSON_SCAN_BAD_ESCAPE;
			else if (byte < 0x20)
				wanted = JSON_SCAN_CONTROL_CHARACTER;
			else if (byte >= 0x80)
				wanted = JSON_SCAN_BAD_UTF8;
			verdict = scan_document(doc, 19);
			check(verdict.error == wanted, "byte 0x%02x at %d: \"%s\"", byte,
				  place, json_scan_error_text(verdict.error));
		}
	}
}

/* Objects and arrays in turn, open brackets deep; closed again or not. */
static char *
nested(int depth, bool close, size_t *len)
{
	char	   *doc = malloc(depth * 6 + 1);
	size_t		n = 0;
	int			i;

	for (i = 0; i < depth; i++)
		n += sprintf(doc + n, "%s", i % 2 ? "{\"a\":" : "[");
	if (depth % 2 == 0)
		doc[n++] = '1';
	for (i = depth - 1; close && i >= 0; i--)
		doc[n++] = i % 2 ? '}' : ']';
	*len = n;
	return doc;
}

static void
test_depth(void)
{
	size_t		len;
	char	   *doc;
	int			depth;

	for (depth = 1; depth <= JSON_SCAN_MAX_DEPTH; depth++)
	{
		doc = nested(depth, true, &len);
		check(scan_document(doc, len).error == JSON_SCAN_OK,
			  "refused at depth %d", depth);
		free(doc);
	}
	for (; depth < JSON_SCAN_MAX_DEPTH + 3; depth++)
	{
		doc = nested(depth, true, &len);
		check(scan_document(doc, len).error == JSON_SCAN_TOO_DEEP,
			  "accepted at depth %d", depth);
		free(doc);
	}
	doc = nested(1000000, false, &len);
	check(scan_document(doc, len).error == JSON_SCAN_TOO_DEEP,
		  "accepted a million brackets");
	free(doc);
}

void
test_accept(void)
{
	test_tables();
	test_truncation();
	test_every_byte();
	test_depth();
}
