/*
 * store_type.c
 *	  Values as a store takes them: as text, within its limits.
 */
#include "postgres.h"

#include <ctype.h>

#include "base/compat.h"
#include "base/text_settings.h"
#include "catalog/pg_type.h"
#include "store/store_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* Amazon Redshift: "Character types", "SUPER type", "VARBYTE type" */
#define MAX_VARCHAR_BYTES 65535
#define MAX_SUPER_BYTES (16 * 1024 * 1024)
#define MAX_VARBYTE_BYTES 16777216

/* "Numeric types" */
#define MAX_DECIMAL_DIGITS 38

/* "Datetime types": what a date has beyond a timestamp of ours */
#define MAX_DATE_YEAR 294276

/* ----------------------------------------------------------------
 * Types
 * ---------------------------------------------------------------- */

static StoreKind
kind_of(Oid type)
{
	switch (type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case NUMERICOID:
			return STORE_KIND_INTEGER;
		case FLOAT4OID:
		case FLOAT8OID:
			return STORE_KIND_FLOAT;
		case BOOLOID:
			return STORE_KIND_BOOL;
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return STORE_KIND_DATETIME;
		case JSONOID:
		case JSONBOID:
			return STORE_KIND_JSON;
		case BYTEAOID:
			return STORE_KIND_BYTES;
		default:
			return STORE_KIND_TEXT;
	}
}

/* The limit of Redshift; of varchar(n) n is in bytes there. */
static int
max_bytes_of(StoreKind kind, Oid type, int32 typmod)
{
	switch (kind)
	{
		case STORE_KIND_TEXT:
			if ((type == VARCHAROID || type == BPCHAROID) && typmod >= VARHDRSZ)
				return Min(typmod - VARHDRSZ, MAX_VARCHAR_BYTES);
			return MAX_VARCHAR_BYTES;
		case STORE_KIND_JSON:
			return MAX_SUPER_BYTES;
		case STORE_KIND_BYTES:
			/* two digits each */
			return 2 * MAX_VARBYTE_BYTES;
		default:
			return 0;
	}
}

static void
check_type(const StoreColumn *column, const char *table)
{
	char		category;
	bool		preferred;

	get_type_category_preferred(column->type, &category, &preferred);
	if (category == TYPCATEGORY_ARRAY || category == TYPCATEGORY_COMPOSITE ||
		category == TYPCATEGORY_RANGE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("Redshift has no type for column \"%s\" of table \"%s\"",
						column->name, table),
				 errdetail("It is of type %s.", format_type_be(column->type)),
				 errhint("Make it a jsonb column of the foreign table, which is SUPER there, or text.")));
}

/* A domain is what it is a domain over. */
static void
open_column(StoreEncoder *encoder, StoreColumn *column,
			Form_pg_attribute attribute)
{
	int32		typmod = attribute->atttypmod;
	Oid			output;

	column->type = getBaseTypeAndTypmod(attribute->atttypid, &typmod);
	column->kind = kind_of(column->type);
	if (encoder->dialect == STORE_DIALECT_REDSHIFT)
	{
		check_type(column, encoder->table);
		column->max_bytes = max_bytes_of(column->kind, column->type, typmod);
	}
	getTypeOutputInfo(column->type, &output, &column->is_varlena);
	fmgr_info(output, &column->output);
}

StoreEncoder *
store_encoder_open(const StoreTable *table, TupleDesc tupdesc,
				   StoreDialect dialect)
{
	StoreEncoder *encoder = palloc0(sizeof(StoreEncoder));

	encoder->dialect = dialect;
	encoder->table = table->name;
	encoder->columns = palloc0(sizeof(StoreColumn) * Max(tupdesc->natts, 1));
	encoder->texts = palloc0(sizeof(char *) * Max(tupdesc->natts, 1));
	encoder->row_cxt = AllocSetContextCreate(CurrentMemoryContext,
											 "tracking_fdw store row",
											 ALLOCSET_DEFAULT_SIZES);
	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(tupdesc, i);
		StoreColumn *column = &encoder->columns[encoder->n_columns];

		/* a generated column is generated there, if it is one there */
		if (attribute->attisdropped || attribute->attgenerated != '\0')
			continue;
		column->attribute = i;
		column->name = table->columns[i];
		open_column(encoder, column, attribute);
		if (column->kind != STORE_KIND_BYTES && column->type != TIMESTAMPTZOID)
			encoder->settings |= text_settings_of(column->type);
		encoder->n_columns++;
	}
	if (encoder->n_columns == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("table \"%s\" has no column to store a value in",
						table->name)));
	return encoder;
}

/* ----------------------------------------------------------------
 * Limits
 * ---------------------------------------------------------------- */

pg_noreturn static void
raise_value(const StoreEncoder *encoder, const StoreColumn *column,
			int sqlstate, const char *why)
{
	ereport(ERROR,
			(errcode(sqlstate),
			 errmsg("store table \"%s\" cannot take the value of column \"%s\" in row " INT64_FORMAT,
					encoder->table, column->name, encoder->n_rows),
			 errdetail("%s", why)));
}

