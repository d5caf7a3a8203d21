/*
 * store_cursor.h
 *	  Reads the rows of a query at a store by a cursor, so that any number of
 *	  rows takes little memory.
 */
#ifndef TRACKING_STORE_STORE_CURSOR_H
#define TRACKING_STORE_STORE_CURSOR_H

#include "postgres.h"

#include "store/store.h"

typedef struct StoreCursor StoreCursor;

/*
 * A connection has one COPY open at a time and, in some dialects, one cursor.
 * When another statement is to begin, yield is called, once, to end what is
 * open.
 */
typedef void (*StoreYield) (void *arg);

/*
 * Open a cursor, in cxt, for a query of n_columns, on the connection of this
 * server's session.  store_cursor_close() ends it, or the end of the
 * (sub)transaction does.  If the dialect has one cursor at a time, yield is
 * called to read the remaining rows and close the cursor.
 */
extern StoreCursor *store_cursor_open(MemoryContext cxt,
									  const StoreServer *server,
									  StoreConnection *connection,
									  const char *sql, int n_columns,
									  StoreYield yield, void *arg);

/*
 * Go to the next row; false if there is none.  Raises an error if the store
 * returns another number of columns.
 */
extern bool store_cursor_next(StoreCursor *cursor);

/*
 * A value of the current row, a valid text, or NULL if it is null; it lives
 * until the next call of store_cursor_next().
 */
extern char *store_cursor_text(const StoreCursor *cursor, int column);

/* Close the cursor, whether or not the connection is still usable. */
extern void store_cursor_close(StoreCursor *cursor);

#endif							/* TRACKING_STORE_STORE_CURSOR_H */
