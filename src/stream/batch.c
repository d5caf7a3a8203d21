/*
 * batch.c
 *	  Walking a batch, noting its rejects, binding it to a relation.
 */
#include "postgres.h"

#include "stream/batch.h"
#include "utils/memutils.h"

/* The one binding of this process. */
static Oid	bound_source = InvalidOid;
static Batch *bound_batch = NULL;

void
batch_cursor_start(BatchCursor *cursor, Batch *batch)
{
	cursor->batch = batch;
	cursor->slice = 0;
	cursor->record = 0;
	cursor->ordinal = 0;
}

bool
batch_cursor_next(BatchCursor *cursor, StreamRecord *record)
{
	Batch	   *batch = cursor->batch;

	while (cursor->slice < batch->n_slices)
	{
		const BatchSlice *slice = &batch->slices[cursor->slice];

		if (cursor->record < slice->n_records)
		{
			record->stream = batch->stream;
			record->shard_id = batch->shards[slice->shard].shard_id;
			record->record =
				&slice->page->records[slice->first + cursor->record];
			record->ordinal = cursor->ordinal++;
			cursor->record++;
			return true;
		}
		cursor->slice++;
		cursor->record = 0;
	}
	return false;
}

void
batch_reject(Batch *batch, const StreamRecord *record, int sqlstate,
			 const char *reason)
{
	MemoryContext old;
	BatchReject *reject;

	if (bms_is_member(record->ordinal, batch->rejected))
		return;

	old = MemoryContextSwitchTo(batch->cxt);
	reject = palloc(sizeof(BatchReject));
	reject->record = *record;
	reject->sqlstate = sqlstate;
	reject->reason = pstrdup(reason);
	batch->rejects = lappend(batch->rejects, reject);
	batch->rejected = bms_add_member(batch->rejected, record->ordinal);
	MemoryContextSwitchTo(old);
}

void
batch_free(Batch *batch)
{
	for (int i = 0; i < batch->n_slices; i++)
	{
		if (batch->slices[i].last_of_page)
			kinesis_page_free(batch->slices[i].page);
	}
	MemoryContextDelete(batch->cxt);
}

void
batch_bind(Oid source, Batch *batch)
{
	Assert(bound_batch == NULL);
	bound_source = source;
	bound_batch = batch;
}

void
batch_unbind(void)
{
	bound_source = InvalidOid;
	bound_batch = NULL;
}

Batch *
batch_bound(Oid source)
{
	return source == bound_source ? bound_batch : NULL;
}
