/*
 * fdw_scan.c
 *	  Scanning a stream: live to its tip, or the batch bound to its relation.
 */
#include "postgres.h"

#include "base/blame.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/compat.h"
#include "config/config.h"
#include "config/guc.h"
#include "fdw/fdw.h"
#include "miscadmin.h"
#include "row/row.h"
#include "stream/stream_reader.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#define READ_PAST_HINT \
	"To read past such records, set the foreign table's option \"on_error\" to \"null\" or \"skip\"."
#define UNSAFE_HINT \
	"Declare the function that reads the stream PARALLEL UNSAFE: such a record cannot be read past in a parallel query."

typedef struct StreamScan
{
	StreamTable *table;
	RowDecoder *decoder;
	bool		soft;			/* a record that cannot be decoded raises no
								 * error */
	int64		n_empty;		/* empty records that gave no row */

	/* the batch bound to the relation, or NULL ... */
	Batch	   *batch;
	BatchCursor cursor;

	/* ... and if that is NULL, the stream */
	MemoryContext reader_cxt;	/* of what follows; NULL before the first row */
	KinesisStream stream;
	StreamReader *reader;
} StreamScan;

void
trackingBeginForeignScan(ForeignScanState *node, int eflags)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	Relation	relation = node->ss.ss_currentRelation;
	StreamScan *state;
	RowLimit	limit = {guc_scan_memory_bytes(), ROW_LIMIT_OF_SCAN, 0};
	Bitmapset  *wanted = NULL;
	ListCell   *cell;

	/* Do nothing in EXPLAIN (no ANALYZE) case: node->fdw_state stays NULL. */
	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;

	state = palloc0(sizeof(StreamScan));
	state->table = config_stream_table(relation);
	foreach(cell, plan->fdw_private)
		wanted = bms_add_member(wanted, lfirst_int(cell));
	state->batch = batch_bound(RelationGetRelid(relation));
	/* a scan may trust that each record is one document, a pipeline may not */
	state->table->row.trusts = state->table->row.one_document &&
		state->batch == NULL;
	if (state->batch != NULL)
	{
		batch_cursor_start(&state->cursor, state->batch);
		limit.bytes = state->batch->record_bytes;
		limit.setting = ROW_LIMIT_OF_BATCH;
		limit.taken = state->batch->kept_bytes;
	}
	state->decoder = row_decoder_open(&state->table->row,
									  RelationGetDescr(relation), wanted,
									  &limit);
	state->soft = state->batch != NULL ||
		state->table->row.on_error != ROW_ON_ERROR_RAISE;
	if (state->soft && row_decoder_takes_subtransactions(state->decoder))
		compat_forgo_parallel_mode(node->ss.ps.state);
	node->fdw_state = state;
}

/* The shards to read: one, if the table says so, else all. */
static void
add_shards(StreamScan *state)
{
	List	   *shards = kinesis_list_shards(&state->stream);
	const char *only = state->table->shard;
	ListCell   *cell;

	foreach(cell, shards)
	{
		KinesisShard *shard = lfirst(cell);

		if (only == NULL || strcmp(shard->shard_id, only) == 0)
			stream_reader_add(state->reader, shard, &state->table->start, 0);
	}
	if (only != NULL && stream_reader_shards(state->reader) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_TABLE_NOT_FOUND),
				 errmsg("stream \"%s\" has no shard \"%s\"",
						state->stream.name, only),
				 errhint("It may have expired. See what the stream has with a table without the option \"shard\" and a column with metadata \"shard_id\".")));
}

/*
 * Connect, when the first row is asked for: a plan node that is never run
 * costs nothing.
 */
