/*
 * store_session.c
 *	  The session's connections to stores, and their transactions.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/compat.h"
#include "sink/store_begin.h"
#include "sink/store_session.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

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
	bool		spoilt;			/* by a subtransaction that failed */
	StoreLoadStats stats;		/* of the transaction */
	bool		committing;		/* COMMIT was sent */
	StoreOutcome outcome;		/* of the last transaction */
	List	   *at_end;			/* AtEnd *, in TopMemoryContext */
	bool		altered;		/* the options are no longer those it has */
	bool		with_password;	/* the remote has asked for one */
} StoreSession;

typedef struct AtEnd
{
	StoreAtEnd	callback;
	void	   *arg;
} AtEnd;

static HTAB *sessions = NULL;

static void
disconnect(StoreSession *session)
{
	if (session->cxt != NULL)
		MemoryContextDelete(session->cxt);
	session->cxt = NULL;
	session->connection = NULL;
	session->depth = 0;
	session->held = false;
	session->scans = false;
	session->spoilt = false;
	session->altered = false;
}

/* ----------------------------------------------------------------
 * Following the local transaction
 * ---------------------------------------------------------------- */

static bool
has_savepoints(const StoreSession *session)
{
	return store_dialect(session->connection) != STORE_DIALECT_REDSHIFT;
}

/* Tell who wants to know how the remote transaction has ended. */
static void
call_back(StoreSession *session)
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

/* The remote transaction is over, one way or the other. */
static void
ended(StoreSession *session, bool usable, StoreOutcome outcome)
{
	session->outcome = outcome;
	session->committing = false;
	session->depth = 0;
	session->held = false;
	session->scans = false;
	session->spoilt = false;
	if (!usable || session->altered)
		disconnect(session);
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

static void
check_session(const StoreSession *session)
{
	if (session->spoilt)
		raise_spoilt();
	if (!store_is_usable(session->connection))
		ereport(ERROR,
				(errcode(ERRCODE_CONNECTION_FAILURE),
				 errmsg("lost the connection to the store within a transaction"),
				 errdetail("What was done in it is rolled back there.")));
}

static bool
commit(StoreSession *session)
{
	bool		known;

	check_session(session);
	session->committing = true;
	known = store_commit(session->connection);
	ended(session, known, known ? STORE_OUTCOME_COMMITTED :
		  STORE_OUTCOME_UNKNOWN);
	return known;
}

static void
rollback(StoreSession *session)
{
	/* a COMMIT that was refused has ended; one that was interrupted has not */
	StoreOutcome outcome =
		session->committing && !store_is_usable(session->connection) ?
		STORE_OUTCOME_UNKNOWN : STORE_OUTCOME_ROLLED_BACK;

	ended(session, store_execute_quietly(session->connection, "ROLLBACK"),
		  outcome);
}

static void
on_transaction(XactEvent event, void *arg)
{
	HASH_SEQ_STATUS scan;
	StoreSession *session;

	(void) arg;
	hash_seq_init(&scan, sessions);
	while ((session = hash_seq_search(&scan)) != NULL)
	{
		if (session->depth == 0)
		{
			/* nothing was begun there that could be held */
			if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT)
			{
				session->held = false;
				session->scans = false;
				call_back(session);
			}
			if (session->altered)
				disconnect(session);
			continue;
		}
		switch (event)
		{
			case XACT_EVENT_PRE_COMMIT:
			case XACT_EVENT_PARALLEL_PRE_COMMIT:
				if (!session->held && !commit(session))
					raise_unknown();
				break;
			case XACT_EVENT_PRE_PREPARE:
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("cannot PREPARE a transaction that has written to a store")));
				break;
			case XACT_EVENT_ABORT:
			case XACT_EVENT_PARALLEL_ABORT:
				rollback(session);
				call_back(session);
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
	(void) arg;
	if (event != SUBXACT_EVENT_PRE_COMMIT_SUB &&
		event != SUBXACT_EVENT_ABORT_SUB)
		return;
	hash_seq_init(&scan, sessions);
	while ((session = hash_seq_search(&scan)) != NULL)
	{
		char		sql[80];

		if (session->depth < level)
			continue;
		if (event == SUBXACT_EVENT_ABORT_SUB)
		{
			session->depth = level - 1;
			snprintf(sql, sizeof(sql),
					 "ROLLBACK TO SAVEPOINT s%d; RELEASE SAVEPOINT s%d",
					 level, level);
			if (!has_savepoints(session))
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
			if (has_savepoints(session) && !session->spoilt)
				store_query(session->connection, sql, 0, NULL);
			session->depth = level - 1;
		}
	}
}

/* A server or a mapping has changed; a hash of 0 means any. */
static void
on_altered(Datum arg, int cacheid, uint32 hash)
{
	HASH_SEQ_STATUS scan;
	StoreSession *session;

	(void) arg;
	hash_seq_init(&scan, sessions);
	while ((session = hash_seq_search(&scan)) != NULL)
	{
		if (hash == 0 || hash == (cacheid == USERMAPPINGOID ?
								  session->mapping_hash :
								  session->server_hash))
			session->altered = true;
	}
}

/* ----------------------------------------------------------------
 * Connections
 * ---------------------------------------------------------------- */

static void
init_sessions(void)
{
	HASHCTL		control = {
		.keysize = sizeof(Oid),
		.entrysize = sizeof(StoreSession)
	};

	sessions = hash_create("tracking_fdw stores", 8, &control,
						   HASH_ELEM | HASH_BLOBS);
	RegisterXactCallback(on_transaction, NULL);
	RegisterSubXactCallback(on_subtransaction, NULL);
	CacheRegisterSyscacheCallback(USERMAPPINGOID, on_altered, (Datum) 0);
	CacheRegisterSyscacheCallback(FOREIGNSERVEROID, on_altered, (Datum) 0);
}

