/*
 * batch.c
 *	  Walking a batch, noting what gives no row, binding it to a relation.
 */
#include "postgres.h"

#include "stream/batch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* The bindings of this process, the innermost first. */
static const BatchBinding *bound = NULL;

void
batch_cursor_start(BatchCursor *cursor, Batch *batch)
{
	int64		skipped = 0;

	cursor->batch = batch;
	cursor->slice = 0;
	while (cursor->slice < batch->n_slices &&
		   skipped + batch->slices[cursor->slice].n_records <= batch->first)
		skipped += batch->slices[cursor->slice++].n_records;
	cursor->record = batch->first - skipped;
	cursor->ordinal = batch->first;
}

bool
batch_cursor_next(BatchCursor *cursor, StreamRecord *record)
{
	Batch	   *batch = cursor->batch;

	while (cursor->ordinal < batch->end)
	{
		const BatchSlice *slice = &batch->slices[cursor->slice];

		if (cursor->record < slice->n_records)
		{
			record->stream = batch->stream;
			record->shard_id = batch->shards[slice->shard].shard_id;
			record->record = &slice->records[cursor->record];
			record->ordinal = cursor->ordinal++;
			cursor->record++;
			if (!bms_is_member(record->ordinal, batch->rejected))
				return true;
			continue;
		}
		cursor->slice++;
		cursor->record = 0;
	}
	return false;
}

void
batch_restrict(Batch *batch, int64 first, int64 end)
{
	batch->first = first;
	batch->end = end;
}

void
batch_record(Batch *batch, int64 ordinal, StreamRecord *record)
{
	BatchCursor cursor;
	int64		first = batch->first;
	int64		end = batch->end;
	Bitmapset  *rejected = batch->rejected;

	batch->rejected = NULL;
	batch_restrict(batch, ordinal, ordinal + 1);
	batch_cursor_start(&cursor, batch);
	batch_cursor_next(&cursor, record);
	batch_restrict(batch, first, end);
	batch->rejected = rejected;
}

char *
batch_sequence(const Batch *batch, const StreamRecord *record)
{
	if (batch->keys == NULL)
		return kinesis_record_sequence(record->record);
	return psprintf(INT64_FORMAT, batch->keys[record->ordinal]);
}

void
batch_count_slice(Batch *batch, const BatchSlice *slice, int64 first)
{
	BatchShard *shard = &batch->shards[slice->shard];
	const KinesisRecord *records = slice->records;
	int			last = slice->n_records - 1;

	for (int i = 0; i < slice->n_records; i++)
	{
		TimestampTz arrived = records[i].arrived;

		shard->bytes += kinesis_record_bytes(&records[i]);
		if (shard->n_records + i == 0 || arrived < shard->first_arrival)
			shard->first_arrival = arrived;
		shard->last_arrival = Max(shard->last_arrival, arrived);
	}
	shard->n_records += slice->n_records;
	if (last >= 0 && batch->keys != NULL)
		position_after_key(&shard->to, batch->keys[first + last]);
	else if (last >= 0)
		position_after_record(&shard->to, &records[last]);
}

/*
 * A record waits for the next poll, then for its batch, each time for at most
 * max_latency; a second is added for the rest.  The view of pipelines counts
 * in the same way.
 */
TimestampTz
batch_late_since(TimestampTz since, TimestampTz tip_before,
				 TimestampTz tip_at, long max_latency_ms)
{
	TimestampTz now = GetCurrentTimestamp();

	if (tip_at == 0 ||
		now - tip_at <= (2 * max_latency_ms + 1000) * INT64CONST(1000))
		return 0;
	if (since != 0)
		return since;
	return tip_before == 0 ? now :
		tip_before + max_latency_ms * INT64CONST(1000);
}

void
batch_forget_rejects(Batch *batch)
{
	batch->rejects = NIL;
	batch->rejected = NULL;
	batch->empty = NULL;
	batch_restrict(batch, 0, batch->n_records);
}

void
batch_truncate(Batch *batch, int64 n)
{
	int64		left = n;
	ListCell   *cell;

	for (int i = 0; i < batch->n_shards; i++)
	{
		BatchShard *shard = &batch->shards[i];

		shard->to = shard->from;
		shard->n_records = shard->bytes = 0;
		shard->first_arrival = shard->last_arrival = 0;
		shard->read_until = shard->tip_at = 0;
	}
	for (int i = 0; i < batch->n_slices; i++)
	{
		BatchSlice *slice = &batch->slices[i];

		slice->n_records = Min(slice->n_records, left);
		batch_count_slice(batch, slice, n - left);
		left -= slice->n_records;
	}
	/* a gap is told together with the records after it */
	foreach(cell, batch->gaps)
	{
		const StreamGap *gap = lfirst(cell);

		for (int i = 0; i < batch->n_shards; i++)
		{
			if (strcmp(batch->shards[i].shard_id, gap->shard_id) != 0)
				continue;
			if (batch->shards[i].n_records == 0)
				batch->gaps = foreach_delete_current(batch->gaps, cell);
			break;
		}
	}
	batch->n_records = n;
	batch_forget_rejects(batch);
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
	batch->empty = bms_del_member(batch->empty, record->ordinal);
	MemoryContextSwitchTo(old);
}

void
batch_watch(ColumnWatch *watch, const char *name, bool found)
{
	WatchedColumn *column;
	MemoryContext old;
	ListCell   *cell;

	foreach(cell, watch->columns)
	{
		column = lfirst(cell);
		if (strcmp(column->name, name) == 0)
		{
			column->found |= found;
			return;
		}
	}
	old = MemoryContextSwitchTo(watch->cxt);
	column = palloc(sizeof(WatchedColumn));
	column->name = pstrdup(name);
	column->found = found;
	watch->columns = lappend(watch->columns, column);
	MemoryContextSwitchTo(old);
}

void
batch_count_watched(Batch *batch, const StreamRecord *record)
{
	MemoryContext old;

	if (bms_is_member(record->ordinal, batch->watched))
		return;
	old = MemoryContextSwitchTo(batch->cxt);
	batch->watched = bms_add_member(batch->watched, record->ordinal);
	MemoryContextSwitchTo(old);
	batch->watch->documents++;
}

void
batch_leave_out(Batch *batch, const StreamRecord *record)
{
	MemoryContext old;

	if (bms_is_member(record->ordinal, batch->rejected))
		return;
	old = MemoryContextSwitchTo(batch->cxt);
	batch->empty = bms_add_member(batch->empty, record->ordinal);
	MemoryContextSwitchTo(old);
}

void
batch_count_empty(const Batch *batch, int64 *counts)
{
	int			ordinal = bms_next_member(batch->empty, -1);
	int64		end = 0;

	memset(counts, 0, batch->n_shards * sizeof(int64));
	for (int i = 0; i < batch->n_slices; i++)
	{
		const BatchSlice *slice = &batch->slices[i];

		end += slice->n_records;
		for (; ordinal >= 0 && ordinal < end;
			 ordinal = bms_next_member(batch->empty, ordinal))
			counts[slice->shard]++;
	}
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
batch_bind(BatchBinding *binding, Oid source, Batch *batch)
{
	binding->source = source;
	binding->batch = batch;
	binding->outer = bound;
	bound = binding;
}

void
batch_unbind(const BatchBinding *binding)
{
	Assert(bound == binding);
	bound = binding->outer;
}

Batch *
batch_bound(Oid source)
{
	for (const BatchBinding *binding = bound; binding != NULL;
		 binding = binding->outer)
	{
		if (binding->source == source)
			return binding->batch;
	}
	return NULL;
}
