/*
 * json_tree.c
 *	  Small JSON documents as a tree; see json_tree.h.
 *
 * A JsonDoc is jansson's json_t under another name, so that no other file
 * needs jansson's header.  No JSON is written here: requests are built as
 * text.
 */
#include "postgres.h"

#include <jansson.h>

#include "base/cleanup.h"
#include "json/json_tree.h"

static const json_t *
as_json(const JsonDoc *doc)
{
	return (const json_t *) doc;
}

/* NULL for JSON's null, which counts as absent. */
static const JsonDoc *
as_doc(const json_t *json)
{
	return json_is_null(json) ? NULL : (const JsonDoc *) json;
}

static void
destroy_tree(void *handle)
{
	json_decref((json_t *) handle);
}

const JsonDoc *
jsondoc_parse(MemoryContext cxt, const char *text, size_t len, char **error)
{
	json_error_t why;
	json_t	   *json = json_loadb(text, len, JSON_DECODE_ANY, &why);

	if (json == NULL)
	{
		if (error != NULL)
			*error = MemoryContextStrdup(cxt, why.text);
		return NULL;
	}

	cleanup_register(cxt, destroy_tree, json);
	return (const JsonDoc *) json;
}

const JsonDoc *
jsondoc_get(const JsonDoc *doc, const char *key)
{
	return as_doc(json_object_get(as_json(doc), key));
}

int
jsondoc_length(const JsonDoc *doc)
{
	return (int) json_array_size(as_json(doc));
}

const JsonDoc *
jsondoc_at(const JsonDoc *doc, int index)
{
	return index < 0 ? NULL : as_doc(json_array_get(as_json(doc), index));
}

const char *
jsondoc_string(const JsonDoc *doc, const char *key)
{
	return jsondoc_text(jsondoc_get(doc, key));
}

const char *
jsondoc_text(const JsonDoc *doc)
{
	return json_string_value(as_json(doc));
}

bool
jsondoc_is_true(const JsonDoc *doc, const char *key)
{
	return json_is_true(as_json(jsondoc_get(doc, key)));
}

int64
jsondoc_int64(const JsonDoc *doc, const char *key, int64 missing)
{
	const json_t *json = as_json(jsondoc_get(doc, key));
	double		real;

	if (json_is_integer(json))
		return json_integer_value(json);
	if (!json_is_real(json))
		return missing;

	/*
	 * a number like 24.0 or 1.6E9 counts as an integer if an int64 can hold
	 * it
	 */
	real = json_real_value(json);
	return real >= -9.2e18 && real <= 9.2e18 ? (int64) real : missing;
}

double
jsondoc_double(const JsonDoc *doc, const char *key, double missing)
{
	const json_t *json = as_json(jsondoc_get(doc, key));

	return json_is_number(json) ? json_number_value(json) : missing;
}
