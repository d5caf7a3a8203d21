/*
 * row_hstore.c
 *	  Makes a value of extension hstore's type of a JSON object.
 *
 * to_json() makes an object of an hstore, but no function does the reverse.
 * So the object becomes a text that hstore's input function reads.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "row/row_hstore.h"
#include "row/row_text.h"
#include "utils/syscache.h"

static bool
is_named_hstore(Oid type)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	bool		is_named = HeapTupleIsValid(tuple) &&
		strcmp(NameStr(((Form_pg_type) GETSTRUCT(tuple))->typname), "hstore") == 0;

	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return is_named;
}

/* The type may be in any schema; other types may have its name. */
bool
row_hstore_is(Oid type)
{
	Oid			extension;

	if (type < FirstNormalObjectId || !is_named_hstore(type))
		return false;
	extension = get_extension_oid("hstore", true);
	return OidIsValid(extension) &&
		getExtensionOfObject(TypeRelationId, type) == extension;
}

/* Append a text in quotes, with hstore's escapes. */
static bool
append_text(StringInfo out, RowScratch *scratch, const JsonSlice *value,
			RowError *error)
{
	const char *text;
	size_t		len;

	if (!row_text_of(scratch, value, false, &text, &len, error))
		return false;
	appendStringInfoChar(out, '"');
	for (const char *end = text + len; text < end; text++)
	{
		if (*text == '"' || *text == '\\')
			appendStringInfoChar(out, '\\');
		appendStringInfoChar(out, *text);
	}
	appendStringInfoChar(out, '"');
	return true;
}

/*
 * Append all members; a value that is an object or array becomes its JSON
 * text.
 */
static bool
append_members(StringInfo out, RowScratch *scratch, const JsonSlice *object,
			   RowError *error)
{
	JsonScan	scan;
	JsonSlice	value;

	json_scan_init(&scan, object->start, object->len);
	json_scan_next(&scan);
	while (json_scan_next(&scan) == JSON_TOKEN_KEY)
	{
		JsonSlice	key = scan.value;

		key.type = JSON_TOKEN_STRING;
		json_scan_value(&scan, &value);
		if (out->len > 0)
			appendStringInfoChar(out, ',');
		if (!append_text(out, scratch, &key, error))
			return false;
		appendStringInfoString(out, "=>");
		if (value.type == JSON_TOKEN_NULL)
			appendStringInfoString(out, "NULL");
		else if (!append_text(out, scratch, &value, error))
			return false;
	}
	return true;
}

RowInputResult
row_hstore_value(const RowInput *input, RowScratch *scratch,
				 const JsonSlice *value, bool may_call, Datum *datum,
				 RowError *error)
{
	MemoryContext result_cxt = CurrentMemoryContext;
	StringInfoData text;
	bool		sound;

	if (!may_call)
		return ROW_INPUT_CALL;
	MemoryContextSwitchTo(scratch->cxt);
	scratch->cxt_used = true;
	initStringInfo(&text);
	sound = append_members(&text, scratch, value, error);
	MemoryContextSwitchTo(result_cxt);
	if (!sound)
	{
		error->message = pstrdup(error->message);
		return ROW_INPUT_BAD;
	}
	return row_input_call(input, scratch, text.data, datum, error);
}
