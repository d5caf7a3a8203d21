/*
 * row_need.c
 *	  Estimates the memory that a large text takes when it becomes a value.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "row/row_need.h"
#include "utils/lsyscache.h"

/*
 * Memory that input functions take, in sizes of the text: those of strings
 * copy it, those of numbers quote it in an error, parsers keep a tree.
 * FACTOR_OTHER is a guess at what other functions do.
 */
#define FACTOR_STRING 2
#define FACTOR_NUMBER 4
#define FACTOR_OTHER 16
#define FACTOR_PARSER ROW_WORST_FACTOR

/*
 * Bytes that jsonb_in() takes for a key or value, and an array for an element
 */
#define JSONB_IN_VALUE_BYTES 112
#define ARRAY_ELEMENT_BYTES 80

int
row_need_factor(Oid base)
{
	char		category;
	bool		preferred;

	switch (base)
	{
		case JSONBOID:
			return 0;
		case JSONPATHOID:
		case TSQUERYOID:
		case TSVECTOROID:
			return FACTOR_PARSER;
		case BYTEAOID:
		case JSONOID:
			return FACTOR_STRING;
		default:
			break;
	}
	get_type_category_preferred(base, &category, &preferred);
	switch (category)
	{
		case TYPCATEGORY_ARRAY:
			return 0;
		case TYPCATEGORY_STRING:
			return FACTOR_STRING;
		case TYPCATEGORY_NUMERIC:
			return FACTOR_NUMBER;
		default:
			return FACTOR_OTHER;
	}
}

/* How often these characters occur in a text, within strings as well. */
static size_t
count_characters(const JsonSlice *value, const char *characters)
{
	size_t		n = 0;

	for (; *characters != '\0'; characters++)
	{
		const char *p = value->start;
		const char *end = p + value->len;

		while ((p = memchr(p, *characters, end - p)) != NULL)
			n++, p++;
	}
	return n;
}

/* Bytes that the conversion of a large text may take. */
static size_t
needed_bytes(const RowInput *input, const JsonSlice *value)
{
	size_t		len = value->len;
	size_t		escaped = value->escaped && !input->takes_json ? len : 0;

	if (input->kind == ROW_INPUT_TEXT || input->kind == ROW_INPUT_JSON)
		return escaped;
	if (input->kind >= ROW_INPUT_ARRAY && value->type != JSON_TOKEN_STRING)
		return len * FACTOR_STRING + count_characters(value, ",[{") *
			(ARRAY_ELEMENT_BYTES + input->item_bytes * 2);
	if (input->factor > 0)
		return len * input->factor + escaped;
	if (input->takes_json)
		return len * FACTOR_STRING +
			count_characters(value, ",:[{") * JSONB_IN_VALUE_BYTES;
	return len * FACTOR_STRING + escaped +
		count_characters(value, ",") * ARRAY_ELEMENT_BYTES;
}

bool
row_need_is_met(const RowInput *input, const RowScratch *scratch,
				const JsonSlice *value)
{
	const RowMemory *memory = scratch->memory;
	size_t		len = value->len;

	/* row_jsonb.c checks the memory itself */
	if (memory == NULL || input->kind == ROW_INPUT_JSONB ||
		row_memory_admits(memory, len * ROW_WORST_FACTOR / 2,
						  len * ROW_WORST_FACTOR / 2))
		return true;
	if (OidIsValid(scratch->conversion) &&
		!row_memory_admits(memory, len, len * ROW_CONVERSION_GROWTH))
		return false;
	return row_memory_admits(memory, len, needed_bytes(input, value));
}
