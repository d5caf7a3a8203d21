/*
 * store_insert.c
 *	  Load method insert: INSERT of many rows, as literals.
 *
 * It is for stores that take nothing better, and for few rows.
 */
#include "postgres.h"

#include <ctype.h>

#include "store/dialect.h"
#include "store/store_connection.h"
#include "store/store_session.h"
#include "store/store_name.h"
#include "store/store_writer.h"

/*
 * A statement is sent when it has reached so many bytes.  With one more row,
 * each of whose bytes quoting may double, it is still within the 16 MB that a
 * statement of Redshift may have.
 */
#define SEND_BYTES (1024 * 1024)

typedef struct InsertState
{
	StoreLoad  *load;
	StringInfoData sql;
	int			prefix;			/* bytes of sql before the first row */
} InsertState;

static void *
insert_begin(StoreLoad *load)
{
	InsertState *state = palloc0(sizeof(InsertState));

	state->load = load;
	initStringInfo(&state->sql);
	appendStringInfoString(&state->sql, "INSERT INTO ");
	store_append_table(&state->sql, load->table);
	appendStringInfoString(&state->sql, " (");
	store_append_columns(&state->sql, load->encoder);
	appendStringInfoString(&state->sql, ") VALUES ");
	state->prefix = state->sql.len;
	return state;
}

static void
send_rows(InsertState *state)
{
	state->load->n_stored +=
		store_load(store_session_use(state->load->server), state->sql.data);
	state->sql.len = state->prefix;
	state->sql.data[state->prefix] = '\0';
}

/* A value as an expression of the dialect. */
static void
append_literal(StringInfo sql, const StoreDialect *dialect, StoreKind kind,
			   const char *text)
{
	switch (kind)
	{
		case STORE_KIND_INTEGER:
			if (isdigit((unsigned char) text[text[0] == '-']))
			{
				appendStringInfoString(sql, text);
				return;
			}
			break;
		case STORE_KIND_BYTES:
			appendStringInfo(sql, "%s%s%s", dialect->bytes_before, text,
							 dialect->bytes_after);
			return;
		case STORE_KIND_JSON:
			appendStringInfo(sql, "%s%s%s", dialect->json_before,
							 dialect_quote_literal(dialect, text),
							 dialect->json_after);
			return;
		default:
			break;
	}
	appendStringInfoString(sql, dialect_quote_literal(dialect, text));
}

static void
insert_row(void *arg)
{
	InsertState *state = arg;
	const StoreEncoder *encoder = state->load->encoder;
	MemoryContext old = MemoryContextSwitchTo(encoder->row_cxt);

	appendStringInfoString(&state->sql,
						   state->sql.len > state->prefix ? ", (" : "(");
	for (int i = 0; i < encoder->n_columns; i++)
	{
		if (i > 0)
			appendStringInfoString(&state->sql, ", ");
		if (encoder->texts[i] == NULL)
			appendStringInfoString(&state->sql, "NULL");
		else
			append_literal(&state->sql, encoder->dialect,
						   encoder->columns[i].kind, encoder->texts[i]);
	}
	appendStringInfoChar(&state->sql, ')');
	MemoryContextSwitchTo(old);
	if (state->sql.len >= SEND_BYTES)
		send_rows(state);
}

static void
insert_send(void *arg)
{
	InsertState *state = arg;

	if (state->sql.len > state->prefix)
		send_rows(state);
}

const StoreMethod store_insert = {
	.begin = insert_begin,
	.row = insert_row,
	.send = insert_send
};
