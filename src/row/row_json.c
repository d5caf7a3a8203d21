/*
 * row_json.c
 *	  Format "json": each JSON document of a record is a row.
 *
 * A record usually is one document; it may hold several, one after the other
 * or as the elements of an array.
 *
 * From a document of the same shape as one before, values are taken without a
 * walk along the wanted places.  Shapes are not used if an element of an array
 * is wanted, as arrays differ within a shape, nor for documents in an array,
 * which are many rows of one record.
 */
#include "postgres.h"

#include "row/row_format.h"
#include "row/row_json_write.h"
#include "row/row_places.h"
#include "row/row_shape.h"

/* Where reading a record goes on; valid as long as its text is. */
typedef struct Place
{
	JsonScan	scan;
	int			n_documents;	/* read so far */
	bool		at_document;	/* one begins here; if false, that is not
								 * known yet */
	bool		in_array;		/* within an array of documents */
} Place;

typedef struct RowJson
{
	RowPlaces  *places;
	int			n_fields;
	bool		takes_members;	/* a document must be an object */
	bool		may_have_shape;
	RowShapes  *shapes;			/* NULL before the first document */
	MemoryContext cxt;			/* of the reader */
	JsonSlice  *values;			/* by field */
	RowScratch *scratch;

	/* of the current record */
	Place		at;
	Place		remembered;
} RowJson;

static RowReader *
open_reader(const RowReaderOptions *options)
{
	RowJson    *json = palloc0(sizeof(RowJson));

	json->places = row_places_open(options->n_fields);
	json->n_fields = options->n_fields;
	json->values = options->slices;
	json->scratch = options->scratch;
	json->cxt = CurrentMemoryContext;
	for (int i = 0; i < options->n_fields; i++)
	{
		const RowField *field = &options->fields[i];
		const RowColumn *column = &options->spec->columns[field->column];

		if (column->path != NULL)
			row_places_add_path(json->places, column->path, column->n_path);
		else
			row_places_add_name(json->places, field->name);
	}
	json->takes_members = options->spec->takes_members ||
		row_places_have_members(json->places);
	json->may_have_shape = !row_places_have_elements(json->places);
	return (RowReader *) json;
}

/*
 * Go to the next document; false if there is none.  An array is entered; that
 * it has no more elements shows only when the next one is read.
 */
static bool
find_document(RowJson *json)
{
	if (json->at.in_array)
		return true;
	if (!json->at.at_document && !json_scan_more(&json->at.scan))
		return false;
	json->at.at_document = false;
	if (json_scan_at_array(&json->at.scan))
	{
		json_scan_next(&json->at.scan);
		json->at.in_array = true;
	}
	return true;
}

/* Read the document that was found; returns as row_places_walk() does. */
static JsonToken
read_document(RowJson *json)
{
	bool		may_have_shape = json->may_have_shape && !json->at.in_array;
	int			n = json->n_fields;
	const JsonShaped *shaped = NULL;
	JsonSlice	value;
	JsonToken	type;

	if (json->shapes == NULL && may_have_shape)
		json->shapes = row_shapes_open(json->cxt,
									   row_places_text(json->places));
	if (may_have_shape)
	{
		const char *end;
		const char *start = json_scan_rest(&json->at.scan, &end);

		shaped = row_shapes_find(json->shapes, start, end, n, json->values);
		if (shaped != NULL)
		{
			json->scratch->shaped = shaped;
			json_scan_passed(&json->at.scan, shaped->end);
			return JSON_TOKEN_OBJECT_START;
		}
	}
	type = row_places_walk(json->places, &json->at.scan, json->values, &value);
	if (may_have_shape && type == JSON_TOKEN_OBJECT_START)
		shaped = row_shapes_learn(json->shapes, value.start,
								  value.start + value.len, n, json->values);
	json->scratch->shaped = shaped;
	return type;
}

static void
refuse_type(int n_documents, RowError *error)
{
	if (n_documents == 1)
		row_error_set(error, ERRCODE_INVALID_TEXT_REPRESENTATION,
					  "record is not a JSON object");
	else
		row_error_set(error, ERRCODE_INVALID_TEXT_REPRESENTATION,
					  "document %d of the record is not a JSON object",
					  n_documents);
}

/*
 * Find the next document; each element of an array on the top level is one.
 * An error behind a document is reported by the next call.
 */
static RowFound
next(RowReader *reader, RowError *error)
{
	RowJson    *json = (RowJson *) reader;
	JsonToken	type = JSON_TOKEN_ARRAY_END;

	while (type == JSON_TOKEN_ARRAY_END && find_document(json))
	{
		type = read_document(json);
		json->at.in_array &= type != JSON_TOKEN_ARRAY_END;
	}
	if (json->at.scan.error == JSON_SCAN_EMPTY)
		return ROW_FOUND_EMPTY;
	if (json->at.scan.error != JSON_SCAN_OK)
	{
		row_error_scan(error, "record", &json->at.scan);
		return ROW_FOUND_BAD;
	}
	if (type == JSON_TOKEN_ARRAY_END)
		return ROW_FOUND_NONE;

	json->at.n_documents++;
	if (type != JSON_TOKEN_OBJECT_START && json->takes_members)
	{
		refuse_type(json->at.n_documents, error);
		return ROW_FOUND_BAD;
	}
	if (json->at.in_array)
		return ROW_FOUND;
	json->at.at_document = json_scan_more(&json->at.scan);
	return json->at.at_document || json->at.scan.error != JSON_SCAN_OK ?
		ROW_FOUND : ROW_FOUND_LAST;
}

static RowFound
begin(RowReader *reader, const char *data, size_t bytes, RowResult *result,
	  RowError *error)
{
	RowJson    *json = (RowJson *) reader;

	(void) result;
	json_scan_init(&json->at.scan, data, bytes);
	json->at.n_documents = 0;
	json->at.at_document = true;
	json->at.in_array = false;
	return next(reader, error);
}

static void
remember(RowReader *reader)
{
	RowJson    *json = (RowJson *) reader;

	json->remembered = json->at;
}

static void
go_back(RowReader *reader)
{
	RowJson    *json = (RowJson *) reader;

	json->at = json->remembered;
}

const RowFormatOps row_format_json = {
	.document = "JSON document",
	.empty = ROW_EMPTY_SKIP,
	.is_json = true,
	.open = open_reader,
	.begin = begin,
	.next = next,
	.remember = remember,
	.go_back = go_back,
	.open_writer = row_json_open_writer,
	.write = row_json_write
};
