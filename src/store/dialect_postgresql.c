/*
 * dialect_postgresql.c
 *	  PostgreSQL as a store, and what speaks like it: Citus, Greenplum.
 */
#include "postgres.h"

#include "store/dialect.h"

const StoreDialect dialect_postgresql = {
	.title = "PostgreSQL",
	.port = "5432",
	.has_savepoints = true,
	.has_isolation_levels = true,
	.has_many_cursors = true,
	.has_row_locks = true,
	.settings =
	"SET LOCAL datestyle TO 'ISO, MDY'; "
	"SET LOCAL timezone TO 'UTC'; "
	"SET LOCAL extra_float_digits TO 3; "
	"SET LOCAL intervalstyle TO postgres; "
	"SET LOCAL lc_monetary TO 'C'; "
	"SET LOCAL xmloption TO content; "
	"SET LOCAL standard_conforming_strings TO on",
	.json_before = "",
	.json_after = "",
	.bytes_before = "'\\x",
	.bytes_after = "'",
	.load_method = STORE_LOAD_COPY_STDIN
};
