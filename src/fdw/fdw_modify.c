/*
 * fdw_modify.c
 *	  INSERT and COPY into a stream.
 *
 * The writer holds rows until they fill a request.  The last rows are sent at
 * the end of the statement, as part of it, so that it fails if they cannot be
 * published; they are sent earlier if a trigger or a function of the statement
 * reads a stream.  The outbox holds the rows of a pipeline's command instead,
 * until their batch is accepted.
 */
#include "postgres.h"

#include "base/cleanup.h"
#include "base/compat.h"
#include "config/config.h"
#include "fdw/fdw.h"
#include "lib/ilist.h"
#include "row/row.h"
#include "stream/stream_outbox.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

typedef struct StreamModify
{
	dlist_node	node;			/* in the list publishing */
	const EState *query;		/* executor state of the query */
	StreamTable *table;
	TupleDesc	tupdesc;
	bool		has_answer;		/* a column holds what Kinesis answers */
	RowEncoder *encoder;
	MemoryContext writer_cxt;
	MemoryContext row_cxt;		/* reset after every row */
	StreamWriter *writer;
	bool		held;			/* the outbox holds the rows until their batch
								 * is accepted */
	const KinesisPutResult *answer; /* to the last row, if it is wanted */
} StreamModify;

static dlist_head publishing = DLIST_STATIC_INIT(publishing);

static void
forget(void *state)
{
	dlist_delete(&((StreamModify *) state)->node);
}

void
fdw_modify_publish_first(const EState *query)
{
	dlist_iter	iter;

	dlist_foreach(iter, &publishing)
	{
		StreamModify *state = dlist_container(StreamModify, node, iter.cur);

		if (state->query != query && !state->held)
			stream_writer_flush(state->writer);
	}
}

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

static bool
has_answer(const RowSpec *row)
{
	for (int i = 0; i < row->n_columns; i++)
	{
		if (row->columns[i].metadata == ROW_META_SHARD_ID ||
			row->columns[i].metadata == ROW_META_SEQUENCE_NUMBER ||
			row->columns[i].metadata == ROW_META_STREAM)
			return true;
	}
	return false;
}

/* Open a writer, in the current context. */
static StreamWriter *
open_writer(StreamTable *table, Oid userid)
{
	KinesisStream *stream = palloc(sizeof(KinesisStream));

	config_open_stream(CurrentMemoryContext, table, userid, stream);
	return stream_writer_open(CurrentMemoryContext, stream,
							  table->aws.max_retries);
}

/* The writer in the outbox for a relation, which outlives the statement. */
static StreamWriter *
outbox_writer(Relation relation, Oid userid)
{
	Oid			relid = RelationGetRelid(relation);
	StreamWriter *writer = stream_outbox_writer(relid, userid);
	MemoryContext old;

	if (writer != NULL)
		return writer;
	old = MemoryContextSwitchTo(stream_outbox_context());
	writer = open_writer(config_stream_table(relation), userid);
	stream_outbox_add_writer(relid, userid, writer);
	MemoryContextSwitchTo(old);
	return writer;
}

static void
begin_modify(ResultRelInfo *rinfo, EState *estate)
{
	StreamModify *state = palloc0(sizeof(StreamModify));
	Relation	relation = rinfo->ri_RelationDesc;
	Oid			userid = compat_modify_userid(rinfo, estate);
	MemoryContext old;

	state->table = config_stream_table(relation);
	if (state->table->shard != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot publish to foreign table \"%s\", which is one shard",
						RelationGetRelationName(relation)),
				 errdetail("A record's shard follows from its partition key."),
				 errhint("Insert into a foreign table of the stream without the option \"shard\".")));
	state->query = estate;
	state->tupdesc = RelationGetDescr(relation);
	state->has_answer = has_answer(&state->table->row);
	state->encoder = row_encoder_open(&state->table->row, state->tupdesc,
									  ExecGetInsertedCols(rinfo, estate));
	state->writer_cxt = AllocSetContextCreate(estate->es_query_cxt,
											  "tracking_fdw publish",
											  ALLOCSET_DEFAULT_SIZES);
	state->row_cxt = AllocSetContextCreate(state->writer_cxt,
										   "tracking_fdw row",
										   ALLOCSET_DEFAULT_SIZES);
	state->held = stream_outbox_context() != NULL;
	old = MemoryContextSwitchTo(state->writer_cxt);
	state->writer = state->held ? outbox_writer(relation, userid) :
		open_writer(state->table, userid);
	MemoryContextSwitchTo(old);
	stream_writer_begin(state->writer);
	dlist_push_tail(&publishing, &state->node);
	cleanup_register(state->writer_cxt, forget, state);
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

