/*
 * store_session.h
 *	  The session's connections to stores, with one remote transaction for each
 *	  local one.
 *
 * A connection is kept for a user mapping until the session ends, or the
 * mapping or its server is altered.  The remote transaction begins when the
 * connection is first used in a local transaction, and ends as that one does:
 * it is committed just before the local one is, so that only a crash between
 * the two makes them differ.  A pipeline closes that gap itself: see
 * store_session_hold().
 *
 * A remote transaction has one snapshot, taken when it begins: its scans see
 * one state of the store, and its own writes.  If it is held and does not
 * scan, it is READ COMMITTED.
 *
 * A subtransaction is a savepoint at the remote.  If the store's dialect has
 * no savepoints, a subtransaction that used the store and failed has spoilt
 * the remote transaction: the next use of it raises an error.
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
	char		query_id[32];	/* the remote's id of the last COPY; "" if
								 * none */
} StoreLoadStats;

/* in store_session.c, unless another file is named */

/*
 * The connection for a server's mapping, after the remote transaction and its
 * savepoints have begun for the current local (sub)transaction.
 */
extern StoreConnection *store_session_use(const StoreServer *server);

/*
 * A statement of this transaction is going to scan tables of the store: the
 * remote transaction is to have one snapshot even if it is held.  To be called
 * before the transaction's first use.
 */
extern void store_session_scans(const StoreServer *server);

/*
 * Let the remote transaction of this mapping outlive local commits, until it
 * is committed or rolled back by the functions below.  An error that aborts
 * the local transaction rolls it back nevertheless.
 */
extern void store_session_hold(const StoreServer *server);

/*
 * Commit a held transaction, in or between local ones; returns as
 * store_commit() does.  If the outcome is not known, the connection is closed.
 */
extern bool store_session_commit(const StoreServer *server);
extern void store_session_rollback(const StoreServer *server);

/*
 * Roll back; a new transaction begins at the next use, held if this one was.
 */
extern void store_session_restart(const StoreServer *server);

typedef enum StoreOutcome
{
	STORE_OUTCOME_COMMITTED,
	STORE_OUTCOME_ROLLED_BACK,
	STORE_OUTCOME_UNKNOWN
} StoreOutcome;

/*
 * Have callback called once, after the end of the current remote transaction
 * and, unless it is held, of the local one, so that nothing comes between
 * their commits.  The call comes amid a local commit or abort, or outside of
 * any transaction: callback must not throw.
 */
typedef void (*StoreAtEnd) (void *arg, StoreOutcome outcome);
extern void store_session_at_end(const StoreServer *server,
								 StoreAtEnd callback, void *arg);

/*
 * A statement failed, and with it the remote transaction: roll back, so that
 * the store can be asked for the reason.  Nothing else can be done there until
 * the local (sub)transaction has ended.  NULL if the connection is lost.
 */
extern StoreConnection *store_session_fail(const StoreServer *server);

/*
 * The statistics that load methods fill; zeroed when a remote transaction
 * begins.
 */
extern StoreLoadStats *store_session_stats(const StoreServer *server);

/* Can a failed subtransaction be rolled back there?  Connects if need be. */
extern bool store_session_has_savepoints(const StoreServer *server);

/*
 * Make a message of libpq or the remote, or NULL, fit to be shown; each of
 * them passes here.  palloc'd; in store_wire.c.
 */
extern char *store_clean(const StoreConnection *connection,
						 const char *message);

#endif							/* TRACKING_STORE_STORE_SESSION_H */
