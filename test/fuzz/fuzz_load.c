/*
 * fuzz_load.c
 *	  libFuzzer target: values of rows as a store is to take them.
 *
 * The first byte is the dialect and the load method, and whether the query that
 * the rows are of scans the store, too, so that they have to wait.  Each line
 * behind it is a row, a text for each column between tabs.  What is sent to the store is read
 * as the store does: no value becomes another one, or anything else than a
 * value.
 */
#include "server.h"

#include "catalog/pg_type.h"
#include "json/json_scan.h"
#include "mb/pg_wchar.h"
#include "store/dialect.h"
#include "store/store_connection.h"
#include "store/store_session.h"
#include "store/store_stage.h"
#include "store/store_type.h"
#include "store/store_use.h"
#include "store/store_writer.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

static const struct
{
	const char *name;
	Oid			type;
	PGFunction	input;
	int32		typmod;
}			columns[] = {
	{"text", TEXTOID, textin, -1},
	{"Varchar\"s", VARCHAROID, varcharin, VARHDRSZ + 4},
	{"number", NUMERICOID, numeric_in, -1},
	{"small", INT4OID, int4in, -1},
	{"float", FLOAT8OID, float8in, -1},
	{"yes", BOOLOID, boolin, -1},
	{"at", TIMESTAMPTZOID, timestamptz_in, -1},
	{"document", JSONBOID, jsonb_in, -1},
	{"json", JSONOID, json_in, -1},
	{"bytes", BYTEAOID, byteain, -1},
};

#define COLUMNS ((int) lengthof(columns))

static const StoreDialect *dialect;
static StringInfoData sent;		/* to the store */

/* ----------------------------------------------------------------
 * In place of the store
 * ---------------------------------------------------------------- */

StoreConnection *
store_session_use(const StoreServer *server)
{
	(void) server;
	return NULL;
}

const StoreDialect *
store_dialect(const StoreConnection *connection)
{
	(void) connection;
	return dialect;
}

int64
store_load(StoreConnection *connection, const char *sql)
{
	(void) connection;
	appendStringInfoString(&sent, sql);
	return 1;
}

void
store_copy_begin(StoreConnection *connection, const char *sql,
				 StoreYield yield, void *arg)
{
	static const char begin[] =
		"COPY \"schema\".\"table\" (\"text\", \"Varchar\"\"s\", ";

	(void) connection;
	(void) yield;
	(void) arg;
	require(strncmp(sql, begin, strlen(begin)) == 0);
}

void
store_copy_data(StoreConnection *connection, const char *data, size_t bytes)
{
	(void) connection;
	appendBinaryStringInfo(&sent, data, bytes);
}

int64
store_copy_end(StoreConnection *connection)
{
	(void) connection;
	return 1;
}

StoreStage *
store_stage_open(const StoreServer *server)
{
	(void) server;
	return palloc(1);
}

void
store_stage_row(StoreStage *stage, const char *row, size_t bytes)
{
	(void) stage;
	appendBinaryStringInfo(&sent, row, bytes);
}

/* ----------------------------------------------------------------
 * What was sent, read
 * ---------------------------------------------------------------- */

static bool
take(const char **p, const char *text)
{
	size_t		bytes = strlen(text);

	if (strncmp(*p, text, bytes) != 0)
		return false;
	*p += bytes;
	return true;
}

/* A literal of the dialect: its value, palloc'd. */
static char *
take_literal(const char **p)
{
	StringInfoData value;

	initStringInfo(&value);
	require(take(p, "'"));
	for (;;)
	{
		bool		escape = dialect->has_escapes && **p == '\\';

		require(**p != '\0');
		if (escape || take(p, "'"))
		{
			if (!escape && **p != '\'')
				return value.data;
			*p += escape;
			require(**p == '\'' || **p == '\\');
		}
		appendStringInfoChar(&value, *(*p)++);
	}
}

/* A number as it stands, up to what ends it. */
static char *
take_number(const char **p)
{
	const char *start = *p;

	*p += strspn(*p, "-0123456789.");
	require(*p > start);
	return pnstrdup(start, *p - start);
}

