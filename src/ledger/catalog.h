/*
 * catalog.h
 *	  Access to the tables of schema tracking.
 *
 * Users may not write them: the extension does, as its own owner, under a
 * search_path that nobody can plant an operator in.
 */
#ifndef TRACKING_LEDGER_CATALOG_H
#define TRACKING_LEDGER_CATALOG_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "executor/spi.h"

#define CATALOG_MAX_ARGS 48

/*
 * A statement that is prepared at its first use and kept.  Meant to be
 * static; sql and types are constants.
 */
typedef struct CatalogStatement
{
	const char *sql;
	int			n_args;
	Oid			types[CATALOG_MAX_ARGS];
	SPIPlanPtr	plan;			/* private */
} CatalogStatement;

typedef struct CatalogAccess
{
	Oid			userid;
	int			sec_context;
	int			guc_nestlevel;
} CatalogAccess;

/*
 * Begin: the current user becomes the extension's owner, and SPI is
 * connected.  End undoes both.  In between an error may be thrown: the end of
 * the (sub)transaction restores the user.
 */
extern void catalog_begin(CatalogAccess *access);
extern void catalog_end(CatalogAccess *access);

/*
 * Run a statement; nulls is NULL or a ' '/'n' a value, as SPI takes it.
 * Returns the number of rows; they are in SPI_tuptable.
 */
extern uint64 catalog_execute(CatalogStatement *statement, Datum *values,
							  const char *nulls);

/* Begin, run a statement that changes rows, end; returns their number. */
extern uint64 catalog_change(CatalogStatement *statement, Datum *values,
							 const char *nulls);

/* The same for a statement that is made for one call, and not kept. */
extern uint64 catalog_change_once(CatalogStatement *statement, Datum *values,
								  const char *nulls);

/* Does one run?  For a trigger that asks whose statement fired it. */
extern bool catalog_is_executing(void);

/*
 * The same for a query that is to see what was committed by now, whatever the
 * transaction's isolation level.
 */
extern uint64 catalog_execute_latest(CatalogStatement *statement,
									 Datum *values);

/*
 * An array of n values for a statement's argument; type is text or one of
 * eight bytes passed by value.  isnull may be NULL.
 */
extern Datum catalog_array(Datum *values, bool *isnull, int n, Oid type);

/*
 * Columns of a row of the last answer, 1-based.  Whatever the tables hold, by
 * somebody's hand perhaps, a value is of the type that is asked for and not
 * null, or it is an error.
 */
extern bool catalog_bool(int row, int column);
extern int32 catalog_int32(int row, int column);
extern int64 catalog_int64(int row, int column);
extern double catalog_float8(int row, int column);
extern Oid	catalog_oid(int row, int column);
extern TimestampTz catalog_time(int row, int column);
extern bytea *catalog_bytea(int row, int column);	/* as it is stored */

/* A value of this type; it lasts as long as the answer. */
extern Datum catalog_value(int row, int column, Oid type);

/* A value of this type, or null; it lasts as long as the answer. */
extern Datum catalog_value_or_null(int row, int column, Oid type,
								   bool *isnull);

/* Text, or anything as text, palloc'd in cxt. */
extern char *catalog_text(MemoryContext cxt, int row, int column);

/* Is it null?  And the same as text, NULL if it is. */
extern bool catalog_is_null(int row, int column);
extern char *catalog_text_or_null(MemoryContext cxt, int row, int column);

#endif							/* TRACKING_LEDGER_CATALOG_H */
