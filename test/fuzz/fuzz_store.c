/*
 * fuzz_store.c
 *	  libFuzzer target: what a store answers.
 *
 * The first line says what is done with the store, a letter each.  The other
 * lines are messages of PostgreSQL's protocol: the type, and fields between
 * tabs.  The store answers with those up to one that ends a statement, or
 * begins a COPY, or a line that begins with a dot.  '!' as the first letter
 * leaves out what it says until a connection is settled.
 */
#include "server.h"

/* what is static there is called here */
#include "fdw/store_scan.c"
#include "sink/store_copy_s3.c"

#include "catalog/pg_type.h"
#include "remote.h"
#include "sink/store_checkpoint.h"
#include "sink/store_wire.h"
#include "utils/fmgroids.h"

/* Things that are done with one store */
#define ACTIONS 8

static StoreConnection *connection;

const char *__lsan_default_suppressions(void);

/* libpq itself loses a result where a COPY begins among rows. */
const char *
__lsan_default_suppressions(void)
{
	return "leak:libpq.so";
}

/* ----------------------------------------------------------------
 * Messages
 * ---------------------------------------------------------------- */

static void
put_int(StringInfo out, int bytes, uint32 value)
{
	for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
		appendStringInfoChar(out, (char) (value >> shift));
}

static int
count_fields(Input line)
{
	Input		field;
	int			n = 0;

	while (input_cut(&line, '\t', &field))
		n++;
	return n;
}

static void
put_string(StringInfo out, const Input *text)
{
	appendBinaryStringInfo(out, text->start, text->len);
	appendStringInfoChar(out, '\0');
}

/* \N is null. */
static void
put_value(StringInfo out, const Input *field)
{
	if (field->len == 2 && memcmp(field->start, "\\N", 2) == 0)
	{
		put_int(out, 4, PG_UINT32_MAX);
		return;
	}
	put_int(out, 4, field->len);
	appendBinaryStringInfo(out, field->start, field->len);
}

static void
put_column(StringInfo out, const Input *field)
{
	put_string(out, field);
	put_int(out, 4, 0);
	put_int(out, 2, 0);
	put_int(out, 4, TEXTOID);
	put_int(out, 2, PG_UINT16_MAX);
	put_int(out, 4, PG_UINT32_MAX);
	put_int(out, 2, 0);
}

static void
put_fields(StringInfo out, char type, Input rest)
{
	Input		field;

	if (type == 'D' || type == 'T')
		put_int(out, 2, count_fields(rest));
	while (input_cut(&rest, '\t', &field))
	{
		if (type == 'D')
			put_value(out, &field);
		else if (type == 'T')
			put_column(out, &field);
		else
			put_string(out, &field);
	}
	if (type == 'E' || type == 'N')
		appendStringInfoChar(out, '\0');
}

static void
put_message(StringInfo out, const Input *line)
{
	Input		rest = {line->start + 1, line->len - 1};
	StringInfoData payload;
	char		type = line->start[0];

	initStringInfo(&payload);
	if (strchr("DTENSC", type) != NULL)
		put_fields(&payload, type, rest);
	else if (strchr("GHW", type) != NULL)
		put_int(&payload, 3, 0);
	else
		appendBinaryStringInfo(&payload, rest.start, rest.len);
	appendStringInfoChar(out, type);
	put_int(out, 4, payload.len + 4);
	appendBinaryStringInfo(out, payload.data, payload.len);
}

/* Have the store answer with the next messages, up to such a line. */
static bool
say(Input *rest)
{
	StringInfoData said;
	Input		line;
	bool		any = false;

	initStringInfo(&said);
	while (input_cut(rest, '\n', &line))
	{
		any = true;
		if (line.len > 0 && *line.start != '.')
			put_message(&said, &line);
		if (line.len > 0 && strchr(".ZGHW", *line.start) != NULL)
			break;
	}
	if (any)
		remote_say(said.data, said.len, false);
	return any;
}

static void
say_all(const char *lines, size_t size)
{
	Input		rest = {lines, size};

	while (say(&rest))
		;
}