static void
check_insert(const StoreEncoder *encoder)
{
	bool		redshift = dialect == &dialect_redshift;
	const char *p = strstr(sent.data, " VALUES (");

	require(p != NULL);
	p += strlen(" VALUES (");
	for (int i = 0; i < encoder->n_columns; i++)
	{
		const StoreColumn *column = &encoder->columns[i];
		char	   *value;

		require(i == 0 || take(&p, ", "));
		if (take(&p, "NULL"))
		{
			require(encoder->texts[i] == NULL);
			continue;
		}
		if (redshift && column->kind == STORE_KIND_JSON)
			require(take(&p, "json_parse("));
		if (redshift && column->kind == STORE_KIND_BYTES)
			require(take(&p, "from_hex("));
		value = *p == '\'' ? take_literal(&p) : take_number(&p);
		if (redshift && (column->kind == STORE_KIND_JSON ||
						 column->kind == STORE_KIND_BYTES))
			require(take(&p, ")"));
		if (!redshift && column->kind == STORE_KIND_BYTES)
			value += strlen("\\x");
		require(encoder->texts[i] != NULL &&
				strcmp(value, encoder->texts[i]) == 0);
	}
	require(strcmp(p, ")") == 0);
}

/* A field of COPY's text format, its escapes undone; NULL for null. */
static char *
copy_field(const Input *field)
{
	StringInfoData value;

	if (field->len == 2 && memcmp(field->start, "\\N", 2) == 0)
		return NULL;
	initStringInfo(&value);
	for (size_t i = 0; i < field->len; i++)
	{
		char		c = field->start[i];

		if (c == '\\')
		{
			require(++i < field->len);
			c = field->start[i];
			c = c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
		}
		appendStringInfoChar(&value, c);
	}
	return value.data;
}

static void
check_copy(const StoreEncoder *encoder)
{
	Input		rest = {sent.data, sent.len};
	Input		line;

	require(input_cut(&rest, '\n', &line) && rest.len == 0);
	for (int i = 0; i < encoder->n_columns; i++)
	{
		Input		field = {"", 0};
		char	   *value;

		(void) input_cut(&line, '\t', &field);
		value = copy_field(&field);
		require((value == NULL) == (encoder->texts[i] == NULL));
		if (value != NULL && encoder->columns[i].kind == STORE_KIND_BYTES)
			value += strlen("\\x");
		require(value == NULL || strcmp(value, encoder->texts[i]) == 0);
	}
	require(line.len == 0);
}

static void
check_member(const StoreEncoder *encoder, int column, const JsonSlice *value)
{
	const char *text = encoder->texts[column];
	size_t		len = value->len;
	char	   *out = palloc(len + 1);

	if (encoder->columns[column].kind == STORE_KIND_JSON &&
		value->type != JSON_TOKEN_STRING)
	{
		/* json keeps the blanks around it */
		require(strstr(text, pnstrdup(value->start, len)) != NULL);
		return;
	}
	require(value->type == JSON_TOKEN_STRING);
	if (encoder->columns[column].kind == STORE_KIND_JSON)
		return;
	require(json_unescape(value->start, len, out, &len) == JSON_SCAN_OK);
	require(len == strlen(text) && memcmp(out, text, len) == 0);
}

/* One line, an object with a member for each value that is not null. */
static void
check_file(const StoreEncoder *encoder)
{
	JsonScan	scan;
	JsonSlice	value;
	int			column = 0;

	require(sent.data[sent.len - 1] == '\n');
	require(strchr(sent.data, '\n') == sent.data + sent.len - 1 ||
			encoder->texts[7] != NULL || encoder->texts[8] != NULL);
	json_scan_init(&scan, sent.data, sent.len);
	require(json_scan_next(&scan) == JSON_TOKEN_OBJECT_START);
	while (json_scan_next(&scan) == JSON_TOKEN_KEY)
	{
		while (encoder->texts[column] == NULL)
			column++;
		require(json_scan_value(&scan, &value) != JSON_TOKEN_ERROR);
		check_member(encoder, column++, &value);
	}
	require(scan.error == JSON_SCAN_OK &&
			json_scan_next(&scan) == JSON_TOKEN_END);
	while (column < encoder->n_columns)
		require(encoder->texts[column++] == NULL);
}

