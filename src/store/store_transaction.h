/*
 * store_transaction.h
 *	  A store's transaction that follows the local one: a matter of the
 *	  session's files only.
 */
#ifndef TRACKING_STORE_STORE_TRANSACTION_H
#define TRACKING_STORE_STORE_TRANSACTION_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "store/store_session.h"
#include "utils/hsearch.h"

typedef struct StoreSession
{
	Oid			mapping;		/* the key */
	uint32		mapping_hash;	/* in the system cache */
	uint32		server_hash;
	MemoryContext cxt;			/* of the connection; NULL if there is none */
	StoreConnection *connection;
	int			depth;			/* of transactions begun there; 0: none */
	bool		held;			/* it outlives local transactions */
	bool		scans;			/* it is to have one snapshot */
	bool		catching_up;	/* a savepoint waits for loads */
	bool		spoilt;			/* by a subtransaction that failed */
	StoreLoadStats stats;		/* of the transaction */
	bool		committing;		/* COMMIT was sent */
	StoreOutcome outcome;		/* of the last transaction */
	List	   *at_end;			/* AtEnd *, in TopMemoryContext */
	bool		altered;		/* the options are no longer those it has */
	bool		with_password;	/* the remote has asked for one */
} StoreSession;

/* End the transactions of these sessions as the local ones end. */
extern void store_transaction_follow(HTAB *sessions);

/* End the connection, if there is one. */
extern void store_transaction_disconnect(StoreSession *session);

/* Raise an error if the transaction cannot go on. */
extern void store_transaction_check(const StoreSession *session);

extern bool store_transaction_has_savepoints(const StoreSession *session);

/* A savepoint for each subtransaction that has none. */
extern void store_transaction_push(StoreSession *session);

/* False: the outcome is not known. */
extern bool store_transaction_commit(StoreSession *session);
extern void store_transaction_rollback(StoreSession *session);

/* Note who wants to know how the transaction has ended, and tell them. */
extern void store_transaction_at_end(StoreSession *session,
									 StoreAtEnd callback, void *arg);
extern void store_transaction_call_back(StoreSession *session);

#endif							/* TRACKING_STORE_STORE_TRANSACTION_H */
