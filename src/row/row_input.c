/*
 * row_input.c
 *	  Prepares the conversion of values of a type.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/compat.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "row/row_hstore.h"
#include "row/row_need.h"
#include "row/row_nested.h"
#include "row/row_notation.h"
#include "row/row_time.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

/* The kind of a type that is made of others; else ROW_INPUT_FUNCTION. */
static RowInputKind
parts_kind(Oid type)
{
	if (OidIsValid(get_element_type(type)))
		return ROW_INPUT_ARRAY;
	switch (get_typtype(type))
	{
		case TYPTYPE_COMPOSITE:
			return ROW_INPUT_COMPOSITE;
		case TYPTYPE_DOMAIN:
			return ROW_INPUT_DOMAIN;
		default:
			return row_hstore_is(type) ? ROW_INPUT_HSTORE : ROW_INPUT_FUNCTION;
	}
}

static RowInputKind
input_kind(const RowInput *input)
{
	if (row_notation_is_of(input->notation, input->type))
		return ROW_INPUT_NOTED;
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
			return input->typmod < 0 ? ROW_INPUT_DATETIME : ROW_INPUT_TIME;
		case TIMEOID:
		case TIMETZOID:
			return ROW_INPUT_TIME;
		case TEXTOID:
		case VARCHAROID:
			return ROW_INPUT_TEXT;
		case JSONOID:
			return ROW_INPUT_JSON;
		case JSONBOID:
			return GetDatabaseEncoding() == PG_UTF8 ? ROW_INPUT_JSONB :
				ROW_INPUT_FUNCTION;
		default:
			return parts_kind(input->type);
	}
}

/* Are there values for which the input function is called? */
static bool
is_called(const RowInput *input)
{
	return input->kind != ROW_INPUT_JSON && input->kind != ROW_INPUT_NOTED &&
		(input->kind != ROW_INPUT_TEXT || input->typmod >= 0);
}

static void
init_composite(RowInput *input)
{
	RowComposite *composite = palloc0(sizeof(RowComposite));
	TupleDesc	tupdesc = lookup_rowtype_tupdesc_copy(input->type, -1);
	int			n = Max(tupdesc->natts, 1);

	composite->tupdesc = tupdesc;
	composite->attributes = palloc0(n * sizeof(RowAttribute));
	composite->slices = palloc(n * sizeof(JsonSlice));
	composite->values = palloc(n * sizeof(Datum));
	composite->isnull = palloc(n * sizeof(bool));
	input->composite = composite;
	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute attr = TupleDescAttr(tupdesc, i);
		RowAttribute *attribute = &composite->attributes[composite->n_attributes];

		if (attr->attisdropped)
			continue;
		attribute->key = pstrdup(pg_server_to_any(NameStr(attr->attname),
												  strlen(NameStr(attr->attname)),
												  PG_UTF8));
		attribute->len = strlen(attribute->key);
		attribute->number = i;
		row_input_init(&attribute->input, attr->atttypid, attr->atttypmod,
					   ROW_NOTATION_PLAIN);
		input->throws |= attribute->input.throws;
		composite->n_attributes++;
	}
	qsort(composite->attributes, composite->n_attributes, sizeof(RowAttribute),
		  row_nested_compare);
	input->item_bytes += MAXALIGN(SizeofHeapTupleHeader + BITMAPLEN(n));
}

/* Fill what concerns the types that this one is made of. */
static void
init_parts(RowInput *input)
{
	int32		typmod = input->typmod;
	Oid			of;

	check_stack_depth();
	input->parts = row_nested_value;
	if (input->kind == ROW_INPUT_COMPOSITE)
		init_composite(input);
	if (input->kind != ROW_INPUT_ARRAY && input->kind != ROW_INPUT_DOMAIN)
		return;
	of = input->kind == ROW_INPUT_ARRAY ? get_element_type(input->type) :
		getBaseTypeAndTypmod(input->type, &typmod);
	input->element = palloc(sizeof(RowInput));
	row_input_init(input->element, of, typmod, input->notation);
	input->throws |= input->element->throws;
	input->item_bytes = Max(input->item_bytes, input->element->item_bytes);
}

void
row_input_init(RowInput *input, Oid type, int32 typmod, RowNotation notation)
{
	Oid			base = getBaseType(type);
	Oid			function;

	memset(input, 0, sizeof(RowInput));
	input->type = type;
	input->typmod = typmod;
	input->notation = notation;
	input->takes_json = base == JSONOID || base == JSONBOID;
	input->has_times = row_time_is_in(base);
	input->factor = row_need_factor(base);
	get_typlenbyval(type, &input->typlen, &input->typbyval);
	getTypeInputInfo(type, &function, &input->ioparam);
	fmgr_info(function, &input->function);

	input->kind = input_kind(input);
	input->throws = !compat_input_is_soft(type) && is_called(input);
	init_parts(input);
}

void
row_input_from_text(RowInput *input)
{
	RowInput   *json;

	if (!input->takes_json)
		return;
	json = palloc(sizeof(RowInput));
	*json = *input;
	input->kind = ROW_INPUT_TEXT_OF_JSON;
	input->takes_json = false;
	input->element = json;
}
