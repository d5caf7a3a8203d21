/*
 * row_value.c
 *	  Makes a column's Datum of a JSON value.
 *
 * Nothing here catches errors: row_decode.c does, where it must.
 */
#include "postgres.h"

#include "base/compat.h"
#include "catalog/namespace.h"
#include "mb/pg_wchar.h"
#include "row/row_jsonb.h"
#include "row/row_need.h"
#include "row/row_notation.h"
#include "row/row_scalar.h"
#include "row/row_text.h"
#include "row/row_time.h"
#include "utils/builtins.h"
#include "utils/datum.h"

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

/* A number may be whole although it has a point or an exponent. */
static RowInputResult
integer_value(const RowInput *input, bool number, const char *text,
			  size_t len, Datum *datum, RowError *error)
{
	RowInputResult result = row_scalar_integer(input->type, text, len, datum);
	bool		fraction = false;

	if (unlikely(result == ROW_INPUT_CALL && number))
		result = row_scalar_whole(input->type, text, len, datum, &fraction);
	if (likely(result != ROW_INPUT_BAD))
		return result;
	if (fraction)
		row_error_set(error, ERRCODE_INVALID_TEXT_REPRESENTATION,
					  "invalid input syntax for type %s: \"%.*s\"",
					  format_type_be(input->type),
					  (int) Min(len, ROW_ERROR_BYTES / 2), text);
	else
		row_error_set(error, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
					  "value \"%.*s\" is out of range for type %s",
					  (int) Min(len, ROW_ERROR_BYTES / 2), text,
					  format_type_be(input->type));
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

/* Convert a value without the input function, if that is possible. */
static RowInputResult
scalar_value(const RowInput *input, RowScratch *scratch,
			 const JsonSlice *value, bool may_call, Datum *datum,
			 RowError *error)
{
	bool		number = value->type == JSON_TOKEN_NUMBER;
	const char *text;
	size_t		len;

	if (!row_text_of(scratch, value, input->takes_json, &text, &len, error))
		return ROW_INPUT_BAD;
	switch (input->kind)
	{
		case ROW_INPUT_BOOL:
			return row_scalar_bool(text, len, datum);
		case ROW_INPUT_INTEGER:
			return integer_value(input, number, text, len, datum, error);
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
		case ROW_INPUT_NOTED:
			return row_notation_read(input, value->type, text, len, datum,
									 error);
		default:
			break;
	}
	return ROW_INPUT_CALL;
}

/*
 * Let the function work in a context of its own: that of jsonb leaves several
 * times the value behind.
 */
RowInputResult
row_input_call(const RowInput *input, RowScratch *scratch, char *text,
			   Datum *datum, RowError *error)
{
	MemoryContext result_cxt = MemoryContextSwitchTo(scratch->cxt);
	ErrorData  *edata;
	Datum		result;

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

/* Convert a value by the input function. */
static RowInputResult
function_value(const RowInput *input, RowScratch *scratch,
			   const JsonSlice *value, Datum *datum, RowError *error)
{
	char	   *text = row_text_cstring(scratch, value, input->takes_json,
										error);

	if (text != NULL && input->has_times)
		text = row_time_text(input, value->type, text, error);
	if (text == NULL)
		return ROW_INPUT_BAD;
	return row_input_call(input, scratch, text, datum, error);
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
	if (input->kind >= ROW_INPUT_ARRAY)
		result = input->parts(input, scratch, value, may_call, datum, error);
	else if (input->kind != ROW_INPUT_FUNCTION)
		result = scalar_value(input, scratch, value, may_call, datum, error);
	if (result == ROW_INPUT_CALL && may_call)
		result = function_value(input, scratch, value, datum, error);
	return result;
}

/* A text is like a JSON string without escapes. */
RowInputResult
row_input_text(const RowInput *input, RowScratch *scratch, const char *text,
			   size_t len, bool may_call, Datum *datum, RowError *error)
{
	const JsonSlice value = {text, len, JSON_TOKEN_STRING, false};

	return row_input_value(input, scratch, &value, may_call, datum, error);
}

bool
row_value_scan(const char *what, const char *text, size_t len,
			   JsonSlice *slice, RowError *error)
{
	JsonScan	scan;

	json_scan_init(&scan, text, len);
	if (json_scan_value(&scan, slice) == JSON_TOKEN_ERROR ||
		json_scan_next(&scan) != JSON_TOKEN_END)
	{
		row_error_scan(error, what, &scan);
		return false;
	}
	if (slice->type == JSON_TOKEN_NULL)
		slice->type = JSON_TOKEN_TRUE;
	return true;
}
