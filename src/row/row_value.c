/*
 * row_value.c
 *	  One JSON value to one column's Datum.
 *
 * Nothing here catches errors: row_decode.c does, where it must.
 */
#include "postgres.h"

#include "base/compat.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "row/row_jsonb.h"
#include "row/row_need.h"
#include "row/row_scalar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"

/* What is kept of each of the buffers for texts, at the most. */
#define KEPT_TEXT_BYTES (64 * 1024)

/* Room that is left for the last piece of a text that is converted */
#define CONVERSION_PIECE_BYTES 256

static RowInputKind
input_kind(const RowInput *input)
{
	switch (input->type)
	{
		case BOOLOID:
			return ROW_INPUT_BOOL;
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return ROW_INPUT_INTEGER;
		case FLOAT8OID:
			return ROW_INPUT_FLOAT8;
		case NUMERICOID:
			return input->typmod < 0 ? ROW_INPUT_NUMERIC : ROW_INPUT_FUNCTION;
		case UUIDOID:
			return ROW_INPUT_UUID;
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return input->typmod < 0 ? ROW_INPUT_DATETIME :
				ROW_INPUT_FUNCTION;
		case TEXTOID:
		case VARCHAROID:
			return ROW_INPUT_TEXT;
		case JSONOID:
			return ROW_INPUT_JSON;
		case JSONBOID:
			return GetDatabaseEncoding() == PG_UTF8 ? ROW_INPUT_JSONB :
				ROW_INPUT_FUNCTION;
		default:
			return OidIsValid(get_element_type(input->type)) ?
				ROW_INPUT_ARRAY : ROW_INPUT_FUNCTION;
	}
}

void
row_input_init(RowInput *input, Oid type, int32 typmod)
{
	Oid			base = getBaseType(type);
	Oid			function;

	input->type = type;
	input->typmod = typmod;
	input->takes_json = base == JSONOID || base == JSONBOID;
	input->throws = !compat_input_is_soft(type);
	input->factor = row_need_factor(base);
	get_typlenbyval(type, &input->typlen, &input->typbyval);
	getTypeInputInfo(type, &function, &input->ioparam);
	fmgr_info(function, &input->function);

	input->kind = input_kind(input);
	input->element = NULL;
	if (input->kind == ROW_INPUT_ARRAY)
	{
		input->element = palloc(sizeof(RowInput));
		row_input_init(input->element, get_element_type(type), typmod);
		input->throws |= input->element->throws;
	}
}

void
row_scratch_init(RowScratch *scratch)
{
	int			encoding = GetDatabaseEncoding();

	scratch->conversion = InvalidOid;
	if (encoding != PG_UTF8 && encoding != PG_SQL_ASCII)
	{
		scratch->conversion = FindDefaultConversionProc(PG_UTF8, encoding);
		if (!OidIsValid(scratch->conversion))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_FUNCTION),
					 errmsg("default conversion function for encoding \"%s\" to \"%s\" does not exist",
							pg_encoding_to_char(PG_UTF8),
							pg_encoding_to_char(encoding))));
	}
	initStringInfo(&scratch->text);
	initStringInfo(&scratch->converted);
	scratch->jsonb = row_jsonb_open();
	scratch->shaped = NULL;
	scratch->memory = NULL;
	scratch->cxt = AllocSetContextCreate(CurrentMemoryContext,
										 "tracking_fdw conversion",
										 ALLOCSET_DEFAULT_SIZES);
	scratch->cxt_used = false;
}

void
row_scratch_reset(RowScratch *scratch)
{
	if (scratch->cxt_used)
		MemoryContextReset(scratch->cxt);
	scratch->cxt_used = false;
	scratch->shaped = NULL;
}

/*
 * Room for a text and a terminator: in a buffer that is kept for the next one,
 * or in the scratch context if it is large.
 */
static char *
text_room(RowScratch *scratch, StringInfo kept, size_t bytes)
{
	if (likely(bytes <= KEPT_TEXT_BYTES))
	{
		resetStringInfo(kept);
		enlargeStringInfo(kept, bytes);
		return kept->data;
	}
	scratch->cxt_used = true;
	return MemoryContextAllocHuge(scratch->cxt, bytes + 1);
}

/*
 * The value's text in UTF-8: a slice of the input where that will do, else in
 * room of scratch.
 */
static inline bool
value_utf8(const RowInput *input, RowScratch *scratch, const JsonSlice *value,
		   const char **text, size_t *len, RowError *error)
{
	JsonScanError bad;
	char	   *room;

	*text = value->start;
	*len = value->len;
	if (value->type != JSON_TOKEN_STRING)
		return true;

	if (input->takes_json)
	{
		*text -= 1;
		*len += 2;
		return true;
	}
	if (!value->escaped)
		return true;

	room = text_room(scratch, &scratch->text, *len);
	bad = json_unescape(*text, *len, room, len);
	*text = room;
	if (bad == JSON_SCAN_OK)
		return true;
	row_error_unescape(error, bad);
	return false;
}

