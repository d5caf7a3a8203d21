/*
 * fuzz_row.c
 *	  libFuzzer target: records to rows.
 *
 * The input is lines, each the payload of a record.  Whatever way a document
 * goes, its row is the same: read for the first time, by the shape that was
 * learned from it, as the element of an array, and behind another document.
 * As jsonb and as json it is what the input functions make of it.  How many
 * rows a record makes does not depend on what is asked for.  Where little memory
 * is given, the row is the same, or there is none.
 */
#include "server.h"

#include "access/xact.h"
#include "base/base64.h"
#include "base/buffer.h"
#include "catalog/pg_type.h"
#include "row/row.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/uuid.h"

/* Lines of an input that are read */
#define RECORDS 8

/* Of a record's rows: as much as there may be, and as good as none */
#define MUCH_MEMORY (64 * 1024 * 1024)
#define LITTLE_MEMORY (64 * 1024)

typedef struct Column
{
	const char *name;
	Oid			type;
	const char *path;			/* NULL: the member of that name */
	RowMetadata metadata;
} Column;

static const Column columns[] = {
	{"b", BOOLOID, NULL, ROW_META_NONE},
	{"i", INT4OID, NULL, ROW_META_NONE},
	{"l", INT8OID, NULL, ROW_META_NONE},
	{"f", FLOAT8OID, NULL, ROW_META_NONE},
	{"n", NUMERICOID, NULL, ROW_META_NONE},
	{"t", TEXTOID, NULL, ROW_META_NONE},
	{"v", VARCHAROID, NULL, ROW_META_NONE},
	{"u", UUIDOID, NULL, ROW_META_NONE},
	{"d", TIMESTAMPTZOID, NULL, ROW_META_NONE},
	{"j", JSONBOID, NULL, ROW_META_NONE},
	{"deep", TEXTOID, "$.a.b", ROW_META_NONE},
	{"array", INT4ARRAYOID, "$.is", ROW_META_NONE},
	{"texts", TEXTARRAYOID, "$.ts", ROW_META_NONE},
	{"document", JSONBOID, "$", ROW_META_NONE},
	{"text", JSONOID, "$", ROW_META_NONE},
	{"element", TEXTOID, "$.is[1]", ROW_META_NONE},
	{"data", BYTEAOID, NULL, ROW_META_DATA},
	{"record", TEXTOID, NULL, ROW_META_DATA},
	{"stream", TEXTOID, NULL, ROW_META_STREAM},
	{"shard", VARCHAROID, NULL, ROW_META_SHARD_ID},
	{"sequence", NUMERICOID, NULL, ROW_META_SEQUENCE_NUMBER},
	{"sub_sequence", INT4OID, NULL, ROW_META_SUB_SEQUENCE_NUMBER},
	{"key", TEXTOID, NULL, ROW_META_PARTITION_KEY},
	{"hash", NUMERICOID, NULL, ROW_META_EXPLICIT_HASH_KEY},
	{"arrived", TIMESTAMPTZOID, NULL, ROW_META_APPROXIMATE_ARRIVAL_TIMESTAMP},
	{"arrived_text", TEXTOID, NULL, ROW_META_APPROXIMATE_ARRIVAL_TIMESTAMP},
	{"why", TEXTOID, NULL, ROW_META_DECODE_ERROR},
};

#define COLUMNS ((int) lengthof(columns))
/* Of a line: a text, a varchar, a uuid */
#define LINES 5
#define RAW 5
#define DOCUMENT 13
#define TEXT 14
/* Columns up to here can be read by shape */
#define SHAPED 15
/* The first one that is not of the payload */
#define METADATA 16

/* A record, and what becomes of it. */
typedef struct Reading
{
	RowDecoder *decoder;
	bool		soft;
	const char *data;
	size_t		size;
	int			n_rows;			/* ROW_UNDECODABLE: or an error was raised */
	bool		empty;			/* nothing is in it */
	StringInfoData row;			/* the last row as bytes, up to SHAPED; or why
								 * there is none */
	Datum		document;		/* columns of that row, copied */
	char	   *text;
} Reading;

