/*
 * store_wire.h
 *	  What a connection to a store is made of: a matter of its files only.
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
	bool		busy;			/* a statement was begun and not ended */
	bool		copying;		/* it is COPY FROM STDIN */
	int			cursors;		/* opened so far: their names */
	StoreYield	yield;			/* how what is open makes way, or NULL */
	void	   *yield_arg;
};

/* The statement has ended, and with it a COPY. */
extern void store_set_idle(StoreConnection *connection);

/*
 * Raise an error: the connection is of no use (what: "lost the connection to"),
 * or the remote says that the statement, sql or NULL, has failed.
 */
pg_noreturn extern void store_raise_connection(StoreConnection *connection,
											   const char *what);
pg_noreturn extern void store_raise_result(StoreConnection *connection,
										   PGresult *result,
										   const char *sql);

/*
 * Wait until the socket is ready for one of events, at most to deadline_ms
 * (clock_now_ms(); -1: no limit).  False after that.  serve: interrupts.
 */
extern bool store_wait_socket(StoreConnection *connection, int events,
							  int64 deadline_ms, uint32 wait_event,
							  bool serve);

/* The wait event of waiting for an answer. */
extern uint32 store_answer_event(void);

/* What is in the way of another COPY or cursor, and can be ended, is. */
extern void store_make_way(StoreConnection *connection);

/*
 * Begin a statement, params as for store_query(); what is open and can make
 * way for it, does.
 */
extern void store_send_query(StoreConnection *connection, const char *sql,
							 int n_params, const char *const *params);

/* Send what libpq has to send, reading what comes meanwhile. */
extern void store_flush(StoreConnection *connection);

/* The next result of the statement, NULL when it has ended; not yet tied. */
extern PGresult *store_next_result(StoreConnection *connection);

/* The same where a COPY has no place: raises an error if it is one. */
extern PGresult *store_next_plain_result(StoreConnection *connection);

/* Has a COPY begun? */
extern bool store_is_copy(const PGresult *result);

/* Read over what else the statement returns. */
extern void store_end_statement(StoreConnection *connection);

/* Tie a result to the current context. */
extern PGresult *store_keep_result(PGresult *result);

#endif							/* TRACKING_STORE_STORE_WIRE_H */
