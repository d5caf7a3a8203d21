/*
 * test_jansson.c
 *	  The scanner against jansson, on documents made by a fixed generator.
 *
 * Both must accept the same documents and see the same values in them.  Known
 * differences: jansson refuses numbers that overflow, half surrogate pairs,
 * keys with \u0000, and nests deeper than the scanner.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

#define DOCUMENTS 20000
#define DOCUMENT_MAX 4096

/* xorshift64: the same documents on every machine */
static uint64_t state = UINT64_C(88172645463325252);

static unsigned
pick(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned) (state >> 33) % n;
}

typedef struct Document
{
	char		text[DOCUMENT_MAX];
	size_t		len;
} Document;

static void
put(Document *doc, const char *text)
{
	size_t		len = strlen(text);

	if (doc->len + len <= DOCUMENT_MAX)
	{
		memcpy(doc->text + doc->len, text, len);
		doc->len += len;
	}
}

static void
put_space(Document *doc)
{
	static const char *const spaces[] = {" ", "\n", "\t", "\r\n", "  "};

	if (pick(6) == 0)
		put(doc, spaces[pick(5)]);
}

static void
put_string(Document *doc)
{
	static const char *const parts[] = {
		"a", "Zz", "key", "0123456789", " ", "\\n", "\\\"", "\\\\", "\\/",
		"\\b", "\\f", "\\r", "\\t", "\\u0041", "\\u00e9", "\\u20AC",
		"\\ud83d\\ude00", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
		"\x7f", "{", "]", ",", ":", "'", "\xd0\x9f\xd1\x80\xd0\xb8",
		"\xef\xbf\xbf", "\\uffff", "\\u0001",
		/* rarely */
		"\\u0000", "\\ud800", "\\udfff",
	};
	int			n = pick(6);

	put(doc, "\"");
	for (; n > 0; n--)
		put(doc, parts[pick(pick(40) == 0 ? 33 : 30)]);
	put(doc, "\"");
}

static void
put_number(Document *doc)
{
	static const char *const numbers[] = {
		"0", "-0", "1", "-1", "12", "892.20", "1e3", "1E-3", "0.1", "-0.0",
		"123456789012345678", "9223372036854775807", "-9223372036854775808",
		"1.7976931348623157e308", "5e-324", "2.5e+10", "100000000000.25",
		/* rarely */
		"9223372036854775808", "1e999", "123456789012345678901234567890",
	};
	char		text[32];

	if (pick(2))
		snprintf(text, sizeof(text), "%d", (int) pick(1000000) - 500000);
	else
		snprintf(text, sizeof(text), "%s",
				 numbers[pick(pick(40) == 0 ? 20 : 17)]);
	put(doc, text);
}

static void
put_value(Document *doc, int depth)
{
	static const char *const words[] = {"true", "false", "null"};
	int			kind = pick(depth > 6 ? 3 : 6);
	int			n;

	put_space(doc);
	if (kind == 0)
		put(doc, words[pick(3)]);
	else if (kind == 1)
		put_string(doc);
	else if (kind == 2)
		put_number(doc);
	else
	{
		bool		object = kind == 3 || kind == 4;

		put(doc, object ? "{" : "[");
		for (n = pick(5); n > 0; n--)
		{
			if (object)
			{
				put_space(doc);
				put_string(doc);
				put_space(doc);
				put(doc, ":");
			}
			put_value(doc, depth + 1);
			if (n > 1)
				put(doc, ",");
		}
		put(doc, object ? "}" : "]");
	}
	put_space(doc);
}

/* Damage a document, mostly so little that it is nearly right. */
static void
mutate(Document *doc)
{
	static const char marks[] = "{}[]\",:\\0-+.eEtfnu \n\x80\xff\xc3\xed\xf4\x01";
	size_t		at;

	if (doc->len == 0)
		return;
	at = pick(doc->len);
	switch (pick(5))
	{
		case 0:					/* another byte */
			doc->text[at] = (char) pick(256);
			break;
		case 1:					/* a byte that means something */
			doc->text[at] = marks[pick(sizeof(marks) - 1)];
			break;
		case 2:					/* a byte less */
			memmove(doc->text + at, doc->text + at + 1, doc->len - at - 1);
			doc->len--;
			break;
		case 3:					/* a byte more */
			if (doc->len == DOCUMENT_MAX)
				return;
			memmove(doc->text + at + 1, doc->text + at, doc->len - at);
			doc->text[at] = marks[pick(sizeof(marks) - 1)];
			doc->len++;
			break;
		default:				/* cut off */
			doc->len = at;
			break;
	}
}

/* The text of a string slice; NULL if it is half a pair. */
static char *
unescaped(const JsonSlice *slice, size_t *len, bool *nul)
{
	char	   *text = malloc(slice->len + 1);
	JsonScanError error = json_unescape(slice->start, slice->len, text, len);

	*nul = error == JSON_SCAN_NUL;
	if (error == JSON_SCAN_OK)
		return text;
	free(text);
	return NULL;
}