static void
open_reader(ForeignScanState *node)
{
	StreamScan *state = node->fdw_state;
	StreamReaderOptions options = {
		.until = READ_TO_TIP,
		.budget_bytes = guc_scan_memory_bytes(),
		.batch_rows = KINESIS_GET_RECORDS_LIMIT
	};
	MemoryContext old;

	fdw_modify_publish_first(node->ss.ps.state);
	state->reader_cxt = AllocSetContextCreate(node->ss.ps.state->es_query_cxt,
											  "tracking_fdw scan",
											  ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(state->reader_cxt);
	config_open_stream(state->reader_cxt, state->table,
					   compat_scan_userid(node), &state->stream);
	state->reader = stream_reader_open(state->reader_cxt, &state->stream,
									   &options);
	add_shards(state);
	MemoryContextSwitchTo(old);
}

/* Says which record an error is about; an auxiliary function of ereport(). */
static int
errcontext_record(const StreamRecord *record)
{
	const KinesisRecord *kinesis = record->record;

	if (kinesis->sub_sequence >= 0)
		return errcontext("record %.*s:%d of shard \"%s\", stream \"%s\"",
						  kinesis->sequence_number_digits,
						  kinesis->sequence_number, kinesis->sub_sequence,
						  record->shard_id, record->stream);
	return errcontext("record %.*s of shard \"%s\", stream \"%s\"",
					  kinesis->sequence_number_digits,
					  kinesis->sequence_number,
					  record->shard_id, record->stream);
}

pg_noreturn static void
raise_undecodable(const StreamRecord *record, const RowError *error)
{
	ereport(ERROR,
			(errcode(error->sqlstate),
			 errmsg("%s", error->message),
			 error->column != NULL ?
			 errdetail("Column \"%s\" cannot take the record.",
					   error->column) : 0,
			 error->setting == NULL ? errhint(READ_PAST_HINT) :
			 errhint("Raise %s. " READ_PAST_HINT, error->setting),
			 errcontext_record(record)));
}

/* A record that is being decoded, for errors. */
typedef struct DecodeContext
{
	const StreamRecord *record;
	bool		soft;
} DecodeContext;

/* Says which record an input function failed on, and what can be done. */
static void
decode_error_callback(void *arg)
{
	const DecodeContext *context = arg;

	if (blame_of(geterrcode()) != BLAME_NO_RECORD)
		errhint(context->soft ? UNSAFE_HINT : READ_PAST_HINT);
	errcontext_record(context->record);
}

/* Decode a record into the slot; returns as row_decode() does. */
static int
decode(StreamScan *state, StreamRecord *record, TupleTableSlot *slot,
	   RowError *error)
{
	DecodeContext context = {record, state->soft};
	ErrorContextCallback callback = {
		.previous = error_context_stack,
		.callback = decode_error_callback,
		.arg = &context
	};
	int			n_rows;

	error_context_stack = &callback;
	if (state->batch != NULL)
		n_rows = row_decode_of_batch(state->decoder, state->batch, record,
									 slot->tts_values, slot->tts_isnull);
	else
		n_rows = row_decode(state->decoder, record, state->soft,
							slot->tts_values, slot->tts_isnull, error);
	error_context_stack = callback.previous;
	return n_rows;
}

/*
 * Fill the slot from a record.  False if the record gives no row: it holds
 * none, the table's options skip it, or it became a reject of the batch.
 */
static bool
store_record(StreamScan *state, StreamRecord *record, TupleTableSlot *slot)
{
	RowError	error;
	int			n_rows = decode(state, record, slot, &error);

	state->n_empty += row_decode_was_empty(state->decoder);
	if (n_rows == ROW_UNDECODABLE)
	{
		if (state->table->row.on_error == ROW_ON_ERROR_RAISE)
			raise_undecodable(record, &error);
		if (state->table->row.on_error == ROW_ON_ERROR_SKIP)
			return false;
	}
	return n_rows != 0;
}

/* The next record of the batch or of the stream. */
static bool
next_record(StreamScan *state, StreamRecord *record)
{
	return state->batch != NULL ?
		batch_cursor_next(&state->cursor, record) :
		stream_reader_next(state->reader, record);
}

TupleTableSlot *
trackingIterateForeignScan(ForeignScanState *node)
{
	StreamScan *state = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;
	StreamRecord record;

	clock_serve_interrupts();
	if (state->batch == NULL && state->reader_cxt == NULL)
		open_reader(node);
	ExecClearTuple(slot);
	if (row_decode_more(state->decoder, slot->tts_values, slot->tts_isnull))
		return ExecStoreVirtualTuple(slot);
	while (next_record(state, &record))
	{
		if (store_record(state, &record, slot))
			return ExecStoreVirtualTuple(slot);
		clock_serve_interrupts();
	}
	return slot;
}

static void
close_reader(StreamScan *state)
{
	if (state->reader_cxt != NULL)
	{
		MemoryContextDelete(state->reader_cxt);
		buffer_trim();
	}
	state->reader_cxt = NULL;
	state->reader = NULL;
}

void
trackingReScanForeignScan(ForeignScanState *node)
{
	StreamScan *state = node->fdw_state;

	row_decode_stop(state->decoder);
	if (state->batch != NULL)
		batch_cursor_start(&state->cursor, state->batch);
	else
		close_reader(state);
}

void
trackingEndForeignScan(ForeignScanState *node)
{
	/* if fdw_state is NULL, we are in EXPLAIN; nothing to do */
	if (node->fdw_state != NULL)
		close_reader(node->fdw_state);
}

void
trackingExplainForeignScan(ForeignScanState *node, ExplainState *es)
{
	StreamScan *state = node->fdw_state;
	StreamTable *table;
	const AwsStats *stats;

	table = state != NULL ? state->table :
		config_stream_table(node->ss.ss_currentRelation);
	ExplainPropertyText("Stream", table->stream, es);
	if (table->shard != NULL)
		ExplainPropertyText("Shard", table->shard, es);
	if (!es->analyze || state == NULL || state->reader == NULL)
		return;

	stats = aws_client_stats(state->stream.aws);
	ExplainPropertyInteger("Shards", NULL,
						   stream_reader_shards(state->reader), es);
	ExplainPropertyInteger("Calls", NULL, stats->calls, es);
	ExplainPropertyInteger("Received", "B", stats->bytes_received, es);
	if (es->verbose || stats->retries > 0)
		ExplainPropertyInteger("Retries", NULL, stats->retries, es);
	if (es->verbose || stats->throttles > 0)
		ExplainPropertyInteger("Throttled", NULL, stats->throttles, es);
	if (es->verbose || state->n_empty > 0)
		ExplainPropertyInteger("Empty", NULL, state->n_empty, es);
	if (es->timing)
		ExplainPropertyInteger("Waited", "ms", stats->wait_ms, es);
}
