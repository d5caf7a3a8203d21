/*
 * store_connection.h
 *	  One connection to a store over libpq, never waiting without the latch: a
 *	  matter of this room, as no other knows libpq.
 *
 * Every function raises an error when the remote or the connection fails, with
 * the remote's SQLSTATE, message, detail and hint; SQLSTATE 08xxx is the
 * connection's.  Interrupts are served while waiting.
 */
#ifndef TRACKING_STORE_STORE_CONNECTION_H
#define TRACKING_STORE_STORE_CONNECTION_H

#include "postgres.h"

#include <libpq-fe.h>

#include "store/store_cursor.h"
#include "store/store_session.h"

/*
 * Connect, within the server's connect_timeout_ms; all of the connection lives
 * in cxt and ends with it.  Finds out what the remote is if the server does not
 * say.
 */
extern StoreConnection *store_connect(MemoryContext cxt,
									  const StoreServer *server);

/* Say goodbye and end it. */
extern void store_disconnect(StoreConnection *connection);

/*
 * False once it is broken, or was left in the middle of something that was
 * interrupted: then it is of no use but to be ended.
 */
extern bool store_is_usable(const StoreConnection *connection);

/*
 * Run one statement, whatever it returns; params are texts or NULL, none of them
 * with a simple query (params NULL, n_params 0), which may be COPY on Redshift.
 * The result lives in the current memory context; its values are valid texts of
 * the database.
 */
extern PGresult *store_query(StoreConnection *connection, const char *sql,
							 int n_params, const char *const *params);

/* The same, NULL if the statement fails. */
extern PGresult *store_ask(StoreConnection *connection, const char *sql);

/*
 * The same for a statement that holds the rows to be stored, of which no error
 * repeats a word; returns how many rows it stored.
 */
extern int64 store_load(StoreConnection *connection, const char *sql);

/* The rows that a statement affected, as it says. */
extern int64 store_affected(PGresult *result);

/*
 * A value of a result of that server, "" if it is null.  Raises an error if
 * there is no such row or column, or the value is no text in the server's
 * encoding: nothing is taken for granted of what a store answers.
 */
extern char *store_value(const char *server, const PGresult *result, int row,
						 int column);

/*
 * COPY ... FROM STDIN: begin, send (waits while the remote takes no more), end;
 * returns how many rows it stored.  No other statement can run before its end:
 * yield ends it.
 */
extern void store_copy_begin(StoreConnection *connection, const char *sql,
							 StoreYield yield, void *arg);
extern void store_copy_data(StoreConnection *connection, const char *data,
							size_t bytes);
extern int64 store_copy_end(StoreConnection *connection);

/*
 * Give up what is running, after an error or an interrupt, so that the
 * connection can be used again; waits a few seconds at most, and never throws.
 * False: it is not usable any more.
 */
extern bool store_cancel(StoreConnection *connection);

/*
 * Run a statement that returns nothing, ROLLBACK say, giving up what is
 * running; as store_cancel() otherwise.
 */
extern bool store_execute_quietly(StoreConnection *connection,
								  const char *sql);

/*
 * COMMIT: false if the connection broke after it was sent, so that nobody
 * here knows whether it was done.  Any other failure is raised; an interrupt
 * that ends the wait for the answer also leaves that unknown.
 */
extern bool store_commit(StoreConnection *connection);

#endif							/* TRACKING_STORE_STORE_CONNECTION_H */
