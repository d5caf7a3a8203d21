/*
 * store_connection.c
 *	  One connection to a store over libpq.
 *
 * The connection is non-blocking throughout; wait_socket() is the only place
 * that waits.
 */
#include "postgres.h"

#include <ctype.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/compat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "sink/store_connection.h"
#include "storage/fd.h"
#include "storage/latch.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Until a statement that was interrupted must have ended. */
#define CANCEL_TIMEOUT_MS 10000

/* The version that every Redshift reports. */
#define REDSHIFT_VERSION 80002

struct StoreConnection
{
	MemoryContext cxt;
	Cleanup    *cleanup;
	PGconn	   *conn;
	const char *server;			/* name */
	StoreDialect dialect;
	bool		busy;			/* a statement was begun and not ended */
	bool		copying;		/* it is COPY FROM STDIN */
	int			cursors;		/* opened so far: their names */
	StoreYield	yield;			/* how what is open makes way, or NULL */
	void	   *yield_arg;
};

static uint32 connect_wait_event = 0;
static uint32 answer_wait_event = 0;

/* The statement has ended, and with it a COPY. */
static void
set_idle(StoreConnection *connection)
{
	connection->busy = false;
	if (connection->copying)
		connection->yield = NULL;
	connection->copying = false;
}

static void
connection_destroy(void *handle)
{
	PQfinish(handle);
	ReleaseExternalFD();
}

/* ----------------------------------------------------------------
 * Errors
 * ---------------------------------------------------------------- */

/* A message of libpq or the remote, on one line. */
static char *
one_line(const char *message)
{
	char	   *line = pstrdup(message == NULL ? "" : message);
	int			length = strlen(line);

	while (length > 0 && isspace((unsigned char) line[length - 1]))
		line[--length] = '\0';
	for (char *p = line; *p != '\0'; p++)
	{
		if (*p == '\n')
			*p = ' ';
	}
	return line;
}

pg_noreturn static void
raise_connection(StoreConnection *connection, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_CONNECTION_FAILURE),
			 errmsg("%s store \"%s\"", what, connection->server),
			 errdetail_internal("%s",
								one_line(PQerrorMessage(connection->conn)))));
}

static int
sqlstate_of(const PGresult *result)
{
	const char *text = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	return text != NULL && strlen(text) == 5 ?
		MAKE_SQLSTATE(text[0], text[1], text[2], text[3], text[4]) :
		ERRCODE_CONNECTION_FAILURE;
}

/* The statement's result is an error of the remote, or of the connection. */
pg_noreturn static void
raise_result(StoreConnection *connection, PGresult *result, const char *sql)
{
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
	const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
	const char *context = PQresultErrorField(result, PG_DIAG_CONTEXT);

	if (message == NULL)
		raise_connection(connection, "lost the connection to");
	ereport(ERROR,
			(errcode(sqlstate_of(result)),
			 errmsg_internal("%s", one_line(message)),
			 detail != NULL ? errdetail_internal("%s", detail) : 0,
			 hint != NULL ? errhint("%s", hint) : 0,
			 context != NULL ? errcontext("%s", context) : 0,
			 sql != NULL ? errcontext("remote SQL command on \"%s\": %.*s",
									  connection->server,
									  pg_mbcliplen(sql, strlen(sql), 500),
									  sql) : 0));
}

/* ----------------------------------------------------------------
 * Waiting
 * ---------------------------------------------------------------- */

/*
 * Wait until the socket is ready for one of events, at most to deadline_ms
 * (clock_now_ms(); -1: no limit).  False after that.  serve: interrupts.
 */
static bool
wait_socket(StoreConnection *connection, int events, int64 deadline_ms,
			uint32 wait_event, bool serve)
{
	for (;;)
	{
		long		left_ms = -1;
		int			ready;

		if (deadline_ms >= 0)
			left_ms = Max(deadline_ms - clock_now_ms(), 0);
		ready = WaitLatchOrSocket(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH |
								  events | (left_ms >= 0 ? WL_TIMEOUT : 0),
								  PQsocket(connection->conn), left_ms,
								  wait_event);
		if (ready & WL_LATCH_SET)
		{
			ResetLatch(MyLatch);
			if (serve)
				CHECK_FOR_INTERRUPTS();
		}
		if (ready & events)
			return true;
		if (ready & WL_TIMEOUT)
			return false;
	}
}

static uint32
answer_event(void)
{
	return compat_wait_event(&answer_wait_event, "TrackingFdwStore");
}

