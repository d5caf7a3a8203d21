/*
 * row_open.c
 *	  Makes a decoder for a table's columns.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "row/row_decoder.h"
#include "row/row_notation.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

static void
check_metadata_type(const RowField *field)
{
	bool		text = field->input.type == TEXTOID ||
		(field->input.type == VARCHAROID && field->input.typmod < 0);

	if (field->metadata == ROW_META_DECODE_ERROR && !text)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
				 errmsg("column \"%s\" with metadata \"decode_error\" is of type %s",
						field->name, format_type_be(field->input.type)),
				 errhint("Make it a column of type text.")));
	if (field->input.takes_json && field->metadata != ROW_META_DATA)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
				 errmsg("column \"%s\" takes metadata and is of type %s",
						field->name, format_type_be(field->input.type)),
				 errhint("Only metadata \"data\" can be read as JSON; use type text.")));
}

static void
add_field(RowDecoder *decoder, const RowSpec *spec, TupleDesc tupdesc,
		  int column)
{
	const RowColumn *source = &spec->columns[column];
	Form_pg_attribute attr = TupleDescAttr(tupdesc, column);
	RowField   *field = &decoder->fields[decoder->n_fields++];

	field->column = column;
	field->name = pstrdup(NameStr(attr->attname));
	field->metadata = source->metadata;
	row_notation_check(spec, tupdesc, column);
	row_input_init(&field->input, attr->atttypid, attr->atttypmod,
				   source->notation);

	if (source->metadata != ROW_META_NONE)
	{
		check_metadata_type(field);
		decoder->wants_json_data |= field->input.takes_json;
	}
	else if (decoder->format->lines != NULL)
		row_input_from_text(&field->input);
}

static void
set_limit(RowDecoder *decoder, const RowLimit *limit)
{
	RowMemory  *memory = &decoder->memory;

	memory->limit = *limit;
	memory->limit.bytes = Min(limit->bytes, ROW_LIMIT_MAX_BYTES);
	memory->taken = limit->taken <= ROW_BESIDE_BYTES ? 0 :
		Min(limit->taken - ROW_BESIDE_BYTES, memory->limit.bytes);
	memory->values = decoder->record_cxt;
	memory->scratch = decoder->scratch.cxt;
	decoder->scratch.memory = memory;
}

static RowReader *
open_reader(RowDecoder *decoder, const RowSpec *spec, TupleDesc tupdesc)
{
	RowReaderOptions options = {
		.format = decoder->format,
		.spec = spec,
		.tupdesc = tupdesc,
		.fields = decoder->fields + decoder->n_metadata,
		.n_fields = decoder->n_fields - decoder->n_metadata,
		.slices = decoder->slices,
		.scratch = &decoder->scratch
	};

	return decoder->format->open(&options);
}

RowDecoder *
row_decoder_open(const RowSpec *spec, TupleDesc tupdesc,
				 const Bitmapset *wanted, const RowLimit *limit)
{
	RowDecoder *decoder = palloc0(sizeof(RowDecoder));
	bool		all_payload = false;

	decoder->format = row_formats[spec->format];
	decoder->one_document = spec->one_document;
	decoder->trusts = spec->trusts;
	decoder->empty = spec->empty;
	decoder->record_cxt = AllocSetContextCreate(CurrentMemoryContext,
												"tracking_fdw record",
												ALLOCSET_DEFAULT_SIZES);
	decoder->row_cxt = AllocSetContextCreate(CurrentMemoryContext,
											 "tracking_fdw row",
											 ALLOCSET_DEFAULT_SIZES);
	decoder->n_columns = spec->n_columns;
	decoder->fields = palloc(spec->n_columns * sizeof(RowField));
	decoder->slices = palloc(spec->n_columns * sizeof(JsonSlice));
	decoder->pending = palloc(spec->n_columns * sizeof(int));
	row_scratch_init(&decoder->scratch);
	set_limit(decoder, limit);
	decoder->payload = payload_open(spec->compression,
									!decoder->format->may_begin_with_x,
									&decoder->memory);
	row_rows_forget(decoder);

	for (int i = 0; i < spec->n_columns; i++)
	{
		const RowColumn *source = &spec->columns[i];

		if (source->dropped || source->metadata == ROW_META_NONE ||
			!bms_is_member(i + 1, wanted))
			continue;
		add_field(decoder, spec, tupdesc, i);

		/* only decoding the payload tells whether it can be decoded */
		if (source->metadata == ROW_META_DECODE_ERROR)
			all_payload = true;
	}
	decoder->n_metadata = decoder->n_fields;
	for (int i = 0; i < spec->n_columns; i++)
	{
		const RowColumn *source = &spec->columns[i];

		if (!source->dropped && source->metadata == ROW_META_NONE &&
			(all_payload || bms_is_member(i + 1, wanted)))
			add_field(decoder, spec, tupdesc, i);
	}
	decoder->reader = open_reader(decoder, spec, tupdesc);
	return decoder;
}

bool
row_decoder_takes_subtransactions(const RowDecoder *decoder)
{
	for (int i = 0; i < decoder->n_fields; i++)
	{
		if (decoder->fields[i].input.throws)
			return true;
	}
	return false;
}
