/*
 * store_copy_s3.c
 *	  Load method copy_s3: writes rows as JSON to files in S3, then runs one
 *	  COPY.
 *
 * Every value but those of SUPER is a string, which COPY converts to the
 * column's type, so that no number passes through a double.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "store/dialect.h"
#include "store/store_session.h"
#include "store/store_stage.h"
#include "store/store_wire.h"
#include "store/store_name.h"
#include "store/store_writer.h"
#include "utils/formatting.h"
#include "utils/json.h"

/* Columns of the queries for a load's error */
#define LOAD_ERROR_COLUMNS 5

/* Bytes of a value that an error repeats, at most */
#define RAW_VALUE_BYTES 100

typedef struct S3State
{
	StoreLoad  *load;
	StoreStage *stage;			/* NULL: no row is to be sent */
	StringInfoData line;
	char	  **keys;			/* "name": for each column */
	int64		n_rows;
} S3State;

/* Raise an error for columns that COPY would reject, or misread. */
static void
check_columns(const StoreLoad *load)
{
	const StoreEncoder *encoder = load->encoder;

	if (encoder->dialect->max_s3_row_bytes == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("store \"%s\" cannot be loaded by copy_s3: it is not Redshift",
						load->server->name),
				 errhint("Use load_method 'copy_stdin'.")));
	for (int i = 0; i < encoder->n_columns; i++)
	{
		if (encoder->columns[i].kind == STORE_KIND_BYTES)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("copy_s3 cannot load column \"%s\" of table \"%s\"",
							encoder->columns[i].name, load->table->name),
					 errdetail("Redshift does not say what becomes of a string of JSON in a VARBYTE column."),
					 errhint("Use load_method 'insert' for this table.")));
	}
}

/*
 * Make the JSON text "name": for a column.  COPY compares such names exactly
 * with those of columns, which are in lower case; a column whose name is not
 * found would silently be null.
 */
static char *
member_key(const char *column)
{
	char	   *folded = asc_tolower(column, strlen(column));
	StringInfoData key;

	initStringInfo(&key);
	escape_json(&key, folded);
	appendStringInfoChar(&key, ':');
	pfree(folded);
	return key.data;
}

static void *
s3_begin(StoreLoad *load)
{
	S3State    *state = palloc0(sizeof(S3State));
	const StoreEncoder *encoder = load->encoder;

	check_columns(load);
	state->load = load;
	initStringInfo(&state->line);
	state->keys = palloc(encoder->n_columns * sizeof(char *));
	for (int i = 0; i < encoder->n_columns; i++)
		state->keys[i] = member_key(encoder->columns[i].name);
	return state;
}

/* The encoder's row as a line of JSON, in the database's encoding. */
static void
append_row(StringInfo line, const StoreEncoder *encoder, char **keys)
{
	appendStringInfoChar(line, '{');
	for (int i = 0; i < encoder->n_columns; i++)
	{
		/* COPY takes a listed column that is missing as null */
		if (encoder->texts[i] == NULL)
			continue;
		if (line->len > 1)
			appendStringInfoChar(line, ',');
		appendStringInfoString(line, keys[i]);
		if (encoder->columns[i].kind == STORE_KIND_JSON)
			appendStringInfoString(line, encoder->texts[i]);
		else
			escape_json(line, encoder->texts[i]);
	}
	appendStringInfoString(line, "}\n");
}

static void
s3_row(void *arg)
{
	S3State    *state = arg;
	const StoreEncoder *encoder = state->load->encoder;
	int			max_bytes = encoder->dialect->max_s3_row_bytes;
	StringInfo	line = &state->line;
	char	   *utf8;
	size_t		bytes;

	resetStringInfo(line);
	append_row(line, encoder, state->keys);
	utf8 = pg_server_to_any(line->data, line->len, PG_UTF8);
	bytes = utf8 == line->data ? (size_t) line->len : strlen(utf8);
	if (bytes > (size_t) max_bytes)
		ereport(ERROR,
				(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
				 errmsg("store table \"%s\" cannot take row " INT64_FORMAT,
						encoder->table, encoder->n_rows),
				 errdetail("It has %zu bytes as JSON, of at most %d.", bytes,
						   max_bytes)));

	if (state->stage == NULL)
		state->stage = store_stage_open(state->load->server);
	store_stage_row(state->stage, utf8, bytes);
	if (utf8 != line->data)
		pfree(utf8);
	state->n_rows++;
}

