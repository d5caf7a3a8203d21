/*
 * store_begin.c
 *	  How a transaction at a store begins.
 *
 * Settings are the transaction's, not the session's: behind a pooler another
 * transaction may run in another session, and this session is somebody else's
 * between two transactions.
 */
#include "postgres.h"

#include "store/store_begin.h"
#include "store/store_wire.h"

/* What is not qualified is the system's, as are all operators and functions. */
#define SEARCH_PATH "SET LOCAL search_path TO pg_catalog"

/* Each statement is one that the dialect has. */
#define REDSHIFT_SETTINGS \
	"SET LOCAL datestyle TO 'ISO, MDY'; " \
	"SET LOCAL timezone TO 'UTC'; " \
	"SET LOCAL extra_float_digits TO 2; " \
	SEARCH_PATH

#define POSTGRESQL_SETTINGS \
	"SET LOCAL datestyle TO 'ISO, MDY'; " \
	"SET LOCAL timezone TO 'UTC'; " \
	"SET LOCAL extra_float_digits TO 3; " \
	"SET LOCAL intervalstyle TO postgres; " \
	"SET LOCAL lc_monetary TO 'C'; " \
	"SET LOCAL xmloption TO content; " \
	"SET LOCAL standard_conforming_strings TO on; " \
	SEARCH_PATH

static const char *
level_name(StoreIsolation isolation)
{
	switch (isolation)
	{
		case STORE_READ_COMMITTED:
			return "READ COMMITTED";
		case STORE_REPEATABLE_READ:
			return "REPEATABLE READ";
		case STORE_SERIALIZABLE:
			return "SERIALIZABLE";
	}
	pg_unreachable();
}

const char *
store_begin_sql(StoreConnection *connection, StoreIsolation isolation)
{
	if (connection->dialect == STORE_DIALECT_REDSHIFT)
		return "BEGIN; " REDSHIFT_SETTINGS;
	return psprintf("BEGIN ISOLATION LEVEL %s; " POSTGRESQL_SETTINGS,
					level_name(isolation));
}
