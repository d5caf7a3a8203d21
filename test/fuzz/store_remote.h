/*
 * store_remote.h
 *	  The other end of a connection to a store.
 *
 * An input's first line is letters: what is done with the store.  The other
 * lines are messages of PostgreSQL's protocol: the type, and fields between
 * tabs.  The store answers with those up to one that ends a statement, or
 * begins a COPY, or a line that begins with a dot.  '!' as the first letter
 * leaves out what it says until a connection is settled; 'R' makes it one of
 * Redshift.
 */
#ifndef TRACKING_TEST_FUZZ_STORE_REMOTE_H
#define TRACKING_TEST_FUZZ_STORE_REMOTE_H

#include "server.h"
#include "store/store_connection.h"

/* The connection, which store_session.c would keep; NULL if there is none. */
extern StoreConnection *store_remote;

/*
 * Connect to the store of an input, of which the first line is cut off; false
 * if there is nothing to be done with it.  server gets what it lacks.
 */
extern bool store_remote_open(StoreServer *server, Input *rest,
							  Input *letters);

/*
 * Does body succeed?  An error is one that a user can understand, of any state
 * but success, whatever the store has said.
 */
extern bool store_remote_try(ServerBody body, void *arg);

#endif							/* TRACKING_TEST_FUZZ_STORE_REMOTE_H */
