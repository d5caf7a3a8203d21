/*
 * store_cursor.h
 *	  The rows of a query of a store, by a cursor: any number of rows takes
 *	  little memory.
 */
#ifndef TRACKING_STORE_STORE_CURSOR_H
#define TRACKING_STORE_STORE_CURSOR_H

#include "postgres.h"

#include "store/store.h"

typedef struct StoreCursor StoreCursor;

/*
 * Some things can be open only one at a time: when another statement is to
 * begin, yield is called, once, and gives up what is open.
 */
typedef void (*StoreYield) (void *arg);

/*
 * Open one for a query of n_columns, in cxt, on the connection of this
 * server's session.  It ends by store_cursor_close(), or with the
 * (sub)transaction.  Where the dialect has one cursor at a time, yield reads
 * the rows that are left, and closes it.
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
 * A value of the row, which is valid text, or NULL if it is null; it lives
 * until the next row is gone to.
 */
extern char *store_cursor_text(const StoreCursor *cursor, int column);

/* Whether or not the connection is still of use. */
extern void store_cursor_close(StoreCursor *cursor);

#endif							/* TRACKING_STORE_STORE_CURSOR_H */