/* What Kinesis answered for a column that holds it, or NULL. */
static const char *
answer_for(const StreamModify *state, int column)
{
	switch (state->table->row.columns[column].metadata)
	{
		case ROW_META_SHARD_ID:
			return state->answer->shard_id;
		case ROW_META_SEQUENCE_NUMBER:
			return state->answer->sequence_number;
		case ROW_META_STREAM:
			return state->table->stream;
		default:
			return NULL;
	}
}

/*
 * Store the row as it was published in the slot, whatever kind of slot it is.
 */
static void
fill_answer(StreamModify *state, TupleTableSlot *slot)
{
	int			n = state->tupdesc->natts;
	Datum	   *values = palloc0(n * sizeof(Datum));
	bool	   *isnull = palloc0(n * sizeof(bool));
	bool	   *replaced = palloc0(n * sizeof(bool));
	bool		is_copy;
	HeapTuple	row = ExecFetchSlotHeapTuple(slot, false, &is_copy);

	for (int i = 0; i < n; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(state->tupdesc, i);
		const char *text = answer_for(state, i);
		Oid			input;
		Oid			ioparam;

		if (text == NULL)
			continue;
		getTypeInputInfo(attribute->atttypid, &input, &ioparam);
		values[i] = OidInputFunctionCall(input, unconstify(char *, text),
										 ioparam, attribute->atttypmod);
		replaced[i] = true;
	}
	row = heap_modify_tuple(row, state->tupdesc, values, isnull, replaced);
	MemoryContextSwitchTo(slot->tts_mcxt);
	ExecForceStoreHeapTuple(heap_copytuple(row), slot, true);
}

/* Will a RETURNING clause or a trigger see what Kinesis answers? */
static bool
wants_answer(const StreamModify *state, const ResultRelInfo *rinfo)
{
	return rinfo->ri_projectReturning != NULL ||
		(state->has_answer && rinfo->ri_TrigDesc != NULL &&
		 rinfo->ri_TrigDesc->trig_insert_after_row);
}

static void
publish(StreamModify *state, const KinesisPutRecord *record, bool now)
{
	int64		row = stream_writer_check(state->writer, record);

	if (state->held)
	{
		stream_outbox_add(state->writer, row, record);
		if (now)
			state->answer = stream_outbox_send();
		return;
	}
	stream_writer_add(state->writer, row, record, NULL);
	if (!now)
		return;
	stream_writer_flush(state->writer);
	state->answer = stream_writer_last(state->writer);
}

TupleTableSlot *
trackingExecForeignInsert(EState *estate, ResultRelInfo *rinfo,
						  TupleTableSlot *slot, TupleTableSlot *planSlot)
{
	StreamModify *state = rinfo->ri_FdwState;
	MemoryContext old = MemoryContextSwitchTo(state->row_cxt);
	RowEncoded	row;
	KinesisPutRecord record;
	bool		answered;

	(void) estate;
	(void) planSlot;
	slot_getallattrs(slot);
	row_encode(state->encoder, slot->tts_values, slot->tts_isnull, &row);
	record.data = row.data;
	record.data_bytes = row.data_bytes;
	record.partition_key = row.partition_key;
	record.explicit_hash_key = row.explicit_hash_key;
	answered = wants_answer(state, rinfo);
	publish(state, &record, answered);
	if (answered)
		fill_answer(state, slot);
	MemoryContextSwitchTo(old);
	MemoryContextReset(state->row_cxt);
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
	if (!state->held)
		stream_writer_flush(state->writer);
	MemoryContextDelete(state->writer_cxt);
	rinfo->ri_FdwState = NULL;
}

void
trackingEndForeignInsert(EState *estate, ResultRelInfo *rinfo)
{
	trackingEndForeignModify(estate, rinfo);
}
