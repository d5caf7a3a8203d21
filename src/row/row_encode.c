/*
 * row_encode.c
 *	  Encodes the values of a row as a record.
 *
 * It sends nothing, and makes up no key.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "base/text_settings.h"
#include "catalog/pg_type.h"
#include "row/row_output.h"

struct RowEncoder
{
	const RowFormatOps *format;
	RowWriter  *writer;			/* NULL: the format has none */
	List	   *whole;			/* RowOutput *: each is the record as a whole */
	List	   *keys;			/* RowOutput *: the two keys */
	List	   *unwritable;		/* RowOutput *: must be null */
	int64		rows;			/* encoded so far */
	int			settings;		/* for text_settings_begin() */
};

static void
add_output(RowEncoder *encoder, RowOutput *output, bool must_be_null)
{
	switch (output->metadata)
	{
		case ROW_META_NONE:
		case ROW_META_DATA:
			row_output_as_text(output, &encoder->settings);
			encoder->whole = lappend(encoder->whole, output);
			break;
		case ROW_META_PARTITION_KEY:
		case ROW_META_EXPLICIT_HASH_KEY:
			row_output_as_text(output, &encoder->settings);
			encoder->keys = lappend(encoder->keys, output);
			break;
		default:
			if (must_be_null)
				encoder->unwritable = lappend(encoder->unwritable, output);
			break;
	}
}

RowEncoder *
row_encoder_open(const RowSpec *spec, TupleDesc tupdesc,
				 const Bitmapset *given)
{
	RowEncoder *encoder = palloc0(sizeof(RowEncoder));

	encoder->format = row_formats[spec->format];
	if (encoder->format->open_writer != NULL)
		encoder->writer = encoder->format->open_writer(encoder->format,
													   spec, tupdesc,
													   &encoder->settings);
	for (int i = 0; i < spec->n_columns; i++)
	{
		const RowColumn *column = &spec->columns[i];
		int			member = i + 1 - FirstLowInvalidHeapAttributeNumber;

		/* the writer has those of the payload, if there is a writer */
		if (!column->dropped &&
			(column->metadata != ROW_META_NONE || encoder->writer == NULL))
			add_output(encoder, row_output_make(spec, tupdesc, i),
					   bms_is_member(member, given) ||
					   !TupleDescAttr(tupdesc, i)->atthasdef);
	}
	return encoder;
}

/* Make a record of one value: of a bytea its bytes, of all else its text. */
static void
encode_whole(const RowOutput *output, const RowValues *row, RowEncoded *out)
{
	if (output->type == BYTEAOID)
	{
		bytea	   *bytes = DatumGetByteaPP(row->values[output->column]);

		out->data = VARDATA_ANY(bytes);
		out->data_bytes = VARSIZE_ANY_EXHDR(bytes);
	}
	else
		out->data = row_output_text(output, row, &out->data_bytes);
}

static void
encode_payload(const RowEncoder *encoder, const RowValues *row,
			   RowEncoded *out)
{
	const RowOutput *whole = row_output_only(encoder->whole, row);

	if (whole != NULL)
		encode_whole(whole, row, out);
	else if (encoder->writer == NULL ||
			 !encoder->format->write(encoder->writer, row, out))
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("the payload of a record cannot be null")));
}

static void
encode_keys(const RowEncoder *encoder, const RowValues *row, RowEncoded *out)
{
	size_t		len;
	ListCell   *lc;

	out->partition_key = NULL;
	out->explicit_hash_key = NULL;
	foreach(lc, encoder->keys)
	{
		const RowOutput *output = lfirst(lc);

		if (row->isnull[output->column])
			continue;
		if (output->metadata == ROW_META_PARTITION_KEY)
			out->partition_key = row_output_text(output, row, &len);
		else
			out->explicit_hash_key = row_output_text(output, row, &len);
	}
}

/*
 * Raise an error for a value that no reader of the record would see, rather
 * than drop it silently.
 */
static void
check_unwritable(const RowEncoder *encoder, const RowValues *row)
{
	ListCell   *lc;

	foreach(lc, encoder->unwritable)
	{
		const RowOutput *output = lfirst(lc);

		if (!row->isnull[output->column])
			ereport(ERROR,
					(errcode(ERRCODE_GENERATED_ALWAYS),
					 errmsg("row " INT64_FORMAT " has a value for column \"%s\", which cannot be written",
							encoder->rows, output->name),
					 errdetail("The column holds metadata that the service or the reader of a record adds."),
					 errhint("Name the columns to write in the statement, and leave this one out or give it null.")));
	}
}

void
row_encode(RowEncoder *encoder, const Datum *values, const bool *isnull,
		   RowEncoded *out)
{
	RowValues	row = {values, isnull};
	int			level;

	encoder->rows++;
	check_unwritable(encoder, &row);
	level = text_settings_begin(encoder->settings);
	encode_payload(encoder, &row, out);
	encode_keys(encoder, &row, out);
	text_settings_end(level);
}