/* ----------------------------------------------------------------
 * In place of transactions
 * ---------------------------------------------------------------- */

static int	subtransactions = 0;

void
BeginInternalSubTransaction(const char *name)
{
	(void) name;
	require(subtransactions++ == 0);
}

void
ReleaseCurrentSubTransaction(void)
{
	require(--subtransactions == 0);
}

void
RollbackAndReleaseCurrentSubTransaction(void)
{
	require(--subtransactions == 0);
}

/* ----------------------------------------------------------------
 * Reading
 * ---------------------------------------------------------------- */

/* Of these columns in the order above, from the first to before the end. */
static RowDecoder *
open_decoder(RowFormat format, bool one_document, int first, int end,
			 size_t memory)
{
	const RowLimit limit = {memory, ROW_LIMIT_OF_BATCH, 0};
	TupleDesc	tupdesc = CreateTemplateTupleDesc(COLUMNS);
	RowSpec		spec = {
		.format = format,
		.compression = format == ROW_FORMAT_RAW ? ROW_COMPRESSION_NONE :
		ROW_COMPRESSION_AUTO,
		.one_document = one_document,
		.takes_members = format == ROW_FORMAT_JSON,
		.empty = format == ROW_FORMAT_RAW ? ROW_EMPTY_VALUE : ROW_EMPTY_SKIP,
		.n_columns = COLUMNS,
		.columns = palloc0(COLUMNS * sizeof(RowColumn))
	};
	Bitmapset  *wanted = NULL;

	for (int i = 0; i < COLUMNS; i++)
	{
		RowColumn  *column = &spec.columns[i];

		server_attribute(tupdesc, i, columns[i].name, columns[i].type,
						 columns[i].type == VARCHAROID ? VARHDRSZ + 4 : -1);
		column->metadata = columns[i].metadata;
		column->dropped = i < first || i >= end;
		if (!column->dropped && columns[i].metadata == ROW_META_NONE)
			column->position = spec.n_positions++;
		if (columns[i].path != NULL)
			require(row_path_parse(columns[i].path, &column->path,
								   &column->n_path));
		if (!column->dropped)
			wanted = bms_add_member(wanted, i + 1);
	}
	return row_decoder_open(&spec, tupdesc, wanted, &limit);
}

static void
put_value(StringInfo out, Oid type, Datum value)
{
	switch (type)
	{
		case BOOLOID:
		case INT4OID:
		case INT8OID:
		case FLOAT8OID:
		case TIMESTAMPTZOID:
			appendBinaryStringInfo(out, (char *) &value, sizeof(Datum));
			break;
		case UUIDOID:
			appendBinaryStringInfo(out, DatumGetPointer(value), UUID_LEN);
			break;
		default:
			appendBinaryStringInfo(out, DatumGetPointer(value),
								   VARSIZE_ANY(DatumGetPointer(value)));
	}
}

static void
put_row(Reading *reading, const Datum *values, const bool *isnull)
{
	resetStringInfo(&reading->row);
	for (int i = 0; i < SHAPED; i++)
	{
		appendStringInfo(&reading->row, " %s %d ", columns[i].name, isnull[i]);
		if (!isnull[i])
			put_value(&reading->row, columns[i].type, values[i]);
	}
	if (isnull[DOCUMENT])
		return;
	reading->document = datumCopy(values[DOCUMENT], false, -1);
	reading->text = TextDatumGetCString(values[TEXT]);
}

