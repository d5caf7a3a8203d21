/*
 * store_wire.h
 *	  The parts of a connection to a store: a matter of the files that use
 *	  libpq only.  All functions are in store_wire.c.
 */
#ifndef TRACKING_STORE_STORE_WIRE_H
#define TRACKING_STORE_STORE_WIRE_H

#include "postgres.h"

#include "base/cleanup.h"
#include "store/store_connection.h"

struct StoreConnection
{
	MemoryContext cxt;
	Cleanup    *cleanup;
	PGconn	   *conn;
	const char *server;			/* name */
	const StoreDialect *dialect;
	bool		busy;			/* a statement has begun and not ended */
	bool		copying;		/* the statement is COPY FROM STDIN */
	int			cursors;		/* opened so far; a cursor's number is its
								 * name */
	StoreYield	yield;			/* ends the open COPY or cursor, or NULL */
	void	   *yield_arg;
};

/* Note that the statement has ended, and with it a COPY. */
extern void store_set_idle(StoreConnection *connection);

/*
 * Raise an error: the connection has failed (what begins the message: "lost
 * the connection to"), or the statement has, as its result says (sql is quoted
 * unless it is NULL).
 */
pg_noreturn extern void store_raise_connection(StoreConnection *connection,
											   const char *what);
pg_noreturn extern void store_raise_result(StoreConnection *connection,
										   PGresult *result,
										   const char *sql);

/*
 * Wait until the socket is ready for one of events, at most until deadline_ms
 * (clock_now_ms(); -1: no limit).  False if the deadline has passed.  serve:
 * whether to serve interrupts.
 */
extern bool store_wait_socket(StoreConnection *connection, int events,
							  int64 deadline_ms, uint32 wait_event,
							  bool serve);

/* The wait event for waiting for an answer. */
extern uint32 store_answer_event(void);

/* End an open COPY or cursor that is in the way of another one. */
extern void store_make_way(StoreConnection *connection);

/*
 * Send a statement, with params as for store_query(), after ending an open
 * COPY.
 */
extern void store_send_query(StoreConnection *connection, const char *sql,
							 int n_params, const char *const *params);

/* Send what libpq has buffered, and read what arrives meanwhile. */
extern void store_flush(StoreConnection *connection);

/*
 * The next result of the statement, NULL if it has ended; the caller frees it.
 */
extern PGresult *store_next_result(StoreConnection *connection);

/* As store_next_result(), but raises an error if the result begins a COPY. */
extern PGresult *store_next_plain_result(StoreConnection *connection);

/* Does the result begin a COPY? */
extern bool store_is_copy(const PGresult *result);

/* Read and drop all further results of the statement. */
extern void store_end_statement(StoreConnection *connection);

/* Let the current context free a result when it ends. */
extern PGresult *store_keep_result(PGresult *result);

#endif							/* TRACKING_STORE_STORE_WIRE_H */