static char *
copy_statement(const S3State *state, const char *manifest)
{
	const StoreServer *server = state->load->server;
	const StoreDialect *dialect = state->load->encoder->dialect;
	const char *compression = compressor_names[server->compression];
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "COPY ");
	store_append_table(&sql, state->load->table);
	appendStringInfoString(&sql, " (");
	store_append_columns(&sql, state->load->encoder);
	appendStringInfo(&sql, ") FROM %s IAM_ROLE %s REGION %s MANIFEST FORMAT JSON 'auto' %s TIMEFORMAT 'auto' COMPUPDATE OFF STATUPDATE OFF",
					 dialect_quote_literal(dialect, manifest),
					 server->iam_role == NULL ? "default" :
					 dialect_quote_literal(dialect, server->iam_role),
					 dialect_quote_literal(dialect, server->aws.region),
					 asc_toupper(compression, strlen(compression)));
	return sql.data;
}

/* A text of the first row, cleaned, without the blanks that fill it up. */
static const char *
text_of(const StoreConnection *connection, const PGresult *result, int column)
{
	return store_clean(connection, PQgetvalue(result, 0, column));
}

/*
 * What the store recorded of the row that its last COPY failed on; NULL if it
 * recorded nothing.  Can be asked once the failed transaction has ended.
 */
static char *
load_error(StoreConnection *connection)
{
	static const char *const queries[] = {
		"SELECT file_name, line_number, column_name, error_message, ''"
		" FROM sys_load_error_detail WHERE query_id = pg_last_copy_id()"
		" ORDER BY start_time LIMIT 1",
		"SELECT filename, line_number, colname, err_reason, raw_field_value"
		" FROM stl_load_errors WHERE query = pg_last_copy_id()"
		" ORDER BY starttime LIMIT 1"
	};

	for (size_t i = 0; i < lengthof(queries); i++)
	{
		PGresult   *result = store_ask(connection, queries[i]);
		const char *raw;

		if (result == NULL || PQntuples(result) == 0 ||
			PQnfields(result) != LOAD_ERROR_COLUMNS)
			continue;
		raw = text_of(connection, result, 4);
		return psprintf("%s, in column \"%s\" of line %s of %s%s%.*s",
						text_of(connection, result, 3),
						text_of(connection, result, 2),
						text_of(connection, result, 1),
						text_of(connection, result, 0),
						raw[0] == '\0' ? "" : ": ",
						pg_mbcliplen(raw, strlen(raw), RAW_VALUE_BYTES), raw);
	}
	return NULL;
}

/*
 * Raise the error of a failed COPY: if a row is to blame, a data error that
 * says which and why, so that a pipeline can look for the record.
 */
pg_noreturn static void
raise_copy_error(S3State *state, ErrorData *error)
{
	const StoreServer *server = state->load->server;
	StoreConnection *connection;
	char	   *reason = NULL;

	if (strstr(error->message, "load_error") == NULL)
		ReThrowError(error);
	connection = store_session_fail(server);
	if (connection != NULL)
		reason = load_error(connection);
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("store \"%s\" could not load a row", server->name),
			 errdetail_internal("%s", reason != NULL ? reason :
								error->message)));
}

static void
copy_rows(S3State *state, const char *sql)
{
	StoreConnection *connection = store_session_use(state->load->server);
	MemoryContext cxt = CurrentMemoryContext;
	ErrorData  *volatile error = NULL;

	PG_TRY();
	{
		store_query(connection, sql, 0, NULL);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(cxt);
		error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	if (error != NULL)
		raise_copy_error(state, error);
}

/* Raise an error unless as many rows were loaded as were sent. */
static void
check_count(const S3State *state, StoreLoadStats *stats)
{
	const StoreServer *server = state->load->server;
	PGresult   *result = store_query(store_session_use(server),
									 "SELECT pg_last_copy_count(), pg_last_copy_id()",
									 0, NULL);
	int64		loaded = strtoll(store_value(server->name, result, 0, 0), NULL,
								 10);
	const char *query_id = store_value(server->name, result, 0, 1);

	/* an id is a number; anything else might be cut within a character */
	if (strspn(query_id, "0123456789") == strlen(query_id))
		strlcpy(stats->query_id, query_id, sizeof(stats->query_id));
	if (loaded != state->n_rows)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_ERROR),
				 errmsg("store \"%s\" loaded " INT64_FORMAT " of " INT64_FORMAT " rows",
						server->name, loaded, state->n_rows),
				 errhint("See query %s in the store's system tables.",
						 stats->query_id)));
}

static void
s3_send(void *arg)
{
	S3State    *state = arg;
	StoreLoadStats *stats = store_session_stats(state->load->server);

	if (state->stage == NULL)
		return;
	copy_rows(state, copy_statement(state,
									store_stage_finish(state->stage)));
	check_count(state, stats);
	stats->files += store_stage_files(state->stage);
	stats->bytes += store_stage_bytes(state->stage);
	stats->rows += state->n_rows;
	state->load->n_stored += state->n_rows;
	state->stage = NULL;
	state->n_rows = 0;
}

const StoreMethod store_copy_s3 = {
	.holds_all = true,
	.begin = s3_begin,
	.row = s3_row,
	.send = s3_send
};