/*
 * Convert to the server's encoding, in as many goes as it takes: one that might
 * not fit converts a part only.  False if a character has no equivalent.
 */
static bool
convert_text(const RowScratch *scratch, const char *text, size_t len,
			 char *room, size_t room_bytes)
{
	char	   *end = room + room_bytes;

	while (len > 0)
	{
		int			done;

		done = pg_do_encoding_conversion_buf(scratch->conversion, PG_UTF8,
											 GetDatabaseEncoding(),
											 (unsigned char *) unconstify(char *, text),
											 len, (unsigned char *) room,
											 end - room, true);
		if (done <= 0)
			return false;
		text += done;
		len -= done;
		room += strlen(room);
	}
	*room = '\0';
	return true;
}

/* The value's text in the server's encoding. */
static inline bool
value_text(const RowInput *input, RowScratch *scratch, const JsonSlice *value,
		   const char **text, size_t *len, RowError *error)
{
	size_t		room_bytes;
	char	   *room;

	if (!value_utf8(input, scratch, value, text, len, error))
		return false;
	if (likely(!OidIsValid(scratch->conversion)))
		return true;

	room_bytes = *len * ROW_CONVERSION_GROWTH + CONVERSION_PIECE_BYTES;
	room = text_room(scratch, &scratch->converted, room_bytes);
	if (!convert_text(scratch, *text, *len, room, room_bytes))
	{
		row_error_set(error, ERRCODE_UNTRANSLATABLE_CHARACTER,
					  "character has no equivalent in encoding \"%s\"",
					  pg_encoding_to_char(GetDatabaseEncoding()));
		return false;
	}
	*text = room;
	*len = strlen(room);
	return true;
}

/* The same as a C string, which may be the room that it is in. */
static char *
value_cstring(const RowInput *input, RowScratch *scratch,
			  const JsonSlice *value, RowError *error)
{
	const char *text;
	char	   *room;
	size_t		len;

	if (!value_text(input, scratch, value, &text, &len, error))
		return NULL;
	/* of a slice, the quote may be part of the text */
	if (text != value->start && text != value->start - 1)
		room = unconstify(char *, text);
	else
		room = memcpy(text_room(scratch, &scratch->text, len), text, len);
	room[len] = '\0';
	return room;
}

static RowInputResult
integer_value(const RowInput *input, const char *text, size_t len,
			  Datum *datum, RowError *error)
{
	RowInputResult result = row_scalar_integer(input->type, text, len, datum);

	if (result == ROW_INPUT_BAD)
		row_error_set(error, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
					  "value \"%.*s\" is out of range for type %s",
					  (int) Min(len, ROW_ERROR_BYTES), text,
					  input->type == INT2OID ? "smallint" :
					  input->type == INT4OID ? "integer" : "bigint");
	return result;
}

/* A varchar that is too long may still be right if it ends in blanks. */
static RowInputResult
text_value(const RowInput *input, const char *text, size_t len, Datum *datum)
{
	if (input->typmod >= (int32) VARHDRSZ &&
		len > (size_t) input->typmod - VARHDRSZ &&
		pg_mbstrlen_with_len(text, len) > input->typmod - (int) VARHDRSZ)
		return ROW_INPUT_CALL;
	*datum = PointerGetDatum(cstring_to_text_with_len(text, len));
	return ROW_INPUT_DONE;
}

/* What can be done with a value's text without the input function. */
static RowInputResult
scalar_value(const RowInput *input, RowScratch *scratch,
			 const JsonSlice *value, bool may_call, Datum *datum,
			 RowError *error)
{
	bool		number = value->type == JSON_TOKEN_NUMBER;
	const char *text;
	size_t		len;

	if (!value_text(input, scratch, value, &text, &len, error))
		return ROW_INPUT_BAD;
	switch (input->kind)
	{
		case ROW_INPUT_BOOL:
			return row_scalar_bool(text, len, datum);
		case ROW_INPUT_INTEGER:
			return integer_value(input, text, len, datum, error);
		case ROW_INPUT_FLOAT8:
			return number ? row_scalar_float8(text, len, datum) :
				ROW_INPUT_CALL;
		case ROW_INPUT_NUMERIC:
			return number ? row_scalar_numeric(text, len, datum) :
				ROW_INPUT_CALL;
		case ROW_INPUT_UUID:
			return row_scalar_uuid(text, len, datum);
		case ROW_INPUT_DATETIME:
			return row_scalar_datetime(input->type, text, len, datum);
		case ROW_INPUT_TEXT:
			return text_value(input, text, len, datum);
		case ROW_INPUT_JSON:	/* checked by the scanner already */
			*datum = PointerGetDatum(cstring_to_text_with_len(text, len));
			return ROW_INPUT_DONE;
		case ROW_INPUT_JSONB:
			return row_jsonb_value(scratch->jsonb, scratch->shaped,
								   scratch->memory, text, len, may_call,
								   datum, error);
		case ROW_INPUT_FUNCTION:
		case ROW_INPUT_ARRAY:
			break;
	}
	return ROW_INPUT_CALL;
}

