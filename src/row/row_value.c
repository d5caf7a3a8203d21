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
#include "row/row_scalar.h"
#include "row/row_value.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"

/* Bytes of a message; it may quote a value of any length. */
#define ERROR_MESSAGE_MAX 500

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

/* Can there be a value that takes the input function? */
static bool
is_called(const RowInput *input)
{
	return input->kind != ROW_INPUT_JSON &&
		(input->kind != ROW_INPUT_TEXT || input->typmod >= 0);
}

void
row_input_init(RowInput *input, Oid type, int32 typmod)
{
	Oid			base = getBaseType(type);
	Oid			function;

	input->type = type;
	input->typmod = typmod;
	input->takes_json = base == JSONOID || base == JSONBOID;
	get_typlenbyval(type, &input->typlen, &input->typbyval);
	getTypeInputInfo(type, &function, &input->ioparam);
	fmgr_info(function, &input->function);

	input->kind = input_kind(input);
	input->throws = !compat_input_is_soft(type) && is_called(input);
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

void
row_error_set(RowError *error, int sqlstate, const char *format,...)
{
	StringInfoData message;
	char	   *p;

	initStringInfo(&message);
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, format);
		needed = appendStringInfoVA(&message, format, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&message, needed);
	}

	message.data[pg_mbcliplen(message.data, message.len,
							  ERROR_MESSAGE_MAX)] = '\0';
	for (p = message.data; *p != '\0'; p++)
	{
		if ((unsigned char) *p < ' ')
			*p = ' ';
	}
	error->sqlstate = sqlstate;
	error->message = message.data;
	error->column = NULL;
}

void
row_error_copy(RowError *error, const ErrorData *edata)
{
	/* the detail of an input function often is the better half */
	if (edata->detail != NULL)
	{
		int			len = strlen(edata->detail);

		if (len > 0 && edata->detail[len - 1] == '.')
			len--;
		row_error_set(error, edata->sqlerrcode, "%s: %.*s", edata->message,
					  len, edata->detail);
	}
	else
		row_error_set(error, edata->sqlerrcode, "%s", edata->message);
}

/*
 * The value's text in UTF-8: a slice of the input where that will do, else of
 * scratch->text.
 */
static inline bool
value_utf8(const RowInput *input, RowScratch *scratch, const JsonSlice *value,
		   const char **text, size_t *len, RowError *error)
{
	JsonScanError bad;

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

	resetStringInfo(&scratch->text);
	enlargeStringInfo(&scratch->text, *len);
	bad = json_unescape(*text, *len, scratch->text.data, len);
	*text = scratch->text.data;
	if (bad == JSON_SCAN_OK)
		return true;

	row_error_set(error, bad == JSON_SCAN_NUL ?
				  ERRCODE_UNTRANSLATABLE_CHARACTER :
				  ERRCODE_INVALID_TEXT_REPRESENTATION,
				  "%s", json_scan_error_text(bad));
	return false;
}

/* The value's text in the server's encoding. */
static inline bool
value_text(const RowInput *input, RowScratch *scratch, const JsonSlice *value,
		   const char **text, size_t *len, RowError *error)
{
	int			encoding;
	int			done;

	if (!value_utf8(input, scratch, value, text, len, error))
		return false;
	if (likely(!OidIsValid(scratch->conversion)))
		return true;

	encoding = GetDatabaseEncoding();
	resetStringInfo(&scratch->converted);
	enlargeStringInfo(&scratch->converted,
					  *len * MAX_CONVERSION_GROWTH + 1);
	done = pg_do_encoding_conversion_buf(scratch->conversion,
										 PG_UTF8, encoding,
										 (unsigned char *) unconstify(char *, *text),
										 *len,
										 (unsigned char *) scratch->converted.data,
										 scratch->converted.maxlen, true);
	if (done != (int) *len)
	{
		row_error_set(error, ERRCODE_UNTRANSLATABLE_CHARACTER,
					  "character has no equivalent in encoding \"%s\"",
					  pg_encoding_to_char(encoding));
		return false;
	}
	*text = scratch->converted.data;
	*len = strlen(scratch->converted.data);
	return true;
}

/* The same as a C string, which may be scratch->text itself. */
static char *
value_cstring(const RowInput *input, RowScratch *scratch,
			  const JsonSlice *value, RowError *error)
{
	const char *text;
	size_t		len;

	if (!value_text(input, scratch, value, &text, &len, error))
		return NULL;
	if (text == scratch->converted.data)
		return scratch->converted.data;
	if (text != scratch->text.data)
	{
		resetStringInfo(&scratch->text);
		enlargeStringInfo(&scratch->text, len);
		memcpy(scratch->text.data, text, len);
	}
	scratch->text.data[len] = '\0';
	return scratch->text.data;
}

static RowInputResult
integer_value(const RowInput *input, const char *text, size_t len,
			  Datum *datum, RowError *error)
{
	RowInputResult result = row_scalar_integer(input->type, text, len, datum);

	if (result == ROW_INPUT_BAD)
		row_error_set(error, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
					  "value \"%.*s\" is out of range for type %s",
					  (int) len, text,
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
			 const JsonSlice *value, Datum *datum, RowError *error)
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
			return row_jsonb_value(scratch->jsonb, scratch->shaped, text,
								   len, datum);
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

	if (input->kind == ROW_INPUT_ARRAY)
		result = array_or_text_value(input, scratch, value, may_call, datum,
									 error);
	else if (input->kind != ROW_INPUT_FUNCTION)
		result = scalar_value(input, scratch, value, datum, error);
	if (result == ROW_INPUT_CALL && may_call)
		result = function_value(input, scratch, value, datum, error);
	return result;
}
