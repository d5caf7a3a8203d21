/*
 * store_remote.c
 *	  The other end of a connection to a store.
 */
#include "store_remote.h"

#include "catalog/pg_type.h"
#include "remote.h"
#include "store/dialect.h"
#include "store/store_session.h"
#include "store/store_wire.h"

StoreConnection *store_remote = NULL;

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

/* ----------------------------------------------------------------
 * In place of store_session.c: the one connection
 * ---------------------------------------------------------------- */

StoreConnection *
store_session_use(const StoreServer *server)
{
	(void) server;
	return store_remote;
}

StoreConnection *
store_session_fail(const StoreServer *server)
{
	(void) server;
	return store_is_usable(store_remote) ? store_remote : NULL;
}

bool
store_session_commit(const StoreServer *server)
{
	(void) server;
	return store_commit(store_remote);
}

void
store_session_scans(const StoreServer *server)
{
	(void) server;
}

bool
store_session_has_savepoints(const StoreServer *server)
{
	(void) server;
	return store_dialect(store_remote)->has_savepoints;
}

StoreLoadStats *
store_session_stats(const StoreServer *server)
{
	static StoreLoadStats stats;

	(void) server;
	return &stats;
}

/* ----------------------------------------------------------------
 * Connecting
 * ---------------------------------------------------------------- */

/* What is said until a connection is settled. */
static void
say_beginning(bool redshift)
{
	static const char postgresql[] = "R\0\0\0\0\nSserver_version\t15.0\nZI\n";
	static const char theirs[] = "R\0\0\0\0\nSserver_version\t8.0.2\nZI\n";

	if (redshift)
		say_all(theirs, sizeof(theirs) - 1);
	else
		say_all(postgresql, sizeof(postgresql) - 1);
}

static void
connect_store(void *server)
{
	store_remote = store_connect(CurrentMemoryContext, server);
}

bool
store_remote_open(StoreServer *server, Input *rest, Input *letters)
{
	static const char *keywords[] = {
		"host", "user", "dbname", "password", "client_encoding", NULL
	};
	static const char *values[] = {"/nowhere", "u", "d", "p4ss", "UTF8", NULL};

	store_remote = NULL;
	if (!input_cut(rest, '\n', letters) || letters->len == 0)
		return false;
	if (*letters->start != '!')
		say_beginning(*letters->start == 'R');
	say_all(rest->start, rest->len);
	server->name = "store";
	server->keywords = keywords;
	server->values = values;
	server->connect_timeout_ms = 1000;
	return store_remote_try(connect_store, server);
}

/* Any state but success, and text, whatever the store has said. */
bool
store_remote_try(ServerBody body, void *arg)
{
	ErrorData  *error = server_try(body, arg);

	if (error == NULL)
		return true;
	require(error->sqlerrcode != 0 &&
			ERRCODE_TO_CATEGORY(error->sqlerrcode) != 0);
	if (error->sqlerrcode == ERRCODE_INTERNAL_ERROR)
		error->sqlerrcode = ERRCODE_FDW_ERROR;
	require(server_error_is_sound(error));
	return false;
}
