/*
 * store_wire.c
 *	  Waiting for a store, its results and its errors.
 *
 * The connection is non-blocking throughout; store_wait_socket() is the only
 * place that waits.
 */
#include "postgres.h"

#include <ctype.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/compat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "sink/store_wire.h"
#include "storage/latch.h"

/* A message is for reading: the remote can make it as long as it likes */
#define MESSAGE_BYTES 8192

static uint32 answer_wait_event = 0;

void
store_set_idle(StoreConnection *connection)
{
	connection->busy = false;
	if (connection->copying)
		connection->yield = NULL;
	connection->copying = false;
}

/* ----------------------------------------------------------------
 * Errors
 * ---------------------------------------------------------------- */

/* Bytes that are no text of the server's encoding are not passed on. */
static char *
foreign_text(const char *message)
{
	size_t		bytes = strlen(message);
	char	   *text;

	if (bytes > MESSAGE_BYTES)
		bytes = pg_mbcliplen(message, bytes, MESSAGE_BYTES);
	text = pnstrdup(message, bytes);
	if (!pg_verify_mbstr(GetDatabaseEncoding(), text, bytes, true))
	{
		for (char *p = text; *p != '\0'; p++)
		{
			if ((unsigned char) *p >= 0x80)
				*p = '?';
		}
	}
	return text;
}

char *
store_one_line(const char *message)
{
	char	   *line = foreign_text(message == NULL ? "" : message);
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

void
store_raise_connection(StoreConnection *connection, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_CONNECTION_FAILURE),
			 errmsg("%s store \"%s\"", what, connection->server),
			 errdetail_internal("%s",
								store_one_line(PQerrorMessage(connection->conn)))));
}

/* Nothing that means success, or nothing at all. */
static int
sqlstate_of(const PGresult *result)
{
	const char *text = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	return text != NULL && strlen(text) == 5 &&
		strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5 &&
		strncmp(text, "00", 2) != 0 ?
		MAKE_SQLSTATE(text[0], text[1], text[2], text[3], text[4]) :
		ERRCODE_CONNECTION_FAILURE;
}

void
store_raise_result(StoreConnection *connection, PGresult *result,
				   const char *sql)
{
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
	const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
	const char *context = PQresultErrorField(result, PG_DIAG_CONTEXT);

	if (message == NULL)
		store_raise_connection(connection, "lost the connection to");
	ereport(ERROR,
			(errcode(sqlstate_of(result)),
			 errmsg_internal("%s", store_one_line(message)),
			 detail != NULL ?
			 errdetail_internal("%s", foreign_text(detail)) : 0,
			 hint != NULL ? errhint("%s", foreign_text(hint)) : 0,
			 context != NULL ? errcontext("%s", foreign_text(context)) : 0,
			 sql != NULL ? errcontext("remote SQL command on \"%s\": %.*s",
									  connection->server,
									  pg_mbcliplen(sql, strlen(sql), 500),
									  sql) : 0));
}

/* ----------------------------------------------------------------
 * Waiting
 * ---------------------------------------------------------------- */

bool
store_wait_socket(StoreConnection *connection, int events,
				  int64 deadline_ms, uint32 wait_event, bool serve)
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

uint32
store_answer_event(void)
{
	return compat_wait_event(&answer_wait_event, "TrackingFdwStore");
}

void
store_flush(StoreConnection *connection)
{
	int			left;

	while ((left = PQflush(connection->conn)) > 0)
	{
		store_wait_socket(connection, WL_SOCKET_READABLE | WL_SOCKET_WRITEABLE, -1,
					store_answer_event(), true);
		if (!PQconsumeInput(connection->conn))
			store_raise_connection(connection, "lost the connection to");
	}
	if (left < 0)
		store_raise_connection(connection, "lost the connection to");
}

PGresult *
store_next_result(StoreConnection *connection)
{
	store_flush(connection);
	while (PQisBusy(connection->conn))
	{
		store_wait_socket(connection, WL_SOCKET_READABLE, -1, store_answer_event(), true);
		if (!PQconsumeInput(connection->conn))
			store_raise_connection(connection, "lost the connection to");
	}
	return PQgetResult(connection->conn);
}

bool
store_is_copy(const PGresult *result)
{
	switch (PQresultStatus(result))
	{
		case PGRES_COPY_IN:
		case PGRES_COPY_OUT:
		case PGRES_COPY_BOTH:
			return true;
		default:
			return false;
	}
}

/*
 * libpq says of a COPY that it has begun as often as it is asked, and there is
 * no end to the statement: nor is the connection of any use.
 */
PGresult *
store_next_plain_result(StoreConnection *connection)
{
	PGresult   *result = store_next_result(connection);

	if (result == NULL || !store_is_copy(result))
		return result;
	PQclear(result);
	ereport(ERROR,
			(errcode(ERRCODE_PROTOCOL_VIOLATION),
			 errmsg("store \"%s\" has begun a COPY that it was not asked for",
					connection->server)));
}

void
store_end_statement(StoreConnection *connection)
{
	PGresult   *result;

	while ((result = store_next_plain_result(connection)) != NULL)
		PQclear(result);
	store_set_idle(connection);
}

static void
clear_result(void *handle)
{
	PQclear(handle);
}

PGresult *
store_keep_result(PGresult *result)
{
	cleanup_register(CurrentMemoryContext, clear_result, result);
	return result;
}

void
store_make_way(StoreConnection *connection)
{
	StoreYield	yield = connection->yield;

	connection->yield = NULL;
	if (yield != NULL)
		yield(connection->yield_arg);
}

void
store_send_query(StoreConnection *connection, const char *sql, int n_params,
				 const char *const *params)
{
	int			sent;

	if (connection->busy)
		store_make_way(connection);
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
		store_raise_connection(connection, "lost the connection to");
}
