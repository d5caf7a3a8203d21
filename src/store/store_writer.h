/*
 * store_writer.h
 *	  Loads rows into a table of a store, by one of the load methods.
 *
 * Rows are sent in the session's remote transaction, many at a time, so that
 * an error may concern an earlier row.  They are in the store when another
 * scan is to see them there (store_use.h), or at the end of the load; only at
 * the end if the load's own query scans the store, too.
 */
#ifndef TRACKING_STORE_STORE_WRITER_H
#define TRACKING_STORE_STORE_WRITER_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "store/store_type.h"

/* What a load method is given; lives as long as its load. */
typedef struct StoreLoad
{
	const StoreServer *server;
	const StoreTable *table;
	StoreEncoder *encoder;
	MemoryContext cxt;
	int64		n_stored;		/* rows, as the store says */
} StoreLoad;

typedef struct StoreMethod
{
	bool		holds_all;		/* no row is in the store before send() */
	void	   *(*begin) (StoreLoad *load);

	/* Take the row in the load's encoder. */
	void		(*row) (void *state);

	/* Put all rows so far into the store, and count them in n_stored. */
	void		(*send) (void *state);
} StoreMethod;

extern const StoreMethod store_copy_s3;
extern const StoreMethod store_copy_stdin;
extern const StoreMethod store_insert;

typedef struct StoreWriter StoreWriter;

/*
 * Begin to load rows of this description into a table, for a query (its
 * executor state), in cxt, which the caller deletes.  Connects, as the default
 * method depends on the dialect of the store.
 */
extern StoreWriter *store_writer_begin(MemoryContext cxt,
									   const StoreServer *server,
									   const StoreTable *table,
									   TupleDesc tupdesc, const void *query);

extern void store_writer_row(StoreWriter *writer, const Datum *values,
							 const bool *isnull);

/* End the load; returns how many rows the store has taken. */
extern int64 store_writer_end(StoreWriter *writer);

#endif							/* TRACKING_STORE_STORE_WRITER_H */