static void
read_record(void *arg)
{
	Reading    *reading = arg;

	/* a key that a producer chose, by what the payload begins with */
	KinesisRecord kinesis = {
		.sequence_number = "7",.sequence_number_digits = 1,
		.partition_key = reading->size > 1 ? "a\\n\\u00e4" : "k",
		.partition_key_bytes = reading->size > 1 ? 9 : 1,
		.key_escaped = reading->size > 1,
		.explicit_hash_key = "340",
		.explicit_hash_key_digits = reading->size % 4,
		.sub_sequence = (int) reading->size % 2 - 1,
		.arrived = reading->size % 3
	};
	StreamRecord record = {"stream", "s-01", &kinesis, 0};
	RowError	error = {0};
	Datum		values[COLUMNS];
	bool		isnull[COLUMNS];

	kinesis.data_bytes = BASE64_ENCODED_LEN(reading->size);
	kinesis.data = palloc(kinesis.data_bytes);
	base64_encode(reading->data, reading->size, kinesis.data);
	reading->n_rows = row_decode(reading->decoder, &record, reading->soft, values,
								 isnull, &error);
	reading->empty = row_decode_was_empty(reading->decoder);
	require(!reading->empty || reading->n_rows == 0);
	for (int i = 1; i < reading->n_rows; i++)
		require(row_decode_more(reading->decoder, values, isnull));
	require(!row_decode_more(reading->decoder, values, isnull));
	if (reading->n_rows > 0)
		put_row(reading, values, isnull);
	else if (reading->n_rows == ROW_UNDECODABLE)
		appendStringInfoString(&reading->row, error.message);
}

/* What is wrong with a record is not raised if its rows are to be soft. */
static void
read_as(Reading *reading, RowDecoder *decoder, bool soft, const char *data,
		size_t size)
{
	ErrorData  *error;

	memset(reading, 0, sizeof(Reading));
	reading->decoder = decoder;
	reading->soft = soft;
	reading->data = data;
	reading->size = size;
	initStringInfo(&reading->row);
	error = server_try(read_record, reading);
	row_decode_stop(decoder);
	if (error == NULL)
		return;
	require(!soft && server_error_is_sound(error));
	reading->n_rows = ROW_UNDECODABLE;
	resetStringInfo(&reading->row);
	appendStringInfoString(&reading->row, error->message);
}

static void
read_text(Reading *reading, RowDecoder *decoder, const char *data, size_t size)
{
	read_as(reading, decoder, false, data, size);
}

static bool
same_row(const Reading *a, const Reading *b)
{
	return a->row.len == b->row.len &&
		memcmp(a->row.data, b->row.data, a->row.len) == 0;
}

/* ----------------------------------------------------------------
 * Against the input functions
 * ---------------------------------------------------------------- */

typedef struct Conversion
{
	char	   *text;
	Datum		jsonb;
} Conversion;

static void
call_inputs(void *arg)
{
	Conversion *conversion = arg;

	DirectFunctionCall1(json_in, CStringGetDatum(conversion->text));
	conversion->jsonb = DirectFunctionCall1(jsonb_in,
											CStringGetDatum(conversion->text));
}

/* A row of one document that is all of the text, but for white space. */
static void
compare_document(const Reading *reading)
{
	Conversion	conversion = {.text = pnstrdup(reading->data, reading->size)};

	require(server_try(call_inputs, &conversion) == NULL);
	require(datumIsEqual(reading->document, conversion.jsonb, false, -1));
	require(strstr(conversion.text, reading->text) != NULL);
}

/* ----------------------------------------------------------------
 * Records
 * ---------------------------------------------------------------- */

/* Tables over one stream. */
typedef struct Decoders
{
	RowDecoder *shaped;			/* what can be read by shape */
	RowDecoder *all;			/* with elements, and metadata */
	RowDecoder *one;			/* a record is one document */
	RowDecoder *little;			/* with little memory */
	RowDecoder *metadata;		/* nothing of the payload */
	RowDecoder *raw_text;
	RowDecoder *raw_json;
	RowDecoder *raw_bytes;
	RowDecoder *lines[2];		/* csv, tsv */
} Decoders;

/* The same document by another way. */
static void
read_another_way(const Reading *first, const char *format)
{
	char	   *text = psprintf(format, pnstrdup(first->data, first->size));
	Reading		other;

	read_text(&other, first->decoder, text, strlen(text));
	require(other.n_rows > 0 && same_row(first, &other));
}