/* Send what libpq has to send, reading what comes meanwhile. */
static void
flush(StoreConnection *connection)
{
	int			left;

	while ((left = PQflush(connection->conn)) > 0)
	{
		wait_socket(connection, WL_SOCKET_READABLE | WL_SOCKET_WRITEABLE, -1,
					answer_event(), true);
		if (!PQconsumeInput(connection->conn))
			raise_connection(connection, "lost the connection to");
	}
	if (left < 0)
		raise_connection(connection, "lost the connection to");
}

/* The next result of the statement, NULL when it has ended; not yet tied. */
static PGresult *
next_result(StoreConnection *connection)
{
	flush(connection);
	while (PQisBusy(connection->conn))
	{
		wait_socket(connection, WL_SOCKET_READABLE, -1, answer_event(), true);
		if (!PQconsumeInput(connection->conn))
			raise_connection(connection, "lost the connection to");
	}
	return PQgetResult(connection->conn);
}

/* Read over what else the statement returns. */
static void
end_statement(StoreConnection *connection)
{
	PGresult   *result;

	while ((result = next_result(connection)) != NULL)
		PQclear(result);
	set_idle(connection);
}

static void
clear_result(void *handle)
{
	PQclear(handle);
}

/* Tie a result to the current context. */
static PGresult *
keep_result(PGresult *result)
{
	cleanup_register(CurrentMemoryContext, clear_result, result);
	return result;
}

/* ----------------------------------------------------------------
 * Connecting
 * ---------------------------------------------------------------- */

pg_noreturn static void
raise_connect(StoreConnection *connection, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION),
			 errmsg("could not connect to store \"%s\"", connection->server),
			 errdetail_internal("%s", one_line(detail))));
}

static void
poll_connection(StoreConnection *connection, int64 deadline_ms)
{
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;

	while (status != PGRES_POLLING_OK)
	{
		int			events = status == PGRES_POLLING_READING ?
			WL_SOCKET_READABLE : WL_SOCKET_WRITEABLE;

		if (status == PGRES_POLLING_FAILED)
			raise_connect(connection, PQerrorMessage(connection->conn));
		if (!wait_socket(connection, events, deadline_ms,
						 compat_wait_event(&connect_wait_event,
										   "TrackingFdwStoreConnect"), true))
			raise_connect(connection, "The connection attempt timed out.");
		status = PQconnectPoll(connection->conn);
	}
}

/* libpq's own way with a notice is to print it to stderr. */
static void
ignore_notice(void *arg, const char *message)
{
	(void) arg;
	(void) message;
}

/* A role must not borrow the rights of the server's own account. */
static void
check_password_used(StoreConnection *connection, const StoreServer *server)
{
	if (server->password_required &&
		!PQconnectionUsedPassword(connection->conn))
		ereport(ERROR,
				(errcode(ERRCODE_S_R_E_PROHIBITED_SQL_STATEMENT_ATTEMPTED),
				 errmsg("password is required"),
				 errdetail("The store \"%s\" did not ask for one.",
						   server->name),
				 errhint("Its authentication method must be changed, or a superuser must set password_required 'false' in the user mapping.")));
}

static StoreDialect
detect_dialect(StoreConnection *connection)
{
	if (PQparameterStatus(connection->conn, "padb_version") != NULL ||
		PQserverVersion(connection->conn) == REDSHIFT_VERSION)
		return STORE_DIALECT_REDSHIFT;
	return STORE_DIALECT_POSTGRESQL;
}

/*
 * Texts of values are to mean the same on both sides.  Each statement is one
 * that the dialect has.
 */
static void
settle_texts(StoreConnection *connection)
{
	bool		modern = PQserverVersion(connection->conn) >= 90000;

	store_query(connection, "SET datestyle TO 'ISO, MDY'", 0, NULL);
	store_query(connection, "SET timezone TO 'UTC'", 0, NULL);
	store_query(connection, modern ? "SET extra_float_digits TO 3" :
				"SET extra_float_digits TO 2", 0, NULL);
	if (connection->dialect == STORE_DIALECT_REDSHIFT)
		return;
	store_query(connection, "SET intervalstyle TO postgres", 0, NULL);
	store_query(connection, "SET standard_conforming_strings TO on", 0, NULL);
	/* what is not qualified is the system's: operators and types */
	store_query(connection, "SET search_path TO pg_catalog", 0, NULL);
}

/*
 * libpq would ask the remote for what these say, which Redshift takes for a
 * reason to end the connection; no keyword keeps it from that.
 */
static void
clear_environment(void)
{
	unsetenv("PGOPTIONS");
	unsetenv("PGTZ");
	unsetenv("PGDATESTYLE");
	unsetenv("PGGEQO");
}

