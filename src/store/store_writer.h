/*
 * store_writer.h
 *	  Rows into a table of a store, by the load method that fits.
 *
 * Rows leave in the session's transaction at the store, many at a time, so
 * that an error may be that of an earlier one.  They are in the store when
 * something else wants to see them there (store_use.h), or at the end; not
 * before the end if the query that they are of scans the store, too.
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
	int64		n_stored;		/* as the store says */
} StoreLoad;

typedef struct StoreMethod
{
	bool		holds_all;		/* no row is in the store before send() */
	void	   *(*begin) (StoreLoad *load);

	/* Take the row that stands in the encoder. */
	void		(*row) (void *state);

	/* All rows so far are in the store, and n_stored says how many. */
	void		(*send) (void *state);
} StoreMethod;

extern const StoreMethod store_copy_s3;
extern const StoreMethod store_copy_stdin;
extern const StoreMethod store_insert;

typedef struct StoreWriter StoreWriter;

/*
 * Begin to load rows of this description into a table, in cxt, which the
 * caller deletes, for a query (its executor state).  Connects, as the default
 * method follows what the store is.
 */
extern StoreWriter *store_writer_begin(MemoryContext cxt,
									   const StoreServer *server,
									   const StoreTable *table,
									   TupleDesc tupdesc, const void *query);

extern void store_writer_row(StoreWriter *writer, const Datum *values,
							 const bool *isnull);

/* Returns how many rows the store has taken. */
extern int64 store_writer_end(StoreWriter *writer);

#endif							/* TRACKING_STORE_STORE_WRITER_H */
