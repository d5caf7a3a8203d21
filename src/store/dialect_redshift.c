/*
 * dialect_redshift.c
 *	  Amazon Redshift as a store.
 *
 * Redshift rejects a value late, or the whole load that holds it.  So a value
 * that it is known not to take raises an error here, which names the row and
 * the column.
 */
#include "postgres.h"

#include <ctype.h>

#include "base/compat.h"
#include "catalog/pg_type.h"
#include "store/dialect.h"
#include "store/store_wire.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* The version that every Redshift reports. */
#define REPORTED_VERSION 80002

/*
 * Bytes of a row, and of a JSON object (Amazon Redshift, COPY from JSON
 * format)
 */
#define MAX_ROW_BYTES (4 * 1024 * 1024)

/* Amazon Redshift: "Character types", "SUPER type", "VARBYTE type" */
#define MAX_VARCHAR_BYTES 65535
#define MAX_SUPER_BYTES (16 * 1024 * 1024)
#define MAX_VARBYTE_BYTES 16777216

/* "Numeric types" */
#define MAX_DECIMAL_DIGITS 38

/* "Datetime types"; our dates, unlike our timestamps, have later years */
#define MAX_DATE_YEAR 294276

static bool
redshift_recognizes(const StoreConnection *connection)
{
	return PQparameterStatus(connection->conn, "padb_version") != NULL ||
		PQserverVersion(connection->conn) == REPORTED_VERSION;
}

/* ----------------------------------------------------------------
 * Types
 * ---------------------------------------------------------------- */

/* Bytes that a column takes; in Redshift, the n of varchar(n) counts bytes. */
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
			/* two digits for each byte */
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
				 errhint("Make it a column of type jsonb, which is SUPER in Redshift, or text.")));
}

static void
redshift_open_column(const StoreEncoder *encoder, StoreColumn *column,
					 int32 typmod)
{
	check_type(column, encoder->table);
	column->max_bytes = max_bytes_of(column->kind, column->type, typmod);
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

/* Does a document hold \u0000?  Type jsonb would not have let it pass. */
static bool
has_nul_escape(const char *json)
{
	for (; *json != '\0'; json++)
	{
		if (*json != '\\')
			continue;
		if (strncmp(json, "\\u0000", 6) == 0)
			return true;
		/* an escaped backslash begins no escape */
		json++;
	}
	return false;
}

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
redshift_check_row(const StoreEncoder *encoder)
{
	size_t		row_bytes = 0;

	for (int i = 0; i < encoder->n_columns; i++)
	{
		const char *text = encoder->texts[i];
		size_t		bytes;

		if (text == NULL)
			continue;
		bytes = strlen(text);
		check_value(encoder, &encoder->columns[i], text, bytes);
		row_bytes += bytes;
	}
	if (row_bytes > MAX_ROW_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
				 errmsg("store table \"%s\" cannot take row " INT64_FORMAT,
						encoder->table, encoder->n_rows),
				 errdetail("It has %zu bytes, of at most %d.", row_bytes,
						   MAX_ROW_BYTES)));
}

/*
 * In a literal of Redshift a backslash begins an escape: it has no setting
 * standard_conforming_strings.  Functions make values of SUPER and VARBYTE
 * from texts.
 */
const StoreDialect dialect_redshift = {
	.title = "Redshift",
	.port = "5439",
	.recognizes = redshift_recognizes,
	.settings =
	"SET LOCAL datestyle TO 'ISO, MDY'; "
	"SET LOCAL timezone TO 'UTC'; "
	"SET LOCAL extra_float_digits TO 2",
	.has_escapes = true,
	.json_before = "json_parse(",
	.json_after = ")",
	.bytes_before = "from_hex('",
	.bytes_after = "')",
	.load_method = STORE_LOAD_COPY_S3,
	.max_s3_row_bytes = MAX_ROW_BYTES,
	.open_column = redshift_open_column,
	.check_row = redshift_check_row
};