/* What is said until a connection is settled: by a setting each in the end. */
static void
say_beginning(bool redshift)
{
	static const char postgresql[] =
		"R\0\0\0\0\nSserver_version\t15.0\nZI\n"
		"CSET\nZI\nCSET\nZI\nCSET\nZI\nCSET\nZI\nCSET\nZI\nCSET\nZI\n";
	static const char theirs[] =
		"R\0\0\0\0\nSserver_version\t8.0.2\nZI\n"
		"CSET\nZI\nCSET\nZI\nCSET\nZI\n";

	if (redshift)
		say_all(theirs, sizeof(theirs) - 1);
	else
		say_all(postgresql, sizeof(postgresql) - 1);
}

/* ----------------------------------------------------------------
 * In place of store_session.c: the one connection
 * ---------------------------------------------------------------- */

StoreConnection *
store_session_use(const StoreServer *server)
{
	(void) server;
	return connection;
}

StoreConnection *
store_session_fail(const StoreServer *server)
{
	(void) server;
	return store_is_usable(connection) ? connection : NULL;
}

bool
store_session_commit(const StoreServer *server)
{
	(void) server;
	return store_commit(connection);
}

/* ----------------------------------------------------------------
 * What is done
 * ---------------------------------------------------------------- */

static void
read_values(PGresult *result)
{
	for (int row = 0; row < PQntuples(result); row++)
		for (int column = 0; column < PQnfields(result); column++)
			require(strlen(PQgetvalue(result, row, column)) <=
					(size_t) PQgetlength(result, row, column));
}

static void
query(void *server)
{
	const char *params[] = {"1", NULL};

	(void) server;
	read_values(store_query(connection, "SELECT $1, $2", 2, params));
}

static void
ask(void *server)
{
	PGresult   *result = store_ask(connection, "SELECT");

	(void) server;
	if (result != NULL)
		read_values(result);
}

static void
load(void *server)
{
	(void) server;
	(void) store_load(connection, "INSERT");
}

static void
copy(void *server)
{
	(void) server;
	store_copy_begin(connection, "COPY", NULL, NULL);
	store_copy_data(connection, "1\n", 2);
	(void) store_copy_end(connection);
}

static void
read_positions(void *server)
{
	StoreCheckpoint checkpoint = {.server = server,.table = "t"};
	List	   *positions;
	ListCell   *cell;

	store_checkpoint_create(&checkpoint);
	positions = store_checkpoint_read(&checkpoint);
	foreach(cell, positions)
	{
		StorePosition *stored = lfirst(cell);
		StreamPosition position;

		require_text(stored->shard_id);
		(void) position_from_text(stored->position, &position);
	}
	store_checkpoint_forget(&checkpoint, "shard");
}

/* Is it one of those that the table has?  Every other one. */
static bool
is_known(const char *shard_id, void *arg)
{
	(void) arg;
	return shard_id[0] == 'a';
}

static void
advance(void *server)
{
	StoreCheckpoint checkpoint = {.server = server,.table = "t"};
	BatchShard	shards[] = {{.shard_id = "a"}, {.shard_id = "b'\\"}};
	Batch		batch = {.shards = shards,.n_shards = lengthof(shards)};

	(void) store_checkpoint_advance(&checkpoint, &batch, is_known, NULL);
}

static void
explain_copy(void *server)
{
	(void) server;
	require_text(load_error(connection));
}

static void
count_copy(void *server)
{
	StoreLoad	load = {.server = server};
	S3State		state = {.load = &load,.n_rows = 1};
	StoreLoadStats stats;

	check_count(&state, &stats);
}

static void
fail_copy(void *server)
{
	StoreLoad	load = {.server = server};
	S3State		state = {.load = &load};

	copy_rows(&state, "COPY");
}

static void
commit(void *server)
{
	(void) server;
	(void) store_commit(connection);
}

static void
cancel(void *server)
{
	(void) server;
	connection->busy = PQsendQuery(connection->conn, "SELECT");
	(void) store_cancel(connection);
}

static void
roll_back(void *server)
{
	(void) server;
	(void) store_execute_quietly(connection, "ROLLBACK");
}

