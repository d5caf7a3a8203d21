/*
 * store_transaction.h
 *	  The remote transaction of a session, which follows the local one: a
 *	  matter of the session's files only.
 */
#ifndef TRACKING_STORE_STORE_TRANSACTION_H
#define TRACKING_STORE_STORE_TRANSACTION_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "store/store_session.h"
#include "utils/hsearch.h"

typedef struct StoreSession
{
	Oid			mapping;		/* the hash key */
	uint32		mapping_hash;	/* hash values in the system cache */
	uint32		server_hash;
	MemoryContext cxt;			/* of the connection; NULL if there is none */
	StoreConnection *connection;
	int			depth;			/* local nesting level up to which the remote
								 * has begun; 0: not at all */
	bool		held;			/* the remote transaction outlives local ones */
	bool		scans;			/* the remote transaction has one snapshot */
	bool		catching_up;	/* loads send rows before a savepoint */
	bool		spoilt;			/* by a subtransaction that failed: the remote
								 * transaction cannot go on */
	StoreLoadStats stats;		/* of the remote transaction */
	bool		committing;		/* COMMIT was sent */
	StoreOutcome outcome;		/* of the last remote transaction */
	List	   *at_end;			/* AtEnd *, in TopMemoryContext */
	bool		altered;		/* options have changed since it connected */
	bool		with_password;	/* it was made for a role that needs a
								 * password */
} StoreSession;

/*
 * Register callbacks that end the sessions' transactions as the local ones
 * end.
 */
extern void store_transaction_follow(HTAB *sessions);

/* Close the connection, if there is one. */
extern void store_transaction_disconnect(StoreSession *session);

/* Raise an error if the transaction cannot go on. */
extern void store_transaction_check(const StoreSession *session);

extern bool store_transaction_has_savepoints(const StoreSession *session);

/* Begin a savepoint for each local subtransaction that has none. */
extern void store_transaction_push(StoreSession *session);

/*
 * End the remote transaction.  False: the outcome of the commit is not known.
 */
extern bool store_transaction_commit(StoreSession *session);
extern void store_transaction_rollback(StoreSession *session);

/* Have callback called when the transaction has ended; call all callbacks. */
extern void store_transaction_at_end(StoreSession *session,
									 StoreAtEnd callback, void *arg);
extern void store_transaction_call_back(StoreSession *session);

#endif							/* TRACKING_STORE_STORE_TRANSACTION_H */
