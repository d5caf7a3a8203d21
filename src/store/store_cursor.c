/*
 * store_cursor.c
 *	  Cursors at a store.
 */
#include "postgres.h"

#include "store/dialect.h"
#include "store/store_cursor.h"
#include "store/store_session.h"
#include "store/store_wire.h"
#include "utils/memutils.h"

/*
 * Rows are fetched as many at a time as take about FETCH_BYTES, judged by the
 * rows before, but no more than the smallest Redshift cluster grants.
 */
#define FETCH_BYTES (1024 * 1024)
#define FETCH_FIRST_ROWS 100
#define FETCH_MAX_ROWS 1000

struct StoreCursor
{
	MemoryContext cxt;			/* of the whole cursor */
	MemoryContext batch_cxt;	/* of batch */
	const StoreServer *server;
	StoreConnection *connection;
	int			number;			/* its name at the store */
	int			n_columns;
	bool		at_end;			/* the store has no more rows */
	PGresult   *batch;			/* the rows that were fetched last; NULL: none */
	int			row;			/* number of the current row in batch */
	int			fetch_rows;		/* rows to be fetched next */
};

StoreCursor *
store_cursor_open(MemoryContext cxt, const StoreServer *server,
				  StoreConnection *connection, const char *sql, int n_columns,
				  StoreYield yield, void *arg)
{
	int			number = ++connection->cursors;
	MemoryContext own;
	StoreCursor *cursor;

	store_make_way(connection);
	store_query(connection, psprintf("DECLARE c%d CURSOR FOR %s", number, sql),
				0, NULL);
	if (!connection->dialect->has_many_cursors)
	{
		connection->yield = yield;
		connection->yield_arg = arg;
	}
	own = AllocSetContextCreate(cxt, "tracking_fdw store cursor",
								ALLOCSET_SMALL_SIZES);
	cursor = MemoryContextAllocZero(own, sizeof(StoreCursor));
	cursor->cxt = own;
	cursor->batch_cxt = AllocSetContextCreate(own, "tracking_fdw store rows",
											  ALLOCSET_DEFAULT_SIZES);
	cursor->server = server;
	cursor->connection = connection;
	cursor->number = number;
	cursor->n_columns = n_columns;
	cursor->fetch_rows = FETCH_FIRST_ROWS;
	return cursor;
}

static void
check_columns(const StoreCursor *cursor)
{
	if (PQnfields(cursor->batch) != cursor->n_columns)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_COLUMN_NUMBER),
				 errmsg("store \"%s\" returned %d columns instead of %d",
						cursor->server->name, PQnfields(cursor->batch),
						cursor->n_columns)));
}

/* Fetch some rows; false if there are none. */
static bool
fetch(StoreCursor *cursor)
{
	MemoryContext old;
	PGresult   *batch;
	int			n_rows;

	if (cursor->at_end)
		return false;
	/* begin the savepoint that a failure of the FETCH goes back to */
	if (store_session_has_savepoints(cursor->server))
		(void) store_session_use(cursor->server);
	MemoryContextReset(cursor->batch_cxt);
	cursor->batch = NULL;
	old = MemoryContextSwitchTo(cursor->batch_cxt);
	batch = store_query(cursor->connection,
						psprintf("FETCH FORWARD %d FROM c%d",
								 cursor->fetch_rows, cursor->number),
						0, NULL);
	MemoryContextSwitchTo(old);
	n_rows = PQntuples(batch);
	cursor->at_end = n_rows < cursor->fetch_rows;
	if (n_rows == 0)
		return false;
	cursor->batch = batch;
	check_columns(cursor);
	cursor->fetch_rows = Min(Max(FETCH_BYTES /
								 (PQresultMemorySize(batch) / n_rows + 1), 1),
							 FETCH_MAX_ROWS);
	return true;
}

bool
store_cursor_next(StoreCursor *cursor)
{
	if (cursor->batch != NULL && cursor->row + 1 < PQntuples(cursor->batch))
	{
		cursor->row++;
		return true;
	}
	if (!fetch(cursor))
		return false;
	cursor->row = 0;
	return true;
}

char *
store_cursor_text(const StoreCursor *cursor, int column)
{
	return PQgetisnull(cursor->batch, cursor->row, column) ? NULL :
		PQgetvalue(cursor->batch, cursor->row, column);
}

void
store_cursor_close(StoreCursor *cursor)
{
	StoreConnection *connection = cursor->connection;

	if (store_is_usable(connection))
	{
		if (!connection->copying)
			connection->yield = NULL;
		store_query(connection, psprintf("CLOSE c%d", cursor->number), 0,
					NULL);
	}
	MemoryContextDelete(cursor->cxt);
}
