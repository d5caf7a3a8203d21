/*
 * catalog.h
 *	  Access to the tables of schema tracking.
 *
 * Users may not write to them: the extension does, as its own owner, under a
 * search_path in which nobody else can create an operator.
 */
#ifndef TRACKING_LEDGER_CATALOG_H
#define TRACKING_LEDGER_CATALOG_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "executor/spi.h"

#define CATALOG_MAX_ARGS 48

/*
 * A statement whose plan is prepared at its first use and kept.  The struct is
 * meant to be static; sql and types are constants.
 */
typedef struct CatalogStatement
{
	const char *sql;
	int			n_args;
	Oid			types[CATALOG_MAX_ARGS];
	SPIPlanPtr	plan;			/* private */
} CatalogStatement;

/* What catalog_end() restores. */
typedef struct CatalogAccess
{
	Oid			userid;
	int			sec_context;
	int			guc_nestlevel;
} CatalogAccess;

/*
 * catalog_begin() makes the extension's owner the current user, sets the
 * search_path and connects to SPI; catalog_end() undoes that.  After an error
 * the abort of the (sub)transaction does.
 */
extern void catalog_begin(CatalogAccess *access);
extern void catalog_end(CatalogAccess *access);

/*
 * Run a statement, between catalog_begin() and catalog_end().  nulls is NULL
 * or has a ' ' or 'n' for each value, as for SPI.  Returns the number of rows,
 * which are in SPI_tuptable if the statement returns any.
 */
extern uint64 catalog_execute(CatalogStatement *statement, Datum *values,
							  const char *nulls);

/*
 * Call catalog_begin(), run a statement that changes rows, and call
 * catalog_end().  Returns the number of rows.
 */
extern uint64 catalog_change(CatalogStatement *statement, Datum *values,
							 const char *nulls);

/* The same for a statement that is made for one call; its plan is not kept. */
extern uint64 catalog_change_once(CatalogStatement *statement, Datum *values,
								  const char *nulls);

/*
 * Is one of the above running a statement?  For a trigger, which asks whether
 * the extension's own statement has fired it.
 */
extern bool catalog_is_executing(void);

/*
 * Run a query as catalog_execute() does, with a snapshot of what is committed
 * now, whatever the transaction's isolation level.
 */
extern uint64 catalog_execute_latest(CatalogStatement *statement,
									 Datum *values);

/*
 * An array of n values, for a statement's argument.  type is text, or a type
 * of eight bytes that is passed by value.  isnull may be NULL.
 */
extern Datum catalog_array(Datum *values, bool *isnull, int n, Oid type);

/*
 * The value of a column (counted from 1) in a row (from 0) of the last result.
 * Raises an error if the value is null or of another type than the function's:
 * somebody may have changed the tables by hand.
 */
extern bool catalog_bool(int row, int column);
extern int32 catalog_int32(int row, int column);
extern int64 catalog_int64(int row, int column);
extern double catalog_float8(int row, int column);
extern Oid	catalog_oid(int row, int column);
extern TimestampTz catalog_time(int row, int column);
extern bytea *catalog_bytea(int row, int column);	/* as it is stored */

/* A value of this type, not null; it is valid as long as the result is. */
extern Datum catalog_value(int row, int column, Oid type);

/* A value of this type, or null; it is valid as long as the result is. */
extern Datum catalog_value_or_null(int row, int column, Oid type,
								   bool *isnull);

/* A value of any type, not null, as text; palloc'd in cxt. */
extern char *catalog_text(MemoryContext cxt, int row, int column);

/* Is a value null?  And a value of any type as text, or NULL if it is null. */
extern bool catalog_is_null(int row, int column);
extern char *catalog_text_or_null(MemoryContext cxt, int row, int column);

#endif							/* TRACKING_LEDGER_CATALOG_H */
