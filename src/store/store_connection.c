/*
 * store_connection.c
 *	  Connecting to a store.
 */
#include "postgres.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/encoding.h"
#include "storage/fd.h"
#include "storage/latch.h"
#include "store/dialect.h"
#include "store/store_wire.h"
#include "utils/memutils.h"

static uint32 connect_wait_event = 0;

static void
connection_destroy(void *handle)
{
	PQfinish(handle);
	ReleaseExternalFD();
}

pg_noreturn static void
raise_connect(StoreConnection *connection, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION),
			 errmsg("could not connect to store \"%s\"", connection->server),
			 errdetail_internal("%s", store_clean(connection, detail))));
}

static void
poll_connection(StoreConnection *connection, int64 deadline_ms)
{
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;

	while (status != PGRES_POLLING_OK)
	{
		int			events = status == PGRES_POLLING_READING ?
			WL_SOCKET_READABLE : WL_SOCKET_WRITEABLE;

		if (status == PGRES_POLLING_FAILED)
			raise_connect(connection, PQerrorMessage(connection->conn));
		if (!store_wait_socket(connection, events, deadline_ms,
							   compat_wait_event(&connect_wait_event,
												 "TrackingFdwStoreConnect"),
							   true))
			raise_connect(connection, "The connection attempt timed out.");
		status = PQconnectPoll(connection->conn);
	}
}

/* Ignore notices, which libpq itself would print to stderr. */
static void
ignore_notice(void *arg, const char *message)
{
	(void) arg;
	(void) message;
}

/*
 * Raise an error if a role would borrow the rights of the server's own
 * account.
 */
static void
check_password_used(StoreConnection *connection, const StoreServer *server)
{
	if (server->password_required &&
		!PQconnectionUsedPassword(connection->conn))
		ereport(ERROR,
				(errcode(ERRCODE_S_R_E_PROHIBITED_SQL_STATEMENT_ATTEMPTED),
				 errmsg("password is required"),
				 errdetail("The store \"%s\" did not ask for one.",
						   server->name),
				 errhint("Its authentication method must be changed, or a superuser must set password_required 'false' in the user mapping.")));
}

/*
 * libpq would ask the remote for the settings in these variables, upon which
 * Redshift closes the connection; no keyword prevents that.
 */
static void
clear_environment(void)
{
	unsetenv("PGOPTIONS");
	unsetenv("PGTZ");
	unsetenv("PGDATESTYLE");
	unsetenv("PGGEQO");
}

StoreConnection *
store_connect(MemoryContext cxt, const StoreServer *server)
{
	StoreConnection *connection = MemoryContextAllocZero(cxt,
														 sizeof(StoreConnection));

	connection->cxt = cxt;
	connection->server = MemoryContextStrdup(cxt, server->name);
	encoding_prepare();
	if (!AcquireExternalFD())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("could not connect to store \"%s\"", server->name),
				 errdetail("There are too many open files.")));
	clear_environment();
	connection->conn = PQconnectStartParams(server->keywords, server->values,
											false);
	if (connection->conn == NULL)
	{
		ReleaseExternalFD();
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	}
	connection->cleanup = cleanup_register(cxt, connection_destroy,
										   connection->conn);
	PQsetNoticeProcessor(connection->conn, ignore_notice, NULL);
	if (PQstatus(connection->conn) == CONNECTION_BAD)
		raise_connect(connection, PQerrorMessage(connection->conn));
	poll_connection(connection, clock_now_ms() + server->connect_timeout_ms);
	check_password_used(connection, server);
	PQsetnonblocking(connection->conn, 1);
	connection->dialect = server->dialect != NULL ? server->dialect :
		dialect_detect(connection);
	return connection;
}

void
store_disconnect(StoreConnection *connection)
{
	cleanup_now(connection->cleanup);
	connection->conn = NULL;
}

const StoreDialect *
store_dialect(const StoreConnection *connection)
{
	return connection->dialect;
}

bool
store_is_usable(const StoreConnection *connection)
{
	if (connection->conn == NULL ||
		(connection->busy && connection->yield == NULL))
		return false;

	/*
	 * a remote that has closed the connection left a message, and then the
	 * end
	 */
	for (int i = 0; i < 2 && !connection->busy; i++)
		(void) PQconsumeInput(connection->conn);
	return PQstatus(connection->conn) == CONNECTION_OK;
}