static StoreSession *
find_session(const StoreServer *server)
{
	StoreSession *session;
	bool		found;

	if (sessions == NULL)
		init_sessions();
	session = hash_search(sessions, &server->mapping, HASH_ENTER, &found);
	if (!found)
	{
		memset((char *) session + sizeof(Oid), 0,
			   sizeof(StoreSession) - sizeof(Oid));
		session->mapping_hash =
			GetSysCacheHashValue1(USERMAPPINGOID,
								  ObjectIdGetDatum(server->mapping));
		session->server_hash =
			GetSysCacheHashValue1(FOREIGNSERVEROID,
								  ObjectIdGetDatum(server->serverid));
	}
	return session;
}

/* The connection is of this transaction until it stands. */
static void
connect_session(StoreSession *session, const StoreServer *server)
{
	bool		held = session->held;
	bool		scans = session->scans;
	MemoryContext cxt;
	StoreConnection *connection;

	disconnect(session);
	session->held = held;
	session->scans = scans;
	cxt = AllocSetContextCreate(CurrentMemoryContext, "tracking_fdw store",
								ALLOCSET_SMALL_SIZES);
	connection = store_connect(cxt, server);
	MemoryContextSetParent(cxt, TopMemoryContext);
	session->cxt = cxt;
	session->connection = connection;
	session->with_password = server->password_required;
}

/*
 * A public mapping serves several roles: what a superuser was let in to
 * without a password is not for the others.
 */
static bool
is_fit(const StoreSession *session, const StoreServer *server)
{
	return session->connection != NULL && !session->altered &&
		(session->with_password || !server->password_required) &&
		store_is_usable(session->connection);
}

/*
 * As postgres_fdw has it: all scans of a statement are to see one state of the
 * store, for which READ COMMITTED will not do.  The load of a pipeline, which
 * mostly has no scans, waits for who changes the same rows, and goes on: with
 * a snapshot it would fail then, and be tried again and again.
 */
static StoreIsolation
isolation(const StoreSession *session)
{
	if (session->held && !session->scans)
		return STORE_READ_COMMITTED;
	return IsolationIsSerializable() ? STORE_SERIALIZABLE :
		STORE_REPEATABLE_READ;
}

/*
 * Begin there.  A connection that was kept may have been ended by the other
 * side meanwhile: then a new one is made.
 */
static void
begin(StoreSession *session, const StoreServer *server)
{
	if (!is_fit(session, server) ||
		!store_execute_quietly(session->connection,
							   store_begin_sql(session->connection,
											   isolation(session))))
	{
		connect_session(session, server);
		store_query(session->connection,
					store_begin_sql(session->connection, isolation(session)),
					0, NULL);
	}
	session->depth = 1;
	memset(&session->stats, 0, sizeof(session->stats));
}

StoreConnection *
store_session_use(const StoreServer *server)
{
	StoreSession *session = find_session(server);

	if (session->depth == 0)
		begin(session, server);
	else if (server->password_required && !session->with_password)
		ereport(ERROR,
				(errcode(ERRCODE_S_R_E_PROHIBITED_SQL_STATEMENT_ATTEMPTED),
				 errmsg("password is required"),
				 errdetail("This transaction began at store \"%s\" as a role that needs none.",
						   server->name)));
	check_session(session);
	while (session->depth < GetCurrentTransactionNestLevel())
	{
		char		sql[40];

		snprintf(sql, sizeof(sql), "SAVEPOINT s%d", session->depth + 1);
		if (has_savepoints(session))
			store_query(session->connection, sql, 0, NULL);
		session->depth++;
	}
	return session->connection;
}

void
store_session_scans(const StoreServer *server)
{
	find_session(server)->scans = true;
}

void
store_session_hold(const StoreServer *server)
{
	find_session(server)->held = true;
}

bool
store_session_commit(const StoreServer *server)
{
	StoreSession *session = find_session(server);
	bool		known = session->depth == 0 || commit(session);

	call_back(session);
	return known;
}

void
store_session_rollback(const StoreServer *server)
{
	StoreSession *session = find_session(server);

	if (session->depth == 0)
		return;
	rollback(session);
	call_back(session);
}

void
store_session_restart(const StoreServer *server)
{
	StoreSession *session = find_session(server);
	bool		held = session->held;

	store_session_rollback(server);
	session->held = held;
}

void
store_session_at_end(const StoreServer *server, StoreAtEnd callback,
					 void *arg)
{
	StoreSession *session = find_session(server);
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	AtEnd	   *end = palloc(sizeof(AtEnd));

	Assert(session->depth > 0);
	end->callback = callback;
	end->arg = arg;
	session->at_end = lappend(session->at_end, end);
	MemoryContextSwitchTo(old);
}

StoreConnection *
store_session_fail(const StoreServer *server)
{
	StoreSession *session = find_session(server);

	session->spoilt = true;
	return store_execute_quietly(session->connection, "ROLLBACK") ?
		session->connection : NULL;
}

StoreLoadStats *
store_session_stats(const StoreServer *server)
{
	return &find_session(server)->stats;
}

bool
store_session_has_savepoints(const StoreServer *server)
{
	StoreSession *session = find_session(server);

	/* which is no use yet: a transaction begins as what uses it first wants */
	if (session->depth == 0 && !is_fit(session, server))
		connect_session(session, server);
	return has_savepoints(session);
}
