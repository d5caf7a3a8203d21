/*
 * sink_table.c
 *	  The sink of a pipeline with a table as its target.
 *
 * If the table is plain (see table_insert.h), records are decoded directly
 * into its rows, which costs a fraction of executing the command.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "base/clock.h"
#include "miscadmin.h"
#include "pipeline/pipeline_plan.h"
#include "pipeline/pipeline_relation.h"
#include "pipeline/pipeline_sink.h"
#include "pipeline/pipeline_target.h"
#include "pipeline/source_kind.h"
#include "pipeline/table_insert.h"
#include "row/row.h"
#include "utils/rel.h"

/*
 * After a record at least so large the decoder's memory is freed at once,
 * before the record's rows are stored.
 */
#define LARGE_RECORD_BYTES (256 * 1024)

static bool
table_is_of(const Pipeline *pipeline)
{
	return OidIsValid(pipeline->target);
}

/*
 * A decoder that yields rows of target: spec's columns in the order of target.
 * *given is set to the columns that it fills.  NULL if a value would need a
 * cast.
 */
static RowDecoder *
open_decoder(const RowSpec *spec, TupleDesc source, TupleDesc target,
			 const RowLimit *limit, Bitmapset **given)
{
	RowSpec		turned = *spec;

	turned.n_columns = target->natts;
	turned.columns = palloc(target->natts * sizeof(RowColumn));
	for (int i = 0; i < target->natts; i++)
	{
		Form_pg_attribute to = TupleDescAttr(target, i);
		Form_pg_attribute from = pipeline_target_source_column(to, source);

		turned.columns[i].dropped = from == NULL;
		if (from == NULL)
			continue;
		turned.columns[i] = spec->columns[from->attnum - 1];
		if (from->atttypid != to->atttypid ||
			from->atttypmod != to->atttypmod ||
			turned.columns[i].metadata == ROW_META_DECODE_ERROR)
			return NULL;
		*given = bms_add_member(*given, i + 1);
	}
	return row_decoder_open(&turned, target, *given, limit);
}

static uint64
insert_batch(TableInsert *insert, RowDecoder *decoder, Batch *batch)
{
	BatchCursor cursor;
	StreamRecord record;
	uint64		rows = 0;

	batch_cursor_start(&cursor, batch);
	while (batch_cursor_next(&cursor, &record))
	{
		TupleTableSlot *slot = table_insert_slot(insert);
		int			n_rows = row_decode_of_batch(decoder, batch, &record,
												 slot->tts_values,
												 slot->tts_isnull);

		clock_serve_interrupts();
		for (int i = 0; i < n_rows; i++)
		{
			if (i > 0)
			{
				slot = table_insert_slot(insert);
				row_decode_more(decoder, slot->tts_values, slot->tts_isnull);
			}
			table_insert_row(insert, row_decode_bytes(decoder) / n_rows);
		}
		/* the slots have copies of the rows */
		if (row_decode_bytes(decoder) >= LARGE_RECORD_BYTES)
			row_decode_stop(decoder);
		rows += n_rows;
	}
	return rows;
}

/*
 * Do what the command, whose plan is given, would do.  Returns false, and has
 * done nothing, if the caller must execute the command instead: the source has
 * rows, not bytes, the target is not plain, or a column of the target has
 * another type than that of the source.
 */
static bool
insert(const Pipeline *pipeline, SPIPlanPtr plan, Batch *batch, uint64 *rows)
{
	const SourceKind *kind = source_kind_of(pipeline);
	Relation	source;
	Relation	target;
	RowDecoder *decoder = NULL;
	Bitmapset  *given = NULL;
	RowLimit	limit = {
		batch->record_bytes, ROW_LIMIT_OF_BATCH, batch->kept_bytes
	};

	if (kind->row_spec == NULL)
		return false;
	source = pipeline_open_source(pipeline);
	target = pipeline_open_target(pipeline, RowExclusiveLock);
	if (!XactReadOnly)
		decoder = open_decoder(kind->row_spec(source),
							   RelationGetDescr(source),
							   RelationGetDescr(target), &limit, &given);
	if (decoder != NULL && !table_insert_is_plain(target, given))
		decoder = NULL;
	if (decoder != NULL)
	{
		PlanStatement statement;
		TableInsert *insert;

		pipeline_plan_begin(&statement, plan);
		insert = table_insert_begin(target, given);
		*rows = insert_batch(insert, decoder, batch);
		table_insert_end(insert);
		pipeline_plan_end(&statement, *rows);
	}
	table_close(target, NoLock);
	table_close(source, NoLock);
	return decoder != NULL;
}

static uint64
table_write(PipelineSink *sink, Batch *batch)
{
	uint64		rows;

	if (insert(sink->pipeline, pipeline_command_plan(sink->command), batch,
			   &rows))
		return rows;
	return pipeline_command_execute(sink->command, batch);
}

const PipelineSinkOps sink_table_ops = {
	.size = sizeof(PipelineSink),
	.is_of = table_is_of,
	.text = pipeline_command_text,
	.write = table_write
};
