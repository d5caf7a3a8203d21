/*
 * store_writer.c
 *	  Loads rows into a table of a store: chooses the load method, and does
 *	  what all methods have in common.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "store/dialect.h"
#include "store/store_session.h"
#include "store/store_use.h"
#include "store/store_writer.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

struct StoreWriter
{
	StoreLoad	load;
	const StoreMethod *method;
	void	   *state;
	StoreUse	use;
	bool		began;			/* a row was taken */
	bool		holds;			/* a row was taken that may not be in the
								 * store */

	/* the rows, if they are to stay here until the query has ended */
	Tuplestorestate *kept;
	TupleDesc	tupdesc;
	TupleTableSlot *slot;
};

const char *const store_load_method_names[] = {
	[STORE_LOAD_COPY_S3] = "copy_s3",
	[STORE_LOAD_COPY_STDIN] = "copy_stdin",
	[STORE_LOAD_INSERT] = "insert",
	NULL
};

static const StoreMethod *const methods[] = {
	[STORE_LOAD_COPY_S3] = &store_copy_s3,
	[STORE_LOAD_COPY_STDIN] = &store_copy_stdin,
	[STORE_LOAD_INSERT] = &store_insert
};

StaticAssertDecl(lengthof(store_load_method_names) == STORE_LOAD_INSERT + 2 &&
				 lengthof(methods) == STORE_LOAD_INSERT + 1,
				 "each StoreLoadMethod has a name and its functions");

static StoreLoadMethod
effective_method(const StoreServer *server, const StoreTable *table,
				 const StoreDialect *dialect)
{
	if (table->load_method != STORE_LOAD_DEFAULT)
		return table->load_method;
	if (server->load_method != STORE_LOAD_DEFAULT)
		return server->load_method;
	return dialect->load_method;
}

/* Encode a row, and hand it to the load method. */
static void
write_row(StoreWriter *writer, const Datum *values, const bool *isnull)
{
	store_encode(writer->load.encoder, values, isnull);
	writer->method->row(writer->state);
}

/* Send all rows so far to the store. */
static void
send_held(void *arg)
{
	StoreWriter *writer = arg;

	if (!writer->holds)
		return;
	writer->holds = false;
	if (writer->kept != NULL)
	{
		while (tuplestore_gettupleslot(writer->kept, true, false,
									   writer->slot))
		{
			slot_getallattrs(writer->slot);
			write_row(writer, writer->slot->tts_values,
					  writer->slot->tts_isnull);
		}
		tuplestore_clear(writer->kept);
	}
	writer->method->send(writer->state);
}

/* Note the load, and make earlier loads and scans go first. */
static void
note_use(StoreWriter *writer, const void *query)
{
	writer->use.kind = STORE_USE_LOAD;
	writer->use.mapping = writer->load.server->mapping;
	writer->use.query = query;
	writer->use.depth = GetCurrentTransactionNestLevel();
	writer->use.go = send_held;
	writer->use.arg = writer;
	store_use_note(writer->load.cxt, &writer->use);
	store_use_loads_first(&writer->use);
	store_use_scans_first(&writer->use);
}

StoreWriter *
store_writer_begin(MemoryContext cxt, const StoreServer *server,
				   const StoreTable *table, TupleDesc tupdesc,
				   const void *query)
{
	const StoreDialect *dialect = store_dialect(store_session_use(server));
	MemoryContext old = MemoryContextSwitchTo(cxt);
	StoreWriter *writer = palloc0(sizeof(StoreWriter));

	writer->load.server = server;
	writer->load.table = table;
	writer->load.cxt = cxt;
	writer->method = methods[effective_method(server, table, dialect)];
	writer->load.encoder = store_encoder_open(table, tupdesc, dialect);
	writer->state = writer->method->begin(&writer->load);
	writer->tupdesc = tupdesc;
	note_use(writer, query);
	MemoryContextSwitchTo(old);
	return writer;
}

/* Decide where rows go: at the first row, all scans of the query are known. */
static void
begin_rows(StoreWriter *writer)
{
	MemoryContext old;

	writer->began = true;
	if (writer->method->holds_all || !store_use_is_scanned(&writer->use))
		return;
	old = MemoryContextSwitchTo(writer->load.cxt);
	writer->kept = tuplestore_begin_heap(false, false, work_mem);
	writer->slot = MakeSingleTupleTableSlot(writer->tupdesc,
											&TTSOpsMinimalTuple);
	MemoryContextSwitchTo(old);
}

void
store_writer_row(StoreWriter *writer, const Datum *values, const bool *isnull)
{
	if (!writer->began)
		begin_rows(writer);
	writer->holds = true;
	if (writer->kept != NULL)
		tuplestore_putvalues(writer->kept, writer->tupdesc,
							 unconstify(Datum *, values),
							 unconstify(bool *, isnull));
	else
		write_row(writer, values, isnull);
}

int64
store_writer_end(StoreWriter *writer)
{
	send_held(writer);
	if (writer->kept != NULL)
	{
		ExecDropSingleTupleTableSlot(writer->slot);
		tuplestore_end(writer->kept);
	}
	return writer->load.n_stored;
}
