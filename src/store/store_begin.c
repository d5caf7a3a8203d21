/*
 * store_begin.c
 *	  How a transaction at a store begins.
 *
 * Settings are the transaction's, not the session's: behind a pooler another
 * transaction may run in another session, and this session is somebody else's
 * between two transactions.
 */
#include "postgres.h"

#include "store/dialect.h"
#include "store/store_begin.h"

/* What is not qualified is the system's, as are all operators and functions. */
#define SEARCH_PATH "SET LOCAL search_path TO pg_catalog"

static const char *const levels[] = {
	[STORE_READ_COMMITTED] = "READ COMMITTED",
	[STORE_REPEATABLE_READ] = "REPEATABLE READ",
	[STORE_SERIALIZABLE] = "SERIALIZABLE"
};

StaticAssertDecl(lengthof(levels) == STORE_SERIALIZABLE + 1,
				 "each StoreIsolation has its level");

const char *
store_begin_sql(const StoreConnection *connection, StoreIsolation isolation)
{
	const StoreDialect *dialect = store_dialect(connection);

	return psprintf("BEGIN%s%s; %s; " SEARCH_PATH,
					dialect->has_isolation_levels ? " ISOLATION LEVEL " : "",
					dialect->has_isolation_levels ? levels[isolation] : "",
					dialect->settings);
}
