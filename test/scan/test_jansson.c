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
#include "generate.h"

#define DOCUMENTS 20000

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
		generate_value(&doc);
		n_accepted += compare(&doc);
		n_documents++;
		for (n = 1 + generate_pick(3); n > 0; n--)
		{
			generate_damage(&doc);
			n_accepted += compare(&doc);
			n_documents++;
		}
	}
	check(n_accepted > n_documents / 4 && n_accepted < n_documents * 3 / 4,
		  "%d of %d documents were accepted: that tests one side only",
		  n_accepted, n_documents);
}