/* Rows of a foreign table, as text and as values of other types. */
static void
scan(void *server)
{
	static const Oid inputs[] = {
		F_TEXTIN, F_INT4IN, F_NUMERIC_IN, F_TIMESTAMPTZ_IN, F_JSONB_IN
	};
	const char *names[lengthof(inputs)];
	Datum		values[lengthof(inputs)];
	bool		isnull[lengthof(inputs)];
	StoreTable	table = {.columns = names};
	StoreScan	state = {
		.server = server,
		.table = &table,
		.tupdesc = CreateTemplateTupleDesc(lengthof(inputs)),
		.n_columns = lengthof(inputs),
		.columns = palloc0(sizeof(StoreColumnInput) * lengthof(inputs)),
		.batch_cxt = CurrentMemoryContext,
		.row_cxt = CurrentMemoryContext,
		.connection = connection,
		.fetch_rows = FETCH_FIRST_ROWS
	};

	state.batch_cxt = AllocSetContextCreate(CurrentMemoryContext, "batch",
											ALLOCSET_DEFAULT_SIZES);
	for (size_t i = 0; i < lengthof(inputs); i++)
	{
		names[i] = "column";
		state.columns[i].attribute = i;
		state.columns[i].typmod = -1;
		fmgr_info(inputs[i], &state.columns[i].function);
	}
	state.cursor = store_cursor_open(connection, "SELECT", NULL, NULL);
	while (fetch(&state))
		while (state.next < PQntuples(state.batch))
		{
			convert_row(&state, values, isnull);
			require(isnull[0] ||
					pg_verify_mbstr(PG_UTF8, VARDATA_ANY(values[0]),
									VARSIZE_ANY_EXHDR(values[0]), true));
		}
	close_cursor(&state);
}

static const struct
{
	char		letter;
	ServerBody	body;
}			actions[] = {
	{'q', query}, {'a', ask}, {'l', load}, {'c', copy}, {'k', read_positions},
	{'v', advance}, {'e', explain_copy}, {'n', count_copy}, {'f', fail_copy},
	{'m', commit}, {'x', cancel}, {'r', roll_back}, {'s', scan}
};

/* ----------------------------------------------------------------
 * Inputs
 * ---------------------------------------------------------------- */

/* Any state but success, and text, whatever the store has said. */
static void
check_error(const ErrorData *error)
{
	ErrorData	ours = *error;

	require(error->sqlerrcode != 0 &&
			ERRCODE_TO_CATEGORY(error->sqlerrcode) != 0);
	if (ours.sqlerrcode == ERRCODE_INTERNAL_ERROR)
		ours.sqlerrcode = ERRCODE_FDW_ERROR;
	require(server_error_is_sound(&ours));
}

static void
act(char letter, StoreServer *server)
{
	ErrorData  *error;

	for (size_t i = 0; i < lengthof(actions); i++)
	{
		if (actions[i].letter != letter || !store_is_usable(connection))
			continue;
		error = server_try(actions[i].body, server);
		if (error != NULL)
			check_error(error);
	}
}

static void
open_store(void *server)
{
	connection = store_connect(CurrentMemoryContext, server);
}

static void
fuzz(const char *data, size_t size)
{
	static const char *keywords[] = {
		"host", "user", "dbname", "client_encoding", NULL
	};
	static const char *values[] = {"/nowhere", "u", "d", "UTF8", NULL};
	StoreServer server = {
		.name = "store",.keywords = keywords,.values = values,
		.connect_timeout_ms = 1000,.dialect = STORE_DIALECT_DETECT
	};
	Input		rest = {data, size};
	Input		letters;
	ErrorData  *error;

	if (!input_cut(&rest, '\n', &letters) || letters.len == 0)
		return;
	if (*letters.start != '!')
		say_beginning(*letters.start == 'R');
	say_all(rest.start, rest.len);
	connection = NULL;
	error = server_try(open_store, &server);
	if (error != NULL)
		check_error(error);
	letters.len = Min(letters.len, ACTIONS);
	for (size_t i = 0; connection != NULL && i < letters.len; i++)
		act(letters.start[i], &server);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	server_input(fuzz, data, size);
	remote_end();
	return 0;
}
