/*
 * store_wire.c
 *	  Waiting for a store, its results and its errors.
 *
 * The connection is non-blocking throughout; store_wait_socket() is the only
 * place that waits.
 */
#include "postgres.h"

#include <ctype.h>

#include "base/clean_text.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/compat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "store/store_wire.h"

/* Bytes of a message of the remote that are shown; it may be of any length */
#define MESSAGE_BYTES 4096

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

char *
store_clean(const StoreConnection *connection, const char *message)
{
	const char *secrets[] = {PQpass(connection->conn), NULL};
	int			length = message != NULL ? strlen(message) : 0;

	while (length > 0 && isspace((unsigned char) message[length - 1]))
		length--;
	return clean_text(message, length, MESSAGE_BYTES, GetDatabaseEncoding(),
					  secrets);
}

/* A field of an error, cleaned; NULL if the error has no such field. */
static char *
error_field(const StoreConnection *connection, const PGresult *result,
			int field)
{
	const char *text = PQresultErrorField(result, field);

	return text != NULL ? store_clean(connection, text) : NULL;
}

void
store_raise_connection(StoreConnection *connection, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_CONNECTION_FAILURE),
			 errmsg("%s store \"%s\"", what, connection->server),
			 errdetail_internal("%s",
								store_clean(connection,
											PQerrorMessage(connection->conn)))));
}

/*
 * The SQLSTATE of an error; ERRCODE_CONNECTION_FAILURE if it is missing,
 * malformed, or means success.
 */
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
	char	   *message = error_field(connection, result,
									  PG_DIAG_MESSAGE_PRIMARY);
	char	   *detail = error_field(connection, result,
									 PG_DIAG_MESSAGE_DETAIL);
	char	   *hint = error_field(connection, result, PG_DIAG_MESSAGE_HINT);
	char	   *context = error_field(connection, result, PG_DIAG_CONTEXT);

	if (message == NULL)
		store_raise_connection(connection, "lost the connection to");
	ereport(ERROR,
			(errcode(sqlstate_of(result)),
			 errmsg_internal("%s", message),
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
 * libpq reports that a COPY has begun as often as it is asked, so the
 * statement would never end: the connection is of no further use.
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
