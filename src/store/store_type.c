/*
 * store_type.c
 *	  Makes the texts of values that a store takes, within the limits of its
 *	  dialect.
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/text_settings.h"
#include "catalog/pg_type.h"
#include "store/dialect.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

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

/* Prepare a column; a domain is taken as its base type. */
static void
open_column(StoreEncoder *encoder, StoreColumn *column,
			Form_pg_attribute attribute)
{
	int32		typmod = attribute->atttypmod;
	Oid			output;

	column->type = getBaseTypeAndTypmod(attribute->atttypid, &typmod);
	column->kind = kind_of(column->type);
	if (encoder->dialect->open_column != NULL)
		encoder->dialect->open_column(encoder, column, typmod);
	getTypeOutputInfo(column->type, &output, &column->is_varlena);
	fmgr_info(output, &column->output);
}

StoreEncoder *
store_encoder_open(const StoreTable *table, TupleDesc tupdesc,
				   const StoreDialect *dialect)
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

		/* the store generates it, if it is a generated column there */
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

/*
 * Times are so common that they are written in UTC here, which saves setting
 * TimeZone for each row.
 */
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
	MemoryContext old;
	int			level = text_settings_begin(encoder->settings);

	MemoryContextReset(encoder->row_cxt);
	old = MemoryContextSwitchTo(encoder->row_cxt);
	encoder->n_rows++;
	for (int i = 0; i < encoder->n_columns; i++)
	{
		StoreColumn *column = &encoder->columns[i];

		encoder->texts[i] = isnull[column->attribute] ? NULL :
			text_of(column, values[column->attribute]);
	}
	if (encoder->dialect->check_row != NULL)
		encoder->dialect->check_row(encoder);
	MemoryContextSwitchTo(old);
	text_settings_end(level);
}
