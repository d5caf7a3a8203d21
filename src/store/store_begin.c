/*
 * store_begin.c
 *	  The statements that begin a transaction at a store.
 *
 * Settings are made for the transaction, not the session: behind a pooler the
 * next transaction may run in another session, and between two transactions
 * this session serves others.
 */
#include "postgres.h"

#include "store/dialect.h"
#include "store/store_begin.h"

/* Unqualified names, as of all operators and functions, are the system's. */
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
