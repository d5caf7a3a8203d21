/*
 * store_transaction.c
 *	  The remote transaction of a session, which follows the local one.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/compat.h"
#include "store/dialect.h"
#include "store/store_connection.h"
#include "store/store_transaction.h"
#include "store/store_use.h"
#include "utils/memutils.h"

typedef struct AtEnd
{
	StoreAtEnd	callback;
	void	   *arg;
} AtEnd;

void
store_transaction_disconnect(StoreSession *session)
{
	if (session->cxt != NULL)
		MemoryContextDelete(session->cxt);
	session->cxt = NULL;
	session->connection = NULL;
	session->depth = 0;
	session->held = false;
	session->scans = false;
	session->catching_up = false;
	session->spoilt = false;
	session->altered = false;
}

bool
store_transaction_has_savepoints(const StoreSession *session)
{
	return store_dialect(session->connection)->has_savepoints;
}

void
store_transaction_at_end(StoreSession *session, StoreAtEnd callback,
						 void *arg)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	AtEnd	   *end = palloc(sizeof(AtEnd));

	Assert(session->depth > 0);
	end->callback = callback;
	end->arg = arg;
	session->at_end = lappend(session->at_end, end);
	MemoryContextSwitchTo(old);
}

void
store_transaction_call_back(StoreSession *session)
{
	List	   *at_end = session->at_end;
	ListCell   *cell;

	session->at_end = NIL;
	foreach(cell, at_end)
	{
		AtEnd	   *end = lfirst(cell);

		end->callback(end->arg, session->outcome);
	}
	list_free_deep(at_end);
}

/* Note that the remote transaction has ended. */
static void
ended(StoreSession *session, bool usable, StoreOutcome outcome)
{
	session->outcome = outcome;
	session->committing = false;
	session->depth = 0;
	session->held = false;
	session->scans = false;
	session->catching_up = false;
	session->spoilt = false;
	if (!usable || session->altered)
		store_transaction_disconnect(session);
}

pg_noreturn static void
raise_spoilt(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_IN_FAILED_SQL_TRANSACTION),
			 errmsg("the transaction in the store cannot go on"),
			 errdetail("A subtransaction that used the store has failed, and the store has no savepoint to go back to."),
			 errhint("Catch such errors outside of the transaction, not in a block with an EXCEPTION clause or after a SAVEPOINT.")));
}

pg_noreturn static void
raise_unknown(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_TRANSACTION_RESOLUTION_UNKNOWN),
			 errmsg("lost the connection to the store while it committed"),
			 errdetail("Whether the rows were stored is not known."),
			 errhint("Look into the store before you try again. A pipeline does that by itself.")));
}

void
store_transaction_check(const StoreSession *session)
{
	if (session->spoilt)
		raise_spoilt();
	if (!store_is_usable(session->connection))
		ereport(ERROR,
				(errcode(ERRCODE_CONNECTION_FAILURE),
				 errmsg("lost the connection to the store within a transaction"),
				 errdetail("The store rolls back what the transaction did there.")));
}

bool
store_transaction_commit(StoreSession *session)
{
	bool		known;

	store_transaction_check(session);
	session->committing = true;
	known = store_commit(session->connection);
	ended(session, known, known ? STORE_OUTCOME_COMMITTED :
		  STORE_OUTCOME_UNKNOWN);
	return known;
}

void
store_transaction_rollback(StoreSession *session)
{
	/*
	 * after a refused COMMIT the connection is usable, after an interrupt not
	 */
	StoreOutcome outcome =
		session->committing && !store_is_usable(session->connection) ?
		STORE_OUTCOME_UNKNOWN : STORE_OUTCOME_ROLLED_BACK;

	ended(session, store_execute_quietly(session->connection, "ROLLBACK"),
		  outcome);
}

/*
 * Begin savepoints.  Before one begins, loads that began outside of it send
 * the rows that they hold, as a rollback to the savepoint must not undo these.
 */
void
store_transaction_push(StoreSession *session)
{
	while (session->depth < GetCurrentTransactionNestLevel())
	{
		char		sql[40];

		if (store_transaction_has_savepoints(session))
		{
			session->catching_up = true;
			store_use_outer_loads_first(session->mapping, session->depth);
			session->catching_up = false;
			snprintf(sql, sizeof(sql), "SAVEPOINT s%d", session->depth + 1);
			store_query(session->connection, sql, 0, NULL);
		}
		session->depth++;
	}
}

static void
on_transaction(XactEvent event, void *arg)
{
	HASH_SEQ_STATUS scan;
	StoreSession *session;

	hash_seq_init(&scan, arg);
	while ((session = hash_seq_search(&scan)) != NULL)
	{
		if (session->depth == 0)
		{
			/* no remote transaction was begun that could be held */
			if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT)
			{
				session->held = false;
				session->scans = false;
				store_transaction_call_back(session);
			}
			if (session->altered)
				store_transaction_disconnect(session);
			continue;
		}
		switch (event)
		{
			case XACT_EVENT_PRE_COMMIT:
			case XACT_EVENT_PARALLEL_PRE_COMMIT:
				if (!session->held && !store_transaction_commit(session))
					raise_unknown();
				break;
			case XACT_EVENT_PRE_PREPARE:
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("cannot PREPARE a transaction that has written to a store")));
				break;
			case XACT_EVENT_ABORT:
			case XACT_EVENT_PARALLEL_ABORT:
				store_transaction_rollback(session);
				store_transaction_call_back(session);
				break;
			default:
				break;
		}
	}
}

static void
on_subtransaction(SubXactEvent event, SubTransactionId id,
				  SubTransactionId parent, void *arg)
{
	int			level = GetCurrentTransactionNestLevel();
	HASH_SEQ_STATUS scan;
	StoreSession *session;

	(void) id;
	(void) parent;
	if (event != SUBXACT_EVENT_PRE_COMMIT_SUB &&
		event != SUBXACT_EVENT_ABORT_SUB)
		return;
	hash_seq_init(&scan, arg);
	while ((session = hash_seq_search(&scan)) != NULL)
	{
		char		sql[80];

		/*
		 * some of the rows whose load failed come from outside of the
		 * savepoint
		 */
		session->spoilt |= session->catching_up;
		session->catching_up = false;
		if (session->depth < level)
			continue;
		if (event == SUBXACT_EVENT_ABORT_SUB)
		{
			session->depth = level - 1;
			snprintf(sql, sizeof(sql),
					 "ROLLBACK TO SAVEPOINT s%d; RELEASE SAVEPOINT s%d",
					 level, level);
			if (!store_transaction_has_savepoints(session))
			{
				(void) store_cancel(session->connection);
				session->spoilt = true;
			}
			else if (!store_execute_quietly(session->connection, sql) &&
					 store_is_usable(session->connection))
				session->spoilt = true;
		}
		else
		{
			snprintf(sql, sizeof(sql), "RELEASE SAVEPOINT s%d", level);
			if (store_transaction_has_savepoints(session) && !session->spoilt)
				store_query(session->connection, sql, 0, NULL);
			session->depth = level - 1;
		}
	}
}

void
store_transaction_follow(HTAB *sessions)
{
	RegisterXactCallback(on_transaction, sessions);
	RegisterSubXactCallback(on_subtransaction, sessions);
}