/* May jansson refuse what the scanner accepts? */
static bool
known_difference(const json_error_t *error)
{
	return json_error_code(error) == json_error_numeric_overflow ||
		json_error_code(error) == json_error_null_byte_in_key ||
		strstr(error->text, "invalid Unicode") != NULL; /* half a pair */
}

static bool same_value(const json_t *tree, const JsonSlice *slice);

static bool
same_string(const json_t *tree, const JsonSlice *slice)
{
	size_t		len;
	bool		nul;
	char	   *text = unescaped(slice, &len, &nul);
	bool		same;

	if (text == NULL)
		return nul && memchr(json_string_value(tree), '\0',
							 json_string_length(tree)) != NULL;
	same = len == json_string_length(tree) &&
		memcmp(text, json_string_value(tree), len) == 0;
	free(text);
	return same;
}

static bool
same_array(const json_t *tree, JsonScan *scan)
{
	JsonSlice	item;
	size_t		n = 0;

	while (json_scan_value(scan, &item) != JSON_TOKEN_ARRAY_END)
	{
		if (!same_value(json_array_get(tree, n++), &item))
			return false;
	}
	return n == json_array_size(tree);
}

/* A later member of the same name counts, and an earlier one does not. */
static bool
same_object(const json_t *tree, JsonScan *scan)
{
	JsonSlice	values[64];
	char	   *keys[64];
	size_t		n = 0;
	size_t		distinct = 0;
	bool		same = true;
	size_t		i;
	size_t		j;

	while (json_scan_next(scan) == JSON_TOKEN_KEY)
	{
		size_t		len;
		bool		nul;

		keys[n] = unescaped(&scan->value, &len, &nul);
		keys[n][len] = '\0';
		json_scan_value(scan, &values[n++]);
	}
	for (i = 0; i < n; i++)
	{
		for (j = i + 1; j < n && strcmp(keys[i], keys[j]) != 0; j++)
			;
		if (j < n)
			continue;
		distinct++;
		same &= same_value(json_object_get(tree, keys[i]), &values[i]);
	}
	for (i = 0; i < n; i++)
		free(keys[i]);
	return same && distinct == json_object_size(tree);
}

static bool
same_number(const json_t *tree, const JsonSlice *slice)
{
	char		text[DOCUMENT_MAX + 1];

	memcpy(text, slice->start, slice->len);
	text[slice->len] = '\0';
	if (json_is_integer(tree))
		return strtoll(text, NULL, 10) == json_integer_value(tree);
	return json_is_real(tree) &&
		strtod(text, NULL) == json_real_value(tree);
}

static bool
same_value(const json_t *tree, const JsonSlice *slice)
{
	JsonScan	scan;

	json_scan_init(&scan, slice->start, slice->len);
	switch (slice->type)
	{
		case JSON_TOKEN_OBJECT_START:
			json_scan_next(&scan);
			return json_is_object(tree) && same_object(tree, &scan);
		case JSON_TOKEN_ARRAY_START:
			json_scan_next(&scan);
			return json_is_array(tree) && same_array(tree, &scan);
		case JSON_TOKEN_STRING:
			return json_is_string(tree) && same_string(tree, slice);
		case JSON_TOKEN_NUMBER:
			return same_number(tree, slice);
		case JSON_TOKEN_TRUE:
			return json_is_true(tree);
		case JSON_TOKEN_FALSE:
			return json_is_false(tree);
		default:
			return slice->type == JSON_TOKEN_NULL && json_is_null(tree);
	}
}

/* True if jansson takes the document for JSON. */
static bool
compare(const Document *doc)
{
	Verdict		verdict = scan_document(doc->text, doc->len);
	json_error_t error;
	json_t	   *tree = json_loadb(doc->text, doc->len,
								  JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);

	if (tree == NULL)
		check(verdict.error != JSON_SCAN_OK ||
			  known_difference(&error),
			  "jansson refuses (%s): %s", error.text,
			  printable(doc->text, doc->len));
	else
	{
		check(verdict.error == JSON_SCAN_OK, "jansson accepts (\"%s\" at %zu): %s",
			  json_scan_error_text(verdict.error), verdict.offset,
			  printable(doc->text, doc->len));
		if (verdict.error == JSON_SCAN_OK)
		{
			JsonScan	scan;
			JsonSlice	value;

			json_scan_init(&scan, doc->text, doc->len);
			json_scan_value(&scan, &value);
			check(same_value(tree, &value), "jansson sees other values: %s",
				  printable(doc->text, doc->len));
		}
	}
	json_decref(tree);
	return tree != NULL;
}

void
test_jansson(void)
{
	static Document doc;
	int			n_accepted = 0;
	int			n_documents = 0;
	int			i;
	int			n;

	for (i = 0; i < DOCUMENTS; i++)
	{
		doc.len = 0;
		put_value(&doc, 0);
		n_accepted += compare(&doc);
		n_documents++;
		for (n = 1 + pick(3); n > 0; n--)
		{
			mutate(&doc);
			n_accepted += compare(&doc);
			n_documents++;
		}
	}
	check(n_accepted > n_documents / 4 && n_accepted < n_documents * 3 / 4,
		  "%d of %d documents were accepted: that tests one side only",
		  n_accepted, n_documents);
}