StoreConnection *
store_connect(MemoryContext cxt, const StoreServer *server)
{
	StoreConnection *connection = MemoryContextAllocZero(cxt,
														 sizeof(StoreConnection));

	connection->cxt = cxt;
	connection->server = MemoryContextStrdup(cxt, server->name);
	if (!AcquireExternalFD())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("could not connect to store \"%s\"", server->name),
				 errdetail("There are too many open files.")));
	clear_environment();
	connection->conn = PQconnectStartParams(server->keywords, server->values,
											false);
	if (connection->conn == NULL)
	{
		ReleaseExternalFD();
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	}
	connection->cleanup = cleanup_register(cxt, connection_destroy,
										   connection->conn);
	if (PQstatus(connection->conn) == CONNECTION_BAD)
		raise_connect(connection, PQerrorMessage(connection->conn));
	poll_connection(connection, clock_now_ms() + server->connect_timeout_ms);
	check_password_used(connection, server);
	PQsetnonblocking(connection->conn, 1);
	PQsetNoticeProcessor(connection->conn, ignore_notice, NULL);
	connection->dialect = server->dialect == STORE_DIALECT_DETECT ?
		detect_dialect(connection) : server->dialect;
	settle_texts(connection);
	return connection;
}

void
store_disconnect(StoreConnection *connection)
{
	cleanup_now(connection->cleanup);
	connection->conn = NULL;
}

StoreDialect
store_dialect(const StoreConnection *connection)
{
	return connection->dialect;
}

bool
store_is_usable(const StoreConnection *connection)
{
	if (connection->conn == NULL ||
		(connection->busy && connection->yield == NULL))
		return false;
	/* should the other side have gone, there is its last word, and the end */
	for (int i = 0; i < 2 && !connection->busy; i++)
		(void) PQconsumeInput(connection->conn);
	return PQstatus(connection->conn) == CONNECTION_OK;
}

/* ----------------------------------------------------------------
 * Statements
 * ---------------------------------------------------------------- */

/* What is in the way of another COPY or cursor, and can be ended, is. */
static void
make_way(StoreConnection *connection)
{
	StoreYield	yield = connection->yield;

	connection->yield = NULL;
	if (yield != NULL)
		yield(connection->yield_arg);
}

static void
send_query(StoreConnection *connection, const char *sql, int n_params,
		   const char *const *params)
{
	int			sent;

	if (connection->busy)
		make_way(connection);
	if (connection->busy)
		ereport(ERROR,
				(errcode(ERRCODE_CONNECTION_FAILURE),
				 errmsg("the connection to store \"%s\" was left in the middle of a statement",
						connection->server)));
	connection->busy = true;
	sent = n_params > 0 ?
		PQsendQueryParams(connection->conn, sql, n_params, NULL, params, NULL,
						  NULL, 0) :
		PQsendQuery(connection->conn, sql);
	if (!sent)
		raise_connection(connection, "lost the connection to");
}

/* Read to the end of the statement; the last result but an error's. */
static PGresult *
last_result(StoreConnection *connection)
{
	PGresult   *last = NULL;
	PGresult   *result;

	while ((result = next_result(connection)) != NULL)
	{
		keep_result(result);
		/* an error is not followed by another result that matters */
		if (last == NULL || PQresultStatus(last) != PGRES_FATAL_ERROR)
			last = result;
	}
	set_idle(connection);
	if (last == NULL)
		raise_connection(connection, "lost the connection to");
	return last;
}

static bool
has_succeeded(const PGresult *result)
{
	switch (PQresultStatus(result))
	{
		case PGRES_COMMAND_OK:
		case PGRES_TUPLES_OK:
		case PGRES_EMPTY_QUERY:
			return true;
		default:
			return false;
	}
}

static PGresult *
finish_query(StoreConnection *connection, const char *sql)
{
	PGresult   *result = last_result(connection);

	if (!has_succeeded(result))
		raise_result(connection, result, sql);
	return result;
}

PGresult *
store_query(StoreConnection *connection, const char *sql, int n_params,
			const char *const *params)
{
	send_query(connection, sql, n_params, params);
	return finish_query(connection, sql);
}

PGresult *
store_ask(StoreConnection *connection, const char *sql)
{
	PGresult   *result;

	send_query(connection, sql, 0, NULL);
	result = last_result(connection);
	return has_succeeded(result) ? result : NULL;
}

int64
store_load(StoreConnection *connection, const char *sql)
{
	send_query(connection, sql, 0, NULL);
	return store_affected(finish_query(connection, NULL));
}

