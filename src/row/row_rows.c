/*
 * row_rows.c
 *	  Keeps the rows of a record beyond the first until they are asked for.
 *
 * Rows for which there is no memory are decoded to see that they can be, and
 * decoded again, one by one, when they are asked for.
 */
#include "postgres.h"

#include "row/row_decoder.h"
#include "utils/memutils.h"

/*
 * Make a row beyond the first, with the first's metadata, in the record's
 * context.
 */
static RowKept *
make_row(RowDecoder *decoder, const RowResult *first)
{
	int			n = decoder->n_columns;
	RowKept    *row = MemoryContextAlloc(decoder->record_cxt,
										 offsetof(RowKept, values) +
										 n * (sizeof(Datum) + sizeof(bool)));

	row->next = NULL;
	row->times = 1;
	row->isnull = (bool *) &row->values[n];
	memcpy(row->values, first->values, n * sizeof(Datum));
	memcpy(row->isnull, first->isnull, n * sizeof(bool));
	for (int i = decoder->n_metadata; i < decoder->n_fields; i++)
		row->isnull[decoder->fields[i].column] = true;
	return row;
}

RowKept *
row_rows_keep(RowDecoder *decoder, const RowResult *first)
{
	RowKept    *row = make_row(decoder, first);

	*decoder->kept_end = row;
	decoder->kept_end = &row->next;
	return row;
}

void
row_rows_before(RowDecoder *decoder, const RowResult *first)
{
	if (decoder->model != NULL)
	{
		MemoryContextReset(decoder->row_cxt);
		return;
	}
	decoder->model = make_row(decoder, first);
	decoder->format->remember(decoder->reader);
	decoder->memory.kept = row_memory_of(decoder->record_cxt);
	decoder->memory.values = decoder->row_cxt;
	MemoryContextSwitchTo(decoder->row_cxt);
}

void
row_rows_next(RowDecoder *decoder, const RowResult *first, RowResult *result)
{
	RowKept    *row = decoder->model;

	if (row == NULL)
		row = row_rows_keep(decoder, first);
	else
		decoder->n_again++;
	result->values = row->values;
	result->isnull = row->isnull;
}

void
row_rows_forget(RowDecoder *decoder)
{
	decoder->kept = NULL;
	decoder->kept_end = &decoder->kept;
	if (decoder->model == NULL)
		return;
	decoder->model = NULL;
	decoder->n_again = 0;
	decoder->memory.kept = 0;
	decoder->memory.values = decoder->record_cxt;
	MemoryContextReset(decoder->row_cxt);
}

void
row_decode_stop(RowDecoder *decoder)
{
	row_rows_forget(decoder);
	MemoryContextReset(decoder->record_cxt);
	if (decoder->memory.inflated > 0)
		payload_forget(decoder->payload);
}
