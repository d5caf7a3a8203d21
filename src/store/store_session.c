/*
 * store_session.c
 *	  The session's connections to stores, and what can be done with their
 *	  transactions.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/compat.h"
#include "store/store_begin.h"
#include "store/store_transaction.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

static HTAB *sessions = NULL;

/* Callback: a server or a mapping has changed; a hash of 0 means any. */
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
	store_transaction_follow(sessions);
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

/*
 * Connect.  The current context owns the connection until it is established.
 */
static void
connect_session(StoreSession *session, const StoreServer *server)
{
	bool		held = session->held;
	bool		scans = session->scans;
	MemoryContext cxt;
	StoreConnection *connection;

	store_transaction_disconnect(session);
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
 * Can the kept connection be used?  As a public mapping serves several roles,
 * one that a superuser made without a password is not for the others.
 */
static bool
is_fit(const StoreSession *session, const StoreServer *server)
{
	return session->connection != NULL && !session->altered &&
		(session->with_password || !server->password_required) &&
		store_is_usable(session->connection);
}

/*
 * As in postgres_fdw, all scans of a statement are to see one state of the
 * store, for which READ COMMITTED will not do.  The load of a pipeline, which
 * mostly has no scans, waits for transactions that change the same rows, and
 * goes on: with one snapshot, it would fail then, and be tried again and
 * again.
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
 * Begin the remote transaction, on a new connection if the remote has closed
 * the kept one meanwhile.
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
	store_transaction_check(session);
	if (!session->catching_up)
		store_transaction_push(session);
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
	bool		known = session->depth == 0 ||
		store_transaction_commit(session);

	store_transaction_call_back(session);
	return known;
}

void
store_session_rollback(const StoreServer *server)
{
	StoreSession *session = find_session(server);

	if (session->depth == 0)
		return;
	store_transaction_rollback(session);
	store_transaction_call_back(session);
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
	store_transaction_at_end(find_session(server), callback, arg);
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

	/* connect only: the first user decides how the transaction begins */
	if (session->depth == 0 && !is_fit(session, server))
		connect_session(session, server);
	return store_transaction_has_savepoints(session);
}