/* ----------------------------------------------------------------
 * Rows
 * ---------------------------------------------------------------- */

typedef struct Row
{
	StoreServer server;
	StoreTable	table;
	TupleDesc	tupdesc;
	StoreLoadMethod method;
	StoreUse	scan;
	Datum		values[COLUMNS];
	bool		isnull[COLUMNS];
	int			column;			/* being made */
	char	   *text;
} Row;

static void
call_input(void *arg)
{
	Row		   *row = arg;
	int			i = row->column;

	row->values[i] = DirectFunctionCall3(columns[i].input,
										 CStringGetDatum(row->text),
										 ObjectIdGetDatum(InvalidOid),
										 Int32GetDatum(columns[i].typmod));
	row->isnull[i] = false;
}

static void
load_row(void *arg)
{
	Row		   *row = arg;
	StoreEncoder *encoder;
	StoreWriter *writer = store_writer_begin(CurrentMemoryContext,
											 &row->server, &row->table,
											 row->tupdesc, row->scan.query);

	resetStringInfo(&sent);
	store_writer_row(writer, row->values, row->isnull);
	encoder = store_encoder_open(&row->table, row->tupdesc, dialect);
	store_encode(encoder, row->values, row->isnull);
	if (row->method == STORE_LOAD_COPY_S3)
	{
		check_file(encoder);
		return;
	}
	(void) store_writer_end(writer);
	if (row->method == STORE_LOAD_INSERT)
		check_insert(encoder);
	else
		check_copy(encoder);
}

static void
check_row(Row *row, Input line)
{
	Input		field;
	ErrorData  *error;

	for (row->column = 0; row->column < COLUMNS; row->column++)
	{
		row->isnull[row->column] = true;
		if (!input_cut(&line, '\t', &field))
			continue;
		row->text = input_string(&field);
		error = server_try(call_input, row);
		require(error == NULL || server_error_is_sound(error));
	}
	error = server_try(load_row, row);
	require(error == NULL || server_error_is_sound(error));
}

static TupleDesc
describe(void)
{
	TupleDesc	tupdesc = CreateTemplateTupleDesc(COLUMNS);

	for (int i = 0; i < COLUMNS; i++)
		server_attribute(tupdesc, i, columns[i].name, columns[i].type,
						 columns[i].typmod);
	return tupdesc;
}

static void
fuzz(const char *data, size_t size)
{
	const char *names[COLUMNS];
	Row			row = {0};
	Input		rest;
	Input		line;
	bool		files;

	if (size == 0)
		return;
	for (int i = 0; i < COLUMNS; i++)
		names[i] = columns[i].name;
	dialect = *data & 1 ? &dialect_redshift : &dialect_postgresql;
	row.method = *data & 2 ? STORE_LOAD_INSERT :
		*data & 1 ? STORE_LOAD_COPY_S3 : STORE_LOAD_COPY_STDIN;
	row.server.name = "store";
	row.table.schema = "schema";
	row.table.name = "table";
	row.table.columns = names;
	row.table.load_method = row.method;
	row.tupdesc = describe();
	row.scan.kind = STORE_USE_SCAN;
	row.scan.query = &row;
	if (*data & 4)
		store_use_note(CurrentMemoryContext, &row.scan);
	/* a file has no column of bytes */
	files = row.method == STORE_LOAD_COPY_S3;
	TupleDescAttr(row.tupdesc, COLUMNS - 1)->attisdropped = files;
	initStringInfo(&sent);
	rest.start = input_text(data + 1, size - 1);
	rest.len = size - 1;
	while (input_cut(&rest, '\n', &line))
		check_row(&row, line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return server_input(fuzz, data, size);
}
