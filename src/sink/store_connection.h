/*
 * store_connection.h
 *	  One connection to a store over libpq, never waiting without the latch.
 *
 * Every function raises an error when the remote or the connection fails, with
 * the remote's SQLSTATE, message, detail and hint; SQLSTATE 08xxx is the
 * connection's.  Interrupts are served while waiting.
 */
#ifndef TRACKING_SINK_STORE_CONNECTION_H
#define TRACKING_SINK_STORE_CONNECTION_H

#include "postgres.h"

#include <libpq-fe.h>

#include "sink/store.h"

typedef struct StoreConnection StoreConnection;

/*
 * Connect, within the server's connect_timeout_ms; all of the connection lives
 * in cxt and ends with it.  Finds out what the remote is if the server does not
 * say.
 */
extern StoreConnection *store_connect(MemoryContext cxt,
									  const StoreServer *server);

/* Say goodbye and end it. */
extern void store_disconnect(StoreConnection *connection);

extern StoreDialect store_dialect(const StoreConnection *connection);

/*
 * False once it is broken, or was left in the middle of something that was
 * interrupted: then it is of no use but to be ended.
 */
extern bool store_is_usable(const StoreConnection *connection);

/*
 * Run one statement, whatever it returns; params are texts or NULL, none of them
 * with a simple query (params NULL, n_params 0), which may be COPY on Redshift.
 * The result lives in the current memory context.
 */
extern PGresult *store_query(StoreConnection *connection, const char *sql,
							 int n_params, const char *const *params);

/* The rows that a statement affected, as it says. */
extern int64 store_affected(PGresult *result);

/*
 * Begin a statement whose rows come one by one, so that any number takes little
 * memory: store_fetch() returns the next, NULL after the last.
 * Each lives until the next call.
 */
extern void store_query_rows(StoreConnection *connection, const char *sql,
							 int n_params, const char *const *params);
extern PGresult *store_fetch(StoreConnection *connection);

/* End such a statement before its last row. */
extern void store_fetch_stop(StoreConnection *connection);

/* COPY ... FROM STDIN: begin, send (waits while the remote takes no more), end. */
extern void store_copy_begin(StoreConnection *connection, const char *sql);
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
 * here knows whether it was done.  Any other failure is raised.
 */
extern bool store_commit(StoreConnection *connection);

/* A text as a literal of the store's dialect, and an identifier; palloc'd. */
extern char *store_quote_literal(const StoreConnection *connection,
								 const char *text);
extern char *store_quote_identifier(const char *name);

#endif							/* TRACKING_SINK_STORE_CONNECTION_H */
