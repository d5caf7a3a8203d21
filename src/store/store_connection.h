/*
 * store_connection.h
 *	  A connection to a store over libpq, which never waits without the latch:
 *	  a matter of this room only, as no other knows libpq.
 *
 * Every function raises an error when the remote or the connection fails, with
 * the remote's SQLSTATE, message, detail and hint; SQLSTATE 08xxx means that
 * the connection has failed.  Interrupts are served while waiting.
 */
#ifndef TRACKING_STORE_STORE_CONNECTION_H
#define TRACKING_STORE_STORE_CONNECTION_H

#include "postgres.h"

#include <libpq-fe.h>

#include "store/store_cursor.h"
#include "store/store_session.h"

/* in store_connection.c */

/*
 * Connect, within the server's connect_timeout_ms.  The whole connection lives
 * in cxt and ends with it.  If the server does not name its dialect, the
 * remote is asked.
 */
extern StoreConnection *store_connect(MemoryContext cxt,
									  const StoreServer *server);

/* Close the connection. */
extern void store_disconnect(StoreConnection *connection);

/*
 * Is the connection neither broken nor in the middle of a statement that was
 * interrupted?  Otherwise it can only be canceled or closed.
 */
extern bool store_is_usable(const StoreConnection *connection);

/* in store_statement.c */

/*
 * Run one statement of any kind.  params are texts or NULL.  Without any
 * (params NULL, n_params 0) it is a simple query, which may be a COPY of
 * Redshift.  The result lives in the current memory context; its values are
 * valid texts in the database's encoding.
 */
extern PGresult *store_query(StoreConnection *connection, const char *sql,
							 int n_params, const char *const *params);

/* As store_query() without params, but NULL if the statement fails. */
extern PGresult *store_ask(StoreConnection *connection, const char *sql);

/*
 * Run a statement that holds the rows to be stored, and that no error quotes;
 * returns how many rows it stored.
 */
extern int64 store_load(StoreConnection *connection, const char *sql);

/* The number of rows that a statement affected, as the remote says. */
extern int64 store_affected(PGresult *result);

/*
 * A value of a result, "" if it is null; server is the store's name.  Raises
 * an error if there is no such row or column, or the value is not a valid text
 * in the database's encoding: nothing that a store answers is taken for
 * granted.
 */
extern char *store_value(const char *server, const PGresult *result, int row,
						 int column);

/*
 * COPY ...  FROM STDIN: begin it, send rows (waits while the remote takes no
 * more), and end it, which returns how many rows it stored.  No other
 * statement can run before its end: if one is to, yield is called to end the
 * COPY.
 */
extern void store_copy_begin(StoreConnection *connection, const char *sql,
							 StoreYield yield, void *arg);
extern void store_copy_data(StoreConnection *connection, const char *data,
							size_t bytes);
extern int64 store_copy_end(StoreConnection *connection);

/* in store_commit.c */

/*
 * Cancel the running statement, after an error or an interrupt, so that the
 * connection can be used again.  Waits a few seconds at most, and never
 * throws.  False if the connection is not usable any more.
 */
extern bool store_cancel(StoreConnection *connection);

/*
 * Cancel the running statement, and run one that returns no rows, as ROLLBACK.
 * Waits and never throws like store_cancel(); false if it fails.
 */
extern bool store_execute_quietly(StoreConnection *connection,
								  const char *sql);

/*
 * Commit; false if the connection broke after COMMIT was sent, so that its
 * outcome is not known here.  Any other failure is raised.  The outcome is not
 * known either if an interrupt ends the wait for the answer.
 */
extern bool store_commit(StoreConnection *connection);

#endif							/* TRACKING_STORE_STORE_CONNECTION_H */
