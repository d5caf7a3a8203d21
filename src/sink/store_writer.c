/*
 * store_writer.c
 *	  Rows into a table of a store: which method, and what all have in common.
 */
#include "postgres.h"

#include "sink/store_session.h"
#include "sink/store_writer.h"
#include "utils/memutils.h"

struct StoreWriter
{
	StoreLoad	load;
	const StoreMethod *method;
	void	   *state;
};

static StoreLoadMethod
effective_method(const StoreServer *server, const StoreTable *table,
				 StoreDialect dialect)
{
	if (table->load_method != STORE_LOAD_DEFAULT)
		return table->load_method;
	if (server->load_method != STORE_LOAD_DEFAULT)
		return server->load_method;
	return dialect == STORE_DIALECT_REDSHIFT ? STORE_LOAD_COPY_S3 :
		STORE_LOAD_COPY_STDIN;
}

static const StoreMethod *
find_method(StoreLoadMethod method)
{
	switch (method)
	{
		case STORE_LOAD_COPY_STDIN:
			return &store_copy_stdin;
		case STORE_LOAD_INSERT:
			return &store_insert;
		default:
			return &store_copy_s3;
	}
}

StoreWriter *
store_writer_begin(MemoryContext cxt, const StoreServer *server,
				   const StoreTable *table, TupleDesc tupdesc)
{
	StoreDialect dialect = store_dialect(store_session_use(server));
	MemoryContext old = MemoryContextSwitchTo(cxt);
	StoreWriter *writer = palloc0(sizeof(StoreWriter));

	writer->load.server = server;
	writer->load.table = table;
	writer->load.cxt = cxt;
	writer->method = find_method(effective_method(server, table, dialect));
	writer->load.encoder = store_encoder_open(table, tupdesc, dialect);
	writer->state = writer->method->begin(&writer->load);
	MemoryContextSwitchTo(old);
	return writer;
}

void
store_writer_row(StoreWriter *writer, const Datum *values, const bool *isnull)
{
	store_encode(writer->load.encoder, values, isnull);
	writer->method->row(writer->state);
}

int64
store_writer_end(StoreWriter *writer)
{
	writer->method->end(writer->state);
	return writer->load.n_stored;
}

void
store_append_table(StringInfo sql, const StoreTable *table)
{
	appendStringInfo(sql, "%s.%s", store_quote_identifier(table->schema),
					 store_quote_identifier(table->name));
}

void
store_append_columns(StringInfo sql, const StoreEncoder *encoder)
{
	for (int i = 0; i < encoder->n_columns; i++)
		appendStringInfo(sql, "%s%s", i > 0 ? ", " : "",
						 store_quote_identifier(encoder->columns[i].name));
}
