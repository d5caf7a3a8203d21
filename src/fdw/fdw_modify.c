/*
 * fdw_modify.c
 *	  INSERT and COPY into a stream.
 *
 * Rows wait in the writer until they fill a request; the last of them leave
 * at the statement's end, inside it, so that what could not be published
 * fails the statement.
 */
#include "postgres.h"

#include "base/compat.h"
#include "config/config.h"
#include "fdw/fdw.h"
#include "row/row.h"
#include "stream/stream_writer.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

typedef struct StreamModify
{
	StreamTable *table;
	TupleDesc	tupdesc;
	RowEncoder *encoder;
	MemoryContext writer_cxt;
	MemoryContext row_cxt;		/* reset after every row */
	KinesisStream stream;
	StreamWriter *writer;
} StreamModify;

int
trackingIsForeignRelUpdatable(Relation rel)
{
	(void) rel;
	return 1 << CMD_INSERT;
}

List *
trackingPlanForeignModify(PlannerInfo *root, ModifyTable *plan,
						  Index resultRelation, int subplan_index)
{
	(void) root;
	(void) resultRelation;
	(void) subplan_index;
	if (plan->onConflictAction != ONCONFLICT_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("INSERT with ON CONFLICT is not supported on a stream"),
				 errdetail("A stream has no keys.")));
	return NIL;
}

static void
begin_modify(ResultRelInfo *rinfo, EState *estate)
{
	StreamModify *state = palloc0(sizeof(StreamModify));
	Relation	relation = rinfo->ri_RelationDesc;

	state->table = config_stream_table(relation);
	if (state->table->shard != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot publish to foreign table \"%s\", which is one shard",
						RelationGetRelationName(relation)),
				 errdetail("A record's shard follows from its partition key."),
				 errhint("Insert into a foreign table of the stream without the option \"shard\".")));
	state->tupdesc = RelationGetDescr(relation);
	config_credentials(state->table, compat_modify_userid(rinfo, estate));
	state->encoder = row_encoder_open(&state->table->row, state->tupdesc);
	state->writer_cxt = AllocSetContextCreate(estate->es_query_cxt,
											  "tracking_fdw publish",
											  ALLOCSET_DEFAULT_SIZES);
	state->row_cxt = AllocSetContextCreate(state->writer_cxt,
										   "tracking_fdw row",
										   ALLOCSET_DEFAULT_SIZES);
	state->stream.aws = aws_client_open(state->writer_cxt, &state->table->aws,
										"kinesis");
	state->stream.name = state->table->stream;
	state->writer = stream_writer_open(state->writer_cxt, &state->stream,
									   state->table->aws.max_retries);
	rinfo->ri_FdwState = state;
}

void
trackingBeginForeignModify(ModifyTableState *mtstate, ResultRelInfo *rinfo,
						   List *fdw_private, int subplan_index, int eflags)
{
	(void) fdw_private;
	(void) subplan_index;
	/* Do nothing in EXPLAIN (no ANALYZE) case: ri_FdwState stays NULL. */
	if (!(eflags & EXEC_FLAG_EXPLAIN_ONLY))
		begin_modify(rinfo, mtstate->ps.state);
}

void
trackingBeginForeignInsert(ModifyTableState *mtstate, ResultRelInfo *rinfo)
{
	begin_modify(rinfo, mtstate->ps.state);
}

/* What Kinesis answered, for the columns that hold it. */
static void
fill_answer(StreamModify *state, TupleTableSlot *slot)
{
	const KinesisPutResult *answer = stream_writer_last(state->writer);

	for (int i = 0; i < state->tupdesc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(state->tupdesc, i);
		const char *text;
		Oid			input;
		Oid			ioparam;

		switch (state->table->row.columns[i].metadata)
		{
			case ROW_META_SHARD_ID:
				text = answer->shard_id;
				break;
			case ROW_META_SEQUENCE_NUMBER:
				text = answer->sequence_number;
				break;
			case ROW_META_STREAM:
				text = state->table->stream;
				break;
			default:
				continue;
		}
		getTypeInputInfo(attribute->atttypid, &input, &ioparam);
		slot->tts_values[i] = OidInputFunctionCall(input,
												   unconstify(char *, text),
												   ioparam,
												   attribute->atttypmod);
		slot->tts_isnull[i] = false;
	}
}

TupleTableSlot *
trackingExecForeignInsert(EState *estate, ResultRelInfo *rinfo,
						  TupleTableSlot *slot, TupleTableSlot *planSlot)
{
	StreamModify *state = rinfo->ri_FdwState;
	MemoryContext old = MemoryContextSwitchTo(state->row_cxt);
	RowEncoded	row;
	KinesisPutRecord record;

	(void) estate;
	(void) planSlot;
	slot_getallattrs(slot);
	row_encode(state->encoder, slot->tts_values, slot->tts_isnull, &row);
	record.data = row.data;
	record.data_bytes = row.data_bytes;
	record.partition_key = row.partition_key;
	record.explicit_hash_key = row.explicit_hash_key;
	stream_writer_add(state->writer, &record);
	MemoryContextSwitchTo(old);
	MemoryContextReset(state->row_cxt);
	if (rinfo->ri_projectReturning != NULL)
	{
		stream_writer_flush(state->writer);
		fill_answer(state, slot);
	}
	return slot;
}

void
trackingEndForeignModify(EState *estate, ResultRelInfo *rinfo)
{
	StreamModify *state = rinfo->ri_FdwState;

	(void) estate;
	/* if ri_FdwState is NULL, we are in EXPLAIN; nothing to do */
	if (state == NULL)
		return;
	stream_writer_flush(state->writer);
	MemoryContextDelete(state->writer_cxt);
	rinfo->ri_FdwState = NULL;
}

void
trackingEndForeignInsert(EState *estate, ResultRelInfo *rinfo)
{
	trackingEndForeignModify(estate, rinfo);
}
