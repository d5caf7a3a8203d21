/*
 * store_session.h
 *	  The session's connections to stores, and one remote transaction a local
 *	  one.
 *
 * A connection is kept for a user mapping until the session ends or the
 * mapping, or its server, is altered.  The remote transaction begins with its
 * first use in a local one, and ends as that one ends: it is committed just
 * before the local one is, so that what remains at risk is a crash between the
 * two.  A pipeline closes that gap itself: see store_session_hold().
 *
 * A transaction there has one snapshot, with which it begins: its scans see
 * one state of the store, and what it has written itself.  One that is held,
 * and does not scan, is READ COMMITTED.
 *
 * A subtransaction is a savepoint of the remote.  Where the store's dialect
 * has no savepoints, a subtransaction that used the store and failed has
 * spoilt the remote transaction, which the next use of it says.
 */
#ifndef TRACKING_STORE_STORE_SESSION_H
#define TRACKING_STORE_STORE_SESSION_H

#include "postgres.h"

#include "store/store.h"

/* What was loaded in a remote transaction, for the ledger. */
typedef struct StoreLoadStats
{
	int64		rows;
	int64		files;			/* staged; 0 unless copy_s3 */
	int64		bytes;			/* sent, or staged (compressed) */
	char		query_id[32];	/* the remote's, of the last COPY; "" if none */
} StoreLoadStats;

/*
 * The connection for a server's mapping, with a remote transaction begun for
 * the current local (sub)transaction.
 */
extern StoreConnection *store_session_use(const StoreServer *server);

/*
 * A statement of this transaction is going to scan tables of the store: should
 * it be held, it is to have a snapshot nevertheless.  To be said before its
 * first use.
 */
extern void store_session_scans(const StoreServer *server);

/*
 * The remote transaction of this mapping is to outlive local commits: until
 * it is committed or rolled back by the functions below.  An error that ends
 * the local transaction rolls it back all the same.
 */
extern void store_session_hold(const StoreServer *server);

/*
 * Commit a held transaction, in or between local ones: returns as
 * store_commit().  When the outcome is not known the connection is ended.
 */
extern bool store_session_commit(const StoreServer *server);
extern void store_session_rollback(const StoreServer *server);

/* Roll it back and begin anew at the next use, held if it was held. */
extern void store_session_restart(const StoreServer *server);

typedef enum StoreOutcome
{
	STORE_OUTCOME_COMMITTED,
	STORE_OUTCOME_ROLLED_BACK,
	STORE_OUTCOME_UNKNOWN
} StoreOutcome;

/*
 * Call back, once, when the current remote transaction has ended and, unless
 * it was held, the local one: nothing comes between their commits.  That is in
 * the middle of a local commit or abort, or in no transaction: callback must
 * not throw.
 */
typedef void (*StoreAtEnd) (void *arg, StoreOutcome outcome);
extern void store_session_at_end(const StoreServer *server,
								 StoreAtEnd callback, void *arg);

/*
 * A statement has failed, and with it the remote transaction: roll it back, so
 * that the store can be asked why.  Nothing else can be done there until the
 * local (sub)transaction has ended.  NULL if the connection is lost.
 */
extern StoreConnection *store_session_fail(const StoreServer *server);

/* For the load methods to fill; zeroed when a remote transaction begins. */
extern StoreLoadStats *store_session_stats(const StoreServer *server);

/* Can a subtransaction that failed be undone there?  Connects if need be. */
extern bool store_session_has_savepoints(const StoreServer *server);

/*
 * What libpq or the remote says in words, or NULL, fit to be shown: all of it
 * passes here.  palloc'd; in store_wire.c.
 */
extern char *store_clean(const StoreConnection *connection,
						 const char *message);

#endif							/* TRACKING_STORE_STORE_SESSION_H */