static void
check_numeric(const StoreEncoder *encoder, const StoreColumn *column,
			  const char *text)
{
	int			digits = 0;

	if (!isdigit((unsigned char) text[text[0] == '-']))
		raise_value(encoder, column, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
					"Redshift has neither NaN nor infinity as a DECIMAL.");
	for (; *text != '\0'; text++)
		digits += isdigit((unsigned char) *text) != 0;
	if (digits > MAX_DECIMAL_DIGITS)
		raise_value(encoder, column, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
					psprintf("A DECIMAL of Redshift has %d digits, the value has %d.",
							 MAX_DECIMAL_DIGITS, digits));
}

static void
check_datetime(const StoreEncoder *encoder, const StoreColumn *column,
			   const char *text)
{
	size_t		length = strlen(text);

	if (strstr(text, "infinity") != NULL)
		raise_value(encoder, column, ERRCODE_DATETIME_FIELD_OVERFLOW,
					"Redshift has no infinite dates and times.");
	if (length > 3 && strcmp(text + length - 3, " BC") == 0)
		raise_value(encoder, column, ERRCODE_DATETIME_FIELD_OVERFLOW,
					"A load into Redshift takes no date before Christ.");
	if (strtol(text, NULL, 10) > MAX_DATE_YEAR)
		raise_value(encoder, column, ERRCODE_DATETIME_FIELD_OVERFLOW,
					psprintf("Dates of Redshift end with the year %d.",
							 MAX_DATE_YEAR));
}

/* Only type json lets it pass. */
static bool
has_nul_escape(const char *json)
{
	for (; *json != '\0'; json++)
	{
		if (*json != '\\')
			continue;
		if (strncmp(json, "\\u0000", 6) == 0)
			return true;
		/* what is escaped begins no escape */
		json++;
	}
	return false;
}

/* What Redshift is known to refuse. */
static void
check_value(const StoreEncoder *encoder, const StoreColumn *column,
			const char *text, size_t bytes)
{
	if (column->max_bytes > 0 && bytes > (size_t) column->max_bytes)
		raise_value(encoder, column, ERRCODE_STRING_DATA_RIGHT_TRUNCATION,
					psprintf("It has %zu bytes, of at most %d.",
							 column->kind == STORE_KIND_BYTES ? bytes / 2 : bytes,
							 column->kind == STORE_KIND_BYTES ?
							 column->max_bytes / 2 : column->max_bytes));
	if (column->type == NUMERICOID)
		check_numeric(encoder, column, text);
	else if (column->kind == STORE_KIND_DATETIME)
		check_datetime(encoder, column, text);
	else if (column->type == JSONOID && has_nul_escape(text))
		raise_value(encoder, column, ERRCODE_UNTRANSLATABLE_CHARACTER,
					"Redshift stores no character of code zero (\\u0000).");
}

static void
check_row(const StoreEncoder *encoder, size_t bytes)
{
	if (bytes > STORE_MAX_ROW_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
				 errmsg("store table \"%s\" cannot take row " INT64_FORMAT,
						encoder->table, encoder->n_rows),
				 errdetail("It has %zu bytes, of at most %d.", bytes,
						   STORE_MAX_ROW_BYTES)));
}

/* ----------------------------------------------------------------
 * Rows
 * ---------------------------------------------------------------- */

static char *
hexadecimal(Datum value)
{
	bytea	   *bytes = DatumGetByteaPP(value);
	size_t		length = VARSIZE_ANY_EXHDR(bytes);
	char	   *text;

	if (2 * length >= MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a value of %zu bytes is too long for a store",
						length)));
	text = palloc(2 * length + 1);
	text[hex_encode(VARDATA_ANY(bytes), length, text)] = '\0';
	return text;
}

/* Those of time are so common that their zone is not worth a setting a row. */
static char *
text_of(StoreColumn *column, Datum value)
{
	if (column->kind == STORE_KIND_BYTES)
		return hexadecimal(value);
	if (column->type == TIMESTAMPTZOID)
		return text_of_timestamptz(DatumGetTimestampTz(value));
	return OutputFunctionCall(&column->output, value);
}

void
store_encode(StoreEncoder *encoder, const Datum *values, const bool *isnull)
{
	bool		checked = encoder->dialect == STORE_DIALECT_REDSHIFT;
	MemoryContext old;
	size_t		row_bytes = 0;
	int			level = text_settings_begin(encoder->settings);

	MemoryContextReset(encoder->row_cxt);
	old = MemoryContextSwitchTo(encoder->row_cxt);
	encoder->n_rows++;
	for (int i = 0; i < encoder->n_columns; i++)
	{
		StoreColumn *column = &encoder->columns[i];
		Datum		value = values[column->attribute];
		const char *text = NULL;

		if (!isnull[column->attribute])
		{
			size_t		bytes;

			text = text_of(column, value);
			bytes = strlen(text);
			if (checked)
				check_value(encoder, column, text, bytes);
			row_bytes += bytes;
		}
		encoder->texts[i] = text;
	}
	if (checked)
		check_row(encoder, row_bytes);
	MemoryContextSwitchTo(old);
	text_settings_end(level);
}