static void
check_record(const Decoders *decoders, const char *data, size_t size)
{
	Reading		first;
	Reading		again;
	Reading		walked;
	Reading		other;

	read_text(&first, decoders->shaped, data, size);
	read_text(&again, decoders->shaped, data, size);
	require(first.n_rows == again.n_rows && same_row(&first, &again));
	read_text(&other, decoders->one, data, size);
	require(other.empty == first.empty);
	require(first.n_rows == 1 ? other.n_rows == 1 && same_row(&first, &other) :
			other.empty || other.n_rows == ROW_UNDECODABLE);
	read_as(&other, decoders->little, true, data, size);
	require(other.n_rows == ROW_UNDECODABLE ||
			(first.n_rows == other.n_rows && same_row(&first, &other)));
	read_text(&other, decoders->metadata, data, size);
	require(other.empty == first.empty);
	require(first.n_rows == ROW_UNDECODABLE ||
			other.n_rows == ROW_UNDECODABLE || other.n_rows == first.n_rows);
	read_text(&other, decoders->raw_text, data, size);
	read_text(&other, decoders->raw_json, data, size);
	read_text(&other, decoders->raw_bytes, data, size);
	require(other.n_rows == 1);
	for (int i = 0; i < (int) lengthof(decoders->lines); i++)
	{
		read_text(&walked, decoders->lines[i], data, size);
		read_as(&other, decoders->lines[i], true, data, size);
		require(walked.n_rows == other.n_rows &&
				(other.n_rows == ROW_UNDECODABLE || same_row(&walked, &other)));
	}
	read_text(&walked, decoders->all, data, size);
	read_as(&other, decoders->all, true, data, size);
	require(walked.n_rows == other.n_rows &&
			(other.n_rows == ROW_UNDECODABLE || same_row(&walked, &other)));
	require(walked.empty == first.empty);
	if (walked.n_rows == ROW_UNDECODABLE)
		return;
	require(first.n_rows == walked.n_rows && same_row(&first, &walked));
	if (first.n_rows != 1 || *data != '{')
		return;
	compare_document(&first);
	read_another_way(&first, "[%s]");
	read_another_way(&first, "{\"i\":1}%s");
	read_another_way(&first, "[{}, %s ]");
}

static void
fuzz(const char *data, size_t size)
{
	Decoders	decoders = {
		.shaped = open_decoder(ROW_FORMAT_JSON, false, 0, SHAPED, MUCH_MEMORY),
		.all = open_decoder(ROW_FORMAT_JSON, false, 0, COLUMNS, MUCH_MEMORY),
		.one = open_decoder(ROW_FORMAT_JSON, true, 0, SHAPED, MUCH_MEMORY),
		.little = open_decoder(ROW_FORMAT_JSON, false, 0, SHAPED,
							   LITTLE_MEMORY),
		.metadata = open_decoder(ROW_FORMAT_JSON, false, METADATA + 2,
								 COLUMNS - 1, MUCH_MEMORY),
		.raw_text = open_decoder(ROW_FORMAT_RAW, false, RAW, RAW + 1, MUCH_MEMORY),
		.raw_json = open_decoder(ROW_FORMAT_RAW, false, TEXT, TEXT + 1, MUCH_MEMORY),
		.raw_bytes = open_decoder(ROW_FORMAT_RAW, false, METADATA,
								  METADATA + 1, MUCH_MEMORY),
		.lines = {
			open_decoder(ROW_FORMAT_CSV, false, LINES, LINES + 3, MUCH_MEMORY),
			open_decoder(ROW_FORMAT_TSV, false, LINES, LINES + 3, MUCH_MEMORY)
		}
	};
	Input		rest = {data, size};
	Input		line;

	for (int i = 0; i < RECORDS && input_cut(&rest, '\n', &line); i++)
		check_record(&decoders, line.start, line.len);
	buffer_trim();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return server_input(fuzz, data, size);
}
