/*
 * source_kind_table.c
 *	  A table as the source of a pipeline.
 *
 * A row is a record: its key is the record's sequence number, and the name of
 * the key column is the id of the one shard.
 */
#include "postgres.h"

#include "pipeline/pipeline_bounds.h"
#include "pipeline/pipeline_source.h"
#include "pipeline/source_key.h"
#include "pipeline/source_kind.h"
#include "utils/builtins.h"

static bool
table_is_of(const Pipeline *pipeline)
{
	return pipeline->source_key != NULL;
}

static bool
table_reads_column(const Pipeline *pipeline, const char *column)
{
	return strcmp(column, pipeline->source_key) == 0;
}

static void
table_check_settings(const Pipeline *pipeline)
{
	if (pipeline->workers > 1)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a pipeline whose source is a table has one worker"),
				 errhint("Use workers => 1. Larger batches make fewer transactions: batch_rows, batch_bytes, max_latency.")));
}

static void
table_start(const Pipeline *pipeline, const char *start_at, bool of_shard,
			StreamPosition *position)
{
	(void) of_shard;			/* a table has one shard only */
	source_key_start(pipeline, start_at, position);
}

static const char *
table_condition(const Pipeline *pipeline)
{
	const char *key = quote_identifier(pipeline->source_key);

	return psprintf(" WHERE %s OPERATOR(pg_catalog.>) $1"
					" AND %s OPERATOR(pg_catalog.<=) $2 ORDER BY %s",
					key, key, key);
}

/*
 * A dead letter has its row's key as its sequence number; the row itself is
 * read from the table.
 */
static void
table_recall(const Pipeline *pipeline, Batch *batch)
{
	BatchCursor cursor;
	StreamRecord record;

	batch->keys = MemoryContextAlloc(batch->cxt,
									 batch->n_records * sizeof(int64));
	batch_cursor_start(&cursor, batch);
	while (batch_cursor_next(&cursor, &record))
	{
		int64		key = pg_strtoint64(kinesis_record_sequence(record.record));
		int			n;

		batch->keys[record.ordinal] = key;
		pfree(source_key_list(pipeline, key - 1, key, 1, &n));
		if (n == 0)
			batch_reject(batch, &record, ERRCODE_NO_DATA_FOUND,
						 psprintf("the row with %s = " INT64_FORMAT " is no longer in table \"%s\"",
								  quote_identifier(pipeline->source_key), key,
								  batch->stream));
	}
}

static List *
table_servers(const Pipeline *pipeline)
{
	(void) pipeline;
	return NIL;
}

const SourceKind source_kind_table = {
	.is_of = table_is_of,
	.shape = &source_shape_table,
	.choose_key = source_key_choose,
	.reads_column = table_reads_column,
	.check_settings = table_check_settings,
	.check_content = source_key_check_rows,
	.start = table_start,
	.prepare = pipeline_bounds_prepare,
	.params = pipeline_bounds_values,
	.condition = table_condition,
	.recall = table_recall,
	.servers = table_servers,
	.open = source_table_open
};