/*
 * What the scalar cases left open.  The function works in a context of its
 * own: that of jsonb leaves several times the value behind.
 */
static RowInputResult
function_value(const RowInput *input, RowScratch *scratch,
			   const JsonSlice *value, Datum *datum, RowError *error)
{
	MemoryContext result_cxt = CurrentMemoryContext;
	char	   *text = value_cstring(input, scratch, value, error);
	ErrorData  *edata;
	Datum		result;

	if (text == NULL)
		return ROW_INPUT_BAD;

	MemoryContextSwitchTo(scratch->cxt);
	scratch->cxt_used = true;
	edata = compat_input_call(unconstify(FmgrInfo *, &input->function), text,
							  input->ioparam, input->typmod, &result);
	MemoryContextSwitchTo(result_cxt);
	if (edata != NULL)
	{
		row_error_copy(error, edata);
		return ROW_INPUT_BAD;
	}
	*datum = datumCopy(result, input->typbyval, input->typlen);
	return ROW_INPUT_DONE;
}

/*
 * A JSON array becomes an array of one dimension.  The elements are copied
 * into it, so they are made where input functions work.
 */
static RowInputResult
array_value(const RowInput *input, RowScratch *scratch,
			const JsonSlice *value, bool may_call, Datum *datum,
			RowError *error)
{
	MemoryContext result_cxt = CurrentMemoryContext;
	const RowInput *element = input->element;
	ArrayBuildState *build;
	JsonScan	scan;
	JsonSlice	item;

	MemoryContextSwitchTo(scratch->cxt);
	scratch->cxt_used = true;
	build = initArrayResult(element->type, scratch->cxt, false);
	json_scan_init(&scan, value->start, value->len);
	json_scan_next(&scan);
	while (json_scan_value(&scan, &item) != JSON_TOKEN_ARRAY_END)
	{
		bool		isnull = item.type == JSON_TOKEN_NULL;
		Datum		item_datum = (Datum) 0;
		RowInputResult result = ROW_INPUT_DONE;

		if (!isnull)
			result = row_input_value(element, scratch, &item, may_call,
									 &item_datum, error);
		if (result != ROW_INPUT_DONE)
		{
			MemoryContextSwitchTo(result_cxt);
			if (result == ROW_INPUT_BAD)
				error->message = pstrdup(error->message);
			return result;
		}
		accumArrayResult(build, item_datum, isnull, element->type,
						 scratch->cxt);
	}
	MemoryContextSwitchTo(result_cxt);
	*datum = makeArrayResult(build, result_cxt);
	return ROW_INPUT_DONE;
}

static RowInputResult
array_or_text_value(const RowInput *input, RowScratch *scratch,
					const JsonSlice *value, bool may_call, Datum *datum,
					RowError *error)
{
	if (value->type == JSON_TOKEN_ARRAY_START)
		return array_value(input, scratch, value, may_call, datum, error);

	/* "{}" is an empty array to SQL */
	if (value->type == JSON_TOKEN_OBJECT_START)
	{
		row_error_set(error, ERRCODE_INVALID_TEXT_REPRESENTATION,
					  "JSON object cannot be converted to an array");
		return ROW_INPUT_BAD;
	}
	return ROW_INPUT_CALL;
}

RowInputResult
row_input_value(const RowInput *input, RowScratch *scratch,
				const JsonSlice *value, bool may_call, Datum *datum,
				RowError *error)
{
	RowInputResult result = ROW_INPUT_CALL;

	if (unlikely(value->len >= ROW_LARGE_BYTES) &&
		!row_need_is_met(input, scratch, value))
	{
		row_memory_refuse(scratch->memory, error);
		return ROW_INPUT_BAD;
	}
	if (input->kind == ROW_INPUT_ARRAY)
		result = array_or_text_value(input, scratch, value, may_call, datum,
									 error);
	else if (input->kind != ROW_INPUT_FUNCTION)
		result = scalar_value(input, scratch, value, may_call, datum, error);
	if (result == ROW_INPUT_CALL && may_call)
		result = function_value(input, scratch, value, datum, error);
	return result;
}