int64
store_affected(PGresult *result)
{
	const char *rows = PQcmdTuples(result);

	return rows[0] == '\0' ? 0 : strtoll(rows, NULL, 10);
}

/* ----------------------------------------------------------------
 * Cursors
 * ---------------------------------------------------------------- */

int
store_cursor_open(StoreConnection *connection, const char *sql,
				  StoreYield yield, void *arg)
{
	int			cursor = ++connection->cursors;

	make_way(connection);
	store_query(connection, psprintf("DECLARE c%d CURSOR FOR %s", cursor, sql),
				0, NULL);
	/* elsewhere there can be any number of them */
	if (connection->dialect == STORE_DIALECT_REDSHIFT)
	{
		connection->yield = yield;
		connection->yield_arg = arg;
	}
	return cursor;
}

PGresult *
store_cursor_fetch(StoreConnection *connection, int cursor, int n_rows)
{
	PGresult   *result;

	result = store_query(connection, psprintf("FETCH FORWARD %d FROM c%d",
											  n_rows, cursor), 0, NULL);
	return PQntuples(result) > 0 ? result : NULL;
}

void
store_cursor_close(StoreConnection *connection, int cursor)
{
	if (!connection->copying)
		connection->yield = NULL;
	store_query(connection, psprintf("CLOSE c%d", cursor), 0, NULL);
}

/* ----------------------------------------------------------------
 * COPY FROM STDIN
 * ---------------------------------------------------------------- */

void
store_copy_begin(StoreConnection *connection, const char *sql,
				 StoreYield yield, void *arg)
{
	PGresult   *result;

	make_way(connection);
	send_query(connection, sql, 0, NULL);
	result = next_result(connection);
	if (result != NULL)
		keep_result(result);
	if (result != NULL && PQresultStatus(result) == PGRES_COPY_IN)
	{
		connection->copying = true;
		connection->yield = yield;
		connection->yield_arg = arg;
		return;
	}
	end_statement(connection);
	if (result == NULL)
		raise_connection(connection, "lost the connection to");
	raise_result(connection, result, sql);
}

/* The remote takes no more of a COPY: why it does not is its result. */
pg_noreturn static void
raise_copy(StoreConnection *connection)
{
	(void) finish_query(connection, NULL);
	raise_connection(connection, "lost the connection to");
}

void
store_copy_data(StoreConnection *connection, const char *data, size_t bytes)
{
	int			sent;

	/* should it have failed already, libpq is to know */
	if (!PQconsumeInput(connection->conn))
		raise_copy(connection);
	while ((sent = PQputCopyData(connection->conn, data, (int) bytes)) == 0)
		flush(connection);
	if (sent < 0)
		raise_copy(connection);
	flush(connection);
}

int64
store_copy_end(StoreConnection *connection)
{
	int			sent;

	while ((sent = PQputCopyEnd(connection->conn, NULL)) == 0)
		flush(connection);
	if (sent < 0)
		raise_copy(connection);
	return store_affected(finish_query(connection, NULL));
}

/* ----------------------------------------------------------------
 * Giving up, and committing
 * ---------------------------------------------------------------- */

/*
 * Ask the remote to end what is running.  libpq sends that over a connection
 * of its own, for which tcp_user_timeout holds, but not the latch.
 */
static void
request_cancel(StoreConnection *connection)
{
	PGcancel   *cancel = PQgetCancel(connection->conn);
	char		error[256];

	if (cancel == NULL)
		return;
	(void) PQcancel(cancel, error, sizeof(error));
	PQfreeCancel(cancel);
}

/* Read to the end of what runs, without throwing; false if it does not end. */
static bool
drain(StoreConnection *connection, int64 deadline_ms)
{
	PGconn	   *conn = connection->conn;
	bool		succeeded = true;

	for (;;)
	{
		PGresult   *result;

		int			unsent;

		while ((unsent = PQflush(conn)) > 0 || PQisBusy(conn))
		{
			if (!wait_socket(connection, WL_SOCKET_READABLE |
							 (unsent > 0 ? WL_SOCKET_WRITEABLE : 0),
							 deadline_ms, answer_event(), false) ||
				!PQconsumeInput(conn))
				return false;
		}
		result = PQgetResult(conn);
		if (result == NULL)
			break;
		if (PQresultStatus(result) == PGRES_COPY_IN)
			(void) PQputCopyEnd(conn, "canceled");
		else if (PQresultStatus(result) == PGRES_FATAL_ERROR)
			succeeded = false;
		PQclear(result);
	}
	set_idle(connection);
	return succeeded && PQstatus(conn) == CONNECTION_OK;
}

