/*
 * store_commit.c
 *	  Canceling statements at a store, and committing there.
 */
#include "postgres.h"

#include "base/clock.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "store/store_wire.h"

/* Time within which a canceled statement must have ended */
#define CANCEL_TIMEOUT_MS 10000

/*
 * Ask the remote to cancel the running statement.  libpq does so over a
 * connection of its own and blocks meanwhile: tcp_user_timeout bounds that,
 * the latch does not end it.
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

/*
 * Read all results of the running statement, without throwing.  False if it
 * failed, or did not end by the deadline.
 */
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

	/* the owner of an open COPY or cursor, which yield calls, may be gone */
	connection->yield = NULL;
	if (conn == NULL || PQstatus(conn) != CONNECTION_OK)
		return false;
	if (!connection->busy)
		return true;
	HOLD_INTERRUPTS();
	request_cancel(connection);
	/* the canceled statement is supposed to fail */
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
 * The answer to COMMIT, or NULL if the connection broke before it came.  An
 * error more severe than ERROR, as of a remote that is shut down, counts as no
 * answer: the remote may have committed before.
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

/* Adds to the error of an interrupt that the outcome is not known. */
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

	/* the transaction ends its cursors, whose readers have ended */
	if (!connection->busy)
		connection->yield = NULL;
	store_send_query(connection, "COMMIT", 0, NULL);
	error_context_stack = &callback;
	result = commit_answer(connection);
	error_context_stack = callback.previous;
	if (result == NULL)
		return false;
	/* the outcome is known, whatever becomes of the connection now */
	(void) drain(connection, clock_now_ms() + CANCEL_TIMEOUT_MS);
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		store_raise_result(connection, result, "COMMIT");
	/* COMMIT of a failed transaction succeeds, but rolls back */
	if (strcmp(PQcmdStatus(result), "COMMIT") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_TRANSACTION_ROLLBACK),
				 errmsg("store \"%s\" rolled the transaction back",
						connection->server)));
	return true;
}
