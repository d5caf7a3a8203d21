/*
 * store_commit.c
 *	  Giving up what runs at a store, and committing there.
 */
#include "postgres.h"

#include "base/clock.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "store/store_wire.h"

/* Until a statement that was interrupted must have ended. */
#define CANCEL_TIMEOUT_MS 10000

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
		bool		endless;
		int			unsent;

		while ((unsent = PQflush(conn)) > 0 || PQisBusy(conn))
		{
			if (!store_wait_socket(connection, WL_SOCKET_READABLE |
								   (unsent > 0 ? WL_SOCKET_WRITEABLE : 0),
								   deadline_ms, store_answer_event(),
								   false) ||
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
		endless = store_is_copy(result) &&
			(PQresultStatus(result) != PGRES_COPY_IN ||
			 clock_now_ms() >= deadline_ms);
		PQclear(result);
		if (endless)
			return false;
	}
	store_set_idle(connection);
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
		store_wait_socket(connection, WL_SOCKET_READABLE |
					(unsent > 0 ? WL_SOCKET_WRITEABLE : 0), -1,
					store_answer_event(), true);
		if (!PQconsumeInput(conn))
			return NULL;
	}
	result = PQgetResult(conn);
	if (result == NULL)
		return NULL;
	store_keep_result(result);
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
	store_send_query(connection, "COMMIT", 0, NULL);
	error_context_stack = &callback;
	result = commit_answer(connection);
	error_context_stack = callback.previous;
	if (result == NULL)
		return false;
	/* whatever becomes of the connection now, this is known */
	(void) drain(connection, clock_now_ms() + CANCEL_TIMEOUT_MS);
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		store_raise_result(connection, result, "COMMIT");
	/* of a transaction that has failed, and nobody says that it is an error */
	if (strcmp(PQcmdStatus(result), "COMMIT") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_TRANSACTION_ROLLBACK),
				 errmsg("store \"%s\" rolled the transaction back",
						connection->server)));
	return true;
}