bool
store_cancel(StoreConnection *connection)
{
	PGconn	   *conn = connection->conn;

	/* whoever would make way is gone */
	connection->yield = NULL;
	if (conn == NULL || PQstatus(conn) != CONNECTION_OK)
		return false;
	if (!connection->busy)
		return true;
	HOLD_INTERRUPTS();
	request_cancel(connection);
	/* that what was canceled has failed is as it should be */
	(void) drain(connection, clock_now_ms() + CANCEL_TIMEOUT_MS);
	RESUME_INTERRUPTS();
	return store_is_usable(connection);
}

bool
store_execute_quietly(StoreConnection *connection, const char *sql)
{
	bool		succeeded;

	if (!store_cancel(connection))
		return false;
	HOLD_INTERRUPTS();
	connection->busy = true;
	succeeded = PQsendQuery(connection->conn, sql) &&
		drain(connection, clock_now_ms() + CANCEL_TIMEOUT_MS);
	RESUME_INTERRUPTS();
	return succeeded;
}

/*
 * The answer to COMMIT, NULL if the connection broke before it came.  A remote
 * that is told to end may have committed before it says so.
 */
static PGresult *
commit_answer(StoreConnection *connection)
{
	PGconn	   *conn = connection->conn;
	PGresult   *result;
	const char *severity;
	int			unsent;

	while ((unsent = PQflush(conn)) > 0 || PQisBusy(conn))
	{
		wait_socket(connection, WL_SOCKET_READABLE |
					(unsent > 0 ? WL_SOCKET_WRITEABLE : 0), -1,
					answer_event(), true);
		if (!PQconsumeInput(conn))
			return NULL;
	}
	result = PQgetResult(conn);
	if (result == NULL)
		return NULL;
	keep_result(result);
	if (PQresultStatus(result) == PGRES_COMMAND_OK)
		return result;
	severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
	if (severity == NULL)		/* before PostgreSQL 9.6 */
		severity = PQresultErrorField(result, PG_DIAG_SEVERITY);
	return severity != NULL && strcmp(severity, "ERROR") == 0 ? result : NULL;
}

/* Says of an interrupt what it has left behind. */
static void
commit_error_callback(void *arg)
{
	errcontext("waiting for store \"%s\" to commit; whether it did is not known",
			   ((StoreConnection *) arg)->server);
}

bool
store_commit(StoreConnection *connection)
{
	ErrorContextCallback callback = {
		.previous = error_context_stack,
		.callback = commit_error_callback,
		.arg = connection
	};
	PGresult   *result;

	/* a cursor ends with the transaction, and its reader has */
	if (!connection->busy)
		connection->yield = NULL;
	send_query(connection, "COMMIT", 0, NULL);
	error_context_stack = &callback;
	result = commit_answer(connection);
	error_context_stack = callback.previous;
	if (result == NULL)
		return false;
	/* whatever becomes of the connection now, this is known */
	(void) drain(connection, clock_now_ms() + CANCEL_TIMEOUT_MS);
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		raise_result(connection, result, "COMMIT");
	/* of a transaction that has failed, and nobody says that it is an error */
	if (strcmp(PQcmdStatus(result), "COMMIT") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_TRANSACTION_ROLLBACK),
				 errmsg("store \"%s\" rolled the transaction back",
						connection->server)));
	return true;
}

/* ----------------------------------------------------------------
 * Quoting
 * ---------------------------------------------------------------- */

/*
 * Redshift takes a backslash in a literal for an escape and knows no
 * standard_conforming_strings; elsewhere that is on.
 */
char *
store_quote_literal(StoreDialect dialect, const char *text)
{
	bool		escapes = dialect == STORE_DIALECT_REDSHIFT;
	char	   *literal = palloc(2 * strlen(text) + 3);
	char	   *out = literal;

	*out++ = '\'';
	for (; *text != '\0'; text++)
	{
		if (*text == '\'' || (escapes && *text == '\\'))
			*out++ = *text;
		*out++ = *text;
	}
	*out++ = '\'';
	*out = '\0';
	return literal;
}

/* Always quoted: the remote has other reserved words than we. */
char *
store_quote_identifier(const char *name)
{
	char	   *quoted = palloc(2 * strlen(name) + 3);
	char	   *out = quoted;

	*out++ = '"';
	for (; *name != '\0'; name++)
	{
		if (*name == '"')
			*out++ = '"';
		*out++ = *name;
	}
	*out++ = '"';
	*out = '\0';
	return quoted;
}
