/*
 * store_copy_stdin.c
 *	  Load method copy_stdin: COPY ...  FROM STDIN in text format.
 *
 * The COPY stays open between rows.  If the connection is needed for another
 * statement meanwhile, the COPY is ended, and the next rows begin another.
 */
#include "postgres.h"

#include "store/store_connection.h"
#include "store/store_session.h"
#include "store/store_name.h"
#include "store/store_writer.h"

/* Rows are sent when there are so many bytes of them. */
#define SEND_BYTES 65536

typedef struct CopyState
{
	StoreLoad  *load;
	StringInfoData sql;
	StringInfoData rows;		/* not yet sent */
	StoreConnection *connection;	/* with the COPY open on it, or NULL */
} CopyState;

static void *
copy_begin(StoreLoad *load)
{
	CopyState  *state = palloc0(sizeof(CopyState));

	state->load = load;
	initStringInfo(&state->rows);
	initStringInfo(&state->sql);
	appendStringInfoString(&state->sql, "COPY ");
	store_append_table(&state->sql, load->table);
	appendStringInfoString(&state->sql, " (");
	store_append_columns(&state->sql, load->encoder);
	appendStringInfoString(&state->sql, ") FROM STDIN");
	return state;
}

static void
close_copy(void *arg)
{
	CopyState  *state = arg;
	StoreConnection *connection = state->connection;

	state->connection = NULL;
	state->load->n_stored += store_copy_end(connection);
}

static void
send_rows(CopyState *state)
{
	if (state->connection == NULL)
	{
		StoreConnection *connection = store_session_use(state->load->server);

		store_copy_begin(connection, state->sql.data, close_copy, state);
		state->connection = connection;
	}
	store_copy_data(state->connection, state->rows.data, state->rows.len);
	resetStringInfo(&state->rows);
}

/* Append a value, with escapes for what has a meaning in the text format. */
static void
append_escaped(StringInfo rows, const char *text)
{
	for (;;)
	{
		size_t		plain = strcspn(text, "\\\n\r\t");

		appendBinaryStringInfo(rows, text, (int) plain);
		text += plain;
		if (*text == '\0')
			break;
		appendStringInfoChar(rows, '\\');
		appendStringInfoChar(rows, *text == '\n' ? 'n' : *text == '\r' ? 'r' :
							 *text == '\t' ? 't' : '\\');
		text++;
	}
}

static void
copy_row(void *arg)
{
	CopyState  *state = arg;
	const StoreEncoder *encoder = state->load->encoder;

	for (int i = 0; i < encoder->n_columns; i++)
	{
		if (i > 0)
			appendStringInfoChar(&state->rows, '\t');
		if (encoder->texts[i] == NULL)
		{
			appendStringInfoString(&state->rows, "\\N");
			continue;
		}
		/* the input function of bytea wants \x before the digits */
		if (encoder->columns[i].kind == STORE_KIND_BYTES)
			appendStringInfoString(&state->rows, "\\\\x");
		append_escaped(&state->rows, encoder->texts[i]);
	}
	appendStringInfoChar(&state->rows, '\n');
	if (state->rows.len >= SEND_BYTES)
		send_rows(state);
}

static void
copy_send(void *arg)
{
	CopyState  *state = arg;

	if (state->rows.len > 0)
		send_rows(state);
	if (state->connection != NULL)
		close_copy(state);
}

const StoreMethod store_copy_stdin = {
	.begin = copy_begin,
	.row = copy_row,
	.send = copy_send
};
