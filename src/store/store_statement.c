/*
 * store_statement.c
 *	  Statements and COPY at a store.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "store/store_wire.h"

/* ----------------------------------------------------------------
 * Statements
 * ---------------------------------------------------------------- */

/*
 * Check values, which the remote has promised to send in the database's
 * encoding: nobody else checks, and what is stored here must be valid.
 */
static void
check_texts(const StoreConnection *connection, const PGresult *result)
{
	int			encoding = GetDatabaseEncoding();

	for (int row = 0; row < PQntuples(result); row++)
	{
		for (int column = 0; column < PQnfields(result); column++)
		{
			int			length = PQgetlength(result, row, column);

			if (pg_encoding_verifymbstr(encoding,
										PQgetvalue(result, row, column),
										length) != length)
				ereport(ERROR,
						(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
						 errmsg("store \"%s\" returned a text that is not valid in encoding \"%s\"",
								connection->server,
								pg_encoding_to_char(encoding))));
		}
	}
}

/* Read all results of the statement; returns the last, or that of an error. */
static PGresult *
last_result(StoreConnection *connection)
{
	PGresult   *last = NULL;
	PGresult   *result;

	while ((result = store_next_plain_result(connection)) != NULL)
	{
		store_keep_result(result);
		/* an error is not followed by another result that matters */
		if (last == NULL || PQresultStatus(last) != PGRES_FATAL_ERROR)
			last = result;
	}
	store_set_idle(connection);
	if (last == NULL)
		store_raise_connection(connection, "lost the connection to");
	check_texts(connection, last);
	return last;
}

static bool
has_succeeded(const PGresult *result)
{
	switch (PQresultStatus(result))
	{
		case PGRES_COMMAND_OK:
		case PGRES_TUPLES_OK:
		case PGRES_EMPTY_QUERY:
			return true;
		default:
			return false;
	}
}

static PGresult *
finish_query(StoreConnection *connection, const char *sql)
{
	PGresult   *result = last_result(connection);

	if (!has_succeeded(result))
		store_raise_result(connection, result, sql);
	return result;
}

PGresult *
store_query(StoreConnection *connection, const char *sql, int n_params,
			const char *const *params)
{
	store_send_query(connection, sql, n_params, params);
	return finish_query(connection, sql);
}

PGresult *
store_ask(StoreConnection *connection, const char *sql)
{
	PGresult   *result;

	store_send_query(connection, sql, 0, NULL);
	result = last_result(connection);
	return has_succeeded(result) ? result : NULL;
}

int64
store_load(StoreConnection *connection, const char *sql)
{
	store_send_query(connection, sql, 0, NULL);
	return store_affected(finish_query(connection, NULL));
}

int64
store_affected(PGresult *result)
{
	const char *rows = PQcmdTuples(result);

	return rows[0] == '\0' ? 0 : strtoll(rows, NULL, 10);
}

char *
store_value(const char *server, const PGresult *result, int row, int column)
{
	char	   *value;

	if (row >= PQntuples(result) || column >= PQnfields(result))
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("store \"%s\" returned only %d rows of %d columns",
						server, PQntuples(result), PQnfields(result))));
	value = PQgetvalue(result, row, column);
	pg_verifymbstr(value, PQgetlength(result, row, column), false);
	return value;
}

/* ----------------------------------------------------------------
 * COPY FROM STDIN
 * ---------------------------------------------------------------- */

void
store_copy_begin(StoreConnection *connection, const char *sql,
				 StoreYield yield, void *arg)
{
	PGresult   *result;

	store_make_way(connection);
	store_send_query(connection, sql, 0, NULL);
	result = store_next_result(connection);
	if (result != NULL)
		store_keep_result(result);
	if (result != NULL && PQresultStatus(result) == PGRES_COPY_IN)
	{
		connection->copying = true;
		connection->yield = yield;
		connection->yield_arg = arg;
		return;
	}
	store_end_statement(connection);
	if (result == NULL)
		store_raise_connection(connection, "lost the connection to");
	store_raise_result(connection, result, sql);
}

/*
 * The remote takes no more of a COPY: raise the error that its result gives.
 */
pg_noreturn static void
raise_copy(StoreConnection *connection)
{
	(void) finish_query(connection, NULL);
	store_raise_connection(connection, "lost the connection to");
}

void
store_copy_data(StoreConnection *connection, const char *data, size_t bytes)
{
	int			sent;

	/* let libpq learn of it if the COPY has failed already */
	if (!PQconsumeInput(connection->conn))
		raise_copy(connection);
	while ((sent = PQputCopyData(connection->conn, data, (int) bytes)) == 0)
		store_flush(connection);
	if (sent < 0)
		raise_copy(connection);
	store_flush(connection);
}

int64
store_copy_end(StoreConnection *connection)
{
	int			sent;

	while ((sent = PQputCopyEnd(connection->conn, NULL)) == 0)
		store_flush(connection);
	if (sent < 0)
		raise_copy(connection);
	return store_affected(finish_query(connection, NULL));
}
